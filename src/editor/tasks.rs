//! Background tasks, for what takes longer than a frame: files are chosen, read and written on threads of
//! their own. The window asks in each frame whether one is done.

use std::{
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
};

use egui::Context;

use super::view::{Notice, Tone};
use crate::{instance::Instance, model::personal, take::Saved};

/// The endings of model files.
const MODEL_FILES: [&str; 2] = [personal::ENDING, "safetensors"];

/// The tasks of one window.
pub struct Tasks {
    sender: Sender<Finished>,
    finished: Receiver<Finished>,
}

/// The result of a task.
pub struct Finished {
    pub notice: Notice,
    /// The file that was written.
    pub path: Option<PathBuf>,
}

impl Tasks {
    pub fn new() -> Self {
        let (sender, finished) = channel();
        Self { sender, finished }
    }

    /// The next finished task, if any.
    pub fn next_finished(&self) -> Option<Finished> {
        self.finished.try_recv().ok()
    }

    /// Writes a MIDI file on a thread of its own.
    pub fn save(&self, context: &Context, instance: Instance, what: Saved) {
        self.send("antiphon save", context, move || {
            Some(match instance.save(what) {
                Ok(path) => {
                    let sentence = format!("Saved {}", path.display());
                    Finished { notice: Notice { tone: Tone::Done, sentence }, path: Some(path) }
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

    /// Writes the file of the personal model that was learnt, and reads it.
    pub fn keep_learnt(&self, context: &Context, instance: Instance) {
        self.send("antiphon model", context, move || {
            Some(match instance.keep_learnt() {
                Ok(path) => Finished { path: Some(path.clone()), ..loaded(&instance, &path) },
                Err(sentence) => trouble(sentence),
            })
        });
    }

    fn send(&self, name: &str, context: &Context, run: impl FnOnce() -> Option<Finished> + Send + 'static) {
        let (back, context) = (self.sender.clone(), context.clone());
        let task = move || {
            if let Some(finished) = run() {
                // The window may be closed by now: then nobody reads the result.
                let _ = back.send(finished);
                context.request_repaint();
            }
        };
        if thread::Builder::new().name(name.to_owned()).spawn(task).is_err() {
            let sentence = "The system has no thread to spare; close something and try again.".to_owned();
            let _ = self.sender.send(trouble(sentence));
        }
    }
}

fn loaded(instance: &Instance, path: &Path) -> Finished {
    match instance.load_model(path) {
        Ok(name) => {
            let sentence = format!("{name} plays from now on, and the project remembers it");
            Finished { notice: Notice { tone: Tone::Done, sentence }, path: None }
        }
        Err(sentence) => trouble(sentence),
    }
}

fn trouble(sentence: String) -> Finished {
    Finished { notice: Notice { tone: Tone::Trouble, sentence }, path: None }
}
