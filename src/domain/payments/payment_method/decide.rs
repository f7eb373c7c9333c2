//! Making, changing, saving and taking away payment methods.

use super::{
    Decline, Instrument, PaymentMethod, PaymentMethodData, PaymentMethodParam, TestMethod, UpdatePaymentMethod,
    declines,
};
use crate::customers::customer::{Customer, put_changed};
use crate::decision::{Case, Decision, Lookup, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::payments::bank_account::BankScheme;
use crate::payments::card::check_expiry;
use crate::payments::mandate;
use crate::reject::{Reject, codes};
use std::sync::Arc;
use tollgate_resource::{Id, Names};

const NO_CUSTOMER: &str = "Must provide customer or customer_account.";
const ATTACHED_ALREADY: &str = "The payment method you provided has already been attached to a customer.";
const NOT_ATTACHED: &str = "The payment method you provided is not attached to a customer so detachment is impossible.";
const MAY_NOT_BE_USED_AGAIN: &str = "This PaymentMethod was previously used without being attached to a Customer or was \
    detached from a Customer, and may not be used again.";
const OLDER_API: &str = "This is a card or source of the older API. Save, change and remove it with \
    /v1/customers/:id/sources.";
const ONLY_SAVED_CHANGE: &str = "You must save this PaymentMethod to a customer before you can update it.";

/// Makes a payment method. There is no event of that.
pub(crate) fn create(case: &Case<'_>, asked: &PaymentMethodData) -> Result<Decision, Stop> {
    let new = asked.check("", case)?;
    let mut draft = case.draft();
    let method = new.born(&mut draft);
    Ok(put(draft, method))
}

/// Makes the payment method that the name of test data stands for.
pub(crate) fn draw(case: &Case<'_>, test: TestMethod) -> Result<Decision, Stop> {
    let mut draft = case.draft();
    let method = fresh(case, &mut draft, test, "payment_method")?;
    Ok(put(draft, method))
}

/// Changes a payment method. A change that changes nothing makes no event.
pub(crate) fn update(
    case: &Case<'_>,
    named: PaymentMethodParam,
    asked: &UpdatePaymentMethod,
) -> Result<Decision, Stop> {
    let PaymentMethodParam::Stored(id) = named else {
        return Err(Reject::invalid(None, ONLY_SAVED_CHANGE).into());
    };
    let before = of_path(case, id)?;
    let mut after = before.clone();
    if let Some(changes) = &asked.card {
        let Some(card) = after.instrument.card_mut() else {
            return Err(other_type("card").into());
        };
        let month = changes.exp_month.unwrap_or(i64::from(card.exp_month));
        let year = changes.exp_year.unwrap_or(i64::from(card.exp_year));
        if changes.exp_month.is_some() || changes.exp_year.is_some() {
            (card.exp_month, card.exp_year) = check_expiry(month, year, case.inputs.now_ms)?;
        }
        if let Some(networks) = &changes.networks
            && let Some(brand) = networks.check(*card, "card")?
        {
            after.details.get_or_insert_default().preferred_network = Some(brand);
        }
    }
    if let Some(changes) = &asked.us_bank_account {
        match &mut after.instrument {
            Instrument::Bank(bank) if bank.scheme == BankScheme::UsBankAccount => {
                bank.holder = changes.account_holder_type.or(bank.holder);
                bank.account_type = changes.account_type.or(bank.account_type);
            }
            _ => return Err(other_type("us_bank_account").into()),
        }
    }
    if let Some(billing) = &asked.billing_details {
        let details = after.details.get_or_insert_default();
        let mut merged = details.billing.clone();
        billing.apply_to(&mut merged);
        details.bill(merged);
    }
    if asked.metadata.clear || !asked.metadata.pairs.is_empty() {
        metadata::merge(&mut after.details.get_or_insert_default().metadata, &asked.metadata)?;
    }
    if let Some(redisplay) = asked.allow_redisplay {
        after.details.get_or_insert_default().allow_redisplay = redisplay;
    }
    if after.details.as_deref() == Some(&Default::default()) {
        after.details = None;
    }
    if before.customer.is_none() {
        return Err(Reject::invalid(None, ONLY_SAVED_CHANGE).begun().into());
    }
    let mut draft = case.draft();
    if after != *before {
        let previous = Object::of_method(before.clone());
        draft.put(Object::of_method(after));
        draft.update_event(EventType::PaymentMethodUpdated, id, previous);
    }
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_METHOD, id)))
}

/// Whether the issuer is asked about a card that is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saving {
    /// It is, and may refuse.
    Asked,
    /// It is not: the first payment will tell.
    Unasked,
}

impl Saving {
    /// What the parameter `validate` says.
    pub fn of(validate: Option<bool>) -> Saving {
        if validate == Some(false) {
            Saving::Unasked
        } else {
            Saving::Asked
        }
    }

    /// Saves a payment method that has no customer yet; see [`save`].
    ///
    /// # Errors
    /// It was used up, or the issuer was asked and does not take the card (402).
    pub(crate) fn save(
        self,
        case: &Case<'_>,
        draft: &mut Draft,
        method: PaymentMethod,
        customer: &mut Customer,
    ) -> Result<PaymentMethod, Stop> {
        match self {
            Saving::Asked => save(case, draft, method, customer),
            Saving::Unasked => keep(draft, method, customer),
        }
    }
}

/// Saves a payment method to a customer. Saved to the same one already, it stays as it is.
pub(crate) fn attach(
    case: &Case<'_>,
    named: PaymentMethodParam,
    customer: Option<Id>,
    saving: Saving,
) -> Result<Decision, Stop> {
    let customer = customer.ok_or_else(|| Reject::invalid(Some(codes::PARAMETER_MISSING), NO_CUSTOMER))?;
    let holder = case.customer(customer)?;
    let holder = holder.ok_or_else(|| Reject::no_such_param(&kinds::CUSTOMER, customer, "customer"))?;
    let mut draft = case.draft();
    let method = match named {
        PaymentMethodParam::Stored(id) => of_path(case, id)?.clone(),
        PaymentMethodParam::Fresh(card) => fresh(case, &mut draft, card, "payment_method")?,
    };
    match method.customer {
        Some(owner) if owner == customer => {
            return Ok(case.draft().decide(Reply::Object(&kinds::PAYMENT_METHOD, method.id)));
        }
        Some(_) => return Err(attached_already()),
        None => {}
    }
    let mut holder = holder.clone();
    let method = saving.save(case, &mut draft, method, &mut holder)?;
    let id = method.id;
    draft.put(Object::of_method(method));
    draft.put(Object::Customer(Arc::new(holder)));
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_METHOD, id)))
}

/// The refusal to save what another customer has.
pub(crate) fn attached_already() -> Stop {
    Reject::invalid(None, ATTACHED_ALREADY).begun().into()
}

/// Saves a payment method that has no customer yet: the issuer is asked, and there is an event. The payment method and
/// the customer, who now holds it, still have to be put.
///
/// # Errors
/// It was used up, or the issuer does not take the card (402).
pub(crate) fn save(
    case: &Case<'_>,
    draft: &mut Draft,
    method: PaymentMethod,
    customer: &mut Customer,
) -> Result<PaymentMethod, Stop> {
    check_unused(&method)?;
    let kind = method.instrument.kind();
    if !kind.rules().saves {
        let message = format!(
            "A payment method of type `{}` cannot be saved to a customer: it pays once.",
            kind.name()
        );
        return Err(Reject::invalid(None, message)
            .with_param("payment_method")
            .begun()
            .into());
    }
    if let Some(decline) = refuses_saving(case, &method) {
        let mut reject = Reject::declined(decline);
        reject.param.get_or_insert_default();
        return Err(reject.into());
    }
    let mut method = keep(draft, method, customer)?;
    method.see();
    Ok(method)
}

/// The same without asking the issuer.
fn keep(draft: &mut Draft, mut method: PaymentMethod, customer: &mut Customer) -> Result<PaymentMethod, Stop> {
    check_unused(&method)?;
    customer.hold_method(method.id)?;
    method.customer = Some(customer.id);
    draft.event(EventType::of_saving(method.id), method.id);
    Ok(method)
}

fn check_unused(method: &PaymentMethod) -> Result<(), Stop> {
    if method.used_up {
        return Err(Reject::invalid(None, MAY_NOT_BE_USED_AGAIN).begun().into());
    }
    Ok(())
}

/// Takes a payment method from its customer.
pub(crate) fn detach(case: &Case<'_>, named: PaymentMethodParam) -> Result<Decision, Stop> {
    let PaymentMethodParam::Stored(id) = named else {
        return Err(Reject::invalid(None, NOT_ATTACHED).into());
    };
    let before = of_path(case, id)?;
    let Some(customer) = before.customer else {
        return Err(Reject::invalid(None, NOT_ATTACHED).begun().into());
    };
    let holder = case.customer(customer)?;
    let mut draft = case.draft();
    let mut after = PaymentMethod {
        customer: None,
        used_up: true,
        ..before.clone()
    };
    mandate::end_with(case, &mut draft, &mut after)?;
    let previous = Object::of_method(before.clone());
    draft.put(Object::of_method(after));
    draft.update_event(EventType::PaymentMethodDetached, id, previous);
    if let Some(before) = holder {
        let mut holder = before.clone();
        holder.release_method(id);
        // What a customer holds is not shown; what its invoices are charged to is.
        if holder.more().invoicing == before.more().invoicing {
            draft.put(Object::Customer(Arc::new(holder)));
        } else {
            put_changed(&mut draft, before, holder);
        }
    }
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_METHOD, id)))
}

/// Why the issuer, or a rule of the account, does not let a card be saved.
fn refuses_saving(case: &Case<'_>, method: &PaymentMethod) -> Option<&'static Decline> {
    let declined = method.instrument.test_card().and_then(|card| card.declines_attach());
    declined
        .filter(|decline| method.cvc_check.is_some() || **decline != declines::INCORRECT_CVC)
        .or_else(|| rule_refuses_saving(case, method))
}

/// What the account's rules say to keeping a payment method: `None` is yes.
pub(crate) fn rule_refuses_saving(case: &Case<'_>, method: &PaymentMethod) -> Option<&'static Decline> {
    use super::CheckResult::Fail;
    let facts = method.instrument.test_card()?;
    let radar = &case.world.account.profile.settings().radar;
    let postal_code = method
        .billing()
        .and_then(|billing| billing.address.postal_code.as_ref());
    if radar.block_cvc_fail && facts.checks.cvc == Fail && method.cvc_check.is_some() {
        Some(&declines::INCORRECT_CVC)
    } else if radar.block_zip_fail && facts.checks.postal_code == Fail && postal_code.is_some() {
        Some(&declines::INCORRECT_ZIP)
    } else {
        None
    }
}

/// Puts what a payment or setup used. A card that was deleted meanwhile stays deleted.
pub(crate) fn put_used(case: &Case<'_>, draft: &mut Draft, method: impl Into<Arc<PaymentMethod>>) {
    let method = method.into();
    let deleted = method.id.is(&kinds::CARD)
        && matches!(case.world.objects.find(&kinds::CARD, method.id), Lookup::Found(card) if card.is_deleted());
    if !deleted {
        draft.put(Object::of_method(method));
    }
}

/// A payment method of test data, born here. In live mode there is none.
pub(crate) fn fresh(
    case: &Case<'_>,
    draft: &mut Draft,
    test: TestMethod,
    param: &'static str,
) -> Result<PaymentMethod, Stop> {
    if case.world.account.profile.livemode {
        let message = format!("No such PaymentMethod: '{}'", test.name());
        let mut reject = Reject::invalid(Some(codes::RESOURCE_MISSING), message).with_param(param);
        reject.status = 404;
        return Err(reject.into());
    }
    Ok(test.born(draft))
}

fn put(mut draft: Draft, method: PaymentMethod) -> Decision {
    let id = method.id;
    draft.put(Object::of_method(method));
    draft.decide(Reply::Object(&kinds::PAYMENT_METHOD, id))
}

/// The refusal of what another type of payment method has.
fn other_type(param: &'static str) -> Reject {
    let message = format!("The parameter `{param}` does not fit the type of this PaymentMethod.");
    Reject::invalid(None, message).with_param(param)
}

fn of_path<'a>(case: &Case<'a>, id: Id) -> Result<&'a PaymentMethod, Stop> {
    if !id.is(&kinds::PAYMENT_METHOD) {
        return Err(Reject::invalid(None, OLDER_API).with_param("payment_method").into());
    }
    case.payment_method(id)?
        .ok_or_else(|| Reject::no_such(&kinds::PAYMENT_METHOD, id, "payment_method").into())
}
