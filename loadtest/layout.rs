//! JSON as this tool writes it to files: objects over lines, arrays on one, so that columns and histograms stay readable
//! and a report of ten minutes stays below a few megabytes.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use std::io::{Result, Write};

/// The text of a value, with a line's end.
pub(crate) fn text(value: &Value) -> String {
    let mut out = Vec::new();
    let layout = Layout {
        pretty: PrettyFormatter::new(),
        arrays: 0,
    };
    value
        .serialize(&mut Serializer::with_formatter(&mut out, layout))
        .expect("a value of JSON can be written to memory");
    out.push(b'\n');
    String::from_utf8(out).expect("JSON is UTF-8")
}

struct Layout {
    pretty: PrettyFormatter<'static>,
    /// Arrays around the place where we are.
    arrays: usize,
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.arrays += 1;
        out.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.arrays -= 1;
        out.write_all(b"]")
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        match self.arrays {
            0 => self.pretty.begin_object(out),
            _ => out.write_all(b"{"),
        }
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        match self.arrays {
            0 => self.pretty.end_object(out),
            _ => out.write_all(b"}"),
        }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        match (self.arrays, first) {
            (0, _) => self.pretty.begin_object_key(out, first),
            (_, true) => Ok(()),
            (_, false) => out.write_all(b","),
        }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        out.write_all(if self.arrays == 0 { b": " } else { b":" })
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        match self.arrays {
            0 => self.pretty.end_object_value(out),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_take_lines_and_arrays_do_not() {
        let value = json!({"a": {"b": [[1, 2], [3, 4]], "c": {}}, "d": [{"e": "x", "f": []}, null]});
        let written = text(&value);
        assert_eq!(
            written,
            "{\n  \"a\": {\n    \"b\": [[1,2],[3,4]],\n    \"c\": {}\n  },\n  \"d\": [{\"e\":\"x\",\"f\":[]},null]\n}\n"
        );
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
    }
}
