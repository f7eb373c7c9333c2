//! What money is taken from: a card, or a bank account.

use super::{Aftermath, Card, DisputedAs, PaymentMethodType, RefundBehaviour, TestCard};
use crate::inputs::Network;
use crate::payments::bank_account::{BankAccount, BankOutcome, BankScheme};
use crate::payments::redirect_method::RedirectMethod;
use crate::time::{available_day, day_of};
use tollgate_resource::record::{
    Field, Input, Wire, put_field, put_record, skip_unknown, take_field, take_record, taken,
};
use tollgate_resource::{Record, RecordError};

/// What money is taken from, as payment methods and charges keep it.
///
/// A card stands in a record by its own fields, as it did before there was anything else; every other kind stands as one
/// field whose number no field of a card has (from [`FIRST_OTHER`]).
#[derive(Clone, Debug, PartialEq)]
pub enum Instrument {
    /// A card.
    Card(Card),
    /// A bank account that is debited.
    Bank(Box<BankAccount>),
    /// What the payer agrees to on a page of another company.
    Redirect(Box<RedirectMethod>),
}

/// The first number of a field that is not a card's.
const FIRST_OTHER: u32 = 16;
const BANK: u32 = FIRST_OTHER;
const REDIRECT: u32 = 17;
const SHAPE: &str = "Instrument";

impl Instrument {
    /// Its type of payment method.
    pub fn kind(&self) -> PaymentMethodType {
        match self {
            Instrument::Card(_) => PaymentMethodType::Card,
            Instrument::Bank(bank) => bank.scheme.kind(),
            Instrument::Redirect(method) => method.kind,
        }
    }

    /// The card, if it is one.
    pub fn card(&self) -> Option<&Card> {
        match self {
            Instrument::Card(card) => Some(card),
            Instrument::Bank(_) | Instrument::Redirect(_) => None,
        }
    }

    /// The card, to be changed, if it is one.
    pub(crate) fn card_mut(&mut self) -> Option<&mut Card> {
        match self {
            Instrument::Card(card) => Some(card),
            Instrument::Bank(_) | Instrument::Redirect(_) => None,
        }
    }

    /// The bank account, if it is one.
    pub fn bank(&self) -> Option<&BankAccount> {
        match self {
            Instrument::Bank(bank) => Some(bank),
            Instrument::Card(_) | Instrument::Redirect(_) => None,
        }
    }

    /// What is agreed to on another company's page, if it is that.
    pub fn redirect(&self) -> Option<&RedirectMethod> {
        match self {
            Instrument::Redirect(method) => Some(method),
            Instrument::Card(_) | Instrument::Bank(_) => None,
        }
    }

    /// The bank account, to be changed, if it is one.
    pub(crate) fn bank_mut(&mut self) -> Option<&mut BankAccount> {
        match self {
            Instrument::Bank(bank) => Some(bank),
            Instrument::Card(_) | Instrument::Redirect(_) => None,
        }
    }

    /// What the table of test cards says about it, if it is a card.
    pub fn test_card(&self) -> Option<&'static TestCard> {
        self.card().map(Card::facts)
    }

    /// The network that takes it: a card's own choice, else the configured one. Bank debits are decided here.
    pub fn network(&self, configured: Network) -> Network {
        match self {
            Instrument::Card(card) => card.network(configured),
            Instrument::Bank(_) | Instrument::Redirect(_) => Network::Instant,
        }
    }

    /// What its bank does once a payment has been captured.
    pub fn aftermath(&self) -> Aftermath {
        match self {
            Instrument::Card(card) => card.facts().aftermath,
            Instrument::Bank(bank) if bank.facts().outcome == BankOutcome::Disputed => {
                Aftermath::Disputes(DisputedAs::Unauthorized)
            }
            Instrument::Bank(_) | Instrument::Redirect(_) => Aftermath::Quiet,
        }
    }

    /// What becomes of refunds.
    pub fn refund_behaviour(&self) -> RefundBehaviour {
        self.test_card().map_or(RefundBehaviour::Succeed, |card| card.refund)
    }

    /// The day from which the net of a payment captured at `now_ms` is available.
    pub fn available_day(&self, now_ms: u64) -> i32 {
        match self {
            Instrument::Card(card) => card.facts().available_day(now_ms),
            // Test debits in the United States settle at once.
            Instrument::Bank(bank) if bank.scheme == BankScheme::UsBankAccount => day_of(now_ms),
            Instrument::Bank(_) | Instrument::Redirect(_) => available_day(now_ms),
        }
    }
}

impl From<Card> for Instrument {
    fn from(card: Card) -> Instrument {
        Instrument::Card(card)
    }
}

impl Record for Instrument {
    const NAME: &'static str = SHAPE;
    const FIELDS: &'static [(u32, &'static str)] =
        &[(1, "(the fields of a card)"), (BANK, "bank"), (REDIRECT, "redirect")];

    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Instrument::Card(card) => card.encode(out),
            Instrument::Bank(bank) => put_field(bank, BANK, out),
            Instrument::Redirect(method) => put_field(method, REDIRECT, out),
        }
    }

    fn decode(input: Input<'_>) -> Result<Self, RecordError> {
        let mut other = input;
        match other.take_key() {
            Ok((number, wire)) if number >= FIRST_OTHER => {
                let mut slot = None;
                let mut redirect = None;
                match number {
                    BANK => take_field(&mut slot, &mut other, SHAPE, number, wire)?,
                    REDIRECT => take_field(&mut redirect, &mut other, SHAPE, number, wire)?,
                    _ => skip_unknown(&mut other, SHAPE, number, wire)?,
                }
                if !other.is_empty() {
                    return Err(RecordError::Trailing { shape: SHAPE });
                }
                if redirect.is_some() {
                    return Ok(Instrument::Redirect(taken(redirect)));
                }
                if slot.is_none() {
                    return Err(RecordError::MissingField { shape: SHAPE, number });
                }
                Ok(Instrument::Bank(taken(slot)))
            }
            _ => Card::decode(input).map(Instrument::Card),
        }
    }
}

impl Field for Instrument {
    const WIRE: Wire = Wire::Bytes;
    fn is_absent(&self) -> bool {
        false
    }
    fn absent() -> Option<Self> {
        None
    }
    fn put(&self, out: &mut Vec<u8>) {
        put_record(self, out);
    }
    fn take(input: &mut Input<'_>) -> Result<Self, RecordError> {
        take_record(input)
    }
}
