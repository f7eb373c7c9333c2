//! How risky a payment looks, and what the account's rules make of it.

use crate::decision::Case;
use crate::payments::payment_method::{CardRisk, CheckResult, Decline, PaymentMethod, declines};
use tollgate_resource::{Names, Record};

/// What is remembered of a payment that does not look like any other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Record)]
pub enum Risk {
    /// Riskier than usual, and let through.
    #[record(1)]
    Elevated,
    /// Riskier than usual, let through, and a person should look at it.
    #[record(2)]
    Reviewed,
    /// Very risky, and let through because the account asks for that.
    #[record(3)]
    Highest,
    /// Stopped by a rule.
    #[record(4)]
    Blocked {
        /// The rule.
        #[record(1)]
        rule: BlockRule,
        /// Whether it also looked riskier than usual.
        #[record(2)]
        elevated: bool,
    },
}

/// A rule that stops payments. Names are public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum BlockRule {
    /// The risk is too high.
    #[record(1)]
    #[name = "block_if_high_risk"]
    HighRisk,
    /// The security code is wrong.
    #[record(2)]
    #[name = "block_if_cvc_check_fails"]
    CvcFails,
    /// The postal code is wrong.
    #[record(3)]
    #[name = "block_if_postal_code_check_fails"]
    PostalCodeFails,
}

/// What the rules make of a payment before the bank is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It may go on.
    Allowed {
        /// What is remembered of it.
        risk: Option<Risk>,
        /// Whether a person should look at it.
        review: bool,
    },
    /// It is stopped.
    Blocked {
        /// What the payer hears.
        decline: &'static Decline,
        /// What is remembered of it.
        risk: Risk,
    },
}

impl BlockRule {
    /// What the payer of a payment it stops hears.
    pub fn decline(self) -> &'static Decline {
        match self {
            BlockRule::HighRisk => &declines::FRAUDULENT,
            BlockRule::CvcFails => &declines::INCORRECT_CVC,
            BlockRule::PostalCodeFails => &declines::INCORRECT_ZIP,
        }
    }
}

/// What the account's rules make of a payment with `method`.
pub(crate) fn judge(case: &Case<'_>, method: &PaymentMethod) -> Judgement {
    let rules = &case.world.account.profile.settings().radar;
    let Some(facts) = method.instrument.test_card() else {
        return Judgement::Allowed {
            risk: None,
            review: false,
        };
    };
    let elevated = facts.risk == CardRisk::Elevated;
    let postal_code = method
        .billing()
        .is_some_and(|billing| billing.address.postal_code.is_some());
    let blocked = match facts.risk {
        CardRisk::Blocked => Some(BlockRule::HighRisk),
        CardRisk::Highest if rules.block_highest_risk => Some(BlockRule::HighRisk),
        _ if rules.block_cvc_fail && facts.checks.cvc == CheckResult::Fail && method.cvc_check.is_some() => {
            Some(BlockRule::CvcFails)
        }
        _ if rules.block_zip_fail && facts.checks.postal_code == CheckResult::Fail && postal_code => {
            Some(BlockRule::PostalCodeFails)
        }
        _ => None,
    };
    if let Some(rule) = blocked {
        return Judgement::Blocked {
            decline: rule.decline(),
            risk: Risk::Blocked { rule, elevated },
        };
    }
    let review = elevated && rules.review_elevated_risk;
    let risk = match facts.risk {
        CardRisk::Elevated if review => Some(Risk::Reviewed),
        CardRisk::Elevated => Some(Risk::Elevated),
        CardRisk::Highest => Some(Risk::Highest),
        CardRisk::Normal | CardRisk::Blocked => None,
    };
    Judgement::Allowed { risk, review }
}

impl Risk {
    /// The public level.
    pub fn level(self) -> &'static str {
        match self {
            Risk::Elevated | Risk::Reviewed => "elevated",
            Risk::Highest => "highest",
            Risk::Blocked {
                rule: BlockRule::HighRisk,
                ..
            } => "highest",
            Risk::Blocked { elevated: true, .. } => "elevated",
            Risk::Blocked { elevated: false, .. } => "normal",
        }
    }

    /// The public score, from 0 to 100.
    pub fn score(self) -> i64 {
        match self.level() {
            "highest" => 94,
            "elevated" => 72,
            _ => 0,
        }
    }
}
