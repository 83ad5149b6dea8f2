//! The improviser, run by the worker: takes in the notes that were heard, and makes an answer note by note.

mod answer;
pub mod key_predictions;
mod model_cache;
mod struck;
#[cfg(test)]
mod tests;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

pub use self::model_cache::ModelCache;
use self::{
    answer::{Answer, Task},
    key_predictions::Display,
    model_cache::ModelCaches,
    struck::Onsets,
};
use crate::{
    lane::{Ending, ImproviserEnd, Reply, Request, Silence},
    model::Model,
    music::{
        beat_tracker,
        conditions::{Conditions, Swing, Who},
        generation::GenerationSettings,
        hands::AccompanimentMask,
        harmony,
        memory::{KnownNote, Memory},
        metre::{Metre, Metres},
        note::Note,
        note_tracker::OPEN_NOTES,
        patience::PhraseEnd,
        time::{Moment, Seconds},
        turn::TurnId,
    },
};

/// How long the player's own beat stays valid after its newest strike: a call may be too short to find one.
const BEAT_STANDS: Seconds = Seconds(10.0);
/// Number of faults without a note between them at which memory and the player's own model are dropped too.
const FAULTS_BEFORE_FORGETTING: u32 = 2;
/// Number of faults without a note between them at which the improviser stops for good.
const HOPELESS_FAULTS: u32 = 8;

/// What the worker is to do after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepResult {
    /// There may be more to do.
    Worked,
    /// Nothing to do until a request comes or a lane drains.
    Idle,
    /// The audio thread is gone.
    Closed,
}

/// Listens and answers, one small step at a time. Owned by the worker, or by the audio thread offline.
pub struct Improviser {
    end: ImproviserEnd,
    caches: ModelCaches,
    memory: Memory,
    generation: GenerationSettings,
    answer: Option<Answer>,
    /// The audio thread has asked for an answer and has no note of it yet.
    is_awaited: bool,
    /// Onsets that sounded of the answer that ended last, and of those that it continued.
    lately: Onsets,
    /// The memory, plus the notes that still sound and the answer so far.
    scene: Memory,
    /// What the next answer leaves to the player, where it plays along.
    mask: Option<AccompanimentMask>,
    /// The next answer begins on a line of the song.
    on_the_line: bool,
    /// The changes of the song's metre.
    metres: Metres,
    harmonies: harmony::Changes,
    /// The beat of the player's newest notes, where no song ran.
    own_beat: Option<Metre>,
    /// How the player's eighths swing.
    swing: Swing,
    /// Notes that still sound, as reported by the audio thread for its next silence or answer.
    sounding: Vec<KnownNote>,
    /// The silence for which no hand-over was predicted yet.
    silence: Option<Silence>,
    display: Display,
    steps: u32,
    /// Panics since the last note.
    faults: u32,
    /// The turn whose answer was given up, until a reply says so.
    given_up: Option<TurnId>,
}

impl Improviser {
    /// `models` are the embedded ones in the order of [`GenerationSettings::model`]; at least one. Allocates.
    pub fn new(end: ImproviserEnd, models: &[Arc<dyn Model>]) -> Self {
        assert!(!models.is_empty(), "an improviser has a model");
        let caches =
            ModelCaches { embedded: models.iter().cloned().map(ModelCache::new).collect(), user: None };
        Self {
            end,
            caches,
            memory: Memory::new(),
            generation: GenerationSettings::DEFAULT,
            answer: None,
            is_awaited: false,
            lately: Onsets::new(),
            scene: Memory::new(),
            mask: None,
            on_the_line: false,
            metres: Metres::new(),
            harmonies: harmony::Changes::new(),
            own_beat: None,
            swing: Swing::STRAIGHT,
            sounding: Vec::with_capacity(OPEN_NOTES),
            silence: None,
            display: Display::new(),
            steps: 0,
            faults: 0,
            given_up: None,
        }
    }

    /// Moves the improviser to the ends of new lanes. It takes in what is left on the old ones, keeps its
    /// memory and drops its answer.
    pub fn resumed(mut self, end: ImproviserEnd) -> Self {
        while let Ok(request) = self.end.requests.pop() {
            self.take(request);
        }
        self.sounding.clear();
        (self.answer, self.silence, self.mask, self.given_up) = (None, None, None, None);
        (self.is_awaited, self.on_the_line) = (false, false);
        self.end = end;
        self
    }

    /// The player's own model answers from now on; `None` returns to the embedded ones. Allocates.
    pub fn set_user_model(&mut self, model: Option<Arc<dyn Model>>) {
        self.caches.user = model.map(ModelCache::new);
        self.display.grow_old();
    }

    /// Number of steps so far in which a model was used; wraps around.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Takes one request, makes one note, or hears one in advance. If that panics, the answer is given up and
    /// the next call is answered again. Realtime-safe.
    pub fn step(&mut self) -> StepResult {
        if self.is_hopeless() {
            return StepResult::Closed;
        }
        catch_unwind(AssertUnwindSafe(|| self.step_once())).unwrap_or_else(|_| self.recover())
    }

    /// Whether it has failed so often that it does nothing any more.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.faults >= HOPELESS_FAULTS
    }

    fn step_once(&mut self) -> StepResult {
        if let Ok(request) = self.end.requests.pop() {
            self.take(request);
            return StepResult::Worked;
        }
        if self.work() {
            self.steps = self.steps.wrapping_add(1);
            return StepResult::Worked;
        }
        if self.end.requests.is_abandoned() { StepResult::Closed } else { StepResult::Idle }
    }

    /// Does the most urgent work; false if there is none.
    fn work(&mut self) -> bool {
        let has_room = !self.end.replies.is_full();
        if has_room && let Some(turn) = self.given_up.take() {
            self.reply(Reply::Done(turn));
            return true;
        }
        let is_answering = self.answer.as_ref().is_some_and(|answer| !answer.is_complete());
        match self.silence {
            _ if is_answering && has_room => self.play_next(),
            Some(silence) if has_room => self.expect(silence),
            _ => return !is_answering && (self.follow() || self.show()),
        }
        true
    }

    /// After a panic: gives up the answer, so that the turn ends, and resets every model. The memory and the
    /// player's own model are kept, unless that did not help the last time. Allocates nothing.
    fn recover(&mut self) -> StepResult {
        self.faults += 1;
        self.end.telemetry.faults.raise();
        let unfinished = self.answer.take().filter(|answer| !answer.is_complete());
        self.given_up = unfinished.map(|answer| answer.turn).or(self.given_up);
        self.is_awaited = false;
        self.lately = Onsets::new();
        self.mask = None;
        self.sounding.clear();
        self.silence = None;
        self.caches.begin_anew();
        if self.faults >= FAULTS_BEFORE_FORGETTING {
            self.memory.clear();
            self.caches.user = None;
        }
        self.display.grow_old();
        StepResult::Worked
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Heard { note, who } => self.remember(note, who),
            Request::Sounding { note, who } if self.sounding.len() < OPEN_NOTES => {
                self.sounding.push(self.known(note, who));
            }
            Request::Sounding { .. } => {}
            Request::Silence(silence) => {
                self.conclude(Moment::NEVER);
                self.set_scene();
                self.silence = Some(silence);
            }
            Request::Song(metre) => self.metres.change(metre),
            Request::Harmony(change) => self.harmonies.push(change),
            Request::GenerationSettings(generation) => {
                self.generation = generation;
                self.display.grow_old();
            }
            Request::Answer { turn, from, length, seed, touch, ending } => {
                let (mask, until) = (self.mask.take(), from + length);
                self.is_awaited = true;
                let on_the_line = std::mem::take(&mut self.on_the_line);
                let (metre, harmony) = (self.metre(from), self.harmonies.at(from));
                let task = Task { turn, from, until, seed, touch, ending, mask, on_the_line, metre, harmony };
                self.begin(task);
            }
            Request::Replan { turn, now, from, length, seed, touch } => {
                let (until, ending, mask, on_the_line) = (from + length, Ending::Full, None, false);
                let (metre, harmony) = (self.metre(from), self.harmonies.at(from));
                let replan =
                    Task { turn, from, until, seed, touch, ending, mask, on_the_line, metre, harmony };
                self.go_on(replan, now);
            }
            Request::OnTheLine => self.on_the_line = true,
            Request::Avoid(mask) => self.mask = Some(mask),
            Request::Cancel { turn, sounded } => {
                if self.answer.as_ref().is_some_and(|answer| answer.turn == turn) {
                    self.conclude(sounded);
                }
            }
            Request::Forget => self.forget(),
        }
    }

    fn remember(&mut self, note: Note, who: Who) {
        self.memory.remember(self.known(note, who));
        if who == Who::Player {
            self.follow_beat(note.onset);
            self.swing = Swing::of(self.memory.known_of_player());
            self.tell_scale();
        }
        self.silence = None;
        self.display.grow_old();
    }

    fn forget(&mut self) {
        self.memory.clear();
        self.display.grow_old();
        self.sounding.clear();
        self.silence = None;
        self.harmonies.clear();
        (self.answer, self.own_beat, self.lately) = (None, None, Onsets::new());
        self.swing = Swing::STRAIGHT;
        self.tell_scale();
    }

    /// A note with the conditions at its onset.
    fn known(&self, note: Note, who: Who) -> KnownNote {
        let conditions = Conditions { who: Some(who), ..self.conditions(note.onset) };
        KnownNote { note, conditions }
    }

    /// The conditions at a moment.
    fn conditions(&self, at: Moment) -> Conditions {
        let (pulse, harmony) = (self.metre(at).pulse(at), self.harmonies.at(at));
        Conditions { pulse, harmony, style: self.generation.style, who: None }
    }

    /// The metre of the song at a moment; where no song runs, that of the player's own beat.
    fn metre(&self, at: Moment) -> Metre {
        let song = self.metres.metre(at);
        let is_silent = song.beats.is_none() && self.generation.tempo_from_player;
        let own = self.own_beat.filter(|own| is_silent && at - own.at < BEAT_STANDS);
        own.unwrap_or(song).swung(if self.generation.adapts { self.swing } else { Swing::STRAIGHT })
    }

    /// Follows the player's own beat with a new note of theirs.
    fn follow_beat(&mut self, onset: Moment) {
        if self.generation.tempo_from_player && self.metres.metre(onset).beats.is_none() {
            self.own_beat = beat_tracker::track(self.memory.call()).or(self.own_beat);
        }
    }

    /// The conditions at the newest onset.
    fn now_after(&self, scene: &Memory) -> Conditions {
        let onset = scene.newest(1).first().map(|note| note.onset);
        onset.map_or(Conditions::UNKNOWN, |onset| self.conditions(onset))
    }

    /// Ends the answer, if there is one. Its notes have sounded up to this moment of its own time.
    fn conclude(&mut self, sounded: Moment) {
        if let Some(answer) = self.answer.take() {
            self.lately = answer.onsets_by(sounded, &self.scene);
        }
    }

    fn begin(&mut self, task: Task) {
        // An answer that was not cancelled was played to its end.
        self.conclude(Moment::NEVER);
        // In together mode each strike makes a new plan of the same performance: a crowd does not begin anew.
        // Where the tempo has risen, notes that were drawn for later than the new hand-over have sounded
        // before it.
        let goes_on = task.mask.is_some();
        let lately = if goes_on { self.lately.by(task.from) } else { Onsets::new() };
        self.set_scene();
        if self.scene.is_empty() {
            self.scene.begin_piece();
        }
        self.silence = None;
        self.answer = Some(Answer::new(task, lately, &self.scene));
    }

    fn go_on(&mut self, task: Task, now: Moment) {
        match &self.answer {
            Some(answer) => {
                // Notes missing before `task.from` were never made: they are made now, to leave no gap.
                let made = self.scene.newest(1).first().map(|note| note.onset);
                let is_ahead = answer.is_complete() || made.is_some_and(|made| made >= task.from);
                let earliest = if is_ahead { task.from } else { now };
                self.scene.take_back(task.from);
                self.answer = Some(answer.replanned(task, earliest, &self.scene, &self.generation));
            }
            None => self.begin(task),
        }
    }

    /// Sets the scene: the memory, and the notes that still sound as if they ended now.
    fn set_scene(&mut self) {
        self.scene.copy_from(&self.memory);
        self.sounding.drain(..).for_each(|note| self.scene.suppose(note));
    }

    /// Replies when to take the floor.
    fn expect(&mut self, silence: Silence) {
        self.silence = None;
        let length = PhraseEnd::new(&self.scene, silence.since).hand_over(silence.lasted, silence.patience);
        let hand_over = length.map(|length| silence.since + length);
        self.reply(Reply::Expect { silence: silence.id, hand_over });
    }

    /// Has the model hear one note that it lacks, so that the next answer need not; false if there is none.
    fn follow(&mut self) -> bool {
        let cache = self.caches.of(self.generation.model);
        // A model with a sliding window hears it anew in any case.
        cache.model.window().is_none() && cache.hear(&self.memory, self.generation.memory.into(), 1) > 0
    }

    fn play_next(&mut self) {
        let reached = self.end.telemetry.answered_until.moment();
        let Self { caches, generation, answer: Some(answer), scene, .. } = self else { return };
        let turn = answer.turn;
        answer.keep_up(reached);
        let reply = match answer.next_note(caches.of(generation.model), scene, generation) {
            Some((note, likelihood)) => Reply::Play { turn, note, likelihood },
            None => Reply::Done(turn),
        };
        self.reply(reply);
        let is_first = std::mem::take(&mut self.is_awaited);
        if matches!(reply, Reply::Play { .. }) {
            self.faults = 0;
            if is_first {
                self.end.telemetry.first_notes.end();
            }
        }
        self.show_choice();
    }

    fn reply(&mut self, reply: Reply) {
        let sent = self.end.replies.push(reply);
        debug_assert!(sent.is_ok(), "a lane that was not full takes a reply");
    }
}
