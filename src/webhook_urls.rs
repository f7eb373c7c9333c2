//! Which addresses webhooks may be sent to, asked when an endpoint is registered.

use std::net::IpAddr;
use std::time::Duration;
use tollgate_domain::webhooks::webhook_endpoint::EndpointUrl;
use tollgate_http::{Looked, VetUrls};

/// Longest wait for a resolver.
const RESOLVE_MAX: Duration = Duration::from_secs(5);

/// Hosts that are publicly accessible, and on a developer's machine the machine itself.
pub(crate) struct Policy {
    /// Whether the machine itself may be sent to.
    pub loopback: bool,
}

impl VetUrls for Policy {
    fn vet<'a>(&'a self, url: &'a str, _: bool) -> Looked<'a> {
        Box::pin(async move {
            // What is wrong with its text is the domain's to say.
            let Ok(url) = EndpointUrl::parse(url) else {
                return Ok(());
            };
            let addresses: Vec<IpAddr> = match url.literal {
                Some(literal) => vec![literal],
                None => {
                    let looked = tokio::net::lookup_host((url.host, url.port));
                    match tokio::time::timeout(RESOLVE_MAX, looked).await {
                        Ok(Ok(found)) => found.map(|address| address.ip()).collect(),
                        Ok(Err(_)) | Err(_) => Vec::new(),
                    }
                }
            };
            if addresses.is_empty() {
                return Err(format!("The host {} cannot be resolved.", url.host));
            }
            let fits = |address: &IpAddr| is_public(*address) || (self.loopback && address.is_loopback());
            if !addresses.iter().all(fits) {
                return Err("URL must be publicly accessible.".to_owned());
            }
            Ok(())
        })
    }
}

/// Whether strangers could reach the address too.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_documentation()
                || address.is_multicast()
                || matches!(
                    (first, second),
                    (0 | 240..=255, _) | (100, 64..=127) | (198, 18 | 19) | (192, 0)
                ))
        }
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            // Global unicast without Teredo and its neighbours, documentation and 6to4.
            first & 0xe000 == 0x2000 && !matches!((first, second), (0x2001, 0..=0x1ff | 0xdb8) | (0x2002 | 0x3fff, _))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_itself_and_its_neighbours_are_not_public() {
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "2002:7f00:1::",
            "2001::1",
            "64:ff9b::7f00:1",
            "fd00:ec2::254",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "2001:db8::1",
        ] {
            assert!(!is_public(inside.parse().expect(inside)), "{inside}");
        }
        for outside in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1"] {
            assert!(is_public(outside.parse().expect(outside)), "{outside}");
        }
    }
}
