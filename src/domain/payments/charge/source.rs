//! What a charge that is made by itself is paid with: a token, a card's details, a card or payment method of the customer.

use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::kinds;
use crate::object::Object;
use crate::payments::card::{FlatCardParams, TokenParam};
use crate::payments::payment_method::{NewMethod, PaymentMethod, PaymentMethodParam, Purpose, TestMethod, put_used};
use crate::reject::{ErrorType, Reject, codes};
use tollgate_resource::params::{Bounds, HasParams};
use tollgate_resource::{Id, Kind, ParamKind, ParamValue, Params, Problem, Step};

/// What a request names to pay with.
#[derive(Clone, Debug)]
pub enum ChargeSource {
    /// A token.
    Token(TokenParam),
    /// A payment method.
    Method(PaymentMethodParam),
    /// A card or source of the customer.
    Saved(&'static Kind, Id),
    /// A card's details.
    Details(Box<FlatCardParams>),
    /// None of these.
    Unknown(Box<str>),
}

/// What a charge is paid with, once it was found.
pub(super) enum Payer {
    /// A card that is kept with the charge alone.
    Passing(NewMethod),
    /// A payment method.
    Method(Box<PaymentMethod>),
}

impl ParamValue for ChargeSource {
    const KIND: ParamKind = ParamKind::Node(FlatCardParams::SHAPE);

    fn first(path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<Self, Problem> {
        if !path.is_empty() {
            let mut card = FlatCardParams::default();
            card.set(path, text)?;
            return Ok(ChargeSource::Details(Box::new(card)));
        }
        if let Ok(token) = TokenParam::first(path, text, bounds) {
            return Ok(ChargeSource::Token(token));
        }
        let mut saved = [&kinds::CARD, &kinds::SOURCE].into_iter();
        if let Some((kind, id)) = saved.find_map(|kind| kind.parse(text).map(|id| (kind, id))) {
            return Ok(ChargeSource::Saved(kind, id));
        }
        let method = PaymentMethodParam::first(path, text, bounds).map(ChargeSource::Method);
        Ok(method.unwrap_or_else(|_| ChargeSource::Unknown(text.into())))
    }

    fn more(&mut self, path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<(), Problem> {
        match self {
            ChargeSource::Details(card) if !path.is_empty() => card.set(path, text),
            _ => {
                *self = ChargeSource::first(path, text, bounds)?;
                Ok(())
            }
        }
    }
}

/// Finds what a request pays with.
///
/// # Errors
/// Nothing is named, it does not exist, is used up, or is not the customer's.
pub(super) fn payer(
    case: &Case<'_>,
    named: Option<(&ChargeSource, &'static str)>,
    customer: Option<Id>,
) -> Result<Payer, Stop> {
    let Some((source, param)) = named else {
        let Some(customer) = customer else {
            let message = "Must provide source or customer.";
            return Err(Reject::invalid(Some(codes::PARAMETER_MISSING), message).into());
        };
        return default_source(case, customer);
    };
    match (source, customer) {
        (ChargeSource::Method(PaymentMethodParam::Stored(id)), _) => Ok(Payer::Method(Box::new(
            Purpose::Payment.stored_method(case, *id, customer)?.clone(),
        ))),
        (ChargeSource::Method(PaymentMethodParam::Fresh(TestMethod::Card(card))), _) => {
            NewMethod::of_token(TokenParam::Magic(card), param, case).map(Payer::Passing)
        }
        (ChargeSource::Method(PaymentMethodParam::Fresh(test)), _) => Err(no_such_token(&test.name(), param).into()),
        (ChargeSource::Token(token), None) => NewMethod::of_token(*token, param, case).map(Payer::Passing),
        (ChargeSource::Details(card), None) => NewMethod::of_flat(card, param, case).map(Payer::Passing),
        (ChargeSource::Token(token), Some(customer)) => Err(not_linked(customer, &token.name(), param).into()),
        (ChargeSource::Details(_), Some(_)) => {
            let message = "A customer is charged by a card that is saved to them. Save this card first, or leave \
                           `customer` out.";
            Err(Reject::invalid(None, message).with_param(param).into())
        }
        (ChargeSource::Saved(kind, id), Some(customer)) => saved(case, customer, kind, *id, param),
        (ChargeSource::Saved(kind, id), None) if **kind == kinds::SOURCE => unsaved(case, *id, param),
        (ChargeSource::Saved(kind, id), None) => Err(no_such_token(&id.text(kind), param).into()),
        (ChargeSource::Unknown(text), Some(customer)) => Err(not_linked(customer, text, param).into()),
        (ChargeSource::Unknown(text), None) => Err(no_such_token(text, param).into()),
    }
}

impl Payer {
    /// Whether it is a bank account.
    pub(super) fn is_bank(&self) -> bool {
        matches!(self, Payer::Method(method) if method.instrument.bank().is_some())
    }

    /// The payment method to pay with. A card that is kept with the charge alone stands under the id of a card, which is
    /// the token's or follows from the charge's own place; it is not stored.
    pub(super) fn into_method(self, draft: &mut Draft, charge: Id) -> PaymentMethod {
        match self {
            Payer::Method(method) => *method,
            Payer::Passing(mut card) => {
                let of = card.token_id().unwrap_or(charge);
                card.spend(draft);
                PaymentMethod {
                    id: Id::new(&kinds::CARD, of.unix_ms(), of.seq(), of.account_tag()),
                    instrument: card.instrument,
                    cvc_check: card.cvc_check,
                    customer: None,
                    used_up: false,
                    details: card.details,
                    prepared: false,
                    source: None,
                    mandates: Vec::new(),
                }
            }
        }
    }
}

/// Puts what was paid with, as it stands after the payment, if it is stored at all.
pub(super) fn put_method(case: &Case<'_>, draft: &mut Draft, mut method: PaymentMethod, paid: bool) {
    if is_stored(&method) {
        method.see();
        method.used_up = paid && method.customer.is_none();
        put_used(case, draft, method);
    }
}

/// Takes what is paid with out of circulation while a network is asked, if it is stored at all.
pub(super) fn take_method(draft: &mut Draft, mut method: PaymentMethod) {
    if is_stored(&method) {
        method.used_up = method.customer.is_none();
        draft.put(Object::of_method(method));
    }
}

/// What the customer pays with unless something else is named.
fn default_source(case: &Case<'_>, customer: Id) -> Result<Payer, Stop> {
    let found = case.customer(customer)?;
    let Some(source) = found.and_then(|customer| customer.more().default_source) else {
        let attached = found.is_some_and(|customer| !customer.more().methods.is_empty());
        let message = if attached { NO_LEGACY_DETAILS } else { NO_DETAILS };
        return Err(missing(message, "card").into());
    };
    saved(case, customer, kinds::of_method(source), source, "customer")
}

/// A card or source of the customer.
fn saved(case: &Case<'_>, customer: Id, kind: &'static Kind, id: Id, param: &'static str) -> Result<Payer, Stop> {
    match case.payment_method(id)? {
        Some(method) if method.customer == Some(customer) => Ok(Payer::Method(Box::new(method.clone()))),
        _ => Err(not_linked(customer, &id.text(kind), param).into()),
    }
}

/// A source that is saved to nobody: it can be charged once.
fn unsaved(case: &Case<'_>, id: Id, param: &'static str) -> Result<Payer, Stop> {
    let text = id.text(&kinds::SOURCE);
    match case.payment_method(id)? {
        None => Err(Reject::no_such_param(&kinds::SOURCE, id, param).into()),
        Some(source) if source.customer.is_some() => {
            let message = format!("The source {text} belongs to a customer. Name that in `customer`.");
            Err(Reject::invalid(None, message).with_param(param).into())
        }
        Some(source) if source.used_up => {
            let message =
                format!("The source {text} was consumed. It may be charged once, unless it is saved to a customer.");
            Err(Reject::invalid(None, message).with_param(param).begun().into())
        }
        Some(source) => Ok(Payer::Method(Box::new(source.clone()))),
    }
}

/// A card that came by a token or its details for this charge alone is not: it has the id of a card, but no customer.
pub(super) fn is_stored(method: &PaymentMethod) -> bool {
    !method.id.is(&kinds::CARD) || method.customer.is_some()
}

fn not_linked(customer: Id, source: &str, param: &str) -> Reject {
    let customer = customer.text(&kinds::CUSTOMER);
    missing(
        &format!("Customer {customer} does not have a linked source with ID {source}."),
        param,
    )
}

/// The refusal to charge a customer who has payment methods, but no card or source.
const NO_LEGACY_DETAILS: &str = "This Customer doesn't have any legacy saved payment details, but does have a Payment \
    Method attached. Use a Payment Intent instead of creating a Charge: \
    https://stripe.com/docs/payments/payment-intents/migration";

/// The refusal to charge a customer who has nothing to pay with.
const NO_DETAILS: &str = "This Customer doesn't have any saved payment details. Attach a legacy Token, Card, Bank Account, \
    or Source to this Customer and then try this request again, or use Payment Intents and Payment Methods instead.";

/// There is nothing to charge where the customer should have something: 402.
fn missing(message: &str, param: &str) -> Reject {
    let mut reject = Reject::invalid(Some(codes::MISSING), message).with_param(param);
    reject.status = 402;
    reject.kind = ErrorType::CardError;
    reject.begun()
}

fn no_such_token(text: &str, param: &str) -> Reject {
    Reject::invalid(Some(codes::RESOURCE_MISSING), format!("No such token: '{text}'")).with_param(param)
}
