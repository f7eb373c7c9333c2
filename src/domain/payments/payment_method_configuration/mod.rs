//! A configuration of payment methods: which types are offered where a payment does not list them itself.
//!
//! An account's configurations are part of its state ([`Account::configurations`](crate::Account::configurations)),
//! because every payment asks for them. The default one is there from the beginning, without having been made: its id has
//! sequence number 0.

mod allowed;
mod configured;
mod decide;
mod methods;
mod offered;
mod params;
mod shown;

pub(crate) use allowed::{allowed_types, check_rivals, check_some_fit};
pub use configured::ConfiguredMethod;
pub(crate) use decide::{create, list, update};
pub use methods::{
    CreatePaymentMethodConfiguration, DisplayPreferenceParams, DisplayPreferenceShown, MethodParams, MethodShown,
    PaymentMethodConfigurationShown, Preference, UpdatePaymentMethodConfiguration,
};
pub(crate) use offered::{Configured, Narrowed, accepted, check_excluded, check_types, configured, listed};
pub use params::{ENDPOINTS, ListPaymentMethodConfigurations};
pub use shown::ConfigurationsShown;

use crate::kinds;
use crate::paging::Paging;
use crate::payments::payment_method::PaymentMethodType;
use std::sync::Arc;
use tollgate_resource::{Id, Names, Record};

/// Most configurations of an account, the default one included: they are all in its state.
pub const CONFIGURATIONS_MAX: usize = 50;

/// A configuration of payment methods at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct PaymentMethodConfiguration {
    /// Its id; that of the default one has sequence number 0.
    #[record(1)]
    pub id: Id,
    /// What the merchant calls it.
    #[record(2)]
    pub name: Box<str>,
    /// Whether it was put out of use.
    #[record(3)]
    pub inactive: bool,
    /// Types that are to be offered, whatever the defaults say.
    #[record(4)]
    pub on: Vec<ConfiguredMethod>,
    /// Types that are not to be offered, whatever the defaults say.
    #[record(5)]
    pub off: Vec<ConfiguredMethod>,
}

/// Which of an account's configurations are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigurationList {
    /// The page.
    pub paging: Paging,
    /// Only those that can be used, or cannot.
    pub active: Option<bool>,
    /// Only those of a Connect application; there are none.
    pub of_application: bool,
}

/// A page of an account's configurations.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigurationPage {
    /// The configurations, newest first; the default one is the oldest.
    pub configurations: Vec<Arc<PaymentMethodConfiguration>>,
    /// Whether there are more.
    pub has_more: bool,
}

impl PaymentMethodConfiguration {
    /// The id of the default configuration of the account with that tag.
    pub fn default_id(account_tag: u32) -> Id {
        Id::new(&kinds::PAYMENT_METHOD_CONFIGURATION, 0, 0, account_tag)
    }

    /// The default configuration as it is until it is changed.
    pub fn default_of(account_tag: u32) -> PaymentMethodConfiguration {
        PaymentMethodConfiguration {
            id: Self::default_id(account_tag),
            name: "Default".into(),
            inactive: false,
            on: Vec::new(),
            off: Vec::new(),
        }
    }

    /// Whether it holds for payments that name none.
    pub fn is_default(&self) -> bool {
        self.id.seq() == 0
    }

    /// What the account says of a type.
    pub fn preference(&self, method: ConfiguredMethod) -> Preference {
        if self.on.contains(&method) {
            Preference::On
        } else if self.off.contains(&method) {
            Preference::Off
        } else {
            Preference::None
        }
    }

    /// Whether a type is to be offered, be it available or not.
    pub fn offers(&self, method: ConfiguredMethod) -> bool {
        match self.preference(method) {
            Preference::On => true,
            Preference::Off => false,
            Preference::None => method.is_on_by_default(),
        }
    }

    /// The types that payments may offer: cards first, then in the order of their names.
    pub fn types(&self) -> Vec<PaymentMethodType> {
        let offered = |method: &ConfiguredMethod| method.kind().filter(|_| self.offers(*method));
        let mut types: Vec<PaymentMethodType> = ConfiguredMethod::ALL.iter().filter_map(offered).collect();
        types.sort_by_key(|kind| *kind != PaymentMethodType::Card);
        types
    }

    /// Takes over what a request says.
    fn prefer(&mut self, said: &[(ConfiguredMethod, Preference)]) {
        for &(method, preference) in said {
            self.on.retain(|known| *known != method);
            self.off.retain(|known| *known != method);
            match preference {
                Preference::None => {}
                Preference::On => self.on.push(method),
                Preference::Off => self.off.push(method),
            }
        }
        self.on.sort_unstable();
        self.off.sort_unstable();
    }
}
