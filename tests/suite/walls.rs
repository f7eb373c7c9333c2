//! The walls between rooms: crate edges are exactly those of ARCHITECTURE.md, and the domain stays pure.

use cargo_metadata::{DependencyKind, MetadataCommand};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Rooms whose tests may use more than the room itself: crate, extra crates.
const DEV_EDGES: &[(&str, &[&str])] = &[
    ("tollgate-actors", &["tollgate-acquiring", "tollgate-store-embedded"]),
    ("tollgate-audit", &["tollgate-actors"]),
    (
        "tollgate-http",
        &["tollgate-store", "tollgate-store-embedded", "tollgate-acquiring"],
    ),
];

/// The rows of the room table in ARCHITECTURE.md: crate -> crates it may use.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut rows = BTreeMap::new();
    let mut raw = Vec::new();
    for line in text
        .lines()
        .filter(|line| line.starts_with("| ") && line.matches('|').count() == 5)
    {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if cells[2].starts_with("tollgate") {
            raw.push((cells[2].to_owned(), cells[4].to_owned()));
        }
    }
    let crates: Vec<String> = raw
        .iter()
        .flat_map(|(names, _)| names.split(", "))
        .map(str::to_owned)
        .collect();
    for (names, uses) in raw {
        let mut allowed: BTreeSet<String> = match uses.as_str() {
            "-" => BTreeSet::new(),
            "all of the above" => crates.iter().cloned().collect(),
            rooms => rooms
                .split(", ")
                .map(|room| format!("tollgate-{}", room.replace('_', "-")))
                .collect(),
        };
        // The derive belongs to the vocabulary: resource re-exports it.
        allowed.insert("tollgate-resource-derive".to_owned());
        for name in names.split(", ") {
            rows.insert(name.to_owned(), allowed.clone());
        }
    }
    rows
}

#[test]
fn crate_edges_are_those_of_the_map() {
    let rows = table();
    let metadata = MetadataCommand::new()
        .manifest_path(Path::new(ROOT).join("Cargo.toml"))
        .no_deps()
        .exec()
        .expect("cargo metadata");
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        let name = package.name.to_string();
        let Some(allowed) = rows.get(&name) else {
            wrong.push(format!("{name} has no row in the room table"));
            continue;
        };
        let extra = DEV_EDGES
            .iter()
            .find(|(of, _)| *of == name)
            .map_or(&[][..], |(_, extra)| extra);
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.name.starts_with("tollgate"))
        {
            let fine = allowed.contains(&dependency.name)
                || (dependency.kind == DependencyKind::Development && extra.contains(&dependency.name.as_str()));
            if !fine {
                wrong.push(format!("{name} uses {}", dependency.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "edges that ARCHITECTURE.md does not list:\n{}",
        wrong.join("\n")
    );
    assert_eq!(
        metadata.packages.len(),
        rows.len(),
        "the room table and the workspace name different crates"
    );
}

/// Words that would make the domain impure, and why each is out.
const IMPURE: &[(&str, &str)] = &[
    ("SystemTime", "the clock is an input"),
    ("Instant", "the clock is an input"),
    ("std::fs", "no I/O"),
    ("std::net", "no I/O"),
    ("std::thread", "no threads"),
    ("async ", "nothing waits in a decision"),
    ("println!", "no logging"),
    ("tracing::", "no logging"),
    ("rand::", "entropy is an input"),
    ("getrandom", "entropy is an input"),
    ("f32", "money is integers"),
    ("f64", "money is integers"),
    ("std::collections::HashMap", "iteration order would escape"),
    ("RandomState", "hashing must not differ between runs"),
];

#[test]
fn the_domain_is_pure() {
    let mut wrong = Vec::new();
    let domain = Path::new(ROOT).join("src/domain");
    // Its suites are not part of it: they read golden files.
    let suites = domain.join("tests");
    for file in rust_files(&domain)
        .into_iter()
        .filter(|file| !file.starts_with(&suites))
    {
        let text = std::fs::read_to_string(&file).expect("a source file");
        for (at, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            // `Network::Instant` is a word of ours.
            let code = code.replace("Network::Instant", "").replace("Instant,", "");
            for (word, why) in IMPURE {
                if names(&code, word) {
                    wrong.push(format!("{}:{}: {word} ({why})", file.display(), at + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether `code` has `word`, not as the end of a longer one (`CardBrand::Visa` is not `rand::`).
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

#[test]
fn no_queue_is_unbounded_without_a_reason() {
    let mut wrong = Vec::new();
    for folder in ["src", "actors", "loadtest"] {
        for file in rust_files(&Path::new(ROOT).join(folder)) {
            if file.components().any(|part| part.as_os_str() == "tests") {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a source file");
            let lines: Vec<&str> = text.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                let unbounded = code.contains("unbounded(")
                    || code.contains("unbounded_channel(")
                    || code.contains("mpsc::channel()");
                let reasoned = lines[at.saturating_sub(4)..=at]
                    .iter()
                    .any(|line| line.contains("Bounded by"));
                if unbounded && !reasoned {
                    wrong.push(format!(
                        "{}:{}: say what bounds it (`// Bounded by …`) or bound it",
                        file.display(),
                        at + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_a_drawer() {
    for folder in ["src", "actors", "loadtest", "tests"] {
        for file in rust_files(&Path::new(ROOT).join(folder)) {
            let name = file.to_string_lossy().to_lowercase();
            let drawer = ["utils", "common", "helpers", "misc"].iter().any(|word| {
                file.components().any(|part| {
                    let part = part.as_os_str().to_string_lossy();
                    part.strip_suffix(".rs").unwrap_or(&part) == *word
                })
            });
            assert!(!drawer, "{name} says nothing about what is in it");
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
