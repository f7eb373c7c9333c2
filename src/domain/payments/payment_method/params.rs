//! Payment methods as parameters of other operations.

use super::test_card::TestCard;
use crate::kinds;
use tollgate_resource::params::{Bounds, first_id};
use tollgate_resource::{Id, ParamKind, ParamValue, Problem, Step};

/// Which payment method a request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMethodParam {
    /// A stored one; also a card or source of the older API.
    Stored(Id),
    /// A fresh one of this test card. In live mode there is no such payment method.
    Fresh(&'static TestCard),
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
                let card = text.strip_prefix("pm_card_").and_then(TestCard::by_name);
                card.map(PaymentMethodParam::Fresh).ok_or(Problem::NoSuch {
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
        assert_eq!(read("pm_card_visa"), Ok(PaymentMethodParam::Fresh(visa)));
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
