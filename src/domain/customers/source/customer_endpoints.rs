//! Operations on the cards, bank accounts and sources of a customer; `cards` and `bank_accounts` are older names of
//! `sources`.

use super::{
    BESIDES_CARDS, CardObject, CreateCustomerSource, DeletedCardShown, ListCustomerCards, ListCustomerSources,
    SavedSourceId, UpdateCustomerSource, VerifyCustomerSource,
};
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds;
use crate::payments::bank_account::{BankAccountShown, DeletedBankAccountShown};
use crate::payments::card::HeldCardShown;
use tollgate_resource::operation::{Answers, Form, Refused, take};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Kind, Method, PathArgs};

/// The operations on the cards and sources of a customer.
pub const CUSTOMER_ENDPOINTS: &[&Endpoint<Call>] = &[
    &CREATE_SOURCE,
    &RETRIEVE_SOURCE,
    &UPDATE_SOURCE,
    &DELETE_SOURCE,
    &LIST_SOURCES,
    &CREATE_CARD,
    &RETRIEVE_CARD,
    &UPDATE_CARD,
    &DELETE_CARD,
    &LIST_CARDS,
    &CREATE_BANK_ACCOUNT,
    &RETRIEVE_BANK_ACCOUNT,
    &UPDATE_BANK_ACCOUNT,
    &DELETE_BANK_ACCOUNT,
    &LIST_BANK_ACCOUNTS,
    &VERIFY_SOURCE,
    &VERIFY_BANK_ACCOUNT,
];

static CREATE_SOURCE: Endpoint<Call> = Endpoint {
    name: "create_customer_source",
    doc: "Saves a card, bank account or source to a customer.",
    method: Method::Post,
    path: "/v1/customers/{customer}/sources",
    params: CreateCustomerSource::SHAPE,
    answers: Answers::One(HeldCardShown::SHAPE),
    parse: create,
};

static RETRIEVE_SOURCE: Endpoint<Call> = Endpoint {
    name: "retrieve_customer_source",
    doc: "Retrieves a card, bank account or source of a customer.",
    method: Method::Get,
    path: "/v1/customers/{customer}/sources/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(HeldCardShown::SHAPE),
    parse: retrieve,
};

static UPDATE_SOURCE: Endpoint<Call> = Endpoint {
    name: "update_customer_source",
    doc: "Changes a card, bank account or source of a customer.",
    method: Method::Post,
    path: "/v1/customers/{customer}/sources/{id}",
    params: UpdateCustomerSource::SHAPE,
    answers: Answers::One(HeldCardShown::SHAPE),
    parse: update,
};

static DELETE_SOURCE: Endpoint<Call> = Endpoint {
    name: "delete_customer_source",
    doc: "Takes a card, bank account or source from a customer.",
    method: Method::Delete,
    path: "/v1/customers/{customer}/sources/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(DeletedCardShown::SHAPE),
    parse: delete,
};

static VERIFY_SOURCE: Endpoint<Call> = Endpoint {
    name: "verify_customer_source",
    doc: "Verifies a bank account of a customer by the amounts of two deposits.",
    method: Method::Post,
    path: "/v1/customers/{customer}/sources/{id}/verify",
    params: VerifyCustomerSource::SHAPE,
    answers: Answers::One(BankAccountShown::SHAPE),
    parse: verify,
};

static CREATE_CARD: Endpoint<Call> = Endpoint {
    name: "create_customer_card",
    doc: "Saves a card to a customer.",
    method: Method::Post,
    path: "/v1/customers/{customer}/cards",
    params: CreateCustomerSource::SHAPE,
    answers: Answers::One(HeldCardShown::SHAPE),
    parse: create,
};

static RETRIEVE_CARD: Endpoint<Call> = Endpoint {
    name: "retrieve_customer_card",
    doc: "Retrieves a card of a customer.",
    method: Method::Get,
    path: "/v1/customers/{customer}/cards/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(HeldCardShown::SHAPE),
    parse: retrieve,
};

static UPDATE_CARD: Endpoint<Call> = Endpoint {
    name: "update_customer_card",
    doc: "Changes a card of a customer.",
    method: Method::Post,
    path: "/v1/customers/{customer}/cards/{id}",
    params: UpdateCustomerSource::SHAPE,
    answers: Answers::One(HeldCardShown::SHAPE),
    parse: update,
};

static DELETE_CARD: Endpoint<Call> = Endpoint {
    name: "delete_customer_card",
    doc: "Takes a card from a customer.",
    method: Method::Delete,
    path: "/v1/customers/{customer}/cards/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(DeletedCardShown::SHAPE),
    parse: delete,
};

static CREATE_BANK_ACCOUNT: Endpoint<Call> = Endpoint {
    name: "create_customer_bank_account",
    doc: "Saves a bank account to a customer.",
    method: Method::Post,
    path: "/v1/customers/{customer}/bank_accounts",
    params: CreateCustomerSource::SHAPE,
    answers: Answers::One(BankAccountShown::SHAPE),
    parse: create,
};

static RETRIEVE_BANK_ACCOUNT: Endpoint<Call> = Endpoint {
    name: "retrieve_customer_bank_account",
    doc: "Retrieves a bank account of a customer.",
    method: Method::Get,
    path: "/v1/customers/{customer}/bank_accounts/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(BankAccountShown::SHAPE),
    parse: retrieve,
};

static UPDATE_BANK_ACCOUNT: Endpoint<Call> = Endpoint {
    name: "update_customer_bank_account",
    doc: "Changes a bank account of a customer.",
    method: Method::Post,
    path: "/v1/customers/{customer}/bank_accounts/{id}",
    params: UpdateCustomerSource::SHAPE,
    answers: Answers::One(BankAccountShown::SHAPE),
    parse: update,
};

static DELETE_BANK_ACCOUNT: Endpoint<Call> = Endpoint {
    name: "delete_customer_bank_account",
    doc: "Takes a bank account from a customer.",
    method: Method::Delete,
    path: "/v1/customers/{customer}/bank_accounts/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(DeletedBankAccountShown::SHAPE),
    parse: delete,
};

static VERIFY_BANK_ACCOUNT: Endpoint<Call> = Endpoint {
    name: "verify_customer_bank_account",
    doc: "Verifies a bank account of a customer by the amounts of two deposits.",
    method: Method::Post,
    path: "/v1/customers/{customer}/bank_accounts/{id}/verify",
    params: VerifyCustomerSource::SHAPE,
    answers: Answers::One(BankAccountShown::SHAPE),
    parse: verify,
};

static LIST_SOURCES: Endpoint<Call> = Endpoint {
    name: "list_customer_sources",
    doc: "Lists the cards, bank accounts and sources of a customer, newest first.",
    method: Method::Get,
    path: "/v1/customers/{customer}/sources",
    params: ListCustomerSources::SHAPE,
    answers: Answers::Many(HeldCardShown::SHAPE),
    parse: |path, form| {
        let asked: ListCustomerSources = take(form)?;
        let (kind, also): (&'static Kind, &'static [&'static Kind]) = match asked.object {
            None | Some(CardObject::All) => (&kinds::CARD, &BESIDES_CARDS),
            Some(CardObject::Source) => (&kinds::SOURCE, &[]),
            Some(CardObject::Card | CardObject::BankAccount) => (&kinds::CARD, &[]),
        };
        let mut query = ListQuery::of(kind, "/v1/customers/{}/sources");
        query.also = also;
        match asked.object {
            Some(CardObject::BankAccount) => query = query.filtered("object", Some("bank_account")),
            Some(CardObject::Card) => query = query.filtered("object", Some("card")),
            None | Some(CardObject::All | CardObject::Source) => {}
        }
        page(path, query, asked.limit, asked.starting_after, asked.ending_before)
    },
};

static LIST_CARDS: Endpoint<Call> = Endpoint {
    name: "list_customer_cards",
    doc: "Lists the cards of a customer, newest first.",
    method: Method::Get,
    path: "/v1/customers/{customer}/cards",
    params: ListCustomerCards::SHAPE,
    answers: Answers::Many(HeldCardShown::SHAPE),
    parse: |path, form| {
        let asked: ListCustomerCards = take(form)?;
        let query = ListQuery::of(&kinds::CARD, "/v1/customers/{}/cards").filtered("object", Some("card"));
        page(path, query, asked.limit, asked.starting_after, asked.ending_before)
    },
};

static LIST_BANK_ACCOUNTS: Endpoint<Call> = Endpoint {
    name: "list_customer_bank_accounts",
    doc: "Lists the bank accounts of a customer, newest first.",
    method: Method::Get,
    path: "/v1/customers/{customer}/bank_accounts",
    params: ListCustomerCards::SHAPE,
    answers: Answers::Many(BankAccountShown::SHAPE),
    parse: |path, form| {
        let asked: ListCustomerCards = take(form)?;
        let query =
            ListQuery::of(&kinds::CARD, "/v1/customers/{}/bank_accounts").filtered("object", Some("bank_account"));
        page(path, query, asked.limit, asked.starting_after, asked.ending_before)
    },
};

fn create(path: &PathArgs<'_>, form: &mut dyn Form) -> Result<Call, Refused> {
    let asked = take(form)?;
    let customer = path.id(0, &kinds::CUSTOMER)?;
    Ok(Call::Write(Command::SaveSource(customer, Box::new(asked))))
}

fn retrieve(path: &PathArgs<'_>, form: &mut dyn Form) -> Result<Call, Refused> {
    take::<NoParams>(form)?;
    let parent = (&kinds::CUSTOMER, path.id(0, &kinds::CUSTOMER)?, "customer");
    let SavedSourceId { kind, id } = saved(path)?;
    Ok(Call::Read(Read::Below {
        parent,
        kind,
        id,
        param: "id",
    }))
}

fn update(path: &PathArgs<'_>, form: &mut dyn Form) -> Result<Call, Refused> {
    let asked = take(form)?;
    let customer = path.id(0, &kinds::CUSTOMER)?;
    let id = saved(path)?.id;
    Ok(Call::Write(Command::ChangeSource(customer, id, Box::new(asked))))
}

fn delete(path: &PathArgs<'_>, form: &mut dyn Form) -> Result<Call, Refused> {
    take::<NoParams>(form)?;
    let customer = path.id(0, &kinds::CUSTOMER)?;
    Ok(Call::Write(Command::RemoveSource(customer, saved(path)?.id)))
}

fn verify(path: &PathArgs<'_>, form: &mut dyn Form) -> Result<Call, Refused> {
    let asked = take(form)?;
    let customer = path.id(0, &kinds::CUSTOMER)?;
    let id = saved(path)?.id;
    Ok(Call::Write(Command::VerifySource(customer, id, Box::new(asked))))
}

fn page(
    path: &PathArgs<'_>,
    query: ListQuery,
    limit: Option<i64>,
    after: Option<SavedSourceId>,
    before: Option<SavedSourceId>,
) -> Result<Call, Refused> {
    let customer = path.id(0, &kinds::CUSTOMER)?;
    query
        .of_path(&kinds::CUSTOMER, customer, "customer")
        .page(limit, after.map(|of| of.id), before.map(|of| of.id))
        .map(Call::list)
}

/// The card or source that the path names.
fn saved(path: &PathArgs<'_>) -> Result<SavedSourceId, Refused> {
    let (name, text) = path.segments[1];
    SavedSourceId::parse(text).ok_or_else(|| Refused::Path {
        kind: &kinds::SOURCE,
        param: name,
        text: text.into(),
    })
}
