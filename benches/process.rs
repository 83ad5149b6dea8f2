//! Measures the time of a block on the audio thread while the player plays a note in every block.

use std::sync::Arc;

use antiphon::{
    lane::lanes,
    music::{
        generation::GenerationSettings,
        harmony::Source,
        note::{Key, Velocity},
        note_tracker::{ChannelKey, Zone},
        patience::Patience,
        time::{BeatTime, Beats, SampleRate, Samples, Tempo},
        timeline::Transport,
        turn::{Alignment, Cue, Entry, Length, Rules},
    },
    performer::{
        Arrival, Gesture, InputFilter, OutputSettings, Partner, Past, Performer, Port, Refused, Settings,
        Sound, Triggers,
    },
    telemetry::Telemetry,
};
use criterion::{Criterion, criterion_group, criterion_main};

const BLOCK: u64 = 512;
const C4: ChannelKey = ChannelKey { channel: 0, key: Key::saturating(60) };
const SETTINGS: Settings = Settings {
    rules: Rules::Answer {
        entry: Entry { cue: Cue::Silence(Beats(1.0)), alignment: Alignment::Off },
        length: Length::Call { longest: Beats(16.0) },
    },
    patience: Patience::DEFAULT,
    generation: GenerationSettings::DEFAULT,
    output: OutputSettings::PLAIN,
    input_filter: InputFilter::All,
    harmony: Source::Off,
    zone: Zone::Off,
    triggers: Triggers::NONE,
    seed: 0,
    varying: true,
    thru: true,
    bypass: false,
};

/// A player who strikes and releases one key.
struct Player {
    gestures: [Gesture; 2],
    next: usize,
}

impl Port for Player {
    type Event = ();

    fn next(&mut self) -> Option<Arrival<()>> {
        let gesture = *self.gestures.get(self.next)?;
        self.next += 1;
        Some(Arrival { offset: 200 * self.next as u32, gesture, id: None, event: () })
    }

    fn pass(&mut self, _: Arrival<()>) -> Result<(), Refused> {
        Ok(())
    }

    fn play(&mut self, _: u32, _: Sound) -> Result<(), Refused> {
        Ok(())
    }
}

fn blocks(criterion: &mut Criterion) {
    // The worker takes every request and never replies, so that only the audio thread is measured.
    let (performer_end, mut improviser_end) = lanes();
    let telemetry = Arc::new(Telemetry::default());
    let mut performer = Performer::new(
        SampleRate(48_000.0),
        performer_end,
        Partner::Worker,
        telemetry,
        SETTINGS,
        Past::default(),
    );
    let gestures = [Gesture::KeyDown(C4, Velocity::saturating(80)), Gesture::KeysUp(C4.into())];
    let mut begin = 0;
    criterion.bench_function("process a block with a note", |bencher| {
        bencher.iter(|| {
            let position = Some(BeatTime(begin as f64 / 24_000.0));
            let tempo = Tempo::new(120.0);
            let transport = Transport { playing: true, tempo, position, ..Transport::default() };
            performer.process(&transport, Samples(BLOCK), SETTINGS, &mut Player { gestures, next: 0 });
            begin += BLOCK;
            while improviser_end.requests.pop().is_ok() {}
        });
    });
}

criterion_group!(benches, blocks);
criterion_main!(benches);
