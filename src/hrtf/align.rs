//! Measurements of one distance, each cut to a window around its onset: what all sets are prepared from.

use super::head::{self, vector};
use super::progress::{Progress, share};
use super::spectrum::{Transform, fast_length};
use super::thin::{most, thin};
use super::{About, HrtfError, Raw};
use realfft::num_complex::Complex32;
use std::collections::HashMap;

/// Seconds that are kept after an onset: 256 frames at 44.1 kHz. Beyond it KEMAR holds only noise.
pub const AFTER: f64 = 256.0 / 44_100.0;

/// The last part of them, which fades out: 32 frames at 44.1 kHz.
pub const FADE: f64 = 32.0 / 44_100.0;

/// Seconds that are kept before an onset, half of it fading in.
const BEFORE: f64 = 16.0 / 44_100.0;

/// A response begins where it first reaches this share of its largest sample; what is exact comes later.
const BEGUN: f32 = 0.15;

/// How far from there the onset may be, in seconds.
const DOUBT: f64 = 1.5e-3;

/// Degrees within which two directions are one.
const SAME: f64 = 0.05;

/// Responses of one distance, windowed around their onsets.
#[derive(Debug, Clone, PartialEq)]
pub struct Aligned {
    /// What the set says of itself.
    pub about: About,
    /// Sample rate in hertz.
    pub rate: f64,
    /// Azimuth and elevation of each direction, in degrees.
    pub directions: Vec<[f64; 2]>,
    /// Distance in metres.
    pub distance: f64,
    /// Taps of a window.
    pub taps: usize,
    /// Frames of a window before the onset.
    pub before: usize,
    /// Windows, directions x 2 ears (left first) x taps.
    pub windows: Vec<f32>,
    /// When each window begins, in frames, directions x 2 ears.
    pub starts: Vec<[f64; 2]>,
    /// Whether the right ear's responses are the left one's from the mirrored directions.
    pub symmetric: bool,
    /// What a user should know: measurements that were left out, and why.
    pub notes: Vec<String>,
}

impl Aligned {
    /// One ear's window (0 left, 1 right) in one direction.
    pub fn window(&self, direction: usize, ear: usize) -> &[f32] {
        let start = (direction * 2 + ear) * self.taps;
        &self.windows[start..start + self.taps]
    }

    /// The same set without some of its directions.
    pub fn without(&self, left_out: impl Fn(usize) -> bool) -> Aligned {
        let kept: Vec<usize> = (0..self.directions.len())
            .filter(|i| !left_out(*i))
            .collect();
        let mut aligned = Aligned {
            directions: kept.iter().map(|i| self.directions[*i]).collect(),
            starts: kept.iter().map(|i| self.starts[*i]).collect(),
            windows: Vec::with_capacity(kept.len() * 2 * self.taps),
            about: self.about.clone(),
            notes: self.notes.clone(),
            ..*self
        };
        for direction in kept {
            for ear in 0..2 {
                aligned.windows.extend(self.window(direction, ear));
            }
        }
        aligned.symmetric = symmetric(&aligned);
        aligned
    }

    /// The direction that mirrors each direction, where all have one.
    pub fn mirror(&self) -> Option<Vec<usize>> {
        mirror(&self.directions)
    }
}

/// Frames of a window before its onset, and of all of it, at a rate.
pub fn window_frames(rate: f64) -> (usize, usize) {
    let before = (BEFORE * rate).ceil() as usize;
    (before, before + (AFTER * rate).ceil() as usize)
}

/// Finds the onsets, and windows the responses around them.
///
/// # Errors
/// [`HrtfError::Cancelled`], or [`HrtfError::Content`] where the numbers make no set; it names the set's title for
/// its file.
pub fn align(raw: &Raw, progress: &Progress, span: [f64; 2]) -> Result<Aligned, HrtfError> {
    raw.check().map_err(|why| HrtfError::Content {
        file: if raw.about.title.is_empty() {
            "HRTF set".into()
        } else {
            raw.about.title.clone().into()
        },
        why,
    })?;
    let mut notes = Vec::new();
    let (chosen, distance) = chosen(raw, &mut notes);
    let (before, taps) = window_frames(raw.rate);
    let finder = Finder::new(raw.rate);
    let mut windows = vec![0.0; chosen.len() * 2 * taps];
    let mut starts = vec![[0.0; 2]; chosen.len()];
    let mut pieces: Vec<(&mut [f32], &mut [f64; 2])> = windows
        .chunks_exact_mut(2 * taps)
        .zip(&mut starts)
        .collect();
    share(
        &mut pieces,
        1,
        progress,
        span,
        || finder.clone(),
        |finder, index, piece| {
            let measurement = chosen[index];
            let (windows, starts) = &mut piece[0];
            for ear in 0..2 {
                let response = raw.response(measurement, ear);
                let start = finder.onset(response) - before as isize;
                starts[ear] = start as f64 + raw.delay(measurement, ear);
                let window = &mut windows[ear * taps..][..taps];
                cut(response, start, before, raw.rate, window);
            }
        },
    )?;
    drop(pieces);
    let mut aligned = Aligned {
        about: raw.about.clone(),
        rate: raw.rate,
        directions: chosen
            .iter()
            .map(|i| [raw.positions[*i][0], raw.positions[*i][1]])
            .collect(),
        distance,
        taps,
        before,
        windows,
        starts,
        symmetric: false,
        notes,
    };
    aligned.symmetric = symmetric(&aligned);
    Ok(aligned)
}

/// The measurements that are used: of the distance that has the most directions (of two, the greater), one
/// for each direction, none that is silent, and of very many some that lie evenly.
fn chosen(raw: &Raw, notes: &mut Vec<String>) -> (Vec<usize>, f64) {
    // Within 10 % a sphere is one: measured distances scatter.
    let mut shells: Vec<(f64, Vec<usize>)> = Vec::new();
    let mut order: Vec<usize> = (0..raw.positions.len()).collect();
    order.sort_by(|a, b| raw.positions[*a][2].total_cmp(&raw.positions[*b][2]));
    for index in order {
        let distance = raw.positions[index][2];
        match shells
            .last_mut()
            .filter(|(first, _)| distance <= first * 1.1)
        {
            Some((_, members)) => members.push(index),
            None => shells.push((distance, vec![index])),
        }
    }
    let distances = shells.len();
    let (_, mut members) = shells
        .into_iter()
        .max_by_key(|(_, members)| members.len())
        .unwrap_or_default();
    members.sort_unstable();
    let total = members.len();
    let distance = members.iter().map(|i| raw.positions[*i][2]).sum::<f64>() / total as f64;
    if distances > 1 {
        notes.push(format!(
            "holds {distances} distances; the {total} responses at {distance:.2} m are used"
        ));
    }
    let mut seen = HashMap::new();
    members.retain(|index| {
        let [azimuth, elevation, _] = raw.positions[*index];
        seen.insert(place(azimuth, elevation), ()).is_none()
    });
    if members.len() < total {
        notes.push(format!(
            "{} directions were measured twice; the first of each is used",
            total - members.len()
        ));
    }
    let different = members.len();
    let heard =
        |index: &usize| (0..2).all(|ear| raw.response(*index, ear).iter().any(|x| *x != 0.0));
    if members.iter().any(heard) {
        members.retain(heard);
    }
    if members.len() < different {
        notes.push(format!(
            "{} responses are silent and left out",
            different - members.len()
        ));
    }
    let places: Vec<[f64; 2]> = members
        .iter()
        .map(|i| [raw.positions[*i][0], raw.positions[*i][1]])
        .collect();
    let kept = thin(&places, most(raw.rate));
    if kept.len() < places.len() {
        notes.push(format!(
            "holds {} directions, more than are heard apart; {} of them, spread evenly, are used",
            places.len(),
            kept.len()
        ));
        members = kept.into_iter().map(|place| members[place]).collect();
    }
    (members, distance)
}

/// A direction as a key: the same for directions that are one.
fn place(azimuth: f64, elevation: f64) -> [i64; 3] {
    let grain = SAME.to_radians();
    vector(azimuth, elevation).map(|x| (x / grain).round() as i64)
}

/// Finds onsets at one rate.
#[derive(Clone)]
struct Finder {
    transform: Transform,
    doubt: usize,
    ahead: usize,
    cross: Vec<Complex32>,
    logs: Vec<f32>,
}

impl Finder {
    fn new(rate: f64) -> Finder {
        let doubt = (DOUBT * rate).ceil() as usize;
        let ahead = doubt + (AFTER * rate).ceil() as usize;
        let length = fast_length(2 * (doubt + ahead));
        Finder {
            transform: Transform::new(length),
            doubt,
            ahead,
            cross: vec![Complex32::default(); length / 2 + 1],
            logs: vec![0.0; length / 2 + 1],
        }
    }

    /// The frame at which a response begins: where its cross-correlation with the response of the same
    /// magnitude and minimum phase is largest (Nam, Abel and Smith 2008).
    fn onset(&mut self, response: &[f32]) -> isize {
        let largest = response.iter().fold(0.0_f32, |max, x| max.max(x.abs()));
        let begun = response
            .iter()
            .position(|x| x.abs() >= BEGUN * largest)
            .unwrap_or(0);
        let from = begun.saturating_sub(self.doubt);
        let end = (begun + self.ahead).min(response.len());
        self.cross
            .copy_from_slice(self.transform.spectrum(&response[from..end]));
        let floor = 1e-6 * largest.max(f32::MIN_POSITIVE);
        for (log, bin) in self.logs.iter_mut().zip(&self.cross) {
            *log = bin.norm().max(floor).ln();
        }
        let minimum = self.transform.minimum_phase(&self.logs);
        for (bin, minimum) in self.cross.iter_mut().zip(minimum) {
            *bin *= minimum.conj();
        }
        let cross = &self.cross;
        let correlation = self.transform.response(|bins| bins.copy_from_slice(cross));
        let lag = correlation[..2 * self.doubt]
            .iter()
            .enumerate()
            .fold((0, f32::NEG_INFINITY), |best, (n, x)| {
                if *x > best.1 { (n, *x) } else { best }
            })
            .0;
        (from + lag) as isize
    }
}

/// Copies a response from frame `start` on, with the fades at both ends.
fn cut(response: &[f32], start: isize, before: usize, rate: f64, window: &mut [f32]) {
    let rise = (before / 2).max(1);
    let fade = (FADE * rate).ceil() as usize;
    let count = window.len();
    for (n, tap) in window.iter_mut().enumerate() {
        let source = usize::try_from(start + n as isize).ok();
        let x = source.and_then(|i| response.get(i)).copied().unwrap_or(0.0);
        let shape = |place: f64| 0.5 - 0.5 * (std::f64::consts::PI * place).cos();
        let weight = if n < rise {
            shape(n as f64 / rise as f64)
        } else if n + fade >= count {
            shape((count - n) as f64 / fade as f64)
        } else {
            1.0
        };
        *tap = (f64::from(x) * weight) as f32;
    }
}

/// The direction that mirrors each, where all have one.
fn mirror(directions: &[[f64; 2]]) -> Option<Vec<usize>> {
    let keys: HashMap<[i64; 3], usize> = directions
        .iter()
        .enumerate()
        .map(|(index, [azimuth, elevation])| (place(*azimuth, *elevation), index))
        .collect();
    directions
        .iter()
        .map(|[azimuth, elevation]| {
            // A place on the border of two keys may have its mirror in either.
            let [x, y, z] = place(-azimuth, *elevation);
            (-1..=1)
                .flat_map(|i| (-1..=1).flat_map(move |j| (-1..=1).map(move |k| [i, j, k])))
                .find_map(|[i, j, k]| keys.get(&[x + i, y + j, z + k]).copied())
        })
        .collect()
}

/// Whether the ears mirror each other, to -80 dB of the largest sample.
fn symmetric(aligned: &Aligned) -> bool {
    let Some(mirror) = aligned.mirror() else {
        return false;
    };
    let largest = aligned
        .windows
        .iter()
        .fold(0.0_f32, |max, x| max.max(x.abs()));
    mirror.iter().enumerate().all(|(index, other)| {
        let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * largest;
        (aligned.starts[index][0] - aligned.starts[*other][1]).abs() < 0.01
            && aligned
                .window(index, 0)
                .iter()
                .zip(aligned.window(*other, 1))
                .all(near)
    })
}

/// The head's radius in metres and the common delay in seconds that fit the onsets best.
pub fn fit_head(aligned: &Aligned) -> (f64, f64) {
    let points = aligned.directions.iter().zip(&aligned.starts).flat_map(
        |([azimuth, elevation], starts)| {
            let direction = vector(*azimuth, *elevation);
            [0, 1].map(|ear| {
                let onset = (starts[ear] + aligned.before as f64) / aligned.rate;
                (head::path(direction, ear), onset)
            })
        },
    );
    let (mut n, mut x, mut y, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (path, onset) in points {
        n += 1.0;
        x += path;
        y += onset;
        xx += path * path;
        xy += path * onset;
    }
    let spread = xx - x * x / n;
    let slope = if spread > 0.01 {
        (xy - x * y / n) / spread
    } else {
        head::RADIUS / head::SPEED_OF_SOUND
    };
    // Nobody's head is larger; sets of minimum phase have none.
    let radius = (slope * head::SPEED_OF_SOUND).clamp(0.0, 0.12);
    let common = (y - radius / head::SPEED_OF_SOUND * x) / n;
    (radius, common)
}
