//! The table in docs/breaks.md: compared with what was just seen, except for the times and words; or written.

use crate::runner::{Outcome, known};
use std::path::{Path, PathBuf};

/// Set to write the page instead of comparing it.
const WRITE: &str = "TOLLGATE_BREAKS_WRITE";

const HEAD: &str = "\
# Checks that can fail

A check that has never failed proves little. Each row below is one line of Tollgate made wrong on purpose, and the check
that sees it. All breaks are in one build (`--features breaks`, never in a release: `tests/crash/release.rs`), one is chosen
when a process starts, and each check is an ordinary test of its suite: who makes the same mistake by accident is told by
the same test. The numbers are the invariants of ARCHITECTURE.md as the design numbers them: 1 no acknowledged write is
lost, 2 nothing appears that no request explains, 3 one key, one charge, 4 every unknown outcome resolves, 5 entries sum to
zero, 6 balances equal their postings, 7 balance transactions sum to the balance and refunds stay within the capture, 8
nothing stays in transit, 9 objects move along their state tables, 10 every event, in order, 11 a read after an acknowledged
write sees it, 12 replay gives the same state.

```
tests/run breaks                                 makes every break, and runs every check without one, too
TOLLGATE_BREAKS_WRITE=1 tests/run breaks         writes this page again
TOLLGATE_BREAK=skip-sync cargo test -p tollgate -p tollgate-store-embedded --features tollgate/breaks --test suite crash::
```

The first compares this page with what it sees, except for the last two columns: they are of the run that wrote the page
(unoptimised build, two checks at a time; seconds include the start of the process).

";

/// The page for these outcomes.
pub(crate) fn render(outcomes: &[Outcome]) -> String {
    let mut page = HEAD.to_owned();
    page += "| break | what is wrong | where | breaks | caught by | it says | after |\n|---|---|---|---|---|---|---|\n";
    for outcome in outcomes {
        let Some(of) = outcome.job.broken else { continue };
        let known = known(of);
        let invariants: Vec<String> = known.invariants.iter().map(u8::to_string).collect();
        let said = outcome
            .said
            .as_deref()
            .unwrap_or("nothing")
            .replace('|', "\\|")
            .replace('`', "'");
        page += &format!(
            "| `{}` | {} | `{}` | {} | {} | `{said}` | {:.1} s |\n",
            known.name,
            known.what,
            known.place,
            invariants.join(", "),
            outcome.job.check,
            outcome.took.as_secs_f64(),
        );
    }
    page
}

/// Writes the page if the environment asks for that; else says when it differs in more than words and times.
pub(crate) fn compare_or_write(page: &str) {
    let path = path();
    if std::env::var_os(WRITE).is_some() {
        return std::fs::write(&path, page).expect("the page is written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        lasting(&kept) == lasting(page),
        "{} is not what was just seen; write it again with {WRITE}=1",
        path.display()
    );
}

/// The page without the last two columns of its table.
fn lasting(page: &str) -> Vec<String> {
    let row = |line: &str| line.split(" | ").take(5).collect::<Vec<_>>().join(" | ");
    let lines = page.lines();
    lines
        .map(|line| {
            if line.starts_with("| `") {
                row(line)
            } else {
                line.to_owned()
            }
        })
        .collect()
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/breaks.md")
}
