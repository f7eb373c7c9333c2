//! The table of test cards. Published numbers and names; the last rows are of our own.
//!
//! Rows are sorted by number. A number stands in records: rows are added, never changed to another card or removed.

use super::CheckResult::{self, Fail, Pass, Unavailable};
use super::decline::{Decline, declines};
use super::test_card::CardBrand::{Amex, CartesBancaires, Diners, Discover, EftposAu, Jcb, Mastercard, Unionpay, Visa};
use super::test_card::Funding::{Credit, Debit, Prepaid};
use super::test_card::{
    Aftermath, Behaviour, CardBrand, CardRisk, DisputedAs, Funding, IssuerChecks, RemoteBehaviour, TestCard,
};
use crate::country::Country;
use crate::payments::authentication::{Absence, AuthenticationRule, Lookup};

/// Numbers: from 1 cards that pay; from 100 cards by country; from 200 cards that are declined; from 300 cards whose
/// payments are disputed or reported; from 320 cards that look risky or fail checks; from 340 cards whose holder must
/// prove who they are; from 900 cards of our own, which the simulated remote network takes.
pub(super) static TEST_CARDS: [TestCard; 113] = [
    card(1, &["visa", "us"], "4242424242424242", Visa, Credit, "US"),
    card(2, &["visa_debit"], "4000056655665556", Visa, Debit, "US"),
    card(3, &["mastercard"], "5555555555554444", Mastercard, Credit, "US"),
    card(4, &["mastercard_debit"], "5200828282828210", Mastercard, Debit, "US"),
    card(
        5,
        &["mastercard_prepaid"],
        "5105105105105100",
        Mastercard,
        Prepaid,
        "US",
    ),
    card(6, &["amex"], "371449635398431", Amex, Credit, "US"),
    card(
        7,
        &["amex_threeDSecureNotSupported"],
        "378282246310005",
        Amex,
        Credit,
        "US",
    )
    .without_three_d_secure(),
    card(8, &["discover"], "6011000990139424", Discover, Credit, "US"),
    card(9, &["diners"], "3056930009020004", Diners, Credit, "US"),
    card(10, &["jcb"], "3566002020360505", Jcb, Credit, "JP"),
    card(11, &["unionpay"], "6200000000000005", Unionpay, Credit, "CN"),
    card(12, &["bypassPending"], "4000000000000077", Visa, Credit, "US").available_at_once(),
    card(
        13,
        &["bypassPendingInternational"],
        "4000003720000278",
        Visa,
        Credit,
        "IE",
    )
    .available_at_once(),
    card(14, &["visa_cartesBancaires"], "4000002500001001", Visa, Credit, "FR").co_branded(CartesBancaires),
    card(
        15,
        &["mastercard_cartesBancaires"],
        "5555552500001001",
        Mastercard,
        Credit,
        "FR",
    )
    .co_branded(CartesBancaires),
    card(
        16,
        &["visa_debit_eftposAuCoBranded"],
        "4000050360000001",
        Visa,
        Debit,
        "AU",
    )
    .co_branded(EftposAu),
    card(
        17,
        &["mastercard_debit_eftposAuCoBranded"],
        "5555050360000080",
        Mastercard,
        Debit,
        "AU",
    )
    .co_branded(EftposAu),
    card(18, &["gb_debit"], "4000058260000005", Visa, Debit, "GB"),
    card(19, &["gb_mastercard"], "5555558265554449", Mastercard, Credit, "GB"),
    card(20, &["th_credit"], "4000007640000003", Visa, Credit, "TH"),
    card(21, &["th_debit"], "4000057640000008", Visa, Debit, "TH"),
    card(100, &["ar"], "4000000320000021", Visa, Credit, "AR"),
    card(101, &["at"], "4000000400000008", Visa, Credit, "AT"),
    card(102, &["au"], "4000000360000006", Visa, Credit, "AU"),
    card(103, &["be"], "4000000560000004", Visa, Credit, "BE"),
    card(104, &["bg"], "4000001000000000", Visa, Credit, "BG"),
    card(105, &["br"], "4000000760000002", Visa, Credit, "BR"),
    card(106, &["by"], "4000001120000005", Visa, Credit, "BY"),
    card(107, &["ca"], "4000001240000000", Visa, Credit, "CA"),
    card(108, &["ch"], "4000007560000009", Visa, Credit, "CH"),
    card(109, &["cl"], "4000001520000001", Visa, Credit, "CL"),
    card(110, &["cn"], "4000001560000002", Visa, Credit, "CN"),
    card(111, &["co"], "4000001700000003", Visa, Credit, "CO"),
    card(112, &["cr"], "4000001880000005", Visa, Credit, "CR"),
    card(113, &["cy"], "4000001960000008", Visa, Credit, "CY"),
    card(114, &["cz"], "4000002030000002", Visa, Credit, "CZ"),
    card(115, &["de"], "4000002760000016", Visa, Credit, "DE"),
    card(116, &["dk"], "4000002080000001", Visa, Credit, "DK"),
    card(117, &["ec"], "4000002180000000", Visa, Credit, "EC"),
    card(118, &["es"], "4000007240000007", Visa, Credit, "ES"),
    card(119, &["fi"], "4000002460000001", Visa, Credit, "FI"),
    card(120, &["fr"], "4000002500000003", Visa, Credit, "FR"),
    card(121, &["gb"], "4000008260000000", Visa, Credit, "GB"),
    card(122, &["gr"], "4000003000000030", Visa, Credit, "GR"),
    card(123, &["hk"], "4000003440000004", Visa, Credit, "HK"),
    card(124, &["hu"], "4000003480000005", Visa, Credit, "HU"),
    card(125, &["ie"], "4000003720000005", Visa, Credit, "IE"),
    card(126, &["in"], "4000003560000008", Visa, Credit, "IN"),
    card(127, &["it"], "4000003800000008", Visa, Credit, "IT"),
    card(128, &["jp"], "4000003920000003", Visa, Credit, "JP"),
    card(129, &["lt"], "4000004400000000", Visa, Credit, "LT"),
    card(130, &["lu"], "4000004420000006", Visa, Credit, "LU"),
    card(131, &["lv"], "4000004280000005", Visa, Credit, "LV"),
    card(132, &["mt"], "4000004700000007", Visa, Credit, "MT"),
    card(133, &["mx"], "4000004840008001", Visa, Credit, "MX"),
    card(134, &["my"], "4000004580000002", Visa, Credit, "MY"),
    card(135, &["nl"], "4000005280000002", Visa, Credit, "NL"),
    card(136, &["no"], "4000005780000007", Visa, Credit, "NO"),
    card(137, &["nz"], "4000005540000008", Visa, Credit, "NZ"),
    card(138, &["pa"], "4000005910000000", Visa, Credit, "PA"),
    card(139, &["pe"], "4000006040000068", Visa, Credit, "PE"),
    card(140, &["pl"], "4000006160000005", Visa, Credit, "PL"),
    card(141, &["pt"], "4000006200000007", Visa, Credit, "PT"),
    card(142, &["py"], "4000006000000066", Visa, Credit, "PY"),
    card(143, &["ro"], "4000006420000001", Visa, Credit, "RO"),
    card(144, &["se"], "4000007520000008", Visa, Credit, "SE"),
    card(145, &["sg"], "4000007020000003", Visa, Credit, "SG"),
    card(146, &["si"], "4000007050000006", Visa, Credit, "SI"),
    card(147, &["sk"], "4000007030000001", Visa, Credit, "SK"),
    card(148, &["tw"], "4000001580000008", Visa, Credit, "TW"),
    card(149, &["uy"], "4000008580000003", Visa, Credit, "UY"),
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
    card(208, &["chargeCustomerFail"], "4000000000000341", Visa, Credit, "US").declined(&declines::GENERIC),
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
        &["createDisputeProductNotReceived"],
        "4000000000002685",
        Visa,
        Credit,
        "US",
    )
    .disputed(DisputedAs::ProductNotReceived),
    card(302, &["createDisputeInquiry"], "4000000000001976", Visa, Credit, "US").disputed(DisputedAs::Inquiry),
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
    .declined(&declines::INSUFFICIENT_FUNDS),
    card(344, &["threeDSecure2Required"], "4000000000003220", Visa, Credit, "US")
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
    .declined(&declines::GENERIC),
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
    card(900, &["tollgate_remote"], "4242420000000018", Visa, Credit, "US").remote(RemoteBehaviour::Approve),
    card(901, &["tollgate_remoteDecline"], "4242420000000026", Visa, Credit, "US").remote(RemoteBehaviour::Decline),
    card(902, &["tollgate_remoteSilent"], "4242420000000034", Visa, Credit, "US").remote(RemoteBehaviour::Silent),
    card(
        903,
        &["tollgate_remoteLostAnswer"],
        "4242420000000042",
        Visa,
        Credit,
        "US",
    )
    .remote(RemoteBehaviour::LostAnswer),
    card(904, &["tollgate_remoteLate"], "4242420000000059", Visa, Credit, "US").remote(RemoteBehaviour::Late),
    card(905, &["tollgate_remoteSlow"], "4242420000000067", Visa, Credit, "US").remote(RemoteBehaviour::Slow),
];

const fn card(
    number: u16,
    names: &'static [&'static str],
    digits: &'static str,
    brand: CardBrand,
    funding: Funding,
    country: &'static str,
) -> TestCard {
    TestCard {
        number,
        names,
        digits,
        brand,
        co_brand: None,
        funding,
        country: Country::known(country),
        behaviour: Behaviour::Succeed,
        available_at_once: false,
        authentication: AuthenticationRule::Attempted,
        aftermath: Aftermath::Quiet,
        risk: CardRisk::Normal,
        checks: IssuerChecks::PASS,
    }
}

impl TestCard {
    const fn declined(self, decline: &'static Decline) -> TestCard {
        TestCard {
            behaviour: Behaviour::Decline(decline),
            ..self
        }
    }

    const fn remote(self, behaviour: RemoteBehaviour) -> TestCard {
        TestCard {
            behaviour: Behaviour::Remote(behaviour),
            ..self
        }
    }

    const fn available_at_once(self) -> TestCard {
        TestCard {
            available_at_once: true,
            ..self
        }
    }

    const fn without_three_d_secure(self) -> TestCard {
        TestCard {
            authentication: AuthenticationRule::Unsupported,
            ..self
        }
    }

    const fn disputed(self, how: DisputedAs) -> TestCard {
        TestCard {
            aftermath: Aftermath::Disputes(how),
            ..self
        }
    }

    const fn reported(self) -> TestCard {
        TestCard {
            aftermath: Aftermath::ReportsFraud,
            ..self
        }
    }

    const fn risky(self, risk: CardRisk) -> TestCard {
        TestCard { risk, ..self }
    }

    const fn checked(self, cvc: CheckResult, address_line1: CheckResult, postal_code: CheckResult) -> TestCard {
        TestCard {
            checks: IssuerChecks {
                cvc,
                address_line1,
                postal_code,
            },
            ..self
        }
    }

    const fn authenticated(self, lookup: Lookup, absence: Absence) -> TestCard {
        TestCard {
            authentication: AuthenticationRule::Required(lookup, absence),
            ..self
        }
    }

    const fn authenticated_when_asked(self, lookup: Lookup) -> TestCard {
        TestCard {
            authentication: AuthenticationRule::Optional(lookup),
            ..self
        }
    }

    const fn co_branded(self, brand: CardBrand) -> TestCard {
        TestCard {
            co_brand: Some(brand),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_no_name_or_card_number_stands_twice() {
        assert!(TEST_CARDS.windows(2).all(|pair| pair[0].number < pair[1].number));
        let mut digits: Vec<_> = TEST_CARDS.iter().map(|card| card.digits).collect();
        let mut names: Vec<_> = TEST_CARDS.iter().flat_map(|card| card.names).collect();
        let counts = (digits.len(), names.len());
        digits.sort_unstable();
        digits.dedup();
        names.sort_unstable();
        names.dedup();
        assert_eq!((digits.len(), names.len()), counts);
    }

    #[test]
    fn every_card_number_has_a_valid_check_digit() {
        for card in &TEST_CARDS {
            let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
            let digits = card
                .digits
                .chars()
                .rev()
                .map(|digit| digit.to_digit(10).expect("a digit"));
            let sum: u32 = digits
                .enumerate()
                .map(|(at, digit)| if at % 2 == 1 { doubled(digit) } else { digit })
                .sum();
            assert_eq!(sum % 10, 0, "{}", card.digits);
        }
    }

    #[test]
    fn cards_that_integrations_rely_on() {
        let shown = |name: &str| {
            let card = TestCard::by_name(name).expect("a name of the table");
            let network = card
                .networks()
                .map(CardBrand::display_name)
                .collect::<Vec<_>>()
                .join("+");
            format!("{network} {:?} {} {}", card.funding, card.country, card.last4())
        };
        assert_eq!(shown("visa"), "visa Credit US 4242");
        assert_eq!(shown("mastercard_prepaid"), "mastercard Prepaid US 5100");
        assert_eq!(shown("amex"), "american_express Credit US 8431");
        assert_eq!(shown("discover"), "discover Credit US 9424");
        assert_eq!(shown("de"), "visa Credit DE 0016");
        assert_eq!(shown("visa_cartesBancaires"), "cartes_bancaires+visa Credit FR 1001");
    }

    #[test]
    fn declined_cards_and_what_the_api_says() {
        let declines: Vec<_> = TEST_CARDS
            .iter()
            .filter_map(|card| match card.behaviour {
                Behaviour::Decline(decline) => {
                    Some(format!("{} {} {}", card.names[0], decline.code, decline.decline_code))
                }
                Behaviour::Succeed | Behaviour::Remote(_) => None,
            })
            .collect();
        let expected = [
            "visa_chargeDeclined card_declined generic_decline",
            "visa_chargeDeclinedInsufficientFunds card_declined insufficient_funds",
            "visa_chargeDeclinedLostCard card_declined lost_card",
            "visa_chargeDeclinedStolenCard card_declined stolen_card",
            "visa_chargeDeclinedVelocityLimitExceeded card_declined card_velocity_exceeded",
            "chargeDeclinedExpiredCard expired_card expired_card",
            "chargeDeclinedIncorrectCvc incorrect_cvc incorrect_cvc",
            "chargeDeclinedProcessingError processing_error processing_error",
            "chargeCustomerFail card_declined generic_decline",
            "authenticationRequiredChargeDeclinedInsufficientFunds card_declined insufficient_funds",
            "threeDSecureRequiredChargeDeclined card_declined generic_decline",
        ];
        assert_eq!(declines, expected);
    }
}
