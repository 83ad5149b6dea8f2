//! What a rule for taking the floor is worth: how often it takes it wrongly, and how long it keeps a player waiting.

use std::fmt;

use serde::Serialize;

use antiphon::music::time::Seconds;

use super::performance::Lull;
use crate::evaluate::row::columns;

/// What a rule is worth on performances.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Worth {
    /// Of a player who never stops; where phrases are marked, within them.
    pub false_per_minute: f64,
    /// From the last release of a player who stops at the end of a phrase; `None` where no phrase ends, or where the
    /// rule misses most ends.
    pub median_delay_ms: Option<f64>,
}

/// A fixed silence since the last onset, with no key held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fixed {
    #[serde(flatten)]
    pub silence: Silence,
    #[serde(flatten)]
    pub worth: Worth,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Silence {
    #[serde(rename = "silence_s")]
    Seconds(f32),
    #[serde(rename = "silence_beats")]
    Beats(f32),
}

/// A patience of the plugin's rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Patient {
    pub patience: f32,
    #[serde(flatten)]
    pub worth: Worth,
}

/// At most so many wrong take-overs a minute: who keeps a player waiting least?
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Contest {
    pub at_most_per_minute: f64,
    pub rule: Option<Patient>,
    pub fixed: Option<Fixed>,
}

/// The default patience beside fixed rules, as a machine may read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    #[serde(flatten)]
    pub default: Patient,
    pub fixed_rules: Vec<Fixed>,
    pub curve: Vec<Patient>,
    pub contests: Vec<Contest>,
}

impl Worth {
    /// From each lull and the silence after which the rule would take the floor in it, if it lasted for ever.
    pub fn of(minutes: f64, lulls: impl Iterator<Item = (Lull, Option<Seconds>)>) -> Self {
        let (mut taken_wrongly, mut delays) = (0_u32, Vec::new());
        for (lull, take_over) in lulls {
            let Some(length) = lull.length() else { continue };
            let delay = take_over.map_or(f64::INFINITY, |silence| f64::from(silence.0));
            taken_wrongly += u32::from(lull.is_within_phrase() && delay < f64::from(length.0));
            if lull.ends_phrase() {
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

    /// Of a fixed silence since the last onset. Where no beat is known, one in beats never comes.
    pub fn of_silence(minutes: f64, lulls: &[Lull], silence: Silence) -> Self {
        let take_over = |lull: &Lull| {
            let silence = match silence {
                Silence::Seconds(seconds) => seconds,
                Silence::Beats(beats) => beats * lull.beat?.0,
            };
            Some(Seconds((silence - lull.held().0).max(0.0)))
        };
        Self::of(minutes, lulls.iter().map(|lull| (*lull, take_over(lull))))
    }
}

impl Contest {
    pub fn new(at_most_per_minute: f64, curve: &[Patient], fixed: &[Fixed]) -> Self {
        let rule = least_waiting(curve, at_most_per_minute, |one| one.worth);
        let fixed = least_waiting(fixed, at_most_per_minute, |one| one.worth);
        Self { at_most_per_minute, rule, fixed }
    }

    /// By how much the rule keeps waiting less than the best fixed rule, as a part of what that keeps.
    pub fn gain(&self) -> Option<f64> {
        let (rule, fixed) = (self.rule?.worth.median_delay_ms?, self.fixed?.worth.median_delay_ms?);
        (fixed > 0.0).then(|| 1.0 - rule / fixed)
    }
}

/// The quickest rule that takes the floor wrongly no more often than this.
fn least_waiting<R: Copy>(rules: &[R], at_most_per_minute: f64, worth: impl Fn(&R) -> Worth) -> Option<R> {
    let allowed = rules.iter().filter(|rule| worth(rule).false_per_minute <= at_most_per_minute);
    let with_delay = allowed.filter_map(|rule| Some((worth(rule).median_delay_ms?, *rule)));
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

/// A line for each patience, then one for each fixed rule; below, the quickest of both.
pub fn table(report: &Report) -> String {
    let delay = |worth: &Worth| worth.median_delay_ms.map_or("-".to_owned(), |delay| format!("{delay:.0}"));
    let row =
        |name: String, worth: &Worth| vec![name, format!("{:.2}", worth.false_per_minute), delay(worth)];
    let mut lines = vec![["rule", "false a minute", "median delay, ms"].map(str::to_owned).to_vec()];
    lines.extend(report.curve.iter().map(|Patient { patience, worth }| {
        let mark = if *patience == report.default.patience { " (default)" } else { "" };
        row(format!("patience {:.0} %{mark}", patience * 100.0), worth)
    }));
    lines.extend(report.fixed_rules.iter().map(|Fixed { silence, worth }| row(silence.to_string(), worth)));
    let head = ["at most a minute", "quickest fixed rule", "ms", "quickest patience", "ms", "less waiting"];
    let mut contests = vec![head.map(str::to_owned).to_vec()];
    contests.extend(report.contests.iter().map(|contest| {
        let none = || ("-".to_owned(), "-".to_owned());
        let fixed = contest.fixed.map_or_else(none, |one| (one.silence.to_string(), delay(&one.worth)));
        let percent = |patience: f32| format!("{:.0} %", patience * 100.0);
        let rule = contest.rule.map_or_else(none, |one| (percent(one.patience), delay(&one.worth)));
        let gain = contest.gain().map_or("-".to_owned(), |gain| format!("{:.0} %", gain * 100.0));
        vec![contest.at_most_per_minute.to_string(), fixed.0, fixed.1, rule.0, rule.1, gain]
    }));
    columns(&lines) + "\n" + &columns(&contests)
}

#[cfg(test)]
mod tests {
    use antiphon::music::time::Moment;

    use super::*;
    use crate::documented::assert_documented;

    /// Struck at 0, held for half a second; the next strike comes after a step of so many seconds.
    fn lull(step: f64) -> Lull {
        Lull {
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
        let lulls = [lull(0.8), lull(1.5), lull(3.0), lull(4.0), lull(5.0)];
        let delays = [0.4, 0.4, 0.7, 0.2, 0.3].map(|delay| Some(Seconds(delay)));
        let worth = Worth::of(2.0, lulls.into_iter().zip(delays));
        assert_eq!(worth.false_per_minute, 2.0);
        assert!((worth.median_delay_ms.expect("three phrases end") - 300.0).abs() < 1e-3);
    }

    #[test]
    fn a_fixed_silence_counts_from_the_onset_and_waits_for_the_release() {
        let worth = |silence| Worth::of_silence(1.0, &[lull(0.8), lull(3.0)], Silence::Seconds(silence));
        assert_eq!(worth(0.25), Worth { false_per_minute: 2.0, median_delay_ms: Some(0.0) });
        assert_eq!(worth(1.0), Worth { false_per_minute: 1.0, median_delay_ms: Some(500.0) });
    }

    #[test]
    fn the_last_note_of_a_performance_is_no_end_that_can_be_missed() {
        let last = Lull { until: None, ..lull(1.0) };
        let nothing = Worth { false_per_minute: 0.0, median_delay_ms: None };
        assert_eq!(Worth::of(1.0, [(last, Some(Seconds(0.1)))].into_iter()), nothing);
    }

    #[test]
    fn where_phrases_are_marked_only_a_take_over_within_one_is_wrong() {
        let marked = |step, marked| Lull { marked: Some(marked), beat: Some(Seconds(0.5)), ..lull(step) };
        let lulls = [marked(1.5, true), marked(1.5, false), marked(3.0, false)];
        let worth = |beats| Worth::of_silence(1.0, &lulls, Silence::Beats(beats));
        assert_eq!(worth(2.0), Worth { false_per_minute: 2.0, median_delay_ms: Some(500.0) });
        assert_eq!(worth(4.0), Worth { false_per_minute: 1.0, median_delay_ms: Some(1500.0) });
    }

    #[test]
    fn the_quickest_rule_is_the_one_that_waits_least_among_those_that_err_seldom() {
        let worth = |false_per_minute, delay| Worth { false_per_minute, median_delay_ms: Some(delay) };
        let fixed = |seconds, worth| Fixed { silence: Silence::Seconds(seconds), worth };
        let rules =
            [fixed(0.5, worth(6.0, 100.0)), fixed(1.0, worth(2.0, 400.0)), fixed(2.0, worth(0.5, 900.0))];
        let curve = [Patient { patience: 0.5, worth: worth(1.5, 300.0) }];
        let contest = Contest::new(2.0, &curve, &rules);
        assert_eq!((contest.fixed, contest.gain()), (Some(rules[1]), Some(0.25)));
        let contest = Contest::new(1.0, &curve, &rules);
        assert_eq!((contest.rule, contest.gain()), (None, None));
    }

    #[test]
    fn a_report_has_the_keys_that_a_machine_looks_for() {
        let worth = Worth { false_per_minute: 0.5, median_delay_ms: Some(400.0) };
        let default = Patient { patience: 0.5, worth };
        let fixed_rules = vec![Fixed { silence: Silence::Beats(1.0), worth }];
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
}
