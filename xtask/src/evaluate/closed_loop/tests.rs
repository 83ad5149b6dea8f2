use std::fs;

use clap::Parser;
use test_host::transport::Playhead;

use super::*;
use crate::{commands::tests::assert_documented, file::tests::Folder};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: crate::evaluate::Arguments,
}

/// A song in common time whose every bar is slower than the one before: eighths that go up and down, at 480
/// ticks a quarter and 120 quarters a minute.
fn song(folder: &Folder, bars: u32) -> f64 {
    song_on(0, folder, bars)
}

fn song_on(channel: u8, folder: &Folder, bars: u32) -> f64 {
    let (mut track, mut beats) = (Vec::new(), String::new());
    let (mut now, mut before) = (0.0, 0u64);
    for bar in 0..=bars {
        for eighth in 0..8u8 {
            let length = 0.2 + 0.002 * f64::from(bar);
            if eighth % 2 == 0 {
                let downbeat = u8::from(eighth == 0);
                beats += &format!("{now} {downbeat} {downbeat}\n");
            }
            let tick = (now * 960.0_f64).round() as u64;
            let key = 60 + eighth.min(8 - eighth);
            for (status, at) in [(0x90, tick), (0x80, tick + 100)] {
                let delta = at - before;
                track.extend([0x80 | (delta >> 7) as u8, (delta & 0x7F) as u8, status | channel, key, 80]);
                before = at;
            }
            now += length;
        }
    }
    track.extend([0, 0xFF, 0x2F, 0]);
    let length = u32::try_from(track.len()).expect("a short song").to_be_bytes();
    let bytes = [b"MThd\0\0\0\x06\0\0\0\x01\x01\xE0MTrk".as_slice(), &length, &track].concat();
    for name in ["pop909", "pop909-beats"] {
        fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    // A song with a number that is held out.
    folder.write("pop909/012.mid", &bytes);
    folder.write("pop909-beats/012.beats.txt", beats.as_bytes());
    folder.write("pop909-beats/012.chords.txt", b"0 1 N\n");
    now
}

fn excerpt(folder: &Folder, bars: u32, retiming: &Retiming) -> Excerpt {
    let all =
        [Split::Train, Split::Validation].map(|split| collection::find_all(&folder.join("pop909"), split));
    let source = all.into_iter().flatten().flatten().next().expect("a song");
    let (excerpt, _) = Excerpt::read(&source, bars, retiming).expect("a song with beats");
    excerpt.expect("it has so many bars")
}

#[test]
fn the_hosts_beats_are_the_songs_own() {
    let folder = Folder::new("loop-beats");
    song(&folder, 12);
    let excerpt = excerpt(&folder, 8, &Retiming::NONE);
    let transport = turns::transport(&excerpt, PlayMode::Answer, Song::Runs);
    let mut playhead = Playhead::new(&transport, 48_000.0);
    for (beat, &second) in excerpt.beat_map.beats().iter().enumerate() {
        let place = playhead.advance((second * 48_000.0).round() as u64).expect("a transport");
        assert!(place.playing);
        assert!((place.beats - beat as f64).abs() < 1e-6, "{beat}: {place:?}");
    }
    let onsets: Vec<f64> = excerpt.keys.iter().map(|note| note.beat.expect("beats") * 2.0).collect();
    // Onsets were rounded to ticks.
    assert!(onsets.iter().enumerate().all(|(n, onset)| (onset - n as f64).abs() < 0.01), "{onsets:?}");
}

#[test]
fn a_song_is_played_at_another_tempo_and_swung_where_that_is_wanted() {
    let folder = Folder::new("loop-tempo");
    song(&folder, 12);
    let retiming = Retiming { tempo: Some(60.0), swing: Swing::at(0.6), growth: 1.0 };
    let excerpt = excerpt(&folder, 8, &retiming);
    assert!((excerpt.end() - 32.0).abs() < 1e-9);
    let expected = (0..64).map(|n| f64::from(n / 2) + if n % 2 == 1 { 0.6 } else { 0.0 });
    for (note, onset) in excerpt.keys.iter().zip(expected) {
        assert!((note.onset - onset).abs() < 0.01, "{onset}: {note:?}");
        let straight = excerpt.beat(note.onset).expect("beats") * 2.0;
        assert!((straight - straight.round()).abs() < 0.02, "{straight}");
    }
}

#[test]
fn the_same_performance_gives_the_same_answers_in_their_turns() {
    let folder = Folder::new("loop-answers");
    song(&folder, 12);
    let excerpt = excerpt(&folder, 8, &Retiming::NONE);
    let turns = Turns::new(PlayMode::Answer, &excerpt, 2);
    let model = Choice::new("classic-25").expect("an embedded model");
    let settings = [Setting::new("Thru", "off"), Setting::new("Silence", "0.5")];
    let play = || {
        turns::play(
            fresh::<NoteEffect>(None).expect("a plugin"),
            &excerpt,
            &turns,
            PlayMode::Answer,
            &model,
            &settings,
            Song::Runs,
        )
        .expect("it plays")
    };
    let played = play();
    assert_eq!(played, play());
    let heard = Heard::new(&excerpt, &turns, &played);
    assert_eq!((heard.turns, heard.answers.len()), (2, 2));
    let in_turn = |note: &&HeardNote| turns.all().iter().any(|turn| turn.answer.contains(&note.onset));
    assert_eq!(played.iter().filter(in_turn).count(), played.len(), "the call has no silence");
    let figures = Figures::of(&heard);
    let player = figures.player;
    assert!(player[0].is_some_and(|beat| beat > 0.98), "its eighths are on the beat: {player:?}");
    assert!(figures.answer.iter().flatten().all(|value| value.is_finite()));
    let row = Row::new(Corpus::Pop909, PlayMode::Answer, "classic-25", &[figures], &[heard]);
    assert_documented("evaluate --loop", &serde_json::to_value(row).expect("a row is plain numbers"));
}

#[test]
fn a_bundle_plays_what_the_plugin_in_this_program_plays() {
    let folder = Folder::new("loop-bundle");
    song(&folder, 12);
    let excerpt = excerpt(&folder, 8, &Retiming::NONE);
    let turns = Turns::new(PlayMode::Answer, &excerpt, 2);
    let model = Choice::new("classic-25").expect("an embedded model");
    let [linked, bundled] = [None, Some(antiphon_library::built().expect("a folder"))].map(|bundle| {
        let clap = fresh::<NoteEffect>(bundle.as_deref()).expect("a plugin");
        turns::play(clap, &excerpt, &turns, PlayMode::Answer, &model, &[], Song::Runs).expect("it plays")
    });
    assert_eq!(bundled, linked);
    let error = fresh::<NoteEffect>(Some(&folder.join("None.clap"))).err().expect("nothing is there");
    assert!(error.to_string().contains("give an Antiphon.clap"), "{error}");
}

#[test]
fn drums_are_left_out_of_what_is_played_and_told() {
    let folder = Folder::new("loop-drums");
    song_on(9, &folder, 12);
    let source = Source::of_file(folder.join("pop909/012.mid"));
    let (excerpt, left_out) = Excerpt::read(&source, 4, &Retiming::NONE).expect("a file");
    assert!(excerpt.is_none());
    assert_eq!(left_out.to_string(), "104 drum strokes, whose key is no pitch");
}

#[test]
fn an_unknown_setting_is_told_by_the_plugin_and_a_forbidden_one_by_the_command() {
    let folder = Folder::new("loop-settings");
    song(&folder, 12);
    let excerpt = excerpt(&folder, 4, &Retiming::NONE);
    let turns = Turns::new(PlayMode::Answer, &excerpt, 2);
    let model = Choice::new("classic-25").expect("an embedded model");
    let wrong = [Setting::new("Swong", "60")];
    let error = turns::play(
        fresh::<NoteEffect>(None).expect("a plugin"),
        &excerpt,
        &turns,
        PlayMode::Answer,
        &model,
        &wrong,
        Song::Runs,
    )
    .expect_err("no such parameter");
    assert!(error.to_string().contains("\"Swong\""), "{error}");
    let line = ["evaluate", "--loop", "--data", "x", "--set", "Thru=on"];
    let error = Line::try_parse_from(line).err().expect("the answer must come out alone").to_string();
    assert!(error.contains("Thru cannot be set like this"), "{error}");
}

#[test]
fn a_folder_in_which_nothing_can_be_played_is_refused() {
    let folder = Folder::new("loop-short");
    song(&folder, 6);
    let data = folder.join("pop909").display().to_string();
    let arguments = Line::try_parse_from(["evaluate", "--loop", "--split", "train", "--data", &data]);
    let validation = Line::try_parse_from(["evaluate", "--loop", "--data", &data]);
    for line in [arguments, validation] {
        let arguments = line.expect("a command line").arguments;
        let error = run(&arguments).expect_err("too short, or none").to_string();
        assert!(error.contains("lower --bars") || error.contains("holds no performance"), "{error}");
    }
}

#[test]
fn what_is_kept_can_be_heard_beside_the_player() -> Result<()> {
    let folder = Folder::new("loop-kept");
    song(&folder, 12);
    let excerpt = excerpt(&folder, 4, &Retiming::NONE);
    let turns = Turns::new(PlayMode::Answer, &excerpt, 2);
    let answer = HeardNote {
        onset: turns.all()[0].answer.start,
        end: turns.end(),
        key: 60,
        velocity: 90,
        beat: None,
        off_eighth: None,
    };
    keep(&folder.join("song"), bundle::linked::<InstrumentSlot>, &excerpt, &turns, &[answer])?;
    let sound = |what: &str| -> Result<Vec<i16>> {
        let mut reader = hound::WavReader::open(folder.join(&format!("song-{what}.wav")))?;
        Ok(reader.samples().collect::<Result<_, _>>()?)
    };
    let (answers, player) = (sound("answers")?, sound("player")?);
    assert_eq!(answers.len(), player.len());
    let loudest = |sound: &[i16]| sound.iter().map(|sample| sample.unsigned_abs()).max();
    let half = answers.len() / 2;
    // The call is the same, what follows it differs.
    assert!(answers[..half / 2] == player[..half / 2] && answers[half..] != player[half..]);
    assert!(loudest(&answers[half..]) > Some(300) && loudest(&player[half..]) > Some(300));
    Ok(())
}
