//! Parameters and operations of registered domains.

use super::{ApplePayDomainShown, DeletedApplePayDomainShown, PaymentMethodDomainShown};
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, ApplePayDomainId, PaymentMethodDomainId};
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params};

/// Which domain to register.
#[derive(Params, Default, Clone, Debug)]
pub struct CreatePaymentMethodDomain {
    /// Its name.
    #[param(required)]
    pub domain_name: Box<str>,
    /// Whether payment methods that need a registered domain are shown on it.
    pub enabled: Option<bool>,
}

/// What changes about a domain.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdatePaymentMethodDomain {
    /// Whether payment methods that need a registered domain are shown on it.
    pub enabled: Option<bool>,
}

/// Which domains to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListPaymentMethodDomains {
    /// Only the domain of this name.
    pub domain_name: Option<Box<str>>,
    /// Only domains that are enabled, or are not.
    pub enabled: Option<bool>,
    /// Only domains newer than this one.
    pub ending_before: Option<PaymentMethodDomainId>,
    /// Most domains of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only domains older than this one.
    pub starting_after: Option<PaymentMethodDomainId>,
}

/// Which domain to register for Apple Pay.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateApplePayDomain {
    /// Its name.
    #[param(required)]
    pub domain_name: Box<str>,
}

/// Which domains of Apple Pay to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListApplePayDomains {
    /// Only the domain of this name.
    pub domain_name: Option<Box<str>>,
    /// Only domains newer than this one.
    pub ending_before: Option<ApplePayDomainId>,
    /// Most domains of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only domains older than this one.
    pub starting_after: Option<ApplePayDomainId>,
}

/// The operations on registered domains.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[
    &CREATE,
    &RETRIEVE,
    &UPDATE,
    &VALIDATE,
    &LIST,
    &CREATE_FOR_APPLE_PAY,
    &RETRIEVE_FOR_APPLE_PAY,
    &DELETE_FOR_APPLE_PAY,
    &LIST_FOR_APPLE_PAY,
];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_payment_method_domain",
    doc: "Registers a domain on which pages offer wallets.",
    method: Method::Post,
    path: "/v1/payment_method_domains",
    params: CreatePaymentMethodDomain::SHAPE,
    answers: Answers::One(PaymentMethodDomainShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreatePaymentMethodDomain(take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_payment_method_domain",
    doc: "Retrieves a registered domain.",
    method: Method::Get,
    path: "/v1/payment_method_domains/{payment_method_domain}",
    params: NoParams::SHAPE,
    answers: Answers::One(PaymentMethodDomainShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let kind = &kinds::PAYMENT_METHOD_DOMAIN;
        Ok(Call::Read(Read::Object(
            kind,
            path.id(0, kind)?,
            "payment_method_domain",
        )))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_payment_method_domain",
    doc: "Enables or disables a registered domain.",
    method: Method::Post,
    path: "/v1/payment_method_domains/{payment_method_domain}",
    params: UpdatePaymentMethodDomain::SHAPE,
    answers: Answers::One(PaymentMethodDomainShown::SHAPE),
    parse: |path, form| {
        let id = path.id(0, &kinds::PAYMENT_METHOD_DOMAIN)?;
        Ok(Call::Write(Command::UpdatePaymentMethodDomain(id, take(form)?)))
    },
};

static VALIDATE: Endpoint<Call> = Endpoint {
    name: "validate_payment_method_domain",
    doc: "Looks again whether payment methods can be shown on a domain. They always can.",
    method: Method::Post,
    path: "/v1/payment_method_domains/{payment_method_domain}/validate",
    params: NoParams::SHAPE,
    answers: Answers::One(PaymentMethodDomainShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::PAYMENT_METHOD_DOMAIN)?;
        let nothing = UpdatePaymentMethodDomain::default();
        Ok(Call::Write(Command::UpdatePaymentMethodDomain(id, nothing)))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_payment_method_domains",
    doc: "Lists registered domains, newest first.",
    method: Method::Get,
    path: "/v1/payment_method_domains",
    params: ListPaymentMethodDomains::SHAPE,
    answers: Answers::Many(PaymentMethodDomainShown::SHAPE),
    parse: |_, form| {
        let asked: ListPaymentMethodDomains = take(form)?;
        ListQuery::of(&kinds::PAYMENT_METHOD_DOMAIN, "/v1/payment_method_domains")
            .filtered("domain_name", asked.domain_name.map(|name| name.to_ascii_lowercase()))
            .filtered("enabled", asked.enabled.map(|on| if on { "true" } else { "false" }))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};

static CREATE_FOR_APPLE_PAY: Endpoint<Call> = Endpoint {
    name: "create_apple_pay_domain",
    doc: "Registers a domain for Apple Pay.",
    method: Method::Post,
    path: "/v1/apple_pay/domains",
    params: CreateApplePayDomain::SHAPE,
    answers: Answers::One(ApplePayDomainShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateApplePayDomain(take_boxed(form)?))),
};

static RETRIEVE_FOR_APPLE_PAY: Endpoint<Call> = Endpoint {
    name: "retrieve_apple_pay_domain",
    doc: "Retrieves a domain of Apple Pay.",
    method: Method::Get,
    path: "/v1/apple_pay/domains/{domain}",
    params: NoParams::SHAPE,
    answers: Answers::One(ApplePayDomainShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let kind = &kinds::APPLE_PAY_DOMAIN;
        Ok(Call::Read(Read::Object(kind, path.id(0, kind)?, "domain")))
    },
};

static DELETE_FOR_APPLE_PAY: Endpoint<Call> = Endpoint {
    name: "delete_apple_pay_domain",
    doc: "Forgets a domain of Apple Pay.",
    method: Method::Delete,
    path: "/v1/apple_pay/domains/{domain}",
    params: NoParams::SHAPE,
    answers: Answers::One(DeletedApplePayDomainShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let id = path.id(0, &kinds::APPLE_PAY_DOMAIN)?;
        Ok(Call::Write(Command::DeleteApplePayDomain(id)))
    },
};

static LIST_FOR_APPLE_PAY: Endpoint<Call> = Endpoint {
    name: "list_apple_pay_domains",
    doc: "Lists domains of Apple Pay, newest first.",
    method: Method::Get,
    path: "/v1/apple_pay/domains",
    params: ListApplePayDomains::SHAPE,
    answers: Answers::Many(ApplePayDomainShown::SHAPE),
    parse: |_, form| {
        let asked: ListApplePayDomains = take(form)?;
        ListQuery::of(&kinds::APPLE_PAY_DOMAIN, "/v1/apple_pay/domains")
            .filtered("domain_name", asked.domain_name.map(|name| name.to_ascii_lowercase()))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
