//! Data goes to standard output, everything else to standard error.

use crate::exit::Failure;
use std::io::Write;

/// Writes data to standard output. A reader that has seen enough (`tollgate config | head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::environment(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}
