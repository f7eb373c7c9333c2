//! What becomes of a wish: the facts it leads to, and what its asker hears.

use super::actor::Actor;
use super::keys::{last4, new_key, random_word};
use super::wish::{AccountListing, DirectoryError, Granted, NewAccount, NewKey, NewTerms, WhichKey, Wish};
use crate::settings::{KEY_USE_STEP_MS, KEY_USES_MAX};
use std::sync::Arc;
use tollgate_domain::access::Permission;
use tollgate_domain::account::{AccountKey, Profile, ProfileTerms};
use tollgate_domain::directory::{
    ApiKey, ApiKeyHash, ApiKeyKind, DirectoryFact, DirectoryFacts, DirectoryProblem, KeyUse, sandbox,
};
use tollgate_domain::kinds;
use tollgate_resource::Id;
use tollgate_resource::id::SEQ_MAX;

impl Actor {
    pub(super) fn decide(&self, wish: Wish, now_ms: u64) -> Result<(DirectoryFacts, Granted), DirectoryError> {
        let nothing = DirectoryFacts::default;
        match wish {
            Wish::OpenSandbox(asked) => {
                let facts = sandbox(asked.keys, &asked.last4, &NewTerms::default().at(now_ms));
                // Somebody was first: with the same key it is the same account.
                match self.directory.check(&facts) {
                    Ok(()) => Ok((facts, Granted::Opened)),
                    Err(DirectoryProblem::AccountExists) => Ok((nothing(), Granted::Opened)),
                    Err(problem) => Err(problem.into()),
                }
            }
            Wish::CreateAccount(terms) => Ok(self.new_account(&terms.at(now_ms))),
            Wish::CreateKey {
                account,
                livemode,
                kind,
                permissions,
            } => {
                let profile = self.directory.account_by_id(account, livemode);
                let key = profile.ok_or(DirectoryProblem::NoSuchAccount)?.key;
                let (fact, new) = self.new_key(key, livemode, kind, permissions, now_ms);
                Ok((
                    DirectoryFacts {
                        now_ms,
                        facts: vec![fact],
                    },
                    Granted::Key(new),
                ))
            }
            Wish::RevokeKey(which) => {
                let hash = self.find_key(which, now_ms)?;
                let fact = DirectoryFact::KeyRevoked { hash, at_ms: now_ms };
                Ok((
                    DirectoryFacts {
                        now_ms,
                        facts: vec![fact],
                    },
                    Granted::Revoked,
                ))
            }
            Wish::RollKey { which, overlap_ms } => {
                let hash = self.find_key(which, now_ms)?;
                let old = self.directory.keys().find(|key| key.hash == hash);
                let old = old
                    .filter(|key| key.is_open(now_ms))
                    .ok_or(DirectoryProblem::NoSuchKey)?;
                let livemode = self
                    .directory
                    .account(old.account)
                    .expect("a key has an account")
                    .livemode;
                let (added, new) = self.new_key(old.account, livemode, old.kind, old.permissions.clone(), now_ms);
                let wanted_ms = now_ms.saturating_add(overlap_ms);
                let at_ms = old.expires_ms.map_or(wanted_ms, |known| known.min(wanted_ms));
                let facts = vec![added, DirectoryFact::KeyExpires { hash, at_ms }];
                Ok((DirectoryFacts { now_ms, facts }, Granted::Key(new)))
            }
            Wish::ChangeAccount(profiles) => {
                let changed = |profile| DirectoryFact::AccountChanged(Arc::new(profile));
                let facts = profiles.into_iter().map(changed).collect();
                Ok((DirectoryFacts { now_ms, facts }, Granted::Changed))
            }
            Wish::List => Ok((nothing(), Granted::Listed(self.listed()))),
            Wish::NoteUses(mut uses) => {
                uses.truncate(KEY_USES_MAX);
                let news = |used: &KeyUse| {
                    let known = self.directory.key(used.hash);
                    known.is_some_and(|key| used.at_ms >= key.used_ms + KEY_USE_STEP_MS)
                };
                uses.retain(news);
                let facts = match uses.is_empty() {
                    true => Vec::new(),
                    false => vec![DirectoryFact::KeysUsed(uses)],
                };
                Ok((DirectoryFacts { now_ms, facts }, Granted::Noted))
            }
        }
    }

    /// Every account in every mode with its keys.
    pub(super) fn listed(&self) -> Vec<AccountListing> {
        let keys_of = |account: AccountKey| self.directory.keys().filter(move |key| key.account == account);
        let listing = |profile: &Arc<Profile>| AccountListing {
            profile: Arc::clone(profile),
            keys: keys_of(profile.key).map(|key| self.as_used(key)).collect(),
        };
        self.directory.accounts().map(listing).collect()
    }

    /// Uses of keys that are news to the journal, as far as this node has seen them.
    pub(super) fn news_of_uses(&self) -> Vec<KeyUse> {
        let news = |key: &ApiKey| {
            let at_ms = self.registry.used_ms(&key.hash);
            (at_ms >= key.used_ms + KEY_USE_STEP_MS).then_some(KeyUse { hash: key.hash, at_ms })
        };
        self.directory.keys().filter_map(news).take(KEY_USES_MAX).collect()
    }

    /// An account in both modes, each with a secret and a publishable key.
    fn new_account(&self, terms: &ProfileTerms) -> (DirectoryFacts, Granted) {
        let id = Id::new(
            &kinds::ACCOUNT,
            terms.created_ms,
            random_word() & SEQ_MAX,
            random_word() as u32,
        );
        let mut facts = DirectoryFacts {
            now_ms: terms.created_ms,
            facts: Vec::new(),
        };
        let mut keys = Vec::new();
        for livemode in [false, true] {
            let profile = Profile::new(id, livemode, terms);
            let account = profile.key;
            facts.facts.push(DirectoryFact::AccountCreated(Arc::new(profile)));
            for kind in [ApiKeyKind::Secret, ApiKeyKind::Publishable] {
                let (fact, new) = self.new_key(account, livemode, kind, Vec::new(), terms.created_ms);
                facts.facts.push(fact);
                keys.push(new);
            }
        }
        (facts, Granted::Account(NewAccount { id, keys }))
    }

    fn new_key(
        &self,
        account: AccountKey,
        livemode: bool,
        kind: ApiKeyKind,
        permissions: Vec<Permission>,
        created_ms: u64,
    ) -> (DirectoryFact, NewKey) {
        let text = new_key(kind, livemode);
        let hash = self.hasher.hash(&text);
        let last4 = last4(&text).into();
        let fact = DirectoryFact::KeyAdded(ApiKey {
            hash,
            account,
            kind,
            created_ms,
            last4,
            revoked_ms: None,
            permissions: permissions.clone(),
            expires_ms: None,
            used_ms: 0,
        });
        let new = NewKey {
            text,
            kind,
            livemode,
            permissions,
        };
        (fact, new)
    }

    /// A key with its last use, also where that is not written down yet.
    fn as_used(&self, key: &ApiKey) -> ApiKey {
        ApiKey {
            used_ms: key.used_ms.max(self.registry.used_ms(&key.hash)),
            ..key.clone()
        }
    }

    fn find_key(&self, which: WhichKey, now_ms: u64) -> Result<ApiKeyHash, DirectoryError> {
        match which {
            WhichKey::Text(text) => Ok(self.hasher.hash(&text)),
            WhichKey::Last4 {
                account,
                livemode,
                last4,
            } => {
                let account = AccountKey::of(account, livemode);
                let named = |key: &&ApiKey| key.account == account && *key.last4 == *last4 && key.is_open(now_ms);
                let mut keys = self.directory.keys().filter(named);
                match (keys.next(), keys.next()) {
                    (Some(key), None) => Ok(key.hash),
                    (None, _) => Err(DirectoryProblem::NoSuchKey.into()),
                    (Some(_), Some(_)) => Err(DirectoryError::Ambiguous),
                }
            }
        }
    }
}
