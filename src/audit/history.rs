//! What an audit remembers from record to record of objects and idempotency keys, and how that stays within its bound.
//!
//! Nearly all memory goes here, a few lines a payment. When the lines of the part that a pass works on come to more than
//! the bound, the part is halved: the lines of one half are forgotten, and another pass over the journal makes up for
//! them. What belongs together is in the same part: a payment intent with its charge and its refunds.

use crate::keys::{self, Keys};
use crate::objects::{self, Objects, Stage};
use crate::part::Part;
use crate::report::{Check, Checked, Finding, Report, ensure};
use crate::{attempts, movements};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;
use tollgate_domain::Facts;
use tollgate_domain::account::AccountKey;
use tollgate_domain::acquirer::AttemptId;
use tollgate_domain::kinds;
use tollgate_domain::money::Currency;
use tollgate_resource::Id;
use tollgate_store::Head;

/// Objects and keys of the part that is worked on, and what is left to be done.
pub(crate) struct History {
    life_ms: u64,
    bytes_max: usize,
    part: Part,
    /// Bytes of the lines kept.
    bytes: usize,
    accounts: HashMap<AccountKey, AccountHistory>,
    /// Parts that further passes must work on.
    left: Vec<Part>,
    open: StillOpen,
}

struct AccountHistory {
    objects: Objects,
    keys: Keys,
}

/// What is not settled at the end, of all parts. Kept whole: as much as was under way when the journal ended.
#[derive(Default)]
struct StillOpen {
    /// (account, request, attempt) of keys in flight.
    keys: Vec<(AccountKey, Id, AttemptId)>,
    /// (account, sequence of the intent, number) of attempts that may still answer a request.
    calling: HashSet<(AccountKey, u64, u32)>,
    /// What the open refunds of an account come to.
    refunds: BTreeMap<(AccountKey, Currency), i128>,
}

impl History {
    /// Of nothing yet, to keep at most about this many bytes.
    pub(crate) fn new(life_ms: u64, bytes_max: usize) -> Self {
        History {
            life_ms,
            bytes_max,
            part: Part::WHOLE,
            bytes: 0,
            accounts: HashMap::new(),
            left: Vec::new(),
            open: StillOpen::default(),
        }
    }

    /// Whether a record holds nothing of the part, as far as its envelope tells.
    pub(crate) fn is_elsewhere(&self, head: &Head) -> bool {
        let key_elsewhere = head.key.as_ref().is_none_or(|key| !keys::is_in(self.part, key));
        key_elsewhere && objects::is_elsewhere(head, self.part)
    }

    /// Checks what a record does to objects and keys of the part against what came before, and remembers it.
    pub(crate) fn record(&mut self, key: AccountKey, head: &Head, facts: &Facts) -> Checked {
        let account = self.accounts.entry(key).or_insert_with(|| AccountHistory {
            objects: Objects::new(key.0),
            keys: Keys::new(self.life_ms),
        });
        let before = account.bytes();
        let changes = account.objects.advance(facts, self.part)?;
        let mine = |object: &_| account.objects.is_in(self.part, object);
        attempts::check(facts, &changes, &mine)?;
        movements::check(facts, &changes, &mine)?;
        account.keys.check(facts, head.key.as_ref(), self.part)?;
        self.bytes = (self.bytes + account.bytes()).saturating_sub(before);
        while self.bytes > self.bytes_max
            && let Some((half, other)) = self.part.halves()
        {
            self.left.push(other);
            self.keep_only(half);
        }
        Ok(())
    }

    /// Ends a pass: adds what there is and what is open to the report, forgets the rest, and turns to the next part; false if there is none.
    pub(crate) fn next_part(&mut self, report: &mut Report) -> bool {
        let now_ms = report.now_ms;
        let age_ms = |since_ms: u64| now_ms.saturating_sub(since_ms);
        for (key, account) in std::mem::take(&mut self.accounts) {
            account.objects.count(report);
            for open in account.objects.refunds_in_transit() {
                report
                    .refunds_in_transit
                    .add(open.currency, open.amount, age_ms(open.since_ms));
                *self.open.refunds.entry((key, open.currency)).or_default() += i128::from(open.amount);
            }
            for pending in account.objects.pending() {
                let money = pending.money;
                report
                    .attempts
                    .add(money.currency, money.amount, age_ms(money.since_ms));
                if pending.stage == Stage::Calling {
                    self.open.calling.insert((key, pending.object, pending.attempt));
                }
            }
            let waiting = account.keys.in_flight();
            self.open
                .keys
                .extend(waiting.map(|waiting| (key, waiting.request, waiting.attempt)));
        }
        self.bytes = 0;
        let next = self.left.pop();
        self.part = next.unwrap_or(self.part);
        next.is_some()
    }

    /// After the last pass, an account at the end of the journal: a key in flight waits for an attempt that is open and
    /// may still answer it.
    pub(crate) fn end_of_keys(&self) -> Result<(), (AccountKey, Finding)> {
        let mut keys: Vec<_> = self.open.keys.iter().collect();
        // In a fixed order, so that the same journal gives the same report.
        keys.sort_unstable_by_key(|(account, request, _)| (*account, *request));
        for (account, request, attempt) in keys {
            let waits = self
                .open
                .calling
                .contains(&(*account, attempt.object.seq(), attempt.number));
            ensure(Check::Idempotency, waits, || {
                format!(
                    "the key of {} is in flight, but its attempt {} is settled",
                    request.text(&kinds::REQUEST),
                    attempt.number
                )
            })
            .map_err(|finding| (*account, finding))?;
        }
        Ok(())
    }

    /// After the last pass: what the account's refunds that no network has confirmed come to.
    pub(crate) fn refunds_in_transit(&self, account: AccountKey, currency: Currency) -> i128 {
        self.open.refunds.get(&(account, currency)).copied().unwrap_or_default()
    }

    fn keep_only(&mut self, part: Part) {
        self.part = part;
        self.bytes = 0;
        for account in self.accounts.values_mut() {
            account.objects.keep_only(part);
            account.keys.keep_only(part);
            self.bytes += account.bytes();
        }
    }
}

impl AccountHistory {
    fn bytes(&self) -> usize {
        self.objects.bytes() + self.keys.bytes()
    }
}
