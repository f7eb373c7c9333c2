//! Threads on which delivery reads: everything that may wait for the disk, so that no delivery does.

use crossbeam_channel::{Receiver, Sender, bounded};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::oneshot;
use tollgate_store::{Reads, StoreError};
use tollgate_webhooks::ports::{Asked, SourceError};

/// Questions that may wait for a thread. Lanes ask one at a time each; whoever finds no room asks again.
const WAITING_MAX: usize = 16_384;

type Job = Box<dyn FnOnce(&dyn Reads) + Send>;

/// Where questions are handed in. The threads end when the last handle is dropped.
#[derive(Clone)]
pub(super) struct Readers(Sender<Job>);

impl Readers {
    /// Starts so many threads.
    pub(super) fn start(threads: usize, reads: &Arc<dyn Reads>) -> std::io::Result<Readers> {
        let (jobs, queue) = bounded(WAITING_MAX);
        for number in 0..threads {
            let (reads, queue): (Arc<dyn Reads>, Receiver<Job>) = (Arc::clone(reads), Receiver::clone(&queue));
            std::thread::Builder::new()
                .name(format!("tollgate-webhook-reader-{number}"))
                .spawn(move || queue.iter().for_each(|job| job(&*reads)))?;
        }
        Ok(Readers(jobs))
    }

    /// Asks; the answer comes when a thread has read it. A panic in it is no answer.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Reads) -> Result<T, StoreError> + Send + 'static,
    ) -> Asked<T> {
        let (said, hears) = oneshot::channel();
        let job: Job = Box::new(move |reads| {
            let answer = catch_unwind(AssertUnwindSafe(|| read(reads)));
            let answer = match answer {
                Ok(answer) => answer.map_err(|error| SourceError(error.to_string())),
                Err(_) => Err(SourceError("reading it panicked; the log says where".to_owned())),
            };
            // Whoever asked may have gone.
            let _ = said.send(answer);
        });
        let sent = self.0.try_send(job);
        Box::pin(async move {
            if sent.is_err() {
                return Err(SourceError(
                    "too many questions wait for a reader (webhooks.readers)".to_owned(),
                ));
            }
            let lost = || SourceError("the readers have ended".to_owned());
            hears.await.map_err(|_| lost())?
        })
    }
}
