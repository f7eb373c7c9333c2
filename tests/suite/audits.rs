//! `tollgate verify` as an operator meets it: what it prints, and how it ends.

use crate::server::{Server, tollgate};
use crate::tenancy::upload_evidence;
use serde_json::Value;
use std::path::{Path, PathBuf};

const KEY: &str = "sk_test_audited";

#[test]
fn an_audit_says_who_audited_what_and_ends_with_0() {
    let mut server = Server::start();
    for nth in 0..3 {
        let form = "amount=1000&currency=usd&confirm=true&payment_method=pm_card_visa";
        let key = format!("key-{nth}");
        let answer = server.send(KEY, "POST", "/v1/payment_intents", form, &[("Idempotency-Key", &key)]);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    // Of a directory in use, and of one at rest.
    for in_use in [true, false] {
        if !in_use {
            server.stop();
        }
        let (code, text) = verify(&server.data(), &[]);
        assert_eq!(code, Some(0), "{text}");
        for line in [
            &format!("data                 {}", server.data().display()),
            &format!("audited by           tollgate {}", env!("CARGO_PKG_VERSION")),
            "payments             3 of 3 payment intents succeeded",
            "entries              3, 3 balance transactions",
            "attempts pending     none",
            "refunds in transit   none",
            "index                none: the next start builds it from the journal",
            "clean: everything agrees",
        ] {
            assert!(text.lines().any(|known| known == line), "no line {line:?} in\n{text}");
        }
        assert!(
            text.lines()
                .any(|line| line.starts_with("up to                20") && line.ends_with(" UTC"))
        );
    }
    let (code, text) = verify(&server.data(), &["--json", "--memory-mb", "1"]);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &report["clean"]), (Some(0), &Value::Bool(true)));
    assert_eq!((&report["passes"], &report["payments"]), (&1.into(), &3.into()));
    assert_eq!(report["index"]["state"], "absent");
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_index_that_a_start_would_build_again_is_no_difference() {
    let mut server = Server::start();
    server.send(KEY, "POST", "/v1/customers", "", &[]);
    server.stop();
    let manifest = server.data().join("index/manifest");
    std::fs::write(&manifest, "nothing that was ever written").expect("the manifest is damaged");
    let (code, text) = verify(&server.data(), &[]);
    assert_eq!(code, Some(0), "{text}");
    let line = text
        .lines()
        .find(|line| line.starts_with("index "))
        .expect("a line about the index");
    assert!(
        line.contains("not usable, the next start builds it from the journal: "),
        "{line}"
    );
    assert!(manifest.exists(), "an audit changes nothing");
}

#[test]
fn an_audit_reads_the_bytes_of_uploaded_files() {
    let mut server = Server::start();
    let file = upload_evidence(&server, KEY).id();
    let linked = server.send(KEY, "POST", "/v1/file_links", &format!("file={file}"), &[]);
    assert_eq!(linked.status, 200, "{linked:?}");
    let said = |server: &Server, line: &str| {
        let (code, text) = verify(&server.data(), &[]);
        assert!(code == Some(0) && text.lines().any(|known| known == line), "{text}");
    };
    said(&server, "files                1 uploaded, 0 unreferenced");
    server.stop();
    said(&server, "files                1 uploaded, 0 unreferenced");

    let path = only_file(&server.data().join("files"));
    let bytes = std::fs::read(&path).expect("the bytes");
    let mut other = bytes.clone();
    other[3] ^= 1;
    let short = &bytes[..bytes.len() - 1];
    let long = [&bytes[..], b"more"].concat();
    for (damage, fault) in [
        (
            Some(&other[..]),
            "holds other bytes than were uploaded, by their SHA-256".to_owned(),
        ),
        (
            Some(short),
            format!("has {} bytes, {} in its record", short.len(), bytes.len()),
        ),
        (
            Some(&long[..]),
            format!("is longer than the {} bytes of its record", bytes.len()),
        ),
        (None, "is missing".to_owned()),
    ] {
        match damage {
            Some(bytes) => std::fs::write(&path, bytes).expect("damaged"),
            None => std::fs::remove_file(&path).expect("removed"),
        }
        let (code, text) = verify(&server.data(), &[]);
        let line = format!("DIFFERENCE: file: {} of {file} {fault}; at ", path.display());
        let found = text.lines().find(|known| known.starts_with(&line));
        let found = found.unwrap_or_else(|| panic!("no line {line:?} in\n{text}"));
        assert!(found.contains(", account acct_"), "{found}");
        assert_eq!(code, Some(1), "{text}");
    }
    let (_, text) = verify(&server.data(), &["--json"]);
    let report: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(
        (&report["difference"]["check"], &report["files"]),
        (&"file".into(), &Value::Null)
    );

    std::fs::write(&path, &bytes).expect("put back");
    let stray = path.with_file_name("ff".repeat(32));
    std::fs::write(stray, "nobody's").expect("written");
    said(&server, "files                1 uploaded, 1 unreferenced");
}

/// The one settled upload of a data directory.
fn only_file(files: &Path) -> PathBuf {
    let inside = |dir: &Path| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(dir).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    };
    let folders = inside(files).into_iter().filter(|folder| !folder.ends_with("new"));
    let found: Vec<PathBuf> = folders.flat_map(|folder| inside(&folder)).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

fn verify(data: &Path, more: &[&str]) -> (Option<i32>, String) {
    let data = data.to_str().expect("UTF-8");
    let output = tollgate(&[&["verify", "--data", data], more].concat());
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}
