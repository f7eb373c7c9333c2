//! `tollgate verify`: the audit of a data directory, or of a cluster's journal.

use crate::config::Store;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::place::Place;
use crate::uploads::{SharedUploads, Uploads};
use std::path::Path;
use tollgate_audit::{Check, Difference, IndexStanding, Options, Report};
use tollgate_domain::Secrets;
use tollgate_domain::time::{clock_of, date_of, day_of};
use tollgate_store::StoreError;
use tollgate_store_embedded::{Agreement, Embedded, FileArea};
use tollgate_store_scylla::Settings;

/// Audits a store with so many megabytes for what is kept of payments, and prints the report. Ends with 1 when something
/// does not agree, 2 when it cannot be read.
pub(crate) fn run(store: &Store, memory_mb: u32, json: bool) -> Result<(), Failure> {
    let options = Options {
        idempotency_ms: u64::from(store.idempotency_hours) * 3_600_000,
        memory_bytes: (memory_mb as usize) << 20,
    };
    let place = Place::of(store).there()?;
    let report = match &place {
        Place::Directory(data) => of_directory(data, options)?,
        Place::Cluster(settings) => of_cluster(settings, options)?,
    };
    let name = place.name();
    if json {
        let mut value = report.json();
        value["data"] = name.into();
        value["version"] = env!("CARGO_PKG_VERSION").into();
        let text = serde_json::to_string_pretty(&value).expect("a report of text and numbers can be written");
        print(&format!("{text}\n"))?;
    } else {
        print(&format!("{}{}", heading(&name, &report), report.text()))?;
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

fn of_directory(data: &Path, options: Options) -> Result<Report, Failure> {
    let audit = || {
        let scanner = Embedded::scanner(data)?;
        let secrets = Secrets::new(*scanner.secret()?.bytes());
        let uploads = Uploads(FileArea::existing(data));
        let mut report = tollgate_audit::verify_with_uploads(&scanner, &uploads, &secrets, options)?;
        // What the journal itself contradicts comes first; an index is compared with one that is sound.
        if report.clean() {
            let mend = format!(
                "stop the server and build the index again: `tollgate index rebuild --data {}`",
                data.display()
            );
            compare_index(scanner.index()?, &mend, &mut report);
        }
        Ok(report)
    };
    audit().map_err(|error: StoreError| Failure::wrong_use(error))
}

fn of_cluster(settings: &Settings, options: Options) -> Result<Report, Failure> {
    let audit = || {
        let scanner = tollgate_store_scylla::Scanner::open(settings)?;
        let secrets = Secrets::new(scanner.about().secret);
        let uploads = SharedUploads(scanner.uploads().clone());
        let mut report = tollgate_audit::verify_with_uploads(&scanner, &uploads, &secrets, options)?;
        if report.clean() {
            let mend = "build it again with `tollgate index rebuild`, while the node that has the shard serves";
            compare_index(scanner.index()?, mend, &mut report);
        }
        Ok(report)
    };
    audit().map_err(|error: StoreError| Failure::wrong_use(error))
}

/// Compares the index with the journal and adds what is found to the report.
fn compare_index(agreement: Agreement, mend: &str, report: &mut Report) {
    report.index = Some(match agreement {
        Agreement::Absent => IndexStanding::Absent,
        Agreement::Unusable(why) => IndexStanding::Unusable(why),
        Agreement::Agrees { records } => IndexStanding::Agrees { records },
        Agreement::Differs(found) => {
            let (shard, block) = found.block.unzip();
            report.difference = Some(Difference {
                check: Check::Index,
                what: format!("{}. The money is right, the journal is sound; {mend}", found.what),
                place: found.place,
                shard,
                block,
                record: None,
                account: None,
                command: None,
            });
            IndexStanding::Differs
        }
    });
}

/// Who audited what, and up to when.
fn heading(data: &str, report: &Report) -> String {
    let until = format!("{} {} UTC", date_of(day_of(report.now_ms)), clock_of(report.now_ms));
    let passes = match report.passes {
        1 => String::new(),
        passes => format!(", read {passes} times"),
    };
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "{:<20} {}{passes}\n{:<20} {until}\n{:<20} tollgate {version}\n",
        "data", data, "up to", "audited by"
    )
}
