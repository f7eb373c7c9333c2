//! One keep-alive connection that carries one request at a time. The buffer is reused; nothing is allocated per request.

use crate::response::{self, Chunks, Framing, Head, Malformed};
use crate::target::Target;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes a connection's buffer starts with; a payment intent with its head is below 4 kB.
const BUFFER_LEN: usize = 8 * 1024;
/// Largest buffer: a head and a body at their limits, and some chunk lines.
const BUFFER_LEN_MAX: usize = response::HEAD_LEN_MAX + response::BODY_LEN_MAX + 64 * 1024;

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    timeout: Duration,
}

/// A complete response; the body borrows the connection's buffer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// The status code.
    pub(crate) status: u16,
    /// Status line and headers.
    pub(crate) head: &'a [u8],
    /// The body, chunks already joined.
    pub(crate) body: &'a [u8],
    /// Whether the connection may be used again.
    pub(crate) keep_alive: bool,
    /// Seconds the server asks to wait before another try.
    pub(crate) retry_after_s: Option<u32>,
    /// Bytes that came over the connection for this answer.
    pub(crate) received: usize,
}

/// Why there is no answer. Whether the server carried the request out is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TransportError {
    /// No connection was made.
    #[error("connection refused or failed ({0})")]
    Connect(std::io::ErrorKind),
    /// The server closed in the middle, or before any answer.
    #[error("connection closed before the answer was complete")]
    Closed,
    /// The connection broke.
    #[error("connection broke ({0})")]
    Broken(std::io::ErrorKind),
    /// No complete answer within the time allowed.
    #[error("no answer in time")]
    Timeout,
    /// The answer is not HTTP/1.1 as this tool reads it.
    #[error("answer is malformed: {0}")]
    Malformed(&'static str),
}

impl From<Malformed> for TransportError {
    fn from(malformed: Malformed) -> Self {
        TransportError::Malformed(malformed.0)
    }
}

impl Connection {
    /// Connects; connecting and each later exchange may take `timeout`.
    pub(crate) async fn open(target: &Target, timeout: Duration) -> Result<Connection, TransportError> {
        let stream = tokio::time::timeout(timeout, TcpStream::connect(target.address))
            .await
            .map_err(|_| TransportError::Connect(std::io::ErrorKind::TimedOut))?
            .map_err(|error| TransportError::Connect(error.kind()))?;
        // One small write per request: waiting to merge it with a next one would only add latency.
        stream
            .set_nodelay(true)
            .map_err(|error| TransportError::Connect(error.kind()))?;
        Ok(Connection {
            stream,
            buffer: vec![0; BUFFER_LEN],
            timeout,
        })
    }

    /// Whether nothing came over it since the last answer, as far as this thread has heard: no system call is made.
    pub(crate) fn is_quiet(&self) -> bool {
        let heard = self.stream.try_read(&mut [0; 1]);
        heard.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Sends a request and waits for its answer. After an error the connection must be dropped.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer<'_>, TransportError> {
        let whole = tokio::time::timeout(self.timeout, exchange(&mut self.stream, &mut self.buffer, request)).await;
        let (head, end, received) = whole.map_err(|_| TransportError::Timeout)??;
        Ok(Answer {
            status: head.status,
            head: &self.buffer[..head.len],
            body: &self.buffer[head.len..end],
            keep_alive: head.keep_alive,
            retry_after_s: head.retry_after_s,
            received,
        })
    }
}

/// The head, the end of the body in the buffer, and the bytes received.
type Whole = (Head, usize, usize);

async fn exchange(stream: &mut TcpStream, buffer: &mut Vec<u8>, request: &[u8]) -> Result<Whole, TransportError> {
    stream
        .write_all(request)
        .await
        .map_err(|error| TransportError::Broken(error.kind()))?;
    let mut filled = 0;
    let mut received = 0;
    let head = loop {
        match response::head(&buffer[..filled])? {
            Some(head) if head.status >= 200 => break head,
            // 1xx announces another head.
            Some(head) => {
                buffer.copy_within(head.len..filled, 0);
                filled -= head.len;
            }
            None if !fill(stream, buffer, &mut filled, &mut received).await? => return Err(TransportError::Closed),
            None => {}
        }
    };
    let (end, raw_end) = match head.framing {
        Framing::Length(len) => {
            while filled < head.len + len {
                if !fill(stream, buffer, &mut filled, &mut received).await? {
                    return Err(TransportError::Closed);
                }
            }
            (head.len + len, head.len + len)
        }
        Framing::Chunked => {
            let mut chunks = Chunks::new(head.len);
            loop {
                if let Some(ends) = chunks.advance(&mut buffer[..filled])? {
                    break ends;
                }
                if !fill(stream, buffer, &mut filled, &mut received).await? {
                    return Err(TransportError::Closed);
                }
            }
        }
        Framing::UntilClose => {
            while fill(stream, buffer, &mut filled, &mut received).await? {}
            (filled, filled)
        }
    };
    if raw_end != filled {
        return Err(TransportError::Malformed("bytes after the end of the response"));
    }
    Ok((head, end, received))
}

/// Reads once into the free part of the buffer, growing it within its bound; false at the end of the stream.
async fn fill(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    filled: &mut usize,
    received: &mut usize,
) -> Result<bool, TransportError> {
    if *filled == buffer.len() {
        if buffer.len() >= BUFFER_LEN_MAX {
            return Err(TransportError::Malformed("response too long"));
        }
        buffer.resize((buffer.len() * 2).min(BUFFER_LEN_MAX), 0);
    }
    let count = stream
        .read(&mut buffer[*filled..])
        .await
        .map_err(|error| TransportError::Broken(error.kind()))?;
    *filled += count;
    *received += count;
    Ok(count > 0)
}
