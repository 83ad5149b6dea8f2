//! Reads the player's side of a saved take, for training. In other MIDI files all notes are the player's.

use std::collections::HashMap;

use midly::{MetaMessage, MidiMessage, Smf, Timing, Track, TrackEventKind};

use crate::music::{
    conditions::Conditions,
    note::{CELLS_PER_SECOND, GridNote, Key, Velocity},
    note_tracker::{PEDAL_DOWN, SUSTAIN},
};

/// The track of the player's notes in a take.
const CALL: &[u8] = b"Call";
const DRUMS: u8 = 9;
/// Microseconds per quarter note where a file sets no tempo.
const MICROS_PER_BEAT: u32 = 500_000;

/// The player's notes, each as long as the pedal held it; `None` if the bytes are no MIDI file in beats.
pub fn call(bytes: &[u8]) -> Option<Vec<GridNote>> {
    let smf = Smf::parse(bytes).ok()?;
    let Timing::Metrical(ticks_per_beat) = smf.header.timing else { return None };
    let clock = TickClock::new(&smf.tracks, ticks_per_beat.as_int());
    let is_call = |track: &&Track| {
        track.iter().any(|event| event.kind == TrackEventKind::Meta(MetaMessage::TrackName(CALL)))
    };
    let tracks: Vec<&Track> = match smf.tracks.iter().find(is_call) {
        Some(call) => vec![call],
        None => smf.tracks.iter().collect(),
    };
    Some(on_grid(tracks.into_iter().flat_map(|track| strikes(track, &clock)).collect()))
}

/// A note between two points in cells.
struct Struck {
    onset: u32,
    end: u32,
    key: u8,
    velocity: u8,
}

/// Converts ticks to cells of the grid.
struct TickClock {
    /// Stretches of one tempo, in the order of ticks: the first tick, its cell, and the cells per tick.
    stretches: Vec<(u32, f64, f64)>,
}

impl TickClock {
    fn new(tracks: &[Track], ticks_per_beat: u16) -> Self {
        let pace =
            |micros: u32| CELLS_PER_SECOND * f64::from(micros) / 1e6 / f64::from(ticks_per_beat.max(1));
        let mut tempos: Vec<(u32, u32)> = tracks
            .iter()
            .flat_map(timed)
            .filter_map(|(tick, kind)| match kind {
                TrackEventKind::Meta(MetaMessage::Tempo(micros)) => Some((tick, micros.as_int())),
                _ => None,
            })
            .collect();
        tempos.sort_by_key(|&(tick, _)| tick);
        let mut clock = Self { stretches: vec![(0, 0.0, pace(MICROS_PER_BEAT))] };
        for (tick, micros) in tempos {
            clock.stretches.push((tick, clock.exact(tick), pace(micros)));
        }
        clock
    }

    fn exact(&self, tick: u32) -> f64 {
        let next = self.stretches.partition_point(|&(from, ..)| from <= tick);
        let (from, cell, pace) = self.stretches[next.saturating_sub(1)];
        cell + f64::from(tick - from.min(tick)) * pace
    }

    fn cell(&self, tick: u32) -> u32 {
        self.exact(tick).round() as u32
    }
}

/// The events of a track, each at its tick.
fn timed<'a>(track: &'a Track<'a>) -> impl Iterator<Item = (u32, TrackEventKind<'a>)> {
    track.iter().scan(0u32, |tick, event| {
        *tick = tick.saturating_add(event.delta.as_int());
        Some((*tick, event.kind))
    })
}

/// All notes of a track but the drums. A note that the pedal holds lasts until the pedal comes up, or its key
/// is struck again.
fn strikes(track: &Track, clock: &TickClock) -> Vec<Struck> {
    let (mut struck, mut last): (Vec<Struck>, u32) = (Vec::new(), 0);
    // Of each channel and key: which note sounds, and whether its key is down.
    let mut open: HashMap<(u8, u8), (usize, bool)> = HashMap::new();
    let mut pedals = [false; 16];
    for (tick, kind) in timed(track) {
        let now = clock.cell(tick);
        last = now;
        let TrackEventKind::Midi { channel, message } = kind else { continue };
        let channel = channel.as_int();
        let mut end = |note: usize| struck[note].end = now;
        match message {
            _ if channel == DRUMS => {}
            MidiMessage::NoteOn { key, vel } if vel > 0 => {
                let place = (channel, key.as_int());
                open.remove(&place).into_iter().for_each(|(note, _)| end(note));
                open.insert(place, (struck.len(), true));
                struck.push(Struck { onset: now, end: now, key: place.1, velocity: vel.as_int() });
            }
            MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
                let place = (channel, key.as_int());
                match open.get_mut(&place) {
                    Some((_, is_down)) if pedals[usize::from(channel)] => *is_down = false,
                    _ => open.remove(&place).into_iter().for_each(|(note, _)| end(note)),
                }
            }
            MidiMessage::Controller { controller, value } if controller == SUSTAIN => {
                pedals[usize::from(channel)] = value >= PEDAL_DOWN;
                if value < PEDAL_DOWN {
                    open.retain(|&(of, _), &mut (note, is_down)| {
                        let stays = of != channel || is_down;
                        if !stays {
                            end(note);
                        }
                        stays
                    });
                }
            }
            _ => {}
        }
    }
    open.into_values().for_each(|(note, _)| struck[note].end = last);
    struck
}

/// Sorts notes by onset and then by key, and converts onsets to steps. The first note has the step 0.
fn on_grid(mut struck: Vec<Struck>) -> Vec<GridNote> {
    struck.sort_by_key(|note| (note.onset, note.key));
    let mut before = struck.first().map_or(0, |note| note.onset);
    let note = |note: Struck| GridNote {
        step: note.onset - std::mem::replace(&mut before, note.onset),
        key: Key::saturating(note.key),
        velocity: Velocity::saturating(note.velocity),
        duration: note.end.saturating_sub(note.onset).max(1),
        conditions: Conditions::UNKNOWN,
    };
    struck.into_iter().map(note).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::{Event, Record},
        music::{
            note_tracker::{ChannelKey, Pedal},
            time::{SampleRate, SampleTime},
        },
        take::{Take, write},
    };

    fn place(key: u8) -> ChannelKey {
        ChannelKey { channel: 0, key: Key::saturating(key) }
    }

    #[test]
    fn of_a_saved_take_the_players_side_is_read_with_its_pedal() {
        let mut take = Take::new(SampleRate(48_000.0));
        let velocity = Velocity::saturating(80);
        let events = [
            (0, Event::Struck(place(60), velocity)),
            (4_800, Event::Pedal { channel: 0, pedal: Pedal::Down }),
            (9_600, Event::Lifted(place(60).into())),
            (24_000, Event::Struck(place(64), velocity)),
            (28_800, Event::Lifted(place(64).into())),
            (36_000, Event::Sounded(place(72), velocity)),
            (48_000, Event::Pedal { channel: 0, pedal: Pedal::Up }),
        ];
        events.into_iter().for_each(|(at, event)| take.record(Record { at: SampleTime(at), event }));
        let notes = call(&write(&take)).expect("a MIDI file");
        let told: Vec<_> = notes.iter().map(|note| (note.step, note.key.number(), note.duration)).collect();
        assert_eq!(told, [(0, 60, 100), (50, 64, 50)]);
        assert_eq!(notes[0].velocity, velocity);
    }

    #[test]
    fn what_is_no_midi_file_gives_nothing() {
        assert_eq!(call(b"no MIDI file"), None);
        assert_eq!(call(&[]), None);
    }
}
