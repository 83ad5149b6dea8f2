//! The parameters as a hand on the window finds them: by identifier, to be read, and moved by the host's gestures.
//!
//! Every movement is a gesture (begin, set, end), so that automation is recorded and undo has one step.

use std::sync::Arc;

use nice_plug::{
    context::gui::GuiContext,
    params::{Params, internals::ParamPtr},
};

use super::groups::{PRESSED, PRESSED_SELDOM};
use crate::params::AntiphonParams;

/// All parameters of one instance. For the window's thread.
pub struct Board {
    places: Vec<Place>,
    host: GuiContext,
    /// A drag that goes on: it is ended before another begins.
    held: Option<usize>,
    /// Keeps alive what `places` point to.
    _params: Arc<AntiphonParams>,
}

struct Place {
    id: String,
    pointer: ParamPtr,
}

/// One parameter.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    board: &'a Board,
    index: usize,
}

impl Board {
    pub fn new(params: Arc<AntiphonParams>, host: GuiContext) -> Self {
        let places = params.param_map().into_iter().map(|(id, pointer, _)| Place { id, pointer }).collect();
        Self { places, host, held: None, _params: params }
    }

    /// The parameter with this identifier.
    pub fn control(&self, id: &str) -> Option<Control<'_>> {
        let index = self.places.iter().position(|place| place.id == id)?;
        Some(Control { board: self, index })
    }

    /// Every parameter, in the order in which hosts list them.
    pub fn controls(&self) -> impl Iterator<Item = Control<'_>> {
        (0..self.places.len()).map(|index| Control { board: self, index })
    }

    /// One whole gesture to a normalised value, 0..=1.
    pub fn set(&mut self, id: &str, normalised: f32) {
        self.grasp(id);
        self.drag(id, normalised);
        self.release();
    }

    /// One whole gesture to what the text means; false, and nothing moves, where it means nothing.
    pub fn set_text(&mut self, id: &str, text: &str) -> bool {
        let value = self.control(id).and_then(|control| control.read(text));
        if let Some(value) = value {
            self.set(id, value);
        }
        value.is_some()
    }

    /// One gesture for each parameter of this instance that is to have another value, 0..=1.
    pub fn apply(&mut self, values: &[(ParamPtr, f32)]) {
        for (pointer, value) in values {
            let moves = |place: &&Place| {
                // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
                place.pointer == *pointer && unsafe { pointer.unmodulated_normalized_value() } != *value
            };
            if let Some(id) = self.places.iter().find(moves).map(|place| place.id.clone()) {
                self.set(&id, *value);
            }
        }
    }

    /// Begins a drag.
    pub fn grasp(&mut self, id: &str) {
        self.release();
        self.held = self.places.iter().position(|place| place.id == id);
        if let Some(index) = self.held {
            // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
            unsafe { self.host.raw_begin_set_parameter(self.places[index].pointer) };
        }
    }

    /// Moves the parameter that is held; any other stays.
    pub fn drag(&mut self, id: &str, normalised: f32) {
        if let Some(index) = self.held.filter(|&index| self.places[index].id == id) {
            let value = normalised.clamp(0.0, 1.0);
            // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
            unsafe { self.host.raw_set_parameter_normalized(self.places[index].pointer, value) };
        }
    }

    /// Whether this parameter is held.
    pub fn holds(&self, id: &str) -> bool {
        self.held.is_some_and(|index| self.places[index].id == id)
    }

    /// Ends the drag, if there is one.
    pub fn release(&mut self) {
        if let Some(index) = self.held.take() {
            // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
            unsafe { self.host.raw_end_set_parameter(self.places[index].pointer) };
        }
    }
}

impl<'a> Control<'a> {
    fn pointer(self) -> ParamPtr {
        self.board.places[self.index].pointer
    }

    pub fn id(self) -> &'a str {
        &self.board.places[self.index].id
    }

    pub fn name(self) -> String {
        let pointer = self.pointer();
        // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
        unsafe { pointer.name() }.to_owned()
    }

    /// As the player set it, 0..=1, without what a host adds by modulation.
    pub fn value(self) -> f32 {
        // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
        unsafe { self.pointer().unmodulated_normalized_value() }
    }

    /// The default, 0..=1.
    pub fn default(self) -> f32 {
        // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
        unsafe { self.pointer().default_normalized_value() }
    }

    /// The value as a host shows it, with its unit.
    pub fn text(self) -> String {
        self.text_of(self.value())
    }

    /// What a host would show for a normalised value.
    pub fn text_of(self, normalised: f32) -> String {
        // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
        unsafe { self.pointer().normalized_value_to_string(normalised, true) }
    }

    /// The normalised value that a text means.
    pub fn read(self, text: &str) -> Option<f32> {
        let text = text.trim();
        // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
        let value = unsafe { self.pointer().string_to_normalized_value(text) };
        value.filter(|value| value.is_finite())
    }

    /// The value that is `steps` further up, or down where that is negative; a hundredth of the way each where the
    /// parameter has none, and less where it is to be `fine`.
    pub fn stepped(self, steps: i32, fine: bool) -> f32 {
        // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
        let step = |value: f32| unsafe {
            match steps {
                0.. => self.pointer().next_normalized_step(value, fine),
                _ => self.pointer().previous_normalized_step(value, fine),
            }
        };
        (0..steps.unsigned_abs()).fold(self.value(), |value, _| step(value))
    }

    /// How many choices there are, where they have names or are on and off.
    pub fn choices(self) -> Option<usize> {
        match self.pointer() {
            ParamPtr::EnumParam(_) | ParamPtr::BoolParam(_) => {
                // SAFETY: the pointer is one of this instance's parameters, which the board keeps alive.
                unsafe { self.pointer().step_count() }.map(|steps| steps + 1)
            }
            ParamPtr::FloatParam(_) | ParamPtr::IntParam(_) => None,
        }
    }

    /// Whether it is only on or off.
    pub fn is_switch(self) -> bool {
        matches!(self.pointer(), ParamPtr::BoolParam(_))
    }

    /// The choice of now, from 0.
    pub fn choice(self) -> usize {
        let last = self.choices().map_or(0, |choices| choices - 1);
        (self.value() * last as f32).round() as usize
    }

    /// The normalised value of a choice.
    pub fn value_of(self, choice: usize) -> f32 {
        let last = self.choices().map_or(1, |choices| (choices - 1).max(1));
        choice as f32 / last as f32
    }
}

/// A window that is closed in the middle of a gesture ends it.
impl Drop for Board {
    fn drop(&mut self) {
        self.release();
        for id in PRESSED.into_iter().chain(PRESSED_SELDOM) {
            if self.control(id).is_some_and(|control| control.value() > 0.5) {
                self.set(id, 0.0);
            }
        }
    }
}
