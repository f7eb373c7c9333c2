//! The loop: does what the member wants done, and tells it what came of it.

use crate::census::Census;
use crate::event::{Action, End, Event, NotAdopted, Why};
use crate::map::Map;
use crate::member::{Me, Member, Standing};
use crate::metrics;
use crate::ports::{Adopted, Holder, Registry};
use crate::settings::Pace;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tollgate_store::{ShardId, StoreError};

/// How long requests inside a shard may take before it is let go; the rest is told to come again.
const RELEASE_PATIENCE: Duration = Duration::from_millis(1_500);
/// How often a row is read whose owner is about to let the shard go.
const WATCH_EVERY: Duration = Duration::from_millis(30);
/// What this node does at once at most: a statement or two for each shard, and what every beat wants.
const EVENTS_MAX: usize = 8_192;
/// The shortest sleep of the loop.
const NAP: Duration = Duration::from_millis(1);

/// What membership works with.
pub struct Ports {
    /// The tables.
    pub registry: Arc<dyn Registry>,
    /// What serves the shards.
    pub holder: Arc<dyn Holder>,
    /// Called once, when this process is no member any more.
    pub on_end: Box<dyn Fn(&End) + Send>,
}

/// A running membership. Clones are handles to the same one.
#[derive(Clone)]
pub struct Membership {
    events: mpsc::Sender<Event>,
    census: watch::Receiver<Arc<Census>>,
    map: Map,
    pace: Pace,
    settled: Arc<AtomicBool>,
}

impl Membership {
    /// Joins the cluster, on a thread of its own: what the rest of the process is busy with makes no node silent.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(me: Me, shards: u16, pace: Pace, ports: Ports) -> std::io::Result<Membership> {
        let member = Member::new(me, shards, pace);
        let (events, heard) = mpsc::channel(EVENTS_MAX);
        let (publish, census) = watch::channel(Arc::new(member.census(Duration::ZERO)));
        let map = Map::new(shards);
        let membership = Membership {
            events: events.clone(),
            census,
            map: map.clone(),
            pace,
            settled: Arc::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let running = Loop {
            member,
            clock: Instant::now(),
            registry: ports.registry,
            holder: ports.holder,
            on_end: ports.on_end,
            events,
            publish,
            map,
            settled: Arc::clone(&membership.settled),
        };
        let thread = std::thread::Builder::new().name("tollgate-cluster".to_owned());
        thread.spawn(move || runtime.block_on(running.run(heard)))?;
        Ok(membership)
    }

    /// Where each shard is served.
    pub fn map(&self) -> &Map {
        &self.map
    }

    /// The cluster as this node sees it.
    pub fn census(&self) -> Arc<Census> {
        Arc::clone(&self.census.borrow())
    }

    /// Whether this node can serve requests. Once it could serve every one of them, a shard that is being taken over does
    /// not count against it: that is no reason to keep all the others from it.
    pub fn is_ready(&self) -> bool {
        self.settled.load(Relaxed) && self.census().takes_part(patience(&self.pace))
    }

    /// The store refused this node something because another one has the shard.
    pub fn lost(&self, shard: ShardId) {
        // If there is no room, the next look shows it.
        let _ = self.events.try_send(Event::Lost { shard });
    }

    /// Waits until this node can serve requests, or is no member any more.
    pub async fn ready(&self) {
        let patience = patience(&self.pace);
        self.wait(|census| census.is_ready(patience) || census.standing == Standing::Ended)
            .await;
    }

    /// Gives what others can take to others, and takes nothing any more. Ends early when there are no others.
    pub async fn hand_over(&self) {
        let _ = self.events.send(Event::HandOver).await;
        self.wait(|census| census.handed_over).await;
    }

    /// Lets go of what is still here, and leaves.
    pub async fn leave(&self) {
        let _ = self.events.send(Event::Leave).await;
        self.wait(|census| census.standing == Standing::Ended).await;
    }

    async fn wait(&self, until: impl Fn(&Census) -> bool) {
        let mut census = self.census.clone();
        // An error means that the loop is gone, and nothing is to be waited for.
        let _ = census.wait_for(|census| until(census)).await;
    }
}

/// How long a node may be blind before nothing is sent to it.
fn patience(pace: &Pace) -> Duration {
    pace.suspect * 2
}

struct Loop {
    member: Member,
    clock: Instant,
    registry: Arc<dyn Registry>,
    holder: Arc<dyn Holder>,
    on_end: Box<dyn Fn(&End) + Send>,
    events: mpsc::Sender<Event>,
    publish: watch::Sender<Arc<Census>>,
    map: Map,
    settled: Arc<AtomicBool>,
}

impl Loop {
    async fn run(mut self, mut heard: mpsc::Receiver<Event>) {
        let mut event = Event::Tick;
        // Many who want a look get one, when it has come.
        let mut look_wanted = false;
        loop {
            look_wanted &= !matches!(event, Event::Looked { .. });
            let todo = self.member.hear(self.clock.elapsed(), event);
            for action in todo {
                self.act(action);
            }
            self.show();
            if self.member.standing() == Standing::Ended {
                return;
            }
            let wakes_at = self.clock + self.member.wakes_at();
            let nap = wakes_at.saturating_duration_since(Instant::now()).max(NAP);
            event = tokio::select! {
                biased;
                event = heard.recv() => event.expect("the loop has a sender itself"),
                () = self.map.refresh_wanted(), if !look_wanted => {
                    look_wanted = true;
                    Event::Refresh
                }
                () = tokio::time::sleep(nap) => Event::Tick,
            };
        }
    }

    fn show(&self) {
        let census = self.member.census(self.clock.elapsed());
        self.map
            .put(census.shards.iter().map(|shard| (shard.shard, shard.place.clone())));
        let here = |shard: &&crate::ShardCensus| shard.place == crate::Place::Here;
        metrics::show(metrics::SHARDS, census.shards.iter().filter(here).count() as f64);
        metrics::show(metrics::BLIND, census.blind_for.unwrap_or_default().as_secs_f64());
        for state in ["alive", "leaving", "dead"] {
            let such = census.nodes.iter().filter(|node| node.state == state);
            metrics::show_nodes(state, such.count());
        }
        if census.is_ready(patience(&self.member.pace)) {
            self.settled.store(true, Relaxed);
        }
        self.publish.send_replace(Arc::new(census));
    }

    fn act(&self, action: Action) {
        let (registry, holder) = (Arc::clone(&self.registry), Arc::clone(&self.holder));
        match action {
            Action::Register { over, beat } => self.ask(registry.register(over, beat), |said| {
                Event::Registered(answered("joining the cluster", said))
            }),
            Action::Beat { beat, leaving } => self.ask(registry.beat(beat, leaving), |said| {
                Event::Beaten(answered("saying that this node lives", said))
            }),
            Action::Look => {
                let began = self.clock.elapsed();
                self.ask(registry.look(), move |said| Event::Looked {
                    began,
                    view: answered("looking at the cluster", said),
                });
            }
            Action::Adopt { shard, from, why } => {
                tracing::info!(
                    shard = shard.0,
                    epoch = from + 1,
                    why = metrics::word(why),
                    "a shard is adopted"
                );
                self.ask(holder.adopt(shard, from), move |said| Event::Adopted {
                    shard,
                    outcome: adopted(shard, why, said),
                });
            }
            Action::Offer { shard, epoch, heir } => self.ask(registry.offer(shard, epoch, heir), move |said| {
                let written = answered("offering a shard", said);
                Event::Offered { shard, written }
            }),
            Action::Watch { shard, epoch } => {
                let patience = self.member.pace.offer_stands() + RELEASE_PATIENCE + self.member.pace.beat * 2;
                self.spawn(async move {
                    let freed = watch_row(&*registry, shard, epoch, patience).await;
                    Event::Watched { shard, epoch, freed }
                });
            }
            Action::Release { shard } => {
                metrics::count(metrics::RELEASES);
                self.spawn(async move {
                    holder.release(shard, RELEASE_PATIENCE).await;
                    Event::Released { shard }
                });
            }
            Action::Free { shard, epoch } => self.ask(registry.free(shard, epoch), move |said| {
                let written = answered("letting a shard go", said);
                Event::Freed { shard, written }
            }),
            Action::Forget { shard } => {
                tracing::warn!(shard = shard.0, "another node has a shard that was served here");
                metrics::count(metrics::LOSSES);
                tokio::spawn(async move { holder.release(shard, Duration::ZERO).await });
            }
            Action::Remove { node, process, beat } => {
                tracing::info!(%node, "the row of a node that has long been silent is removed");
                tokio::spawn(async move { answered("removing a row", registry.remove(node, process, beat).await) });
            }
            Action::Depart => self.ask(registry.depart(), |said| {
                Event::Departed(answered("leaving the cluster", said.map(|()| true)))
            }),
            Action::End(end) => (self.on_end)(&end),
        }
    }

    fn ask<T: Send + 'static>(
        &self,
        answer: impl Future<Output = Result<T, StoreError>> + Send + 'static,
        event: impl FnOnce(Result<T, StoreError>) -> Event + Send + 'static,
    ) {
        self.spawn(async move { event(answer.await) });
    }

    fn spawn(&self, work: impl Future<Output = Event> + Send + 'static) {
        let events = self.events.clone();
        tokio::spawn(async move {
            // Nobody listens any more after the end.
            let _ = events.send(work.await).await;
        });
    }
}

/// An answer that came, if it did.
fn answered<T>(what: &str, said: Result<T, StoreError>) -> Option<T> {
    said.inspect_err(|error| tracing::warn!(%error, "{what} did not succeed"))
        .ok()
}

fn adopted(shard: ShardId, why: Why, said: Result<Adopted, StoreError>) -> Result<u64, NotAdopted> {
    match said {
        Ok(adopted) => {
            metrics::adopted(why, &adopted);
            if let Why::Failover { silent } = why {
                let ms = |time: Duration| time.as_millis() as u64;
                tracing::info!(
                    shard = shard.0,
                    epoch = adopted.epoch,
                    detection_ms = ms(silent),
                    claim_ms = ms(adopted.claim),
                    fence_ms = ms(adopted.fence),
                    tail_ms = ms(adopted.tail),
                    warm_up_ms = ms(adopted.warm_up),
                    "a dead node's shard is served here"
                );
            }
            Ok(adopted.epoch)
        }
        Err(StoreError::Taken { .. }) => Err(NotAdopted::Taken),
        Err(error) => {
            tracing::warn!(shard = shard.0, %error, "a shard could not be adopted");
            metrics::count(metrics::FAILURES);
            Err(NotAdopted::Failed)
        }
    }
}

/// Reads the row of a shard until its owner has let it go, or will not any more.
async fn watch_row(registry: &dyn Registry, shard: ShardId, epoch: u64, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    while Instant::now() < until {
        match registry.is_freed(shard, epoch).await {
            Ok(Some(true)) => return true,
            Ok(None) => return false,
            Ok(Some(false)) => {}
            Err(error) => {
                tracing::warn!(shard = shard.0, %error, "a shard that is about to come could not be looked at")
            }
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
    false
}
