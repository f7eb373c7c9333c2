//! Accounts and keys on a store in memory.

use crate::office::secrets;
use std::sync::Arc;
use std::time::Duration;
use tollgate_actors::directory::{AuthRefusal, DirectoryConfig, DirectoryError, DirectoryHandle, NewTerms, WhichKey};
use tollgate_domain::Profile;
use tollgate_domain::access::{Level, Permission, Resource};
use tollgate_domain::account_settings::RawCards;
use tollgate_domain::directory::{ApiKeyKind, DirectoryProblem};
use tollgate_store::memory::{Memory, Mode};

/// When everything is asked.
const NOW_MS: u64 = 1_795_176_000_000;

fn open(store: &Arc<Memory>, dev: bool) -> DirectoryHandle {
    let config = DirectoryConfig {
        dev,
        on_fatal: Arc::new(|why| panic!("{why}")),
        follows: None,
    };
    let (journal, reads) = (Arc::clone(store) as Arc<_>, Arc::clone(store) as Arc<_>);
    DirectoryHandle::start(config, &secrets(), journal, reads).expect("the directory opens")
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

#[test]
fn an_account_has_keys_for_both_modes_and_survives() {
    let store = Memory::new(Mode::Immediate);
    let directory = open(&store, false);
    let account = wait(directory.create_account(NewTerms::default())).expect("created");
    assert_eq!(account.keys.len(), 4);
    let store = store.crash();
    let directory = open(&store, false);
    for key in &account.keys {
        let known = directory.authenticate(&key.text, NOW_MS).expect("a good key");
        assert_eq!(
            (known.kind, known.profile.livemode, known.profile.id),
            (key.kind, key.livemode, account.id)
        );
        assert_eq!(
            directory
                .authenticate(&key.text, NOW_MS)
                .expect("remembered by the thread"),
            known
        );
    }
    assert_eq!(
        directory.authenticate("sk_test_nothing", NOW_MS),
        Err(AuthRefusal::Unknown)
    );
    assert_eq!(wait(directory.list()).expect("listed").len(), 2);
}

#[test]
fn a_revoked_key_opens_nothing_from_then_on() {
    let store = Memory::new(Mode::Immediate);
    let directory = open(&store, false);
    let account = wait(directory.create_account(NewTerms::default())).expect("created");
    let extra = wait(directory.create_key(account.id, true, ApiKeyKind::Secret, Vec::new())).expect("created");
    assert!(directory.authenticate(&extra.text, NOW_MS).is_ok());
    let last4 = extra.text[extra.text.len() - 4..].to_owned();
    let which = WhichKey::Last4 {
        account: account.id,
        livemode: true,
        last4,
    };
    wait(directory.revoke_key(which)).expect("revoked");
    assert_eq!(directory.authenticate(&extra.text, NOW_MS), Err(AuthRefusal::Revoked));
    let again = wait(directory.revoke_key(WhichKey::Text(extra.text.clone())));
    assert_eq!(again, Err(DirectoryError::Problem(DirectoryProblem::NoSuchKey)));
    let directory = open(&store.crash(), false);
    assert_eq!(directory.authenticate(&extra.text, NOW_MS), Err(AuthRefusal::Revoked));
    assert!(directory.authenticate(&account.keys[0].text, NOW_MS).is_ok());
}

#[test]
fn a_sandbox_is_opened_once_however_many_are_first() {
    let store = Memory::new(Mode::Immediate);
    let directory = open(&store, true);
    assert_eq!(
        directory.authenticate("sk_test_shop", NOW_MS),
        Err(AuthRefusal::SandboxNotOpen)
    );
    let threads: Vec<_> = (0..16)
        .map(|number| {
            let directory = directory.clone();
            let token = if number % 2 == 0 {
                "sk_test_shop"
            } else {
                "pk_test_shop"
            };
            std::thread::spawn(move || wait(directory.open_sandbox(token)).expect("opened").profile.key)
        })
        .collect();
    let keys: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().expect("no panic"))
        .collect();
    assert!(keys.iter().all(|key| *key == keys[0]));
    assert_eq!(wait(directory.list()).expect("listed").len(), 1);
    let other = wait(directory.open_sandbox("sk_test_other")).expect("opened");
    assert_ne!(other.profile.key, keys[0]);
    let kind = directory.authenticate("pk_test_shop", NOW_MS).expect("open").kind;
    assert_eq!(kind, ApiKeyKind::Publishable);
    let directory = open(&store.crash(), true);
    assert_eq!(
        directory
            .authenticate("sk_test_shop", NOW_MS)
            .expect("kept")
            .profile
            .key,
        keys[0]
    );
}

#[test]
fn without_dev_no_sandbox_opens() {
    let directory = open(&Memory::new(Mode::Immediate), false);
    assert_eq!(
        directory.authenticate("sk_test_shop", NOW_MS),
        Err(AuthRefusal::Unknown)
    );
    assert_eq!(wait(directory.open_sandbox("sk_test_shop")), Err(AuthRefusal::Unknown));
}

#[test]
fn a_rolled_key_works_until_its_time_is_over() {
    let store = Memory::new(Mode::Immediate);
    let directory = open(&store, false);
    let account = wait(directory.create_account(NewTerms::default())).expect("created");
    let allowed = Permission {
        resource: Resource::Charges,
        level: Level::Read,
    };
    let old = wait(directory.create_key(account.id, false, ApiKeyKind::Restricted, vec![allowed])).expect("created");
    assert!(directory.authenticate(&old.text, NOW_MS).is_ok());
    let which = WhichKey::Text(old.text.clone());
    let new = wait(directory.roll_key(which, Duration::from_secs(3_600))).expect("rolled");
    assert_eq!((new.kind, &new.permissions), (ApiKeyKind::Restricted, &vec![allowed]));
    let expires_ms = |directory: &DirectoryHandle| {
        let listed = wait(directory.list()).expect("listed");
        let mut keys = listed.iter().flat_map(|account| &account.keys);
        keys.find_map(|key| key.expires_ms).expect("the old key expires")
    };
    let until = expires_ms(&directory);
    for directory in [directory, open(&store.crash(), false)] {
        assert_eq!(expires_ms(&directory), until);
        for now_ms in [NOW_MS, until - 1] {
            let known = directory.authenticate(&old.text, now_ms).expect("it works still");
            assert!(known.permissions.allow(allowed));
        }
        assert_eq!(directory.authenticate(&old.text, until), Err(AuthRefusal::Expired));
        assert!(directory.authenticate(&new.text, until).is_ok());
        let again = directory.roll_key(WhichKey::Text("sk_test_nobody".into()), Duration::ZERO);
        let problem = wait(again).expect_err("no such key");
        assert_eq!(problem, DirectoryError::Problem(DirectoryProblem::NoSuchKey));
    }
}

#[test]
fn the_last_use_of_a_key_is_listed_to_the_minute() {
    let directory = open(&Memory::new(Mode::Immediate), false);
    let account = wait(directory.create_account(NewTerms::default())).expect("created");
    let used = |directory: &DirectoryHandle| -> Vec<u64> {
        let listed = wait(directory.list()).expect("listed");
        listed
            .iter()
            .flat_map(|account| account.keys.iter().map(|key| key.used_ms))
            .collect()
    };
    assert_eq!(used(&directory), [0; 4]);
    // Later, later still, and a clock behind: the latest counts.
    for later_ms in [61_000, 125_000, 0] {
        assert!(directory.authenticate(&account.keys[0].text, NOW_MS + later_ms).is_ok());
    }
    let mut found = used(&directory);
    found.sort_unstable();
    assert_eq!(found, [0, 0, 0, (NOW_MS + 125_000) / 60_000 * 60_000]);
}

#[test]
fn a_changed_account_is_seen_with_the_next_request_and_only_the_next_change_is_taken() {
    let store = Memory::new(Mode::Immediate);
    let directory = open(&store, false);
    let account = wait(directory.create_account(NewTerms::default())).expect("created");
    let key = &account.keys[0];
    let before = directory.authenticate(&key.text, NOW_MS).expect("a good key");
    let mut next = Profile::clone(&before.profile);
    next.revision += 1;
    next.settings.get_or_insert_default().raw_cards = RawCards::Refused;
    wait(directory.change_account(vec![next.clone()])).expect("changed");
    assert_eq!(
        wait(directory.change_account(vec![next.clone()])),
        Err(DirectoryError::Problem(DirectoryProblem::NotNext))
    );
    for directory in [directory, open(&store.crash(), false)] {
        let after = directory.authenticate(&key.text, NOW_MS).expect("a good key");
        assert_eq!(after.profile.settings().raw_cards, RawCards::Refused);
        assert_eq!(*directory.profiles_of(account.id)[0], next);
        assert_eq!(directory.profiles_of(account.id)[1].revision, 0, "the other mode stays");
    }
}
