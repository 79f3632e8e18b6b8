//! `zeitgeber hrtf --decoder N`: how near an ambisonic decoder is to the set that it is made from.

use crate::args::Problem;
use crate::{print, print_json};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;
use zeitgeber::hrtf::{self, Fidelity, Options, Progress, Source};

/// What is printed; the JSON has these fields.
#[derive(Serialize)]
struct Report {
    title: String,
    order: usize,
    rate: f64,
    equalised: bool,
    taps: usize,
    symmetric: bool,
    milliseconds: f64,
    #[serde(flatten)]
    fidelity: Fidelity,
}

/// Makes (or finds) the decoder and prints its report.
pub fn show(
    file: Option<PathBuf>,
    order: usize,
    rate: f64,
    equalise: bool,
    json: bool,
) -> Result<(), Problem> {
    // Before a set is prepared for nothing.
    if !hrtf::ORDERS.contains(&order) {
        return Err(hrtf::HrtfError::Order { order }.into());
    }
    let source = file.map_or(Source::Default, Source::File);
    let set = hrtf::load(&source, rate, Options { equalise }, &Progress::new())?;
    let start = Instant::now();
    let decoder = hrtf::decoder(&set, order, &Progress::new())?;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    let report = Report {
        title: set.info.about.title.clone(),
        order,
        rate,
        equalised: equalise,
        taps: decoder.taps,
        symmetric: decoder.symmetric,
        milliseconds,
        fidelity: hrtf::fidelity(&set.hrirs, &decoder, &Progress::new())?,
    };
    if json {
        return print_json(&report);
    }
    print(&report.text())
}

impl Report {
    fn text(&self) -> String {
        let Report { fidelity, .. } = self;
        let mut text = format!("{}\n", self.title);
        let mut line = |name: &str, value: String| text += &format!("  {name:<12} {value}\n");
        let set = if self.equalised {
            "equalised"
        } else {
            "as measured"
        };
        line(
            "decoder",
            format!(
                "order {}, {set}, {} taps at {} Hz, in {:.0} ms",
                self.order, self.taps, self.rate, self.milliseconds
            ),
        );
        line(
            "symmetric",
            if self.symmetric { "yes" } else { "no" }.to_owned(),
        );
        line(
            "LSD",
            format!("{:.2} dB, 0.2 to 16 kHz", fidelity.log_spectral_distance),
        );
        line(
            "ITD error",
            format!("{:.1} us, below 1.5 kHz", fidelity.itd_error),
        );
        line(
            "ILD error",
            format!("{:.2} dB, 2 to 16 kHz", fidelity.ild_error),
        );
        text += "  vectors of an ear's hearing, as in the set and decoded, and how far apart in degrees\n";
        text += "        octave      velocity           energy             diffuse   coherence of ears\n";
        for band in &fidelity.bands {
            text += &format!(
                "  {:>9.0} Hz   {:.2} {:.2} {:>5.1}    {:.2} {:.2} {:>5.1}    {:>+5.2} dB   {:>+.2} {:>+.2}\n",
                band.frequency,
                band.velocity[0],
                band.velocity[1],
                band.velocity_error,
                band.energy[0],
                band.energy[1],
                band.energy_error,
                band.diffuse,
                band.coherence[0],
                band.coherence[1]
            );
        }
        text
    }
}
