//! The bytes of every operation's request.

use super::task::Task;
use crate::flow::Operation;
use crate::request::amount_of;
use crate::target::Target;

/// What all requests of a run have in common.
pub(crate) struct Requests {
    base: String,
    /// From the end of the request line to the secret key.
    before_key: String,
    target: Target,
    run: u64,
}

/// What the request is about.
pub(crate) struct Subject<'a> {
    /// The caller's secret key.
    pub(crate) key: &'a str,
    /// The card that pays.
    pub(crate) card: &'a str,
    /// Whether it asks its holder to authenticate, who must come back from there.
    pub(crate) returns: bool,
}

/// Where a shopper comes back to from an authentication. Nobody goes there: the tool is the shop.
const RETURN_URL: &[u8] = b"return_url=https%3A%2F%2Fshop.example%2Fback";

impl Requests {
    /// Requests of run `run`.
    pub(crate) fn new(target: &Target, run: u64) -> Requests {
        Requests {
            base: format!("{}/v1/", target.base),
            before_key: format!(" HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer ", target.host),
            target: target.clone(),
            run,
        }
    }

    /// Writes the request of a task's step in place of what `out` holds.
    pub(crate) fn write(&self, out: &mut Vec<u8>, task: &Task, operation: Operation, subject: &Subject<'_>) {
        if let Some(authentication) = &task.authentication
            && authentication.write(out, &self.target)
        {
            return;
        }
        let mut body = Body::default();
        let mut digits = itoa::Buffer::new();
        let id = task.payment.id.as_bytes();
        let path: [&[u8]; 3] = match operation {
            Operation::Pay
            | Operation::Twice
            | Operation::Create
            | Operation::Authorize
            | Operation::Replay
            | Operation::Misuse => {
                // A misused key comes with another amount.
                let amount = amount_of(task.number + u64::from(operation == Operation::Misuse));
                body.add(b"amount=").add(digits.format(amount).as_bytes());
                body.add(b"&currency=usd&payment_method=").add(subject.card.as_bytes());
                body.add(match operation {
                    Operation::Create => b"",
                    Operation::Authorize => b"&confirm=true&capture_method=manual",
                    _ => b"&confirm=true",
                });
                if subject.returns && operation != Operation::Create {
                    body.add(b"&").add(RETURN_URL);
                }
                [b"payment_intents", b"", b""]
            }
            Operation::Confirm => {
                if subject.returns {
                    body.add(RETURN_URL);
                }
                [b"payment_intents/", id, b"/confirm"]
            }
            Operation::Capture => [b"payment_intents/", id, b"/capture"],
            Operation::Cancel => [b"payment_intents/", id, b"/cancel"],
            Operation::Refund => {
                body.add(b"payment_intent=").add(id);
                [b"refunds", b"", b""]
            }
            Operation::Customer => {
                body.add(b"email=shopper")
                    .add(digits.format(task.number).as_bytes())
                    .add(b"%40example.com");
                [b"customers", b"", b""]
            }
            // The shop's part of an authentication is a status poll.
            Operation::Retrieve | Operation::Authenticate => [b"payment_intents/", id, b""],
            Operation::Charge => [b"charges/", task.payment.charge.as_bytes(), b""],
            Operation::List => [b"payment_intents?limit=10", b"", b""],
            Operation::Balance => [b"balance", b"", b""],
            Operation::Events => [b"events?limit=10", b"", b""],
        };
        out.clear();
        out.extend_from_slice(if operation.is_post() { b"POST " } else { b"GET " });
        out.extend_from_slice(self.base.as_bytes());
        path.iter().for_each(|part| out.extend_from_slice(part));
        out.extend_from_slice(self.before_key.as_bytes());
        out.extend_from_slice(subject.key.as_bytes());
        if !operation.is_post() {
            out.extend_from_slice(b"\r\n\r\n");
            return;
        }
        out.extend_from_slice(b"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ");
        out.extend_from_slice(digits.format(body.len).as_bytes());
        out.extend_from_slice(b"\r\nIdempotency-Key: load-");
        push_hex(out, self.run);
        out.push(b'-');
        out.extend_from_slice(digits.format(task.number).as_bytes());
        out.push(b'-');
        // A replay's number and step are those of the request that it repeats.
        out.extend_from_slice(digits.format(task.key_step()).as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(body.bytes());
    }
}

fn push_hex(out: &mut Vec<u8>, number: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    (0..16)
        .rev()
        .for_each(|at| out.push(DIGITS[(number >> (at * 4)) as usize & 15]));
}

/// A form body on the stack; every body of this tool is far below its length.
struct Body {
    bytes: [u8; 256],
    len: usize,
}

impl Default for Body {
    fn default() -> Self {
        Body {
            bytes: [0; 256],
            len: 0,
        }
    }
}

impl Body {
    fn add(&mut self, part: &[u8]) -> &mut Self {
        self.bytes[self.len..self.len + part.len()].copy_from_slice(part);
        self.len += part.len();
        self
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_loop::task::{Id, Paid};

    fn written(operation: Operation, number: u64) -> String {
        let target = Target {
            host: "h:1".into(),
            base: "".into(),
            address: "127.0.0.1:1".parse().unwrap(),
        };
        let mut task = Task::new(0, 0, number, 0, std::time::Instant::now());
        task.payment = Paid {
            id: Id::new("pi_1").unwrap(),
            charge: Id::new("ch_1").unwrap(),
            ..Paid::default()
        };
        let mut out = b"left over".to_vec();
        let subject = Subject {
            key: "sk_test_x",
            card: "pm_card_visa",
            returns: false,
        };
        Requests::new(&target, 0xab).write(&mut out, &task, operation, &subject);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_request_is_whole_and_its_body_as_long_as_it_says() {
        for operation in Operation::ALL {
            let text = written(operation, 8_123);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let method = if operation.is_post() { "POST" } else { "GET" };
            assert!(head.starts_with(&format!("{method} /v1/")), "{head}");
            assert!(head.contains("\r\nAuthorization: Bearer sk_test_x"), "{head}");
            let length = format!("\r\nContent-Length: {}\r\n", body.len());
            assert_eq!(head.contains(&length), operation.is_post(), "{head}");
            assert_eq!(
                head.ends_with("\r\nIdempotency-Key: load-00000000000000ab-8123-0"),
                operation.is_post(),
                "{head}"
            );
        }
        assert!(written(Operation::Capture, 1).starts_with("POST /v1/payment_intents/pi_1/capture HTTP/1.1\r\n"));
        assert!(written(Operation::Refund, 1).ends_with("\r\n\r\npayment_intent=pi_1"));
        assert!(written(Operation::Charge, 1).starts_with("GET /v1/charges/ch_1 HTTP/1.1\r\n"));
    }

    #[test]
    fn a_replay_is_the_payment_byte_for_byte() {
        assert_eq!(written(Operation::Replay, 7), written(Operation::Pay, 7));
    }
}
