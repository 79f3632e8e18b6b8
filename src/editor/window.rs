//! The window: a fresh egui window per opening, at the size that the state remembers.

use super::link::{EditorSize, Link};
use super::theme::{self, Theme};
use super::{Panel, ParamSink};
use glow::HasContext;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{
    Editor, HostMethods, ParentWindowHandle, ResizeHint, SizeConstraints, SpawnedEditor,
};
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, Frame, GraphicsConfig,
    NiceEguiApp, create_egui_editor,
};
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// How often the window looks whether it is to be drawn anew: a sleeping one does nothing else.
const POLL: Duration = Duration::from_millis(33);

/// Makes the way to the host's parameters for one opening of the window.
pub type SinkMaker = Arc<dyn Fn(GuiContext) -> Box<dyn ParamSink + Send> + Send + Sync>;

/// The plugin's editor as the host sees it; it lives as long as the instance.
pub struct ZgEditor {
    link: Arc<Link>,
    sink_maker: SinkMaker,
    open: Mutex<Weak<EguiEditorState>>,
}

impl ZgEditor {
    /// An editor for the instance behind `link`.
    pub fn new(link: Arc<Link>, sink_maker: SinkMaker) -> ZgEditor {
        ZgEditor {
            link,
            sink_maker,
            open: Mutex::new(Weak::new()),
        }
    }

    /// The window's size in logical points of the host: the editor's by the zoom.
    fn logical_size(&self) -> LogicalSize<f32> {
        let size = self.link.size();
        LogicalSize {
            width: size.width * size.look.zoom,
            height: size.height * size.look.zoom,
        }
    }
}

/// `EguiEditorState` has no setter for its size and no way into the state, so each opening gets its own.
impl Editor for ZgEditor {
    type Handle = EguiEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn Error>> {
        let size = self.link.size();
        let points = LogicalSize {
            width: size.width,
            height: size.height,
        };
        // egui's window multiplies by the zoom itself.
        let state = EguiEditorState::from_size(points, size.look.zoom);
        let app = App {
            panel: Panel::new(self.link.clone()),
            link: self.link.clone(),
            sink_maker: self.sink_maker.clone(),
            sink: None,
        };
        let settings = EguiNiceSettings::new()
            .with_tile("Zeitgeber")
            .with_resize_hint(self.resize_hint())
            .with_repaint_poll_interval(POLL)
            .with_graphics_config(GraphicsConfig {
                // There are no wide gradients, and a processor that draws pays for it at every pixel.
                dithering: false,
                ..GraphicsConfig::default()
            });
        let editor: EguiEditor<App> =
            create_egui_editor(state.clone(), self.link.notifier(), settings, app)
                .ok_or("egui gave no editor")?;
        let spawned = editor
            .spawn(
                parent,
                wait_for_parent,
                fallback_scale_factor,
                gui_context,
                host,
            )
            .inspect_err(|error| {
                self.link
                    .messages
                    .post(format!("the editor's window could not be opened: {error}"));
            })?;
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&state);
        Ok(spawned)
    }

    fn size(&self) -> NativeSize<u32> {
        let open = self
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .upgrade();
        match open.filter(|state| state.is_open()) {
            Some(state) => {
                // The host's logical points are the editor's by the zoom.
                let points = state.logical_size().cast::<f64>();
                let zoom = f64::from(self.link.look().zoom);
                let logical = LogicalSize {
                    width: points.width * zoom,
                    height: points.height * zoom,
                };
                NativeSize::from_logical_or_physical(logical, state.physical_size())
            }
            None => NativeSize::from_size(self.logical_size().into(), 1.0),
        }
    }

    fn resize_hint(&self) -> ResizeHint {
        let zoom = self.link.look().zoom;
        let size = |size: EditorSize| {
            Some(LogicalSize {
                width: size.width * zoom,
                height: size.height * zoom,
            })
        };
        ResizeHint {
            size_constraints: SizeConstraints::Logical {
                min_size: size(EditorSize::MIN),
                max_size: size(EditorSize::MAX),
            },
            ..ResizeHint::RESIZABLE
        }
    }
}

/// One opening of the window.
struct App {
    panel: Panel,
    link: Arc<Link>,
    sink_maker: SinkMaker,
    sink: Option<Box<dyn ParamSink + Send>>,
}

impl NiceEguiApp for App {
    fn build(
        &mut self,
        egui_ctx: egui::Context,
        gui_context: GuiContext,
        frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        if draws_in_software(frame) {
            self.panel.slow_down();
        }
        // Before the first frame: fonts that come later are laid out twice.
        theme::dress(&egui_ctx, !self.link.look().light);
        self.sink = Some((self.sink_maker)(gui_context));
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut Frame) {
        // The whole window is cleared anyway: then to its ground, which is not painted once more. What is cleared to is
        // taken as it is, without a curve.
        let theme = if self.link.look().light {
            Theme::LIGHT
        } else {
            Theme::DARK
        };
        let [red, green, blue, _] = theme.ground.to_array().map(|part| f32::from(part) / 255.0);
        frame.set_clear_color(egui::Rgba::from_rgb(red, green, blue));
        self.panel.is_cleared();
        if let Some(sink) = &self.sink {
            // What came from outside while no window could tell the host.
            for (id, value) in self.link.control.take_for_host() {
                sink.begin(id);
                sink.set(id, value);
                sink.end(id);
            }
            self.panel.ui(ui, sink.as_ref());
        }
        // egui resizes the window where its zoom has changed.
        let zoom = self.link.look().zoom;
        if ui.ctx().zoom_factor() != zoom {
            ui.ctx().set_zoom_factor(zoom);
        }
    }

    fn resized(&mut self, size: WindowSize) {
        // In points of the editor: egui's window has divided by the zoom.
        let (width, height) = (size.logical.width as f32, size.logical.height as f32);
        self.link.set_points(width, height);
    }
}

/// Whether OpenGL is drawn by the processor: Mesa's and Google's renderers say so in their names.
fn draws_in_software(frame: &Frame) -> bool {
    let Some(context) = frame.baseview_window().gl_context() else {
        return false;
    };
    // SAFETY: the context is the window's own, on the thread that draws it, and is let go again as after each frame.
    let renderer = unsafe {
        if context.make_current().is_err() {
            return false;
        }
        let renderer = frame.gl().get_parameter_string(glow::RENDERER);
        // The next frame says what is wrong with it.
        let _ = context.make_not_current();
        renderer
    };
    let renderer = renderer.to_lowercase();
    [
        "llvmpipe",
        "softpipe",
        "swrast",
        "swiftshader",
        "gdi generic",
    ]
    .iter()
    .any(|name| renderer.contains(name))
}

/// `NiceEguiApp::editor_closed` is never called; the window drops its app instead.
impl Drop for App {
    fn drop(&mut self) {
        let Some(sink) = self.sink.take() else { return };
        let panel = &mut self.panel;
        // Where a host destroys the plugin without closing the window, nice-plug's context panics on its
        // dead wrapper; a gesture left open is then of no interest to anyone.
        let _ = catch_unwind(AssertUnwindSafe(move || panel.close(sink.as_ref())));
    }
}
