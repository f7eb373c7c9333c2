//! Where clients reach the API, as answers show it.

use crate::config::{Config, Kind};
use crate::exit::Failure;
use std::net::SocketAddr;

/// What the addresses in answers begin with: the setting, or else the address of the API's listener.
///
/// # Errors
/// On a cluster without the setting, unless this is development: each node would show its own address, so a retry that
/// another node answers would not be the same bytes, and what points to a node that is gone would point nowhere.
pub(crate) fn public_url(config: &Config, listens: SocketAddr, dev: bool) -> Result<String, Failure> {
    match (&config.api.public_url, config.store.kind) {
        (Some(url), _) => Ok(url.clone()),
        (None, Kind::Cql) if !dev => Err(Failure::wrong_use(
            "api.public_url is empty: with store.kind = \"cql\" all nodes show clients the same address; set it to where \
             clients reach the API, for example https://pay.example.com, alike on every node",
        )),
        (None, kind) => {
            let url = format!("http://{listens}");
            if kind == Kind::Cql {
                tracing::warn!(
                    %url,
                    "api.public_url is empty, so answers show the address of this node; nodes that share a keyspace need one value"
                );
            }
            Ok(url)
        }
    }
}
