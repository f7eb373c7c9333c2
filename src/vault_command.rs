//! `tollgate vault …`: card numbers under lock. Works offline, on a data directory.

use crate::exit::Failure;
use crate::output::{print, print_value, rows, table};
use clap::Subcommand;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tollgate_domain::payments::card::{SealedNumber, each_sealed};
use tollgate_domain::{Facts, Object};
use tollgate_resource::Record;
use tollgate_store::envelope::records;
use tollgate_store::{Scan, ShardId, StoreError};
use tollgate_store_embedded::{Embedded, Options};
use tollgate_vault::keys::KeyRing;
use tollgate_vault::{Access, Accesses, Action, FOLDER, Opener, Rotation, VaultError};

#[derive(Subcommand)]
pub(crate) enum VaultCommand {
    /// List master keys, how many card numbers are sealed under each, and every access to the vault.
    Audit {
        /// Data directory.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Also list every sealed card number: when it was sealed, in which object, under which key. Never the number.
        #[arg(long)]
        sealed: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Open every sealed card number, to see that it opens. None is shown. Exits 1 if one does not open.
    Check {
        /// Data directory.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Draw a master key for data whose vault is lost for good: card numbers sealed before never open again. Without it, such
    /// data is not served. The server must be stopped.
    Begin {
        /// Data directory.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Bring every sealed card number under a new master key and destroy the older ones. The server must be stopped. It may
    /// be interrupted; run it again to go on.
    Rotate {
        /// Data directory.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// Runs the command.
pub(crate) fn run(command: &VaultCommand) -> Result<(), Failure> {
    match command {
        VaultCommand::Audit { data, sealed, json } => audit(data, *sealed, *json),
        VaultCommand::Check { data } => check(data),
        VaultCommand::Begin { data } => begin(data),
        VaultCommand::Rotate { data } => rotate(data),
    }
}

/// Why a walk over the sealed numbers ended early.
enum Ended {
    Store(StoreError),
    Vault(VaultError),
}

impl From<VaultError> for Ended {
    fn from(error: VaultError) -> Ended {
        Ended::Vault(error)
    }
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Failure {
        match ended {
            Ended::Store(error) => Failure::wrong_use(error),
            Ended::Vault(error) => failure(error),
        }
    }
}

fn audit(data: &Path, list_sealed: bool, json: bool) -> Result<(), Failure> {
    let accesses = Accesses::of(data);
    let past = accesses.list().map_err(failure)?;
    let ring = KeyRing::open(&data.join(FOLDER)).map_err(failure)?;
    record(data, Action::Audit, "keys, accesses and what is sealed under which key")?;
    let opener = Opener::open(data).map_err(failure)?;
    let mut seen = HashSet::new();
    let mut under: BTreeMap<u32, u64> = ring.keys().iter().map(|key| (key.number, 0)).collect();
    let mut listed = Vec::new();
    walk(data, &mut |now_ms, object, sealed| {
        if seen.insert(sealed.token) {
            let key = opener.master_key(sealed);
            *under.entry(key).or_default() += 1;
            if list_sealed {
                listed.push(json!({
                    "sealed_at": time(now_ms),
                    "object": object.id().text(object.kind()),
                    "master_key": key.to_string(),
                }));
            }
        }
        Ok(())
    })?;
    let keys = ring.keys().iter().map(|key| {
        json!({
            "key": key.number.to_string(),
            "drawn_at": time(key.created_ms),
            "sealed": under[&key.number].to_string(),
        })
    });
    let past = past.iter().map(|access| {
        json!({
            "at": time(access.at_ms),
            "action": access.action.word(),
            "by": access.by,
            "what": access.what,
        })
    });
    let mut value = json!({ "keys": keys.collect::<Vec<Value>>(), "accesses": past.collect::<Vec<Value>>() });
    if list_sealed {
        value["sealed"] = listed.into();
    }
    print_value(json, &value, |value| {
        let mut text = table(rows(value, "keys"), &["key", "drawn_at", "sealed"]);
        text.push('\n');
        text.push_str(&table(rows(value, "accesses"), &["at", "action", "by", "what"]));
        if list_sealed {
            text.push('\n');
            text.push_str(&table(rows(value, "sealed"), &["sealed_at", "object", "master_key"]));
        }
        text
    })
}

fn check(data: &Path) -> Result<(), Failure> {
    record(data, Action::Check, "every sealed card number, none shown")?;
    let opener = Opener::open(data).map_err(failure)?;
    let mut opened = 0u64;
    walk(data, &mut |_, object, sealed| match opener.number(sealed) {
        Ok(_) => {
            opened += 1;
            Ok(())
        }
        Err(error @ (VaultError::NoKey(_) | VaultError::DoesNotOpen(_))) => {
            let object = object.id().text(object.kind());
            Err(Ended::Vault(VaultError::In(object, Box::new(error))))
        }
        Err(error) => Err(error.into()),
    })?;
    print(&format!("{opened} sealed card numbers (copies included) open\n"))
}

fn begin(data: &Path) -> Result<(), Failure> {
    // Holds the lock of the directory until the end: a server that runs still has the keys in memory.
    let held = Embedded::open(data, Options::default()).map_err(Failure::environment)?;
    let lost = newest_sealing_key(data)?.unwrap_or(0);
    let ring = KeyRing::begin_anew(&data.join(FOLDER), lost, now_ms()).map_err(failure)?;
    drop(held);
    let what = format!(
        "master key {} is drawn; card numbers sealed before do not open",
        ring.newest().number
    );
    record(data, Action::Begun, &what)?;
    print(&format!("{what}\n"))
}

/// Refuses data without a file of master keys if card numbers were sealed in it: drawing a key would hide that they are
/// lost. Data that cannot be read is left to whoever opens it.
pub(crate) fn refuse_lost_keys(data: &Path) -> Result<(), Failure> {
    if !data.join("meta").exists() {
        return Ok(());
    }
    match newest_sealing_key(data) {
        Ok(None) | Err(_) => Ok(()),
        Ok(Some(_)) => {
            let keys = data.join(FOLDER).join("keys");
            Err(Failure::environment(format!(
                "{} is missing, and card numbers were sealed in this data: restore it from a backup; if it is lost for \
                 good, `tollgate vault begin` draws a new key, and what was sealed never opens again",
                keys.display()
            )))
        }
    }
}

/// Number of the newest master key that a card number of the journal was sealed under; `None` if none was.
fn newest_sealing_key(data: &Path) -> Result<Option<u32>, Failure> {
    let mut newest = None;
    walk(data, &mut |_, _, sealed| {
        newest = newest.max(Some(sealed.master_key));
        Ok(())
    })?;
    Ok(newest)
}

fn rotate(data: &Path) -> Result<(), Failure> {
    // Holds the lock of the directory until the end: a server would go on sealing under the older key.
    let held = Embedded::open(data, Options::default()).map_err(Failure::environment)?;
    record(data, Action::Rotate, "every sealed card number under a new master key")?;
    let rotation = Rotation::begin(data, now_ms()).map_err(failure)?;
    let turned = rotation.run(|each| walk(data, &mut |_, _, sealed| Ok(each(sealed)?)))?;
    drop(held);
    let what = format!(
        "{} data keys under master key {}, {} older keys destroyed",
        turned.wrapped, turned.master_key, turned.destroyed
    );
    record(data, Action::Rotated, &what)?;
    print(&format!("{what}\n"))
}

/// Calls `visit` with every sealed number of the journal: when its record was written, the object it is kept in, itself.
fn walk(data: &Path, visit: &mut dyn FnMut(u64, &Object, &SealedNumber) -> Result<(), Ended>) -> Result<(), Ended> {
    let scanner = Embedded::scanner(data).map_err(Ended::Store)?;
    let mut ended = None;
    let scanned = scanner.scan(&mut |stored| {
        if stored.block.shard == ShardId::DIRECTORY {
            return Ok(());
        }
        for record in records(&stored.block.bytes, stored.block.count) {
            let unreadable = |what: String| StoreError::Body {
                place: stored.place.clone(),
                what,
            };
            let record = record.map_err(|error| unreadable(error.to_string()))?;
            if record.head.row {
                continue;
            }
            let facts = Facts::from_bytes(record.body).map_err(|error| unreadable(error.to_string()))?;
            for object in &facts.objects {
                each_sealed(object, &mut |sealed| {
                    if ended.is_none() {
                        ended = visit(facts.now_ms, object, sealed).err();
                    }
                });
            }
            if ended.is_some() {
                return Err(StoreError::Stopped);
            }
        }
        Ok(())
    });
    match ended {
        Some(why) => Err(why),
        None => scanned.map_err(Ended::Store),
    }
}

/// Writes the access down, before it happens.
fn record(data: &Path, action: Action, what: &str) -> Result<(), Failure> {
    if !data.join(FOLDER).is_dir() {
        return Err(Failure::wrong_use(format!(
            "{} has no vault; a server makes one when it opens the data",
            data.display()
        )));
    }
    let access = Access {
        at_ms: now_ms(),
        action,
        by: user(),
        what: what.to_owned(),
    };
    Accesses::of(data).record(&access).map_err(failure)
}

/// Who runs this process: the number of the user, which cannot be pretended, and the name the shell gives.
fn user() -> String {
    let number = rustix::process::getuid().as_raw();
    match std::env::var("USER") {
        Ok(name) => format!("{number} ({name})"),
        Err(_) => number.to_string(),
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// A time as people and programs read it.
fn time(ms: u64) -> String {
    let date = tollgate_domain::time::date_of(tollgate_domain::time::day_of(ms));
    let seconds = ms / 1000 % 86_400;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!(
        "{:04}-{:02}-{:02}T{hours:02}:{minutes:02}:{seconds:02}Z",
        date.year, date.month, date.day
    )
}

fn failure(error: VaultError) -> Failure {
    match error {
        VaultError::In(..) | VaultError::NoKey(_) | VaultError::DoesNotOpen(_) => Failure::not_so(error),
        other => Failure::environment(other),
    }
}
