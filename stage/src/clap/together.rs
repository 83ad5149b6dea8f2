//! A host's two threads at once: one asks for block after block while the other does what main threads do.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use clack_host::prelude::*;
use rtsan_standalone::ScopedSanitizeRealtime;

use super::{Clap, EVENTS, Handlers, events};
use crate::score::Event;

/// What the audio thread plays again in every block, all of it within the block.
#[derive(Debug, Clone, Copy)]
pub struct Chord<'a> {
    pub events: &'a [Event],
    /// In samples.
    pub block: u32,
    /// In samples per second.
    pub sample_rate: f64,
}

impl Clap {
    /// Lets an audio thread play `chord` in real time while `meanwhile` does something else to the same plugin. Gives
    /// how many blocks were played, at least one. For an active plugin without audio ports.
    ///
    /// # Errors
    /// Where the plugin is not active, fails, or `meanwhile` fails.
    pub fn play_meanwhile(
        &mut self,
        chord: Chord<'_>,
        meanwhile: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<u64> {
        let processor = self.processor.take().context("an inactive plugin plays nothing")?;
        let is_over = AtomicBool::new(false);
        let (acted, (processor, played)) = thread::scope(|scope| {
            let audio = scope.spawn(|| play(processor, chord, &is_over));
            let acted = meanwhile(self);
            is_over.store(true, Ordering::Relaxed);
            (acted, audio.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        self.processor = Some(processor);
        self.serve();
        acted.and(played)
    }
}

/// The audio thread.
fn play(
    mut processor: StartedPluginAudioProcessor<Handlers>,
    chord: Chord<'_>,
    is_over: &AtomicBool,
) -> (StartedPluginAudioProcessor<Handlers>, Result<u64>) {
    let mut incoming = EventBuffer::with_capacity(EVENTS);
    let mut outgoing = EventBuffer::with_capacity(EVENTS);
    for event in chord.events {
        if let Err(error) = events::push(&mut incoming, event.at as u32, event.kind) {
            return (processor, Err(error));
        }
    }
    let length = Duration::from_secs_f64(f64::from(chord.block) / chord.sample_rate);
    let (mut blocks, mut due) = (0, Instant::now());
    loop {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += length;
        // SAFETY: there is no buffer here at all; only the frame count, which no output buffer tells.
        let inputs = unsafe { InputAudioBuffers::from_raw_buffers(&[], chord.block) };
        let mut outputs = OutputAudioBuffers::empty();
        outgoing.clear();
        let (input, mut output) = (incoming.as_input(), outgoing.as_output());
        let start = Some(blocks * u64::from(chord.block));
        let played = {
            let _realtime = ScopedSanitizeRealtime::default();
            processor.process(&inputs, &mut outputs, &input, &mut output, start, None)
        };
        blocks += 1;
        if let Err(error) = played {
            return (processor, Err(anyhow!("the plugin fails: {error}")));
        }
        if is_over.load(Ordering::Relaxed) {
            return (processor, Ok(blocks));
        }
    }
}
