//! Which directions a set is prepared in: rings that are dense enough to blend between, and that meet the
//! measured directions where these lie on rings themselves.

use super::align::Aligned;
use crate::dsp::hrir::Rings;

/// Degrees between rings, at most.
const SPACING: f64 = 2.5;

/// How much wider the directions of a ring are spaced. What moves is blended with smooth steps from
/// direction to direction, and the renderer's quanta follow those in straight lines: a wider step is a gentler
/// one. At 90 degrees a second a tone of 1 kHz has sidebands at -106 dB with 2.5 degrees, -112 with 5.
const WIDER: f64 = 2.0;

/// What a renderer may need for all spectra of a set, in bytes: two floats a tap and ear, twice the taps.
const MEMORY: f64 = 64e6;

/// Degrees that a measured direction may lie beside one of a ring and still count as lying on it.
const BESIDE: f64 = 0.03;

/// How much wider a ring may be spaced than asked, if it then meets the measured directions.
const SLACK: f64 = 1.05;

/// Rings for a set whose filters have so many taps.
pub fn rings(aligned: &Aligned, taps: usize) -> Rings {
    let spacing = spacing(taps);
    let mut own = measured(aligned, spacing * 0.6);
    // The poles are rings of one whatever was measured.
    own.retain(|elevation| elevation.abs() < 90.0 - 0.4 * spacing);
    own.insert(0, -90.0);
    own.push(90.0);
    let mut rings = Vec::new();
    for pair in own.windows(2) {
        let steps = ((pair[1] - pair[0]) / (spacing * SLACK)).ceil().max(1.0);
        for step in 0..steps as usize {
            let elevation = pair[0] + (pair[1] - pair[0]) * step as f64 / steps;
            rings.push((elevation, around(aligned, elevation, WIDER * spacing)));
        }
    }
    rings.push((90.0, 1));
    match Rings::new(&rings) {
        Some(rings) => rings,
        None => unreachable!("elevations ascend from pole to pole"),
    }
}

/// Degrees between directions, so that the spectra fit in memory.
fn spacing(taps: usize) -> f64 {
    let sphere = 360.0 * 360.0 / std::f64::consts::PI;
    let affordable = MEMORY / (taps as f64 * 16.0);
    SPACING.max((sphere * 1.1 / affordable / WIDER).sqrt())
}

/// Elevations that at least three measurements share, none closer to the next than `least`; of two that are,
/// the one with more measurements.
fn measured(aligned: &Aligned, least: f64) -> Vec<f64> {
    let mut elevations: Vec<f64> = aligned.directions.iter().map(|d| d[1]).collect();
    elevations.sort_by(f64::total_cmp);
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for elevation in elevations {
        match groups
            .last_mut()
            .filter(|(first, _)| elevation - *first < BESIDE)
        {
            Some((_, count)) => *count += 1,
            None => groups.push((elevation, 1)),
        }
    }
    groups.retain(|(_, count)| *count >= 3);
    groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut kept: Vec<f64> = Vec::new();
    for (elevation, _) in groups {
        if kept.iter().all(|other| (other - elevation).abs() >= least) {
            kept.push(elevation);
        }
    }
    kept.sort_by(f64::total_cmp);
    kept
}

/// How many directions a ring has: the fewest of which some meet every measured one, or else what the
/// spacing asks for.
fn around(aligned: &Aligned, elevation: f64, spacing: f64) -> usize {
    if elevation.abs() == 90.0 {
        return 1;
    }
    let asked = 360.0 * elevation.to_radians().cos() / spacing;
    let own: Vec<f64> = aligned
        .directions
        .iter()
        .filter(|d| (d[1] - elevation).abs() < BESIDE)
        .map(|d| d[0])
        .collect();
    let meets = |count: &usize| {
        own.iter().all(|azimuth| {
            let place = azimuth / 360.0 * *count as f64;
            (place - place.round()).abs() * 360.0 / *count as f64 <= BESIDE
        })
    };
    let least = (asked / SLACK).ceil().max(3.0) as usize;
    let plain = asked.ceil().max(3.0) as usize;
    if own.is_empty() {
        return plain;
    }
    (least..=3 * plain).find(meets).unwrap_or(plain)
}

/// The direction of the rings that each measured direction lies on, if it does.
pub fn anchors(aligned: &Aligned, rings: &Rings) -> Vec<Option<usize>> {
    let anchor = |[azimuth, elevation]: &[f64; 2]| {
        let ring = rings
            .rings()
            .iter()
            .find(|ring| (ring.elevation - elevation).abs() < BESIDE)?;
        if ring.count == 1 {
            return Some(ring.first);
        }
        let place = azimuth.rem_euclid(360.0) / 360.0 * ring.count as f64;
        let near = (place - place.round()).abs() * 360.0 / ring.count as f64 <= BESIDE;
        near.then(|| ring.first + place.round() as usize % ring.count)
    };
    aligned.directions.iter().map(anchor).collect()
}

/// The direction that mirrors a direction of the rings.
pub fn mirrored(rings: &Rings, index: usize) -> usize {
    let place = rings.rings().partition_point(|ring| ring.first <= index) - 1;
    let ring = rings.rings()[place];
    ring.first + (ring.count - (index - ring.first)) % ring.count
}
