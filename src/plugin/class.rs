//! The plugin classes of the library: names, permanent ids and channel layouts.

use crate::dsp::ambisonics::{self, MAX_ORDER};
use nice_plug::prelude::{AudioIOLayout, ClapFeature, PortNames, Vst3SubCategory, new_nonzero_u32};

/// What distinguishes one plugin of this library from another. Ids are permanent.
pub trait Class: Send + 'static {
    /// Name in hosts.
    const NAME: &'static str;
    /// One line about it.
    const DESCRIPTION: &'static str;
    /// Id in CLAP hosts.
    const CLAP_ID: &'static str;
    /// Id in VST3 hosts.
    const VST3_CLASS_ID: [u8; 16];
    /// Where CLAP hosts list it.
    const CLAP_FEATURES: &'static [ClapFeature];
    /// Where VST3 hosts list it.
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory];
    /// Channel layouts, the default first.
    const LAYOUTS: &'static [AudioIOLayout];

    /// The order of the ambisonic bus that so many channels are; `None` in stereo.
    fn bus(channels: usize) -> Option<usize>;
}

/// The insert for stereo and mono tracks.
pub struct Stereo;

impl Class for Stereo {
    const NAME: &'static str = "Zeitgeber";
    const DESCRIPTION: &'static str = "Binaural entrainment for any audio stream";
    const CLAP_ID: &'static str = "org.zeitgeber.zeitgeber";
    const VST3_CLASS_ID: [u8; 16] = *b"ZeitgeberStereo1";
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Stereo,
        ClapFeature::Utility,
    ];
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Generator,
        Vst3SubCategory::Stereo,
    ];
    const LAYOUTS: &'static [AudioIOLayout] = STEREO_LAYOUTS;

    fn bus(_: usize) -> Option<usize> {
        None
    }
}

/// The insert for ambisonic tracks: a bus of order 1 to 7 in, two ears out.
pub struct Ambisonic;

impl Class for Ambisonic {
    const NAME: &'static str = "Zeitgeber Ambisonic";
    const DESCRIPTION: &'static str =
        "Binaural entrainment for ambisonic buses, decoded to two ears";
    const CLAP_ID: &'static str = "org.zeitgeber.zeitgeber-ambisonic";
    const VST3_CLASS_ID: [u8; 16] = *b"ZeitgeberAmbiso1";
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Ambisonic,
        ClapFeature::Utility,
    ];
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] = &[
        Vst3SubCategory::Fx,
        Vst3SubCategory::Spatial,
        Vst3SubCategory::Ambisonics,
    ];
    const LAYOUTS: &'static [AudioIOLayout] = AMBISONIC_LAYOUTS;

    fn bus(channels: usize) -> Option<usize> {
        (1..=MAX_ORDER).find(|order| ambisonics::channels(*order) == channels)
    }
}

const fn layout(name: &'static str, inputs: u32, outputs: u32) -> AudioIOLayout {
    AudioIOLayout {
        main_input_channels: Some(new_nonzero_u32(inputs)),
        main_output_channels: Some(new_nonzero_u32(outputs)),
        names: PortNames {
            layout: Some(name),
            ..PortNames::const_default()
        },
        ..AudioIOLayout::const_default()
    }
}

/// Layouts of [`Stereo`]: stereo through, and a mono track that leaves in stereo.
pub const STEREO_LAYOUTS: &[AudioIOLayout] =
    &[layout("Stereo", 2, 2), layout("Mono to stereo", 1, 2)];

/// Layouts of [`Ambisonic`]: binaural on outputs 1 and 2, the rest silent. nice-plug passes as many outputs as
/// inputs; third order comes first, because then a 16-channel track of Ardour gets one
/// instance.
pub const AMBISONIC_LAYOUTS: &[AudioIOLayout] = &[
    layout("Ambisonic order 3", 16, 16),
    layout("Ambisonic order 2", 9, 9),
    layout("Ambisonic order 1", 4, 4),
    layout("Ambisonic order 4", 25, 25),
    layout("Ambisonic order 5", 36, 36),
    layout("Ambisonic order 6", 49, 49),
    layout("Ambisonic order 7", 64, 64),
];
