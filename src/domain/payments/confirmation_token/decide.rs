//! Making confirmation tokens, and using them up.

use super::{Choice, ConfirmationToken, CreateConfirmationToken, CreatePageConfirmationToken};
use crate::address::ShippingParams;
use crate::decision::{Case, Decision, Reply, Stop};
use crate::draft::Draft;
use crate::kinds;
use crate::object::Object;
use crate::payments::mandate::Acceptance;
use crate::payments::payment_intent::FutureUsage;
use crate::payments::payment_intent::checks::check_url;
use crate::payments::payment_method::{NewMethod, PaymentMethodData, PaymentMethodParam};
use crate::reject::{Reject, codes};
use crate::time::seconds_of;
use std::sync::Arc;
use tollgate_resource::Id;

const ONE_METHOD: &str = "You must provide exactly one of these parameters: payment_method, payment_method_data.";
const TEST_MODE_ONLY: &str = "This operation is available in test mode only.";

/// What a confirmation token says is paid with.
#[derive(Clone, Debug)]
pub(crate) enum ChosenMethod {
    /// A stored payment method. Whether it may be used is checked as for any that a request names.
    Stored(Id),
    /// A card that becomes a payment method now.
    New(Box<NewMethod>),
}

/// Makes a confirmation token. There is no event of that.
pub(crate) fn create(case: &Case<'_>, asked: &CreateConfirmationToken) -> Result<Decision, Stop> {
    if case.world.account.profile.livemode {
        return Err(Reject::invalid(None, TEST_MODE_ONLY).into());
    }
    let mut draft = case.draft();
    let choice = match (&asked.payment_method, &asked.payment_method_data) {
        (Some(PaymentMethodParam::Stored(id)), None) => {
            let method = case
                .payment_method(*id)?
                .ok_or_else(|| Reject::no_such_param(&kinds::PAYMENT_METHOD, *id, "payment_method"))?;
            Choice::Stored(Arc::new(method.clone()))
        }
        (Some(PaymentMethodParam::Fresh(test)), None) => Choice::Card(Box::new(test.held(case.inputs.now_ms))),
        (None, Some(data)) => entered(case, data, &mut draft)?,
        _ => return Err(Reject::invalid(None, ONE_METHOD).into()),
    };
    let said = Said {
        return_url: &asked.return_url,
        setup_future_usage: asked.setup_future_usage,
        shipping: &asked.shipping,
        agreement: None,
    };
    said.token_of(choice, draft)
}

/// Makes a confirmation token of what a payer chose on a page. There is no event of that.
pub(crate) fn create_on_page(case: &Case<'_>, asked: &CreatePageConfirmationToken) -> Result<Decision, Stop> {
    let data = asked
        .payment_method_data
        .as_ref()
        .expect("the form makes sure of required parameters");
    let agreement = asked.mandate_data.as_ref();
    let agreement = agreement
        .map(|data| data.acceptance(seconds_of(case.inputs.now_ms)))
        .transpose()?;
    let mut draft = case.draft();
    let choice = entered(case, data, &mut draft)?;
    let said = Said {
        return_url: &asked.return_url,
        setup_future_usage: asked.setup_future_usage,
        shipping: &asked.shipping,
        agreement,
    };
    said.token_of(choice, draft)
}

/// What a payer said besides what is paid with.
struct Said<'a> {
    return_url: &'a Option<Box<str>>,
    setup_future_usage: Option<FutureUsage>,
    shipping: &'a Option<ShippingParams>,
    agreement: Option<Acceptance>,
}

impl Said<'_> {
    fn token_of(self, choice: Choice, mut draft: Draft) -> Result<Decision, Stop> {
        if let Some(url) = self.return_url {
            check_url(url, "return_url")?;
        }
        let id = draft.born(&kinds::CONFIRMATION_TOKEN);
        draft.put(Object::ConfirmationToken(Arc::new(ConfirmationToken {
            id,
            choice,
            return_url: self.return_url.clone(),
            setup_future_usage: self.setup_future_usage,
            shipping: self.shipping.clone().map(|shipping| Box::new(shipping.into())),
            used_by: None,
            agreement: self.agreement.map(Box::new),
        })));
        Ok(draft.decide(Reply::Object(&kinds::CONFIRMATION_TOKEN, id)))
    }
}

/// What was entered, as it is kept.
fn entered(case: &Case<'_>, data: &PaymentMethodData, draft: &mut Draft) -> Result<Choice, Stop> {
    let mut new = data.check("payment_method_data", case)?;
    new.spend(draft);
    Ok(Choice::Card(Box::new(new.held())))
}

/// The confirmation token that the parameter `confirmation_token` names.
///
/// # Errors
/// There is none, it is too old, or it was used.
pub(crate) fn of_param<'a>(case: &Case<'a>, id: Id) -> Result<&'a ConfirmationToken, Stop> {
    const PARAM: &str = "confirmation_token";
    let found = case.confirmation_token(id)?;
    let token = found.ok_or_else(|| Reject::no_such_param(&kinds::CONFIRMATION_TOKEN, id, PARAM))?;
    let text = id.text(&kinds::CONFIRMATION_TOKEN);
    let why = if token.used_by.is_some() {
        "has already been used"
    } else if case.inputs.now_ms >= token.expires_ms() {
        "has expired"
    } else {
        return Ok(token);
    };
    let message = format!("The ConfirmationToken {text} {why}. Please make a new one.");
    let reject = Reject::invalid(Some(codes::CONFIRMATION_TOKEN_UNUSABLE), message);
    Err(reject.with_param(PARAM).begun().into())
}

impl ConfirmationToken {
    /// What is paid with.
    pub(crate) fn chosen(&self) -> ChosenMethod {
        match &self.choice {
            Choice::Card(held) => ChosenMethod::New(Box::new(NewMethod::of_held(held))),
            Choice::Stored(method) => ChosenMethod::Stored(method.id),
        }
    }

    /// Uses it up for an intent.
    pub(crate) fn spend(&self, draft: &mut Draft, intent: Id) {
        draft.put(Object::ConfirmationToken(Arc::new(ConfirmationToken {
            used_by: Some(intent),
            ..self.clone()
        })));
    }
}
