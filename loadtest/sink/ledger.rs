//! What one endpoint was sent: each signature is checked, each event is noted once, and the order of events about one
//! object is watched.

use hashbrown::{HashMap, HashSet};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use std::borrow::Cow;

/// Seconds by which a signature's time may differ from this machine's: what official libraries allow.
const TOLERANCE_S: u64 = 300;
/// The event that says that a payment is paid: its way is timed.
const TIMED: &str = "payment_intent.succeeded";

/// A delivery's headers, as far as they count.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Headers<'a> {
    pub(super) signature: Option<&'a str>,
    /// Number of the event among those of its object.
    pub(super) nth: Option<&'a str>,
}

/// What is made of a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// Its event came for the first time. The name of a payment, when it says that it is paid.
    New {
        /// Of a payment that it says is paid.
        paid: Option<u64>,
        /// Whether an event about the same object that is younger came before it.
        late: bool,
    },
    /// Its event came before.
    Again,
    /// Its signature is none, or another's.
    Unsigned,
    /// It is signed, and no event with its numbers.
    Malformed,
}

/// Everything about one endpoint.
pub(super) struct Ledger {
    key: Hmac<Sha256>,
    /// Names of the events that came.
    pub(super) events: HashSet<u64>,
    /// By the name of an object, the number of the newest event about it.
    objects: HashMap<u64, u64>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: Object<'a>,
}

#[derive(Deserialize)]
struct Object<'a> {
    // A balance has none.
    #[serde(borrow, default)]
    id: Cow<'a, str>,
}

impl Ledger {
    /// Of an endpoint with this secret.
    pub(super) fn new(secret: &str) -> Ledger {
        Ledger {
            key: <Hmac<Sha256>>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length"),
            events: HashSet::new(),
            objects: HashMap::new(),
        }
    }

    /// Takes a delivery at `now_s` (unix seconds).
    pub(super) fn take(&mut self, headers: Headers<'_>, body: &[u8], now_s: u64) -> Taken {
        if !headers
            .signature
            .is_some_and(|signature| self.is_signed(signature, body, now_s))
        {
            return Taken::Unsigned;
        }
        let nth = headers
            .nth
            .and_then(|nth| nth.parse::<u64>().ok())
            .filter(|nth| *nth > 0);
        let (Ok(event), Some(nth)) = (serde_json::from_slice::<Event<'_>>(body), nth) else {
            return Taken::Malformed;
        };
        if !self.events.insert(name(&event.id)) {
            return Taken::Again;
        }
        let object = name(&event.data.object.id);
        let newest = self.objects.entry(object).or_default();
        let late = nth <= *newest;
        *newest = nth.max(*newest);
        Taken::New {
            paid: (event.kind == TIMED).then_some(object),
            late,
        }
    }

    fn is_signed(&self, signature: &str, body: &[u8], now_s: u64) -> bool {
        let parts = || signature.split(',').filter_map(|part| part.split_once('='));
        let Some(stamp) = parts().find_map(|(scheme, value)| (scheme == "t").then_some(value)) else {
            return false;
        };
        if !stamp
            .parse::<u64>()
            .is_ok_and(|stamp| stamp.abs_diff(now_s) <= TOLERANCE_S)
        {
            return false;
        }
        let mut mac = self.key.clone();
        mac.update(stamp.as_bytes());
        mac.update(b".");
        mac.update(body);
        let expected = hex(&mac.finalize().into_bytes());
        parts().any(|(scheme, value)| scheme == "v1" && value.as_bytes() == expected)
    }
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| DIGITS[usize::from(digit)]).collect()
}

/// An id as a number: among so many ids as are kept, two of one number are less likely than a broken disk.
pub(crate) fn name(id: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325;
    let hash = id.bytes().fold(start, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    crate::random::mix(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_test_secret";

    fn event(id: &str, kind: &str, object: &str) -> Vec<u8> {
        format!("{{\"id\": \"{id}\", \"object\": \"event\", \"data\": {{\"object\": {{\"amount\": 1, \"id\": \"{object}\"}}}}, \"type\": \"{kind}\"}}")
            .into_bytes()
    }

    fn signed(stamp: u64, body: &[u8]) -> String {
        let mut mac = Ledger::new(SECRET).key;
        mac.update(format!("{stamp}.").as_bytes());
        mac.update(body);
        let v1 = hex(&mac.finalize().into_bytes());
        format!("t={stamp},v1={}", String::from_utf8(v1).unwrap())
    }

    fn take(ledger: &mut Ledger, body: &[u8], nth: &str) -> Taken {
        let signature = signed(1_000, body);
        let headers = Headers {
            signature: Some(&signature),
            nth: Some(nth),
        };
        ledger.take(headers, body, 1_000)
    }

    #[test]
    fn order_and_repeats_are_seen_by_object() {
        let mut ledger = Ledger::new(SECRET);
        let new = |paid: Option<&str>, late| Taken::New {
            paid: paid.map(name),
            late,
        };
        let a = |n: &str, kind: &str| event(&format!("evt_a{n}"), kind, "pi_a");
        assert_eq!(
            take(&mut ledger, &a("1", "payment_intent.created"), "1"),
            new(None, false)
        );
        assert_eq!(
            take(&mut ledger, &event("evt_b1", "charge.succeeded", "ch_b"), "1"),
            new(None, false)
        );
        assert_eq!(take(&mut ledger, &a("3", TIMED), "3"), new(Some("pi_a"), false));
        assert_eq!(take(&mut ledger, &a("3", TIMED), "3"), Taken::Again);
        assert_eq!(
            take(&mut ledger, &a("2", "payment_intent.requires_action"), "2"),
            new(None, true)
        );
        assert_eq!(take(&mut ledger, &a("4", "x"), "4"), new(None, false));
        assert_eq!(ledger.events.len(), 5);
    }

    /// Computed with `openssl dgst -sha256 -hmac`.
    #[test]
    fn a_signature_of_another_implementation_is_good() {
        let ledger = Ledger::new(SECRET);
        let body = br#"{"id":"evt_test_webhook","object":"event"}"#;
        let v1 = "v1=d95c6b7477fbd7e9f90b1b0ef5f9c7ac25abca5382460e0d988c2b2a5b71b990";
        for (signature, now, good) in [
            (format!("t=1700000000,{v1}"), 1_700_000_000, true),
            (format!("t=1700000000,v1=00,{v1}"), 1_700_000_300, true),
            (format!("t=1700000000,{v1}"), 1_700_000_301, false),
            (format!("t=1700000001,{v1}"), 1_700_000_000, false),
            (v1.to_string(), 1_700_000_000, false),
            ("t=1700000000".to_string(), 1_700_000_000, false),
            (format!("t=1700000000,{}", v1.replace("v1", "v0")), 1_700_000_000, false),
            (String::new(), 1_700_000_000, false),
        ] {
            assert_eq!(ledger.is_signed(&signature, body, now), good, "{signature}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        let mut ledger = Ledger::new(SECRET);
        let body = event("evt_1", TIMED, "pi_1");
        assert_eq!(ledger.take(Headers::default(), &body, 1_000), Taken::Unsigned);
        let signature = signed(1_000, &body);
        let headers = Headers {
            signature: Some(&signature),
            nth: Some("1"),
        };
        assert_eq!(ledger.take(headers, b"{}", 1_000), Taken::Unsigned);
        assert_eq!(Ledger::new("whsec_other").take(headers, &body, 1_000), Taken::Unsigned);
        for nth in ["0", "-1", "", "x"] {
            assert_eq!(take(&mut ledger, &body, nth), Taken::Malformed, "{nth}");
        }
        assert_eq!(take(&mut ledger, b"{}", "1"), Taken::Malformed);
        assert!(ledger.events.is_empty());
    }
}
