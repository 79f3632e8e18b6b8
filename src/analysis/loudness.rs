//! Loudness and peaks of a stream, after ITU-R BS.1770 and EBU R 128, by the `ebur128` crate.

use super::to_db;
use ebur128::{EbuR128, Mode};

/// Why a signal cannot be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoudnessError {
    /// The meter takes 1 to 64 channels at 16 Hz to 2.8 MHz.
    Format {
        /// Channels asked for.
        channels: usize,
        /// Rate asked for, in hertz.
        rate: u32,
    },
}

impl std::fmt::Display for LoudnessError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let LoudnessError::Format { channels, rate } = self;
        write!(
            f,
            "loudness cannot be measured on {channels} channels at {rate} Hz"
        )
    }
}

impl std::error::Error for LoudnessError {}

/// What a [`LoudnessMeter`] has measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Loudness {
    /// Integrated loudness in LUFS; `None` where nothing passes the gate (silence, less than 0.4 s).
    pub integrated: Option<f64>,
    /// Highest sample of each channel in dBFS.
    pub sample_peak: Vec<f64>,
    /// True peak of each channel in dBTP, by oversampling.
    pub true_peak: Vec<f64>,
}

/// Measures a stream chunk by chunk; memory grows with 80 bytes per second of audio.
pub struct LoudnessMeter {
    meter: EbuR128,
    planes: Vec<Vec<f32>>,
}

impl LoudnessMeter {
    /// A meter for `channels` channels (1 mono, 2 stereo) at `rate` hertz.
    ///
    /// # Errors
    /// [`LoudnessError`] for formats that cannot be measured.
    pub fn new(channels: usize, rate: u32) -> Result<LoudnessMeter, LoudnessError> {
        let refused = LoudnessError::Format { channels, rate };
        let count = u32::try_from(channels).map_err(|_| refused)?;
        let meter = EbuR128::new(count, rate, Mode::I | Mode::SAMPLE_PEAK | Mode::TRUE_PEAK)
            .map_err(|_| refused)?;
        Ok(LoudnessMeter {
            meter,
            planes: vec![Vec::new(); channels],
        })
    }

    /// Adds one chunk: a slice per channel, all of the same length.
    pub fn push(&mut self, channels: &[&[f32]]) {
        debug_assert_eq!(channels.len(), self.planes.len());
        for (plane, channel) in self.planes.iter_mut().zip(channels) {
            plane.clear();
            plane.extend(channel.iter().map(|&x| if x.is_finite() { x } else { 0.0 }));
        }
        let planes: Vec<&[f32]> = self.planes.iter().map(Vec::as_slice).collect();
        let added = self.meter.add_frames_planar_f32(&planes);
        debug_assert!(added.is_ok(), "the number of channels is that of new()");
    }

    /// The figures of everything pushed so far.
    pub fn measure(&self) -> Loudness {
        let integrated = self
            .meter
            .loudness_global()
            .ok()
            .filter(|lufs| lufs.is_finite());
        let channels = 0..self.planes.len() as u32;
        Loudness {
            integrated,
            sample_peak: channels
                .clone()
                .map(|c| to_db(self.meter.sample_peak(c).unwrap_or(0.0)))
                .collect(),
            true_peak: channels
                .map(|c| to_db(self.meter.true_peak(c).unwrap_or(0.0)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stereo_tone_of_997_hz_reads_its_level() {
        // EBU Tech 3341, case 1: a stereo tone of -23 dBFS peak per channel reads -23 LUFS.
        let amplitude = 10f64.powf(-23.0 / 20.0);
        let tone: Vec<f32> = (0..480_000)
            .map(|n| (amplitude * (std::f64::consts::TAU * 997.0 * n as f64 / 48e3).sin()) as f32)
            .collect();
        let mut meter = LoudnessMeter::new(2, 48_000).unwrap();
        for chunk in tone.chunks(777) {
            meter.push(&[chunk, chunk]);
        }
        let found = meter.measure();
        assert!((found.integrated.unwrap() + 23.0).abs() < 0.1, "{found:?}");
        assert!((found.sample_peak[0] + 23.0).abs() < 0.01);
        assert!((found.true_peak[1] + 23.0).abs() < 0.1);
    }

    #[test]
    fn silence_and_damage_have_no_loudness() {
        for sample in [0.0, f32::NAN] {
            let mut meter = LoudnessMeter::new(1, 48_000).unwrap();
            meter.push(&[&[]]);
            meter.push(&[&[sample; 48_000]]);
            let found = meter.measure();
            assert_eq!(found.integrated, None);
            assert_eq!(found.sample_peak, [f64::NEG_INFINITY]);
        }
        assert!(LoudnessMeter::new(0, 48_000).is_err());
        assert!(LoudnessMeter::new(2, 0).is_err());
    }
}
