//! The turn: which mode is played, when the plugin comes in, and how long it plays.

use std::num::NonZeroU8;

use nice_plug::prelude::*;

use super::texts;
use crate::music::{
    hands::Part,
    note::Key,
    time::Beats,
    turn::{Alignment, Cue, Entry, Foot, Length, Rules},
};

const MOST_BARS: i32 = 32;
/// Default cue key: the lowest of a piano, which is within reach and seldom part of the music.
const CUE_KEY: i32 = 21;
/// Default cue controller: general purpose switch 1 of the MIDI specification.
const CUE_CONTROLLER: i32 = 80;
/// Highest controller that can be the cue. From 120 on, controllers are channel mode messages.
const LAST_CONTROLLER: i32 = 119;

/// How the player and the plugin take turns.
#[derive(Params)]
pub struct TurnParams {
    /// The mode: call and response, trading bars, playing along, or playing without an end.
    #[id = "mode"]
    pub mode: EnumParam<Mode>,

    /// How long an answer is, in mode Answer.
    #[id = "answer-length"]
    pub answer_length: EnumParam<AnswerLength>,

    /// The number of bars of an answer, where its length is set in bars.
    #[id = "answer-bars"]
    pub answer_bars: IntParam,

    /// The number of bars of each side, in mode Trade.
    #[id = "trade-bars"]
    pub trade_bars: IntParam,

    /// What the plugin plays beside the player, in mode Together.
    #[id = "part"]
    pub part: EnumParam<PartChoice>,

    /// What gives the floor to the plugin, in modes Answer and Endless.
    #[id = "cue"]
    pub cue: EnumParam<CueSource>,

    /// The key that is the cue, where a key is the cue; it is not played then.
    #[id = "cue-key"]
    pub cue_key: IntParam,

    /// The controller that is the cue, where a controller is the cue.
    #[id = "cue-controller"]
    pub cue_controller: IntParam,

    /// Whether the plugin waits for the next beat or bar before it comes in, in modes Answer and Endless.
    #[id = "alignment"]
    pub alignment: EnumParam<EntryAlignment>,
}

/// Which mode is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum Mode {
    #[id = "answer"]
    Answer,
    #[id = "trade"]
    Trade,
    #[id = "together"]
    Together,
    #[id = "endless"]
    Endless,
}

/// How long an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum AnswerLength {
    #[id = "call"]
    #[name = "As the call"]
    Call,
    #[id = "bars"]
    Bars,
    #[id = "phrase"]
    #[name = "A phrase"]
    Phrase,
}

/// What the plugin plays beside the player.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum PartChoice {
    #[id = "free"]
    Free,
    #[id = "left-hand"]
    #[name = "Left hand"]
    LeftHand,
    #[id = "bass"]
    Bass,
    #[id = "second-voice"]
    #[name = "Second voice"]
    SecondVoice,
}

/// What gives the floor to the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum CueSource {
    #[id = "silence"]
    Silence,
    #[id = "sostenuto"]
    #[name = "Sostenuto pedal"]
    Sostenuto,
    #[id = "soft"]
    #[name = "Soft pedal"]
    Soft,
    #[id = "key"]
    Key,
    #[id = "controller"]
    Controller,
}

/// The line that the plugin waits for before it comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum EntryAlignment {
    #[id = "off"]
    Off,
    #[id = "beat"]
    Beat,
    #[id = "bar"]
    Bar,
}

impl TurnParams {
    /// The current rules, with the silence and the longest answer, which are set elsewhere. Realtime-safe.
    pub fn rules(&self, silence: Beats, longest: Beats) -> Rules {
        let entry = Entry { cue: self.cue(silence), alignment: self.alignment() };
        match self.mode.value() {
            Mode::Answer => Rules::Answer { entry, length: self.length(longest) },
            Mode::Trade => Rules::Trade { bars: bars(&self.trade_bars) },
            Mode::Together => Rules::Together { longest },
            Mode::Endless => Rules::Endless { entry },
        }
    }

    /// The part that is played beside the player in mode Together; [`Part::Free`] in all other modes.
    /// Realtime-safe.
    pub fn part(&self) -> Part {
        match (self.mode.value(), self.part.value()) {
            (Mode::Together, PartChoice::LeftHand) => Part::LeftHand,
            (Mode::Together, PartChoice::Bass) => Part::Bass,
            (Mode::Together, PartChoice::SecondVoice) => Part::SecondVoice,
            _ => Part::Free,
        }
    }

    fn cue(&self, silence: Beats) -> Cue {
        match self.cue.value() {
            CueSource::Silence => Cue::Silence(silence),
            CueSource::Sostenuto => Cue::Pedal(Foot::Sostenuto),
            CueSource::Soft => Cue::Pedal(Foot::Soft),
            CueSource::Key => Cue::Key(Key::saturating(self.cue_key.value().clamp(0, 127) as u8)),
            CueSource::Controller => {
                Cue::Controller(self.cue_controller.value().clamp(0, LAST_CONTROLLER) as u8)
            }
        }
    }

    fn alignment(&self) -> Alignment {
        match self.alignment.value() {
            EntryAlignment::Off => Alignment::Off,
            EntryAlignment::Beat => Alignment::Beat,
            EntryAlignment::Bar => Alignment::Bar,
        }
    }

    fn length(&self, longest: Beats) -> Length {
        match self.answer_length.value() {
            AnswerLength::Call => Length::Call { longest },
            AnswerLength::Bars => Length::Bars(bars(&self.answer_bars)),
            AnswerLength::Phrase => Length::Phrase { longest },
        }
    }
}

impl Default for TurnParams {
    fn default() -> Self {
        let in_bars = |name, default| {
            IntParam::new(name, default, IntRange::Linear { min: 1, max: MOST_BARS })
                .with_value_to_string(std::sync::Arc::new(|bars| match bars {
                    1 => "1 bar".to_owned(),
                    _ => format!("{bars} bars"),
                }))
                .with_string_to_value(std::sync::Arc::new(|text| {
                    text.trim().trim_end_matches("bars").trim_end_matches("bar").trim().parse().ok()
                }))
        };
        Self {
            mode: EnumParam::new("Mode", Mode::Answer),
            answer_length: EnumParam::new("Answer length", AnswerLength::Call),
            answer_bars: in_bars("Answer bars", 4),
            trade_bars: in_bars("Trade bars", 4),
            part: EnumParam::new("Part", PartChoice::Free),
            cue: EnumParam::new("Cue", CueSource::Silence),
            cue_key: IntParam::new("Cue key", CUE_KEY, IntRange::Linear { min: 0, max: 127 })
                .with_value_to_string(texts::show_key())
                .with_string_to_value(texts::read_key()),
            cue_controller: IntParam::new(
                "Cue controller",
                CUE_CONTROLLER,
                IntRange::Linear { min: 0, max: LAST_CONTROLLER },
            )
            .with_value_to_string(std::sync::Arc::new(|number| format!("CC {number}")))
            .with_string_to_value(std::sync::Arc::new(|text| {
                text.trim().trim_start_matches("CC").trim().parse().ok()
            })),
            alignment: EnumParam::new("Alignment", EntryAlignment::Off),
        }
    }
}

fn bars(param: &IntParam) -> NonZeroU8 {
    NonZeroU8::new(param.value().clamp(1, MOST_BARS) as u8).unwrap_or(NonZeroU8::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_reads_its_own_texts(param: &impl Param, steps: usize) {
        for step in 0..=steps {
            let value = step as f32 / steps as f32;
            let text = param.normalized_value_to_string(value, true);
            let read = param.string_to_normalized_value(&text);
            assert!(read.is_some_and(|read| (read - value).abs() < 1e-3), "{}: {text}", param.name());
        }
    }

    #[test]
    fn every_text_of_a_parameter_is_read_back() {
        let params = TurnParams::default();
        assert_reads_its_own_texts(&params.mode, 3);
        assert_reads_its_own_texts(&params.answer_length, 2);
        assert_reads_its_own_texts(&params.answer_bars, MOST_BARS as usize - 1);
        assert_reads_its_own_texts(&params.trade_bars, MOST_BARS as usize - 1);
        assert_reads_its_own_texts(&params.part, 3);
        assert_reads_its_own_texts(&params.cue, 4);
        assert_reads_its_own_texts(&params.cue_key, 127);
        assert_reads_its_own_texts(&params.cue_controller, LAST_CONTROLLER as usize);
        assert_reads_its_own_texts(&params.alignment, 2);
    }

    #[test]
    fn unless_told_otherwise_the_plugin_answers_after_a_silence() {
        let rules = TurnParams::default().rules(Beats(1.0), Beats(16.0));
        let entry = Entry { cue: Cue::Silence(Beats(1.0)), alignment: Alignment::Off };
        assert_eq!(rules, Rules::Answer { entry, length: Length::Call { longest: Beats(16.0) } });
    }
}
