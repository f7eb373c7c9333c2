//! The connection to the cluster: one session, its profiles, and the statements of the protocol, prepared once.

use crate::answer::Answer;
use crate::failure::failed;
use crate::port::Port;
use crate::settings::Settings;
use crate::tls::client_config;
use scylla::client::PoolSize;
use scylla::client::execution_profile::{ExecutionProfile, ExecutionProfileHandle};
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::ExecutionError;
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::{DefaultRetryPolicy, FallthroughRetryPolicy};
use scylla::response::{PagingState, PagingStateResponse};
use scylla::serialize::row::SerializeRow;
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::unprepared::Statement;
use scylla::statement::{Consistency, SerialConsistency};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use tollgate_store::StoreError;

/// How long servers may take to make a table.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(60);

/// An open session.
pub(crate) struct Link {
    pub(crate) session: Session,
    pub(crate) settings: Settings,
    profiles: Profiles,
}

/// How statements of each sort are sent.
struct Profiles {
    /// Conditional writes: once. Whether one that failed was applied is found out, never guessed.
    conditional: ExecutionProfileHandle,
    /// Reads that must see every conditional write that was acknowledged.
    serial: ExecutionProfileHandle,
    /// Reads and writes that may be repeated.
    plain: ExecutionProfileHandle,
}

impl Link {
    /// Connects. Fails with what to look at when no node answers or the datacenter has none.
    pub(crate) async fn connect(settings: &Settings) -> Result<Link, StoreError> {
        let unusable = |what: String| StoreError::Io {
            place: "the settings".to_owned(),
            what,
        };
        settings.check().map_err(|wrong| unusable(wrong.to_string()))?;
        let balancing = DefaultPolicy::builder()
            .prefer_datacenter(settings.local_datacenter.clone())
            .token_aware(true)
            .build();
        let base = ExecutionProfile::builder()
            .load_balancing_policy(balancing)
            .request_timeout(Some(settings.timeout))
            .serial_consistency(Some(SerialConsistency::LocalSerial));
        let once = Arc::new(FallthroughRetryPolicy);
        let again = Arc::new(DefaultRetryPolicy::new());
        let conditional = base
            .clone()
            .consistency(Consistency::LocalQuorum)
            .retry_policy(once.clone());
        let serial = base.clone().consistency(Consistency::LocalSerial).retry_policy(once);
        let plain = base.consistency(Consistency::LocalQuorum).retry_policy(again);
        let profiles = Profiles {
            conditional: conditional.build().into_handle(),
            serial: serial.build().into_handle(),
            plain: plain.build().into_handle(),
        };
        let connections = NonZeroUsize::new(settings.connections_per_node).unwrap_or(NonZeroUsize::MIN);
        let mut builder = SessionBuilder::new()
            .known_nodes(&settings.contact_points)
            .pool_size(PoolSize::PerHost(connections))
            .connection_timeout(settings.timeout)
            .fetch_schema_metadata(false)
            // Said as well, or the driver warns at each start that the one contradicts the other.
            .fetch_full_schema_metadata(false)
            .default_execution_profile_handle(profiles.plain.clone());
        if let Some(login) = &settings.login {
            builder = builder.user(&login.user, &login.password);
        }
        if let Some(tls) = &settings.tls {
            builder = builder.tls_context(Some(client_config(tls).map_err(unusable)?));
        }
        let session = builder.build().await.map_err(|error| {
            let points = settings.contact_points.join(", ");
            let hint = match settings.tls {
                Some(_) => {
                    " (store.cql.tls_ca is set: nodes must encrypt, with certificates of it that name their addresses)"
                }
                None => "",
            };
            unusable(format!(
                "no node of store.cql.contact_points = {points} lets us in: {error}{hint}"
            ))
        })?;
        let link = Link {
            session,
            settings: settings.clone(),
            profiles,
        };
        link.nodes().map_err(unusable)?;
        Ok(link)
    }

    /// How many nodes the datacenter of the settings has, dead ones included.
    pub(crate) fn nodes(&self) -> Result<usize, String> {
        let state = self.session.get_cluster_state();
        let wanted = &self.settings.local_datacenter;
        let all = || {
            let nodes = state.get_nodes_info().iter();
            nodes.filter_map(|node| node.datacenter.as_deref())
        };
        let near = all().filter(|datacenter| datacenter == wanted).count();
        if near > 0 {
            return Ok(near);
        }
        let known: std::collections::BTreeSet<&str> = all().collect();
        let known: Vec<&str> = known.into_iter().collect();
        Err(format!(
            "store.cql.local_datacenter = {wanted:?}: the cluster has no such datacenter, it has {}",
            known.join(", ")
        ))
    }

    /// A statement with `$` for the keyspace.
    pub(crate) fn cql(&self, text: &str) -> String {
        text.replace('$', &self.settings.keyspace)
    }

    /// A conditional write.
    pub(crate) async fn conditional(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        self.prepare(text, &self.profiles.conditional, false).await
    }

    /// A read of what conditional writes wrote.
    pub(crate) async fn serial(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        self.prepare(text, &self.profiles.serial, true).await
    }

    /// A read or write that may be repeated.
    pub(crate) async fn plain(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        self.prepare(text, &self.profiles.plain, true).await
    }

    async fn prepare(
        &self,
        text: &str,
        profile: &ExecutionProfileHandle,
        repeatable: bool,
    ) -> Result<PreparedStatement, StoreError> {
        let prepared = self.session.prepare(Statement::new(self.cql(text))).await;
        let mut prepared = prepared.map_err(|error| {
            failed(
                "a statement cannot be prepared (is the schema there? `tollgate schema apply` makes it)",
                &error,
            )
        })?;
        prepared.set_execution_profile_handle(Some(profile.clone()));
        prepared.set_is_idempotent(repeatable);
        Ok(prepared)
    }

    /// Makes a table or a keyspace that is missing, with `$` for the keyspace, and waits until the nodes agree: also on what
    /// somebody else made a moment ago.
    pub(crate) async fn change_schema(&self, text: &str) -> Result<(), StoreError> {
        let mut statement = Statement::new(self.cql(text));
        statement.set_request_timeout(Some(SCHEMA_TIMEOUT));
        let made = self.session.query_unpaged(statement, ()).await;
        made.map_err(|error| failed("the schema cannot be applied", &error))?;
        self.agree_on_schema().await
    }

    /// Waits until all nodes that can be reached have heard of every table.
    pub(crate) async fn agree_on_schema(&self) -> Result<(), StoreError> {
        let agreed = self.session.await_schema_agreement().await;
        let what = "the nodes of the cluster do not agree on its schema; apply it again when they do";
        agreed.map(drop).map_err(|error| failed(what, &error))
    }

    /// Runs a write that has no answer.
    pub(crate) async fn write(&self, statement: &PreparedStatement, values: impl SerializeRow) -> Result<(), Failed> {
        let written = self.session.execute_unpaged(statement, values).await;
        written.map(drop).map_err(Failed::Statement)
    }

    /// Runs a read and takes one page of its answer.
    pub(crate) async fn page(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow,
        from: PagingState,
    ) -> Result<(Answer, PagingStateResponse), Failed> {
        let page = self.session.execute_single_page(statement, values, from).await;
        let (result, next) = page.map_err(Failed::Statement)?;
        Ok((Answer::of(result).map_err(Failed::Answer)?, next))
    }

    /// Runs a statement once and reads its answer.
    pub(crate) async fn run(&self, statement: &PreparedStatement, values: impl SerializeRow) -> Result<Answer, Failed> {
        let result = self
            .session
            .execute_unpaged(statement, values)
            .await
            .map_err(Failed::Statement)?;
        Answer::of(result).map_err(Failed::Answer)
    }
}

impl Port for Link {
    type Statement = PreparedStatement;

    fn keyspace(&self) -> &str {
        &self.settings.keyspace
    }

    async fn conditional(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        Link::conditional(self, text).await
    }

    async fn serial(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        Link::serial(self, text).await
    }

    async fn plain(&self, text: &str) -> Result<PreparedStatement, StoreError> {
        Link::plain(self, text).await
    }

    async fn run(
        &self,
        statement: &PreparedStatement,
        values: impl SerializeRow + Send + Sync,
    ) -> Result<Answer, Failed> {
        Link::run(self, statement, values).await
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Why a statement gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    #[error("{0}")]
    Statement(ExecutionError),
    #[error("{0}")]
    Answer(StoreError),
}

impl Failed {
    pub(crate) fn told(self, what: &str) -> StoreError {
        match self {
            Failed::Statement(error) => failed(what, &error),
            Failed::Answer(error) => error,
        }
    }
}
