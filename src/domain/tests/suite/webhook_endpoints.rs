//! Webhook endpoints: what is kept of them, when their secrets are shown, and what is refused.

use crate::form::{command, command_with};
use crate::script::check;
use crate::sealed::shop;
use crate::shop::Shop;
use tollgate_domain::events::EventType;
use tollgate_domain::webhooks::webhook_endpoint::{DisabledReason, EndpointReport, SECRETS_MAX, Vetted};
use tollgate_domain::{Account, Command, Item, Object, Read, Reply, Stop, World, kinds, read};
use tollgate_resource::lookup::{at_path, text_of};
use tollgate_resource::{Id, Names, Record};

const URL: &str = "https://shop.example/hooks";

#[test]
fn an_endpoint_is_made_changed_disabled_and_deleted() {
    check(
        "
        > create_webhook_endpoint url=https://shop.example/hooks enabled_events[0]=charge.failed enabled_events[1]=charge.failed
        200 we1
        · we1 https://shop.example/hooks charge.failed

        > update_webhook_endpoint @we1 enabled_events[0]=* url=http://pay.example/
        200 we1
        · we1 http://pay.example/ *

        > update_webhook_endpoint @we1 disabled=true
        200 we1
        · we1 http://pay.example/ * user

        > update_webhook_endpoint @we1 disabled=false delivery[order]=strict
        200 we1
        · we1 http://pay.example/ *

        > delete_webhook_endpoint @we1
        200 we1
        · we1 http://pay.example/ * (deleted)

        > delete_webhook_endpoint @we1
        404 resource_missing param=webhook_endpoint (not begun): No such webhook endpoint: 'we1'

        > retrieve_webhook_endpoint @we1
        404 resource_missing param=webhook_endpoint (not begun): No such webhook endpoint: 'we1'
        ",
    );
}

#[test]
fn addresses_and_accounts_that_nothing_can_be_sent_for_are_refused() {
    check(
        "
        > create_webhook_endpoint url=shop.example enabled_events[0]=*
        400 url_invalid param=url (not begun): Invalid URL: An explicit scheme (such as https) must be provided.

        > create_webhook_endpoint url=ftp://shop.example enabled_events[0]=*
        400 url_invalid param=url (not begun): Invalid URL: The scheme must be http or https.

        > create_webhook_endpoint url=https://shop.example enabled_events[0]=* connect=true
        400 param=connect (not begun): Connect is not available on this account: there are no connected accounts, so nothing would ever be sent. Leave `connect` out to be sent the account's own events.

        > create_webhook_endpoint url=https://shop.example enabled_events[0]=charge.failed connect=false
        200 we1
        · we1 https://shop.example charge.failed

        > update_webhook_endpoint @we1 enabled_events=
        400 parameter_missing param=enabled_events (not begun): Missing required param: enabled_events. Name the events to be sent, or `*` for all.

        > create_webhook_endpoint url=https://a:b@shop.example enabled_events[0]=*
        400 url_invalid param=url (not begun): Invalid URL: It must not hold a user name or a password.
        ",
    );
    let mut shop = Shop::open();
    let mut made = command("create_webhook_endpoint", &[("url", URL), ("enabled_events[0]", "*")]);
    let Command::CreateWebhookEndpoint(_, vetted) = &mut made else {
        panic!("it is made")
    };
    *vetted = Vetted::Unfit("URL must be publicly accessible.".into());
    let Err(Stop::Reject(reject)) = shop.ask(&made) else {
        panic!("it is refused")
    };
    assert_eq!(reject.message, "Invalid URL: URL must be publicly accessible.");
}

#[test]
fn in_live_mode_an_address_is_https() {
    let mut shop = Shop::open();
    let mut profile = (*shop.account.profile).clone();
    profile.livemode = true;
    shop.account = Account::new(profile.into());
    let asked = |url| command("create_webhook_endpoint", &[("url", url), ("enabled_events[0]", "*")]);
    let Err(Stop::Reject(reject)) = shop.ask(&asked("http://shop.example/")) else {
        panic!("it is refused")
    };
    assert_eq!(
        reject.message,
        "Invalid URL: In live mode, webhooks are sent over https only."
    );
    shop.ask(&asked(URL)).expect("it is made");
}

#[test]
fn a_secret_is_shown_by_the_answer_that_drew_it_and_nothing_else() {
    let mut shop = shop();
    let made = shop.ask(&create(&[])).expect("made");
    let Reply::Object(_, id) = made.decision.reply else {
        panic!("it is made")
    };
    let first = secret_of(&shop, &made.decision.facts.objects[0]).expect("it is shown");
    assert!(first.starts_with("whsec_") && first.len() == 38, "{}", first.len());
    assert!(first[6..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let bytes = made.decision.facts.to_bytes();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(!holds(&first.as_bytes()[6..]), "the record holds the secret");
    assert!(
        !format!("{:?}", made.decision.facts).contains(&first[6..]),
        "facts print it"
    );
    assert_eq!(secret_of(&shop, &seen(&shop, id)), None, "a look shows no secret");
    let changed = shop
        .ask(&at("update_webhook_endpoint", id, &[("description", "mine")]))
        .expect("changed");
    assert_eq!(secret_of(&shop, &changed.decision.facts.objects[0]), None);

    shop.now_ms += 1;
    let rolled = shop.ask(&at("roll_webhook_endpoint_secret", id, &[])).expect("rolled");
    let second = secret_of(&shop, &rolled.decision.facts.objects[0]).expect("it is shown");
    assert_ne!(first, second);
    assert_eq!(secret_of(&shop, &seen(&shop, id)), None);
    assert_eq!(shop.account.endpoints().len(), 1);
}

#[test]
fn older_secrets_end_when_they_were_said_to() {
    let mut shop = shop();
    let id = made(&mut shop, &[]);
    let valid = |shop: &Shop, ms| shop.account.endpoint(id).expect("is there").secrets_at(ms).count();
    shop.now_ms += 1_000;
    shop.ask(&at("roll_webhook_endpoint_secret", id, &[("expires_in", "60")]))
        .expect("rolled");
    let rolled_ms = shop.now_ms;
    assert_eq!(
        [valid(&shop, rolled_ms + 59_999), valid(&shop, rolled_ms + 60_000)],
        [2, 1]
    );
    // A later roll does not keep an older secret longer than the earlier one said.
    shop.now_ms += 1_000;
    shop.ask(&at("roll_webhook_endpoint_secret", id, &[])).expect("rolled");
    assert_eq!(valid(&shop, shop.now_ms), 3);
    assert_eq!(valid(&shop, rolled_ms + 60_000), 2);
    for _ in 3..SECRETS_MAX {
        shop.now_ms += 1;
        shop.ask(&at("roll_webhook_endpoint_secret", id, &[])).expect("rolled");
    }
    assert_eq!(valid(&shop, shop.now_ms), SECRETS_MAX);
    let Err(Stop::Reject(reject)) = shop.ask(&at("roll_webhook_endpoint_secret", id, &[])) else {
        panic!("that is too many");
    };
    assert_eq!(reject.param.as_deref(), Some("expires_in"));
    shop.ask(&at("roll_webhook_endpoint_secret", id, &[("expires_in", "0")]))
        .expect("rolled");
    assert_eq!(valid(&shop, shop.now_ms), 1);
    assert_eq!(
        shop.account.endpoint(id).expect("is there").secrets.len(),
        1,
        "what has ended is forgotten"
    );
}

#[test]
fn an_account_has_so_many_endpoints_and_knows_them_after_a_restart() {
    let mut shop = shop();
    let ids: Vec<Id> = (0..16).map(|_| made(&mut shop, &[])).collect();
    let Err(Stop::Reject(reject)) = shop.ask(&create(&[])) else {
        panic!("that is too many")
    };
    assert_eq!(
        reject.message,
        "You have reached the maximum of 16 test webhook endpoints."
    );
    let row = shop.account.to_row();
    let read_back = Account::from_row(shop.account.profile.clone(), &row).expect("a row");
    assert_eq!(read_back, shop.account);
    assert!(
        read_back
            .endpoints()
            .iter()
            .all(|endpoint| !endpoint.fresh && endpoint.secrets.len() == 1)
    );
    shop.ask(&at("delete_webhook_endpoint", ids[3], &[])).expect("deleted");
    shop.ask(&create(&[])).expect("there is room again");
}

#[test]
fn an_endpoint_wants_what_it_names() {
    let mut shop = Shop::open();
    let wants = |shop: &Shop, id| {
        let endpoint = shop.account.endpoint(id).expect("is there");
        let wanted = EventType::ALL.iter().filter(|event| endpoint.wants(**event));
        wanted.map(|event| event.name()).collect::<Vec<_>>()
    };
    let all = made(&mut shop, &[]);
    let public = EventType::ALL.iter().filter(|event| !event.is_own()).count();
    assert_eq!(wants(&shop, all).len(), public);
    assert!(public + 2 == EventType::ALL.len(), "what is ours alone must be named");
    let group = made(
        &mut shop,
        &[
            ("enabled_events[0]", "charge.dispute.*"),
            ("enabled_events[1]", "refund.failed"),
        ],
    );
    assert_eq!(
        wants(&shop, group),
        [
            "charge.dispute.created",
            "charge.dispute.updated",
            "charge.dispute.closed",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
            "refund.failed",
        ]
    );
    let own = made(&mut shop, &[("enabled_events[0]", "webhook_endpoint.failing")]);
    assert_eq!(wants(&shop, own), ["webhook_endpoint.failing"]);
}

#[test]
fn a_report_is_noted_once_and_raises_its_event() {
    let mut shop = Shop::open();
    let id = made(&mut shop, &[]);
    let mut told = |report| {
        let done = shop.tell(&Command::ReportWebhookEndpoint(id, report)).expect("noted");
        assert_eq!(done.decision.reply, Reply::Nobody);
        let events: Vec<&str> = done.events.iter().map(|event| event.kind.name()).collect();
        (events.join(" "), !done.decision.facts.is_empty())
    };
    let failing = EndpointReport::Failing { since_ms: 5 };
    assert_eq!(told(failing), ("webhook_endpoint.failing".into(), true));
    assert_eq!(told(failing), (String::new(), false));
    assert_eq!(told(EndpointReport::Recovered), (String::new(), true));
    assert_eq!(told(EndpointReport::Recovered), (String::new(), false));
    assert_eq!(
        told(EndpointReport::Disable(DisabledReason::Paused)),
        (String::new(), true)
    );
    assert_eq!(
        told(EndpointReport::Disable(DisabledReason::Gone)),
        (String::new(), false)
    );
    assert_eq!(told(EndpointReport::Resume), (String::new(), true));
    let gone = EndpointReport::Disable(DisabledReason::Gone);
    assert_eq!(told(gone), ("webhook_endpoint.disabled".into(), true));
    assert_eq!(
        told(EndpointReport::Resume),
        (String::new(), false),
        "only a pause is resumed"
    );
    shop.ask(&at("update_webhook_endpoint", id, &[("disabled", "false")]))
        .expect("enabled");
    shop.ask(&at("delete_webhook_endpoint", id, &[])).expect("deleted");
    let late = shop.tell(&Command::ReportWebhookEndpoint(id, gone)).expect("too late");
    assert!(late.decision.facts.is_empty());
    crate::audit::check(&shop);
}

fn create(pairs: &[(&str, &str)]) -> Command {
    let mut all = vec![("url", URL)];
    all.extend(pairs);
    if pairs.is_empty() {
        all.push(("enabled_events[0]", "*"));
    }
    command("create_webhook_endpoint", &all)
}

fn at(name: &str, id: Id, pairs: &[(&str, &str)]) -> Command {
    let text = id.text(&kinds::WEBHOOK_ENDPOINT);
    command_with(name, &[("webhook_endpoint", &text)], pairs)
}

fn made(shop: &mut Shop, pairs: &[(&str, &str)]) -> Id {
    match shop.ask(&create(pairs)).expect("made").decision.reply {
        Reply::Object(_, id) => id,
        other => panic!("{other:?}"),
    }
}

/// What a look at the endpoint is answered with.
fn seen(shop: &Shop, id: Id) -> Object {
    let world = World {
        account: &shop.account,
        objects: &shop.objects,
    };
    let asked = Read::Object(&kinds::WEBHOOK_ENDPOINT, id, "webhook_endpoint");
    match read(&world, asked, shop.now_ms).expect("it is there") {
        Item::Object(object) => object,
        other => panic!("{other:?}"),
    }
}

fn secret_of(shop: &Shop, object: &Object) -> Option<String> {
    let mut secret = None;
    shop.with_context(|context| {
        object.with_shown(context, |shown| {
            at_path(shown, "secret", &mut |value| {
                secret = text_of(value).map(|text| text.to_string())
            });
        });
    });
    secret
}
