//! The tones that the ears are given: those of the first layer that sounds and has any, as the engine makes them.

use crate::editor::live::Live;
use crate::editor::theme::Theme;
use crate::editor::widgets::Desk;
use crate::engine::controls::{LAYER, LAYER_BINAURAL, LAYER_MONAURAL, LAYER_NOISE, LAYER_OFF};
use crate::engine::layer_tones;
use egui::Color32;

/// What the ears are given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Tones {
    /// A tone an ear, left and right.
    Apart([f64; 2]),
    /// Two tones in both ears.
    Together([f64; 2]),
}

/// The tones that sound; none where nothing does, or only noise and the incoming audio.
pub(super) fn tones(live: &Live, desk: &Desk) -> Option<Tones> {
    let telemetry = live.sounding()?;
    let ids = LAYER.iter().find(|ids| {
        let tonal = !matches!(desk.index(ids.kind), LAYER_OFF | LAYER_NOISE);
        // The lowest level is silence.
        tonal && desk.value(ids.level) > ids.level.control().range().0
    })?;
    let (carrier, beat) = layer_tones(
        telemetry.carrier(),
        desk.value(ids.interval),
        telemetry.beat() * desk.value(ids.ratio),
    );
    let (low, high) = (carrier - 0.5 * beat, carrier + 0.5 * beat);
    Some(match desk.index(ids.kind) {
        LAYER_BINAURAL if desk.is_on(ids.swap) => Tones::Apart([high, low]),
        LAYER_BINAURAL => Tones::Apart([low, high]),
        LAYER_MONAURAL => Tones::Together([low, high]),
        _ => Tones::Apart([carrier; 2]),
    })
}

impl Tones {
    /// The middle of the tones in hertz.
    pub fn middle(self) -> f64 {
        let (Tones::Apart([one, other]) | Tones::Together([one, other])) = self;
        0.5 * (one + other)
    }

    /// In words with numbers, each in its ear's colour.
    pub fn told(self, theme: &Theme) -> [(String, Color32); 2] {
        match self {
            Tones::Apart([left, right]) => [
                (format!("L {left:.3}"), theme.left),
                (format!("R {right:.3}"), theme.right),
            ],
            Tones::Together([low, high]) => [
                (format!("both ears {low:.3}"), theme.text),
                (format!("+ {high:.3}"), theme.text),
            ],
        }
    }
}
