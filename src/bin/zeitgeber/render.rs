//! `zeitgeber render`: files, or silence, through the engine into WAV or FLAC files.

use crate::args::{self, Problem};
use crate::batch;
use crate::brought::Brought;
use crate::material::{Job, Material, Report, Stage};
use crate::node;
use std::path::{Path, PathBuf};
use zeitgeber::dsp::ambisonics::Format;
use zeitgeber::engine::ControlId;
use zeitgeber::engine::controls::{BUS_FORMAT, ORDER, SPACE_AMBISONIC, SPACE_KIND, SPACE_OFF};
use zeitgeber::offline::{Lane, RenderError, RenderOptions, Tags, render};
use zeitgeber::protocol::{Entry, Protocol};

/// Overshoots of less than this would be told as 0.0 dB, in dB.
const LEAST_OVERSHOOT: f32 = 0.05;

/// Render files, or silence, through the engine into WAV or FLAC files
#[derive(clap::Args)]
#[command(
    after_help = "Parameters: the values of --preset come first, --set wins over them, and \
    --automate over both. The protocol of a preset does not move what either of them names, and plays on with the \
    rest. `zeitgeber params` lists the ids.\n\n\
    Examples:\n  \
    zeitgeber render talk.flac -o out.wav --set l1_kind=binaural --set beat=6 --set l1_level=-30\n  \
    zeitgeber render --preset \"Descent into sleep\" -o sleep.flac\n  \
    zeitgeber render rain.wav -o night.flac --loop 8h --preset \"Slow surf\" --normalize -20LUFS\n  \
    zeitgeber render *.flac -o bounced --format flac --set prog_kind=shift --set beat=8\n\n\
    Several inputs are treated on all processors. What is wrong with one does not stop the others: it is told at the \
    end, with exit code 2."
)]
pub struct Args {
    #[command(flatten)]
    material: Material,
    /// A preset by name (`zeitgeber presets list`) or file. One with a protocol needs no INPUT: it is
    /// rendered over silence to its own length
    #[arg(long, value_name = "NAME|FILE")]
    preset: Option<String>,
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
    /// What the input is: stereo (or mono), or an ambisonic bus of order 1 to 7, which is decoded to two ears
    #[arg(long, value_enum, default_value_t = Bus::Stereo)]
    bus: Bus,
    #[command(flatten)]
    brought: Brought,
    /// Write beat cycles, pulse onsets and anchors of the phase with their times into a CSV file
    #[arg(long, value_name = "FILE.csv")]
    markers: Option<PathBuf>,
    /// Song position at which the file begins: seconds, or as 90s, 60m, 8h, 1:30:00
    #[arg(
        long,
        value_name = "LENGTH",
        default_value_t = 0.0,
        allow_hyphen_values = true,
        value_parser = args::length_or_none
    )]
    start: f64,
}

/// What the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Bus {
    Stereo,
    Ambisonic,
}

/// What all files of a render share.
struct Shared<'a> {
    args: &'a Args,
    options: RenderOptions,
    /// Files that are read beside the inputs.
    read: Vec<PathBuf>,
    tags: Tags,
    /// Seconds that the preset's protocol takes.
    protocol: Option<f64>,
    /// What is said at the end of every file.
    note: Option<String>,
}

impl Args {
    /// Renders.
    pub fn run(self) -> Result<(), Problem> {
        let jobs = self.material.jobs()?;
        if let (Some(markers), true) = (&self.markers, jobs.len() > 1) {
            return Err(Problem::new(format!(
                "{}: --markers is one file; render the inputs one by one",
                markers.display()
            )));
        }
        let entry = self
            .preset
            .as_deref()
            .map(|name| args::preset("--preset", name))
            .transpose()?;
        let preset = entry.as_ref().map(|entry| &entry.preset);
        for warning in preset.into_iter().flat_map(|preset| preset.warnings()) {
            crate::warn(warning);
        }
        let mut settings = preset.map_or_else(Vec::new, |preset| preset.settings().to_vec());
        let asked_hrtf = entry.as_ref().and_then(Entry::hrtf_path);
        let set = args::settings(&self.set)?;
        settings.extend(&set);
        let automations = automations(&self.automate)?;
        let protocol = preset.and_then(|preset| preset.protocol());
        // What the user names is the user's, whatever the protocol would make of it.
        let named: Vec<ControlId> = (set.iter().map(|(control, _)| *control))
            .chain(automations.iter().map(|(control, _)| *control))
            .filter(|control| protocol.is_some_and(|protocol| moves(protocol, *control)))
            .collect();
        let played = match protocol {
            Some(protocol) if !named.is_empty() => protocol
                .without(&named, &settings)
                .map_err(RenderError::Protocol)?,
            protocol => protocol.cloned(),
        };
        let [insert_a, insert_b] = self.brought.inserts();
        let options = RenderOptions {
            settings,
            bus: None,
            lanes: automations
                .iter()
                .map(|(control, path)| Lane::read(*control, path))
                .collect::<Result<_, _>>()?,
            protocol: played,
            block: self.material.block,
            tail: self.material.tail,
            start: self.start,
            bpm: self.bpm,
            capture: None,
            hrtf: self.brought.hrtf.clone().or(asked_hrtf),
            inserts: [insert_a?, insert_b?],
            markers: self.markers.clone(),
        };
        options.check()?;
        let file = entry.as_ref().and_then(|entry| entry.path.as_ref());
        let read = file
            .into_iter()
            .chain(&options.hrtf)
            .chain(automations.iter().map(|(_, path)| path));
        let inserts = [&self.brought.insert_a, &self.brought.insert_b]
            .into_iter()
            .flatten();
        let shared = Shared {
            args: &self,
            read: read.cloned().chain(inserts.map(PathBuf::from)).collect(),
            options,
            tags: Tags {
                preset: entry.as_ref().map(|entry| entry.name.clone()),
            },
            protocol: protocol.map(Protocol::seconds),
            note: left_to_the_user(&named),
        };
        let stage = self.material.stage(jobs.len())?;
        batch::run(&self.material, &jobs, &stage, |job| {
            shared.render(job, &stage)
        })
    }
}

impl Shared<'_> {
    /// Renders one file.
    fn render(&self, job: &Job, stage: &Stage) -> Result<Report, Problem> {
        let material = &self.args.material;
        let mut options = RenderOptions {
            capture: material.capture(job, self.read.iter().chain(&self.args.markers), &self.tags),
            ..self.options.clone()
        };
        let read: Vec<&Path> = self.read.iter().map(PathBuf::as_path).collect();
        let is_bus = self.args.bus == Bus::Ambisonic;
        // What is left of a protocol where the file begins.
        let own = self.protocol.map(|seconds| seconds - self.args.start);
        let mut source = material.open(job, read.iter().copied(), own, is_bus)?;
        if let Some(markers) = &options.markers {
            args::refuse_overwrite(markers, read)?;
            args::refuse_overwrite(markers, job.input.as_deref())?;
            if material.is_output(markers) {
                return Err(Problem::new(
                    "--markers and -o name the same file; name two".to_owned(),
                ));
            }
        }
        if is_bus {
            hear_bus(&mut options, source.channels());
        }
        // Where space stays off, a bus leaves as it came.
        let leaves_as_bus = is_bus && space_stays_off(&options);
        if is_bus && !leaves_as_bus {
            check_format(&options, job, source.channels())?;
        }
        let width = if leaves_as_bus { source.channels() } else { 2 };
        let tags = self.tags.clone();
        let mut output = material.output(job, stage, source.as_ref(), width, tags)?;
        let done = render(source.as_mut(), &options, |channels| {
            output.write(&channels[..width])
        })?;
        if done.repaired > 0 {
            output.warn(format!(
                "{} samples of the input were not finite and became silence",
                done.repaired
            ));
        }
        for warning in node::left_out(done.tripped, &options.inserts) {
            output.warn(warning);
        }
        if let Some(overshoot) = done.overshoot {
            output.note(ceiling(overshoot, material.is_normalized()));
        }
        if let Some(note) = &self.note {
            output.note(note.clone());
        }
        let mut report = output.finish(done.frames, done.aside)?;
        material.draw(&mut report, options.capture.as_ref(), stage);
        Ok(report)
    }
}

fn moves(protocol: &Protocol, control: ControlId) -> bool {
    protocol.rows().iter().any(|row| row.control == control)
}

/// What the summary says of the controls that the protocol would move and the user names.
fn left_to_the_user(controls: &[ControlId]) -> Option<String> {
    let mut ids: Vec<&str> = Vec::new();
    for control in controls {
        let id = control.control().id;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    (!ids.is_empty()).then(|| {
        format!(
            "protocol: it does not move {}, which the command line names",
            ids.join(", ")
        )
    })
}

/// Refuses a bus whose upper orders a format does not have: they would be silent.
fn check_format(options: &RenderOptions, job: &Job, channels: usize) -> Result<(), Problem> {
    let settings = options.settings.iter();
    let format = settings
        .rev()
        .find_map(|(id, value)| (*id == BUS_FORMAT).then_some(*value as usize));
    let is_fuma = format.and_then(|format| Format::ALL.get(format)) == Some(&Format::FuMa);
    if !is_fuma || Format::FuMa.source(channels - 1).is_some() {
        return Ok(());
    }
    let input = job.input.as_deref().unwrap_or(Path::new("the input"));
    Err(Problem::new(format!(
        "{}: has {channels} channels, which is order {}, and fuma ends at order 3 (16 channels); \
         set bus_format=sn3d or bus_format=n3d, as the file has it",
        input.display(),
        channels.isqrt() - 1
    )))
}

/// A bus of so many channels is decoded in its order, unless something else is asked for.
fn hear_bus(options: &mut RenderOptions, channels: usize) {
    let order = channels.isqrt() - 1;
    options.bus = Some(order);
    let said = |control: ControlId| {
        let set = options.settings.iter().any(|(id, _)| *id == control);
        set || options.lanes.iter().any(|lane| lane.control() == control)
    };
    let missing = [(SPACE_KIND, SPACE_AMBISONIC), (ORDER, order)];
    let missing: Vec<_> = missing.into_iter().filter(|(id, _)| !said(*id)).collect();
    let values = missing.into_iter().map(|(id, value)| (id, value as f64));
    options.settings.extend(values);
}

fn space_stays_off(options: &RenderOptions) -> bool {
    let last = options.settings.iter().rfind(|(id, _)| *id == SPACE_KIND);
    let moves = options
        .lanes
        .iter()
        .any(|lane| lane.control() == SPACE_KIND);
    !moves && last.is_none_or(|(_, kind)| *kind as usize == SPACE_OFF)
}

/// What the summary says of the ceiling: by how much true peaks exceeded it at most, in dB. It is within the engine, and
/// the whole is brought to a level after that.
fn ceiling(overshoot: f32, is_normalized: bool) -> String {
    let place = if is_normalized {
        "ceiling, before --normalize"
    } else {
        "ceiling"
    };
    if overshoot < LEAST_OVERSHOOT {
        format!("{place}: no true peak above it")
    } else {
        format!("{place}: true peaks between samples up to {overshoot:.1} dB above it")
    }
}

/// Reads every `--automate ID=FILE.csv` up to the file's name.
fn automations(texts: &[String]) -> Result<Vec<(ControlId, PathBuf)>, Problem> {
    texts
        .iter()
        .map(|text| {
            let (id, file) = args::assignment(text, "--automate", "ID=FILE.csv")?;
            Ok((args::control(id)?, PathBuf::from(file)))
        })
        .collect()
}
