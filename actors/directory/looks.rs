//! Looks at the journal that requests wait for. One look serves everybody who asked before it began, so that any number of
//! unknown keys costs the store one read at a time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use tokio::sync::watch;

/// Who waits, and what was looked at.
pub(super) struct Looks {
    /// Looks asked for so far.
    asked: AtomicU64,
    /// Whether the thread was told already that somebody waits.
    told: AtomicBool,
    newest: watch::Sender<Looked>,
}

/// The newest look.
#[derive(Clone, Copy, Default)]
struct Looked {
    /// It began after so many were asked for.
    covers: u64,
    /// Whether the journal could be read.
    succeeded: bool,
}

impl Looks {
    pub(super) fn new() -> Looks {
        Looks {
            asked: AtomicU64::new(0),
            told: AtomicBool::new(false),
            newest: watch::Sender::new(Looked::default()),
        }
    }

    /// Waits for a look that begins after this call; false when the journal could not be read. `tell` tells the thread,
    /// and whether it could.
    pub(super) async fn wait(&self, tell: impl FnOnce() -> bool) -> bool {
        let mut newest = self.newest.subscribe();
        let number = self.asked.fetch_add(1, SeqCst) + 1;
        if !self.told.swap(true, SeqCst) && !tell() {
            self.told.store(false, SeqCst);
            return false;
        }
        match newest.wait_for(|looked| looked.covers >= number).await {
            Ok(looked) => looked.succeeded,
            Err(_) => false,
        }
    }

    /// A look begins. Gives what [`Looks::end`] is to be told.
    pub(super) fn begin(&self) -> u64 {
        // In this order: whoever asks from now on tells again, whoever asked before is covered.
        self.told.store(false, SeqCst);
        self.asked.load(SeqCst)
    }

    /// The look that began with `covers` is over.
    pub(super) fn end(&self, covers: u64, succeeded: bool) {
        self.newest.send_replace(Looked { covers, succeeded });
    }
}
