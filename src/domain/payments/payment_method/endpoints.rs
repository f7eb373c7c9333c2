//! Operations on payment methods.

use super::data::PaymentMethodData;
use super::decide::Saving;
use super::kind::ListedType;
use super::{AllowRedisplay, BillingDetailsParams, PaymentMethodParam, PaymentMethodShown};
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, AnyMethodId, CustomerId};
use crate::payments::bank_account::UpdateUsBankAccountParams;
use crate::payments::card::CardNetworksParams;
use tollgate_resource::operation::{Answers, PathArgs, Refused, take, take_boxed};
use tollgate_resource::params::{Bounds, HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Id, MetadataUpdate, Method, Names, ParamValue, Params};

/// What changes about a payment method. What is not given stays; an empty string unsets.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdatePaymentMethod {
    /// Whether it may be shown again in a checkout.
    pub allow_redisplay: Option<AllowRedisplay>,
    /// Who is billed; parts are merged into what is known.
    pub billing_details: Option<BillingDetailsParams>,
    /// What changes about the card.
    pub card: Option<UpdateCardParams>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// What changes about a bank account in the United States.
    pub us_bank_account: Option<UpdateUsBankAccountParams>,
}

/// What changes about the card of a payment method.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateCardParams {
    /// Month of expiry, 1 to 12.
    pub exp_month: Option<i64>,
    /// Year of expiry, of two or four digits.
    pub exp_year: Option<i64>,
    /// Which network is to take it.
    pub networks: Option<CardNetworksParams>,
}

/// To whom a payment method is saved.
#[derive(Params, Default, Clone, Debug)]
pub struct AttachPaymentMethod {
    /// The customer.
    pub customer: Option<CustomerId>,
    /// Whether the issuer is asked about the card, which it is if not given.
    pub validate: Option<bool>,
}

/// Which payment methods to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListPaymentMethods {
    /// Only payment methods of which this was said.
    pub allow_redisplay: Option<AllowRedisplay>,
    /// Only payment methods of this customer.
    pub customer: Option<CustomerId>,
    /// Only payment methods newer than this one.
    pub ending_before: Option<AnyMethodId>,
    /// Most payment methods of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only payment methods older than this one.
    pub starting_after: Option<AnyMethodId>,
    /// Only payment methods of this type.
    #[param(name = "type")]
    pub kind: Option<ListedType>,
}

/// Which of a customer's payment methods to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListCustomerPaymentMethods {
    /// Only payment methods of which this was said.
    pub allow_redisplay: Option<AllowRedisplay>,
    /// Only payment methods newer than this one.
    pub ending_before: Option<AnyMethodId>,
    /// Most payment methods of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only payment methods older than this one.
    pub starting_after: Option<AnyMethodId>,
    /// Only payment methods of this type.
    #[param(name = "type")]
    pub kind: Option<ListedType>,
}

/// The operations on payment methods.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[
    &CREATE,
    &RETRIEVE,
    &UPDATE,
    &LIST,
    &ATTACH,
    &DETACH,
    &LIST_OF_CUSTOMER,
    &RETRIEVE_OF_CUSTOMER,
];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_payment_method",
    doc: "Makes a payment method of a card's details or of a token.",
    method: Method::Post,
    path: "/v1/payment_methods",
    params: PaymentMethodData::SHAPE,
    answers: Answers::One(PaymentMethodShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreatePaymentMethod(take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_payment_method",
    doc: "Retrieves a payment method. The name of a test card in place of an id makes one.",
    method: Method::Get,
    path: "/v1/payment_methods/{payment_method}",
    params: NoParams::SHAPE,
    answers: Answers::One(PaymentMethodShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(match of_path(path, 0)? {
            PaymentMethodParam::Stored(id) => Call::Read(Read::Object(&kinds::PAYMENT_METHOD, id, "payment_method")),
            PaymentMethodParam::Fresh(card) => Call::Write(Command::DrawPaymentMethod(card)),
        })
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_payment_method",
    doc: "Changes a payment method that is saved to a customer.",
    method: Method::Post,
    path: "/v1/payment_methods/{payment_method}",
    params: UpdatePaymentMethod::SHAPE,
    answers: Answers::One(PaymentMethodShown::SHAPE),
    parse: |path, form| {
        let changes = take(form)?;
        Ok(Call::Write(Command::UpdatePaymentMethod(
            of_path(path, 0)?,
            Box::new(changes),
        )))
    },
};

static ATTACH: Endpoint<Call> = Endpoint {
    name: "attach_payment_method",
    doc: "Saves a payment method to a customer, so that it can be used again.",
    method: Method::Post,
    path: "/v1/payment_methods/{payment_method}/attach",
    params: AttachPaymentMethod::SHAPE,
    answers: Answers::One(PaymentMethodShown::SHAPE),
    parse: |path, form| {
        let asked: AttachPaymentMethod = take(form)?;
        let customer = asked.customer.map(|customer| customer.0);
        let saving = Saving::of(asked.validate);
        Ok(Call::Write(Command::AttachPaymentMethod(
            of_path(path, 0)?,
            customer,
            saving,
        )))
    },
};

static DETACH: Endpoint<Call> = Endpoint {
    name: "detach_payment_method",
    doc: "Takes a payment method from its customer, for good: it cannot be used again.",
    method: Method::Post,
    path: "/v1/payment_methods/{payment_method}/detach",
    params: NoParams::SHAPE,
    answers: Answers::One(PaymentMethodShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Write(Command::DetachPaymentMethod(of_path(path, 0)?)))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_payment_methods",
    doc: "Lists the payment methods of a customer, newest first; without one there are none on the list.",
    method: Method::Get,
    path: "/v1/payment_methods",
    params: ListPaymentMethods::SHAPE,
    answers: Answers::Many(PaymentMethodShown::SHAPE),
    parse: |_, form| {
        let asked: ListPaymentMethods = take(form)?;
        let customer = asked.customer.map(|customer| customer.0);
        let page = ListCustomerPaymentMethods {
            allow_redisplay: asked.allow_redisplay,
            ending_before: asked.ending_before,
            limit: asked.limit,
            starting_after: asked.starting_after,
            kind: asked.kind,
        };
        let query = ListQuery::of(&kinds::PAYMENT_METHOD, "/v1/payment_methods");
        let query = match customer {
            Some(customer) => query.of_living(&kinds::CUSTOMER, customer),
            None => query.of_nothing(),
        };
        page.query(query).map(Call::list)
    },
};

static LIST_OF_CUSTOMER: Endpoint<Call> = Endpoint {
    name: "list_customer_payment_methods",
    doc: "Lists the payment methods of a customer, newest first.",
    method: Method::Get,
    path: "/v1/customers/{id}/payment_methods",
    params: ListCustomerPaymentMethods::SHAPE,
    answers: Answers::Many(PaymentMethodShown::SHAPE),
    parse: |path, form| {
        let asked: ListCustomerPaymentMethods = take(form)?;
        let customer = path.id(0, &kinds::CUSTOMER)?;
        let query = ListQuery::of(&kinds::PAYMENT_METHOD, "/v1/customers/{}/payment_methods");
        let query = query.of_path(&kinds::CUSTOMER, customer, "id");
        asked.query(query).map(Call::list)
    },
};

static RETRIEVE_OF_CUSTOMER: Endpoint<Call> = Endpoint {
    name: "retrieve_customer_payment_method",
    doc: "Retrieves a payment method of a customer.",
    method: Method::Get,
    path: "/v1/customers/{customer}/payment_methods/{payment_method}",
    params: NoParams::SHAPE,
    answers: Answers::One(PaymentMethodShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let customer = path.id(0, &kinds::CUSTOMER)?;
        Ok(Call::Read(Read::PaymentMethodOf {
            customer,
            method: stored(path, 1)?,
        }))
    },
};

impl ListCustomerPaymentMethods {
    /// The page of `query` that is asked for.
    fn query(self, mut query: ListQuery) -> Result<ListQuery, Refused> {
        query.also = &kinds::OLDER_METHODS;
        query
            .filtered("type", self.kind.map(|kind| kind.0))
            .filtered("allow_redisplay", self.allow_redisplay.map(Names::name))
            .page(
                self.limit,
                self.starting_after.map(|id| id.0),
                self.ending_before.map(|id| id.0),
            )
    }
}

/// What is paid with that a path names, by id.
fn stored(path: &PathArgs<'_>, at: usize) -> Result<Id, Refused> {
    let (name, text) = path.segments[at];
    let read = AnyMethodId::first(&[], text, &Bounds::DEFAULT).map(|id| id.0);
    read.map_err(|_| Refused::Path {
        kind: &kinds::PAYMENT_METHOD,
        param: name,
        text: text.into(),
    })
}

/// The payment method that a path names, by id or as a test card.
fn of_path(path: &PathArgs<'_>, at: usize) -> Result<PaymentMethodParam, Refused> {
    let (name, text) = path.segments[at];
    PaymentMethodParam::first(&[], text, &Bounds::DEFAULT).map_err(|_| Refused::Path {
        kind: &kinds::PAYMENT_METHOD,
        param: name,
        text: text.into(),
    })
}
