//! Where a URL leads: what of it is needed to connect and to ask.

use super::vet::Refusal;
use http::HeaderValue;
use http::uri::PathAndQuery;
use rustls::pki_types::ServerName;
use std::net::IpAddr;
use std::sync::Arc;
use url::Url;

/// A URL that [`super::Policy::target`] let through.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its host.
    pub host: Host,
    /// Its port.
    pub port: u16,
    /// Whether it is https, and then the name that the certificate must be for.
    pub(super) tls: Option<ServerName<'static>>,
    /// What the head of every request begins with, up to its host.
    pub(super) head: Box<str>,
}

/// A host of a URL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Host {
    /// A name, in lower case, in the form that is resolved.
    Name(Arc<str>),
    /// A literal address.
    Address(IpAddr),
}

impl Host {
    /// Whether it means this machine, without resolving anything.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => &**name == "localhost" || name.ends_with(".localhost"),
            Self::Address(address) => address.is_loopback(),
        }
    }
}

impl Target {
    /// Whether it is https.
    pub fn is_https(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn of(url: &Url, https: bool) -> Result<Self, Refusal> {
        let wrong = |what: &str| Refusal::NotAUrl(what.to_owned());
        let host = match url.host().ok_or_else(|| wrong("it has no host"))? {
            // A name may end in a dot; certificates and servers know it without.
            url::Host::Domain(name) => Host::Name(name.strip_suffix('.').unwrap_or(name).into()),
            url::Host::Ipv4(address) => Host::Address(address.into()),
            url::Host::Ipv6(address) => Host::Address(address.into()),
        };
        let name = match &host {
            Host::Name(name) => {
                ServerName::try_from(name.to_string()).map_err(|_| wrong("its host is no name of a server"))?
            }
            Host::Address(address) => ServerName::from(*address),
        };
        let port = url.port_or_known_default().ok_or_else(|| wrong("it has no port"))?;
        let text = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let shown = match &host {
            Host::Name(name) => name.to_string(),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
        };
        let authority = match url.port() {
            Some(port) => format!("{shown}:{port}"),
            None => shown,
        };
        let path = PathAndQuery::try_from(text).map_err(|_| wrong("its path cannot be asked for"))?;
        let authority = HeaderValue::try_from(authority).ok();
        let authority = authority.as_ref().and_then(|authority| authority.to_str().ok());
        let authority = authority.ok_or_else(|| wrong("its host is no name of a server"))?;
        Ok(Self {
            port,
            tls: https.then_some(name),
            head: format!("POST {path} HTTP/1.1\r\nhost: {authority}\r\n").into(),
            host,
        })
    }
}
