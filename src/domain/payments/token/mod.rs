//! Tokens: details of a card or bank account in exchange for an id that is used once, within a quarter of an hour. The names of test cards
//! behind `tok_` are tokens that may be used as often as one likes
//! ([`TokenParam`](crate::payments::card::TokenParam)).

mod decide;
mod params;
mod security_code;
mod shown;

pub(crate) use decide::create;
pub use params::{CreateToken, CvcUpdateParams, ENDPOINTS};
pub(crate) use security_code::{SecurityCode, check_confirms};
pub use shown::TokenShown;

use crate::payments::bank_account::BankAccount;
use crate::payments::card::HeldMethod;
use tollgate_resource::{Id, Record};

/// How long a token can be used, in milliseconds.
pub const TOKEN_LIFE_MS: u64 = 15 * 60 * 1000;

/// A token at one version.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Token {
    /// Its id; also says when it was made.
    #[record(1)]
    pub id: Id,
    /// What it stands for.
    #[record(2)]
    pub content: TokenContent,
    /// Whether it was used.
    #[record(3)]
    pub used: bool,
}

/// What a token stands for.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum TokenContent {
    /// A card.
    #[record(1)]
    Card(#[record(1)] Box<HeldMethod>),
    /// The security code of a card that is saved; the code itself is not kept.
    #[record(2)]
    CvcUpdate,
    /// A bank account.
    #[record(3)]
    BankAccount(#[record(1)] Box<BankAccount>),
}

impl Token {
    /// Whether it is too old to be used.
    pub fn is_expired(&self, now_ms: u64) -> bool {
        now_ms >= self.id.unix_ms() + TOKEN_LIFE_MS
    }
}
