use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn turns(line: &str, song: &Song) -> Result<Turns> {
    let line = Line::parse_from(format!("demo {line}").split_whitespace());
    Turns::new(&line.arguments, song)
}

fn note(onset: f64, duration: f64, key: u8) -> SongNote {
    SongNote { onset, duration, key, velocity: 80 }
}

#[test]
fn a_key_held_at_the_cut_is_released_there() -> Result<()> {
    let piece = Song::Piece(vec![note(0.0, 60.0, 60)]);
    let turns = turns("--midi x --call-bars 1 --bars 4", &piece)?;
    assert_eq!(turns.score, Event::note(0, 96_000, 60, 80));
    assert_eq!(turns.all[0].last_release, 96_000);
    Ok(())
}

#[test]
fn a_phrase_longer_than_its_call_is_cut() -> Result<()> {
    let phrase = Song::Phrase(vec![note(0.0, 0.5, 60), note(2.5, 0.5, 62)]);
    assert_eq!(turns("--call-bars 1 --bars 3", &phrase)?.score, Event::note(0, 24_000, 60, 80));
    Ok(())
}

#[test]
fn a_key_struck_again_is_released_first() -> Result<()> {
    let piece = Song::Piece(vec![note(0.0, 1.0, 60), note(0.5, 0.25, 60)]);
    let turns = turns("--midi x --call-bars 1 --bars 4", &piece)?;
    let notes = turns.heard();
    assert_eq!(notes.iter().map(|note| note.off).collect::<Vec<_>>(), [Some(24_000), Some(36_000)]);
    Ok(())
}

#[test]
fn a_piece_goes_on_from_turn_to_turn_and_skips_its_silences() -> Result<()> {
    let piece = Song::Piece(vec![note(7.0, 0.5, 60), note(8.0, 0.5, 62), note(100.0, 0.5, 64)]);
    let turns = turns("--midi x --call-bars 1 --bars 9", &piece)?;
    let onsets: Vec<(u8, u64)> = turns.heard().iter().map(|note| (note.key, note.on)).collect();
    let turn = 3 * 96_000;
    assert_eq!(onsets, [(60, 0), (62, 48_000), (64, turn)]);
    assert_eq!(turns.all.len(), 2);
    Ok(())
}

#[test]
fn too_few_bars_are_refused() {
    let phrase = Song::Phrase(vec![note(0.0, 0.5, 60)]);
    assert!(turns("--bars 4", &phrase).is_err());
    assert_eq!(turns("--bars 14", &phrase).map(|turns| turns.all.len()).ok(), Some(2));
}

/// Samples of a bar at the usual tempo.
const BAR: u64 = 96_000;

#[test]
fn in_mode_trade_the_bars_are_shared_out_whenever_the_player_ends() -> Result<()> {
    let phrase = Song::Phrase(vec![note(0.0, 0.5, 60)]);
    let turns = turns("--mode trade --call-bars 2 --bars 9", &phrase)?;
    let floors: Vec<[u64; 4]> = turns
        .all
        .iter()
        .map(|turn| [turn.start, turn.player_until, turn.plugin_from, turn.end].map(|at| at / BAR))
        .collect();
    assert_eq!(floors, [[0, 2, 2, 4], [4, 6, 6, 8]]);
    Ok(())
}

#[test]
fn in_mode_together_the_player_keeps_playing_and_leaves_the_end_to_the_plugin() -> Result<()> {
    let phrase = Song::Phrase(vec![note(0.0, 0.5, 60), note(3.0, 1.0, 62)]);
    let turns = turns("--mode together --call-bars 2 --bars 7", &phrase)?;
    let onsets: Vec<u64> = turns.heard().iter().map(|note| note.on).collect();
    assert_eq!(onsets, [0, 144_000, 2 * BAR, 2 * BAR + 144_000]);
    let turn = turns.all[0];
    assert_eq!((turns.all.len(), turn.player_until, turn.plugin_from, turn.end), (1, 4 * BAR, 0, 6 * BAR));
    Ok(())
}

#[test]
fn in_mode_endless_there_is_room_for_more_than_the_call_up_to_the_host_s_stop() -> Result<()> {
    let phrase = Song::Phrase(vec![note(0.0, 0.5, 60)]);
    let turns = turns("--mode endless --call-bars 2 --bars 14", &phrase)?;
    let ends: Vec<u64> = turns.all.iter().map(|turn| turn.end / BAR).collect();
    assert_eq!(ends, [7, 15]);
    assert_eq!(turns.stop, 15 * BAR);
    Ok(())
}
