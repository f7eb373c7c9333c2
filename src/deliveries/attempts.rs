//! The log of attempts: the store's trail behind the port of delivery, and what is read of it. All attempts that failed are
//! logged, and so many a second of those that succeeded.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tollgate_domain::kinds;
use tollgate_domain::webhooks::deliveries::{AttemptCause, AttemptFailure, AttemptList, AttemptResult, WebhookAttempt};
use tollgate_resource::Id;
use tollgate_store::StoreError;
use tollgate_store::trail::{Entry, Position, Query, READ_MAX, Trail};
use tollgate_webhooks::EndpointKey;
use tollgate_webhooks::ports::{self, Answer, Attempt, Cause, Failure};

/// Most reads of the trail for one page: where few of many attempts are wanted, the page may be short.
const READS_MAX: usize = 20;
/// How far the clock of another node may be ahead of this one's for its attempts to be seen here, and that of whoever recorded an
/// event ahead of that of whoever sent it.
const AHEAD_MS: u64 = 60 * 60 * 1_000;
/// Bits of a position's number that stand in the account's tag of an attempt's id.
const TAG_BITS: u32 = 32;

/// The log.
pub(crate) struct AttemptLog {
    trail: Arc<dyn Trail>,
    /// Number of the next attempt; begins anywhere, so that those of two processes differ.
    next: AtomicU64,
    successes_per_s: AtomicU32,
    /// The second in which successes were logged last, and how many.
    logged: Mutex<(u64, u32)>,
}

/// A page of attempts, newest first.
pub(crate) struct AttemptPage {
    pub(crate) attempts: Vec<WebhookAttempt>,
    pub(crate) has_more: bool,
}

impl AttemptLog {
    /// A log in this trail that takes so many successes a second.
    pub(crate) fn new(trail: Arc<dyn Trail>, successes_per_s: u32) -> AttemptLog {
        AttemptLog {
            trail,
            next: AtomicU64::new(getrandom::u64().expect("the operating system gives entropy")),
            successes_per_s: AtomicU32::new(successes_per_s),
            logged: Mutex::default(),
        }
    }

    /// Where entries are kept.
    pub(crate) fn trail(&self) -> &Arc<dyn Trail> {
        &self.trail
    }

    /// Logs an attempt; its id.
    pub(crate) fn log(&self, attempt: &Attempt) -> Id {
        let at = Position {
            at_ms: attempt.began_ms,
            id: self.next.fetch_add(1, Relaxed),
        };
        self.trail.append(Entry {
            subject: attempt.endpoint.subject(),
            second: attempt.event_seq,
            at,
            bytes: attempt.to_log(),
        });
        id_of(at)
    }

    /// Whether a success of this time is among those that are logged.
    fn takes_success(&self, at_ms: u64) -> bool {
        let second = at_ms / 1_000;
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.0 != second {
            *logged = (second, 0);
        }
        logged.1 = logged.1.saturating_add(1);
        logged.1 <= self.successes_per_s.load(Relaxed)
    }

    /// From now on so many successes a second are logged.
    pub(crate) fn set_successes_per_s(&self, count: u32) {
        self.successes_per_s.store(count, Relaxed);
    }

    /// A page of the attempts to these endpoints, each with its id, newest first; `None` when the attempt that it is to begin
    /// behind is none of theirs, or is not kept any more. May wait for the store.
    ///
    /// # Errors
    /// When the trail cannot be read.
    pub(crate) fn page(
        &self,
        endpoints: &[(EndpointKey, Id)],
        list: &AttemptList,
        now_ms: u64,
    ) -> Result<Option<AttemptPage>, StoreError> {
        let newest_ms = now_ms + AHEAD_MS;
        let ms = |seconds: i64| u64::try_from(seconds).unwrap_or(0).saturating_mul(1_000);
        let mut before = Position::at(newest_ms.min(ms(list.created.max.saturating_add(1))));
        if let Some(after) = list.after {
            if !self.has(endpoints, after.0)? {
                return Ok(None);
            }
            before = before.min(position_of(after.0));
        }
        let event = list.event.map(|event| event.0);
        // An attempt never began before its event happened, but by the clock of the shard and not by that of delivery.
        let happened_ms = event.map_or(0, |event| event.unix_ms().saturating_sub(AHEAD_MS));
        let from = Position::at(ms(list.created.min).max(happened_ms));
        let mut found = Vec::new();
        let mut has_more = false;
        for (endpoint, id) in endpoints {
            let mut query = Query {
                subject: endpoint.subject(),
                second: event.map(Id::seq),
                from,
                before,
                limit: READ_MAX.min(10 * (list.limit + 1)),
            };
            let mut of_this = 0;
            for read in 0..READS_MAX {
                let entries = self.trail.read(&query)?;
                let ended = entries.len() < query.limit;
                if let Some(last) = entries.last() {
                    query.before = last.at;
                }
                for entry in entries {
                    let shown = shown(&entry, *endpoint, *id);
                    // Another account's event may have the same number.
                    let shown = shown.filter(|shown| event.is_none() || shown.event == event);
                    let wanted =
                        shown.filter(|shown| list.outcome.is_none_or(|wanted| shown.result.outcome() == wanted));
                    of_this += usize::from(wanted.is_some());
                    found.extend(wanted);
                }
                if ended || of_this > list.limit {
                    break;
                }
                has_more |= read + 1 == READS_MAX;
            }
        }
        found.sort_unstable_by_key(|attempt| std::cmp::Reverse(position_of(attempt.id)));
        has_more |= found.len() > list.limit;
        found.truncate(list.limit);
        Ok(Some(AttemptPage {
            attempts: found,
            has_more,
        }))
    }

    /// Whether one of the endpoints has this attempt.
    fn has(&self, endpoints: &[(EndpointKey, Id)], attempt: Id) -> Result<bool, StoreError> {
        let from = position_of(attempt);
        let before = Position {
            id: from.id.saturating_add(1),
            ..from
        };
        for (endpoint, id) in endpoints {
            let query = Query {
                subject: endpoint.subject(),
                second: None,
                from,
                before,
                limit: 1,
            };
            let entries = self.trail.read(&query)?;
            if entries.iter().any(|entry| shown(entry, *endpoint, *id).is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl ports::Trail for AttemptLog {
    fn attempt(&self, attempt: Attempt) {
        if !attempt.outcome.answer.is_taken() || self.takes_success(attempt.began_ms) {
            self.log(&attempt);
        }
    }
}

/// Attempts that are not in the log although they should be.
const DROPPED: &str = "tollgate_webhook_attempts_dropped_total";
/// Bytes of the log in the data directory.
const BYTES: &str = "tollgate_webhook_attempts_bytes";
/// How often the two are set.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// Counts what the log drops, until it is closed. Must be called inside a runtime.
pub(super) async fn watch(trail: Weak<dyn Trail>) {
    metrics::describe_counter!(
        DROPPED,
        "Attempts that could not be logged, by why: queue (too many at once), store (no room, or no store). Alert when it rises."
    );
    metrics::describe_gauge!(BYTES, "Bytes of the log of attempts in the data directory.");
    let (full, failed) = (
        metrics::counter!(DROPPED, "why" => "queue"),
        metrics::counter!(DROPPED, "why" => "store"),
    );
    let bytes = metrics::gauge!(BYTES);
    let mut clock = tokio::time::interval(WATCH_EVERY);
    loop {
        clock.tick().await;
        let Some(trail) = trail.upgrade() else { return };
        let counts = trail.counts();
        full.absolute(counts.dropped_full);
        failed.absolute(counts.dropped_failed);
        bytes.set(counts.bytes as f64);
    }
}

/// The id of the attempt that stands there.
fn id_of(at: Position) -> Id {
    Id::new(&kinds::WEBHOOK_ATTEMPT, at.at_ms, at.id >> TAG_BITS, at.id as u32)
}

/// Where the attempt with that id stands.
fn position_of(id: Id) -> Position {
    Position {
        at_ms: id.unix_ms(),
        id: id.seq() << TAG_BITS | u64::from(id.account_tag()),
    }
}

/// What an entry shows; `None` for one that is of another endpoint, or that a newer release wrote.
fn shown(entry: &Entry, endpoint: EndpointKey, id: Id) -> Option<WebhookAttempt> {
    let attempt = Attempt::from_log(&entry.bytes).ok()?;
    (attempt.endpoint == endpoint).then(|| of_attempt(attempt, id_of(entry.at), id))
}

/// An attempt as it is shown.
pub(crate) fn of_attempt(attempt: Attempt, id: Id, endpoint: Id) -> WebhookAttempt {
    let outcome = attempt.outcome;
    WebhookAttempt {
        id,
        endpoint,
        // A test's event is none that anybody could ask for.
        event: kinds::EVENT.parse(&attempt.event_id).filter(|_| attempt.event_seq > 0),
        number: attempt.number,
        cause: match attempt.cause {
            Cause::Schedule => AttemptCause::Schedule,
            Cause::Probe => AttemptCause::Probe,
            Cause::Resend => AttemptCause::Resend,
            Cause::Recovery => AttemptCause::Recovery,
            Cause::Replay => AttemptCause::Replay,
            Cause::Test => AttemptCause::Test,
        },
        took_ms: outcome.took_ms,
        result: match outcome.answer {
            Answer::Taken { status } => AttemptResult::Succeeded(status),
            Answer::Refused { status, .. } => AttemptResult::Refused(status),
            Answer::Failed { failure, why } => AttemptResult::Failed(failure_of(failure), why),
        },
        address: outcome.peer.map(|peer| peer.to_string().into()),
        reused: outcome.reused,
        excerpt: String::from_utf8_lossy(&outcome.excerpt).into(),
    }
}

fn failure_of(failure: Failure) -> AttemptFailure {
    match failure {
        Failure::Resolve => AttemptFailure::Resolve,
        Failure::Blocked => AttemptFailure::Blocked,
        Failure::Connect => AttemptFailure::Connect,
        Failure::Tls => AttemptFailure::Tls,
        Failure::Timeout => AttemptFailure::Timeout,
        Failure::Closed => AttemptFailure::Closed,
        Failure::Malformed => AttemptFailure::Malformed,
        Failure::Internal => AttemptFailure::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::webhooks::deliveries::AttemptOutcome;
    use tollgate_resource::params::Range;
    use tollgate_store::trail::memory::MemoryTrail;
    use tollgate_webhooks::ports::Outcome;

    const NOW_MS: u64 = 1_790_000_000_000;
    const ENDPOINT: EndpointKey = EndpointKey { account: 7, seq: 3 };

    /// An attempt to bring the event with this number, from 1.
    fn attempt(event_seq: u64, began_ms: u64, status: u16) -> Attempt {
        let answer = match status {
            200..300 => Answer::Taken { status },
            _ => Answer::Refused {
                status,
                retry_after_ms: None,
            },
        };
        let event = Id::new(&kinds::EVENT, NOW_MS - 100_000, event_seq, 7);
        Attempt {
            shard: 0,
            endpoint: ENDPOINT,
            event_seq,
            event_id: event.text(&kinds::EVENT).into(),
            number: 1,
            cause: Cause::Schedule,
            began_ms,
            outcome: Outcome::of(answer, 12),
        }
    }

    fn log(successes_per_s: u32) -> AttemptLog {
        AttemptLog::new(Arc::new(MemoryTrail::new(10_000)), successes_per_s)
    }

    fn list(limit: usize) -> AttemptList {
        AttemptList {
            event: None,
            endpoint: None,
            outcome: None,
            created: Range::ALL,
            after: None,
            limit,
        }
    }

    fn page(log: &AttemptLog, list: &AttemptList) -> AttemptPage {
        let endpoints = [(ENDPOINT, Id::new(&kinds::WEBHOOK_ENDPOINT, NOW_MS, 3, 7))];
        log.page(&endpoints, list, NOW_MS).expect("readable").expect("a page")
    }

    #[test]
    fn every_failure_is_logged_and_successes_up_to_a_rate() {
        let log = log(2);
        for n in 1..6 {
            ports::Trail::attempt(&log, attempt(n, NOW_MS, 200));
            ports::Trail::attempt(&log, attempt(n, NOW_MS, 500));
        }
        ports::Trail::attempt(&log, attempt(9, NOW_MS + 1_000, 204));
        let page = page(&log, &list(100));
        let of = |outcome| page.attempts.iter().filter(|it| it.result.outcome() == outcome).count();
        assert_eq!((of(AttemptOutcome::Failed), of(AttemptOutcome::Succeeded)), (5, 3));
    }

    #[test]
    fn pages_follow_each_other_by_the_ids_of_attempts() {
        let log = log(u32::MAX);
        for n in 1..26 {
            log.log(&attempt(n, NOW_MS - 60_000 + n / 4, 200));
        }
        let (mut seen, mut asked) = (Vec::new(), list(7));
        loop {
            let page = page(&log, &asked);
            let last = page
                .attempts
                .last()
                .expect("a page that was announced has something")
                .id;
            asked.after = Some(tollgate_domain::kinds::WebhookAttemptId(last));
            seen.extend(page.attempts.iter().filter_map(|it| it.event).map(Id::seq));
            if !page.has_more {
                break;
            }
        }
        assert_eq!(seen, (1..26).rev().collect::<Vec<u64>>());
    }

    #[test]
    fn events_outcomes_and_times_pick_theirs() {
        let log = log(u32::MAX);
        for n in 0..100u64 {
            let status = if n % 10 == 0 { 503 } else { 200 };
            log.log(&attempt(n / 2, NOW_MS - 100_000 + n * 1_000, status));
        }
        let failed = AttemptList {
            outcome: Some(AttemptOutcome::Failed),
            ..list(4)
        };
        let found = page(&log, &failed);
        assert!(found.has_more && found.attempts.len() == 4);
        assert!(found.attempts.iter().all(|it| it.result == AttemptResult::Refused(503)));
        let of_event = AttemptList {
            event: Some(kinds::EventId(Id::new(&kinds::EVENT, NOW_MS - 100_000, 20, 7))),
            ..list(10)
        };
        let found = page(&log, &of_event);
        assert_eq!((found.attempts.len(), found.has_more), (2, false));
        let second = (NOW_MS / 1_000 - 50) as i64;
        let of_time = AttemptList {
            created: Range {
                min: second,
                max: second + 1,
            },
            ..list(10)
        };
        assert_eq!(page(&log, &of_time).attempts.len(), 2);
    }

    #[test]
    fn an_attempt_that_began_before_its_event_by_another_clock_is_shown_with_it() {
        let log = log(u32::MAX);
        let event = Id::new(&kinds::EVENT, NOW_MS - 100_000, 8, 7);
        for began_ms in [event.unix_ms() - 2_000, event.unix_ms() - 1, event.unix_ms() + 900] {
            log.log(&attempt(8, began_ms, 503));
        }
        let of_event = AttemptList {
            event: Some(kinds::EventId(event)),
            ..list(10)
        };
        assert_eq!(page(&log, &of_event).attempts.len(), 3);
    }

    #[test]
    fn an_attempt_of_another_endpoint_under_the_same_number_is_not_shown() {
        let log = log(u32::MAX);
        let mut other = attempt(1, NOW_MS, 200);
        log.log(&other);
        // As if two endpoints met in one number.
        other.endpoint.account = 8;
        log.trail.append(Entry {
            subject: ENDPOINT.subject(),
            second: 1,
            at: Position { at_ms: NOW_MS, id: 99 },
            bytes: other.to_log(),
        });
        assert_eq!(page(&log, &list(10)).attempts.len(), 1);
        // Nor is it a place where a page begins, and an event of another account with the same number is another one.
        let endpoints = [(ENDPOINT, Id::new(&kinds::WEBHOOK_ENDPOINT, NOW_MS, 3, 7))];
        let foreign = AttemptList {
            after: Some(kinds::WebhookAttemptId(id_of(Position { at_ms: NOW_MS, id: 99 }))),
            ..list(10)
        };
        assert!(log.page(&endpoints, &foreign, NOW_MS).expect("readable").is_none());
        let foreign = AttemptList {
            event: Some(kinds::EventId(Id::new(&kinds::EVENT, NOW_MS, 1, 8))),
            ..list(10)
        };
        assert_eq!(page(&log, &foreign).attempts.len(), 0);
    }
}
