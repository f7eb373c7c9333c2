//! Sees every delivery, and knows what is allowed.

use std::collections::BTreeMap;
use tollgate_webhooks::hall::PROGRESS_MS;
use tollgate_webhooks::ports::Cause;
use tollgate_webhooks::{EndpointKey, Ordering, Sending};

/// Whoever serves an account hears within so long that an endpoint is deleted.
const DELETED_MS: u64 = 60_000;

/// A delivery.
struct Flight {
    sent: u64,
    key: EndpointKey,
    seq: u64,
    object: u64,
    owner: (usize, u64, u64),
    /// Whether it takes a turn of its object: not when somebody asked for it by hand, or order does not matter.
    in_turn: bool,
    acknowledged: bool,
}

/// See the module.
pub(crate) struct Auditor {
    seed: u64,
    numbers: u64,
    flights: BTreeMap<u64, Flight>,
    /// Per endpoint and event: how often it came, and when its first acknowledgement was heard.
    pub(crate) came: BTreeMap<(EndpointKey, u64), u32>,
    pub(crate) acknowledged: BTreeMap<(EndpointKey, u64), u64>,
    /// When each of them was sent, and its acknowledgement was heard, in that order.
    heard: Vec<(EndpointKey, u64, u64)>,
    /// In the order in which acknowledgements were heard for the first time.
    pub(crate) order: BTreeMap<EndpointKey, Vec<(u64, u64)>>,
    /// First attempts, likewise: event and object.
    pub(crate) first_sent: BTreeMap<EndpointKey, Vec<(u64, u64)>>,
    /// Deliveries of what had been acknowledged before, by no one's wish; and how many there may be.
    pub(crate) twice: u64,
    pub(crate) twice_max: u64,
    /// When endpoints were deleted.
    deleted: BTreeMap<EndpointKey, u64>,
    pub(crate) wrong: Vec<String>,
}

impl Auditor {
    pub(crate) fn new(seed: u64) -> Auditor {
        Auditor {
            seed,
            numbers: 0,
            flights: BTreeMap::new(),
            came: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            heard: Vec::new(),
            order: BTreeMap::new(),
            first_sent: BTreeMap::new(),
            twice: 0,
            twice_max: 0,
            deleted: BTreeMap::new(),
            wrong: Vec::new(),
        }
    }

    /// A delivery goes out.
    pub(crate) fn sent(
        &mut self,
        now: u64,
        owner: (usize, u64, u64),
        sending: &Sending,
        taken: bool,
        acknowledged: bool,
    ) -> u64 {
        let (key, seq, object) = (sending.endpoint.key, sending.event.seq, sending.event.object);
        let by_itself = matches!(sending.cause, Cause::Schedule | Cause::Probe);
        let in_turn = sending.endpoint.ordering != Ordering::None && sending.cause != Cause::Resend;
        let beside = self
            .flights
            .values()
            .filter(|it| it.key == key && it.object == object && it.owner == owner && it.in_turn);
        let beside: Vec<u64> = beside.map(|it| it.seq).collect();
        if in_turn && !beside.is_empty() {
            self.complain(format!(
                "at {now} event {seq} goes to {key:?} while {beside:?} about the same object are out"
            ));
        }
        if self.deleted.get(&key).is_some_and(|at| at + DELETED_MS < now) {
            self.complain(format!("at {now} event {seq} goes to {key:?}, which is deleted"));
        }
        if self.acknowledged.contains_key(&(key, seq)) && by_itself {
            self.twice += 1;
        }
        if !self.came.contains_key(&(key, seq)) {
            self.first_sent.entry(key).or_default().push((seq, object));
        }
        *self.came.entry((key, seq)).or_default() += u32::from(taken);
        self.numbers += 1;
        let flight = Flight {
            sent: now,
            key,
            seq,
            object,
            owner,
            in_turn,
            acknowledged,
        };
        self.flights.insert(self.numbers, flight);
        self.numbers
    }

    /// A delivery has ended; whether whoever sent it is still there to hear of it.
    pub(crate) fn landed(&mut self, now: u64, flight: u64, heard: bool) {
        let Some(flight) = self.flights.remove(&flight) else {
            return;
        };
        if flight.acknowledged && heard && !self.acknowledged.contains_key(&(flight.key, flight.seq)) {
            self.acknowledged.insert((flight.key, flight.seq), now);
            self.heard.push((flight.key, flight.sent, now));
            self.order
                .entry(flight.key)
                .or_default()
                .push((flight.seq, flight.object));
        }
    }

    /// An owner crashed: of what was heard within so many milliseconds, those that had to be durable are noted. The others
    /// come again: what was heard from some moment on and sent less than [`PROGRESS_MS`] after it.
    pub(crate) fn owner_gone(&mut self, now: u64, within: u64, of: impl Fn(EndpointKey) -> bool) {
        let lately = self.heard.iter().rev().take_while(|(.., heard)| heard + within >= now);
        let lately: Vec<(u64, u64)> = lately
            .filter(|(key, ..)| of(*key))
            .map(|(_, sent, heard)| (*sent, *heard))
            .collect();
        let from = |since: u64| {
            lately
                .iter()
                .filter(move |(sent, heard)| *heard >= since && *sent < since + PROGRESS_MS)
        };
        self.twice_max += lately
            .iter()
            .map(|(_, since)| from(*since).count() as u64)
            .max()
            .unwrap_or(0);
        self.forget_flights(of);
    }

    /// A shard went elsewhere, with everything that was heard: what is still out comes again when it was taken.
    pub(crate) fn moved(&mut self, of: impl Fn(EndpointKey) -> bool) {
        self.forget_flights(of);
    }

    /// A lane panicked: what else is out of it is not heard of.
    pub(crate) fn panicked(&mut self, panicked: EndpointKey) {
        self.forget_flights(|key| key == panicked);
    }

    pub(crate) fn deleted(&mut self, now: u64, key: EndpointKey) {
        self.deleted.insert(key, now);
    }

    pub(crate) fn complain(&mut self, what: String) {
        if self.wrong.len() < 20 {
            self.wrong.push(format!("seed {}: {what}", self.seed));
        }
    }

    fn forget_flights(&mut self, of: impl Fn(EndpointKey) -> bool) {
        for flight in self.flights.values_mut().filter(|it| of(it.key)) {
            flight.acknowledged = false;
            flight.in_turn = false;
        }
    }
}
