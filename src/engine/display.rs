//! What an open display sees of a running engine, beside its telemetry: the last samples of one place of the
//! chain, where everything is in space, the phases of layers and program. It costs nothing while no display is
//! open. And the one thing that a display asks of it: the test of the ears.

use super::controls::LAYERS;
use crate::dsp::phase::to_cycles;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

/// Frames that are kept: 85 ms at 192 kHz, 341 ms at 48 kHz.
pub const DISPLAY_FRAMES: usize = 1 << 14;

/// The places in space: the two speakers of the program, then two sides for each layer.
pub const PLACES: usize = 2 + 2 * LAYERS;

/// The place of something in the world.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Place {
    /// Degrees, positive to the left.
    pub azimuth: f32,
    /// Degrees, positive up.
    pub elevation: f32,
    /// Metres.
    pub distance: f32,
    /// Whether it sounds there.
    pub sounds: bool,
}

/// Written by the audio thread while a display is open; read by that display.
pub struct Display {
    open: AtomicBool,
    node: AtomicU32,
    frames: Box<[AtomicU64]>,
    written: AtomicU64,
    places: [[AtomicU32; 4]; PLACES],
    head: [AtomicU32; 3],
    phases: [AtomicU64; LAYERS + 1],
    ear: AtomicU32,
}

impl std::fmt::Debug for Display {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Display").finish_non_exhaustive()
    }
}

impl Default for Display {
    fn default() -> Self {
        Display {
            open: AtomicBool::new(false),
            node: AtomicU32::new(0),
            frames: (0..DISPLAY_FRAMES).map(|_| AtomicU64::new(0)).collect(),
            written: AtomicU64::new(0),
            places: Default::default(),
            head: Default::default(),
            phases: Default::default(),
            ear: AtomicU32::new(0),
        }
    }
}

fn put(slot: &AtomicU32, value: f64) {
    slot.store((value as f32).to_bits(), Relaxed);
}

fn get(slot: &AtomicU32) -> f32 {
    f32::from_bits(slot.load(Relaxed))
}

impl Display {
    /// A display opens, or closes.
    pub fn set_open(&self, open: bool) {
        self.ear.store(0, Relaxed);
        self.open.store(open, Relaxed);
    }

    /// Whether one is open.
    pub fn is_open(&self) -> bool {
        self.open.load(Relaxed)
    }

    /// Which node's first two channels are shown, by its place in the order of the graph; `None` for what
    /// leaves the plugin.
    pub fn look_at(&self, node: Option<usize>) {
        let number = node.map_or(0, |node| node as u32 + 1);
        self.node.store(number, Relaxed);
    }

    /// See [`Display::look_at`].
    pub fn looks_at(&self) -> Option<usize> {
        self.node.load(Relaxed).checked_sub(1).map(|n| n as usize)
    }

    /// How many frames have been shown so far.
    pub fn written(&self) -> u64 {
        self.written.load(Acquire)
    }

    /// Copies the frames from number `from` on to the newest, left and right, into `frames`; at most
    /// [`DISPLAY_FRAMES`], the newest. Returns the number of the frame after the last. A frame that is
    /// overwritten meanwhile is a newer one: a flaw in a picture.
    pub fn read(&self, from: u64, frames: &mut Vec<[f32; 2]>) -> u64 {
        let end = self.written();
        let oldest = end.saturating_sub(DISPLAY_FRAMES as u64);
        frames.extend((from.max(oldest)..end).map(|number| {
            let bits = self.frames[number as usize % DISPLAY_FRAMES].load(Relaxed);
            [
                f32::from_bits(bits as u32),
                f32::from_bits((bits >> 32) as u32),
            ]
        }));
        end
    }

    /// Where things are: the program's two speakers (on a bus only the first, its front), then two sides of
    /// each layer.
    pub fn places(&self) -> [Place; PLACES] {
        self.places
            .each_ref()
            .map(|[azimuth, elevation, distance, sounds]| Place {
                azimuth: get(azimuth),
                elevation: get(elevation),
                distance: get(distance),
                sounds: get(sounds) > 0.0,
            })
    }

    /// How the head is turned: yaw, pitch and roll in degrees.
    pub fn head(&self) -> [f32; 3] {
        self.head.each_ref().map(get)
    }

    /// The phases of the beats of the layers, then of the program's treatment, in cycles, 0 to 1.
    pub fn phases(&self) -> [f64; LAYERS + 1] {
        self.phases
            .each_ref()
            .map(|phase| to_cycles(phase.load(Relaxed)))
    }

    /// Asks for a short tone in one ear: 0 is the left, 1 the right.
    pub fn test_ear(&self, ear: usize) {
        self.ear.store(ear.min(1) as u32 + 1, Relaxed);
    }

    pub(super) fn take_ear(&self) -> Option<usize> {
        // A load is cheaper than an exchange, and mostly there is none.
        if self.ear.load(Relaxed) == 0 {
            return None;
        }
        (self.ear.swap(0, Relaxed) as usize).checked_sub(1)
    }

    pub(super) fn show(&self, left: &[f32], right: &[f32]) {
        let start = self.written.load(Relaxed);
        for (number, (left, right)) in (start..).zip(left.iter().zip(right)) {
            let bits = u64::from(left.to_bits()) | u64::from(right.to_bits()) << 32;
            self.frames[number as usize % DISPLAY_FRAMES].store(bits, Relaxed);
        }
        let count = left.len().min(right.len()) as u64;
        self.written.store(start + count, Release);
    }

    pub(super) fn show_scene(&self, places: &[[f64; 4]; PLACES], head: [f64; 3]) {
        for (slots, place) in self.places.iter().zip(places) {
            for (slot, value) in slots.iter().zip(place) {
                put(slot, *value);
            }
        }
        for (slot, turn) in self.head.iter().zip(head) {
            put(slot, turn);
        }
    }

    pub(super) fn show_phases(&self, phases: [u64; LAYERS + 1]) {
        for (slot, phase) in self.phases.iter().zip(phases) {
            slot.store(phase, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_once_and_the_newest_where_there_are_too_many() {
        let display = Display::default();
        let ramp: Vec<f32> = (0..DISPLAY_FRAMES + 100).map(|n| n as f32).collect();
        display.show(&ramp[..10], &ramp[1..11]);
        let mut frames = Vec::new();
        assert_eq!(display.read(4, &mut frames), 10);
        assert_eq!(frames[0], [4.0, 5.0]);
        assert_eq!(frames.len(), 6);
        frames.clear();
        assert_eq!(display.read(10, &mut frames), 10);
        assert!(frames.is_empty());
        display.show(&ramp[10..], &ramp[10..]);
        display.read(10, &mut frames);
        assert_eq!(frames.len(), DISPLAY_FRAMES);
        assert_eq!(frames[0], [100.0; 2]);
    }

    #[test]
    fn an_ear_is_tested_once() {
        let display = Display::default();
        assert_eq!(display.take_ear(), None);
        display.test_ear(1);
        assert_eq!((display.take_ear(), display.take_ear()), (Some(1), None));
    }
}
