//! The table of addresses, row by row: at registration as a literal and as what a name resolves to, and at the connection.

use crate::made::{delivery, endpoint};
use crate::receiver::{LONG_MS, Receiver, Told, assert_failed, assert_status, egress_with, loopback, send};
use std::net::IpAddr;
use std::sync::Arc;
use tollgate_webhooks::egress::Failure::Refused;
use tollgate_webhooks::egress::{self, Gate, Mode, NEVER, Network, Policy, Refusal, SPECIAL, Tls};
use tollgate_webhooks::ports::{Failure, Transport as _};

/// Addresses that must be refused, and what for: the first and the last of each range, written down from the registries and
/// not taken from the table under test.
const REFUSED: &[(&str, &str)] = &[
    ("0.0.0.0", "this network"),
    ("0.255.255.255", "this network"),
    ("10.0.0.0", "private network"),
    ("10.255.255.255", "private network"),
    ("100.64.0.0", "shared address space"),
    ("100.127.255.255", "shared address space"),
    ("127.0.0.0", "loopback"),
    ("127.0.0.1", "loopback"),
    ("127.255.255.255", "loopback"),
    ("169.254.0.0", "link-local"),
    ("169.254.255.255", "link-local"),
    ("172.16.0.0", "private network"),
    ("172.31.255.255", "private network"),
    ("192.0.0.0", "protocol assignments"),
    ("192.0.0.9", "protocol assignments"),
    ("192.0.0.10", "protocol assignments"),
    ("192.0.0.170", "protocol assignments"),
    ("192.0.0.255", "protocol assignments"),
    ("192.0.2.0", "documentation"),
    ("192.0.2.255", "documentation"),
    ("192.31.196.0", "AS112 service"),
    ("192.31.196.255", "AS112 service"),
    ("192.52.193.0", "multicast tunnelling"),
    ("192.52.193.255", "multicast tunnelling"),
    ("192.88.99.0", "6to4 relay"),
    ("192.88.99.255", "6to4 relay"),
    ("192.168.0.0", "private network"),
    ("192.168.255.255", "private network"),
    ("192.175.48.0", "AS112 service"),
    ("192.175.48.255", "AS112 service"),
    ("198.18.0.0", "benchmarking"),
    ("198.19.255.255", "benchmarking"),
    ("198.51.100.0", "documentation"),
    ("198.51.100.255", "documentation"),
    ("203.0.113.0", "documentation"),
    ("203.0.113.255", "documentation"),
    ("224.0.0.0", "multicast"),
    ("239.255.255.255", "multicast"),
    ("240.0.0.0", "reserved"),
    ("255.255.255.254", "reserved"),
    ("255.255.255.255", "broadcast"),
    ("169.254.169.254", "cloud metadata"),
    ("169.254.170.2", "cloud metadata"),
    ("169.254.170.23", "cloud metadata"),
    ("100.100.100.200", "cloud metadata"),
    ("168.63.129.16", "cloud metadata"),
    ("192.0.0.192", "cloud metadata"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::2", "IPv4-compatible"),
    ("::127.0.0.1", "IPv4-compatible"),
    ("::255.255.255.255", "IPv4-compatible"),
    ("::ffff:0.0.0.0", "IPv4-mapped"),
    ("::ffff:127.0.0.1", "IPv4-mapped"),
    ("::ffff:8.8.8.8", "IPv4-mapped"),
    ("::ffff:255.255.255.255", "IPv4-mapped"),
    ("::ffff:0:0:0", "IPv4-translated"),
    ("::ffff:0:127.0.0.1", "IPv4-translated"),
    ("64:ff9b::", "NAT64"),
    ("64:ff9b::7f00:1", "NAT64"),
    ("64:ff9b::ffff:ffff", "NAT64"),
    ("64:ff9b:1::", "local NAT64"),
    ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "local NAT64"),
    ("100::", "discard only"),
    ("100::ffff:ffff:ffff:ffff", "discard only"),
    ("100:0:0:1::", "dummy prefix"),
    ("100:0:0:1:ffff:ffff:ffff:ffff", "dummy prefix"),
    ("2001::", "Teredo"),
    ("2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "Teredo"),
    ("2001:1::1", "protocol assignments"),
    ("2001:1::3", "protocol assignments"),
    ("2001:2::", "benchmarking"),
    ("2001:2:0:ffff:ffff:ffff:ffff:ffff", "benchmarking"),
    ("2001:3::", "protocol assignments"),
    ("2001:4:112::", "protocol assignments"),
    ("2001:10::", "ORCHID"),
    ("2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", "ORCHID"),
    ("2001:20::", "ORCHID"),
    ("2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", "ORCHID"),
    ("2001:30::", "protocol assignments"),
    ("2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "protocol assignments"),
    ("2001:db8::", "documentation"),
    ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"),
    ("2002::", "6to4"),
    ("2002:7f00:1::", "6to4"),
    ("2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "6to4"),
    ("2620:4f:8000::", "AS112 service"),
    ("2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "AS112 service"),
    ("3fff::", "documentation"),
    ("3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"),
    ("5f00::", "segment routing"),
    ("5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "segment routing"),
    ("fc00::", "unique local"),
    ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unique local"),
    ("fd00:ec2::254", "cloud metadata"),
    ("fd00:ec2::23", "cloud metadata"),
    ("fd20:ce::254", "cloud metadata"),
    ("fe80::", "link-local"),
    ("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local"),
    ("fec0::", "site-local"),
    ("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "site-local"),
    ("ff00::", "multicast"),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"),
    // What no registry gives out.
    ("1::", "not global unicast"),
    ("4000::", "not global unicast"),
    ("6000::1", "not global unicast"),
    ("fe00::1", "not global unicast"),
];

/// The nearest neighbours of those ranges, and well-known public addresses.
const ALLOWED: &[&str] = &[
    "1.0.0.0",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "191.255.255.255",
    "192.0.1.0",
    "192.0.3.0",
    "192.31.195.255",
    "192.52.194.0",
    "192.88.98.255",
    "192.167.255.255",
    "192.169.0.0",
    "192.175.49.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.101.0",
    "203.0.112.255",
    "203.0.114.0",
    "223.255.255.255",
    "8.8.8.8",
    "2001:200::",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
    "2001:db9::",
    "2003::",
    "2606:4700:4700::1111",
    "2620:4f:7fff:ffff:ffff:ffff:ffff:ffff",
    "2620:4f:8001::",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "3fff:1000::",
];

fn literal(address: &str) -> String {
    let bracketed = if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    };
    format!("https://{bracketed}/hook")
}

fn gate(policy: Policy, resolves_to: &[&str]) -> Gate {
    Gate::new(policy, Told::new(&[resolves_to]))
}

#[tokio::test]
async fn each_row_is_refused_as_a_literal_as_a_name_and_at_the_connection() {
    for (address, what) in REFUSED {
        let refused = Err(Refused(Refusal::Address(what)));
        let public = gate(Policy::default(), &[address]);
        assert_eq!(
            public.register(&literal(address), Mode::Live).await,
            refused,
            "{address}"
        );
        assert_eq!(
            public.register("https://name.test/", Mode::Live).await,
            refused,
            "{address}"
        );
        let egress = egress_with(
            Policy::default(),
            Told::new(&[&[address]]),
            Tls::new(None).expect("TLS"),
        );
        for url in ["http://name.test/", &literal(address)] {
            assert_failed(&send(&egress, url, LONG_MS).await, Failure::Blocked, what);
        }
        assert_eq!(egress.counters().connections.get(), 0);
    }
}

#[tokio::test]
async fn their_neighbours_are_not() {
    for address in ALLOWED {
        let public = gate(Policy::default(), &[address]);
        assert_eq!(
            public.register(&literal(address), Mode::Live).await,
            Ok(()),
            "{address}"
        );
        assert_eq!(
            public.register("https://name.test/", Mode::Live).await,
            Ok(()),
            "{address}"
        );
    }
}

/// A row that nobody wrote an address down for is one that nobody checked.
#[test]
fn each_row_of_the_table_has_its_addresses_here() {
    for row in SPECIAL.iter().chain(NEVER) {
        let checked = REFUSED.iter().filter(|(address, what)| {
            let address: IpAddr = address.parse().expect("an address");
            row.network.contains(address) && *what == row.what
        });
        assert!(checked.count() > 0, "{} {}", row.network, row.what);
    }
}

#[tokio::test]
async fn one_inner_address_among_public_ones_refuses_the_name() {
    for answer in [
        &["93.184.216.34", "10.0.0.1"][..],
        &["2606:4700::1", "::1"],
        &["127.0.0.1", "93.184.216.34"],
    ] {
        assert!(
            gate(Policy::default(), answer)
                .register("https://name.test/", Mode::Live)
                .await
                .is_err(),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told() {
    let nameless = Told::new(&[]);
    let gate = Gate::new(Policy::default(), Arc::clone(&nameless) as Arc<_>);
    assert!(matches!(
        gate.register("https://name.test/", Mode::Live).await,
        Err(egress::Failure::Resolve(_))
    ));
    let egress = egress_with(Policy::default(), nameless, Tls::new(None).expect("TLS"));
    assert_failed(
        &send(&egress, "https://name.test/", LONG_MS).await,
        Failure::Resolve,
        "no such name",
    );
}

/// Public when it is registered, loopback when it is connected to, where somebody would listen.
#[tokio::test]
async fn a_name_that_changes_its_meaning_gains_nothing() {
    let inside = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let url = format!("http://name.test:{}/", inside.address.port());
    let told = Told::new(&[&["93.184.216.34"], &["127.0.0.1"]]);
    let gate = Gate::new(Policy::default(), Arc::clone(&told) as Arc<_>);
    assert_eq!(gate.register(&url, Mode::Test).await, Ok(()));
    let egress = egress_with(Policy::default(), told, Tls::new(None).expect("TLS"));
    assert_failed(&send(&egress, &url, LONG_MS).await, Failure::Blocked, "loopback");
    assert_eq!(inside.connections(), 0);
}

/// The connection goes to the address that was vetted: the name is not asked for again behind the check.
#[tokio::test]
async fn what_is_connected_to_is_what_was_vetted() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let told = Told::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let egress = egress_with(loopback(), told, Tls::new(None).expect("TLS"));
    let url = format!("http://name.test:{}/", receiver.address.port());
    assert_status(&send(&egress, &url, LONG_MS).await, 200);
}

#[tokio::test]
async fn an_address_that_does_not_answer_gives_way_to_the_next() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    // Nobody listens at the first: the receiver has one address of the block.
    let told = Told::new(&[&["127.0.0.2", "127.0.0.1"]]);
    let egress = egress_with(loopback(), told, Tls::new(None).expect("TLS"));
    let outcome = send(
        &egress,
        &format!("http://name.test:{}/", receiver.address.port()),
        LONG_MS,
    )
    .await;
    assert_status(&outcome, 200);
    assert_eq!(outcome.peer, Some(receiver.address.ip()));
}

#[test]
fn a_self_hoster_allows_networks_and_nothing_beyond() {
    let allowed = |networks: &[&str], address: &str| {
        let read = |text: &&str| text.parse::<Network>().expect("a network");
        let policy = Policy {
            allowed: networks.iter().map(read).collect(),
            ..Policy::default()
        };
        policy.address(address.parse().expect("an address")).is_ok()
    };
    assert!(allowed(&["10.1.0.0/16"], "10.1.2.3"));
    assert!(!allowed(&["10.1.0.0/16"], "10.2.0.1"));
    assert!(allowed(&["fd12:3456::/32"], "fd12:3456::1"));
    assert!(allowed(&["127.0.0.1"], "127.0.0.1") && !allowed(&["127.0.0.1"], "127.0.0.2"));
    // What clouds hand credentials out at is allowed to nobody.
    assert!(!allowed(&["0.0.0.0/0", "::/0"], "169.254.169.254"));
    assert!(!allowed(&["0.0.0.0/0", "::/0"], "fd00:ec2::254"));
    // Where the outer form is allowed, the inner address is looked at.
    assert!(
        allowed(&["64:ff9b::/96"], "64:ff9b::5db8:d822"),
        "93.184.216.34 behind NAT64"
    );
    for inside in [
        "64:ff9b::a00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a00:1",
        "::ffff:10.0.0.1",
        "::ffff:0:10.0.0.1",
        "::10.0.0.1",
        "2002:a00:1::",
        "2002:7f00:1::1",
        // Teredo hides the client's address by turning its bits over.
        "2001::f5ff:fffe",
    ] {
        assert!(!allowed(&["::/0"], inside), "{inside}");
    }
    assert!(allowed(&["::/0", "10.0.0.0/8"], "2002:a00:1::"));
}

#[tokio::test]
async fn loopback_is_for_developers() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    for (policy, status) in [(Policy::default(), None), (loopback(), Some(200))] {
        let egress = egress_with(policy, Told::new(&[&["127.0.0.1"]]), Tls::new(None).expect("TLS"));
        let outcome = egress.send(delivery(endpoint(&receiver.url(), LONG_MS))).await;
        match status {
            None => assert_failed(&outcome, Failure::Blocked, ""),
            Some(status) => assert_status(&outcome, status),
        }
    }
    // It lets through what leads to this machine, and nothing else that is special.
    for address in ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "0.0.0.0", "::"] {
        assert!(
            loopback().address(address.parse().expect("an address")).is_err(),
            "{address}"
        );
    }
}
