//! Whether an object is what a query asks for.

use super::fields::{Field, FieldKind};
use super::grammar::{Clause, Join, Operand, Operator, Query, Subject};
use tollgate_resource::lookup::{at_path, text_of};
use tollgate_resource::params::Range;
use tollgate_resource::{Shown, Value};

impl Query {
    /// Whether what is shown is what the query asks for. A deleted object never is.
    pub fn matches(&self, shown: &dyn Shown) -> bool {
        if is_deleted(shown) {
            return false;
        }
        match self.join {
            Join::And => self.clauses.iter().all(|clause| clause.matches(shown)),
            Join::Or => self.clauses.iter().any(|clause| clause.matches(shown)),
        }
    }

    /// Times outside of which nothing can match, seconds.
    pub fn created(&self) -> Range {
        let mut range = Range::ALL;
        for clause in self.required() {
            let Subject::Field(Field { name: "created", .. }) = clause.subject else {
                continue;
            };
            if let Operand::Number(operator, bound) = clause.test {
                let (min, max) = operator.range(bound);
                range.min = range.min.max(min);
                range.max = range.max.min(max);
            }
        }
        range
    }

    /// The customer, as the query writes it, whose objects alone can match.
    pub fn customer(&self) -> Option<&str> {
        self.required()
            .find_map(|clause| match (&clause.subject, &clause.test) {
                (Subject::Field(Field { name: "customer", .. }), Operand::Is(text)) => Some(&**text),
                _ => None,
            })
    }

    /// The clauses that everything found must fulfil.
    fn required(&self) -> impl Iterator<Item = &Clause> {
        let all = self.join == Join::And || self.clauses.len() == 1;
        self.clauses.iter().filter(move |clause| all && !clause.negated)
    }
}

impl Clause {
    fn matches(&self, shown: &dyn Shown) -> bool {
        let mut holds = false;
        match &self.subject {
            Subject::Field(field) => at_path(shown, field.name, &mut |value| {
                holds = self.test.holds(number_of(value, field.kind), text_of(value).as_deref());
            }),
            Subject::Metadata(key) => at_path(shown, "metadata", &mut |value| {
                let text = match value {
                    Value::Map(pairs) => pairs.iter().find(|(name, _)| *name == &**key).map(|(_, text)| text),
                    _ => None,
                };
                holds = self.test.holds(None, text);
            }),
        }
        holds != self.negated
    }
}

impl Operand {
    fn holds(&self, number: Option<i64>, text: Option<&str>) -> bool {
        match self {
            Operand::Null => text.is_none(),
            Operand::Is(wanted) => text.is_some_and(|text| is_same(text, wanted)),
            Operand::Contains(part) => text.is_some_and(|text| text.to_lowercase().contains(&**part)),
            Operand::Number(operator, bound) => {
                let (min, max) = operator.range(*bound);
                number.is_some_and(|number| min <= number && number <= max)
            }
        }
    }
}

impl Operator {
    /// The numbers that stand so to `bound`, inclusive; an empty range has its ends crossed.
    fn range(self, bound: i64) -> (i64, i64) {
        match self {
            Operator::Equal => (bound, bound),
            Operator::AtMost => (i64::MIN, bound),
            Operator::AtLeast => (bound, i64::MAX),
            Operator::Less => bound.checked_sub(1).map_or((1, 0), |max| (i64::MIN, max)),
            Operator::More => bound.checked_add(1).map_or((1, 0), |min| (min, i64::MAX)),
        }
    }
}

fn number_of(value: &Value<'_>, kind: FieldKind) -> Option<i64> {
    match (kind, value) {
        (FieldKind::Number, Value::Int(number)) => Some(*number),
        _ => None,
    }
}

fn is_deleted(shown: &dyn Shown) -> bool {
    let mut deleted = false;
    at_path(shown, "deleted", &mut |value| {
        deleted = matches!(value, Value::Bool(true))
    });
    deleted
}

/// Whether two texts differ in letter case at most.
fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || (!one.is_ascii() && one.to_lowercase() == other.to_lowercase())
}
