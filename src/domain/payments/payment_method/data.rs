//! `payment_method_data`: a payment method that is made within another operation, and the parameters that
//! `POST /v1/payment_methods` shares with it.

use super::{
    AllowRedisplay, BillingDetails, BillingDetailsParams, Card, CheckResult, Details, Instrument, PaymentMethod,
    PaymentMethodType, PaymentMethodTypeParam,
};
use crate::address::Address;
use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::kinds;
use crate::metadata;
use crate::object::Object;
use crate::payments::bank_account::{
    AcssDebitParams, AuBecsDebitParams, BacsDebitParams, BankAccount, SepaDebitParams, UsBankAccountParams,
};
use crate::payments::card::{
    CardDetails, CardNetworksParams, CardParams, EnteredCard, FlatCardParams, HeldMethod, PreferredNetwork, TokenParam,
};
use crate::payments::payment_method::CardBrand;
use crate::payments::redirect_method::{DobParams, EpsParams, IdealParams, KlarnaParams, P24Params, RedirectMethod};
use crate::payments::token::{Token, TokenContent};
use crate::reject::{Reject, codes};
use std::sync::Arc;
use tollgate_resource::{Id, Kind, MetadataUpdate, Names, Params, Update};

/// What a payment method is made of.
#[derive(Params, Default, Clone, Debug)]
pub struct PaymentMethodData {
    /// A bank account in Canada.
    pub acss_debit: Option<AcssDebitParams>,
    /// Whether it may be shown again in a checkout.
    pub allow_redisplay: Option<AllowRedisplay>,
    /// A bank account in Australia.
    pub au_becs_debit: Option<AuBecsDebitParams>,
    /// A bank account in the United Kingdom.
    pub bacs_debit: Option<BacsDebitParams>,
    /// Who is billed.
    pub billing_details: Option<BillingDetailsParams>,
    /// The card.
    pub card: Option<CardParams>,
    /// A bank in Austria.
    pub eps: Option<EpsParams>,
    /// A bank in the Netherlands.
    pub ideal: Option<IdealParams>,
    /// The payer's address on the network. It changes nothing.
    pub ip: Option<Box<str>>,
    /// What Klarna is told.
    pub klarna: Option<KlarnaParams>,
    /// The merchant's pairs.
    pub metadata: MetadataUpdate,
    /// A bank in Poland.
    pub p24: Option<P24Params>,
    /// What the fraud checks are given.
    pub radar_options: Option<RadarOptionsParams>,
    /// A bank account in the single euro payments area.
    pub sepa_debit: Option<SepaDebitParams>,
    /// Type of payment method.
    #[param(required, name = "type")]
    pub kind: Option<PaymentMethodTypeParam>,
    /// A bank account in the United States.
    pub us_bank_account: Option<UsBankAccountParams>,
    /// The payer's browser. It changes nothing.
    pub user_agent: Option<Box<str>>,
}

/// What the fraud checks are given.
#[derive(Params, Default, Clone, Debug)]
pub struct RadarOptionsParams {
    /// The session of the payer's browser.
    pub session: Option<Box<str>>,
}

/// What the fraud checks of a payment are given.
#[derive(Params, Default, Clone, Debug)]
pub struct PaymentRadarOptionsParams {
    /// The session of the payer's browser.
    pub session: Option<Box<str>>,
    /// The account's rules that are not asked: all of them, or none.
    #[param(max_items = 1)]
    pub skip_rules: Vec<SkippedRules>,
}

/// Which rules of risk are not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum SkippedRules {
    /// Every one.
    All,
}

/// A payment method that passed all checks and is not born yet.
#[derive(Clone, Debug)]
pub(crate) struct NewMethod {
    pub(crate) instrument: Instrument,
    pub(crate) cvc_check: Option<CheckResult>,
    pub(crate) details: Option<Box<Details>>,
    /// The token it came by, which is used up with it.
    token: Option<Box<Token>>,
}

impl PaymentMethodData {
    /// Checks what is given. `path` is the parameter it stands in, e.g. `payment_method_data`; empty if it stands alone.
    ///
    /// # Errors
    /// What is missing, what is wrong with what is paid with, or a token that cannot be used.
    pub(crate) fn check(&self, path: &str, case: &Case<'_>) -> Result<NewMethod, Stop> {
        let kind = self.kind.map_or(PaymentMethodType::Card, |kind| kind.0);
        let within = |name: &str| match path {
            "" => name.to_owned(),
            path => format!("{path}[{name}]"),
        };
        let param = within(kind.name());
        self.only(kind, &within)?;
        let mut new = match kind {
            PaymentMethodType::Card => NewMethod::of_params(given(&self.card, &param)?, &param, case)?,
            PaymentMethodType::AcssDebit => NewMethod::of_bank(given(&self.acss_debit, &param)?.check(&param, case)?),
            PaymentMethodType::AuBecsDebit => {
                NewMethod::of_bank(given(&self.au_becs_debit, &param)?.check(&param, case)?)
            }
            PaymentMethodType::BacsDebit => NewMethod::of_bank(given(&self.bacs_debit, &param)?.check(&param, case)?),
            PaymentMethodType::SepaDebit => NewMethod::of_bank(given(&self.sepa_debit, &param)?.check(&param, case)?),
            PaymentMethodType::UsBankAccount => {
                let name = self.billing_details.as_ref().map(|billing| &billing.name);
                if !matches!(name, Some(Update::Set(_))) {
                    return Err(missing(&format!("{}[name]", within("billing_details"))).into());
                }
                NewMethod::of_bank(given(&self.us_bank_account, &param)?.check(&param, case)?)
            }
            kind => NewMethod::of_redirect(self.redirect(kind, &within)?),
        };
        new.describe(
            self.billing_details.as_ref(),
            &self.metadata,
            self.allow_redisplay,
            self.radar_options.as_ref(),
        )?;
        Ok(new)
    }

    /// What is agreed to on another company's page, with what that company has to know.
    fn redirect(&self, kind: PaymentMethodType, within: &dyn Fn(&str) -> String) -> Result<RedirectMethod, Stop> {
        let billing = self.billing_details.as_ref();
        let says = |text: Option<&Update<Box<str>>>| matches!(text, Some(Update::Set(_)));
        let required = match kind {
            PaymentMethodType::Bancontact if !says(billing.map(|billing| &billing.name)) => Some("[name]"),
            PaymentMethodType::P24 if !says(billing.map(|billing| &billing.email)) => Some("[email]"),
            _ => None,
        };
        if let Some(required) = required {
            return Err(missing(&format!("{}{required}", within("billing_details"))).into());
        }
        let bank = match kind {
            PaymentMethodType::Eps => self.eps.as_ref().and_then(|eps| eps.bank).map(Names::name),
            PaymentMethodType::Ideal => self.ideal.as_ref().and_then(|ideal| ideal.bank).map(Names::name),
            PaymentMethodType::P24 => self.p24.as_ref().and_then(|p24| p24.bank).map(Names::name),
            _ => None,
        };
        let dob = self.klarna.as_ref().and_then(|klarna| klarna.dob.as_ref());
        Ok(RedirectMethod {
            kind,
            bank: bank.map(Into::into),
            born: dob.map(DobParams::date),
        })
    }

    /// Refuses the details of another type than the one that is named.
    fn only(&self, kind: PaymentMethodType, within: &dyn Fn(&str) -> String) -> Result<(), Stop> {
        let given = [
            (self.acss_debit.is_some(), PaymentMethodType::AcssDebit),
            (self.au_becs_debit.is_some(), PaymentMethodType::AuBecsDebit),
            (self.bacs_debit.is_some(), PaymentMethodType::BacsDebit),
            (self.card.is_some(), PaymentMethodType::Card),
            (self.eps.is_some(), PaymentMethodType::Eps),
            (self.ideal.is_some(), PaymentMethodType::Ideal),
            (self.klarna.is_some(), PaymentMethodType::Klarna),
            (self.p24.is_some(), PaymentMethodType::P24),
            (self.sepa_debit.is_some(), PaymentMethodType::SepaDebit),
            (self.us_bank_account.is_some(), PaymentMethodType::UsBankAccount),
        ];
        match given.into_iter().find(|(given, of)| *given && *of != kind) {
            None => Ok(()),
            Some((_, of)) => {
                let message = format!(
                    "You provided `{}`, but the type of the PaymentMethod is `{}`. Provide the details of that type alone.",
                    of.name(),
                    kind.name()
                );
                Err(Reject::invalid(None, message).with_param(within(of.name())).into())
            }
        }
    }
}

impl NewMethod {
    fn of_redirect(method: RedirectMethod) -> NewMethod {
        NewMethod {
            instrument: Instrument::Redirect(Box::new(method)),
            cvc_check: None,
            details: None,
            token: None,
        }
    }

    /// A bank account.
    pub(crate) fn of_bank(bank: BankAccount) -> NewMethod {
        NewMethod {
            instrument: Instrument::Bank(Box::new(bank)),
            cvc_check: None,
            details: None,
            token: None,
        }
    }

    /// A card by its details or its token; `path` is the parameter it stands in, e.g. `card`.
    pub(crate) fn of_params(params: &CardParams, path: &str, case: &Case<'_>) -> Result<NewMethod, Stop> {
        let mut new = match params.token {
            Some(token) => NewMethod::of_token(token, &format!("{path}[token]"), case)?,
            None => {
                let entered = CardDetails {
                    number: params.number.as_ref(),
                    exp_month: params.exp_month,
                    exp_year: params.exp_year,
                    cvc: params.cvc.as_ref(),
                }
                .check(path, case)?;
                NewMethod::of_entered(entered)
            }
        };
        if let Some(preferred) = params.networks.as_ref().and_then(|networks| networks.preferred) {
            new.prefer(preferred, path)?;
        }
        Ok(new)
    }

    /// A card as older operations give it; `path` is the parameter it stands in.
    pub(crate) fn of_flat(params: &FlatCardParams, path: &str, case: &Case<'_>) -> Result<NewMethod, Stop> {
        let entered = CardDetails {
            number: params.number.as_ref(),
            exp_month: params.exp_month,
            exp_year: params.exp_year,
            cvc: params.cvc.as_ref(),
        }
        .check(path, case)?;
        let mut new = NewMethod::of_entered(entered);
        if let Some(method) = params.tokenization_method {
            if !matches!(params.cryptogram, Update::Set(_)) {
                let message = format!(
                    "Cards using 'tokenization_method={}' require the 'cryptogram' field to be set.",
                    method.name()
                );
                let param = format!("{path}[cryptogram]");
                return Err(Reject::invalid(None, message).with_param(param).into());
            }
            new.details.get_or_insert_default().wallet = Some(method.into());
        }
        // An empty text says nothing here: forms of old shops send every field.
        let text = |given: &Update<Box<str>>| match given {
            Update::Set(text) => Some(text.clone()),
            Update::Keep | Update::Clear => None,
        };
        let billing = BillingDetails {
            address: Address {
                city: text(&params.address_city),
                country: text(&params.address_country),
                line1: text(&params.address_line1),
                line2: text(&params.address_line2),
                postal_code: text(&params.address_zip),
                state: text(&params.address_state),
            },
            name: text(&params.name),
            ..BillingDetails::default()
        };
        if billing != BillingDetails::default() {
            new.details.get_or_insert_default().bill(billing);
        }
        if !params.metadata.pairs.is_empty() {
            metadata::merge(&mut new.details.get_or_insert_default().metadata, &params.metadata)?;
        }
        if let Some(preferred) = params.networks.as_ref().and_then(|networks| networks.preferred) {
            new.prefer(preferred, path)?;
        }
        Ok(new)
    }

    /// The card that a token stands for. `param` is where it was named, e.g. `card[token]` or `source`.
    ///
    /// # Errors
    /// There is no such token, it is too old, it was used, or it stands for something else.
    pub(crate) fn of_token(token: TokenParam, param: &str, case: &Case<'_>) -> Result<NewMethod, Stop> {
        let new = NewMethod::of_any_token(token, param, case)?;
        if new.instrument.card().is_none() {
            let message = format!("The token {} stands for a bank account, not for a card.", token.name());
            return Err(Reject::invalid(None, message).with_param(param).into());
        }
        Ok(new)
    }

    /// The card or bank account that a token stands for; see [`NewMethod::of_token`].
    pub(crate) fn of_any_token(token: TokenParam, param: &str, case: &Case<'_>) -> Result<NewMethod, Stop> {
        let id = match token {
            TokenParam::Magic(_) | TokenParam::MagicBank(_) if case.world.account.profile.livemode => {
                let message = format!("No such token: '{}'", token.name());
                let reject = Reject::invalid(Some(codes::RESOURCE_MISSING), message);
                return Err(reject.with_param(param).into());
            }
            TokenParam::Magic(card) => {
                return Ok(NewMethod {
                    instrument: Card::of_test_card(card, case.inputs.now_ms).into(),
                    cvc_check: Some(CheckResult::Unchecked),
                    details: None,
                    token: None,
                });
            }
            TokenParam::MagicBank(token) => return Ok(NewMethod::of_bank(token.bank_account())),
            TokenParam::Stored(id) => id,
        };
        let found = case.token(id)?.filter(|token| !token.is_expired(case.inputs.now_ms));
        let token = found.ok_or_else(|| Reject::no_such_param(&kinds::TOKEN, id, param))?;
        let text = id.text(&kinds::TOKEN);
        if token.used {
            let message = format!("You cannot use a Stripe token more than once: {text}.");
            let reject = Reject::invalid(Some(codes::TOKEN_ALREADY_USED), message);
            return Err(reject.with_param(param).begun().into());
        }
        match &token.content {
            TokenContent::Card(held) => Ok(NewMethod {
                instrument: held.instrument.clone(),
                cvc_check: held.cvc_check,
                details: held.details.clone(),
                token: Some(Box::new(token.clone())),
            }),
            TokenContent::BankAccount(bank) => Ok(NewMethod {
                token: Some(Box::new(token.clone())),
                ..NewMethod::of_bank(BankAccount::clone(bank))
            }),
            TokenContent::CvcUpdate => {
                let message = format!("The token {text} stands for a security code, not for a card.");
                Err(Reject::invalid(None, message).with_param(param).into())
            }
        }
    }

    fn of_entered(entered: EnteredCard) -> NewMethod {
        NewMethod {
            instrument: entered.card.into(),
            cvc_check: entered.cvc_given.then_some(CheckResult::Unchecked),
            details: entered.sealed.map(|sealed| {
                Box::new(Details {
                    sealed: Some(sealed),
                    ..Details::default()
                })
            }),
            token: None,
        }
    }

    /// What was kept.
    pub(crate) fn of_held(held: &HeldMethod) -> NewMethod {
        NewMethod {
            instrument: held.instrument.clone(),
            cvc_check: held.cvc_check,
            details: held.details.clone(),
            token: None,
        }
    }

    /// What is kept of it where it is no payment method. A token it came by is not touched: see [`NewMethod::spend`].
    pub(crate) fn held(&self) -> HeldMethod {
        HeldMethod {
            instrument: self.instrument.clone(),
            cvc_check: self.cvc_check,
            details: self.details.clone(),
        }
    }

    /// The token it came by, if it did.
    pub(crate) fn token_id(&self) -> Option<Id> {
        self.token.as_ref().map(|token| token.id)
    }

    /// Uses the token up that it came by, if it did.
    pub(crate) fn spend(&mut self, draft: &mut Draft) {
        if let Some(mut token) = self.token.take() {
            token.used = true;
            draft.put(Object::Token(Arc::new(*token)));
        }
    }

    /// Adds what is said besides the card.
    pub(crate) fn describe(
        &mut self,
        billing: Option<&BillingDetailsParams>,
        pairs: &MetadataUpdate,
        allow_redisplay: Option<AllowRedisplay>,
        radar: Option<&RadarOptionsParams>,
    ) -> Result<(), Stop> {
        let session = radar.and_then(|radar| radar.session.clone());
        if billing.is_none() && pairs.pairs.is_empty() && allow_redisplay.is_none() && session.is_none() {
            return Ok(());
        }
        let details = self.details.get_or_insert_default();
        if let Some(given) = billing {
            let mut billing = BillingDetails::default();
            given.apply_to(&mut billing);
            details.bill(billing);
        }
        metadata::merge(&mut details.metadata, pairs)?;
        details.allow_redisplay = allow_redisplay.unwrap_or(details.allow_redisplay);
        details.radar_session = session.or_else(|| details.radar_session.take());
        Ok(())
    }

    /// The payment method, with an id of the draft; a token it came by is used up. It still has to be put.
    pub(crate) fn born(self, draft: &mut Draft) -> PaymentMethod {
        self.born_as(&kinds::PAYMENT_METHOD, draft)
    }

    /// The same as a card, bank account or source of the older API; a bank account stands among the cards.
    pub(crate) fn born_as(mut self, kind: &'static Kind, draft: &mut Draft) -> PaymentMethod {
        self.spend(draft);
        let is_older_bank = *kind == kinds::CARD && self.instrument.bank().is_some();
        PaymentMethod {
            id: if is_older_bank {
                draft.born_other(kind)
            } else {
                draft.born(kind)
            },
            instrument: self.instrument,
            cvc_check: self.cvc_check,
            customer: None,
            used_up: false,
            details: self.details,
            prepared: false,
            source: None,
            mandates: Vec::new(),
        }
    }

    fn prefer(&mut self, preferred: PreferredNetwork, path: &str) -> Result<(), Stop> {
        let Some(card) = self.instrument.card() else {
            unreachable!("only cards have networks")
        };
        let brand = preferred_brand(*card, preferred, path)?;
        self.details.get_or_insert_default().preferred_network = Some(brand);
        Ok(())
    }
}

impl CardNetworksParams {
    /// The network the cardholder prefers, if it is one of the card's.
    pub(crate) fn check(&self, card: Card, path: &str) -> Result<Option<CardBrand>, Stop> {
        self.preferred
            .map(|preferred| preferred_brand(card, preferred, path))
            .transpose()
    }
}

fn preferred_brand(card: Card, preferred: PreferredNetwork, path: &str) -> Result<CardBrand, Stop> {
    let brand = match preferred {
        PreferredNetwork::CartesBancaires => CardBrand::CartesBancaires,
        PreferredNetwork::Mastercard => CardBrand::Mastercard,
        PreferredNetwork::Visa => CardBrand::Visa,
    };
    if card.facts().networks().any(|network| network == brand) {
        return Ok(brand);
    }
    let message = "The preferred network is not one of the networks of this card.";
    Err(Reject::invalid(None, message)
        .with_param(format!("{path}[networks][preferred]"))
        .into())
}

fn given<'a, T>(details: &'a Option<T>, param: &str) -> Result<&'a T, Stop> {
    details.as_ref().ok_or_else(|| missing(param).into())
}

fn missing(param: &str) -> Reject {
    Reject::invalid(
        Some(codes::PARAMETER_MISSING),
        format!("Missing required param: {param}."),
    )
    .with_param(param)
}
