//! *Learn from me*: trains a personal model on the player's music, in the background, behind all else.
//!
//! The training data are the takes that the player has saved, the current take, and the MIDI files that the
//! player has put beside them. The result is offered; if the player keeps it, it is one more file there.
//! Nothing goes anywhere else.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use thread_priority::{ThreadPriority, set_current_thread_priority};

use crate::{
    adaptation::{Adaptation, Budget, Card, DataSet, Progress, VISITS},
    model::{
        personal::{ENDING, Personal},
        registry,
    },
    music::{conditions::Style, note::GridNote},
    take::{self, Take},
};

/// Longest time of a training, however slow the machine.
const LONGEST: Duration = Duration::from_secs(300);
/// The base model from which the training starts.
const BASE: &str = "antiphon";
/// The name of the result, if it is not in use yet.
const NAME: &str = "me";
/// The endings of files that are read.
const MIDI_FILES: [&str; 2] = ["mid", "midi"];
/// Largest number of files that are read.
const MOST_FILES: usize = 1_000;
const LARGEST_FILE_BYTES: u64 = 16 << 20;
const SEED: u64 = 1;

/// The state of the training.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LearnerStatus {
    /// Nobody has asked for it.
    #[default]
    Idle,
    /// `percent` of the way is done, and each note that was held out is `likelier` percent likelier.
    Running { percent: u8, likelier: u32 },
    /// There is a personal model for [`Learner::keep`]: each held-out note is `likelier` percent likelier.
    Finished { likelier: u32 },
    /// There is no personal model; the sentence says why, and what to do.
    Failed { sentence: String },
}

/// Trains in the background. When it is dropped the training has ended.
#[derive(Default)]
pub struct Learner {
    status: Arc<RwLock<LearnerStatus>>,
    stop: Arc<AtomicBool>,
    learnt: Arc<Mutex<Option<Learnt>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The training data.
pub struct Material {
    /// The folder of takes and other MIDI files; the personal model is written there.
    pub folder: PathBuf,
    pub take: Take,
    /// What kind of music it is, where the player says so.
    pub style: Option<Style>,
}

/// A trained model that is in no file yet.
struct Learnt {
    folder: PathBuf,
    card: Card,
    personal: Personal,
}

impl Learner {
    /// How far it is; the lock is never held for long.
    pub fn status(&self) -> LearnerStatus {
        self.status.read().clone()
    }

    /// Begins a training, and drops an earlier result that was not kept. Does nothing while a training runs.
    pub fn begin(&self, material: Material) {
        let mut thread = self.thread.lock();
        if thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        self.stop.store(false, Ordering::Relaxed);
        *self.learnt.lock() = None;
        *self.status.write() = LearnerStatus::Running { percent: 0, likelier: 0 };
        let (status, stop, learnt) = (self.status.clone(), self.stop.clone(), self.learnt.clone());
        let learn = move || {
            // Where the system does not allow it, it trains at ordinary priority.
            drop(set_current_thread_priority(ThreadPriority::Min));
            *status.write() = match learn(material, &status, &stop) {
                Ok(None) => LearnerStatus::Idle,
                Ok(Some((done, likelier))) => {
                    *learnt.lock() = Some(done);
                    LearnerStatus::Finished { likelier }
                }
                Err(sentence) => LearnerStatus::Failed { sentence },
            };
        };
        match thread::Builder::new().name("antiphon learner".to_owned()).spawn(learn) {
            Ok(spawned) => *thread = Some(spawned),
            Err(error) => {
                let sentence = format!(
                    "the system has no thread to give ({error}): close another program, then try again"
                );
                *self.status.write() = LearnerStatus::Failed { sentence };
            }
        }
    }

    /// Ends the training soon; what was gained by then is offered.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Writes the trained model into the folder of its training data, under a name that is not in use;
    /// returns its path.
    ///
    /// # Errors
    /// Where there is no trained model, or the file cannot be written: a sentence that says what to do.
    pub fn keep(&self) -> Result<PathBuf, String> {
        let mut learnt = self.learnt.lock();
        let Some(Learnt { folder, card, personal }) = &mut *learnt else {
            return Err("nothing was learnt that could be kept: choose Learn from me first".to_owned());
        };
        let (name, path) = free_name(folder);
        card.name.clone_from(&name);
        (personal.name, personal.card) = (name, card.to_toml());
        let written = take::write_unnamed(folder, &personal.to_bytes());
        let kept = written.and_then(|file| Ok(file.persist_noclobber(&path)?));
        kept.map_err(|error| {
            format!("{} cannot be written ({error}): free some space or make it writable", path.display())
        })?;
        *learnt = None;
        *self.status.write() = LearnerStatus::Idle;
        Ok(path)
    }
}

impl Drop for Learner {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.lock().take() {
            // A thread that panicked leaves nothing behind.
            drop(thread.join());
        }
    }
}

/// The trained model, and by how many percent each held-out note is likelier; `None` if stopped too soon.
fn learn(
    material: Material,
    status: &RwLock<LearnerStatus>,
    stop: &AtomicBool,
) -> Result<Option<(Learnt, u32)>, String> {
    let pieces = pieces(&material, stop);
    let shown = material.folder.display();
    let data_set =
        DataSet::divided(&pieces, SEED).map_err(|error| format!("{shown} and the take of now: {error}"))?;
    let base = registry::embedded_file(BASE).map(registry::read).expect("it is inside");
    let base = base.map_err(|error| error.to_string())?;
    let budget = Budget { time: LONGEST, notes: VISITS * data_set.learnt_notes() };
    let told = |progress: &Progress| {
        let (percent, likelier) = ((progress.passed * 100.0) as u8, likelier(progress.gain));
        *status.write() = LearnerStatus::Running { percent, likelier };
        !stop.load(Ordering::Relaxed)
    };
    let outcome = Adaptation::new(&base, &data_set, SEED).and_then(|it| it.learn(budget, told));
    let outcome = outcome.map_err(|error| error.to_string())?;
    let card = Card::of(NAME, &base, &data_set, &outcome, SEED);
    match outcome.personal(NAME, &base, card.to_toml()) {
        Some(personal) => {
            let learnt = Learnt { folder: material.folder, card, personal };
            Ok(Some((learnt, likelier(outcome.gain()))))
        }
        None if stop.load(Ordering::Relaxed) => Ok(None),
        None => Err(nothing(data_set.learnt_notes())),
    }
}

/// The pieces of the folder's MIDI files and of the current take. Files that cannot be read are left out;
/// after a stop no more are read.
fn pieces(Material { folder, take, style }: &Material, stop: &AtomicBool) -> Vec<Vec<GridNote>> {
    let is_small = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() <= LARGEST_FILE_BYTES);
    let paths = files_in(folder, &MIDI_FILES).into_iter().filter(is_small).take(MOST_FILES);
    let saved = paths.take_while(|_| !stop.load(Ordering::Relaxed));
    let saved = saved.filter_map(|path| take::call(&fs::read(path).ok()?));
    let mut pieces: Vec<_> = saved.chain(take::call(&take::write(take))).collect();
    pieces.retain(|piece| !piece.is_empty());
    pieces.iter_mut().flatten().for_each(|note| note.conditions.style = *style);
    pieces
}

/// The files of a folder that end in one of these, in the order of their names; none where it cannot be read.
pub fn files_in(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let ends = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default();
        endings.iter().any(|one| ending.eq_ignore_ascii_case(one))
    };
    let mut paths: Vec<PathBuf> = paths.filter(ends).collect();
    paths.sort();
    paths
}

/// `me.antiphon`, or the first one with a number that is not there.
fn free_name(folder: &Path) -> (String, PathBuf) {
    let names = (1..).map(|n| if n == 1 { NAME.to_owned() } else { format!("{NAME} {n}") });
    let mut places = names.map(|name| (folder.join(format!("{name}.{ENDING}")), name));
    let (path, name) = places.find(|(path, _)| !path.exists()).expect("names have no end");
    (name, path)
}

/// By how many percent each held-out note is likelier, from the gain as a natural logarithm.
fn likelier(gain: f64) -> u32 {
    (100.0 * (gain.exp() - 1.0)).round().max(0.0) as u32
}

fn nothing(notes: usize) -> String {
    format!("nothing was gained from {notes} notes: play and save more takes, more alike, then learn again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::{Event, Record},
        model::personal::Personal,
        music::{
            note::{Key, Velocity},
            note_tracker::ChannelKey,
            time::{SampleRate, SampleTime},
        },
    };

    /// A take of `notes` notes in whole tones, from the note with the number `first` on.
    fn take(first: u64, notes: u64) -> Take {
        let mut take = Take::new(SampleRate(48_000.0));
        for n in 0..notes {
            let key = Key::saturating(60 + 2 * ((n + first) % 6) as u8);
            let place = ChannelKey { channel: 0, key };
            let mut record = |at, event| take.record(Record { at: SampleTime(at), event });
            record(9_600 * n, Event::Struck(place, Velocity::saturating(100)));
            record(9_600 * n + 5_000, Event::Lifted(place.into()));
        }
        take
    }

    /// Waits for the end of the training, and returns its status.
    fn ended(learner: &Learner) -> LearnerStatus {
        let thread = learner.thread.lock().take().expect("it has begun");
        thread.join().expect("it does not panic");
        learner.status()
    }

    fn material(folder: &Path, take: Take) -> Material {
        Material { folder: folder.to_owned(), take, style: None }
    }

    #[test]
    fn from_takes_comes_a_personal_model_which_is_written_beside_them_when_it_is_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        for n in 0..3 {
            fs::write(folder.path().join(format!("{n}.mid")), take::write(&take(n, 150))).expect("a file");
        }
        fs::write(folder.path().join("me.antiphon"), b"an older one").expect("a file");
        let learner = Learner::default();
        assert_eq!(learner.status(), LearnerStatus::Idle);
        learner.begin(material(folder.path(), take(3, 151)));
        let LearnerStatus::Finished { likelier } = ended(&learner) else { panic!("{:?}", learner.status()) };
        let models = || files_in(folder.path(), &[ENDING]).len();
        assert!(likelier > 0 && models() == 1, "{likelier} %, {} models", models());
        let path = learner.keep().expect("it can be written");
        assert_eq!(
            (&path, models(), learner.status()),
            (&folder.path().join("me 2.antiphon"), 2, LearnerStatus::Idle)
        );
        assert!(learner.keep().is_err(), "it is kept once");
        let personal = Personal::read(&fs::read(path).expect("a file")).expect("a personal model");
        assert_eq!(personal.name, "me 2");
        let card: toml::Table = personal.card.parse().expect("TOML");
        assert_eq!(card["player"]["notes"].as_integer(), Some(601));
    }

    #[test]
    fn from_too_little_nothing_comes_but_a_sentence() {
        let folder = tempfile::tempdir().expect("a folder");
        let learner = Learner::default();
        learner.begin(material(folder.path(), take(0, 20)));
        let LearnerStatus::Failed { sentence } = ended(&learner) else { panic!("{:?}", learner.status()) };
        assert!(sentence.contains("20 notes are too few"), "{sentence}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn whoever_stops_it_at_once_has_no_model() {
        let folder = tempfile::tempdir().expect("a folder");
        let learner = Learner::default();
        learner.begin(material(folder.path(), take(0, 600)));
        learner.stop();
        assert_eq!(ended(&learner), LearnerStatus::Idle);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
