//! The audio devices of this machine: listed, found by name, and asked for a format.

use crate::args::Problem;
use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{
    Device, ErrorKind, Host, SampleFormat, SupportedStreamConfig, SupportedStreamConfigRange,
};
use zeitgeber::text::nearest;

/// The system's audio, without what ALSA itself writes to stderr about devices that it does not find.
pub fn host() -> Host {
    // Where that cannot be had, there are more lines than one.
    #[cfg(target_os = "linux")]
    let _ = alsa::Output::local_error_handler();
    cpal::default_host()
}

/// What a device says when it cannot be used.
pub fn unusable(device: &Device, error: &cpal::Error) -> Problem {
    Problem::new(match error.kind() {
        ErrorKind::DeviceNotAvailable => format!(
            "{}: there is no such device on this machine now; live --list shows what there is",
            name(device)
        ),
        _ => format!("{}: cannot be opened: {error}", name(device)),
    })
}

/// The devices as text, one a line.
pub fn list() -> Result<String, Problem> {
    let host = host();
    let mut text = String::new();
    for (kind, devices) in [
        (
            "input",
            host.input_devices()
                .map(|devices| devices.collect::<Vec<_>>()),
        ),
        (
            "output",
            host.output_devices()
                .map(|devices| devices.collect::<Vec<_>>()),
        ),
    ] {
        let devices = devices.map_err(|error| Problem::new(format!("no audio system: {error}")))?;
        if devices.is_empty() {
            text += &format!("no {kind} device\n");
        }
        for device in devices {
            text += &format!("{kind:6}  {}\n", name(&device));
        }
    }
    Ok(text)
}

/// What a device calls itself.
pub fn name(device: &Device) -> String {
    device
        .description()
        .map(|description| description.name().to_owned())
        .or_else(|_| device.id().map(|id| id.to_string()))
        .unwrap_or_else(|_| "unnamed device".to_owned())
}

/// The device of a name or part of one, or the system's own.
pub fn find(
    kind: &str,
    wanted: Option<&str>,
    own: Option<Device>,
    all: Result<Vec<Device>, cpal::Error>,
) -> Result<Device, Problem> {
    let Some(wanted) = wanted else {
        return own.ok_or_else(|| {
            let other = if kind == "input" {
                "; --no-input does without"
            } else {
                ""
            };
            Problem::new(format!("there is no {kind} device on this machine{other}"))
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
            Problem::new(if names.is_empty() {
                format!("there is no {kind} device on this machine")
            } else {
                let nearest = nearest(wanted, names.iter().map(String::as_str));
                format!("there is no {kind} device \"{wanted}\"; the nearest is \"{nearest}\"")
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
