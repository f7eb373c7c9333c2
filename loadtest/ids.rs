//! Ids of payments in a file: made by one run, read by a later one, so that reads can be about payments that are old.

use crate::Stop;
use crate::acknowledged::{Acknowledged, AcknowledgedPayment};
use std::fmt::Write;
use std::path::Path;

/// Of how many payments one is written.
pub(crate) const ONE_OF: u64 = 100;

/// Writes a line `ACCOUNT ID` for each payment that was kept.
pub(crate) fn write(path: &Path, payments: &Acknowledged) -> anyhow::Result<()> {
    let mut text = String::new();
    for payment in payments.iter() {
        writeln!(text, "{} {}", payment.account, payment.id).expect("a String takes everything");
    }
    crate::write_file(path, &text)
}

/// Reads them back, to be used with keys for `spread` accounts.
pub(crate) fn read(path: &Path, spread: u32) -> Result<Acknowledged, Stop> {
    let wrong = |what: String| Stop::Use(format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let mut payments = Acknowledged::default();
    let mut accounts = vec![false; spread as usize];
    for (at, line) in text.lines().enumerate() {
        let read = line.split_once(' ').and_then(|(account, id)| {
            let sound = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            Some((account.parse::<u32>().ok()?, id)).filter(|_| sound)
        });
        let Some((account, id)) = read else {
            return Err(wrong(format!("line {} is not ACCOUNT ID", at + 1)));
        };
        let Some(seen) = accounts.get_mut(account as usize) else {
            return Err(wrong(format!(
                "account {account} is beyond --spread {spread}: give the one it was made with"
            )));
        };
        *seen = true;
        payments.push(AcknowledgedPayment {
            id,
            charge: "",
            amount: 0,
            account,
            succeeded: true,
        });
    }
    match accounts.iter().position(|seen| !seen) {
        Some(account) => Err(wrong(format!(
            "no payment of account {account}: give the --spread it was made with"
        ))),
        None => Ok(payments),
    }
}
