//! Notes as music to read: MusicXML on two staves, from music that nobody has counted aloud.
//!
//! Beats are found in the onsets ([`beats`]), onsets and lengths are moved to the lines between them ([`rhythm`]), each note
//! goes to a hand ([`hands`]), and what a hand plays is cut into note values at beats and bars ([`values`]).

pub mod beats;
mod hands;
mod marks;
mod rhythm;
mod spelling;
#[cfg(test)]
mod tests;
mod values;
mod xml;

use antiphon::music::note::{Key, Velocity};

use self::{beats::Beats, hands::Hands};
use crate::{
    corpus::{Note, Signature, TempoMap},
    tonality,
};

/// Of a quarter note: halves and thirds, down to thirty-seconds and their triplets.
const DIVISIONS: u32 = 24;

/// What the reader should know besides the notes.
pub struct Heading<'a> {
    pub title: &'a str,
    pub signature: Signature,
    pub pulse: Pulse<'a>,
}

/// Where the beats are.
#[derive(Debug, Clone, Copy)]
pub enum Pulse<'a> {
    /// So many quarter notes a minute, from the first note on.
    Steady(f64),
    /// Where the file has them that the notes go on from, and the bars too.
    Written(&'a TempoMap),
    /// Where a listener would tap.
    Found,
}

/// What a hand does from a point on, in divisions from the first bar line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chord {
    pub at: u32,
    pub length: u32,
    /// Rising; at least one.
    pub keys: Vec<Key>,
    pub velocity: Velocity,
}

/// The bytes of a MusicXML file of notes in the order of their onsets, at least one.
pub fn of(notes: &[Note], heading: &Heading) -> std::io::Result<Vec<u8>> {
    let beats = match heading.pulse {
        Pulse::Steady(tempo) => Beats::steady(notes, tempo),
        Pulse::Written(map) => Beats::written(notes, map, heading.signature),
        Pulse::Found => Beats::found(notes),
    };
    // Bars of eighths are counted in eighths, but beats are quarter notes all the same.
    let bar = (heading.signature.bar() * f64::from(DIVISIONS)).round() as u32;
    let pickup = match heading.pulse {
        Pulse::Written(_) => 0,
        _ => beats.pickup(notes, bar.div_ceil(DIVISIONS)),
    };
    let Hands { right, left } = Hands::of(notes, &beats);
    let mut staves = [right, left].map(|notes| rhythm::chords(&notes, &beats, pickup));
    begin_in_the_first_bar(&mut staves, bar);
    let tonality = tonality::fits(notes.iter()).first().map(|fit| fit.tonality);
    xml::write(heading, beats.tempo(), bar, tonality, &staves)
}

/// The first beat may lie before the first strike, and a pickup before that: bars without a strike yet are left out.
fn begin_in_the_first_bar(staves: &mut [Vec<Chord>; 2], bar: u32) {
    let silent = staves.iter().flatten().map(|chord| chord.at / bar * bar).min().unwrap_or(0);
    staves.iter_mut().flatten().for_each(|chord| chord.at -= silent);
}
