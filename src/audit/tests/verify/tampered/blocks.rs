//! Rows, envelopes, blocks and a directory that were broken, one way a case.

use super::expect;
use crate::journal::{Journal, START_MS};
use crate::{at, audit, story};
use std::sync::Arc;
use tollgate_audit::Check;
use tollgate_domain::Command;
use tollgate_domain::customers::customer::CreateCustomer;
use tollgate_domain::customers::tax_id::{CreateTaxId, TaxIdType};
use tollgate_domain::directory::{ApiKey, ApiKeyHash, ApiKeyKind, DirectoryFact};
use tollgate_domain::payments::payment_intent::CaptureMethod;
use tollgate_resource::Update;
use tollgate_store::{Block, Epoch, Head, ShardId};

/// A name, the check that must find it, a word that must be in what is found, and the way to break it.
type BlockCase = (&'static str, Check, &'static str, fn(&mut Vec<Block>));
type DirectoryCase = (&'static str, Check, &'static str, fn(&mut Journal));
type HeadCase = (&'static str, &'static str, fn(usize, &mut Head));

#[test]
fn broken_rows_are_found() {
    let mut journal = story();
    let late = journal.steps[at::LAST_ROW].clone();
    journal.steps[at::ROW] = late;
    expect(
        "a row of a later state",
        Check::Row,
        "the row holds sequence",
        &journal,
        &journal.blocks(),
    );

    // The row of an account that has paid another amount, at the same sequence and time.
    let row_of = |amount| {
        let mut journal = Journal::new();
        journal.pay(amount, "visa", CaptureMethod::Automatic, "key");
        journal.row();
        journal
    };
    let mut journal = row_of(1_000);
    journal.steps[1] = row_of(1_001).steps[1].clone();
    expect(
        "a row of other sums",
        Check::Row,
        "the records lead to",
        &journal,
        &journal.blocks(),
    );
}

#[test]
fn broken_envelopes_are_found() {
    let cases: [HeadCase; 8] = [
        ("kind", "born", |_, head| head.born[0] = 9),
        ("change", "changed", |_, head| head.changed.push(1)),
        ("list", "lists", |_, head| head.lists.clear()),
        ("tags", "tags", |_, head| head.tags = 0),
        ("timer", "timers", |_, head| head.timers.push((START_MS, 1))),
        ("sequence", "first_seq", |_, head| head.first_seq += 1),
        ("key", "an idempotency key if and only if", |_, head| head.key = None),
        ("key's hash", "filed under another key's hash", |_, head| {
            head.key = Some([1; 12])
        }),
    ];
    for (name, word, tamper) in cases {
        let journal = story();
        let blocks = journal.blocks_with(|at, head| {
            if at == at::PAID {
                tamper(at, head);
            }
        });
        expect(name, Check::Envelope, word, &journal, &blocks);
    }
    let journal = story();
    let row = journal.blocks_with(|at, head| head.first_seq += u64::from(at == at::ROW));
    expect("row", Check::Envelope, "the envelope of the row", &journal, &row);
}

/// Releases before there were marks named none; a record after one that names a mark is of none of them.
#[test]
fn an_envelope_without_its_mark_is_found_where_marks_were_named_before() {
    let mut journal = Journal::new();
    for name in ["jenny", "rosen", "furrow"] {
        let asked = CreateCustomer {
            email: Update::Set(format!("{name}@example.com").into()),
            ..CreateCustomer::default()
        };
        journal.ask(Command::CreateCustomer(Box::new(asked)), None);
    }
    let without = |records: &[usize]| journal.blocks_with(|at, head| head.lists.retain(|_| !records.contains(&at)));
    for older in [&[0][..], &[0, 1], &[0, 1, 2]] {
        assert_eq!(
            audit(&journal, &without(older)).difference,
            None,
            "records {older:?} are older"
        );
    }
    for broken in [&[1][..], &[2], &[0, 2]] {
        expect("a mark", Check::Envelope, "lists", &journal, &without(broken));
    }
}

/// Marks came one kind after the other: records may know one kind and not yet the next.
#[test]
fn a_mark_of_a_kind_that_came_later_may_be_missing_until_it_is_named() {
    let mut journal = Journal::new();
    let customer = CreateCustomer {
        email: Update::Set("jenny@example.com".into()),
        ..CreateCustomer::default()
    };
    journal.ask(Command::CreateCustomer(Box::new(customer)), None);
    for number in ["DE123456789", "DE123456788"] {
        let asked = CreateTaxId {
            kind: TaxIdType::from_name("eu_vat"),
            value: number.into(),
            ..CreateTaxId::default()
        };
        journal.ask(Command::CreateTaxId(None, Box::new(asked)), None);
    }
    let without = |records: &[usize]| journal.blocks_with(|at, head| head.lists.retain(|_| !records.contains(&at)));
    for older in [&[][..], &[1], &[1, 2]] {
        assert_eq!(
            audit(&journal, &without(older)).difference,
            None,
            "records {older:?} are older"
        );
    }
    expect("a mark", Check::Envelope, "lists", &journal, &without(&[2]));
}

#[test]
fn broken_blocks_are_found() {
    let cases: [BlockCase; 6] = [
        (
            "a block is lost",
            Check::BlockOrder,
            "block 3 of the shard follows on block 1",
            |blocks| {
                blocks.remove(2);
            },
        ),
        (
            "a block comes twice",
            Check::BlockOrder,
            "block 2 of the shard follows on block 2",
            |blocks| {
                let again = blocks[2].clone();
                blocks.insert(3, again);
            },
        ),
        (
            "an epoch goes back",
            Check::BlockOrder,
            "epoch 1 follows on epoch 5",
            |blocks| {
                blocks[2].epoch = Epoch(5);
            },
        ),
        (
            "a block's time goes back",
            Check::Time,
            "lies before its shard's",
            |blocks| {
                blocks[2].now_ms = START_MS - 1;
            },
        ),
        (
            "a record lies after its block",
            Check::Time,
            "lies after its block's",
            |blocks| {
                blocks[1].now_ms -= 1;
            },
        ),
        (
            "an account in two shards",
            Check::Directory,
            "in shard 3 and in shard 4",
            |blocks| {
                blocks[2].shard = ShardId(4);
                blocks[2].seq = 1;
            },
        ),
    ];
    for (name, check, word, tamper) in cases {
        let journal = story();
        let mut blocks = journal.blocks();
        tamper(&mut blocks.0);
        expect(name, check, word, &journal, &blocks);
    }
}

#[test]
fn a_broken_directory_is_found() {
    let cases: [DirectoryCase; 4] = [
        (
            "an unknown account",
            Check::Directory,
            "which the directory does not know",
            |journal| {
                journal.directory.facts.clear();
            },
        ),
        (
            "an account twice",
            Check::Directory,
            "the account exists already",
            |journal| {
                let again = journal.directory.facts[0].clone();
                journal.directory.facts.push(again);
            },
        ),
        (
            "a place that does not follow",
            Check::Directory,
            "does not follow from its id",
            |journal| {
                if let DirectoryFact::AccountCreated(profile) = &mut journal.directory.facts[0] {
                    Arc::make_mut(profile).livemode = true;
                }
            },
        ),
        (
            "a key of no account",
            Check::Directory,
            "there is no such account",
            |journal| {
                let hash = ApiKeyHash::from_bytes([1; 32]);
                let account = tollgate_domain::AccountKey(1);
                journal.directory.facts.push(DirectoryFact::KeyAdded(ApiKey {
                    hash,
                    account,
                    kind: ApiKeyKind::Secret,
                    created_ms: START_MS,
                    last4: "last".into(),
                    revoked_ms: None,
                    permissions: Vec::new(),
                    expires_ms: None,
                    used_ms: 0,
                }));
            },
        ),
    ];
    for (name, check, word, tamper) in cases {
        let mut journal = story();
        tamper(&mut journal);
        expect(name, check, word, &journal, &journal.blocks());
    }
}
