//! The merchants of a run: their accounts, their requests, the claims of their idempotency keys.

use std::sync::Arc;
use tollgate_actors::{Request, key_hash};
use tollgate_domain::account::{Profile, ProfileTerms};
use tollgate_domain::call::Call;
use tollgate_domain::country::Country;
use tollgate_domain::kinds;
use tollgate_domain::money::Currency;
use tollgate_domain::secrets::Purpose;
use tollgate_domain::{Claim, Secrets};
use tollgate_resource::{Expand, Id, Version};

/// When runs start by the right clock: 2026-11-16T00:00:00Z, a Monday.
pub const START_MS: u64 = 1_794_787_200_000;

/// The keys of the simulated data.
pub fn secrets() -> Secrets {
    Secrets::new([42; 32])
}

/// Merchant `number`. Every third is German, so that cards are foreign in both directions.
pub fn merchant(number: usize) -> Arc<Profile> {
    let tag = number as u32 + 1;
    let id = Id::new(&kinds::ACCOUNT, START_MS, u64::from(tag), tag);
    let german = number % 3 == 2;
    let terms = ProfileTerms {
        country: if german { Country::known("DE") } else { Country::US },
        default_currency: if german { Currency::EUR } else { Currency::USD },
        created_ms: START_MS,
        api_version: Version::NEWEST,
        statement_descriptor: None,
    };
    Arc::new(Profile::new(id, false, &terms))
}

/// A request without its id and time: what is sent again is the same.
#[derive(Clone, Debug)]
pub struct Body {
    /// What is asked.
    pub call: Call,
    /// What is shown in place.
    pub expand: Expand,
    fingerprint: u128,
    endpoint: u64,
}

impl Body {
    /// The body of a call.
    pub fn new(call: Call, expands: &[&str]) -> Body {
        let mut expand = Expand::default();
        if !expands.is_empty() {
            expand.add(expands);
        }
        let text = format!("{call:?} {expand:?}");
        let secrets = secrets();
        let hash = |text: &str| secrets.hash(Purpose::RequestFingerprint, text.as_bytes());
        // The edge hashes path and parameters; here the command's debug text stands for both.
        let endpoint = text.split(['(', ' ', '{']).nth(1).unwrap_or_default();
        Body {
            fingerprint: hash(&text) >> 8,
            endpoint: hash(endpoint) as u64,
            call,
            expand,
        }
    }

    /// A request with it.
    pub fn request(&self, profile: &Arc<Profile>, number: u64, key: Option<&str>, unix_ms: u64) -> Request {
        let request = Id::new(&kinds::REQUEST, unix_ms, number, profile.key.tag());
        let claim = key.map(|key| {
            let claim = Claim {
                key: key.into(),
                fingerprint: self.fingerprint,
                endpoint: self.endpoint,
                path: "/v1/simulated".into(),
                request,
                version: Version::NEWEST.0,
                expand: self.expand.paths(),
                created_ms: unix_ms,
            };
            (key_hash(&secrets(), key), Arc::new(claim))
        });
        Request {
            profile: Arc::clone(profile),
            call: self.call.clone(),
            request,
            version: Version::NEWEST,
            expand: self.expand.clone(),
            claim,
        }
    }

    /// Whether `other` is the same request.
    pub fn is_same(&self, other: &Body) -> bool {
        (self.fingerprint, self.endpoint) == (other.fingerprint, other.endpoint)
    }
}
