//! The window's plan: the bar on top, the beat on the left, the stage with one page open, the inspector of what is
//! chosen on the right, the strip of cards below, and the line of messages. `docs/editor.md` has the picture.

use super::ParamSink;
use super::force::Force;
use super::link::{Link, Watch};
use super::live::Live;
use super::regions::{
    beat, control, graph, header, inspector, messages, protocol, scope, space, strip, welcome,
};
use super::regions::{inserts, presets};
use super::theme::{self, GAP, ROUND, Theme};
use super::widgets::{Desk, Hand, say_scrolls, tab};
use crate::engine::ControlId;
use crate::protocol::{History, Library};
use egui::{Frame, Margin, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};
use std::sync::Arc;
use std::time::Duration;

/// Telemetry is read at most this often, and only while something sounds: 30 times a second.
const FRAME: Duration = Duration::from_millis(33);
/// Where the processor draws, each frame costs the music: some 16 times a second.
const SLOW_FRAME: Duration = Duration::from_millis(60);
/// The parts of the plan, in points.
const BAR: f32 = 50.0;
const SIDE: [f32; 2] = [226.0, 276.0];
const INSPECTOR: [f32; 2] = [262.0, 306.0];
/// From this width on the columns beside the page are wider.
const ROOMY: f32 = 1400.0;
const MESSAGES: f32 = 26.0;
/// Below this width the inspector takes the place of the stage while it is open.
const NARROW: f32 = 980.0;

/// The pages of the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Scope,
    Space,
    Protocol,
    Graph,
    Presets,
    Control,
}

impl Page {
    const ALL: [(Page, &str); 6] = [
        (Page::Scope, "Scope"),
        (Page::Space, "Space"),
        (Page::Protocol, "Protocol"),
        (Page::Graph, "Graph"),
        (Page::Presets, "Presets"),
        (Page::Control, "Control"),
    ];
}

/// What is drawn, and the little that it remembers between frames.
pub struct Panel {
    link: Arc<Link>,
    live: Live,
    hand: Hand,
    page: Page,
    card: Option<strip::Card>,
    /// The card is the one that the window opened with.
    card_at_first: bool,
    header: header::Header,
    space: space::Stage,
    protocol: protocol::Stage,
    graph: graph::Stage,
    presets: presets::Presets,
    welcome: welcome::Welcome,
    line: messages::Line,
    force: Force,
    last_poll: Option<f64>,
    moving: bool,
    frame: Duration,
    /// The window has the colour of the ground already.
    cleared: bool,
    /// What was to be seen at the last frame.
    sight: u64,
}

impl Panel {
    /// A page for the instance behind `link`.
    pub fn new(link: Arc<Link>) -> Panel {
        Panel::with_library(link, Library::new())
    }

    /// The same with presets, and what the editor remembers of the user, elsewhere.
    pub fn with_library(link: Arc<Link>, library: Library) -> Panel {
        Panel {
            live: Live::default(),
            hand: Hand::default(),
            page: Page::Scope,
            card: Some(strip::Card::Layer(0)),
            card_at_first: true,
            header: header::Header::default(),
            space: space::Stage::default(),
            protocol: protocol::Stage::default(),
            graph: graph::Stage::default(),
            welcome: welcome::Welcome::new(&library),
            presets: presets::Presets::new(library),
            line: messages::Line::default(),
            force: Force::default(),
            last_poll: None,
            moving: false,
            frame: FRAME,
            cleared: false,
            sight: 0,
            link,
        }
    }

    /// Draws less often from now on: there is no graphics card.
    pub(super) fn slow_down(&mut self) {
        self.frame = SLOW_FRAME;
        self.live.pace = FRAME.as_secs_f64() / SLOW_FRAME.as_secs_f64();
    }

    /// Draws the page into the whole of `ui` and asks for the next frame while something moves.
    pub fn ui(&mut self, ui: &mut Ui, sink: &dyn ParamSink) {
        theme::dress(ui.ctx(), !self.link.look().light);
        self.poll(ui);
        let link = self.link.clone();
        let noting = Noting { link: &link, sink };
        self.presets.refresh(&link);
        // The whole window, whatever margin the frame around `ui` has.
        let area = ui.ctx().content_rect();
        ui.set_clip_rect(area);
        let colours = Theme::of(ui);
        if !self.cleared {
            ui.painter().rect_filled(area, 0.0, colours.ground);
        }
        let narrow = area.width() < NARROW;
        if narrow && self.card_at_first {
            // A narrow window begins with the picture.
            self.card = None;
        }
        self.card_at_first = false;
        let plan = Plan::of(area, narrow, self.card.is_some());
        let (now, turned) = ui.input(|input| {
            let turned = input.smooth_scroll_delta() != egui::Vec2::ZERO;
            (input.time, turned)
        });
        let mut hand = std::mem::take(&mut self.hand);
        hand.in_force = self.force.values(&link, sink);
        hand.learning = link.control.learning();
        let escapes = ui.input(|input| input.key_pressed(egui::Key::Escape));
        if escapes && hand.learning.is_some() && !hand.types() {
            link.control.learn(None);
            hand.learning = None;
        }
        let mut desk = Desk {
            hand: &mut hand,
            sink: &noting,
            link: &link,
            now,
        };
        inserts::attend(&mut desk);
        part(ui, "bar", plan.bar, |ui| {
            if let Some(page) = self.header.ui(ui, &self.live, &mut self.presets, &mut desk) {
                self.page = page;
            }
        });
        card(ui, "beat", plan.beat, |ui| {
            scrolled(ui, |ui| beat::ui(ui, &self.live, &mut desk));
        });
        card(ui, "stage", plan.stage, |ui| {
            self.tabs(ui, plan.narrow);
            match self.card.filter(|_| plan.narrow) {
                Some(chosen) => self.inspector(ui, chosen, true, &mut desk),
                None => self.stage(ui, &mut desk),
            }
        });
        if let (Some(rect), Some(chosen)) = (plan.inspector, self.card) {
            card(ui, "inspector", rect, |ui| {
                self.inspector(ui, chosen, false, &mut desk)
            });
        }
        part(ui, "strip", plan.strip, |ui| {
            if let Some(chosen) = strip::ui(ui, self.card, &self.live, &mut desk) {
                let again = self.card == Some(chosen) && plan.narrow;
                self.card = (!again).then_some(chosen);
                // Space is looked at where it is large.
                if chosen == strip::Card::Space {
                    self.page = Page::Space;
                }
            }
        });
        part(ui, "messages", plan.messages, |ui| {
            self.line.ui(ui, &self.live, &mut desk);
        });
        let open = self.welcome.ui(ui, area, &desk);
        hand.wheel_turned(turned, now);
        if !ui.input(|input| input.pointer.any_down()) {
            // What was held may not be drawn any more.
            hand.let_go(sink, now);
        }
        hand.forget_what_is_out_of_sight();
        hand.browse.forget_what_is_out_of_sight();
        if let Some(seconds) = hand.settles_in(now) {
            let soon = Duration::from_secs_f64(seconds + 0.01);
            ui.ctx().request_repaint_after(soon);
        }
        self.hand = hand;
        let moving = self.moving || open;
        self.link.set_idle(!moving, self.watch(), self.sight);
        if moving {
            ui.ctx().request_repaint_after(self.frame);
        }
    }

    /// What the open page shows of what moves by itself.
    fn watch(&self) -> Watch {
        Watch {
            timeline: self.page == Page::Protocol,
            head: matches!(self.page, Page::Control | Page::Space),
            counts: self.page == Page::Control,
        }
    }

    /// What it is drawn into has the colour of the ground: it is not painted again.
    pub(super) fn is_cleared(&mut self) {
        self.cleared = true;
    }

    /// Ends what the user still holds. Called before the window goes.
    pub fn close(&mut self, sink: &dyn ParamSink) {
        self.hand.release(sink);
        self.live.close();
        self.link.set_idle(false, Watch::default(), 0);
    }

    fn poll(&mut self, ui: &Ui) {
        let now = ui.input(|input| input.time);
        let passed = self
            .last_poll
            .map_or(0.0, |last| (now - last).clamp(0.0, 1.0));
        // The pointer redraws more often than the meters are read.
        if self.last_poll.is_some() && passed < 0.9 * self.frame.as_secs_f64() {
            self.moving = true;
            return;
        }
        self.last_poll = Some(now);
        self.moving = self.live.poll(&self.link, passed as f32);
        // What somebody else moves goes on moving at the pace of the window.
        let sight = self.link.sight(self.watch());
        self.moving |= std::mem::replace(&mut self.sight, sight) != sight;
    }

    fn tabs(&mut self, ui: &mut Ui, narrow: bool) {
        let theme = Theme::of(ui);
        let covered = narrow && self.card.is_some();
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            for (page, name) in Page::ALL {
                let accent = match page {
                    Page::Space => theme.space,
                    _ => theme.beat,
                };
                let open = self.page == page && !covered;
                if tab(ui, name, open, accent).clicked() {
                    self.page = page;
                    self.card = self.card.filter(|_| !narrow);
                }
            }
        });
        ui.add_space(2.0);
    }

    fn inspector(&mut self, ui: &mut Ui, chosen: strip::Card, closes: bool, desk: &mut Desk) {
        if inspector::ui(ui, chosen, closes, &self.live, desk) {
            self.card = None;
        }
    }

    fn stage(&mut self, ui: &mut Ui, desk: &mut Desk) {
        // A node is listened to from the graph, and looked at closely on the scope; elsewhere the output is meant.
        if !matches!(self.page, Page::Graph | Page::Scope) {
            graph::leave(&self.live);
        }
        match self.page {
            Page::Scope => scope::ui(ui, &mut self.live, &mut self.presets, desk),
            Page::Space => self.space.ui(ui, &self.live, desk),
            Page::Protocol => self.protocol.ui(ui, &self.live, desk),
            Page::Graph => self.graph.ui(ui, &mut self.live, desk),
            Page::Presets => self.presets.ui(ui, desk),
            Page::Control => control::ui(ui, &self.live, desk),
        }
    }
}

/// Where everything is.
struct Plan {
    bar: Rect,
    beat: Rect,
    stage: Rect,
    inspector: Option<Rect>,
    narrow: bool,
    strip: Rect,
    messages: Rect,
}

impl Plan {
    /// `open` is whether a card is.
    fn of(area: Rect, narrow: bool, open: bool) -> Plan {
        let edge = GAP + 2.0;
        let inner = area.shrink2(vec2(edge, 0.0));
        let roomy = usize::from(area.width() >= ROOMY);
        let height = if area.height() < 600.0 { 92.0 } else { 112.0 };
        let bar = Rect::from_min_size(area.min, vec2(area.width(), BAR));
        let messages = Rect::from_min_max(
            pos2(inner.left(), area.bottom() - MESSAGES),
            pos2(inner.right(), area.bottom()),
        );
        let strip = Rect::from_min_max(
            pos2(inner.left(), messages.top() - height),
            pos2(inner.right(), messages.top()),
        );
        let middle = Rect::from_min_max(
            pos2(inner.left(), bar.bottom()),
            pos2(inner.right(), strip.top() - GAP),
        );
        let beat = Rect::from_min_size(middle.min, vec2(SIDE[roomy], middle.height()));
        let rest = Rect::from_min_max(pos2(beat.right() + GAP, middle.top()), middle.max);
        let (stage, inspector) = if narrow || !open {
            (rest, None)
        } else {
            let edge = rest.right() - INSPECTOR[roomy];
            let stage = Rect::from_min_max(rest.min, pos2(edge - GAP, rest.bottom()));
            let inspector = Rect::from_min_max(pos2(edge, rest.top()), rest.max);
            (stage, Some(inspector))
        };
        Plan {
            bar,
            beat,
            stage,
            inspector,
            narrow,
            strip,
            messages,
        }
    }
}

/// Draws into a part of the window.
fn part(ui: &mut Ui, name: &str, rect: Rect, draw: impl FnOnce(&mut Ui)) {
    let builder = UiBuilder::new().id_salt(name).max_rect(rect);
    ui.scope_builder(builder, |ui| {
        ui.set_clip_rect(rect);
        draw(ui);
    });
}

/// Draws a card into a part of the window.
fn card(ui: &mut Ui, name: &str, rect: Rect, draw: impl FnOnce(&mut Ui)) {
    let theme = Theme::of(ui);
    part(ui, name, rect, |ui| {
        Frame::new()
            .fill(theme.surface)
            .corner_radius(ROUND)
            .inner_margin(Margin::same(12))
            .show(ui, |ui| {
                ui.set_min_size(ui.available_size());
                draw(ui);
            });
    });
}

/// A column that scrolls where it is too long; a bar beside it says so.
pub(super) fn scrolled(ui: &mut Ui, draw: impl FnOnce(&mut Ui)) {
    let area = ui.available_rect_before_wrap();
    let id = ui.scope_id().with("scrolls");
    let scrolls = ui.data(|data| data.get_temp(id)) == Some(true);
    say_scrolls(ui, scrolls);
    let shown = ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        // The bar floats over the edge: nothing may be under it.
        let bar = if scrolls { 9.0 } else { 4.0 };
        ui.set_max_width(ui.available_width() - bar);
        draw(ui);
    });
    say_scrolls(ui, false);
    let hidden = shown.content_size.y - area.height();
    ui.data_mut(|data| data.insert_temp(id, hidden > 1.0));
}

/// Remembers the sound as it is before each gesture, so that it can be taken back.
struct Noting<'a> {
    link: &'a Link,
    sink: &'a dyn ParamSink,
}

impl ParamSink for Noting<'_> {
    fn value(&self, control: ControlId) -> f64 {
        self.sink.value(control)
    }

    fn begin(&self, control: ControlId) {
        let now = presets::take(self.link, self.sink);
        self.link.history(|history| history.expect(now));
        self.sink.begin(control);
    }

    fn set(&self, control: ControlId, value: f64) {
        // A gesture that changes nothing is no step.
        if self.sink.value(control) != value {
            self.link.history(History::note_expected);
        }
        self.sink.set(control, value);
    }

    fn end(&self, control: ControlId) {
        self.sink.end(control);
    }

    fn touch(&self) {
        self.sink.touch();
    }

    fn load(&self, take: &crate::protocol::Take) {
        self.link.sound_comes();
        self.sink.load(take);
    }

    fn play(&self, play: bool) {
        self.sink.play(play);
    }

    fn seek(&self, seconds: f64) {
        self.sink.seek(seconds);
    }
}
