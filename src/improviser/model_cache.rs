//! A model with its state, so that it hears each note only once.

use std::sync::Arc;

use crate::{
    model::{Model, State},
    music::{
        memory::{LARGEST_MEMORY, Memory, Span},
        note::GridNote,
    },
};

/// Number of notes between two checkpoints of the state. Notes come in the order of their ends, so a new one
/// may belong before some that were heard.
const BETWEEN_CHECKPOINTS: usize = 32;
/// Number of checkpoints: the older one is at least [`BETWEEN_CHECKPOINTS`] notes back.
const CHECKPOINTS: usize = 2;

/// A model with its state. The state depends on the notes alone, not on when they came.
pub struct ModelCache {
    pub model: Arc<dyn Model>,
    pub state: State,
    /// The notes heard since the initial state.
    heard: Vec<GridNote>,
    /// The initial state was the one before a piece.
    begins_piece: bool,
    checkpoints: [Checkpoint; CHECKPOINTS],
    /// State before the first note of the newest memory that may still change.
    settled: Checkpoint,
}

/// The state after some of the notes.
struct Checkpoint {
    /// Number of those notes; 0 where there is no checkpoint.
    notes: usize,
    state: State,
}

impl ModelCache {
    /// Allocates.
    pub fn new(model: Arc<dyn Model>) -> Self {
        let (state, heard) = (model.initial_state(), Vec::with_capacity(2 * LARGEST_MEMORY));
        let checkpoints = std::array::from_fn(|_| Checkpoint { notes: 0, state: model.initial_state() });
        let settled = Checkpoint { notes: 0, state: model.initial_state() };
        Self { model, state, heard, begins_piece: false, checkpoints, settled }
    }

    /// Returns to having heard nothing, whatever state a failed step has left. Realtime-safe.
    pub fn begin_anew(&mut self) {
        self.checkpoints.iter_mut().chain([&mut self.settled]).for_each(|checkpoint| checkpoint.notes = 0);
        self.heard.clear();
        self.model.reset(&mut self.state);
    }

    /// Which part of a memory of `memory` notes the model is to hear.
    fn span(&self, memory: usize) -> Span {
        match self.model.window() {
            Some(window) => Span { notes: memory.min(window), stride: 1 },
            None => Span { notes: memory, stride: memory.div_ceil(2) },
        }
    }

    /// Has the model hear what it has not heard yet of a memory of `notes` notes, at most `most` of them.
    /// Returns how many it heard. Realtime-safe.
    pub fn hear(&mut self, memory: &Memory, notes: usize, most: usize) -> usize {
        let span = self.span(notes);
        self.begin(memory.begins_piece(span));
        let known =
            memory.on_grid(span).zip(&self.heard).take_while(|(note, heard)| note.is_the_note(heard)).count();
        if known < self.heard.len() {
            self.go_back(known);
        }
        let before = self.heard.len();
        let settled = memory.on_grid(span).count().saturating_sub(memory.unsettled());
        for note in memory.on_grid(span).skip(before).take(most) {
            if self.heard.len() == settled {
                self.settled.set(settled, &self.state);
            }
            self.model.hear(&mut self.state, note);
            self.heard.push(note);
            self.checkpoint();
        }
        self.heard.len() - before
    }

    /// Forgets everything if `begins_piece` has changed.
    fn begin(&mut self, begins_piece: bool) {
        if begins_piece != std::mem::replace(&mut self.begins_piece, begins_piece) {
            self.go_back(0);
        }
    }

    /// Returns to the newest kept state in which no other than the first `notes` notes had been heard.
    fn go_back(&mut self, notes: usize) {
        let checkpoints = self.checkpoints.iter_mut().chain([&mut self.settled]);
        checkpoints.filter(|checkpoint| checkpoint.notes > notes).for_each(|checkpoint| checkpoint.notes = 0);
        let checkpoints = self.checkpoints.iter().chain([&self.settled]);
        let last =
            checkpoints.max_by_key(|checkpoint| checkpoint.notes).filter(|checkpoint| checkpoint.notes > 0);
        self.heard.truncate(last.map_or(0, |checkpoint| checkpoint.notes));
        match last {
            Some(checkpoint) => self.state.copy_from(&checkpoint.state),
            None => {
                self.model.reset(&mut self.state);
                if self.begins_piece {
                    self.model.begin_piece(&mut self.state);
                }
            }
        }
    }

    fn checkpoint(&mut self) {
        let notes = self.heard.len();
        if notes.is_multiple_of(BETWEEN_CHECKPOINTS) {
            self.checkpoints[notes / BETWEEN_CHECKPOINTS % CHECKPOINTS].set(notes, &self.state);
        }
    }
}

impl Checkpoint {
    fn set(&mut self, notes: usize, state: &State) {
        self.notes = notes;
        self.state.copy_from(state);
    }
}

/// The models that may answer.
pub struct ModelCaches {
    pub embedded: Vec<ModelCache>,
    /// The model of the player's own file; it takes precedence over the embedded ones.
    pub user: Option<ModelCache>,
}

impl ModelCaches {
    /// Returns every model to having heard nothing.
    pub fn begin_anew(&mut self) {
        self.embedded.iter_mut().chain(&mut self.user).for_each(ModelCache::begin_anew);
    }

    /// The player's own model, or an embedded one.
    pub fn of(&mut self, model: u8) -> &mut ModelCache {
        let last = self.embedded.len() - 1;
        match &mut self.user {
            Some(user) => user,
            None => &mut self.embedded[usize::from(model).min(last)],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::{
        model::{Limits, Rng, SamplingSettings},
        music::{
            note::{Key, Note, RelativeNote, Velocity},
            time::{Moment, Seconds},
        },
    };

    /// A model that knows which notes it has heard, in which order, and counts how often it has heard any.
    #[derive(Default)]
    struct Witness {
        window: Option<usize>,
        steps: AtomicUsize,
    }

    /// The state of a witness.
    #[derive(Debug, Clone, Default, PartialEq)]
    struct Heard {
        which: u64,
        notes: usize,
        begins_piece: bool,
    }

    impl Model for Witness {
        fn name(&self) -> &str {
            "witness"
        }

        fn window(&self) -> Option<usize> {
            self.window
        }

        fn initial_state(&self) -> State {
            State::of(Heard::default())
        }

        fn reset(&self, state: &mut State) {
            *state.own_mut() = Heard::default();
        }

        fn begin_piece(&self, state: &mut State) {
            state.own_mut::<Heard>().begins_piece = true;
        }

        fn hear(&self, state: &mut State, note: GridNote) {
            let told =
                u64::from(note.step % 100) + 100 * u64::from(note.key.number()) + u64::from(note.duration);
            let heard = state.own_mut::<Heard>();
            heard.which = (heard.which * 31 + told) % 65_521;
            heard.notes += 1;
            self.steps.fetch_add(1, Ordering::Relaxed);
        }

        fn draw(&self, _: &mut State, _: &SamplingSettings, _: &Limits, _: &mut Rng) -> RelativeNote {
            unreachable!("these tests only listen")
        }
    }

    fn witness(window: Option<usize>) -> Arc<Witness> {
        Arc::new(Witness { window, ..Witness::default() })
    }

    fn note(onset: f64, key: u8) -> Note {
        let (key, velocity) = (Key::saturating(key), Velocity::saturating(64));
        Note { onset: Moment(onset), duration: Seconds(0.2), key, velocity }
    }

    #[derive(Debug, Clone)]
    enum Event {
        /// Seconds after the newest one (negative: before), and the key.
        Note(f64, u8),
        Hear {
            notes: usize,
            most: usize,
        },
        Forget,
        Begin,
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            300 => (0.0..0.3, 40..80u8).prop_map(|(step, key)| Event::Note(step, key)),
            30 => (-9.0..0.0, 40..80u8).prop_map(|(step, key)| Event::Note(step, key)),
            50 => (prop_oneof![Just(150), 25..=150usize], prop_oneof![Just(1), 1..300usize])
                .prop_map(|(notes, most)| Event::Hear { notes, most }),
            1 => Just(Event::Forget),
            1 => Just(Event::Begin),
        ];
        prop::collection::vec(event, 1..600)
    }

    proptest! {
        #[test]
        fn what_is_known_depends_on_the_notes_alone(events in events(), window in prop::option::of(25..=150usize)) {
            let model = witness(window);
            let (mut cache, mut memory, mut newest) = (ModelCache::new(model.clone()), Memory::new(), 10.0);
            for event in events {
                match event {
                    Event::Note(step, key) => {
                        memory.remember(note(newest + step, key));
                        newest += step.max(0.0);
                    }
                    Event::Hear { notes, most } => _ = cache.hear(&memory, notes, most),
                    Event::Forget => memory.clear(),
                    Event::Begin => {
                        memory.clear();
                        memory.begin_piece();
                    }
                }
            }
            cache.hear(&memory, 150, usize::MAX);
            let mut fresh = ModelCache::new(model);
            fresh.hear(&memory, 150, usize::MAX);
            let heard = cache.state.own::<Heard>();
            prop_assert_eq!(heard, fresh.state.own::<Heard>());
            let begins_piece = memory.begins_piece(cache.span(150));
            prop_assert_eq!(heard.begins_piece, begins_piece);
            prop_assert_eq!(heard.notes, memory.on_grid(cache.span(150)).count());
        }
    }

    /// How often a note is heard while the notes of `onsets` come one by one.
    fn steps(onsets: impl Iterator<Item = f64>) -> usize {
        let model = witness(None);
        let (mut cache, mut memory) = (ModelCache::new(model.clone()), Memory::new());
        for onset in onsets {
            memory.remember(note(onset, 60));
            cache.hear(&memory, 150, usize::MAX);
        }
        model.steps.load(Ordering::Relaxed)
    }

    #[test]
    fn a_note_that_comes_in_time_is_heard_once_and_again_when_the_memory_moves_on() {
        assert_eq!(steps((0..224).map(f64::from)), 224);
        assert_eq!(steps((0..225).map(f64::from)), 224 + 150);
        assert!(steps((0..1000).map(f64::from)) < 3 * 1000);
    }

    #[test]
    fn a_note_that_comes_late_does_not_make_all_be_heard_anew() {
        for behind in 1..BETWEEN_CHECKPOINTS {
            let onsets = (0..140).map(f64::from).chain([139.5 - behind as f64]);
            assert!(steps(onsets) <= 140 + 2 * BETWEEN_CHECKPOINTS, "{behind}");
        }
    }

    #[test]
    fn what_was_only_supposed_leaves_no_trace_and_costs_no_more_than_what_follows_it() {
        let (model, mut memory) = (witness(None), Memory::new());
        let mut cache = ModelCache::new(model.clone());
        (0..50).for_each(|n| memory.remember(note(f64::from(n), 60)));
        let mut scene = memory.clone();
        [50.0, 50.5, 51.0].iter().for_each(|&onset| scene.suppose(note(onset, 64)));
        cache.hear(&scene, 150, usize::MAX);
        let steps = model.steps.load(Ordering::Relaxed);
        for onset in [50.0, 50.5, 51.0] {
            memory.remember(Note { duration: Seconds(3.0), ..note(onset, 64) });
        }
        cache.hear(&memory, 150, usize::MAX);
        assert_eq!(model.steps.load(Ordering::Relaxed) - steps, 3);
        let mut fresh = ModelCache::new(witness(None));
        fresh.hear(&memory, 150, usize::MAX);
        assert_eq!(cache.state.own::<Heard>(), fresh.state.own::<Heard>());
    }
}
