//! The way out through an operator's HTTP proxy (`CONNECT`): it is asked for the address that was vetted, not for the name.

use super::failure::Failure;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes of the head of a proxy's answer at most.
const HEAD_MAX: usize = 8 * 1_024;

/// A connection to `address` through the proxy at `proxy` (host:port).
pub(super) async fn through(proxy: &str, address: SocketAddr) -> Result<TcpStream, Failure> {
    let wrong = |why: &str| Failure::Connect(format!("the operator's proxy {why}"));
    let mut stream = TcpStream::connect(proxy)
        .await
        .map_err(|_| wrong("cannot be reached"))?;
    let ask = format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream
        .write_all(ask.as_bytes())
        .await
        .map_err(|_| wrong("closed the connection"))?;
    let mut head = Vec::with_capacity(256);
    // Byte by byte: what follows the head is the receiver's, and this is done once a connection.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_MAX {
            return Err(wrong("sent a head that is too large"));
        }
        head.push(stream.read_u8().await.map_err(|_| wrong("closed the connection"))?);
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status = line.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1));
    match status.and_then(|status| status.parse::<u16>().ok()) {
        Some(200..=299) => Ok(stream),
        Some(status) => Err(wrong(&format!("refused with status {status}"))),
        None => Err(wrong("did not answer in HTTP/1")),
    }
}
