//! The settings of the running server: reading them again, changing what can be changed while it runs, and telling what a
//! file would change.

use crate::config::Config;
use crate::config_layers::{self, Flag, environment, layered_with, names_of, value_of, value_of_mut};
use crate::deliveries::Tunable;
use crate::index_command::Indexes;
use crate::logs::{self, Level};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;
use tollgate_actors::Engine;
use tollgate_http::{RateLimiter, Wish, Wished};
use toml::Table;

/// Settings that can be changed while the server runs. `config/default.toml` marks the same ones.
pub(crate) const LIVE: &[&str] = &[
    "store.cql.block_gap_ms",
    "store.cql.block_gap_records",
    "actors.lanes",
    "actors.turn_messages",
    "actors.block_records",
    "actors.block_bytes",
    "actors.block_gap_ms",
    "actors.permits_per_node",
    "actors.permits_per_shard",
    "actors.permits_per_account",
    "actors.key_wait_ms",
    "actors.objects_per_shard",
    "actors.keys_per_shard",
    "actors.accounts_per_shard",
    "limits.node_requests_per_s",
    "limits.node_burst",
    "limits.tier",
    "limits.account_requests_per_s",
    "limits.account_burst",
    "limits.tiers",
    "limits.accounts",
    "limits.classes",
    "limits.surge_max",
    "webhooks.endpoints_max",
    "webhooks.timeout_ms",
    "webhooks.retry_delays_s",
    "webhooks.log_successes_per_s",
    "log.level",
];

/// Where settings come from, to be read again.
pub(crate) struct Sources {
    /// The settings file.
    pub file: Option<PathBuf>,
    /// What was given on the command line.
    pub flags: Vec<Flag>,
}

/// Holds the settings of a running server.
pub(crate) struct Tuner {
    sources: Sources,
    /// The settings that hold: what was read at the start, with what was changed since.
    running: Table,
    engine: Engine,
    limiter: Arc<RateLimiter>,
    level: Level,
    deliveries: Tunable,
    /// Shards of the data, whatever the settings say.
    shards: u16,
    indexes: Indexes,
}

/// Settings that were read and found good.
struct Wanted {
    /// All of them.
    settings: Table,
    /// Those that would hold without a restart.
    merged: Table,
    /// The same, checked.
    config: Config,
}

impl Tuner {
    /// Holds the settings that the sources give now, which are those that everything here was started with.
    pub(crate) fn new(
        sources: Sources,
        level: Level,
        (engine, limiter, deliveries): (Engine, Arc<RateLimiter>, Tunable),
        (shards, indexes): (u16, Indexes),
    ) -> Result<Tuner, config_layers::ConfigError> {
        let running = config_layers::layered(sources.file.as_deref(), environment(), &sources.flags)?;
        Ok(Tuner {
            sources,
            running,
            engine,
            limiter,
            level,
            deliveries,
            shards,
            indexes,
        })
    }

    /// Fulfils wishes until nobody can have any.
    pub(crate) async fn run(mut self, mut wishes: mpsc::Receiver<Wished>) {
        while let Some((wish, answer)) = wishes.recv().await {
            let answered = match wish {
                Wish::Reload => self.reload().await,
                Wish::Check(text) => self.wanted(text).map(|wanted| told(&self.running, &wanted.settings)),
                Wish::Show => Ok(shown(&self.running)),
                Wish::Indexes => self.indexes.told(),
                Wish::RebuildIndexes(shard) => self.indexes.rebuild(shard),
            };
            // Whoever asked may have gone.
            let _ = answer.send(answered);
        }
    }

    /// Reads everything again and changes what can be changed. When anything is wrong nothing is changed.
    async fn reload(&mut self) -> Result<Value, String> {
        let wanted = self.wanted(None).inspect_err(|why| {
            tracing::error!(%why, "the settings were not reloaded; nothing was changed");
        })?;
        let told = told(&self.running, &wanted.settings);
        for change in changes(&self.running, &wanted.settings) {
            let (name, from, to) = (&change.name, &change.from, &change.to);
            match change.live {
                true => tracing::info!(%name, %from, %to, "setting changed"),
                false => tracing::warn!(%name, %from, %to, "setting needs a restart and was left as it is"),
            }
        }
        self.apply(wanted)
            .await
            .inspect_err(|why| tracing::error!(%why, "not all settings were changed"))?;
        Ok(told)
    }

    /// What the text of a settings file, or else the file of this server, asks for together with environment and flags.
    fn wanted(&self, text: Option<String>) -> Result<Wanted, String> {
        let (text, place) = match (text, &self.sources.file) {
            (Some(text), _) => (Some(text), "the file".to_owned()),
            (None, Some(path)) => {
                let text = config_layers::read(path).map_err(|why| why.to_string())?;
                (Some(text), path.display().to_string())
            }
            (None, None) => (None, String::new()),
        };
        let settings = layered_with(text.as_deref(), &place, environment(), &self.sources.flags);
        let settings = settings.map_err(|why| why.to_string())?;
        Config::of(settings.clone()).map_err(|why| why.to_string())?;
        let mut merged = self.running.clone();
        for name in LIVE {
            *value_of_mut(&mut merged, name) = value_of(&settings, name).clone();
        }
        // What holds together in the file may not with what stays as it is.
        let config = Config::of(merged.clone()).map_err(|why| format!("{why}, as long as the server runs"))?;
        logs::filter(&config.log.level)?;
        if config.actors.lanes > usize::from(self.shards) {
            return Err(format!(
                "actors.lanes = {}: the data has only {} shards",
                config.actors.lanes, self.shards
            ));
        }
        Ok(Wanted {
            settings,
            merged,
            config,
        })
    }

    async fn apply(&mut self, wanted: Wanted) -> Result<(), String> {
        let Wanted { merged, config, .. } = wanted;
        let lanes = self.running["actors"]["lanes"].clone();
        let webhooks = self.running["webhooks"].clone();
        self.running = merged;
        self.level.set(&config.log.level)?;
        let actors = &config.actors;
        self.engine.set_permits(
            actors.permits_per_node,
            actors.permits_per_shard,
            actors.permits_per_account,
        );
        self.limiter.set(config.limits.clone());
        self.engine
            .set_shard_settings(crate::node::shard_settings(&config))
            .await;
        let mut heard = Ok(());
        if self.running["webhooks"] != webhooks {
            heard = self.deliveries.set(&config.webhooks);
            if heard.is_err() {
                // So that the next reload changes it.
                self.running["webhooks"] = webhooks;
            }
        }
        // Last, because it is the only step that the machine can refuse.
        if let Err(why) = self.engine.set_lanes(config.actors.lanes).await {
            self.running["actors"]["lanes"] = lanes;
            return Err(format!(
                "actors.lanes = {}: {why}; everything else was changed",
                config.actors.lanes
            ));
        }
        heard
    }
}

/// Settings whose values nobody is told.
const SECRET: [&str; 1] = ["store.cql.password"];

/// A setting with two values.
pub(crate) struct Change {
    /// Its dotted name.
    pub name: String,
    /// As it is.
    pub from: toml::Value,
    /// As it would be.
    pub to: toml::Value,
    /// Whether it can be changed while the server runs.
    pub live: bool,
}

/// What differs, in the order of the names.
pub(crate) fn changes(from: &Table, to: &Table) -> Vec<Change> {
    let differing = |name: String| {
        let (from, to) = (value_of(from, &name), value_of(to, &name));
        (from != to).then(|| Change {
            live: LIVE.contains(&name.as_str()),
            from: from.clone(),
            to: to.clone(),
            name,
        })
    };
    names_of(from).into_iter().filter_map(differing).collect()
}

/// `{"changes": [{"name": …, "from": …, "to": …, "needs_restart": false}, …]}`.
pub(crate) fn told(from: &Table, to: &Table) -> Value {
    let changes: Vec<Value> = changes(from, to)
        .into_iter()
        .map(|change| {
            json!({
                "name": change.name, "from": as_json(&change.name, &change.from), "to": as_json(&change.name, &change.to),
                "needs_restart": !change.live,
            })
        })
        .collect();
    json!({ "changes": changes })
}

/// Every setting: `{"settings": [{"name": …, "value": …, "needs_restart": true}, …]}`.
fn shown(settings: &Table) -> Value {
    let all: Vec<Value> = names_of(settings)
        .iter()
        .map(|name| {
            let value = as_json(name, value_of(settings, name));
            json!({ "name": name, "value": value, "needs_restart": !LIVE.contains(&name.as_str()) })
        })
        .collect();
    json!({ "settings": all })
}

/// A value as it may be told: not what is secret in it.
fn as_json(name: &str, value: &toml::Value) -> Value {
    if SECRET.contains(&name) {
        let given = value.as_str().is_some_and(|text| !text.is_empty());
        return if given { "(set)" } else { "" }.into();
    }
    serde_json::to_value(value).expect("text, numbers and lists of them can be written")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_layers::{DEFAULTS, layered};

    #[test]
    fn the_manual_marks_what_can_be_changed_while_the_server_runs() {
        let mut section = String::new();
        let mut marked = Vec::new();
        let mut mark = false;
        for line in DEFAULTS.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                section = name.to_owned();
            } else if line.starts_with('#') {
                mark |= line.starts_with("# [live]");
            } else if let Some((key, _)) = line.split_once(" = ") {
                if mark {
                    marked.push(format!("{section}.{key}"));
                }
                mark = false;
            }
        }
        let mut live = LIVE.to_vec();
        live.sort_unstable();
        marked.sort();
        assert_eq!(marked, live);
    }

    #[test]
    fn a_password_is_changed_and_never_told() {
        let none = || std::iter::empty::<(String, String)>();
        let with = |word: &str| layered(None, none(), &[("store.cql.password", word.to_owned())]).unwrap();
        let told = told(&with("first"), &with("second")).to_string();
        assert!(told.contains("store.cql.password") && told.contains("(set)"), "{told}");
        assert!(!told.contains("first") && !told.contains("second"), "{told}");
        assert!(!shown(&with("third")).to_string().contains("third"));
    }

    #[test]
    fn changes_are_named_with_what_they_need() {
        let settings = |flags: &[Flag]| layered(None, std::iter::empty(), flags).expect("good settings");
        let flags = [("actors.lanes", "3".to_owned()), ("store.data", "elsewhere".to_owned())];
        let found = changes(&settings(&[]), &settings(&flags));
        let found: Vec<_> = found.iter().map(|change| (change.name.as_str(), change.live)).collect();
        assert_eq!(found, [("actors.lanes", true), ("store.data", false)]);
        assert!(changes(&settings(&flags), &settings(&flags)).is_empty());
    }
}
