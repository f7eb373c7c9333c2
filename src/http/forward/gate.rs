//! The listener for other nodes. Nothing behind it is reachable without the secret that follows from the data's.

use super::parcel::{Asks, NotLetIn};
use super::{Came, Nodes, not_here};
use crate::admin;
use crate::answer::{Answer, Content, Echo, LONG_LINE_PAGE, raw};
use crate::api::Api;
use crate::body::{BodyMemory, Incoming, read_body};
use crate::deliveries::{self, Operated};
use crate::head::Head;
use crate::server::Dispatch;
use crate::stream::Substitutes;
use crate::telemetry;
use crate::watch::Watch;
use std::sync::Arc;
use tollgate_actors::directory::Answered;

/// Largest thing that the directory is asked.
const ASKED_BYTES_MAX: usize = 256 << 10;
/// So many of them are read at once.
const ASKED_AT_ONCE_MAX: usize = 16;

/// The node listener on one worker thread.
pub(crate) struct Gate {
    api: Api,
    nodes: Arc<Nodes>,
    memory: BodyMemory,
}

impl Gate {
    /// The listener's dispatch for the thread that calls this. `api` answers what other nodes send.
    pub(crate) fn new(api: Api, nodes: Arc<Nodes>) -> Gate {
        Gate {
            api,
            nodes,
            memory: BodyMemory::new(ASKED_BYTES_MAX * ASKED_AT_ONCE_MAX),
        }
    }

    async fn directory(&self, head: &Head, incoming: &mut Incoming<'_>, watch: &Watch) -> Answer {
        let Ok(asked) = read_body(incoming, None, ASKED_BYTES_MAX, &self.memory, watch).await else {
            return ending(not_here(400));
        };
        match self.api.services.directory.answer(asked.of(head)).await {
            Answered::Told(told) => Answer::new(200, Content::Text, told),
            Answered::Elsewhere => not_here(503),
            Answered::Malformed => not_here(400),
        }
    }

    /// An operator's question, who asked another node.
    async fn deliveries(&self, head: &Head, incoming: &mut Incoming<'_>, watch: &Watch) -> Answer {
        let Ok(body) = read_body(incoming, None, admin::BODY_BYTES_MAX, &self.memory, watch).await else {
            return ending(not_here(400));
        };
        match deliveries::operate(&self.api.services, head, body.of(head)).await {
            Ok(Operated::Told(answer)) => admin::told(&answer),
            Ok(Operated::Elsewhere(_)) => not_here(503),
            Err(error) => admin::refusal(&error),
        }
    }
}

impl Dispatch for Gate {
    async fn dispatch(&self, head: Head, mut incoming: Incoming<'_>, watch: &Watch) -> (Answer, Option<Echo>) {
        let came = match Came::read(&head, &self.nodes) {
            Ok(came) => came,
            // Its body is not read.
            Err(NotLetIn::Stranger) => {
                telemetry::refused("node secret");
                tracing::warn!(from = ?watch.peer(), "something at node.listen does not know the secret of this data");
                return (ending(not_here(403)), None);
            }
            Err(NotLetIn::Malformed) => return (ending(not_here(400)), None),
        };
        let left = came.left;
        match came.asks {
            Asks::Directory => (self.directory(&head, &mut incoming, watch).await, None),
            Asks::Request => {
                let answered = self.api.serve(head, incoming, watch, Some(came));
                // Nobody waits any longer. What was begun goes on, and is found by its key.
                tokio::time::timeout(left, answered)
                    .await
                    .unwrap_or_else(|_| (late(), None))
            }
            Asks::Deliveries => {
                let answered = self.deliveries(&head, &mut incoming, watch);
                (
                    tokio::time::timeout(left, answered).await.unwrap_or_else(|_| late()),
                    None,
                )
            }
        }
    }

    fn substitutes(&self) -> Substitutes {
        let plain = |status: &str| raw(status, Content::Text, b"");
        Substitutes {
            malformed: plain("400 Bad Request"),
            slow: plain("408 Request Timeout"),
            long_line: raw("414 URI Too Long", Content::Html, LONG_LINE_PAGE.as_bytes()),
            large_head: plain("431 Request Header Fields Too Large"),
            broken: plain("500 Internal Server Error"),
            line_bytes_max: self.api.services.bounds.line_bytes_max,
        }
    }
}

/// Nobody waits for what was asked any more.
fn late() -> Answer {
    ending(Answer::new(504, Content::Text, "\n"))
}

fn ending(answer: Answer) -> Answer {
    Answer { closes: true, ..answer }
}
