//! Looking inside a graph while it runs: whole signals into a sink, or a lock-free ring for a display.

use rtrb::Producer;

/// Receives the whole output of a node, chunk by chunk and in order: `channels` slices of the same number
/// of frames. Sinks are for offline work: they may allocate and write files.
pub trait Sink: Send {
    /// Takes the next chunk.
    fn write(&mut self, channels: &[&[f32]]);
}

/// Any closure is a sink.
impl<F: FnMut(&[&[f32]]) + Send> Sink for F {
    fn write(&mut self, channels: &[&[f32]]) {
        self(channels);
    }
}

/// A whole-signal capture of one slot.
pub(super) struct Capture {
    pub slot: usize,
    pub sink: Box<dyn Sink>,
}

/// A ring that one channel is written into; what does not fit is dropped.
pub(super) struct Ring {
    pub slot: usize,
    pub channel: usize,
    pub producer: Producer<f32>,
}

impl Ring {
    pub fn write(&mut self, samples: &[f32]) {
        for sample in samples {
            if self.producer.push(*sample).is_err() {
                return;
            }
        }
    }
}
