//! Sheet music as MusicXML: a part of two staves.
//!
//! The crate `musicxml` has a type for each of 400 elements, and takes ten minutes to compile; a sheet needs
//! thirty of them.

use std::io;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{
    Chord, DIVISIONS, Heading,
    notation::{self, Beam, Bracket, Speller, Symbol, beams},
};
use crate::tonality::{Mode, Tonality};

type Xml = Writer<Vec<u8>>;

/// Writes two staves of chords, the right hand's first, in bars of `bar` divisions.
pub fn write(
    heading: &Heading,
    tempo: f64,
    bar: u32,
    tonality: Option<Tonality>,
    staves: &[Vec<Chord>; 2],
) -> io::Result<Vec<u8>> {
    let end = staves.iter().flatten().map(|chord| chord.at + chord.length).max().unwrap_or(1);
    let count = end.div_ceil(bar).max(1);
    let [right, left] = staves.each_ref().map(|chords| notation::bars(chords, bar, count));
    let speller = Speller::of(tonality);
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), Some("no"))))?;
    xml.create_element("score-partwise").with_attribute(("version", "4.0")).write_inner_content(|xml| {
        header(xml, heading.title)?;
        xml.create_element("part").with_attribute(("id", "P1")).write_inner_content(|xml| {
            for (n, (right, left)) in right.iter().zip(&left).enumerate() {
                let number = (n + 1).to_string();
                let measure = xml.create_element("measure").with_attribute(("number", &*number));
                measure.write_inner_content(|xml| {
                    if n == 0 {
                        attributes(xml, heading, tonality)?;
                        direction(xml, tempo)?;
                    }
                    staff(xml, right, Staff::RIGHT, speller)?;
                    element(xml, "backup", |xml| text(xml, "duration", bar))?;
                    staff(xml, left, Staff::LEFT, speller)
                })?;
            }
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(xml.into_inner())
}

/// The numbers of a hand's staff and voice.
#[derive(Debug, Clone, Copy)]
struct Staff {
    number: u8,
    voice: u8,
}

impl Staff {
    const RIGHT: Self = Self { number: 1, voice: 1 };
    const LEFT: Self = Self { number: 2, voice: 5 };
}

fn header(xml: &mut Xml, title: &str) -> io::Result<()> {
    element(xml, "work", |xml| text(xml, "work-title", title))?;
    element(xml, "identification", |xml| element(xml, "encoding", |xml| text(xml, "software", "Antiphon")))?;
    element(xml, "part-list", |xml| {
        let part = xml.create_element("score-part").with_attribute(("id", "P1"));
        part.write_inner_content(|xml| text(xml, "part-name", "Piano"))?;
        Ok(())
    })
}

fn attributes(xml: &mut Xml, heading: &Heading, tonality: Option<Tonality>) -> io::Result<()> {
    element(xml, "attributes", |xml| {
        text(xml, "divisions", DIVISIONS)?;
        element(xml, "key", |xml| {
            text(xml, "fifths", tonality.map_or(0, Tonality::sharps))?;
            let is_minor = tonality.is_some_and(|tonality| tonality.mode == Mode::Minor);
            text(xml, "mode", if is_minor { "minor" } else { "major" })
        })?;
        element(xml, "time", |xml| {
            text(xml, "beats", heading.signature.numerator)?;
            text(xml, "beat-type", heading.signature.denominator)
        })?;
        text(xml, "staves", 2)?;
        for (number, sign, line) in [("1", "G", 2), ("2", "F", 4)] {
            xml.create_element("clef").with_attribute(("number", number)).write_inner_content(|xml| {
                text(xml, "sign", sign)?;
                text(xml, "line", line)
            })?;
        }
        Ok(())
    })
}

fn direction(xml: &mut Xml, tempo: f64) -> io::Result<()> {
    let per_minute = format!("{tempo:.0}");
    xml.create_element("direction").with_attribute(("placement", "above")).write_inner_content(|xml| {
        element(xml, "direction-type", |xml| {
            element(xml, "metronome", |xml| {
                text(xml, "beat-unit", "quarter")?;
                text(xml, "per-minute", &per_minute)
            })
        })?;
        text(xml, "staff", 1)?;
        xml.create_element("sound").with_attribute(("tempo", &*per_minute)).write_empty()?;
        Ok(())
    })?;
    Ok(())
}

/// One bar of one staff.
fn staff(xml: &mut Xml, symbols: &[Symbol], staff: Staff, speller: Speller) -> io::Result<()> {
    let beams = beams(symbols);
    for (n, symbol) in symbols.iter().enumerate() {
        let bracket = Bracket::of(symbols, n);
        match symbol.chord {
            None => note(xml, symbol, staff, &[], bracket, |xml| {
                xml.create_element("rest").write_empty()?;
                Ok(())
            })?,
            Some(chord) => {
                for (n, &key) in chord.keys.iter().enumerate() {
                    let (beams, bracket) =
                        if n == 0 { (&beams[..], bracket) } else { (&[][..], Bracket::NONE) };
                    let beams: Vec<_> =
                        beams.iter().filter(|beam| std::ptr::eq(beam.symbol, symbol)).collect();
                    let spelling = speller.spell(key);
                    note(xml, symbol, staff, &beams, bracket, |xml| {
                        if n > 0 {
                            xml.create_element("chord").write_empty()?;
                        }
                        element(xml, "pitch", |xml| {
                            text(xml, "step", spelling.step)?;
                            if spelling.alter != 0 {
                                text(xml, "alter", spelling.alter)?;
                            }
                            text(xml, "octave", spelling.octave)
                        })
                    })?;
                }
            }
        }
    }
    Ok(())
}

/// A note or a rest, whose `pitch` stands first.
fn note(
    xml: &mut Xml,
    symbol: &Symbol,
    staff: Staff,
    beams: &[&Beam],
    bracket: Bracket,
    pitch: impl FnOnce(&mut Xml) -> io::Result<()>,
) -> io::Result<()> {
    let loudness = symbol.chord.map(|chord| format!("{:.1}", f64::from(chord.velocity.value()) / 0.9));
    let mut note = xml.create_element("note");
    if let Some(loudness) = &loudness {
        note = note.with_attribute(("dynamics", &**loudness));
    }
    note.write_inner_content(|xml| {
        pitch(xml)?;
        text(xml, "duration", symbol.length)?;
        let ties = [(symbol.is_tied_from, "stop"), (symbol.is_tied_to, "start")];
        for (_, kind) in ties.iter().filter(|(is_tied, _)| *is_tied) {
            xml.create_element("tie").with_attribute(("type", *kind)).write_empty()?;
        }
        text(xml, "voice", staff.voice)?;
        text(xml, "type", symbol.value.name)?;
        for _ in 0..symbol.value.dots {
            xml.create_element("dot").write_empty()?;
        }
        if symbol.value.is_triplet {
            element(xml, "time-modification", |xml| {
                text(xml, "actual-notes", 3)?;
                text(xml, "normal-notes", 2)
            })?;
        }
        text(xml, "staff", staff.number)?;
        for beam in beams {
            let number = beam.level.to_string();
            let beam_element = xml.create_element("beam").with_attribute(("number", &*number));
            beam_element.write_text_content(BytesText::new(beam.kind))?;
        }
        notations(xml, &ties, bracket)
    })?;
    Ok(())
}

fn notations(xml: &mut Xml, ties: &[(bool, &str)], bracket: Bracket) -> io::Result<()> {
    let ties: Vec<_> = ties.iter().filter(|(is_tied, _)| *is_tied).collect();
    if ties.is_empty() && bracket == Bracket::NONE {
        return Ok(());
    }
    element(xml, "notations", |xml| {
        for (_, kind) in ties {
            xml.create_element("tied").with_attribute(("type", *kind)).write_empty()?;
        }
        for (_, kind) in [(bracket.starts, "start"), (bracket.stops, "stop")].iter().filter(|(is, _)| *is) {
            let tuplet = xml.create_element("tuplet").with_attribute(("type", *kind));
            tuplet.with_attribute(("bracket", "yes")).write_empty()?;
        }
        Ok(())
    })
}

fn element(xml: &mut Xml, name: &str, inner: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<()> {
    xml.create_element(name).write_inner_content(inner)?;
    Ok(())
}

fn text(xml: &mut Xml, name: &str, text: impl ToString) -> io::Result<()> {
    xml.create_element(name).write_text_content(BytesText::new(&text.to_string()))?;
    Ok(())
}
