//! *Learn from me*: a personal model of what the player has played, made in the background, behind all else.
//!
//! What is learnt from are the takes that the player has saved, the take of now, and whatever MIDI files the player has
//! put beside them. The result is one more file there; nothing goes anywhere else.

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
    adaptation::{Adaptation, Budget, Card, DataSet, Outcome, Player, Progress, VISITS},
    model::registry,
    music::note::GridNote,
    take::{self, Take},
};

/// It learns no longer than this, however slow the machine.
const LONGEST: Duration = Duration::from_secs(300);
/// The model that it learns from.
const BASE: &str = "antiphon";
/// More files are not read.
const MOST_FILES: usize = 1_000;
const LARGEST_FILE_BYTES: u64 = 16 << 20;
const SEED: u64 = 1;

/// How far the learning is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LearnerStatus {
    /// Nobody has asked for it.
    #[default]
    Idle,
    /// So many percent of the way, and so many percent likelier is each note that was held out.
    Running { percent: u8, likelier: u32 },
    /// The file of the personal model.
    Finished { path: PathBuf, likelier: u32 },
    /// Why there is none, and what to do.
    Failed { sentence: String },
}

/// Learns in the background. When it is dropped the learning has ended.
#[derive(Default)]
pub struct Learner {
    status: Arc<RwLock<LearnerStatus>>,
    stop: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Learner {
    /// How far it is; the lock is never held for long.
    pub fn status(&self) -> LearnerStatus {
        self.status.read().clone()
    }

    /// Begins to learn from what lies in a folder, and from a take; the personal model is written there. Does nothing while it
    /// learns.
    pub fn begin(&self, folder: PathBuf, take: Take) {
        let mut thread = self.thread.lock();
        if thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        self.stop.store(false, Ordering::Relaxed);
        *self.status.write() = LearnerStatus::Running { percent: 0, likelier: 0 };
        let (status, stop) = (self.status.clone(), self.stop.clone());
        let learn = move || {
            // Where the system does not allow it, it learns beside the others.
            drop(set_current_thread_priority(ThreadPriority::Min));
            let done = learn(&folder, &take, &status, &stop);
            *status.write() = match done {
                Ok(learning) => learning,
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

    /// Ends the learning soon; what was gained by then is kept.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Learner {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.lock().take() {
            // One that panicked leaves nothing behind.
            drop(thread.join());
        }
    }
}

fn learn(
    folder: &Path,
    take: &Take,
    status: &RwLock<LearnerStatus>,
    stop: &AtomicBool,
) -> Result<LearnerStatus, String> {
    let pieces = pieces(folder, take);
    let shown = folder.display();
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
    let (name, path) = free_name(folder);
    let card = Card::of(&name, &base, Player::of(&pieces), &data_set, &outcome, SEED).to_toml();
    let Some(personal) = outcome.personal(&name, &base, card) else {
        return if stop.load(Ordering::Relaxed) { Ok(LearnerStatus::Idle) } else { Err(nothing(&outcome)) };
    };
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, personal.to_bytes()));
    written.map_err(|error| {
        format!("{} cannot be written ({error}): free some space or make it writable", path.display())
    })?;
    Ok(LearnerStatus::Finished { path, likelier: likelier(outcome.gain()) })
}

/// Of the MIDI files of a folder, and of the take of now; those that cannot be read are left out.
fn pieces(folder: &Path, take: &Take) -> Vec<Vec<GridNote>> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_midi = |path: &PathBuf| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("mid"));
    let mut paths: Vec<PathBuf> = entries.filter(is_midi).collect();
    paths.sort();
    let is_small = |path: &PathBuf| fs::metadata(path).is_ok_and(|file| file.len() <= LARGEST_FILE_BYTES);
    let saved = paths.iter().filter(|path| is_small(path)).take(MOST_FILES);
    let saved = saved.filter_map(|path| take::call(&fs::read(path).ok()?));
    saved.chain(take::call(&take::write(take))).filter(|piece| !piece.is_empty()).collect()
}

/// `me.antiphon`, or the first one with a number that is not there.
fn free_name(folder: &Path) -> (String, PathBuf) {
    let names = (1..).map(|n| if n == 1 { "me".to_owned() } else { format!("me {n}") });
    let mut places = names.map(|name| (folder.join(format!("{name}.antiphon")), name));
    let (path, name) = places.find(|(path, _)| !path.exists()).expect("names have no end");
    (name, path)
}

/// By how many percent each note is likelier that was held out.
fn likelier(gain: f64) -> u32 {
    (100.0 * (gain.exp() - 1.0)).round().max(0.0) as u32
}

fn nothing(outcome: &Outcome) -> String {
    format!(
        "nothing was gained from {} notes: play and save more takes, more alike, then learn again",
        outcome.notes
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event_log::{Event, Record},
        model::personal::Personal,
        music::{
            note::{Key, Velocity},
            note_tracker::Place,
            time::{SampleRate, SampleTime},
        },
    };

    /// Whole tones up and down, so many notes from one of them on.
    fn take(first: u64, notes: u64) -> Take {
        let mut take = Take::new(SampleRate(48_000.0));
        for n in 0..notes {
            let key = Key::saturating(60 + 2 * ((n + first) % 6) as u8);
            let place = Place { channel: 0, key };
            let mut record = |at, event| take.record(Record { at: SampleTime(at), event });
            record(9_600 * n, Event::Struck(place, Velocity::saturating(100)));
            record(9_600 * n + 5_000, Event::Lifted(place.into()));
        }
        take
    }

    /// Waits for the end of what was begun, and tells it.
    fn ended(learner: &Learner) -> LearnerStatus {
        let thread = learner.thread.lock().take().expect("it has begun");
        thread.join().expect("it does not panic");
        learner.status()
    }

    #[test]
    fn from_takes_comes_a_personal_model_beside_them() {
        let folder = tempfile::tempdir().expect("a folder");
        for n in 0..3 {
            fs::write(folder.path().join(format!("{n}.mid")), take::write(&take(n, 150))).expect("a file");
        }
        fs::write(folder.path().join("me.antiphon"), b"an older one").expect("a file");
        let learner = Learner::default();
        assert_eq!(learner.status(), LearnerStatus::Idle);
        learner.begin(folder.path().to_owned(), take(3, 151));
        let LearnerStatus::Finished { path, likelier } = ended(&learner) else {
            panic!("{:?}", learner.status())
        };
        assert!(likelier > 0 && path == folder.path().join("me 2.antiphon"), "{likelier} {path:?}");
        let personal = Personal::read(&fs::read(path).expect("a file")).expect("a personal model");
        assert_eq!(personal.name, "me 2");
        let card: toml::Table = personal.card.parse().expect("TOML");
        assert_eq!(card["player"]["notes"].as_integer(), Some(601));
    }

    #[test]
    fn from_too_little_nothing_comes_but_a_sentence() {
        let folder = tempfile::tempdir().expect("a folder");
        let learner = Learner::default();
        learner.begin(folder.path().to_owned(), take(0, 20));
        let LearnerStatus::Failed { sentence } = ended(&learner) else { panic!("{:?}", learner.status()) };
        assert!(sentence.contains("20 notes are too few"), "{sentence}");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }

    #[test]
    fn whoever_stops_it_at_once_has_no_model() {
        let folder = tempfile::tempdir().expect("a folder");
        let learner = Learner::default();
        learner.begin(folder.path().to_owned(), take(0, 600));
        learner.stop();
        assert_eq!(ended(&learner), LearnerStatus::Idle);
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
