//! Recorded profiles: a phase may name a file of rates, which is then read into the scenario itself.

use super::place::NUMBERS_MAX;
use std::path::Path;
use toml::{Table, Value};

/// Longest file of rates, in bytes.
const FILE_LEN_MAX: u64 = 16 * 1024 * 1024;

/// The text with the rates of every `file = "…"` in its phases written out, so that it stands alone. Paths are those
/// from the scenario file's `directory`. A text without such a phase stays as it is, comments and all.
pub(crate) fn inlined(text: &str, directory: &Path) -> Result<String, String> {
    // What is no TOML is told by whoever reads the scenario.
    let Ok(mut table) = text.parse::<Table>() else {
        return Ok(text.into());
    };
    let phases = table
        .get_mut("rate")
        .and_then(|rate| rate.get_mut("phase"))
        .and_then(Value::as_array_mut);
    let mut found = false;
    for phase in phases.into_iter().flatten().filter_map(Value::as_table_mut) {
        let Some(file) = phase.remove("file") else { continue };
        found = true;
        let Some(file) = file.as_str() else {
            return Err("[rate.phase]: file is a text: write it in quotes".into());
        };
        if phase.contains_key("rates") {
            return Err(format!("[rate.phase]: file {file:?} and rates exclude each other"));
        }
        let rates = rates(&directory.join(file)).map_err(|error| format!("[rate.phase]: file {file:?}: {error}"))?;
        phase.insert(
            "rates".into(),
            Value::Array(rates.into_iter().map(Value::Float).collect()),
        );
    }
    if !found {
        return Ok(text.into());
    }
    toml::to_string(&table).map_err(|error| error.to_string())
}

/// The rates of a file: one a line, behind the last comma; empty lines and those that begin with `#` do not count.
fn rates(path: &Path) -> Result<Vec<f64>, String> {
    let len = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if len > FILE_LEN_MAX {
        return Err(format!("longer than {FILE_LEN_MAX} bytes"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut rates = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let last = line.rsplit(',').next().unwrap_or(line).trim();
        match last.parse::<f64>() {
            Ok(rate) if rate.is_finite() && rate >= 0.0 => rates.push(rate),
            _ => return Err(format!("line {}: {last:?} is no rate", at + 1)),
        }
        if rates.len() > NUMBERS_MAX {
            return Err(format!("more than {NUMBERS_MAX} rates"));
        }
    }
    Ok(rates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    const HEAD: &str =
        "name = \"s\" # kept\n[[flow]]\nname = \"f\"\nsteps = [\"pay\"]\n[[rate.phase]]\nshape = \"profile\"\n";

    #[test]
    fn a_file_of_rates_becomes_part_of_the_scenario() {
        let directory = std::env::temp_dir().join(format!("tollgate-load-profile-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("day.csv"), "# second, rate\n0, 10\n\n1, 2.5\n30\n").unwrap();
        let text = inlined(&format!("{HEAD}file = \"day.csv\"\nstep_s = 2"), &directory).unwrap();
        let rate = Scenario::parse(&text).unwrap().rate;
        assert_eq!((rate.seconds(), rate.rate_at(3.0), rate.rate_at(5.0)), (6.0, 2.5, 30.0));
        std::fs::write(directory.join("day.csv"), "10\nten\n").unwrap();
        let error = inlined(&format!("{HEAD}file = \"day.csv\""), &directory).unwrap_err();
        assert!(error.contains("line 2: \"ten\" is no rate"), "{error}");
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(inlined(&format!("{HEAD}file = \"day.csv\""), &directory).is_err());
    }

    #[test]
    fn a_scenario_without_files_keeps_its_comments() {
        let text = format!("{HEAD}rates = [1]");
        assert_eq!(inlined(&text, Path::new("/")), Ok(text));
    }
}
