//! Payment methods as parameters of other operations.

use super::{Card, CheckResult, Instrument, PaymentMethod, TestCard};
use crate::draft::Draft;
use crate::kinds;
use crate::payments::bank_account::{BankAccount, TestAccount};
use crate::payments::card::HeldMethod;
use tollgate_resource::params::{Bounds, first_id};
use tollgate_resource::{Id, ParamKind, ParamValue, Problem, Step};

/// Which payment method a request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMethodParam {
    /// A stored one; also a card or source of the older API.
    Stored(Id),
    /// A fresh one of test data. In live mode there is no such payment method.
    Fresh(TestMethod),
}

/// Test data that a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestMethod {
    /// A card: `pm_card_…`.
    Card(&'static TestCard),
    /// A bank account, by its name behind `pm_`. Its holder has shown that it is theirs.
    Bank(&'static TestAccount, &'static str),
}

impl PaymentMethodParam {
    /// A fresh one of this test card.
    pub fn card(card: &'static TestCard) -> PaymentMethodParam {
        PaymentMethodParam::Fresh(TestMethod::Card(card))
    }
}

impl TestMethod {
    /// What is behind `pm_` in a name.
    fn by_name(name: &str) -> Option<TestMethod> {
        if let Some(card) = name.strip_prefix("card_") {
            return TestCard::by_name(card).map(TestMethod::Card);
        }
        let account = TestAccount::by_name(name)?;
        let known = account.names.iter().find(|known| **known == name)?;
        Some(TestMethod::Bank(account, known))
    }

    /// The name that stands for it.
    pub fn name(&self) -> String {
        match self {
            TestMethod::Card(card) => format!("pm_card_{}", card.name().unwrap_or_default()),
            TestMethod::Bank(_, name) => format!("pm_{name}"),
        }
    }

    /// A fresh payment method of it, with an id of the draft.
    pub(crate) fn born(self, draft: &mut Draft) -> PaymentMethod {
        let now_ms = draft.now_ms();
        let id = draft.born(&kinds::PAYMENT_METHOD);
        match self {
            TestMethod::Card(card) => PaymentMethod::of_test_card(id, card, now_ms),
            TestMethod::Bank(..) => {
                let held = self.held(now_ms);
                PaymentMethod {
                    id,
                    instrument: held.instrument,
                    cvc_check: held.cvc_check,
                    customer: None,
                    used_up: false,
                    details: held.details,
                    prepared: false,
                    source: None,
                    mandates: Vec::new(),
                }
            }
        }
    }

    /// What is kept of it where it is no payment method.
    pub(crate) fn held(self, now_ms: u64) -> HeldMethod {
        match self {
            TestMethod::Card(card) => HeldMethod {
                instrument: Card::of_test_card(card, now_ms).into(),
                cvc_check: Some(CheckResult::Unchecked),
                details: None,
            },
            TestMethod::Bank(account, _) => HeldMethod {
                instrument: Instrument::Bank(Box::new(BankAccount::of_test_account(account))),
                cvc_check: None,
                details: None,
            },
        }
    }
}

impl ParamValue for PaymentMethodParam {
    const KIND: ParamKind = ParamKind::Id(&kinds::PAYMENT_METHOD);
    fn first(path: &[Step<'_>], text: &str, _: &Bounds) -> Result<Self, Problem> {
        let stored = first_id(&kinds::PAYMENT_METHOD, path, text).map(PaymentMethodParam::Stored);
        match stored {
            Err(Problem::NoSuch { .. }) => {
                let older = [&kinds::CARD, &kinds::SOURCE];
                if let Some(id) = older.into_iter().find_map(|kind| kind.parse(text)) {
                    return Ok(PaymentMethodParam::Stored(id));
                }
                let test = text.strip_prefix("pm_").and_then(TestMethod::by_name);
                test.map(PaymentMethodParam::Fresh).ok_or(Problem::NoSuch {
                    kind: &kinds::PAYMENT_METHOD,
                })
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_a_magic_name_or_nothing() {
        let read = |text: &str| PaymentMethodParam::first(&[], text, &Bounds::DEFAULT);
        let id = Id::new(&kinds::PAYMENT_METHOD, 1_794_830_400_000, 3, 9);
        assert_eq!(
            read(&id.text(&kinds::PAYMENT_METHOD)),
            Ok(PaymentMethodParam::Stored(id))
        );
        let visa = TestCard::by_name("visa").expect("a name of the table");
        assert_eq!(
            read("pm_card_visa"),
            Ok(PaymentMethodParam::Fresh(TestMethod::Card(visa)))
        );
        for text in ["pm_card_nope", "pm_card_", "visa", "", "tok_visa", "pm_card_VISA"] {
            assert_eq!(
                read(text),
                Err(Problem::NoSuch {
                    kind: &kinds::PAYMENT_METHOD
                }),
                "{text}"
            );
        }
        let nested = PaymentMethodParam::first(&[Step::Key("a")], "pm_card_visa", &Bounds::DEFAULT);
        assert_eq!(nested, Err(Problem::Scalar));
    }
}
