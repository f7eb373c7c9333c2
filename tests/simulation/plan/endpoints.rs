//! Webhook endpoints of a history: when merchants make, switch and delete them, and how the receivers behind them do.
//!
//! Drawn from dice of their own, behind everything else, so that the rest of a history does not depend on them.

use super::author::Author;
use super::{Action, Fault, What, Wish};
use crate::receivers::Mood;
use tollgate_actors::entropy::Entropy;

/// What endpoints ask for.
const EVENTS: [&[&str]; 5] = [
    &["*"],
    &["*"],
    &["charge.*", "refund.*"],
    &[
        "payment_intent.succeeded",
        "webhook_endpoint.failing",
        "webhook_endpoint.disabled",
    ],
    &["payment_intent.*", "webhook_endpoint.*"],
];
/// Most endpoints that a history makes for one account.
const ENDPOINTS_MAX: u64 = 3;
/// Most changes of one receiver's mood.
const MOODS_MAX: u64 = 8;

impl Author {
    /// Writes what happens to endpoints in so many milliseconds. One history in three has none.
    pub(super) fn write_endpoints(&mut self, seed: u64, length_ms: u64) {
        let mut dice = Entropy::new(seed ^ 0x656e_6470_6f69_6e74);
        if dice.below(3) == 0 {
            return;
        }
        for account in 0..self.weather.accounts {
            for _ in 0..dice.below(ENDPOINTS_MAX + 1) {
                self.endpoint(&mut dice, account, length_ms);
            }
        }
        for _ in 0..dice.below(6) {
            let shard = dice.below(u64::from(self.weather.shards)) as u16;
            let fault = What::Fault(Fault::HandOver { shard });
            self.steps.push((dice.below(length_ms), fault));
        }
    }

    fn endpoint(&mut self, dice: &mut Entropy, account: usize, length_ms: u64) {
        let of = self.steps.len();
        let share = [1, 4, 64][dice.below(3) as usize];
        let made_ms = dice.below(length_ms / share);
        // What is there from the start, a moment before the first payments.
        let made_ms = if dice.below(2) == 0 { 0 } else { made_ms };
        let action = Action::CreateEndpoint {
            events: EVENTS[dice.below(EVENTS.len() as u64) as usize],
            strict: dice.below(3) == 0,
        };
        let wish = Wish {
            account,
            keyed: dice.below(4) > 0,
            ..Wish::of(action)
        };
        self.steps.push((made_ms, What::Ask(wish)));
        // One in three is well all the time: for it order and progress are held to the letter.
        if dice.below(3) > 0 {
            for _ in 0..1 + dice.below(MOODS_MAX) {
                let mood = Mood::any(dice);
                self.steps.push((dice.below(length_ms), What::Receiver { of, mood }));
            }
        }
        for _ in 0..dice.below(3) {
            let at_ms = made_ms + dice.below(length_ms);
            let for_ms = dice.below(length_ms / 8);
            for (at_ms, disabled) in [(at_ms, true), (at_ms + for_ms, false)] {
                let switch = Wish {
                    account,
                    ..Wish::of(Action::SwitchEndpoint { of, disabled })
                };
                self.steps.push((at_ms, What::Ask(switch)));
            }
        }
        if dice.below(6) == 0 {
            let delete = Wish {
                account,
                ..Wish::of(Action::DeleteEndpoint { of })
            };
            self.steps.push((made_ms + dice.below(length_ms), What::Ask(delete)));
        }
    }
}
