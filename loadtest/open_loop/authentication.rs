//! A card that asks its holder who they are: the shopper goes to the address that the answer names, presses the page's
//! button, and the shop looks at what came of it when they are back. Only then has the payment an outcome.

use super::answers::Answered;
use super::floor::Floor;
use super::movements::Movement;
use super::task::{Id, Task};
use crate::body::{self, Payment};
use crate::flow::Operation;
use crate::form;
use crate::request::amount_of;
use crate::target::Target;
use std::time::Instant;

/// Requests of one authentication: the page, its button, and the shop's look at the payment.
pub(crate) const REQUESTS: f64 = 3.0;
/// What stands on the button that is pressed.
const BUTTON: &str = "complete";
/// Longest address to return to that is looked at, in bytes.
const LOCATION_LEN_MAX: usize = 8 * 1024;

/// An authentication under way: which of its requests is due.
#[derive(Clone, Debug)]
pub(crate) enum Authentication {
    /// The page at this path is fetched.
    Page(String),
    /// Its button is pressed.
    Press(form::Press),
    /// The payment is read by the shop. `acknowledged` unless the press was never answered.
    Return { acknowledged: bool },
}

impl Authentication {
    /// The way to the page that a payment's answer names.
    fn begin(body: &[u8]) -> Result<Authentication, String> {
        let address = body::redirect(body).ok_or("200 without next_action.redirect_to_url.url")?;
        // The page is the server's own: it is met where the API is met, whatever name the server has for itself.
        match form::path_of(&address) {
            Some(path) => Ok(Authentication::Page(path.into())),
            None => Err("200 with an address for the shopper that cannot be read".into()),
        }
    }

    /// Writes the request that is due in place of what `out` holds; false for the shop's own, which is a status poll.
    pub(super) fn write(&self, out: &mut Vec<u8>, target: &Target) -> bool {
        let (method, path, body) = match self {
            Authentication::Page(path) => ("GET", path, None),
            Authentication::Press(press) => ("POST", &press.path, Some(&press.body)),
            Authentication::Return { .. } => return false,
        };
        out.clear();
        // A shopper has no key, and no idempotency key either.
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAccept: text/html\r\n",
            target.host
        );
        out.extend_from_slice(head.as_bytes());
        if let Some(body) = body {
            let head = format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            );
            out.extend_from_slice(head.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(body.map(String::as_bytes).unwrap_or_default());
        true
    }
}

impl Floor {
    /// Sends the shopper to the page that the answer to a payment names; the error says why it cannot.
    pub(super) fn send_to_page(&mut self, task: &Task, body: &[u8], now: Instant) -> Result<Option<Task>, String> {
        let begun = Authentication::begin(body)?;
        // A shopper who goes away here has paid nothing.
        if self.stopped || now >= self.end {
            return Ok(None);
        }
        let mut task = task.clone();
        task.authentication = Some(Box::new(begun));
        Ok(Some(self.due_at_once(task, now)))
    }

    /// Takes the answer to a request of an authentication, other than a refusal to be tried again.
    pub(super) fn authentication_answered(
        &mut self,
        mut task: Task,
        answer: &Answered<'_>,
        now: Instant,
    ) -> Option<Task> {
        let stage = task.authentication.as_deref().expect("the caller looked").clone();
        let read = match stage {
            Authentication::Page(path) => page(&path, answer),
            Authentication::Press(_) => returned(&mut task, answer),
            Authentication::Return { .. } => match self.outcome(&mut task, answer) {
                Ok(()) => {
                    self.count_good(Operation::Authenticate, task.due, now, false);
                    task.authentication = None;
                    return self.next_step(task, now, true);
                }
                Err(kind) => Err(kind),
            },
        };
        match read {
            Ok(next) => {
                self.count_good(Operation::Authenticate, task.due, now, false);
                let paid = matches!(next, Authentication::Return { .. });
                if !paid && (self.stopped || now >= self.end) {
                    return None;
                }
                task.authentication = Some(Box::new(next));
                let mut task = self.due_at_once(task, now);
                // What may have moved money is looked at even when the run is over.
                task.uncertain = paid;
                Some(task)
            }
            Err(kind) => {
                self.not_good(kind);
                self.fail(&task);
                None
            }
        }
    }

    /// Reads the payment that the shop finds when the shopper is back.
    fn outcome(&mut self, task: &mut Task, answer: &Answered<'_>) -> Result<(), String> {
        if answer.status != 200 {
            return Err(format!("{} {}", answer.status, body::error_code(answer.body)));
        }
        let missing = || "200 without the payment that was authenticated".to_string();
        let payment = Payment::read(answer.body).ok_or_else(missing)?;
        let charge = Id::new(payment.charge.as_deref().unwrap_or_default()).ok_or_else(missing)?;
        if payment.id.as_bytes() != task.payment.id.as_bytes() {
            return Err("200 with another payment".into());
        }
        let holds = self.step_operation(task) == Operation::Authorize;
        let expected = if holds { "requires_capture" } else { "succeeded" };
        if payment.status != expected || charge.is_empty() {
            return Err(format!("authenticated, but the payment is {}", payment.status));
        }
        task.payment.charge = charge;
        if !holds {
            self.moved(task, charge, amount_of(task.number));
        }
        self.recent.push(task.payment);
        if task.payment.body != 0 {
            self.replayable.push(task.payment);
        }
        Ok(())
    }

    /// Keeps what a failed authentication may mean for the money.
    pub(super) fn lost_authentication(&mut self, task: &Task, stage: &Authentication) {
        if self.step_operation(task) == Operation::Authorize {
            return;
        }
        let movement = Movement {
            merchant: task.merchant,
            source: task.payment.id,
            amount: amount_of(task.number),
        };
        match stage {
            Authentication::Return { acknowledged: true } => self.movements.authenticated.push(movement),
            Authentication::Press(_) if !task.uncertain => {}
            Authentication::Page(_) => {}
            Authentication::Press(_) | Authentication::Return { acknowledged: false } => {
                let source = Id::default();
                self.movements.unknown.push(Movement { source, ..movement });
            }
        }
    }

    /// Makes the next request due now, on the same connection.
    fn due_at_once(&mut self, mut task: Task, now: Instant) -> Task {
        (task.due, task.try_due, task.tries, task.uncertain) = (now, now, 0, false);
        self.count_due(Operation::Authenticate, now);
        self.take_up(&mut task, now);
        task
    }
}

fn page(path: &str, answer: &Answered<'_>) -> Result<Authentication, String> {
    if answer.status != 200 {
        return Err(format!("authentication page: {} where it should be", answer.status));
    }
    match form::press(answer.body, path, BUTTON) {
        Ok(press) => Ok(Authentication::Press(press)),
        Err(lacks) => Err(format!(
            "authentication page {lacks} ({BUTTON:?}): this tool cannot press it"
        )),
    }
}

/// Reads where the button leads. Whether a strange answer has moved money stays open.
fn returned(task: &mut Task, answer: &Answered<'_>) -> Result<Authentication, String> {
    if task.uncertain && matches!(answer.status, 404 | 410) {
        // It was pressed before, and the answer lost.
        return Ok(Authentication::Return { acknowledged: false });
    }
    if !matches!(answer.status, 302 | 303) {
        task.uncertain |= answer.status < 400;
        return Err(format!("authentication button: {} and no redirect", answer.status));
    }
    let location = location(answer.head).filter(|location| location.len() <= LOCATION_LEN_MAX);
    let query = location.and_then(|location| location.split('#').next()?.split_once('?'));
    let said = |name: &str| {
        let (_, query) = query?;
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    };
    match said("redirect_status") {
        Some("succeeded") if said("payment_intent") == Some(task.payment.id.as_str()) => {
            Ok(Authentication::Return { acknowledged: true })
        }
        Some("failed") => Err("authentication button: redirect_status is failed".into()),
        other => {
            task.uncertain = true;
            Err(match other {
                Some("succeeded") => "authentication button: redirect about another payment".into(),
                _ => "authentication button: redirect without redirect_status=succeeded".into(),
            })
        }
    }
}

fn location(head: &[u8]) -> Option<&str> {
    let lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let mut headers = lines.filter_map(|line| line.split_once(':'));
    let found = headers.find(|header| header.0.eq_ignore_ascii_case("location"))?;
    Some(found.1.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merchants::Part;
    use crate::open_loop::Plan;
    use crate::scenario::Scenario;
    use std::sync::Arc;

    const ASKS: &[u8] =
        b"{\n  \"id\": \"pi_1\",\n  \"latest_charge\": null,\n  \"next_action\": {\n    \"redirect_to_url\": {\n      \
        \"url\": \"http://elsewhere:1/test/3ds/T\"\n    }\n  },\n  \"status\": \"requires_action\"\n}";
    const PAGE: &[u8] = b"<form method=post><button name=outcome value=complete>Complete</button></form>";
    const BACK: &[u8] =
        b"HTTP/1.1 303 X\r\nlocation: https://a.test/b?payment_intent=pi_1&redirect_status=succeeded\r\n\r\n";
    const PAID: &[u8] = b"{\n  \"id\": \"pi_1\",\n  \"latest_charge\": \"ch_1\",\n  \"status\": \"succeeded\"\n}";

    fn floor() -> Floor {
        let text = "name = \"s\"\n[[rate.phase]]\nrate = 100\nseconds = 10\n[[flow]]\nname = \"f\"\n\
                    steps = [\"pay\", \"charge\"]\n[[card]]\nname = \"pm_card_x\"\noutcome = \"authenticates\"\n\
                    [client]\ntries_max = 2\n";
        let target = Target::parse("http://127.0.0.1:1").unwrap();
        let plan = Plan::new(Scenario::parse(text).unwrap(), target, None, Part::WHOLE, 1);
        Floor::new(Arc::new(plan), 0, Instant::now(), &[])
    }

    /// Sends what is due, and gives the answer.
    fn step(floor: &mut Floor, mut task: Task, status: u16, head: &[u8], body: &[u8]) -> (String, Option<Task>) {
        let (mut out, now) = (Vec::new(), floor.start);
        floor.send(&mut task, &mut out, now);
        let answer = Answered {
            status,
            head,
            body,
            retry_after_s: None,
        };
        (String::from_utf8(out).unwrap(), floor.answered(task, &answer, now, now))
    }

    fn pressing(floor: &mut Floor) -> Task {
        let task = floor.begin(floor.start).unwrap();
        let (sent, next) = step(floor, task, 200, b"", ASKS);
        assert!(sent.contains("&return_url=https%3A%2F%2F"), "{sent}");
        let (sent, next) = step(floor, next.unwrap(), 200, b"", PAGE);
        assert!(
            sent.starts_with("GET /test/3ds/T HTTP/1.1\r\nHost: 127.0.0.1:1\r\n"),
            "{sent}"
        );
        assert!(!sent.contains("Authorization"), "{sent}");
        next.unwrap()
    }

    fn moved(floor: &Floor) -> [usize; 3] {
        let movements = &floor.movements;
        [
            movements.done.len(),
            movements.authenticated.len(),
            movements.unknown.len(),
        ]
    }

    #[test]
    fn the_shopper_goes_to_the_page_presses_and_comes_back_to_a_paid_payment() {
        let mut floor = floor();
        let task = pressing(&mut floor);
        let (sent, next) = step(&mut floor, task, 303, BACK, b"");
        assert!(
            sent.starts_with("POST /test/3ds/T HTTP/1.1\r\n") && sent.ends_with("\r\n\r\noutcome=complete"),
            "{sent}"
        );
        assert_eq!(moved(&floor), [0, 0, 0]);
        let (sent, next) = step(&mut floor, next.unwrap(), 200, b"", PAID);
        assert!(sent.starts_with("GET /v1/payment_intents/pi_1 HTTP/1.1\r\n"), "{sent}");
        assert_eq!(moved(&floor), [1, 0, 0]);
        assert_eq!(floor.movements.done[0].source.as_str(), "ch_1");
        let counts = floor.samples.of(Operation::Authenticate);
        assert_eq!((counts.due, counts.good, counts.failed), (3, 3, 0));
        let next = next.unwrap();
        assert_eq!(
            (floor.operation(&next), next.payment.charge.as_str()),
            (Operation::Charge, "ch_1")
        );
    }

    #[test]
    fn a_shopper_who_goes_away_has_paid_nothing() {
        let mut floor = floor();
        let task = pressing(&mut floor);
        let (_, next) = step(
            &mut floor,
            task,
            303,
            b"HTTP/1.1 303 X\r\nLocation: /?redirect_status=failed\r\n\r\n",
            b"",
        );
        assert!(next.is_none());
        let task = floor.begin(floor.start).unwrap();
        floor.stop();
        assert!(step(&mut floor, task, 200, b"", ASKS).1.is_none());
        assert_eq!(moved(&floor), [0, 0, 0]);
    }

    #[test]
    fn a_press_whose_answer_is_lost_is_cleared_up_by_a_look_at_the_payment() {
        let mut floor = floor();
        let mut task = pressing(&mut floor);
        floor.send(&mut task, &mut Vec::new(), floor.start);
        let now = floor.start;
        assert!(
            floor
                .broke(task, &crate::connection::TransportError::Closed, now)
                .is_none()
        );
        let again = floor.come(now + std::time::Duration::from_secs(1)).unwrap();
        let (_, next) = step(&mut floor, again, 410, b"", b"<p>over</p>");
        step(&mut floor, next.unwrap(), 200, b"", PAID);
        assert_eq!(moved(&floor), [1, 0, 0]);
    }

    #[test]
    fn an_authentication_that_says_it_succeeded_is_held_to_it() {
        let mut floor = floor();
        let task = pressing(&mut floor);
        let (_, next) = step(&mut floor, task, 303, BACK, b"");
        assert!(step(&mut floor, next.unwrap(), 200, b"", ASKS).1.is_none());
        assert_eq!(moved(&floor), [0, 1, 0]);
        assert!(
            floor
                .samples
                .errors
                .keys()
                .any(|kind| kind.contains("but the payment is requires_action"))
        );
        // An answer that says nothing leaves it open.
        let task = pressing(&mut floor);
        assert!(step(&mut floor, task, 200, b"", b"thanks").1.is_none());
        assert_eq!(moved(&floor), [0, 1, 1]);
    }

    #[test]
    fn a_page_of_another_server_is_named_in_the_errors() {
        let mut floor = floor();
        let task = floor.begin(floor.start).unwrap();
        let (_, next) = step(&mut floor, task, 200, b"", ASKS);
        assert!(step(&mut floor, next.unwrap(), 200, b"", b"<p>No.</p>").1.is_none());
        let kinds: Vec<_> = floor.samples.errors.keys().collect();
        assert!(kinds[0].starts_with("authentication page has no form"), "{kinds:?}");
        assert_eq!(moved(&floor), [0, 0, 0]);
    }
}
