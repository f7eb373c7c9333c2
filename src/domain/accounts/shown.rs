//! What an account shows.

use crate::account::Profile;
use crate::account_settings::{PayoutInterval, Weekday};
use crate::country::Country;
use crate::kinds;
use crate::money::Currency;
use crate::time::seconds_of;
use tollgate_resource::Shown;
use tollgate_resource::shown::{Ident, Seconds};

/// A merchant.
#[derive(Shown)]
#[shown(object = "account")]
pub struct AccountShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// What the business says of itself.
    pub business_profile: Option<&'a str>,
    /// Kind of business.
    pub business_type: Option<&'a str>,
    /// What it may do.
    pub capabilities: CapabilitiesShown,
    /// Whether it may take payments.
    pub charges_enabled: bool,
    /// Where it is.
    pub country: Country,
    /// When it was opened, in seconds since the Unix epoch.
    pub created: Seconds,
    /// The currency it settles in unless told otherwise.
    pub default_currency: Currency,
    /// Whether everything asked of it was given.
    pub details_submitted: bool,
    /// Its address for mail.
    pub email: Option<&'a str>,
    /// Whether it is paid out.
    pub payouts_enabled: bool,
    /// What it has decided.
    pub settings: SettingsShown<'a>,
    /// Type of account.
    #[shown(name = "type")]
    pub kind: &'a str,
}

/// What an account may do.
#[derive(Shown)]
pub struct CapabilitiesShown {
    /// Take payments by card.
    pub card_payments: &'static str,
    /// Be paid by other accounts.
    pub transfers: &'static str,
}

/// What an account has decided.
#[derive(Shown)]
pub struct SettingsShown<'a> {
    /// About payments by card.
    pub card_payments: CardPaymentsShown<'a>,
    /// About payments.
    pub payments: PaymentsShown<'a>,
    /// About payouts.
    pub payouts: PayoutsShown<'a>,
}

/// What an account has decided about payments by card.
#[derive(Shown)]
pub struct CardPaymentsShown<'a> {
    /// What is declined although the bank says yes.
    pub decline_on: DeclineOnShown,
    /// What cardholders read before the suffix of a payment.
    pub statement_descriptor_prefix: Option<&'a str>,
}

/// What is declined although the bank says yes.
#[derive(Shown)]
pub struct DeclineOnShown {
    /// A wrong postal code.
    pub avs_failure: bool,
    /// A wrong security code.
    pub cvc_failure: bool,
}

/// What an account has decided about payments.
#[derive(Shown)]
pub struct PaymentsShown<'a> {
    /// What cardholders read.
    pub statement_descriptor: Option<&'a str>,
}

/// What an account has decided about payouts.
#[derive(Shown)]
pub struct PayoutsShown<'a> {
    /// Whether a negative balance is collected from the bank.
    pub debit_negative_balances: bool,
    /// When money is paid out.
    pub schedule: ScheduleShown<'a>,
    /// What the bank statement of a payout says.
    pub statement_descriptor: Option<&'a str>,
}

/// When money is paid out.
#[derive(Shown)]
pub struct ScheduleShown<'a> {
    /// Days from a payment until its money can be paid out.
    pub delay_days: i64,
    /// How often.
    pub interval: &'a str,
    /// On which day of the month.
    #[shown(omit)]
    pub monthly_anchor: Option<i64>,
    /// On which day of the week.
    #[shown(omit)]
    pub weekly_anchor: Option<Weekday>,
}

impl<'a> AccountShown<'a> {
    /// What the account of `profile` shows.
    pub fn of(profile: &'a Profile) -> Self {
        let settings = profile.settings();
        let schedule = settings.payouts;
        AccountShown {
            id: Ident {
                kind: &kinds::ACCOUNT,
                id: profile.id,
            },
            business_profile: None,
            business_type: None,
            capabilities: CapabilitiesShown {
                card_payments: "active",
                transfers: "active",
            },
            charges_enabled: true,
            country: profile.country,
            created: Seconds(seconds_of(profile.created_ms)),
            default_currency: profile.default_currency,
            details_submitted: true,
            email: None,
            payouts_enabled: true,
            settings: SettingsShown {
                card_payments: CardPaymentsShown {
                    decline_on: DeclineOnShown {
                        avs_failure: settings.radar.block_zip_fail,
                        cvc_failure: settings.radar.block_cvc_fail,
                    },
                    statement_descriptor_prefix: settings.statement_descriptor_prefix.as_deref(),
                },
                payments: PaymentsShown {
                    statement_descriptor: profile.statement_descriptor.as_deref(),
                },
                payouts: PayoutsShown {
                    debit_negative_balances: false,
                    schedule: ScheduleShown {
                        delay_days: i64::from(schedule.delay_days),
                        interval: schedule.interval.name(),
                        monthly_anchor: match schedule.interval {
                            PayoutInterval::Monthly(day) => Some(i64::from(day)),
                            _ => None,
                        },
                        weekly_anchor: match schedule.interval {
                            PayoutInterval::Weekly(day) => Some(day),
                            _ => None,
                        },
                    },
                    statement_descriptor: None,
                },
            },
            kind: "standard",
        }
    }
}
