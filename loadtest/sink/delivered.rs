//! What was found about webhooks, as the record keeps it.

use crate::exact;
use crate::open_loop::samples::histogram;
use hdrhistogram::Histogram;
use serde_json::{Value, json};

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    /// Endpoints that were registered.
    pub(crate) endpoints: u64,
    /// Deliveries owed: for each endpoint, each event that its account has had since.
    pub(crate) owed: u64,
    /// Events that came, each once for an endpoint.
    pub(crate) received: u64,
    /// Of those owed, the ones that did not come.
    pub(crate) missing: u64,
    /// Events that came and are in no list.
    pub(crate) unlisted: u64,
    /// Deliveries whose event had come before.
    pub(crate) again: u64,
    /// Events that came after a younger one about the same object.
    pub(crate) late: u64,
    /// Deliveries without a good signature.
    pub(crate) not_signed: u64,
    /// Deliveries that are signed, and no events.
    pub(crate) malformed: u64,
    /// Events that there was no room to keep: then nothing is said about the others.
    pub(crate) dropped: u64,
    /// From the sending of the request that paid, its own answer's time included, to the delivery that says so,
    /// microseconds. Of the first endpoint that was told.
    pub(crate) latency_us: Histogram<u64>,
    /// Seconds from the end of the schedule until everything had come, or was given up.
    pub(crate) took_s: f64,
}

impl Default for Delivered {
    fn default() -> Self {
        Delivered {
            endpoints: 0,
            owed: 0,
            received: 0,
            missing: 0,
            unlisted: 0,
            again: 0,
            late: 0,
            not_signed: 0,
            malformed: 0,
            dropped: 0,
            latency_us: histogram(),
            took_s: 0.0,
        }
    }
}

impl Delivered {
    /// For the record.
    pub(crate) fn json(&self) -> Value {
        json!({
            "endpoints": self.endpoints,
            "owed": self.owed,
            "received": self.received,
            "missing": self.missing,
            "unlisted": self.unlisted,
            "again": self.again,
            "late": self.late,
            "not_signed": self.not_signed,
            "malformed": self.malformed,
            "dropped": self.dropped,
            "latency_us": crate::record::latency(&self.latency_us),
            "histogram_us": exact::pairs(&self.latency_us),
            "took_s": self.took_s,
        })
    }

    /// Reads it back.
    pub(crate) fn read(value: &Value) -> Option<Delivered> {
        let count = |name: &str| value[name].as_u64();
        Some(Delivered {
            endpoints: count("endpoints")?,
            owed: count("owed")?,
            received: count("received")?,
            missing: count("missing")?,
            unlisted: count("unlisted")?,
            again: count("again")?,
            late: count("late")?,
            not_signed: count("not_signed")?,
            malformed: count("malformed")?,
            dropped: count("dropped")?,
            latency_us: exact::latencies(&value["histogram_us"])?,
            took_s: value["took_s"].as_f64()?,
        })
    }

    /// Adds what another part found.
    pub(crate) fn add(&mut self, other: &Delivered) {
        self.endpoints += other.endpoints;
        self.owed += other.owed;
        self.received += other.received;
        self.missing += other.missing;
        self.unlisted += other.unlisted;
        self.again += other.again;
        self.late += other.late;
        self.not_signed += other.not_signed;
        self.malformed += other.malformed;
        self.dropped += other.dropped;
        self.latency_us.add(&other.latency_us).expect("it grows as needed");
        self.took_s = self.took_s.max(other.took_s);
    }
}
