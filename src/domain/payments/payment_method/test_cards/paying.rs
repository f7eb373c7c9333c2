//! Cards that pay.

use super::super::decline::declines;
use super::super::test_card::CardBrand::{
    Amex, CartesBancaires, Diners, Discover, EftposAu, Jcb, Mastercard, Unionpay, Unknown, Visa,
};
use super::super::test_card::Funding::{Credit, Debit, Prepaid};
use super::super::test_card::TestCard;
use super::card;

/// Cards that pay, numbers from 1.
pub(super) static PAYING: [TestCard; 35] = [
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
    card(22, &[], "4000051230000072", Visa, Debit, "US"),
    card(23, &[], "2223003122003222", Mastercard, Credit, "US"),
    card(24, &[], "6011111111111117", Discover, Credit, "US"),
    card(25, &[], "6011981111111113", Discover, Debit, "US"),
    card(26, &[], "36227206271667", Diners, Credit, "US"),
    card(27, &[], "6200000000000047", Unionpay, Debit, "CN"),
    card(28, &[], "6205500000000000004", Unionpay, Credit, "CN"),
    card(29, &[], "6555900000604105", Discover, Credit, "US"),
    card(30, &[], "5062210000000009", Unknown, Credit, "MX"),
    // Numbers that were published before 2020 and still pay.
    card(31, &[], "4111111111111111", Visa, Credit, "US"),
    card(32, &[], "4012888888881881", Visa, Credit, "US"),
    card(33, &[], "30569309025904", Diners, Credit, "US"),
    card(34, &[], "38520000023237", Diners, Credit, "US"),
    card(35, &[], "3530111333300000", Jcb, Credit, "JP"),
];

/// Rows for card numbers outside the table, of a brand, and no more is known: from 950 those of live mode, which pay, and
/// from 960 those of test mode, which are no test cards. They are declined when they are used.
pub(super) static UNLISTED: [TestCard; 16] = [
    card(950, &[], "", Amex, Credit, "US"),
    card(951, &[], "", Diners, Credit, "US"),
    card(952, &[], "", Discover, Credit, "US"),
    card(953, &[], "", Jcb, Credit, "US"),
    card(954, &[], "", Mastercard, Credit, "US"),
    card(955, &[], "", Unionpay, Credit, "US"),
    card(956, &[], "", Visa, Credit, "US"),
    card(957, &[], "", Unknown, Credit, "US"),
    card(960, &[], "", Amex, Credit, "US").declined(&declines::TEST_MODE_LIVE_CARD),
    card(961, &[], "", Diners, Credit, "US").declined(&declines::TEST_MODE_LIVE_CARD),
    card(962, &[], "", Discover, Credit, "US").declined(&declines::TEST_MODE_LIVE_CARD),
    card(963, &[], "", Jcb, Credit, "US").declined(&declines::TEST_MODE_LIVE_CARD),
    card(964, &[], "", Mastercard, Credit, "US").declined(&declines::TEST_MODE_LIVE_CARD),
    card(965, &[], "", Unionpay, Credit, "US").declined(&declines::TEST_MODE_LIVE_CARD),
    card(966, &[], "", Visa, Credit, "US").declined(&declines::TEST_MODE_LIVE_CARD),
    card(967, &[], "", Unknown, Credit, "US").declined(&declines::TEST_MODE_LIVE_CARD),
];
