//! What a property test may do next, and what becomes of what it sends.

use crate::network::Fate;
use proptest::prelude::*;
use tollgate_domain::Network;

/// What is paid with.
pub(super) const CARDS: [&str; 12] = [
    "visa",
    "mastercard",
    "visa_chargeDeclined",
    "tollgate_remote",
    "chargeDeclinedProcessingError",
    "authenticationRequired",
    "threeDSecureRequiredChargeDeclined",
    "createDispute",
    "createDisputeInquiry",
    "createMultipleDisputes",
    "pendingRefund",
    "refundFail",
];

/// What is said to disputes.
pub(super) const EVIDENCE: [&str; 4] = [
    "winning_evidence",
    "losing_evidence",
    "escalate_inquiry_evidence",
    "anything",
];

/// One thing that is done; objects are meant by their place among those of their kind.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Customer,
    Create {
        amount: i64,
        card: Option<usize>,
        confirm: bool,
        manual: bool,
        save: bool,
    },
    Confirm {
        intent: usize,
        card: Option<usize>,
    },
    ConfirmStored {
        intent: usize,
        method: usize,
    },
    Capture {
        intent: usize,
        amount: Option<i64>,
        last: bool,
    },
    Update {
        intent: usize,
        amount: i64,
    },
    Increment {
        intent: usize,
        amount: i64,
    },
    Act {
        intent: usize,
        authenticated: bool,
    },
    Cancel {
        intent: usize,
    },
    Refund {
        intent: usize,
        amount: Option<i64>,
    },
    Charge {
        amount: i64,
        card: usize,
        capture: bool,
    },
    CaptureCharge {
        charge: usize,
        amount: Option<i64>,
    },
    RefundCharge {
        charge: usize,
        amount: Option<i64>,
    },
    UpdateRefund {
        refund: usize,
        text: bool,
    },
    Evidence {
        dispute: usize,
        text: usize,
        submit: Option<bool>,
    },
    CloseDispute {
        dispute: usize,
    },
    Wait {
        ms: u64,
    },
    CatchUp,
    Network(Network),
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let amount = 50i64..3_000;
    let some = || proptest::option::of(0usize..CARDS.len());
    prop_oneof![
        1 => Just(Step::Customer),
        6 => (amount, some(), any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(amount, card, confirm, manual, save)| Step::Create { amount, card, confirm, manual, save }),
        4 => (0usize..6, some()).prop_map(|(intent, card)| Step::Confirm { intent, card }),
        2 => (0usize..6, 0usize..6).prop_map(|(intent, method)| Step::ConfirmStored { intent, method }),
        5 => (0usize..6, proptest::option::of(0i64..3_200), any::<bool>())
            .prop_map(|(intent, amount, last)| Step::Capture { intent, amount, last }),
        2 => (0usize..6, 50i64..3_000).prop_map(|(intent, amount)| Step::Update { intent, amount }),
        2 => (0usize..6, 50i64..4_000).prop_map(|(intent, amount)| Step::Increment { intent, amount }),
        3 => (0usize..6, any::<bool>()).prop_map(|(intent, authenticated)| Step::Act { intent, authenticated }),
        2 => (0usize..6).prop_map(|intent| Step::Cancel { intent }),
        6 => (0usize..6, proptest::option::of(1i64..2_000)).prop_map(|(intent, amount)| Step::Refund { intent, amount }),
        4 => (50i64..3_000, 0usize..CARDS.len(), any::<bool>())
            .prop_map(|(amount, card, capture)| Step::Charge { amount, card, capture }),
        3 => (0usize..8, proptest::option::of(1i64..3_200))
            .prop_map(|(charge, amount)| Step::CaptureCharge { charge, amount }),
        3 => (0usize..8, proptest::option::of(1i64..2_000))
            .prop_map(|(charge, amount)| Step::RefundCharge { charge, amount }),
        1 => (0usize..6, any::<bool>()).prop_map(|(refund, text)| Step::UpdateRefund { refund, text }),
        4 => (0usize..4, 0usize..EVIDENCE.len(), proptest::option::of(any::<bool>()))
            .prop_map(|(dispute, text, submit)| Step::Evidence { dispute, text, submit }),
        1 => (0usize..4).prop_map(|dispute| Step::CloseDispute { dispute }),
        4 => prop_oneof![0u64..5_000, 3_000u64..4_500, 60_000u64..700_000, 100_000_000u64..400_000_000].prop_map(|ms| Step::Wait { ms }),
        4 => Just(Step::CatchUp),
        1 => prop_oneof![Just(Network::Instant), Just(Network::Remote)].prop_map(Step::Network),
    ]
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        5 => Just(Fate::Answer),
        2 => Just(Fate::LoseAnswer),
        3 => Just(Fate::LoseCall),
        3 => Just(Fate::Delay),
        1 => Just(Fate::Refuse),
    ]
}
