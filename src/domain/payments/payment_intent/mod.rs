//! A payment from intention to success: what is kept, and the states it moves through.

pub(crate) mod accepted;
mod action;
mod amount_details;
mod bank_options;
mod capture;
mod card_options;
pub(crate) mod checks;
mod confirm;
mod debit;
mod decide;
mod deposits;
mod endpoints;
mod increment;
pub(crate) mod line_items;
mod outcome;
mod params;
mod particulars;
mod redirect;
mod redirect_options;
mod resolve;
mod shown;
mod status;
mod update;

pub(crate) use action::complete_action;
pub use amount_details::{
    AmountDetails, AmountDetailsParams, AmountDetailsShown, AmountError, AmountErrorShown, AmountShippingParams,
    AmountShippingShown, AmountTaxParams, AmountTaxShown, TipShown,
};
pub use bank_options::{
    AcssMandateParams, AcssOptionsParams, BankOptions, DebitMandateParams, DebitOptionsParams, DebitOptionsShown,
    FinancialConnectionsParams, LinkPermission, PaymentSchedule, SettlementSpeed, TransactionType, UsBankOptionsParams,
    VerifiedOptionsShown,
};
pub(crate) use capture::{capture, capture_of_charge};
pub use card_options::{
    Availability, CardFutureUsage, CardNetwork, CardOptionsShown, InstallmentsParams, InstallmentsShown, ManualCapture,
    PaymentCardOptions, PaymentCardOptionsParams, PaymentOptionsParams,
};
pub(crate) use checks::{check_descriptor, check_email, not_while_calling};
pub(crate) use confirm::{confirm, confirm_in_browser};
pub use debit::{DEBIT_MS, LATE_DEBIT_MS};
pub(crate) use decide::{cancel, create};
pub(crate) use deposits::verify_microdeposits;
pub use endpoints::ENDPOINTS;
pub(crate) use increment::{apply_customer_balance, increment};
pub use line_items::{
    AmountLineItem, ItemCategory, LINE_ITEMS_MAX, LineItemOptions, LineItemPage, LineItemShown, LineItemsShown,
    ListLineItems,
};
pub(crate) use outcome::{capture_money, follow_capture, put_charge, statement_text};
pub use params::*;
pub use particulars::{Particulars, PaymentDetails, PaymentDetailsParams, PaymentDetailsShown};
pub use redirect_options::{
    AffirmOptionsParams, AffirmOptionsShown, AfterpayOptionsParams, AfterpayOptionsShown, BancontactLanguage,
    BancontactOptionsParams, BancontactOptionsShown, KlarnaOptionsParams, KlarnaOptionsShown, LaterUsage, NeverSaved,
    P24OptionsParams, PaypalOptionsParams, PaypalOptionsShown, RedirectOptions, RedirectOptionsShown,
    SavingOptionsParams, UnsavedOptionsParams, WalletOptionsParams,
};
pub(crate) use resolve::{resolve, timer_due};
pub use shown::{AutomaticPaymentMethodsShown, ConfigurationShown, ManagedPaymentsShown, PaymentIntentShown};
pub use status::{STATE_TABLE, Status, StatusName};
pub(crate) use update::update;

use crate::address::Shipping;
use crate::money::{Currency, Money};
use crate::payments::attempt::Attempt;
use crate::payments::authentication::Action;
use crate::payments::payment_method::PaymentMethod;
use std::sync::Arc;
use tollgate_resource::{Id, Metadata, Names, Record};

/// Charges an intent remembers by id; older ones are found by the list of charges.
pub const CHARGES_KEPT: usize = 10;

/// How long a hold can be captured, in milliseconds: 7 days.
pub const HOLD_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// A payment intent at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct PaymentIntent {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What is to be paid, in minor units.
    #[record(2)]
    pub amount: i64,
    /// The currency of all its amounts.
    #[record(3)]
    pub currency: Currency,
    /// Where it stands.
    #[record(4)]
    pub status: Status,
    /// Who pays.
    #[record(5)]
    pub customer: Option<Id>,
    /// What they pay with. A decline takes it away.
    #[record(6)]
    pub payment_method: Option<Id>,
    /// Its newest charges, newest first, at most [`CHARGES_KEPT`].
    #[record(7)]
    pub charges: Vec<Id>,
    /// How many charges there are.
    #[record(8)]
    pub charge_count: u32,
    /// Why the last attempt failed, until one does not.
    #[record(9)]
    pub last_error: Option<Box<LastError>>,
    /// Number of the newest attempt at a remote network; 0 for none.
    #[record(10)]
    pub attempts: u32,
    /// When money is captured.
    #[record(11)]
    pub capture_method: CaptureMethod,
    /// What happens after an action of the payer.
    #[record(12)]
    pub confirmation_method: ConfirmationMethod,
    /// Whether the account's configuration says how it can be paid, and whether that may lead to other pages; `None`
    /// when the request listed the types itself.
    #[record(13)]
    pub automatic_payment_methods: Option<AllowRedirects>,
    /// Free text for the merchant.
    #[record(14)]
    pub description: Option<Box<str>>,
    /// The merchant's pairs.
    #[record(15)]
    pub metadata: Metadata,
    /// Where the receipt goes.
    #[record(16)]
    pub receipt_email: Option<Box<str>>,
    /// Whether the payment method is to be saved to the customer.
    #[record(17)]
    pub setup_future_usage: Option<FutureUsage>,
    /// Where goods are sent.
    #[record(18)]
    pub shipping: Option<Box<Shipping>>,
    /// What the cardholder reads, in place of the account's own.
    #[record(19)]
    pub statement_descriptor: Option<Box<str>>,
    /// What the cardholder reads behind the account's prefix.
    #[record(20)]
    pub statement_descriptor_suffix: Option<Box<str>>,
    /// Groups payments and transfers.
    #[record(21)]
    pub transfer_group: Option<Box<str>>,
    /// What only few intents say.
    #[record(22)]
    pub particulars: Option<Box<Particulars>>,
}

/// Why an attempt failed, with what the error says of it.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct LastError {
    /// Number of the decline in the table; `None` when the payer failed to prove who they are.
    #[record(1)]
    pub decline: Option<u16>,
    /// The failed charge, if the bank was asked.
    #[record(2)]
    pub charge: Option<Id>,
    /// The payment method, as it was then.
    #[record(3)]
    pub payment_method: Arc<PaymentMethod>,
}

/// When the money of a confirmed intent is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum CaptureMethod {
    /// At once.
    #[record(2)]
    Automatic,
    /// At once; details may follow later.
    #[record(1)]
    AutomaticAsync,
    /// When the merchant says so; until then it is held.
    #[record(3)]
    Manual,
}

/// Who goes on after an action of the payer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names, Record)]
pub enum ConfirmationMethod {
    /// The intent by itself.
    #[default]
    #[record(1)]
    Automatic,
    /// The merchant's server, by confirming again.
    #[record(2)]
    Manual,
}

/// Whether ways to pay that lead to other pages are welcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Names, Record)]
pub enum AllowRedirects {
    /// They are.
    #[default]
    #[record(1)]
    Always,
    /// They are not.
    #[record(2)]
    Never,
}

/// How a saved payment method will be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum FutureUsage {
    /// Without the payer.
    #[record(1)]
    OffSession,
    /// With the payer present.
    #[record(2)]
    OnSession,
}

/// Why an intent was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum CancellationReason {
    /// The payer went away.
    #[record(1)]
    Abandoned,
    /// The hold was not captured in time. Only the engine gives this reason.
    #[record(2)]
    Automatic,
    /// It was made twice.
    #[record(3)]
    Duplicate,
    /// It is fraud.
    #[record(4)]
    Fraudulent,
    /// The payer asked.
    #[record(5)]
    RequestedByCustomer,
}

impl PaymentIntent {
    /// What is to be paid.
    pub fn money(&self) -> Money {
        Money::new(self.amount, self.currency)
    }

    /// The newest charge.
    pub fn latest_charge(&self) -> Option<Id> {
        self.charges.first().copied()
    }

    /// What is held and can still be captured, in minor units.
    pub fn amount_capturable(&self) -> i64 {
        match self.status {
            Status::RequiresCapture { received, .. } => self.amount - received,
            _ => 0,
        }
    }

    /// What was captured, in minor units.
    pub fn amount_received(&self) -> i64 {
        match self.status {
            Status::Succeeded { received } | Status::RequiresCapture { received, .. } => received,
            _ => 0,
        }
    }

    /// What the payer must do before it goes on.
    pub fn action(&self) -> Option<&Action> {
        match &self.status {
            Status::RequiresAction { action } => Some(action),
            _ => None,
        }
    }

    /// The attempt at a remote network whose outcome is not known yet.
    pub fn open_attempt(&self) -> Option<&Attempt> {
        match &self.status {
            Status::Processing { attempt } => Some(attempt),
            Status::RequiresCapture { capture, .. } => capture.as_deref(),
            Status::Canceled { release, .. } => release.as_deref(),
            _ => None,
        }
    }

    /// The intent as it was when it was made, if it was confirmed in the same command: nothing to pay with, no charge.
    /// One that was not confirmed then is as it was made.
    pub fn as_created(&self) -> PaymentIntent {
        let untouched = self.charge_count == 0
            && self.last_error.is_none()
            && matches!(
                self.status,
                Status::RequiresPaymentMethod | Status::RequiresConfirmation { .. }
            );
        if untouched {
            return self.clone();
        }
        PaymentIntent {
            status: Status::RequiresPaymentMethod,
            payment_method: None,
            charges: Vec::new(),
            charge_count: 0,
            last_error: None,
            attempts: 0,
            ..self.clone()
        }
    }

    /// Remembers a new charge as the latest.
    pub(crate) fn add_charge(&mut self, charge: Id) {
        self.charges.insert(0, charge);
        self.charges.truncate(CHARGES_KEPT);
        self.charge_count += 1;
    }
}

impl CancellationReason {
    /// The reasons a request may give, in the order messages list them.
    pub const REQUESTABLE: [CancellationReason; 4] = [
        CancellationReason::Duplicate,
        CancellationReason::Fraudulent,
        CancellationReason::RequestedByCustomer,
        CancellationReason::Abandoned,
    ];
}
