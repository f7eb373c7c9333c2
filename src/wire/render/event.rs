//! The body in which an event is sent to an endpoint: the bytes that a look at the event is answered with.

use super::Rendering;
use crate::versions;
use tollgate_domain::events::Event;
use tollgate_domain::object::{Item, ShowContext};
use tollgate_domain::{Profile, Secrets};
use tollgate_resource::{Expand, Version};

/// Room for the body of an event.
const BODY_BYTES: usize = 4 << 10;

/// Writes the body of an event of an account. `version` is that of the endpoint it is sent to; without one it is that which
/// the account had when the event happened. `public_url` is where clients reach this server, without a slash at the end.
pub fn render_event(
    profile: &Profile,
    event: &Event,
    version: Option<Version>,
    secrets: &Secrets,
    public_url: &str,
) -> Vec<u8> {
    let version = version.unwrap_or_else(|| profile.event_version(event.id.unix_ms()));
    let rendering = Rendering {
        show: ShowContext {
            secrets,
            // An event stands as it was: the time of its object is its own.
            clock_ms: event.id.unix_ms(),
            livemode: profile.livemode,
            account: profile.key,
            revision: tollgate_domain::SHAPE_REVISION,
            version_name: versions::name(version),
            public_url,
        },
        version,
        expand: Expand::NONE,
        attached: &[],
        account: None,
    };
    let mut body = Vec::with_capacity(BODY_BYTES);
    rendering.item(&Item::Event(Box::new(event.clone())), &mut body);
    body
}
