//! Tests of prompts that are written back, and of where the new notes begin.

use midly::{
    Format, Fps, Header, MetaMessage, MidiMessage, Smf, Timing, TrackEvent, TrackEventKind,
    num::{u4, u7, u15, u24, u28},
};

use super::*;
use crate::{corpus::Note, file::tests::Folder};

type Event = TrackEvent<'static>;

fn meta(delta: u32, message: MetaMessage<'static>) -> Event {
    TrackEvent { delta: u28::from(delta), kind: TrackEventKind::Meta(message) }
}

fn midi(delta: u32, channel: u8, message: MidiMessage) -> Event {
    let kind = TrackEventKind::Midi { channel: u4::from(channel), message };
    TrackEvent { delta: u28::from(delta), kind }
}

fn on(delta: u32, channel: u8, key: u8) -> Event {
    midi(delta, channel, MidiMessage::NoteOn { key: u7::from(key), vel: u7::from(70) })
}

fn off(delta: u32, channel: u8, key: u8) -> Event {
    midi(delta, channel, MidiMessage::NoteOff { key: u7::from(key), vel: u7::from(64) })
}

fn control(delta: u32, channel: u8, controller: u8, value: u8) -> Event {
    let message = MidiMessage::Controller { controller: u7::from(controller), value: u7::from(value) };
    midi(delta, channel, message)
}

fn program(delta: u32, channel: u8, program: u8) -> Event {
    midi(delta, channel, MidiMessage::ProgramChange { program: u7::from(program) })
}

fn port(number: u8) -> Event {
    meta(0, MetaMessage::MidiPort(u7::from(number)))
}

fn end_of_track(delta: u32) -> Event {
    meta(delta, MetaMessage::EndOfTrack)
}

fn file(timing: Timing, tracks: Vec<Vec<Event>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = Header { format: Format::Parallel, timing };
    Smf { header, tracks }.write_std(&mut bytes).expect("memory takes all");
    bytes
}

fn beats(tracks: Vec<Vec<Event>>) -> Vec<u8> {
    file(Timing::Metrical(u15::from(500)), tracks)
}

/// Files with everything that a prompt may have.
fn prompts() -> Vec<(&'static str, Vec<u8>)> {
    let tempo = |delta, tempo| meta(delta, MetaMessage::Tempo(u24::from(tempo)));
    let scale = || (0..8).flat_map(|n| [on(0, 0, 60 + n), off(100, 0, 60 + n)]);
    let channels =
        (0..16).flat_map(|channel| [program(0, channel, 3 * channel), on(0, channel, 40 + channel)]);
    let releases = (0..16).map(|channel| off(10, channel, 40 + channel));
    let musical = vec![
        ("strikes before releases", vec![vec![on(0, 0, 60), on(100, 0, 60), off(0, 0, 60), off(100, 0, 60)]]),
        ("no length", vec![vec![on(0, 0, 60), off(0, 0, 60), on(0, 0, 60), off(70, 0, 60)]]),
        ("doubled", vec![vec![on(0, 0, 60), on(0, 0, 60), off(50, 0, 60), off(50, 0, 60)]]),
        ("overlapping", vec![vec![on(0, 0, 60), on(50, 0, 60), off(50, 0, 60), off(50, 0, 60)]]),
        ("hands", vec![vec![on(0, 0, 60), off(200, 0, 60)], vec![on(0, 0, 60), off(100, 0, 60)]]),
        ("ports", vec![vec![on(0, 0, 60), port(1), on(0, 0, 60), off(50, 0, 60), port(0), off(50, 0, 60)]]),
        (
            "never released",
            vec![vec![on(0, 0, 60), on(50, 0, 64), end_of_track(300)], vec![end_of_track(900)]],
        ),
        (
            "pedals",
            vec![
                vec![on(0, 0, 60), off(100, 0, 60), on(0, 0, 64), off(100, 0, 64)],
                vec![control(0, 0, 64, 127), control(600, 0, 64, 0), control(10, 0, 64, 127)],
            ],
        ),
        (
            "modes",
            vec![vec![
                on(0, 0, 60),
                control(50, 0, 123, 0),
                on(0, 1, 60),
                control(50, 1, 120, 0),
                on(10, 0, 70),
                off(10, 0, 70),
            ]],
        ),
        (
            "programs",
            vec![vec![
                on(0, 0, 60),
                off(100, 0, 60),
                program(0, 0, 40),
                on(0, 0, 62),
                program(50, 0, 9),
                off(50, 0, 62),
            ]],
        ),
        (
            "kits",
            vec![vec![
                program(0, 9, 25),
                on(0, 9, 36),
                off(10, 9, 36),
                control(0, 3, 0, 127),
                program(0, 3, 0),
                on(0, 3, 38),
                off(9, 3, 38),
                on(0, 0, 60),
                off(80, 0, 60),
            ]],
        ),
        ("channels", vec![channels.chain(releases).collect()]),
        (
            "signs",
            vec![
                vec![
                    tempo(0, 400_000),
                    meta(0, MetaMessage::TimeSignature(3, 2, 24, 8)),
                    meta(0, MetaMessage::KeySignature(-3, true)),
                    tempo(300, 900_000),
                    meta(100, MetaMessage::TimeSignature(6, 3, 24, 8)),
                    meta(0, MetaMessage::TrackName(b"signs")),
                ],
                scale().collect(),
            ],
        ),
    ];
    let mut all: Vec<_> = musical.into_iter().map(|(name, tracks)| (name, beats(tracks))).collect();
    all.push((
        "coarse",
        file(
            Timing::Metrical(u15::from(1)),
            vec![vec![on(0, 0, 60), off(2, 0, 60), on(1, 0, 61), off(1, 0, 61)]],
        ),
    ));
    all.push((
        "far",
        file(
            Timing::Metrical(u15::from(1)),
            vec![vec![on(0, 0, 60), off(2, 0, 60), end_of_track(0x0FFF_FFFF)]],
        ),
    ));
    all.push(("frames", file(Timing::Timecode(Fps::Fps25, 40), vec![scale().collect()])));
    all.push(("few frames", file(Timing::Timecode(Fps::Fps24, 2), vec![scale().collect()])));
    all
}

/// Everything about the notes of some tracks.
fn said(document: &Document, tracks: usize) -> Vec<(u8, i64, i64, u8, corpus::Instrument)> {
    let microseconds = |seconds: f64| (seconds * 1e6).round() as i64;
    let of_prompt = |note: &&Note| document.piece.instruments[note.instrument].track < tracks;
    let told = |note: &Note| {
        let instrument = document.piece.instruments[note.instrument];
        (
            note.key.number(),
            microseconds(note.onset),
            microseconds(note.end),
            note.velocity.value(),
            instrument,
        )
    };
    document.piece.notes.iter().filter(of_prompt).map(told).collect()
}

#[test]
fn a_prompt_comes_back_as_it_was_and_what_is_new_begins_at_its_end() -> Result<()> {
    let folder = Folder::new("written");
    for (name, bytes) in prompts() {
        folder.write("prompt.mid", &bytes);
        let prompt = folder.join("prompt.mid");
        generate(&folder, &[prompt.to_str().expect("letters"), "--model", "classic-25", "--notes", "6"])?;
        for convention in [Convention::KeyUp, Convention::Sustained] {
            let read = |path: &Path| corpus::document(path, convention).expect("a sound file");
            let (before, after) = (read(&prompt), read(&folder.join("a.mid")));
            let tracks = before.tracks.len();
            assert_eq!(said(&after, tracks), said(&before, tracks), "{name}");
            assert_eq!(after.tracks[..tracks], before.tracks, "{name}");
            let tempos = |document: &Document| {
                document.tempo_map.tempos().map(|(_, tempo)| tempo.round()).collect::<Vec<_>>()
            };
            assert_eq!(tempos(&after), tempos(&before), "{name}");
            let keys =
                |document: &Document| document.written_keys.iter().map(|(_, key)| *key).collect::<Vec<_>>();
            assert_eq!(keys(&after), keys(&before), "{name}");
            let metres = |document: &Document| {
                document.signatures.iter().map(|one| (one.numerator, one.denominator)).collect::<Vec<_>>()
            };
            assert_eq!(metres(&after), metres(&before), "{name}");
            assert_eq!(
                after.tempo_map.ticks_per_quarter().is_none(),
                before.tempo_map.ticks_per_quarter().is_none()
            );
            let new: Vec<&Note> = after
                .piece
                .notes
                .iter()
                .filter(|note| after.piece.instruments[note.instrument].track >= tracks)
                .collect();
            assert_eq!(new.len(), 6, "{name}");
            let ends =
                end(&corpus::document(&prompt, Convention::Sustained).expect("a sound file").piece.notes);
            assert!(
                new.iter().all(|note| note.onset > ends - 1e-6),
                "{name}: {} before {ends}",
                new[0].onset
            );
        }
    }
    Ok(())
}

/// Four bars: a melody whose notes are all held by the pedal, over a held bass.
fn sounding() -> Vec<u8> {
    let melody = (0..16).flat_map(|n| [on(0, 0, 60 + n), off(400, 0, 60 + n)]);
    let track = [control(0, 0, 64, 127), on(0, 0, 36)].into_iter().chain(melody);
    beats(vec![track.chain([off(0, 0, 36), control(600, 0, 64, 0), control(0, 0, 7, 90)]).collect()])
}

#[test]
fn after_a_second_within_the_music_what_has_begun_rings_out_and_nothing_new_begins_before() -> Result<()> {
    let folder = Folder::new("cut-within");
    folder.write("prompt.mid", &sounding());
    let prompt = folder.join("prompt.mid");
    for (after, convention) in
        [("2.9", Convention::KeyUp), ("2.9", Convention::Sustained), ("6.85", Convention::KeyUp)]
    {
        generate(
            &folder,
            &[prompt.to_str().expect("letters"), "--after", after, "--model", "classic-25", "--notes", "8"],
        )?;
        let second: f64 = after.parse().expect("a number");
        let read = |path: &Path| corpus::document(path, convention).expect("a sound file");
        let (before, written) = (read(&prompt), read(&folder.join("a.mid")));
        let kept: Vec<_> =
            said(&before, 1).into_iter().filter(|note| note.1 < (second * 1e6) as i64).collect();
        assert_eq!(said(&written, 1), kept, "{after}");
        let new: Vec<_> = said(&written, 9).into_iter().filter(|note| note.4.track > 0).collect();
        assert!(new.len() == 8 && new.iter().all(|note| note.1 >= (second * 1e6) as i64), "{new:?}");
        // The pedal that is still down is not on the channel of the new notes.
        assert!(second > 6.5 || new.iter().all(|note| note.4.channel != 0 && note.4.program == 0), "{new:?}");
    }
    Ok(())
}

#[test]
fn after_a_second_of_silence_nothing_new_begins_before() -> Result<()> {
    let folder = Folder::new("cut-rest");
    folder.write(
        "prompt.mid",
        &beats(vec![vec![on(0, 0, 60), off(100, 0, 60), on(9000, 0, 62), off(100, 0, 62)]]),
    );
    let prompt = folder.join("prompt.mid");
    for after in ["0.05", "3", "8.5"] {
        generate(&folder, &[prompt.to_str().expect("letters"), "--after", after, "--notes", "5"])?;
        let written = read(&folder.join("a.mid"));
        let second: f64 = after.parse().expect("a number");
        let onsets: Vec<f64> = written.piece.notes.iter().map(|note| note.onset).collect();
        assert!(onsets.len() == 6 && onsets[1..].iter().all(|onset| *onset >= second), "{after}: {onsets:?}");
    }
    Ok(())
}

#[test]
fn a_program_that_changes_later_does_not_reach_back_to_the_prompt() -> Result<()> {
    let folder = Folder::new("late-program");
    // Most notes are the violin's, so it continues; the piano before it stays a piano.
    let violin = (0..4).flat_map(|n| [on(0, 0, 70 + n), off(50, 0, 70 + n)]);
    let track = [on(0, 0, 60), off(100, 0, 60), program(0, 0, 40)].into_iter().chain(violin);
    folder.write(
        "prompt.mid",
        &beats(vec![track.chain([program(0, 0, 56), on(0, 0, 50), off(50, 0, 50)]).collect()]),
    );
    generate(&folder, &[folder.join("prompt.mid").to_str().expect("letters"), "--notes", "3"])?;
    let document = read(&folder.join("a.mid"));
    let programs: Vec<u8> =
        document.piece.notes.iter().map(|note| document.piece.instruments[note.instrument].program).collect();
    assert_eq!(programs, [0, 40, 40, 40, 40, 56, 40, 40, 40]);
    Ok(())
}
