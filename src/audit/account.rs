//! The books of one account: what its records say of themselves, one after the other, and at the end whether everything
//! adds up. What an object or a key was before is not known here: see `history`.

use crate::keys;
use crate::movements;
use crate::report::{Check, Checked, Finding, Report, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tollgate_domain::account::{Account, Profile};
use tollgate_domain::books::LedgerAccount;
use tollgate_domain::events::EventType;
use tollgate_domain::money::Currency;
use tollgate_domain::{Facts, Object, Secrets, kinds};
use tollgate_resource::{Names, RecordError};
use tollgate_store::Head;

/// Sums of this room's own, debits minus credits.
pub(crate) type Sums = BTreeMap<(Currency, LedgerAccount), i128>;

/// An account as its records have led so far.
pub(crate) struct AccountAudit {
    /// The domain's own state, led on by `apply`.
    account: Account,
    /// Postings added up here.
    sums: Sums,
    /// Nets of balance transactions.
    nets: BTreeMap<Currency, i128>,
    /// Marks of which kinds an envelope has named: the release that wrote it names every one of the kind, and so do those
    /// after it.
    marked: BTreeSet<&'static str>,
}

impl AccountAudit {
    pub(crate) fn new(profile: Arc<Profile>) -> Self {
        AccountAudit {
            account: Account::new(profile),
            sums: Sums::new(),
            nets: BTreeMap::new(),
            marked: BTreeSet::new(),
        }
    }

    /// Checks what a record's facts say of themselves and of the account's state.
    pub(crate) fn check(&mut self, head: &Head, facts: &Facts, secrets: &Secrets) -> Checked {
        self.check_sequence(facts)?;
        self.check_ids(facts)?;
        check_events(facts)?;
        check_found_by_type(facts)?;
        let marks = marks(facts);
        check_envelope(head, facts, self.account.profile.key.0, &marks, &self.marked)?;
        let named = marks.into_iter().filter(|(mark, _)| head.lists.contains(mark));
        self.marked.extend(named.map(|(_, kind)| kind));
        check_key(head, facts, secrets)
    }

    /// Takes facts that were checked into the books.
    pub(crate) fn take(&mut self, facts: &Facts, report: &mut Report) -> Checked {
        self.post(facts)?;
        self.account.apply(facts);
        report.balance_transactions += movements::transactions(facts).count() as u64;
        report.entries += facts.entries.len() as u64;
        report.events += facts.events.len() as u64;
        report.outcomes += u64::from(facts.outcome.is_some());
        Ok(())
    }

    fn check_sequence(&self, facts: &Facts) -> Checked {
        ensure(Check::Sequence, facts.seq_before == self.account.seq, || {
            format!(
                "the record follows on sequence {}, the account is at {}",
                facts.seq_before, self.account.seq
            )
        })?;
        let born = facts.born().count() + facts.events.len();
        ensure(
            Check::Sequence,
            facts.seq_before.checked_add(born as u64) == Some(facts.seq_after),
            || {
                format!(
                    "{born} things are born, the sequence goes from {} to {}",
                    facts.seq_before, facts.seq_after
                )
            },
        )?;
        ensure(Check::Time, facts.now_ms >= self.account.last_now_ms, || {
            format!(
                "time {} lies before the account's, {}",
                facts.now_ms, self.account.last_now_ms
            )
        })
    }

    fn check_ids(&self, facts: &Facts) -> Checked {
        let tag = self.account.tag();
        let mut next = facts.seq_before;
        for object in &facts.objects {
            let (kind, id) = (object.kind(), object.id());
            let name = || id.text(kind);
            ensure(Check::Ids, id.is(kind), || {
                format!("{} fails the check of its kind", name())
            })?;
            ensure(Check::Ids, id.account_tag() == tag, || {
                format!("{} carries another account's tag", name())
            })?;
            if id.seq() <= facts.seq_before {
                // Whether it was born, and as what, its history knows.
                continue;
            }
            next += 1;
            ensure(Check::Sequence, id.seq() == next, || {
                format!("{} has sequence {}, its place is {next}", name(), id.seq())
            })?;
            ensure(Check::Ids, id.unix_ms() == facts.now_ms, || {
                format!(
                    "{} says it was born at {}, its record at {}",
                    name(),
                    id.unix_ms(),
                    facts.now_ms
                )
            })?;
        }
        Ok(())
    }

    /// Adds the postings up and holds the sums to the rules that `apply` will assert.
    fn post(&mut self, facts: &Facts) -> Checked {
        for entry in &facts.entries {
            entry.check().map_err(|problem| Finding {
                check: Check::Entry,
                what: format!("entry {entry:?}: {problem}"),
            })?;
            for posting in &entry.postings {
                *self.sums.entry((posting.currency, posting.account)).or_default() += i128::from(posting.amount);
            }
            for posting in &entry.postings {
                let sum = self.sums[&(posting.currency, posting.account)];
                ensure(Check::Books, posting.account.normal_side().allows(sum), || {
                    format!(
                        "an entry leaves {} at {sum} {}",
                        posting.account,
                        posting.currency.code()
                    )
                })?;
            }
        }
        for transaction in movements::transactions(facts) {
            // Checked for overflow where the movement was checked.
            *self.nets.entry(transaction.currency).or_default() += i128::from(transaction.net());
        }
        Ok(())
    }

    /// Checks a record that holds the account's whole state. The outer error says why it cannot be read.
    pub(crate) fn row(&self, head: &Head, body: &[u8]) -> Result<Checked, RecordError> {
        let profile = Arc::clone(&self.account.profile);
        let stored = Account::from_row(profile, body)?;
        Ok(self.check_row(head, &stored, body))
    }

    fn check_row(&self, head: &Head, stored: &Account, body: &[u8]) -> Checked {
        let (seq, now_ms) = (self.account.seq, self.account.last_now_ms);
        ensure(Check::Row, stored.seq == seq, || {
            format!("the row holds sequence {}, the account is at {seq}", stored.seq)
        })?;
        ensure(Check::Row, stored.last_now_ms == now_ms, || {
            format!("the row holds time {}, the account is at {now_ms}", stored.last_now_ms)
        })?;
        ensure(Check::Row, stored.books.totals() == self.account.books.totals(), || {
            format!(
                "the row holds {:?}, the records lead to {:?}",
                stored.books.totals(),
                self.account.books.totals()
            )
        })?;
        ensure(Check::Row, body == self.account.to_row(), || {
            "the row's day buckets differ from what the records lead to, although the totals agree".into()
        })?;
        let expected = Head {
            account: head.account,
            now_ms: head.now_ms,
            first_seq: seq + 1,
            row: true,
            ..Head::default()
        };
        ensure(Check::Envelope, *head == expected, || {
            format!("the envelope of the row is {head:?}")
        })?;
        ensure(Check::Time, head.now_ms >= now_ms, || {
            format!("the row's time {} lies before the account's, {now_ms}", head.now_ms)
        })
    }

    /// What only the whole shows, given what the open refunds of a currency come to. Adds the account to the report.
    pub(crate) fn end(&self, refunds_in_transit: impl Fn(Currency) -> i128, report: &mut Report) -> Checked {
        let own: Vec<(Currency, LedgerAccount, i128)> = self
            .sums
            .iter()
            .filter(|(_, sum)| **sum != 0)
            .map(|((currency, account), sum)| (*currency, *account, *sum))
            .collect();
        check_books(&own, &self.account.books.totals())?;
        let balance_of = |currency, account| self.sums.get(&(currency, account)).copied().unwrap_or_default();
        for (currency, net) in &self.nets {
            check_nets(*currency, -balance_of(*currency, LedgerAccount::MerchantBalance), *net)?;
        }
        for currency in self.sums.keys().map(|(currency, _)| *currency) {
            let open = refunds_in_transit(currency);
            let booked = -balance_of(currency, LedgerAccount::RefundInTransit);
            ensure(Check::Books, open == booked, || {
                format!(
                    "refund_in_transit is {booked} {}, the open refunds come to {open}",
                    currency.code()
                )
            })?;
        }
        for (currency, account, amount) in own {
            report.add_balance(currency, account, amount);
        }
        Ok(())
    }
}

/// The domain's books against the sums of this room.
fn check_books(own: &[(Currency, LedgerAccount, i128)], kept: &[(Currency, LedgerAccount, i128)]) -> Checked {
    ensure(Check::Books, own == kept, || {
        format!("the books hold {kept:?}, the postings come to {own:?}")
    })
}

/// What the merchant is owed against the nets of the balance transactions.
fn check_nets(currency: Currency, owed: i128, net: i128) -> Checked {
    ensure(Check::BalanceTransactions, owed == net, || {
        format!(
            "merchant_balance is {owed} {}, the balance transactions come to {net}",
            currency.code()
        )
    })
}

fn check_events(facts: &Facts) -> Checked {
    let older = facts
        .objects
        .iter()
        .filter(|object| object.id().seq() <= facts.seq_before);
    let (older, counted) = (older.count(), facts.events_before.len());
    ensure(Check::Events, counted == 0 || counted == older, || {
        format!("the record counts earlier events of {counted} objects, and changes {older} older ones")
    })?;
    for event in &facts.events {
        let object = facts.objects.get(usize::from(event.object));
        let right = object.is_some_and(|object| event.kind.is_about(object.kind()));
        ensure(Check::Events, right, || {
            format!(
                "event {:?} is about object {} of its record, which is not of its kind",
                event.kind, event.object
            )
        })?;
    }
    Ok(())
}

/// Lists by type find a balance transaction by the events of its record.
fn check_found_by_type(facts: &Facts) -> Checked {
    let tags = facts.events.iter().fold(0, |tags, event| tags | event.kind.tag());
    for object in facts.born() {
        let Object::BalanceTransaction(transaction) = object else {
            continue;
        };
        let found = tags & EventType::tags(transaction.kind.public().born_with()) != 0;
        ensure(Check::Events, found, || {
            format!(
                "a balance transaction of type {} was born without an event by which lists of that type find it",
                transaction.kind.public().name()
            )
        })?;
    }
    Ok(())
}

/// What an envelope files under a value, not under a parent, and what it is a mark of.
fn marks(facts: &Facts) -> Vec<((u64, u8, u64), &'static str)> {
    let mut marks = Vec::new();
    for object in &facts.objects {
        let (kind, seq) = (object.kind().number, object.id().seq());
        object.marks(&mut |mark| marks.push(((mark.number(), kind, seq), mark.of())));
    }
    marks
}

/// `marked` says marks of which kinds a record of the account before this one named.
fn check_envelope(
    head: &Head,
    facts: &Facts,
    account: u64,
    marks: &[((u64, u8, u64), &'static str)],
    marked: &BTreeSet<&'static str>,
) -> Checked {
    let index = facts.index();
    let expected = Head {
        account,
        now_ms: facts.now_ms,
        first_seq: index.first_seq,
        born: index.born,
        changed: index.changed,
        lists: index.lists,
        tags: index.tags,
        key: head.key,
        timers: index.timers,
        row: false,
    };
    // Records of releases before there were marks of a kind name none of it.
    let without = || {
        let absent = |entry: &(u64, u8, u64)| {
            let kind = marks.iter().find(|(mark, _)| mark == entry);
            kind.is_some_and(|(_, kind)| !marked.contains(kind)) && !head.lists.contains(entry)
        };
        let lists = expected.lists.iter().filter(|entry| !absent(entry));
        Head {
            lists: lists.copied().collect(),
            ..expected.clone()
        }
    };
    let fits = *head == expected || *head == without();
    ensure(Check::Envelope, fits, || {
        format!("the envelope says {head:?}, the facts say {expected:?}")
    })?;
    ensure(Check::Envelope, head.key.is_some() == facts.outcome.is_some(), || {
        "the envelope names an idempotency key if and only if the facts hold an outcome".into()
    })
}

/// The key that the envelope names is the outcome's own.
fn check_key(head: &Head, facts: &Facts, secrets: &Secrets) -> Checked {
    let (Some(filed), Some(outcome)) = (&head.key, &facts.outcome) else {
        return Ok(());
    };
    let claim = &outcome.claim;
    ensure(Check::Envelope, *filed == keys::hash_of(&claim.key, secrets), || {
        let request = claim.request.text(&kinds::REQUEST);
        format!("the key of {request} is filed under another key's hash")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::books::Posting;

    /// No facts lead here: the books and the sums take the same postings. It would take a fault in one of the two.
    #[test]
    fn books_that_lost_a_posting_are_found() {
        let posting = |account, amount| Posting {
            account,
            currency: Currency::USD,
            amount,
            day: 0,
        };
        let fee = posting(LedgerAccount::FeeRevenue, -5);
        let balance = posting(LedgerAccount::MerchantBalance, 5);
        let sums = |postings: &[Posting]| -> Vec<_> {
            let mut sums: Vec<_> = postings
                .iter()
                .map(|it| (it.currency, it.account, i128::from(it.amount)))
                .collect();
            sums.sort_unstable();
            sums
        };
        check_books(&sums(&[fee, balance]), &sums(&[balance, fee])).expect("the same sums");
        let finding = check_books(&sums(&[fee, balance]), &sums(&[balance])).expect_err("a posting is missing");
        assert_eq!(finding.check, Check::Books);
    }

    /// No facts lead here: each entry's own net is held against its transaction before.
    #[test]
    fn a_balance_that_is_not_the_sum_of_its_transactions_is_found() {
        check_nets(Currency::USD, 941, 941).expect("the same");
        let finding = check_nets(Currency::USD, 941, 940).expect_err("a cent too many");
        assert_eq!(finding.check, Check::BalanceTransactions);
        assert_eq!(
            finding.what,
            "merchant_balance is 941 usd, the balance transactions come to 940"
        );
    }
}
