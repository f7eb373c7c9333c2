//! A table of a scenario file: what is read is known, within bounds, and of its type, or the error names place and remedy.

use crate::nearest;
use toml::{Table, Value};

/// Most flows, cards, phases: a scenario is read by people.
const ENTRIES_MAX: usize = 200;
/// Most numbers of a list, such as the seconds of a profile.
pub(super) const NUMBERS_MAX: usize = 100_000;

/// A table of the file, and where it stands.
pub(super) struct Place<'a> {
    pub(super) table: std::borrow::Cow<'a, Table>,
    name: String,
}

impl<'a> Place<'a> {
    pub(super) fn top(table: &'a Table, known: &[&str]) -> Result<Place<'a>, String> {
        Place::checked(std::borrow::Cow::Borrowed(table), String::new(), known)
    }

    fn checked(table: std::borrow::Cow<'a, Table>, name: String, known: &[&str]) -> Result<Place<'a>, String> {
        let place = Place { table, name };
        match place.table.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(place.wrong(&nearest::unknown("key", key, known.iter().copied()))),
            None => Ok(place),
        }
    }

    pub(super) fn wrong(&self, what: &str) -> String {
        if self.name.is_empty() {
            what.to_string()
        } else {
            format!("[{}]: {what}", self.name)
        }
    }

    /// A table inside; empty where it is missing.
    pub(super) fn table(&self, key: &str, known: &[&str]) -> Result<Place<'_>, String> {
        match self.table.get(key) {
            None => Place::checked(std::borrow::Cow::Owned(Table::new()), key.into(), known),
            Some(Value::Table(table)) => Place::checked(std::borrow::Cow::Borrowed(table), key.into(), known),
            Some(_) => Err(format!("{key} is a table: write [{key}]")),
        }
    }

    /// The tables of an array of tables.
    pub(super) fn entries(&self, key: &str, known: &[&str]) -> Result<Vec<Place<'_>>, String> {
        let full = if self.name.is_empty() {
            key.to_string()
        } else {
            format!("{}.{key}", self.name)
        };
        let entries = match self.table.get(key) {
            None => return Ok(Vec::new()),
            Some(Value::Array(entries)) if entries.len() <= ENTRIES_MAX => entries,
            Some(Value::Array(_)) => return Err(format!("more than {ENTRIES_MAX} [[{full}]]")),
            Some(_) => return Err(format!("{full} is a list of tables: write [[{full}]]")),
        };
        entries
            .iter()
            .enumerate()
            .map(|(at, entry)| {
                let Value::Table(table) = entry else {
                    return Err(format!("{full} is a list of tables: write [[{full}]]"));
                };
                let name = match table.get("name").and_then(Value::as_str) {
                    Some(name) => format!("{full} {name:?}"),
                    None => format!("{full} number {}", at + 1),
                };
                Place::checked(std::borrow::Cow::Borrowed(table), name, known)
            })
            .collect()
    }

    pub(super) fn text(&self, key: &str, default: Option<&str>) -> Result<String, String> {
        match (self.table.get(key), default) {
            (Some(Value::String(text)), _) => Ok(text.clone()),
            (Some(_), _) => Err(self.wrong(&format!("{key} is a text: write it in quotes"))),
            (None, Some(default)) => Ok(default.into()),
            (None, None) => Err(self.wrong(&format!("{key} is missing"))),
        }
    }

    pub(super) fn number(&self, key: &str, default: Option<f64>, least: f64, most: f64) -> Result<f64, String> {
        let value = match self.table.get(key) {
            Some(Value::Integer(number)) => *number as f64,
            Some(Value::Float(number)) => *number,
            Some(_) => return Err(self.wrong(&format!("{key} is a number, without quotes"))),
            None => return default.ok_or_else(|| self.wrong(&format!("{key} is missing"))),
        };
        if (least..=most).contains(&value) {
            Ok(value)
        } else {
            Err(self.wrong(&format!("{key} = {value} is outside {least} to {most}")))
        }
    }

    /// A number that may be missing.
    pub(super) fn optional(&self, key: &str, least: f64, most: f64) -> Result<Option<f64>, String> {
        match self.table.contains_key(key) {
            true => self.number(key, None, least, most).map(Some),
            false => Ok(None),
        }
    }

    pub(super) fn truth(&self, key: &str, default: bool) -> Result<bool, String> {
        match self.table.get(key) {
            None => Ok(default),
            Some(Value::Boolean(truth)) => Ok(*truth),
            Some(_) => Err(self.wrong(&format!("{key} is true or false"))),
        }
    }

    pub(super) fn numbers(&self, key: &str, most: f64) -> Result<Vec<f64>, String> {
        let wrong = || {
            self.wrong(&format!(
                "{key} is a list of 1 to {NUMBERS_MAX} numbers from 0 to {most}"
            ))
        };
        let Some(Value::Array(values)) = self.table.get(key) else {
            return Err(wrong());
        };
        if values.is_empty() || values.len() > NUMBERS_MAX {
            return Err(wrong());
        }
        let number = |value: &Value| {
            value
                .as_float()
                .or_else(|| value.as_integer().map(|number| number as f64))
        };
        values
            .iter()
            .map(|value| {
                number(value)
                    .filter(|number| (0.0..=most).contains(number))
                    .ok_or_else(wrong)
            })
            .collect()
    }
}
