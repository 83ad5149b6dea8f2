//! What a take keeps and shows.

use super::*;

#[test]
fn lines_lie_on_the_songs_bars_and_beats_and_go_on_into_the_future() {
    let records = [
        at(12_000, song(1.5, 120.0)),
        at(12_000, bars(0.0, 4, 3, 4)),
        at(108_000, Event::Song(Song { beat: None, tempo: Tempo::DEFAULT })),
        at(200_000, song(6.0, 60.0)),
        at(200_000, bars(6.0, 6, 6, 8)),
    ];
    let lines = take(&records).song().lines(SampleTime(0), SampleTime(300_000));
    let told: Vec<_> = lines.into_iter().map(|line| (line.at.0, line.kind)).collect();
    use LineKind::{Bar, Beat};
    let three = [(24_000, Beat), (48_000, Bar(5)), (72_000, Beat), (96_000, Beat)];
    let six = [(200_000, Bar(6)), (224_000, Beat), (248_000, Beat), (272_000, Beat), (296_000, Beat)];
    assert_eq!(told, [&three[..], &six].concat());
    let take = take(&records);
    assert_eq!(take.song().place(SampleTime(72_000)).map(|(bar, beat)| (bar, beat.round())), Some((5, 1.0)));
    assert_eq!(take.song().place(SampleTime(150_000)), None);
}

#[test]
fn of_more_notes_than_are_kept_the_oldest_go_first() {
    let mut take = Take::new(RATE);
    for n in 0..MOST_NOTES as u64 + 10 {
        take.record(at(n, Event::Struck(place(0, (n % 100) as u8), LOUD)));
    }
    assert_eq!((take.call().len(), take.call().held().count()), (MOST_NOTES, 100));
    assert_eq!(take.call().iter().next().map(|note| note.onset), Some(SampleTime(10)));
}

#[test]
fn after_a_loss_nothing_is_held_or_planned_for_ever() {
    let mut take = take(&[
        at(0, Event::Struck(place(0, 60), LOUD)),
        at(0, Event::Pedal { channel: 0, pedal: Pedal::Down }),
        at(0, Event::Sounded(place(0, 72), LOUD)),
        at(9, Event::Gap),
    ]);
    assert_eq!((take.call().held().count(), take.answer().held().count()), (0, 0));
    assert_eq!(take.pedals().last().map(|moved| moved.pedal), Some(Pedal::Up));
    let (key, velocity) = (Key::saturating(60), LOUD);
    let (onset, end) = (SampleTime(100), SampleTime(200));
    take.record(at(
        10,
        Event::Planned(crate::event_log::Planned { onset, end, key, velocity, likelihood: None }),
    ));
    take.record(at(100 + RATE.samples(Seconds(2.0)).0, Event::LetGo));
    assert!(take.ghosts().is_empty());
}

#[test]
fn what_sounds_in_a_window_is_found_however_long_it_is_held() {
    let take = take(&[
        at(0, Event::Struck(place(0, 40), LOUD)),
        at(10, Event::Struck(place(0, 50), LOUD)),
        at(20, Event::Lifted(place(0, 50).into())),
        at(900_000, Event::Struck(place(0, 60), LOUD)),
        at(900_100, Event::Lifted(place(0, 60).into())),
    ]);
    let keys = |from, until| -> Vec<u8> {
        let notes = take.call().between(SampleTime(from), SampleTime(until), Samples(50_000));
        notes.map(|note| note.place.key.number()).collect()
    };
    assert_eq!(keys(899_000, 901_000), [60, 40]);
    assert_eq!(keys(15, 30), [50, 40]);
}
