//! Which head-related filters are chosen, and the row of the page that chooses them.

use super::browse::{Ask, Field};
use super::theme::Theme;
use super::widgets::{Desk, Look, button, entered, line};
use egui::{ProgressBar, RichText, Ui};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A file of filters that is asked for.
const SOFA: Ask = Ask {
    title: "Load a SOFA file",
    endings: &["sofa"],
    writes: false,
};

/// The longest path that a state may hold, in bytes.
const LONGEST_PATH: usize = 4096;

/// A SOFA file in place of the embedded set; persisted in the plugin's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HrtfChoice {
    /// The file.
    pub path: PathBuf,
    /// The content that it had when it was last read (see `hrtf::Info::hash`).
    pub hash: Option<String>,
}

impl HrtfChoice {
    /// Reads what a state holds.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(json: &str) -> Result<HrtfChoice, String> {
        let choice: HrtfChoice = serde_json::from_str(json).map_err(|error| error.to_string())?;
        match choice.path.as_os_str().len() {
            0 => Err("its path is empty".to_owned()),
            length if length > LONGEST_PATH => Err(format!("its path has {length} characters")),
            _ => Ok(choice),
        }
    }
}

/// What is chosen and what sounds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HrtfState {
    /// The file that is chosen; none is the embedded set.
    pub choice: Option<HrtfChoice>,
    /// Title and authors of the set that was loaded last.
    pub name: String,
    /// How often a set has been chosen, the same one included: whoever chooses asks for it anew.
    pub asked: u64,
    /// Why the chosen file does not sound, where it does not.
    pub wrong: Option<String>,
}

/// A set that is being loaded.
pub struct Loading {
    /// How much is done, 0 to 1.
    pub fraction: Box<dyn Fn() -> f64 + Send + Sync>,
    /// Gives it up: the musician does not want to wait.
    pub cancel: Box<dyn Fn() + Send + Sync>,
    /// Gives it up: another one is chosen.
    pub replace: Box<dyn Fn() + Send + Sync>,
}

/// Draws the row: what sounds, and a field for the path of another file.
pub(super) fn row(ui: &mut Ui, desk: &mut Desk) {
    let (link, sink) = (desk.link, desk.sink);
    // What is being typed.
    let typed = ui.scope_id().with("path of a SOFA file");
    let mut path = ui
        .data(|data| data.get_temp::<String>(typed))
        .unwrap_or_default();
    let state = link.hrtf();
    if !state.name.is_empty() {
        ui.weak(&state.name);
    }
    if let Some(loading) = link.loading() {
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 70.0).max(40.0);
            let bar = ProgressBar::new((loading.fraction)() as f32).desired_width(width);
            ui.add(bar.show_percentage());
            if ui.button("Cancel").clicked() {
                (loading.cancel)();
                sink.touch();
            }
        });
        let soon = std::time::Duration::from_millis(100);
        ui.ctx().request_repaint_after(soon);
    }
    let width = ui.available_width();
    let field = line(ui, &mut path, "Path of a SOFA file", "SOFA file", width);
    if field.changed() {
        desk.hand.browse.settle(Field::Sofa);
    }
    let entered = entered(ui, &field);
    ui.horizontal(|ui| {
        let asked = desk.browse(ui, "Browse for a SOFA file", Field::Sofa, SOFA);
        let help = "Loads a SOFA file in the background; the sound stays until it is ready";
        let load = button(ui, "Load", "Load SOFA file", help, true, Look::Raised);
        let chosen = load.clicked() || entered || asked.is_some();
        if let Some(asked) = asked {
            path = asked;
        }
        let text = path.trim();
        if chosen && !text.is_empty() {
            link.choose_hrtf(Some(HrtfChoice {
                path: PathBuf::from(text),
                hash: None,
            }));
            sink.touch();
        }
        let help = "Back to the embedded KEMAR set";
        let default = button(ui, "Default", "Default HRTF", help, true, Look::Raised);
        if default.clicked() {
            path.clear();
            link.choose_hrtf(None);
            sink.touch();
        }
    });
    ui.data_mut(|data| data.insert_temp(typed, path));
    if let Some(why) = desk.hand.browse.wrong(Field::Sofa) {
        let warning = Theme::of(ui).warning;
        ui.label(RichText::new(why).color(warning));
    }
    if let Some(choice) = &state.choice {
        let path = choice.path.display();
        match &state.wrong {
            Some(why) => {
                let text = RichText::new(format!("{path} does not sound: {why}"));
                ui.label(text.color(Theme::of(ui).warning));
            }
            None => {
                ui.weak(path.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_or_refused() {
        let choice = HrtfChoice::parse(r#"{"path":"/a.sofa","hash":"00ff"}"#).unwrap();
        assert_eq!(choice.path, PathBuf::from("/a.sofa"));
        assert_eq!(
            HrtfChoice::parse(r#"{"path":"b.sofa"}"#).unwrap().hash,
            None
        );
        for bad in ["", "[]", "{}", r#"{"path":""}"#, r#"{"path":5}"#] {
            assert!(HrtfChoice::parse(bad).is_err(), "{bad}");
        }
        let long = format!(r#"{{"path":"{}"}}"#, "x".repeat(5000));
        assert!(HrtfChoice::parse(&long).unwrap_err().contains("5000"));
    }
}
