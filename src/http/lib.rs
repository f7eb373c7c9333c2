//! The HTTP edge: sockets, bounds, authentication, limits, headers, served pages. Forms and JSON are wire's, accounts and
//! money are further in; this room knows no resource.
//!
//! Listeners: the API ([`serve_api`]), the operator's ([`serve_admin`]), and in a cluster the other nodes'
//! ([`serve_nodes`], [`forward`]). Each worker thread has one dispatch for
//! every request ([`api`], [`admin`]); what is shared between threads is in [`Services`].
//!
//! Reading order: [`api`] (the way of a request), [`answer`], [`server`], [`connection`] and [`plain`] (who reads requests),
//! [`stream`] and [`watch`] (what holds slow and broken clients), [`admin`] and [`operator`].

mod account_text;
mod admin;
mod answer;
mod api;
mod authentication;
mod authorization;
mod body;
mod bounds;
mod buffers;
mod caller;
mod connection;
mod deliveries;
mod delivery_desk;
mod ephemeral;
mod files;
mod forward;
mod head;
mod json_form;
mod multipart;
mod operator;
mod pages;
mod plain;
mod rate_limit;
mod receipts;
mod refused;
mod request_ids;
mod server;
mod services;
mod shards;
mod stream;
mod telemetry;
mod tuning;
mod watch;
mod webhook_urls;

pub use bounds::Bounds;
pub use deliveries::{Deliveries, Later};
pub use delivery_desk::DeliveryDesk;
pub use files::{FileBytes, Files, PendingBytes, settle_pending};
pub use forward::{DirectoryLeader, NodeBounds, Nodes};
pub use operator::{NewAccount, NewKey, Operator, OperatorError, UpdatedAccount};
pub use pages::openapi_text;
pub use rate_limit::{Allowance, CLASSES, Class, ClassLimit, Rate, RateLimiter, Rates};
pub use server::{Running, bind};
pub use services::{ClusterPage, Services};
pub use telemetry::{REQUEST_SECONDS, REQUESTS_TOTAL, describe as describe_metrics};
pub use tuning::{Tuning, Wish, Wished};
pub use webhook_urls::{Looked, VetUrls};

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// Serves the API on a listener with so many worker threads; a stop lets admitted requests finish for `stop_timeout`.
pub fn serve_api(
    listener: TcpListener,
    workers: usize,
    stop_timeout: Duration,
    services: &Arc<Services>,
) -> io::Result<Running> {
    let pages = Arc::new(pages::Pages::new(tollgate_domain::api::ENDPOINTS));
    let services = Arc::clone(services);
    let bounds = services.bounds.clone();
    let make = move || api::Api::new(Arc::clone(&services), Arc::clone(&pages));
    server::start(listener, workers, &bounds, stop_timeout, make)
}

/// Serves other nodes on a listener with so many worker threads; a stop lets requests that they sent finish for
/// `stop_timeout`.
///
/// # Panics
/// When [`Services::nodes`] is none.
pub fn serve_nodes(
    listener: TcpListener,
    workers: usize,
    stop_timeout: Duration,
    services: &Arc<Services>,
) -> io::Result<Running> {
    let nodes = services.nodes.clone().expect("there are other nodes");
    let pages = Arc::new(pages::Pages::new(tollgate_domain::api::ENDPOINTS));
    let services = Arc::clone(services);
    let bounds = Bounds {
        connections_max: nodes.bounds.connections_max,
        ..services.bounds.clone()
    };
    let make = move || {
        let api = api::Api::new(Arc::clone(&services), Arc::clone(&pages));
        forward::Gate::new(api, Arc::clone(&nodes))
    };
    server::start(listener, workers, &bounds, stop_timeout, make)
}

/// Serves health, metrics and the operator API on a listener, on a thread of its own.
pub fn serve_admin(listener: TcpListener, stop_timeout: Duration, services: &Arc<Services>) -> io::Result<Running> {
    let services = Arc::clone(services);
    let bounds = Bounds {
        connections_max: ADMIN_CONNECTIONS_MAX,
        ..services.bounds.clone()
    };
    let make = move || admin::Admin::new(Arc::clone(&services));
    server::start(listener, 1, &bounds, stop_timeout, make)
}

/// Open connections of the admin listener: scrapers, an operator, probes.
const ADMIN_CONNECTIONS_MAX: usize = 256;
