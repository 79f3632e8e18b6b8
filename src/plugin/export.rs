//! What hosts look for in the library: the CLAP entry and the VST3 factory.

use super::{Ambisonic, Zg};
use nice_plug::prelude::{nice_export_clap, nice_export_vst3};

nice_export_clap!(Zg<true>, Zg<true, Ambisonic>);
nice_export_vst3!(Zg<false>, Zg<false, Ambisonic>);
