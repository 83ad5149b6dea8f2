//! Laws of the performer, for any player, any transport and any partition into blocks.

use std::sync::Arc;

use antiphon::{
    improviser::Improviser,
    lane::{Telemetry, lanes},
    model::{Chance, Model, State, Taste},
    music::{
        hearing::{Pedal, Place},
        note::{Key, RelativeNote, Velocity},
        time::{BeatTime, Beats, SampleRate, Samples, Seconds, Tempo},
        timeline::Transport,
        turn::Rules,
    },
    performer::{Arrival, Gesture, Partner, Passage, Performer, Port, Refused, Settings, Sound},
};
use proptest::prelude::*;
use rand::RngExt;

const RATE: f64 = 8_000.0;
const BEAT: u64 = 4_000;
const SETTINGS: Settings = Settings {
    rules: Rules { silence: Beats(1.0), longest_answer: Beats(8.0) },
    temperature: 1.0,
    memory: 150,
    model: 0,
    seed: 7,
    varying: true,
    thru: false,
    bypass: false,
};

/// A partner that plays anything, in chords too.
struct Dice;

impl Model for Dice {
    fn name(&self) -> &str {
        "dice"
    }

    fn window(&self) -> usize {
        25
    }

    fn silence(&self) -> State {
        State(Vec::new())
    }

    fn forget(&self, _: &mut State) {}

    fn hear(&self, _: &mut State, _: RelativeNote) {}

    fn draw(&self, _: &mut State, _: &Taste, elapsed: Seconds, chance: &mut Chance) -> RelativeNote {
        RelativeNote {
            step: Seconds([0.0, 0.01, 0.125, 0.4][chance.random_range(0..4)]).max(elapsed),
            duration: Seconds(chance.random_range(0.0..1.5)),
            key: Key::saturating(chance.random_range(48..72)),
            velocity: Velocity::saturating(chance.random_range(1..=127)),
        }
    }
}

/// A stage that remembers what came out, at which sample of the take. It takes no more than so many events a block.
struct Stage {
    patience: usize,
    taken: usize,
    score: Vec<(u64, Gesture)>,
    next: usize,
    begin: u64,
    end: u64,
    heard: Vec<(u64, Sound)>,
}

impl Port for Stage {
    type Event = ();

    fn next(&mut self) -> Option<Arrival<()>> {
        let &(at, gesture) = self.score.get(self.next).filter(|(at, _)| *at < self.end)?;
        self.next += 1;
        Some(Arrival { offset: (at - self.begin) as u32, gesture, event: () })
    }

    fn pass(&mut self, arrival: Arrival<()>) -> Result<(), Refused> {
        match arrival.gesture {
            Gesture::KeyDown(place, velocity) => self.play(arrival.offset, Sound::NoteOn(place, velocity)),
            Gesture::KeysUp(places) => {
                let (Some(channel), Some(key)) = (places.channel, places.key) else { return Ok(()) };
                self.play(arrival.offset, Sound::NoteOff(Place { channel, key }))
            }
            Gesture::Pedal { .. } | Gesture::AllOff { .. } | Gesture::Other => Ok(()),
        }
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
        if self.taken == self.patience {
            return Err(Refused);
        }
        self.taken += 1;
        let at = self.begin + u64::from(offset);
        assert!(at < self.end, "sounds fall into their block");
        assert!(self.heard.last().is_none_or(|(last, _)| *last <= at), "sounds come in the order of time");
        self.heard.push((at, sound));
        Ok(())
    }
}

/// What the host does at a sample: the beat there, or none while it stands still.
type Journey = Vec<(u64, Option<f64>)>;

fn transport_at(journey: &Journey, at: u64) -> Transport {
    let (since, beat) = *journey.iter().rfind(|(begin, _)| *begin <= at).expect("a journey begins at 0");
    Transport {
        playing: beat.is_some(),
        tempo: Tempo::new(120.0),
        position: beat.map(|beat| BeatTime(beat + (at - since) as f64 / BEAT as f64)),
    }
}

fn stage(score: &[(u64, Gesture)], patience: usize) -> Stage {
    Stage { patience, taken: 0, score: score.to_vec(), next: 0, begin: 0, end: 0, heard: Vec::new() }
}

/// Renders a score offline with what a host takes; blocks are cut where the journey turns, as hosts do.
fn render_for(
    mut stage: Stage,
    settings: Settings,
    journey: &Journey,
    blocks: &[u64],
    length: u64,
) -> Vec<(u64, Sound)> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let telemetry = Arc::new(Telemetry::default());
    let rate = SampleRate(RATE);
    let mut performer =
        Performer::new(rate, performer_end, partner, telemetry.clone(), settings, Passage::default());
    let mut blocks = blocks.iter().cycle();
    while stage.begin < length {
        let turn = journey.iter().map(|(at, _)| *at).find(|at| *at > stage.begin).unwrap_or(u64::MAX);
        stage.end = (stage.begin + blocks.next().expect("a cycle")).min(turn).min(length);
        stage.taken = 0;
        let transport = transport_at(journey, stage.begin);
        performer.process(&transport, Samples(stage.end - stage.begin), settings, &mut stage);
        stage.begin = stage.end;
    }
    assert_eq!(telemetry.late.count(), 0, "offline nothing is late");
    stage.heard
}

/// Renders a score offline to a host that takes everything, with *Thru* off.
fn render(score: &[(u64, Gesture)], journey: &Journey, blocks: &[u64], length: u64) -> Vec<(u64, Sound)> {
    render_for(stage(score, usize::MAX), SETTINGS, journey, blocks, length)
}

fn place(key: u8) -> Place {
    Place { channel: 0, key: Key::saturating(key) }
}

/// Strikes and releases in bursts, with silences that are long enough for answers.
fn scores() -> impl Strategy<Value = Vec<(u64, Gesture)>> {
    let note = (0..3 * BEAT, 40..80u8, 1..BEAT, any::<bool>());
    prop::collection::vec(note, 1..20).prop_map(|notes| {
        let mut at = 0;
        let mut score = Vec::new();
        for (gap, key, length, pedal) in notes {
            at += if gap < 2 * BEAT { gap / 16 } else { gap * 3 };
            score.push((
                at,
                Gesture::Pedal { channel: 0, pedal: if pedal { Pedal::Down } else { Pedal::Up } },
            ));
            score.push((at, Gesture::KeyDown(place(key), Velocity::saturating(key))));
            score.push((at + length, Gesture::KeysUp(place(key).into())));
        }
        score.sort_by_key(|(at, _)| *at);
        score
    })
}

fn journeys() -> impl Strategy<Value = Journey> {
    let leg = (1..20 * BEAT, prop::option::of(-8.0..64.0));
    prop::collection::vec(leg, 0..5).prop_map(|legs| {
        let mut at = 0;
        let mut journey = vec![(0, Some(0.0))];
        for (length, beat) in legs {
            at += length;
            journey.push((at, beat));
        }
        journey
    })
}

fn sounding_after(heard: &[(u64, Sound)]) -> Vec<Place> {
    let mut sounding = Vec::new();
    for (_, sound) in heard {
        match sound {
            Sound::NoteOn(place, _) => {
                assert!(!sounding.contains(place), "a key is struck once before its release");
                sounding.push(*place);
            }
            Sound::NoteOff(place) => {
                let index = sounding.iter().position(|other| other == place);
                sounding.remove(index.expect("a release has its strike"));
            }
            Sound::PedalUp { .. } => {}
        }
    }
    sounding
}

const TAKE: u64 = 120 * BEAT;

proptest! {
    #[test]
    fn every_note_on_has_its_note_off(score in scores(), journey in journeys()) {
        prop_assert_eq!(sounding_after(&render(&score, &journey, &[512], TAKE)), vec![]);
    }

    #[test]
    fn a_host_that_refuses_events_gets_every_note_off_in_the_end(
        score in scores(),
        journey in journeys(),
        patience in 1..4usize,
    ) {
        let settings = Settings { thru: true, ..SETTINGS };
        let heard = render_for(stage(&score, patience), settings, &journey, &[700], TAKE);
        let mut left = std::collections::HashSet::new();
        for (_, sound) in heard {
            match sound {
                Sound::NoteOn(place, _) => left.insert(place.key),
                Sound::NoteOff(place) => left.remove(&place.key),
                Sound::PedalUp { .. } => false,
            };
        }
        prop_assert!(left.is_empty(), "{left:?} hang");
    }

    #[test]
    fn every_partition_into_blocks_sounds_the_same(
        score in scores(),
        journey in journeys(),
        blocks in prop::collection::vec(1..5_000u64, 1..20),
    ) {
        let whole = render(&score, &journey, &[4_096], TAKE);
        prop_assert_eq!(&render(&score, &journey, &blocks, TAKE), &whole);
        prop_assert_eq!(&render(&score, &journey, &[64], TAKE), &whole);
    }

    #[test]
    fn the_plugin_is_silent_while_a_key_is_held(score in scores(), journey in journeys()) {
        let heard = render(&score, &journey, &[256], TAKE);
        for (at, sound) in heard {
            if let Sound::NoteOn(..) = sound {
                prop_assert_eq!(held_at(&score, at), 0);
            }
        }
    }
}

/// How many keys are down after all that happens up to and at a sample.
fn held_at(score: &[(u64, Gesture)], at: u64) -> usize {
    let mut held = std::collections::HashSet::new();
    for (_, gesture) in score.iter().take_while(|(when, _)| *when <= at) {
        match gesture {
            Gesture::KeyDown(place, _) => {
                held.insert(place.key);
            }
            Gesture::KeysUp(places) => {
                held.retain(|key| places.key != Some(*key));
            }
            Gesture::Pedal { .. } | Gesture::AllOff { .. } | Gesture::Other => {}
        }
    }
    held.len()
}

/// One note, released after a beat.
fn one_call() -> Vec<(u64, Gesture)> {
    vec![
        (0, Gesture::KeyDown(place(60), Velocity::saturating(90))),
        (BEAT, Gesture::KeysUp(place(60).into())),
    ]
}

fn playing() -> Journey {
    vec![(0, Some(0.0))]
}

#[test]
fn the_answer_begins_a_beat_after_the_last_release() {
    let heard = render(&one_call(), &playing(), &[333], 20 * BEAT);
    assert!(matches!(heard.first(), Some((at, Sound::NoteOn(..))) if *at >= 2 * BEAT && *at < 3 * BEAT));
}

#[test]
fn a_strike_releases_the_answer_on_its_own_sample_and_nothing_pending_sounds() {
    let mut score = one_call();
    let strike = 2 * BEAT + 3_001;
    score.push((strike, Gesture::KeyDown(place(62), Velocity::saturating(90))));
    let heard = render(&score, &playing(), &[512], 20 * BEAT);
    assert_eq!(sounding_after(&heard), vec![]);
    assert!(heard.iter().all(|(at, _)| *at <= strike));
    assert!(heard.iter().any(|(at, sound)| *at == strike && matches!(sound, Sound::NoteOff(_))));
}

#[test]
fn a_stop_releases_everything_on_its_first_sample() {
    let stop = 2 * BEAT + 3_000;
    let heard = render(&one_call(), &vec![(0, Some(0.0)), (stop, None)], &[512], 20 * BEAT);
    assert_eq!(sounding_after(&heard), vec![]);
    assert!(heard.iter().all(|(at, _)| *at <= stop));
}

#[test]
fn a_dead_worker_silences_nothing_else() {
    let (performer_end, improviser_end) = lanes();
    drop(improviser_end);
    let telemetry = Arc::new(Telemetry::default());
    let settings = Settings { thru: true, ..SETTINGS };
    let rate = SampleRate(RATE);
    let mut performer =
        Performer::new(rate, performer_end, Partner::Worker, telemetry.clone(), settings, Passage::default());
    let mut stage = stage(&one_call(), usize::MAX);
    stage.end = 20 * BEAT;
    performer.process(&transport_at(&playing(), 0), Samples(stage.end), settings, &mut stage);
    let played: Vec<u64> = stage.heard.iter().map(|(at, _)| *at).collect();
    assert_eq!(played, [0, BEAT], "the player is passed on, and nothing else sounds");
    assert_eq!(telemetry.heard.count(), 1);
}

#[test]
fn all_notes_off_ends_the_answer_and_the_held_keys() {
    let mut score = one_call();
    let panic = 2 * BEAT + 3_001;
    score.push((panic, Gesture::AllOff { channel: 0 }));
    let heard = render(&score, &playing(), &[512], 20 * BEAT);
    assert_eq!(sounding_after(&heard), vec![]);
    assert!(heard.iter().all(|(at, _)| *at <= panic));
    let held = vec![one_call()[0], (BEAT, Gesture::AllOff { channel: 0 })];
    assert!(!render(&held, &playing(), &[512], 20 * BEAT).is_empty(), "keys that were let go are a call");
}

#[test]
fn an_answer_goes_to_the_channel_of_its_call() {
    let place = Place { channel: 5, key: Key::saturating(60) };
    let score =
        vec![(0, Gesture::KeyDown(place, Velocity::saturating(90))), (BEAT, Gesture::KeysUp(place.into()))];
    for (_, sound) in render(&score, &playing(), &[512], 20 * BEAT) {
        let (Sound::NoteOn(place, _) | Sound::NoteOff(place)) = sound else { panic!("only notes") };
        assert_eq!(place.channel, 5);
    }
}

#[test]
fn a_loop_that_is_shorter_than_the_silence_is_answered_all_the_same() {
    let journey: Journey = (0..60).map(|turn| (turn * BEAT / 2, Some(0.0))).collect();
    let heard = render(&one_call(), &journey, &[512], 20 * BEAT);
    assert!(matches!(heard.first(), Some((at, Sound::NoteOn(..))) if (2 * BEAT..3 * BEAT).contains(at)));
}

/// A performer whose answer sounds: what it leaves, and what the next one then plays.
#[test]
fn what_sounds_when_a_performer_leaves_is_released_by_the_next_but_one() {
    let telemetry = Arc::new(Telemetry::default());
    let perform = |passage, until: u64, stage: &mut Stage| {
        let (performer_end, improviser_end) = lanes();
        let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
        let rate = SampleRate(RATE);
        let mut performer =
            Performer::new(rate, performer_end, partner, telemetry.clone(), SETTINGS, passage);
        stage.end = stage.begin + until;
        if until > 0 {
            performer.process(&transport_at(&playing(), 0), Samples(until), SETTINGS, stage);
        }
        stage.begin = stage.end;
        performer.leave()
    };
    let mut stage = stage(&one_call(), usize::MAX);
    let passage = perform(Passage::default(), 2 * BEAT + 100, &mut stage);
    assert!(!sounding_after(&stage.heard).is_empty());
    let passage = perform(passage, 0, &mut stage);
    perform(passage, 1, &mut stage);
    assert_eq!(sounding_after(&stage.heard), vec![]);
}
