//! What the user of this machine has allowed to reach beyond it.
//!
//! A project or a preset comes from anywhere: what it says of other machines acts only after somebody has allowed that port or
//! that address here. What was allowed is kept beside the presets, never in a project.

use super::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A list of more bytes than this is some other file.
const LONGEST: u64 = 1 << 16;

/// The name of the file.
const FILE: &str = "network.json";

/// What reaches beyond this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// To hear other machines at a UDP port.
    Listen(u16),
    /// To tell values to an address.
    Tell(SocketAddr),
}

/// What it would do, to be said behind "this project asks to".
impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ask::Listen(port) => write!(f, "hear other machines at UDP port {port}"),
            Ask::Tell(to) => write!(f, "tell its values to {to}"),
        }
    }
}

/// What has been allowed, and where that is kept.
#[derive(Debug, Default)]
pub(super) struct Consent {
    allowed: Allowed,
    file: Option<PathBuf>,
}

/// As it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Allowed {
    listen: BTreeSet<u16>,
    tell: BTreeSet<SocketAddr>,
}

impl Consent {
    /// Keeps it in a folder from now on.
    pub fn keep_in(&mut self, folder: &Path) {
        self.file = Some(folder.join(FILE));
        self.read();
    }

    /// Adds what has been allowed in other instances since. What cannot be read allows nothing.
    pub fn read(&mut self) {
        // Why not is told to who would write it.
        let _ = self.take_in();
    }

    /// As [`Self::read`].
    ///
    /// # Errors
    /// Where there is a file that cannot be read: writing would lose what it holds.
    fn take_in(&mut self) -> std::io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let bytes = match crate::file::bytes(file, LONGEST) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            bytes => bytes?,
        };
        let kept: Allowed = serde_json::from_slice(&bytes)?;
        self.allowed.listen.extend(kept.listen);
        self.allowed.tell.extend(kept.tell);
        Ok(())
    }

    /// Whether this may be done: on this machine anything may.
    pub fn has(&self, ask: Ask) -> bool {
        match ask {
            Ask::Listen(port) => self.allowed.listen.contains(&port),
            Ask::Tell(to) => to.ip().is_loopback() || self.allowed.tell.contains(&to),
        }
    }

    /// Allows it, and keeps that.
    ///
    /// # Errors
    /// Where it could not be kept: it is allowed until the program ends.
    pub fn allow(&mut self, ask: Ask) -> Result<(), String> {
        let known = self.take_in();
        let new = match ask {
            Ask::Listen(port) => self.allowed.listen.insert(port),
            Ask::Tell(to) => self.allowed.tell.insert(to),
        };
        let Some(file) = self.file.as_ref().filter(|_| new) else {
            return Ok(());
        };
        let folder = file.parent().unwrap_or(Path::new("."));
        let not_kept = |why: String| {
            let file = file.display();
            format!("that this project may {ask} is not kept for the next time: {file}: {why}")
        };
        known.map_err(|error| not_kept(format!("it cannot be read ({error}); move it away")))?;
        std::fs::create_dir_all(folder)
            .and_then(|()| Ok(serde_json::to_string(&self.allowed)?))
            .and_then(|json| crate::file::replace(file, &json))
            .map_err(|error| not_kept(crate::file::why(&error)))
    }

    /// What the settings ask for and nobody has allowed.
    pub fn lacks(&self, settings: &Settings) -> Vec<Ask> {
        let asks = settings.asks().into_iter();
        asks.filter(|ask| !self.has(*ask)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Desk;

    #[test]
    fn what_is_allowed_is_kept_for_other_instances_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let [mut one, mut other] = [Consent::default(), Consent::default()];
        one.keep_in(&folder.path().join("new"));
        other.keep_in(&folder.path().join("new"));
        let to = Ask::Tell(([203, 0, 113, 7], 9000).into());
        one.allow(Ask::Listen(9009)).unwrap();
        assert!(one.has(Ask::Listen(9009)) && !other.has(Ask::Listen(9009)));
        // The other one's writing loses nothing of the first one's.
        other.allow(to).unwrap();
        let mut third = Consent::default();
        third.keep_in(&folder.path().join("new"));
        assert!(third.has(Ask::Listen(9009)) && third.has(to));
        assert!(!third.has(Ask::Listen(9010)));
        assert!(!third.has(Ask::Tell(([203, 0, 113, 7], 9001).into())));
        assert!(third.has(Ask::Tell(([127, 0, 0, 1], 1).into())));
        std::fs::write(folder.path().join("new").join(FILE), "{ damaged").unwrap();
        let mut broken = Consent::default();
        broken.keep_in(&folder.path().join("new"));
        assert!(!broken.has(Ask::Listen(9009)));
        // It holds what nobody can read now, and would be lost.
        let error = broken.allow(Ask::Listen(9012)).unwrap_err();
        assert!(error.contains("move it away"), "{error}");
        assert!(broken.has(Ask::Listen(9012)), "until the program ends");
        let file = folder.path().join("new").join(FILE);
        assert_eq!(std::fs::read_to_string(file).unwrap(), "{ damaged");
    }

    #[test]
    fn a_project_tells_nobody_else_anything_until_its_user_allows_it() {
        let desk = Desk::default();
        let told = |desk: &Desk| {
            let mut sent = BTreeSet::new();
            desk.feed_back(
                |_| false,
                |_, to| {
                    sent.insert(to);
                },
            );
            std::thread::sleep(std::time::Duration::from_millis(30));
            sent
        };
        let to: SocketAddr = ([203, 0, 113, 7], 9000).into();
        let osc = r#"{"osc": true, "feedback": true, "feedback_rate": 50, "feedback_to": "203.0.113.7:9000"}"#;
        desk.hold(crate::engine::controls::BEAT, 6.0);
        desk.restore([("osc".to_owned(), osc.to_owned())].into());
        desk.hold(crate::engine::controls::BEAT, 6.0);
        assert_eq!(desk.status().asks, [Ask::Tell(to)]);
        assert!(told(&desk).is_empty());
        // Changing something else, or switching it off and on, is no consent to an address that nobody here chose.
        desk.edit(|settings| settings.name = "mine".to_owned());
        desk.edit(|settings| settings.feedback = false);
        desk.edit(|settings| settings.feedback = true);
        assert!(told(&desk).is_empty());
        desk.allow(Ask::Tell(to));
        assert_eq!(told(&desk), [to].into());
        assert!(desk.status().asks.is_empty());
        // What the user sets is allowed by that.
        let mine: SocketAddr = ([203, 0, 113, 8], 9000).into();
        desk.edit(|settings| settings.feedback_to = Some(mine));
        assert_eq!(told(&desk), [mine].into());
    }

    #[test]
    fn the_network_is_allowed_by_whoever_switches_it_on_and_by_nothing_else() {
        let desk = Desk::default();
        let asks = |desk: &Desk| desk.status().asks;
        // It waits for OSC to be switched on.
        let osc = r#"{"osc": false, "port": 9009, "anywhere": true}"#;
        desk.restore([("osc".to_owned(), osc.to_owned())].into());
        assert!(asks(&desk).is_empty());
        desk.edit(|settings| settings.osc = true);
        desk.edit(|settings| settings.opentrack = true);
        assert_eq!(asks(&desk), [Ask::Listen(9009), Ask::Listen(4242)]);
        // Another port is none that was allowed either.
        desk.edit(|settings| settings.port = 9010);
        assert_eq!(asks(&desk), [Ask::Listen(9010), Ask::Listen(4242)]);
        desk.edit(|settings| settings.anywhere = false);
        assert!(asks(&desk).is_empty());
        desk.edit(|settings| settings.anywhere = true);
        assert!(asks(&desk).is_empty() && desk.may(Ask::Listen(9010)));
        // Who has it takes it along.
        desk.edit(|settings| settings.port = 9011);
        assert!(asks(&desk).is_empty() && desk.may(Ask::Listen(9011)));
        assert!(!desk.may(Ask::Listen(9009)));
    }
}
