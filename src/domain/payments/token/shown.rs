//! What a token shows.

use super::{Token, TokenContent};
use crate::kinds;
use crate::object::ShowContext;
use crate::payments::bank_account::BankAccountShown;
use crate::payments::card::HeldCardShown;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Id, Names, Shown};

/// Details of a card or bank account in exchange for an id.
#[derive(Shown)]
#[shown(object = "token")]
pub struct TokenShown<'a> {
    /// Unique identifier.
    pub id: Ident,
    /// The bank account it stands for.
    #[shown(omit)]
    pub bank_account: Option<BankAccountShown<'a>>,
    /// The card it stands for.
    #[shown(omit)]
    pub card: Option<HeldCardShown<'a>>,
    /// Address of the browser it was made by.
    pub client_ip: Option<&'a str>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// What it stands for.
    #[shown(name = "type")]
    pub kind: TokenType,
    /// Whether it was used.
    pub used: bool,
}

/// What a token can stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum TokenType {
    /// A bank account.
    BankAccount,
    /// A card.
    Card,
    /// A security code.
    CvcUpdate,
}

impl<'a> TokenShown<'a> {
    /// What `token` shows.
    pub fn of(token: &'a Token, context: &ShowContext<'_>) -> TokenShown<'a> {
        // The card or bank account of a token is named by the token's own place; it is not stored as an object.
        let own = token.id;
        let card_id = Id::new(&kinds::CARD, own.unix_ms(), own.seq(), own.account_tag());
        let bank_id = Id::new_other(&kinds::CARD, own.unix_ms(), own.seq(), own.account_tag());
        let (kind, card, bank) = match &token.content {
            TokenContent::Card(held) => (TokenType::Card, Some(held), None),
            TokenContent::CvcUpdate => (TokenType::CvcUpdate, None, None),
            TokenContent::BankAccount(bank) => (TokenType::BankAccount, None, Some(bank)),
        };
        TokenShown {
            id: Ident {
                kind: &kinds::TOKEN,
                id: own,
            },
            bank_account: bank.map(|bank| BankAccountShown::of(bank, bank_id, context)),
            card: card.and_then(|held| HeldCardShown::of(held, card_id, None, context.secrets)),
            client_ip: None,
            created: Seconds(token.id.created()),
            livemode: context.livemode,
            kind,
            used: token.used,
        }
    }
}
