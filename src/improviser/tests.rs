use super::*;
use crate::{
    lane::{PerformerEnd, lanes},
    model::weights::{Architecture, Weights},
    music::{
        metre::{Beating, Metre},
        note::{Key, Velocity},
        time::Seconds,
    },
};

/// The length of a beat at 97 beats per minute, in seconds.
const PERIOD: f64 = 60.0 / 97.0;

/// A network of random weights whose bias puts each note on the beat, where a beat is known.
fn on_the_beat() -> (PerformerEnd, Improviser) {
    let mut weights = Weights::random(Architecture::Antiphon, 0.05, 1);
    weights.change("step.bias", |bias| {
        let experts = bias.len() - crate::model::antiphon::EXPERTS;
        bias[experts] = 20.0;
    });
    let (performer_end, improviser_end) = lanes();
    (performer_end, Improviser::new(improviser_end, &[weights.playable()]))
}

/// How far each note of an answer lies from the nearest beat, in beats.
fn off_beat(metres: &[Metre], generation: GenerationSettings, seconds: f64) -> Vec<f64> {
    let (mut end, mut improviser) = on_the_beat();
    let mut tell = |request| end.requests.push(request).expect("room");
    tell(Request::GenerationSettings(generation));
    metres.iter().for_each(|metre| tell(Request::Song(*metre)));
    for n in 0..8 {
        let (key, velocity) = (Key::saturating(60 + n), Velocity::saturating(64));
        let note = Note { onset: Moment(f64::from(n) * PERIOD), duration: Seconds(0.2), key, velocity };
        tell(Request::heard(note));
    }
    let (from, touch, ending) = (Moment(5.5), Velocity::saturating(64), Ending::Full);
    tell(Request::Answer { turn: TurnId(1), from, length: Seconds(12.0), seed: 1, touch, ending });
    let mut off = Vec::new();
    loop {
        while let Ok(reply) = end.replies.pop() {
            if let Reply::Play { note, .. } = reply {
                let beat = (note.onset.0 - seconds) / PERIOD;
                off.push((beat - beat.round()).abs());
            }
        }
        if improviser.step() != StepResult::Worked {
            return off;
        }
    }
}

#[test]
fn an_answer_stands_on_the_beat_of_the_song() {
    // The song's first beat lies a fifth of a second after the clock's beginning.
    let metre = Metre { at: Moment(0.2), beats: Beating::new(0.0, 4.0, PERIOD) };
    let off = off_beat(&[metre], GenerationSettings::DEFAULT, 0.2);
    assert!(off.len() > 8 && off.iter().all(|&off| off < 0.025), "{off:?}");
}

#[test]
fn where_the_song_has_stopped_there_is_no_beat_to_stand_on() {
    let metre = Metre { at: Moment(0.2), beats: Beating::new(0.0, 4.0, PERIOD) };
    let generation = GenerationSettings { tempo_from_player: false, ..GenerationSettings::DEFAULT };
    let off = off_beat(&[metre, Metre::none(Moment(5.0))], generation, 0.2);
    assert!(off.iter().filter(|&&off| off > 0.1).count() > off.len() / 2, "{off:?}");
}

#[test]
fn where_no_song_runs_an_answer_stands_on_the_beat_of_a_steady_player() {
    let off = off_beat(&[], GenerationSettings::DEFAULT, 0.0);
    let on_it = off.iter().filter(|&&off| off < 0.05).count();
    assert!(off.len() > 8 && on_it * 10 >= off.len() * 7, "{off:?}");
}
