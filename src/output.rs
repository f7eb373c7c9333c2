//! Data goes to standard output, everything else to standard error.

use crate::exit::Failure;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write;

/// Writes data to standard output. A reader that has seen enough (`tollgate config | head`) is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(Failure::environment(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Prints an answer as JSON, or as `text` says it.
pub(crate) fn print_value(as_json: bool, value: &Value, text: impl FnOnce(&Value) -> String) -> Result<(), Failure> {
    if as_json {
        let text = serde_json::to_string_pretty(value).expect("a value of text and numbers can be written");
        return print(&format!("{text}\n"));
    }
    print(&text(value))
}

/// A list of an answer.
pub(crate) fn rows<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// A word of an answer.
pub(crate) fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or("-")
}

/// Rows under their column names, left-aligned.
pub(crate) fn table(rows: &[Value], columns: &[&str]) -> String {
    let cell = |row: &Value, column: &str| match &row[column] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|column| (*column).to_owned()).collect()];
    lines.extend(
        rows.iter()
            .map(|row| columns.iter().map(|column| cell(row, column)).collect()),
    );
    let width = |at: usize| lines.iter().map(|line| line[at].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        let _ = writeln!(out, "{}", cells.join("  ").trim_end());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tables_align_and_show_absence() {
        let rows = [json!({"a": "long text", "b": null}), json!({"a": 1, "b": true})];
        assert_eq!(
            table(&rows, &["a", "b"]),
            "a          b\nlong text  -\n1          true\n"
        );
    }
}
