use super::keys::Keys;
use super::*;
use crate::reads::{Fetch, View};
use crate::{Fetched, From, StoreError};
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

const SHARD: ShardId = ShardId(0);

fn place(number: u64) -> Place {
    Place {
        segment: 1,
        offset: number as u32,
        len: 10,
    }
}

fn births(now_ms: u64, first_seq: u64, born: &[u8]) -> Head {
    Head {
        account: 1,
        now_ms,
        first_seq,
        born: born.into(),
        ..Head::default()
    }
}

fn query(kind: u8, tags: u64) -> PageQuery<'static> {
    let account = AccountRef(1);
    PageQuery {
        account,
        kind,
        from: From::Newest,
        limit: 0,
        parents: &[],
        born_ms: (0, u64::MAX),
        tags,
    }
}

/// Walks a whole list by bounded steps of `max`.
fn walk(index: &dyn Index, query: &PageQuery<'_>, mut step: Step) -> Vec<(u64, Place)> {
    let mut all = Vec::new();
    for _ in 0..100_000 {
        let candidates = index.candidates(query, step).unwrap();
        all.extend(candidates.found);
        match candidates.resume {
            Some(seq) if step.upward => step.low = seq,
            Some(seq) => step.high = seq,
            None => return all,
        }
    }
    panic!("the walk does not end");
}

#[test]
fn records_out_of_order_are_not_admitted() {
    let index = SimpleIndex::new(24);
    index.publish(SHARD, &[(place(0), births(10, 1, &[1, 2]))]);
    let admit = |shard, heads: &[Head]| {
        let records: Vec<_> = heads.iter().map(|head| (place(1), head.clone())).collect();
        index.admit(shard, &records)
    };
    assert_eq!(admit(SHARD, &[births(10, 3, &[1])]), Ok(()));
    assert_eq!(admit(SHARD, &[births(10, 3, &[1]), births(11, 4, &[1])]), Ok(()));
    assert_eq!(
        admit(SHARD, &[births(10, 0, &[])]),
        Ok(()),
        "nothing is born, so no number is taken"
    );
    let refused = |shard, heads: &[Head]| admit(shard, heads).unwrap_err();
    assert!(refused(SHARD, &[births(10, 2, &[1])]).contains("sequence 2 was given before, 3 is free"));
    assert!(refused(SHARD, &[births(10, 3, &[1]), births(10, 3, &[1])]).contains("given before"));
    assert!(refused(ShardId(1), &[births(10, 3, &[1])]).contains("belongs to shard 0"));
}

#[test]
fn dropped_generations_wait_to_be_freed() {
    let keys = Keys::new(24);
    for number in 0..1000u32 {
        let mut hash = [0; 12];
        hash[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_le_bytes());
        keys.insert(1, &hash, 0, place(u64::from(number)));
    }
    keys.insert(1, &[9; 12], 25 * HOUR_MS, place(5000));
    assert!(keys.retired() > 0, "unhooked, not freed");
    assert_eq!(keys.get(1, &[0; 12], 0), None);
    assert_eq!(keys.get(1, &[9; 12], 0), Some(place(5000)));
    keys.reclaim();
    assert_eq!(keys.retired(), 0);
    keys.insert(1, &[8; 12], 0, place(7));
    assert_eq!(
        keys.get(1, &[8; 12], 0),
        None,
        "a key of an expired hour is not taken up"
    );
}

#[test]
fn keys_are_found_by_hour_in_whatever_order_the_hours_came() {
    let keys = Keys::new(24);
    // All in one table, and one of them in two hours.
    let key = |number: u8| {
        let mut hash = [7; 12];
        hash[8] = number;
        hash
    };
    for hour in [30, 28, 32, 29, 30, 32] {
        keys.insert(1, &key(hour as u8), hour * HOUR_MS, place(hour));
    }
    keys.insert(1, &key(28), 31 * HOUR_MS, place(31));
    for hour in [29, 30, 32] {
        assert_eq!(keys.get(1, &key(hour as u8), hour), Some(place(hour)));
        assert_eq!(keys.get(1, &key(hour as u8), hour + 1), None, "not so late");
    }
    assert_eq!(keys.get(1, &key(28), 0), Some(place(31)), "the newest outcome");
    let mut all = Vec::new();
    keys.for_each(&mut |hour, _, hash, found| all.push((hour, hash[8], found)));
    all.sort_by_key(|&(hour, number, _)| (hour, number));
    let expected = [(28, 28, 28), (29, 29, 29), (30, 30, 30), (31, 28, 31), (32, 32, 32)];
    assert_eq!(all, expected.map(|(hour, number, at)| (hour, number, place(at))));
    keys.insert(1, &key(55), 55 * HOUR_MS, place(55));
    let left = |number: u8| keys.get(1, &key(number), 0).is_some();
    assert_eq!([28, 29, 30, 32, 55].map(left), [true, false, false, true, true]);
    assert_eq!(keys.retired(), 3, "hours 28, 29 and 30");
}

#[test]
fn long_lists_are_walked_in_bounded_steps() {
    let index = SimpleIndex::new(24);
    let mut seq = 1;
    for number in 0..20_000u64 {
        let born: &[u8] = match number % 5_000 {
            0 => &[1, 7],
            4_999 => &[4],
            nth if nth % 3 == 0 => &[],
            _ => &[1, 7],
        };
        let tags = if number % 7_000 == 0 { 2 } else { 1 };
        index.publish(
            SHARD,
            &[(
                place(number),
                Head {
                    tags,
                    ..births(number, seq, born)
                },
            )],
        );
        seq += born.len() as u64;
    }
    let step = Step {
        low: 0,
        high: u64::MAX,
        upward: false,
        max: 10,
    };
    let one = index.candidates(&query(4, 0), step).unwrap();
    assert!(
        one.found.len() < 4 && one.resume.is_some() || one.found.len() == 4,
        "{one:?}"
    );
    let mut down = walk(&index, &query(4, 0), step);
    assert_eq!(down.len(), 4);
    let up = walk(&index, &query(4, 0), Step { upward: true, ..step });
    down.reverse();
    assert_eq!(down, up);
    let tagged = walk(&index, &query(7, 2), step);
    assert_eq!(
        tagged.iter().map(|(_, place)| place.offset).collect::<Vec<_>>(),
        [14_000, 7_000, 0]
    );
    assert_eq!(
        walk(&index, &query(1, 0), Step { max: 3, ..step }).len(),
        20_000 - 6_664 - 4
    );
}

#[test]
fn readers_see_whole_records_while_a_publisher_works() {
    let index = SimpleIndex::new(24);
    let (published, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    let done = published.load(SeqCst);
                    if done == 0 {
                        continue;
                    }
                    assert_eq!(index.birth(AccountRef(1), done * 2).unwrap(), Some(place(done)));
                    assert!(index.key_may_exist(AccountRef(1), &key(done)));
                    let step = Step {
                        low: 0,
                        high: done * 2 + 1,
                        upward: false,
                        max: 20,
                    };
                    let found = index.candidates(&query(7, 0), step).unwrap().found;
                    assert_eq!(found.first(), Some(&(done * 2, place(done))));
                    assert_eq!(found.len() as u64, done.min(20));
                }
            });
        }
        for number in 1..=30_000u64 {
            let head = Head {
                key: Some(key(number)),
                ..births(number, number * 2 - 1, &[1, 7])
            };
            index.publish(SHARD, &[(place(number), head)]);
            published.store(number, SeqCst);
        }
        stop.store(true, SeqCst);
    });
}

fn key(number: u64) -> KeyHash {
    let mut key = [0; 12];
    key[4..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    key
}

/// A journal in which one good record stands everywhere.
struct Everywhere(Head);

impl Fetch for Everywhere {
    fn fetch(&self, _: Place) -> Result<Fetched, StoreError> {
        let (head, body) = (self.0.clone(), [].as_slice().into());
        Ok(Fetched { head, body })
    }
    fn name(&self, place: Place) -> String {
        format!("offset {}", place.offset)
    }
}

#[test]
fn a_pointer_to_another_record_is_noticed() {
    let index = SimpleIndex::new(24);
    let meant = Head {
        key: Some([1; 12]),
        changed: [1].into_iter().collect(),
        ..births(10, 5, &[1, 7])
    };
    index.publish(SHARD, &[(place(3), births(9, 1, &[1])), (place(4), meant.clone())]);
    let (account, query) = (AccountRef(1), query(7, 1));
    let errors = |stands: Head| {
        let journal = Everywhere(stands);
        let view = View {
            index: &index,
            journal: &journal,
        };
        let page = view.page(&query, &mut |_, _| true).map(|_| ());
        [
            view.newest(account, 1).map(|_| ()),
            view.birth(account, 6).map(|_| ()),
            view.by_key(account, &[1; 12]).map(|_| ()),
            page,
        ]
        .map(|answer| answer.err().map(|error| error.to_string()))
    };
    assert_eq!(errors(meant.clone()), [None, None, None, None]);
    for stands in [
        Head {
            account: 2,
            ..meant.clone()
        },
        births(11, 7, &[1, 7]),
    ] {
        let [newest, birth, by_key, _] = errors(stands);
        for error in [newest, birth, by_key] {
            assert!(
                error
                    .expect("it is noticed")
                    .contains("offset 4: another record stands")
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Against a plain vector, over several chunks, with records that give birth to nothing and gaps in the sequence.
    #[test]
    fn the_timeline_agrees_with_a_plain_vector(
        records in prop::collection::vec((prop::collection::vec(0..5u8, 0..4), 0..3u64, 0..3u64), 1..1500),
        low in 0..4000u64,
        span in 0..4000u64,
        born_ms in (0..2500u64, 0..2500u64),
        max in 1..40usize,
    ) {
        let index = SimpleIndex::new(24);
        let (mut seq, mut now_ms, mut plain) = (1, 0, Vec::new());
        for (number, (born, gap, tick)) in records.iter().enumerate() {
            now_ms += tick;
            seq += gap;
            let head = births(now_ms, seq, born);
            let record = (place(number as u64), head);
            prop_assert_eq!(index.admit(SHARD, std::slice::from_ref(&record)), Ok(()));
            index.publish(SHARD, &[record]);
            plain.extend(born.iter().enumerate().map(|(nth, &kind)| (seq + nth as u64, kind, now_ms, number as u64)));
            seq += born.len() as u64;
        }
        for probe in 0..seq + 2 {
            let expected = plain.iter().find(|born| born.0 == probe).map(|born| place(born.3));
            prop_assert_eq!(index.birth(AccountRef(1), probe).unwrap(), expected, "sequence {}", probe);
        }
        for upward in [false, true] {
            let step = Step { low, high: low + span, upward, max };
            let mut expected: Vec<_> = plain
                .iter()
                .filter(|born| born.1 == 2 && (low..low + span).contains(&born.0))
                .filter(|born| (born_ms.0..=born_ms.1).contains(&born.2))
                .map(|born| (born.0, place(born.3)))
                .collect();
            if !upward {
                expected.reverse();
            }
            let query = PageQuery { born_ms, ..query(2, 0) };
            prop_assert_eq!(walk(&index, &query, step), expected);
        }
    }
}
