//! The way to whoever holds the settings of the running server, and its store: the root of the program, which alone knows them.

use crate::operator::OperatorError;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

/// Operators' wishes that wait; more are refused.
const WISHES_WAITING_MAX: usize = 16;

/// What an operator wants of the settings, or of the store.
#[derive(Debug)]
pub enum Wish {
    /// Tell the state of the indexes.
    Indexes,
    /// Build the index of this shard again from the journal, or those of all shards that are here.
    RebuildIndexes(Option<u16>),
    /// Read them again, and change what can be changed.
    Reload,
    /// Tell what the text of a settings file would change; without one, what a reload would.
    Check(Option<String>),
    /// Tell those that hold.
    Show,
}

/// A wish, and where its answer goes. An error is a sentence for the operator: what is wrong with the settings.
pub type Wished = (Wish, oneshot::Sender<Result<Value, String>>);

/// Hands wishes in.
#[derive(Clone, Debug)]
pub struct Tuning {
    wishes: mpsc::Sender<Wished>,
}

impl Tuning {
    /// The way, and where wishes arrive. When that end is dropped they are refused.
    pub fn new() -> (Tuning, mpsc::Receiver<Wished>) {
        let (wishes, arrive) = mpsc::channel(WISHES_WAITING_MAX);
        (Tuning { wishes }, arrive)
    }

    /// Hands a wish in and waits for its answer.
    pub async fn ask(&self, wish: Wish) -> Result<Value, OperatorError> {
        let unavailable = || OperatorError::Unavailable("this cannot be asked or changed now; try again".into());
        let (answer, answered) = oneshot::channel();
        self.wishes.try_send((wish, answer)).map_err(|_| unavailable())?;
        answered
            .await
            .map_err(|_| unavailable())?
            .map_err(OperatorError::Invalid)
    }
}
