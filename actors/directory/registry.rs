//! The copy of the directory that every request looks into.

use crate::directory::Authenticated;
use crate::fixed_hash::FixedMap;
use crate::readers::Profiles;
use crate::settings::AUTH_CACHE_MAX;
use dashmap::DashMap;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tollgate_domain::account::{AccountKey, Profile};
use tollgate_domain::directory::{ApiKey, ApiKeyHash, Directory, DirectoryFact, DirectoryFacts};

/// What is durable, in memory. Written by the directory's thread only; values are copied out.
pub(crate) struct Registry {
    keys: DashMap<ApiKeyHash, Known>,
    profiles: DashMap<AccountKey, Arc<Profile>>,
    /// Rises when a key stops being valid or leads to something else: what threads remember then is forgotten.
    generation: AtomicU64,
    /// Tells registries of one process apart.
    number: u64,
}

/// What is known about a key.
#[derive(Clone)]
pub(crate) enum Known {
    Active(Arc<Authenticated>),
    Revoked,
}

impl Registry {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Registry {
            keys: DashMap::new(),
            profiles: DashMap::new(),
            generation: AtomicU64::new(0),
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Copies a whole directory, as after a start. It holds at least what was published before.
    pub(crate) fn publish_all(&self, directory: &Directory) {
        for profile in directory.accounts() {
            self.profiles.insert(profile.key, Arc::clone(profile));
        }
        for key in directory.keys() {
            let profile = directory.account(key.account).expect("a key belongs to an account");
            let known = match key.revoked_ms {
                Some(_) => Known::Revoked,
                // Uses that are not written down yet are kept.
                None => Known::Active(Arc::new(Authenticated::new(
                    Arc::clone(profile),
                    &ApiKey {
                        used_ms: key.used_ms.max(self.used_ms(&key.hash)),
                        ..key.clone()
                    },
                ))),
            };
            self.keys.insert(key.hash, known);
        }
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Copies one durable change.
    pub(crate) fn publish(&self, facts: &DirectoryFacts) {
        for fact in &facts.facts {
            match fact {
                DirectoryFact::AccountCreated(profile) => {
                    self.profiles.insert(profile.key, Arc::clone(profile));
                }
                DirectoryFact::KeyAdded(key) => {
                    let profile = self.profile(key.account).expect("a key is added after its account");
                    self.keys
                        .insert(key.hash, Known::Active(Arc::new(Authenticated::new(profile, key))));
                }
                DirectoryFact::KeyRevoked { hash, .. } => {
                    self.keys.insert(*hash, Known::Revoked);
                    self.generation.fetch_add(1, Ordering::Release);
                }
                DirectoryFact::AccountChanged(profile) => self.change(profile),
                DirectoryFact::KeyExpires { hash, at_ms } => self.expire(hash, *at_ms),
                DirectoryFact::KeysUsed(_) => {}
            }
        }
    }

    /// Lets every key of an account lead to its newer profile. Changes are rare and keys are few: they are all looked at.
    fn change(&self, profile: &Arc<Profile>) {
        self.profiles.insert(profile.key, Arc::clone(profile));
        for mut known in self.keys.iter_mut() {
            if let Known::Active(authenticated) = known.value_mut()
                && authenticated.profile.key == profile.key
            {
                *authenticated = Arc::new(Authenticated {
                    profile: Arc::clone(profile),
                    ..Authenticated::clone(authenticated)
                });
            }
        }
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Lets a key open nothing from a time on.
    fn expire(&self, hash: &ApiKeyHash, at_ms: u64) {
        if let Some(mut known) = self.keys.get_mut(hash)
            && let Known::Active(authenticated) = known.value_mut()
        {
            *authenticated = Arc::new(Authenticated {
                expires_ms: at_ms,
                ..Authenticated::clone(authenticated)
            });
        }
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// When a key was used last, milliseconds since the Unix epoch; 0 when it is not known here.
    pub(crate) fn used_ms(&self, hash: &ApiKeyHash) -> u64 {
        match self.keys.get(hash).as_deref() {
            Some(Known::Active(authenticated)) => authenticated.used_ms(),
            Some(Known::Revoked) | None => 0,
        }
    }

    /// Lets a key be used.
    #[cfg(test)]
    pub(crate) fn used_now(&self, hash: &ApiKeyHash, now_ms: u64) {
        let Some(Known::Active(authenticated)) = self.find(hash) else {
            panic!("the key is good");
        };
        authenticated.used(now_ms).expect("it does not expire");
    }

    pub(crate) fn find(&self, hash: &ApiKeyHash) -> Option<Known> {
        self.keys.get(hash).map(|known| known.value().clone())
    }

    /// What this thread has authenticated before: no lock, no long hash. `short` is 128 keyed bits of the key's text.
    pub(crate) fn remembered(&self, short: u128) -> Option<Arc<Authenticated>> {
        REMEMBERED.with_borrow_mut(|remembered| {
            self.refresh(remembered);
            remembered.keys.get(&short).cloned()
        })
    }

    /// Lets this thread remember. The generation is read before the key was looked up (by `remembered`), so a
    /// revocation in between clears the memory at the next look.
    pub(crate) fn remember(&self, short: u128, authenticated: &Arc<Authenticated>) {
        REMEMBERED.with_borrow_mut(|remembered| {
            if remembered.of != self.number {
                return;
            }
            if remembered.keys.len() >= AUTH_CACHE_MAX {
                remembered.keys.clear();
            }
            // A copy of the thread's own: every request counts a reference to it, and no other thread's count beside.
            let own = Authenticated {
                profile: Arc::new(Profile::clone(&authenticated.profile)),
                ..Authenticated::clone(authenticated)
            };
            remembered.keys.insert(short, Arc::new(own));
        });
    }

    fn refresh(&self, remembered: &mut Remembered) {
        let generation = self.generation.load(Ordering::Acquire);
        if (remembered.of, remembered.generation) != (self.number, generation) {
            *remembered = Remembered {
                of: self.number,
                generation,
                keys: FixedMap::default(),
            };
        }
    }
}

impl Profiles for Registry {
    fn profile(&self, account: AccountKey) -> Option<Arc<Profile>> {
        self.profiles.get(&account).map(|profile| Arc::clone(profile.value()))
    }
}

#[derive(Default)]
struct Remembered {
    of: u64,
    generation: u64,
    keys: FixedMap<u128, Arc<Authenticated>>,
}

thread_local! {
    static REMEMBERED: RefCell<Remembered> = RefCell::default();
}
