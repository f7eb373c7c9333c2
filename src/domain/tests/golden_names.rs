//! Names that programs out there send: every operation and parameter, against `golden_names.txt`. What is stored and
//! shown is held by `golden.txt` beside the domain; here is only a check that no record is missing there.
//!
//! A line may be added. A line that changes or goes breaks programs: think twice, then write the file anew with
//! `TOLLGATE_GOLDEN=write cargo test -p tollgate-domain --test golden_names` and say why in the commit.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use tollgate_domain::api::ENDPOINTS;
use tollgate_resource::operation::Answers;
use tollgate_resource::{ParamKind, ParamsShape, Version};

/// Deepest folder the scan of the sources goes into.
const FOLDER_DEPTH_MAX: usize = 8;

#[test]
fn operations_and_parameters_are_those_of_the_golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden_names.txt");
    let now = lines();
    if std::env::var("TOLLGATE_GOLDEN").is_ok_and(|what| what == "write") {
        std::fs::write(&path, now.join("\n") + "\n").expect("the golden file can be written");
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let golden: Vec<&str> = text.lines().collect();
    assert!(golden == now, "{}", difference(&golden, &now));
}

#[test]
fn every_record_is_in_the_golden_file_of_the_domain() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = std::fs::read_to_string(root.join("golden.txt")).expect("golden.txt stands beside the sources");
    let mut missing = Vec::new();
    let mut count = 0;
    for source in sources(root, FOLDER_DEPTH_MAX) {
        let text = std::fs::read_to_string(&source).expect("a source file can be read");
        for record in records(&text) {
            count += 1;
            if !golden
                .lines()
                .any(|line| line.starts_with(&format!("record {record}:")))
            {
                missing.push(format!("{record} in {}", source.display()));
            }
        }
    }
    assert!(
        count > 40,
        "only {count} records were found: the scan no longer sees them"
    );
    assert!(
        missing.is_empty(),
        "add to the list in golden.rs:\n{}",
        missing.join("\n")
    );
}

/// One line per operation and per parameter, nested ones with their bracket path, in order of declaration, which is the
/// order of errors.
fn lines() -> Vec<String> {
    let mut out = Vec::new();
    for endpoint in ENDPOINTS {
        let answer = match endpoint.answers {
            Answers::Contents(shape) => format!("contents of {}", shape.object.unwrap_or(shape.name)),
            Answers::One(shape) => shape.object.unwrap_or(shape.name).to_string(),
            Answers::Many(shape) => format!("list of {}", shape.object.unwrap_or(shape.name)),
            Answers::Found(shape) => format!("search among {}", shape.object.unwrap_or(shape.name)),
        };
        out.push(format!(
            "{}: {} {} -> {answer}",
            endpoint.name,
            endpoint.method.name(),
            endpoint.path
        ));
        params(endpoint.params, "", &mut out);
    }
    out
}

fn params(shape: &ParamsShape, prefix: &str, out: &mut Vec<String>) {
    for field in shape.fields {
        let path = if prefix.is_empty() {
            field.name.to_string()
        } else {
            format!("{prefix}[{}]", field.name)
        };
        let mut line = format!("    {path}: {}", words(&field.kind));
        for (word, said) in [("required", field.required), ("clearable", field.clearable)] {
            if said {
                write!(line, ", {word}").expect("writing to a string cannot fail");
            }
        }
        if field.since != Version::ALWAYS {
            write!(line, ", since {}", field.since.0).expect("writing to a string cannot fail");
        }
        if field.until != Version::NEVER {
            write!(line, ", until {}", field.until.0).expect("writing to a string cannot fail");
        }
        out.push(line);
        nested(&field.kind, &path, out);
    }
}

fn nested(kind: &ParamKind, path: &str, out: &mut Vec<String>) {
    match kind {
        ParamKind::Node(shape) => params(shape, path, out),
        ParamKind::List { of, .. } => nested(of, &format!("{path}[]"), out),
        _ => {}
    }
}

fn words(kind: &ParamKind) -> String {
    match kind {
        ParamKind::Int { .. } => "integer".into(),
        ParamKind::Bool => "boolean".into(),
        ParamKind::Str { max_len } => format!("text of {max_len}"),
        ParamKind::Names(names) => names.join(" | "),
        ParamKind::Id(kind) => format!("id of {}", kind.object),
        ParamKind::Word(word) => (*word).into(),
        ParamKind::Secret(word) => format!("secret {word}"),
        ParamKind::Metadata => "metadata".into(),
        ParamKind::Node(_) => "hash".into(),
        ParamKind::Range => "range".into(),
        ParamKind::File => "file".into(),
        ParamKind::List { of, max_items } => format!("up to {max_items} of {}", words(of)),
    }
}

/// The lines that differ, and how to accept them.
fn difference(golden: &[&str], now: &[String]) -> String {
    let gone = golden
        .iter()
        .filter(|line| !now.iter().any(|known| known == **line))
        .map(|line| format!("- {line}"));
    let new = now
        .iter()
        .filter(|line| !golden.contains(&line.as_str()))
        .map(|line| format!("+ {line}"));
    let mut lines: Vec<String> = gone.chain(new).collect();
    if lines.is_empty() {
        lines.push("the lines are the same in another order".into());
    }
    format!(
        "operations or parameters differ from src/domain/tests/golden_names.txt:\n{}\nIf that is meant, run \
         TOLLGATE_GOLDEN=write cargo test -p tollgate-domain --test golden_names",
        lines.join("\n")
    )
}

/// The Rust files below `folder`, without its tests.
fn sources(folder: &Path, depth: usize) -> Vec<PathBuf> {
    assert!(depth > 0, "{} lies too deep", folder.display());
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a source folder can be read") {
        let path = entry.expect("a source folder can be read").path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests" && name != "target") {
                out.extend(sources(&path, depth - 1));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
    out.sort();
    out
}

/// Names of the types in `source` that derive `Record`, without wrappers of one value: those have no numbers.
fn records(source: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for part in source.split("#[derive(").skip(1) {
        let Some((derives, rest)) = part.split_once(")]") else {
            continue;
        };
        if !derives.split(',').any(|derive| derive.trim() == "Record") {
            continue;
        }
        let mut words = rest.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        if words.any(|word| word == "struct" || word == "enum") {
            let name = words.find(|word| !word.is_empty());
            out.extend(name.filter(|name| !rest.contains(&format!("struct {name}("))));
        }
    }
    out
}

#[test]
fn the_scan_sees_derives_over_several_lines() {
    let source = "#[derive(Clone, Record)]\n/// A doc.\npub struct A {}\n#[derive(Record)]\nstruct Key(u64);\n\
        #[derive(\n    Clone,\n    Record,\n)]\n#[other]\nenum B {}\n#[derive(Clone)]\nstruct C;";
    assert_eq!(records(source), ["A", "B"]);
}

#[test]
fn a_difference_names_both_sides_and_the_way_out() {
    let text = difference(&["a: x", "b: y"], &["a: x".into(), "b: z".into()]);
    assert!(text.contains("- b: y\n+ b: z\n") && text.contains("TOLLGATE_GOLDEN=write") && !text.contains("a: x"));
    assert!(difference(&["a", "b"], &["b".into(), "a".into()]).contains("another order"));
}
