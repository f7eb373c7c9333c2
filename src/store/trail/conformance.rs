//! The suite that every trail passes: what [`Trail`] promises, as facts. A broken promise panics with the name of the fact.

use super::{ENTRY_BYTES_MAX, Entry, KEPT_MS, Position, Query, READ_MAX, Trail};

/// One promise and how it is checked, on an empty trail.
type Fact = (&'static str, fn(&dyn Trail));

/// A time at which entries begin: any will do.
const START_MS: u64 = 1_790_000_000_000;
const MINUTE_MS: u64 = 60_000;

const FACTS: &[Fact] = &[
    ("an empty trail answers nothing", an_empty_trail_answers_nothing),
    (
        "what was flushed is read whole, newest first",
        flushed_entries_are_read_whole,
    ),
    (
        "entries of one millisecond stand in the order of their numbers",
        entries_of_one_millisecond,
    ),
    ("subjects keep apart", subjects_keep_apart),
    ("a second key picks its entries", a_second_key_picks),
    ("pages follow each other without a gap", pages_follow_each_other),
    ("a span of time is heeded at both ends", a_span_of_time_is_heeded),
    (
        "entries that come out of order are in order",
        out_of_order_entries_are_in_order,
    ),
    (
        "what comes again at the same place is one entry",
        the_same_place_is_one_entry,
    ),
    ("days are passed without a gap", days_are_passed),
    ("a subject with many entries is read without the others", many_entries),
    (
        "any queries agree with a plain filter",
        queries_agree_with_a_plain_filter,
    ),
];

/// Checks every promise, each on a fresh trail that can take a hundred thousand small entries and keeps all of them.
///
/// # Panics
/// When a promise is broken; the panic names it.
pub fn run(make: &dyn Fn() -> Box<dyn Trail>) {
    for (name, check) in FACTS {
        let trail = make();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&*trail)));
        if let Err(panic) = outcome {
            let why = panic.downcast_ref::<String>().map(String::as_str);
            let why = why.or_else(|| panic.downcast_ref::<&str>().copied());
            panic!("{name}: {}", why.unwrap_or("see the message above"));
        }
    }
}

/// An entry so many milliseconds after the start.
fn entry(subject: u64, second: u64, after_ms: u64, id: u64) -> Entry {
    Entry {
        subject,
        second,
        at: Position {
            at_ms: START_MS + after_ms,
            id,
        },
        bytes: format!("{subject}/{second}/{after_ms}/{id}").into_bytes(),
    }
}

fn append(trail: &dyn Trail, entries: &[Entry]) {
    for one in entries {
        trail.append(one.clone());
    }
    trail.flush();
    assert_eq!(
        trail.counts().dropped(),
        0,
        "nothing is in the way, so nothing is dropped"
    );
}

fn read(trail: &dyn Trail, query: &Query) -> Vec<Entry> {
    trail.read(query).expect("the trail can be read")
}

/// The newest entries, up to a time behind all of them.
fn newest(subject: u64, limit: usize) -> Query {
    Query::newest(subject, START_MS + KEPT_MS, limit)
}

fn an_empty_trail_answers_nothing(trail: &dyn Trail) {
    assert_eq!(read(trail, &newest(1, 10)), []);
    trail.flush();
    assert_eq!(read(trail, &newest(1, 10).of(3)), []);
    assert_eq!(trail.counts().taken, 0);
}

fn flushed_entries_are_read_whole(trail: &dyn Trail) {
    let mut entries = vec![
        entry(5, 1, 0, 1),
        Entry {
            bytes: Vec::new(),
            ..entry(5, 0, 10, u64::MAX)
        },
        Entry {
            bytes: (0..ENTRY_BYTES_MAX).map(|at| at as u8).collect(),
            ..entry(5, u64::MAX, 20, 0)
        },
    ];
    append(trail, &entries);
    entries.reverse();
    assert_eq!(read(trail, &newest(5, 10)), entries);
    assert_eq!(trail.counts().taken, 3);
}

fn entries_of_one_millisecond(trail: &dyn Trail) {
    append(
        trail,
        &[entry(1, 0, 5, 2), entry(1, 0, 5, u64::MAX - 1), entry(1, 0, 5, 7)],
    );
    let ids: Vec<u64> = read(trail, &newest(1, 10)).iter().map(|entry| entry.at.id).collect();
    assert_eq!(ids, [u64::MAX - 1, 7, 2]);
}

fn subjects_keep_apart(trail: &dyn Trail) {
    let subjects = [0, 1, 2, u64::MAX - 1, u64::MAX];
    let all: Vec<Entry> = subjects.iter().map(|&subject| entry(subject, 9, 1, 1)).collect();
    append(trail, &all);
    for one in all {
        assert_eq!(read(trail, &newest(one.subject, 10)), [one]);
    }
    assert_eq!(read(trail, &newest(3, 10)), []);
}

fn a_second_key_picks(trail: &dyn Trail) {
    let all: Vec<Entry> = (0..100).map(|n| entry(1, n % 7, n, n)).collect();
    append(trail, &all);
    append(trail, &[entry(2, 3, 50, 1)]);
    for second in 0..8 {
        let expected: Vec<Entry> = all
            .iter()
            .rev()
            .filter(|entry| entry.second == second)
            .cloned()
            .collect();
        assert_eq!(read(trail, &newest(1, 100).of(second)), expected);
    }
}

fn pages_follow_each_other(trail: &dyn Trail) {
    // Five entries a millisecond, so that pages end within one.
    let all: Vec<Entry> = (0..250).map(|n| entry(1, 0, n / 5, n)).collect();
    for part in all.chunks(60) {
        append(trail, part);
    }
    let mut query = newest(1, 17);
    let mut found = Vec::new();
    loop {
        let page = read(trail, &query);
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 17, "a page of {}", page.len());
        query.before = last.at;
        found.extend(page);
    }
    found.reverse();
    assert_eq!(found, all);
}

fn a_span_of_time_is_heeded(trail: &dyn Trail) {
    append(
        trail,
        &(0..20).map(|n| entry(1, 0, n * MINUTE_MS, n)).collect::<Vec<_>>(),
    );
    let query = Query {
        from: entry(1, 0, 3 * MINUTE_MS, 3).at,
        before: entry(1, 0, 6 * MINUTE_MS, 6).at,
        ..newest(1, 100)
    };
    let ids: Vec<u64> = read(trail, &query).iter().map(|entry| entry.at.id).collect();
    assert_eq!(ids, [5, 4, 3]);
    let nothing = Query {
        from: query.before,
        before: query.from,
        ..query
    };
    assert_eq!(read(trail, &nothing), [], "a span that ends before it begins");
}

fn out_of_order_entries_are_in_order(trail: &dyn Trail) {
    // An attempt that began early may end late.
    let order = [7, 2, 9, 4, 1, 8, 3, 0, 6, 5];
    for after in order {
        append(trail, &[entry(1, 0, after * 1_000, after)]);
    }
    let ids: Vec<u64> = read(trail, &newest(1, 4)).iter().map(|entry| entry.at.id).collect();
    assert_eq!(ids, [9, 8, 7, 6]);
}

fn the_same_place_is_one_entry(trail: &dyn Trail) {
    append(trail, &[entry(1, 0, 5, 1), entry(1, 0, 5, 1)]);
    append(trail, &[entry(1, 0, 5, 1)]);
    assert_eq!(read(trail, &newest(1, 10)), [entry(1, 0, 5, 1)]);
}

fn days_are_passed(trail: &dyn Trail) {
    // Ten entries over 27 days, within what is kept.
    let all: Vec<Entry> = (0..10).map(|n| entry(1, n, n * (KEPT_MS / 10), n)).collect();
    append(trail, &all);
    let mut expected = all.clone();
    expected.reverse();
    assert_eq!(read(trail, &newest(1, 100)), expected);
    assert_eq!(read(trail, &newest(1, 3)), expected[..3]);
    assert_eq!(read(trail, &newest(1, 3).of(0)), all[..1]);
}

fn many_entries(trail: &dyn Trail) {
    let mut all = Vec::new();
    for n in 0..6_000 {
        all.push(entry(n % 3, n / 3, n, n));
    }
    append(trail, &all);
    let mine: Vec<Entry> = all.iter().rev().filter(|entry| entry.subject == 2).cloned().collect();
    assert_eq!(
        read(trail, &newest(2, usize::MAX)),
        mine[..READ_MAX],
        "a read is bounded"
    );
    assert_eq!(read(trail, &newest(2, 5)), mine[..5]);
    assert_eq!(read(trail, &newest(2, 5).of(0)), mine[mine.len() - 1..]);
}

fn queries_agree_with_a_plain_filter(trail: &dyn Trail) {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut all = Vec::new();
    for id in 0..1_500 {
        all.push(entry(draw(4), draw(12), id + draw(400), id));
        if draw(90) == 0 {
            append(trail, &all[all.len() - 1..]);
        } else {
            trail.append(all[all.len() - 1].clone());
        }
    }
    trail.flush();
    for _ in 0..60 {
        let (low, high) = (draw(2_000), draw(2_000));
        let query = Query {
            subject: draw(5),
            second: (draw(2) == 0).then(|| draw(13)),
            from: entry(0, 0, low, draw(1_500)).at,
            before: entry(0, 0, high, draw(1_500)).at,
            limit: draw(50) as usize,
        };
        let mut expected: Vec<Entry> = all.iter().filter(|entry| query.wants(entry)).cloned().collect();
        expected.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        expected.truncate(query.limit);
        assert_eq!(read(trail, &query), expected, "{query:?}");
    }
}
