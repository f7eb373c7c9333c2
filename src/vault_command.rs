//! `tollgate vault …`: card numbers under lock. Works on a data directory that no server uses, or on a cluster from any node.

use crate::exit::Failure;
use crate::output::{print, print_value, rows, table};
use crate::place::{Place, PlaceFlags};
use clap::Subcommand;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use tollgate_actors::clock::unix_ms;
use tollgate_domain::sealing::{Sealed, each_sealed};
use tollgate_domain::time::{clock_of, date_of, day_of};
use tollgate_domain::{Facts, Object};
use tollgate_resource::Record;
use tollgate_store::envelope::records;
use tollgate_store::{AccountRef, ShardId, StoreError};
use tollgate_store_embedded::{Embedded, Lock};
use tollgate_store_scylla::VaultTables;
use tollgate_vault::keys::KeyRing;
use tollgate_vault::{Access, Action, Keep, Opener, Rotation, Vault, VaultError};

#[derive(Subcommand)]
pub(crate) enum VaultCommand {
    /// List master keys, how many card numbers are sealed under each, and every access to the vault.
    Audit {
        #[command(flatten)]
        place: PlaceFlags,
        /// Also list every sealed card number: when it was sealed, in which object, under which key. Never the number.
        #[arg(long)]
        sealed: bool,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Open every sealed card number, to see that it opens. None is shown.
    ///
    /// Exits 1 if one does not open.
    Check {
        #[command(flatten)]
        place: PlaceFlags,
    },
    /// Draw a master key for data whose vault is lost for good: card numbers sealed before never open again.
    ///
    /// Without it, such data is not served. The server of a data directory must be stopped.
    Begin {
        #[command(flatten)]
        place: PlaceFlags,
    },
    /// Bring every sealed card number under a new master key and destroy the older ones.
    ///
    /// The server of a data directory must be stopped; in a cluster every shard is taken from its node, which takes it back
    /// under the new key. It may be interrupted; run it again, from any node, to go on.
    Rotate {
        #[command(flatten)]
        place: PlaceFlags,
    },
}

/// Runs the command.
pub(crate) fn run(command: &VaultCommand) -> Result<(), Failure> {
    match command {
        VaultCommand::Audit { place, sealed, json } => audit(&place.place()?, *sealed, *json),
        VaultCommand::Check { place } => check(&place.place()?),
        VaultCommand::Begin { place } => begin(&place.place()?),
        VaultCommand::Rotate { place } => rotate(&place.place()?),
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

fn audit(data: &Place, list_sealed: bool, json: bool) -> Result<(), Failure> {
    let (vault, _) = vault_of(data)?;
    let past = vault.accesses().map_err(failure)?;
    let ring = KeyRing::open(&vault).map_err(failure)?;
    record(
        &vault,
        Action::Audit,
        "keys, accesses and what is sealed under which key",
    )?;
    let opener = Opener::open(&vault).map_err(failure)?;
    let mut seen = HashSet::new();
    let mut under: BTreeMap<u32, u64> = ring.keys().iter().map(|key| (key.number, 0)).collect();
    let mut listed = Vec::new();
    walk(data, &mut |now_ms, object, sealed| {
        let sealed = sealed.wrapping();
        if seen.insert(sealed.token) {
            let key = opener.master_key(&sealed);
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

fn check(data: &Place) -> Result<(), Failure> {
    let (vault, _) = vault_of(data)?;
    record(&vault, Action::Check, "every sealed card number and secret, none shown")?;
    let opener = Opener::open(&vault).map_err(failure)?;
    let mut opened = 0u64;
    walk(data, &mut |_, object, sealed| match opener.check(sealed) {
        Ok(()) => {
            opened += 1;
            Ok(())
        }
        Err(error @ (VaultError::NoKey(_) | VaultError::DoesNotOpen(_))) => {
            let object = object.id().text(object.kind());
            Err(Ended::Vault(VaultError::In(object, Box::new(error))))
        }
        Err(error) => Err(error.into()),
    })?;
    print(&format!(
        "{opened} sealed card numbers and secrets (copies included) open\n"
    ))
}

fn begin(data: &Place) -> Result<(), Failure> {
    // A server that runs still has the keys in memory.
    let held = hold(data)?;
    let (vault, tables) = data.vault()?;
    let lost = newest_sealing_key(data)?.unwrap_or(0);
    let ring = KeyRing::begin_anew(&vault, lost, unix_ms()).map_err(failure)?;
    fence(tables.as_ref())?;
    drop(held);
    let what = format!(
        "master key {} is drawn; card numbers sealed before do not open",
        ring.newest().number
    );
    vault.record(&access(Action::Begun, &what)).map_err(failure)?;
    print(&format!("{what}\n"))
}

/// Makes sure that nobody seals under keys read before now: the data directory is locked until what this returns is
/// dropped; in a cluster, where it is done once the keys are changed, every node has to read them again.
fn hold(place: &Place) -> Result<Option<Lock>, Failure> {
    match place {
        Place::Directory(data) => Embedded::hold(data).map(Some).map_err(Failure::environment),
        Place::Cluster(_) => Ok(None),
    }
}

/// In a cluster, takes every shard from its node, so that whoever has it next reads the keys first.
fn fence(tables: Option<&VaultTables>) -> Result<(), Failure> {
    tables
        .map_or(Ok(()), VaultTables::fence_every_shard)
        .map_err(Failure::environment)
}

/// Refuses data whose vault is unsound, or lost: without master keys although card numbers were sealed, where drawing a key
/// would hide the loss. Data that cannot be read is left to whoever opens it.
pub(crate) fn refuse_lost_keys(data: &Place) -> Result<(), Failure> {
    let (vault, _) = data.vault()?;
    Vault::check(&vault).map_err(Failure::environment)?;
    let is_data = match data {
        Place::Directory(data) => data.join("meta").exists(),
        Place::Cluster(_) => true,
    };
    if !is_data || !Vault::has_no_keys(&vault).unwrap_or(false) {
        return Ok(());
    }
    match newest_sealing_key(data) {
        Ok(None) | Err(_) => Ok(()),
        Ok(Some(_)) => Err(Failure::environment(format!(
            "{} is missing, and card numbers were sealed in this data: restore it from a backup; if it is lost for good, \
             `tollgate vault begin` draws a new key, and what was sealed never opens again",
            vault.place()
        ))),
    }
}

/// Number of the newest master key that a card number of the journal was sealed under; `None` if none was.
fn newest_sealing_key(data: &Place) -> Result<Option<u32>, Failure> {
    let mut newest = None;
    walk(data, &mut |_, _, sealed| {
        newest = newest.max(Some(sealed.wrapping().master_key));
        Ok(())
    })?;
    Ok(newest)
}

fn rotate(data: &Place) -> Result<(), Failure> {
    // A server would go on sealing under the older key.
    let held = hold(data)?;
    let (vault, tables) = vault_of(data)?;
    record(
        &vault,
        Action::Rotate,
        "every sealed card number and secret under a new master key",
    )?;
    let rotation = Rotation::begin(&vault, unix_ms()).map_err(failure)?;
    fence(tables.as_ref())?;
    let turned = rotation.run(|each| walk(data, &mut |_, _, sealed| Ok(each(&sealed.wrapping())?)))?;
    drop(held);
    let what = format!(
        "{} data keys under master key {}, {} older keys destroyed",
        turned.wrapped, turned.master_key, turned.destroyed
    );
    vault.record(&access(Action::Rotated, &what)).map_err(failure)?;
    print(&format!("{what}\n"))
}

/// Calls `visit` with everything sealed of the journal: when its record was written, the object it is kept in, itself.
fn walk(data: &Place, visit: &mut dyn FnMut(u64, &Object, Sealed<'_>) -> Result<(), Ended>) -> Result<(), Ended> {
    let scanner = data.scanner().map_err(Ended::Store)?;
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
            if record.head.row || AccountRef(record.head.account).notes().is_some() {
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

/// The vault of data that has one.
fn vault_of(data: &Place) -> Result<(Arc<dyn Keep>, Option<VaultTables>), Failure> {
    let (vault, tables) = data.vault()?;
    let there = Vault::has_no_keys(&vault).map(|none| !none).unwrap_or(true) || vault.was_used().map_err(failure)?;
    if !there {
        return Err(Failure::wrong_use(format!(
            "{} has no vault; a server makes one when it opens the data",
            data.name()
        )));
    }
    Ok((vault, tables))
}

/// Writes the access down, before it happens.
fn record(vault: &Arc<dyn Keep>, action: Action, what: &str) -> Result<(), Failure> {
    vault.record(&access(action, what)).map_err(failure)
}

fn access(action: Action, what: &str) -> Access {
    Access {
        at_ms: unix_ms(),
        action,
        by: user(),
        what: what.to_owned(),
    }
}

/// Who runs this process and where: the number of the user, which cannot be pretended, the name the shell gives, the machine.
fn user() -> String {
    let number = rustix::process::getuid().as_raw();
    let name = std::env::var("USER")
        .map(|name| format!(" ({name})"))
        .unwrap_or_default();
    let machine = rustix::system::uname();
    format!("{number}{name} on {}", machine.nodename().to_string_lossy())
}

/// A time as people and programs read it.
fn time(ms: u64) -> String {
    format!("{}T{}Z", date_of(day_of(ms)), clock_of(ms))
}

fn failure(error: VaultError) -> Failure {
    match error {
        VaultError::In(..) | VaultError::NoKey(_) | VaultError::DoesNotOpen(_) => Failure::not_so(error),
        VaultError::NotLost(_) => Failure::wrong_use(error),
        other => Failure::environment(other),
    }
}
