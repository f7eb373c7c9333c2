//! Reader threads: everything that may touch the disk, so that lanes never do. Loads of shards go before lists.

use crate::clock::MachineClock;
use crate::listing::{Listing, decode};
use crate::metrics::{READER_PANICS, READS};
use crate::outbox::{NoOutbox, Outbox};
use crate::refusals;
use crate::request::{Answer, Delivery, Refusal, ReplyTo, Request};
use crate::router::Router;
use crate::settings::{LOADS_WAITING_MAX, READS_WAITING_MAX};
use crate::shard::answering::{Told, respond};
use crate::shard::{Control, Found, Load, Loaded, Wanted};
use crate::supervisor::panic_text;
use crate::workers::Workers;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded, select_biased};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_domain::account::{AccountKey, Profile};
use tollgate_domain::time::day_of;
use tollgate_domain::{Account, Call, Read, SHAPE_REVISION, Secrets};
use tollgate_store::{AccountRef, Epoch, KeyHash, Reads, ShardId, StoreError};

/// Profiles of accounts, from memory.
pub trait Profiles: Send + Sync {
    /// The profile of an account in its mode.
    fn profile(&self, account: AccountKey) -> Option<Arc<Profile>>;
}

/// What reader threads reach.
#[derive(Clone)]
pub(crate) struct ReaderPorts {
    pub(crate) reads: Arc<dyn Reads>,
    pub(crate) profiles: Arc<dyn Profiles>,
    pub(crate) secrets: Secrets,
    pub(crate) router: Arc<Router>,
    pub(crate) workers: Arc<Workers>,
    pub(crate) outbox: Arc<dyn Outbox>,
}

/// Where work for reader threads is handed in. The threads end when the last handle is dropped.
#[derive(Clone)]
pub(crate) struct Readers {
    loads: Sender<(ShardId, Epoch, Load)>,
    requests: Sender<(ReplyTo, Arc<Request>)>,
}

impl Readers {
    /// Starts `threads` reader threads.
    pub(crate) fn start(threads: usize, ports: &ReaderPorts) -> std::io::Result<Readers> {
        let (loads, load_queue) = bounded(LOADS_WAITING_MAX);
        let (requests, request_queue) = bounded(READS_WAITING_MAX);
        for number in 0..threads {
            let thread = Thread {
                ports: ports.clone(),
                clock: MachineClock::start(),
                loads: load_queue.clone(),
                requests: request_queue.clone(),
            };
            std::thread::Builder::new()
                .name(format!("tollgate-reader-{number}"))
                .spawn(move || thread.run())?;
        }
        Ok(Readers { loads, requests })
    }

    /// Reads for a shard; given back when the queue is full.
    pub(crate) fn load(&self, shard: ShardId, epoch: Epoch, load: Load) -> Result<(), Load> {
        match self.loads.try_send((shard, epoch, load)) {
            Ok(()) => Ok(()),
            Err(TrySendError::Full((.., load))) => Err(load),
            Err(TrySendError::Disconnected(_)) => panic!("reader threads outlive the lanes"),
        }
    }

    /// Answers a list or an event; false when the queue is full.
    pub(crate) fn request(&self, to: ReplyTo, request: Arc<Request>) -> bool {
        self.requests.try_send((to, request)).is_ok()
    }
}

/// Whether a call is answered by reader threads instead of a shard.
pub(crate) fn is_read_beside(call: &Call) -> bool {
    match call {
        Call::List(_) | Call::Search(_) => true,
        Call::Read(Read::Object(kind, ..)) => **kind == tollgate_domain::kinds::EVENT,
        Call::Read(
            Read::Balance
            | Read::Account
            | Read::Configurations(_)
            | Read::LineItems { .. }
            | Read::WebhookEndpoints(_)
            | Read::AnyWebhookEndpoint(..)
            | Read::EventDestination(..)
            | Read::EventDestinations(_)
            | Read::Below { .. }
            | Read::Child { .. }
            | Read::DisputeOf(_)
            | Read::PaymentMethodOf { .. },
        )
        | Call::Write(_)
        | Call::Delivery(_) => false,
    }
}

struct Thread {
    ports: ReaderPorts,
    clock: MachineClock,
    loads: Receiver<(ShardId, Epoch, Load)>,
    requests: Receiver<(ReplyTo, Arc<Request>)>,
}

impl Thread {
    fn run(self) {
        let reads = metrics::counter!(READS);
        loop {
            select_biased! {
                recv(self.loads) -> work => match work {
                    Ok((shard, epoch, load)) => self.load(shard, epoch, load),
                    Err(_) => return,
                },
                recv(self.requests) -> work => match work {
                    Ok((to, request)) => {
                        reads.increment(1);
                        let answer = self.answer(&request);
                        self.ports.workers.deliver(vec![Delivery { to, answer }]);
                    }
                    Err(_) => return,
                },
            }
        }
    }

    fn load(&self, shard: ShardId, epoch: Epoch, load: Load) {
        let found = caught(|| self.find(&load)).and_then(|found| found.map_err(|error| error.to_string()));
        let loaded = Box::new(Loaded { load, found });
        self.ports.router.control(shard, Control::Loaded { epoch, loaded });
    }

    fn find(&self, load: &Load) -> Result<Found, StoreError> {
        let reads = &*self.ports.reads;
        match &load.wanted {
            Wanted::Account(profile) => {
                let profile = profile.clone().or_else(|| self.ports.profiles.profile(load.account));
                let profile = profile.ok_or_else(|| StoreError::Body {
                    place: format!("account {:016x}", load.account.0),
                    what: "the journal has records of an account that the directory does not know".into(),
                })?;
                find_account(reads, &profile)
            }
            Wanted::Object(seq) => find_object(reads, load.account, *seq),
            Wanted::Key(hash) => find_key(reads, load.account, hash),
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        let now_ms = self.clock.now().unix_ms;
        answer_with(
            &*self.ports.reads,
            &self.ports.secrets,
            &*self.ports.outbox,
            request,
            now_ms,
        )
    }
}

/// Answers a list, or a read of an event, from durable records. What cannot be read is logged and answered as an error.
/// Of events, nobody has to be told.
pub fn answer_beside(reads: &dyn Reads, secrets: &Secrets, request: &Request, now_ms: u64) -> Answer {
    answer_with(reads, secrets, &NoOutbox, request, now_ms)
}

fn answer_with(reads: &dyn Reads, secrets: &Secrets, outbox: &dyn Outbox, request: &Request, now_ms: u64) -> Answer {
    let listing = Listing {
        reads,
        request,
        secrets,
        outbox,
        now_ms,
    };
    let shows_events = match &request.call {
        Call::List(query) => *query.kind == tollgate_domain::kinds::EVENT,
        call => matches!(call, Call::Read(_)),
    };
    if shows_events {
        outbox.settle(request.profile.key);
    }
    let answered = caught(|| match &request.call {
        Call::List(query) => listing.page(query),
        Call::Search(search) => listing.search(search),
        Call::Read(Read::Object(_, id, param)) => listing.event(*id, param),
        Call::Read(
            Read::Balance
            | Read::Account
            | Read::Configurations(_)
            | Read::LineItems { .. }
            | Read::WebhookEndpoints(_)
            | Read::AnyWebhookEndpoint(..)
            | Read::EventDestination(..)
            | Read::EventDestinations(_)
            | Read::Below { .. }
            | Read::Child { .. }
            | Read::DisputeOf(_)
            | Read::PaymentMethodOf { .. },
        )
        | Call::Write(_)
        | Call::Delivery(_) => {
            panic!("only lists and events are read beside the shard")
        }
    });
    let answered = match answered {
        // It has gone since the request was let in.
        Ok(Err(StoreError::NotHere { shard })) => return Err(Refusal::Elsewhere(ShardId(shard))),
        answered => answered.and_then(|answered| answered.map_err(|error| error.to_string())),
    };
    match answered {
        Ok(response) => Ok(response),
        Err(why) => {
            tracing::error!(account = request.profile.key.0, %why, "could not read a list or an event");
            let told = Told {
                result: Err(Box::new(refusals::unreadable())),
                attached: Vec::new(),
            };
            Ok(respond(request, told, listing.now_ms, SHAPE_REVISION))
        }
    }
}

/// The state of an account: its newest row and every record after it.
pub fn find_account(reads: &dyn Reads, profile: &Arc<Profile>) -> Result<Found, StoreError> {
    let mut account = Account::new(Arc::clone(profile));
    let mut records_since_row = 0;
    reads.replay_account(AccountRef(profile.key.0), &mut |fetched| {
        if fetched.head.row {
            account = Account::from_row(Arc::clone(profile), &fetched.body).map_err(|error| StoreError::Body {
                place: format!("account {:016x}, its row", profile.key.0),
                what: error.to_string(),
            })?;
            records_since_row = 0;
        } else {
            let facts = decode(fetched)?;
            account.apply(&facts);
            for entry in facts.entries.iter().filter(|_| broken!(ApplyTwiceOnReplay)) {
                account.books.apply(entry, day_of(facts.now_ms));
            }
            records_since_row += 1;
        }
        Ok(())
    })?;
    Ok(Found::Account(Box::new(account), records_since_row))
}

/// An object at its newest durable version.
pub fn find_object(reads: &dyn Reads, account: AccountKey, seq: u64) -> Result<Found, StoreError> {
    let Some(fetched) = reads.newest(AccountRef(account.0), seq)? else {
        return Ok(Found::Object(None, 0));
    };
    let mut facts = decode(&fetched)?;
    let at = facts.objects.iter().position(|object| object.id().seq() == seq);
    Ok(match at {
        Some(at) => {
            let events = facts.events_of(at);
            Found::Object(Some(facts.objects.swap_remove(at)), events)
        }
        None => Found::Object(None, 0),
    })
}

/// The record with the newest outcome of a key.
pub fn find_key(reads: &dyn Reads, account: AccountKey, hash: &KeyHash) -> Result<Found, StoreError> {
    let Some(fetched) = reads.by_key(AccountRef(account.0), hash)? else {
        return Ok(Found::Key(None));
    };
    let facts = decode(&fetched)?;
    if facts.outcome.is_none() {
        return Err(StoreError::Body {
            place: format!(
                "account {:016x}, record at sequence {}",
                account.0, fetched.head.first_seq
            ),
            what: "the index finds a key here, but the record holds no outcome".into(),
        });
    }
    Ok(Found::Key(Some(Arc::new(facts))))
}

/// Runs a read; a panic in it (a record that breaks the books) is a failure of this read only.
fn caught<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|panic| {
        metrics::counter!(READER_PANICS).increment(1);
        panic_text(&*panic)
    })
}
