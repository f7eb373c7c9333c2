//! Events: what happened, in order. An event is stored as its type and the object it is about; what it shows is the
//! version of that object in the same record, so no snapshot is kept.

mod params;
mod shown;
mod thin;

pub use params::{ENDPOINTS, ListEvents};
pub use shown::{EventDataShown, EventShown};
pub use thin::{ListThinEvents, THIN_ENDPOINTS, ThinEventShown, ThinEventsShown};

use crate::kinds;
use crate::object::Object;
use tollgate_resource::{Id, Kind, Names, Record};

/// Types of events. Names are public; numbers are stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Names, Record)]
pub enum EventType {
    /// A payment intent was made.
    #[record(1)]
    #[name = "payment_intent.created"]
    PaymentIntentCreated,
    /// A payment intent's money arrived.
    #[record(2)]
    #[name = "payment_intent.succeeded"]
    PaymentIntentSucceeded,
    /// An attempt to pay failed.
    #[record(3)]
    #[name = "payment_intent.payment_failed"]
    PaymentIntentPaymentFailed,
    /// A payment intent was given up.
    #[record(4)]
    #[name = "payment_intent.canceled"]
    PaymentIntentCanceled,
    /// Money is held and can be captured.
    #[record(5)]
    #[name = "payment_intent.amount_capturable_updated"]
    PaymentIntentAmountCapturableUpdated,
    /// The network has not answered in time; the outcome is being found out.
    #[record(6)]
    #[name = "payment_intent.processing"]
    PaymentIntentProcessing,
    /// A charge was authorised, and captured unless it is a hold.
    #[record(7)]
    #[name = "charge.succeeded"]
    ChargeSucceeded,
    /// A charge was declined.
    #[record(8)]
    #[name = "charge.failed"]
    ChargeFailed,
    /// A hold was captured.
    #[record(9)]
    #[name = "charge.captured"]
    ChargeCaptured,
    /// Money of a charge was given back, or a hold was released by a cancellation.
    #[record(10)]
    #[name = "charge.refunded"]
    ChargeRefunded,
    /// A hold was not captured in time.
    #[record(11)]
    #[name = "charge.expired"]
    ChargeExpired,
    /// A refund of a charge changed.
    #[record(12)]
    #[name = "charge.refund.updated"]
    ChargeRefundUpdated,
    /// A refund was made.
    #[record(13)]
    #[name = "refund.created"]
    RefundCreated,
    /// A refund changed, for example because its reference at the network is known.
    #[record(14)]
    #[name = "refund.updated"]
    RefundUpdated,
    /// A customer was made.
    #[record(15)]
    #[name = "customer.created"]
    CustomerCreated,
    /// A customer changed.
    #[record(16)]
    #[name = "customer.updated"]
    CustomerUpdated,
    /// A payment method was saved to a customer.
    #[record(17)]
    #[name = "payment_method.attached"]
    PaymentMethodAttached,
    /// The payer must do something before a payment can go on.
    #[record(18)]
    #[name = "payment_intent.requires_action"]
    PaymentIntentRequiresAction,
    /// A payment method was taken from its customer.
    #[record(40)]
    #[name = "payment_method.detached"]
    PaymentMethodDetached,
    /// A payment method changed.
    #[record(41)]
    #[name = "payment_method.updated"]
    PaymentMethodUpdated,
    /// A customer was deleted.
    #[record(50)]
    #[name = "customer.deleted"]
    CustomerDeleted,
    /// A setup intent was made.
    #[record(30)]
    #[name = "setup_intent.created"]
    SetupIntentCreated,
    /// A payment method is ready for payments to come.
    #[record(31)]
    #[name = "setup_intent.succeeded"]
    SetupIntentSucceeded,
    /// A try to set a payment method up failed.
    #[record(32)]
    #[name = "setup_intent.setup_failed"]
    SetupIntentSetupFailed,
    /// The cardholder must do something before a setup can go on.
    #[record(33)]
    #[name = "setup_intent.requires_action"]
    SetupIntentRequiresAction,
    /// A setup intent was given up.
    #[record(34)]
    #[name = "setup_intent.canceled"]
    SetupIntentCanceled,
    /// A charge changed.
    #[record(65)]
    #[name = "charge.updated"]
    ChargeUpdated,
    /// A charge was disputed.
    #[record(75)]
    #[name = "charge.dispute.created"]
    DisputeCreated,
    /// A dispute was answered, or became more than a question.
    #[record(76)]
    #[name = "charge.dispute.updated"]
    DisputeUpdated,
    /// A dispute came to its end.
    #[record(77)]
    #[name = "charge.dispute.closed"]
    DisputeClosed,
    /// A dispute took its amount.
    #[record(78)]
    #[name = "charge.dispute.funds_withdrawn"]
    DisputeFundsWithdrawn,
    /// A dispute gave its amount back.
    #[record(79)]
    #[name = "charge.dispute.funds_reinstated"]
    DisputeFundsReinstated,
    /// An issuer reported fraud.
    #[record(80)]
    #[name = "radar.early_fraud_warning.created"]
    EarlyFraudWarningCreated,
    /// A report of fraud changed: nothing is left to do about it.
    #[record(81)]
    #[name = "radar.early_fraud_warning.updated"]
    EarlyFraudWarningUpdated,
    /// A payment should be looked at.
    #[record(82)]
    #[name = "review.opened"]
    ReviewOpened,
    /// A payment was looked at, or need not be any more.
    #[record(83)]
    #[name = "review.closed"]
    ReviewClosed,
    /// A file was uploaded.
    #[record(84)]
    #[name = "file.created"]
    FileCreated,
    /// A refund came back.
    #[record(66)]
    #[name = "refund.failed"]
    RefundFailed,
    /// A card or source was saved to a customer.
    #[record(51)]
    #[name = "customer.source.created"]
    CustomerSourceCreated,
    /// A card or source of a customer changed.
    #[record(52)]
    #[name = "customer.source.updated"]
    CustomerSourceUpdated,
    /// A card or source was taken from its customer.
    #[record(53)]
    #[name = "customer.source.deleted"]
    CustomerSourceDeleted,
    /// A source can be charged.
    #[record(57)]
    #[name = "source.chargeable"]
    SourceChargeable,
    /// A mandate changed: money may not be taken under it any more.
    #[record(101)]
    #[name = "mandate.updated"]
    MandateUpdated,
    /// A tax id was given to a customer.
    #[record(54)]
    #[name = "customer.tax_id.created"]
    CustomerTaxIdCreated,
    /// A register answered about a customer's tax id.
    #[record(55)]
    #[name = "customer.tax_id.updated"]
    CustomerTaxIdUpdated,
    /// A customer's tax id was deleted.
    #[record(56)]
    #[name = "customer.tax_id.deleted"]
    CustomerTaxIdDeleted,
    /// A bank was asked for the money of a charge, or a remote network has not answered about it in time.
    #[record(120)]
    #[name = "charge.pending"]
    ChargePending,
    /// No delivery to a webhook endpoint has succeeded for long. Only Tollgate has it.
    #[record(130)]
    #[name = "webhook_endpoint.failing"]
    WebhookEndpointFailing,
    /// A webhook endpoint was disabled, because nothing could be delivered to it. Only Tollgate has it.
    #[record(131)]
    #[name = "webhook_endpoint.disabled"]
    WebhookEndpointDisabled,
}

impl EventType {
    /// The kind of the object the event is about.
    pub fn subject(self) -> &'static Kind {
        use EventType::*;
        match self {
            PaymentIntentCreated
            | PaymentIntentSucceeded
            | PaymentIntentPaymentFailed
            | PaymentIntentCanceled
            | PaymentIntentAmountCapturableUpdated
            | PaymentIntentProcessing
            | PaymentIntentRequiresAction => &kinds::PAYMENT_INTENT,
            ChargeSucceeded | ChargeFailed | ChargeCaptured | ChargeRefunded | ChargeExpired | ChargeUpdated
            | ChargePending => &kinds::CHARGE,
            DisputeCreated | DisputeUpdated | DisputeClosed | DisputeFundsWithdrawn | DisputeFundsReinstated => {
                &kinds::DISPUTE
            }
            MandateUpdated => &kinds::MANDATE,
            WebhookEndpointFailing | WebhookEndpointDisabled => &kinds::WEBHOOK_ENDPOINT,
            EarlyFraudWarningCreated | EarlyFraudWarningUpdated => &kinds::EARLY_FRAUD_WARNING,
            ReviewOpened | ReviewClosed => &kinds::REVIEW,
            FileCreated => &kinds::FILE,
            ChargeRefundUpdated | RefundCreated | RefundUpdated | RefundFailed => &kinds::REFUND,
            CustomerCreated | CustomerUpdated | CustomerDeleted => &kinds::CUSTOMER,
            CustomerTaxIdCreated | CustomerTaxIdUpdated | CustomerTaxIdDeleted => &kinds::TAX_ID,
            CustomerSourceCreated | CustomerSourceUpdated | CustomerSourceDeleted => &kinds::CARD,
            SourceChargeable => &kinds::SOURCE,
            PaymentMethodAttached | PaymentMethodDetached | PaymentMethodUpdated => &kinds::PAYMENT_METHOD,
            SetupIntentCreated
            | SetupIntentSucceeded
            | SetupIntentSetupFailed
            | SetupIntentRequiresAction
            | SetupIntentCanceled => &kinds::SETUP_INTENT,
        }
    }

    /// What happens when this payment method, card or source is saved to a customer.
    pub fn of_saving(method: Id) -> EventType {
        if method.is(&kinds::PAYMENT_METHOD) {
            EventType::PaymentMethodAttached
        } else {
            EventType::CustomerSourceCreated
        }
    }

    /// Whether it may be about an object of that kind.
    pub fn is_about(self, kind: &Kind) -> bool {
        use EventType::{CustomerSourceCreated, CustomerSourceDeleted, CustomerSourceUpdated};
        let of_customer = matches!(
            self,
            CustomerSourceCreated | CustomerSourceUpdated | CustomerSourceDeleted
        );
        *kind == *self.subject() || of_customer && *kind == kinds::SOURCE
    }

    /// Whether any event is about objects of that kind.
    pub fn are_about(kind: &Kind) -> bool {
        Self::ALL.iter().any(|event| event.is_about(kind))
    }

    /// Whether its object thereby comes onto lists of other objects, if it was made before.
    pub fn joins_lists(self) -> bool {
        matches!(
            self,
            EventType::PaymentMethodAttached | EventType::CustomerSourceCreated
        )
    }

    /// The stored number, as the derive numbers it.
    pub fn number(self) -> u32 {
        let at = Self::ALL
            .iter()
            .position(|known| *known == self)
            .expect("every variant is listed");
        Self::FIELDS[at].0
    }

    /// The bit by which lists of some types pass over records without one of them. The types of the first 62 numbers have
    /// one each; those that came later (disputes, files, radar) share the one that is left, because they are rare: so a
    /// list of disputes never has to look at every payment.
    pub fn tag(self) -> u64 {
        match self.number() {
            number @ 1..63 => 1 << number,
            _ => 1,
        }
    }

    /// The bits of several types.
    pub fn tags(types: &[EventType]) -> u64 {
        types.iter().fold(0, |tags, event| tags | event.tag())
    }

    /// Whether a filter text asks for this type: its name, or a prefix of it and `*`.
    pub fn matches(self, pattern: &str) -> bool {
        match pattern.strip_suffix('*') {
            Some(prefix) => self.name().starts_with(prefix),
            None => self.name() == pattern,
        }
    }
}

/// One event as the journal holds it: 2 to 4 bytes for most.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct EventFact {
    /// What happened.
    #[record(1)]
    pub kind: EventType,
    /// To which object: its place among the record's objects.
    #[record(2)]
    pub object: u16,
    /// Which version of the object the event shows.
    #[record(3)]
    pub version: EventVersion,
    /// For `*.updated`: what the object was before, where that cannot be derived from what it is now.
    #[record(4)]
    pub previous: Option<Box<Object>>,
}

/// Which version of its object an event shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum EventVersion {
    /// As it stands after the command.
    #[record(1)]
    Final,
    /// As it was when it was made, earlier in the same command: derived from the final version.
    #[record(2)]
    Created,
    /// As it stands after the command; before, it was as it was made (derived).
    #[record(3)]
    FinalAfterCreated,
    /// As it was before the command deleted it: derived from the stub's data.
    #[record(4)]
    Undeleted,
}

/// One event as it is shown, with the object at the event's version.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: Id,
    /// What happened.
    pub kind: EventType,
    /// The object as the event shows it.
    pub object: Object,
    /// The object before, for `*.updated`.
    pub previous: Option<Object>,
    /// The request that caused it; `None` if nobody asked (a timer).
    pub request: Option<Id>,
    /// The idempotency key of that request.
    pub idempotency_key: Option<Box<str>>,
    /// How many webhook endpoints have not taken it yet. No fact: whoever shows the event asks.
    pub pending_webhooks: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::NO_EVENT_TAG;

    #[test]
    fn no_event_type_has_the_tag_that_matches_nothing() {
        for event in EventType::ALL {
            assert_eq!(event.tag() & NO_EVENT_TAG, 0);
        }
    }

    #[test]
    fn frequent_types_have_a_tag_of_their_own() {
        for event in EventType::ALL {
            let same = EventType::ALL.iter().filter(|other| other.tag() == event.tag()).count();
            assert!(same == 1 || event.number() >= 63, "{} shares its tag", event.name());
        }
    }

    #[test]
    fn a_pattern_matches_a_name_or_a_prefix() {
        assert!(EventType::ChargeRefunded.matches("charge.refunded"));
        assert!(EventType::ChargeRefunded.matches("charge.*"));
        assert!(EventType::ChargeRefunded.matches("*"));
        assert!(!EventType::ChargeRefunded.matches("charge"));
    }
}
