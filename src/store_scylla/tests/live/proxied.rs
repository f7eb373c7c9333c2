//! What stands between the driver and a node in tests: a proxy that speaks their protocol, and one that cuts a connection in
//! the middle of a frame.

use scylla_proxy::{Node, Proxy, RequestRule, ResponseRule, RunningProxy, ShardAwareness};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tollgate_store_scylla::Settings;

/// How long the driver waits for an answer here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// A proxy before the cluster's first node.
pub(crate) struct Proxied {
    runtime: tokio::runtime::Runtime,
    proxy: std::sync::Mutex<Option<RunningProxy>>,
    address: SocketAddr,
}

impl Proxied {
    pub(crate) fn new() -> Proxied {
        let real = first_node();
        // At the node's own address, because the driver asks the node for that and brings only the port.
        let free = std::net::TcpListener::bind((real.ip(), 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let node = Node::new(real, address, ShardAwareness::Unaware, None, None);
        let proxy = runtime.block_on(Proxy::new([node]).run()).expect("the proxy starts");
        Proxied {
            runtime,
            proxy: std::sync::Mutex::new(Some(proxy)),
            address,
        }
    }

    pub(crate) fn through(&self, settings: &Settings) -> Settings {
        through(self.address, settings)
    }

    pub(crate) fn heal(&self) {
        self.rules(Vec::new(), Vec::new());
    }

    pub(crate) fn rules(&self, requests: Vec<RequestRule>, answers: Vec<ResponseRule>) {
        let mut proxy = self.proxy.lock().expect("no test panics in here");
        let node = &mut proxy.as_mut().expect("it runs").running_nodes[0];
        node.change_request_rules(Some(requests));
        node.change_response_rules(Some(answers));
    }
}

impl Drop for Proxied {
    fn drop(&mut self) {
        let proxy = self.proxy.lock().ok().and_then(|mut proxy| proxy.take());
        if let Some(proxy) = proxy {
            // An error here is a connection that a test had cut.
            let _ = self.runtime.block_on(proxy.finish());
        }
    }
}

/// The first node of the cluster under test.
fn first_node() -> SocketAddr {
    let points = std::env::var("TOLLGATE_CQL").expect("TOLLGATE_CQL names no cluster; use `tests/run cql`");
    points.split(',').next().unwrap().parse().expect("an address")
}

/// By way of this address, and with little patience.
fn through(address: SocketAddr, settings: &Settings) -> Settings {
    Settings {
        contact_points: vec![address.to_string()],
        timeout: PATIENCE,
        connections_per_node: 1,
        ..settings.clone()
    }
}

/// Passes bytes on, and cuts a connection in the middle of a frame when it is told to. Its threads end with the connections.
pub(crate) struct Cutter {
    address: SocketAddr,
    armed: Arc<AtomicBool>,
}

/// Bytes of a frame's head; the last four are the length of its body.
const HEAD_BYTES: usize = 9;

impl Cutter {
    /// Cuts a frame that has these bytes in it.
    pub(crate) fn of(marker: &'static [u8]) -> Cutter {
        let real = first_node();
        let listener = TcpListener::bind((real.ip(), 0)).unwrap();
        let (address, armed) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let cutter = Cutter {
            address,
            armed: Arc::clone(&armed),
        };
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, armed) = (TcpStream::connect(real).unwrap(), Arc::clone(&armed));
                let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
                std::thread::spawn(move || {
                    // It ends with an error when either side is gone.
                    let _ = pass(&client, &server, marker, &armed);
                    let _ = client.shutdown(Shutdown::Both);
                    let _ = server.shutdown(Shutdown::Both);
                });
            }
        });
        cutter
    }

    pub(crate) fn through(&self, settings: &Settings) -> Settings {
        through(self.address, settings)
    }

    /// The next such frame is cut.
    pub(crate) fn arm(&self) {
        self.armed.store(true, SeqCst);
    }

    /// Whether the frame is still to come.
    pub(crate) fn is_armed(&self) -> bool {
        self.armed.load(SeqCst)
    }
}

/// Passes frames on until one is to be cut.
fn pass(mut from: &TcpStream, mut to: &TcpStream, marker: &[u8], armed: &AtomicBool) -> std::io::Result<()> {
    loop {
        let mut frame = vec![0; HEAD_BYTES];
        from.read_exact(&mut frame)?;
        let len = u32::from_be_bytes(frame[HEAD_BYTES - 4..].try_into().expect("four bytes"));
        frame.resize(HEAD_BYTES + len as usize, 0);
        from.read_exact(&mut frame[HEAD_BYTES..])?;
        let marked = frame.windows(marker.len()).any(|some| some == marker);
        if marked && armed.swap(false, SeqCst) {
            return to.write_all(&frame[..frame.len() / 2]);
        }
        to.write_all(&frame)?;
    }
}
