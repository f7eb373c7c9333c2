//! What is asked of whoever delivers under an idempotency key is asked once: the answer is remembered here, for whoever asks
//! again. It is forgotten when there is no room, and with the process; then the same is asked again, in the name of the same
//! request, of which whoever delivers knows what it began.

use crate::deliveries::Deliveries;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tollgate_actors::{Shown, refusals};
use tollgate_domain::webhooks::deliveries::DeliveryCall;
use tollgate_domain::{Profile, Reject};
use tollgate_resource::Id;
use tollgate_wire::errors;

/// Most answers that are remembered.
const ANSWERS_MAX: usize = 10_000;
/// Most questions with a key that are being answered.
const WORKING_MAX: usize = 1_000;

/// The way to whoever delivers.
#[derive(Clone)]
pub struct DeliveryDesk {
    port: Arc<dyn Deliveries>,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// By the request that asked first: the answer, or none while it is being found.
    answers: HashMap<Id, Option<Shown>>,
    /// Those that have one, oldest first.
    order: VecDeque<Id>,
}

impl DeliveryDesk {
    /// The way to whoever this is.
    pub fn new(port: Arc<dyn Deliveries>) -> DeliveryDesk {
        let kept = Arc::default();
        DeliveryDesk { port, kept }
    }

    pub(crate) fn port(&self) -> &Arc<dyn Deliveries> {
        &self.port
    }

    /// Asks what `first` asked under `key`, unless its answer is remembered. What is refused is not: it was not done, and may be
    /// done when it is asked again. Whoever stops listening changes nothing.
    pub(crate) async fn ask_once(
        &self,
        profile: Arc<Profile>,
        call: DeliveryCall,
        first: Id,
        key: &str,
    ) -> Result<Shown, Reject> {
        {
            let mut kept = self.kept();
            match kept.answers.get(&first) {
                Some(Some(told)) => return Ok(told.clone()),
                Some(None) => return Err(refusals::key_in_use(key)),
                None if kept.answers.len() - kept.order.len() >= WORKING_MAX => return Err(errors::unavailable()),
                None => kept.answers.insert(first, None),
            };
        }
        let mut work = Work {
            desk: self.clone(),
            first,
            told: None,
        };
        let asked = tokio::spawn(async move {
            let told = work.desk.port.ask(profile, call, Some(first)).await;
            work.told = told.as_ref().ok().cloned();
            drop(work);
            told
        });
        match asked.await {
            Ok(told) => told,
            Err(_) => Err(errors::internal()),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is being answered. Its end is noted, however it ends.
struct Work {
    desk: DeliveryDesk,
    first: Id,
    told: Option<Shown>,
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut kept = self.desk.kept();
        let Some(told) = self.told.take() else {
            kept.answers.remove(&self.first);
            return;
        };
        kept.answers.insert(self.first, Some(told));
        kept.order.push_back(self.first);
        if kept.order.len() > ANSWERS_MAX
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.answers.remove(&oldest);
        }
    }
}
