//! What the player sets, now and then otherwise: the game, the manner, the delivery, the ears.

use std::num::NonZeroU8;

use antiphon::{
    music::{
        conditions::Style,
        generation::{Density, GenerationSettings, Polyphony, Register, Thousandths},
        note::Key,
        note_tracker::Zone,
        patience::Patience,
        quantise::{Grid, Quantise},
        scale::{Root, Scale},
        time::Beats,
        turn::{Alignment, Cue, Entry, Foot, Length, Rules},
    },
    performer::{InputFilter, OutputSettings, Settings, Triggers},
};
use rand::RngExt;
use rand_pcg::Pcg32;

/// The player's channels are those below.
pub const CHANNELS: u8 = 3;
const CUE_KEY: Key = Key::saturating(21);
/// Grids, and the distance of their lines in beats.
pub const GRIDS: [(Grid, f64); 4] = [
    (Grid::Off, 0.0),
    (Grid::Eighth, 1.0 / 2.0),
    (Grid::EighthTriplet, 1.0 / 3.0),
    (Grid::Sixteenth, 1.0 / 4.0),
];

/// Moves one control. What makes the plugin deaf or dumb is not left so for long.
pub fn change_mind(settings: Settings, chance: &mut Pcg32) -> Settings {
    if settings.bypass || settings.input_filter == InputFilter::Closed {
        return Settings { bypass: false, input_filter: InputFilter::All, ..settings };
    }
    match chance.random_range(0..21) {
        0..=4 => Settings {
            rules: rules(chance),
            seed: chance.random_range(0..9_999),
            varying: chance.random_bool(0.5),
            ..settings
        },
        5..=12 => Settings { generation: generation(settings.generation, chance), ..settings },
        13..=15 => Settings { output: output(settings.output, chance), ..settings },
        16 | 17 => Settings { input_filter: input_filter(chance), ..settings },
        18 => Settings { patience: Patience::saturating(chance.random_range(0.0..1.0)), ..settings },
        19 => Settings { zone: [Zone::Off, Zone::Lower, Zone::Upper][chance.random_range(0..3)], ..settings },
        _ => Settings { bypass: true, ..settings },
    }
}

/// What is pressed in a block of so many seconds.
pub fn press(seconds: f64, chance: &mut Pcg32) -> Triggers {
    let mut pressed = |every: f64| chance.random_bool((seconds / every).min(1.0));
    let (panic, re_roll) = (pressed(60.0), pressed(10.0));
    Triggers { panic, re_roll, clear_memory: pressed(120.0), reset_seed: pressed(30.0) }
}

fn rules(chance: &mut Pcg32) -> Rules {
    let cue = match chance.random_range(0..6) {
        0 => Cue::Pedal(Foot::Soft),
        1 => Cue::Key(CUE_KEY),
        _ => Cue::Silence(Beats(chance.random_range(0.25..4.0))),
    };
    let alignment = [Alignment::Off, Alignment::Off, Alignment::Beat, Alignment::Bar];
    let entry = Entry { cue, alignment: alignment[chance.random_range(0..4)] };
    let bars = NonZeroU8::new(chance.random_range(1..4)).expect("not nought");
    let longest = Beats(chance.random_range(2.0..16.0));
    let length = match chance.random_range(0..3) {
        0 => Length::Call { longest },
        1 => Length::Bars(bars),
        _ => Length::Phrase { longest },
    };
    match chance.random_range(0..5) {
        0 | 1 => Rules::Answer { entry, length },
        2 => Rules::Trade { bars },
        3 => Rules::Together { longest },
        _ => Rules::Endless { entry },
    }
}

fn generation(generation: GenerationSettings, chance: &mut Pcg32) -> GenerationSettings {
    let part = Thousandths(chance.random_range(0..=1_000));
    match chance.random_range(0..17) {
        0 => GenerationSettings { temperature: part, ..generation },
        1 => GenerationSettings { pitch_temperature: part, ..generation },
        2 => GenerationSettings { timing_temperature: part, ..generation },
        3 => GenerationSettings { focus: part, ..generation },
        4 => GenerationSettings { velocity_follow: part, ..generation },
        13 => GenerationSettings { pace_follow: part, ..generation },
        14 => GenerationSettings { key_follow: part, ..generation },
        15 => GenerationSettings { tempo_from_player: chance.random_bool(0.5), ..generation },
        16 => GenerationSettings { style: Some(Style::ALL[chance.random_range(0..4)]), ..generation },
        5 => {
            let (low, width) = (chance.random_range(0..100), chance.random_range(0..60));
            GenerationSettings { register: Register::between(key(low), key(low + width)), ..generation }
        }
        6 => {
            let scale = Scale::ALL[chance.random_range(0..Scale::ALL.len())];
            GenerationSettings {
                pitch_classes: scale.on(Root::new(chance.random_range(0..12))),
                ..generation
            }
        }
        7 => GenerationSettings { polyphony: Polyphony::voices(chance.random_range(1..8)), ..generation },
        8 => {
            GenerationSettings { density: Density::per_second(chance.random_range(0.2..20.0)), ..generation }
        }
        9 => GenerationSettings {
            memory: chance.random_range(25..=150),
            model: chance.random_range(0..2),
            ..generation
        },
        // Nothing is limited, for a while.
        _ => GenerationSettings {
            memory: generation.memory,
            model: generation.model,
            ..GenerationSettings::DEFAULT
        },
    }
}

fn output(output: OutputSettings, chance: &mut Pcg32) -> OutputSettings {
    match chance.random_range(0..4) {
        0 => {
            let grid = GRIDS[chance.random_range(0..GRIDS.len())].0;
            let strength = if chance.random_bool(0.5) { 1.0 } else { chance.random_range(0.0..1.0) };
            let quantise = Quantise { grid, strength, swing: chance.random_range(0.5..0.75) };
            OutputSettings { quantise, ..output }
        }
        1 => OutputSettings { channel: Some(chance.random_range(0..16)), ..output },
        2 => OutputSettings { velocity_scale: chance.random_range(0.25..2.0), ..output },
        _ => OutputSettings::PLAIN,
    }
}

fn input_filter(chance: &mut Pcg32) -> InputFilter {
    match chance.random_range(0..3) {
        0 => InputFilter::Closed,
        1 => InputFilter::Channel(chance.random_range(0..CHANNELS)),
        _ => InputFilter::All,
    }
}

fn key(number: u8) -> Key {
    Key::saturating(number)
}
