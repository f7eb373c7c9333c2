//! What holds for every text: reading never panics, and what was written from clauses reads back as them.

use super::{CUSTOMERS, Clause, FieldKind, Join, Operand, Operator, Query, SUBSTRING_MIN, Subject};
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop::string::string_regex("[a-z '\"\\\\\u{e9}\u{1f30d}:<>~]{3,12}").expect("a pattern")
}

fn clause() -> impl Strategy<Value = Clause> {
    let fields = prop::sample::select(CUSTOMERS.fields.iter().collect::<Vec<_>>());
    let operators = prop::sample::select(vec![
        Operator::Equal,
        Operator::Less,
        Operator::AtMost,
        Operator::More,
        Operator::AtLeast,
    ]);
    (any::<bool>(), fields, text(), any::<i64>(), operators, 0..4_u8).prop_map(
        |(negated, field, text, number, operator, which)| {
            let (subject, test) = match (which, field.kind) {
                (0, _) => (Subject::Metadata(text.clone().into()), Operand::Is(text.into())),
                (1, _) => (Subject::Field(field), Operand::Null),
                (_, FieldKind::Number) => (Subject::Field(field), Operand::Number(operator, number)),
                (2, _) => (Subject::Field(field), Operand::Is(text.into())),
                _ => (Subject::Field(field), Operand::Contains(text.to_lowercase().into())),
            };
            Clause { negated, subject, test }
        },
    )
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn written(clause: &Clause) -> String {
    let name = match &clause.subject {
        Subject::Field(field) => field.name.to_owned(),
        Subject::Metadata(key) => format!("metadata[{}]", quoted(key)),
    };
    let test = match &clause.test {
        Operand::Null => ":null".to_owned(),
        Operand::Is(text) => format!(":{}", quoted(text)),
        Operand::Contains(text) => format!("~{}", quoted(text)),
        Operand::Number(operator, number) => {
            let sign = match operator {
                Operator::Equal => ":",
                Operator::Less => "<",
                Operator::AtMost => "<=",
                Operator::More => ">",
                Operator::AtLeast => ">=",
            };
            format!("{sign}{number}")
        }
    };
    format!("{}{name}{test}", if clause.negated { "-" } else { "" })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(clauses in prop::collection::vec(clause(), 1..=10), or: bool) {
        let (word, join) = if or { (" OR ", Join::Or) } else { (" AND ", Join::And) };
        let text = clauses.iter().map(written).collect::<Vec<_>>().join(word);
        let join = if clauses.len() == 1 { Join::And } else { join };
        prop_assert_eq!(Query::parse(&text, &CUSTOMERS), Ok(Query { join, clauses }), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        if let Err(message) = Query::parse(&text, &CUSTOMERS) {
            prop_assert!(!message.is_empty() && message.len() < 2_000);
        }
    }

    #[test]
    fn broken_queries_are_read_or_refused(clauses in prop::collection::vec(clause(), 1..4), at in 0..80_usize, with in "[-'\"\\[\\]~:<>= ]") {
        let mut text: Vec<char> = clauses.iter().map(written).collect::<Vec<_>>().join(" ").chars().collect();
        let at = at % (text.len() + 1);
        text.splice(at..at, with.chars());
        let text: String = text.into_iter().collect();
        let read = Query::parse(&text, &CUSTOMERS);
        prop_assert!(read.is_err() || read.is_ok_and(|query| !query.clauses.is_empty()));
    }
}

#[test]
fn the_shortest_part_is_what_the_generator_makes() {
    assert_eq!(SUBSTRING_MIN, 3);
}
