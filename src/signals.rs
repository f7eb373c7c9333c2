//! Signals that the process listens for.

use crate::exit::Failure;
use std::future::Future;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT, listened for since before the first request could be answered: whoever saw that the server is ready
/// can stop it gracefully.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    came: bool,
}

impl StopSignals {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<StopSignals, Failure> {
        Ok(StopSignals {
            terminate: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
            came: false,
        })
    }

    /// Waits for one of them; at once if one has come already.
    pub(crate) async fn wait(&mut self) {
        if self.came {
            return;
        }
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        self.came = true;
    }

    /// Waits for something, unless one of them comes first; then [`StopSignals::wait`] knows of it.
    pub(crate) async fn or(&mut self, other: impl Future<Output = ()>) {
        tokio::select! {
            () = self.wait() => {}
            () = other => {}
        }
    }
}

/// Listens for a signal; from then on it does not end the process.
pub(crate) fn of(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::environment(format!("cannot listen for signals: {error}")))
}
