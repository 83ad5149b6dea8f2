//! A player who plays phrases on some channels, uses the pedal and gives cues; and the settings that the player
//! changes now and then: the mode, the generation, the output, the input filter.

use std::num::NonZeroU8;

use antiphon::{
    music::{
        conditions::Style,
        generation::{Density, GenerationSettings, Polyphony, Register, Thousandths},
        note::{Key, Velocity},
        note_tracker::{ChannelKey, NoteId, Pedal, Zone},
        patience::Patience,
        quantise::{Grid, Quantise},
        scale::{Root, Scale},
        time::Beats,
        turn::{Alignment, Cue, Entry, Foot, Length, Rules},
    },
    performer::{Gesture, InputFilter, OutputSettings, Settings, Triggers},
};
use rand::RngExt;
use rand_pcg::Pcg32;

use super::RATE;

/// Number of the player's channels, which are 0..CHANNELS.
pub const CHANNELS: u8 = 3;
const CUE_KEY: Key = Key::saturating(21);
/// Grids, and the distance between their lines in beats.
pub const GRIDS: [(Grid, f64); 4] = [
    (Grid::Off, 0.0),
    (Grid::Eighth, 1.0 / 2.0),
    (Grid::EighthTriplet, 1.0 / 3.0),
    (Grid::Sixteenth, 1.0 / 4.0),
];
/// The player's lowest key, above [`CUE_KEY`].
const LOWEST: i32 = 24;
const HIGHEST: i32 = 100;

/// The player: the gestures to come, by sample of the session, and the state of the phrase.
pub struct Player {
    to_come: Vec<(u64, Gesture)>,
    /// The sample of the next strike.
    next_strike: u64,
    /// Number of notes left in the phrase.
    left: u32,
    /// The channel and key of the newest strike.
    place: ChannelKey,
}

impl Player {
    pub fn new() -> Self {
        let place = ChannelKey { channel: 0, key: Key::saturating(60) };
        Self { to_come: Vec::new(), next_strike: 0, left: 8, place }
    }

    /// The player's gestures within a block.
    pub fn play(&mut self, begin: u64, frames: u64, rules: &Rules, rng: &mut Pcg32) -> Vec<(u64, Gesture)> {
        while self.next_strike < begin + frames {
            self.strike(self.next_strike.max(begin), rules, rng);
        }
        self.to_come.sort_by_key(|(at, _)| *at);
        let now = self.to_come.partition_point(|(at, _)| *at < begin + frames);
        self.to_come.drain(..now).collect()
    }

    fn strike(&mut self, at: u64, rules: &Rules, rng: &mut Pcg32) {
        let seconds = |seconds: f64| (seconds * RATE) as u64;
        let key = i32::from(self.place.key.number()) + interval(rng);
        self.place.key = Key::saturating(key.clamp(LOWEST, HIGHEST) as u8);
        let end = at + seconds(duration(rng)).max(1);
        let velocity = Velocity::saturating(velocity(rng));
        self.to_come.push((at, Gesture::KeyDown(self.place, velocity)));
        self.to_come.push((end, Gesture::KeysUp(self.place.into())));
        if rng.random_bool(0.05) {
            let pedal = |pedal| Gesture::Pedal { channel: self.place.channel, pedal };
            self.to_come.push((at, pedal(Pedal::Down)));
            self.to_come.push((at + seconds(rng.random_range(0.2..2.0)), pedal(Pedal::Up)));
        }
        if rng.random_bool(0.01) {
            let channel = self.place.channel;
            let messages = [
                Gesture::AllOff { channel: Some(channel) },
                Gesture::AllSoundOff { channel },
                Gesture::ResetControllers { channel },
            ];
            self.to_come.push((end + 1, messages[rng.random_range(0..messages.len())]));
        }
        self.left = self.left.saturating_sub(1);
        let pause = match self.left {
            0 => {
                self.cue(end, rules);
                self.left = rng.random_range(1..40);
                // Channel 0 is played most often.
                self.place.channel = rng.random_range(0..2 * CHANNELS).saturating_sub(CHANNELS);
                rng.random_range(0.5..9.0)
            }
            _ => step(rng),
        };
        self.next_strike = at + seconds(pause);
    }

    /// Gives the cue that the rules ask for, even if the plugin already has the floor.
    fn cue(&mut self, at: u64, rules: &Rules) {
        let (on, off) = match rules.cue() {
            Some(Cue::Pedal(_)) => {
                let pedal = |value| Gesture::Controller { number: 67, value };
                (pedal(127), pedal(0))
            }
            Some(Cue::Key(key)) => {
                let switch = ChannelKey { key, ..self.place };
                (Gesture::KeyDown(switch, Velocity::saturating(1)), Gesture::KeysUp(switch.into()))
            }
            Some(Cue::Silence(_) | Cue::Controller(_)) | None => return,
        };
        self.to_come.push((at, on));
        self.to_come.push((at + 100, off));
    }
}

type Quantiles = [f64; 16];

/// Quantiles of the time from onset to onset, in seconds, where it is less than 2.
const STEPS: Quantiles = [
    0.0, 0.002, 0.004, 0.005, 0.008, 0.012, 0.019, 0.031, 0.056, 0.077, 0.094, 0.116, 0.146, 0.185, 0.26,
    0.47,
];
/// Quantiles of durations, in seconds.
const DURATIONS: Quantiles = [
    0.029, 0.035, 0.04, 0.046, 0.053, 0.06, 0.07, 0.082, 0.098, 0.119, 0.148, 0.193, 0.252, 0.352, 0.533,
    1.137,
];
/// Quantiles of the interval from key to key, in semitones.
const INTERVALS: Quantiles =
    [-33.0, -20.0, -12.0, -12.0, -8.0, -5.0, -3.0, -2.0, 1.0, 3.0, 5.0, 7.0, 11.0, 14.0, 21.0, 33.0];
const VELOCITIES: Quantiles =
    [29.0, 39.0, 44.0, 49.0, 53.0, 57.0, 60.0, 64.0, 67.0, 70.0, 74.0, 77.0, 81.0, 85.0, 91.0, 98.0];

/// A random time to the next onset, in seconds.
pub fn step(rng: &mut Pcg32) -> f64 {
    drawn(&STEPS, rng)
}

/// A random duration, in seconds.
pub fn duration(rng: &mut Pcg32) -> f64 {
    drawn(&DURATIONS, rng)
}

/// A random interval, in semitones.
pub fn interval(rng: &mut Pcg32) -> i32 {
    drawn(&INTERVALS, rng).round() as i32
}

pub fn velocity(rng: &mut Pcg32) -> u8 {
    drawn(&VELOCITIES, rng).round() as u8
}

fn drawn(quantiles: &Quantiles, rng: &mut Pcg32) -> f64 {
    let index = rng.random_range(0..quantiles.len() - 1);
    let part: f64 = rng.random_range(0.0..1.0);
    quantiles[index] + (quantiles[index + 1] - quantiles[index]) * part
}

/// Note ids: one for each strike and its release, or none at all.
#[derive(Default)]
pub struct Names {
    given: i32,
    open: Vec<(ChannelKey, NoteId)>,
    are_given: bool,
}

impl Names {
    /// Every note has a note id.
    pub fn given() -> Self {
        Self { are_given: true, ..Self::default() }
    }

    pub fn of(&mut self, gesture: Gesture) -> Option<NoteId> {
        match gesture {
            _ if !self.are_given => None,
            Gesture::KeyDown(place, _) => {
                self.given += 1;
                let name = NoteId(self.given);
                self.open.push((place, name));
                Some(name)
            }
            Gesture::KeysUp(places) => {
                let index = self.open.iter().position(|(place, _)| places.contains(*place))?;
                Some(self.open.remove(index).1)
            }
            _ => None,
        }
    }
}

/// Changes one setting. Bypass and a closed input filter are undone by the next change.
pub fn change_mind(settings: Settings, rng: &mut Pcg32) -> Settings {
    if settings.bypass || settings.input_filter == InputFilter::Closed {
        return Settings { bypass: false, input_filter: InputFilter::All, ..settings };
    }
    match rng.random_range(0..21) {
        0..=4 => Settings {
            rules: rules(rng),
            seed: rng.random_range(0..9_999),
            varying: rng.random_bool(0.5),
            ..settings
        },
        5..=12 => Settings { generation: generation(settings.generation, rng), ..settings },
        13..=15 => Settings { output: output(settings.output, rng), ..settings },
        16 | 17 => Settings { input_filter: input_filter(rng), ..settings },
        18 => Settings { patience: Patience::saturating(rng.random_range(0.0..1.0)), ..settings },
        19 => Settings { zone: [Zone::Off, Zone::Lower, Zone::Upper][rng.random_range(0..3)], ..settings },
        _ => Settings { bypass: true, ..settings },
    }
}

/// The triggers that are pressed in a block that lasts `seconds`.
pub fn press(seconds: f64, rng: &mut Pcg32) -> Triggers {
    let mut pressed = |every: f64| rng.random_bool((seconds / every).min(1.0));
    let (panic, re_roll) = (pressed(60.0), pressed(10.0));
    Triggers { panic, re_roll, clear_memory: pressed(120.0), reset_seed: pressed(30.0) }
}

fn rules(rng: &mut Pcg32) -> Rules {
    let cue = match rng.random_range(0..6) {
        0 => Cue::Pedal(Foot::Soft),
        1 => Cue::Key(CUE_KEY),
        _ => Cue::Silence(Beats(rng.random_range(0.25..4.0))),
    };
    let alignment = [Alignment::Off, Alignment::Off, Alignment::Beat, Alignment::Bar];
    let entry = Entry { cue, alignment: alignment[rng.random_range(0..4)] };
    let bars = NonZeroU8::new(rng.random_range(1..4)).expect("not nought");
    let longest = Beats(rng.random_range(2.0..16.0));
    let length = match rng.random_range(0..3) {
        0 => Length::Call { longest },
        1 => Length::Bars(bars),
        _ => Length::Phrase { longest },
    };
    match rng.random_range(0..5) {
        0 | 1 => Rules::Answer { entry, length },
        2 => Rules::Trade { bars },
        3 => Rules::Together { longest },
        _ => Rules::Endless { entry },
    }
}

fn generation(generation: GenerationSettings, rng: &mut Pcg32) -> GenerationSettings {
    let part = Thousandths(rng.random_range(0..=1_000));
    match rng.random_range(0..17) {
        0 => GenerationSettings { temperature: part, ..generation },
        1 => GenerationSettings { pitch_temperature: part, ..generation },
        2 => GenerationSettings { timing_temperature: part, ..generation },
        3 => GenerationSettings { focus: part, ..generation },
        4 => GenerationSettings { velocity_follow: part, ..generation },
        13 => GenerationSettings { pace_follow: part, ..generation },
        14 => GenerationSettings { key_follow: part, ..generation },
        15 => GenerationSettings { tempo_from_player: rng.random_bool(0.5), ..generation },
        16 => GenerationSettings { style: Some(Style::ALL[rng.random_range(0..4)]), ..generation },
        5 => {
            let (low, width) = (rng.random_range(0..100), rng.random_range(0..60));
            GenerationSettings { register: Register::between(key(low), key(low + width)), ..generation }
        }
        6 => {
            let scale = Scale::ALL[rng.random_range(0..Scale::ALL.len())];
            GenerationSettings { pitch_classes: scale.on(Root::new(rng.random_range(0..12))), ..generation }
        }
        7 => GenerationSettings { polyphony: Polyphony::voices(rng.random_range(1..8)), ..generation },
        8 => GenerationSettings { density: Density::per_second(rng.random_range(0.2..20.0)), ..generation },
        9 => GenerationSettings {
            memory: rng.random_range(25..=150),
            model: rng.random_range(0..2),
            ..generation
        },
        // For a while nothing is limited.
        _ => GenerationSettings {
            memory: generation.memory,
            model: generation.model,
            ..GenerationSettings::DEFAULT
        },
    }
}

fn output(output: OutputSettings, rng: &mut Pcg32) -> OutputSettings {
    match rng.random_range(0..4) {
        0 => {
            let grid = GRIDS[rng.random_range(0..GRIDS.len())].0;
            let strength = if rng.random_bool(0.5) { 1.0 } else { rng.random_range(0.0..1.0) };
            let quantise = Quantise { grid, strength, swing: rng.random_range(0.5..0.75) };
            OutputSettings { quantise, ..output }
        }
        1 => OutputSettings { channel: Some(rng.random_range(0..16)), ..output },
        2 => OutputSettings { velocity_scale: rng.random_range(0.25..2.0), ..output },
        _ => OutputSettings::PLAIN,
    }
}

fn input_filter(rng: &mut Pcg32) -> InputFilter {
    match rng.random_range(0..3) {
        0 => InputFilter::Closed,
        1 => InputFilter::Channel(rng.random_range(0..CHANNELS)),
        _ => InputFilter::All,
    }
}

fn key(number: u8) -> Key {
    Key::saturating(number)
}
