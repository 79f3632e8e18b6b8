//! One stereo node for each pair of channels of a bus, or one gain for all of them: how what is made for stereo acts on
//! ambisonic buses. And one mono node for each channel.

use super::{Group, Node, NodeError, NodeInfo, mix, registry};

/// Makes a node for a bus of so many channels out of a built-in one: copies of a stereo node, all channels
/// times the gain that a mono node makes of the first one, or a crossfade of two buses.
///
/// # Errors
/// [`NodeError::Unknown`], [`NodeError::Memory`]; [`NodeError::Descriptor`] for a node of another shape.
pub(super) fn create(kind: &str, channels: usize) -> Result<Box<dyn Node>, NodeError> {
    let info = registry().info(kind)?;
    match (kind, info.inputs, info.outputs) {
        ("mix", ..) => Ok(mix::wide(channels)),
        (_, 2, 2) => many(kind, channels),
        (_, 1, 1) => linked(kind, channels),
        _ => Err(NodeError::Descriptor {
            name: kind.to_owned(),
            problem: "it is neither stereo nor mono, and cannot be widened to a bus".to_owned(),
        }),
    }
}

/// The channels of a bus as a group: an ambisonic one where they are as many as an order has.
pub(super) fn bus_group(channels: usize) -> Group {
    let root = channels.isqrt();
    let format = match channels {
        _ if root * root == channels && (2..=8).contains(&root) => {
            format!("ambisonic {}", root - 1)
        }
        _ => channels.to_string(),
    };
    Group {
        name: "bus".to_owned(),
        format,
        first: 0,
        channels,
    }
}

fn bus_info(of: &NodeInfo, channels: usize) -> NodeInfo {
    NodeInfo {
        name: format!("{}*{channels}", of.name),
        inputs: channels,
        outputs: channels,
        input_groups: vec![bus_group(channels)],
        output_groups: vec![bus_group(channels)],
        ..of.clone()
    }
}

/// Copies of a stereo node, one for each pair of channels, or of a mono node, one for each channel, all set alike.
struct Many {
    info: NodeInfo,
    /// Channels of a copy: 1 or 2.
    width: usize,
    copies: Vec<Box<dyn Node>>,
    /// What stands for the channel that an odd bus lacks: in and out.
    spare: [Vec<f32>; 2],
}

fn many(kind: &str, channels: usize) -> Result<Box<dyn Node>, NodeError> {
    let info = registry().info(kind)?;
    let copies = (0..channels.div_ceil(2))
        .map(|_| registry().create(kind))
        .collect::<Result<_, _>>()?;
    Ok(Box::new(Many {
        info: bus_info(info, channels),
        width: 2,
        copies,
        spare: [Vec::new(), Vec::new()],
    }))
}

/// One mono node a channel.
pub(super) fn mono(copies: Vec<Box<dyn Node>>, of: &NodeInfo) -> Box<dyn Node> {
    Box::new(Many {
        info: bus_info(of, copies.len()),
        width: 1,
        copies,
        spare: [Vec::new(), Vec::new()],
    })
}

impl Node for Many {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, max_frames: usize) -> Result<(), NodeError> {
        self.spare = [vec![0.0; max_frames], vec![0.0; max_frames]];
        self.copies
            .iter_mut()
            .try_for_each(|copy| copy.init(sample_rate, max_frames))
    }

    fn reset(&mut self) {
        self.copies.iter_mut().for_each(|copy| copy.reset());
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let [silence, unheard] = &mut self.spare;
        let parts = (inputs.chunks(self.width)).zip(outputs.chunks_mut(self.width));
        for (copy, (input, output)) in self.copies.iter_mut().zip(parts) {
            match (input, output) {
                (input, output) if input.len() == self.width && output.len() == self.width => {
                    copy.process(input, output);
                }
                ([input], [output]) => {
                    let frames = output.len();
                    copy.process(
                        &[input, &silence[..frames]],
                        &mut [output, &mut unheard[..frames]],
                    );
                }
                _ => {}
            }
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        for copy in &mut self.copies {
            copy.set_param(index, value);
        }
    }

    fn get_param(&self, index: usize) -> f64 {
        self.copies
            .first()
            .map_or(0.0, |copy| copy.get_param(index))
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, sweep: i64) {
        for copy in &mut self.copies {
            copy.set_phase(index, phase, increment, sweep);
        }
    }

    fn passes(&self) -> bool {
        self.copies.iter().all(|copy| copy.passes())
    }
}

/// A node that makes a gain of the first channel, and all channels times that gain.
struct Linked {
    info: NodeInfo,
    node: Box<dyn Node>,
    gain: Vec<f32>,
}

fn linked(kind: &str, channels: usize) -> Result<Box<dyn Node>, NodeError> {
    let info = registry().info(kind)?;
    Ok(Box::new(Linked {
        info: bus_info(info, channels),
        node: registry().create(kind)?,
        gain: Vec::new(),
    }))
}

impl Node for Linked {
    fn info(&self) -> &NodeInfo {
        &self.info
    }

    fn init(&mut self, sample_rate: f64, max_frames: usize) -> Result<(), NodeError> {
        self.gain = vec![0.0; max_frames];
        self.node.init(sample_rate, max_frames)
    }

    fn reset(&mut self) {
        self.node.reset();
    }

    fn process(&mut self, inputs: &[&[f32]], outputs: &mut [&mut [f32]]) {
        let Some(first) = inputs.first() else {
            return;
        };
        let gain = &mut self.gain[..first.len()];
        self.node.process(&[first], &mut [&mut *gain]);
        for (input, output) in inputs.iter().zip(outputs) {
            for ((x, gain), y) in input.iter().zip(&*gain).zip(output.iter_mut()) {
                *y = x * gain;
            }
        }
    }

    fn set_param(&mut self, index: usize, value: f64) {
        self.node.set_param(index, value);
    }

    fn get_param(&self, index: usize) -> f64 {
        self.node.get_param(index)
    }

    fn set_phase(&mut self, index: usize, phase: u64, increment: u64, sweep: i64) {
        self.node.set_phase(index, phase, increment, sweep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(node: &mut dyn Node, input: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let mut output = vec![vec![f32::NAN; input[0].len()]; node.info().outputs];
        let input: Vec<&[f32]> = input.iter().map(Vec::as_slice).collect();
        let mut out: Vec<&mut [f32]> = output.iter_mut().map(Vec::as_mut_slice).collect();
        node.process(&input, &mut out);
        output
    }

    fn bus(channels: usize) -> Vec<Vec<f32>> {
        let sample = |c: usize, n: usize| ((n * (c + 3) * 7919) % 2003) as f32 / 1001.0 - 1.0;
        (0..channels)
            .map(|c| (0..500).map(|n| sample(c, n)).collect())
            .collect()
    }

    #[test]
    fn every_channel_is_treated_as_in_stereo() {
        let input = bus(9);
        let mut wide = registry().create("amplitude*9").unwrap();
        wide.init(48_000.0, 500).unwrap();
        wide.set_phase(0, 1 << 60, 1 << 50, 0);
        let output = run(wide.as_mut(), &input);
        for (channel, output) in output.iter().enumerate() {
            let mut stereo = registry().create("amplitude").unwrap();
            stereo.init(48_000.0, 500).unwrap();
            stereo.set_phase(0, 1 << 60, 1 << 50, 0);
            let alone = run(stereo.as_mut(), &[input[channel].clone(), vec![0.0; 500]]);
            assert_eq!(*output, alone[0], "{channel}");
        }
        assert_eq!(wide.info().input_groups[0].format, "ambisonic 2");
    }

    #[test]
    fn the_gain_of_the_first_channel_is_that_of_all() {
        // Below the threshold.
        let mut input = bus(4);
        input.iter_mut().flatten().for_each(|x| *x *= 1e-4);
        input[1] = input[0].clone();
        let mut wide = registry().create("gate_bus*4").unwrap();
        wide.init(48_000.0, 500).unwrap();
        let on = wide.info().param("on").unwrap();
        wide.set_param(on, 1.0);
        let mut stereo = registry().create("gate").unwrap();
        stereo.init(48_000.0, 500).unwrap();
        stereo.set_param(stereo.info().param("on").unwrap(), 1.0);
        let (wide, stereo) = (
            run(wide.as_mut(), &input),
            run(stereo.as_mut(), &input[..2]),
        );
        for (wide, stereo) in wide[1].iter().zip(&stereo[1]) {
            assert!((wide - stereo).abs() < 1e-10);
        }
        assert!(wide[2] != input[2]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for name in [
            "hrtf*4",
            "gain*1",
            "gain*65",
            "gain*",
            "gain*x",
            "nothing*4",
        ] {
            assert!(registry().create(name).is_err(), "{name}");
        }
        assert_eq!(registry().create("mix*9").unwrap().info().inputs, 18);
    }
}
