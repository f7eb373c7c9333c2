//! How a customer agreed to a mandate.

use crate::decision::Stop;
use crate::reject::{Reject, codes};
use tollgate_resource::{Names, Params, Record, Update};

/// How a customer agreed.
#[derive(Clone, Debug, PartialEq, Eq, Record)]
pub enum Acceptance {
    /// Face to face, by letter, by telephone.
    #[record(1)]
    Offline {
        /// When, in seconds since the Unix epoch.
        #[record(1)]
        accepted_at: i64,
    },
    /// On a page.
    #[record(2)]
    Online {
        /// When, in seconds since the Unix epoch.
        #[record(1)]
        accepted_at: i64,
        /// The customer's address in the network.
        #[record(2)]
        ip_address: Option<Box<str>>,
        /// The customer's browser.
        #[record(3)]
        user_agent: Option<Box<str>>,
    },
}

/// A customer's agreement, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct MandateDataParams {
    /// How the customer agreed.
    #[param(required)]
    pub customer_acceptance: Option<CustomerAcceptanceParams>,
}

/// How a customer agreed, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct CustomerAcceptanceParams {
    /// When, in seconds since the Unix epoch; now if not given.
    pub accepted_at: Option<i64>,
    /// Nothing is said of an agreement offline.
    pub offline: Update<OfflineParams>,
    /// What is known of an agreement online.
    pub online: Update<OnlineParams>,
    /// Whether it was online or offline.
    #[param(required, name = "type")]
    pub kind: Option<AcceptanceType>,
}

/// An agreement offline, of which nothing is said.
#[derive(Params, Default, Clone, Debug)]
pub struct OfflineParams {}

/// What is known of an agreement online.
#[derive(Params, Default, Clone, Debug)]
pub struct OnlineParams {
    /// Whether the customer's own app or page asks, so that address and browser need not be said.
    pub infer_from_client: Option<bool>,
    /// The customer's address in the network.
    pub ip_address: Option<Box<str>>,
    /// The customer's browser.
    pub user_agent: Option<Box<str>>,
}

/// Whether a customer agreed on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum AcceptanceType {
    /// Elsewhere.
    Offline,
    /// On a page.
    Online,
}

impl MandateDataParams {
    /// The agreement that is given.
    ///
    /// # Errors
    /// An agreement online without the customer's address and browser, unless they are to be seen from who asks.
    pub(crate) fn acceptance(&self, now_s: i64) -> Result<Acceptance, Stop> {
        let asked = self
            .customer_acceptance
            .as_ref()
            .expect("the form makes sure of required parameters");
        let accepted_at = asked.accepted_at.unwrap_or(now_s);
        if asked.kind != Some(AcceptanceType::Online) {
            return Ok(Acceptance::Offline { accepted_at });
        }
        let online = asked.online.clone().into_option().unwrap_or_default();
        for (given, name) in [(&online.ip_address, "ip_address"), (&online.user_agent, "user_agent")] {
            if given.is_none() && online.infer_from_client != Some(true) {
                let param = format!("mandate_data[customer_acceptance][online][{name}]");
                let message = format!("Missing required param: {param}.");
                return Err(Reject::invalid(Some(codes::PARAMETER_MISSING), message)
                    .with_param(param)
                    .into());
            }
        }
        Ok(Acceptance::Online {
            accepted_at,
            ip_address: online.ip_address,
            user_agent: online.user_agent,
        })
    }
}
