//! What a run came by.

/// How often the interesting answers and records were seen; a run that never saw one proves nothing about it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Answers repeated from a key.
    pub replays: u64,
    /// 409: a key in use.
    pub keys_in_use: u64,
    /// 429: an object that waits for its network for too long.
    pub lock_timeouts: u64,
    /// Keys used with another body.
    pub mismatches: u64,
    /// Payments answered `processing`.
    pub in_doubt: u64,
    /// Requests the engine lost and said so.
    pub lost: u64,
    /// Holds that were not captured in time.
    pub expired: u64,
    /// Lists.
    pub pages: u64,
    /// Payments and setups that went on, or failed, because their payer acted.
    pub actions: u64,
    /// Disputes that were opened.
    pub disputes: u64,
    /// Disputes that came to their end.
    pub disputes_over: u64,
    /// Disputes that ended because nobody answered them in time.
    pub unanswered: u64,
    /// Charges without an intent that the remote network decided.
    pub remote_charges: u64,
    /// Setups that the remote network decided.
    pub remote_setups: u64,
    /// Captures of an intent's hold that were asked of its charge.
    pub captures_by_charge: u64,
    /// Payments from bank accounts that the bank decided.
    pub debits: u64,
    /// Payments that went on because deposits were told.
    pub deposits: u64,
    /// Payments that their payers agreed to elsewhere.
    pub redirects: u64,
    /// Charges of bank accounts without an intent that the bank decided.
    pub bank_charges: u64,
    /// Bank accounts of customers that were verified.
    pub banks_verified: u64,
    /// Deliveries that were heard to be taken.
    pub delivered: u64,
    /// Deliveries that were heard to have failed.
    pub refused: u64,
    /// Deliveries of what was heard to be taken before.
    pub again: u64,
    /// Endpoints of which their owners were told that they fail.
    pub failing: u64,
    /// Endpoints that were switched off because they failed for days, or were gone.
    pub given_up: u64,
}

impl Seen {
    /// The sum of both.
    pub fn plus(&self, other: &Seen) -> Seen {
        Seen {
            replays: self.replays + other.replays,
            keys_in_use: self.keys_in_use + other.keys_in_use,
            lock_timeouts: self.lock_timeouts + other.lock_timeouts,
            mismatches: self.mismatches + other.mismatches,
            in_doubt: self.in_doubt + other.in_doubt,
            lost: self.lost + other.lost,
            expired: self.expired + other.expired,
            pages: self.pages + other.pages,
            actions: self.actions + other.actions,
            disputes: self.disputes + other.disputes,
            disputes_over: self.disputes_over + other.disputes_over,
            unanswered: self.unanswered + other.unanswered,
            remote_charges: self.remote_charges + other.remote_charges,
            remote_setups: self.remote_setups + other.remote_setups,
            captures_by_charge: self.captures_by_charge + other.captures_by_charge,
            debits: self.debits + other.debits,
            deposits: self.deposits + other.deposits,
            redirects: self.redirects + other.redirects,
            bank_charges: self.bank_charges + other.bank_charges,
            banks_verified: self.banks_verified + other.banks_verified,
            delivered: self.delivered + other.delivered,
            refused: self.refused + other.refused,
            again: self.again + other.again,
            failing: self.failing + other.failing,
            given_up: self.given_up + other.given_up,
        }
    }
}
