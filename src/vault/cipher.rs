//! The cipher: what is encrypted under what, and bound to what.

use crate::keys::MasterKey;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use hmac::{Hmac, KeyInit as _, Mac};
use sha2::Sha256;
use tollgate_domain::AccountKey;
use tollgate_domain::payments::card::{CardNumber, SEALED_PLAIN_LEN, SEALED_TAG_LEN, SealedNumber};
use zeroize::{Zeroize, Zeroizing};

/// A data key while it is in use.
pub(crate) type DataKey = Zeroizing<[u8; 32]>;

/// What a keyed hash of the master key is for; each has a key of its own.
#[derive(Clone, Copy)]
enum Derived {
    /// What names a sealed number and makes its data key.
    Record = 1,
    /// The key that wraps data keys.
    Wrap = 2,
    /// The token of a record.
    Token = 3,
    /// The data key of a record.
    DataKey = 4,
}

/// Seals digits. Token and data key follow from the master key and everything that is given, digits included: a call that
/// is repeated gives the same bytes, and no key or nonce is used for two numbers.
pub(crate) fn seal(master: &MasterKey, digits: &str, account: AccountKey, unique: [u64; 4]) -> SealedNumber {
    assert!(digits.len() < SEALED_PLAIN_LEN, "a card number has at most 19 digits");
    let unique = unique.map(u64::to_le_bytes).concat();
    let record = derive(
        &master.bytes,
        Derived::Record,
        &[&account.0.to_le_bytes(), &unique, digits.as_bytes()],
    );
    let token: [u8; 16] = derive(&master.bytes, Derived::Token, &[record.as_slice()])[..16]
        .try_into()
        .expect("half of 32 bytes");
    let data_key = derive(&master.bytes, Derived::DataKey, &[record.as_slice()]);
    let mut number = [0; SEALED_PLAIN_LEN + SEALED_TAG_LEN];
    number[0] = digits.len() as u8;
    number[1..=digits.len()].copy_from_slice(digits.as_bytes());
    let mut sealed = SealedNumber {
        token,
        account,
        master_key: master.number,
        data_key: [0; 32 + SEALED_TAG_LEN],
        number,
    };
    let bound = bound_to(&sealed);
    encrypt(&data_key, &ZERO_NONCE, &bound, &mut sealed.number);
    sealed.data_key = wrap(master, &sealed, &data_key);
    sealed
}

/// Encrypts a data key under a master key.
pub(crate) fn wrap(master: &MasterKey, sealed: &SealedNumber, data_key: &DataKey) -> [u8; 32 + SEALED_TAG_LEN] {
    let mut wrapped = [0; 32 + SEALED_TAG_LEN];
    wrapped[..32].copy_from_slice(data_key.as_slice());
    encrypt(
        &derive(&master.bytes, Derived::Wrap, &[]),
        &nonce_of(sealed),
        &wrap_bound_to(master, sealed),
        &mut wrapped,
    );
    wrapped
}

/// The data key; `None` if it was changed or wrapped under another key.
pub(crate) fn unwrap(
    master: &MasterKey,
    sealed: &SealedNumber,
    wrapped: &[u8; 32 + SEALED_TAG_LEN],
) -> Option<DataKey> {
    let mut bytes = Zeroizing::new(*wrapped);
    let key = derive(&master.bytes, Derived::Wrap, &[]);
    decrypt(
        &key,
        &nonce_of(sealed),
        &wrap_bound_to(master, sealed),
        bytes.as_mut_slice(),
    )?;
    let mut data_key = Zeroizing::new([0; 32]);
    data_key.copy_from_slice(&bytes[..32]);
    Some(data_key)
}

/// The number; `None` if it was changed.
pub(crate) fn open(data_key: &DataKey, sealed: &SealedNumber) -> Option<CardNumber> {
    let mut bytes = Zeroizing::new(sealed.number);
    decrypt(data_key, &ZERO_NONCE, &bound_to(sealed), bytes.as_mut_slice())?;
    let digits = bytes.get(1..=usize::from(bytes[0]))?;
    Some(CardNumber::read(std::str::from_utf8(digits).ok()?))
}

/// A data key encrypts one number once, so its nonce needs not differ.
const ZERO_NONCE: [u8; 12] = [0; 12];

/// The nonce of a wrapped data key: part of its token, which is as good as random.
fn nonce_of(sealed: &SealedNumber) -> [u8; 12] {
    sealed.token[..12].try_into().expect("twelve of sixteen bytes")
}

fn bound_to(sealed: &SealedNumber) -> [u8; 24] {
    let mut bound = [0; 24];
    bound[..16].copy_from_slice(&sealed.token);
    bound[16..].copy_from_slice(&sealed.account.0.to_le_bytes());
    bound
}

fn wrap_bound_to(master: &MasterKey, sealed: &SealedNumber) -> [u8; 28] {
    let mut bound = [0; 28];
    bound[..24].copy_from_slice(&bound_to(sealed));
    bound[24..].copy_from_slice(&master.number.to_le_bytes());
    bound
}

/// Encrypts all of `bytes` but the last sixteen, which take the tag.
fn encrypt(key: &DataKey, nonce: &[u8; 12], bound: &[u8], bytes: &mut [u8]) {
    let (plain, tag) = bytes.split_at_mut(bytes.len() - SEALED_TAG_LEN);
    let cipher = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key.as_slice()));
    let made = cipher
        .encrypt_in_place_detached(Nonce::from_slice(nonce), bound, plain)
        .expect("a few bytes are not too many for the cipher");
    tag.copy_from_slice(&made);
}

fn decrypt(key: &DataKey, nonce: &[u8; 12], bound: &[u8], bytes: &mut [u8]) -> Option<()> {
    let (sealed, tag) = bytes.split_at_mut(bytes.len() - SEALED_TAG_LEN);
    let cipher = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key.as_slice()));
    cipher
        .decrypt_in_place_detached(Nonce::from_slice(nonce), bound, sealed, Tag::from_slice(tag))
        .ok()
}

/// HMAC-SHA-256 under a key, for one purpose, of parts whose lengths are fixed but for the last.
fn derive(key: &[u8; 32], purpose: Derived, parts: &[&[u8]]) -> DataKey {
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(b"tollgate vault");
    mac.update(&[purpose as u8]);
    for part in parts {
        mac.update(part);
    }
    let mut bytes: [u8; 32] = mac.finalize().into_bytes().into();
    let key = Zeroizing::new(bytes);
    bytes.zeroize();
    key
}
