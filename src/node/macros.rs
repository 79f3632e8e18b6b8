//! Macros: positions between 0 and 1 that move the first parameters of a node over their ranges.

use super::{NodeInfo, ParamInfo, ParamKind, ParamScale};

/// How many parameters of a node answer to macros.
pub const MACROS: usize = 4;

/// Up to so many steps over its range a parameter counts as a choice of values: macros go from one to the next.
const STEPS: f64 = 64.0;

/// Figures of a value's text.
const FIGURES: i32 = 4;

/// A parameter that a macro moves.
#[derive(Debug, Clone, PartialEq)]
pub struct Macro {
    /// The parameter's position in the node.
    pub index: usize,
    info: ParamInfo,
}

impl Macro {
    /// The parameters of a node that macros move: its first that can be set, in their order.
    pub fn of(node: &NodeInfo) -> Vec<Macro> {
        Macro::all(node).into_iter().take(MACROS).collect()
    }

    /// All parameters of a node that can be set, in their order: the first are those that macros move.
    pub fn all(node: &NodeInfo) -> Vec<Macro> {
        let all = node.params.iter().enumerate();
        all.filter(|(_, param)| param.kind != ParamKind::Readout)
            .map(|(index, info)| Macro {
                index,
                info: info.clone(),
            })
            .collect()
    }

    /// The parameter.
    pub fn info(&self) -> &ParamInfo {
        &self.info
    }

    /// Whether it is on or off.
    fn switches(&self) -> bool {
        matches!(self.info.kind, ParamKind::Switch | ParamKind::Button)
    }

    /// The parameter's value at a position from 0 to 1, by its scale.
    pub fn value(&self, position: f64) -> f64 {
        let x = if position.is_finite() {
            position.clamp(0.0, 1.0)
        } else {
            0.5
        };
        if self.switches() {
            // In the middle, where the controls are by themselves, nothing is on.
            return f64::from(u8::from(x > 0.5));
        }
        let ParamInfo { min, max, step, .. } = self.info;
        let value = match self.scale() {
            ParamScale::Linear => min + x * (max - min),
            ParamScale::Log => min * (max / min).powf(x),
            ParamScale::Exp => max + ((min - max).exp() * (1.0 - x) + x).ln(),
        };
        let steps = (max - min) / step;
        let value = if steps <= STEPS && step > 0.0 {
            min + ((value - min) / step).round() * step
        } else {
            value
        };
        value.clamp(min, max)
    }

    /// The position of a value.
    pub fn position(&self, value: f64) -> f64 {
        let ParamInfo { min, max, .. } = self.info;
        let value = value.clamp(min, max);
        let x = match self.scale() {
            _ if max <= min => 0.0,
            ParamScale::Linear => (value - min) / (max - min),
            ParamScale::Log => (value / min).ln() / (max / min).ln(),
            ParamScale::Exp => {
                let floor = (min - max).exp();
                ((value - max).exp() - floor) / (1.0 - floor)
            }
        };
        x.clamp(0.0, 1.0)
    }

    /// The value that a pitch wheel's position from 0 to 16383 gives it: its middle is 0 where the range holds that.
    pub(super) fn bent(&self, bend: f64) -> f64 {
        const MIDDLE: f64 = 8192.0;
        const MOST: f64 = 16_383.0;
        let ParamInfo { min, max, .. } = self.info;
        let middle = if min <= 0.0 && max >= 0.0 {
            0.0
        } else {
            0.5 * (min + max)
        };
        let value = if bend <= MIDDLE {
            min + (middle - min) * bend / MIDDLE
        } else {
            middle + (max - middle) * (bend - MIDDLE) / (MOST - MIDDLE)
        };
        value.clamp(min, max)
    }

    /// A value, if it is in the range.
    pub(super) fn within(&self, value: f64) -> Option<f64> {
        (self.info.min..=self.info.max)
            .contains(&value)
            .then_some(value)
    }

    /// The value of a number that runs from `low` to `high` as the parameter does through its range.
    pub fn between(&self, number: f64, low: f64, high: f64) -> f64 {
        let ParamInfo { min, max, .. } = self.info;
        let x = ((number - low) / (high - low)).clamp(0.0, 1.0);
        (min + x * (max - min)).clamp(min, max)
    }

    /// The scale that its range allows.
    fn scale(&self) -> ParamScale {
        match self.info.scale {
            ParamScale::Log if self.info.min > 0.0 => ParamScale::Log,
            ParamScale::Exp => ParamScale::Exp,
            _ => ParamScale::Linear,
        }
    }

    /// A position as text: value, unit and name, such as "440 Hz cutoff". The number comes first: that is where hosts
    /// look for it.
    pub fn format(&self, position: f64) -> String {
        let value = self.value(position);
        let ParamInfo { name, unit, .. } = &self.info;
        let value = if self.switches() {
            if value >= 0.5 { "on" } else { "off" }.to_owned()
        } else {
            number(value)
        };
        let unit = if unit.is_empty() {
            ""
        } else {
            &format!(" {unit}")
        };
        format!("{value}{unit} {name}").trim_end().to_owned()
    }

    /// Reads what [`Macro::format`] writes, with or without unit and name; `None` where it is no value. What is beyond
    /// the range is its end.
    pub fn parse(&self, text: &str) -> Option<f64> {
        let first = text.split_whitespace().next()?;
        if self.switches() {
            return match first.to_lowercase().as_str() {
                "on" | "true" | "1" => Some(1.0),
                "off" | "false" | "0" => Some(0.0),
                _ => None,
            };
        }
        let (value, rest) = leading_number(text.trim())?;
        Some(self.position(value * self.scale_of(rest.trim())?))
    }

    /// What a value is multiplied by that such words follow: "kHz", "k", "Hz cutoff"; `None` where they mean something
    /// else.
    fn scale_of(&self, words: &str) -> Option<f64> {
        let ParamInfo { name, unit, .. } = &self.info;
        let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let cut = words.len().saturating_sub(name.len());
        let words = match (words.get(..cut), words.get(cut..)) {
            (Some(before), Some(last)) if same(last, name) => before.trim_end(),
            _ => words,
        };
        if words.is_empty() || same(words, unit) {
            return Some(1.0);
        }
        let mut letters = words.chars();
        let times = match letters.next()? {
            'k' | 'K' => 1e3,
            'M' => 1e6,
            'm' => 1e-3,
            _ => return None,
        };
        let rest = letters.as_str();
        // "2k" is common, "2m" is not: it could be anything.
        let short = rest.is_empty() && times == 1e3;
        (short || (!unit.is_empty() && same(rest, unit))).then_some(times)
    }
}

/// A number that a text begins with, and what follows it.
fn leading_number(text: &str) -> Option<(f64, &str)> {
    let digits = |c: char| !(c.is_ascii_digit() || "+-.eE".contains(c));
    let end = text.find(digits).unwrap_or(text.len());
    (1..=end).rev().find_map(|end| {
        let value: f64 = text.get(..end)?.parse().ok()?;
        value.is_finite().then(|| (value, &text[end..]))
    })
}

/// A number with a few figures, as short as it gets.
fn number(value: f64) -> String {
    let digits = if value == 0.0 {
        0
    } else {
        (FIGURES - 1 - value.abs().log10().floor() as i32).clamp(0, 9)
    };
    let text = format!("{value:.*}", digits as usize);
    let text = match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.'),
        None => &text,
    };
    match text {
        "-0" => "0".to_owned(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_macro(min: f64, max: f64, scale: ParamScale, step: f64) -> Macro {
        Macro {
            index: 0,
            info: ParamInfo {
                scale,
                step,
                ..ParamInfo::number("cutoff", "Hz", min..=max, min, "")
            },
        }
    }

    #[test]
    fn the_range_is_run_through_by_its_scale() {
        let linear = a_macro(-60.0, 0.0, ParamScale::Linear, 0.01);
        assert_eq!(linear.value(0.5), -30.0);
        let log = a_macro(20.0, 20_000.0, ParamScale::Log, 0.1);
        assert!((log.value(1.0 / 3.0) - 200.0).abs() < 1e-9);
        assert_eq!((log.value(0.0), log.value(2.0)), (20.0, 20_000.0));
        let exp = a_macro(-3.0, 5.0, ParamScale::Exp, 0.0);
        assert_eq!((exp.value(0.0), exp.value(1.0)), (-3.0, 5.0));
        assert!((exp.position(exp.value(0.3)) - 0.3).abs() < 1e-9);
        // One that could be no logarithm is linear.
        let zero = a_macro(0.0, 10.0, ParamScale::Log, 0.0);
        assert_eq!(zero.value(0.25), 2.5);
        let choice = a_macro(0.0, 3.0, ParamScale::Linear, 1.0);
        assert_eq!(choice.value(0.5), 2.0);
        assert_eq!(choice.value(f64::NAN), 2.0);
    }

    #[test]
    fn switches_are_off_in_the_middle() {
        let mut switch = a_macro(0.0, 1.0, ParamScale::Linear, 1.0);
        switch.info.kind = ParamKind::Switch;
        assert_eq!((switch.value(0.5), switch.value(0.51)), (0.0, 1.0));
        for value in [0.0, 1.0] {
            assert_eq!(switch.value(switch.position(value)), value);
        }
        assert!(switch.format(0.5).starts_with("off"));
    }

    #[test]
    fn text_survives_being_read() {
        for all in [
            a_macro(-60.0, 0.0, ParamScale::Linear, 0.01),
            a_macro(20.0, 20_000.0, ParamScale::Log, 0.1),
            a_macro(1e-4, 10.0, ParamScale::Log, 0.0),
            a_macro(-3.0, 5.0, ParamScale::Exp, 0.0),
            a_macro(0.0, 3.0, ParamScale::Linear, 1.0),
        ] {
            for n in 0..=1000 {
                let text = all.format(f64::from(n) / 1000.0);
                let again = all.parse(&text).unwrap();
                // As the control snaps it, and a host keeps it.
                let kept = f64::from(((again * 1e6).round() / 1e6) as f32);
                assert_eq!(all.format(kept), text);
            }
        }
        let log = a_macro(20.0, 20_000.0, ParamScale::Log, 0.1);
        assert_eq!(log.format(1.0 / 3.0), "200 Hz cutoff");
        for text in ["200", "200 Hz", "200Hz", " 2e2 cutoff"] {
            assert!(
                (log.parse(text).unwrap() - 1.0 / 3.0).abs() < 1e-9,
                "{text}"
            );
        }
        for (text, hertz) in [
            ("2k", 2000.0),
            ("1.5 kHz", 1500.0),
            ("1.5khz cutoff", 1500.0),
            ("0.01 MHz", 10_000.0),
            ("50000 mHz", 50.0),
            ("440 cutoff", 440.0),
        ] {
            let read = log.parse(text).unwrap();
            assert!((read - log.position(hertz)).abs() < 1e-9, "{text}");
        }
        for text in ["2 dB", "2m", "3 s", "1 2", "440 Hz resonance", "2 %"] {
            assert_eq!(log.parse(text), None, "{text}");
        }
        assert_eq!(log.parse("1e9"), Some(1.0));
        assert_eq!(log.parse("much"), None);
        assert_eq!(log.parse(""), None);
    }
}
