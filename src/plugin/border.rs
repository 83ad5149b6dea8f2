//! The border to saved states: they may say anything, and the framework takes numbers as they are.

use nice_plug::{params::internals::ParamPtr, plugin::ParamValue, prelude::*};

use crate::params::AntiphonParams;

/// Brings every number of a state into the range of its parameter, and takes out those that are none. What the framework
/// does not understand it leaves as it was. Allocates; main thread.
pub fn tame(state: &mut PluginState) {
    let params = AntiphonParams::with_sound();
    for (id, param, _) in params.param_map() {
        // SAFETY: the parameters live until the end of this function.
        let [low, high] = unsafe { [0.0, 1.0].map(|end| param.preview_plain(end)) };
        let is_number = match (param, state.params.get_mut(&id)) {
            (ParamPtr::FloatParam(_), Some(ParamValue::F32(value))) => {
                *value = value.clamp(low, high);
                !value.is_nan()
            }
            (ParamPtr::IntParam(_) | ParamPtr::EnumParam(_), Some(ParamValue::I32(value))) => {
                *value = (*value).clamp(low as i32, high as i32);
                true
            }
            _ => true,
        };
        if !is_number {
            state.params.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_state_come_into_range_and_what_is_none_goes() {
        let mut state = crate::presets::Preset::named("Conversation").expect("a preset").state();
        let good = state.params.clone();
        tame(&mut state);
        let told = |params| format!("{params:?}");
        assert_eq!(told(&state.params), told(&good), "a good state stays as it is");
        state.params.insert("memory".to_owned(), ParamValue::I32(i32::MIN));
        state.params.insert("temperature".to_owned(), ParamValue::F32(f32::INFINITY));
        state.params.insert("silence".to_owned(), ParamValue::F32(f32::NAN));
        state.params.insert("mode".to_owned(), ParamValue::I32(99));
        tame(&mut state);
        assert!(matches!(state.params["memory"], ParamValue::I32(25)));
        assert!(matches!(state.params["temperature"], ParamValue::F32(2.0)));
        assert!(matches!(state.params["mode"], ParamValue::I32(3)));
        assert!(!state.params.contains_key("silence"));
    }
}
