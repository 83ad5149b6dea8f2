//! What the player has set, and what a change of it does to what goes on: plan anew, forget, panic.

use super::{Performer, Port, sounding::Plan};
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

/// A control that moves makes a new plan no more often than this.
const BETWEEN_PLANS: Seconds = Seconds(0.25);
/// Sets the seeds of successive turns apart; odd, so that none repeats.
const SEED_STRIDE: u32 = 0x9E37_79B9;
/// The same for the plans of one turn.
const PLAN_STRIDE: u32 = 0x85EB_CA6B;

/// What the player has set, as of one block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    pub rules: Rules,
    /// How long a silence is taken for a breath.
    pub patience: Patience,
    pub generation: GenerationSettings,
    pub output: OutputSettings,
    pub input_filter: InputFilter,
    /// Who says what the harmony is.
    pub harmony: harmony::Source,
    /// Which channels are one MPE instrument.
    pub zone: Zone,
    pub triggers: Triggers,
    pub seed: u32,
    /// Every turn has a seed of its own.
    pub varying: bool,
    pub thru: bool,
    pub bypass: bool,
}

/// To whom the plugin listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputFilter {
    /// To nobody: nothing is remembered, nobody takes the floor back, and no cue is heeded.
    Closed,
    /// To one channel, 0..16.
    Channel(u8),
    All,
    /// To all but one, 0..16.
    AllBut(u8),
}

/// How an answer goes out to the instrument, whatever its notes are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutputSettings {
    pub quantise: Quantise,
    /// Multiplies what is sent, 0.25..=2. What is remembered stays as it was meant, lest answers grow ever louder.
    pub velocity_scale: f32,
    /// So much earlier than it is to be heard it goes out: for an instrument that takes its time, 0..=0.1.
    pub advance: Seconds,
    /// 0..16; `None` for the channel of the call.
    pub channel: Option<u8>,
}

/// Momentary switches: something happens in the block in which one goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triggers {
    /// Everything that sounds ends, and so does the turn.
    pub panic: bool,
    /// What is planned is thrown away, and the answer goes on otherwise.
    pub re_roll: bool,
    /// All that was heard is forgotten, and what is played ends.
    pub clear_memory: bool,
    /// The next turn has the seed of a take's first one.
    pub reset_seed: bool,
}

impl Settings {
    /// The seed of a plan, after `plan` others of its turn, for the turn after `ordinal` others of its take.
    /// Realtime-safe.
    pub fn seed(&self, ordinal: u32, plan: u32) -> u32 {
        let moved = if self.varying { ordinal.wrapping_mul(SEED_STRIDE) } else { 0 };
        self.seed.wrapping_add(moved).wrapping_add(plan.wrapping_mul(PLAN_STRIDE))
    }

    /// To whom the plugin listens in fact: in bypass to nobody, and to a whole zone where it listens to its master.
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
    /// As it was drawn and where it was called.
    pub const PLAIN: Self =
        Self { quantise: Quantise::OFF, velocity_scale: 1.0, advance: Seconds::ZERO, channel: None };

    /// What is sent for a velocity.
    pub fn velocity(&self, meant: Velocity) -> Velocity {
        Velocity::saturating((f32::from(meant.value()) * self.velocity_scale).round() as u8)
    }
}

impl Triggers {
    pub const NONE: Self = Self { panic: false, re_roll: false, clear_memory: false, reset_seed: false };

    /// What has gone down since `before`.
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
    /// Does what the player has switched since the block before, on the first sample of this one.
    pub(super) fn obey(&mut self, before: &Settings, port: &mut impl Port) {
        let triggers = before.triggers;
        if self.settings.zone != before.zone {
            self.input.note_tracker.set_zone(self.settings.zone);
            self.end_unpedalled(self.cursor);
        }
        self.turn_to(before.open_filter(), port);
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
            self.plan_again();
        }
    }

    /// Tells the worker how answers are to be, where it does not know yet.
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

    /// Forgets all that was heard. A call that goes on stays one, but there is nothing to say to one that is over.
    fn clear_memory(&mut self, port: &mut impl Port) {
        let ended = if self.any_key_held() { self.turns.hush() } else { self.turns.stop() };
        self.fall_silent(ended, port);
        self.input.touch = Touch::default();
        self.forget_owed = true;
        self.pay_forget();
    }

    fn has_changed_generation(&self) -> bool {
        let Plan { made, generation, .. } = self.plan;
        let rested = self.cursor - made >= self.timeline.rate().samples(BETWEEN_PLANS);
        generation != self.settings.generation && rested
    }
}
