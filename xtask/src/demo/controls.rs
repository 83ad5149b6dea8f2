//! What the command line says of the plugin's parameters.

use std::str::FromStr;

use super::game::Game;

/// Parameters that the demo itself must know, with the option that says them; it has none for *Thru*.
const OWN_OPTIONS: [(&str, &str); 6] = [
    ("Model", "say it with --model"),
    ("Mode", "say it with --mode"),
    ("Silence", "say it with --silence"),
    ("Length", "it is as long as --call-bars"),
    ("Trade bars", "they are as many as --call-bars"),
    ("Thru", "it stays off, so that the answer alone comes out"),
];

#[derive(Debug, clap::Args)]
pub struct Controls {
    /// The game: what the player does, and when the plugin plays
    #[arg(long, value_enum, default_value_t = Game::Answer)]
    pub mode: Game,
    /// How adventurous the choice of keys is, 0 to 2
    #[arg(long, default_value = "1.0", value_parser = number::<0, 2>)]
    pub temperature: f64,
    /// Notes that the plugin remembers, 25 to 150
    #[arg(long, value_name = "NOTES", default_value = "150",
          value_parser = clap::value_parser!(u32).range(25..=150))]
    pub memory: u32,
    /// The seed of all chance, 0 to 9999
    #[arg(long, default_value = "0", value_parser = clap::value_parser!(u32).range(0..=9999))]
    pub seed: u32,
    /// How likely it is to be that the call is over before the plugin takes the floor, 0 to 100 percent
    #[arg(long, value_name = "PERCENT", default_value = "75", value_parser = number::<0, 100>)]
    pub patience: f64,
    /// The silence after which the plugin takes the floor in any case, in beats
    #[arg(long, value_name = "BEATS", default_value = "1.0", value_parser = silence)]
    pub silence: f64,
    /// The scale that the answer keeps to, such as Dorian
    #[arg(long)]
    pub scale: Option<String>,
    /// The root of that scale, such as D or F#
    #[arg(long, value_name = "ROOT")]
    pub key: Option<String>,
    /// The most notes of the answer in a second, 0.25 to 32
    #[arg(long, value_name = "NOTES")]
    pub density: Option<String>,
    /// Any other parameter by its name and text, such as "Register low=C3"; may be given more than once. A name or a
    /// value that does not exist tells those that do
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<Setting>,
}

/// A parameter's name and what it is to be, in the plugin's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    pub text: String,
}

impl Setting {
    pub fn new(name: &str, text: impl ToString) -> Self {
        Self { name: name.to_owned(), text: text.to_string() }
    }

    /// `NAME=VALUE`, but for the names that a command must know itself, each with what to do instead.
    ///
    /// # Errors
    /// When it is another form or another name.
    pub fn except(line: &str, own: &[(&str, &str)]) -> Result<Self, String> {
        let (name, text) = line.split_once('=').ok_or("write NAME=VALUE, such as \"Scale=Dorian\"")?;
        let (name, text) = (name.trim(), text.trim());
        match own.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
            Some((own, instead)) => Err(format!("{own} cannot be set like this: {instead}")),
            None => Ok(Self::new(name, text)),
        }
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        Self::except(line, &OWN_OPTIONS)
    }
}

impl Controls {
    /// All that is said, in order: the last word on a parameter holds.
    pub fn settings(&self) -> Vec<Setting> {
        let mut settings = vec![
            Setting::new("Mode", self.mode),
            Setting::new("Memory", self.memory),
            Setting::new("Temperature", self.temperature),
            Setting::new("Patience", self.patience),
            Setting::new("Seed", self.seed),
        ];
        if self.mode.has_hand_over() {
            settings.push(Setting::new("Silence", self.silence));
        }
        let named = [("Scale", &self.scale), ("Key", &self.key), ("Density", &self.density)];
        settings.extend(named.iter().filter_map(|(name, text)| Some(Setting::new(name, text.as_ref()?))));
        settings.extend_from_slice(&self.settings);
        settings
    }
}

/// A number within whole bounds, for the command line.
pub fn number<const LEAST: i32, const MOST: i32>(text: &str) -> Result<f64, String> {
    within(text, LEAST.into(), MOST.into())
}

fn silence(text: &str) -> Result<f64, String> {
    within(text, 0.25, 8.0)
}

fn within(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (least..=most).contains(&value) { Ok(value) } else { Err(format!("not within {least} to {most}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_without_a_value_tells_how_to_write_it() {
        let sentence = "Scale Dorian".parse::<Setting>().expect_err("there is no value");
        assert!(sentence.contains("NAME=VALUE"), "{sentence}");
    }

    #[test]
    fn what_the_demo_itself_must_know_has_an_option_of_its_own() {
        let sentence = "mode=Trade".parse::<Setting>().expect_err("the player would not know");
        assert!(sentence.contains("--mode"), "{sentence}");
        assert_eq!("Register low = C3".parse(), Ok(Setting::new("Register low", "C3")));
    }
}
