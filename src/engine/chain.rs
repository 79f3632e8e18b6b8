//! The entrainment chain as a graph, and where its nodes are.
//!
//! ```text
//! in -> input_gain -> gate -> leveller -> pre -> program -> insert_a -> direct | send -> space -> ears -> post
//!   -> output_gain -> insert_b -> ceiling -> bypass -> out                    in -> bypass.b
//! layer1 .. layer4 -> layerN_direct -> fade -> output_gain       noise -> fade
//!                  -> layerN_send -> layerN_away -> space
//! a layer's rendering:  layerN_a_sine | layerN_a_wave | layerN_a_noise -> layerN_a_pink
//!   -> layerN_a_mono -> layerN_a_pulse -> layerN_a_side -> layerN_a_fade -> layerN
//! pre's renderings:     pre_a_start -> pre_a_band -> pre_a_amplitude -> pre_a_sweep -> pre_a_fade
//!                       pre_a_start -> pre_a_rest ---------------------------------> pre_a_fade
//! post's:               post_a_start -> post_a_band -> post_a_pan -> post_a_shift -> post_a_fade
//!                       post_a_start -> post_a_rest -> post_a_through -----------> post_a_fade
//! the noise bed's:      noise_a -> noise_a_pink -> noise_a_brown -> noise_a_fade -> noise
//! ```
//!
//! Each generator and each treatment has two renderings, a and b: one sounds, the other takes over when something jumps.
//! Nodes that a kind does not need pass or are silent.

use super::QUANTUM;
use super::controls::LAYERS;
use crate::graph::{Graph, GraphError, GraphRun, NodeIndex};
use crate::node::hrtf::{self, SupplyLine};
use crate::node::insert::{self, InsertLine};
use crate::node::{decode, registry};

/// The nodes of one rendering of a layer.
#[derive(Debug, Clone, Copy)]
pub struct LayerNodes {
    pub sine: NodeIndex,
    pub wave: NodeIndex,
    pub noise: NodeIndex,
    pub pink: NodeIndex,
    pub mono: NodeIndex,
    pub pulse: NodeIndex,
    pub side: NodeIndex,
    pub fade: NodeIndex,
}

/// The nodes of one rendering of the noise bed.
#[derive(Debug, Clone, Copy)]
pub struct BedNodes {
    pub noise: NodeIndex,
    pub pink: NodeIndex,
    pub brown: NodeIndex,
    pub fade: NodeIndex,
}

/// The nodes of one rendering of a treatment: what goes through the band, what through the rest, and the
/// fade of both.
#[derive(Debug, Clone, Copy)]
pub struct StageNodes {
    /// Fades its input in where filters begin in the middle of a wave.
    pub start: NodeIndex,
    pub band: NodeIndex,
    pub rest: NodeIndex,
    /// Amplitude before space, pan after it.
    pub first: NodeIndex,
    /// Sweep before space, shift after it.
    pub second: NodeIndex,
    /// After space: the rest behind the allpass of the shift.
    pub through: Option<NodeIndex>,
    pub fade: NodeIndex,
}

/// Where the nodes are.
#[derive(Debug, Clone, Copy)]
pub struct Chain {
    pub input_gain: NodeIndex,
    pub gate: NodeIndex,
    pub leveller: NodeIndex,
    /// The treatments before and after space.
    pub stages: [[StageNodes; 2]; 2],
    pub program: NodeIndex,
    /// Inserts A and B.
    pub inserts: [NodeIndex; 2],
    /// The program past space, and into it.
    pub direct: NodeIndex,
    pub send: NodeIndex,
    pub space: NodeIndex,
    pub bus: BusNodes,
    pub ears: NodeIndex,
    pub routes: [LayerRoute; LAYERS],
    pub layers: [([LayerNodes; 2], NodeIndex); LAYERS],
    pub bed: ([BedNodes; 2], NodeIndex),
    pub fade: NodeIndex,
    pub output_gain: NodeIndex,
    pub ceiling: NodeIndex,
    pub bypass: NodeIndex,
}

/// Where a layer goes: past space or into it, faded there with the entrainment.
#[derive(Debug, Clone, Copy)]
pub struct LayerRoute {
    pub direct: NodeIndex,
    pub away: NodeIndex,
    pub send: NodeIndex,
    pub send_bus: NodeIndex,
}

/// The ambisonic bus: sources and the bus that comes in, the room, the head, two ears.
#[derive(Debug, Clone, Copy)]
pub struct BusNodes {
    /// The program into the bus.
    pub send: NodeIndex,
    pub encode: NodeIndex,
    pub early: NodeIndex,
    pub late: NodeIndex,
    pub rotate: NodeIndex,
    pub decode: NodeIndex,
    /// Where the program is a bus: its format, and how it is turned.
    pub format: Option<NodeIndex>,
    pub turn: Option<NodeIndex>,
    /// What leaves of it beside the ears, while it is not decoded.
    pub rest: Option<NodeIndex>,
}

/// Positions of the parameters that treatments which follow an envelope share.
#[derive(Debug, Clone, Copy)]
pub struct ModulatorParams {
    pub depth: usize,
    pub pulse: usize,
    pub duty: usize,
    pub ramp: usize,
}

/// Positions of the parameters that both parts of the room have.
#[derive(Debug, Clone, Copy)]
pub struct RoomParams {
    pub level: usize,
    pub size: usize,
    pub decay: usize,
    pub order: usize,
}

/// Positions of the parameters of a rotation.
#[derive(Debug, Clone, Copy)]
pub struct RotateParams {
    /// Yaw, pitch, roll.
    pub turns: [usize; 3],
    pub quaternion: usize,
    pub parts: [usize; 4],
    pub order: usize,
    pub motion: usize,
}

/// Positions of the parameters of the Faust and C++ nodes that the engine sets: found by name once.
#[derive(Debug, Clone, Copy)]
pub struct Params {
    pub gate_on: usize,
    pub gate_threshold: usize,
    pub gate_range: usize,
    pub gate_hold: usize,
    pub gate_gain: usize,
    pub ceiling_on: usize,
    pub ceiling: usize,
    pub ceiling_gain: usize,
    pub ceiling_overshoot: usize,
    pub leveller_on: usize,
    pub leveller_target: usize,
    pub leveller_speed: usize,
    pub leveller_frozen: usize,
    pub leveller_gain: usize,
    pub band_low: usize,
    pub band_high: usize,
    pub amplitude: ModulatorParams,
    pub pan: ModulatorParams,
    pub sweep: ModulatorParams,
    pub sweep_low: usize,
    pub sweep_high: usize,
    pub shift_depth: usize,
    pub pulse_duty: usize,
    pub pulse_ramp: usize,
    pub early: RoomParams,
    pub late: RoomParams,
    pub rotate: RotateParams,
    pub side_duty: usize,
    pub side_ramp: usize,
    pub side_swap: usize,
}

/// Decibels that bring the coloured noises to 0 dBFS RMS at this rate.
#[derive(Debug, Clone, Copy)]
pub struct NoiseLevels {
    pub pink: f64,
    pub brown: f64,
}

/// What brings filters and decoders to the nodes of space.
pub struct SpaceSupply {
    /// Head-related filters.
    pub filters: SupplyLine,
    /// Decoders of the ambisonic bus.
    pub decoders: decode::SupplyLine,
}

/// The chain, ready to run.
pub struct Built {
    pub run: GraphRun,
    pub chain: Chain,
    pub params: Params,
    pub noise_levels: NoiseLevels,
    /// What brings filters and decoders to the nodes of space.
    pub supply: SpaceSupply,
    /// What brings nodes to inserts A and B.
    pub inserts: [InsertLine; 2],
}

const SIDES: [char; 2] = ['a', 'b'];

/// How wide the program is: what comes in and goes out.
#[derive(Debug, Clone, Copy)]
struct Width {
    channels: usize,
    is_bus: bool,
}

impl Width {
    /// A node of the program, by its stereo name.
    fn kind(self, stereo: &str) -> String {
        let Width { channels, is_bus } = self;
        match stereo {
            _ if !is_bus => stereo.to_owned(),
            "gate" | "leveller" => format!("{stereo}_bus*{channels}"),
            _ => format!("{stereo}*{channels}"),
        }
    }
}

/// Builds and compiles the chain: for a stereo program, or for an ambisonic bus of so many channels.
///
/// # Errors
/// [`GraphError`], which for the built-in chain can only be lack of memory.
pub fn build(sample_rate: f64, bus: Option<usize>) -> Result<Built, GraphError> {
    let width = Width {
        channels: bus.unwrap_or(2),
        is_bus: bus.is_some(),
    };
    let mut graph = Graph::new(width.channels, width.channels);
    for (name, kind) in [
        ("input_gain", "gain"),
        ("gate", "gate"),
        ("leveller", "leveller"),
        ("program", "gain"),
        ("direct", "gain"),
    ] {
        graph.add_builtin(name, &width.kind(kind))?;
    }
    for name in ["send", "ears"] {
        graph.add_builtin(name, "gain")?;
    }
    let (space, supply) = hrtf::create();
    graph.add("space", space)?;
    let decoders = add_bus(&mut graph, width)?;
    let (insert_a, line_a) = insert::create(width.channels);
    let (insert_b, line_b) = insert::create(2);
    graph.add("insert_a", insert_a)?;
    graph.add("insert_b", insert_b)?;
    for layer in 1..=LAYERS {
        add_layer(&mut graph, layer)?;
    }
    add_bed(&mut graph)?;
    for (name, kind) in [
        ("fade", "gain"),
        ("output_gain", "gain"),
        ("ceiling", "ceiling"),
    ] {
        graph.add_builtin(name, kind)?;
    }
    graph.add_builtin("bypass", &width.kind("mix"))?;
    graph.serial(&["input_gain", "gate", "leveller"])?;
    let ends = ["leveller", "program"];
    add_stage(&mut graph, "pre", ["amplitude", "sweep"], ends, width)?;
    graph.serial(&["program", "insert_a", "direct"])?;
    if width.is_bus {
        graph.connect("direct[1-2]", "ears")?;
        // A bus that does not go through space leaves as it is.
        let n = width.channels;
        graph.connect(&format!("direct[3-{n}]"), "rest")?;
        graph.connect("rest", &format!("bypass.a[3-{n}]"))?;
        graph.serial(&["output_gain", "insert_b", "ceiling", "bypass.a[1-2]"])?;
    } else {
        graph.connect("direct", "ears")?;
        graph.serial(&["insert_a", "send", "space.speakers"])?;
        graph.serial(&["output_gain", "insert_b", "ceiling", "bypass.a"])?;
    }
    graph.connect("space", "ears")?;
    let (ends, stereo) = (
        ["ears", "output_gain"],
        Width {
            channels: 2,
            is_bus: false,
        },
    );
    add_stage(&mut graph, "post", ["pan", "shift"], ends, stereo)?;
    for layer in 1..=LAYERS {
        let name = |part: &str| format!("layer{layer}{part}");
        for part in ["_direct", "_away", "_send", "_send_bus"] {
            graph.add_builtin(&name(part), "gain")?;
        }
        graph.serial(&[&name(""), &name("_direct"), "fade"])?;
        let space = format!("space.layer{layer}");
        graph.serial(&[&name(""), &name("_away"), &name("_send"), &space])?;
        graph.connect(&name("_away"), &name("_send_bus"))?;
    }
    graph.serial(&["noise", "fade", "output_gain"])?;
    connect_bus(&mut graph, width)?;
    graph.connect("in", "bypass.b")?;
    graph.connect("bypass", "out")?;
    let run = graph.compile(sample_rate, QUANTUM)?;
    let chain = find_chain(&run)?;
    let params = find_params(&run, &chain)?;
    let noise_levels = NoiseLevels {
        pink: -power_gain("pink", sample_rate)?,
        brown: -power_gain("brown", sample_rate)?,
    };
    Ok(Built {
        run,
        chain,
        params,
        noise_levels,
        supply: SpaceSupply {
            filters: supply,
            decoders,
        },
        inserts: [line_a, line_b],
    })
}

/// The two renderings of a stage of treatments, between two nodes.
fn add_stage(
    graph: &mut Graph,
    stage: &str,
    treatments: [&str; 2],
    [from, to]: [&str; 2],
    width: Width,
) -> Result<(), GraphError> {
    for side in SIDES {
        let name = |part: &str| format!("{stage}_{side}_{part}");
        let [first, second] = treatments;
        for (part, kind) in [
            ("start", "gain"),
            ("band", "band_pass"),
            (first, first),
            (second, second),
            ("rest", "band_stop"),
            ("fade", "gain"),
        ] {
            graph.add_builtin(&name(part), &width.kind(kind))?;
        }
        graph.serial(&[
            from,
            &name("start"),
            &name("band"),
            &name(first),
            &name(second),
            &name("fade"),
            to,
        ])?;
        graph.connect(&name("start"), &name("rest"))?;
        if second == "shift" {
            graph.add_builtin(&name("through"), second)?;
            graph.set(&name("through"), "depth", 0.0)?;
            graph.serial(&[&name("rest"), &name("through"), &name("fade")])?;
        } else {
            graph.connect(&name("rest"), &name("fade"))?;
        }
    }
    Ok(())
}

/// The nodes of the ambisonic bus, and what brings decoders to it.
fn add_bus(graph: &mut Graph, width: Width) -> Result<decode::SupplyLine, GraphError> {
    let (decode, decoders) = decode::create();
    graph.add("decode", decode)?;
    for name in ["encode", "early", "late", "rotate"] {
        graph.add_builtin(name, name)?;
    }
    graph.add_builtin("send_bus", &width.kind("gain"))?;
    if width.is_bus {
        graph.add_builtin("format", "bus_in")?;
        graph.add_builtin("turn", "rotate")?;
        graph.set("turn", "smooth", 0.0)?;
        // The sends of a source add up to its power; this is all four of them.
        graph.add_builtin("send_room", "gain")?;
        graph.set("send_room", "glide", 0.0)?;
        graph.set("send_room", "gain", -6.0206)?;
        graph.connect("send_bus[1-2]", "send_room")?;
        // What is not decoded leaves with the output gain as well.
        graph.add_builtin("rest", &format!("gain*{}", width.channels - 2))?;
    }
    // Turns are told every quantum, on their way: nothing is left to smooth.
    graph.set("rotate", "smooth", 0.0)?;
    Ok(decoders)
}

/// Sources, the bus that comes in and the room meet before the head turns them. The room has no bus to reflect,
/// but its omnidirectional channel reverberates.
fn connect_bus(graph: &mut Graph, width: Width) -> Result<(), GraphError> {
    let n = width.channels;
    if width.is_bus {
        graph.serial(&["in", &format!("format[1-{n}]")])?;
        graph.connect(&format!("format[1-{n}]"), "input_gain")?;
        graph.serial(&["insert_a", "send_bus", &format!("turn[1-{n}]")])?;
        graph.serial(&["turn", "rotate"])?;
        for send in ["late[1]", "late[2]", "late[3]", "late[4]"] {
            graph.connect("send_room[1]", send)?;
        }
    } else {
        graph.connect("in", "input_gain")?;
        graph.serial(&["insert_a", "send_bus", "encode.speakers"])?;
        for send in ["send", "send_bus"] {
            graph.connect(send, "early.speakers")?;
        }
    }
    for layer in 1..=LAYERS {
        let group = |node: &str| format!("{node}.layer{layer}");
        let send = |way: &str| format!("layer{layer}_send{way}");
        graph.connect(&send("_bus"), &group("encode"))?;
        for way in ["", "_bus"] {
            graph.connect(&send(way), &group("early"))?;
        }
    }
    graph.connect("encode", "rotate")?;
    graph.connect("early.bus", "rotate")?;
    graph.serial(&["early.late", "late", "rotate", "decode", "ears"])?;
    Ok(())
}

fn add_layer(graph: &mut Graph, layer: usize) -> Result<(), GraphError> {
    for side in SIDES {
        let name = |part: &str| format!("layer{layer}_{side}_{part}");
        for (part, kind) in [
            ("sine", "tone_pair"),
            ("wave", "wave_pair"),
            ("noise", "noise"),
            ("pink", "pink"),
            ("mono", "mono_sum"),
            ("pulse", "pulse"),
            ("side", "bilateral"),
            ("fade", "gain"),
        ] {
            graph.add_builtin(&name(part), kind)?;
        }
        // Layers pulse in mono, each with a noise of its own.
        graph.set(&name("noise"), "stream", layer as f64)?;
        graph.set(&name("noise"), "width", 0.0)?;
        graph.serial(&[&name("noise"), &name("pink"), &name("mono")])?;
        graph.connect(&name("sine"), &name("mono"))?;
        graph.connect(&name("wave"), &name("mono"))?;
        graph.serial(&[&name("mono"), &name("pulse"), &name("side"), &name("fade")])?;
    }
    let level = format!("layer{layer}");
    graph.add_builtin(&level, "gain")?;
    for side in SIDES {
        graph.connect(&format!("layer{layer}_{side}_fade"), &level)?;
    }
    Ok(())
}

fn add_bed(graph: &mut Graph) -> Result<(), GraphError> {
    for side in SIDES {
        let name = |part: &str| format!("noise_{side}{part}");
        for (part, kind) in [
            ("", "noise"),
            ("_pink", "pink"),
            ("_brown", "brown"),
            ("_fade", "gain"),
        ] {
            graph.add_builtin(&name(part), kind)?;
        }
        graph.serial(&[&name(""), &name("_pink"), &name("_brown"), &name("_fade")])?;
    }
    graph.add_builtin("noise", "gain")?;
    for side in SIDES {
        graph.connect(&format!("noise_{side}_fade"), "noise")?;
    }
    Ok(())
}

fn find_chain(run: &GraphRun) -> Result<Chain, GraphError> {
    let layer_nodes = |layer: usize, side: char| -> Result<LayerNodes, GraphError> {
        let find = |part: &str| run.find(&format!("layer{layer}_{side}_{part}"));
        Ok(LayerNodes {
            sine: find("sine")?,
            wave: find("wave")?,
            noise: find("noise")?,
            pink: find("pink")?,
            mono: find("mono")?,
            pulse: find("pulse")?,
            side: find("side")?,
            fade: find("fade")?,
        })
    };
    let layer = |n: usize| -> Result<([LayerNodes; 2], NodeIndex), GraphError> {
        let nodes = [layer_nodes(n, 'a')?, layer_nodes(n, 'b')?];
        Ok((nodes, run.find(&format!("layer{n}"))?))
    };
    let bed = |side: char| -> Result<BedNodes, GraphError> {
        let find = |part: &str| run.find(&format!("noise_{side}{part}"));
        Ok(BedNodes {
            noise: find("")?,
            pink: find("_pink")?,
            brown: find("_brown")?,
            fade: find("_fade")?,
        })
    };
    let route = |layer: usize| -> Result<LayerRoute, GraphError> {
        let find = |part: &str| run.find(&format!("layer{layer}_{part}"));
        Ok(LayerRoute {
            direct: find("direct")?,
            away: find("away")?,
            send: find("send")?,
            send_bus: find("send_bus")?,
        })
    };
    let stage = |stage: &str, treatments: [&str; 2], side: char| {
        let find = |part: &str| run.find(&format!("{stage}_{side}_{part}"));
        Ok(StageNodes {
            start: find("start")?,
            band: find("band")?,
            rest: find("rest")?,
            first: find(treatments[0])?,
            second: find(treatments[1])?,
            through: find("through").ok(),
            fade: find("fade")?,
        })
    };
    let (pre, post) = (["amplitude", "sweep"], ["pan", "shift"]);
    Ok(Chain {
        input_gain: run.find("input_gain")?,
        gate: run.find("gate")?,
        leveller: run.find("leveller")?,
        stages: [
            [stage("pre", pre, 'a')?, stage("pre", pre, 'b')?],
            [stage("post", post, 'a')?, stage("post", post, 'b')?],
        ],
        program: run.find("program")?,
        inserts: [run.find("insert_a")?, run.find("insert_b")?],
        direct: run.find("direct")?,
        send: run.find("send")?,
        space: run.find("space")?,
        bus: BusNodes {
            send: run.find("send_bus")?,
            encode: run.find("encode")?,
            early: run.find("early")?,
            late: run.find("late")?,
            rotate: run.find("rotate")?,
            decode: run.find("decode")?,
            format: run.find("format").ok(),
            turn: run.find("turn").ok(),
            rest: run.find("rest").ok(),
        },
        ears: run.find("ears")?,
        routes: [route(1)?, route(2)?, route(3)?, route(4)?],
        layers: [layer(1)?, layer(2)?, layer(3)?, layer(4)?],
        bed: ([bed('a')?, bed('b')?], run.find("noise")?),
        fade: run.find("fade")?,
        output_gain: run.find("output_gain")?,
        ceiling: run.find("ceiling")?,
        bypass: run.find("bypass")?,
    })
}

fn find_params(run: &GraphRun, chain: &Chain) -> Result<Params, GraphError> {
    let layer = chain.layers[0].0[0];
    let [pre, post] = [chain.stages[0][0], chain.stages[1][0]];
    let modulator = |node| -> Result<ModulatorParams, GraphError> {
        Ok(ModulatorParams {
            depth: run.param(node, "depth")?,
            pulse: run.param(node, "pulse")?,
            duty: run.param(node, "duty")?,
            ramp: run.param(node, "ramp")?,
        })
    };
    let room = |node| -> Result<RoomParams, GraphError> {
        Ok(RoomParams {
            level: run.param(node, "level")?,
            size: run.param(node, "size")?,
            decay: run.param(node, "decay")?,
            order: run.param(node, "order")?,
        })
    };
    let turn = |name: &str| run.param(chain.bus.rotate, name);
    Ok(Params {
        gate_on: run.param(chain.gate, "on")?,
        gate_threshold: run.param(chain.gate, "threshold")?,
        gate_range: run.param(chain.gate, "range")?,
        gate_hold: run.param(chain.gate, "hold")?,
        gate_gain: run.param(chain.gate, "gain")?,
        ceiling_on: run.param(chain.ceiling, "on")?,
        ceiling: run.param(chain.ceiling, "ceiling")?,
        ceiling_gain: run.param(chain.ceiling, "gain")?,
        ceiling_overshoot: run.param(chain.ceiling, "overshoot")?,
        leveller_on: run.param(chain.leveller, "on")?,
        leveller_target: run.param(chain.leveller, "target")?,
        leveller_speed: run.param(chain.leveller, "speed")?,
        leveller_frozen: run.param(chain.leveller, "frozen")?,
        leveller_gain: run.param(chain.leveller, "gain")?,
        band_low: run.param(pre.band, "low")?,
        band_high: run.param(pre.band, "high")?,
        amplitude: modulator(pre.first)?,
        pan: modulator(post.first)?,
        sweep: modulator(pre.second)?,
        sweep_low: run.param(pre.second, "low")?,
        sweep_high: run.param(pre.second, "high")?,
        shift_depth: run.param(post.second, "depth")?,
        pulse_duty: run.param(layer.pulse, "duty")?,
        pulse_ramp: run.param(layer.pulse, "ramp")?,
        early: room(chain.bus.early)?,
        late: room(chain.bus.late)?,
        rotate: RotateParams {
            turns: [turn("yaw")?, turn("pitch")?, turn("roll")?],
            quaternion: turn("quaternion")?,
            parts: [turn("w")?, turn("x")?, turn("y")?, turn("z")?],
            order: turn("order")?,
            motion: turn("motion")?,
        },
        side_duty: run.param(layer.side, "duty")?,
        side_ramp: run.param(layer.side, "ramp")?,
        side_swap: run.param(layer.side, "swap")?,
    })
}

/// By how many decibels a filter node raises white noise: the energy of its impulse response, which is the
/// mean of its squared magnitude (Parseval).
fn power_gain(node: &str, sample_rate: f64) -> Result<f64, GraphError> {
    const CHUNK: usize = 1024;
    let mut node = registry().create(node).map_err(GraphError::Node)?;
    node.init(sample_rate, CHUNK).map_err(GraphError::Node)?;
    let mut input = [0.0; CHUNK];
    input[0] = 1.0;
    let mut energy = 0.0;
    // A second: the slowest pole, 8 Hz, has fallen by 430 dB.
    for _ in 0..(sample_rate as usize).div_ceil(CHUNK) {
        let (mut left, mut right) = ([0.0; CHUNK], [0.0; CHUNK]);
        node.process(&[&input, &input], &mut [&mut left, &mut right]);
        energy += left
            .iter()
            .map(|x| f64::from(*x) * f64::from(*x))
            .sum::<f64>();
        input[0] = 0.0;
    }
    Ok(10.0 * energy.log10())
}
