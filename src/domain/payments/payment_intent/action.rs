//! What the payer must do before a payment goes on: parked until they did, or failed to.

use super::checks;
use super::confirm::{Terms, attempt};
use super::deposits;
use super::outcome::{put_intent, refused_unasked};
use super::{ConfirmationMethod, PaymentIntent, Status};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::events::EventType;
use crate::kinds;
use crate::object::Object;
use crate::payments::authentication::{Action, CompletedAction, ThreeDSecureResult};
use crate::payments::bank_account::Deposits;
use crate::payments::payment_method::{PaymentMethod, Purpose};
use crate::reject::Reject;

/// Parks `intent` until the payer has proved who they are, or has told deposits.
pub(super) fn park(
    case: &Case<'_>,
    mut draft: Draft,
    mut intent: PaymentIntent,
    method: PaymentMethod,
    terms: &Terms<'_>,
    deposits: Option<Deposits>,
) -> Decision {
    let id = intent.id;
    intent.status = Status::RequiresAction {
        action: Box::new(Action {
            nonce: case.inputs.entropy[0],
            account: case.world.account.profile.id,
            return_url: terms.return_url.map(Into::into),
            use_stripe_sdk: terms.use_stripe_sdk,
            deposits,
            redirects: method.instrument.redirect().map(|method| method.kind),
        }),
    };
    intent.last_error = None;
    draft.event(EventType::PaymentIntentRequiresAction, id);
    if method.id.seq() > case.world.account.seq {
        draft.put(Object::of_method(method));
    }
    put_intent(case, &mut draft, intent);
    draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, id))
}

/// The payer has acted: the payment goes on, or wants another payment method.
pub(crate) fn complete_action(case: &Case<'_>, done: CompletedAction) -> Result<Decision, Stop> {
    let before = checks::intent_of_path(case, done.object)?;
    checks::not_while_calling(before)?;
    let open = before.action().is_some_and(|action| action.nonce == done.nonce);
    if !open {
        let message = "This authentication is over: it was completed before, or the payment went on without it.";
        return Err(Reject::payment_intent_state(done.object, message).into());
    }
    if before.action().is_some_and(|action| action.deposits.is_some()) {
        return deposits::acted(case, before, done.authenticated);
    }
    let method = before
        .payment_method
        .expect("what is being paid with stays while the payer acts");
    let kept = case.method_in_use(method)?.expect("what is in use was stored");
    // Meanwhile it may have been used up by another payment, or given to another customer.
    let usable = match Purpose::Payment.stored_method(case, method, before.customer) {
        Ok(_) => true,
        Err(Stop::Reject(_)) => false,
        Err(stop) => return Err(stop),
    };
    let mut intent = before.clone();
    let mut draft = case.draft();
    if !done.authenticated || !usable {
        refused_unasked(case, &mut draft, intent, kept.clone(), None);
        return Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, done.object)));
    }
    if intent.confirmation_method == ConfirmationMethod::Manual {
        intent.status = Status::RequiresConfirmation {
            proof: Some(ThreeDSecureResult::Authenticated),
        };
        put_intent(case, &mut draft, intent);
        return Ok(draft.decide(Reply::Object(&kinds::PAYMENT_INTENT, done.object)));
    }
    attempt(
        case,
        draft,
        intent,
        kept.clone(),
        Some(ThreeDSecureResult::Authenticated),
    )
}
