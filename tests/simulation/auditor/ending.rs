//! The end of a run: everything has come to its end, and every telling of the story is the same one.

use super::model::{AccountModel, captured, name};
use super::{Auditor, Failure};
use crate::acquirer::{Line, Moves};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tollgate_actors::readers::find_account;
use tollgate_actors::shard::Found;
use tollgate_domain::acquirer::AttemptId;
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::payment_method::Behaviour;
use tollgate_domain::payments::setup_intent::StatusName;
use tollgate_domain::{Account, Facts, Object};
use tollgate_resource::Record;
use tollgate_store::{Block, Reads, envelope};

impl Auditor {
    /// Everything that must hold when all is quiet.
    ///
    /// # Errors
    /// What does not.
    pub fn end(
        &self,
        reads: &dyn Reads,
        journal: &[Block],
        book: &BTreeMap<(u64, AttemptId), Line>,
    ) -> Result<(), Failure> {
        if journal != self.blocks {
            return Err(self.fail("journal", "it holds other blocks than became durable".into()));
        }
        let mut explained = BTreeSet::new();
        for (key, model) in &self.accounts {
            self.account(*key, model, reads)
                .and_then(|()| acquirer_agrees(*key, model, book, &mut explained))
                .map_err(|what| self.fail("the end", format!("account {key}: {what}")))?;
        }
        let stray = book
            .iter()
            .find(|(attempt, line)| line.approved && !line.reversed && !explained.contains(*attempt));
        match stray {
            Some(stray) => Err(self.fail("acquirer's book", format!("it has what we do not know of: {stray:?}"))),
            None => Ok(()),
        }
    }

    fn account(&self, key: u64, model: &AccountModel, reads: &dyn Reads) -> Result<(), String> {
        if let Some(open) = model.open() {
            return Err(open);
        }
        let ledger = &model.ledger;
        if let Some(currency) = ledger.imbalance() {
            return Err(format!("currency {currency} does not sum to zero"));
        }
        for currency in ledger.currencies() {
            let merchant = -ledger.total(currency, "merchant_balance");
            let nets = model.nets.get(&currency).copied().unwrap_or(0);
            let transit = ledger.total(currency, "refund_in_transit");
            if merchant != nets || transit != 0 {
                return Err(format!("balance {merchant}, movements {nets}, in transit {transit}"));
            }
        }
        self.disputes_agree(model)?;
        let mut refunds: BTreeMap<u64, i64> = BTreeMap::new();
        for object in model.newest() {
            if let Object::Refund(refund) = object {
                *refunds.entry(refund.charge.seq()).or_default() += refund.given_back();
            }
        }
        let mut paid: BTreeMap<u64, i64> = BTreeMap::new();
        for object in model.newest() {
            if let Object::BalanceTransaction(moved) = object {
                *paid.entry(moved.source.seq()).or_default() += moved.amount;
            }
        }
        for object in model.newest() {
            if let Object::Charge(charge) = object {
                // Nothing moved for what is held, pending or failed, and for what a bank has not answered.
                let moved = paid.get(&charge.id.seq()).copied().unwrap_or(0);
                if moved != captured(charge) {
                    return Err(format!("{}: {moved} moved for {charge:?}", name(object)));
                }
                let given_back = refunds.get(&charge.id.seq()).copied().unwrap_or(0);
                if charge.refunded != given_back || given_back > captured(charge) {
                    return Err(format!("{}: {given_back} was given back of {charge:?}", name(object)));
                }
            }
        }
        // Three tellings: every record from the start, the newest row and what follows, and the auditor's own.
        let mut account = Account::new(Arc::clone(&model.profile));
        for block in &self.blocks {
            for record in envelope::records(&block.bytes, block.count) {
                let record = record.map_err(|error| format!("{error:?}"))?;
                if record.head.account == key && !record.head.row {
                    account.apply(&Facts::from_bytes(record.body).map_err(|error| error.to_string())?);
                }
            }
        }
        match find_account(reads, &model.profile) {
            Ok(Found::Account(loaded, _)) if *loaded == account => {}
            other => return Err(format!("from rows: {other:?}\nfrom the start: {account:?}")),
        }
        let totals: BTreeMap<(u8, &str), i128> = account
            .books
            .totals()
            .into_iter()
            .map(|(currency, account, total)| ((currency.number(), account.name()), total))
            .collect();
        if totals != ledger.totals() {
            return Err(format!("books {totals:?}, own {:?}", ledger.totals()));
        }
        Ok(())
    }
}

/// Every charge and refund of the remote network is what the acquirer has in its book.
fn acquirer_agrees(
    key: u64,
    model: &AccountModel,
    book: &BTreeMap<(u64, AttemptId), Line>,
    explained: &mut BTreeSet<(u64, AttemptId)>,
) -> Result<(), String> {
    let stands =
        |explained: &mut BTreeSet<(u64, AttemptId)>, attempt: AttemptId, amount: i64, fits: &dyn Fn(Moves) -> bool| {
            explained.insert((key, attempt));
            let line = book.get(&(key, attempt));
            let business = line
                .filter(|line| line.approved && !line.reversed)
                .and_then(|line| line.asked);
            match business {
                Some(business) if business.money.amount == amount && fits(business.what) => Ok(()),
                _ => Err(format!(
                    "{attempt:?} of {amount} stands in the acquirer's book as {line:?}"
                )),
            }
        };
    for object in model.newest() {
        match object {
            Object::Charge(charge) => {
                let Some(authorised) = charge.authorised_by else {
                    continue;
                };
                let hold = |what| what == Moves::Authorises;
                match (charge.state, charge.captured_by) {
                    (ChargeState::Captured { .. }, Some(by)) if by == authorised => {
                        stands(explained, by, charge.amount, &|what| what == Moves::Purchases)?;
                    }
                    (ChargeState::Captured { amount, .. }, Some(by)) => {
                        stands(explained, authorised, charge.amount, &hold)?;
                        stands(explained, by, amount, &|what| what == Moves::Captures(authorised))?;
                    }
                    (ChargeState::Held, None) => stands(explained, authorised, charge.amount, &hold)?,
                    (ChargeState::Released | ChargeState::Expired | ChargeState::Failed { .. }, None) => {
                        let line = book.get(&(key, authorised));
                        if line.is_some_and(|line| line.approved && !line.reversed) {
                            return Err(format!("{} is over, but at the acquirer: {line:?}", name(object)));
                        }
                    }
                    other => return Err(format!("{} is {other:?}", name(object))),
                }
            }
            Object::Refund(refund) => {
                let charge = model.charge_at(refund.charge, u64::MAX);
                if let Some(of) = charge.and_then(|charge| charge.captured_by) {
                    stands(explained, refund.attempt(), refund.amount, &|what| {
                        what == Moves::Refunds(of)
                    })?;
                }
            }
            Object::SetupIntent(intent) => {
                // What a card was asked holds nothing, so it may stand although nothing came of the setup.
                let attempt = |number| AttemptId {
                    object: intent.id,
                    number,
                };
                explained.extend((1..=intent.attempts).map(|number| (key, attempt(number))));
                let method = intent.payment_method.and_then(|id| model.object_at(id, u64::MAX));
                let remote = matches!(method, Some(Object::PaymentMethod(method))
                    if method.instrument.test_card().is_some_and(|card| matches!(card.behaviour, Behaviour::Remote(_))));
                let line = book.get(&(key, attempt(intent.attempts)));
                let good = line.is_some_and(|line| line.approved && !line.reversed);
                if remote && intent.status.name() == StatusName::Succeeded && !good {
                    return Err(format!("{} is set up, but at the acquirer: {line:?}", name(object)));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
