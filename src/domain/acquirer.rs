//! The port to acquirers: calls that leave, answers that come back. The pool that performs calls is in actors; networks
//! are in acquiring. Nothing here waits.

use crate::money::Currency;
use tollgate_resource::{Id, Names, Record};

/// One attempt to have a network do something; unique for ever, so that it can be inquired about and reversed.
/// It is the id of the object that records it (a payment intent or refund) and a number that grows with each attempt on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Record)]
pub struct AttemptId {
    /// The object the attempt is for.
    #[record(1)]
    pub object: Id,
    /// 1 for the first attempt on it.
    #[record(2)]
    pub number: u32,
}

/// A call to a network. Recorded in the block of its attempt; released when that block is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct NetworkCall {
    /// The attempt it belongs to.
    #[record(1)]
    pub attempt: AttemptId,
    /// What is asked.
    #[record(2)]
    pub ask: Ask,
    /// When the caller may stop waiting for the answer, milliseconds since the Unix epoch.
    #[record(3)]
    pub deadline_ms: u64,
}

/// What is asked of a network. Authorise, purchase, capture, verify are sent at most once per attempt; inquiries, reversals and
/// refund advices are repeated until answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum Ask {
    /// Hold an amount (0100).
    #[record(1)]
    Authorise(#[record(1)] CardMoney),
    /// Authorise and capture at once (0200).
    #[record(2)]
    Purchase(#[record(1)] CardMoney),
    /// Capture part or all of what attempt `of` holds (0220).
    #[record(3)]
    Capture {
        /// The attempt that authorised.
        #[record(1)]
        of: AttemptId,
        /// How much.
        #[record(2)]
        money: CardMoney,
    },
    /// What became of the attempt?
    #[record(4)]
    Inquire,
    /// Undo the attempt, whatever became of it (0400); acknowledged even if the network never saw it.
    #[record(5)]
    Reverse,
    /// Give money back of what attempt `of` captured (advice, repeated until acknowledged).
    #[record(6)]
    Refund {
        /// The attempt that captured.
        #[record(1)]
        of: AttemptId,
        /// How much.
        #[record(2)]
        money: CardMoney,
    },
    /// Say whether a card is good, without holding anything (0100 with amount zero).
    #[record(7)]
    Verify {
        /// The card, and an amount of zero.
        #[record(1)]
        money: CardMoney,
        /// Whether its security code was given.
        #[record(2)]
        cvc: bool,
    },
}

/// An amount on a test card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct CardMoney {
    /// Minor units.
    #[record(1)]
    pub amount: i64,
    /// Their currency.
    #[record(2)]
    pub currency: Currency,
    /// Number of the test card in the domain's table; real card numbers will travel sealed by the vault.
    #[record(3)]
    pub test_card: u16,
}

/// What came back for one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct NetworkAnswer {
    /// What was asked, so that a late answer to an old question is told from the present one.
    #[record(1)]
    pub to: Asked,
    /// What the network said.
    #[record(2)]
    pub said: Said,
}

/// The question a network answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum Asked {
    /// Authorise, purchase, capture, refund or verify.
    #[record(1)]
    Request,
    /// An inquiry.
    #[record(2)]
    Inquiry,
    /// A reversal.
    #[record(3)]
    Reversal,
}

/// A network's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum Said {
    /// Done, or (to an inquiry) was done.
    #[record(1)]
    Approved,
    /// Refused; the number of the decline in the domain's table.
    #[record(2)]
    Declined {
        /// Number of the decline.
        #[record(1)]
        decline: u16,
    },
    /// Never heard of the attempt. Settles nothing: it may still be under way.
    #[record(3)]
    NotFound,
    /// A reversal was carried out or had nothing to undo.
    #[record(4)]
    Acknowledged,
    /// No answer came within the call's time, or the connection failed. Nothing is known.
    #[record(5)]
    Silence,
}
