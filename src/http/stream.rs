//! A client's socket with its deadlines, and with words where the HTTP layer has none.
//!
//! The HTTP layer answers a head it cannot parse with a status and an empty body. Clients of this API parse every error
//! as JSON, so such an answer is replaced on its way out.

use crate::buffers::Buffer;
use crate::watch::{Phase, Watch};
use actix_web::rt::net::TcpStream;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Whole answers to requests that never reach the dispatch, headers included; each closes the connection.
pub(crate) struct Substitutes {
    /// 400: no HTTP.
    pub(crate) malformed: Vec<u8>,
    /// 408: too slow.
    pub(crate) slow: Vec<u8>,
    /// 414: the request line is too long.
    pub(crate) long_line: Vec<u8>,
    /// 431: the headers are too large.
    pub(crate) large_head: Vec<u8>,
    /// 500: the HTTP layer gave up.
    pub(crate) broken: Vec<u8>,
    /// Longest request line, bytes: a malformed head that exceeds it is [`Self::long_line`].
    pub(crate) line_bytes_max: usize,
}

/// A client's socket.
pub(crate) struct Stream {
    socket: TcpStream,
    watch: Rc<Watch>,
    substitutes: Rc<Substitutes>,
    /// The answer being written in place of the HTTP layer's, and how much of it is.
    instead: Option<(Answer, usize)>,
    /// What was read before the HTTP layer took over, and how much of it that has read again.
    read_before: Option<(Buffer, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Malformed,
    Slow,
    LongLine,
    LargeHead,
    Broken,
}

impl Substitutes {
    fn bytes(&self, answer: Answer) -> &[u8] {
        match answer {
            Answer::Malformed => &self.malformed,
            Answer::Slow => &self.slow,
            Answer::LongLine => &self.long_line,
            Answer::LargeHead => &self.large_head,
            Answer::Broken => &self.broken,
        }
    }
}

impl Stream {
    /// Takes a fresh connection under watch.
    pub(crate) fn new(socket: TcpStream, watch: Rc<Watch>, substitutes: Rc<Substitutes>) -> Stream {
        Stream {
            socket,
            watch,
            substitutes,
            instead: None,
            read_before: None,
        }
    }

    /// The connection's watch, for its requests.
    pub(crate) fn watch(&self) -> Rc<Watch> {
        Rc::clone(&self.watch)
    }

    /// Whole answers to what never becomes a request.
    pub(crate) fn substitutes(&self) -> &Substitutes {
        &self.substitutes
    }

    /// Has the HTTP layer read again what was read before it.
    pub(crate) fn give_back(&mut self, buffer: Buffer) {
        self.watch.reads_again();
        self.read_before = Some((buffer, 0));
    }

    /// Reads again what was given back; `None` when there is nothing left of it.
    fn read_again(&mut self, buf: &mut ReadBuf<'_>) -> Option<()> {
        let (before, read) = self.read_before.as_mut()?;
        let rest = &before.filled()[*read..];
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        self.watch.has_read(&rest[..count]);
        *read += count;
        if *read == before.filled().len() {
            self.read_before = None;
        }
        Some(())
    }

    /// Writes bytes of a whole answer, as many as the peer takes.
    pub(crate) fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.told(cx, polled)
    }

    /// Tells the watch what has come of an attempt to write.
    fn told(&self, cx: &Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Pending if self.watch.expired().is_some() => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => {
                self.watch.is_stuck();
                self.watch.park(cx.waker());
                Poll::Pending
            }
            ready => {
                self.watch.has_written();
                ready
            }
        }
    }

    /// Writes the rest of a substitute; ready with the length of what it stands for.
    fn poll_instead(
        &mut self,
        cx: &mut Context<'_>,
        answer: Answer,
        written: usize,
        stands_for: usize,
    ) -> Poll<io::Result<usize>> {
        let mut written = written;
        loop {
            let bytes = &self.substitutes.bytes(answer)[written..];
            if bytes.is_empty() {
                self.instead = None;
                return Poll::Ready(Ok(stands_for));
            }
            match Pin::new(&mut self.socket).poll_write(cx, bytes) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(0)),
                Poll::Ready(Ok(more)) => written += more,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    self.instead = Some((answer, written));
                    return Poll::Pending;
                }
            }
        }
    }
}

/// Most bytes of the HTTP layer's answer without a body.
const BARE_ANSWER_BYTES_MAX: usize = 256;

/// Finds an error answer without a body at the end of what is to be written: where it begins, and its status.
/// The dispatch never writes one, because each of its errors says something.
fn bare_error(bytes: &[u8]) -> Option<(usize, u16)> {
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let tail_at = bytes.len().saturating_sub(BARE_ANSWER_BYTES_MAX);
    let tail = &bytes[tail_at..];
    let at = tail.windows(7).rposition(|window| window == b"HTTP/1.")?;
    let head = &tail[at..];
    let status: u16 = std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()?;
    let empty = head
        .windows(19)
        .any(|window| window.eq_ignore_ascii_case(b"content-length: 0\r\n"));
    (status >= 400 && empty).then_some((tail_at + at, status))
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.read_again(buf).is_some() {
            return Poll::Ready(Ok(()));
        }
        if let Some(phase) = self.watch.expired() {
            if phase == Phase::Head && !self.watch.stuck() {
                // One attempt: whoever is this slow may also not listen. No answer is under way in this phase.
                let _ = self.socket.try_write(&self.substitutes.slow);
            }
            // The end of the input: a handler that waits for a body learns it, then the connection closes.
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.socket).poll_read(cx, buf) {
            Poll::Pending => {
                self.watch.park(cx.waker());
                Poll::Pending
            }
            ready => {
                self.watch.has_read(&buf.filled()[before..]);
                ready
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = if let Some((answer, written)) = self.instead {
            self.poll_instead(cx, answer, written, buf.len())
        } else {
            match bare_error(buf) {
                None => Pin::new(&mut self.socket).poll_write(cx, buf),
                Some((0, status)) => {
                    let long_line = self.watch.line_exceeds(self.substitutes.line_bytes_max);
                    let answer = match status {
                        400 | 431 if long_line => Answer::LongLine,
                        431 => Answer::LargeHead,
                        408 => Answer::Slow,
                        500.. => Answer::Broken,
                        _ => Answer::Malformed,
                    };
                    self.poll_instead(cx, answer, 0, buf.len())
                }
                Some((at, _)) => Pin::new(&mut self.socket).poll_write(cx, &buf[..at]),
            }
        };
        self.told(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_without_a_body_are_found() {
        let bare = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: x\r\n\r\n";
        let good = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let none = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(bare_error(bare), Some((0, 400)));
        assert_eq!(bare_error(good), None);
        assert_eq!(bare_error(none), None);
        assert_eq!(bare_error(&[&good[..], &bare[..]].concat()), Some((good.len(), 400)));
        assert_eq!(bare_error(b"\r\n\r\n"), None);
        assert_eq!(bare_error(b""), None);
        let head = b"HTTP/1.1 404 Not Found\r\ncontent-length: 180\r\n\r\n";
        assert_eq!(
            bare_error(head),
            None,
            "the answer to HEAD names the length of a body it does not send"
        );
    }
}
