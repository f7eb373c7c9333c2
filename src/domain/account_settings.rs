//! What a merchant, or an operator for them, decides about their account beyond its [`Profile`](crate::Profile).
//!
//! Kept in the directory's journal as part of the profile and handed to the shard with each request, so a change holds
//! from the account's next request on. Accounts that changed nothing store nothing: they have [`AccountSettings::DEFAULT`].

use tollgate_resource::{Names, Record};

/// The settings of an account in one mode.
#[derive(Clone, Debug, PartialEq, Eq, Record)]
pub struct AccountSettings {
    /// What cardholders read before the suffix that a payment brings along; 2 to 10 characters.
    #[record(1)]
    pub statement_descriptor_prefix: Option<Box<str>>,
    /// Whether requests may carry card numbers.
    #[record(2)]
    pub raw_cards: RawCards,
    /// Which payments are stopped or looked at for their risk.
    #[record(3)]
    pub radar: RadarRules,
    /// When money is paid out.
    #[record(4)]
    pub payouts: PayoutSchedule,
    /// What becomes of the fee of a dispute that is won.
    #[record(5)]
    pub dispute_fee: DisputeFee,
    /// Whether parameters that the version of a request has retired are refused, as by the public API. Else they are
    /// taken: see [`versions`](crate::versions).
    #[record(6)]
    pub refuses_retired: bool,
    /// What the business says of itself, if it has said anything.
    #[record(7)]
    pub business: Option<Box<Business>>,
}

/// What a business says of itself; shown with the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Record)]
pub struct Business {
    /// The name customers know.
    #[record(1)]
    pub name: Option<Box<str>>,
    /// Its website.
    #[record(2)]
    pub url: Option<Box<str>>,
    /// Where its owner is reached.
    #[record(3)]
    pub email: Option<Box<str>>,
    /// Where its customers write to.
    #[record(4)]
    pub support_email: Option<Box<str>>,
    /// Where its customers call.
    #[record(5)]
    pub support_phone: Option<Box<str>>,
    /// Where its customers look for help.
    #[record(6)]
    pub support_url: Option<Box<str>>,
    /// The time zone of its reports, a name such as `Europe/Berlin`.
    #[record(7)]
    pub timezone: Option<Box<str>>,
    /// The code of its trade, four digits.
    #[record(8)]
    pub mcc: Option<Box<str>>,
}

impl Business {
    /// A business that has said nothing.
    pub const SILENT: Business = Business {
        name: None,
        url: None,
        email: None,
        support_email: None,
        support_phone: None,
        support_url: None,
        timezone: None,
        mcc: None,
    };
}

impl AccountSettings {
    /// What an account has that changed nothing.
    pub const DEFAULT: AccountSettings = AccountSettings {
        statement_descriptor_prefix: None,
        raw_cards: RawCards::Allowed,
        radar: RadarRules::DEFAULT,
        payouts: PayoutSchedule::DEFAULT,
        dispute_fee: DisputeFee::Kept,
        refuses_retired: false,
        business: None,
    };
}

impl AccountSettings {
    /// What the business says of itself.
    pub fn business(&self) -> &Business {
        static SILENT: Business = Business::SILENT;
        self.business.as_deref().unwrap_or(&SILENT)
    }
}

impl Default for AccountSettings {
    fn default() -> AccountSettings {
        AccountSettings::DEFAULT
    }
}

/// Whether card numbers are taken with a secret key (charges, customers, payment methods, tokens, sources). A publishable
/// key always brings them: that is what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum RawCards {
    /// They are.
    #[record(1)]
    Allowed,
    /// They are refused; cards come as tokens or from a browser.
    #[record(2)]
    Refused,
}

/// Rules on the risk of a card payment. A card that is always blocked is so whatever they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct RadarRules {
    /// Payments of the highest risk are blocked.
    #[record(1)]
    pub block_highest_risk: bool,
    /// Payments of elevated risk succeed and get a review.
    #[record(2)]
    pub review_elevated_risk: bool,
    /// A wrong security code is a decline (`incorrect_cvc`), also when a card is attached.
    #[record(3)]
    pub block_cvc_fail: bool,
    /// A wrong postal code is a decline (`incorrect_zip`), also when a card is attached.
    #[record(4)]
    pub block_zip_fail: bool,
}

impl RadarRules {
    /// The rules of an account that changed nothing.
    pub const DEFAULT: RadarRules = RadarRules {
        block_highest_risk: true,
        review_elevated_risk: false,
        block_cvc_fail: true,
        block_zip_fail: false,
    };
}

/// When money is paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct PayoutSchedule {
    /// How often.
    #[record(1)]
    pub interval: PayoutInterval,
    /// Days from a payment until its money can be paid out.
    #[record(2)]
    pub delay_days: u8,
}

impl PayoutSchedule {
    /// Every day, two days after the payment.
    pub const DEFAULT: PayoutSchedule = PayoutSchedule {
        interval: PayoutInterval::Daily,
        delay_days: 2,
    };
    /// Longest delay that can be set, in days.
    pub const DELAY_DAYS_MAX: u8 = 30;
}

/// How often money is paid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum PayoutInterval {
    /// Only when the merchant asks.
    #[record(1)]
    Manual,
    /// Every day.
    #[record(2)]
    Daily,
    /// Once a week.
    #[record(3)]
    Weekly(Weekday),
    /// Once a month, on a day from 1 to 31; the last day of a month that has no such day.
    #[record(4)]
    Monthly(u8),
}

impl PayoutInterval {
    /// The public name: `manual`, `daily`, `weekly`, `monthly`.
    pub fn name(self) -> &'static str {
        match self {
            PayoutInterval::Manual => "manual",
            PayoutInterval::Daily => "daily",
            PayoutInterval::Weekly(_) => "weekly",
            PayoutInterval::Monthly(_) => "monthly",
        }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
#[expect(missing_docs, reason = "the days are their own explanation")]
pub enum Weekday {
    #[record(1)]
    Monday,
    #[record(2)]
    Tuesday,
    #[record(3)]
    Wednesday,
    #[record(4)]
    Thursday,
    #[record(5)]
    Friday,
    #[record(6)]
    Saturday,
    #[record(7)]
    Sunday,
}

/// What becomes of the fee of a dispute that is won.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum DisputeFee {
    /// It is kept.
    #[record(1)]
    Kept,
    /// The merchant gets it back, as until 2024.
    #[record(2)]
    Returned,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_back_from_a_record() {
        let changed = AccountSettings {
            statement_descriptor_prefix: Some("TOLL".into()),
            raw_cards: RawCards::Refused,
            radar: RadarRules {
                block_highest_risk: false,
                review_elevated_risk: true,
                block_cvc_fail: false,
                block_zip_fail: true,
            },
            payouts: PayoutSchedule {
                interval: PayoutInterval::Weekly(Weekday::Friday),
                delay_days: 7,
            },
            dispute_fee: DisputeFee::Returned,
            refuses_retired: true,
            business: Some(Box::new(Business {
                name: Some("Rocket Rides".into()),
                ..Business::default()
            })),
        };
        for settings in [AccountSettings::DEFAULT, changed] {
            assert_eq!(AccountSettings::from_bytes(&settings.to_bytes()), Ok(settings));
        }
    }
}
