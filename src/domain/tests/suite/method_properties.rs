//! Random sequences of legal and illegal calls against a small model of a payment that may be made from a bank account, on
//! another company's page, or by card.

use crate::form::{command, command_at};
use crate::shop::Shop;
use proptest::prelude::*;
use tollgate_domain::payments::authentication::CompletedAction;
use tollgate_domain::payments::charge::ChargeState;
use tollgate_domain::payments::payment_intent::{PaymentIntent, StatusName};
use tollgate_domain::{Command, Object, Reply, Stop, kinds};
use tollgate_resource::{Id, Names};

const AMOUNT: i64 = 2_000;
/// The nonce of every action here: the first word of the shop's entropy.
const NONCE: u64 = 1;
/// How long a test bank takes, milliseconds.
const BANK_MS: u64 = 3_000;
/// How often deposits may be told wrong.
const TRIES_MAX: u32 = 10;

/// What is paid with, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum With {
    Good,
    Declined,
    Challenged,
    Page,
    Bank(Account),
}

/// A test account.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Account {
    Pays,
    Closed,
    NotAuthorized,
    Disputed,
    NoDeposits,
    Silent,
    Blocked,
}

#[derive(Clone, Debug)]
enum Step {
    Confirm {
        with: With,
        deposits: bool,
        agreed: bool,
        back: bool,
    },
    Tell([i64; 2]),
    Act {
        passes: bool,
        stale: bool,
    },
    Capture,
    Cancel,
    Refund(i64),
    Wait(u64),
}

/// Where the payment stands.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Wants,
    /// The payer must act: on the page of a card, or of another company.
    Sent(With),
    /// Deposits must be told.
    Deposits {
        on: Account,
        fails_ms: Option<u64>,
        tries: u32,
    },
    /// The bank was asked.
    Asked {
        account: Account,
        answers_ms: Option<u64>,
    },
    Paid {
        refunded: i64,
        refundable: bool,
    },
    Canceled,
}

struct Model {
    state: State,
    /// States of the charges, oldest first: whether money was taken, and whether the bank was asked and has not answered.
    charges: Vec<(bool, bool)>,
}

/// A status and events.
type Told = (u16, Vec<&'static str>);

impl Account {
    fn name(self) -> &'static str {
        match self {
            Account::Pays => "pm_usBankAccount_success",
            Account::Closed => "pm_usBankAccount_accountClosed",
            Account::NotAuthorized => "pm_usBankAccount_debitNotAuthorized",
            Account::Disputed => "pm_usBankAccount_dispute",
            Account::NoDeposits => "pm_usBankAccount_failMicrodeposits",
            Account::Silent => "pm_usBankAccount_processing",
            Account::Blocked => "pm_usBankAccount_riskLevelHighest",
        }
    }
}

impl Model {
    fn step(&mut self, step: &Step, now_ms: u64) -> Told {
        match *step {
            Step::Confirm {
                with,
                deposits,
                agreed,
                back,
            } => self.confirm(with, deposits, agreed, back, now_ms),
            Step::Tell(amounts) => self.tell(amounts, now_ms),
            Step::Act { stale: true, .. } => refused(),
            Step::Act { passes, .. } => self.act(passes, now_ms),
            // Everything here is captured at once.
            Step::Capture => refused(),
            Step::Cancel => self.cancel(),
            Step::Refund(amount) => self.refund(amount),
            Step::Wait(_) => unreachable!("it is no request"),
        }
    }

    fn confirm(&mut self, with: With, deposits: bool, agreed: bool, back: bool, now_ms: u64) -> Told {
        let open = matches!(self.state, State::Wants | State::Sent(_) | State::Deposits { .. });
        let allowed = match with {
            With::Bank(_) => agreed,
            With::Page => back,
            _ => true,
        };
        if !open || !allowed {
            return refused();
        }
        match with {
            With::Good => self.pay(true),
            With::Declined => self.decline(),
            With::Challenged | With::Page => {
                self.state = State::Sent(with);
                (200, vec!["payment_intent.requires_action"])
            }
            With::Bank(on) if deposits => {
                let fails_ms = (on == Account::NoDeposits).then_some(now_ms + BANK_MS);
                self.state = State::Deposits { on, fails_ms, tries: 0 };
                (200, vec!["payment_intent.requires_action"])
            }
            With::Bank(account) => self.debit(account, now_ms),
        }
    }

    fn pay(&mut self, refundable: bool) -> Told {
        self.charges.push((true, false));
        self.state = State::Paid {
            refunded: 0,
            refundable,
        };
        (200, vec!["charge.succeeded", "payment_intent.succeeded"])
    }

    fn decline(&mut self) -> Told {
        self.charges.push((false, false));
        self.state = State::Wants;
        (402, vec!["charge.failed", "payment_intent.payment_failed"])
    }

    fn debit(&mut self, account: Account, now_ms: u64) -> Told {
        if account == Account::Blocked {
            return self.decline();
        }
        self.charges.push((false, true));
        let answers_ms = (account != Account::Silent).then_some(now_ms + BANK_MS);
        self.state = State::Asked { account, answers_ms };
        (200, vec!["charge.pending", "payment_intent.processing"])
    }

    fn tell(&mut self, mut amounts: [i64; 2], now_ms: u64) -> Told {
        let State::Deposits { on, fails_ms, tries } = self.state else {
            return refused();
        };
        amounts.sort_unstable();
        match amounts {
            [32, 45] => self.debit(on, now_ms),
            [10, 11] | [40, 41] => {
                self.state = State::Wants;
                (400, vec!["payment_intent.payment_failed"])
            }
            _ if tries + 1 == TRIES_MAX => {
                self.state = State::Wants;
                (400, vec!["payment_intent.payment_failed"])
            }
            _ => {
                self.state = State::Deposits {
                    on,
                    fails_ms,
                    tries: tries + 1,
                };
                refused()
            }
        }
    }

    fn act(&mut self, passes: bool, now_ms: u64) -> Told {
        match (self.state, passes) {
            (State::Sent(_), true) => self.pay(true),
            (State::Deposits { on, .. }, true) => self.debit(on, now_ms),
            (State::Sent(_) | State::Deposits { .. }, false) => {
                self.state = State::Wants;
                (200, vec!["payment_intent.payment_failed"])
            }
            _ => refused(),
        }
    }

    fn cancel(&mut self) -> Told {
        let mut events = vec!["payment_intent.canceled"];
        match self.state {
            State::Paid { .. } | State::Canceled => return refused(),
            State::Asked { .. } => {
                *self.charges.last_mut().expect("the bank was asked for it") = (false, false);
                events.push("charge.failed");
            }
            _ => {}
        }
        self.state = State::Canceled;
        (200, events)
    }

    fn refund(&mut self, amount: i64) -> Told {
        match self.state {
            State::Paid { refunded, refundable } if refundable && amount <= AMOUNT - refunded => {
                self.state = State::Paid {
                    refunded: refunded + amount,
                    refundable,
                };
                let events = vec![
                    "refund.created",
                    "charge.refunded",
                    "refund.updated",
                    "charge.refund.updated",
                ];
                (200, events)
            }
            _ => refused(),
        }
    }

    /// What happens by itself up to a moment.
    fn until(&mut self, now_ms: u64) -> Vec<&'static str> {
        match self.state {
            State::Deposits {
                fails_ms: Some(fails_ms),
                ..
            } if now_ms >= fails_ms => {
                self.state = State::Wants;
                vec!["payment_intent.payment_failed"]
            }
            State::Asked {
                account,
                answers_ms: Some(answers_ms),
            } if now_ms >= answers_ms => {
                let paid = matches!(account, Account::Pays | Account::NoDeposits | Account::Disputed);
                *self.charges.last_mut().expect("the bank was asked for it") = (paid, false);
                if !paid {
                    self.state = State::Wants;
                    let mut events = vec!["charge.failed", "payment_intent.payment_failed"];
                    events.extend((account == Account::NotAuthorized).then_some("mandate.updated"));
                    return events;
                }
                let refundable = account != Account::Disputed;
                self.state = State::Paid {
                    refunded: 0,
                    refundable,
                };
                let mut events = vec!["charge.succeeded"];
                if !refundable {
                    events.extend([
                        "charge.dispute.created",
                        "charge.dispute.funds_withdrawn",
                        "charge.dispute.closed",
                        "mandate.updated",
                    ]);
                }
                events.push("payment_intent.succeeded");
                events
            }
            _ => Vec::new(),
        }
    }
}

fn refused() -> Told {
    (400, Vec::new())
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let account = prop_oneof![
        2 => Just(Account::Pays),
        1 => Just(Account::Closed),
        1 => Just(Account::NotAuthorized),
        1 => Just(Account::Disputed),
        2 => Just(Account::NoDeposits),
        1 => Just(Account::Silent),
        1 => Just(Account::Blocked),
    ];
    let with = prop_oneof![
        1 => Just(With::Good),
        1 => Just(With::Declined),
        1 => Just(With::Challenged),
        2 => Just(With::Page),
        6 => account.prop_map(With::Bank),
    ];
    let mostly = || (0..8u8).prop_map(|roll| roll > 0);
    let amounts = prop_oneof![
        Just([32, 45]),
        Just([45, 32]),
        Just([1, 2]),
        Just([10, 11]),
        Just([40, 41])
    ];
    let step = prop_oneof![
        6 => (with, any::<bool>(), mostly(), mostly())
            .prop_map(|(with, deposits, agreed, back)| Step::Confirm { with, deposits, agreed, back }),
        4 => amounts.prop_map(Step::Tell),
        3 => (any::<bool>(), mostly()).prop_map(|(passes, fresh)| Step::Act { passes, stale: !fresh }),
        1 => Just(Step::Capture),
        1 => Just(Step::Cancel),
        3 => (1..AMOUNT).prop_map(Step::Refund),
        4 => prop_oneof![0..1_000u64, Just(1_500), Just(BANK_MS), 0..10_000u64].prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]
    #[test]
    fn payments_without_a_card_do_what_their_model_does(steps in steps()) {
        let mut shop = Shop::open();
        let id = make(&mut shop);
        let mut model = Model { state: State::Wants, charges: Vec::new() };
        for step in &steps {
            let told = match step {
                Step::Wait(ms) => {
                    let events = wait(&mut shop, *ms);
                    let wanted = model.until(shop.now_ms);
                    prop_assert_eq!(events, wanted, "{:?}", step);
                    check(&shop, id, &model);
                    continue;
                }
                step => ask(&mut shop, &request(id, step)),
            };
            let wanted = model.step(step, shop.now_ms);
            prop_assert_eq!(told, wanted, "{:?}", step);
            check(&shop, id, &model);
        }
    }
}

fn make(shop: &mut Shop) -> Id {
    let pairs = [
        ("amount", "2000"),
        ("currency", "usd"),
        ("payment_method_types[0]", "card"),
        ("payment_method_types[1]", "us_bank_account"),
        ("payment_method_types[2]", "paypal"),
    ];
    match shop
        .ask(&command("create_payment_intent", &pairs))
        .expect("made")
        .decision
        .reply
    {
        Reply::Object(_, id) => id,
        other => panic!("{other:?}"),
    }
}

fn ask(shop: &mut Shop, command: &Command) -> Told {
    match shop.ask(command) {
        Ok(done) => {
            let status = match &done.decision.reply {
                Reply::Reject(reject) => reject.status,
                _ => 200,
            };
            (status, done.events.iter().map(|event| event.kind.name()).collect())
        }
        Err(Stop::Reject(reject)) => (reject.status, Vec::new()),
        Err(stop) => panic!("nothing is unloaded or busy here, but {stop:?}"),
    }
}

/// Time passes; what happens by itself meanwhile.
fn wait(shop: &mut Shop, ms: u64) -> Vec<&'static str> {
    shop.now_ms += ms;
    let mut events = Vec::new();
    for object in shop.due() {
        let done = shop.tell(&Command::TimerDue(object)).expect("timers are always taken");
        events.extend(done.events.iter().map(|event| event.kind.name()));
    }
    events
}

fn request(id: Id, step: &Step) -> Command {
    match step {
        Step::Confirm {
            with,
            deposits,
            agreed,
            back,
        } => {
            let mut pairs = Vec::new();
            match with {
                With::Good => pairs.push(("payment_method", "pm_card_visa")),
                With::Declined => pairs.push(("payment_method", "pm_card_visa_chargeDeclined")),
                With::Challenged => pairs.push(("payment_method", "pm_card_authenticationRequired")),
                With::Page => pairs.push(("payment_method_data[type]", "paypal")),
                With::Bank(account) => {
                    pairs.push(("payment_method", account.name()));
                    let wanted = if *deposits { "microdeposits" } else { "automatic" };
                    pairs.push(("payment_method_options[us_bank_account][verification_method]", wanted));
                }
            }
            if *agreed {
                pairs.push(("mandate_data[customer_acceptance][type]", "offline"));
            }
            if *back {
                pairs.push(("return_url", "https://example.com/back"));
            }
            command_at("confirm_payment_intent", id, &pairs)
        }
        Step::Tell(amounts) => {
            let [one, two] = amounts.map(|amount| amount.to_string());
            let pairs = [("amounts[0]", one.as_str()), ("amounts[1]", two.as_str())];
            command_at("verify_microdeposits_payment_intent", id, &pairs)
        }
        Step::Act { passes, stale } => Command::CompleteAction(CompletedAction {
            object: id,
            nonce: if *stale { NONCE + 1 } else { NONCE },
            authenticated: *passes,
        }),
        Step::Capture => command_at("capture_payment_intent", id, &[]),
        Step::Cancel => command_at("cancel_payment_intent", id, &[]),
        Step::Refund(amount) => {
            let (intent, amount) = (id.text(&kinds::PAYMENT_INTENT), amount.to_string());
            command("create_refund", &[("payment_intent", &intent), ("amount", &amount)])
        }
        Step::Wait(_) => unreachable!("it is no request"),
    }
}

/// The intent and its charges are what the model says, and what holds for every account holds.
fn check(shop: &Shop, id: Id, model: &Model) {
    let intent = intent(shop, id);
    let status = match model.state {
        State::Wants => StatusName::RequiresPaymentMethod,
        State::Sent(_) | State::Deposits { .. } => StatusName::RequiresAction,
        State::Asked { .. } => StatusName::Processing,
        State::Paid { .. } => StatusName::Succeeded,
        State::Canceled => StatusName::Canceled,
    };
    assert_eq!(intent.status.name(), status, "{:?}", model.state);
    let tries = intent
        .action()
        .and_then(|action| action.deposits)
        .map(|deposits| deposits.tries);
    let wanted = match model.state {
        State::Deposits { tries, .. } => Some(tries),
        _ => None,
    };
    assert_eq!(tries, wanted);
    let mut charges: Vec<(Id, (bool, bool), i64)> = shop
        .objects
        .0
        .values()
        .filter_map(|object| match object {
            Object::Charge(charge) => {
                let state = (
                    matches!(charge.state, ChargeState::Captured { .. }),
                    charge.state == ChargeState::Debiting,
                );
                Some((charge.id, state, charge.refunded))
            }
            _ => None,
        })
        .collect();
    charges.sort_by_key(|(id, ..)| id.seq());
    let states: Vec<(bool, bool)> = charges.iter().map(|(_, state, _)| *state).collect();
    assert_eq!(states, model.charges, "{:?}", model.state);
    let refunded: i64 = charges.iter().map(|(.., refunded)| refunded).sum();
    let wanted = match model.state {
        State::Paid { refunded, .. } => refunded,
        _ => 0,
    };
    assert_eq!(refunded, wanted);
    crate::audit::check(shop);
}

fn intent(shop: &Shop, id: Id) -> &PaymentIntent {
    match shop.get(&kinds::PAYMENT_INTENT, id) {
        Object::PaymentIntent(intent) => intent,
        other => panic!("{:?} is no payment intent", other.id()),
    }
}
