//! Parts of what an account shows that are the same for every account, or that the business says of itself.

use crate::account_settings::Business;
use crate::address::AddressShown;
use crate::kinds;
use tollgate_resource::shown::Seconds;
use tollgate_resource::{Id, Ref, Shown};

/// What a business says of itself.
#[derive(Shown)]
pub struct AccountBusinessProfileShown<'a> {
    /// What it earns in a year.
    pub annual_revenue: Option<&'a str>,
    /// How many people it employs.
    pub estimated_worker_count: Option<i64>,
    /// Code of its trade.
    pub mcc: Option<&'a str>,
    /// Whether it belongs to a minority.
    pub minority_owned_business_designation: Option<&'a str>,
    /// The name customers know.
    pub name: Option<&'a str>,
    /// What it sells.
    pub product_description: Option<&'a str>,
    /// Where its customers find it.
    pub support_address: Option<AddressShown<'a>>,
    /// Where its customers write to.
    pub support_email: Option<&'a str>,
    /// Where its customers call.
    pub support_phone: Option<&'a str>,
    /// Where its customers look for help.
    pub support_url: Option<&'a str>,
    /// Its website.
    pub url: Option<&'a str>,
}

/// The company behind an account.
#[derive(Shown)]
pub struct AccountCompanyShown<'a> {
    /// Where it is.
    pub address: AddressShown<'a>,
    /// Whether its directors are known.
    pub directors_provided: bool,
    /// Whether its executives are known.
    pub executives_provided: bool,
    /// Its legal name.
    pub name: Option<&'a str>,
    /// Whether its owners are known.
    pub owners_provided: bool,
    /// Its number.
    pub phone: Option<&'a str>,
    /// Whether its tax id is known.
    pub tax_id_provided: bool,
}

/// Who controls an account.
#[derive(Shown)]
pub struct AccountControllerShown {
    /// Whether the account controls itself or an application does.
    #[shown(name = "type")]
    pub kind: &'static str,
}

/// Bank accounts and cards that an account is paid out to; none can be registered here.
#[derive(Shown)]
pub struct ExternalAccountsShown {
    /// Always `list`.
    pub object: &'static str,
    /// The members.
    pub data: Vec<&'static str>,
    /// Whether there are more.
    pub has_more: bool,
    /// How many there are.
    pub total_count: i64,
    /// Where the list is read.
    pub url: String,
}

/// What is asked of an account.
#[derive(Shown)]
pub struct AccountRequirementsShown {
    /// What else would do.
    pub alternatives: Vec<&'static str>,
    /// Until when it is needed, in seconds since the Unix epoch.
    pub current_deadline: Option<Seconds>,
    /// What is needed.
    pub currently_due: Vec<&'static str>,
    /// Why the account is stopped.
    pub disabled_reason: Option<&'static str>,
    /// What was wrong.
    pub errors: Vec<&'static str>,
    /// What will be needed.
    pub eventually_due: Vec<&'static str>,
    /// What is late.
    pub past_due: Vec<&'static str>,
    /// What is being looked at.
    pub pending_verification: Vec<&'static str>,
}

/// What an account has decided about Bacs debits.
#[derive(Shown)]
pub struct AccountBacsDebitShown<'a> {
    /// The name on mandates.
    pub display_name: Option<&'a str>,
    /// The number of the scheme.
    pub service_user_number: Option<&'a str>,
}

/// How an account looks to its customers.
#[derive(Shown)]
pub struct AccountBrandingShown<'a> {
    /// A small picture.
    #[shown(expand)]
    pub icon: Option<Ref>,
    /// A wide picture.
    #[shown(expand)]
    pub logo: Option<Ref>,
    /// A colour.
    pub primary_color: Option<&'a str>,
    /// Another colour.
    pub secondary_color: Option<&'a str>,
}

/// What an account has decided about cards that it issues.
#[derive(Shown)]
pub struct AccountCardIssuingShown {
    /// Its agreement to the terms.
    pub tos_acceptance: AccountIssuingTermsShown,
}

/// An agreement to terms of cards.
#[derive(Shown)]
pub struct AccountIssuingTermsShown {
    /// When, in seconds since the Unix epoch.
    pub date: Option<Seconds>,
    /// From where.
    pub ip: Option<&'static str>,
}

/// How an account is called.
#[derive(Shown)]
pub struct AccountDashboardShown<'a> {
    /// The name customers know.
    pub display_name: Option<&'a str>,
    /// The time zone of its reports.
    pub timezone: &'a str,
}

/// What an account has decided about invoices.
#[derive(Shown)]
pub struct AccountInvoicesShown<'a> {
    /// The tax ids on them.
    pub default_account_tax_ids: Option<&'a str>,
    /// Whether payers may save what they pay with.
    pub hosted_payment_method_save: &'static str,
}

/// What an account has decided about SEPA debits; empty.
#[derive(Shown)]
pub struct AccountSepaDebitShown {}

/// The agreement to the terms of service.
#[derive(Shown)]
pub struct AccountTermsShown {
    /// When, in seconds since the Unix epoch.
    pub date: Option<Seconds>,
    /// From where.
    pub ip: Option<&'static str>,
    /// With what.
    pub user_agent: Option<&'static str>,
}

impl<'a> AccountBusinessProfileShown<'a> {
    /// What `business` says.
    pub(super) fn of(business: &'a Business) -> Self {
        AccountBusinessProfileShown {
            annual_revenue: None,
            estimated_worker_count: None,
            mcc: business.mcc.as_deref(),
            minority_owned_business_designation: None,
            name: business.name.as_deref(),
            product_description: None,
            support_address: None,
            support_email: business.support_email.as_deref(),
            support_phone: business.support_phone.as_deref(),
            support_url: business.support_url.as_deref(),
            url: business.url.as_deref(),
        }
    }
}

impl<'a> AccountCompanyShown<'a> {
    /// A company of which everything is known that is asked for.
    pub(super) fn of(name: Option<&'a str>) -> Self {
        AccountCompanyShown {
            address: AddressShown {
                city: None,
                country: None,
                line1: None,
                line2: None,
                postal_code: None,
                state: None,
            },
            directors_provided: true,
            executives_provided: true,
            name,
            owners_provided: true,
            phone: None,
            tax_id_provided: true,
        }
    }
}

impl ExternalAccountsShown {
    /// The empty list of an account.
    pub(super) fn of(account: Id) -> Self {
        ExternalAccountsShown {
            object: "list",
            data: Vec::new(),
            has_more: false,
            total_count: 0,
            url: format!("/v1/accounts/{}/external_accounts", account.text(&kinds::ACCOUNT)),
        }
    }
}

impl AccountRequirementsShown {
    /// Nothing is asked for.
    pub(super) const NOTHING: AccountRequirementsShown = AccountRequirementsShown {
        alternatives: Vec::new(),
        current_deadline: None,
        currently_due: Vec::new(),
        disabled_reason: None,
        errors: Vec::new(),
        eventually_due: Vec::new(),
        past_due: Vec::new(),
        pending_verification: Vec::new(),
    };
}
