//! The part of `zeitgeber analyze` that names treatments.

use serde::Serialize;
use zeitgeber::analysis::treatment::{Rate, Shape, Treatments};

/// What `--json` prints under "treatments": null for what is not there.
#[derive(Serialize)]
pub struct Report {
    amplitude: Option<Amplitude>,
    bilateral: Option<Bilateral>,
    shift: Option<Shift>,
    sweep: Option<Ranged>,
    pulsation: Option<Ranged>,
}

/// A rate and how sure it is.
#[derive(Serialize)]
struct Found {
    /// Positive, but of a shift negative where the left ear is higher.
    hz: f64,
    /// One standard deviation.
    uncertainty_hz: f64,
    /// Its line above the surroundings.
    above_db: f64,
}

/// A tremolo.
#[derive(Serialize)]
struct Amplitude {
    #[serde(flatten)]
    rate: Found,
    /// 0-1: the gain runs between 1 and 1 - depth.
    depth: f64,
    /// "sine" or "pulse".
    shape: &'static str,
    /// Of a pulse, in percent; null for a sine.
    duty: Option<f64>,
    low_hz: f64,
    high_hz: f64,
}

/// Sides that alternate.
#[derive(Serialize)]
struct Bilateral {
    #[serde(flatten)]
    rate: Found,
    /// 0-1: the share of the way to one side.
    depth: f64,
}

/// A frequency shift between the ears.
#[derive(Serialize)]
struct Shift {
    #[serde(flatten)]
    rate: Found,
    /// 0-1: how much takes part.
    coherence: f64,
    low_hz: f64,
    high_hz: f64,
}

/// What has a range and nothing else.
#[derive(Serialize)]
struct Ranged {
    #[serde(flatten)]
    rate: Found,
    low_hz: f64,
    high_hz: f64,
}

impl From<Rate> for Found {
    fn from(rate: Rate) -> Found {
        Found {
            hz: rate.hz,
            uncertainty_hz: rate.uncertainty,
            above_db: rate.above,
        }
    }
}

impl Ranged {
    fn new(rate: Rate, (low_hz, high_hz): (f64, f64)) -> Ranged {
        Ranged {
            rate: rate.into(),
            low_hz,
            high_hz,
        }
    }
}

impl From<Treatments> for Report {
    fn from(found: Treatments) -> Report {
        Report {
            amplitude: found.amplitude.map(|found| Amplitude {
                rate: found.rate.into(),
                depth: found.depth,
                shape: match found.shape {
                    Shape::Sine => "sine",
                    Shape::Pulse { .. } => "pulse",
                },
                duty: match found.shape {
                    Shape::Sine => None,
                    Shape::Pulse { duty } => Some(duty),
                },
                low_hz: found.range.0,
                high_hz: found.range.1,
            }),
            bilateral: found.bilateral.map(|found| Bilateral {
                rate: found.rate.into(),
                depth: found.depth,
            }),
            shift: found.shift.map(|found| Shift {
                rate: found.beat.into(),
                coherence: found.coherence,
                low_hz: found.range.0,
                high_hz: found.range.1,
            }),
            sweep: found
                .sweep
                .map(|found| Ranged::new(found.rate, found.range)),
            pulsation: found
                .pulsation
                .map(|found| Ranged::new(found.rate, found.range)),
        }
    }
}

impl Report {
    /// A line for each treatment; nothing where there is none. `hertz` writes a frequency with the
    /// decimals of its uncertainty.
    pub fn text(&self, hertz: impl Fn(f64, f64) -> String) -> String {
        let mut text = String::new();
        let mut line = |name: &str, rate: &Found, what: String| {
            let (hz, db) = (hertz(rate.hz, rate.uncertainty_hz), rate.above_db);
            text += &format!("{name:10}{hz} {what}; {db:.0} dB above its surroundings\n");
        };
        if let Some(found) = &self.amplitude {
            let duty = found
                .duty
                .map_or(String::new(), |duty| format!(" of {duty:.0} %"));
            let (depth, shape) = (found.depth, found.shape);
            let range = range(found.low_hz, found.high_hz);
            let what = format!("tremolo, {shape}{duty}, depth {depth:.2}, {range}");
            line("amplitude", &found.rate, what);
        }
        if let Some(found) = &self.bilateral {
            let what = format!("sides alternate, depth {:.2}", found.depth);
            line("bilateral", &found.rate, what);
        }
        if let Some(found) = &self.shift {
            let higher = if found.rate.hz > 0.0 { "right" } else { "left" };
            let (coherence, range) = (found.coherence, range(found.low_hz, found.high_hz));
            let what = format!("{higher} ear higher, coherence {coherence:.2}, {range}");
            line("shift", &found.rate, what);
        }
        if let Some(found) = &self.sweep {
            let what = format!(
                "low-pass sweeps, about {}",
                range(found.low_hz, found.high_hz)
            );
            line("sweep", &found.rate, what);
        }
        if let Some(found) = &self.pulsation {
            let range = range(found.low_hz, found.high_hz);
            let what = format!("pulsates, {range}");
            line("rhythm", &found.rate, what);
        }
        text
    }
}

fn range(low: f64, high: f64) -> String {
    format!("{low:.0}-{high:.0} Hz")
}
