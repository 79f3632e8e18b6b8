//! What a wall takes: a filter of first order.

use super::{DECAY, Room};

/// y = b0 x + s, s = b1 x + a1 y.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Wall {
    pub b0: f64,
    pub b1: f64,
    pub a1: f64,
}

impl Wall {
    /// A wall of a room at a sample rate in hertz: what the decay takes on a mean free path. The filter is exact at
    /// 0 Hz, 2.8 and 8 kHz (or 0.4 of a low rate); `cpp/late.cpp` has the same.
    pub fn new(room: &Room, rate: f64) -> Wall {
        let loss = DECAY * room.free_time() / room.decay;
        let gain = (-0.5 * loss).exp();
        // |H|^2 = gain^2 (1 + beta u) / (1 + alpha u) with u = sin^2(w / 2): linear in alpha and beta.
        let high = f64::min(8000.0, 0.4 * rate);
        let low = high / 2.83;
        let power = |hertz: f64| (-loss * (room.decay / room.decay_at(hertz) - 1.0)).exp();
        let place = |hertz: f64| (std::f64::consts::PI * hertz / rate).sin().powi(2);
        let (u1, u2, m1, m2) = (place(low), place(high), power(low), power(high));
        let alpha = (((m1 - 1.0) / u1 - (m2 - 1.0) / u2) / (m2 - m1)).max(-0.99);
        let beta = ((m1 - 1.0) / u1 + m1 * alpha).max(-0.9999);
        let (p, q) = ((1.0 + alpha).sqrt(), (1.0 + beta).sqrt());
        let (pole, zero) = ((p - 1.0) / (p + 1.0), (q - 1.0) / (q + 1.0));
        let scale = gain * (1.0 - pole) / (1.0 - zero);
        Wall {
            b0: scale,
            b1: -scale * zero,
            a1: pole,
        }
    }

    /// One frame; `state` is its memory.
    pub fn step(&self, state: &mut f64, x: f64) -> f64 {
        let y = self.b0 * x + *state;
        *state = self.b1 * x + self.a1 * y;
        y
    }
}

/// A wall that turns into another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    now: Wall,
    from: Wall,
    to: Wall,
    /// Frames since it set out.
    done: usize,
    still: bool,
}

impl Change {
    pub fn new(wall: Wall) -> Change {
        Change {
            now: wall,
            from: wall,
            to: wall,
            done: 0,
            still: true,
        }
    }

    /// Sets out.
    pub fn travel(&mut self, to: Wall) {
        self.from = self.now;
        self.to = to;
        self.done = 0;
        self.still = false;
    }

    /// The wall of the next frame, and moves on; `cosine` holds the shares of the way.
    pub fn next(&mut self, cosine: &[f32]) -> Wall {
        if self.still {
            return self.now;
        }
        match cosine.get(self.done) {
            Some(share) => {
                let share = f64::from(*share);
                let between = |from: f64, to: f64| from + share * (to - from);
                self.now = Wall {
                    b0: between(self.from.b0, self.to.b0),
                    b1: between(self.from.b1, self.to.b1),
                    a1: between(self.from.a1, self.to.a1),
                };
                self.done += 1;
            }
            None => {
                self.now = self.to;
                self.still = true;
            }
        }
        self.now
    }

    /// The wall of the last frame.
    pub fn now(&self) -> Wall {
        self.now
    }

    pub fn is_still(&self) -> bool {
        self.still
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_take_what_the_decay_says_in_every_band() {
        let mut worst = 0.0f64;
        for rate in [8e3, 16e3, 44.1e3, 48e3, 96e3, 768e3] {
            for size in [2.0, 6.0, 30.0] {
                for decay in [0.1, 0.4, 1.0, 5.0] {
                    let room = Room { size, decay };
                    let wall = Wall::new(&room, rate);
                    for band in 0..7 {
                        let hertz = 125.0 * f64::from(1 << band);
                        if hertz > 0.4 * rate {
                            continue;
                        }
                        let w = std::f64::consts::TAU * hertz / rate;
                        // |(b0 + (b1 + a1 b0 - a1 b0) z^-1)| over |1 - a1 z^-1|.
                        let above = (wall.b0 + wall.b1 * w.cos()).hypot(wall.b1 * w.sin());
                        let below = (1.0 - wall.a1 * w.cos()).hypot(wall.a1 * w.sin());
                        let due = -0.5 * DECAY * room.free_time() / room.decay_at(hertz);
                        let is = (above / below).ln();
                        // Where one wall leaves hardly anything there is nothing to follow.
                        if due > -1.5 {
                            worst = worst.max((is / due - 1.0).abs());
                        }
                    }
                }
            }
        }
        println!("walls: losses within {:.2} % of the decay's", 100.0 * worst);
        assert!(worst < 0.05, "{worst}");
    }
}
