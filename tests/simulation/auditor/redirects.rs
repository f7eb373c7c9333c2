//! Records of payments that their payers agree to on a page of another company.

use super::records::{Case, Expected, Wrong, wrong};
use tollgate_domain::payments::payment_intent::{PaymentIntent, Status};
use tollgate_domain::payments::payment_method::PaymentMethodType;

impl Case<'_> {
    /// A confirmation by such a way to pay: its payer is sent away, except where there is no page.
    pub(super) fn sent_away(
        &self,
        expected: &mut Expected,
        after: &PaymentIntent,
        kind: PaymentMethodType,
    ) -> Result<(), Wrong> {
        if kind == PaymentMethodType::Link {
            return self.approved(expected, after);
        }
        let untried = after.charge_count == self.charges_before(after) && after.payment_method.is_some();
        let waits = match &after.status {
            Status::RequiresAction { action } => {
                action.redirects == Some(kind) && action.return_url.is_some() && action.deposits.is_none()
            }
            _ => false,
        };
        if !untried || !waits {
            return wrong("redirects", format!("{kind:?} led to {after:?}"));
        }
        expected.events.push("payment_intent.requires_action");
        Ok(())
    }
}
