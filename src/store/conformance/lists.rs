//! Pages of lists.

use super::script::{births, page, query};
use super::{Script, Store, Subject};
use crate::{AccountRef, From, Head, PageQuery, ShardId};

const INTENT: u8 = 1;
const CHARGE: u8 = 2;
const CUSTOMER: u8 = 4;
const EVENT: u8 = 7;

pub(super) fn pages_go_both_ways(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    // Intents at 1, 3, 5, 7, 9.
    for nth in 0..5 {
        owner.write(&[births(1, nth, nth * 2 + 1, &[INTENT, EVENT])]);
    }
    let intents = |from, limit| page(&*store, &query(1, INTENT, from, limit));
    assert_eq!(intents(From::Newest, 2), [9, 7, 5], "one more tells that there is more");
    assert_eq!(intents(From::Newest, 5), [9, 7, 5, 3, 1]);
    assert_eq!(intents(From::Newest, 100), [9, 7, 5, 3, 1]);
    assert_eq!(intents(From::Below(5), 1), [3, 1]);
    assert_eq!(intents(From::Below(5), 2), [3, 1]);
    assert_eq!(intents(From::Below(1), 2), []);
    assert_eq!(intents(From::Below(0), 2), []);
    assert_eq!(intents(From::Below(4), 2), [3, 1], "a bound need not be in the list");
    assert_eq!(intents(From::Below(u64::MAX), 1), [9, 7]);
    assert_eq!(
        intents(From::Above(1), 2),
        [7, 5, 3],
        "the page next to it, the extra one newest"
    );
    assert_eq!(intents(From::Above(1), 4), [9, 7, 5, 3]);
    assert_eq!(intents(From::Above(0), 1), [3, 1]);
    assert_eq!(intents(From::Above(2), 1), [5, 3]);
    assert_eq!(intents(From::Above(9), 2), []);
    assert_eq!(intents(From::Above(u64::MAX), 2), []);
    assert_eq!(page(&*store, &query(1, EVENT, From::Newest, 1)), [10, 8]);
    assert_eq!(page(&*store, &query(1, CUSTOMER, From::Newest, 10)), []);
    assert_eq!(
        page(&*store, &query(2, INTENT, From::Newest, 10)),
        [],
        "another account"
    );
}

pub(super) fn pages_of_a_rare_kind_pass_over_the_others(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    let mut seq = 1;
    for block in 0..50u64 {
        let mut heads = Vec::new();
        for nth in 0..200u64 {
            let rare = (block, nth) == (3, 77) || (block, nth) == (40, 0);
            heads.push(births(1, block, seq, if rare { &[CUSTOMER] } else { &[INTENT] }));
            seq += 1;
        }
        owner.write(&heads);
    }
    let (first, second) = (3 * 200 + 78, 40 * 200 + 1);
    let customers = |from, limit| page(&*store, &query(1, CUSTOMER, from, limit));
    assert_eq!(customers(From::Newest, 10), [second, first]);
    assert_eq!(customers(From::Newest, 1), [second, first]);
    assert_eq!(customers(From::Below(second), 1), [first]);
    assert_eq!(customers(From::Above(0), 10), [second, first]);
    assert_eq!(customers(From::Above(first), 10), [second]);
}

pub(super) fn pages_heed_parents(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    owner.write(&[births(1, 1, 1, &[CUSTOMER, CUSTOMER])]);
    // Intents 3, 4, … 12, in turn of customer 1 and 2; the even ones have a charge each.
    for seq in 3..=12u64 {
        let list = [(1 + seq % 2, INTENT, seq)];
        owner.write(&[Head {
            lists: list.into_iter().collect(),
            ..births(1, seq, seq, &[INTENT])
        }]);
    }
    for seq in 13..=15u64 {
        let lists = [
            (1, CHARGE, seq),
            (4, CHARGE, seq),
            (if seq == 14 { 2 } else { 4 }, CHARGE, seq),
        ];
        owner.write(&[Head {
            lists: lists.into_iter().collect(),
            ..births(1, seq, seq, &[CHARGE])
        }]);
    }
    let listed = |kind, parents: &[u64], from, limit| {
        page(
            &*store,
            &PageQuery {
                parents,
                ..query(1, kind, from, limit)
            },
        )
    };
    assert_eq!(listed(INTENT, &[1], From::Newest, 3), [12, 10, 8, 6]);
    assert_eq!(listed(INTENT, &[2], From::Newest, 100), [11, 9, 7, 5, 3]);
    assert_eq!(listed(INTENT, &[1], From::Below(8), 1), [6, 4]);
    assert_eq!(listed(INTENT, &[1], From::Above(6), 1), [10, 8]);
    assert_eq!(listed(INTENT, &[1, 2], From::Newest, 10), []);
    assert_eq!(listed(INTENT, &[99], From::Newest, 10), []);
    assert_eq!(listed(CHARGE, &[1], From::Newest, 10), [15, 14, 13]);
    assert_eq!(listed(CHARGE, &[1, 4], From::Newest, 1), [15, 14]);
    assert_eq!(listed(CHARGE, &[4, 2, 1], From::Newest, 10), [14]);
    assert_eq!(
        page(
            &*store,
            &PageQuery {
                parents: &[1],
                ..query(2, INTENT, From::Newest, 9)
            }
        ),
        []
    );

    // An old intent can join a list later.
    let late = Head {
        lists: [(2, INTENT, 4)].into_iter().collect(),
        ..births(1, 16, 16, &[])
    };
    owner.write(&[late]);
    assert_eq!(listed(INTENT, &[2], From::Newest, 100), [11, 9, 7, 5, 4, 3]);
}

pub(super) fn pages_heed_times(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    owner.write(&[births(1, 5, 1, &[CUSTOMER])]);
    for (seq, now_ms) in [(2, 10), (3, 10), (4, 20), (5, 30), (6, 30), (7, 40)] {
        let list = [(1, INTENT, seq)].into_iter().collect();
        owner.write(&[Head {
            lists: list,
            ..births(1, now_ms, seq, &[INTENT])
        }]);
    }
    for parents in [&[][..], &[1]] {
        let born = |born_ms, from, limit| {
            page(
                &*store,
                &PageQuery {
                    born_ms,
                    parents,
                    ..query(1, INTENT, from, limit)
                },
            )
        };
        assert_eq!(born((10, 30), From::Newest, 10), [6, 5, 4, 3, 2], "both ends count");
        assert_eq!(born((11, 29), From::Newest, 10), [4]);
        assert_eq!(born((0, 9), From::Newest, 10), []);
        assert_eq!(born((41, u64::MAX), From::Newest, 10), []);
        assert_eq!(born((30, u64::MAX), From::Newest, 1), [7, 6]);
        assert_eq!(born((10, 30), From::Below(5), 1), [4, 3]);
        assert_eq!(born((20, 40), From::Above(0), 1), [5, 4]);
        assert_eq!(born((30, 20), From::Newest, 10), [], "an empty span");
    }
}

pub(super) fn a_clock_that_steps_back_disturbs_no_list(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    for (seq, now_ms) in [(1, 10), (2, 50), (3, 20), (4, 60)] {
        owner.write(&[births(1, now_ms, seq, &[INTENT])]);
    }
    let born = |born_ms| {
        page(
            &*store,
            &PageQuery {
                born_ms,
                ..query(1, INTENT, From::Newest, 10)
            },
        )
    };
    assert_eq!(born((0, u64::MAX)), [4, 3, 2, 1]);
    assert_eq!(born((0, 49)), [1]);
    assert_eq!(born((50, 59)), [3, 2], "it counts as born with the one before it");
    let record = store.birth(AccountRef(1), 3).unwrap().expect("it is there");
    assert_eq!(record.head.now_ms, 20, "the record says what it says");
}

pub(super) fn pages_heed_tags_and_the_callers_choice(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    let (created, succeeded) = (1 << 3, 1 << 9);
    for nth in 0..300u64 {
        let tags = if nth % 10 == 0 { created | succeeded } else { created };
        owner.write(&[Head {
            tags,
            ..births(1, nth, nth * 3 + 1, &[INTENT, EVENT, EVENT])
        }]);
    }
    let tagged = |tags, from, limit| {
        // The second event of a record is the one that succeeded: only the caller can tell.
        let accept = &mut |seq: u64, record: &crate::Fetched| {
            assert!(record.head.first_seq <= seq && seq < record.head.first_seq + record.head.born.len() as u64);
            seq == record.head.first_seq + 2
        };
        store
            .page(
                &PageQuery {
                    tags,
                    ..query(1, EVENT, from, limit)
                },
                accept,
            )
            .unwrap()
    };
    let event = |nth: u64| nth * 3 + 3;
    assert_eq!(tagged(succeeded, From::Newest, 2), [event(290), event(280), event(270)]);
    assert_eq!(tagged(succeeded, From::Below(event(280)), 1), [event(270), event(260)]);
    assert_eq!(tagged(succeeded, From::Above(event(280)), 5), [event(290)]);
    assert_eq!(tagged(succeeded, From::Above(event(0)), 1), [event(20), event(10)]);
    assert_eq!(tagged(succeeded | created, From::Newest, 1), [event(299), event(298)]);
    assert_eq!(tagged(1 << 40, From::Newest, 10), []);
    assert_eq!(tagged(succeeded, From::Newest, 100).len(), 30);
}

/// What the records of an account should answer, the slow way.
struct Plain(Vec<Head>);

impl Plain {
    fn page(&self, query: &PageQuery<'_>) -> Vec<u64> {
        let mut all: Vec<u64> = Vec::new();
        for head in self.0.iter().filter(|head| head.account == query.account.0) {
            for (nth, &kind) in head.born.iter().enumerate() {
                let seq = head.first_seq + nth as u64;
                let children = |&parent: &u64| {
                    let mut lists = self.0.iter().filter(|other| other.account == head.account);
                    lists.any(|other| other.lists.contains(&(parent, kind, seq)))
                };
                let fits = kind == query.kind
                    && (query.born_ms.0..=query.born_ms.1).contains(&head.now_ms)
                    && (query.tags == 0 || head.tags & query.tags != 0)
                    && query.parents.iter().all(children);
                if fits {
                    all.push(seq);
                }
            }
        }
        all.reverse();
        let wanted = query.limit + 1;
        match query.from {
            From::Newest => all.truncate(wanted),
            From::Below(bound) => {
                all.retain(|&seq| seq < bound);
                all.truncate(wanted);
            }
            From::Above(bound) => {
                all.retain(|&seq| seq > bound);
                all.drain(..all.len().saturating_sub(wanted));
            }
        }
        all
    }
}

/// A few accounts with everything, from a fixed seed.
fn mixture(shard: u64, seed: u64) -> Vec<Vec<Head>> {
    let mut random = seed;
    let mut draw = move |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut next = [1u64; 3];
    let mut now_ms = 1000;
    let mut blocks = Vec::new();
    for _ in 0..120 {
        let mut block = Vec::new();
        for _ in 0..1 + draw(12) {
            now_ms += draw(3) * draw(40);
            let which = draw(3) as usize;
            let first_seq = next[which];
            let born: Vec<u8> = (0..draw(5))
                .map(|_| [INTENT, CHARGE, CUSTOMER, EVENT][draw(4) as usize])
                .collect();
            let mut head = births(shard * 10 + which as u64 + 1, now_ms, first_seq, &born);
            head.tags = draw(8);
            for (nth, &kind) in born.iter().enumerate() {
                if draw(2) == 0 {
                    head.lists.push((1 + draw(6), kind, first_seq + nth as u64));
                }
            }
            if first_seq > 1 && draw(3) == 0 {
                head.changed.push(1 + draw(first_seq - 1));
            }
            if draw(4) == 0 {
                let mut key = [0; 12];
                key[0] = draw(40) as u8;
                head.key = Some(key);
            }
            if draw(5) == 0 {
                head.timers.push((now_ms + draw(5000), first_seq));
            }
            head.row = draw(60) == 0 && born.is_empty();
            next[which] += born.len() as u64 + draw(2);
            block.push(head);
        }
        blocks.push(block);
    }
    blocks
}

pub(super) fn pages_agree_with_a_plain_filter(subject: Box<dyn Subject>) {
    let store = subject.store();
    let mut owner = Script::claim(&store, 0);
    let mut plain = Plain(Vec::new());
    for heads in mixture(0, 42) {
        owner.write(&heads);
        plain.0.extend(heads);
    }
    for_every_query(&mut |query| {
        assert_eq!(page(&*store, query), plain.page(query), "{query:?}");
    });
}

fn for_every_query(check: &mut dyn FnMut(&PageQuery<'_>)) {
    for account in 1..=3 {
        for kind in [INTENT, CHARGE, EVENT] {
            for from in [
                From::Newest,
                From::Below(150),
                From::Below(3),
                From::Above(0),
                From::Above(150),
            ] {
                for limit in [1, 7, 1000] {
                    for parents in [&[][..], &[1], &[2, 3], &[3, 2, 1]] {
                        for born_ms in [(0, u64::MAX), (2000, 6000), (4000, 4100), (7000, u64::MAX)] {
                            for tags in [0, 1, 6] {
                                let account = AccountRef(account);
                                check(&PageQuery {
                                    account,
                                    kind,
                                    from,
                                    limit,
                                    parents,
                                    born_ms,
                                    tags,
                                });
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn a_restart_changes_no_answer(subject: Box<dyn Subject>) {
    let store = subject.store();
    for shard in 0..super::SHARDS {
        let mut owner = Script::claim(&store, shard);
        mixture(u64::from(shard), 7 + u64::from(shard))
            .iter()
            .for_each(|heads| owner.write(heads));
    }
    let before = everything(&*store);
    assert!(before.len() > 10_000, "the comparison looks at something");
    drop(store);
    let mut subject = subject;
    for _ in 0..2 {
        subject = subject.restart();
        let store = subject.store();
        let after = everything(&*store);
        let differs = before.iter().zip(&after).find(|(one, other)| one != other);
        assert!(differs.is_none() && before.len() == after.len(), "{differs:?}");
    }
}

/// Every answer a store gives about the mixture, as text.
fn everything(store: &dyn Store) -> Vec<String> {
    let mut answers = Vec::new();
    for shard in 0..super::SHARDS {
        answers.push(format!("{:?}", store.accounts(ShardId(shard))));
        answers.push(format!("{:?}", store.timers_due(ShardId(shard), u64::MAX, 10_000)));
        for (account, _) in store.accounts(ShardId(shard)) {
            for seq in 0..800 {
                answers.push(format!(
                    "{:?}",
                    store.newest(account, seq).unwrap().map(|record| record.head)
                ));
                answers.push(format!(
                    "{:?}",
                    store.birth(account, seq).unwrap().map(|record| record.body)
                ));
            }
            for first in 0..40u8 {
                let mut key = [0; 12];
                key[0] = first;
                let record = store.by_key(account, &key).unwrap();
                // That a key may exist is no promise that it does, and the filters of other files err elsewhere.
                assert!(
                    record.is_none() || store.key_may_exist(account, &key),
                    "a key that is there is denied"
                );
                answers.push(format!("{:?}", record.map(|record| record.head)));
            }
            let visit = &mut |record: &crate::Fetched| {
                answers.push(format!("{:?}", record.head));
                Ok(())
            };
            store.replay_account(account, visit).unwrap();
        }
    }
    for_every_query(&mut |query| answers.push(format!("{:?}", page(store, query))));
    answers
}
