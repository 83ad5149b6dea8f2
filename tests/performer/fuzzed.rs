//! Fuzzing of the performer: bytes choose events, transports, settings, resets and when the worker runs. The
//! fuzz target `events` and the tests run the same function.

use std::{num::NonZeroU8, sync::Arc};

use antiphon::{
    improviser::Improviser,
    lane::lanes_of,
    music::{
        bars::{Bar, Signature},
        generation::{Density, GenerationSettings, Polyphony, Register, Thousandths},
        note::{Key, Velocity},
        note_tracker::{ChannelKey, ChannelKeys, Pedal},
        patience::Patience,
        time::{BeatTime, Beats, SampleRate, Samples, Tempo},
        timeline::Transport,
        turn::{Alignment, Cue, Entry, Foot, Length, Rules},
    },
    performer::{Arrival, Gesture, Partner, Past, Performer, Port, Refused, Settings, Sound, Triggers},
    telemetry::Telemetry,
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::rig::{Dice, SETTINGS};

const RATES: [f64; 4] = [8_000.0, 44_100.0, 192_000.0, 384_000.0];

/// Bytes that are read as values of any type; zeros after their end.
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn seldom(&mut self) -> bool {
        self.byte() < 64
    }

    fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// A number that occurs in music, or any number at all: not finite, subnormal, huge.
    fn number(&mut self) -> f64 {
        match self.byte() % 4 {
            0 => f64::from_bits(u64::from_le_bytes(std::array::from_fn(|_| self.byte()))),
            1 => f64::from(self.word()),
            2 => -f64::from(self.word()) / 16.0,
            _ => f64::from(self.word()) / 100.0,
        }
    }

    fn beats(&mut self) -> Beats {
        Beats(f64::from(self.byte() % 64) / 4.0 + 0.25)
    }

    fn place(&mut self) -> ChannelKey {
        ChannelKey { channel: self.byte() % 16, key: Key::saturating(self.byte() % 128) }
    }

    fn gesture(&mut self) -> Gesture {
        let channel = self.byte() % 16;
        match self.byte() % 8 {
            0..=2 => Gesture::KeyDown(self.place(), Velocity::saturating(self.byte() % 127 + 1)),
            3 | 4 => Gesture::KeysUp(self.place().into()),
            5 => {
                let pedal = if self.byte() < 128 { Pedal::Down } else { Pedal::Up };
                Gesture::Pedal { channel, pedal }
            }
            6 => Gesture::Controller { number: self.byte() % 120, value: self.byte() % 128 },
            _ => match self.byte() % 4 {
                0 => Gesture::AllOff { channel: None },
                1 => Gesture::AllOff { channel: Some(channel) },
                2 => Gesture::KeysUp(ChannelKeys { channel: None, key: None }),
                _ => Gesture::Other,
            },
        }
    }

    fn transport(&mut self) -> Transport {
        let signature = Signature::new(i32::from(self.byte()) - 8, i32::from(self.byte()) - 8);
        Transport {
            playing: !self.seldom(),
            tempo: Tempo::new(self.number()),
            position: (!self.seldom()).then(|| BeatTime(self.number())),
            signature,
            bar: self
                .seldom()
                .then(|| Bar { number: self.word().cast_signed().into(), start: BeatTime(self.number()) }),
            cycle: self.seldom().then(|| Beats(self.number())).filter(|length| length.0 > 0.0),
        }
    }

    fn rules(&mut self) -> Rules {
        let cue = match self.byte() % 5 {
            0 => Cue::Pedal(Foot::Sostenuto),
            1 => Cue::Key(self.place().key),
            2 => Cue::Controller(self.byte() % 120),
            _ => Cue::Silence(self.beats()),
        };
        let alignment = [Alignment::Off, Alignment::Beat, Alignment::Bar][usize::from(self.byte() % 3)];
        let entry = Entry { cue, alignment };
        let bars = NonZeroU8::new(self.byte() % 32 + 1).expect("not nought");
        let longest = self.beats();
        match self.byte() % 6 {
            0 => Rules::Trade { bars },
            1 => Rules::Together { longest },
            2 => Rules::Endless { entry },
            3 => Rules::Answer { entry, length: Length::Bars(bars) },
            4 => Rules::Answer { entry, length: Length::Phrase { longest } },
            _ => Rules::Answer { entry, length: Length::Call { longest } },
        }
    }

    fn settings(&mut self) -> Settings {
        let register = Register::between(self.place().key, self.place().key);
        let generation = GenerationSettings {
            temperature: Thousandths(self.word()),
            register,
            density: Density::per_second(f32::from(self.byte()) / 8.0 + 0.25),
            polyphony: Polyphony::voices(self.byte() % 32 + 1),
            memory: 25 + self.byte() % 126,
            model: self.byte(),
            ..GenerationSettings::DEFAULT
        };
        let pressed = self.byte();
        Settings {
            rules: self.rules(),
            patience: Patience::saturating(f32::from(self.byte()) / 255.0),
            generation,
            seed: self.word().into(),
            thru: pressed & 1 > 0,
            bypass: pressed & 0x70 == 0x70,
            triggers: Triggers {
                panic: pressed & 0x06 == 0x06,
                re_roll: pressed & 0x08 > 0,
                clear_memory: pressed & 0xC0 == 0xC0,
                reset_seed: pressed & 0x80 > 0,
            },
            ..SETTINGS
        }
    }
}

/// The host's side of one block, and the notes of the plugin that sound.
#[derive(Default)]
struct Hall {
    /// The gestures of this block, by their offsets.
    gestures: Vec<(u32, Gesture)>,
    next: usize,
    length: u64,
    newest: u32,
    sounding: Vec<ChannelKey>,
}

impl Port for Hall {
    type Event = ();

    fn next(&mut self) -> Option<Arrival<()>> {
        let &(offset, gesture) = self.gestures.get(self.next)?;
        self.next += 1;
        Some(Arrival { offset, gesture, id: None, event: () })
    }

    fn pass(&mut self, _: Arrival<()>) -> Result<(), Refused> {
        Ok(())
    }

    fn play(&mut self, offset: u32, sound: Sound) -> Result<(), Refused> {
        assert!(u64::from(offset) < self.length, "{sound:?} at {offset} of {}", self.length);
        assert!(offset >= self.newest, "{sound:?} comes after a later one");
        self.newest = offset;
        match sound {
            Sound::NoteOn(place, _) => {
                assert!(!self.sounding.contains(&place), "{place:?} is struck twice");
                self.sounding.push(place);
            }
            // An extra release does no harm: it ends a note that another performer has left.
            Sound::NoteOff(place) => self.sounding.retain(|other| *other != place),
            Sound::PedalUp { .. } | Sound::Unbend { .. } => {}
        }
        Ok(())
    }
}

/// A performer and all that surrounds it.
struct Playing {
    performer: Performer,
    improviser: Improviser,
    hall: Hall,
    transport: Transport,
    settings: Settings,
}

impl Playing {
    fn new(rate: SampleRate) -> Self {
        let telemetry = Arc::new(Telemetry::default());
        let (performer_end, improviser_end) = lanes_of(telemetry.clone());
        let partner = Partner::Worker;
        let past = Past::default();
        Self {
            performer: Performer::new(rate, performer_end, partner, telemetry, SETTINGS, past),
            improviser: Improviser::new(improviser_end, &[Arc::new(Dice)]),
            hall: Hall::default(),
            transport: Transport::default(),
            settings: SETTINGS,
        }
    }

    fn block(&mut self, length: u64, gestures: Vec<(u32, Gesture)>) {
        let sounding = std::mem::take(&mut self.hall.sounding);
        self.hall = Hall { gestures, length, sounding, ..Hall::default() };
        self.performer.process(&self.transport, Samples(length), self.settings, &mut self.hall);
    }
}

/// Plays what the bytes say, block by block. At the end *Bypass* is set: then no note of the plugin may sound.
pub fn perform(bytes: &[u8]) {
    let mut bytes = Bytes(bytes);
    let mut playing = Playing::new(SampleRate(RATES[usize::from(bytes.byte() % 4)]));
    while !bytes.0.is_empty() {
        match bytes.byte() % 8 {
            0 => playing.settings = bytes.settings(),
            1 | 2 => playing.transport = bytes.transport(),
            3 => playing.performer.reset(),
            _ => {}
        }
        let length = u32::from(bytes.word()) + 1;
        let mut at = 0;
        let gestures = (0..bytes.byte() % 8).map(|_| {
            at = (at + u32::from(bytes.word())).min(length - 1);
            (at, bytes.gesture())
        });
        let gestures = gestures.collect();
        playing.block(length.into(), gestures);
        for _ in 0..bytes.byte() {
            playing.improviser.step();
        }
    }
    playing.settings = Settings { bypass: true, triggers: Triggers::NONE, ..playing.settings };
    playing.block(1, Vec::new());
    assert_eq!(playing.hall.sounding, vec![], "notes of the plugin hang");
}

/// The variable PROPTEST_CASES sets a larger number of cases.
#[test]
fn no_events_no_transport_and_no_settings_leave_a_note_hanging() {
    let config = ProptestConfig::default();
    let cases = config.cases.max(1_000);
    let source_file = Some(file!());
    let mut runner = TestRunner::new(ProptestConfig { cases, source_file, ..config });
    let streams = prop::collection::vec(any::<u8>(), 0..1_500);
    let result = runner.run(&streams, |bytes| {
        perform(&bytes);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    println!("proved: {cases} streams of bytes");
}
