//! Deposits of a few cents that show whose account it is: the holder finds them on the account and tells the amounts, or the
//! code in the text of one.

use crate::payments::payment_method::{Decline, declines};
use crate::reject::{Reject, codes};
use crate::time::{DAY_S, seconds_of};
use tollgate_breaks::broken;
use tollgate_resource::shown::Seconds;
use tollgate_resource::{Names, Record, Shown};

/// How often the holder may tell wrong amounts or codes.
pub const DEPOSIT_TRIES_MAX: u32 = 10;
/// How long the deposits of a test bank are on their way, in seconds.
const ARRIVAL_S: i64 = 2 * DAY_S;

/// How long it takes until a test bank says that its deposits failed, in milliseconds.
pub(crate) const DEPOSITS_FAIL_MS: u64 = 3_000;

/// Deposits that the holder of an account is to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub struct Deposits {
    /// When they arrive, seconds since the Unix epoch.
    #[record(1)]
    pub arrival_s: i64,
    /// How often the holder told wrong ones.
    #[record(2)]
    pub tries: u32,
    /// When they were sent, milliseconds since the Unix epoch; 0 for those of older records.
    #[record(3)]
    pub sent_ms: u64,
}

/// What the holder is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum MicrodepositType {
    /// Two amounts.
    Amounts,
    /// A code.
    DescriptorCode,
}

/// What the holder of an account must do to show that it is theirs.
#[derive(Shown)]
pub struct VerifyDepositsShown {
    /// When the deposits arrive.
    pub arrival_date: Seconds,
    /// Where the holder can tell them.
    pub hosted_verification_url: String,
    /// What the holder is to tell.
    pub microdeposit_type: Option<MicrodepositType>,
}

/// What comes of what the holder told.
pub(crate) enum Verified {
    /// It is theirs.
    Yes,
    /// Wrong, and they may try again.
    Again(Box<Reject>),
    /// Nothing that could be right.
    Malformed(Box<Reject>),
    /// Never.
    Never(&'static Decline),
}

impl Deposits {
    /// Deposits that are sent now.
    pub(crate) fn sent(now_ms: u64) -> Deposits {
        Deposits {
            arrival_s: seconds_of(now_ms) + ARRIVAL_S,
            tries: 0,
            sent_ms: now_ms,
        }
    }

    /// Whether it is known by now that they failed, where they do. A timer of deposits that were sent before is no sign.
    pub(crate) fn have_failed(&self, now_ms: u64) -> bool {
        now_ms >= self.sent_ms + DEPOSITS_FAIL_MS
    }

    /// Holds what the holder told against the deposits of the test banks. `amounts` and `code` are not both given.
    pub(crate) fn told(&self, amounts: &[i64], code: Option<&str>) -> Verified {
        let mut amounts = amounts.to_vec();
        amounts.sort_unstable();
        let left = DEPOSIT_TRIES_MAX - (self.tries + 1).min(DEPOSIT_TRIES_MAX);
        match (&amounts[..], code) {
            ([32, 45], None) | ([], Some("SM11AA")) => Verified::Yes,
            ([10, 11], None) | ([], Some("SM33CC")) => Verified::Never(&declines::MICRODEPOSIT_ATTEMPTS_EXCEEDED),
            ([40, 41], None) | ([], Some("SM44DD")) => Verified::Never(&declines::MICRODEPOSIT_TIMEOUT),
            _ if broken!(BelieveDeposits) => Verified::Yes,
            _ if left == 0 => Verified::Never(&declines::MICRODEPOSIT_ATTEMPTS_EXCEEDED),
            ([_, _], None) => {
                let code = codes::PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_AMOUNTS_MISMATCH;
                let message = format!(
                    "The amounts provided do not match the amounts that were sent to the bank account. You have {left} \
                     verification attempts remaining."
                );
                Verified::Again(Box::new(
                    Reject::invalid(Some(code), message).with_param("amounts").begun(),
                ))
            }
            (_, None) => {
                let code = codes::PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_AMOUNTS_INVALID;
                let message = "You must provide exactly two microdeposit amounts.";
                Verified::Malformed(Box::new(Reject::invalid(Some(code), message).with_param("amounts")))
            }
            (_, Some(_)) => {
                let code = codes::PAYMENT_METHOD_MICRODEPOSIT_VERIFICATION_DESCRIPTOR_CODE_MISMATCH;
                let message = format!(
                    "The verification code provided does not match the one sent to the bank account. You have {left} \
                     verification attempts remaining."
                );
                let reject = Reject::invalid(Some(code), message).with_param("descriptor_code");
                Verified::Again(Box::new(reject.begun()))
            }
        }
    }
}
