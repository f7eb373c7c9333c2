//! A remote network with a book of its own, whose words get lost, come late or never.

use std::collections::{BTreeMap, BTreeSet};
use tollgate_domain::acquirer::{Ask, Asked, AttemptId, NetworkAnswer, NetworkCall, Said};

/// What a chooser decides about one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Carried out and answered at once.
    Answer,
    /// Carried out; the answer is lost.
    LoseAnswer,
    /// Lost on the way there.
    LoseCall,
    /// Carried out and answered, later.
    Delay,
    /// Refused, if it is something that can be refused.
    Refuse,
}

#[derive(Default)]
pub(crate) struct Network {
    /// Held and captured amounts by the attempt that authorised or bought.
    pub(crate) held: BTreeMap<AttemptId, i64>,
    pub(crate) captured: BTreeMap<AttemptId, i64>,
    /// Which authorisation an attempt to capture captured.
    pub(crate) captures: BTreeMap<AttemptId, AttemptId>,
    pub(crate) refunded: BTreeMap<AttemptId, i64>,
    reversed: BTreeSet<AttemptId>,
    /// Cards said to be good.
    pub(crate) verified: BTreeMap<AttemptId, i64>,
    refused: BTreeSet<AttemptId>,
    sent: BTreeSet<AttemptId>,
    delayed: Vec<NetworkCall>,
}

impl Network {
    /// Takes a call; what is answered at once comes back.
    pub(crate) fn take(&mut self, call: NetworkCall, fate: Fate) -> Option<(AttemptId, NetworkAnswer)> {
        if matches!(
            call.ask,
            Ask::Authorise(_) | Ask::Purchase(_) | Ask::Capture { .. } | Ask::Verify { .. }
        ) {
            assert!(
                self.sent.insert(call.attempt),
                "{:?} is sent at most once",
                call.attempt
            );
        }
        match fate {
            Fate::LoseCall => None,
            Fate::Delay => {
                self.delayed.push(call);
                None
            }
            Fate::LoseAnswer => {
                self.carry_out(call, false);
                None
            }
            Fate::Answer | Fate::Refuse => Some((call.attempt, self.carry_out(call, fate == Fate::Refuse))),
        }
    }

    /// Carries out what was delayed; their answers come back.
    pub(crate) fn catch_up(&mut self) -> Vec<(AttemptId, NetworkAnswer)> {
        let delayed = std::mem::take(&mut self.delayed);
        delayed
            .into_iter()
            .map(|call| (call.attempt, self.carry_out(call, false)))
            .collect()
    }

    fn carry_out(&mut self, call: NetworkCall, refuse: bool) -> NetworkAnswer {
        let attempt = call.attempt;
        let (to, said) = match call.ask {
            Ask::Authorise(money) => (
                Asked::Request,
                self.request(attempt, refuse, |it| &mut it.held, money.amount),
            ),
            Ask::Purchase(money) => (
                Asked::Request,
                self.request(attempt, refuse, |it| &mut it.captured, money.amount),
            ),
            Ask::Capture { of, money } => {
                let said = self.request(attempt, refuse, |it| &mut it.captured, money.amount);
                if said == Said::Approved {
                    assert!(money.amount <= self.held[&of], "never more than is held");
                    self.captures.insert(attempt, of);
                }
                (Asked::Request, said)
            }
            Ask::Verify { money, .. } => (
                Asked::Request,
                self.request(attempt, refuse, |it| &mut it.verified, money.amount),
            ),
            Ask::Inquire => {
                let books = [&self.held, &self.captured, &self.verified];
                let known = books.iter().any(|book| book.contains_key(&attempt));
                let said = match (known, self.refused.contains(&attempt)) {
                    (true, _) => Said::Approved,
                    (_, true) => Said::Declined { decline: 1 },
                    _ => Said::NotFound,
                };
                (Asked::Inquiry, said)
            }
            Ask::Reverse => {
                self.reversed.insert(attempt);
                self.held.remove(&attempt);
                self.captured.remove(&attempt);
                self.captures.remove(&attempt);
                self.verified.remove(&attempt);
                (Asked::Reversal, Said::Acknowledged)
            }
            Ask::Refund { of, money } => {
                assert!(self.captured.contains_key(&of), "only what was captured is refunded");
                // Repeated until acknowledged, so it must count once.
                self.refunded.insert(attempt, money.amount);
                (Asked::Request, Said::Acknowledged)
            }
        };
        NetworkAnswer { to, said }
    }

    fn request(
        &mut self,
        attempt: AttemptId,
        refuse: bool,
        book: fn(&mut Network) -> &mut BTreeMap<AttemptId, i64>,
        amount: i64,
    ) -> Said {
        if refuse || self.reversed.contains(&attempt) {
            self.refused.insert(attempt);
            return Said::Declined { decline: 1 };
        }
        book(self).insert(attempt, amount);
        Said::Approved
    }
}
