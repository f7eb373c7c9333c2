//! What a request pays with or sets up: a payment method it names, one of its own data, or what a confirmation token holds.

use super::{NewMethod, PaymentMethod, PaymentMethodData, PaymentMethodParam, TestMethod};
use crate::decision::{Case, Stop};
use crate::draft::Draft;
use crate::kinds;
use crate::payments::confirmation_token::{ChosenMethod, ConfirmationToken};
use crate::reject::{Reject, codes};
use tollgate_resource::Id;

/// What a payment method is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To pay.
    Payment,
    /// To be set up for payments to come.
    Setup,
}

/// What is paid with, or set up.
pub(crate) enum Choice<'a> {
    /// A stored payment method.
    Stored(&'a PaymentMethod),
    /// One that is made with this command, of test data.
    Fresh(TestMethod),
    /// One that is made with this command, of what the request says.
    New(Box<NewMethod>),
}

impl Choice<'_> {
    /// The payment method itself; a fresh one is born here.
    pub(crate) fn stored(self, draft: &mut Draft) -> PaymentMethod {
        match self {
            Choice::Stored(method) => method.clone(),
            Choice::Fresh(test) => test.born(draft),
            Choice::New(card) => card.born(draft),
        }
    }
}

impl Purpose {
    /// What a request wants, if it says that and may have it for `customer`.
    pub(crate) fn choice<'a>(
        self,
        case: &Case<'a>,
        named: Option<PaymentMethodParam>,
        data: Option<&PaymentMethodData>,
        token: Option<&ConfirmationToken>,
        customer: Option<Id>,
    ) -> Result<Option<Choice<'a>>, Stop> {
        let choice = match (named, data, token.map(ConfirmationToken::chosen)) {
            (None, None, None) => return Ok(None),
            (Some(PaymentMethodParam::Stored(id)), None, None) | (None, None, Some(ChosenMethod::Stored(id))) => {
                Choice::Stored(self.stored_method(case, id, customer)?)
            }
            (Some(PaymentMethodParam::Fresh(test)), None, None) => {
                if case.world.account.profile.livemode {
                    let message = format!("No such PaymentMethod: '{}'", test.name());
                    let reject = Reject::invalid(Some(codes::RESOURCE_MISSING), message);
                    return Err(reject.with_param("payment_method").into());
                }
                Choice::Fresh(test)
            }
            (None, Some(data), None) => Choice::New(Box::new(data.check("payment_method_data", case)?)),
            (None, None, Some(ChosenMethod::New(card))) => Choice::New(card),
            _ => {
                let message = "You may only specify one of these parameters: confirmation_token, payment_method, \
                               payment_method_data.";
                return Err(Reject::invalid(None, message).into());
            }
        };
        Ok(Some(choice))
    }

    /// A stored payment method, if it may be used for `customer`.
    pub(crate) fn stored_method<'a>(
        self,
        case: &Case<'a>,
        id: Id,
        customer: Option<Id>,
    ) -> Result<&'a PaymentMethod, Stop> {
        let method = case
            .payment_method(id)?
            .ok_or_else(|| Reject::no_such_param(&kinds::PAYMENT_METHOD, id, "payment_method"))?;
        let method_text = || id.text(kinds::of_method(id));
        match (method.customer, customer) {
            (None, _) if method.used_up => Err(Reject::payment_method_used_up().into()),
            (None, _) => Ok(method),
            (Some(owner), Some(customer)) if owner == customer => Ok(method),
            (Some(_), Some(customer)) => {
                let customer = customer.text(&kinds::CUSTOMER);
                let message = format!(
                    "The PaymentMethod {} does not belong to the Customer you supplied {customer}. Please use this \
                     PaymentMethod with the Customer that it belongs to instead.",
                    method_text()
                );
                Err(Reject::invalid(None, message).with_param("payment_method").into())
            }
            (Some(owner), None) => {
                let (method, owner) = (method_text(), owner.text(&kinds::CUSTOMER));
                let reject = match self {
                    // The API blames a payment's older parameter.
                    Purpose::Payment => Reject::invalid(
                        Some(codes::PARAMETER_MISSING),
                        format!(
                            "The `payment_method` parameter supplied {method} belongs to the Customer {owner}. Please \
                             include the Customer in the `customer` parameter on the PaymentIntent."
                        ),
                    )
                    .with_param("source"),
                    Purpose::Setup => Reject::invalid(
                        None,
                        format!(
                            "The payment method supplied ({method}) belongs to the Customer {owner}. Please include the \
                             Customer in the `customer` parameter on the SetupIntent."
                        ),
                    )
                    .with_param("payment_method"),
                };
                Err(reject.into())
            }
        }
    }
}
