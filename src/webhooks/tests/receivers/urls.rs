//! Which URLs may be registered, as far as their text says it.

use crate::receiver::loopback;
use tollgate_webhooks::egress::{Host, Mode, Policy, Refusal};

/// What `url` is refused for in live mode; nothing if it is not.
fn live(url: &str) -> Option<Refusal> {
    Policy::default().target(url, Mode::Live).err()
}

#[test]
fn https_to_a_public_host_may_be_registered() {
    for url in [
        "https://example.com",
        "https://example.com/hook?a=b#c",
        "https://EXAMPLE.com:8443/hook",
        "https://example.com./",
        "https://b\u{fc}cher.example/",
        "https://93.184.216.34/",
        "https://[2606:4700:4700::1111]/",
        "https://example.com:65535/",
    ] {
        assert_eq!(live(url), None, "{url}");
    }
}

#[test]
fn other_urls_are_refused_for_what_they_are() {
    for url in [
        "",
        "example.com",
        "/hook",
        "https://",
        "https:///",
        "https://exa mple.com/",
        "https://example.com/\n",
        "\thttps://example.com/",
        "https://ex\u{7f}ample.com/",
        "https://[::1/",
        "https://example.com:99999/",
        "https://a..b/",
        "https://exa%00mple.com/",
    ] {
        assert!(
            matches!(live(url), Some(Refusal::NotAUrl(_))),
            "{url:?} {:?}",
            live(url)
        );
    }
    let long = format!("https://example.com/{}", "x".repeat(5_000));
    assert!(matches!(live(&long), Some(Refusal::NotAUrl(_))));
    for url in [
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ws://example.com/",
        "data:text/plain,x",
        "javascript:alert(1)",
    ] {
        assert!(matches!(live(url), Some(Refusal::Scheme)), "{url} {:?}", live(url));
    }
    for url in [
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://:pass@example.com/",
        "https://@example.com/",
        "https://example.com@evil.test/",
        "https:\\\\@example.com\\",
        "https:@example.com/",
    ] {
        assert_eq!(live(url), Some(Refusal::Userinfo), "{url}");
    }
    assert_eq!(live("http://example.com/"), Some(Refusal::HttpsOnly));
    assert!(Policy::default().target("http://example.com/", Mode::Test).is_ok());
}

#[test]
fn ports_are_a_matter_of_policy() {
    for port in [1, 22, 25, 53, 79, 81, 111, 442, 444, 445, 1_023] {
        assert_eq!(live(&format!("https://example.com:{port}/")), Some(Refusal::Port(port)));
    }
    for port in [80, 443, 1_024, 8_443] {
        assert_eq!(live(&format!("https://example.com:{port}/")), None);
    }
    let narrow = Policy {
        ports: vec![443..=443],
        ..Policy::default()
    };
    assert_eq!(
        narrow.target("https://example.com:8443/", Mode::Live).err(),
        Some(Refusal::Port(8_443))
    );
    assert!(
        loopback().target("http://127.0.0.1:81/", Mode::Test).is_ok(),
        "a developer's receiver stands anywhere"
    );
    assert!(loopback().target("http://93.184.216.34:81/", Mode::Test).is_err());
}

/// Forms of 127.0.0.1 and other inner addresses that some programs read and others do not.
#[test]
fn an_address_is_seen_however_it_is_written() {
    for url in [
        "https://127.1/",
        "https://127.0.0.1./",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://0/",
        "https://\u{ff11}\u{ff12}\u{ff17}.0.0.1/",
        "https://127\u{3002}0.0.1/",
        "https://%31%32%37.0.0.1/",
        "https://[0:0:0:0:0:0:0:1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://localhost/",
        "https://LOCALHOST./",
        "https://a.localhost/",
        "https://169.254.169.254/latest/meta-data/",
        "https://0xa9fea9fe/",
    ] {
        assert!(matches!(live(url), Some(Refusal::Address(_))), "{url} {:?}", live(url));
    }
}

#[test]
fn a_name_is_resolved_as_it_is_shown_to_the_receiver() {
    let target = Policy::default().target(
        "https://B\u{dc}CHER.example.:8443/a b".replace(' ', "%20").as_str(),
        Mode::Live,
    );
    let target = target.expect("allowed");
    assert_eq!(target.host, Host::Name("xn--bcher-kva.example".into()));
    assert_eq!((target.port, target.is_https()), (8_443, true));
}
