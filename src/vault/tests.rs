use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const NUMBER: &str = "4242424242424242";
const ACCOUNT: AccountKey = AccountKey(77);

fn data() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn kept(data: &tempfile::TempDir) -> Arc<dyn Keep> {
    Arc::new(Folder::of(data.path()))
}

fn seal(vault: &Vault, digits: &str, nth: u64) -> SealedNumber {
    vault.seal_number(digits, ACCOUNT, [1, 2, nth, 4])
}

#[test]
fn what_is_sealed_opens_for_its_account_only() {
    let data = data();
    let vault = Vault::open(&kept(&data), 5).expect("opens");
    let opener = Opener::open(&kept(&data)).expect("opens");
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
    let vault = Vault::open(&kept(&data), 5).expect("opens");
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
    Vault::open(&kept(&data), 5).expect("opens");
    let keys = data.path().join("vault/keys");
    let mode = fs::metadata(&keys).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o640)).expect("changes");
    assert!(matches!(Vault::open(&kept(&data), 5), Err(VaultError::Exposed { .. })));
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).expect("changes");
    let text = fs::read_to_string(&keys).expect("text");
    let secret = text.split(' ').find(|word| word.len() == 64).expect("a key").to_owned();
    let ring = KeyRing::open(&kept(&data)).expect("opens");
    assert!(!format!("{ring:?}").contains(&secret));
    fs::write(&keys, text.replace("key 1", "key x")).expect("writes");
    let told = KeyRing::open(&kept(&data)).expect_err("is damaged").to_string();
    assert!(told.contains("line 2 is no key") && !told.contains(&secret), "{told}");
    let flipped = secret.replacen(&secret[..1], if secret.starts_with('0') { "1" } else { "0" }, 1);
    fs::write(&keys, text.replace(&secret, &flipped)).expect("writes");
    assert!(matches!(Vault::open(&kept(&data), 5), Err(VaultError::Damaged { .. })));
}

#[test]
fn lost_keys_of_a_vault_that_was_used_are_not_replaced_in_silence() {
    let data = data();
    Vault::open(&kept(&data), 5).expect("opens");
    fs::remove_file(data.path().join("vault/keys")).expect("goes");
    fs::write(data.path().join("vault/rewraps"), b"").expect("writes");
    assert!(matches!(Vault::open(&kept(&data), 5), Err(VaultError::Damaged { .. })));
    let anew = KeyRing::begin_anew(&kept(&data), 7, 5).expect("draws");
    assert_eq!(anew.newest().number, 8);
}

#[test]
fn keys_that_are_there_are_not_given_up_for_lost() {
    let data = data();
    Vault::open(&kept(&data), 5).expect("opens");
    let told = KeyRing::begin_anew(&kept(&data), 0, 5)
        .expect_err("they are there")
        .to_string();
    assert!(
        told.contains("vault/keys is there") && told.contains("vault rotate"),
        "{told}"
    );
    assert_eq!(KeyRing::open(&kept(&data)).expect("opens").newest().number, 1);
}

#[test]
fn a_rotation_brings_everything_under_a_new_key_and_destroys_the_old_one() {
    let data = data();
    let vault = Vault::open(&kept(&data), 5).expect("opens");
    let sealed: Vec<SealedNumber> = (0..10).map(|nth| seal(&vault, NUMBER, nth)).collect();
    let each = |sealed: &[SealedNumber]| {
        let sealed = sealed.to_vec();
        move |visit: &mut dyn FnMut(&Wrapping) -> Result<(), VaultError>| {
            sealed
                .iter()
                .map(SealedNumber::wrapping)
                .try_for_each(|sealed| visit(&sealed))
        }
    };
    let turned = Rotation::begin(&kept(&data), 6)
        .expect("begins")
        .run(each(&sealed))
        .expect("ends");
    assert_eq!((turned.master_key, turned.wrapped, turned.destroyed), (2, 10, 1));
    let opener = Opener::open(&kept(&data)).expect("opens");
    for sealed in &sealed {
        assert_eq!(opener.number(sealed).expect("opens").expose(), NUMBER);
    }
    let vault = Vault::open(&kept(&data), 7).expect("opens");
    assert_eq!(vault.newest_key(), 2);
    fs::remove_file(data.path().join("vault/rewraps")).expect("goes");
    let opener = Opener::open(&kept(&data)).expect("opens");
    assert!(
        matches!(opener.number(&sealed[0]), Err(VaultError::NoKey(1))),
        "the old key is gone"
    );
}

#[test]
fn an_interrupted_rotation_is_taken_up_again() {
    let data = data();
    let vault = Vault::open(&kept(&data), 5).expect("opens");
    let sealed: Vec<SealedNumber> = (0..5_000).map(|nth| seal(&vault, NUMBER, nth)).collect();
    let stopped = Rotation::begin(&kept(&data), 6)
        .expect("begins")
        .run(|visit| -> Result<(), VaultError> {
            sealed[..3_000]
                .iter()
                .try_for_each(|sealed| visit(&sealed.wrapping()))?;
            Err(VaultError::TooMany(0))
        });
    assert!(stopped.is_err());
    // As after a crash in the middle of a write.
    let rewraps = data.path().join("vault/rewraps");
    let bytes = fs::read(&rewraps).expect("is there");
    fs::write(&rewraps, &bytes[..bytes.len() - 5]).expect("writes");
    let opener = Opener::open(&kept(&data)).expect("opens");
    assert!(
        sealed.iter().all(|sealed| opener.number(sealed).is_ok()),
        "both keys are there"
    );
    let turned = Rotation::begin(&kept(&data), 7)
        .expect("begins")
        .run(|visit| -> Result<(), VaultError> { sealed.iter().try_for_each(|sealed| visit(&sealed.wrapping())) })
        .expect("ends");
    assert_eq!((turned.master_key, turned.wrapped + turned.known), (2, 5_000));
    assert!(turned.known >= 2_000 && turned.known < 3_000, "{turned:?}");
    let opener = Opener::open(&kept(&data)).expect("opens");
    assert!(sealed.iter().all(|sealed| opener.number(sealed).is_ok()));
    let again = Rotation::begin(&kept(&data), 8)
        .expect("begins")
        .run(|visit| -> Result<(), VaultError> { sealed.iter().try_for_each(|sealed| visit(&sealed.wrapping())) })
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
    let accesses = kept(&data);
    assert_eq!(accesses.accesses().expect("reads"), []);
    let access = |at_ms, action| Access {
        at_ms,
        action,
        by: "ada".into(),
        what: "all \"numbers\"".into(),
    };
    accesses.record(&access(1, Action::Check)).expect("writes");
    accesses.record(&access(2, Action::Rotate)).expect("writes");
    let listed = [access(1, Action::Check), access(2, Action::Rotate)];
    assert_eq!(accesses.accesses().expect("reads"), listed);
    let path = data.path().join("vault/accesses");
    let mut bytes = fs::read(&path).expect("is there");
    bytes.extend_from_slice(b"{\"at_ms\":3");
    fs::write(&path, bytes).expect("writes");
    assert_eq!(
        accesses.accesses().expect("reads"),
        listed,
        "a torn line did not happen"
    );
}

/// A vault that other processes use as well: what they do comes in between.
#[derive(Default)]
struct Shelf {
    keys: std::sync::Mutex<Option<Vec<u8>>>,
    rewraps: std::sync::Mutex<Vec<(Token, Rewrap)>>,
    accesses: std::sync::Mutex<Vec<Access>>,
    /// Done once, after the keys were read.
    between: std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Keep for Shelf {
    fn place(&self) -> String {
        "shelf".into()
    }
    fn keys(&self) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let keys = self.keys.lock().unwrap().clone().map(Zeroizing::new);
        let between = self.between.lock().unwrap().take();
        if let Some(between) = between {
            between();
        }
        Ok(keys)
    }
    fn replace_keys(&self, before: Option<&[u8]>, after: &[u8]) -> Result<bool, VaultError> {
        let mut keys = self.keys.lock().unwrap();
        if keys.as_deref() != before {
            return Ok(false);
        }
        *keys = Some(after.to_vec());
        Ok(true)
    }
    fn was_used(&self) -> Result<bool, VaultError> {
        Ok(!self.rewraps.lock().unwrap().is_empty() || !self.accesses.lock().unwrap().is_empty())
    }
    fn rewraps(&self, visit: &mut dyn FnMut(Token, Rewrap) -> Result<(), VaultError>) -> Result<(), VaultError> {
        let all = self.rewraps.lock().unwrap().clone();
        all.into_iter().try_for_each(|(token, rewrap)| visit(token, rewrap))
    }
    fn add_rewraps(&self, some: &[(Token, Rewrap)]) -> Result<(), VaultError> {
        self.rewraps.lock().unwrap().extend_from_slice(some);
        Ok(())
    }
    fn drop_rewraps_before(&self, master_key: u32) -> Result<(), VaultError> {
        let mut all = self.rewraps.lock().unwrap();
        all.retain(|(_, rewrap)| rewrap.master_key >= master_key);
        Ok(())
    }
    fn record(&self, access: &Access) -> Result<(), VaultError> {
        self.accesses.lock().unwrap().push(access.clone());
        Ok(())
    }
    fn accesses(&self) -> Result<Vec<Access>, VaultError> {
        Ok(self.accesses.lock().unwrap().clone())
    }
}

impl Shelf {
    fn do_between(&self, work: impl FnOnce() + Send + 'static) {
        *self.between.lock().unwrap() = Some(Box::new(work));
    }
}

fn shelf() -> (Arc<Shelf>, Arc<dyn Keep>) {
    let shelf = Arc::new(Shelf::default());
    (Arc::clone(&shelf), shelf)
}

#[test]
fn of_two_that_begin_at_once_one_draws_and_the_other_seals_under_the_same_key() {
    let (shelf, keep) = shelf();
    let other = Arc::clone(&keep);
    shelf.do_between(move || {
        let faster = Vault::open_shared(&other, 4).expect("opens");
        assert_eq!(faster.newest_key(), 1);
    });
    // It has seen no key, draws one, and comes too late.
    let ring = KeyRing::open_or_create(&keep, 5).expect("opens");
    assert_eq!((ring.keys().len(), ring.newest().created_ms), (1, 4));
}

#[test]
fn a_shared_vault_seals_under_the_new_key_once_it_was_told_to_read_again() {
    let (_, keep) = shelf();
    let vault = Vault::open_shared(&keep, 5).expect("opens");
    KeyRing::open(&keep).expect("opens").draw(6).expect("draws");
    assert_eq!(vault.newest_key(), 1);
    vault.renew(&keep).expect("reads");
    assert_eq!(seal(&vault, NUMBER, 1).master_key, 2);
}

#[test]
fn rotations_that_meet_end_under_one_key_and_late_wraps_do_no_harm() {
    let (shelf, keep) = shelf();
    let vault = Vault::open_shared(&keep, 5).expect("opens");
    let sealed: Vec<SealedNumber> = (0..10).map(|nth| seal(&vault, NUMBER, nth)).collect();
    let all = |visit: &mut dyn FnMut(&Wrapping) -> Result<(), VaultError>| {
        sealed.iter().try_for_each(|sealed| visit(&sealed.wrapping()))
    };
    let other = Arc::clone(&keep);
    shelf.do_between(move || drop(Rotation::begin(&other, 6).expect("begins")));
    let one = Rotation::begin(&keep, 7).expect("takes part in the other");
    let two = Rotation::begin(&keep, 8).expect("begins");
    let turned: Turned = two.run::<VaultError>(all).expect("ends");
    assert_eq!((turned.master_key, turned.destroyed), (2, 1));
    let turned: Turned = one.run::<VaultError>(all).expect("ends, too");
    assert_eq!((turned.master_key, turned.destroyed), (2, 0));
    let late = shelf.rewraps.lock().unwrap().clone();
    Rotation::begin(&keep, 9)
        .expect("begins")
        .run::<VaultError>(all)
        .expect("ends");
    // A process that was paused in its rotation writes after the next one has ended.
    shelf.add_rewraps(&late).expect("writes");
    let opener = Opener::open(&keep).expect("opens");
    assert!(sealed.iter().all(|sealed| opener.number(sealed).is_ok()));
}

#[test]
fn a_vault_is_carried_whole_and_never_over_another() {
    let data = data();
    let from = kept(&data);
    let vault = Vault::open(&from, 5).expect("opens");
    let sealed: Vec<SealedNumber> = (0..10).map(|nth| seal(&vault, NUMBER, nth)).collect();
    let all = |visit: &mut dyn FnMut(&Wrapping) -> Result<(), VaultError>| {
        sealed.iter().try_for_each(|sealed| visit(&sealed.wrapping()))
    };
    Rotation::begin(&from, 6)
        .expect("begins")
        .run::<VaultError>(all)
        .expect("ends");
    let access = Access {
        at_ms: 7,
        action: Action::Rotated,
        by: "ada".into(),
        what: "all".into(),
    };
    from.record(&access).expect("writes");
    let (shelf, to) = shelf();
    // As after an interruption: all but the keys is there.
    carry(&from, &to).expect("carried");
    *shelf.keys.lock().unwrap() = None;
    carry(&from, &to).expect("carried again");
    assert_eq!(to.accesses().expect("reads"), [access]);
    let opener = Opener::open(&to).expect("opens");
    assert!(sealed.iter().all(|sealed| opener.number(sealed).is_ok()));
    assert!(matches!(carry(&from, &to), Err(VaultError::Raced(_))));
}

#[test]
fn a_secret_opens_for_whoever_serves_through_rotations() {
    let data = data();
    let keep = kept(&data);
    let vault = Vault::open_shared(&keep, 5).expect("opens");
    let secret = |nth: u8| WebhookSecret::of(&[b'a' + nth; 32]).expect("so many characters");
    let sealed: Vec<SealedSecret> = (0..5)
        .map(|nth| vault.seal_secret(&secret(nth), ACCOUNT, [1, 2, 3, nth.into()]))
        .collect();
    let number = seal(&vault, NUMBER, 9);
    assert_eq!(
        sealed[0],
        vault.seal_secret(&secret(0), ACCOUNT, [1, 2, 3, 0]),
        "repeated, it is the same"
    );
    assert_eq!(
        format!("{:?} {:?}", sealed[0], secret(0)),
        "SealedSecret(master key 1) WebhookSecret(..)"
    );
    let opens =
        |vault: &Vault| (0..5u8).all(|nth| vault.open_secret(&sealed[usize::from(nth)]).expect("opens") == secret(nth));
    assert!(opens(&vault));
    for nth in 6..8 {
        let rotation = Rotation::begin(&keep, nth).expect("begins");
        vault.renew(&keep).expect("reads");
        assert!(opens(&vault), "while it goes on");
        let turned = rotation
            .run(|visit| -> Result<(), VaultError> {
                visit(&number.wrapping())?;
                sealed.iter().try_for_each(|sealed| visit(&sealed.wrapping()))
            })
            .expect("ends");
        assert_eq!(turned.wrapped, 6);
        assert!(opens(&vault), "after it has ended");
        vault.renew(&keep).expect("reads");
        assert!(opens(&vault), "with the new key alone");
        assert!(opens(&Vault::open(&keep, 9).expect("opens")), "after a restart");
    }
    let kept = vault.secrets.lock().expect("a lock").as_ref().map(HashMap::len);
    assert_eq!(kept, Some(5), "of card numbers nothing is kept");
    let mut foreign = sealed[0].clone();
    foreign.account = AccountKey(78);
    assert!(vault.open_secret(&foreign).is_err());
    let mut changed = sealed[0].clone();
    changed.secret[0] ^= 1;
    assert!(vault.open_secret(&changed).is_err());
    fs::remove_file(data.path().join("vault/rewraps")).expect("goes");
    let told = Vault::open(&keep, 9)
        .expect("opens")
        .open_secret(&sealed[0])
        .expect_err("it does not open");
    assert!(told.contains("master key 1"), "{told}");
}
