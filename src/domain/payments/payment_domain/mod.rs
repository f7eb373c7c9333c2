//! Domains of the web on which a merchant's pages offer wallets: as they are registered for all payment methods, and as
//! older integrations register them for Apple Pay alone.
//!
//! An account's domains are part of its state too ([`Account::domain`](crate::Account::domain)), because registering one a
//! second time answers with the first.

mod decide;
mod params;
mod shown;

pub(crate) use decide::{create, create_for_apple_pay, delete_for_apple_pay, update};
pub use params::{
    CreateApplePayDomain, CreatePaymentMethodDomain, ENDPOINTS, ListApplePayDomains, ListPaymentMethodDomains,
    UpdatePaymentMethodDomain,
};
pub use shown::{
    ApplePayDomainShown, DeletedApplePayDomainShown, DomainMethodShown, DomainMethodStatus, PaymentMethodDomainShown,
};

use tollgate_resource::{Id, Record};

/// Most domains of an account, of both kinds together: they are all in its state.
pub const DOMAINS_MAX: usize = 100;

/// A registered domain at one version. The kind of its id says what it is registered for.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct RegisteredDomain {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// Its name, in lower case.
    #[record(2)]
    pub name: Box<str>,
    /// Whether wallets are not to be shown on it.
    #[record(3)]
    pub disabled: bool,
    /// Whether it was deleted.
    #[record(4)]
    pub deleted: bool,
}

/// Most characters of a name.
const NAME_MAX: usize = 253;
/// Most characters between two dots.
const LABEL_MAX: usize = 63;

/// The name as it is kept; `None` for text that is no name of a domain.
fn name_of(text: &str) -> Option<Box<str>> {
    let name = text.to_ascii_lowercase();
    let label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let fits = name.len() <= NAME_MAX && name.contains('.') && name.split('.').all(label);
    fits.then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_named_without_scheme_port_or_path() {
        for (text, name) in [
            ("Shop.Example.com", Some("shop.example.com")),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("https://shop.example", None),
            ("shop.example:8080", None),
            ("shop.example/pay", None),
            ("shop..example", None),
            ("-shop.example", None),
            ("shop", None),
            ("", None),
        ] {
            assert_eq!(name_of(text).as_deref(), name, "{text}");
        }
        assert_eq!(name_of(&format!("{}.example", "a".repeat(64))), None);
        assert_eq!(name_of(&["abcdefg"; 32].join(".")), None);
    }
}
