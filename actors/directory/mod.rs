//! Accounts and API keys: a journal of its own, decided on a thread of its own, and a copy in memory that every request
//! looks into without a lock.

mod actor;
mod keys;
mod registry;

use crate::readers::Profiles;
use crate::settings::DIRECTORY_WAITING_MAX;
use actor::{Actor, Granted, Order, Wish};
use crossbeam_channel::{Sender, bounded};
use keys::{KeyHasher, TOKEN_LEN_MAX};
use registry::{Known, Registry};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tollgate_domain::Secrets;
use tollgate_domain::access::{Permission, Permissions};
use tollgate_domain::account::{AccountKey, Profile, ProfileTerms};
use tollgate_domain::country::Country;
use tollgate_domain::directory::{ApiKey, ApiKeyKind, DirectoryProblem};
use tollgate_domain::money::Currency;
use tollgate_resource::{Id, Version};
use tollgate_store::{Journal, Reads, StoreError};

/// Settings of the directory.
#[derive(Clone)]
pub struct DirectoryConfig {
    /// Whether any `sk_test_…` opens a sandbox account of its own (`--dev`).
    pub dev: bool,
    /// Called when the store has lost its ability to write.
    pub on_fatal: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Who a request comes from.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The account, in the key's mode.
    pub profile: Arc<Profile>,
    /// What the key may do.
    pub kind: ApiKeyKind,
    /// What a restricted key may do.
    pub permissions: Permissions,
    /// From when on it opens nothing, milliseconds since the Unix epoch; the largest number for never.
    expires_ms: u64,
    /// When it was used last, in minutes since the Unix epoch: one number for all threads, written once a minute.
    used_minute: Arc<AtomicU64>,
}

const MINUTE_MS: u64 = 60_000;

impl PartialEq for Authenticated {
    /// When it was used last says nothing about who it is.
    fn eq(&self, other: &Authenticated) -> bool {
        (&self.profile, self.kind, self.permissions, self.expires_ms)
            == (&other.profile, other.kind, other.permissions, other.expires_ms)
    }
}

impl Authenticated {
    fn new(profile: Arc<Profile>, key: &ApiKey) -> Authenticated {
        Authenticated {
            profile,
            kind: key.kind,
            permissions: Permissions::of(&key.permissions),
            expires_ms: key.expires_ms.unwrap_or(u64::MAX),
            used_minute: Arc::new(AtomicU64::new(key.used_ms / MINUTE_MS)),
        }
    }

    /// Lets the key be used at `now_ms`. Costs one read of a number that changes once a minute.
    fn used(&self, now_ms: u64) -> Result<(), AuthRefusal> {
        if now_ms >= self.expires_ms {
            return Err(AuthRefusal::Expired);
        }
        let minute = now_ms / MINUTE_MS;
        if self.used_minute.load(Ordering::Relaxed) < minute {
            self.used_minute.fetch_max(minute, Ordering::Relaxed);
        }
        Ok(())
    }

    /// When it was used last, to the minute, milliseconds since the Unix epoch; 0 for never.
    fn used_ms(&self) -> u64 {
        self.used_minute.load(Ordering::Relaxed) * MINUTE_MS
    }
}

/// Why a key opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthRefusal {
    /// There is no such key.
    #[error("there is no such API key")]
    Unknown,
    /// It was revoked.
    #[error("the API key was revoked")]
    Revoked,
    /// Another key took its place, and its time is over.
    #[error("the API key has expired")]
    Expired,
    /// It is a sandbox key that was not used yet, and sandboxes are allowed: call [`DirectoryHandle::open_sandbox`].
    #[error("the sandbox of this API key is not open yet")]
    SandboxNotOpen,
    /// The directory cannot be written now.
    #[error("the directory is not serving")]
    Unavailable,
}

/// Why a change of the directory was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The directory does not allow it.
    #[error("{0}")]
    Problem(DirectoryProblem),
    /// Several keys of the account end like this.
    #[error("several keys of the account end like this; give the whole key")]
    Ambiguous,
    /// Too many changes are waiting, or the store cannot write.
    #[error("the directory is not serving; try again")]
    Unavailable,
}

impl From<DirectoryProblem> for DirectoryError {
    fn from(problem: DirectoryProblem) -> Self {
        DirectoryError::Problem(problem)
    }
}

/// What a new account is opened with.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTerms {
    /// The merchant's country.
    pub country: Country,
    /// Its default currency.
    pub default_currency: Currency,
    /// API version of requests that name none.
    pub api_version: Version,
    /// What cardholders read on their statements.
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
    fn at(self, created_ms: u64) -> ProfileTerms {
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
#[derive(Debug)]
pub struct NewAccount {
    /// Its id, the same in both modes.
    pub id: Id,
    /// A secret and a publishable key for each mode, test first.
    pub keys: Vec<NewKey>,
}

/// A key just made.
pub struct NewKey {
    /// Its text: the only time it is seen.
    pub text: String,
    /// What it may do.
    pub kind: ApiKeyKind,
    /// Its mode.
    pub livemode: bool,
    /// What it may do, if it is a restricted one.
    pub permissions: Vec<Permission>,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewKey({:?}, livemode {}, ..)", self.kind, self.livemode)
    }
}

/// An account in one mode with its keys, revoked ones too.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountListing {
    /// The account.
    pub profile: Arc<Profile>,
    /// Its keys.
    pub keys: Vec<ApiKey>,
}

/// Names a key to be revoked or rolled.
pub enum WhichKey {
    /// By its whole text.
    Text(String),
    /// By its last four characters, which must name one key of the account.
    Last4 {
        /// The account.
        account: Id,
        /// Its mode.
        livemode: bool,
        /// The last four characters.
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

/// Accounts and keys. Clones are handles to the same directory; its thread ends with the last one.
#[derive(Clone)]
pub struct DirectoryHandle {
    registry: Arc<Registry>,
    hasher: Arc<KeyHasher>,
    orders: Sender<Order>,
    dev: bool,
}

impl DirectoryHandle {
    /// Takes the directory's journal over, reads it, and starts its thread. Needs no actix system, so that the command
    /// line can use it on data that no server has open.
    ///
    /// # Errors
    /// When the store refuses or the thread cannot be started.
    pub fn start(
        config: DirectoryConfig,
        secrets: &Secrets,
        journal: Arc<dyn Journal>,
        reads: Arc<dyn Reads>,
    ) -> Result<DirectoryHandle, StoreError> {
        let registry = Arc::new(Registry::new());
        let hasher = KeyHasher::new(secrets);
        let actor = Actor::start(journal, reads, Arc::clone(&registry), hasher.clone(), config.on_fatal)?;
        let (orders, waiting) = bounded(DIRECTORY_WAITING_MAX);
        std::thread::Builder::new()
            .name("tollgate-directory".into())
            .spawn(move || actor.run(&waiting))
            .map_err(|error| StoreError::Io {
                place: "the directory's thread".into(),
                what: error.to_string(),
            })?;
        Ok(DirectoryHandle {
            registry,
            hasher: Arc::new(hasher),
            orders,
            dev: config.dev,
        })
    }

    /// Who the key `token` belongs to, at `now_ms`, and notes the use. Takes no lock for a key this thread has seen.
    ///
    /// # Errors
    /// When it opens nothing; see [`AuthRefusal`].
    pub fn authenticate(&self, token: &str, now_ms: u64) -> Result<Arc<Authenticated>, AuthRefusal> {
        if token.len() > TOKEN_LEN_MAX {
            return Err(AuthRefusal::Unknown);
        }
        let short = self.hasher.short(token);
        if let Some(authenticated) = self.registry.remembered(short) {
            return authenticated.used(now_ms).map(|()| authenticated);
        }
        match self.registry.find(&self.hasher.hash(token)) {
            Some(Known::Active(authenticated)) => {
                authenticated.used(now_ms)?;
                self.registry.remember(short, &authenticated);
                Ok(authenticated)
            }
            Some(Known::Revoked) => Err(AuthRefusal::Revoked),
            None if self.dev && self.hasher.sandbox(token).is_some() => Err(AuthRefusal::SandboxNotOpen),
            None => Err(AuthRefusal::Unknown),
        }
    }

    /// Opens the sandbox account of `sk_test_X` (or of `pk_test_X`, which belongs to it) and waits until it is durable.
    /// Used at the same time by many, it is opened once.
    ///
    /// # Errors
    /// [`AuthRefusal::Unknown`] when sandboxes are not allowed or this is no sandbox key.
    pub async fn open_sandbox(&self, token: &str) -> Result<Arc<Authenticated>, AuthRefusal> {
        let sandbox = self
            .hasher
            .sandbox(token)
            .filter(|_| self.dev)
            .ok_or(AuthRefusal::Unknown)?;
        let asked = sandbox.asked;
        match self.order(Wish::OpenSandbox(sandbox)).await {
            Ok(_) => match self.registry.find(&asked) {
                Some(Known::Active(authenticated)) => Ok(authenticated),
                Some(Known::Revoked) => Err(AuthRefusal::Revoked),
                None => Err(AuthRefusal::Unknown),
            },
            Err(DirectoryError::Unavailable) => Err(AuthRefusal::Unavailable),
            Err(DirectoryError::Problem(_) | DirectoryError::Ambiguous) => Err(AuthRefusal::Unknown),
        }
    }

    /// Makes an account in both modes with its first keys; durable when this returns.
    ///
    /// # Errors
    /// When the directory is not serving.
    pub async fn create_account(&self, terms: NewTerms) -> Result<NewAccount, DirectoryError> {
        match self.order(Wish::CreateAccount(terms)).await? {
            Granted::Account(account) => Ok(account),
            other => unreachable!("an account was asked for, but {other:?} came"),
        }
    }

    /// Makes a further key; durable when this returns.
    ///
    /// # Errors
    /// When there is no such account in this mode, or the directory is not serving.
    pub async fn create_key(
        &self,
        account: Id,
        livemode: bool,
        kind: ApiKeyKind,
        permissions: Vec<Permission>,
    ) -> Result<NewKey, DirectoryError> {
        let wish = Wish::CreateKey {
            account,
            livemode,
            kind,
            permissions,
        };
        self.order(wish).await.map(Granted::into_key)
    }

    /// Makes a key of the same kind and permissions that takes a key's place; the old one works for `overlap` more.
    /// Durable when this returns.
    ///
    /// # Errors
    /// When there is no such key, it is revoked, or expires before the overlap ends; or the directory is not serving.
    pub async fn roll_key(&self, which: WhichKey, overlap: Duration) -> Result<NewKey, DirectoryError> {
        self.order(Wish::RollKey(which, overlap)).await.map(Granted::into_key)
    }

    /// Revokes a key. When this returns it is durable and no request that begins afterwards is let in with it.
    ///
    /// # Errors
    /// When there is no such key, or the directory is not serving.
    pub async fn revoke_key(&self, which: WhichKey) -> Result<(), DirectoryError> {
        self.order(Wish::RevokeKey(which)).await.map(drop)
    }

    /// The profiles of an account, test mode first; empty when there is no such account. From memory.
    pub fn profiles_of(&self, account: Id) -> Vec<Arc<Profile>> {
        let of_mode = |livemode| self.registry.profile(AccountKey::of(account, livemode));
        [false, true].into_iter().filter_map(of_mode).collect()
    }

    /// Puts changed profiles in the place of those they were made from, all or none. When this returns it is durable, and
    /// requests that begin afterwards are decided by them.
    ///
    /// # Errors
    /// [`DirectoryProblem::NotNext`] when somebody else changed an account in between, or when the directory is not
    /// serving.
    pub async fn change_account(&self, profiles: Vec<Profile>) -> Result<(), DirectoryError> {
        self.order(Wish::ChangeAccount(profiles)).await.map(drop)
    }

    /// Every account in every mode with its keys.
    ///
    /// # Errors
    /// When the directory is not serving.
    pub async fn list(&self) -> Result<Vec<AccountListing>, DirectoryError> {
        match self.order(Wish::List).await? {
            Granted::Listed(accounts) => Ok(accounts),
            other => unreachable!("a list was asked for, but {other:?} came"),
        }
    }

    /// The profiles, for whoever loads accounts.
    pub(crate) fn profiles(&self) -> Arc<dyn Profiles> {
        Arc::clone(&self.registry) as Arc<dyn Profiles>
    }

    async fn order(&self, wish: Wish) -> Result<Granted, DirectoryError> {
        let (reply, answer) = oneshot::channel();
        self.orders
            .try_send(Order { wish, reply })
            .map_err(|_| DirectoryError::Unavailable)?;
        answer.await.unwrap_or(Err(DirectoryError::Unavailable))
    }
}
