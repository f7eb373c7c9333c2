//! What a resource costs to compile: writes a scratch crate with many copies of a 40-field resource, builds it in release
//! mode with no copies and with N, and prints the difference per copy.
//!
//! ```text
//! cargo run -p tollgate-resource --example compile_cost -- "$(mktemp -d)" 50
//! ```
//! A copy has what a large resource of the domain has: 40 stored fields, a state with data, 40 shown fields and a nested
//! hash, 24 parameters of a create and 8 of an update, three closed sets of words, and the function from stored to shown.
//! Dependencies are built before the clock starts. The folder may be deleted afterwards.
#![allow(clippy::print_stdout, reason = "the result of this program")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// Most copies: more than the API has operations.
const COPIES_MAX: usize = 600;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(copies)) = (arguments.next(), arguments.next().and_then(|text| text.parse().ok())) else {
        println!("usage: compile_cost FOLDER COPIES");
        return ExitCode::FAILURE;
    };
    if !(1..=COPIES_MAX).contains(&copies) {
        println!("COPIES goes from 1 to {COPIES_MAX}");
        return ExitCode::FAILURE;
    }
    match measure(Path::new(&folder), copies) {
        Ok((none, all)) => {
            let each = (all - none) / copies as f64;
            println!("{copies} resources of 40 fields: {each:.3} s each ({all:.1} s, empty crate {none:.1} s)");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Seconds for the crate without a resource and with all of them.
fn measure(folder: &Path, copies: usize) -> Result<(f64, f64), String> {
    let source = folder.join("src");
    std::fs::create_dir_all(&source).map_err(|error| error.to_string())?;
    write(&folder.join("Cargo.toml"), &manifest())?;
    write(&source.join("lib.rs"), "")?;
    build(folder)?;
    write(&source.join("lib.rs"), "//! Nothing.\n")?;
    let none = build(folder)?;
    let mut lib = String::new();
    for copy in 0..copies {
        writeln!(lib, "pub mod resource_{copy};").expect("writing to a string cannot fail");
        write(&source.join(format!("resource_{copy}.rs")), &resource())?;
    }
    write(&source.join("lib.rs"), &lib)?;
    Ok((none, build(folder)?))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Seconds that the build took.
fn build(folder: &Path) -> Result<f64, String> {
    let start = Instant::now();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .status()
        .map_err(|error| error.to_string())?;
    if status.success() {
        Ok(start.elapsed().as_secs_f64())
    } else {
        Err("the scratch crate does not compile".into())
    }
}

/// The workspace's release profile, so that the figure is that of the real build.
fn manifest() -> String {
    format!(
        "[workspace]\n[package]\nname = \"compile-cost\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\ntollgate-resource = {{ path = {:?} }}\n\
         [profile.release]\nopt-level = 3\ndebug = \"line-tables-only\"\noverflow-checks = true\ncodegen-units = 16\n",
        env!("CARGO_MANIFEST_DIR")
    )
}

/// One resource: eight groups of five fields.
fn resource() -> String {
    let (mut kept, mut shown, mut show, mut create) = (String::new(), String::new(), String::new(), String::new());
    for group in 0..8 {
        let number = 3 + group * 5;
        write!(
            kept,
            "/// Amount.\n#[record({})] pub amount_{group}: i64,\n/// Note.\n#[record({})] pub note_{group}: Option<Box<str>>,\n\
             /// Other.\n#[record({})] pub other_{group}: Option<Id>,\n/// On.\n#[record({})] pub on_{group}: bool,\n\
             /// Word.\n#[record({})] pub word_{group}: Option<Word{}>,\n",
            number,
            number + 1,
            number + 2,
            number + 3,
            number + 4,
            group % 3
        )
        .expect("writing to a string cannot fail");
        write!(
            shown,
            "/// Amount.\npub amount_{group}: i64,\n/// Note.\npub note_{group}: Option<&'a str>,\n\
             /// Other.\n#[shown(expand)] pub other_{group}: Option<Ref>,\n/// On.\npub on_{group}: bool,\n\
             /// Word.\n#[shown(omit)] pub word_{group}: Option<Word{}>,\n",
            group % 3
        )
        .expect("writing to a string cannot fail");
        write!(
            show,
            "amount_{group}: self.amount_{group}, note_{group}: self.note_{group}.as_deref(), \
             other_{group}: self.other_{group}.map(|id| Ref {{ kind: &KIND, id }}), on_{group}: self.on_{group}, \
             word_{group}: self.word_{group}, "
        )
        .expect("writing to a string cannot fail");
        write!(
            create,
            "/// Amount.\n#[param(min = 1)] pub amount_{group}: Option<i64>,\n/// Note.\npub note_{group}: Update<Box<str>>,\n\
             /// Word.\npub word_{group}: Option<Word{}>,\n",
            group % 3
        )
        .expect("writing to a string cannot fail");
    }
    let mut update = String::new();
    for field in 0..8 {
        write!(
            update,
            "/// Note.\n#[param(max_len = 500)] pub note_{field}: Update<Box<str>>,\n"
        )
        .expect("writing to a string cannot fail");
    }
    let words: String = (0..3)
        .map(|set| {
            format!(
                "/// Words.\n#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]\npub enum Word{set} {{\n\
                 #[record(1)] First, #[record(2)] SecondWord, #[record(3)] ThirdWord, #[record(4)] Fourth,\n}}\n"
            )
        })
        .collect();
    format!(
        "use tollgate_resource::*;\nuse tollgate_resource::shown::Ident;\n\
         /// Kind.\npub static KIND: Kind = Kind {{ number: 1, prefix: \"x\", object: \"x\", other: None }};\n{words}\
         /// State.\n#[derive(Clone, Debug, PartialEq, Record)]\npub enum Status {{\n#[record(1)] Pending,\n\
         #[record(2)] Held {{ #[record(1)] amount: i64, #[record(2)] charge: Id }},\n\
         #[record(3)] Failed {{ #[record(1)] code: Box<str>, #[record(2)] charge: Option<Id> }},\n#[record(4)] Done,\n}}\n\
         /// Stored.\n#[derive(Clone, Debug, PartialEq, Record)]\npub struct Kept {{\n#[record(1)] pub id: Id,\n\
         #[record(2)] pub status: Status,\n#[record(200)] pub metadata: Metadata,\n{kept}}}\n\
         /// Shown.\n#[derive(Shown)]\n#[shown(object = \"x\")]\npub struct KeptShown<'a> {{\npub id: Ident,\n\
         pub metadata: &'a Metadata,\npub nested: NestedShown<'a>,\n{shown}}}\n\
         /// Nested.\n#[derive(Shown)]\npub struct NestedShown<'a> {{\npub a: Option<&'a str>,\npub b: i64,\npub c: bool,\n}}\n\
         impl Kept {{\n/// Shows it.\npub fn shown(&self) -> KeptShown<'_> {{\nKeptShown {{\n\
         id: Ident {{ kind: &KIND, id: self.id }}, metadata: &self.metadata,\n\
         nested: NestedShown {{ a: self.note_0.as_deref(), b: 1, c: true }},\n{show}}}\n}}\n}}\n\
         /// Create.\n#[derive(Clone, Debug, Default, Params)]\npub struct Create {{\n{create}pub metadata: MetadataUpdate,\n}}\n\
         /// Update.\n#[derive(Clone, Debug, Default, Params)]\npub struct Change {{\n{update}}}\n"
    )
}
