//! Random commands, random fates of calls, and the invariants after every step.

mod step;

use self::step::{CARDS, EVIDENCE, Step, fate, step};
use crate::network::{Fate, Network as Remote};
use crate::shop::Shop;
use proptest::prelude::*;
use tollgate_domain::acquirer::{AttemptId, NetworkAnswer, NetworkCall};
use tollgate_domain::kinds::{CustomerId, PaymentIntentId};
use tollgate_domain::money::Currency;
use tollgate_domain::payments::authentication::CompletedAction;
use tollgate_domain::payments::card::TokenParam;
use tollgate_domain::payments::charge::{CaptureCharge, ChargeSource, ChargeState, CreateCharge};
use tollgate_domain::payments::dispute::{EvidenceParams, UpdateDispute};
use tollgate_domain::payments::payment_intent::{
    Availability, CaptureMethod, CapturePaymentIntent, ConfirmPaymentIntent, CreatePaymentIntent, FutureUsage,
    IncrementAuthorization, PaymentCardOptionsParams, PaymentOptionsParams, UpdatePaymentIntent,
};
use tollgate_domain::payments::payment_method::{PaymentMethodParam, TestCard};
use tollgate_domain::payments::refund::{CreateChargeRefund, CreateRefund, UpdateRefund};
use tollgate_domain::{Command, Network, Object, Stop, kinds};
use tollgate_resource::{Id, Update};

/// Rounds after which everything unknown must have been found out once the network answers.
const SETTLE_ROUNDS_MAX: usize = 200;

struct Play {
    shop: Shop,
    remote: Remote,
    fates: Vec<Fate>,
    next_fate: usize,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_commanded_the_money_adds_up(
        steps in proptest::collection::vec(step(), 1..40),
        fates in proptest::collection::vec(fate(), 1..20),
    ) {
        let mut play = Play { shop: Shop::open(), remote: Remote::default(), fates, next_fate: 0 };
        for step in steps {
            play.step(step);
            crate::audit::check(&play.shop);
        }
        play.settle();
        crate::audit::check(&play.shop);
        play.agrees_with_the_network();
    }
}

/// Holds that may be raised and captured in parts, where the network does that.
fn wishes_of_holds() -> Box<PaymentOptionsParams> {
    Box::new(PaymentOptionsParams {
        card: Update::Set(PaymentCardOptionsParams {
            request_incremental_authorization: Some(Availability::IfAvailable),
            request_multicapture: Some(Availability::IfAvailable),
            ..PaymentCardOptionsParams::default()
        }),
        ..PaymentOptionsParams::default()
    })
}

impl Play {
    fn step(&mut self, step: Step) {
        let fresh = |card: usize| PaymentMethodParam::card(TestCard::by_name(CARDS[card]).expect("a known card"));
        let command = match step {
            Step::Customer => Command::CreateCustomer(Box::default()),
            Step::Create {
                amount,
                card,
                confirm,
                manual,
                save,
            } => {
                let customer = self
                    .ids(|object| matches!(object, Object::Customer(_)))
                    .first()
                    .copied();
                Command::CreatePaymentIntent(Box::new(CreatePaymentIntent {
                    amount,
                    currency: Some(Currency::USD),
                    confirm: Some(confirm),
                    payment_method: card.map(fresh),
                    capture_method: manual.then_some(CaptureMethod::Manual),
                    payment_method_options: manual.then(wishes_of_holds),
                    customer: customer.filter(|_| save).map(CustomerId),
                    setup_future_usage: save.then_some(FutureUsage::OffSession),
                    ..CreatePaymentIntent::default()
                }))
            }
            Step::Confirm { intent, card } => {
                let Some(id) = self.intent(intent) else { return };
                let payment_method = card.map(fresh);
                let asked = ConfirmPaymentIntent {
                    payment_method,
                    ..ConfirmPaymentIntent::default()
                };
                Command::ConfirmPaymentIntent(id, Box::new(asked))
            }
            Step::ConfirmStored { intent, method } => {
                let methods = self.ids(|object| matches!(object, Object::PaymentMethod(_)));
                let (Some(id), Some(method)) = (self.intent(intent), methods.get(method)) else {
                    return;
                };
                let payment_method = Some(PaymentMethodParam::Stored(*method));
                let asked = ConfirmPaymentIntent {
                    payment_method,
                    ..ConfirmPaymentIntent::default()
                };
                Command::ConfirmPaymentIntent(id, Box::new(asked))
            }
            Step::Update { intent, amount } => {
                let Some(id) = self.intent(intent) else { return };
                let asked = UpdatePaymentIntent {
                    amount: Some(amount),
                    ..UpdatePaymentIntent::default()
                };
                Command::UpdatePaymentIntent(id, Box::new(asked))
            }
            Step::Increment { intent, amount } => {
                let Some(id) = self.intent(intent) else { return };
                let asked = IncrementAuthorization {
                    amount,
                    ..IncrementAuthorization::default()
                };
                Command::IncrementAuthorization(id, Box::new(asked))
            }
            Step::Capture { intent, amount, last } => {
                let Some(id) = self.intent(intent) else { return };
                let asked = CapturePaymentIntent {
                    amount_to_capture: amount,
                    final_capture: Some(last),
                    ..CapturePaymentIntent::default()
                };
                Command::CapturePaymentIntent(id, Box::new(asked))
            }
            Step::Act { intent, authenticated } => {
                let Some(object) = self.intent(intent) else { return };
                let action = self.shop.get(&kinds::PAYMENT_INTENT, object).action();
                let nonce = action.map_or(0, |action| action.nonce);
                Command::CompleteAction(CompletedAction {
                    object,
                    nonce,
                    authenticated,
                })
            }
            Step::Cancel { intent } => {
                let Some(id) = self.intent(intent) else { return };
                Command::CancelPaymentIntent(id, Box::default())
            }
            Step::Refund { intent, amount } => {
                let Some(id) = self.intent(intent) else { return };
                let payment_intent = Some(PaymentIntentId(id));
                Command::CreateRefund(Box::new(CreateRefund {
                    amount,
                    payment_intent,
                    ..CreateRefund::default()
                }))
            }
            Step::Evidence { dispute, text, submit } => {
                let Some(id) = self.dispute(dispute) else { return };
                let evidence = EvidenceParams {
                    uncategorized_text: Update::Set(EVIDENCE[text].into()),
                    ..EvidenceParams::default()
                };
                let asked = UpdateDispute {
                    evidence: Some(evidence),
                    submit,
                    ..UpdateDispute::default()
                };
                Command::UpdateDispute(id, Box::new(asked))
            }
            Step::CloseDispute { dispute } => {
                let Some(id) = self.dispute(dispute) else { return };
                Command::CloseDispute(id)
            }
            Step::Charge { amount, card, capture } => {
                let card = TestCard::by_name(CARDS[card]).expect("a known card");
                Command::CreateCharge(Box::new(CreateCharge {
                    amount,
                    currency: Some(Currency::USD),
                    capture: Some(capture),
                    source: Some(ChargeSource::Token(TokenParam::Magic(card))),
                    ..CreateCharge::default()
                }))
            }
            Step::CaptureCharge { charge, amount } => {
                let Some(id) = self.charge(charge) else { return };
                let asked = CaptureCharge {
                    amount,
                    ..CaptureCharge::default()
                };
                Command::CaptureCharge(id, Box::new(asked))
            }
            Step::RefundCharge { charge, amount } => {
                let Some(id) = self.charge(charge) else { return };
                let asked = CreateChargeRefund {
                    amount,
                    ..CreateChargeRefund::default()
                };
                Command::CreateChargeRefund(id, Box::new(asked))
            }
            Step::UpdateRefund { refund, text } => {
                let refunds = self.ids(|object| matches!(object, Object::Refund(_)));
                let Some(id) = refunds.get(refund) else { return };
                let mut asked = UpdateRefund::default();
                asked.metadata.pairs = vec![("text".into(), text.to_string().into())];
                Command::UpdateRefund(None, *id, Box::new(asked))
            }
            Step::Wait { ms } => return self.wait(ms),
            Step::CatchUp => return self.catch_up(),
            Step::Network(network) => {
                self.shop.network = network;
                return;
            }
        };
        match self.shop.ask(&command) {
            Ok(done) => self.perform(done.calls),
            Err(Stop::Reject(_) | Stop::Busy(_)) => {}
            Err(Stop::Load(kind, id)) => panic!("nothing is unloaded here, but {} {id:?}", kind.object),
        }
    }

    /// Sends calls to the network, and what it answers at once back, until nothing more is said.
    fn perform(&mut self, calls: Vec<NetworkCall>) {
        for call in calls {
            let fate = self.fates[self.next_fate % self.fates.len()];
            self.next_fate += 1;
            if let Some((attempt, answer)) = self.remote.take(call, fate) {
                self.hear(attempt, answer);
            }
        }
    }

    fn hear(&mut self, attempt: AttemptId, answer: NetworkAnswer) {
        let done = self
            .shop
            .tell(&Command::ResolveAttempt(attempt, answer))
            .expect("answers are always taken");
        self.perform(done.calls);
        // The same word twice changes nothing.
        let again = self
            .shop
            .tell(&Command::ResolveAttempt(attempt, answer))
            .expect("answers are always taken");
        assert!(again.decision.facts.is_empty(), "an answer counts once");
    }

    fn catch_up(&mut self) {
        for (attempt, answer) in self.remote.catch_up() {
            self.hear(attempt, answer);
        }
    }

    fn wait(&mut self, ms: u64) {
        let until = self.shop.now_ms + ms;
        // The clock jumps from timer to timer, a bounded number of times; then it is far in one step, as after a stop.
        for _ in 0..20 {
            let Some(at_ms) = self
                .shop
                .timers
                .iter()
                .map(|(at_ms, _)| *at_ms)
                .min()
                .filter(|at_ms| *at_ms <= until)
            else {
                break;
            };
            self.shop.now_ms = self.shop.now_ms.max(at_ms);
            self.fire();
        }
        self.shop.now_ms = until;
        self.fire();
    }

    fn fire(&mut self) {
        for object in self.shop.due() {
            let done = self
                .shop
                .tell(&Command::TimerDue(object))
                .expect("timers are always taken");
            self.perform(done.calls);
        }
    }

    /// From here on the network answers everything; whatever is unknown is found out.
    fn settle(&mut self) {
        self.fates = vec![Fate::Answer];
        self.catch_up();
        for _ in 0..SETTLE_ROUNDS_MAX {
            let open = self.shop.objects.0.values().any(|object| match object {
                Object::PaymentIntent(intent) => intent.open_attempt().is_some(),
                Object::Charge(charge) => charge.open_attempt().is_some(),
                Object::Refund(refund) => refund.is_in_transit(),
                _ => false,
            });
            if !open {
                return;
            }
            self.wait(60_000);
        }
        panic!("something is unknown for ever");
    }

    /// What the network holds, captured and refunded is what our objects say.
    fn agrees_with_the_network(&self) {
        let (mut held, mut captured, mut refunded) = (0, 0, 0);
        for object in self.shop.objects.0.values() {
            match object {
                Object::Charge(charge) => {
                    if let (Some(by), ChargeState::Captured { amount, .. }) = (charge.captured_by, charge.state) {
                        assert_eq!(self.remote.captured.get(&by), Some(&amount), "captured there as here");
                        captured += 1;
                    }
                    if let (Some(by), ChargeState::Held) = (charge.authorised_by, charge.state) {
                        assert_eq!(self.remote.held.get(&by), Some(&charge.amount), "held there as here");
                        held += 1;
                    }
                }
                // One that only released a hold moved no money.
                Object::Refund(refund) if refund.network == Network::Remote && refund.balance_transaction.is_some() => {
                    assert_eq!(self.remote.refunded.get(&refund.attempt()), Some(&refund.amount));
                    refunded += 1;
                }
                _ => {}
            }
        }
        assert_eq!(
            self.remote.captured.len(),
            captured,
            "nothing is captured there that is not here"
        );
        assert_eq!(self.remote.refunded.len(), refunded);
        let captured_holds: Vec<_> = self.remote.captures.values().collect();
        let open_holds = self
            .remote
            .held
            .keys()
            .filter(|attempt| !captured_holds.contains(attempt))
            .count();
        assert_eq!(open_holds, held, "nothing is held there that is not held here");
    }

    fn intent(&self, at: usize) -> Option<Id> {
        self.ids(|object| matches!(object, Object::PaymentIntent(_)))
            .get(at)
            .copied()
    }

    fn charge(&self, at: usize) -> Option<Id> {
        self.ids(|object| matches!(object, Object::Charge(_))).get(at).copied()
    }

    fn dispute(&self, at: usize) -> Option<Id> {
        self.ids(|object| matches!(object, Object::Dispute(_))).get(at).copied()
    }

    fn ids(&self, wanted: impl Fn(&Object) -> bool) -> Vec<Id> {
        self.shop
            .objects
            .0
            .values()
            .filter(|object| wanted(object))
            .map(Object::id)
            .collect()
    }
}
