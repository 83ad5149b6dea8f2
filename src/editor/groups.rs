//! Where each parameter stands, grouped as a musician thinks.

use super::{board::Board, row::Use};

/// A group of controls: what is turned most as knobs, the rest as rows.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    pub title: &'static str,
    pub knobs: &'static [&'static str],
    /// One or two columns of rows, side by side.
    pub columns: &'static [&'static [&'static str]],
    /// How much of the window's width it has, beside the others.
    pub width: f32,
}

/// The groups, from the left.
pub const GROUPS: [Group; 4] = [
    Group {
        title: "When",
        knobs: &["patience", "silence", "length"],
        columns: &[
            &["cue", "cue-key", "cue-controller", "alignment", "tempo-from-playing", "advance"],
            &["answer-length", "answer-bars", "trade-bars", "part", "pace-follow", "key-follow"],
        ],
        width: 2.05,
    },
    Group {
        title: "What",
        knobs: &["density", "memory"],
        columns: &[&["scale", "key", "harmony", "register-low", "register-high", "polyphony"]],
        width: 1.0,
    },
    Group {
        title: "How wild",
        knobs: &["temperature", "focus"],
        columns: &[&[
            "pitch-temperature",
            "timing-temperature",
            "velocity-follow",
            "variation",
            "seed",
            "style",
            "you",
        ]],
        width: 1.0,
    },
    Group {
        title: "Where it goes",
        knobs: &["velocity-scale", "swing"],
        columns: &[&[
            "quantise",
            "quantise-strength",
            "output-channel",
            "input-channel",
            "mpe",
            "thru",
            "sound-level",
        ]],
        width: 1.0,
    },
];

/// What stands in the head of the window, what is pressed beside the turn, and what in the foot.
pub const HEAD: [&str; 5] = ["model", "mode", "sound", "listen", "bypass"];
pub const PRESSED: [&str; 2] = ["re-roll", "panic"];
pub const PRESSED_SELDOM: [&str; 2] = ["clear-memory", "reset-seed"];

/// Every parameter that has a place of its own.
pub fn placed() -> impl Iterator<Item = &'static str> {
    let grouped =
        GROUPS.iter().flat_map(|group| group.knobs.iter().chain(group.columns.iter().copied().flatten()));
    grouped.chain(&HEAD).chain(&PRESSED).chain(&PRESSED_SELDOM).copied()
}

/// Whether the parameter has an effect under the settings of now.
pub fn in_use(board: &Board, id: &str) -> Use {
    let is = |id: &str, text: &str| board.control(id).is_some_and(|control| control.text() == text);
    let waits = is("mode", "Answer") || is("mode", "Endless");
    let effective = match id {
        "cue" | "alignment" => waits,
        "cue-key" => waits && is("cue", "Key"),
        "cue-controller" => waits && is("cue", "Controller"),
        "patience" | "silence" => waits && is("cue", "Silence"),
        "answer-length" => is("mode", "Answer"),
        "answer-bars" => is("mode", "Answer") && is("answer-length", "Bars"),
        "trade-bars" => is("mode", "Trade"),
        "part" => is("mode", "Together"),
        "length" => is("mode", "Together") || is("mode", "Answer") && !is("answer-length", "Bars"),
        "key" => !is("scale", "Auto"),
        "key-follow" => is("scale", "Auto"),
        "sound-level" => is("sound", "On"),
        "quantise-strength" => !is("quantise", "Off"),
        "swing" => !["Off", "1/8T", "1/16T"].iter().any(|grid| is("quantise", grid)),
        _ => true,
    };
    if effective { Use::Effective } else { Use::Idle }
}
