//! The graph: the engine's own nodes and wires, groups of them closed until they are clicked. A node that is
//! clicked is listened to: the scope in the corner, and the Scope page, show what it puts out.

mod plan;

use self::plan::{Item, Net, Plan, Wire};
use crate::editor::link::{Chain, Link};
use crate::editor::live::Live;
use crate::editor::theme::{Theme, font, mix};
use crate::editor::widgets::{Desk, Look, button};
use egui::epaint::CubicBezierShape;
use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Align2, Color32, FontFamily, FontId, Painter, PointerButton, Pos2, Rect, Role, Sense, Shape,
    Stroke, StrokeKind, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};
use std::sync::Arc;

/// The corner with what is listened to, in points.
const CORNER: Vec2 = vec2(216.0, 104.0);
/// Room between the boxes of a column, on pages lower than that and on others.
const GAPS: [f32; 2] = [12.0, 26.0];
const ROOMY: f32 = 330.0;
/// Largest and smallest magnification.
const SCALES: [f32; 2] = [0.15, 3.0];
/// A picture that fits is not drawn larger than this.
const LARGEST: f32 = 1.25;
/// Letters of names, and of kinds below them, are never smaller, in points: where a box has no room for both, the name stays.
const LEGIBLE: [f32; 2] = [10.0, 9.0];
/// Height of the buttons above the picture, in points.
const TOOLS: f32 = 30.0;
/// Places for the small scope from edge to edge, less one.
const SPOTS: usize = 8;
/// Room that a kind beside its name needs at least, in points.
const LEAST: f32 = 24.0;
/// Frames of the small scope: 21 ms at 48 kHz.
const FRAMES: usize = 1024;
/// Below this, in linear amplitude, a node is silent.
const SILENT: f32 = 1e-5;

/// What the page remembers.
#[derive(Default)]
pub(in crate::editor) struct Stage {
    chain: Option<Arc<Chain>>,
    net: Net,
    open: Vec<usize>,
    plan: Plan,
    /// Room between the boxes of a column, by the page's height.
    gap: f32,
    /// Where the picture has been put by hand; else it fits the page.
    view: Option<View>,
    /// The group that was opened last: the page shows that, in place of the whole.
    near: Option<usize>,
    /// Where on the page the small scope is, in shares of what it leaves free.
    spot: Vec2,
    /// The picture and the page for which that place was found.
    laid: Option<(View, Rect, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct View {
    scale: f32,
    /// Where the picture's corner is, from the page's.
    shift: Vec2,
}

/// The node that is listened to in place of the output.
pub(in crate::editor) fn listened(live: &Live, link: &Link) -> Option<String> {
    let place = live.telemetry()?.display().looks_at()?;
    let chain = link.chain()?;
    chain.places.get(place).cloned()
}

/// Listens to the output again.
pub(in crate::editor) fn leave(live: &Live) {
    if let Some(telemetry) = live.telemetry() {
        telemetry.display().look_at(None);
    }
}

impl Stage {
    /// Draws the page.
    pub fn ui(&mut self, ui: &mut Ui, live: &mut Live, desk: &mut Desk) {
        let theme = Theme::of(ui);
        let area = ui.available_rect_before_wrap();
        ui.allocate_rect(area, Sense::hover());
        // Nothing of the picture runs through the buttons.
        let (whole, top) = (area, area.top() + TOOLS);
        let area = Rect::from_min_max(pos2(area.left(), top.min(area.bottom())), area.max);
        let Some(chain) = desk.link.chain() else {
            let text = "The graph is here as soon as the host has started the engine.";
            let painter = ui.painter();
            painter.text(
                area.center(),
                Align2::CENTER_CENTER,
                text,
                font::BODY,
                theme.weak,
            );
            return;
        };
        self.take_up(&chain, area);
        let ground = ui.interact(area, ui.scope_id().with("ground"), Sense::click_and_drag());
        ground.widget_info(|| WidgetInfo::labeled(Role::Group, true, "Graph of the engine"));
        let mut view = self.seen(area);
        if ground.dragged_by(PointerButton::Primary) {
            view.shift += ground.drag_delta();
            self.view = Some(view);
        }
        if self.wheel(ui, area, &mut view) {
            self.view = Some(view);
        }
        if ground.double_clicked() {
            (self.view, self.near) = (None, None);
        }
        let canvas = Canvas {
            origin: area.min + view.shift,
            scale: view.scale,
            theme,
        };
        let builder = UiBuilder::new().id_salt("nodes").max_rect(area);
        let clicked = ui.scope_builder(builder, |ui| {
            ui.set_clip_rect(area.intersect(ui.clip_rect()));
            self.draw(ui, &canvas, live)
        });
        match clicked.inner {
            Some(Clicked::Group(group)) => {
                let opens = !self.open.contains(&group);
                if opens {
                    self.open.push(group);
                } else {
                    self.open.retain(|open| *open != group);
                }
                self.plan = self.net.plan(&self.open, self.gap);
                // What was opened is come near to; else the whole is looked at.
                (self.view, self.near) = (None, opens.then_some(group));
            }
            Some(Clicked::Node(node)) => self.listen(node, live),
            None => {}
        }
        self.tools(ui, whole);
        let moves = ui.input(|input| input.pointer.any_down());
        let corner = self.free(area, moves);
        self.corner(ui, corner, live, &theme);
    }

    /// The engine's graph, where it is another.
    fn take_up(&mut self, chain: &Arc<Chain>, area: Rect) {
        let gap = if area.height() < ROOMY {
            GAPS[0]
        } else {
            GAPS[1]
        };
        let same = self
            .chain
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, chain));
        if same && gap == self.gap {
            return;
        }
        if !same {
            self.net = Net::new(chain);
            self.open.clear();
            (self.view, self.near) = (None, None);
            self.chain = Some(chain.clone());
        }
        self.gap = gap;
        self.plan = self.net.plan(&self.open, self.gap);
    }

    /// Where the picture is: by hand, or as it fits the page whatever size that gets.
    fn seen(&self, area: Rect) -> View {
        let frame = self.near.and_then(|group| {
            let mut frames = self.plan.frames.iter();
            frames.find(|(other, _)| *other == group)
        });
        match (self.view, frame) {
            (Some(view), _) => view,
            (None, Some((_, frame))) => near(frame.expand(6.0), area, area.height() < ROOMY),
            (None, None) => self.fit(area),
        }
    }

    /// The whole picture on the page.
    fn fit(&self, area: Rect) -> View {
        let size = self.plan.size.max(vec2(1.0, 1.0));
        near(Rect::from_min_size(Pos2::ZERO, size), area, false)
    }

    /// Where the small scope covers least: found anew where another picture is shown, not while that is dragged.
    fn free(&mut self, area: Rect, moves: bool) -> Rect {
        let size = CORNER.min(area.size() * vec2(0.36, 0.34));
        let at = |spot: Vec2| Rect::from_min_size(area.min + spot * (area.size() - size), size);
        let view = self.seen(area);
        let laid = Some((view, area, self.open.len()));
        if moves || self.laid == laid {
            return at(self.spot);
        }
        let by_hand = matches!((self.laid, laid), (Some(then), Some(now)) if then.1 == now.1 && then.2 == now.2);
        self.laid = laid;
        let titles = self.plan.frames.iter();
        let titles = titles.map(|(_, frame)| Rect::from_min_size(frame.min, vec2(120.0, 24.0)));
        let boxes = self.plan.boxes.iter().map(|(_, rect)| *rect);
        let taken: Vec<Rect> = boxes
            .chain(titles)
            .map(|rect| {
                let corner = area.min + view.shift + view.scale * rect.min.to_vec2();
                Rect::from_min_size(corner, view.scale * rect.size())
            })
            .collect();
        let covered = |spot: Vec2| -> f32 {
            let place = at(spot).expand(3.0);
            let both = taken.iter().map(|rect| rect.intersect(place));
            both.filter(|both| both.is_positive())
                .map(|both| both.area())
                .sum()
        };
        // At the bottom first, where nothing is read; it stays where it is as long as it is in nobody's way.
        let share = |step: usize| step as f32 / SPOTS as f32;
        let spots = (0..=SPOTS).flat_map(|y| {
            let y = if y % 2 == 0 {
                1.0 - share(y / 2)
            } else {
                share(y / 2)
            };
            (0..=SPOTS).map(move |x| vec2(share(x), y))
        });
        let mut best = (vec2(0.0, 1.0), covered(vec2(0.0, 1.0)));
        if by_hand {
            best = (self.spot, covered(self.spot));
        }
        for spot in spots {
            let much = covered(spot);
            if much + 1.0 < best.1 {
                best = (spot, much);
            }
        }
        self.spot = best.0;
        at(self.spot)
    }

    /// Magnifies around the pointer; true if it did.
    fn wheel(&self, ui: &Ui, area: Rect, view: &mut View) -> bool {
        let at = ui.input(|input| input.pointer.hover_pos());
        let Some(at) = at.filter(|at| area.contains(*at) && ui.rect_contains_pointer(area)) else {
            return false;
        };
        let (way, pinch) = ui.input_mut(|input| {
            let way = input.smooth_scroll_delta();
            input.smooth_scroll_delta = Vec2::ZERO;
            (way.y, input.zoom_delta())
        });
        let scale = (view.scale * pinch * (0.004 * way).exp()).clamp(SCALES[0], SCALES[1]);
        if scale == view.scale {
            return false;
        }
        let from = at - area.min;
        view.shift = from - (from - view.shift) * (scale / view.scale);
        view.scale = scale;
        true
    }

    /// Listens to a node, or to the output where it is that already.
    fn listen(&self, node: usize, live: &Live) {
        let Some(telemetry) = live.telemetry() else {
            return;
        };
        let place = Some(self.net.nodes[node].place);
        let display = telemetry.display();
        let is_end = self.net.nodes[node].name == "out";
        let again = display.looks_at() == place;
        display.look_at(place.filter(|_| !again && !is_end));
    }

    fn draw(&self, ui: &mut Ui, canvas: &Canvas, live: &Live) -> Option<Clicked> {
        let theme = canvas.theme;
        let heard = live
            .telemetry()
            .and_then(|telemetry| telemetry.display().looks_at());
        let heard = self
            .net
            .nodes
            .iter()
            .position(|node| Some(node.place) == heard);
        let within = |item: Item| match (item, heard) {
            (Item::Node(node), Some(heard)) => node == heard,
            (Item::Group(group), Some(heard)) => self.net.nodes[heard].group == Some(group),
            _ => false,
        };
        let mut clicked = None;
        let mut frames: Vec<(Rect, Color32, usize, bool)> = Vec::new();
        for (group, rect) in &self.plan.frames {
            let accent = accent(&self.net.groups[*group], &theme);
            let rect = canvas.rect(*rect);
            let title = Rect::from_min_size(rect.min, vec2(rect.width(), 24.0 * canvas.scale));
            let id = ui.scope_id().with(("frame", group));
            let response = ui.interact(title, id, Sense::click());
            let name = format!("Close {}", self.net.groups[*group]);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
            let active = response.hovered() || response.has_focus();
            if response.on_hover_text("A click closes the group").clicked() {
                clicked = Some(Clicked::Group(*group));
            }
            frames.push((rect, accent, *group, active));
        }
        let painter = ui.painter();
        for (rect, accent, group, active) in frames {
            let rounding = 8.0 * canvas.scale;
            painter.rect_filled(rect, rounding, mix(theme.surface, accent, 0.07));
            let line = mix(theme.surface, accent, if active { 0.7 } else { 0.35 });
            painter.rect_stroke(rect, rounding, Stroke::new(1.0, line), StrokeKind::Inside);
            let place = rect.min + canvas.scale * vec2(12.0, 14.0);
            let colour = if active { theme.text } else { accent };
            let name = format!("{}  \u{2013}", self.net.groups[group]);
            let font = canvas.font(12.0, true);
            let room = rect.right() - place.x - 4.0;
            write(painter, place, &name, font, colour, room);
        }
        // First the quiet wires, then those of what is listened to.
        for lit in [false, true] {
            let wires = self.plan.wires.iter();
            for wire in wires.filter(|wire| lit == (within(wire.from) || within(wire.to))) {
                let source = match wire.from {
                    Item::Node(node) => self.net.nodes[node].group,
                    Item::Group(group) => Some(group),
                };
                let group = source.map_or("", |group| self.net.groups[group].as_str());
                let tone = accent(group, &theme);
                let colour = mix(theme.surface, tone, if lit { 0.95 } else { 0.45 });
                canvas.wire(painter, wire, colour, if lit { 1.8 } else { 1.2 });
            }
        }
        for (item, rect) in &self.plan.boxes {
            let place = canvas.rect(*rect);
            if !ui.clip_rect().intersects(place) {
                continue;
            }
            if self.bubble(ui, canvas, *item, place, within(*item)) {
                clicked = Some(match item {
                    Item::Node(node) => Clicked::Node(*node),
                    Item::Group(group) => Clicked::Group(*group),
                });
            }
        }
        clicked
    }

    /// A node or a closed group; true if it was clicked.
    fn bubble(&self, ui: &Ui, canvas: &Canvas, item: Item, rect: Rect, heard: bool) -> bool {
        let theme = canvas.theme;
        let response = ui.interact(
            rect,
            ui.scope_id().with(("box", item_id(item))),
            Sense::click(),
        );
        let name = self.net.name(item);
        let (told, group, below, help) = match item {
            Item::Group(group) => (
                format!("Open {name}"),
                Some(group),
                format!("{} nodes", self.net.count(group)),
                "A click opens the group",
            ),
            Item::Node(node) => (
                name.to_owned(),
                self.net.nodes[node].group,
                self.net.nodes[node].kind.replace('_', " "),
                "A click listens to it; another one, to the output again",
            ),
        };
        response.widget_info(|| match item {
            Item::Group(_) => WidgetInfo::labeled(Role::Button, true, &told),
            Item::Node(_) => WidgetInfo::selected(Role::Button, true, heard, &told),
        });
        let accent = accent(group.map_or("", |group| &self.net.groups[group]), &theme);
        let active = response.hovered() || response.has_focus();
        let rounding = 6.0 * canvas.scale;
        let painter = ui.painter();
        let fill = match (heard, active) {
            (true, _) => theme.wash(accent),
            (false, true) => mix(theme.raised, theme.text, 0.12),
            (false, false) => theme.raised,
        };
        let is_group = matches!(item, Item::Group(_));
        if is_group {
            // There is more behind it.
            let behind = rect.translate(canvas.scale * vec2(3.0, 3.0));
            painter.rect_filled(behind, rounding, mix(theme.surface, theme.raised, 0.6));
        }
        painter.rect_filled(rect, rounding, fill);
        if heard || active {
            let line = if heard { accent } else { theme.weak };
            painter.rect_stroke(rect, rounding, Stroke::new(1.2, line), StrokeKind::Inside);
        }
        // A node in a group is called by what it is there.
        let stem = group.map_or("", |group| &self.net.groups[group]);
        let short = name
            .strip_prefix(stem)
            .map(|rest| rest.trim_start_matches('_'));
        let short = match (item, short) {
            (Item::Node(_), Some(short)) if !short.is_empty() => short.replace('_', " "),
            _ => name.replace('_', " "),
        };
        let (name_size, kind_size) = if is_group { (13.5, 11.5) } else { (12.0, 10.5) };
        let (bold, light) = (canvas.font(name_size, true), canvas.font(kind_size, false));
        if rect.height() < bold.size {
            // Nothing could be read.
        } else if below.is_empty() {
            let galley = painter.layout_no_wrap(short, bold, theme.text);
            painter.galley(rect.center() - 0.5 * galley.size(), galley, theme.text);
        } else {
            let bar = Rect::from_min_size(
                rect.min + canvas.scale * vec2(6.0, 8.0),
                vec2(2.5 * canvas.scale, rect.height() - 16.0 * canvas.scale),
            );
            painter.rect_filled(bar, 1.0, accent);
            let left = rect.left() + 13.0 * canvas.scale;
            let room = rect.right() - left - 2.0;
            let middle = rect.center().y;
            let gap = 1.15;
            if rect.height() < 1.2 * (bold.size + light.size) {
                write(painter, pos2(left, middle), &short, bold, theme.text, room);
            } else {
                let (above, under) = (
                    middle - 0.5 * gap * light.size,
                    middle + 0.5 * gap * bold.size,
                );
                write(painter, pos2(left, above), &short, bold, theme.text, room);
                write(painter, pos2(left, under), &below, light, theme.weak, room);
            }
        }
        response
            .on_hover_text(format!("{name}: {below}\n{help}"))
            .clicked()
    }

    /// What concerns the whole picture.
    fn tools(&mut self, ui: &mut Ui, area: Rect) {
        let rect = Rect::from_min_size(area.min, vec2(area.width(), 28.0));
        let builder = UiBuilder::new().id_salt("tools").max_rect(rect);
        ui.scope_builder(builder, |ui| {
            let align = egui::Align::Center;
            ui.with_layout(egui::Layout::right_to_left(align), |ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                let help = "Shows the whole graph; so does a double click beside it";
                if button(ui, "Fit", "Fit the graph", help, true, Look::Quiet).clicked() {
                    (self.view, self.near) = (None, None);
                }
                let look = Look::Quiet;
                if !self.open.is_empty()
                    && button(ui, "Close all", "Close all groups", "", true, look).clicked()
                {
                    self.open.clear();
                    self.plan = self.net.plan(&[], self.gap);
                    (self.view, self.near) = (None, None);
                }
            });
        });
    }

    /// What is listened to: its name and kind, its wave and level.
    fn corner(&self, ui: &mut Ui, area: Rect, live: &Live, theme: &Theme) {
        let place = live
            .telemetry()
            .and_then(|telemetry| telemetry.display().looks_at());
        let node = self.net.nodes.iter().find(|node| Some(node.place) == place);
        let group = node.and_then(|node| node.group);
        let accent = accent(group.map_or("", |group| &self.net.groups[group]), theme);
        let painter = ui.painter_at(area);
        painter.rect_filled(area, 8.0, theme.ground);
        let line = if node.is_some() { accent } else { theme.line };
        painter.rect_stroke(area, 8.0, Stroke::new(1.0, line), StrokeKind::Inside);
        let inner = area.shrink(9.0);
        let (name, kind) = match node {
            Some(node) => (node.name.as_str(), node.kind.as_str()),
            None => ("Output", "what leaves"),
        };
        let top = inner.top() + 6.0;
        let room = if node.is_some() { 62.0 } else { 0.0 };
        let names = Rect::from_min_max(area.min, pos2(inner.right() - room, area.bottom()));
        let named = ui.painter_at(names);
        let corner = pos2(inner.left(), top);
        let drawn = named.text(corner, Align2::LEFT_CENTER, name, font::value(), theme.text);
        let beside = pos2(drawn.right() + 6.0, top);
        let left = names.right() - beside.x;
        if left > LEAST {
            write(
                &named,
                beside,
                &kind.replace('_', " "),
                font::TINY,
                theme.weak,
                left,
            );
        }
        if node.is_some() {
            let size = vec2(62.0, 26.0);
            let place = Rect::from_min_size(pos2(inner.right() - 58.0, area.top() + 3.0), size);
            let builder = UiBuilder::new().id_salt("back").max_rect(place);
            ui.scope_builder(builder, |ui| {
                let help = "Listens to what leaves the plugin again";
                if button(ui, "Output", "Output", help, true, Look::Quiet).clicked() {
                    leave(live);
                }
            });
        }
        let plot = Rect::from_min_max(
            pos2(inner.left(), inner.top() + 20.0),
            pos2(inner.right(), inner.bottom() - 14.0),
        );
        painter.hline(
            plot.x_range(),
            plot.center().y,
            Stroke::new(1.0, theme.line),
        );
        let Some(monitor) = &live.monitor else { return };
        let frames: Vec<[f32; 2]> = monitor.frames(FRAMES).collect();
        let peaks = frames.iter().fold([0.0f32; 2], |peaks, [left, right]| {
            [peaks[0].max(left.abs()), peaks[1].max(right.abs())]
        });
        let loudest = peaks[0].max(peaks[1]);
        if loudest > SILENT {
            let step = plot.width() / (frames.len() - 1).max(1) as f32;
            for (ear, colour) in [(1, theme.right), (0, theme.left)] {
                let point = |(n, frame): (usize, &[f32; 2])| {
                    let x = plot.left() + step * n as f32;
                    pos2(
                        x,
                        plot.center().y - 0.5 * plot.height() * frame[ear] / loudest,
                    )
                };
                let wave: Vec<Pos2> = frames.iter().enumerate().step_by(3).map(point).collect();
                painter.line(wave, Stroke::new(1.3, colour));
            }
        }
        let bottom = inner.bottom() - 3.0;
        for (ear, (x, colour)) in [(inner.left(), theme.left), (inner.center().x, theme.right)]
            .into_iter()
            .enumerate()
        {
            let text = match peaks[ear] > SILENT {
                // What rounds to 0 has no sign.
                true => format!(
                    "{:.1} dB",
                    (200.0 * peaks[ear].log10()).round() / 10.0 + 0.0
                ),
                false => "silent".to_owned(),
            };
            let side = ["L", "R"][ear];
            let drawn = painter.text(
                pos2(x, bottom),
                Align2::LEFT_CENTER,
                side,
                font::TINY,
                colour,
            );
            let beside = pos2(drawn.right() + 5.0, bottom);
            painter.text(beside, Align2::LEFT_CENTER, text, font::TINY, theme.text);
        }
    }
}

/// A part of the picture in the middle of the page, or at its top.
fn near(part: Rect, area: Rect, at_top: bool) -> View {
    let room = area.size() - vec2(8.0, 10.0);
    let scale = (room / part.size()).min_elem().clamp(SCALES[0], LARGEST);
    let mut shift = 0.5 * area.size() - scale * part.center().to_vec2();
    if at_top {
        shift.y = 2.0 - scale * part.top();
    }
    View { scale, shift }
}

/// Writes a line from its left end, as much of it as there is room for.
fn write(painter: &Painter, at: Pos2, text: &str, font: FontId, colour: Color32, room: f32) {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = TextWrapping::truncate_at_width(room);
    let galley = painter.layout_job(job);
    painter.galley(at - vec2(0.0, 0.5 * galley.size().y), galley, colour);
}

enum Clicked {
    Node(usize),
    Group(usize),
}

fn item_id(item: Item) -> (bool, usize) {
    match item {
        Item::Node(node) => (false, node),
        Item::Group(group) => (true, group),
    }
}

/// The accent of a group.
fn accent(group: &str, theme: &Theme) -> Color32 {
    match group {
        "program" | "pre" | "post" => theme.program,
        "space" => theme.space,
        "noise" | "input" | "output" | "" => theme.noise,
        _ => theme.layer,
    }
}

/// Where the picture is drawn.
struct Canvas {
    origin: Pos2,
    scale: f32,
    theme: Theme,
}

impl Canvas {
    fn at(&self, place: Pos2) -> Pos2 {
        self.origin + self.scale * place.to_vec2()
    }

    fn rect(&self, rect: Rect) -> Rect {
        Rect::from_min_max(self.at(rect.min), self.at(rect.max))
    }

    /// Letters that grow with the picture, and do not become too small to read.
    fn font(&self, points: f32, bold: bool) -> FontId {
        // Half points: each size is drawn into the atlas once.
        let points = (2.0 * points * self.scale).round() / 2.0;
        let (least, family) = match bold {
            true => (LEGIBLE[0], FontFamily::Name("semibold".into())),
            false => (LEGIBLE[1], FontFamily::Proportional),
        };
        FontId::new(points.max(least), family)
    }

    /// A wire: level at each of its points, a wave between.
    fn wire(&self, painter: &Painter, wire: &Wire, colour: Color32, width: f32) {
        // A bundle is thicker, by less than its number.
        let width = width * self.scale.clamp(0.6, 1.2) * (wire.count as f32).powf(0.35);
        let stroke = Stroke::new(width, colour);
        for pair in wire.points.windows(2) {
            let (from, to) = (self.at(pair[0]), self.at(pair[1]));
            if (from.y - to.y).abs() < 0.5 {
                painter.line_segment([from, to], stroke);
                continue;
            }
            let bend = vec2(0.5 * (to.x - from.x), 0.0);
            let points = [from, from + bend, to - bend, to];
            let fill = Color32::TRANSPARENT;
            painter.add(Shape::CubicBezier(CubicBezierShape::from_points_stroke(
                points, false, fill, stroke,
            )));
        }
        if let Some(end) = wire.points.last() {
            painter.circle_filled(self.at(*end), 1.4 * width, colour);
        }
    }
}
