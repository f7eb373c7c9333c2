//! Ephemeral keys: for an hour, an app on a customer's phone may look after that customer's own payment methods. The secret
//! follows from the key's id and is not stored; what it opens is looked up with every request.

mod decide;
mod params;
mod secret;
mod shown;

pub(crate) use decide::{create, delete};
pub use params::{CreateEphemeralKey, ENDPOINTS};
pub use secret::{Bearer, SECRET_START};
pub use shown::EphemeralKeyShown;

use tollgate_resource::{Id, Record, Version};

/// How long a key works, in milliseconds.
pub const KEY_LIFE_MS: u64 = 60 * 60 * 1000;

/// An ephemeral key at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct EphemeralKey {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// The customer it is for.
    #[record(2)]
    pub customer: Id,
    /// The account it belongs to, which its secret names.
    #[record(3)]
    pub account: Id,
    /// Whether it was deleted.
    #[record(4)]
    pub deleted: bool,
    /// The version it was made at: that of the app, which need not say it again.
    #[record(5)]
    pub version: Option<Version>,
}

impl EphemeralKey {
    /// From when on it opens nothing, milliseconds since the Unix epoch.
    pub fn expires_ms(&self) -> u64 {
        self.id.unix_ms() + KEY_LIFE_MS
    }

    /// Whether it opens anything at `now_ms`.
    pub fn is_open(&self, now_ms: u64) -> bool {
        !self.deleted && now_ms < self.expires_ms()
    }
}
