use super::head::KNOWN;
use super::*;
use proptest::prelude::*;
use smallvec::smallvec;

/// What a confirmed payment with a key writes: intent, charge, balance transaction and four events; charge and balance
/// transaction in the intent's lists, the intent in its customer's.
fn payment() -> Head {
    Head {
        account: 0x9e37_79b9_7f4a_7c15,
        now_ms: 1_790_000_000_000,
        first_seq: 1_000_000,
        born: smallvec![1, 2, 5, 7, 7, 7, 7],
        changed: smallvec![],
        lists: smallvec![
            (1_000_000, 2, 1_000_001),
            (1_000_000, 5, 1_000_002),
            (500, 1, 1_000_000)
        ],
        tags: 1 << 3 | 1 << 9 | 1 << 12,
        key: Some(*b"twelve bytes"),
        timers: smallvec![],
        row: false,
    }
}

fn sealed(records: &[(Head, Vec<u8>)]) -> Block {
    let mut builder = BlockBuilder::new(ShardId(3), Epoch(2), 0);
    for (head, body) in records {
        builder.push(head, body).expect("the block has room");
    }
    builder.seal(1)
}

#[test]
fn a_payment_takes_few_bytes() {
    let mut out = Vec::new();
    put_head(&mut out, &payment());
    assert!(out.len() <= 48, "the head of a payment takes {} bytes", out.len());
    let block = sealed(&[(payment(), vec![7; 500])]);
    assert!(block.bytes.len() <= 500 + 48 + 6, "{} bytes", block.bytes.len());
}

#[test]
fn an_unknown_field_is_refused() {
    let mut content = Vec::new();
    put_varint(&mut content, KNOWN + 1);
    content.extend_from_slice(b"whatever a later release puts here");
    let mut bytes = Vec::new();
    put_varint(&mut bytes, content.len() as u64);
    bytes.extend_from_slice(&crc32c::crc32c(&content).to_le_bytes());
    bytes.extend_from_slice(&content);
    assert_eq!(read_record(&bytes), Err(EnvelopeError::UnknownField(KNOWN + 1)));
    let error = read_record(&bytes).unwrap_err().at("here".into());
    assert!(error.to_string().contains("newer release"), "{error}");
}

#[test]
fn a_block_is_bounded_by_records_and_by_bytes() {
    let mut builder = BlockBuilder::new(ShardId(0), Epoch(1), 9);
    for _ in 0..RECORDS_PER_BLOCK_MAX {
        builder.push(&payment(), b"").unwrap();
    }
    assert_eq!(builder.push(&payment(), b""), Err(BlockFull));
    let block = builder.seal(1);
    assert_eq!(
        (block.count as usize, block.now_ms),
        (RECORDS_PER_BLOCK_MAX, payment().now_ms)
    );

    assert!(builder.is_empty());
    builder
        .push(&Head::default(), &vec![0; BLOCK_BYTES_MAX * 2])
        .expect("one record may be larger than a block");
    assert_eq!(builder.push(&Head::default(), b"x"), Err(BlockFull));
    assert_eq!(builder.seal(2).now_ms, payment().now_ms, "time does not go back");
}

#[test]
fn every_flipped_bit_of_a_block_is_noticed() {
    let block = sealed(&[
        (payment(), b"first".to_vec()),
        (Head::default(), Vec::new()),
        (payment(), vec![9; 40]),
    ]);
    let whole: Vec<_> = records(&block.bytes, block.count).map(Result::unwrap).collect();
    for bit in 0..block.bytes.len() * 8 {
        let mut bytes = block.bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let read: Vec<_> = records(&bytes, block.count).collect();
        assert!(read.iter().any(Result::is_err), "bit {bit} went unnoticed");
        for (record, original) in read.into_iter().map_while(Result::ok).zip(&whole) {
            assert_eq!(&record, original, "bit {bit} changed a record that was served");
        }
    }
}

#[test]
fn a_wrong_count_or_a_cut_is_refused() {
    let block = sealed(&[(payment(), b"first".to_vec()), (payment(), b"second".to_vec())]);
    assert!(records(&block.bytes, 1).any(|record| record.is_err()));
    assert!(records(&block.bytes, 3).any(|record| record.is_err()));
    for len in 0..block.bytes.len() {
        assert!(
            records(&block.bytes[..len], 2).any(|record| record.is_err()),
            "cut at {len}"
        );
    }
}

fn any_head() -> impl Strategy<Value = Head> {
    let seq = prop_oneof![0..2000u64, any::<u64>()];
    (
        (any::<u64>(), prop_oneof![Just(0), any::<u64>()], 0..u64::MAX / 2),
        prop::collection::vec(prop_oneof![0..16u8, 0..KINDS_MAX], 0..20),
        prop::collection::vec(seq.clone(), 0..6),
        prop::collection::vec((seq.clone(), 0..KINDS_MAX, seq.clone()), 0..6),
        prop_oneof![Just(0), any::<u64>(), (0..64u32).prop_map(|bit| 1 << bit)],
        prop::option::of(any::<KeyHash>()),
        prop::collection::vec((any::<u64>(), seq), 0..4),
        any::<bool>(),
    )
        .prop_map(
            |((account, now_ms, first_seq), born, changed, lists, tags, key, timers, row)| Head {
                account,
                now_ms,
                first_seq,
                born: born.into(),
                changed: changed.into(),
                lists: lists.into(),
                tags,
                key,
                timers: timers.into(),
                row,
            },
        )
}
use crate::KeyHash;

proptest! {
    #[test]
    fn a_record_reads_back(head in any_head(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let block = sealed(&[(head.clone(), body.clone())]);
        prop_assert_eq!(read_record(&block.bytes), Ok((head, &body[..])));
    }

    #[test]
    fn a_block_reads_back(all in prop::collection::vec((any_head(), prop::collection::vec(any::<u8>(), 0..60)), 1..20)) {
        let block = sealed(&all);
        let read: Vec<_> = records(&block.bytes, block.count).map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), all.len());
        for (record, (head, body)) in read.iter().zip(&all) {
            prop_assert_eq!((&record.head, record.body), (head, &body[..]));
            let (from, to) = (record.offset as usize, (record.offset + record.len) as usize);
            prop_assert_eq!(read_record(&block.bytes[from..to]), Ok((head.clone(), &body[..])));
        }
    }

    #[test]
    fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), count in any::<u32>()) {
        let _ = read_record(&bytes);
        prop_assert!(records(&bytes, count).count() <= bytes.len() + 1);
    }

    #[test]
    fn a_hostile_head_behind_a_good_checksum_never_panics(content in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, content.len() as u64);
        bytes.extend_from_slice(&crc32c::crc32c(&content).to_le_bytes());
        bytes.extend_from_slice(&content);
        if let Ok((head, body)) = read_record(&bytes) {
            // What was understood can be written again and reads the same.
            let again = sealed(&[(head.clone(), body.to_vec())]);
            prop_assert_eq!(read_record(&again.bytes), Ok((head, body)));
        }
    }
}
