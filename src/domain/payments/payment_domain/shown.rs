//! What registered domains show.

use super::RegisteredDomain;
use crate::kinds;
use crate::object::ShowContext;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Names, Shown};

/// A domain of the web on which pages offer wallets.
#[derive(Shown)]
#[shown(object = "payment_method_domain")]
pub struct PaymentMethodDomainShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// Amazon Pay on it.
    pub amazon_pay: DomainMethodShown,
    /// Apple Pay on it.
    pub apple_pay: DomainMethodShown,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Its name.
    pub domain_name: &'a str,
    /// Whether payment methods that need a registered domain are shown on it.
    pub enabled: bool,
    /// Google Pay on it.
    pub google_pay: DomainMethodShown,
    /// Klarna on it.
    pub klarna: DomainMethodShown,
    /// Link on it.
    pub link: DomainMethodShown,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// PayPal on it.
    pub paypal: DomainMethodShown,
}

/// A payment method on a domain.
#[derive(Shown)]
pub struct DomainMethodShown {
    /// Whether it can be shown there.
    pub status: DomainMethodStatus,
}

/// Whether a payment method can be shown on a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum DomainMethodStatus {
    /// It can.
    Active,
    /// It cannot.
    Inactive,
}

/// A domain of the web that is registered for Apple Pay.
#[derive(Shown)]
#[shown(object = "apple_pay_domain")]
pub struct ApplePayDomainShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Its name.
    pub domain_name: &'a str,
    /// Whether it belongs to live mode.
    pub livemode: bool,
}

/// What is left to see of a domain that was deleted.
#[derive(Shown)]
#[shown(object = "apple_pay_domain")]
pub struct DeletedApplePayDomainShown {
    /// Unique identifier the domain had.
    pub id: Ident,
    /// Always true.
    pub deleted: bool,
}

impl<'a> PaymentMethodDomainShown<'a> {
    /// What `domain` shows. Nobody looks at the domain itself: what it is registered for is active.
    pub fn of(domain: &'a RegisteredDomain, context: &ShowContext<'_>) -> Self {
        let active = || DomainMethodShown {
            status: DomainMethodStatus::Active,
        };
        PaymentMethodDomainShown {
            id: Ident {
                kind: &kinds::PAYMENT_METHOD_DOMAIN,
                id: domain.id,
            },
            amazon_pay: active(),
            apple_pay: active(),
            created: Seconds(domain.id.created()),
            domain_name: &domain.name,
            enabled: !domain.disabled,
            google_pay: active(),
            klarna: active(),
            link: active(),
            livemode: context.livemode,
            paypal: active(),
        }
    }
}

impl<'a> ApplePayDomainShown<'a> {
    /// What `domain` shows.
    pub fn of(domain: &'a RegisteredDomain, context: &ShowContext<'_>) -> Self {
        ApplePayDomainShown {
            id: ident(domain),
            created: Seconds(domain.id.created()),
            domain_name: &domain.name,
            livemode: context.livemode,
        }
    }
}

impl DeletedApplePayDomainShown {
    /// What is left of `domain`.
    pub fn of(domain: &RegisteredDomain) -> Self {
        DeletedApplePayDomainShown {
            id: ident(domain),
            deleted: true,
        }
    }
}

fn ident(domain: &RegisteredDomain) -> Ident {
    Ident {
        kind: &kinds::APPLE_PAY_DOMAIN,
        id: domain.id,
    }
}
