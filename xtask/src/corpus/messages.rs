//! What MIDI messages mean for notes, the pedal and instruments: by MIDI 1.0, General MIDI, RP-015 and
//! manufacturers.

use std::ops::Range;

pub use antiphon::music::note_tracker::{PEDAL_DOWN, SUSTAIN};
use midly::MidiMessage;

pub const BANK: u8 = 0;
pub const ALL_SOUND_OFF: u8 = 120;
const RESET_ALL_CONTROLLERS: u8 = 121;
pub const ALL_NOTES_OFF: u8 = 123;
/// The last of the channel mode messages for omni and mono modes, which end all notes too.
pub const LAST_MODE: u8 = 127;
/// The channel of the drums in General MIDI.
pub const DRUM_CHANNEL: u8 = 9;
/// Banks whose programs are drum kits: of General MIDI 2, effects and drums of XG.
pub const DRUM_BANKS: [u8; 3] = [120, 126, 127];

/// Whether a message presses or releases the sustain pedal.
pub fn is_sustain(message: MidiMessage) -> Option<bool> {
    match message {
        MidiMessage::Controller { controller, value } if controller == SUSTAIN => {
            Some(value.as_int() >= PEDAL_DOWN)
        }
        MidiMessage::Controller { controller, .. } if controller == RESET_ALL_CONTROLLERS => Some(false),
        _ => None,
    }
}

/// Whether a message ends or releases all notes of its channel.
pub fn ends_notes(message: MidiMessage) -> bool {
    match message {
        MidiMessage::Controller { controller, .. } => {
            matches!(controller.as_int(), ALL_SOUND_OFF | ALL_NOTES_OFF..=LAST_MODE)
        }
        _ => false,
    }
}

/// The channel that a GS SysEx message, without its first byte, changes, and whether it becomes one of drums.
pub fn rhythm(sysex: &[u8]) -> Option<(u8, bool)> {
    // Roland, GS, a parameter of a part: "use for rhythm part".
    let &[0x41, _, 0x42, 0x12, 0x40, part @ 0x10..=0x1F, 0x15, map, ..] = sysex else { return None };
    // Part 0 is the tenth channel, and the others follow in order.
    let channel = match part & 0x0F {
        0 => DRUM_CHANNEL,
        part if part <= DRUM_CHANNEL => part - 1,
        part => part,
    };
    Some((channel, map > 0))
}

/// When the sustain pedals are down.
#[derive(Default)]
pub struct Pedal {
    /// The numbers of the channels whose pedal is down, in order.
    down: Vec<usize>,
    since: f64,
    spans: Vec<Range<f64>>,
}

impl Pedal {
    /// Takes in a message; `now` is in seconds.
    pub fn hear(&mut self, channel: usize, message: MidiMessage, now: f64) {
        let Some(pressed) = is_sustain(message) else { return };
        let was_up = self.down.is_empty();
        match (self.down.binary_search(&channel), pressed) {
            (Err(place), true) => self.down.insert(place, channel),
            (Ok(place), false) => drop(self.down.remove(place)),
            _ => return,
        }
        match (was_up, self.down.is_empty()) {
            (true, _) => self.since = now,
            (_, true) => self.spans.push(self.since..now),
            _ => {}
        }
    }

    /// The stretches of time with a pedal down; `end` is the end of the file.
    pub fn finish(mut self, end: f64) -> Vec<Range<f64>> {
        if !self.down.is_empty() {
            self.spans.push(self.since..end);
        }
        self.spans
    }
}

/// The name of program 0..=127; larger numbers are taken as 127.
pub fn program_name(program: u8) -> &'static str {
    PROGRAMS[usize::from(program).min(PROGRAMS.len() - 1)]
}

const PROGRAMS: [&str; 128] = [
    "Acoustic Grand Piano",
    "Bright Acoustic Piano",
    "Electric Grand Piano",
    "Honky-tonk Piano",
    "Electric Piano 1",
    "Electric Piano 2",
    "Harpsichord",
    "Clavinet",
    "Celesta",
    "Glockenspiel",
    "Music Box",
    "Vibraphone",
    "Marimba",
    "Xylophone",
    "Tubular Bells",
    "Dulcimer",
    "Drawbar Organ",
    "Percussive Organ",
    "Rock Organ",
    "Church Organ",
    "Reed Organ",
    "Accordion",
    "Harmonica",
    "Tango Accordion",
    "Acoustic Guitar (nylon)",
    "Acoustic Guitar (steel)",
    "Electric Guitar (jazz)",
    "Electric Guitar (clean)",
    "Electric Guitar (muted)",
    "Overdriven Guitar",
    "Distortion Guitar",
    "Guitar Harmonics",
    "Acoustic Bass",
    "Electric Bass (finger)",
    "Electric Bass (pick)",
    "Fretless Bass",
    "Slap Bass 1",
    "Slap Bass 2",
    "Synth Bass 1",
    "Synth Bass 2",
    "Violin",
    "Viola",
    "Cello",
    "Contrabass",
    "Tremolo Strings",
    "Pizzicato Strings",
    "Orchestral Harp",
    "Timpani",
    "String Ensemble 1",
    "String Ensemble 2",
    "Synth Strings 1",
    "Synth Strings 2",
    "Choir Aahs",
    "Voice Oohs",
    "Synth Choir",
    "Orchestra Hit",
    "Trumpet",
    "Trombone",
    "Tuba",
    "Muted Trumpet",
    "French Horn",
    "Brass Section",
    "Synth Brass 1",
    "Synth Brass 2",
    "Soprano Sax",
    "Alto Sax",
    "Tenor Sax",
    "Baritone Sax",
    "Oboe",
    "English Horn",
    "Bassoon",
    "Clarinet",
    "Piccolo",
    "Flute",
    "Recorder",
    "Pan Flute",
    "Blown Bottle",
    "Shakuhachi",
    "Whistle",
    "Ocarina",
    "Lead 1 (square)",
    "Lead 2 (sawtooth)",
    "Lead 3 (calliope)",
    "Lead 4 (chiff)",
    "Lead 5 (charang)",
    "Lead 6 (voice)",
    "Lead 7 (fifths)",
    "Lead 8 (bass + lead)",
    "Pad 1 (new age)",
    "Pad 2 (warm)",
    "Pad 3 (polysynth)",
    "Pad 4 (choir)",
    "Pad 5 (bowed)",
    "Pad 6 (metallic)",
    "Pad 7 (halo)",
    "Pad 8 (sweep)",
    "FX 1 (rain)",
    "FX 2 (soundtrack)",
    "FX 3 (crystal)",
    "FX 4 (atmosphere)",
    "FX 5 (brightness)",
    "FX 6 (goblins)",
    "FX 7 (echoes)",
    "FX 8 (sci-fi)",
    "Sitar",
    "Banjo",
    "Shamisen",
    "Koto",
    "Kalimba",
    "Bagpipe",
    "Fiddle",
    "Shanai",
    "Tinkle Bell",
    "Agogo",
    "Steel Drums",
    "Woodblock",
    "Taiko Drum",
    "Melodic Tom",
    "Synth Drum",
    "Reverse Cymbal",
    "Guitar Fret Noise",
    "Breath Noise",
    "Seashore",
    "Bird Tweet",
    "Telephone Ring",
    "Helicopter",
    "Applause",
    "Gunshot",
];
