//! Gnaural's schedules: XML of voices whose entries run in straight lines to the next, and the last to the first.

use super::sequence::{Kind, Piece, Sequence, Tone};
use crate::engine::controls as id;
use roxmltree::{Document, Node, ParsingOptions};

/// RMS of Gnaural's noise at volume 1: near that of evenly spread noise at full scale.
const NOISE: f64 = 0.25;

/// Most entries of a schedule.
const MOST: usize = 20_000;

/// One entry.
#[derive(Debug, Clone, Copy)]
struct Entry {
    seconds: f64,
    left: f64,
    right: f64,
    beat: f64,
    base: f64,
}

/// What a voice is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sort {
    Tone(Kind),
    Noise,
}

struct Voice {
    sort: Sort,
    entries: Vec<Entry>,
}

fn text<'a>(node: &Node<'a, '_>, name: &str) -> &'a str {
    node.children()
        .find(|child| child.has_tag_name(name))
        .and_then(|child| child.text())
        .unwrap_or("")
        .trim()
}

fn number(text: &str, otherwise: f64) -> Result<f64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(otherwise);
    }
    // Some locales of Gnaural wrote decimal commas.
    match text.replace(',', ".").parse::<f64>() {
        Ok(number) if number.is_finite() && number.abs() < 1e9 => Ok(number),
        _ => {
            let text: String = text.chars().take(40).collect();
            Err(format!("\"{text}\" is not a number"))
        }
    }
}

fn entry(node: &Node<'_, '_>) -> Result<Entry, String> {
    // Newer schedules write attributes, older ones elements.
    let of = |name: &str, otherwise: f64| {
        let given = node.attribute(name).unwrap_or_else(|| text(node, name));
        number(given, otherwise).map_err(|error| format!("entry, {name}: {error}"))
    };
    let left = of("volume_left", 1.0)?;
    let entry = Entry {
        seconds: of("duration", 0.0)?,
        left,
        right: of("volume_right", left)?,
        beat: of("beatfreq", 0.0)?,
        base: of("basefreq", 0.0)?,
    };
    if entry.seconds < 0.0 {
        return Err(format!("entry, duration: {} is negative", entry.seconds));
    }
    Ok(entry)
}

/// Reads a schedule.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(source: &str, name: &str) -> Result<Sequence, String> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: 500_000,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(source, options)
        .map_err(|error| format!("is not XML as Gnaural writes it: {error}"))?;
    let root = document.root_element();
    if !root.has_tag_name("schedule") {
        return Err("is no Gnaural schedule: its first element is not <schedule>".to_owned());
    }
    let title: String = text(&root, "title").chars().take(100).collect();
    let mut sequence = Sequence {
        name: if title.is_empty() || title == "[none]" {
            name.to_owned()
        } else {
            title
        },
        about: text(&root, "schedule_description")
            .chars()
            .take(2000)
            .collect(),
        noise_kind: id::NOISE_PINK,
        noise_width: 1.0,
        ..Sequence::default()
    };
    let loops = number(text(&root, "loops"), 1.0)?;
    sequence.looping = loops == 0.0 || loops > 1.0;
    if loops > 1.0 {
        sequence.report(format!(
            "it plays {loops} times in Gnaural; here it loops until it is stopped"
        ));
    }
    let volume = [
        number(text(&root, "overallvolume_left"), 1.0)?,
        number(text(&root, "overallvolume_right"), 1.0)?,
    ];
    let swapped = number(text(&root, "stereoswap"), 0.0)? != 0.0;
    let mut voices: Vec<Voice> = Vec::new();
    let mut entries = 0;
    for (place, node) in root
        .descendants()
        .filter(|node| node.has_tag_name("voice"))
        .enumerate()
    {
        let label = format!("voice {}", place + 1);
        let list = node
            .descendants()
            .filter(|node| node.has_tag_name("entry"))
            .map(|node| entry(&node).map_err(|error| format!("{label}: {error}")))
            .collect::<Result<Vec<Entry>, String>>()?;
        entries += list.len();
        if entries > MOST {
            return Err(format!("it has more than {MOST} entries"));
        }
        if number(text(&node, "voice_mute"), 0.0)? != 0.0 {
            sequence.report(format!("{label}: is mute in the schedule; left out"));
            continue;
        }
        if list.iter().map(|entry| entry.seconds).sum::<f64>() <= 0.0 {
            sequence.report(format!("{label}: has no time in it; left out"));
            continue;
        }
        let sort = match number(text(&node, "type"), 0.0)? as i64 {
            0 => Sort::Tone(Kind::Binaural),
            1 => Sort::Noise,
            3 => Sort::Tone(Kind::Isochronic),
            4 => Sort::Tone(Kind::Bilateral),
            other => {
                let what = match other {
                    2 => "an audio file",
                    5 => "water drops",
                    6 => "rain",
                    _ => "of a type that is not known",
                };
                sequence.report(format!("{label}: is {what}; left out"));
                continue;
            }
        };
        if list
            .iter()
            .any(|entry| (entry.left - entry.right).abs() > 1e-6)
        {
            sequence.report(format!(
                "{label}: its ears differ in volume; both have the mean"
            ));
        }
        voices.push(Voice {
            sort,
            entries: list,
        });
    }
    if (volume[0] - volume[1]).abs() > 1e-6 {
        sequence.report("the ears differ in overall volume; both have the mean".to_owned());
    }
    let loudness = (volume[0] + volume[1]) / 2.0;
    lay(&mut sequence, &voices, loudness, swapped);
    Ok(sequence)
}

/// A voice at a time: entries run in straight lines.
fn at(voice: &Voice, seconds: f64) -> (f64, f64, f64) {
    let mut start = 0.0;
    let count = voice.entries.len();
    for (n, entry) in voice.entries.iter().enumerate() {
        if seconds <= start + entry.seconds && entry.seconds > 0.0 {
            let next = &voice.entries[(n + 1) % count];
            let x = (seconds - start) / entry.seconds;
            let mix = |a: f64, b: f64| a + (b - a) * x;
            let gain = |entry: &Entry| (entry.left + entry.right) / 2.0;
            return (
                mix(entry.base, next.base),
                mix(entry.beat, next.beat),
                mix(gain(entry), gain(next)),
            );
        }
        start += entry.seconds;
    }
    // Beyond its end a voice is silent.
    (0.0, 0.0, 0.0)
}

fn lay(sequence: &mut Sequence, voices: &[Voice], loudness: f64, swapped: bool) {
    let mut times: Vec<f64> = vec![0.0];
    for voice in voices {
        let mut sum = 0.0;
        for entry in &voice.entries {
            sum += entry.seconds;
            times.push(sum);
        }
    }
    times.sort_by(f64::total_cmp);
    times.dedup_by(|a, b| (*a - *b).abs() < 1e-3);
    sequence.kinds = voices
        .iter()
        .filter_map(|voice| match voice.sort {
            Sort::Tone(kind) => Some(kind),
            Sort::Noise => None,
        })
        .collect();
    if voices.iter().any(|voice| voice.sort == Sort::Noise) {
        sequence.report("noise: its level is near".to_owned());
    }
    for ends in times.windows(2) {
        let (start, end) = (ends[0], ends[1]);
        // Just inside, where neighbours of another entry do not count.
        let hair = (end - start) * 1e-9;
        let inside = [start + hair, end - hair];
        let mut noise = [0.0; 2];
        let mut tones = Vec::new();
        for voice in voices {
            let both = inside.map(|seconds| at(voice, seconds));
            match voice.sort {
                Sort::Noise => {
                    for (noise, (_, _, gain)) in noise.iter_mut().zip(both) {
                        *noise += NOISE * gain * loudness;
                    }
                }
                Sort::Tone(_) => tones.push(both.map(|(base, beat, gain)| Tone {
                    carrier: round(base),
                    // Gnaural adds half the beat on the left.
                    beat: round(if swapped { beat } else { -beat }),
                    gain: gain * loudness,
                })),
            }
        }
        sequence.pieces.push(Piece {
            start,
            end,
            tones,
            noise,
            mix: None,
        });
    }
}

/// To a millionth, so that ends of lines are the numbers that were written.
fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
