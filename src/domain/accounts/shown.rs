//! What an account shows.

use super::parts::{
    AccountBacsDebitShown, AccountBrandingShown, AccountBusinessProfileShown, AccountCardIssuingShown,
    AccountCompanyShown, AccountControllerShown, AccountDashboardShown, AccountInvoicesShown, AccountIssuingTermsShown,
    AccountRequirementsShown, AccountSepaDebitShown, AccountTermsShown, ExternalAccountsShown,
};
use crate::account::Profile;
use crate::account_settings::{PayoutInterval, Weekday};
use crate::country::Country;
use crate::kinds;
use crate::money::Currency;
use crate::payments::payment_method::NO_METADATA;
use crate::time::seconds_of;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Metadata, Shown};

/// A merchant.
#[derive(Shown)]
#[shown(object = "account")]
pub struct AccountShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// What the business says of itself.
    pub business_profile: AccountBusinessProfileShown<'a>,
    /// Kind of business.
    pub business_type: Option<&'a str>,
    /// What it may do.
    pub capabilities: CapabilitiesShown,
    /// Whether it may take payments.
    pub charges_enabled: bool,
    /// The company behind it.
    pub company: AccountCompanyShown<'a>,
    /// Who controls it.
    pub controller: AccountControllerShown,
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
    /// Bank accounts and cards that it is paid out to.
    pub external_accounts: ExternalAccountsShown,
    /// What will be asked of it later.
    pub future_requirements: AccountRequirementsShown,
    /// The groups it belongs to.
    pub groups: Option<&'a str>,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// Whether it is paid out.
    pub payouts_enabled: bool,
    /// What is asked of it.
    pub requirements: AccountRequirementsShown,
    /// What it has decided.
    pub settings: SettingsShown<'a>,
    /// Its agreement to the terms of service.
    pub tos_acceptance: AccountTermsShown,
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
    /// About Bacs debits.
    pub bacs_debit_payments: AccountBacsDebitShown<'a>,
    /// How it looks to its customers.
    pub branding: AccountBrandingShown<'a>,
    /// About cards that it issues.
    pub card_issuing: AccountCardIssuingShown,
    /// About payments by card.
    pub card_payments: CardPaymentsShown<'a>,
    /// How it is called.
    pub dashboard: AccountDashboardShown<'a>,
    /// About invoices.
    pub invoices: AccountInvoicesShown<'a>,
    /// About payments.
    pub payments: PaymentsShown<'a>,
    /// About payouts.
    pub payouts: PayoutsShown<'a>,
    /// About SEPA debits.
    pub sepa_debit_payments: AccountSepaDebitShown,
}

/// What an account has decided about payments by card.
#[derive(Shown)]
pub struct CardPaymentsShown<'a> {
    /// What is declined although the bank says yes.
    pub decline_on: DeclineOnShown,
    /// What cardholders read before the suffix of a payment.
    pub statement_descriptor_prefix: Option<&'a str>,
    /// The same in kana.
    pub statement_descriptor_prefix_kana: Option<&'a str>,
    /// The same in kanji.
    pub statement_descriptor_prefix_kanji: Option<&'a str>,
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
    /// The same in kana.
    pub statement_descriptor_kana: Option<&'a str>,
    /// The same in kanji.
    pub statement_descriptor_kanji: Option<&'a str>,
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
        let business = settings.business();
        let name = business.name.as_deref();
        AccountShown {
            id: Ident {
                kind: &kinds::ACCOUNT,
                id: profile.id,
            },
            business_profile: AccountBusinessProfileShown::of(business),
            business_type: Some("company"),
            capabilities: CapabilitiesShown {
                card_payments: "active",
                transfers: "active",
            },
            charges_enabled: true,
            company: AccountCompanyShown::of(name),
            controller: AccountControllerShown { kind: "account" },
            country: profile.country,
            created: Seconds(seconds_of(profile.created_ms)),
            default_currency: profile.default_currency,
            details_submitted: true,
            email: business.email.as_deref(),
            external_accounts: ExternalAccountsShown::of(profile.id),
            future_requirements: AccountRequirementsShown::NOTHING,
            groups: None,
            metadata: &NO_METADATA,
            payouts_enabled: true,
            requirements: AccountRequirementsShown::NOTHING,
            settings: SettingsShown {
                bacs_debit_payments: AccountBacsDebitShown {
                    display_name: None,
                    service_user_number: None,
                },
                branding: AccountBrandingShown {
                    icon: None,
                    logo: None,
                    primary_color: None,
                    secondary_color: None,
                },
                card_issuing: AccountCardIssuingShown {
                    tos_acceptance: AccountIssuingTermsShown { date: None, ip: None },
                },
                card_payments: CardPaymentsShown {
                    decline_on: DeclineOnShown {
                        avs_failure: settings.radar.block_zip_fail,
                        cvc_failure: settings.radar.block_cvc_fail,
                    },
                    statement_descriptor_prefix: settings.statement_descriptor_prefix.as_deref(),
                    statement_descriptor_prefix_kana: None,
                    statement_descriptor_prefix_kanji: None,
                },
                dashboard: AccountDashboardShown {
                    display_name: name,
                    timezone: business.timezone.as_deref().unwrap_or("Etc/UTC"),
                },
                invoices: AccountInvoicesShown {
                    default_account_tax_ids: None,
                    hosted_payment_method_save: "offer",
                },
                payments: PaymentsShown {
                    statement_descriptor: profile.statement_descriptor.as_deref(),
                    statement_descriptor_kana: None,
                    statement_descriptor_kanji: None,
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
                sepa_debit_payments: AccountSepaDebitShown {},
            },
            tos_acceptance: AccountTermsShown {
                date: Some(Seconds(seconds_of(profile.created_ms))),
                ip: None,
                user_agent: None,
            },
            kind: "standard",
        }
    }
}
