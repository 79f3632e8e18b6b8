//! Gnaural's schedules: XML of voices whose entries run in straight lines to the next, and the last to the first.

use super::sequence::{Kind, Piece, Sequence, Tone};
use crate::engine::controls as id;
use roxmltree::{Document, Node, ParsingOptions};

/// RMS of Gnaural's noise at volume 1: near that of evenly spread noise at full scale.
const NOISE: f64 = 0.25;

/// Most entries of a schedule.
const MOST: usize = 4000;

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

#[cfg(test)]
mod tests {
    use crate::engine::controls::{self as id, LAYER};
    use crate::protocol::import_text;

    const SCHEDULE: &str = r#"<?xml version="1.0"?>
<!-- See http://gnaural.sourceforge.net -->
<schedule><gnauralfile_version>1.20101006</gnauralfile_version>
<title>Nap</title><schedule_description>A rest</schedule_description><author>x</author>
<totaltime>5</totaltime><voicecount>9</voicecount><loops>0</loops>
<overallvolume_left>0.5</overallvolume_left><overallvolume_right>0.5</overallvolume_right><stereoswap>0</stereoswap>
<voice><description>b</description><id>0</id><type>0</type><voice_mute>0</voice_mute><entries>
<entry parent="0" duration="60" volume_left="0.4" volume_right="0.4" beatfreq="10" basefreq="200" state="0"/>
<entry parent="0" duration="60" volume_left="0.4" volume_right="0.4" beatfreq="4" basefreq="100" state="0"/>
</entries></voice>
<voice><id>1</id><type>1</type><entries>
<entry parent="1" duration="120" volume_left="0.2" volume_right="0.2" beatfreq="0" basefreq="0"/></entries></voice>
<voice><id>2</id><type>6</type><entries><entry parent="2" duration="120" volume_left="1"/></entries></voice>
</schedule>"#;

    #[test]
    fn entries_run_in_straight_lines_to_the_next() {
        let imported = import_text(SCHEDULE, "x").unwrap();
        let preset = &imported.preset;
        assert_eq!((preset.name(), preset.about()), ("Nap", "A rest"));
        let settings = preset.all_settings();
        let timeline = preset
            .protocol()
            .unwrap()
            .timeline(&settings, 1000.0)
            .unwrap();
        let at = |control, seconds: i64| timeline.value(control, seconds * 1000, false).unwrap();
        for (seconds, carrier, beat) in [
            (0, 200.0, 10.0),
            (30, 150.0, 7.0),
            (60, 100.0, 4.0),
            (90, 150.0, 7.0),
        ] {
            assert!(
                (at(id::CARRIER, seconds) - carrier).abs() < 1e-3,
                "{seconds}"
            );
            assert!((at(id::BEAT, seconds) - beat).abs() < 1e-3, "{seconds}");
        }
        let level = 20.0 * (0.4f64 * 0.5).log10();
        assert!((at(LAYER[0].level, 30) - level).abs() < 0.01);
        assert_eq!(settings[id::PROTOCOL_LOOP.index()].1, 1.0);
        assert_eq!(settings[id::NOISE_KIND.index()].1, id::NOISE_PINK as f64);
        assert!(
            imported.report.iter().any(|line| line.contains("rain")),
            "{:?}",
            imported.report
        );
    }

    #[test]
    fn other_xml_is_refused() {
        for (text, says) in [
            ("<schedule>", "is not XML"),
            ("<html/>", "no Gnaural schedule"),
            ("<schedule/>", "nothing sounds"),
            ("<!DOCTYPE x [<!ENTITY a \"b\">]><schedule/>", "is not XML"),
            (
                "<schedule><voice><entry duration=\"x\"/></voice></schedule>",
                "voice 1: entry, duration: \"x\" is not a number",
            ),
        ] {
            let (_, message) = import_text(text, "x").unwrap_err();
            assert!(message.contains(says), "{text}: {message}");
        }
    }
}
