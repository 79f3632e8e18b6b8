//! The protocol: what moves over the session, on lanes of one time. Points are dragged, added by a double click,
//! typed exactly; lines between them are what the engine will play.

mod form;
mod lanes;
mod time;

use self::form::Typed;
use self::lanes::{AXIS, GUTTER, Labels, Lane, RATE, accent, across};
use self::time::{View, exact};
use super::beat::band;
use super::presets::{clock, take};
use crate::editor::live::Live;
use crate::editor::theme::{Theme, font, in_menu, mix};
use crate::editor::widgets::{Desk, Look, button, short_name, switch};
use crate::editor::words;
use crate::engine::ControlId;
use crate::engine::controls::{BEAT, CARRIER, GLIDE, PROTOCOL_LOOP, PROTOCOL_ON, Values};
use crate::engine::timeline::{Curve, Row, Timeline, can_move, can_travel};
use crate::protocol::{PresetProblem, Protocol};
use egui::accesskit::{Action, ActionData};
use egui::{
    Align2, EventFilter, FontId, Key, Modifiers, PointerButton, Popup, Rect, Response, RichText,
    Role, ScrollArea, Sense, Shape, Stroke, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};
use std::sync::Arc;
use std::time::Duration;

/// Height of the ruler, in points.
const RULER: f32 = 20.0;
/// A beat lane lower than that has its value in small letters, in points.
const LOW: f32 = 120.0;
/// Height of a slim lane, at least and at most.
const SLIM: [f32; 2] = [38.0, 62.0];
/// The way of the pointer, in points, below which a drag is only in time or only in value.
const STRAIGHT: f32 = 4.0;
/// How much finer a drag with shift is.
const FINE: f64 = 0.1;
/// The share of what is in sight that an arrow takes a point by.
const KEY: f64 = 0.01;
/// Points that can be taken hold of at a time: of more, as of imported sequences, one has to come nearer.
const MOST: usize = 400;
/// Until the next look at a play head that moves.
const NEXT: Duration = Duration::from_millis(100);
/// What is so near to the end of a protocol, in seconds, is at it.
const END: f64 = 0.05;
/// Why nothing here plays or moves it.
const LED: &str = "The host's transport leads the protocol: it plays, stops and moves with that.";
/// Length of a new protocol, in seconds.
const NEW: f64 = 600.0;

/// A point by its control and its place among the control's own: neither changes while it is dragged.
type Point = (ControlId, usize);

/// What the page remembers.
#[derive(Default)]
pub(in crate::editor) struct Stage {
    view: View,
    /// Lanes that were asked for and have no point yet.
    asked: Vec<ControlId>,
    chosen: Option<Point>,
    held: Option<Held>,
    laid: Option<Laid>,
    typed: Typed,
    /// Why the last edit was refused.
    wrong: Option<String>,
    /// How far the slim lanes are scrolled, in points.
    scroll: f32,
    /// Where the play head was last.
    head: f64,
    /// It is played and moved from here: no host leads it.
    free: bool,
}

/// A point that is being dragged.
struct Held {
    point: Point,
    /// Where the pointer wants it: seconds, and share of the lane's height.
    seconds: f64,
    share: f64,
    /// Its way so far, in points.
    way: [f32; 2],
    /// The protocol with the point there.
    preview: Option<Arc<Protocol>>,
}

/// A protocol as it is drawn.
struct Laid {
    protocol: Arc<Protocol>,
    /// What else the timeline depends on.
    starts: Vec<f64>,
    timeline: Option<Timeline>,
    /// The controls that it moves, each with its points and their places among all.
    rows: Vec<(ControlId, Vec<(usize, Row)>)>,
}

impl Laid {
    fn new(protocol: Arc<Protocol>, desk: &Desk) -> Laid {
        let mut rows: Vec<(ControlId, Vec<(usize, Row)>)> = Vec::new();
        for (index, row) in protocol.rows().iter().enumerate() {
            match rows.iter_mut().find(|(control, _)| *control == row.control) {
                Some((_, points)) => points.push((index, *row)),
                None => rows.push((row.control, vec![(index, *row)])),
            }
        }
        rows.sort_by_key(|(control, _)| *control);
        let mut laid = Laid {
            timeline: protocol.timeline(&settings(desk), RATE).ok(),
            starts: Vec::new(),
            protocol,
            rows,
        };
        laid.starts = laid.starts(desk);
        laid
    }

    /// The settings that it depends on.
    fn starts(&self, desk: &Desk) -> Vec<f64> {
        let moved = self.rows.iter().map(|(control, _)| *control);
        moved.chain([GLIDE]).map(|id| desk.sink.value(id)).collect()
    }

    fn points(&self, control: ControlId) -> &[(usize, Row)] {
        let found = self.rows.iter().find(|(other, _)| *other == control);
        found.map_or(&[], |(_, points)| points)
    }

    fn value(&self, control: ControlId, seconds: f64) -> Option<f64> {
        let frame = (seconds * RATE).round() as i64;
        self.timeline.as_ref()?.value(control, frame, false)
    }
}

fn settings(desk: &Desk) -> Vec<(ControlId, f64)> {
    ControlId::all()
        .map(|id| (id, desk.sink.value(id)))
        .collect()
}

/// Puts another protocol in force, which can be taken back. The instance's worker hands it to the engine, with a
/// fade: the parameters stay as they are.
fn put(desk: &Desk, protocol: Option<Arc<Protocol>>) {
    let now = take(desk.link, desk.sink);
    desk.link.history(|history| history.note(now));
    desk.link
        .edit_session(|session| session.protocol = protocol);
    desk.sink.touch();
}

impl Stage {
    /// Draws the page.
    pub fn ui(&mut self, ui: &mut Ui, live: &Live, desk: &mut Desk) {
        let theme = Theme::of(ui);
        let Some(protocol) = desk.link.session().protocol else {
            self.held = None;
            self.chosen = None;
            self.empty(ui, desk, &theme);
            return;
        };
        let held = self.held.as_ref().and_then(|held| held.preview.clone());
        let mut laid = self.lay_out(held.unwrap_or(protocol), desk);
        if self.view.fitted {
            self.view.fit(laid.protocol.seconds());
        }
        if self
            .chosen
            .is_some_and(|(control, n)| n >= laid.points(control).len())
        {
            self.chosen = None;
        }
        let now = live.telemetry().and_then(|telemetry| telemetry.protocol());
        self.head = now.unwrap_or(self.head);
        let runs = live.protocol_runs();
        self.free = live.protocol_by_itself();
        if runs {
            // While its time passes without a sound nothing else asks for the next frame.
            ui.ctx().request_repaint_after(NEXT);
        }
        self.bar(ui, &laid, runs, desk, &theme);
        let area = ui.available_rect_before_wrap();
        ui.allocate_rect(area, Sense::hover());
        let form = Rect::from_min_max(pos2(area.left(), area.bottom() - 30.0), area.max);
        let middle = Rect::from_min_max(area.min, pos2(area.right(), form.top() - 6.0));
        if let Some(edited) = self.timeline(ui, middle, &laid, desk, &theme) {
            laid = self.lay_out(edited, desk);
        }
        let builder = UiBuilder::new().id_salt("point").max_rect(form);
        ui.scope_builder(builder, |ui| self.form(ui, &laid, desk, &theme));
        self.laid = Some(laid);
    }

    /// The protocol as it is drawn, made anew where something of it has changed.
    fn lay_out(&mut self, protocol: Arc<Protocol>, desk: &Desk) -> Laid {
        match self.laid.take() {
            Some(laid)
                if Arc::ptr_eq(&laid.protocol, &protocol) && laid.starts == laid.starts(desk) =>
            {
                laid
            }
            _ => Laid::new(protocol, desk),
        }
    }

    fn empty(&mut self, ui: &mut Ui, desk: &mut Desk, theme: &Theme) {
        let area = ui.available_rect_before_wrap();
        ui.allocate_rect(area, Sense::hover());
        let size = vec2(380.0f32.min(area.width()), 196.0f32.min(area.height()));
        let place = Rect::from_center_size(area.center(), size);
        // What could be here: a night.
        let picture = Rect::from_min_size(place.min, vec2(place.width(), 52.0));
        let picture = picture.shrink2(vec2(0.2 * place.width(), 4.0));
        let y = |x: f32| 0.9 * (x * x * (3.0 - 2.0 * x));
        let line: Vec<_> = (0..=60)
            .map(|n| n as f32 / 60.0)
            .map(|x| picture.lerp_inside(vec2(x, y(x))))
            .collect();
        let faint = mix(theme.surface, theme.beat, 0.5);
        super::scope::fill(ui.painter(), &line, picture, faint);
        ui.painter().line(line, Stroke::new(1.6, faint));
        for x in [0.0f32, 0.35, 0.7, 1.0] {
            let at = picture.lerp_inside(vec2(x, y(x)));
            ui.painter().circle_filled(at, 3.5, faint);
        }
        let words = Rect::from_min_max(pos2(place.left(), picture.bottom() + 12.0), place.max);
        let builder = UiBuilder::new().id_salt("empty").max_rect(words);
        ui.scope_builder(builder, |ui| {
            ui.vertical_centered(|ui| {
                let title = RichText::new("A session that moves").font(font::title());
                ui.label(title.color(theme.text));
                let text =
                    "A new protocol leads the beat, and whatever else you choose, through time.";
                ui.label(RichText::new(text).color(theme.weak));
                let help = "Begins with the beat of now, over ten minutes";
                let look = Look::Accent(theme.beat);
                if button(ui, "New protocol", "New protocol", help, true, look).clicked() {
                    self.begin(desk);
                }
                // A host may have them on before there is one; they lead nothing until then.
                ui.add_enabled_ui(false, |ui| {
                    ui.horizontal(|ui| {
                        ui.add_space(0.5 * (ui.available_width() - 124.0).max(0.0));
                        switch(ui, PROTOCOL_ON, theme.beat, desk);
                        switch(ui, PROTOCOL_LOOP, theme.beat, desk);
                    });
                });
            });
        });
    }

    /// A protocol of two points at the beat of now.
    fn begin(&mut self, desk: &mut Desk) {
        let row = |seconds, curve| Row {
            seconds,
            control: BEAT,
            value: desk.value(BEAT),
            curve,
        };
        let rows = vec![row(0.0, Curve::Step), row(NEW, Curve::Linear)];
        match Protocol::from_rows(rows, &settings(desk)) {
            Ok(protocol) => {
                put(desk, Some(Arc::new(protocol)));
                desk.bring(PROTOCOL_ON, 1.0);
                self.view = View::default();
                self.chosen = Some((BEAT, 1));
            }
            Err(error) => desk.link.messages.post(error.to_string()),
        }
    }

    /// Transport, switches, lanes, and what wins over what.
    fn bar(&mut self, ui: &mut Ui, laid: &Laid, runs: bool, desk: &mut Desk, theme: &Theme) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            let over = !desk.is_on(PROTOCOL_LOOP) && self.head >= laid.protocol.seconds() - END;
            let plays = runs && !over;
            if transport(ui, plays, self.free, theme).clicked() && self.free {
                self.press(plays, over, desk);
            }
            let (here, length) = (clock(self.head), clock(laid.protocol.seconds()));
            ui.label(RichText::new(here).font(font::title()).color(theme.text));
            let length = format!("of {length}");
            ui.label(RichText::new(length).font(font::SMALL).color(theme.weak));
            ui.add_space(4.0);
            switch(ui, PROTOCOL_ON, theme.beat, desk);
            switch(ui, PROTOCOL_LOOP, theme.beat, desk);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                let help = "Shows the whole protocol";
                if button(ui, "Fit", "Fit the protocol", help, true, Look::Quiet).clicked() {
                    self.view.fitted = true;
                }
                let help = "Moves another control by the protocol";
                let add = button(ui, "Add lane", "Add lane", help, true, Look::Quiet);
                Popup::menu(&add)
                    .width(190.0)
                    .show(|ui| self.offer(ui, laid));
            });
        });
        let (line, _) = ui.allocate_exact_size(vec2(ui.available_width(), 14.0), Sense::hover());
        let on = desk.is_on(PROTOCOL_ON);
        let text = match (on, laid.points(BEAT).is_empty()) {
            (true, _) => "The protocol wins over the host's beat while it is on.",
            (false, _) => "The protocol is off: the host's values are heard.",
        };
        let dot = pos2(line.left() + 5.0, line.center().y);
        let colour = if on { theme.beat } else { theme.faint };
        ui.painter().circle_filled(dot, 2.5, colour);
        ui.painter().text(
            pos2(line.left() + 14.0, line.center().y),
            Align2::LEFT_CENTER,
            text,
            font::SMALL,
            theme.weak,
        );
    }

    /// Plays, or waits. What is over begins anew; what is off begins where the play head stands.
    fn press(&mut self, plays: bool, over: bool, desk: &mut Desk) {
        if plays {
            desk.sink.play(false);
            return;
        }
        if over {
            self.head = 0.0;
        }
        if over || !desk.is_on(PROTOCOL_ON) {
            desk.sink.seek(self.head);
        }
        desk.bring(PROTOCOL_ON, 1.0);
        desk.sink.play(true);
    }

    /// The controls that have no lane yet, by group.
    fn offer(&mut self, ui: &mut Ui, laid: &Laid) {
        ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
            let mut groups: Vec<&str> = Vec::new();
            for id in ControlId::all().filter(|id| can_move(*id)) {
                let group = id.control().group;
                if !groups.contains(&group) {
                    groups.push(group);
                }
            }
            for group in groups {
                ui.menu_button(group, |ui| {
                    let members = ControlId::all().filter(|id| can_move(*id));
                    for id in members.filter(|id| id.control().group == group) {
                        let free = laid.points(id).is_empty() && !self.asked.contains(&id);
                        let choice = egui::Button::new(short_name(id));
                        if ui.add_enabled(free && id != BEAT, choice).clicked() {
                            self.asked.push(id);
                            self.scroll = f32::INFINITY;
                            ui.close();
                        }
                    }
                });
            }
        });
    }

    /// Where each lane is: the beat's above, the slim ones below it, which scroll where there are too many.
    fn lanes(&mut self, area: Rect, laid: &Laid) -> (Lane, Rect, Vec<Lane>) {
        self.asked.retain(|id| laid.points(*id).is_empty());
        let moved = laid.rows.iter().map(|(control, _)| *control);
        let slim: Vec<ControlId> = moved
            .chain(self.asked.iter().copied())
            .filter(|control| *control != BEAT)
            .collect();
        let gap = 4.0;
        let count = slim.len() as f32;
        let share = if count > 0.0 {
            0.52 * area.height() / count
        } else {
            0.0
        };
        let height = (share - gap).clamp(SLIM[0], SLIM[1]);
        let all = count * (height + gap);
        let beat = (area.height() - all)
            .max(0.46 * area.height())
            .min(area.height());
        let beat = Lane {
            control: BEAT,
            area: Rect::from_min_size(area.min, vec2(area.width(), beat)),
        };
        let below = Rect::from_min_max(pos2(area.left(), beat.area.bottom() + gap), area.max);
        self.scroll = self
            .scroll
            .clamp(0.0, (all - gap - below.height()).max(0.0));
        let lanes = slim.into_iter().enumerate().map(|(index, control)| {
            let top = below.top() + index as f32 * (height + gap) - self.scroll;
            let corner = pos2(below.left(), top);
            let area = Rect::from_min_size(corner, vec2(below.width(), height));
            Lane { control, area }
        });
        (beat, below, lanes.collect())
    }

    /// Draws ruler, lanes and play head; returns the protocol where it was edited.
    fn timeline(
        &mut self,
        ui: &mut Ui,
        area: Rect,
        laid: &Laid,
        desk: &mut Desk,
        theme: &Theme,
    ) -> Option<Arc<Protocol>> {
        let ruler = Rect::from_min_size(
            pos2(area.left() + GUTTER, area.top()),
            vec2(area.width() - GUTTER, RULER),
        );
        self.ruler(ui, ruler, laid, desk, theme);
        let rest = Rect::from_min_max(pos2(area.left(), ruler.bottom()), area.max);
        let (beat, below, slim) = self.lanes(rest, laid);
        self.wheel(ui, rest, ruler, &slim);
        let range = across(ruler);
        let head = Some(self.view.x(self.head, range)).filter(|x| ruler.x_range().contains(*x));
        let colour = if desk.is_on(PROTOCOL_ON) {
            theme.text
        } else {
            theme.faint
        };
        let stroke = Stroke::new(1.2, colour);
        // Below all labels: it is drawn between the lanes, and in each of them below what is written there.
        let head = head.map(|x| (x, stroke));
        if let Some((x, stroke)) = head {
            ui.painter()
                .vline(x, ruler.bottom()..=area.bottom(), stroke);
        }
        let mut edited = self.lane(ui, &beat, (rest, head), laid, desk, theme);
        for lane in &slim {
            if lane.area.intersects(below) {
                edited = self
                    .lane(ui, lane, (below, head), laid, desk, theme)
                    .or(edited);
            }
        }
        let hidden =
            slim.last().map_or(0.0, |lane| lane.area.bottom()) + self.scroll - below.bottom();
        if hidden > 1.0 {
            let share = below.height() / (below.height() + hidden);
            let top = below.top() + (1.0 - share) * below.height() * self.scroll / hidden;
            let bar = Rect::from_min_size(
                pos2(area.right() - 3.0, top),
                vec2(3.0, share * below.height()),
            );
            ui.painter().rect_filled(bar, 1.5, theme.faint);
        }
        if let Some((x, stroke)) = head {
            let tip = pos2(x, ruler.bottom() + 1.0);
            let flag = vec![tip, tip + vec2(-5.0, -8.0), tip + vec2(5.0, -8.0)];
            let flag = Shape::convex_polygon(flag, stroke.color, Stroke::NONE);
            ui.painter().add(flag);
        }
        edited
    }

    /// Times; a click goes there, a drag takes the play head along, arrows move it.
    fn ruler(&mut self, ui: &mut Ui, area: Rect, laid: &Laid, desk: &Desk, theme: &Theme) {
        let id = ui.scope_id().with("ruler");
        let sense = if self.free {
            Sense::click_and_drag()
        } else {
            Sense::hover()
        };
        let response = ui.interact(area, id, sense);
        response.widget_info(|| {
            let mut info = WidgetInfo::slider(self.free, self.head, "Protocol position");
            info.current_text_value = Some(exact(self.head));
            info
        });
        let range = across(area);
        let painter = ui.painter_at(area.expand2(vec2(24.0, 0.0)));
        for mark in self.view.marks(range) {
            let x = self.view.x(mark, range);
            let colour = if self.free && (response.hovered() || response.has_focus()) {
                theme.text
            } else {
                theme.weak
            };
            let text = if mark.fract() == 0.0 {
                clock(mark)
            } else {
                exact(mark)
            };
            let galley = painter.layout_no_wrap(text, font::TINY, colour);
            // The last one ends with the plot.
            let left = (x - 0.5 * galley.size().x).min(area.right() - galley.size().x);
            let top = area.center().y - 2.0 - 0.5 * galley.size().y;
            painter.galley(pos2(left, top), galley, colour);
        }
        let goes = response.clicked() || response.drag_stopped_by(PointerButton::Primary);
        if let Some(at) = response
            .interact_pointer_pos()
            .filter(|_| goes || response.dragged())
        {
            let seconds = self.view.seconds(at.x, range);
            self.head = seconds.clamp(0.0, laid.protocol.seconds());
            if goes {
                desk.sink.seek(self.head);
            }
        }
        if response.clicked() {
            response.request_focus();
        }
        if let Some(seconds) = self.asked_for(ui, &response) {
            self.head = seconds.clamp(0.0, laid.protocol.seconds());
            desk.sink.seek(self.head);
        }
        if response.has_focus() {
            let ring = Stroke::new(1.0, theme.weak);
            let inside = egui::StrokeKind::Inside;
            painter.rect_stroke(area.shrink2(vec2(0.0, 1.0)), 4.0, ring, inside);
        }
        let _ = if self.free {
            let help = "A click goes there; drag the play head, or move it by the arrows.";
            let response = response.on_hover_cursor(egui::CursorIcon::ResizeHorizontal);
            response.on_hover_text(help)
        } else {
            response.on_hover_text(LED)
        };
    }

    /// Where keys, or assistive technology, want the play head.
    fn asked_for(&self, ui: &Ui, response: &Response) -> Option<f64> {
        let asked =
            |action| ui.input(|input| input.num_accesskit_action_requests(response.id, action));
        let set = ui.input(|input| {
            let requests = input.accesskit_action_requests(response.id, Action::SetValue);
            requests.filter_map(|request| request.data.clone()).last()
        });
        match set {
            Some(ActionData::NumericValue(seconds)) => return Some(seconds),
            Some(ActionData::Value(text)) => return time::parse(&text).ok(),
            _ => {}
        }
        let mut steps = asked(Action::Increment) as f64 - asked(Action::Decrement) as f64;
        if response.has_focus() {
            ui.memory_mut(|memory| {
                let filter = EventFilter {
                    horizontal_arrows: true,
                    ..EventFilter::default()
                };
                memory.set_focus_lock_filter(response.id, filter);
            });
            let [later, earlier, first] = ui.input_mut(|input| {
                let mut count = |key| {
                    // Those with shift first: without is with or without.
                    let little = input.count_and_consume_key(Modifiers::SHIFT, key) as f64;
                    FINE * little + input.count_and_consume_key(Modifiers::NONE, key) as f64
                };
                [Key::ArrowRight, Key::ArrowLeft, Key::Home].map(&mut count)
            });
            if first > 0.0 {
                return Some(0.0);
            }
            steps += later - earlier;
        }
        (steps != 0.0).then_some(self.head + steps * KEY * self.view.span)
    }

    /// The wheel shows more or less of the time; over the names it scrolls the lanes.
    fn wheel(&mut self, ui: &Ui, area: Rect, ruler: Rect, slim: &[Lane]) {
        let Some(at) = ui.input(|input| input.pointer.hover_pos()) else {
            return;
        };
        let whole = area.union(ruler);
        if !whole.contains(at) || !ui.rect_contains_pointer(whole) {
            return;
        }
        let (way, pinch) = ui.input_mut(|input| {
            let way = input.smooth_scroll_delta();
            input.smooth_scroll_delta = egui::Vec2::ZERO;
            (way, input.zoom_delta())
        });
        if at.x < ruler.left() && !slim.is_empty() {
            self.scroll -= way.y;
            return;
        }
        let factor = f64::from(pinch) * f64::from(0.005 * way.y).exp();
        if factor != 1.0 {
            self.view.zoom(factor, at.x, across(ruler));
        }
        if way.x != 0.0 {
            self.view.pan(way.x, across(ruler));
        }
    }

    /// A lane with its points, in what of it is seen, with the line of the play head; returns the protocol where it was
    /// edited.
    fn lane(
        &mut self,
        ui: &mut Ui,
        lane: &Lane,
        (clip, head): (Rect, Option<(f32, Stroke)>),
        laid: &Laid,
        desk: &mut Desk,
        theme: &Theme,
    ) -> Option<Arc<Protocol>> {
        let control = lane.control;
        let entry = control.control();
        let points = laid.points(control);
        let colour = accent(control, theme);
        let id = ui.scope_id().with(("lane", entry.id));
        let plot = lane.plot();
        let range = lane.span();
        let ground = ui.interact(lane.area.intersect(clip), id, Sense::click_and_drag());
        ground
            .widget_info(|| WidgetInfo::labeled(Role::Group, true, format!("{} lane", entry.name)));
        let painter = ui.painter_at(clip);
        lanes::ground(&painter, lane, &self.view, laid.protocol.seconds(), theme);
        let inside = ui.painter_at(plot.intersect(clip));
        if let Some((x, stroke)) = head {
            inside.vline(x, plot.y_range(), stroke);
        }
        let line = match &laid.timeline {
            Some(timeline) if !points.is_empty() => {
                lanes::travel(&inside, lane, &self.view, timeline, points, colour)
            }
            _ => lanes::still(&inside, lane, desk.value(control), colour),
        };
        self.title(&painter, lane, laid, desk, theme);
        let at = ground.interact_pointer_pos();
        let mut edited = None;
        if let Some(at) = at.filter(|at| ground.double_clicked() && plot.contains(*at)) {
            edited = self.add(lane, at, laid, desk);
        } else if ground.clicked() {
            self.chosen = None;
            self.wrong = None;
        }
        if ground.dragged_by(PointerButton::Primary) {
            let way = ground.drag_delta();
            self.view.pan(way.x, range);
            self.scroll -= if control == BEAT { 0.0 } else { way.y };
        }
        ground.context_menu(|ui| {
            in_menu(ui, 150.0);
            ui.weak(entry.name);
            let removable = control != BEAT || !points.is_empty();
            if ui
                .add_enabled(removable, egui::Button::new("Remove lane"))
                .clicked()
            {
                self.asked.retain(|asked| *asked != control);
                if !points.is_empty() {
                    let without = laid.protocol.without_control(control, &settings(desk));
                    edited = self.take_up(without, desk);
                }
                ui.close();
            }
        });
        // One that is held is there wherever it is dragged to.
        let held = self.held.as_ref().map(|held| held.point);
        let is_held = |n: usize| held == Some((control, n));
        let visible = points.iter().enumerate().filter(|(n, (_, row))| {
            let x = self.view.x(row.seconds, range);
            is_held(*n) || (range.min - 8.0..=range.max + 8.0).contains(&x)
        });
        let mut visible: Vec<(usize, Row)> = visible.map(|(n, (_, row))| (n, *row)).collect();
        let mut left = MOST;
        visible.retain(|(n, _)| {
            left = left.saturating_sub(1);
            left > 0 || is_held(*n)
        });
        let radius = if control == BEAT { 4.5 } else { 3.8 };
        let marks = visible.iter().map(|(_, row)| {
            let at = pos2(self.view.x(row.seconds, range), lane.y(row.value));
            Rect::from_center_size(at, vec2(2.0 * radius, 2.0 * radius))
        });
        // The play head rests at the beginning; elsewhere it passes below what is written.
        let lines = [0.0, laid.protocol.seconds()].map(|seconds| self.view.x(seconds, range));
        let mut labels = Labels {
            room: plot.intersect(clip),
            line,
            uprights: lines.to_vec(),
            marks: marks.collect(),
            taken: Vec::new(),
        };
        for (n, row) in visible {
            let at = pos2(self.view.x(row.seconds, range), lane.y(row.value));
            if !clip.expand(4.0).contains(at) && !is_held(n) {
                continue;
            }
            let spot = Rect::from_center_size(at, vec2(16.0, 16.0)).intersect(clip.expand(4.0));
            let response = ui.interact(spot, id.with(n), Sense::click_and_drag());
            response.widget_info(|| {
                let name = format!("{} point {}", entry.name, n + 1);
                let mut info = WidgetInfo::slider(true, row.value, name);
                let value = desk.whole(control, row.value);
                info.current_text_value = Some(format!("{value} at {}", exact(row.seconds)));
                info
            });
            edited = self.handle(ui, &response, lane, n, laid, desk).or(edited);
            let chosen = self.chosen == Some((control, n));
            let lit = chosen || response.hovered() || response.has_focus();
            let marks = ui.painter_at(clip.intersect(plot.expand(8.0)));
            marks.circle_filled(at, radius, if lit { colour } else { theme.surface });
            marks.circle_stroke(at, radius, Stroke::new(1.8, colour));
            if chosen {
                marks.circle_stroke(at, radius + 3.5, Stroke::new(1.2, theme.text));
            }
            let text = desk.whole(control, row.value);
            let text = match lit {
                true => format!("{text} \u{b7} {}", exact(row.seconds)),
                false => text,
            };
            let colour = if lit { theme.text } else { theme.weak };
            let galley = marks.layout_no_wrap(text, font::TINY, colour);
            let before = n.checked_sub(1).map_or(row.value, |n| points[n].1.value);
            let rises = row.value.total_cmp(&before);
            if let Some(place) = labels.place(at, galley.size(), rises, lit) {
                lanes::write(&marks, place, galley, theme);
                labels.taken.push(place);
            }
        }
        lanes::names(&inside, lane, &labels, theme);
        edited
    }

    /// A lane's name, and its value where the play head is.
    fn title(&self, painter: &egui::Painter, lane: &Lane, laid: &Laid, desk: &Desk, theme: &Theme) {
        let control = lane.control;
        let colour = accent(control, theme);
        let value = laid
            .value(control, self.head)
            .unwrap_or_else(|| desk.value(control));
        // As beside the beat, and as on the widget that it moves.
        let text = match control {
            BEAT | CARRIER => words::steady(control, value),
            _ => desk.text(control, value),
        };
        let left = lane.area.left();
        let names =
            Rect::from_min_max(lane.area.min, pos2(left + GUTTER - 4.0, lane.area.bottom()));
        let painter = painter.with_clip_rect(painter.clip_rect().intersect(names));
        let top = lane.area.top();
        if control == BEAT {
            let name = pos2(left, top + 4.0);
            painter.text(name, Align2::LEFT_TOP, "Beat", font::heading(), theme.text);
            let most = match lane.area.height() < LOW {
                true => font::heading(),
                false => font::title(),
            };
            // All of it, beside the numbers of the axis; in one size, whatever it is.
            let widest = painter.layout_no_wrap("100.000 Hz".to_owned(), most.clone(), colour);
            let share = ((GUTTER - AXIS) / widest.size().x).min(1.0);
            let font = FontId::new((most.size * share).floor(), most.family);
            let place = pos2(left, top + 22.0);
            let drawn = painter.text(place, Align2::LEFT_TOP, text, font, colour);
            let below = pos2(left, drawn.bottom() + 2.0);
            painter.text(
                below,
                Align2::LEFT_TOP,
                band(value),
                font::SMALL,
                theme.weak,
            );
            return;
        }
        let middle = lane.area.center().y;
        let name = control.control().name;
        let bar = Rect::from_min_size(pos2(left, middle - 13.0), vec2(2.5, 26.0));
        painter.rect_filled(bar, 1.0, colour);
        for (y, text, font, colour) in [
            (middle - 7.0, name, font::SMALL, theme.weak),
            (middle + 8.0, text.as_str(), font::value(), theme.text),
        ] {
            painter.text(pos2(left + 8.0, y), Align2::LEFT_CENTER, text, font, colour);
        }
    }

    /// What pointer and keyboard do to a point; returns the protocol where it was edited.
    fn handle(
        &mut self,
        ui: &Ui,
        response: &Response,
        lane: &Lane,
        n: usize,
        laid: &Laid,
        desk: &Desk,
    ) -> Option<Arc<Protocol>> {
        let control = lane.control;
        let points = laid.points(control);
        let &(index, row) = points.get(n)?;
        if response.clicked() || response.drag_started_by(PointerButton::Primary) {
            self.chosen = Some((control, n));
            self.wrong = None;
        }
        if response.clicked() {
            response.request_focus();
        }
        if response.drag_started_by(PointerButton::Primary) {
            self.held = Some(Held {
                point: (control, n),
                seconds: row.seconds,
                share: lane.share(row.value),
                way: [0.0; 2],
                preview: None,
            });
        }
        let mut held = self.held.take_if(|held| held.point == (control, n));
        if let Some(held) = held
            .as_mut()
            .filter(|_| response.dragged_by(PointerButton::Primary))
        {
            let fine = ui.input(|input| input.modifiers.shift);
            let way = response.drag_delta();
            if way != egui::Vec2::ZERO {
                self.pull(held, lane, way, fine, laid, desk);
            }
        }
        if response.drag_stopped() {
            let escaped = ui.input(|input| input.key_pressed(Key::Escape));
            let edited = held.and_then(|held| held.preview).filter(|_| !escaped);
            return edited.inspect(|edited| put(desk, Some(edited.clone())));
        }
        if held.is_some() {
            self.held = held;
        }
        let deletes = response.has_focus()
            && ui
                .input(|input| input.key_pressed(Key::Delete) || input.key_pressed(Key::Backspace));
        if response.gained_focus() {
            self.chosen = Some((control, n));
            self.wrong = None;
        }
        let mut edited = None;
        if deletes {
            edited = self.delete(index, laid, desk);
        } else if let Some(to) = self.nudged(ui, response, lane, row) {
            self.chosen = Some((control, n));
            edited = self.set(to, laid, desk);
        }
        response.context_menu(|ui| {
            in_menu(ui, 150.0);
            ui.weak(format!(
                "{}, {}",
                lane.control.control().name,
                exact(row.seconds)
            ));
            if ui.button("Delete point").clicked() {
                edited = self.delete(index, laid, desk);
                ui.close();
            }
            ui.separator();
            for (curve, name) in form::CURVES {
                let can = curve == Curve::Step || can_travel(control);
                let here = egui::Button::selectable(row.curve == curve, name);
                if ui.add_enabled(can, here).clicked() {
                    self.chosen = Some((control, n));
                    edited = self.set(Row { curve, ..row }, laid, desk);
                    ui.close();
                }
            }
        });
        edited
    }

    /// Where the arrows take a point that has the focus: a hundredth of what is in sight, with shift a tenth of that.
    fn nudged(&self, ui: &Ui, response: &Response, lane: &Lane, row: Row) -> Option<Row> {
        if !response.has_focus() {
            return None;
        }
        // Arrows move the point, not the focus; tab goes to the next one.
        ui.memory_mut(|memory| {
            let filter = EventFilter {
                horizontal_arrows: true,
                vertical_arrows: true,
                ..EventFilter::default()
            };
            memory.set_focus_lock_filter(response.id, filter);
        });
        let way = |more: Key, less: Key| {
            ui.input_mut(|input| {
                let mut count =
                    |key, modifiers| f64::from(input.count_and_consume_key(modifiers, key) as u32);
                // Those with shift first: without is with or without.
                let little = count(more, Modifiers::SHIFT) - count(less, Modifiers::SHIFT);
                FINE * little + count(more, Modifiers::NONE) - count(less, Modifiers::NONE)
            })
        };
        let later = way(Key::ArrowRight, Key::ArrowLeft);
        let higher = way(Key::ArrowUp, Key::ArrowDown);
        let mut to = row;
        if later != 0.0 {
            let step = (KEY * self.view.span).max(0.001);
            let seconds = row.seconds + later * step;
            // As exactly as it can be typed.
            to.seconds = (1e3 * seconds).round().max(0.0) / 1e3;
        }
        if higher != 0.0 {
            let entry = lane.control.control();
            let moved = lane.value(lane.share(row.value) + KEY * higher);
            to.value = if moved == row.value {
                // Less than its last decimal.
                entry.snap(entry.clamp(row.value + least(lane.control).copysign(higher)))
            } else {
                moved
            };
        }
        (to != row).then_some(to)
    }

    /// Takes a held point further.
    fn pull(
        &mut self,
        held: &mut Held,
        lane: &Lane,
        way: egui::Vec2,
        fine: bool,
        laid: &Laid,
        desk: &Desk,
    ) {
        let range = lane.span();
        let (control, n) = held.point;
        let points = laid.points(control);
        let &(index, row) = &points[n];
        let scale = if fine { FINE } else { 1.0 };
        held.way[0] += way.x;
        held.way[1] += way.y;
        // A drag along one of the two leaves the other as it is.
        let seconds = if held.way[0].abs() >= STRAIGHT {
            held.seconds += scale * f64::from(way.x / range.span()) * self.view.span;
            let before = n.checked_sub(1).map_or(0.0, |n| points[n].1.seconds);
            let after = points.get(n + 1).map_or(f64::MAX, |(_, row)| row.seconds);
            self.view
                .snap(held.seconds, fine, range)
                .clamp(before, after)
        } else {
            row.seconds
        };
        let value = if held.way[1].abs() >= STRAIGHT || seconds == row.seconds {
            held.share -= scale * lane.share_of(way.y);
            lane.value(held.share)
        } else {
            row.value
        };
        let to = Row {
            seconds,
            value,
            ..row
        };
        if to == row {
            return;
        }
        match laid.protocol.moved(index, to, &settings(desk)) {
            Ok((protocol, _)) => {
                held.preview = Some(Arc::new(protocol));
                self.wrong = None;
            }
            Err(problem) => self.wrong = Some(plain(&problem)),
        }
    }

    /// A point where the pointer is.
    fn add(
        &mut self,
        lane: &Lane,
        at: egui::Pos2,
        laid: &Laid,
        desk: &Desk,
    ) -> Option<Arc<Protocol>> {
        let range = lane.span();
        let control = lane.control;
        let travels = can_travel(control);
        let point = Row {
            seconds: self.view.snap(self.view.seconds(at.x, range), false, range),
            control,
            value: lane.value(lane.share_at(at.y)),
            curve: if travels { Curve::Linear } else { Curve::Step },
        };
        let settings = settings(desk);
        let is_first = laid.points(control).is_empty();
        let added = laid.protocol.with_point(point, &settings);
        let added = added.map(|(protocol, index)| {
            // The first point of a lane is reached from somewhere: where the control stands now.
            let before = protocol.rows()[..index]
                .iter()
                .filter(|row| row.control == control);
            let n = before.count();
            let pinned = if is_first {
                protocol.pinned(&settings)
            } else {
                protocol
            };
            let start =
                usize::from(is_first && pinned.rows().len() > laid.protocol.rows().len() + 1);
            self.chosen = Some((control, n + start));
            Some(pinned)
        });
        self.take_up(added, desk)
    }

    fn delete(&mut self, index: usize, laid: &Laid, desk: &Desk) -> Option<Arc<Protocol>> {
        self.chosen = None;
        let without = laid.protocol.without_point(index, &settings(desk));
        self.take_up(without, desk)
    }

    /// Gives the chosen point another time, value or curve.
    fn set(&mut self, to: Row, laid: &Laid, desk: &Desk) -> Option<Arc<Protocol>> {
        let (control, n) = self.chosen?;
        let &(index, row) = laid.points(control).get(n)?;
        if row == to {
            return None;
        }
        let moved = laid.protocol.moved(index, to, &settings(desk));
        let moved = moved.map(|(protocol, index)| {
            // A typed time may take it past its neighbours.
            let before = protocol.rows()[..index]
                .iter()
                .filter(|row| row.control == control);
            self.chosen = Some((control, before.count()));
            Some(protocol)
        });
        self.take_up(moved, desk)
    }

    /// Puts an edit in force, or says why it cannot be.
    fn take_up(
        &mut self,
        edit: Result<Option<Protocol>, PresetProblem>,
        desk: &Desk,
    ) -> Option<Arc<Protocol>> {
        match edit {
            Ok(protocol) => {
                let protocol = protocol.map(Arc::new);
                put(desk, protocol.clone());
                self.wrong = None;
                protocol
            }
            Err(problem) => {
                let text = plain(&problem);
                desk.link.messages.post(format!("protocol: {text}"));
                self.wrong = Some(text);
                None
            }
        }
    }
}

/// The smallest step of a control.
fn least(control: ControlId) -> f64 {
    match control.control().values {
        Values::Number { decimals, .. } => 10f64.powi(-(decimals as i32)),
        _ => 1.0,
    }
}

/// What is wrong, without where in a list: the point is in sight.
fn plain(problem: &PresetProblem) -> String {
    let text = match problem {
        PresetProblem::Timeline(error) => error.to_string(),
        PresetProblem::RowValue { error, .. } => error.to_string(),
        other => other.to_string(),
    };
    words::named(&text)
}

/// Play or pause; no button where the host leads.
fn transport(ui: &mut Ui, runs: bool, free: bool, theme: &Theme) -> Response {
    let sense = if free { Sense::click() } else { Sense::hover() };
    let (area, response) = ui.allocate_exact_size(vec2(30.0, 26.0), sense);
    let name = if runs {
        "Pause protocol"
    } else {
        "Play protocol"
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Button, free, name));
    let active = free && (response.hovered() || response.has_focus());
    let fill = mix(theme.raised, theme.text, if active { 0.12 } else { 0.0 });
    let painter = ui.painter();
    if free {
        painter.rect_filled(area, 6.0, fill);
    }
    if response.has_focus() {
        let ring = Stroke::new(1.0, theme.weak);
        painter.rect_stroke(area, 6.0, ring, egui::StrokeKind::Inside);
    }
    let centre = area.center();
    let colour = if free { theme.beat } else { theme.weak };
    if runs {
        for x in [-3.5, 3.5] {
            let bar = Rect::from_center_size(centre + vec2(x, 0.0), vec2(3.0, 11.0));
            painter.rect_filled(bar, 1.0, colour);
        }
    } else {
        let corners = [vec2(-4.0, -6.0), vec2(6.5, 0.0), vec2(-4.0, 6.0)];
        let shape = corners.map(|corner| centre + corner).to_vec();
        painter.add(Shape::convex_polygon(shape, colour, Stroke::NONE));
    }
    if free {
        response.on_hover_text(name)
    } else {
        response.on_hover_text(LED)
    }
}
