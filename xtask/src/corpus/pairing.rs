//! From note-on, note-off and pedal to notes with an end.

use std::collections::HashMap;

use midly::MidiMessage;

use antiphon::music::note::{Key, Velocity};

use super::{Convention, Instrument, Note};

const SUSTAIN: u8 = 64;
/// Controller values from here on press a pedal.
const PRESSED: u8 = 64;

/// Whether a message presses or releases the sustain pedal.
pub fn is_sustain(message: MidiMessage) -> Option<bool> {
    match message {
        MidiMessage::Controller { controller, value } if controller == SUSTAIN => {
            Some(value.as_int() >= PRESSED)
        }
        _ => None,
    }
}

/// Hears a file's events in the order of time.
pub struct Pairing {
    convention: Convention,
    notes: Vec<Note>,
    instruments: Vec<Instrument>,
    numbers: HashMap<Instrument, usize>,
    channels: [Channel; 16],
}

#[derive(Debug, Clone)]
struct Channel {
    program: u8,
    pedal: bool,
    sounding: [Option<Sounding>; Key::COUNT],
}

#[derive(Debug, Clone, Copy)]
struct Sounding {
    note: usize,
    track: usize,
    /// Its key is up and only the pedal holds it.
    released: bool,
}

impl Pairing {
    pub fn new(convention: Convention) -> Self {
        let channel = Channel { program: 0, pedal: false, sounding: [None; Key::COUNT] };
        Self {
            convention,
            notes: Vec::new(),
            instruments: Vec::new(),
            numbers: HashMap::new(),
            channels: std::array::from_fn(|_| channel.clone()),
        }
    }

    /// `now` in seconds.
    pub fn hear(&mut self, track: usize, channel: u8, message: MidiMessage, now: f64) {
        let number = usize::from(channel);
        match message {
            MidiMessage::NoteOn { key, vel } => match Velocity::new(vel.as_int()) {
                Some(velocity) => self.press(track, channel, Key::saturating(key.as_int()), velocity, now),
                None => self.release(track, number, Key::saturating(key.as_int()), now),
            },
            MidiMessage::NoteOff { key, .. } => {
                self.release(track, number, Key::saturating(key.as_int()), now)
            }
            MidiMessage::ProgramChange { program } => self.channels[number].program = program.as_int(),
            _ => {
                if let Some(pressed) = is_sustain(message) {
                    self.pedal(number, pressed, now);
                }
            }
        }
    }

    /// Closes what a track left open. `now` in seconds.
    pub fn end_track(&mut self, track: usize, now: f64) {
        for channel in &mut self.channels {
            for sounding in &mut channel.sounding {
                if let Some(open) = sounding.take_if(|open| open.track == track) {
                    self.notes[open.note].end = now;
                }
            }
        }
    }

    /// The notes by onset and then by key, and who plays them.
    pub fn finish(mut self) -> (Vec<Note>, Vec<Instrument>) {
        self.notes.sort_by(|a, b| a.onset.total_cmp(&b.onset).then(a.key.cmp(&b.key)));
        let mut before = 0.0;
        for note in &mut self.notes {
            note.step = note.onset - before;
            before = note.onset;
        }
        (self.notes, self.instruments)
    }

    fn press(&mut self, track: usize, channel: u8, key: Key, velocity: Velocity, now: f64) {
        let number = usize::from(channel);
        self.close(number, key, now);
        let program = self.channels[number].program;
        let instrument = self.instrument(Instrument { track, channel, program });
        let sounding = Sounding { note: self.notes.len(), track, released: false };
        self.channels[number].sounding[key.index()] = Some(sounding);
        self.notes.push(Note { key, onset: now, end: now, step: 0.0, velocity, instrument });
    }

    /// Ends a note of the same track: where two tracks share a channel, each releases its own strikes.
    fn release(&mut self, track: usize, channel: usize, key: Key, now: f64) {
        let held = self.convention == Convention::Sustained && self.channels[channel].pedal;
        match &mut self.channels[channel].sounding[key.index()] {
            Some(sounding) if sounding.track != track => {}
            Some(sounding) if held => sounding.released = true,
            _ => self.close(channel, key, now),
        }
    }

    fn pedal(&mut self, channel: usize, pressed: bool, now: f64) {
        let channel = &mut self.channels[channel];
        channel.pedal = pressed;
        if pressed {
            return;
        }
        for sounding in &mut channel.sounding {
            if let Some(held) = sounding.take_if(|held| held.released) {
                self.notes[held.note].end = now;
            }
        }
    }

    fn close(&mut self, channel: usize, key: Key, now: f64) {
        if let Some(sounding) = self.channels[channel].sounding[key.index()].take() {
            self.notes[sounding.note].end = now;
        }
    }

    fn instrument(&mut self, instrument: Instrument) -> usize {
        *self.numbers.entry(instrument).or_insert_with(|| {
            self.instruments.push(instrument);
            self.instruments.len() - 1
        })
    }
}
