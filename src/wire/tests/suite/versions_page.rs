//! `docs/versions.md`: every version, and what changed with it, from the changes themselves.

use std::fmt::Write;
use std::path::Path;
use tollgate_domain::versions::BEHAVIOURS;
use tollgate_wire::versions::{CHANGES, Change, KNOWN, UNCHANGED, WRITTEN};

/// Set to `write`, the page is written again instead of compared.
pub(crate) const WRITE: &str = "TOLLGATE_DOCS";

const HEAD: &str = "\
# API versions

A request names its version in `Stripe-Version`; without it, the version of its account holds. Answers and events are
written at that version, and the answer's `Stripe-Version` header says which it was. A version that is not listed here is
refused with 400 `Invalid Stripe API version: …`, and the header repeats what was asked for. A public preview
(`2026-10-28.preview`) is answered as the version of its day, and betas behind a version (`2020-08-27; orders_beta=v4`) are
taken and change nothing.

The code speaks the newest version only. Each difference is a file in `src/wire/versions` with an example that is its test;
requests of older versions go through them upwards, answers downwards. This page is written from those files
(`TOLLGATE_DOCS=write cargo test -p tollgate-wire --test suite versions_page`).

## What changed with each version

From the public changelog, for what Tollgate serves. A version that changed nothing of that says why.
";

const TAIL: &str = "
## Events

`data` of an event, and `api_version`, are of the version its account had when it happened, whoever reads it and at whichever
version: `tollgate account update --set api_version=…` changes that of events from then on. `previous_attributes` are told
apart after both sides were taken back to that version.

## Where Tollgate is kinder than the version asked for

- New fields, parameters and types of events are not held back: they came without a new version, so every version shows
  and takes them. What an older version calls otherwise is taken by its newer name too.
- `payment_method_types` is taken at every version, because what is written against `payment_method_types[]=card` is older
  than its end. Accounts with `retired_parameters=refused` refuse it from 2026-09-30.endive on, as the public API does.
- Evidence of disputes has no limit of pages from 2026-09-30.endive on.
- From before 2025-03-31.basil a cancelled hold or a partial capture made a refund object with balance transactions of its
  own. Here there is none at any version; only the amounts of the charge are told the old way.
- `total_count` of lists can be expanded until 2025-03-31.basil and counts up to 10,000. Lists inside objects show it at every
  version; searches have it at every version.
- The public changelog dates the end of a customer's included `sources` and `subscriptions` to 2020-08-27; here they are
  included until 2022-11-15, like the refunds of a charge.
- A charge takes the whole `statement_descriptor` of a card at every version.
- Versions before 2013-08-13 are refused by name.
";

#[test]
fn the_page_of_versions_is_what_the_changes_say() {
    let mut page = HEAD.to_owned();
    page.push_str("\n| version | what changed |\n|---|---|\n");
    for (version, name) in KNOWN.iter().rev() {
        let changes = CHANGES.iter().filter(|change| change.since == *version);
        let behaviours = BEHAVIOURS
            .iter()
            .chain(WRITTEN)
            .filter(|behaviour| behaviour.since == *version);
        let mut lines: Vec<String> = changes.map(|change| described(change)).collect();
        lines.extend(behaviours.map(|behaviour| behaviour.doc.to_owned()));
        let reason = UNCHANGED.iter().filter(|(unchanged, _)| unchanged == version);
        let reasons: Vec<String> = reason.map(|(_, why)| (*why).to_owned()).collect();
        assert!(
            lines.is_empty() != reasons.is_empty() && reasons.len() <= 1,
            "{name} either changed something or says why not"
        );
        lines.extend(reasons);
        writeln!(page, "| {name} | {} |", lines.join("<br>")).expect("text");
    }
    page.push_str(TAIL);
    compare("docs/versions.md", &page);
}

fn described(change: &Change) -> String {
    let mut line = change.doc.to_owned();
    let mut examples = change.requests.iter().map(|request| {
        let (sent, read) = request.example;
        format!(
            "`{} {}` with `{sent}` is read as `{read}`.",
            request.method.name(),
            request.path
        )
    });
    if let Some(example) = examples.next() {
        write!(line, " {example}").expect("text");
    }
    line
}

/// Compares a page of the documents with what it should say, or writes it.
pub(crate) fn compare(path: &str, page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    if std::env::var_os(WRITE).is_some_and(|value| value == "write") {
        std::fs::write(&file, page).expect("the page can be written");
        return;
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = known.lines().zip(page.lines()).find(|(known, new)| known != new);
    assert!(
        known == page,
        "{path} is not what the declarations say (first at {differs:?}). If that is meant, write it again with \
         {WRITE}=write cargo test -p tollgate-wire --test suite"
    );
}
