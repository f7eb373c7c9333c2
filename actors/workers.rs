//! The way back: answers for a worker thread travel as one message, which wakes the futures that wait there.

use crate::request::Delivery;
use crate::settings::WORKERS_MAX;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

/// Answers that leave together.
pub type Answers = Vec<Delivery>;

/// Addresses of the worker threads' clients, by number. Written once each, read without a lock.
pub struct Workers {
    senders: Box<[OnceLock<mpsc::Sender<Answers>>]>,
    next: AtomicUsize,
    waiting_max: usize,
}

impl Workers {
    /// Room for [`WORKERS_MAX`] clients. `waiting_max`: the answers that can be under way at once; there are never more
    /// than permits, so sending never has to wait.
    pub fn new(waiting_max: usize) -> Self {
        let senders = (0..WORKERS_MAX).map(|_| OnceLock::new()).collect();
        Workers {
            senders,
            next: AtomicUsize::new(0),
            waiting_max,
        }
    }

    /// A number for a new client, and where its answers arrive. `None` when all numbers are used.
    pub fn register(&self) -> Option<(u16, mpsc::Receiver<Answers>)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let slot = self.senders.get(number)?;
        let (sender, receiver) = mpsc::channel(self.waiting_max);
        slot.set(sender).expect("each number is given once");
        Some((number as u16, receiver))
    }

    /// Sends answers, one message for each worker.
    pub fn deliver(&self, answers: Answers) {
        for (worker, answers) in group(answers) {
            self.send(worker, answers);
        }
    }

    /// Sends answers that are grouped already.
    pub fn deliver_grouped(&self, grouped: Grouped) {
        for (worker, answers) in grouped {
            self.send(worker, answers);
        }
    }

    fn send(&self, worker: u16, answers: Answers) {
        let sender = self.senders.get(usize::from(worker)).and_then(OnceLock::get);
        let Some(sender) = sender else {
            panic!("an answer for worker {worker}, which never was")
        };
        match sender.try_send(answers) {
            // The thread is gone, and everyone who waited there with it.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(_)) => panic!("more answers are under way than permits were given"),
        }
    }
}

/// Answers by worker.
pub type Grouped = Vec<(u16, Answers)>;

/// Sorts answers by worker, keeping their order. There are a handful of workers, so a search in a short list does.
pub fn group(answers: Answers) -> Grouped {
    let mut grouped: Grouped = Vec::new();
    for delivery in answers {
        match grouped.iter_mut().find(|(worker, _)| *worker == delivery.to.worker) {
            Some((_, answers)) => answers.push(delivery),
            None => grouped.push((delivery.to.worker, vec![delivery])),
        }
    }
    grouped
}
