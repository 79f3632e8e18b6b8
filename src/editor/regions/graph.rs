//! The graph: the engine's own nodes and wires, groups of them closed until they are clicked. A node that is
//! clicked is listened to: the scope in the corner, and the Scope page, show what it puts out.

mod plan;
mod small;

use super::inserts;

use self::plan::{Held, Item, Net, Plan, Wire};
use self::small::say;
use crate::editor::link::{Chain, Link};
use crate::editor::live::Live;
use crate::editor::theme::{Theme, font, mix};
use crate::editor::widgets::{Desk, Look, button, cut};
use crate::engine::controls::{LAYER, NOISE_KIND, PROG_KIND, SPACE_KIND};
use egui::epaint::CubicBezierShape;
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
/// A group that fits is not drawn larger than the first, nor the whole than the second.
const LARGEST: [f32; 2] = [1.25, 1.5];
/// What was opened is come near to where the whole would be smaller than this.
const READABLE: f32 = 0.8;
/// Letters of names, and of kinds below them, are never smaller, in points: where a box has no room for both, the name stays.
const LEGIBLE: [f32; 2] = [10.0, 9.0];
/// Letters of what an insert holds, in its box at most.
const LONGEST: usize = 18;
/// Height of the buttons above the picture, in points.
const TOOLS: f32 = 30.0;
/// Places for the small scope from edge to edge, less one.
const SPOTS: usize = 16;
/// Where it covers more of boxes than this, in square points, it is a line above the picture.
const COVERS: f32 = 1.0;
/// Room for the buttons beside that line, in points.
const BUTTONS: f32 = 116.0;
/// Letters of names and kinds at the picture's own size: of nodes, of groups.
const LETTERS: [[f32; 2]; 2] = [[12.0, 10.5], [13.5, 11.5]];
/// Where a box's text begins, and what is free behind it, at the picture's own size; the latter in points, too.
const MARGINS: [f32; 2] = [13.0, 4.0];
/// Magnifications for which boxes are made wide enough for their texts, from the largest.
const READ: [f32; 11] = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];

/// What the page remembers.
#[derive(Default)]
pub(in crate::editor) struct Stage {
    chain: Option<Arc<Chain>>,
    net: Net,
    open: Vec<usize>,
    plan: Plan,
    /// Which plan this is, counted.
    made: usize,
    /// Room between the boxes of a column, by the page's height.
    gap: f32,
    /// The page for which the boxes' widths were found.
    page: Vec2,
    /// Where the picture has been put by hand; else it fits the page.
    view: Option<View>,
    /// The group that was opened last: the page shows that, in place of the whole.
    near: Option<usize>,
    /// Where on the page the small scope is, in shares of what it leaves free.
    spot: Vec2,
    /// Whether it is a line above the picture: there is no free place for it.
    narrow: bool,
    /// The plan, the picture and the page for which that was found.
    laid: Option<(usize, View, Rect)>,
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
        let held = held(desk);
        self.take_up(ui, &chain, held, area);
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
            self.draw(ui, &canvas, live, desk)
        });
        match clicked.inner {
            Some(Clicked::Group(group)) => {
                let opens = !self.open.contains(&group);
                if opens {
                    self.open.push(group);
                } else {
                    self.open.retain(|open| *open != group);
                }
                // What was opened is come near to; else the whole is looked at.
                (self.view, self.near) = (None, opens.then_some(group));
                self.replan(ui, area);
            }
            Some(Clicked::Node(node)) => self.listen(node, live),
            None => {}
        }
        self.tools(ui, whole, area);
        let moves = ui.input(|input| input.pointer.any_down());
        let corner = self.free(area, moves);
        if self.narrow {
            let size = vec2(whole.width() - BUTTONS, TOOLS - 2.0);
            self.line(ui, Rect::from_min_size(whole.min, size), live, &theme);
        } else {
            self.corner(ui, corner, live, &theme);
        }
    }

    /// The engine's graph, where it is another.
    fn take_up(&mut self, ui: &Ui, chain: &Arc<Chain>, held: [Held; 2], area: Rect) {
        let gap = if area.height() < ROOMY {
            GAPS[0]
        } else {
            GAPS[1]
        };
        let same = self
            .chain
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, chain));
        let stays = self.page == area.size() && self.net.held == held;
        if same {
            self.net.held = held;
        } else {
            self.net = Net::new(chain, held);
        }
        // A picture that was put somewhere by hand keeps its boxes.
        if same && gap == self.gap && (self.view.is_some() || stays) {
            return;
        }
        if !same {
            self.open.clear();
            (self.view, self.near) = (None, None);
            self.chain = Some(chain.clone());
        }
        self.gap = gap;
        self.replan(ui, area);
    }

    /// Lays the graph out anew, with boxes that are wide enough for their texts at the magnification at which it is
    /// seen then: the largest for which they are, for letters do not become smaller than can be read.
    fn replan(&mut self, ui: &Ui, area: Rect) {
        self.page = area.size();
        self.made += 1;
        for scale in READ {
            let wide = |item| self.room(ui, item, scale);
            self.plan = self.net.plan(&self.open, self.gap, &wide);
            if self.whole(area).scale >= scale {
                break;
            }
        }
    }

    /// The width that a box needs for its text, in units of the picture, at this magnification and all above.
    fn room(&self, ui: &Ui, item: Item, scale: f32) -> f32 {
        let (name, kind) = (self.net.short(item), self.net.below(item));
        let letters = LETTERS[usize::from(matches!(item, Item::Group(_)))];
        let text = |text: &str, n: usize| {
            let font = FontId::new(letters[n], family(n == 0));
            let galley = ui
                .painter()
                .layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER);
            // Letters of other sizes have widths that are rounded otherwise.
            1.03 * galley.size().x * (LEGIBLE[n] / letters[n] / scale).max(1.0)
        };
        text(&name, 0).max(text(&kind, 1)) + MARGINS[0] + MARGINS[1] / scale
    }

    /// Where the picture is: by hand, or as it fits the page whatever size that gets.
    fn seen(&self, area: Rect) -> View {
        self.view.unwrap_or_else(|| self.whole(area))
    }

    /// What was opened last, or all, as it fits the page.
    fn whole(&self, area: Rect) -> View {
        let frame = self.near.and_then(|group| {
            let mut frames = self.plan.frames.iter();
            frames.find(|(other, _)| *other == group)
        });
        let size = self.plan.size.max(vec2(1.0, 1.0));
        let all = near(
            Rect::from_min_size(Pos2::ZERO, size),
            area,
            false,
            LARGEST[1],
        );
        match frame {
            // Where all can be read there is no need to come near.
            Some((_, frame)) if all.scale < READABLE => {
                near(frame.expand(6.0), area, area.height() < ROOMY, LARGEST[0])
            }
            _ => all,
        }
    }

    /// Where the small scope covers least: found anew where another picture is shown, not while that is dragged.
    fn free(&mut self, area: Rect, moves: bool) -> Rect {
        let size = CORNER.min(area.size() * vec2(0.36, 0.34));
        let at = |spot: Vec2| Rect::from_min_size(area.min + spot * (area.size() - size), size);
        let view = self.seen(area);
        let laid = (self.made, view, area);
        if moves || self.laid == Some(laid) {
            return at(self.spot);
        }
        let by_hand = self
            .laid
            .is_some_and(|then| (then.0, then.2) == (laid.0, laid.2));
        self.laid = Some(laid);
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
        self.narrow = best.1 > COVERS;
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

    fn draw(&self, ui: &mut Ui, canvas: &Canvas, live: &Live, desk: &Desk) -> Option<Clicked> {
        let theme = canvas.theme;
        // What is turned off is there, but fainter.
        let rests: Vec<bool> = self
            .net
            .groups
            .iter()
            .map(|group| rests(group, desk))
            .collect();
        let off = |group: Option<usize>| group.is_some_and(|group| rests[group]);
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
            let name = format!("{}  \u{2013}", plan::title(&self.net.groups[group]));
            say(painter, place, &name, canvas.font(12.0, true), colour);
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
                let strength = match (lit, off(source)) {
                    (true, _) => 0.95,
                    (false, false) => 0.45,
                    (false, true) => 0.2,
                };
                let colour = mix(theme.surface, tone, strength);
                canvas.wire(painter, wire, colour, if lit { 1.8 } else { 1.2 });
            }
        }
        for (item, rect) in &self.plan.boxes {
            let place = canvas.rect(*rect);
            if !ui.clip_rect().intersects(place) {
                continue;
            }
            let group = match item {
                Item::Node(node) => self.net.nodes[*node].group,
                Item::Group(group) => Some(*group),
            };
            if self.bubble(ui, canvas, *item, place, (within(*item), off(group))) {
                clicked = Some(match item {
                    Item::Node(node) => Clicked::Node(*node),
                    Item::Group(group) => Clicked::Group(*group),
                });
            }
        }
        clicked
    }

    /// A node or a closed group; true if it was clicked.
    fn bubble(
        &self,
        ui: &Ui,
        canvas: &Canvas,
        item: Item,
        rect: Rect,
        (heard, off): (bool, bool),
    ) -> bool {
        let theme = canvas.theme;
        let response = ui.interact(
            rect,
            ui.scope_id().with(("box", item_id(item))),
            Sense::click(),
        );
        let (name, below) = (self.net.name(item), self.net.below(item));
        let (told, group, help) = match item {
            Item::Group(group) => (
                format!("Open {name}"),
                Some(group),
                "A click opens the group",
            ),
            Item::Node(node) => (
                name.to_owned(),
                self.net.nodes[node].group,
                "A click listens to it; another one, to the output again",
            ),
        };
        response.widget_info(|| match item {
            Item::Group(_) => WidgetInfo::labeled(Role::Button, true, &told),
            Item::Node(_) => WidgetInfo::selected(Role::Button, true, heard, &told),
        });
        let accent = match self.net.insert(item) {
            Some(held) if held.warns => theme.warning,
            _ => accent(group.map_or("", |group| &self.net.groups[group]), &theme),
        };
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
        self.label(painter, canvas, item, rect, (accent, off));
        response
            .on_hover_text(format!("{name}: {below}\n{help}"))
            .clicked()
    }

    /// A box's name and, below it, its kind: each where there is room for all of it.
    fn label(
        &self,
        painter: &Painter,
        canvas: &Canvas,
        item: Item,
        rect: Rect,
        (accent, off): (Color32, bool),
    ) {
        let theme = canvas.theme;
        let text = if off { theme.weak } else { theme.text };
        let accent = if off {
            mix(theme.raised, accent, 0.4)
        } else {
            accent
        };
        let (name, below) = (self.net.short(item), self.net.below(item));
        let letters = LETTERS[usize::from(matches!(item, Item::Group(_)))];
        let (bold, light) = (
            canvas.font(letters[0], true),
            canvas.font(letters[1], false),
        );
        let (high, low) = (bold.size, light.size);
        let name = painter.layout_no_wrap(name, bold, text);
        let left = rect.left() + MARGINS[0] * canvas.scale;
        let room = rect.right() - left - 1.0;
        if below.is_empty() {
            if rect.height() > high && rect.width() > name.size().x {
                let place = rect.center() - 0.5 * name.size();
                painter.galley(place, name, text);
            }
            return;
        }
        let bar = Rect::from_min_size(
            rect.min + canvas.scale * vec2(6.0, 8.0),
            vec2(2.5 * canvas.scale, rect.height() - 16.0 * canvas.scale),
        );
        painter.rect_filled(bar, 1.0, accent);
        let kind = painter.layout_no_wrap(below, light, theme.weak);
        // From afar it is a map: what could not be read whole is said by the pointer.
        if rect.height() < high || room < name.size().x {
            return;
        }
        let both = rect.height() >= 1.2 * (high + low) && room >= kind.size().x;
        let gap = if both { 0.5 * 1.15 } else { 0.0 };
        let middle = rect.center().y;
        let place = pos2(left, middle - gap * low - 0.5 * name.size().y);
        painter.galley(place, name, text);
        if both {
            let place = pos2(left, middle + gap * high - 0.5 * kind.size().y);
            painter.galley(place, kind, theme.weak);
        }
    }

    /// What concerns the whole picture.
    fn tools(&mut self, ui: &mut Ui, area: Rect, picture: Rect) {
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
                    (self.view, self.near) = (None, None);
                    self.replan(ui, picture);
                }
            });
        });
    }
}

/// A part of the picture in the middle of the page, or at its top.
fn near(part: Rect, area: Rect, at_top: bool, largest: f32) -> View {
    let room = area.size() - vec2(8.0, 10.0);
    let scale = (room / part.size()).min_elem().clamp(SCALES[0], largest);
    let mut shift = 0.5 * area.size() - scale * part.center().to_vec2();
    if at_top {
        shift.y = 2.0 - scale * part.top();
    }
    View { scale, shift }
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

/// What the inserts hold.
fn held(desk: &Desk) -> [Held; 2] {
    [0, 1].map(|index| {
        let text = cut(&inserts::line(index, desk), LONGEST);
        let (holds, warns) = (desk.link).with_insert(index, |state| (state.holds(), state.warns()));
        Held { text, holds, warns }
    })
}

/// Whether all that a group does is turned off.
fn rests(group: &str, desk: &Desk) -> bool {
    let kind = match group {
        "pre" | "post" => PROG_KIND,
        "noise" => NOISE_KIND,
        "space" => SPACE_KIND,
        _ => {
            let number = group
                .strip_prefix("layer")
                .and_then(|n| n.parse::<usize>().ok());
            match number.and_then(|n| LAYER.get(n.checked_sub(1)?)) {
                Some(ids) => ids.kind,
                None => return false,
            }
        }
    };
    desk.index(kind) == 0
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

fn family(bold: bool) -> FontFamily {
    match bold {
        true => FontFamily::Name("semibold".into()),
        false => FontFamily::Proportional,
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
        let points = (2.0 * points * self.scale).floor() / 2.0;
        let least = LEGIBLE[usize::from(!bold)];
        FontId::new(points.max(least), family(bold))
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
