//! Who may call an operation. A secret key may call every one; what the other kinds of key may follows from the
//! declaration: its path names the resource, its method whether something is changed, and [`BROWSERS`] what a page in a
//! payer's browser may do.

use crate::call::Call;
use crate::kinds;
use tollgate_resource::{Endpoint, Kind, Method, Names, Record};

/// Who may call an operation, besides secret keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// What a publishable key may.
    pub browser: Browser,
    /// What a restricted key needs.
    pub permission: Permission,
}

/// What a publishable key may do with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Nothing.
    Refused,
    /// Call it.
    Allowed,
    /// Call it with the `client_secret` of the object of this kind in its path.
    WithClientSecret(&'static Kind),
}

/// What the ephemeral key of one customer may do with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfCustomer {
    /// Nothing.
    Refused,
    /// Call it when the first id in its path is the customer.
    InPath,
    /// The same, with [`BY_CUSTOMERS`] parameters only.
    Itself,
    /// Call it when its parameter `customer` is the customer.
    AsParameter,
    /// Call it when the payment method in its path is the customer's.
    OfPaymentMethod,
}

/// A resource, and what may be done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct Permission {
    /// The resource.
    #[record(1)]
    pub resource: Resource,
    /// What may be done.
    #[record(2)]
    pub level: Level,
}

/// What may be done with a resource. Writing implies reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Names, Record)]
pub enum Level {
    /// Look.
    #[record(1)]
    Read,
    /// Look and change.
    #[record(2)]
    Write,
}

/// What permissions are given for: the first word of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
#[expect(missing_docs, reason = "the names are those of the paths")]
pub enum Resource {
    #[record(1)]
    Account,
    #[record(2)]
    Balance,
    #[record(3)]
    BalanceTransactions,
    #[record(4)]
    Charges,
    #[record(5)]
    ConfirmationTokens,
    #[record(6)]
    Customers,
    #[record(7)]
    Disputes,
    #[record(8)]
    EphemeralKeys,
    #[record(9)]
    Events,
    #[record(10)]
    FileLinks,
    #[record(11)]
    Files,
    #[record(12)]
    Mandates,
    #[record(13)]
    PaymentIntents,
    #[record(14)]
    PaymentMethodConfigurations,
    #[record(15)]
    PaymentMethods,
    #[record(16)]
    Radar,
    #[record(17)]
    Refunds,
    #[record(18)]
    Reviews,
    #[record(19)]
    SetupAttempts,
    #[record(20)]
    SetupIntents,
    #[record(21)]
    Sources,
    #[record(22)]
    TestHelpers,
    #[record(23)]
    Tokens,
    #[record(24)]
    TaxIds,
    #[record(25)]
    PaymentMethodDomains,
    #[record(26)]
    ApplePay,
    #[record(27)]
    WebhookEndpoints,
}

/// The permissions of a key, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    read: u64,
    write: u64,
}

/// Operations that a publishable key may call: what puts a payment method together.
const BROWSERS: &[&str] = &[
    "/v1/confirmation_tokens",
    "/v1/payment_methods",
    "/v1/sources",
    "/v1/tokens",
];

/// Paths of intents, which a publishable key may call with the object's client secret, and their kind's name.
const INTENTS: &[(&str, &str)] = &[
    ("/v1/payment_intents/", "payment_intent"),
    ("/v1/setup_intents/", "setup_intent"),
];

/// What may be done with an intent by its client secret: behind its id in the path.
const BY_SECRET: &[(Method, &str)] = &[
    (Method::Get, ""),
    (Method::Post, "/confirm"),
    (Method::Post, "/verify_microdeposits"),
];

/// What a customer may change about themselves: how they pay and where goods go, not what the merchant holds of them.
/// (`expand` is no change.)
pub const BY_CUSTOMERS: &[&str] = &["default_source", "invoice_settings", "shipping", "source"];

/// Paths that a customer's ephemeral key may call, with the methods; those that end in `*` with all that lies below.
const OF_CUSTOMER: &[(&[Method], &str, OfCustomer)] = {
    use Method::{Delete, Get, Post};
    &[
        (&[Get, Post], "/v1/customers/{}", OfCustomer::Itself),
        (&[Get, Post, Delete], "/v1/customers/{}/cards*", OfCustomer::InPath),
        (
            &[Get, Post, Delete],
            "/v1/customers/{}/payment_methods*",
            OfCustomer::InPath,
        ),
        (&[Get, Post, Delete], "/v1/customers/{}/sources*", OfCustomer::InPath),
        (&[Get], "/v1/payment_methods", OfCustomer::AsParameter),
        (&[Post], "/v1/payment_methods/{}/attach", OfCustomer::AsParameter),
        (&[Get, Post], "/v1/payment_methods/{}", OfCustomer::OfPaymentMethod),
        (&[Post], "/v1/payment_methods/{}/detach", OfCustomer::OfPaymentMethod),
    ]
};

/// What the ephemeral key of one customer may do with `endpoint`.
pub fn of_customer(endpoint: &Endpoint<Call>) -> OfCustomer {
    let words: Vec<&str> = endpoint.path.split('/').collect();
    let fits = |pattern: &str| {
        let (pattern, below) = match pattern.strip_suffix('*') {
            Some(pattern) => (pattern, true),
            None => (pattern, false),
        };
        let parts: Vec<&str> = pattern.split('/').collect();
        let long_enough = if below {
            words.len() >= parts.len()
        } else {
            words.len() == parts.len()
        };
        long_enough
            && parts
                .iter()
                .zip(&words)
                .all(|(part, word)| part == word || (*part == "{}" && word.starts_with('{')))
    };
    let found = OF_CUSTOMER
        .iter()
        .find(|(methods, pattern, _)| methods.contains(&endpoint.method) && fits(pattern));
    found.map_or(OfCustomer::Refused, |(.., what)| *what)
}

/// Whether a request of `endpoint` must name an API version: what it makes is used by something that cannot be asked.
pub fn needs_version(endpoint: &Endpoint<Call>) -> bool {
    (endpoint.method, endpoint.path) == (Method::Post, "/v1/ephemeral_keys")
}

/// Who may call `endpoint`.
///
/// # Panics
/// When its path names no [`Resource`]; a test walks all operations.
pub fn access_of(endpoint: &Endpoint<Call>) -> Access {
    Access {
        browser: browser(endpoint.method, endpoint.path),
        permission: permission(endpoint.method, endpoint.path)
            .unwrap_or_else(|| panic!("{} is of no resource in access.rs", endpoint.path)),
    }
}

fn browser(method: Method, path: &str) -> Browser {
    if method == Method::Post && BROWSERS.contains(&path) {
        return Browser::Allowed;
    }
    let by_secret = |(start, object): &(&str, &str)| {
        let (_, behind) = path.strip_prefix(start)?.strip_prefix('{')?.split_once('}')?;
        if !BY_SECRET.contains(&(method, behind)) {
            return None;
        }
        kinds::ALL.iter().copied().find(|kind| kind.object == *object)
    };
    match INTENTS.iter().find_map(by_secret) {
        Some(kind) => Browser::WithClientSecret(kind),
        None => Browser::Refused,
    }
}

fn permission(method: Method, path: &str) -> Option<Permission> {
    let words = path.strip_prefix("/v1/").or_else(|| path.strip_prefix("/v2/core/"));
    let mut words = words?.split('/');
    let resource = match (words.next()?, words.next()) {
        // The same endpoints under another name.
        ("event_destinations", _) => Resource::WebhookEndpoints,
        // The older path of the balance transactions.
        ("balance", Some("history")) => Resource::BalanceTransactions,
        ("accounts", _) => Resource::Account,
        (name, _) => Resource::from_name(name)?,
    };
    let level = match method {
        Method::Get => Level::Read,
        Method::Post | Method::Delete => Level::Write,
    };
    Some(Permission { resource, level })
}

impl Permission {
    /// Its public name, as the refusal of a key that lacks it says: `rak_payment_intent_write`.
    pub fn public_name(self) -> String {
        format!("rak_{}_{}", self.resource.singular(), self.level.name())
    }

    /// The permission that `text` names: `payment_intents:write`, or a public name.
    pub fn from_text(text: &str) -> Option<Permission> {
        if let Some((resource, level)) = text.split_once(':') {
            return Some(Permission {
                resource: Resource::from_name(resource)?,
                level: Level::from_name(level)?,
            });
        }
        Resource::ALL
            .iter()
            .flat_map(|&resource| Level::ALL.iter().map(move |&level| Permission { resource, level }))
            .find(|permission| permission.public_name() == text)
    }
}

impl std::fmt::Display for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.resource.name(), self.level.name())
    }
}

impl Resource {
    /// The name of one of its objects.
    fn singular(self) -> &'static str {
        let name = self.name();
        name.strip_suffix('s').unwrap_or(name)
    }

    /// The resource whose object a field shows when it is expanded, such as `latest_charge`; `None` for fields that show
    /// no resource of their own.
    pub fn of_field(field: &str) -> Option<Resource> {
        let prefixes = ["latest_", "default_", "failure_", "single_use_"];
        let word = prefixes.iter().find_map(|prefix| field.strip_prefix(prefix));
        match word.unwrap_or(field) {
            "attempt" => Some(Resource::SetupAttempts),
            // What a balance transaction is about: a charge, mostly.
            "source" => Some(Resource::Charges),
            word => {
                let named = |resource: &&Resource| resource.name() == word || resource.singular() == word;
                Resource::ALL.iter().find(named).copied()
            }
        }
    }

    fn bit(self) -> u64 {
        1 << self as u32
    }
}

impl Permissions {
    /// Those of a list.
    pub fn of(list: &[Permission]) -> Permissions {
        let mut permissions = Permissions::default();
        for permission in list {
            let bit = permission.resource.bit();
            permissions.read |= bit;
            if permission.level == Level::Write {
                permissions.write |= bit;
            }
        }
        permissions
    }

    /// Whether `permission` is among them.
    pub fn allow(self, permission: Permission) -> bool {
        let of_level = match permission.level {
            Level::Read => self.read,
            Level::Write => self.write,
        };
        of_level & permission.resource.bit() != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ENDPOINTS;

    #[test]
    fn every_operation_has_its_access_and_browsers_may_do_little() {
        let listed: Vec<String> = ENDPOINTS
            .iter()
            .filter_map(|endpoint| {
                let line = format!("{} {}", endpoint.method.name(), endpoint.path);
                // Panics for a path of an unknown resource.
                match access_of(endpoint).browser {
                    Browser::Refused => None,
                    Browser::Allowed => Some(line),
                    Browser::WithClientSecret(kind) => Some(format!("{line} with the secret of a {}", kind.object)),
                }
            })
            .collect();
        let known = [
            "GET /v1/payment_intents/{intent} with the secret of a payment_intent",
            "GET /v1/setup_intents/{intent} with the secret of a setup_intent",
            "POST /v1/confirmation_tokens",
            "POST /v1/payment_intents/{intent}/confirm with the secret of a payment_intent",
            "POST /v1/payment_intents/{intent}/verify_microdeposits with the secret of a payment_intent",
            "POST /v1/payment_methods",
            "POST /v1/setup_intents/{intent}/confirm with the secret of a setup_intent",
            "POST /v1/setup_intents/{intent}/verify_microdeposits with the secret of a setup_intent",
            "POST /v1/sources",
            "POST /v1/tokens",
        ];
        for line in &listed {
            assert!(known.contains(&line.as_str()), "a browser may call {line}");
        }
        assert!(listed.iter().any(|line| line.starts_with(known[3])), "{listed:?}");
    }

    #[test]
    fn a_customers_own_key_opens_what_is_theirs() {
        let found: Vec<String> = ENDPOINTS
            .iter()
            .filter(|endpoint| of_customer(endpoint) != OfCustomer::Refused)
            .map(|endpoint| format!("{} {}", endpoint.method.name(), endpoint.path))
            .collect();
        for line in ["GET /v1/customers/{id}", "GET /v1/payment_methods"] {
            assert!(found.iter().any(|known| known == line), "{line} of {found:?}");
        }
        for line in &found {
            let mine = line.contains(" /v1/customers/{") || line.contains(" /v1/payment_methods");
            let open = line != "DELETE /v1/customers/{id}" && line != "POST /v1/payment_methods";
            let inside = !line.contains("balance") && !line.contains("tax_ids");
            assert!(mine && open && inside, "{line}");
        }
    }

    #[test]
    fn an_operation_hears_of_its_customer_in_one_place() {
        for endpoint in ENDPOINTS {
            let named = |name: &&str| endpoint.params.fields.iter().any(|field| field.name == *name);
            let found: Vec<&str> = ["customer", "customer_account"].into_iter().filter(named).collect();
            let expected: &[&str] = match of_customer(endpoint) {
                OfCustomer::Refused => continue,
                OfCustomer::AsParameter => &["customer"],
                OfCustomer::InPath | OfCustomer::Itself | OfCustomer::OfPaymentMethod => &[],
            };
            assert_eq!(found, expected, "{} {}", endpoint.method.name(), endpoint.path);
        }
    }

    #[test]
    fn reading_and_changing_need_a_permission_each() {
        for (method, path, name) in [
            (Method::Get, "/v1/payment_intents/{intent}", "rak_payment_intent_read"),
            (Method::Post, "/v1/payment_intents", "rak_payment_intent_write"),
            (
                Method::Delete,
                "/v1/customers/{customer}/sources/{id}",
                "rak_customer_write",
            ),
            (Method::Get, "/v1/balance", "rak_balance_read"),
            (Method::Get, "/v1/balance/history", "rak_balance_transaction_read"),
            (
                Method::Get,
                "/v1/radar/early_fraud_warnings/{early_fraud_warning}",
                "rak_radar_read",
            ),
            (Method::Get, "/v1/accounts/{account}", "rak_account_read"),
        ] {
            let permission = permission(method, path).expect(path);
            assert_eq!(permission.public_name(), name);
            assert_eq!(Permission::from_text(name), Some(permission));
            assert_eq!(Permission::from_text(&permission.to_string()), Some(permission));
        }
        assert_eq!(permission(Method::Get, "/v1/nothing"), None);
        for wrong in ["charges", "charges:none", "nothing:read", "rak_", ""] {
            assert_eq!(Permission::from_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_expanded_field_shows_its_resource() {
        for (field, resource) in [
            ("latest_charge", Some(Resource::Charges)),
            ("customer", Some(Resource::Customers)),
            ("default_payment_method", Some(Resource::PaymentMethods)),
            ("balance_transaction", Some(Resource::BalanceTransactions)),
            ("refunds", Some(Resource::Refunds)),
            ("latest_attempt", Some(Resource::SetupAttempts)),
            ("data", None),
        ] {
            assert_eq!(Resource::of_field(field), resource, "{field}");
        }
    }

    #[test]
    fn writing_implies_reading_and_nothing_implies_writing() {
        let permission = |resource, level| Permission { resource, level };
        let held = Permissions::of(&[
            permission(Resource::Charges, Level::Read),
            permission(Resource::Tokens, Level::Write),
        ]);
        for (resource, level, expected) in [
            (Resource::Charges, Level::Read, true),
            (Resource::Charges, Level::Write, false),
            (Resource::Tokens, Level::Read, true),
            (Resource::Tokens, Level::Write, true),
            (Resource::Account, Level::Read, false),
        ] {
            assert_eq!(
                held.allow(permission(resource, level)),
                expected,
                "{resource:?} {level:?}"
            );
        }
    }
}
