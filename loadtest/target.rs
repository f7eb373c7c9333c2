//! Where requests go: the parsed base URL and its address.

use std::net::{SocketAddr, ToSocketAddrs};

/// A server to put load on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Value of the `Host` header.
    pub(crate) host: String,
    /// Path in front of `/v1`, without a slash at its end; mostly empty.
    pub(crate) base: String,
    /// The address connections are made to.
    pub(crate) address: SocketAddr,
}

impl Target {
    /// A server that is only named, not met: in a report made of reports.
    pub(crate) fn named(host: &str) -> Target {
        Target {
            host: host.into(),
            base: String::new(),
            address: (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
        }
    }

    /// Reads `http://host[:port][/base]` and resolves the host. The error says what to write instead.
    pub(crate) fn parse(url: &str) -> Result<Target, String> {
        let Some(rest) = url.strip_prefix("http://") else {
            return Err(format!(
                "{url:?} is not usable: write http://HOST:PORT (plain HTTP is all this tool speaks)"
            ));
        };
        let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.is_empty() || authority.contains('@') || base.contains(['?', '#', ' ']) {
            return Err(format!(
                "{url:?} is not usable: write http://HOST:PORT or http://HOST:PORT/BASE"
            ));
        }
        // A colon inside brackets belongs to an IPv6 address.
        let has_port = authority.rsplit(']').next().is_some_and(|tail| tail.contains(':'));
        let lookup = if has_port {
            authority.to_string()
        } else {
            format!("{authority}:80")
        };
        let address = lookup
            .to_socket_addrs()
            .map_err(|error| format!("host of {url:?} cannot be found: {error}"))?
            .next()
            .ok_or_else(|| format!("host of {url:?} has no address"))?;
        Ok(Target {
            host: authority.into(),
            base: base.trim_end_matches('/').into(),
            address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_host_base_and_address() {
        let target = Target::parse("http://127.0.0.1:12111/").unwrap();
        assert_eq!((target.host.as_str(), target.base.as_str()), ("127.0.0.1:12111", ""));
        assert_eq!(target.address.port(), 12111);
        let target = Target::parse("http://127.0.0.1/stripe/").unwrap();
        assert_eq!((target.base.as_str(), target.address.port()), ("/stripe", 80));
        assert_eq!(Target::parse("http://[::1]:9").unwrap().address.port(), 9);
        assert_eq!(Target::parse("http://[::1]").unwrap().address.port(), 80);
    }

    #[test]
    fn a_url_that_cannot_be_used_says_what_to_write() {
        for url in [
            "https://api.example.com",
            "127.0.0.1:1",
            "http://",
            "http://a:b@127.0.0.1",
            "http://127.0.0.1/?x",
        ] {
            assert!(
                Target::parse(url).unwrap_err().contains("write http://HOST:PORT"),
                "{url}"
            );
        }
    }
}
