//! Laws of the protocol between performer and improviser: a scheduler interleaves their steps in any order.

use std::{
    num::NonZeroU8,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use antiphon::{
    improviser::{Improviser, StepResult},
    lane::{ImproviserEnd, PerformerEnd, Reply, Request, lanes},
    music::{
        note::Velocity,
        time::{SampleRate, Samples},
        turn::{Length, Rules, TurnId},
    },
    performer::{Gesture, Partner, Past, Performer, Settings, Sound},
};
use rtrb::{Consumer, Producer};
use shuttle::{
    Config, Runner,
    scheduler::{PctScheduler, RandomScheduler, Scheduler},
    thread,
};

use crate::rig::{
    BEAT, Dice, ENTRY, RATE, SETTINGS, TestHost, host, place, playing, sounding_after, transport_at,
};

/// Number of schedules for each scheduler.
const SCHEDULES: usize = 1_000;
const SEED: u64 = 1;
/// Largest number of times that a priority scheduler changes the priorities.
const CHANGES: usize = 5;
const STACK_BYTES: usize = 1 << 20;
/// The length of a block in samples: 25 ms.
const BLOCK: u64 = 200;
/// The sample until which the scheduler decides. After it the worker is always in time.
const UNTIL: u64 = 12 * BEAT;
const LAST_CALL: u64 = 14 * BEAT;
const END: u64 = 24 * BEAT;
/// Number of steps of the worker and of the carrier of its replies that the scheduler orders: more than blocks.
const STEPS: usize = 600;
/// Number of the worker's steps at a time: it is faster than the carrier, so that old replies lie in the lane.
const WORK: usize = 8;
/// Times of strikes, in fifths of a beat: within an answer, between a request and the hand-over, and before a
/// request.
const STRIKES: [u64; 9] = [0, 16, 27, 31, 34, 41, 48, 50, 59];
/// Rules with answers of four bars, so that every answer is cut short.
const RULES: Rules = Rules::Answer { entry: ENTRY, length: Length::Bars(NonZeroU8::MIN.saturating_add(3)) };

/// What the performer's side knows at the end.
struct Played {
    host: TestHost,
    /// Turns, each with the end in samples of the block in which its answer was asked for.
    asked: Vec<(u64, TurnId)>,
    /// How many notes of old turns came.
    old: u32,
}

struct Player {
    performer: Performer,
    played: Played,
    /// The newest turn that was asked for.
    newest: Arc<AtomicU32>,
    /// Where its requests come out.
    requests: Consumer<Request>,
    /// Where its requests are passed on.
    onward: Producer<Request>,
}

impl Player {
    fn block(&mut self) {
        let Self { performer, played: Played { host, asked, .. }, newest, requests, onward } = self;
        host.end = host.begin + BLOCK;
        let settings = Settings { rules: RULES, bypass: host.end >= END, ..SETTINGS };
        performer.process(&transport_at(&playing(), host.begin), Samples(BLOCK), settings, host);
        host.begin = host.end;
        while let Ok(request) = requests.pop() {
            if let Request::Answer { turn, .. } = request {
                asked.push((host.end, turn));
                newest.store(turn.0, Ordering::Relaxed);
            }
            onward.push(request).expect("the lane has room for all that is played here");
        }
    }
}

/// The carrier of replies from the improviser to the performer, which marks notes by their turns.
struct Carrier {
    newest: Arc<AtomicU32>,
    /// Number of notes of turns before the newest.
    old: u32,
    from: Consumer<Reply>,
    to: Producer<Reply>,
}

impl Carrier {
    fn carry(&mut self) {
        if self.to.is_full() {
            return;
        }
        let Ok(mut reply) = self.from.pop() else { return };
        if let Reply::Play { turn, note, .. } = &mut reply {
            note.velocity = mark(*turn);
            self.old += u32::from(turn.0 < self.newest.load(Ordering::Relaxed));
        }
        self.to.push(reply).expect("the lane was not full");
    }
}

fn mark(turn: TurnId) -> Velocity {
    Velocity::saturating(u8::try_from(turn.0 % 127).expect("a small number") + 1)
}

fn score() -> Vec<(u64, Gesture)> {
    let calls = STRIKES.map(|fifths| fifths * BEAT / 5);
    let note = |at| {
        [
            (at, Gesture::KeyDown(place(60), Velocity::saturating(90))),
            (at + BEAT / 10, Gesture::KeysUp(place(60).into())),
        ]
    };
    calls.into_iter().chain([LAST_CALL]).flat_map(note).collect()
}

/// The three parties, with the carrier between two pairs of lanes.
fn parties() -> (Player, Improviser, Carrier) {
    let (performer_end, ImproviserEnd { requests, replies: to, .. }) = lanes();
    let (PerformerEnd { requests: onward, replies: from }, improviser_end) = lanes();
    let (rate, past, partner) = (SampleRate(RATE), Past::default(), Partner::Worker);
    let settings = Settings { rules: RULES, ..SETTINGS };
    let performer = Performer::new(rate, performer_end, partner, Arc::default(), settings, past);
    let played = Played { host: host(&score(), usize::MAX), asked: Vec::new(), old: 0 };
    let newest = Arc::new(AtomicU32::new(0));
    let carrier = Carrier { newest: newest.clone(), old: 0, from, to };
    let improviser = Improviser::new(improviser_end, &[Arc::new(Dice)]);
    (Player { performer, played, newest, requests, onward }, improviser, carrier)
}

/// Plays once, in the order of the scheduler.
fn perform() -> Played {
    let (mut player, mut improviser, mut carrier) = parties();
    let worker = thread::spawn(move || {
        for _ in 0..STEPS {
            for _ in 0..WORK {
                improviser.step();
            }
            thread::yield_now();
        }
        improviser
    });
    let carrying = thread::spawn(move || {
        for _ in 0..STEPS {
            carrier.carry();
            thread::yield_now();
        }
        carrier
    });
    while player.played.host.begin < UNTIL {
        player.block();
        thread::yield_now();
    }
    let mut improviser = worker.join().expect("it lives");
    let mut carrier = carrying.join().expect("it lives");
    while player.played.host.begin < END {
        player.block();
        while improviser.step() == StepResult::Worked {}
        (0..carrier.from.slots()).for_each(|_| carrier.carry());
    }
    Played { old: carrier.old, ..player.played }
}

/// Asserts that no note sounds of a turn that was asked for before the player's last strike.
fn judge(Played { host, asked, .. }: &Played) {
    assert_eq!(sounding_after(&host.heard), vec![], "nothing hangs");
    for (at, sound) in &host.heard {
        let Sound::NoteOn(_, velocity) = sound else { continue };
        let turn = asked.iter().find(|(_, turn)| mark(*turn) == *velocity);
        let (asked, turn) = turn.expect("what sounds was asked for");
        let strikes = host.score.iter().filter(|(_, gesture)| matches!(gesture, Gesture::KeyDown(..)));
        let last = strikes.map(|(strike, _)| *strike).take_while(|strike| strike < at).last();
        assert!(last.is_none_or(|strike| *asked > strike), "{turn:?}, asked for by {asked}, sounds at {at}");
    }
    let last_call = host.heard.iter().filter(|(at, _)| *at > LAST_CALL);
    assert!(last_call.count() > 0, "a worker that is in time again answers");
}

/// How many notes came too late for their turns, in all schedules of a scheduler.
fn under(scheduler: impl Scheduler + 'static) -> u32 {
    let old = Arc::new(AtomicU32::new(0));
    let counted = old.clone();
    let mut config = Config::default();
    config.stack_size = STACK_BYTES;
    Runner::new(scheduler, config).run(move || {
        let played = perform();
        judge(&played);
        old.fetch_add(played.old, Ordering::Relaxed);
    });
    counted.load(Ordering::Relaxed)
}

#[test]
fn in_whatever_order_performer_and_worker_take_their_steps_no_old_turn_sounds_and_the_last_call_is_answered()
{
    let fair = under(RandomScheduler::new_from_seed(SEED, SCHEDULES));
    let unfair = under(PctScheduler::new_from_seed(SEED, CHANGES, SCHEDULES));
    assert!(fair > 0 && unfair > 0, "notes of old turns come");
    println!(
        "proved: {} orders of the steps of performer and worker, {} notes of old turns, none of which sounds",
        2 * SCHEDULES,
        fair + unfair
    );
}
