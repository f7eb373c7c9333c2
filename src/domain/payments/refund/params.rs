//! Parameters and operations of refunds.

use super::RefundReason;
use super::shown::RefundShown;
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, ChargeId, CustomerId, PaymentIntentId, RefundId};
use crate::money::Currency;
use crate::payments::charge::ChargeShown;
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{Bounds, HasParams, NoParams, Range, scalar};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Id, MetadataUpdate, Method, Names, ParamKind, ParamValue, Params, Problem, Step};

/// What both ways to ask for a refund take, and what one of them takes besides.
macro_rules! create_refund {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $more_doc:literal])* $more:ident: Option<$type:ty>,)* }) => {
        $(#[doc = $doc])*
        #[derive(Params, Default, Clone, Debug)]
        pub struct $name {
            /// How much, in minor units; everything that is left if not given.
            pub amount: Option<i64>,
            $($(#[doc = $more_doc])* pub $more: Option<$type>,)*
            /// Only for refunds of a customer's cash balance, which there are none of.
            pub currency: Option<Currency>,
            /// Only for refunds of a customer's cash balance, which there are none of.
            pub customer: Option<CustomerId>,
            /// Where instructions go for ways to pay that cannot give money back by themselves.
            pub instructions_email: Option<Box<str>>,
            /// The merchant's pairs.
            pub metadata: MetadataUpdate,
            /// Only for refunds of a customer's cash balance, which there are none of.
            pub origin: Option<RefundOrigin>,
            /// The intent whose charge is meant.
            pub payment_intent: Option<PaymentIntentId>,
            /// Why.
            pub reason: Option<RequestedRefundReason>,
            /// Whether the platform's fee is given back. There is none, so only `false`.
            pub refund_application_fee: Option<bool>,
            /// Whether the transfer to a connected account is reversed. There is none, so only `false`.
            pub reverse_transfer: Option<bool>,
        }
    };
}

create_refund! {
    /// What is to be given back.
    CreateRefund {
        /// The charge. Either this or `payment_intent`.
        charge: Option<RefundedCharge>,
    }
}

create_refund! {
    /// What of the path's charge is to be given back.
    CreateChargeRefund {}
}

/// What a refund may change.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateRefund {
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
}

/// Where refunded money comes from, if not from a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum RefundOrigin {
    /// The customer's cash balance.
    CustomerBalance,
}

/// Which refunds of the path's charge to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListChargeRefunds {
    /// Only refunds newer than this one.
    pub ending_before: Option<RefundId>,
    /// Most refunds of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only refunds older than this one.
    pub starting_after: Option<RefundId>,
}

/// Which refunds to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListRefunds {
    /// Only refunds of this charge.
    pub charge: Option<ChargeId>,
    /// Only refunds made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only refunds newer than this one.
    pub ending_before: Option<RefundId>,
    /// Most refunds of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only refunds of this payment intent.
    pub payment_intent: Option<PaymentIntentId>,
    /// Only refunds older than this one.
    pub starting_after: Option<RefundId>,
}

/// The charge to refund. One that cannot exist is refused like one that does not: as if it stood in the path (404).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefundedCharge {
    /// The id of a charge, of this account or not.
    Id(Id),
    /// No charge's id.
    Unknown(Box<str>),
}

impl ParamValue for RefundedCharge {
    const KIND: ParamKind = ParamKind::Id(&kinds::CHARGE);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        Ok(kinds::CHARGE
            .parse(text)
            .map_or_else(|| RefundedCharge::Unknown(text.into()), RefundedCharge::Id))
    }
}

/// A reason that a request may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestedRefundReason(pub RefundReason);

impl RequestedRefundReason {
    const NAMES: &'static [&'static str] = &["duplicate", "fraudulent", "requested_by_customer"];
}

impl ParamValue for RequestedRefundReason {
    const KIND: ParamKind = ParamKind::Names(Self::NAMES);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        let mut known = RefundReason::REQUESTABLE.into_iter();
        let known = known.find(|reason| reason.name() == text);
        known.map(RequestedRefundReason).ok_or(Problem::Names(Self::NAMES))
    }
}

impl From<CreateChargeRefund> for CreateRefund {
    fn from(asked: CreateChargeRefund) -> CreateRefund {
        CreateRefund {
            amount: asked.amount,
            charge: None,
            currency: asked.currency,
            customer: asked.customer,
            instructions_email: asked.instructions_email,
            metadata: asked.metadata,
            origin: asked.origin,
            payment_intent: asked.payment_intent,
            reason: asked.reason,
            refund_application_fee: asked.refund_application_fee,
            reverse_transfer: asked.reverse_transfer,
        }
    }
}

/// The operations on refunds, by themselves and below their charge.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[
    &CREATE,
    &RETRIEVE,
    &UPDATE,
    &CANCEL,
    &LIST,
    &CREATE_OF_CHARGE,
    &RETRIEVE_OF_CHARGE,
    &UPDATE_OF_CHARGE,
    &LIST_OF_CHARGE,
    &REFUND_CHARGE,
];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_refund",
    doc: "Gives captured money back, wholly or in part.",
    method: Method::Post,
    path: "/v1/refunds",
    params: CreateRefund::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateRefund(take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_refund",
    doc: "Retrieves a refund.",
    method: Method::Get,
    path: "/v1/refunds/{refund}",
    params: NoParams::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::REFUND,
            path.id(0, &kinds::REFUND)?,
            "refund",
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_refunds",
    doc: "Lists refunds, newest first.",
    method: Method::Get,
    path: "/v1/refunds",
    params: ListRefunds::SHAPE,
    answers: Answers::Many(RefundShown::SHAPE),
    parse: |_, form| {
        let asked: ListRefunds = take(form)?;
        ListQuery::of(&kinds::REFUND, "/v1/refunds")
            .created(asked.created)
            .under(&kinds::CHARGE, asked.charge.map(|id| id.0))
            .under(&kinds::PAYMENT_INTENT, asked.payment_intent.map(|id| id.0))
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_refund",
    doc: "Changes the merchant's pairs of a refund.",
    method: Method::Post,
    path: "/v1/refunds/{refund}",
    params: UpdateRefund::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        let id = path.id(0, &kinds::REFUND)?;
        Ok(Call::Write(Command::UpdateRefund(None, id, Box::new(asked))))
    },
};

static CANCEL: Endpoint<Call> = Endpoint {
    name: "cancel_refund",
    doc: "Cancels a refund that waits for an action of the payer. Refunds of cards never do, so they are refused.",
    method: Method::Post,
    path: "/v1/refunds/{refund}/cancel",
    params: NoParams::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Write(Command::CancelRefund(path.id(0, &kinds::REFUND)?)))
    },
};

static CREATE_OF_CHARGE: Endpoint<Call> = Endpoint {
    name: "create_charge_refund",
    doc: "Gives money of a charge back, wholly or in part.",
    method: Method::Post,
    path: "/v1/charges/{id}/refunds",
    params: CreateChargeRefund::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        let charge = path.id(0, &kinds::CHARGE)?;
        Ok(Call::Write(Command::CreateChargeRefund(charge, Box::new(asked))))
    },
};

static REFUND_CHARGE: Endpoint<Call> = Endpoint {
    name: "refund_charge",
    doc: "Gives money of a charge back, wholly or in part, and answers with the charge. The oldest form of a refund.",
    method: Method::Post,
    path: "/v1/charges/{id}/refund",
    params: CreateChargeRefund::SHAPE,
    answers: Answers::One(ChargeShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        let charge = path.id(0, &kinds::CHARGE)?;
        Ok(Call::Write(Command::RefundCharge(charge, Box::new(asked))))
    },
};

static RETRIEVE_OF_CHARGE: Endpoint<Call> = Endpoint {
    name: "retrieve_charge_refund",
    doc: "Retrieves a refund of a charge.",
    method: Method::Get,
    path: "/v1/charges/{id}/refunds/{refund}",
    params: NoParams::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Child {
            parent: path.id(0, &kinds::CHARGE)?,
            kind: &kinds::REFUND,
            id: path.id(1, &kinds::REFUND)?,
            param: "refund",
        }))
    },
};

static UPDATE_OF_CHARGE: Endpoint<Call> = Endpoint {
    name: "update_charge_refund",
    doc: "Changes the merchant's pairs of a refund of a charge.",
    method: Method::Post,
    path: "/v1/charges/{id}/refunds/{refund}",
    params: UpdateRefund::SHAPE,
    answers: Answers::One(RefundShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        let charge = path.id(0, &kinds::CHARGE)?;
        let id = path.id(1, &kinds::REFUND)?;
        Ok(Call::Write(Command::UpdateRefund(Some(charge), id, Box::new(asked))))
    },
};

static LIST_OF_CHARGE: Endpoint<Call> = Endpoint {
    name: "list_charge_refunds",
    doc: "Lists refunds of a charge, newest first.",
    method: Method::Get,
    path: "/v1/charges/{id}/refunds",
    params: ListChargeRefunds::SHAPE,
    answers: Answers::Many(RefundShown::SHAPE),
    parse: |path, form| {
        let asked: ListChargeRefunds = take(form)?;
        ListQuery::of(&kinds::REFUND, "/v1/charges/{}/refunds")
            .of_path(&kinds::CHARGE, path.id(0, &kinds::CHARGE)?, "id")
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
