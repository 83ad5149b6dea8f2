//! Laws of what a change of the host's tempo does.

use std::sync::Arc;

use antiphon::{
    improviser::Improviser,
    lane::lanes,
    music::{
        manner::{Density, Manner},
        note::Velocity,
        time::{BeatTime, Beats, SampleRate, Samples, Tempo},
        timeline::Transport,
        turn::Rules,
    },
    performer::{Gesture, Partner, Past, Performer, Settings, Sound},
};

use crate::{
    control::strikes,
    rig::{Dice, RATE, SETTINGS, place, stage},
};

const SECOND: u64 = RATE as u64;
const BLOCK: u64 = 100;

/// What sounds in so many seconds where the host goes from 60 to 240 beats a minute at a sample.
fn render(score: &[(u64, Gesture)], settings: Settings, rise: u64, seconds: u64) -> Vec<(u64, Sound)> {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    let rate = SampleRate(RATE);
    let mut performer =
        Performer::new(rate, performer_end, partner, Arc::default(), settings, Past::default());
    let mut stage = stage(score, usize::MAX);
    let mut beat = 0.0;
    while stage.begin < seconds * SECOND {
        let tempo = if stage.begin < rise { 60.0 } else { 240.0 };
        let position = Some(BeatTime(beat));
        let transport =
            Transport { playing: true, tempo: Tempo::new(tempo), position, ..Transport::default() };
        stage.end = stage.begin + BLOCK;
        performer.process(&transport, Samples(BLOCK), settings, &mut stage);
        stage.begin = stage.end;
        beat += tempo / 60.0 / RATE * BLOCK as f64;
    }
    stage.heard
}

#[test]
fn who_plays_along_is_no_denser_after_a_strike_than_asked_for_where_the_tempo_has_risen() {
    let manner = Manner { density: Density::per_second(1.0), ..Manner::DEFAULT };
    let settings = Settings { rules: Rules::Together { longest: Beats(64.0) }, manner, ..SETTINGS };
    let rise = 4 * SECOND;
    // Of the second after the rise any moment may be that of a strike.
    for strike in (0..20).map(|n| rise + n * SECOND / 20) {
        let down = |at| (at, Gesture::KeyDown(place(40), Velocity::saturating(90)));
        let up = |at| (at, Gesture::KeysUp(place(40).into()));
        let score = [down(0), up(SECOND / 10), down(strike), up(strike + SECOND / 10)];
        let heard = strikes(&render(&score, settings, rise, 10));
        let onsets: Vec<u64> = heard.into_iter().map(|(at, ..)| at).collect();
        let after = onsets.partition_point(|at| *at <= strike);
        assert!((1..onsets.len()).contains(&after), "it plays before and after {strike}: {onsets:?}");
        // A sample for rounding.
        let gaps = onsets[after - 1..].windows(2).map(|pair| pair[1] - pair[0] + 1);
        assert!(gaps.into_iter().all(|gap| gap >= SECOND), "a strike at {strike}: {onsets:?}");
    }
}
