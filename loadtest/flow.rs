//! What a client does: flows of steps, each step one request or a pause.

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// `POST /v1/payment_intents`, confirmed and captured at once.
    Pay,
    /// The same, sent twice at the same moment with one key on two connections: a shopper who presses twice.
    Twice,
    /// `POST /v1/payment_intents`, not confirmed.
    Create,
    /// `POST /v1/payment_intents/ID/confirm`.
    Confirm,
    /// `POST /v1/payment_intents`, confirmed, to be captured later.
    Authorize,
    /// What a card that asks for authentication adds to a payment: the shopper's page, its button, and the shop's look at
    /// the payment. Not a step that a scenario writes.
    Authenticate,
    /// `POST /v1/payment_intents/ID/capture`.
    Capture,
    /// `POST /v1/payment_intents/ID/cancel`.
    Cancel,
    /// `POST /v1/refunds` of a whole payment.
    Refund,
    /// An earlier payment's request again: same key, same bytes expected.
    Replay,
    /// An earlier payment's key with another amount: to be refused.
    Misuse,
    /// `GET /v1/payment_intents/ID`: a status poll.
    Retrieve,
    /// `GET /v1/charges/ID`.
    Charge,
    /// `GET /v1/payment_intents?limit=10`.
    List,
    /// `POST /v1/customers`.
    Customer,
    /// `GET /v1/balance`.
    Balance,
    /// `GET /v1/events?limit=10`.
    Events,
}

impl Operation {
    /// Every operation, in the order of reports.
    pub(crate) const ALL: [Operation; 17] = [
        Operation::Pay,
        Operation::Twice,
        Operation::Create,
        Operation::Confirm,
        Operation::Authorize,
        Operation::Authenticate,
        Operation::Capture,
        Operation::Cancel,
        Operation::Refund,
        Operation::Replay,
        Operation::Misuse,
        Operation::Retrieve,
        Operation::Charge,
        Operation::List,
        Operation::Customer,
        Operation::Balance,
        Operation::Events,
    ];
    /// How many there are.
    pub(crate) const COUNT: usize = Operation::ALL.len();

    /// Its word in scenario files and reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Pay => "pay",
            Operation::Twice => "pay twice",
            Operation::Create => "create",
            Operation::Confirm => "confirm",
            Operation::Authorize => "authorize",
            Operation::Authenticate => "authenticate",
            Operation::Capture => "capture",
            Operation::Cancel => "cancel",
            Operation::Refund => "refund",
            Operation::Replay => "replay",
            Operation::Misuse => "misuse key",
            Operation::Retrieve => "retrieve",
            Operation::Charge => "charge",
            Operation::List => "list",
            Operation::Customer => "customer",
            Operation::Balance => "balance",
            Operation::Events => "events",
        }
    }

    /// Whether a card is asked: the step that the rest of a flow depends on.
    pub(crate) fn asks_card(self) -> bool {
        matches!(
            self,
            Operation::Pay | Operation::Twice | Operation::Confirm | Operation::Authorize
        )
    }

    /// Whether it sends a body to the API, and with it an idempotency key.
    pub(crate) fn is_post(self) -> bool {
        !matches!(
            self,
            Operation::Authenticate
                | Operation::Retrieve
                | Operation::Charge
                | Operation::List
                | Operation::Balance
                | Operation::Events
        )
    }
}

/// One step of a flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// A request.
    Send(Operation),
    /// A pause between an answer and the next request, drawn evenly from a range of seconds.
    Think { from_s: f64, to_s: f64 },
}

/// Longest pause that can be given, in seconds: an hour.
const THINK_S_MAX: f64 = 3600.0;

impl Step {
    /// Reads `capture`, `think 2` or `think 0.5-2`.
    pub(crate) fn parse(text: &str) -> Result<Step, String> {
        if let Some(range) = text.strip_prefix("think ") {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            return match (from.trim().parse::<f64>(), to.trim().parse::<f64>()) {
                (Ok(from_s), Ok(to_s)) if 0.0 <= from_s && from_s <= to_s && to_s <= THINK_S_MAX => {
                    Ok(Step::Think { from_s, to_s })
                }
                _ => Err(format!(
                    "{text:?} is no pause: write \"think SECONDS\" or \"think FROM-TO\", at most {THINK_S_MAX} s"
                )),
            };
        }
        let mut known = Operation::ALL
            .into_iter()
            .filter(|operation| *operation != Operation::Authenticate);
        match known.clone().find(|operation| operation.name() == text) {
            Some(operation) => Ok(Step::Send(operation)),
            None => {
                let names = known.by_ref().map(Operation::name);
                Err(crate::nearest::unknown("step", text, names.chain(["think 1-2"])))
            }
        }
    }
}

/// Steps that belong together: they are about one payment of one merchant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Flow {
    /// Its name in reports.
    pub(crate) name: String,
    /// How often it starts, relative to the other flows.
    pub(crate) weight: f64,
    /// What it does.
    pub(crate) steps: Vec<Step>,
}

impl Flow {
    /// Requests one start comes to on average, if `declined` of the cards say no and end the flow, and each card that is
    /// asked adds `authenticating` requests.
    pub(crate) fn requests_per_start(&self, declined: f64, authenticating: f64) -> f64 {
        self.sends(declined, 2.0, |_| true) + authenticating * self.payments_per_start(declined)
    }

    /// Payments (a card asked) one start comes to on average.
    pub(crate) fn payments_per_start(&self, declined: f64) -> f64 {
        self.sends(declined, 1.0, Operation::asks_card)
    }

    fn sends(&self, declined: f64, twice: f64, counts: impl Fn(Operation) -> bool) -> f64 {
        let (mut sum, mut reaches) = (0.0, 1.0);
        for step in &self.steps {
            if let Step::Send(operation) = step {
                if counts(*operation) {
                    // Both of a pair are requests, but they are one payment.
                    sum += if *operation == Operation::Twice {
                        twice * reaches
                    } else {
                        reaches
                    };
                }
                if operation.asks_card() {
                    reaches *= 1.0 - declined;
                }
            }
        }
        sum
    }

    /// Says what is wrong with the order of its steps.
    pub(crate) fn check(&self) -> Result<(), String> {
        use Operation as O;
        #[derive(PartialEq)]
        enum Has {
            Nothing,
            Created,
            Held,
            Paid,
            Over,
        }
        let first = self.steps.iter().find_map(|step| match step {
            Step::Send(operation) => Some(*operation),
            Step::Think { .. } => None,
        });
        let mut has = Has::Nothing;
        for step in &self.steps {
            let Step::Send(operation) = step else { continue };
            has = match (operation, has) {
                (O::Pay | O::Twice, Has::Nothing) => Has::Paid,
                (O::Create, Has::Nothing) => Has::Created,
                (O::Authorize, Has::Nothing) => Has::Held,
                (O::Confirm, Has::Created) | (O::Capture, Has::Held) => Has::Paid,
                (O::Cancel, Has::Created | Has::Held) => Has::Over,
                (O::Refund, Has::Paid) => Has::Over,
                (O::Confirm, _) => return Err("\"confirm\" needs a \"create\" before it".into()),
                (O::Capture, _) => return Err("\"capture\" needs an \"authorize\" before it".into()),
                (O::Cancel, _) => return Err("\"cancel\" needs a \"create\" or an \"authorize\" before it".into()),
                (O::Refund, _) => return Err("\"refund\" needs a \"pay\" or a \"capture\" before it".into()),
                (O::Pay | O::Twice | O::Create | O::Authorize, _) => {
                    return Err("a flow makes one payment; write a second flow for a second one".into());
                }
                (O::Replay | O::Misuse, has) if has != Has::Nothing && first != Some(O::Pay) => {
                    return Err(format!(
                        "{:?} uses the key of the flow's payment, which must be made by \"pay\"",
                        operation.name()
                    ));
                }
                (O::Charge, Has::Created | Has::Over) => {
                    return Err("\"charge\" needs a payment that was confirmed, and not given back".into());
                }
                (_, has) => has,
            };
        }
        match self.steps.last() {
            Some(Step::Send(_)) => Ok(()),
            Some(Step::Think { .. }) => Err("the last step is a pause; remove it".into()),
            None => Err("it has no steps".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(steps: &str) -> Flow {
        let steps = steps.split(", ").map(|step| Step::parse(step).unwrap()).collect();
        Flow {
            name: "f".into(),
            weight: 1.0,
            steps,
        }
    }

    #[test]
    fn steps_are_read_or_the_nearest_is_named() {
        assert_eq!(Step::parse("capture"), Ok(Step::Send(Operation::Capture)));
        assert_eq!(Step::parse("think 0.5-2"), Ok(Step::Think { from_s: 0.5, to_s: 2.0 }));
        assert_eq!(Step::parse("think 3"), Ok(Step::Think { from_s: 3.0, to_s: 3.0 }));
        assert!(Step::parse("captur").unwrap_err().contains("did you mean \"capture\""));
        for bad in ["think x", "think 2-1", "think -1", "think 1e9"] {
            assert!(
                Step::parse(bad).unwrap_err().contains("write \"think SECONDS\""),
                "{bad}"
            );
        }
    }

    #[test]
    fn steps_out_of_order_are_refused_with_what_is_missing() {
        let cases = [
            ("pay, retrieve, think 1, refund, list", ""),
            ("create, confirm, refund", ""),
            ("authorize, capture, refund", ""),
            ("create, cancel", ""),
            ("balance", ""),
            ("confirm", "needs a \"create\""),
            ("pay, capture", "needs an \"authorize\""),
            ("pay, cancel", "\"cancel\" needs"),
            ("refund", "\"refund\" needs"),
            ("authorize, refund", "\"refund\" needs"),
            ("pay, refund, refund", "\"refund\" needs"),
            ("pay, pay", "one payment"),
            ("pay, replay", ""),
            ("authorize, replay", "made by \"pay\""),
            ("pay, misuse key, refund", ""),
            ("pay twice, retrieve", ""),
            ("create, confirm, misuse key", "made by \"pay\""),
            ("create, charge", "that was confirmed"),
            ("pay, think 1", "last step is a pause"),
        ];
        for (steps, expected) in cases {
            let said = flow(steps).check().err().unwrap_or_default();
            assert!(
                said.contains(expected) && said.is_empty() == expected.is_empty(),
                "{steps}: {said}"
            );
        }
    }

    #[test]
    fn a_declined_card_ends_its_flow_in_the_arithmetic_too() {
        let flow = flow("create, think 1, confirm, refund, list");
        assert!((flow.requests_per_start(0.25, 0.0) - (2.0 + 0.75 * 2.0)).abs() < 1e-12);
        assert!((flow.payments_per_start(0.25) - 1.0).abs() < 1e-12);
        let pair = self::flow("pay twice, retrieve");
        assert!((pair.requests_per_start(0.25, 0.0) - 2.75).abs() < 1e-12);
        assert!((pair.payments_per_start(0.25) - 1.0).abs() < 1e-12);
        assert!((pair.requests_per_start(0.25, 0.1) - 2.85).abs() < 1e-12);
    }
}
