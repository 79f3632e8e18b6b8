//! The papers of a listening test: the order, the sheets, the key and the score.

use super::Kind;
use crate::args::Problem;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use zeitgeber::file as files;

/// Whether each trial's hidden sound (its first, of a pair) is A: by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)
/// from the seed.
pub fn order(seed: u64, trials: u32) -> Vec<bool> {
    let mut state = seed;
    (0..trials)
        .map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)) >> 63 == 0
        })
        .collect()
}

/// The file of a trial, which is counted from 0.
pub fn file(trial: usize, what: &str) -> String {
    format!("trial-{:03}-{what}.wav", trial + 1)
}

/// What can be answered.
fn choices(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::Abx => ["A", "B"],
        Kind::Ab => ["1", "2"],
    }
}

fn question(kind: Kind) -> &'static str {
    match kind {
        Kind::Abx => "Is X the same as A or as B?",
        Kind::Ab => "Which of the two is A?",
    }
}

/// What a key begins with, and a sheet does not.
const KEY: &str = "# zeitgeber listen-test key";

/// What says which test a paper is of.
const TEST: &str = "# test ";

/// The longest paper that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// The sheet to be filled in.
pub fn csv(kind: Kind, trials: u32, test: &str) -> String {
    let mut text = format!("trial,answer\n# {}\n{TEST}{test}\n", question(kind));
    for trial in 1..=trials {
        let _ = writeln!(text, "{trial},");
    }
    text
}

/// The right answers, beneath what is said `about` the test.
pub fn key(kind: Kind, order: &[bool], test: &str, about: &str) -> String {
    let [first, second] = choices(kind);
    let mut text = format!("{KEY}\n{TEST}{test}\n{about}trial,answer\n");
    for (n, is_a) in order.iter().enumerate() {
        let _ = writeln!(text, "{},{}", n + 1, if *is_a { first } else { second });
    }
    text
}

/// The sheet for a browser: it plays the files, and saves what was answered as answers.csv.
pub fn html(kind: Kind, trials: u32, test: &str) -> String {
    let [first, second] = choices(kind);
    let mut rows = String::new();
    let player = |name: &str, file: &str| {
        format!("<label>{name} <audio controls preload=\"none\" src=\"{file}\"></audio></label>")
    };
    for n in 0..trials as usize {
        let trial = n + 1;
        let players = match kind {
            Kind::Abx => player("X", &file(n, "X")),
            Kind::Ab => player("1", &file(n, "1")) + &player("2", &file(n, "2")),
        };
        let _ = writeln!(
            rows,
            "<fieldset><legend>Trial {trial}</legend>{players}\
             <label><input type=\"radio\" name=\"t{trial}\" value=\"{first}\"> {first}</label>\
             <label><input type=\"radio\" name=\"t{trial}\" value=\"{second}\"> {second}</label></fieldset>"
        );
    }
    let known = match kind {
        Kind::Abx => format!("<p>{}{}</p>", player("A", "A.wav"), player("B", "B.wav")),
        Kind::Ab => String::new(),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Listening test</title>\n\
         <style>body{{font:16px sans-serif;max-width:46em;margin:2em auto;padding:0 1em}}\
         label{{margin-right:1.5em}}audio{{vertical-align:middle}}fieldset{{margin:1em 0}}</style>\n\
         <h1>Listening test</h1>\n\
         <p>Put on headphones as they are marked, left on left. Set the level once so that it is comfortable, and \
         leave it. {} Listen as often as you like, and answer every trial: guess where you are not sure. Stop if \
         anything feels unpleasant.</p>\n{known}\n{rows}\
         <button id=\"save\">Save answers.csv</button>\n\
         <script>\ndocument.getElementById('save').onclick = () => {{\n\
         \x20 let text = 'trial,answer\\n{TEST}{test}\\n';\n\
         \x20 for (let trial = 1; trial <= {trials}; trial++) {{\n\
         \x20   const answer = document.querySelector(`input[name=t${{trial}}]:checked`);\n\
         \x20   text += `${{trial}},${{answer ? answer.value : ''}}\\n`;\n  }}\n\
         \x20 const link = document.createElement('a');\n\
         \x20 link.href = URL.createObjectURL(new Blob([text], {{type: 'text/csv'}}));\n\
         \x20 link.download = 'answers.csv';\n  link.click();\n}};\n</script></html>\n",
        question(kind)
    )
}

/// A sheet or a key.
#[derive(Default)]
struct Paper {
    rows: BTreeMap<u32, String>,
    /// Which test it is of, where it says so.
    test: Option<String>,
    is_key: bool,
}

/// Reads `trial,answer` rows, also as spreadsheets save them: with a mark of the byte order, between semicolons or
/// tabs, in quotes, and with empty cells behind.
fn read(path: &Path) -> Result<Paper, Problem> {
    let wrong = |what: String| Problem::new(format!("{}: {what}", path.display()));
    let text = files::text(path, LONGEST).map_err(|error| {
        wrong(match error.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            std::io::ErrorKind::InvalidData => "it is not text in UTF-8; save it as CSV".to_owned(),
            _ => format!("cannot be read: {error}"),
        })
    })?;
    let mut paper = Paper::default();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        // A row has two cells; what is beyond them must be empty.
        let cells: Vec<String> = (line.split([',', ';', '\t']))
            .map(|cell| cell.trim().trim_matches('"').trim().to_owned())
            .collect();
        let first = cells.first().map_or("", String::as_str);
        if first.starts_with('#') {
            paper.is_key |= first == KEY;
            let test = first.strip_prefix(TEST).filter(|test| is_test(test));
            paper.test = paper.test.or(test.map(str::to_owned));
            continue;
        }
        let is_empty = cells.iter().all(String::is_empty);
        if is_empty
            || first
                .get(..5)
                .is_some_and(|word| word.eq_ignore_ascii_case("trial"))
        {
            continue;
        }
        let row = match &cells[..] {
            [trial, answer, rest @ ..] if rest.iter().all(String::is_empty) => {
                let trial = trial.parse().ok();
                trial.map(|trial: u32| (trial, answer.to_uppercase()))
            }
            _ => None,
        };
        let (trial, answer) = row.ok_or_else(|| {
            wrong(format!(
                "line {}: write trial,answer, for example 1,A",
                number + 1
            ))
        })?;
        if paper.rows.insert(trial, answer).is_some() {
            return Err(wrong(format!(
                "line {}: trial {trial} comes twice",
                number + 1
            )));
        }
    }
    Ok(paper)
}

/// Whether a word names a test, as [`test_name`] makes it.
fn is_test(word: &str) -> bool {
    word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What a test is called on its papers: it says nothing of the order.
pub fn test_name(number: u64) -> String {
    format!("{number:016x}")
}

/// How many answers are right, and how often guessing would do as well.
pub fn score(answers: &Path, key: &Path) -> Result<String, Problem> {
    let (sheet, paper) = (read(answers)?, read(key)?);
    if !paper.is_key {
        return Err(Problem::new(format!(
            "{}: it is no key of a listening test, which begins with \"{KEY}\"; give the key with --key and the answers \
             with --score",
            key.display()
        )));
    }
    if sheet.is_key {
        return Err(Problem::new(format!(
            "{}: it is a key, and no sheet of answers; give the listener's answers with --score",
            answers.display()
        )));
    }
    if let (Some(one), Some(other)) = (&sheet.test, &paper.test)
        && one != other
    {
        return Err(Problem::new(format!(
            "{}: these are answers of test {one}, and {} is the key of another one, {other}",
            answers.display(),
            key.display()
        )));
    }
    let (given, right) = (sheet.rows, paper.rows);
    if right.is_empty() {
        return Err(Problem::new(format!("{}: holds no trial", key.display())));
    }
    if let Some(trial) = given.keys().find(|trial| !right.contains_key(trial)) {
        return Err(Problem::new(format!(
            "{}: trial {trial} is not in the key; is it the key of another test?",
            answers.display()
        )));
    }
    // The kind of the test is that of its key.
    let letters = [Kind::Abx, Kind::Ab]
        .map(choices)
        .into_iter()
        .find(|letters| {
            right
                .values()
                .all(|answer| letters.contains(&answer.as_str()))
        })
        .ok_or_else(|| {
            Problem::new(format!(
                "{}: its answers are neither A and B nor 1 and 2; it is no key",
                key.display()
            ))
        })?;
    let answered: Vec<(&u32, &String)> = given
        .iter()
        .filter(|(_, answer)| !answer.is_empty())
        .collect();
    if answered.is_empty() {
        return Err(Problem::new(format!(
            "{}: holds no answer; write {} or {} behind each trial",
            answers.display(),
            letters[0],
            letters[1]
        )));
    }
    for (trial, answer) in &answered {
        if !letters.contains(&answer.as_str()) {
            return Err(Problem::new(format!(
                "{}: trial {trial}: \"{answer}\" is no answer of this test; write {} or {}",
                answers.display(),
                letters[0],
                letters[1]
            )));
        }
    }
    let correct = answered
        .iter()
        .filter(|(trial, answer)| right.get(trial) == Some(answer))
        .count();
    // All trials count: whoever could leave some out could leave out those that are hard.
    let all = right.len();
    let mut text = format!("{correct} of {all} answers are right");
    if answered.len() < all {
        let _ = write!(
            text,
            " ({} trials were not answered, and count as wrong)",
            all - answered.len()
        );
    }
    let chance = at_least(correct as u32, all as u32);
    let _ = writeln!(
        text,
        "\nguessing does as well or better with a probability of {chance:.4}"
    );
    text += match chance {
        chance if chance < 0.05 => "the two were told apart (p < 0.05)\n",
        _ => {
            "nothing shows that the two were told apart; with few trials nothing shows that they cannot be, either\n"
        }
    };
    if sheet.test.is_none() {
        text += "the answers do not say which test they are of; see that the key is theirs\n";
    }
    Ok(text)
}

/// The probability of at least `correct` of `all` by tossing a coin: the one-sided binomial test.
fn at_least(correct: u32, all: u32) -> f64 {
    // The share of exactly k, from k = 0 on; in logarithms, which do not run out.
    let mut logarithm = -f64::from(all) * std::f64::consts::LN_2;
    let mut sum = 0.0;
    for k in 0..=all {
        if k >= correct {
            sum += logarithm.exp();
        }
        logarithm += (f64::from(all - k) / f64::from(k + 1)).ln();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_its_seed_and_near_even() {
        assert_eq!(order(7, 16), order(7, 16));
        assert_ne!(order(7, 64), order(8, 64));
        let count = order(1, 10_000).iter().filter(|is_a| **is_a).count();
        assert!((4800..5200).contains(&count), "{count}");
    }

    #[test]
    fn chances_are_those_of_a_coin() {
        // 12 of 16: (1820 + 560 + 120 + 16 + 1) / 65536.
        assert!((at_least(12, 16) - 2517.0 / 65_536.0).abs() < 1e-12);
        assert!((at_least(0, 16) - 1.0).abs() < 1e-12);
        assert!((at_least(200, 200) - 0.5f64.powi(200)).abs() < 1e-70);
    }
}
