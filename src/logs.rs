//! Logs: to standard error, lower case, fields instead of interpolation, at most one line per request and no secrets.

use crate::config::Log;
use crate::exit::Failure;
use tracing_subscriber::EnvFilter;

/// Targets that report what a client did wrong as errors of ours; `level` may bring them back.
const QUIET: &str = "actix_http=off,actix_server=warn,actix_web=warn";

/// Starts logging; once per process.
pub(crate) fn start(log: &Log) -> Result<(), Failure> {
    let directives = format!("{QUIET},{}", log.level);
    let filter = EnvFilter::builder().parse(&directives).map_err(|why| {
        let known = "use error, warn, info, debug, trace, or a filter such as info,tollgate_http=debug";
        Failure::wrong_use(format!("log.level = {}: {why}; {known}", log.level))
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Or a log that cannot be written (a full disk, a closed pipe) would be reported on standard error as well, and
        // failing there panics: the thread that logged would be gone.
        .log_internal_errors(false);
    let started = if log.json {
        builder.json().try_init()
    } else {
        builder.with_ansi(false).try_init()
    };
    started.map_err(Failure::environment)
}
