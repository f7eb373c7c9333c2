//! Which references an answer shows in place.

use crate::shown::refund;
use tollgate_resource::expand::references;
use tollgate_resource::{Expand, Version};

/// Bits of the ids shown in place, with the paths that go on below each.
fn in_place(paths: &[&[&str]], version: Version) -> Vec<(u128, Vec<String>)> {
    let mut expand = Expand::default();
    paths.iter().for_each(|path| expand.add(path));
    let mut found = Vec::new();
    references(
        &refund(Some(Box::new(refund(None)))),
        &expand,
        version,
        &mut |_, id, below| {
            found.push((id.bits(), below.paths()));
        },
    );
    found
}

#[test]
fn nothing_is_shown_in_place_unless_asked_for() {
    assert_eq!(in_place(&[], Version::NEWEST), []);
    assert_eq!(
        in_place(&[&["parent"], &["amount"]], Version::NEWEST),
        [],
        "neither may be expanded"
    );
}

#[test]
fn expanded_references_carry_the_subtree() {
    let found = in_place(&[&["charge", "customer"], &["charge", "refunds"]], Version::NEWEST);
    assert_eq!(found, [(2, vec!["customer".into(), "refunds".into()])]);
}

#[test]
fn references_in_nested_hashes_and_arrays_are_found() {
    assert_eq!(in_place(&[&["card", "issuer"]], Version::NEWEST), [(6, vec![])]);
    assert_eq!(in_place(&[&["cards", "issuer"]], Version::NEWEST), [(7, vec![])]);
    assert_eq!(in_place(&[&["cause", "charge"]], Version::NEWEST), [(2, vec![])]);
}

#[test]
fn members_of_a_list_are_included_by_version_or_by_expand() {
    assert_eq!(in_place(&[&["items"]], Version::NEWEST), [(4, vec![]), (5, vec![])]);
    assert_eq!(
        in_place(&[&["items", "data", "charge"]], Version::NEWEST)[0],
        (4, vec!["charge".into()])
    );
    let old = in_place(&[], Version(20200827));
    assert_eq!(
        old.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [4, 5, 4, 5],
        "also the list inside `cause`"
    );
}

#[test]
fn the_tree_merges_paths() {
    let mut expand = Expand::default();
    expand.add(&["a", "b"]);
    expand.add(&["a"]);
    expand.add(&["c"]);
    assert_eq!(expand.paths(), ["a", "a.b", "c"]);
    assert!(expand.child("a").unwrap().child("b").unwrap().is_empty() && expand.child("b").is_none());
}
