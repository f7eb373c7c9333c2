//! The port through which calls to networks are made. Networks live in a room of their own; the binary joins the two.

use std::future::Future;
use std::pin::Pin;
use tollgate_domain::acquirer::{NetworkAnswer, NetworkCall};

/// A future on the heap.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Somebody who makes calls to networks.
pub trait Performer: Send + Sync {
    /// Makes one call and waits for what comes back. Called at most once for a request; inquiries, reversals and refund
    /// advices come again until they are answered. Runs on a tokio runtime with time.
    fn perform(&self, call: NetworkCall) -> BoxFuture<'static, NetworkAnswer>;
}
