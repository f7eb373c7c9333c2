//! What is kept of an object between its versions: as little as the next version must agree with.

use tollgate_domain::Network;
use tollgate_domain::customers::tax_id::Verification;
use tollgate_domain::money::Currency;
use tollgate_domain::payments::attempt::{Attempt, Phase};
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::dispute::DisputeStatus;
use tollgate_domain::payments::payment_intent::StatusName;
use tollgate_domain::payments::refund::RefundStage;
use tollgate_resource::Id;

/// What is kept of a payment intent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeptIntent {
    pub(crate) id: Id,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    pub(crate) status: StatusName,
    /// Number of the newest attempt at a remote network.
    pub(crate) attempts: u32,
    /// Sequence of the charge that holds or has moved money; 0 for none. There is never a second one.
    pub(super) standing: u64,
}

/// An attempt that is not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenAttempt {
    pub(crate) number: u32,
    pub(crate) amount: i64,
    pub(crate) currency: Currency,
    /// When it was opened, milliseconds.
    pub(crate) since_ms: u64,
    /// How far finding out has come: called (a request may still wait), inquired about, reversed.
    pub(crate) stage: Stage,
    /// Inquiries or reversals sent so far.
    pub(crate) tries: u32,
}

/// How far finding out what became of an attempt has come; it never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Calling,
    Inquiring,
    Reversing,
}

impl OpenAttempt {
    pub(super) fn of(open: &Attempt, currency: Currency, since_ms: u64) -> OpenAttempt {
        let (stage, tries) = match open.phase {
            Phase::Calling { .. } => (Stage::Calling, 0),
            Phase::Inquiring { tries, .. } => (Stage::Inquiring, tries),
            Phase::Reversing { tries, .. } => (Stage::Reversing, tries),
        };
        OpenAttempt {
            number: open.number,
            amount: open.amount,
            currency,
            since_ms,
            stage,
            tries,
        }
    }

    /// Whether `self` may be the next version of `before`: unchanged, one more try, or the first of a later stage.
    pub(super) fn may_follow(&self, before: &OpenAttempt) -> bool {
        let unchanged = (self.stage, self.tries) == (before.stage, before.tries);
        let again = self.stage == before.stage && Some(self.tries) == before.tries.checked_add(1);
        let further = self.stage > before.stage && self.tries == 1;
        self.amount == before.amount && (unchanged || again || further)
    }
}

/// What is kept of a charge.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptCharge {
    pub(super) id: Id,
    /// Sequence of its intent; its own without one.
    pub(super) payment: u64,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) network: Network,
    pub(super) state: ChargeState,
    pub(super) refunded: i64,
    pub(super) refund_count: u32,
}

/// What is kept of a customer.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptCustomer {
    pub(super) id: Id,
    /// The sum of its balance transactions so far, minor units.
    pub(super) moved: i64,
    pub(super) deleted: bool,
}

/// What is kept of a tax id.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptTaxId {
    pub(super) id: Id,
    /// Sequence of the customer, or its own if it is the account's.
    pub(super) owner: u64,
    pub(super) verification: Verification,
    pub(super) deleted: bool,
}

/// What is kept of a refund.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptRefund {
    pub(super) id: Id,
    pub(super) charge: u64,
    /// Sequence of its charge's intent; the charge's own without one.
    pub(super) payment: u64,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    /// Sequence of its balance transaction; 0 for none.
    pub(super) balance_transaction: u64,
    pub(super) stage: RefundStage,
}

/// What is kept of a dispute.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeptDispute {
    pub(super) id: Id,
    pub(super) charge: u64,
    /// Sequence of the intent, or of the charge where there is none.
    pub(super) payment: u64,
    pub(super) amount: i64,
    pub(super) currency: Currency,
    pub(super) network: Network,
    pub(super) status: DisputeStatus,
    /// Movements of money so far.
    pub(super) moved: u8,
}

impl KeptCharge {
    /// What was captured, in minor units.
    pub(super) fn captured(&self) -> i64 {
        match self.state {
            ChargeState::Captured { amount, .. } | ChargeState::PartlyCaptured { amount, .. } => amount,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_takes_what_the_head_of_the_crate_says() {
        let sizes = [
            size_of::<KeptIntent>(),
            size_of::<KeptCharge>(),
            size_of::<KeptRefund>(),
        ];
        assert_eq!(sizes, [48, 80, 64]);
    }
}
