//! The saved state of this framework's CLAP plugins: an 8-byte little-endian length, then JSON.

use anyhow::{Context, Result};
use serde_json::Value;

const LENGTH_BYTES: usize = 8;

/// The state with another text in one of its persisted fields.
///
/// # Errors
/// When `state` is of another kind.
pub fn with_field(state: &[u8], field: &str, text: &str) -> Result<Vec<u8>> {
    let json = state.get(LENGTH_BYTES..).context("the plugin's state is too short")?;
    let mut state: Value = serde_json::from_slice(json).context("the plugin's state is not JSON")?;
    // A field is JSON within the JSON.
    state["fields"][field] = serde_json::to_string(text)?.into();
    let json = serde_json::to_vec(&state)?;
    let length = u64::try_from(json.len()).context("a state has a length")?;
    Ok([&length.to_le_bytes()[..], &json].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_field_changes() -> Result<()> {
        let json = br#"{"fields":{"a":"\"old\""},"version":"1"}"#;
        let state = [&(json.len() as u64).to_le_bytes()[..], json].concat();
        let changed = with_field(&state, "a", "x")?;
        assert_eq!(&changed[LENGTH_BYTES..], br#"{"fields":{"a":"\"x\""},"version":"1"}"#);
        assert_eq!(changed[0] as usize, changed.len() - LENGTH_BYTES);
        assert!(with_field(&changed[..4], "a", "x").is_err());
        Ok(())
    }
}
