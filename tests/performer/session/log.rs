//! The log of a session: what was played, asked for, planned and refused.

use antiphon::{
    lane::Request,
    music::{
        generation::{Crowd, GenerationSettings},
        note::Note,
        note_tracker::{ChannelKey, Zone},
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

/// How long after a cue its hand-over may come, in samples: a cue may wait for a bar line, through jumps.
const FORGOTTEN_CUE: u64 = 15 * RATE as u64;
/// Two moments that differ by less than this are the same, in seconds.
const SAME_MOMENT: f64 = 0.001;

/// All that happened, in the order of time.
#[derive(Default)]
pub struct Log {
    pub sounds: Vec<(u64, Sound)>,
    pub notes: Vec<Sounded>,
    pub strikes: Vec<Ended>,
    pub panics: Vec<Ended>,
    /// The first note of the player that was heard while the input was closed, as its onset in samples.
    pub overheard: Option<u64>,
    /// The first block that ended with more notes than voices.
    pub crowded: Option<u64>,
    /// The first panic that left a note sounding.
    pub survived_panic: Option<u64>,
    /// How many hand-overs were asked for where the partner expected the end of the call.
    pub expected_hand_overs: usize,
    /// How often an answer was planned anew.
    pub changes_of_mind: usize,
    /// How many releases the host refused.
    pub refusals: usize,
    /// How often the host activated the plugin anew.
    pub activations: usize,
    /// The first block at whose end a release was owed, although the host had refused nothing.
    pub unpaid: Option<u64>,
    plans: Plans,
    hands: Hands,
    sounding: Vec<ChannelKey>,
    /// The plugin's notes that still sound because the host refused their release.
    owed: Vec<ChannelKey>,
    /// The player's notes that were passed through, as in bypass, and still sound; one entry for each strike.
    passed: Vec<ChannelKey>,
    /// Those of them that still sound because the host refused their release.
    owed_releases: Vec<ChannelKey>,
    /// The first of the unbroken row of blocks before this one in which the host refused something.
    /// What fell due since then may be sent now.
    held_up: Option<u64>,
    expected: Option<Moment>,
    now: Option<Now>,
}

/// A strike or a panic of the player, which may end the plugin's turn.
pub struct Ended {
    pub at: u64,
    /// The newest turn that was asked for before the block.
    pub newest_turn: Option<TurnId>,
    /// Whether it ends the turn: a strike does so only in modes with an entry.
    pub ends_the_turn: bool,
}

/// A note of the plugin that sounded.
pub struct Sounded {
    pub at: u64,
    pub turn: TurnId,
    /// The first turn of the same answer.
    pub answer: TurnId,
    /// The onset in the plan.
    pub onset: Moment,
    /// The onset that counts when later notes are planned: the one that sounded, where a faster tempo made it
    /// earlier.
    pub counts_as: Moment,
    /// The sample that its plan says.
    pub expected: f64,
    /// How far that may be off, in samples.
    pub uncertain: f64,
    /// How far it is from the player's grid, in samples; `None` if it need not be on it.
    pub off_grid: Option<f64>,
    pub is_quantised: bool,
    /// The requested hand-over of its turn, in samples.
    pub handed_over: u64,
    pub waited_for_silence: bool,
    pub is_held_by_player: bool,
    /// Whether its key is within the present register and scale.
    pub is_in_scale: bool,
    /// Whether it is on the channel of the answer.
    pub is_on_channel: bool,
    pub is_bypassed: bool,
    /// The density limit of the settings with which it was drawn.
    pub density: Option<Crowd>,
    /// How many notes of the plugin sound now.
    pub sounding: usize,
    /// How many may sound at once.
    pub voices: usize,
}

/// The state of the present block.
#[derive(Clone, Copy)]
struct Now {
    song: Song,
    settings: Settings,
    newest_turn: Option<TurnId>,
    /// The sample since which the input is closed.
    closed: Option<u64>,
    /// The sample since which silence is the only cue.
    silence: Option<u64>,
    /// The sample since which quantise is unchanged.
    quantised: u64,
    /// The sample of a panic, until it is over.
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

    /// Takes in the hand-over that the partner expects.
    pub fn expected(&mut self, hand_over: Option<Moment>) {
        self.expected = hand_over;
    }

    pub fn planned(&mut self, turn: TurnId, note: Note, generation: GenerationSettings, delivered: u64) {
        let tempo = self.now().song.tempo;
        self.plans.plan(turn, note, generation, delivered, tempo);
    }

    /// The plugin was activated anew: every sounding note can only be released in the next block.
    pub fn activated_anew(&mut self) {
        self.activations += 1;
        self.owed.clone_from(&self.sounding);
        self.owed_releases.clone_from(&self.passed);
        self.expected = None;
        self.hands.forget();
    }

    /// The host has refused an event of the plugin's own.
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

    /// The host has refused an event that the plugin passed through.
    pub fn not_passed(&mut self, gesture: Gesture) {
        self.note_refusal();
        let all: Vec<ChannelKey> =
            self.passed.iter().copied().filter(|place| self.ends(gesture, *place)).collect();
        match gesture {
            Gesture::KeysUp(_) => {
                let is_owed =
                    |place: &&ChannelKey| count(&self.owed_releases, **place) < count(&self.passed, **place);
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

    /// Whether a gesture ends the player's note at a place.
    fn ends(&self, gesture: Gesture, place: ChannelKey) -> bool {
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
            // A panic also releases notes that were passed through.
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

    fn sounded(&self, at: u64, sound: Sound, place: ChannelKey) -> Sounded {
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
            // A note that was held up sounds where the block begins, on a line or not.
            off_grid: moved.off_grid(turn, &song, at).filter(|_| held_up.is_none()),
            is_quantised: moved != Moved::Nowhere,
            handed_over: turn.from as u64,
            waited_for_silence: turn.waited_for_silence,
            is_held_by_player: self.hands.hold(place),
            is_in_scale: generation.keys().contains(place.key),
            is_on_channel: match output.channel {
                Some(channel) => place.channel == channel,
                // In an MPE zone the answer chooses a channel that nothing has changed.
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
        // A host that refuses events also refuses releases.
        let is_crowded = self.held_up.is_none() && self.sounding.len() - self.owed.len() > voices;
        self.crowded = self.crowded.or(is_crowded.then_some(at));
    }

    /// Checks that nothing sounds once the sample of a panic is over.
    fn check_panic(&mut self, at: u64) {
        let Some(panic) = self.now.as_mut().and_then(|now| now.panic.take_if(|panic| *panic < at)) else {
            return;
        };
        self.survived_panic =
            self.survived_panic.or((self.sounding.len() > self.owed.len()).then_some(panic));
    }
}

fn count(places: &[ChannelKey], place: ChannelKey) -> usize {
    places.iter().filter(|other| **other == place).count()
}

/// Removes one entry, if there is one: every strike has its own release.
fn remove(places: &mut Vec<ChannelKey>, place: ChannelKey) {
    if let Some(index) = places.iter().position(|other| *other == place) {
        places.remove(index);
    }
}
