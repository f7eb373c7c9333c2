//! What a data directory says about itself: `meta` (text) and `secret` (mode 0600).

use crate::files::{io_error, write_atomically};
use siphasher::sip::SipHasher24;
use std::fmt::Write as _;
use std::hash::Hasher;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tollgate_store::StoreError;

/// The newest format of a data directory that this release reads and the one it writes.
pub const FORMAT: u32 = 1;

const META: &str = "meta";
const SECRET: &str = "secret";
/// Larger files are not ours.
const BYTES_MAX: u64 = 64 * 1024;
/// Most shards of a data directory; the number above belongs to the directory's journal.
pub const SHARDS_MAX: u16 = 4096;

/// A random name of the data, in every segment of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DataId(pub(crate) [u8; 16]);

/// What is fixed when the data is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Version of the layout of the directory.
    pub format: u32,
    /// Number of shards; never changes.
    pub shards: u16,
    /// When the data was created, milliseconds since the Unix epoch.
    pub created_ms: u64,
    pub(crate) id: DataId,
    secret_check: u64,
}

/// The secret of the data: ids, client secrets and hashes of keys are made with it. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) [u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A one-way value that tells whether `meta` and `secret` belong together.
    fn check(&self) -> u64 {
        let (key, rest) = self.0.split_at(16);
        let mut hasher = SipHasher24::new_with_key(key.try_into().expect("sixteen bytes"));
        hasher.write(rest);
        hasher.write(b"tollgate data directory");
        hasher.finish()
    }
}

/// Whether the directory holds complete data: `meta` is written last.
pub(crate) fn exists(dir: &Path) -> Result<bool, StoreError> {
    let path = dir.join(META);
    path.try_exists().map_err(|error| io_error(&path, "look for", &error))
}

/// Makes a new secret, written durably, and the meta that goes with it, not written yet.
/// The secret may be given: that of data which is carried here.
pub(crate) fn create(
    dir: &Path,
    shards: u16,
    created_ms: u64,
    given: Option<[u8; 32]>,
) -> Result<(Meta, Secret), StoreError> {
    assert!(
        (1..=SHARDS_MAX).contains(&shards),
        "1 to {SHARDS_MAX} shards, not {shards}"
    );
    let mut random = [0; 48];
    getrandom::fill(&mut random).map_err(|error| StoreError::Io {
        place: dir.display().to_string(),
        what: format!("the system gives no random bytes: {error}"),
    })?;
    let (id, secret) = random.split_at(16);
    let secret = Secret(given.unwrap_or_else(|| secret.try_into().expect("32 bytes")));
    let id = DataId(id.try_into().expect("16 bytes"));
    write_atomically(dir, SECRET, format!("{}\n", hex(&secret.0)).as_bytes(), true)?;
    Ok((
        Meta {
            format: FORMAT,
            shards,
            created_ms,
            id,
            secret_check: secret.check(),
        },
        secret,
    ))
}

/// Writes `meta` durably, which completes the directory.
pub(crate) fn complete(dir: &Path, meta: &Meta) -> Result<(), StoreError> {
    write_atomically(dir, META, text(meta).as_bytes(), true)
}

/// Reads `meta`.
pub(crate) fn read(dir: &Path) -> Result<Meta, StoreError> {
    let path = dir.join(META);
    let text = read_text(&path)?;
    let corrupt = |what: &str| StoreError::Corrupt {
        place: path.display().to_string(),
        what: what.to_owned(),
    };
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))
            .ok_or(corrupt("a line is missing"))
    };
    // The format comes first: a later release may have changed everything else.
    let format = field("format")?
        .parse()
        .map_err(|_| corrupt("the format is no number"))?;
    if format > FORMAT {
        return Err(StoreError::NewerFormat {
            place: path.display().to_string(),
            found: format,
            known: FORMAT,
        });
    }
    let bad = |_| corrupt("a number does not read");
    let meta = Meta {
        format,
        shards: field("shards")?.parse().map_err(bad)?,
        created_ms: field("created_ms")?.parse().map_err(bad)?,
        id: DataId(unhex(field("data_id")?).ok_or(corrupt("the data's id does not read"))?),
        secret_check: u64::from_str_radix(field("secret_check")?, 16).map_err(bad)?,
    };
    if format == 0 || !(1..=SHARDS_MAX).contains(&meta.shards) || self::text(&meta) != text {
        return Err(corrupt("its checksum does not fit"));
    }
    Ok(meta)
}

/// Whether others than its owner may read the secret.
pub(crate) fn secret_is_exposed(dir: &Path) -> Result<bool, StoreError> {
    let path = dir.join(SECRET);
    let mode = std::fs::metadata(&path).map(|metadata| metadata.permissions().mode());
    mode.map(|mode| mode & 0o077 != 0)
        .map_err(|error| io_error(&path, "read the mode of", &error))
}

/// Reads `secret` and makes sure that it belongs to the data.
pub(crate) fn read_secret(dir: &Path, meta: &Meta) -> Result<Secret, StoreError> {
    let path = dir.join(SECRET);
    let corrupt = |what: &str| StoreError::Corrupt {
        place: path.display().to_string(),
        what: what.to_owned(),
    };
    if !path.try_exists().map_err(|error| io_error(&path, "look for", &error))? {
        return Err(corrupt(
            "the file is missing; without the data's secret no API key and no client secret is valid",
        ));
    }
    let text = read_text(&path)?;
    let secret = unhex(text.trim_end())
        .map(Secret)
        .ok_or(corrupt("this is not 64 hexadecimal digits"))?;
    if secret.check() != meta.secret_check {
        return Err(corrupt("this is the secret of other data"));
    }
    Ok(secret)
}

fn text(meta: &Meta) -> String {
    let mut text = format!(
        "# Tollgate data. Written once, when the data was created; do not edit.\n\
         format = {}\nshards = {}\ncreated_ms = {}\ndata_id = {}\nsecret_check = {:016x}\n",
        meta.format,
        meta.shards,
        meta.created_ms,
        hex(&meta.id.0),
        meta.secret_check,
    );
    let checksum = crc32c::crc32c(text.as_bytes());
    writeln!(text, "checksum = {checksum:08x}").expect("writing to a string succeeds");
    text
}

fn read_text(path: &Path) -> Result<String, StoreError> {
    let len = std::fs::metadata(path)
        .map_err(|error| io_error(path, "read", &error))?
        .len();
    let corrupt = |what: &str| StoreError::Corrupt {
        place: path.display().to_string(),
        what: what.to_owned(),
    };
    if len > BYTES_MAX {
        return Err(corrupt("the file is too long"));
    }
    let bytes = std::fs::read(path).map_err(|error| io_error(path, "read", &error))?;
    String::from_utf8(bytes).map_err(|_| corrupt("the file is not text"))
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string succeeds");
            text
        })
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = (digit(0)? << 4 | digit(1)?) as u8;
    }
    Some(bytes)
}
