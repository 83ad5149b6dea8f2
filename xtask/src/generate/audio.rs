//! Renders notes through a SoundFont to a WAV file.

use std::{
    env,
    fs::File,
    io::{BufReader, BufWriter, Seek, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow};
use hound::{SampleFormat, WavSpec, WavWriter};
use rustysynth::{SoundFont, Synthesizer, SynthesizerSettings};

use super::score::Player;
use crate::corpus::Instrument;

const SAMPLE_RATE: u16 = 44_100;
/// Number of voices. A chord under the pedal needs more than the synthesiser has by default: each note takes
/// two, one per channel.
const VOICES: usize = 256;
/// Time that is rendered after the last note, in seconds, for the reverberation.
const TAIL_S: f64 = 3.0;
/// Largest number of samples that are rendered at a time.
const LONGEST_BLOCK: u64 = 4096;
/// Folders in which systems keep SoundFonts. In each folder the first names are preferred.
const FOLDERS: [&str; 4] =
    ["/usr/share/sounds/sf2", "/usr/share/soundfonts", "/usr/local/share/soundfonts", "/usr/share/sf2"];

/// A synthesiser for all players.
#[derive(Clone)]
pub struct Audio(Arc<SoundFont>);

/// An event on a channel, at a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at: u64,
    /// Whether it is a note-on: releases come before note-ons of the same sample.
    is_onset: bool,
    channel: u8,
    program: u8,
    key: u8,
    velocity: u8,
}

impl Audio {
    /// A SoundFont of the user's, or one that the system has.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(chosen: Option<&Path>) -> Result<Self> {
        let path = match chosen {
            Some(path) => path.to_owned(),
            None => installed(&folders()).context(
                "no SoundFont is installed: `sudo apt-get install fluid-soundfont-gm` on Debian, or name an .sf2 file \
                 with --soundfont",
            )?,
        };
        let file = File::open(&path).with_context(|| format!("{} cannot be opened", path.display()))?;
        let font = SoundFont::new(&mut BufReader::new(file)).map_err(|error| {
            anyhow!("{} cannot be played: {error}; give a SoundFont 2, which ends in .sf2", path.display())
        })?;
        Ok(Self(Arc::new(font)))
    }

    /// Writes both channels with 16 bits per sample, second by second.
    pub fn write(&self, players: &[Player], out: impl Write + Seek) -> Result<()> {
        let mut settings = SynthesizerSettings::new(SAMPLE_RATE.into());
        settings.maximum_polyphony = VOICES;
        let synthesizer = Synthesizer::new(&self.0, &settings)?;
        let spec = WavSpec {
            channels: 2,
            sample_rate: SAMPLE_RATE.into(),
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut sound = Sound { synthesizer, wav: WavWriter::new(BufWriter::new(out), spec)?, now: 0 };
        let events = events(players);
        for event in &events {
            sound.render_until(event.at)?;
            sound.hear(event);
        }
        let last = events.last().map_or(0, |event| event.at);
        sound.render_until(last + sample(TAIL_S))?;
        Ok(sound.wav.finalize()?)
    }
}

struct Sound<W: Write + Seek> {
    synthesizer: Synthesizer,
    wav: WavWriter<W>,
    now: u64,
}

impl<W: Write + Seek> Sound<W> {
    fn hear(&mut self, event: &Event) {
        let (channel, key) = (event.channel.into(), event.key.into());
        match event.is_onset {
            true => {
                const PROGRAM_CHANGE: i32 = 0xC0;
                // The program changes where a note with another program begins.
                self.synthesizer.process_midi_message(channel, PROGRAM_CHANGE, event.program.into(), 0);
                self.synthesizer.note_on(channel, key, event.velocity.into());
            }
            false => self.synthesizer.note_off(channel, key),
        }
    }

    fn render_until(&mut self, sample: u64) -> Result<()> {
        while self.now < sample {
            let length = (sample - self.now).min(LONGEST_BLOCK);
            let mut sides = [(); 2].map(|()| vec![0.0f32; length as usize]);
            let [left, right] = &mut sides;
            self.synthesizer.render(left, right);
            for (left, right) in left.iter().zip(right) {
                for side in [*left, *right] {
                    self.wav.write_sample((side.clamp(-1.0, 1.0) * f32::from(i16::MAX)) as i16)?;
                }
            }
            self.now += length;
        }
        Ok(())
    }
}

fn events(players: &[Player]) -> Vec<Event> {
    let mut events = Vec::new();
    for player in players {
        for note in &player.notes {
            let (key, velocity) = (note.key.number(), note.velocity.value());
            let on = sample(note.onset);
            let Instrument { channel, program, .. } = player.instrument;
            let onset = Event { at: on, is_onset: true, channel, program, key, velocity };
            events.push(onset);
            events.push(Event { at: sample(note.end).max(on + 1), is_onset: false, ..onset });
        }
    }
    events.sort_unstable();
    events
}

fn sample(seconds: f64) -> u64 {
    (seconds * f64::from(SAMPLE_RATE)).round().max(0.0) as u64
}

fn folders() -> Vec<PathBuf> {
    let of_user = env::var_os("HOME").map(|home| {
        let home = PathBuf::from(home);
        [".local/share/soundfonts", "Library/Audio/Sounds/Banks"].map(|folder| home.join(folder))
    });
    of_user.into_iter().flatten().chain(FOLDERS.map(PathBuf::from)).collect()
}

/// The first SoundFont of these folders, if there is any.
fn installed(folders: &[PathBuf]) -> Option<PathBuf> {
    let fonts = |folder: &PathBuf| {
        let paths = folder.read_dir().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let is_font =
            |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sf2"));
        let mut fonts: Vec<PathBuf> = paths.filter(is_font).collect();
        fonts.sort();
        fonts.into_iter().next()
    };
    folders.iter().find_map(fonts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    #[test]
    fn the_users_own_fonts_go_before_those_of_the_system() {
        let (own, system) = (Folder::new("fonts-own"), Folder::new("fonts-system"));
        system.write("b.sf2", b"");
        system.write("a.SF2", b"");
        let folders = [own.path().to_owned(), system.path().to_owned()];
        assert_eq!(installed(&folders), Some(system.join("a.SF2")));
        own.write("z.sf2", b"");
        assert_eq!(installed(&folders), Some(own.join("z.sf2")));
        assert_eq!(installed(&[own.join("missing")]), None);
    }

    #[test]
    fn what_is_no_soundfont_is_refused_in_a_sentence() {
        let folder = Folder::new("no-font");
        folder.write("a.sf2", b"RIFF, but no font");
        for (name, hint) in [("a.sf2", "SoundFont 2"), ("missing.sf2", "cannot be opened")] {
            let error = Audio::open(Some(&folder.join(name))).err().expect("no font");
            assert!(format!("{error:#}").contains(hint), "{error:#}");
        }
    }

    #[test]
    fn a_release_goes_before_a_strike_of_the_same_moment() {
        let event = |at, is_onset| Event { at, is_onset, channel: 0, program: 0, key: 60, velocity: 64 };
        let mut events = [event(5, true), event(5, false), event(4, true)];
        events.sort_unstable();
        assert_eq!(events, [event(4, true), event(5, false), event(5, true)]);
    }
}
