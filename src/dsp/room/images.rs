//! Where the images of a source are, as seen by the listener.

use super::{REFERENCE, Room, SOUND};
use crate::dsp::binaural::Target;

/// Reflections of the first two orders.
pub const IMAGES: usize = 24;

/// Those of the first order, which come first.
pub(super) const FIRST: usize = 6;

/// How near to a wall a source may come, re the listener's way to that wall: nearer, it would be one with its image.
const NEAREST: f64 = 0.85;

/// Reflections along each axis: 1 in the wall ahead (left, above), -1 in the one behind, 2 in the one behind and then
/// ahead, -2 the other way about.
const WALLS: [[i8; 3]; IMAGES] = [
    [1, 0, 0],
    [-1, 0, 0],
    [0, 1, 0],
    [0, -1, 0],
    [0, 0, 1],
    [0, 0, -1],
    [2, 0, 0],
    [-2, 0, 0],
    [0, 2, 0],
    [0, -2, 0],
    [0, 0, 2],
    [0, 0, -2],
    [1, 1, 0],
    [1, -1, 0],
    [-1, 1, 0],
    [-1, -1, 0],
    [1, 0, 1],
    [1, 0, -1],
    [-1, 0, 1],
    [-1, 0, -1],
    [0, 1, 1],
    [0, 1, -1],
    [0, -1, 1],
    [0, -1, -1],
];

/// One reflection.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Image {
    /// Unit vector from the listener: front, left, up.
    pub toward: [f64; 3],
    /// Seconds after the direct sound.
    pub delay: f64,
    /// Linear, what walls take left out; 1 is the direct sound of a source at 1.5 m.
    pub gain: f64,
    /// Walls that it has met.
    pub order: usize,
}

/// The reflections of a source, those of the first order first. One that would stand outside of the room stands
/// inside, in the same direction.
pub fn images(room: &Room, target: &Target) -> [Image; IMAGES] {
    let (edges, listener) = (room.edges(), room.listener());
    let toward = target.toward();
    let mut distance = target.distance;
    for axis in 0..3 {
        let way = if toward[axis] > 0.0 {
            edges[axis] - listener[axis]
        } else {
            listener[axis]
        };
        // A direction along the wall is never in its way.
        distance = distance.min(NEAREST * way / toward[axis].abs().max(1e-9));
    }
    let scale = room.scale() * REFERENCE * target.gain;
    // Places along each axis as seen by the listener, for -2 to 2 reflections.
    let places = [0, 1, 2].map(|axis| {
        let (edge, here) = (edges[axis], listener[axis]);
        let source = here + toward[axis] * distance;
        [
            source - 2.0 * edge - here,
            -source - here,
            source - here,
            2.0 * edge - source - here,
            source + 2.0 * edge - here,
        ]
    });
    WALLS.map(|walls| {
        let place = [0, 1, 2].map(|axis| places[axis][(walls[axis] + 2) as usize]);
        let way = place.iter().map(|x| x * x).sum::<f64>().sqrt();
        Image {
            toward: place.map(|x| x / way),
            delay: (way - distance) / SOUND,
            gain: scale / way,
            order: walls
                .iter()
                .map(|walls| walls.unsigned_abs() as usize)
                .sum(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_before_the_direct_sound() {
        for size in [2.0, 6.0, 30.0] {
            let room = Room { size, decay: 0.4 };
            for step in 0..500 {
                let target = Target {
                    azimuth: f64::from(step) * 37.3,
                    elevation: f64::from(step % 19) * 10.0 - 90.0,
                    distance: 0.2 * 1.01f64.powi(step),
                    gain: 1.0,
                };
                for image in images(&room, &target) {
                    assert!(image.delay > 0.0 && image.delay < 3.0 * size / SOUND);
                    assert!(image.gain.abs() < 4.0, "{image:?} {target:?}");
                }
            }
        }
    }

    #[test]
    fn the_floor_mirrors() {
        let room = Room {
            size: 6.0,
            decay: 0.4,
        };
        let image = images(&room, &Target::default())[5];
        // Both stand 0.44 of 2.7 m above the floor, 1.5 m apart.
        let height = 2.0 * 0.44 * 2.7;
        let way = (1.5f64 * 1.5 + height * height).sqrt();
        assert!((image.delay - (way - 1.5) / SOUND).abs() < 1e-12);
        assert!((image.toward[2] + height / way).abs() < 1e-12);
        assert!((image.gain - room.scale() * 1.5 / way).abs() < 1e-12);
        assert_eq!(image.order, 1);
    }
}
