//! Which addresses and URLs a delivery may go to. A merchant chooses the URL, so without this anyone who may register an
//! endpoint could make this machine talk to what only this machine can reach.
//!
//! The rows are all of the IANA special-purpose address registries (IPv4 and IPv6, as of 2026), also those that are said to
//! be globally reachable, for no receiver stands there; and beyond them multicast, IPv4-compatible and site-local
//! addresses, which are deprecated and still routed by some, and addresses at which clouds serve credentials. Of IPv6
//! only what is global unicast (2000::/3) is left.

use super::network::Network;
use super::target::{Host, Target};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use thiserror::Error;
use url::Url;

/// Bytes of a URL at most.
pub const URL_LEN_MAX: usize = 4_096;
/// Networks a policy may allow at most.
pub const ALLOWED_MAX: usize = 64;

/// Where deliveries may go beyond public addresses. The default allows nothing more.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whether 127.0.0.0/8 and ::1 are allowed: a developer's machine.
    pub loopback: bool,
    /// Networks that are allowed although a row refuses them: those of a self-hoster's own receivers.
    pub allowed: Vec<Network>,
    /// Ports that are allowed. Of loopback all are.
    pub ports: Vec<RangeInclusive<u16>>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            loopback: false,
            allowed: Vec::new(),
            // Below 1024 stand services (mail, names, files) that can be made to misread a request; receivers do not.
            ports: vec![80..=80, 443..=443, 1_024..=65_535],
        }
    }
}

/// Whose deliveries go there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Real money: https only.
    Live,
    /// A sandbox.
    Test,
}

/// Why nothing is sent to a URL. Names the range of a refused address, not the address: what a name means inside the
/// operator's network is not the merchant's to know.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// It cannot be read.
    #[error("not a valid URL: {0}")]
    NotAUrl(String),
    /// Neither http nor https.
    #[error("the URL must begin with https:// (or http:// in a sandbox)")]
    Scheme,
    /// Plain http in live mode.
    #[error("the URL must begin with https:// in live mode")]
    HttpsOnly,
    /// A user or a password in it.
    #[error("the URL must not hold a user name or a password")]
    Userinfo,
    /// Its port is not allowed.
    #[error("deliveries to port {0} are not allowed")]
    Port(u16),
    /// Its address, or one that its name resolves to, is not allowed.
    #[error("the URL leads to an address that deliveries may not go to ({0})")]
    Address(&'static str),
    /// A connection ended up elsewhere than at the address that was vetted.
    #[error("the connection did not lead to the address that was checked")]
    Peer,
}

/// A range that deliveries do not go to, and what it is.
pub struct Row {
    /// The range.
    pub network: Network,
    /// What it is, as [`Refusal::Address`] says it.
    pub what: &'static str,
}

const fn row(network: Network, what: &'static str) -> Row {
    Row { network, what }
}

/// Ranges that are refused whatever the policy says: here clouds hand credentials to whoever asks from inside.
pub const NEVER: &[Row] = &[
    row(Network::v4(169, 254, 169, 254, 32), "cloud metadata"),
    row(Network::v4(169, 254, 170, 2, 32), "cloud metadata"),
    row(Network::v4(169, 254, 170, 23, 32), "cloud metadata"),
    row(Network::v4(100, 100, 100, 200, 32), "cloud metadata"),
    row(Network::v4(168, 63, 129, 16, 32), "cloud metadata"),
    row(Network::v4(192, 0, 0, 192, 32), "cloud metadata"),
    row(
        Network::V6(0xfd00_0ec2_0000_0000_0000_0000_0000_0254, 128),
        "cloud metadata",
    ),
    row(
        Network::V6(0xfd00_0ec2_0000_0000_0000_0000_0000_0023, 128),
        "cloud metadata",
    ),
    row(
        Network::V6(0xfd20_00ce_0000_0000_0000_0000_0000_0254, 128),
        "cloud metadata",
    ),
];

/// 127.0.0.0/8 and ::1.
const LOOPBACK: &[Row] = &[
    row(Network::v4(127, 0, 0, 0, 8), "loopback"),
    row(Network::V6(1, 128), "loopback"),
];

/// Ranges that are refused unless the policy allows them. The first row that holds an address says what it is.
pub const SPECIAL: &[Row] = &[
    row(Network::v4(0, 0, 0, 0, 8), "this network"),
    row(Network::v4(10, 0, 0, 0, 8), "private network"),
    row(Network::v4(100, 64, 0, 0, 10), "shared address space"),
    row(Network::v4(169, 254, 0, 0, 16), "link-local"),
    row(Network::v4(172, 16, 0, 0, 12), "private network"),
    row(Network::v4(192, 0, 0, 0, 24), "protocol assignments"),
    row(Network::v4(192, 0, 2, 0, 24), "documentation"),
    row(Network::v4(192, 31, 196, 0, 24), "AS112 service"),
    row(Network::v4(192, 52, 193, 0, 24), "multicast tunnelling"),
    row(Network::v4(192, 88, 99, 0, 24), "6to4 relay"),
    row(Network::v4(192, 168, 0, 0, 16), "private network"),
    row(Network::v4(192, 175, 48, 0, 24), "AS112 service"),
    row(Network::v4(198, 18, 0, 0, 15), "benchmarking"),
    row(Network::v4(198, 51, 100, 0, 24), "documentation"),
    row(Network::v4(203, 0, 113, 0, 24), "documentation"),
    row(Network::v4(224, 0, 0, 0, 4), "multicast"),
    row(Network::v4(255, 255, 255, 255, 32), "broadcast"),
    row(Network::v4(240, 0, 0, 0, 4), "reserved"),
    row(Network::V6(0, 128), "unspecified"),
    row(Network::V6(0xffff_0000_0000, 96), "IPv4-mapped"),
    row(Network::V6(0xffff_0000_0000_0000, 96), "IPv4-translated"),
    row(Network::V6(0, 96), "IPv4-compatible"),
    row(Network::V6(0x0064_ff9b_0000_0000_0000_0000_0000_0000, 96), "NAT64"),
    row(Network::v6(0x64, 0xff9b, 1, 0, 48), "local NAT64"),
    row(Network::v6(0x100, 0, 0, 0, 64), "discard only"),
    row(Network::v6(0x100, 0, 0, 1, 64), "dummy prefix"),
    row(Network::v6(0x2001, 0, 0, 0, 32), "Teredo"),
    row(Network::v6(0x2001, 2, 0, 0, 48), "benchmarking"),
    row(Network::v6(0x2001, 0x10, 0, 0, 28), "ORCHID"),
    row(Network::v6(0x2001, 0x20, 0, 0, 28), "ORCHID"),
    row(Network::v6(0x2001, 0, 0, 0, 23), "protocol assignments"),
    row(Network::v6(0x2001, 0xdb8, 0, 0, 32), "documentation"),
    row(Network::v6(0x2002, 0, 0, 0, 16), "6to4"),
    row(Network::v6(0x2620, 0x4f, 0x8000, 0, 48), "AS112 service"),
    row(Network::v6(0x3fff, 0, 0, 0, 20), "documentation"),
    row(Network::v6(0x5f00, 0, 0, 0, 16), "segment routing"),
    row(Network::v6(0xfc00, 0, 0, 0, 7), "unique local"),
    row(Network::v6(0xfe80, 0, 0, 0, 10), "link-local"),
    row(Network::v6(0xfec0, 0, 0, 0, 10), "site-local"),
    row(Network::v6(0xff00, 0, 0, 0, 8), "multicast"),
];

const GLOBAL_UNICAST: Network = Network::v6(0x2000, 0, 0, 0, 3);

impl Policy {
    /// Checks a URL as far as it can be without resolving its name.
    ///
    /// # Errors
    ///
    /// Says why nothing would be sent there.
    pub fn target(&self, text: &str, mode: Mode) -> Result<Target, Refusal> {
        if text.len() > URL_LEN_MAX {
            return Err(Refusal::NotAUrl(format!("longer than {URL_LEN_MAX} bytes")));
        }
        // The reader of URLs drops these, so that what is stored would not be what is sent to.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Refusal::NotAUrl("it holds a space or a control character".to_owned()));
        }
        let url = Url::parse(text).map_err(|error| Refusal::NotAUrl(error.to_string()))?;
        let https = match url.scheme() {
            "https" => true,
            "http" if mode == Mode::Test => false,
            "http" => return Err(Refusal::HttpsOnly),
            _ => return Err(Refusal::Scheme),
        };
        // An empty user ("https://@host/") is one too: whoever reads the URL by other rules may see another host.
        let authority = text
            .split_once(':')
            .map_or("", |(_, rest)| rest.trim_start_matches(['/', '\\']));
        let authority = authority.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        if authority.contains('@') || !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Userinfo);
        }
        let target = Target::of(&url, https)?;
        let listed = self.ports.iter().any(|range| range.contains(&target.port));
        let own = self.loopback && target.host.is_loopback();
        if !listed && !own {
            return Err(Refusal::Port(target.port));
        }
        match &target.host {
            Host::Address(address) => self.address(*address)?,
            // These names mean this machine everywhere (RFC 6761).
            Host::Name(_) if target.host.is_loopback() && !self.loopback => return Err(Refusal::Address("loopback")),
            Host::Name(_) => {}
        }
        Ok(target)
    }

    /// Checks an address that is to be connected to.
    ///
    /// # Errors
    ///
    /// Says which range refuses it.
    pub fn address(&self, address: IpAddr) -> Result<(), Refusal> {
        let holds = |rows: &[Row]| {
            rows.iter()
                .find(|row| row.network.contains(address))
                .map(|row| row.what)
        };
        if let Some(what) = holds(NEVER) {
            return Err(Refusal::Address(what));
        }
        let refused = match holds(LOOPBACK) {
            Some(what) => (!self.loopback).then_some(what),
            None => holds(SPECIAL).or_else(|| {
                let elsewhere = address.is_ipv6() && !GLOBAL_UNICAST.contains(address);
                elsewhere.then_some("not global unicast")
            }),
        };
        match refused {
            Some(what) if !self.allowed.iter().any(|network| network.contains(address)) => Err(Refusal::Address(what)),
            // Where the outer form is allowed, what it carries inside must be allowed for itself.
            _ => match address {
                IpAddr::V6(outer) => carried(outer).map_or(Ok(()), |inner| self.address(inner.into())),
                IpAddr::V4(_) => Ok(()),
            },
        }
    }
}

/// The IPv4 address that an IPv6 address of one of the ways between the two carries.
fn carried(outer: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = outer.to_bits();
    #[expect(clippy::cast_possible_truncation, reason = "the last 32 bits are meant")]
    let last = bits as u32;
    #[expect(clippy::cast_possible_truncation, reason = "bits 16 to 48 are meant")]
    let second = (bits >> 80) as u32;
    let within = |base, len| Network::V6(base, len).contains(outer.into());
    if within(0x0000_ffff_0000_0000, 96)
        || within(0xffff_0000_0000_0000, 96)
        || (within(0, 96) && last > 1)
        || within(0x0064_ff9b_0000_0000_0000_0000_0000_0000, 96)
        || Network::v6(0x64, 0xff9b, 1, 0, 48).contains(outer.into())
    {
        return Some(last.into());
    }
    if Network::v6(0x2002, 0, 0, 0, 16).contains(outer.into()) {
        return Some(second.into());
    }
    Network::v6(0x2001, 0, 0, 0, 32)
        .contains(outer.into())
        .then(|| (!last).into())
}
