//! Parameters and operations of charges.

use super::shown::ChargeShown;
use super::{ChargeSource, UserReport};
use crate::address::ShippingParams;
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, ChargeId, CustomerId, PaymentIntentId};
use crate::marks::Mark;
use crate::money::Currency;
use crate::payments::payment_method::PaymentRadarOptionsParams;
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, MetadataUpdate, Method, Params, Update};

/// Which charges to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListCharges {
    /// Only charges made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only charges of this customer.
    pub customer: Option<CustomerId>,
    /// Only charges newer than this one.
    pub ending_before: Option<ChargeId>,
    /// Most charges of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only charges of this payment intent.
    pub payment_intent: Option<PaymentIntentId>,
    /// Only charges older than this one.
    pub starting_after: Option<ChargeId>,
    /// Only charges of this group.
    pub transfer_group: Option<Box<str>>,
}

/// What a charge is made of.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateCharge {
    /// What is to be paid, in the currency's minor units.
    #[param(required)]
    pub amount: i64,
    /// Three-letter code of the currency.
    #[param(required)]
    pub currency: Option<Currency>,
    /// Whether the money is captured at once, which it is if not given. Otherwise it is held for seven days at most.
    pub capture: Option<bool>,
    /// The same as `source`, by its oldest name.
    pub card: Option<ChargeSource>,
    /// Who pays. Without `source`, by their default source.
    pub customer: Option<CustomerId>,
    /// Free text for the merchant.
    #[param(max_len = 40_000)]
    pub description: Option<Box<str>>,
    /// The merchant's own number, as libraries of before 2016 send it. It changes nothing.
    pub external_id: Option<Box<str>>,
    /// The payer's address on the network, as the same libraries send it. It changes nothing.
    pub ip: Option<Box<str>>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// A payment method, which a charge is not paid with: that is for payment intents. It changes nothing.
    pub payment_method: Option<Box<str>>,
    /// The library that made the request, as the same libraries send it. It changes nothing.
    pub payment_user_agent: Option<Box<str>>,
    /// What the fraud checks are given.
    pub radar_options: Option<Box<PaymentRadarOptionsParams>>,
    /// Where the receipt goes.
    #[param(max_len = 800)]
    pub receipt_email: Option<Box<str>>,
    /// Whether it is one of many, as libraries of before 2016 say it. It changes nothing.
    pub recurring: Option<bool>,
    /// The page the payer came from, as the same libraries send it. It changes nothing.
    pub referrer: Option<Box<str>>,
    /// Where goods are sent.
    pub shipping: Option<ShippingParams>,
    /// What is paid with: a token, a card's details, a card or source of the customer, or a payment method.
    pub source: Option<ChargeSource>,
    /// What the cardholder reads, in place of the account's own.
    #[param(max_len = 22)]
    pub statement_descriptor: Option<Box<str>>,
    /// What the cardholder reads behind the account's prefix.
    #[param(max_len = 22)]
    pub statement_descriptor_suffix: Option<Box<str>>,
    /// Groups payments and transfers.
    pub transfer_group: Option<Box<str>>,
    /// The payer's browser, as libraries of before 2016 send it. It changes nothing.
    pub user_agent: Option<Box<str>>,
}

/// What a charge may change.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateCharge {
    /// Who paid. Only for a charge that has no customer yet.
    pub customer: Option<CustomerId>,
    /// Free text for the merchant.
    #[param(max_len = 40_000)]
    pub description: Update<Box<str>>,
    /// What the merchant says of its honesty.
    pub fraud_details: Option<FraudDetailsParams>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// Where the receipt goes.
    #[param(max_len = 800)]
    pub receipt_email: Update<Box<str>>,
    /// Where goods are sent.
    pub shipping: Update<ShippingParams>,
    /// Groups payments and transfers. Only for a charge that is in no group yet.
    pub transfer_group: Option<Box<str>>,
}

/// What a merchant says of a charge's honesty.
#[derive(Params, Default, Clone, Debug)]
pub struct FraudDetailsParams {
    /// Whether it is fraud.
    pub user_report: Update<UserReport>,
}

/// What of a hold is captured.
#[derive(Params, Default, Clone, Debug)]
pub struct CaptureCharge {
    /// How much, in minor units; all of it if not given. The rest is released.
    pub amount: Option<i64>,
    /// Where the receipt goes.
    #[param(max_len = 800)]
    pub receipt_email: Option<Box<str>>,
    /// What the cardholder reads, in place of the account's own.
    #[param(max_len = 22)]
    pub statement_descriptor: Option<Box<str>>,
    /// What the cardholder reads behind the account's prefix.
    #[param(max_len = 22)]
    pub statement_descriptor_suffix: Option<Box<str>>,
    /// Groups payments and transfers.
    pub transfer_group: Option<Box<str>>,
}

/// The operations on charges.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &UPDATE, &CAPTURE, &LIST];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_charge",
    doc: "Charges a card, without a payment intent, as older integrations do.",
    method: Method::Post,
    path: "/v1/charges",
    params: CreateCharge::SHAPE,
    answers: Answers::One(ChargeShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateCharge(take_boxed(form)?))),
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_charge",
    doc: "Changes what is said about a charge.",
    method: Method::Post,
    path: "/v1/charges/{id}",
    params: UpdateCharge::SHAPE,
    answers: Answers::One(ChargeShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        let id = path.id(0, &kinds::CHARGE)?;
        Ok(Call::Write(Command::UpdateCharge(id, Box::new(asked))))
    },
};

static CAPTURE: Endpoint<Call> = Endpoint {
    name: "capture_charge",
    doc: "Captures a hold, wholly or in part; the rest is released. The hold of an intent is captured with its intent.",
    method: Method::Post,
    path: "/v1/charges/{charge}/capture",
    params: CaptureCharge::SHAPE,
    answers: Answers::One(ChargeShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        let id = path.id(0, &kinds::CHARGE)?;
        Ok(Call::Write(Command::CaptureCharge(id, Box::new(asked))))
    },
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_charge",
    doc: "Retrieves a charge.",
    method: Method::Get,
    path: "/v1/charges/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(ChargeShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::CHARGE,
            path.id(0, &kinds::CHARGE)?,
            "id",
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_charges",
    doc: "Lists charges, newest first.",
    method: Method::Get,
    path: "/v1/charges",
    params: ListCharges::SHAPE,
    answers: Answers::Many(ChargeShown::SHAPE),
    parse: |_, form| {
        let asked: ListCharges = take(form)?;
        ListQuery::of(&kinds::CHARGE, "/v1/charges")
            .created(asked.created)
            .under(&kinds::CUSTOMER, asked.customer.map(|id| id.0))
            .under(&kinds::PAYMENT_INTENT, asked.payment_intent.map(|id| id.0))
            .marked(asked.transfer_group.as_deref().map(Mark::TransferGroup))
            .filtered("transfer_group", asked.transfer_group)
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
