//! What a payment or a setup may be paid with: by a configuration, or by the types its request lists.

use crate::decision::{Case, Stop};
use crate::kinds;
use crate::money::Money;
use crate::payments::payment_method::PaymentMethodType;
use crate::reject::{Reject, codes};
use tollgate_resource::{Id, Names};

/// What a configuration offers to an intent.
pub(crate) struct Configured {
    /// The configuration that was named; `None` for the default one.
    pub(crate) id: Option<Id>,
    /// The types, in order; none where it is cards alone.
    pub(crate) types: Vec<PaymentMethodType>,
}

/// How an intent narrows what its configuration offers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrowed<'a, W> {
    /// Whether a configuration says what is offered; a list of types stays as it was given.
    pub(crate) automatic: bool,
    /// What is paid, if something is.
    pub(crate) money: Option<Money>,
    /// Whether a payment is held until it is captured.
    pub(crate) held: bool,
    /// Whether the payment method is saved.
    pub(crate) saved: bool,
    /// Types that were excluded.
    pub(crate) excluded: &'a [W],
}

/// Settles what a configuration offers: the one named, else the default one. Nothing where that was never changed, and is
/// cards.
///
/// # Errors
/// No such configuration, or one that is out of use.
pub(crate) fn configured(case: &Case<'_>, named: Option<&str>) -> Result<Option<Configured>, Stop> {
    let account = case.world.account;
    let (id, mut types) = match named {
        Some(text) => {
            let (id, types) = configuration(case, text)?;
            (Some(id).filter(|id| id.seq() > 0), types)
        }
        None => match account.changed_default() {
            Some(default) => (None, default.types()),
            None => return Ok(None),
        },
    };
    if types == PaymentMethodType::DEFAULT {
        types.clear();
    }
    Ok(Some(Configured { id, types }).filter(|it| it.id.is_some() || !it.types.is_empty()))
}

/// Which of the types an intent accepts.
pub(crate) fn accepted<W: AsRef<str>>(types: &[PaymentMethodType], by: Narrowed<'_, W>) -> Vec<PaymentMethodType> {
    let fits = |kind: &PaymentMethodType| {
        let rules = kind.rules();
        let excluded = by.excluded.iter().any(|word| word.as_ref() == kind.name());
        let suits = (rules.manual_capture || !by.held)
            && (rules.saves || !by.saved)
            && by.money.is_none_or(|money| kind.takes(money));
        !excluded && (!by.automatic || suits)
    };
    types.iter().copied().filter(fits).collect()
}

/// Refuses types of a list that cannot pay `money`, or not as is asked.
pub(crate) fn check_types(types: &[PaymentMethodType], money: Money, held: bool, saved: bool) -> Result<(), Stop> {
    for kind in types {
        let (rules, name, code) = (kind.rules(), kind.name(), money.currency.code());
        if !rules.currencies.is_empty() && !rules.currencies.contains(&code) {
            let message = format!(
                "The currency provided ({code}) is invalid. Payments with {name} support the following currencies: {}.",
                rules.currencies.join(", ")
            );
            let code = Some(codes::PAYMENT_INTENT_INVALID_PARAMETER);
            return Err(Reject::invalid(code, message).with_param("currency").into());
        }
        let bound = |code, message: String| Stop::from(Reject::invalid(Some(code), message).with_param("amount"));
        if money.amount < rules.amount_min {
            let least = Money::new(rules.amount_min, money.currency);
            let message = format!("Amount must be at least {least} {code} to pay with {name}");
            return Err(bound(codes::AMOUNT_TOO_SMALL, message));
        }
        if money.amount > rules.amount_max {
            let most = Money::new(rules.amount_max, money.currency);
            let message = format!("Amount must be no more than {most} {code} to pay with {name}");
            return Err(bound(codes::AMOUNT_TOO_LARGE, message));
        }
        let refused = if held && !rules.manual_capture && types.len() == 1 {
            Some(("capture_method", "`capture_method=manual`"))
        } else if saved && !rules.saves {
            Some(("setup_future_usage", "`setup_future_usage`"))
        } else {
            None
        };
        if let Some((param, what)) = refused {
            let message = format!("The payment method type `{name}` does not support {what}.");
            let code = Some(codes::PAYMENT_INTENT_INVALID_PARAMETER);
            return Err(Reject::invalid(code, message).with_param(param).into());
        }
    }
    Ok(())
}

/// Refuses to exclude every type that is offered, and types that do not exist.
pub(crate) fn check_excluded(excluded: &[Box<str>], types: &[PaymentMethodType]) -> Result<(), Stop> {
    let goes = |kind: &PaymentMethodType| excluded.iter().any(|word| &**word == kind.name());
    let message = match excluded.iter().find(|word| !PaymentMethodType::is_known(word)) {
        Some(word) => format!("The payment method type \"{word}\" is invalid."),
        None if !excluded.is_empty() && types.iter().all(goes) => format!(
            "You cannot exclude every payment method type of this account; it accepts: {}.",
            listed(types)
        ),
        None => return Ok(()),
    };
    Err(Reject::invalid(None, message)
        .with_param("excluded_payment_method_types")
        .into())
}

/// Types as messages list them.
pub(crate) fn listed(types: &[PaymentMethodType]) -> String {
    let names: Vec<&str> = types.iter().map(|kind| kind.name()).collect();
    names.join(", ")
}

/// The configuration a request names, and its types, if payments may use it.
fn configuration(case: &Case<'_>, text: &str) -> Result<(Id, Vec<PaymentMethodType>), Stop> {
    let kind = &kinds::PAYMENT_METHOD_CONFIGURATION;
    let found = kind.parse(text).and_then(|id| case.world.account.configuration(id));
    let refused = |code, message: String| Reject::invalid(code, message).with_param("payment_method_configuration");
    let found = found.ok_or_else(|| {
        let message = format!("No such payment_method_configuration: '{text}'");
        refused(Some(codes::RESOURCE_MISSING), message)
    })?;
    if found.inactive {
        let message =
            format!("The payment method configuration '{text}' is not active. Activate it, or name another one.");
        return Err(refused(None, message).into());
    }
    Ok((found.id, found.types()))
}
