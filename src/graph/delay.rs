//! Delays that bring branches of a graph together again.

/// A signal, later by a number of frames.
pub(super) struct Delay {
    /// The frames that are on their way, the oldest at `at`.
    ring: Vec<f32>,
    at: usize,
}

impl Delay {
    pub fn new(frames: usize) -> Delay {
        Delay {
            ring: vec![0.0; frames],
            at: 0,
        }
    }

    pub fn reset(&mut self) {
        self.ring.fill(0.0);
    }

    /// Takes in as many frames as it puts out.
    pub fn run(&mut self, input: impl Iterator<Item = f32>, output: &mut [f32]) {
        for (output, input) in output.iter_mut().zip(input) {
            *output = self.step(input);
        }
    }

    /// Takes in what nobody listens to yet.
    pub fn keep(&mut self, input: &[f32]) {
        for input in input {
            self.step(*input);
        }
    }

    fn step(&mut self, input: f32) -> f32 {
        let output = std::mem::replace(&mut self.ring[self.at], input);
        self.at += 1;
        if self.at == self.ring.len() {
            self.at = 0;
        }
        output
    }
}

/// A connection that arrives too early for its target.
pub(super) struct Line {
    pub slot: usize,
    pub channel: usize,
    pub delay: Delay,
    pub output: Vec<f32>,
}
