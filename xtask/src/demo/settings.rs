//! The plugin's settings of a take: how they are read from the command line, set in the plugin, and shown in
//! the picture's caption.

use std::{path::Path, str::FromStr};

use antiphon::{
    music::{
        generation::Register,
        keys::Keys,
        note::Key,
        scale::{Root, Scale},
    },
    plugin::{Exported, NoteEffect},
};
use anyhow::{Context, Result};
use test_host::{Clap, Host};

use super::{Arguments, BEATS_PER_BAR, call::PlayMode, turns::Turns};
use crate::models::Choice;

/// Parameters that the demo itself must know, each with the option that sets it; *Thru* has none.
const OWN_OPTIONS: [(&str, &str); 6] = [
    ("Model", "say it with --model"),
    ("Mode", "say it with --mode"),
    ("Silence", "say it with --silence"),
    ("Length", "it is as long as --call-bars"),
    ("Trade bars", "they are as many as --call-bars"),
    ("Thru", "it stays off, so that the answer alone comes out"),
];
/// Parameters that are not in the caption: the picture shows them elsewhere, or they are the same in every
/// take.
const LEFT_OUT: [&str; 3] = ["Model", "Mode", "Thru"];

#[derive(Debug, clap::Args)]
pub struct Controls {
    /// The mode: what the player does, and when the plugin plays
    #[arg(long, value_enum, default_value_t = PlayMode::Answer)]
    pub mode: PlayMode,
    /// How adventurous the choices are, 0 to 2
    #[arg(long, default_value = "1.0", value_parser = number::<0, 2>)]
    pub temperature: f64,
    /// Notes that the plugin remembers, 25 to 150
    #[arg(long, value_name = "NOTES", default_value = "150",
          value_parser = clap::value_parser!(u32).range(25..=150))]
    pub memory: u32,
    /// The seed of all chance, 0 to 9999
    #[arg(long, default_value = "0", value_parser = clap::value_parser!(u32).range(0..=9999))]
    pub seed: u32,
    /// How long nothing is struck before the plugin takes the floor, 0 to 100 percent
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
    /// Any other parameter by its name and text, such as "Register low=C3"; may be given more than once. A
    /// name or a value that does not exist tells those that do
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub settings: Vec<Setting>,
}

/// A parameter's name and its new value, in the plugin's own texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    pub text: String,
}

/// The settings of a take: parameters by the plugin's own names and texts, and the model.
#[derive(Debug)]
pub struct Settings {
    parameters: Vec<Setting>,
    model: Choice,
    mode: PlayMode,
}

/// The settings as the picture shows them.
#[derive(Debug, Clone)]
pub struct Caption {
    pub title: String,
    /// The model, and every setting that is not at its default.
    pub settings: String,
    /// The keys that the answer may play.
    pub keys: Keys,
}

impl Setting {
    pub fn new(name: &str, text: impl ToString) -> Self {
        Self { name: name.to_owned(), text: text.to_string() }
    }

    /// Parses `NAME=VALUE`, except for names that the command must know itself, each with what to do instead.
    ///
    /// # Errors
    /// When the form is another one, or the name is one of those.
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
    /// All settings in order; the last one of a parameter counts.
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

impl Settings {
    /// # Errors
    /// When the model file is not a model.
    pub fn new(arguments: &Arguments, turns: &Turns) -> Result<Self> {
        // The demo knows what it plays: only the answer is to come out.
        let mut parameters = vec![Setting::new("Thru", "off")];
        match turns.mode {
            PlayMode::Trade => parameters.push(Setting::new("Trade bars", turns.call_bars)),
            PlayMode::Answer | PlayMode::Together => {
                parameters.push(Setting::new("Length", turns.call_bars * BEATS_PER_BAR));
            }
            PlayMode::Endless => {}
        }
        parameters.extend(arguments.controls.settings());
        Ok(Self { parameters, model: Choice::new(&arguments.model)?, mode: turns.mode })
    }

    /// A fresh instance with these settings.
    ///
    /// # Errors
    /// When the bundle cannot be loaded or refuses a setting; the sentence says what it takes.
    pub fn load(&self, bundle: &Path) -> Result<Clap> {
        self.set(Clap::open(bundle, NoteEffect::CLAP_ID)?)
    }

    /// The caption of a plugin with these settings.
    ///
    /// # Errors
    /// When the plugin does not tell its parameters.
    pub fn caption(&self, clap: &mut Clap) -> Result<Caption> {
        Caption::new(clap, format!("Antiphon: {}", self.mode), &self.model.name())
    }

    fn set(&self, mut clap: Clap) -> Result<Clap> {
        for Setting { name, text } in &self.parameters {
            clap.set_text(name, text)?;
        }
        self.model.set(&mut clap)?;
        Ok(clap)
    }
}

impl Caption {
    /// # Errors
    /// When the plugin does not tell its parameters.
    pub fn new(clap: &mut Clap, title: String, model: &str) -> Result<Self> {
        let changed = clap.changed()?.into_iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
        let changed = changed.map(|(name, text)| format!("{name} {text}"));
        let settings = std::iter::once(model.to_owned()).chain(changed).collect::<Vec<_>>().join(", ");
        Ok(Self { title, settings, keys: keys(clap)? })
    }
}

/// Parses a number between two whole bounds, for the command line.
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

/// The keys that register and scale allow.
fn keys(clap: &mut Clap) -> Result<Keys> {
    let scale = place(clap, "Scale", Scale::ALL.len())?;
    let root = Root::new(place(clap, "Key", Root::NAMES.len())? as u8);
    let mut end = |name| Ok::<_, anyhow::Error>(Key::saturating(place(clap, name, Key::COUNT)? as u8));
    let register = Register::between(end("Register low")?, end("Register high")?);
    let scale = Scale::ALL.get(scale).context("the plugin knows the scales")?;
    Ok(register.keys().and(scale.on(root).keys()))
}

/// The index of a parameter's value among its `count` values, from 0.
fn place(clap: &mut Clap, name: &str, count: usize) -> Result<usize> {
    let id = clap.parameter(name)?.id;
    Ok((clap.get(id)? * (count - 1) as f64).round() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bundle,
        demo::{call, tests::arguments},
    };

    /// The caption for a command line.
    fn caption(line: &[&str]) -> Result<Caption> {
        let arguments = arguments(line);
        let turns = Turns::new(&arguments, &call::phrase(arguments.tempo, arguments.controls.mode))?;
        let settings = Settings::new(&arguments, &turns)?;
        settings.caption(&mut settings.set(bundle::linked::<NoteEffect>()?)?)
    }

    fn sentence(line: &[&str]) -> String {
        caption(line).expect_err("the plugin does not know that").to_string()
    }

    #[test]
    fn the_picture_names_every_setting_that_is_not_the_plugins_own() -> Result<()> {
        let usual = caption(&["--silence", "4", "--call-bars", "4"])?;
        assert_eq!((usual.title.as_str(), usual.settings.as_str()), ("Antiphon: Answer", "antiphon"));
        let line = ["--mode", "trade", "--scale", "dorian", "--key", "d", "--set", "Swing=66"];
        let other = caption(&[&line[..], &["--model", "classic-25"]].concat())?;
        assert_eq!(other.title, "Antiphon: Trade");
        for setting in ["classic-25, ", "Scale Dorian", "Key D", "Swing 66", "Trade bars 2 bars"] {
            assert!(other.settings.contains(setting), "{setting} in {}", other.settings);
        }
        assert!(!other.settings.contains("Silence"), "no silence ends the player's bars: {}", other.settings);
        Ok(())
    }

    #[test]
    fn the_last_word_on_a_parameter_holds() -> Result<()> {
        let caption = caption(&["--temperature", "0.5", "--set", "temperature=1.5"])?;
        assert!(caption.settings.contains("Temperature 1.50"), "{}", caption.settings);
        Ok(())
    }

    #[test]
    fn keys_outside_scale_and_register_are_known() -> Result<()> {
        let line = ["--scale", "Major", "--set", "Register low=C4", "--set", "Register high=C5"];
        let keys = caption(&line)?.keys;
        let inside = [60, 62, 64, 65, 67, 69, 71, 72];
        assert!((0..128).all(|key| keys.contains(Key::saturating(key)) == inside.contains(&key)));
        Ok(())
    }

    #[test]
    fn a_wrong_setting_is_told_in_a_sentence_with_what_is_possible() {
        let scale = sentence(&["--scale", "Dorain"]);
        assert!(scale.contains("\"Dorain\"") && scale.contains("Dorian, Phrygian"), "{scale}");
        let range = sentence(&["--set", "Pitch temperature=7"]);
        assert!(range.contains("0.00 to 2.00"), "{range}");
        let name = sentence(&["--set", "Swong=60"]);
        assert!(name.contains("\"Swong\"") && name.contains("Swing"), "{name}");
    }

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
