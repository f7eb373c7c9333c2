//! Strong authentication of a card's holder (3D Secure), for whatever asks a card: payments now, setups alike.
//!
//! The way: [`AuthenticationRule::ask`] says whether a card lets the request go on, refuses, or wants its holder to act,
//! unless the merchant's [`Claims`] answer that.
//! Then the intent is parked with an [`Action`], and shows it as its `next_action` ([`NextActionShown`]). The holder
//! follows the address to the test page ([`PAGE_PATH`] and an [`ActionToken`]), which commands
//! [`CompleteAction`](crate::Command::CompleteAction); the intent goes on with a [`ThreeDSecureResult`] or fails.

mod action;
mod claims;
mod imported;
mod result;
mod rule;
mod token;

pub use action::{Action, CompletedAction, NextActionShown, RedirectShown, UseSdkShown};
pub use claims::{Claims, ClaimsAsked, MitExemptionParams, StoredCredential};
pub use imported::{CommerceIndicator, ExemptionIndicator, ThreeDSecureVersion, TransactionStatus};
pub use imported::{ImportedAuthentication, ImportedAuthenticationParams};
pub use result::ThreeDSecureShown;
pub use rule::{Absence, AuthenticationAsk, AuthenticationNeed, AuthenticationRule, Lookup};
pub use rule::{ThreeDSecureRequest, ThreeDSecureResult};
pub use token::{ActionToken, PAGE_PATH};
