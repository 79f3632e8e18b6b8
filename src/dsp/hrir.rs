//! Head-related impulse responses on rings of directions: what a renderer blends between.

/// Directions of one elevation, evenly spaced from azimuth 0 to the left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ring {
    /// Degrees, up is positive.
    pub elevation: f64,
    /// Index of its first direction.
    pub first: usize,
    /// Directions: number k is at azimuth k / count turns.
    pub count: usize,
}

/// Rings from the lowest elevation, -90 degrees, to the highest, 90; each pole is a ring of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Rings {
    rings: Vec<Ring>,
}

/// Four directions with weights that add up to 1.
pub type Neighbours = [(usize, f32); 4];

impl Rings {
    /// Rings of given elevations (degrees) and numbers of directions, from bottom to top. `None` where they
    /// are not in ascending order, do not reach from pole to pole, or one is empty.
    pub fn new(rings: &[(f64, usize)]) -> Option<Rings> {
        let ascending = rings.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let poles = rings.first()?.0 == -90.0 && rings.last()?.0 == 90.0;
        if !ascending || !poles || rings.iter().any(|(_, count)| *count == 0) {
            return None;
        }
        let mut first = 0;
        let rings = rings
            .iter()
            .map(|&(elevation, count)| {
                let ring = Ring {
                    elevation,
                    first,
                    count,
                };
                first += count;
                ring
            })
            .collect();
        Some(Rings { rings })
    }

    /// The rings, from bottom to top.
    pub fn rings(&self) -> &[Ring] {
        &self.rings
    }

    /// Directions in all.
    pub fn directions(&self) -> usize {
        self.rings.iter().map(|ring| ring.count).sum()
    }

    /// Azimuth and elevation of a direction, in degrees.
    pub fn direction(&self, index: usize) -> (f64, f64) {
        let place = self.rings.partition_point(|ring| ring.first <= index) - 1;
        let ring = self.rings[place];
        let azimuth = (index - ring.first) as f64 * 360.0 / ring.count as f64;
        (azimuth, ring.elevation)
    }

    /// The first ring above an elevation (degrees, -90 to 90), or the last one.
    pub fn above(&self, elevation: f64) -> usize {
        let last = self.rings.len() - 1;
        // Most rings are evenly spaced: from there it is a step or none, where halving takes seven.
        let guess = (elevation + 90.0) * (1.0 / 180.0) * f64::from(last as u32);
        let mut above = (guess as u32 as usize + 1).min(last);
        while above < last && self.rings[above].elevation <= elevation {
            above += 1;
        }
        while above > 1 && self.rings[above - 1].elevation > elevation {
            above -= 1;
        }
        above
    }

    /// The cell of the grid in which a direction (degrees, any azimuth) lies.
    pub fn cell(&self, azimuth: f64, elevation: f64) -> Cell {
        let elevation = elevation.clamp(-90.0, 90.0);
        let above = self.above(elevation);
        let (low, high) = (self.rings[above - 1], self.rings[above]);
        let mut turn = azimuth * (1.0 / 360.0);
        if !(0.0..1.0).contains(&turn) {
            turn = turn.rem_euclid(1.0);
        }
        // No remainder but by a comparison, and no numbers of 64 bits, which baseline machines turn into floats by a detour:
        // this runs in every quantum of a source that moves.
        let around = |ring: Ring| {
            let place = turn * f64::from(ring.count as u32);
            let index = (place as u32 as usize).min(ring.count - 1);
            let next = if index + 1 == ring.count {
                0
            } else {
                index + 1
            };
            let pair = [ring.first + index, ring.first + next];
            (pair, place - f64::from(index as u32))
        };
        let (from, low_share) = around(low);
        let (to, high_share) = around(high);
        Cell {
            directions: [from, to],
            around: [low_share, high_share],
            height: high.elevation - low.elevation,
            up: (elevation - low.elevation) / (high.elevation - low.elevation),
        }
    }

    /// Between which directions a direction (degrees, any azimuth) lies, with weights whose slopes are
    /// continuous over the whole sphere: smooth steps from one to the next.
    pub fn locate(&self, azimuth: f64, elevation: f64) -> Neighbours {
        self.cell(azimuth, elevation).neighbours()
    }
}

/// Where a direction lies between those of a grid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// On the ring below and the one above: the direction before it and the next.
    pub directions: [[usize; 2]; 2],
    /// How far it is on its way from one to the other, 0 to 1, on each ring.
    pub around: [f64; 2],
    /// Degrees from ring to ring.
    pub height: f64,
    /// How far it is on its way up, 0 to 1.
    pub up: f64,
}

impl Cell {
    /// Weights whose slopes are continuous over the whole sphere: smooth steps from one to the next.
    pub fn neighbours(&self) -> Neighbours {
        let up = smooth_step(self.up);
        let [[a, b], [c, d]] = self.directions;
        let low = smooth_step(self.around[0]);
        let high = smooth_step(self.around[1]);
        [
            (a, ((1.0 - up) * (1.0 - low)) as f32),
            (b, ((1.0 - up) * low) as f32),
            (c, (up * (1.0 - high)) as f32),
            (d, (up * high) as f32),
        ]
    }
}

/// 0 to 1 with neither slope nor curvature at its ends (Perlin 2002). Curvature counts: with the cubic a
/// source that moves at 90 degrees a second has sidebands at -108 dB of 1 kHz, with this one at -112.
pub(super) fn smooth_step(x: f64) -> f64 {
    x * x * x * (10.0 + x * (6.0 * x - 15.0))
}

/// A prepared set at one sample rate: filters whose onsets are aligned, and how much later each direction
/// reaches one ear than the other.
#[derive(Debug, Clone)]
pub struct Hrirs {
    /// Sample rate in hertz.
    pub rate: f64,
    /// The directions.
    pub rings: Rings,
    /// Taps of a filter: a multiple of 32.
    pub taps: usize,
    /// Filters, directions x 2 ears (left first) x taps. Each begins with its onset.
    pub filters: Vec<f32>,
    /// Interaural time difference of each direction in frames: how much later the right ear hears it than
    /// the left one. Positive for sources on the left.
    pub itd: Vec<f32>,
    /// Distance of the measurement in metres.
    pub distance: f64,
    /// Whether the right ear's filters are the left one's of the mirrored directions.
    pub symmetric: bool,
}

impl Hrirs {
    /// The taps of one ear (0 left, 1 right) in one direction.
    pub fn filter(&self, direction: usize, ear: usize) -> &[f32] {
        let start = (direction * 2 + ear) * self.taps;
        &self.filters[start..start + self.taps]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rings() -> Rings {
        Rings::new(&[(-90.0, 1), (-30.0, 8), (0.0, 12), (40.0, 7), (90.0, 1)]).unwrap()
    }

    #[test]
    fn a_direction_of_the_rings_is_itself() {
        let rings = rings();
        assert_eq!(rings.directions(), 29);
        for index in 0..rings.directions() {
            let (azimuth, elevation) = rings.direction(index);
            for turns in [0.0, 360.0, -720.0] {
                let weight: f32 = rings
                    .locate(azimuth + turns, elevation)
                    .iter()
                    .filter(|(direction, _)| *direction == index)
                    .map(|(_, weight)| weight)
                    .sum();
                assert!(weight > 0.999, "{index} {azimuth} {elevation} {weight}");
            }
        }
    }

    #[test]
    fn weights_add_up_and_move_smoothly() {
        let rings = rings();
        let mut before: Option<Vec<f32>> = None;
        for step in 0..20_000 {
            let way = f64::from(step) / 20_000.0;
            let neighbours = rings.locate(1080.0 * way - 400.0, 200.0 * way - 100.0);
            let mut weights = vec![0.0; rings.directions()];
            for (direction, weight) in neighbours {
                weights[direction] += weight;
            }
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            if let Some(before) = before {
                let jump = before
                    .iter()
                    .zip(&weights)
                    .map(|(a, b)| (a - b).abs())
                    .fold(0.0, f32::max);
                assert!(jump < 0.005, "{step} {jump}");
            }
            before = Some(weights);
        }
    }

    #[test]
    fn rings_that_are_none_are_refused() {
        assert!(Rings::new(&[]).is_none());
        assert!(Rings::new(&[(-90.0, 1)]).is_none());
        assert!(Rings::new(&[(-90.0, 1), (0.0, 0), (90.0, 1)]).is_none());
        assert!(Rings::new(&[(-80.0, 1), (90.0, 1)]).is_none());
    }
}
