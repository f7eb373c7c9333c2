//! What the documents promise: README's commands, the settings manual, links.

use crate::server::{binary, tollgate};
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_first_command_shows_a_payment() {
    let shown = tollgate(&["demo", "--exit"]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&shown.stderr)
    );
    for word in [
        "payment_intent",
        "succeeded",
        "balance_transaction",
        "payment_intent.succeeded",
    ] {
        assert!(text.contains(word), "the demo does not show {word}:\n{text}");
    }
}

#[test]
fn readme_opens_with_two_commands() {
    let readme = read("README.md");
    let blocks: Vec<&str> = readme
        .split("```")
        .skip(1)
        .step_by(2)
        .take(2)
        .map(|block| block.split_once('\n').map_or("", |(_, text)| text.trim()))
        .collect();
    assert_eq!(blocks, ["cargo run --release -- demo", "tests/run"]);
}

#[test]
fn the_printed_settings_are_the_manual() {
    let printed = tollgate(&["config"]);
    assert_eq!(String::from_utf8_lossy(&printed.stdout), read("config/default.toml"));
}

#[test]
fn links_in_the_documents_resolve() {
    for page in pages() {
        let text = read(&page);
        let folder = Path::new(&page).parent().unwrap_or(Path::new(""));
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.starts_with("http") {
                assert!(
                    Path::new(ROOT).join(folder).join(path).exists(),
                    "{page} links to {link}"
                );
            }
        }
    }
}

#[test]
fn files_that_the_documents_name_are_there() {
    let ours = ["src/", "actors/", "tests/", "loadtest/", "config/", "docs/"];
    let mut named = 0;
    for page in pages() {
        let text = read(&page);
        let quoted = text.split('`').skip(1).step_by(2);
        for path in quoted.filter(|path| ours.iter().any(|folder| path.starts_with(folder))) {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
            if path.chars().all(plain) {
                // A suite of tests is named without its ending.
                let there = [path.to_owned(), format!("{path}.rs")];
                let there = there.iter().any(|path| Path::new(ROOT).join(path).exists());
                assert!(there, "{page} names {path}");
                named += 1;
            }
        }
    }
    assert!(named > 100, "only {named} were found");
}

/// Every page for people, from the root.
fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    for folder in ["", "docs/", "loadtest/"] {
        for entry in std::fs::read_dir(Path::new(ROOT).join(folder)).expect("a folder of pages") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            if name.ends_with(".md") {
                pages.push(format!("{folder}{name}"));
            }
        }
    }
    assert!(pages.len() > 8, "{pages:?}");
    pages
}

#[test]
fn wrong_use_says_what_to_do_and_exits_with_2() {
    for arguments in [
        &["serve", "--colour"][..],
        &["verify"],
        &["serve", "--config", "/no/such/file.toml"],
        &["frobnicate"],
    ] {
        let out = tollgate(arguments);
        assert_eq!(out.status.code(), Some(2), "{arguments:?}");
        assert!(!out.stderr.is_empty() && out.stdout.is_empty(), "{arguments:?}");
    }
    let folder = tempfile::tempdir().expect("a temporary directory");
    let missing = folder.path().join("data");
    let data = missing.to_str().expect("UTF-8");
    for arguments in [
        &["verify", "--data", data][..],
        &["account", "list", "--data", data],
        &["account", "show", "acct_x", "--data", data],
        &["account", "keys", "list", "--data", data],
    ] {
        let out = tollgate(arguments);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(data) && said.contains("--data"), "{arguments:?}: {said}");
        assert!(!missing.exists(), "{arguments:?} made a data directory");
    }
    let file = folder.path().join("accounts.toml");
    std::fs::write(&file, format!("[store]\ndata = {data:?}\n")).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let made = tollgate(&["account", "create", "--json", "--config", file]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    assert!(missing.exists(), "the file says where the data is");
    let listed = tollgate(&["account", "list", "--config", file]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("acct_"), "{listed:?}");
    let file = folder.path().join("t.toml");
    std::fs::write(&file, "[api]\nlistenn = \"127.0.0.1:0\"\n").expect("a file");
    let out = tollgate(&["serve", "--config", file.to_str().expect("UTF-8")]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        out.status.code() == Some(2) && said.contains("listenn") && said.contains("listen"),
        "{said}"
    );
}

#[test]
fn a_node_of_a_cluster_wants_the_address_that_all_nodes_show() {
    let said = |flags: &[&str]| {
        // Nobody listens there, so a server that gets past the settings ends, too, with another code.
        let cluster = [
            ("TOLLGATE_STORE__KIND", "cql"),
            ("TOLLGATE_STORE__CQL__CONTACT_POINTS", "127.0.0.1:1"),
            ("TOLLGATE_NODE__LISTEN", "127.0.0.1:0"),
        ];
        let out = std::process::Command::new(binary())
            .args(["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(flags)
            .envs(cluster)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("the binary runs");
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (code, refused) = said(&[]);
    assert!(
        code == Some(2) && refused.contains("api.public_url is empty") && refused.contains("every node"),
        "{code:?} {refused}"
    );
    let (code, warned) = said(&["--dev"]);
    assert!(
        code == Some(3) && warned.contains("api.public_url is empty") && warned.contains("this node"),
        "{code:?} {warned}"
    );
}
