//! Every operation of the API, collected from the resources' folders. The edge knows operations only from here.

use crate::accounts::{self, AccountShown};
use crate::balance::balance_transaction::{self, BalanceTransactionShown};
use crate::balance::{self, BalanceShown};
use crate::call::Call;
use crate::customers::customer::{self, CustomerShown};
use crate::customers::customer_balance_transaction::{self, CustomerBalanceTransactionShown};
use crate::customers::ephemeral_key::{self, EphemeralKeyShown};
use crate::customers::source::{self, DeletedCardShown, SourceShown};
use crate::customers::tax_id::{self, TaxIdShown};
use crate::events::{self, EventShown};
use crate::files::file::{self, FileShown};
use crate::files::file_link::{self, FileLinkShown};
use crate::kinds;
use crate::payments::bank_account::{BankAccountShown, DeletedBankAccountShown};
use crate::payments::card::HeldCardShown;
use crate::payments::charge::{self, ChargeShown};
use crate::payments::confirmation_token::{self, ConfirmationTokenShown};
use crate::payments::dispute::{self, DisputeShown};
use crate::payments::mandate::{self, MandateShown};
use crate::payments::payment_domain::{self, ApplePayDomainShown, PaymentMethodDomainShown};
use crate::payments::payment_intent::{self, PaymentIntentShown};
use crate::payments::payment_method::{self, PaymentMethodShown};
use crate::payments::payment_method_configuration::{self, PaymentMethodConfigurationShown};
use crate::payments::refund::{self, RefundShown};
use crate::payments::setup_attempt::{self, SetupAttemptShown};
use crate::payments::setup_intent::{self, SetupIntentShown};
use crate::payments::token::{self, TokenShown};
use crate::radar::early_fraud_warning::{self, EarlyFraudWarningShown};
use crate::radar::review::{self, ReviewShown};
use crate::search;
use crate::webhooks::deliveries;
use crate::webhooks::event_destination;
use crate::webhooks::webhook_endpoint::{self, WebhookEndpointShown};
use tollgate_resource::shown::HasShape;
use tollgate_resource::{Endpoint, Kind, Shape};

/// The operations of each resource.
const RESOURCES: &[&[&Endpoint<Call>]] = &[
    payment_intent::ENDPOINTS,
    charge::ENDPOINTS,
    refund::ENDPOINTS,
    dispute::ENDPOINTS,
    review::ENDPOINTS,
    file::ENDPOINTS,
    file_link::ENDPOINTS,
    early_fraud_warning::ENDPOINTS,
    customer::ENDPOINTS,
    customer_balance_transaction::ENDPOINTS,
    tax_id::ENDPOINTS,
    source::ENDPOINTS,
    source::CUSTOMER_ENDPOINTS,
    payment_method::ENDPOINTS,
    payment_method_configuration::ENDPOINTS,
    payment_domain::ENDPOINTS,
    token::ENDPOINTS,
    ephemeral_key::ENDPOINTS,
    confirmation_token::ENDPOINTS,
    balance::ENDPOINTS,
    accounts::ENDPOINTS,
    balance_transaction::ENDPOINTS,
    events::ENDPOINTS,
    search::ENDPOINTS,
    setup_intent::ENDPOINTS,
    setup_attempt::ENDPOINTS,
    mandate::ENDPOINTS,
    webhook_endpoint::ENDPOINTS,
    deliveries::ENDPOINTS,
    event_destination::ENDPOINTS,
    events::THIN_ENDPOINTS,
];

/// Every operation.
pub static ENDPOINTS: &[&Endpoint<Call>] = &ALL;

/// What an object of `kind` shows; for checks of expansion and for documents. `None` for kinds that are never shown.
pub fn shape_of(kind: &Kind) -> Option<&'static Shape> {
    SHAPES.iter().find(|(known, _)| *known == kind).map(|(_, shape)| *shape)
}

/// What an operation may answer with in place of `shape`: a customer's bank accounts and sources stand among the cards.
pub fn besides(shape: &Shape) -> &'static [&'static Shape] {
    const KEPT: &[&Shape] = &[BankAccountShown::SHAPE, SourceShown::SHAPE];
    const DELETED: &[&Shape] = &[DeletedBankAccountShown::SHAPE, SourceShown::SHAPE];
    if shape.name == HeldCardShown::SHAPE.name {
        KEPT
    } else if shape.name == DeletedCardShown::SHAPE.name {
        DELETED
    } else {
        &[]
    }
}

/// The balance, which has no kind because it has no id.
pub static BALANCE_SHAPE: &Shape = BalanceShown::SHAPE;

static SHAPES: &[(&Kind, &Shape)] = &[
    (&kinds::PAYMENT_INTENT, PaymentIntentShown::SHAPE),
    (&kinds::CHARGE, ChargeShown::SHAPE),
    (&kinds::REFUND, RefundShown::SHAPE),
    (&kinds::CUSTOMER, CustomerShown::SHAPE),
    (&kinds::BALANCE_TRANSACTION, BalanceTransactionShown::SHAPE),
    (&kinds::PAYMENT_METHOD, PaymentMethodShown::SHAPE),
    (
        &kinds::PAYMENT_METHOD_CONFIGURATION,
        PaymentMethodConfigurationShown::SHAPE,
    ),
    (&kinds::PAYMENT_METHOD_DOMAIN, PaymentMethodDomainShown::SHAPE),
    (&kinds::APPLE_PAY_DOMAIN, ApplePayDomainShown::SHAPE),
    (&kinds::TOKEN, TokenShown::SHAPE),
    (&kinds::EPHEMERAL_KEY, EphemeralKeyShown::SHAPE),
    (&kinds::CONFIRMATION_TOKEN, ConfirmationTokenShown::SHAPE),
    (&kinds::EVENT, EventShown::SHAPE),
    (&kinds::ACCOUNT, AccountShown::SHAPE),
    (&kinds::DISPUTE, DisputeShown::SHAPE),
    (&kinds::SETUP_INTENT, SetupIntentShown::SHAPE),
    (&kinds::SETUP_ATTEMPT, SetupAttemptShown::SHAPE),
    (&kinds::MANDATE, MandateShown::SHAPE),
    (&kinds::FILE, FileShown::SHAPE),
    (&kinds::FILE_LINK, FileLinkShown::SHAPE),
    (&kinds::REVIEW, ReviewShown::SHAPE),
    (&kinds::EARLY_FRAUD_WARNING, EarlyFraudWarningShown::SHAPE),
    (&kinds::SOURCE, SourceShown::SHAPE),
    (&kinds::CARD, HeldCardShown::SHAPE),
    (&kinds::TAX_ID, TaxIdShown::SHAPE),
    (&kinds::WEBHOOK_ENDPOINT, WebhookEndpointShown::SHAPE),
    (
        &kinds::CUSTOMER_BALANCE_TRANSACTION,
        CustomerBalanceTransactionShown::SHAPE,
    ),
];

const COUNT: usize = {
    let (mut count, mut at) = (0, 0);
    while at < RESOURCES.len() {
        count += RESOURCES[at].len();
        at += 1;
    }
    count
};

static ALL: [&Endpoint<Call>; COUNT] = {
    let mut all = [RESOURCES[0][0]; COUNT];
    let (mut count, mut at) = (0, 0);
    while at < RESOURCES.len() {
        let mut of_resource = 0;
        while of_resource < RESOURCES[at].len() {
            all[count] = RESOURCES[at][of_resource];
            count += 1;
            of_resource += 1;
        }
        at += 1;
    }
    all
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_routes_are_unique() {
        for (at, endpoint) in ENDPOINTS.iter().enumerate() {
            for other in &ENDPOINTS[at + 1..] {
                assert_ne!(endpoint.name, other.name);
                assert!(
                    endpoint.path != other.path || endpoint.method != other.method,
                    "{}",
                    endpoint.path
                );
            }
        }
    }

    #[test]
    fn what_is_shown_names_its_kind() {
        for (kind, shape) in SHAPES {
            assert_eq!(shape.object, Some(kind.object));
        }
    }
}
