//! What can be asked of the directory, and what comes of it: also as records, in which nodes ask each other.

use super::keys::Sandbox;
use std::sync::Arc;
use tollgate_domain::access::Permission;
use tollgate_domain::account::{Profile, ProfileTerms};
use tollgate_domain::country::Country;
use tollgate_domain::directory::{ApiKey, ApiKeyKind, DirectoryProblem, KeyUse};
use tollgate_domain::money::Currency;
use tollgate_resource::{Id, Record, Version};

/// Why a change of the directory was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Record, thiserror::Error)]
pub enum DirectoryError {
    /// The directory does not allow it.
    #[error("{0}")]
    #[record(1)]
    Problem(DirectoryProblem),
    /// Several keys of the account end like this.
    #[error("several keys of the account end like this; give the whole key")]
    #[record(2)]
    Ambiguous,
    /// Too many changes are waiting, or the store cannot write.
    #[error("the directory is not serving; try again")]
    #[record(3)]
    Unavailable,
}

impl From<DirectoryProblem> for DirectoryError {
    fn from(problem: DirectoryProblem) -> Self {
        DirectoryError::Problem(problem)
    }
}

/// What a new account is opened with.
#[derive(Debug, Clone, PartialEq, Record)]
pub struct NewTerms {
    /// The merchant's country.
    #[record(1)]
    pub country: Country,
    /// Its default currency.
    #[record(2)]
    pub default_currency: Currency,
    /// API version of requests that name none.
    #[record(3)]
    pub api_version: Version,
    /// What cardholders read on their statements.
    #[record(4)]
    pub statement_descriptor: Option<Box<str>>,
}

impl Default for NewTerms {
    /// A US merchant in dollars at the newest version; what sandboxes are.
    fn default() -> Self {
        NewTerms {
            country: Country::US,
            default_currency: Currency::USD,
            api_version: Version::NEWEST,
            statement_descriptor: None,
        }
    }
}

impl NewTerms {
    pub(super) fn at(self, created_ms: u64) -> ProfileTerms {
        let NewTerms {
            country,
            default_currency,
            api_version,
            statement_descriptor,
        } = self;
        ProfileTerms {
            country,
            default_currency,
            created_ms,
            api_version,
            statement_descriptor,
        }
    }
}

/// An account just made. The texts of its keys are shown now and never again.
#[derive(Debug, Record)]
pub struct NewAccount {
    /// Its id, the same in both modes.
    #[record(1)]
    pub id: Id,
    /// A secret and a publishable key for each mode, test first.
    #[record(2)]
    pub keys: Vec<NewKey>,
}

/// A key just made.
#[derive(Record)]
pub struct NewKey {
    /// Its text: the only time it is seen.
    #[record(1)]
    pub text: String,
    /// What it may do.
    #[record(2)]
    pub kind: ApiKeyKind,
    /// Its mode.
    #[record(3)]
    pub livemode: bool,
    /// What it may do, if it is a restricted one.
    #[record(4)]
    pub permissions: Vec<Permission>,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewKey({:?}, livemode {}, ..)", self.kind, self.livemode)
    }
}

/// An account in one mode with its keys, revoked ones too.
#[derive(Debug, Clone, PartialEq, Record)]
pub struct AccountListing {
    /// The account.
    #[record(1)]
    pub profile: Arc<Profile>,
    /// Its keys.
    #[record(2)]
    pub keys: Vec<ApiKey>,
}

/// Names a key to be revoked or rolled.
#[derive(Record)]
pub enum WhichKey {
    /// By its whole text.
    #[record(1)]
    Text(String),
    /// By its last four characters, which must name one key of the account.
    #[record(2)]
    Last4 {
        /// The account.
        #[record(1)]
        account: Id,
        /// Its mode.
        #[record(2)]
        livemode: bool,
        /// The last four characters.
        #[record(3)]
        last4: String,
    },
}

impl std::fmt::Debug for WhichKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WhichKey::Text(_) => f.write_str("Text(..)"),
            WhichKey::Last4 {
                account,
                livemode,
                last4,
            } => write!(f, "Last4({account:?}, {livemode}, {last4})"),
        }
    }
}

/// What is asked for. The numbers are those of a conversation between nodes of neighbouring releases.
#[derive(Debug, Record)]
pub(super) enum Wish {
    #[record(1)]
    OpenSandbox(Sandbox),
    #[record(2)]
    CreateAccount(NewTerms),
    #[record(3)]
    CreateKey {
        #[record(1)]
        account: Id,
        #[record(2)]
        livemode: bool,
        #[record(3)]
        kind: ApiKeyKind,
        #[record(4)]
        permissions: Vec<Permission>,
    },
    #[record(4)]
    RevokeKey(WhichKey),
    /// A new key in place of this one, which works for so many milliseconds still.
    #[record(5)]
    RollKey {
        #[record(1)]
        which: WhichKey,
        #[record(2)]
        overlap_ms: u64,
    },
    /// Profiles that are to take the place of the ones before them, all or none.
    #[record(6)]
    ChangeAccount(Vec<Profile>),
    #[record(7)]
    List,
    /// Uses of keys that another node has seen.
    #[record(8)]
    NoteUses(Vec<KeyUse>),
}

/// What became of it.
#[derive(Debug, Record)]
pub(super) enum Granted {
    #[record(1)]
    Opened,
    #[record(2)]
    Account(NewAccount),
    #[record(3)]
    Key(NewKey),
    #[record(4)]
    Revoked,
    #[record(5)]
    Changed,
    #[record(6)]
    Listed(Vec<AccountListing>),
    #[record(7)]
    Noted,
}

impl Granted {
    /// The key that was asked for.
    pub(super) fn into_key(self) -> NewKey {
        match self {
            Granted::Key(key) => key,
            other => unreachable!("a key was asked for, but {other:?} came"),
        }
    }
}

/// What another node is told.
#[derive(Debug, Record)]
pub(super) enum Told {
    #[record(1)]
    Granted(Granted),
    #[record(2)]
    Refused(DirectoryError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_and_answers_read_back() {
        let wish = Wish::RollKey {
            which: WhichKey::Text("sk_test_once".to_owned()),
            overlap_ms: 86_400_000,
        };
        let Ok(Wish::RollKey {
            which: WhichKey::Text(text),
            overlap_ms: 86_400_000,
        }) = Wish::from_bytes(&wish.to_bytes())
        else {
            panic!("it reads back");
        };
        assert_eq!(text, "sk_test_once");
        let created = Wish::CreateAccount(NewTerms::default());
        assert!(
            matches!(Wish::from_bytes(&created.to_bytes()), Ok(Wish::CreateAccount(terms)) if terms == NewTerms::default())
        );
        let told = Told::Refused(DirectoryError::Problem(DirectoryProblem::NoSuchKey));
        assert!(matches!(
            Told::from_bytes(&told.to_bytes()),
            Ok(Told::Refused(DirectoryError::Problem(DirectoryProblem::NoSuchKey)))
        ));
        assert!(Wish::from_bytes(b"no record").is_err());
    }

    #[test]
    fn a_key_is_never_printed() {
        let said = format!(
            "{:?} {:?}",
            Wish::RevokeKey(WhichKey::Text("sk_test_once".to_owned())),
            Told::Granted(Granted::Key(NewKey {
                text: "sk_test_new".to_owned(),
                kind: ApiKeyKind::Secret,
                livemode: false,
                permissions: Vec::new(),
            }))
        );
        assert!(!said.contains("sk_test"), "{said}");
    }
}
