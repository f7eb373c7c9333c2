//! A clean journal passes; each check finds the journal that was broken for it, and names the place.

mod charges;
mod debits;
mod journal;
mod notes;
mod tampered;

use journal::{Blocks, Journal};
use tollgate_audit::{Check, Options, Report, verify};
use tollgate_domain::acquirer::{Asked, NetworkAnswer, Said};
use tollgate_domain::kinds::PaymentIntentId;
use tollgate_domain::payments::payment_intent::CaptureMethod;
use tollgate_domain::payments::refund::CreateRefund;
use tollgate_domain::{Command, Secrets, kinds};
use tollgate_resource::Id;

const DAY_MS: u64 = 86_400_000;

/// Where each record of [`story`] stands.
pub(crate) mod at {
    pub(crate) const PAID: usize = 0;
    pub(crate) const DECLINED: usize = 1;
    pub(crate) const HELD: usize = 2;
    pub(crate) const CAPTURED: usize = 3;
    pub(crate) const HELD_AGAIN: usize = 4;
    pub(crate) const CANCELED: usize = 5;
    pub(crate) const REFUNDED: usize = 6;
    pub(crate) const REFUNDED_AGAIN: usize = 7;
    pub(crate) const ROW: usize = 8;
    pub(crate) const REMOTE_BEGUN: usize = 9;
    pub(crate) const REMOTE_PAID: usize = 10;
    pub(crate) const REMOTE_REFUNDED: usize = 11;
    pub(crate) const SILENT_BEGUN: usize = 12;
    pub(crate) const SILENT_DEADLINE: usize = 13;
    pub(crate) const SILENT_NOT_FOUND: usize = 14;
    pub(crate) const SILENT_REVERSED: usize = 15;
    pub(crate) const PENDING: usize = 16;
    pub(crate) const LAST_ROW: usize = 17;
}

/// A little of everything: payments, a decline, holds, refunds, rows, attempts that succeed, fail and are pending.
pub(crate) fn story() -> Journal {
    let mut journal = Journal::new();
    let automatic = CaptureMethod::Automatic;
    let paid = journal.pay(10_000, "visa", automatic, "key-paid");
    journal
        .pass(5)
        .pay(2_000, "visa_chargeDeclined", automatic, "key-declined");
    let held = journal.pass(5).pay(5_000, "visa", CaptureMethod::Manual, "key-held");
    journal.pass(1_000).capture(held, 3_000, "key-captured");
    let given_up = journal
        .pass(5)
        .pay(700, "visa", CaptureMethod::Manual, "key-held-again");
    journal.ask(Command::CancelPaymentIntent(given_up, Box::default()), None);
    refund(journal.pass(5), paid, Some(4_000), "key-refund");
    refund(journal.pass(3 * DAY_MS), paid, None, "key-refund-rest");
    journal.row();
    let remote = journal.pass(5).pay(6_000, "tollgate_remote", automatic, "key-remote");
    journal.pass(120).answer(
        remote,
        1,
        NetworkAnswer {
            to: Asked::Request,
            said: Said::Approved,
        },
    );
    refund(journal.pass(5), remote, Some(1_500), "key-remote-refund");
    let silent = journal
        .pass(5)
        .pay(900, "tollgate_remoteSilent", automatic, "key-silent");
    journal.pass(10_000).engine(Command::TimerDue(silent));
    journal.pass(100).answer(
        silent,
        1,
        NetworkAnswer {
            to: Asked::Inquiry,
            said: Said::NotFound,
        },
    );
    journal.pass(100).answer(
        silent,
        1,
        NetworkAnswer {
            to: Asked::Reversal,
            said: Said::Acknowledged,
        },
    );
    journal
        .pass(2 * 60_000)
        .pay(800, "tollgate_remoteLate", CaptureMethod::Manual, "key-pending");
    journal.row();
    journal
}

fn refund(journal: &mut Journal, intent: Id, amount: Option<i64>, key: &str) {
    let asked = CreateRefund {
        amount,
        payment_intent: Some(PaymentIntentId(intent)),
        ..CreateRefund::default()
    };
    journal.ask(Command::CreateRefund(Box::new(asked)), Some(key));
}

/// Audits in one pass, and makes sure that as many passes as there can be find the same place.
pub(crate) fn audit(journal: &Journal, blocks: &Blocks) -> Report {
    let report = verify(blocks, &journal.secrets, Options::default()).expect("the journal can be read");
    assert_eq!(report.passes, 1, "the journal is small");
    let no_room = Options {
        memory_bytes: 0,
        ..Options::default()
    };
    let again = verify(blocks, &journal.secrets, no_room).expect("the journal can be read");
    // A record with several faults may be told by another one of them.
    let place = |report: &Report| {
        let difference = report.difference.as_ref()?;
        Some((difference.place.clone(), difference.record, difference.account.clone()))
    };
    assert_eq!(place(&again), place(&report), "in {} passes: {again:?}", again.passes);
    if report.clean() {
        let once = Report { passes: 1, ..again };
        assert_eq!(once, report, "in many passes");
    }
    report
}

#[test]
fn a_clean_journal_is_clean_and_added_up() {
    let journal = story();
    assert_eq!(journal.steps.len(), at::LAST_ROW + 1);
    let report = audit(&journal, &journal.blocks());
    assert_eq!(report.difference, None);
    let expected = "\
records              19 in 10 blocks, 2 rows among them
accounts             1, 1 of them used
payments             3 of 7 payment intents succeeded
charges              6
refunds              3
entries              8, 6 balance transactions
events               34, 13 idempotency outcomes
ledger (Dr - Cr)     usd: fee_revenue -641, merchant_balance -6859, network_receivable{instant} 3000, network_receivable{remote} 6000, refund_in_transit -1500
attempts pending     usd: 1 (800) under 1 minute
refunds in transit   usd: 1 (1500) under 1 hour
clean: everything agrees
";
    assert_eq!(report.text(), expected);
    let json = report.json();
    assert_eq!(json["clean"], true);
    assert_eq!(json["ledger"]["usd"]["merchant_balance"], -6859);
    assert_eq!(
        json["refunds_in_transit"]["by_currency"]["usd"]["under_1_hour"]["amount"],
        1500
    );
    assert_eq!(json["attempts_pending"]["count"], 1);
}

#[test]
fn an_empty_journal_is_clean() {
    let secrets = Secrets::new([7; 32]);
    assert!(
        verify(&Blocks(Vec::new()), &secrets, Options::default())
            .unwrap()
            .clean()
    );
}

#[test]
fn a_key_may_be_used_again_after_its_life() {
    let mut journal = Journal::new();
    journal.pay(1_000, "visa", CaptureMethod::Automatic, "key");
    journal.pass(DAY_MS).pay(1_000, "visa", CaptureMethod::Automatic, "key");
    assert_eq!(audit(&journal, &journal.blocks()).difference, None);
    let longer = Options {
        idempotency_ms: DAY_MS + 1,
        ..Options::default()
    };
    let report = verify(&journal.blocks(), &journal.secrets, longer).unwrap();
    assert_eq!(report.difference.unwrap().check, Check::Idempotency);
}

#[test]
fn a_key_in_flight_does_not_end_by_age() {
    let mut journal = Journal::new();
    let intent = journal.pay(1_000, "tollgate_remote", CaptureMethod::Automatic, "key");
    journal.pass(2 * DAY_MS).answer(
        intent,
        1,
        NetworkAnswer {
            to: Asked::Request,
            said: Said::Approved,
        },
    );
    assert_eq!(audit(&journal, &journal.blocks()).difference, None);
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_place() {
    let journal = story();
    let mut blocks = journal.blocks();
    blocks.0[1].bytes[20] ^= 1;
    let error = verify(&blocks, &journal.secrets, Options::default()).unwrap_err();
    assert!(
        error.to_string().contains("memory block 1 offset 0 record 1"),
        "{error}"
    );

    let mut journal = story();
    if let journal::Step::Row(bytes) = &mut journal.steps[at::ROW] {
        bytes.truncate(3);
    }
    let error = verify(&journal.blocks(), &journal.secrets, Options::default()).unwrap_err();
    assert!(
        error.to_string().contains("memory block 5 offset 0 shard 3 record 1"),
        "{error}"
    );
}

#[test]
fn a_difference_names_block_place_record_and_account() {
    let mut journal = story();
    journal.facts(at::CAPTURED).entries.clear();
    let report = audit(&journal, &journal.blocks());
    let difference = report.difference.clone().unwrap();
    assert_eq!(
        (difference.shard, difference.block, difference.record),
        (Some(3), Some(2), Some(2))
    );
    assert_eq!(difference.place, "memory block 2 offset 0");
    let account = difference.account.unwrap();
    assert!(
        account.starts_with("acct_") && account.ends_with(" (test mode)"),
        "{account}"
    );
    assert_eq!(report.records, 5, "the directory's record and four of the account");
    let line = report.text().lines().last().unwrap().to_string();
    assert!(line.starts_with("DIFFERENCE: movement: Capture of ch_"), "{line}");
    assert!(
        line.contains("at memory block 2 offset 0, shard 3, block 2, record 2, account acct_"),
        "{line}"
    );
    assert_eq!(report.json()["difference"]["check"], "movement");
    assert_eq!(report.json()["difference"]["block"], 2);
    let command = report.json()["difference"]["command"].as_str().unwrap().to_string();
    assert!(
        command.starts_with("request req_") && command.ends_with(" to /v1/payment_intents"),
        "{command}"
    );
    assert!(line.ends_with(&format!(", command: {command}")), "{line}");
    assert!(journal.last_born(&kinds::CHARGE).is(&kinds::CHARGE));
}
