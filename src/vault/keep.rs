//! Where a vault keeps what must not be lost: files of a data directory, or whatever stands behind this port.

use crate::{Access, Rewrap, VaultError};
use zeroize::Zeroizing;

/// The name of something sealed.
pub type Token = [u8; 16];

/// Keeps keys, data keys wrapped anew, and accesses. Calls may block; what was written is durable when they return.
pub trait Keep: Send + Sync {
    /// The file or the table of the keys, for messages.
    fn place(&self) -> String;

    /// The master keys as [`KeyRing`](crate::KeyRing) writes them; `None` if there are none.
    ///
    /// # Errors
    /// They cannot be read, or others than their owner may read them.
    fn keys(&self) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError>;

    /// Puts keys in the place of those that were read before. False where others were faster: then nothing has changed.
    ///
    /// # Errors
    /// They cannot be written, or it is not known whether they were.
    fn replace_keys(&self, before: Option<&[u8]>, after: &[u8]) -> Result<bool, VaultError>;

    /// Whether there is anything that only a vault with keys has had.
    ///
    /// # Errors
    /// It cannot be looked at.
    fn was_used(&self) -> Result<bool, VaultError>;

    /// Visits every data key that was wrapped anew.
    ///
    /// # Errors
    /// They cannot be read.
    fn rewraps(&self, visit: &mut dyn FnMut(Token, Rewrap) -> Result<(), VaultError>) -> Result<(), VaultError>;

    /// Adds data keys that were wrapped anew. One that is there already stays as it is or becomes the same again.
    ///
    /// # Errors
    /// They cannot be written.
    fn add_rewraps(&self, some: &[(Token, Rewrap)]) -> Result<(), VaultError>;

    /// Removes data keys under master keys older than this one.
    ///
    /// # Errors
    /// They cannot be removed.
    fn drop_rewraps_before(&self, master_key: u32) -> Result<(), VaultError>;

    /// Writes an access down.
    ///
    /// # Errors
    /// It cannot be written; then the access must not happen.
    fn record(&self, access: &Access) -> Result<(), VaultError>;

    /// Every access, oldest first.
    ///
    /// # Errors
    /// They cannot be read, or one is none.
    fn accesses(&self) -> Result<Vec<Access>, VaultError>;
}
