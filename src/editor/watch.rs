//! Looks at the instance once a frame, and tells the window what there is to show.
//!
//! It holds the take's lock for as long as it takes to copy what is seen, and the audio thread does not know that lock.

use super::{
    clock::Clock,
    roll,
    view::{Floor, Ghost, Health, Line, LineKind, Side, Stroke, View},
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
    take::{LineKind as TakeLine, Notes, Played, Take},
};

/// A note that is over lasts no longer than this, or it is not found any more when its end is still seen.
const LONGEST_NOTE: Seconds = Seconds(20.0);
/// From a model that does not tell, a planned note looks like one that is as likely as not.
const UNTOLD: f32 = 0.5;

/// One window's look at an instance.
pub struct Watch {
    instance: Instance,
    clock: Clock,
    /// Since when the plugin has had the floor.
    plugin_since: Option<Moment>,
}

impl Watch {
    pub fn new(instance: Instance) -> Self {
        Self { instance, clock: Clock::default(), plugin_since: None }
    }

    /// What there is to show at `wall` seconds of the window's own time. What the window itself has to say is left out.
    pub fn look(&mut self, wall: f64) -> View {
        let settings = self.instance.params.snapshot();
        let mut scribe = self.instance.scribe.lock();
        scribe.catch_up();
        let take = scribe.take();
        let now = self.clock.read(wall, take.rate().moment(self.instance.telemetry.clock.now()));
        let mut view = View::empty();
        view.now = now;
        show_notes(&mut view, take);
        view.ghosts = ghosts(take);
        view.lines = lines(take, now);
        view.song_runs = take.song().beat(self.instance.telemetry.clock.now()).is_some();
        view.has_take = !scribe.latest().is_empty();
        view.has_answer = !scribe.latest().answer().is_empty();
        let standing = take.floor();
        let (rate, is_new) = (take.rate(), take.is_empty());
        drop(scribe);
        view.floor = self.floor(standing, now, rate, is_new, &settings, &view);
        let follows = settings.harmony != Source::Off;
        view.harmony = self.instance.telemetry.harmony.now().filter(|_| follows);
        let follows = settings.generation.key_follow > Thousandths::ZERO;
        view.key = self.instance.telemetry.scale.name().filter(|_| follows);
        view.allowed = settings.generation.keys();
        view.odds = self.instance.foresight.keys();
        view.health = health(self.instance.report());
        view
    }

    fn floor(
        &mut self,
        standing: Standing,
        now: Moment,
        rate: SampleRate,
        is_new: bool,
        settings: &Settings,
        view: &View,
    ) -> Floor {
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
            _ if settings.bypass => Floor::Bypassed,
            _ if settings.input_filter == InputFilter::Closed => Floor::Deaf,
            Standing::Plugin { until } => {
                Floor::Plugin { left: until.map(left), of: until.map(|until| moment(until) - since) }
            }
            Standing::Cued { .. } => Floor::Cued,
            Standing::Silence { since, hand_over } => {
                let whole = hand_over.map(|hand_over| moment(hand_over) - moment(since));
                let used = whole.map_or(0.0, |whole| (now - moment(since)).0 / whole.0.max(f32::EPSILON));
                Floor::Silence { used: used.clamp(0.0, 1.0), left: hand_over.map(left) }
            }
            Standing::Player { .. } if is_new => Floor::Nobody,
            Standing::Player { .. } if view.holds(Side::Call) => Floor::Player,
            Standing::Player { .. } => Floor::Waiting,
        }
    }
}

fn show_notes(view: &mut View, take: &Take) {
    let rate = take.rate();
    let (from, until) = (sample(roll::oldest(view.now), rate), sample(roll::latest(view.now), rate));
    let longest = rate.samples(LONGEST_NOTE);
    let seen = |notes: &Notes, side| {
        let stroke = |note: &Played| Stroke {
            side,
            key: note.place.key,
            velocity: note.velocity,
            onset: rate.moment(note.onset),
            end: note.end.map(|end| rate.moment(end)),
        };
        notes.between(from, until, longest).map(stroke).collect::<Vec<_>>()
    };
    view.notes = seen(take.call(), Side::Call);
    view.notes.extend(seen(take.answer(), Side::Answer));
}

fn ghosts(take: &Take) -> Vec<Ghost> {
    let rate = take.rate();
    let ghosts = take.ghosts().iter().map(|ghost| Ghost {
        key: ghost.key,
        onset: rate.moment(ghost.onset),
        duration: rate.moment(ghost.end) - rate.moment(ghost.onset),
        likely: ghost.likelihood.unwrap_or(UNTOLD),
    });
    ghosts.collect()
}

fn lines(take: &Take, now: Moment) -> Vec<Line> {
    let rate = take.rate();
    let lines = take.song().lines(sample(roll::oldest(now), rate), sample(roll::latest(now), rate));
    let shown = lines.into_iter().map(|line| Line {
        at: rate.moment(line.at),
        kind: match line.kind {
            TakeLine::Beat => LineKind::Beat,
            TakeLine::Bar(number) => LineKind::Bar(i64::from(number) + 1),
        },
    });
    shown.collect()
}

fn health(report: Report) -> Health {
    let Report { model, step, share, late, dropped, refused, unsent, faults, untold, .. } = report;
    let lost = dropped + refused + unsent + untold;
    Health { model, step, worker: step.map(|_| share), late, lost, faults }
}

/// The sample at a moment; the clock's first one where that lies before it.
fn sample(at: Moment, rate: SampleRate) -> SampleTime {
    SampleTime(0) + rate.samples_between(Moment(0.0), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_the_clock_began_is_its_beginning() {
        let rate = SampleRate(48_000.0);
        assert_eq!(sample(Moment(-3.0), rate), SampleTime(0));
        assert_eq!(sample(Moment(0.5), rate), SampleTime(24_000));
    }
}
