//! The threads that speak to the cluster. The port of the store is synchronous and is called from threads of all sorts, some
//! of them inside another runtime, so whoever waits does so on a channel.

use std::future::Future;
use std::sync::Arc;
use tollgate_store::StoreError;

/// Threads of the driver and of the protocol. They wait for the network most of the time.
const THREADS: usize = 1;

/// A handle to the threads. The last one to go stops them without waiting: what is under way has no known outcome then, as in
/// a crash, and the next owner finds out.
#[derive(Clone)]
pub(crate) struct Runtime(Arc<Running>);

struct Running(Option<tokio::runtime::Runtime>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Runtime {
    pub(crate) fn start() -> Result<Runtime, StoreError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("tollgate-cql")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| StoreError::Io {
            place: "the cluster store".to_owned(),
            what: format!("its threads cannot be started: {error}"),
        })?;
        Ok(Runtime(Arc::new(Running(Some(runtime)))))
    }

    fn running(&self) -> &tokio::runtime::Runtime {
        self.0.0.as_ref().expect("it runs as long as somebody has it")
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.running().spawn(work);
    }

    /// Runs something there and waits for it here.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, answer) = std::sync::mpsc::sync_channel(1);
        self.spawn(async move {
            // Nobody listens any more where the caller is gone.
            let _ = sender.send(work.await);
        });
        answer.recv().map_err(|_| StoreError::Stopped)
    }
}
