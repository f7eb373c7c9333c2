//! What a failed statement says about what happened.

use scylla::errors::{DbError, ExecutionError, RequestAttemptError};
use scylla::statement::Consistency;
use tollgate_store::StoreError;

/// Whether a conditional write may have been applied although it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Applied {
    /// The server said that it did not try.
    No,
    /// It may be applied now, or later.
    Unknown,
}

/// Only a server that had too few replicas for its serial phase says that nothing happened. Everything else, a broken
/// connection, a timeout of either side, a failure of replicas, leaves it open.
pub(crate) fn applied(error: &ExecutionError) -> Applied {
    match error {
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(
            DbError::Unavailable {
                consistency: Consistency::Serial | Consistency::LocalSerial,
                ..
            },
            _,
        )) => Applied::No,
        _ => Applied::Unknown,
    }
}

/// Whether trying again can help: not with a statement that the server does not understand or allow.
pub(crate) fn is_permanent(error: &ExecutionError) -> bool {
    match error {
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) => matches!(
            error,
            DbError::SyntaxError | DbError::Invalid | DbError::Unauthorized | DbError::ConfigError
        ),
        ExecutionError::BadQuery(_) => true,
        _ => false,
    }
}

/// The error of a statement, for people.
pub(crate) fn failed(what: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Io {
        place: "the cluster".to_owned(),
        what: format!("{what}: {error}"),
    }
}
