//! The directory as the rest of the process sees it.

use super::actor::{Actor, Asked, Declined, Order, Ports, Standing};
use super::authenticated::{AuthRefusal, Authenticated};
use super::keys::{KeyHasher, TOKEN_LEN_MAX};
use super::looks::Looks;
use super::registry::{Known, Registry};
use super::wish::{AccountListing, DirectoryError, Granted, NewAccount, NewKey, NewTerms, Told, WhichKey, Wish};
use super::{Answered, DirectoryConfig, Leader, NoLeader};
use crate::readers::Profiles;
#[cfg(doc)]
use crate::settings::DIRECTORY_LOOK_EVERY;
use crate::settings::{DIRECTORY_LOOK_PATIENCE, DIRECTORY_WAITING_MAX};
use crossbeam_channel::{Sender, bounded};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::oneshot;
use tollgate_domain::Secrets;
use tollgate_domain::access::Permission;
use tollgate_domain::account::{AccountKey, Profile};
use tollgate_domain::directory::ApiKeyKind;
use tollgate_resource::{Id, Record};
use tollgate_store::{Epoch, Journal, Reads, StoreError};

/// Accounts and keys. Clones are handles to the same directory; its thread ends with the last one.
#[derive(Clone)]
pub struct DirectoryHandle {
    registry: Arc<Registry>,
    hasher: Arc<KeyHasher>,
    orders: Sender<Order>,
    standing: Arc<Standing>,
    /// Whether other nodes may lead.
    follows: bool,
    /// The way to the node that leads, once there is one.
    leader: Arc<OnceLock<Arc<dyn Leader>>>,
    dev: bool,
}

/// Most nodes that are asked for one change, one after the other: the directory moved while it was on its way.
const LEADERS_ASKED_MAX: usize = 3;

impl DirectoryHandle {
    /// Takes the directory's journal over, reads it, and starts its thread; where other nodes are
    /// ([`DirectoryConfig::follows`]) it is read and followed. Needs no actix system, so that the command line can use it
    /// on data that no server has open.
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
        let standing = Arc::new(Standing {
            leads: AtomicBool::new(false),
            looks: Looks::new(),
        });
        let follows = config.follows.is_some();
        let actor = Actor::start(Ports {
            journal,
            reads,
            registry: Arc::clone(&registry),
            hasher: hasher.clone(),
            standing: Arc::clone(&standing),
            on_fatal: config.on_fatal,
            follows: config.follows,
        })?;
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
            standing,
            follows,
            leader: Arc::default(),
            dev: config.dev,
        })
    }

    /// Takes the directory over from whichever node led it. When this returns, every change that another node
    /// acknowledged is known here, and changes are decided here.
    ///
    /// # Errors
    /// When the store refuses or cannot be read; then another node leads, or none, and this may be called again.
    pub async fn lead(&self) -> Result<(), StoreError> {
        self.told(|reply| Order::Lead(None, reply))
            .await
            .unwrap_or(Err(StoreError::Stopped))
    }

    /// As [`DirectoryHandle::lead`], unless another node has taken the directory over after this epoch.
    ///
    /// # Errors
    /// The same, and [`StoreError::Taken`].
    pub async fn lead_after(&self, after: Epoch) -> Result<(), StoreError> {
        self.told(|reply| Order::Lead(Some(after), reply))
            .await
            .unwrap_or(Err(StoreError::Stopped))
    }

    /// Leaves the directory to another node: when this returns, nothing of it is under way here, and changes are sent to
    /// the node that leads.
    ///
    /// # Panics
    /// When the directory was started without [`DirectoryConfig::follows`].
    pub async fn follow(&self) {
        assert!(self.follows, "there is no other node that could lead");
        // A thread that has ended leads nothing.
        self.told(Order::Follow).await;
    }

    /// Whether changes are decided here.
    pub fn leads(&self) -> bool {
        self.standing.leads.load(Ordering::SeqCst)
    }

    /// Names the way to the node that leads. Changes that are asked for before are refused, unless this node leads.
    /// The first one counts.
    pub fn set_leader(&self, leader: Arc<dyn Leader>) {
        let _ = self.leader.set(leader);
    }

    /// Answers what another node asked its [`Leader`], if this node leads.
    pub async fn answer(&self, asked: &[u8]) -> Answered {
        let Ok(wish) = Wish::from_bytes(asked) else {
            return Answered::Malformed;
        };
        let told = match self.decided_here(wish).await {
            Ok(granted) => Told::Granted(granted),
            Err(Declined::Error(error)) => Told::Refused(error),
            Err(Declined::NotLeading(_)) => return Answered::Elsewhere,
        };
        Answered::Told(told.to_bytes())
    }

    /// Makes sure that every change is known here that was acknowledged before this call, on whichever node. At once on
    /// the node that leads, elsewhere by one read of the journal that all who wait share.
    ///
    /// # Errors
    /// When the journal cannot be read in time.
    pub async fn freshen(&self) -> Result<(), DirectoryError> {
        if !self.follows || self.leads() {
            return Ok(());
        }
        let looked = self.standing.looks.wait(|| self.orders.try_send(Order::Look).is_ok());
        match tokio::time::timeout(DIRECTORY_LOOK_PATIENCE, looked).await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(DirectoryError::Unavailable),
        }
    }

    /// Sends the uses of keys that only this node knows to the node that leads, which writes them down. Does nothing
    /// where that is this one.
    ///
    /// # Errors
    /// When no node leads; they are kept for the next call.
    pub async fn report_uses(&self) -> Result<(), DirectoryError> {
        if !self.follows || self.leads() {
            return Ok(());
        }
        let uses = self.told(Order::Uses).await.ok_or(DirectoryError::Unavailable)?;
        match uses.is_empty() {
            true => Ok(()),
            false => self.order(Wish::NoteUses(uses)).await.map(drop),
        }
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

    /// As [`DirectoryHandle::authenticate`], for a key that was unknown there: another node may have made it a moment ago.
    ///
    /// # Errors
    /// When it opens nothing; [`AuthRefusal::Unavailable`] when it cannot be known.
    pub async fn authenticate_anew(&self, token: &str, now_ms: u64) -> Result<Arc<Authenticated>, AuthRefusal> {
        if self.follows && token.len() <= TOKEN_LEN_MAX {
            self.freshen().await.map_err(|_| AuthRefusal::Unavailable)?;
        }
        self.authenticate(token, now_ms)
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
        // What looks like a sandbox's key may be one that another node has made a moment ago.
        if self.follows {
            self.freshen().await.map_err(|_| AuthRefusal::Unavailable)?;
            match self.registry.find(&asked) {
                Some(Known::Active(authenticated)) => return Ok(authenticated),
                Some(Known::Revoked) => return Err(AuthRefusal::Revoked),
                None => {}
            }
        }
        match self.order(Wish::OpenSandbox(sandbox)).await {
            Ok(_) => match self.registry.find(&asked) {
                Some(Known::Active(authenticated)) => Ok(authenticated),
                Some(Known::Revoked) => Err(AuthRefusal::Revoked),
                // It is open, and this node could not read so.
                None => Err(AuthRefusal::Unavailable),
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
        let overlap_ms = u64::try_from(overlap.as_millis()).unwrap_or(u64::MAX);
        let rolled = self.order(Wish::RollKey { which, overlap_ms }).await;
        rolled.map(Granted::into_key)
    }

    /// Revokes a key. When this returns it is durable and no request that begins here afterwards is let in with it; other
    /// nodes learn it at their next look at the journal, at most [`DIRECTORY_LOOK_EVERY`] later as a rule.
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
        self.freshen().await?;
        match self.decided_here(Wish::List).await {
            Ok(Granted::Listed(accounts)) => Ok(accounts),
            Err(Declined::Error(error)) => Err(error),
            other => unreachable!("a list was asked for, but {other:?} came"),
        }
    }

    /// The profiles, for whoever loads accounts.
    pub fn profiles(&self) -> Arc<dyn Profiles> {
        Arc::clone(&self.registry) as Arc<dyn Profiles>
    }

    /// Has a wish granted, here or by the node that leads. What it changed is known here when this returns, as far as the
    /// journal can be read.
    async fn order(&self, mut wish: Wish) -> Result<Granted, DirectoryError> {
        for _ in 0..LEADERS_ASKED_MAX {
            if self.leads() || !self.follows {
                match self.decided_here(wish).await {
                    Ok(granted) => return Ok(granted),
                    Err(Declined::Error(error)) => return Err(error),
                    Err(Declined::NotLeading(back)) => wish = *back,
                }
            }
            let leader = self.leader.get().ok_or(DirectoryError::Unavailable)?;
            match leader.ask(wish.to_bytes()).await {
                Ok(told) => {
                    let told = Told::from_bytes(&told).map_err(|error| {
                        tracing::error!(%error, "the node that leads the directory answered something else");
                        DirectoryError::Unavailable
                    })?;
                    // The change stands, whether or not it can be seen here at once.
                    let _ = self.freshen().await;
                    return match told {
                        Told::Granted(granted) => Ok(granted),
                        Told::Refused(error) => Err(error),
                    };
                }
                Err(NoLeader::Here) => {}
                Err(NoLeader::Unavailable) => return Err(DirectoryError::Unavailable),
            }
        }
        Err(DirectoryError::Unavailable)
    }

    async fn decided_here(&self, wish: Wish) -> Result<Granted, Declined> {
        let unavailable = || Declined::Error(DirectoryError::Unavailable);
        let told = self.told(|reply| Order::Wish(Asked { wish, reply })).await;
        told.unwrap_or_else(|| Err(unavailable()))
    }

    /// What the thread says to an order; `None` when too many wait, or it has ended.
    async fn told<T>(&self, order: impl FnOnce(oneshot::Sender<T>) -> Order) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.orders.try_send(order(reply)).ok()?;
        answer.await.ok()
    }
}
