//! A player who plays phrases on some channels, uses the pedal, and gives cues; and what the player sets, now and then otherwise: the
//! mode, the generation, the output, the input filter.

use std::num::NonZeroU8;

use antiphon::{
    music::{
        conditions::Style,
        generation::{Density, GenerationSettings, Polyphony, Register, Thousandths},
        note::{Key, Velocity},
        note_tracker::{NoteId, Pedal, Place, Zone},
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
/// Above the key that is a cue.
const LOWEST: i32 = 24;
const HIGHEST: i32 = 100;

/// What is to come of the player, in samples of the session.
pub struct Player {
    to_come: Vec<(u64, Gesture)>,
    /// When the next note is struck, and how many are left of the phrase.
    next_strike: u64,
    left: u32,
    /// The last strike.
    place: Place,
}

impl Player {
    pub fn new() -> Self {
        let place = Place { channel: 0, key: Key::saturating(60) };
        Self { to_come: Vec::new(), next_strike: 0, left: 8, place }
    }

    /// What the player does within a block.
    pub fn play(
        &mut self,
        begin: u64,
        frames: u64,
        rules: &Rules,
        chance: &mut Pcg32,
    ) -> Vec<(u64, Gesture)> {
        while self.next_strike < begin + frames {
            self.strike(self.next_strike.max(begin), rules, chance);
        }
        self.to_come.sort_by_key(|(at, _)| *at);
        let now = self.to_come.partition_point(|(at, _)| *at < begin + frames);
        self.to_come.drain(..now).collect()
    }

    fn strike(&mut self, at: u64, rules: &Rules, chance: &mut Pcg32) {
        let seconds = |seconds: f64| (seconds * RATE) as u64;
        let key = i32::from(self.place.key.number()) + interval(chance);
        self.place.key = Key::saturating(key.clamp(LOWEST, HIGHEST) as u8);
        let end = at + seconds(duration(chance)).max(1);
        let velocity = Velocity::saturating(velocity(chance));
        self.to_come.push((at, Gesture::KeyDown(self.place, velocity)));
        self.to_come.push((end, Gesture::KeysUp(self.place.into())));
        if chance.random_bool(0.05) {
            let pedal = |pedal| Gesture::Pedal { channel: self.place.channel, pedal };
            self.to_come.push((at, pedal(Pedal::Down)));
            self.to_come.push((at + seconds(chance.random_range(0.2..2.0)), pedal(Pedal::Up)));
        }
        if chance.random_bool(0.01) {
            let channel = self.place.channel;
            let messages = [
                Gesture::AllOff { channel: Some(channel) },
                Gesture::AllSoundOff { channel },
                Gesture::ResetControllers { channel },
            ];
            self.to_come.push((end + 1, messages[chance.random_range(0..messages.len())]));
        }
        self.left = self.left.saturating_sub(1);
        let pause = match self.left {
            0 => {
                self.cue(end, rules);
                self.left = chance.random_range(1..40);
                // The first channel is the one that is played most.
                self.place.channel = chance.random_range(0..2 * CHANNELS).saturating_sub(CHANNELS);
                chance.random_range(0.5..9.0)
            }
            _ => step(chance),
        };
        self.next_strike = at + seconds(pause);
    }

    /// Gives the cue that is wanted, now and then too often.
    fn cue(&mut self, at: u64, rules: &Rules) {
        let (on, off) = match rules.cue() {
            Some(Cue::Pedal(_)) => {
                let pedal = |value| Gesture::Controller { number: 67, value };
                (pedal(127), pedal(0))
            }
            Some(Cue::Key(key)) => {
                let switch = Place { key, ..self.place };
                (Gesture::KeyDown(switch, Velocity::saturating(1)), Gesture::KeysUp(switch.into()))
            }
            Some(Cue::Silence(_) | Cue::Controller(_)) | None => return,
        };
        self.to_come.push((at, on));
        self.to_come.push((at + 100, off));
    }
}

type Quantiles = [f64; 16];

/// Seconds from onset to onset, where they are less than 2.
const STEPS: Quantiles = [
    0.0, 0.002, 0.004, 0.005, 0.008, 0.012, 0.019, 0.031, 0.056, 0.077, 0.094, 0.116, 0.146, 0.185, 0.26,
    0.47,
];
/// Seconds.
const DURATIONS: Quantiles = [
    0.029, 0.035, 0.04, 0.046, 0.053, 0.06, 0.07, 0.082, 0.098, 0.119, 0.148, 0.193, 0.252, 0.352, 0.533,
    1.137,
];
/// Semitones from key to key.
const INTERVALS: Quantiles =
    [-33.0, -20.0, -12.0, -12.0, -8.0, -5.0, -3.0, -2.0, 1.0, 3.0, 5.0, 7.0, 11.0, 14.0, 21.0, 33.0];
const VELOCITIES: Quantiles =
    [29.0, 39.0, 44.0, 49.0, 53.0, 57.0, 60.0, 64.0, 67.0, 70.0, 74.0, 77.0, 81.0, 85.0, 91.0, 98.0];

/// In seconds.
pub fn step(chance: &mut Pcg32) -> f64 {
    drawn(&STEPS, chance)
}

/// In seconds.
pub fn duration(chance: &mut Pcg32) -> f64 {
    drawn(&DURATIONS, chance)
}

/// In semitones.
pub fn interval(chance: &mut Pcg32) -> i32 {
    drawn(&INTERVALS, chance).round() as i32
}

pub fn velocity(chance: &mut Pcg32) -> u8 {
    drawn(&VELOCITIES, chance).round() as u8
}

fn drawn(quantiles: &Quantiles, chance: &mut Pcg32) -> f64 {
    let index = chance.random_range(0..quantiles.len() - 1);
    let part: f64 = chance.random_range(0.0..1.0);
    quantiles[index] + (quantiles[index + 1] - quantiles[index]) * part
}

/// One name for each strike and its release, or none at all.
#[derive(Default)]
pub struct Names {
    given: i32,
    open: Vec<(Place, NoteId)>,
    are_given: bool,
}

impl Names {
    /// Every note has one.
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
