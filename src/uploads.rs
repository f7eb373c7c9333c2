//! The bytes of uploaded files: the ports of the edge and of the audit joined with the data directory's area and the
//! keyspace's tables.

use std::io;
use std::io::Read;
use tollgate_audit::Uploads as Audited;
use tollgate_domain::AccountKey;
use tollgate_http::{FileBytes, PendingBytes};
use tollgate_resource::Id;
use tollgate_store::{AccountRef, StoreError};
use tollgate_store_embedded::{FileArea, Pending};
use tollgate_store_scylla::PendingUpload;

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
            by: None,
        };
        Ok(pending.into_iter().map(told).collect())
    }
}

impl Audited for Uploads {
    fn open(&self, digest: &[u8; 32]) -> Result<Option<Box<dyn Read>>, StoreError> {
        let file = self.0.open_file(digest)?;
        Ok(file.map(|file| Box::new(file) as Box<dyn Read>))
    }

    fn place(&self, digest: &[u8; 32]) -> String {
        self.0.path(digest).display().to_string()
    }

    fn each(&self, visit: &mut dyn FnMut(Option<[u8; 32]>)) -> Result<(), StoreError> {
        self.0.each_settled(visit)
    }
}

/// The files of a keyspace, which every node reads.
pub(crate) struct SharedUploads(pub(crate) tollgate_store_scylla::Uploads);

impl FileBytes for SharedUploads {
    fn keep(&self, pending: &PendingBytes, bytes: &[u8]) -> io::Result<()> {
        self.0.keep(&shared(pending), bytes).map_err(failed)
    }

    fn settle(&self, pending: &PendingBytes) -> io::Result<()> {
        self.0.settle(&shared(pending)).map_err(failed)
    }

    fn forget(&self, pending: &PendingBytes) -> io::Result<()> {
        self.0.forget(&shared(pending)).map_err(failed)
    }

    fn read(&self, digest: &[u8; 32]) -> io::Result<Option<Vec<u8>>> {
        self.0.read(digest).map_err(failed)
    }

    fn pending(&self) -> io::Result<Vec<PendingBytes>> {
        let told = |one: PendingUpload| PendingBytes {
            digest: one.digest,
            account: AccountKey(one.account.0),
            request: Id::from_bits(one.request),
            by: one.by,
        };
        Ok(self.0.pending().map_err(failed)?.into_iter().map(told).collect())
    }
}

impl Audited for SharedUploads {
    fn open(&self, digest: &[u8; 32]) -> Result<Option<Box<dyn Read>>, StoreError> {
        Ok(self.0.open(digest)?.map(|reader| Box::new(reader) as Box<dyn Read>))
    }

    fn place(&self, digest: &[u8; 32]) -> String {
        self.0.place(digest)
    }

    fn each(&self, visit: &mut dyn FnMut(Option<[u8; 32]>)) -> Result<(), StoreError> {
        self.0.each_kept(visit)
    }
}

fn shared(pending: &PendingBytes) -> PendingUpload {
    PendingUpload {
        digest: pending.digest,
        account: AccountRef(pending.account.0),
        request: pending.request.bits(),
        by: pending.by,
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
