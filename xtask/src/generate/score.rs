//! Writes prompt and continuation as a MIDI file: the prompt as it was, and a track for the new notes. It
//! also chooses the instruments.

use std::{cmp::Reverse, collections::HashMap};

use anyhow::Result;
use midly::{MetaMessage, MidiMessage, Smf, TrackEventKind, num::u7};

use super::{prompt::Prompt, take::Take};
use crate::{
    corpus::{
        Instrument, Note,
        messages::{DRUM_CHANNEL, SUSTAIN, is_sustain},
    },
    midi_file::{self, Placed, Timed, on_channel},
};

/// The instrument if there is no prompt.
const PIANO: Instrument = Instrument { track: 0, port: 0, channel: 0, program: 0, is_drums: false };
/// Controllers that shape the sound of a channel: bank, volume, pan, expression, reverberation and chorus.
const COLOURS: [u8; 7] = [0, 32, 7, 10, 11, 91, 93];
/// A difference of less than this is rounding, in seconds.
const MOMENT: f64 = 1e-6;

/// An instrument and its notes.
pub struct Player {
    pub instrument: Instrument,
    pub notes: Vec<Note>,
}

/// The bytes of the file.
///
/// # Errors
/// When there is no room for another track.
pub fn bytes(prompt: &Prompt, take: &Take) -> Result<Vec<u8>> {
    let mut smf = Smf::parse(&prompt.file)?;
    let channels = Channels::of(&smf, prompt);
    let lifts = channels.lifts();
    let part = Part::new(prompt, take, &channels);
    let track = part.track(prompt, take);
    smf.tracks.extend(lifts);
    smf.tracks.push(track);
    let mut bytes = Vec::new();
    smf.write_std(&mut bytes)?;
    Ok(bytes)
}

/// All players, for audio; the last one has the new notes. No key of a channel is struck while it sounds.
pub fn players(prompt: &Prompt, take: &Take) -> Vec<Player> {
    let old = |(number, &instrument): (usize, &Instrument)| {
        let notes = prompt.notes.iter().filter(|note| note.instrument == number).copied().collect();
        Player { instrument, notes }
    };
    let mut players: Vec<Player> = prompt.instruments.iter().enumerate().map(old).collect();
    players.push(Player { instrument: lead(prompt), notes: take.notes.clone() });
    untangle(&mut players);
    players
}

/// The state in which the prompt leaves its channels, by port and channel.
struct Channels {
    states: HashMap<(u8, u8), ChannelState>,
    /// The last tick of the prompt's tracks.
    end: u64,
}

#[derive(Default)]
struct ChannelState {
    program: Option<u8>,
    colours: HashMap<u8, u8>,
    pedal: bool,
    /// Whether something sounds, or a pedal is down, where the new notes begin.
    is_busy: bool,
}

impl Channels {
    fn of(smf: &Smf, prompt: &Prompt) -> Self {
        let from = prompt.tick(prompt.from);
        let mut events = Vec::new();
        let mut end = 0;
        for track in &smf.tracks {
            let (mut tick, mut port) = (0, 0);
            for event in track {
                tick += u64::from(event.delta.as_int());
                match event.kind {
                    TrackEventKind::Midi { channel, message } => {
                        events.push((tick, (port, channel.as_int()), message));
                    }
                    TrackEventKind::Meta(MetaMessage::MidiPort(number)) => port = number.as_int(),
                    _ => {}
                }
            }
            end = end.max(tick);
        }
        events.sort_by_key(|(tick, ..)| *tick);
        let mut states: HashMap<(u8, u8), ChannelState> = HashMap::new();
        for (tick, channel, message) in events {
            states.entry(channel).or_default().hear(message, tick > from);
        }
        states.values_mut().for_each(|state| state.is_busy |= state.pedal);
        for note in prompt.notes.iter().filter(|note| note.end > prompt.from + MOMENT) {
            let Instrument { port, channel, .. } = prompt.instruments[note.instrument];
            states.entry((port, channel)).or_default().is_busy = true;
        }
        Self { states, end }
    }

    /// Tracks that release the pedals at the end of the prompt, so that its last notes do not ring on under
    /// the new ones.
    fn lifts(&self) -> Vec<midly::Track<'static>> {
        let mut down: Vec<_> =
            self.states.iter().filter(|(_, state)| state.pedal).map(|(place, _)| *place).collect();
        down.sort_unstable();
        let lift = |&(port, channel): &(u8, u8)| {
            let lift = MidiMessage::Controller { controller: u7::new(SUSTAIN), value: u7::new(0) };
            let port = (0, TrackEventKind::Meta(MetaMessage::MidiPort(u7::new(port))));
            midi_file::track(vec![port, (self.end, on_channel(channel, lift))], 0)
        };
        down.iter().map(lift).collect()
    }

    /// The channel on which an instrument continues: its own, or an unused one if something still sounds on
    /// its own.
    fn channel(&self, instrument: Instrument) -> u8 {
        let Instrument { port, channel, .. } = instrument;
        let is_busy = self.states.get(&(port, channel)).is_some_and(|state| state.is_busy);
        let is_free = |channel: &u8| *channel != DRUM_CHANNEL && !self.states.contains_key(&(port, *channel));
        let free = (0..16).find(is_free).filter(|_| is_busy);
        free.unwrap_or(channel)
    }
}

impl ChannelState {
    fn hear(&mut self, message: MidiMessage, is_late: bool) {
        // A pedal that was down before a late message was down in between.
        self.is_busy |= is_late && self.pedal;
        match message {
            MidiMessage::ProgramChange { program } => self.program = Some(program.as_int()),
            MidiMessage::Controller { controller, value } if COLOURS.contains(&controller.as_int()) => {
                self.colours.insert(controller.as_int(), value.as_int());
            }
            _ => self.pedal = is_sustain(message).unwrap_or(self.pedal),
        }
    }
}

/// The instrument of the new notes, and the messages that set up its channel.
struct Part {
    port: u8,
    channel: u8,
    setup: Vec<MidiMessage>,
}

impl Part {
    fn new(prompt: &Prompt, take: &Take, channels: &Channels) -> Self {
        let lead = lead(prompt);
        let channel = channels.channel(lead);
        let before = channels.states.get(&(lead.port, lead.channel));
        let mut setup = Vec::new();
        if channel != lead.channel {
            let mut colours: Vec<_> = before.iter().flat_map(|state| &state.colours).collect();
            colours.sort_unstable();
            let colour = |(controller, value): (&u8, &u8)| MidiMessage::Controller {
                controller: u7::new(*controller),
                value: u7::new(*value),
            };
            setup.extend(colours.into_iter().map(colour));
        }
        let is_set = channel == lead.channel && before.and_then(|state| state.program) == Some(lead.program);
        if !is_set && !take.notes.is_empty() {
            setup.push(MidiMessage::ProgramChange { program: u7::new(lead.program) });
        }
        Self { port: lead.port, channel, setup }
    }

    fn track(&self, prompt: &Prompt, take: &Take) -> midly::Track<'static> {
        let meta = |message| (0, TrackEventKind::Meta(message));
        let mut events: Vec<Timed> = vec![meta(MetaMessage::TrackName(prompt.new_name().as_bytes()))];
        if self.port > 0 {
            events.push(meta(MetaMessage::MidiPort(u7::new(self.port))));
        }
        // Nothing is placed before the moment that was asked for.
        let from = prompt.first_tick();
        events.extend(self.setup.iter().map(|message| (from, on_channel(self.channel, *message))));
        let placed = |note: &Note| Placed {
            channel: self.channel,
            key: note.key.number(),
            velocity: note.velocity.value(),
            on: prompt.tick(note.onset).max(from),
            off: prompt.tick(note.end),
        };
        let notes: Vec<Placed> = untangled(take).iter().map(placed).collect();
        events.extend(midi_file::strikes(&notes));
        midi_file::track(events, 0)
    }
}

/// The new notes, for one channel of their own: no key is struck while it sounds.
fn untangled(take: &Take) -> Vec<Note> {
    let mut players = [Player { instrument: PIANO, notes: take.notes.clone() }];
    untangle(&mut players);
    let [player] = players;
    player.notes
}

/// The instrument that continues: the one with the most notes.
fn lead(prompt: &Prompt) -> Instrument {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    prompt.melodic().iter().for_each(|note| *counts.entry(note.instrument).or_default() += 1);
    let most = counts.into_iter().max_by_key(|&(number, count)| (count, Reverse(number)));
    most.map_or(PIANO, |(number, _)| prompt.instruments[number])
}

/// Ends a note where its key is struck again: two players may share a channel, and a release would end either
/// note.
fn untangle(players: &mut [Player]) {
    let mut next: HashMap<(u8, u8), f64> = HashMap::new();
    let channels = players.iter_mut().map(|player| (player.instrument.channel, &mut player.notes));
    let mut notes: Vec<(u8, &mut Note)> =
        channels.flat_map(|(channel, notes)| notes.iter_mut().map(move |note| (channel, note))).collect();
    notes.sort_by(|(_, one), (_, other)| other.onset.total_cmp(&one.onset));
    for (channel, note) in notes {
        let next = next.entry((channel, note.key.number())).or_insert(f64::INFINITY);
        note.end = note.end.min(*next);
        *next = note.onset;
    }
}
