//! What clients ask for.

/// What a client asks for and how it behaves.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The merchant.
    pub account: usize,
    /// The operation.
    pub action: Action,
    /// Whether it carries an idempotency key.
    pub keyed: bool,
    /// How long the client waits for an answer, milliseconds.
    pub patience_ms: u64,
    /// Whether the client hangs up before its first answer arrives.
    pub hangs_up: bool,
    /// Whether the answer shows referenced objects in place.
    pub expands: bool,
}

impl Wish {
    /// A request of the first merchant, with a key, by a client who is patient and shows nothing in place.
    pub fn of(action: Action) -> Wish {
        Wish {
            account: 0,
            action,
            keyed: true,
            patience_ms: 10_000,
            hangs_up: false,
            expands: false,
        }
    }
}

/// An operation. `of` is the step whose answer named the object.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Action {
    CreateCustomer,
    UpdateCustomer {
        of: usize,
    },
    Create {
        amount: i64,
        currency: &'static str,
        card: Option<&'static str>,
        confirm: bool,
        manual: bool,
        customer: Option<usize>,
        save: bool,
    },
    Confirm {
        of: usize,
        card: &'static str,
    },
    Capture {
        of: usize,
        amount: Option<i64>,
    },
    Cancel {
        of: usize,
    },
    Refund {
        of: usize,
        amount: Option<i64>,
    },
    SetUp {
        card: Option<&'static str>,
        confirm: bool,
        customer: Option<usize>,
    },
    ConfirmSetup {
        of: usize,
        card: &'static str,
    },
    CancelSetup {
        of: usize,
    },
    Charge {
        amount: i64,
        card: &'static str,
        capture: bool,
    },
    CaptureCharge {
        of: usize,
        amount: Option<i64>,
    },
    RefundCharge {
        of: usize,
        amount: Option<i64>,
    },
    /// A payment that debits a bank account, by the name of its test account; parked for deposits if they are asked for.
    Debit {
        amount: i64,
        account: &'static str,
        deposits: bool,
        customer: Option<usize>,
        save: bool,
    },
    /// Another bank account for such a payment.
    ConfirmDebit {
        of: usize,
        account: &'static str,
        deposits: bool,
    },
    /// What the holder of a bank account found on it.
    TellDeposits {
        of: usize,
        amounts: [i64; 2],
    },
    /// A payment that its payer agrees to on a page of another company.
    Redirect {
        amount: i64,
        kind: &'static str,
        manual: bool,
        customer: Option<usize>,
        save: bool,
    },
    /// Another way of that kind for such a payment.
    ConfirmRedirect {
        of: usize,
        kind: &'static str,
    },
    /// The hold of an intent is captured by its charge.
    CaptureByCharge {
        of: usize,
        amount: Option<i64>,
    },
    /// A bank account is saved to a customer, by the name of its test token.
    SaveBank {
        customer: usize,
        token: &'static str,
    },
    /// What the customer found on the bank account that step `of` saved.
    VerifyBank {
        customer: usize,
        of: usize,
        amounts: [i64; 2],
    },
    /// The bank account that step `of` saved is charged without an intent.
    ChargeBank {
        customer: usize,
        of: usize,
        amount: i64,
    },
    /// The payer of a parked payment, or the holder of a card that is set up, proves who they are, or fails to.
    Authenticate {
        of: usize,
        passes: bool,
        /// On the page of the first action, not of the newest.
        first: bool,
    },
    /// Evidence about the dispute of the step's payment, sent to the bank or kept.
    AnswerDispute {
        of: usize,
        evidence: &'static str,
        submit: bool,
    },
    CloseDispute {
        of: usize,
    },
    GetDispute {
        of: usize,
    },
    /// An endpoint whose receiver is the step's own, for these events.
    CreateEndpoint {
        events: &'static [&'static str],
        strict: bool,
    },
    /// An endpoint is disabled, or enabled again.
    SwitchEndpoint {
        of: usize,
        disabled: bool,
    },
    DeleteEndpoint {
        of: usize,
    },
    Get {
        of: usize,
    },
    Balance,
    List {
        kind: Listed,
        limit: usize,
    },
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Listed {
    PaymentIntents,
    Charges,
    Refunds,
    Disputes,
    Events,
}
