//! Cards whose holders must prove who they are.

use super::super::decline::declines;
use super::super::test_card::CardBrand::Visa;
use super::super::test_card::Funding::Credit;
use super::super::test_card::TestCard;
use super::card;
use crate::payments::authentication::{Absence, Lookup};

/// Cards with 3D Secure, numbers from 340. A declined one can be saved: its payments fail after the challenge.
pub(super) static AUTHENTICATED: [TestCard; 10] = [
    card(
        340,
        &["authenticationRequiredOnSetup"],
        "4000002500003155",
        Visa,
        Credit,
        "FR",
    )
    .authenticated(Lookup::Challenge, Absence::DeclinedUnlessPrepared),
    card(341, &["authenticationRequired"], "4000002760003184", Visa, Credit, "DE")
        .authenticated(Lookup::Challenge, Absence::Declined),
    card(
        342,
        &["authenticationRequiredSetupForOffSession"],
        "4000003800000446",
        Visa,
        Credit,
        "IT",
    )
    .authenticated(Lookup::Challenge, Absence::Welcome),
    card(
        343,
        &["authenticationRequiredChargeDeclinedInsufficientFunds"],
        "4000008260003178",
        Visa,
        Credit,
        "GB",
    )
    .authenticated(Lookup::Challenge, Absence::Welcome)
    .declined(&declines::INSUFFICIENT_FUNDS)
    .attaches(),
    card(344, &["threeDSecure2Required"], "4000000000003220", Visa, Credit, "IE")
        .authenticated(Lookup::Challenge, Absence::RefusedUnasked),
    card(345, &["threeDSecureRequired"], "4000000000003063", Visa, Credit, "US")
        .authenticated(Lookup::Challenge, Absence::RefusedUnasked),
    card(
        346,
        &["threeDSecureRequiredChargeDeclined"],
        "4000008400001629",
        Visa,
        Credit,
        "US",
    )
    .authenticated(Lookup::Challenge, Absence::RefusedUnasked)
    .declined(&declines::GENERIC)
    .attaches(),
    card(
        347,
        &["threeDSecureRequiredProcessingError"],
        "4000008400001280",
        Visa,
        Credit,
        "US",
    )
    .authenticated(Lookup::Error, Absence::RefusedUnasked),
    card(348, &["threeDSecureOptional"], "4000000000003055", Visa, Credit, "US")
        .authenticated_when_asked(Lookup::Challenge),
    card(
        349,
        &["threeDSecureOptionalProcessingError"],
        "4000000000003097",
        Visa,
        Credit,
        "US",
    )
    .authenticated_when_asked(Lookup::Error),
];
