//! One account as the journal tells it: every version of every object by the number of the record that made it, the
//! ledger, the keys.

use super::money::Ledger;
use super::refusals::open_attempt;
use std::collections::BTreeMap;
use std::sync::Arc;
use tollgate_domain::payments::charge::{Charge, ChargeState};
use tollgate_domain::payments::dispute::DisputeState;
use tollgate_domain::payments::payment_intent::PaymentIntent;
use tollgate_domain::payments::refund::{Refund, RefundState};
use tollgate_domain::webhooks::webhook_endpoint::{EndpointReport, WebhookEndpoint};
use tollgate_domain::{Object, Outcome, Profile};
use tollgate_resource::Id;

/// Balances kept for reads that were sent a while ago.
const BALANCES_KEPT: usize = 4_096;

/// An account.
pub(super) struct AccountModel {
    pub(super) profile: Arc<Profile>,
    /// Sequence after the newest record.
    pub(super) seq: u64,
    /// Time of the newest record.
    pub(super) record_ms: u64,
    /// Number of the newest record, from 1.
    pub(super) record: u64,
    /// The newest record that anybody outside was shown anything of.
    pub(super) shown: u64,
    /// Versions by sequence number: (record, object).
    pub(super) objects: BTreeMap<u64, Vec<(u64, Object)>>,
    /// When each hold became durable, simulated milliseconds.
    pub(super) held: BTreeMap<u64, u64>,
    /// The newest action of each intent, and the time of the record that asked for it.
    pub(super) parked: BTreeMap<u64, (u64, u64)>,
    pub(super) ledger: Ledger,
    /// The ledger after records that changed it, oldest first.
    pub(super) ledgers: Vec<(u64, Ledger)>,
    /// Sum of what balance transactions say, by currency.
    pub(super) nets: BTreeMap<u8, i128>,
    pub(super) keys: BTreeMap<String, KeyModel>,
    /// Requests that were sent with each key, with their fingerprints.
    pub(super) uses: BTreeMap<String, Vec<(u32, u128)>>,
    /// Sequence numbers and types of events, in order.
    pub(super) events: Vec<(u64, &'static str)>,
    /// What was reported of each endpoint.
    pub(super) reports: BTreeMap<u64, Vec<EndpointReport>>,
}

/// An idempotency key.
#[derive(Default)]
pub(super) struct KeyModel {
    /// What was executed under it, oldest first; more than one only after it expired.
    pub(super) executions: Vec<Execution>,
}

/// One execution under a key.
pub(super) struct Execution {
    /// The request that was executed.
    pub(super) request: Id,
    /// When its first record became durable, simulated milliseconds.
    pub(super) at_ms: u64,
    /// The record with its answer, once there is one, and the answer.
    pub(super) outcome: Option<(u64, Outcome)>,
    /// Objects of that record.
    pub(super) objects: Vec<Object>,
    /// The first answer that left, whole.
    pub(super) said: Option<String>,
}

impl AccountModel {
    pub(super) fn new(profile: Arc<Profile>) -> AccountModel {
        AccountModel {
            profile,
            seq: 0,
            record_ms: 0,
            record: 0,
            shown: 0,
            objects: BTreeMap::new(),
            held: BTreeMap::new(),
            parked: BTreeMap::new(),
            ledger: Ledger::default(),
            ledgers: vec![(0, Ledger::default())],
            nets: BTreeMap::new(),
            keys: BTreeMap::new(),
            uses: BTreeMap::new(),
            events: Vec::new(),
            reports: BTreeMap::new(),
        }
    }

    /// Every object, newest version.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Object> {
        self.objects
            .values()
            .filter_map(|versions| versions.last().map(|(_, object)| object))
    }

    /// The object as it stood after record `at`.
    pub(super) fn object_at(&self, id: Id, at: u64) -> Option<&Object> {
        let versions = self.objects.get(&id.seq())?;
        let after = versions.partition_point(|(record, _)| *record <= at);
        let (_, object) = versions.get(after.checked_sub(1)?)?;
        (object.id() == id).then_some(object)
    }

    pub(super) fn intent_at(&self, id: Id, at: u64) -> Option<&PaymentIntent> {
        match self.object_at(id, at)? {
            Object::PaymentIntent(intent) => Some(intent),
            _ => None,
        }
    }

    pub(super) fn charge_at(&self, id: Id, at: u64) -> Option<&Charge> {
        match self.object_at(id, at)? {
            Object::Charge(charge) => Some(charge),
            _ => None,
        }
    }

    pub(super) fn refund_at(&self, id: Id, at: u64) -> Option<&Refund> {
        match self.object_at(id, at)? {
            Object::Refund(refund) => Some(refund),
            _ => None,
        }
    }

    /// When an intent began to wait for the action that it waits for, by the shard's time, milliseconds.
    pub(super) fn since_ms(&self, intent: &PaymentIntent) -> u64 {
        let nonce = intent.action().map(|action| action.nonce);
        self.parked
            .get(&intent.id.seq())
            .copied()
            .filter(|(known, _)| Some(*known) == nonce)
            .map_or(0, |(_, at_ms)| at_ms)
    }

    /// Records the ledger as it stands.
    pub(super) fn keep_ledger(&mut self) {
        self.ledgers.push((self.record, self.ledger.clone()));
        if self.ledgers.len() > BALANCES_KEPT {
            self.ledgers.drain(..BALANCES_KEPT / 2);
        }
    }

    /// What has not come to its end.
    pub(super) fn open(&self) -> Option<String> {
        for object in self.newest() {
            let open = match object {
                Object::Refund(refund) => match refund.state {
                    RefundState::InTransit { .. } | RefundState::Pending { .. } => Some(format!("{:?}", refund.state)),
                    RefundState::Confirmed | RefundState::Failed { .. } => None,
                },
                Object::Dispute(dispute) => match dispute.state {
                    DisputeState::UnderReview { verdict } | DisputeState::WarningUnderReview { verdict } => {
                        verdict.map(|pending| format!("{pending:?}"))
                    }
                    _ => None,
                },
                Object::PaymentIntent(intent) if self.waits_for_bank(intent) => Some(format!("{:?}", intent.status)),
                Object::Charge(charge) if self.is_asked_alone(charge) => Some(format!("{:?}", charge.state)),
                object => open_attempt(object).map(|attempt| format!("{attempt:?}")),
            };
            if let Some(open) = open {
                return Some(format!(
                    "{} of account {} is open: {open}",
                    name(object),
                    self.profile.key.0
                ));
            }
        }
        for (key, model) in &self.keys {
            if let Some(execution) = model.executions.iter().find(|execution| execution.outcome.is_none()) {
                return Some(format!("{key} ({:?}) is in flight for ever", execution.request));
            }
        }
        None
    }
}

/// An object as a look at it shows it: the secret of an endpoint is in the answer alone that made it.
pub(super) fn looked_at(object: &Object) -> Object {
    match object {
        Object::WebhookEndpoint(endpoint) if endpoint.fresh => Object::WebhookEndpoint(Arc::new(WebhookEndpoint {
            fresh: false,
            ..WebhookEndpoint::clone(endpoint)
        })),
        object => object.clone(),
    }
}

/// Kind and number of an object, for messages.
pub(super) fn name(object: &Object) -> String {
    format!("{} {}", object.kind().object, object.id().seq())
}

/// What was captured of a charge.
pub(super) fn captured(charge: &Charge) -> i64 {
    match charge.state {
        ChargeState::Captured { amount, .. } => amount,
        _ => 0,
    }
}
