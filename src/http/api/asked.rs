//! Who asks and how: at which version, under which idempotency key, and whether within the account's rates.
//! (The key of the account itself is [`crate::caller`]'s.)

use super::{Api, Exchange};
use crate::answer::LimitReason;
use crate::caller::Bound;
use crate::head::{Head, Known, readable};
use crate::rate_limit::Layer;
use crate::refused::Refused;
use crate::telemetry;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;
use tollgate_domain::Profile;
use tollgate_domain::webhooks::webhook_endpoint::Vetted;
use tollgate_resource::Version;
use tollgate_wire::{errors, versions, wording};

/// Who asks, and how.
pub(super) struct Asked<'k> {
    pub(super) profile: Arc<Profile>,
    pub(super) version: Version,
    pub(super) key: Option<&'k str>,
    pub(super) bound: Option<Bound>,
    /// What was found of the address that webhooks are to be sent to, if the request names one.
    pub(super) vetted: Vetted,
}

/// Longest idempotency key, in characters.
const KEY_CHARS_MAX: usize = errors::IDEMPOTENCY_KEY_LEN_MAX;

impl Api {
    /// The version a request is answered at: the one it names, else that of its key. The answer says it again.
    pub(super) fn version(&self, http: &Head, of_key: Version, exchange: &mut Exchange) -> Result<Version, Refused> {
        let Some(header) = http.get(Known::StripeVersion) else {
            exchange.echo.version = versions::name(of_key).as_bytes().into();
            return Ok(of_key);
        };
        let text = readable(header).map(str::trim).unwrap_or_default();
        let Some(version) = versions::asked(text) else {
            exchange.echo.version = without_card_numbers(header);
            return Err(errors::unknown_version(&String::from_utf8_lossy(header)).into());
        };
        let name = versions::name(version);
        // A preview, or a version with betas, is called as it was asked for.
        exchange.echo.version = match text == name {
            true => name.as_bytes().into(),
            false => without_card_numbers(header),
        };
        exchange.asked_version = Some(version);
        Ok(version)
    }

    /// Takes the request from what its account may make a second; refuses it when nothing is left.
    pub(super) fn limit(
        &self,
        profile: &Profile,
        operation: usize,
        now: Instant,
        exchange: &mut Exchange,
    ) -> Result<(), Refused> {
        let class = self.classes[operation];
        match self.limiter.borrow_mut().take(profile.key.0, class, now) {
            Ok(left) => {
                exchange.echo.left = left;
                Ok(())
            }
            Err(limited) => {
                exchange.echo.left = limited.left;
                let reason = match limited.layer {
                    Layer::Node | Layer::Account | Layer::Surge => LimitReason::Rate,
                    Layer::Class => LimitReason::EndpointRate,
                };
                telemetry::limited(limited.layer);
                // Whole seconds, never too few, and at least one.
                let seconds = limited.wait.as_millis().div_ceil(1_000).max(1);
                let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
                Err(Refused::limited(errors::rate_limited(), reason, seconds))
            }
        }
    }
}

/// The version that a page's library names in its form, where no header does.
pub(super) fn page_version(named: &str, exchange: &mut Exchange) -> Result<Version, Refused> {
    let version = versions::asked(named).ok_or_else(|| errors::unknown_version(named))?;
    exchange.echo.version = versions::name(version).as_bytes().into();
    exchange.asked_version = Some(version);
    Ok(version)
}

/// The text of an idempotency key, without spaces around it.
pub(super) fn idempotency_key(header: &[u8]) -> Result<&str, Refused> {
    // As nearly every client writes it: one word of ASCII, whose bytes are its characters.
    let word = header
        .iter()
        .fold(true, |word, byte| word & (0x21..0x7f).contains(byte));
    if word
        && (1..=KEY_CHARS_MAX).contains(&header.len())
        && let Ok(key) = std::str::from_utf8(header)
    {
        return Ok(key);
    }
    let Ok(key) = std::str::from_utf8(header) else {
        return Err(errors::malformed("the Idempotency-Key header is not valid UTF-8.").into());
    };
    match key.trim().chars().count() {
        0 => Err(errors::idempotency_key_empty().into()),
        1..=KEY_CHARS_MAX => Ok(key.trim()),
        length => Err(errors::idempotency_key_too_long(length).into()),
    }
}

/// A header's value as an answer may repeat it.
fn without_card_numbers(header: &[u8]) -> Cow<'static, [u8]> {
    let shown = readable(header).map(wording::without_card_numbers);
    Cow::Owned(match shown {
        Some(text) => text.into_owned().into_bytes(),
        None => header.to_vec(),
    })
}
