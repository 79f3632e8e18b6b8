//! Finding the name that was meant: every message about a wrong name goes by one rule for what it offers in its place.

use std::fmt;

/// Characters of the longest text that may be a slip of a name: files and packets can hold anything, and looking takes its
/// time.
const LONGEST: usize = 100;

/// Characters of a list that one still reads.
const LIST: usize = 80;

/// What there is in place of a wrong name; a message about it ends with this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// A name that may have been meant.
    Near(String),
    /// None of them was meant, and these are all that there are.
    Only(Vec<String>),
    /// None of them was meant, and they are too many for a message.
    Many,
}

impl fmt::Display for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Instead::Near(name) => write!(f, "; the nearest is \"{name}\""),
            Instead::Only(names) if names.is_empty() => f.write_str(", nor any other"),
            Instead::Only(names) => write!(f, ", only: {}", names.join(", ")),
            Instead::Many => Ok(()),
        }
    }
}

/// What to offer in place of `text`: the one that is [`near`], or else all where they are few.
pub fn instead<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Instead {
    let candidates: Vec<&str> = candidates.collect();
    if let Some(name) = near(text, candidates.iter().copied()) {
        return Instead::Near(name);
    }
    let long = candidates.iter().map(|name| name.chars().count() + 2);
    if long.sum::<usize>() > LIST + 2 {
        return Instead::Many;
    }
    Instead::Only(candidates.into_iter().map(str::to_owned).collect())
}

/// The candidate that `text` begins, or else the one with the smallest edit distance to it; capitals do not
/// count. Empty when there is none.
fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    let text = text.to_lowercase();
    candidates
        .min_by_key(|candidate| {
            let candidate = candidate.to_lowercase();
            let begun = !text.is_empty() && candidate.starts_with(&text);
            (!begun, edit_distance(&text, &candidate))
        })
        .unwrap_or("")
        .to_owned()
}

/// The candidate that may have been meant by `text`, if any: it begins or holds the text, or at most a third of the letters
/// are wrong. Capitals do not count.
pub fn near<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let text = text.to_lowercase();
    let long = text.chars().count();
    if long > LONGEST {
        return None;
    }
    let candidates: Vec<&str> = candidates.collect();
    let found = nearest(&text, candidates.iter().copied());
    let holds = |other: &str| long >= 3 && other.to_lowercase().contains(&text);
    let is_near = edit_distance(&text, &found.to_lowercase()) <= (long / 3).max(1);
    if !found.is_empty() && long > 0 && (holds(&found) || is_near) {
        return Some(found);
    }
    let holding = candidates.into_iter().filter(|other| holds(other));
    holding.min_by_key(|other| other.len()).map(str::to_owned)
}

/// Whether a letter moves a terminal's cursor, or turns what comes after it about (Unicode's bidirectional controls).
fn moves(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A text of whoever wrote it, for a terminal: line feeds and tabs are what moves its cursor, and nothing else.
pub fn tame(text: &str) -> String {
    let tame = |c: char| match c {
        '\n' | '\t' => c,
        c if moves(c) => ' ',
        c => c,
    };
    // Windows' ends of lines are ends of lines.
    text.replace("\r\n", "\n").chars().map(tame).collect()
}

/// JSON with what a terminal would obey written as numbers: it says the same.
pub fn tame_json(json: &str) -> String {
    use std::fmt::Write;
    let mut tame = String::with_capacity(json.len());
    for c in json.chars() {
        if moves(c) && c != '\n' {
            // All of them have four digits; and a text takes whatever is written.
            let _ = write!(tame, "\\u{:04x}", u32::from(c));
        } else {
            tame.push(c);
        }
    }
    tame
}

/// At most a line of a text: files and packets can hold anything.
pub fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .map(|c| if moves(c) { ' ' } else { c })
        .take(60)
        .collect();
    if short.len() < text.len() {
        short.push_str("...");
    }
    short
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_moves_a_terminals_cursor() {
        let wild = "a\u{1b}[2J\u{7}\u{9b}1A\rb\u{202e}c\u{7f}\u{8}\td\r\ne\u{e9}\u{1F3B5}";
        assert_eq!(tame(wild), "a [2J  1A b c  \td\ne\u{e9}\u{1F3B5}");
        assert!(!shorten(wild).contains(moves));
        let json = serde_json::to_string_pretty(&[wild]).unwrap();
        let tamed = tame_json(&json);
        assert!(!tamed.chars().any(|c| moves(c) && c != '\n'), "{tamed}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&tamed).unwrap(), [wild]);
    }

    #[test]
    fn the_nearest_name_is_the_one_with_the_fewest_edits() {
        assert_eq!(
            nearest("beet", ["carrier", "beat", "gate"].into_iter()),
            "beat"
        );
        assert_eq!(nearest("gaet", ["gain", "gate"].into_iter()), "gate");
        assert_eq!(nearest("x", std::iter::empty()), "");
        assert_eq!(nearest("BEAT", ["run", "beat"].into_iter()), "beat");
        assert_eq!(
            nearest("time", ["free", "timeline"].into_iter()),
            "timeline"
        );
    }

    #[test]
    fn what_is_far_from_everything_is_near_nothing() {
        let names = ["render", "analyze", "listen-test"];
        let near = |text| near(text, names.into_iter());
        assert_eq!(near("rendr").as_deref(), Some("render"));
        assert_eq!(near("listen").as_deref(), Some("listen-test"));
        assert_eq!(near("analyse").as_deref(), Some("analyze"));
        // What holds the text was meant, however much nearer another name is.
        assert_eq!(near("test").as_deref(), Some("listen-test"));
        for text in ["", "xyzzy", "q", "frobnicate"] {
            assert_eq!(near(text), None, "{text}");
        }
        // So long a text is no slip, and is not compared.
        assert_eq!(near(&"render".repeat(20)), None);
    }

    #[test]
    fn what_is_near_is_named_or_else_all_where_they_are_few() {
        let said = |text, names: &[&str]| instead(text, names.iter().copied()).to_string();
        assert_eq!(said("gian", &["gain", "gate"]), "; the nearest is \"gain\"");
        assert_eq!(said("xyzzy", &["gain", "gate"]), ", only: gain, gate");
        assert_eq!(said("xyzzy", &[]), ", nor any other");
        let names: Vec<String> = (0..20).map(|n| format!("name {n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(said("xyzzy", &names), "");
        assert_eq!(said("nmae 7", &names), "; the nearest is \"name 7\"");
        // The longest list is of 80 characters.
        let list = ["a".repeat(40), "b".repeat(38), "b".repeat(39)];
        assert_eq!(
            said("xyzzy", &[&list[0], &list[1]]).len(),
            80 + ", only: ".len()
        );
        assert_eq!(said("xyzzy", &[&list[0], &list[2]]), "");
    }
}
