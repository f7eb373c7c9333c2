//! `tollgate verify`: the offline audit of a data directory.

use crate::exit::{Exit, Failure};
use crate::output::print;
use std::path::Path;
use tollgate_audit::Options;
use tollgate_domain::Secrets;
use tollgate_store::StoreError;
use tollgate_store_embedded::Embedded;

/// Audits `data`, whose server remembers idempotent answers for so many hours, and prints the report. Ends with 1 when
/// something does not agree, 2 when it cannot be read.
pub(crate) fn run(data: &Path, idempotency_hours: u32, json: bool) -> Result<(), Failure> {
    let unreadable = |error: StoreError| Failure::wrong_use(error);
    if !data.is_dir() {
        return Err(Failure::wrong_use(format!(
            "there is no data directory {}; name one with --data",
            data.display()
        )));
    }
    let scanner = Embedded::scanner(data).map_err(unreadable)?;
    let secret = scanner.secret().map_err(unreadable)?;
    let options = Options {
        idempotency_ms: u64::from(idempotency_hours) * 3_600_000,
        ..Options::default()
    };
    let secrets = Secrets::new(*secret.bytes());
    let report = tollgate_audit::verify(&scanner, &secrets, options).map_err(unreadable)?;
    if json {
        let text = serde_json::to_string_pretty(&report.json()).expect("a report of text and numbers can be written");
        print(&format!("{text}\n"))?;
    } else {
        print(&report.text())?;
    }
    match &report.difference {
        None => Ok(()),
        // The report on standard output has said it; a second message would only repeat it.
        Some(_) => Err(Failure {
            exit: Exit::NotSo,
            message: String::new(),
        }),
    }
}
