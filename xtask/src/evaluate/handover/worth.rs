//! What a rule for taking the floor is worth: how often it takes it wrongly, and how long it keeps a player waiting.

use serde::Serialize;

use antiphon::music::time::Seconds;

use super::performance::Lull;
use crate::evaluate::row::columns;

/// What a rule is worth on performances.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Worth {
    /// Of a player who never stops.
    pub false_per_minute: f64,
    /// From the last release of a player who stops at the end of a phrase; `None` where no phrase ends, or where the
    /// rule misses most ends.
    pub median_delay_ms: Option<f64>,
}

/// A fixed silence since the last onset, with no key held.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fixed {
    pub silence_s: f32,
    #[serde(flatten)]
    pub worth: Worth,
}

/// The default patience beside fixed rules, as a machine may read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    #[serde(flatten)]
    pub worth: Worth,
    pub patience: f32,
    pub fixed_rules: Vec<Fixed>,
}

impl Worth {
    /// From each lull and the silence after which the rule would take the floor in it, if it lasted for ever.
    pub fn of(minutes: f64, lulls: impl Iterator<Item = (Lull, Option<Seconds>)>) -> Self {
        let (mut taken_wrongly, mut delays) = (0_u32, Vec::new());
        for (lull, take_over) in lulls {
            let Some(length) = lull.length() else { continue };
            let delay = take_over.map_or(f64::INFINITY, |silence| f64::from(silence.0));
            taken_wrongly += u32::from(delay < f64::from(length.0));
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

    /// Of a fixed silence since the last onset.
    pub fn of_silence(minutes: f64, lulls: &[Lull], silence: Seconds) -> Self {
        let take_over = |lull: &Lull| Some(Seconds((silence.0 - lull.held().0).max(0.0)));
        Self::of(minutes, lulls.iter().map(|lull| (*lull, take_over(lull))))
    }
}

/// A line for each patience, then one for each fixed rule.
pub fn table(curve: &[(f32, Worth)], default: f32, fixed: &[Fixed]) -> String {
    let row = |name: String, worth: &Worth| {
        let delay = worth.median_delay_ms.map_or("-".to_owned(), |delay| format!("{delay:.0}"));
        vec![name, format!("{:.2}", worth.false_per_minute), delay]
    };
    let mut lines = vec![["rule", "false a minute", "median delay, ms"].map(str::to_owned).to_vec()];
    lines.extend(curve.iter().map(|(patience, worth)| {
        let mark = if *patience == default { " (default)" } else { "" };
        row(format!("patience {:.0} %{mark}", patience * 100.0), worth)
    }));
    lines.extend(fixed.iter().map(|Fixed { silence_s, worth }| row(format!("{silence_s} s"), worth)));
    columns(&lines)
}

#[cfg(test)]
mod tests {
    use antiphon::music::time::Moment;

    use super::*;

    /// Struck at 0, held for half a second; the next strike comes after a step of so many seconds.
    fn lull(step: f64) -> Lull {
        Lull { struck: 1, onset: Moment(0.0), since: Moment(0.5), until: Some(Moment(step)) }
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
        let worth = |silence| Worth::of_silence(1.0, &[lull(0.8), lull(3.0)], Seconds(silence));
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
    fn a_report_has_the_keys_that_a_machine_looks_for() {
        let worth = Worth { false_per_minute: 0.5, median_delay_ms: Some(400.0) };
        let report = Report { worth, patience: 0.5, fixed_rules: vec![Fixed { silence_s: 1.0, worth }] };
        let value = serde_json::to_value(report).expect("plain numbers");
        assert_eq!((&value["false_per_minute"], &value["median_delay_ms"]), (&0.5.into(), &400.0.into()));
        assert_eq!((&value["patience"], &value["fixed_rules"][0]["silence_s"]), (&0.5.into(), &1.0.into()));
    }
}
