//! What requests do to configurations.

use super::{
    CONFIGURATIONS_MAX, ConfigurationList, ConfigurationPage, CreatePaymentMethodConfiguration,
    PaymentMethodConfiguration, UpdatePaymentMethodConfiguration,
};
use crate::account::Account;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::kinds;
use crate::object::Object;
use crate::reject::Reject;
use std::sync::Arc;
use tollgate_resource::Id;

/// What a configuration is called that was given no name.
const UNNAMED: &str = "Payment method configuration";

/// Makes a configuration. There is no event of that.
pub(crate) fn create(case: &Case<'_>, asked: &CreatePaymentMethodConfiguration) -> Result<Decision, Stop> {
    // The default one counts, stored or not.
    let held = case.world.account.configurations().len();
    if held >= CONFIGURATIONS_MAX {
        let message = format!("An account can have up to {CONFIGURATIONS_MAX} payment method configurations.");
        return Err(Reject::invalid(None, message).begun().into());
    }
    let mut draft = case.draft();
    let mut configuration = PaymentMethodConfiguration {
        id: draft.born(&kinds::PAYMENT_METHOD_CONFIGURATION),
        name: asked.name.clone().unwrap_or_else(|| UNNAMED.into()),
        inactive: false,
        on: Vec::new(),
        off: Vec::new(),
    };
    configuration.prefer(&asked.preferences());
    let id = configuration.id;
    draft.put(Object::PaymentMethodConfiguration(Arc::new(configuration)));
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_METHOD_CONFIGURATION, id)))
}

/// Changes a configuration.
pub(crate) fn update(case: &Case<'_>, id: Id, asked: &UpdatePaymentMethodConfiguration) -> Result<Decision, Stop> {
    let kind = &kinds::PAYMENT_METHOD_CONFIGURATION;
    let before = case.world.account.configuration(id);
    let before = before.ok_or_else(|| Reject::no_such(kind, id, "configuration"))?;
    let mut configuration = PaymentMethodConfiguration::clone(&before);
    if let Some(active) = asked.active {
        if !active && configuration.is_default() {
            let message = "The default payment method configuration cannot be deactivated.";
            return Err(Reject::invalid(None, message).with_param("active").begun().into());
        }
        configuration.inactive = !active;
    }
    if let Some(name) = &asked.name {
        configuration.name = name.clone();
    }
    configuration.prefer(&asked.preferences());
    let mut draft = case.draft();
    draft.put(Object::PaymentMethodConfiguration(Arc::new(configuration)));
    Ok(draft.decide(Reply::Object(kind, id)))
}

/// A page of an account's configurations.
pub(crate) fn list(account: &Account, asked: ConfigurationList) -> Result<ConfigurationPage, Stop> {
    let kind = &kinds::PAYMENT_METHOD_CONFIGURATION;
    let mut all = account.configurations();
    all.retain(|configuration| {
        !asked.of_application && asked.active.is_none_or(|active| active != configuration.inactive)
    });
    let (configurations, has_more) = asked.paging.cut(all, kind, |configuration| configuration.id)?;
    Ok(ConfigurationPage {
        configurations,
        has_more,
    })
}
