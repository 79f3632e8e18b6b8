//! The head as a tracker sees it: a slot that any thread fills and the audio thread reads at each quantum.

use super::QUANTUM;
use crate::dsp::quaternion::Quat;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

/// A larger turn within a quantum is a jump, which fades (degrees).
const JUMP: f64 = 5.0;

/// Two one-poles, each of so many seconds, round the corners of a tracker's way.
const ROUND: f64 = 0.001;

/// Seconds of silence after which nothing is known of how fast the head turns.
const GAP: f64 = 0.25;

/// A rounded orientation that is so near, in degrees, is there.
const NEAR: f64 = 1e-6;

/// The latest orientation of a head. One thread at a time writes, any may read, none ever waits.
#[derive(Debug, Default)]
pub struct HeadSlot {
    /// Odd while the parts are being written; 0 until something has been.
    sequence: AtomicU64,
    parts: [AtomicU64; 4],
}

impl HeadSlot {
    /// Says how the head is turned. For one thread at a time.
    pub fn put(&self, head: Quat) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence + 1, Ordering::Relaxed);
        fence(Ordering::Release);
        for (slot, part) in self.parts.iter().zip([head.w, head.x, head.y, head.z]) {
            slot.store(part.to_bits(), Ordering::Relaxed);
        }
        self.sequence.store(sequence + 2, Ordering::Release);
    }

    /// What was put last, with a number that changes with each; `None` before the first, and in the moment in which
    /// it is being written.
    pub fn get(&self) -> Option<(u64, Quat)> {
        let before = self.sequence.load(Ordering::Acquire);
        if before == 0 || before % 2 == 1 {
            return None;
        }
        let [w, x, y, z] = self
            .parts
            .each_ref()
            .map(|part| f64::from_bits(part.load(Ordering::Relaxed)));
        fence(Ordering::Acquire);
        let head = Quat::new(w, x, y, z)?;
        (self.sequence.load(Ordering::Relaxed) == before).then_some((before, head))
    }
}

/// Follows a slot from quantum to quantum.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadFollower {
    slot: Option<Arc<HeadSlot>>,
    seen: u64,
    /// What the tracker has said last; `None` until it speaks.
    said: Option<Quat>,
    turning: Turning,
    way: Option<Way>,
}

/// How a head turns between what its tracker says: held values would be stairs, heard at -60 dB with a tracker of 60 Hz.
#[derive(Debug, Clone, Copy, Default)]
struct Turning {
    /// The turn between the last two orientations, as a vector.
    step: [f64; 3],
    /// What of it goes on: as much as the step before it bears out, so that a lone step does not overshoot.
    borne: [f64; 3],
    /// Quanta since the last orientation, and between two, averaged.
    since: f64,
    interval: f64,
}

impl Turning {
    /// The tracker has said something that is this turn away from what it said before.
    fn hear(&mut self, step: [f64; 3], longest: f64) {
        let passed = std::mem::take(&mut self.since).max(1.0);
        if passed > longest {
            *self = Turning::default();
            return;
        }
        let part = if self.interval > 0.0 { 0.2 } else { 1.0 };
        self.interval += (passed - self.interval) * part;
        let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let square = dot(step, step);
        let share = if square > 0.0 {
            (dot(self.step, step) / square).clamp(0.0, 1.0)
        } else {
            0.0
        };
        (self.step, self.borne) = (step, step.map(|part| part * share));
    }

    /// The turn since the last orientation, at the end of this quantum. It goes on until the next one is due; where none
    /// comes, back to what was said.
    fn goes_on(&self) -> [f64; 3] {
        if self.interval <= 0.0 {
            return [0.0; 3];
        }
        let due = (self.since + 1.0) / self.interval;
        let share = due.min(1.0).min(0.5 * (4.0 - due)).max(0.0);
        self.borne.map(|part| part * share)
    }
}

#[derive(Debug, Clone, Copy)]
struct Way {
    target: Quat,
    /// The two one-poles.
    first: Quat,
    second: Quat,
}

impl HeadFollower {
    pub fn follow(&mut self, slot: Arc<HeadSlot>) {
        (self.slot, self.seen) = (Some(slot), 0);
    }

    /// Where the head is at the end of this quantum; `None` until a tracker has spoken.
    pub fn pose(&self) -> Option<Quat> {
        // One that is home is none: the angles are then the controls' to the bit.
        let second = self.way?.second;
        (second.degrees_to(Quat::FRONT) > 1e-9).then_some(second)
    }

    /// Comes to the next quantum. Tells whether the head has jumped.
    pub fn advance(&mut self, on: bool, rate: f64, at_once: bool) -> bool {
        if let Some((sequence, head)) = self.slot.as_ref().and_then(|slot| slot.get())
            && sequence != self.seen
        {
            self.seen = sequence;
            if let Some(before) = self.said.replace(head) {
                let longest = GAP * rate / QUANTUM as f64;
                self.turning
                    .hear((before.inverse() * head).vector(), longest);
            }
        }
        let Some(said) = self.said else { return false };
        let target = if on {
            said * Quat::from_vector(self.turning.goes_on())
        } else {
            Quat::FRONT
        };
        self.turning.since += 1.0;
        let way = self.way.get_or_insert(Way {
            target: Quat::FRONT,
            first: Quat::FRONT,
            second: Quat::FRONT,
        });
        let jumps = way.target.degrees_to(target) > JUMP;
        way.target = target;
        if jumps {
            self.turning = Turning::default();
        }
        if jumps || at_once || way.second.degrees_to(target) < NEAR {
            (way.first, way.second) = (target, target);
        } else {
            let part = 1.0 - (-(QUANTUM as f64) / (ROUND * rate)).exp();
            way.first = way.first.slerp(target, part);
            way.second = way.second.slerp(way.first, part);
        }
        jumps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_never_torn() {
        let slot = Arc::new(HeadSlot::default());
        assert_eq!(slot.get(), None);
        let writer = slot.clone();
        let poses: Vec<Quat> = (0..64)
            .map(|n| Quat::from_turns(f64::from(n) * 5.0 - 160.0, f64::from(n), 0.0))
            .collect();
        let theirs = poses.clone();
        let thread = std::thread::spawn(move || {
            for n in 0..200_000 {
                writer.put(theirs[n % theirs.len()]);
                for _ in 0..n % 50 {
                    std::hint::spin_loop();
                }
            }
        });
        let mut read = 0;
        while !thread.is_finished() {
            if let Some((_, head)) = slot.get() {
                read += 1;
                let near = |pose: &Quat| pose.degrees_to(head) < 1e-5;
                assert!(poses.iter().any(near), "{head:?}");
            }
        }
        thread.join().unwrap();
        assert!(read > 0);
    }

    #[test]
    fn a_turn_goes_on_between_orientations_and_a_lone_step_does_not() {
        let slot = Arc::new(HeadSlot::default());
        let mut follower = HeadFollower::default();
        follower.follow(slot.clone());
        // 100 Hz, 150 degrees a second: 1.5 degrees every 15 quanta, 0.1 a quantum.
        let mut last = 0.0;
        for quantum in 0..600_u32 {
            if quantum % 15 == 0 {
                slot.put(Quat::from_turns(f64::from(quantum) * 0.1, 0.0, 0.0));
            }
            assert!(!follower.advance(true, 48_000.0, false));
            let yaw = follower.pose().unwrap_or(Quat::FRONT).turns()[0];
            if quantum > 150 {
                assert!(
                    (yaw - last - 0.1).abs() < 0.002,
                    "{quantum}: {}",
                    yaw - last
                );
            }
            last = yaw;
        }
        // Nothing is heard any more: it comes back to what was said last.
        let mut silent = follower.clone();
        for _ in 0..150 {
            silent.advance(true, 48_000.0, false);
        }
        assert!((silent.pose().unwrap_or(Quat::FRONT).turns()[0] - 58.5).abs() < 1e-6);
        // It stops where the tracker stops, soon.
        for quantum in 0..60 {
            if quantum % 15 == 0 {
                slot.put(Quat::from_turns(60.0, 0.0, 0.0));
            }
            follower.advance(true, 48_000.0, false);
        }
        assert!((follower.pose().unwrap_or(Quat::FRONT).turns()[0] - 60.0).abs() < 1e-3);
        // A lone step of 4 degrees.
        for quantum in 0..60 {
            if quantum % 15 == 0 {
                slot.put(Quat::from_turns(64.0, 0.0, 0.0));
            }
            follower.advance(true, 48_000.0, false);
            assert!(follower.pose().unwrap_or(Quat::FRONT).turns()[0] < 64.0 + 1e-6);
        }
    }

    #[test]
    fn small_steps_are_rounded_and_large_ones_jump() {
        let slot = Arc::new(HeadSlot::default());
        let mut follower = HeadFollower::default();
        follower.follow(slot.clone());
        assert!(!follower.advance(true, 48_000.0, false));
        assert_eq!(follower.pose(), None);
        slot.put(Quat::from_turns(4.0, 0.0, 0.0));
        let mut last = 0.0;
        for quantum in 0..80 {
            assert!(!follower.advance(true, 48_000.0, false));
            let yaw = follower.pose().unwrap_or(Quat::FRONT).turns()[0];
            assert!(yaw >= last && yaw - last < 1.6, "{quantum}: {last} {yaw}");
            last = yaw;
        }
        assert!((last - 4.0).abs() < 1e-5, "{last}");
        slot.put(Quat::from_turns(80.0, 0.0, 0.0));
        assert!(follower.advance(true, 48_000.0, false));
        assert!((follower.pose().unwrap_or(Quat::FRONT).turns()[0] - 80.0).abs() < 1e-9);
        assert!(!follower.advance(true, 48_000.0, false));
        // Off: it jumps to the front.
        assert!(follower.advance(false, 48_000.0, false));
        assert_eq!(follower.pose(), None);
    }
}
