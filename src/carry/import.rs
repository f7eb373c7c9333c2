//! Reading the file into a new store.

use crate::archive::{Kind, read};
use crate::notes::Cursors;
use crate::{CarryError, Sums};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use tollgate_store::envelope::{BlockBuilder, records};
use tollgate_store::{AccountRef, Commit, Journal, Scan, ShardId, StoreError};
use tollgate_vault::{Access, Keep, Rewrap};

/// Most data keys of the vault that are written at once.
const REWRAPS_AT_ONCE: usize = 1_024;
/// Longest uploaded file.
const FILE_BYTES_MAX: usize = 64 << 20;

/// Takes the bytes of an uploaded file, which has this SHA-256, and makes them durable.
pub type KeepFile<'a> = dyn FnMut(&[u8; 32], &[u8]) -> Result<(), CarryError> + 'a;
/// Which of so many shards an account belongs to.
pub type ShardOf<'a> = dyn Fn(AccountRef, u16) -> ShardId + 'a;

/// Where everything goes: a store that holds nothing yet and has the secret of the export.
pub struct Into<'a> {
    /// Its journal.
    pub journal: &'a dyn Journal,
    /// How many shards it has.
    pub shards: u16,
    /// How accounts are divided among them.
    pub shard_of: &'a ShardOf<'a>,
    /// Its uploaded files.
    pub files: &'a mut KeepFile<'a>,
    /// Its vault.
    pub vault: &'a Arc<dyn Keep>,
}

/// An export that was read once and is whole.
pub struct Opened {
    path: PathBuf,
    /// The secret of the data.
    pub secret: [u8; 32],
    /// The sums it was written with.
    lines: Vec<String>,
}

/// Reads an export, to see that it is whole.
///
/// # Errors
/// When it is not.
pub fn open(path: &Path) -> Result<Opened, CarryError> {
    let (mut secret, mut lines) = (None, Vec::new());
    read(path, &mut |kind, bytes| {
        match kind {
            Kind::Secret => secret = <[u8; 32]>::try_from(bytes).ok(),
            Kind::Sum => lines.push(String::from_utf8_lossy(bytes).into_owned()),
            _ => {}
        }
        Ok(())
    })?;
    let secret = secret.ok_or_else(|| damaged(path, "it has no secret"))?;
    Ok(Opened {
        path: path.to_owned(),
        secret,
        lines,
    })
}

fn damaged(path: &Path, what: &str) -> CarryError {
    CarryError::Damaged {
        place: path.display().to_string(),
        what: what.to_owned(),
    }
}

impl Opened {
    /// Writes everything to the target. Interrupted, the target holds a part, and is to be thrown away.
    ///
    /// # Errors
    /// When the target holds something, or does not take something.
    pub fn import(&self, into: &mut Into<'_>) -> Result<(), CarryError> {
        let mut shards = Shards::claim(into)?;
        let mut file: Vec<u8> = Vec::new();
        let mut rewraps = Vec::new();
        let mut notes = Cursors::default();
        let what = |what: &str| damaged(&self.path, what);
        read(&self.path, &mut |kind, bytes| {
            if rewraps.len() == REWRAPS_AT_ONCE || (kind != Kind::Rewrap && !rewraps.is_empty()) {
                into.vault.add_rewraps(&std::mem::take(&mut rewraps))?;
            }
            match kind {
                Kind::Secret | Kind::Sum | Kind::End => Ok(()),
                Kind::Block => {
                    let (shard, rest) = bytes.split_first_chunk::<2>().ok_or_else(|| what("a block"))?;
                    let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(|| what("a block"))?;
                    let shard = ShardId(u16::from_le_bytes(*shard));
                    for record in records(rest, u32::from_le_bytes(*count)) {
                        let record = record.map_err(|error| what(&error.to_string()))?;
                        if AccountRef(record.head.account).notes().is_some() && shard != ShardId::DIRECTORY {
                            let taken = notes.take(shard, &record.head, record.body);
                            taken.map_err(|error| what(&error.to_string()))?;
                            continue;
                        }
                        let to = match shard {
                            ShardId::DIRECTORY => ShardId::DIRECTORY,
                            _ => (into.shard_of)(AccountRef(record.head.account), into.shards),
                        };
                        shards.push(into.journal, to, &record.head, record.body)?;
                    }
                    Ok(())
                }
                Kind::Piece => {
                    let (digest, rest) = bytes.split_first_chunk::<32>().ok_or_else(|| what("a file"))?;
                    let (last, rest) = rest.split_first().ok_or_else(|| what("a file"))?;
                    file.extend_from_slice(rest);
                    if file.len() > FILE_BYTES_MAX {
                        return Err(what("an uploaded file is too long"));
                    }
                    if *last == 0 {
                        return Ok(());
                    }
                    let bytes = std::mem::take(&mut file);
                    if Sha256::digest(&bytes)[..] != digest[..] {
                        return Err(CarryError::Refused(
                            "the bytes of an uploaded file are not what its record says; `tollgate verify` names it"
                                .into(),
                        ));
                    }
                    (into.files)(digest, &bytes)
                }
                Kind::Rewrap => {
                    let rewrap = || {
                        let (token, rest) = bytes.split_first_chunk::<16>()?;
                        let (master_key, rest) = rest.split_first_chunk::<4>()?;
                        let rewrap = Rewrap {
                            master_key: u32::from_le_bytes(*master_key),
                            data_key: rest.try_into().ok()?,
                        };
                        Some((*token, rewrap))
                    };
                    rewraps.push(rewrap().ok_or_else(|| what("a data key"))?);
                    Ok(())
                }
                Kind::Access => {
                    let access = Access::of_line(bytes).ok_or_else(|| what("an access to the vault"))?;
                    Ok(into.vault.record(&access)?)
                }
                Kind::Keys => match into.vault.replace_keys(None, bytes)? {
                    true => Ok(()),
                    false => Err(CarryError::Refused(format!(
                        "{} holds master keys already",
                        into.vault.place()
                    ))),
                },
            }
        })?;
        for (shard, head, body) in notes.divided(|account| (into.shard_of)(account, into.shards)) {
            shards.push(into.journal, shard, &head, &body)?;
        }
        shards.finish(into.journal)
    }

    /// Compares what a journal holds now with what was exported.
    ///
    /// # Errors
    /// [`CarryError::Differs`] with the first line that is not the same.
    pub fn compare(&self, journal: &dyn Scan) -> Result<Sums, CarryError> {
        let sums = Sums::of(journal)?;
        let mut sent = self.lines.iter();
        for line in sums.lines() {
            match sent.next() {
                Some(sent) if *sent == line => {}
                Some(sent) => return Err(CarryError::Differs(format!("sent `{sent}`, arrived `{line}`"))),
                None => return Err(CarryError::Differs(format!("nothing was sent, arrived `{line}`"))),
            }
        }
        match sent.next() {
            None => Ok(sums),
            Some(sent) => Err(CarryError::Differs(format!("sent `{sent}`, nothing arrived"))),
        }
    }
}

/// The shards of the target, each with a block that fills and one on its way.
struct Shards(Vec<Shard>);

struct Shard {
    id: ShardId,
    filling: BlockBuilder,
    last_block: u64,
    on_its_way: Option<mpsc::Receiver<Commit>>,
}

impl Shards {
    /// Takes every shard.
    fn claim(into: &Into<'_>) -> Result<Shards, CarryError> {
        let numbers = (0..into.shards).map(ShardId).chain([ShardId::DIRECTORY]);
        let claimed = numbers.map(|id| {
            let claimed = into.journal.claim(id)?;
            if claimed.last_block > 0 {
                return Err(CarryError::Refused(
                    "the target holds accounts already; import needs a store that is new".into(),
                ));
            }
            Ok(Shard {
                id,
                filling: BlockBuilder::new(id, claimed.epoch, claimed.last_now_ms),
                last_block: 0,
                on_its_way: None,
            })
        });
        claimed.collect::<Result<_, _>>().map(Shards)
    }

    fn push(
        &mut self,
        journal: &dyn Journal,
        shard: ShardId,
        head: &tollgate_store::Head,
        body: &[u8],
    ) -> Result<(), CarryError> {
        let directory = self.0.len() - 1;
        let at = usize::from(shard.0).min(directory);
        if self.0[at].filling.push(head, body).is_err() {
            self.send(at, journal)?;
            let pushed = self.0[at].filling.push(head, body);
            pushed.expect("an empty block takes any record");
        }
        Ok(())
    }

    /// Sends the block that fills. What the directory knows by now is durable before: who reads the journal in the order in
    /// which it was written meets no account that nothing made.
    fn send(&mut self, at: usize, journal: &dyn Journal) -> Result<(), CarryError> {
        let directory = self.0.len() - 1;
        if at != directory {
            if !self.0[directory].filling.is_empty() {
                self.0[directory].send(journal)?;
            }
            self.0[directory].arrived()?;
        }
        self.0[at].send(journal)
    }

    fn finish(mut self, journal: &dyn Journal) -> Result<(), CarryError> {
        for at in 0..self.0.len() {
            if !self.0[at].filling.is_empty() {
                self.send(at, journal)?;
            }
        }
        self.0.iter_mut().try_for_each(Shard::arrived)
    }
}

impl Shard {
    /// Sends the block that fills, once the one before has arrived.
    fn send(&mut self, journal: &dyn Journal) -> Result<(), CarryError> {
        self.arrived()?;
        self.last_block += 1;
        let block = self.filling.seal(self.last_block);
        let (done, arrived) = mpsc::sync_channel(1);
        self.on_its_way = Some(arrived);
        let done = move |commit| {
            // Nobody listens any more where the import has failed.
            let _ = done.send(commit);
        };
        journal.submit(block, Box::new(done));
        Ok(())
    }

    fn arrived(&mut self) -> Result<(), CarryError> {
        let Some(arrived) = self.on_its_way.take() else {
            return Ok(());
        };
        match arrived.recv().map_err(|_| StoreError::Stopped)? {
            Commit::Durable => Ok(()),
            Commit::Fenced => Err(CarryError::Refused(format!(
                "another process took shard {} of the target; stop every server that has it, and import into a new store",
                self.id.0
            ))),
            Commit::Failed => Err(CarryError::Refused(
                "the target cannot be written any more; its log says why".into(),
            )),
        }
    }
}
