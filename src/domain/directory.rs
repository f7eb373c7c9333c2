//! Accounts and API keys: the facts of their journal, and what follows from them in memory.
//!
//! A key is known by a keyed hash of its text only; hashing is done by the caller, so no secret enters this room.

use crate::account::{AccountKey, Profile, ProfileTerms};
pub use crate::api_key::{ApiKey, ApiKeyHash, ApiKeyKind, KeyUse};
use crate::kinds;
use std::collections::BTreeMap;
use std::sync::Arc;
use tollgate_resource::id::ID_EPOCH_MS;
use tollgate_resource::{Id, Record};

/// One record of the directory's journal: what one change did, all or nothing.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct DirectoryFacts {
    /// When, milliseconds since the Unix epoch.
    #[record(1)]
    pub now_ms: u64,
    /// What changed, in order.
    #[record(2)]
    pub facts: Vec<DirectoryFact>,
}

/// One change of the directory.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum DirectoryFact {
    /// An account exists in one mode.
    #[record(1)]
    AccountCreated(Arc<Profile>),
    /// A key opens an account.
    #[record(2)]
    KeyAdded(ApiKey),
    /// A key opens nothing any more.
    #[record(3)]
    KeyRevoked {
        /// The key.
        #[record(1)]
        hash: ApiKeyHash,
        /// When, milliseconds since the Unix epoch.
        #[record(2)]
        at_ms: u64,
    },
    /// An account's profile or settings are these from now on.
    #[record(4)]
    AccountChanged(Arc<Profile>),
    /// A key opens nothing from this time on: another one took its place.
    #[record(5)]
    KeyExpires {
        /// The key.
        #[record(1)]
        hash: ApiKeyHash,
        /// When, milliseconds since the Unix epoch.
        #[record(2)]
        at_ms: u64,
    },
    /// Keys were used. Written now and then, not with each use.
    #[record(6)]
    KeysUsed(#[record(1)] Vec<KeyUse>),
}

/// What a key's hash leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyLookup {
    /// It opens this account.
    Active(Arc<Profile>, ApiKeyKind),
    /// It was revoked.
    Revoked,
    /// There is no such key.
    Unknown,
}

/// A change the directory does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum DirectoryProblem {
    /// The account exists already in this mode.
    #[record(1)]
    AccountExists,
    /// The key exists already, perhaps revoked.
    #[record(2)]
    KeyExists,
    /// No such account in this mode.
    #[record(3)]
    NoSuchAccount,
    /// No such key, or it is revoked already.
    #[record(4)]
    NoSuchKey,
    /// The profile is not the next one of its account.
    #[record(5)]
    NotNext,
}

impl std::fmt::Display for DirectoryProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            DirectoryProblem::AccountExists => "the account exists already",
            DirectoryProblem::KeyExists => "the key exists already",
            DirectoryProblem::NoSuchAccount => "there is no such account in this mode",
            DirectoryProblem::NoSuchKey => "there is no such key, or it is revoked already",
            DirectoryProblem::NotNext => "the account was changed in between",
        })
    }
}
impl std::error::Error for DirectoryProblem {}

/// Every account and key, as the directory's journal tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Directory {
    accounts: BTreeMap<AccountKey, Arc<Profile>>,
    keys: BTreeMap<ApiKeyHash, ApiKey>,
    /// Time of the newest record, milliseconds since the Unix epoch.
    last_now_ms: u64,
}

impl Directory {
    /// An empty directory.
    pub fn new() -> Directory {
        Directory::default()
    }

    /// Whether a change is allowed now. Facts are checked one after the other, each after the ones before it.
    pub fn check(&self, facts: &DirectoryFacts) -> Result<(), DirectoryProblem> {
        let mut after = self.clone_for(facts);
        facts.facts.iter().try_for_each(|fact| after.change(fact))
    }

    /// Applies a record of the journal.
    ///
    /// # Panics
    /// When the record is not allowed: it was checked before it was written.
    pub fn apply(&mut self, facts: &DirectoryFacts) {
        for fact in &facts.facts {
            if let Err(problem) = self.change(fact) {
                panic!("a record of the directory cannot be applied: {problem}");
            }
        }
        self.last_now_ms = self.last_now_ms.max(facts.now_ms);
    }

    /// What a key opens.
    pub fn lookup(&self, hash: ApiKeyHash) -> KeyLookup {
        let Some(key) = self.keys.get(&hash) else {
            return KeyLookup::Unknown;
        };
        if key.revoked_ms.is_some() {
            return KeyLookup::Revoked;
        }
        KeyLookup::Active(Arc::clone(&self.accounts[&key.account]), key.kind)
    }

    /// The account with that key.
    pub fn account(&self, key: AccountKey) -> Option<&Arc<Profile>> {
        self.accounts.get(&key)
    }

    /// The account with that id in one mode.
    pub fn account_by_id(&self, id: Id, livemode: bool) -> Option<&Arc<Profile>> {
        self.account(AccountKey::of(id, livemode))
    }

    /// Every account in every mode, in order of their keys.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = &Arc<Profile>> {
        self.accounts.values()
    }

    /// Every key, revoked ones too, in order of their hashes.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &ApiKey> {
        self.keys.values()
    }

    /// The key with that hash, perhaps revoked.
    pub fn key(&self, hash: ApiKeyHash) -> Option<&ApiKey> {
        self.keys.get(&hash)
    }

    /// Time of the newest record, milliseconds since the Unix epoch; 0 for none.
    pub fn last_now_ms(&self) -> u64 {
        self.last_now_ms
    }

    fn change(&mut self, fact: &DirectoryFact) -> Result<(), DirectoryProblem> {
        match fact {
            DirectoryFact::AccountCreated(profile) => {
                if self.accounts.contains_key(&profile.key) {
                    return Err(DirectoryProblem::AccountExists);
                }
                self.accounts.insert(profile.key, Arc::clone(profile));
            }
            DirectoryFact::KeyAdded(key) => {
                if !self.accounts.contains_key(&key.account) {
                    return Err(DirectoryProblem::NoSuchAccount);
                }
                if self.keys.contains_key(&key.hash) {
                    return Err(DirectoryProblem::KeyExists);
                }
                self.keys.insert(key.hash, key.clone());
            }
            DirectoryFact::KeyRevoked { hash, at_ms } => match self.keys.get_mut(hash) {
                Some(key) if key.revoked_ms.is_none() => key.revoked_ms = Some(*at_ms),
                _ => return Err(DirectoryProblem::NoSuchKey),
            },
            DirectoryFact::AccountChanged(profile) => match self.accounts.get_mut(&profile.key) {
                None => return Err(DirectoryProblem::NoSuchAccount),
                Some(known) if known.may_become(profile) => *known = Arc::clone(profile),
                Some(_) => return Err(DirectoryProblem::NotNext),
            },
            DirectoryFact::KeyExpires { hash, at_ms } => match self.keys.get_mut(hash) {
                // A key that expires sooner already is not given more time.
                Some(key) if key.revoked_ms.is_none() && key.expires_ms.is_none_or(|known| *at_ms <= known) => {
                    key.expires_ms = Some(*at_ms);
                }
                _ => return Err(DirectoryProblem::NoSuchKey),
            },
            DirectoryFact::KeysUsed(uses) => {
                for KeyUse { hash, at_ms } in uses {
                    let key = self.keys.get_mut(hash).ok_or(DirectoryProblem::NoSuchKey)?;
                    key.used_ms = key.used_ms.max(*at_ms);
                }
            }
        }
        Ok(())
    }

    /// The part of the directory that `facts` touch, so that checking does not copy every key.
    fn clone_for(&self, facts: &DirectoryFacts) -> Directory {
        let mut part = Directory::default();
        let mut take_account = |key: AccountKey| {
            if let Some(profile) = self.accounts.get(&key) {
                part.accounts.insert(key, Arc::clone(profile));
            }
        };
        for fact in &facts.facts {
            match fact {
                DirectoryFact::AccountCreated(profile) | DirectoryFact::AccountChanged(profile) => {
                    take_account(profile.key);
                }
                DirectoryFact::KeyAdded(key) => take_account(key.account),
                DirectoryFact::KeyRevoked { .. } | DirectoryFact::KeyExpires { .. } | DirectoryFact::KeysUsed(_) => {}
            }
        }
        let mut take_key = |hash: ApiKeyHash| {
            if let Some(key) = self.keys.get(&hash) {
                part.keys.insert(hash, key.clone());
            }
        };
        for fact in &facts.facts {
            match fact {
                DirectoryFact::AccountCreated(_) | DirectoryFact::AccountChanged(_) => {}
                DirectoryFact::KeyAdded(key) => take_key(key.hash),
                DirectoryFact::KeyRevoked { hash, .. } | DirectoryFact::KeyExpires { hash, .. } => take_key(*hash),
                DirectoryFact::KeysUsed(uses) => uses.iter().for_each(|used| take_key(used.hash)),
            }
        }
        part
    }
}

/// The texts a sandbox is opened with, hashed: `sk_test_X` and `pk_test_X` of one X.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct SandboxKeys {
    /// Hash of `sk_test_X`.
    #[record(1)]
    pub secret: ApiKeyHash,
    /// Hash of `pk_test_X`.
    #[record(2)]
    pub publishable: ApiKeyHash,
}

/// Facts that open the sandbox account of a test key (`--dev`). The account's id follows from the hash of the secret key
/// alone, so the same key opens the same account, whoever is first.
pub fn sandbox(keys: SandboxKeys, last4: &str, terms: &ProfileTerms) -> DirectoryFacts {
    let hash = keys.secret.high();
    let seq = (hash >> 64) as u64 & tollgate_resource::id::SEQ_MAX;
    let id = Id::new(&kinds::ACCOUNT, ID_EPOCH_MS, seq, hash as u32);
    let profile = Profile::new(id, false, terms);
    let account = profile.key;
    let key = |hash, kind| {
        DirectoryFact::KeyAdded(ApiKey {
            hash,
            account,
            kind,
            created_ms: terms.created_ms,
            last4: last4.into(),
            revoked_ms: None,
            permissions: Vec::new(),
            expires_ms: None,
            used_ms: 0,
        })
    };
    DirectoryFacts {
        now_ms: terms.created_ms,
        facts: vec![
            DirectoryFact::AccountCreated(Arc::new(profile)),
            key(keys.secret, ApiKeyKind::Secret),
            key(keys.publishable, ApiKeyKind::Publishable),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::country::Country;
    use crate::money::Currency;
    use tollgate_resource::Version;

    const NOW_MS: u64 = 1_794_830_400_000;

    fn terms() -> ProfileTerms {
        ProfileTerms {
            country: Country::US,
            default_currency: Currency::USD,
            created_ms: NOW_MS,
            api_version: Version::NEWEST,
            statement_descriptor: None,
        }
    }

    fn hash(byte: u8) -> ApiKeyHash {
        ApiKeyHash::from_bytes([byte; 32])
    }

    fn opened(byte: u8) -> DirectoryFacts {
        let keys = SandboxKeys {
            secret: hash(byte),
            publishable: hash(byte + 1),
        };
        sandbox(keys, "last", &terms())
    }

    fn one(fact: DirectoryFact) -> DirectoryFacts {
        DirectoryFacts {
            now_ms: NOW_MS + 1,
            facts: vec![fact],
        }
    }

    fn revoked(byte: u8) -> DirectoryFacts {
        one(DirectoryFact::KeyRevoked {
            hash: hash(byte),
            at_ms: NOW_MS + 1,
        })
    }

    #[test]
    fn a_sandbox_has_a_secret_and_a_publishable_key() {
        let mut directory = Directory::new();
        directory.apply(&opened(10));
        let KeyLookup::Active(profile, ApiKeyKind::Secret) = directory.lookup(hash(10)) else {
            panic!("the secret key opens the account");
        };
        assert_eq!(
            directory.lookup(hash(11)),
            KeyLookup::Active(Arc::clone(&profile), ApiKeyKind::Publishable)
        );
        assert_eq!(directory.lookup(hash(12)), KeyLookup::Unknown);
        assert!(!profile.livemode);
        assert_eq!(directory.account_by_id(profile.id, false), Some(&profile));
        assert_eq!(directory.account_by_id(profile.id, true), None);
    }

    #[test]
    fn the_same_key_opens_the_same_account_at_any_time() {
        let mut later = terms();
        later.created_ms += 1_000_000;
        let keys = SandboxKeys {
            secret: hash(10),
            publishable: hash(11),
        };
        let account = |facts: DirectoryFacts| match &facts.facts[0] {
            DirectoryFact::AccountCreated(profile) => (profile.id, profile.key),
            other => panic!("an account comes first, not {other:?}"),
        };
        assert_eq!(account(sandbox(keys, "last", &later)), account(opened(10)));
        assert_ne!(account(opened(20)), account(opened(10)));
    }

    #[test]
    fn a_revoked_key_opens_nothing_and_cannot_come_back() {
        let mut directory = Directory::new();
        directory.apply(&opened(10));
        directory.apply(&revoked(10));
        assert_eq!(directory.lookup(hash(10)), KeyLookup::Revoked);
        assert!(
            matches!(directory.lookup(hash(11)), KeyLookup::Active(..)),
            "the other key still opens it"
        );
        assert_eq!(directory.check(&revoked(10)), Err(DirectoryProblem::NoSuchKey));
        let again = opened(10).facts.remove(1);
        assert_eq!(directory.check(&one(again)), Err(DirectoryProblem::KeyExists));
    }

    #[test]
    fn changes_that_are_not_allowed_are_named() {
        let mut directory = Directory::new();
        let key_alone = opened(10).facts.remove(1);
        assert_eq!(directory.check(&one(key_alone)), Err(DirectoryProblem::NoSuchAccount));
        assert_eq!(directory.check(&revoked(10)), Err(DirectoryProblem::NoSuchKey));
        assert_eq!(directory.check(&opened(10)), Ok(()));
        directory.apply(&opened(10));
        assert_eq!(directory.check(&opened(10)), Err(DirectoryProblem::AccountExists));
    }

    #[test]
    fn facts_read_back_and_the_hash_is_not_printed_whole() {
        let mut facts = opened(10);
        facts.facts.extend(revoked(10).facts);
        let text = format!("{facts:?}");
        assert!(
            text.contains("ApiKeyHash(0a0a0a0a…)") && !text.contains("0a0a0a0a0a"),
            "{text}"
        );
        assert_eq!(DirectoryFacts::from_bytes(&facts.to_bytes()), Ok(facts));
    }
}
