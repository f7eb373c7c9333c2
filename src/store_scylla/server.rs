//! Which server this is. Only ScyllaDB has tablets, and before 2025.4 it refuses conditional writes on them.

use crate::answer::Answer;
use crate::failure::{failed, is_permanent};
use crate::link::Link;
use tollgate_store::StoreError;

/// What the server is, as far as it matters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Server {
    /// Apache Cassandra, or what behaves like it.
    Cassandra,
    /// ScyllaDB.
    Scylla(Version),
}

/// A version of ScyllaDB: `2025.4.1`, or `6.2.0` of the older count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Version {
    text: String,
    /// Its first two numbers.
    number: (u32, u32),
}

/// What a version makes of tablets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tablets {
    /// It does not know them.
    Unknown,
    /// Conditional writes are refused on them.
    Refused,
    /// Conditional writes work on them.
    Fine,
}

impl Server {
    pub(crate) async fn of(link: &Link) -> Result<Server, StoreError> {
        // A table that only ScyllaDB has.
        let text = "SELECT version FROM system.versions WHERE key = 'local'";
        let found = match link.session.query_unpaged(text, ()).await {
            Ok(found) => found,
            Err(error) if is_permanent(&error) => return Ok(Server::Cassandra),
            Err(error) => return Err(failed("the version of the server", &error)),
        };
        let version = Answer::of(found)?.first();
        let version = version.as_ref().and_then(|row| row.text("version")).unwrap_or_default();
        let read = Version::read(version);
        Ok(Server::Scylla(read.ok_or_else(|| {
            failed(
                "the version of the server",
                &format!("ScyllaDB says {version:?}, which is no version"),
            )
        })?))
    }

    /// What to add where a keyspace is made, so that conditional writes work in it.
    pub(crate) fn keyspace_options(&self) -> &'static str {
        match self {
            Server::Scylla(version) if version.tablets() == Tablets::Refused => " AND tablets = {'enabled': false}",
            Server::Scylla(_) | Server::Cassandra => "",
        }
    }

    /// Refuses a keyspace on tablets where the server refuses conditional writes on them.
    pub(crate) async fn check_keyspace(&self, link: &Link) -> Result<(), StoreError> {
        let Server::Scylla(version) = self else { return Ok(()) };
        if version.tablets() != Tablets::Refused {
            return Ok(());
        }
        let text = "SELECT initial_tablets FROM system_schema.scylla_keyspaces WHERE keyspace_name = ?";
        let keyspace = &link.settings.keyspace;
        let found = link.session.query_unpaged(text, (keyspace,)).await;
        let found = found.map_err(|error| failed("whether the keyspace is on tablets cannot be read", &error))?;
        let row = Answer::of(found)?.first();
        if row.and_then(|row| row.number("initial_tablets")).is_none() {
            return Ok(());
        }
        Err(StoreError::Io {
            place: format!("keyspace {keyspace}"),
            what: format!(
                "it is on tablets, and ScyllaDB {} refuses conditional writes there: upgrade to 2025.4, or make the keyspace \
                 with tablets = {{'enabled': false}}",
                version.text
            ),
        })
    }
}

impl Version {
    fn read(text: &str) -> Option<Version> {
        let mut numbers = text.split(['.', '-', '~']).map(|number| number.parse().ok());
        Some(Version {
            number: (numbers.next()??, numbers.next()??),
            text: text.to_owned(),
        })
    }

    fn tablets(&self) -> Tablets {
        match self.number {
            // Counted by years from 2019 on; 2024.2 and 6.0 brought tablets.
            (2019.., _) if self.number >= (2025, 4) => Tablets::Fine,
            (2019.., _) if self.number >= (2024, 2) => Tablets::Refused,
            (2019.., _) => Tablets::Unknown,
            (6.., _) => Tablets::Refused,
            _ => Tablets::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tablets_are_turned_off_where_conditional_writes_are_refused_on_them() {
        let table = [
            ("5.4.9", Tablets::Unknown),
            ("6.0.0", Tablets::Refused),
            ("6.2.3-0.20250119.bae1aa4ff8e5", Tablets::Refused),
            ("2023.1.11", Tablets::Unknown),
            ("2024.1.2", Tablets::Unknown),
            ("2024.2.0~rc1", Tablets::Refused),
            ("2025.3.4", Tablets::Refused),
            ("2025.4.0", Tablets::Fine),
            ("2026.1.0", Tablets::Fine),
        ];
        for (text, tablets) in table {
            let version = Version::read(text).expect("a version");
            assert_eq!(version.tablets(), tablets, "{text}");
            let off = Server::Scylla(version).keyspace_options().contains("'enabled': false");
            assert_eq!(off, tablets == Tablets::Refused, "{text}");
        }
        assert_eq!(Version::read("unknown"), None);
        assert_eq!(Server::Cassandra.keyspace_options(), "");
    }
}
