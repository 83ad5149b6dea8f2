//! The window: what was played, what is about to be played, who has the floor, and a control for every parameter.
//!
//! Modules in reading order: what is shown ([`view`]), its colours, the parts of the window, the controls,
//! and the window itself.

mod view;

mod style;

mod keyboard;
mod notifications;
mod piano_roll;
mod toolbars;
mod turn;

mod binding;
mod control_input;
mod controls;
mod widgets;

mod observer;
mod tasks;
mod window;

#[cfg(test)]
mod tests;

use std::{error::Error, sync::Arc};

use egui::{Context, Ui, Vec2, vec2};
use nice_plug::{
    context::gui::GuiContext,
    editor::{
        Editor, HostMethods, ParentWindowHandle, ResizeHint, SizeConstraints, SpawnedEditor,
        dpi::{LogicalSize, NativeSize},
    },
    plugin::TrackInfo,
};
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier,
    baseview::{HandlerError, WindowSize},
    create_egui_editor,
};
use parking_lot::Mutex;

use self::window::{SMALLEST_SIZE, USUAL_SIZE, Window};
use crate::{instance::Instance, params::AntiphonParams};

/// Sizes that differ by less than this count as the same, in points.
const SAME: f32 = 1.0;

/// The editor of one instance, as the framework wants it. It opens in the size that the project was saved
/// with: the library's editor keeps its size private, so a new one replaces it where the project has another
/// size. The host opens and closes it.
pub struct SizedEditor {
    params: Arc<AntiphonParams>,
    content: Content,
    /// The lock is released before the editor is used: a host may ask for the size while it opens the window.
    inner: Mutex<Arc<Inner>>,
}

/// The library's editor, and the size that it opens with.
struct Inner {
    editor: EguiEditor<Content>,
    state: Arc<EguiEditorState>,
}

impl SizedEditor {
    pub fn new(instance: Instance) -> Option<Self> {
        let (params, window) = (instance.params.clone(), Window::new(instance));
        let content = Content { window: Arc::new(Mutex::new(window)), params: params.clone() };
        let inner = Mutex::new(Arc::new(Inner::new(USUAL_SIZE, &content)?));
        Some(Self { params, content, inner })
    }

    /// The library's editor. Unless it is open, it is first replaced where the project has another size.
    fn inner(&self) -> Arc<Inner> {
        let mut inner = self.inner.lock();
        if let Some([width, height]) = self.params.window_size.get() {
            let wanted = vec2(width as f32, height as f32).max(SMALLEST_SIZE);
            let now = inner.state.logical_size();
            let is_other = (wanted - vec2(now.width, now.height)).abs().max_elem() >= SAME;
            if is_other
                && !inner.state.is_open()
                && let Some(other) = Inner::new(wanted, &self.content)
            {
                *inner = Arc::new(other);
            }
        }
        inner.clone()
    }
}

impl Inner {
    fn new(size: Vec2, content: &Content) -> Option<Self> {
        let state = EguiEditorState::from_size(LogicalSize::new(size.x, size.y), 1.0);
        let hint = ResizeHint {
            size_constraints: SizeConstraints::Logical {
                min_size: Some(LogicalSize::new(SMALLEST_SIZE.x, SMALLEST_SIZE.y)),
                max_size: None,
            },
            ..ResizeHint::RESIZABLE
        };
        let settings = EguiNiceSettings::new().with_tile("Antiphon").with_resize_hint(hint);
        let editor = create_egui_editor(state.clone(), RepaintNotifier::new(), settings, content.clone())?;
        Some(Self { editor, state })
    }
}

impl Editor for SizedEditor {
    type Handle = EguiEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn Error>> {
        self.inner().editor.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host)
    }

    fn size(&self) -> NativeSize<u32> {
        self.inner().editor.size()
    }

    fn resize_hint(&self) -> ResizeHint {
        self.inner().editor.resize_hint()
    }

    fn track_info_updated(&self, info: TrackInfo) {
        self.inner().editor.track_info_updated(info);
    }

    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: by the caller's promise.
        unsafe { self.inner().editor.assume_standalone_in_process() };
    }
}

/// The window's content. It lives as long as the plugin, whichever editor shows it.
#[derive(Clone)]
struct Content {
    window: Arc<Mutex<Window>>,
    params: Arc<AntiphonParams>,
}

impl NiceEguiApp for Content {
    fn build(&mut self, context: Context, host: GuiContext, frame: &mut Frame) -> Result<(), HandlerError> {
        self.window.lock().build(context, host, frame)
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut Frame) {
        self.window.lock().ui(ui, frame);
    }

    fn resized(&mut self, size: WindowSize) {
        self.params
            .window_size
            .put([size.logical.width, size.logical.height].map(|side| side.round() as u32));
    }
}
