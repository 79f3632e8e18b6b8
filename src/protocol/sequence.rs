//! Sequences of other programs, made into protocols: voices that run in straight lines of hertz and of linear
//! gain, over layers that follow one beat and one carrier.

use super::preset::Preset;
use super::rows::{MOST, Protocol};
use crate::engine::ControlId;
use crate::engine::controls::{self as id, LAYER};
use crate::engine::timeline::{Curve, LONGEST, Row};

/// Gains below this are silence (-80 dB).
const SILENT: f64 = 1e-4;

/// What a voice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Binaural,
    Monaural,
    Isochronic,
    Bilateral,
}

impl Kind {
    fn layer(self) -> usize {
        match self {
            Kind::Binaural => id::LAYER_BINAURAL,
            Kind::Monaural => id::LAYER_MONAURAL,
            Kind::Isochronic => id::LAYER_ISOCHRONIC,
            Kind::Bilateral => id::LAYER_BILATERAL,
        }
    }
}

/// A voice at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tone {
    /// Hertz.
    pub carrier: f64,
    /// Hertz; positive where the right ear is the higher one.
    pub beat: f64,
    /// Linear peak.
    pub gain: f64,
}

/// A stretch of time in which everything runs in straight lines. Voices keep their places.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Piece {
    pub start: f64,
    pub end: f64,
    pub tones: Vec<[Tone; 2]>,
    /// Linear RMS of the noise bed at both ends.
    pub noise: [f64; 2],
    /// Linear gain of the soundtrack at both ends, where there is one.
    pub mix: Option<[f64; 2]>,
}

/// A whole sequence.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Sequence {
    pub name: String,
    pub about: String,
    pub pieces: Vec<Piece>,
    /// The kinds of the voices.
    pub kinds: Vec<Kind>,
    /// The colour of the noise: an index of `noise_kind`.
    pub noise_kind: usize,
    pub noise_width: f64,
    pub looping: bool,
    /// What could not be mapped.
    pub report: Vec<String>,
}

impl Tone {
    fn between(ends: &[Tone; 2], x: f64) -> Tone {
        let mix = |a: f64, b: f64| a + (b - a) * x;
        Tone {
            carrier: mix(ends[0].carrier, ends[1].carrier),
            beat: mix(ends[0].beat, ends[1].beat),
            gain: mix(ends[0].gain, ends[1].gain),
        }
    }
}

fn heard(ends: &[Tone; 2]) -> bool {
    ends.iter().any(|tone| tone.gain >= SILENT)
}

/// Rounded to what a file has to say: six decimals lose nothing that is heard.
fn tidy(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn decibels(control: ControlId, gain: f64) -> f64 {
    let (min, max) = control.control().range();
    if gain < SILENT {
        min
    } else {
        tidy((20.0 * gain.log10()).clamp(min, max))
    }
}

/// What a layer plays of a voice, beside a master: ratio and interval, where it can.
fn fits(tone: &Tone, master: &Tone) -> Option<(f64, f64)> {
    let within = |control: ControlId, value: f64| {
        let (min, max) = control.control().range();
        let hair = 1e-9 * value.abs();
        (value >= min - hair && value <= max + hair).then(|| value.clamp(min, max))
    };
    within(id::CARRIER, master.carrier)?;
    within(id::BEAT, master.beat.abs())?;
    let interval = within(
        LAYER[0].interval,
        12.0 * (tone.carrier / master.carrier).log2(),
    )?;
    let ratio = if tone.beat == 0.0 && master.beat == 0.0 {
        1.0
    } else {
        within(LAYER[0].ratio, tone.beat.abs() / master.beat.abs())?
    };
    Some((ratio, interval))
}

/// What the layers follow: a voice's carrier and beat, each times a factor, so that ratios and intervals reach
/// as many voices as can be.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Lead {
    voice: usize,
    carrier: f64,
    beat: f64,
}

/// Factors that are tried, the plainest first.
const FACTORS: [f64; 5] = [1.0, 0.5, 2.0, 0.25, 4.0];

impl Lead {
    fn of(&self, tone: &Tone) -> Tone {
        Tone {
            carrier: tone.carrier * self.carrier,
            beat: tone.beat * self.beat,
            gain: tone.gain,
        }
    }

    /// Every way for one of these voices to lead.
    fn all(voices: &[usize]) -> impl Iterator<Item = Lead> {
        let factors = FACTORS
            .into_iter()
            .flat_map(|beat| FACTORS.map(|carrier| (beat, carrier)));
        factors.flat_map(|(beat, carrier)| {
            voices.iter().map(move |voice| Lead {
                voice: *voice,
                carrier,
                beat,
            })
        })
    }
}

/// Lays down rows: a value that has not changed since a while gets a row where it begins to travel.
struct Writer {
    rows: Vec<Row>,
    last: Vec<Option<(f64, f64)>>,
}

impl Writer {
    fn push(&mut self, seconds: f64, control: ControlId, value: f64, curve: Curve) {
        self.rows.push(Row {
            seconds,
            control,
            value,
            curve,
        });
        self.last[control.index()] = Some((seconds, value));
    }

    /// The value from here on, at once if it is another.
    fn at(&mut self, seconds: f64, control: ControlId, value: f64) {
        let value = control.control().clamp(value);
        if self.last[control.index()].is_none_or(|(_, last)| last != value) {
            self.push(seconds, control, value, Curve::Step);
        }
    }

    /// A straight line to a value, from `from` on.
    fn to(&mut self, from: f64, seconds: f64, control: ControlId, value: f64) {
        let value = control.control().clamp(value);
        let Some((at, last)) = self.last[control.index()] else {
            return self.push(seconds, control, value, Curve::Step);
        };
        if last == value {
            return;
        }
        if at < from {
            self.push(from, control, last, Curve::Step);
        }
        self.push(seconds, control, value, Curve::Linear);
    }
}

/// Where within a piece values are written, 0 to 1, the end included.
fn points(piece: &Piece, lead: &Lead, chosen: &[usize]) -> Vec<f64> {
    let fades = |ends: [f64; 2]| ends[0] != ends[1];
    let gains = chosen
        .iter()
        .map(|voice| [piece.tones[*voice][0].gain, piece.tones[*voice][1].gain])
        .chain([piece.noise])
        .chain(piece.mix);
    let fading = gains.clone().any(fades);
    let to_silence = gains
        .into_iter()
        .any(|ends| fades(ends) && ends.iter().any(|gain| *gain < SILENT));
    let leads = piece.tones[lead.voice].each_ref().map(|tone| lead.of(tone));
    let bends = chosen.iter().any(|voice| {
        let ends = &piece.tones[*voice];
        let relation = |end: usize| fits(&ends[end], &leads[end]);
        heard(ends) && relation(0) != relation(1)
    });
    if !fading && !bends {
        return vec![1.0];
    }
    let mut points: Vec<f64> = (1..=16).map(|n| f64::from(n) / 16.0).collect();
    if to_silence {
        // Straight in gain is steep in decibels near silence.
        for n in [32.0, 64.0, 128.0, 512.0] {
            points.extend([1.0 / n, 1.0 - 1.0 / n]);
        }
        points.sort_by(f64::total_cmp);
    }
    points
}

impl Sequence {
    /// Something could not be mapped; said once.
    pub fn report(&mut self, line: impl Into<String>) {
        let line = line.into();
        if !self.report.contains(&line) && self.report.len() < 50 {
            self.report.push(line);
        }
    }

    /// The voices that become layers, the loudest four, and the one that leads.
    fn choose(&mut self) -> Option<(Vec<usize>, Lead)> {
        let weight = |voice: usize| -> f64 {
            self.pieces
                .iter()
                .filter(|piece| heard(&piece.tones[voice]))
                .map(|piece| {
                    let [a, b] = piece.tones[voice];
                    (a.gain + b.gain) * (piece.end - piece.start).max(1e-3)
                })
                .sum()
        };
        let weights: Vec<f64> = (0..self.kinds.len()).map(weight).collect();
        let mut chosen: Vec<usize> = (0..self.kinds.len())
            .filter(|voice| weights[*voice] > 0.0)
            .collect();
        chosen.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
        for voice in chosen.iter().skip(id::LAYERS).copied().collect::<Vec<_>>() {
            self.report(format!(
                "voice {}: there are four layers, and four louder voices; left out",
                voice + 1
            ));
        }
        chosen.truncate(id::LAYERS);
        let misfits = |lead: &Lead| {
            let ends = self
                .pieces
                .iter()
                .flat_map(|piece| [(piece, 0), (piece, 1)]);
            ends.map(|(piece, end)| {
                let master = lead.of(&piece.tones[lead.voice][end]);
                let wrong = chosen.iter().filter(|voice| {
                    let ends = &piece.tones[**voice];
                    heard(ends) && fits(&ends[end], &master).is_none()
                });
                wrong.count()
            })
            .sum::<usize>()
        };
        let lead = Lead::all(&chosen).min_by_key(misfits)?;
        chosen.sort_unstable();
        Some((chosen, lead))
    }

    /// Silent voices keep a pitch: that of when they were heard last, or will be heard first.
    fn keep_pitches(&mut self) {
        for voice in 0..self.kinds.len() {
            let mut last: Option<Tone> = None;
            for piece in &mut self.pieces {
                let ends = &mut piece.tones[voice];
                if heard(ends) {
                    last = Some(ends[1]);
                } else if let Some(last) = last {
                    *ends = [Tone { gain: 0.0, ..last }; 2];
                }
            }
            let first = self.pieces.iter().find(|piece| heard(&piece.tones[voice]));
            let Some(first) = first.map(|piece| piece.tones[voice][0]) else {
                continue;
            };
            for piece in &mut self.pieces {
                if heard(&piece.tones[voice]) {
                    break;
                }
                piece.tones[voice] = [Tone { gain: 0.0, ..first }; 2];
            }
        }
    }

    /// As a preset, with the report of what could not be mapped.
    ///
    /// # Errors
    /// What makes it no sequence at all.
    pub fn into_preset(mut self) -> Result<(Preset, Vec<String>), String> {
        let end = self.pieces.last().map_or(0.0, |piece| piece.end);
        if self.pieces.is_empty() {
            return Err("nothing sounds in it".to_owned());
        }
        if end > LONGEST {
            return Err(format!(
                "it is {end} s long, and a protocol at most {LONGEST} s"
            ));
        }
        self.keep_pitches();
        let mut settings: Vec<(ControlId, f64)> = Vec::new();
        let mut writer = Writer {
            rows: Vec::new(),
            last: vec![None; id::CONTROLS.len()],
        };
        let noisy = self
            .pieces
            .iter()
            .any(|piece| piece.noise.iter().any(|gain| *gain >= SILENT));
        if noisy {
            settings.push((id::NOISE_KIND, self.noise_kind as f64));
            settings.push((id::NOISE_WIDTH, self.noise_width));
        }
        let chosen = self.choose();
        if chosen.is_none() && !noisy && self.pieces.iter().all(|piece| piece.mix.is_none()) {
            return Err("nothing sounds in it".to_owned());
        }
        let plain = Lead {
            voice: 0,
            carrier: 1.0,
            beat: 1.0,
        };
        let (chosen, lead) = chosen.unwrap_or((Vec::new(), plain));
        for (layer, voice) in chosen.iter().enumerate() {
            settings.push((LAYER[layer].kind, self.kinds[*voice].layer() as f64));
        }
        let pieces = std::mem::take(&mut self.pieces);
        for piece in &pieces {
            let xs = if chosen.is_empty() && piece.tones.is_empty() {
                (1..=16).map(|n| f64::from(n) / 16.0).collect()
            } else {
                points(piece, &lead, &chosen)
            };
            self.write(&mut writer, piece, &chosen, &lead, noisy, &xs);
        }
        if writer.rows.len() > MOST {
            return Err(format!("it moves too much: more than {MOST} values"));
        }
        let constant = writer.rows.iter().all(|row| row.seconds == 0.0);
        if self.looping && !constant {
            settings.push((id::PROTOCOL_LOOP, 1.0));
        }
        let mut rows = writer.rows;
        rows.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        if constant {
            settings.extend(rows.iter().map(|row| (row.control, row.value)));
            let preset = Preset::new(&self.name, &self.about, &settings, None);
            return Ok((preset, self.report));
        }
        if rows.last().is_some_and(|row| row.seconds < end)
            && let Some(row) = rows.last().copied()
        {
            // The length is that of the sequence, even where nothing moves at its end.
            let value = writer.last[row.control.index()].map_or(row.value, |(_, value)| value);
            rows.push(Row {
                seconds: end,
                value,
                curve: Curve::Step,
                ..row
            });
        }
        settings.push((id::PROTOCOL_ON, 1.0));
        let protocol = Protocol::from_rows(rows, &settings).map_err(|error| error.to_string())?;
        let preset = Preset::new(&self.name, &self.about, &settings, Some(&protocol));
        Ok((preset, self.report))
    }

    fn write(
        &mut self,
        writer: &mut Writer,
        piece: &Piece,
        chosen: &[usize],
        leader: &Lead,
        noisy: bool,
        xs: &[f64],
    ) {
        let length = piece.end - piece.start;
        if length <= 0.0 {
            return;
        }
        // A rendering of this piece has values at its start, and travels to each of the points.
        let mut from = piece.start;
        for (n, x) in std::iter::once(0.0).chain(xs.iter().copied()).enumerate() {
            let at = if x >= 1.0 {
                piece.end
            } else {
                tidy(piece.start + x * length)
            };
            if n > 0 && at <= from {
                continue;
            }
            let mut put = |control: ControlId, value: f64| {
                if n == 0 {
                    writer.at(piece.start, control, value);
                } else {
                    writer.to(from, at, control, value);
                }
            };
            if noisy {
                put(
                    id::NOISE_LEVEL,
                    decibels(id::NOISE_LEVEL, mixed(piece.noise, x)),
                );
            }
            if let Some(mix) = piece.mix {
                put(id::PROG_LEVEL, decibels(id::PROG_LEVEL, mixed(mix, x)));
            }
            if !chosen.is_empty() {
                let lead = leader.of(&Tone::between(&piece.tones[leader.voice], x));
                put(id::CARRIER, tidy(lead.carrier));
                put(id::BEAT, tidy(lead.beat.abs()));
                for (layer, voice) in chosen.iter().enumerate() {
                    let ids = &LAYER[layer];
                    let ends = &piece.tones[*voice];
                    let tone = Tone::between(ends, x);
                    let relation = fits(&tone, &lead);
                    let here = heard(ends);
                    if let Some((ratio, interval)) = relation {
                        put(ids.ratio, tidy(ratio));
                        put(ids.interval, tidy(interval));
                    }
                    let gain = if relation.is_some() { tone.gain } else { 0.0 };
                    put(ids.level, decibels(ids.level, gain));
                    let swapped = if here {
                        (ends[0].beat + ends[1].beat < 0.0).then_some(1.0)
                    } else {
                        None
                    };
                    if n == 0 && here {
                        put(ids.swap, swapped.unwrap_or(0.0));
                    }
                    if here && relation.is_none() {
                        self.report.push(format!(
                            "voice {}: {:.3} Hz with a beat of {:.3} Hz cannot follow the carrier of {:.3} Hz and beat of {:.3} Hz by interval and ratio; silent there",
                            voice + 1, tone.carrier, tone.beat.abs(), lead.carrier, lead.beat.abs()
                        ));
                    }
                    if here && tone.gain > 1.0 {
                        self.report.push(format!(
                            "voice {}: louder than full scale; at 0 dBFS",
                            voice + 1
                        ));
                    }
                    if here && ends[0].beat * ends[1].beat < 0.0 {
                        self.report.push(format!(
                            "voice {}: the beat goes through 0; the ears do not change over there",
                            voice + 1
                        ));
                    }
                }
            }
            from = at;
        }
        self.report.sort();
        self.report.dedup();
        self.report.truncate(50);
    }
}

fn mixed(ends: [f64; 2], x: f64) -> f64 {
    ends[0] + (ends[1] - ends[0]) * x
}
