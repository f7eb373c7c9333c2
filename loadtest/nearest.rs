//! Words that are not known, answered with the nearest one that is.

/// "unknown KIND "word"; did you mean …", with all known words where none is near.
pub(crate) fn unknown<'a>(kind: &str, word: &str, known: impl Iterator<Item = &'a str>) -> String {
    /// Least similarity (0 to 1) that makes a suggestion helpful rather than odd.
    const SIMILAR_MIN: f64 = 0.72;
    let known: Vec<&str> = known.collect();
    let best = known
        .iter()
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .max_by(|one, two| one.0.total_cmp(&two.0));
    match best {
        Some((similar, name)) if similar >= SIMILAR_MIN => {
            format!("unknown {kind} {word:?}; did you mean {name:?}?")
        }
        _ => format!("unknown {kind} {word:?}; there are {}", known.join(", ")),
    }
}
