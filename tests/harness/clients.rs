//! Clients that keep asking until they are told to stop, and note what they hear.
// Several suites include this file, and none uses all of it.
#![allow(dead_code)]

use crate::audit::Served;
use crate::connection::Connection;
use crate::log::{Act, Log};
use crate::random::Random;
use crate::server::PATIENCE;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Connections at once.
pub(crate) const CLIENTS: usize = 24;
/// How long a client waits whose connection broke.
const GONE_PAUSE: Duration = Duration::from_millis(20);
/// Merchants they ask for.
const ACCOUNTS: usize = 6;

/// The secret keys of the merchants.
pub(crate) fn accounts() -> Vec<String> {
    (0..ACCOUNTS)
        .map(|at| format!("sk_test_crash{at}0123456789abcdefghijkl"))
        .collect()
}

/// Lets clients ask while `meanwhile` runs; when it returns, each finishes what it is asking.
pub(crate) fn while_asking<T>(
    server: &impl Served,
    log: &Log,
    random: &mut Random,
    meanwhile: impl FnOnce() -> T,
) -> T {
    let stop = AtomicBool::new(false);
    let accounts = accounts();
    let mut forks: Vec<Random> = (0..CLIENTS).map(|_| random.fork()).collect();
    std::thread::scope(|scope| {
        for random in &mut forks {
            let (stop, accounts) = (&stop, &accounts);
            scope.spawn(move || client(server, log, random, accounts, stop));
        }
        // Also when `meanwhile` panics: the scope waits for the clients.
        let _stops = Stops(&stop);
        meanwhile()
    })
}

/// Tells the clients to stop when it goes.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Waits until clients have asked for so much in all, or the process has ended. A slow machine takes longer over it and
/// proves the same.
pub(crate) fn await_asked(server: &impl Served, log: &Log, count: u64) {
    let deadline = Instant::now() + 6 * PATIENCE;
    while log.asked() < count && !server.has_ended() {
        assert!(Instant::now() < deadline, "only {} of {count} requests", log.asked());
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn client(server: &impl Served, log: &Log, random: &mut Random, accounts: &[String], stop: &AtomicBool) {
    let mut connection = Connection::to(&server.api());
    while !stop.load(Relaxed) {
        std::thread::sleep(server.rest());
        if random.percent(10)
            && let Some(again) = log.repeat(random)
        {
            match connection.send(&again) {
                Ok(answer) => log.heard(again, &answer),
                // Nothing is owed: the answer is known.
                Err(_) => continue,
            }
        }
        let request = log.next(random, accounts);
        if random.percent(2) {
            let _ = connection.abandon(&request);
            log.unheard(request);
            continue;
        }
        let answer = match connection.send(&request) {
            Ok(answer) => answer,
            Err(_) => {
                log.unheard(request);
                // The server is gone or going: every request that is begun now has to be asked again later.
                std::thread::sleep(GONE_PAUSE);
                connection = Connection::to(&server.api());
                continue;
            }
        };
        log.heard(std::sync::Arc::clone(&request), &answer);
        if answer.status == 503 && server.moves() {
            std::thread::sleep(GONE_PAUSE);
            connection = Connection::to(&server.api());
        }
        // What was acknowledged is there for whoever looks next.
        if answer.status == 200 && random.percent(15) {
            let path = match &request.act {
                Act::Customer => format!("/v1/customers/{}", answer.id()),
                Act::Refund { .. } => format!("/v1/refunds/{}", answer.id()),
                Act::Charge | Act::CaptureCharge { .. } => format!("/v1/charges/{}", answer.id()),
                Act::SetUp => format!("/v1/setup_intents/{}", answer.id()),
                _ => format!("/v1/payment_intents/{}", answer.id()),
            };
            // Whichever node is asked; of one server there is but one.
            let mut other = server.moves().then(|| Connection::to(&server.api()));
            if let Ok(read) = other.as_mut().unwrap_or(&mut connection).get(&request.account, &path) {
                let later = server.moves() && read.status == 503;
                assert!(
                    later || read.status == 200,
                    "acknowledged and not there: {answer:?} {read:?}"
                );
            }
        }
    }
}
