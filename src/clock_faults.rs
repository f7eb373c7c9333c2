//! A wall clock that errs on request, for the suites that must see what the server does then. Only builds with the
//! feature `faults` have any of this; a release has not.
//!
//! `TOLLGATE_FAULTS_CLOCK` names a file that holds by how many milliseconds the wall clock is off, as `-86400000`. It is
//! read before anything starts, and again all the time. A file that is not there, or holds no number, changes nothing.

use crate::exit::Failure;
use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tollgate_actors::clock::WALL_OFF_MS;

/// Where the file is named.
const VARIABLE: &str = "TOLLGATE_FAULTS_CLOCK";
/// How often it is read.
const TICK: Duration = Duration::from_millis(10);

/// Lets the wall clock err as the file says, if the environment names one.
pub(crate) fn start() -> Result<(), Failure> {
    let Some(path) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        return Ok(());
    };
    let read = move || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if let Ok(off_ms) = text.trim().parse() {
            WALL_OFF_MS.store(off_ms, Relaxed);
        }
    };
    read();
    let watch = std::thread::Builder::new().name("faults-clock".to_owned());
    let watched = watch.spawn(move || {
        loop {
            std::thread::sleep(TICK);
            read();
        }
    });
    watched.map_err(|error| Failure::environment(format!("a thread cannot be started: {error}")))?;
    Ok(())
}
