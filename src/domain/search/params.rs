//! Parameters and operations of searches.

use super::fields::{CHARGES, CUSTOMERS, PAYMENT_INTENTS, Searched};
use super::grammar::Query;
use super::page::{PageToken, SearchQuery};
use crate::call::{Call, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX};
use crate::customers::customer::CustomerShown;
use crate::payments::charge::ChargeShown;
use crate::payments::payment_intent::PaymentIntentShown;
use tollgate_resource::operation::{Answers, Form, Refused, take};
use tollgate_resource::params::HasParams;
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Method, Params, Problem};

/// What to search for.
#[derive(Params, Default, Clone, Debug)]
pub struct SearchParams {
    /// Most objects of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Where the page starts: `next_page` of the one before.
    pub page: Option<Box<str>>,
    /// What to look for, e.g. `status:'succeeded' AND metadata['order']:'6735'`.
    #[param(required)]
    pub query: Box<str>,
}

/// The searches.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&SEARCH_PAYMENT_INTENTS, &SEARCH_CHARGES, &SEARCH_CUSTOMERS];

static SEARCH_PAYMENT_INTENTS: Endpoint<Call> = Endpoint {
    name: "search_payment_intents",
    doc: "Searches payment intents by their fields and metadata, newest first.",
    method: Method::Get,
    path: "/v1/payment_intents/search",
    params: SearchParams::SHAPE,
    answers: Answers::Found(PaymentIntentShown::SHAPE),
    parse: |_, form| search(&PAYMENT_INTENTS, form),
};

static SEARCH_CHARGES: Endpoint<Call> = Endpoint {
    name: "search_charges",
    doc: "Searches charges by their fields and metadata, newest first.",
    method: Method::Get,
    path: "/v1/charges/search",
    params: SearchParams::SHAPE,
    answers: Answers::Found(ChargeShown::SHAPE),
    parse: |_, form| search(&CHARGES, form),
};

static SEARCH_CUSTOMERS: Endpoint<Call> = Endpoint {
    name: "search_customers",
    doc: "Searches customers by their fields and metadata, newest first.",
    method: Method::Get,
    path: "/v1/customers/search",
    params: SearchParams::SHAPE,
    answers: Answers::Found(CustomerShown::SHAPE),
    parse: |_, form| search(&CUSTOMERS, form),
};

fn search(searched: &'static Searched, form: &mut dyn Form) -> Result<Call, Refused> {
    let asked: SearchParams = take(form)?;
    let query = Query::parse(&asked.query, searched).map_err(|message| refused("query", message))?;
    let token = PageToken::of(searched, &asked.query);
    let below = match asked.page.as_deref() {
        None => None,
        Some(page) => Some(token.read(page).ok_or_else(|| refused("page", NO_PAGE.into()))?),
    };
    Ok(Call::Search(Box::new(SearchQuery {
        searched,
        query,
        limit: asked.limit.unwrap_or(PAGE_LIMIT_DEFAULT).clamp(1, PAGE_LIMIT_MAX) as usize,
        below,
        token,
    })))
}

const NO_PAGE: &str = "This `page` belongs to no page of this search. Use the `next_page` of the page before, with the \
    same `query`.";

fn refused(param: &str, message: String) -> Refused {
    Refused::Param {
        param: param.into(),
        problem: Problem::Said(message.into()),
        text: String::new(),
    }
}
