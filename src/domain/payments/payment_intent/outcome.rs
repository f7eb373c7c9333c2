//! What follows from a network's word, whichever network said it: charges, movements of the balance, events.

use super::{FutureUsage, HOLD_MS, LastError, PaymentIntent, Status};
use crate::acquirer::AttemptId;
use crate::balance::balance_transaction::{BalanceTransaction, BalanceTransactionType, available_on};
use crate::books::{CaptureMoney, Entry, debit_fee, fee};
use crate::country::Country;
use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::inputs::Network;
use crate::kinds;
use crate::money::Money;
use crate::object::Object;
use crate::payments::authentication::ThreeDSecureResult;
use crate::payments::charge::{Charge, ChargeState, Concerns};
use crate::payments::dispute;
use crate::payments::mandate::{self, MandateScope};
use crate::payments::payment_method::{Aftermath, Decline, Instrument, PaymentMethod, declines, put_used};
use crate::radar::{self, Risk, early_fraud_warning};
use crate::reject::Reject;
use std::sync::Arc;
use tollgate_resource::Id;

/// Longest text a cardholder reads, in characters.
const STATEMENT_LEN_MAX: usize = 22;

/// Who decided an attempt to pay.
#[derive(Clone, Copy)]
pub(super) struct DecidedBy {
    /// The network.
    pub(super) network: Network,
    /// Its attempt, if it is a remote one.
    pub(super) attempt: Option<AttemptId>,
    /// How 3D Secure ended before, if it was tried.
    pub(super) three_d_secure: Option<ThreeDSecureResult>,
    /// The risk for which a rule blocked it, so that the network was not asked.
    pub(super) blocked: Option<Risk>,
}

/// The bank said yes: the money is captured, or held if the merchant captures later. `intent` and `method` end up in the
/// draft.
pub(super) fn approved(
    case: &Case<'_>,
    draft: &mut Draft,
    mut intent: PaymentIntent,
    mut method: PaymentMethod,
    by: DecidedBy,
) -> Result<(), Stop> {
    let kind = method.instrument.kind();
    let held = intent.holds(kind);
    let mut charge = new_charge(case, draft, &intent, &method, by);
    method.see();
    let saves = intent.saves_for(kind).is_some();
    save(case, draft, &intent, &mut method, saves)?;
    method.used_up = method.customer.is_none();
    // Whoever proved who they are while the card was saved need not do so again without being there.
    method.prepared |= !method.used_up
        && intent.saves_for(kind) == Some(FutureUsage::OffSession)
        && by.three_d_secure == Some(ThreeDSecureResult::Authenticated);
    if let Some(mandate) = intent.mandate() {
        charge.made_under(mandate, &method);
    }
    if let (Some(agreement), Some(FutureUsage::OffSession)) = (intent.take_agreement(), intent.saves_for(kind)) {
        let mandate = mandate::grant(case, draft, &mut method, agreement, MandateScope::MultiUse)?;
        charge.made_under(mandate, &method);
    }
    intent.add_charge(charge.id);
    intent.last_error = None;
    draft.event(EventType::ChargeSucceeded, charge.id);
    if radar::concerns(&method) {
        radar::after_approval(case, draft, &mut charge, &method);
        if let Some(review) = charge.review() {
            intent.with_particulars(|particulars| particulars.review = Some(review));
        }
    }
    if held {
        let capture_before_ms = draft.now_ms() + HOLD_MS;
        charge.capture_before_ms = Some(capture_before_ms);
        intent.status = Status::RequiresCapture {
            capture_before_ms,
            capture: None,
            received: 0,
        };
        draft.timer(capture_before_ms, intent.id);
        draft.event(EventType::PaymentIntentAmountCapturableUpdated, intent.id);
    } else {
        charge.captured_by = by.attempt;
        let amount = charge.amount;
        charge.state = capture_money(case, draft, &charge, amount);
        follow_capture(case, draft, &mut charge);
        intent.status = Status::Succeeded {
            received: charge.amount,
        };
        draft.event(EventType::PaymentIntentSucceeded, intent.id);
    }
    put_used(case, draft, method);
    draft.put(Object::Charge(Arc::new(charge)));
    put_intent(case, draft, intent);
    Ok(())
}

/// Saves what is paid with to the customer of the intent, if it is to be saved.
pub(super) fn save(
    case: &Case<'_>,
    draft: &mut Draft,
    intent: &PaymentIntent,
    method: &mut PaymentMethod,
    saves: bool,
) -> Result<(), Stop> {
    if let (Some(id), true, None) = (intent.customer, saves, method.customer)
        && let Some(customer) = case.customer(id)?
    {
        // The money has moved: a customer that holds too many payment methods keeps the payment, not the method.
        let mut customer = customer.clone();
        if customer.hold_method(method.id).is_ok() {
            method.customer = Some(id);
            draft.event(EventType::of_saving(method.id), method.id);
            draft.put(Object::Customer(Arc::new(customer)));
        }
    }
    Ok(())
}

/// The newest charge of an intent that has one.
pub(super) fn latest<'a>(case: &Case<'a>, intent: &PaymentIntent) -> Result<&'a Charge, Stop> {
    let id = intent
        .latest_charge()
        .expect("an intent that is being paid has a charge");
    Ok(case.charge(id)?.expect("the charge of an intent exists"))
}

/// The bank said no, or the attempt came to nothing: a failed charge, and the intent wants another payment method. What
/// is returned is the asker's answer.
pub(super) fn declined(
    case: &Case<'_>,
    draft: &mut Draft,
    mut intent: PaymentIntent,
    mut method: PaymentMethod,
    decline: &'static Decline,
    by: DecidedBy,
) -> Reject {
    let mut charge = new_charge(case, draft, &intent, &method, by);
    charge.concerns = by.blocked.map(|risk| {
        Box::new(Concerns {
            risk: Some(risk),
            ..Concerns::default()
        })
    });
    charge.state = ChargeState::Failed {
        decline: decline.number,
    };
    method.see();
    // Only a payment uses a payment method up; after a decline it may be tried again.
    method.used_up = false;
    let method = Arc::new(method);
    intent.add_charge(charge.id);
    intent.status = Status::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_error = Some(Box::new(LastError {
        decline: Some(decline.number),
        charge: Some(charge.id),
        payment_method: Arc::clone(&method),
    }));
    draft.event(EventType::ChargeFailed, charge.id);
    draft.event(EventType::PaymentIntentPaymentFailed, intent.id);
    let reject = Reject::declined(decline)
        .with_charge(charge.id)
        .with_payment_intent(intent.id)
        .with_payment_method(method.id);
    keep_declined(case, draft, method, decline);
    draft.put(Object::Charge(Arc::new(charge)));
    put_intent(case, draft, intent);
    reject
}

/// Keeps a payment method after a decline. A wrong security code is not kept with a card that is saved: the next payment
/// gives none, unless the payer enters it again.
fn keep_declined(case: &Case<'_>, draft: &mut Draft, mut method: Arc<PaymentMethod>, decline: &'static Decline) {
    if method.customer.is_some() && *decline == declines::INCORRECT_CVC {
        Arc::make_mut(&mut method).cvc_check = None;
    }
    put_used(case, draft, method);
}

/// The attempt ended before the bank was asked: no charge, and the intent wants another payment method. `decline` is why,
/// `None` when the payer failed to prove who they are.
pub(super) fn refused_unasked(
    case: &Case<'_>,
    draft: &mut Draft,
    mut intent: PaymentIntent,
    method: PaymentMethod,
    decline: Option<&'static Decline>,
) {
    let method = Arc::new(method);
    intent.status = Status::RequiresPaymentMethod;
    intent.payment_method = None;
    intent.last_error = Some(Box::new(LastError {
        decline: decline.map(|decline| decline.number),
        charge: None,
        payment_method: Arc::clone(&method),
    }));
    draft.event(EventType::PaymentIntentPaymentFailed, intent.id);
    if method.id.seq() > case.world.account.seq {
        draft.put(Object::of_method(method));
    }
    put_intent(case, draft, intent);
}

/// One capture of a hold.
pub(super) struct Part {
    /// How much, in minor units.
    pub(super) amount: i64,
    /// Whether what is left is released.
    pub(super) last: bool,
    /// The attempt at a remote network that captured it.
    pub(super) attempt: Option<AttemptId>,
}

/// A hold was captured, wholly or in part. `intent` and `charge` end up in the draft.
pub(super) fn captured(case: &Case<'_>, draft: &mut Draft, mut intent: PaymentIntent, mut charge: Charge, part: Part) {
    let received = charge.amount_captured() + part.amount;
    assert!(
        0 < part.amount && received <= charge.amount,
        "a capture lies within the hold"
    );
    let last = part.last || received == charge.amount;
    charge.captured_by = part.attempt;
    charge.metadata = intent.metadata.clone();
    charge.statement_descriptor = intent.statement_descriptor.clone();
    charge.statement_descriptor_suffix = intent.statement_descriptor_suffix.clone();
    charge.calculated_statement_descriptor = statement_of(case, &intent);
    let state = capture_money(case, draft, &charge, part.amount);
    charge.state = if last { state } else { state.unfinished() };
    draft.event(EventType::ChargeCaptured, charge.id);
    match intent.status {
        Status::RequiresCapture { capture_before_ms, .. } if !last => {
            intent.status = Status::RequiresCapture {
                capture_before_ms,
                capture: None,
                received,
            };
            draft.event(EventType::PaymentIntentAmountCapturableUpdated, intent.id);
        }
        _ => {
            follow_capture(case, draft, &mut charge);
            intent.status = Status::Succeeded { received };
            draft.event(EventType::PaymentIntentSucceeded, intent.id);
        }
    }
    put_charge(case, draft, charge);
    put_intent(case, draft, intent);
}

/// Nothing more is captured of a hold that was captured in parts: what is left is released.
pub(super) fn finished(case: &Case<'_>, draft: &mut Draft, mut intent: PaymentIntent, mut charge: Charge) {
    let received = charge.amount_captured();
    charge.state = charge.state.completed();
    follow_capture(case, draft, &mut charge);
    intent.status = Status::Succeeded { received };
    draft.event(EventType::PaymentIntentSucceeded, intent.id);
    put_charge(case, draft, charge);
    put_intent(case, draft, intent);
}

/// Puts an intent, if the state table allows its state.
///
/// # Panics
/// When it does not: a decision that would break the table must not become durable.
pub(super) fn put_intent(case: &Case<'_>, draft: &mut Draft, intent: PaymentIntent) {
    let before = match case.world.objects.find(&kinds::PAYMENT_INTENT, intent.id) {
        crate::decision::Lookup::Found(Object::PaymentIntent(before)) => Some(before.status.name()),
        _ => None,
    };
    let next = intent.status.name();
    assert!(next.may_follow(before), "{next:?} may not follow {before:?}");
    draft.put(Object::PaymentIntent(Arc::new(intent)));
}

/// Puts a charge that existed before, if the state table allows its state.
pub(crate) fn put_charge(case: &Case<'_>, draft: &mut Draft, charge: Charge) {
    if let crate::decision::Lookup::Found(Object::Charge(before)) = case.world.objects.find(&kinds::CHARGE, charge.id) {
        assert!(
            charge.state.may_follow(Some(&before.state)),
            "{:?} may not follow {:?}",
            charge.state,
            before.state
        );
    }
    draft.put(Object::Charge(Arc::new(charge)));
}

/// A charge that is held, with what the intent says of it.
pub(super) fn new_charge(
    case: &Case<'_>,
    draft: &mut Draft,
    intent: &PaymentIntent,
    method: &PaymentMethod,
    by: DecidedBy,
) -> Charge {
    Charge {
        id: match method.instrument {
            Instrument::Card(_) => draft.born(&kinds::CHARGE),
            Instrument::Bank(_) | Instrument::Redirect(_) => draft.born_other(&kinds::CHARGE),
        },
        amount: intent.amount,
        currency: intent.currency,
        payment_intent: Some(intent.id),
        payment_method: method.id,
        instrument: method.instrument.clone(),
        customer: intent.customer,
        state: ChargeState::Held,
        network: by.network,
        authorised_by: by.attempt,
        captured_by: None,
        capture_before_ms: None,
        refunded: 0,
        refunds: Vec::new(),
        refund_count: 0,
        description: intent.description.clone(),
        metadata: intent.metadata.clone(),
        receipt_email: intent.receipt_email.clone(),
        shipping: intent.shipping.clone(),
        statement_descriptor: intent.statement_descriptor.clone(),
        statement_descriptor_suffix: intent.statement_descriptor_suffix.clone(),
        calculated_statement_descriptor: statement_of(case, intent),
        transfer_group: intent.transfer_group.clone(),
        source: None,
        seen: method.seen().map(Box::new),
        three_d_secure: by.three_d_secure,
        concerns: None,
        increments: intent.may_increment(by.network),
        multicapture: intent.may_capture_in_parts(by.network),
        remote: None,
        claims: intent.claims().cloned().map(Box::new),
        revised: true,
    }
}

/// Moves the money of a capture: one balance transaction and one entry.
///
/// The balance transaction is there at once for every capture method. (`automatic_async` allows it to follow seconds
/// later with a `charge.updated` event; here the money is visible with the answer, and there is one moving part less.)
pub(crate) fn capture_money(case: &Case<'_>, draft: &mut Draft, charge: &Charge, amount: i64) -> ChargeState {
    let now_ms = draft.now_ms();
    let captured = Money::new(amount, charge.currency);
    let fee = fee_of(case.world.account.profile.country, captured, &charge.instrument);
    let day = charge.instrument.available_day(now_ms);
    let id: Id = draft.born(&kinds::BALANCE_TRANSACTION);
    draft.put(Object::BalanceTransaction(Arc::new(BalanceTransaction {
        id,
        kind: match charge.instrument {
            Instrument::Card(_) => BalanceTransactionType::Charge,
            Instrument::Bank(_) | Instrument::Redirect(_) => BalanceTransactionType::Payment,
        },
        source: charge.id,
        amount,
        fee,
        currency: charge.currency,
        available_on: available_on(day, now_ms),
        description: charge.description.clone(),
    })));
    draft.entry(Entry::capture(
        charge.id,
        id,
        charge.network,
        CaptureMoney {
            captured,
            fee,
            available_day: day,
        },
    ));
    ChargeState::Captured {
        amount: charge.amount_captured() + amount,
        balance_transaction: id,
        available_day: day,
    }
}

/// Our fee for a capture from `instrument`, in minor units.
fn fee_of(account_country: Country, captured: Money, instrument: &Instrument) -> i64 {
    match instrument {
        Instrument::Card(card) => fee(account_country, captured, card.facts().country).amount,
        Instrument::Bank(bank) => debit_fee(bank.scheme, captured).amount,
        // As a card of the merchant's own country.
        Instrument::Redirect(_) => fee(account_country, captured, account_country).amount,
    }
}

/// What the issuers of a few test cards do once a payment has been captured.
pub(crate) fn follow_capture(case: &Case<'_>, draft: &mut Draft, charge: &mut Charge) {
    match charge.instrument.aftermath() {
        Aftermath::Quiet => {}
        Aftermath::Disputes(how) => dispute::after_capture(case, draft, charge, how),
        Aftermath::ReportsFraud => early_fraud_warning::report(draft, charge),
    }
}

/// What the cardholder reads: the payment's own text, or the account's, and the suffix behind it.
pub(crate) fn statement_text(case: &Case<'_>, own: Option<&str>, suffix: Option<&str>) -> Option<Box<str>> {
    let prefix = own.or(case.world.account.profile.statement_descriptor.as_deref());
    let text = match (prefix, suffix) {
        (Some(prefix), Some(suffix)) => format!("{prefix}* {suffix}"),
        (Some(text), None) | (None, Some(text)) => text.to_owned(),
        (None, None) => return None,
    };
    Some(text.chars().take(STATEMENT_LEN_MAX).collect::<String>().into())
}

fn statement_of(case: &Case<'_>, intent: &PaymentIntent) -> Option<Box<str>> {
    statement_text(
        case,
        intent.statement_descriptor.as_deref(),
        intent.statement_descriptor_suffix.as_deref(),
    )
}
