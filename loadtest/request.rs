//! Request bytes: templates with holes of fixed width, so that a request is made by writing digits into a buffer.

use crate::target::Target;

/// Smallest amount paid, in minor units.
pub(crate) const AMOUNT_MIN: i64 = 1_000;
/// How many different amounts there are. Different ones, so that a lost payment and a doubled one cannot cancel out.
pub(crate) const AMOUNTS: u64 = 9_000;

const KEY_DIGITS: usize = 12;

/// Amount of payment `number`, in minor units.
pub(crate) fn amount_of(number: u64) -> i64 {
    AMOUNT_MIN + (number % AMOUNTS) as i64
}

/// `POST /v1/payment_intents` with everything in place but the idempotency key's number and the amount.
#[derive(Clone)]
pub(crate) struct PaymentRequest {
    bytes: Vec<u8>,
    key_at: usize,
    amount_at: usize,
}

impl PaymentRequest {
    /// A template for the payments of run `run`; its keys are `load-{run}-{number}`.
    pub(crate) fn new(target: &Target, key: &str, run: u64, card: &str) -> Self {
        let body = format!("amount=0000&currency=usd&payment_method={card}&confirm=true");
        let head = format!(
            "POST {}/v1/payment_intents HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nIdempotency-Key: load-{run:016x}-",
            target.base,
            target.host,
            body.len(),
        );
        let key_at = head.len();
        let text = format!("{head}{}\r\n\r\n{body}", "0".repeat(KEY_DIGITS));
        let amount_at = key_at + KEY_DIGITS + 4 + "amount=".len();
        PaymentRequest {
            bytes: text.into_bytes(),
            key_at,
            amount_at,
        }
    }

    /// The request as it was filled last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The request of payment `number`: its key and its amount.
    pub(crate) fn fill(&mut self, number: u64) -> &[u8] {
        write_digits(&mut self.bytes[self.key_at..self.key_at + KEY_DIGITS], number);
        write_digits(
            &mut self.bytes[self.amount_at..self.amount_at + 4],
            amount_of(number) as u64,
        );
        &self.bytes
    }
}

/// A GET with a path that changes.
#[derive(Clone)]
pub(crate) struct ReadRequest {
    bytes: Vec<u8>,
    prefix_len: usize,
    tail: Vec<u8>,
}

impl ReadRequest {
    /// A template for GETs under `/v1/`.
    pub(crate) fn new(target: &Target, key: &str) -> Self {
        let prefix = format!("GET {}/v1/", target.base);
        let tail = format!(
            " HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n\r\n",
            target.host
        );
        ReadRequest {
            prefix_len: prefix.len(),
            bytes: prefix.into_bytes(),
            tail: tail.into_bytes(),
        }
    }

    /// A GET of any page without a key.
    pub(crate) fn page(target: &Target, path: &str) -> Vec<u8> {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            target.host
        )
        .into_bytes()
    }

    /// The request as it was filled last.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The GET of the path made of `parts`, behind `/v1/`.
    pub(crate) fn fill(&mut self, parts: &[&[u8]]) -> &[u8] {
        self.bytes.truncate(self.prefix_len);
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.bytes.extend_from_slice(&self.tail);
        &self.bytes
    }
}

fn write_digits(hole: &mut [u8], mut value: u64) {
    for digit in hole.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
    assert_eq!(value, 0, "number too wide for its place in the request");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            host: "h:1".into(),
            base: "".into(),
            address: "127.0.0.1:1".parse().unwrap(),
        }
    }

    #[test]
    fn a_payment_carries_its_own_key_and_amount() {
        let mut request = PaymentRequest::new(&target(), "sk_test_x", 0xab, "pm_card_visa");
        request.fill(999_999_999_999);
        let text = String::from_utf8(request.fill(8_123).to_vec()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(
            body,
            "amount=9123&currency=usd&payment_method=pm_card_visa&confirm=true"
        );
        assert!(head.starts_with("POST /v1/payment_intents HTTP/1.1\r\nHost: h:1\r\n"));
        assert!(head.contains("\r\nIdempotency-Key: load-00000000000000ab-000000008123"));
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())));
    }

    #[test]
    fn every_amount_has_four_digits() {
        assert_eq!(
            (amount_of(0), amount_of(AMOUNTS - 1), amount_of(AMOUNTS)),
            (1_000, 9_999, 1_000)
        );
    }

    #[test]
    fn a_read_is_rewritten_in_place() {
        let mut request = ReadRequest::new(&target(), "k");
        request.fill(&[b"payment_intents/", b"pi_longer_than_the_next"]);
        let text = request.fill(&[b"balance"]);
        assert_eq!(
            text,
            b"GET /v1/balance HTTP/1.1\r\nHost: h:1\r\nAuthorization: Bearer k\r\n\r\n"
        );
    }
}
