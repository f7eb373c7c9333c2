//! Paying by a debit of a bank account.

use super::PaymentIntent;
use super::confirm::Terms;
use crate::decision::{Case, Decision, Stop};
use crate::draft::Draft;
use crate::payments::payment_method::{PaymentMethod, PaymentMethodType};
use crate::reject::Reject;
use tollgate_resource::Names;

/// Tries to pay `intent` by a debit of the bank account of `method`.
pub(super) fn start(
    _: &Case<'_>,
    _: Draft,
    intent: PaymentIntent,
    method: PaymentMethod,
    _: &Terms<'_>,
) -> Result<Decision, Stop> {
    let message = PaymentMethodType::not_offered(method.instrument.kind().name());
    Err(Reject::invalid(None, message).with_payment_intent(intent.id).into())
}
