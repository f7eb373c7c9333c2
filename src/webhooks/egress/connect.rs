//! From a URL to a connection: resolve, vet every address, connect to one that was vetted, look who is at the other end,
//! and encrypt. Done for each connection anew, so a name that changes its meaning after it was registered gains nothing.

use super::failure::{Failure, Stage};
use super::gate::Gate;
use super::stream::Stream;
use super::target::Target;
use super::tls::Tls;
use super::vet::Refusal;
use super::{Counters, proxy};
use rustls::HandshakeKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

/// Time for a connection to be made: the name, the network and the handshake together.
pub const CONNECT_MAX: Duration = Duration::from_secs(3);
/// Time that one of several addresses has at least, as long as there is any.
const ADDRESS_MIN: Duration = Duration::from_millis(250);

/// What makes connections.
pub(super) struct Connector {
    pub(super) gate: Arc<Gate>,
    pub(super) tls: Tls,
    pub(super) proxy: Option<Arc<str>>,
}

impl Connector {
    /// Connects until `deadline` at most. `stage` says how far it came.
    pub(super) async fn connect(
        &self,
        target: &Target,
        deadline: Instant,
        stage: &mut Stage,
        counters: &Counters,
    ) -> Result<(Stream, IpAddr), Failure> {
        let deadline = deadline.min(Instant::now() + CONNECT_MAX);
        *stage = Stage::Resolve;
        let addresses = match timeout_at(deadline, self.gate.addresses(target)).await {
            Ok(addresses) => addresses?,
            Err(_) => return Err(Failure::Timeout(Stage::Resolve)),
        };
        *stage = Stage::Connect;
        let (stream, address) = self.any_of(&addresses, target.port, deadline).await?;
        counters.connections.count();
        let stream = match &target.tls {
            None => Stream::Plain(stream),
            Some(name) => {
                *stage = Stage::Tls;
                let shaken = TlsConnector::from(Arc::clone(&self.tls.0)).connect(name.clone(), stream);
                let stream = match timeout_at(deadline, shaken).await {
                    Ok(stream) => stream.map_err(|error| Failure::of_handshake(&error))?,
                    Err(_) => return Err(Failure::Timeout(Stage::Tls)),
                };
                let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
                let counter = if resumed {
                    &counters.handshakes_resumed
                } else {
                    &counters.handshakes_full
                };
                counter.count();
                Stream::Encrypted(Box::new(stream))
            }
        };
        Ok((stream, address))
    }

    /// One after the other; each gets its share of the time that is left.
    async fn any_of(&self, addresses: &[IpAddr], port: u16, deadline: Instant) -> Result<(TcpStream, IpAddr), Failure> {
        let mut last = Failure::Timeout(Stage::Connect);
        for (at, address) in addresses.iter().enumerate() {
            let now = Instant::now();
            if now >= deadline {
                break;
            }
            #[expect(clippy::cast_possible_truncation, reason = "at most ADDRESSES_MAX")]
            let share = ((deadline - now) / (addresses.len() - at) as u32).max(ADDRESS_MIN);
            let attempt = self.one(SocketAddr::new(*address, port));
            match timeout_at(deadline.min(now + share), attempt).await {
                Ok(Ok(stream)) => return Ok((stream, *address)),
                Ok(Err(failure)) => last = failure,
                Err(_) => last = Failure::Timeout(Stage::Connect),
            }
        }
        Err(last)
    }

    async fn one(&self, address: SocketAddr) -> Result<TcpStream, Failure> {
        let stream = match &self.proxy {
            None => {
                let stream = TcpStream::connect(address)
                    .await
                    .map_err(|error| Failure::of_connect(&error))?;
                let peer = stream.peer_addr().map_err(|error| Failure::of_connect(&error))?;
                if peer != address {
                    return Err(Refusal::Peer.into());
                }
                stream
            }
            Some(proxy) => proxy::through(proxy, address).await?,
        };
        // A delivery is one small write; waiting to fill a packet would only make it late.
        stream.set_nodelay(true).map_err(|error| Failure::of_connect(&error))?;
        Ok(stream)
    }
}
