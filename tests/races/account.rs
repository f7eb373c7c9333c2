//! The sequential account, written from the API's description and not from the server's code: what each request answers
//! when it is alone, and what a network's word changes.

use crate::history::{Answer, Call, Card, ChargeShown, Code, FIELDS, Shown, Status};
use std::collections::BTreeMap;

/// What holds for a whole history.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct World {
    /// Whether cards that do not choose a network are taken by the remote one.
    pub(crate) remote: bool,
    /// Whether holds may end by themselves.
    pub(crate) holds_expire: bool,
}

/// The account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Account {
    /// In the order they were made.
    pub(crate) intents: Vec<Intent>,
    pub(crate) keys: BTreeMap<u16, Key>,
    fields: [u32; FIELDS],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) body: u16,
    /// `None` while the first request is under way.
    pub(crate) answer: Option<Answer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Intent {
    pub(crate) slot: u8,
    amount: i64,
    manual: bool,
    pub(crate) status: Status,
    /// Failed charges; a charge that did not fail comes after them.
    failed: u8,
    /// Whether a charge was approved, and by which network.
    charge: Option<Network>,
    captured: i64,
    refunds: Vec<i64>,
    last_failed: bool,
    pub(crate) attempt: Option<Attempt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    Instant,
    Remote(Card),
}

/// A call to the remote network whose outcome is not known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    what: What,
    card: Card,
    /// The request that waits for it; `None` once that was answered without an outcome.
    pub(crate) by: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Pay,
    Capture(i64),
}

/// What a request alone comes to.
pub(crate) enum Outcome {
    Answered(Answer),
    /// The network was called.
    Begun,
    /// It waits for somebody else's call.
    Waits,
}

impl Account {
    /// What the request does to the account and is answered, if it is the next.
    pub(crate) fn execute(&mut self, world: World, call: &Call, by: usize) -> Outcome {
        if let Some(answer) = self.read(call) {
            return Outcome::Answered(answer);
        }
        match *call {
            Call::Update { field, value } => {
                self.fields[usize::from(field)] = value;
                Outcome::Answered(Answer::Customer(self.fields))
            }
            Call::Create {
                slot,
                amount,
                manual,
                card,
            } => {
                if self.intents.iter().any(|known| known.slot == slot) {
                    // The slot belongs to one key, so nobody else can have made it but this request itself.
                    return Outcome::Waits;
                }
                self.intents.push(Intent {
                    slot,
                    amount,
                    manual,
                    status: Status::RequiresPaymentMethod,
                    failed: 0,
                    charge: None,
                    captured: 0,
                    refunds: Vec::new(),
                    last_failed: false,
                    attempt: None,
                });
                let intent = self.intents.last_mut().expect("it was just made");
                match card {
                    Some(card) => intent.pay(world, card, by),
                    None => Outcome::Answered(Answer::Intent(intent.shown())),
                }
            }
            _ => {
                let slot = call.slot().expect("what is left is about an intent");
                let Some(intent) = self.intents.iter_mut().find(|known| known.slot == slot) else {
                    // Its id is only known to clients once it was made.
                    return Outcome::Waits;
                };
                if intent.is_called() {
                    return Outcome::Waits;
                }
                intent.change(world, call, by)
            }
        }
    }

    /// What a read shows; `None` for writes. What is not there yet shows nothing that was ever answered.
    fn read(&self, call: &Call) -> Option<Answer> {
        let of = |slot: u8| self.intents.iter().find(|known| known.slot == slot);
        let absent = Answer::Intents(Vec::new());
        Some(match *call {
            Call::Intents => Answer::Intents(self.intents.iter().rev().map(|it| it.slot).collect()),
            Call::Get { slot } => of(slot).map_or(absent, |it| Answer::Intent(it.shown())),
            Call::Charge { slot, at } => of(slot)
                .and_then(|it| it.charge_shown(at))
                .map_or(absent, Answer::Charge),
            Call::Charges { slot } => of(slot).map_or(absent, |it| Answer::Charges(it.charges())),
            Call::Refunds { slot } => {
                of(slot).map_or(absent, |it| Answer::Refunds(it.refunds.iter().rev().copied().collect()))
            }
            Call::Customer => Answer::Customer(self.fields),
            Call::Balance => Answer::Balance(self.intents.iter().map(Intent::earned).sum()),
            _ => return None,
        })
    }
}

impl Intent {
    /// Everything a network can say now, and what nobody says.
    pub(crate) fn outcomes(&self) -> Vec<(Intent, Answer)> {
        let Some(attempt) = &self.attempt else {
            return Vec::new();
        };
        let mut all = Vec::new();
        let waiting = attempt.by.is_some();
        let declines = matches!(attempt.card, Card::RemoteDecline | Card::Declined);
        let mut to = |change: &dyn Fn(&mut Intent), declined: bool| {
            let mut after = self.clone();
            after.attempt = None;
            change(&mut after);
            let shown = after.shown();
            let answer = if declined {
                Answer::Declined(shown)
            } else {
                Answer::Intent(shown)
            };
            all.push((after, answer));
        };
        match attempt.what {
            What::Pay => {
                if !declines && attempt.card != Card::Silent {
                    to(&|it| it.approve(Network::Remote(attempt.card)), false);
                }
                if declines || !waiting {
                    to(&Intent::fail, true);
                }
            }
            What::Capture(amount) => {
                to(&|it| it.capture(amount), false);
                if !waiting {
                    to(&|_| {}, true);
                }
            }
        }
        if waiting {
            let still = Attempt {
                by: None,
                ..attempt.clone()
            };
            to(&|it| it.attempt = Some(still.clone()), false);
        }
        all
    }

    fn change(&mut self, world: World, call: &Call, by: usize) -> Outcome {
        let refused = |code| Outcome::Answered(Answer::Refused(code));
        let wrong_state = refused(Some(Code::UnexpectedState));
        let held = self.status == Status::RequiresCapture && self.attempt.is_none();
        let unpaid = matches!(
            self.status,
            Status::RequiresPaymentMethod | Status::RequiresConfirmation
        );
        match *call {
            Call::Confirm { card, .. } if unpaid => return self.pay(world, card, by),
            Call::Cancel { .. } if unpaid || held => self.status = Status::Canceled,
            Call::Capture { amount, .. } if held => {
                let amount = amount.unwrap_or(self.amount);
                if amount > self.amount {
                    return refused(Some(Code::AmountTooLarge));
                }
                if let Some(Network::Remote(card)) = self.charge {
                    let what = What::Capture(amount);
                    self.attempt = Some(Attempt {
                        what,
                        card,
                        by: Some(by),
                    });
                    return Outcome::Begun;
                }
                self.capture(amount);
            }
            Call::Refund { amount, .. } => {
                let left = self.captured - self.refunds.iter().sum::<i64>();
                return match (self.status, self.charge) {
                    (Status::Canceled, Some(_)) => refused(Some(Code::AlreadyRefunded)),
                    (Status::Succeeded, _) if left == 0 => refused(Some(Code::AlreadyRefunded)),
                    (Status::Succeeded, _) if amount.unwrap_or(left) <= left => {
                        let amount = amount.unwrap_or(left);
                        self.refunds.push(amount);
                        Outcome::Answered(Answer::Refund(amount))
                    }
                    _ => refused(None),
                };
            }
            _ => return wrong_state,
        }
        Outcome::Answered(Answer::Intent(self.shown()))
    }

    fn pay(&mut self, world: World, card: Card, by: usize) -> Outcome {
        let remote = world.remote || !matches!(card, Card::Visa | Card::Declined);
        if remote {
            self.status = Status::Processing;
            self.attempt = Some(Attempt {
                what: What::Pay,
                card,
                by: Some(by),
            });
            return Outcome::Begun;
        }
        Outcome::Answered(if card == Card::Declined {
            self.fail();
            Answer::Declined(self.shown())
        } else {
            self.approve(Network::Instant);
            Answer::Intent(self.shown())
        })
    }

    /// Whether a request waits for the network.
    pub(crate) fn is_called(&self) -> bool {
        self.attempt.as_ref().is_some_and(|attempt| attempt.by.is_some())
    }

    fn approve(&mut self, by: Network) {
        self.charge = Some(by);
        self.last_failed = false;
        self.status = Status::RequiresCapture;
        if !self.manual {
            self.capture(self.amount);
        }
    }

    fn fail(&mut self) {
        self.status = Status::RequiresPaymentMethod;
        self.failed += 1;
        self.last_failed = true;
    }

    fn capture(&mut self, amount: i64) {
        self.status = Status::Succeeded;
        self.captured = amount;
    }

    fn shown(&self) -> Shown {
        let capturable = if self.status == Status::RequiresCapture {
            self.amount
        } else {
            0
        };
        Shown {
            status: self.status,
            capturable,
            received: self.captured,
            charge: self.failed > 0 || self.charge.is_some(),
            error: self.last_failed,
        }
    }

    fn charges(&self) -> u8 {
        self.failed + u8::from(self.charge.is_some())
    }

    fn charge_shown(&self, at: u8) -> Option<ChargeShown> {
        let given_back: i64 = self.refunds.iter().sum();
        let released = self.status == Status::Canceled;
        let nothing = ChargeShown {
            paid: false,
            captured: false,
            amount_captured: 0,
            amount_refunded: 0,
            refunded: false,
        };
        if at < self.failed {
            return Some(nothing);
        }
        (at < self.charges()).then_some(ChargeShown {
            paid: true,
            captured: self.captured > 0,
            amount_captured: self.captured,
            amount_refunded: if released { self.amount } else { given_back },
            refunded: released || (self.captured > 0 && given_back == self.captured),
        })
    }

    /// What it adds to the balance: what was captured, less 2.9 % (half a cent rounds up) and 30 cents, less refunds.
    fn earned(&self) -> i64 {
        if self.captured == 0 {
            return 0;
        }
        let fee = (self.captured * 29 + 500) / 1_000 + 30;
        self.captured - fee - self.refunds.iter().sum::<i64>()
    }
}
