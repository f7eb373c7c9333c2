//! Examples that run: files of `docs/examples`, which the SDK suites execute against a server.

/// Something done with the API, in three ways.
pub(super) struct Example {
    /// Its anchor, and the name of its files.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) title: &'static str,
    /// In what, and how.
    pub(super) ways: [(&'static str, &'static str); 3],
}

macro_rules! example {
    ($name:literal, $title:literal) => {
        Example {
            name: $name,
            title: $title,
            ways: [
                ("curl", include_str!(concat!("../../../docs/examples/", $name, ".sh"))),
                ("Python", include_str!(concat!("../../../docs/examples/", $name, ".py"))),
                ("Node", include_str!(concat!("../../../docs/examples/", $name, ".mjs"))),
            ],
        }
    };
}

pub(super) const EXAMPLES: [Example; 4] = [
    example!("pay", "Take a payment and see what it brings"),
    example!("hold", "Hold an amount, capture a part of it, give some back"),
    example!("decline", "Learn why a card was declined"),
    example!("find", "Find customers and their payments"),
];
