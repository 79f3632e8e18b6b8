//! What turns the head and moves controls from outside: trackers, OSC, MIDI. Ports open and close on the worker; here
//! is what is asked of them and what has become of it.

use crate::control::{Moves, MrMode, PortState, QuaternionOrder, Status, midi_ports};
use crate::editor::theme::{Theme, font};
use crate::editor::widgets::{Desk, Look, button, lamp, switch};
use crate::editor::words;
use crate::engine::ControlId;
use crate::engine::controls::{HEAD_TRACK, SPACE_KIND, SPACE_OFF};
use egui::{
    Align, Align2, Color32, ComboBox, DragValue, Layout, Response, RichText, Role, Sense, TextEdit,
    Ui, WidgetInfo, vec2,
};
use std::time::Duration;

/// Axes by their names.
const AXES: [&str; 3] = ["yaw", "pitch", "roll"];

/// The ways in which the axes can be swapped.
const ORDERS: [[u8; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

/// Width of the labels before settings, in points.
const LABEL: f32 = 88.0;
/// Height of a setting, in points.
const HIGH: f32 = 24.0;
/// Width of what is on or off, and of a number, in points.
const SHORT: f32 = 58.0;

/// Seconds after which a tracker is only called silent: its age moves no more.
const SILENT: f64 = 10.0;

/// Draws what turns the head, and what OSC moves.
pub(super) fn trackers(ui: &mut Ui, desk: &mut Desk) {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.y = 3.0;
    let status = desk.link.control.status();
    tracking(ui, desk, &status, &theme);
    osc(ui, desk, &status, &theme);
    if status.source.is_some_and(|source| source.age < SILENT) {
        // Rate and age move while no sound does.
        ui.ctx().request_repaint_after(Duration::from_millis(100));
    }
}

/// Draws what controllers move, and what is held from outside.
pub(super) fn controllers(ui: &mut Ui, desk: &mut Desk) {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.y = 3.0;
    let status = desk.link.control.status();
    midi(ui, desk, &status, &theme);
    held(ui, desk, &status, &theme);
}

fn title(ui: &mut Ui, text: &str, theme: &Theme) {
    ui.add_space(6.0);
    ui.label(heading(text, theme));
}

fn heading(text: &str, theme: &Theme) -> RichText {
    RichText::new(text).font(font::heading()).color(theme.text)
}

fn told(ui: &mut Ui, text: impl Into<String>, colour: Color32) {
    ui.label(RichText::new(text.into()).font(font::SMALL).color(colour));
}

/// What belongs together behind a label: the labels have a column of their own.
fn row(ui: &mut Ui, label: &str, theme: &Theme, draw: impl FnOnce(&mut Ui)) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.spacing_mut().interact_size.y = HIGH;
        let (area, _) = ui.allocate_exact_size(vec2(LABEL - 4.0, HIGH), Sense::hover());
        let place = area.left_center();
        let painter = ui.painter();
        painter.text(place, Align2::LEFT_CENTER, label, font::SMALL, theme.weak);
        ui.style_mut().override_font_id = Some(font::SMALL);
        draw(ui);
    });
}

/// What is left of a row, in points.
fn rest(ui: &Ui) -> f32 {
    ui.available_size_before_wrap().x
}

/// A number of seconds behind a label.
fn seconds(ui: &mut Ui, label: &str, name: &str, value: &mut f64, most: f64, theme: &Theme) {
    row(ui, label, theme, |ui| {
        let field = ui.add_sized(
            [SHORT, HIGH],
            DragValue::new(value)
                .range(0.0..=most)
                // What a project says stays as long as nobody moves it.
                .clamp_existing_to_range(false)
                .speed(0.002 * most.max(0.5))
                .max_decimals(if most > 1.0 { 1 } else { 3 })
                .suffix(" s"),
        );
        field.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, name));
    });
}

/// One of several, as a list that opens.
fn pick<T: PartialEq>(ui: &mut Ui, name: &str, help: &str, now: &mut T, all: Vec<(T, &str)>) {
    let shown = all.iter().find(|(value, _)| value == now);
    let shown = shown.map_or("", |(_, text)| *text);
    let response = ComboBox::from_id_salt(name)
        .width(rest(ui))
        .truncate()
        .selected_text(RichText::new(shown).font(font::SMALL))
        .show_ui(ui, |ui| {
            for (value, text) in all {
                if ui.selectable_label(value == *now, text).clicked() {
                    *now = value;
                }
            }
        })
        .response;
    response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, name));
    response.on_hover_text(help);
}

/// What has become of a port.
fn state(ui: &mut Ui, port: &PortState, theme: &Theme) {
    match port {
        PortState::Off => {}
        PortState::Open => told(ui, "open", theme.layer),
        PortState::Taken(why) => told(ui, format!("{why}; tried again"), theme.warning),
    }
}

/// A setting that is on or off.
fn toggle(ui: &mut Ui, name: &str, help: &str, on: &mut bool, theme: &Theme) {
    let text = if *on { "on" } else { "off" };
    lamp(ui, vec2(SHORT, HIGH), text, (name, help), theme.space, on);
}

/// A number of a port. It counts when it is let go of or entered: each step on the way would open a port.
fn port(ui: &mut Ui, name: &str, number: &mut u16) -> Response {
    let kept = ui.scope_id().with(("port", name));
    let moving: Option<u16> = ui.data(|data| data.get_temp(kept));
    let mut shown = moving.unwrap_or(*number);
    let field = ui.add_sized(
        [SHORT, HIGH],
        DragValue::new(&mut shown)
            .range(1024..=65535)
            .clamp_existing_to_range(false)
            .speed(0.2)
            .update_while_editing(false),
    );
    field.widget_info(|| WidgetInfo::labeled(Role::SpinButton, true, name));
    if field.dragged() || field.has_focus() {
        ui.data_mut(|data| data.insert_temp(kept, shown));
    } else {
        ui.data_mut(|data| data.remove::<u16>(kept));
        *number = shown;
    }
    field
}

fn tracking(ui: &mut Ui, desk: &mut Desk, status: &Status, theme: &Theme) {
    let ends = Layout::right_to_left(Align::Center);
    ui.horizontal(|ui| {
        ui.label(heading("Head tracker", theme));
        ui.with_layout(ends, |ui| switch(ui, HEAD_TRACK, theme.space, desk));
    });
    let (text, colour) = match (&status.source, status.head) {
        (Some(source), _) if source.age >= SILENT => {
            (format!("{}: silent", source.source.name()), theme.weak)
        }
        (Some(source), Some([yaw, pitch, roll])) => {
            let text = format!(
                "{}: {:.0} a second, {:.1} s ago; {yaw:+.0}\u{b0} {pitch:+.0}\u{b0} {roll:+.0}\u{b0}",
                source.source.name(),
                source.rate,
                source.age
            );
            (text, theme.text)
        }
        _ => ("no tracker is heard".to_owned(), theme.weak),
    };
    ui.horizontal(|ui| {
        ui.with_layout(ends, |ui| {
            let help = "What is in front of the head now becomes straight ahead for the tracker";
            let there = status.source.is_some();
            let name = "Recenter the tracker";
            if button(ui, "Recenter", name, help, there, Look::Raised).clicked() {
                desk.link.control.recenter();
            }
            let rest = Layout::left_to_right(Align::Center).with_main_wrap(true);
            ui.with_layout(rest, |ui| told(ui, text, colour));
        });
    });
    if desk.index(SPACE_KIND) == SPACE_OFF {
        let text = "Space is off: no turn of the head is heard.";
        told(ui, text, theme.weak);
    }
    let mut settings = desk.link.control.settings();
    let before = settings.clone();
    row(ui, "opentrack", theme, |ui| {
        let help = "Listens to opentrack's UDP output, which is also how many headsets arrive";
        let on = &mut settings.opentrack;
        toggle(ui, "Listen to opentrack", help, on, theme);
        port(ui, "opentrack port", &mut settings.opentrack_port);
        state(ui, &status.opentrack, theme);
    });
    row(ui, "Supperware", theme, |ui| {
        let help = "Turns a Supperware tracker at the MIDI port on";
        toggle(ui, "Supperware", help, &mut settings.supperware, theme);
    });
    row(ui, "MrHeadTracker", theme, |ui| {
        let help = "What MrHeadTracker's 14-bit controllers at the MIDI port are";
        let all = vec![
            (MrMode::Off, "off"),
            (MrMode::Quaternion, "w x y z"),
            (MrMode::Ypr, "yaw, pitch, roll"),
        ];
        pick(ui, "MrHeadTracker", help, &mut settings.mr_mode, all);
    });
    row(ui, "Invert", theme, |ui| {
        let width = ((rest(ui) - 8.0) / 3.0).floor();
        for (axis, name) in AXES.into_iter().enumerate() {
            let told = format!("Invert {name}");
            let told = (told.as_str(), "Turns the tracker's axis round");
            let on = &mut settings.head.invert[axis];
            lamp(ui, vec2(width, HIGH), name, told, theme.space, on);
        }
    });
    row(ui, "Axes", theme, |ui| {
        let help = "Which of the tracker's angles are the head's yaw, pitch and roll";
        let text = |order: [u8; 3]| order.map(|axis| AXES[usize::from(axis).min(2)]).join(", ");
        let names = ORDERS.map(text);
        let names = names.iter().map(String::as_str);
        let all = ORDERS.into_iter().zip(names).collect();
        pick(ui, "Axes", help, &mut settings.head.axes, all);
    });
    row(ui, "Quaternion", theme, |ui| {
        let help = "The order of what comes at /quaternion";
        let all = vec![
            (QuaternionOrder::Wxyz, "w x y z"),
            (QuaternionOrder::Xyzw, "x y z w"),
        ];
        pick(ui, "Quaternion order", help, &mut settings.order, all);
    });
    let head = &mut settings.head;
    for (label, name, value, most) in [
        ("Ahead", "Tracker prediction", &mut head.prediction, 0.1),
        ("Smoothing", "Tracker smoothing", &mut head.smoothing, 1.0),
        ("Home after", "Tracker time-out", &mut head.timeout, 60.0),
    ] {
        seconds(ui, label, name, value, most, theme);
    }
    keep(desk, settings, &before);
}

fn osc(ui: &mut Ui, desk: &Desk, status: &Status, theme: &Theme) {
    title(ui, "OSC", theme);
    let mut settings = desk.link.control.settings();
    let before = settings.clone();
    row(ui, "Listen", theme, |ui| {
        let help = "Listens for trackers and for /zeitgeber/<id>, see docs/control.md";
        toggle(ui, "Listen to OSC", help, &mut settings.osc, theme);
        port(ui, "OSC port", &mut settings.port);
        state(ui, &status.osc, theme);
    });
    row(ui, "Network", theme, |ui| {
        let help = "From other machines, too; else from this one only";
        let on = &mut settings.anywhere;
        toggle(ui, "OSC from the network", help, on, theme);
    });
    row(ui, "Feedback", theme, |ui| {
        let help = "Tells the last sender what changes";
        toggle(ui, "OSC feedback", help, &mut settings.feedback, theme);
    });
    for ask in &status.asks {
        ui.horizontal_wrapped(|ui| {
            let text = format!("this project asks to {ask}");
            told(ui, text, theme.warning);
            let help = "Allows it here from now on, for every project; until then only this machine is heard and told";
            if button(ui, "Allow", &format!("Allow to {ask}"), help, true, Look::Raised).clicked() {
                desk.link.control.allow(*ask);
            }
        });
    }
    row(ui, "Name", theme, |ui| {
        let field = TextEdit::singleline(&mut settings.name)
            .hint_text("none")
            .desired_width(rest(ui));
        ui.add(field)
            .widget_info(|| WidgetInfo::labeled(Role::TextInput, true, "Name for OSC"));
    });
    if settings.osc || settings.opentrack {
        let text = format!(
            "{} understood, {} malformed, {} refused",
            status.understood, status.malformed, status.refused
        );
        told(ui, text, theme.weak);
        if !status.last_refused.is_empty() {
            told(ui, &status.last_refused, theme.warning);
        }
    }
    keep(desk, settings, &before);
}

fn midi(ui: &mut Ui, desk: &Desk, status: &Status, theme: &Theme) {
    title(ui, "MIDI", theme);
    let known = ui.scope_id().with("MIDI ports");
    let mut settings = desk.link.control.settings();
    let before = settings.clone();
    row(ui, "Port", theme, |ui| {
        let host = "from the host only";
        let shown = match settings.midi_port.as_str() {
            "" => host,
            port => port,
        };
        let help = "A port of this machine, for hosts that pass no controllers (VST3)";
        let list = ComboBox::from_id_salt("MIDI port")
            .width(rest(ui))
            .truncate()
            .selected_text(RichText::new(shown).font(font::SMALL));
        let list = list.show_ui(ui, |ui| {
            if ui
                .selectable_label(settings.midi_port.is_empty(), host)
                .clicked()
            {
                settings.midi_port.clear();
            }
            let ports: Vec<String> = ui.data(|data| data.get_temp(known)).unwrap_or_default();
            for port in ports {
                if ui
                    .selectable_label(port == settings.midi_port, &port)
                    .clicked()
                {
                    settings.midi_port = port;
                }
            }
        });
        let list = list.response;
        list.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "MIDI port"));
        if list.clicked() {
            let ports = midi_ports().unwrap_or_else(|error| {
                desk.link.messages.post(error);
                Vec::new()
            });
            ui.data_mut(|data| data.insert_temp(known, ports));
        }
        list.on_hover_text(help);
        state(ui, &status.midi, theme);
    });
    keep(desk, settings, &before);
    if let Some(moves) = &status.learning {
        ui.horizontal_wrapped(|ui| {
            told(
                ui,
                format!("{}: move a controller", said(moves)),
                theme.beat,
            );
            if button(ui, "Cancel", "Cancel learning", "", true, Look::Quiet).clicked() {
                desk.link.control.learn(None);
            }
        });
    }
    let map = desk.link.control.map();
    if map.entries.is_empty() {
        told(
            ui,
            "Learn a controller from the menu of any knob.",
            theme.weak,
        );
    }
    let mut forgotten = None;
    for learned in &map.entries {
        ui.horizontal_wrapped(|ui| {
            told(
                ui,
                format!("{}: {learned}", said(&learned.moves)),
                theme.text,
            );
            let name = format!("Forget {}", said(&learned.moves));
            if button(ui, "Forget", &name, "", true, Look::Quiet).clicked() {
                forgotten = Some(learned.moves.clone());
            }
        });
    }
    if let Some(moves) = forgotten {
        desk.link.control.edit_map(|map| map.forget(&moves));
        desk.sink.touch();
    }
    row(ui, "Pickup", theme, |ui| {
        let help = "A controller moves nothing until it has passed where the parameter is";
        let mut pickup = map.pickup;
        toggle(ui, "MIDI pickup", help, &mut pickup, theme);
        if pickup != map.pickup {
            desk.link.control.edit_map(|map| map.pickup = pickup);
            desk.sink.touch();
        }
    });
    row(ui, "Recenter", theme, |ui| {
        let help = "Learns a controller that recenters the tracker";
        if button(ui, "Learn", "Learn recenter", help, true, Look::Raised).clicked() {
            desk.link.control.learn(Some(Moves::Recenter));
        }
    });
}

/// What is held from outside against the host.
fn held(ui: &mut Ui, desk: &Desk, status: &Status, theme: &Theme) {
    if status.overrides.is_empty() {
        return;
    }
    title(ui, "Held from outside", theme);
    for (id, value) in status.overrides.iter().take(12) {
        let control = id.control();
        told(
            ui,
            format!("{} {}", control.name, words::value(*id, *value)),
            theme.text,
        );
    }
    let help = "Back to the host's own values";
    if button(ui, "Release all", "Release all", help, true, Look::Raised).clicked() {
        desk.link.control.give_back();
        desk.sink.touch();
    }
}

/// What a controller moves, in words.
pub(in crate::editor::regions) fn said(moves: &Moves) -> String {
    match moves {
        Moves::Control(id) => {
            ControlId::parse(id).map_or_else(|_| id.clone(), |id| id.control().name.to_owned())
        }
        Moves::Preset(name) => format!("preset {name}"),
        Moves::Recenter => "recenter".to_owned(),
    }
}

fn keep(desk: &Desk, settings: crate::control::Settings, before: &crate::control::Settings) {
    if settings != *before {
        desk.link.control.edit(|now| *now = settings);
        desk.sink.touch();
    }
}
