//! Finding single things.

use super::script::{births, body_of, head_of};
use super::{Script, Subject};
use crate::{AccountRef, Commit, From, Head, KeyHash, ShardId};
use std::sync::{Arc, mpsc};

const KEY: KeyHash = *b"idempotency1";
const OTHER: KeyHash = *b"idempotency2";
const HOUR_MS: u64 = 3_600_000;

pub(super) fn an_empty_store_answers_nothing(subject: Box<dyn Subject>) {
    let store = subject.store();
    let account = AccountRef(1);
    assert!(store.newest(account, 1).unwrap().is_none());
    assert!(store.birth(account, u64::MAX).unwrap().is_none());
    assert!(store.by_key(account, &KEY).unwrap().is_none());
    assert!(!store.key_may_exist(account, &KEY));
    let query = super::script::query(1, 1, From::Newest, 10);
    assert!(store.page(&query, &mut |_, _| true).unwrap().is_empty());
    store
        .replay_account(account, &mut |_| panic!("nothing to replay"))
        .unwrap();
    assert!(store.timers_due(ShardId(0), u64::MAX, 10).is_empty());
    assert!(store.accounts(ShardId(0)).is_empty());
}

pub(super) fn what_is_durable_can_be_read_at_once(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    let block = owner.block(&[Head {
        key: Some(KEY),
        ..births(1, 10, 1, &[1, 7])
    }]);
    let (sender, receiver) = mpsc::sync_channel(1);
    let inside = Arc::clone(&store);
    store.submit(
        block,
        Box::new(move |commit| {
            let found = head_of(inside.birth(AccountRef(1), 2)).is_some();
            let key = inside.key_may_exist(AccountRef(1), &KEY);
            // A backend may join its threads when its last owner goes; that owner is not to be this call.
            drop(inside);
            sender.send((commit, found, key)).expect("the test waits");
        }),
    );
    assert_eq!(receiver.recv().unwrap(), (Commit::Durable, true, true));
}

pub(super) fn births_and_newest_versions_are_found(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    owner.write(&[births(1, 10, 1, &[1, 2, 7]), births(1, 11, 4, &[1])]);
    owner.write(&[Head {
        changed: [1, 2].into_iter().collect(),
        ..births(1, 12, 5, &[3, 7])
    }]);
    owner.write(&[Head {
        changed: [1].into_iter().collect(),
        ..births(1, 13, 7, &[])
    }]);
    // A gap in the sequence is allowed; nothing was born in it.
    owner.write(&[births(1, 14, 100, &[1])]);

    let account = AccountRef(1);
    let born = |seq| head_of(store.birth(account, seq)).map(|head| head.now_ms);
    let newest = |seq| head_of(store.newest(account, seq)).map(|head| head.now_ms);
    assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 99, 100, 101].map(born), {
        [
            None,
            Some(10),
            Some(10),
            Some(10),
            Some(11),
            Some(12),
            Some(12),
            None,
            None,
            Some(14),
            None,
        ]
    });
    assert_eq!([1, 2, 3, 4, 5, 7, 100].map(newest), {
        [Some(13), Some(12), Some(10), Some(11), Some(12), None, Some(14)]
    });
}

pub(super) fn keys_lead_to_their_newest_outcome(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    let with_key = |now_ms, first_seq| Head {
        key: Some(KEY),
        ..births(1, now_ms, first_seq, &[1])
    };
    owner.write(&[with_key(10, 1), births(1, 11, 2, &[1])]);
    let account = AccountRef(1);
    assert_eq!(head_of(store.by_key(account, &KEY)).unwrap().now_ms, 10);
    owner.write(&[with_key(12, 3)]);
    assert_eq!(head_of(store.by_key(account, &KEY)).unwrap().now_ms, 12);
    // The answer may come in a later hour than the attempt.
    owner.write(&[with_key(HOUR_MS * 2, 4)]);
    assert_eq!(head_of(store.by_key(account, &KEY)).unwrap().first_seq, 4);
    assert!(store.key_may_exist(account, &KEY));
    assert!(store.by_key(account, &OTHER).unwrap().is_none());
    assert!(
        store.by_key(AccountRef(2), &KEY).unwrap().is_none(),
        "another account's key"
    );
}

pub(super) fn keys_are_forgotten_after_a_day(subject: Box<dyn Subject>) {
    let start = 1_000_000 * HOUR_MS + 1;
    let mut store = subject.store();
    let mut owner = Script::claim(&store, 0);
    owner.write(&[Head {
        key: Some(KEY),
        ..births(1, start, 1, &[1])
    }]);
    owner.write(&[Head {
        key: Some(OTHER),
        ..births(1, start + 24 * HOUR_MS, 2, &[1])
    }]);
    assert!(
        store.key_may_exist(AccountRef(1), &KEY),
        "not a minute before 24 hours are over"
    );
    owner.write(&[Head {
        key: Some(OTHER),
        ..births(2, start + 26 * HOUR_MS, 1, &[1])
    }]);
    drop(owner);
    let check = |store: &dyn super::Store| {
        assert!(!store.key_may_exist(AccountRef(1), &KEY));
        assert!(store.by_key(AccountRef(1), &KEY).unwrap().is_none());
        assert!(store.key_may_exist(AccountRef(1), &OTHER));
        assert!(head_of(store.birth(AccountRef(1), 1)).is_some(), "the record stays");
    };
    check(&*store);
    drop(store);
    let subject = subject.restart();
    store = subject.store();
    check(&*store);
}

pub(super) fn replay_starts_at_the_newest_row(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    let replayed = |account| {
        let mut seen = Vec::new();
        let visit = &mut |fetched: &crate::Fetched| {
            assert_eq!(&fetched.body[..], body_of(&fetched.head));
            seen.push((fetched.head.now_ms, fetched.head.row));
            Ok(())
        };
        store.replay_account(AccountRef(account), visit).unwrap();
        seen
    };
    for round in 0..700 {
        owner.write(&[births(1, round, round + 1, &[1]), births(2, round, round + 1, &[1])]);
    }
    assert_eq!(replayed(1), (0..700).map(|round| (round, false)).collect::<Vec<_>>());
    let row = |now_ms| Head {
        row: true,
        ..births(1, now_ms, 0, &[])
    };
    owner.write(&[row(700)]);
    owner.write(&[births(1, 701, 701, &[1]), births(2, 701, 701, &[1])]);
    assert_eq!(replayed(1), [(700, true), (701, false)]);
    owner.write(&[row(702)]);
    assert_eq!(replayed(1), [(702, true)]);
    owner.write(&[births(1, 703, 702, &[1])]);
    assert_eq!(replayed(1), [(702, true), (703, false)]);
    assert_eq!(replayed(2).len(), 701);

    let stop = crate::StoreError::Stopped;
    let mut calls = 0;
    let visit = &mut |_: &crate::Fetched| {
        calls += 1;
        Err(stop.clone())
    };
    assert!(store.replay_account(AccountRef(2), visit).is_err());
    assert_eq!(calls, 1, "a visitor's error ends the replay");
}

pub(super) fn timers_are_due_in_order(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    let timers = |now_ms, first_seq, timers: &[(u64, u64)]| {
        let timers = timers.iter().copied().collect();
        Head {
            timers,
            ..births(1, now_ms, first_seq, &[1])
        }
    };
    owner.write(&[timers(10, 1, &[(500, 1), (100, 1)]), timers(11, 2, &[(300, 2)])]);
    Script::claim(&store, 1).write(&[Head {
        timers: [(50, 1)].into_iter().collect(),
        ..births(9, 10, 1, &[1])
    }]);
    let account = AccountRef(1);
    let due = |until, limit| store.timers_due(ShardId(0), until, limit);
    assert_eq!(due(99, 10), []);
    assert_eq!(due(300, 10), [(100, account, 1), (300, account, 2)]);
    assert_eq!(due(u64::MAX, 1), [(100, account, 1)]);
    store.timers_done(ShardId(0), &[(100, account, 1), (7, account, 7)]);
    assert_eq!(due(u64::MAX, 10), [(300, account, 2), (500, account, 1)]);
    assert_eq!(store.timers_due(ShardId(1), u64::MAX, 10), [(50, AccountRef(9), 1)]);
}

pub(super) fn accounts_keep_apart(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut first = Script::claim(&store, 0);
    let mut second = Script::claim(&store, 1);
    first.write(&[births(7, 10, 1, &[1]), births(5, 10, 1, &[2]), births(7, 11, 2, &[1])]);
    second.write(&[births(6, 10, 1, &[1])]);
    assert_eq!(store.accounts(ShardId(0)), [(AccountRef(5), 1), (AccountRef(7), 2)]);
    assert_eq!(store.accounts(ShardId(1)), [(AccountRef(6), 1)]);
    assert!(store.birth(AccountRef(5), 2).unwrap().is_none());
    assert_eq!(head_of(store.birth(AccountRef(5), 1)).unwrap().born[..], [2]);
    let mut directory = Script::claim(&store, super::script::DIRECTORY);
    directory.write(&[births(0, 10, 1, &[9])]);
    directory.write(&[births(0, 11, 2, &[9])]);
    assert_eq!(store.accounts(ShardId::DIRECTORY), [(AccountRef(0), 2)]);
}
