//! What air takes from the high frequencies of a distant source.

use std::f64::consts::TAU;

/// Nearer than this, in metres, air takes nothing.
const FROM: f64 = 2.0;

/// Where the filter meets the standard, in hertz (or a quarter of a low sample rate).
const MATCHED: f64 = 8000.0;

/// The lag that suits 48 kHz is 1 frame; lags longer than 4 would leave the delay's window, so that above
/// 192 kHz the filter acts too high up and takes less than air does.
const LONGEST_LAG: f64 = 4.0;

/// Air as three taps, `share`, 1 - 2 `share`, `share`, `lag` frames apart: a raised cosine over frequency,
/// whose square law near zero is that of the air. It is made part of the delay's taps, costs nothing and has
/// linear phase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::dsp) struct Air {
    /// Loss in dB per metre where it is matched.
    loss: f64,
    /// 2 (1 - cos) there.
    depth: f64,
    /// Frames between the taps.
    pub lag: usize,
}

impl Air {
    /// At a sample rate in hertz.
    pub fn new(rate: f64) -> Air {
        let frequency = MATCHED.min(rate / 4.0);
        let lag = (rate / 48_000.0).round().clamp(1.0, LONGEST_LAG);
        Air {
            loss: attenuation(frequency),
            depth: 2.0 - 2.0 * (TAU * frequency * lag / rate).cos(),
            lag: lag as usize,
        }
    }

    /// The outer taps for a distance in metres: 0 up to 2 m, from there without a kink, at most 1/4.
    pub fn share(&self, distance: f64) -> f64 {
        if distance <= FROM {
            return 0.0;
        }
        // The way beyond 2 m, eased in.
        let way = (distance - FROM) * (distance - FROM) / distance;
        let gain = 10f64.powf(-self.loss * way / 20.0);
        ((1.0 - gain) / self.depth).min(0.25)
    }
}

/// Attenuation of air in dB per metre at a frequency in hertz: ISO 9613-1:1993, equations 3 to 5, at 20
/// degrees Celsius, 50 % relative humidity and 101.325 kPa.
fn attenuation(frequency: f64) -> f64 {
    // Kelvin; the reference temperature of the standard is 20 degrees too, so ratios of the two are 1.
    const TEMPERATURE: f64 = 293.15;
    const TRIPLE_POINT: f64 = 273.16;
    const HUMIDITY: f64 = 50.0;
    let saturation = 10f64.powf(-6.8346 * (TRIPLE_POINT / TEMPERATURE).powf(1.261) + 4.6151);
    let h = HUMIDITY * saturation;
    let oxygen = 24.0 + 4.04e4 * h * (0.02 + h) / (0.391 + h);
    let nitrogen = 9.0 + 280.0 * h;
    let squared = frequency * frequency;
    let relaxed = |frequency: f64, strength: f64, temperature: f64| {
        strength * (-temperature / TEMPERATURE).exp() / (frequency + squared / frequency)
    };
    let classic = 1.84e-11;
    8.686
        * squared
        * (classic + relaxed(oxygen, 0.012_75, 2239.1) + relaxed(nitrogen, 0.1068, 3352.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_is_met() {
        // ISO 9613-1 table 1, 20 degrees, 50 %: dB per kilometre.
        for (frequency, table) in [(1000.0, 4.66), (4000.0, 29.4), (7943.0, 103.0)] {
            let loss = 1000.0 * attenuation(frequency);
            assert!((loss / table - 1.0f64).abs() < 0.03, "{frequency}: {loss}");
        }
    }

    #[test]
    fn the_filter_follows_it_and_is_off_near_by() {
        for rate in [8e3, 44.1e3, 48e3, 96e3, 192e3, 768e3] {
            let air = Air::new(rate);
            assert_eq!(air.share(1.0), 0.0);
            assert!(air.share(2.001) < 1e-6);
            let steps = (0..200).map(|step| air.share(f64::from(step) / 10.0));
            assert!(steps.clone().is_sorted() && steps.clone().all(|share| share <= 0.25));
            if rate > 40e3 && rate < 200e3 {
                let share = air.share(20.0);
                let gain =
                    |f: f64| 1.0 - 2.0 * share * (1.0 - (TAU * f * air.lag as f64 / rate).cos());
                for frequency in [2e3, 4e3, 8e3, 12e3] {
                    let due = -16.2 * attenuation(frequency);
                    let is = 20.0 * gain(frequency).log10();
                    assert!((is - due).abs() < 0.7, "{rate} {frequency}: {is} {due}");
                }
            }
        }
    }
}
