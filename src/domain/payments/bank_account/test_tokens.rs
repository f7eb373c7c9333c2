//! Test tokens of bank accounts: names behind `btok_` that may be used as often as one likes.

use super::{BankAccount, OlderData, Ownership, TestAccount};
use crate::money::Currency;

/// A test token of a bank account.
#[derive(Debug, PartialEq, Eq)]
pub struct TestBankToken {
    /// Its name behind `btok_`.
    pub name: &'static str,
    /// Number of the test account it stands for.
    pub account: u16,
    /// Whether its holder has shown that it is theirs.
    pub is_verified: bool,
}

const fn verified(name: &'static str, account: u16) -> TestBankToken {
    TestBankToken {
        name,
        account,
        is_verified: true,
    }
}

static TOKENS: [TestBankToken; 7] = [
    verified("us_verified", 1),
    verified("us_verified_accountClosed", 2),
    verified("us_verified_noAccount", 3),
    verified("us_verified_insufficientFunds", 4),
    verified("us_verified_debitNotAuthorized", 5),
    verified("us_verified_invalidCurrency", 6),
    TestBankToken {
        name: "us",
        account: 1,
        is_verified: false,
    },
];

impl TestBankToken {
    /// The token with that name behind `btok_`.
    pub fn by_name(name: &str) -> Option<&'static TestBankToken> {
        TOKENS.iter().find(|token| token.name == name)
    }

    /// The account it stands for, as it is before anybody says more of it.
    pub(crate) fn bank_account(&self) -> BankAccount {
        let account = TestAccount::by_number(self.account).expect("a test token stands for a test account");
        BankAccount {
            ownership: if self.is_verified {
                Ownership::Verified
            } else {
                Ownership::Unverified
            },
            account_type: None,
            older: Some(Box::new(OlderData {
                holder_name: Some("Jane Austen".into()),
                currency: Currency::USD,
                tries: 0,
            })),
            ..BankAccount::of_test_account(account)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::bank_account::BankScheme;

    #[test]
    fn every_token_stands_for_an_account_in_the_united_states() {
        for token in &TOKENS {
            let bank = token.bank_account();
            assert_eq!(bank.scheme, BankScheme::UsBankAccount, "{}", token.name);
            let wanted = token.name.strip_prefix("us_verified_");
            let names = bank.facts().names;
            assert!(
                wanted.is_none_or(|wanted| names.iter().any(|name| name.ends_with(wanted))),
                "{}",
                token.name
            );
        }
    }
}
