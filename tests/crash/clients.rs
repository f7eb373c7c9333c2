//! Clients that keep asking until they are told to stop, and note what they hear.

use crate::connection::Connection;
use crate::log::{Act, Log};
use crate::random::Random;
use crate::server::Server;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Connections at once.
pub(crate) const CLIENTS: usize = 24;
/// Merchants they ask for.
const ACCOUNTS: usize = 6;

/// The secret keys of the merchants.
pub(crate) fn accounts() -> Vec<String> {
    (0..ACCOUNTS)
        .map(|at| format!("sk_test_crash{at}0123456789abcdefghijkl"))
        .collect()
}

/// Lets clients ask while `meanwhile` runs; when it returns, each finishes what it is asking.
pub(crate) fn while_asking<T>(server: &Server, log: &Log, random: &mut Random, meanwhile: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    let accounts = accounts();
    let mut forks: Vec<Random> = (0..CLIENTS).map(|_| random.fork()).collect();
    std::thread::scope(|scope| {
        for random in &mut forks {
            let (stop, accounts) = (&stop, &accounts);
            scope.spawn(move || client(server, log, random, accounts, stop));
        }
        let result = meanwhile();
        stop.store(true, Relaxed);
        result
    })
}

fn client(server: &Server, log: &Log, random: &mut Random, accounts: &[String], stop: &AtomicBool) {
    let mut connection = Connection::to(&server.api);
    while !stop.load(Relaxed) {
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
                // The server is gone or going; do not spin until it is back.
                std::thread::sleep(std::time::Duration::from_millis(1));
                continue;
            }
        };
        log.heard(std::sync::Arc::clone(&request), &answer);
        // What was acknowledged is there for whoever looks next.
        if answer.status == 200 && random.percent(15) {
            let path = match &request.act {
                Act::Customer => format!("/v1/customers/{}", answer.id()),
                Act::Refund { .. } => format!("/v1/refunds/{}", answer.id()),
                _ => format!("/v1/payment_intents/{}", answer.id()),
            };
            if let Ok(read) = connection.get(&request.account, &path) {
                assert_eq!(read.status, 200, "acknowledged and not there: {answer:?} {read:?}");
            }
        }
    }
}
