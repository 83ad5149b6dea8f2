//! The plugin's settings for a take.

use std::path::Path;

use anyhow::Result;
use stage::Clap;

use super::{Arguments, BEATS_PER_BAR, controls::Setting, game::Game, shown::Shown, turns::Turns};
use crate::models::Choice;

const PLUGIN: &str = "audio.antiphon.midi";

/// What is set before a take: parameters in the plugin's own names and texts, and the model.
#[derive(Debug)]
pub struct Settings {
    parameters: Vec<Setting>,
    model: Choice,
    game: Game,
}

impl Settings {
    /// # Errors
    /// When the model file is not a model.
    pub fn new(arguments: &Arguments, turns: &Turns) -> Result<Self> {
        // The demo knows what it plays: what comes out is the answer alone.
        let mut parameters = vec![Setting::new("Thru", "off")];
        match turns.game {
            Game::Trade => parameters.push(Setting::new("Trade bars", turns.call_bars)),
            Game::Answer | Game::Together => {
                parameters.push(Setting::new("Length", turns.call_bars * BEATS_PER_BAR));
            }
            Game::Endless => {}
        }
        parameters.extend(arguments.controls.settings());
        Ok(Self { parameters, model: Choice::new(&arguments.model)?, game: turns.game })
    }

    /// A fresh instance with these settings.
    ///
    /// # Errors
    /// When the bundle cannot be loaded or refuses a setting; the sentence says what it takes.
    pub fn load(&self, bundle: &Path) -> Result<Clap> {
        self.set(Clap::open(bundle, PLUGIN)?)
    }

    /// What the picture tells of a plugin with these settings.
    ///
    /// # Errors
    /// When the plugin does not tell its parameters.
    pub fn shown(&self, clap: &mut Clap) -> Result<Shown> {
        Shown::new(clap, format!("Antiphon: {}", self.game), &self.model.name())
    }

    fn set(&self, mut clap: Clap) -> Result<Clap> {
        for Setting { name, text } in &self.parameters {
            clap.set_text(name, text)?;
        }
        self.model.set(&mut clap)?;
        Ok(clap)
    }
}

#[cfg(test)]
mod tests {
    use antiphon::music::note::Key;
    use clap::Parser;

    use super::*;
    use crate::demo::call;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    /// The picture's words for a command line.
    fn shown(line: &[&str]) -> Result<Shown> {
        let arguments = Line::try_parse_from([&["demo"], line].concat())?.arguments;
        let turns = Turns::new(&arguments, &call::phrase(arguments.tempo, arguments.controls.mode))?;
        let settings = Settings::new(&arguments, &turns)?;
        // SAFETY: the framework's entry is a valid one.
        let clap = unsafe { Clap::in_process((&raw const antiphon::plugin::clap_entry).cast(), PLUGIN) }?;
        settings.shown(&mut settings.set(clap)?)
    }

    fn sentence(line: &[&str]) -> String {
        shown(line).expect_err("the plugin does not know that").to_string()
    }

    #[test]
    fn the_picture_names_every_setting_that_is_not_the_plugins_own() -> Result<()> {
        let usual = shown(&["--silence", "4", "--call-bars", "4"])?;
        assert_eq!((usual.title.as_str(), usual.settings.as_str()), ("Antiphon: Answer", "antiphon"));
        let line = ["--mode", "trade", "--scale", "dorian", "--key", "d", "--set", "Swing=66"];
        let other = shown(&[&line[..], &["--model", "classic-25"]].concat())?;
        assert_eq!(other.title, "Antiphon: Trade");
        for setting in ["classic-25, ", "Scale Dorian", "Key D", "Swing 66", "Trade bars 2 bars"] {
            assert!(other.settings.contains(setting), "{setting} in {}", other.settings);
        }
        assert!(!other.settings.contains("Silence"), "no silence ends the player's bars: {}", other.settings);
        Ok(())
    }

    #[test]
    fn the_last_word_on_a_parameter_holds() -> Result<()> {
        let shown = shown(&["--temperature", "0.5", "--set", "temperature=1.5"])?;
        assert!(shown.settings.contains("Temperature 1.50"), "{}", shown.settings);
        Ok(())
    }

    #[test]
    fn keys_outside_scale_and_register_are_known() -> Result<()> {
        let line = ["--scale", "Major", "--set", "Register low=C4", "--set", "Register high=C5"];
        let keys = shown(&line)?.keys;
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
}
