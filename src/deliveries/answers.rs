//! What is asked of delivery, by merchants and operators: the edge's port joined with the dispatcher, the log of attempts and the
//! journal.

use super::attempts::{AttemptLog, of_attempt};
use super::joined::Joined;
use super::postbox::Postbox;
use super::telling::{
    delivery, item, job_id, no_such_endpoint, of_lane, one, page, ping_event, recovery, test_event, told,
};
use super::unix_ms;
use serde_json::Value;
use std::cmp::Reverse;
use std::sync::{Arc, RwLock};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tollgate_actors::Shown;
use tollgate_actors::outbox::{Happened, Records, account_of, events};
use tollgate_actors::router::shard_of;
use tollgate_domain::webhooks::deliveries::{
    AttemptList, CreateWebhookRecovery, Delivered, DeliveryAsked, DeliveryCall, LetterList, LetterReason, Ping,
    RecoveryScope, ReplayWebhookDeadLetters, WebhookAttempt, WebhookDeadLetter,
};
use tollgate_domain::webhooks::webhook_endpoint::{DisabledReason, EndpointReport, WebhookEndpoint};
use tollgate_domain::{Command as DomainCommand, Profile, Reject, Secrets, kinds};
use tollgate_http::{Deliveries, Later};
use tollgate_relay::Usual;
use tollgate_resource::Id;
use tollgate_store::{Reads, StoreError};
use tollgate_webhooks::EndpointKey;
use tollgate_webhooks::book::{Only, Reason, RecoverJob};
use tollgate_webhooks::hall::{Command, LaneState, LaneStatus, Letters, Refused, Reply, Tested};
use tollgate_webhooks::ports::{Attempt, Body, Cause};
use tollgate_wire::errors;

/// How long the dispatcher may take to answer; a test takes as long as an attempt may.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const TEST_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a pause or its end may take to reach the endpoint's lane, and how often that is looked at.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
const SETTLE_EVERY: Duration = Duration::from_millis(20);

/// The answers of this process.
#[derive(Clone)]
pub(crate) struct Answers {
    pub(super) joined: Arc<Joined>,
    pub(super) postbox: Arc<Postbox>,
    pub(super) reads: Arc<dyn Reads>,
    pub(super) records: Arc<Records>,
    pub(super) log: Arc<AttemptLog>,
    pub(super) shards: u16,
    pub(super) secrets: Secrets,
    pub(super) usual: Arc<RwLock<Usual>>,
}

/// What a question is about: the account's shard, and its endpoints as they are durable.
struct About {
    profile: Arc<Profile>,
    shard: u16,
    endpoints: Vec<Arc<WebhookEndpoint>>,
}

impl About {
    fn key(&self, id: Id) -> EndpointKey {
        EndpointKey {
            account: self.profile.key.0,
            seq: id.seq(),
        }
    }

    fn has(&self, id: Id) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.id == id)
    }
}

impl Deliveries for Answers {
    fn ask(&self, profile: Arc<Profile>, call: DeliveryCall, first: Option<Id>) -> Later<'_, Result<Shown, Reject>> {
        Box::pin(self.answer(profile, call, first))
    }

    fn lanes(&self, limit: usize) -> Later<'_, Result<Vec<Value>, String>> {
        Box::pin(async move {
            let (sender, mut heard) = mpsc::channel(64);
            self.postbox.lanes(limit, || {
                let sender = sender.clone();
                Box::new(move |told| drop(sender.try_send(told)))
            });
            drop(sender);
            let mut lanes = Vec::new();
            let all = async {
                while let Some(told) = heard.recv().await {
                    lanes.extend(told.map_err(|refused| refused.to_string())?);
                }
                Ok::<_, String>(())
            };
            let late = |_| "a delivery thread did not answer in time".to_owned();
            tokio::time::timeout(ANSWER_TIMEOUT, all).await.map_err(late)??;
            lanes.sort_by_key(|lane| (Reverse(lane.backlog()), lane.endpoint));
            lanes.truncate(limit);
            Ok(lanes.iter().map(|lane| of_lane(lane, unix_ms())).collect())
        })
    }
}

impl Answers {
    async fn answer(&self, profile: Arc<Profile>, call: DeliveryCall, first: Option<Id>) -> Result<Shown, Reject> {
        let DeliveryCall { kind, id, param, asked } = call;
        let about = self.about(profile).await?;
        if *kind == kinds::WEBHOOK_ENDPOINT && !about.has(id) {
            return Err(Reject::no_such(kind, id, param));
        }
        if *kind == kinds::WEBHOOK_ENDPOINT && !matches!(asked, DeliveryAsked::Attempts(_)) {
            self.ready(&about, id).await?;
        }
        match asked {
            DeliveryAsked::Attempts(list) => {
                let url = match *kind == kinds::EVENT {
                    true => format!("/v1/events/{}/attempts", id.text(kind)),
                    false => format!("/v1/webhook_endpoints/{}/attempts", id.text(kind)),
                };
                let of_one = if *kind == kinds::EVENT {
                    list.endpoint.map(|id| id.0)
                } else {
                    Some(id)
                };
                self.attempts(&about, of_one, list, url).await
            }
            DeliveryAsked::Resend(endpoint) => self.resend(&about, id, endpoint).await,
            DeliveryAsked::State => self.state(&about, id).await,
            DeliveryAsked::Pause => self.pause(&about, id).await,
            DeliveryAsked::Resume => self.resume(&about, id).await,
            DeliveryAsked::Test => {
                let body = test_event(&about.profile, id, unix_ms());
                Ok(one(Delivered::Attempt(self.attempt(&about, id, body).await?)))
            }
            DeliveryAsked::Ping => {
                let event = Id::new(&kinds::EVENT, unix_ms(), 0, about.profile.key.tag());
                let ping = Ping { event, destination: id };
                let body = ping_event(&about.profile, ping, &self.secrets);
                self.attempt(&about, id, body).await?;
                Ok(one(Delivered::Ping(ping)))
            }
            DeliveryAsked::Recover(asked) => self.recover(&about, id, *asked, first).await,
            DeliveryAsked::Recoveries => {
                let jobs = self.jobs(&about, id).await?;
                Ok(page(
                    id,
                    "recoveries",
                    jobs.into_iter().map(|job| Delivered::Recovery(recovery(job, id))),
                    false,
                ))
            }
            DeliveryAsked::Recovery(job) => {
                let found = self.job(&about, id, job).await?;
                Ok(one(Delivered::Recovery(recovery(found, id))))
            }
            DeliveryAsked::CancelRecovery(job) => {
                // Numbers of jobs are small, and those of other endpoints are the same.
                self.job(&about, id, job).await?;
                let (endpoint, number) = (about.key(id), job.seq());
                let ended = self
                    .command(&about, |reply| Command::Cancel {
                        endpoint,
                        job: number,
                        reply,
                    })
                    .await?;
                let ended = ended.map_err(|refused| told(refused, job))?;
                Ok(one(Delivered::Recovery(recovery(ended, id))))
            }
            DeliveryAsked::DeadLetters(list) => self.dead_letters(&about, id, list).await,
            DeliveryAsked::Replay(asked) => self.replay(&about, id, *asked).await,
        }
    }

    /// The account as it is durable.
    async fn about(&self, profile: Arc<Profile>) -> Result<About, Reject> {
        let shard = shard_of(profile.key, self.shards);
        if !self.joined.is_here(shard) {
            let message = format!(
                "Shard {} is not served by this node; ask the one that serves it (`tollgate cluster status` says which).",
                shard.0
            );
            return Err(Reject {
                message,
                ..errors::unavailable()
            });
        }
        let (reads, of) = (Arc::clone(&self.reads), Arc::clone(&profile));
        let account = blocking(move || account_of(&*reads, &of)).await?;
        let endpoints = account.endpoints().to_vec();
        Ok(About {
            profile,
            shard: shard.0,
            endpoints,
        })
    }

    async fn attempts(
        &self,
        about: &About,
        of_one: Option<Id>,
        list: AttemptList,
        url: String,
    ) -> Result<Shown, Reject> {
        if let Some(id) = of_one.filter(|id| !about.has(*id)) {
            return Err(no_such_endpoint(id));
        }
        let ids = about.endpoints.iter().map(|endpoint| endpoint.id);
        let wanted = ids.filter(|id| of_one.is_none_or(|one| one == *id));
        let endpoints: Vec<(EndpointKey, Id)> = wanted.map(|id| (about.key(id), id)).collect();
        let log = Arc::clone(&self.log);
        let found = blocking(move || log.page(&endpoints, &list, unix_ms())).await?;
        let found = found.ok_or_else(|| {
            let after = list.after.expect("a page that begins at the newest is there").0;
            Reject::no_such_param(&kinds::WEBHOOK_ATTEMPT, after, "starting_after")
        })?;
        Ok(Shown::Page {
            url: url.into(),
            items: found
                .attempts
                .into_iter()
                .map(|it| item(Delivered::Attempt(it)))
                .collect(),
            has_more: found.has_more,
            total_count: None,
        })
    }

    async fn resend(&self, about: &About, event: Id, endpoint: Option<Id>) -> Result<Shown, Reject> {
        let seq = event.seq();
        let happened = self.events(about, vec![seq]).await?.pop();
        let happened = happened.filter(|happened| happened.id == event);
        let happened = happened.ok_or_else(|| Reject::no_such(&kinds::EVENT, event, "id"))?;
        let wanted: Vec<Id> = match endpoint {
            Some(id) if about.has(id) => vec![id],
            Some(id) => return Err(no_such_endpoint(id)),
            None => {
                let wants = |endpoint: &&Arc<WebhookEndpoint>| endpoint.wants(happened.kind);
                about
                    .endpoints
                    .iter()
                    .filter(wants)
                    .map(|endpoint| endpoint.id)
                    .collect()
            }
        };
        if wanted.is_empty() {
            let message =
                "No webhook endpoint of this account wants events of this type; name one as `webhook_endpoint`.";
            return Err(Reject::invalid(None, message));
        }
        for id in wanted {
            self.ready(about, id).await?;
            let endpoint = about.key(id);
            let sent = self
                .command(about, |reply| Command::Resend { endpoint, seq, reply })
                .await?;
            sent.map_err(|refused| told(refused, event))?;
        }
        Ok(one(Delivered::Replayed(1)))
    }

    async fn status(&self, about: &About, id: Id) -> Result<LaneStatus, Reject> {
        let endpoint = about.key(id);
        let status = self.command(about, |reply| Command::Status { endpoint, reply }).await?;
        status.map_err(|refused| told(refused, id))
    }

    /// Waits until the endpoint has its lane: one that was just made, or whose shard just came, gets it in a moment.
    async fn ready(&self, about: &About, id: Id) -> Result<(), Reject> {
        let until = tokio::time::Instant::now() + SETTLE_TIMEOUT;
        loop {
            match self.status(about, id).await {
                Err(_) if tokio::time::Instant::now() < until => tokio::time::sleep(SETTLE_EVERY).await,
                told => return told.map(drop),
            }
        }
    }

    async fn state(&self, about: &About, id: Id) -> Result<Shown, Reject> {
        Ok(one(Delivered::State(delivery(
            &self.status(about, id).await?,
            id,
            unix_ms(),
        ))))
    }

    async fn pause(&self, about: &About, id: Id) -> Result<Shown, Reject> {
        let report = EndpointReport::Disable(DisabledReason::Paused);
        self.joined
            .command(about.profile.key, DomainCommand::ReportWebhookEndpoint(id, report));
        self.settled(about, id, |state| {
            matches!(state, LaneState::Paused | LaneState::Disabled(_))
        })
        .await
    }

    async fn resume(&self, about: &About, id: Id) -> Result<Shown, Reject> {
        self.joined.command(
            about.profile.key,
            DomainCommand::ReportWebhookEndpoint(id, EndpointReport::Resume),
        );
        let endpoint = about.key(id);
        let resumed = self.command(about, |reply| Command::Resume { endpoint, reply }).await?;
        resumed.map_err(|refused| told(refused, id))?;
        self.settled(about, id, |state| *state != LaneState::Paused).await
    }

    /// How delivery to an endpoint goes, once it is what it is to become; or what it still is after a while.
    async fn settled(&self, about: &About, id: Id, is: impl Fn(&LaneState) -> bool) -> Result<Shown, Reject> {
        let until = tokio::time::Instant::now() + SETTLE_TIMEOUT;
        loop {
            let status = self.status(about, id).await?;
            if is(&status.state) || tokio::time::Instant::now() >= until {
                return Ok(one(Delivered::State(delivery(&status, id, unix_ms()))));
            }
            tokio::time::sleep(SETTLE_EVERY).await;
        }
    }

    /// Sends an event that is made for it, once.
    async fn attempt(&self, about: &About, id: Id, body: Body) -> Result<WebhookAttempt, Reject> {
        let (endpoint, began_ms) = (about.key(id), unix_ms());
        let event_id = Arc::clone(&body.event_id);
        let tested = self
            .command_within(TEST_TIMEOUT, about, |reply| Command::Test { endpoint, body, reply })
            .await?;
        let Tested { outcome } = tested.map_err(|refused| told(refused, id))?;
        let attempt = Attempt {
            shard: about.shard,
            endpoint,
            event_seq: 0,
            event_id,
            number: 1,
            cause: Cause::Test,
            began_ms,
            outcome,
        };
        let logged = self.log.log(&attempt);
        Ok(of_attempt(attempt, logged, id))
    }

    /// What a job is follows from the request that asks for it: one that is asked for again, under the same key, is the same.
    async fn recover(
        &self,
        about: &About,
        id: Id,
        asked: CreateWebhookRecovery,
        first: Option<Id>,
    ) -> Result<Shown, Reject> {
        let endpoint = about.key(id);
        let began_ms = first.map_or_else(unix_ms, Id::unix_ms);
        let ms = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000);
        if asked.until.is_none() && ms(asked.since) > began_ms {
            let message = "`since` lies in the future: nothing has happened since then.";
            return Err(Reject::invalid(None, message).with_param("since"));
        }
        let only = match asked.scope.unwrap_or_default() {
            RecoveryScope::Undelivered => Only::Undelivered,
            RecoveryScope::Delivered => Only::Delivered,
            RecoveryScope::All => Only::All,
        };
        let begun = self.command(about, |reply| Command::Recover {
            endpoint,
            since_ms: ms(asked.since),
            until_ms: asked.until.map_or(began_ms, ms),
            types: asked.types,
            only,
            began_ms,
            reply,
        });
        let job = begun.await?.map_err(|refused| told(refused, id))?;
        Ok(one(Delivered::Recovery(recovery(job, id))))
    }

    async fn jobs(&self, about: &About, id: Id) -> Result<Vec<RecoverJob>, Reject> {
        let endpoint = about.key(id);
        let jobs = self.command(about, |reply| Command::Jobs { endpoint, reply }).await?;
        jobs.map_err(|refused| told(refused, id))
    }

    async fn job(&self, about: &About, id: Id, job: Id) -> Result<RecoverJob, Reject> {
        let jobs = self.jobs(about, id).await?;
        let found = jobs.into_iter().find(|kept| job_id(kept, id) == job);
        found.ok_or_else(|| Reject::no_such(&kinds::WEBHOOK_RECOVERY, job, "recovery"))
    }

    async fn events(&self, about: &About, seqs: Vec<u64>) -> Result<Vec<Happened>, Reject> {
        let (reads, records) = (Arc::clone(&self.reads), Arc::clone(&self.records));
        let account = about.profile.key;
        blocking(move || events(&records, &*reads, account, &seqs)).await
    }

    /// Refuses the first of these events that the account does not have.
    async fn are_its(&self, about: &About, ids: Vec<Id>, param: &str) -> Result<(), Reject> {
        let happened = self.events(about, ids.iter().map(|id| id.seq()).collect()).await?;
        let missing = ids
            .into_iter()
            .find(|id| !happened.iter().any(|happened| happened.id == *id));
        match missing {
            Some(id) => Err(Reject::no_such_param(&kinds::EVENT, id, param)),
            None => Ok(()),
        }
    }

    async fn dead_letters(&self, about: &About, id: Id, list: LetterList) -> Result<Shown, Reject> {
        let endpoint = about.key(id);
        if let Some(after) = list.after {
            self.are_its(about, vec![after.0], "starting_after").await?;
        }
        let after = list.after.map_or(0, |after| after.0.seq());
        let limit = list.limit + 1;
        let letters = self
            .command(about, |reply| Command::DeadLetters {
                endpoint,
                after,
                limit,
                reply,
            })
            .await?;
        let mut letters = letters.map_err(|refused| told(refused, id))?;
        let has_more = letters.len() > list.limit;
        letters.truncate(list.limit);
        let seqs = letters.iter().map(|letter| letter.seq).collect();
        let happened = self.events(about, seqs).await?;
        let shown = letters.iter().filter_map(|letter| {
            let happened = happened.iter().find(|happened| happened.seq() == letter.seq)?;
            Some(Delivered::Letter(WebhookDeadLetter {
                event: happened.id,
                endpoint: id,
                day_ms: letter.day_ms,
                reason: match letter.reason {
                    Reason::Refused => LetterReason::Refused,
                    Reason::Unanswered => LetterReason::Unanswered,
                },
            }))
        });
        Ok(page(id, "dead_letters", shown, has_more))
    }

    async fn replay(&self, about: &About, id: Id, asked: ReplayWebhookDeadLetters) -> Result<Shown, Reject> {
        let (endpoint, now_ms) = (about.key(id), unix_ms());
        let ms = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000);
        self.are_its(about, asked.events.iter().map(|event| event.0).collect(), "events")
            .await?;
        let letters = match asked.events[..] {
            [] => Letters::Between {
                since_ms: asked.since.map_or(0, ms),
                until_ms: asked.until.map_or(now_ms, ms),
            },
            _ => Letters::These(asked.events.iter().map(|event| event.0.seq()).collect()),
        };
        let replayed = self
            .command(about, |reply| Command::Replay {
                endpoint,
                letters,
                reply,
            })
            .await?;
        Ok(one(Delivered::Replayed(replayed.map_err(|refused| told(refused, id))?)))
    }

    async fn command<T: Send + 'static>(
        &self,
        about: &About,
        make: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<Result<T, Refused>, Reject> {
        self.command_within(ANSWER_TIMEOUT, about, make).await
    }

    /// Hands a command to the dispatcher and waits for what it says.
    async fn command_within<T: Send + 'static>(
        &self,
        timeout: Duration,
        about: &About,
        make: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<Result<T, Refused>, Reject> {
        let (sender, said) = oneshot::channel();
        // Whoever has stopped waiting does not mind.
        let reply: Reply<T> = Box::new(move |told| drop(sender.send(told)));
        if !self.postbox.command(about.shard, make(reply)) {
            return Err(errors::unavailable());
        }
        match tokio::time::timeout(timeout, said).await {
            Ok(Ok(told)) => Ok(told),
            Ok(Err(_)) | Err(_) => Err(errors::unavailable()),
        }
    }
}

/// Reads on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Reject> {
    let done = tokio::task::spawn_blocking(work).await;
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "what is asked of deliveries could not be read");
        errors::unavailable()
    };
    done.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}
