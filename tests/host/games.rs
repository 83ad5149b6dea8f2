//! The games, through the host's transport and the plugin's own texts.

use anyhow::Result;
use stage::{Blocks, Event, Host, Sounded, Transport, score};

use crate::rig::{self, ANSWERS, BEAT, EFFECT, END, LAST_RELEASE, TEMPO};

const GAMES: [&[(&str, &str)]; 6] = [
    &[("Mode", "Trade"), ("Trade bars", "1 bar")],
    &[("Mode", "Together")],
    &[("Mode", "Endless")],
    &[("Answer length", "A phrase")],
    &[("Answer length", "Bars"), ("Answer bars", "2 bars"), ("Alignment", "Bar")],
    &[("Cue", "Key"), ("Cue key", "A0"), ("Alignment", "Beat")],
];
/// From here on the transport stands still.
const STOP: u64 = END - 2 * BEAT;

fn settings(game: &'static [(&str, &str)]) -> Vec<(&'static str, &'static str)> {
    [ANSWERS, game].concat()
}

/// The call, and a key switch after it, which is a note where it is no cue.
fn called() -> Vec<Event> {
    let mut score = rig::call();
    score.extend(Event::note(LAST_RELEASE + 1_000, 1_000, 21, 1));
    score::sort(&mut score);
    score
}

fn song() -> Transport {
    Transport::playing(TEMPO).then(STOP, |section| section.playing = false)
}

fn bar_of(note: &Sounded) -> u64 {
    note.on / (4 * BEAT)
}

#[test]
fn every_game_is_the_same_in_every_render_every_partition_and_both_formats() -> Result<()> {
    for game in GAMES {
        let mut clap = rig::clap(EFFECT, &settings(game))?;
        let first = rig::play(&mut clap, &called(), &song(), Blocks::Fixed(512))?;
        assert!(!first.events.is_empty(), "{game:?}");
        assert!(first.hanging().is_empty(), "{game:?}: {:?}", first.hanging());
        assert!(first.events.iter().all(|event| event.at <= STOP), "{game:?} plays on");
        let mut vst3 = rig::vst3(EFFECT, &settings(game))?;
        for (format, host) in [("CLAP", &mut clap as &mut dyn Host), ("VST3", &mut vst3)] {
            let again = rig::play(host, &called(), &song(), Blocks::Random { largest: 4096, seed: 4 })?;
            rig::assert_alike(&again.events, &first.events, &format!("{format}, {game:?}"));
        }
    }
    Ok(())
}

#[test]
fn a_trade_keeps_to_the_songs_bars_in_both_formats() -> Result<()> {
    for (format, mut host) in rig::both(&settings(GAMES[0]))? {
        let notes = rig::play(&mut *host, &rig::call(), &song(), Blocks::Fixed(700))?.notes();
        assert!(notes.iter().all(|note| bar_of(note) % 2 == 1), "{format}: {notes:?}");
        assert!(notes.iter().any(|note| bar_of(note) == 9), "{format}: {notes:?}");
    }
    Ok(())
}

#[test]
fn a_trade_goes_back_and_forth_over_a_loop_of_one_bar() -> Result<()> {
    let looping = Transport::playing(TEMPO).changed(|section| section.cycle = Some((0.0, 4.0)));
    let mut host = rig::clap(EFFECT, &settings(GAMES[0]))?;
    let notes = rig::play(&mut host, &rig::call(), &looping, Blocks::Fixed(512))?.notes();
    assert!(notes.iter().all(|note| bar_of(note) % 2 == 1), "{notes:?}");
    assert!(notes.iter().any(|note| bar_of(note) == 9), "{notes:?}");
    Ok(())
}

#[test]
fn where_a_cue_is_wanted_nothing_comes_without_it() -> Result<()> {
    for (format, mut host) in rig::both(&settings(GAMES[5]))? {
        let heard = rig::play(&mut *host, &rig::call(), &song(), Blocks::Fixed(512))?;
        assert_eq!(heard.events, [], "{format}");
        let heard = rig::play(&mut *host, &called(), &song(), Blocks::Fixed(512))?.notes();
        assert!(heard.first().is_some_and(|note| note.on >= 4 * BEAT), "{format}: {heard:?}");
        assert!(heard.iter().all(|note| note.key != 21), "{format}: {heard:?}");
    }
    Ok(())
}
