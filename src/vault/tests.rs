use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const NUMBER: &str = "4242424242424242";
const ACCOUNT: AccountKey = AccountKey(77);

fn data() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn seal(vault: &Vault, digits: &str, nth: u64) -> SealedNumber {
    vault.seal(digits, ACCOUNT, [1, 2, nth, 4])
}

#[test]
fn what_is_sealed_opens_for_its_account_only() {
    let data = data();
    let vault = Vault::open(data.path(), 5).expect("opens");
    let opener = Opener::open(data.path()).expect("opens");
    for digits in [NUMBER, "378282246310005", "6205500000000000004", "4222222222222"] {
        let sealed = seal(&vault, digits, 1);
        assert_eq!(opener.number(&sealed).expect("opens").expose(), digits);
    }
    let sealed = seal(&vault, NUMBER, 1);
    let mut foreign = sealed.clone();
    foreign.account = AccountKey(78);
    assert!(matches!(opener.number(&foreign), Err(VaultError::DoesNotOpen(1))));
    for at in 0..sealed.number.len() {
        let mut changed = sealed.clone();
        changed.number[at] ^= 1;
        assert!(matches!(opener.number(&changed), Err(VaultError::DoesNotOpen(1))));
    }
}

#[test]
fn the_same_number_looks_different_each_time() {
    let data = data();
    let vault = Vault::open(data.path(), 5).expect("opens");
    let (one, two) = (seal(&vault, NUMBER, 1), seal(&vault, NUMBER, 2));
    assert_ne!(one.token, two.token);
    assert_ne!(one.number, two.number);
    assert_ne!(one.data_key, two.data_key);
    assert_eq!(
        one,
        seal(&vault, NUMBER, 1),
        "a decision that is repeated seals the same"
    );
    let other = seal(&vault, "5555555555554444", 1);
    assert_ne!(other.token, one.token, "no key is used for two numbers");
    assert_eq!(format!("{one:?}"), "SealedNumber(master key 1)");
}

#[test]
fn keys_are_their_owners_alone() {
    let data = data();
    Vault::open(data.path(), 5).expect("opens");
    let keys = data.path().join("vault/keys");
    let mode = fs::metadata(&keys).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o640)).expect("changes");
    assert!(matches!(Vault::open(data.path(), 5), Err(VaultError::Exposed { .. })));
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).expect("changes");
    let text = fs::read_to_string(&keys).expect("text");
    let secret = text.split(' ').find(|word| word.len() == 64).expect("a key").to_owned();
    let ring = KeyRing::open(&data.path().join(FOLDER)).expect("opens");
    assert!(!format!("{ring:?}").contains(&secret));
    fs::write(&keys, text.replace("key 1", "key x")).expect("writes");
    let told = KeyRing::open(&data.path().join(FOLDER))
        .expect_err("is damaged")
        .to_string();
    assert!(told.contains("line 2 is no key") && !told.contains(&secret), "{told}");
    let flipped = secret.replacen(&secret[..1], if secret.starts_with('0') { "1" } else { "0" }, 1);
    fs::write(&keys, text.replace(&secret, &flipped)).expect("writes");
    assert!(matches!(Vault::open(data.path(), 5), Err(VaultError::Damaged { .. })));
}

#[test]
fn lost_keys_are_not_replaced_in_silence() {
    let data = data();
    assert!(Vault::open(data.path(), 5).expect("opens").is_new());
    assert!(!Vault::open(data.path(), 5).expect("opens").is_new());
    fs::remove_file(data.path().join("vault/keys")).expect("goes");
    assert!(Vault::open(data.path(), 5).expect("opens").is_new(), "which is told");
    fs::remove_file(data.path().join("vault/keys")).expect("goes");
    fs::write(data.path().join("vault/rewraps"), b"").expect("writes");
    assert!(matches!(Vault::open(data.path(), 5), Err(VaultError::Damaged { .. })));
}

#[test]
fn a_rotation_brings_everything_under_a_new_key_and_destroys_the_old_one() {
    let data = data();
    let vault = Vault::open(data.path(), 5).expect("opens");
    let sealed: Vec<SealedNumber> = (0..10).map(|nth| seal(&vault, NUMBER, nth)).collect();
    let each = |sealed: &[SealedNumber]| {
        let sealed = sealed.to_vec();
        move |visit: &mut dyn FnMut(&SealedNumber) -> Result<(), VaultError>| sealed.iter().try_for_each(visit)
    };
    let turned = Rotation::begin(data.path(), 6)
        .expect("begins")
        .run(each(&sealed))
        .expect("ends");
    assert_eq!((turned.master_key, turned.wrapped, turned.destroyed), (2, 10, 1));
    let opener = Opener::open(data.path()).expect("opens");
    for sealed in &sealed {
        assert_eq!(opener.number(sealed).expect("opens").expose(), NUMBER);
    }
    let vault = Vault::open(data.path(), 7).expect("opens");
    assert_eq!(vault.newest_key(), 2);
    fs::remove_file(data.path().join("vault/rewraps")).expect("goes");
    let opener = Opener::open(data.path()).expect("opens");
    assert!(
        matches!(opener.number(&sealed[0]), Err(VaultError::NoKey(1))),
        "the old key is gone"
    );
}

#[test]
fn an_interrupted_rotation_is_taken_up_again() {
    let data = data();
    let vault = Vault::open(data.path(), 5).expect("opens");
    let sealed: Vec<SealedNumber> = (0..5_000).map(|nth| seal(&vault, NUMBER, nth)).collect();
    let stopped = Rotation::begin(data.path(), 6)
        .expect("begins")
        .run(|visit| -> Result<(), VaultError> {
            sealed[..3_000].iter().try_for_each(visit)?;
            Err(VaultError::TooMany(0))
        });
    assert!(stopped.is_err());
    // As after a crash in the middle of a write.
    let rewraps = data.path().join("vault/rewraps");
    let bytes = fs::read(&rewraps).expect("is there");
    fs::write(&rewraps, &bytes[..bytes.len() - 5]).expect("writes");
    let opener = Opener::open(data.path()).expect("opens");
    assert!(
        sealed.iter().all(|sealed| opener.number(sealed).is_ok()),
        "both keys are there"
    );
    let turned = Rotation::begin(data.path(), 7)
        .expect("begins")
        .run(|visit| -> Result<(), VaultError> { sealed.iter().try_for_each(visit) })
        .expect("ends");
    assert_eq!((turned.master_key, turned.wrapped + turned.known), (2, 5_000));
    assert!(turned.known >= 2_000 && turned.known < 3_000, "{turned:?}");
    let opener = Opener::open(data.path()).expect("opens");
    assert!(sealed.iter().all(|sealed| opener.number(sealed).is_ok()));
    let again = Rotation::begin(data.path(), 8)
        .expect("begins")
        .run(|visit| -> Result<(), VaultError> { sealed.iter().try_for_each(visit) })
        .expect("ends");
    assert_eq!(
        (again.master_key, again.wrapped),
        (3, 5_000),
        "also what was wrapped anew before"
    );
}

#[test]
fn accesses_are_kept_in_order() {
    let data = data();
    let accesses = Accesses::of(data.path());
    assert_eq!(accesses.list().expect("reads"), []);
    let access = |at_ms, action| Access {
        at_ms,
        action,
        by: "ada".into(),
        what: "all \"numbers\"".into(),
    };
    accesses.record(&access(1, Action::Check)).expect("writes");
    accesses.record(&access(2, Action::Rotate)).expect("writes");
    let listed = [access(1, Action::Check), access(2, Action::Rotate)];
    assert_eq!(accesses.list().expect("reads"), listed);
    let path = data.path().join("vault/accesses");
    let mut bytes = fs::read(&path).expect("is there");
    bytes.extend_from_slice(b"{\"at_ms\":3");
    fs::write(&path, bytes).expect("writes");
    assert_eq!(accesses.list().expect("reads"), listed, "a torn line did not happen");
}
