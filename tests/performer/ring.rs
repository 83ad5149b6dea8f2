//! Laws of the plugin's own notes that come in again: from another instance in a ring, or through a cable.

use std::{collections::VecDeque, sync::Arc};

use antiphon::{
    improviser::Improviser,
    lane::{Telemetry, lanes_of},
    music::{
        time::{SampleRate, Samples},
        turn::Rules,
    },
    performer::{Arrival, Gesture, Partner, Past, Performer, Port, Refused, Settings, Sound},
};

use crate::rig::{BEAT, Dice, ENTRY, RATE, SETTINGS, one_call, playing, transport_at};

const BLOCK: u64 = 64;

/// A port whose output comes in again so many samples later.
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

/// How many keys are struck at the instrument within 40 beats, and how many strikes were known to be the plugin's own.
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
        ring.end = ring.begin + BLOCK;
        performer.process(&transport_at(&playing(), ring.begin), Samples(BLOCK), settings, &mut ring);
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
        for delay in [BLOCK, 240, 700] {
            let (fed_back, echoes) = strikes(rules, thru, Some(delay));
            assert!(echoes > 0, "{rules:?}: it is not noticed after {delay} samples");
            assert!(fed_back <= alone * 2 + 8, "{rules:?}: {fed_back} strikes in place of {alone}");
        }
    }
}
