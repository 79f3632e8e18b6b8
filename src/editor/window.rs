//! The window: a fresh egui window per opening, at the size that the state remembers.

use super::link::{EditorSize, Link, Look};
use super::theme::{self, Theme};
use super::{Panel, ParamSink};
use glow::HasContext;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{
    Editor, EditorHandle, HostMethods, Modifiers, ParentWindowHandle, ResizeHint, SizeConstraints,
    SpawnedEditor, VirtualKeyCode,
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

/// The way to the host's parameters for one opening of the window.
pub struct Way {
    /// What the window reads and writes, on its own thread.
    pub sink: Box<dyn ParamSink + Send>,
    /// Ends on the host's thread what the window has begun. Nothing goes this way afterwards.
    pub close: Box<dyn Fn() + Send>,
    /// On the host's thread, too, once the window is gone.
    pub closed: Box<dyn Fn() + Send>,
}

/// Makes the way for an opening, on the host's thread.
pub type SinkMaker = Arc<dyn Fn(GuiContext) -> Way + Send + Sync>;

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
    type Handle = ZgHandle;

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
        let Way {
            sink,
            close,
            closed,
        } = (self.sink_maker)(gui_context.clone());
        let app = App {
            panel: Panel::new(self.link.clone()),
            link: self.link.clone(),
            sink,
            small: None,
            keeps: None,
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
        let handle = ZgHandle {
            egui: spawned.handle,
            close,
        };
        Ok(SpawnedEditor {
            handle,
            window: ZgWindow {
                egui: spawned.window,
                _closed: Closed(closed),
            },
        })
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

/// The host's hold of an open window.
pub struct ZgHandle {
    egui: EguiEditorHandle,
    close: Box<dyn Fn() + Send>,
}

/// The window itself, and who is told on the host's thread when it is gone.
pub struct ZgWindow {
    egui: <EguiEditorHandle as EditorHandle>::Window,
    // Fields go in their order.
    _closed: Closed,
}

/// Tells it when it goes.
struct Closed(Box<dyn Fn() + Send>);

impl Drop for Closed {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl EditorHandle for ZgHandle {
    type Window = ZgWindow;
    type Error = <EguiEditorHandle as EditorHandle>::Error;

    fn run_until_closed(window: Self::Window) -> Result<(), Self::Error> {
        EguiEditorHandle::run_until_closed(window.egui)
    }

    fn set_parent(
        &self,
        parent: ParentWindowHandle,
        window: &Self::Window,
    ) -> Result<(), Self::Error> {
        self.egui.set_parent(parent, &window.egui)
    }

    fn show(&self, window: &Self::Window) -> Result<(), Self::Error> {
        self.egui.show(&window.egui)
    }

    fn hide(&self, window: &Self::Window) -> Result<(), Self::Error> {
        self.egui.hide(&window.egui)
    }

    fn set_size(&self, size: NativeSize<u32>, window: &Self::Window) -> Result<(), Self::Error> {
        self.egui.set_size(size, &window.egui)
    }

    fn host_main_thread_callback(&self, window: &Self::Window) {
        self.egui.host_main_thread_callback(&window.egui);
    }

    fn adjust_size(&self, size: NativeSize<u32>, window: &Self::Window) -> Option<NativeSize<u32>> {
        self.egui.adjust_size(size, &window.egui)
    }

    fn set_fallback_scale_factor(
        &self,
        factor: f64,
        window: &Self::Window,
    ) -> Result<(), Self::Error> {
        self.egui.set_fallback_scale_factor(factor, &window.egui)
    }

    fn on_virtual_key_from_host(
        &self,
        key: VirtualKeyCode,
        is_down: bool,
        modifiers: Modifiers,
    ) -> bool {
        self.egui.on_virtual_key_from_host(key, is_down, modifiers)
    }

    fn state_changed(&self) {
        self.egui.state_changed();
    }

    fn param_value_changed(&self, id: &str, normalized: f32) {
        self.egui.param_value_changed(id, normalized);
    }

    fn param_modulation_changed(&self, id: &str, offset: f32) {
        self.egui.param_modulation_changed(id, offset);
    }
}

/// The handle goes before the window, on the host's thread.
impl Drop for ZgHandle {
    fn drop(&mut self) {
        // As below: a plugin that is destroyed with its window open is told nothing any more.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.close)()));
    }
}

/// One opening of the window.
struct App {
    panel: Panel,
    link: Arc<Link>,
    sink: Box<dyn ParamSink + Send>,
    /// Since when the window has been too small for its contents, in egui's time.
    small: Option<f64>,
    /// The zoom is about to change, and the window is to stay as large as it is, in the host's points.
    keeps: Option<egui::Vec2>,
}

/// Seconds for which a window may be smaller than its contents: while it is dragged, or follows another zoom.
const SMALL: f64 = 1.0;

/// The largest zoom at which everything fits into a window that has so many points at this zoom and is too small.
fn fitting(points: egui::Vec2, zoom: f32) -> Option<f32> {
    let share = (points.x / EditorSize::MIN.width).min(points.y / EditorSize::MIN.height);
    let fits = (zoom * share).max(*Look::ZOOMS.start());
    // A point that was rounded away hides nothing.
    (share < 0.997 && fits < zoom).then_some(fits)
}

impl App {
    /// No host need heed the least size that it was told: then the zoom gives way.
    fn fit(&mut self, context: &egui::Context) {
        let look = self.link.look();
        if context.zoom_factor() != look.zoom {
            return;
        }
        if let Some(size) = self.keeps.take() {
            // egui's window would shrink with the zoom.
            let size = size / look.zoom;
            context.send_viewport_cmd(egui::ViewportCommand::InnerSize(size));
            return;
        }
        let points = context.content_rect().size();
        let now = context.input(|input| input.time);
        let Some(zoom) = fitting(points, look.zoom) else {
            self.small = None;
            return;
        };
        let left = *self.small.get_or_insert(now) + SMALL - now;
        if left > 0.0 {
            context.request_repaint_after(Duration::from_secs_f64(left));
            return;
        }
        self.small = None;
        self.keeps = Some(points * look.zoom);
        self.link.set_look(Look { zoom, ..look });
        self.sink.touch();
    }
}

impl NiceEguiApp for App {
    fn build(
        &mut self,
        egui_ctx: egui::Context,
        _gui_context: GuiContext,
        frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        if draws_in_software(frame) {
            self.panel.slow_down();
        }
        // Before the first frame: fonts that come later are laid out twice.
        theme::dress(&egui_ctx, !self.link.look().light);
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
        let sink = self.sink.as_ref();
        // What came from outside while no window could tell the host.
        for (id, value) in self.link.control.take_for_host() {
            sink.begin(id);
            sink.set(id, value);
            sink.end(id);
        }
        self.panel.ui(ui, sink);
        self.fit(ui.ctx());
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
        let (panel, sink) = (&mut self.panel, self.sink.as_ref());
        // Where a host destroys the plugin without closing the window, nice-plug's context panics on its
        // dead wrapper; a gesture left open is then of no interest to anyone.
        let _ = catch_unwind(AssertUnwindSafe(|| panel.close(sink)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    #[test]
    fn the_zoom_gives_way_where_a_window_is_too_small() {
        let EditorSize { width, height, .. } = EditorSize::MIN;
        assert_eq!(fitting(vec2(width, height), 2.0), None);
        assert_eq!(fitting(vec2(4.0 * width, height - 0.5), 2.0), None);
        // At 200 % in a window of half the width that is needed.
        assert_eq!(fitting(vec2(0.5 * width, height), 2.0), Some(1.0));
        assert_eq!(fitting(vec2(width, 0.75 * height), 2.0), Some(1.5));
        // There is an end to it.
        assert_eq!(fitting(vec2(0.1 * width, height), 1.0), Some(0.75));
        assert_eq!(fitting(vec2(0.5 * width, height), 0.75), None);
    }
}
