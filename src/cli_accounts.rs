//! `tollgate account …` on the command line: accounts, their settings, their keys.

use crate::accounts::{self, NewAccount, NewKey, Reach, UpdatedAccount};
use crate::exit::Failure;
use clap::{Subcommand, ValueEnum};

#[derive(Subcommand)]
pub(crate) enum AccountCommand {
    /// Create an account, in test and live mode, with a secret and a publishable key for each.
    ///
    /// The keys are shown once. A data directory that is not there is made.
    Create {
        #[command(flatten)]
        reach: Reach,
        /// Country, two letters.
        #[arg(long, value_name = "CODE", default_value = "US")]
        country: String,
        /// Settlement currency, three letters.
        #[arg(long, value_name = "CODE", default_value = "usd")]
        currency: String,
        /// What cardholders read on their statements, 5 to 22 characters.
        #[arg(long, value_name = "TEXT")]
        statement_descriptor: Option<String>,
    },
    /// List accounts.
    List {
        #[command(flatten)]
        reach: Reach,
    },
    /// Show an account's settings.
    Show {
        #[command(flatten)]
        reach: Reach,
        /// The account, acct_….
        #[arg(value_name = "ACCOUNT")]
        account: String,
    },
    /// Change an account's settings: country, currency, version, statement descriptor, raw cards, Radar rules, payouts,
    /// dispute fee.
    ///
    /// A running server decides by them from the account's next request on.
    Update {
        #[command(flatten)]
        reach: Reach,
        /// The account, acct_….
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// A setting as `tollgate account show` names it, and what it is to be; may be given several times.
        #[arg(long, value_name = "NAME=VALUE", required = true, value_parser = name_and_value)]
        set: Vec<(String, String)>,
        /// Only in this mode; without it, in both.
        #[arg(long, value_enum)]
        mode: Option<Mode>,
    },
    /// API keys of an account.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
}

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// List keys; only their last four characters are known.
    List {
        #[command(flatten)]
        reach: Reach,
        /// Only keys of this account.
        #[arg(value_name = "ACCOUNT")]
        account: Option<String>,
    },
    /// Make another key. It is shown once.
    Create {
        #[command(flatten)]
        reach: Reach,
        /// The account, acct_….
        #[arg(value_name = "ACCOUNT")]
        account: String,
        /// What the key may do.
        #[arg(long, value_enum, default_value_t = Kind::Secret)]
        kind: Kind,
        /// A restricted key, which may only do what --allow says.
        #[arg(long, conflicts_with = "kind")]
        restricted: bool,
        /// What a restricted key may do: charges:read, payment_intents:write, … Writing implies reading.
        #[arg(long, value_name = "RESOURCE:LEVEL", value_delimiter = ',', requires = "restricted")]
        allow: Vec<String>,
        /// A key for live mode instead of test mode.
        #[arg(long)]
        live: bool,
    },
    /// Make a key that takes another one's place.
    ///
    /// The old one works on for a while, so that nothing has to stop.
    Roll {
        #[command(flatten)]
        reach: Reach,
        /// The old key's text (sk_…) or its id in `tollgate account keys list`.
        #[arg(value_name = "KEY")]
        key: String,
        /// How long the old key works still: 90s, 30m, 24h, 7d; at most 30d.
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = seconds)]
        expires_in: u64,
    },
    /// Revoke a key, by its text or by its id in the list. It stops working at once.
    Revoke {
        #[command(flatten)]
        reach: Reach,
        /// The key's text (sk_…) or its id in `tollgate account keys list`.
        #[arg(value_name = "KEY")]
        key: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Mode {
    Test,
    Live,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Secret,
    Publishable,
}

/// Does what was asked of accounts and keys.
pub(crate) fn run(command: AccountCommand) -> Result<(), Failure> {
    match command {
        AccountCommand::Create {
            reach,
            country,
            currency,
            statement_descriptor,
        } => accounts::create(
            &reach,
            NewAccount {
                country,
                currency,
                statement_descriptor,
            },
        ),
        AccountCommand::List { reach } => accounts::list(&reach),
        AccountCommand::Show { reach, account } => accounts::show_settings(&reach, &account),
        AccountCommand::Update {
            reach,
            account,
            set,
            mode,
        } => {
            let live = mode.map(|mode| matches!(mode, Mode::Live));
            accounts::update(&reach, &account, UpdatedAccount { set, live })
        }
        AccountCommand::Keys { command } => match command {
            KeysCommand::List { reach, account } => accounts::list_keys(&reach, account.as_deref()),
            KeysCommand::Create {
                reach,
                account,
                kind,
                restricted,
                allow,
                live,
            } => {
                let choice = NewKey {
                    publishable: matches!(kind, Kind::Publishable),
                    allow: restricted.then_some(allow),
                    live,
                };
                accounts::create_key(&reach, &account, choice)
            }
            KeysCommand::Roll { reach, key, expires_in } => accounts::roll_key(&reach, &key, expires_in),
            KeysCommand::Revoke { reach, key } => accounts::revoke_key(&reach, &key),
        },
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

/// Seconds in a time such as `24h`.
fn seconds(text: &str) -> Result<u64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    let read = |(unit, seconds): &(&str, u64)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*seconds)
    };
    let found = units.iter().find_map(read);
    found.ok_or_else(|| format!("{text} is no time; write 90s, 30m, 24h or 7d"))
}
