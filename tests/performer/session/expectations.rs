//! The expected state of a session: the keys that the plugin hears, the requests and plans, and the place of
//! each plan.

use std::collections::{BTreeMap, VecDeque};

use antiphon::{
    lane::Request,
    music::{
        generation::GenerationSettings,
        note::Note,
        note_tracker::{ChannelKey, ChannelKeys},
        quantise::{Grid, Quantise},
        turn::{Cue, Rules, TurnId},
    },
    performer::{Gesture, InputFilter, OutputSettings, Settings, Sound},
};

use super::{
    RATE,
    host::{Host, JITTER_BEATS},
    player::GRIDS,
};

/// Number of plans that are kept: more than are ever pending.
const KEPT: usize = 512;
/// How long the plans of a turn that is over are kept, in samples. By then its notes have sounded.
const KEPT_SAMPLES: u64 = 30 * RATE as u64;

/// The held keys, among those that the plugin hears.
#[derive(Default)]
pub struct Hands {
    /// Gestures of this block that are still to happen, by sample. The plugin may report earlier sounds after
    /// them.
    coming: VecDeque<(u64, Gesture)>,
    held: Vec<ChannelKey>,
    /// The channel of the newest strike.
    channel: u8,
}

/// Whether a strike is heard as music.
pub fn is_music(place: ChannelKey, settings: &Settings) -> bool {
    !settings.bypass && hears(settings, place.channel) && settings.rules.cue() != Some(Cue::Key(place.key))
}

/// Whether a channel is heard. An input filter set to the master channel of a zone hears the whole zone.
fn hears(settings: &Settings, channel: u8) -> bool {
    match settings.input_filter {
        InputFilter::Closed => false,
        InputFilter::Channel(heard) => heard == channel || settings.zone.master() == Some(heard),
        InputFilter::AllBut(other) => other != channel,
        InputFilter::All => true,
    }
}

impl Hands {
    /// Begins a block: all announced gestures have happened. A key that is no longer heard counts as released.
    pub fn begin_block(&mut self, settings: &Settings, panic: bool) {
        self.pass(u64::MAX);
        self.held.retain(|place| hears(settings, place.channel) && !settings.bypass && !panic);
    }

    /// Forgets the held keys: a plugin that was activated anew does not know of them.
    pub fn forget(&mut self) {
        self.pass(u64::MAX);
        self.held.clear();
    }

    /// Announces a gesture of this block, if it is heard.
    pub fn announce(&mut self, at: u64, gesture: Gesture, settings: &Settings) {
        let is_heard = match gesture {
            Gesture::KeyDown(place, _) => is_music(place, settings),
            _ => !settings.bypass,
        };
        if is_heard {
            self.coming.push_back((at, gesture));
        }
    }

    /// Carries out all gestures that are announced up to a sample.
    pub fn pass(&mut self, at: u64) {
        while let Some((_, gesture)) = self.coming.pop_front_if(|(when, _)| *when <= at) {
            match gesture {
                Gesture::KeyDown(place, _) => {
                    self.held.push(place);
                    self.channel = place.channel;
                }
                Gesture::KeysUp(places) => self.lift(places),
                Gesture::AllOff { channel } => self.lift(ChannelKeys { channel, key: None }),
                Gesture::AllSoundOff { channel } => {
                    self.lift(ChannelKeys { channel: Some(channel), key: None })
                }
                _ => {}
            }
        }
    }

    pub fn hold(&self, place: ChannelKey) -> bool {
        self.held.contains(&place)
    }

    /// The channel of an answer that follows the channel of its call.
    pub fn channel(&self) -> u8 {
        self.channel
    }

    fn lift(&mut self, places: ChannelKeys) {
        self.held.retain(|place| !places.contains(*place));
    }
}

/// The turns of the plugin and the notes that were planned for them.
#[derive(Default)]
pub struct Plans {
    turns: BTreeMap<TurnId, Turn>,
    planned: VecDeque<Planned>,
    /// Every turn up to this one is over.
    over: Option<TurnId>,
    /// All notes that were heard are forgotten: the next answer continues no earlier one.
    begins_anew: bool,
}

/// The host's song in one block.
#[derive(Clone, Copy)]
pub struct Song {
    pub begin: u64,
    /// The beat at the first sample, and beats per sample; `None` while the transport stands still.
    pub beat: Option<(f64, f64)>,
    pub tempo: f64,
}

#[derive(Clone, Copy)]
pub struct Turn {
    /// The first turn of the same answer: a replan adds turns to it. In mode together all turns are one answer.
    pub answer: TurnId,
    /// The requested hand-over, in samples.
    pub from: f64,
    /// The beat of the hand-over, moved by the jumps since; `None` if it is placed by the sample clock.
    beat: Option<f64>,
    pub jumps: f64,
    tempo: f64,
    rules: Rules,
    /// Silence has long been the only cue: no other cue can have given the plugin the floor.
    pub waited_for_silence: bool,
}

#[derive(Clone, Copy)]
pub struct Planned {
    pub turn: TurnId,
    pub note: Note,
    /// The generation settings with which it was drawn.
    pub generation: GenerationSettings,
    pub delivered: u64,
    /// The slowest tempo since it was delivered. It was quantised at some moment since then.
    pub slowest: f64,
    /// It was taken back and must not sound.
    pub is_dropped: bool,
}

impl Song {
    pub fn of(begin: u64, host: &Host) -> Self {
        Self { begin, beat: host.song(), tempo: host.tempo() }
    }

    /// The beat at a sample.
    pub fn beat_at(&self, at: u64) -> Option<f64> {
        self.beat.map(|(beat, pace)| beat + (at - self.begin) as f64 * pace)
    }

    /// Whether a host with inexact positions may have skipped what was due `before` samples before the block.
    pub fn skips(&self, before: f64) -> bool {
        (0.0..self.samples(2.0 * JITTER_BEATS)).contains(&before)
    }

    /// The length of `beats` in samples.
    pub fn samples(&self, beats: f64) -> f64 {
        beats * 60.0 / self.tempo * RATE
    }
}

impl Plans {
    /// Begins a block. A jump of the song by `by` beats moves all positions that are on the beat.
    pub fn begin_block(&mut self, tempo: f64, by: f64) {
        self.planned.iter_mut().for_each(|plan| plan.slowest = plan.slowest.min(tempo));
        for turn in self.turns.values_mut().filter(|_| by != 0.0) {
            turn.beat = turn.beat.map(|beat| beat + by);
            turn.jumps += 1.0;
        }
    }

    pub fn newest(&self) -> Option<TurnId> {
        self.turns.keys().next_back().copied()
    }

    pub fn turn(&self, turn: TurnId) -> &Turn {
        &self.turns[&turn]
    }

    /// Takes in a request, and says whether it asked for notes.
    pub fn request(&mut self, request: Request, song: &Song, rules: Rules, waited_for_silence: bool) -> bool {
        let former = self.turns.last_key_value().map(|(_, turn)| *turn);
        match request {
            Request::Answer { turn, from, .. } => {
                let from = from.0 * RATE;
                let beat = song.beat.map(|(beat, pace)| beat + (from - song.begin as f64) * pace);
                let plays_on = |former: &Turn| {
                    matches!((former.rules, rules), (Rules::Together { .. }, Rules::Together { .. }))
                };
                let begins_anew = std::mem::take(&mut self.begins_anew);
                let former = former.filter(|_| !begins_anew);
                let answer = former.filter(plays_on).map_or(turn, |former| former.answer);
                let tempo = song.tempo;
                let asked = Turn { answer, from, beat, jumps: 0.0, tempo, rules, waited_for_silence };
                self.turns.insert(turn, asked);
            }
            Request::Replan { turn, from, .. } => {
                self.turns.insert(turn, former.expect("only an answer is planned again"));
                self.drop(|plan| plan.note.onset >= from);
            }
            Request::Cancel { turn, sounded } => {
                self.over = self.over.max(Some(turn));
                self.drop(|plan| plan.turn <= turn && plan.note.onset > sounded);
                return false;
            }
            Request::Forget => {
                self.begins_anew = true;
                return false;
            }
            _ => return false,
        }
        true
    }

    pub fn plan(
        &mut self,
        turn: TurnId,
        note: Note,
        generation: GenerationSettings,
        delivered: u64,
        tempo: f64,
    ) {
        // A reply of an old turn cannot sound.
        let is_dropped = Some(turn) <= self.over || Some(turn) < self.newest();
        self.planned.push_back(Planned { turn, note, generation, delivered, slowest: tempo, is_dropped });
        let over = self.over;
        let is_old = |plan: &Planned| Some(plan.turn) <= over && plan.delivered + KEPT_SAMPLES < delivered;
        while self.planned.len() > KEPT || self.planned.front().is_some_and(is_old) {
            self.planned.pop_front();
        }
    }

    fn drop(&mut self, is_dropped: impl Fn(&Planned) -> bool) {
        self.planned.iter_mut().for_each(|plan| plan.is_dropped |= is_dropped(plan));
    }

    /// The plan of a note that sounds, and its expected sample: the nearest of all plans with this key and
    /// velocity. A plan that was taken back is given only if there is no other.
    pub fn of(&self, sound: Sound, at: u64, output: &OutputSettings, song: &Song) -> Option<(Planned, f64)> {
        let Sound::NoteOn(place, velocity) = sound else { return None };
        let sounds_so = |note: &Note| (note.key, output.velocity(note.velocity)) == (place.key, velocity);
        let plans = self.planned.iter().filter(|plan| sounds_so(&plan.note));
        let placed = plans.map(|plan| (*plan, self.expected(plan, song)));
        let error = |expected: f64| (at as f64 - expected).abs();
        placed.min_by(|(one, at), (other, then)| {
            one.is_dropped.cmp(&other.is_dropped).then(error(*at).total_cmp(&error(*then)))
        })
    }

    /// How far the expected sample may be off, in samples. A request rounds its beat to a sample, and a
    /// slower tempo stretches that error; each jump is known to half a sample; quantise moves a note by at
    /// most `grid` beats.
    pub fn uncertain(&self, plan: &Planned, song: &Song, grid: f64) -> f64 {
        let turn = self.turn(plan.turn);
        // A note on the sample clock stays where the earlier tempo has put it.
        let tempo = if turn.is_on_the_beat() { song.tempo } else { plan.slowest };
        let moved = grid * 60.0 / tempo * RATE;
        let jumps = turn.jumps * (0.5 + song.samples(2.0 * JITTER_BEATS));
        0.5 * (turn.tempo / song.tempo).max(1.0) + jumps + moved
    }

    /// The sample at which the song puts a note, but not before the note was delivered.
    fn expected(&self, plan: &Planned, song: &Song) -> f64 {
        let turn = self.turn(plan.turn);
        let seconds = plan.note.onset.0 - turn.from / RATE;
        let at = match (turn.beat, song.beat) {
            (Some(hand_over), Some((beat, pace))) => {
                let onset = hand_over + seconds * turn.tempo / 60.0;
                song.begin as f64 + (onset - beat) / pace
            }
            _ => plan.note.onset.0 * RATE,
        };
        // A note that the host has just skipped is due at once.
        let is_skipped = song.skips(song.begin as f64 - at);
        at.max(plan.delivered as f64).max(if is_skipped { song.begin as f64 } else { at })
    }
}

impl Turn {
    /// Whether its notes are placed by the beat, and no jump has moved them.
    pub fn is_on_the_beat(&self) -> bool {
        self.beat.is_some() && self.jumps == 0.0
    }
}

/// Where quantise may have moved a note.
#[derive(Clone, Copy, PartialEq)]
pub enum Moved {
    Nowhere,
    /// Onto grid lines in pairs: `pair` is the length of a pair, `second` the offset of its second line, in
    /// beats.
    OntoLines {
        pair: f64,
        second: f64,
    },
    /// By an unknown amount: the setting has changed, or the strength is partial.
    Somewhere,
}

impl Moved {
    /// `stays` says that the setting has not changed since the note was delivered.
    pub fn by(quantise: &Quantise, stays: bool) -> Self {
        let lines = GRIDS.iter().find(|(grid, _)| *grid == quantise.grid).expect("a grid of the player's").1;
        let is_straight = quantise.grid != Grid::EighthTriplet;
        match (stays, lines > 0.0) {
            (true, false) => Self::Nowhere,
            (true, true) if quantise.strength == 1.0 => {
                let swing = if is_straight { quantise.swing } else { 0.5 };
                Self::OntoLines { pair: 2.0 * lines, second: 2.0 * lines * swing }
            }
            _ => Self::Somewhere,
        }
    }

    /// The largest distance by which it moves a note, in beats: for an unknown grid, a pair of the widest
    /// lines.
    pub fn beats(self) -> f64 {
        match self {
            Self::Nowhere => 0.0,
            Self::OntoLines { pair, .. } => pair,
            Self::Somewhere => 1.0,
        }
    }

    /// How far a note is from the grid, in samples; 0 for a note that the host has just skipped, which is due
    /// at once.
    pub fn off_grid(self, turn: &Turn, song: &Song, at: u64) -> Option<f64> {
        let Self::OntoLines { pair, second } = self else { return None };
        let beat = song.beat_at(at).filter(|_| turn.is_on_the_beat())?.rem_euclid(pair);
        let behind = [0.0, second, pair].map(|line| song.samples(beat - line));
        let is_skipped = at == song.begin && behind.into_iter().any(|behind| song.skips(behind));
        let off = behind.into_iter().map(f64::abs).fold(f64::INFINITY, f64::min);
        Some(if is_skipped { 0.0 } else { off })
    }
}
