//! Evidence that one network asks for: earlier payments that were not disputed (Visa compelling evidence 3.0), and the
//! merchant's word on a fee (Visa compliance).

use tollgate_resource::params::Update;
use tollgate_resource::{Names, Params, Record, Shown};

/// Earlier payments that Visa wants to see.
const PRIOR_WANTED: usize = 2;

/// What a network asks for.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct EnhancedEvidence {
    /// The disputed payment.
    #[record(1)]
    pub disputed: Option<Box<DisputedTransaction>>,
    /// Earlier payments that were not disputed.
    #[record(2)]
    pub prior: Vec<PriorTransaction>,
    /// Whether the merchant knows that a lost compliance dispute costs a fee; `None` while nothing was said.
    #[record(3)]
    pub fee_acknowledged: Option<bool>,
}

/// What a sale was of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum MerchandiseOrServices {
    /// Goods.
    #[record(1)]
    Merchandise,
    /// Services.
    #[record(2)]
    Services,
}

/// The disputed payment, as a network wants it described.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct DisputedTransaction {
    /// The customer's account with the merchant.
    #[record(1)]
    pub customer_account_id: Option<Box<str>>,
    /// A fingerprint of the customer's device.
    #[record(2)]
    pub customer_device_fingerprint: Option<Box<str>>,
    /// A number of the customer's device.
    #[record(3)]
    pub customer_device_id: Option<Box<str>>,
    /// The customer's email address.
    #[record(4)]
    pub customer_email_address: Option<Box<str>>,
    /// The address the customer bought from on the internet.
    #[record(5)]
    pub customer_purchase_ip: Option<Box<str>>,
    /// What was bought.
    #[record(6)]
    pub product_description: Option<Box<str>>,
    /// Where goods were sent.
    #[record(9)]
    pub shipping_address: Option<Box<TransactionAddress>>,
    /// What the sale was of.
    #[record(10)]
    pub merchandise_or_services: Option<MerchandiseOrServices>,
}

/// An earlier payment that was not disputed.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct PriorTransaction {
    /// The customer's account with the merchant.
    #[record(1)]
    pub customer_account_id: Option<Box<str>>,
    /// A fingerprint of the customer's device.
    #[record(2)]
    pub customer_device_fingerprint: Option<Box<str>>,
    /// A number of the customer's device.
    #[record(3)]
    pub customer_device_id: Option<Box<str>>,
    /// The customer's email address.
    #[record(4)]
    pub customer_email_address: Option<Box<str>>,
    /// The address the customer bought from on the internet.
    #[record(5)]
    pub customer_purchase_ip: Option<Box<str>>,
    /// What was bought.
    #[record(6)]
    pub product_description: Option<Box<str>>,
    /// Id of its charge.
    #[record(7)]
    pub charge: Option<Box<str>>,
    /// Where goods were sent.
    #[record(9)]
    pub shipping_address: Option<Box<TransactionAddress>>,
}

macro_rules! transaction {
    (
        $(#[doc = $doc:literal])* $stored:ident $params:ident $shown:ident
        texts { $($text:ident $max:literal $text_doc:literal;)* }
        rest { $($(#[doc = $rest_doc:literal])* $rest:ident: $rest_type:ty;)* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Params, Default, Clone, Debug)]
        pub struct $params {
            $(#[doc = $text_doc] #[param(max_len = $max)] pub $text: Update<Box<str>>,)*
            /// Where goods were sent.
            pub shipping_address: Option<TransactionAddressParams>,
            $($(#[doc = $rest_doc])* pub $rest: Option<$rest_type>,)*
        }

        $(#[doc = $doc])*
        #[derive(Shown)]
        pub struct $shown<'a> {
            $(#[doc = $text_doc] pub $text: Option<&'a str>,)*
            /// Where goods were sent.
            pub shipping_address: Option<TransactionAddressShown<'a>>,
            $($(#[doc = $rest_doc])* pub $rest: Option<$rest_type>,)*
        }

        impl $stored {
            fn update(&mut self, sent: &$params) {
                $(sent.$text.clone().apply_to(&mut self.$text);)*
                if let Some(sent) = &sent.shipping_address {
                    self.shipping_address.get_or_insert_default().update(sent);
                }
                $(self.$rest = sent.$rest.or(self.$rest);)*
            }
        }

        impl<'a> $shown<'a> {
            fn of(stored: &'a $stored) -> Self {
                $shown {
                    $($text: stored.$text.as_deref(),)*
                    shipping_address: stored.shipping_address.as_deref().map(TransactionAddressShown::of),
                    $($rest: stored.$rest,)*
                }
            }
        }
    };
}

transaction! {
    /// The disputed payment, as a network wants it described.
    DisputedTransaction DisputedTransactionParams DisputedTransactionShown
    texts {
        customer_account_id 5000 "The customer's account with the merchant.";
        customer_device_fingerprint 5000 "A fingerprint of the customer's device.";
        customer_device_id 5000 "A number of the customer's device.";
        customer_email_address 5000 "The customer's email address.";
        customer_purchase_ip 5000 "The address the customer bought from on the internet.";
        product_description 20000 "What was bought.";
    }
    rest {
        /// What the sale was of.
        merchandise_or_services: MerchandiseOrServices;
    }
}

transaction! {
    /// An earlier payment that was not disputed.
    PriorTransaction PriorTransactionParams PriorTransactionShown
    texts {
        customer_account_id 5000 "The customer's account with the merchant.";
        customer_device_fingerprint 5000 "A fingerprint of the customer's device.";
        customer_device_id 5000 "A number of the customer's device.";
        customer_email_address 5000 "The customer's email address.";
        customer_purchase_ip 5000 "The address the customer bought from on the internet.";
        product_description 20000 "What was bought.";
        charge 5000 "Id of its charge.";
    }
    rest {}
}

macro_rules! address {
    ($($number:literal $name:ident $doc:literal;)*) => {
        /// Where goods were sent.
        #[derive(Clone, Debug, Default, PartialEq, Record)]
        pub struct TransactionAddress {
            $(#[doc = $doc] #[record($number)] pub $name: Option<Box<str>>,)*
        }

        /// Where goods were sent.
        #[derive(Params, Default, Clone, Debug)]
        pub struct TransactionAddressParams {
            $(#[doc = $doc] pub $name: Update<Box<str>>,)*
        }

        /// Where goods were sent.
        #[derive(Shown)]
        pub struct TransactionAddressShown<'a> {
            $(#[doc = $doc] pub $name: Option<&'a str>,)*
        }

        impl TransactionAddress {
            fn update(&mut self, sent: &TransactionAddressParams) {
                $(sent.$name.clone().apply_to(&mut self.$name);)*
            }
        }

        impl<'a> TransactionAddressShown<'a> {
            fn of(stored: &'a TransactionAddress) -> Self {
                TransactionAddressShown { $($name: stored.$name.as_deref(),)* }
            }
        }
    };
}

address! {
    1 city "City.";
    2 country "Country, two letters.";
    3 line1 "First line.";
    4 line2 "Second line.";
    5 postal_code "Postal code.";
    6 state "State.";
}

/// What a network asks for, as it is sent.
#[derive(Params, Default, Clone, Debug)]
pub struct EnhancedEvidenceParams {
    /// Visa compelling evidence 3.0.
    pub visa_compelling_evidence_3: Option<CompellingEvidenceParams>,
    /// Visa compliance.
    pub visa_compliance: Option<ComplianceParams>,
}

/// Visa compelling evidence 3.0.
#[derive(Params, Default, Clone, Debug)]
pub struct CompellingEvidenceParams {
    /// The disputed payment.
    pub disputed_transaction: Option<DisputedTransactionParams>,
    /// Earlier payments that were not disputed.
    #[param(max_items = 20)]
    pub prior_undisputed_transactions: Vec<PriorTransactionParams>,
}

/// Visa compliance.
#[derive(Params, Default, Clone, Debug)]
pub struct ComplianceParams {
    /// Whether the merchant knows that losing costs a fee.
    pub fee_acknowledged: Option<bool>,
}

impl EnhancedEvidence {
    /// Takes over what was sent; a list of earlier payments replaces the one before.
    pub(super) fn update(&mut self, sent: &EnhancedEvidenceParams) {
        if let Some(sent) = &sent.visa_compelling_evidence_3 {
            if let Some(sent) = &sent.disputed_transaction {
                self.disputed.get_or_insert_default().update(sent);
            }
            if !sent.prior_undisputed_transactions.is_empty() {
                let stored = |sent: &PriorTransactionParams| {
                    let mut stored = PriorTransaction::default();
                    stored.update(sent);
                    stored
                };
                self.prior = sent.prior_undisputed_transactions.iter().map(stored).collect();
            }
        }
        if let Some(sent) = &sent.visa_compliance {
            self.fee_acknowledged = sent.fee_acknowledged.or(self.fee_acknowledged);
        }
    }
}

/// What a network asks for; empty while nothing was said.
#[derive(Shown)]
pub struct EnhancedEvidenceShown<'a> {
    /// Visa compelling evidence 3.0.
    #[shown(omit)]
    pub visa_compelling_evidence_3: Option<CompellingEvidenceShown<'a>>,
    /// Visa compliance.
    #[shown(omit)]
    pub visa_compliance: Option<ComplianceShown>,
}

/// Visa compelling evidence 3.0.
#[derive(Shown)]
pub struct CompellingEvidenceShown<'a> {
    /// The disputed payment.
    pub disputed_transaction: Option<DisputedTransactionShown<'a>>,
    /// Earlier payments that were not disputed.
    pub prior_undisputed_transactions: Vec<PriorTransactionShown<'a>>,
}

/// Visa compliance.
#[derive(Shown)]
pub struct ComplianceShown {
    /// Whether the merchant knows that losing costs a fee.
    pub fee_acknowledged: bool,
}

impl<'a> EnhancedEvidenceShown<'a> {
    pub(super) fn of(stored: Option<&'a EnhancedEvidence>) -> Self {
        let said = stored.filter(|stored| stored.disputed.is_some() || !stored.prior.is_empty());
        EnhancedEvidenceShown {
            visa_compelling_evidence_3: said.map(|stored| CompellingEvidenceShown {
                disputed_transaction: stored.disputed.as_deref().map(DisputedTransactionShown::of),
                prior_undisputed_transactions: stored.prior.iter().map(PriorTransactionShown::of).collect(),
            }),
            visa_compliance: stored
                .and_then(|stored| stored.fee_acknowledged)
                .map(|fee_acknowledged| ComplianceShown { fee_acknowledged }),
        }
    }
}

/// Something that Visa's compelling evidence 3.0 still wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
#[expect(clippy::enum_variant_names, reason = "the public names begin so")]
pub enum RequiredAction {
    /// Nothing identifies the customer.
    MissingCustomerIdentifiers,
    /// What was bought is not described.
    MissingDisputedTransactionDescription,
    /// It is not said whether goods or services were sold.
    MissingMerchandiseOrServices,
    /// What was bought earlier is not described.
    MissingPriorUndisputedTransactionDescription,
    /// There are too few earlier payments.
    MissingPriorUndisputedTransactions,
}

/// What is missing for Visa's compelling evidence 3.0.
pub(super) fn required_actions(stored: Option<&EnhancedEvidence>) -> Vec<RequiredAction> {
    let none = EnhancedEvidence::default();
    let stored = stored.unwrap_or(&none);
    let disputed = stored.disputed.clone().unwrap_or_default();
    let identified = [
        &disputed.customer_account_id,
        &disputed.customer_device_fingerprint,
        &disputed.customer_device_id,
        &disputed.customer_email_address,
        &disputed.customer_purchase_ip,
    ];
    let wanted = [
        (
            identified.iter().all(|text| text.is_none()),
            RequiredAction::MissingCustomerIdentifiers,
        ),
        (
            disputed.product_description.is_none(),
            RequiredAction::MissingDisputedTransactionDescription,
        ),
        (
            disputed.merchandise_or_services.is_none(),
            RequiredAction::MissingMerchandiseOrServices,
        ),
        (
            stored.prior.iter().any(|prior| prior.product_description.is_none()),
            RequiredAction::MissingPriorUndisputedTransactionDescription,
        ),
        (
            stored.prior.len() < PRIOR_WANTED,
            RequiredAction::MissingPriorUndisputedTransactions,
        ),
    ];
    wanted
        .into_iter()
        .filter_map(|(missing, action)| missing.then_some(action))
        .collect()
}
