//! What of delivery can be changed while it runs.

use super::answers::Answers;
use super::attempts::AttemptLog;
use super::postbox::Postbox;
use super::source::usual;
use crate::config::Webhooks;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use tollgate_relay::Usual;

/// Changes settings of a running delivery. Keeps nothing of it alive.
pub(crate) struct Tunable {
    usual: Arc<RwLock<Usual>>,
    log: Weak<AttemptLog>,
    postbox: Weak<Postbox>,
}

impl Tunable {
    /// Changes what holds for endpoints that say nothing of it, and how many successes are logged. What waits for another
    /// attempt goes on waiting as it was set down; the next failure is the first that goes by another schedule.
    ///
    /// # Errors
    /// A thread that delivers has too much to do to hear of it: its endpoints go by what was before until they change, or
    /// until this is asked for again.
    pub(crate) fn set(&self, settings: &Webhooks) -> Result<(), String> {
        if let Some(log) = self.log.upgrade() {
            log.set_successes_per_s(settings.log_successes_per_s);
        }
        *self.usual.write().unwrap_or_else(PoisonError::into_inner) = usual(settings);
        match self.postbox.upgrade() {
            Some(postbox) if !postbox.look_again() => {
                Err("webhooks: not every endpoint has heard of it; reload the settings again".to_owned())
            }
            _ => Ok(()),
        }
    }
}

impl Answers {
    /// What changes settings of the delivery that this answers for.
    pub(crate) fn tunable(&self) -> Tunable {
        Tunable {
            usual: Arc::clone(&self.usual),
            log: Arc::downgrade(&self.log),
            postbox: Arc::downgrade(&self.postbox),
        }
    }
}
