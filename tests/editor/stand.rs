//! A stand for the editor: a running engine, parameters that follow the user, a window without a screen.

use crate::raster::{Atlas, Picture, draw};
use egui::{Event, Modifiers, PointerButton, Pos2, Rect, Vec2, accesskit, vec2};
use egui_kittest::{Harness, TestRenderer};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use zeitgeber::editor::{Chain, Link, Look, Panel, ParamSink};
use zeitgeber::engine::{ControlId, DeckLine, Engine, Order, SpaceWish, Transport};
use zeitgeber::hrtf::Source;
use zeitgeber::protocol::{Library, Take};

/// What the host was told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Told {
    Begin(ControlId),
    Set(ControlId, f64),
    End(ControlId),
    Touch,
    Play(bool),
    Seek(f64),
}

/// Parameters in front of an engine.
pub struct Params {
    pub values: RefCell<Vec<f64>>,
    pub told: RefCell<Vec<Told>>,
    pub engine: RefCell<Engine>,
    /// The engine's line for orders, where a test has put it.
    pub deck: RefCell<Option<DeckLine>>,
}

impl Params {
    /// Sends an order, as something beside the window would.
    pub fn order(&self, order: Order) {
        if let Some(deck) = self.deck.borrow_mut().as_mut() {
            deck.send(order).unwrap();
        }
    }
}

impl ParamSink for Params {
    fn value(&self, control: ControlId) -> f64 {
        self.values.borrow()[control.index()]
    }

    fn begin(&self, control: ControlId) {
        self.told.borrow_mut().push(Told::Begin(control));
    }

    fn set(&self, control: ControlId, value: f64) {
        self.values.borrow_mut()[control.index()] = value;
        self.engine.borrow_mut().set(control, value);
        self.told.borrow_mut().push(Told::Set(control, value));
    }

    fn end(&self, control: ControlId) {
        self.told.borrow_mut().push(Told::End(control));
    }

    fn touch(&self) {
        self.told.borrow_mut().push(Told::Touch);
    }

    fn play(&self, play: bool) {
        self.told.borrow_mut().push(Told::Play(play));
        self.order(Order::Play(play));
    }

    fn seek(&self, seconds: f64) {
        self.told.borrow_mut().push(Told::Seek(seconds));
        self.order(Order::Seek(seconds));
    }

    fn load(&self, take: &Take) {
        for (id, value) in &take.settings {
            self.values.borrow_mut()[id.index()] = *value;
            self.engine.borrow_mut().set(*id, *value);
        }
    }
}

/// Keeps the textures.
struct Keeper(Arc<Mutex<Atlas>>);

impl TestRenderer for Keeper {
    fn handle_delta(&mut self, delta: &mut egui::TexturesDelta) {
        self.0.lock().unwrap().take(delta);
    }
}

/// The stand.
pub struct Stand {
    pub harness: Harness<'static>,
    pub params: Rc<Params>,
    pub link: Arc<Link>,
    /// The host's, at each block.
    pub transport: Transport,
    atlas: Arc<Mutex<Atlas>>,
    size: Vec2,
    scale: f32,
    folder: tempfile::TempDir,
}

impl Stand {
    /// A window of so many points, in a look, for a user who knows the safety note.
    pub fn new(size: (f32, f32), look: Look) -> Stand {
        Stand::with(size, look, true)
    }

    /// The same; `experienced` is whether the safety note has been read.
    pub fn with(size: (f32, f32), look: Look, experienced: bool) -> Stand {
        let folder = tempfile::tempdir().unwrap();
        if experienced {
            std::fs::write(
                folder.path().join("editor.json"),
                r#"{"safety_read": true}"#,
            )
            .unwrap();
        }
        let mut engine = Engine::new(48_000.0).unwrap();
        let link = Arc::new(Link::default());
        link.set_look(look);
        link.watch(engine.telemetry().clone());
        link.set_chain(Chain {
            description: engine.graph().to_json().clone(),
            places: engine.graph().places().map(str::to_owned).collect(),
        });
        let wish = SpaceWish {
            filters: true,
            decoder: None,
            equalised: true,
        };
        zeitgeber::space::bring_all(&mut engine, &Source::Default, [wish]).unwrap();
        let values = ControlId::all()
            .map(|id| id.control().default_value())
            .collect();
        let params = Rc::new(Params {
            values: RefCell::new(values),
            told: RefCell::default(),
            engine: RefCell::new(engine),
            deck: RefCell::default(),
        });
        let library = Library::at(folder.path().join("presets"));
        let mut panel = Panel::with_library(link.clone(), library);
        let atlas = Arc::new(Mutex::new(Atlas::default()));
        let (size, scale) = (vec2(size.0, size.1), look.zoom);
        let sink = params.clone();
        let harness = Harness::builder()
            .with_size(size)
            .with_pixels_per_point(scale)
            .with_step_dt(1.0 / 30.0)
            .renderer(Keeper(atlas.clone()))
            .build_ui(move |ui| panel.ui(ui, sink.as_ref()));
        let mut stand = Stand {
            harness,
            params,
            link,
            transport: Transport::Absent,
            atlas,
            size,
            scale,
            folder,
        };
        stand.steps(3);
        stand
    }

    /// Where presets are kept.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Lets the engine run between frames: so many frames of 1/30 s, with music coming in.
    pub fn play(&mut self, frames: usize) {
        for frame in 0..frames {
            let song = |n: usize, hertz: f32| {
                let t = (frame * 1600 + n) as f32 / 48_000.0;
                0.1 * (std::f32::consts::TAU * hertz * t).sin()
            };
            let mut left: Vec<f32> = (0..1600)
                .map(|n| song(n, 660.0) + song(n, 1320.0))
                .collect();
            let mut right: Vec<f32> = (0..1600)
                .map(|n| song(n, 660.0) + song(n, 1760.0))
                .collect();
            for at in (0..1600).step_by(400) {
                self.params.engine.borrow_mut().process(
                    &mut left[at..at + 400],
                    &mut right[at..at + 400],
                    self.transport,
                    &[],
                );
            }
            self.harness.step();
        }
    }

    /// Draws so many frames.
    pub fn steps(&mut self, frames: usize) {
        for _ in 0..frames {
            self.harness.step();
        }
    }

    /// Sets a control from outside.
    pub fn set(&mut self, control: ControlId, value: f64) {
        self.params.values.borrow_mut()[control.index()] = value;
        self.params.engine.borrow_mut().set(control, value);
    }

    /// A picture of the last frame.
    pub fn picture(&self) -> Picture {
        let output = self.harness.output();
        let primitives = self
            .harness
            .ctx
            .tessellate(output.shapes.clone(), self.scale);
        draw(
            &self.atlas.lock().unwrap(),
            &primitives,
            self.size,
            self.scale,
        )
    }

    /// The names, places and values of everything that assistive technology is told of.
    pub fn accessible(&self) -> Vec<(String, accesskit::Role, Option<Rect>)> {
        fn walk(
            node: egui_kittest::kittest::AccessKitNode<'_>,
            found: &mut Vec<(String, accesskit::Role, Option<Rect>)>,
        ) {
            let place = node.bounding_box().map(|area| {
                Rect::from_min_max(
                    egui::pos2(area.x0 as f32, area.y0 as f32),
                    egui::pos2(area.x1 as f32, area.y1 as f32),
                )
            });
            if let Some(name) = node.label() {
                found.push((name.to_owned(), node.role(), place));
            }
            for child in node.children() {
                walk(child, found);
            }
        }
        let mut found = Vec::new();
        walk(self.harness.kittest_state().root(), &mut found);
        found
    }

    /// Moves the pointer to a place.
    pub fn point(&mut self, at: Pos2) {
        self.harness.event(Event::PointerMoved(at));
        self.harness.step();
    }

    /// Presses a button at a place, or lets go of it.
    pub fn button(&mut self, at: Pos2, button: PointerButton, pressed: bool, modifiers: Modifiers) {
        self.harness.event(Event::PointerMoved(at));
        self.harness.event(Event::PointerButton {
            pos: at,
            button,
            pressed,
            modifiers,
        });
        self.harness.step();
    }

    /// Presses the primary button at a place, or lets go of it.
    pub fn hold(&mut self, at: Pos2, pressed: bool) {
        self.button(at, PointerButton::Primary, pressed, Modifiers::NONE);
    }

    /// Clicks at a place.
    pub fn click(&mut self, at: Pos2) {
        self.hold(at, true);
        self.hold(at, false);
        self.steps(2);
    }

    /// Opens the menu of what is at a place.
    pub fn menu(&mut self, at: Pos2) {
        for pressed in [true, false] {
            self.button(at, PointerButton::Secondary, pressed, Modifiers::NONE);
        }
        self.steps(3);
    }

    /// Drags in ten steps, with these keys held.
    pub fn drag(&mut self, from: Pos2, by: Vec2, modifiers: Modifiers) {
        self.harness.event(Event::ModifiersChanged(modifiers));
        self.button(from, PointerButton::Primary, true, modifiers);
        for step in 1..=10 {
            self.point(from + by * (step as f32 / 10.0));
        }
        self.button(from + by, PointerButton::Primary, false, modifiers);
        self.harness.event(Event::ModifiersChanged(Modifiers::NONE));
        self.steps(2);
    }
}
