//! How the history of a seed is drawn: bursts of requests, with what is done to the newest objects of each account, and
//! faults between them.

use super::other_methods::OtherMethods;
use super::{Action, BURSTS_MAX, HOUR_MS, Listed, RECENT, STEPS_MAX, Weather, What, Wish};
use tollgate_actors::entropy::Entropy;
use tollgate_domain::payments::payment_intent::HOLD_MS;

/// Makes the history of one seed.
pub(super) struct Author {
    pub(super) dice: Entropy,
    /// The steps so far, with their times.
    pub(super) steps: Vec<(u64, What)>,
    /// What holds for the whole run.
    pub(super) weather: Weather,
    /// Steps that make intents, by account, with whether they make a hold and their amount.
    intents: Vec<Vec<(usize, bool, i64)>>,
    customers: Vec<Vec<usize>>,
    /// Steps that make setup intents, by account.
    setups: Vec<Vec<usize>>,
    /// Steps that charged without an intent, with the amount, by account.
    pub(super) charges: Vec<Vec<(usize, i64)>>,
    /// Steps that make payments with a card whose payments are disputed, by account.
    disputed: Vec<Vec<usize>>,
    /// Steps that pay with, or set up, a card whose holder must prove who they are, by account.
    parked: Vec<Vec<usize>>,
    /// What is not paid by card, by account.
    pub(super) others: Vec<OtherMethods>,
    /// Steps with a key.
    keyed: Vec<usize>,
}

impl Author {
    /// One who has drawn the weather and written nothing yet.
    pub(super) fn new(dice: Entropy, weather: Weather) -> Author {
        let accounts = weather.accounts;
        Author {
            dice,
            steps: Vec::new(),
            weather,
            intents: vec![Vec::new(); accounts],
            customers: vec![Vec::new(); accounts],
            setups: vec![Vec::new(); accounts],
            charges: vec![Vec::new(); accounts],
            disputed: vec![Vec::new(); accounts],
            parked: vec![Vec::new(); accounts],
            others: vec![OtherMethods::default(); accounts],
            keyed: Vec::new(),
        }
    }

    /// Writes the history of so many milliseconds.
    pub(super) fn write(&mut self, length_ms: u64) {
        let gap_ms = ([2, 6, 20][self.dice.below(3) as usize] * 60_000).max(length_ms / BURSTS_MAX);
        let faults = [0, 30, 120][self.dice.below(3) as usize];
        let mut at_ms = self.dice.below(10_000);
        while at_ms < length_ms && self.steps.len() < STEPS_MAX {
            self.burst(at_ms, faults);
            at_ms += 1 + self.dice.below(2 * gap_ms);
        }
    }

    /// Requests close together, as they are where things go wrong.
    fn burst(&mut self, start_ms: u64, faults: u64) {
        let spread_ms = [1, 50, 2_000, 20_000][self.dice.below(4) as usize];
        let account = self.dice.below(self.weather.accounts as u64) as usize;
        let mut at_ms = start_ms;
        for _ in 0..2 + self.dice.below(24) {
            at_ms += self.dice.below(spread_ms.max(8) / 4);
            if self.dice.below(1_000) < faults {
                let fault = self.fault();
                self.steps.push((at_ms, What::Fault(fault)));
            }
            let account = if self.dice.below(4) > 0 {
                account
            } else {
                self.dice.below(self.weather.accounts as u64) as usize
            };
            match self.dice.below(20) {
                0..3 if !self.keyed.is_empty() => self.repeat(at_ms),
                _ => self.wish(at_ms, account),
            }
        }
    }

    /// The key of an earlier step again: now, or about when it expires.
    fn repeat(&mut self, at_ms: u64) {
        let recent = self.keyed.len().min(12) as u64;
        let of = self.keyed[self.keyed.len() - 1 - self.dice.below(recent) as usize];
        let at_ms = match self.dice.below(8) {
            0 => self.steps[of].0 + 16 * HOUR_MS + self.dice.below(16 * HOUR_MS),
            _ => at_ms.max(self.steps[of].0),
        };
        let what = match self.dice.below(5) {
            0 => What::OtherBody { of },
            _ => What::Again { of },
        };
        self.steps.push((at_ms, what));
    }

    fn wish(&mut self, at_ms: u64, account: usize) {
        let number = self.steps.len();
        let action = self.action(number, account);
        let writes = !matches!(
            action,
            Action::Get { .. } | Action::GetDispute { .. } | Action::Balance | Action::List { .. }
        );
        let keyed = writes && self.dice.below(5) > 0;
        if keyed {
            self.keyed.push(number);
        }
        let mut at_ms = at_ms;
        if let Action::Capture { of, .. } = action
            && self.dice.below(6) == 0
        {
            // About when the hold ends.
            at_ms = self.steps[of].0 + HOLD_MS - 1_500 + self.dice.below(3_000);
        }
        let wish = Wish {
            account,
            action,
            keyed,
            patience_ms: [300, 3_000, 12_000, 30_000][self.dice.below(4) as usize],
            hangs_up: self.dice.below(12) == 0,
            expands: self.dice.below(4) == 0,
        };
        self.steps.push((at_ms, What::Ask(wish)));
    }

    fn action(&mut self, number: usize, account: usize) -> Action {
        let intent = self.intent(account);
        let customer = self.recent_customer(account);
        match (self.dice.below(60), intent) {
            (0, _) => {
                self.customers[account].push(number);
                Action::CreateCustomer
            }
            (1, _) if customer.is_some() => Action::UpdateCustomer {
                of: customer.expect("just seen"),
            },
            (2, _) => Action::Balance,
            (3, _) => Action::List {
                kind: [
                    Listed::PaymentIntents,
                    Listed::Charges,
                    Listed::Refunds,
                    Listed::Disputes,
                    Listed::Events,
                ][self.dice.below(5) as usize],
                limit: 1 + self.dice.below(20) as usize,
            },
            (4..8, Some((of, ..))) => Action::Get { of },
            (8..11, Some((of, ..))) => {
                let card = self.card();
                self.watch(account, of, card);
                Action::Confirm { of, card }
            }
            (11..15, Some((of, _, amount))) => Action::Capture {
                of,
                amount: self.part(amount),
            },
            (15..18, Some((of, ..))) => Action::Cancel { of },
            (18..22, Some((of, _, amount))) => Action::Refund {
                of,
                amount: self.part(amount),
            },
            (30..34, _) => self.set_up(number, account, customer),
            (34..38, _) => self.charge(number, account),
            (38..42, _) if !self.disputed[account].is_empty() => self.dispute(account),
            (42..46, _) if !self.parked[account].is_empty() => self.authenticate(account),
            (46..52, _) => self.debit(number, account, customer),
            (52..55, _) => self.redirect(number, account, customer),
            (55..58, _) if customer.is_some() => self.bank(number, account, customer.expect("just seen")),
            (58..60, Some((of, _, amount))) => Action::CaptureByCharge {
                of,
                amount: self.part(amount),
            },
            _ => self.create(number, account, customer),
        }
    }

    /// A new setup, or something that is done to one of the newest.
    fn set_up(&mut self, number: usize, account: usize, customer: Option<usize>) -> Action {
        const CARDS: [&str; 6] = [
            "visa",
            "visa_chargeDeclined",
            "authenticationRequired",
            "authenticationRequired",
            "tollgate_remote",
            "tollgate_remoteDecline",
        ];
        let card = CARDS[self.dice.below(CARDS.len() as u64) as usize];
        let known = &self.setups[account];
        let reach = known.len().min(3) as u64;
        let of = (reach > 0).then(|| known[known.len() - 1 - self.dice.below(reach) as usize]);
        match (self.dice.below(6), of) {
            (0..2, Some(of)) => {
                self.watch(account, of, card);
                Action::ConfirmSetup { of, card }
            }
            (2, Some(of)) => Action::CancelSetup { of },
            (3, Some(of)) => Action::Get { of },
            _ => {
                self.setups[account].push(number);
                self.watch(account, number, card);
                let confirm = self.dice.below(3) > 0;
                Action::SetUp {
                    card: (confirm || self.dice.below(2) == 0).then_some(card),
                    confirm,
                    customer: customer.filter(|_| self.dice.below(2) == 0),
                }
            }
        }
    }

    /// A new charge without an intent, or something that is done to one of the newest.
    fn charge(&mut self, number: usize, account: usize) -> Action {
        const CARDS: [&str; 10] = [
            "visa",
            "tollgate_remote",
            "tollgate_remote",
            "tollgate_remoteDecline",
            "de",
            "visa_chargeDeclined",
            "pendingRefund",
            "refundFail",
            "createDispute",
            "createDisputeInquiry",
        ];
        let known = &self.charges[account];
        let reach = known.len().min(4) as u64;
        let of = (reach > 0).then(|| known[known.len() - 1 - self.dice.below(reach) as usize]);
        match (self.dice.below(6), of) {
            (0..2, Some((of, amount))) => Action::CaptureCharge {
                of,
                amount: self.part(amount),
            },
            (2..4, Some((of, amount))) => Action::RefundCharge {
                of,
                amount: self.part(amount),
            },
            _ => {
                let amount = 1_000 + 10 * self.dice.below(20_000) as i64;
                self.charges[account].push((number, amount));
                let card = CARDS[self.dice.below(CARDS.len() as u64) as usize];
                self.watch(account, number, card);
                Action::Charge {
                    amount,
                    card,
                    capture: self.dice.below(2) == 0,
                }
            }
        }
    }

    fn create(&mut self, number: usize, account: usize, customer: Option<usize>) -> Action {
        let amount = 1_000 + 10 * self.dice.below(20_000) as i64;
        let confirm = self.dice.below(5) > 0;
        let manual = self.dice.below(3) == 0;
        self.intents[account].push((number, manual, amount));
        let card = (confirm || self.dice.below(2) == 0).then(|| self.card());
        if let Some(card) = card {
            self.watch(account, number, card);
        }
        Action::Create {
            amount,
            currency: ["usd", "usd", "usd", "eur", "jpy", "kwd"][self.dice.below(6) as usize],
            card,
            confirm,
            manual,
            customer: customer.filter(|_| self.dice.below(3) == 0),
            save: self.dice.below(3) == 0,
        }
    }

    fn card(&mut self) -> &'static str {
        const CARDS: [&str; 18] = [
            "visa",
            "authenticationRequired",
            "visa",
            "pendingRefund",
            "refundFail",
            "de",
            "bypassPending",
            "visa_chargeDeclined",
            "visa_chargeDeclinedInsufficientFunds",
            "tollgate_remote",
            "tollgate_remote",
            "tollgate_remote",
            "tollgate_remoteDecline",
            "threeDSecure2Required",
            "threeDSecureRequiredChargeDeclined",
            "createDispute",
            "createDisputeProductNotReceived",
            "createDisputeInquiry",
        ];
        CARDS[self.dice.below(CARDS.len() as u64) as usize]
    }

    /// Remembers a payment that is going to be disputed once it is captured, or that is going to be parked.
    fn watch(&mut self, account: usize, step: usize, card: &str) {
        let known = if card.starts_with("createDispute") {
            &mut self.disputed[account]
        } else if card.starts_with("authentication") || card.starts_with("threeDSecure") {
            &mut self.parked[account]
        } else {
            return;
        };
        if known.last() != Some(&step) {
            known.push(step);
        }
    }

    /// Somebody proves who they are, or fails to, for one of the newest parked payments and setups; sometimes too late.
    fn authenticate(&mut self, account: usize) -> Action {
        let known = &self.parked[account];
        let reach = known.len().min(4) as u64;
        Action::Authenticate {
            of: known[known.len() - 1 - self.dice.below(reach) as usize],
            passes: self.dice.below(4) > 0,
            first: self.dice.below(4) == 0,
        }
    }

    /// Something that is done about the dispute of one of the newest disputed payments. What nobody answers is decided
    /// by time.
    fn dispute(&mut self, account: usize) -> Action {
        const EVIDENCE: [&str; 6] = [
            "winning_evidence",
            "winning_evidence",
            "losing_evidence",
            "escalate_inquiry_evidence",
            "escalate_inquiry_evidence",
            "Somebody signed for it.",
        ];
        let known = &self.disputed[account];
        let reach = known.len().min(5) as u64;
        let of = known[known.len() - 1 - self.dice.below(reach) as usize];
        match self.dice.below(8) {
            0 => Action::CloseDispute { of },
            1 => Action::GetDispute { of },
            _ => Action::AnswerDispute {
                of,
                evidence: EVIDENCE[self.dice.below(EVIDENCE.len() as u64) as usize],
                submit: self.dice.below(3) > 0,
            },
        }
    }

    pub(super) fn part(&mut self, amount: i64) -> Option<i64> {
        // Whole tens, which every currency has.
        let part = (amount / 40) * 10 * (1 + self.dice.below(4) as i64);
        (self.dice.below(2) == 0 && part > 0).then_some(part.min(amount))
    }

    fn intent(&mut self, account: usize) -> Option<(usize, bool, i64)> {
        let known = &self.intents[account];
        let reach = match self.dice.below(10) {
            0 => known.len(),
            1..4 => known.len().min(1),
            _ => known.len().min(RECENT),
        };
        (reach > 0).then(|| known[known.len() - 1 - self.dice.below(reach as u64) as usize])
    }

    fn recent_customer(&mut self, account: usize) -> Option<usize> {
        let known = &self.customers[account];
        let reach = known.len().min(RECENT) as u64;
        (reach > 0).then(|| known[known.len() - 1 - self.dice.below(reach) as usize])
    }
}
