//! Threads that take deliveries over HTTP on loopback: each listens at a port of its own and has endpoints of its own, so
//! that nothing is shared between them while a run goes on.

use super::ledger::{Headers, Ledger, Taken};
use anyhow::Context;
use hashbrown::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longest delivery, head and body, in bytes.
const DELIVERY_LEN_MAX: usize = 1024 * 1024;
/// Bytes a connection's buffer starts with.
const BUFFER_LEN: usize = 8 * 1024;
/// Most events kept, over all endpoints; some 40 bytes each.
pub(super) const EVENTS_MAX: u64 = 40_000_000;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const REFUSED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

/// What came so far, over all threads.
#[derive(Default)]
pub(crate) struct Counts {
    /// Events that came for the first time.
    pub(crate) received: AtomicU64,
    /// Deliveries whose event had come before.
    pub(crate) again: AtomicU64,
    /// Events that came after a younger one about the same object.
    pub(crate) late: AtomicU64,
    /// Deliveries without a good signature.
    pub(crate) not_signed: AtomicU64,
    /// Deliveries that are signed, and no events.
    pub(crate) malformed: AtomicU64,
    /// Events that there was no room to keep.
    pub(crate) dropped: AtomicU64,
}

/// What a thread has.
#[derive(Default)]
pub(super) struct Shelf {
    /// Its endpoints, by the number in their URLs.
    pub(super) ledgers: HashMap<usize, Ledger>,
    /// Payments, by name, and when it was first told that they are paid.
    pub(super) paid: Vec<(u64, Instant)>,
}

/// One thread.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
}

impl Server {
    /// Listens until the process ends.
    pub(super) fn start(counts: &Arc<Counts>) -> anyhow::Result<Server> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for webhooks")?;
        listener.set_nonblocking(true)?;
        let server = Server {
            address: listener.local_addr()?,
            shelf: Arc::default(),
        };
        let (shelf, counts) = (server.shelf.clone(), counts.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let work = move || {
            let set = tokio::task::LocalSet::new();
            set.block_on(&runtime, async move {
                let Ok(listener) = TcpListener::from_std(listener) else {
                    return;
                };
                loop {
                    // Out of descriptors, perhaps: the connections that end make room.
                    let Ok((stream, _)) = listener.accept().await else {
                        tokio::task::yield_now().await;
                        continue;
                    };
                    tokio::task::spawn_local(serve(stream, shelf.clone(), counts.clone()));
                }
            });
        };
        std::thread::Builder::new()
            .name("webhooks".into())
            .spawn(work)
            .context("cannot start a thread")?;
        Ok(server)
    }

    /// What it has. Held for a moment only while it works.
    pub(super) fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.shelf)
    }
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes deliveries until the other side closes or sends nonsense.
async fn serve(mut stream: TcpStream, shelf: Arc<Mutex<Shelf>>, counts: Arc<Counts>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let mut buffer = vec![0; BUFFER_LEN];
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            if filled >= DELIVERY_LEN_MAX {
                return;
            }
            buffer.resize(2 * filled, 0);
        }
        match stream.read(&mut buffer[filled..]).await {
            Ok(count) if count > 0 => filled += count,
            _ => return,
        }
        while let Some(delivery) = Delivery::read(&buffer[..filled]) {
            let answer = if delivery.take(&mut lock(&shelf), &counts) {
                OK
            } else {
                REFUSED
            };
            let len = delivery.len;
            buffer.copy_within(len..filled, 0);
            filled -= len;
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

/// A complete delivery at the start of some bytes.
struct Delivery<'a> {
    path: &'a str,
    headers: Headers<'a>,
    body: &'a [u8],
    /// Bytes of all of it.
    len: usize,
}

impl<'a> Delivery<'a> {
    /// `None` while it is not complete.
    fn read(bytes: &'a [u8]) -> Option<Delivery<'a>> {
        let head_len = memchr::memmem::find(bytes, b"\r\n\r\n")? + 4;
        // What is no text has no headers, and is refused for its signature.
        let head = std::str::from_utf8(&bytes[..head_len]).unwrap_or_default();
        let mut lines = head.split("\r\n");
        let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let (mut headers, mut body_len) = (Headers::default(), 0);
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            if name.eq_ignore_ascii_case("stripe-signature") {
                headers.signature = Some(value);
            } else if name.eq_ignore_ascii_case("webhook-resource-sequence") {
                headers.nth = Some(value);
            } else if name.eq_ignore_ascii_case("content-length") {
                body_len = value.parse().unwrap_or(0).min(DELIVERY_LEN_MAX);
            }
        }
        let len = head_len + body_len;
        (bytes.len() >= len).then(|| Delivery {
            path,
            headers,
            body: &bytes[head_len..len],
            len,
        })
    }

    /// Notes it; says whether it is to be answered as taken.
    fn take(&self, shelf: &mut Shelf, counts: &Counts) -> bool {
        let number = self
            .path
            .strip_prefix('/')
            .and_then(|number| number.parse::<usize>().ok());
        let ledger = number.and_then(|number| shelf.ledgers.get_mut(&number));
        let now_s = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_secs());
        if counts.received.load(Relaxed) >= EVENTS_MAX {
            counts.dropped.fetch_add(1, Relaxed);
            return true;
        }
        let taken = ledger.map_or(Taken::Unsigned, |ledger| ledger.take(self.headers, self.body, now_s));
        let counter = match taken {
            Taken::New { paid, late } => {
                if let Some(paid) = paid {
                    shelf.paid.push((paid, Instant::now()));
                }
                counts.late.fetch_add(u64::from(late), Relaxed);
                &counts.received
            }
            Taken::Again => &counts.again,
            Taken::Unsigned => &counts.not_signed,
            Taken::Malformed => &counts.malformed,
        };
        counter.fetch_add(1, Relaxed);
        matches!(taken, Taken::New { .. } | Taken::Again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_read_once_it_is_complete() {
        let bytes = b"POST /17 HTTP/1.1\r\nhost: x\r\nStripe-Signature: t=1,v1=2\r\nwebhook-resource-sequence: 4\r\ncontent-length: 3\r\n\r\nabcPOST";
        for len in 0..bytes.len() - 4 {
            assert!(Delivery::read(&bytes[..len]).is_none(), "{len}");
        }
        let delivery = Delivery::read(bytes).unwrap();
        assert_eq!(
            (delivery.path, delivery.body, delivery.len),
            ("/17", &b"abc"[..], bytes.len() - 4)
        );
        assert_eq!(
            (delivery.headers.signature, delivery.headers.nth),
            (Some("t=1,v1=2"), Some("4"))
        );
    }

    #[test]
    fn what_nobody_registered_is_refused_and_counted() {
        let counts = Counts::default();
        for bytes in [&b"POST /1 HTTP/1.1\r\n\r\n"[..], b"\xff\xfe\r\n\r\n", b"\r\n\r\n"] {
            assert!(!Delivery::read(bytes).unwrap().take(&mut Shelf::default(), &counts));
        }
        assert_eq!(counts.not_signed.load(Relaxed), 3);
    }
}
