//! What can be searched: the fields of each resource, as the public documentation lists them.

use crate::kinds;
use tollgate_resource::Kind;

/// A resource that can be searched.
#[derive(Debug, PartialEq, Eq)]
pub struct Searched {
    /// What is found.
    pub kind: &'static Kind,
    /// Its name in paths and messages.
    pub plural: &'static str,
    /// Path of the search, for the answer's `url`.
    pub url: &'static str,
    /// What a query may name, besides `metadata['key']`.
    pub fields: &'static [Field],
}

/// A field that a query may name.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in queries; also the dotted name of what the object shows.
    pub name: &'static str,
    /// How it is compared.
    pub kind: FieldKind,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// As a whole, in any letter case.
    Token,
    /// As a whole or in part, in any letter case.
    Text,
    /// As a number.
    Number,
}

const fn field(name: &'static str, kind: FieldKind) -> Field {
    Field { name, kind }
}

/// Charges.
pub static CHARGES: Searched = Searched {
    kind: &kinds::CHARGE,
    plural: "charges",
    url: "/v1/charges/search",
    fields: &[
        field("amount", FieldKind::Number),
        field("billing_details.address.postal_code", FieldKind::Token),
        field("created", FieldKind::Number),
        field("currency", FieldKind::Token),
        field("customer", FieldKind::Token),
        field("disputed", FieldKind::Token),
        field("payment_method_details.card.brand", FieldKind::Token),
        field("payment_method_details.card.exp_month", FieldKind::Token),
        field("payment_method_details.card.exp_year", FieldKind::Token),
        field("payment_method_details.card.fingerprint", FieldKind::Token),
        field("payment_method_details.card.last4", FieldKind::Token),
        field("refunded", FieldKind::Token),
        field("status", FieldKind::Token),
    ],
};

/// Customers.
pub static CUSTOMERS: Searched = Searched {
    kind: &kinds::CUSTOMER,
    plural: "customers",
    url: "/v1/customers/search",
    fields: &[
        field("created", FieldKind::Number),
        field("email", FieldKind::Text),
        field("name", FieldKind::Text),
        field("phone", FieldKind::Text),
    ],
};

/// Payment intents.
pub static PAYMENT_INTENTS: Searched = Searched {
    kind: &kinds::PAYMENT_INTENT,
    plural: "payment_intents",
    url: "/v1/payment_intents/search",
    fields: &[
        field("amount", FieldKind::Number),
        field("created", FieldKind::Number),
        field("currency", FieldKind::Token),
        field("customer", FieldKind::Token),
        field("status", FieldKind::Token),
    ],
};

impl Searched {
    /// Everything that can be searched.
    pub const ALL: [&'static Searched; 3] = [&CHARGES, &CUSTOMERS, &PAYMENT_INTENTS];

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}
