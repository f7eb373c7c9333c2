//! Cards that show what fraud checks do.

use super::super::CheckResult::{Fail, Pass, Unavailable};
use super::super::test_card::CardBrand::Visa;
use super::super::test_card::Funding::Credit;
use super::super::test_card::{CardRisk, TestCard};
use super::card;

/// Cards that look risky or whose details do not fit, numbers from 320.
pub(super) static WATCHED: [TestCard; 10] = [
    card(320, &["radarBlock"], "4100000000000019", Visa, Credit, "US").risky(CardRisk::Blocked),
    card(321, &["riskLevelHighest"], "4000000000004954", Visa, Credit, "US").risky(CardRisk::Highest),
    card(322, &["riskLevelElevated"], "4000000000009235", Visa, Credit, "US").risky(CardRisk::Elevated),
    card(323, &["cvcCheckFail"], "4000000000000101", Visa, Credit, "US").checked(Fail, Pass, Pass),
    card(324, &["avsZipFail"], "4000000000000036", Visa, Credit, "US").checked(Pass, Pass, Fail),
    card(325, &["avsLine1Fail"], "4000000000000028", Visa, Credit, "US").checked(Pass, Fail, Pass),
    card(326, &["avsFail"], "4000000000000010", Visa, Credit, "US").checked(Pass, Fail, Fail),
    card(327, &["avsUnchecked"], "4000000000000044", Visa, Credit, "US").checked(Pass, Unavailable, Unavailable),
    card(
        328,
        &["cvcCheckFailElevatedRisk"],
        "4000058400307872",
        Visa,
        Credit,
        "US",
    )
    .checked(Fail, Pass, Pass)
    .risky(CardRisk::Elevated),
    card(329, &["avsZipFailElevatedRisk"], "4000058400306072", Visa, Credit, "US")
        .checked(Pass, Pass, Fail)
        .risky(CardRisk::Elevated),
];
