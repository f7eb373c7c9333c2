//! A card's security code that was entered again: a token of it is checked with the payment.

use super::{Token, TokenContent};
use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::kinds::{self, TokenId};
use crate::object::Object;
use crate::payments::payment_method::{CheckResult, PaymentMethod};
use crate::reject::{Reject, codes};
use std::sync::Arc;
use tollgate_resource::Id;

/// Where requests name it.
const PARAM: &str = "payment_method_options[card][cvc_token]";

/// A security code that was entered again for a payment.
pub(crate) struct SecurityCode(Token);

impl SecurityCode {
    /// The code a request names, if it names one and it can be used.
    ///
    /// # Errors
    /// There is no such token, it is too old, it was used, or it stands for something else.
    pub(crate) fn named(case: &Case<'_>, named: Option<TokenId>) -> Result<Option<SecurityCode>, Stop> {
        let Some(TokenId(id)) = named else { return Ok(None) };
        let found = case.token(id)?.filter(|token| !token.is_expired(case.inputs.now_ms));
        let token = found.ok_or_else(|| Reject::no_such_param(&kinds::TOKEN, id, PARAM))?;
        if token.used {
            return Err(used(id).into());
        }
        match &token.content {
            TokenContent::CvcUpdate => Ok(Some(SecurityCode(token.clone()))),
            other => {
                let text = id.text(&kinds::TOKEN);
                let what = match other {
                    TokenContent::BankAccount(_) => "a bank account",
                    TokenContent::Card(_) | TokenContent::CvcUpdate => "a card",
                };
                let message = format!("The token {text} stands for {what}, not for a security code.");
                Err(Reject::invalid(None, message).with_param(PARAM).into())
            }
        }
    }

    /// Gives it to a card: the issuer checks it with the payment. The token is used up.
    pub(crate) fn give(self, draft: &mut Draft, method: &mut PaymentMethod) {
        let mut token = self.0;
        token.used = true;
        draft.put(Object::Token(Arc::new(token)));
        if method.instrument.card().is_some() {
            method.cvc_check = Some(CheckResult::Unchecked);
            // The payer may have to act first: the code is still there when they have.
            draft.put(Object::of_method(method.clone()));
        }
    }
}

/// Refuses a code where nothing is confirmed: it is checked with a payment, and not kept.
pub(crate) fn check_confirms(named: Option<TokenId>) -> Result<(), Stop> {
    if named.is_none() {
        return Ok(());
    }
    let message = format!("The parameter `{PARAM}` can only be passed when the PaymentIntent is confirmed.");
    let code = Some(codes::PAYMENT_INTENT_INVALID_PARAMETER);
    Err(Reject::invalid(code, message).with_param(PARAM).into())
}

fn used(id: Id) -> Reject {
    let message = format!(
        "You cannot use a Stripe token more than once: {}.",
        id.text(&kinds::TOKEN)
    );
    let reject = Reject::invalid(Some(codes::TOKEN_ALREADY_USED), message);
    reject.with_param(PARAM).begun()
}
