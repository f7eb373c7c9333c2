//! What only few payment intents say; it stands behind one pointer, so that the others do not pay for it.

use super::amount_details::AmountDetails;
use super::card_options::PaymentCardOptions;
use super::{BankOptions, CaptureMethod, FutureUsage, PaymentIntent, RedirectOptions};
use crate::payments::authentication::{Claims, ThreeDSecureRequest};
use crate::payments::bank_account::VerificationMethod;
use crate::payments::mandate::Acceptance;
use crate::payments::payment_method::{PaymentMethodType, PaymentRadarOptionsParams};
use tollgate_resource::{Id, Params, Record, Shown, Update};

/// What only few payment intents say.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct Particulars {
    /// Settings of card payments.
    #[record(1)]
    pub card: PaymentCardOptions,
    /// What the amount is made of.
    #[record(2)]
    pub amount_details: Option<AmountDetails>,
    /// The merchant's references for its customer and for the order.
    #[record(3)]
    pub payment_details: Option<PaymentDetails>,
    /// Types of payment method that may not be used.
    #[record(4)]
    pub excluded_types: Vec<Box<str>>,
    /// How often the held amount was raised.
    #[record(5)]
    pub increments: u32,
    /// The customer's agreement that came with the newest confirmation, until a payment made it a mandate.
    #[record(6)]
    pub agreement: Option<Acceptance>,
    /// The mandate that the newest confirmation names.
    #[record(7)]
    pub mandate: Option<Id>,
    /// The types of payment methods it can be paid with; none where it is cards alone.
    #[record(8)]
    pub types: Vec<PaymentMethodType>,
    /// Settings of bank debits.
    #[record(9)]
    pub bank: Option<Box<BankOptions>>,
    /// The configuration of payment methods that was named.
    #[record(10)]
    pub configuration: Option<Id>,
    /// Types of payment methods that may be used, as they were listed.
    #[record(11)]
    pub allowed_types: Vec<Box<str>>,
    /// Settings of types that are agreed to on another company's page, by name; one for each type at most.
    #[record(12)]
    pub redirects: Vec<RedirectOptions>,
    /// The newest review of its payment.
    #[record(40)]
    pub review: Option<Id>,
}

/// References of the merchant's for a payment.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct PaymentDetails {
    /// For the customer.
    #[record(1)]
    pub customer_reference: Option<Box<str>>,
    /// For the order.
    #[record(2)]
    pub order_reference: Option<Box<str>>,
}

/// References of the merchant's for a payment, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct PaymentDetailsParams {
    /// For the customer.
    pub customer_reference: Update<Box<str>>,
    /// For the order.
    pub order_reference: Update<Box<str>>,
}

/// References of the merchant's for a payment.
#[derive(Shown)]
pub struct PaymentDetailsShown<'a> {
    /// For the customer.
    pub customer_reference: Option<&'a str>,
    /// For the order.
    pub order_reference: Option<&'a str>,
}

impl PaymentDetailsParams {
    /// Merges what is given into what is kept; nothing is left when both references are gone.
    pub(super) fn apply_to(&self, kept: &mut Option<PaymentDetails>) {
        let mut details = kept.take().unwrap_or_default();
        self.customer_reference
            .clone()
            .apply_to(&mut details.customer_reference);
        self.order_reference.clone().apply_to(&mut details.order_reference);
        *kept = Some(details).filter(|details| *details != PaymentDetails::default());
    }
}

impl<'a> From<&'a PaymentDetails> for PaymentDetailsShown<'a> {
    fn from(details: &'a PaymentDetails) -> Self {
        PaymentDetailsShown {
            customer_reference: details.customer_reference.as_deref(),
            order_reference: details.order_reference.as_deref(),
        }
    }
}

impl PaymentIntent {
    /// Takes away the customer's agreement, if the newest confirmation brought one.
    pub(super) fn take_agreement(&mut self) -> Option<Acceptance> {
        self.particulars.as_ref()?.agreement.as_ref()?;
        self.with_particulars(|particulars| particulars.agreement.take())
    }

    /// The mandate it is paid under, if the newest confirmation names one.
    pub fn mandate(&self) -> Option<Id> {
        self.particulars.as_ref()?.mandate
    }

    /// Changes the particulars; they are dropped when nothing is left in them.
    pub(super) fn with_particulars<R>(&mut self, change: impl FnOnce(&mut Particulars) -> R) -> R {
        let mut particulars = self.particulars.take().unwrap_or_default();
        let result = change(&mut particulars);
        self.particulars = Some(particulars).filter(|particulars| **particulars != Particulars::default());
        result
    }

    /// Settings of card payments, where there are any.
    pub fn card_options(&self) -> Option<&PaymentCardOptions> {
        self.particulars.as_deref().map(|particulars| &particulars.card)
    }

    /// Whether a payment by that type is only held until the merchant captures it.
    pub fn holds(&self, kind: PaymentMethodType) -> bool {
        let own = || match kind {
            PaymentMethodType::Card => self.card_options().is_some_and(|card| card.manual_capture),
            kind => self
                .redirect_options(kind)
                .is_some_and(|options| options.manual_capture),
        };
        self.capture_method == CaptureMethod::Manual || own()
    }

    /// How what pays by that type, a card or on another company's page, is to be used later, if it is to be saved.
    pub fn saves_for(&self, kind: PaymentMethodType) -> Option<FutureUsage> {
        let own = match kind {
            PaymentMethodType::Card => self.card_options().and_then(|card| card.setup_future_usage),
            kind => self
                .redirect_options(kind)
                .and_then(|options| options.setup_future_usage),
        };
        match own {
            Some(own) => own.usage(),
            None => self.setup_future_usage,
        }
    }

    /// Takes over what the fraud checks are given.
    pub(super) fn note_radar_options(&mut self, asked: Option<&PaymentRadarOptionsParams>) {
        if asked.is_some_and(|asked| !asked.skip_rules.is_empty()) {
            self.with_particulars(|particulars| particulars.card.claims.get_or_insert_default().skips_rules = true);
        }
    }

    /// What the merchant says of how the payment came about.
    pub fn claims(&self) -> Option<&Claims> {
        self.card_options()?.claims.as_deref()
    }

    /// Settings of bank debits, where there are any.
    pub fn bank_options(&self) -> Option<&BankOptions> {
        self.particulars.as_deref()?.bank.as_deref()
    }

    /// How the ownership of a bank account is to be shown, where that was said.
    pub fn verification(&self) -> Option<VerificationMethod> {
        self.bank_options()?.verification
    }

    /// How a bank account that is debited is to be used later, if it is to be saved.
    pub fn saves_debit(&self) -> Option<FutureUsage> {
        match self.bank_options().and_then(|bank| bank.setup_future_usage) {
            Some(own) => own.usage(),
            None => self.setup_future_usage,
        }
    }

    /// When a card's holder is to be asked to prove who they are.
    pub fn three_d_secure_request(&self) -> ThreeDSecureRequest {
        let own = self.card_options().and_then(|card| card.request_three_d_secure);
        own.unwrap_or_default()
    }
}
