//! What a host hands over is looked at before nice-plug sees it: states that are none, channels that are not there,
//! events from beyond the end of their block.
//!
//! nice-plug 0.4.2 says nothing of a state that it cannot read, and takes a host at its word in `process`: more channels
//! than a port has end the host, and an event beyond the block has memory overwritten.

pub(super) mod clap;
pub(super) mod vst3;

use super::state;
use crate::editor::Link;
use nice_plug::plugin::PluginState;
use serde_json::error::Category;
use std::cell::RefCell;
use std::sync::{Arc, Weak};

/// The longest state that is read, in bytes; nice-plug's own limit in CLAP.
const LONGEST_STATE: u64 = 256 << 20;

/// The longest block for which channels that lack are stood in for, in frames.
const LONGEST_STAND_IN: usize = 16_384;

/// Letters at most of what a reader of JSON says.
const LONGEST_REASON: usize = 160;

thread_local! {
    static MADE: RefCell<Weak<Link>> = const { RefCell::new(Weak::new()) };
}

/// Says what the instance that is being made on this thread posts its messages to.
pub(super) fn announce(link: &Arc<Link>) {
    MADE.with(|made| *made.borrow_mut() = Arc::downgrade(link));
}

/// What the last instance that was made on this thread posts its messages to.
fn made() -> Weak<Link> {
    MADE.with(RefCell::take)
}

/// Says why a state is not loaded.
fn refuse(link: &Weak<Link>, reason: &str) {
    if let Some(link) = link.upgrade() {
        link.messages.post(state::refused(reason));
        link.repaint();
    }
}

/// Why these bytes are no state, if they are none. What a state says is looked at by [`state::filter`].
fn complaint(json: &[u8]) -> Option<String> {
    if json.is_empty() {
        return Some("it is empty".to_owned());
    }
    let error = serde_json::from_slice::<PluginState>(json).err()?;
    let said = state::shorten_to(&error.to_string(), LONGEST_REASON);
    Some(match error.classify() {
        Category::Eof => format!("it ends in its midst, after {} bytes", json.len()),
        Category::Data => format!("it has not the form of a state of Zeitgeber: {said}"),
        Category::Syntax | Category::Io => format!("it is damaged, or none of Zeitgeber's: {said}"),
    })
}

/// The channels that a host gives for a port.
#[derive(Clone, Copy)]
struct Given {
    channels: *mut *mut f32,
    count: usize,
}

impl Given {
    const NONE: Given = Given {
        channels: std::ptr::null_mut(),
        count: 0,
    };

    /// # Safety
    /// Where `channels` is not null, it is as long as `count` says.
    unsafe fn channel(self, index: usize) -> *mut f32 {
        if self.channels.is_null() || index >= self.count {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { *self.channels.add(index) }
    }
}

/// Stands in for the channels that a host does not give. Made where nothing is in a hurry; then it allocates nothing.
struct Pads {
    silence: Vec<f32>,
    spare: Vec<Vec<f32>>,
    inputs: Vec<*mut f32>,
    outputs: Vec<*mut f32>,
}

impl Pads {
    /// For ports of so many channels and blocks of up to so many frames.
    fn new(inputs: usize, outputs: usize, most: usize) -> Pads {
        let most = most.min(LONGEST_STAND_IN);
        Pads {
            silence: vec![0.0; most],
            spare: vec![vec![0.0; most]; outputs],
            inputs: vec![std::ptr::null_mut(); inputs],
            outputs: vec![std::ptr::null_mut(); outputs],
        }
    }

    /// Whether a host gives the ports' channels, no more and no less.
    ///
    /// # Safety
    /// As for [`Given::channel`].
    unsafe fn are_needless(&self, input: Given, output: Given) -> bool {
        let is_whole = |given: Given, count: usize| {
            // SAFETY: the caller's promise.
            given.count == count && (0..count).all(|n| unsafe { !given.channel(n).is_null() })
        };
        is_whole(input, self.inputs.len()) && is_whole(output, self.outputs.len())
    }

    /// Makes the ports' channels of what there is: silence for inputs that lack, and for outputs something that nobody
    /// hears. False where the block is too long for that.
    ///
    /// # Safety
    /// As for [`Given::channel`], and channels hold `frames` frames.
    unsafe fn stand_in(&mut self, input: Given, output: Given, frames: usize) -> bool {
        if frames > self.silence.len() {
            return false;
        }
        self.silence.fill(0.0);
        for (index, place) in self.inputs.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            let channel = unsafe { input.channel(index) };
            *place = if channel.is_null() {
                self.silence.as_mut_ptr()
            } else {
                channel
            };
        }
        for (index, place) in self.outputs.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            let channel = unsafe { output.channel(index) };
            *place = if channel.is_null() {
                self.spare[index].as_mut_ptr()
            } else {
                channel
            };
        }
        true
    }

    /// Silences what a host gives from one output channel on.
    ///
    /// # Safety
    /// As for [`Pads::stand_in`].
    unsafe fn silence(output: Given, from: usize, frames: usize) {
        for index in from..output.count {
            // SAFETY: the caller's promise.
            let channel = unsafe { output.channel(index) };
            if !channel.is_null() {
                // SAFETY: a channel is as long as the block.
                unsafe { std::slice::from_raw_parts_mut(channel, frames) }.fill(0.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_state_is_told_in_words() {
        for (bytes, says) in [
            (&b""[..], "it is empty"),
            (
                b"{\"version\": \"1\", \"par",
                "it ends in its midst, after 21 bytes",
            ),
            (b"\0\x01\x02", "it is damaged"),
            (b"RIFF....", "it is damaged"),
            (
                b"{}",
                "it has not the form of a state of Zeitgeber: missing field `params`",
            ),
            (b"[]", "it has not the form"),
            (
                b"{\"version\":\"1\",\"params\":{\"beat\":{\"f64\":1}},\"fields\":{}}",
                "unknown variant `f64`",
            ),
        ] {
            let said = complaint(bytes).unwrap();
            assert!(said.contains(says), "{said}");
            assert!(said.chars().count() < 300 && !said.contains(char::is_control));
        }
        let sound = b"{\"version\":\"1\",\"params\":{},\"fields\":{}}";
        assert_eq!(complaint(sound), None);
        // What stands in it is not repeated at length, and moves no cursor.
        let long = format!(
            "{{\"version\":\"1\",\"params\":{{\"a\":{{\"\\u001b[2J{}\":1}}}}}}",
            "x".repeat(5000)
        );
        let said = complaint(long.as_bytes()).unwrap();
        assert!(said.len() < 300 && !said.contains('\u{1b}'), "{said}");
    }

    #[test]
    fn channels_that_lack_are_stood_in_for() {
        let mut pads = Pads::new(2, 2, 1 << 30);
        let mut left = [0.5f32; 8];
        let mut more = [0.5f32; 8];
        let mut three = [left.as_mut_ptr(), std::ptr::null_mut(), more.as_mut_ptr()];
        let given = Given {
            channels: three.as_mut_ptr(),
            count: 3,
        };
        // SAFETY: the arrays are as long as is said, and live.
        unsafe {
            assert!(!pads.are_needless(given, given));
            assert!(!pads.are_needless(Given::NONE, Given::NONE));
            assert!(!pads.stand_in(given, given, LONGEST_STAND_IN + 1));
            assert!(pads.stand_in(given, given, 8));
            assert!(pads.are_needless(
                Given {
                    channels: pads.inputs.clone().as_mut_ptr(),
                    count: 2
                },
                Given {
                    channels: pads.outputs.clone().as_mut_ptr(),
                    count: 2
                },
            ));
            Pads::silence(given, 2, 8);
        }
        assert_eq!(pads.inputs, [left.as_mut_ptr(), pads.silence.as_mut_ptr()]);
        assert_eq!(pads.outputs[1], pads.spare[1].as_mut_ptr());
        assert_eq!((left, more), ([0.5; 8], [0.0; 8]));
    }
}
