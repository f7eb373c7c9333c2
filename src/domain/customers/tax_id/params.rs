//! Parameters and operations of tax ids.

use super::TaxIdType;
use super::shown::{DeletedTaxIdShown, TaxIdShown};
use crate::call::{Call, Command, ListQuery, Read};
use crate::decision::Stop;
use crate::kinds::{self, CustomerId, TaxIdId};
use crate::marks::Mark;
use crate::reject::{Reject, codes};
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Id, Method, Names, Params};

/// A new tax id within another operation.
#[derive(Params, Default, Clone, Debug)]
pub struct TaxIdData {
    /// Its type.
    #[param(required, name = "type")]
    pub kind: Option<TaxIdType>,
    /// The number.
    #[param(required)]
    pub value: Box<str>,
}

/// A new tax id of a customer in the path, or of an owner.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateTaxId {
    /// Whose it is; the account's own if not given.
    pub owner: Option<TaxIdOwnerParams>,
    /// Its type.
    #[param(required, name = "type")]
    pub kind: Option<TaxIdType>,
    /// The number.
    #[param(required)]
    pub value: Box<str>,
}

/// Whose a tax id is.
#[derive(Params, Default, Clone, Debug)]
pub struct TaxIdOwnerParams {
    /// The customer, for the type `customer`.
    pub customer: Option<CustomerId>,
    /// What it is.
    #[param(required, name = "type")]
    pub kind: Option<TaxIdOwnerType>,
}

/// Who can have a tax id. (Other accounts and applications come with Connect.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum TaxIdOwnerType {
    /// A customer.
    Customer,
    /// The account itself.
    #[name = "self"]
    Own,
}

/// Which tax ids of a customer to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListCustomerTaxIds {
    /// Only those newer than this one.
    pub ending_before: Option<TaxIdId>,
    /// Most of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only those older than this one.
    pub starting_after: Option<TaxIdId>,
}

/// Which tax ids to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListTaxIds {
    /// Only those newer than this one.
    pub ending_before: Option<TaxIdId>,
    /// Most of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Whose they are; the account's own if not given.
    pub owner: Option<TaxIdOwnerParams>,
    /// Only those older than this one.
    pub starting_after: Option<TaxIdId>,
}

impl CreateTaxId {
    /// The customer it is for, if it is not the account's own.
    pub(super) fn customer(&self) -> Result<Option<Id>, Stop> {
        self.owner.as_ref().map_or(Ok(None), TaxIdOwnerParams::customer)
    }
}

impl TaxIdOwnerParams {
    fn customer(&self) -> Result<Option<Id>, Stop> {
        match (self.kind, self.customer) {
            (Some(TaxIdOwnerType::Customer), Some(customer)) => Ok(Some(customer.0)),
            (Some(TaxIdOwnerType::Customer), None) => {
                let message = "Missing required param: owner[customer].";
                let reject = Reject::invalid(Some(codes::PARAMETER_MISSING), message);
                Err(reject.with_param("owner[customer]").into())
            }
            _ => Ok(None),
        }
    }
}

/// The operations on tax ids.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[
    &CREATE_FOR_CUSTOMER,
    &RETRIEVE_FOR_CUSTOMER,
    &DELETE_FOR_CUSTOMER,
    &LIST_FOR_CUSTOMER,
    &CREATE,
    &RETRIEVE,
    &DELETE,
    &LIST,
];

const CUSTOMER_PATH: &str = "/v1/customers/{customer}/tax_ids";
const CUSTOMER_ONE_PATH: &str = "/v1/customers/{customer}/tax_ids/{id}";

static CREATE_FOR_CUSTOMER: Endpoint<Call> = Endpoint {
    name: "create_customer_tax_id",
    doc: "Gives a tax id to a customer.",
    method: Method::Post,
    path: CUSTOMER_PATH,
    params: TaxIdData::SHAPE,
    answers: Answers::One(TaxIdShown::SHAPE),
    parse: |path, form| {
        let TaxIdData { kind, value } = take(form)?;
        let owner = None;
        Ok(Call::Write(Command::CreateTaxId(
            Some(path.id(0, &kinds::CUSTOMER)?),
            Box::new(CreateTaxId { owner, kind, value }),
        )))
    },
};

static RETRIEVE_FOR_CUSTOMER: Endpoint<Call> = Endpoint {
    name: "retrieve_customer_tax_id",
    doc: "Retrieves a tax id of a customer.",
    method: Method::Get,
    path: CUSTOMER_ONE_PATH,
    params: NoParams::SHAPE,
    answers: Answers::One(TaxIdShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Below {
            parent: (&kinds::CUSTOMER, path.id(0, &kinds::CUSTOMER)?, "customer"),
            kind: &kinds::TAX_ID,
            id: path.id(1, &kinds::TAX_ID)?,
            param: "id",
        }))
    },
};

static DELETE_FOR_CUSTOMER: Endpoint<Call> = Endpoint {
    name: "delete_customer_tax_id",
    doc: "Deletes a tax id of a customer.",
    method: Method::Delete,
    path: CUSTOMER_ONE_PATH,
    params: NoParams::SHAPE,
    answers: Answers::One(DeletedTaxIdShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        let customer = path.id(0, &kinds::CUSTOMER)?;
        let id = path.id(1, &kinds::TAX_ID)?;
        Ok(Call::Write(Command::DeleteTaxId(Some(customer), id)))
    },
};

static LIST_FOR_CUSTOMER: Endpoint<Call> = Endpoint {
    name: "list_customer_tax_ids",
    doc: "Lists the tax ids of a customer, newest first.",
    method: Method::Get,
    path: CUSTOMER_PATH,
    params: ListCustomerTaxIds::SHAPE,
    answers: Answers::Many(TaxIdShown::SHAPE),
    parse: |path, form| {
        let asked: ListCustomerTaxIds = take(form)?;
        let customer = path.id(0, &kinds::CUSTOMER)?;
        ListQuery::of(&kinds::TAX_ID, "/v1/customers/{}/tax_ids")
            .of_path(&kinds::CUSTOMER, customer, "customer")
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_tax_id",
    doc: "Makes a tax id of a customer, or of the account itself.",
    method: Method::Post,
    path: "/v1/tax_ids",
    params: CreateTaxId::SHAPE,
    answers: Answers::One(TaxIdShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateTaxId(None, take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_tax_id",
    doc: "Retrieves a tax id.",
    method: Method::Get,
    path: "/v1/tax_ids/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(TaxIdShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::TAX_ID,
            path.id(0, &kinds::TAX_ID)?,
            "id",
        )))
    },
};

static DELETE: Endpoint<Call> = Endpoint {
    name: "delete_tax_id",
    doc: "Deletes a tax id.",
    method: Method::Delete,
    path: "/v1/tax_ids/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(DeletedTaxIdShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Write(Command::DeleteTaxId(None, path.id(0, &kinds::TAX_ID)?)))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_tax_ids",
    doc: "Lists tax ids, newest first: the account's own, or those of one customer.",
    method: Method::Get,
    path: "/v1/tax_ids",
    params: ListTaxIds::SHAPE,
    answers: Answers::Many(TaxIdShown::SHAPE),
    parse: |_, form| {
        let asked: ListTaxIds = take(form)?;
        let query = ListQuery::of(&kinds::TAX_ID, "/v1/tax_ids");
        let query = match asked.owner {
            Some(TaxIdOwnerParams {
                customer: Some(customer),
                kind: Some(TaxIdOwnerType::Customer),
            }) => query.under(&kinds::CUSTOMER, Some(customer.0)),
            _ => query.marked(Some(Mark::OwnTaxId)).filtered("owner.type", Some("self")),
        };
        query
            .page(
                asked.limit,
                asked.starting_after.map(|id| id.0),
                asked.ending_before.map(|id| id.0),
            )
            .map(Call::list)
    },
};
