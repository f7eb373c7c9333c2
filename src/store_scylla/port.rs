//! Who takes the statements of the protocol: a cluster, or the tables of a simulation.

use crate::answer::Answer;
use crate::link::Failed;
use scylla::serialize::row::SerializeRow;
use std::time::Duration;
use tollgate_store::StoreError;

/// Tables that take conditional writes one after another. A statement that fails may have been applied, or may be later;
/// only [`crate::failure::applied`] says of some errors that it was not.
pub(crate) trait Port: Send + Sync + 'static {
    /// A prepared statement.
    type Statement: Send + Sync + 'static;

    /// Where the tables are, for messages.
    fn keyspace(&self) -> &str;

    /// Prepares a conditional write, with `$` for the keyspace.
    fn conditional(&self, text: &str) -> impl Future<Output = Result<Self::Statement, StoreError>> + Send;

    /// Prepares a read that sees every conditional write that was acknowledged, and settles those that were not.
    fn serial(&self, text: &str) -> impl Future<Output = Result<Self::Statement, StoreError>> + Send;

    /// Prepares a read or write that may be repeated.
    fn plain(&self, text: &str) -> impl Future<Output = Result<Self::Statement, StoreError>> + Send;

    /// Runs a statement once.
    fn run(
        &self,
        statement: &Self::Statement,
        values: impl SerializeRow + Send + Sync,
    ) -> impl Future<Output = Result<Answer, Failed>> + Send;

    /// Waits.
    fn pause(&self, time: Duration) -> impl Future<Output = ()> + Send;
}
