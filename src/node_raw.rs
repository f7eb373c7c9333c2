//! `[node]` as it is written, and what it has to be.

use super::Node;
use super::raw::{address, millis, number, refused};
use crate::config_layers::ConfigError;
use serde::Deserialize;
use tollgate_cluster::Pace;
use tollgate_http::NodeBounds;

/// Longest name of a node.
const NODE_ID_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNode {
    id: String,
    listen: String,
    advertise: String,
    beat_ms: i64,
    suspect_ms: i64,
    steady_ms: i64,
    connections_max: i64,
    in_flight_max: i64,
    waiting_max: i64,
    move_patience_ms: i64,
    answer_timeout_ms: i64,
    connect_timeout_ms: i64,
}

impl RawNode {
    pub(super) fn checked(self) -> Result<Node, ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if self.id.len() > NODE_ID_MAX || !self.id.bytes().all(plain) {
            let why = "letters, digits, '-', '_' and '.', at most 64 of them";
            return Err(refused("node.id", &self.id, why));
        }
        let listen = address("node.listen", &self.listen)?;
        let advertise = match &self.advertise[..] {
            "" => None,
            given => Some(address("node.advertise", given)?),
        };
        if advertise.is_some_and(|given| given.port() == 0 || given.ip().is_unspecified()) {
            let why = "must be an address and a port that other nodes can connect to";
            return Err(refused("node.advertise", &self.advertise, why));
        }
        let pace = Pace {
            beat: millis("node.beat_ms", self.beat_ms, 50, 60_000)?,
            suspect: millis("node.suspect_ms", self.suspect_ms, 200, 600_000)?,
            steady: millis("node.steady_ms", self.steady_ms, 0, 600_000)?,
        };
        if pace.suspect < pace.beat * 3 {
            let why = "must be at least three times node.beat_ms, or a word that comes late counts as a death";
            return Err(refused("node.suspect_ms", self.suspect_ms, why));
        }
        Ok(Node {
            bounds: self.bounds()?,
            id: self.id,
            listen,
            advertise,
            pace,
        })
    }

    fn bounds(&self) -> Result<NodeBounds, ConfigError> {
        let bounds = NodeBounds {
            connections_max: number("node.connections_max", self.connections_max, 16, 1 << 20)?,
            in_flight_max: number("node.in_flight_max", self.in_flight_max, 1, 1 << 16)?,
            waiting_max: number("node.waiting_max", self.waiting_max, 1, 1 << 16)?,
            move_patience: millis("node.move_patience_ms", self.move_patience_ms, 0, 60_000)?,
            answer_timeout: millis("node.answer_timeout_ms", self.answer_timeout_ms, 100, 600_000)?,
            connect_timeout: millis("node.connect_timeout_ms", self.connect_timeout_ms, 10, 60_000)?,
        };
        if bounds.connections_max < bounds.in_flight_max {
            let why = format!(
                "must be at least node.in_flight_max ({}), which one other node may have under way here",
                bounds.in_flight_max
            );
            return Err(refused("node.connections_max", bounds.connections_max, &why));
        }
        let longest = self.answer_timeout_ms;
        for (name, value) in [
            ("node.move_patience_ms", self.move_patience_ms),
            ("node.connect_timeout_ms", self.connect_timeout_ms),
        ] {
            if value >= longest {
                let why = format!("must be below node.answer_timeout_ms ({longest}), which bounds all of it");
                return Err(refused(name, value, &why));
            }
        }
        Ok(bounds)
    }
}
