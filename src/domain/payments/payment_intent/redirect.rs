//! Paying by what the payer agrees to on a page of another company.

use super::PaymentIntent;
use super::action::park;
use super::confirm::{Terms, refuse};
use super::outcome::{self, DecidedBy};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::inputs::Network;
use crate::kinds;
use crate::payments::payment_method::{PaymentMethod, declines};
use crate::payments::payment_method_configuration::check_types;

/// Tries to pay `intent`: the payer is sent to the other page, unless they have agreed already.
pub(super) fn start(
    case: &Case<'_>,
    draft: Draft,
    intent: PaymentIntent,
    method: PaymentMethod,
    terms: &Terms<'_>,
) -> Result<Decision, Stop> {
    let kind = method.instrument.kind();
    check_types(
        &[kind],
        intent.money(),
        intent.holds(kind),
        intent.saves_for(kind).is_some(),
    )?;
    let agrees = !kind.rules().redirects || terms.proof.is_some() || terms.off_session && method.prepared;
    if agrees {
        return agreed(case, draft, intent, method);
    }
    if terms.error_on_requires_action || terms.off_session {
        let decline = &declines::AUTHENTICATION_NOT_HANDLED;
        return Ok(refuse(case, draft, intent, method, decline));
    }
    Ok(park(case, draft, intent, method, terms, None))
}

/// The payer has agreed: the other company pays.
pub(super) fn agreed(
    case: &Case<'_>,
    mut draft: Draft,
    intent: PaymentIntent,
    mut method: PaymentMethod,
) -> Result<Decision, Stop> {
    let id = intent.id;
    let by = DecidedBy {
        network: Network::Instant,
        attempt: None,
        three_d_secure: None,
        blocked: None,
    };
    // Whoever agreed to have it saved need not be sent there again.
    let saves = intent.saves_for(method.instrument.kind()).is_some();
    method.prepared |= intent.customer.is_some() && saves;
    outcome::approved(case, &mut draft, intent, method, by)?;
    Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id)))
}
