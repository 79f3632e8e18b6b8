//! Zeitgeber's own OSC addresses: a message becomes a command, or a reason why not.

use super::osc::{Arg, Message};
use crate::engine::ControlId;
use crate::engine::controls::{Control, Values};
use crate::text::shorten;

/// What everything of ours begins with.
pub const ROOT: &str = "/zeitgeber/";

/// The longest name of a preset, a node or an instance, in letters.
const LONGEST_NAME: usize = 200;

/// What an instance is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A control, in its unit.
    Set(ControlId, f64),
    /// A preset by name.
    Preset(String),
    /// Where the host has no transport: the protocol runs, or waits.
    Play(bool),
    /// Where the host has no transport: the protocol goes on from this second.
    Seek(f64),
    /// A parameter of a node of the chain.
    Node {
        /// Name of the node.
        node: String,
        /// Name of the parameter.
        param: String,
        /// In its unit.
        value: f64,
    },
    /// The head looks to the front.
    Recenter,
    /// A button was let go: nothing is to be done.
    LetGo,
}

/// What is longer is no id, and is not looked for.
const LONGEST_ID: usize = 64;

/// What is longer is no value.
const LONGEST_VALUE: usize = 200;

/// A command and whom it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// The name of an instance; all where there is none.
    pub instance: Option<String>,
    /// What it is told.
    pub command: Command,
}

/// Reads a message of ours; `None` for any other address.
///
/// # Errors
/// What is wrong with it, in a musician's words.
pub fn route(message: &Message) -> Option<Result<Routed, String>> {
    let path = message.address.strip_prefix(ROOT)?;
    Some(read(path, message).map_err(|error| format!("{}: {error}", shorten(&message.address))))
}

fn read(path: &str, message: &Message) -> Result<Routed, String> {
    let (instance, path) = match path.strip_prefix("instance/") {
        Some(rest) => {
            let (name, path) = rest
                .split_once('/')
                .ok_or("an instance's name and an id are to follow")?;
            (Some(name.to_owned()), path)
        }
        None => (None, path),
    };
    let parts: Vec<&str> = path.split('/').collect();
    let command = match parts[..] {
        ["preset"] => Command::Preset(name(message)?),
        ["protocol", "play"] => Command::Play(switch(message)?),
        ["protocol", "pause"] => Command::Play(!switch(message)?),
        ["protocol", "seek"] => Command::Seek(number(message)?.max(0.0)),
        ["head", "recenter"] if switch(message)? => Command::Recenter,
        ["head", "recenter"] => Command::LetGo,
        ["node", node, param] => Command::Node {
            node: node.to_owned(),
            param: param.to_owned(),
            value: number(message)?,
        },
        ["norm", id] => {
            let control = find(id)?;
            let norm = number(message)?;
            if !(0.0..=1.0).contains(&norm) {
                return Err(format!("{norm} is outside 0 to 1"));
            }
            Command::Set(control, control.control().from_normalized(norm))
        }
        [id] => {
            let control = find(id)?;
            Command::Set(control, value(control.control(), message)?)
        }
        _ => return Err("there is nothing of that name".to_owned()),
    };
    Ok(Routed { instance, command })
}

fn find(id: &str) -> Result<ControlId, String> {
    if id.len() > LONGEST_ID {
        return Err("there is nothing of that name".to_owned());
    }
    ControlId::parse(id).map_err(|error| error.to_string())
}

fn only(message: &Message) -> Result<&Arg, String> {
    match &message.args[..] {
        [arg] => Ok(arg),
        args => Err(format!("it takes one value, not {}", args.len())),
    }
}

fn number(message: &Message) -> Result<f64, String> {
    only(message)?
        .number()
        .ok_or_else(|| "the value is no number".to_owned())
}

/// A button: without a value, or with one that is not 0.
fn switch(message: &Message) -> Result<bool, String> {
    if message.args.is_empty() {
        return Ok(true);
    }
    Ok(number(message)? != 0.0)
}

fn name(message: &Message) -> Result<String, String> {
    match only(message)? {
        Arg::Text(text) if text.chars().count() <= LONGEST_NAME => Ok(text.clone()),
        _ => Err("it takes a name".to_owned()),
    }
}

/// A value in the control's unit or by name; of lists also its number.
fn value(control: &Control, message: &Message) -> Result<f64, String> {
    let parse = |text: &str| {
        let value = control.parse(text).map_err(|error| error.to_string())?;
        Ok(control.snap(value))
    };
    match (only(message)?, control.values) {
        (Arg::Text(text), _) if text.len() > LONGEST_VALUE => Err("that is no value".to_owned()),
        (Arg::Text(text), _) => parse(text),
        (Arg::Number(number), Values::Choice { names, .. }) => {
            let index = number.round();
            if index < 0.0 || index >= names.len() as f64 || index != *number {
                return Err(format!("{number} is not one of {}", names.join(", ")));
            }
            parse(names[index as usize])
        }
        (Arg::Number(number), Values::Switch { .. }) => Ok(f64::from(u8::from(*number >= 0.5))),
        (Arg::Number(number), Values::Number { .. }) => {
            // f32 has no -12.1: what it is nearest to is meant.
            let near = control.snap(*number);
            let (min, max) = control.range();
            let beyond = (min - number).max(number - max);
            // No further than f32 is out: what is just outside is outside.
            let is_within = beyond <= f64::from(f32::EPSILON) * number.abs();
            if number.is_finite()
                && is_within
                && (near - number).abs() <= 0.01 * number.abs().max(0.01)
            {
                Ok(near)
            } else {
                parse(&number.to_string())
            }
        }
        (Arg::Other, _) => Err("the value is neither a number nor a name".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::controls::{BEAT, CARRIER, HEAD_TRACK, L1_LEVEL, SPACE_HRTF, SPACE_KIND};

    fn read(address: &str, args: &[Arg]) -> Result<Routed, String> {
        let message = Message {
            address: address.to_owned(),
            args: args.to_vec(),
        };
        route(&message).expect("one of ours")
    }

    fn one(address: &str, arg: Arg) -> Result<Command, String> {
        read(address, &[arg]).map(|routed| routed.command)
    }

    fn text(text: &str) -> Arg {
        Arg::Text(text.to_owned())
    }

    #[test]
    fn values_are_real_units_names_or_norms() {
        let set = |id, value| Ok(Command::Set(id, value));
        assert_eq!(
            one("/zeitgeber/beat", Arg::Number(f64::from(6.3_f32))),
            set(BEAT, 6.3)
        );
        assert_eq!(one("/zeitgeber/beat", text("6.3 Hz")), set(BEAT, 6.3));
        assert_eq!(
            one("/zeitgeber/l1_level", Arg::Number(f64::from(-12.1_f32))),
            set(L1_LEVEL, -12.1)
        );
        let hrtf = SPACE_HRTF as f64;
        assert_eq!(
            one("/zeitgeber/space_kind", text("hrtf")),
            set(SPACE_KIND, hrtf)
        );
        assert_eq!(
            one("/zeitgeber/space_kind", Arg::Number(1.0)),
            set(SPACE_KIND, hrtf)
        );
        assert_eq!(
            one("/zeitgeber/head_track", text("off")),
            set(HEAD_TRACK, 0.0)
        );
        assert_eq!(
            one("/zeitgeber/head_track", Arg::Number(1.0)),
            set(HEAD_TRACK, 1.0)
        );
        assert_eq!(
            one("/zeitgeber/norm/beat", Arg::Number(0.5)),
            set(BEAT, 50.0)
        );
    }

    #[test]
    fn instances_protocols_presets_and_nodes_have_their_places() {
        let routed = read("/zeitgeber/instance/left/carrier", &[Arg::Number(300.0)]).unwrap();
        assert_eq!(routed.instance.as_deref(), Some("left"));
        assert_eq!(routed.command, Command::Set(CARRIER, 300.0));
        assert_eq!(
            one("/zeitgeber/preset", text("Deep")),
            Ok(Command::Preset("Deep".to_owned()))
        );
        let play = read("/zeitgeber/protocol/play", &[]).unwrap().command;
        assert_eq!(play, Command::Play(true));
        assert_eq!(
            one("/zeitgeber/protocol/pause", Arg::Number(1.0)),
            Ok(Command::Play(false))
        );
        assert_eq!(
            one("/zeitgeber/protocol/seek", Arg::Number(30.0)),
            Ok(Command::Seek(30.0))
        );
        assert_eq!(
            one("/zeitgeber/node/late/decay", Arg::Number(2.0)),
            Ok(Command::Node {
                node: "late".to_owned(),
                param: "decay".to_owned(),
                value: 2.0
            })
        );
        assert_eq!(
            read("/zeitgeber/head/recenter", &[]).unwrap().command,
            Command::Recenter
        );
        // Buttons send 1 when they are pressed and 0 when they are let go.
        let recenter = |value| one("/zeitgeber/head/recenter", Arg::Number(value));
        assert_eq!(recenter(1.0), Ok(Command::Recenter));
        assert_eq!(recenter(0.0), Ok(Command::LetGo));
        assert!(one("/zeitgeber/head/recenter", text("now")).is_err());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |address: &str, args: &[Arg]| read(address, args).unwrap_err();
        assert!(wrong("/zeitgeber/beet", &[Arg::Number(1.0)]).contains("\"beat\""));
        assert!(wrong("/zeitgeber/beat", &[]).contains("one value"));
        for number in [101.5, 101.0, 100.001, -0.001] {
            assert!(wrong("/zeitgeber/beat", &[Arg::Number(number)]).contains("100"));
        }
        assert!(wrong("/zeitgeber/carrier", &[Arg::Number(19.9)]).contains("20"));
        for id in ControlId::all() {
            // Both ends, as f32 has them.
            let (min, max) = id.control().range();
            for end in [min, max].map(|end| f64::from(end as f32)) {
                let address = format!("/zeitgeber/{}", id.control().id);
                assert!(one(&address, Arg::Number(end)).is_ok(), "{address} {end}");
            }
        }
        assert!(wrong("/zeitgeber/beat", &[Arg::Number(f64::NAN)]).contains("NaN"));
        assert!(wrong("/zeitgeber/space_kind", &[Arg::Number(1.5)]).contains("hrtf"));
        assert!(wrong("/zeitgeber/space_kind", &[text("hrft")]).contains("hrtf"));
        assert!(wrong("/zeitgeber/norm/beat", &[Arg::Number(2.0)]).contains("0 to 1"));
        assert!(wrong("/zeitgeber/instance/x", &[]).contains("follow"));
        assert!(wrong("/zeitgeber/a/b/c/d", &[]).contains("nothing"));
        assert!(
            route(&Message {
                address: "/ypr".to_owned(),
                args: vec![]
            })
            .is_none()
        );
    }
}
