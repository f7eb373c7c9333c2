//! Records of payment intents: the state table, once more, with who may cause each step and what follows from it.

use super::debits::asks_for_deposits;
use super::model::captured;
use super::money::{Postings, available_day, fee, receivable};
use super::records::{Case, Expected, Wrong, wrong};
use crate::plan::HOUR_MS;
use tollgate_domain::payments::attempt::{Attempt, Phase};
use tollgate_domain::payments::authentication::{AuthenticationRule, Lookup};
use tollgate_domain::payments::bank_account::TestAccount;
use tollgate_domain::payments::charge::{Charge, ChargeState};
use tollgate_domain::payments::payment_intent::{CaptureMethod, HOLD_MS, PaymentIntent, Status};
use tollgate_domain::payments::payment_method::{
    Behaviour, PaymentMethod, PaymentMethodData, PaymentMethodParam, PaymentMethodType, RemoteBehaviour, TestCard,
    TestMethod,
};
use tollgate_domain::{Command, Object, kinds};

impl Case<'_> {
    /// What is expected of a record about a payment intent.
    pub(super) fn intent(&self, after: &PaymentIntent) -> Result<Expected, Wrong> {
        let before = self.model.intent_at(after.id, u64::MAX);
        let mut expected = Expected {
            objects: vec![after.id.seq()],
            ..Expected::default()
        };
        let same = before.is_none_or(|before| {
            (before.amount, before.currency, before.customer, before.id)
                == (after.amount, after.currency, after.customer, after.id)
        });
        let table = || {
            wrong(
                "state tables",
                format!("{:?} to {:?}", before.map(|intent| &intent.status), after.status),
            )
        };
        if !same {
            return table();
        }
        match before {
            None => {
                expected.events.push("payment_intent.created");
                let Some(Command::CreatePaymentIntent(asked)) = self.command else {
                    return wrong("nothing unexplained", format!("an intent by {:?}", self.command));
                };
                let manual = asked.capture_method == Some(CaptureMethod::Manual);
                if asked.amount != after.amount
                    || asked.currency != Some(after.currency)
                    || manual != (after.capture_method == CaptureMethod::Manual)
                    || asked.customer.map(|customer| customer.0) != after.customer
                {
                    return wrong("requests", format!("{asked:?} made {after:?}"));
                }
                let with = With::of(asked.payment_method, asked.payment_method_data.as_deref());
                let deposits = asks_for_deposits(asked.payment_method_options.as_deref());
                self.paid(&mut expected, after, with, deposits, asked.confirm == Some(true))?;
            }
            Some(before) => match (&before.status, &after.status) {
                (
                    Status::RequiresPaymentMethod | Status::RequiresConfirmation { .. } | Status::RequiresAction { .. },
                    Status::Canceled { release: None, .. },
                ) => {
                    self.by_cancel(after)?;
                    expected.events.push("payment_intent.canceled");
                }
                (Status::RequiresAction { action }, _) if let Some(told) = self.told_deposits(action) => {
                    self.deposits_told(&mut expected, before, after, told)?;
                }
                (Status::RequiresAction { .. }, _) if let Some(Command::CompleteAction(done)) = self.command => {
                    self.acted(&mut expected, before, after, *done)?;
                }
                (
                    Status::RequiresPaymentMethod | Status::RequiresConfirmation { .. } | Status::RequiresAction { .. },
                    _,
                ) => {
                    let Some(Command::ConfirmPaymentIntent(id, asked)) = self.command else {
                        return wrong("nothing unexplained", format!("confirmed by {:?}", self.command));
                    };
                    if *id != after.id {
                        return wrong("requests", "another intent was confirmed");
                    }
                    let with = With::of(asked.payment_method, asked.payment_method_data.as_deref());
                    let deposits = asks_for_deposits(asked.payment_method_options.as_deref());
                    self.paid(&mut expected, after, with, deposits, true)?;
                }
                (Status::Debiting { ends_ms }, _) => self.debiting(&mut expected, before, after, *ends_ms)?,
                (Status::Processing { attempt }, _) => self.processing(&mut expected, after, attempt)?,
                (Status::RequiresCapture { .. }, _) => self.held(&mut expected, before, after)?,
                (
                    Status::Canceled {
                        release: Some(open), ..
                    },
                    Status::Canceled { release, .. },
                ) => {
                    self.goes_on(after.id, open, release.as_deref())?;
                }
                _ => return table(),
            },
        }
        Ok(expected)
    }

    pub(super) fn by_cancel(&self, after: &PaymentIntent) -> Result<(), Wrong> {
        match self.command {
            Some(Command::CancelPaymentIntent(id, _)) if *id == after.id => Ok(()),
            other => wrong("nothing unexplained", format!("cancelled by {other:?}")),
        }
    }

    /// An intent that was made or confirmed.
    fn paid(
        &self,
        expected: &mut Expected,
        after: &PaymentIntent,
        with: With,
        deposits: bool,
        confirm: bool,
    ) -> Result<(), Wrong> {
        if !confirm {
            let untouched = after.charge_count == 0
                && match after.status {
                    Status::RequiresPaymentMethod => with == With::Nothing,
                    Status::RequiresConfirmation { .. } => with != With::Nothing,
                    _ => false,
                };
            return if untouched {
                Ok(())
            } else {
                wrong("state tables", format!("unconfirmed, but {:?}", after.status))
            };
        }
        let card = match with {
            With::Card(card) => card,
            With::Bank(account) => return self.debited_or_parked(expected, after, account, deposits),
            With::Redirect(kind) => return self.sent_away(expected, after, kind),
            With::Nothing => return wrong("requests", "paid with nothing"),
        };
        // No plan asks for 3D Secure itself.
        let asks = matches!(card.authentication, AuthenticationRule::Required(Lookup::Challenge, _));
        match (card.behaviour, &after.status) {
            (_, Status::RequiresAction { action }) if asks => {
                let parked = after.charge_count == self.charges_before(after) && after.payment_method.is_some();
                if !parked || action.return_url.is_some() {
                    return wrong("state tables", format!("parked as {after:?}"));
                }
                expected.events.push("payment_intent.requires_action");
                Ok(())
            }
            (_, status) if asks => wrong("requests", format!("nobody was asked: {status:?}")),
            (Behaviour::Succeed, Status::Succeeded { .. } | Status::RequiresCapture { capture: None, .. }) => {
                self.approved(expected, after)
            }
            (Behaviour::Decline(decline), Status::RequiresPaymentMethod) => {
                self.failed(expected, after, Some(decline.number))
            }
            (Behaviour::Remote(_), Status::Processing { attempt }) => self.begins(after.id, attempt, after.amount),
            (behaviour, status) => wrong("requests", format!("{behaviour:?} led to {status:?}")),
        }
    }

    /// How many charges the intent had before.
    pub(super) fn charges_before(&self, intent: &PaymentIntent) -> u32 {
        self.model
            .intent_at(intent.id, u64::MAX)
            .map_or(0, |before| before.charge_count)
    }

    /// Whether what is paid with is saved to a customer in this record.
    pub(super) fn saves_method(&self) -> bool {
        let was_attached = |method: &PaymentMethod| match self.model.object_at(method.id, u64::MAX) {
            Some(Object::PaymentMethod(before)) => before.customer.is_some(),
            _ => false,
        };
        self.method()
            .is_some_and(|method| method.customer.is_some() && !was_attached(method))
    }

    /// The card was charged or money is held.
    pub(super) fn approved(&self, expected: &mut Expected, after: &PaymentIntent) -> Result<(), Wrong> {
        let Some(charge) = after.latest_charge().and_then(|id| self.object_charge(id)) else {
            return wrong("state tables", "paid without a charge");
        };
        if charge.id.seq() <= self.facts.seq_before || charge.amount != after.amount || charge.refunded != 0 {
            return wrong("state tables", format!("paid with {charge:?}"));
        }
        expected.objects.push(charge.id.seq());
        if self.saves_method() {
            expected.events.push("payment_method.attached");
        }
        expected.events.push("charge.succeeded");
        let manual = after.capture_method == CaptureMethod::Manual;
        match (&after.status, charge.state) {
            (Status::Succeeded { received }, ChargeState::Captured { amount, .. })
                if !manual && *received == amount && amount == after.amount =>
            {
                self.capture(expected, charge)?;
                expected.events.push("payment_intent.succeeded");
                Ok(())
            }
            (Status::RequiresCapture { capture: None, .. }, ChargeState::Held) if manual => {
                expected.events.push("payment_intent.amount_capturable_updated");
                Ok(())
            }
            other => wrong("state tables", format!("{other:?}")),
        }
    }

    /// The entry and movement of a charge that is captured here, and the dispute that its card raises.
    pub(super) fn capture(&self, expected: &mut Expected, charge: &Charge) -> Result<(), Wrong> {
        let ChargeState::Captured {
            amount,
            available_day: day,
            ..
        } = charge.state
        else {
            return wrong("state tables", format!("captured, but {:?}", charge.state));
        };
        let fee = fee(
            &self.model.profile,
            &charge.instrument,
            amount,
            charge.currency.exponent(),
        );
        if day != available_day(&charge.instrument, self.facts.now_ms) {
            return wrong("entries", format!("available on day {day}"));
        }
        let by_card = charge.instrument.card().is_some();
        if by_card == charge.id.is_other(&kinds::CHARGE) {
            return wrong("state tables", format!("{charge:?} has the id of something else"));
        }
        let currency = charge.currency.number();
        expected.entries.push(
            Postings::default()
                .add(currency, receivable(charge.network), 0, amount)
                .add(currency, "merchant_balance", day, fee - amount)
                .add(currency, "fee_revenue", 0, -fee),
        );
        expected.movements.push((amount, fee));
        self.opened(expected, charge)
    }

    pub(super) fn failed(
        &self,
        expected: &mut Expected,
        after: &PaymentIntent,
        decline: Option<u16>,
    ) -> Result<(), Wrong> {
        let Some(charge) = after.latest_charge().and_then(|id| self.object_charge(id)) else {
            return wrong("state tables", "declined without a charge");
        };
        let fits = matches!(charge.state, ChargeState::Failed { decline: number } if decline.is_none_or(|known| known == number));
        if charge.id.seq() <= self.facts.seq_before || !fits || after.payment_method.is_some() {
            return wrong("state tables", format!("declined with {charge:?}"));
        }
        expected.objects.push(charge.id.seq());
        expected
            .events
            .extend(["charge.failed", "payment_intent.payment_failed"]);
        Ok(())
    }

    /// A payment whose attempt was open.
    fn processing(&self, expected: &mut Expected, after: &PaymentIntent, open: &Attempt) -> Result<(), Wrong> {
        match &after.status {
            Status::Processing { attempt } => {
                if matches!(open.phase, Phase::Calling { .. }) {
                    expected.events.push("payment_intent.processing");
                }
                self.goes_on(after.id, open, Some(attempt))
            }
            Status::Succeeded { .. } | Status::RequiresCapture { capture: None, .. } => {
                self.heard_approval(after.id, open)?;
                self.approved(expected, after)
            }
            Status::RequiresPaymentMethod => {
                self.heard_end(after.id, open)?;
                self.failed(expected, after, None)
            }
            status => wrong("state tables", format!("processing to {status:?}")),
        }
    }

    /// A hold: captured, about to be, cancelled or expired.
    fn held(&self, expected: &mut Expected, before: &PaymentIntent, after: &PaymentIntent) -> Result<(), Wrong> {
        let Status::RequiresCapture {
            capture_before_ms,
            capture: open,
            // No plan asks for captures in parts.
            received: 0,
        } = &before.status
        else {
            return wrong("state tables", "not a hold");
        };
        let charge_before = before.latest_charge().and_then(|id| self.model.charge_at(id, u64::MAX));
        let Some(charge_before) = charge_before.filter(|charge| charge.state == ChargeState::Held) else {
            return wrong("state tables", "a hold without a held charge");
        };
        let remote = charge_before.authorised_by.is_some();
        let charge = self.object_charge(charge_before.id);
        match (open, &after.status) {
            (
                None,
                Status::RequiresCapture {
                    capture: Some(begun), ..
                },
            ) => {
                let amount = self.capture_amount(after)?;
                if !remote || begun.amount != amount || !matches!(begun.phase, Phase::Calling { .. }) {
                    return wrong("attempts", format!("{begun:?} for {amount}"));
                }
                Ok(())
            }
            (
                Some(open),
                Status::RequiresCapture {
                    capture: Some(next), ..
                },
            ) => self.goes_on(after.id, open, Some(next)),
            (Some(open), Status::RequiresCapture { capture: None, .. }) => self.heard_end(after.id, open),
            (_, Status::Succeeded { received }) => {
                let amount = match open {
                    None => self.capture_amount(after)?,
                    Some(open) => {
                        self.heard_approval(after.id, open)?;
                        open.amount
                    }
                };
                let Some(charge) = charge.filter(|charge| captured(charge) == amount) else {
                    return wrong("state tables", format!("captured with {charge:?}"));
                };
                if *received != amount || amount > before.amount || remote == open.is_none() {
                    return wrong("state tables", format!("{received} received of {amount}"));
                }
                expected.objects.push(charge.id.seq());
                expected.events.push("charge.captured");
                self.capture(expected, charge)?;
                expected.events.push("payment_intent.succeeded");
                Ok(())
            }
            (None, Status::Canceled { release, .. }) if release.is_some() == remote => {
                expected.objects.push(charge_before.id.seq());
                let state = charge.map(|charge| charge.state);
                if self.command.is_some() {
                    self.by_cancel(after)?;
                    expected.events.extend(["payment_intent.canceled", "charge.refunded"]);
                    return match state {
                        Some(ChargeState::Released) => Ok(()),
                        other => wrong("state tables", format!("cancelled with {other:?}")),
                    };
                }
                expected.events.extend(["charge.expired", "payment_intent.canceled"]);
                let held_ms = self.model.held.get(&after.id.seq()).copied().unwrap_or(0);
                if self.now_ms + self.slack_ms < held_ms + HOLD_MS {
                    let hours = (self.now_ms - held_ms) / HOUR_MS;
                    return wrong("holds last", format!("expired after {hours} hours"));
                }
                match state {
                    Some(ChargeState::Expired) if self.facts.now_ms >= *capture_before_ms => Ok(()),
                    other => wrong(
                        "state tables",
                        format!("expired with {other:?} before {capture_before_ms}"),
                    ),
                }
            }
            (open, status) => wrong("state tables", format!("a hold with {open:?} to {status:?}")),
        }
    }

    fn capture_amount(&self, after: &PaymentIntent) -> Result<i64, Wrong> {
        match self.command {
            Some(Command::CapturePaymentIntent(id, asked)) if *id == after.id => {
                Ok(asked.amount_to_capture.unwrap_or(after.amount))
            }
            Some(Command::CaptureCharge(id, asked)) if Some(*id) == after.latest_charge() => {
                Ok(asked.amount.unwrap_or(after.amount))
            }
            other => wrong("nothing unexplained", format!("captured by {other:?}")),
        }
    }
}

/// What a request pays with, as plans ask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum With {
    Nothing,
    Card(&'static TestCard),
    Bank(&'static TestAccount),
    Redirect(PaymentMethodType),
}

impl With {
    pub(super) fn of(param: Option<PaymentMethodParam>, data: Option<&PaymentMethodData>) -> With {
        match (param, data.and_then(|data| data.kind)) {
            (Some(PaymentMethodParam::Fresh(TestMethod::Card(card))), _) => With::Card(card),
            (Some(PaymentMethodParam::Fresh(TestMethod::Bank(account, _))), _) => With::Bank(account),
            (_, Some(kind)) => With::Redirect(kind.0),
            _ => With::Nothing,
        }
    }
}

/// A card whose issuer is asked, and declines.
pub(super) fn declines(behaviour: Behaviour) -> bool {
    matches!(
        behaviour,
        Behaviour::Decline(_) | Behaviour::Remote(RemoteBehaviour::Decline)
    )
}
