//! Laws of MPE zones and of the pitch bend.

use antiphon::{
    music::{
        note::Key,
        note_tracker::{Place, Zone},
    },
    performer::{Gesture, Past, Settings, Sound},
};

use crate::{
    owners::{ENDLESS, LOUD, in_time, note, performer, play, rack},
    rig::{BEAT, SETTINGS},
};

#[test]
fn in_a_zone_the_answer_is_on_a_clean_channel_with_a_centred_bend() {
    for (zone, members) in [(Zone::Lower, 1..16u8), (Zone::Upper, 0..15)] {
        let settings = Settings { zone, thru: true, ..SETTINGS };
        let bend = |channel| (0, Gesture::Bend { channel, is_bent: true }, None);
        let call = members.clone().take(4).flat_map(|channel| {
            let place = Place { channel, key: Key::saturating(60 + channel) };
            [(10, Gesture::KeyDown(place, LOUD), None), (BEAT, Gesture::KeysUp(place.into()), None)]
        });
        let score = in_time(members.clone().map(bend).chain(call).collect());
        let mut rack = rack(score);
        play(&mut rack, &mut performer(settings, Past::default()), 8 * BEAT, |_| settings);
        let answer: Vec<_> = rack.heard.iter().filter(|(at, _)| *at > BEAT).collect();
        let Some((_, Sound::Unbend { channel })) = answer.first() else { panic!("{:?}", answer.first()) };
        assert!(members.contains(channel) && !members.clone().take(4).any(|used| used == *channel));
        for (_, sound) in &answer[1..] {
            let (Sound::NoteOn(place, _) | Sound::NoteOff(place)) = sound else { panic!("{sound:?}") };
            assert_eq!(place.channel, *channel);
        }
    }
}

#[test]
fn an_answer_begins_unbent_and_a_player_who_bends_it_is_let_be() {
    let bend = |at, is_bent| (at, Gesture::Bend { channel: 0, is_bent }, None);
    let score = [note(60, 0, BEAT).to_vec(), vec![bend(BEAT / 2, true), bend(3 * BEAT, true)]].concat();
    let mut rack = rack(in_time(score));
    play(&mut rack, &mut performer(ENDLESS, Past::default()), 12 * BEAT, |_| ENDLESS);
    let unbent: Vec<_> =
        rack.heard.iter().filter(|(_, sound)| matches!(sound, Sound::Unbend { .. })).collect();
    let first = rack.heard.iter().find(|(at, sound)| *at > BEAT && matches!(sound, Sound::NoteOn(..)));
    assert_eq!(unbent.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [first.expect("an answer").0]);
}
