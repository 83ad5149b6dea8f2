//! Parameter bindings: the window finds the parameters by identifier, reads them, and moves them by gestures
//! of the host.
//!
//! Every movement is a gesture (begin, set, end), so that automation is recorded and undo has one step.

use std::sync::Arc;

use nice_plug::{
    context::gui::GuiContext,
    params::{Params, internals::ParamPtr},
};

use crate::params::AntiphonParams;

/// The momentary parameters: those that are pressed while music plays, and below those that seldom are.
pub const PRESSED: [&str; 2] = ["re-roll", "panic"];
pub const PRESSED_SELDOM: [&str; 2] = ["clear-memory", "reset-seed"];

/// All parameters of one instance. For the window's thread only.
pub struct Bindings {
    bound: Vec<Bound>,
    host: GuiContext,
    /// The parameter that is being dragged. Its drag is ended before another begins.
    dragged: Option<usize>,
    /// Keeps the parameters alive that `bound` points to.
    _params: Arc<AntiphonParams>,
}

struct Bound {
    id: String,
    pointer: ParamPtr,
}

/// One parameter.
#[derive(Clone, Copy)]
pub struct Control<'a> {
    bindings: &'a Bindings,
    index: usize,
}

impl Bindings {
    pub fn new(params: Arc<AntiphonParams>, host: GuiContext) -> Self {
        let bound = params.param_map().into_iter().map(|(id, pointer, _)| Bound { id, pointer }).collect();
        Self { bound, host, dragged: None, _params: params }
    }

    /// The parameter with this identifier.
    pub fn control(&self, id: &str) -> Option<Control<'_>> {
        let index = self.bound.iter().position(|bound| bound.id == id)?;
        Some(Control { bindings: self, index })
    }

    /// Whether the parameter has the value that hosts show as this text.
    pub fn shows(&self, id: &str, text: &str) -> bool {
        self.control(id).is_some_and(|control| control.text() == text)
    }

    /// Every parameter, in the order in which hosts list them.
    #[cfg(test)]
    pub fn controls(&self) -> impl Iterator<Item = Control<'_>> {
        (0..self.bound.len()).map(|index| Control { bindings: self, index })
    }

    /// One whole gesture to a normalised value, 0..=1.
    pub fn set(&mut self, id: &str, normalised: f32) {
        self.begin_drag(id);
        self.drag(id, normalised);
        self.end_drag();
    }

    /// One whole gesture to the value that the text means. Returns false, and moves nothing, where it means
    /// no value.
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
            let moves = |bound: &&Bound| {
                // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
                bound.pointer == *pointer && unsafe { pointer.unmodulated_normalized_value() } != *value
            };
            if let Some(id) = self.bound.iter().find(moves).map(|bound| bound.id.clone()) {
                self.set(&id, *value);
            }
        }
    }

    /// Begins a drag.
    pub fn begin_drag(&mut self, id: &str) {
        self.end_drag();
        self.dragged = self.bound.iter().position(|bound| bound.id == id);
        if let Some(index) = self.dragged {
            // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
            unsafe { self.host.raw_begin_set_parameter(self.bound[index].pointer) };
        }
    }

    /// Moves the parameter if it is the one being dragged; any other stays.
    pub fn drag(&mut self, id: &str, normalised: f32) {
        if let Some(index) = self.dragged.filter(|&index| self.bound[index].id == id) {
            let value = normalised.clamp(0.0, 1.0);
            // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
            unsafe { self.host.raw_set_parameter_normalized(self.bound[index].pointer, value) };
        }
    }

    /// Whether this parameter is dragged.
    pub fn is_dragged(&self, id: &str) -> bool {
        self.dragged.is_some_and(|index| self.bound[index].id == id)
    }

    /// Ends the drag, if there is one.
    pub fn end_drag(&mut self) {
        if let Some(index) = self.dragged.take() {
            // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
            unsafe { self.host.raw_end_set_parameter(self.bound[index].pointer) };
        }
    }
}

impl<'a> Control<'a> {
    fn pointer(self) -> ParamPtr {
        self.bindings.bound[self.index].pointer
    }

    #[cfg(test)]
    pub fn id(self) -> &'a str {
        &self.bindings.bound[self.index].id
    }

    pub fn name(self) -> String {
        let pointer = self.pointer();
        // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
        unsafe { pointer.name() }.to_owned()
    }

    /// As the player set it, 0..=1, without what a host adds by modulation.
    pub fn value(self) -> f32 {
        // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
        unsafe { self.pointer().unmodulated_normalized_value() }
    }

    /// The default, 0..=1.
    pub fn default(self) -> f32 {
        // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
        unsafe { self.pointer().default_normalized_value() }
    }

    /// The value as a host shows it, with its unit.
    pub fn text(self) -> String {
        self.text_of(self.value())
    }

    /// What a host would show for a normalised value.
    pub fn text_of(self, normalised: f32) -> String {
        // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
        unsafe { self.pointer().normalized_value_to_string(normalised, true) }
    }

    /// The normalised value that a text means.
    pub fn read(self, text: &str) -> Option<f32> {
        let text = text.trim();
        // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
        let value = unsafe { self.pointer().string_to_normalized_value(text) };
        value.filter(|value| value.is_finite())
    }

    /// The value that is `steps` further up, or down where `steps` is negative. A parameter without steps
    /// moves by a hundredth of its range for each; with `fine`, by less.
    pub fn stepped(self, steps: i32, fine: bool) -> f32 {
        // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
        let step = |value: f32| unsafe {
            match steps {
                0.. => self.pointer().next_normalized_step(value, fine),
                _ => self.pointer().previous_normalized_step(value, fine),
            }
        };
        (0..steps.unsigned_abs()).fold(self.value(), |value, _| step(value))
    }

    /// The number of choices, where the parameter has named choices or is on and off.
    pub fn choices(self) -> Option<usize> {
        match self.pointer() {
            ParamPtr::EnumParam(_) | ParamPtr::BoolParam(_) => {
                // SAFETY: the pointer is one of this instance's parameters, which the bindings keep alive.
                unsafe { self.pointer().step_count() }.map(|steps| steps + 1)
            }
            ParamPtr::FloatParam(_) | ParamPtr::IntParam(_) => None,
        }
    }

    /// Whether it is only on or off.
    pub fn is_switch(self) -> bool {
        matches!(self.pointer(), ParamPtr::BoolParam(_))
    }

    /// The current choice, from 0.
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
impl Drop for Bindings {
    fn drop(&mut self) {
        self.end_drag();
        for id in PRESSED.into_iter().chain(PRESSED_SELDOM) {
            if self.control(id).is_some_and(|control| control.value() > 0.5) {
                self.set(id, 0.0);
            }
        }
    }
}
