//! Exit codes, and the errors that lead to them.

use std::fmt;
use std::process::ExitCode;

/// How a command ends when it does not end well. The codes are what scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 1: the thing asked about is not so.
    NotSo = 1,
    /// 2: wrong use, or input that cannot be read.
    WrongUse = 2,
    /// 3: the environment failed (disk, port, store).
    Environment = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// A failure that ends the process: a code for scripts, a message for people that says what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The code.
    pub exit: Exit,
    /// The message, without a final full stop.
    pub message: String,
}

impl Failure {
    /// Wrong use.
    pub(crate) fn wrong_use(message: impl fmt::Display) -> Failure {
        Failure {
            exit: Exit::WrongUse,
            message: message.to_string(),
        }
    }

    /// The thing asked about is not so.
    pub(crate) fn not_so(message: impl fmt::Display) -> Failure {
        Failure {
            exit: Exit::NotSo,
            message: message.to_string(),
        }
    }

    /// The environment failed.
    pub(crate) fn environment(message: impl fmt::Display) -> Failure {
        Failure {
            exit: Exit::Environment,
            message: message.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for Failure {}

impl From<crate::config_layers::ConfigError> for Failure {
    fn from(error: crate::config_layers::ConfigError) -> Failure {
        Failure::wrong_use(error)
    }
}
