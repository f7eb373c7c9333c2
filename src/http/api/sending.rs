//! Requests of accounts that another node has. Where no other node is, nothing of this runs.

use super::form::content_length;
use super::{Api, Exchange, Whole};
use crate::answer::{Answer, LimitReason};
use crate::body::Incoming;
use crate::forward::{Delivered, Parcel, not_here};
use crate::refused::Refused;
use crate::watch::Watch;
use std::time::Instant;
use tollgate_actors::ShardId;
use tollgate_domain::AccountKey;
use tollgate_wire::errors;

impl Api {
    /// Whether requests of the account are answered here.
    ///
    /// # Errors
    /// [`Refused::Elsewhere`] when they are another node's.
    pub(crate) fn is_here(&self, account: AccountKey) -> Result<(), Refused> {
        if self.nodes.is_none() {
            return Ok(());
        }
        match self.client.elsewhere(account) {
            Some(shard) => Err(Refused::Elsewhere(shard)),
            None => Ok(()),
        }
    }

    /// As [`Api::is_here`], for an account that an address names and no key: it may have been made a moment ago.
    ///
    /// # Errors
    /// Also when it is not known here and the directory cannot be asked.
    pub(crate) async fn belongs_here(&self, account: AccountKey) -> Result<(), Refused> {
        self.is_here(account)?;
        if self.nodes.is_some() && self.services.engine.profile(account).is_none() {
            let fresh = self.services.directory.freshen().await;
            fresh.map_err(|_| errors::unavailable())?;
        }
        Ok(())
    }

    /// Sends a request to the node that has its shard. `None` when the shard is here by now.
    pub(super) async fn send_on(
        &self,
        shard: ShardId,
        whole: &mut Whole,
        incoming: &mut Incoming<'_>,
        watch: &Watch,
        exchange: &Exchange,
    ) -> Result<Option<Answer>, Refused> {
        let (Some(nodes), Some(client)) = (&self.services.nodes, &self.nodes) else {
            return Err(Refused::moving());
        };
        if exchange.forwarded {
            return Ok(Some(not_here(503)));
        }
        let head = whole.head.as_ref().expect("it is kept where other nodes are");
        let body = match &whole.body {
            Some(body) => body.again(),
            None => {
                let length = content_length(head);
                let bytes_max = self.body_bytes_max(head, length);
                let body = self.body(incoming, length, bytes_max, watch).await?;
                whole.body = Some(body.again());
                body
            }
        };
        let until = Instant::now() + nodes.bounds.answer_timeout;
        let parcel = Parcel::of_client(head, body.shared(head), exchange.echo.request, watch.peer(), until);
        let is_here = || {
            let state = self.services.engine.shard_state(shard);
            state.is_none_or(|state| state.is_here())
        };
        match client.deliver(nodes, shard, &parcel, is_here).await {
            Delivered::Answered(answer) => Ok(Some(*answer)),
            Delivered::Here => Ok(None),
            Delivered::Nowhere => Err(Refused::moving()),
            Delivered::Full => Err(Refused::limited(errors::overloaded(), LimitReason::Concurrency, 1)),
            Delivered::Unknown => Err(Refused::unknown(parcel.repeatable)),
        }
    }
}
