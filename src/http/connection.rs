//! A connection whose requests are plain: each is read into a buffer of the worker's, answered, and its answer written in
//! one piece. The first that is not plain takes its connection to the HTTP layer, for good and with all that was read.

use crate::answer::{Answer, Echo};
use crate::body::Incoming;
use crate::buffers::{Buffer, Buffers};
use crate::head::Head;
use crate::plain::{Look, look};
use crate::server::Dispatch;
use crate::stream::Stream;
use crate::telemetry;
use crate::watch::{Phase, Watch};
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What the connections of a worker share.
pub(crate) struct Worker<D> {
    pub(crate) dispatch: Rc<D>,
    pub(crate) buffers: Rc<Buffers>,
    /// Longest path and query that is read here.
    pub(crate) line_bytes_max: usize,
}

/// A request that was read.
struct Asked {
    head: Head,
    /// What came behind it.
    rest: Option<Buffer>,
    /// Whether the client wants the connection closed after it.
    closes: bool,
}

/// Why there is no next request.
enum Over {
    /// The connection ended, or is at its end.
    Ended,
    /// It is the HTTP layer's to read.
    Other(Buffer),
    /// It is refused without a look at what it asks for.
    Malformed,
}

impl<D: Dispatch> Worker<D> {
    /// Serves a connection until it ends; gives it back where the HTTP layer is to go on with it.
    pub(crate) async fn serve(&self, mut stream: Stream) -> Option<Stream> {
        let watch = stream.watch();
        let mut ahead = None;
        loop {
            let asked = match self.next(&mut stream, &watch, ahead.take()).await {
                Ok(asked) => asked,
                Err(Over::Other(buffer)) => {
                    telemetry::not_plain();
                    stream.give_back(buffer);
                    return Some(stream);
                }
                Err(Over::Malformed) => {
                    let answer = stream.substitutes().malformed.clone();
                    let _ = send(&mut stream, &answer).await;
                    break;
                }
                Err(Over::Ended) => break,
            };
            let Asked { head, rest, closes } = asked;
            watch.begins(false);
            let (answer, echo) = self.dispatch.dispatch(head, Incoming::InHead, &watch).await;
            watch.answered();
            let closes = closes || answer.closes || watch.stopping();
            if self
                .answer(&mut stream, &answer, echo.as_ref(), closes, &watch)
                .await
                .is_err()
                || closes
            {
                break;
            }
            ahead = rest;
        }
        // The peer hears the end before the socket is gone; it need not listen.
        let _ = poll_fn(|cx| Pin::new(&mut stream).poll_shutdown(cx)).await;
        None
    }

    /// Reads until there is a whole request, or it is known that none will be read here.
    async fn next(&self, stream: &mut Stream, watch: &Watch, ahead: Option<Buffer>) -> Result<Asked, Over> {
        if let Some(ahead) = &ahead {
            watch.has_read(ahead.filled());
        }
        let mut buffer = ahead;
        loop {
            if let Some(read) = buffer.take() {
                match look(read.filled(), self.line_bytes_max) {
                    Look::Whole(plain) => {
                        let rest = &read.filled()[plain.len..];
                        let rest = (!rest.is_empty()).then(|| {
                            let mut next = self.buffers.request();
                            next.push(rest);
                            next
                        });
                        return Ok(Asked {
                            head: Head::new(read, plain.layout),
                            rest,
                            closes: plain.closes,
                        });
                    }
                    Look::PartOfHead => {}
                    Look::PartOfBody => watch.waits_for_body(),
                    Look::Other => return Err(Over::Other(read)),
                    Look::BareLineFeed => return Err(Over::Malformed),
                }
                buffer = Some(read);
            }
            match self.read(stream, watch, &mut buffer).await {
                Ok(count) if count > 0 => {}
                // Who breaks off within a body, or lets it wait too long, is answered by the HTTP layer.
                Ok(_) => match buffer {
                    Some(buffer) if watch.expired() != Some(Phase::Head) => return Err(Over::Other(buffer)),
                    _ => return Err(Over::Ended),
                },
                Err(_) => return Err(Over::Ended),
            }
        }
    }

    /// Reads more, into a fresh buffer if there is none. Nothing read is the end of what will come: of the input, of the
    /// connection's time, of the listener, or of the buffer.
    async fn read(&self, stream: &mut Stream, watch: &Watch, buffer: &mut Option<Buffer>) -> io::Result<usize> {
        poll_fn(|cx| {
            if watch.stopping() && watch.phase() != Phase::Body {
                return Poll::Ready(Ok(0));
            }
            // Taken for the attempt only: who waits for its client holds no memory for it.
            let mut into = buffer.take().unwrap_or_else(|| self.buffers.request());
            let mut room = ReadBuf::new(into.room());
            if room.capacity() == 0 {
                *buffer = Some(into);
                return Poll::Ready(Ok(0));
            }
            let polled = Pin::new(&mut *stream).poll_read(cx, &mut room);
            let count = room.filled().len();
            into.has_read(count);
            if !into.filled().is_empty() {
                *buffer = Some(into);
            }
            polled.map_ok(|()| count)
        })
        .await
    }

    /// Writes an answer.
    async fn answer(
        &self,
        stream: &mut Stream,
        answer: &Answer,
        echo: Option<&Echo>,
        closes: bool,
        watch: &Watch,
    ) -> io::Result<()> {
        let mut out = self.buffers.answer();
        answer.write(echo, closes, &watch.date(), &mut out);
        let sent = send(stream, &out).await;
        self.buffers.has_sent(out);
        sent
    }
}

/// Writes all of it.
async fn send(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    let mut sent = 0;
    poll_fn(|cx| {
        while sent < bytes.len() {
            match stream.poll_send(cx, &bytes[sent..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => sent += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    })
    .await
}
