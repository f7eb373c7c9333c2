//! Merchants' endpoints of every kind beside each other, while the server dies again and again: good and slow ones get everything,
//! in order and hardly anything twice, whatever the refusing, hanging and dead ones beside them do.

use crate::checks;
use crate::clients::accounts;
use crate::receiver::Receiver;
use crate::server::{PATIENCE, Server};
use std::collections::BTreeSet;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Room for 64 deliveries at once, of which the endpoints that hang would take all if their merchants might; and nobody waits for
/// them at a stop.
pub(crate) const FEW: &[(&str, &str)] = &[
    ("TOLLGATE_WEBHOOKS__CONNECTIONS_MAX", "128"),
    ("TOLLGATE_WEBHOOKS__TIMEOUT_MS", "10000"),
    ("TOLLGATE_WEBHOOKS__STOP_TIMEOUT_S", "1"),
];
/// So many merchants have endpoints that hang, and each so many: with two deliveries each they would take all there is room for.
const HANGING_MERCHANTS: usize = 3;
const HANGING: usize = 12;
/// Deliveries that hang before it is looked whether anybody waits for them.
const HELD_MIN: usize = 24;
/// A merchant who has one good endpoint, and where its events come.
const BYSTANDER: &str = "sk_test_bystander0123456789abcdefghijkl";
const BESIDE: &str = "/beside";
/// How long a slow receiver takes.
const SLOW: Duration = Duration::from_millis(20);

/// The receivers.
pub(crate) struct Endpoints {
    good: Receiver,
    slow: Receiver,
    refusing: Receiver,
    hanging: Hanging,
    /// How many deliveries to the good one, and to the slow one, may come twice.
    twice_max: [usize; 2],
}

impl Endpoints {
    /// Registers one of each kind for each merchant.
    pub(crate) fn register(server: &Server) -> Endpoints {
        let endpoints = Endpoints {
            good: Receiver::start(),
            slow: Receiver::answering(|_, _| {
                std::thread::sleep(SLOW);
                200
            }),
            refusing: Receiver::answering(|_, _| 500),
            hanging: Hanging::start(),
            twice_max: [0; 2],
        };
        let dead = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let dead = format!("http://{}", dead.expect("a free port"));
        let register = |key: &str, url: String| {
            let form = format!("url={url}&enabled_events[]=*");
            let made = server.send(key, "POST", "/v1/webhook_endpoints", &form, &[]);
            assert_eq!(made.status, 200, "{made:?}");
        };
        register(BYSTANDER, endpoints.good.url(BESIDE));
        for (at, key) in accounts().iter().enumerate() {
            // The bad ones first, so that they are first in every order.
            for _ in 0..hanging(at) {
                register(key, endpoints.hanging.url.clone());
            }
            register(key, dead.clone());
            for receiver in [&endpoints.refusing, &endpoints.slow, &endpoints.good] {
                register(key, receiver.url(&path(at)));
            }
        }
        endpoints
    }

    /// The server was killed, and is about to start again.
    pub(crate) fn killed(&mut self) {
        self.twice_max[0] += self.good.may_come_again();
        self.twice_max[1] += self.slow.may_come_again();
    }

    /// Checks what came to all of them, while the server runs.
    pub(crate) fn check(&self, server: &Server) {
        let mut twice = [0; 2];
        for (at, key) in accounts().iter().enumerate() {
            let all = events(server, key, "");
            for (twice, receiver) in twice.iter_mut().zip([&self.good, &self.slow]) {
                let came = receiver.until(&path(at), "all events of a merchant", |came| {
                    checks::firsts(came).len() >= all.len()
                });
                checks::all_in_order(&came, &all);
                *twice += checks::doubled(&came);
            }
            // The others have not taken anything, and are counted.
            assert_eq!(events(server, key, "&delivery_success=true"), [""; 0]);
            let newest = all.last().expect("a merchant has events");
            let shown = server.send(key, "GET", &format!("/v1/events/{newest}"), "", &[]).json();
            assert_eq!(shown["pending_webhooks"], hanging(at) + 2, "{shown}");
        }
        let most = self.twice_max;
        assert!(
            twice[0] <= most[0] && twice[1] <= most[1],
            "{twice:?} came twice to the good and the slow one, {most:?} may"
        );
    }

    /// What happens to another merchant while deliveries hang comes before they have ended.
    pub(crate) fn nobody_waits_for_who_hangs(&self, server: &Server) {
        let held = self.hanging.until_held(HELD_MIN);
        let before = self.good.came(BESIDE).len();
        let form = "amount=1000&currency=usd&payment_method=pm_card_visa&confirm=true";
        let paid = server.send(BYSTANDER, "POST", "/v1/payment_intents", form, &[]);
        assert_eq!(paid.status, 200, "{paid:?}");
        self.good
            .until(BESIDE, "the events of a payment", |came| came.len() >= before + 3);
        let all_over = self.hanging.open().is_disjoint(&held);
        assert!(!all_over, "a merchant had to wait for the deliveries of others to end");
    }
}

/// How many of a merchant's endpoints hang.
fn hanging(at: usize) -> usize {
    if at < HANGING_MERCHANTS { HANGING } else { 0 }
}

fn path(at: usize) -> String {
    format!("/{at}")
}

/// Ids of all events of a merchant, oldest first.
fn events(server: &Server, key: &str, filter: &str) -> Vec<String> {
    checks::events(|path| server.send(key, "GET", path, "", &[]).json(), filter)
}

/// A receiver that accepts connections and never says anything.
struct Hanging {
    url: String,
    /// Connections, by number.
    held: Arc<Mutex<Vec<(usize, TcpStream)>>>,
}

impl Hanging {
    fn start() -> Hanging {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("bound"));
        let held: Arc<Mutex<Vec<(usize, TcpStream)>>> = Arc::default();
        let holds = Arc::clone(&held);
        // It ends with the test.
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(stream) = stream else { continue };
                stream.set_nonblocking(true).expect("a socket");
                let mut held = holds.lock().expect("nobody panics with it");
                drop_closed(&mut held);
                held.push((number, stream));
            }
        });
        Hanging { url, held }
    }

    /// Waits until so many deliveries hang; which.
    fn until_held(&self, least: usize) -> BTreeSet<usize> {
        let deadline = Instant::now() + 3 * PATIENCE;
        loop {
            let held = self.open();
            if held.len() >= least {
                return held;
            }
            assert!(Instant::now() < deadline, "only {} deliveries hang", held.len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Connections that the other side has not closed.
    fn open(&self) -> BTreeSet<usize> {
        let mut held = self.held.lock().expect("nobody panics with it");
        drop_closed(&mut held);
        held.iter().map(|(number, _)| *number).collect()
    }
}

fn drop_closed(held: &mut Vec<(usize, TcpStream)>) {
    held.retain_mut(|(_, stream)| {
        loop {
            match stream.read(&mut [0; 4_096]) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(error) => return error.kind() == std::io::ErrorKind::WouldBlock,
            }
        }
    });
}
