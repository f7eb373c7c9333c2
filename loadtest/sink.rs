//! The other end of webhooks: receivers on loopback, registered as endpoints of the merchants through the API. What comes is
//! checked as it comes (signature, order per object, repeats); at the end each event that a merchant's list has must have
//! come to each of its endpoints.

mod delivered;
mod ledger;
mod server;

pub(crate) use delivered::Delivered;
pub(crate) use ledger::name;
pub(crate) use server::Counts;

use crate::accounts;
use crate::connection::Connection;
use crate::lists::{self, Listed};
use crate::money::Reader;
use crate::open_loop::Plan;
use anyhow::{Context, bail};
use hashbrown::{HashMap, HashSet};
use ledger::Ledger;
use serde::Deserialize;
use serde_json::Value;
use server::Server;
use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Endpoints of a merchant at most: as many as an account may have.
pub(crate) const ENDPOINTS_MAX: u32 = 16;
/// The longest wait for what is owed, as long as anything comes.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// Pause between two looks at what came.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
/// What marks an endpoint as this tool's, in its metadata.
const MARK: &str = "tollgate_load";

/// Receivers, registered.
pub(crate) struct Sink {
    counts: Arc<Counts>,
    servers: Vec<Server>,
    endpoints: Vec<Registered>,
    /// By merchant, the newest event before its endpoints were registered.
    newest: Vec<Option<String>>,
}

/// An endpoint. Its number in URLs is its place in the list.
#[derive(Clone, Debug)]
struct Registered {
    merchant: usize,
    id: String,
}

/// An event of a list: only its id counts.
#[derive(Deserialize)]
struct Event {
    id: String,
}

impl Listed for Event {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Sink {
    /// Starts receivers and registers them, `plan.webhooks` for each merchant. Nothing else may happen on the accounts meanwhile.
    pub(crate) fn start(plan: &Arc<Plan>, threads: usize) -> anyhow::Result<Sink> {
        let counts = Arc::<Counts>::default();
        let servers: Vec<Server> = (0..threads)
            .map(|_| Server::start(&counts))
            .collect::<anyhow::Result<_>>()
            .context("webhooks have no receiver")?;
        let merchants = plan.merchants.len();
        let per_merchant = plan.webhooks as usize;
        let addresses: Vec<_> = servers.iter().map(|server| server.address).collect();
        let found = Rc::new(RefCell::new((vec![None; merchants], Vec::new())));
        accounts::for_each(merchants, |next| {
            let (plan, found, addresses) = (plan.clone(), found.clone(), addresses.clone());
            async move {
                let mut caller = Caller::open(&plan).await?;
                while let Some(merchant) = next.take() {
                    let key = plan.merchants.key(merchant as u32);
                    caller.clean(key).await?;
                    let newest = caller.newest(key).await?;
                    found.borrow_mut().0[merchant] = newest;
                    for at in 0..per_merchant {
                        let number = merchant * per_merchant + at;
                        let url = format!("http://{}/{number}", addresses[number % addresses.len()]);
                        let (id, secret) = caller.register(key, &url).await?;
                        found.borrow_mut().1.push((number, Registered { merchant, id }, secret));
                    }
                }
                Ok(())
            }
        })
        .context("webhook endpoints cannot be registered")?;
        let (newest, mut endpoints) = Rc::into_inner(found).expect("every task has ended").into_inner();
        endpoints.sort_by_key(|(number, ..)| *number);
        for (number, _, secret) in &endpoints {
            servers[number % servers.len()]
                .shelf()
                .ledgers
                .insert(*number, Ledger::new(secret));
        }
        Ok(Sink {
            counts,
            servers,
            endpoints: endpoints.into_iter().map(|(_, endpoint, _)| endpoint).collect(),
            newest,
        })
    }

    /// What came so far.
    pub(crate) fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }

    /// Waits until everything owed has come, or nothing comes any more; compares, and removes the endpoints. `sent` are
    /// payments by name, and when the request that paid them was sent.
    pub(crate) fn finish(self, plan: &Arc<Plan>, sent: &[(u64, Instant)]) -> anyhow::Result<Delivered> {
        let begun = Instant::now();
        let mut owed: Vec<HashSet<u64>> = vec![HashSet::new(); self.newest.len()];
        let mut newest = self.newest.clone();
        list(plan, &mut newest, &mut owed)?;
        let per_merchant = u64::from(plan.webhooks);
        let count = |owed: &[HashSet<u64>]| owed.iter().map(|events| events.len() as u64).sum::<u64>() * per_merchant;
        self.wait(plan, begun, count(&owed));
        // What happened meanwhile has come too, or is still on its way: it is looked for once more.
        list(plan, &mut newest, &mut owed)?;
        self.wait(plan, begun, count(&owed));
        let mut found = self.compared(&owed);
        found.owed = count(&owed);
        found.took_s = begun.elapsed().as_secs_f64();
        self.timed(sent, &mut found);
        if let Err(error) = self.remove(plan) {
            // What was found stands all the same. Nothing can be done about a closed stderr.
            let mut out = std::io::stderr().lock();
            let _ = writeln!(out, "note: {error:#}; the next run with --webhooks removes them");
        }
        Ok(found)
    }

    fn wait(&self, plan: &Plan, begun: Instant, owed: u64) {
        let stall_max = Duration::from_secs_f64(plan.scenario.verify.webhook_wait_s);
        let (mut came, mut since) = (0, Instant::now());
        loop {
            let now = self.counts.received.load(Relaxed);
            if now >= owed || since.elapsed() >= stall_max || begun.elapsed() >= WAIT_MAX {
                return;
            }
            if now > came {
                (came, since) = (now, Instant::now());
            }
            std::thread::sleep(LOOK_PAUSE);
        }
    }

    fn compared(&self, owed: &[HashSet<u64>]) -> Delivered {
        let counts = &self.counts;
        let mut found = Delivered {
            endpoints: self.endpoints.len() as u64,
            again: counts.again.load(Relaxed),
            late: counts.late.load(Relaxed),
            not_signed: counts.not_signed.load(Relaxed),
            malformed: counts.malformed.load(Relaxed),
            dropped: counts.dropped.load(Relaxed),
            ..Delivered::default()
        };
        for (number, endpoint) in self.endpoints.iter().enumerate() {
            let shelf = self.servers[number % self.servers.len()].shelf();
            let Some(ledger) = shelf.ledgers.get(&number) else {
                continue;
            };
            let owed = &owed[endpoint.merchant];
            found.received += ledger.events.len() as u64;
            found.missing += owed.difference(&ledger.events).count() as u64;
            found.unlisted += ledger.events.difference(owed).count() as u64;
        }
        found
    }

    /// Times the way of each payment to the first endpoint that was told.
    fn timed(&self, sent: &[(u64, Instant)], found: &mut Delivered) {
        let mut told: HashMap<u64, Instant> = HashMap::new();
        for server in &self.servers {
            for (payment, at) in &server.shelf().paid {
                told.entry(*payment)
                    .and_modify(|first| *first = (*first).min(*at))
                    .or_insert(*at);
            }
        }
        for (payment, sent) in sent {
            if let Some(at) = told.get(payment) {
                crate::open_loop::samples::record(&mut found.latency_us, at.saturating_duration_since(*sent));
            }
        }
    }

    fn remove(&self, plan: &Arc<Plan>) -> anyhow::Result<()> {
        let endpoints = Rc::new(self.endpoints.clone());
        accounts::for_each(endpoints.len(), |next| {
            let (plan, endpoints) = (plan.clone(), endpoints.clone());
            async move {
                let mut caller = Caller::open(&plan).await?;
                while let Some(at) = next.take() {
                    let endpoint = &endpoints[at];
                    caller
                        .remove(plan.merchants.key(endpoint.merchant as u32), &endpoint.id)
                        .await?;
                }
                Ok(())
            }
        })
        .context("webhook endpoints cannot be removed")
    }
}

/// Adds what each merchant's list has beyond the newest event that is known.
fn list(plan: &Arc<Plan>, newest: &mut Vec<Option<String>>, owed: &mut Vec<HashSet<u64>>) -> anyhow::Result<()> {
    let shared = Rc::new(RefCell::new((std::mem::take(newest), std::mem::take(owed))));
    accounts::for_each(plan.merchants.len(), |next| {
        let (plan, shared) = (plan.clone(), shared.clone());
        async move {
            let mut reader = Reader::open(&plan.target, plan.merchants.key(0), accounts::timeout(&plan)).await?;
            while let Some(merchant) = next.take() {
                reader.become_caller(&plan.target, plan.merchants.key(merchant as u32));
                let until = shared.borrow().0[merchant].clone();
                let (mut first, mut names) = (None, Vec::new());
                lists::walk::<Event>(&mut reader, "events", until.as_deref(), |event| {
                    names.push(name(&event.id));
                    first.get_or_insert(event.id);
                })
                .await?;
                let mut shared = shared.borrow_mut();
                shared.1[merchant].extend(names);
                if first.is_some() {
                    shared.0[merchant] = first;
                }
            }
            Ok(())
        }
    })
    .context("events cannot be listed")?;
    (*newest, *owed) = Rc::into_inner(shared).expect("every task has ended").into_inner();
    Ok(())
}

/// One connection that registers and removes endpoints, of any merchant.
struct Caller {
    connection: Connection,
    host: String,
    base: String,
}

impl Caller {
    async fn open(plan: &Plan) -> anyhow::Result<Caller> {
        Ok(Caller {
            connection: Connection::open(&plan.target, accounts::timeout(plan)).await?,
            host: plan.target.host.clone(),
            base: plan.target.base.clone(),
        })
    }

    async fn ask(&mut self, key: &str, method: &str, path: &str, form: &str) -> anyhow::Result<Value> {
        let request = format!(
            "{method} {}/v1/{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.base,
            self.host,
            form.len()
        );
        let answer = self
            .connection
            .exchange(request.as_bytes())
            .await
            .with_context(|| format!("{method} /v1/{path}"))?;
        let value: Value =
            serde_json::from_slice(answer.body).with_context(|| format!("{method} /v1/{path} gives no JSON"))?;
        match answer.status {
            200 => Ok(value),
            status => bail!("{method} /v1/{path} gives {status}: {}", value["error"]["message"]),
        }
    }

    /// Removes what a run that did not come to its end left.
    async fn clean(&mut self, key: &str) -> anyhow::Result<()> {
        let listed = self.ask(key, "GET", "webhook_endpoints?limit=100", "").await?;
        for endpoint in listed["data"].as_array().into_iter().flatten() {
            if endpoint["metadata"][MARK].is_string()
                && let Some(id) = endpoint["id"].as_str()
            {
                self.remove(key, id).await?;
            }
        }
        Ok(())
    }

    async fn newest(&mut self, key: &str) -> anyhow::Result<Option<String>> {
        let page = self.ask(key, "GET", "events?limit=1", "").await?;
        Ok(page["data"][0]["id"].as_str().map(str::to_string))
    }

    /// The id and the secret of a new endpoint that wants everything.
    async fn register(&mut self, key: &str, url: &str) -> anyhow::Result<(String, String)> {
        // The URL is of digits, dots, slashes and colons.
        let url = url.replace(':', "%3A").replace('/', "%2F");
        let form = format!("url={url}&enabled_events%5B0%5D=*&metadata%5B{MARK}%5D=1");
        let made = self.ask(key, "POST", "webhook_endpoints", &form).await?;
        let text = |name: &str| made[name].as_str().map(str::to_string);
        text("id")
            .zip(text("secret"))
            .context("an endpoint is made without id or secret")
    }

    async fn remove(&mut self, key: &str, id: &str) -> anyhow::Result<()> {
        self.ask(key, "DELETE", &format!("webhook_endpoints/{id}"), "")
            .await
            .map(drop)
    }
}
