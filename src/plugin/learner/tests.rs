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
fn ended(learner: &Learner) -> Learning {
    let thread = learner.thread.lock().take().expect("it has begun");
    thread.join().expect("it does not panic");
    learner.standing()
}

#[test]
fn from_takes_comes_a_personal_model_beside_them() {
    let folder = tempfile::tempdir().expect("a folder");
    for n in 0..3 {
        fs::write(folder.path().join(format!("{n}.mid")), take::write(&take(n, 150))).expect("a file");
    }
    fs::write(folder.path().join("me.antiphon"), b"an older one").expect("a file");
    let learner = Learner::default();
    assert_eq!(learner.standing(), Learning::Idle);
    learner.begin(folder.path().to_owned(), take(3, 151));
    let Learning::Learnt { path, likelier } = ended(&learner) else { panic!("{:?}", learner.standing()) };
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
    let Learning::Failed { sentence } = ended(&learner) else { panic!("{:?}", learner.standing()) };
    assert!(sentence.contains("20 notes are too few"), "{sentence}");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn whoever_stops_it_at_once_has_no_model() {
    let folder = tempfile::tempdir().expect("a folder");
    let learner = Learner::default();
    learner.begin(folder.path().to_owned(), take(0, 600));
    learner.stop();
    assert_eq!(ended(&learner), Learning::Idle);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
