//! The way through the journal: blocks in order, the directory, each record to its account.

use crate::Options;
use crate::account::AccountAudit;
use crate::report::{Check, Checked, Difference, Finding, Report, ensure};
use hashbrown::HashMap;
use std::sync::Arc;
use tollgate_domain::Secrets;
use tollgate_domain::account::{AccountKey, Profile};
use tollgate_domain::directory::{Directory, DirectoryFact, DirectoryFacts};
use tollgate_domain::kinds;
use tollgate_resource::Record;
use tollgate_store::envelope::{RecordRef, records};
use tollgate_store::{Block, Scan, ShardId, StoreError, StoredBlock};

/// An audit under way.
pub(crate) struct Auditor<'a> {
    secrets: Option<&'a Secrets>,
    options: Options,
    shards: HashMap<ShardId, ShardAudit>,
    directory: Directory,
    accounts: HashMap<AccountKey, Used>,
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

/// Why the way ends early.
enum End {
    Found(Difference),
    Unreadable(StoreError),
}

impl<'a> Auditor<'a> {
    pub(crate) fn new(secrets: Option<&'a Secrets>, options: Options) -> Self {
        Auditor {
            secrets,
            options,
            shards: HashMap::new(),
            directory: Directory::new(),
            accounts: HashMap::new(),
            report: Report::default(),
        }
    }

    /// Reads the journal to its end or to the first difference.
    pub(crate) fn run(mut self, scan: &dyn Scan) -> Result<Report, StoreError> {
        let mut difference = None;
        let scanned = scan.scan(&mut |stored| {
            self.block(&stored).map_err(|end| match end {
                End::Unreadable(error) => error,
                End::Found(found) => {
                    difference = Some(found);
                    // Ends the scan; whatever the scanner makes of it, the difference is what is reported.
                    StoreError::Stopped
                }
            })
        });
        if difference.is_none() {
            scanned?;
            difference = self.end();
        }
        self.report.difference = difference;
        Ok(self.report)
    }

    fn block(&mut self, stored: &StoredBlock) -> Result<(), End> {
        let StoredBlock { block, place } = stored;
        let found = |finding: Finding, record: Option<u32>, account: Option<String>| {
            let Finding { check, what } = finding;
            let (shard, seq) = (block.shard.0, block.seq);
            let place = place.clone();
            End::Found(Difference {
                check,
                what,
                place,
                shard: Some(shard),
                block: Some(seq),
                record,
                account,
            })
        };
        self.report.blocks += 1;
        self.check_block(block).map_err(|finding| found(finding, None, None))?;
        for (at, record) in (1..).zip(records(&block.bytes, block.count)) {
            let record = record.map_err(|error| End::Unreadable(error.at(format!("{place} record {at}"))))?;
            self.report.records += 1;
            let unreadable = |what: String| {
                End::Unreadable(StoreError::Body {
                    place: format!("{place} shard {} record {at}", block.shard.0),
                    what,
                })
            };
            let late = record.head.now_ms > block.now_ms;
            ensure(Check::Time, !late, || {
                format!(
                    "the record's time {} lies after its block's, {}",
                    record.head.now_ms, block.now_ms
                )
            })
            .map_err(|finding| found(finding, Some(at), None))?;
            self.report.now_ms = self.report.now_ms.max(record.head.now_ms);
            if block.shard == ShardId::DIRECTORY {
                let facts = DirectoryFacts::from_bytes(record.body).map_err(|error| unreadable(error.to_string()))?;
                self.directory_record(&record, &facts)
                    .map_err(|finding| found(finding, Some(at), None))?;
                continue;
            }
            let key = AccountKey(record.head.account);
            self.account_record(block.shard, key, &record)
                .map_err(unreadable)?
                .map_err(|finding| {
                    found(
                        finding,
                        Some(at),
                        self.directory.account(key).map(|profile| account_name(profile)),
                    )
                })?;
        }
        Ok(())
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

    /// The outer error says why the record cannot be read.
    fn account_record(&mut self, shard: ShardId, key: AccountKey, record: &RecordRef<'_>) -> Result<Checked, String> {
        let Some(profile) = self.directory.account(key) else {
            let what = format!(
                "the record is of account key {:016x}, which the directory does not know",
                key.0
            );
            return Ok(Err(Finding {
                check: Check::Directory,
                what,
            }));
        };
        let used = self.accounts.entry(key).or_insert_with(|| Used {
            home: shard,
            audit: AccountAudit::new(Arc::clone(profile), self.options),
        });
        let home = used.home;
        if let Err(finding) = ensure(Check::Directory, home == shard, || {
            format!("the account's records are in shard {} and in shard {}", home.0, shard.0)
        }) {
            return Ok(Err(finding));
        }
        used.audit.record(record, self.secrets, &mut self.report)
    }

    /// What only the whole journal shows.
    fn end(&mut self) -> Option<Difference> {
        self.report.accounts = self.directory.accounts().len() as u64;
        self.report.accounts_used = self.accounts.len() as u64;
        let mut keys: Vec<AccountKey> = self.accounts.keys().copied().collect();
        // In a fixed order, so that the same journal gives the same report.
        keys.sort_unstable();
        for key in keys {
            if let Err(Finding { check, what }) = self.accounts[&key].audit.end(&mut self.report) {
                let account = self.directory.account(key).map(|profile| account_name(profile));
                let place = "end of the journal".to_string();
                return Some(Difference {
                    check,
                    what,
                    place,
                    shard: None,
                    block: None,
                    record: None,
                    account,
                });
            }
        }
        None
    }
}

fn account_name(profile: &Profile) -> String {
    format!(
        "{} ({} mode)",
        profile.id.text(&kinds::ACCOUNT),
        if profile.livemode { "live" } else { "test" }
    )
}
