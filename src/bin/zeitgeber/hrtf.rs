//! `zeitgeber hrtf`: what a set of head-related responses holds, and what becomes of it.

mod decoder;

use crate::args::{self, Problem};
use crate::{print, print_json};
use serde::Serialize;
use std::path::PathBuf;
use std::time::Instant;
use zeitgeber::hrtf::{self, About, Aligned, Options, Progress, Raw};

/// Show what a SOFA file holds: responses, directions, delays, problems
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber hrtf subject.sofa\n  \
    zeitgeber hrtf subject.sofa --decoder 3\n  \
    zeitgeber hrtf --decoder 1 --json")]
pub struct Args {
    /// A SOFA file (SimpleFreeFieldHRIR, or FIR data around one listener)
    #[arg(value_name = "FILE", required_unless_present = "decoder")]
    file: Option<PathBuf>,
    /// Sample rate in hertz for which the set is prepared
    #[arg(long, default_value_t = 48_000.0)]
    rate: f64,
    /// Show what the ambisonic decoder of this order (1 to 7) does to the set; without FILE, to the default set
    #[arg(long, value_name = "N")]
    decoder: Option<usize>,
    /// With --decoder: the set as measured, without the equaliser
    #[arg(long, requires = "decoder")]
    no_eq: bool,
    /// As JSON: one object
    #[arg(long)]
    json: bool,
    /// Write the compact form that the plugin embeds (for `cargo xtask asset`)
    #[arg(long, hide = true, value_name = "OUT")]
    pack: Option<PathBuf>,
    /// Write the default set's decoders as the plugin embeds them (for `cargo xtask asset`)
    #[arg(long, hide = true, value_name = "OUT")]
    pack_decoders: Option<PathBuf>,
}

/// What is printed; the JSON has these fields.
#[derive(Serialize)]
struct Report {
    file: PathBuf,
    #[serde(flatten)]
    about: About,
    measurements: usize,
    sample_rate: f64,
    taps: usize,
    /// Azimuth, elevation and distance: least and greatest; degrees and metres.
    azimuth: [f64; 2],
    elevation: [f64; 2],
    distance: [f64; 2],
    /// Elevations with more than one direction and their numbers, where that is all of the set.
    rings: Option<Vec<(f64, usize)>>,
    /// Largest angle in degrees from a place of the sphere to the nearest measurement, and where.
    gap: f64,
    gap_at: [f64; 2],
    /// Least and greatest delay in the file, in samples; none where all are 0.
    delays: Option<[f64; 2]>,
    /// Least and greatest interaural time difference in microseconds, positive on the left.
    itd: [f64; 2],
    symmetric: bool,
    prepared: Prepared,
    problems: Vec<String>,
}

/// The set as a host would have it.
#[derive(Serialize)]
struct Prepared {
    rate: f64,
    directions: usize,
    taps: usize,
    megabytes: f64,
    milliseconds: f64,
}

impl Args {
    /// Prints the report.
    pub fn run(self) -> Result<(), Problem> {
        if let Some(order) = self.decoder {
            return decoder::show(self.file, order, self.rate, !self.no_eq, self.json);
        }
        // clap asks for it where there is no --decoder.
        let file = self.file.unwrap_or_default();
        let raw = hrtf::sofa::read(&file)?;
        let progress = Progress::new();
        let start = Instant::now();
        let aligned = hrtf::align(&raw, &progress, [0.0, 0.5])?;
        let hrirs = hrtf::finish(
            &aligned,
            self.rate,
            Options::default(),
            &progress,
            [0.5, 1.0],
        )?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        if let Some(out) = self.pack {
            let packed = hrtf::pack(&aligned).ok_or_else(|| {
                Problem::new(format!(
                    "{}: its ears do not mirror each other",
                    file.display()
                ))
            })?;
            return args::write(&out, &packed);
        }
        if let Some(out) = self.pack_decoders {
            let packed = hrtf::pack_decoders(&aligned, &progress)?;
            let packed = packed.ok_or_else(|| Problem::new("its ears do not mirror each other"))?;
            return args::write(&out, &packed);
        }
        let column = |index: usize| range(raw.positions.iter().map(|p| p[index]));
        let (gap, gap_at) = gap(&aligned);
        let itd = hrtf::time_differences(&aligned, &Progress::new())?;
        let report = Report {
            measurements: raw.positions.len(),
            sample_rate: raw.rate,
            taps: raw.taps,
            azimuth: column(0),
            elevation: column(1),
            distance: column(2),
            rings: rings(&aligned),
            gap,
            gap_at,
            delays: delays(&raw),
            itd: range(itd.iter().map(|itd| itd * 1e6)).map(f64::round),
            symmetric: aligned.symmetric,
            prepared: Prepared {
                rate: hrirs.rate,
                directions: hrirs.rings.directions(),
                taps: hrirs.taps,
                megabytes: (hrirs.filters.len() * 4) as f64 / 1e6,
                milliseconds,
            },
            problems: problems(&raw, &aligned, gap, gap_at),
            about: raw.about,
            file,
        };
        if self.json {
            return print_json(&report);
        }
        print(&report.text())
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = format!("{}\n", self.file.display());
        let mut line = |name: &str, value: String| {
            if !value.is_empty() {
                text += &format!("  {name:<12} {value}\n");
            }
        };
        let about = &self.about;
        line("title", about.title.clone());
        line("author", about.author.clone());
        line("organization", about.organization.clone());
        line("licence", about.license.clone());
        line("convention", about.convention.clone());
        line(
            "responses",
            format!(
                "{} positions x 2 ears x {} samples at {} Hz",
                self.measurements, self.taps, self.sample_rate
            ),
        );
        let span = |[from, to]: [f64; 2]| format!("{from:.1} to {to:.1}");
        line("azimuth", format!("{} degrees", span(self.azimuth)));
        line("elevation", format!("{} degrees", span(self.elevation)));
        line(
            "distance",
            format!("{:.2} to {:.2} m", self.distance[0], self.distance[1]),
        );
        line(
            "grid",
            match &self.rings {
                Some(rings) => rings
                    .iter()
                    .map(|(elevation, count)| format!("{count} at {elevation:.1}"))
                    .collect::<Vec<_>>()
                    .join(", "),
                None => "scattered".to_owned(),
            },
        );
        line(
            "gap",
            format!(
                "{:.0} degrees from azimuth {:.0}, elevation {:.0} to the nearest measurement",
                self.gap, self.gap_at[0], self.gap_at[1]
            ),
        );
        line(
            "delays",
            match self.delays {
                Some([from, to]) => format!("{from:.2} to {to:.2} samples, in the file"),
                None => "none in the file".to_owned(),
            },
        );
        line("ITD", format!("{} to {} us", self.itd[0], self.itd[1]));
        line(
            "symmetric",
            if self.symmetric { "yes" } else { "no" }.to_owned(),
        );
        let prepared = &self.prepared;
        line(
            "prepared",
            format!(
                "{} directions x 2 x {} taps at {} Hz, {:.1} MB, in {:.0} ms",
                prepared.directions,
                prepared.taps,
                prepared.rate,
                prepared.megabytes,
                prepared.milliseconds
            ),
        );
        for problem in &self.problems {
            line("problem", problem.clone());
        }
        text
    }
}

/// Least and greatest.
fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    values.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], x| {
        [low.min(x), high.max(x)]
    })
}

/// The rings of a set that consists of some.
fn rings(aligned: &Aligned) -> Option<Vec<(f64, usize)>> {
    let mut elevations: Vec<f64> = aligned.directions.iter().map(|d| d[1]).collect();
    elevations.sort_by(f64::total_cmp);
    let mut rings: Vec<(f64, usize)> = Vec::new();
    for elevation in elevations {
        match rings
            .last_mut()
            .filter(|(first, _)| elevation - first < 0.05)
        {
            Some((_, count)) => *count += 1,
            None => rings.push((elevation, 1)),
        }
    }
    let alone = rings
        .iter()
        .filter(|(elevation, count)| *count < 3 && elevation.abs() < 89.0);
    (alone.count() == 0).then_some(rings)
}

/// The largest angle from a place of the sphere to the nearest measurement, in degrees, and that place.
fn gap(aligned: &Aligned) -> (f64, [f64; 2]) {
    let vector = |azimuth: f64, elevation: f64| {
        let (sin, cos) = elevation.to_radians().sin_cos();
        let (left, ahead) = azimuth.to_radians().sin_cos();
        [cos * ahead, cos * left, sin]
    };
    let measured: Vec<[f64; 3]> = aligned
        .directions
        .iter()
        .map(|d| vector(d[0], d[1]))
        .collect();
    let mut widest = (0.0, [0.0; 2]);
    for elevation in (-90..=90).step_by(5).map(f64::from) {
        for azimuth in (0..360).step_by(5).map(f64::from) {
            let [x, y, z] = vector(azimuth, elevation);
            let nearest = measured
                .iter()
                .map(|m| m[0] * x + m[1] * y + m[2] * z)
                .fold(-1.0, f64::max);
            let angle = nearest.min(1.0).acos().to_degrees();
            if angle > widest.0 + 1e-6 {
                widest = (angle, [azimuth, elevation]);
            }
        }
    }
    widest
}

fn delays(raw: &Raw) -> Option<[f64; 2]> {
    let found = range(raw.delays.iter().flatten().copied());
    (found[0] < found[1] || found[0].is_finite() && found[0] != 0.0).then_some(found)
}

/// What a user should know.
fn problems(raw: &Raw, aligned: &Aligned, gap: f64, at: [f64; 2]) -> Vec<String> {
    let mut problems = aligned.notes.clone();
    if gap > 30.0 {
        problems.push(format!(
            "nothing was measured within {gap:.0} degrees of azimuth {:.0}, elevation {:.0}; what sounds \
             there is estimated",
            at[0], at[1]
        ));
    }
    let kept = (256.0 / 44_100.0 * raw.rate).ceil() as usize;
    if raw.taps < kept / 2 {
        problems.push(format!(
            "responses of {} samples are short; {kept} after the onset would be used",
            raw.taps
        ));
    }
    if about_is_silent(&raw.about) {
        problems.push("the file names no title and no author".to_owned());
    }
    problems
}

fn about_is_silent(about: &About) -> bool {
    about.title.is_empty() && about.author.is_empty()
}
