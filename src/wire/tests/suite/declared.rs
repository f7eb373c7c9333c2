//! What holds for every declared operation and every shown field.

use crate::shop::{NOW_MS, Shop};
use proptest::prelude::*;
use std::sync::LazyLock;
use tollgate_domain::{Secrets, api, kinds};
use tollgate_resource::params::{ParamKind, ParamsShape};
use tollgate_resource::{Endpoint, Id, Kind, Method, Shape, Version};
use tollgate_wire::versions::{CHANGES, KNOWN, Presence};
use tollgate_wire::{Edge, Rendering, forms};

static EDGE: LazyLock<Edge> = LazyLock::new(|| Edge::new(api::ENDPOINTS));

fn shape(object: &str) -> &'static Shape {
    let kind = kinds::ALL.iter().find(|kind| kind.object == object).expect("a kind");
    api::shape_of(kind).expect("a shape")
}

#[test]
fn windows_of_changes_are_those_of_the_shapes() {
    for change in CHANGES {
        for window in change.windows {
            let at = |version: Version| {
                let field = shape(window.object)
                    .fields
                    .iter()
                    .find(|field| field.name == window.field && field.since <= version && version < field.until);
                match field {
                    None => Presence::Gone,
                    Some(field) if version < field.included_until => Presence::Shown,
                    Some(field) if field.included_until > Version::ALWAYS => Presence::Expanded,
                    Some(_) => Presence::Shown,
                }
            };
            let before = Version(change.since.0 - 1);
            assert_eq!(
                (at(before), at(change.since)),
                (window.before, window.after),
                "{window:?}"
            );
        }
    }
}

#[test]
fn every_window_of_a_shape_belongs_to_a_change() {
    for shape in kinds::ALL.iter().filter_map(|kind| api::shape_of(kind)) {
        let object = shape.object.expect("an object");
        for field in shape.fields {
            for at in [field.since, field.until, field.included_until] {
                let changes = CHANGES.iter().filter(|change| change.since == at);
                let named = changes
                    .flat_map(|change| change.windows)
                    .any(|window| (window.object, window.field) == (object, field.name));
                assert!(
                    named || at == Version::ALWAYS || at == Version::NEVER,
                    "{object}.{} has a window that no change names",
                    field.name
                );
            }
        }
    }
    for change in CHANGES {
        assert!(
            KNOWN.iter().any(|(known, _)| *known == change.since),
            "{} came at no version",
            change.doc
        );
    }
}

#[test]
fn every_request_that_a_change_rewrites_is_declared() {
    for (change, request) in CHANGES
        .iter()
        .flat_map(|change| change.requests.iter().map(move |one| (change, one)))
    {
        let declared = |endpoint: &&Endpoint<_>| endpoint.method == request.method && endpoint.path == request.path;
        assert!(
            api::ENDPOINTS.iter().copied().any(|endpoint| declared(&endpoint)),
            "{} {}: {}",
            request.method.name(),
            request.path,
            change.doc
        );
    }
}

/// The least form of an operation: what it requires, and nothing else.
fn least(shape: &'static ParamsShape, prefix: &str, out: &mut Vec<String>) {
    for field in shape.fields.iter().filter(|field| field.required) {
        let name = if prefix.is_empty() {
            field.name.to_owned()
        } else {
            format!("{prefix}[{}]", field.name)
        };
        match &field.kind {
            ParamKind::Node(shape) => least(shape, &name, out),
            ParamKind::Int { .. } => out.push(format!("{name}=2000")),
            ParamKind::Bool => out.push(format!("{name}=true")),
            ParamKind::Names(names) => out.push(format!("{name}={}", names[0])),
            // The query of a search, or any other text.
            ParamKind::Str { .. } => out.push(format!("{name}=created>1")),
            ParamKind::Word(_) => out.push(format!("{name}=usd")),
            ParamKind::Id(kind) => out.push(format!("{name}={}", id(kind))),
            ParamKind::File => out.push(format!("{name}={}%3A20%3Apdf%3Aa.pdf", "0".repeat(64))),
            ParamKind::List {
                of: ParamKind::Names(names),
                ..
            } => out.push(format!("{name}[0]={}", names[0])),
            ParamKind::List { .. } => out.push(format!("{name}[0]=*")),
            other => panic!("{}: nothing required is {other:?} yet", shape.name),
        }
    }
}

fn id(kind: &Kind) -> String {
    Id::new(kind, NOW_MS, 1, 1).text(kind)
}

#[test]
fn every_operation_can_be_asked_with_what_it_requires() {
    let secrets = Secrets::new([9; 32]);
    for endpoint in api::ENDPOINTS {
        let mut form = Vec::new();
        least(endpoint.params, "", &mut form);
        let asked = |kind: &Kind, version| {
            let path = endpoint.path.split('/').map(|part| {
                match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => id(kinds::ALL.iter().find(|known| known.object == name).unwrap_or(&kind)),
                    None => part.into(),
                }
            });
            let path = path.collect::<Vec<String>>().join("/");
            let matched = EDGE.route(endpoint.method.name(), &path).expect("a declared path");
            EDGE.parse(&matched, form.join("&").as_bytes(), version, &secrets)
                .is_ok()
        };
        for (version, name) in KNOWN {
            assert!(
                kinds::ALL.iter().any(|kind| asked(kind, *version)),
                "{} at {name}",
                endpoint.name
            );
        }
    }
}

#[test]
fn what_no_operation_takes_is_told_first_and_everywhere() {
    let mut shop = Shop::open();
    for endpoint in api::ENDPOINTS {
        let path = endpoint
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        let (status, body) = shop.send(endpoint.method.name(), &path, "amount=x&no_such=1&expand[]=nope");
        assert_eq!(status, 400, "{}: {body}", endpoint.name);
        assert!(body.contains("Received unknown parameter"), "{}: {body}", endpoint.name);
    }
}

#[test]
fn ids_in_paths_are_told_by_their_segment() {
    let mut shop = Shop::open();
    for endpoint in api::ENDPOINTS.iter().filter(|endpoint| endpoint.path.contains('{')) {
        let path = endpoint
            .path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part });
        let form = if endpoint.params.fields.iter().any(|field| field.required) {
            continue;
        } else {
            ""
        };
        let (status, body) = shop.send(endpoint.method.name(), &path.collect::<Vec<_>>().join("/"), form);
        let segment = endpoint.path.split(['{', '}']).nth(1).expect("a variable segment");
        assert_eq!(status, 404, "{}: {body}", endpoint.name);
        assert!(
            body.contains(&format!("\"param\": \"{segment}\"")),
            "{}: {body}",
            endpoint.name
        );
        assert!(
            body.contains("\"code\": \"resource_missing\""),
            "{}: {body}",
            endpoint.name
        );
    }
}

/// One generated pair: a path of the shape and a value for it.
fn pairs_of(shape: &'static ParamsShape, prefix: &str, out: &mut Vec<(String, &'static [&'static str])>) {
    for field in shape.fields {
        let name = if prefix.is_empty() {
            field.name.to_owned()
        } else {
            format!("{prefix}[{}]", field.name)
        };
        pairs_of_kind(&field.kind, name, out);
    }
}

fn pairs_of_kind(kind: &'static ParamKind, name: String, out: &mut Vec<(String, &'static [&'static str])>) {
    match kind {
        ParamKind::Node(shape) => pairs_of(shape, &name, out),
        ParamKind::List { of, .. } => {
            pairs_of_kind(of, format!("{name}[0]"), out);
            pairs_of_kind(of, format!("{name}[]"), out);
        }
        ParamKind::Metadata => {
            out.push((format!("{name}[order]"), &["1", "", "é"]));
            out.push((format!("{name}[ ]"), &["x"]));
        }
        ParamKind::File => out.push((
            name,
            &[
                "00000000000000000000000000000000000000000000000000000000000000ff:20:pdf:a.pdf",
                "x",
            ],
        )),
        ParamKind::Range => {
            out.push((format!("{name}[gte]"), &["0", "-1", "x"]));
            out.push((name, &["0"]));
        }
        ParamKind::Int { .. } => out.push((name, &["1", "2000", "0", "-1", "9223372036854775807", "1e3", "50"])),
        ParamKind::Bool => out.push((name, &["true", "false", "1"])),
        ParamKind::Names(names) => out.push((name, names)),
        ParamKind::Id(_) => out.push((name, &["pm_card_visa", "cus_1", "pm_card_visa_chargeDeclined", "{id}"])),
        ParamKind::Word(_) => out.push((name, &["usd", "USD", "jpy", "zzz"])),
        ParamKind::Secret(_) => out.push((name, &["4242424242424242", "4242", "", "x"])),
        ParamKind::Str { .. } => out.push((name, &["card", "a b", "", "🌍"])),
    }
}

/// What a mutation does to a form.
#[derive(Clone, Debug)]
enum Mutation {
    Insert(usize, u8),
    Remove(usize),
    Repeat(usize),
    Nest(usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (
            any::<prop::sample::Index>(),
            prop::sample::select(b"%&=[]+\0\xff\xc3.0a".to_vec())
        )
            .prop_map(|(at, byte)| Mutation::Insert(at.index(10_000), byte)),
        any::<prop::sample::Index>().prop_map(|at| Mutation::Remove(at.index(10_000))),
        any::<prop::sample::Index>().prop_map(|at| Mutation::Repeat(at.index(10_000))),
        any::<prop::sample::Index>().prop_map(|at| Mutation::Nest(at.index(10_000))),
    ]
}

fn mutate(form: &mut Vec<u8>, mutations: &[Mutation]) {
    for mutation in mutations {
        let len = form.len();
        match mutation {
            Mutation::Insert(at, byte) => form.insert(at % (len + 1), *byte),
            Mutation::Remove(at) if len > 0 => drop(form.remove(at % len)),
            Mutation::Repeat(at) => form.extend_from_within(at % (len + 1)..),
            Mutation::Nest(at) => drop(form.splice(at % (len + 1)..at % (len + 1), *b"[a][]")),
            Mutation::Remove(_) => {}
        }
    }
}

/// A request for one of the operations: valid in its grammar, then perhaps mutated.
fn request() -> impl Strategy<Value = (&'static Endpoint<tollgate_domain::Call>, bool, Vec<u8>)> {
    (0..api::ENDPOINTS.len(), any::<bool>()).prop_flat_map(|(at, good_id)| {
        let endpoint = api::ENDPOINTS[at];
        let mut known = vec![(
            "expand[]".to_owned(),
            &["customer", "data.customer", "a.b.c.d.e", "id"][..],
        )];
        pairs_of(endpoint.params, "", &mut known);
        let pair = (0..known.len(), any::<prop::sample::Index>());
        let pairs = prop::collection::vec(pair, 0..8).prop_map(move |picked| {
            let pairs = picked.iter().map(|(at, value)| {
                let (name, values) = &known[*at];
                format!("{name}={}", values[value.index(values.len())])
            });
            pairs.collect::<Vec<_>>().join("&").into_bytes()
        });
        (
            Just(endpoint),
            Just(good_id),
            pairs,
            prop::collection::vec(mutation(), 0..4),
        )
            .prop_map(|(endpoint, good_id, mut form, mutations)| {
                mutate(&mut form, &mutations);
                (endpoint, good_id, form)
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_request_becomes_a_call_or_a_4xx((endpoint, good_id, form) in request(), old in any::<bool>()) {
        let version = if old { Version(20200827) } else { Version::NEWEST };
        let id = Id::new(&kinds::PAYMENT_INTENT, NOW_MS, 1, 1).text(&kinds::PAYMENT_INTENT);
        let part = |part: &str| if part.starts_with('{') { if good_id { id.clone() } else { "x".into() } } else { part.into() };
        let path = endpoint.path.split('/').map(part).collect::<Vec<String>>().join("/");
        let matched = EDGE.route(endpoint.method.name(), &path).expect("a declared path");
        prop_assert_eq!(matched.endpoint().name, endpoint.name);
        let secrets = Secrets::new([9; 32]);
        match EDGE.parse(&matched, &form, version, &secrets) {
            Ok(parsed) => prop_assert_eq!(parsed.fingerprint >> 120, u128::from(endpoint.method != Method::Get)),
            Err(reject) => {
                prop_assert!((400..500).contains(&reject.status), "{:?}", reject);
                prop_assert!(!reject.began);
                prop_assert!(reject.message.len() < 64 * 1024);
            }
        }
    }

    #[test]
    fn no_bytes_panic(form in prop::collection::vec(any::<u8>(), 0..400), at in 0..api::ENDPOINTS.len()) {
        let endpoint = api::ENDPOINTS[at];
        let path = endpoint.path.replace(['{', '}'], "");
        let matched = EDGE.route(endpoint.method.name(), &path).expect("a declared path");
        let secrets = Secrets::new([9; 32]);
        if let Err(reject) = EDGE.parse(&matched, &form, Version::NEWEST, &secrets) {
            prop_assert!((400..500).contains(&reject.status), "{:?}", reject);
        }
    }

    #[test]
    fn no_path_panics(method in "[A-Z]{0,8}", path in any::<String>()) {
        let _ = EDGE.route(&method, &path);
    }
}

#[test]
fn a_form_at_every_limit_is_read_in_bounded_time() {
    let matched = EDGE.route("POST", "/v1/payment_intents").expect("a declared path");
    let secrets = Secrets::new([9; 32]);
    let forms = [
        (0..forms::PAIRS_MAX)
            .map(|at| format!("metadata[{at}]=x"))
            .collect::<Vec<_>>()
            .join("&"),
        (0..forms::PAIRS_MAX)
            .map(|at| format!("payment_method_types[{at}]=x"))
            .collect::<Vec<_>>()
            .join("&"),
        (0..forms::PAIRS_MAX)
            .map(|at| format!("nope{at}=x"))
            .collect::<Vec<_>>()
            .join("&"),
        format!("metadata[a]={}", "x".repeat(1024 * 1024)),
    ];
    for form in forms {
        let started = std::time::Instant::now();
        let _ = EDGE.parse(&matched, form.as_bytes(), Version::NEWEST, &secrets);
        assert!(started.elapsed() < std::time::Duration::from_secs(1), "{}", &form[..40]);
    }
}

#[test]
fn a_missing_object_leaves_its_id() {
    let mut shop = Shop::open();
    let form = "amount=2000&currency=usd&payment_method=pm_card_visa&confirm=true&payment_method_types[]=card";
    let (status, body) = shop.send("POST", "/v1/payment_intents", form);
    assert_eq!(status, 200, "{body}");
    let item = tollgate_domain::object::Item::Object(shop.objects.0.last().expect("an object").clone());
    let mut expand = tollgate_resource::Expand::default();
    expand.add(&["latest_charge"]);
    expand.add(&["payment_intent"]);
    let whole = shop.rendering(Version::NEWEST, &expand);
    let bare = Rendering { attached: &[], ..whole };
    for rendering in [whole, bare] {
        let mut out = Vec::new();
        rendering.item(&item, &mut out);
        assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok());
    }
}
