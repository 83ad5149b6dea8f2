use std::collections::HashSet;

use nice_plug::params::{Params, internals::ParamPtr};

use super::*;

/// The identifiers with which projects were saved, in their order.
const IDS: [&str; 50] = [
    "model",
    "memory",
    "temperature",
    "silence",
    "length",
    "thru",
    "seed",
    "variation",
    "bypass",
    "pitch-temperature",
    "timing-temperature",
    "focus",
    "density",
    "register-low",
    "register-high",
    "key",
    "scale",
    "polyphony",
    "velocity-follow",
    "key-follow",
    "pace-follow",
    "style",
    "tempo-from-playing",
    "quantise",
    "quantise-strength",
    "swing",
    "velocity-scale",
    "advance",
    "output-channel",
    "listen",
    "input-channel",
    "harmony",
    "mpe",
    "panic",
    "re-roll",
    "mode",
    "answer-length",
    "answer-bars",
    "trade-bars",
    "part",
    "cue",
    "cue-key",
    "cue-controller",
    "alignment",
    "patience",
    "clear-memory",
    "reset-seed",
    "sound",
    "sound-level",
    "you",
];

fn with_each(mut check: impl FnMut(&str, ParamPtr)) {
    let params = AntiphonParams::with_sound();
    for (id, param, _) in params.param_map() {
        check(&id, param);
    }
}

#[test]
fn identifiers_stay() {
    let mut found = Vec::new();
    with_each(|id, _| found.push(id.to_owned()));
    assert!(IDS.iter().all(|id| found.iter().any(|found| found == id)), "{found:?}");
    assert_eq!(found.iter().collect::<HashSet<_>>().len(), found.len());
}

#[test]
fn whatever_a_host_shows_can_be_typed_in() {
    with_each(|id, param| {
        for part in 0..=200 {
            // SAFETY: the parameters live as long as the check.
            unsafe {
                let shown = param.normalized_value_to_string(part as f32 / 200.0, true);
                let read = param.string_to_normalized_value(&shown);
                let read = read.unwrap_or_else(|| panic!("{id} does not understand its own \"{shown}\""));
                assert_eq!(param.normalized_value_to_string(read, true), shown, "{id}");
            }
        }
    });
}

#[test]
fn defaults_shape_nothing() {
    let settings = AntiphonParams::default().snapshot();
    assert_eq!(
        (settings.generation, settings.output),
        (GenerationSettings::DEFAULT, crate::performer::OutputSettings::PLAIN)
    );
    assert_eq!(settings.input_filter, crate::performer::InputFilter::All);
}

#[test]
fn a_note_effect_has_no_parameters_of_a_sound() {
    let ids: Vec<String> = AntiphonParams::default().param_map().into_iter().map(|(id, ..)| id).collect();
    assert!(!ids.iter().any(|id| id.starts_with("sound")), "{ids:?}");
}
