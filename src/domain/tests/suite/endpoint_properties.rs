//! Random sequences of requests, reports and time against a small model of an account's webhook endpoints.

use crate::form::{command, command_with};
use crate::shop::{Done, Shop};
use proptest::prelude::*;
use tollgate_domain::webhooks::webhook_endpoint::{DisabledReason, EndpointReport, EndpointState, SECRETS_MAX};
use tollgate_domain::{Account, Command, Reply, Stop, kinds};
use tollgate_resource::{Id, Names};

const URLS: [&str; 2] = ["https://shop.example/hooks", "http://pay.example/"];
/// As many as the shop's account may have.
const ENDPOINTS_MAX: usize = 16;
/// How long older secrets go on where a request does not say.
const ROLL_DEFAULT_S: u64 = 86_400;

#[derive(Clone, Debug)]
enum Step {
    Create,
    Update {
        nth: usize,
        disabled: Option<bool>,
        url: Option<usize>,
    },
    Roll {
        nth: usize,
        expires_in: Option<u64>,
    },
    Delete {
        nth: usize,
    },
    Report {
        nth: usize,
        report: EndpointReport,
    },
    Wait {
        ms: u64,
    },
}

/// An endpoint as it should be.
#[derive(Clone, Debug)]
struct Endpoint {
    id: Id,
    url: usize,
    /// `None` while it is enabled.
    off: Option<DisabledReason>,
    deleted: bool,
    failing_since_ms: Option<u64>,
    /// When its secrets end, the newest first.
    secrets: Vec<Option<u64>>,
}

struct Play {
    shop: Shop,
    model: Vec<Endpoint>,
}

impl Play {
    fn step(&mut self, step: &Step) {
        let now_ms = self.shop.now_ms;
        match *step {
            Step::Create => {
                let room = self.model.iter().filter(|endpoint| !endpoint.deleted).count() < ENDPOINTS_MAX;
                let pairs = [("url", URLS[0]), ("enabled_events[0]", "*")];
                let made = self.ask(&command("create_webhook_endpoint", &pairs));
                assert_eq!(made.as_ref().err().copied(), (!room).then_some(400));
                self.model.extend(made.ok().map(|id| Endpoint {
                    id,
                    url: 0,
                    off: None,
                    deleted: false,
                    failing_since_ms: None,
                    secrets: vec![None],
                }));
            }
            Step::Update { nth, disabled, url } => {
                let mut pairs = Vec::new();
                let text = disabled.map(|disabled| disabled.to_string());
                pairs.extend(text.as_deref().map(|text| ("disabled", text)));
                pairs.extend(url.map(|url| ("url", URLS[url])));
                if !self.at("update_webhook_endpoint", nth, &pairs, 404) {
                    return;
                }
                let known = &mut self.model[nth];
                if let Some(url) = url {
                    if url != known.url {
                        known.failing_since_ms = None;
                    }
                    known.url = url;
                }
                let was_off = known.off.is_some();
                if let Some(disabled) = disabled {
                    known.off = disabled.then_some(DisabledReason::User);
                }
                if disabled == Some(false) && was_off {
                    known.failing_since_ms = None;
                }
            }
            Step::Roll { nth, expires_in } => {
                let text = expires_in.map(|seconds| seconds.to_string());
                let pairs: Vec<_> = text.as_deref().map(|text| ("expires_in", text)).into_iter().collect();
                let Some(known) = self.model.get(nth) else { return };
                let end_ms = now_ms + 1_000 * expires_in.unwrap_or(ROLL_DEFAULT_S);
                let ends = known
                    .secrets
                    .iter()
                    .map(|end| end.map_or(end_ms, |end| end.min(end_ms)));
                let older: Vec<u64> = ends.filter(|end| *end > now_ms).collect();
                let refused = if known.deleted { 404 } else { 400 };
                let full = older.len() >= SECRETS_MAX;
                if !self.rolled(nth, &pairs, refused, full) {
                    return;
                }
                self.model[nth].secrets = std::iter::once(None).chain(older.into_iter().map(Some)).collect();
            }
            Step::Delete { nth } => {
                if self.at("delete_webhook_endpoint", nth, &[], 404) {
                    self.model[nth].deleted = true;
                }
            }
            Step::Report { nth, report } => self.report(nth, report),
            Step::Wait { ms } => self.shop.now_ms += ms,
        }
    }

    /// Rolls a secret; whether that was done.
    fn rolled(&mut self, nth: usize, pairs: &[(&str, &str)], refused: u16, full: bool) -> bool {
        let deleted = self.model[nth].deleted;
        let text = self.model[nth].id.text(&kinds::WEBHOOK_ENDPOINT);
        let told = self.ask(&command_with(
            "roll_webhook_endpoint_secret",
            &[("webhook_endpoint", &text)],
            pairs,
        ));
        assert_eq!(told.as_ref().err().copied(), (deleted || full).then_some(refused));
        told.is_ok()
    }

    /// What is reported counts once, and not of what is gone or was said otherwise meanwhile.
    fn report(&mut self, nth: usize, report: EndpointReport) {
        let Some(known) = self.model.get_mut(nth) else { return };
        let events: Option<&[&str]> = match report {
            _ if known.deleted => None,
            EndpointReport::Failing { since_ms } if known.off.is_none() && known.failing_since_ms.is_none() => {
                known.failing_since_ms = Some(since_ms);
                Some(&["webhook_endpoint.failing"])
            }
            EndpointReport::Recovered => known.failing_since_ms.take().map(|_| &[][..]),
            EndpointReport::Disable(reason) if known.off.is_none() => {
                known.off = Some(reason);
                match reason {
                    DisabledReason::Failing | DisabledReason::Gone => Some(&["webhook_endpoint.disabled"]),
                    DisabledReason::User | DisabledReason::Paused => Some(&[]),
                }
            }
            EndpointReport::Resume if known.off == Some(DisabledReason::Paused) => {
                known.off = None;
                Some(&[])
            }
            _ => None,
        };
        let told = self.shop.tell(&Command::ReportWebhookEndpoint(known.id, report));
        let Done {
            decision, events: told, ..
        } = told.expect("a report is noted, or is none");
        assert_eq!(decision.reply, Reply::Nobody);
        assert_eq!(decision.facts.is_empty(), events.is_none(), "{report:?}");
        let told: Vec<&str> = told.iter().map(|event| event.kind.name()).collect();
        assert_eq!(told, events.unwrap_or_default());
    }

    /// Asks about an endpoint, which is refused so where it is deleted; whether it was done.
    fn at(&mut self, name: &str, nth: usize, pairs: &[(&str, &str)], refused: u16) -> bool {
        let Some(known) = self.model.get(nth) else { return false };
        let (text, deleted) = (known.id.text(&kinds::WEBHOOK_ENDPOINT), known.deleted);
        let told = self.ask(&command_with(name, &[("webhook_endpoint", &text)], pairs));
        assert_eq!(told.as_ref().err().copied(), deleted.then_some(refused));
        told.is_ok()
    }

    /// What a command answers with, or the status that refuses it. No request about endpoints has an event.
    fn ask(&mut self, command: &Command) -> Result<Id, u16> {
        match self.shop.ask(command) {
            Ok(Done { decision, events, .. }) => {
                assert_eq!(events, []);
                match decision.reply {
                    Reply::Object(_, id) => Ok(id),
                    other => panic!("{other:?}"),
                }
            }
            Err(Stop::Reject(reject)) => Err(reject.status),
            Err(stop) => panic!("nothing is unloaded or busy here, but {stop:?}"),
        }
    }

    fn compare(&self) {
        let account = &self.shop.account;
        let present: Vec<&Endpoint> = self.model.iter().filter(|endpoint| !endpoint.deleted).collect();
        assert_eq!(account.endpoints().len(), present.len());
        for (is, model) in account.endpoints().iter().zip(present) {
            let off = match is.state {
                EndpointState::Enabled => None,
                EndpointState::Disabled { reason, .. } => Some(reason),
                EndpointState::Deleted => panic!("a deleted one is kept"),
            };
            assert_eq!((is.id, &*is.url, off), (model.id, URLS[model.url], model.off));
            assert_eq!(is.failing_since_ms, model.failing_since_ms);
            let ends: Vec<Option<u64>> = is.secrets.iter().map(|secret| secret.expires_ms).collect();
            assert_eq!(ends, model.secrets);
            assert!(!is.fresh, "the account's state shows no secret");
        }
        let read_back = Account::from_row(account.profile.clone(), &account.to_row()).expect("a row");
        assert_eq!(&read_back, account);
        crate::audit::check(&self.shop);
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Mostly the first ones, so that much happens to them.
    let nth = || prop_oneof![3 => 0..2usize, 1 => 0..20usize];
    let report = prop_oneof![
        (1..9u64).prop_map(|since_ms| EndpointReport::Failing { since_ms }),
        Just(EndpointReport::Recovered),
        Just(EndpointReport::Disable(DisabledReason::Failing)),
        Just(EndpointReport::Disable(DisabledReason::Gone)),
        Just(EndpointReport::Disable(DisabledReason::Paused)),
        Just(EndpointReport::Resume),
    ];
    let some = || proptest::option::of(any::<bool>());
    let expires = proptest::option::of(prop_oneof![Just(0u64), Just(60), 1..604_800u64]);
    let step = prop_oneof![
        4 => Just(Step::Create),
        4 => (nth(), some(), proptest::option::of(0..URLS.len()))
            .prop_map(|(nth, disabled, url)| Step::Update { nth, disabled, url }),
        4 => (nth(), expires).prop_map(|(nth, expires_in)| Step::Roll { nth, expires_in }),
        1 => nth().prop_map(|nth| Step::Delete { nth }),
        6 => (nth(), report).prop_map(|(nth, report)| Step::Report { nth, report }),
        2 => prop_oneof![Just(0u64), 1..120_000u64, Just(86_400_000)].prop_map(|ms| Step::Wait { ms }),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn endpoints_do_what_their_model_does(steps in steps()) {
        let mut play = Play { shop: Shop::open(), model: Vec::new() };
        for step in &steps {
            play.step(step);
            play.compare();
        }
    }
}
