//! Shapes and setting of derived `Params`.

use crate::sample::{CREATE, CardParams, CreateRefund, Reason};
use tollgate_resource::params::{HasParams, Range};
use tollgate_resource::{Names, ParamField, ParamKind, Params, Problem, Step, Update, Version};

fn field(name: &str) -> (u16, &'static ParamField) {
    let at = CreateRefund::SHAPE
        .fields
        .iter()
        .position(|field| field.name == name)
        .unwrap();
    (at as u16, &CreateRefund::SHAPE.fields[at])
}

/// Sets `name[steps…]=text` one after the other; the first problem ends it.
fn set(values: &[(&str, &[Step<'_>], &str)]) -> Result<CreateRefund, Problem> {
    let mut params = CreateRefund::default();
    for (name, steps, text) in values {
        let path: Vec<_> = std::iter::once(Step::Field(field(name).0))
            .chain(steps.iter().copied())
            .collect();
        params.set(&path, text)?;
    }
    Ok(params)
}

const NUMBER: Step<'_> = Step::Field(0);
const MONTH: Step<'_> = Step::Field(1);

#[test]
fn the_shape_says_what_the_declaration_says() {
    let names: Vec<_> = CREATE.params.fields.iter().map(|field| field.name).collect();
    assert_eq!(
        names,
        [
            "amount",
            "description",
            "types",
            "type",
            "metadata",
            "card",
            "cards",
            "confirm",
            "created",
            "shipping"
        ],
        "declaration order"
    );
    assert_eq!(
        (CreateRefund::SHAPE.name, CreateRefund::SHAPE.doc),
        ("CreateRefund", "What a refund is created from.")
    );
    let (_, amount) = field("amount");
    assert!(
        matches!(amount.kind, ParamKind::Int { min: 1, max: i64::MAX }) && amount.required && amount.doc == "How much."
    );
    assert!(matches!(field("description").1.kind, ParamKind::Str { max_len: 10 }));
    assert!(matches!(
        field("types").1.kind,
        ParamKind::List {
            of: ParamKind::Str { max_len: 3 },
            max_items: 2
        }
    ));
    assert!(matches!(field("type").1.kind, ParamKind::Names(names) if names == Reason::NAMES));
    assert_eq!(
        (field("type").1.since, field("type").1.until),
        (Version(20230816), Version::NEVER)
    );
    assert!(matches!(field("card").1.kind, ParamKind::Node(shape) if shape.name == "CardParams"));
    assert!(matches!(
        field("cards").1.kind,
        ParamKind::List {
            of: ParamKind::Node(_),
            max_items: 100
        }
    ));
    assert!(matches!(field("created").1.kind, ParamKind::Range));
    let clearable: Vec<_> = CREATE
        .params
        .fields
        .iter()
        .filter(|field| field.clearable)
        .map(|field| field.name)
        .collect();
    assert_eq!(clearable, ["description", "types", "metadata", "cards", "shipping"]);
    assert!(matches!(
        CardParams::SHAPE.fields[1].kind,
        ParamKind::Int { min: 1, max: 12 }
    ));
}

#[test]
fn values_go_where_their_path_leads() {
    let params = set(&[
        ("amount", &[], "20"),
        ("description", &[], "lost"),
        ("types", &[Step::Item(0)], "a"),
        ("types", &[Step::Item(1)], "b"),
        ("type", &[], "fraud.suspected"),
        ("metadata", &[Step::Key("order")], "7"),
        ("card", &[NUMBER], "4242"),
        ("card", &[MONTH], "12"),
        ("cards", &[Step::Item(0), MONTH], "1"),
        ("cards", &[Step::Item(0), NUMBER], "1111"),
        ("cards", &[Step::Item(1), NUMBER], "2222"),
        ("confirm", &[], "true"),
        ("created", &[Step::Key("gte")], "5"),
        ("created", &[Step::Key("lt")], "9"),
        ("shipping", &[NUMBER], "3"),
    ])
    .unwrap();
    let card = |number: &str, exp_month| CardParams {
        number: number.into(),
        exp_month,
    };
    assert_eq!(params.amount, 20);
    assert_eq!(params.description, Update::Set("lost".into()));
    assert_eq!(params.types, ["a".into(), "b".into()]);
    assert_eq!(params.kind, Some(Reason::Fraudulent));
    assert_eq!(params.metadata.pairs, [("order".into(), "7".into())]);
    assert_eq!(params.card, Some(card("4242", Some(12))));
    assert_eq!(params.cards, Some(vec![card("1111", Some(1)), card("2222", None)]));
    assert!(params.confirm);
    assert_eq!(params.created, Some(Range { min: 5, max: 8 }));
    assert_eq!(params.shipping, Update::Set(card("3", None)));
}

#[test]
fn an_empty_text_unsets_and_empties() {
    let params = set(&[
        ("description", &[], "x"),
        ("description", &[], ""),
        ("types", &[Step::Item(0)], "a"),
        ("types", &[], ""),
        ("metadata", &[], ""),
        ("cards", &[], ""),
        ("shipping", &[], ""),
    ])
    .unwrap();
    assert_eq!((params.description, params.shipping), (Update::Clear, Update::Clear));
    assert!(params.types.is_empty() && params.metadata.clear);
    assert_eq!(params.cards, Some(vec![]));
    let untouched = set(&[]).unwrap();
    assert_eq!((untouched.cards, untouched.description), (None, Update::Keep));
}

#[test]
fn a_scalar_given_twice_takes_the_last() {
    assert_eq!(set(&[("amount", &[], "1"), ("amount", &[], "2")]).unwrap().amount, 2);
    assert_eq!(
        set(&[("type", &[], "duplicate"), ("type", &[], "fraud.suspected")])
            .unwrap()
            .kind,
        Some(Reason::Fraudulent)
    );
}

#[test]
fn booleans_are_read_as_clients_print_them() {
    let cases = ["true", "false", "True", "False", "TRUE", "1", "yes", ""];
    let read = cases.map(tollgate_resource::params::boolean);
    assert_eq!(
        read,
        [Some(true), Some(false), Some(true), Some(false), None, None, None, None]
    );
}

#[test]
fn problems_say_which_bound_was_broken() {
    let cases: &[(&str, &[Step<'_>], &str, Problem)] = &[
        ("amount", &[], "0", Problem::TooSmall { min: 1 }),
        ("amount", &[], "ten", Problem::Integer),
        ("amount", &[], "9223372036854775808", Problem::Integer),
        ("amount", &[Step::Key("x")], "1", Problem::Scalar),
        ("description", &[], "12345678901", Problem::TooLong { max: 10 }),
        ("description", &[Step::Item(0)], "1", Problem::Scalar),
        ("types", &[], "a", Problem::Array),
        ("types", &[Step::Item(2)], "a", Problem::TooMany { max: 2 }),
        ("types", &[Step::Item(0)], "abcd", Problem::TooLong { max: 3 }),
        ("type", &[], "other", Problem::Names(Reason::NAMES)),
        ("confirm", &[], "yes", Problem::Boolean),
        ("card", &[], "tok_visa", Problem::Object),
        ("card", &[MONTH], "13", Problem::TooLarge { max: 12 }),
        ("card", &[NUMBER], "42424", Problem::TooLong { max: 4 }),
        ("cards", &[Step::Item(0)], "x", Problem::Object),
        ("metadata", &[], "x", Problem::Object),
        ("metadata", &[Step::Key("a"), Step::Key("b")], "x", Problem::Object),
        ("created", &[Step::Key("eq")], "1", Problem::Object),
        ("shipping", &[], "x", Problem::Object),
    ];
    for (name, steps, text, problem) in cases {
        let steps: Vec<_> = match (*name, steps) {
            // Items come densely: the third of at most two needs the first two.
            ("types", [Step::Item(2)]) => {
                let two: [(&str, &[Step<'_>], &str); 3] = [
                    ("types", &[Step::Item(0)], "a"),
                    ("types", &[Step::Item(1)], "b"),
                    ("types", steps, text),
                ];
                assert_eq!(set(&two), Err(problem.clone()));
                continue;
            }
            _ => steps.to_vec(),
        };
        assert_eq!(set(&[(name, &steps, text)]).as_ref(), Err(problem), "{name}={text}");
    }
    assert_eq!(CreateRefund::default().set(&[], "x"), Err(Problem::Object));
    assert_eq!(
        CreateRefund::default().set(&[Step::Key("amount")], "1"),
        Err(Problem::Object)
    );
}

#[test]
fn length_counts_characters_not_bytes() {
    assert!(set(&[("description", &[], "éééééééééé")]).is_ok());
    assert_eq!(
        set(&[("description", &[], "ééééééééééé")]),
        Err(Problem::TooLong { max: 10 })
    );
}

#[test]
#[should_panic = "CreateRefund has no parameter 10"]
fn an_index_outside_the_shape_is_a_fault() {
    let _ = CreateRefund::default().set(&[Step::Field(10)], "x");
}
