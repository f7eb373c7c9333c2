//! Parameters and operations of customers.

use super::TaxExempt;
use super::invoicing::InvoiceSettingsParams;
use super::shown::{CustomerShown, DeletedCustomerShown};
use crate::address::{AddressParams, CustomerShippingParams};
use crate::call::{Call, Command, ListQuery, Read};
use crate::customers::source::{NamedSource, SavedSourceId};
use crate::customers::tax_id::TaxIdData;
use crate::kinds::{self, CustomerId};
use crate::payments::payment_method::PaymentMethodParam;
use crate::reject::codes;
use tollgate_resource::operation::{Answers, take, take_boxed};
use tollgate_resource::params::{Bounds, HasParams, NoParams, Range, scalar};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{
    Endpoint, MetadataUpdate, Method, Names, ParamKind, ParamValue, Params, Problem, Step, Update,
};

/// What a new customer is made of.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateCustomer {
    /// Postal address.
    pub address: Update<AddressParams>,
    /// Credit (negative) or debt (positive) towards the next invoices, in minor units.
    #[param(min = -999_999_999_999, max = 999_999_999_999)]
    pub balance: Option<i64>,
    /// Name of the customer's business.
    #[param(max_len = 150)]
    pub business_name: Update<Box<str>>,
    /// The older name of `source`.
    pub card: Option<NamedSource>,
    /// Free text for the merchant.
    pub description: Update<Box<str>>,
    /// Email address.
    #[param(max_len = 512)]
    pub email: Update<Box<str>>,
    /// Name of the person.
    #[param(max_len = 150)]
    pub individual_name: Update<Box<str>>,
    /// Prefix of the customer's invoice numbers: 3 to 12 capital letters or digits.
    pub invoice_prefix: Option<InvoicePrefix>,
    /// How the customer is invoiced.
    pub invoice_settings: Option<InvoiceSettingsParams>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Full name, or the name of a business.
    #[param(max_len = 256)]
    pub name: Update<Box<str>>,
    /// Number of the customer's first invoice.
    #[param(min = 1, max = 999_999_999)]
    pub next_invoice_sequence: Option<i64>,
    /// The payment method to save to the customer.
    pub payment_method: Option<PaymentMethodParam>,
    /// Telephone number.
    #[param(max_len = 20)]
    pub phone: Update<Box<str>>,
    /// Languages, most preferred first.
    #[param(max_items = 20)]
    pub preferred_locales: Vec<Box<str>>,
    /// Where goods are sent.
    pub shipping: Update<CustomerShippingParams>,
    /// A token, a source, or a card's details to save to the customer, and to charge unless something else is named.
    pub source: Option<NamedSource>,
    /// Where the customer is, for tax.
    pub tax: Option<TaxParams>,
    /// Whether the customer pays tax.
    pub tax_exempt: Update<TaxExempt>,
    /// Tax ids.
    #[param(max_items = 5)]
    pub tax_id_data: Vec<TaxIdData>,
    /// Whether the issuer of a card in `source` is asked, which it is if not given.
    pub validate: Option<bool>,
}

/// What changes about a customer. What is not given stays; an empty string unsets.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateCustomer {
    /// Postal address, replaced as a whole.
    pub address: Update<AddressParams>,
    /// Credit (negative) or debt (positive) towards the next invoices, in minor units; moved there by a transaction.
    #[param(min = -999_999_999_999, max = 999_999_999_999)]
    pub balance: Option<i64>,
    /// Name of the customer's business.
    #[param(max_len = 150)]
    pub business_name: Update<Box<str>>,
    /// The older name of `source`.
    pub card: Option<NamedSource>,
    /// The older name of `default_source`.
    pub default_card: Option<SavedSourceId>,
    /// The card or source, saved to the customer, to charge unless something else is named.
    pub default_source: Option<SavedSourceId>,
    /// Free text for the merchant.
    pub description: Update<Box<str>>,
    /// Email address.
    #[param(max_len = 512)]
    pub email: Update<Box<str>>,
    /// Name of the person.
    #[param(max_len = 150)]
    pub individual_name: Update<Box<str>>,
    /// Prefix of the customer's invoice numbers: 3 to 12 capital letters or digits.
    pub invoice_prefix: Option<InvoicePrefix>,
    /// How the customer is invoiced.
    pub invoice_settings: Option<InvoiceSettingsParams>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// Full name, or the name of a business.
    #[param(max_len = 256)]
    pub name: Update<Box<str>>,
    /// Number of the customer's next invoice.
    #[param(min = 1, max = 999_999_999)]
    pub next_invoice_sequence: Option<i64>,
    /// Telephone number.
    #[param(max_len = 20)]
    pub phone: Update<Box<str>>,
    /// Languages, most preferred first.
    #[param(max_items = 20)]
    pub preferred_locales: Option<Vec<Box<str>>>,
    /// Where goods are sent, replaced as a whole.
    pub shipping: Update<CustomerShippingParams>,
    /// A token, a source, or a card's details to save to the customer in place of what is charged by default now.
    pub source: Option<NamedSource>,
    /// Where the customer is, for tax.
    pub tax: Option<TaxParams>,
    /// Whether the customer pays tax.
    pub tax_exempt: Update<TaxExempt>,
    /// The customer's VAT id, in place of the one before; how it was said before there were tax ids.
    #[param(until = 20191203)]
    pub tax_info: Update<TaxInfoParams>,
    /// Whether the issuer of a card in `source` is asked, which it is if not given.
    pub validate: Option<bool>,
}

/// A VAT id, as a parameter of before there were tax ids.
#[derive(Params, Default, Clone, Debug)]
pub struct TaxInfoParams {
    /// The number.
    #[param(required)]
    pub tax_id: Box<str>,
    /// What it is.
    #[param(name = "type")]
    pub kind: Option<TaxInfoType>,
}

/// What the one tax id of older versions can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum TaxInfoType {
    /// A number for value added tax.
    Vat,
}

/// Where a customer is, for tax, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct TaxParams {
    /// An address on the internet that the customer recently had.
    pub ip_address: Update<IpAddress>,
    /// When the place is looked up; there is nothing to look it up in, so it is taken and changes nothing.
    pub validate_location: Option<ValidateLocation>,
}

/// When the place of a customer is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum ValidateLocation {
    /// As seems best.
    Auto,
    /// Later.
    Deferred,
    /// Before the answer.
    Immediately,
}

/// An address on the internet, of either generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpAddress(pub Box<str>);

impl ParamValue for IpAddress {
    const KIND: ParamKind = ParamKind::Word("ip address");
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        match text.parse::<core::net::IpAddr>() {
            Ok(_) => Ok(IpAddress(text.into())),
            Err(_) => Err(Problem::Custom {
                code: Some(codes::PARAMETER_INVALID_STRING),
                message: "Invalid IP address: {}",
            }),
        }
    }
}

/// Which customers to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListCustomers {
    /// Only customers made at that time, or in that range of times.
    pub created: Option<Range>,
    /// Only customers with exactly this email address.
    #[param(max_len = 512)]
    pub email: Option<Box<str>>,
    /// Only customers newer than this one.
    pub ending_before: Option<CustomerId>,
    /// Most customers of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only customers older than this one.
    pub starting_after: Option<CustomerId>,
}

/// 3 to 12 capital letters or digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoicePrefix(pub Box<str>);

impl ParamValue for InvoicePrefix {
    const KIND: ParamKind = ParamKind::Str { max_len: 12 };
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        let fits = (3..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !fits {
            return Err(Problem::Custom {
                code: None,
                message: "Invoice prefixes must be between 3 and 12 characters and contain only uppercase letters and numbers.",
            });
        }
        Ok(InvoicePrefix(text.into()))
    }
}

/// The operations on customers.
pub const ENDPOINTS: &[&Endpoint<Call>] = &[&CREATE, &RETRIEVE, &UPDATE, &DELETE, &LIST];

static CREATE: Endpoint<Call> = Endpoint {
    name: "create_customer",
    doc: "Creates a customer.",
    method: Method::Post,
    path: "/v1/customers",
    params: CreateCustomer::SHAPE,
    answers: Answers::One(CustomerShown::SHAPE),
    parse: |_, form| Ok(Call::Write(Command::CreateCustomer(take_boxed(form)?))),
};

static RETRIEVE: Endpoint<Call> = Endpoint {
    name: "retrieve_customer",
    doc: "Retrieves a customer.",
    method: Method::Get,
    path: "/v1/customers/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(CustomerShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Read(Read::Object(
            &kinds::CUSTOMER,
            path.id(0, &kinds::CUSTOMER)?,
            "id",
        )))
    },
};

static UPDATE: Endpoint<Call> = Endpoint {
    name: "update_customer",
    doc: "Changes a customer. What is not given stays as it is; an empty string unsets.",
    method: Method::Post,
    path: "/v1/customers/{id}",
    params: UpdateCustomer::SHAPE,
    answers: Answers::One(CustomerShown::SHAPE),
    parse: |path, form| {
        let changes = take(form)?;
        Ok(Call::Write(Command::UpdateCustomer(
            path.id(0, &kinds::CUSTOMER)?,
            Box::new(changes),
        )))
    },
};

static DELETE: Endpoint<Call> = Endpoint {
    name: "delete_customer",
    doc: "Deletes a customer for good: its payment methods are detached, its payments stay.",
    method: Method::Delete,
    path: "/v1/customers/{id}",
    params: NoParams::SHAPE,
    answers: Answers::One(DeletedCustomerShown::SHAPE),
    parse: |path, form| {
        take::<NoParams>(form)?;
        Ok(Call::Write(Command::DeleteCustomer(path.id(0, &kinds::CUSTOMER)?)))
    },
};

static LIST: Endpoint<Call> = Endpoint {
    name: "list_customers",
    doc: "Lists customers, newest first.",
    method: Method::Get,
    path: "/v1/customers",
    params: ListCustomers::SHAPE,
    answers: Answers::Many(CustomerShown::SHAPE),
    parse: |_, form| {
        let asked: ListCustomers = take(form)?;
        let page = ListQuery::of(&kinds::CUSTOMER, "/v1/customers")
            .created(asked.created)
            .with_email(asked.email);
        page.page(
            asked.limit,
            asked.starting_after.map(|id| id.0),
            asked.ending_before.map(|id| id.0),
        )
        .map(Call::list)
    },
};
