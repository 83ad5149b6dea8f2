use antiphon::music::scale::{Root, Scale};

use super::*;
use crate::{
    demo::{game::Game, turns::Turn},
    scratch::Folder,
};

/// One turn of two seconds at 100 samples a second, in which a C is called in the first and a G answered in the second.
fn picture(turn: Turn) -> Result<(image::RgbImage, Roll)> {
    let turns = Turns {
        game: Game::Trade,
        all: vec![turn],
        score: stage::Event::note(0, 50, 60, 80).to_vec(),
        sample_rate: 100.0,
        tempo: 120.0,
        call_bars: 1,
        stop: 300,
        end: 400,
    };
    let answer = Sounded { channel: 0, key: 67, velocity: 80, on: 100, off: Some(150) };
    let keys = Scale::Major.on(Root::new(0)).keys();
    let shown = Shown { title: "Antiphon: Trade".to_owned(), settings: "antiphon".to_owned(), keys };
    // Tests run side by side: the turn tells their folders apart.
    let folder = Folder::new(&format!("roll-{}", turn.plugin_from));
    let path = folder.join("take.png");
    draw(&path, &turns, &[answer], &shown)?;
    let paper = paper(&turns, [answer, turns.heard()[0]].iter(), 1);
    Ok((image::open(&path)?.to_rgb8(), paper))
}

/// The paper's colour in the row of a key, clear of lines.
fn color(picture: &image::RgbImage, paper: &Roll, seconds: f64, key: u8) -> [i32; 3] {
    let (top, bottom) = paper.row(key);
    let (x, y) = (paper.x(seconds) as u32, ((top + bottom) / 2) as u32);
    picture.get_pixel(x, y).0.map(i32::from)
}

#[test]
fn the_player_s_bars_are_blue_the_plugin_s_red_and_what_follows_is_white() -> Result<()> {
    let turn = Turn { start: 0, last_release: 50, player_until: 100, plugin_from: 100, end: 200 };
    let (picture, paper) = picture(turn)?;
    let [red, _, blue] = color(&picture, &paper, 0.8, 65);
    assert!(blue > red, "{red} {blue}");
    let [red, _, blue] = color(&picture, &paper, 1.8, 65);
    assert!(red > blue, "{red} {blue}");
    assert_eq!(color(&picture, &paper, 2.3, 65), [255; 3]);
    Ok(())
}

#[test]
fn where_both_have_the_floor_the_tint_is_neither_s() -> Result<()> {
    let turn = Turn { start: 0, last_release: 50, player_until: 100, plugin_from: 0, end: 200 };
    let (picture, paper) = picture(turn)?;
    let [red, green, blue] = color(&picture, &paper, 0.8, 65);
    assert!(red > green && blue > green, "{red} {green} {blue}");
    let [red, _, blue] = color(&picture, &paper, 1.8, 65);
    assert!(red > blue, "{red} {blue}");
    Ok(())
}

#[test]
fn keys_that_the_answer_may_not_play_are_grey() -> Result<()> {
    let turn = Turn { start: 0, last_release: 50, player_until: 101, plugin_from: 101, end: 200 };
    let (picture, paper) = picture(turn)?;
    let [sharp, natural] = [66, 65].map(|key| color(&picture, &paper, 2.3, key));
    assert!(sharp[0] < 250 && sharp[0] == sharp[2], "{sharp:?}");
    assert_eq!(natural, [255; 3]);
    Ok(())
}

#[test]
fn many_settings_take_more_lines_and_none_is_cut() {
    let settings = ["Quantise strength 50 %"; 12].join(", ");
    let lines = lines(&settings);
    assert!(lines.len() > 1 && lines.iter().all(|line| line.len() <= LINE_LETTERS));
    assert_eq!(lines.concat(), settings);
}
