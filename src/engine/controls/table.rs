//! The table of controls: every id, host name, unit, range, default and enum name, once.

use super::{Control, ControlId, Scale, Values};

const fn number(min: f64, max: f64, default: f64, decimals: usize, unit: &'static str) -> Values {
    Values::Number {
        min,
        max,
        default,
        decimals,
        unit,
        scale: Scale::Linear,
        floor_is_silence: false,
        is_note: false,
    }
}

const fn logarithmic(
    min: f64,
    max: f64,
    default: f64,
    decimals: usize,
    unit: &'static str,
) -> Values {
    Values::Number {
        min,
        max,
        default,
        decimals,
        unit,
        scale: Scale::Logarithmic,
        floor_is_silence: false,
        is_note: false,
    }
}

const fn level(min: f64, max: f64, default: f64) -> Values {
    Values::Number {
        min,
        max,
        default,
        decimals: 2,
        unit: "dB",
        scale: Scale::Linear,
        floor_is_silence: true,
        is_note: false,
    }
}

const fn choice(names: &'static [&'static str], default: usize) -> Values {
    Values::Choice { names, default }
}

const fn switch(default: bool) -> Values {
    Values::Switch { default }
}

/// `run`: always.
pub const RUN_ALWAYS: usize = 0;
/// `run`: only while the host plays.
pub const RUN_TRANSPORT: usize = 1;
/// `phase_mode`: runs on.
pub const PHASE_FREE: usize = 0;
/// `phase_mode`: phase 0 at play.
pub const PHASE_RESTART: usize = 1;
/// `phase_mode`: phase follows the song position.
pub const PHASE_TIMELINE: usize = 2;
/// `lN_kind`: silent.
pub const LAYER_OFF: usize = 0;
/// `lN_kind`: two tones, one an ear.
pub const LAYER_BINAURAL: usize = 1;
/// `lN_kind`: the sum of two tones in both ears.
pub const LAYER_MONAURAL: usize = 2;
/// `lN_kind`: a tone that pulses.
pub const LAYER_ISOCHRONIC: usize = 3;
/// `lN_kind`: a tone that changes sides.
pub const LAYER_BILATERAL: usize = 4;
/// `lN_kind`: pink noise that pulses.
pub const LAYER_NOISE: usize = 5;
/// `lN_wave`: sine.
pub const WAVE_SINE: usize = 0;
/// `beat_source`: the `beat` control.
pub const BEAT_HZ: usize = 0;
/// `beat_source`: the host's tempo and `division`.
pub const BEAT_TEMPO: usize = 1;
/// `carrier_source`: the `carrier` control.
pub const CARRIER_HZ: usize = 0;
/// `carrier_source`: the `carrier_note` control.
pub const CARRIER_FIXED_NOTE: usize = 1;
/// `carrier_source`: the MIDI note played last.
pub const CARRIER_MIDI: usize = 2;
/// `prog_kind`: the incoming audio as it is.
pub const PROGRAM_OFF: usize = 0;
/// `prog_kind`: tremolo at the beat.
pub const PROGRAM_AMPLITUDE: usize = 1;
/// `prog_kind`: pan from ear to ear at the beat.
pub const PROGRAM_BILATERAL: usize = 2;
/// `prog_kind`: the left ear lower by half a beat, the right ear higher.
pub const PROGRAM_SHIFT: usize = 3;
/// `prog_kind`: a filter that sweeps at the beat.
pub const PROGRAM_SWEEP: usize = 4;
/// `space_kind`: none.
pub const SPACE_OFF: usize = 0;
/// `space_kind`: head-related filters.
pub const SPACE_HRTF: usize = 1;
/// `space_kind`: an ambisonic bus, decoded to two ears.
pub const SPACE_AMBISONIC: usize = 2;
/// `motion`: none.
pub const MOTION_STILL: usize = 0;
/// `motion`: around the head, to the left first.
pub const MOTION_ORBIT: usize = 1;
/// `motion`: to and fro, to the left first.
pub const MOTION_SWING: usize = 2;
/// `motion_source`: the `motion_rate` control.
pub const MOTION_HZ: usize = 0;
/// `noise_kind`: no noise bed.
pub const NOISE_OFF: usize = 0;
/// `noise_kind`: white.
pub const NOISE_WHITE: usize = 1;
/// `noise_kind`: pink.
pub const NOISE_PINK: usize = 2;
/// `noise_kind`: brown.
pub const NOISE_BROWN: usize = 3;

/// Layers.
pub const LAYERS: usize = 4;

/// The names of `division`, ascending: each note value as triplet, plain, dotted, then bars.
pub const DIVISIONS: &[&str] = &[
    "1/64t", "1/64", "1/64d", "1/32t", "1/32", "1/32d", "1/16t", "1/16", "1/16d", "1/8t", "1/8",
    "1/8d", "1/4t", "1/4", "1/4d", "1/2t", "1/2", "1/2d", "1/1t", "1/1", "1/1d", "2bar", "4bar",
    "8bar",
];

/// The length of a division in quarter notes, in a metre whose bar has so many quarters.
pub fn division_quarters(division: usize, bar_quarters: f64) -> f64 {
    let bars = [2.0, 4.0, 8.0];
    match division.checked_sub(21) {
        Some(bar) => bars[bar.min(2)] * bar_quarters,
        None => {
            let plain = 4.0 / f64::from(1u32 << (6 - division / 3));
            plain * [2.0 / 3.0, 1.0, 1.5][division % 3]
        }
    }
}

/// The ids of one layer.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is the control of that name")]
pub struct LayerIds {
    pub kind: ControlId,
    pub ratio: ControlId,
    pub interval: ControlId,
    pub level: ControlId,
    pub wave: ControlId,
    pub duty: ControlId,
    pub ramp: ControlId,
    pub swap: ControlId,
    pub space: ControlId,
    pub azimuth: ControlId,
    pub elevation: ControlId,
    pub distance: ControlId,
}

macro_rules! table {
    ($($constant:ident $id:literal $name:literal $group:literal $values:expr, $help:literal;)*) => {
        /// Every control, in the order of listings.
        pub const CONTROLS: &[Control] = &[$(
            Control { id: $id, name: $name, group: $group, values: $values, help: $help },
        )*];

        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "positions only")]
        #[repr(u16)]
        enum Position { $($constant,)* }

        $(
            #[doc = $help]
            pub const $constant: ControlId = ControlId::at(Position::$constant as u16);
        )*
    };
}

const KINDS: Values = choice(
    &[
        "off",
        "binaural",
        "monaural",
        "isochronic",
        "bilateral",
        "noise",
    ],
    LAYER_OFF,
);
const WAVES: Values = choice(&["sine", "triangle", "saw", "square"], WAVE_SINE);
const LAYER_LEVEL: Values = level(-80.0, 0.0, -20.0);
const RATIO: Values = logarithmic(0.25, 4.0, 1.0, 4, "");
const INTERVAL: Values = number(-36.0, 36.0, 0.0, 2, "st");
const DUTY: Values = number(5.0, 95.0, 50.0, 2, "%");
const RAMP: Values = number(0.0, 50.0, 10.0, 2, "ms");
const AZIMUTH_VALUES: Values = number(-180.0, 180.0, 0.0, 2, "deg");
const ELEVATION_VALUES: Values = number(-90.0, 90.0, 0.0, 2, "deg");
const MACRO: Values = number(0.0, 1.0, 0.5, 6, "");
const DISTANCE_VALUES: Values = logarithmic(0.2, 20.0, 1.5, 3, "m");

table! {
    BYPASS "bypass" "Bypass" "Global" switch(false),
        "Passes the incoming audio through untouched.";
    RUN "run" "Run" "Global" choice(&["always", "transport"], RUN_ALWAYS),
        "When the entrainment sounds: always, or only while the host plays.";
    FADE_IN "fade_in" "Fade In" "Global" number(0.0, 60.0, 1.0, 3, "s"),
        "Time in which the entrainment fades in at its start (at least 20 ms).";
    FADE_OUT "fade_out" "Fade Out" "Global" number(0.0, 60.0, 1.0, 3, "s"),
        "Time in which the entrainment fades out at its end (at least 20 ms).";
    TIMER "timer" "Session Timer" "Global" number(0.0, 480.0, 0.0, 3, "min"),
        "Playing time after which the entrainment fades out; 0 is never.";
    IN_GAIN "in_gain" "Input Gain" "Global" level(-60.0, 12.0, 0.0),
        "Gain of the incoming audio; the lowest value is silence.";
    OUT_GAIN "out_gain" "Output Gain" "Global" level(-60.0, 12.0, 0.0),
        "Gain of everything, before the ceiling; the lowest value is silence.";
    SEED "seed" "Seed" "Global" number(0.0, 65_535.0, 1.0, 0, ""),
        "Which noise: the same seed and position give the same noise.";
    CEILING_ON "ceiling_on" "Ceiling On" "Ceiling" switch(false),
        "Keeps every sample at or below the ceiling, with no latency.";
    CEILING "ceiling" "Ceiling" "Ceiling" number(-24.0, 0.0, -1.0, 2, "dB"),
        "The highest sample peak that leaves the plugin, in dBFS.";
    BEAT "beat" "Beat" "Beat" number(0.0, 100.0, 10.0, 3, "Hz"),
        "The beat frequency: right ear minus left ear.";
    BEAT_SOURCE "beat_source" "Beat Source" "Beat" choice(&["hz", "tempo"], BEAT_HZ),
        "Where the beat comes from: the Beat control, or the host's tempo and the division.";
    DIVISION "division" "Division" "Beat" choice(DIVISIONS, 13),
        "Length of one beat cycle in the host's tempo.";
    CARRIER "carrier" "Carrier" "Beat" number(20.0, 1500.0, 250.0, 3, "Hz"),
        "The frequency midway between the two ears.";
    CARRIER_SOURCE "carrier_source" "Carrier Source" "Beat" choice(&["hz", "note", "midi"], CARRIER_HZ),
        "Where the carrier comes from: the Carrier control, a note, or the MIDI note played last.";
    CARRIER_NOTE "carrier_note" "Carrier Note" "Beat" Values::Number {
            min: 16.0,
            max: 90.0,
            default: 57.0,
            decimals: 0,
            unit: "",
            scale: Scale::Linear,
            floor_is_silence: false,
            is_note: true,
        },
        "The carrier as a note; C4 is MIDI note 60.";
    TUNING "tuning" "Tuning A4" "Beat" number(400.0, 480.0, 440.0, 2, "Hz"),
        "Frequency of A4 for notes.";
    GLIDE "glide" "Glide" "Beat" number(0.0, 10.0, 0.02, 3, "s"),
        "Time in which steps of beat, carrier and levels are travelled; 0 is exact steps.";
    PHASE_MODE "phase_mode" "Phase" "Beat"
        choice(&["free", "restart", "timeline"], PHASE_TIMELINE),
        "What the phase does at play, seek and loop: runs on, restarts, or follows the song position.";
    PHASE "phase" "Phase Offset" "Beat" number(-180.0, 180.0, 0.0, 2, "deg"),
        "Shifts the phase of the beat.";
    L1_KIND "l1_kind" "Layer 1 Kind" "Layer 1" KINDS,
        "What layer 1 generates.";
    L1_RATIO "l1_ratio" "Layer 1 Ratio" "Layer 1" RATIO,
        "Beat of layer 1 as a multiple of the beat.";
    L1_INTERVAL "l1_interval" "Layer 1 Interval" "Layer 1" INTERVAL,
        "Semitones from the carrier to that of layer 1, cents as decimals.";
    L1_LEVEL "l1_level" "Layer 1 Level" "Layer 1" LAYER_LEVEL,
        "Peak level of layer 1 in each ear in dBFS (noise: RMS).";
    L1_WAVE "l1_wave" "Layer 1 Wave" "Layer 1" WAVES,
        "Wave of the tones of layer 1, band-limited.";
    L1_DUTY "l1_duty" "Layer 1 Duty" "Layer 1" DUTY,
        "Share of the cycle that layer 1 is on, or on the left.";
    L1_RAMP "l1_ramp" "Layer 1 Ramp" "Layer 1" RAMP,
        "Length of the raised-cosine flanks of layer 1's pulses.";
    L1_SWAP "l1_swap" "Layer 1 Swap Ears" "Layer 1" switch(false),
        "Exchanges the ears of layer 1.";
    L1_SPACE "l1_space" "Layer 1 To Space" "Layer 1" switch(false),
        "Sends layer 1 into space (never a binaural one).";
    L1_AZIMUTH "l1_azimuth" "Layer 1 Azimuth" "Layer 1" AZIMUTH_VALUES,
        "Direction of layer 1 in space, positive to the left.";
    L1_ELEVATION "l1_elevation" "Layer 1 Elevation" "Layer 1" ELEVATION_VALUES,
        "Height of layer 1 in space, positive up.";
    L1_DISTANCE "l1_distance" "Layer 1 Distance" "Layer 1" DISTANCE_VALUES,
        "Distance of layer 1 in space.";
    L2_KIND "l2_kind" "Layer 2 Kind" "Layer 2" KINDS,
        "What layer 2 generates.";
    L2_RATIO "l2_ratio" "Layer 2 Ratio" "Layer 2" RATIO,
        "Beat of layer 2 as a multiple of the beat.";
    L2_INTERVAL "l2_interval" "Layer 2 Interval" "Layer 2" INTERVAL,
        "Semitones from the carrier to that of layer 2, cents as decimals.";
    L2_LEVEL "l2_level" "Layer 2 Level" "Layer 2" LAYER_LEVEL,
        "Peak level of layer 2 in each ear in dBFS (noise: RMS).";
    L2_WAVE "l2_wave" "Layer 2 Wave" "Layer 2" WAVES,
        "Wave of the tones of layer 2, band-limited.";
    L2_DUTY "l2_duty" "Layer 2 Duty" "Layer 2" DUTY,
        "Share of the cycle that layer 2 is on, or on the left.";
    L2_RAMP "l2_ramp" "Layer 2 Ramp" "Layer 2" RAMP,
        "Length of the raised-cosine flanks of layer 2's pulses.";
    L2_SWAP "l2_swap" "Layer 2 Swap Ears" "Layer 2" switch(false),
        "Exchanges the ears of layer 2.";
    L2_SPACE "l2_space" "Layer 2 To Space" "Layer 2" switch(false),
        "Sends layer 2 into space (never a binaural one).";
    L2_AZIMUTH "l2_azimuth" "Layer 2 Azimuth" "Layer 2" AZIMUTH_VALUES,
        "Direction of layer 2 in space, positive to the left.";
    L2_ELEVATION "l2_elevation" "Layer 2 Elevation" "Layer 2" ELEVATION_VALUES,
        "Height of layer 2 in space, positive up.";
    L2_DISTANCE "l2_distance" "Layer 2 Distance" "Layer 2" DISTANCE_VALUES,
        "Distance of layer 2 in space.";
    L3_KIND "l3_kind" "Layer 3 Kind" "Layer 3" KINDS,
        "What layer 3 generates.";
    L3_RATIO "l3_ratio" "Layer 3 Ratio" "Layer 3" RATIO,
        "Beat of layer 3 as a multiple of the beat.";
    L3_INTERVAL "l3_interval" "Layer 3 Interval" "Layer 3" INTERVAL,
        "Semitones from the carrier to that of layer 3, cents as decimals.";
    L3_LEVEL "l3_level" "Layer 3 Level" "Layer 3" LAYER_LEVEL,
        "Peak level of layer 3 in each ear in dBFS (noise: RMS).";
    L3_WAVE "l3_wave" "Layer 3 Wave" "Layer 3" WAVES,
        "Wave of the tones of layer 3, band-limited.";
    L3_DUTY "l3_duty" "Layer 3 Duty" "Layer 3" DUTY,
        "Share of the cycle that layer 3 is on, or on the left.";
    L3_RAMP "l3_ramp" "Layer 3 Ramp" "Layer 3" RAMP,
        "Length of the raised-cosine flanks of layer 3's pulses.";
    L3_SWAP "l3_swap" "Layer 3 Swap Ears" "Layer 3" switch(false),
        "Exchanges the ears of layer 3.";
    L3_SPACE "l3_space" "Layer 3 To Space" "Layer 3" switch(false),
        "Sends layer 3 into space (never a binaural one).";
    L3_AZIMUTH "l3_azimuth" "Layer 3 Azimuth" "Layer 3" AZIMUTH_VALUES,
        "Direction of layer 3 in space, positive to the left.";
    L3_ELEVATION "l3_elevation" "Layer 3 Elevation" "Layer 3" ELEVATION_VALUES,
        "Height of layer 3 in space, positive up.";
    L3_DISTANCE "l3_distance" "Layer 3 Distance" "Layer 3" DISTANCE_VALUES,
        "Distance of layer 3 in space.";
    L4_KIND "l4_kind" "Layer 4 Kind" "Layer 4" KINDS,
        "What layer 4 generates.";
    L4_RATIO "l4_ratio" "Layer 4 Ratio" "Layer 4" RATIO,
        "Beat of layer 4 as a multiple of the beat.";
    L4_INTERVAL "l4_interval" "Layer 4 Interval" "Layer 4" INTERVAL,
        "Semitones from the carrier to that of layer 4, cents as decimals.";
    L4_LEVEL "l4_level" "Layer 4 Level" "Layer 4" LAYER_LEVEL,
        "Peak level of layer 4 in each ear in dBFS (noise: RMS).";
    L4_WAVE "l4_wave" "Layer 4 Wave" "Layer 4" WAVES,
        "Wave of the tones of layer 4, band-limited.";
    L4_DUTY "l4_duty" "Layer 4 Duty" "Layer 4" DUTY,
        "Share of the cycle that layer 4 is on, or on the left.";
    L4_RAMP "l4_ramp" "Layer 4 Ramp" "Layer 4" RAMP,
        "Length of the raised-cosine flanks of layer 4's pulses.";
    L4_SWAP "l4_swap" "Layer 4 Swap Ears" "Layer 4" switch(false),
        "Exchanges the ears of layer 4.";
    L4_SPACE "l4_space" "Layer 4 To Space" "Layer 4" switch(false),
        "Sends layer 4 into space (never a binaural one).";
    L4_AZIMUTH "l4_azimuth" "Layer 4 Azimuth" "Layer 4" AZIMUTH_VALUES,
        "Direction of layer 4 in space, positive to the left.";
    L4_ELEVATION "l4_elevation" "Layer 4 Elevation" "Layer 4" ELEVATION_VALUES,
        "Height of layer 4 in space, positive up.";
    L4_DISTANCE "l4_distance" "Layer 4 Distance" "Layer 4" DISTANCE_VALUES,
        "Distance of layer 4 in space.";
    PROG_KIND "prog_kind" "Program Kind" "Program"
        choice(&["off", "amplitude", "bilateral", "shift", "sweep"], PROGRAM_OFF),
        "What the beat does to the incoming audio.";
    PROG_RATIO "prog_ratio" "Program Ratio" "Program" RATIO,
        "Beat of the treatment as a multiple of the beat.";
    PROG_DEPTH "prog_depth" "Program Depth" "Program" number(0.0, 1.0, 1.0, 3, ""),
        "Depth of the treatment; 0 leaves the audio untouched.";
    PROG_SHAPE "prog_shape" "Program Shape" "Program" choice(&["sine", "pulse"], 0),
        "How amplitude, bilateral and sweep move over the cycle.";
    PROG_DUTY "prog_duty" "Program Duty" "Program" DUTY,
        "Share of the cycle that the pulse is up, or on the left.";
    PROG_RAMP "prog_ramp" "Program Ramp" "Program" RAMP,
        "Length of the raised-cosine flanks of the pulse.";
    PROG_LOW "prog_low" "Program Low" "Program" number(0.0, 2000.0, 0.0, 1, "Hz"),
        "Lower edge of the band that is treated (0: none); for sweep the low end of its travel (0: 200 Hz).";
    PROG_HIGH "prog_high" "Program High" "Program" number(200.0, 20_000.0, 20_000.0, 1, "Hz"),
        "Upper edge of the band that is treated (20000: none); for sweep the high end (20000: 5 kHz).";
    PROG_LEVEL "prog_level" "Program Level" "Program" level(-80.0, 12.0, 0.0),
        "Level of the incoming audio; the lowest value is silence.";
    NOISE_KIND "noise_kind" "Noise Kind" "Noise" choice(&["off", "white", "pink", "brown"], NOISE_OFF),
        "Colour of the noise bed.";
    NOISE_LEVEL "noise_level" "Noise Level" "Noise" level(-80.0, 0.0, -30.0),
        "RMS level of the noise bed in each ear, in dBFS.";
    NOISE_WIDTH "noise_width" "Noise Width" "Noise" number(0.0, 1.0, 1.0, 3, ""),
        "Stereo width of the noise bed: 0 is mono, 1 independent noises.";
    SPACE_KIND "space_kind" "Space" "Space" choice(&["off", "hrtf", "ambisonic"], SPACE_OFF),
        "How the audio and the layers sent to space are rendered to two ears.";
    ORDER "order" "Ambisonic Order" "Space" number(1.0, 7.0, 3.0, 0, ""),
        "Order in which space is ambisonic: higher is sharper; never above that of the bus that comes in.";
    BUS_FORMAT "bus_format" "Bus Format" "Space" choice(&["sn3d", "n3d", "fuma"], 0),
        "Normalisation of the ambisonic bus that comes in; fuma has its own order of channels, up to order 3.";
    AZIMUTH "azimuth" "Azimuth" "Space" AZIMUTH_VALUES,
        "Direction of the incoming audio, positive to the left.";
    ELEVATION "elevation" "Elevation" "Space" ELEVATION_VALUES,
        "Height of the incoming audio, positive up.";
    DISTANCE "distance" "Distance" "Space" DISTANCE_VALUES,
        "Distance of the incoming audio.";
    WIDTH "width" "Width" "Space" number(0.0, 360.0, 60.0, 2, "deg"),
        "Angle between the two virtual speakers of the incoming audio.";
    MOTION "motion" "Motion" "Space" choice(&["still", "orbit", "swing"], MOTION_STILL),
        "How the incoming audio moves: around the head, or to and fro.";
    MOTION_SOURCE "motion_source" "Motion Source" "Space" choice(&["hz", "beat"], MOTION_HZ),
        "Where the rate of the motion comes from: Motion Rate, or the beat and Motion Ratio.";
    MOTION_RATE "motion_rate" "Motion Rate" "Space" number(0.0, 10.0, 0.1, 3, "Hz"),
        "Turns, or swings, a second.";
    MOTION_RATIO "motion_ratio" "Motion Ratio" "Space" logarithmic(0.0625, 4.0, 1.0, 4, ""),
        "Rate of the motion as a multiple of the beat; motion never exceeds 10 turns a second.";
    MOTION_DEPTH "motion_depth" "Motion Depth" "Space" number(0.0, 180.0, 90.0, 2, "deg"),
        "How far to each side a swing goes.";
    HRTF_EQ "hrtf_eq" "HRTF Equalisation" "Space" choice(&["off", "diffuse"], 1),
        "Takes the colour that all directions share out of the filters (diffuse-field equalisation).";
    ROOM "room" "Room" "Room" number(0.0, 1.0, 0.0, 3, ""),
        "How much of a room is heard around what is in space; 0 is none.";
    ROOM_SIZE "room_size" "Room Size" "Room" number(2.0, 30.0, 6.0, 2, "m"),
        "Length of the room.";
    ROOM_DECAY "room_decay" "Room Decay" "Room" number(0.1, 5.0, 0.4, 3, "s"),
        "Time in which the room's sound falls by 60 dB, in every octave up to 4 kHz.";
    HEAD_YAW "head_yaw" "Head Yaw" "Head" number(-180.0, 180.0, 0.0, 2, "deg"),
        "Turns the head; positive to the left.";
    HEAD_PITCH "head_pitch" "Head Pitch" "Head" number(-90.0, 90.0, 0.0, 2, "deg"),
        "Tilts the head; positive looks up.";
    HEAD_ROLL "head_roll" "Head Roll" "Head" number(-180.0, 180.0, 0.0, 2, "deg"),
        "Rolls the head; positive puts the right ear down.";
    HEAD_TRACK "head_track" "Head Tracking" "Head" switch(true),
        "Turns the head with a head tracker, on top of the angles; without one it does nothing.";
    PROTOCOL_ON "protocol_on" "Protocol On" "Protocol" switch(false),
        "Plays the timeline of the preset, which wins over the host's values of what it moves.";
    PROTOCOL_LOOP "protocol_loop" "Protocol Loop" "Protocol" switch(false),
        "Begins the timeline anew at its end.";
    GATE_ON "gate_on" "Gate On" "Gate" switch(false),
        "Turns the incoming audio down while it is below the threshold.";
    GATE_THRESHOLD "gate_threshold" "Gate Threshold" "Gate" number(-80.0, 0.0, -50.0, 2, "dB"),
        "Peak level below which the gate closes, in dBFS.";
    GATE_RANGE "gate_range" "Gate Range" "Gate" number(0.0, 80.0, 40.0, 2, "dB"),
        "How far the closed gate turns the audio down.";
    GATE_HOLD "gate_hold" "Gate Hold" "Gate" number(0.0, 2000.0, 100.0, 1, "ms"),
        "How long the gate stays open after the last peak above the threshold.";
    LEVELLER_ON "leveller_on" "Leveller On" "Leveller" switch(false),
        "Brings the incoming audio slowly to a loudness.";
    LEVELLER_TARGET "leveller_target" "Leveller Target" "Leveller" number(-40.0, -8.0, -20.0, 2, "LUFS"),
        "The loudness to come to (ITU-R BS.1770).";
    LEVELLER_SPEED "leveller_speed" "Leveller Speed" "Leveller" number(0.5, 60.0, 10.0, 2, "s"),
        "Time over which the leveller averages; it waits in pauses.";
    A_ON "a_on" "Insert A" "Insert A" switch(true),
        "Lets the node of insert A, which treats the incoming audio before space, be heard.";
    A_1 "a_1" "Insert A 1" "Insert A" MACRO,
        "Moves the first parameter of the node of insert A over its range.";
    A_2 "a_2" "Insert A 2" "Insert A" MACRO,
        "Moves the second parameter of the node of insert A over its range.";
    A_3 "a_3" "Insert A 3" "Insert A" MACRO,
        "Moves the third parameter of the node of insert A over its range.";
    A_4 "a_4" "Insert A 4" "Insert A" MACRO,
        "Moves the fourth parameter of the node of insert A over its range.";
    B_ON "b_on" "Insert B" "Insert B" switch(true),
        "Lets the node of insert B, which treats everything before the ceiling, be heard.";
    B_1 "b_1" "Insert B 1" "Insert B" MACRO,
        "Moves the first parameter of the node of insert B over its range.";
    B_2 "b_2" "Insert B 2" "Insert B" MACRO,
        "Moves the second parameter of the node of insert B over its range.";
    B_3 "b_3" "Insert B 3" "Insert B" MACRO,
        "Moves the third parameter of the node of insert B over its range.";
    B_4 "b_4" "Insert B 4" "Insert B" MACRO,
        "Moves the fourth parameter of the node of insert B over its range.";
}

/// The ids of one insert.
#[derive(Debug, Clone, Copy)]
pub struct InsertIds {
    /// Whether its node is heard.
    pub on: ControlId,
    /// What moves the node's first parameters.
    pub macros: [ControlId; 4],
}

impl InsertIds {
    /// Whether a control is one of these.
    pub fn has(&self, control: ControlId) -> bool {
        self.on == control || self.macros.contains(&control)
    }
}

/// The ids of inserts A and B.
pub const INSERTS: [InsertIds; 2] = [
    InsertIds {
        on: A_ON,
        macros: [A_1, A_2, A_3, A_4],
    },
    InsertIds {
        on: B_ON,
        macros: [B_1, B_2, B_3, B_4],
    },
];

/// The ids of the layers.
pub const LAYER: [LayerIds; LAYERS] = [
    LayerIds {
        kind: L1_KIND,
        ratio: L1_RATIO,
        interval: L1_INTERVAL,
        level: L1_LEVEL,
        wave: L1_WAVE,
        duty: L1_DUTY,
        ramp: L1_RAMP,
        swap: L1_SWAP,
        space: L1_SPACE,
        azimuth: L1_AZIMUTH,
        elevation: L1_ELEVATION,
        distance: L1_DISTANCE,
    },
    LayerIds {
        kind: L2_KIND,
        ratio: L2_RATIO,
        interval: L2_INTERVAL,
        level: L2_LEVEL,
        wave: L2_WAVE,
        duty: L2_DUTY,
        ramp: L2_RAMP,
        swap: L2_SWAP,
        space: L2_SPACE,
        azimuth: L2_AZIMUTH,
        elevation: L2_ELEVATION,
        distance: L2_DISTANCE,
    },
    LayerIds {
        kind: L3_KIND,
        ratio: L3_RATIO,
        interval: L3_INTERVAL,
        level: L3_LEVEL,
        wave: L3_WAVE,
        duty: L3_DUTY,
        ramp: L3_RAMP,
        swap: L3_SWAP,
        space: L3_SPACE,
        azimuth: L3_AZIMUTH,
        elevation: L3_ELEVATION,
        distance: L3_DISTANCE,
    },
    LayerIds {
        kind: L4_KIND,
        ratio: L4_RATIO,
        interval: L4_INTERVAL,
        level: L4_LEVEL,
        wave: L4_WAVE,
        duty: L4_DUTY,
        ramp: L4_RAMP,
        swap: L4_SWAP,
        space: L4_SPACE,
        azimuth: L4_AZIMUTH,
        elevation: L4_ELEVATION,
        distance: L4_DISTANCE,
    },
];
