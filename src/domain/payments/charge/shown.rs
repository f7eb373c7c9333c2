//! What a charge shows.

use super::shown_bank::ChargeBankShown;
use super::shown_card::{ChargeCardShown, PaymentMethodDetailsShown};
use super::shown_redirect::ChargeRedirectsShown;
use super::{Charge, ChargeState, ChargeStatus, PaidWith, ReceiptToken, UserReport};
use crate::address::ShippingShown;
use crate::customers::source::SourceShown;
use crate::kinds;
use crate::money::Currency;
use crate::object::ShowContext;
use crate::payments::bank_account::BankAccountShown;
use crate::payments::card::HeldCardShown;
use crate::payments::payment_method::{BillingDetailsShown, Decline, SkippedRules, no_billing_details};
use crate::radar::{BlockRule, Risk};
use tollgate_resource::shown::{HasShape, Ident, Seconds};
use tollgate_resource::{Metadata, Names, Ref, Shown, ShownValue, SubList, Value, ValueKind};

/// One attempt to move money.
#[derive(Shown)]
#[shown(object = "charge")]
pub struct ChargeShown<'a> {
    /// Unique identifier of the charge.
    pub id: Ident,
    /// What was asked for, in the currency's minor units.
    pub amount: i64,
    /// What was captured, in minor units.
    pub amount_captured: i64,
    /// What was given back, in minor units.
    pub amount_refunded: i64,
    /// The Connect application that made it.
    #[shown(expand)]
    pub application: Option<Ref>,
    /// The platform's fee.
    #[shown(expand)]
    pub application_fee: Option<Ref>,
    /// What the platform takes, in minor units.
    pub application_fee_amount: Option<i64>,
    /// The movement of the balance; null until something is captured.
    #[shown(expand)]
    pub balance_transaction: Option<Ref>,
    /// Who is billed.
    pub billing_details: BillingDetailsShown<'a>,
    /// What the cardholder reads.
    pub calculated_statement_descriptor: Option<&'a str>,
    /// Whether it was captured, wholly or in part.
    pub captured: bool,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Three-letter code of the currency.
    pub currency: Currency,
    /// Who pays.
    #[shown(expand)]
    pub customer: Option<Ref>,
    /// Free text for the merchant.
    pub description: Option<&'a str>,
    /// The connected account the money went to, for older integrations.
    pub destination: Option<&'a str>,
    /// The dispute about it.
    #[shown(expand, included_until = 20170214)]
    pub dispute: Option<Ref>,
    /// Whether it is disputed.
    pub disputed: bool,
    /// The movement that undid the capture when the payment failed afterwards.
    #[shown(expand)]
    pub failure_balance_transaction: Option<Ref>,
    /// Stable code of why it failed.
    pub failure_code: Option<&'a str>,
    /// Why it failed, for the payer.
    pub failure_message: Option<&'a str>,
    /// Reports of fraud.
    pub fraud_details: FraudDetailsShown,
    /// The invoice it paid.
    #[shown(expand, until = 20250331)]
    pub invoice: Option<Ref>,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The merchant's pairs.
    pub metadata: &'a Metadata,
    /// The connected account on whose behalf it was made.
    #[shown(expand)]
    pub on_behalf_of: Option<Ref>,
    /// The order it paid, for older integrations.
    pub order: Option<&'a str>,
    /// How the network and the bank took it; null while that is not known.
    pub outcome: Option<OutcomeShown<'a>>,
    /// Whether it was paid, or held to be paid.
    pub paid: bool,
    /// The intent it was made for.
    #[shown(expand)]
    pub payment_intent: Option<Ref>,
    /// Id of what was paid with.
    pub payment_method: Ident,
    /// What was paid with, as it was then.
    pub payment_method_details: PaymentMethodDetailsShown<'a>,
    /// What the fraud checks were given.
    pub radar_options: RadarOptionsShown<'a>,
    /// Where the receipt goes.
    pub receipt_email: Option<&'a str>,
    /// Number of the receipt.
    pub receipt_number: Option<&'a str>,
    /// Page of the receipt, for whoever has its address; null until the charge has succeeded.
    pub receipt_url: Option<String>,
    /// Whether all of it was given back.
    pub refunded: bool,
    /// Its refunds, newest first.
    #[shown(included_until = 20221115)]
    pub refunds: SubList<'a>,
    /// Its review by a person.
    #[shown(expand)]
    pub review: Option<Ref>,
    /// Where goods are sent.
    pub shipping: Option<ShippingShown<'a>>,
    /// The card or source of a charge that was made without an intent.
    pub source: Option<PaidWithShown<'a>>,
    /// The transfer it came from.
    #[shown(expand)]
    pub source_transfer: Option<Ref>,
    /// What the cardholder reads, as it was asked for.
    pub statement_descriptor: Option<&'a str>,
    /// What the cardholder reads behind the account's prefix, as it was asked for.
    pub statement_descriptor_suffix: Option<&'a str>,
    /// Whether it succeeded.
    pub status: ChargeStatus,
    /// The connected account the money goes to.
    pub transfer_data: Option<&'a str>,
    /// Groups payments and transfers.
    pub transfer_group: Option<&'a str>,
}

/// Reports of fraud; empty when there is none.
#[derive(Shown)]
pub struct FraudDetailsShown {
    /// What the merchant says.
    #[shown(omit)]
    pub user_report: Option<UserReport>,
}

/// What the fraud checks were given; empty when nothing was.
#[derive(Shown)]
pub struct RadarOptionsShown<'a> {
    /// The session of the browser.
    #[shown(omit)]
    pub session: Option<&'a str>,
    /// The rules of risk that were not asked.
    #[shown(omit)]
    pub skip_rules: Option<Vec<SkippedRules>>,
}

/// How the network and the bank took a charge.
#[derive(Shown)]
pub struct OutcomeShown<'a> {
    /// What the merchant may do next.
    pub advice_code: Option<&'a str>,
    /// What the network advises.
    pub network_advice_code: Option<&'a str>,
    /// The network's own code of a refusal.
    pub network_decline_code: Option<&'a str>,
    /// What the network did.
    pub network_status: &'a str,
    /// Why it was refused.
    pub reason: Option<&'a str>,
    /// How risky it looks.
    pub risk_level: &'a str,
    /// How risky it looks, from 0 to 100; left out where nobody looked.
    #[shown(omit)]
    pub risk_score: Option<i64>,
    /// The rule that stopped it, or had it reviewed.
    #[shown(omit)]
    pub rule: Option<&'a str>,
    /// What the merchant should know.
    pub seller_message: String,
    /// How it ended.
    #[shown(name = "type")]
    pub kind: OutcomeType,
}

/// How a charge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum OutcomeType {
    /// The bank said yes.
    Authorized,
    /// A rule stopped it.
    Blocked,
    /// The bank said no.
    IssuerDeclined,
    /// The bank said yes, and a person should look at it.
    ManualReview,
}

impl Charge {
    /// Builds what is shown and passes it on.
    pub fn with_shown<R>(&self, context: &ShowContext<'_>, with: impl FnOnce(&dyn Shown) -> R) -> R {
        let source = self.source();
        with(&ChargeShown::of(self, source.as_ref(), context))
    }
}

/// A card or a source of the older API. Written by hand, because it is one of two objects.
pub enum PaidWithShown<'a> {
    /// A card.
    Card(Box<HeldCardShown<'a>>),
    /// A bank account.
    Bank(Box<BankAccountShown<'a>>),
    /// A source.
    Source(Box<SourceShown<'a>>),
}

impl<'a> PaidWithShown<'a> {
    fn of(source: &'a PaidWith, charge: &Charge, context: &ShowContext<'_>) -> Self {
        match source {
            PaidWith::Card(held) => {
                let (id, customer) = (charge.payment_method, charge.customer);
                let shown = HeldCardShown::of(held, id, customer, context.secrets);
                PaidWithShown::Card(Box::new(shown.expect("a card is kept under the id of a card")))
            }
            PaidWith::Bank(method) => {
                let bank = method.instrument.bank().expect("it is kept as a bank account");
                PaidWithShown::Bank(Box::new(BankAccountShown::of_saved(bank, method, context)))
            }
            PaidWith::Source(source) => PaidWithShown::Source(Box::new(SourceShown::of(source, context))),
        }
    }
}

impl ShownValue for PaidWithShown<'_> {
    // Nearly always a card; sources came between cards and payment methods.
    const KIND: ValueKind = ValueKind::Node(HeldCardShown::SHAPE);
    fn shown(&self) -> Value<'_> {
        match self {
            PaidWithShown::Card(card) => Value::Node(&**card),
            PaidWithShown::Bank(bank) => Value::Node(&**bank),
            PaidWithShown::Source(source) => Value::Node(&**source),
        }
    }
}

impl<'a> ChargeShown<'a> {
    /// What `charge` shows; `source` is its [`Charge::source`].
    pub fn of(charge: &'a Charge, source: Option<&'a PaidWith>, context: &ShowContext<'_>) -> Self {
        let decline = match charge.state {
            ChargeState::Failed { decline } => {
                Some(Decline::by_number(decline).expect("numbers of declines are never withdrawn"))
            }
            _ => None,
        };
        let decided = !matches!(charge.state, ChargeState::Pending { .. });
        let id = Ident {
            kind: &kinds::CHARGE,
            id: charge.id,
        };
        let bank = ChargeBankShown::of(charge, context);
        let is_ach = bank.ach_debit.is_some();
        let pending = charge.state == ChargeState::Debiting;
        let redirect = ChargeRedirectsShown::of(charge);
        ChargeShown {
            id,
            amount: charge.amount,
            amount_captured: if pending {
                charge.amount
            } else {
                charge.amount_captured()
            },
            amount_refunded: charge.amount_refunded(),
            application: None,
            application_fee: None,
            application_fee_amount: None,
            balance_transaction: charge.balance_transaction().map(|id| Ref {
                kind: &kinds::BALANCE_TRANSACTION,
                id,
            }),
            billing_details: charge.seen.as_deref().map_or_else(no_billing_details, |seen| {
                BillingDetailsShown::from(&seen.details.billing)
            }),
            calculated_statement_descriptor: charge.calculated_statement_descriptor.as_deref(),
            captured: pending || matches!(charge.state, ChargeState::Captured { .. }),
            created: Seconds(charge.id.created()),
            currency: charge.currency,
            customer: charge.customer.map(|id| Ref {
                kind: &kinds::CUSTOMER,
                id,
            }),
            description: charge.description.as_deref(),
            destination: None,
            dispute: charge.dispute().map(|id| Ref {
                kind: &kinds::DISPUTE,
                id,
            }),
            disputed: charge.dispute().is_some(),
            failure_balance_transaction: None,
            failure_code: decline.map(|decline| decline.code),
            failure_message: decline.map(|decline| decline.message),
            fraud_details: FraudDetailsShown {
                user_report: charge.concerns.as_deref().and_then(|concerns| concerns.user_report),
            },
            invoice: None,
            livemode: context.livemode,
            metadata: &charge.metadata,
            on_behalf_of: None,
            order: None,
            outcome: decided.then(|| OutcomeShown::of(charge, decline)),
            paid: decided && decline.is_none() && !pending,
            payment_intent: charge.payment_intent.map(|id| Ref {
                kind: &kinds::PAYMENT_INTENT,
                id,
            }),
            payment_method: Ident {
                kind: kinds::of_method(charge.payment_method),
                id: charge.payment_method,
            },
            payment_method_details: PaymentMethodDetailsShown {
                ach_debit: bank.ach_debit,
                acss_debit: bank.acss_debit,
                au_becs_debit: bank.au_becs_debit,
                bacs_debit: bank.bacs_debit,
                card: ChargeCardShown::of(charge, context, decided && decline.is_none()),
                affirm: redirect.affirm,
                afterpay_clearpay: redirect.afterpay_clearpay,
                alipay: redirect.alipay,
                amazon_pay: redirect.amazon_pay,
                bancontact: redirect.bancontact,
                eps: redirect.eps,
                ideal: redirect.ideal,
                klarna: redirect.klarna,
                link: redirect.link,
                p24: redirect.p24,
                paypal: redirect.paypal,
                revolut_pay: redirect.revolut_pay,
                sepa_debit: bank.sepa_debit,
                kind: if is_ach {
                    "ach_debit"
                } else {
                    charge.instrument.kind().name()
                },
                us_bank_account: bank.us_bank_account,
            },
            radar_options: RadarOptionsShown {
                session: charge
                    .seen
                    .as_deref()
                    .and_then(|seen| seen.details.radar_session.as_deref()),
                skip_rules: charge.skips_rules().then(|| vec![SkippedRules::All]),
            },
            receipt_email: charge.receipt_email.as_deref(),
            receipt_number: None,
            receipt_url: ReceiptToken::of(charge, context).map(|token| token.url(context)),
            refunded: charge.is_refunded(),
            refunds: SubList {
                kind: &kinds::REFUND,
                also: &[],
                ids: &charge.refunds,
                has_more: charge.refund_count as usize > charge.refunds.len(),
                total: u64::from(charge.refund_count),
                url: match charge.revised {
                    true => "/v1/charges/{}/refunds",
                    false => "/v1/refunds?charge=",
                },
                of: Some(id),
            },
            review: charge
                .concerns
                .as_deref()
                .and_then(|concerns| concerns.review)
                .map(|id| Ref {
                    kind: &kinds::REVIEW,
                    id,
                }),
            shipping: charge.shipping.as_deref().map(ShippingShown::from),
            source: source.map(|source| PaidWithShown::of(source, charge, context)),
            source_transfer: None,
            statement_descriptor: charge.statement_descriptor.as_deref(),
            statement_descriptor_suffix: charge.statement_descriptor_suffix.as_deref(),
            status: charge.status(),
            transfer_data: None,
            transfer_group: charge.transfer_group.as_deref(),
        }
    }
}

impl OutcomeShown<'_> {
    /// What became of a payment that was declined, or not, and looked risky, or like any other.
    fn of(charge: &Charge, decline: Option<&'static Decline>) -> OutcomeShown<'static> {
        let risk = charge.concerns.as_deref().and_then(|concerns| concerns.risk);
        let is_card = charge.instrument.card().is_some();
        let blocked = match risk {
            Some(Risk::Blocked { rule, .. }) => Some(rule),
            _ => None,
        };
        let kind = match (decline, blocked, risk) {
            (_, Some(_), _) => OutcomeType::Blocked,
            (Some(_), None, _) => OutcomeType::IssuerDeclined,
            (None, None, Some(Risk::Reviewed)) => OutcomeType::ManualReview,
            (None, None, _) => OutcomeType::Authorized,
        };
        // A blocked payment did not reach the network, so that it gave no codes.
        let codes = decline.filter(|_| blocked.is_none());
        OutcomeShown {
            advice_code: codes.and_then(|decline| decline.advice_code),
            network_advice_code: codes.and_then(|decline| decline.network_advice_code),
            network_decline_code: codes.and_then(|decline| decline.network_decline_code),
            network_status: match kind {
                OutcomeType::Blocked => "not_sent_to_network",
                OutcomeType::IssuerDeclined => "declined_by_network",
                OutcomeType::ManualReview | OutcomeType::Authorized => "approved_by_network",
            },
            reason: match (blocked, kind) {
                (Some(BlockRule::HighRisk), _) => Some("highest_risk_level"),
                (Some(_), _) => Some("rule"),
                (None, OutcomeType::ManualReview) => Some("elevated_risk_level"),
                (None, _) => decline.and_then(|decline| decline.decline_code),
            },
            risk_level: risk.map_or(if is_card { "normal" } else { "not_assessed" }, Risk::level),
            risk_score: risk.map(Risk::score).or(is_card.then_some(0)),
            rule: match (blocked, kind) {
                (Some(rule), _) => Some(rule.name()),
                (None, OutcomeType::ManualReview) => Some("manual_review_if_elevated_risk"),
                (None, _) => None,
            },
            seller_message: match (blocked, kind, decline) {
                (Some(BlockRule::HighRisk), ..) => "Stripe blocked this payment as too risky.".into(),
                (Some(BlockRule::CvcFails), ..) => "A rule blocked this payment: the security code is wrong.".into(),
                (Some(BlockRule::PostalCodeFails), ..) => {
                    "A rule blocked this payment: the postal code is wrong.".into()
                }
                (None, OutcomeType::ManualReview, _) => {
                    "Stripe evaluated this payment as having elevated risk, and placed it in your manual review queue."
                        .into()
                }
                (None, _, Some(decline)) => decline.seller_message(),
                (None, _, None) => "Payment complete.".into(),
            },
            kind,
        }
    }
}
