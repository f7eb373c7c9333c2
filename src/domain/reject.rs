//! Why the domain refuses. A closed set of codes; the caller's words are fixed when it is decided, so that a replay says
//! the same in every later release.

pub mod codes;

use crate::money::{AMOUNT_MAX, AmountProblem, Money};
use crate::payments::payment_method::Decline;
use tollgate_resource::{Id, Kind, Names, Record, Version};

/// The `type` of an API error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum ErrorType {
    /// Our fault.
    #[record(1)]
    ApiError,
    /// The card was refused.
    #[record(2)]
    CardError,
    /// An idempotency key was used wrongly.
    #[record(3)]
    IdempotencyError,
    /// The request was wrong.
    #[record(4)]
    InvalidRequestError,
}

/// A refusal, as the error body shows it.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Reject {
    /// HTTP status.
    #[record(1)]
    pub status: u16,
    /// `type`.
    #[record(2)]
    pub kind: ErrorType,
    /// `code`, from [`crate::reject::codes`].
    #[record(3)]
    pub code: Option<String>,
    /// `message`: says what to do.
    #[record(4)]
    pub message: String,
    /// `param`.
    #[record(5)]
    pub param: Option<String>,
    /// `decline_code`.
    #[record(6)]
    pub decline_code: Option<String>,
    /// `advice_code`.
    #[record(7)]
    pub advice_code: Option<String>,
    /// `network_decline_code`.
    #[record(8)]
    pub network_decline_code: Option<String>,
    /// `network_advice_code`.
    #[record(9)]
    pub network_advice_code: Option<String>,
    /// `charge`: the failed charge.
    #[record(10)]
    pub charge: Option<Id>,
    /// `payment_intent`, embedded as an object (it is among the facts' objects or attached).
    #[record(11)]
    pub payment_intent: Option<Id>,
    /// `payment_method`, embedded as an object.
    #[record(12)]
    pub payment_method: Option<Id>,
    /// Whether the execution had begun: then the outcome is stored under the idempotency key and
    /// `stripe-should-retry: false` is sent. Parameter errors and missing objects have not begun (API.md 1.5).
    #[record(13)]
    pub began: bool,
    /// `setup_intent`, embedded as an object.
    #[record(14)]
    pub setup_intent: Option<Id>,
}

impl Reject {
    /// A wrong request, answered with 400. Nothing has begun: see [`Reject::begun`].
    pub fn invalid(code: Option<&'static str>, message: impl Into<String>) -> Reject {
        Reject {
            status: 400,
            kind: ErrorType::InvalidRequestError,
            code: code.map(str::to_owned),
            message: message.into(),
            param: None,
            decline_code: None,
            advice_code: None,
            network_decline_code: None,
            network_advice_code: None,
            charge: None,
            payment_intent: None,
            payment_method: None,
            began: false,
            setup_intent: None,
        }
    }

    /// The object of the path does not exist for this account: 404. `param` is the path segment's public name.
    pub fn no_such(kind: &Kind, id: Id, param: &str) -> Reject {
        let mut reject = Reject::no_such_param(kind, id, param);
        reject.status = 404;
        reject
    }

    /// An object named by a parameter does not exist for this account: 400.
    pub fn no_such_param(kind: &Kind, id: Id, param: &str) -> Reject {
        // What is paid with is called by its own id, whatever it was looked for as.
        let paid_with = [&crate::kinds::PAYMENT_METHOD, &crate::kinds::SOURCE].contains(&kind);
        let named = if paid_with { crate::kinds::of_method(id) } else { kind };
        let message = format!("No such {}: '{}'", spoken(kind), id.text(named));
        Reject::invalid(Some(codes::RESOURCE_MISSING), message).with_param(param)
    }

    /// An amount that cannot be charged. `version` decides the words about zero.
    pub fn amount(problem: AmountProblem, money: Money, version: Version, param: &str) -> Reject {
        let Money { currency, .. } = money;
        let (code, message) = match problem {
            AmountProblem::Negative => (
                codes::PARAMETER_INVALID_INTEGER,
                "Invalid non-negative integer".to_owned(),
            ),
            AmountProblem::Zero if version < ZERO_AMOUNT_NAMES_SETUP_INTENTS => (
                codes::PARAMETER_INVALID_INTEGER,
                "This value must be greater than or equal to 1.".to_owned(),
            ),
            AmountProblem::Zero => (codes::PARAMETER_INVALID_INTEGER, ZERO_AMOUNT.to_owned()),
            AmountProblem::TooSmall => {
                let minimum = currency.format_with_code(currency.minimum_charge());
                (codes::AMOUNT_TOO_SMALL, format!("Amount must be at least {minimum}"))
            }
            AmountProblem::TooLarge => (
                codes::AMOUNT_TOO_LARGE,
                format!("Amount must be no more than {}", currency.format(AMOUNT_MAX)),
            ),
            AmountProblem::Step => {
                let (code, step) = (currency.code(), currency.step());
                let message = format!("Invalid amount: an amount in {code} must be a multiple of {step}.");
                (codes::INVALID_CHARGE_AMOUNT, message)
            }
        };
        Reject::invalid(Some(code), message).with_param(param)
    }

    /// A refused card: 402. The charge, the intent and the payment method are added with [`Reject::with_charge`] and
    /// [`Reject::with_payment_intent`].
    pub fn declined(decline: &Decline) -> Reject {
        let owned = |text: Option<&'static str>| text.map(str::to_owned);
        let mut reject = Reject::invalid(Some(decline.code), decline.message).begun();
        reject.status = 402;
        reject.kind = ErrorType::CardError;
        reject.param = owned(decline.param);
        reject.decline_code = decline.decline_code.map(str::to_owned);
        reject.advice_code = owned(decline.advice_code);
        reject.network_decline_code = owned(decline.network_decline_code);
        reject.network_advice_code = owned(decline.network_advice_code);
        reject
    }

    /// A payment intent is in a state that does not allow this: 400, the execution had begun, the intent is embedded.
    pub fn payment_intent_state(intent: Id, message: impl Into<String>) -> Reject {
        let reject = Reject::invalid(Some(codes::PAYMENT_INTENT_UNEXPECTED_STATE), message);
        reject.with_payment_intent(intent).begun()
    }

    /// A setup intent is in a state that does not allow this: 400, the execution had begun, the intent is embedded.
    pub fn setup_intent_state(intent: Id, message: impl Into<String>) -> Reject {
        let reject = Reject::invalid(Some(codes::SETUP_INTENT_UNEXPECTED_STATE), message);
        reject.with_setup_intent(intent).begun()
    }

    /// A charge that has nothing left to refund: 400.
    pub fn charge_already_refunded(charge: Id) -> Reject {
        let charge = charge.text(&crate::kinds::CHARGE);
        let message = format!("Charge {charge} has already been refunded.");
        Reject::invalid(Some(codes::CHARGE_ALREADY_REFUNDED), message).begun()
    }

    /// A charge whose money a dispute has taken: 400.
    pub fn charge_disputed(charge: Id) -> Reject {
        let charge = charge.text(&crate::kinds::CHARGE);
        let message = format!("Charge {charge} has been charged back; cannot issue a refund.");
        Reject::invalid(Some(codes::CHARGE_DISPUTED), message).begun()
    }

    /// More than can be refunded: 400 on `amount`. `left` is what remains of `charged`; the words differ for the first
    /// refund.
    pub fn refund_too_large(asked: Money, charged: Money, left: Money) -> Reject {
        let message = if left == charged {
            format!("Refund amount ({asked}) is greater than charge amount ({charged})")
        } else {
            format!("Refund amount ({asked}) is greater than unrefunded amount on charge ({left})")
        };
        Reject::invalid(None, message).with_param("amount").begun()
    }

    /// A payment method that was used without a customer cannot be used again: 400.
    pub fn payment_method_used_up() -> Reject {
        Reject::invalid(None, PAYMENT_METHOD_USED_UP).begun()
    }

    /// Another request holds the object's lock, for too long: 429, to be tried again.
    pub fn lock_timeout() -> Reject {
        let mut reject = Reject::invalid(Some(codes::LOCK_TIMEOUT), LOCK_TIMEOUT);
        reject.status = 429;
        reject
    }

    /// Names the parameter it is about.
    pub fn with_param(mut self, param: impl Into<String>) -> Reject {
        self.param = Some(param.into());
        self
    }

    /// Marks that the execution had begun: the outcome is remembered under the idempotency key.
    pub fn begun(mut self) -> Reject {
        self.began = true;
        self
    }

    /// Names the failed charge.
    pub fn with_charge(mut self, charge: Id) -> Reject {
        self.charge = Some(charge);
        self
    }

    /// Embeds a payment intent.
    pub fn with_payment_intent(mut self, intent: Id) -> Reject {
        self.payment_intent = Some(intent);
        self
    }

    /// Whether it refuses a payment method that exists, because of whose it is.
    pub fn is_about_owner_of_method(&self) -> bool {
        matches!(
            (self.param.as_deref(), self.code.as_deref()),
            (Some("payment_method"), None) | (Some("source"), Some(codes::PARAMETER_MISSING))
        )
    }

    /// Embeds a setup intent.
    pub fn with_setup_intent(mut self, intent: Id) -> Reject {
        self.setup_intent = Some(intent);
        self
    }

    /// Embeds a payment method.
    pub fn with_payment_method(mut self, method: Id) -> Reject {
        self.payment_method = Some(method);
        self
    }
}

/// The page about an error code (`doc_url`).
pub fn doc_url(code: &str) -> String {
    format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))
}

/// The word of a kind in messages; most are the object's name.
fn spoken(kind: &Kind) -> &'static str {
    if *kind == crate::kinds::PAYMENT_METHOD {
        "PaymentMethod"
    } else if *kind == crate::kinds::SETUP_INTENT {
        "setupintent"
    } else if *kind == crate::kinds::CARD {
        "source"
    } else if *kind == crate::kinds::BALANCE_TRANSACTION {
        "balance transaction"
    } else if kind.object == crate::kinds::EVENT_DESTINATION.object {
        "event destination"
    } else if *kind == crate::kinds::WEBHOOK_ENDPOINT {
        "webhook endpoint"
    } else {
        kind.object
    }
}

/// First version whose words about an amount of zero name Setup Intents. Only that 2020-08-27 does not is known; the
/// date is the first of the versions that were recorded with the new words.
pub(crate) const ZERO_AMOUNT_NAMES_SETUP_INTENTS: Version = Version(20221115);

const ZERO_AMOUNT: &str = "The amount must be greater than or equal to the minimum charge amount allowed for your \
    account and the currency set (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).  If you want \
    to save a Payment Method for future use without an immediate payment, use a Setup Intent instead: \
    https://docs.stripe.com/payments/setup-intents";

const PAYMENT_METHOD_USED_UP: &str = "The provided PaymentMethod was previously used with a PaymentIntent without \
    Customer attachment, shared with a connected account without Customer attachment, or was detached from a \
    Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.";

const LOCK_TIMEOUT: &str = "This object cannot be accessed right now because another API request or Stripe process is \
    currently accessing it. If you see this error intermittently, retry the request. If you see this error frequently \
    and are making multiple concurrent requests to a single object, make your requests serially or at a lower rate.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, check_charge_amount};

    #[test]
    fn a_code_has_a_page() {
        assert_eq!(
            doc_url(codes::CARD_DECLINED),
            "https://stripe.com/docs/error-codes/card-declined"
        );
    }

    #[test]
    fn codes_are_listed_once_in_order() {
        assert!(codes::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn what_is_missing_is_called_by_its_word_in_messages() {
        let said = |kind| Reject::no_such(kind, Id::new(kind, 1_794_830_400_000, 3, 7), "id").message;
        for (kind, word) in [
            (&crate::kinds::BALANCE_TRANSACTION, "No such balance transaction: 'txn_"),
            (&crate::kinds::SETUP_INTENT, "No such setupintent: 'seti_"),
            (&crate::kinds::REFUND, "No such refund: 're_"),
            (&crate::kinds::WEBHOOK_ENDPOINT, "No such webhook endpoint: 'we_"),
            (&crate::kinds::EVENT_DESTINATION, "No such event destination: 'we_"),
        ] {
            assert!(said(kind).starts_with(word), "{}", said(kind));
        }
    }

    #[test]
    fn refused_amounts_say_what_to_do() {
        let words = |amount, code, version| {
            let currency = Currency::from_code(code).expect("a code of the table");
            let money = Money::new(amount, currency);
            let problem = check_charge_amount(money).expect_err("cannot be charged");
            let reject = Reject::amount(problem, money, Version(version), "amount");
            assert_eq!(
                (reject.status, reject.param.as_deref(), reject.began),
                (400, Some("amount"), false)
            );
            format!("{}: {}", reject.code.expect("has a code"), reject.message)
        };
        let newest = Version::NEWEST.0;
        assert_eq!(
            words(49, "usd", newest),
            "amount_too_small: Amount must be at least $0.50 usd"
        );
        assert_eq!(
            words(1_000, "czk", newest),
            "amount_too_small: Amount must be at least 15.00 czk"
        );
        assert_eq!(
            words(100_000_000, "usd", newest),
            "amount_too_large: Amount must be no more than $999,999.99"
        );
        assert_eq!(
            words(-1, "usd", newest),
            "parameter_invalid_integer: Invalid non-negative integer"
        );
        assert_eq!(
            words(1_234, "kwd", newest),
            "invalid_charge_amount: Invalid amount: an amount in kwd must be a multiple of 10."
        );
        assert_eq!(
            words(0, "usd", 20200827),
            "parameter_invalid_integer: This value must be greater than or equal to 1."
        );
        assert!(words(0, "usd", newest).contains("use a Setup Intent instead"));
    }

    #[test]
    fn a_refund_that_is_too_large_names_what_is_left() {
        let usd = |amount| Money::new(amount, Currency::USD);
        let first = Reject::refund_too_large(usd(2_001), usd(2_000), usd(2_000));
        assert_eq!(
            first.message,
            "Refund amount ($20.01) is greater than charge amount ($20.00)"
        );
        let later = Reject::refund_too_large(usd(2_000), usd(2_000), usd(1_500));
        assert_eq!(
            later.message,
            "Refund amount ($20.00) is greater than unrefunded amount on charge ($15.00)"
        );
    }
}
