//! What can be asked of an account: writes, reads of one object, lists. One closed set per way through the engine.

use crate::acquirer::{AttemptId, NetworkAnswer};
use crate::customers::customer::{CreateCustomer, UpdateCustomer};
use crate::payments::payment_intent::{
    CancelPaymentIntent, CapturePaymentIntent, ConfirmPaymentIntent, CreatePaymentIntent,
};
use crate::payments::refund::CreateRefund;
use tollgate_resource::params::Range;
use tollgate_resource::{Id, Kind};

/// A parsed API request.
#[derive(Debug, Clone)]
pub enum Call {
    /// A change; goes through the shard and one durable block.
    Write(Command),
    /// One object or value; goes through the shard.
    Read(Read),
    /// A page of objects; read beside the shard at its durable sequence.
    List(ListQuery),
}

/// A change that is asked for. The last three come from the engine itself, never from a request.
#[derive(Debug, Clone)]
pub enum Command {
    /// `POST /v1/payment_intents`.
    CreatePaymentIntent(Box<CreatePaymentIntent>),
    /// `POST /v1/payment_intents/{intent}/confirm`.
    ConfirmPaymentIntent(Id, Box<ConfirmPaymentIntent>),
    /// `POST /v1/payment_intents/{intent}/capture`.
    CapturePaymentIntent(Id, Box<CapturePaymentIntent>),
    /// `POST /v1/payment_intents/{intent}/cancel`.
    CancelPaymentIntent(Id, Box<CancelPaymentIntent>),
    /// `POST /v1/refunds`.
    CreateRefund(Box<CreateRefund>),
    /// `POST /v1/customers`.
    CreateCustomer(Box<CreateCustomer>),
    /// `POST /v1/customers/{customer}`.
    UpdateCustomer(Id, Box<UpdateCustomer>),
    /// A network answered a call of an attempt.
    ResolveAttempt(AttemptId, NetworkAnswer),
    /// A timer that an earlier record of this object set has come due; ignored when stale.
    TimerDue(Id),
}

/// A read of one object or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// The object with that id.
    Object(&'static Kind, Id, &'static str),
    /// `GET /v1/balance`.
    Balance,
}

/// A page of objects of one kind, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// What is listed.
    pub kind: &'static Kind,
    /// Most objects of a page; 1 to 100.
    pub limit: usize,
    /// Where the page starts.
    pub cursor: Cursor,
    /// Only objects that belong to this one, e.g. charges of a payment intent. With several, an object must match all.
    pub parents: Vec<(&'static Kind, Id)>,
    /// Only objects created in this range, seconds.
    pub created: Range,
    /// Only events of one of these types; empty for all. A trailing `*` matches a prefix.
    pub types: Vec<Box<str>>,
    /// Path of the list, for the answer's `url`.
    pub url: &'static str,
}

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// At the newest.
    Start,
    /// Just after this object, going to older ones.
    After(Id),
    /// Just before this object: the page of newer ones next to it.
    Before(Id),
}
