//! The protocol between performer and improviser, whichever of them comes first: a scheduler orders their steps at will.

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

/// Of each scheduler.
const SCHEDULES: usize = 1_000;
const SEED: u64 = 1;
/// So often at most a scheduler of priorities changes them.
const CHANGES: usize = 5;
const STACK_BYTES: usize = 1 << 20;
/// 25 ms.
const BLOCK: u64 = 200;
/// Until here the scheduler decides, and then the worker is in time again.
const UNTIL: u64 = 12 * BEAT;
const LAST_CALL: u64 = 14 * BEAT;
const END: u64 = 24 * BEAT;
/// The steps of the worker and of who carries its replies that the scheduler orders; more than there are blocks.
const STEPS: usize = 600;
/// The worker is quicker than who carries its replies, so that old ones lie about.
const WORK: usize = 8;
/// Strikes, in fifths of a beat: into an answer, between asking and hand-over, and before anything was asked.
const STRIKES: [u64; 9] = [0, 16, 27, 31, 34, 41, 48, 50, 59];
/// Four bars, so that every answer is cut short.
const RULES: Rules = Rules::Answer { entry: ENTRY, length: Length::Bars(NonZeroU8::MIN.saturating_add(3)) };

/// What the performer's side knows at the end.
struct Played {
    host: TestHost,
    /// When the block was over in which a turn's answer was asked for.
    asked: Vec<(u64, TurnId)>,
    /// How many notes came that nobody wanted any more.
    old: u32,
}

struct Player {
    performer: Performer,
    played: Played,
    /// The newest turn that was asked for.
    newest: Arc<AtomicU32>,
    /// Where its requests come out, and where they go on.
    requests: Consumer<Request>,
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

/// Who brings replies from the improviser to the performer, and marks notes by their turns.
struct Carrier {
    newest: Arc<AtomicU32>,
    /// Notes of turns before the newest.
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

/// Two lanes with somebody in the middle.
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

/// Plays once, as the scheduler orders the steps.
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

/// No note may sound of a turn that was asked for before the player's last strike.
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

/// How many notes came too late for their turns, in all orders of a scheduler.
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
