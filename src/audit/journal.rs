//! The way through the journal: blocks in order, the directory, each record to its account; and again for every part of
//! the objects and keys that the first way had no room for.

use crate::Options;
use crate::account::AccountAudit;
use crate::files::{Files, FilesStanding, Uploads};
use crate::history::History;
use crate::report::{Check, Checked, Difference, Finding, Report, ensure};
use hashbrown::HashMap;
use std::sync::Arc;
use tollgate_domain::account::{AccountKey, Profile};
use tollgate_domain::directory::{Directory, DirectoryFact, DirectoryFacts};
use tollgate_domain::{Facts, Secrets, kinds};
use tollgate_resource::{Record, RecordError, notes};
use tollgate_store::envelope::{RecordRef, records};
use tollgate_store::{AccountRef, Block, Head, NOTES_PAGE, Scan, ShardId, StoreError, StoredBlock};

/// An audit under way.
pub(crate) struct Auditor<'a> {
    secrets: &'a Secrets,
    shards: HashMap<ShardId, ShardAudit>,
    directory: Directory,
    accounts: HashMap<AccountKey, Used>,
    history: History,
    files: Option<Files<'a>>,
    /// The first file whose bytes are not its own; told when the journal itself is sound.
    bytes: Option<Difference>,
    report: Report,
}

/// What is known of a shard.
#[derive(Clone, Copy, Default)]
struct ShardAudit {
    last_block: u64,
    epoch: u64,
    now_ms: u64,
}

/// An account with records of its own.
struct Used {
    home: ShardId,
    audit: AccountAudit,
}

/// A difference with its place in the journal: number of the block, and of the record in it.
struct Found {
    at: (u64, u32),
    difference: Difference,
}

/// Why a way ends early.
enum End {
    Found(Box<Found>),
    /// Nothing further on is wanted.
    Enough,
    Unreadable(StoreError),
}

/// Why a record does not pass.
enum Stop {
    Found(Finding),
    /// Why it cannot be read.
    Unreadable(String),
    /// Why something beside the journal cannot be.
    Store(StoreError),
}

impl From<Finding> for Stop {
    fn from(finding: Finding) -> Self {
        Stop::Found(finding)
    }
}

impl<'a> Auditor<'a> {
    pub(crate) fn new(secrets: &'a Secrets, options: Options, uploads: Option<&'a dyn Uploads>) -> Self {
        Auditor {
            secrets,
            shards: HashMap::new(),
            directory: Directory::new(),
            accounts: HashMap::new(),
            history: History::new(options.idempotency_ms, options.memory_bytes),
            files: uploads.map(Files::new),
            bytes: None,
            report: Report::default(),
        }
    }

    /// Reads the journal to its end or to the first difference, and again up to there for each part that is left.
    pub(crate) fn run(mut self, scan: &dyn Scan) -> Result<Report, StoreError> {
        let mut first = way(scan, &mut |stored| self.block(stored))?;
        self.report.passes = 1;
        // A server may append meanwhile: what was not there at the first time is not looked at.
        let blocks = self.report.blocks;
        while self.history.next_part(&mut self.report) {
            let mut number = 0;
            let until = first.as_ref().map(|found| found.at);
            let found = way(scan, &mut |stored| {
                number += 1;
                if number > blocks {
                    return Err(End::Enough);
                }
                self.block_again(stored, number, until)
            })?;
            first = found.or(first);
            self.report.passes += 1;
        }
        self.report.difference = match first {
            Some(found) => Some(found.difference),
            None => self.end().or(self.bytes.take()),
        };
        // Counts up to a difference would call the files after it unreferenced.
        if let (Some(files), true) = (&self.files, self.report.clean()) {
            self.report.files = Some(FilesStanding {
                named: files.named,
                unreferenced: files.unreferenced()?,
            });
        }
        Ok(self.report)
    }

    /// A block, for the first time.
    fn block(&mut self, stored: &StoredBlock) -> Result<(), End> {
        let StoredBlock { block, place } = stored;
        self.report.blocks += 1;
        let number = self.report.blocks;
        self.check_block(block)
            .map_err(|finding| End::Found(Box::new(found(stored, (number, 0), finding, Names::default()))))?;
        for (at, record) in (1..).zip(records(&block.bytes, block.count)) {
            let record = record.map_err(|error| End::Unreadable(error.at(format!("{place} record {at}"))))?;
            self.report.records += 1;
            let bytes = self
                .record(block, &record)
                .map_err(|stop| self.stopped(stop, stored, (number, at), &record))?;
            if let (Some(finding), None) = (bytes, &self.bytes) {
                let found = found(stored, (number, at), finding, self.names(&stored.block, &record));
                self.bytes = Some(found.difference);
            }
        }
        Ok(())
    }

    /// A block whose records have passed as far as they say so of themselves, for the part that is worked on.
    fn block_again(&mut self, stored: &StoredBlock, number: u64, until: Option<(u64, u32)>) -> Result<(), End> {
        let StoredBlock { block, place } = stored;
        let beyond = |at| until.is_some_and(|until| (number, at) >= until);
        if beyond(0) {
            return Err(End::Enough);
        }
        if block.shard == ShardId::DIRECTORY {
            return Ok(());
        }
        for (at, record) in (1..).zip(records(&block.bytes, block.count)) {
            if beyond(at) {
                return Err(End::Enough);
            }
            let record = record.map_err(|error| End::Unreadable(error.at(format!("{place} record {at}"))))?;
            let notes = AccountRef(record.head.account).notes();
            if record.head.row || notes.is_some() || self.history.is_elsewhere(&record.head) {
                continue;
            }
            self.remember(&record)
                .map_err(|stop| self.stopped(stop, stored, (number, at), &record))?;
        }
        Ok(())
    }

    /// Takes a record; the answer is a fault of uploaded bytes, which the rest of the journal does not depend on.
    fn record(&mut self, block: &Block, record: &RecordRef<'_>) -> Result<Option<Finding>, Stop> {
        let late = record.head.now_ms > block.now_ms;
        ensure(Check::Time, !late, || {
            format!(
                "the record's time {} lies after its block's, {}",
                record.head.now_ms, block.now_ms
            )
        })?;
        self.report.now_ms = self.report.now_ms.max(record.head.now_ms);
        if block.shard == ShardId::DIRECTORY {
            let facts = DirectoryFacts::from_bytes(record.body).map_err(unreadable)?;
            self.directory_record(record, &facts)?;
            return Ok(None);
        }
        if let Some(of) = AccountRef(record.head.account).notes() {
            check_notes(block.shard, of, record)?;
            return Ok(None);
        }
        let (key, secrets) = (AccountKey(record.head.account), self.secrets);
        let used = self.used(block.shard, key)?;
        if record.head.row {
            used.audit.row(&record.head, record.body).map_err(unreadable)??;
            self.report.rows += 1;
            return Ok(None);
        }
        let facts = Facts::from_bytes(record.body).map_err(unreadable)?;
        used.audit.check(&record.head, &facts, secrets)?;
        // The steps of objects before the books, so that a difference is told where it began.
        self.history.record(key, &record.head, &facts)?;
        let Used { audit, .. } = self.accounts.get_mut(&key).expect("it was looked up before");
        audit.take(&facts, &mut self.report)?;
        match &mut self.files {
            Some(files) => files.check(&facts).map_err(Stop::Store),
            None => Ok(None),
        }
    }

    /// What a record does to objects and keys, again.
    fn remember(&mut self, record: &RecordRef<'_>) -> Result<(), Stop> {
        let facts = Facts::from_bytes(record.body).map_err(unreadable)?;
        let key = AccountKey(record.head.account);
        Ok(self.history.record(key, &record.head, &facts)?)
    }

    fn stopped(&self, stop: Stop, stored: &StoredBlock, at: (u64, u32), record: &RecordRef<'_>) -> End {
        match stop {
            Stop::Found(finding) => End::Found(Box::new(found(stored, at, finding, self.names(&stored.block, record)))),
            Stop::Store(error) => End::Unreadable(error),
            Stop::Unreadable(what) => End::Unreadable(StoreError::Body {
                place: format!("{} shard {} record {}", stored.place, stored.block.shard.0, at.1),
                what,
            }),
        }
    }

    fn names(&self, block: &Block, record: &RecordRef<'_>) -> Names {
        let account = self.directory.account(AccountKey(record.head.account));
        Names {
            account: account.map(|profile| account_name(profile)),
            command: command_name(block.shard, record),
        }
    }

    fn check_block(&mut self, block: &Block) -> Checked {
        let shard = self.shards.entry(block.shard).or_default();
        let ShardAudit {
            last_block,
            epoch,
            now_ms,
        } = *shard;
        ensure(Check::BlockOrder, block.seq == last_block + 1, || {
            format!("block {} of the shard follows on block {last_block}", block.seq)
        })?;
        ensure(Check::BlockOrder, block.epoch.0 >= epoch && block.epoch.0 > 0, || {
            format!("epoch {} follows on epoch {epoch}", block.epoch.0)
        })?;
        ensure(Check::Time, block.now_ms >= now_ms, || {
            format!("the block's time {} lies before its shard's, {now_ms}", block.now_ms)
        })?;
        *shard = ShardAudit {
            last_block: block.seq,
            epoch: block.epoch.0,
            now_ms: block.now_ms,
        };
        Ok(())
    }

    fn directory_record(&mut self, record: &RecordRef<'_>, facts: &DirectoryFacts) -> Checked {
        ensure(
            Check::Envelope,
            record.head.account == 0 && record.head.now_ms == facts.now_ms,
            || {
                format!(
                    "the envelope says account {} and time {}",
                    record.head.account, record.head.now_ms
                )
            },
        )?;
        ensure(Check::Time, facts.now_ms >= self.directory.last_now_ms(), || {
            format!(
                "time {} lies before the directory's, {}",
                facts.now_ms,
                self.directory.last_now_ms()
            )
        })?;
        for fact in &facts.facts {
            if let DirectoryFact::AccountCreated(profile) = fact {
                let right =
                    profile.id.is(&kinds::ACCOUNT) && profile.key == AccountKey::of(profile.id, profile.livemode);
                ensure(Check::Directory, right, || {
                    format!(
                        "the key {:016x} of {} does not follow from its id",
                        profile.key.0,
                        account_name(profile)
                    )
                })?;
            }
        }
        self.directory.check(facts).map_err(|problem| Finding {
            check: Check::Directory,
            what: problem.to_string(),
        })?;
        self.directory.apply(facts);
        Ok(())
    }

    /// The account of a record of this shard.
    fn used(&mut self, shard: ShardId, key: AccountKey) -> Result<&mut Used, Finding> {
        let Some(profile) = self.directory.account(key) else {
            let what = format!(
                "the record is of account key {:016x}, which the directory does not know",
                key.0
            );
            return Err(Finding {
                check: Check::Directory,
                what,
            });
        };
        let used = self.accounts.entry(key).or_insert_with(|| Used {
            home: shard,
            audit: AccountAudit::new(Arc::clone(profile)),
        });
        let home = used.home;
        ensure(Check::Directory, home == shard, || {
            format!("the account's records are in shard {} and in shard {}", home.0, shard.0)
        })?;
        Ok(used)
    }

    /// What only the whole journal shows.
    fn end(&mut self) -> Option<Difference> {
        self.report.accounts = self.directory.accounts().len() as u64;
        self.report.accounts_used = self.accounts.len() as u64;
        let mut keys: Vec<AccountKey> = self.accounts.keys().copied().collect();
        // In a fixed order, so that the same journal gives the same report.
        keys.sort_unstable();
        for key in keys {
            let refunds = |currency| self.history.refunds_in_transit(key, currency);
            if let Err(finding) = self.accounts[&key].audit.end(refunds, &mut self.report) {
                return Some(self.at_the_end(key, finding));
            }
        }
        let keys = self.history.end_of_keys();
        keys.err().map(|(account, finding)| self.at_the_end(account, finding))
    }

    fn at_the_end(&self, account: AccountKey, finding: Finding) -> Difference {
        let account = self.directory.account(account).map(|profile| account_name(profile));
        Difference {
            check: finding.check,
            what: finding.what,
            place: "end of the journal".into(),
            shard: None,
            block: None,
            record: None,
            account,
            command: None,
        }
    }
}

/// Goes through the journal to its end, to the first difference, or to where nothing further is wanted.
fn way(scan: &dyn Scan, visit: &mut dyn FnMut(&StoredBlock) -> Result<(), End>) -> Result<Option<Found>, StoreError> {
    let mut end = None;
    let scanned = scan.scan(&mut |stored| {
        visit(&stored).map_err(|why| match why {
            End::Unreadable(error) => error,
            early => {
                end = Some(early);
                // Ends the scan; whatever the scanner makes of it, the reason is known here.
                StoreError::Stopped
            }
        })
    });
    match end {
        None => scanned.map(|()| None),
        Some(End::Found(found)) => Ok(Some(*found)),
        Some(End::Enough | End::Unreadable(_)) => Ok(None),
    }
}

/// The notes of webhook delivery: what they say is delivery's own, which survives whatever is lost of it. Here it is held to
/// the frame that others walk through.
fn check_notes(shard: ShardId, of: ShardId, record: &RecordRef<'_>) -> Result<(), Stop> {
    let head = &record.head;
    ensure(Check::Envelope, of == shard, || {
        format!("the notes of shard {} are in shard {}", of.0, shard.0)
    })?;
    let page = head.born.as_slice() == [NOTES_PAGE];
    let expected = Head {
        account: head.account,
        now_ms: head.now_ms,
        first_seq: if page { head.first_seq } else { 0 },
        born: if page { head.born.clone() } else { Default::default() },
        row: head.row && !page,
        ..Head::default()
    };
    ensure(Check::Envelope, *head == expected, || {
        format!("the envelope of the shard's notes is {head:?}")
    })?;
    if !page {
        notes::entries(record.body)
            .try_for_each(|entry| entry.map(drop))
            .map_err(unreadable)?;
    }
    Ok(())
}

/// Whom and what a difference is about.
#[derive(Default)]
struct Names {
    account: Option<String>,
    command: Option<String>,
}

fn found(stored: &StoredBlock, at: (u64, u32), finding: Finding, names: Names) -> Found {
    let Finding { check, what } = finding;
    Found {
        at,
        difference: Difference {
            check,
            what,
            place: stored.place.clone(),
            shard: Some(stored.block.shard.0),
            block: Some(stored.block.seq),
            record: Some(at.1).filter(|number| *number > 0),
            account: names.account,
            command: names.command,
        },
    }
}

/// The command that a record is of, as an operator can look for it: in access logs, or at the merchant.
fn command_name(shard: ShardId, record: &RecordRef<'_>) -> Option<String> {
    if shard == ShardId::DIRECTORY {
        return None;
    }
    if record.head.row {
        return Some("none, a row of the account's state".into());
    }
    let facts = Facts::from_bytes(record.body).ok()?;
    let claim = facts.outcome.as_ref().map(|outcome| &outcome.claim);
    let path = claim.map(|claim| &*claim.path);
    let request = facts.request.or(claim.map(|claim| claim.request));
    Some(match (request, path) {
        (Some(request), Some(path)) => format!("request {} to {path}", request.text(&kinds::REQUEST)),
        (Some(request), None) => format!("request {}", request.text(&kinds::REQUEST)),
        (None, _) => "a timer or a network's answer".into(),
    })
}

fn unreadable(error: RecordError) -> Stop {
    Stop::Unreadable(error.to_string())
}

fn account_name(profile: &Profile) -> String {
    format!(
        "{} ({} mode)",
        profile.id.text(&kinds::ACCOUNT),
        if profile.livemode { "live" } else { "test" }
    )
}
