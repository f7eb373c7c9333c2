//! Logs: to standard error, lower case, fields instead of interpolation, at most one line per request and no secrets.

use crate::config::Log;
use crate::exit::Failure;
use tracing_subscriber::{EnvFilter, reload};

/// Targets that report what a client did wrong as errors of ours; `level` may bring them back.
const QUIET: &str = "actix_http=off,actix_server=warn,actix_web=warn";

/// Puts another filter in the place of the one that filters.
type Change = Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>;

/// Changes the level of a process that logs.
pub(crate) struct Level {
    change: Change,
}

impl Level {
    /// Changes it.
    pub(crate) fn set(&self, level: &str) -> Result<(), String> {
        (self.change)(filter(level)?).map_err(|why| format!("log.level = {level}: {why}"))
    }
}

/// Starts logging; once per process.
pub(crate) fn start(log: &Log) -> Result<Level, Failure> {
    let filter = filter(&log.level).map_err(Failure::wrong_use)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Or a log that cannot be written (a full disk, a closed pipe) would be reported on standard error as well, and
        // failing there panics: the thread that logged would be gone.
        .log_internal_errors(false);
    let (change, started): (Change, _) = if log.json {
        let builder = builder.json().with_filter_reloading();
        let handle = builder.reload_handle();
        (Box::new(move |filter| handle.reload(filter)), builder.try_init())
    } else {
        let builder = builder.with_ansi(false).with_filter_reloading();
        let handle = builder.reload_handle();
        (Box::new(move |filter| handle.reload(filter)), builder.try_init())
    };
    started.map_err(Failure::environment)?;
    Ok(Level { change })
}

/// What `log.level` lets through, if it can be understood.
pub(crate) fn filter(level: &str) -> Result<EnvFilter, String> {
    let directives = format!("{QUIET},{level}");
    EnvFilter::builder().parse(&directives).map_err(|why| {
        let known = "use error, warn, info, debug, trace, or a filter such as info,tollgate_http=debug";
        format!("log.level = {level}: {why}; {known}")
    })
}
