//! What the holder of a card must do before an intent goes on, as it is kept and shown.

use super::token::ActionToken;
use crate::object::ShowContext;
use crate::payments::bank_account::{Deposits, MicrodepositType, VerifyDepositsShown};
use crate::payments::payment_method::PaymentMethodType;
use tollgate_resource::shown::Seconds;
use tollgate_resource::{Id, Kind, Record, Shown};

/// An open action of a parked intent.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Action {
    /// Drawn anew for each action, so that the page of an earlier one leads nowhere.
    #[record(1)]
    pub nonce: u64,
    /// The account the intent belongs to; the page is found by it.
    #[record(2)]
    pub account: Id,
    /// Where the holder goes afterwards.
    #[record(3)]
    pub return_url: Option<Box<str>>,
    /// Whether an SDK in the browser carries it out, although there is a page to return to.
    #[record(4)]
    pub use_stripe_sdk: bool,
    /// The deposits that are to be told, where the action is to show whose bank account it is.
    #[record(5)]
    pub deposits: Option<Deposits>,
    /// The type of payment method whose page the payer is sent to, if it is no card.
    #[record(20)]
    pub redirects: Option<PaymentMethodType>,
}

/// The end of an action, as the page commands it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletedAction {
    /// The parked intent.
    pub object: Id,
    /// The action's own number.
    pub nonce: u64,
    /// Whether the holder proved who they are.
    pub authenticated: bool,
}

/// What the payer must do before it can go on.
#[derive(Shown)]
pub struct NextActionShown<'a> {
    /// The page of Alipay to send the payer to.
    #[shown(omit)]
    pub alipay_handle_redirect: Option<AlipayRedirectShown<'a>>,
    /// The page to send the payer to.
    #[shown(omit)]
    pub redirect_to_url: Option<RedirectShown<'a>>,
    /// Which of the actions it is.
    #[shown(name = "type")]
    pub kind: &'a str,
    /// What an SDK in the browser needs.
    #[shown(omit)]
    pub use_stripe_sdk: Option<UseSdkShown<'a>>,
    /// The deposits that the holder of a bank account is to tell.
    #[shown(omit)]
    pub verify_with_microdeposits: Option<VerifyDepositsShown>,
}

/// A page of Alipay to send the payer to.
#[derive(Shown)]
pub struct AlipayRedirectShown<'a> {
    /// What Alipay's app is given.
    pub native_data: Option<&'a str>,
    /// Where Alipay's app opens it.
    pub native_url: Option<&'a str>,
    /// Where the payer is sent afterwards.
    pub return_url: Option<&'a str>,
    /// The page's address.
    pub url: Option<String>,
}

/// A page to send the payer to.
#[derive(Shown)]
pub struct RedirectShown<'a> {
    /// Where the payer is sent afterwards.
    pub return_url: Option<&'a str>,
    /// The page's address.
    pub url: Option<String>,
}

/// What an SDK in the browser needs to have the payer act.
#[derive(Shown)]
pub struct UseSdkShown<'a> {
    /// The page that asks the payer.
    pub stripe_js: String,
    /// What is to be done.
    #[shown(name = "type")]
    pub kind: &'a str,
}

impl<'a> NextActionShown<'a> {
    /// What the open action of an intent shows.
    pub fn of(action: &'a Action, kind: &'static Kind, object: Id, context: &ShowContext<'_>) -> Self {
        let token = ActionToken {
            account: action.account,
            kind,
            object,
            nonce: action.nonce,
        };
        let url = token.url(context);
        if let Some(deposits) = action.deposits {
            return NextActionShown {
                alipay_handle_redirect: None,
                redirect_to_url: None,
                kind: "verify_with_microdeposits",
                use_stripe_sdk: None,
                verify_with_microdeposits: Some(VerifyDepositsShown {
                    arrival_date: Seconds(deposits.arrival_s),
                    hosted_verification_url: url,
                    microdeposit_type: Some(MicrodepositType::Amounts),
                }),
            };
        }
        if action.redirects == Some(PaymentMethodType::Alipay) {
            return NextActionShown {
                alipay_handle_redirect: Some(AlipayRedirectShown {
                    native_data: None,
                    native_url: None,
                    return_url: action.return_url.as_deref(),
                    url: Some(url),
                }),
                redirect_to_url: None,
                kind: "alipay_handle_redirect",
                use_stripe_sdk: None,
                verify_with_microdeposits: None,
            };
        }
        match &action.return_url {
            Some(return_url) if !action.use_stripe_sdk || action.redirects.is_some() => NextActionShown {
                alipay_handle_redirect: None,
                redirect_to_url: Some(RedirectShown {
                    return_url: Some(return_url),
                    url: Some(url),
                }),
                kind: "redirect_to_url",
                use_stripe_sdk: None,
                verify_with_microdeposits: None,
            },
            _ => NextActionShown {
                alipay_handle_redirect: None,
                redirect_to_url: None,
                kind: "use_stripe_sdk",
                use_stripe_sdk: Some(UseSdkShown {
                    stripe_js: url,
                    kind: "three_d_secure_redirect",
                }),
                verify_with_microdeposits: None,
            },
        }
    }
}
