//! Cards that are declined.

use super::super::decline::declines;
use super::super::test_card::CardBrand::Visa;
use super::super::test_card::Funding::{Credit, Debit};
use super::super::test_card::TestCard;
use super::card;

/// Cards that are declined, numbers from 200. The digits of 209 to 212 are not published: those are our own.
pub(super) static DECLINED: [TestCard; 13] = [
    card(
        200,
        &["visa_chargeDeclined", "chargeDeclined"],
        "4000000000000002",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::GENERIC),
    card(
        201,
        &[
            "visa_chargeDeclinedInsufficientFunds",
            "chargeDeclinedInsufficientFunds",
        ],
        "4000000000009995",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::INSUFFICIENT_FUNDS),
    card(
        202,
        &["visa_chargeDeclinedLostCard", "chargeDeclinedLostCard"],
        "4000000000009987",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::LOST_CARD),
    card(
        203,
        &["visa_chargeDeclinedStolenCard", "chargeDeclinedStolenCard"],
        "4000000000009979",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::STOLEN_CARD),
    card(
        204,
        &[
            "visa_chargeDeclinedVelocityLimitExceeded",
            "chargeDeclinedVelocityLimitExceeded",
        ],
        "4000000000006975",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::CARD_VELOCITY_EXCEEDED),
    card(
        205,
        &["chargeDeclinedExpiredCard", "visa_chargeDeclinedExpiredCard"],
        "4000000000000069",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::EXPIRED_CARD),
    card(
        206,
        &["chargeDeclinedIncorrectCvc", "visa_chargeDeclinedIncorrectCvc"],
        "4000000000000127",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::INCORRECT_CVC),
    card(
        207,
        &["chargeDeclinedProcessingError", "visa_chargeDeclinedProcessingError"],
        "4000000000000119",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::PROCESSING_ERROR),
    card(208, &["chargeCustomerFail"], "4000000000000341", Visa, Credit, "US")
        .declined(&declines::GENERIC)
        .attaches(),
    card(
        209,
        &["visa_chargeDeclinedFraudulent", "chargeDeclinedFraudulent"],
        "4242420001000017",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::FRAUDULENT),
    card(
        210,
        &["visa_chargeCustomerFailLostCard", "chargeCustomerFailLostCard"],
        "4242420001000025",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::LOST_CARD)
    .attaches(),
    card(
        211,
        &["visa_chargeCustomerFailStolenCard", "chargeCustomerFailStolenCard"],
        "4242420001000033",
        Visa,
        Credit,
        "US",
    )
    .declined(&declines::STOLEN_CARD)
    .attaches(),
    card(
        212,
        &["visa_debit_chargeDeclinedInsufficientFunds"],
        "4242420001000041",
        Visa,
        Debit,
        "US",
    )
    .declined(&declines::INSUFFICIENT_FUNDS),
];
