//! Presets: a library to search by words, kinds and grades, with what each does and what is known of it; and what
//! loads, saves and compares sounds.

mod reader;

use super::header::badge;
use crate::editor::browse::Field;
use crate::editor::link::Link;
use crate::editor::panel::scrolled;
use crate::editor::theme::{GAP, Theme, font, mix};
use crate::editor::widgets::{Desk, Look, button, entered, line};
use crate::editor::{Ask, HrtfChoice, ParamSink};
use crate::engine::ControlId;
use crate::engine::controls::{INSERTS, Values};
use crate::protocol::{Entry, Grade, Library, Preset, Protocol, Take};
use egui::{
    Align, Align2, Color32, Layout, Popup, PopupCloseBehavior, Pos2, Rect, Response, RichText,
    Role, Sense, Ui, WidgetInfo, pos2, vec2,
};
use reader::Reader;
use std::path::{Path, PathBuf};

/// Files that are asked for.
const IMPORT: Ask = Ask {
    title: "Import a preset",
    endings: &["json", "sbg", "gnaural"],
    writes: false,
};
const EXPORT: Ask = Ask {
    title: "Export the sound as a preset",
    endings: &["json"],
    writes: true,
};

/// The longest path in a preset, in letters.
const LONGEST_PATH: usize = 4096;

/// Height of a row of the list, in points.
const ROW: f32 = 30.0;

/// The widest column of prose, in points: some 75 letters.
const PROSE: f32 = 480.0;

/// Width of a small question, in points.
const ASKED: f32 = 240.0;

/// What presets of the musician's own are called.
const OWN: &str = "yours";

/// What the region remembers between frames.
pub(in crate::editor) struct Presets {
    library: Library,
    /// The musician's own first.
    entries: Vec<Entry>,
    reader: Reader,
    words: String,
    group: Option<String>,
    grade: Option<Grade>,
    /// The preset whose text is shown, where it is not the one that is loaded.
    shown: Option<String>,
    /// The name that the sound had when it was last looked at.
    loaded: String,
    /// The row of what is shown is to be brought into view.
    seek: bool,
    /// What is wrong with the file that was to be imported or exported, and with a new name.
    wrong: Option<String>,
    wrong_name: Option<String>,
    /// The path of a file to import or to export to, as it is being typed.
    path: String,
    /// A file that is there, and goes if the sound is exported to it.
    replaces: Option<PathBuf>,
    /// A new name, as it is being typed.
    rename: String,
    /// What the preset of a name sets, for comparison; none where there is no such preset.
    known: Option<(String, Option<Take>)>,
}

/// Changes that are told by name; the others are counted.
const TOLD: usize = 3;

/// Whether a control stands where a preset puts it: hosts keep values in single floats.
fn is_at(id: ControlId, value: f64, now: f64) -> bool {
    let grid = match id.control().values {
        Values::Number { decimals, .. } => 10f64.powi(-(decimals as i32)),
        _ => 1.0,
    };
    (value - now).abs() < 0.5 * grid
}

/// The sound as it is now.
pub(in crate::editor) fn take(link: &Link, sink: &dyn ParamSink) -> Take {
    let session = link.session();
    Take {
        settings: ControlId::all().map(|id| (id, sink.value(id))).collect(),
        protocol: session.protocol,
        name: session.name,
        hrtf: link.hrtf().choice.map(|choice| choice.path),
        inserts: Some(link.held()),
    }
}

/// Puts a sound in force.
pub(in crate::editor) fn put(link: &Link, sink: &dyn ParamSink, take: &Take) {
    // The engine first: a round of the worker between the two would bring the new timeline with the old settings.
    sink.load(take);
    link.edit_session(|session| {
        session.protocol = take.protocol.clone();
        session.name = take.name.clone();
    });
    let chosen = link.hrtf().choice.map(|choice| choice.path);
    if chosen != take.hrtf {
        let choice = |path| HrtfChoice { path, hash: None };
        link.choose_hrtf(take.hrtf.clone().map(choice));
    }
    let inserts = take.inserts.iter().flatten().zip(link.held());
    for (insert, (held, now)) in inserts.enumerate() {
        if *held != now {
            let choice = held.as_ref().map(|held| held.choice.clone());
            let consent = held.as_ref().is_none_or(|held| held.consent);
            link.choose_insert(insert, choice, consent);
        }
    }
    // Where only the protocol or the name is another, no parameter tells the host.
    sink.touch();
}

/// Takes the last change back.
pub(in crate::editor) fn undo(desk: &Desk) {
    let now = take(desk.link, desk.sink);
    if let Some(before) = desk.link.history(|history| history.undo(now)) {
        put(desk.link, desk.sink, &before);
    }
}

/// Does it again.
pub(in crate::editor) fn redo(desk: &Desk) {
    let now = take(desk.link, desk.sink);
    if let Some(after) = desk.link.history(|history| history.redo(now)) {
        put(desk.link, desk.sink, &after);
    }
}

/// Goes to the other of two sounds.
pub(in crate::editor) fn swap(desk: &Desk) {
    let now = take(desk.link, desk.sink);
    let other = desk.link.history(|history| history.swap(now));
    put(desk.link, desk.sink, &other);
}

/// The path of the chosen SOFA file, where a preset can hold it.
fn hrtf_text(link: &Link) -> Option<String> {
    let path = link.hrtf().choice?.path;
    let text = path.to_str()?;
    (text.chars().count() <= LONGEST_PATH).then(|| text.to_owned())
}

/// A preset with this sound. Of an insert that holds a node it says where all of its macros are; of an empty one nothing,
/// so that it touches none where it is loaded.
fn saying(preset: &Preset, now: &Take, link: &Link) -> Preset {
    let mut settings = now.settings.clone();
    let mut said = Vec::new();
    for (ids, held) in INSERTS.iter().zip(link.held()) {
        let of_it = now.settings.iter().filter(|(id, _)| ids.has(*id));
        match held {
            Some(_) => said.extend(of_it.copied()),
            None => settings.retain(|(id, _)| !ids.has(*id)),
        }
    }
    let hrtf = hrtf_text(link);
    let mut preset = preset.with(&settings, now.protocol.as_deref(), hrtf.as_deref());
    preset.say(&said);
    preset
}

impl Presets {
    /// With a library.
    pub fn new(library: Library) -> Presets {
        Presets {
            library,
            entries: Library::factory(),
            reader: Reader::default(),
            words: String::new(),
            group: None,
            grade: None,
            shown: None,
            loaded: String::new(),
            seek: true,
            wrong: None,
            wrong_name: None,
            path: String::new(),
            replaces: None,
            rename: String::new(),
            known: None,
        }
    }

    /// Takes up what has become of the musician's own presets, which are read beside the window.
    pub fn refresh(&mut self, link: &Link) {
        if let Some(own) = self.reader.poll(&self.library, link) {
            self.take_up(own);
        }
        // Whoever has loaded another: the text is of that, and the list shows where it is.
        let name = link.session().name;
        if name != self.loaded {
            self.loaded = name;
            self.show(None);
        }
    }

    /// Shows the text of a preset; of none, of the one that is loaded.
    fn show(&mut self, name: Option<String>) {
        self.shown = name;
        self.seek = true;
    }

    /// The preset whose text is shown.
    fn in_sight(&self) -> Option<usize> {
        self.named(self.shown.as_ref().unwrap_or(&self.loaded))
    }

    /// Reads them at once: the musician has just changed them here.
    fn reread(&mut self, link: &Link) {
        let own = self.reader.read(&self.library, link);
        self.take_up(own);
    }

    fn take_up(&mut self, own: Vec<Entry>) {
        let all = std::mem::take(&mut self.entries);
        let factory = all.into_iter().filter(|entry| entry.path.is_none());
        self.entries = own.into_iter().chain(factory).collect();
        self.known = None;
    }

    /// The preset of a name: the musician's own wins over the factory's, as everywhere.
    fn named(&self, name: &str) -> Option<usize> {
        let same = |entry: &Entry| entry.name.to_lowercase() == name.to_lowercase();
        self.entries.iter().position(same)
    }

    /// Whether a preset is not reached by its name, for another one has it, too.
    fn is_hidden(&self, index: usize) -> bool {
        self.named(&self.entries[index].name) != Some(index)
    }

    /// The grade of a preset.
    pub fn grade(&self, name: &str) -> Option<Grade> {
        let entry = &self.entries[self.named(name)?];
        entry.preset.evidence().map(|evidence| evidence.grade)
    }

    /// In what the sound is not that of the preset whose name it has, in words; nothing where it is, and where the library
    /// has no such preset. It depends on nothing but what a project keeps: the name, and the sound.
    pub fn changes(&mut self, desk: &Desk) -> Option<String> {
        let session = desk.link.session();
        if session.name.is_empty() {
            return None;
        }
        if self
            .known
            .as_ref()
            .is_none_or(|(name, _)| *name != session.name)
        {
            let entry = self.named(&session.name).map(|index| &self.entries[index]);
            let take = entry.map(|entry| {
                let mut take = Take::of(entry, |id| desk.sink.value(id));
                take.settings.retain(|(id, _)| entry.preset.sets(*id));
                take
            });
            self.known = Some((session.name, take));
        }
        let (_, Some(preset)) = self.known.as_ref()? else {
            return None;
        };
        let settings = preset.settings.iter();
        let mut changed: Vec<&str> = settings
            .filter(|(id, value)| !is_at(*id, *value, desk.sink.value(*id)))
            .map(|(id, _)| id.control().name)
            .collect();
        let [asked, plays] = [&preset.protocol, &session.protocol]
            .map(|protocol| protocol.as_deref().map(Protocol::rows).unwrap_or_default());
        if asked != plays {
            changed.push("the protocol");
        }
        let head = desk.link.hrtf().choice.map(|choice| choice.path);
        // One that asks for no head leaves the one that there is.
        if preset.hrtf.is_some() && preset.hrtf != head {
            changed.push("the SOFA file");
        }
        let more = changed.len().saturating_sub(TOLD);
        let told = changed[..changed.len() - more].join(", ");
        match (changed.is_empty(), more) {
            (true, _) => None,
            (false, 0) => Some(told),
            (false, more) => Some(format!("{told} and {more} more")),
        }
    }

    /// The three that a new instance is offered.
    pub fn starters(&self) -> impl Iterator<Item = (usize, &Entry)> {
        let entries = self.entries.iter().enumerate();
        entries.filter(|(_, entry)| entry.preset.group() == "starter" && entry.path.is_none())
    }

    /// Loads the preset so many places further.
    pub fn step(&mut self, way: isize, desk: &Desk) {
        let shown: Vec<usize> = (0..self.entries.len())
            .filter(|index| !self.is_hidden(*index))
            .collect();
        let count = shown.len() as isize;
        if count == 0 {
            return;
        }
        let current = self.named(&desk.link.session().name);
        let place = shown.iter().position(|index| Some(*index) == current);
        let next = match (place, way < 0) {
            (Some(place), _) => (place as isize + way).rem_euclid(count),
            (None, true) => count - 1,
            (None, false) => 0,
        };
        self.load(desk.link, desk.sink, shown[next as usize]);
    }

    /// Loads a preset by its place in the list.
    pub fn load(&mut self, link: &Link, sink: &dyn ParamSink, index: usize) {
        let Some(entry) = self.entries.get(index) else {
            return;
        };
        link.history(|history| history.note(take(link, sink)));
        let mut sound = Take::of(entry, |id| sink.value(id));
        // One that asks for no head keeps the one that there is.
        sound.hrtf = sound.hrtf.or(link.hrtf().choice.map(|choice| choice.path));
        put(link, sink, &sound);
        sink.play(true);
        for warning in entry.preset.warnings() {
            link.messages.post(format!("{}: {warning}", entry.name));
        }
        self.loaded = entry.name.clone();
        self.show(None);
    }

    /// Keeps the sound as a preset of the musician's own.
    pub fn save(&mut self, name: &str, desk: &Desk) {
        let (link, sink) = (desk.link, desk.sink);
        let now = take(link, sink);
        // One of the musician's own keeps what is said about it.
        let own = self.library.find(name).ok();
        let mut preset = match own.filter(|entry| entry.path.is_some()) {
            Some(entry) => entry.preset,
            None => Preset::new(name, "", &[], None),
        };
        preset = saying(&preset, &now, link);
        preset.rename(name);
        match self.library.save(&preset) {
            Ok(path) => {
                link.edit_session(|session| session.name = name.to_owned());
                sink.touch();
                link.messages.post(format!("saved: {}", path.display()));
            }
            Err(error) => link.messages.post(error.to_string()),
        }
        self.reread(link);
        self.loaded = link.session().name;
        self.show(None);
    }

    /// Draws the page.
    pub fn ui(&mut self, ui: &mut Ui, desk: &mut Desk) {
        let theme = Theme::of(ui);
        self.filters(ui, &theme);
        ui.add_space(2.0);
        let area = ui.available_rect_before_wrap();
        let wide = area.width() >= 430.0;
        let list = if wide {
            (0.54 * area.width()).clamp(190.0, 340.0)
        } else {
            area.width()
        };
        let left = Rect::from_min_size(area.min, vec2(list, area.height()));
        let right = Rect::from_min_max(pos2(left.right() + 1.5 * GAP, area.top()), area.max);
        let left = if wide {
            left
        } else {
            Rect::from_min_size(area.min, vec2(list, 0.5 * area.height()))
        };
        let right = if wide {
            right
        } else {
            Rect::from_min_max(pos2(area.left(), left.bottom() + GAP), area.max)
        };
        ui.allocate_rect(area, Sense::hover());
        let mut column = ui.new_child(egui::UiBuilder::new().id_salt("list").max_rect(left));
        column.set_clip_rect(left);
        self.list(&mut column, desk, &theme);
        let mut column = ui.new_child(egui::UiBuilder::new().id_salt("about").max_rect(right));
        column.set_clip_rect(right);
        scrolled(&mut column, |ui| self.about(ui, desk, &theme));
    }

    fn filters(&mut self, ui: &mut Ui, theme: &Theme) {
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
            line(ui, &mut self.words, "Search presets", "Search", 150.0);
            let mut groups: Vec<String> = Vec::new();
            for entry in &self.entries {
                let group = entry.preset.group();
                if !group.is_empty() && !groups.iter().any(|known| known == group) {
                    groups.push(group.to_owned());
                }
            }
            for group in groups {
                let chosen = self.group.as_ref() == Some(&group);
                let look = if chosen {
                    Look::Pressed(theme.beat)
                } else {
                    Look::Quiet
                };
                if button(ui, &group, &format!("Only {group}"), "", true, look).clicked() {
                    self.group = (!chosen).then_some(group);
                }
            }
            ui.separator();
            for grade in [Grade::A, Grade::B, Grade::C, Grade::D, Grade::N] {
                let chosen = self.grade == Some(grade);
                let look = if chosen {
                    Look::Pressed(theme.beat)
                } else {
                    Look::Quiet
                };
                let name = format!("Only grade {}", grade.letter());
                if button(ui, grade.letter(), &name, grade.meaning(), true, look).clicked() {
                    self.grade = (!chosen).then_some(grade);
                }
            }
        });
    }

    fn fits(&self, entry: &Entry) -> bool {
        let preset = &entry.preset;
        let group = self
            .group
            .as_ref()
            .is_none_or(|group| preset.group() == group);
        let grade =
            self.grade.is_none() || preset.evidence().map(|evidence| evidence.grade) == self.grade;
        let text = format!("{} {} {}", entry.name, preset.about(), preset.group()).to_lowercase();
        let words = self.words.to_lowercase();
        group && grade && words.split_whitespace().all(|word| text.contains(word))
    }

    fn list(&mut self, ui: &mut Ui, desk: &mut Desk, theme: &Theme) {
        let current = self.named(&self.loaded);
        let shown = self.in_sight();
        let mut clicked = None;
        let mut clears = false;
        scrolled(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            let mut none = true;
            for (index, entry) in self.entries.iter().enumerate() {
                if !self.fits(entry) || self.is_hidden(index) {
                    continue;
                }
                none = false;
                let is = [current, shown].map(|other| other == Some(index));
                let response = row(ui, entry, is, theme);
                if is[1] && std::mem::take(&mut self.seek) {
                    // With a row above and below it.
                    ui.scroll_to_rect(response.rect.expand2(vec2(0.0, ROW)), None);
                }
                if response.clicked() {
                    clicked = Some(index);
                }
            }
            if none {
                ui.add_space(4.0);
                ui.weak("No preset has all of that.");
                ui.add_space(4.0);
                let name = "Clear filters";
                clears = button(ui, name, name, "", true, Look::Raised).clicked();
            }
        });
        if clears {
            self.words.clear();
            (self.group, self.grade) = (None, None);
            self.seek = true;
        }
        if let Some(index) = clicked {
            self.load(desk.link, desk.sink, index);
            // It was where the hand is.
            self.seek = false;
        }
    }

    fn about(&mut self, ui: &mut Ui, desk: &mut Desk, theme: &Theme) {
        ui.set_max_width(ui.available_width().min(PROSE));
        let entry = self.in_sight().map(|index| self.entries[index].clone());
        if let Some(entry) = &entry {
            describe(ui, entry, theme);
            ui.add_space(GAP);
        } else {
            ui.label(RichText::new("A click loads a preset, with a fade.").color(theme.weak));
            ui.add_space(GAP);
        }
        self.files(ui, entry.as_ref(), desk, theme);
        if entry.is_none() {
            ui.add_space(GAP);
            legend(ui, theme);
        }
    }

    /// Rename, delete, export, import.
    fn files(&mut self, ui: &mut Ui, entry: Option<&Entry>, desk: &mut Desk, theme: &Theme) {
        let own = entry.filter(|entry| entry.path.is_some());
        let enabled = own.is_some();
        let help = match enabled {
            true => "",
            false => "For presets of your own; those of the factory stay as they are",
        };
        ui.horizontal_wrapped(|ui| {
            let name = "Rename preset";
            let rename = button(ui, "Rename", name, help, enabled, Look::Raised);
            if let Some(entry) = own {
                if rename.clicked() {
                    self.rename = entry.name.clone();
                    self.wrong_name = None;
                }
                menu(&rename, |ui| {
                    let renames = self.ask_name(ui, rename.clicked(), theme);
                    if renames && self.rename(entry, desk) {
                        ui.close();
                    }
                    renames
                });
            }
            let name = "Delete preset";
            let delete = button(ui, "Delete", name, help, enabled, Look::Raised);
            if let Some(entry) = own
                && menu(&delete, |ui| ask_deletion(ui, entry, theme))
            {
                self.delete(entry, desk);
            }
        });
        let named = !self.path.trim().is_empty();
        let (name, hint) = ("Path of a preset file", "a file: .json, .sbg, .gnaural");
        let width = ui.available_width();
        if line(ui, &mut self.path, name, hint, width).changed() {
            self.wrong = None;
            desk.hand.browse.settle(Field::Import);
            desk.hand.browse.settle(Field::Export);
        }
        ui.horizontal_wrapped(|ui| {
            let asked = desk.browse(ui, "Browse for a preset file", Field::Import, IMPORT);
            let help = "Takes a preset, an SBaGen or a Gnaural sequence into your library";
            let import = button(ui, "Import", "Import preset", help, named, Look::Raised);
            if import.clicked() || asked.is_some() {
                // What was browsed for stays out of the field: nothing is to be written there.
                let path = asked.unwrap_or(self.path.trim().to_owned());
                self.import(Path::new(&path), desk);
            }
            let help = "Writes the sound as it is into that file; asks for one where none is named";
            let export = button(ui, "Export", "Export preset", help, true, Look::Raised);
            let asked = desk.hand.browse.answer(Field::Export);
            if let Some(path) = asked {
                // The system's dialog has asked whether one that is there is to go.
                self.export(Path::new(&path), desk);
                self.path = path;
            } else if export.clicked() && named {
                let path = PathBuf::from(self.path.trim());
                self.replaces = path.is_file().then(|| path.clone());
                if self.replaces.is_none() {
                    self.export(&path, desk);
                }
            } else if export.clicked() {
                self.replaces = None;
                desk.hand.browse.ask(Field::Export, EXPORT, desk.link);
            }
            if let Some(path) = self.replaces.clone()
                && menu(&export, |ui| ask_replacement(ui, &path, theme))
            {
                self.export(&path, desk);
            }
        });
        for field in [Field::Import, Field::Export] {
            if let Some(wrong) = desk.hand.browse.wrong(field) {
                ui.label(RichText::new(wrong).color(theme.warning));
            }
        }
        if let Some(wrong) = &self.wrong {
            ui.label(RichText::new(wrong).color(theme.warning));
        }
    }

    /// Asks for another name; true where it is given.
    fn ask_name(&mut self, ui: &mut Ui, opens: bool, theme: &Theme) -> bool {
        let field = line(
            ui,
            &mut self.rename,
            "New name of the preset",
            "name",
            ASKED,
        );
        if opens {
            field.request_focus();
        }
        if field.changed() {
            self.wrong_name = None;
        }
        let entered = entered(ui, &field);
        let named = !self.rename.trim().is_empty();
        let (done, cancels) = answers(ui, "Rename", "Rename to this", named, Look::Raised);
        if let Some(wrong) = &self.wrong_name {
            ui.label(RichText::new(wrong).color(theme.warning));
        }
        if cancels {
            ui.close();
        }
        named && (done || entered)
    }

    /// True where it has the new name.
    fn rename(&mut self, entry: &Entry, desk: &Desk) -> bool {
        let name = self.rename.trim().to_owned();
        match self.library.rename(&entry.name, &name) {
            Ok(_) => {
                self.reread(desk.link);
                if entry.name == self.loaded {
                    // The sound is still of it.
                    desk.link
                        .edit_session(|session| session.name = name.clone());
                    desk.sink.touch();
                    self.loaded = name.clone();
                }
                self.show(Some(name));
                true
            }
            Err(error) => {
                self.wrong_name = Some(error.to_string());
                false
            }
        }
    }

    fn delete(&mut self, entry: &Entry, desk: &Desk) {
        if let Err(error) = self.library.delete(&entry.name) {
            desk.link.messages.post(error.to_string());
        }
        self.reread(desk.link);
        self.show(None);
    }

    fn import(&mut self, path: &Path, desk: &Desk) {
        self.wrong = None;
        match self.library.import(path) {
            Ok((imported, path)) => {
                // It is done with, and no place to write to.
                self.path.clear();
                for line in &imported.report {
                    desk.link.messages.post(line.clone());
                }
                let name = imported.preset.name().to_owned();
                desk.link
                    .messages
                    .post(format!("imported: {}", path.display()));
                self.reread(desk.link);
                self.show(Some(name));
            }
            Err(error) => self.wrong = Some(error.to_string()),
        }
    }

    fn export(&mut self, path: &Path, desk: &Desk) {
        let now = take(desk.link, desk.sink);
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        let name = if now.name.is_empty() {
            stem.unwrap_or_default()
        } else {
            now.name.clone()
        };
        let known = self.named(&now.name).map(|index| &self.entries[index]);
        let preset = match known {
            Some(entry) => entry.preset.clone(),
            None => Preset::new(&name, "", &[], None),
        };
        let preset = saying(&preset, &now, desk.link);
        let told = path.display();
        match crate::file::replace(path, &preset.to_text()) {
            Ok(()) => {
                desk.link.messages.post(format!("exported: {told}"));
                self.wrong = None;
            }
            Err(error) => {
                let why = crate::file::why(&error);
                self.wrong = Some(format!("{told} cannot be written: {why}"));
            }
        }
    }
}

/// A small question below a button, whose parts keep their size; what it answers.
fn menu(below: &Response, ask: impl FnOnce(&mut Ui) -> bool) -> bool {
    let shown = Popup::menu(below)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .width(ASKED)
        .show(|ui| ui.with_layout(Layout::top_down(Align::Min), ask).inner);
    shown.is_some_and(|shown| shown.inner)
}

/// Two answers: what is asked about, and Cancel.
fn answers(ui: &mut Ui, text: &str, name: &str, enabled: bool, look: Look) -> (bool, bool) {
    ui.horizontal(|ui| {
        let done = button(ui, text, name, "", enabled, look).clicked();
        (
            done,
            button(ui, "Cancel", "Cancel", "", true, Look::Raised).clicked(),
        )
    })
    .inner
}

/// Asks whether a preset is to go; true where it is.
fn ask_deletion(ui: &mut Ui, entry: &Entry, theme: &Theme) -> bool {
    let text = format!("Delete \u{201c}{}\u{201d} for good?", entry.name);
    ui.add(egui::Label::new(text).wrap());
    let look = Look::Accent(theme.warning);
    let (done, cancels) = answers(ui, "Delete", "Delete for good", true, look);
    if done || cancels {
        ui.close();
    }
    done
}

/// Asks whether a file that is there is to go; true where it is.
fn ask_replacement(ui: &mut Ui, path: &Path, theme: &Theme) -> bool {
    let name = path.file_name().unwrap_or(path.as_os_str());
    let text = format!(
        "There is a file \u{201c}{}\u{201d} already. Replace it with this sound?",
        name.display()
    );
    ui.add(egui::Label::new(text).wrap())
        .on_hover_text(path.display().to_string());
    let look = Look::Accent(theme.warning);
    let (done, cancels) = answers(ui, "Replace", "Replace the file", true, look);
    if done || cancels {
        ui.close();
    }
    done
}

/// Draws one preset of the list: the one that is loaded has a bar, the one whose text is shown is a step lighter.
fn row(ui: &mut Ui, entry: &Entry, [current, shown]: [bool; 2], theme: &Theme) -> Response {
    let (area, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, current, &entry.name));
    let active = response.hovered() || response.has_focus();
    let fill = match (shown, active) {
        (true, _) => mix(theme.surface, theme.text, 0.10),
        (false, true) => theme.raised,
        (false, false) => Color32::TRANSPARENT,
    };
    let painter = ui.painter_at(area);
    painter.rect_filled(area, 6.0, fill);
    if current {
        let bar = Rect::from_min_size(area.min + vec2(0.0, 7.0), vec2(3.0, area.height() - 14.0));
        painter.rect_filled(bar, 1.5, theme.beat);
    }
    // From the right: grade or chip, and whether it moves.
    let mut right = area.right() - 6.0;
    let middle = area.center().y;
    if let Some(evidence) = entry.preset.evidence() {
        badge(
            ui,
            pos2(right - 10.0, middle),
            evidence.grade.letter(),
            theme,
        );
        right -= 24.0;
    }
    if entry.path.is_some() {
        right -= chip(ui, pos2(right, middle), theme) + 4.0;
    }
    if entry.preset.protocol().is_some() {
        painter.circle_filled(pos2(right - 6.0, middle), 2.5, theme.beat);
        right -= 12.0;
    }
    let text = super::header::elided(ui, &entry.name, right - area.left() - 8.0);
    painter.text(
        pos2(area.left() + 8.0, middle),
        Align2::LEFT_CENTER,
        text,
        font::BODY,
        theme.text,
    );
    response.on_hover_text(entry.preset.about())
}

/// The sign of a preset of the musician's own, to the left of a place; how wide it is.
fn chip(ui: &Ui, right: Pos2, theme: &Theme) -> f32 {
    let painter = ui.painter();
    let text = painter.layout_no_wrap(OWN.to_owned(), font::SMALL, theme.weak);
    let size = vec2(text.size().x + 10.0, 18.0);
    let area = Rect::from_min_size(right - vec2(size.x, 0.5 * size.y), size);
    painter.rect_filled(area, 9.0, mix(theme.surface, theme.text, 0.14));
    painter.galley(area.center() - 0.5 * text.size(), text, theme.weak);
    size.x
}

/// What the marks in the list mean.
fn legend(ui: &mut Ui, theme: &Theme) {
    ui.spacing_mut().item_spacing.y = 6.0;
    let title = "How well it is known";
    ui.label(RichText::new(title).font(font::value()).color(theme.weak));
    let line = |ui: &mut Ui, draw: &dyn Fn(&Ui, Pos2), text: &str| {
        ui.horizontal_top(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(20.0, 18.0), Sense::hover());
            draw(ui, rect.center());
            let text = RichText::new(text).font(font::SMALL).color(theme.weak);
            ui.add(egui::Label::new(text).wrap());
        });
    };
    for grade in [Grade::A, Grade::B, Grade::C, Grade::D, Grade::N] {
        line(
            ui,
            &|ui, at| badge(ui, at, grade.letter(), theme),
            grade.meaning(),
        );
    }
    let dot = |ui: &Ui, at: Pos2| {
        ui.painter().circle_filled(at, 2.5, theme.beat);
    };
    line(ui, &dot, "it brings a protocol");
}

/// What a preset does, and what is known of it.
fn describe(ui: &mut Ui, entry: &Entry, theme: &Theme) {
    ui.spacing_mut().item_spacing.y = 6.0;
    ui.label(
        RichText::new(&entry.name)
            .font(font::title())
            .color(theme.text),
    );
    let mut kind = match &entry.path {
        Some(_) => OWN.to_owned(),
        None => entry.preset.group().to_owned(),
    };
    if let Some(protocol) = entry.preset.protocol() {
        kind += &format!(" \u{b7} protocol of {}", clock(protocol.seconds()));
    }
    ui.label(RichText::new(kind).font(font::SMALL).color(theme.weak));
    if !entry.preset.about().is_empty() {
        ui.label(entry.preset.about());
    }
    let Some(evidence) = entry.preset.evidence() else {
        return;
    };
    ui.add_space(4.0);
    ui.horizontal_wrapped(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(20.0, 18.0), Sense::hover());
        badge(ui, rect.center(), evidence.grade.letter(), theme);
        ui.label(RichText::new(evidence.grade.meaning()).color(theme.beat));
    });
    for (title, text) in [("Found", &evidence.found), ("Limits", &evidence.not_found)] {
        if !text.is_empty() {
            ui.label(RichText::new(title).font(font::value()).color(theme.weak));
            ui.label(text);
        }
    }
    if !evidence.cites.is_empty() {
        ui.label(
            RichText::new("Source")
                .font(font::value())
                .color(theme.weak),
        );
        for cite in &evidence.cites {
            let mark = if cite.unchecked { " (not checked)" } else { "" };
            let text = format!("{}{mark}", cite.text);
            ui.label(RichText::new(text).font(font::SMALL).color(theme.weak));
        }
    }
}

/// Seconds as minutes and seconds, or hours too.
pub(in crate::editor) fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole / 3600 {
        0 => format!("{}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole / 60 % 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::testing::{Table, Told};
    use crate::engine::controls::{BEAT, L1_KIND, PROTOCOL_ON};

    #[test]
    fn presets_are_loaded_taken_back_and_compared() {
        let (link, sink) = (Link::default(), Table::default());
        let mut presets = Presets::new(Library::at("/nonexistent"));
        presets.refresh(&link);
        let with_protocol = |entry: &Entry| entry.preset.protocol().is_some();
        let index = presets.entries.iter().position(with_protocol).unwrap();
        sink.set(BEAT, 33.0);
        presets.load(&link, &sink, index);
        for told in [Told::Play(true), Told::Touch] {
            assert!(sink.told.borrow().contains(&told), "{told:?}");
        }
        assert_eq!(link.session().name, presets.entries[index].name);
        assert!(link.session().protocol.is_some());
        assert_eq!((sink.value(PROTOCOL_ON), sink.value(L1_KIND)), (1.0, 1.0));
        let loaded = take(&link, &sink);
        let before = link
            .history(|history| history.undo(loaded.clone()))
            .unwrap();
        put(&link, &sink, &before);
        assert_eq!((sink.value(BEAT), sink.value(L1_KIND)), (33.0, 0.0));
        assert!(link.session().protocol.is_none());
        let after = link
            .history(|history| history.redo(take(&link, &sink)))
            .unwrap();
        assert_eq!(after, loaded);
    }
    #[test]
    fn the_head_goes_with_undo_redo_and_the_two_sounds() {
        let (link, sink) = (Link::default(), Table::default());
        let path = |name: &str| Some(std::path::PathBuf::from(name));
        let chosen = |link: &Link| link.hrtf().choice.map(|choice| choice.path);
        let choose = |name| {
            let path = std::path::PathBuf::from(name);
            link.choose_hrtf(Some(HrtfChoice { path, hash: None }));
        };
        choose("first.sofa");
        link.set_hrtf_hash(std::path::Path::new("first.sofa"), "abc");
        link.history(|history| history.note(take(&link, &sink)));
        choose("second.sofa");
        let before = link.history(|history| history.undo(take(&link, &sink)));
        put(&link, &sink, &before.unwrap());
        assert_eq!(chosen(&link), path("first.sofa"));
        let after = link.history(|history| history.redo(take(&link, &sink)));
        put(&link, &sink, &after.unwrap());
        assert_eq!(chosen(&link), path("second.sofa"));
        // B begins as A and gets the embedded set; A keeps its own.
        let other = link.history(|history| history.swap(take(&link, &sink)));
        put(&link, &sink, &other);
        link.choose_hrtf(None);
        let a = link.history(|history| history.swap(take(&link, &sink)));
        put(&link, &sink, &a);
        assert_eq!(chosen(&link), path("second.sofa"));
        let b = link.history(|history| history.swap(take(&link, &sink)));
        put(&link, &sink, &b);
        assert_eq!(chosen(&link), None);
        // The same file again is not loaded anew: what is known of it stays.
        choose("first.sofa");
        link.set_hrtf_hash(std::path::Path::new("first.sofa"), "abc");
        put(&link, &sink, &take(&link, &sink));
        assert_eq!(link.hrtf().choice.unwrap().hash.as_deref(), Some("abc"));
    }

    #[test]
    fn ones_own_preset_hides_the_factorys_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let factory = Library::factory().swap_remove(1).name;
        let text = format!(
            r#"{{"zeitgeber": 1, "name": "{}", "params": {{"beat": 5}}}}"#,
            factory.to_uppercase()
        );
        std::fs::write(folder.path().join("own.json"), text).unwrap();
        let link = Link::default();
        let mut presets = Presets::new(Library::at(folder.path()));
        let hidden = |presets: &Presets| {
            let all = (0..presets.entries.len()).filter(|index| presets.is_hidden(*index));
            all.collect::<Vec<_>>()
        };
        assert!(hidden(&presets).is_empty(), "it has not been read yet");
        // Beside the window.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while presets.entries.iter().all(|entry| entry.path.is_none()) {
            presets.refresh(&link);
            assert!(std::time::Instant::now() < deadline, "it is not read");
            std::thread::yield_now();
        }
        // One's own stand first.
        assert_eq!(hidden(&presets), [2]);
        assert_eq!(presets.entries[2].name, factory);
        let own = presets.named(&factory).unwrap();
        assert!(own == 0 && presets.entries[own].path.is_some());
        std::fs::remove_file(folder.path().join("own.json")).unwrap();
        presets.reread(&link);
        assert!(hidden(&presets).is_empty());
    }

    #[test]
    fn saving_again_keeps_what_is_said_about_a_preset() {
        let folder = std::env::temp_dir().join(format!("zeitgeber-save-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let text = r#"{"zeitgeber": 1, "name": "Mine", "about": "a note", "later": 1, "hrtf": "head.sofa",
            "params": {"beat": 5}, "protocol": [{"at": 60, "beat": 6, "carrier": 300}]}"#;
        std::fs::write(folder.join("mine.json"), text).unwrap();
        let (link, sink) = (Link::default(), Table::default());
        let mut presets = Presets::new(Library::at(&folder));
        presets.reread(&link);
        let index = presets.named("Mine");
        presets.load(&link, &sink, index.unwrap());
        let chosen = link.hrtf().choice.unwrap().path;
        assert_eq!(chosen, folder.join("head.sofa"));
        // The protocol begins where the preset does, whatever the host does to the parameters.
        let first = link.session().protocol.unwrap().rows()[0];
        assert_eq!(
            (first.seconds, first.control, first.value),
            (0.0, BEAT, 5.0)
        );
        sink.set(L1_KIND, 1.0);
        sink.told.borrow_mut().clear();
        let mut hand = crate::editor::widgets::Hand::default();
        let desk = Desk {
            hand: &mut hand,
            sink: &sink,
            link: &link,
            now: 0.0,
        };
        presets.save("Mine", &desk);
        assert_eq!(*sink.told.borrow(), [Told::Touch]);
        let saved = presets.library.find("Mine").unwrap().preset;
        assert_eq!(saved.about(), "a note");
        assert_eq!(saved.hrtf(), chosen.to_str());
        assert!(saved.to_text().contains("\"later\": 1"));
        assert!(saved.settings().contains(&(L1_KIND, 1.0)));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// Of an insert that holds a node a preset says where its macros are, though they be at their defaults; of an empty
    /// one nothing.
    #[test]
    fn what_is_saved_of_an_insert_is_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let (link, sink) = (Link::default(), Table::default());
        let mut presets = Presets::new(Library::at(folder.path()));
        let mut hand = crate::editor::widgets::Hand::default();
        let desk = Desk {
            hand: &mut hand,
            sink: &sink,
            link: &link,
            now: 0.0,
        };
        let [a, b] = [0, 1].map(|insert| INSERTS[insert].macros[0]);
        sink.set(a, 0.25);
        sink.set(b, 0.25);
        let node = crate::protocol::InsertChoice::Node("gain".to_owned());
        link.choose_insert(1, Some(node), true);
        presets.save("Mine", &desk);
        let saved = presets.library.find("Mine").unwrap().preset;
        assert!(!saved.sets(a) && saved.sets(b));
        let said = saved
            .settings()
            .iter()
            .filter(|(id, _)| INSERTS[1].has(*id));
        assert_eq!(said.count(), 5);
        assert!(!saved.to_text().contains("a_1"));
        assert_eq!(presets.changes(&desk), None);
        sink.set(a, 0.75);
        assert_eq!(presets.changes(&desk), None);
        sink.set(b, 0.75);
        assert_eq!(presets.changes(&desk).as_deref(), Some("Insert B 1"));
        // Nodes are the project's: it is left where it is.
        let index = presets.named("Mine").unwrap();
        presets.load(&link, &sink, index);
        assert_eq!((sink.value(a), sink.value(b)), (0.75, 0.25));
        assert!(link.insert(1).choice.is_some());
    }
}
