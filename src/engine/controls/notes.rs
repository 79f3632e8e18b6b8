//! MIDI note numbers as text: 57 is A3, 60 is C4.

/// Names of the notes of an octave.
const NOTES: [&str; 12] = [
    "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B",
];

/// A MIDI note number as a note: 57 is A3.
pub(super) fn note_name(number: f64) -> String {
    let number = number.round() as i64;
    let octave = number.div_euclid(12) - 1;
    format!("{}{octave}", NOTES[number.rem_euclid(12) as usize])
}

/// A note in lower case ("a3", "bb2", "c#4") as its MIDI note number.
pub(super) fn note_number(text: &str) -> Option<f64> {
    let mut letters = text.chars();
    let step = match letters.next()? {
        'c' => 0,
        'd' => 2,
        'e' => 4,
        'f' => 5,
        'g' => 7,
        'a' => 9,
        'b' => 11,
        _ => return None,
    };
    let rest = letters.as_str();
    let (sign, octave) = match rest.chars().next()? {
        '#' => (1, &rest[1..]),
        'b' => (-1, &rest[1..]),
        _ => (0, rest),
    };
    let octave: i64 = octave.parse().ok()?;
    (-1..=9)
        .contains(&octave)
        .then(|| (12 * (octave + 1) + step + sign) as f64)
}
