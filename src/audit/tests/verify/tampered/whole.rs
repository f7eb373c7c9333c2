//! What only the whole journal shows.

use crate::journal::{Journal, Step};
use crate::{at, audit, story};
use tollgate_audit::{Check, Difference};
use tollgate_domain::books::LedgerAccount;

#[test]
fn money_in_transit_that_no_refund_explains_is_found_at_the_end() {
    // The record agrees with itself: its entry balances, and puts what its object says where the object says so. What
    // was added is on accounts that the object says nothing of.
    let remote = LedgerAccount::NetworkReceivable(tollgate_domain::Network::Remote);
    let mut journal = story();
    smuggle(&mut journal, at::PAID, remote, LedgerAccount::RefundInTransit);
    let found = audit_of_end(&journal);
    assert_eq!(found.check, Check::Books, "{found}");
    assert!(
        found
            .what
            .contains("refund_in_transit is 1505 usd, the open refunds come to 1500"),
        "{found}"
    );
}

/// Moves 5 from one account to another in the last entry of a record.
fn smuggle(journal: &mut Journal, at: usize, debit: LedgerAccount, credit: LedgerAccount) {
    let entry = journal.facts(at).entries.last_mut().expect("the record has an entry");
    for (account, amount) in [(debit, 5), (credit, -5)] {
        let mut posting = entry.postings[0];
        (posting.account, posting.amount) = (account, amount);
        entry.postings.push(posting);
    }
}

/// What is found at the end of a journal, and only there.
fn audit_of_end(journal: &Journal) -> Difference {
    let mut without_rows = journal.clone();
    without_rows.steps.retain(|step| matches!(step, Step::Facts(_)));
    let difference = audit(&without_rows, &without_rows.blocks()).difference.expect("found");
    assert_eq!(difference.place, "end of the journal", "{difference}");
    assert!(difference.account.is_some());
    difference
}

#[test]
fn whatever_record_bears_something_is_missed_when_lost() {
    for lost in 0..at::LAST_ROW {
        let mut journal = story();
        let bears = match &journal.steps[lost] {
            Step::Facts(facts) => facts.seq_after > facts.seq_before,
            Step::Row(_) => false,
        };
        // One that bears nothing leaves no gap in the sequence; the block's count and the chain of blocks hold it.
        if bears {
            journal.steps.remove(lost);
            assert!(!audit(&journal, &journal.blocks()).clean(), "record {lost} is lost");
        }
    }
}
