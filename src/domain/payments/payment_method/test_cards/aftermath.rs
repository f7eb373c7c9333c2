//! Cards whose payments have an aftermath.

use super::super::test_card::CardBrand::Visa;
use super::super::test_card::Funding::Credit;
use super::super::test_card::{DisputedAs, RefundBehaviour, TestCard};
use super::card;

/// Cards whose payments are disputed or reported, numbers from 300.
pub(super) static AFTERMATH: [TestCard; 7] = [
    card(
        300,
        &["createDispute", "visa_createDispute"],
        "4000000000000259",
        Visa,
        Credit,
        "US",
    )
    .disputed(DisputedAs::Fraud),
    card(
        301,
        &[
            "createDisputeProductNotReceived",
            "visa_createDisputeProductNotReceived",
        ],
        "4000000000002685",
        Visa,
        Credit,
        "US",
    )
    .disputed(DisputedAs::ProductNotReceived),
    card(
        302,
        &["createDisputeInquiry", "visa_createDisputeInquiry"],
        "4000000000001976",
        Visa,
        Credit,
        "US",
    )
    .disputed(DisputedAs::Inquiry),
    card(
        303,
        &["createIssuerFraudRecord"],
        "4000000000005423",
        Visa,
        Credit,
        "US",
    )
    .reported(),
    card(304, &["createMultipleDisputes"], "4000000404000079", Visa, Credit, "US").disputed(DisputedAs::FraudTwice),
    card(
        305,
        &["createCe3EligibleDispute"],
        "4000000404000038",
        Visa,
        Credit,
        "US",
    )
    .disputed(DisputedAs::FraudWithHistory),
    card(
        306,
        &["createComplianceDispute"],
        "4000008400000779",
        Visa,
        Credit,
        "US",
    )
    .disputed(DisputedAs::Compliance),
];

/// Cards whose refunds take their time, numbers from 350.
pub(super) static REFUNDED: [TestCard; 2] = [
    card(
        350,
        &["pendingRefund", "visa_pendingRefund"],
        "4000000000007726",
        Visa,
        Credit,
        "US",
    )
    .refunded(RefundBehaviour::PendingFirst),
    card(
        351,
        &["refundFail", "visa_refundFail"],
        "4000000000005126",
        Visa,
        Credit,
        "US",
    )
    .refunded(RefundBehaviour::FailLater),
];
