//! The tables themselves, past the store: to look at them and to damage them.

use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::value::{CqlValue, Row};
use tollgate_store_scylla::Settings;

pub(crate) struct Raw {
    runtime: tokio::runtime::Runtime,
    session: Session,
    keyspace: String,
}

impl Raw {
    pub(crate) fn open(settings: &Settings) -> Raw {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("threads start");
        let session = SessionBuilder::new().known_nodes(&settings.contact_points);
        let session = runtime.block_on(session.build()).expect("the cluster answers");
        Raw {
            runtime,
            session,
            keyspace: settings.keyspace.clone(),
        }
    }

    /// Runs a statement with `$` for the keyspace; the rows of its answer, if it has any.
    pub(crate) fn run(&self, text: &str, values: impl scylla::serialize::row::SerializeRow) -> Vec<Row> {
        let text = text.replace('$', &self.keyspace);
        let result = self.runtime.block_on(self.session.query_unpaged(text.as_str(), values));
        match result.expect("the statement is right").into_rows_result() {
            Ok(rows) => rows
                .rows::<Row>()
                .expect("rows")
                .map(|row| row.expect("a row"))
                .collect(),
            Err(_) => Vec::new(),
        }
    }

    /// The first column of each row, which must be a number.
    pub(crate) fn numbers(&self, text: &str) -> Vec<i64> {
        let rows = self.run(text, ());
        let number = |row: Row| match row.columns.into_iter().next().flatten() {
            Some(CqlValue::BigInt(number)) => number,
            other => panic!("{text}: {other:?}"),
        };
        rows.into_iter().map(number).collect()
    }
}

/// The bytes of a column.
pub(crate) fn blob(row: &Row, column: usize) -> Vec<u8> {
    match &row.columns[column] {
        Some(CqlValue::Blob(bytes)) => bytes.clone(),
        other => panic!("{other:?} is no blob"),
    }
}
