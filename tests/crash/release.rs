//! The binary without the feature `faults` has none: not the variable, not the words, and it does not act on them.

use crate::server::{Server, binary, tollgate};

#[test]
fn a_build_without_the_feature_has_no_faults() {
    let version = tollgate(&["--version"]);
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    assert_eq!(version.trim_end(), concat!("tollgate ", env!("CARGO_PKG_VERSION")));
    let bytes = std::fs::read(binary()).expect("the binary is read");
    for words in ["TOLLGATE_FAULTS", "ACTION@POINT"] {
        let found = bytes.windows(words.len()).any(|window| window == words.as_bytes());
        assert!(!found, "{words} stands in {}", binary().display());
    }
    let server = Server::with(&[], &[("TOLLGATE_FAULTS", "kill@sync:0,fail@prepare:0,nonsense")]);
    server.pay(1000);
    server.verify();
}
