//! tone_pair: two sines, one an ear, at exact phases; their difference is the binaural beat.

use super::{Node, NodeError, NodeInfo, PhaseInfo};
use crate::dsp::phase::{CYCLE, Turning};
use crate::dsp::sine::{CHUNK, HIGHEST, audible, sine, sines};

/// Below this many frames a chunk is not worth its while.
const FEW: usize = 6;

/// The node.
pub struct TonePair {
    info: NodeInfo,
    ears: [Turning; 2],
}

/// Makes one.
pub fn create() -> Box<dyn Node> {
    let phase = |name: &str, frequency| PhaseInfo {
        name: name.to_owned(),
        frequency,
    };
    let info = NodeInfo {
        phases: vec![phase("left", 245.0), phase("right", 255.0)],
        ..NodeInfo::rust(
            "tone_pair",
            "Two sines, one an ear, at full scale: the binaural beat is their difference.",
            "",
            "ears: stereo",
        )
    };
    Box::new(TonePair {
        info,
        ears: [Turning::default(); 2],
    })
}

/// Whether all of so many frames are below where tones fade out.
fn is_low(ear: &Turning, frames: usize) -> bool {
    let far = |increment: i64| (increment.unsigned_abs() as f64) < HIGHEST * CYCLE;
    let last = (ear.sweep as i128) * frames as i128 + i128::from(ear.increment as i64);
    far(ear.increment as i64) && i64::try_from(last).is_ok_and(far)
}

/// Sounds one ear.
fn sound(ear: &mut Turning, output: &mut [f32]) {
    for output in output.chunks_mut(CHUNK) {
        if output.len() < FEW || !is_low(ear, output.len()) {
            for y in output {
                *y = (sine(ear.phase) * audible(ear.speed())) as f32;
                ear.step();
            }
            continue;
        }
        let mut phases = [0; CHUNK];
        for phase in &mut phases[..output.len()] {
            *phase = ear.phase;
            ear.step();
        }
        let mut values = [0.0; CHUNK];
        sines(&phases, &mut values);
        for (y, value) in output.iter_mut().zip(&values) {
            *y = *value as f32;
        }
    }
}

impl Node for TonePair {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, _sample_rate: f64, _max_frames: usize) -> Result<(), NodeError> {
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.ears = [Turning::default(); 2];
    }

    fn process(&mut self, _inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        for (ear, output) in self.ears.iter_mut().zip(outputs) {
            sound(ear, output);
        }
    }

    fn set_param(&mut self, _index: usize, _value: f64) {}

    fn get_param(&self, _index: usize) -> f64 {
        0.0
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, sweep: i64) {
        if let Some(ear) = self.ears.get_mut(index) {
            *ear = Turning {
                phase,
                increment,
                sweep,
            };
        }
    }
}
