//! Test accounts: public numbers and names that stand for a bank account and how its debits end.

use super::BankScheme;
use crate::payments::payment_method::{Decline, declines};

/// A test account.
#[derive(Debug, PartialEq, Eq)]
pub struct TestAccount {
    /// Stable number in records; never reused.
    pub number: u16,
    /// How it is debited.
    pub scheme: BankScheme,
    /// Names of payment methods, behind `pm_`; the usual one first. Some accounts have a number only.
    pub names: &'static [&'static str],
    /// The account numbers, or whole IBANs; published, and they open nothing. The row of a scheme for all other numbers
    /// has the digits that are shown of none.
    pub accounts: &'static [&'static str],
    /// How a debit ends.
    pub outcome: BankOutcome,
    /// Whether that takes minutes instead of seconds.
    pub late: bool,
    /// Whether the deposits that show whose account it is arrive.
    pub takes_deposits: bool,
}

/// How the debit of a test account ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankOutcome {
    /// The money comes.
    Pays,
    /// The money comes, and the holder takes it back.
    Disputed,
    /// It does not come.
    Fails(&'static Decline),
    /// Nobody ever hears of it.
    Unheard,
    /// A rule stops it before the bank is asked.
    Blocked,
}

impl TestAccount {
    /// Every test account, by number.
    pub fn all() -> impl Iterator<Item = &'static TestAccount> {
        TABLES.into_iter().flatten()
    }

    /// The row with that number.
    pub fn by_number(number: u16) -> Option<&'static TestAccount> {
        TestAccount::all().find(|row| row.number == number)
    }

    /// The account with that name behind `pm_`.
    pub fn by_name(name: &str) -> Option<&'static TestAccount> {
        TestAccount::all().find(|row| row.names.contains(&name))
    }

    /// The row of an account number or IBAN of a scheme; that of all other numbers if it has none of its own.
    pub fn by_account(scheme: BankScheme, account: &str) -> &'static TestAccount {
        let mut of_scheme = TestAccount::all().filter(|row| row.scheme == scheme);
        let first = of_scheme.next().expect("every scheme has accounts");
        if first.accounts.contains(&account) {
            return first;
        }
        of_scheme.find(|row| row.accounts.contains(&account)).unwrap_or(first)
    }

    /// Its first number.
    pub fn first(&self) -> &'static str {
        self.accounts[0]
    }

    /// The name it usually goes by.
    pub fn name(&self) -> Option<&'static str> {
        self.names.first().copied()
    }

    const fn late(self) -> TestAccount {
        TestAccount { late: true, ..self }
    }

    const fn without_deposits(self) -> TestAccount {
        TestAccount {
            takes_deposits: false,
            ..self
        }
    }
}

const fn row(
    number: u16,
    scheme: BankScheme,
    names: &'static [&'static str],
    accounts: &'static [&'static str],
    outcome: BankOutcome,
) -> TestAccount {
    TestAccount {
        number,
        scheme,
        names,
        accounts,
        outcome,
        late: false,
        takes_deposits: true,
    }
}

/// The parts of the table, by number.
const TABLES: [&[TestAccount]; 5] = [&US, &SEPA, &ACSS, &BACS, &BECS];

static US: [TestAccount; 12] = {
    use BankOutcome::*;
    use BankScheme::UsBankAccount as US;
    [
        row(
            1,
            US,
            &["usBankAccount_success", "usBankAccount"],
            &["000123456789"],
            Pays,
        ),
        row(
            2,
            US,
            &["usBankAccount_accountClosed"],
            &["000111111113"],
            Fails(&declines::ACCOUNT_CLOSED),
        ),
        row(
            3,
            US,
            &["usBankAccount_noAccount"],
            &["000111111116"],
            Fails(&declines::NO_ACCOUNT),
        ),
        row(
            4,
            US,
            &["usBankAccount_insufficientFunds"],
            &["000222222227"],
            Fails(&declines::BANK_INSUFFICIENT_FUNDS),
        ),
        row(
            5,
            US,
            &["usBankAccount_debitNotAuthorized"],
            &["000333333335"],
            Fails(&declines::DEBIT_NOT_AUTHORIZED),
        ),
        row(
            6,
            US,
            &["usBankAccount_invalidCurrency", "usBankAccount_invalidAccountCurrency"],
            &["000444444440"],
            Fails(&declines::INVALID_CURRENCY),
        ),
        row(7, US, &["usBankAccount_dispute"], &["000555555559"], Disputed),
        row(8, US, &["usBankAccount_failMicrodeposits"], &["000666666661"], Pays).without_deposits(),
        row(9, US, &["usBankAccount_processing"], &["000000000009"], Unheard),
        row(10, US, &["usBankAccount_riskLevelHighest"], &["000000004954"], Blocked),
        row(
            11,
            US,
            &["usBankAccount_weeklyLimitExceeded"],
            &["000777777771"],
            Fails(&declines::CHARGE_EXCEEDS_WEEKLY_LIMIT),
        ),
        row(
            12,
            US,
            &["usBankAccount_transactionLimitExceeded"],
            &["000888888885"],
            Fails(&declines::CHARGE_EXCEEDS_SOURCE_LIMIT),
        ),
    ]
};

static SEPA: [TestAccount; 9] = {
    use BankOutcome::*;
    use BankScheme::SepaDebit as SEPA;
    [
        row(
            40,
            SEPA,
            &["sepaDebit_success", "sepaDebit"],
            &[
                "DE89370400440532013000",
                "AT611904300234573201",
                "BE62510007547061",
                "ES0700120345030000067890",
                "FI2112345600000785",
                "FR1420041010050500013M02606",
                "GB82WEST12345698765432",
                "IE29AIBK93115212345678",
                "IT40S0542811101000000123456",
                "LU280019400644750000",
                "NL39RABO0300065264",
                "PT50000201231234567890154",
            ],
            Pays,
        ),
        row(
            41,
            SEPA,
            &["sepaDebit_successDelayed"],
            &[
                "DE08370400440532013003",
                "AT321904300235473204",
                "BE78510007547064",
                "FR3020041010050500013M02609",
                "NL55RABO0300065267",
            ],
            Pays,
        )
        .late(),
        row(
            42,
            SEPA,
            &["sepaDebit_failed"],
            &[
                "DE62370400440532013001",
                "AT861904300235473202",
                "BE35510007547062",
                "FR8420041010050500013M02607",
                "NL12RABO0300065265",
            ],
            Fails(&declines::COULD_NOT_PROCESS),
        ),
        row(
            43,
            SEPA,
            &["sepaDebit_failedDelayed"],
            &[
                "DE78370400440532013004",
                "AT051904300235473205",
                "BE51510007547065",
                "FR7920041010050500013M02600",
                "NL28RABO0300065268",
            ],
            Fails(&declines::COULD_NOT_PROCESS),
        )
        .late(),
        row(
            44,
            SEPA,
            &["sepaDebit_disputed"],
            &[
                "DE35370400440532013002",
                "AT591904300235473203",
                "BE08510007547063",
                "FR5720041010050500013M02608",
                "NL82RABO0300065266",
            ],
            Disputed,
        ),
        row(
            45,
            SEPA,
            &[],
            &["DE65370400440000343434", "AT981904300000343434"],
            Fails(&declines::CHARGE_EXCEEDS_SOURCE_LIMIT),
        ),
        row(
            46,
            SEPA,
            &[],
            &["DE27370400440000121212", "AT601904300000121212"],
            Fails(&declines::CHARGE_EXCEEDS_WEEKLY_LIMIT),
        ),
        row(
            47,
            SEPA,
            &[],
            &["DE65370400440002222227", "AT981904300002222227"],
            Fails(&declines::BANK_INSUFFICIENT_FUNDS),
        ),
        row(48, SEPA, &[], &["DE19370400440000000009"], Unheard),
    ]
};

static ACSS: [TestAccount; 7] = {
    use BankOutcome::*;
    use BankScheme::AcssDebit as ACSS;
    [
        row(80, ACSS, &["acssDebit_success", "acssDebit"], &["000123456789"], Pays),
        row(81, ACSS, &["acssDebit_successDelayed"], &["900123456789"], Pays).late(),
        row(
            82,
            ACSS,
            &["acssDebit_failed"],
            &["000222222227"],
            Fails(&declines::BANK_INSUFFICIENT_FUNDS),
        ),
        row(
            83,
            ACSS,
            &["acssDebit_failedDelayed"],
            &["900222222227"],
            Fails(&declines::BANK_INSUFFICIENT_FUNDS),
        )
        .late(),
        row(84, ACSS, &[], &["000666666661"], Pays).without_deposits(),
        row(
            85,
            ACSS,
            &[],
            &["000777777771"],
            Fails(&declines::CHARGE_EXCEEDS_WEEKLY_LIMIT),
        ),
        row(
            86,
            ACSS,
            &[],
            &["000888888881"],
            Fails(&declines::CHARGE_EXCEEDS_SOURCE_LIMIT),
        ),
    ]
};

static BACS: [TestAccount; 10] = {
    use BankOutcome::*;
    use BankScheme::BacsDebit as BACS;
    [
        row(120, BACS, &["bacsDebit_success", "bacsDebit"], &["00012345"], Pays),
        row(121, BACS, &["bacsDebit_successDelayed"], &["90012345"], Pays).late(),
        row(122, BACS, &[], &["33333335"], Fails(&declines::DEBIT_NOT_AUTHORIZED)),
        row(123, BACS, &[], &["93333335"], Fails(&declines::DEBIT_NOT_AUTHORIZED)).late(),
        row(124, BACS, &[], &["22222227"], Fails(&declines::BANK_INSUFFICIENT_FUNDS)),
        row(125, BACS, &[], &["92222227"], Fails(&declines::BANK_INSUFFICIENT_FUNDS)).late(),
        row(126, BACS, &[], &["55555559"], Disputed).late(),
        row(127, BACS, &[], &["00033333"], Fails(&declines::DEBIT_NOT_AUTHORIZED)),
        row(
            128,
            BACS,
            &[],
            &["34343434"],
            Fails(&declines::CHARGE_EXCEEDS_SOURCE_LIMIT),
        ),
        row(
            129,
            BACS,
            &[],
            &["12121212"],
            Fails(&declines::CHARGE_EXCEEDS_WEEKLY_LIMIT),
        ),
    ]
};

static BECS: [TestAccount; 9] = {
    use BankOutcome::*;
    use BankScheme::AuBecsDebit as BECS;
    [
        row(160, BECS, &["auBecsDebit_success", "auBecsDebit"], &["000123456"], Pays),
        row(161, BECS, &[], &["900123456"], Pays).late(),
        row(162, BECS, &[], &["111111113"], Fails(&declines::ACCOUNT_CLOSED)),
        row(163, BECS, &[], &["111111116"], Fails(&declines::NO_ACCOUNT)),
        row(164, BECS, &[], &["222222227"], Fails(&declines::REFER_TO_CUSTOMER)),
        row(165, BECS, &[], &["922222227"], Fails(&declines::REFER_TO_CUSTOMER)).late(),
        row(166, BECS, &[], &["333333335"], Fails(&declines::DEBIT_NOT_AUTHORIZED)),
        row(167, BECS, &[], &["666666660"], Disputed),
        row(
            168,
            BECS,
            &[],
            &["343434343"],
            Fails(&declines::CHARGE_EXCEEDS_SOURCE_LIMIT),
        ),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_resource::Names;

    #[test]
    fn numbers_ascend_and_no_name_or_account_stands_twice() {
        let numbers: Vec<u16> = TestAccount::all().map(|row| row.number).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next));
        let mut names: Vec<_> = TestAccount::all().flat_map(|row| row.names).collect();
        let mut accounts: Vec<_> = TestAccount::all()
            .flat_map(|row| row.accounts.iter().map(|account| (row.scheme.kind().name(), account)))
            .collect();
        let counts = (names.len(), accounts.len());
        names.sort_unstable();
        names.dedup();
        accounts.sort_unstable();
        accounts.dedup();
        assert_eq!((names.len(), accounts.len()), counts);
    }

    #[test]
    fn a_number_that_no_row_has_pays() {
        let row = TestAccount::by_account(BankScheme::UsBankAccount, "000987654321");
        assert_eq!((row.number, row.outcome), (1, BankOutcome::Pays));
        let row = TestAccount::by_account(BankScheme::UsBankAccount, "000222222227");
        assert_eq!(row.outcome, BankOutcome::Fails(&declines::BANK_INSUFFICIENT_FUNDS));
    }
}
