//! A way to pay that is made ready for payments to come: what is kept, and the states it moves through.
//!
//! Setting up moves no money. The card's issuer is asked whether the card is good, its holder may have to prove who they
//! are, and then the payment method is saved to the customer. Each try is a
//! [`SetupAttempt`](crate::payments::setup_attempt::SetupAttempt).

mod accepted;
mod checks;
mod debit;
mod decide;
mod options;
mod outcome;
mod params;
mod remote;
mod shown;

pub(crate) use debit::verify_microdeposits;
pub(crate) use decide::{cancel, complete, confirm, create, update};
pub use options::{
    AmountType, CardOptions, CardOptionsParams, MandateInterval, MandateOptions, MandateOptionsParams,
    PaymentMethodOptionsParams, SupportedType,
};
pub use params::{
    CancelSetupIntent, ConfirmSetupIntent, CreateSetupIntent, ENDPOINTS, ListSetupIntents, RetrieveSetupIntent,
    SetupReason, UpdateSetupIntent, VerifyMicrodeposits,
};
pub(crate) use remote::{resolve, timer_due};
pub use shown::{SetupErrorShown, SetupIntentShown};

use crate::money::Money;
use crate::payments::attempt::Attempt;
use crate::payments::authentication::Action;
use crate::payments::bank_account::VerificationMethod;
use crate::payments::mandate::Acceptance;
use crate::payments::payment_intent::{AllowRedirects, FutureUsage};
use crate::payments::payment_method::{PaymentMethod, PaymentMethodType};
use std::sync::Arc;
use tollgate_resource::{Id, Metadata, Names, Record};

/// A setup intent at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct SetupIntent {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// Where it stands.
    #[record(2)]
    pub status: Status,
    /// Whom the payment method is saved to.
    #[record(3)]
    pub customer: Option<Id>,
    /// What is set up. A failure takes it away.
    #[record(4)]
    pub payment_method: Option<Id>,
    /// The newest try.
    #[record(5)]
    pub latest_attempt: Option<Id>,
    /// How many tries there were.
    #[record(6)]
    pub attempts: u32,
    /// Why the last try failed, until one does not.
    #[record(7)]
    pub last_error: Option<Box<SetupError>>,
    /// The permission for many payments that it led to.
    #[record(8)]
    pub mandate: Option<Id>,
    /// The permission for one payment that it led to.
    #[record(9)]
    pub single_use_mandate: Option<Id>,
    /// How the payment method will be used.
    #[record(10)]
    pub usage: FutureUsage,
    /// Whether the account's configuration says what can be set up, and whether that may lead to other pages; `None` when
    /// the request listed the types itself.
    #[record(11)]
    pub automatic_payment_methods: Option<AllowRedirects>,
    /// Free text for the merchant.
    #[record(12)]
    pub description: Option<Box<str>>,
    /// The merchant's pairs.
    #[record(13)]
    pub metadata: Metadata,
    /// How a card is set up, where that was said.
    #[record(14)]
    pub card_options: Option<Box<CardOptions>>,
    /// What few integrations say.
    #[record(15)]
    pub extras: Option<Box<Extras>>,
    /// Whether this version has another customer than the one before, whose list it joins.
    #[record(16)]
    pub joined: bool,
}

/// What few integrations say about a setup intent.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct Extras {
    /// Which ways money will move.
    #[record(1)]
    pub flow_directions: Vec<FlowDirection>,
    /// The one payment it is for, if it is for one only.
    #[record(2)]
    pub single_use: Option<Money>,
    /// Types of payment method that may not be used.
    #[record(3)]
    pub excluded_types: Vec<String>,
    /// What was said about saving the payment method to the merchant's own account.
    #[record(4)]
    pub attach_to_self: Option<bool>,
    /// The types of payment methods that can be set up; none where it is cards alone.
    #[record(5)]
    pub types: Vec<PaymentMethodType>,
    /// The configuration of payment methods that was named.
    #[record(6)]
    pub configuration: Option<Id>,
    /// How the ownership of a bank account is shown, where that was said.
    #[record(7)]
    pub verification: Option<VerificationMethod>,
    /// Types of payment methods that may be used, as they were listed.
    #[record(8)]
    pub allowed_types: Vec<Box<str>>,
}

/// The states, each with what only it knows.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum Status {
    /// Nothing to set up yet, or not any more after a failure.
    #[record(1)]
    RequiresPaymentMethod,
    /// Waits to be confirmed.
    #[record(2)]
    RequiresConfirmation,
    /// The cardholder must prove who they are.
    #[record(3)]
    RequiresAction {
        /// What they must do.
        #[record(1)]
        action: Box<Action>,
        /// The customer's agreement that came with the confirmation.
        #[record(2)]
        acceptance: Option<Box<Acceptance>>,
    },
    /// The payment method is ready.
    #[record(4)]
    Succeeded,
    /// Given up.
    #[record(5)]
    Canceled {
        /// Why, if that was said.
        #[record(1)]
        reason: Option<SetupCancellationReason>,
    },
    /// A remote network was asked about the card, and has not answered yet.
    #[record(6)]
    Processing {
        /// The attempt that asks.
        #[record(1)]
        attempt: Box<Attempt>,
        /// The customer's agreement that came with the confirmation.
        #[record(2)]
        acceptance: Option<Box<Acceptance>>,
    },
}

/// The public names of the states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum StatusName {
    /// [`Status::Canceled`].
    Canceled,
    /// [`Status::Processing`].
    Processing,
    /// [`Status::RequiresAction`].
    RequiresAction,
    /// [`Status::RequiresConfirmation`].
    RequiresConfirmation,
    /// [`Status::RequiresPaymentMethod`].
    RequiresPaymentMethod,
    /// [`Status::Succeeded`].
    Succeeded,
}

/// Which state may follow which. `None` is the state before the intent exists.
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
                Succeeded,
                Canceled,
            ],
        ),
        (
            Some(RequiresAction),
            &[
                RequiresAction,
                RequiresPaymentMethod,
                RequiresConfirmation,
                Processing,
                Succeeded,
                Canceled,
            ],
        ),
        (Some(Processing), &[Processing, RequiresPaymentMethod, Succeeded]),
        (Some(Succeeded), &[Succeeded]),
        (Some(Canceled), &[Canceled]),
    ]
};

/// Why a try failed, with what the error says of it.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct SetupError {
    /// What went wrong.
    #[record(1)]
    pub failure: SetupFailure,
    /// The payment method, as it was then.
    #[record(2)]
    pub payment_method: Arc<PaymentMethod>,
}

/// What went wrong in a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum SetupFailure {
    /// The issuer refused the card.
    #[record(1)]
    Declined {
        /// Number of the decline in the table of test cards.
        #[record(1)]
        decline: u16,
    },
    /// The cardholder did not prove who they are.
    #[record(2)]
    Unauthenticated,
}

/// Why a setup intent was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum SetupCancellationReason {
    /// The customer went away.
    #[record(1)]
    Abandoned,
    /// It was made twice.
    #[record(2)]
    Duplicate,
    /// The customer asked.
    #[record(3)]
    RequestedByCustomer,
}

/// Which way money will move between the merchant and what is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum FlowDirection {
    /// To the merchant.
    #[record(1)]
    Inbound,
    /// From the merchant.
    #[record(2)]
    Outbound,
}

impl Status {
    /// The public name.
    pub fn name(&self) -> StatusName {
        match self {
            Status::RequiresPaymentMethod => StatusName::RequiresPaymentMethod,
            Status::RequiresConfirmation => StatusName::RequiresConfirmation,
            Status::RequiresAction { .. } => StatusName::RequiresAction,
            Status::Processing { .. } => StatusName::Processing,
            Status::Succeeded => StatusName::Succeeded,
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

impl SetupIntent {
    /// The open action of the cardholder.
    pub fn open_action(&self) -> Option<&Action> {
        match &self.status {
            Status::RequiresAction { action, .. } => Some(action),
            _ => None,
        }
    }

    /// The attempt at a remote network whose outcome is not known yet.
    pub fn open_attempt(&self) -> Option<&Attempt> {
        match &self.status {
            Status::Processing { attempt, .. } => Some(attempt),
            _ => None,
        }
    }

    /// The intent as it was when it was made, if it was confirmed in the same command: nothing tried yet. One that was not
    /// confirmed then is as it was made.
    pub fn as_created(&self) -> SetupIntent {
        if self.attempts == 0 {
            return self.clone();
        }
        SetupIntent {
            status: Status::RequiresPaymentMethod,
            payment_method: None,
            latest_attempt: None,
            attempts: 0,
            last_error: None,
            mandate: None,
            single_use_mandate: None,
            ..self.clone()
        }
    }

    /// What few integrations say, to be changed.
    pub(crate) fn extras_mut(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_between_states_is_legal_or_not() {
        use StatusName::*;
        let legal = |before: Option<StatusName>| -> Vec<StatusName> {
            StatusName::ALL
                .iter()
                .copied()
                .filter(|next| next.may_follow(before))
                .collect()
        };
        let open = [
            Canceled,
            Processing,
            RequiresAction,
            RequiresConfirmation,
            RequiresPaymentMethod,
            Succeeded,
        ];
        assert_eq!(legal(None), open[1..], "nothing is born canceled");
        for state in [RequiresAction, RequiresConfirmation, RequiresPaymentMethod] {
            assert_eq!(legal(Some(state)), open, "{}", state.name());
        }
        assert_eq!(legal(Some(Processing)), [Processing, RequiresPaymentMethod, Succeeded]);
        assert_eq!(legal(Some(Succeeded)), [Succeeded]);
        assert_eq!(legal(Some(Canceled)), [Canceled]);
    }
}
