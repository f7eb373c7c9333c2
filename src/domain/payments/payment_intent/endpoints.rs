//! Operations on payment intents.

use super::line_items::{LineItemShown, ListLineItems};
use super::params::*;
use super::shown::PaymentIntentShown;
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds;
use crate::paging::Paging;
use crate::payments::setup_intent::VerifyMicrodeposits;
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::HasParams;
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method};

/// The operations on payment intents.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[
    &CREATE,
    &RETRIEVE,
    &UPDATE,
    &CONFIRM,
    &CAPTURE,
    &INCREMENT,
    &APPLY_BALANCE,
    &VERIFY_MICRODEPOSITS,
    &CANCEL,
    &LIST,
    &LIST_LINE_ITEMS,
];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_payment_intent",
    doc: "Creates a payment intent, and confirms it if asked.",
    method: Method::Post,
    path: "/v1/payment_intents",
    params: CreatePaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreatePaymentIntent(take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_payment_intent",
    doc: "Retrieves a payment intent.",
    method: Method::Get,
    path: "/v1/payment_intents/{intent}",
    params: RetrievePaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        take::<RetrievePaymentIntent>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::PAYMENT_INTENT,
            path.id(0, &kinds::PAYMENT_INTENT)?,
            "intent",
        )))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_payment_intent",
    doc: "Changes a payment intent without confirming it.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}",
    params: UpdatePaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::UpdatePaymentIntent(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static CONFIRM: Endpoint<Call> = Endpoint {
    name: "confirm_payment_intent",
    doc: "Confirms a payment intent: the payer agrees, and the payment is attempted.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}/confirm",
    params: ConfirmPaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::ConfirmPaymentIntent(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static CAPTURE: Endpoint<Call> = Endpoint {
    name: "capture_payment_intent",
    doc: "Captures a hold, wholly or in part; the rest is released.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}/capture",
    params: CapturePaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::CapturePaymentIntent(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static INCREMENT: Endpoint<Call> = Endpoint {
    name: "increment_authorization_payment_intent",
    doc: "Raises the amount that is held.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}/increment_authorization",
    params: IncrementAuthorization::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::IncrementAuthorization(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static APPLY_BALANCE: Endpoint<Call> = Endpoint {
    name: "apply_customer_balance_payment_intent",
    doc: "Pays from the customer's cash balance, where bank transfers fill one.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}/apply_customer_balance",
    params: ApplyCustomerBalance::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::ApplyCustomerBalance(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static VERIFY_MICRODEPOSITS: Endpoint<Call> = Endpoint {
    name: "verify_microdeposits_payment_intent",
    doc: "Verifies a bank account by the deposits it got.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}/verify_microdeposits",
    params: VerifyMicrodeposits::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::VerifyPaymentMicrodeposits(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static CANCEL: Endpoint<Call> = Endpoint {
    name: "cancel_payment_intent",
    doc: "Gives a payment intent up. A hold is released.",
    method: Method::Post,
    path: "/v1/payment_intents/{intent}/cancel",
    params: CancelPaymentIntent::SHAPE,
    answers: Answers::One(PaymentIntentShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::CancelPaymentIntent(
            path.id(0, &kinds::PAYMENT_INTENT)?,
            Box::new(asked),
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_payment_intents",
    doc: "Lists payment intents, newest first.",
    method: Method::Get,
    path: "/v1/payment_intents",
    params: ListPaymentIntents::SHAPE,
    answers: Answers::Many(PaymentIntentShown::SHAPE),
    parse: |_, form| {
        let asked: ListPaymentIntents = take(form)?;
        ListQuery::of(&kinds::PAYMENT_INTENT, "/v1/payment_intents")
            .created(asked.created)
            .under(&kinds::CUSTOMER, asked.customer.map(|id| id.0))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};

static LIST_LINE_ITEMS: Endpoint<Call> = Endpoint {
    name: "list_payment_intent_line_items",
    doc: "Lists what a payment intent pays for, in the order it was given.",
    method: Method::Get,
    path: "/v1/payment_intents/{intent}/amount_details_line_items",
    params: ListLineItems::SHAPE,
    answers: Answers::Many(LineItemShown::SHAPE),
    parse: |path, form| {
        let asked: ListLineItems = take(form)?;
        let paging = Paging::of(
            asked.limit,
            asked.starting_after.map(|id| id.0),
            asked.ending_before.map(|id| id.0),
        );
        Ok(Call::Read(Read::LineItems {
            intent: path.id(0, &kinds::PAYMENT_INTENT)?,
            paging,
        }))
    },
};
