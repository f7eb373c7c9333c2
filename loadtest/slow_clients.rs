//! Clients that only take up room: they send their request a byte at a time, and come back when the server turns them
//! out. They run beside the load in a thread of their own, and nothing of them is counted in the load's figures.

use crate::open_loop::Plan;
use crate::target::Target;
use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Files kept for everything that is no connection.
const FILES_KEPT: u64 = 100;
/// Time a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a connection that could not be made.
const FAILED_PAUSE: Duration = Duration::from_secs(1);
/// Pause between two looks at whether to end.
const STOP_PAUSE: Duration = Duration::from_millis(100);

/// The running clients.
pub(crate) struct SlowClients {
    thread: Option<JoinHandle<anyhow::Result<Value>>>,
    stop: Arc<AtomicBool>,
}

/// What they met with.
#[derive(Default)]
struct Met {
    held: Cell<u64>,
    held_max: Cell<u64>,
    opened: Cell<u64>,
    answered: Cell<u64>,
    closed_by_server: Cell<u64>,
    not_connected: Cell<u64>,
}

impl SlowClients {
    /// Starts those of the plan, if it has any, and waits until they had time to connect.
    pub(crate) fn start(plan: &Plan) -> anyhow::Result<SlowClients> {
        let wanted = &plan.scenario.slow_clients;
        let asked = (f64::from(wanted.count) * plan.merchants.share()).ceil() as u64;
        let stop = Arc::new(AtomicBool::new(false));
        if asked == 0 {
            return Ok(SlowClients { thread: None, stop });
        }
        let count = asked.min(room(plan.connections_max as u64));
        let work = Work {
            target: plan.target.clone(),
            key: plan.merchants.key(0).to_string(),
            asked,
            count,
            byte_every: Duration::from_secs_f64(wanted.byte_every_s),
            open_every: Duration::from_secs_f64(1.0 / wanted.opened_per_s),
            stop: stop.clone(),
        };
        let opening = work.open_every * count as u32;
        let thread = std::thread::Builder::new()
            .name("slow".into())
            .spawn(move || work.run())
            .context("cannot start a thread")?;
        std::thread::sleep(opening);
        Ok(SlowClients {
            thread: Some(thread),
            stop,
        })
    }

    /// Ends them; what they met with, null if there were none.
    pub(crate) fn finish(mut self) -> anyhow::Result<Value> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take() {
            None => Ok(Value::Null),
            Some(thread) => thread
                .join()
                .map_err(|_| anyhow::anyhow!("the slow clients' thread panicked"))?,
        }
    }
}

/// Connections that may be opened beside those of the load, once as many files as allowed are allowed.
fn room(connections_max: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // If it cannot be raised it stays as it is, which is what counts.
    let _ = setrlimit(Resource::Nofile, raised);
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    files.saturating_sub(connections_max + FILES_KEPT)
}

struct Work {
    target: Target,
    key: String,
    asked: u64,
    count: u64,
    byte_every: Duration,
    open_every: Duration,
    stop: Arc<AtomicBool>,
}

impl Work {
    fn run(self) -> anyhow::Result<Value> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let set = tokio::task::LocalSet::new();
        let work = Rc::new(self);
        let met = Rc::new(Met::default());
        let next_open = Rc::new(Cell::new(tokio::time::Instant::now().into_std()));
        for index in 0..work.count {
            set.spawn_local(live(work.clone(), met.clone(), next_open.clone(), index));
        }
        let stop = work.stop.clone();
        set.block_on(&runtime, async move {
            while !stop.load(Ordering::Relaxed) {
                tokio::time::sleep(STOP_PAUSE).await;
            }
        });
        Ok(json!({
            "asked": work.asked,
            "clients": work.count,
            "held_max": met.held_max.get(),
            "opened": met.opened.get(),
            "answered": met.answered.get(),
            "closed_by_server": met.closed_by_server.get(),
            "not_connected": met.not_connected.get(),
        }))
    }

    /// Half of the clients take their time with the head, the others send the head at once and dawdle in the body. No
    /// request would move money if it ever came to its end.
    fn request(&self, index: u64) -> (Vec<u8>, usize) {
        const BODY_LEN: usize = 2_000;
        let head = format!(
            "POST {}/v1/customers HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {BODY_LEN}\r\n\r\n",
            self.target.base, self.target.host, self.key
        );
        let at_once = if index.is_multiple_of(2) { 1 } else { head.len() };
        let name = "description=";
        let body = format!("{name}{}", "x".repeat(BODY_LEN - name.len()));
        ((head + &body).into_bytes(), at_once)
    }
}

/// One client's life: it connects, dawdles, is turned out, and comes again.
async fn live(work: Rc<Work>, met: Rc<Met>, next_open: Rc<Cell<std::time::Instant>>, index: u64) {
    let add = |count: &Cell<u64>| count.set(count.get() + 1);
    let (request, at_once) = work.request(index);
    loop {
        let turn = next_open.get().max(std::time::Instant::now());
        next_open.set(turn + work.open_every);
        tokio::time::sleep_until(turn.into()).await;
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(work.target.address)).await;
        let Ok(Ok(stream)) = connected else {
            add(&met.not_connected);
            tokio::time::sleep(FAILED_PAUSE).await;
            continue;
        };
        add(&met.opened);
        add(&met.held);
        met.held_max.set(met.held_max.get().max(met.held.get()));
        if dawdle(stream, &request, at_once, work.byte_every).await {
            add(&met.answered);
        }
        add(&met.closed_by_server);
        met.held.set(met.held.get() - 1);
    }
}

/// Sends a byte now and then until the server has enough; whether it said something.
async fn dawdle(mut stream: TcpStream, request: &[u8], at_once: usize, byte_every: Duration) -> bool {
    let mut answered = false;
    let mut answer = [0; 512];
    let (first, rest) = request.split_at(at_once);
    if stream.set_nodelay(true).is_err() || stream.write_all(first).await.is_err() {
        return answered;
    }
    // Behind its last byte a client waits for its answer, which ends it too.
    let mut rest = rest.chunks(1);
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => match read {
                Ok(count) if count > 0 => answered = true,
                _ => return answered,
            },
            () = tokio::time::sleep(byte_every) => {
                if let Some(byte) = rest.next()
                    && stream.write_all(byte).await.is_err()
                {
                    return answered;
                }
            }
        }
    }
}
