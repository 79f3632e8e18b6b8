//! What the engine tells the world while it runs: atomics that any thread may read.

use super::display::Display;
use super::space::SpaceWish;
use crate::dsp::phase::to_cycles;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Levels, phases and counters of a running engine. Written by the audio thread, read by any other;
/// values are each whole, but not of one moment.
#[derive(Debug, Default)]
pub struct Telemetry {
    input_peak: [AtomicU32; 2],
    output_peak: [AtomicU32; 2],
    beat_phase: AtomicU64,
    beat: AtomicU64,
    carrier: AtomicU64,
    fade: AtomicU64,
    generates: AtomicU32,
    gate_gain: AtomicU32,
    ceiling_gain: AtomicU32,
    ceiling_overshoot: AtomicU32,
    leveller_gain: AtomicU32,
    space: AtomicU32,
    protocol: AtomicU64,
    protocol_length: AtomicU64,
    protocol_runs: AtomicU32,
    protocol_by_itself: AtomicU32,
    tempo: AtomicU64,
    frames: AtomicU64,
    input_repaired: AtomicU64,
    output_repaired: AtomicU64,
    display: Display,
    rate: f64,
}

/// Peaks are kept as the bits of non-negative floats, whose order is that of the numbers.
fn raise(slot: &AtomicU32, peak: f32) {
    // A look costs far less than an exchange, and most peaks are no higher than the last.
    if peak.to_bits() > slot.load(Relaxed) {
        slot.fetch_max(peak.to_bits(), Relaxed);
    }
}

impl Telemetry {
    pub(super) fn new(rate: f64) -> Telemetry {
        Telemetry {
            rate,
            ..Telemetry::default()
        }
    }

    /// The engine's rate in hertz.
    pub fn sample_rate(&self) -> f64 {
        self.rate
    }

    /// What an open display sees.
    pub fn display(&self) -> &Display {
        &self.display
    }

    /// Highest sample of the incoming audio per ear since the last call, linear.
    pub fn take_input_peaks(&self) -> [f32; 2] {
        self.input_peak
            .each_ref()
            .map(|slot| f32::from_bits(slot.swap(0, Relaxed)))
    }

    /// Highest sample of the output per ear since the last call, linear.
    pub fn take_output_peaks(&self) -> [f32; 2] {
        self.output_peak
            .each_ref()
            .map(|slot| f32::from_bits(slot.swap(0, Relaxed)))
    }

    /// Phase of the beat as it sounds, in cycles, 0 to 1.
    pub fn beat_phase(&self) -> f64 {
        to_cycles(self.beat_phase.load(Relaxed))
    }

    /// The beat as it sounds now, in hertz: during a glide, where it is on its way.
    pub fn beat(&self) -> f64 {
        f64::from_bits(self.beat.load(Relaxed))
    }

    /// The carrier as it sounds now, in hertz.
    pub fn carrier(&self) -> f64 {
        f64::from_bits(self.carrier.load(Relaxed))
    }

    /// Gain of the fade of the entrainment, 0 to 1.
    pub fn fade(&self) -> f64 {
        f64::from_bits(self.fade.load(Relaxed))
    }

    /// Whether a layer, the noise bed or a treatment sounds.
    pub fn generates(&self) -> bool {
        self.generates.load(Relaxed) != 0
    }

    /// Gain that the gate applies, linear.
    pub fn gate_gain(&self) -> f32 {
        f32::from_bits(self.gate_gain.load(Relaxed))
    }

    /// Gain that the ceiling applies, linear; 1 where it does nothing.
    pub fn ceiling_gain(&self) -> f32 {
        f32::from_bits(self.ceiling_gain.load(Relaxed))
    }

    /// By how many decibels a true peak (ITU-R BS.1770) between the samples has just exceeded the ceiling.
    pub fn ceiling_overshoot(&self) -> f32 {
        f32::from_bits(self.ceiling_overshoot.load(Relaxed))
    }

    /// Gain that the leveller applies, linear; 1 where it is off.
    pub fn leveller_gain(&self) -> f32 {
        f32::from_bits(self.leveller_gain.load(Relaxed))
    }

    /// What space asks to be supplied with, while it is on.
    pub fn space_wish(&self) -> Option<SpaceWish> {
        SpaceWish::from_bits(self.space.load(Relaxed))
    }

    /// Where the protocol is, in seconds, while it plays and wins over the host's values.
    pub fn protocol(&self) -> Option<f64> {
        // 0 is for none: positions are kept as the bits of their float, plus one.
        let bits = self.protocol.load(Relaxed).checked_sub(1)?;
        Some(f64::from_bits(bits))
    }

    /// Whether the protocol's time passes: the transport runs, or where there is none nobody has made it wait.
    pub fn protocol_runs(&self) -> bool {
        self.protocol_runs.load(Relaxed) != 0
    }

    /// Whether nobody outside says where the protocol is: it can be made to play, wait and go elsewhere.
    pub fn protocol_by_itself(&self) -> bool {
        self.protocol_by_itself.load(Relaxed) != 0
    }

    /// The host's tempo in quarter notes a minute, where it tells one.
    pub fn tempo(&self) -> Option<f64> {
        Some(f64::from_bits(self.tempo.load(Relaxed))).filter(|bpm| *bpm > 0.0)
    }

    /// Length of the protocol that the engine has, in seconds; 0 for none.
    pub fn protocol_length(&self) -> f64 {
        f64::from_bits(self.protocol_length.load(Relaxed))
    }

    /// Frames processed since the last reset.
    pub fn frames(&self) -> u64 {
        self.frames.load(Relaxed)
    }

    /// How many incoming samples were not finite and became silence, since the engine was made.
    pub fn input_repaired(&self) -> u64 {
        self.input_repaired.load(Relaxed)
    }

    /// How many outgoing samples were not finite and became silence, since the engine was made.
    pub fn output_repaired(&self) -> u64 {
        self.output_repaired.load(Relaxed)
    }

    pub(super) fn raise_input(&self, peaks: [f32; 2]) {
        for (slot, peak) in self.input_peak.iter().zip(peaks) {
            raise(slot, peak);
        }
    }

    pub(super) fn raise_output(&self, peaks: [f32; 2]) {
        for (slot, peak) in self.output_peak.iter().zip(peaks) {
            raise(slot, peak);
        }
    }

    pub(super) fn count_repaired(&self, input: u64, output: u64) {
        if input > 0 {
            self.input_repaired.fetch_add(input, Relaxed);
        }
        if output > 0 {
            self.output_repaired.fetch_add(output, Relaxed);
        }
    }

    pub(super) fn publish(&self, now: Snapshot) {
        self.beat_phase.store(now.beat_phase, Relaxed);
        self.beat.store(now.beat.to_bits(), Relaxed);
        self.carrier.store(now.carrier.to_bits(), Relaxed);
        self.fade.store(now.fade.to_bits(), Relaxed);
        self.generates.store(u32::from(now.generates), Relaxed);
        self.gate_gain.store(now.gate_gain.to_bits(), Relaxed);
        self.ceiling_gain.store(now.ceiling_gain.to_bits(), Relaxed);
        self.ceiling_overshoot
            .store(now.ceiling_overshoot.to_bits(), Relaxed);
        self.leveller_gain
            .store(now.leveller_gain.to_bits(), Relaxed);
        let wish = now.space.map_or(0, SpaceWish::to_bits);
        self.space.store(wish, Relaxed);
        let protocol = now.protocol.map_or(0, |seconds| seconds.to_bits() + 1);
        self.protocol.store(protocol, Relaxed);
        self.protocol_length
            .store(now.protocol_length.to_bits(), Relaxed);
        self.protocol_runs
            .store(u32::from(now.protocol_runs), Relaxed);
        self.protocol_by_itself
            .store(u32::from(now.protocol_by_itself), Relaxed);
        let tempo = now.tempo.unwrap_or(0.0);
        self.tempo.store(tempo.to_bits(), Relaxed);
        self.frames.store(now.frames, Relaxed);
    }
}

/// What is published after each block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot {
    pub beat_phase: u64,
    pub beat: f64,
    pub carrier: f64,
    pub fade: f64,
    pub generates: bool,
    pub gate_gain: f32,
    pub ceiling_gain: f32,
    pub ceiling_overshoot: f32,
    pub leveller_gain: f32,
    pub space: Option<SpaceWish>,
    pub protocol: Option<f64>,
    pub protocol_length: f64,
    pub protocol_runs: bool,
    pub protocol_by_itself: bool,
    pub tempo: Option<f64>,
    pub frames: u64,
}
