//! When the holder of a test card must prove who they are, and what follows where that cannot be.

use crate::payments::payment_method::{Decline, declines};
use tollgate_resource::{Names, Record};

/// What a test card wants of its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationRule {
    /// The card knows no 3D Secure: nothing is ever asked.
    Unsupported,
    /// The holder is never asked; a bank that is asked to, acknowledges the attempt.
    Attempted,
    /// The holder is asked only when the request wants that.
    Optional(Lookup),
    /// The holder is asked whenever they are there.
    Required(Lookup, Absence),
}

/// What the directory says where 3D Secure is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The holder is to be asked.
    Challenge,
    /// Nothing of use.
    Error,
}

/// What a card that requires authentication says to a request while its holder is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Nothing against it; the bank decides as it does otherwise.
    Welcome,
    /// The bank refuses, unless the holder proved themselves before, when the card was saved.
    DeclinedUnlessPrepared,
    /// The bank refuses, whatever went before.
    Declined,
    /// Refused without asking the bank, so that there is no charge.
    RefusedUnasked,
}

/// When a request wants 3D Secure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names, Record)]
pub enum ThreeDSecureRequest {
    /// Whenever it can be had.
    #[record(2)]
    Any,
    /// When the card or the rules of the account want it.
    #[default]
    #[record(1)]
    Automatic,
    /// Always with a question to the holder.
    #[record(3)]
    Challenge,
}

/// How trying 3D Secure ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum ThreeDSecureResult {
    /// The bank took part without asking the holder.
    #[record(2)]
    AttemptAcknowledged,
    /// The holder proved who they are.
    #[record(1)]
    Authenticated,
    /// The card does not know it.
    #[record(3)]
    NotSupported,
    /// The directory gave nothing of use.
    #[record(4)]
    ProcessingError,
}

/// What a request says that bears on authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticationAsk {
    /// Whether the holder is away.
    pub off_session: bool,
    /// When 3D Secure is wanted.
    pub request: ThreeDSecureRequest,
    /// Whether the holder proved themselves when this card was saved.
    pub prepared: bool,
}

/// What becomes of a request before the bank decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationNeed {
    /// It goes on; with how 3D Secure ended, where it was tried.
    Nothing(Option<ThreeDSecureResult>),
    /// The holder must act first.
    Challenge,
    /// The bank refuses. A payment leaves a failed charge.
    Declined(&'static Decline),
    /// Refused without asking the bank: there is no charge.
    Refused(&'static Decline),
}

impl AuthenticationRule {
    /// What the card wants for a request.
    pub fn ask(self, asked: AuthenticationAsk) -> AuthenticationNeed {
        use AuthenticationNeed::{Challenge, Declined, Nothing, Refused};
        let wanted = asked.request != ThreeDSecureRequest::Automatic;
        match self {
            AuthenticationRule::Required(_, absence) if asked.off_session => match absence {
                Absence::Welcome => Nothing(None),
                Absence::DeclinedUnlessPrepared if asked.prepared => Nothing(None),
                Absence::DeclinedUnlessPrepared | Absence::Declined => Declined(&declines::AUTHENTICATION_REQUIRED),
                Absence::RefusedUnasked => Refused(&declines::AUTHENTICATION_REQUIRED),
            },
            // Nobody is there to be asked.
            _ if asked.off_session => Nothing(None),
            AuthenticationRule::Required(Lookup::Challenge, _) => Challenge,
            AuthenticationRule::Required(Lookup::Error, _) => Declined(&declines::GENERIC),
            AuthenticationRule::Optional(Lookup::Challenge) if wanted => Challenge,
            AuthenticationRule::Optional(Lookup::Error) if wanted => Nothing(Some(ThreeDSecureResult::ProcessingError)),
            AuthenticationRule::Attempted if wanted => Nothing(Some(ThreeDSecureResult::AttemptAcknowledged)),
            AuthenticationRule::Unsupported if wanted => Nothing(Some(ThreeDSecureResult::NotSupported)),
            AuthenticationRule::Optional(_) | AuthenticationRule::Attempted | AuthenticationRule::Unsupported => {
                Nothing(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::payment_method::TestCard;

    /// What each card of the table says: holder there, the same with 3D Secure wanted, away, away after a setup.
    const CARDS: &str = "
        visa                                                   pays       acknowledged pays     pays
        amex_threeDSecureNotSupported                          pays       unsupported  pays     pays
        authenticationRequiredOnSetup                          challenge  challenge    declined pays
        authenticationRequired                                 challenge  challenge    declined declined
        authenticationRequiredSetupForOffSession               challenge  challenge    pays     pays
        authenticationRequiredChargeDeclinedInsufficientFunds  challenge  challenge    pays     pays
        threeDSecure2Required                                  challenge  challenge    refused  refused
        threeDSecureRequired                                   challenge  challenge    refused  refused
        threeDSecureRequiredChargeDeclined                     challenge  challenge    refused  refused
        threeDSecureRequiredProcessingError                    declined   declined     refused  refused
        threeDSecureOptional                                   pays       challenge    pays     pays
        threeDSecureOptionalProcessingError                    pays       error        pays     pays
    ";

    #[test]
    fn every_card_says_what_it_wants() {
        for row in CARDS.trim().lines() {
            let columns: Vec<&str> = row.split_whitespace().collect();
            let card = TestCard::by_name(columns[0]).expect("a name of the table");
            let ask = |off_session, request, prepared| {
                let need = card.authentication.ask(AuthenticationAsk {
                    off_session,
                    request,
                    prepared,
                });
                match need {
                    AuthenticationNeed::Nothing(None) => "pays",
                    AuthenticationNeed::Nothing(Some(ThreeDSecureResult::AttemptAcknowledged)) => "acknowledged",
                    AuthenticationNeed::Nothing(Some(ThreeDSecureResult::NotSupported)) => "unsupported",
                    AuthenticationNeed::Nothing(Some(_)) => "error",
                    AuthenticationNeed::Challenge => "challenge",
                    AuthenticationNeed::Declined(_) => "declined",
                    AuthenticationNeed::Refused(_) => "refused",
                }
            };
            let told = [
                ask(false, ThreeDSecureRequest::Automatic, false),
                ask(false, ThreeDSecureRequest::Any, false),
                ask(true, ThreeDSecureRequest::Automatic, false),
                ask(true, ThreeDSecureRequest::Automatic, true),
            ];
            assert_eq!(told, columns[1..], "{}", columns[0]);
        }
    }
}
