//! What every URL and every name has to come by: at registration, and again for each connection.

use super::connect::CONNECT_MAX;
use super::failure::{Failure, Stage};
use super::resolver::{ADDRESSES_MAX, Resolver};
use super::target::{Host, Target};
use super::vet::{Mode, Policy, Refusal};
use std::net::IpAddr;
use std::sync::Arc;

/// The policy and what resolves names; one for the process.
pub struct Gate {
    policy: Policy,
    resolver: Arc<dyn Resolver>,
}

impl Gate {
    /// One that lets through what `policy` allows.
    pub fn new(policy: Policy, resolver: Arc<dyn Resolver>) -> Self {
        Self { policy, resolver }
    }

    /// Checks a URL as far as it can be without resolving its name.
    ///
    /// # Errors
    ///
    /// Says why nothing would be sent there.
    pub fn target(&self, url: &str, mode: Mode) -> Result<Target, Refusal> {
        self.policy.target(url, mode)
    }

    /// Checks a URL that is to be registered, its name resolved too, within [`CONNECT_MAX`].
    ///
    /// # Errors
    ///
    /// Says why nothing would be sent there: [`Failure::Refused`], or that its name does not resolve now.
    pub async fn register(&self, url: &str, mode: Mode) -> Result<(), Failure> {
        let target = self.target(url, mode)?;
        match tokio::time::timeout(CONNECT_MAX, self.addresses(&target)).await {
            Ok(found) => found.map(drop),
            Err(_) => Err(Failure::Timeout(Stage::Resolve)),
        }
    }

    /// The addresses of the target, all of them vetted: one that is refused refuses the name, because a name that leads
    /// inside on some days is not one to deliver to on the others.
    pub(super) async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, Failure> {
        let found = match &target.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let found = self.resolver.resolve(name).await;
                found.map_err(|error| Failure::Resolve(error.to_string()))?
            }
        };
        if found.is_empty() {
            return Err(Failure::Resolve("it has no address".to_owned()));
        }
        for address in &found {
            self.policy.address(*address)?;
        }
        Ok(found.into_iter().take(ADDRESSES_MAX).collect())
    }
}
