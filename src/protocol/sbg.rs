//! SBaGen's sequences (`.sbg`), as its documentation and its program read them (version 1.4.4).
//!
//! A line `TIME [FADE] NAME [->]` says what sounds from a time of day on. Between two lines lies a transition
//! of 60 seconds, half of it before the second line's time, or, after `->`, one that takes the whole time. Tones of
//! the same kind and pitch run through it in straight lines; others fade to silence and in again. The day is a
//! circle: before the first line comes the transition from the last. `CARRIER+BEAT/AMP` has the left ear higher, ours
//! the right ear: such voices swap ears.

use super::preset::{Preset, carrier_hertz};
use super::sequence::{Kind, Piece, Sequence, Tone};
use crate::engine::controls::{self as id, LAYER};
use crate::engine::timeline::Curve;
use std::collections::HashMap;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Voices of a tone-set.
const VOICES: usize = 16;

/// Most lines of time, blocks unrolled.
const MOST_LINES: usize = 5000;

/// How deep blocks lie in blocks at most.
const DEEPEST: usize = 20;

/// RMS of SBaGen's pink noise at 100 %: ten bands and white noise, each evenly spread over an eleventh of full
/// scale, of which on average all count.
const PINK: f64 = 0.174;

/// What a voice is, in SBaGen's order of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
enum Sort {
    #[default]
    None,
    Tone(u8),
    Pink,
    Bell,
    Spin,
    Mix,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Voice {
    sort: Sort,
    carrier: f64,
    beat: f64,
    amp: f64,
}

type Voices = [Voice; VOICES];

/// How a period begins or ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fade {
    Silence,
    Through,
    Slide,
}

/// What a transition is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Link {
    /// None: the tone-set holds.
    Hold,
    /// The usual one.
    Usual,
    /// `->`.
    Slide,
}

#[derive(Debug, Clone, Copy)]
struct Period {
    at: i64,
    link: Link,
    begin: Fade,
    end: Fade,
    voices: [Voices; 2],
}

enum Def {
    Tones(Box<Voices>),
    Block(Vec<(usize, String)>),
}

/// What is read so far.
struct Reader {
    sequence: Sequence,
    defs: HashMap<String, Def>,
    waves: Vec<String>,
    periods: Vec<Period>,
    /// Lines of time that were read, those of blocks each time.
    lines: usize,
    absolute: Option<i64>,
    first: Option<i64>,
    last: i64,
    /// Transition in milliseconds (`-F`).
    fade: i64,
    /// `-E`: it ends with its last line.
    ends: bool,
}

/// Milliseconds from one time of day to another.
fn from_to(a: i64, b: i64) -> i64 {
    (b - a).rem_euclid(DAY)
}

/// Reads `hh:mm[:ss]` at the beginning of a text; the milliseconds and what follows.
fn time(text: &str) -> Option<(i64, &str)> {
    let mut rest = text;
    let mut parts = [0i64; 3];
    let mut count = 0;
    while count < 3 {
        let digits = rest
            .chars()
            .take_while(char::is_ascii_digit)
            .take(2)
            .count();
        if digits == 0 {
            break;
        }
        parts[count] = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        count += 1;
        match rest.strip_prefix(':') {
            Some(more) if count < 3 && more.starts_with(|c: char| c.is_ascii_digit()) => {
                rest = more
            }
            _ => break,
        }
    }
    let [hours, minutes, seconds] = parts;
    let sound = count >= 2 && hours < 24 && minutes < 60 && seconds < 60;
    sound.then_some((((hours * 60 + minutes) * 60 + seconds) * 1000, rest))
}

fn number(text: &str) -> Option<f64> {
    text.parse()
        .ok()
        .filter(|x: &f64| x.is_finite() && x.abs() < 1e6)
}

/// Splits "100+1.5" into 100 and 1.5 at the sign that is not the first letter or an exponent's.
fn signed_pair(text: &str) -> Option<(f64, f64)> {
    let at = text
        .char_indices()
        .skip(1)
        .find(|(at, c)| matches!(c, '+' | '-') && !text[..*at].ends_with(['e', 'E']))?
        .0;
    Some((number(&text[..at])?, number(&text[at..])?))
}

impl Voice {
    /// Reads a word of a tone-set.
    fn parse(word: &str) -> Option<Voice> {
        if word == "-" {
            return Some(Voice::default());
        }
        let (what, amp) = word.split_once('/')?;
        let amp = number(amp).filter(|amp| *amp >= 0.0)?;
        let voice = |sort, carrier, beat| {
            Some(Voice {
                sort,
                carrier,
                beat,
                amp,
            })
        };
        if what == "pink" {
            return voice(Sort::Pink, 0.0, 0.0);
        }
        if what == "mix" {
            return voice(Sort::Mix, 0.0, 0.0);
        }
        if let Some(bell) = what.strip_prefix("bell") {
            return voice(Sort::Bell, number(bell)?, 0.0);
        }
        if let Some(spin) = what.strip_prefix("spin:") {
            let (width, rate) = signed_pair(spin)?;
            return voice(Sort::Spin, width, rate);
        }
        let (kind, pitch) = match what.strip_prefix("wave") {
            Some(wave) => {
                let (number, pitch) = wave.split_once(':')?;
                (1 + number.parse::<u8>().ok().filter(|n| *n < 100)?, pitch)
            }
            None => (0, what),
        };
        // Isochronic and monaural tones of SBaGen's successors.
        for (mark, sort) in [('@', 201), ('M', 202)] {
            if let Some((carrier, beat)) = pitch.split_once(mark) {
                return voice(Sort::Tone(sort), number(carrier)?, number(beat)?);
            }
        }
        match signed_pair(pitch) {
            Some((carrier, beat)) => voice(Sort::Tone(kind), carrier, beat),
            None if kind == 0 => voice(Sort::Tone(0), number(pitch)?, 0.0),
            None => None,
        }
    }
}

/// Reads a sequence.
///
/// # Errors
/// The line, from 1, and what is wrong with it.
pub(super) fn read(text: &str, name: &str) -> Result<Sequence, (usize, String)> {
    let mut reader = Reader {
        sequence: Sequence {
            name: name.to_owned(),
            noise_kind: id::NOISE_PINK,
            ..Sequence::default()
        },
        defs: HashMap::new(),
        waves: Vec::new(),
        periods: Vec::new(),
        lines: 0,
        absolute: None,
        first: None,
        last: 0,
        fade: 60_000,
        ends: false,
    };
    let mut about = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        if let Some(comment) = line.trim_start().strip_prefix("##")
            && about.len() < 20
        {
            about.push(comment.trim().chars().take(200).collect::<String>());
        }
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let fail = |message: String| (number, message);
        let first = line.split_whitespace().next().unwrap_or("");
        let is_option = line.starts_with('-');
        if is_option {
            if !reader.periods.is_empty() || !reader.defs.is_empty() {
                return Err(fail("options come before everything else".to_owned()));
            }
            reader.options(line).map_err(fail)?;
        } else if line.starts_with("NOW")
            || line.starts_with(|c: char| c.is_ascii_digit() || c == '+')
        {
            reader.time_line(line, 0).map_err(fail)?;
        } else if let Some(defined) = first.strip_suffix(':') {
            let rest = line[first.len()..].trim();
            if rest == "{" {
                let mut block = Vec::new();
                loop {
                    let Some((_, inner)) = lines.next() else {
                        return Err(fail(format!("the block \"{defined}\" has no }}")));
                    };
                    let inner = inner.split('#').next().unwrap_or("").trim();
                    if inner == "}" {
                        break;
                    }
                    if inner.is_empty() {
                        continue;
                    }
                    if !inner.starts_with('+') {
                        return Err(fail(
                            "lines of a block begin with a time like +00:05".to_owned(),
                        ));
                    }
                    block.push((number, inner.to_owned()));
                }
                reader.defs.insert(defined.to_owned(), Def::Block(block));
            } else {
                reader.define(defined, rest).map_err(fail)?;
            }
        } else {
            let shown: String = line.chars().take(60).collect();
            return Err(fail(format!(
                "\"{shown}\" is neither an option, a definition (name: 200+10/20) nor a time (NOW name, +00:10 name, 22:30 name)"
            )));
        }
    }
    while about.last().is_some_and(String::is_empty) {
        about.pop();
    }
    reader.sequence.about = about.join("\n").trim().to_owned();
    reader.finish()
}

impl Reader {
    fn options(&mut self, line: &str) -> Result<(), String> {
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            let Some(letters) = word.strip_prefix('-') else {
                return Err(format!("\"{word}\" is no option"));
            };
            for letter in letters.chars() {
                match letter {
                    'S' => {}
                    'E' => self.ends = true,
                    'F' => {
                        let fade = words
                            .next()
                            .and_then(number)
                            .filter(|fade| (0.0..=1e7).contains(fade));
                        self.fade = fade.ok_or("-F takes milliseconds")? as i64;
                    }
                    'm' | 'M' => {
                        let file = if letter == 'm' {
                            words.next().unwrap_or("")
                        } else {
                            "standard input"
                        };
                        let file: String = file.chars().take(80).collect();
                        self.sequence.report(format!(
                            "-{letter}: the soundtrack {file} is not part of a preset; give it as the input, mix/ levels move prog_level"
                        ));
                    }
                    'i' => {
                        let mut voices = [Voice::default(); VOICES];
                        for (n, word) in words.by_ref().enumerate().take(VOICES) {
                            voices[n] = Voice::parse(word)
                                .ok_or_else(|| format!("\"{word}\" is no tone"))?;
                        }
                        self.hold(0, Fade::Through, Fade::Through, voices);
                    }
                    'p' => {
                        return Err("-p is one of SBaGen's built-in programs, and no sequence: write its tone-sets and times".to_owned());
                    }
                    // How SBaGen plays it, and nothing about what.
                    'Q' | 'D' | 'W' | 'O' | 'h' => {}
                    'q' | 'r' | 'b' | 'L' | 'T' | 'R' | 'o' | 'd' | 'w' | 'c' => {
                        if let Some(value) = words.next() {
                            let value: String = value.chars().take(40).collect();
                            self.sequence.report(format!(
                                "-{letter} {value}: says how SBaGen plays; left out"
                            ));
                        }
                    }
                    other => return Err(format!("-{other} is no option of SBaGen's")),
                }
            }
        }
        Ok(())
    }

    fn define(&mut self, name: &str, rest: &str) -> Result<(), String> {
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > 200 || !name.chars().all(sound) {
            let name: String = name.chars().take(40).collect();
            return Err(format!("\"{name}\" is no name: letters, digits, - and _"));
        }
        if let Some(digits) = name.strip_prefix("wave")
            && digits.len() == 2
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            self.waves.push(digits.to_owned());
            self.sequence
                .report(format!("{name}: waves of one's own are sines here"));
            return Ok(());
        }
        let mut voices = [Voice::default(); VOICES];
        for (n, word) in rest.split_whitespace().enumerate() {
            if n >= VOICES {
                self.sequence.report(format!(
                    "{name}: only {VOICES} voices are heard, as in SBaGen"
                ));
                break;
            }
            voices[n] = Voice::parse(word).ok_or_else(|| {
                let word: String = word.chars().take(40).collect();
                format!("\"{word}\" is no tone: write 200+10/20, 200/20, pink/40, mix/60 or -")
            })?;
            match voices[n].sort {
                Sort::Bell => self.sequence.report("bells are left out"),
                Sort::Spin => self
                    .sequence
                    .report("spin: spinning noise stands still here, at its level"),
                Sort::Tone(1..=100) => self.sequence.report("waves of one's own are sines here"),
                _ => {}
            }
        }
        self.defs
            .insert(name.to_owned(), Def::Tones(Box::new(voices)));
        Ok(())
    }

    fn hold(&mut self, at: i64, begin: Fade, end: Fade, voices: Voices) {
        self.periods.push(Period {
            at,
            link: Link::Hold,
            begin,
            end,
            voices: [voices; 2],
        });
        self.periods.push(Period {
            at,
            link: Link::Usual,
            begin: Fade::Through,
            end: Fade::Through,
            voices: [[Voice::default(); VOICES]; 2],
        });
    }

    fn time_line(&mut self, line: &str, depth: usize) -> Result<(), String> {
        // Long lines count for more; without this, empty blocks within blocks would take for ever.
        self.lines += 1 + line.len() / 200;
        let most = 2 * MOST_LINES;
        if depth > DEEPEST {
            return Err(format!("blocks lie in blocks more than {DEEPEST} deep"));
        }
        // Each line of time is two periods.
        if self.periods.len() >= most || self.lines > most {
            let has_blocks = self.defs.values().any(|def| matches!(def, Def::Block(_)));
            let counted = if has_blocks {
                ", those of blocks counted each time that a line names them"
            } else {
                ""
            };
            return Err(format!(
                "it has more than {MOST_LINES} lines of time{counted}; make several sequences of it"
            ));
        }
        let mut words = line.split_whitespace();
        let stamp = words.next().unwrap_or("");
        let bad = || {
            let stamp: String = stamp.chars().take(40).collect();
            format!("\"{stamp}\" is no time: write NOW, 22:30, 22:30:15, +00:10 or NOW+00:10")
        };
        let mut at = None;
        let mut rest = stamp;
        if let Some(after) = rest.strip_prefix("NOW") {
            // A sequence that is not played by the clock begins when it begins.
            at = Some(0);
            self.absolute = at;
            rest = after;
        }
        while !rest.is_empty() {
            let relative = match rest.strip_prefix('+') {
                Some(after) => {
                    rest = after;
                    let base = at.or(self.absolute);
                    at = Some(base.ok_or("a time that begins with + needs a line with NOW or a time of day before it")?);
                    true
                }
                None if at.is_some() => return Err(bad()),
                None => false,
            };
            let (time, after) = time(rest).ok_or_else(bad)?;
            rest = after;
            at = match at {
                Some(base) if relative => Some((base + time) % DAY),
                _ => {
                    self.absolute = Some(time);
                    Some(time)
                }
            };
        }
        let at = at.ok_or_else(bad)?;
        let mut word = words.next().ok_or("a time without a name")?;
        let (mut begin, mut end) = (Fade::Through, Fade::Through);
        if !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let no_fade = || "a fade is two of < - = and > - =, like == or <>".to_owned();
            let mut letters = word.chars();
            begin = match letters.next() {
                Some('<') => Fade::Silence,
                Some('-') => Fade::Through,
                Some('=') => Fade::Slide,
                _ => return Err(no_fade()),
            };
            end = match letters.next() {
                Some('>') => Fade::Silence,
                Some('-') => Fade::Through,
                Some('=') => Fade::Slide,
                _ => return Err(no_fade()),
            };
            if letters.next().is_some() {
                return Err(no_fade());
            }
            word = words.next().ok_or("a time without a name")?;
        }
        let voices = match self.defs.get(word) {
            None => {
                let word: String = word.chars().take(40).collect();
                let mut names: Vec<&str> = self.defs.keys().map(String::as_str).collect();
                names.sort_unstable();
                let instead = crate::text::instead(&word, names.into_iter().take(200));
                return Err(format!("the name \"{word}\" is not defined{instead}"));
            }
            Some(Def::Block(block)) => {
                for (_, inner) in block.clone() {
                    self.time_line(&format!("{stamp}{inner}"), depth + 1)?;
                }
                return Ok(());
            }
            Some(Def::Tones(voices)) => **voices,
        };
        let slides = match words.next() {
            None => false,
            Some("->") => true,
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                return Err(format!("\"{other}\" after the name: only -> may follow"));
            }
        };
        self.first.get_or_insert(at);
        self.last = at;
        self.hold(at, begin, end, voices);
        if slides && let Some(link) = self.periods.last_mut() {
            link.link = Link::Slide;
        }
        Ok(())
    }

    /// Lays the transitions out and makes a sequence of the periods.
    fn finish(mut self) -> Result<Sequence, (usize, String)> {
        if self.periods.is_empty() {
            return Err((0, "it has no line with a time, like: NOW name".to_owned()));
        }
        let count = self.periods.len();
        let next = |n: usize| (n + 1) % count;
        for n in 0..count {
            if self.periods[n].link == Link::Usual {
                self.periods[n].at = self.periods[next(n)].at;
            }
        }
        for n in 0..count {
            if self.periods[n].link != Link::Usual {
                continue;
            }
            let (before, after) = ((n + count - 1) % count, next(n));
            let length = from_to(self.periods[n].at, self.periods[after].at);
            if length < self.fade {
                let wanted = (self.fade - length) / 2;
                let early = wanted.min(from_to(self.periods[before].at, self.periods[n].at));
                let late = wanted.min(from_to(
                    self.periods[after].at,
                    self.periods[next(after)].at,
                ));
                self.periods[n].at = (self.periods[n].at - early).rem_euclid(DAY);
                self.periods[after].at = (self.periods[after].at + late).rem_euclid(DAY);
            }
        }
        let mut stretches: Vec<(i64, i64, Voices, Voices)> = Vec::new();
        let mut total = 0;
        for n in 0..count {
            let period = self.periods[n];
            let (at, end) = (period.at, self.periods[next(n)].at);
            let length = from_to(at, end);
            total += length;
            match period.link {
                Link::Hold => stretches.push((at, length, period.voices[0], period.voices[0])),
                link => {
                    let before = &self.periods[(n + count - 1) % count];
                    let after = &self.periods[next(n)];
                    let [a, b, c, d] = transition(link, before, after);
                    let half = length / 2;
                    stretches.push((at, half, a, b));
                    stretches.push(((at + half) % DAY, length - half, c, d));
                }
            }
        }
        if total > DAY {
            return Err((
                0,
                "its times go more than once around the clock: two of them are out of order"
                    .to_owned(),
            ));
        }
        let first = self.first.unwrap_or(0);
        if total == 0
            && let Some(only) = self
                .periods
                .iter()
                .rev()
                .find(|period| period.link == Link::Hold)
        {
            // One line alone holds around the clock.
            stretches = vec![(first, DAY, only.voices[0], only.voices[0])];
        }
        let length = from_to(first, self.last);
        if !self.ends && length > 0 {
            self.sequence.report(
                "without -E SBaGen goes on around the clock; here the last line's sound stays"
                    .to_owned(),
            );
        }
        self.pieces(&stretches, first, length);
        Ok(self.sequence)
    }

    /// The stretches of the day from the first line to the last, in its order.
    fn pieces(&mut self, stretches: &[(i64, i64, Voices, Voices)], first: i64, length: i64) {
        let length = if length == 0 { 1000 } else { length };
        let is_tone = |voice: &Voice| matches!(voice.sort, Sort::Tone(_));
        let kind_of = |voice: &Voice| match voice.sort {
            Sort::Tone(201) => Kind::Isochronic,
            Sort::Tone(202) => Kind::Monaural,
            _ => Kind::Binaural,
        };
        // Each channel of tones, in each of its kinds, is a voice.
        let mut voices: Vec<(usize, Kind)> = Vec::new();
        for (_, _, a, b) in stretches {
            for (channel, voice) in a.iter().enumerate().chain(b.iter().enumerate()) {
                let entry = (channel, kind_of(voice));
                if is_tone(voice) && !voices.contains(&entry) {
                    voices.push(entry);
                }
            }
        }
        self.sequence.kinds = voices.iter().map(|(_, kind)| *kind).collect();
        let mixes = stretches
            .iter()
            .any(|(_, _, a, b)| a.iter().chain(b).any(|voice| voice.sort == Sort::Mix));
        let mut pieces = Vec::new();
        for (at, duration, a, b) in stretches.iter().filter(|stretch| stretch.1 > 0) {
            let start = from_to(first, *at);
            // A stretch over the first line's time is heard from there on.
            let turns = [start, start - DAY];
            for start in turns
                .into_iter()
                .filter(|start| start + duration > 0 && *start < length)
            {
                let (from, to) = (start.max(0), (start + duration).min(length));
                let share = |at: i64| (at - start) as f64 / *duration as f64;
                let ends = [share(from), share(to)];
                let tone = |channel: usize, kind: Kind, x: f64| {
                    let [a, b] = [&a[channel], &b[channel]];
                    let mix = |a: f64, b: f64| a + (b - a) * x;
                    let here = (is_tone(a) || is_tone(b))
                        && kind_of(if is_tone(a) { a } else { b }) == kind;
                    Tone {
                        carrier: mix(a.carrier, b.carrier),
                        beat: -mix(a.beat, b.beat),
                        gain: if here { mix(a.amp, b.amp) / 100.0 } else { 0.0 },
                    }
                };
                let sum = |sorts: &[Sort], x: f64| -> f64 {
                    let of = |voices: &Voices| -> f64 {
                        voices
                            .iter()
                            .filter(|voice| sorts.contains(&voice.sort))
                            .map(|voice| voice.amp)
                            .sum()
                    };
                    (of(a) + (of(b) - of(a)) * x) / 100.0
                };
                pieces.push(Piece {
                    start: from as f64 / 1000.0,
                    end: to as f64 / 1000.0,
                    tones: voices
                        .iter()
                        .map(|(channel, kind)| ends.map(|x| tone(*channel, *kind, x)))
                        .collect(),
                    noise: ends.map(|x| PINK * sum(&[Sort::Pink, Sort::Spin], x)),
                    mix: mixes.then(|| ends.map(|x| sum(&[Sort::Mix], x))),
                });
            }
        }
        pieces.sort_by(|a, b| a.start.total_cmp(&b.start));
        if pieces.iter().any(|piece| piece.noise != [0.0; 2]) {
            self.sequence.report(
                "noise: SBaGen's is not quite pink, and the same in both ears; its level is near",
            );
        }
        self.sequence.pieces = pieces;
    }
}

/// The voices at the beginning, before the middle, after it, and at the end of a transition.
fn transition(link: Link, before: &Period, after: &Period) -> [Voices; 4] {
    let (mut a, mut d) = (before.voices[1], after.voices[0]);
    let slide = link == Link::Slide;
    let (fade_out, fade_in) = if slide {
        (Fade::Slide, Fade::Slide)
    } else {
        (before.end, after.begin)
    };
    for (from, to) in a.iter_mut().zip(&mut d) {
        if slide && from.sort == Sort::None && to.sort != Sort::None && to.sort != Sort::Bell {
            *from = Voice { amp: 0.0, ..*to };
        } else if slide && from.sort != Sort::None && to.sort == Sort::None {
            *to = Voice { amp: 0.0, ..*from };
        }
    }
    let (mut b, mut c) = (a, d);
    for (from, to) in b.iter_mut().zip(&mut c) {
        let silent = [fade_out, fade_in].contains(&Fade::Silence);
        let through = [fade_out, fade_in].contains(&Fade::Through);
        let pitched = matches!(from.sort, Sort::Tone(_));
        let other_pitch = pitched && (from.carrier != to.carrier || from.beat != to.beat);
        if silent || from.sort != to.sort || through && other_pitch {
            (from.amp, to.amp) = (0.0, 0.0);
        } else {
            let middle = Voice {
                sort: from.sort,
                carrier: (from.carrier + to.carrier) / 2.0,
                beat: (from.beat + to.beat) / 2.0,
                amp: (from.amp + to.amp) / 2.0,
            };
            (*from, *to) = (middle, middle);
        }
    }
    [a, b, c, d]
}

/// A preset as an SBaGen sequence, with the report of what could not be mapped.
///
/// # Errors
/// What makes it impossible.
pub fn export(preset: &Preset) -> Result<(String, Vec<String>), String> {
    const RATE: f64 = 8000.0;
    let mut settings = preset.all_settings();
    // At its time a step is there, and not at the beginning of its glide.
    settings[id::GLIDE.index()].1 = 0.0;
    let setting = |control: crate::engine::ControlId| settings[control.index()].1;
    let mut report = Vec::new();
    let timeline = match preset.protocol() {
        Some(protocol) => Some(
            protocol
                .timeline(&settings, RATE)
                .map_err(|error| error.to_string())?,
        ),
        None => None,
    };
    let mut times = vec![0.0];
    let mut rounded = false;
    if let Some(protocol) = preset.protocol() {
        let mut last = 0.0;
        for row in protocol.rows() {
            let bent = matches!(row.curve, Curve::Exponential | Curve::Smooth);
            let level = row.curve != Curve::Step && row.control.control().unit() == "dB";
            if (bent || level) && row.seconds > last {
                // SBaGen knows straight lines of hertz and of gain only.
                times.extend((1..8).map(|n| last + (row.seconds - last) * f64::from(n) / 8.0));
            }
            // Rounded up: before its time a row is not there yet.
            let whole = row.seconds.ceil();
            rounded |= whole != row.seconds;
            if row.curve == Curve::Step && whole >= 1.0 {
                times.push(whole - 1.0);
            }
            times.push(whole);
            last = row.seconds.max(last);
        }
    }
    if rounded || times.iter().any(|time| time.fract() != 0.0) {
        report.push("times are whole seconds in SBaGen: rounded".to_owned());
    }
    let mut times: Vec<u64> = times.iter().map(|time| time.round() as u64).collect();
    times.sort_unstable();
    times.dedup();
    let end = times.last().copied().unwrap_or(0);
    if end >= 86_400 {
        return Err("SBaGen's sequences are at most a day long".to_owned());
    }
    let at = |control: crate::engine::ControlId, seconds: u64| {
        let position = (seconds as f64 * RATE) as i64;
        let driven = timeline
            .as_ref()
            .and_then(|timeline| timeline.value(control, position, false));
        driven.unwrap_or_else(|| setting(control))
    };
    let moves = |control| {
        let timeline = timeline.as_ref();
        timeline.is_some_and(|timeline| timeline.drives(control))
    };
    let percent = |control: crate::engine::ControlId, db: f64| {
        if db <= control.control().range().0 {
            0.0
        } else {
            100.0 * 10f64.powf(db / 20.0)
        }
    };
    let short = |x: f64| {
        let text = format!("{x:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let mut text = String::new();
    for line in preset.name().lines().chain(preset.about().lines()) {
        text += &format!("## {line}\n");
    }
    text += "\n-SE\n\n";
    let mut lines = String::new();
    let mut any = false;
    for (n, seconds) in times.iter().enumerate() {
        let mut words = Vec::new();
        let noise = at(id::NOISE_KIND, *seconds) as usize;
        if noise != id::NOISE_OFF {
            let level = percent(id::NOISE_LEVEL, at(id::NOISE_LEVEL, *seconds)) / PINK;
            words.push(format!("pink/{}", short(level.min(100.0))));
            let line = if noise == id::NOISE_PINK {
                "noise: SBaGen's is not quite pink, and the same in both ears; its level is near"
            } else {
                "noise: SBaGen has pink noise only"
            };
            report.push(line.to_owned());
        }
        for (index, ids) in LAYER.iter().enumerate() {
            let kind = at(ids.kind, *seconds) as usize;
            if kind == id::LAYER_OFF {
                words.push("-".to_owned());
                continue;
            }
            if kind != id::LAYER_BINAURAL {
                report.push(format!(
                    "layer {}: SBaGen has binaural tones only; left out",
                    index + 1
                ));
                words.push("-".to_owned());
                continue;
            }
            let carrier = carrier_hertz(|control| at(control, *seconds), moves(id::CARRIER));
            let carrier = carrier * 2f64.powf(at(ids.interval, *seconds) / 12.0);
            let beat = at(id::BEAT, *seconds) * at(ids.ratio, *seconds);
            let sign = if at(ids.swap, *seconds) >= 0.5 {
                '+'
            } else {
                '-'
            };
            let level = percent(ids.level, at(ids.level, *seconds));
            words.push(format!(
                "{}{sign}{}/{}",
                short(carrier),
                short(beat),
                short(level)
            ));
            if at(ids.wave, *seconds) as usize != id::WAVE_SINE {
                let line = format!("layer {}: SBaGen has sines only", index + 1);
                report.push(line);
            }
            any = true;
        }
        any |= noise != id::NOISE_OFF;
        while words.last().is_some_and(|word| word == "-") {
            words.pop();
        }
        if words.is_empty() {
            words.push("-".to_owned());
        }
        text += &format!("ts{n}: {}\n", words.join(" "));
        let clock = format!(
            "{:02}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
        let arrow = if n + 1 < times.len() { " ->" } else { "" };
        lines += &format!("{clock} == ts{n}{arrow}\n");
    }
    if !any {
        return Err(
            "it has no binaural layer and no noise, which are all that SBaGen plays".to_owned(),
        );
    }
    let others = [
        (id::PROG_KIND, "the treatment of the program"),
        (id::SPACE_KIND, "space"),
    ];
    for (control, what) in others {
        if setting(control) != 0.0 {
            report.push(format!("{what}: SBaGen has none; left out"));
        }
    }
    let source = |control, name| setting(control) as usize == name;
    let beat = at(id::BEAT, 0);
    let note = carrier_hertz(|control| at(control, 0), false);
    let has_protocol = preset.protocol().is_some();
    let told = [
        (
            source(id::BEAT_SOURCE, id::BEAT_TEMPO) && !moves(id::BEAT),
            format!("the beat follows a tempo, and SBaGen has none: {beat} Hz in its place"),
        ),
        (
            source(id::CARRIER_SOURCE, id::CARRIER_MIDI) && !moves(id::CARRIER),
            format!(
                "the carrier follows MIDI notes, and SBaGen has none: {note:.3} Hz in its place"
            ),
        ),
        (
            has_protocol && setting(id::PROTOCOL_LOOP) >= 0.5,
            "the protocol loops, and here plays once: without -E SBaGen goes around the clock only"
                .to_owned(),
        ),
        (
            has_protocol && setting(id::PROTOCOL_ON) < 0.5,
            "the protocol is off, and is exported all the same".to_owned(),
        ),
    ];
    report.extend(told.into_iter().filter(|(is, _)| *is).map(|(_, line)| line));
    report.sort();
    report.dedup();
    Ok((text + "\n" + &lines, report))
}

#[cfg(test)]
mod tests;
