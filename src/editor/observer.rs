//! Reads the instance once a frame, and tells the window what there is to show.
//!
//! It holds the take's lock only while it copies what is seen; the audio thread never takes that lock. The
//! host's clock moves once a block, which would make the roll stumble, so a clock of the window's own runs in
//! between.

use super::{
    piano_roll,
    view::{Health, PlannedRollNote, RollLine, RollNote, Side, TurnState, View},
};
use crate::{
    instance::{Instance, Report},
    music::{
        generation::Thousandths,
        harmony::Source,
        time::{Moment, SampleRate, SampleTime, Seconds},
        turn::Standing,
    },
    performer::{InputFilter, Settings},
    take::{Notes, Played, Take},
};

/// Longest finished note that is sure to be found. A longer one may be missing although its end is still in
/// view.
const LONGEST_NOTE: Seconds = Seconds(20.0);
/// The probability with which a planned note is shown where the model gives none.
const UNTOLD: f32 = 0.5;

/// Where the two clocks differ by more, the host's clock has begun anew or stood still for long, in seconds.
const JUMP_S: f64 = 0.25;
/// Rate at which a difference of the two clocks is made up for, per second.
const CATCH_UP: f64 = 2.0;

/// Observes an instance for one window.
pub struct Observer {
    instance: Instance,
    clock: RollClock,
    /// When the plugin took the floor; `None` while the player has it.
    plugin_since: Option<Moment>,
}

impl Observer {
    pub fn new(instance: Instance) -> Self {
        Self { instance, clock: RollClock::default(), plugin_since: None }
    }

    /// What there is to show at `wall` seconds of the window's own time. The fields that the window itself
    /// knows are left out.
    pub fn look(&mut self, wall: f64) -> View {
        let settings = self.instance.params.snapshot();
        let mut recorder = self.instance.recorder.lock();
        recorder.catch_up();
        let take = recorder.take();
        let now = self.clock.read(wall, take.rate().moment(self.instance.telemetry.clock.now()));
        let mut view = View::empty();
        view.now = now;
        show_notes(&mut view, take);
        view.planned = planned(take);
        view.lines = lines(take, now);
        view.song_runs = take.song().beat(self.instance.telemetry.clock.now()).is_some();
        view.has_take = !recorder.latest().is_empty();
        view.has_answer = !recorder.latest().answer().is_empty();
        let standing = take.floor();
        let (rate, is_new) = (take.rate(), take.is_empty());
        drop(recorder);
        view.turn = self.turn(standing, now, rate, is_new, &settings, &view);
        let follows = settings.harmony != Source::Off;
        view.harmony = self.instance.telemetry.harmony.now().filter(|_| follows);
        let follows = settings.generation.key_follow > Thousandths::ZERO;
        view.key = self.instance.telemetry.scale.name().filter(|_| follows);
        view.allowed = settings.generation.keys();
        view.key_probabilities = self.instance.key_predictions.keys();
        view.health = health(self.instance.report());
        view
    }

    fn turn(
        &mut self,
        standing: Standing,
        now: Moment,
        rate: SampleRate,
        is_new: bool,
        settings: &Settings,
        view: &View,
    ) -> TurnState {
        let moment = |at: SampleTime| rate.moment(at);
        let left = |at: SampleTime| (moment(at) - now).max(Seconds::ZERO);
        let since = match standing {
            Standing::Plugin { .. } => *self.plugin_since.get_or_insert(now),
            _ => {
                self.plugin_since = None;
                now
            }
        };
        match standing {
            _ if settings.bypass => TurnState::Bypassed,
            _ if settings.input_filter == InputFilter::Closed => TurnState::Deaf,
            Standing::Plugin { until } => {
                TurnState::Plugin { left: until.map(left), of: until.map(|until| moment(until) - since) }
            }
            Standing::Cued { .. } => TurnState::Cued,
            Standing::Silence { since, hand_over } => {
                let whole = hand_over.map(|hand_over| moment(hand_over) - moment(since));
                let used = whole.map_or(0.0, |whole| (now - moment(since)).0 / whole.0.max(f32::EPSILON));
                TurnState::Silence { used: used.clamp(0.0, 1.0), left: hand_over.map(left) }
            }
            Standing::Player { .. } if is_new => TurnState::Nobody,
            Standing::Player { .. } if view.holds(Side::Call) => TurnState::Player,
            Standing::Player { .. } => TurnState::Waiting,
        }
    }
}

fn show_notes(view: &mut View, take: &Take) {
    let rate = take.rate();
    let (from, until) =
        (sample(piano_roll::oldest(view.now), rate), sample(piano_roll::latest(view.now), rate));
    let longest = rate.samples(LONGEST_NOTE);
    let seen = |notes: &Notes, side| {
        let shown = |note: &Played| RollNote {
            side,
            key: note.place.key,
            velocity: note.velocity,
            onset: rate.moment(note.onset),
            end: note.end.map(|end| rate.moment(end)),
        };
        notes.between(from, until, longest).map(shown).collect::<Vec<_>>()
    };
    view.notes = seen(take.call(), Side::Call);
    view.notes.extend(seen(take.answer(), Side::Answer));
}

fn planned(take: &Take) -> Vec<PlannedRollNote> {
    let rate = take.rate();
    let planned = take.planned().iter().map(|note| PlannedRollNote {
        key: note.key,
        onset: rate.moment(note.onset),
        duration: rate.moment(note.end) - rate.moment(note.onset),
        likely: note.likelihood.unwrap_or(UNTOLD),
    });
    planned.collect()
}

fn lines(take: &Take, now: Moment) -> Vec<RollLine> {
    let rate = take.rate();
    let lines =
        take.song().lines(sample(piano_roll::oldest(now), rate), sample(piano_roll::latest(now), rate));
    let shown = lines.into_iter().map(|line| RollLine { at: rate.moment(line.at), kind: line.kind });
    shown.collect()
}

fn health(report: Report) -> Health {
    let Report { model, step, share, late, dropped, refused, unsent, faults, untold, .. } = report;
    let lost = dropped + refused + unsent + untold;
    Health { model, step, worker: step.map(|_| share), late, lost, faults }
}

/// The sample at a moment; the clock's first sample for any moment before it.
fn sample(at: Moment, rate: SampleRate) -> SampleTime {
    SampleTime(0) + rate.samples_between(Moment(0.0), at)
}

/// A smooth clock that follows the host's clock, driven by wall time.
#[derive(Debug, Default)]
struct RollClock {
    last: Option<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    /// The wall time, in seconds.
    wall: f64,
    /// The moment that the host told, and since which wall time it has told it.
    told: Moment,
    since: f64,
    shown: Moment,
}

impl RollClock {
    /// The moment to show when the host tells `told` at `wall` seconds. It stops a quarter of a second after
    /// the host's clock has stopped.
    fn read(&mut self, wall: f64, told: Moment) -> Moment {
        let shown = match self.last {
            Some(last) if told.0 >= last.told.0 => follow(&last, wall, told),
            _ => told,
        };
        let since = self.last.filter(|last| last.told == told).map_or(wall, |last| last.since);
        self.last = Some(Reading { wall, told, since, shown });
        shown
    }
}

fn follow(last: &Reading, wall: f64, told: Moment) -> Moment {
    let passed = (wall - last.wall).max(0.0);
    let free = last.shown.0 + passed;
    let stands = told == last.told && wall - last.since > JUMP_S;
    let apart = told.0 - free;
    if stands {
        last.shown
    } else if apart.abs() > JUMP_S {
        told
    } else {
        let made_up = apart * (CATCH_UP * passed).min(1.0);
        // The clock never runs backwards: a roll that trembles is worse than one that waits.
        Moment((free + made_up).max(last.shown.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_S: f64 = 1.0 / 60.0;

    #[test]
    fn a_moment_before_the_clock_began_is_its_beginning() {
        let rate = SampleRate(48_000.0);
        assert_eq!(sample(Moment(-3.0), rate), SampleTime(0));
        assert_eq!(sample(Moment(0.5), rate), SampleTime(24_000));
    }

    /// The moments that are shown in `frames` frames, with a host whose blocks last `block_s` seconds.
    fn shown(frames: usize, block_s: f64) -> Vec<f64> {
        let mut clock = RollClock::default();
        (0..frames)
            .map(|frame| frame as f64 * FRAME_S)
            .map(|wall| clock.read(wall, Moment((wall / block_s).floor() * block_s)).0)
            .collect()
    }

    #[test]
    fn the_roll_scrolls_evenly_however_long_the_hosts_blocks_are() {
        for block_s in [0.003, 0.0107, 0.0853] {
            let shown = shown(600, block_s);
            let steps = shown.windows(2).skip(120).map(|pair| pair[1] - pair[0]);
            let (least, most) = steps.fold((f64::MAX, 0.0_f64), |(a, b), step| (a.min(step), b.max(step)));
            assert!(least > 0.7 * FRAME_S && most < 1.3 * FRAME_S, "{block_s}: {least} to {most}");
            assert!((shown[599] - 599.0 * FRAME_S).abs() < block_s + FRAME_S);
        }
    }

    #[test]
    fn a_host_that_begins_anew_is_followed_at_once_and_one_that_stops_stops_the_roll() {
        let mut clock = RollClock::default();
        clock.read(0.0, Moment(100.0));
        assert_eq!(clock.read(0.01, Moment(0.0)), Moment(0.0));
        let stopped: Vec<f64> =
            (2..200).map(|frame| clock.read(frame as f64 * FRAME_S, Moment(0.0)).0).collect();
        assert_eq!(stopped[100], stopped[197]);
    }
}
