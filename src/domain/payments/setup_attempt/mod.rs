//! One try of a setup intent: what was tried, and how it ended.

mod params;
mod shown;

pub use params::{ENDPOINTS, ListSetupAttempts};
pub use shown::SetupAttemptShown;

use crate::payments::authentication::{ImportedAuthentication, ThreeDSecureResult};
use crate::payments::payment_intent::FutureUsage;
use crate::payments::payment_method::PaymentMethod;
use crate::payments::setup_intent::{FlowDirection, SetupError};
use std::sync::Arc;
use tollgate_resource::{Id, Names, Record};

/// A try at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct SetupAttempt {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// The intent.
    #[record(2)]
    pub setup_intent: Id,
    /// What was tried, as it was then.
    #[record(3)]
    pub payment_method: Arc<PaymentMethod>,
    /// The intent's customer.
    #[record(4)]
    pub customer: Option<Id>,
    /// How the payment method was going to be used.
    #[record(5)]
    pub usage: FutureUsage,
    /// How it ended, or that it has not.
    #[record(6)]
    pub state: AttemptState,
    /// How 3D Secure ended, where it was tried.
    #[record(7)]
    pub three_d_secure: Option<ThreeDSecureResult>,
    /// Which ways money will move.
    #[record(8)]
    pub flow_directions: Vec<FlowDirection>,
    /// What was said about saving the payment method to the merchant's own account.
    #[record(9)]
    pub attach_to_self: Option<bool>,
    /// 3D Secure that another provider did.
    #[record(20)]
    pub imported: Option<Box<ImportedAuthentication>>,
}

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum AttemptState {
    /// The cardholder must prove who they are.
    #[record(1)]
    RequiresAction,
    /// The payment method is ready.
    #[record(2)]
    Succeeded,
    /// It is not.
    #[record(3)]
    Failed {
        /// Why.
        #[record(1)]
        error: Box<SetupError>,
    },
    /// The intent was given up, or another try was made, before the cardholder acted.
    #[record(4)]
    Abandoned,
    /// A remote network was asked about the card, and has not answered yet.
    #[record(5)]
    Processing,
}

/// The public names of the states. `requires_confirmation` belongs to types of payment method that are not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum AttemptStatus {
    /// [`AttemptState::Abandoned`].
    Abandoned,
    /// [`AttemptState::Failed`].
    Failed,
    /// [`AttemptState::Processing`].
    Processing,
    /// [`AttemptState::RequiresAction`].
    RequiresAction,
    /// [`AttemptState::Succeeded`].
    Succeeded,
}

impl AttemptState {
    /// The public name.
    pub fn name(&self) -> AttemptStatus {
        match self {
            AttemptState::RequiresAction => AttemptStatus::RequiresAction,
            AttemptState::Succeeded => AttemptStatus::Succeeded,
            AttemptState::Failed { .. } => AttemptStatus::Failed,
            AttemptState::Abandoned => AttemptStatus::Abandoned,
            AttemptState::Processing => AttemptStatus::Processing,
        }
    }
}

impl AttemptStatus {
    /// Whether a try may come to this state after `before`; `None` is before it exists.
    pub fn may_follow(self, before: Option<AttemptStatus>) -> bool {
        match before {
            None => self != AttemptStatus::Abandoned,
            Some(AttemptStatus::RequiresAction) => self != AttemptStatus::RequiresAction,
            Some(AttemptStatus::Processing) => matches!(self, AttemptStatus::Succeeded | AttemptStatus::Failed),
            Some(AttemptStatus::Succeeded | AttemptStatus::Failed | AttemptStatus::Abandoned) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AttemptStatus::{Abandoned, Failed, Processing, RequiresAction, Succeeded};
    use super::*;

    #[test]
    fn a_try_ends_once() {
        let next = |before| -> Vec<AttemptStatus> {
            AttemptStatus::ALL
                .iter()
                .copied()
                .filter(|next| next.may_follow(before))
                .collect()
        };
        assert_eq!(next(None), [Failed, Processing, RequiresAction, Succeeded]);
        assert_eq!(next(Some(RequiresAction)), [Abandoned, Failed, Processing, Succeeded]);
        assert_eq!(next(Some(Processing)), [Failed, Succeeded]);
        for end in [Abandoned, Failed, Succeeded] {
            assert_eq!(next(Some(end)), []);
        }
    }
}
