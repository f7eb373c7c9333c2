//! Statements that may be repeated, tried a few times: whoever waits for them can do without the answer for a while.

use crate::failure::is_permanent;
use crate::link::Failed;
use std::time::Duration;
use tollgate_store::StoreError;

/// How often something is tried that somebody waits for: the driver has tried other nodes by then.
pub(crate) const READ_TRIES: u32 = 2;
/// How often something is tried in the background.
pub(crate) const WRITE_TRIES: u32 = 5;
/// Pause before the second try; doubled each time.
const PAUSE: Duration = Duration::from_millis(20);

/// Runs something repeatable until it gives an answer, or the tries are used up.
pub(crate) async fn a_few_times<T, F>(tries: u32, what: &str, run: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, Failed>>,
{
    let mut pause = PAUSE;
    for _ in 1..tries {
        match run().await {
            Ok(answer) => return Ok(answer),
            Err(Failed::Statement(error)) if !is_permanent(&error) => {
                tracing::debug!(%error, "{what}: tried again");
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(error.told(what)),
        }
    }
    run().await.map_err(|error| error.told(what))
}
