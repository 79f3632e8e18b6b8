//! The page of presets: the list, the text beside it and the bar tell of the same preset; one's own are kept and found.

use crate::stand::Stand;
use egui::Rect;
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use zeitgeber::editor::Look;

/// A window with the page open, and so many presets of one's own.
fn open(size: (f32, f32), own: &[&str]) -> Stand {
    let mut stand = Stand::new(size, Look::default());
    press(&mut stand, Role::Tab, "Presets");
    for name in own {
        save(&mut stand, name);
    }
    stand
}

fn press(stand: &mut Stand, role: Role, name: &str) {
    stand.harness.get_by_role_and_label(role, name).click();
    stand.steps(4);
}

/// Keeps the sound under a name.
fn save(stand: &mut Stand, name: &str) {
    press(stand, Role::Button, "Save preset");
    write(stand, "Name of the preset", name);
    press(stand, Role::Button, "Save under this name");
}

/// Types a text into a field, in place of what is in it.
fn write(stand: &mut Stand, field: &str, text: &str) {
    stand
        .harness
        .get_by_role_and_label(Role::TextInput, field)
        .focus();
    stand.steps(1);
    let all = (egui::Modifiers::COMMAND, egui::Key::A);
    stand.harness.key_press_modifiers(all.0, all.1);
    stand.steps(1);
    let field = stand.harness.get_by_role_and_label(Role::TextInput, field);
    field.type_text(text);
    stand.steps(3);
}

fn says(stand: &Stand, text: &str) -> bool {
    let found = stand.harness.query_all_by_label_contains(text);
    found.count() > 0
}

fn place(stand: &Stand, role: Role, name: &str) -> Rect {
    let node = stand.harness.get_by_role_and_label(role, name);
    node.rect()
}

/// List, bar and text agree, and the row is in sight.
fn agree(stand: &Stand, name: &str) {
    let row = stand.harness.get_by_role_and_label(Role::RadioButton, name);
    let toggled = row.accesskit_node().toggled();
    assert_eq!(toggled, Some(egui::accesskit::Toggled::True), "{name}");
    let list = place(stand, Role::TextInput, "Search presets").bottom();
    let strip = place(stand, Role::RadioButton, "Layer 1").top();
    let row = row.rect();
    assert!(
        row.top() >= list && row.bottom() <= strip,
        "{name}: {row:?} is not between {list} and {strip}"
    );
    assert!(says(stand, &format!("Preset: {name}")), "{name}");
    let title = stand.harness.query_by_role_and_label(Role::Label, name);
    assert!(title.is_some(), "the text is not of {name}");
}

/// Whether a button can be pressed.
fn can(stand: &Stand, name: &str) -> bool {
    let node = stand.harness.get_by_role_and_label(Role::Button, name);
    !node.accesskit_node().is_disabled()
}

#[test]
fn what_is_chosen_follows_the_sound() {
    let mut stand = open((1100.0, 720.0), &[]);
    press(&mut stand, Role::RadioButton, "Calm ten");
    agree(&stand, "Calm ten");
    press(&mut stand, Role::RadioButton, "Around your head");
    agree(&stand, "Around your head");
    assert!(!can(&stand, "Rename preset") && !can(&stand, "Delete preset"));
    press(&mut stand, Role::Button, "Undo");
    stand.steps(20);
    agree(&stand, "Calm ten");
    press(&mut stand, Role::Button, "Redo");
    stand.steps(20);
    agree(&stand, "Around your head");
    // Arrows go through all of them, wherever they stand.
    for _ in 0..12 {
        press(&mut stand, Role::Button, "Previous preset");
    }
    stand.steps(30);
    let name = stand.link.session().name;
    assert!(name != "Around your head");
    agree(&stand, &name);
    // The host, too.
    stand
        .link
        .edit_session(|session| session.name = "Calm ten".to_owned());
    stand.steps(30);
    agree(&stand, "Calm ten");
    press(&mut stand, Role::Button, "Sound B");
    press(&mut stand, Role::RadioButton, "Around your head");
    press(&mut stand, Role::Button, "Sound A");
    stand.steps(30);
    agree(&stand, "Calm ten");
}

#[test]
fn what_is_saved_is_chosen_in_sight_and_ones_own() {
    for size in [(1100.0, 720.0), (760.0, 500.0)] {
        let mut stand = open(size, &[]);
        for _ in 0..3 {
            press(&mut stand, Role::Button, "Previous preset");
        }
        stand.steps(20);
        save(&mut stand, "Mine");
        stand.steps(20);
        agree(&stand, "Mine");
        // One's own stand first, and have a sign.
        let mine = place(&stand, Role::RadioButton, "Mine");
        let all = stand.accessible().into_iter();
        let rows = all.filter(|(_, role, _)| *role == Role::RadioButton);
        let rows = rows.filter_map(|(_, _, at)| at);
        let mut rows = rows.filter(|at| (at.left() - mine.left()).abs() < 1.0);
        assert!(rows.all(|at| at.top() >= mine.top()));
        assert!(says(&stand, "yours"));
        assert!(can(&stand, "Rename preset") && can(&stand, "Delete preset"));
    }
}

#[test]
fn one_is_renamed_and_deleted_after_a_question() {
    let mut stand = open((1100.0, 720.0), &["Mine", "Other"]);
    press(&mut stand, Role::Button, "Rename preset");
    write(&mut stand, "New name of the preset", "Mine");
    press(&mut stand, Role::Button, "Rename to this");
    // It is taken: said where it was typed.
    assert!(says(&stand, "there is a preset \"Mine\" already"));
    write(&mut stand, "New name of the preset", "Third");
    press(&mut stand, Role::Button, "Rename to this");
    stand.steps(20);
    let question = (Role::TextInput, "New name of the preset");
    let asked = stand
        .harness
        .query_by_role_and_label(question.0, question.1);
    assert!(asked.is_none(), "the question stays open");
    agree(&stand, "Third");
    assert_eq!(stand.link.session().name, "Third");
    press(&mut stand, Role::Button, "Delete preset");
    assert!(says(&stand, "Delete \u{201c}Third\u{201d} for good?"));
    press(&mut stand, Role::Button, "Cancel");
    agree(&stand, "Third");
    press(&mut stand, Role::Button, "Delete preset");
    press(&mut stand, Role::Button, "Delete for good");
    let gone = stand
        .harness
        .query_by_role_and_label(Role::RadioButton, "Third");
    assert!(gone.is_none());
    assert!(!can(&stand, "Delete preset"));
}

/// What is typed stands in the middle of its field with room before it, and questions have their words side by side.
#[test]
fn fields_and_questions_have_room() {
    let mut stand = open((1100.0, 720.0), &["Mine"]);
    press(&mut stand, Role::Button, "Save preset");
    let field = place(&stand, Role::TextInput, "Name of the preset");
    assert!(field.height() >= 26.0, "{field:?}");
    press(&mut stand, Role::Button, "Save under this name");
    press(&mut stand, Role::Button, "Delete preset");
    let text = place(&stand, Role::Label, "Delete \u{201c}Mine\u{201d} for good?");
    assert!(text.width() < 200.0, "{text:?}");
    let [delete, cancel] =
        ["Delete for good", "Cancel"].map(|name| place(&stand, Role::Button, name));
    assert!(delete.width() < 80.0 && delete.right() < cancel.left());
    assert!((delete.left() - text.left()).abs() < 1.0);
}

#[test]
fn filters_that_nothing_passes_are_cleared() {
    let mut stand = open((1100.0, 720.0), &[]);
    write(&mut stand, "Search presets", "nothing of that kind");
    assert!(says(&stand, "No preset has all of that."));
    press(&mut stand, Role::Button, "Clear filters");
    let row = stand
        .harness
        .query_by_role_and_label(Role::RadioButton, "Calm ten");
    assert!(row.is_some());
    assert!(!says(&stand, "No preset has all of that."));
}

#[test]
fn prose_is_no_wider_than_it_can_be_read() {
    let mut stand = open((1900.0, 1000.0), &[]);
    press(&mut stand, Role::RadioButton, "Calm ten");
    let preset = zeitgeber::protocol::factory("Calm ten").unwrap();
    let text = place(&stand, Role::Label, preset.about());
    assert!(text.width() <= 500.0, "{text:?}");
    assert!(says(&stand, "Limits") && !says(&stand, "Not found"));
}

#[test]
fn what_cannot_be_imported_is_said_beside_the_field() {
    let mut stand = open((1100.0, 720.0), &[]);
    write(&mut stand, "Path of a preset file", "/nowhere/a.sbg");
    press(&mut stand, Role::Button, "Import preset");
    let field = place(&stand, Role::TextInput, "Path of a preset file");
    let said = stand.harness.query_all_by_label_contains("a.sbg");
    let said = said.filter(|node| node.accesskit_node().role() == Role::Label);
    let near = said.map(|node| node.rect());
    let near = near.filter(|at| at.top() >= field.bottom() && at.top() < field.bottom() + 60.0);
    assert_eq!(near.count(), 1);
    write(&mut stand, "Path of a preset file", "x");
    assert!(!says(&stand, "no such file"));
}

#[test]
fn files_are_browsed_for() {
    let mut stand = open((1100.0, 720.0), &[]);
    let file = stand.folder().join("Elsewhere.json");
    let text = r#"{"zeitgeber": 1, "name": "Elsewhere", "params": {"beat": 7}}"#;
    std::fs::write(&file, text).unwrap();
    let out = stand.folder().join("out.json");
    let (answer, written) = (file.clone(), out.clone());
    stand.link.ask_by(Box::new(move |ask, _| {
        let path = if ask.writes { &written } else { &answer };
        Ok(Some(path.clone()))
    }));
    let wait = |stand: &mut Stand, until: &dyn Fn(&Stand) -> bool| {
        let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !until(stand) {
            assert!(std::time::Instant::now() < end, "nothing comes");
            std::thread::sleep(std::time::Duration::from_millis(5));
            stand.steps(1);
        }
        stand.steps(20);
    };
    // With nothing in the field the file to be written is asked for.
    press(&mut stand, Role::Button, "Export preset");
    wait(&mut stand, &|_| out.exists());
    // It was not there; where it is now, the dialog has asked.
    assert_eq!(field(&stand, "Path of a preset file"), text_of(&out));
    write(&mut stand, "Path of a preset file", " ");
    std::fs::write(&out, "another").unwrap();
    press(&mut stand, Role::Button, "Export preset");
    wait(&mut stand, &|_| content(&out) != "another");
    press(&mut stand, Role::Button, "Browse for a preset file");
    wait(&mut stand, &|stand| says(stand, "imported: "));
    // What was imported is not what is exported to: that is asked for again.
    assert_eq!(field(&stand, "Path of a preset file"), "");
    std::fs::remove_file(&out).unwrap();
    press(&mut stand, Role::Button, "Export preset");
    wait(&mut stand, &|_| out.exists());
    assert_eq!(content(&file), text);
    // Its text is shown and its row is in sight, though it is not loaded.
    let title = stand
        .harness
        .query_by_role_and_label(Role::Label, "Elsewhere");
    assert!(title.is_some() && can(&stand, "Rename preset"));
    assert!(says(&stand, "Preset: No preset"));
    let row = place(&stand, Role::RadioButton, "Elsewhere");
    assert!(row.bottom() < place(&stand, Role::RadioButton, "Layer 1").top());
    stand.link.ask_by(Box::new(|_, _| {
        Err("there is none: type a path here".to_owned())
    }));
    press(&mut stand, Role::Button, "Browse for a preset file");
    wait(&mut stand, &|stand| says(stand, "type a path here"));
}

/// What a field holds.
fn field(stand: &Stand, name: &str) -> String {
    let field = stand.harness.get_by_role_and_label(Role::TextInput, name);
    field.accesskit_node().value().unwrap_or_default()
}

fn text_of(path: &std::path::Path) -> String {
    path.display().to_string()
}

fn content(path: &std::path::Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A file that is there is replaced after a question, whoever put its path into the field.
#[test]
fn export_replaces_no_file_unasked() {
    let mut stand = open((1100.0, 720.0), &[]);
    let [file, out] = ["In.json", "out.json"].map(|name| stand.folder().join(name));
    let text = r#"{"zeitgeber": 1, "name": "In", "params": {"beat": 7}}"#;
    std::fs::write(&file, text).unwrap();
    let path = "Path of a preset file";
    write(&mut stand, path, &text_of(&file));
    press(&mut stand, Role::Button, "Import preset");
    assert!(says(&stand, "imported: "));
    assert_eq!(field(&stand, path), "");
    // Typed again.
    write(&mut stand, path, &text_of(&file));
    press(&mut stand, Role::Button, "Export preset");
    let asks = "There is a file \u{201c}In.json\u{201d} already.";
    assert!(says(&stand, asks));
    press(&mut stand, Role::Button, "Cancel");
    stand.steps(20);
    assert!(!says(&stand, asks));
    assert_eq!(content(&file), text);
    press(&mut stand, Role::Button, "Export preset");
    assert_eq!(content(&file), text);
    press(&mut stand, Role::Button, "Replace the file");
    stand.steps(20);
    assert!(!says(&stand, asks) && says(&stand, "exported: "));
    assert_ne!(content(&file), text);
    // One that is not there is written at once.
    write(&mut stand, path, &text_of(&out));
    press(&mut stand, Role::Button, "Export preset");
    assert!(out.exists() && !says(&stand, "There is a file"));
}
