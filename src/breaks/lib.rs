//! Deliberate breaks: single lines of the commit path that can be made wrong on request, so that it can be shown which
//! check sees it.
//!
//! At its place a break reads `if broken!(SkipSync) …`. Without the feature `on`, which only the root's feature `breaks`
//! turns on, that is the constant `false`, and neither names nor the variable are in the program. With it, the environment
//! variable `TOLLGATE_BREAK` chooses one break when the process first comes by one:
//!
//! ```text
//! TOLLGATE_BREAK=skip-sync tollgate serve --dev
//! ```
//! What there is stands in `table.rs`; which check catches what, in `tests/breaks` and docs/breaks.md.

#[cfg(feature = "on")]
mod table;

#[cfg(feature = "on")]
pub use table::{ALL, Break, Known};

/// Whether this break was asked for: always `false` in builds without breaks.
#[cfg(not(feature = "on"))]
#[macro_export]
macro_rules! broken {
    ($name:ident) => {
        false
    };
}

/// Whether this break was asked for.
#[cfg(feature = "on")]
#[macro_export]
macro_rules! broken {
    ($name:ident) => {
        $crate::is($crate::Break::$name)
    };
}

/// Where a break is asked for.
#[cfg(feature = "on")]
pub const VARIABLE: &str = "TOLLGATE_BREAK";

/// The break that the environment asks for; `None` if it asks for none.
///
/// # Errors
/// When it asks for one that there is not: what to write instead.
#[cfg(feature = "on")]
pub fn asked() -> Result<Option<Break>, String> {
    let name = std::env::var(VARIABLE).unwrap_or_default();
    if name.is_empty() {
        return Ok(None);
    }
    let known = ALL.iter().find(|known| known.name == name);
    known.map(|known| Some(known.of)).ok_or_else(|| {
        let names: Vec<&str> = ALL.iter().map(|known| known.name).collect();
        format!("{VARIABLE}: there is no break {name:?}; there are {}", names.join(", "))
    })
}

/// Whether this break was asked for. The environment is read once.
///
/// # Panics
/// When it asks for one that there is not.
#[cfg(feature = "on")]
pub fn is(this: Break) -> bool {
    static ASKED: std::sync::OnceLock<Option<Break>> = std::sync::OnceLock::new();
    *ASKED.get_or_init(|| asked().unwrap_or_else(|why| panic!("{why}"))) == Some(this)
}
