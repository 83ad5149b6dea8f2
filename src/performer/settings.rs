//! The player's settings, and what a change of them does at once: replan, forget, panic.

use super::{Performer, Port};
use crate::{
    lane::Request,
    music::{
        generation::GenerationSettings,
        harmony::{self, Source},
        note::Velocity,
        note_tracker::Zone,
        pace::Touch,
        patience::Patience,
        quantise::Quantise,
        time::Seconds,
        turn::Rules,
    },
};

/// Difference between the seeds of successive turns; odd, so that none repeats.
const SEED_STRIDE: u32 = 0x9E37_79B9;
/// Difference between the seeds of successive plans of one turn; odd as well.
const PLAN_STRIDE: u32 = 0x85EB_CA6B;

/// What the player has set, as of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub rules: Rules,
    /// How long a silence counts as a breath, and not as the end of a call.
    pub patience: Patience,
    pub generation: GenerationSettings,
    pub output: OutputSettings,
    pub input_filter: InputFilter,
    /// Where the harmony comes from.
    pub harmony: harmony::Source,
    /// Which channels form one MPE instrument.
    pub zone: Zone,
    pub triggers: Triggers,
    pub seed: u32,
    /// Every turn has a seed of its own.
    pub varying: bool,
    pub thru: bool,
    pub bypass: bool,
}

/// The channels that the plugin listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFilter {
    /// No channel: nothing is remembered, no strike takes the floor back, and no cue is followed.
    Closed,
    /// One channel, 0..16.
    Channel(u8),
    All,
    /// All channels but this one, 0..16.
    AllBut(u8),
}

/// How an answer is sent to the instrument, whatever its notes are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutputSettings {
    pub quantise: Quantise,
    /// Factor of the velocities that are sent, 0.25..=2. The memory keeps the velocities without it, so
    /// that answers do not grow ever louder.
    pub velocity_scale: f32,
    /// How much earlier a note is sent than it is to be heard, for an instrument with latency: 0..=0.1
    /// seconds.
    pub advance: Seconds,
    /// Channel of the answer, 0..16; `None` for the channel of the call.
    pub channel: Option<u8>,
}

/// Momentary switches: something happens in the block in which one goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triggers {
    /// Everything that sounds ends, and so does the turn.
    pub panic: bool,
    /// What is planned is dropped, and the rest of the answer is made anew with another seed.
    pub re_roll: bool,
    /// All that was heard is forgotten, and what is played ends.
    pub clear_memory: bool,
    /// The next turn gets the seed of a take's first turn.
    pub reset_seed: bool,
}

impl Settings {
    /// The seed of a plan. `ordinal` is the number of earlier turns of its take, `plan` that of earlier
    /// plans of its turn. Realtime-safe.
    pub fn seed(&self, ordinal: u32, plan: u32) -> u32 {
        let moved = if self.varying { ordinal.wrapping_mul(SEED_STRIDE) } else { 0 };
        self.seed.wrapping_add(moved).wrapping_add(plan.wrapping_mul(PLAN_STRIDE))
    }

    /// The channels that the plugin listens to in effect. In bypass there are none. A zone's master stands
    /// for all channels. *All* leaves out the channel that sets the harmony.
    pub(super) fn open_filter(&self) -> InputFilter {
        match self.input_filter {
            _ if self.bypass => InputFilter::Closed,
            InputFilter::Channel(channel) if self.zone.master() == Some(channel) => InputFilter::All,
            InputFilter::All => match self.harmony {
                Source::Channel(channel) => InputFilter::AllBut(channel),
                Source::Off | Source::Below(_) => InputFilter::All,
            },
            input_filter => input_filter,
        }
    }
}

impl InputFilter {
    pub(super) fn passes(self, channel: u8) -> bool {
        match self {
            Self::Closed => false,
            Self::Channel(heard) => heard == channel,
            Self::All => true,
            Self::AllBut(other) => other != channel,
        }
    }
}

impl OutputSettings {
    /// Notes go out as they were drawn, on the channel of the call.
    pub const PLAIN: Self =
        Self { quantise: Quantise::OFF, velocity_scale: 1.0, advance: Seconds::ZERO, channel: None };

    /// The velocity that is sent for one that was drawn.
    pub fn velocity(&self, meant: Velocity) -> Velocity {
        Velocity::saturating((f32::from(meant.value()) * self.velocity_scale).round() as u8)
    }
}

impl Triggers {
    pub const NONE: Self = Self { panic: false, re_roll: false, clear_memory: false, reset_seed: false };

    /// The switches that have gone down since `before`.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            panic: self.panic && !before.panic,
            re_roll: self.re_roll && !before.re_roll,
            clear_memory: self.clear_memory && !before.clear_memory,
            reset_seed: self.reset_seed && !before.reset_seed,
        }
    }
}

impl Performer {
    /// Applies what the player has changed since the previous block, on the first sample of this one.
    pub(super) fn apply_settings(&mut self, before: &Settings, port: &mut impl Port) {
        let triggers = before.triggers;
        if self.settings.zone != before.zone {
            self.input.note_tracker.set_zone(self.settings.zone);
            self.end_unpedalled(self.cursor);
        }
        self.change_input_filter(before.open_filter(), port);
        self.leave_sounding(self.settings.generation.polyphony.count(), port);
        self.tell_generation();
        let pressed = self.settings.triggers.since(triggers);
        if pressed.panic {
            self.panic(port);
        }
        if pressed.clear_memory {
            self.clear_memory(port);
        }
        if pressed.reset_seed {
            self.turns.begin_chance_anew();
        }
        if pressed.re_roll || self.has_changed_generation() {
            self.replan();
        }
    }

    /// Sends the worker the generation settings, where they have changed.
    pub(super) fn tell_generation(&mut self) {
        let generation = self.settings.generation;
        if self.told != Some(generation) && self.request(Request::GenerationSettings(generation)) {
            self.told = Some(generation);
        }
    }

    fn panic(&mut self, port: &mut impl Port) {
        let ended = self.turns.stop();
        self.let_go();
        self.fall_silent(ended, port);
        self.output.release_all_played(self.offset(), port);
    }

    /// Forgets all that was heard. A call that still goes on stays a call; one that is over gets no answer
    /// any more.
    fn clear_memory(&mut self, port: &mut impl Port) {
        let ended = if self.any_key_held() { self.turns.hush() } else { self.turns.stop() };
        self.fall_silent(ended, port);
        self.input.touch = Touch::default();
        self.forget_owed = true;
        self.pay_forget();
    }
}
