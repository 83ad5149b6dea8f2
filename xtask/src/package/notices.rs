//! The licenses of third-party packages that the plugin is built from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// The package whose dependencies are listed.
const PACKAGE: &str = "antiphon";
/// Beginnings of the names of license files.
const WORDS: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];

/// The part of cargo's metadata that is needed here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    manifest_path: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(Deserialize)]
struct Kind {
    /// `None` for a linked dependency; otherwise it is for builds or tests.
    kind: Option<String>,
}

/// The name, version and license of every linked package, and the text of each license once.
///
/// # Errors
/// When cargo does not tell.
pub fn collect() -> Result<String> {
    let told = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &platform()?])
        .output()
        .context("cargo does not start")?;
    ensure!(told.status.success(), "cargo tells nothing: {}", String::from_utf8_lossy(&told.stderr));
    written(&serde_json::from_slice(&told.stdout).context("cargo tells JSON")?)
}

/// The target triple, as rustc names it.
fn platform() -> Result<String> {
    let told = Command::new("rustc").arg("-vV").output().context("rustc does not start")?;
    let told = String::from_utf8(told.stdout)?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names its host")?.to_owned())
}

fn written(metadata: &Metadata) -> Result<String> {
    let linked = linked(metadata)?;
    let mut text = String::from("Antiphon is built of these packages. Their terms follow.\n\n");
    // Packages with the same license text are listed together.
    let mut terms: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in metadata.packages.iter().filter(|package| linked.contains(package.id.as_str())) {
        let license = package.license.as_deref().unwrap_or("see its own text");
        let name = format!("{} {}", package.name, package.version);
        writeln!(text, "{name}: {license}")?;
        for words in texts(Path::new(&package.manifest_path)) {
            terms.entry(words).or_default().push(name.clone());
        }
    }
    for (words, names) in terms {
        writeln!(text, "\n{}\n{}\n\n{}", "=".repeat(72), names.join(", "), words.trim())?;
    }
    Ok(text)
}

/// All packages that are linked into the plugin, except the plugin itself.
fn linked(metadata: &Metadata) -> Result<BTreeSet<&str>> {
    let nodes: BTreeMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let own = metadata.packages.iter().find(|package| package.name == PACKAGE);
    let own = own.with_context(|| format!("the workspace has a package {PACKAGE}"))?.id.as_str();
    let mut linked = BTreeSet::new();
    let mut open = vec![own];
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(id) else { continue };
        for dependency in &node.deps {
            let is_linked = dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
            if is_linked && linked.insert(dependency.pkg.as_str()) {
                open.push(&dependency.pkg);
            }
        }
    }
    Ok(linked)
}

/// The license texts beside a package's manifest.
fn texts(manifest: &Path) -> BTreeSet<String> {
    let entries = manifest.parent().and_then(|folder| folder.read_dir().ok());
    let files = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let are_terms = |path: &std::path::PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default();
        WORDS.iter().any(|word| name.starts_with(word))
    };
    files.filter(are_terms).filter_map(|path| fs::read_to_string(path).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tests::Folder;

    #[test]
    fn what_is_linked_is_named_with_its_terms_and_what_only_builds_is_not() -> Result<()> {
        let folder = Folder::new("notices");
        folder.write("LICENSE-MIT", b"Do as you like.");
        let manifest = folder.join("Cargo.toml");
        let package = |name: &str| {
            serde_json::json!({
                "id": name, "name": name, "version": "1.0.0", "license": "MIT", "manifest_path": manifest
            })
        };
        let to = |name: &str, kind: Option<&str>| serde_json::json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let node = |id: &str, deps: &[serde_json::Value]| serde_json::json!({ "id": id, "deps": deps });
        let packages = ["antiphon", "linked", "deeper", "builds"].map(package);
        let metadata = serde_json::json!({
            "packages": packages,
            "resolve": { "nodes": [
                node("antiphon", &[to("linked", None), to("builds", Some("build"))]),
                node("linked", &[to("deeper", None)]),
                node("deeper", &[]),
                node("builds", &[]),
            ]},
        });
        let text = written(&serde_json::from_value(metadata)?)?;
        assert!(text.contains("linked 1.0.0: MIT") && text.contains("deeper 1.0.0: MIT"), "{text}");
        assert!(!text.contains("builds") && !text.contains("antiphon 1.0.0"), "{text}");
        assert_eq!(text.matches("Do as you like.").count(), 1, "the same words stand there once");
        Ok(())
    }
}
