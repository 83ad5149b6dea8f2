//! Laws of the audio thread beside a worker that is slow, dead or new: under RealtimeSanitizer it may never
//! wait.

use std::sync::Arc;

use antiphon::{
    improviser::Improviser,
    lane::{ImproviserEnd, lanes_of},
    music::{
        note::Velocity,
        time::{SampleRate, Samples},
    },
    performer::{Gesture, Partner, Past, Performer},
    telemetry::Telemetry,
};
use rtsan_standalone::ScopedSanitizeRealtime;

use crate::rig::{
    BEAT, Dice, RATE, SETTINGS, TestHost, host, one_call, place, playing, sounding_after, transport_at,
};

const BLOCK: u64 = 64;
/// Number of notes: more than the lane of requests holds.
const NOTES: u64 = 3_000;
/// Room for all that is played, in events, so that the test host itself allocates nothing.
const ROOM: usize = 1 << 16;

/// Notes without a pause, and then a silence that is long enough for an answer.
fn notes() -> Vec<(u64, Gesture)> {
    (0..NOTES)
        .flat_map(|n| {
            let at = n * 20;
            let place = place(30 + (n % 60) as u8);
            let down = Gesture::KeyDown(place, Velocity::saturating(90));
            [(at, down), (at + 10, Gesture::KeysUp(place.into()))]
        })
        .collect()
}

/// Plays a score in small blocks until every answer is over, and gives the worker's end of the lanes to a
/// closure.
fn perform(
    past: Past,
    keep: impl FnOnce(ImproviserEnd) -> Option<ImproviserEnd>,
) -> (TestHost, Past, Arc<Telemetry>) {
    let telemetry = Arc::new(Telemetry::default());
    let (performer_end, improviser_end) = lanes_of(telemetry.clone());
    let _kept = keep(improviser_end);
    let (rate, partner) = (SampleRate(RATE), Partner::Worker);
    let mut performer = Performer::new(rate, performer_end, partner, telemetry.clone(), SETTINGS, past);
    let mut host = host(&notes(), usize::MAX);
    host.heard.reserve(ROOM);
    while host.begin < NOTES * 20 + 16 * BEAT {
        host.end = host.begin + BLOCK;
        let transport = transport_at(&playing(), host.begin);
        {
            let _realtime = ScopedSanitizeRealtime::default();
            performer.process(&transport, Samples(BLOCK), SETTINGS, &mut host);
        }
        host.begin = host.end;
    }
    {
        let _realtime = ScopedSanitizeRealtime::default();
        performer.reset();
    }
    (host, performer.leave(), telemetry)
}

#[test]
fn a_full_lane_is_counted_and_nobody_waits() {
    let (host, _, telemetry) = perform(Past::default(), Some);
    assert_eq!(sounding_after(&host.heard), vec![]);
    assert!(telemetry.unsent.count() > 0, "{NOTES} notes are more than a lane holds");
    assert_eq!(u64::from(telemetry.heard.count()), NOTES, "what the worker misses is heard all the same");
}

#[test]
fn a_dead_worker_is_nothing_to_wait_for_and_the_next_performer_answers() {
    let (host, past, _) = perform(Past::default(), |_| None);
    assert_eq!(host.heard, vec![]);
    let (performer_end, improviser_end) = lanes_of(Arc::default());
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let rate = SampleRate(RATE);
    let mut performer = Performer::new(rate, performer_end, partner, Arc::default(), SETTINGS, past);
    let mut host = self::host(&one_call(), usize::MAX);
    host.heard.reserve(ROOM);
    while host.begin < 20 * BEAT {
        host.end = host.begin + BLOCK;
        let transport = transport_at(&playing(), host.begin);
        let _realtime = ScopedSanitizeRealtime::default();
        performer.process(&transport, Samples(BLOCK), SETTINGS, &mut host);
        host.begin = host.end;
    }
    assert!(!host.heard.is_empty() && sounding_after(&host.heard).is_empty());
}
