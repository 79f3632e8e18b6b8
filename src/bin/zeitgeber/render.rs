//! `zeitgeber render`: a file, or silence, through the engine into a WAV file.

use crate::args::{self, Problem};
use crate::material::Material;
use std::path::{Path, PathBuf};
use zeitgeber::engine::ControlId;
use zeitgeber::offline::{Lane, Preset, RenderOptions, render};

/// Overshoots of less than this would be told as 0.0 dB, in dB.
const LEAST_OVERSHOOT: f32 = 0.05;

/// Render a file, or silence, through the engine into a 32-bit float WAV file (RF64 beyond 4 GiB)
#[derive(clap::Args)]
#[command(
    after_help = "Parameters: the values of --preset come first, --set wins over them, and \
    --automate over both. `zeitgeber params` lists the ids."
)]
pub struct Args {
    #[command(flatten)]
    material: Material,
    /// A preset file: JSON with an object "params" of ids and values
    #[arg(long, value_name = "NAME|FILE")]
    preset: Option<PathBuf>,
    /// Set a parameter, in its unit, by enum name, or on/off; may be repeated
    #[arg(long, value_name = "ID=VALUE")]
    set: Vec<String>,
    /// Automate a parameter by rows of seconds,value[,step|linear]; the word says how the value
    /// travels to its row; may be repeated
    #[arg(long, value_name = "ID=FILE.csv")]
    automate: Vec<String>,
    /// Tempo of the transport
    #[arg(long, value_name = "BPM", allow_hyphen_values = true, value_parser = args::number)]
    bpm: Option<f64>,
    /// The SOFA file whose head-related filters space renders with, in place of the embedded set
    #[arg(long, value_name = "FILE.sofa")]
    hrtf: Option<PathBuf>,
    /// Write beat cycles, pulse onsets and anchors of the phase with their times into a CSV file
    #[arg(long, value_name = "FILE.csv")]
    markers: Option<PathBuf>,
    /// Song position at which the file begins
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0.0,
        allow_hyphen_values = true,
        value_parser = args::number
    )]
    start: f64,
}

impl Args {
    /// Renders.
    pub fn run(self) -> Result<(), Problem> {
        let preset = self.preset.as_deref().map(read_preset).transpose()?;
        let (mut settings, warnings) = preset.map_or_else(Default::default, |preset| {
            (preset.settings, preset.warnings)
        });
        for warning in warnings {
            eprintln!("zeitgeber: warning: {warning}");
        }
        settings.extend(args::settings(&self.set)?);
        let automations = automations(&self.automate)?;
        let options = RenderOptions {
            settings,
            lanes: automations
                .iter()
                .map(|(control, path)| Lane::read(*control, path))
                .collect::<Result<_, _>>()?,
            block: self.material.block,
            tail: self.material.tail,
            start: self.start,
            bpm: self.bpm,
            capture: self.material.capture(),
            hrtf: self.hrtf.clone(),
            markers: self.markers.clone(),
        };
        options.check()?;
        let read = self
            .preset
            .iter()
            .chain(&self.hrtf)
            .chain(automations.iter().map(|(_, path)| path));
        let read: Vec<&Path> = read.map(PathBuf::as_path).collect();
        let mut source = self.material.open(read.iter().copied())?;
        if let Some(markers) = &self.markers {
            args::refuse_overwrite(markers, read)?;
            args::refuse_overwrite(markers, self.material.input())?;
            if self.material.is_output(markers) {
                return Err(Problem::new(
                    "--markers and -o name the same file; name two".to_owned(),
                ));
            }
        }
        let mut output = self.material.output(source.as_ref(), 2)?;
        let done = render(source.as_mut(), &options, |left, right| {
            output.write(&[left, right])
        })?;
        if done.repaired > 0 {
            eprintln!(
                "zeitgeber: warning: {} samples of the input were not finite and became silence",
                done.repaired
            );
        }
        if let Some(overshoot) = done.overshoot {
            output.note(ceiling(overshoot));
        }
        output.finish(done.frames)
    }
}

/// What the summary says of the ceiling: by how much true peaks exceeded it at most, in dB.
fn ceiling(overshoot: f32) -> String {
    if overshoot < LEAST_OVERSHOOT {
        "ceiling: no true peak above it".to_owned()
    } else {
        format!("ceiling: true peaks between samples up to {overshoot:.1} dB above it")
    }
}

/// Reads every `--automate ID=FILE.csv` up to the file's name.
fn automations(texts: &[String]) -> Result<Vec<(ControlId, PathBuf)>, Problem> {
    texts
        .iter()
        .map(|text| {
            let (id, file) = args::assignment(text, "--automate", "ID=FILE.csv")?;
            Ok((ControlId::parse(id)?, PathBuf::from(file)))
        })
        .collect()
}

/// Reads a preset by the name of its file.
fn read_preset(path: &Path) -> Result<Preset, Problem> {
    if !path.exists() {
        return Err(Problem::new(format!(
            "--preset {}: there is no such file, and presets by name come in a later version",
            path.display()
        )));
    }
    Ok(Preset::read(path)?)
}
