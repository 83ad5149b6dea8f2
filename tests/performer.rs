//! Laws of the performer, for any player, any transport and any partition into blocks.

use std::sync::Arc;

use antiphon::{
    improviser::Improviser,
    lane::{Telemetry, lanes},
    model::{Chance, Model, State, Taste},
    music::{
        hearing::Place,
        note::{Key, RelativeNote, Velocity},
        time::{BeatTime, Beats, SampleRate, Samples, Seconds, Tempo},
        timeline::Transport,
        turn::Rules,
    },
    performer::{Arrival, Gesture, Partner, Performer, Port, Refused, Settings, Sound},
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

/// A stage that remembers what came out, at which sample of the take.
struct Stage {
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

    fn pass(&mut self, _: Arrival<()>) -> Result<(), Refused> {
        Ok(())
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
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

/// Renders a score offline; blocks are cut where the journey turns, as hosts do.
fn render(score: &[(u64, Gesture)], journey: &Journey, blocks: &[u64], length: u64) -> Vec<(u64, Sound)> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let telemetry = Arc::new(Telemetry::default());
    let mut performer = Performer::new(SampleRate(RATE), performer_end, partner, telemetry.clone(), SETTINGS);
    let mut stage = Stage { score: score.to_vec(), next: 0, begin: 0, end: 0, heard: Vec::new() };
    let mut blocks = blocks.iter().cycle();
    while stage.begin < length {
        let turn = journey.iter().map(|(at, _)| *at).find(|at| *at > stage.begin).unwrap_or(u64::MAX);
        stage.end = (stage.begin + blocks.next().expect("a cycle")).min(turn).min(length);
        let transport = transport_at(journey, stage.begin);
        performer.process(&transport, Samples(stage.end - stage.begin), SETTINGS, &mut stage);
        stage.begin = stage.end;
    }
    assert_eq!(telemetry.late.count(), 0, "offline nothing is late");
    stage.heard
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
            score.push((at, Gesture::Pedal { channel: 0, down: pedal }));
            score.push((at, Gesture::KeyDown(place(key), Velocity::saturating(key))));
            score.push((at + length, Gesture::KeyUp(place(key))));
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
            Gesture::KeyUp(place) => {
                held.remove(&place.key);
            }
            Gesture::Pedal { .. } | Gesture::Other => {}
        }
    }
    held.len()
}

/// One note, released after a beat.
fn one_call() -> Vec<(u64, Gesture)> {
    vec![(0, Gesture::KeyDown(place(60), Velocity::saturating(90))), (BEAT, Gesture::KeyUp(place(60)))]
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
fn a_dead_worker_leaves_the_player_alone_on_a_stage_that_goes_on() {
    let (performer_end, improviser_end) = lanes();
    drop(improviser_end);
    let telemetry = Arc::new(Telemetry::default());
    let mut performer = Performer::new(
        SampleRate(RATE),
        performer_end,
        Partner::Worker,
        telemetry.clone(),
        Settings { thru: true, ..SETTINGS },
    );
    let mut stage = Stage { score: one_call(), next: 0, begin: 0, end: 20 * BEAT, heard: Vec::new() };
    performer.process(&transport_at(&playing(), 0), Samples(20 * BEAT), SETTINGS, &mut stage);
    assert_eq!(telemetry.heard.count(), 1);
    assert_eq!(stage.heard, vec![]);
}
