//! The order of errors, as a table: a form, and what is said about it.

use super::{Decoded, Filling, Table};
use crate::wording::refused;
use proptest::prelude::*;
use tollgate_domain::Secrets;
use tollgate_resource::operation::{Form, Refused};
use tollgate_resource::params::{HasParams, Range};
use tollgate_resource::{
    Id, Kind, MetadataUpdate, Names, ParamKind, ParamValue, Params, Problem, Step, Update, Version,
};

static CUSTOMER: Kind = Kind {
    number: 4,
    prefix: "cus",
    object: "customer",
    other: None,
};
static PAYMENT_METHOD: Kind = Kind {
    number: 6,
    prefix: "pm",
    object: "payment_method",
    other: None,
};

macro_rules! id_param {
    ($name:ident, $kind:ident) => {
        #[derive(Clone, Copy, Debug, PartialEq)]
        struct $name(Id);
        impl ParamValue for $name {
            const KIND: ParamKind = ParamKind::Id(&$kind);
            fn first(path: &[Step<'_>], text: &str, _: &tollgate_resource::params::Bounds) -> Result<Self, Problem> {
                tollgate_resource::params::first_id(&$kind, path, text).map($name)
            }
        }
    };
}
id_param!(CustomerId, CUSTOMER);
id_param!(MethodId, PAYMENT_METHOD);

#[derive(Clone, Copy, Debug, PartialEq, Names)]
enum Capture {
    Automatic,
    AutomaticAsync,
    Manual,
}

#[derive(Params, Default, Clone, Debug, PartialEq)]
struct Address {
    #[param(required)]
    line1: Box<str>,
    city: Update<Box<str>>,
}

#[derive(Params, Default, Clone, Debug, PartialEq)]
struct Shipping {
    #[param(required)]
    address: Option<Address>,
    #[param(required)]
    name: Box<str>,
}

#[derive(Params, Default, Clone, Debug, PartialEq)]
struct Line {
    #[param(required)]
    price: Box<str>,
    #[param(min = 1, max = 99)]
    quantity: Option<i64>,
    #[param(max_items = 2)]
    tags: Vec<Box<str>>,
}

#[derive(Params, Default, Clone, Debug, PartialEq)]
struct Payment {
    #[param(required, min = 1)]
    amount: i64,
    #[param(required, max_len = 3)]
    currency: Box<str>,
    capture_method: Option<Capture>,
    confirm: Option<bool>,
    created: Option<Range>,
    customer: Option<CustomerId>,
    description: Update<Box<str>>,
    metadata: MetadataUpdate,
    #[param(max_items = 3)]
    lines: Vec<Line>,
    #[param(until = 20221115)]
    method: Option<MethodId>,
    #[param(max_items = 3)]
    types: Vec<Box<str>>,
    #[param(since = 20230816)]
    automatic: Option<bool>,
    #[param(min = 0)]
    fee: Option<i64>,
    shipping: Option<Shipping>,
    billing: Update<Address>,
}

const NEWEST: Version = Version::NEWEST;

fn parse_at(form: &[u8], version: Version) -> Result<Payment, Refused> {
    let table = Table::new(Payment::SHAPE);
    let mut decoded = Decoded::take();
    let mut read = || {
        decoded.pairs.read(form)?;
        decoded.place(&table, version)?;
        let mut payment = Payment::default();
        let mut filling = Filling::new(&table, &decoded, version);
        filling.fill(&mut payment)?;
        filling.expand()?;
        Ok(payment)
    };
    let read = read();
    decoded.give_back();
    read
}

fn said(form: &str, version: Version) -> String {
    let form = if form == "-" { "" } else { form };
    match parse_at(form.as_bytes(), version) {
        Ok(_) => "ok".into(),
        Err(refusal) => {
            let reject = refused(&refusal);
            assert_eq!((reject.status, reject.began), (400, false));
            format!(
                "{} | {} | {}",
                reject.code.as_deref().unwrap_or("-"),
                reject.param.as_deref().unwrap_or("-"),
                reject.message
            )
        }
    }
}

/// `A` stands for a complete form.
fn check(cases: &str, version: Version) {
    for case in cases.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (form, expected) = case.split_once(" => ").expect("form => answer");
        let form = form.replace('A', "amount=1&currency=usd");
        assert_eq!(said(&form, version), expected, "{form}");
    }
}

#[test]
fn errors_come_unknown_first_then_one_in_declaration_order() {
    check(
        "
        A => ok
        - => parameter_missing | amount | Missing required param: amount.
        amount=1 => parameter_missing | currency | Missing required param: currency.
        currency=usd => parameter_missing | amount | Missing required param: amount.
        nope=1 => parameter_unknown | nope | Received unknown parameter: nope
        amount=x&b=1&a=2&b=3 => parameter_unknown | b | Received unknown parameters: b, a
        A&shipping[nope]=1 => parameter_unknown | shipping[nope] | Received unknown parameter: shipping[nope]
        A&amount[=1&a]b=1&a[b]c=1 => parameter_unknown | amount[ | Received unknown parameters: amount[, a]b, a
        A&level3[a]=1&level3[b][][c]=2 => parameter_unknown | level3 | Received unknown parameter: level3
        A&shipping[x][y]=1 => parameter_unknown | shipping[x] | Received unknown parameter: shipping[x]
        currency=&amount=x => parameter_invalid_integer | amount | Invalid integer: x
        confirm=maybe&currency=usd&amount=0 => parameter_invalid_integer | amount | This value must be greater than or equal to 1.
        confirm=maybe&capture_method=x&A => - | capture_method | Invalid capture_method: must be one of automatic, automatic_async, or manual
        A&confirm=maybe&capture_method=manual => - | confirm | Invalid boolean: maybe
        ",
        NEWEST,
    );
}

#[test]
fn wrong_values_are_named_with_their_path() {
    check(
        "
        amount=-5&currency=usd => - | amount | Invalid non-negative integer
        amount=99999999999999999999&currency=usd => parameter_invalid_integer | amount | Invalid integer: 99999999999999999999
        amount=1.5&currency=usd => parameter_invalid_integer | amount | Invalid integer: 1.5
        amount=&currency=usd => parameter_invalid_empty | amount | You passed an empty string for 'amount'. We assume empty values are an attempt to unset a parameter; however 'amount' cannot be unset. You should remove 'amount' from your request or supply a non-empty value.
        amount[x][y]=1&currency=usd => parameter_invalid_integer | amount | Invalid integer: {\"x\"=>\"1\"}
        amount[]=1&currency=usd => parameter_invalid_integer | amount | Invalid integer: {\"\"=>\"1\"}
        A&confirm[x]=true => - | confirm | Invalid boolean: {\"x\"=>\"true\"}
        amount=1&currency[x]=usd => - | currency | Invalid string: {\"x\"=>\"usd\"}
        amount=1&currency=dollars => - | currency | Invalid string: dollars; must be at most 3 characters
        amount=1&currency=Lottery+Reward+Underwriting+line => - | currency | Invalid string: Lottery Re...iting line; must be at most 3 characters
        A&fee=-1 => - | fee | Invalid non-negative integer
        A&customer=cus_1 => resource_missing | customer | No such customer: 'cus_1'
        A&created[gt]=x => parameter_invalid_integer | created[gt] | Invalid integer: x
        A&created[after]=1 => parameter_unknown | created[after] | Received unknown parameter: created[after]
        A&created[gt]=1&created[lte]=5 => ok
        A&metadata=x => - | metadata | Invalid object
        A&metadata[]=x => - | metadata | Invalid object
        A&metadata[a][b]=x => - | metadata[a] | Invalid string: {\"b\"=>\"x\"}
        A&metadata[a]=&metadata[b]=2 => ok
        A&metadata= => ok
        A&description= => ok
        A&types=card => - | types | Invalid array
        A&types[a]=card => - | types | Invalid array
        A&types= => ok
        A&types[]=card&types[]= => parameter_invalid_empty | types[1] | You passed an empty string for 'types[1]'. We assume empty values are an attempt to unset a parameter; however 'types[1]' cannot be unset. You should remove 'types[1]' from your request or supply a non-empty value.
        A&types[]=a&types[]=b&types[]=c&types[]=d => - | types | Invalid array: types can have at most 3 items
        A&expand=customer => - | expand | Invalid array
        A&expand[0]=customer => ok
        A&expand[a]=customer => - | expand | Invalid array
        ",
        NEWEST,
    );
}

#[test]
fn nested_parameters_are_required_only_with_their_parent() {
    check(
        "
        A&shipping[name]=x => parameter_missing | shipping[address] | Missing required param: shipping[address].
        A&shipping[address][city]=x => parameter_missing | shipping[address][line1] | Missing required param: shipping[address][line1].
        A&shipping[address][line1]=x => parameter_missing | shipping[name] | Missing required param: shipping[name].
        A&shipping[address][line1]=x&shipping[name]=y => ok
        A&shipping=x => - | shipping | Invalid object
        A&shipping= => parameter_invalid_empty | shipping | You passed an empty string for 'shipping'. We assume empty values are an attempt to unset a parameter; however 'shipping' cannot be unset. You should remove 'shipping' from your request or supply a non-empty value.
        A&billing= => ok
        A&billing[city]= => parameter_missing | billing[line1] | Missing required param: billing[line1].
        A&lines[7][quantity]=1 => parameter_missing | lines[0][price] | Missing required param: lines[0][price].
        A&lines[7][price]=a&lines[2][quantity]=5 => parameter_missing | lines[1][price] | Missing required param: lines[1][price].
        A&lines[7][price]=a&lines[2][quantity]=500&lines[2][price]=b => parameter_invalid_integer | lines[1][quantity] | This value must be less than or equal to 99.
        A&lines[0][price]=a&lines[0][tags][]=1&lines[0][tags][]=2&lines[0][tags][]=3 => - | lines[0][tags] | Invalid array: lines[0][tags] can have at most 2 items
        A&lines[0]=a => - | lines[0] | Invalid object
        ",
        NEWEST,
    );
}

#[test]
fn a_version_knows_its_own_parameters() {
    check(
        "A&automatic=true => parameter_unknown | automatic | Received unknown parameter: automatic",
        Version(20200827),
    );
    check(
        "A&method=pm_1 => resource_missing | method | No such PaymentMethod: 'pm_1'",
        Version(20200827),
    );
    check("A&automatic=true => ok", NEWEST);
    check(
        "A&method=pm_1 => parameter_unknown | method | Received unknown parameter: method",
        NEWEST,
    );
}

#[test]
fn limits_are_refused_clearly() {
    check(
        "a[b][c][d][e][f][g][h][i]=1 => - | - | A parameter is nested deeper than 8 levels.",
        NEWEST,
    );
    let unknown: String = (0..100).map(|at| format!("p{at}=1&")).collect();
    assert_eq!(said(&unknown, NEWEST).matches(", ").count() + 1, super::UNKNOWN_MAX);
    let many: String = (0..=super::EXPAND_MAX).map(|at| format!("&expand[]=a{at}")).collect();
    let many = said(&format!("amount=1&currency=usd{many}"), NEWEST);
    assert!(many.starts_with("- | expand | Invalid array"), "{many}");
}

#[test]
fn values_arrive_where_they_belong() {
    let line = |price: &str, quantity, tags: &[&str]| Line {
        price: price.into(),
        quantity,
        tags: tags.iter().map(|tag| (*tag).into()).collect(),
    };
    let base = Payment {
        amount: 5,
        currency: "usd".into(),
        ..Payment::default()
    };
    let cases: &[(&str, Payment)] = &[
        ("amount=3&amount=5&currency=eur&currency=usd", base.clone()),
        (
            "types[]=b&types[]=a&types[]=b",
            Payment {
                types: vec!["b".into(), "a".into(), "b".into()],
                ..base.clone()
            },
        ),
        (
            "types[9]=b&types[2]=a&types[9]=c",
            Payment {
                types: vec!["c".into(), "a".into()],
                ..base.clone()
            },
        ),
        (
            "metadata[z]=1&metadata[a]=2&metadata[z]=3",
            Payment {
                metadata: MetadataUpdate {
                    clear: false,
                    pairs: vec![("z".into(), "3".into()), ("a".into(), "2".into())],
                },
                ..base.clone()
            },
        ),
        (
            "lines[1][price]=a&lines[0][price]=b&lines[1][quantity]=2&lines[0][tags][]=x&lines[0][tags][]=y",
            Payment {
                lines: vec![line("a", Some(2), &[]), line("b", None, &["x", "y"])],
                ..base.clone()
            },
        ),
        (
            "lines[][price]=a&lines[][quantity]=1&lines[][price]=b&lines[][tags][]=x&lines[][tags][]=y",
            Payment {
                lines: vec![line("a", Some(1), &[]), line("b", None, &["x", "y"])],
                ..base.clone()
            },
        ),
        (
            "description=",
            Payment {
                description: Update::Clear,
                ..base.clone()
            },
        ),
        (
            "created[gt]=4&created[lt]=9",
            Payment {
                created: Some(Range { min: 5, max: 8 }),
                ..base.clone()
            },
        ),
        (
            "created=4",
            Payment {
                created: Some(Range { min: 4, max: 4 }),
                ..base.clone()
            },
        ),
        (
            "billing=&billing[line1]=x",
            Payment {
                billing: Update::Set(Address {
                    line1: "x".into(),
                    city: Update::Keep,
                }),
                ..base.clone()
            },
        ),
        (
            "capture_method=automatic_async",
            Payment {
                capture_method: Some(Capture::AutomaticAsync),
                ..base.clone()
            },
        ),
    ];
    for (form, expected) in cases {
        let form = format!("amount=5&currency=usd&{form}");
        assert_eq!(parse_at(form.as_bytes(), NEWEST).as_ref(), Ok(expected), "{form}");
    }
}

fn fingerprint(form: &str) -> (u128, u64) {
    let table = Table::new(Payment::SHAPE);
    let mut decoded = Decoded::default();
    decoded.pairs.read(form.as_bytes()).expect("well formed");
    decoded.place(&table, NEWEST).expect("known parameters");
    decoded.fingerprint(&table, "POST", "/v1/payments", &Secrets::new([7; 32]))
}

#[test]
fn a_fingerprint_is_of_what_was_meant() {
    let (first, endpoint) = fingerprint("amount=5&currency=usd&metadata[a]=1&metadata[b]=2&types[]=x");
    assert_eq!(first >> 120, 1, "the version of the scheme");
    for same in [
        "metadata[b]=2&types[0]=x&currency=usd&metadata[a]=1&amount=5",
        "amount=7&amount=5&currency=u%73d&metadata%5Ba%5D=1&metadata[b]=9&metadata[b]=2&types[3]=x",
    ] {
        assert_eq!(fingerprint(same), (first, endpoint), "{same}");
    }
    for other in [
        "amount=5&currency=usd&metadata[a]=1&metadata[b]=2",
        "amount=5&currency=usd&metadata[a]=2&metadata[b]=1&types[]=x",
        "amount=5&currency=usd&metadata[a]=1&metadata[b]=2&types[]=x&expand[]=y",
        "amount=51&currency=usd&metadata[a]=1&metadata[b]=2&types[]=x",
    ] {
        let (other_print, other_endpoint) = fingerprint(other);
        assert_ne!(other_print, first, "{other}");
        assert_eq!(other_endpoint, endpoint);
    }
}

fn name() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "amount", "currency", "lines", "price", "tags", "metadata", "shipping", "address", "created", "gt", "expand",
        "billing", "line1", "x", "0", "1", "", "é",
    ];
    prop::sample::select(NAMES).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn no_form_panics(
        pairs in prop::collection::vec(
            (prop::collection::vec(name(), 1..5), prop::sample::select(&["", "1", "-1", "usd", "true", "x"][..])),
            0..12,
        ),
        old in any::<bool>(),
    ) {
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(path, value)| {
                let brackets: String = path[1..].iter().map(|segment| format!("[{segment}]")).collect();
                format!("{}{brackets}={value}", path[0])
            })
            .collect();
        let version = if old { Version(20200827) } else { NEWEST };
        let _ = said(&pairs.join("&"), version);
    }

    #[test]
    fn the_order_of_scalars_does_not_matter(seed in any::<[u8; 4]>()) {
        let mut pairs = ["amount=5", "currency=usd", "confirm=true", "fee=3"];
        for (at, step) in seed.iter().enumerate() {
            pairs.swap(at, usize::from(*step) % 4);
        }
        let shuffled = pairs.join("&");
        prop_assert_eq!(fingerprint(&shuffled), fingerprint("amount=5&currency=usd&confirm=true&fee=3"));
        let expected = parse_at(b"amount=5&currency=usd&confirm=true&fee=3", NEWEST);
        prop_assert_eq!(parse_at(shuffled.as_bytes(), NEWEST), expected);
    }
}
