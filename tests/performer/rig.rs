//! The player, the partner and the test host that all performer tests share.

use std::{collections::HashSet, sync::Arc};

use antiphon::{
    improviser::Improviser,
    lane::lanes,
    model::{Limits, Model, Rng, SamplingSettings, State},
    music::{
        generation::{GenerationSettings, Thousandths},
        harmony::Source,
        note::{GridNote, Key, RelativeNote, Velocity},
        note_tracker::{ChannelKey, Pedal, Zone},
        patience::Patience,
        time::{BeatTime, Beats, SampleRate, Samples, Seconds, Tempo},
        timeline::Transport,
        turn::{Alignment, Cue, Entry, Length, Rules},
    },
    performer::{
        Arrival, Gesture, InputFilter, OutputSettings, Partner, Past, Performer, Port, Refused, Settings,
        Sound, Triggers,
    },
    telemetry::Telemetry,
};
use proptest::prelude::*;
use rand::RngExt;

pub const RATE: f64 = 8_000.0;
pub const BEAT: u64 = 4_000;
/// The plugin comes in after a beat of silence, wherever in the bar.
pub const ENTRY: Entry = Entry { cue: Cue::Silence(Beats(1.0)), alignment: Alignment::Off };
pub const ANSWER: Rules = Rules::Answer { entry: ENTRY, length: Length::Call { longest: Beats(8.0) } };
pub const SETTINGS: Settings = Settings {
    rules: ANSWER,
    patience: Patience::DEFAULT,
    // One or two notes are enough for the plugin to play anything.
    generation: GenerationSettings { pace_follow: Thousandths::ZERO, ..GenerationSettings::DEFAULT },
    output: OutputSettings::PLAIN,
    input_filter: InputFilter::All,
    harmony: Source::Off,
    zone: Zone::Off,
    triggers: Triggers::NONE,
    seed: 7,
    varying: true,
    thru: false,
    bypass: false,
};

/// A model that plays random notes, also chords.
pub struct Dice;

impl Model for Dice {
    fn name(&self) -> &str {
        "dice"
    }

    fn window(&self) -> Option<usize> {
        Some(25)
    }

    fn initial_state(&self) -> State {
        State::of(())
    }

    fn reset(&self, _: &mut State) {}

    fn hear(&self, _: &mut State, _: GridNote) {}

    fn draw(&self, _: &mut State, _: &SamplingSettings, limits: &Limits, rng: &mut Rng) -> RelativeNote {
        let step = Seconds([0.0, 0.01, 0.125, 0.4][rng.random_range(0..4)]);
        let duration = Seconds(rng.random_range(0.0..1.5));
        let key = Key::saturating(rng.random_range(48..72));
        RelativeNote {
            step: limits.step(step),
            duration,
            key: limits.keys.nearest(key).expect("a key is allowed"),
            velocity: Velocity::saturating(rng.random_range(1..=127)),
        }
    }
}

/// A test host that keeps the output, by sample of the take. It takes at most `patience` events in a block.
pub struct TestHost {
    pub patience: usize,
    pub taken: usize,
    pub score: Vec<(u64, Gesture)>,
    pub next: usize,
    pub begin: u64,
    pub end: u64,
    pub heard: Vec<(u64, Sound)>,
}

impl Port for TestHost {
    type Event = ();

    fn next(&mut self) -> Option<Arrival<()>> {
        let &(at, gesture) = self.score.get(self.next).filter(|(at, _)| *at < self.end)?;
        self.next += 1;
        Some(Arrival { offset: (at - self.begin) as u32, gesture, id: None, event: () })
    }

    fn pass(&mut self, arrival: Arrival<()>) -> Result<(), Refused> {
        match arrival.gesture {
            Gesture::KeyDown(place, velocity) => self.play(arrival.offset, Sound::NoteOn(place, velocity)),
            Gesture::KeysUp(places) | Gesture::Choke(places) => {
                let Some(place) = places.single() else { return Ok(()) };
                self.play(arrival.offset, Sound::NoteOff(place))
            }
            _ => Ok(()),
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

/// The host's transport: at each sample the beat there, or `None` while it stands still.
pub type Journey = Vec<(u64, Option<f64>)>;

pub fn transport_at(journey: &Journey, at: u64) -> Transport {
    let (since, beat) = *journey.iter().rfind(|(begin, _)| *begin <= at).expect("a journey begins at 0");
    Transport {
        playing: beat.is_some(),
        tempo: Tempo::new(120.0),
        position: beat.map(|beat| BeatTime(beat + (at - since) as f64 / BEAT as f64)),
        ..Transport::default()
    }
}

pub fn host(score: &[(u64, Gesture)], patience: usize) -> TestHost {
    TestHost { patience, taken: 0, score: score.to_vec(), next: 0, begin: 0, end: 0, heard: Vec::new() }
}

/// Renders a score offline to a test host. Blocks are cut where the journey changes, as hosts do.
pub fn render_for(
    host: TestHost,
    settings: Settings,
    journey: &Journey,
    blocks: &[u64],
    length: u64,
) -> Vec<(u64, Sound)> {
    render_with(Arc::new(Dice), host, settings, journey, blocks, length)
}

/// The same with a given model.
pub fn render_with(
    model: Arc<dyn Model>,
    mut host: TestHost,
    settings: Settings,
    journey: &Journey,
    blocks: &[u64],
    length: u64,
) -> Vec<(u64, Sound)> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[model])));
    let telemetry = Arc::new(Telemetry::default());
    let rate = SampleRate(RATE);
    let mut performer =
        Performer::new(rate, performer_end, partner, telemetry.clone(), settings, Past::default());
    let mut blocks = blocks.iter().cycle();
    while host.begin < length {
        let turn = journey.iter().map(|(at, _)| *at).find(|at| *at > host.begin).unwrap_or(u64::MAX);
        host.end = (host.begin + blocks.next().expect("a cycle")).min(turn).min(length);
        host.taken = 0;
        let transport = transport_at(journey, host.begin);
        performer.process(&transport, Samples(host.end - host.begin), settings, &mut host);
        host.begin = host.end;
    }
    assert_eq!(telemetry.late.count(), 0, "offline nothing is late");
    host.heard
}

/// Renders a score offline to a host that takes everything, with *Thru* off.
pub fn render(score: &[(u64, Gesture)], journey: &Journey, blocks: &[u64], length: u64) -> Vec<(u64, Sound)> {
    render_for(host(score, usize::MAX), SETTINGS, journey, blocks, length)
}

pub fn place(key: u8) -> ChannelKey {
    ChannelKey { channel: 0, key: Key::saturating(key) }
}

/// Strikes and releases in bursts, with silences that are long enough for answers.
pub fn scores() -> impl Strategy<Value = Vec<(u64, Gesture)>> {
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

pub fn journeys() -> impl Strategy<Value = Journey> {
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

pub fn sounding_after(heard: &[(u64, Sound)]) -> Vec<ChannelKey> {
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
            Sound::PedalUp { .. } | Sound::Unbend { .. } => {}
        }
    }
    sounding
}

/// How many keys are down after all events up to and at a sample.
pub fn held_at(score: &[(u64, Gesture)], at: u64) -> usize {
    held_keys_at(score, at).len()
}

/// The keys that are down after all events up to and at a sample.
pub fn held_keys_at(score: &[(u64, Gesture)], at: u64) -> HashSet<Key> {
    let mut held = HashSet::new();
    for (_, gesture) in score.iter().take_while(|(when, _)| *when <= at) {
        match gesture {
            Gesture::KeyDown(place, _) => {
                held.insert(place.key);
            }
            Gesture::KeysUp(places) => {
                held.retain(|key| places.key != Some(*key));
            }
            _ => {}
        }
    }
    held
}

/// One note, released after a beat.
pub fn one_call() -> Vec<(u64, Gesture)> {
    vec![
        (0, Gesture::KeyDown(place(60), Velocity::saturating(90))),
        (BEAT, Gesture::KeysUp(place(60).into())),
    ]
}

pub fn playing() -> Journey {
    vec![(0, Some(0.0))]
}
