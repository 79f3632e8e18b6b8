//! A folder of presets from its first to its last.

use super::*;

fn preset(name: &str) -> Preset {
    Preset::parse(&format!(
        r#"{{"zeitgeber": 1, "name": "{name}", "kept": 1, "params": {{"beat": 7}}}}"#
    ))
    .unwrap()
}

#[test]
fn presets_are_saved_renamed_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::at(folder.path().join("deep/presets"));
    let factory = library.list().0.len();
    let path = library.save(&preset("My Beat!")).unwrap();
    assert_eq!(path.file_name().unwrap(), "my-beat.json");
    assert_eq!(library.list().0.len(), factory + 1);
    // Saving again writes over it; another name beside it.
    assert_eq!(library.save(&preset("my beat!")).unwrap(), path);
    assert!(matches!(
        library.save_as(&preset("x"), "MY BEAT!"),
        Err(LibraryError::Exists(_))
    ));
    library.save_as(&preset("x"), "Second").unwrap();
    assert_eq!(
        library
            .rename("second", "Third")
            .unwrap()
            .file_name()
            .unwrap(),
        "third.json"
    );
    assert!(library.find("Second").is_err());
    assert!(matches!(
        library.rename("Third", "my beat!"),
        Err(LibraryError::Exists(_))
    ));
    // What this version does not know is still there.
    let text = std::fs::read_to_string(folder.path().join("deep/presets/third.json")).unwrap();
    assert!(text.contains("\"kept\": 1"));
    library.delete("Third").unwrap();
    let unknown = library.find("my beet").unwrap_err().to_string();
    assert!(unknown.contains("the nearest is \"my beat!\""), "{unknown}");
}

#[test]
fn the_factory_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::at(folder.path());
    let name = library.list().0[0].name.clone();
    assert!(matches!(
        library.save(&preset(&name)),
        Err(LibraryError::Factory(_))
    ));
    assert!(matches!(
        library.delete(&name),
        Err(LibraryError::Factory(_))
    ));
    assert!(matches!(
        library.rename(&name, "x"),
        Err(LibraryError::Factory(_))
    ));
    for wrong in ["", "  ", "a\\tb", &"x".repeat(81)] {
        assert!(library.save(&preset(wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_new_name_may_differ_by_its_capitals_only_and_a_wrong_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::at(folder.path());
    let path = library.save(&preset("walk")).unwrap();
    assert_eq!(library.rename("walk", "Walk").unwrap(), path);
    assert_eq!(library.find("walk").unwrap().name, "Walk");
    let factory = library.list().0[0].name.clone();
    for wrong in ["", &"x".repeat(81), &factory] {
        assert!(library.rename("Walk", wrong).is_err(), "{wrong:?}");
        assert_eq!(library.find("walk").unwrap().name, "Walk");
    }
    assert!(matches!(
        library.rename("nobody", "x"),
        Err(LibraryError::Unknown { .. })
    ));
    assert!(matches!(
        library.delete("nobody"),
        Err(LibraryError::Unknown { .. })
    ));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn damaged_files_are_told_and_the_rest_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.json"), "{").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
    let library = Library::at(folder.path());
    library.save(&preset("Good")).unwrap();
    let (entries, wrong) = library.list();
    assert!(entries.iter().any(|entry| entry.name == "Good"));
    assert_eq!(wrong.len(), 1);
    assert!(wrong[0].to_string().contains("bad.json"));
}

#[test]
fn imports_get_names_that_nobody_has() {
    let folder = tempfile::tempdir().unwrap();
    let library = Library::at(folder.path().join("own"));
    let file = folder.path().join("walk.sbg");
    std::fs::write(&file, "-SE\na: 200+10/10\nNOW a\n+00:01 a\n").unwrap();
    for name in ["walk", "walk 2"] {
        let (imported, _) = library.import(&file).unwrap();
        assert_eq!(imported.preset.name(), name);
    }
}

#[test]
fn long_names_have_files_and_heads_lie_beside_their_presets() {
    let name = "\u{4e2d}".repeat(80);
    let file = file_name(&name);
    assert!(file.len() <= LONGEST_STEM + 5, "{}", file.len());
    let entry = |path: Option<&str>, hrtf: &str| Entry {
        name: String::new(),
        path: path.map(PathBuf::from),
        preset: Preset::new("", "", &[], None).with(&[], None, Some(hrtf)),
    };
    let path = |path, hrtf| entry(path, hrtf).hrtf_path().unwrap();
    assert_eq!(path(Some("/a/b.json"), "x.sofa"), Path::new("/a/x.sofa"));
    assert_eq!(path(None, "x.sofa"), Path::new("x.sofa"));
    let absolute = std::env::temp_dir().join("x.sofa");
    assert_eq!(
        path(Some("/a/b.json"), absolute.to_str().unwrap()),
        absolute
    );
}
