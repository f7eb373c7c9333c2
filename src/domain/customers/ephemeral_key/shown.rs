//! What an ephemeral key shows.

use super::EphemeralKey;
use crate::kinds;
use crate::object::ShowContext;
use crate::time::seconds_of;
use tollgate_resource::Shown;
use tollgate_resource::shown::{Ident, Seconds};

/// A key with which an app can look after one customer's payment methods.
#[derive(Shown)]
#[shown(object = "ephemeral_key")]
pub struct EphemeralKeyShown {
    /// Unique identifier.
    pub id: Ident,
    /// What it opens.
    pub associated_objects: Vec<AssociatedObjectShown>,
    /// When it was made, in seconds since the Unix epoch.
    pub created: Seconds,
    /// From when on it opens nothing, in seconds since the Unix epoch.
    pub expires: Seconds,
    /// Whether it belongs to live mode.
    pub livemode: bool,
    /// The key itself. It is shown when the key is made, and never again.
    #[shown(omit)]
    pub secret: Option<String>,
}

/// Something that an ephemeral key opens.
#[derive(Shown)]
pub struct AssociatedObjectShown {
    /// Its identifier.
    pub id: Ident,
    /// What it is.
    #[shown(name = "type")]
    pub kind: &'static str,
}

impl EphemeralKeyShown {
    /// What `key` shows.
    pub fn of(key: &EphemeralKey, context: &ShowContext<'_>) -> EphemeralKeyShown {
        EphemeralKeyShown {
            id: Ident {
                kind: &kinds::EPHEMERAL_KEY,
                id: key.id,
            },
            associated_objects: vec![AssociatedObjectShown {
                id: Ident {
                    kind: &kinds::CUSTOMER,
                    id: key.customer,
                },
                kind: "customer",
            }],
            created: Seconds(key.id.created()),
            expires: Seconds(seconds_of(key.expires_ms())),
            livemode: context.livemode,
            secret: (!key.deleted).then(|| key.text(context.livemode, context.secrets)),
        }
    }
}
