//! One request and its answer.

use super::answer::{Reading, Received};
use super::failure::{Failure, Stage};
use super::pool::Connection;
use super::target::Target;
use crate::ports::Delivery;
use crate::signing::Signer;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

/// A body up to this size is copied behind its head, so that both are one write.
const COPIED_MAX: usize = 32 * 1_024;
/// Bytes of an answer that are read at once.
const READ_MAX: usize = 16 * 1_024;

thread_local! {
    /// Where answers are read to: taken out of it before anybody else on the thread has a turn.
    static READ: RefCell<Box<[u8; READ_MAX]>> = RefCell::new(Box::new([0; READ_MAX]));
}

/// A request that has no answer.
pub(super) struct Lost {
    pub(super) failure: Failure,
    /// Whether the connection ended before a byte came back, so that the receiver need not have seen the request.
    pub(super) silent: bool,
}

/// What is sent for a delivery: its head, and its body where that is small.
pub(super) fn request(delivery: &Delivery, target: &Target, signer: &Signer, now: SystemTime) -> Vec<u8> {
    let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let copied = if is_copied(&delivery.body) {
        delivery.body.len()
    } else {
        0
    };
    let mut text = String::with_capacity(1_024 + target.head.len() + copied);
    let mut number = itoa::Buffer::new();
    text.push_str(&target.head);
    text.push_str("content-type: application/json; charset=utf-8\r\naccept: */*\r\nuser-agent: Tollgate/1.0\r\n");
    text.push_str("stripe-signature: ");
    signer.stripe(now, &delivery.body, &mut text);
    // What has no place in an account's sequence, as a test, has no numbers.
    if delivery.event_seq > 0 {
        text.push_str("\r\nwebhook-sequence: ");
        text.push_str(number.format(delivery.event_seq));
        text.push_str("\r\nwebhook-resource-sequence: ");
        text.push_str(number.format(delivery.nth));
    }
    // An id that is no header value is none of ours.
    if delivery.endpoint.standard_headers && delivery.event_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        text.push_str("\r\nwebhook-id: ");
        text.push_str(&delivery.event_id);
        text.push_str("\r\nwebhook-timestamp: ");
        text.push_str(number.format(now));
        text.push_str("\r\nwebhook-signature: ");
        signer.standard(&delivery.event_id, now, &delivery.body, &mut text);
    }
    text.push_str("\r\ncontent-length: ");
    text.push_str(number.format(delivery.body.len()));
    text.push_str("\r\n\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&delivery.body[..copied]);
    bytes
}

fn is_copied(body: &[u8]) -> bool {
    body.len() <= COPIED_MAX
}

/// Sends a request, as [`request`] made it of this delivery, and reads its answer.
pub(super) async fn exchange(
    connection: &mut Connection,
    request: Vec<u8>,
    delivery: &Delivery,
    stage: &mut Stage,
) -> Result<Received, Lost> {
    *stage = Stage::Head;
    let mut under_way = UnderWay {
        connection,
        reading: Reading::default(),
        heard: false,
        whole: false,
    };
    let rest: &[u8] = if is_copied(&delivery.body) { &[] } else { &delivery.body };
    let sent = under_way.send(&[&request, rest]).await;
    drop(request);
    let received = match sent {
        Ok(None) => under_way.receive(stage).await,
        Ok(Some(received)) => received,
        // It may have answered before it closed.
        Err(unsent) => under_way.receive(stage).await.map_err(|why| match under_way.heard {
            true => why,
            false => Failure::of_exchange(&unsent),
        }),
    };
    let (heard, whole) = (under_way.heard, under_way.whole);
    match received {
        Ok(received) => Ok(Received {
            lasting: received.lasting && whole,
            ..received
        }),
        Err(failure) => Err(Lost {
            failure,
            silent: !heard,
        }),
    }
}

/// A request on its connection.
struct UnderWay<'a> {
    connection: &'a mut Connection,
    reading: Reading,
    /// Whether anything came back.
    heard: bool,
    /// Whether the request is out.
    whole: bool,
}

/// What comes of a look at what has come: the answer, if that is all of it.
type Looked = Result<Option<Received>, Failure>;

impl UnderWay<'_> {
    /// Sends the parts of a request. Ends early with an answer that comes before all of it is out.
    async fn send(&mut self, parts: &[&[u8]]) -> io::Result<Option<Result<Received, Failure>>> {
        for part in parts {
            let mut sent = 0;
            while sent < part.len() {
                let step = poll_fn(|cx| self.poll_send(cx, &part[sent..])).await?;
                match step {
                    Step::Sent(more) => sent += more,
                    Step::Answered(received) => return Ok(Some(received)),
                }
            }
        }
        poll_fn(|cx| Pin::new(&mut self.connection.stream).poll_flush(cx)).await?;
        self.whole = true;
        Ok(None)
    }

    /// Sends some of these bytes; where the receiver takes none, it may be because it answers.
    fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<Step>> {
        match Pin::new(&mut self.connection.stream).poll_write(cx, bytes) {
            Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Poll::Ready(sent) => return Poll::Ready(sent.map(Step::Sent)),
            Poll::Pending => {}
        }
        while let Poll::Ready(looked) = self.poll_look(cx) {
            if let Some(received) = looked.transpose() {
                return Poll::Ready(Ok(Step::Answered(received)));
            }
        }
        Poll::Pending
    }

    async fn receive(&mut self, stage: &mut Stage) -> Result<Received, Failure> {
        loop {
            let looked = poll_fn(|cx| self.poll_look(cx)).await?;
            if let Some(received) = looked {
                return Ok(received);
            }
            if self.reading.in_body() {
                *stage = Stage::Body;
            }
        }
    }

    /// Reads what has come.
    fn poll_look(&mut self, cx: &mut Context<'_>) -> Poll<Looked> {
        READ.with_borrow_mut(|space| {
            let mut read = ReadBuf::new(&mut space[..]);
            let polled = ready!(Pin::new(&mut self.connection.stream).poll_read(cx, &mut read));
            Poll::Ready(match polled {
                Err(error) => Err(Failure::of_exchange(&error)),
                Ok(()) if read.filled().is_empty() => {
                    let received = std::mem::take(&mut self.reading).end();
                    let ended = || Failure::of_exchange(&io::ErrorKind::UnexpectedEof.into());
                    received.map(Some).ok_or_else(ended)
                }
                Ok(()) => {
                    self.heard = true;
                    let looked = self.reading.take(read.filled(), SystemTime::now);
                    looked.map_err(Failure::of_answer)
                }
            })
        })
    }
}

/// What came of sending.
enum Step {
    Sent(usize),
    Answered(Result<Received, Failure>),
}
