//! A simulated acquirer with a book of its own. It carries out what reaches it, once; what becomes of the messages on the
//! way there and back is the world's business.
//!
//! A reversal is remembered even if nothing was there to undo: a request that arrives after its own reversal is refused.

use std::collections::BTreeMap;
use tollgate_domain::AccountKey;
use tollgate_domain::acquirer::{Ask, Asked, AttemptId, CardMoney, NetworkAnswer, NetworkCall, Said};
use tollgate_domain::payments::payment_method::{Behaviour, RemoteBehaviour, TestCard, declines};

/// What the acquirer knows about one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// What was asked, if the request arrived.
    pub asked: Option<Business>,
    /// Whether it said yes.
    pub approved: bool,
    /// Whether it was reversed.
    pub reversed: bool,
}

/// A request that moves or holds money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Business {
    /// What.
    pub what: Moves,
    /// How much.
    pub money: CardMoney,
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moves {
    /// Holds money.
    Authorises,
    /// Takes money.
    Purchases,
    /// Takes money that is held.
    Captures(AttemptId),
    /// Gives money back.
    Refunds(AttemptId),
    /// Says whether a card is good.
    Verifies,
}

/// The acquirer.
#[derive(Debug, Default)]
pub struct Acquirer {
    book: BTreeMap<(u64, AttemptId), Line>,
}

impl Acquirer {
    /// Everything it knows, by account and attempt.
    pub fn book(&self) -> &BTreeMap<(u64, AttemptId), Line> {
        &self.book
    }

    /// A call arrives; what the acquirer says to it.
    pub fn receive(&mut self, account: AccountKey, call: &NetworkCall) -> NetworkAnswer {
        let key = (account.0, call.attempt);
        let (to, said) = match call.ask {
            Ask::Authorise(money) => (Asked::Request, self.request(key, Moves::Authorises, money)),
            Ask::Purchase(money) => (Asked::Request, self.request(key, Moves::Purchases, money)),
            Ask::Capture { of, money } => (Asked::Request, self.request(key, Moves::Captures(of), money)),
            Ask::Refund { of, money } => (Asked::Request, self.request(key, Moves::Refunds(of), money)),
            Ask::Verify { money, .. } => (Asked::Request, self.request(key, Moves::Verifies, money)),
            Ask::Inquire => (Asked::Inquiry, self.inquiry(key)),
            Ask::Reverse => {
                let line = self.book.entry(key).or_insert(UNSEEN);
                line.reversed = true;
                (Asked::Reversal, Said::Acknowledged)
            }
        };
        NetworkAnswer { to, said }
    }

    fn request(&mut self, key: (u64, AttemptId), what: Moves, money: CardMoney) -> Said {
        if let Some(line) = self.book.get(&key) {
            // Advices are repeated; anything else that is known already was reversed before it came.
            return if line.approved && matches!(what, Moves::Refunds(_)) {
                Said::Approved
            } else {
                Said::Declined {
                    decline: declines::PROCESSING_ERROR.number,
                }
            };
        }
        let said = self.word(key.0, what, money);
        let line = Line {
            asked: Some(Business { what, money }),
            approved: said == Said::Approved,
            reversed: false,
        };
        self.book.insert(key, line);
        said
    }

    fn word(&self, account: u64, what: Moves, money: CardMoney) -> Said {
        let refused = |decline| Said::Declined { decline };
        match what {
            Moves::Authorises | Moves::Purchases | Moves::Verifies => {
                let card = TestCard::by_number(money.test_card).expect("a card of the table");
                match card.behaviour {
                    Behaviour::Remote(RemoteBehaviour::Decline) => refused(declines::GENERIC.number),
                    Behaviour::Remote(_) => Said::Approved,
                    other => panic!("{other:?} is decided on the instant network"),
                }
            }
            Moves::Captures(of) => match self.book.get(&(account, of)) {
                Some(hold) if hold.approved && !hold.reversed && !self.taken(account, of) => Said::Approved,
                _ => refused(declines::PROCESSING_ERROR.number),
            },
            Moves::Refunds(_) => Said::Approved,
        }
    }

    fn taken(&self, account: u64, hold: AttemptId) -> bool {
        // Captures of a hold are attempts of the same object.
        let from = AttemptId { number: 0, ..hold };
        let to = AttemptId {
            number: u32::MAX,
            ..hold
        };
        self.book.range((account, from)..=(account, to)).any(|(_, line)| {
            line.approved && !line.reversed && line.asked.is_some_and(|asked| asked.what == Moves::Captures(hold))
        })
    }

    fn inquiry(&self, key: (u64, AttemptId)) -> Said {
        match self.book.get(&key) {
            Some(line) if line.reversed || line.asked.is_none() => Said::NotFound,
            Some(line) if line.approved => Said::Approved,
            Some(_) => Said::Declined {
                decline: declines::GENERIC.number,
            },
            None => Said::NotFound,
        }
    }
}

const UNSEEN: Line = Line {
    asked: None,
    approved: false,
    reversed: false,
};
