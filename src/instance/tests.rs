use std::fs;

use nice_plug::params::persist::PersistentField;

use super::*;
use crate::{
    event_log::{Event, event_log},
    model::weights::embedded_file,
    music::{
        note::{Key, Velocity},
        note_tracker::Place,
        time::{SampleRate, SampleTime},
    },
};

fn instance() -> Instance {
    Instance::new(Arc::default())
}

/// A folder with the file of a model in it, and its path.
fn own_model() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.safetensors");
    fs::write(&path, embedded_file("classic-25").expect("embedded")).expect("a file");
    (folder, path)
}

#[test]
fn a_model_that_the_player_chose_plays_and_is_saved_with_the_project() {
    let (_folder, path) = own_model();
    let instance = instance();
    assert_eq!((instance.model(), instance.report().model), (ModelStanding::Embedded, "antiphon".to_owned()));
    assert_eq!(instance.load_model(&path).as_deref(), Ok("classic-25"));
    assert_eq!(instance.model(), ModelStanding::Own { name: "classic-25".to_owned() });
    assert_eq!(instance.report().model, "classic-25");
    assert_eq!(instance.params.model_file.path().as_deref(), path.to_str());
    assert_eq!(
        instance.guest.lock().model().map(|model| model.name().to_owned()).as_deref(),
        Some("classic-25")
    );
    instance.dismiss_model();
    assert_eq!((instance.model(), instance.params.model_file.path()), (ModelStanding::Embedded, None));
    assert!(instance.guest.lock().model().is_none());
}

#[test]
fn a_file_that_is_no_model_is_refused_in_one_sentence_and_changes_nothing() {
    let (folder, path) = own_model();
    let instance = instance();
    instance.load_model(&path).expect("a model");
    let broken = folder.path().join("broken.safetensors");
    let model = embedded_file("classic-25").expect("embedded");
    fs::write(&broken, &model[..model.len() / 2]).expect("a file");
    for path in [broken, folder.path().join("missing.safetensors"), folder.path().to_owned()] {
        let sentence = instance.load_model(&path).expect_err("no model");
        assert!(sentence.contains(&*path.to_string_lossy()) && !sentence.contains('\n'), "{sentence}");
    }
    assert_eq!(instance.model(), ModelStanding::Own { name: "classic-25".to_owned() });
    assert_eq!(instance.params.model_file.path().as_deref(), path.to_str());
}

#[test]
fn a_project_whose_model_file_is_missing_plays_the_embedded_one_and_says_so() {
    let instance = instance();
    instance.params.model_file.set("/no/such/mine.safetensors".to_owned());
    assert!(instance.guest.lock().model().is_none());
    let ModelStanding::Refused { sentence, own: None } = instance.model() else { panic!("it is missing") };
    assert!(sentence.starts_with("/no/such/mine.safetensors is not there:"), "{sentence}");
    assert!(sentence.ends_with("choose another model file; the model inside the plugin plays"), "{sentence}");
    assert_eq!(instance.report().model, "antiphon");
    assert!(
        instance.params.model_file.path().is_some(),
        "the project keeps the path: the file may come back"
    );
}

#[test]
fn where_the_new_file_is_no_good_the_one_before_plays_on_and_is_named() {
    let (_folder, path) = own_model();
    let instance = instance();
    instance.load_model(&path).expect("a model");
    instance.params.model_file.set("/no/such/other.safetensors".to_owned());
    assert!(instance.guest.lock().model().is_some());
    let ModelStanding::Refused { sentence, own } = instance.model() else { panic!("it is missing") };
    assert!(sentence.ends_with("classic-25 plays on") && own.as_deref() == Some("classic-25"), "{sentence}");
}

#[test]
fn what_was_played_is_saved_and_what_was_not_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let instance = instance();
    let save = |what| instance.save_in(folder.path(), what).map_err(|error| error.to_string());
    let nothing = save(Saved::Take).expect_err("nothing was played");
    assert_eq!(nothing, "nothing has been played yet: play something, then save it");
    let (mut lane, reader) = event_log();
    instance.scribe.lock().follow(reader);
    let (key, velocity) = (Key::saturating(60), Velocity::saturating(80));
    lane.tell(SampleTime(0), Event::Began(SampleRate(48_000.0))).expect("room");
    lane.tell(SampleTime(9), Event::Struck(Place { channel: 0, key }, velocity)).expect("room");
    let path = save(Saved::Take).expect("a take");
    assert!(fs::read(&path).expect("a file").starts_with(b"MThd"));
    let nothing = save(Saved::LastAnswer).expect_err("nobody has answered");
    assert_eq!(nothing, "there is no answer yet: let the plugin answer, then save it");
}
