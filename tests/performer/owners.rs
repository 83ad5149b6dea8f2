//! Laws of who owns a sounding key: the player through *Thru*, the answer, or nobody.

use std::sync::Arc;

use antiphon::{
    improviser::Improviser,
    lane::lanes,
    music::{
        note::{Key, Velocity},
        note_tracker::{ChannelKey, ChannelKeys, NoteId, Pedal},
        time::{SampleRate, Samples},
        turn::Rules,
    },
    performer::{
        Arrival, Gesture, InputFilter, OutputSettings, Partner, Past, Performer, Port, Refused, Settings,
        Sound, Triggers,
    },
};
use proptest::prelude::*;

use crate::rig::{BEAT, Dice, ENTRY, RATE, SETTINGS, place, playing, transport_at};

const BLOCK: u64 = 500;
pub const LOUD: Velocity = Velocity::saturating(90);
pub const ENDLESS: Settings = Settings { rules: Rules::Endless { entry: ENTRY }, thru: true, ..SETTINGS };

/// A gesture of the player, with its sample and its note id, if any.
pub type Event = (u64, Gesture, Option<i32>);

/// A host and the instrument behind it, which follows MIDI.
#[derive(Default)]
pub struct Rack {
    score: Vec<Event>,
    next: usize,
    begin: u64,
    end: u64,
    /// If set to N, the host refuses every Nth event.
    refuses: Option<usize>,
    sent: usize,
    /// The player's strikes without a release, and whether each was passed through.
    held: Vec<(ChannelKey, Option<i32>, bool)>,
    pedals: [bool; 16],
    /// The player's notes that sound.
    passed: Vec<ChannelKey>,
    /// The answer's notes that sound.
    answer: Vec<ChannelKey>,
    /// The channels whose pedal is down.
    pressed: [bool; 16],
    pub heard: Vec<(u64, Sound)>,
    faults: Vec<String>,
}

impl Rack {
    fn may_send(&mut self) -> Result<(), Refused> {
        self.sent += 1;
        let refused = self.refuses.is_some_and(|every| self.sent.is_multiple_of(every));
        if refused { Err(Refused) } else { Ok(()) }
    }

    /// Records a gesture of the player that arrives. Whether it passes through is seen afterwards.
    fn arrives(&mut self, gesture: Gesture, id: Option<i32>) {
        match gesture {
            Gesture::KeyDown(place, _) => self.held.push((place, id, false)),
            Gesture::KeysUp(places) | Gesture::Choke(places) => self.lift(places, id),
            Gesture::AllOff { channel } => self.lift(ChannelKeys { channel, key: None }, None),
            Gesture::AllSoundOff { channel } => {
                self.lift(ChannelKeys { channel: Some(channel), key: None }, None);
            }
            Gesture::Pedal { channel, pedal } => self.pedals[usize::from(channel)] = pedal == Pedal::Down,
            Gesture::ResetControllers { channel } => self.pedals[usize::from(channel)] = false,
            _ => {}
        }
    }

    fn lift(&mut self, places: ChannelKeys, id: Option<i32>) {
        let single = places.single().is_some();
        let first = |held: &[(ChannelKey, Option<i32>, bool)], named: Option<i32>| {
            held.iter().position(|(place, other, _)| places.contains(*place) && *other == named)
        };
        let one = match id {
            Some(_) => first(&self.held, id).or_else(|| single.then(|| first(&self.held, None)).flatten()),
            None if single => first(&self.held, None),
            None => None,
        };
        match one {
            Some(index) => {
                self.held.remove(index);
            }
            None if id.is_some() => {}
            None => self.held.retain(|(place, ..)| !places.contains(*place)),
        }
    }

    fn check(&mut self, sound: Sound, at: u64) {
        let held = |place: ChannelKey| self.held.iter().filter(|held| held.0 == place && held.2).count();
        let passed = |place: ChannelKey| self.passed.iter().filter(|other| **other == place).count();
        let fault = match sound {
            Sound::NoteOff(place) if held(place) > 0 && passed(place) <= held(place) => {
                "ends what the player holds"
            }
            Sound::NoteOn(place, _) if self.passed.contains(&place) => "is struck on the player's key",
            Sound::NoteOn(place, _) if self.answer.contains(&place) => "is struck twice",
            _ => return,
        };
        self.faults.push(format!("{sound:?} at {at} {fault}"));
    }
}

fn remove_one(places: &mut Vec<ChannelKey>, place: ChannelKey) {
    if let Some(index) = places.iter().position(|other| *other == place) {
        places.remove(index);
    }
}

impl Port for Rack {
    type Event = Option<i32>;

    fn next(&mut self) -> Option<Arrival<Option<i32>>> {
        let &(at, gesture, id) = self.score.get(self.next).filter(|(at, ..)| *at < self.end)?;
        self.next += 1;
        self.arrives(gesture, id);
        Some(Arrival { offset: (at - self.begin) as u32, gesture, id: id.map(NoteId), event: id })
    }

    fn pass(&mut self, arrival: Arrival<Option<i32>>) -> Result<(), Refused> {
        self.may_send()?;
        let at = self.begin + u64::from(arrival.offset);
        match arrival.gesture {
            Gesture::KeyDown(place, velocity) => {
                if self.answer.contains(&place) {
                    self.faults.push(format!("{place:?} passes at {at} while the answer sounds there"));
                }
                self.passed.push(place);
                if let Some(struck) = self.held.last_mut() {
                    struck.2 = true;
                }
                self.heard.push((at, Sound::NoteOn(place, velocity)));
            }
            Gesture::KeysUp(places) | Gesture::Choke(places) => {
                let place = places.single().expect("what passes as it came means one key");
                self.check(Sound::NoteOff(place), at);
                remove_one(&mut self.passed, place);
                self.heard.push((at, Sound::NoteOff(place)));
            }
            Gesture::AllOff { channel } => {
                self.passed.retain(|place| channel.is_some_and(|channel| channel != place.channel));
            }
            Gesture::AllSoundOff { channel } => self.passed.retain(|place| place.channel != channel),
            Gesture::Pedal { channel, pedal } => self.pressed[usize::from(channel)] = pedal == Pedal::Down,
            Gesture::ResetControllers { channel } => self.pressed[usize::from(channel)] = false,
            _ => {}
        }
        Ok(())
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
        self.may_send()?;
        let at = self.begin + u64::from(offset);
        self.check(sound, at);
        match sound {
            Sound::NoteOn(place, _) => self.answer.push(place),
            Sound::NoteOff(place) if self.answer.contains(&place) => remove_one(&mut self.answer, place),
            Sound::NoteOff(place) => remove_one(&mut self.passed, place),
            Sound::PedalUp { channel } => self.pressed[usize::from(channel)] = false,
            Sound::Unbend { .. } => {}
        }
        self.heard.push((at, sound));
        Ok(())
    }
}

pub fn performer(settings: Settings, past: Past) -> Performer {
    let (performer_end, improviser_end) = lanes();
    let partner = Partner::Inline(Box::new(Improviser::new(improviser_end, &[Arc::new(Dice)])));
    Performer::new(SampleRate(RATE), performer_end, partner, Arc::default(), settings, past)
}

pub fn play(rack: &mut Rack, performer: &mut Performer, until: u64, settings: impl Fn(u64) -> Settings) {
    while rack.begin < until {
        rack.end = rack.begin + BLOCK;
        let transport = transport_at(&playing(), rack.begin);
        performer.process(&transport, Samples(BLOCK), settings(rack.begin), rack);
        rack.begin = rack.end;
    }
}

pub fn rack(score: Vec<Event>) -> Rack {
    Rack { score, ..Rack::default() }
}

pub fn note(key: u8, from: u64, until: u64) -> [Event; 2] {
    [(from, Gesture::KeyDown(place(key), LOUD), None), (until, Gesture::KeysUp(place(key).into()), None)]
}

pub fn in_time(mut score: Vec<Event>) -> Vec<Event> {
    score.sort_by_key(|(at, ..)| *at);
    score
}

/// Anything that a player, a host or a broken cable may send, on two channels and few keys.
fn gestures() -> impl Strategy<Value = Vec<Event>> {
    let gesture = (0..12u8, 0..2u8, 58..63u8, prop::option::of(0..4i32), any::<bool>());
    let event = (1..BEAT, gesture);
    prop::collection::vec(event, 1..120).prop_map(|events| {
        let mut at = 0;
        let told = |(gap, (kind, channel, key, id, wild)): (u64, (u8, u8, u8, Option<i32>, bool))| {
            at += gap / 2;
            let place = ChannelKey { channel, key: Key::saturating(key) };
            let places = if wild { ChannelKeys { channel: None, key: None } } else { place.into() };
            let gesture = match kind {
                0..=4 => Gesture::KeyDown(place, LOUD),
                // A release of all keys needs a note id, or it would end everything all the time.
                5..=6 if id.is_some() || !wild => Gesture::KeysUp(places),
                7 if id.is_some() || !wild => Gesture::Choke(places),
                8 => Gesture::AllOff { channel: Some(channel) },
                9 => Gesture::AllSoundOff { channel },
                10 => Gesture::Pedal { channel, pedal: if wild { Pedal::Down } else { Pedal::Up } },
                _ => Gesture::ResetControllers { channel },
            };
            (at, gesture, id)
        };
        events.into_iter().map(told).collect()
    })
}

fn changes() -> impl Strategy<Value = Vec<(u64, bool, InputFilter)>> {
    let input_filter =
        prop::sample::select(vec![InputFilter::All, InputFilter::Closed, InputFilter::Channel(0)]);
    prop::collection::vec((1..60u64, any::<bool>(), input_filter), 1..10)
}

fn settings_at(changes: &[(u64, bool, InputFilter)], at: u64) -> Settings {
    let mut end = 0;
    let now = changes.iter().find(|(blocks, ..)| {
        end += blocks * BLOCK;
        at < end
    });
    let (thru, input_filter) =
        now.map_or((true, InputFilter::All), |(_, thru, input_filter)| (*thru, *input_filter));
    let output = OutputSettings { channel: Some(1), ..OutputSettings::PLAIN };
    Settings { thru, input_filter, output, ..ENDLESS }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn a_key_has_one_owner_and_what_the_player_has_released_sounds_no_more(
        score in gestures(),
        changes in changes(),
        refuses in prop::option::of(2..9usize),
    ) {
        let mut performer = performer(ENDLESS, Past::default());
        let mut rack = Rack { refuses, ..rack(score) };
        play(&mut rack, &mut performer, 70 * BEAT, |at| settings_at(&changes, at));
        let silent = Settings { thru: false, bypass: true, ..ENDLESS };
        play(&mut rack, &mut performer, 72 * BEAT, |_| silent);
        prop_assert_eq!(&rack.faults, &Vec::<String>::new());
        prop_assert_eq!(&rack.answer, &vec![], "the answer hangs");
        for place in &rack.passed {
            prop_assert!(rack.held.iter().any(|(held, ..)| held == place), "{place:?} hangs");
        }
        for channel in 0..16 {
            prop_assert!(rack.pedals[channel] || !rack.pressed[channel], "the pedal of {channel} hangs");
        }
    }

    #[test]
    fn after_a_new_activation_nothing_sounds(score in gestures(), beats in 1..60u64) {
        let mut first = performer(ENDLESS, Past::default());
        let mut rack = rack(score);
        play(&mut rack, &mut first, beats * BEAT, |_| ENDLESS);
        let mut second = performer(ENDLESS, first.leave());
        rack.next = rack.score.len();
        play(&mut rack, &mut second, (beats + 1) * BEAT, |_| Settings { input_filter: InputFilter::Closed, ..ENDLESS });
        prop_assert_eq!((&rack.passed, &rack.answer, rack.pressed), (&vec![], &vec![], [false; 16]));
    }
}

/// The first key of the answer, and the samples of its note-on and its note-off.
fn first_answer(score: &[Event], settings: Settings) -> (ChannelKey, u64, u64) {
    let mut rack = rack(score.to_vec());
    play(&mut rack, &mut performer(settings, Past::default()), 30 * BEAT, |_| settings);
    let last = score.last().map_or(0, |(at, ..)| *at);
    let answer: Vec<_> = rack.heard.into_iter().filter(|(at, _)| *at > last).collect();
    answer
        .iter()
        .filter_map(|(from, sound)| match sound {
            Sound::NoteOn(place, _) => {
                let off = answer.iter().find(|(at, off)| at > from && *off == Sound::NoteOff(*place))?;
                (off.0 > from + 1000).then_some((*place, *from, off.0))
            }
            _ => None,
        })
        .next()
        .expect("a note of an eighth of a second")
}

#[test]
fn a_strike_that_passes_unheard_takes_the_key_over_until_its_own_release() {
    let call = note(60, 0, BEAT);
    let second = Settings {
        input_filter: InputFilter::Channel(0),
        output: OutputSettings { channel: Some(1), ..OutputSettings::PLAIN },
        ..ENDLESS
    };
    let deaf =
        |at: u64| if at < BEAT { ENDLESS } else { Settings { input_filter: InputFilter::Closed, ..ENDLESS } };
    // The input is closed, or a second keyboard plays on the output channel.
    for (settings, heard) in [(second, None), (ENDLESS, Some(deaf))] {
        let (key, from, until) = first_answer(&call, settings);
        let (strike, release) = (from + 300, until + 2 * BEAT);
        let player =
            [(strike, Gesture::KeyDown(key, LOUD), None), (release, Gesture::KeysUp(key.into()), None)];
        let mut rack = rack(in_time([call.to_vec(), player.to_vec()].concat()));
        let mut performer = performer(settings, Past::default());
        play(&mut rack, &mut performer, 30 * BEAT, |at| heard.map_or(settings, |heard| heard(at)));
        let on_key = |sound: &Sound| matches!(sound, Sound::NoteOn(at, _) | Sound::NoteOff(at) if *at == key);
        let sounds: Vec<_> =
            rack.heard.iter().filter(|(at, sound)| (from..=release).contains(at) && on_key(sound)).collect();
        let times: Vec<_> =
            sounds.iter().map(|(at, sound)| (*at, matches!(sound, Sound::NoteOn(..)))).collect();
        assert_eq!(times, [(from, true), (strike, false), (strike, true), (release, false)]);
        assert_eq!(rack.faults, Vec::<String>::new());
    }
}

#[test]
fn a_choke_of_a_note_that_is_long_dead_ends_nothing() {
    let plain = note(60, 0, BEAT);
    let choke = (4 * BEAT, Gesture::Choke(ChannelKeys::EVERYWHERE), Some(77));
    let alone = |score: Vec<Event>| {
        let mut rack = rack(score);
        play(&mut rack, &mut performer(ENDLESS, Past::default()), 12 * BEAT, |_| ENDLESS);
        rack.heard
    };
    assert_eq!(alone([plain.to_vec(), vec![choke]].concat()), alone(plain.to_vec()));
}

#[test]
fn mode_messages_after_a_lost_release_let_the_plugin_answer() {
    for message in [Gesture::AllOff { channel: Some(0) }, Gesture::AllSoundOff { channel: 0 }] {
        let mut rack = rack(vec![(0, Gesture::KeyDown(place(60), LOUD), None), (BEAT, message, None)]);
        play(&mut rack, &mut performer(ENDLESS, Past::default()), 12 * BEAT, |_| ENDLESS);
        assert!(rack.heard.iter().any(|(at, sound)| *at > BEAT && matches!(sound, Sound::NoteOn(..))));
    }
}

#[test]
fn a_key_that_was_struck_twice_and_released_once_is_held() {
    let score = vec![
        (0, Gesture::KeyDown(place(60), LOUD), None),
        (2 * BEAT, Gesture::KeyDown(place(60), LOUD), None),
        (2 * BEAT + 800, Gesture::KeysUp(place(60).into()), None),
        (12 * BEAT, Gesture::KeysUp(place(60).into()), None),
    ];
    let mut rack = rack(score);
    let settings = Settings { thru: false, ..SETTINGS };
    play(&mut rack, &mut performer(settings, Past::default()), 20 * BEAT, |_| settings);
    let first = rack.heard.first().map(|(at, _)| *at);
    assert!(first.is_some_and(|first| (13 * BEAT..14 * BEAT).contains(&first)), "{first:?}");
}

#[test]
fn a_panic_ends_what_has_passed() {
    let mut rack = rack(vec![
        (0, Gesture::Pedal { channel: 0, pedal: Pedal::Down }, None),
        (0, Gesture::KeyDown(place(60), LOUD), Some(1)),
        (10, Gesture::KeyDown(place(60), LOUD), Some(2)),
    ]);
    let pressed = Triggers { panic: true, ..Triggers::NONE };
    let settings = |at| if at < BEAT { ENDLESS } else { Settings { triggers: pressed, ..ENDLESS } };
    let mut performer = performer(ENDLESS, Past::default());
    play(&mut rack, &mut performer, BEAT, settings);
    assert_eq!(rack.passed.len(), 2);
    // The player still holds the keys whose notes a panic has ended.
    rack.held.clear();
    play(&mut rack, &mut performer, 2 * BEAT, settings);
    assert_eq!((rack.passed.len(), rack.pressed[0]), (0, false));
}
