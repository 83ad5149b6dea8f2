//! The quality of a rule for taking the floor, as numbers, a table and a picture: how often it takes the
//! floor wrongly, against how long it keeps a player waiting.

use std::{fmt, path::Path};

use anyhow::{Result, anyhow};
use plotters::{
    coord::{combinators::LogCoord, types::RangedCoordf64},
    prelude::*,
};
use serde::Serialize;

use antiphon::music::time::Seconds;

use super::performance::Pause;
use crate::{
    picture::{self, BLUE as MODEL, FAINT_INK, FONT, INK, LINE, VERMILION as FIXED},
    table::columns,
};

const SIZE: (u32, u32) = (1200, 800);
/// Range of the axis of wrong take-overs a minute: from one in ten minutes to one every other second.
const FALSE_PER_MINUTE: std::ops::Range<f64> = 0.1..30.0;
const LONGEST_DELAY_MS: f64 = 2000.0;

/// The quality of a rule on performances.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Metrics {
    /// Wrong take-overs a minute with a player who never stops; where phrases are marked, only those within
    /// phrases.
    pub false_per_minute: f64,
    /// Median waiting time in ms from the last release of a player who stops at the end of a phrase. `None`
    /// where no phrase ends, or where the rule misses most ends.
    pub median_delay_ms: Option<f64>,
}

/// A fixed rule: a silence since the last onset, with no key held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fixed {
    #[serde(flatten)]
    pub silence: Silence,
    #[serde(flatten)]
    pub metrics: Metrics,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Silence {
    #[serde(rename = "silence_s")]
    Seconds(f32),
    #[serde(rename = "silence_beats")]
    Beats(f32),
}

/// The plugin's rule with one patience.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Patient {
    pub patience: f32,
    #[serde(flatten)]
    pub metrics: Metrics,
}

/// The rules that keep a player waiting least with at most a given number of wrong take-overs a minute.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contest {
    pub at_most_per_minute: f64,
    pub rule: Option<Patient>,
    pub fixed: Option<Fixed>,
}

/// The default patience beside fixed rules, for the JSON output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    #[serde(flatten)]
    pub default: Patient,
    pub fixed_rules: Vec<Fixed>,
    pub curve: Vec<Patient>,
    pub contests: Vec<Contest>,
}

impl Metrics {
    /// The metrics from each pause and the silence after which the rule would take the floor if the pause
    /// lasted for ever.
    pub fn of(minutes: f64, pauses: impl Iterator<Item = (Pause, Option<Seconds>)>) -> Self {
        let (mut taken_wrongly, mut delays) = (0_u32, Vec::new());
        for (pause, take_over) in pauses {
            let Some(length) = pause.length() else { continue };
            let delay = take_over.map_or(f64::INFINITY, |silence| f64::from(silence.0));
            taken_wrongly += u32::from(pause.is_within_phrase() && delay < f64::from(length.0));
            if pause.ends_phrase() {
                delays.push(delay);
            }
        }
        delays.sort_by(f64::total_cmp);
        let median = delays.get(delays.len() / 2).copied().filter(|delay| delay.is_finite());
        Self {
            false_per_minute: f64::from(taken_wrongly) / minutes,
            median_delay_ms: median.map(|delay| delay * 1e3),
        }
    }

    /// The metrics of a fixed silence since the last onset. A silence in beats never ends where no beat is
    /// known.
    pub fn of_silence(minutes: f64, pauses: &[Pause], silence: Silence) -> Self {
        let take_over = |pause: &Pause| {
            let silence = match silence {
                Silence::Seconds(seconds) => seconds,
                Silence::Beats(beats) => beats * pause.beat?.0,
            };
            Some(Seconds((silence - pause.held().0).max(0.0)))
        };
        Self::of(minutes, pauses.iter().map(|pause| (*pause, take_over(pause))))
    }
}

impl Contest {
    pub fn new(at_most_per_minute: f64, curve: &[Patient], fixed: &[Fixed]) -> Self {
        let rule = least_waiting(curve, at_most_per_minute, |one| one.metrics);
        let fixed = least_waiting(fixed, at_most_per_minute, |one| one.metrics);
        Self { at_most_per_minute, rule, fixed }
    }

    /// The part of the best fixed rule's waiting time that the plugin's rule saves.
    pub fn gain(&self) -> Option<f64> {
        let (rule, fixed) = (self.rule?.metrics.median_delay_ms?, self.fixed?.metrics.median_delay_ms?);
        (fixed > 0.0).then(|| 1.0 - rule / fixed)
    }
}

/// The quickest rule that takes the floor wrongly no more often than this.
fn least_waiting<R: Copy>(
    rules: &[R],
    at_most_per_minute: f64,
    metrics: impl Fn(&R) -> Metrics,
) -> Option<R> {
    let allowed = rules.iter().filter(|rule| metrics(rule).false_per_minute <= at_most_per_minute);
    let with_delay = allowed.filter_map(|rule| Some((metrics(rule).median_delay_ms?, *rule)));
    with_delay.min_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, rule)| rule)
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => write!(f, "{seconds} s"),
            Self::Beats(beats) => write!(f, "{beats} beats"),
        }
    }
}

/// A line for each patience, then one for each fixed rule; below them, the quickest of each kind.
pub fn table(report: &Report) -> String {
    let delay =
        |metrics: &Metrics| metrics.median_delay_ms.map_or("-".to_owned(), |delay| format!("{delay:.0}"));
    let row = |name: String, metrics: &Metrics| {
        vec![name, format!("{:.2}", metrics.false_per_minute), delay(metrics)]
    };
    let mut lines = vec![["rule", "false a minute", "median delay, ms"].map(str::to_owned).to_vec()];
    lines.extend(report.curve.iter().map(|Patient { patience, metrics }| {
        let mark = if *patience == report.default.patience { " (default)" } else { "" };
        row(format!("patience {:.0} %{mark}", patience * 100.0), metrics)
    }));
    lines.extend(
        report.fixed_rules.iter().map(|Fixed { silence, metrics }| row(silence.to_string(), metrics)),
    );
    let head = ["at most a minute", "quickest fixed rule", "ms", "quickest patience", "ms", "less waiting"];
    let mut contests = vec![head.map(str::to_owned).to_vec()];
    contests.extend(report.contests.iter().map(|contest| {
        let none = || ("-".to_owned(), "-".to_owned());
        let fixed = contest.fixed.map_or_else(none, |one| (one.silence.to_string(), delay(&one.metrics)));
        let percent = |patience: f32| format!("{:.0} %", patience * 100.0);
        let rule = contest.rule.map_or_else(none, |one| (percent(one.patience), delay(&one.metrics)));
        let gain = contest.gain().map_or("-".to_owned(), |gain| format!("{:.0} %", gain * 100.0));
        vec![contest.at_most_per_minute.to_string(), fixed.0, fixed.1, rule.0, rule.1, gain]
    }));
    columns(&lines) + "\n" + &columns(&contests)
}

/// A point of the picture: milliseconds of waiting, and wrong take-overs a minute.
type Point = (f64, f64);
type Chart<'a, 'b> = ChartContext<'a, BitMapBackend<'b>, Cartesian2d<RangedCoordf64, LogCoord<f64>>>;

/// Draws the curve over all patiences and the fixed rules beside it.
///
/// # Errors
/// When the file cannot be written.
pub fn draw(path: &Path, title: &str, curve: &[Patient], default: f32, fixed: &[Fixed]) -> Result<()> {
    picture::prepare()?;
    let canvas = BitMapBackend::new(path, SIZE).into_drawing_area();
    canvas.fill(&WHITE)?;
    let text = |size| (FONT, size).into_font().color(&INK);
    let mut chart = ChartBuilder::on(&canvas)
        .caption(title, text(30))
        .margin(20)
        .margin_right(40)
        .x_label_area_size(64)
        .y_label_area_size(84)
        .build_cartesian_2d(0.0..LONGEST_DELAY_MS, FALSE_PER_MINUTE.log_scale())?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(LINE)
        .axis_style(FAINT_INK)
        .label_style(text(18))
        .axis_desc_style(text(22))
        .x_desc("from the last release to the take-over, median, ms")
        .y_desc("wrong take-overs a minute")
        .x_label_formatter(&|delay| format!("{delay:.0}"))
        .draw()?;
    draw_curve(&mut chart, curve, default)?;
    draw_rules(&mut chart, fixed)?;
    chart.configure_series_labels().label_font(text(20)).background_style(WHITE).border_style(LINE).draw()?;
    canvas.present().map_err(|error| anyhow!("cannot write {}: {error}", path.display()))
}

/// Draws a line with a dot for each patience, and names the default one.
fn draw_curve(chart: &mut Chart, curve: &[Patient], default: f32) -> Result<()> {
    let points: Vec<_> = curve.iter().filter_map(|one| Some((one.patience, at(&one.metrics)?))).collect();
    let line = points.iter().map(|&(_, point)| point);
    chart
        .draw_series(LineSeries::new(line, MODEL.stroke_width(2)))?
        .label("Patience")
        .legend(|(x, y)| Rectangle::new([(x, y - 2), (x + 24, y + 2)], MODEL.filled()));
    chart.draw_series(points.iter().map(|&(patience, point)| {
        Circle::new(point, if patience == default { 7 } else { 3 }, MODEL.filled())
    }))?;
    let named = points.iter().filter(|(patience, _)| *patience == default);
    chart.draw_series(
        named.map(|&(patience, point)| beside(point, format!("patience {:.0} %", patience * 100.0))),
    )?;
    Ok(())
}

/// Draws a dot and a name for each fixed rule.
fn draw_rules(chart: &mut Chart, fixed: &[Fixed]) -> Result<()> {
    let rules = fixed.iter().filter_map(|rule| Some((rule.silence, at(&rule.metrics)?)));
    let rules: Vec<_> = rules.collect();
    chart
        .draw_series(rules.iter().map(|&(_, point)| Circle::new(point, 6, FIXED.filled())))?
        .label("a fixed silence since the last onset")
        .legend(|(x, y)| Circle::new((x + 12, y), 6, FIXED.filled()));
    chart.draw_series(rules.iter().map(|&(silence, point)| beside(point, silence.to_string())))?;
    Ok(())
}

fn beside((x, y): Point, name: String) -> Text<'static, Point, String> {
    Text::new(name, (x + 24.0, y), (FONT, 20).into_font().color(&INK))
}

/// The point of a rule on the picture, if it has a delay.
fn at(metrics: &Metrics) -> Option<Point> {
    let delay = metrics.median_delay_ms.filter(|delay| *delay <= LONGEST_DELAY_MS)?;
    Some((delay, metrics.false_per_minute.clamp(FALSE_PER_MINUTE.start, FALSE_PER_MINUTE.end)))
}

#[cfg(test)]
mod tests {
    use antiphon::music::time::Moment;

    use super::*;
    use crate::{commands::tests::assert_documented, file::tests::Folder};

    /// A pause after a note struck at 0 s and held for half a second; the next strike comes at `step`
    /// seconds.
    fn pause(step: f64) -> Pause {
        Pause {
            struck: 1,
            onset: Moment(0.0),
            since: Moment(0.5),
            until: Some(Moment(step)),
            beat: None,
            marked: None,
        }
    }

    #[test]
    fn a_take_over_is_wrong_where_the_player_goes_on_and_late_where_a_phrase_has_ended() {
        let pauses = [pause(0.8), pause(1.5), pause(3.0), pause(4.0), pause(5.0)];
        let delays = [0.4, 0.4, 0.7, 0.2, 0.3].map(|delay| Some(Seconds(delay)));
        let metrics = Metrics::of(2.0, pauses.into_iter().zip(delays));
        assert_eq!(metrics.false_per_minute, 2.0);
        assert!((metrics.median_delay_ms.expect("three phrases end") - 300.0).abs() < 1e-3);
    }

    #[test]
    fn a_fixed_silence_counts_from_the_onset_and_waits_for_the_release() {
        let metrics =
            |silence| Metrics::of_silence(1.0, &[pause(0.8), pause(3.0)], Silence::Seconds(silence));
        assert_eq!(metrics(0.25), Metrics { false_per_minute: 2.0, median_delay_ms: Some(0.0) });
        assert_eq!(metrics(1.0), Metrics { false_per_minute: 1.0, median_delay_ms: Some(500.0) });
    }

    #[test]
    fn the_last_note_of_a_performance_is_no_end_that_can_be_missed() {
        let last = Pause { until: None, ..pause(1.0) };
        let nothing = Metrics { false_per_minute: 0.0, median_delay_ms: None };
        assert_eq!(Metrics::of(1.0, [(last, Some(Seconds(0.1)))].into_iter()), nothing);
    }

    #[test]
    fn where_phrases_are_marked_only_a_take_over_within_one_is_wrong() {
        let marked = |step, marked| Pause { marked: Some(marked), beat: Some(Seconds(0.5)), ..pause(step) };
        let pauses = [marked(1.5, true), marked(1.5, false), marked(3.0, false)];
        let metrics = |beats| Metrics::of_silence(1.0, &pauses, Silence::Beats(beats));
        assert_eq!(metrics(2.0), Metrics { false_per_minute: 2.0, median_delay_ms: Some(500.0) });
        assert_eq!(metrics(4.0), Metrics { false_per_minute: 1.0, median_delay_ms: Some(1500.0) });
    }

    #[test]
    fn the_quickest_rule_is_the_one_that_waits_least_among_those_that_err_seldom() {
        let metrics = |false_per_minute, delay| Metrics { false_per_minute, median_delay_ms: Some(delay) };
        let fixed = |seconds, metrics| Fixed { silence: Silence::Seconds(seconds), metrics };
        let rules = [
            fixed(0.5, metrics(6.0, 100.0)),
            fixed(1.0, metrics(2.0, 400.0)),
            fixed(2.0, metrics(0.5, 900.0)),
        ];
        let curve = [Patient { patience: 0.5, metrics: metrics(1.5, 300.0) }];
        let contest = Contest::new(2.0, &curve, &rules);
        assert_eq!((contest.fixed, contest.gain()), (Some(rules[1]), Some(0.25)));
        let contest = Contest::new(1.0, &curve, &rules);
        assert_eq!((contest.rule, contest.gain()), (None, None));
    }

    #[test]
    fn a_report_has_the_keys_that_a_machine_looks_for() {
        let metrics = Metrics { false_per_minute: 0.5, median_delay_ms: Some(400.0) };
        let default = Patient { patience: 0.5, metrics };
        let fixed_rules = vec![Fixed { silence: Silence::Beats(1.0), metrics }];
        let contests = vec![Contest::new(1.0, &[default], &fixed_rules)];
        let report = Report { default, curve: vec![default], contests, fixed_rules };
        let value = serde_json::to_value(report).expect("plain numbers");
        assert_eq!((&value["false_per_minute"], &value["median_delay_ms"]), (&0.5.into(), &400.0.into()));
        assert_eq!(
            (&value["patience"], &value["fixed_rules"][0]["silence_beats"]),
            (&0.5.into(), &1.0.into())
        );
        assert_eq!(&value["contests"][0]["rule"]["patience"], &0.5);
        assert_documented("evaluate --handover", &value);
    }

    #[test]
    fn the_rule_and_the_fixed_rules_are_both_seen() {
        let metrics = |false_per_minute, delay| Metrics { false_per_minute, median_delay_ms: Some(delay) };
        let patient = |patience, metrics| Patient { patience, metrics };
        let curve = [
            patient(0.0, metrics(9.0, 120.0)),
            patient(0.5, metrics(0.8, 400.0)),
            patient(1.0, metrics(0.6, 1500.0)),
        ];
        let fixed = [Fixed { silence: Silence::Seconds(1.0), metrics: metrics(2.3, 0.0) }];
        let folder = Folder::new("handover-picture");
        let path = folder.join("curve.png");
        draw(&path, "mine", &curve, 0.5, &fixed).expect("a picture");
        let image = image::open(&path).expect("a PNG").to_rgb8();
        let drawn = |color: RGBColor| image.pixels().any(|pixel| pixel.0 == [color.0, color.1, color.2]);
        assert!(image.dimensions() == SIZE && drawn(MODEL) && drawn(FIXED));
    }
}
