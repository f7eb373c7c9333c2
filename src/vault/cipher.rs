//! The cipher: what is encrypted under what, and bound to what.

use crate::keys::MasterKey;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use hmac::{Hmac, KeyInit as _, Mac};
use sha2::Sha256;
use tollgate_domain::AccountKey;
use tollgate_domain::payments::card::{CardNumber, SEALED_PLAIN_LEN, SealedNumber};
use tollgate_domain::sealing::{SEALED_TAG_LEN, Wrapping};
use tollgate_domain::webhooks::webhook_endpoint::{SEALED_SECRET_TAG, SECRET_LEN, SealedSecret, WebhookSecret};
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
    /// What names a sealed secret and makes its data key.
    SecretRecord = 5,
}

/// Seals digits.
pub(crate) fn seal_number(master: &MasterKey, digits: &str, account: AccountKey, unique: [u64; 4]) -> SealedNumber {
    assert!(digits.len() < SEALED_PLAIN_LEN, "a card number has at most 19 digits");
    let (wrapping, data_key) = fresh(master, Derived::Record, digits.as_bytes(), account, unique);
    let mut number = [0; SEALED_PLAIN_LEN + SEALED_TAG_LEN];
    number[0] = digits.len() as u8;
    number[1..=digits.len()].copy_from_slice(digits.as_bytes());
    encrypt(&data_key, &ZERO_NONCE, &bound_to(&wrapping), &mut number);
    SealedNumber {
        token: wrapping.token,
        account,
        master_key: wrapping.master_key,
        data_key: wrapping.data_key,
        number,
    }
}

/// Seals the secret of a webhook endpoint.
pub(crate) fn seal_secret(
    master: &MasterKey,
    secret: &WebhookSecret,
    account: AccountKey,
    unique: [u64; 4],
) -> SealedSecret {
    let (wrapping, data_key) = fresh(master, Derived::SecretRecord, secret.expose(), account, unique);
    let mut sealed = [0; SECRET_LEN + SEALED_TAG_LEN];
    sealed[..SECRET_LEN].copy_from_slice(secret.expose());
    encrypt(&data_key, &ZERO_NONCE, &bound_to(&wrapping), &mut sealed);
    SealedSecret {
        token: wrapping.token,
        account,
        master_key: wrapping.master_key,
        data_key: wrapping.data_key,
        secret: sealed,
    }
}

/// A data key and its wrapping. Token and key follow from the master key and everything that is given, the plain text
/// included: a call that is repeated gives the same bytes, and no key or nonce is used for two texts.
fn fresh(
    master: &MasterKey,
    what: Derived,
    plain: &[u8],
    account: AccountKey,
    unique: [u64; 4],
) -> (Wrapping, DataKey) {
    let unique = unique.map(u64::to_le_bytes).concat();
    let record = derive(&master.bytes, what, &[&account.0.to_le_bytes(), &unique, plain]);
    let mut token: [u8; 16] = derive(&master.bytes, Derived::Token, &[record.as_slice()])[..16]
        .try_into()
        .expect("half of 32 bytes");
    if let Derived::SecretRecord = what {
        // Behind what is used as a nonce.
        token[NONCE_LEN..].copy_from_slice(&SEALED_SECRET_TAG);
    }
    let data_key = derive(&master.bytes, Derived::DataKey, &[record.as_slice()]);
    let mut wrapping = Wrapping {
        token,
        account,
        master_key: master.number,
        data_key: [0; 32 + SEALED_TAG_LEN],
    };
    wrapping.data_key = wrap(master, &wrapping, &data_key);
    (wrapping, data_key)
}

/// Encrypts a data key under a master key.
pub(crate) fn wrap(master: &MasterKey, sealed: &Wrapping, data_key: &DataKey) -> [u8; 32 + SEALED_TAG_LEN] {
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
pub(crate) fn unwrap(master: &MasterKey, sealed: &Wrapping, wrapped: &[u8; 32 + SEALED_TAG_LEN]) -> Option<DataKey> {
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
pub(crate) fn open_number(data_key: &DataKey, sealed: &SealedNumber) -> Option<CardNumber> {
    let mut bytes = Zeroizing::new(sealed.number);
    decrypt(
        data_key,
        &ZERO_NONCE,
        &bound_to(&sealed.wrapping()),
        bytes.as_mut_slice(),
    )?;
    let digits = bytes.get(1..=usize::from(bytes[0]))?;
    Some(CardNumber::read(std::str::from_utf8(digits).ok()?))
}

/// The secret; `None` if it was changed.
pub(crate) fn open_secret(data_key: &DataKey, sealed: &SealedSecret) -> Option<WebhookSecret> {
    let mut bytes = Zeroizing::new(sealed.secret);
    decrypt(
        data_key,
        &ZERO_NONCE,
        &bound_to(&sealed.wrapping()),
        bytes.as_mut_slice(),
    )?;
    WebhookSecret::of(&bytes[..SECRET_LEN])
}

/// Bytes of a nonce.
const NONCE_LEN: usize = 12;

/// A data key encrypts one text once, so its nonce needs not differ.
const ZERO_NONCE: [u8; NONCE_LEN] = [0; NONCE_LEN];

/// The nonce of a wrapped data key: part of its token, which is as good as random.
fn nonce_of(sealed: &Wrapping) -> [u8; NONCE_LEN] {
    sealed.token[..NONCE_LEN].try_into().expect("twelve of sixteen bytes")
}

fn bound_to(sealed: &Wrapping) -> [u8; 24] {
    let mut bound = [0; 24];
    bound[..16].copy_from_slice(&sealed.token);
    bound[16..].copy_from_slice(&sealed.account.0.to_le_bytes());
    bound
}

fn wrap_bound_to(master: &MasterKey, sealed: &Wrapping) -> [u8; 28] {
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
