//! OSC packets: decoded without trust, encoded for feedback.

use rosc::{OscMessage, OscPacket, OscType};

/// The longest packet that is looked at: all that UDP carries.
pub const LONGEST: usize = 65_535;

/// How deep bundles and arrays may lie in each other. `rosc` reads and drops both recursively, and a packet of
/// 64 KB could nest some thousand of them.
const DEEPEST: usize = 8;

/// Messages of one packet at most.
const MOST: usize = 1024;

/// One argument of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// A number of any type, or a truth value as 0 or 1.
    Number(f64),
    /// A string or a character.
    Text(String),
    /// Anything else: times, blobs, colours.
    Other,
}

impl Arg {
    /// The number, if it is one; also one that is written as text.
    pub fn number(&self) -> Option<f64> {
        match self {
            Arg::Number(number) => Some(*number),
            Arg::Text(text) => text.trim().parse().ok(),
            Arg::Other => None,
        }
        .filter(|number| number.is_finite())
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The address, which begins with a slash.
    pub address: String,
    /// The arguments; arrays are laid flat.
    pub args: Vec<Arg>,
}

impl Message {
    /// The arguments, if all of them are numbers and there are so many.
    pub fn numbers<const N: usize>(&self) -> Option<[f64; N]> {
        let mut numbers = [0.0; N];
        if self.args.len() != N {
            return None;
        }
        for (number, arg) in numbers.iter_mut().zip(&self.args) {
            *number = arg.number()?;
        }
        Some(numbers)
    }

    /// The packet of this message.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let args = self.args.iter().map(|arg| match arg {
            // Senders and listeners of the world know f32 best; a control's decimals fit into it.
            Arg::Number(number) => OscType::Float(*number as f32),
            Arg::Text(text) => OscType::String(text.clone()),
            Arg::Other => OscType::Nil,
        });
        let packet = OscPacket::Message(OscMessage {
            addr: self.address.clone(),
            args: args.collect(),
        });
        rosc::encoder::encode(&packet).ok()
    }
}

/// A packet that is no OSC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The messages of a packet, bundles laid flat: time tags are not heeded, everything is of now.
///
/// # Errors
/// [`Malformed`]: nothing of such a packet is used.
pub fn decode(bytes: &[u8]) -> Result<Vec<Message>, Malformed> {
    if bytes.len() > LONGEST {
        return Err(Malformed);
    }
    check(bytes, 0)?;
    let (rest, packet) = rosc::decoder::decode_udp(bytes).map_err(|_| Malformed)?;
    if !rest.is_empty() {
        return Err(Malformed);
    }
    let mut messages = Vec::new();
    flatten(packet, &mut messages)?;
    Ok(messages)
}

fn flatten(packet: OscPacket, into: &mut Vec<Message>) -> Result<(), Malformed> {
    match packet {
        OscPacket::Message(message) => {
            if into.len() == MOST {
                return Err(Malformed);
            }
            let mut args = Vec::with_capacity(message.args.len());
            take(message.args, &mut args);
            into.push(Message {
                address: message.addr,
                args,
            });
        }
        OscPacket::Bundle(bundle) => {
            for packet in bundle.content {
                flatten(packet, into)?;
            }
        }
    }
    Ok(())
}

fn take(from: Vec<OscType>, into: &mut Vec<Arg>) {
    for arg in from {
        let arg = match arg {
            OscType::Int(number) => Arg::Number(f64::from(number)),
            OscType::Long(number) => Arg::Number(number as f64),
            OscType::Float(number) => Arg::Number(f64::from(number)),
            OscType::Double(number) => Arg::Number(number),
            OscType::Bool(on) => Arg::Number(f64::from(u8::from(on))),
            OscType::String(text) => Arg::Text(text),
            OscType::Char(letter) => Arg::Text(letter.to_string()),
            OscType::Array(array) => {
                take(array.content, into);
                continue;
            }
            _ => Arg::Other,
        };
        into.push(arg);
    }
}

/// The bytes of a string at the front, and what comes after its padding.
fn text(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let end = bytes.iter().position(|byte| *byte == 0).ok_or(Malformed)?;
    let padded = (end / 4 + 1) * 4;
    Ok((&bytes[..end], bytes.get(padded..).ok_or(Malformed)?))
}

/// Walks a packet's skeleton: how deep it is, and that bundles are of whole elements.
fn check(bytes: &[u8], depth: usize) -> Result<(), Malformed> {
    let (address, rest) = text(bytes)?;
    if address == b"#bundle" {
        if depth == DEEPEST {
            return Err(Malformed);
        }
        let mut rest = rest.get(8..).ok_or(Malformed)?;
        while !rest.is_empty() {
            let (size, more) = rest.split_at_checked(4).ok_or(Malformed)?;
            let size = u32::from_be_bytes(size.try_into().map_err(|_| Malformed)?) as usize;
            let (element, more) = more.split_at_checked(size).ok_or(Malformed)?;
            check(element, depth + 1)?;
            rest = more;
        }
        return Ok(());
    }
    if rest.is_empty() {
        // Old senders leave the type tags of a message without arguments away; rosc does not read that.
        return Err(Malformed);
    }
    let (tags, _) = text(rest)?;
    let mut open = 0_usize;
    for tag in tags {
        match tag {
            b'[' => open += 1,
            b']' => open = open.checked_sub(1).ok_or(Malformed)?,
            _ => {}
        }
        if open > DEEPEST {
            return Err(Malformed);
        }
    }
    if open > 0 {
        return Err(Malformed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rosc::{OscArray, OscBundle, OscTime};

    fn packet(addr: &str, args: Vec<OscType>) -> OscPacket {
        OscPacket::Message(OscMessage {
            addr: addr.to_owned(),
            args,
        })
    }

    fn bundle(content: Vec<OscPacket>) -> OscPacket {
        OscPacket::Bundle(OscBundle {
            timetag: OscTime {
                seconds: 0,
                fractional: 1,
            },
            content,
        })
    }

    fn encode(packet: &OscPacket) -> Vec<u8> {
        rosc::encoder::encode(packet).unwrap()
    }

    #[test]
    fn numbers_of_any_type_are_numbers() {
        let args = vec![
            OscType::Int(-3),
            OscType::Float(1.5),
            OscType::Double(2.25),
            OscType::Long(7),
            OscType::String("4.5".to_owned()),
            OscType::Bool(true),
        ];
        let found = decode(&encode(&packet("/a", args))).unwrap();
        assert_eq!(
            found[0].numbers::<6>().unwrap(),
            [-3.0, 1.5, 2.25, 7.0, 4.5, 1.0]
        );
        assert_eq!(found[0].numbers::<5>(), None);
        let text = decode(&encode(&packet(
            "/a",
            vec![OscType::String("nan".to_owned())],
        )))
        .unwrap();
        assert_eq!(text[0].numbers::<1>(), None, "not finite");
    }

    #[test]
    fn bundles_and_arrays_are_laid_flat() {
        let array = OscType::Array(OscArray {
            content: vec![OscType::Float(1.0), OscType::Float(2.0)],
        });
        let inner = bundle(vec![packet("/b", vec![array])]);
        let found = decode(&encode(&bundle(vec![packet("/a", vec![]), inner]))).unwrap();
        let addresses: Vec<&str> = found.iter().map(|m| m.address.as_str()).collect();
        assert_eq!(addresses, ["/a", "/b"]);
        assert_eq!(found[1].numbers::<2>(), Some([1.0, 2.0]));
    }

    #[test]
    fn nothing_that_is_deep_or_cut_is_read() {
        let mut deep = packet("/a", vec![]);
        for _ in 0..2000 {
            deep = bundle(vec![deep]);
            if encode(&deep).len() > 60_000 {
                break;
            }
        }
        assert_eq!(decode(&encode(&deep)), Err(Malformed));
        let mut tags = b"/a\0\0,".to_vec();
        tags.extend(std::iter::repeat_n(b'[', 60_000));
        tags.extend([0; 4]);
        tags.truncate(tags.len() / 4 * 4);
        assert_eq!(decode(&tags), Err(Malformed));
        let whole = encode(&bundle(vec![packet("/abc", vec![OscType::Float(1.0)])]));
        assert!(decode(&whole).is_ok());
        for length in 1..whole.len() {
            // All that is cut off is missed, but an empty bundle is one, too.
            assert!(
                length == 16 || decode(&whole[..length]).is_err(),
                "{length}"
            );
        }
        assert_eq!(decode(b""), Err(Malformed));
        assert_eq!(decode(b"/a\0\0"), Err(Malformed));
    }

    #[test]
    fn what_is_encoded_comes_back() {
        let message = Message {
            address: "/zeitgeber/beat".to_owned(),
            args: vec![Arg::Number(6.5), Arg::Text("hrtf".to_owned())],
        };
        assert_eq!(decode(&message.encode().unwrap()).unwrap(), [message]);
    }
}
