//! An edge that lives as long as a test, and a client that writes raw HTTP.

use serde_json::Value;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tollgate_actors::performer::BoxFuture;
use tollgate_actors::settings::ShardSettings;
use tollgate_actors::{Engine, EngineConfig, Performer};
use tollgate_domain::Secrets;
use tollgate_domain::acquirer::{NetworkAnswer, NetworkCall};
use tollgate_http::{Bounds, FileBytes, PendingBytes, Rate, RateLimiter, Rates, Services};
use tollgate_store::memory::{Memory, Mode};
use tollgate_wire::Edge as Operations;

/// The key most tests use; `--dev` opens a sandbox for it.
pub(crate) const KEY: &str = "sk_test_edge0123456789abcdefghijklmn";
/// A payment that succeeds.
pub(crate) const PAYMENT: &str = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a test may change of an edge.
pub(crate) struct Setup {
    pub(crate) dev: bool,
    pub(crate) rate: Rates,
    pub(crate) bounds: Bounds,
    pub(crate) mode: Mode,
    pub(crate) permits: u32,
    pub(crate) permits_per_node: u32,
}

impl Default for Setup {
    fn default() -> Self {
        Setup {
            dev: true,
            rate: Rate {
                per_second: 1_000_000,
                burst: 1_000_000,
            }
            .into(),
            bounds: Bounds::default(),
            mode: Mode::Immediate,
            permits: 1_000,
            permits_per_node: 1 << 20,
        }
    }
}

/// A network that never answers.
struct Silent;

impl Performer for Silent {
    fn perform(&self, _: NetworkCall) -> BoxFuture<'static, NetworkAnswer> {
        Box::pin(std::future::pending())
    }
}

/// Bytes of files in memory.
#[derive(Default)]
struct Drawer {
    bytes: Mutex<HashMap<[u8; 32], Vec<u8>>>,
    pending: Mutex<Vec<PendingBytes>>,
}

impl FileBytes for Drawer {
    fn keep(&self, pending: &PendingBytes, bytes: &[u8]) -> std::io::Result<()> {
        self.bytes
            .lock()
            .expect("a lock")
            .insert(pending.digest, bytes.to_vec());
        self.pending.lock().expect("a lock").push(*pending);
        Ok(())
    }
    fn settle(&self, pending: &PendingBytes) -> std::io::Result<()> {
        self.pending.lock().expect("a lock").retain(|one| one != pending);
        Ok(())
    }
    fn forget(&self, pending: &PendingBytes) -> std::io::Result<()> {
        self.settle(pending)
    }
    fn read(&self, digest: &[u8; 32]) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self.bytes.lock().expect("a lock").get(digest).cloned())
    }
    fn pending(&self) -> std::io::Result<Vec<PendingBytes>> {
        Ok(self.pending.lock().expect("a lock").clone())
    }
}

/// A serving edge, stopped when dropped.
pub(crate) struct Edge {
    pub(crate) api: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) store: Arc<Memory>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Edge {
    pub(crate) fn start() -> Edge {
        Edge::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Edge {
        let store = Memory::new(setup.mode);
        let (say, hear) = sync_channel(1);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let kept = Arc::clone(&store);
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let secrets = Secrets::new([7; 32]);
                let config = EngineConfig {
                    shards: 2,
                    lanes: 1,
                    readers: 1,
                    permits_per_node: setup.permits_per_node,
                    permits_per_shard: setup.permits,
                    permits_per_account: setup.permits,
                    shard: ShardSettings {
                        wait_ms: 300,
                        attempt_deadline_ms: 1_500,
                        ..ShardSettings::default()
                    },
                    dev: setup.dev,
                    seed: 7,
                    on_fatal: Arc::new(|why| panic!("{why}")),
                    ..EngineConfig::for_one_machine(2, 7)
                };
                let (journal, reads) = (Arc::clone(&kept) as _, Arc::clone(&kept) as _);
                let engine =
                    Engine::start(config, journal, reads, Arc::new(Silent), secrets.clone()).expect("an engine");
                let services = Arc::new(Services {
                    edge: Operations::new(tollgate_domain::api::ENDPOINTS),
                    public_url: "https://tollgate.test".to_owned(),
                    directory: engine.directory().clone(),
                    engine: engine.clone(),
                    files: tollgate_http::Files::new(Arc::new(Drawer::default())),
                    secrets,
                    limiter: RateLimiter::new(setup.rate),
                    bounds: setup.bounds,
                    tuning: tollgate_http::Tuning::new().0,
                    metrics: Box::new(|| "tollgate_test 1\n".to_owned()),
                });
                let free = || tollgate_http::bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
                let second = Duration::from_secs(1);
                let api = tollgate_http::serve_api(free(), 1, second, &services).expect("a listener");
                let admin = tollgate_http::serve_admin(free(), second, &services).expect("a listener");
                say.send((api.address(), admin.address())).expect("somebody hears");
                let _ = stopped.await;
                api.stop().await;
                admin.stop().await;
                engine.stop(second).await;
            });
        });
        let (api, admin) = hear.recv_timeout(PATIENCE).expect("addresses");
        Edge {
            api,
            admin,
            store,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Sends a request of the API; the connection closes after it.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        exchange(self.api, &request(method, path, headers, body))
    }

    /// As `send`, with [`KEY`].
    pub(crate) fn keyed(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let bearer = format!("Bearer {KEY}");
        let headers = [&[("authorization", bearer.as_str())], headers].concat();
        self.send(method, path, &headers, body)
    }

    /// Sends a request of the operator API.
    pub(crate) fn operate(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        exchange(self.admin, &request(method, path, headers, body))
    }

    /// A connection for raw bytes.
    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.api)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        // Blocks that a test left held would keep the engine waiting.
        self.store.pump();
        let _ = self.stop.take().map(|stop| stop.send(()));
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        if !std::thread::panicking() {
            assert!(ended.is_some_and(|ended| ended.is_ok()), "the edge panicked");
        }
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || method == "POST" {
        text += &format!("content-length: {}\r\n", body.len());
    }
    format!("{text}\r\n{body}").into_bytes()
}

fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if answer.is_empty() => panic!("no answer: {error}"),
        _ => Answer::parse(&answer),
    }
}

/// An answer: status, headers in order, body.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn parse(bytes: &[u8]) -> Answer {
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no head in {text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status");
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        Answer {
            status: status.parse().expect("a number"),
            headers,
            text: body.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The message of an error body.
    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"]
            .as_str()
            .unwrap_or_else(|| panic!("no message in {self:?}"))
            .to_owned()
    }
}
