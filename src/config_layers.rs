//! How settings are put together: the built-in file, a file of the operator's, the environment, flags; each layer covers
//! the ones before it. The built-in file names every key there is, so it is also what unknown keys are checked against.

use std::path::{Path, PathBuf};
use thiserror::Error;
use toml::{Table, Value};

/// The settings that are compiled in, with the comments that explain them.
pub(crate) const DEFAULTS: &str = include_str!("../config/default.toml");

/// Start of the names of environment variables that are settings.
const ENVIRONMENT_PREFIX: &str = "TOLLGATE_";

/// Jaro-Winkler similarity from which a known key is worth offering.
const NEAR: f64 = 0.75;

/// Why settings were refused. The message says what to change.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum ConfigError {
    /// The file could not be read.
    #[error("cannot read the settings file {}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
    /// It is no TOML.
    #[error("{place} is not valid TOML: {why}")]
    Syntax {
        /// The file.
        place: String,
        /// The parser's words.
        why: String,
    },
    /// A key that does not exist.
    #[error("{place}: there is no setting {name}{}", hint(.nearest))]
    Unknown {
        /// Where it was given.
        place: String,
        /// The key as given.
        name: String,
        /// The nearest key there is.
        nearest: Option<String>,
    },
    /// A value of the wrong type.
    #[error("{place}: {name} must be {expected}, not {found}")]
    Type {
        /// Where it was given.
        place: String,
        /// The key.
        name: String,
        /// What it must be.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// A value that makes no sense, by itself or with others.
    #[error("{name} = {value}: {why}")]
    Value {
        /// The key.
        name: &'static str,
        /// Its value.
        value: String,
        /// Why not, and what would do.
        why: String,
    },
}

fn hint(nearest: &Option<String>) -> String {
    match nearest {
        Some(name) => format!("; did you mean {name}?"),
        None => "; `tollgate config` lists all settings".to_owned(),
    }
}

/// One setting given by a flag: dotted name and value.
pub(crate) type Flag = (&'static str, String);

/// The process's environment, as far as it is text.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
}

/// Puts the layers together. The result holds every key of the built-in file, each with the type it has there.
pub(crate) fn layered(
    file: Option<&Path>,
    environment: impl Iterator<Item = (String, String)>,
    flags: &[Flag],
) -> Result<Table, ConfigError> {
    let text = file.map(read).transpose()?;
    let place = file.map(|path| path.display().to_string()).unwrap_or_default();
    layered_with(text.as_deref(), &place, environment, flags)
}

/// The text of a settings file.
pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|why| ConfigError::Unreadable {
        path: path.into(),
        why: why.to_string(),
    })
}

/// As [`layered`], with the text of a settings file that goes by the name of `place`.
pub(crate) fn layered_with(
    text: Option<&str>,
    place: &str,
    environment: impl Iterator<Item = (String, String)>,
    flags: &[Flag],
) -> Result<Table, ConfigError> {
    let mut settings: Table = DEFAULTS.parse().expect("the built-in settings are valid TOML (tested)");
    if let Some(text) = text {
        cover_with_file(&mut settings, text, place)?;
    }
    cover_with_environment(&mut settings, environment)?;
    for (name, value) in flags {
        let path: Vec<&str> = name.split('.').collect();
        set_text(&mut settings, &path, value, "command line", name)?;
    }
    Ok(settings)
}

fn cover_with_file(settings: &mut Table, text: &str, place: &str) -> Result<(), ConfigError> {
    let given: Table = text.parse().map_err(|why: toml::de::Error| ConfigError::Syntax {
        place: place.to_owned(),
        why: why.to_string().trim_end().to_owned(),
    })?;
    let known = names_of(settings);
    cover(settings, given, "", place, &known)
}

fn cover(settings: &mut Table, given: Table, prefix: &str, place: &str, known: &[String]) -> Result<(), ConfigError> {
    for (key, value) in given {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        let Some(old) = settings.get_mut(&key) else {
            return Err(unknown(place, &name, known, |known| known.to_owned()));
        };
        match (old, value) {
            (Value::Table(old), Value::Table(given)) => cover(old, given, &name, place, known)?,
            (old, value) if old.same_type(&value) => *old = value,
            (old, value) => {
                let found = value.to_string();
                return Err(ConfigError::Type {
                    place: place.to_owned(),
                    name,
                    expected: type_name(old),
                    found,
                });
            }
        }
    }
    Ok(())
}

fn cover_with_environment(
    settings: &mut Table,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    let known = names_of(settings);
    let mut given: Vec<(String, String)> = environment
        .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX))
        .collect();
    // The order of the environment is arbitrary; a report should not be.
    given.sort();
    for (variable, value) in given {
        let rest = &variable[ENVIRONMENT_PREFIX.len()..];
        if !rest.contains("__") {
            // Others may use the prefix too (a cluster manager sets TOLLGATE_SERVICE_HOST for a service of that
            // name), so only a setting that lost an underscore is refused.
            if let Some(meant) = known
                .iter()
                .find(|known| known.replace('.', "_").eq_ignore_ascii_case(rest))
            {
                let nearest = Some(variable_of(meant));
                return Err(ConfigError::Unknown {
                    place: "environment".into(),
                    name: variable,
                    nearest,
                });
            }
            continue;
        }
        let name = rest.replace("__", ".").to_ascii_lowercase();
        let path: Vec<&str> = name.split('.').collect();
        if !known.contains(&name) {
            let mut refusal = unknown("environment", &name, &known, variable_of);
            if let ConfigError::Unknown { name, .. } = &mut refusal {
                *name = variable;
            }
            return Err(refusal);
        }
        set_text(settings, &path, &value, "environment", &variable)?;
    }
    Ok(())
}

/// Sets a known key from text, read as the type it has.
fn set_text(settings: &mut Table, path: &[&str], text: &str, place: &str, name: &str) -> Result<(), ConfigError> {
    let (key, parents) = path.split_last().expect("a name has at least one part");
    let mut table = settings;
    for parent in parents {
        table = table
            .get_mut(*parent)
            .and_then(Value::as_table_mut)
            .expect("the caller checked that the key exists");
    }
    let slot = table.get_mut(*key).expect("the caller checked that the key exists");
    let value = match slot {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    };
    match value {
        Some(value) => {
            *slot = value;
            Ok(())
        }
        None => Err(ConfigError::Type {
            place: place.to_owned(),
            name: name.to_owned(),
            expected: type_name(slot),
            found: format!("{text:?}"),
        }),
    }
}

/// The value of a key by its dotted name, in settings that hold every key.
pub(crate) fn value_of<'s>(settings: &'s Table, name: &str) -> &'s Value {
    let (section, key) = name.split_once('.').expect("a name has a section and a key");
    let section = &settings[section];
    // A section may hold one of its own.
    key.split('.').fold(section, |value, key| &value[key])
}

/// The same value, to be changed.
pub(crate) fn value_of_mut<'s>(settings: &'s mut Table, name: &str) -> &'s mut Value {
    let (section, key) = name.split_once('.').expect("a name has a section and a key");
    let section = &mut settings[section];
    key.split('.').fold(section, |value, key| &mut value[key])
}

/// Dotted names of every key, in the order of the file's tables.
pub(crate) fn names_of(settings: &Table) -> Vec<String> {
    fn collect(table: &Table, prefix: &str, out: &mut Vec<String>) {
        for (key, value) in table {
            let name = if prefix.is_empty() {
                key.clone()
            } else {
                format!("{prefix}.{key}")
            };
            match value {
                Value::Table(inner) => collect(inner, &name, out),
                _ => out.push(name),
            }
        }
    }
    let mut out = Vec::new();
    collect(settings, "", &mut out);
    out
}

fn unknown(place: &str, name: &str, known: &[String], spell: impl Fn(&str) -> String) -> ConfigError {
    let near = |known: &String| strsim::jaro_winkler(known, name);
    let nearest = known
        .iter()
        .max_by(|a, b| near(a).total_cmp(&near(b)))
        .filter(|known| near(known) >= NEAR)
        .map(|known| spell(known));
    ConfigError::Unknown {
        place: place.to_owned(),
        name: name.to_owned(),
        nearest,
    }
}

fn variable_of(name: &str) -> String {
    format!("{ENVIRONMENT_PREFIX}{}", name.replace('.', "__").to_ascii_uppercase())
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "text",
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "a list",
        Value::Table(_) => "a section",
        Value::Float(_) => "a number",
        Value::Datetime(_) => "a time",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn refusal(result: Result<(), ConfigError>) -> String {
        result.expect_err("must be refused").to_string()
    }

    #[test]
    fn flag_covers_environment_covers_file_covers_default() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("settings.toml");
        std::fs::write(
            &file,
            "[api]\nlisten = \"file:1\"\nworkers = 3\nline_bytes_max = 9000\n",
        )
        .unwrap();
        let flags = [("api.listen", "flag:1".to_owned())];
        let variables = environment(&[("TOLLGATE_API__LISTEN", "env:1"), ("TOLLGATE_API__WORKERS", "4")]);
        let settings = layered(Some(&file), variables, &flags).unwrap();
        let api = settings["api"].as_table().unwrap();
        assert_eq!(api["listen"].as_str(), Some("flag:1"));
        assert_eq!(api["workers"].as_integer(), Some(4));
        assert_eq!(api["line_bytes_max"].as_integer(), Some(9000));
        assert_eq!(api["keep_alive_s"].as_integer(), Some(75));
    }

    #[test]
    fn unknown_keys_are_refused_with_the_nearest_known_name() {
        let mut settings: Table = DEFAULTS.parse().unwrap();
        assert_eq!(
            refusal(cover_with_file(&mut settings, "[api]\nlistn = \"x\"\n", "t.toml")),
            "t.toml: there is no setting api.listn; did you mean api.listen?"
        );
        assert_eq!(
            refusal(cover_with_file(&mut settings, "[apis]\nlisten = \"x\"\n", "t.toml")),
            "t.toml: there is no setting apis; did you mean api.listen?"
        );
        assert_eq!(
            refusal(cover_with_environment(
                &mut settings,
                environment(&[("TOLLGATE_STORE__DATE", "x")])
            )),
            "environment: there is no setting TOLLGATE_STORE__DATE; did you mean TOLLGATE_STORE__DATA?"
        );
    }

    #[test]
    fn variable_that_lost_an_underscore_is_refused_and_foreign_ones_are_left_alone() {
        let mut settings: Table = DEFAULTS.parse().unwrap();
        assert_eq!(
            refusal(cover_with_environment(
                &mut settings,
                environment(&[("TOLLGATE_API_LISTEN", "x")])
            )),
            "environment: there is no setting TOLLGATE_API_LISTEN; did you mean TOLLGATE_API__LISTEN?"
        );
        cover_with_environment(&mut settings, environment(&[("TOLLGATE_SERVICE_HOST", "10.0.0.1")])).unwrap();
    }

    #[test]
    fn values_of_the_wrong_type_are_refused_by_name() {
        let mut settings: Table = DEFAULTS.parse().unwrap();
        assert_eq!(
            refusal(cover_with_environment(
                &mut settings,
                environment(&[("TOLLGATE_API__WORKERS", "two")])
            )),
            "environment: TOLLGATE_API__WORKERS must be a whole number, not \"two\""
        );
        assert_eq!(
            refusal(cover_with_file(&mut settings, "[api]\nworkers = \"two\"\n", "t.toml")),
            "t.toml: api.workers must be a whole number, not \"two\""
        );
    }
}
