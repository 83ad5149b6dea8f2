use std::fs;

use clap::Parser;
use midly::{
    Format, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind,
    num::{u4, u7, u15, u28},
};

use super::*;
use crate::scratch::Folder;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

/// Even notes on some keys, on a channel.
fn midi(keys: &[u8], notes: usize, channel: u8) -> Vec<u8> {
    let event = |delta, kind| TrackEvent { delta: u28::from(delta), kind };
    let midi = |message| TrackEventKind::Midi { channel: u4::from(channel), message };
    let mut track = Vec::new();
    for n in 0..notes {
        let (key, vel) = (u7::from(keys[n % keys.len()]), u7::from(90));
        track.push(event(40, midi(MidiMessage::NoteOn { key, vel })));
        track.push(event(160, midi(MidiMessage::NoteOff { key, vel })));
    }
    track.push(event(0, TrackEventKind::Meta(MetaMessage::EndOfTrack)));
    let header = Header { format: Format::SingleTrack, timing: Timing::Metrical(u15::from(500)) };
    let mut bytes = Vec::new();
    Smf { header, tracks: vec![track] }.write_std(&mut bytes).expect("memory takes all");
    bytes
}

fn adapted(folder: &Folder, more: &[&str]) -> Result<()> {
    let output = folder.join("me.antiphon");
    let (data, output) = (folder.join("deeper"), output.to_str().expect("plain letters"));
    let words = ["adapt", data.to_str().expect("plain letters"), "--output", output];
    run(&Line::try_parse_from(words.into_iter().chain(more.iter().copied())).expect("a command").arguments)
}

fn refused(folder: &Folder, more: &[&str]) -> String {
    format!("{:#}", adapted(folder, more).expect_err("it is refused"))
}

#[test]
fn three_files_give_a_personal_model_that_plays() {
    let folder = Folder::new("adapt");
    for (n, keys) in
        [[60, 62, 64, 66, 68, 70], [72, 70, 68, 66, 64, 62], [60, 64, 68, 72, 68, 64]].iter().enumerate()
    {
        folder.write(&format!("deeper/{n}.mid"), &midi(keys, 300, 0));
    }
    adapted(&folder, &["--notes", "6000", "--seconds", "500"]).expect("a gain");
    let bytes = fs::read(folder.join("me.antiphon")).expect("it was written");
    let personal = Personal::read(&bytes).expect("a personal model");
    assert_eq!((personal.name.as_str(), personal.base.name.as_str()), ("me", "antiphon"));
    let card: toml::Table = personal.card.parse().expect("TOML");
    assert_eq!(card["player"]["notes"].as_integer(), Some(900));
    assert!(card["held_out"]["gain"].as_float().is_some_and(|gain| gain > 0.05));
    assert_eq!(
        models::load(&[folder.join("me.antiphon").display().to_string()]).expect("its base is inside")[0]
            .name(),
        "me"
    );
    let refused = base(&folder.join("me.antiphon").display().to_string()).expect_err("no base").to_string();
    assert!(refused.ends_with("is a personal model, which is no base: give the model that it names"));
}

#[test]
fn wrong_sets_are_refused_with_a_sentence_and_nothing_is_written() {
    let folder = Folder::new("adapt-wrong");
    folder.write("deeper/a.mid", &midi(&[60, 64, 67], 20, 0));
    assert!(refused(&folder, &[]).starts_with("20 notes are too few"));
    folder.write("deeper/a.mid", &midi(&[36, 38, 42], 900, 9));
    assert!(refused(&folder, &[]).starts_with("there are no notes but drums to learn from"));
    folder.write("deeper/a.mid", &midi(&[60], 900, 0));
    assert!(refused(&folder, &[]).starts_with("1 different keys are no music"));
    assert!(!folder.join("me.antiphon").exists());
}

#[test]
fn a_corpus_is_no_player() {
    let folder = Folder::new("adapt-many");
    (0..=MOST_FILES).for_each(|n| folder.write(&format!("deeper/{n}.mid"), b""));
    assert!(refused(&folder, &[]).starts_with("1001 files are a corpus and no player"));
}

#[test]
fn a_name_that_does_not_end_as_it_should_is_refused_before_anything_is_read() {
    let folder = Folder::new("adapt-name");
    let output = folder.join("me.safetensors").display().to_string();
    let line = Line::try_parse_from(["adapt", "nothing.mid", "--output", &output]).expect("a command");
    assert!(run(&line.arguments).expect_err("a wrong name").to_string().ends_with("ends in .antiphon"));
}
