//! Making tokens. They are used where a card is taken: [`NewMethod`](crate::payments::payment_method::NewMethod).

use super::{CreateToken, Token, TokenContent};
use crate::decision::{Case, Decision, Reply, Stop};
use crate::kinds;
use crate::object::Object;
use crate::payments::card::wrong_cvc;
use crate::payments::payment_method::{CardBrand, NewMethod};
use crate::reject::Reject;
use std::sync::Arc;

const ONE_CONTENT: &str = "You must supply either a card, customer, or bank account to create a token: exactly one of the \
                           parameters bank_account, card, cvc_update. (Customers of other accounts cannot be named.)";

/// Makes a token. There is no event of that.
pub(crate) fn create(case: &Case<'_>, asked: &CreateToken) -> Result<Decision, Stop> {
    let content = match (&asked.bank_account, &asked.card, &asked.cvc_update) {
        (Some(bank), None, None) => TokenContent::BankAccount(Box::new(bank.check("bank_account", case)?)),
        (None, Some(card), None) => {
            let new = NewMethod::of_flat(card, "card", case)?;
            TokenContent::Card(Box::new(new.held()))
        }
        (None, None, Some(update)) => {
            let fits = update.cvc.as_ref().is_some_and(|cvc| cvc.fits(CardBrand::Amex));
            if !fits {
                return Err(wrong_cvc().into());
            }
            TokenContent::CvcUpdate
        }
        _ => return Err(Reject::invalid(None, ONE_CONTENT).into()),
    };
    let mut draft = case.draft();
    let id = match content {
        TokenContent::BankAccount(_) => draft.born_other(&kinds::TOKEN),
        TokenContent::Card(_) | TokenContent::CvcUpdate => draft.born(&kinds::TOKEN),
    };
    draft.put(Object::Token(Arc::new(Token {
        id,
        content,
        used: false,
    })));
    Ok(draft.decide(Reply::Object(&kinds::TOKEN, id)))
}
