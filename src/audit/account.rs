//! One account: its records one after the other, and at the end whether everything adds up.

use crate::Options;
use crate::attempts;
use crate::keys::Keys;
use crate::movements;
use crate::objects::Objects;
use crate::report::{Check, Checked, Finding, Report, ensure};
use std::collections::BTreeMap;
use std::sync::Arc;
use tollgate_domain::account::{Account, Profile};
use tollgate_domain::books::LedgerAccount;
use tollgate_domain::money::Currency;
use tollgate_domain::{Facts, Secrets};
use tollgate_resource::Record;
use tollgate_store::Head;
use tollgate_store::envelope::RecordRef;

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
    objects: Objects,
    keys: Keys,
}

impl AccountAudit {
    pub(crate) fn new(profile: Arc<Profile>, options: Options) -> Self {
        AccountAudit {
            account: Account::new(profile),
            sums: Sums::new(),
            nets: BTreeMap::new(),
            objects: Objects::default(),
            keys: Keys::new(options.idempotency_ms),
        }
    }

    /// The outer error says why the record cannot be read.
    pub(crate) fn record(
        &mut self,
        record: &RecordRef<'_>,
        secrets: Option<&Secrets>,
        report: &mut Report,
    ) -> Result<Checked, String> {
        if record.head.row {
            report.rows += 1;
            return self.row(&record.head, record.body);
        }
        let facts = Facts::from_bytes(record.body).map_err(|error| error.to_string())?;
        Ok(self.facts(&record.head, &facts, secrets, report))
    }

    fn facts(&mut self, head: &Head, facts: &Facts, secrets: Option<&Secrets>, report: &mut Report) -> Checked {
        self.check_sequence(facts)?;
        self.check_ids(facts)?;
        check_events(facts)?;
        check_envelope(head, facts, self.account.profile.key.0)?;
        let changes = self.objects.advance(facts)?;
        attempts::check(facts, &changes)?;
        movements::check(facts, &changes)?;
        self.keys.check(facts, head.key.as_ref(), secrets)?;
        self.post(facts)?;
        self.account.apply(facts);
        report.payment_intents += changes.intents.iter().filter(|change| change.before.is_none()).count() as u64;
        report.payments += changes.intents.iter().filter(|change| change.has_succeeded()).count() as u64;
        report.charges += changes.charges_born;
        report.refunds += changes.refunds_born;
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
                ensure(Check::Ids, self.objects.knows(kind, id), || {
                    format!("{} changes, but was never born", name())
                })?;
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

    /// A record that holds the account's whole state.
    fn row(&mut self, head: &Head, body: &[u8]) -> Result<Checked, String> {
        let profile = Arc::clone(&self.account.profile);
        let stored = Account::from_row(profile, body).map_err(|error| error.to_string())?;
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

    /// What only the whole shows. Adds the account to the report's sums.
    pub(crate) fn end(&self, report: &mut Report) -> Checked {
        let own: Vec<(Currency, LedgerAccount, i128)> = self
            .sums
            .iter()
            .filter(|(_, sum)| **sum != 0)
            .map(|((currency, account), sum)| (*currency, *account, *sum))
            .collect();
        let kept = self.account.books.totals();
        ensure(Check::Books, own == kept, || {
            format!("the books hold {kept:?}, the postings come to {own:?}")
        })?;
        let balance_of = |currency, account| self.sums.get(&(currency, account)).copied().unwrap_or_default();
        for (currency, net) in &self.nets {
            let owed = -balance_of(*currency, LedgerAccount::MerchantBalance);
            ensure(Check::BalanceTransactions, owed == *net, || {
                format!(
                    "merchant_balance is {owed} {}, the balance transactions come to {net}",
                    currency.code()
                )
            })?;
        }
        let in_transit = self.objects.refunds_in_transit();
        for currency in self.sums.keys().map(|(currency, _)| *currency) {
            let open: i128 = in_transit
                .iter()
                .filter(|open| open.currency == currency)
                .map(|open| i128::from(open.amount))
                .sum();
            let booked = -balance_of(currency, LedgerAccount::RefundInTransit);
            ensure(Check::Books, open == booked, || {
                format!(
                    "refund_in_transit is {booked} {}, the open refunds come to {open}",
                    currency.code()
                )
            })?;
        }
        self.keys.end(&self.objects)?;
        for (currency, account, amount) in own {
            report.add_balance(currency, account, amount);
        }
        let now_ms = report.now_ms;
        let age_ms = |since_ms: u64| now_ms.saturating_sub(since_ms);
        for open in in_transit {
            report
                .refunds_in_transit
                .add(open.currency, open.amount, age_ms(open.since_ms));
        }
        for open in self.objects.open_attempts() {
            report.attempts.add(open.currency, open.amount, age_ms(open.since_ms));
        }
        Ok(())
    }
}

fn check_events(facts: &Facts) -> Checked {
    for event in &facts.events {
        let object = facts.objects.get(usize::from(event.object));
        let right = object.is_some_and(|object| object.kind() == event.kind.subject());
        ensure(Check::Events, right, || {
            format!(
                "event {:?} is about object {} of its record, which is not of its kind",
                event.kind, event.object
            )
        })?;
    }
    Ok(())
}

fn check_envelope(head: &Head, facts: &Facts, account: u64) -> Checked {
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
    ensure(Check::Envelope, *head == expected, || {
        format!("the envelope says {head:?}, the facts say {expected:?}")
    })?;
    ensure(Check::Envelope, head.key.is_some() == facts.outcome.is_some(), || {
        "the envelope names an idempotency key if and only if the facts hold an outcome".into()
    })
}
