//! Parameters of sources, and of the cards and sources of customers.

use super::SourceUsage;
use crate::address::AddressParams;
use crate::kinds;
use crate::money::Currency;
use crate::payments::bank_account::{AccountNumber, AccountType, BankAccountParams, HolderType};
use crate::payments::card::{CardNetworksParams, CardNumber, Cvc, FlatCardParams, TokenParam, TokenizationMethod};
use crate::reject::codes;
use tollgate_resource::params::{Bounds, HasParams, scalar};
use tollgate_resource::{Id, Kind, MetadataUpdate, Names, ParamKind, ParamValue, Params, Problem, Step, Update};

/// What is saved to a customer: a token, a source, or the details of a card or bank account.
#[derive(Clone, Debug)]
pub enum NamedSource {
    /// A token.
    Token(TokenParam),
    /// A source.
    Source(Id),
    /// The details of a card or bank account.
    Details(Box<SourceDetailsParams>),
    /// None of these.
    Unknown(Box<str>),
}

impl ParamValue for NamedSource {
    const KIND: ParamKind = ParamKind::Node(SourceDetailsParams::SHAPE);

    fn first(path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<Self, Problem> {
        if !path.is_empty() {
            let mut details = SourceDetailsParams::default();
            details.set(path, text)?;
            return Ok(NamedSource::Details(Box::new(details)));
        }
        if let Some(id) = kinds::SOURCE.parse(text) {
            return Ok(NamedSource::Source(id));
        }
        let token = TokenParam::first(path, text, bounds).map(NamedSource::Token);
        Ok(token.unwrap_or_else(|_| NamedSource::Unknown(text.into())))
    }

    fn more(&mut self, path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<(), Problem> {
        match self {
            NamedSource::Details(details) if !path.is_empty() => details.set(path, text),
            _ => {
                *self = NamedSource::first(path, text, bounds)?;
                Ok(())
            }
        }
    }
}

/// The details of a card or bank account. Which of them it is, `object` says, or the numbers that are given.
#[derive(Params, Default, Clone, Debug)]
pub struct SourceDetailsParams {
    /// Name of the holder of a bank account.
    pub account_holder_name: Option<Box<str>>,
    /// Who holds a bank account.
    pub account_holder_type: Option<HolderType>,
    /// The number of a bank account.
    pub account_number: Option<AccountNumber>,
    /// What kind of bank account it is.
    pub account_type: Option<AccountType>,
    /// City or town.
    pub address_city: Update<Box<str>>,
    /// Two-letter country code.
    pub address_country: Update<Box<str>>,
    /// Street, or post office box.
    pub address_line1: Update<Box<str>>,
    /// Apartment or building.
    pub address_line2: Update<Box<str>>,
    /// State, county or province.
    pub address_state: Update<Box<str>>,
    /// Postal code.
    pub address_zip: Update<Box<str>>,
    /// Where a bank account is kept: accounts in the United States are debited.
    pub country: Option<Box<str>>,
    /// What a wallet proves with a payment. It is believed, and not kept.
    pub cryptogram: Update<Box<str>>,
    /// In which currency a bank account is debited. For cards it changes nothing.
    pub currency: Option<Currency>,
    /// Security code. It is checked with the next payment and never stored.
    pub cvc: Option<Cvc>,
    /// The network's number of how a wallet proved it. It changes nothing.
    pub eci: Update<Box<str>>,
    /// Month of expiry, 1 to 12.
    pub exp_month: Option<i64>,
    /// Year of expiry, of two or four digits.
    pub exp_year: Option<i64>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Full name.
    pub name: Update<Box<str>>,
    /// Which network is to take a card.
    pub networks: Option<CardNetworksParams>,
    /// The number of a card, without separators.
    pub number: Option<CardNumber>,
    /// What it is.
    pub object: Option<SourceWord>,
    /// The bank of a bank account.
    pub routing_number: Option<Box<str>>,
    /// The wallet a card came out of.
    pub tokenization_method: Option<TokenizationMethod>,
}

/// The objects whose details are taken in place of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum SourceWord {
    /// A bank account.
    BankAccount,
    /// A card.
    Card,
}

impl SourceDetailsParams {
    /// What they say of a bank account, if they are of one.
    pub fn bank_account(&self) -> Option<BankAccountParams> {
        let is_bank = match self.object {
            Some(word) => word == SourceWord::BankAccount,
            None => self.number.is_none() && (self.account_number.is_some() || self.routing_number.is_some()),
        };
        is_bank.then(|| BankAccountParams {
            account_holder_name: self.account_holder_name.clone(),
            account_holder_type: self.account_holder_type,
            account_number: self.account_number.clone(),
            account_type: self.account_type,
            country: self.country.clone().unwrap_or_default(),
            currency: self.currency,
            routing_number: self.routing_number.clone(),
        })
    }

    /// What they say of a card.
    pub fn card(&self) -> FlatCardParams {
        FlatCardParams {
            address_city: self.address_city.clone(),
            address_country: self.address_country.clone(),
            address_line1: self.address_line1.clone(),
            address_line2: self.address_line2.clone(),
            address_state: self.address_state.clone(),
            address_zip: self.address_zip.clone(),
            cryptogram: self.cryptogram.clone(),
            currency: self.currency,
            cvc: self.cvc.clone(),
            eci: self.eci.clone(),
            exp_month: self.exp_month,
            exp_year: self.exp_year,
            metadata: self.metadata.clone(),
            name: self.name.clone(),
            networks: self.networks.clone(),
            number: self.number.clone(),
            object: None,
            tokenization_method: self.tokenization_method,
        }
    }
}

/// The id of a card, bank account or source of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavedSourceId {
    /// Which of them.
    pub kind: &'static Kind,
    /// Its id.
    pub id: Id,
}

impl SavedSourceId {
    /// Reads one.
    pub fn parse(text: &str) -> Option<SavedSourceId> {
        [&kinds::CARD, &kinds::SOURCE]
            .into_iter()
            .find_map(|kind| kind.parse(text).map(|id| SavedSourceId { kind, id }))
    }
}

impl ParamValue for SavedSourceId {
    const KIND: ParamKind = ParamKind::Word("card or source id");
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        SavedSourceId::parse(text).ok_or(Problem::NoSuch { kind: &kinds::SOURCE })
    }
}

/// What is saved to a customer.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateCustomerSource {
    /// A token, or the details of a bank account; the older name of `source`.
    pub bank_account: Option<NamedSource>,
    /// A token, or a card's details; the older name of `source`.
    pub card: Option<NamedSource>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// A token, a source, or the details of a card or bank account.
    pub source: Option<NamedSource>,
    /// Whether the issuer of a card is asked, which it is if not given.
    pub validate: Option<bool>,
}

/// What changes about a card or source of a customer.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateCustomerSource {
    /// Name of the holder of a bank account.
    pub account_holder_name: Update<Box<str>>,
    /// Who holds a bank account.
    pub account_holder_type: Option<HolderType>,
    /// City or town.
    pub address_city: Update<Box<str>>,
    /// Country.
    pub address_country: Update<Box<str>>,
    /// Street, or post office box.
    pub address_line1: Update<Box<str>>,
    /// Apartment or building.
    pub address_line2: Update<Box<str>>,
    /// State, county or province.
    pub address_state: Update<Box<str>>,
    /// Postal code.
    pub address_zip: Update<Box<str>>,
    /// Month of expiry, 1 to 12.
    pub exp_month: Option<i64>,
    /// Year of expiry, of two or four digits.
    pub exp_year: Option<i64>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// Full name.
    pub name: Update<Box<str>>,
    /// Who owns it; of sources only.
    pub owner: Option<SourceOwnerParams>,
}

/// What the holder of a bank account tells to show that it is theirs.
#[derive(Params, Default, Clone, Debug)]
pub struct VerifyCustomerSource {
    /// The amounts of the two deposits, in minor units.
    #[param(max_items = 2)]
    pub amounts: Vec<i64>,
}

/// Which cards and sources of a customer to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListCustomerSources {
    /// Only those newer than this one.
    pub ending_before: Option<SavedSourceId>,
    /// Most of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only cards, only sources, or only bank accounts.
    pub object: Option<CardObject>,
    /// Only those older than this one.
    pub starting_after: Option<SavedSourceId>,
}

/// Which cards of a customer to list.
#[derive(Params, Default, Clone, Debug)]
pub struct ListCustomerCards {
    /// Only those newer than this one.
    pub ending_before: Option<SavedSourceId>,
    /// Most of the page: 1 to 100, 10 if not given.
    pub limit: Option<i64>,
    /// Only those older than this one.
    pub starting_after: Option<SavedSourceId>,
}

/// Kinds of what can be saved to a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum CardObject {
    /// All of them.
    All,
    /// Bank accounts.
    BankAccount,
    /// Cards.
    Card,
    /// Sources.
    Source,
}

/// What a new source is made of.
#[derive(Params, Default, Clone, Debug)]
pub struct CreateSource {
    /// The amount it is for, in minor units; a card takes any.
    #[param(min = 0, max = 99_999_999)]
    pub amount: Option<i64>,
    /// A card's details.
    pub card: Option<FlatCardParams>,
    /// The currency of the amount.
    pub currency: Option<Currency>,
    /// How the payer agrees: for cards there is nothing to do.
    pub flow: Option<SourceFlow>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// Who owns it.
    pub owner: Option<SourceOwnerParams>,
    /// Where the payer comes back to; a card does not send them anywhere.
    pub redirect: Option<SourceRedirectParams>,
    /// What cardholders are to read.
    pub statement_descriptor: Option<Box<str>>,
    /// A token in place of a card's details.
    pub token: Option<TokenParam>,
    /// Its type.
    #[param(required, name = "type")]
    pub kind: Option<SourceTypeParam>,
    /// How often it may be charged.
    pub usage: Option<SourceUsage>,
}

/// What changes about a source.
#[derive(Params, Default, Clone, Debug)]
pub struct UpdateSource {
    /// The amount it is for, in minor units.
    #[param(min = 0, max = 99_999_999)]
    pub amount: Option<i64>,
    /// The merchant's pairs: merged; an empty value removes its key.
    pub metadata: MetadataUpdate,
    /// Who owns it.
    pub owner: Option<SourceOwnerParams>,
}

/// How a source is retrieved.
#[derive(Params, Default, Clone, Debug)]
pub struct RetrieveSource {
    /// The source's secret, for whoever has no secret key.
    pub client_secret: Option<Box<str>>,
}

/// Who owns a source.
#[derive(Params, Default, Clone, Debug)]
pub struct SourceOwnerParams {
    /// Postal address.
    pub address: Option<AddressParams>,
    /// Email address.
    pub email: Update<Box<str>>,
    /// Full name.
    pub name: Update<Box<str>>,
    /// Telephone number.
    pub phone: Update<Box<str>>,
}

/// Where a payer comes back to.
#[derive(Params, Default, Clone, Debug)]
pub struct SourceRedirectParams {
    /// The page.
    pub return_url: Option<Box<str>>,
}

/// How the payer of a source agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum SourceFlow {
    /// There is nothing to do.
    None,
}

/// A type of source that is offered: cards. Others are refused by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceTypeParam {
    /// A card.
    Card,
}

/// Types of sources that the API knows.
const KNOWN_TYPES: &[&str] = &[
    "ach_credit_transfer",
    "ach_debit",
    "acss_debit",
    "alipay",
    "au_becs_debit",
    "bancontact",
    "card",
    "card_present",
    "eps",
    "giropay",
    "ideal",
    "klarna",
    "multibanco",
    "p24",
    "sepa_debit",
    "sofort",
    "three_d_secure",
    "wechat",
];

impl ParamValue for SourceTypeParam {
    const KIND: ParamKind = ParamKind::Names(&["card"]);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        scalar(path)?;
        match text {
            "card" => Ok(SourceTypeParam::Card),
            known if KNOWN_TYPES.contains(&known) => Err(Problem::Custom {
                code: Some(codes::PAYMENT_METHOD_NOT_AVAILABLE),
                message: "The source type `{}` is not offered by this account; it takes sources of the type `card`.",
            }),
            _ => Err(Problem::Names(KNOWN_TYPES)),
        }
    }
}
