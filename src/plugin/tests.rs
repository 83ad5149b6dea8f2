//! Tests of what only shows where the plugin is called without a host.

use std::{
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use nice_plug::{
    context::process::SendEventError,
    midi::{Channel, Key, VoiceID},
};

use super::*;

const RATE: f32 = 48_000.0;
const BLOCKS: u32 = 200;
/// Timeout of a test, far longer than the blocks take.
const TOO_LONG: Duration = Duration::from_secs(10);

/// A host that plays a note in each block and hears nothing.
struct Room {
    transport: Transport,
    events: Vec<PluginNoteEvent<NoteEffectPlugin>>,
}

impl ActivateContext<NoteEffectPlugin> for Room {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }

    fn execute(&self, (): ()) {}

    fn set_latency_samples(&self, _: u32) {}

    fn set_current_voice_capacity(&self, _: u32) {}
}

impl ProcessContext<NoteEffectPlugin> for Room {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }

    fn execute_background(&self, (): ()) {}

    fn execute_gui(&self, (): ()) {}

    fn transport(&self) -> &Transport {
        &self.transport
    }

    fn next_event(&mut self) -> Option<PluginNoteEvent<NoteEffectPlugin>> {
        self.events.pop()
    }

    fn try_send_event(
        &mut self,
        _: PluginNoteEvent<NoteEffectPlugin>,
    ) -> Result<(), (PluginNoteEvent<NoteEffectPlugin>, SendEventError)> {
        Ok(())
    }

    fn set_latency_samples(&self, _: u32) {}

    fn request_restart(&self) {}

    fn set_current_voice_capacity(&self, _: u32) {}
}

/// The note-on and note-off of a key, in reverse order.
fn note() -> Vec<PluginNoteEvent<NoteEffectPlugin>> {
    let (voice_id, channel, key) = (VoiceID::Wildcard, Channel::Number(0), Key::Number(60));
    vec![
        NoteEvent::NoteOff { timing: 40, voice_id, channel, key, velocity: 0.5 },
        NoteEvent::NoteOn { timing: 3, voice_id, channel, key, velocity: 0.5 },
    ]
}

fn play(plugin: &mut NoteEffectPlugin, room: &mut Room) {
    for block in 0..BLOCKS {
        room.transport.playing = block % 50 < 40;
        room.events = note();
        let mut aux = AuxiliaryBuffers { inputs: &mut [], outputs: &mut [] };
        plugin.process(&mut Buffer::default(), &mut aux, room);
        if block % 20 == 0 {
            plugin.reset();
        }
    }
}

#[test]
fn while_all_that_can_be_locked_is_locked_the_audio_thread_plays_on() {
    let mut plugin = NoteEffectPlugin::default();
    let mut room = Room { transport: Transport::new(RATE), events: Vec::new() };
    let config = BufferConfig {
        sample_rate: RATE,
        min_buffer_size: None,
        max_buffer_size: 64,
        process_mode: ProcessMode::Realtime,
    };
    assert!(plugin.activate(&AudioIOLayout::default(), &config, &mut room));
    let instance = plugin.instance.clone();
    let status = instance.user_model.lock().status();
    let of_instance = (instance.recorder.lock(), instance.user_model.lock(), status.write());
    let locked = (of_instance, instance.params.model_file.path.write(), INSTANCES.lock());
    let (tell, told) = channel();
    thread::scope(|scope| {
        scope.spawn(|| {
            play(&mut plugin, &mut room);
            // The test may have given up.
            let _ = tell.send(());
        });
        let waited = told.recv_timeout(TOO_LONG);
        drop(locked);
        assert_ne!(waited, Err(RecvTimeoutError::Timeout), "the audio thread waits for a lock");
    });
}

#[test]
fn numbers_of_a_state_come_into_range_and_what_is_none_goes() {
    let mut state = crate::params::presets::Preset::named("Conversation").expect("a preset").state();
    let good = state.params.clone();
    sanitise(&mut state);
    let told = |params| format!("{params:?}");
    assert_eq!(told(&state.params), told(&good), "a good state stays as it is");
    state.params.insert("memory".to_owned(), ParamValue::I32(i32::MIN));
    state.params.insert("temperature".to_owned(), ParamValue::F32(f32::INFINITY));
    state.params.insert("silence".to_owned(), ParamValue::F32(f32::NAN));
    state.params.insert("mode".to_owned(), ParamValue::I32(99));
    sanitise(&mut state);
    assert!(matches!(state.params["memory"], ParamValue::I32(25)));
    assert!(matches!(state.params["temperature"], ParamValue::F32(2.0)));
    assert!(matches!(state.params["mode"], ParamValue::I32(3)));
    assert!(!state.params.contains_key("silence"));
}
