//! Cards as parameters.

use super::number::{CardNumber, Cvc};
use super::token_param::TokenParam;
use tollgate_resource::{Names, Params};

/// A card as `card[…]` gives it: its details, or a token that stands for them.
#[derive(Params, Default, Clone, Debug)]
pub struct CardParams {
    /// Security code. It is checked with the next payment and never stored.
    pub cvc: Option<Cvc>,
    /// Month of expiry, 1 to 12.
    pub exp_month: Option<i64>,
    /// Year of expiry, of two or four digits.
    pub exp_year: Option<i64>,
    /// Which network is to take it.
    pub networks: Option<CardNetworksParams>,
    /// The number, without separators.
    pub number: Option<CardNumber>,
    /// A token, in place of everything else.
    pub token: Option<TokenParam>,
}

/// Which network is to take a card of two networks.
#[derive(Params, Default, Clone, Debug)]
pub struct CardNetworksParams {
    /// The one the cardholder prefers.
    pub preferred: Option<PreferredNetwork>,
}

/// Networks a cardholder may prefer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum PreferredNetwork {
    /// Cartes Bancaires.
    CartesBancaires,
    /// Mastercard.
    Mastercard,
    /// Visa.
    Visa,
}
