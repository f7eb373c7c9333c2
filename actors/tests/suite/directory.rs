//! Accounts and keys on a store in memory.

use crate::office::secrets;
use std::sync::Arc;
use tollgate_actors::directory::{AuthRefusal, DirectoryConfig, DirectoryError, DirectoryHandle, NewTerms, WhichKey};
use tollgate_domain::directory::{ApiKeyKind, DirectoryProblem};
use tollgate_store::memory::{Memory, Mode};

fn open(store: &Arc<Memory>, dev: bool) -> DirectoryHandle {
    let config = DirectoryConfig {
        dev,
        on_fatal: Arc::new(|why| panic!("{why}")),
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
        let known = directory.authenticate(&key.text).expect("a good key");
        assert_eq!(
            (known.kind, known.profile.livemode, known.profile.id),
            (key.kind, key.livemode, account.id)
        );
        assert_eq!(
            directory.authenticate(&key.text).expect("remembered by the thread"),
            known
        );
    }
    assert_eq!(directory.authenticate("sk_test_nothing"), Err(AuthRefusal::Unknown));
    assert_eq!(wait(directory.list()).expect("listed").len(), 2);
}

#[test]
fn a_revoked_key_opens_nothing_from_then_on() {
    let store = Memory::new(Mode::Immediate);
    let directory = open(&store, false);
    let account = wait(directory.create_account(NewTerms::default())).expect("created");
    let extra = wait(directory.create_key(account.id, true, ApiKeyKind::Secret)).expect("created");
    assert!(directory.authenticate(&extra.text).is_ok());
    let last4 = extra.text[extra.text.len() - 4..].to_owned();
    let which = WhichKey::Last4 {
        account: account.id,
        livemode: true,
        last4,
    };
    wait(directory.revoke_key(which)).expect("revoked");
    assert_eq!(directory.authenticate(&extra.text), Err(AuthRefusal::Revoked));
    let again = wait(directory.revoke_key(WhichKey::Text(extra.text.clone())));
    assert_eq!(again, Err(DirectoryError::Problem(DirectoryProblem::NoSuchKey)));
    let directory = open(&store.crash(), false);
    assert_eq!(directory.authenticate(&extra.text), Err(AuthRefusal::Revoked));
    assert!(directory.authenticate(&account.keys[0].text).is_ok());
}

#[test]
fn a_sandbox_is_opened_once_however_many_are_first() {
    let store = Memory::new(Mode::Immediate);
    let directory = open(&store, true);
    assert_eq!(directory.authenticate("sk_test_shop"), Err(AuthRefusal::SandboxNotOpen));
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
    let kind = directory.authenticate("pk_test_shop").expect("open").kind;
    assert_eq!(kind, ApiKeyKind::Publishable);
    let directory = open(&store.crash(), true);
    assert_eq!(
        directory.authenticate("sk_test_shop").expect("kept").profile.key,
        keys[0]
    );
}

#[test]
fn without_dev_no_sandbox_opens() {
    let directory = open(&Memory::new(Mode::Immediate), false);
    assert_eq!(directory.authenticate("sk_test_shop"), Err(AuthRefusal::Unknown));
    assert_eq!(wait(directory.open_sandbox("sk_test_shop")), Err(AuthRefusal::Unknown));
}
