//! Records of charges that were made without an intent: decided at once or by the remote network, captured, released by a
//! refund, or expired.

use super::records::{Case, Expected, Wrong, wrong};
use tollgate_domain::Command;
use tollgate_domain::payments::attempt::{Attempt, Phase};
use tollgate_domain::payments::card::TokenParam;
use tollgate_domain::payments::charge::{Charge, ChargeSource, ChargeState};
use tollgate_domain::payments::payment_intent::HOLD_MS;
use tollgate_domain::payments::payment_method::Behaviour;
use tollgate_domain::payments::refund::{Refund, RefundReason};

impl Case<'_> {
    /// What is expected of a record about a charge that belongs to no intent, without a refund in it.
    pub(super) fn charge(&self, after: &Charge) -> Result<Expected, Wrong> {
        let mut expected = Expected {
            objects: vec![after.id.seq()],
            ..Expected::default()
        };
        let Some(before) = self.model.charge_at(after.id, u64::MAX) else {
            let Some(Command::CreateCharge(asked)) = self.command else {
                return wrong("nothing unexplained", format!("a charge by {:?}", self.command));
            };
            if let Some(ChargeSource::Saved(_, source)) = asked.source {
                self.bank_charged(&mut expected, after, asked, source)?;
                return Ok(expected);
            }
            let Some(ChargeSource::Token(TokenParam::Magic(card))) = &asked.source else {
                return wrong("requests", format!("{asked:?} is in no plan"));
            };
            if (asked.amount, asked.currency) != (after.amount, Some(after.currency)) {
                return wrong("requests", format!("{asked:?} made {after:?}"));
            }
            match (card.behaviour, after.state) {
                (Behaviour::Decline(decline), ChargeState::Failed { decline: number }) if decline.number == number => {
                    expected.events.push("charge.failed");
                }
                (Behaviour::Succeed, ChargeState::Captured { amount, .. })
                    if asked.capture == Some(true) && amount == after.amount =>
                {
                    expected.events.push("charge.succeeded");
                    self.capture(&mut expected, after)?;
                }
                (Behaviour::Succeed, ChargeState::Held) if asked.capture == Some(false) => {
                    if after.capture_before_ms != Some(self.facts.now_ms + HOLD_MS) {
                        return wrong("state tables", format!("{after:?} is held for another time"));
                    }
                    expected.events.push("charge.succeeded");
                }
                (Behaviour::Remote(_), ChargeState::Pending { captures }) if asked.capture == Some(captures) => {
                    let Some(open) = after.open_attempt() else {
                        return wrong("attempts", format!("{after:?} is pending for nothing"));
                    };
                    self.begins(after.id, open, after.amount)?;
                }
                (_, state) => return wrong("state tables", format!("a new charge is {state:?}")),
            }
            return Ok(expected);
        };
        if let Some(open) = before.open_attempt() {
            self.charge_asked(&mut expected, before, after, open)?;
            return Ok(expected);
        }
        if before.state == ChargeState::Debiting {
            self.bank_answered(&mut expected, before, after)?;
            return Ok(expected);
        }
        let remote = before.authorised_by.is_some();
        match (self.command, before.state, after.state) {
            (Some(Command::CaptureCharge(id, asked)), ChargeState::Held, ChargeState::Captured { amount, .. })
                if *id == after.id
                    && !remote
                    && amount == asked.amount.unwrap_or(before.amount)
                    && amount <= before.amount =>
            {
                expected.events.push("charge.captured");
                self.capture(&mut expected, after)?;
                Ok(expected)
            }
            (Some(Command::CaptureCharge(id, asked)), ChargeState::Held, ChargeState::Held)
                if *id == after.id && remote =>
            {
                let Some(begun) = after.open_attempt() else {
                    return wrong("attempts", format!("{after:?} is captured by nobody"));
                };
                self.begins(after.id, begun, asked.amount.unwrap_or(before.amount))?;
                Ok(expected)
            }
            (_, before, after) => wrong("state tables", format!("{before:?} to {after:?} by {:?}", self.command)),
        }
    }

    /// A charge whose network was asked.
    fn charge_asked(
        &self,
        expected: &mut Expected,
        before: &Charge,
        after: &Charge,
        open: &Attempt,
    ) -> Result<(), Wrong> {
        let id = after.id;
        match (before.state, after.state, after.open_attempt()) {
            (ChargeState::Pending { .. }, ChargeState::Pending { .. }, Some(next)) => {
                if matches!(open.phase, Phase::Calling { .. }) {
                    expected.events.push("charge.pending");
                }
                self.goes_on(id, open, Some(next))
            }
            (ChargeState::Pending { captures: true }, ChargeState::Captured { amount, .. }, None)
                if amount == before.amount =>
            {
                self.heard_approval(id, open)?;
                expected.events.push("charge.succeeded");
                self.capture(expected, after)
            }
            (ChargeState::Pending { captures: false }, ChargeState::Held, None)
                if after.capture_before_ms == Some(self.facts.now_ms + HOLD_MS) =>
            {
                expected.events.push("charge.succeeded");
                self.heard_approval(id, open)
            }
            (ChargeState::Pending { .. }, ChargeState::Failed { .. }, None) => {
                expected.events.push("charge.failed");
                self.heard_end(id, open)
            }
            (ChargeState::Held, ChargeState::Captured { amount, .. }, None) if amount == open.amount => {
                self.heard_approval(id, open)?;
                expected.events.push("charge.captured");
                self.capture(expected, after)
            }
            (ChargeState::Held, ChargeState::Held, Some(next)) => self.goes_on(id, open, Some(next)),
            (ChargeState::Held, ChargeState::Held, None) => self.heard_end(id, open),
            (ChargeState::Released | ChargeState::Expired, state, next) if state == before.state => {
                self.goes_on(id, open, next)
            }
            (before, after, _) => wrong("state tables", format!("{before:?} to {after:?} with {open:?}")),
        }
    }

    /// What is expected of a refund that releases a hold: asked for, or because the hold ended.
    pub(super) fn release(&self, refund: &Refund) -> Result<Expected, Wrong> {
        let (before, after) = (
            self.model.charge_at(refund.charge, u64::MAX),
            self.object_charge(refund.charge),
        );
        let (Some(before), Some(after)) = (before, after) else {
            return wrong("refunds", format!("{refund:?} releases no charge"));
        };
        let whole = before.state == ChargeState::Held && refund.amount == before.amount && refund.is_confirmed();
        let ends_ms = before.capture_before_ms.unwrap_or(u64::MAX);
        let events = match (self.command, after.state) {
            (Some(Command::CreateChargeRefund(id, _)), ChargeState::Released) if *id == before.id => {
                vec!["refund.created", "charge.refunded"]
            }
            (None, ChargeState::Expired)
                if self.facts.now_ms >= ends_ms && refund.reason == Some(RefundReason::ExpiredUncapturedCharge) =>
            {
                vec!["charge.expired", "refund.created"]
            }
            (_, state) => return wrong("state tables", format!("a hold became {state:?} by {:?}", self.command)),
        };
        let reversed = after.open_attempt().is_some() == before.authorised_by.is_some();
        if !whole || !reversed || before.open_attempt().is_some() || before.payment_intent.is_some() {
            return wrong("refunds", format!("{refund:?} releases part of {before:?}"));
        }
        Ok(Expected {
            events,
            objects: vec![refund.id.seq(), before.id.seq()],
            ..Expected::default()
        })
    }
}
