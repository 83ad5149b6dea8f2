//! Who plays what: the prompt's instruments, and the one that goes on.

use std::collections::HashMap;

use super::{prompt::Prompt, take::Take};
use crate::corpus::{Instrument, Note};

/// From nothing, a piano plays.
const PIANO: Instrument = Instrument { track: 0, port: 0, channel: 0, program: 0, is_drums: false };

/// An instrument and its notes.
pub struct Player {
    pub instrument: Instrument,
    pub notes: Vec<Note>,
}

/// All players, to be heard; the last one has what is new. No key of a channel is struck while it sounds.
pub fn of(prompt: &Prompt, take: &Take) -> Vec<Player> {
    let old = |(number, &instrument): (usize, &Instrument)| {
        let notes = prompt.notes.iter().filter(|note| note.instrument == number).copied().collect();
        Player { instrument, notes }
    };
    let mut players: Vec<Player> = prompt.instruments.iter().enumerate().map(old).collect();
    players.push(Player { instrument: lead(prompt), notes: take.notes.clone() });
    untangle(&mut players);
    players
}

/// What is new, for one channel of its own: no key is struck while it sounds.
pub fn untangled(take: &Take) -> Vec<Note> {
    let mut players = [Player { instrument: PIANO, notes: take.notes.clone() }];
    untangle(&mut players);
    let [player] = players;
    player.notes
}

/// The instrument that goes on: the one with most notes.
pub fn lead(prompt: &Prompt) -> Instrument {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    prompt.melodic().iter().for_each(|note| *counts.entry(note.instrument).or_default() += 1);
    let most = counts.into_iter().max_by_key(|&(number, count)| (count, std::cmp::Reverse(number)));
    most.map_or(PIANO, |(number, _)| prompt.instruments[number])
}

/// A key that is struck again ends its note: two players may share a channel, and a release would end either.
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
