//! The VST3 host.

use std::{
    env::consts::{ARCH, DLL_SUFFIX, OS},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use vst3_host::{
    AudioBuffers, MidiChannel, MidiEvent, OutputEvent, Plugin, PluginEventData, ProcessMode,
    TransportPosition, Vst3Host,
};

use crate::{
    play::{Block, Host, Output, Parameter},
    score::{Event, Kind, Mode, Setup},
};

/// Number of channels of the buffers: more than a plugin without audio has, since they tell the host the
/// block length.
const CHANNELS: usize = 2;

/// A VST3 plugin in its host. This host always reports a transport: without a script, one that stands still.
pub struct Vst3 {
    plugin: Plugin,
    buffers: AudioBuffers,
}

impl Vst3 {
    /// Loads the plugin called `name` from a `.vst3` bundle on disk.
    ///
    /// # Errors
    /// When the bundle cannot be loaded or has no such plugin.
    pub fn open(bundle: &Path, name: &str) -> Result<Self> {
        let unusable = || format!("{} cannot be loaded as a VST3 plugin", bundle.display());
        let classes = vst3_host::get_detailed_plugin_info(bundle).with_context(unusable)?.classes;
        let Some(class) = classes.iter().find(|class| class.name == name) else {
            let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
            bail!("no plugin \"{name}\" in {}, only {}", bundle.display(), names.join(", "));
        };
        let mut host = Vst3Host::builder().build()?;
        let plugin = host.load_plugin_class(bundle, &class.class_id).with_context(unusable)?;
        Ok(Self { plugin, buffers: AudioBuffers::new(0, CHANNELS, 0, 0.0) })
    }

    /// Loads a `.vstpreset`, as a host does when the user chooses it.
    ///
    /// # Errors
    /// When it is a preset of another plugin, or no preset.
    pub fn load_preset(&mut self, path: &Path) -> Result<()> {
        Ok(self.plugin.load_vstpreset(path)?)
    }

    /// Lays out a bundle around a built library, in `folder`, and returns its path.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn lay_out(library: &Path, folder: &Path, name: &str) -> Result<PathBuf> {
        let platform = match OS {
            "macos" => "MacOS".to_owned(),
            "windows" => format!("{ARCH}-win"),
            _ => format!("{ARCH}-{OS}"),
        };
        let bundle = folder.join(format!("{name}.vst3"));
        let inside = bundle.join("Contents").join(platform);
        std::fs::create_dir_all(&inside).with_context(|| format!("cannot write {}", inside.display()))?;
        let file = match OS {
            "macos" => name.to_owned(),
            "windows" => format!("{name}.vst3"),
            _ => format!("{name}{DLL_SUFFIX}"),
        };
        place(library, &inside.join(file))
            .with_context(|| format!("cannot put {} into its bundle", library.display()))?;
        Ok(bundle)
    }

    fn take_transport(&mut self, block: &Block<'_>) -> Result<()> {
        let Some(transport) = block.transport else { return Ok(self.plugin.set_playing(false)?) };
        let rate = self.plugin.sample_rate();
        self.plugin.set_playing(transport.playing)?;
        self.plugin.set_tempo(transport.tempo)?;
        self.plugin.set_time_signature(transport.signature.0.into(), transport.signature.1.into())?;
        let position = TransportPosition {
            samples: (transport.seconds() * rate).round() as i64,
            quarter_notes: transport.beats,
        };
        Ok(self.plugin.set_transport_position(position)?)
    }

    fn take_event(&mut self, event: &Event, block: &Block<'_>) -> Result<()> {
        let offset = i32::try_from(event.at - block.start).context("events lie within their block")?;
        let midi = match event.kind {
            Kind::NoteOn { channel, key, velocity } => {
                MidiEvent::NoteOn { channel: self::channel(channel)?, note: key, velocity }
            }
            Kind::NoteOff { channel, key } => {
                MidiEvent::NoteOff { channel: self::channel(channel)?, note: key, velocity: 0 }
            }
            Kind::Controller { channel, number, value } => {
                MidiEvent::ControlChange { channel: self::channel(channel)?, controller: number, value }
            }
            Kind::Parameter { id, value } => return Ok(self.plugin.set_parameter_at(id, value, offset)?),
            Kind::Message(_) | Kind::Brightness { .. } | Kind::Reset | Kind::Restart(_) => {
                bail!("{:?} cannot be played", event.kind)
            }
        };
        Ok(self.plugin.send_midi_event_at(midi, offset)?)
    }
}

impl Host for Vst3 {
    fn activate(&mut self, setup: Setup) -> Result<()> {
        self.deactivate();
        let mode = match setup.mode {
            Mode::Realtime => ProcessMode::Realtime,
            Mode::Offline => ProcessMode::Offline,
        };
        self.plugin.reconfigure(setup.sample_rate, setup.largest_block as usize)?;
        self.plugin.set_process_mode(mode)?;
        self.plugin.start_processing()?;
        self.buffers = AudioBuffers::new(0, CHANNELS, setup.largest_block as usize, setup.sample_rate);
        Ok(())
    }

    fn deactivate(&mut self) {
        // An inactive plugin refuses this, which is as it should be.
        let _ = self.plugin.stop_processing();
    }

    fn reset(&mut self) -> Result<()> {
        self.plugin.stop_processing()?;
        Ok(self.plugin.start_processing()?)
    }

    fn process(&mut self, block: &Block<'_>, output: &mut Output) -> Result<Duration> {
        self.take_transport(block)?;
        for event in block.events {
            self.take_event(event, block)?;
        }
        for channel in &mut self.buffers.outputs {
            channel.resize(block.frames as usize, 0.0);
            channel.fill(0.0);
        }
        self.buffers.block_size = block.frames as usize;
        let before = Instant::now();
        self.plugin.process_audio(&mut self.buffers)?;
        let cost = before.elapsed();
        let samples = self.buffers.outputs.iter().flatten();
        output.peak = samples.fold(output.peak, |peak, sample| peak.max(sample.abs()));
        for event in self.plugin.take_output_events() {
            output.events.extend(read(&event, block)?);
        }
        Ok(cost)
    }

    fn parameters(&mut self) -> Result<Vec<Parameter>> {
        let parameters = self.plugin.get_parameters()?.into_iter();
        Ok(parameters.map(|found| Parameter { id: found.id, name: found.name }).collect())
    }

    fn set(&mut self, id: u32, value: f64) -> Result<()> {
        Ok(self.plugin.set_parameter(id, value)?)
    }

    fn get(&mut self, id: u32) -> Result<f64> {
        Ok(self.plugin.get_parameter(id)?)
    }

    fn save(&mut self) -> Result<Vec<u8>> {
        Ok(self.plugin.save_state()?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.plugin.load_state(state).context("the plugin refuses the state")
    }
}

/// Links `library` at `path` too. Several processes may do so at once.
#[cfg(unix)]
fn place(library: &Path, path: &Path) -> std::io::Result<()> {
    if std::fs::read_link(path).is_ok_and(|known| known == library) {
        return Ok(());
    }
    // Another checkout may have left its own link, and another thread may be about to make the same one.
    let coming = path.with_extension(format!("{:?}", std::thread::current().id()));
    std::os::unix::fs::symlink(library, &coming)?;
    std::fs::rename(coming, path)
}

#[cfg(not(unix))]
fn place(library: &Path, path: &Path) -> std::io::Result<()> {
    std::fs::copy(library, path).map(|_| ())
}

fn channel(number: u8) -> Result<MidiChannel> {
    MidiChannel::from_index(number).with_context(|| format!("MIDI has no channel {number}"))
}

/// The event that the plugin plays; `None` for one that is not heard.
///
/// # Errors
/// When it plays something that is neither a note nor a controller.
fn read(event: &OutputEvent, block: &Block<'_>) -> Result<Option<Event>> {
    let kind = match event.data {
        PluginEventData::NoteOn { channel, pitch, velocity, .. } => Kind::NoteOn {
            channel: u8::try_from(channel)?,
            key: u8::try_from(pitch)?,
            velocity: (velocity * 127.0).round() as u8,
        },
        PluginEventData::NoteOff { channel, pitch, .. } => {
            Kind::NoteOff { channel: u8::try_from(channel)?, key: u8::try_from(pitch)? }
        }
        PluginEventData::LegacyMidiCcOut { control_number, channel, value, .. } => {
            Kind::Controller { channel: u8::try_from(channel)?, number: control_number, value }
        }
        ref other => bail!("the plugin plays {other:?}, which is no note"),
    };
    let offset = u64::try_from(event.sample_offset).context("the plugin plays before its block")?;
    Ok(Some(Event { at: block.start + offset, kind }))
}
