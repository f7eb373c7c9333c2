//! Requests through the whole edge, with operations made up for it.

use super::{Edge, Parsed};
use crate::versions::Chain;
use tollgate_domain::{Reject, Secrets};
use tollgate_resource::operation::{Answers, take};
use tollgate_resource::params::{HasParams, NoParams};
use tollgate_resource::shown::{HasShape, Ident};
use tollgate_resource::{Endpoint, Expand, Id, Kind, Method, Params, Ref, Shown, SubList, Version};

static CHARGE: Kind = Kind {
    number: 2,
    prefix: "ch",
    object: "charge",
    other: None,
};

/// A charge.
#[derive(Shown)]
#[shown(object = "charge")]
struct ChargeShown<'a> {
    id: Ident,
    #[shown(expand)]
    balance_transaction: Option<Ref>,
    billing: BillingShown,
    #[shown(expand)]
    customer: Option<Ref>,
    #[shown(expand, until = 20250331)]
    invoice: Option<Ref>,
    #[shown(included_until = 20221115)]
    refunds: SubList<'a>,
    #[shown(expand)]
    source: Option<Ref>,
    parcel: Option<Ref>,
}

/// Who pays.
#[derive(Shown)]
struct BillingShown {
    email: Option<i64>,
    #[shown(expand)]
    default_customer: Option<Ref>,
}

/// A refund.
#[derive(Shown)]
#[shown(object = "refund")]
struct RefundShown {
    id: Ident,
    #[shown(expand)]
    charge: Option<Ref>,
    #[shown(expand)]
    failure_balance_transaction: Option<Ref>,
}

/// A balance transaction.
#[derive(Shown)]
#[shown(object = "balance_transaction")]
struct BalanceTransactionShown {
    id: Ident,
    #[shown(expand)]
    source: Option<Ref>,
}

/// A customer.
#[derive(Shown)]
#[shown(object = "customer")]
struct CustomerShown {
    id: Ident,
    name: Option<i64>,
}

#[derive(Params, Default, Debug, Clone, PartialEq)]
struct Update {
    #[param(required)]
    amount: i64,
}

#[derive(Debug, Clone, PartialEq)]
enum Asked {
    List,
    Retrieve(Id),
    Update(Id, Update),
}

static ENDPOINTS: &[&Endpoint<Asked>] = &[
    &Endpoint {
        name: "list_charges",
        doc: "",
        method: Method::Get,
        path: "/v1/charges",
        params: NoParams::SHAPE,
        answers: Answers::Many(ChargeShown::SHAPE),
        parse: |_, _| Ok(Asked::List),
    },
    &Endpoint {
        name: "retrieve_charge",
        doc: "",
        method: Method::Get,
        path: "/v1/charges/{charge}",
        params: NoParams::SHAPE,
        answers: Answers::One(ChargeShown::SHAPE),
        parse: |path, _| Ok(Asked::Retrieve(path.id(0, &CHARGE)?)),
    },
    &Endpoint {
        name: "update_charge",
        doc: "",
        method: Method::Post,
        path: "/v1/charges/{charge}",
        params: Update::SHAPE,
        answers: Answers::One(ChargeShown::SHAPE),
        parse: |path, form| {
            let update = take(form)?;
            Ok(Asked::Update(path.id(0, &CHARGE)?, update))
        },
    },
];

fn edge() -> Edge<Asked> {
    let objects = [
        RefundShown::SHAPE,
        BalanceTransactionShown::SHAPE,
        CustomerShown::SHAPE,
        BillingShown::SHAPE,
    ];
    Edge::with_shapes(ENDPOINTS, objects, Chain::new(&[]))
}

#[expect(clippy::result_large_err, reason = "as Edge::parse")]
fn parse(edge: &Edge<Asked>, method: &str, path: &str, form: &str, version: Version) -> Result<Parsed<Asked>, Reject> {
    let matched = edge.route(method, path).expect("a known path");
    edge.parse(&matched, form.as_bytes(), version, &Secrets::new([1; 32]))
}

fn charge() -> Id {
    Id::new(&CHARGE, 1_795_000_000_000, 4, 9)
}

#[test]
fn a_request_becomes_a_call() {
    let edge = edge();
    let path = format!("/v1/charges/{}", charge().text(&CHARGE));
    let read = |method, form| parse(&edge, method, &path, form, Version::NEWEST).expect("a call");
    assert_eq!(read("GET", "").call, Asked::Retrieve(charge()));
    let update = read("POST", "amount=5&expand[]=customer&expand[]=balance_transaction.source");
    assert_eq!(update.call, Asked::Update(charge(), Update { amount: 5 }));
    assert_eq!(
        update.expand.paths(),
        ["customer", "balance_transaction", "balance_transaction.source"]
    );
    assert_eq!(
        edge.route("POST", &path).expect("a known path").endpoint().name,
        "update_charge"
    );
}

#[test]
fn a_key_tells_endpoints_and_parameters_apart() {
    let edge = edge();
    let path = format!("/v1/charges/{}", charge().text(&CHARGE));
    let escaped = path.replace("ch_", "%63h_");
    let read = |path: &str, form| parse(&edge, "POST", path, form, Version::NEWEST).expect("a call");
    let (first, same) = (read(&path, "amount=5"), read(&escaped, "amount=%35"));
    assert_eq!(
        (first.fingerprint, first.endpoint_hash),
        (same.fingerprint, same.endpoint_hash)
    );
    let other = read(&path, "amount=6");
    assert_ne!(first.fingerprint, other.fingerprint);
    assert_eq!(first.endpoint_hash, other.endpoint_hash);
    let elsewhere = format!(
        "/v1/charges/{}",
        Id::new(&CHARGE, 1_795_000_000_000, 5, 9).text(&CHARGE)
    );
    assert_ne!(first.endpoint_hash, read(&elsewhere, "amount=5").endpoint_hash);
}

#[test]
fn parameters_are_refused_before_the_path() {
    let edge = edge();
    let said = |method, path, form| {
        let reject = parse(&edge, method, path, form, Version::NEWEST).expect_err("refused");
        let code = reject.code.unwrap_or_default();
        format!(
            "{} {code} {} {}",
            reject.status,
            reject.param.unwrap_or_default(),
            reject.message
        )
    };
    assert_eq!(
        said("GET", "/v1/charges/ch_1", ""),
        "404 resource_missing charge No such charge: 'ch_1'"
    );
    assert_eq!(
        said("POST", "/v1/charges/ch_1", ""),
        "400 parameter_missing amount Missing required param: amount."
    );
    assert_eq!(
        said("GET", "/v1/charges/ch_1", "amount=1"),
        "400 parameter_unknown amount Received unknown parameter: amount"
    );
    assert_eq!(said("GET", "/v1/charges", "a=%00").split(' ').next(), Some("400"));
}

#[test]
fn only_what_exists_is_expanded() {
    let edge = edge();
    let charge_path = format!("/v1/charges/{}", charge().text(&CHARGE));
    let cases = "
        one customer => ok
        one balance_transaction.source.refunds.data => ok
        one balance_transaction.source.customer.name => This property cannot be expanded (balance_transaction.source.customer.name).
        one balance_transaction.source.charge.customer.name => You cannot expand more than 4 levels of a property. Property: balance_transaction.source.charge.customer.name
        one refunds => ok
        one refunds.data.charge => ok
        one refunds.data.failure_balance_transaction.source => ok
        one refunds.charge => This property cannot be expanded (refunds.charge).
        one refunds.data.nope => This property cannot be expanded because it doesn't exist: refunds.data.nope.
        one billing => This property cannot be expanded (billing).
        one billing.email => This property cannot be expanded (billing.email).
        one billing.default_customer => ok
        one source.charge => ok
        one source.nope => This property cannot be expanded because it doesn't exist: source.nope.
        one customer.nope => This property cannot be expanded because it doesn't exist: customer.nope.
        one parcel => This property cannot be expanded (parcel).
        one id => This property cannot be expanded (id).
        one nope => This property cannot be expanded because it doesn't exist: nope.
        one invoice => This property cannot be expanded because it doesn't exist: invoice.
        one data.customer => This property cannot be expanded because it doesn't exist: data.customer.
        one customer. => This property cannot be expanded because it doesn't exist: customer..
        one . => This property cannot be expanded because it doesn't exist: ..
        many data.customer => ok
        many data.refunds.data.charge => ok
        many data.a.b.c.d => You cannot expand more than 4 levels of a property. Property: data.a.b.c.d
        many customer => This property cannot be expanded (customer). You may want to try expanding 'data.customer' instead.
        many total_count => This property cannot be included (total_count)
        many data => This property cannot be expanded (data).
        many nope => This property cannot be expanded (nope).
        many data.nope => This property cannot be expanded because it doesn't exist: nope.
    ";
    for case in cases.lines().map(str::trim).filter(|case| !case.is_empty()) {
        let (request, expected) = case.split_once(" => ").expect("request => answer");
        let (answers, path) = request.split_once(' ').expect("answers path");
        let at = if answers == "one" { &*charge_path } else { "/v1/charges" };
        let said = match parse(&edge, "GET", at, &format!("expand[]={path}"), Version::NEWEST) {
            Ok(_) => "ok".into(),
            Err(reject) => {
                assert_eq!((reject.status, reject.began, &reject.param), (400, false, &None));
                let depth = reject.message.contains("more than 4");
                assert_eq!(reject.code.as_deref(), depth.then_some("property_expansion_max_depth"));
                reject.message
            }
        };
        assert_eq!(
            said,
            expected.replace("exist: nope", &format!("exist: {path}")),
            "{case}"
        );
    }
    let old = parse(&edge, "GET", &charge_path, "expand[]=invoice", Version(20200827));
    assert!(old.is_ok(), "older versions have invoices");
    assert_eq!(
        parse(&edge, "GET", "/v1/charges", "expand=", Version::NEWEST)
            .expect("ok")
            .expand,
        Expand::default()
    );
}
