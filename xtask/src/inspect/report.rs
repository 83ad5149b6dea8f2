//! Prints a file in words, as comma-separated values, or as a JSON object.

use std::{fmt::Write, io};

use anyhow::{Context, Result};
use serde::Serialize;

use super::{
    Arguments,
    facts::{Facts, InstrumentFacts, Metre, Tempo},
};
use crate::{
    corpus::{Document, Instrument, LeftOut, Note},
    table::{self, Record, microseconds},
};

/// Largest number of tempos or signatures that are listed one by one.
const LISTED: usize = 6;

/// What is printed before the first file.
pub fn head(arguments: &Arguments) -> &'static [u8] {
    match (arguments.json, arguments.csv) {
        (true, _) => b"[\n",
        (_, true) => b"file,key,name,onset_s,end_s,duration_s,step_s,velocity,track,channel,instrument\n",
        _ => b"",
    }
}

/// What is printed between two files.
pub fn between(arguments: &Arguments) -> &'static [u8] {
    match (arguments.json, arguments.csv) {
        (true, _) => b",\n",
        (_, true) => b"",
        _ => b"\n",
    }
}

/// What is printed after the last file.
pub fn tail(arguments: &Arguments) -> &'static [u8] {
    if arguments.json { b"\n]\n" } else { b"" }
}

/// What is printed of a file.
pub fn of(arguments: &Arguments, document: &Document) -> Result<Vec<u8>> {
    match (arguments.json, arguments.csv) {
        (true, _) => json(document, arguments.summary),
        (_, true) => Ok(csv(document).context("memory takes all")?),
        _ => Ok(words(document, arguments.summary).into_bytes()),
    }
}

#[derive(Serialize)]
struct Object {
    #[serde(flatten)]
    facts: Facts,
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<Vec<Row>>,
}

/// A note, and the number of its instrument, counted from 0.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    note: Record,
    instrument: usize,
}

fn json(document: &Document, summary: bool) -> Result<Vec<u8>> {
    let row = |note: &Note| Row { note: Record::of(note), instrument: note.instrument };
    let table = (!summary).then(|| document.piece.notes.iter().map(row).collect());
    Ok(serde_json::to_vec(&Object { facts: Facts::of(document), table })?)
}

fn csv(document: &Document) -> io::Result<Vec<u8>> {
    let file = document.piece.path.display().to_string();
    let mut writer = csv::Writer::from_writer(Vec::new());
    for note in &document.piece.notes {
        let Instrument { track, channel, .. } = document.piece.instruments[note.instrument];
        let name = document.piece.instruments[note.instrument].name();
        let times = [note.onset, note.end, note.duration(), note.step].map(microseconds);
        writer.serialize((
            &file,
            note.key.number(),
            crate::corpus::key_name(note.key),
            times,
            note.velocity.value(),
            track,
            channel + 1,
            name,
        ))?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

fn words(document: &Document, summary: bool) -> String {
    let facts = Facts::of(document);
    let mut text = format!("{}\n", facts.file);
    for (name, told) in lines(&facts) {
        writeln!(text, "  {name:<12}{told}").expect("memory takes all");
    }
    if !summary {
        text += &table(document);
    }
    text
}

fn lines(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut lines = vec![("length", length(facts))];
    lines.extend(facts.instruments.iter().map(|player| ("instrument", instrument(player))));
    lines.push(("tempo", tempos(&facts.tempos)));
    lines.push(("signature", signatures(&facts.signatures)));
    if !facts.written_keys.is_empty() {
        lines.push(("written key", facts.written_keys.join(", ")));
    }
    if let (Some(best), Some(next)) = (&facts.key, &facts.next_key) {
        let told = format!(
            "{}, correlation {:.2}; next {}, {:.2}",
            best.name, best.correlation, next.name, next.correlation
        );
        lines.push(("key", told));
    }
    if facts.left_out != LeftOut::default() {
        lines.push(("left out", facts.left_out.to_string()));
    }
    let Some(register) = &facts.register else { return lines };
    lines.push((
        "density",
        format!("{:.2} notes/s, at most {} in a second", facts.density, facts.busiest_second),
    ));
    let middle = format!("half of them {} to {}", register.quarter, register.three_quarters);
    lines.push((
        "register",
        format!("{} to {}, median {}, {middle}", register.lowest, register.highest, register.median),
    ));
    let polyphony = (facts.polyphony_mean, facts.polyphony_most);
    lines.push(("polyphony", format!("{:.1} while anything sounds, at most {}", polyphony.0, polyphony.1)));
    if let Some(velocity) = &facts.velocity {
        lines.push((
            "velocity",
            format!("{} to {}, median {}", velocity.softest, velocity.loudest, velocity.median),
        ));
    }
    lines.push(("pedal", format!("down for {:.0} % of the time", facts.pedal_share * 100.0)));
    lines
}

fn length(facts: &Facts) -> String {
    let ticks = match facts.ticks_per_quarter {
        Some(ticks) => format!("{ticks} ticks to a quarter note"),
        None => "time in film frames".to_owned(),
    };
    let (minutes, seconds) = ((facts.length_s / 60.0).floor(), facts.length_s % 60.0);
    format!("{} notes in {minutes:.0}:{seconds:04.1}, {} tracks, {ticks}", facts.notes, facts.tracks)
}

fn instrument(player: &InstrumentFacts) -> String {
    let track = match &player.track_name {
        Some(name) => format!("track {} \"{name}\"", player.track),
        None => format!("track {}", player.track),
    };
    let port = if player.port > 0 { format!("port {}, ", player.port) } else { String::new() };
    format!("{}, {track}, {port}channel {}: {} notes", player.name, player.channel, player.notes)
}

fn tempos(tempos: &[Tempo]) -> String {
    let one = |tempo: &Tempo| format!("{:.4} bpm from {:.1} s", tempo.bpm, tempo.at_s);
    match tempos {
        [] => "none, time is in film frames".to_owned(),
        [only] => format!("{} bpm", only.bpm),
        _ if tempos.len() <= LISTED => tempos.iter().map(one).collect::<Vec<_>>().join(", "),
        [first, ..] => {
            let bpm = tempos.iter().map(|tempo| tempo.bpm);
            let (slowest, fastest) = (bpm.clone().fold(first.bpm, f64::min), bpm.fold(first.bpm, f64::max));
            format!("{} tempos, from {slowest:.1} to {fastest:.1} bpm", tempos.len())
        }
    }
}

fn signatures(signatures: &[Metre]) -> String {
    let metre = |metre: &Metre| format!("{}/{}", metre.numerator, metre.denominator);
    let one = |change: &Metre| format!("{} from bar {}", metre(change), change.bar);
    match signatures {
        [] => "none".to_owned(),
        [only] if only.bar == 1 => metre(only),
        _ => {
            let mut told: Vec<String> = signatures.iter().take(LISTED).map(one).collect();
            if signatures.len() > LISTED {
                told.push(format!("and {} more", signatures.len() - LISTED));
            }
            told.join(", ")
        }
    }
}

fn table(document: &Document) -> String {
    let mut text = format!("{}\ttrack\tchannel\tinstrument\n", table::HEAD);
    for note in &document.piece.notes {
        let instrument = document.piece.instruments[note.instrument];
        let (track, channel) = (instrument.track, instrument.channel + 1);
        writeln!(text, "{}\t{track}\t{channel}\t{}", table::row(note), instrument.name())
            .expect("memory takes all");
    }
    text
}
