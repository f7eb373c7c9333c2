//! The directory's own thread: it decides changes one after the other, makes them durable in the directory's journal, and
//! only then publishes and answers them. What several threads ask at the same time shares a block.

use super::keys::{KeyHasher, Sandbox, last4, new_key, random_word};
use super::registry::Registry;
use super::{AccountListing, DirectoryError, NewAccount, NewKey, NewTerms, WhichKey};
use crate::clock::MachineClock;
use crate::settings::{DIRECTORY_BATCH_MAX, KEY_USE_STEP_MS, KEY_USES_EVERY, KEY_USES_MAX};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tollgate_domain::access::Permission;
use tollgate_domain::account::{AccountKey, Profile, ProfileTerms};
use tollgate_domain::directory::{
    ApiKey, ApiKeyHash, ApiKeyKind, Directory, DirectoryFact, DirectoryFacts, DirectoryProblem, KeyUse, sandbox,
};
use tollgate_domain::kinds;
use tollgate_resource::id::SEQ_MAX;
use tollgate_resource::{Id, Record};
use tollgate_store::envelope::BlockBuilder;
use tollgate_store::{AccountRef, Commit, Epoch, Head, Journal, Reads, ShardId, StoreError};

/// A change that is asked for, and who asks.
pub(crate) struct Order {
    pub(crate) wish: Wish,
    pub(crate) reply: oneshot::Sender<Result<Granted, DirectoryError>>,
}

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Wish {
    OpenSandbox(Sandbox),
    CreateAccount(NewTerms),
    CreateKey {
        account: Id,
        livemode: bool,
        kind: ApiKeyKind,
        permissions: Vec<Permission>,
    },
    RevokeKey(WhichKey),
    /// A new key in place of this one, which works for so long still.
    RollKey(WhichKey, Duration),
    /// Profiles that are to take the place of the ones before them, all or none.
    ChangeAccount(Vec<Profile>),
    List,
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Granted {
    Opened,
    Account(NewAccount),
    Key(NewKey),
    Revoked,
    Changed,
    Listed(Vec<AccountListing>),
}

impl Granted {
    /// The key that was asked for.
    pub(crate) fn into_key(self) -> NewKey {
        match self {
            Granted::Key(key) => key,
            other => unreachable!("a key was asked for, but {other:?} came"),
        }
    }
}

/// The thread's state.
pub(crate) struct Actor {
    /// Durable, except while a block is being written.
    directory: Directory,
    builder: BlockBuilder,
    last_block: u64,
    journal: Arc<dyn Journal>,
    reads: Arc<dyn Reads>,
    registry: Arc<Registry>,
    hasher: KeyHasher,
    clock: MachineClock,
    on_fatal: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Actor {
    /// Takes the directory over and reads it.
    pub(crate) fn start(
        journal: Arc<dyn Journal>,
        reads: Arc<dyn Reads>,
        registry: Arc<Registry>,
        hasher: KeyHasher,
        on_fatal: Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Result<Actor, StoreError> {
        let (directory, builder, last_block) = read(&*journal, &*reads, None)?;
        registry.publish_all(&directory);
        let clock = MachineClock::start();
        Ok(Actor {
            directory,
            builder,
            last_block,
            journal,
            reads,
            registry,
            hasher,
            clock,
            on_fatal,
        })
    }

    /// Serves until every handle is dropped.
    pub(crate) fn run(mut self, orders: &Receiver<Order>) {
        let mut uses_due = Instant::now() + KEY_USES_EVERY;
        loop {
            if Instant::now() >= uses_due {
                uses_due = Instant::now() + KEY_USES_EVERY;
                let written = catch_unwind(AssertUnwindSafe(|| self.write_uses()));
                if !matches!(written, Ok(true)) && !self.restart() {
                    (self.on_fatal)("the directory of accounts and keys cannot be read again");
                    return;
                }
            }
            let first = match orders.recv_deadline(uses_due) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let mut batch = vec![first];
            batch.extend(orders.try_iter().take(DIRECTORY_BATCH_MAX - 1));
            let written = catch_unwind(AssertUnwindSafe(|| self.batch(batch)));
            if !matches!(written, Ok(true)) && !self.restart() {
                (self.on_fatal)("the directory of accounts and keys cannot be read again");
                return;
            }
        }
    }

    /// Decides, writes, publishes, answers. False when memory may hold what is not durable. Orders dropped by a panic
    /// are answered by the drop of their `reply`.
    fn batch(&mut self, batch: Vec<Order>) -> bool {
        let mut decided = Vec::with_capacity(batch.len());
        let mut changes = Vec::new();
        for Order { wish, reply } in batch {
            let now_ms = self.clock.now().unix_ms.max(self.directory.last_now_ms());
            let answer = self.decide(wish, now_ms).and_then(|(facts, granted)| {
                if !facts.facts.is_empty() {
                    self.directory.check(&facts)?;
                    self.take(&facts);
                    changes.push(facts);
                }
                Ok(granted)
            });
            decided.push((reply, answer));
        }
        let durable = changes.is_empty() || self.write();
        if durable {
            changes.iter().for_each(|facts| self.registry.publish(facts));
        }
        for (reply, answer) in decided {
            let answer = if durable {
                answer
            } else {
                Err(DirectoryError::Unavailable)
            };
            // Whoever asked may have gone; the change stands.
            drop(reply.send(answer));
        }
        durable
    }

    /// Writes down which keys were used, as far as that is news. False when memory may hold what is not durable.
    fn write_uses(&mut self) -> bool {
        let news = |key: &ApiKey| {
            let at_ms = self.registry.used_ms(&key.hash);
            (at_ms >= key.used_ms + KEY_USE_STEP_MS).then_some(KeyUse { hash: key.hash, at_ms })
        };
        let uses: Vec<KeyUse> = self.directory.keys().filter_map(news).take(KEY_USES_MAX).collect();
        if uses.is_empty() {
            return true;
        }
        let now_ms = self.clock.now().unix_ms.max(self.directory.last_now_ms());
        let facts = DirectoryFacts {
            now_ms,
            facts: vec![DirectoryFact::KeysUsed(uses)],
        };
        self.take(&facts);
        self.write()
    }

    /// Applies facts that are allowed and puts them into the next block.
    fn take(&mut self, facts: &DirectoryFacts) {
        self.directory.apply(facts);
        let head = Head {
            now_ms: facts.now_ms,
            ..Head::default()
        };
        self.builder
            .push(&head, &facts.to_bytes())
            .expect("a batch of orders is far below a block");
    }

    fn write(&mut self) -> bool {
        let block = self.builder.seal(self.last_block + 1);
        let (done, heard) = sync_channel(1);
        self.journal.submit(
            block,
            Box::new(move |commit| {
                // One answer fits; the thread that waits for it is this one.
                let _ = done.try_send(commit);
            }),
        );
        match heard.recv() {
            Ok(Commit::Durable) => {
                self.last_block += 1;
                true
            }
            Ok(Commit::Fenced) => false,
            Ok(Commit::Failed) | Err(_) => {
                (self.on_fatal)("the store can no longer write");
                false
            }
        }
    }

    /// Discards memory and reads the directory again as a new incarnation.
    fn restart(&mut self) -> bool {
        tracing::error!("directory discarded; it starts again from the journal");
        match read(&*self.journal, &*self.reads, Some(self.builder.epoch())) {
            Ok((directory, builder, last_block)) => {
                (self.directory, self.builder, self.last_block) = (directory, builder, last_block);
                self.registry.publish_all(&self.directory);
                true
            }
            Err(failure) => {
                tracing::error!(%failure, "directory could not be read");
                false
            }
        }
    }

    fn decide(&self, wish: Wish, now_ms: u64) -> Result<(DirectoryFacts, Granted), DirectoryError> {
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
            Wish::RollKey(which, overlap) => {
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
                let wanted_ms = now_ms.saturating_add(u64::try_from(overlap.as_millis()).unwrap_or(u64::MAX));
                let at_ms = old.expires_ms.map_or(wanted_ms, |known| known.min(wanted_ms));
                let facts = vec![added, DirectoryFact::KeyExpires { hash, at_ms }];
                Ok((DirectoryFacts { now_ms, facts }, Granted::Key(new)))
            }
            Wish::ChangeAccount(profiles) => {
                let changed = |profile| DirectoryFact::AccountChanged(Arc::new(profile));
                let facts = profiles.into_iter().map(changed).collect();
                Ok((DirectoryFacts { now_ms, facts }, Granted::Changed))
            }
            Wish::List => {
                let keys_of = |account: AccountKey| self.directory.keys().filter(move |key| key.account == account);
                let accounts = self.directory.accounts().map(|profile| AccountListing {
                    profile: Arc::clone(profile),
                    keys: keys_of(profile.key).map(|key| self.as_used(key)).collect(),
                });
                Ok((nothing(), Granted::Listed(accounts.collect())))
            }
        }
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

/// The directory as its journal tells, and where the next block goes.
fn read(
    journal: &dyn Journal,
    reads: &dyn Reads,
    after: Option<Epoch>,
) -> Result<(Directory, BlockBuilder, u64), StoreError> {
    let claimed = match after {
        None => journal.claim(ShardId::DIRECTORY)?,
        // From another owner it is not taken back.
        Some(epoch) => journal.claim_after(ShardId::DIRECTORY, epoch)?,
    };
    let mut directory = Directory::new();
    // Records of the directory belong to no account: their envelope says 0.
    reads.replay_account(AccountRef(0), &mut |fetched| {
        let facts = DirectoryFacts::from_bytes(&fetched.body).map_err(|error| StoreError::Body {
            place: "the directory".into(),
            what: error.to_string(),
        })?;
        directory.apply(&facts);
        Ok(())
    })?;
    let builder = BlockBuilder::new(ShardId::DIRECTORY, claimed.epoch, claimed.last_now_ms);
    Ok((directory, builder, claimed.last_block))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::Secrets;
    use tollgate_store::memory::{Memory, Mode};

    #[test]
    fn uses_of_keys_are_written_down_once_an_hour_and_read_back() {
        let mut store = Memory::new(Mode::Immediate);
        let start = |store: &Arc<Memory>| {
            let (journal, reads) = (Arc::clone(store) as Arc<_>, Arc::clone(store) as Arc<_>);
            let hasher = KeyHasher::new(&Secrets::new([7; 32]));
            let on_fatal = Arc::new(|why: &str| panic!("{why}"));
            Actor::start(journal, reads, Arc::new(Registry::new()), hasher, on_fatal).expect("the directory opens")
        };
        let mut actor = start(&store);
        let (reply, _answer) = oneshot::channel();
        let wish = Wish::CreateAccount(NewTerms::default());
        assert!(actor.batch(vec![Order { wish, reply }]));
        let hash = actor.directory.keys().next().expect("a key").hash;
        let first_ms = actor.directory.last_now_ms() + 60_000;
        let written = |actor: &Actor| actor.directory.keys().map(|key| key.used_ms).max();
        assert!(actor.write_uses());
        assert_eq!((written(&actor), actor.last_block), (Some(0), 1), "nothing was used");
        for (used_ms, expected_ms, blocks) in [
            (first_ms, first_ms, 2),
            (first_ms + KEY_USE_STEP_MS - 120_000, first_ms, 2),
            (
                first_ms + KEY_USE_STEP_MS + 60_000,
                first_ms + KEY_USE_STEP_MS + 60_000,
                3,
            ),
        ] {
            actor.registry.used_now(&hash, used_ms);
            assert!(actor.write_uses());
            let expected_ms = expected_ms / 60_000 * 60_000;
            assert_eq!((written(&actor), actor.last_block), (Some(expected_ms), blocks));
            store = store.crash();
            actor = start(&store);
            assert_eq!((written(&actor), actor.last_block), (Some(expected_ms), blocks));
        }
    }
}
