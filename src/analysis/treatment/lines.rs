//! Narrow lines in the spectrum of a slow series: found, refined, measured.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;
use std::f64::consts::TAU;

/// A line stands above the median of its surroundings by this power ratio (16 dB). Noise exceeds its
/// median so far once in 1e12 bins.
const ABOVE_SURROUNDINGS: f64 = 40.0;

/// And beside its own lobe there is at most this share of its power: what is wider is no line.
const BESIDE: f64 = 0.1;

/// A line of a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Hertz; negative where a complex series turns backwards.
    pub frequency: f64,
    /// Power ratio to its surroundings.
    pub above: f64,
}

impl Line {
    /// The line with its frequency where `series` is strongest.
    pub fn refined(self, series: &Series) -> Line {
        let power = |frequency: f64| series.at(frequency).norm_sqr();
        Line {
            frequency: summit(self.frequency, 0.6 / series.seconds(), power),
            ..self
        }
    }
}

/// A series under a Hann window, in which what has no weight is left out.
pub(super) struct Series {
    rate: f64,
    values: Vec<Complex<f64>>,
    weight: f64,
}

impl Series {
    /// The series of `values` at `rate` hertz; what is `None` is a gap.
    pub fn new(rate: f64, values: impl ExactSizeIterator<Item = Option<Complex<f64>>>) -> Series {
        let (length, mut weight) = (values.len(), 0.0);
        let weighed = values.enumerate().map(|(n, value)| {
            let hann = 1.0 - (TAU * (n as f64 + 0.5) / length as f64).cos();
            value.map_or(Complex::default(), |value| {
                weight += hann;
                value * hann
            })
        });
        let values = weighed.collect();
        Series {
            rate,
            values,
            weight,
        }
    }

    /// The mean of series of equal length.
    pub fn mean(series: &[Series]) -> Series {
        let mut mean = Series {
            rate: series[0].rate,
            values: vec![Complex::default(); series[0].values.len()],
            weight: 0.0,
        };
        for series in series {
            let sums = mean.values.iter_mut().zip(&series.values);
            sums.for_each(|(sum, value)| *sum += value);
            mean.weight += series.weight;
        }
        mean
    }

    /// Seconds.
    pub fn seconds(&self) -> f64 {
        self.values.len() as f64 / self.rate
    }

    /// Amplitude of the turning part at `frequency` hertz.
    pub fn at(&self, frequency: f64) -> Complex<f64> {
        let step = Complex::from_polar(1.0, -TAU * (frequency / self.rate).fract());
        let (mut turn, mut sum) = (Complex::new(1.0, 0.0), Complex::default());
        for value in &self.values {
            sum += value * turn;
            turn *= step;
        }
        if self.weight > 0.0 {
            sum / self.weight
        } else {
            sum
        }
    }

    /// Root mean square of what is beside a line at `frequency`, outside its lobe.
    pub fn noise(&self, frequency: f64) -> f64 {
        let bin = 1.0 / self.seconds();
        let beside = [-7.5, -6.3, -5.2, -4.1, -3.0, 3.0, 4.1, 5.2, 6.3, 7.5];
        let power: f64 = beside
            .iter()
            .map(|bins| self.at(frequency + bins * bin).norm_sqr())
            .sum();
        (power / beside.len() as f64).sqrt()
    }

    /// Power per bin and the bin in hertz: of frequencies from 0 up, and from 0 down.
    pub fn power(&self) -> ([Vec<f64>; 2], f64) {
        let size = (2 * self.values.len()).next_power_of_two().max(16);
        let fft = RealFftPlanner::new().plan_fft_forward(size);
        let transformed = |part: fn(&Complex<f64>) -> f64| {
            let mut input: Vec<f64> = self.values.iter().map(part).collect();
            input.resize(size, 0.0);
            let mut output = fft.make_output_vec();
            // Both lengths come from the plan itself.
            let done = fft.process(&mut input, &mut output);
            debug_assert!(done.is_ok());
            output
        };
        let (re, im) = (transformed(|value| value.re), transformed(|value| value.im));
        let turned = |sign: f64| {
            let pairs = re.iter().zip(&im);
            pairs
                .map(|(r, i)| {
                    let (r, i) = if sign > 0.0 {
                        (*r, *i)
                    } else {
                        (r.conj(), i.conj())
                    };
                    (r + Complex::<f64>::i() * i).norm_sqr() / self.weight.max(1e-300).powi(2)
                })
                .collect()
        };
        ([turned(1.0), turned(-1.0)], self.rate / size as f64)
    }
}

/// The lines between `low` and `high` hertz of a power spectrum with bins of `bin` hertz, made from a
/// series of `seconds`; strongest first.
pub(super) fn lines(power: &[f64], bin: f64, seconds: f64, low: f64, high: f64) -> Vec<Line> {
    let lobe = (2.0 / seconds / bin).ceil() as usize;
    let last = ((high / bin) as usize).min(power.len().saturating_sub(2));
    let mut found: Vec<(f64, Line)> = Vec::new();
    for k in ((low / bin).ceil() as usize).max(1)..=last {
        let near = k.saturating_sub(lobe)..(k + lobe + 1).min(power.len());
        let highest = power[near].iter().all(|other| *other <= power[k]);
        if !highest || power[k] <= 0.0 {
            continue;
        }
        let around = |from: usize, to: usize| -> Vec<f64> {
            let below = k.saturating_sub(to)..k.saturating_sub(from);
            let above = (k + from + 1).min(power.len())..(k + to + 1).min(power.len());
            below.chain(above).map(|j| power[j]).collect()
        };
        let beside = around(lobe + lobe / 2, 3 * lobe);
        let beside = beside.iter().sum::<f64>() / beside.len().max(1) as f64;
        let mut surroundings = around(lobe, 20 * lobe);
        surroundings.sort_by(f64::total_cmp);
        let median = surroundings
            .get(surroundings.len() / 2)
            .copied()
            .unwrap_or(0.0);
        let above = power[k] / median.max(1e-30);
        if above > ABOVE_SURROUNDINGS && beside < BESIDE * power[k] {
            let frequency = k as f64 * bin;
            found.push((power[k], Line { frequency, above }));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, line)| line).collect()
}

/// Where `power` is highest within `reach` of `middle`, by golden section.
pub(super) fn summit(middle: f64, reach: f64, power: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    let (mut low, mut high) = (middle - reach, middle + reach);
    let inner = |low: f64, high: f64| (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut a, mut b) = inner(low, high);
    let (mut at_a, mut at_b) = (power(a), power(b));
    for _ in 0..28 {
        if at_a > at_b {
            (high, b, at_b) = (b, a, at_a);
            a = inner(low, high).0;
            at_a = power(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = inner(low, high).1;
            at_b = power(b);
        }
    }
    (low + high) / 2.0
}

/// One standard deviation, in hertz, of the frequency of a line that stands `above` its surroundings
/// (Rife and Boorstyn, IEEE Trans. IT 20, 1974, half as much again for the window).
pub(super) fn uncertainty(above: f64, seconds: f64) -> f64 {
    0.6 / (seconds * above.max(1.0).sqrt())
}
