//! What was asked and answered, by whom and when: the recorded history of one account.

use crate::checker::Span;
use std::fmt;

/// Fields of the account's customer that clients write to.
pub(crate) const FIELDS: usize = 3;

/// A test card, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Card {
    /// Pays, on whichever network the server uses.
    Visa,
    /// Is declined, on the instant network.
    Declined,
    Remote,
    RemoteDecline,
    Silent,
    LostAnswer,
    Late,
    Slow,
}

/// What is asked. A slot is the client's own name of a payment intent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Create {
        slot: u8,
        amount: i64,
        manual: bool,
        /// Confirmed in the same request.
        card: Option<Card>,
    },
    Confirm {
        slot: u8,
        card: Card,
    },
    Capture {
        slot: u8,
        amount: Option<i64>,
    },
    Cancel {
        slot: u8,
    },
    Refund {
        slot: u8,
        amount: Option<i64>,
    },
    /// Writes one field of the customer.
    Update {
        field: u8,
        value: u32,
    },
    Get {
        slot: u8,
    },
    /// A charge of the intent, counted from the oldest.
    Charge {
        slot: u8,
        at: u8,
    },
    /// Which intents there are.
    Intents,
    /// How many charges the intent has.
    Charges {
        slot: u8,
    },
    /// Amounts of the intent's refunds, newest first.
    Refunds {
        slot: u8,
    },
    Customer,
    Balance,
}

/// What an intent shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shown {
    pub(crate) status: Status,
    pub(crate) capturable: i64,
    pub(crate) received: i64,
    /// Whether it names a charge.
    pub(crate) charge: bool,
    /// Whether it tells of a failed attempt.
    pub(crate) error: bool,
}

/// The public states of an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    RequiresPaymentMethod,
    RequiresConfirmation,
    Processing,
    RequiresCapture,
    Succeeded,
    Canceled,
}

/// What a charge shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ChargeShown {
    pub(crate) paid: bool,
    pub(crate) captured: bool,
    pub(crate) amount_captured: i64,
    pub(crate) amount_refunded: i64,
    pub(crate) refunded: bool,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Intent(Shown),
    /// 402, with the intent as it is then.
    Declined(Shown),
    /// A refund of this amount was made.
    Refund(i64),
    Customer([u32; FIELDS]),
    Charge(ChargeShown),
    /// Slots, newest first.
    Intents(Vec<u8>),
    Charges(u8),
    Refunds(Vec<i64>),
    /// All of it, pending or not.
    Balance(i64),
    /// 400, with the error's code.
    Refused(Option<Code>),
    /// 429: another request held the object for too long.
    LockTimeout,
    /// 409: the key's first request is still under way.
    KeyInUse,
    /// 400: the key was used for something else.
    KeyMisused,
}

/// Codes of refusals that the mix can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    UnexpectedState,
    AmountTooLarge,
    AlreadyRefunded,
}

/// One request of a history. A list is one request for each thing that it shows, all with the same number and times:
/// lists are not promised to be pictures of one moment, but each thing on them is promised to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Op {
    pub(crate) number: u32,
    pub(crate) client: u8,
    pub(crate) call: Call,
    /// The idempotency key.
    pub(crate) key: Option<u16>,
    /// `None` if nobody heard one.
    pub(crate) answer: Option<Answer>,
    /// Whether the answer says that it repeats an earlier one.
    pub(crate) replayed: bool,
    /// Nanoseconds since the history began.
    pub(crate) span: Span,
}

impl Call {
    pub(crate) fn is_read(&self) -> bool {
        use Call::*;
        matches!(
            self,
            Get { .. } | Charge { .. } | Intents | Charges { .. } | Refunds { .. } | Customer | Balance
        )
    }

    /// The intent it is about.
    pub(crate) fn slot(&self) -> Option<u8> {
        match *self {
            Call::Create { slot, .. }
            | Call::Confirm { slot, .. }
            | Call::Capture { slot, .. }
            | Call::Cancel { slot }
            | Call::Refund { slot, .. }
            | Call::Get { slot }
            | Call::Charge { slot, .. }
            | Call::Charges { slot }
            | Call::Refunds { slot } => Some(slot),
            Call::Intents | Call::Customer | Call::Balance | Call::Update { .. } => None,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = |ns: u64| ns / 1_000;
        write!(
            to,
            "#{:<3} client {} {:>8}",
            self.number,
            self.client,
            us(self.span.asked)
        )?;
        match self.span.answered {
            Some(answered) => write!(to, " to {:>8} us  ", us(answered))?,
            None => write!(to, " to      ...     ")?,
        }
        write!(to, "{:?}", self.call)?;
        if let Some(key) = self.key {
            write!(to, " key {key}")?;
        }
        match &self.answer {
            Some(answer) => write!(to, " => {answer:?}")?,
            None => write!(to, " => nobody heard, or it does not matter what")?,
        }
        if self.replayed {
            write!(to, " (replayed)")?;
        }
        Ok(())
    }
}
