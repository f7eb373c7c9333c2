//! Changes of accounts and keys, on their way to the node that leads the directory.

use super::{Delivered, NodeClient, Nodes, Parcel};
use crate::request_ids::RequestIds;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tollgate_actors::clock::unix_ms;
use tollgate_actors::directory::{Leader, NoLeader};
use tollgate_actors::performer::BoxFuture;
use tollgate_actors::{DirectoryHandle, ShardId};

/// The way to the node that leads the directory: that of every request.
pub struct DirectoryLeader {
    nodes: Arc<Nodes>,
    directory: DirectoryHandle,
    client: Arc<NodeClient>,
    ids: Mutex<RequestIds>,
}

impl DirectoryLeader {
    /// The way for a node's own directory.
    pub fn new(nodes: &Arc<Nodes>, directory: &DirectoryHandle) -> Arc<DirectoryLeader> {
        let seed = getrandom::u64().expect("the operating system gives entropy");
        Arc::new(DirectoryLeader {
            client: Arc::new(NodeClient::new(&nodes.bounds)),
            nodes: Arc::clone(nodes),
            directory: directory.clone(),
            ids: Mutex::new(RequestIds::new(seed)),
        })
    }
}

impl Leader for DirectoryLeader {
    fn ask(&self, asked: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, NoLeader>> {
        let until = Instant::now() + self.nodes.bounds.answer_timeout;
        let request = self.ids.lock().unwrap_or_else(PoisonError::into_inner).next(unix_ms());
        let parcel = Parcel::of_directory(asked, request, until);
        let (nodes, client, directory) = (
            Arc::clone(&self.nodes),
            Arc::clone(&self.client),
            self.directory.clone(),
        );
        Box::pin(async move {
            let is_here = || directory.leads();
            match client.deliver(&nodes, ShardId::DIRECTORY, &parcel, is_here).await {
                Delivered::Answered(answer) if answer.status == 200 => Ok(answer.body.bytes().to_vec()),
                Delivered::Here => Err(NoLeader::Here),
                Delivered::Answered(answer) => {
                    tracing::error!(status = answer.status, "the node that leads the directory refused");
                    Err(NoLeader::Unavailable)
                }
                Delivered::Nowhere | Delivered::Full | Delivered::Unknown => Err(NoLeader::Unavailable),
            }
        })
    }
}
