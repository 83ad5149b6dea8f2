//! Tracks the player's keys and pedals: what is held, on which channel, under which note id, heard or
//! unheard.

#[cfg(test)]
mod tests;

use super::{
    keys::Keys,
    note::{Key, Note},
    time::Moment,
};

/// Largest number of still sounding notes that the improviser keeps.
pub const OPEN_NOTES: usize = 256;
/// Largest number of strikes that are kept: as many as there are keys on all channels.
const STRIKES: usize = 2048;
pub const CHANNELS: u8 = 16;

/// One key of one channel, 0..16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelKey {
    pub channel: u8,
    pub key: Key,
}

/// One or all keys of one or all channels, as hosts may release them. `None` stands for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelKeys {
    pub channel: Option<u8>,
    pub key: Option<Key>,
}

/// A host's id of one note, by which it can release that one of several on a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoteId(pub i32);

impl ChannelKeys {
    pub const EVERYWHERE: Self = Self { channel: None, key: None };

    pub fn contains(&self, place: ChannelKey) -> bool {
        self.channel.is_none_or(|channel| channel == place.channel)
            && self.key.is_none_or(|key| key == place.key)
    }

    /// The one key, where only one is meant.
    pub fn single(&self) -> Option<ChannelKey> {
        self.channel.zip(self.key).map(|(channel, key)| ChannelKey { channel, key })
    }
}

impl From<ChannelKey> for ChannelKeys {
    fn from(place: ChannelKey) -> Self {
        Self { channel: Some(place.channel), key: Some(place.key) }
    }
}

/// Controller number of the sustain pedal.
pub const SUSTAIN: u8 = 64;

/// From this value up a pedal is down.
pub const PEDAL_DOWN: u8 = 64;

/// The sustain pedal of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pedal {
    Up,
    Down,
}

/// How a release ends notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// A key goes up; a pedal that is down keeps its note.
    Key,
    /// Notes end at once, whatever the pedal keeps: all sound off, or a choke.
    Cut,
}

/// Every key that is down and every note that the pedal keeps. Never allocates after [`NoteTracker::new`].
#[derive(Debug)]
pub struct NoteTracker {
    /// All strikes that still count, the oldest first.
    strikes: Vec<Open>,
    /// One bit for each channel whose pedal is down.
    pedals: u16,
    zone: Zone,
}

/// A strike of the player.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strike {
    pub place: ChannelKey,
    pub id: Option<NoteId>,
    pub role: Role,
    /// It was passed on to the instrument, and so must its release be.
    pub passed: bool,
}

/// What a strike is to the music.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Role {
    /// A note that is heard; it has no duration yet.
    Heard(Note),
    /// A key that is down without a note: its channel is not heard, or its note has ended before its
    /// release.
    Unheard,
    /// A cue, or an echo of a note that went out: its release means nothing either.
    Swallowed,
}

/// A strike whose key is up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Released {
    pub place: ChannelKey,
    pub passed: bool,
    pub outcome: Outcome,
}

/// What a release does to the music.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outcome {
    /// A note is over.
    Over(Note),
    /// The pedal keeps the note.
    Kept,
    /// No note ends: none was heard here, or it was over already.
    Nothing,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    strike: Strike,
    hold: Hold,
    leaving: Option<Release>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Key,
    /// The key is up and the pedal keeps its note.
    Pedal,
}

impl NoteTracker {
    pub fn new() -> Self {
        Self { strikes: Vec::with_capacity(STRIKES), pedals: 0, zone: Zone::Off }
    }

    /// Sets which channels belong together. A pedal may then keep fewer notes: see
    /// [`Self::end_unpedalled`].
    pub fn set_zone(&mut self, zone: Zone) {
        self.zone = zone;
    }

    /// Takes a strike. Returns the note that it ends, if its key was still sounding: a key sounds once, and
    /// is held until every strike has its release. Realtime-safe.
    pub fn strike(&mut self, strike: Strike, at: Moment) -> Option<Note> {
        let same = |open: &Open| open.strike.place == strike.place && open.strike.note().is_some();
        let sounding = self.strikes.iter().position(|open| strike.note().is_some() && same(open));
        let ended = sounding.and_then(|index| self.end_note(index, at));
        if self.strikes.len() < STRIKES {
            self.strikes.push(Open { strike, hold: Hold::Key, leaving: None });
        }
        ended
    }

    /// Marks the newest strike, if it was on this key, as passed on to the instrument.
    pub fn has_passed(&mut self, place: ChannelKey) {
        if let Some(open) = self.strikes.last_mut().filter(|open| open.strike.place == place) {
            open.strike.passed = true;
        }
    }

    /// Releases keys; [`Self::next_released`] then tells which. A release with a note id means the note
    /// with that id, or else, on a single key, the oldest strike without an id. A release of a single key
    /// without an id means the oldest strike without one, or else all strikes of the key.
    pub fn release(&mut self, places: ChannelKeys, id: Option<NoteId>, release: Release) {
        let means = |open: &Open| {
            places.contains(open.strike.place) && (open.hold == Hold::Key || release == Release::Cut)
        };
        let named = |open: &Open| open.strike.id == id && open.hold == Hold::Key;
        // A host may give an id again while the pedal keeps the note that had it.
        let kept = |open: &Open| open.strike.id == id;
        let nameless = |open: &Open| open.strike.id.is_none() && open.hold == Hold::Key;
        let one =
            |which: &dyn Fn(&Open) -> bool| self.strikes.iter().position(|open| means(open) && which(open));
        let single = places.single().is_some();
        let one = match id {
            Some(_) => {
                one(&named).or_else(|| if single { one(&nameless) } else { None }).or_else(|| one(&kept))
            }
            None if single => one(&nameless),
            None => None,
        };
        match one {
            Some(index) => self.strikes[index].leaving = Some(release),
            None if id.is_some() => {}
            None => {
                let all = self.strikes.iter_mut().filter(|open| means(open));
                all.for_each(|open| open.leaving = Some(release));
            }
        }
    }

    /// Takes the next strike that [`Self::release`] has ended; `None` when there is no more. Realtime-safe.
    pub fn next_released(&mut self, at: Moment) -> Option<Released> {
        let index = self.strikes.iter().position(|open| open.leaving.is_some())?;
        let Open { strike, leaving, .. } = self.strikes[index];
        let Strike { place, passed, .. } = strike;
        let is_kept = leaving == Some(Release::Key) && self.is_pedalled(place.channel);
        let outcome = match strike.note() {
            Some(_) if is_kept => {
                let open = &mut self.strikes[index];
                (open.leaving, open.hold, open.strike.passed) = (None, Hold::Pedal, false);
                return Some(Released { place, passed, outcome: Outcome::Kept });
            }
            Some(note) => Outcome::Over(until(note, at)),
            None => Outcome::Nothing,
        };
        self.strikes.remove(index);
        Some(Released { place, passed, outcome })
    }

    /// The sustain pedal of a channel moves. Realtime-safe.
    pub fn pedal(&mut self, channel: u8, pedal: Pedal) {
        let bit = channel_bit(channel);
        match pedal {
            Pedal::Down => self.pedals |= bit,
            Pedal::Up => self.pedals &= !bit,
        }
    }

    /// All controllers of a channel, or of a zone, are reset: their pedals come up. Realtime-safe.
    pub fn reset_controllers(&mut self, channel: u8) {
        self.pedals &= !self.zone.reached(Some(channel)).map(channel_bit).fold(0, |all, bit| all | bit);
    }

    /// Ends the next note that no pedal keeps any more; `None` when there is no more. Realtime-safe.
    pub fn end_unpedalled(&mut self, at: Moment) -> Option<Note> {
        let is_left = |open: &Open| open.hold == Hold::Pedal && !self.is_pedalled(open.strike.place.channel);
        let index = self.strikes.iter().position(is_left)?;
        self.end_note(index, at)
    }

    /// Whether a key is down on a channel for which `is_meant` holds.
    pub fn any_held(&self, is_meant: impl Fn(u8) -> bool) -> bool {
        self.held().any(|strike| strike.is_music() && is_meant(strike.place.channel))
    }

    /// Whether this key is down; swallowed strikes do not count.
    pub fn holds(&self, place: ChannelKey) -> bool {
        self.held().any(|strike| strike.is_music() && strike.place == place)
    }

    /// Whether this key is down with a swallowed strike.
    pub fn swallows(&self, place: ChannelKey) -> bool {
        self.held().any(|strike| !strike.is_music() && strike.place == place)
    }

    /// The keys that are held and heard, on any channel.
    pub fn held_keys(&self) -> impl Iterator<Item = Key> {
        self.held().filter_map(Strike::note).map(|note| note.key)
    }

    /// The keys that are down on channels for which `is_meant` holds, heard or unheard.
    pub fn keys_down(&self, is_meant: impl Fn(u8) -> bool) -> Keys {
        let down = self.held().filter(|strike| strike.is_music() && is_meant(strike.place.channel));
        down.map(|strike| strike.place.key).collect()
    }

    /// Whether any note sounds or any pedal is down.
    pub fn is_touched(&self) -> bool {
        self.pedals != 0 || self.strikes.iter().any(|open| open.strike.note().is_some())
    }

    /// The notes that still sound, as if they ended now; they all go on sounding. Realtime-safe.
    pub fn sounding(&self, at: Moment) -> impl Iterator<Item = Note> {
        self.strikes.iter().filter_map(|open| open.strike.note()).map(move |note| until(note, at))
    }

    /// Counts all keys and pedals as up, without returning their notes. Realtime-safe.
    pub fn clear(&mut self) {
        self.strikes.clear();
        self.pedals = 0;
    }

    fn held(&self) -> impl Iterator<Item = &Strike> {
        self.strikes.iter().filter(|open| open.hold == Hold::Key).map(|open| &open.strike)
    }

    fn is_pedalled(&self, channel: u8) -> bool {
        let master = self.zone.master().filter(|master| self.zone.reaches(*master, channel));
        let bits = channel_bit(channel) | master.map_or(0, channel_bit);
        self.pedals & bits != 0
    }

    /// Ends the note of a strike, whether or not its key is still down.
    fn end_note(&mut self, index: usize, at: Moment) -> Option<Note> {
        let open = &mut self.strikes[index];
        let note = open.strike.note()?;
        open.strike.role = Role::Unheard;
        if open.hold == Hold::Pedal {
            self.strikes.remove(index);
        }
        Some(until(note, at))
    }
}

impl Strike {
    fn note(&self) -> Option<Note> {
        match self.role {
            Role::Heard(note) => Some(note),
            Role::Unheard | Role::Swallowed => None,
        }
    }

    fn is_music(&self) -> bool {
        self.role != Role::Swallowed
    }
}

impl Default for NoteTracker {
    fn default() -> Self {
        Self::new()
    }
}

fn until(note: Note, end: Moment) -> Note {
    Note { duration: end - note.onset, ..note }
}

/// The bit of a channel in a set of channels.
pub fn channel_bit(channel: u8) -> u16 {
    1 << (channel % CHANNELS)
}

/// Which channels form one MPE instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zone {
    /// Each channel is an instrument of its own.
    #[default]
    Off,
    /// Channel 1 is the master of all others.
    Lower,
    /// Channel 16 is the master of all others.
    Upper,
}

impl Zone {
    /// The channel whose pedals and mode messages apply to all channels, 0..16.
    pub fn master(self) -> Option<u8> {
        match self {
            Self::Off => None,
            Self::Lower => Some(0),
            Self::Upper => Some(CHANNELS - 1),
        }
    }

    /// Whether a message on channel `from` applies to channel `to`.
    pub fn reaches(self, from: u8, to: u8) -> bool {
        from == to || self.master() == Some(from)
    }

    /// The channels to which a message on one channel, or on all, applies.
    pub fn reached(self, from: Option<u8>) -> impl Iterator<Item = u8> {
        (0..CHANNELS).filter(move |to| from.is_none_or(|from| self.reaches(from, *to)))
    }

    /// The channels that carry notes, the master's neighbour first; none where each channel is an
    /// instrument of its own.
    pub fn members(self) -> impl Iterator<Item = u8> {
        let count = if self == Self::Off { 0 } else { CHANNELS - 1 };
        (1..=count).map(move |n| if self == Self::Upper { CHANNELS - 1 - n } else { n })
    }
}
