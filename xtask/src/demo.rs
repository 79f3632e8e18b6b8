//! `cargo xtask demo`: from a clone to plugins, rendered WAVs and measured beats.

mod music;
mod treatments;

use crate::bundle::{Bundled, bundle};
use crate::setup::{Purpose, setup};
use crate::shell::{self, quoted};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

const SPEECH: &str = "\
Welcome. Sit or lie down, and put on your headphones. Let your shoulders drop.
Breathe in slowly, and breathe out a little more slowly.
Under my voice two quiet tones are fading in, one in each ear.
They differ by ten cycles a second, and your hearing makes a gentle beat of them.
There is nothing you have to do. Follow your breath, in, and out.
When I have finished, the beat goes on by itself for a while.
";

/// Seconds that are rendered after the speech: the beat alone, which is what is measured.
const TAIL: u32 = 20;

/// What the demo asks the engine for.
const SETTINGS: [&str; 5] = [
    "l1_kind=binaural",
    "beat=10",
    "carrier=250",
    "fade_in=8",
    "l1_level=-26",
];

/// Runs it all and ends with the summary.
///
/// # Errors
/// The first step that fails, with its command.
pub fn demo() -> Result<()> {
    setup(Purpose::Demo)?;
    let bundled = bundle(&[])?;
    let folder = shell::target_dir()?.join("demo");
    fs::create_dir_all(&folder).with_context(|| format!("could not make {}", folder.display()))?;

    let speech = speak(&folder)?;
    let output = folder.join("zeitgeber-demo.wav");
    let took = render(&bundled.cli, &speech, &output)?;
    let whole = Wav::read(&output)?;
    let alone = folder.join("beat-alone.wav");
    whole.write_end(&alone, TAIL)?;
    let beat = measure(&bundled.cli, &alone)?;
    let shown = treatments::show(&bundled.cli, &folder, &speech)?;
    summary(&bundled, &output, &whole, took, &beat);
    treatments::summary(&folder, &shown)
}

/// Speaks the text into a WAV; keeps the one that an earlier run has spoken.
fn speak(folder: &Path) -> Result<PathBuf> {
    let text = folder.join("speech.txt");
    let wav = folder.join("speech.wav");
    if wav.is_file() && fs::read_to_string(&text).is_ok_and(|spoken| spoken == SPEECH) {
        println!("speech: {} is there", wav.display());
        return Ok(wav);
    }
    let unspoken = folder.join("speech-to-speak.txt");
    fs::write(&unspoken, SPEECH)
        .with_context(|| format!("could not write {}", unspoken.display()))?;
    let mut speak = Command::new("espeak-ng");
    speak
        .args(["-v", "en", "-s", "150", "-g", "2", "-w"])
        .arg(&wav)
        .arg("-f")
        .arg(&unspoken);
    shell::run(&mut speak)?;
    // Renamed last: the text stands for a WAV that was spoken to its end.
    fs::rename(&unspoken, &text).with_context(|| format!("could not write {}", text.display()))?;
    Ok(wav)
}

fn render(cli: &Path, speech: &Path, output: &Path) -> Result<Duration> {
    let mut render = Command::new(cli);
    render.arg("render").arg(speech).arg("-o").arg(output);
    render.args(["--rate", "48000", "--tail", &TAIL.to_string(), "--quiet"]);
    for setting in SETTINGS {
        render.args(["--set", setting]);
    }
    let start = Instant::now();
    shell::run(&mut render)?;
    Ok(start.elapsed())
}

/// A rendered file in memory: interleaved frames of 32-bit floats.
struct Wav {
    spec: hound::WavSpec,
    samples: Vec<f32>,
}

impl Wav {
    fn read(path: &Path) -> Result<Wav> {
        let unreadable = || format!("{} cannot be read back", path.display());
        let mut reader = hound::WavReader::open(path).with_context(unreadable)?;
        let samples = reader
            .samples::<f32>()
            .collect::<Result<Vec<f32>, _>>()
            .with_context(unreadable)?;
        Ok(Wav {
            spec: reader.spec(),
            samples,
        })
    }

    fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.spec.channels) / f64::from(self.spec.sample_rate)
    }

    /// Writes the last seconds to a file of their own.
    fn write_end(&self, path: &Path, seconds: u32) -> Result<()> {
        let length = (seconds * self.spec.sample_rate) as usize * usize::from(self.spec.channels);
        let start = self.samples.len().saturating_sub(length);
        let unwritable = || format!("could not write {}", path.display());
        let mut writer = hound::WavWriter::create(path, self.spec).with_context(unwritable)?;
        for sample in &self.samples[start..] {
            writer.write_sample(*sample).with_context(unwritable)?;
        }
        writer.finalize().with_context(unwritable)
    }
}

/// What `zeitgeber analyze` found between the ears.
struct Beat {
    hz: f64,
    uncertainty_hz: f64,
    left_hz: f64,
    right_hz: f64,
}

/// What `zeitgeber analyze --json` says of a file.
fn analyze(cli: &Path, wav: &Path) -> Result<serde_json::Value> {
    let program = cli.to_string_lossy();
    let arguments = ["analyze", &wav.to_string_lossy(), "--json"];
    let line = format!("{} {}", quoted(&program), arguments.map(quoted).join(" "));
    println!("$ {line}");
    let json = shell::quietly(&program, &arguments)
        .with_context(|| format!("this command failed:\n  {line}"))?;
    serde_json::from_str(&json).with_context(|| format!("this command printed no JSON:\n  {line}"))
}

fn measure(cli: &Path, wav: &Path) -> Result<Beat> {
    let analysis = analyze(cli, wav)?;
    let number = |key: &str| {
        analysis["beats"][0][key].as_f64().with_context(|| {
            format!(
                "no beat was found between the ears of {} (beats[0].{key} is missing)",
                wav.display()
            )
        })
    };
    Ok(Beat {
        hz: number("hz")?,
        uncertainty_hz: number("uncertainty_hz")?,
        left_hz: number("left_hz")?,
        right_hz: number("right_hz")?,
    })
}

fn summary(bundled: &Bundled, output: &Path, wav: &Wav, took: Duration, beat: &Beat) {
    let [clap, vst3] = [&bundled.clap, &bundled.vst3].map(|path| quoted(&path.to_string_lossy()));
    println!("\nZeitgeber is built.\n");
    bundled.print();
    println!("\nInstall it for Reaper and Bitwig (close them first):\n");
    if cfg!(target_os = "windows") {
        println!("  copy Zeitgeber.clap into %COMMONPROGRAMFILES%\\CLAP");
        println!("  copy Zeitgeber.vst3 into %COMMONPROGRAMFILES%\\VST3");
    } else {
        let [clap_home, vst3_home] = if cfg!(target_os = "macos") {
            [
                "~/Library/Audio/Plug-Ins/CLAP",
                "~/Library/Audio/Plug-Ins/VST3",
            ]
        } else {
            ["~/.clap", "~/.vst3"]
        };
        println!("  mkdir -p {clap_home} {vst3_home}");
        println!("  cp -r {clap} {clap_home}/");
        println!("  cp -r {vst3} {vst3_home}/");
    }
    println!("\n  Reaper: Options > Preferences > Plug-ins > CLAP (or VST) > Re-scan");
    println!(
        "  Bitwig: scans these folders by itself; if not, rescan in Dashboard > Settings, plug-in locations"
    );
    println!(
        "  Insert Zeitgeber on a track, set Layer 1 Kind to binaural, listen with headphones."
    );
    println!("\nThe demo (headphones):\n");
    println!("  WAV            {}", output.display());
    println!(
        "  length         {:.1} s, the last {TAIL} s are the beat alone",
        wav.seconds()
    );
    println!("  asked for      {}", SETTINGS.join(" "));
    println!(
        "  measured       beat {:.6} Hz (+-{:.0e}): {:.6} Hz left, {:.6} Hz right, in these last {TAIL} s",
        beat.hz, beat.uncertainty_hz, beat.left_hz, beat.right_hz
    );
    println!(
        "  speed          {:.2} s for {:.1} s of audio: {:.0} times real time",
        took.as_secs_f64(),
        wav.seconds(),
        wav.seconds() / took.as_secs_f64()
    );
}
