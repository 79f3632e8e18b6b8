//! `zeitgeber calibrate`: a signal of a known level to put under a sound level meter, and what follows from its
//! reading.

use crate::args::{self, Problem};
use crate::print;
use std::path::{Path, PathBuf};
use zeitgeber::engine::controls::{
    BEAT, CARRIER, FADE_IN, L1_KIND, L1_LEVEL, LAYER_BINAURAL, NOISE_KIND, NOISE_LEVEL, NOISE_WIDTH,
};
use zeitgeber::engine::{ControlError, ControlId};
use zeitgeber::offline::{
    Container, RenderOptions, SampleFormat, Silence, SoundFile, Tags, render,
};

/// By how much a sine's peak stands above its root mean square, in dB.
const CREST: f64 = 3.0103;

/// The second half of the levels that are listed, in dBFS.
const LEVELS: [f64; 7] = [0.0, -10.0, -20.0, -30.0, -40.0, -50.0, -60.0];

/// The frequency of the tone where none is asked for, in hertz.
const HZ: f64 = 1000.0;

/// Levels in dB SPL that a meter can have read.
const READINGS: (f64, f64) = (0.0, 140.0);

/// Write a signal of known level for a sound level meter, and tell what its reading means
///
/// First with -o: play the file, and read the meter at each ear. Then with --measured: it tells which level of a
/// layer or of the noise bed is which sound pressure level, as long as nothing behind Zeitgeber is turned.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    zeitgeber calibrate -o tone.wav\n  \
    zeitgeber calibrate -o pink.wav --signal pink --level -26\n  \
    zeitgeber calibrate --measured 74.2\n  \
    zeitgeber calibrate --measured 74.2 --want 60\n\n\
    docs/calibration.md has the procedure and the arithmetic.")]
pub struct Args {
    /// The file to write: WAV, or FLAC where it ends in .flac
    #[arg(
        short,
        long,
        value_name = "OUT.wav",
        required_unless_present_any = ["measured", "want"]
    )]
    output: Option<PathBuf>,
    /// What sounds in both ears alike
    #[arg(long, value_enum, default_value_t = Signal::Tone)]
    signal: Signal,
    /// Its level in dBFS: of the tone the peak, of the noise the root mean square, as layers and noise bed have them
    #[arg(long, value_name = "DBFS", default_value_t = -20.0, allow_hyphen_values = true, value_parser = args::number)]
    level: f64,
    /// The frequency of the tone; 1000 where it is not given
    #[arg(long, value_name = "HZ", allow_hyphen_values = true, value_parser = args::number)]
    hz: Option<f64>,
    /// Its length
    #[arg(long, value_name = "LENGTH", default_value = "60", value_parser = args::length)]
    seconds: f64,
    /// Sample rate
    #[arg(long, value_name = "HZ", default_value = "48000", value_parser = args::rate)]
    rate: u32,
    /// What the meter read of it, in dB SPL
    #[arg(long, value_name = "DB_SPL", conflicts_with = "output", allow_hyphen_values = true, value_parser = args::number)]
    measured: Option<f64>,
    /// With --measured: the level that is wanted, in dB SPL
    #[arg(long, value_name = "DB_SPL", requires = "measured", conflicts_with = "output", allow_hyphen_values = true, value_parser = args::number)]
    want: Option<f64>,
}

/// What is put under the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Signal {
    /// A sine
    Tone,
    /// Pink noise
    Pink,
}

/// A setting by its option: what is wrong is said of that, and not of the parameter, which nobody wrote.
fn checked(option: &str, control: ControlId, value: f64) -> Result<(ControlId, f64), Problem> {
    let wrong = |error| match error {
        ControlError::OutOfRange {
            value,
            min,
            max,
            unit,
            ..
        } => Problem::new(format!(
            "{option} {value}: outside {min} to {max} {unit}; the nearest valid value is {}",
            value.clamp(min, max)
        )),
        _ => Problem::new(format!(
            "{option} {value}: it is not a number; write for example {}",
            control.control().default_value()
        )),
    };
    let value = control.control().parse(&value.to_string()).map_err(wrong)?;
    Ok((control, value))
}

/// What is said of a proposed level that a parameter does not take.
fn out_of_reach(what: &str, control: ControlId, level: f64) -> Option<String> {
    let (low, high) = control.control().range();
    let (way, limit, amplifier) = if level > high {
        ("above", high, "up")
    } else if level <= low {
        // The lowest level is silence.
        ("below", low, "down")
    } else {
        return None;
    };
    Some(format!(
        "Out of reach for {what}: {level:.1} is {way} {limit}; turn the amplifier {amplifier} and measure again.\n"
    ))
}

impl Args {
    /// Writes or tells.
    pub fn run(self) -> Result<(), Problem> {
        match (self.measured, &self.output) {
            (Some(measured), _) => print(&self.table(measured)?),
            (None, Some(output)) => self.write(output),
            // clap has seen to it that there is one of them.
            (None, None) => Ok(()),
        }
    }

    fn write(&self, output: &Path) -> Result<(), Problem> {
        args::check_name(output)?;
        args::check_ending(output)?;
        let hz = self.hz.unwrap_or(HZ);
        if let (Signal::Pink, Some(hz)) = (self.signal, self.hz) {
            return Err(Problem::new(format!(
                "--hz {hz}: pink noise has no frequency; leave --hz out, or give --signal tone"
            )));
        }
        let mut settings = vec![(FADE_IN, 0.1)];
        settings.extend(match self.signal {
            // Two equal tones: what layer 1 plays with a beat of 0.
            Signal::Tone => vec![
                (L1_KIND, LAYER_BINAURAL as f64),
                (BEAT, 0.0),
                checked("--hz", CARRIER, hz)?,
                checked("--level", L1_LEVEL, self.level)?,
            ],
            Signal::Pink => vec![
                (NOISE_KIND, NOISE_KIND.control().parse("pink")?),
                checked("--level", NOISE_LEVEL, self.level)?,
                // The same in both ears.
                (NOISE_WIDTH, 0.0),
            ],
        });
        let options = RenderOptions {
            settings,
            ..RenderOptions::default()
        };
        let frames = (self.seconds * f64::from(self.rate)).round() as u64;
        let mut file = SoundFile::create(
            output,
            Container::of(output),
            2,
            self.rate,
            SampleFormat::Int24,
            Tags::default(),
        )?;
        let stop = crate::signals::stop_flag()?;
        render(&mut Silence::new(self.rate, frames), &options, |ears| {
            if stop.load(std::sync::atomic::Ordering::Relaxed) {
                return Err(file.interrupted());
            }
            file.write(ears)
        })?;
        file.finish()?;
        print(&format!(
            "{}: {} at {:.1} dBFS in both ears, {:.0} s\n",
            output.display(),
            match self.signal {
                Signal::Tone => format!("a sine of {hz} Hz"),
                Signal::Pink => "pink noise (root mean square)".to_owned(),
            },
            self.level,
            self.seconds
        ))
    }

    /// What a reading means.
    fn table(&self, measured: f64) -> Result<String, Problem> {
        let (low, high) = READINGS;
        for (name, value) in [("--measured", Some(measured)), ("--want", self.want)] {
            if let Some(value) = value
                && !(low..=high).contains(&value)
            {
                return Err(Problem::new(format!(
                    "{name} {value}: not a level from {low} to {high} dB SPL; the nearest valid value is {}",
                    if value > high { high } else { low }
                )));
            }
        }
        checked("--level", L1_LEVEL, self.level)?;
        // What a sine whose peak is full scale would be; and noise whose root mean square is.
        let tone = match self.signal {
            Signal::Tone => measured - self.level,
            Signal::Pink => measured - self.level - CREST,
        };
        let noise = tone + CREST;
        let mut text = format!(
            "A tone at 0 dBFS would be {tone:.1} dB SPL, noise of 0 dBFS (RMS) {noise:.1} dB SPL.\n\n  \
             level     layer (dB SPL)   noise bed (dB SPL)\n"
        );
        for level in LEVELS {
            text += &format!(
                "  {level:>5.0} dBFS {:>12.1} {:>18.1}\n",
                tone + level,
                noise + level
            );
        }
        if let Some(want) = self.want {
            let (layer, bed) = (want - tone, want - noise);
            let beyond = [
                out_of_reach("a layer", L1_LEVEL, layer),
                out_of_reach("the noise bed", NOISE_LEVEL, bed),
            ];
            let proposals = [
                format!("l1_level={layer:.1} for a layer"),
                format!("noise_level={bed:.1} for the noise bed"),
            ];
            let proposals: Vec<String> = (proposals.into_iter().zip(&beyond))
                .filter(|(_, beyond)| beyond.is_none())
                .map(|(proposal, _)| proposal)
                .collect();
            let proposals = match &proposals[..] {
                [] => "no level gives it".to_owned(),
                some => some.join(", "),
            };
            text += &format!("\n{want:.1} dB SPL: {proposals}\n");
            text.extend(beyond.into_iter().flatten());
        }
        text += "\nEach ear by itself, without weighting (of a tone at 1 kHz dB(A) is the same), at the frequency that was \
                 measured.\n";
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(signal: Signal, level: f64, want: Option<f64>) -> Args {
        Args {
            output: None,
            signal,
            level,
            hz: None,
            seconds: 1.0,
            rate: 48_000,
            measured: None,
            want,
        }
    }

    #[test]
    fn levels_follow_from_the_reading() {
        let text = args(Signal::Tone, -20.0, Some(60.0)).table(74.0).unwrap();
        assert!(text.contains("0 dBFS would be 94.0 dB SPL"), "{text}");
        assert!(
            text.contains("l1_level=-34.0 for a layer, noise_level=-37.0"),
            "{text}"
        );
        // The same pressure measured with noise.
        let text = args(Signal::Pink, -20.0, None).table(77.0103).unwrap();
        assert!(text.contains("0 dBFS would be 94.0 dB SPL"), "{text}");
        let text = args(Signal::Tone, -20.0, Some(99.0)).table(74.0).unwrap();
        assert!(
            text.contains("Out of reach for a layer: 5.0 is above 0"),
            "{text}"
        );
        let text = args(Signal::Tone, 0.0, Some(10.0)).table(140.0).unwrap();
        assert!(
            text.contains("no level gives it") && text.contains("is below -"),
            "{text}"
        );
        for (level, reading) in [(-20.0, 300.0), (3.0, 74.0), (f64::NAN, 74.0)] {
            assert!(args(Signal::Tone, level, None).table(reading).is_err());
        }
    }
}
