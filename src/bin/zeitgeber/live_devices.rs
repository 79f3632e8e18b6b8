//! The audio devices of this machine: listed, found by name, and asked for a format.

use crate::args::Problem;
use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{
    Device, ErrorKind, Host, SampleFormat, SupportedStreamConfig, SupportedStreamConfigRange,
};
use zeitgeber::text::near;

/// What plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// The system's own: ALSA (also over PipeWire or PulseAudio), Core Audio or WASAPI
    System,
    /// JACK, which must be running; connect its ports as you like
    Jack,
    /// No device: the engine runs in real time, and is not heard
    None,
}

/// The audio of a backend, without what ALSA itself writes to stderr about devices that it does not find.
pub fn host(backend: Backend) -> Result<Host, Problem> {
    // Where that cannot be had, there are more lines than one.
    #[cfg(target_os = "linux")]
    let _ = alsa::Output::local_error_handler();
    match backend {
        Backend::Jack => jack(),
        _ => Ok(cpal::default_host()),
    }
}

#[cfg(feature = "standalone")]
fn jack() -> Result<Host, Problem> {
    cpal::host_from_id(cpal::HostId::Jack)
        .map_err(|error| Problem::new(format!("{NO_JACK} ({error})")))
}

#[cfg(not(feature = "standalone"))]
fn jack() -> Result<Host, Problem> {
    Err(Problem::new(
        "this zeitgeber was built without JACK; build it with its default features",
    ))
}

/// What is said where JACK has no device.
const NO_JACK: &str = "JACK is not running; start it (jackd, QjackCtl), or run this command with pw-jack under PipeWire";

/// What a device says when it cannot be used.
pub fn unusable(device: &Device, error: &cpal::Error) -> Problem {
    Problem::new(match error.kind() {
        ErrorKind::DeviceNotAvailable => format!(
            "{}: there is no such device on this machine now; name one that `zeitgeber live --list` shows \
             (--output NAME, --input NAME), or run without a sound card: --backend none",
            name(device)
        ),
        _ => format!("{}: cannot be opened: {error}", name(device)),
    })
}

/// The devices as text, one a line, each with its channels and rates; the system's own are marked. Then the MIDI
/// ports.
pub fn list(backend: Backend) -> Result<String, Problem> {
    let mut text = String::new();
    if backend != Backend::None {
        let host = host(backend)?;
        let none = |error| Problem::new(format!("no audio system: {error}"));
        let own = host.default_input_device().map(|device| name(&device));
        let inputs: Vec<Device> = host.input_devices().map_err(none)?.collect();
        for device in &inputs {
            text += &line(
                "input",
                device,
                own.as_ref(),
                device.supported_input_configs(),
            );
        }
        let own = host.default_output_device().map(|device| name(&device));
        let outputs: Vec<Device> = host.output_devices().map_err(none)?.collect();
        for device in &outputs {
            text += &line(
                "output",
                device,
                own.as_ref(),
                device.supported_output_configs(),
            );
        }
        for (kind, devices) in [("input", &inputs), ("output", &outputs)] {
            if devices.is_empty() {
                text += &format!("no {kind} device\n");
            }
        }
        if backend == Backend::Jack && outputs.is_empty() {
            return Err(Problem::new(NO_JACK));
        }
    }
    match zeitgeber::control::midi_ports() {
        Ok(ports) if !ports.is_empty() => {
            for port in ports {
                text += &format!("midi    {port}\n");
            }
        }
        _ => text += "no MIDI port\n",
    }
    Ok(text)
}

/// A device in a line.
fn line(
    kind: &str,
    device: &Device,
    own: Option<&String>,
    configs: Result<impl Iterator<Item = SupportedStreamConfigRange>, cpal::Error>,
) -> String {
    let name = name(device);
    let configs: Vec<_> = configs.map_or_else(|_| Vec::new(), Iterator::collect);
    let channels = configs.iter().map(SupportedStreamConfigRange::channels);
    let low = configs
        .iter()
        .map(SupportedStreamConfigRange::min_sample_rate);
    let high = configs
        .iter()
        .map(SupportedStreamConfigRange::max_sample_rate);
    let can = match (channels.max(), low.min(), high.max()) {
        (Some(channels), Some(low), Some(high)) => {
            format!("{channels} channels, {low} to {high} Hz")
        }
        _ => "in use, or not to be opened".to_owned(),
    };
    let mark = if own == Some(&name) { ", default" } else { "" };
    format!("{kind:6}  {name}  ({can}{mark})\n")
}

/// What a device calls itself.
pub fn name(device: &Device) -> String {
    device
        .description()
        .map(|description| description.name().to_owned())
        .or_else(|_| device.id().map(|id| id.to_string()))
        .unwrap_or_else(|_| "unnamed device".to_owned())
}

/// What is said where the machine has no device of a kind.
fn none(kind: &str) -> String {
    let other = if kind == "input" {
        "give a file to play, or --no-input"
    } else {
        "name one with --output NAME (`zeitgeber live --list` lists them), or run without a sound card with --backend none"
    };
    format!("there is no {kind} device on this machine; {other}")
}

/// The device of a name or part of one, or the system's own.
pub fn find(
    backend: Backend,
    kind: &str,
    wanted: Option<&str>,
    own: Option<Device>,
    all: Result<Vec<Device>, cpal::Error>,
) -> Result<Device, Problem> {
    let Some(wanted) = wanted else {
        return own.ok_or_else(|| {
            if backend == Backend::Jack {
                return Problem::new(NO_JACK);
            }
            Problem::new(none(kind))
        });
    };
    let all = all.map_err(|error| Problem::new(format!("no audio system: {error}")))?;
    let names: Vec<String> = all.iter().map(name).collect();
    let lower = wanted.to_lowercase();
    let place = names.iter().position(|name| name == wanted).or_else(|| {
        names
            .iter()
            .position(|name| name.to_lowercase().contains(&lower))
    });
    place
        .and_then(|place| all.into_iter().nth(place))
        .ok_or_else(|| {
            Problem::new(if names.is_empty() && backend == Backend::Jack {
                NO_JACK.to_owned()
            } else if names.is_empty() {
                none(kind)
            } else {
                let near = near(wanted, names.iter().map(String::as_str));
                let near = near.map_or("`zeitgeber live --list` lists them".to_owned(), |near| {
                    format!("the nearest is \"{near}\"")
                });
                format!("there is no {kind} device \"{wanted}\"; {near}")
            })
        })
}

/// The best format of a device at a rate: float before wide before narrow integers, few channels
/// before many.
pub fn choose(
    device: &Device,
    configs: Result<impl Iterator<Item = SupportedStreamConfigRange>, cpal::Error>,
    rate: u32,
    channels: u16,
) -> Result<SupportedStreamConfig, Problem> {
    let fail = |what: String| Problem::new(format!("{}: {what}", name(device)));
    let configs: Vec<_> = configs.map_err(|error| unusable(device, &error))?.collect();
    let order = [SampleFormat::F32, SampleFormat::I32, SampleFormat::I16];
    configs
        .iter()
        .filter(|config| config.channels() >= channels)
        .filter_map(|config| {
            let rank = order
                .iter()
                .position(|format| *format == config.sample_format())?;
            Some((
                (rank, config.channels()),
                config.try_with_sample_rate(rate)?,
            ))
        })
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, config)| config)
        .ok_or_else(|| {
            let nearest = configs
                .iter()
                .map(|config| rate.clamp(config.min_sample_rate(), config.max_sample_rate()))
                .min_by_key(|other| other.abs_diff(rate));
            match nearest {
                Some(other) if other != rate => fail(format!(
                    "does not run at {rate} Hz; the nearest rate is {other} Hz"
                )),
                _ => fail(format!(
                    "has no format with {channels} channels that can be used"
                )),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::none;

    #[test]
    fn who_has_no_sound_card_is_told_what_to_do() {
        let said = none("output");
        assert!(
            said.contains("--backend none") && said.contains("--output NAME"),
            "{said}"
        );
        assert!(none("input").contains("--no-input"));
    }
}
