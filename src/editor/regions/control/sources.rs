//! What turns the head and moves controls from outside: trackers, OSC, MIDI. Ports open and close on the worker; here
//! is what is asked of them and what has become of it.

use crate::control::{Moves, MrMode, PortState, QuaternionOrder, Status, midi_ports};
use crate::editor::theme::{Theme, font, in_menu};
use crate::editor::widgets::{Desk, Look, button, switch};
use crate::editor::words;
use crate::engine::ControlId;
use crate::engine::controls::{HEAD_TRACK, SPACE_KIND, SPACE_OFF};
use egui::{
    Align2, Color32, DragValue, Response, RichText, Role, Sense, TextEdit, Ui, WidgetInfo, vec2,
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
const LABEL: f32 = 60.0;

/// Seconds after which a tracker is only called silent: its age moves no more.
const SILENT: f64 = 10.0;

/// Draws the column.
pub(super) fn ui(ui: &mut Ui, desk: &mut Desk) {
    let theme = Theme::of(ui);
    ui.spacing_mut().item_spacing.y = 5.0;
    let status = desk.link.control.status();
    tracking(ui, desk, &status, &theme);
    osc(ui, desk, &status, &theme);
    midi(ui, desk, &status, &theme);
    held(ui, desk, &status, &theme);
    if status.source.is_some_and(|source| source.age < SILENT) {
        // Rate and age move while no sound does.
        ui.ctx().request_repaint_after(Duration::from_millis(100));
    }
}

fn title(ui: &mut Ui, text: &str, theme: &Theme) {
    ui.add_space(6.0);
    ui.label(RichText::new(text).font(font::heading()).color(theme.text));
}

fn told(ui: &mut Ui, text: impl Into<String>, colour: Color32) {
    ui.label(RichText::new(text.into()).font(font::SMALL).color(colour));
}

/// What belongs together behind a label: the labels have a column of their own.
fn row(ui: &mut Ui, label: &str, theme: &Theme, draw: impl FnOnce(&mut Ui)) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let (area, _) = ui.allocate_exact_size(vec2(LABEL, 24.0), Sense::hover());
        let place = area.left_center();
        let painter = ui.painter();
        painter.text(place, Align2::LEFT_CENTER, label, font::SMALL, theme.weak);
        draw(ui);
    });
}

/// A number of seconds behind a label.
fn seconds(ui: &mut Ui, label: &str, name: &str, value: &mut f64, most: f64, theme: &Theme) {
    row(ui, label, theme, |ui| {
        let field = ui.add(
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

/// What has become of a port.
fn state(ui: &mut Ui, port: &PortState, theme: &Theme) {
    match port {
        PortState::Off => {}
        PortState::Open => told(ui, "open", theme.layer),
        PortState::Taken(why) => told(ui, format!("{why}; tried again"), theme.warning),
    }
}

/// A setting that is on or off.
fn toggle(ui: &mut Ui, text: &str, name: &str, help: &str, on: bool, theme: &Theme) -> bool {
    let look = Look::Lamp(theme.space, on);
    button(ui, text, name, help, true, look).clicked()
}

/// A number of a port. It counts when it is let go of or entered: each step on the way would open a port.
fn port(ui: &mut Ui, name: &str, number: &mut u16) -> Response {
    let kept = ui.scope_id().with(("port", name));
    let moving: Option<u16> = ui.data(|data| data.get_temp(kept));
    let mut shown = moving.unwrap_or(*number);
    let field = ui.add(
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
    title(ui, "Head tracker", theme);
    ui.horizontal_wrapped(|ui| {
        switch(ui, HEAD_TRACK, theme.space, desk);
        let help = "What is in front of the head now becomes straight ahead for the tracker";
        let there = status.source.is_some();
        if button(
            ui,
            "Recenter",
            "Recenter the tracker",
            help,
            there,
            Look::Raised,
        )
        .clicked()
        {
            desk.link.control.recenter();
        }
    });
    match (&status.source, status.head) {
        (Some(source), _) if source.age >= SILENT => {
            told(ui, format!("{}: silent", source.source.name()), theme.weak);
        }
        (Some(source), Some([yaw, pitch, roll])) => {
            let text = format!(
                "{}: {:.0} a second, {:.1} s ago; {yaw:+.0}\u{b0} {pitch:+.0}\u{b0} {roll:+.0}\u{b0}",
                source.source.name(),
                source.rate,
                source.age
            );
            told(ui, text, theme.text);
        }
        _ => told(ui, "no tracker is heard", theme.weak),
    }
    if desk.index(SPACE_KIND) == SPACE_OFF {
        told(
            ui,
            "Space is off: how the head is turned is not heard.",
            theme.weak,
        );
    }
    let mut settings = desk.link.control.settings();
    let before = settings.clone();
    ui.horizontal_wrapped(|ui| {
        let help = "Listens to opentrack's UDP output, which is also how many headsets arrive";
        if toggle(
            ui,
            "opentrack",
            "Listen to opentrack",
            help,
            settings.opentrack,
            theme,
        ) {
            settings.opentrack = !settings.opentrack;
        }
        port(ui, "opentrack port", &mut settings.opentrack_port);
        state(ui, &status.opentrack, theme);
    });
    row(ui, "Invert", theme, |ui| {
        for (axis, name) in AXES.into_iter().enumerate() {
            let on = settings.head.invert[axis];
            let label = format!("Invert {name}");
            let help = "Turns the tracker's axis round";
            if toggle(ui, name, &label, help, on, theme) {
                settings.head.invert[axis] = !on;
            }
        }
    });
    row(ui, "Axes", theme, |ui| {
        let names = settings
            .head
            .axes
            .map(|axis| AXES[usize::from(axis).min(2)]);
        let help = "Which of the tracker's angles are the head's yaw, pitch and roll";
        if button(ui, &names.join(", "), "Swap axes", help, true, Look::Raised).clicked() {
            let order = ORDERS.iter().position(|order| *order == settings.head.axes);
            settings.head.axes = ORDERS[(order.unwrap_or(0) + 1) % ORDERS.len()];
        }
    });
    row(ui, "Order", theme, |ui| {
        let (text, other) = match settings.order {
            QuaternionOrder::Wxyz => ("w x y z", QuaternionOrder::Xyzw),
            QuaternionOrder::Xyzw => ("x y z w", QuaternionOrder::Wxyz),
        };
        let help = "The order of what comes at /quaternion";
        if button(ui, text, "Quaternion order", help, true, Look::Raised).clicked() {
            settings.order = other;
        }
    });
    ui.horizontal_wrapped(|ui| {
        let (text, next) = match settings.mr_mode {
            MrMode::Off => ("MrHeadTracker off", MrMode::Quaternion),
            MrMode::Quaternion => ("MrHeadTracker w x y z", MrMode::Ypr),
            MrMode::Ypr => ("MrHeadTracker yaw pitch roll", MrMode::Off),
        };
        let help = "What MrHeadTracker's 14-bit controllers at the MIDI port are";
        if button(ui, text, "MrHeadTracker", help, true, Look::Raised).clicked() {
            settings.mr_mode = next;
        }
        let help = "Turns a Supperware tracker at the MIDI port on";
        if toggle(
            ui,
            "Supperware",
            "Supperware",
            help,
            settings.supperware,
            theme,
        ) {
            settings.supperware = !settings.supperware;
        }
    });
    let head = &mut settings.head;
    seconds(
        ui,
        "Ahead",
        "Tracker prediction",
        &mut head.prediction,
        0.1,
        theme,
    );
    seconds(
        ui,
        "Smoothing",
        "Tracker smoothing",
        &mut head.smoothing,
        1.0,
        theme,
    );
    seconds(
        ui,
        "Home after",
        "Tracker time-out",
        &mut head.timeout,
        60.0,
        theme,
    );
    keep(desk, settings, &before);
}

fn osc(ui: &mut Ui, desk: &Desk, status: &Status, theme: &Theme) {
    title(ui, "OSC", theme);
    let mut settings = desk.link.control.settings();
    let before = settings.clone();
    ui.horizontal_wrapped(|ui| {
        let help = "Listens for trackers and for /zeitgeber/<id>, see docs/control.md";
        if toggle(ui, "Listen", "Listen to OSC", help, settings.osc, theme) {
            settings.osc = !settings.osc;
        }
        port(ui, "OSC port", &mut settings.port);
        let help = "From other machines, too; else from this one only";
        if toggle(
            ui,
            "Network",
            "OSC from the network",
            help,
            settings.anywhere,
            theme,
        ) {
            settings.anywhere = !settings.anywhere;
        }
        let help = "Tells the last sender what changes";
        if toggle(
            ui,
            "Feedback",
            "OSC feedback",
            help,
            settings.feedback,
            theme,
        ) {
            settings.feedback = !settings.feedback;
        }
        state(ui, &status.osc, theme);
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
            .desired_width(90.0);
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
    ui.horizontal_wrapped(|ui| {
        let shown = if settings.midi_port.is_empty() {
            "From the host only"
        } else {
            &settings.midi_port
        };
        let help = "A port of this machine, for hosts that pass no controllers (VST3)";
        let choose = button(ui, shown, "MIDI port", help, true, Look::Raised);
        if choose.clicked() {
            let ports = midi_ports().unwrap_or_else(|error| {
                desk.link.messages.post(error);
                Vec::new()
            });
            ui.data_mut(|data| data.insert_temp(known, ports));
        }
        egui::Popup::menu(&choose).show(|ui| {
            in_menu(ui, 150.0);
            if ui.button("From the host only").clicked() {
                settings.midi_port.clear();
            }
            let ports: Vec<String> = ui.data(|data| data.get_temp(known)).unwrap_or_default();
            for port in ports {
                if ui.button(&port).clicked() {
                    settings.midi_port = port;
                }
            }
        });
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
    ui.horizontal_wrapped(|ui| {
        let help = "A controller moves nothing until it has passed where the parameter is";
        if toggle(ui, "Pickup", "MIDI pickup", help, map.pickup, theme) {
            desk.link.control.edit_map(|map| map.pickup = !map.pickup);
            desk.sink.touch();
        }
        let help = "Learns a controller that recenters the tracker";
        if button(
            ui,
            "Learn recenter",
            "Learn recenter",
            help,
            true,
            Look::Quiet,
        )
        .clicked()
        {
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
