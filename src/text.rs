//! Finding the name that was meant: every message about a wrong name offers the nearest right one.

/// The candidate with the smallest edit distance to `text`; empty when there is none.
pub fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    candidates
        .min_by_key(|candidate| edit_distance(text, candidate))
        .unwrap_or("")
        .to_owned()
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_the_one_with_the_fewest_edits() {
        assert_eq!(
            nearest("beet", ["carrier", "beat", "gate"].into_iter()),
            "beat"
        );
        assert_eq!(nearest("x", std::iter::empty()), "");
    }
}
