//! Musical time, the host's transport and the sample clock.

use anyhow::Result;
use stage::{Blocks, Event, Mode, Pace, Part, Setup, Sounded, Transport};

use crate::rig::{self, ANSWERS, EFFECT, END, LAST_RELEASE, RATE, TEMPO};

/// What a note is, without when.
fn pitch(note: &Sounded) -> (u8, u8) {
    (note.key, note.velocity)
}

fn notes(transport: &Transport) -> Result<Vec<Sounded>> {
    let heard = rig::play(
        &mut rig::clap(EFFECT, ANSWERS)?,
        &rig::call(),
        transport,
        Blocks::Random { largest: 999, seed: 3 },
    )?;
    Ok(heard.notes())
}

/// That both play the same notes, and each onset lies within a sample of where `expected` puts it.
fn assert_close(heard: &[Sounded], reference: &[Sounded], expected: impl Fn(u64) -> f64) {
    let pitches = |notes: &[Sounded]| notes.iter().map(pitch).collect::<Vec<_>>();
    assert_eq!(pitches(heard), pitches(reference));
    assert!(!heard.is_empty());
    for (note, original) in heard.iter().zip(reference) {
        let wanted = expected(original.on);
        assert!((note.on as f64 - wanted).abs() <= 1.5, "{note:?} comes at {}, not at {wanted}", note.on);
    }
}

#[test]
fn an_answer_comes_without_any_transport() -> Result<()> {
    let heard = notes(&Transport::absent())?;
    assert!(!heard.is_empty() && heard[0].on > LAST_RELEASE, "{heard:?}");
    Ok(())
}

#[test]
fn an_answer_comes_while_the_transport_stands_still() -> Result<()> {
    let heard = notes(&Transport::stopped(TEMPO))?;
    assert!(!heard.is_empty() && heard[0].on > LAST_RELEASE, "{heard:?}");
    Ok(())
}

#[test]
fn the_answer_is_the_same_wherever_the_song_is() -> Result<()> {
    let reference = notes(&Transport::playing(TEMPO))?;
    for start in [-8.0, -3.75, 17.25, 4000.0] {
        let heard = notes(&Transport::playing(TEMPO).changed(|section| section.beats = Some(start)))?;
        assert_close(&heard, &reference, |on| on as f64);
    }
    Ok(())
}

#[test]
fn an_answer_keeps_its_beats_when_the_tempo_changes() -> Result<()> {
    let reference = notes(&Transport::playing(TEMPO))?;
    let change = reference[0].on + 1;
    let heard = notes(&Transport::playing(TEMPO).then(change, |section| section.tempo = 2.0 * TEMPO))?;
    assert_close(&heard, &reference, |on| {
        if on < change { on as f64 } else { change as f64 + (on - change) as f64 / 2.0 }
    });
    Ok(())
}

#[test]
fn the_answer_is_the_same_in_seconds_at_every_sample_rate() -> Result<()> {
    let at_rate = |rate: f64| -> Result<Vec<Sounded>> {
        let scale = |sample: u64| (sample as f64 * rate / RATE) as u64;
        let score: Vec<Event> =
            rig::call().into_iter().map(|event| Event { at: scale(event.at), ..event }).collect();
        let transport = Transport::playing(TEMPO);
        let blocks = Blocks::Fixed(256);
        let setup = Setup { sample_rate: rate, largest_block: 256, mode: Mode::Offline };
        let part = Part { score: &score, transport: &transport, until: scale(END), blocks, pace: Pace::Free };
        Ok(stage::play(&mut rig::clap(EFFECT, ANSWERS)?, setup, &part)?.notes())
    };
    let reference = at_rate(RATE)?;
    for rate in [44_100.0, 96_000.0] {
        assert_close(&at_rate(rate)?, &reference, |on| on as f64 * rate / RATE);
    }
    Ok(())
}
