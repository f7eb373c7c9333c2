//! What requests do to registered domains. There are no events of them.

use super::{
    CreateApplePayDomain, CreatePaymentMethodDomain, DOMAINS_MAX, RegisteredDomain, UpdatePaymentMethodDomain, name_of,
};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::kinds;
use crate::object::Object;
use crate::reject::Reject;
use std::sync::Arc;
use tollgate_resource::{Id, Kind};

/// Registers a domain for all payment methods that need one.
pub(crate) fn create(case: &Case<'_>, asked: &CreatePaymentMethodDomain) -> Result<Decision, Stop> {
    register(
        case,
        &kinds::PAYMENT_METHOD_DOMAIN,
        &asked.domain_name,
        asked.enabled.map(|enabled| !enabled),
    )
}

/// Registers a domain for Apple Pay.
pub(crate) fn create_for_apple_pay(case: &Case<'_>, asked: &CreateApplePayDomain) -> Result<Decision, Stop> {
    register(case, &kinds::APPLE_PAY_DOMAIN, &asked.domain_name, None)
}

/// A domain that is registered already is answered with, and takes over what is said of it.
fn register(case: &Case<'_>, kind: &'static Kind, text: &str, disabled: Option<bool>) -> Result<Decision, Stop> {
    let Some(name) = name_of(text) else {
        let message = format!("Invalid domain name: {text}. Give a name alone, such as `shop.example.com`.");
        return Err(Reject::invalid(None, message).with_param("domain_name").into());
    };
    let account = case.world.account;
    let mut draft = case.draft();
    let domain = match account.domain(kind, &name) {
        Some(known) => RegisteredDomain {
            disabled: disabled.unwrap_or(known.disabled),
            ..known.clone()
        },
        None if account.domain_count() >= DOMAINS_MAX => {
            let message =
                format!("An account can have up to {DOMAINS_MAX} registered domains, and this one has that many.");
            return Err(Reject::invalid(None, message).begun().into());
        }
        None => RegisteredDomain {
            id: draft.born(kind),
            name,
            disabled: disabled.unwrap_or(false),
            deleted: false,
        },
    };
    let id = domain.id;
    draft.put(domain.into_object());
    Ok(draft.decide(Reply::Object(kind, id)))
}

/// Changes a domain. One that is only looked at again stays as it is: its payment methods are active from the beginning.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdatePaymentMethodDomain) -> Result<Decision, Stop> {
    let kind = &kinds::PAYMENT_METHOD_DOMAIN;
    let before = case.domain(kind, id)?;
    let before = before.ok_or_else(|| Reject::no_such(kind, id, "payment_method_domain"))?;
    let mut draft = case.draft();
    let domain = RegisteredDomain {
        disabled: asked.enabled.map_or(before.disabled, |enabled| !enabled),
        ..before.clone()
    };
    draft.put(domain.into_object());
    Ok(draft.decide(Reply::Object(kind, id)))
}

/// Forgets a domain of Apple Pay.
pub(crate) fn delete_for_apple_pay(case: &Case<'_>, id: Id) -> Result<Decision, Stop> {
    let kind = &kinds::APPLE_PAY_DOMAIN;
    let before = case.domain(kind, id)?.filter(|domain| !domain.deleted);
    let before = before.ok_or_else(|| Reject::no_such(kind, id, "domain"))?;
    let mut draft = case.draft();
    let domain = RegisteredDomain {
        deleted: true,
        ..before.clone()
    };
    draft.put(domain.into_object());
    Ok(draft.decide(Reply::Object(kind, id)))
}

impl RegisteredDomain {
    /// As an object of the kind that its id names.
    fn into_object(self) -> Object {
        if self.id.is(&kinds::PAYMENT_METHOD_DOMAIN) {
            Object::PaymentMethodDomain(Arc::new(self))
        } else {
            Object::ApplePayDomain(Arc::new(self))
        }
    }
}
