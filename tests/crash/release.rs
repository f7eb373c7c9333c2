//! The binary without the features `faults` and `breaks` has neither: not the variables, not the words, and it does not act
//! on them.

use crate::server::{Server, binary, tollgate};

#[test]
fn a_build_without_the_features_has_no_faults_and_no_breaks() {
    let version = tollgate(&["--version"]);
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    assert_eq!(version.trim_end(), concat!("tollgate ", env!("CARGO_PKG_VERSION")));
    let bytes = std::fs::read(binary()).expect("the binary is read");
    // Searching text is many times faster than comparing windows, and there is much to search for.
    let text = String::from_utf8_lossy(&bytes);
    for words in ["TOLLGATE_FAULTS", "ACTION@POINT", "TOLLGATE_BREAK"]
        .into_iter()
        .chain(names_of_breaks())
    {
        assert!(!text.contains(words), "{words} stands in {}", binary().display());
    }
    let asked = [
        ("TOLLGATE_FAULTS", "kill@sync:0,fail@prepare:0,nonsense"),
        ("TOLLGATE_BREAK", "nonsense"),
    ];
    let server = Server::with(&[], &asked);
    server.pay(1000);
    server.verify();
}

/// What two breaks are called, read from the source: a build without them cannot say. All names are in one table, so that
/// either all of them are in the binary or none is.
fn names_of_breaks() -> [&'static str; 2] {
    let table = include_str!("../../src/breaks/table.rs");
    let name = |line: &'static str| line.trim().strip_prefix("name: \"")?.strip_suffix("\",");
    let mut names = table.lines().filter_map(name);
    let first = names.next().expect("the table names breaks");
    [first, names.next_back().expect("it names several")]
}
