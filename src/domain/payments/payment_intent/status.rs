//! The states of a payment intent, and which may follow which.

use super::CancellationReason;
use crate::payments::attempt::Attempt;
use crate::payments::authentication::{Action, ThreeDSecureResult};
use tollgate_resource::{Names, Record};

/// The states, each with what only it knows.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum Status {
    /// Nothing to pay with yet, or not any more after a decline.
    #[record(1)]
    RequiresPaymentMethod,
    /// Waits to be confirmed.
    #[record(2)]
    RequiresConfirmation {
        /// What the payer has proved already, where the merchant's server goes on by confirming again.
        #[record(1)]
        proof: Option<ThreeDSecureResult>,
    },
    /// A remote network was asked and its word is not known yet.
    #[record(3)]
    Processing {
        /// What was asked.
        #[record(1)]
        attempt: Box<Attempt>,
    },
    /// The amount is held on the card.
    #[record(4)]
    RequiresCapture {
        /// When the hold ends, milliseconds since the Unix epoch.
        #[record(1)]
        capture_before_ms: u64,
        /// A capture whose outcome at a remote network is not known yet.
        #[record(2)]
        capture: Option<Box<Attempt>>,
        /// What was captured of it so far, in minor units.
        #[record(3)]
        received: i64,
    },
    /// The money was captured.
    #[record(5)]
    Succeeded {
        /// How much, in minor units.
        #[record(1)]
        received: i64,
    },
    /// Given up.
    #[record(6)]
    Canceled {
        /// When, milliseconds since the Unix epoch.
        #[record(1)]
        at_ms: u64,
        /// Why, if that was said.
        #[record(2)]
        reason: Option<CancellationReason>,
        /// The reversal of a remote hold, until the network has acknowledged it.
        #[record(3)]
        release: Option<Box<Attempt>>,
    },
    /// A bank was asked for the money and has not answered.
    #[record(8)]
    Debiting {
        /// When it answers, milliseconds since the Unix epoch; `None` where it never does.
        #[record(1)]
        ends_ms: Option<u64>,
    },
    /// The payer must do something first.
    #[record(7)]
    RequiresAction {
        /// What.
        #[record(1)]
        action: Box<Action>,
    },
}

/// The public names of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum StatusName {
    /// [`Status::Canceled`].
    Canceled,
    /// [`Status::Processing`] and [`Status::Debiting`].
    Processing,
    /// [`Status::RequiresAction`].
    RequiresAction,
    /// [`Status::RequiresCapture`].
    RequiresCapture,
    /// [`Status::RequiresConfirmation`].
    RequiresConfirmation,
    /// [`Status::RequiresPaymentMethod`].
    RequiresPaymentMethod,
    /// [`Status::Succeeded`].
    Succeeded,
}

/// Which state may follow which; a state may also stay as it is. `None` is the state before the intent exists.
pub const STATE_TABLE: &[(Option<StatusName>, &[StatusName])] = {
    use StatusName::*;
    &[
        (
            None,
            &[
                RequiresPaymentMethod,
                RequiresConfirmation,
                RequiresAction,
                Processing,
                RequiresCapture,
                Succeeded,
            ],
        ),
        (
            Some(RequiresPaymentMethod),
            &[
                RequiresPaymentMethod,
                RequiresConfirmation,
                RequiresAction,
                Processing,
                RequiresCapture,
                Succeeded,
                Canceled,
            ],
        ),
        (
            Some(RequiresConfirmation),
            &[
                RequiresConfirmation,
                RequiresPaymentMethod,
                RequiresAction,
                Processing,
                RequiresCapture,
                Succeeded,
                Canceled,
            ],
        ),
        (
            Some(RequiresAction),
            &[
                RequiresAction,
                RequiresConfirmation,
                RequiresPaymentMethod,
                Processing,
                RequiresCapture,
                Succeeded,
                Canceled,
            ],
        ),
        (
            Some(Processing),
            &[Processing, RequiresPaymentMethod, RequiresCapture, Succeeded, Canceled],
        ),
        (Some(RequiresCapture), &[RequiresCapture, Succeeded, Canceled]),
        (Some(Succeeded), &[Succeeded]),
        (Some(Canceled), &[Canceled]),
    ]
};

impl Status {
    /// The public name.
    pub fn name(&self) -> StatusName {
        match self {
            Status::RequiresPaymentMethod => StatusName::RequiresPaymentMethod,
            Status::RequiresConfirmation { .. } => StatusName::RequiresConfirmation,
            Status::RequiresAction { .. } => StatusName::RequiresAction,
            Status::Processing { .. } | Status::Debiting { .. } => StatusName::Processing,
            Status::RequiresCapture { .. } => StatusName::RequiresCapture,
            Status::Succeeded { .. } => StatusName::Succeeded,
            Status::Canceled { .. } => StatusName::Canceled,
        }
    }
}

impl StatusName {
    /// Whether the table allows this state after `before`.
    pub fn may_follow(self, before: Option<StatusName>) -> bool {
        STATE_TABLE
            .iter()
            .any(|(from, to)| *from == before && to.contains(&self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_states_lead_nowhere() {
        for end in [StatusName::Succeeded, StatusName::Canceled] {
            for next in StatusName::ALL {
                assert_eq!(
                    next.may_follow(Some(end)),
                    *next == end,
                    "{} after {}",
                    next.name(),
                    end.name()
                );
            }
        }
    }
}
