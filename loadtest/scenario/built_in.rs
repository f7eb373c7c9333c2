//! The scenarios that are compiled in.

/// Name and text of each, in the order of `list`.
pub(crate) const BUILT_IN: [(&str, &str); 8] = [
    ("black-friday", include_str!("../scenarios/black-friday.toml")),
    ("checkout", include_str!("../scenarios/checkout.toml")),
    ("payments-open", include_str!("../scenarios/payments-open.toml")),
    ("hot-merchant", include_str!("../scenarios/hot-merchant.toml")),
    ("remote-network", include_str!("../scenarios/remote-network.toml")),
    ("overload", include_str!("../scenarios/overload.toml")),
    ("slow-clients", include_str!("../scenarios/slow-clients.toml")),
    ("spike", include_str!("../scenarios/spike.toml")),
];

/// The text of a built-in scenario.
pub(crate) fn text_of(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|known| known.0 == name).map(|known| known.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    #[test]
    fn every_built_in_scenario_is_sound_and_named_as_its_file() {
        for (name, text) in BUILT_IN {
            let scenario = Scenario::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(scenario.name, name);
            assert!(!scenario.about.is_empty(), "{name}");
        }
    }

    #[test]
    fn black_friday_is_the_peak_that_it_says() {
        let scenario = Scenario::parse(text_of("black-friday").unwrap()).unwrap();
        let peak = scenario.rate.rate_at(scenario.rate.seconds() / 2.0);
        assert!((peak - 70_000.0).abs() < 1.0, "{peak} requests/s");
        let payments = peak * scenario.payment_share();
        assert!((payments - 4_667.0).abs() < 5.0, "{payments} payments/s");
        // Weights are starts per second at full scale, so they must come to the peak by themselves.
        let weights: f64 = scenario.flows.iter().map(|flow| flow.weight).sum();
        let requests = weights * scenario.requests_per_start();
        assert!((requests - 70_000.0).abs() < 70.0, "{requests} requests/s by weights");
    }
}
