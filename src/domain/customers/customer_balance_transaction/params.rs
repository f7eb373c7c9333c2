//! Parameters and operations of customers' balance transactions.

use super::CUSTOMER_BALANCE_MAX;
use super::shown::CustomerBalanceTransactionShown;
use crate::call::{Call, Command, ListQuery, Read};
use crate::kinds::{self, CustomerBalanceTransactionId};
use crate::money::Currency;
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams, Range};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, MetadataUpdate, Method, Params, Update};

/// How a customer's balance is moved.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateCustomerBalanceTransaction {
    /// By how much, in minor units: negative for more credit, positive for more debt.
    #[param(required, min = -999_999_999_999, max = 999_999_999_999)]
    pub amount: i64,
    /// The currency: that of the customer, once it has one.
    #[param(required)]
    pub currency: Option<Currency>,
    /// Free text for the merchant.
    #[param(max_len = 350)]
    pub description: Option<Box<str>>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
}

const _: () = assert!(CUSTOMER_BALANCE_MAX == 999_999_999_999, "the bound of the parameter");

/// What changes about a movement of a customer's balance.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateCustomerBalanceTransaction {
    /// Free text for the merchant.
    #[param(max_len = 350)]
    pub description: Update<Box<str>>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
}

/// Which movements of a customer's balance to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListCustomerBalanceTransactions {
    /// Only those made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only those newer than this one.
    pub ending_before: Option<CustomerBalanceTransactionId>,
    /// Most of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only those older than this one.
    pub starting_after: Option<CustomerBalanceTransactionId>,
}

/// The operations on customers' balance transactions.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &UPDATE, &LIST];

const PATH: &str = "/v1/customers/{customer}/balance_transactions";
const ONE_PATH: &str = "/v1/customers/{customer}/balance_transactions/{transaction}";

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_customer_balance_transaction",
    doc: "Moves the balance of a customer.",
    method: Method::Post,
    path: PATH,
    params: CreateCustomerBalanceTransaction::SHAPE,
    answers: Answers::One(CustomerBalanceTransactionShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::CreateCustomerBalanceTransaction(
            path.id(0, &kinds::CUSTOMER)?,
            Box::new(asked),
        )))
    },
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_customer_balance_transaction",
    doc: "Retrieves a movement of a customer's balance.",
    method: Method::Get,
    path: ONE_PATH,
    params: NoParams::SHAPE,
    answers: Answers::One(CustomerBalanceTransactionShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Below {
            parent: (&kinds::CUSTOMER, path.id(0, &kinds::CUSTOMER)?, "customer"),
            kind: &kinds::CUSTOMER_BALANCE_TRANSACTION,
            id: path.id(1, &kinds::CUSTOMER_BALANCE_TRANSACTION)?,
            param: "transaction",
        }))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_customer_balance_transaction",
    doc: "Changes what is said about a movement of a customer's balance.",
    method: Method::Post,
    path: ONE_PATH,
    params: UpdateCustomerBalanceTransaction::SHAPE,
    answers: Answers::One(CustomerBalanceTransactionShown::SHAPE),
    parse: |path, form| {
        let asked = take(form)?;
        Ok(Call::Write(Command::UpdateCustomerBalanceTransaction(
            path.id(0, &kinds::CUSTOMER)?,
            path.id(1, &kinds::CUSTOMER_BALANCE_TRANSACTION)?,
            Box::new(asked),
        )))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_customer_balance_transactions",
    doc: "Lists the movements of a customer's balance, newest first.",
    method: Method::Get,
    path: PATH,
    params: ListCustomerBalanceTransactions::SHAPE,
    answers: Answers::Many(CustomerBalanceTransactionShown::SHAPE),
    parse: |path, form| {
        let asked: ListCustomerBalanceTransactions = take(form)?;
        let customer = path.id(0, &kinds::CUSTOMER)?;
        ListQuery::of(
            &kinds::CUSTOMER_BALANCE_TRANSACTION,
            "/v1/customers/{}/balance_transactions",
        )
        .of_path(&kinds::CUSTOMER, customer, "customer")
        .created(asked.created)
        .page(
            asked.limit,
            asked.starting_after.map(|id| id.0),
            asked.ending_before.map(|id| id.0),
        )
        .map(Call::list)
    },
};
