//! What a page of configurations shows.

use super::{ConfigurationPage, PaymentMethodConfigurationShown};
use crate::object::ShowContext;
use tollgate_resource::Shown;

/// A list of configurations.
#[derive(Shown)]
#[shown(object = "list")]
pub struct ConfigurationsShown<'a> {
    /// The configurations, newest first.
    pub data: Vec<PaymentMethodConfigurationShown<'a>>,
    /// Whether there are more.
    pub has_more: bool,
    /// Path of the list.
    pub url: &'a str,
}

impl<'a> ConfigurationsShown<'a> {
    /// What `page` shows.
    pub fn of(page: &'a ConfigurationPage, context: &ShowContext<'_>) -> Self {
        let shown = page
            .configurations
            .iter()
            .map(|configuration| PaymentMethodConfigurationShown::of(configuration, context));
        ConfigurationsShown {
            data: shown.collect(),
            has_more: page.has_more,
            url: "/v1/payment_method_configurations",
        }
    }
}
