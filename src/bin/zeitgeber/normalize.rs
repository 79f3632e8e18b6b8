//! `--normalize`: the render waits in a file of its own until all of it has been measured, and is written at the
//! level that was asked for. Memory grows by 80 bytes for a second of sound.

use crate::args::Problem;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeitgeber::analysis::loudness::{Loudness, LoudnessMeter};
use zeitgeber::file;

/// Frames that are read back at a time.
const CHUNK: usize = 4096;

/// The lowest level that can be asked for.
const LOWEST: f64 = -70.0;

/// What is brought to which level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// Integrated loudness in LUFS.
    Loudness(f64),
    /// The highest true peak in dBTP.
    TruePeak(f64),
    /// The highest sample in dBFS.
    SamplePeak(f64),
}

impl Goal {
    fn parts(self) -> (f64, &'static str) {
        match self {
            Goal::Loudness(level) => (level, "LUFS"),
            Goal::TruePeak(level) => (level, "dBTP"),
            Goal::SamplePeak(level) => (level, "dBFS"),
        }
    }

    /// What was measured of the same kind.
    fn measured(self, loudness: &Loudness) -> Option<f64> {
        let highest = |peaks: &[f64]| peaks.iter().copied().reduce(f64::max);
        let level = match self {
            Goal::Loudness(_) => loudness.integrated,
            Goal::TruePeak(_) => highest(&loudness.true_peak),
            Goal::SamplePeak(_) => highest(&loudness.sample_peak),
        };
        level.filter(|level| *level > -150.0)
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (level, unit) = self.parts();
        write!(f, "{level:.1} {unit}")
    }
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Goal, String> {
        let lower = text.to_lowercase();
        let kinds = [
            ("lufs", Goal::Loudness as fn(f64) -> Goal),
            ("dbtp", Goal::TruePeak),
            ("dbfs", Goal::SamplePeak),
        ];
        let (number, kind) = kinds
            .iter()
            .find_map(|(unit, kind)| Some((lower.strip_suffix(unit)?.trim(), kind)))
            .ok_or("it has no unit; write for example -16LUFS, -1dBTP or -1dBFS")?;
        let level: f64 = number
            .parse()
            .map_err(|_| "it is not a level; write for example -16LUFS, -1dBTP or -1dBFS")?;
        if !(LOWEST..=0.0).contains(&level) {
            return Err(format!(
                "a level is from {LOWEST} to 0; the nearest valid value is {}",
                if level > 0.0 { 0.0 } else { LOWEST }
            ));
        }
        Ok(kind(level))
    }
}

/// A render that waits to be measured. Dropped, its file goes.
pub struct Waiting {
    goal: Goal,
    meter: LoudnessMeter,
    file: Option<BufWriter<File>>,
    path: PathBuf,
    channels: usize,
    frames: u64,
}

impl Waiting {
    /// Beside the file that it will be.
    pub fn create(
        output: &Path,
        goal: Goal,
        channels: usize,
        rate: u32,
    ) -> Result<Waiting, Problem> {
        if channels > 2 && matches!(goal, Goal::Loudness(_)) {
            return Err(Problem::new(format!(
                "--normalize {goal}: a bus of {channels} channels has no loudness; give a peak, for example -1dBFS"
            )));
        }
        let place = file::destination(output).map_err(|error| unwritable(output, &error))?;
        let path = file::part(&place, "wait");
        let meter = LoudnessMeter::new(channels, rate)?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|error| unwritable(&path, &error))?;
        Ok(Waiting {
            goal,
            meter,
            file: Some(BufWriter::with_capacity(1 << 16, file)),
            path,
            channels,
            frames: 0,
        })
    }

    /// Appends a block.
    pub fn write(&mut self, channels: &[&[f32]]) -> std::io::Result<()> {
        self.meter.push(channels);
        let frames = channels.first().map_or(0, |channel| channel.len());
        if let Some(file) = &mut self.file {
            for n in 0..frames {
                for channel in channels {
                    file.write_all(&channel[n].to_le_bytes())?;
                }
            }
        }
        self.frames += frames as u64;
        Ok(())
    }

    /// Hands all of it to `output` at its level, and returns what is to be said of it.
    pub fn release<E: Into<Problem>>(
        mut self,
        mut output: impl FnMut(&[&[f32]]) -> Result<(), E>,
    ) -> Result<String, Problem> {
        let loudness = self.meter.measure();
        let (wanted, unit) = self.goal.parts();
        let measured = self.goal.measured(&loudness);
        let change = measured.map_or(0.0, |level| wanted - level);
        let gain = 10f64.powf(change / 20.0);
        let told = |error: &std::io::Error| unwritable(&self.path, error);
        if let Some(writer) = self.file.take() {
            let mut file = writer.into_inner().map_err(|error| told(error.error()))?;
            file.seek(SeekFrom::Start(0))
                .map_err(|error| told(&error))?;
            let mut file = BufReader::with_capacity(1 << 16, file);
            let mut planes = vec![vec![0.0f32; CHUNK]; self.channels];
            let mut left = self.frames;
            let mut bytes = vec![0; 4 * self.channels];
            while left > 0 {
                let count = left.min(CHUNK as u64) as usize;
                for n in 0..count {
                    file.read_exact(&mut bytes).map_err(|error| told(&error))?;
                    for (plane, sample) in planes.iter_mut().zip(bytes.chunks_exact(4)) {
                        let sample = sample.try_into().map_or(0.0, f32::from_le_bytes);
                        plane[n] = match measured {
                            Some(_) => (f64::from(sample) * gain) as f32,
                            None => sample,
                        };
                    }
                }
                let heard: Vec<&[f32]> = planes.iter().map(|plane| &plane[..count]).collect();
                output(&heard).map_err(Into::into)?;
                left -= count as u64;
            }
        }
        Ok(match measured {
            None => format!(
                "normalize: there is no level to bring to {}: it is silent or too short",
                self.goal
            ),
            Some(level) => {
                let peak = loudness.true_peak.iter().copied().reduce(f64::max);
                let above = peak.map_or(0.0, |peak| peak + change);
                let warning = if above > 0.05 && matches!(self.goal, Goal::Loudness(_)) {
                    "; it is above full scale, which only floats hold (--bits 32f): ask for less, or for -1dBTP"
                } else {
                    ""
                };
                format!(
                    "normalize: {level:.1} {unit} to {} ({change:+.1} dB), true peak {above:.1} dBTP{warning}",
                    self.goal
                )
            }
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            drop(file.into_parts());
        }
        // That it is already gone is no news.
        let _ = fs::remove_file(&self.path);
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(format!("{}: cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::Goal;

    #[test]
    fn goals_are_read_with_their_units() {
        assert_eq!("-16LUFS".parse(), Ok(Goal::Loudness(-16.0)));
        assert_eq!("-1.5 dbtp".parse(), Ok(Goal::TruePeak(-1.5)));
        assert_eq!("0dBFS".parse(), Ok(Goal::SamplePeak(0.0)));
        for (text, says) in [
            ("-16", "no unit"),
            ("LUFS", "not a level"),
            ("3LUFS", "nearest valid value is 0"),
            ("-99dBTP", "nearest valid value is -70"),
            ("nanLUFS", "from -70 to 0"),
        ] {
            let said = text.parse::<Goal>().unwrap_err();
            assert!(said.contains(says), "{text}: {said}");
        }
    }
}
