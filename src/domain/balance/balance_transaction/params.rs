//! Parameters and operations of balance transactions.

use super::BalanceTransactionName;
use super::shown::BalanceTransactionShown;
use crate::call::{Call, ListQuery, Read};
use crate::kinds::{self, BalanceTransactionId};
use crate::money::Currency;
use crate::reject::codes;
use tollgate_resource::operation::{Answers, Form, Refused, take};
use tollgate_resource::params::{Bounds, HasParams, NoParams, Range, scalar};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Id, Kind, Method, Names, ParamKind, ParamValue, Params, PathArgs, Problem, Step};

/// Which balance transactions to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListBalanceTransactions {
    /// Only those made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only those in this currency.
    pub currency: Option<Currency>,
    /// Only those newer than this one.
    pub ending_before: Option<BalanceTransactionId>,
    /// Most of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only those of this payout. There are no payouts yet.
    pub payout: Option<NoPayout>,
    /// Only those of this charge, refund or dispute.
    pub source: Option<SourceId>,
    /// Only those older than this one.
    pub starting_after: Option<BalanceTransactionId>,
    /// Only those of this type, e.g. `refund`.
    #[param(name = "type")]
    pub kind: Option<Box<str>>,
}

/// The id of a payout: no account has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPayout;

impl ParamValue for NoPayout {
    const KIND: ParamKind = ParamKind::Word("payout id");
    fn first(path: &[Step<'_>], _: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        Err(Problem::Custom {
            code: Some(codes::RESOURCE_MISSING),
            message: "No such payout: '{}'",
        })
    }
}

/// The id of something that moves the balance: a charge, a refund or a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceId {
    /// Which of them.
    pub kind: &'static Kind,
    /// Its id.
    pub id: Id,
}

impl ParamValue for SourceId {
    const KIND: ParamKind = ParamKind::Word("charge, refund or dispute id");
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        let read = |kind: &'static Kind| kind.parse(text).map(|id| SourceId { kind, id });
        read(&kinds::CHARGE)
            .or_else(|| read(&kinds::REFUND))
            .or_else(|| read(&kinds::DISPUTE))
            .ok_or(Problem::NoSuch { kind: &kinds::CHARGE })
    }
}

/// The operations on balance transactions. `/v1/balance/history` is their old name.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&RETRIEVE, &LIST, &RETRIEVE_HISTORY, &LIST_HISTORY];

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_balance_transaction",
    doc: "Retrieves a balance transaction.",
    method: Method::Get,
    path: "/v1/balance_transactions/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(BalanceTransactionShown::SHAPE),
    parse: retrieve,
};

static RETRIEVE_HISTORY: Endpoint<Call> = Endpoint {
    name: "retrieve_balance_history",
    doc: "Retrieves a balance transaction, by the path's old name.",
    method: Method::Get,
    path: "/v1/balance/history/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(BalanceTransactionShown::SHAPE),
    parse: retrieve,
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_balance_transactions",
    doc: "Lists balance transactions, newest first.",
    method: Method::Get,
    path: "/v1/balance_transactions",
    params: ListBalanceTransactions::SHAPE,
    answers: Answers::Many(BalanceTransactionShown::SHAPE),
    parse: |_, form| list(form, "/v1/balance_transactions"),
};

static LIST_HISTORY: Endpoint<Call> = Endpoint {
    name: "list_balance_history",
    doc: "Lists balance transactions, newest first, by the path's old name.",
    method: Method::Get,
    path: "/v1/balance/history",
    params: ListBalanceTransactions::SHAPE,
    answers: Answers::Many(BalanceTransactionShown::SHAPE),
    parse: |_, form| list(form, "/v1/balance/history"),
};

fn retrieve(path: &PathArgs<'_>, form: &mut dyn Form) -> Result<Call, Refused> {
    take::<NoParams>(form)?;
    Ok(Call::Read(Read::Object(
        &kinds::BALANCE_TRANSACTION,
        path.id(0, &kinds::BALANCE_TRANSACTION)?,
        "id",
    )))
}

fn list(form: &mut dyn Form, url: &'static str) -> Result<Call, Refused> {
    let asked: ListBalanceTransactions = take(form)?;
    let mut query = ListQuery::of(&kinds::BALANCE_TRANSACTION, url)
        .created(asked.created)
        .filtered("currency", asked.currency.map(Currency::code))
        .filtered("type", asked.kind.as_deref())
        .page(
            asked.limit,
            asked.starting_after.map(|id| id.0),
            asked.ending_before.map(|id| id.0),
        )?;
    query
        .parents
        .extend(asked.source.map(|source| (source.kind, source.id)));
    Ok(Call::list(
        match asked.kind.as_deref().map(BalanceTransactionName::from_name) {
            None => query,
            Some(Some(name)) => query.born_with(name.born_with()),
            // A type that moves no balance here.
            Some(None) => query.of_nothing(),
        },
    ))
}
