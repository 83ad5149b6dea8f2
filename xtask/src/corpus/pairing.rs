//! From note-on, note-off, pedal and channel mode messages to notes with an end, as MIDI 1.0 and RP-015 have it.

use std::{
    collections::{HashMap, VecDeque},
    mem,
};

use midly::MidiMessage;

use antiphon::music::note::{Key, Velocity};

use super::{Convention, Instrument, Note};

const BANK: u8 = 0;
const SUSTAIN: u8 = 64;
const ALL_SOUND_OFF: u8 = 120;
const RESET_ALL_CONTROLLERS: u8 = 121;
const ALL_NOTES_OFF: u8 = 123;
/// Omni and mono modes: they end all notes too.
const LAST_MODE: u8 = 127;
/// Controller values from here on press a pedal.
const PRESSED: u8 = 64;
/// The channel of the drums in General MIDI.
const DRUM_CHANNEL: u8 = 9;
/// Banks whose programs are drum kits: of General MIDI 2, effects and drums of XG.
const DRUM_BANKS: [u8; 3] = [120, 126, 127];

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

/// Where a message comes from. Two tracks that share a channel are two players: each releases its own strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub track: usize,
    pub port: u8,
    pub channel: u8,
}

/// Hears a file's events in the order of time.
pub struct Pairing {
    convention: Convention,
    notes: Vec<Note>,
    /// Of each note.
    states: Vec<State>,
    instruments: Vec<Instrument>,
    numbers: HashMap<Instrument, usize>,
    /// By track: who has struck what.
    tracks: HashMap<usize, HashMap<(u8, u8, Key), Strikes>>,
    /// By port and channel, whatever the track.
    channels: HashMap<(u8, u8), Channel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its key is down.
    Down,
    /// Its key is up, and only the pedal holds it.
    Ringing,
    Over,
}

/// The notes of one key of one player. Some may be over.
#[derive(Debug, Default)]
struct Strikes {
    /// The oldest one first.
    down: VecDeque<usize>,
    ringing: Vec<usize>,
}

/// What holds for a whole channel. Some of its notes may be over.
#[derive(Debug, Default)]
struct Channel {
    bank: u8,
    program: u8,
    is_kit: bool,
    pedal: bool,
    down: Vec<usize>,
    ringing: Vec<usize>,
}

impl Pairing {
    pub fn new(convention: Convention) -> Self {
        Self {
            convention,
            notes: Vec::new(),
            states: Vec::new(),
            instruments: Vec::new(),
            numbers: HashMap::new(),
            tracks: HashMap::new(),
            channels: HashMap::new(),
        }
    }

    /// `now` in seconds.
    pub fn hear(&mut self, source: Source, message: MidiMessage, now: f64) {
        match message {
            MidiMessage::NoteOn { key, vel } => match Velocity::new(vel.as_int()) {
                Some(velocity) => self.press(source, Key::saturating(key.as_int()), velocity, now),
                None => self.release(source, Key::saturating(key.as_int()), now),
            },
            MidiMessage::NoteOff { key, .. } => self.release(source, Key::saturating(key.as_int()), now),
            MidiMessage::ProgramChange { program } => {
                let channel = self.channel(source);
                channel.program = program.as_int();
                channel.is_kit = DRUM_BANKS.contains(&channel.bank);
            }
            MidiMessage::Controller { controller, value } => {
                self.control(source, controller.as_int(), value.as_int(), now);
            }
            _ => {}
        }
        if let Some(pressed) = is_sustain(message) {
            self.pedal(source, pressed, now);
        }
    }

    /// Releases what a track left open. `now` in seconds.
    pub fn end_track(&mut self, track: usize, now: f64) {
        let strikes = self.tracks.get(&track).into_iter().flat_map(HashMap::values);
        for note in strikes.flat_map(|strikes| &strikes.down).copied().collect::<Vec<_>>() {
            self.lift(note, now);
        }
    }

    /// The notes by onset and then by key, and who plays them. What nothing has ended sounds to the `end` of the file.
    pub fn finish(mut self, end: f64) -> (Vec<Note>, Vec<Instrument>) {
        for note in 0..self.notes.len() {
            self.close(note, end);
        }
        in_order(&mut self.notes);
        (self.notes, self.instruments)
    }

    fn press(&mut self, source: Source, key: Key, velocity: Velocity, now: f64) {
        for rung in mem::take(&mut self.strikes(source, key).ringing) {
            self.close(rung, now);
        }
        let note = self.notes.len();
        self.strikes(source, key).down.push_back(note);
        let Source { track, port, channel } = source;
        let place = self.channel(source);
        place.down.push(note);
        let is_drums = place.is_kit || channel == DRUM_CHANNEL;
        let instrument = Instrument { track, port, channel, program: place.program, is_drums };
        let instrument = self.number(instrument);
        self.notes.push(Note { key, onset: now, end: now, step: 0.0, velocity, instrument });
        self.states.push(State::Down);
    }

    /// Ends the oldest note of the key that is still held.
    fn release(&mut self, source: Source, key: Key, now: f64) {
        while let Some(note) = self.strikes(source, key).down.pop_front() {
            if self.states[note] == State::Down {
                return self.lift(note, now);
            }
        }
    }

    fn control(&mut self, source: Source, controller: u8, value: u8, now: f64) {
        match controller {
            BANK => self.channel(source).bank = value,
            ALL_SOUND_OFF => {
                let channel = self.channel(source);
                let mut sounding = mem::take(&mut channel.down);
                sounding.append(&mut channel.ringing);
                sounding.into_iter().for_each(|note| self.close(note, now));
            }
            ALL_NOTES_OFF..=LAST_MODE => {
                let down = mem::take(&mut self.channel(source).down);
                down.into_iter().for_each(|note| self.lift(note, now));
            }
            _ => {}
        }
    }

    fn pedal(&mut self, source: Source, pressed: bool, now: f64) {
        let channel = self.channel(source);
        channel.pedal = pressed;
        if !pressed {
            let ringing = mem::take(&mut channel.ringing);
            ringing.into_iter().for_each(|note| self.close(note, now));
        }
    }

    /// A key goes up, if it is down: its note is over unless the pedal holds it.
    fn lift(&mut self, note: usize, now: f64) {
        if self.states[note] != State::Down {
            return;
        }
        let Instrument { track, port, channel, .. } = self.instruments[self.notes[note].instrument];
        let source = Source { track, port, channel };
        let sustained = self.convention == Convention::Sustained;
        let channel = self.channel(source);
        if !(sustained && channel.pedal) {
            return self.close(note, now);
        }
        channel.ringing.push(note);
        self.states[note] = State::Ringing;
        let key = self.notes[note].key;
        self.strikes(source, key).ringing.push(note);
    }

    /// A note is over, unless it was before.
    fn close(&mut self, note: usize, now: f64) {
        if self.states[note] != State::Over {
            self.states[note] = State::Over;
            self.notes[note].end = now;
        }
    }

    fn strikes(&mut self, source: Source, key: Key) -> &mut Strikes {
        let track = self.tracks.entry(source.track).or_default();
        track.entry((source.port, source.channel, key)).or_default()
    }

    fn channel(&mut self, source: Source) -> &mut Channel {
        self.channels.entry((source.port, source.channel)).or_default()
    }

    fn number(&mut self, instrument: Instrument) -> usize {
        *self.numbers.entry(instrument).or_insert_with(|| {
            self.instruments.push(instrument);
            self.instruments.len() - 1
        })
    }
}

/// By onset and then by key, with steps between onsets.
pub fn in_order(notes: &mut [Note]) {
    notes.sort_by(|one, other| one.onset.total_cmp(&other.onset).then(one.key.cmp(&other.key)));
    let mut before = 0.0;
    for note in notes {
        note.step = note.onset - before;
        before = note.onset;
    }
}
