//! Learned MIDI: which controller moves what, and how its values become a control's.

use super::brought::{Declared, InsertParam, InsertTarget};
use crate::engine::ControlId;
use crate::engine::controls::Values;
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Entries of a map at most.
pub const MOST: usize = 256;

/// How near a control has to be to where its controller left it to be still in its hand, as a share of its range.
const SAME: f64 = 1.0 / 128.0;

/// Seconds within which the other half of a 14-bit controller makes one of a learned 7-bit one.
const PAIR: f64 = 0.5;

/// What of MIDI moves something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Controller {
    /// A controller of 7 bits.
    Cc(u8),
    /// A controller from 0 to 31 with its fine half 32 above.
    Cc14(u8),
    /// The pitch wheel.
    Bend,
    /// A program.
    Program(u8),
}

/// What it moves.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Moves {
    /// A control, by id.
    Control(String),
    /// Loads a preset, by name.
    Preset(String),
    /// The head looks to the front.
    Recenter,
}

/// One thing that has been learned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Learned {
    /// The channel, 0 to 15.
    pub channel: u8,
    /// What of it.
    pub controller: Controller,
    /// What it moves.
    pub moves: Moves,
}

impl Learned {
    /// A number that entries have in common only where they are alike.
    pub fn key(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// All that has been learned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MidiMap {
    /// In the order in which it was learned.
    pub entries: Vec<Learned>,
    /// A controller takes hold of a control only where it passes its value.
    pub pickup: bool,
}

impl MidiMap {
    /// Learns; what the controller moved before, and what moved the same before, is forgotten. False where the map is
    /// full: it stays as it is.
    pub fn learn(&mut self, learned: Learned) -> bool {
        let stays = |entry: &Learned| {
            let same = entry.channel == learned.channel && entry.controller == learned.controller;
            !same && entry.moves != learned.moves
        };
        if self.entries.iter().filter(|entry| stays(entry)).count() >= MOST {
            return false;
        }
        self.entries.retain(stays);
        self.entries.push(learned);
        true
    }

    /// Forgets what moves a control.
    pub fn forget(&mut self, moves: &Moves) {
        self.entries.retain(|entry| entry.moves != *moves);
    }

    /// What of it can be used: known controls, numbers in their ranges.
    pub fn usable(mut self) -> MidiMap {
        self.entries.truncate(MOST);
        self.entries.retain(|entry| {
            let known = match &entry.moves {
                Moves::Control(id) => ControlId::parse(id).is_ok(),
                Moves::Preset(name) => !name.is_empty(),
                Moves::Recenter => true,
            };
            let within = match entry.controller {
                Controller::Cc(number) | Controller::Program(number) => number < 128,
                Controller::Cc14(number) => number < 32,
                Controller::Bend => true,
            };
            known && within && entry.channel < 16
        });
        self
    }
}

/// What one message moves at most; what goes beyond is left as it is.
pub(super) const MOST_MOVED: usize = 16;

/// What a message has moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Moved {
    /// A control, to a value in its unit.
    Control(ControlId, f64),
    /// A parameter of a node in an insert that no macro moves, to a value in its unit.
    Insert(InsertParam, f64),
    /// Another entry of the map, by its [`Learned::key`]: the map may be another one when this is heard of.
    Entry(u64),
}

#[derive(Debug, Clone, Copy)]
struct Hand {
    channel: u8,
    controller: Controller,
    control: Option<ControlId>,
    /// What it is in the map.
    key: u64,
    /// Where the controller was last, 0 to 1, and the value that it has made of it.
    last: Option<(f64, Option<f64>)>,
    /// The halves of a 14-bit controller.
    halves: [u8; 2],
}

/// Plays a map: allocates and waits for nothing once it is made.
#[derive(Debug, Clone, Default)]
pub struct Player {
    hands: Vec<Hand>,
    /// What the nodes in the inserts want to be moved by.
    declared: Vec<Declared>,
    pickup: bool,
}

impl Player {
    /// Of a map.
    pub fn new(map: &MidiMap) -> Player {
        let hand = |entry: &Learned| Hand {
            channel: entry.channel,
            controller: entry.controller,
            control: match &entry.moves {
                Moves::Control(id) => ControlId::parse(id).ok(),
                Moves::Preset(_) | Moves::Recenter => None,
            },
            key: entry.key(),
            last: None,
            halves: [0; 2],
        };
        Player {
            hands: map.entries.iter().map(hand).collect(),
            declared: Vec::new(),
            pickup: map.pickup,
        }
    }

    /// Plays the nodes in the inserts, too.
    pub(super) fn with(self, declared: Vec<Declared>) -> Player {
        Player { declared, ..self }
    }

    /// A message of three bytes comes in (a program change has two); `value` tells where a control is now.
    pub fn hear(
        &mut self,
        message: [u8; 3],
        value: impl Fn(ControlId) -> f64,
        mut moved: impl FnMut(Moved),
    ) {
        for Declared { by, range, param } in &self.declared {
            match (by.value(message, range), param.to) {
                (Some(to), InsertTarget::Macro(control)) => {
                    let position = control.control().snap(range.position(to));
                    moved(Moved::Control(control, position));
                }
                (Some(to), InsertTarget::Node(_)) => moved(Moved::Insert(*param, to)),
                (None, _) => {}
            }
        }
        for hand in &mut self.hands {
            let Some(position) = hand.position(message) else {
                continue;
            };
            let Some(control) = hand.control else {
                // A button: pressed where it was not.
                let pressed = position >= 0.5;
                let before = hand.last.is_some_and(|(last, _)| last >= 0.5);
                hand.last = Some((position, None));
                if pressed && (!before || matches!(hand.controller, Controller::Program(_))) {
                    moved(Moved::Entry(hand.key));
                }
                continue;
            };
            let entry = control.control();
            let now = value(control);
            let at = entry.to_normalized(now);
            let continuous = matches!(entry.values, Values::Number { .. });
            let holds = match hand.last {
                _ if !self.pickup || !continuous => true,
                Some((_, Some(made))) if (entry.to_normalized(made) - at).abs() < SAME => true,
                Some((last, _)) => (last - at) * (position - at) <= 0.0,
                None => (position - at).abs() < SAME,
            };
            let made = holds.then(|| match entry.values {
                // A list is divided into equal parts.
                Values::Choice { names, .. } => (position * names.len() as f64)
                    .floor()
                    .min(names.len() as f64 - 1.0),
                _ => entry.from_normalized(position),
            });
            hand.last = Some((position, made));
            if let Some(made) = made.filter(|made| *made != now) {
                moved(Moved::Control(control, made));
            }
        }
    }
}

impl Hand {
    /// Where a message puts this controller, 0 to 1, if it is one of its own.
    fn position(&mut self, [status, first, second]: [u8; 3]) -> Option<f64> {
        let (kind, channel) = (status & 0xF0, status & 0x0F);
        if channel != self.channel {
            return None;
        }
        let (first, second) = (first & 127, second & 127);
        let whole = |halves: [u8; 2]| {
            let value = 128 * u32::from(halves[0]) + u32::from(halves[1]);
            f64::from(value) / 16_383.0
        };
        match (kind, self.controller) {
            (0xB0, Controller::Cc(number)) if number == first => Some(f64::from(second) / 127.0),
            (0xB0, Controller::Cc14(number)) if number == first => {
                // The standard has a new coarse value reset the fine one; some senders send it first. Either way the
                // fine value that follows makes it exact.
                self.halves[0] = second;
                Some(whole(self.halves))
            }
            (0xB0, Controller::Cc14(number)) if number + 32 == first => {
                self.halves[1] = second;
                Some(whole(self.halves))
            }
            (0xE0, Controller::Bend) => Some(whole([second, first])),
            (0xC0, Controller::Program(number)) if number == first => Some(1.0),
            _ => None,
        }
    }
}

/// Learns one thing from what comes in.
#[derive(Debug, Clone, Default)]
pub struct Learner {
    wanted: Option<Moves>,
    /// What was learned last, and when: its other half may come.
    last: Option<(Learned, f64)>,
}

impl Learner {
    /// From now on waits for a controller for this; `None` stops waiting.
    pub fn want(&mut self, moves: Option<Moves>) {
        self.wanted = moves;
        self.last = None;
    }

    /// What it waits for.
    pub fn wanted(&self) -> Option<&Moves> {
        self.wanted.as_ref()
    }

    /// A message comes in; gives what has been learned from it.
    pub fn hear(&mut self, [status, first, _]: [u8; 3], now: f64) -> Option<Learned> {
        let (kind, channel, first) = (status & 0xF0, status & 0x0F, first & 127);
        if let Some((learned, when)) = &self.last
            && kind == 0xB0
            && channel == learned.channel
            && now - when < PAIR
            && let Controller::Cc(number) = learned.controller
            && number < 64
            && first == number ^ 32
        {
            let learned = Learned {
                controller: Controller::Cc14(number.min(first)),
                ..learned.clone()
            };
            self.last = None;
            return Some(learned);
        }
        let controller = match kind {
            0xB0 => Controller::Cc(first),
            0xC0 => Controller::Program(first),
            0xE0 => Controller::Bend,
            _ => return None,
        };
        let learned = Learned {
            channel,
            controller,
            moves: self.wanted.take()?,
        };
        self.last = Some((learned.clone(), now));
        Some(learned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::controls::{BEAT, CARRIER, SPACE_KIND};

    fn learned(controller: Controller, id: &str) -> Learned {
        Learned {
            channel: 0,
            controller,
            moves: Moves::Control(id.to_owned()),
        }
    }

    fn hear(player: &mut Player, message: [u8; 3], now: f64) -> Vec<Moved> {
        let mut all = Vec::new();
        player.hear(message, |_| now, |moved| all.push(moved));
        all
    }

    #[test]
    fn controllers_move_what_they_have_learned() {
        let mut map = MidiMap::default();
        map.learn(learned(Controller::Cc(7), "beat"));
        map.learn(learned(Controller::Cc14(16), "carrier"));
        map.learn(learned(Controller::Bend, "l1_level"));
        map.learn(learned(Controller::Cc(9), "space_kind"));
        let mut player = Player::new(&map);
        assert_eq!(
            hear(&mut player, [0xB0, 7, 127], 10.0),
            [Moved::Control(BEAT, 100.0)]
        );
        assert_eq!(hear(&mut player, [0xB1, 7, 0], 10.0), [], "another channel");
        hear(&mut player, [0xB0, 48, 64], 250.0);
        let found = hear(&mut player, [0xB0, 16, 64], 250.0);
        let share = f64::from(64 * 128 + 64) / 16_383.0;
        assert_eq!(
            found,
            [Moved::Control(
                CARRIER,
                CARRIER.control().from_normalized(share)
            )]
        );
        assert!(matches!(
            hear(&mut player, [0xE0, 0, 127], -20.0)[..],
            [Moved::Control(_, level)] if level > -1.0
        ));
        assert_eq!(
            hear(&mut player, [0xB0, 9, 64], 0.0),
            [Moved::Control(SPACE_KIND, 1.0)]
        );
    }

    #[test]
    fn a_controller_picks_a_control_up_where_it_passes() {
        let mut map = MidiMap {
            pickup: true,
            ..MidiMap::default()
        };
        map.learn(learned(Controller::Cc(1), "beat"));
        let mut player = Player::new(&map);
        // The beat is at 50 of 100: the wheel comes from below.
        assert_eq!(hear(&mut player, [0xB0, 1, 10], 50.0), []);
        assert_eq!(hear(&mut player, [0xB0, 1, 60], 50.0), []);
        let [Moved::Control(BEAT, value)] = hear(&mut player, [0xB0, 1, 70], 50.0)[..] else {
            panic!("it has passed");
        };
        assert_eq!(hear(&mut player, [0xB0, 1, 80], value).len(), 1, "held");
        // Somebody else has moved it.
        assert_eq!(hear(&mut player, [0xB0, 1, 81], 20.0), []);
        assert_eq!(hear(&mut player, [0xB0, 1, 10], 20.0).len(), 1);
    }

    #[test]
    fn programs_and_buttons_do_things_once() {
        let mut map = MidiMap::default();
        map.learn(Learned {
            channel: 2,
            controller: Controller::Program(5),
            moves: Moves::Preset("Deep".to_owned()),
        });
        map.learn(Learned {
            channel: 2,
            controller: Controller::Cc(64),
            moves: Moves::Recenter,
        });
        let mut player = Player::new(&map);
        let [program, button] = [0, 1].map(|index: usize| Moved::Entry(map.entries[index].key()));
        assert_eq!(hear(&mut player, [0xC2, 5, 0], 0.0), [program]);
        assert_eq!(hear(&mut player, [0xC2, 5, 0], 0.0), [program]);
        assert_eq!(hear(&mut player, [0xB2, 64, 127], 0.0), [button]);
        assert_eq!(hear(&mut player, [0xB2, 64, 127], 0.0), []);
        assert_eq!(hear(&mut player, [0xB2, 64, 0], 0.0), []);
        assert_eq!(hear(&mut player, [0xB2, 64, 127], 0.0), [button]);
    }

    #[test]
    fn both_halves_are_learned_as_one() {
        let mut learner = Learner::default();
        assert_eq!(learner.hear([0xB0, 3, 1], 0.0), None, "nothing is wanted");
        for first in [[3, 35], [35, 3]] {
            learner.want(Some(Moves::Control("beat".to_owned())));
            let one = learner.hear([0xB4, first[0], 1], 1.0).unwrap();
            assert_eq!((one.channel, one.controller), (4, Controller::Cc(first[0])));
            let both = learner.hear([0xB4, first[1], 1], 1.01).unwrap();
            assert_eq!(both.controller, Controller::Cc14(3));
            assert_eq!(learner.wanted(), None);
        }
        learner.want(Some(Moves::Recenter));
        assert_eq!(learner.hear([0x90, 60, 100], 2.0), None, "a note");
        learner.hear([0xB0, 3, 1], 2.0).unwrap();
        assert_eq!(learner.hear([0xB0, 35, 1], 9.0), None, "much later");
    }

    #[test]
    fn a_full_map_keeps_what_it_has_and_still_learns_in_place_of_something() {
        let mut map = MidiMap::default();
        let preset = |number: usize| Learned {
            channel: (number / 128) as u8,
            controller: Controller::Program((number % 128) as u8),
            moves: Moves::Preset(number.to_string()),
        };
        assert!((0..MOST).all(|number| map.learn(preset(number))));
        let full = map.clone();
        assert!(!map.learn(preset(MOST)));
        assert_eq!(map, full);
        // The same program for another preset, and the same preset by another program.
        let other = Learned {
            moves: Moves::Recenter,
            ..preset(3)
        };
        assert!(map.learn(other.clone()));
        assert_eq!(
            (map.entries.len(), map.entries.last()),
            (MOST, Some(&other))
        );
        let moved = Learned {
            channel: 9,
            ..preset(5)
        };
        assert!(map.learn(moved));
        assert_eq!(map.entries.len(), MOST);
    }

    #[test]
    fn what_a_state_says_is_checked() {
        let map = MidiMap {
            entries: vec![
                learned(Controller::Cc(7), "beat"),
                learned(Controller::Cc(200), "beat"),
                learned(Controller::Cc14(32), "beat"),
                learned(Controller::Cc(7), "beet"),
                Learned {
                    channel: 16,
                    ..learned(Controller::Cc(7), "beat")
                },
            ],
            pickup: true,
        };
        assert_eq!(map.usable().entries.len(), 1);
    }
}
