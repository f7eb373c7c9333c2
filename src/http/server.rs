//! Listeners and workers: sockets in, answers out, and the way to stop.

use crate::bounds::Bounds;
use crate::stream::{Stream, Substitutes};
use crate::watch::{Patrol, Watch};
use actix_http::body::BoxBody;
use actix_http::{HttpService, KeepAlive, Payload, Request, Response};
use actix_server::{Server, ServerHandle};
use actix_service::{ServiceFactoryExt, fn_service};
use actix_web::rt::net::TcpStream;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 2048;

/// How long a connection is drained after an answer that came before the end of its request.
const LINGER: Duration = Duration::from_secs(2);

/// What answers requests, one per worker thread.
pub(crate) trait Dispatch: 'static {
    /// Answers a request. `watch` is its connection's.
    fn dispatch(&self, http: Request, payload: Payload, watch: &Watch) -> impl Future<Output = Response<BoxBody>>;

    /// Answers to what never becomes a request.
    fn substitutes(&self) -> Substitutes;
}

/// A listener with its workers.
pub struct Running {
    address: SocketAddr,
    handle: ServerHandle,
    ended: tokio::task::JoinHandle<io::Result<()>>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting at once and lets requests that were admitted finish, for at most the time the listener was
    /// started with. Ends when every worker has.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        if let Err(error) = self.ended.await {
            tracing::error!(%error, "listener did not stop cleanly");
        }
    }
}

/// Binds a listener. Must be called inside a runtime.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        tokio::net::TcpSocket::new_v4()
    } else {
        tokio::net::TcpSocket::new_v6()
    }?;
    // Connections of a process that ended a moment ago must not keep the port from its successor.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Starts workers on a listener. `make` is called on each worker's thread.
pub(crate) fn start<D: Dispatch>(
    listener: TcpListener,
    workers: usize,
    bounds: &Bounds,
    stop_timeout: Duration,
    make: impl Fn() -> D + Send + Clone + 'static,
) -> io::Result<Running> {
    let address = listener.local_addr()?;
    let connections_max = (bounds.connections_max / workers).max(1);
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(connections_max)
        .disable_signals()
        .shutdown_timeout(stop_timeout.as_secs().max(1));
    let stopping = builder.graceful_shutdown_signal();
    let bounds = Arc::new(bounds.clone());
    let factory = move || {
        let dispatch = Rc::new(make());
        let patrol = Patrol::start(&bounds, connections_max);
        let substitutes = Rc::new(dispatch.substitutes());
        let connections = Rc::clone(&patrol);
        let accept = move |socket: TcpStream| {
            // Answers are written whole, so waiting for more to send only delays them.
            let _ = socket.set_nodelay(true);
            let peer = socket.peer_addr().ok();
            ready(Ok((
                Stream::new(socket, Watch::new(&connections), Rc::clone(&substitutes)),
                peer,
            )))
        };
        // Straight on the HTTP layer: there is one handler for all paths, so the routing, extensions and boxed futures of
        // an `App` would be paid for by every request and used by none.
        let answer = fn_service(move |mut request: Request| {
            let dispatch = Rc::clone(&dispatch);
            async move {
                let payload = request.take_payload();
                let watch = request.conn_data::<Rc<Watch>>().map(Rc::clone);
                let watch = watch.expect("set when the connection was accepted");
                watch.begins(!matches!(payload, Payload::None));
                let answer = dispatch.dispatch(request, payload, &watch).await;
                watch.answered();
                Ok::<_, Infallible>(answer)
            }
        });
        let stopping = stopping.clone();
        actix_web::rt::spawn({
            let patrol = Rc::clone(&patrol);
            async move {
                stopping.notified().await;
                patrol.stop();
            }
        });
        let http = HttpService::build()
            // Polled whenever a connection is: a look at a flag of the worker's own instead of a lock that all share.
            .graceful_shutdown_signal(move || Rc::clone(&patrol).stopped())
            // The patrol holds both deadlines: without a timer for each request, and for every head of a connection,
            // not only for its first.
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(LINGER)
            .on_connect_ext(|stream: &Stream, data| {
                data.insert(stream.watch());
            })
            .h1(answer);
        fn_service(accept).and_then(http)
    };
    let server = builder.listen("tollgate", listener, factory)?.run();
    let handle = server.handle();
    Ok(Running {
        address,
        handle,
        ended: tokio::task::spawn(server),
    })
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
