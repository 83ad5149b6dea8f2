//! The factory presets.

use super::Preset;

/// All presets, in the order in which they are offered. Names never change: projects and controllers refer to
/// them.
pub const PRESETS: [Preset; 18] = [
    Preset {
        name: "Conversation",
        purpose: "Call and response at the piano: it answers your phrase as soon as you have finished it.",
        values: &[],
    },
    Preset {
        name: "Patient Partner",
        purpose: "For slow and sparse playing: it lets you think, and answers softly and with few notes.",
        values: &[
            ("Patience", "92 %"),
            ("Silence", "8 beats"),
            ("Density", "5 notes/s"),
            ("Velocity follow", "60 %"),
            ("Velocity scale", "85 %"),
        ],
    },
    Preset {
        name: "Trading Fours",
        purpose: "Four bars are yours and four its own, while the rhythm section runs.",
        values: &[
            ("Mode", "Trade"),
            ("Trade bars", "4 bars"),
            ("Register low", "E2"),
            ("Register high", "C7"),
            ("Velocity follow", "40 %"),
        ],
    },
    Preset {
        name: "Blues Room",
        purpose: "Two bars of licks over a shuffle: set Key to that of your song.",
        values: &[
            ("Scale", "Blues"),
            ("Answer length", "Bars"),
            ("Answer bars", "2 bars"),
            ("Alignment", "Beat"),
            ("Quantise", "1/8T"),
            ("Quantise strength", "70 %"),
            ("Register low", "C3"),
            ("Register high", "C6"),
            ("Polyphony", "2 voices"),
        ],
    },
    Preset {
        name: "Quiet Accompanist",
        purpose: "Plays while you play, around your hands, and stays behind you.",
        values: &[
            ("Mode", "Together"),
            ("Length", "4 beats"),
            ("Density", "4 notes/s"),
            ("Polyphony", "4 voices"),
            ("Velocity follow", "80 %"),
            ("Velocity scale", "70 %"),
        ],
    },
    Preset {
        name: "Descant",
        purpose: "A single voice above your playing, while you play.",
        values: &[
            ("Mode", "Together"),
            ("Length", "4 beats"),
            ("Register low", "C5"),
            ("Register high", "C7"),
            ("Density", "3 notes/s"),
            ("Polyphony", "1 voices"),
            ("Velocity scale", "80 %"),
        ],
    },
    Preset {
        name: "Bass Below",
        purpose: "A single low voice under your playing, on the quavers of your song.",
        values: &[
            ("Mode", "Together"),
            ("Length", "4 beats"),
            ("Register low", "E1"),
            ("Register high", "E3"),
            ("Density", "2 notes/s"),
            ("Polyphony", "1 voices"),
            ("Quantise", "1/8"),
        ],
    },
    Preset {
        name: "Endless Nocturne",
        purpose: "Give it a phrase and it plays on, calmly, until you touch a key again.",
        values: &[
            ("Mode", "Endless"),
            ("Temperature", "0.95"),
            ("Density", "7 notes/s"),
            ("Velocity follow", "50 %"),
            ("Velocity scale", "80 %"),
        ],
    },
    Preset {
        name: "Glass Rain",
        purpose: "High and airy notes without an end, for bells and pads: set Key to that of your song.",
        values: &[
            ("Mode", "Endless"),
            ("Scale", "Major pentatonic"),
            ("Register low", "C5"),
            ("Register high", "C8"),
            ("Density", "4 notes/s"),
            ("Polyphony", "3 voices"),
            ("Pitch temperature", "1.5"),
            ("Velocity scale", "60 %"),
        ],
    },
    Preset {
        name: "On the Grid",
        purpose: "For sequenced tracks: two bars that begin on a bar line and keep to the semiquavers.",
        values: &[
            ("Answer length", "Bars"),
            ("Answer bars", "2 bars"),
            ("Alignment", "Bar"),
            ("Quantise", "1/16"),
        ],
    },
    Preset {
        name: "Single Line",
        purpose: "One note at a time, for leads and mono synthesisers.",
        values: &[
            ("Polyphony", "1 voices"),
            ("Density", "8 notes/s"),
            ("Register low", "C3"),
            ("Register high", "C7"),
            ("Focus", "5 %"),
        ],
    },
    Preset {
        name: "On My Cue",
        purpose: "For the stage: it waits for your sostenuto pedal, comes in on the beat, and plays a phrase.",
        values: &[
            ("Cue", "Sostenuto pedal"),
            ("Alignment", "Beat"),
            ("Answer length", "A phrase"),
            ("Length", "32 beats"),
        ],
    },
    Preset {
        name: "Wild Card",
        purpose: "For ideas you would not have had: bold, wide, and soon forgetful of what you played.",
        values: &[
            ("Temperature", "1.3"),
            ("Pitch temperature", "1.2"),
            ("Focus", "0.5 %"),
            ("Memory", "25 notes"),
            ("Variation", "Varying"),
        ],
    },
    Preset {
        name: "Swing Trades",
        purpose: "Two bars each of single lines, swung as you swing, over a rhythm section.",
        values: &[
            ("Mode", "Trade"),
            ("Trade bars", "2 bars"),
            ("Style", "Jazz line"),
            ("Polyphony", "2 voices"),
            ("Register low", "C3"),
            ("Register high", "C6"),
        ],
    },
    Preset {
        name: "Pop Comping",
        purpose: "You play the tune, it plays the chords of a left hand below, on the beat of your song.",
        values: &[
            ("Mode", "Together"),
            ("Part", "Left hand"),
            ("Style", "Pop"),
            ("Length", "4 beats"),
            ("Velocity follow", "50 %"),
            ("Velocity scale", "85 %"),
        ],
    },
    Preset {
        name: "Ballad",
        purpose: "Slow and quiet jazz: it waits until you have surely ended, and answers with few notes that last.",
        values: &[
            ("Patience", "85 %"),
            ("Silence", "6 beats"),
            ("Temperature", "0.95"),
            ("Density", "6 notes/s"),
            ("Style", "Jazz piano"),
            ("Velocity follow", "50 %"),
            ("Velocity scale", "85 %"),
        ],
    },
    Preset {
        name: "Bass Player",
        purpose: "One low voice that walks with you, and with your harmony where you tell it.",
        values: &[
            ("Mode", "Together"),
            ("Part", "Bass"),
            ("Length", "4 beats"),
            ("Polyphony", "1 voices"),
            ("Density", "5 notes/s"),
        ],
    },
    Preset {
        name: "Free Classical",
        purpose: "A recital without a click: phrases that are as long as they want to be, in nobody's beat.",
        values: &[
            ("Tempo from playing", "Off"),
            ("Style", "Classical"),
            ("Answer length", "A phrase"),
            ("Length", "32 beats"),
        ],
    },
];
