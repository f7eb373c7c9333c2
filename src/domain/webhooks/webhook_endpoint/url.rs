//! The address of an endpoint, as far as its text says: whether the host may be reached is found out where names are
//! resolved.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most characters of an address.
pub const URL_LEN_MAX: usize = 2_048;
/// Most characters of a host's name, and of each part of it.
const HOST_LEN_MAX: usize = 253;
const LABEL_LEN_MAX: usize = 63;

/// An address in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointUrl<'a> {
    /// Whether it is reached over TLS.
    pub https: bool,
    /// The host's name; for a literal address its text, without brackets.
    pub host: &'a str,
    /// The literal address, if the host is one.
    pub literal: Option<IpAddr>,
    /// The port, the scheme's own if none is given.
    pub port: u16,
}

/// What is wrong with an address. The texts follow `Invalid URL: `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrlProblem {
    /// No scheme.
    Scheme,
    /// Another scheme than http and https.
    OtherScheme,
    /// A name or password in it.
    UserInfo,
    /// No host, or a text that is no host.
    Host,
    /// A port that is none.
    Port,
    /// Characters that stand in no address.
    Characters,
    /// Too many characters.
    TooLong,
}

impl UrlProblem {
    /// What the caller is told.
    pub fn text(self) -> &'static str {
        match self {
            UrlProblem::Scheme => "An explicit scheme (such as https) must be provided.",
            UrlProblem::OtherScheme => "The scheme must be http or https.",
            UrlProblem::UserInfo => "It must not hold a user name or a password.",
            UrlProblem::Host => "It must name a host.",
            UrlProblem::Port => "The port must be a number from 1 to 65535.",
            UrlProblem::Characters => "It holds characters that must be percent-encoded.",
            UrlProblem::TooLong => "It must have at most 2048 characters.",
        }
    }
}

impl<'a> EndpointUrl<'a> {
    /// Reads an address.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &'a str) -> Result<EndpointUrl<'a>, UrlProblem> {
        if text.len() > URL_LEN_MAX {
            return Err(UrlProblem::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlProblem::Scheme)?;
        let https = match &*scheme.to_ascii_lowercase() {
            "https" => true,
            "http" => false,
            "" => return Err(UrlProblem::Scheme),
            _ => return Err(UrlProblem::OtherScheme),
        };
        // A backslash is a slash to some readers and part of the host to others; nothing else here is in any address.
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
        {
            return Err(UrlProblem::Characters);
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let authority = &rest[..end];
        if authority.contains('@') {
            return Err(UrlProblem::UserInfo);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (host, behind) = bracketed.split_once(']').ok_or(UrlProblem::Host)?;
                let port = match behind.strip_prefix(':') {
                    Some(port) => Some(port),
                    None if behind.is_empty() => None,
                    None => return Err(UrlProblem::Host),
                };
                let literal: Ipv6Addr = host.parse().map_err(|_| UrlProblem::Host)?;
                ((host, Some(IpAddr::V6(literal))), port)
            }
            None => {
                let (host, port) = match authority.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (authority, None),
                };
                (host_of(host)?, port)
            }
        };
        let port = match port {
            None => {
                if https {
                    443
                } else {
                    80
                }
            }
            Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                text.parse().ok().filter(|port| *port != 0).ok_or(UrlProblem::Port)?
            }
            Some(_) => return Err(UrlProblem::Port),
        };
        let (host, literal) = host;
        Ok(EndpointUrl {
            https,
            host,
            literal,
            port,
        })
    }
}

/// A name, or an address of four numbers. A name whose last part is a number is refused unless it is such an address:
/// resolvers read `127.1` and `0x7f.0.0.1` as addresses, and what is checked must be what is called.
fn host_of(host: &str) -> Result<(&str, Option<IpAddr>), UrlProblem> {
    if let Ok(literal) = host.parse::<Ipv4Addr>() {
        return Ok((host, Some(IpAddr::V4(literal))));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let label = |label: &str| {
        (1..=LABEL_LEN_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let numeric = last.starts_with(|first: char| first.is_ascii_digit());
    if name.len() > HOST_LEN_MAX || numeric || !name.split('.').all(label) {
        return Err(UrlProblem::Host);
    }
    Ok((host, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_a_host_and_a_port() {
        for (text, https, host, port) in [
            ("https://shop.example/hooks?a=b#c", true, "shop.example", 443),
            ("HTTPS://Shop.Example.:8443", true, "Shop.Example.", 8443),
            ("http://127.0.0.1:8080/x", false, "127.0.0.1", 8080),
            ("https://[2001:db8::1]:444/", true, "2001:db8::1", 444),
            ("http://localhost", false, "localhost", 80),
            (
                "https://a_b.xn--bcher-kva.example?x",
                true,
                "a_b.xn--bcher-kva.example",
                443,
            ),
        ] {
            let url = EndpointUrl::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}"));
            assert_eq!((url.https, url.host, url.port), (https, host, port), "{text}");
            assert_eq!(url.literal.is_some(), host.parse::<IpAddr>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, problem) in [
            ("", UrlProblem::Scheme),
            ("shop.example/hooks", UrlProblem::Scheme),
            ("://shop.example", UrlProblem::Scheme),
            ("ftp://shop.example", UrlProblem::OtherScheme),
            ("javascript://x", UrlProblem::OtherScheme),
            ("https://user@shop.example", UrlProblem::UserInfo),
            ("https://user:secret@shop.example/", UrlProblem::UserInfo),
            ("https://", UrlProblem::Host),
            ("https:///path", UrlProblem::Host),
            ("https://-a.example", UrlProblem::Host),
            ("https://a..example", UrlProblem::Host),
            ("https://127.1/", UrlProblem::Host),
            ("https://2130706433/", UrlProblem::Host),
            ("https://0x7f.0.0.1/", UrlProblem::Host),
            ("https://0x7f000001/", UrlProblem::Host),
            ("https://010.8.8.8/", UrlProblem::Host),
            ("https://[::1/", UrlProblem::Host),
            ("https://[::1]x/", UrlProblem::Host),
            ("https://[fe80::1%25eth0]/", UrlProblem::Host),
            ("https://shop.example:0/", UrlProblem::Port),
            ("https://shop.example:65536/", UrlProblem::Port),
            ("https://shop.example:+80/", UrlProblem::Port),
            ("https://shop.example:/", UrlProblem::Port),
            ("https://shop.example/a b", UrlProblem::Characters),
            ("https://shop.example\\@127.0.0.1/", UrlProblem::Characters),
            ("https://b\u{fc}cher.example/", UrlProblem::Characters),
            ("https://shop.example/\n", UrlProblem::Characters),
        ] {
            assert_eq!(EndpointUrl::parse(text), Err(problem), "{text}");
        }
        let long = format!("https://shop.example/{}", "a".repeat(URL_LEN_MAX));
        assert_eq!(EndpointUrl::parse(&long), Err(UrlProblem::TooLong));
    }
}
