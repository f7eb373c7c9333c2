//! What a token shows.

use super::{Token, TokenContent};
use crate::kinds;
use crate::object::ShowContext;
use crate::payments::card::HeldCardShown;
use tollgate_resource::shown::{Ident, Seconds};
use tollgate_resource::{Id, Names, Shown};

/// Card details in exchange for an id.
#[derive(Shown)]
#[shown(object = "token")]
pub struct TokenShown<'a> {
    /// Unique identifier.
    pub id: Ident,
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
    /// A card.
    Card,
    /// A security code.
    CvcUpdate,
}

impl<'a> TokenShown<'a> {
    /// What `token` shows.
    pub fn of(token: &'a Token, context: &ShowContext<'_>) -> TokenShown<'a> {
        // The card of a token is named by the token's own place; it is not stored as an object.
        let card_id = Id::new(&kinds::CARD, token.id.unix_ms(), token.id.seq(), token.id.account_tag());
        let (kind, card) = match &token.content {
            TokenContent::Card(held) => (TokenType::Card, Some(held)),
            TokenContent::CvcUpdate => (TokenType::CvcUpdate, None),
        };
        TokenShown {
            id: Ident {
                kind: &kinds::TOKEN,
                id: token.id,
            },
            card: card.and_then(|held| HeldCardShown::of(held, card_id, None, context.secrets)),
            client_ip: None,
            created: Seconds(token.id.created()),
            livemode: context.livemode,
            kind,
            used: token.used,
        }
    }
}
