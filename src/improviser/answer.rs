//! One answer, drawn note by note within the limits that the player has set.

use rand::SeedableRng;

use super::{
    model_cache::ModelCache,
    struck::{Onsets, Struck, Voices},
};
use crate::{
    lane::{Ending, LATEST},
    model::{Limits, Rng, SamplingSettings},
    music::{
        call::{CHORD_SPAN, Call},
        conditions::{Conditions, Harmony, Who},
        feel::steadiness,
        generation::{Crowd, GenerationSettings, Register, Thousandths},
        hands::{AccompanimentMask, Part},
        keys::Keys,
        memory::{KnownNote, Memory},
        metre::Metre,
        note::{Cell, Key, Note, Velocity},
        pace::{Pace, Stray},
        patience::PHRASE_END_SILENCE,
        scale::KeyEstimate,
        time::{Moment, Seconds},
        turn::TurnId,
    },
};

/// Weight of the prior, in notes that stray as often as the player's: one stray note is no habit.
const SUPPOSED_NOTES: f32 = 8.0;
/// Number of newest notes of which the current pace is measured.
const NEWEST: usize = 32;
/// Smallest share of notes outside the scale that is assumed of a player.
const LEAST_OUTSIDE: f32 = 0.01;
/// The longest step within an answer: after a longer one, a partner seems to have left.
const LONGEST_STEP: Seconds = Seconds(2.0);
/// The first note of an answer begins at least this long before its end: two cells of the grid.
const ROOM_FOR_A_NOTE: Seconds = Seconds(0.02);
/// A later note this close to the end is left out: its continuation is not played, and it would be cut to a
/// click.
const LAST_MOMENT: Seconds = Seconds(0.05);
const LONGEST_DURATION: Seconds = Seconds(8.0);
/// Shortest note of an answer, whatever the model draws and the player plays: a shorter one is a click.
const SHORTEST_DURATION: Seconds = Seconds(0.03);
/// Most onsets of any answer within 0.1 s, for ten fingers: more would be a wall of notes.
const WALL: Crowd = Crowd { onsets: 10, span: Seconds(0.1) };
/// An answer ends with a chord that begins at most this long before its end, or a beat if the beat is known.
const CLOSE: Seconds = Seconds(0.5);
/// Upper limit of that time, as a part of the answer.
const PART_OF_CLOSE: f32 = 0.125;
/// The chord rings to the end, and at least for this part of that time.
const LEAST_RING: f32 = 0.5;
/// Most notes that are struck at once in together mode.
const CHORD_ALONG: usize = 3;
/// Chords in together mode are this many beats apart at least: nearly an eighth, swung or not.
const SPACING_ALONG: f64 = 0.45;
/// Number of the player's newest notes that an answer in together mode goes by.
const NOTES_OF_A_PLAYER: usize = 32;

/// An answer, as far as it has been drawn.
pub struct Answer {
    pub turn: TurnId,
    until: Moment,
    touch: Velocity,
    /// The call that it answers, if anything was played.
    call: Option<Call>,
    /// The pace of the call, if it can be measured.
    pace: Option<Pace>,
    /// How long before its end it comes to a close; `None` where it has no end, or plays along.
    close: Option<Seconds>,
    ending: Ending,
    mask: AccompanimentMask,
    /// The player goes on meanwhile.
    is_along: bool,
    /// Scale of the player's notes, if it can be estimated.
    scale: Option<KeyEstimate>,
    /// Number of the answer's notes inside and outside that scale.
    kept: [u16; 2],
    /// How closely the player keeps to the beat, 0..=1.
    steadiness: f32,
    rng: Rng,
    /// The newest onset of the call or the answer; the next step counts from it.
    last_onset: Moment,
    /// The hand-over.
    begun: Moment,
    /// The beats of the answer: it keeps to the tempo at which it was asked for.
    metre: Metre,
    harmony: Option<Harmony>,
    /// No note may begin earlier.
    from: Moment,
    /// The line of the song on which the first note begins, if it does.
    line: Option<Moment>,
    /// Onsets of the earlier answers that this one continues.
    lately: Onsets,
    onsets: Onsets,
    struck: Struck,
    voices: Voices,
    is_complete: bool,
}

/// The request for an answer.
pub struct Task {
    pub turn: TurnId,
    pub from: Moment,
    pub until: Moment,
    pub seed: u32,
    pub touch: Velocity,
    pub ending: Ending,
    /// What is left to the player, where the answer plays along.
    pub mask: Option<AccompanimentMask>,
    /// The first note begins at `from`.
    pub on_the_line: bool,
    /// The metre at `from`.
    pub metre: Metre,
    pub harmony: Option<Harmony>,
}

impl Answer {
    /// Begins an answer to the notes of a scene. The onsets of `lately` count in its crowds.
    pub fn new(task: Task, lately: Onsets, scene: &Memory) -> Self {
        let Task { turn, from, until, seed, touch, ending, mask, on_the_line, metre, harmony } = task;
        let call = match mask {
            Some(_) => Call::of(scene.newest_of_player(NOTES_OF_A_PLAYER), from),
            None => Call::of(scene.call().iter(), from),
        };
        Self {
            turn,
            until,
            touch,
            call,
            pace: Call::pace(call, scene),
            close: close(from, until, &metre).filter(|_| mask.is_none()),
            ending,
            mask: mask.unwrap_or_default(),
            is_along: mask.is_some(),
            scale: KeyEstimate::of(scene.keys_of_player()),
            kept: [0; 2],
            steadiness: steadiness(scene.known_of_player()),
            rng: Rng::seed_from_u64(u64::from(seed)),
            last_onset: Cell::of(scene.newest(1).first().map_or(from, |note| note.onset)).moment(),
            begun: from,
            metre,
            harmony,
            from,
            line: on_the_line.then_some(from),
            lately,
            onsets: lately,
            struck: Struck::before(if lately.is_empty() { Moment::EARLIEST } else { lately.newest() }),
            voices: if mask.is_some() { Voices::of_plugin(scene, from) } else { Voices::new() },
            is_complete: false,
        }
    }

    /// The same answer, continued anew after the notes of a scene, from which those that will never sound have
    /// been taken back. Its ending and its mask stay. No new note begins before `earliest`.
    pub fn replanned(
        &self,
        task: Task,
        earliest: Moment,
        scene: &Memory,
        generation: &GenerationSettings,
    ) -> Self {
        let Self { begun, metre, ending, mask, is_along, lately, call, pace, close, line, .. } = *self;
        let mut renewed = Self::new(Task { ending, mask: Some(mask), ..task }, lately, scene);
        (renewed.begun, renewed.metre, renewed.call, renewed.pace, renewed.close) =
            (begun, metre, call, pace, close);
        renewed.is_along = is_along;
        renewed.from = begun.max(earliest);
        renewed.line = line.filter(|line| *line >= earliest);
        self.notes_in(scene).for_each(|note| renewed.follow(note, generation));
        renewed
    }

    /// Earlier `lately` onsets, then its own up to and at a moment; `scene` is the one that it was drawn in.
    pub fn onsets_by(&self, moment: Moment, scene: &Memory) -> Onsets {
        let mut onsets = self.lately;
        self.notes_in(scene).filter(|note| note.onset <= moment).for_each(|note| onsets.push(note.onset));
        onsets
    }

    fn notes_in<'a>(&self, scene: &'a Memory) -> impl Iterator<Item = &'a Note> + use<'a> {
        let begun = self.begun;
        scene.newest(usize::MAX).iter().filter(move |note| note.onset >= begun)
    }

    /// The answer has been played up to this moment: notes that would come too late are not drawn.
    pub fn keep_up(&mut self, reached: Moment) {
        if self.last_onset < reached && self.from + LATEST < reached {
            self.from = reached;
        }
    }

    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Draws the next note and adds it to the scene. Gives the note and the probability that the model gave
    /// its key; `None` where the answer is complete.
    pub fn next_note(
        &mut self,
        cache: &mut ModelCache,
        scene: &mut Memory,
        generation: &GenerationSettings,
    ) -> Option<(Note, Option<f32>)> {
        let room = if self.onsets.is_empty() { Seconds::ZERO } else { LAST_MOMENT };
        let note = self.draw(cache, scene, generation).filter(|note| self.until - note.onset > room);
        match note {
            Some(note) => {
                let conditions =
                    Conditions { who: Some(Who::Plugin), ..self.known_at(note.onset, generation) };
                scene.remember(KnownNote { note, conditions });
                self.follow(&note, generation);
            }
            None => self.is_complete = true,
        }
        note.map(|note| (note, cache.state.key_probabilities.as_ref().map(|all| all.of_key(note.key))))
    }

    /// The conditions at a moment of the answer, or shortly before it.
    fn known_at(&self, moment: Moment, generation: &GenerationSettings) -> Conditions {
        let pulse = self.metre.pulse(moment);
        Conditions { pulse, harmony: self.harmony, style: generation.style, who: None }
    }

    fn follow(&mut self, note: &Note, generation: &GenerationSettings) {
        self.onsets.push(note.onset);
        self.struck.follow(note);
        self.voices.strike(note, generation.polyphony);
        if let Some(scale) = self.scale {
            let kept = &mut self.kept[usize::from(!scale.holds(note.key))];
            *kept = kept.saturating_add(1);
        }
    }

    /// `None` where the phrase or piece is over, or no key is allowed: silence beats an unwanted note.
    fn draw(
        &mut self,
        cache: &mut ModelCache,
        scene: &Memory,
        generation: &GenerationSettings,
    ) -> Option<Note> {
        // Where the player has set the register, the call's does not matter.
        let is_free = generation.register == Register::ALL && generation.part == Part::Free;
        let call = self.heeded(generation).map(|call| if is_free { call } else { call.anywhere() });
        let keys = self.keys(call, generation);
        if keys.is_empty() {
            return None;
        }
        let has_begun = !self.onsets.is_empty();
        let may_end = self.ending == Ending::Phrase && has_begun;
        let earliest = self.earliest(generation);
        let from = self.earliest_chord(earliest, generation);
        let line = self.line.filter(|line| !has_begun && *line >= from);
        let longest_step = match line {
            Some(_) => Seconds((from - self.last_onset).0.max(0.0) + ROOM_FOR_A_NOTE.0),
            None if may_end => Seconds::FOREVER,
            None => self.longest_step(has_begun),
        };
        let limits = self.limits(keys, call, [earliest, from], longest_step);
        cache.hear(scene, generation.memory.into(), usize::MAX);
        cache.state.now = self.known_at(self.last_onset, generation);
        let sampling = self.sampling(scene, call, generation);
        let may_be_over = self.ending == Ending::Piece && has_begun;
        if may_be_over && cache.model.is_over(&mut cache.state, &sampling, &mut self.rng) {
            return None;
        }
        let drawn = cache.model.draw(&mut cache.state, &sampling, &limits, &mut self.rng);
        let joins = limits.joins(drawn.step);
        if may_end && drawn.step >= PHRASE_END_SILENCE
            || has_begun && self.closes(self.struck.onset) && !joins
        {
            return None;
        }
        let drawn_onset = self.last_onset + drawn.step;
        let end = drawn_onset + drawn.duration;
        // On the grid, as the model hears it.
        self.last_onset = Cell::of(drawn_onset).moment();
        let earliest = if joins { earliest } else { from };
        let onset = line.unwrap_or(drawn_onset.max(earliest).max(self.onsets.newest()));
        let chord = if joins { self.struck.onset } else { Cell::of(onset).moment() };
        let duration = self.rings(onset, end - onset, self.closes(chord)).max(limits.shortest_duration);
        Some(Note { onset, duration, key: drawn.key, velocity: drawn.velocity })
    }

    /// How the next note is chosen among those that the limits leave.
    fn sampling(
        &self,
        scene: &Memory,
        call: Option<Call>,
        generation: &GenerationSettings,
    ) -> SamplingSettings {
        let mut sampling = SamplingSettings::of(generation, self.touch);
        if self.is_along {
            sampling = sampling.along();
        } else if self.onsets.is_empty() {
            sampling = sampling.entering();
        }
        sampling = sampling.against(self.stray(scene), generation).beside(call);
        sampling.closeness = if generation.adapts { self.steadiness } else { 1.0 };
        self.scale.map_or(sampling, |scale| sampling.within(scale, self.strays(scale), generation))
    }

    /// The next note begins no earlier than `earliest`; one that begins a chord, no earlier than `from`.
    fn limits(
        &self,
        keys: Keys,
        call: Option<Call>,
        [earliest, from]: [Moment; 2],
        longest_step: Seconds,
    ) -> Limits {
        Limits {
            keys,
            chord: self.struck.joined(self.last_onset, earliest, keys),
            least_step: (from - self.last_onset).max(Seconds::ZERO),
            longest_step,
            shortest_duration: call.map_or(SHORTEST_DURATION, |call| call.shortest().max(SHORTEST_DURATION)),
            longest_duration: LONGEST_DURATION,
            sounding: self.voices.after(self.last_onset),
        }
    }

    /// The keys that it may strike: those that the player allows; near the call, if there are any.
    fn keys(&self, call: Option<Call>, generation: &GenerationSettings) -> Keys {
        let keys = generation.keys().without(self.mask.keys);
        call.map_or(keys, |call| keys.and(call.reach()).or_else(keys))
    }

    fn closes(&self, onset: Moment) -> bool {
        self.close.is_some_and(|close| self.until - onset <= close)
    }

    /// Duration of a note that was drawn: the last chord rings to the end, and no note sounds beyond it.
    fn rings(&self, onset: Moment, drawn: Seconds, is_last: bool) -> Seconds {
        let Some(close) = self.close else { return drawn };
        let left = (self.until - onset).max(Seconds(close.0 * LEAST_RING));
        if is_last { left } else { drawn.min(left) }
    }

    /// How much more often the answer leaves the player's scale than the player does, as a natural logarithm.
    fn strays(&self, scale: KeyEstimate) -> f32 {
        let players = scale.outside().max(LEAST_OUTSIDE);
        let [inside, outside] = self.kept.map(f32::from);
        let own = (outside + players * SUPPOSED_NOTES) / (inside + outside + SUPPOSED_NOTES);
        (own / players).ln().max(0.0)
    }

    /// How far the newest notes are off the call's pace.
    fn stray(&self, scene: &Memory) -> Stray {
        // In together mode the player's notes lie among its own.
        let now = if self.is_along {
            Pace::of(scene.newest_of_plugin(NEWEST))
        } else {
            Pace::of(scene.newest(NEWEST))
        };
        now.zip(self.pace).map_or(Stray::NONE, |(now, call)| now.stray_from(call))
    }

    /// The longest step to the next note. The first note lies within the answer, which is never empty.
    fn longest_step(&self, has_begun: bool) -> Seconds {
        let room = self.until - self.last_onset;
        if has_begun { LONGEST_STEP } else { LONGEST_STEP.min(Seconds(room.0 - ROOM_FOR_A_NOTE.0)) }
    }

    /// The earliest onset of the next note: an earlier one would come before its time, or make a crowd.
    fn earliest(&self, generation: &GenerationSettings) -> Moment {
        let most = if self.is_along { CHORD_ALONG } else { Key::COUNT };
        let chord = Crowd { onsets: generation.polyphony.count().min(most), span: CHORD_SPAN };
        let paced = self.paced(generation).and_then(|call| call.crowd());
        let crowds = [Some(WALL), Some(chord), generation.density.crowd(), paced];
        crowds.into_iter().flatten().filter_map(|crowd| self.onsets.next(crowd)).fold(self.from, Moment::max)
    }

    /// The call, where it shapes the answer.
    fn heeded(&self, generation: &GenerationSettings) -> Option<Call> {
        self.call.filter(|_| generation.adapts)
    }

    /// The call, where its pace shapes the answer.
    fn paced(&self, generation: &GenerationSettings) -> Option<Call> {
        self.heeded(generation).filter(|_| generation.pace_follow > Thousandths::ZERO)
    }

    /// The earliest onset of a new chord, where no note may begin before `earliest`.
    fn earliest_chord(&self, earliest: Moment, generation: &GenerationSettings) -> Moment {
        let pulse = self.metre.pulse(self.struck.onset).filter(|_| self.is_along);
        let along = pulse.map_or(Seconds::ZERO, |pulse| pulse.lasting(SPACING_ALONG));
        let spacing = self.paced(generation).map_or(Seconds::ZERO, |call| call.spacing());
        let spacing = spacing.max(self.mask.spacing).max(along);
        earliest.max(self.struck.over()).max(self.struck.onset + spacing)
    }
}

/// How long before its end an answer comes to a close, if it has an end.
fn close(from: Moment, until: Moment, metre: &Metre) -> Option<Seconds> {
    let length = until - from;
    let beat = metre.pulse(from).map_or(CLOSE, |pulse| Seconds(pulse.period() as f32));
    (length < Seconds::FOREVER).then(|| beat.min(Seconds(length.0 * PART_OF_CLOSE)))
}
