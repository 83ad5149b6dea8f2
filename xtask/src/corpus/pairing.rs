//! Pairs note-on, note-off, pedal and channel mode messages to notes with an end.

use std::{
    collections::{HashMap, VecDeque},
    mem,
};

use midly::MidiMessage;

use antiphon::music::note::{Key, Velocity};

use super::{
    Convention, Instrument, Note,
    messages::{ALL_NOTES_OFF, ALL_SOUND_OFF, BANK, DRUM_BANKS, DRUM_CHANNEL, LAST_MODE, is_sustain},
};

/// The origin of a message. Two tracks that share a channel are two players: each releases its own strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin {
    pub track: usize,
    pub port: u8,
    pub channel: u8,
}

/// Pairs a file's events, which come in the order of time.
pub struct Pairing {
    convention: Convention,
    struck: Struck,
    instruments: Vec<Instrument>,
    numbers: HashMap<Instrument, usize>,
    players: Vec<Player>,
    seats: HashMap<Origin, usize>,
    /// The players of each track.
    tracks: HashMap<usize, Vec<usize>>,
    channels: Vec<Channel>,
    /// Channels by port and channel number, whatever the track.
    places: HashMap<(u8, u8), usize>,
}

/// All notes, and the state of each.
#[derive(Debug, Default)]
struct Struck {
    notes: Vec<Note>,
    marks: Vec<Mark>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    state: State,
    player: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The key of the note is down.
    Down,
    /// The key is up, and only the pedal holds the note.
    Ringing,
    Over,
}

#[derive(Debug)]
struct Player {
    /// Index of its channel.
    channel: usize,
    /// The instrument of its newest note, and the index of that instrument.
    instrument: (Instrument, Option<usize>),
    /// The open strikes of each key that it has struck.
    strikes: Vec<Strikes>,
    /// For each key the position of its strikes in `strikes`, counted from 1; 0 if there are none.
    places: [u8; Key::COUNT],
}

/// The notes of one key of one player. Some may already be over.
#[derive(Debug, Default)]
struct Strikes {
    /// The notes whose key is down, the oldest first.
    down: VecDeque<usize>,
    ringing: Vec<usize>,
}

/// The state of a whole channel. Some of its notes may already be over.
#[derive(Debug, Default)]
struct Channel {
    bank: u8,
    program: u8,
    is_kit: bool,
    /// Whether SysEx has made it a channel of drums, if SysEx has said anything.
    rhythm: Option<bool>,
    pedal: bool,
    down: Vec<usize>,
    ringing: Vec<usize>,
}

impl Pairing {
    pub fn new(convention: Convention) -> Self {
        Self {
            convention,
            struck: Struck::default(),
            instruments: Vec::new(),
            numbers: HashMap::new(),
            players: Vec::new(),
            seats: HashMap::new(),
            tracks: HashMap::new(),
            channels: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// The number of the player that sends messages of this origin.
    pub fn player(&mut self, origin: Origin) -> usize {
        self.seats.get(&origin).copied().unwrap_or_else(|| self.new_player(origin))
    }

    /// The number of a player's channel, which players on other tracks may share.
    pub fn channel(&self, player: usize) -> usize {
        self.players[player].channel
    }

    /// Takes in a message; `now` is in seconds.
    pub fn hear(&mut self, player: usize, message: MidiMessage, now: f64) {
        let channel = self.players[player].channel;
        match message {
            MidiMessage::NoteOn { key, vel } => match Velocity::new(vel.as_int()) {
                Some(velocity) => self.press(player, Key::saturating(key.as_int()), velocity, now),
                None => self.release(player, Key::saturating(key.as_int()), now),
            },
            MidiMessage::NoteOff { key, .. } => self.release(player, Key::saturating(key.as_int()), now),
            MidiMessage::ProgramChange { program } => {
                let channel = &mut self.channels[channel];
                channel.program = program.as_int();
                channel.is_kit = DRUM_BANKS.contains(&channel.bank);
            }
            MidiMessage::Controller { controller, value } => {
                self.control(channel, controller.as_int(), value.as_int(), now);
                if let Some(pressed) = is_sustain(message) {
                    self.pedal(channel, pressed, now);
                }
            }
            _ => {}
        }
    }

    /// A GS SysEx message makes the channel one of drums or of pitches.
    pub fn set_rhythm(&mut self, player: usize, is_drums: bool) {
        self.channels[self.players[player].channel].rhythm = Some(is_drums);
    }

    /// Releases the notes that a track has left open; `now` is in seconds.
    pub fn end_track(&mut self, track: usize, now: f64) {
        for player in self.tracks.remove(&track).unwrap_or_default() {
            let open = self.players[player].strikes.iter_mut().flat_map(|strikes| strikes.down.drain(..));
            for note in open.collect::<Vec<_>>() {
                self.lift(note, now);
            }
        }
    }

    /// The notes by onset and then by key, and their instruments. A note without an end sounds to the `end`
    /// of the file.
    pub fn finish(mut self, end: f64) -> (Vec<Note>, Vec<Instrument>) {
        for note in 0..self.struck.notes.len() {
            self.struck.close(note, end);
        }
        in_order(&mut self.struck.notes);
        (self.struck.notes, self.instruments)
    }

    fn press(&mut self, player: usize, key: Key, velocity: Velocity, now: f64) {
        let note = self.struck.notes.len();
        let strikes = self.players[player].strikes(key);
        strikes.down.push_back(note);
        strikes.ringing.drain(..).for_each(|rung| self.struck.close(rung, now));
        self.channels[self.players[player].channel].down.push(note);
        let instrument = self.instrument(player);
        self.struck.notes.push(Note { key, onset: now, end: now, step: 0.0, velocity, instrument });
        self.struck.marks.push(Mark { state: State::Down, player });
    }

    /// Ends the oldest note of the key that is still held.
    fn release(&mut self, player: usize, key: Key, now: f64) {
        while let Some(note) = self.players[player].strikes(key).down.pop_front() {
            if self.struck.marks[note].state == State::Down {
                return self.lift(note, now);
            }
        }
    }

    fn control(&mut self, channel: usize, controller: u8, value: u8, now: f64) {
        let channel = &mut self.channels[channel];
        match controller {
            BANK => channel.bank = value,
            ALL_SOUND_OFF => {
                let sounding = channel.down.drain(..).chain(channel.ringing.drain(..));
                sounding.for_each(|note| self.struck.close(note, now));
            }
            ALL_NOTES_OFF..=LAST_MODE => {
                let down = mem::take(&mut channel.down);
                down.into_iter().for_each(|note| self.lift(note, now));
            }
            _ => {}
        }
    }

    fn pedal(&mut self, channel: usize, pressed: bool, now: f64) {
        let channel = &mut self.channels[channel];
        channel.pedal = pressed;
        if !pressed {
            channel.ringing.drain(..).for_each(|note| self.struck.close(note, now));
        }
    }

    /// Releases a key, if it is down. Its note is over unless the pedal holds it.
    fn lift(&mut self, note: usize, now: f64) {
        let Mark { state: State::Down, player } = self.struck.marks[note] else { return };
        let player = &mut self.players[player];
        let channel = &mut self.channels[player.channel];
        if self.convention == Convention::KeyUp || !channel.pedal {
            return self.struck.close(note, now);
        }
        channel.ringing.push(note);
        player.strikes(self.struck.notes[note].key).ringing.push(note);
        self.struck.marks[note].state = State::Ringing;
    }

    fn new_player(&mut self, origin: Origin) -> usize {
        let Origin { track, port, channel } = origin;
        let place = *self.places.entry((port, channel)).or_insert_with(|| {
            self.channels.push(Channel::default());
            self.channels.len() - 1
        });
        let instrument = Instrument { track, port, channel, program: 0, is_drums: channel == DRUM_CHANNEL };
        self.players.push(Player {
            channel: place,
            instrument: (instrument, None),
            strikes: Vec::new(),
            places: [0; Key::COUNT],
        });
        let player = self.players.len() - 1;
        self.seats.insert(origin, player);
        self.tracks.entry(track).or_default().push(player);
        player
    }

    /// The index of the instrument with the player's present program.
    fn instrument(&mut self, player: usize) -> usize {
        let Player { channel, instrument: (before, number), .. } = self.players[player];
        let Channel { program, is_kit, rhythm, .. } = self.channels[channel];
        let is_drums = rhythm.unwrap_or(is_kit || before.channel == DRUM_CHANNEL);
        let now = Instrument { program, is_drums, ..before };
        if let Some(number) = number.filter(|_| now == before) {
            return number;
        }
        let number = *self.numbers.entry(now).or_insert_with(|| {
            self.instruments.push(now);
            self.instruments.len() - 1
        });
        self.players[player].instrument = (now, Some(number));
        number
    }
}

impl Struck {
    /// Ends a note, unless it is already over.
    fn close(&mut self, note: usize, now: f64) {
        if self.marks[note].state != State::Over {
            self.marks[note].state = State::Over;
            self.notes[note].end = now;
        }
    }
}

impl Player {
    fn strikes(&mut self, key: Key) -> &mut Strikes {
        let place = &mut self.places[key.index()];
        if *place == 0 {
            self.strikes.push(Strikes::default());
            *place = u8::try_from(self.strikes.len()).expect("there are 128 keys");
        }
        &mut self.strikes[usize::from(*place) - 1]
    }
}

/// Sorts notes by onset and then by key, and sets the steps between onsets.
pub fn in_order(notes: &mut [Note]) {
    notes.sort_by(|one, other| one.onset.total_cmp(&other.onset).then(one.key.cmp(&other.key)));
    let mut before = 0.0;
    for note in notes {
        note.step = note.onset - before;
        before = note.onset;
    }
}
