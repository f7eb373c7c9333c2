//! Event destinations: the same endpoints, asked for in other words, and what is sent of events.

use crate::form::{command, command_with};
use crate::sealed::shop;
use crate::shop::Shop;
use tollgate_domain::events::EventType;
use tollgate_domain::webhooks::deliveries::{DeliveryAsked, DeliveryCall};
use tollgate_domain::webhooks::event_destination::{EventPayload, IncludedParts};
use tollgate_domain::webhooks::webhook_endpoint::{BodyFormat, DisabledReason, EndpointReport};
use tollgate_domain::{Account, Command, Item, Object, Read, Reply, Stop, World, kinds, read};
use tollgate_resource::lookup::{at_path, text_of};
use tollgate_resource::{Id, Version};

fn create(payload: &str, event: &str, more: &[(&str, &str)]) -> Command {
    let mut pairs = vec![
        ("name", "orders"),
        ("type", "webhook_endpoint"),
        ("event_payload", payload),
        ("enabled_events[0]", event),
        ("webhook_endpoint[url]", "https://shop.example/hooks"),
    ];
    pairs.extend(more);
    command("create_event_destination", &pairs)
}

fn made(shop: &mut Shop, asked: &Command) -> (Id, Object) {
    let done = shop.ask(asked).expect("made");
    match done.decision.reply {
        Reply::Object(_, id) => (id, done.decision.facts.objects[0].clone()),
        other => panic!("{other:?}"),
    }
}

fn at(name: &str, id: Id, pairs: &[(&str, &str)]) -> Command {
    let text = id.text(&kinds::WEBHOOK_ENDPOINT);
    command_with(name, &[("id", &text)], pairs)
}

fn seen(shop: &Shop, asked: Read) -> Result<Item, Stop> {
    let world = World {
        account: &shop.account,
        objects: &shop.objects,
    };
    read(&world, asked, shop.now_ms)
}

fn shows(shop: &Shop, object: &Object, path: &str) -> Option<String> {
    let mut found = None;
    shop.with_context(|context| {
        object.with_shown(context, |shown| {
            at_path(shown, path, &mut |value| {
                found = text_of(value).map(|text| text.to_string())
            });
        });
    });
    found
}

#[test]
fn what_is_not_asked_for_is_not_shown_and_a_secret_only_once() {
    let mut shop = shop();
    let more = [
        ("include[0]", "webhook_endpoint.signing_secret"),
        ("include[1]", "webhook_endpoint.url"),
    ];
    let (id, answer) = made(&mut shop, &create("thin", "v1.charge.failed", &more));
    assert!(
        id.is_other(&kinds::WEBHOOK_ENDPOINT),
        "its prefix is that of destinations"
    );
    let secret = shows(&shop, &answer, "webhook_endpoint.signing_secret").expect("it is shown");
    assert!(secret.starts_with("whsec_"));
    let (_, silent) = made(&mut shop, &create("thin", "v1.charge.failed", &[]));
    assert_eq!(shows(&shop, &silent, "webhook_endpoint.signing_secret"), None);
    let all = IncludedParts {
        url: true,
        signing_secret: true,
    };
    let Ok(Item::Object(looked)) = seen(&shop, Read::EventDestination(id, all)) else {
        panic!("it is there");
    };
    assert_eq!(shows(&shop, &looked, "webhook_endpoint.signing_secret"), None);
    assert_eq!(
        shows(&shop, &looked, "webhook_endpoint.url").as_deref(),
        Some("https://shop.example/hooks")
    );
    assert!(
        shop.account
            .endpoints()
            .iter()
            .all(|kept| !kept.fresh && kept.asked.is_none())
    );
    let row = shop.account.to_row();
    let back = Account::from_row(shop.account.profile.clone(), &row).expect("a row");
    assert_eq!(back, shop.account);
}

#[test]
fn events_are_those_of_the_account_itself() {
    let mut shop = shop();
    for own in ["@self", "self"] {
        let (_, answer) = made(
            &mut shop,
            &create("thin", "v1.charge.failed", &[("events_from[0]", own)]),
        );
        let Object::WebhookEndpoint(endpoint) = answer else {
            panic!("{answer:?}")
        };
        assert!(!endpoint.connect, "it is sent the account's own events");
    }
    for others in ["@accounts", "other_accounts", "@organization_members"] {
        let more = [("events_from[0]", "@self"), ("events_from[1]", others)];
        let said = match shop.ask(&create("thin", "v1.charge.failed", &more)) {
            Err(Stop::Reject(reject)) => format!("{reject:?}"),
            Err(other) => panic!("{others}: {other:?}"),
            Ok(_) => panic!("{others} is taken"),
        };
        for part in ["events_from", "Connect is not available", others] {
            assert!(said.contains(part), "{said}");
        }
    }
}

#[test]
fn thin_events_are_asked_for_by_names_of_their_own() {
    let mut shop = Shop::open();
    let (thin, _) = made(&mut shop, &create("thin", "v1.charge.*", &[]));
    let (whole, _) = made(
        &mut shop,
        &create("snapshot", "charge.failed", &[("snapshot_api_version", "2024-06-20")]),
    );
    let endpoint = |id| shop.account.endpoint(id).expect("is there");
    assert!(endpoint(thin).wants(EventType::ChargeFailed) && !endpoint(thin).wants(EventType::RefundCreated));
    assert_eq!(endpoint(thin).body_format(), BodyFormat::Thin);
    assert_eq!(
        endpoint(whole).body_format(),
        BodyFormat::Snapshot(Some(Version(20240620)))
    );
    assert_eq!(endpoint(whole).payload(), EventPayload::Snapshot);
    for format in [
        endpoint(thin).body_format(),
        endpoint(whole).body_format(),
        BodyFormat::Snapshot(None),
    ] {
        assert_eq!(BodyFormat::read(format.text()), Some(format));
    }
    assert_eq!(BodyFormat::read("2024-06-21"), None);
    let v1 = |id| seen(&shop, Read::Object(&kinds::WEBHOOK_ENDPOINT, id, "webhook_endpoint"));
    assert!(
        v1(whole).is_ok() && v1(thin).is_err(),
        "thin events are of the second version only"
    );
    for (payload, event, words) in [
        ("thin", "charge.failed", "this one is v1.charge.failed"),
        ("snapshot", "v1.charge.failed", "names without `v1.`"),
        ("thin", "v1.charge.exploded", "no such event type: v1.charge.exploded"),
    ] {
        let Err(Stop::Reject(reject)) = shop.ask(&create(payload, event, &[])) else {
            panic!("{payload} {event} is refused");
        };
        assert_eq!(reject.param.as_deref(), Some("enabled_events[0]"));
        assert!(reject.message.contains(words), "{}", reject.message);
    }
    // A list without members comes as an empty parameter.
    let nothing = [
        ("name", "orders"),
        ("type", "webhook_endpoint"),
        ("event_payload", "thin"),
        ("enabled_events", ""),
        ("webhook_endpoint[url]", "https://shop.example/hooks"),
    ];
    let nothing = command("create_event_destination", &nothing);
    let emptied = at("update_event_destination", thin, &[("enabled_events", "")]);
    for asked in [nothing, emptied] {
        let Err(Stop::Reject(reject)) = shop.ask(&asked) else {
            panic!("one that is sent nothing is refused: {asked:?}");
        };
        assert_eq!(
            (reject.code.as_deref(), reject.param.as_deref()),
            (Some("parameter_missing"), Some("enabled_events"))
        );
    }
}

#[test]
fn a_destination_is_switched_changed_and_deleted() {
    let mut shop = Shop::open();
    let (id, _) = made(&mut shop, &create("thin", "*", &[]));
    shop.now_ms += 5;
    let (_, off) = made(&mut shop, &at("disable_event_destination", id, &[]));
    assert_eq!(shows(&shop, &off, "status").as_deref(), Some("disabled"));
    assert_eq!(
        shows(&shop, &off, "status_details.disabled.reason").as_deref(),
        Some("user")
    );
    assert_eq!(
        shows(&shop, &off, "updated").as_deref(),
        Some("2026-11-16T12:00:00.005Z")
    );
    assert_eq!(
        shows(&shop, &off, "created").as_deref(),
        Some("2026-11-16T12:00:00.000Z")
    );
    let (_, on) = made(&mut shop, &at("enable_event_destination", id, &[]));
    assert_eq!(shows(&shop, &on, "status").as_deref(), Some("enabled"));
    let (_, named) = made(&mut shop, &at("update_event_destination", id, &[("name", "all")]));
    assert_eq!(shows(&shop, &named, "name").as_deref(), Some("all"));
    assert_eq!(shows(&shop, &named, "event_payload").as_deref(), Some("thin"));
    let (_, gone) = made(&mut shop, &at("delete_event_destination", id, &[]));
    assert_eq!(
        shows(&shop, &gone, "object").as_deref(),
        Some("v2.core.event_destination")
    );
    assert!(shop.account.endpoints().is_empty());
    let text = id.text(&kinds::WEBHOOK_ENDPOINT);
    let asked = DeliveryCall {
        kind: kinds::of_endpoint(&text),
        id,
        param: "webhook_endpoint",
        asked: DeliveryAsked::State,
    };
    for refused in [
        shop.ask(&at("enable_event_destination", id, &[])).err(),
        seen(&shop, Read::EventDestination(id, IncludedParts::default())).err(),
        seen(&shop, asked.about()).err(),
    ] {
        let Some(Stop::Reject(reject)) = refused else {
            panic!("it is gone: {refused:?}");
        };
        assert_eq!(
            (reject.status, reject.message),
            (404, format!("No such event destination: '{text}'"))
        );
    }
    crate::audit::check(&shop);
}

#[test]
fn one_that_failed_and_is_disabled_by_its_merchant_is_disabled_by_its_merchant() {
    let mut shop = shop();
    let (id, _) = made(&mut shop, &create("snapshot", "*", &[]));
    let failed = EndpointReport::Disable(DisabledReason::Failing);
    shop.tell(&Command::ReportWebhookEndpoint(id, failed)).expect("noted");
    let reason = |shop: &Shop, object: &Object| shows(shop, object, "status_details.disabled.reason");
    let seen_now = |shop: &Shop| match seen(shop, Read::EventDestination(id, IncludedParts::default())) {
        Ok(Item::Object(object)) => reason(shop, &object),
        other => panic!("{other:?}"),
    };
    assert_eq!(seen_now(&shop).as_deref(), Some("failing"));
    shop.ask(&at("disable_event_destination", id, &[])).expect("disabled");
    assert_eq!(seen_now(&shop).as_deref(), Some("user"));
    shop.ask(&at("enable_event_destination", id, &[])).expect("enabled");
    assert_eq!(seen_now(&shop), None);
}
