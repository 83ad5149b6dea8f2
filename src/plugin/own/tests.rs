use super::*;
use crate::{
    model::{
        Limits, SamplingSettings,
        personal::{Base, Part},
        weights::embedded_file,
    },
    music::note::RelativeNote,
};

/// The embedded model, and a file that is a difference to it: the highest key is far likelier.
fn personal() -> (tempfile::TempDir, std::path::PathBuf) {
    let base = weights::read(embedded_file("antiphon").expect("embedded")).expect("complete");
    let (folder, personal) = (tempfile::tempdir().expect("a folder"), towards_the_top(&base));
    let path = folder.path().join("me.antiphon");
    fs::write(&path, personal.to_bytes()).expect("a file");
    (folder, path)
}

fn towards_the_top(base: &Weights) -> Personal {
    let mut bias = vec![0.0; base.numbers("pitch.bias").len()];
    bias[127] = 50.0;
    Personal {
        name: "me".to_owned(),
        base: Base::of(base),
        preset: base.preset,
        card: String::new(),
        parts: [("pitch.bias".to_owned(), Part::Sum(bias))].into(),
    }
}

fn first_note(model: &dyn Model) -> RelativeNote {
    let mut chance = rand::SeedableRng::seed_from_u64(5);
    model.draw(&mut model.silence(), &SamplingSettings::PLAIN, &Limits::NONE, &mut chance)
}

#[test]
fn you_blends_the_difference_in_and_out() {
    let (_folder, path) = personal();
    let mut own = Own::read(&path, 100).unwrap_or_else(|sentence| panic!("{sentence}"));
    let embedded = &*model::embedded()[0];
    assert_eq!(own.model().name(), "me");
    assert_eq!(first_note(&*own.model()).key.number(), 127);
    own.blend(0);
    assert_eq!(first_note(&*own.model()), first_note(embedded));
    own.blend(100);
    assert_eq!(first_note(&*own.model()).key.number(), 127);
}

#[test]
fn a_difference_to_a_model_that_is_not_there_is_refused_unless_its_file_lies_beside_it() {
    let (folder, path) = personal();
    let mut base = weights::read(embedded_file("antiphon").expect("embedded")).expect("complete");
    "other".clone_into(&mut base.name);
    let mut other = towards_the_top(&base);
    other.base.fingerprint ^= 1;
    fs::write(&path, other.to_bytes()).expect("a file");
    let sentence = Own::read(&path, 100).err().expect("its base is missing");
    assert!(
        sentence.contains("me.antiphon: the personal model is a difference to another `other`"),
        "{sentence}"
    );
    // A model of the player's own training.
    let mut bytes = embedded_file("classic-25").expect("embedded").to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 0x80;
    let classic = weights::read(&bytes).expect("complete");
    other.base = Base { name: "trained".to_owned(), fingerprint: classic.fingerprint() };
    (other.preset, other.parts) = (classic.preset, Default::default());
    fs::write(&path, other.to_bytes()).expect("a file");
    let beside = folder.path().join("trained.safetensors");
    assert!(Own::read(&path, 100).is_err());
    fs::write(&beside, bytes).expect("a file");
    assert_eq!(Own::read(&path, 100).map(|own| own.model().name().to_owned()), Ok("me".to_owned()));
}

#[test]
fn a_control_that_turns_is_followed_once_when_it_stands_still() {
    let (mut changes, begun) = (Changes::new(Arc::default()), Instant::now());
    let at = |milliseconds| begun + Duration::from_millis(milliseconds);
    assert!(!changes.notice(0, 100, at(0)));
    for step in 0..20 {
        assert!(!changes.notice(0, 99 - step, at(20 * u64::from(step))));
    }
    assert!(!changes.notice(0, 80, at(500)));
    assert!(changes.notice(0, 80, at(531)) && !changes.notice(0, 80, at(900)));
    assert!(changes.notice(1, 80, at(901)) && !changes.notice(1, 80, at(902)));
}
