//! A set of head-related impulse responses as it was measured, before anything is done to it.

/// What a set says of itself; empty where it says nothing.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct About {
    /// Title, or the name of the database and the listener.
    pub title: String,
    /// Convention, as "SimpleFreeFieldHRIR 1.0".
    pub convention: String,
    /// Who made it.
    pub author: String,
    /// Terms of use.
    pub license: String,
    /// Organisation.
    pub organization: String,
}

/// Responses of two ears from some directions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Raw {
    /// What the set says of itself.
    pub about: About,
    /// Sample rate in hertz.
    pub rate: f64,
    /// Azimuth (degrees, to the left), elevation (degrees, up) and distance (metres) of each measurement.
    pub positions: Vec<[f64; 3]>,
    /// Length of each response.
    pub taps: usize,
    /// Responses, measurements x 2 ears (left first) x taps.
    pub responses: Vec<f32>,
    /// Delays that come on top, in frames: measurements x 2 ears, or none.
    pub delays: Vec<[f64; 2]>,
}

/// Most measurements of a set: those every degree have 64 800, and no sphere needs more.
pub(super) const MOST: usize = 300_000;

/// Largest sample that a response may hold; beyond it the file is in another unit or damaged.
const LOUDEST: f32 = 1e6;

/// Longest delay in seconds.
const LATEST: f64 = 1.0;

/// Sample rates of measurements, in hertz.
const RATES: std::ops::RangeInclusive<f64> = 2_000.0..=1_000_000.0;

impl Raw {
    /// The response of one ear (0 left, 1 right) in one measurement.
    pub fn response(&self, measurement: usize, ear: usize) -> &[f32] {
        let start = (measurement * 2 + ear) * self.taps;
        &self.responses[start..start + self.taps]
    }

    /// Delay of one ear in one measurement, in frames.
    pub fn delay(&self, measurement: usize, ear: usize) -> f64 {
        self.delays.get(measurement).map_or(0.0, |ears| ears[ear])
    }

    /// Says whether there are too many measurements, which need not have been read for that.
    pub(super) fn check_count(count: usize) -> Result<(), String> {
        if count <= MOST {
            return Ok(());
        }
        Err(format!(
            "holds {count} measurements; sets of up to {MOST} are read, and one every two degrees is as good"
        ))
    }

    /// Says what of these numbers makes no set, if anything does.
    ///
    /// # Errors
    /// Which numbers, and what they should be.
    pub fn check(&self) -> Result<(), String> {
        let count = self.positions.len();
        Raw::check_count(count)?;
        if count == 0 || self.taps == 0 {
            return Err(format!(
                "holds {count} responses of {} samples; a set needs at least one of each",
                self.taps
            ));
        }
        if !RATES.contains(&self.rate) {
            return Err(format!(
                "gives {} Hz as its sample rate; {} to {} Hz are possible",
                self.rate,
                RATES.start(),
                RATES.end()
            ));
        }
        let expected = count.checked_mul(2).and_then(|n| n.checked_mul(self.taps));
        if expected != Some(self.responses.len()) {
            return Err(format!(
                "has {} samples where {count} positions x 2 ears x {} taps should be",
                self.responses.len(),
                self.taps
            ));
        }
        if !self.delays.is_empty() && self.delays.len() != count {
            return Err(format!(
                "has {} delays for {count} positions; one for each, or one for all, is right",
                self.delays.len()
            ));
        }
        let placed = |[azimuth, elevation, distance]: &[f64; 3]| {
            azimuth.abs() <= 3600.0
                && elevation.abs() <= 90.001
                && (0.0..=1e6).contains(distance)
                && *distance > 0.0
        };
        if let Some(wrong) = self.positions.iter().position(|p| !placed(p)) {
            let [azimuth, elevation, distance] = self.positions[wrong];
            return Err(format!(
                "measurement {wrong} is at azimuth {azimuth}, elevation {elevation}, distance {distance} m, \
                 which is no place around a head"
            ));
        }
        let usable = |x: &f32| x.abs() <= LOUDEST;
        if let Some(wrong) = self.responses.iter().position(|x| !usable(x)) {
            return Err(format!(
                "measurement {} has the sample {}; responses are finite, around 1 or below",
                wrong / (2 * self.taps),
                self.responses[wrong]
            ));
        }
        let late = |delay: &f64| delay.is_nan() || delay.abs() > LATEST * self.rate;
        if let Some(wrong) = self.delays.iter().position(|ears| ears.iter().any(late)) {
            return Err(format!(
                "measurement {wrong} is delayed by {:?} samples; up to {LATEST} s is possible",
                self.delays[wrong]
            ));
        }
        if self.responses.iter().all(|x| *x == 0.0) {
            return Err("all its responses are silent".to_owned());
        }
        Ok(())
    }
}
