//! Records of refunds: made with the money taken at once, then confirmed by whoever captured it.

use super::money::{Postings, day_of, receivable};
use super::records::{Case, Expected, Wrong, wrong};
use tollgate_domain::Command;
use tollgate_domain::acquirer::{Asked, Said};
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::payment_method::RefundBehaviour;
use tollgate_domain::payments::refund::{Refund, RefundState};

impl Case<'_> {
    /// What is expected of a record about a refund.
    pub(super) fn refund(&self, after: &Refund) -> Result<Expected, Wrong> {
        let before = self.model.refund_at(after.id, u64::MAX);
        let currency = after.currency.number();
        let confirmed = Postings::default()
            .add(currency, "refund_in_transit", 0, after.amount)
            .add(currency, receivable(after.network), 0, -after.amount);
        let Some(before) = before else {
            let (asked, of) = match self.command {
                Some(Command::CreateRefund(asked)) => {
                    let intent = asked.payment_intent.map(|intent| intent.0);
                    (asked.amount, intent == after.payment_intent)
                }
                Some(Command::CreateChargeRefund(id, asked)) => (asked.amount, *id == after.charge),
                _ => return wrong("nothing unexplained", format!("a refund by {:?}", self.command)),
            };
            let Some(charge) = self.model.charge_at(after.charge, u64::MAX) else {
                return wrong("refunds", format!("{after:?} is of no charge"));
            };
            let left = self.model.refundable(charge, u64::MAX);
            let amount = asked.unwrap_or(left);
            if after.amount != amount || amount <= 0 || amount > left || !of || charge.currency != after.currency {
                return wrong("refunds", format!("{after:?} when {left} was left and {asked:?} asked"));
            }
            let ChargeState::Captured { available_day, .. } = charge.state else {
                return wrong("refunds", format!("of a charge in state {:?}", charge.state));
            };
            match self.object_charge(after.charge) {
                Some(now) if now.refunded == charge.refunded + amount && now.state == charge.state => {}
                other => return wrong("refunds", format!("the charge became {other:?}")),
            }
            let bank_waits = charge.instrument.refund_behaviour() == RefundBehaviour::PendingFirst;
            let fits = match after.state {
                RefundState::InTransit { .. } => charge.captured_by.is_some(),
                RefundState::Pending { .. } => charge.captured_by.is_none() && bank_waits,
                RefundState::Confirmed => charge.captured_by.is_none() && !bank_waits,
                RefundState::Failed { .. } => false,
            };
            if !fits {
                return wrong("refunds", format!("{:?} at once", after.state));
            }
            let day = available_day.max(day_of(self.facts.now_ms));
            let taken = Postings::default().add(currency, "merchant_balance", day, amount).add(
                currency,
                "refund_in_transit",
                0,
                -amount,
            );
            let mut expected = Expected {
                events: vec!["refund.created", "charge.refunded"],
                entries: vec![taken],
                movements: vec![(-amount, 0)],
                objects: vec![after.id.seq(), after.charge.seq()],
            };
            if after.state == RefundState::Confirmed {
                expected.events.extend(["refund.updated", "charge.refund.updated"]);
                expected.entries.push(confirmed);
            }
            self.asks_no_more(&mut expected, charge, amount)?;
            return Ok(expected);
        };
        let same = (before.amount, before.charge, before.currency) == (after.amount, after.charge, after.currency);
        if !same || self.command.is_some() {
            return wrong("state tables", format!("{before:?} to {after:?}"));
        }
        match (before.state, after.state) {
            (RefundState::InTransit { .. }, RefundState::InTransit { .. }) => Ok(Expected {
                objects: vec![after.id.seq()],
                ..Expected::default()
            }),
            (RefundState::InTransit { .. }, RefundState::Confirmed) => {
                let heard = (self.told)(after.attempt(), &|to, said| {
                    to == Asked::Request && matches!(said, Said::Approved | Said::Acknowledged)
                });
                if !heard {
                    return wrong("nothing unexplained", "a refund was confirmed by nobody");
                }
                Ok(arrived(after, confirmed))
            }
            (RefundState::Pending { until_ms }, RefundState::Confirmed) if self.facts.now_ms >= until_ms => {
                Ok(arrived(after, confirmed))
            }
            (RefundState::Confirmed, RefundState::Failed { .. }) => self.came_back(after),
            (before, after) => wrong("state tables", format!("{before:?} to {after:?}")),
        }
    }

    /// What is expected when a confirmed refund came back: the merchant and the charge have the money again.
    fn came_back(&self, after: &Refund) -> Result<Expected, Wrong> {
        let Some(charge) = self.model.charge_at(after.charge, u64::MAX) else {
            return wrong("refunds", format!("{after:?} is of no charge"));
        };
        if charge.instrument.refund_behaviour() != RefundBehaviour::FailLater {
            return wrong("refunds", format!("{after:?} came back, which its card does not do"));
        }
        match self.object_charge(after.charge) {
            Some(now) if now.refunded == charge.refunded - after.amount && now.state == charge.state => {}
            other => return wrong("refunds", format!("the charge became {other:?}")),
        }
        let currency = after.currency.number();
        let given = Postings::default()
            .add(currency, receivable(after.network), 0, after.amount)
            .add(currency, "merchant_balance", day_of(self.facts.now_ms), -after.amount);
        Ok(Expected {
            events: vec!["refund.failed", "refund.updated", "charge.refund.updated"],
            entries: vec![given],
            movements: vec![(after.amount, 0)],
            objects: vec![after.id.seq(), after.charge.seq()],
        })
    }
}

/// What is expected when a refund that was in transit is confirmed.
fn arrived(refund: &Refund, confirmed: Postings) -> Expected {
    Expected {
        events: vec!["refund.updated", "charge.refund.updated"],
        entries: vec![confirmed],
        objects: vec![refund.id.seq()],
        ..Expected::default()
    }
}
