//! The secret of an endpoint, in clear.

use std::fmt;
use zeroize::Zeroizing;

/// An endpoint's secret in clear, `whsec_…`. Cannot print; its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the secret's text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, to sign with or for the one answer that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret that deliveries are signed with.
#[derive(Clone, Debug)]
pub struct ActiveSecret {
    /// The secret.
    pub secret: Secret,
    /// Unix seconds from which on it is not used any more; `None` for the current one.
    pub until_s: Option<i64>,
}
