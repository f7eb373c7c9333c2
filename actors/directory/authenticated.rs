//! Who a request comes from, by its key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tollgate_domain::access::Permissions;
use tollgate_domain::account::Profile;
use tollgate_domain::directory::{ApiKey, ApiKeyKind};

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
    pub(super) expires_ms: u64,
    /// When it was used last, in minutes since the Unix epoch: one number for all threads, written once a minute.
    pub(super) used_minute: Arc<AtomicU64>,
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
    pub(super) fn new(profile: Arc<Profile>, key: &ApiKey) -> Authenticated {
        Authenticated {
            profile,
            kind: key.kind,
            permissions: Permissions::of(&key.permissions),
            expires_ms: key.expires_ms.unwrap_or(u64::MAX),
            used_minute: Arc::new(AtomicU64::new(key.used_ms / MINUTE_MS)),
        }
    }

    /// Lets the key be used at `now_ms`. Costs one read of a number that changes once a minute.
    pub(super) fn used(&self, now_ms: u64) -> Result<(), AuthRefusal> {
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
    pub(super) fn used_ms(&self) -> u64 {
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
