//! Who used the vault: one line of JSON each, appended and synced before the use.

use crate::files;
use crate::{FOLDER, VaultError};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// One use of the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// When, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What was done.
    pub action: Action,
    /// By which user of the system.
    pub by: String,
    /// About what, in words; never a number.
    pub what: String,
}

/// What can be done with the vault. (Sealing is a record of the journal, with its time, account and object.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Every sealed number was opened, to see that it opens; none was shown.
    Check,
    /// A rotation began or went on.
    Rotate,
    /// A rotation ended; older master keys were destroyed.
    Rotated,
    /// A key was drawn in the place of keys that are lost for good.
    Begun,
    /// The accesses and the sealed numbers were listed.
    Audit,
}

impl Action {
    /// Its word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Action::Check => "check",
            Action::Rotate => "rotate",
            Action::Rotated => "rotated",
            Action::Begun => "begun",
            Action::Audit => "audit",
        }
    }

    fn of_word(word: &str) -> Option<Action> {
        [
            Action::Check,
            Action::Rotate,
            Action::Rotated,
            Action::Begun,
            Action::Audit,
        ]
        .into_iter()
        .find(|action| action.word() == word)
    }
}

/// The file of accesses.
#[derive(Debug)]
pub struct Accesses {
    path: PathBuf,
}

impl Accesses {
    /// The accesses of a data directory.
    pub fn of(data: &Path) -> Accesses {
        Accesses {
            path: data.join(FOLDER).join("accesses"),
        }
    }

    /// Writes an access down. It is durable when this returns.
    ///
    /// # Errors
    /// The file cannot be written; then the access must not happen.
    pub fn record(&self, access: &Access) -> Result<(), VaultError> {
        let line = json!({
            "at_ms": access.at_ms,
            "action": access.action.word(),
            "by": access.by,
            "what": access.what,
        });
        let mut file = files::append(&self.path)?;
        let mut write = || {
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| files::io(&self.path, source))
    }

    /// Every access, oldest first. A line that a crash has cut off at the end is left out: its access did not happen.
    ///
    /// # Errors
    /// The file cannot be read, or a line is none.
    pub fn list(&self) -> Result<Vec<Access>, VaultError> {
        let bytes = files::read(&self.path)?.unwrap_or_default();
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = bytes[..whole]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        lines
            .enumerate()
            .map(|(at, line)| {
                parse(line).ok_or_else(|| VaultError::Damaged {
                    path: self.path.clone(),
                    what: format!("line {} is no access", at + 1),
                })
            })
            .collect()
    }
}

fn parse(line: &[u8]) -> Option<Access> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let text = |name: &str| Some(line.get(name)?.as_str()?.to_owned());
    Some(Access {
        at_ms: line.get("at_ms")?.as_u64()?,
        action: Action::of_word(&text("action")?)?,
        by: text("by")?,
        what: text("what")?,
    })
}
