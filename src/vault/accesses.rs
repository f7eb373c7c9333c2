//! Who used the vault: one line of JSON each, durable before the use.

use serde_json::{Value, json};

/// One use of the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// When, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What was done.
    pub action: Action,
    /// By which user of which machine.
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

impl Access {
    /// As a line of JSON, without its end.
    pub fn line(&self) -> String {
        let value = json!({
            "at_ms": self.at_ms,
            "action": self.action.word(),
            "by": self.by,
            "what": self.what,
        });
        value.to_string()
    }

    /// The access of a line; `None` if it is none.
    pub fn of_line(line: &[u8]) -> Option<Access> {
        parse(line)
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
