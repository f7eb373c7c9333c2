//! Blocks of addresses, as `10.0.0.0/8` writes them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A block of addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Network {
    /// Of IPv4: the bits that count, and how many.
    V4(u32, u8),
    /// Of IPv6.
    V6(u128, u8),
}

impl Network {
    pub(super) const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u8) -> Self {
        Self::V4(Ipv4Addr::new(a, b, c, d).to_bits(), bits)
    }

    /// A block whose bits that count are within the first 64, given as groups of 16.
    pub(super) const fn v6(a: u16, b: u16, c: u16, d: u16, bits: u8) -> Self {
        Self::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_bits(), bits)
    }

    /// Whether `address` is in it. An IPv6 address that carries one of IPv4 is one of IPv6.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (*self, address) {
            (Self::V4(base, bits), IpAddr::V4(address)) => {
                let kept = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
                (address.to_bits() ^ base) & kept == 0
            }
            (Self::V6(base, bits), IpAddr::V6(address)) => {
                let kept = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                (address.to_bits() ^ base) & kept == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    /// Reads `10.0.0.0/8`, `fd00::/8`, or one address.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network; write it like 10.1.0.0/16, fd12:3456::/32, or as one address");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(wrong());
        }
        Ok(match address {
            IpAddr::V4(address) => Self::V4(address.to_bits(), bits),
            IpAddr::V6(address) => Self::V6(address.to_bits(), bits),
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::V4(base, bits) => write!(f, "{}/{bits}", Ipv4Addr::from_bits(base)),
            Self::V6(base, bits) => write!(f, "{}/{bits}", Ipv6Addr::from_bits(base)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_decide_what_is_inside() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("0.0.0.0/0", "8.8.8.8", "::1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("fd00::/8", "fdff::1", "fc00::1"),
            ("::/0", "2606:4700::1111", "1.1.1.1"),
            ("::1", "::1", "::2"),
        ] {
            let block: Network = network.parse().expect(network);
            assert!(
                block.contains(inside.parse().expect("an address")),
                "{network} {inside}"
            );
            assert!(
                !block.contains(outside.parse().expect("an address")),
                "{network} {outside}"
            );
        }
    }

    #[test]
    fn what_is_no_network_is_told() {
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "ten",
            "10.0.0.0/-1",
            "10.0.0/8",
            "10.0.0.0/",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
