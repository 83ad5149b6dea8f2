//! With which settings a model plays on.

use antiphon::{
    music::manner::{Manner, Thousandths},
    params::AntiphonParams,
};

use crate::wishes::{up_to_one, up_to_two};

/// What to try instead of the plugin's defaults; of several numbers each is tried with each of the others.
#[derive(Debug, clap::Args)]
pub struct Tries {
    /// Of all choices, 0 to 2; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_two)]
    temperature: Vec<Thousandths>,
    /// Multiplies the temperature of the keys, 0 to 2; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_two)]
    pitch_temperature: Vec<Thousandths>,
    /// Multiplies the temperature of steps and durations, 0 to 2; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_two)]
    timing_temperature: Vec<Thousandths>,
    /// How likely a choice must be beside the likeliest one, 0 to 1; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_one)]
    focus: Vec<Thousandths>,
    /// How far dynamics are drawn towards the prompt's last ones, 0 to 1; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_one)]
    velocity_follow: Vec<Thousandths>,
    /// How far the notes are drawn towards the prompt's pace, 0 to 1; repeatable [default: the plugin's]
    #[arg(long, requires = "continuations", value_parser = up_to_one)]
    pace_follow: Vec<Thousandths>,
}

/// One way to play, and what tells it from the plugin's defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    pub manner: Manner,
    pub name: String,
}

impl Tries {
    /// All ways to play; the defaults alone where nothing else is asked for.
    pub fn all(&self) -> Vec<Try> {
        let defaults = AntiphonParams::default().snapshot().manner;
        let mut tries = vec![Try { manner: defaults, name: String::new() }];
        let fields: [Field; 6] = [
            ("temperature", &self.temperature, |manner| &mut manner.temperature),
            ("pitch", &self.pitch_temperature, |manner| &mut manner.pitch_temperature),
            ("timing", &self.timing_temperature, |manner| &mut manner.timing_temperature),
            ("focus", &self.focus, |manner| &mut manner.focus),
            ("follow", &self.velocity_follow, |manner| &mut manner.velocity_follow),
            ("pace", &self.pace_follow, |manner| &mut manner.pace_follow),
        ];
        for (name, numbers, field) in fields {
            if !numbers.is_empty() {
                tries = tries.iter().flat_map(|before| varied(before, name, numbers, field)).collect();
            }
        }
        tries
    }
}

type Field<'a> = (&'a str, &'a [Thousandths], fn(&mut Manner) -> &mut Thousandths);

fn varied(
    before: &Try,
    name: &str,
    numbers: &[Thousandths],
    field: fn(&mut Manner) -> &mut Thousandths,
) -> Vec<Try> {
    let one = |&number: &Thousandths| {
        let mut manner = before.manner;
        *field(&mut manner) = number;
        Try { manner, name: format!("{} {name} {}", before.name, number.value()) }
    };
    numbers.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Tries = Tries {
        temperature: Vec::new(),
        pitch_temperature: Vec::new(),
        timing_temperature: Vec::new(),
        focus: Vec::new(),
        velocity_follow: Vec::new(),
        pace_follow: Vec::new(),
    };

    #[test]
    fn without_a_wish_the_plugins_defaults_are_played() {
        let all = NONE.all();
        assert_eq!(all, [Try { manner: AntiphonParams::default().snapshot().manner, name: String::new() }]);
    }

    #[test]
    fn each_number_is_tried_with_each_of_the_others() {
        let numbers = |numbers: &[f32]| numbers.iter().map(|&number| Thousandths::of(number)).collect();
        let all =
            Tries { focus: numbers(&[0.0, 0.1]), timing_temperature: numbers(&[0.9, 1.0, 1.1]), ..NONE }
                .all();
        assert_eq!(all.len(), 6);
        assert_eq!(all[5].name, " timing 1.1 focus 0.1");
        assert_eq!((all[5].manner.timing_temperature.value(), all[5].manner.focus.value()), (1.1, 0.1));
    }
}
