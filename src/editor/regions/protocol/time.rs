//! The stretch of time that is in view, its marks, and times as text.

use crate::engine::timeline::LONGEST;
use egui::Rangef;

/// The shortest stretch in view, in seconds.
const SHORTEST: f64 = 2.0;
/// Distances of the ruler's numbers, and of the times that a drag snaps to, in seconds.
const STEPS: [f64; 18] = [
    0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0,
    7200.0, 14_400.0, 86_400.0,
];

/// A stretch of time across the lanes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct View {
    /// Seconds at the left edge.
    pub start: f64,
    /// Seconds from edge to edge.
    pub span: f64,
    /// Whether it follows the protocol's length.
    pub fitted: bool,
}

impl Default for View {
    fn default() -> Self {
        View {
            start: 0.0,
            span: 60.0,
            fitted: true,
        }
    }
}

impl View {
    /// All of a protocol of this length, and more to add points in.
    pub fn fit(&mut self, seconds: f64) {
        (self.start, self.span) = (0.0, (1.12 * seconds).max(10.0));
    }

    /// Where a time is.
    pub fn x(&self, seconds: f64, range: Rangef) -> f32 {
        range.min + ((seconds - self.start) / self.span) as f32 * range.span()
    }

    /// Which time is there.
    pub fn seconds(&self, x: f32, range: Rangef) -> f64 {
        self.start + f64::from((x - range.min) / range.span()) * self.span
    }

    /// Shows so many times more, with the time at `x` where it was.
    pub fn zoom(&mut self, factor: f64, x: f32, range: Rangef) {
        let share = f64::from((x - range.min) / range.span());
        let fixed = self.start + share * self.span;
        self.span = (self.span / factor).clamp(SHORTEST, LONGEST);
        self.go_to(fixed - share * self.span);
    }

    /// Moves by so many points.
    pub fn pan(&mut self, points: f32, range: Rangef) {
        self.go_to(self.start - f64::from(points / range.span()) * self.span);
    }

    fn go_to(&mut self, start: f64) {
        self.start = start.clamp(0.0, LONGEST);
        self.fitted = false;
    }

    /// The first of the steps that is at least so many points wide.
    fn step(&self, points: f32, range: Rangef) -> f64 {
        let least = f64::from(points / range.span()) * self.span;
        let step = STEPS.into_iter().find(|step| *step >= least);
        step.unwrap_or(STEPS[STEPS.len() - 1])
    }

    /// The times of the ruler's numbers.
    pub fn marks(&self, range: Rangef) -> impl Iterator<Item = f64> {
        let step = self.step(58.0, range);
        let (first, last) = (self.start / step, (self.start + self.span) / step);
        (first.ceil() as i64..=last.floor() as i64).map(move |mark| mark as f64 * step)
    }

    /// The nearest time that a drag snaps to.
    pub fn snap(&self, seconds: f64, fine: bool, range: Rangef) -> f64 {
        let step = if fine { 0.1 } else { self.step(2.5, range) };
        let snapped = (seconds / step).round() * step;
        // Tenths as they are written.
        ((snapped * 10.0).round() / 10.0).clamp(0.0, LONGEST)
    }
}

/// A time to the tenth of a second where it has one: "12:30", "1:02:03.5".
pub(super) fn exact(seconds: f64) -> String {
    let millis = (seconds.max(0.0) * 1000.0).round();
    let whole = super::super::presets::clock(millis / 1000.0 + 1e-6);
    let part = millis % 1000.0;
    if part == 0.0 {
        return whole;
    }
    let text = format!("{part:03}");
    format!("{whole}.{}", text.trim_end_matches('0'))
}

/// Reads a time: "90", "90 s", "1:30", "1:02:03.5", "20 min", "1 h".
///
/// # Errors
/// What is wrong with it, for people.
pub(super) fn parse(text: &str) -> Result<f64, String> {
    let wrong = || format!("\u{201c}{text}\u{201d} is not a time; write 12:30, 750 s or 12.5 min");
    let lower = text.trim().to_lowercase();
    let unit = lower.trim_start_matches(|c: char| !c.is_alphabetic());
    let factor = match unit {
        "" | "s" => 1.0,
        "min" | "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    let number = lower[..lower.len() - unit.len()].trim_end();
    let mut seconds = 0.0;
    for part in number.split(':') {
        let part: f64 = part.trim().parse().map_err(|_| wrong())?;
        if !(0.0..=LONGEST).contains(&part) {
            return Err(wrong());
        }
        seconds = 60.0 * seconds + part;
    }
    Ok(seconds * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, seconds) in [
            ("90", 90.0),
            ("90 s", 90.0),
            ("1:30", 90.0),
            ("1:02:03.5", 3723.5),
            ("12.5 min", 750.0),
            ("1h", 3600.0),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
            assert_eq!(parse(&exact(seconds)), Ok(seconds), "{text}");
        }
        for text in ["", "soon", "-5", "1:x", "3 years", "nan"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn zooming_keeps_the_time_under_the_pointer() {
        let range = Rangef::new(100.0, 600.0);
        let mut view = View::default();
        view.fit(3000.0);
        let before = view.seconds(300.0, range);
        view.zoom(4.0, 300.0, range);
        assert!((view.seconds(300.0, range) - before).abs() < 1e-6);
        assert!((view.x(before, range) - 300.0).abs() < 0.01);
        assert!(view.marks(range).count() > 2);
        assert_eq!(view.snap(61.26, true, range), 61.3);
    }
}
