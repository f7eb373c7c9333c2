//! Answers read by the names of their columns: servers differ in which of them they send.

use crate::failure::failed;
use scylla::response::query_result::QueryResult;
use scylla::value::{CqlValue, Row};
use tollgate_store::StoreError;

/// The rows of an answer.
pub(crate) struct Answer {
    names: Vec<String>,
    rows: Vec<Row>,
}

impl Answer {
    pub(crate) fn of(result: QueryResult) -> Result<Answer, StoreError> {
        let unreadable = |error: &dyn std::fmt::Display| failed("an answer cannot be read", error);
        let result = result.into_rows_result().map_err(|error| unreadable(&error))?;
        let names = result
            .column_specs()
            .iter()
            .map(|spec| spec.name().to_owned())
            .collect();
        let rows = result.rows::<Row>().map_err(|error| unreadable(&error))?;
        let rows = rows.collect::<Result<_, _>>().map_err(|error| unreadable(&error))?;
        Ok(Answer { names, rows })
    }

    /// The first row; `None` where there is none.
    pub(crate) fn first(self) -> Option<Fields> {
        self.each().next()
    }

    /// Every row.
    pub(crate) fn each(self) -> impl Iterator<Item = Fields> {
        let names: std::sync::Arc<[String]> = self.names.into();
        self.rows.into_iter().map(move |row| Fields {
            names: std::sync::Arc::clone(&names),
            row,
        })
    }

    /// What a conditional write came to: whether it was applied, and what it found instead.
    pub(crate) fn condition(self) -> Result<Condition, StoreError> {
        let found = self
            .first()
            .ok_or_else(|| failed("a conditional write", &"the answer has no row"))?;
        match found.value("[applied]") {
            Some(CqlValue::Boolean(true)) => Ok(Condition::Applied),
            Some(CqlValue::Boolean(false)) => Ok(Condition::Refused(found)),
            _ => Err(failed(
                "a conditional write",
                &"the answer does not say whether it was applied",
            )),
        }
    }
}

/// What a conditional write came to.
pub(crate) enum Condition {
    Applied,
    /// With what was found in its place.
    Refused(Fields),
}

/// A row.
pub(crate) struct Fields {
    names: std::sync::Arc<[String]>,
    row: Row,
}

impl Fields {
    fn value(&self, name: &str) -> Option<&CqlValue> {
        let at = self.names.iter().position(|known| known == name)?;
        self.row.columns.get(at)?.as_ref()
    }

    /// A number; `None` where it is null or was not sent.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            CqlValue::BigInt(value) => Some(*value),
            CqlValue::Int(value) => Some(i64::from(*value)),
            _ => None,
        }
    }

    /// A number that cannot be negative.
    pub(crate) fn unsigned(&self, name: &str) -> Option<u64> {
        self.number(name).and_then(|value| u64::try_from(value).ok())
    }

    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        match self.value(name)? {
            CqlValue::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    pub(crate) fn boolean(&self, name: &str) -> Option<bool> {
        self.value(name)?.as_boolean()
    }

    /// An entry of a map from text to text.
    pub(crate) fn entry(&self, name: &str, key: &str) -> Option<&str> {
        let CqlValue::Map(entries) = self.value(name)? else {
            return None;
        };
        let found = entries
            .iter()
            .find(|(known, _)| known.as_text().is_some_and(|known| known == key));
        found.and_then(|(_, value)| value.as_text()).map(String::as_str)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.value(name)? {
            CqlValue::Text(text) | CqlValue::Ascii(text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
impl Answer {
    /// As a server gives it.
    pub(crate) fn made(names: Vec<String>, rows: Vec<Row>) -> Answer {
        Answer { names, rows }
    }
}
