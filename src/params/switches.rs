//! To whom the plugin listens, and what a press does at once.

use nice_plug::prelude::*;

use super::texts;
use crate::{
    music::{harmony::Source, note::Key, note_tracker::Zone},
    performer::{InputFilter, Triggers},
};

/// The left hand plays below it.
const MIDDLE_C: Key = Key::saturating(60);
const ALL: &str = "all";

#[derive(Params)]
pub struct SwitchParams {
    /// Off: nothing is heard or remembered, and the memory stays as it is.
    #[id = "listen"]
    pub listen: BoolParam,

    /// Whose notes are heard: those of one of 16 channels, or all. Others pass all the same.
    #[id = "input-channel"]
    pub input_channel: IntParam,

    /// Who says what the harmony is: nobody, the keys below middle C, or one of 16 channels, which is no music then.
    #[id = "harmony"]
    pub harmony: IntParam,

    /// Which channels are one MPE instrument.
    #[id = "mpe"]
    pub mpe: EnumParam<Mpe>,

    /// Goes on: everything that has gone out is released, and the turn ends.
    #[id = "panic"]
    pub panic: BoolParam,

    /// Goes on: what is planned is thrown away, and the answer goes on otherwise.
    #[id = "re-roll"]
    pub re_roll: BoolParam,

    /// Goes on: all that was heard is forgotten, and what is played ends.
    #[id = "clear-memory"]
    pub clear_memory: BoolParam,

    /// Goes on: chance begins anew, as at the beginning of a take.
    #[id = "reset-seed"]
    pub reset_seed: BoolParam,
}

/// The zone of an MPE controller, which has all channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Mpe {
    /// Every channel is an instrument of its own.
    #[id = "off"]
    Off,
    /// The master is channel 1.
    #[id = "lower"]
    #[name = "Lower zone"]
    Lower,
    /// The master is channel 16.
    #[id = "upper"]
    #[name = "Upper zone"]
    Upper,
}

impl SwitchParams {
    /// To whom the plugin listens now. Realtime-safe.
    pub fn input_filter(&self) -> InputFilter {
        match super::channel(&self.input_channel) {
            _ if !self.listen.value() => InputFilter::Closed,
            Some(channel) => InputFilter::Channel(channel),
            None => InputFilter::All,
        }
    }

    /// Who says now what the harmony is. Realtime-safe.
    pub fn harmony(&self) -> Source {
        match u8::try_from(self.harmony.value()) {
            Ok(texts::LEFT_HAND) => Source::Below(MIDDLE_C),
            Ok(channel @ 1..=16) => Source::Channel(channel - 1),
            _ => Source::Off,
        }
    }

    /// Which channels belong together now. Realtime-safe.
    pub fn zone(&self) -> Zone {
        match self.mpe.value() {
            Mpe::Off => Zone::Off,
            Mpe::Lower => Zone::Lower,
            Mpe::Upper => Zone::Upper,
        }
    }

    /// What is pressed now. Realtime-safe.
    pub fn triggers(&self) -> Triggers {
        Triggers {
            panic: self.panic.value(),
            re_roll: self.re_roll.value(),
            clear_memory: self.clear_memory.value(),
            reset_seed: self.reset_seed.value(),
        }
    }
}

impl Default for SwitchParams {
    fn default() -> Self {
        Self {
            listen: BoolParam::new("Listen", true),
            input_channel: IntParam::new("Input channel", 0, IntRange::Linear { min: 0, max: 16 })
                .with_value_to_string(texts::show_channel(ALL))
                .with_string_to_value(texts::read_channel(ALL)),
            harmony: IntParam::new("Harmony", 0, IntRange::Linear { min: 0, max: texts::LEFT_HAND.into() })
                .with_value_to_string(texts::show_harmony())
                .with_string_to_value(texts::read_harmony()),
            mpe: EnumParam::new("MPE", Mpe::Off),
            panic: BoolParam::new("Panic", false),
            re_roll: BoolParam::new("Re-roll", false),
            clear_memory: BoolParam::new("Clear memory", false),
            reset_seed: BoolParam::new("Reset seed", false),
        }
    }
}
