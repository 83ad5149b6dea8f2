//! What programs read is what docs/json.md says.

use std::collections::BTreeSet;

use serde_json::Value;

const PAGE: &str = include_str!("../../docs/json.md");

/// Asserts that the section of a command names the keys that are printed and no others.
pub fn assert_documented(command: &str, printed: &Value) {
    let begins = format!("## `{command}`\n");
    let (_, section) = PAGE.split_once(&begins).expect("each command has a section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut keys = BTreeSet::new();
    collect(printed, &mut keys);
    let (mut rows, mut named) = (BTreeSet::new(), BTreeSet::new());
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let (head, told) = row[2..].split_once('|').expect("two columns");
        rows.extend(code(head));
        named.extend(code(told));
    }
    let untold: Vec<_> = keys.iter().filter(|key| !rows.contains(*key) && !named.contains(*key)).collect();
    assert!(untold.is_empty(), "{command}: docs/json.md does not tell of {untold:?}");
    let gone: Vec<_> = rows.difference(&keys).collect();
    assert!(gone.is_empty(), "{command}: {gone:?} of docs/json.md are not printed");
}

/// What stands between backticks.
fn code(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned)
}

fn collect(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                keys.insert(key.clone());
                collect(value, keys);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, keys)),
        _ => {}
    }
}
