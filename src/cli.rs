//! The command line: what can be asked for, and how a command ends. Data goes to standard output, the rest to standard
//! error.

use crate::admin_client::ServerFlags;
use crate::cli_accounts::{self, AccountCommand};
use crate::cli_webhooks::WebhooksCommand;
use crate::config::Config;
use crate::config_layers::{DEFAULTS, Flag};
use crate::exit::{Exit, Failure};
use crate::listen::{self, ListenFlags};
use crate::output::print;
use crate::place::PlaceFlags;
use crate::tuning::Sources;
use crate::vault_command::VaultCommand;
use crate::webhooks_command;
use crate::{
    carry_command, cluster, demo, index_command, limits, node, schema, settings_command, shards, vault_command, verify,
};
use clap::{Args, Parser, Subcommand};
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `--version` says. A build that can be made to fail says so.
const VERSION: &str = if cfg!(feature = "breaks") {
    concat!(env!("CARGO_PKG_VERSION"), " with breaks, for tests only")
} else if cfg!(feature = "faults") {
    concat!(env!("CARGO_PKG_VERSION"), " with faults, for tests only")
} else {
    env!("CARGO_PKG_VERSION")
};

/// A payment processor in one binary that official Stripe SDKs talk to.
#[derive(Parser)]
#[command(
    name = "tollgate",
    version = VERSION,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API until SIGTERM or SIGINT.
    Serve(ServeFlags),
    /// Start a server, make one payment through its HTTP API, show it, and keep serving.
    Demo {
        /// Data directory; a temporary one without this.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Stop after showing.
        #[arg(long)]
        exit: bool,
    },
    /// Forward an account's events to a program on this machine.
    ///
    /// As signed webhook deliveries, without registering an endpoint: for the laptop of whoever writes that program.
    Listen(ListenFlags),
    /// Audit a data directory, or the cluster that a settings file names: recompute every balance from the journal.
    ///
    /// Exits 0 if clean, 1 on a difference, 2 if it cannot be read.
    Verify(VerifyFlags),
    /// Accounts and their API keys.
    Account {
        #[command(subcommand)]
        command: AccountCommand,
    },
    /// The keyspace of a cluster.
    Schema {
        #[command(subcommand)]
        command: SchemaCommand,
    },
    /// Write everything that a store holds to one file.
    ///
    /// Accounts, keys, settings, payments, uploaded files, sealed card numbers with their master keys, the data's secret. Every
    /// server that has the store must be stopped.
    Export {
        #[command(flatten)]
        place: PlaceFlags,
        /// The file, which must not be there yet. Whoever has it has everything: it is made for its owner alone.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Read an export into a new store.
    ///
    /// It takes over ids, keys and secrets, and each account's balances, objects and records are compared with the export at
    /// the end. A data directory must not be there yet; a keyspace is made by `tollgate schema apply` before.
    Import {
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        place: PlaceFlags,
    },
    /// Indexes, which follow from the journal.
    Index {
        #[command(subcommand)]
        command: IndexCommand,
    },
    /// Shards of a running server.
    Shard {
        #[command(subcommand)]
        command: ShardCommand,
    },
    /// The cluster that a running server is a member of.
    Cluster {
        #[command(subcommand)]
        command: ClusterCommand,
    },
    /// Delivery of events to webhook endpoints, on a running server: how it does, and repairing it.
    Webhooks {
        #[command(subcommand)]
        command: WebhooksCommand,
    },
    /// Rate limits of a running server.
    Limits {
        #[command(subcommand)]
        command: LimitsCommand,
    },
    /// Print the built-in settings with their explanations, the manual of every setting; or check and reload settings.
    Config {
        #[command(subcommand)]
        command: Option<ConfigCommand>,
    },
    /// Card numbers under lock: audit, check, rotate master keys.
    ///
    /// On a data directory, offline, or on a cluster.
    Vault {
        #[command(subcommand)]
        command: VaultCommand,
    },
    /// Print the API's OpenAPI document.
    Openapi,
}

#[derive(Args)]
struct ServeFlags {
    /// Accept any sk_test_… key: each opens a sandbox account of its own. Never where strangers can reach it.
    #[arg(long)]
    dev: bool,
    /// Settings file (TOML); `tollgate config` prints what can stand in it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory [store.data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address of the API; port 0 takes a free one [api.listen].
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// Address of health, metrics and the operator API; port 0 takes a free one [admin.listen].
    #[arg(long, value_name = "HOST:PORT")]
    admin_listen: Option<String>,
}

#[derive(Subcommand)]
enum ClusterCommand {
    /// List nodes and shards as the server sees them: who lives, who serves what, in which epoch.
    ///
    /// Exits 1 where a shard is served nowhere.
    Status {
        #[command(flatten)]
        server: ServerFlags,
    },
}

#[derive(Subcommand)]
enum ShardCommand {
    /// List shards: lane, what is in memory, queue, permits taken, rates, blocks, time to disk, share of time busy.
    List {
        #[command(flatten)]
        server: ServerFlags,
        /// Time over which rates are taken, milliseconds.
        #[arg(long, value_name = "MS", default_value_t = 1_000)]
        over: u64,
    },
    /// Move a shard to another lane while it serves.
    ///
    /// No request fails; those of the shard wait a moment.
    Move {
        /// The shard.
        #[arg(value_name = "SHARD")]
        shard: u16,
        /// The lane it is to run on, from 0.
        #[arg(long, value_name = "LANE")]
        to: usize,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// List the accounts that ask most of late, estimated from one request in sixteen.
    Hot {
        #[command(flatten)]
        server: ServerFlags,
    },
}

#[derive(Subcommand)]
enum SchemaCommand {
    /// Make the keyspace of [store.cql] and its tables, or bring them to this release's.
    ///
    /// Safe to run from many nodes at once, and again. The number of shards is that of [store.shards] when the data is new, and
    /// never changes.
    Apply {
        /// Settings file that names the cluster; the environment counts too.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum IndexCommand {
    /// Build indexes again from the journal.
    ///
    /// Of the shards that a node of a cluster has, while it serves; or, with --data, that of a data directory whose server is
    /// stopped.
    Rebuild {
        /// Only this shard.
        #[arg(long, value_name = "SHARD", conflicts_with = "data")]
        shard: Option<u16>,
        /// The running node's admin address; [admin.listen] without this.
        #[arg(long, value_name = "URL", conflicts_with = "data")]
        admin: Option<String>,
        /// Data directory.
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Settings file of the server that serves the directory: it says for how long keys are kept.
        #[arg(long, value_name = "FILE", requires = "data")]
        config: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum LimitsCommand {
    /// Show what requests cost and how many may be made: the node, the tiers, the classes with their operations, the surge.
    ///
    /// They change with `tollgate config reload`.
    Show {
        #[command(flatten)]
        server: ServerFlags,
    },
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Tell what a settings file would change against the running server, or against the built-in settings when none runs.
    ///
    /// Exits 0 if all of it can change at once, 1 if something needs a restart, 2 if the file is wrong.
    Check {
        /// The file; without it, what a reload would change.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        server: ServerFlags,
    },
    /// Let the running server read its settings again and change what can be changed, as SIGHUP does.
    ///
    /// A file with anything wrong in it changes nothing. Exit codes as for check.
    Reload {
        #[command(flatten)]
        server: ServerFlags,
    },
}

#[derive(Args)]
struct VerifyFlags {
    #[command(flatten)]
    place: PlaceFlags,
    /// Memory for what is kept of payments; with more payments than fit (6,000 a megabyte), the journal is read again.
    #[arg(long, value_name = "MB", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    memory_mb: u32,
    /// Report as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version were asked for and are data; the rest is wrong use, which clap words and sends to stderr.
            let wrong = error.use_stderr();
            let _ = error.print();
            return if wrong {
                Exit::WrongUse.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match dispatch(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.message.is_empty() {
                let _ = writeln!(std::io::stderr(), "tollgate: {failure}");
            }
            failure.exit.into()
        }
    }
}

fn dispatch(command: Command) -> Result<(), Failure> {
    #[cfg(feature = "breaks")]
    tollgate_breaks::asked().map_err(Failure::wrong_use)?;
    match command {
        Command::Serve(flags) => {
            let given = overrides(&flags);
            let config = Config::load(flags.config.as_deref(), &given)?;
            let level = crate::logs::start(&config.log)?;
            let sources = Sources {
                file: flags.config,
                flags: given,
            };
            node::serve(&config, flags.dev, sources, level)
        }
        Command::Demo { data, exit } => demo::run(data, exit),
        Command::Listen(flags) => listen::run(&flags),
        Command::Verify(flags) => verify::run(&flags.place.store()?, flags.memory_mb, flags.json),
        Command::Account { command } => cli_accounts::run(command),
        Command::Schema {
            command: SchemaCommand::Apply { config },
        } => schema::apply(&Config::load(config.as_deref(), &[])?.store),
        Command::Export { place, file } => carry_command::export(&place.place()?, &file),
        Command::Import { file, place } => carry_command::import(&file, &place.store()?),
        Command::Index {
            command:
                IndexCommand::Rebuild {
                    shard,
                    admin,
                    data,
                    config,
                },
        } => match data {
            Some(data) => index_command::rebuild_directory(&data, config.as_deref()),
            None => index_command::rebuild_served(admin.as_deref(), shard),
        },
        Command::Shard { command } => match command {
            ShardCommand::List { server, over } => shards::list(&server, over),
            ShardCommand::Move { shard, to, server } => shards::move_to(&server, shard, to),
            ShardCommand::Hot { server } => shards::hot(&server),
        },
        Command::Cluster {
            command: ClusterCommand::Status { server },
        } => cluster::status(&server),
        Command::Webhooks { command } => webhooks_command::run(command),
        Command::Limits {
            command: LimitsCommand::Show { server },
        } => limits::show(&server),
        Command::Config { command } => match command {
            None => print(DEFAULTS),
            Some(ConfigCommand::Check { file, server }) => {
                settings_command::check(file.as_deref(), server.admin.as_deref(), server.json)
            }
            Some(ConfigCommand::Reload { server }) => settings_command::reload(server.admin.as_deref(), server.json),
        },
        Command::Vault { command } => vault_command::run(&command),
        Command::Openapi => print(&tollgate_http::openapi_text(tollgate_domain::api::ENDPOINTS)),
    }
}

fn overrides(flags: &ServeFlags) -> Vec<Flag> {
    let data = flags.data.as_ref().map(|data| data.display().to_string());
    [
        ("store.data", &data),
        ("api.listen", &flags.listen),
        ("admin.listen", &flags.admin_listen),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value.clone()?)))
    .collect()
}

#[cfg(test)]
#[path = "cli_tests.rs"]
mod tests;
