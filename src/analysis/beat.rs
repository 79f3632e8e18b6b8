//! The beat between the ears, from what sounds in each.

use super::tones::Tone;

/// Beats above this many hertz are two separate tones.
pub const HIGHEST: f64 = 100.0;

/// How far apart in level two tones may lie and still be a pair, in dB.
const LEVEL_DIFFERENCE: f64 = 12.0;

/// Two tones, one in each ear, that belong together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beat {
    /// Right minus left, in hertz: negative where the left ear has the higher tone.
    pub frequency: f64,
    /// One standard deviation of it, in hertz.
    pub uncertainty: f64,
    /// The left ear's tone.
    pub left: Tone,
    /// The right ear's tone.
    pub right: Tone,
}

/// Pairs the tones of both ears, loudest left tone first: each takes the nearest free tone of the right
/// ear within [`HIGHEST`] hertz and 12 dB. Tones without a partner are left out.
pub fn beats(left: &[Tone], right: &[Tone]) -> Vec<Beat> {
    let mut order: Vec<&Tone> = left.iter().collect();
    order.sort_by(|a, b| b.amplitude.total_cmp(&a.amplitude));
    let mut free: Vec<&Tone> = right.iter().collect();
    let mut found = Vec::new();
    for tone in order {
        let distance = |other: &Tone| (other.frequency - tone.frequency).abs();
        let nearest = free
            .iter()
            .enumerate()
            .filter(|(_, other)| {
                distance(other) <= HIGHEST + 4.0 * other.uncertainty.hypot(tone.uncertainty)
                    && (other.level() - tone.level()).abs() <= LEVEL_DIFFERENCE
            })
            .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))
            .map(|(index, _)| index);
        if let Some(index) = nearest {
            let other = free.swap_remove(index);
            found.push(Beat {
                frequency: other.frequency - tone.frequency,
                uncertainty: other.uncertainty.hypot(tone.uncertainty),
                left: *tone,
                right: *other,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frequency: f64, amplitude: f64) -> Tone {
        Tone {
            frequency,
            amplitude,
            phase: 0.0,
            uncertainty: 1e-6,
        }
    }

    #[test]
    fn nearest_tones_of_like_level_pair_up() {
        let found = beats(
            &[tone(245.0, 0.1), tone(500.0, 0.05), tone(3000.0, 0.2)],
            &[tone(506.0, 0.05), tone(255.0, 0.1), tone(246.0, 0.001)],
        );
        let rates: Vec<f64> = found.iter().map(|beat| beat.frequency).collect();
        assert_eq!(rates, [10.0, 6.0]);
        assert!(found[0].uncertainty < 2e-6);
    }

    #[test]
    fn one_silent_ear_has_no_beat() {
        assert!(beats(&[], &[]).is_empty());
        assert!(beats(&[tone(245.0, 0.1)], &[]).is_empty());
        assert_eq!(
            beats(&[tone(255.0, 0.1)], &[tone(245.0, 0.1)])[0].frequency,
            -10.0
        );
    }
}
