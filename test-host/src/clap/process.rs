//! A process call of CLAP: its events and transport, its audio buffers, and an audio thread that only makes
//! such calls.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};
use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_host::{
    events::{
        Match,
        event_types::{
            MidiEvent, NoteExpressionEvent, NoteExpressionType, NoteOffEvent, NoteOnEvent, TransportEvent,
            TransportFlags,
        },
        spaces::CoreEventSpace,
    },
    prelude::*,
    utils::{BeatTime, SecondsTime},
};
use rtsan_standalone::ScopedSanitizeRealtime;

use super::{Clap, EVENTS, Handlers};
use crate::{
    play::Block,
    score::{Event, Kind},
    transport::TransportState,
};

const CONTROLLER: u8 = 0xB0;
/// The value of samples before the plugin writes them: not silence, so that unwritten buffers are heard.
const UNWRITTEN: f32 = 1.0;

/// What the audio thread plays in every block, including automation; all of it is within the block.
#[derive(Debug, Clone, Copy)]
pub struct Chord<'a> {
    pub events: &'a [Event],
    /// The length of a block in samples.
    pub block: u32,
    /// The sample rate in samples per second.
    pub sample_rate: f64,
}

impl Clap {
    /// Lets an audio thread play `chord` in real time while `meanwhile` uses the same plugin in another way.
    /// Gives the number of blocks that were played, at least one. The plugin must be active and have no audio
    /// ports.
    ///
    /// # Errors
    /// Where the plugin is not active, fails, or `meanwhile` fails.
    pub fn play_meanwhile(
        &mut self,
        chord: Chord<'_>,
        meanwhile: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<u64> {
        let block = Block { start: 0, frames: chord.block, events: chord.events, transport: None };
        self.take_events(&block)?;
        let incoming = std::mem::replace(&mut self.incoming, EventBuffer::with_capacity(EVENTS));
        let processor = self.processor.take().context("an inactive plugin plays nothing")?;
        let is_over = AtomicBool::new(false);
        let (acted, (processor, played)) = thread::scope(|scope| {
            let audio = scope.spawn(|| play(processor, &incoming, chord, &is_over));
            let acted = meanwhile(self);
            is_over.store(true, Ordering::Relaxed);
            (acted, audio.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        self.processor = Some(processor);
        self.serve();
        acted.and(played)
    }
}

/// The buffers of all audio outputs; none at all for a plugin without audio.
pub struct Outputs {
    /// One buffer per channel, each as long as the largest block.
    channels: Vec<Vec<f32>>,
    /// Number of channels of each port.
    ports: Vec<usize>,
    shape: AudioPorts,
    /// The samples written since recording began, channel by channel.
    recording: Option<Vec<Vec<f32>>>,
}

impl Outputs {
    pub fn of(plugin: &PluginMainThreadHandle) -> Self {
        let ports = channels_of_ports(plugin);
        let count = ports.iter().sum();
        let shape = AudioPorts::with_capacity(count, ports.len());
        Self { channels: vec![Vec::new(); count], ports, shape, recording: None }
    }

    /// Makes room for blocks of up to `frames` samples.
    pub fn resize(&mut self, frames: u32) {
        for channel in &mut self.channels {
            channel.resize(frames as usize, UNWRITTEN);
        }
    }

    /// The buffers for one block, filled with [`UNWRITTEN`].
    pub fn buffers(&mut self, frames: u32) -> OutputAudioBuffers<'_> {
        for channel in &mut self.channels {
            channel.fill(UNWRITTEN);
        }
        let mut rest = self.channels.as_mut_slice();
        let ports = self.ports.iter().map(|&count| {
            let (port, others) = std::mem::take(&mut rest).split_at_mut(count);
            rest = others;
            let channels = port.iter_mut().map(move |channel| &mut channel[..frames as usize]);
            AudioPortBuffer { latency: 0, channels: AudioPortBufferType::f32_output_only(channels) }
        });
        self.shape.with_output_buffers(ports)
    }

    /// Starts recording what the plugin writes.
    pub fn record(&mut self) {
        self.recording = Some(vec![Vec::new(); self.channels.len()]);
    }

    /// Records the first `frames` samples of a block.
    pub fn keep(&mut self, frames: u32) {
        for (kept, channel) in self.recording.iter_mut().flatten().zip(&self.channels) {
            kept.extend_from_slice(&channel[..frames as usize]);
        }
    }

    /// Ends the recording, and gives it.
    pub fn take_recording(&mut self) -> Vec<Vec<f32>> {
        self.recording.take().unwrap_or_default()
    }

    /// The maximum of `peak` and the levels of the first `frames` samples.
    pub fn peak(&self, frames: u32, peak: f32) -> f32 {
        let samples = self.channels.iter().flat_map(|channel| &channel[..frames as usize]);
        samples.fold(peak, |peak, sample| peak.max(sample.abs()))
    }
}

/// Adds an event `time` samples into the block. Parameters and the host's own actions add nothing here.
pub fn push(buffer: &mut EventBuffer, time: u32, kind: Kind) -> Result<()> {
    match kind {
        Kind::NoteOn { channel, key, velocity } => {
            buffer.push(&NoteOnEvent::new(time, address(channel, key), f64::from(velocity) / 127.0));
        }
        Kind::NoteOff { channel, key } => buffer.push(&NoteOffEvent::new(time, address(channel, key), 0.0)),
        Kind::Controller { channel, number, value } => {
            buffer.push(&MidiEvent::new(time, 0, [CONTROLLER | channel, number, value]));
        }
        Kind::Message(message) => buffer.push(&MidiEvent::new(time, 0, message)),
        Kind::Brightness { channel, key, value } => {
            let (place, what) = (address(channel, key), NoteExpressionType::Brightness);
            buffer.push(&NoteExpressionEvent::new(time, place, what, value.into()));
        }
        Kind::Parameter { .. } | Kind::Reset | Kind::Restart(_) => bail!("{kind:?} cannot be played"),
    }
    Ok(())
}

/// Appends the events that the plugin plays. Parameters that it changes by itself are left out.
///
/// # Errors
/// When it plays an event that [`Kind`] does not have.
pub fn read(buffer: &EventBuffer, block: &Block<'_>, output: &mut Vec<Event>) -> Result<()> {
    for event in buffer {
        let kind = match event.as_core_event() {
            Some(CoreEventSpace::NoteOn(note)) => {
                let velocity = (note.velocity() * 127.0).round() as u8;
                Kind::NoteOn { channel: number(note.channel())?, key: number(note.key())?, velocity }
            }
            Some(CoreEventSpace::NoteOff(note)) => {
                Kind::NoteOff { channel: number(note.channel())?, key: number(note.key())? }
            }
            Some(CoreEventSpace::Midi(midi)) if midi.data()[0] & 0xF0 == CONTROLLER => {
                let [status, number, value] = midi.data();
                Kind::Controller { channel: status & 0x0F, number, value }
            }
            Some(CoreEventSpace::Midi(midi)) => Kind::Message(midi.data()),
            Some(CoreEventSpace::NoteExpression(note))
                if note.expression_type() == Some(NoteExpressionType::Brightness) =>
            {
                let (channel, key) = (number(note.channel())?, number(note.key())?);
                Kind::Brightness { channel, key, value: note.value() as f32 }
            }
            Some(
                CoreEventSpace::ParamValue(_)
                | CoreEventSpace::ParamGestureBegin(_)
                | CoreEventSpace::ParamGestureEnd(_)
                | CoreEventSpace::NoteEnd(_),
            ) => continue,
            other => bail!("the plugin plays {other:?}, which is no note"),
        };
        output.push(Event { at: block.start + u64::from(event.header().time()), kind });
    }
    Ok(())
}

pub fn transport(state: &TransportState) -> TransportEvent {
    let mut flags = TransportFlags::HAS_TEMPO
        | TransportFlags::HAS_BEATS_TIMELINE
        | TransportFlags::HAS_SECONDS_TIMELINE
        | TransportFlags::HAS_TIME_SIGNATURE;
    flags.set(TransportFlags::IS_PLAYING, state.playing);
    flags.set(TransportFlags::IS_LOOP_ACTIVE, state.cycle.is_some());
    flags.set(TransportFlags::IS_WITHIN_PRE_ROLL, state.playing && state.beats < 0.0);
    let (bar_number, bar_start) = state.bar();
    let (loop_start, loop_end) = state.cycle.unwrap_or_default();
    let seconds_per_beat = 60.0 / state.tempo;
    TransportEvent {
        header: EventHeader::new_core(0, clack_host::events::EventFlags::empty()),
        flags,
        song_pos_beats: BeatTime::from_float(state.beats),
        song_pos_seconds: SecondsTime::from_float(state.seconds()),
        tempo: state.tempo,
        tempo_inc: state.tempo_increment,
        loop_start_beats: BeatTime::from_float(loop_start),
        loop_end_beats: BeatTime::from_float(loop_end),
        loop_start_seconds: SecondsTime::from_float(loop_start * seconds_per_beat),
        loop_end_seconds: SecondsTime::from_float(loop_end * seconds_per_beat),
        bar_start: BeatTime::from_float(bar_start),
        bar_number,
        time_signature_numerator: u16::from(state.signature.0),
        time_signature_denominator: u16::from(state.signature.1),
    }
}

/// The body of the audio thread.
fn play(
    mut processor: StartedPluginAudioProcessor<Handlers>,
    incoming: &EventBuffer,
    chord: Chord<'_>,
    is_over: &AtomicBool,
) -> (StartedPluginAudioProcessor<Handlers>, Result<u64>) {
    let mut outgoing = EventBuffer::with_capacity(EVENTS);
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

fn channels_of_ports(plugin: &PluginMainThreadHandle) -> Vec<usize> {
    let Some(ports) = plugin.get_extension::<PluginAudioPorts>() else { return Vec::new() };
    let channels = |index| {
        let mut buffer = AudioPortInfoBuffer::new();
        ports.get(plugin, index, false, &mut buffer).map(|info| info.channel_count as usize)
    };
    (0..ports.count(plugin, false)).filter_map(channels).collect()
}

fn address(channel: u8, key: u8) -> Pckn {
    Pckn::new(0u16, u16::from(channel), u16::from(key), Match::All)
}

/// # Errors
/// When the plugin means all channels or keys at once.
fn number(one: Match<u16>) -> Result<u8> {
    let one = one.into_specific().context("the plugin plays a note without a key or a channel")?;
    u8::try_from(one).context("the plugin plays a note beyond MIDI's range")
}
