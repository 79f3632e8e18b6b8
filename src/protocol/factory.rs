//! The factory's presets, embedded. Files of `assets/presets/`, in the order of listings.

use super::preset::Preset;
use std::sync::LazyLock;

/// Embeds files of `assets/presets/`.
macro_rules! embedded {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../assets/presets/", $name, ".json"))),)*]
    };
}

/// The files: their stems and texts.
pub const FACTORY: &[(&str, &str)] = embedded! {
    "starter-calm"
    "starter-tremolo"
    "starter-around"
    "study-theta-6"
    "study-delta-3"
    "study-beta-vigilance"
    "study-gamma-40"
    "study-alpha-creativity"
    "study-memory-15"
    "study-preoperative"
    "study-meta"
    "study-assr-40"
    "study-null-theta-7"
    "study-null-home"
    "sham-beat-0"
    "sham-noise"
    "sham-drift"
    "sleep-descent"
    "sleep-night"
    "sleep-surf"
    "focus-isochronic"
    "focus-interval"
    "focus-music-16"
    "focus-three-beats"
    "bilateral-tones"
    "bilateral-music"
    "bilateral-noise"
    "shift-theta"
    "shift-bass-stays"
    "music-fifths"
    "music-eighths"
    "music-sweep-bar"
    "music-keys"
    "space-room"
    "space-speakers"
    "space-points"
    "space-pendulum"
    "space-walk"
};

/// Read once, for all instances.
static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    // A test reads every one of them: none is ever refused.
    FACTORY
        .iter()
        .filter_map(|(_, text)| Preset::parse(text).ok())
        .collect()
});

/// All factory presets.
pub fn factory_presets() -> Vec<Preset> {
    PRESETS.clone()
}

/// A factory preset by its name.
pub fn factory(name: &str) -> Option<Preset> {
    let presets = factory_presets();
    presets
        .into_iter()
        .find(|preset| preset.name().eq_ignore_ascii_case(name))
}

/// The three that a new instance offers.
pub fn starters() -> Vec<Preset> {
    let presets = factory_presets();
    presets
        .into_iter()
        .filter(|preset| preset.group() == "starter")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Grade;

    #[test]
    fn every_file_is_embedded_sound_and_honest() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/presets");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| {
                file.unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        let mut embedded: Vec<&str> = FACTORY.iter().map(|(name, _)| *name).collect();
        files.sort();
        embedded.sort_unstable();
        assert_eq!(files, embedded);
        let mut names = Vec::new();
        for (file, text) in FACTORY {
            let preset = Preset::parse(text).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(preset.warnings(), [""; 0], "{file}");
            assert!(
                !preset.name().is_empty()
                    && !preset.about().is_empty()
                    && !preset.group().is_empty(),
                "{file}"
            );
            let evidence = preset
                .evidence()
                .unwrap_or_else(|| panic!("{file}: no evidence"));
            assert!(
                !evidence.found.is_empty() && !evidence.not_found.is_empty(),
                "{file}"
            );
            if evidence.grade == Grade::D {
                assert!(
                    evidence.found.contains("onvention") || evidence.found.contains("ontrol"),
                    "{file}: a convention says so"
                );
            } else {
                assert!(!evidence.cites.is_empty(), "{file}: no citation");
            }
            let all = format!(
                "{} {} {}",
                preset.about(),
                evidence.found,
                evidence.not_found
            )
            .to_lowercase();
            for claim in ["cure", "treats ", "heals", "therapy for"] {
                assert!(!all.contains(claim), "{file}: \"{claim}\"");
            }
            names.push(preset.name().to_lowercase());
            assert_eq!(
                Preset::parse(&preset.to_text()).unwrap().to_text(),
                preset.to_text(),
                "{file}"
            );
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), FACTORY.len(), "names are unique");
        assert!(FACTORY.len() >= 24);
        assert_eq!(starters().len(), 3);
    }
}
