//! What messages mean for notes, by MIDI 1.0, RP-015 and the makers of instruments.

use midly::MidiMessage;

pub const BANK: u8 = 0;
pub const SUSTAIN: u8 = 64;
pub const ALL_SOUND_OFF: u8 = 120;
const RESET_ALL_CONTROLLERS: u8 = 121;
pub const ALL_NOTES_OFF: u8 = 123;
/// Omni and mono modes: they end all notes too.
pub const LAST_MODE: u8 = 127;
/// Controller values from here on press a pedal.
const PRESSED: u8 = 64;
/// The channel of the drums in General MIDI.
pub const DRUM_CHANNEL: u8 = 9;
/// Banks whose programs are drum kits: of General MIDI 2, effects and drums of XG.
pub const DRUM_BANKS: [u8; 3] = [120, 126, 127];

/// Whether a message presses or releases the sustain pedal.
pub fn is_sustain(message: MidiMessage) -> Option<bool> {
    match message {
        MidiMessage::Controller { controller, value } if controller == SUSTAIN => {
            Some(value.as_int() >= PRESSED)
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

/// The channel that a SysEx message of GS, without its first byte, makes one of drums or of pitches.
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
