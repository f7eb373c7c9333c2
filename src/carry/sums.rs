//! What of a journal has to be the same on both sides, whatever shards and blocks there are.

use crate::CarryError;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use tollgate_domain::books::Books;
use tollgate_domain::time::day_of;
use tollgate_domain::{Facts, Object, kinds};
use tollgate_resource::Record;
use tollgate_store::envelope::records;
use tollgate_store::{AccountRef, Scan, ShardId, StoreError, StoredBlock};

/// The sums of a journal.
#[derive(Default)]
pub struct Sums {
    accounts: BTreeMap<u64, Account>,
    directory: Stream,
    /// Digests of the uploaded files that records name.
    pub(crate) files: BTreeSet<[u8; 32]>,
}

/// Records in their order.
#[derive(Default)]
struct Stream {
    records: u64,
    hash: Sha256,
}

#[derive(Default)]
struct Account {
    stream: Stream,
    books: Books,
    /// Objects that were born, by the number of their kind.
    objects: BTreeMap<u8, u64>,
}

impl Stream {
    fn take(&mut self, bytes: &[u8]) {
        self.records += 1;
        self.hash.update((bytes.len() as u64).to_le_bytes());
        self.hash.update(bytes);
    }

    fn text(&self) -> String {
        let mut text = format!("{} records ", self.records);
        for byte in self.hash.clone().finalize() {
            write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        }
        text
    }
}

impl Sums {
    /// The sums of everything that a journal holds.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(journal: &dyn Scan) -> Result<Sums, CarryError> {
        let mut sums = Sums::default();
        journal.scan(&mut |stored| sums.add(&stored))?;
        Ok(sums)
    }

    /// Adds a block. Blocks of a shard come in their order.
    ///
    /// # Errors
    /// When a record does not read.
    pub fn add(&mut self, stored: &StoredBlock) -> Result<(), StoreError> {
        let unreadable = |what: String| StoreError::Body {
            place: stored.place.clone(),
            what,
        };
        let block = &stored.block;
        for record in records(&block.bytes, block.count) {
            let record = record.map_err(|error| unreadable(error.to_string()))?;
            let (from, len) = (record.offset as usize, record.len as usize);
            // The envelope, its checksum and the body.
            let whole = &block.bytes[from..from + len];
            if block.shard == ShardId::DIRECTORY {
                self.directory.take(whole);
                continue;
            }
            // Divided anew where they arrive: cursors of accounts, which stand in other shards there.
            if AccountRef(record.head.account).notes().is_some() {
                continue;
            }
            let account = self.accounts.entry(record.head.account).or_default();
            account.stream.take(whole);
            if record.head.row {
                continue;
            }
            let facts = Facts::from_bytes(record.body).map_err(|error| unreadable(error.to_string()))?;
            let today = day_of(facts.now_ms);
            account.books.advance(today);
            for entry in &facts.entries {
                account.books.apply(entry, today);
            }
            for object in &facts.objects {
                if object.id().seq() > facts.seq_before {
                    *account.objects.entry(object.kind().number).or_default() += 1;
                }
                if let Object::File(file) = object {
                    self.files.insert(file.contents.digest);
                }
            }
        }
        Ok(())
    }

    /// A line for the directory and for each account, in order of the accounts.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let accounts = self.accounts.iter().map(|(key, account)| {
            let mut line = format!("account {key:016x}: {}", account.stream.text());
            for (currency, ledger, total) in account.books.totals() {
                write!(line, "; {} {} {total}", ledger.name(), currency.code()).expect("a string");
            }
            for (kind, count) in &account.objects {
                let name = kinds::by_number(*kind).map_or("?", |kind| kind.object);
                write!(line, "; {count} {name}").expect("a string");
            }
            line
        });
        std::iter::once(format!("directory: {}", self.directory.text())).chain(accounts)
    }

    /// How many accounts have records.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// How many records there are, those of the directory included.
    pub fn records(&self) -> u64 {
        self.directory.records
            + self
                .accounts
                .values()
                .map(|account| account.stream.records)
                .sum::<u64>()
    }

    /// How many objects were born.
    pub fn objects(&self) -> u64 {
        self.accounts
            .values()
            .flat_map(|account| account.objects.values())
            .sum()
    }

    /// How many contents of uploaded files are named.
    pub fn files(&self) -> usize {
        self.files.len()
    }
}
