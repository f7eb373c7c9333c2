//! Master keys: a text of one key a line, each with a check of its own. Changed only on the condition that nobody else has
//! changed it since it was read.

use crate::VaultError;
use crate::keep::Keep;
use std::fmt;
use std::fmt::Write;
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// First line of the file.
const HEADING: &str = "tollgate vault keys 1";
/// Most master keys at once: a rotation that did not end leaves two.
pub const MASTER_KEYS_MAX: usize = 16;

/// One master key.
pub struct MasterKey {
    /// Its number; grows by one with each rotation, never reused.
    pub number: u32,
    /// When it was drawn, milliseconds since the Unix epoch.
    pub created_ms: u64,
    pub(crate) bytes: Zeroizing<[u8; 32]>,
}

/// The master keys of a vault, oldest first; at least one.
pub struct KeyRing {
    keep: Arc<dyn Keep>,
    /// As it was read or written last.
    text: Option<Zeroizing<Vec<u8>>>,
    keys: Vec<MasterKey>,
}

impl KeyRing {
    /// Reads the keys.
    ///
    /// # Errors
    /// There are none, or they cannot be read, or others than their owner may read them.
    pub fn open(keep: &Arc<dyn Keep>) -> Result<KeyRing, VaultError> {
        KeyRing::find(keep)?.ok_or_else(|| VaultError::Io {
            path: keep.place().into(),
            source: std::io::ErrorKind::NotFound.into(),
        })
    }

    /// Reads the keys; `None` if there are none.
    ///
    /// # Errors
    /// They cannot be read, or others than their owner may read them.
    pub fn find(keep: &Arc<dyn Keep>) -> Result<Option<KeyRing>, VaultError> {
        let Some(text) = keep.keys()? else { return Ok(None) };
        let keys = parse(&text).map_err(|what| VaultError::Damaged {
            path: keep.place().into(),
            what,
        })?;
        Ok(Some(KeyRing {
            keep: Arc::clone(keep),
            text: Some(text),
            keys,
        }))
    }

    /// Reads the keys, or draws the first. Of several that do so at once, one draws.
    ///
    /// # Errors
    /// As [`KeyRing::open`]; or the key cannot be written.
    pub fn open_or_create(keep: &Arc<dyn Keep>, now_ms: u64) -> Result<KeyRing, VaultError> {
        if let Some(ring) = KeyRing::find(keep)? {
            return Ok(ring);
        }
        // What only a vault with keys has had: drawing a key now would hide that the others are lost.
        if keep.was_used()? {
            return Err(VaultError::Damaged {
                path: keep.place().into(),
                what: "it is missing, and this vault has been used".to_owned(),
            });
        }
        let mut ring = KeyRing::empty(keep);
        match ring.draw(now_ms) {
            Ok(_) => Ok(ring),
            Err(VaultError::Raced(_)) => KeyRing::open(keep),
            Err(error) => Err(error),
        }
    }

    /// Draws a key for a vault whose keys are lost for good, numbered after `lost`, the newest of them. What was sealed under
    /// those never opens again.
    ///
    /// # Errors
    /// There are keys; or the key cannot be written.
    pub fn begin_anew(keep: &Arc<dyn Keep>, lost: u32, now_ms: u64) -> Result<KeyRing, VaultError> {
        if keep.keys()?.is_some() {
            return Err(VaultError::NotLost(keep.place()));
        }
        let mut ring = KeyRing::empty(keep);
        ring.draw_after(lost, now_ms)?;
        Ok(ring)
    }

    fn empty(keep: &Arc<dyn Keep>) -> KeyRing {
        KeyRing {
            keep: Arc::clone(keep),
            text: None,
            keys: Vec::new(),
        }
    }

    /// The key that seals.
    pub fn newest(&self) -> &MasterKey {
        self.keys.last().expect("a vault has a key")
    }

    /// The key with that number.
    pub fn get(&self, number: u32) -> Option<&MasterKey> {
        self.keys.iter().find(|key| key.number == number)
    }

    /// All keys, oldest first.
    pub fn keys(&self) -> &[MasterKey] {
        &self.keys
    }

    /// Draws a new key, which seals from now on. It is durable when this returns.
    ///
    /// # Errors
    /// It cannot be written, or others changed the keys meanwhile.
    pub fn draw(&mut self, now_ms: u64) -> Result<u32, VaultError> {
        self.draw_after(self.keys.last().map_or(0, |newest| newest.number), now_ms)
    }

    fn draw_after(&mut self, newest: u32, now_ms: u64) -> Result<u32, VaultError> {
        assert!(
            self.keys.len() < MASTER_KEYS_MAX,
            "rotations end before so many have begun"
        );
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut_slice()).expect("the operating system gives entropy");
        let number = newest + 1;
        self.keys.push(MasterKey {
            number,
            created_ms: now_ms,
            bytes,
        });
        self.write()?;
        Ok(number)
    }

    /// Destroys all keys but the newest.
    ///
    /// # Errors
    /// It cannot be written, or others changed the keys meanwhile.
    pub fn keep_newest(&mut self) -> Result<(), VaultError> {
        let older = self.keys.len() - 1;
        self.keys.drain(..older);
        self.write()
    }

    fn write(&mut self) -> Result<(), VaultError> {
        let mut text = Zeroizing::new(format!("{HEADING}\n"));
        for key in &self.keys {
            write!(text, "key {} {} ", key.number, key.created_ms).expect("writing to a string cannot fail");
            for byte in key.bytes.iter() {
                write!(text, "{byte:02x}").expect("writing to a string cannot fail");
            }
            writeln!(text, " {:08x}", key.check()).expect("writing to a string cannot fail");
        }
        let before = self.text.as_ref().map(|text| &text[..]);
        if !self.keep.replace_keys(before, text.as_bytes())? {
            return Err(VaultError::Raced(self.keep.place()));
        }
        self.text = Some(Zeroizing::new(text.as_bytes().to_vec()));
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> Result<Vec<MasterKey>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "not text".to_owned())?;
    let mut lines = text.lines();
    if lines.next() != Some(HEADING) {
        return Err(format!("the first line is not `{HEADING}`"));
    }
    let mut keys: Vec<MasterKey> = Vec::new();
    for (at, line) in lines.enumerate() {
        // The line itself is never repeated: it holds a key.
        let key = parse_key(line).ok_or_else(|| format!("line {} is no key", at + 2))?;
        if keys.last().is_some_and(|before| before.number >= key.number) || keys.len() == MASTER_KEYS_MAX {
            return Err(format!(
                "line {}: numbers of keys ascend, and there are few of them",
                at + 2
            ));
        }
        keys.push(key);
    }
    if keys.is_empty() {
        return Err("it holds no key".to_owned());
    }
    Ok(keys)
}

fn parse_key(line: &str) -> Option<MasterKey> {
    let mut words = line.strip_prefix("key ")?.split(' ');
    let (number, created_ms, hex, check) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    let mut bytes = Zeroizing::new([0; 32]);
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
    }
    let key = MasterKey {
        number: number.parse().ok()?,
        created_ms: created_ms.parse().ok()?,
        bytes,
    };
    (u32::from_str_radix(check, 16).ok()? == key.check()).then_some(key)
}

impl MasterKey {
    /// CRC-32C of the key and its number: a bit of the file that flipped is noticed when it is read, and not when a number
    /// that was sealed under another key does not open.
    fn check(&self) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.number.to_le_bytes()), self.bytes.as_slice())
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.keys).finish()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, ..)", self.number)
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
