//! What a customer has to the good, by currency.

use crate::money::Currency;
use std::sync::LazyLock;
use tollgate_resource::shown::{HasShape, lead};
use tollgate_resource::{FieldShape, Shape, Shown, ShownValue, Value, ValueKind, Version};

/// What the next invoices are reduced by, by currency: a member for each currency in which it is not zero. Negative where
/// they are raised.
pub struct CreditByCurrencyShown {
    of: Option<(Currency, i64)>,
}

impl CreditByCurrencyShown {
    /// The credit of a customer whose `balance` (negative: a credit) is kept in `currency`.
    pub fn of(balance: i64, currency: Option<Currency>) -> CreditByCurrencyShown {
        CreditByCurrencyShown {
            of: currency
                .filter(|_| balance != 0)
                .map(|currency| (currency, balance.saturating_neg())),
        }
    }
}

/// One shape for each currency, by record number; what stands first is for none.
static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let none = std::iter::once(shape(&[]));
    let numbers = (1..=u8::MAX).map_while(Currency::from_number);
    let each = numbers.map(|currency| {
        let field = FieldShape {
            name: currency.code(),
            doc: "The credit in this currency, in its minor units.",
            kind: ValueKind::Int,
            nullable: false,
            omit: false,
            expand: false,
            since: Version::ALWAYS,
            until: Version::NEVER,
            included_until: Version::ALWAYS,
            revision: 1,
            lead: lead(currency.code()),
        };
        // Once in the life of the process, for each currency of the table.
        shape(Box::leak(Box::new([field])))
    });
    none.chain(each).collect()
});

const fn shape(fields: &'static [FieldShape]) -> Shape {
    Shape {
        name: "CreditByCurrency",
        doc: "What the next invoices are reduced by, by currency.",
        object: None,
        fields,
    }
}

impl HasShape for CreditByCurrencyShown {
    const SHAPE: &'static Shape = &shape(&[]);
}

impl Shown for CreditByCurrencyShown {
    fn shape(&self) -> &'static Shape {
        let shapes: &'static [Shape] = &SHAPES;
        &shapes[self.of.map_or(0, |(currency, _)| usize::from(currency.number()))]
    }
    fn value(&self, _: usize) -> Value<'_> {
        self.of.map_or(Value::Absent, |(_, amount)| Value::Int(amount))
    }
}

impl ShownValue for CreditByCurrencyShown {
    const KIND: ValueKind = ValueKind::Node(Self::SHAPE);
    fn shown(&self) -> Value<'_> {
        Value::Node(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(balance: i64, currency: Option<Currency>) -> Option<(&'static str, i64)> {
        let shown = CreditByCurrencyShown::of(balance, currency);
        let fields = shown.shape().fields;
        assert!(fields.len() <= 1, "a customer has a balance in one currency");
        fields.first().map(|field| match shown.value(0) {
            Value::Int(amount) => (field.name, amount),
            _ => panic!("an amount is an integer"),
        })
    }

    #[test]
    fn a_credit_stands_under_its_currency_and_nothing_under_none() {
        assert_eq!(member(0, None), None);
        assert_eq!(member(0, Some(Currency::USD)), None);
        assert_eq!(member(-250, Some(Currency::USD)), Some(("usd", 250)));
        assert_eq!(member(99, Some(Currency::JPY)), Some(("jpy", -99)));
    }
}
