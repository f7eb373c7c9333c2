//! The record codec through derived types.

use crate::sample::{AccountKey, Kept, Reason, Status, Tracking};
use proptest::prelude::*;
use std::sync::Arc;
use tollgate_resource::record::{
    Field, Input, Wire, delimited, put_field, put_key, put_skippable, put_str, put_varint,
};
use tollgate_resource::{Id, Metadata, Record, RecordError, Version};

#[derive(Debug, PartialEq, Record)]
struct Early {
    #[record(1)]
    amount: i64,
}

#[derive(Debug, PartialEq, Record)]
struct Later {
    #[record(1)]
    amount: i64,
    #[record(2)]
    tip: Option<i64>,
    #[record(3, skippable)]
    note: Option<String>,
    #[record(4, skippable)]
    clicks: u64,
}

#[derive(Debug, PartialEq, Record)]
struct Nothing {}

#[test]
fn every_status_reads_back() {
    for status in [
        Status::Pending,
        Status::Failed {
            reason: Reason::Duplicate,
            at: Some(0),
        },
        Status::Failed {
            reason: Reason::Fraudulent,
            at: None,
        },
        Status::Sent(Arc::new(Tracking {
            carrier: Some("post".into()),
            number: 4,
        })),
        Status::Sent(Arc::new(Tracking::default())),
        Status::Split(0, i64::MIN),
        Status::Noted(None),
        Status::Noted(Some("x".into())),
    ] {
        assert_eq!(Status::from_bytes(&status.to_bytes()), Ok(status.clone()));
        let kept = Kept {
            status,
            ..Kept::sample()
        };
        assert_eq!(Kept::from_bytes(&kept.to_bytes()), Ok(kept));
    }
}

#[test]
fn zero_is_not_absent_where_it_was_given() {
    let given = Later {
        amount: 0,
        tip: Some(0),
        note: Some(String::new()),
        clicks: 0,
    };
    let bytes = given.to_bytes();
    assert_eq!(Later::from_bytes(&bytes), Ok(given));
    let nothing = Later {
        amount: 0,
        tip: None,
        note: None,
        clicks: 0,
    };
    assert_eq!(nothing.to_bytes(), [0u8; 0], "absent values take no bytes");
    assert_eq!(Later::from_bytes(&[]), Ok(nothing));
}

#[test]
fn an_unknown_field_is_refused_unless_it_is_skippable() {
    let skippable = Later {
        amount: 7,
        tip: None,
        note: Some("n".repeat(200)),
        clicks: 3,
    };
    assert_eq!(Early::from_bytes(&skippable.to_bytes()), Ok(Early { amount: 7 }));
    let needed = Later {
        amount: 7,
        tip: Some(1),
        note: None,
        clicks: 0,
    };
    assert_eq!(
        Early::from_bytes(&needed.to_bytes()),
        Err(RecordError::UnknownField {
            shape: "Early",
            number: 2
        })
    );
    assert_eq!(
        Nothing::from_bytes(&Later { amount: 0, ..skippable }.to_bytes()),
        Ok(Nothing {})
    );
}

#[test]
fn an_unknown_variant_is_refused() {
    assert_eq!(
        Reason::from_bytes(&[3]),
        Err(RecordError::UnknownVariant {
            shape: "Reason",
            number: 3
        })
    );
    assert_eq!(
        Status::from_bytes(&[99]),
        Err(RecordError::UnknownVariant {
            shape: "Status",
            number: 99
        })
    );
}

#[test]
fn damage_is_named() {
    let mut bytes = Vec::new();
    put_field(&5i64, 1, &mut bytes);
    put_field(&6i64, 1, &mut bytes);
    assert_eq!(
        Early::from_bytes(&bytes),
        Err(RecordError::RepeatedField {
            shape: "Early",
            number: 1
        })
    );

    let mut bytes = Vec::new();
    put_field(&String::from("five"), 1, &mut bytes);
    assert_eq!(
        Early::from_bytes(&bytes),
        Err(RecordError::WrongWire {
            shape: "Early",
            number: 1
        })
    );

    assert_eq!(
        Reason::from_bytes(&[1, 1]),
        Err(RecordError::Trailing { shape: "Reason" })
    );
    assert_eq!(Reason::from_bytes(&[]), Err(RecordError::Truncated));
    assert_eq!(
        Kept::from_bytes(&[]),
        Err(RecordError::MissingField {
            shape: "Kept",
            number: 1
        })
    );

    let mut bytes = Vec::new();
    put_key(&mut bytes, 3, Wire::Skippable);
    bytes.extend([2, 0xff, 0xff]);
    assert_eq!(Later::from_bytes(&bytes), Err(RecordError::Text));
}

#[test]
fn a_field_may_become_skippable_later() {
    let mut bytes = Vec::new();
    put_field(&Some(String::from("old")), 3, &mut bytes);
    assert_eq!(Later::from_bytes(&bytes).unwrap().note.as_deref(), Some("old"));
    let mut bytes = Vec::new();
    put_skippable(&9u64, 4, &mut bytes);
    put_skippable(&-2i64, 1, &mut bytes);
    assert_eq!(
        Later::from_bytes(&bytes),
        Ok(Later {
            amount: -2,
            tip: None,
            note: None,
            clicks: 9
        })
    );
}

#[test]
fn the_layout_is_what_the_documents_say() {
    let mut expected = Vec::new();
    put_varint(&mut expected, 2);
    put_key(&mut expected, 1, Wire::Varint);
    put_varint(&mut expected, 7);
    put_key(&mut expected, 2, Wire::Varint);
    put_varint(&mut expected, 1);
    assert_eq!(
        Status::Failed {
            reason: Reason::Fraudulent,
            at: Some(-1)
        }
        .to_bytes(),
        expected
    );

    let mut expected = Vec::new();
    put_varint(&mut expected, 3);
    delimited(&mut expected, |out| {
        put_key(out, 1, Wire::Bytes);
        put_str(out, "post");
    });
    assert_eq!(
        Status::Sent(Arc::new(Tracking {
            carrier: Some("post".into()),
            number: 0
        }))
        .to_bytes(),
        expected
    );
    assert_eq!(
        AccountKey(300).to_bytes(),
        [0xac, 2],
        "a struct of one unnumbered field is that value"
    );
    assert_eq!(
        (Reason::WIRE, Status::WIRE, AccountKey::WIRE),
        (Wire::Varint, Wire::Bytes, Wire::Varint)
    );
}

#[test]
fn names_and_numbers_are_listed_by_number() {
    assert_eq!(Tracking::FIELDS, [(1, "carrier"), (2, "number")]);
    assert_eq!(Kept::FIELDS[8..10], [(9, "status"), (10, "reason")]);
    assert_eq!(Kept::FIELDS.last(), Some(&(2000, "type")));
    assert_eq!(
        Reason::FIELDS,
        [(1, "Duplicate"), (2, "RequestedByCustomer"), (7, "Fraudulent")]
    );
    assert_eq!(
        Status::FIELDS,
        [
            (1, "Pending"),
            (2, "Failed { 1 reason, 2 at }"),
            (3, "Sent(value)"),
            (4, "Split { 1 0, 2 1 }"),
            (5, "Noted(value)"),
        ]
    );
    assert_eq!((Kept::NAME, Status::NAME), ("Kept", "Status"));
}

#[test]
fn a_struct_whose_fields_may_all_be_absent_may_be_absent_itself() {
    assert!(Tracking::default().is_absent());
    assert_eq!(<Tracking as Field>::absent(), Some(Tracking::default()));
    assert_eq!(<Kept as Field>::absent(), None);
    assert!(!Kept::sample().is_absent());
}

fn metadata() -> impl Strategy<Value = Metadata> {
    prop::collection::vec((".{0,5}", ".{0,20}"), 0..4).prop_map(|pairs| {
        let mut metadata = Metadata::default();
        pairs.iter().for_each(|(key, value)| metadata.set(key, value));
        metadata
    })
}

fn tracking() -> impl Strategy<Value = Tracking> {
    (prop::option::of(".{0,300}"), any::<u32>()).prop_map(|(carrier, number)| Tracking {
        carrier: carrier.map(String::into_boxed_str),
        number,
    })
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Pending),
        any::<Option<i64>>().prop_map(|at| Status::Failed {
            reason: Reason::RequestedByCustomer,
            at
        }),
        tracking().prop_map(|tracking| Status::Sent(Arc::new(tracking))),
        any::<(i64, i64)>().prop_map(|(a, b)| Status::Split(a, b)),
        prop::option::of(".{1,9}").prop_map(|note| Status::Noted(note.map(String::into_boxed_str))),
    ]
}

fn kept() -> impl Strategy<Value = Kept> {
    let plain = (
        any::<(u128, i64, u64, u128, bool, u32, [u8; 2])>(),
        any::<(Option<u64>, Option<String>, Vec<u64>)>(),
    );
    let nested = (
        metadata(),
        prop::option::of(tracking()),
        tracking(),
        prop::collection::vec(status(), 0..5),
        status(),
    );
    (plain, nested).prop_map(|(plain, nested)| {
        let ((id, amount, account, hash, livemode, version, country), (count, note, keys)) = plain;
        let (metadata, tracking, origin, statuses, status) = nested;
        Kept {
            status,
            id: Id::from_bits(id),
            amount,
            account: AccountKey(account),
            tracking,
            metadata,
            note,
            count,
            keys: keys.into_iter().map(AccountKey).collect(),
            reason: Some(Reason::Duplicate),
            country,
            version: Version(version),
            origin,
            hash,
            livemode,
            statuses,
            r#type: None,
        }
    })
}

proptest! {
    #[test]
    fn any_record_reads_back(kept in kept()) {
        let bytes = kept.to_bytes();
        prop_assert_eq!(Kept::from_bytes(&bytes).unwrap(), kept);
    }

    #[test]
    fn a_record_cut_anywhere_never_reads_as_the_whole(kept in kept(), at in any::<prop::sample::Index>()) {
        let bytes = kept.to_bytes();
        let cut = &bytes[..at.index(bytes.len())];
        prop_assert_ne!(Kept::from_bytes(cut), Ok(kept));
    }

    #[test]
    fn a_changed_byte_never_panics(kept in kept(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = kept.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = Kept::from_bytes(&bytes) {
            prop_assert_eq!(Kept::from_bytes(&read.to_bytes()).unwrap(), read);
        }
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Kept::from_bytes(&bytes);
        let _ = Status::from_bytes(&bytes);
        let _ = Later::from_bytes(&bytes);
        let _ = Metadata::take(&mut Input::new(&bytes));
        let _ = Vec::<Status>::take(&mut Input::new(&bytes));
    }
}
