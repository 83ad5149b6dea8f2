//! What happened in a session.

use antiphon::{
    lane::Request,
    music::{
        generation::{Crowd, GenerationSettings},
        note::Note,
        note_tracker::{Place, Zone},
        time::Moment,
        turn::{Cue, TurnId},
    },
    performer::{Gesture, InputFilter, Settings, Sound},
};

use super::{
    RATE,
    expectations::{Hands, Moved, Plans, Song, is_music},
    host::Host,
};

/// A cue may be waited on for a bar, through jumps.
const FORGOTTEN_CUE: u64 = 15 * RATE as u64;
/// Two moments are one within so many seconds.
const SAME_MOMENT: f64 = 0.001;

/// All that happened, in the order of time.
#[derive(Default)]
pub struct Log {
    pub sounds: Vec<(u64, Sound)>,
    pub notes: Vec<Sounded>,
    pub strikes: Vec<Ended>,
    pub panics: Vec<Ended>,
    /// The first note of the player's that was heard while nothing was to be heard.
    pub overheard: Option<u64>,
    /// The first block that ended with more notes than voices, and the first panic that left something sounding.
    pub crowded: Option<u64>,
    pub survived_panic: Option<u64>,
    /// How many answers began where the partner expected the end of the call, and how often one was planned anew.
    pub expected_hand_overs: usize,
    pub changes_of_mind: usize,
    /// How many ends the host did not take, and how often it activated the plugin anew.
    pub refusals: usize,
    pub activations: usize,
    /// The first block at whose end something was owed, though the host had taken all that it was offered.
    pub unpaid: Option<u64>,
    plans: Plans,
    hands: Hands,
    sounding: Vec<Place>,
    /// What sounds because the host did not take its end.
    owed: Vec<Place>,
    /// What of the player's sounds because it has passed, as it does in bypass; once for each strike.
    passed: Vec<Place>,
    /// What of that sounds because the host did not take its end.
    owed_releases: Vec<Place>,
    /// The first of the blocks before this one in each of which the host refused something: what fell due since may be sent now.
    held_up: Option<u64>,
    expected: Option<Moment>,
    now: Option<Now>,
}

/// Something that ends what the plugin plays.
pub struct Ended {
    pub at: u64,
    /// The newest turn that was asked for before the block.
    pub newest_turn: Option<TurnId>,
    /// A strike does not in every mode.
    pub ends_the_turn: bool,
}

/// A note of the plugin's that sounded.
pub struct Sounded {
    pub at: u64,
    pub turn: TurnId,
    /// The first of the turns that are one answer.
    pub answer: TurnId,
    /// In the plan.
    pub onset: Moment,
    /// The same for what is planned later: where a faster tempo has brought it forward, as it sounded.
    pub counts_as: Moment,
    /// Where its plan said, in samples, and how far that may be off.
    pub expected: f64,
    pub uncertain: f64,
    /// How far it is from the player's grid, in samples, where it must be on it.
    pub off_grid: Option<f64>,
    pub is_quantised: bool,
    /// Hand-over of its turn, as it was asked for.
    pub handed_over: u64,
    pub waited_for_silence: bool,
    pub is_held_by_player: bool,
    /// Within the register and the scale of the moment, and on its channel.
    pub is_in_scale: bool,
    pub is_on_channel: bool,
    pub is_bypassed: bool,
    /// Of the settings with which it was drawn.
    pub density: Option<Crowd>,
    /// How many notes of the plugin's sound now, and how many may.
    pub sounding: usize,
    pub voices: usize,
}

/// How things stand in a block.
#[derive(Clone, Copy)]
struct Now {
    song: Song,
    settings: Settings,
    newest_turn: Option<TurnId>,
    /// Since when nothing is listened to, silence is the only cue, and onsets are quantised as they are.
    closed: Option<u64>,
    silence: Option<u64>,
    quantised: u64,
    /// A panic whose sample is not over yet.
    panic: Option<u64>,
    /// The host has refused something in this block.
    has_refused: bool,
}

impl Log {
    pub fn begin_block(&mut self, begin: u64, host: &Host, settings: Settings) {
        self.plans.begin_block(host.tempo(), host.jumped());
        let before = self.now;
        let since = |holds: bool, since: Option<u64>| holds.then(|| since.unwrap_or(begin));
        let waits = matches!(settings.rules.cue(), Some(Cue::Silence(_)) | None);
        let was_pressed = before.is_some_and(|now| now.settings.triggers.panic);
        let panic = settings.triggers.panic && !was_pressed;
        let same_grid = |now: &Now| now.settings.output.quantise == settings.output.quantise;
        let newest_turn = self.plans.newest();
        self.now = Some(Now {
            song: Song::of(begin, host),
            settings,
            newest_turn,
            closed: since(settings.input_filter == InputFilter::Closed, before.and_then(|now| now.closed)),
            silence: since(waits, before.and_then(|now| now.silence)),
            quantised: before.filter(same_grid).map_or(begin, |now| now.quantised),
            panic: panic.then_some(begin),
            has_refused: false,
        });
        self.hands.begin_block(&settings, panic);
        if panic {
            self.panics.push(Ended { at: begin, newest_turn, ends_the_turn: true });
        }
    }

    pub fn gesture(&mut self, at: u64, gesture: Gesture) {
        let now = self.now();
        self.hands.announce(at, gesture, &now.settings);
        if let Gesture::KeyDown(place, _) = gesture
            && is_music(place, &now.settings)
        {
            // Where there is an entry, a strike takes the floor back.
            let ends_the_turn = now.settings.rules.entry().is_some();
            self.strikes.push(Ended { at, newest_turn: now.newest_turn, ends_the_turn });
        }
    }

    pub fn request(&mut self, request: Request) {
        let Now { song, settings, closed, silence, .. } = self.now();
        let waited = silence.is_some_and(|since| since + FORGOTTEN_CUE < song.begin);
        if self.plans.request(request, &song, settings.rules, waited) {
            self.changes_of_mind += usize::from(matches!(request, Request::Replan { .. }));
        }
        let is_same = |from: Moment, other: Moment| (from.0 - other.0).abs() < SAME_MOMENT;
        match request {
            Request::Answer { from, .. } if self.expected.is_some_and(|expected| is_same(from, expected)) => {
                self.expected_hand_overs += 1;
            }
            Request::Heard { note, .. } => {
                let onset = (note.onset.0 * RATE).round() as u64;
                let overheard = closed.is_some_and(|closed| onset >= closed);
                self.overheard = self.overheard.or(overheard.then_some(onset));
            }
            _ => {}
        }
    }

    /// The partner has told when it expects the end of the call.
    pub fn expected(&mut self, hand_over: Option<Moment>) {
        self.expected = hand_over;
    }

    pub fn planned(&mut self, turn: TurnId, note: Note, generation: GenerationSettings, delivered: u64) {
        let tempo = self.now().song.tempo;
        self.plans.plan(turn, note, generation, delivered, tempo);
    }

    /// All that sounds can only be ended in the next block.
    pub fn activated_anew(&mut self) {
        self.activations += 1;
        self.owed.clone_from(&self.sounding);
        self.owed_releases.clone_from(&self.passed);
        self.expected = None;
        self.hands.forget();
    }

    /// The host has not taken this of the plugin's own.
    pub fn refused(&mut self, at: u64, sound: Sound) {
        self.check_panic(at);
        self.note_refusal();
        if self.now().panic.is_some() {
            // After the first refusal the plugin offers nothing more in this block.
            self.owed.clone_from(&self.sounding);
        }
        if let Sound::NoteOff(place) = sound {
            self.refusals += 1;
            if self.sounding.contains(&place) && !self.owed.contains(&place) {
                self.owed.push(place);
            }
        }
    }

    /// The host has not taken this of the player's.
    pub fn not_passed(&mut self, gesture: Gesture) {
        self.note_refusal();
        let all: Vec<Place> =
            self.passed.iter().copied().filter(|place| self.ends(gesture, *place)).collect();
        match gesture {
            Gesture::KeysUp(_) => {
                let is_owed =
                    |place: &&Place| count(&self.owed_releases, **place) < count(&self.passed, **place);
                self.owed_releases.extend(all.iter().find(is_owed).copied());
            }
            _ => {
                self.owed_releases.retain(|place| !all.contains(place));
                self.owed_releases.extend(&all);
            }
        }
        self.refusals += usize::from(!all.is_empty());
    }

    fn note_refusal(&mut self) {
        self.now.as_mut().expect("a block has begun").has_refused = true;
    }

    pub fn end_block(&mut self) {
        let Now { song, has_refused, .. } = self.now();
        self.check_panic(u64::MAX);
        self.held_up = has_refused.then(|| self.held_up.unwrap_or(song.begin));
        self.check_voices(song.begin);
        let is_owing = !self.owed.is_empty() || !self.owed_releases.is_empty();
        self.unpaid = self.unpaid.or((is_owing && !has_refused).then_some(song.begin));
    }

    pub fn passed(&mut self, gesture: Gesture) {
        match gesture {
            Gesture::KeyDown(place, _) => self.passed.push(place),
            Gesture::KeysUp(places) => {
                places.single().into_iter().for_each(|place| remove(&mut self.passed, place))
            }
            _ => {
                let passed = std::mem::take(&mut self.passed);
                self.passed = passed.into_iter().filter(|place| !self.ends(gesture, *place)).collect();
            }
        }
    }

    /// Whether this ends what sounds of the player's at a place.
    fn ends(&self, gesture: Gesture, place: Place) -> bool {
        let zone = self.now().settings.zone;
        match gesture {
            Gesture::KeysUp(places) => places.single() == Some(place),
            Gesture::AllOff { channel } => channel.is_none_or(|channel| zone.reaches(channel, place.channel)),
            Gesture::AllSoundOff { channel } => zone.reaches(channel, place.channel),
            _ => false,
        }
    }

    pub fn sound(&mut self, at: u64, sound: Sound) {
        self.check_panic(at);
        self.hands.pass(at);
        if let Sound::NoteOff(place) = sound
            && !self.sounding.contains(&place)
            && self.passed.contains(&place)
        {
            // A panic undoes what has passed as well.
            remove(&mut self.owed_releases, place);
            return remove(&mut self.passed, place);
        }
        self.sounds.push((at, sound));
        match sound {
            Sound::NoteOn(place, _) => {
                self.sounding.push(place);
                let note = self.sounded(at, sound, place);
                self.notes.push(note);
            }
            Sound::NoteOff(place) => {
                self.sounding.retain(|other| *other != place);
                self.owed.retain(|other| *other != place);
            }
            Sound::PedalUp { .. } | Sound::Unbend { .. } => {}
        }
    }

    fn sounded(&self, at: u64, sound: Sound, place: Place) -> Sounded {
        let Now { song, settings, quantised, .. } = self.now();
        let Settings { generation, output, bypass, zone, .. } = settings;
        let (plan, expected) = self.plans.of(sound, at, &output, &song).expect("what sounds was planned");
        let turn = self.plans.turn(plan.turn);
        let moved = Moved::by(&output.quantise, quantised <= plan.delivered);
        let uncertain = self.plans.uncertain(&plan, &song, moved.beats());
        let held_up = self.held_up.filter(|_| at == song.begin);
        let is_held_up =
            held_up.is_some_and(|from| expected + uncertain >= from as f64 && expected < at as f64);
        Sounded {
            at,
            turn: plan.turn,
            answer: turn.answer,
            onset: plan.note.onset,
            counts_as: Moment(plan.note.onset.0.min(at as f64 / RATE)),
            expected: if is_held_up { at as f64 } else { expected },
            uncertain,
            // What was held up goes out where the block begins, on a line or not.
            off_grid: moved.off_grid(turn, &song, at).filter(|_| held_up.is_none()),
            is_quantised: moved != Moved::Nowhere,
            handed_over: turn.from as u64,
            waited_for_silence: turn.waited_for_silence,
            is_held_by_player: self.hands.hold(place),
            is_in_scale: generation.keys().contains(place.key),
            is_on_channel: match output.channel {
                Some(channel) => place.channel == channel,
                // In a zone the answer looks for a clean channel.
                None if zone != Zone::Off => zone.members().any(|channel| channel == place.channel),
                None => place.channel == self.hands.channel(),
            },
            is_bypassed: bypass,
            density: plan.generation.density.crowd(),
            sounding: self.sounding.len() - self.owed.len(),
            voices: generation.polyphony.count(),
        }
    }

    fn now(&self) -> Now {
        self.now.expect("a block has begun")
    }

    fn check_voices(&mut self, at: u64) {
        let voices = self.now.map_or(usize::MAX, |now| now.settings.generation.polyphony.count());
        // A host that does not take all does not take every end.
        let is_crowded = self.held_up.is_none() && self.sounding.len() - self.owed.len() > voices;
        self.crowded = self.crowded.or(is_crowded.then_some(at));
    }

    /// Once the sample of a panic is over, nothing sounds.
    fn check_panic(&mut self, at: u64) {
        let Some(panic) = self.now.as_mut().and_then(|now| now.panic.take_if(|panic| *panic < at)) else {
            return;
        };
        self.survived_panic =
            self.survived_panic.or((self.sounding.len() > self.owed.len()).then_some(panic));
    }
}

fn count(places: &[Place], place: Place) -> usize {
    places.iter().filter(|other| **other == place).count()
}

/// Takes one away, if there is one: every strike has a release of its own.
fn remove(places: &mut Vec<Place>, place: Place) {
    if let Some(index) = places.iter().position(|other| *other == place) {
        places.remove(index);
    }
}
