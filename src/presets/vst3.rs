//! A preset as a file that VST3 hosts read.

use super::Preset;

/// Magic, version, class identifier, and where the list of chunks begins.
const HEADER_BYTES: i64 = 4 + 4 + 32 + 8;
const VERSION: i32 = 1;

impl Preset {
    /// The bytes of a `.vstpreset` for the plugin of a class, which hosts offer from their folder of presets. What the
    /// preset does not set stays as it is when a host loads it.
    ///
    /// The format: *Preset Format* in Steinberg's VST 3 technical documentation. Its one chunk is the component's state.
    pub fn vstpreset(&self, class: [u8; 16]) -> Vec<u8> {
        let state = serde_json::to_vec(&self.state()).expect("numbers and texts are JSON");
        let length = state.len() as i64;
        let class: String = class.iter().map(|byte| format!("{byte:02X}")).collect();
        let list_at = HEADER_BYTES + length;
        [
            b"VST3",
            &VERSION.to_le_bytes()[..],
            class.as_bytes(),
            &list_at.to_le_bytes(),
            &state,
            b"List",
            &1i32.to_le_bytes(),
            b"Comp",
            &HEADER_BYTES.to_le_bytes(),
            &length.to_le_bytes(),
        ]
        .concat()
    }
}
