//! Fewer directions, of a set that has more than anybody hears apart: what a set costs is a matter of its directions,
//! whatever the length of its responses, and a small file can hold many.
//!
//! The sphere is cut into cells as wide as they are high, about the points of rings. In each cell the direction that is
//! nearest to its point stays: where a set is as dense as the cells or less, all of it does, more or less. Sides mirror
//! each other, so that a set that mirrors itself still does.

use super::head::vector;
use std::collections::HashMap;

/// Directions that are used of a set, at most. Filters are prepared every 2.5 degrees, and this is one every two.
const MOST: f64 = 12_000.0;

/// Up to this sample rate of a set, in hertz; above it each direction takes more memory, and so there are fewer.
const PLAIN: f64 = 64_000.0;

/// Degrees between the points, at least.
const STEP: f64 = 2.0;

/// How many more cells there are than the sphere's area asks for, and what mirrored pairs in the middle add.
const MORE: f64 = 1.15;

/// Steps of angle within which directions are equally near, in degrees.
const GRAIN: f64 = 1e-3;

/// How many directions of a set of some sample rate in hertz are used.
pub fn most(rate: f64) -> usize {
    (MOST * (PLAIN / rate).min(1.0)) as usize
}

/// The cells of a sphere.
struct Cells {
    step: f64,
    rings: f64,
}

/// Ring, place on the ring counted from the front, and side: -1 right, 1 left, 0 in the middle.
type Cell = (i64, i64, i8);

impl Cells {
    /// Fewer than `most`.
    fn new(most: usize) -> Cells {
        let sphere = 360.0 * 360.0 / std::f64::consts::PI;
        let asked = (sphere * MORE / most.max(1) as f64).sqrt().max(STEP);
        let rings = (180.0 / asked).floor().max(1.0);
        Cells {
            step: 180.0 / rings,
            rings,
        }
    }

    /// The cell of a direction, and its rank there: how far it is from the point, and where two are equally far, which
    /// is lower and further in front. In grains.
    fn find(&self, [azimuth, elevation]: [f64; 2]) -> (Cell, [i64; 3]) {
        let ring = ((elevation + 90.0) / self.step).round();
        let height = (ring.clamp(0.0, self.rings) * self.step - 90.0).clamp(-90.0, 90.0);
        // Even, so that a ring has a point behind as it has one in front.
        let around = 360.0 * height.to_radians().cos() / self.step;
        let half = (0.5 * around).round().max(0.0);
        let turned = azimuth.rem_euclid(360.0);
        // From the front to either side: both are told by the same numbers.
        let beside = turned.min(360.0 - turned);
        let place = (beside / 180.0 * half + GRAIN / 180.0).round();
        let side = if place == 0.0 || place >= half {
            0
        } else if turned <= 180.0 {
            1
        } else {
            -1
        };
        let point = vector(place * 180.0 / half.max(1.0), height);
        let here = vector(beside, elevation);
        let apart: f64 = point.iter().zip(here).map(|(a, b)| (a - b).powi(2)).sum();
        let rank = [apart.sqrt().to_degrees(), elevation, beside];
        (
            (ring as i64, place as i64, side),
            rank.map(|x| (x / GRAIN).round() as i64),
        )
    }
}

/// Which of some directions (azimuth and elevation in degrees) are kept, in their order: all, or fewer than `most`.
pub fn thin(directions: &[[f64; 2]], most: usize) -> Vec<usize> {
    if directions.len() <= most {
        return (0..directions.len()).collect();
    }
    let cells = Cells::new(most);
    let mut nearest: HashMap<Cell, ([i64; 3], Vec<usize>)> = HashMap::new();
    for (index, direction) in directions.iter().enumerate() {
        let (cell, rank) = cells.find(*direction);
        let held = nearest.entry(cell).or_insert(([i64::MAX; 3], Vec::new()));
        if rank < held.0 {
            *held = (rank, vec![index]);
        } else if rank == held.0 && cell.2 == 0 && mirrored(directions, &held.1, *direction) {
            held.1.push(index);
        }
    }
    let mut kept: Vec<usize> = nearest.into_values().flat_map(|(_, held)| held).collect();
    kept.sort_unstable();
    kept.truncate(most);
    kept
}

/// Whether a direction mirrors the only one that a cell in the middle holds.
fn mirrored(directions: &[[f64; 2]], held: &[usize], [azimuth, elevation]: [f64; 2]) -> bool {
    let [one] = held else { return false };
    let there = vector(directions[*one][0], directions[*one][1]);
    let mirror = vector(-azimuth, elevation);
    let grain = GRAIN.to_radians();
    there.iter().zip(mirror).all(|(a, b)| (a - b).abs() < grain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spiral(count: usize) -> Vec<[f64; 2]> {
        let place = |k: usize| {
            let height = 1.0 - (2 * k + 1) as f64 / count as f64;
            [k as f64 * 137.507_764, height.asin().to_degrees()]
        };
        (0..count).map(place).collect()
    }

    fn rings(step: f64) -> Vec<[f64; 2]> {
        let count = (360.0 / step).round() as usize;
        let heights = (180.0 / step).round() as usize;
        (0..=heights)
            .flat_map(|e| {
                let around = if e == 0 || e == heights { 1 } else { count };
                (0..around).map(move |k| [k as f64 * step, e as f64 * step - 90.0])
            })
            .collect()
    }

    #[test]
    fn what_is_few_stays_as_it_is() {
        let set = spiral(5000);
        assert_eq!(thin(&set, 5000), (0..5000).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_left_is_below_the_bound_and_everywhere() {
        for rate in [44_100.0, 96_000.0, 192_000.0, 1_000_000.0] {
            let most = most(rate);
            for set in [spiral(60_000), rings(1.0), rings(0.7)] {
                let kept = thin(&set, most);
                assert!(kept.len() < most, "{} of {most}", kept.len());
                assert!(2 * kept.len() > most, "{} of {most}", kept.len());
                let step = Cells::new(most).step;
                let near = (1.5 * step).to_radians().cos();
                let kept: Vec<[f64; 3]> = kept
                    .iter()
                    .map(|i| vector(set[*i][0], set[*i][1]))
                    .collect();
                for [azimuth, elevation] in spiral(300) {
                    let [x, y, z] = vector(azimuth, elevation);
                    let found = kept.iter().any(|d| d[0] * x + d[1] * y + d[2] * z > near);
                    assert!(found, "{azimuth} {elevation}: nothing near, {rate} Hz");
                }
            }
        }
    }

    #[test]
    fn sets_that_mirror_themselves_still_do() {
        let shifted = |set: Vec<[f64; 2]>, by: f64| -> Vec<[f64; 2]> {
            set.iter().map(|[a, e]| [a + by, *e]).collect()
        };
        for set in [rings(1.0), rings(0.9), rings(1.5), shifted(rings(1.0), 0.5)] {
            let kept = thin(&set, 12_000);
            let key = |[a, e]: [f64; 2]| vector(a, e).map(|x| (x * 1e6).round() as i64);
            let keys: std::collections::HashSet<_> = kept.iter().map(|i| key(set[*i])).collect();
            for index in &kept {
                let [a, e] = set[*index];
                assert!(keys.contains(&key([-a, e])), "{a} {e} has no mirror");
            }
        }
    }
}
