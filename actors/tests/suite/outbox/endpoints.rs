//! Accounts with endpoints: what of them delivery is told, and what it reports.

use super::{Heard, Spy, read_notes, said, start, written};
use crate::adoption::PATIENCE;
use crate::engine::in_system;
use crate::lists::ask;
use crate::office::{Desk, merchant, object, pay};
use std::sync::Arc;
use std::time::Duration;
use tollgate_actors::outbox::{Moved, Note, Noted, Records, events_after, notes_of};
use tollgate_actors::router::shard_of;
use tollgate_domain::webhooks::webhook_endpoint::{
    CreateWebhookEndpoint, DisabledReason, EnabledEvent, EndpointReport, UpdateWebhookEndpoint, Vetted,
};
use tollgate_domain::{AccountKey, Command, kinds};
use tollgate_resource::notes;
use tollgate_store::ShardId;
use tollgate_store::memory::{Memory, Mode};

/// The body of a command that makes an endpoint.
fn endpoint() -> Command {
    Command::CreateWebhookEndpoint(
        Box::new(CreateWebhookEndpoint {
            url: "https://merchant.example/hooks".into(),
            enabled_events: vec![EnabledEvent("*".into())],
            ..CreateWebhookEndpoint::default()
        }),
        Vetted::Fit,
    )
}

/// What an outbox heard of news, in order.
fn news(spy: &Spy) -> Vec<Moved> {
    let heard = spy.heard().into_iter().filter_map(|heard| match heard {
        Heard::Moved(_, moved) => Some(moved),
        _ => None,
    });
    heard.flatten().collect()
}

#[test]
fn only_accounts_with_endpoints_are_told_of_and_each_change_of_one_has_a_number() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let (mut plain, mut watched) = (Desk::of(merchant(1)), Desk::of(merchant(2)));
        let account = merchant(2).key;
        let shard = shard_of(account, 2);
        let mut engine = start(&store, &spy);
        let client = engine.client();
        ask(&client, plain.write(pay(1_000, "visa"))).await;
        ask(&client, watched.write(pay(1_000, "visa"))).await;
        assert_eq!(news(&spy), [], "nobody is to be told");
        let made = object(&ask(&client, watched.write(endpoint())).await).id();
        let changed = format!("changed {}", made.seq());
        assert_eq!(read_notes(&*store, shard), [changed.as_str()]);
        ask(&client, watched.write(pay(2_000, "visa"))).await;
        ask(&client, plain.write(pay(2_000, "visa"))).await;
        // Nothing happens by that, so there is nothing to tell.
        ask(&client, watched.get(&kinds::WEBHOOK_ENDPOINT, made)).await;
        let update = UpdateWebhookEndpoint {
            disabled: Some(true),
            ..UpdateWebhookEndpoint::default()
        };
        let update = Command::UpdateWebhookEndpoint(made, Box::new(update), Vetted::Fit);
        ask(&client, watched.write(update)).await;
        assert!(engine.stop(PATIENCE).await);
        // The account is read again, and so is that it has an endpoint.
        engine = start(&store, &spy);
        let client = engine.client();
        ask(&client, watched.write(pay(3_000, "visa"))).await;
        ask(&client, watched.write(Command::DeleteWebhookEndpoint(made))).await;
        ask(&client, watched.write(pay(4_000, "visa"))).await;
        let last = events_after(&Records::default(), &*store, account, 0, 1_000).expect("the store reads");
        let of_payment = |nth: usize| last[3 * nth + 2].seq();
        let heard: Vec<(u64, Option<u64>)> = news(&spy)
            .iter()
            .map(|moved| {
                assert_eq!(moved.account, account);
                (moved.upto, moved.change)
            })
            .collect();
        let expected = [
            (made.seq(), Some(1)),
            (of_payment(1), None),
            (of_payment(1), Some(2)),
            (of_payment(2), None),
            // Another incarnation counts anew.
            (of_payment(2), Some(1)),
        ];
        assert_eq!(heard, expected);
        assert_eq!(read_notes(&*store, shard), vec![changed; 3]);
        assert!(engine.stop(PATIENCE).await);
    });
}

#[test]
fn changes_that_a_row_did_not_know_of_are_noted_again_behind_it() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let merchants = (1..40).map(merchant).filter(|it| shard_of(it.key, 2) == ShardId(0));
        let mut desks: Vec<(AccountKey, Desk)> = merchants.take(3).map(|it| (it.key, Desk::of(it))).collect();
        let shard = ShardId(0);
        let engine = start(&store, &spy);
        let client = engine.client();
        for (_, desk) in &mut desks {
            ask(&client, desk.write(endpoint())).await;
        }
        // Delivery had heard of the first change only when it made this.
        let epoch = spy.epoch(shard);
        let row = Note::Row {
            body: said("row"),
            heard: 1,
        };
        engine.note(shard, epoch, row.clone()).expect("there is room");
        written(&engine, shard).await;
        assert_eq!(read_notes(&*store, shard), ["[row]", "changed 1", "changed 1"]);
        let named = |of: &str| {
            let mut named = Vec::new();
            notes_of(&*store, shard, &mut |noted| {
                if let Noted::Progress(body) = noted {
                    let entries = notes::entries(&body).map(|entry| entry.expect("a note reads back"));
                    named.extend(entries.map(|entry| AccountKey(entry.account)));
                }
                Ok(())
            })
            .expect("the store reads");
            named.sort_unstable();
            assert!(!named.is_empty(), "{of}");
            named
        };
        let mut unheard = vec![desks[1].0, desks[2].0];
        unheard.sort_unstable();
        assert_eq!(named("two"), unheard);
        // One that knows all needs nothing behind it.
        let row = Note::Row {
            body: said("row"),
            heard: 3,
        };
        engine.note(shard, epoch, row).expect("there is room");
        written(&engine, shard).await;
        assert_eq!(read_notes(&*store, shard), ["[row]"]);
        assert!(engine.stop(PATIENCE).await);
    });
}

#[test]
fn what_delivery_reports_of_an_endpoint_is_decided_and_counted_after_a_restart_too() {
    in_system(async {
        let (store, spy) = (Memory::new(Mode::Immediate), Arc::new(Spy::default()));
        let mut desk = Desk::of(merchant(2));
        let account = merchant(2).key;
        let mut engine = start(&store, &spy);
        let made = object(&ask(&engine.client(), desk.write(endpoint())).await).id();
        let disabled = |disabled| {
            let update = UpdateWebhookEndpoint {
                disabled: Some(disabled),
                ..UpdateWebhookEndpoint::default()
            };
            Command::UpdateWebhookEndpoint(made, Box::new(update), Vetted::Fit)
        };
        for round in 1..=3 {
            let records = Records::default();
            let events = || events_after(&records, &*store, account, 0, 100).expect("the store reads");
            // Nobody asked for the account since the start: the engine's own command has it read.
            let failing = EndpointReport::Failing { since_ms: round };
            let gone = EndpointReport::Disable(DisabledReason::Gone);
            for (nth, report) in [(2 * round - 1, failing), (2 * round, gone)] {
                while events().len() < nth as usize {
                    engine.command(account, Command::ReportWebhookEndpoint(made, report));
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                let last = events().pop().expect("an event");
                assert_eq!((last.object, u64::from(last.number)), (made, nth));
            }
            assert!(engine.stop(PATIENCE).await);
            engine = start(&store, &spy);
            // The version of the endpoint without an event must not forget how many there were.
            ask(&engine.client(), desk.write(disabled(false))).await;
        }
        assert!(engine.stop(PATIENCE).await);
    });
}
