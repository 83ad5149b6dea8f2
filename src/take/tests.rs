//! What was played is what is read back.

use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};
use proptest::prelude::*;

use super::*;
use crate::{
    event_log::{Measure, Planned, Song},
    music::{
        bars::Signature,
        note::{Key, Velocity},
        note_tracker::ChannelKey,
        time::{BeatTime, Samples, Tempo},
    },
};

const RATE: SampleRate = SampleRate(48_000.0);
const LOUD: Velocity = Velocity::saturating(100);

/// (channel, key, velocity, onset and end in ticks)
type Read = (u8, u8, u8, u32, u32);

struct File {
    /// (tick, microseconds)
    tempi: Vec<(u32, u32)>,
    /// (tick, beats, the power of two of the note value)
    signatures: Vec<(u32, u8, u8)>,
    tracks: Vec<(String, Vec<Read>)>,
    /// (tick, channel, value)
    pedals: Vec<(u32, u8, u8)>,
}

fn read(bytes: &[u8]) -> File {
    let smf = Smf::parse(bytes).expect("a MIDI file");
    assert_eq!(
        (smf.header.format, smf.header.timing),
        (midly::Format::Parallel, Timing::Metrical(960.into()))
    );
    let mut file = File { tempi: vec![], signatures: vec![], tracks: vec![], pedals: vec![] };
    for track in smf.tracks {
        let (mut tick, mut name, mut notes) = (0, String::new(), Vec::<Read>::new());
        let mut open = Vec::new();
        for event in track {
            tick += event.delta.as_int();
            match event.kind {
                TrackEventKind::Meta(MetaMessage::TrackName(bytes)) => {
                    name = String::from_utf8_lossy(bytes).into_owned();
                }
                TrackEventKind::Meta(MetaMessage::Tempo(micros)) => file.tempi.push((tick, micros.as_int())),
                TrackEventKind::Meta(MetaMessage::TimeSignature(beats, value, ..)) => {
                    file.signatures.push((tick, beats, value));
                }
                TrackEventKind::Midi { channel, message: MidiMessage::NoteOn { key, vel } } => {
                    open.push(notes.len());
                    notes.push((channel.as_int(), key.as_int(), vel.as_int(), tick, u32::MAX));
                }
                TrackEventKind::Midi { channel, message: MidiMessage::NoteOff { key, .. } } => {
                    let is_it =
                        |&place: &usize| (notes[place].0, notes[place].1) == (channel.as_int(), key.as_int());
                    let place = open.iter().position(is_it).expect("a release has its strike");
                    notes[open.remove(place)].4 = tick;
                }
                TrackEventKind::Midi { channel, message: MidiMessage::Controller { controller, value } } => {
                    assert_eq!(controller.as_int(), 64);
                    file.pedals.push((tick, channel.as_int(), value.as_int()));
                }
                _ => {}
            }
        }
        assert!(open.is_empty(), "every strike has its release");
        if !name.is_empty() {
            file.tracks.push((name, notes));
        }
    }
    file
}

fn place(channel: u8, key: u8) -> ChannelKey {
    ChannelKey { channel, key: Key::saturating(key) }
}

fn at(at: u64, event: Event) -> Record {
    Record { at: SampleTime(at), event }
}

fn song(beat: f64, tempo: f64) -> Event {
    Event::Song(Song { beat: Some(BeatTime(beat)), tempo: Tempo::new(tempo).expect("a tempo") })
}

fn bars(line: f64, number: i32, beats: i32, value: i32) -> Event {
    let signature = Signature::new(beats, value).expect("a signature");
    Event::Bars(Measure { line: BeatTime(line), number, signature })
}

fn take(records: &[Record]) -> Take {
    let mut take = Take::new(RATE);
    records.iter().for_each(|record| take.record(*record));
    take
}

/// Strikes, releases and pedals of one side or the other, with a random number of samples between them.
fn performances() -> impl Strategy<Value = Vec<Record>> {
    let event = (0..40_000u64, any::<bool>(), 0..3u8, 0..3u8, 58..64u8, 1..=127u8);
    prop::collection::vec(event, 1..80).prop_map(|events| {
        let mut now = 0;
        events
            .into_iter()
            .map(|(gap, is_players, kind, channel, key, velocity)| {
                now += gap;
                let (place, velocity) = (place(channel, key), Velocity::saturating(velocity));
                let pedal = if key % 2 == 0 { Pedal::Down } else { Pedal::Up };
                at(
                    now,
                    match (is_players, kind) {
                        (true, 0) => Event::Struck(place, velocity),
                        (true, 1) => Event::Lifted(place.into()),
                        (true, _) => Event::Pedal { channel, pedal },
                        (false, 0) => Event::Sounded(place, velocity),
                        (false, _) => Event::Released(place),
                    },
                )
            })
            .collect()
    })
}

/// Where the host's tempo changes: samples from the change before, and the tempo.
fn tempi() -> impl Strategy<Value = Vec<(u64, f64)>> {
    prop::collection::vec((1_000..400_000u64, 20.0..300f64), 0..6)
}

proptest! {
    #[test]
    fn what_was_played_is_read_back_on_the_hosts_beats(
        performance in performances(),
        begun in -9f64..99.0,
        tempi in tempi(),
    ) {
        let (mut records, mut now, mut beat, mut tempo) = (performance, 0, begun, 120.0);
        records.extend([at(0, song(beat, tempo)), at(0, bars((begun / 4.0).floor() * 4.0, 0, 4, 4))]);
        for (gap, next) in tempi {
            beat += gap as f64 / 48_000.0 * tempo / 60.0;
            (now, tempo) = (now + gap, next);
            records.push(at(now, song(beat, tempo)));
        }
        records.sort_by_key(|record| record.at);
        let take = take(&records);
        prop_assume!(!take.is_empty());
        let file = read(&write(&take));
        let first = take.call().iter().chain(take.answer().iter()).map(|note| note.onset);
        let first = first.chain(take.pedals().map(|moved| moved.at)).min().expect("something");
        let beat_at = |at| take.song().beat(at).expect("it runs").0;
        let bar = (beat_at(first) / 4.0 + 1e-6).floor() * 4.0;
        let tick = |at: SampleTime| (beat_at(at) - bar) * 960.0;
        for ((name, read), (side, notes)) in
            file.tracks.iter().zip([("Call", take.call()), ("Answer", take.answer())])
        {
            prop_assert_eq!((name.as_str(), read.len()), (side, notes.len()));
            for (read, note) in read.iter().zip(notes.iter()) {
                let Played { onset, end, place, velocity } = *note;
                prop_assert_eq!((read.0, read.1, read.2), (place.channel, place.key.number(), velocity.value()));
                prop_assert!((f64::from(read.3) - tick(onset)).abs() < 0.51, "{read:?} {}", tick(onset));
                let end = end.unwrap_or(take.now());
                prop_assert!((f64::from(read.4) - tick(end)).abs() < 0.51, "{read:?} {}", tick(end));
            }
        }
        let pedals: Vec<_> = take.pedals().collect();
        prop_assert_eq!(file.pedals.len(), pedals.len());
        for (read, moved) in file.pedals.iter().zip(pedals) {
            prop_assert_eq!((read.1, read.2 == 127), (moved.channel, moved.pedal == Pedal::Down));
            prop_assert!((f64::from(read.0) - tick(moved.at)).abs() < 0.51);
        }
        prop_assert_eq!(file.signatures, vec![(0, 4, 2)]);
    }
}

#[test]
fn tempo_and_signature_are_the_hosts_and_a_bar_of_the_song_is_one_of_the_file() {
    let records = [
        // 24,000 samples a beat at first. The note comes on the second beat of a bar.
        at(0, song(8.0, 120.0)),
        at(0, bars(8.0, 2, 4, 4)),
        at(24_000, Event::Struck(place(0, 60), LOUD)),
        at(48_000, Event::Lifted(place(0, 60).into())),
        at(96_000, song(12.0, 60.0)),
        at(96_000, bars(12.0, 3, 6, 8)),
        at(144_000, Event::Sounded(place(1, 72), LOUD)),
        at(192_000, Event::Released(place(1, 72))),
    ];
    let file = read(&write(&take(&records)));
    assert_eq!(file.tempi, [(0, 500_000), (3_840, 1_000_000)]);
    assert_eq!(file.signatures, [(0, 4, 2), (3_840, 6, 3)]);
    assert_eq!(file.tracks[0], ("Call".to_owned(), vec![(0, 60, 100, 960, 1_920)]));
    assert_eq!(file.tracks[1], ("Answer".to_owned(), vec![(1, 72, 100, 4_800, 5_760)]));
}

#[test]
fn a_loop_goes_on_in_the_file_and_bars_are_marked_where_they_begin_anew() {
    let records = [
        at(0, song(0.0, 120.0)),
        at(0, bars(0.0, 0, 4, 4)),
        at(0, Event::Struck(place(0, 60), LOUD)),
        at(72_000, Event::Lifted(place(0, 60).into())),
        // A loop of three beats.
        at(72_000, song(0.0, 120.0)),
        at(72_000, bars(0.0, 1, 4, 4)),
        at(96_000, Event::Struck(place(0, 62), LOUD)),
        at(120_000, Event::Lifted(place(0, 62).into())),
    ];
    let file = read(&write(&take(&records)));
    assert_eq!(file.tracks[0].1, [(0, 60, 100, 0, 2_880), (0, 62, 100, 3_840, 4_800)]);
    assert_eq!(file.signatures, [(0, 4, 2), (2_880, 4, 2)]);
}

#[test]
fn without_a_transport_a_file_begins_with_the_first_note_at_the_last_tempo() {
    let stands = Song { beat: None, tempo: Tempo::new(90.0).expect("a tempo") };
    let records = [
        at(0, Event::Song(stands)),
        at(480_000, Event::Struck(place(0, 60), LOUD)),
        at(480_000 + 32_000, Event::Lifted(place(0, 60).into())),
    ];
    let file = read(&write(&take(&records)));
    assert_eq!((file.tempi, file.signatures), (vec![(0, 666_667)], vec![(0, 4, 2)]));
    assert_eq!(file.tracks[0].1, [(0, 60, 100, 0, 960)]);
}

#[test]
fn what_comes_before_the_transport_starts_leaves_the_songs_bars_on_those_of_the_file() {
    let stands = Song { beat: None, tempo: Tempo::DEFAULT };
    let records = [
        at(0, Event::Song(stands)),
        at(0, Event::Struck(place(0, 60), LOUD)),
        at(24_000, Event::Lifted(place(0, 60).into())),
        // The transport starts five beats later, on the third beat of a bar.
        at(120_000, song(2.0, 120.0)),
        at(120_000, bars(0.0, 0, 4, 4)),
        at(168_000, Event::Struck(place(0, 62), LOUD)),
        at(192_000, Event::Lifted(place(0, 62).into())),
    ];
    let file = read(&write(&take(&records)));
    let onsets: Vec<u32> = file.tracks[0].1.iter().map(|note| note.3).collect();
    assert_eq!((onsets[1] - onsets[0], onsets[1] % 3_840), (7 * 960, 0));
    assert_eq!(file.signatures, [(0, 4, 2)]);
}

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
    take.record(at(10, Event::Planned(Planned { onset, end, key, velocity, likelihood: None })));
    take.record(at(100 + RATE.samples(Seconds(2.0)).0, Event::LetGo));
    assert!(take.planned().is_empty());
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
