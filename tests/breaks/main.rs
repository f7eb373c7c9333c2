//! Checks that can fail: each deliberate break of `src/breaks` is made, and a named check must see it.
//!
//! ```text
//! tests/run breaks
//! TOLLGATE_BREAKS_WRITE=1 tests/run breaks      writes docs/breaks.md again
//! ```
//! One build with all breaks in it; each check runs as a process of its own, without a break, where it must pass, and with
//! one, where it must fail. Reading order: [`matrix`] (what catches what), [`runner`], [`page`] (the table in the docs).

mod matrix;
mod page;
mod runner;

use matrix::MATRIX;
use runner::{Binaries, Job, Outcome};
use std::process::Command;

#[test]
fn every_break_is_caught_by_its_check_and_no_check_fails_without() {
    let binaries = Binaries::build();
    let caught = MATRIX.iter().map(|row| Job {
        check: row.check,
        broken: Some(row.of),
    });
    let sound = matrix::checks().into_iter().map(|check| Job { check, broken: None });
    let jobs: Vec<Job> = sound.chain(caught).collect();
    let outcomes = runner::run_all(&binaries, &jobs);
    let wrong: Vec<String> = outcomes.iter().filter_map(Outcome::complaint).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let text = page::render(&outcomes);
    page::compare_or_write(&text);
}

#[test]
fn every_break_has_a_row() {
    for known in tollgate_breaks::ALL {
        let rows = MATRIX.iter().filter(|row| row.of == known.of).count();
        assert!(rows >= 1, "nothing is said to catch {}", known.name);
    }
    assert!(tollgate_breaks::ALL.len() >= 10);
}

#[test]
fn breaks_are_named_once_and_stand_where_they_say() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for (at, known) in tollgate_breaks::ALL.iter().enumerate() {
        assert!(!known.invariants.is_empty() && known.invariants.iter().all(|one| (1..=14).contains(one)));
        assert!(known.name.chars().all(|one| one == '-' || one.is_ascii_lowercase()));
        let same = |other: &&tollgate_breaks::Known| other.name == known.name || other.of == known.of;
        assert_eq!(tollgate_breaks::ALL.iter().position(|other| same(&other)), Some(at));
        let place = root.join(known.place);
        let text = std::fs::read_to_string(&place).unwrap_or_else(|error| panic!("{}: {error}", place.display()));
        let line = format!("broken!({:?})", known.of);
        assert!(text.contains(&line), "{line} does not stand in {}", known.place);
    }
}

#[test]
fn this_build_says_what_it_is_and_refuses_unknown_breaks() {
    let tollgate = |name: &str, argument: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.arg(argument).env(tollgate_breaks::VARIABLE, name);
        command.output().expect("the binary runs")
    };
    let version = tollgate("", "--version");
    assert!(String::from_utf8_lossy(&version.stdout).contains("with breaks, for tests only"));
    let refused = tollgate("skip-synk", "config");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    for known in tollgate_breaks::ALL {
        assert!(said.contains(known.name), "{} is missing from: {said}", known.name);
    }
    assert!(tollgate("skip-sync", "config").status.success());
}
