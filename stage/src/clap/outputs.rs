//! The audio that a CLAP plugin writes.

use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_host::prelude::*;

/// What a sample holds before the plugin writes it: not silence, so that forgotten buffers are heard.
const UNWRITTEN: f32 = 1.0;

/// The buffers of all audio outputs; none at all for a plugin without audio.
pub struct Outputs {
    /// One per channel, each as long as the largest block.
    channels: Vec<Vec<f32>>,
    /// Channels of each port.
    ports: Vec<usize>,
    shape: AudioPorts,
    /// All that was written since recording began, channel by channel.
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

    /// The buffers for one block, not yet written.
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

    /// From now on what the plugin writes is kept.
    pub fn record(&mut self) {
        self.recording = Some(vec![Vec::new(); self.channels.len()]);
    }

    /// Keeps the first `frames` samples of a block.
    pub fn keep(&mut self, frames: u32) {
        for (kept, channel) in self.recording.iter_mut().flatten().zip(&self.channels) {
            kept.extend_from_slice(&channel[..frames as usize]);
        }
    }

    /// What was kept; recording is over.
    pub fn take_recording(&mut self) -> Vec<Vec<f32>> {
        self.recording.take().unwrap_or_default()
    }

    /// The loudest of `peak` and the first `frames` samples.
    pub fn peak(&self, frames: u32, peak: f32) -> f32 {
        let samples = self.channels.iter().flat_map(|channel| &channel[..frames as usize]);
        samples.fold(peak, |peak, sample| peak.max(sample.abs()))
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
