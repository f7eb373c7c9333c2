//! The bytes of uploaded files: the edge's port and the data directory's area, joined.

use std::io;
use tollgate_domain::AccountKey;
use tollgate_http::{FileBytes, PendingBytes};
use tollgate_resource::Id;
use tollgate_store::StoreError;
use tollgate_store_embedded::{FileArea, Pending};

/// The files of a data directory.
pub(crate) struct Uploads(pub(crate) FileArea);

impl FileBytes for Uploads {
    fn keep(&self, pending: &PendingBytes, bytes: &[u8]) -> io::Result<()> {
        self.0.keep(&named(pending), bytes).map_err(failed)
    }

    fn settle(&self, pending: &PendingBytes) -> io::Result<()> {
        self.0.settle(&named(pending)).map_err(failed)
    }

    fn forget(&self, pending: &PendingBytes) -> io::Result<()> {
        self.0.forget(&named(pending)).map_err(failed)
    }

    fn read(&self, digest: &[u8; 32]) -> io::Result<Option<Vec<u8>>> {
        self.0.read(digest).map_err(failed)
    }

    fn pending(&self) -> io::Result<Vec<PendingBytes>> {
        let pending = self.0.pending().map_err(failed)?;
        let told = |one: Pending| PendingBytes {
            digest: one.digest,
            account: AccountKey(one.account),
            request: Id::from_bits(one.request),
        };
        Ok(pending.into_iter().map(told).collect())
    }
}

fn named(pending: &PendingBytes) -> Pending {
    Pending {
        digest: pending.digest,
        account: pending.account.0,
        request: pending.request.bits(),
    }
}

fn failed(error: StoreError) -> io::Error {
    io::Error::other(error.to_string())
}
