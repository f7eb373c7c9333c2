//! An edge that lives as long as a test, and a client that writes raw HTTP.

use crate::node::{Node, Shape};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use tollgate_http::{Bounds, NodeBounds, Rate, Rates};
use tollgate_store::memory::{Memory, Mode};

/// The key most tests use; `--dev` opens a sandbox for it.
pub(crate) const KEY: &str = "sk_test_edge0123456789abcdefghijklmn";
/// A payment that succeeds.
pub(crate) const PAYMENT: &str = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
/// Longest wait for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What a test may change of an edge.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) dev: bool,
    pub(crate) rate: Rates,
    pub(crate) bounds: Bounds,
    pub(crate) mode: Mode,
    pub(crate) permits: u32,
    pub(crate) permits_per_node: u32,
    /// What goes from node to node, where there are several.
    pub(crate) nodes: NodeBounds,
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
            nodes: NodeBounds::default(),
        }
    }
}

/// A serving edge, stopped when dropped. In the suite `behind` it is a node that owns nothing, in front of one that owns
/// everything.
pub(crate) struct Edge {
    pub(crate) api: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) store: Arc<Memory>,
    /// First the one that is asked. Stopped in this order.
    pub(crate) nodes: Vec<Node>,
}

impl Edge {
    pub(crate) fn start() -> Edge {
        Edge::with(Setup::default())
    }

    pub(crate) fn with(setup: Setup) -> Edge {
        let store = Memory::new(setup.mode);
        let drawer = Arc::default();
        let mut nodes = Vec::new();
        if crate::BEHIND {
            let [guest, owner] = [false, true].map(|_| Node::start(setup.clone(), &store, &drawer, Shape::Member));
            owner.owns_everything();
            guest.sends_everything_to(&owner);
            nodes.extend([guest, owner]);
        } else {
            nodes.push(Node::start(setup, &store, &drawer, Shape::Alone));
        }
        Edge {
            api: nodes[0].api,
            admin: nodes[0].admin,
            store,
            nodes,
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
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() || method == "POST" {
        text += &format!("content-length: {}\r\n", body.len());
    }
    format!("{text}\r\n{body}").into_bytes()
}

pub(crate) fn exchange(address: SocketAddr, bytes: &[u8]) -> Answer {
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
