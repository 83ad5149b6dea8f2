//! Measures of a call: how fast, how high and how loud it is. An answer keeps near them.

use super::{
    generation::Crowd,
    keys::Keys,
    memory::Memory,
    note::{Key, Note, Velocity},
    pace::Pace,
    time::{Moment, Seconds},
};

/// Number of the player's newest notes from which the pace is measured.
const NOTES_OF_PACE: usize = 64;
/// Longest time from the first strike of a chord to its last one.
pub const CHORD_SPAN: Seconds = Seconds(0.05);
/// Longest silence after the last onset that counts, unless its notes are held for longer.
const BREATH: Seconds = Seconds(1.0);
/// Longest step that counts, so that an answer to a slow call still has something to say.
const LONGEST_STEP: Seconds = Seconds(2.0);
/// A call of fewer notes counts as short: it is no reason for a fast answer.
const FEW_NOTES: usize = 8;
/// How many times as fast as a short call its answer may be.
const BESIDE_FEW: f64 = 1.5;
/// How many times as fast as a longer call its answer may be.
const BESIDE_MANY: f64 = 3.0;
/// Where even the call's shortest note is longer than this, an answer may have notes of this duration all
/// the same.
const SHORT: Seconds = Seconds(0.1);
/// Number of semitones that an answer may reach beyond the call.
const REACH: u8 = 12;

/// What the notes of a call tell about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call {
    notes: usize,
    /// Mean time from note to note, in seconds, above 0. The last note's time lasts until the answer begins.
    step: f64,
    /// The same from chord to chord.
    chord_step: f64,
    /// The geometric mean of the durations, in seconds.
    duration: f64,
    shortest: Seconds,
    /// Number of notes of the largest chord.
    chord: usize,
    lowest: Key,
    highest: Key,
    softest: Velocity,
    loudest: Velocity,
}

impl Call {
    /// Measures a call by its notes, in the order of their onsets; it is answered at `until`. `None` where
    /// there is no note. Realtime-safe.
    pub fn of<'a>(notes: impl Iterator<Item = &'a Note>, until: Moment) -> Option<Self> {
        let mut notes = notes;
        let mut it = Strikes::of(notes.next()?);
        notes.for_each(|note| it.add(note));
        let waited = (until - it.chord_onset).max(CHORD_SPAN);
        let rest = waited.min(it.held.max(BREATH)).min(LONGEST_STEP);
        let span = it.span + f64::from(rest.0);
        let notes = it.call.notes as f64;
        let (step, chord_step) = (span / notes, span / it.chords as f64);
        Some(Self { step, chord_step, duration: (it.durations / notes).exp(), ..it.call })
    }

    /// The pace that an answer follows: that of the call if it is short, or else that of the player's
    /// newest notes. A plugin that plays from nothing has the usual pace.
    pub fn pace(call: Option<Self>, scene: &Memory) -> Option<Pace> {
        if scene.is_empty() {
            return Some(Pace::USUAL);
        }
        call.and_then(|call| call.pace_of_few()).or_else(|| Pace::of(scene.newest_of_player(NOTES_OF_PACE)))
    }

    /// The pace of a short call, whose notes are too few to tell one by themselves; `None` for a longer
    /// call.
    fn pace_of_few(&self) -> Option<Pace> {
        let chords = (self.step * self.notes as f64 / self.chord_step).round() as usize;
        let together = self.notes.saturating_sub(chords);
        self.is_short().then(|| Pace::of_few(self.notes, together, self.chord_step, self.duration))
    }

    /// How many onsets of an answer a stretch of time may hold.
    pub fn crowd(&self) -> Option<Crowd> {
        let per_second = self.times() / self.step;
        let onsets = if self.is_short() { self.chord } else { (per_second.ceil() as usize).max(self.chord) };
        Some(Crowd { onsets, span: Seconds((onsets as f64 / per_second) as f32) })
    }

    /// Shortest time between two chords of an answer.
    pub fn spacing(&self) -> Seconds {
        if self.is_short() { Seconds((self.chord_step / BESIDE_FEW) as f32) } else { Seconds::ZERO }
    }

    /// Shortest duration that a note of an answer may have.
    pub fn shortest(&self) -> Seconds {
        self.shortest.min(SHORT)
    }

    /// The keys that an answer may use.
    pub fn reach(&self) -> Keys {
        let (lowest, highest) = (self.lowest.number(), self.highest.number());
        let above = Keys::above(Key::saturating(highest.saturating_add(REACH)));
        Keys::from(Key::saturating(lowest.saturating_sub(REACH))).without(above)
    }

    /// The same call, as if it had been played on all keys.
    pub fn anywhere(self) -> Self {
        Self { lowest: Key::saturating(0), highest: Key::saturating(127), ..self }
    }

    /// Number of semitones by which a key lies outside of what was played; 0 within.
    pub fn keys_outside(&self, key: Key) -> f32 {
        outside(key.number(), self.lowest.number(), self.highest.number())
    }

    /// How much softer or louder a velocity is than all that was played; 0 within.
    pub fn dynamics_outside(&self, velocity: f32) -> f32 {
        let (softest, loudest) = (f32::from(self.softest.value()), f32::from(self.loudest.value()));
        (softest - velocity).max(velocity - loudest).max(0.0)
    }

    fn is_short(&self) -> bool {
        self.notes < FEW_NOTES
    }

    fn times(&self) -> f64 {
        if self.is_short() { BESIDE_FEW } else { BESIDE_MANY }
    }
}

/// Natural logarithm of a duration in seconds, of at least 0.01: an ear would not notice a shorter one.
fn ln(duration: Seconds) -> f64 {
    f64::from(duration.0).max(0.01).ln()
}

fn outside(number: u8, low: u8, high: u8) -> f32 {
    f32::from(low.saturating_sub(number).max(number.saturating_sub(high)))
}

/// The measures of a call, from the notes that were added so far.
struct Strikes {
    call: Call,
    chords: usize,
    /// First onset of the newest chord.
    chord_onset: Moment,
    /// Number of notes of the newest chord so far.
    chord: usize,
    /// Longest duration of a note of the newest chord.
    held: Seconds,
    /// Sum of the natural logarithms of all durations.
    durations: f64,
    /// Time from the first chord to the newest one, in seconds; no step counts as longer than
    /// [`LONGEST_STEP`].
    span: f64,
}

impl Strikes {
    fn of(first: &Note) -> Self {
        let Note { onset, duration, key, velocity } = *first;
        let call = Call {
            notes: 1,
            step: 0.0,
            chord_step: 0.0,
            duration: 0.0,
            shortest: duration,
            chord: 1,
            lowest: key,
            highest: key,
            softest: velocity,
            loudest: velocity,
        };
        Self {
            call,
            chords: 1,
            chord_onset: onset,
            chord: 1,
            held: duration,
            durations: ln(duration),
            span: 0.0,
        }
    }

    fn add(&mut self, note: &Note) {
        let call = &mut self.call;
        call.notes += 1;
        (call.lowest, call.highest) = (call.lowest.min(note.key), call.highest.max(note.key));
        call.shortest = call.shortest.min(note.duration);
        call.softest = call.softest.min(note.velocity);
        call.loudest = call.loudest.max(note.velocity);
        let step = note.onset - self.chord_onset;
        if step > CHORD_SPAN {
            self.span += f64::from(step.min(LONGEST_STEP).0);
            (self.chord_onset, self.chord, self.held) = (note.onset, 0, Seconds::ZERO);
            self.chords += 1;
        }
        self.chord += 1;
        self.held = self.held.max(note.duration);
        self.durations += ln(note.duration);
        self.call.chord = self.call.chord.max(self.chord);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(onset: f64, duration: f32, key: u8) -> Note {
        let (key, velocity) = (Key::saturating(key), Velocity::saturating(70));
        Note { onset: Moment(onset), duration: Seconds(duration), key, velocity }
    }

    fn call(notes: &[Note], until: f64) -> Call {
        Call::of(notes.iter(), Moment(until)).expect("notes")
    }

    #[test]
    fn the_pace_of_one_note_is_told_by_the_silence_behind_it() {
        let spacing = |duration, until| call(&[note(0.0, duration, 60)], until).spacing().0;
        assert!((spacing(0.5, 0.9) - 0.6).abs() < 1e-6);
        assert!((spacing(0.1, 60.0) - 1.0 / 1.5).abs() < 1e-6);
        assert!((spacing(30.0, 31.0) - 2.0 / 1.5).abs() < 1e-6, "however long it was held");
    }

    #[test]
    fn a_chord_is_answered_with_no_larger_ones_and_no_faster_ones() {
        let triad = [60, 64, 67].map(|key| note(0.0, 0.5, key));
        let call = call(&triad, 1.2);
        let crowd = call.crowd().expect("a crowd");
        assert_eq!(crowd.onsets, 3);
        assert!((crowd.span.0 - call.spacing().0).abs() < 1e-6);
        assert_eq!(Call::of([].iter(), Moment(1.0)), None);
    }

    #[test]
    fn a_long_call_is_answered_at_most_three_times_as_fast() {
        let line: Vec<Note> = (0..20).map(|n| note(f64::from(n) * 0.25, 0.2, 60)).collect();
        let call = call(&line, 5.0);
        let crowd = call.crowd().expect("a crowd");
        assert_eq!((crowd.onsets, crowd.span, call.spacing()), (12, Seconds(1.0), Seconds::ZERO));
    }

    #[test]
    fn an_answer_reaches_an_octave_beyond_the_call() {
        let call = call(&[note(0.0, 0.5, 36), note(0.5, 0.5, 43)], 1.5);
        let reach = call.reach();
        assert!(reach.contains(Key::saturating(24)) && reach.contains(Key::saturating(55)));
        assert!(!reach.contains(Key::saturating(23)) && !reach.contains(Key::saturating(56)));
        assert_eq!([30, 40, 50].map(|key| call.keys_outside(Key::saturating(key))), [6.0, 0.0, 7.0]);
        assert_eq!([60.0, 70.0, 75.0].map(|velocity| call.dynamics_outside(velocity)), [10.0, 0.0, 5.0]);
    }
}
