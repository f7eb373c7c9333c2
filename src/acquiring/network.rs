//! The simulated network: waits, loses, decides by its book, answers.

use crate::book::{AttemptLine, Book, Snapshot, Violations};
use crate::journey::{self, Faults, Journey};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tollgate_domain::acquirer::{Ask, Asked, AttemptId, NetworkAnswer, NetworkCall, Said};
use tollgate_domain::payments::payment_method::declines;

/// How the network behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkSettings {
    /// Time a call takes at least, there and back, in milliseconds.
    pub latency_ms: u64,
    /// Time it may take longer, by chance, in milliseconds.
    pub jitter_ms: u64,
    /// The caller's deadline for an attempt, in milliseconds: what gets no answer is silent for this long, what is slow
    /// takes half of it, what is late takes a quarter longer.
    pub deadline_ms: u64,
    /// Seed of all chance.
    pub seed: u64,
    /// Faults by chance.
    pub faults: Faults,
}

/// A network across the world, in this process. Clones share one book.
#[derive(Clone)]
pub struct SimulatedNetwork {
    inner: Arc<Inner>,
}

struct Inner {
    settings: NetworkSettings,
    book: Mutex<Book>,
}

impl SimulatedNetwork {
    /// A network with an empty book.
    ///
    /// # Panics
    /// When the fault rates exceed a whole, or a call without faults could miss the deadline: then the settings do not
    /// say what they mean.
    pub fn new(settings: NetworkSettings) -> SimulatedNetwork {
        assert!(settings.faults.add_up(), "the fault rates exceed a million");
        assert!(
            settings.latency_ms + settings.jitter_ms < settings.deadline_ms,
            "latency_ms and jitter_ms together must be less than the deadline"
        );
        SimulatedNetwork {
            inner: Arc::new(Inner {
                settings,
                book: Mutex::default(),
            }),
        }
    }

    /// Carries a call to the network and its answer back; answers exactly once. Where no answer comes, this one is
    /// [`Said::Silence`], after the deadline. Dropping the future loses whatever is still on its way.
    pub fn perform(&self, call: NetworkCall) -> impl Future<Output = NetworkAnswer> + Send + 'static + use<> {
        let inner = self.inner.clone();
        async move {
            NetworkAnswer {
                to: asked(&call.ask),
                said: inner.carry(&call).await,
            }
        }
    }

    /// A copy of the book.
    pub fn book(&self) -> Snapshot {
        self.inner.book().snapshot()
    }

    /// One attempt of the book; `None` if it never arrived.
    pub fn attempt(&self, attempt: AttemptId) -> Option<AttemptLine> {
        self.inner.book().line(attempt)
    }

    /// How often callers broke a rule.
    pub fn violations(&self) -> Violations {
        self.inner.book().violations()
    }
}

impl Inner {
    async fn carry(&self, call: &NetworkCall) -> Said {
        let settings = &self.settings;
        let tries = self.book().begin(call.attempt, &call.ask);
        let fate = journey::fate(&settings.faults, settings.seed, call, tries);
        let usual_ms = settings.latency_ms + fate.jitter % (settings.jitter_ms + 1);
        let late_ms = settings.deadline_ms + settings.deadline_ms / 4 + 1;
        let slow_ms = usual_ms.max(settings.deadline_ms / 2);
        let (there_ms, back_ms) = match fate.journey {
            Journey::LostRequest => {
                sleep_ms(settings.deadline_ms).await;
                return Said::Silence;
            }
            Journey::Plain => (usual_ms / 2, usual_ms - usual_ms / 2),
            Journey::Slow => (slow_ms / 2, slow_ms - slow_ms / 2),
            Journey::LateRequest => (late_ms, usual_ms),
            Journey::LateAnswer => (usual_ms / 2, late_ms - usual_ms / 2),
            Journey::LostAnswer => (usual_ms / 2, settings.deadline_ms - usual_ms / 2),
        };
        sleep_ms(there_ms).await;
        let said = self
            .book()
            .arrive(call.attempt, &call.ask, fate.decline, declines::GENERIC.number);
        sleep_ms(back_ms).await;
        if fate.journey == Journey::LostAnswer {
            Said::Silence
        } else {
            said
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("no call panics while it holds the book")
    }
}

/// Which question an answer to `ask` answers.
fn asked(ask: &Ask) -> Asked {
    match ask {
        Ask::Authorise(_) | Ask::Purchase(_) | Ask::Capture { .. } | Ask::Refund { .. } | Ask::Verify { .. } => {
            Asked::Request
        }
        Ask::Inquire => Asked::Inquiry,
        Ask::Reverse => Asked::Reversal,
    }
}

async fn sleep_ms(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}
