//! Listeners and workers: sockets in, answers out, and the way to stop.

use crate::answer::{Answer, Echo};
use crate::body::Incoming;
use crate::bounds::Bounds;
use crate::buffers::Buffers;
use crate::connection::Worker;
use crate::head::Head;
use crate::stream::{Stream, Substitutes};
use crate::watch::{Patrol, Watch};
use actix_http::{HttpService, KeepAlive, Payload, Request};
use actix_server::{Server, ServerHandle};
use actix_service::{Service, ServiceFactory, fn_factory, fn_service};
use actix_web::rt::net::TcpStream;
use std::convert::Infallible;
use std::future::Future;
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
    /// Answers a request, and says what its answer repeats of it if it is one of the API. `watch` is its connection's.
    fn dispatch(
        &self,
        head: Head,
        incoming: Incoming<'_>,
        watch: &Watch,
    ) -> impl Future<Output = (Answer, Option<Echo>)>;

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

/// Who reads a connection's requests at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// This room, as long as they are plain.
    Plain,
    /// The HTTP layer, all of them: what tests compare with.
    #[cfg(test)]
    Layer,
}

/// Starts workers on a listener. `make` is called on each worker's thread.
pub(crate) fn start<D: Dispatch>(
    listener: TcpListener,
    workers: usize,
    bounds: &Bounds,
    stop_timeout: Duration,
    make: impl Fn() -> D + Send + Clone + 'static,
) -> io::Result<Running> {
    start_with(First::Plain, listener, workers, bounds, stop_timeout, make)
}

fn start_with<D: Dispatch>(
    first: First,
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
        let worker = Rc::new(Worker {
            dispatch: Rc::clone(&dispatch),
            buffers: Rc::new(Buffers::default()),
            line_bytes_max: bounds.line_bytes_max,
        });
        // Straight on the HTTP layer: there is one handler for all paths, so the routing, extensions and boxed futures of
        // an `App` would be paid for by every request and used by none.
        let answer = fn_service(move |mut request: Request| {
            let dispatch = Rc::clone(&dispatch);
            async move {
                let mut payload = request.take_payload();
                let watch = request.conn_data::<Rc<Watch>>().map(Rc::clone);
                let watch = watch.expect("set when the connection was accepted");
                watch.begins(!matches!(payload, Payload::None));
                let head = Head::copied(&request);
                drop(request);
                let (answer, echo) = dispatch.dispatch(head, Incoming::InPieces(&mut payload), &watch).await;
                watch.answered();
                Ok::<_, Infallible>(answer.into_response(echo.as_ref()))
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
        let connections = Rc::clone(&patrol);
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
        fn_factory(move || {
            let http = http.new_service(());
            let (worker, connections) = (Rc::clone(&worker), Rc::clone(&connections));
            let substitutes = Rc::clone(&substitutes);
            async move {
                let http = Rc::new(http.await?);
                Ok::<_, ()>(fn_service(move |socket: TcpStream| {
                    // Answers are written whole, so waiting for more to send only delays them.
                    let _ = socket.set_nodelay(true);
                    let peer = socket.peer_addr().ok();
                    let watch = Watch::new(&connections);
                    watch.comes_from(peer);
                    let stream = Stream::new(socket, watch, Rc::clone(&substitutes));
                    let (worker, http) = (Rc::clone(&worker), Rc::clone(&http));
                    async move {
                        let others = match first {
                            First::Plain => worker.serve(stream).await,
                            #[cfg(test)]
                            First::Layer => Some(stream),
                        };
                        match others {
                            // In a box: most connections never have it.
                            Some(stream) => Box::pin(http.call((stream, peer))).await,
                            None => Ok(()),
                        }
                    }
                }))
            }
        })
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
