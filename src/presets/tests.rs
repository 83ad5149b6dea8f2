use std::collections::HashSet;

use super::*;

fn with_each(params: &AntiphonParams, mut check: impl FnMut(&str, ParamPtr)) {
    for (id, param, _) in params.param_map() {
        check(&id, param);
    }
}

/// The identifier of the parameter of a name.
fn id_of(params: &AntiphonParams, wanted: &str) -> Option<String> {
    let mut found = None;
    with_each(params, |id, param| {
        // SAFETY: the parameters live as long as the check.
        if unsafe { param.name() } == wanted {
            found = Some(id.to_owned());
        }
    });
    found
}

#[test]
fn every_value_of_a_preset_is_one_that_its_parameter_shows() {
    let params = AntiphonParams::with_sound();
    for preset in PRESETS {
        for (name, text) in preset.values {
            let id = id_of(&params, name).unwrap_or_else(|| panic!("{}: no {name}", preset.name));
            assert!(!KEPT.contains(&id.as_str()), "{}: {name} is the player's", preset.name);
            with_each(&params, |other, param| {
                if id == other {
                    // SAFETY: the parameters live as long as the check.
                    let (value, shown) = unsafe {
                        let value = param.string_to_normalized_value(text);
                        let value = value.unwrap_or_else(|| panic!("{}: {name} {text}", preset.name));
                        (value, param.normalized_value_to_string(value, true))
                    };
                    // A host may show fewer or more digits, but reads back the same.
                    // SAFETY: the parameters live as long as the check.
                    let again = unsafe { param.string_to_normalized_value(&shown) };
                    assert!(
                        again.is_some_and(|again| (again - value).abs() < 1e-3),
                        "{name} {text}: {shown}"
                    );
                }
            });
        }
    }
}

#[test]
fn presets_differ_in_name_purpose_and_settings() {
    let params = AntiphonParams::with_sound();
    let values = |preset: &Preset| {
        let values = preset.values(&params).into_iter().map(|(_, value)| value.to_bits());
        values.collect::<Vec<_>>()
    };
    assert_eq!(PRESETS.iter().map(|preset| preset.name).collect::<HashSet<_>>().len(), PRESETS.len());
    assert_eq!(PRESETS.iter().map(|preset| preset.purpose).collect::<HashSet<_>>().len(), PRESETS.len());
    assert_eq!(PRESETS.iter().map(values).collect::<HashSet<_>>().len(), PRESETS.len());
    assert!(PRESETS.iter().all(|preset| preset.purpose.ends_with('.') && preset.purpose.len() < 100));
}

#[test]
fn a_preset_leaves_alone_where_the_plugin_is_plugged_in() {
    let params = AntiphonParams::with_sound();
    let mut kept = HashSet::new();
    with_each(&params, |id, param| {
        let touched = PRESETS[0].values(&params).iter().any(|(other, _)| *other == param);
        assert_eq!(touched, !KEPT.contains(&id), "{id}");
        if !touched {
            kept.insert(id.to_owned());
        }
    });
    assert_eq!(kept.len(), KEPT.len(), "every identifier that is kept is one");
}

#[test]
fn the_state_of_a_preset_holds_what_its_table_says() {
    let preset = Preset::named("trading fours").expect("a preset");
    let state = serde_json::to_value(preset.state()).expect("JSON");
    assert_eq!(state["params"]["mode"], serde_json::json!({ "i32": 1 }));
    assert_eq!(state["params"]["trade-bars"], serde_json::json!({ "i32": 4 }));
    assert_eq!(state["params"]["seed"], serde_json::Value::Null);
}

#[test]
fn a_page_tells_what_every_preset_is_good_for() {
    let page = include_str!("../../docs/parameters.md");
    for Preset { name, purpose, .. } in PRESETS {
        assert!(page.contains(&format!("| {name} | {purpose} |")), "{name}");
    }
}
