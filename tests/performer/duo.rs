//! Laws of two instances that play to each other: each hears what the other plays, a block later.

use std::{collections::VecDeque, sync::Arc};

use antiphon::{
    improviser::Improviser,
    lane::{lanes, lanes_of},
    model::{Model, registry::embedded},
    music::{
        note::Velocity,
        time::{BeatTime, Beats, SampleRate, Samples, Tempo},
        timeline::Transport,
        turn::Rules,
    },
    performer::{Arrival, Gesture, Partner, Past, Performer, Port, Refused, Settings, Sound},
    telemetry::Telemetry,
};

use crate::rig::{
    ANSWER, BEAT, Dice, ENTRY, RATE, SETTINGS, one_call, place, playing, sounding_after, transport_at,
};

/// The length of a block in samples: a tenth of a second.
const BLOCK: u64 = 800;
const SECOND: u64 = RATE as u64;
const MINUTE: u64 = 60 * SECOND;
/// The most notes that two hands play in ten seconds.
const MOST_IN_TEN_SECONDS: usize = 250;
const TOGETHER: Rules = Rules::Together { longest: Beats(8.0) };
const ENDLESS: Rules = Rules::Endless { entry: ENTRY };

/// An instance, the events that it hears in this block, and all that it has played.
struct Player {
    performer: Performer,
    settings: Settings,
    begin: u64,
    score: Vec<(u64, Gesture)>,
    next: usize,
    played: Vec<(u64, Sound)>,
}

/// The host's side of a player for one block.
struct Block<'a> {
    begin: u64,
    score: &'a [(u64, Gesture)],
    next: &'a mut usize,
    played: &'a mut Vec<(u64, Sound)>,
}

impl Port for Block<'_> {
    type Event = ();

    fn next(&mut self) -> Option<Arrival<()>> {
        let &(at, gesture) = self.score.get(*self.next).filter(|(at, _)| *at < self.begin + BLOCK)?;
        *self.next += 1;
        Some(Arrival { offset: (at - self.begin) as u32, gesture, id: None, event: () })
    }

    fn pass(&mut self, _: Arrival<()>) -> Result<(), Refused> {
        Ok(())
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
        self.played.push((self.begin + u64::from(offset), sound));
        Ok(())
    }
}

impl Player {
    fn new(rules: Rules, seed: u32, models: &[Arc<dyn Model>]) -> Self {
        let (performer_end, improviser_end) = lanes();
        let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, models)));
        let settings = Settings { rules, seed, ..SETTINGS };
        let (rate, past) = (SampleRate(RATE), Past::default());
        let performer = Performer::new(rate, performer_end, partner, Arc::default(), settings, past);
        Self { performer, settings, begin: 0, score: Vec::new(), next: 0, played: Vec::new() }
    }

    /// Plays a block and gives the events that the other instance will hear.
    fn play(&mut self, playing: bool) -> Vec<(u64, Gesture)> {
        let before = self.played.len();
        let position = Some(BeatTime(self.begin as f64 / RATE * 2.0));
        let transport = Transport { playing, tempo: Tempo::new(120.0), position, ..Transport::default() };
        let Self { begin, score, next, played, .. } = self;
        let mut block = Block { begin: *begin, score, next, played };
        self.performer.process(&transport, Samples(BLOCK), self.settings, &mut block);
        self.begin += BLOCK;
        let heard = self.played[before..].iter().filter_map(|(at, sound)| match *sound {
            Sound::NoteOn(place, velocity) => Some((at + BLOCK, Gesture::KeyDown(place, velocity))),
            Sound::NoteOff(place) => Some((at + BLOCK, Gesture::KeysUp(place.into()))),
            Sound::PedalUp { .. } | Sound::Unbend { .. } => None,
        });
        heard.collect()
    }

    fn onsets(&self) -> Vec<u64> {
        let onset = |(at, sound): &(u64, Sound)| matches!(sound, Sound::NoteOn(..)).then_some(*at);
        self.played.iter().filter_map(onset).collect()
    }
}

/// Lets two instances play to each other for `seconds` and then stops the transport.
fn duo(rules: [Rules; 2], seconds: u64, models: &[Arc<dyn Model>]) -> [Player; 2] {
    let [mut one, mut other] = [0, 1].map(|n| Player::new(rules[n], n as u32, models));
    // One note to begin with.
    let down = Gesture::KeyDown(place(60), Velocity::saturating(90));
    one.score = vec![(0, down), (BLOCK - 1, Gesture::KeysUp(place(60).into()))];
    while one.begin < seconds * SECOND {
        let (from_one, from_other) = (one.play(true), other.play(true));
        one.score.extend(from_other);
        other.score.extend(from_one);
    }
    for player in [&mut one, &mut other] {
        // Events of the last block are not delivered.
        player.score.truncate(player.next);
        player.play(false);
    }
    [one, other]
}

fn assert_well_behaved(players: &[Player; 2], how: &str) {
    for player in players {
        assert_eq!(sounding_after(&player.played), vec![], "{how}: notes hang");
        let onsets = player.onsets();
        let in_ten_seconds = |from: u64| {
            let from_first = &onsets[onsets.partition_point(|at| *at < from)..];
            from_first.partition_point(|at| *at < from + 10 * SECOND)
        };
        let most = onsets.iter().map(|from| in_ten_seconds(*from)).max().unwrap_or(0);
        assert!(most <= MOST_IN_TEN_SECONDS, "{how}: {most} notes in ten seconds");
    }
}

fn dice() -> [Arc<dyn Model>; 1] {
    [Arc::new(Dice)]
}

#[test]
fn two_instances_answer_each_other_for_an_hour() {
    let players = duo([ANSWER, ANSWER], 3_600, &dice());
    assert_well_behaved(&players, "answer");
    for player in &players {
        let onsets = player.onsets();
        let silent = onsets.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(silent.is_some_and(|silent| silent < MINUTE), "{silent:?} samples without a note");
        assert!(onsets.last().is_some_and(|last| *last > 59 * MINUTE), "one has fallen silent");
    }
}

#[test]
fn no_two_modes_run_away_with_each_other() {
    for (how, rules) in [
        ("together, together", [TOGETHER, TOGETHER]),
        ("together, answer", [TOGETHER, ANSWER]),
        ("together, endless", [TOGETHER, ENDLESS]),
        ("endless, endless", [ENDLESS, ENDLESS]),
        ("answer, trade", [ANSWER, Rules::Trade { bars: std::num::NonZeroU8::MIN }]),
    ] {
        assert_well_behaved(&duo(rules, 300, &dice()), how);
    }
}

#[test]
fn two_instances_with_the_embedded_network_play_each_other() {
    for (how, rules, seconds) in [("answer", [ANSWER, ANSWER], 8), ("together", [TOGETHER, TOGETHER], 2)] {
        let players = duo(rules, seconds, embedded());
        assert_well_behaved(&players, how);
        assert!(players.iter().all(|player| !player.onsets().is_empty()), "{how}");
    }
}

const RING_BLOCK: u64 = 64;

/// A port whose output comes in again after a delay in samples.
struct Ring {
    score: Vec<(u64, Gesture)>,
    next: usize,
    delay: Option<u64>,
    coming: VecDeque<(u64, Gesture)>,
    begin: u64,
    end: u64,
    struck: Vec<u64>,
}

impl Ring {
    fn goes_out(&mut self, at: u64, gesture: Gesture) {
        if matches!(gesture, Gesture::KeyDown(..)) {
            self.struck.push(at);
        }
        if let Some(delay) = self.delay {
            self.coming.push_back((at + delay, gesture));
        }
    }
}

impl Port for Ring {
    type Event = ();

    fn next(&mut self) -> Option<Arrival<()>> {
        let own = self.score.get(self.next).map(|(at, _)| *at).filter(|at| *at < self.end);
        let back = self.coming.front().map(|(at, _)| *at).filter(|at| *at < self.end);
        let (at, gesture) = match (own, back) {
            (Some(own), back) if back.is_none_or(|back| own <= back) => {
                self.next += 1;
                self.score[self.next - 1]
            }
            (_, Some(_)) => self.coming.pop_front()?,
            _ => return None,
        };
        let offset = at.saturating_sub(self.begin) as u32;
        Some(Arrival { offset, gesture, id: None, event: () })
    }

    fn pass(&mut self, arrival: Arrival<()>) -> Result<(), Refused> {
        self.goes_out(self.begin + u64::from(arrival.offset), arrival.gesture);
        Ok(())
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
        let gesture = match sound {
            Sound::NoteOn(place, velocity) => Gesture::KeyDown(place, velocity),
            Sound::NoteOff(place) => Gesture::KeysUp(place.into()),
            Sound::PedalUp { .. } | Sound::Unbend { .. } => return Ok(()),
        };
        self.goes_out(self.begin + u64::from(offset), gesture);
        Ok(())
    }
}

/// How many strikes reach the instrument within 40 beats, and how many input strikes were recognised as the
/// plugin's own.
fn strikes(rules: Rules, thru: bool, delay: Option<u64>) -> (usize, u32) {
    let telemetry = Arc::new(Telemetry::default());
    let (performer_end, improviser_end) = lanes_of(telemetry.clone());
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let settings = Settings { rules, thru, ..SETTINGS };
    let (rate, past) = (SampleRate(RATE), Past::default());
    let mut performer = Performer::new(rate, performer_end, partner, telemetry.clone(), settings, past);
    let (score, coming) = (one_call(), VecDeque::new());
    let mut ring = Ring { score, next: 0, delay, coming, begin: 0, end: 0, struck: Vec::new() };
    while ring.begin < 40 * BEAT {
        ring.end = ring.begin + RING_BLOCK;
        performer.process(&transport_at(&playing(), ring.begin), Samples(RING_BLOCK), settings, &mut ring);
        ring.begin = ring.end;
    }
    (ring.struck.len(), telemetry.echoes.count())
}

#[test]
fn the_plugins_own_notes_that_come_in_again_make_no_avalanche_and_are_told_of() {
    let endless = Rules::Endless { entry: ENTRY };
    let together = Rules::Together { longest: antiphon::music::time::Beats(8.0) };
    for (rules, thru) in [(endless, true), (endless, false), (together, true)] {
        let (alone, none) = strikes(rules, thru, None);
        assert_eq!(none, 0, "nothing comes in again");
        for delay in [RING_BLOCK, 240, 700] {
            let (fed_back, echoes) = strikes(rules, thru, Some(delay));
            assert!(echoes > 0, "{rules:?}: it is not noticed after {delay} samples");
            assert!(fed_back <= alone * 2 + 8, "{rules:?}: {fed_back} strikes in place of {alone}");
        }
    }
}
