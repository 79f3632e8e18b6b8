//! An insert: which node it holds, how it is with it, and what its macros move.

use super::inspector::{WIDE, sides};
use super::presets;
use crate::editor::Ask;
use crate::editor::browse::Field;
use crate::editor::insert::{InsertChoice, InsertState, InsertStatus};
use crate::editor::theme::{Theme, font};
use crate::editor::widgets::{
    Desk, Look, button, cut, entered, knobs, line as line_of_text, switch,
};
use crate::editor::words;
use crate::engine::controls::INSERTS;
use egui::{Color32, ComboBox, RichText, Role, ScrollArea, Ui, WidgetInfo};
use std::path::PathBuf;

/// A node that is asked for.
const NODE: Ask = Ask {
    title: "Load a node",
    endings: &["dsp", "cpp", "so", "dylib", "dll"],
    writes: false,
};

/// The names of the inserts.
pub(super) const NAMES: [&str; 2] = ["Insert A", "Insert B"];

/// Height that is kept for how it is with an insert: two lines, in points.
const STATUS: f32 = 48.0;

/// Letters of a part that lacks.
const LONGEST_PART: usize = 40;

/// The height of a source that is looked at.
const SOURCE: f32 = 160.0;

/// Draws the controls of an insert.
pub(super) fn ui(ui: &mut Ui, insert: usize, accent: Color32, desk: &mut Desk) {
    let ids = &INSERTS[insert];
    let state = desk.link.insert(insert);
    let lit = state.status == InsertStatus::Sounds && desk.is_on(ids.on);
    let wide = ui.available_width() >= WIDE;
    let what = |ui: &mut Ui, desk: &mut Desk| {
        ui.weak(match insert {
            0 => "In the incoming audio, before space.",
            _ => "In all that leaves, before the ceiling.",
        });
        switch(ui, ids.on, accent, desk);
        builtin(ui, insert, &state, desk);
        file(ui, insert, &state, desk);
        how_it_is(ui, insert, &state, desk);
    };
    let moved = |ui: &mut Ui, desk: &mut Desk| {
        let used = |n: usize| lit && n < state.macros.len();
        let all = [0, 1, 2, 3].map(|n| (ids.macros[n], used(n)));
        knobs(ui, &all, accent, desk);
        ui.horizontal(|ui| below(ui, insert, &state, desk));
        if wide {
            show_source(ui, insert, &state);
        }
    };
    sides(ui, desk, what, moved);
    if !wide {
        show_source(ui, insert, &state);
    }
}

/// What could not be had and how it is with the insert, in a place that has room for two lines: what is below stays where it is.
fn how_it_is(ui: &mut Ui, insert: usize, state: &InsertState, desk: &mut Desk) {
    let top = ui.cursor().top();
    let asked = desk.hand.browse.wrong(Field::Insert(insert));
    let refused = state.refused.as_ref().map(|(_, why)| why.as_str());
    for why in asked.into_iter().chain(refused) {
        let theme = Theme::of(ui);
        ui.label(RichText::new(why).color(theme.warning));
    }
    status(ui, insert, state, desk);
    let drawn = ui.cursor().top() - top;
    ui.add_space((STATUS - drawn).max(0.0));
}

/// What people call the node that sounds: one that is built in has a name in words.
fn called(desk: &Desk, insert: usize, name: &str) -> String {
    let is_built_in = desk.link.insert_names()[insert]
        .iter()
        .any(|known| known == name);
    if is_built_in {
        words::node(name)
    } else {
        name.to_owned()
    }
}

/// What people call what is chosen.
fn called_choice(state: &InsertState) -> String {
    match &state.choice {
        Some(InsertChoice::Node(name)) => words::node(name),
        Some(choice) => choice.text(),
        None => String::new(),
    }
}

/// What can be done with what it holds.
fn below(ui: &mut Ui, insert: usize, state: &InsertState, desk: &mut Desk) {
    let (ids, name) = (INSERTS[insert].macros, NAMES[insert]);
    if !state.macros.is_empty() {
        let help = "Moves the macros to where the node's parameters are by themselves";
        let label = format!("Defaults of {name}");
        if button(ui, "Defaults", &label, help, true, Look::Raised).clicked() {
            let defaults = state.macros.iter().map(|moved| moved.default);
            let ids = ids.into_iter().zip(defaults);
            if ids
                .clone()
                .any(|(id, to)| desk.value(id) != id.control().snap(to))
            {
                note(desk);
                joined(desk, |desk| {
                    for (id, to) in ids {
                        desk.bring(id, id.control().snap(to));
                    }
                });
            }
        }
    }
    if state.choice.is_some() {
        let help = "Takes the node out; the file stays where it is";
        let label = format!("Clear {name}");
        if button(ui, "Clear", &label, help, true, Look::Raised).clicked() {
            note(desk);
            desk.link.choose_insert(insert, None, true);
            desk.sink.touch();
        }
    }
}

/// What is to be said of it in one line.
pub(super) fn line(insert: usize, desk: &Desk) -> String {
    desk.link
        .with_insert(insert, |state| line_of(insert, state, desk))
}

fn line_of(insert: usize, state: &InsertState, desk: &Desk) -> String {
    match &state.status {
        InsertStatus::Empty if state.choice.is_some() => "waits".to_owned(),
        InsertStatus::Empty => "empty".to_owned(),
        InsertStatus::Compiling => "compiling".to_owned(),
        InsertStatus::Sounds => called(desk, insert, &state.name),
        InsertStatus::Failed(_) => "failed".to_owned(),
        InsertStatus::NeedsConsent => "asks".to_owned(),
        InsertStatus::Tripped => "left out".to_owned(),
    }
}

/// How it is with it, and what can be done about that.
fn status(ui: &mut Ui, insert: usize, state: &InsertState, desk: &mut Desk) {
    let theme = Theme::of(ui);
    let chosen = called_choice(state);
    let name = called(desk, insert, &state.name);
    let warn = |ui: &mut Ui, text: String| {
        ui.label(RichText::new(text).color(theme.warning));
    };
    match &state.status {
        InsertStatus::Empty if state.choice.is_some() => {
            ui.weak(format!("{chosen} is to come"));
        }
        InsertStatus::Empty => {
            ui.weak("It holds nothing: the audio passes.");
        }
        InsertStatus::Compiling => {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label(format!("Compiling {chosen}"));
            });
            sounds_on(ui, &name);
        }
        InsertStatus::Sounds => {
            ui.label(format!("\"{name}\" sounds"));
        }
        InsertStatus::Failed(why) => {
            warn(ui, why.clone());
            sounds_on(ui, &name);
        }
        InsertStatus::NeedsConsent => {
            warn(
                ui,
                format!(
                    "This project brings a node that has not been compiled on this machine: {chosen}. It is a program, and can do what you can do. Compile it only if you trust where it comes from."
                ),
            );
            if !state.needs.is_empty() {
                warn(
                    ui,
                    format!(
                        "The project holds this one file, and it draws in {}. Put that beside the file and press Load.",
                        listed(&state.needs)
                    ),
                );
            }
            sounds_on(ui, &name);
            let label = format!("Compile the node of {}", NAMES[insert]);
            let help = "Compiles the node, tries it in a process of its own, and lets it sound";
            if button(ui, "Compile", &label, help, true, Look::Raised).clicked() {
                // What was asked about when this was drawn, and nothing that has come since.
                desk.link.edit_insert(insert, |now| {
                    if now.changes == state.changes {
                        now.allowed = state.asked;
                    }
                });
            }
        }
        InsertStatus::Tripped => {
            warn(
                ui,
                format!(
                    "\"{name}\" has put out what is not finite: the audio passes it by. Switch the insert off and on to try again."
                ),
            );
        }
    }
}

/// What is heard meanwhile.
fn sounds_on(ui: &mut Ui, name: &str) {
    if !name.is_empty() {
        ui.weak(format!("\"{name}\" sounds on."));
    }
}

/// A few names; the first of many.
fn listed(names: &[String]) -> String {
    const MOST: usize = 4;
    let mut text = names
        .iter()
        .take(MOST)
        .map(|name| cut(name, LONGEST_PART))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > MOST {
        text += &format!(" and {} more", names.len() - MOST);
    }
    text
}

/// Remembers the sound, for what is to come is a step that can be taken back.
fn note(desk: &Desk) {
    let now = presets::take(desk.link, desk.sink);
    desk.link.history(|history| history.note(now));
}

/// Does what belongs to the last step.
fn joined(desk: &mut Desk, act: impl FnOnce(&mut Desk)) {
    desk.link.history(|history| history.join(true));
    act(desk);
    desk.link.history(|history| history.join(false));
}

/// The user has chosen a node.
fn choose(insert: usize, choice: InsertChoice, state: &InsertState, desk: &mut Desk) {
    let again = match (&state.choice, &choice) {
        (Some(InsertChoice::Node(before)), InsertChoice::Node(now)) => before == now,
        (_, InsertChoice::File { path, .. }) => state.is_file(path),
        _ => false,
    };
    let macros = INSERTS[insert].macros.map(|id| desk.value(id));
    note(desk);
    desk.hand.chosen[insert] = desk.link.history(|history| history.count());
    desk.link.choose_insert(insert, Some(choice), true);
    if !again || state.name.is_empty() {
        desk.link
            .edit_insert(insert, |state| state.fresh = Some(macros));
    }
    desk.sink.touch();
}

/// What the window does for inserts whatever it shows: the macros go to where a node that the user has just chosen begins,
/// and the host hears that the project keeps something else.
pub(in crate::editor) fn attend(desk: &mut Desk) {
    for (insert, ids) in INSERTS.iter().enumerate() {
        let waits = |state: &InsertState| state.unsaved || state.fresh.is_some();
        if !desk.link.with_insert(insert, waits) {
            continue;
        }
        let state = desk.link.insert(insert);
        if state.unsaved {
            desk.link.edit_insert(insert, |state| state.unsaved = false);
            desk.sink.touch();
        }
        let Some(before) = state.fresh.filter(|_| state.status == InsertStatus::Sounds) else {
            continue;
        };
        desk.link.edit_insert(insert, |now| {
            if now.changes == state.changes {
                now.fresh = None;
            }
        });
        // Where another step has come since, they are one of their own.
        if desk.link.history(|history| history.count()) != desk.hand.chosen[insert] {
            note(desk);
        }
        joined(desk, |desk| {
            for ((id, before), moved) in ids.macros.into_iter().zip(before).zip(&state.macros) {
                // One that has been moved meanwhile was meant.
                if desk.value(id) == before {
                    desk.bring(id, id.control().snap(moved.default));
                }
            }
        });
    }
}

/// What the command line and other programs call a node.
fn id_of(name: &str) -> String {
    format!("The node \"{name}\" of `zeitgeber nodes`")
}

/// Built-in nodes by name.
fn builtin(ui: &mut Ui, insert: usize, state: &InsertState, desk: &mut Desk) {
    let chosen = match &state.choice {
        Some(InsertChoice::Node(name)) => name.as_str(),
        _ => "",
    };
    let names = desk.link.insert_names();
    let shown = match chosen {
        "" => "Built-in node".to_owned(),
        name => words::node(name),
    };
    let mut picked = None;
    let list = ComboBox::from_id_salt(("built-in node", insert))
        .selected_text(shown)
        .width(ui.available_width())
        .show_ui(ui, |ui| {
            for name in &names[insert] {
                let entry = ui.selectable_label(name == chosen, words::node(name));
                if entry.on_hover_text(id_of(name)).clicked() {
                    picked = Some(name.clone());
                }
            }
        });
    if !chosen.is_empty() {
        list.response.clone().on_hover_text(id_of(chosen));
    }
    let label = format!("Built-in node of {}", NAMES[insert]);
    list.response
        .widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, &label));
    if let Some(name) = picked {
        choose(insert, InsertChoice::Node(name), state, desk);
    }
}

/// The field for the path of a file.
fn file(ui: &mut Ui, insert: usize, state: &InsertState, desk: &mut Desk) {
    let name = NAMES[insert];
    let typed = ui.scope_id().with(("path of a node", insert));
    let known = match (&state.refused, &state.choice) {
        // To be put right.
        (Some((InsertChoice::File { path, .. }, _)), _)
        | (_, Some(InsertChoice::File { path, .. })) => path.display().to_string(),
        _ => String::new(),
    };
    // What is being typed, until something else is chosen.
    let (mut path, of) = ui
        .data(|data| data.get_temp::<(String, u64)>(typed))
        .filter(|(_, of)| *of == state.changes)
        .unwrap_or((known, state.changes));
    let asks = Field::Insert(insert);
    let label = format!("Path of the file of {name}");
    let width = ui.available_width();
    let field = line_of_text(
        ui,
        &mut path,
        &label,
        "a file: .dsp, .cpp or library",
        width,
    );
    if field.changed() {
        desk.hand.browse.settle(asks);
    }
    let mut load = entered(ui, &field);
    ui.horizontal(|ui| {
        let label = format!("Browse for the file of {name}");
        if let Some(chosen) = desk.browse(ui, &label, asks, NODE) {
            path = chosen;
            load = true;
        }
        let help = "Compiles the file in the background and takes it up again whenever it is saved; the sound stays until it is ready";
        let label = format!("Load the file of {name}");
        load |= button(ui, "Load", &label, help, true, Look::Raised).clicked();
    });
    let text = path.trim();
    if load && !text.is_empty() {
        let choice = InsertChoice::File {
            path: PathBuf::from(text),
            source: None,
        };
        choose(insert, choice, state, desk);
    }
    ui.data_mut(|data| data.insert_temp(typed, (path, of)));
}

/// The source that the project holds, for those who want to know what they are asked.
fn show_source(ui: &mut Ui, insert: usize, state: &InsertState) {
    let Some(InsertChoice::File {
        path,
        source: Some(source),
    }) = &state.choice
    else {
        return;
    };
    let title = format!("Source of {}", NAMES[insert]);
    ui.collapsing(title, |ui| {
        ui.weak(path.display().to_string());
        let area = ScrollArea::both()
            .id_salt(("source", insert))
            .max_height(SOURCE)
            .auto_shrink([false, true]);
        area.show(ui, |ui| {
            ui.label(RichText::new(source).font(font::SMALL).monospace());
        });
    });
}
