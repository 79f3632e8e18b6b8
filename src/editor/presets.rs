//! The row of presets: the one before, the next, by name; save; A and B; undo and redo; the protocol.

use super::ParamSink;
use super::link::Link;
use crate::engine::ControlId;
use crate::engine::controls::BYPASS;
use crate::protocol::{Entry, Library, Preset, Take};
use egui::{ComboBox, Slider, TextEdit, Ui};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the list of presets is taken for current.
const FRESH: Duration = Duration::from_secs(5);

/// The longest path in a preset, in letters.
const LONGEST_PATH: usize = 4096;

/// What the row remembers between frames.
pub(super) struct Presets {
    library: Library,
    entries: Vec<Entry>,
    read: Option<Instant>,
    /// The name to save under, as it is being typed.
    name: String,
    /// Whether the protocol was told to wait.
    paused: bool,
}

/// The sound as it is now.
pub(super) fn take(link: &Link, sink: &dyn ParamSink) -> Take {
    let session = link.session();
    Take {
        settings: ControlId::all().map(|id| (id, sink.value(id))).collect(),
        protocol: session.protocol,
        name: session.name,
        hrtf: link.hrtf().choice.map(|choice| choice.path),
    }
}

/// Puts a sound in force.
fn put(link: &Link, sink: &dyn ParamSink, take: &Take) {
    // The engine first: a round of the worker between the two would bring the new timeline with the old settings.
    sink.load(take);
    link.edit_session(|session| {
        session.protocol = take.protocol.clone();
        session.name = take.name.clone();
    });
    let chosen = link.hrtf().choice.map(|choice| choice.path);
    if chosen != take.hrtf {
        let choice = |path| super::HrtfChoice { path, hash: None };
        link.choose_hrtf(take.hrtf.clone().map(choice));
    }
    // Where only the protocol or the name is another, no parameter tells the host.
    sink.touch();
}

/// A preset as a sound: snapped as a host would have it, and not touching bypass.
fn sound(entry: &Entry, sink: &dyn ParamSink) -> Take {
    let mut settings = entry.preset.all_settings();
    for (id, value) in &mut settings {
        *value = if *id == BYPASS {
            sink.value(*id)
        } else {
            id.control().snap(*value)
        };
    }
    Take {
        // Its starts are those of the preset, whatever the parameters become.
        protocol: entry
            .preset
            .protocol()
            .map(|protocol| Arc::new(protocol.pinned(&settings))),
        settings,
        name: entry.name.clone(),
        hrtf: entry.hrtf_path(),
    }
}

/// The path of the chosen SOFA file, where a preset can hold it.
fn hrtf_text(link: &Link) -> Option<String> {
    let path = link.hrtf().choice?.path;
    let text = path.to_str()?;
    (text.chars().count() <= LONGEST_PATH).then(|| text.to_owned())
}

impl Presets {
    /// With the user's library.
    pub fn new() -> Presets {
        Presets {
            library: Library::new(),
            entries: Vec::new(),
            read: None,
            name: String::new(),
            paused: false,
        }
    }

    fn refresh(&mut self, link: &Link) {
        if self.read.is_some_and(|read| read.elapsed() < FRESH) {
            return;
        }
        let (entries, wrong) = self.library.list();
        if self.read.is_none() {
            for error in wrong {
                link.messages.post(error.to_string());
            }
        }
        self.entries = entries;
        self.read = Some(Instant::now());
    }

    fn load(&mut self, link: &Link, sink: &dyn ParamSink, index: usize) {
        let Some(entry) = self.entries.get(index) else {
            return;
        };
        link.history(|history| history.note(take(link, sink)));
        let mut sound = sound(entry, sink);
        // One that asks for no head keeps the one that there is.
        sound.hrtf = sound.hrtf.or(link.hrtf().choice.map(|choice| choice.path));
        put(link, sink, &sound);
        self.name = entry.name.clone();
        self.paused = false;
        sink.play(true);
        for warning in entry.preset.warnings() {
            link.messages.post(format!("{}: {warning}", entry.name));
        }
    }

    fn save(&mut self, link: &Link, sink: &dyn ParamSink) {
        let now = take(link, sink);
        let (name, protocol) = (self.name.trim(), now.protocol.as_deref());
        // One of the musician's own keeps what is said about it.
        let own = self.library.find(name).ok();
        let mut preset = match own.filter(|entry| entry.path.is_some()) {
            Some(entry) => entry.preset,
            None => Preset::new(name, "", &[], None),
        };
        preset = preset.with(&now.settings, protocol, hrtf_text(link).as_deref());
        preset.rename(name);
        match self.library.save(&preset) {
            Ok(path) => {
                let name = self.name.trim().to_owned();
                link.edit_session(|session| session.name = name);
                sink.touch();
                link.messages.post(format!("saved: {}", path.display()));
            }
            Err(error) => link.messages.post(error.to_string()),
        }
        self.read = None;
    }

    /// Draws the row.
    pub fn ui(&mut self, ui: &mut Ui, link: &Link, sink: &dyn ParamSink) {
        self.refresh(link);
        let current = link.session().name;
        let place = self.entries.iter().position(|entry| entry.name == current);
        let count = self.entries.len();
        let mut wanted = None;
        ui.horizontal_wrapped(|ui| {
            if ui
                .small_button("\u{2039}")
                .on_hover_text("the preset before")
                .clicked()
            {
                wanted = Some(place.map_or(count.saturating_sub(1), |at| {
                    (at + count - 1) % count.max(1)
                }));
            }
            let shown = if current.is_empty() {
                "no preset"
            } else {
                &current
            };
            ComboBox::from_id_salt("preset")
                .width(210.0)
                .selected_text(shown)
                .show_ui(ui, |ui| {
                    for (index, entry) in self.entries.iter().enumerate() {
                        let chosen = ui.selectable_label(place == Some(index), &entry.name);
                        if chosen.on_hover_text(entry.preset.about()).clicked() {
                            wanted = Some(index);
                        }
                    }
                });
            if ui
                .small_button("\u{203a}")
                .on_hover_text("the next preset")
                .clicked()
            {
                wanted = Some(place.map_or(0, |at| (at + 1) % count.max(1)));
            }
            let (can_undo, can_redo) = link.history(|history| history.can());
            if ui
                .add_enabled(can_undo, egui::Button::new("Undo").small())
                .clicked()
                && let Some(before) = link.history(|history| history.undo(take(link, sink)))
            {
                put(link, sink, &before);
            }
            if ui
                .add_enabled(can_redo, egui::Button::new("Redo").small())
                .clicked()
                && let Some(after) = link.history(|history| history.redo(take(link, sink)))
            {
                put(link, sink, &after);
            }
            let letter = if link.history(|history| history.is_second()) {
                "B"
            } else {
                "A"
            };
            if ui
                .small_button(letter)
                .on_hover_text("compare with the other of two sounds, A and B")
                .clicked()
            {
                let other = link.history(|history| history.swap(take(link, sink)));
                put(link, sink, &other);
            }
            ui.add(
                TextEdit::singleline(&mut self.name)
                    .hint_text("name")
                    .desired_width(120.0),
            );
            if ui.small_button("Save").clicked() && !self.name.trim().is_empty() {
                self.save(link, sink);
            }
        });
        if let Some(index) = wanted {
            self.load(link, sink, index);
        }
        self.protocol(ui, link, sink);
    }

    fn protocol(&mut self, ui: &mut Ui, link: &Link, sink: &dyn ParamSink) {
        let Some(protocol) = link.session().protocol else {
            return;
        };
        ui.horizontal(|ui| {
            let playing = link.telemetry().and_then(|telemetry| telemetry.protocol());
            let Some(seconds) = playing else {
                ui.weak(format!("protocol of {}: off", clock(protocol.seconds())));
                return;
            };
            ui.label(format!(
                "protocol {} of {}",
                clock(seconds),
                clock(protocol.seconds())
            ));
            ui.weak("it wins over the host's values");
            let label = if self.paused { "Play" } else { "Pause" };
            let hint = "where the host has no transport";
            if ui.small_button(label).on_hover_text(hint).clicked() {
                self.paused = !self.paused;
                sink.play(!self.paused);
            }
            let mut to = seconds.max(0.0);
            let slider = Slider::new(&mut to, 0.0..=protocol.seconds().max(1.0)).show_value(false);
            if ui.add(slider).on_hover_text(hint).drag_stopped() {
                sink.seek(to);
            }
        });
    }
}

/// Seconds as minutes and seconds, or hours too.
fn clock(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    match whole / 3600 {
        0 => format!("{}:{:02}", whole / 60, whole % 60),
        hours => format!("{hours}:{:02}:{:02}", whole / 60 % 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Table, Told};
    use super::*;
    use crate::engine::controls::{BEAT, L1_KIND, PROTOCOL_ON};

    #[test]
    fn presets_are_loaded_taken_back_and_compared() {
        let (link, sink) = (Link::default(), Table::default());
        let mut presets = Presets::new();
        presets.library = Library::at("/nonexistent");
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
            link.choose_hrtf(Some(super::super::HrtfChoice { path, hash: None }));
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
    fn saving_again_keeps_what_is_said_about_a_preset() {
        let folder = std::env::temp_dir().join(format!("zeitgeber-save-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let text = r#"{"zeitgeber": 1, "name": "Mine", "about": "a note", "later": 1, "hrtf": "head.sofa",
            "params": {"beat": 5}, "protocol": [{"at": 60, "beat": 6, "carrier": 300}]}"#;
        std::fs::write(folder.join("mine.json"), text).unwrap();
        let (link, sink) = (Link::default(), Table::default());
        let mut presets = Presets::new();
        presets.library = Library::at(&folder);
        presets.refresh(&link);
        let index = presets
            .entries
            .iter()
            .position(|entry| entry.name == "Mine");
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
        presets.save(&link, &sink);
        assert_eq!(*sink.told.borrow(), [Told::Touch]);
        let saved = presets.library.find("Mine").unwrap().preset;
        assert_eq!(saved.about(), "a note");
        assert_eq!(saved.hrtf(), chosen.to_str());
        assert!(saved.to_text().contains("\"later\": 1"));
        assert!(saved.settings().contains(&(L1_KIND, 1.0)));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
