use std::{
    env,
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    fs,
};

use clap::Parser;

use super::*;
use crate::scratch::Folder;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(folder: &Folder, bundle: &Path) -> Arguments {
    let [bundle, output] = [bundle.to_owned(), folder.join("out")].map(|path| path.display().to_string());
    let words = ["demo", "--fast", "--model", "classic-25", "--bars", "8", "--bundle", &bundle];
    Line::try_parse_from(words.into_iter().chain(["--output", &output])).expect("a command").arguments
}

#[test]
fn a_given_bundle_is_played_wherever_it_lies() {
    let folder = Folder::new("demo-bundle");
    // Cargo has built the plugin's library beside this program.
    let library =
        env::current_exe().expect("a program").with_file_name(format!("{DLL_PREFIX}antiphon{DLL_SUFFIX}"));
    let bundle = folder.join("Elsewhere.clap");
    fs::copy(library, &bundle).expect("the library");
    run(&arguments(&folder, &bundle)).expect("it plays");
    assert!(folder.join("out/take.mid").exists() && folder.join("out/take.png").exists());
}

#[test]
fn a_bundle_that_is_none_is_told_in_a_sentence() {
    let folder = Folder::new("demo-no-bundle");
    let told = |bundle: &Path| format!("{:#}", run(&arguments(&folder, bundle)).expect_err("no bundle"));
    let missing = told(&folder.join("missing.clap"));
    assert!(missing.contains("missing.clap cannot be opened: give an Antiphon.clap"), "{missing}");
    folder.write("text.clap", b"no library");
    let text = told(&folder.join("text.clap"));
    assert!(text.contains("text.clap cannot be loaded as a CLAP plugin"), "{text}");
}
