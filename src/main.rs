//! Tollgate: a payment processor in one binary that official Stripe SDKs talk to.
//!
//! Reading order: [`cli`] (what can be asked for), [`config`] (settings), [`node`] (how the rooms are wired together),
//! [`demo`] (one payment, shown).

mod accounts;
mod admin_client;
mod alarms;
mod carry_command;
mod cli;
mod cli_accounts;
mod cli_webhooks;
#[cfg(feature = "faults")]
mod clock_faults;
mod cluster;
mod config;
mod config_layers;
mod data;
mod deliveries;
mod demo;
mod descriptors;
mod exit;
mod index_command;
mod kept;
mod limits;
mod listen;
mod living;
mod logs;
mod membership;
mod metrics;
mod node;
mod output;
mod place;
mod public_url;
mod schema;
mod settings_command;
mod shards;
mod signals;
mod tuning;
mod uploads;
mod vault_command;
mod vault_keyspace;
mod verify;
mod webhook_urls;
mod webhooks_command;

use std::process::ExitCode;

// A payment makes and drops many small objects, on one thread and on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
