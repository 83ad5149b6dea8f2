//! What takes longer than a frame: files are chosen, read and written by threads of their own, and the window asks
//! each frame whether one is back.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use egui::Context;

use super::view::{Notice, Tone};
use crate::{instance::Instance, take::Saved};

/// The endings of model files.
const MODEL_FILES: [&str; 2] = ["antiphon", "safetensors"];

/// The errands of one window.
pub struct Errands {
    sender: Sender<Return>,
    returns: Receiver<Return>,
}

/// What an errand comes back with.
pub struct Return {
    pub notice: Notice,
    /// The file that was written.
    pub path: Option<PathBuf>,
}

impl Errands {
    pub fn new() -> Self {
        let (sender, returns) = channel();
        Self { sender, returns }
    }

    /// The next one that is back.
    pub fn next_return(&self) -> Option<Return> {
        self.returns.try_recv().ok()
    }

    /// Writes a MIDI file.
    pub fn save(&self, context: &Context, instance: Instance, what: Saved) {
        self.send("antiphon save", context, move || {
            Some(match instance.save(what) {
                Ok(path) => {
                    let sentence = format!("Saved {}", path.display());
                    Return { notice: Notice { tone: Tone::Done, sentence }, path: Some(path) }
                }
                Err(error) => trouble(error.to_string()),
            })
        });
    }

    /// Lets the player choose a model file, and reads it.
    pub fn choose_model(&self, context: &Context, instance: Instance) {
        // The dialog is made here, on the thread of windows, as one platform wants it, and waited for elsewhere.
        let dialog = rfd::AsyncFileDialog::new()
            .set_title("Choose a model")
            .add_filter("Models", &MODEL_FILES)
            .pick_file();
        self.send("antiphon dialog", context, move || {
            let file = pollster::block_on(dialog)?;
            Some(loaded(&instance, file.path()))
        });
    }

    /// Has the system show a folder.
    pub fn show(&self, context: &Context, folder: PathBuf) {
        self.send("antiphon folder", context, move || {
            let error = open::that_detached(&folder).err()?;
            let place = folder.display();
            Some(trouble(format!("The system does not show folders ({error}). The files are in {place}")))
        });
    }

    /// Reads a model file.
    pub fn load_model(&self, context: &Context, instance: Instance, path: PathBuf) {
        self.send("antiphon model", context, move || Some(loaded(&instance, &path)));
    }

    fn send(&self, name: &str, context: &Context, run: impl FnOnce() -> Option<Return> + Send + 'static) {
        let (back, context) = (self.sender.clone(), context.clone());
        let errand = move || {
            if let Some(news) = run() {
                // A window that is gone wants no news.
                let _ = back.send(news);
                context.request_repaint();
            }
        };
        if thread::Builder::new().name(name.to_owned()).spawn(errand).is_err() {
            let sentence = "The system has no thread to spare; close something and try again.".to_owned();
            let _ = self.sender.send(trouble(sentence));
        }
    }
}

fn loaded(instance: &Instance, path: &Path) -> Return {
    match instance.load_model(path) {
        Ok(name) => {
            let sentence = format!("{name} plays from now on, and the project remembers it");
            Return { notice: Notice { tone: Tone::Done, sentence }, path: None }
        }
        Err(sentence) => trouble(sentence),
    }
}

fn trouble(sentence: String) -> Return {
    Return { notice: Notice { tone: Tone::Trouble, sentence }, path: None }
}
