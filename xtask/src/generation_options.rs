//! What the command line says of how answers are made, in the plugin's own words.

use antiphon::{
    music::{
        generation::{Density, GenerationSettings, Polyphony, Register, Thousandths},
        memory::{LARGEST_MEMORY, SMALLEST_MEMORY},
        note::Key,
        scale::{PitchClasses, Root, Scale},
    },
    params::AntiphonParams,
};
use nice_plug::prelude::{Enum, Param};

/// How what is played is to be. What is not said is as the plugin comes.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GenerationOptions {
    /// How adventurous all choices are, 0 to 2: 0 takes the likeliest, 1 the model's own odds
    #[arg(long, value_name = "NUMBER", value_parser = up_to_two)]
    temperature: Option<Thousandths>,
    /// Multiplies the temperature of the keys, 0 to 2
    #[arg(long, value_name = "NUMBER", value_parser = up_to_two)]
    pitch_temperature: Option<Thousandths>,
    /// Multiplies the temperature of steps and durations, 0 to 2
    #[arg(long, value_name = "NUMBER", value_parser = up_to_two)]
    timing_temperature: Option<Thousandths>,
    /// How likely a choice must be beside the likeliest one, 0 to 1
    #[arg(long, value_name = "NUMBER", value_parser = up_to_one)]
    focus: Option<Thousandths>,
    /// How far dynamics are drawn towards the last ones heard, 0 to 1
    #[arg(long, value_name = "NUMBER", value_parser = up_to_one)]
    velocity_follow: Option<Thousandths>,
    /// How far the notes are drawn towards the pace of what was heard, 0 to 1
    #[arg(long, value_name = "NUMBER", value_parser = up_to_one)]
    pace_follow: Option<Thousandths>,
    /// How far the keys are drawn to the scale of what was heard, 0 to 1
    #[arg(long, value_name = "NUMBER", value_parser = up_to_one)]
    key_follow: Option<Thousandths>,
    /// The scale, such as Dorian; no other pitch class is played
    #[arg(long, value_parser = scale)]
    scale: Option<Scale>,
    /// The root of the scale, such as D or F#
    #[arg(long, value_name = "ROOT", value_parser = root, requires = "scale")]
    key: Option<Root>,
    /// The lowest key, such as C3
    #[arg(long, value_name = "KEY", value_parser = key)]
    low: Option<Key>,
    /// The highest key, such as C6
    #[arg(long, value_name = "KEY", value_parser = key)]
    high: Option<Key>,
    /// The most notes in a second, 0.25 to 32
    #[arg(long, value_name = "NOTES", value_parser = density)]
    density: Option<Density>,
    /// The most notes that sound at once, 1 to 32
    #[arg(long, value_name = "VOICES", value_parser = clap::value_parser!(u8).range(1..=32))]
    polyphony: Option<u8>,
    /// How many of the newest notes count, 25 to 150
    #[arg(long, value_name = "NOTES",
          value_parser = clap::value_parser!(u8).range(SMALLEST_MEMORY as i64..=LARGEST_MEMORY as i64))]
    memory: Option<u8>,
}

impl GenerationOptions {
    pub fn generation(&self) -> GenerationSettings {
        let usual = AntiphonParams::default().snapshot().generation;
        let [lowest, highest] = [0, 127].map(Key::saturating);
        let is_free = matches!(self.scale, None | Some(Scale::Auto));
        let on_root = |scale: Scale| scale.on(self.key.unwrap_or(Root::new(0)));
        GenerationSettings {
            temperature: self.temperature.unwrap_or(usual.temperature),
            pitch_temperature: self.pitch_temperature.unwrap_or(usual.pitch_temperature),
            timing_temperature: self.timing_temperature.unwrap_or(usual.timing_temperature),
            focus: self.focus.unwrap_or(usual.focus),
            velocity_follow: self.velocity_follow.unwrap_or(usual.velocity_follow),
            key_follow: self.key_follow.unwrap_or(if is_free { usual.key_follow } else { Thousandths::ZERO }),
            pace_follow: self.pace_follow.unwrap_or(usual.pace_follow),
            pitch_classes: self.scale.map_or(PitchClasses::ALL, on_root),
            register: Register::between(self.low.unwrap_or(lowest), self.high.unwrap_or(highest)),
            density: self.density.unwrap_or(usual.density),
            polyphony: self
                .polyphony
                .filter(|voices| *voices < 32)
                .map_or(usual.polyphony, Polyphony::voices),
            memory: self.memory.unwrap_or(usual.memory),
            ..usual
        }
    }
}

pub fn up_to_two(text: &str) -> Result<Thousandths, String> {
    within(text, 0.0, 2.0).map(Thousandths::of)
}

pub fn up_to_one(text: &str) -> Result<Thousandths, String> {
    within(text, 0.0, 1.0).map(Thousandths::of)
}

fn density(text: &str) -> Result<Density, String> {
    within(text, 0.25, 32.0).map(Density::per_second)
}

fn within(text: &str, least: f32, most: f32) -> Result<f32, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("give a number from {least} to {most}"))
}

fn scale(text: &str) -> Result<Scale, String> {
    named(text, Scale::variants()).map(Scale::from_index)
}

fn root(text: &str) -> Result<Root, String> {
    named(text, Root::variants()).map(Root::from_index)
}

fn named(text: &str, names: &[&str]) -> Result<usize, String> {
    let place = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    place.ok_or_else(|| format!("give one of {}", names.join(", ")))
}

fn key(text: &str) -> Result<Key, String> {
    let param = AntiphonParams::default().generation.register_low;
    let place = param.string_to_normalized_value(text).map(|place| param.preview_plain(place));
    let key = place.and_then(|number| u8::try_from(number).ok()).and_then(Key::new);
    key.ok_or_else(|| "give a key such as C4 or F#3, or a number from 0 to 127".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_wish_the_plugins_defaults_are_played() {
        assert_eq!(
            GenerationOptions::default().generation(),
            AntiphonParams::default().snapshot().generation
        );
    }

    #[test]
    fn scales_roots_and_keys_are_named_as_in_the_plugin() {
        assert_eq!(scale("natural minor"), Ok(Scale::NaturalMinor));
        assert_eq!(root("f#"), Ok(Root::new(6)));
        assert_eq!(key("Db4"), Ok(Key::saturating(61)));
        let sentence = scale("Dorain").expect_err("no scale");
        assert!(sentence.contains("Dorian, Phrygian"), "{sentence}");
        assert!(root("H").is_err() && key("H4").is_err() && key("128").is_err());
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert!(up_to_two("2.1").is_err() && up_to_one("1.5").is_err() && up_to_one("much").is_err());
        assert!(density("0.1").is_err() && up_to_one("nan").is_err());
        assert_eq!(up_to_two("1.25"), Ok(Thousandths::of(1.25)));
    }
}
