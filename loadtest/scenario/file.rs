//! The TOML of a scenario: known keys, defaults, bounds, and an error for everything else.

use super::place::Place;
use super::{Card, CardOutcome, Client, Merchants, Period, Scenario, Slo, SlowClients, Verify};
use crate::flow::{Flow, Step};
use crate::nearest;
use crate::schedule::{Arrivals, Segment, Shape};
use toml::{Table, Value};

/// Longest schedule, in seconds: a week.
const SECONDS_MAX: f64 = 7.0 * 24.0 * 3600.0;
/// Highest rate, in requests per second.
const RATE_MAX: f64 = 10_000_000.0;
/// Most steps a stair has.
const STAIR_MAX: usize = 10_000;

pub(super) fn read(text: &str) -> Result<Scenario, String> {
    let table: Table = text.parse().map_err(|error| format!("no TOML: {error}"))?;
    let place = Place::top(
        &table,
        &[
            "name",
            "about",
            "rate",
            "flow",
            "merchants",
            "card",
            "client",
            "slow_clients",
            "slo",
            "verify",
        ],
    )?;
    let rate = place.table("rate", &["arrivals", "warmup_s", "phase"])?;
    let scenario = Scenario {
        name: place.text("name", None)?,
        about: place.text("about", Some(""))?,
        flows: place
            .entries("flow", &["name", "weight", "steps"])?
            .iter()
            .map(flow)
            .collect::<Result<_, _>>()?,
        arrivals: match rate.text("arrivals", Some("poisson"))?.as_str() {
            "poisson" => Arrivals::Poisson,
            "uniform" => Arrivals::Uniform,
            other => return Err(rate.wrong(&nearest::unknown("arrivals", other, ["poisson", "uniform"].into_iter()))),
        },
        warmup_s: rate.number("warmup_s", Some(0.0), 0.0, SECONDS_MAX)?,
        rate: shape(&rate)?,
        merchants: merchants(&place)?,
        cards: cards(&place)?,
        client: client(&place)?,
        slow_clients: slow_clients(&place)?,
        slo: slo(&place)?,
        verify: verify(&place)?,
        text: text.into(),
    };
    if scenario.flows.is_empty() {
        return Err("no [[flow]]: say what is to be sent".into());
    }
    if scenario.flows.iter().all(|flow| flow.weight == 0.0) {
        return Err("every [[flow]] has weight 0: give one a weight".into());
    }
    if scenario.warmup_s >= scenario.rate.seconds() {
        return Err(rate.wrong("warmup_s leaves nothing to measure: make it shorter than the phases"));
    }
    if let Some(period) = scenario
        .slo
        .periods
        .iter()
        .find(|period| period.to_s > scenario.rate.seconds())
    {
        return Err(format!("[slo.period {:?}]: to_s is behind the last phase", period.name));
    }
    Ok(scenario)
}

fn flow(place: &Place<'_>) -> Result<Flow, String> {
    let steps = match place.table.get("steps") {
        Some(Value::Array(steps)) => steps,
        _ => return Err(place.wrong("steps is missing: write steps = [\"pay\", \"think 1-2\", \"retrieve\"]")),
    };
    let steps = steps
        .iter()
        .map(|step| {
            let text = step
                .as_str()
                .ok_or_else(|| place.wrong("a step is a text, such as \"pay\""))?;
            Step::parse(text).map_err(|error| place.wrong(&error))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let flow = Flow {
        name: place.text("name", None)?,
        weight: place.number("weight", Some(1.0), 0.0, 1e9)?,
        steps,
    };
    flow.check().map_err(|error| place.wrong(&error))?;
    Ok(flow)
}

fn shape(rate: &Place<'_>) -> Result<Shape, String> {
    const KEYS: &[&str] = &[
        "shape",
        "rate",
        "from",
        "to",
        "seconds",
        "steps",
        "factor",
        "at_s",
        "length_s",
        "amplitude",
        "period_s",
        "rates",
        "step_s",
    ];
    let mut segments = Vec::new();
    for phase in rate.entries("phase", KEYS)? {
        let of = |name: &str| phase.number(name, None, 0.0, RATE_MAX);
        let flat = |rate: f64, seconds: f64| Segment::Linear {
            from: rate,
            to: rate,
            seconds,
        };
        let seconds = || phase.number("seconds", None, 0.001, SECONDS_MAX);
        let used: &[&str] = match phase.text("shape", Some("steady"))?.as_str() {
            "steady" => {
                segments.push(flat(of("rate")?, seconds()?));
                &["rate", "seconds"]
            }
            "ramp" => {
                segments.push(Segment::Linear {
                    from: of("from")?,
                    to: of("to")?,
                    seconds: seconds()?,
                });
                &["from", "to", "seconds"]
            }
            "step" => {
                let (from, to, length) = (of("from")?, of("to")?, seconds()?);
                let steps = phase.number("steps", None, 2.0, STAIR_MAX as f64)? as usize;
                segments.extend((0..steps).map(|at| {
                    let rate = from + (to - from) * at as f64 / (steps - 1) as f64;
                    flat(rate, length / steps as f64)
                }));
                &["from", "to", "seconds", "steps"]
            }
            "spike" => {
                let (base, length) = (of("rate")?, seconds()?);
                let factor = phase.number("factor", None, 0.0, 10_000.0)?;
                let (at, spike) = (
                    phase.number("at_s", None, 0.0, length)?,
                    phase.number("length_s", None, 0.001, length)?,
                );
                if at + spike > length {
                    return Err(phase.wrong("the spike ends behind its phase: lower at_s or length_s"));
                }
                let parts = [(base, at), (base * factor, spike), (base, length - at - spike)];
                segments.extend(
                    parts
                        .into_iter()
                        .filter(|part| part.1 > 0.0)
                        .map(|part| flat(part.0, part.1)),
                );
                &["rate", "seconds", "factor", "at_s", "length_s"]
            }
            "sine" => {
                let (mean, amplitude) = (of("rate")?, of("amplitude")?);
                if amplitude > mean {
                    return Err(phase.wrong("amplitude is more than rate: the rate would be below 0"));
                }
                segments.push(Segment::Sine {
                    mean,
                    amplitude,
                    period_s: phase.number("period_s", None, 0.01, SECONDS_MAX)?,
                    seconds: seconds()?,
                });
                &["rate", "amplitude", "period_s", "seconds"]
            }
            "profile" => {
                let rates = phase.numbers("rates", RATE_MAX)?;
                let step_s = phase.number("step_s", Some(1.0), 0.001, SECONDS_MAX)?;
                segments.extend(rates.into_iter().map(|rate| flat(rate, step_s)));
                &["rates", "step_s"]
            }
            other => {
                let known = ["steady", "ramp", "step", "spike", "sine", "profile"];
                return Err(phase.wrong(&nearest::unknown("shape", other, known.into_iter())));
            }
        };
        if let Some(idle) = phase
            .table
            .keys()
            .find(|key| *key != "shape" && !used.contains(&key.as_str()))
        {
            return Err(phase.wrong(&format!(
                "{idle} has no meaning for this shape, which takes {}",
                used.join(", ")
            )));
        }
    }
    if segments.is_empty() {
        return Err("no [[rate.phase]]: say how many requests are due per second, and for how long".into());
    }
    let shape = Shape::new(segments);
    if shape.seconds() > SECONDS_MAX {
        return Err(rate.wrong("the phases are longer than a week"));
    }
    Ok(shape)
}

fn merchants(place: &Place<'_>) -> Result<Merchants, String> {
    let place = place.table(
        "merchants",
        &["count", "zipf", "hot_share", "key_prefix", "payments_before"],
    )?;
    let key_prefix = place.text("key_prefix", Some("sk_test_load"))?;
    if !key_prefix
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        return Err(place.wrong("key_prefix is letters, digits and underscores"));
    }
    Ok(Merchants {
        count: place.number("count", Some(1.0), 1.0, 1_000_000.0)? as u32,
        zipf: place.number("zipf", Some(0.0), 0.0, 10.0)?,
        hot_share: place.number("hot_share", Some(0.0), 0.0, 1.0)?,
        key_prefix,
        payments_before: place.number("payments_before", Some(1_000.0), 0.0, 1_000_000.0)? as u32,
    })
}

fn cards(place: &Place<'_>) -> Result<Vec<Card>, String> {
    let mut cards = Vec::new();
    for place in place.entries("card", &["name", "weight", "outcome"])? {
        let name = place.text("name", None)?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(place.wrong("name is the name of a test payment method, such as pm_card_visa"));
        }
        cards.push(Card {
            name,
            weight: place.number("weight", Some(1.0), 0.0, 1e9)?,
            outcome: match place.text("outcome", Some("succeeds"))?.as_str() {
                "succeeds" => CardOutcome::Succeeds,
                "declined" => CardOutcome::Declined,
                "processing" => CardOutcome::Processing,
                "authenticates" => CardOutcome::Authenticates,
                other => {
                    let known = ["succeeds", "declined", "processing", "authenticates"];
                    return Err(place.wrong(&nearest::unknown("outcome", other, known.into_iter())));
                }
            },
        });
    }
    if cards.is_empty() {
        cards.push(Card {
            name: "pm_card_visa".into(),
            weight: 1.0,
            outcome: CardOutcome::Succeeds,
        });
    }
    if cards.iter().all(|card| card.weight == 0.0) {
        return Err("every [[card]] has weight 0: give one a weight".into());
    }
    Ok(cards)
}

fn client(place: &Place<'_>) -> Result<Client, String> {
    const KEYS: &[&str] = &[
        "connections_max",
        "connections_min",
        "timeout_s",
        "patience_s",
        "tries_max",
        "backoff_s",
    ];
    let place = place.table("client", KEYS)?;
    let connections_max = place.number("connections_max", Some(512.0), 1.0, 65_536.0)?;
    Ok(Client {
        connections_max: connections_max as u32,
        connections_min: place.number("connections_min", Some(0.0), 0.0, connections_max)? as u32,
        timeout_s: place.number("timeout_s", Some(10.0), 0.01, 600.0)?,
        patience_s: place.optional("patience_s", 0.01, SECONDS_MAX)?,
        tries_max: place.number("tries_max", Some(4.0), 1.0, 20.0)? as u32,
        backoff_s: place.number("backoff_s", Some(0.1), 0.001, 60.0)?,
    })
}

fn slow_clients(place: &Place<'_>) -> Result<SlowClients, String> {
    let place = place.table("slow_clients", &["count", "byte_every_s", "opened_per_s"])?;
    Ok(SlowClients {
        count: place.number("count", Some(0.0), 0.0, 1_000_000.0)? as u32,
        byte_every_s: place.number("byte_every_s", Some(5.0), 0.01, 3_600.0)?,
        opened_per_s: place.number("opened_per_s", Some(1_000.0), 1.0, 100_000.0)?,
    })
}

fn slo(place: &Place<'_>) -> Result<Slo, String> {
    const KEYS: &[&str] = &[
        "p50_ms",
        "p99_ms",
        "p99_9_ms",
        "errors_max",
        "goodput_min",
        "offered_min",
        "refusal_p99_ms",
        "webhook_p99_ms",
        "lag_p99_ms",
        "discrepancies_max",
        "stop_early",
        "period",
    ];
    let place = place.table("slo", KEYS)?;
    let latency = |name: &str| place.optional(name, 0.001, 600_000.0);
    Ok(Slo {
        p50_ms: latency("p50_ms")?,
        p99_ms: latency("p99_ms")?,
        p99_9_ms: latency("p99_9_ms")?,
        errors_max: place.number("errors_max", Some(0.0), 0.0, 1.0)?,
        goodput_min: place.number("goodput_min", Some(0.0), 0.0, 1.0)?,
        offered_min: place.number("offered_min", Some(0.95), 0.0, 1.0)?,
        refusal_p99_ms: latency("refusal_p99_ms")?,
        webhook_p99_ms: latency("webhook_p99_ms")?,
        lag_p99_ms: place.number("lag_p99_ms", Some(10.0), 0.001, 600_000.0)?,
        discrepancies_max: place.number("discrepancies_max", Some(0.0), 0.0, 1e9)? as u64,
        stop_early: place.truth("stop_early", true)?,
        periods: place
            .entries(
                "period",
                &["name", "from_s", "to_s", "p99_ms", "goodput_min", "good_per_s_min"],
            )?
            .iter()
            .map(period)
            .collect::<Result<_, _>>()?,
    })
}

fn period(place: &Place<'_>) -> Result<Period, String> {
    let period = Period {
        name: place.text("name", None)?,
        from_s: place.number("from_s", None, 0.0, SECONDS_MAX)?,
        to_s: place.number("to_s", None, 0.0, SECONDS_MAX)?,
        p99_ms: place.optional("p99_ms", 0.001, 600_000.0)?,
        goodput_min: place.optional("goodput_min", 0.0, 1.0)?,
        good_per_s_min: place.optional("good_per_s_min", 0.0, RATE_MAX)?,
    };
    if period.to_s <= period.from_s {
        return Err(place.wrong("to_s is not after from_s"));
    }
    Ok(period)
}

fn verify(place: &Place<'_>) -> Result<Verify, String> {
    let place = place.table("verify", &["money", "movements_max", "webhook_wait_s"])?;
    Ok(Verify {
        money: place.truth("money", true)?,
        movements_max: place.number("movements_max", Some(500_000.0), 1.0, 1e8)? as u64,
        webhook_wait_s: place.number("webhook_wait_s", Some(30.0), 0.1, 3_600.0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str =
        "name = \"s\"\n[[rate.phase]]\nrate = 10\nseconds = 1\n[[flow]]\nname = \"f\"\nsteps = [\"pay\"]\n";

    #[test]
    fn a_small_scenario_has_defaults() {
        let scenario = read(SMALL).unwrap();
        assert_eq!(scenario.arrivals, Arrivals::Poisson);
        assert_eq!(scenario.rate, Shape::constant(10.0, 1.0));
        assert_eq!(scenario.cards[0].name, "pm_card_visa");
        assert!(scenario.verify.money);
    }

    #[test]
    fn every_mistake_names_its_place_and_what_to_write() {
        let cases = [
            ("nam = 1", "unknown key \"nam\"; did you mean \"name\"?"),
            ("[slo]\np99 = 5", "[slo]: unknown key \"p99\"; did you mean \"p99_ms\"?"),
            ("[slo]\np99_ms = \"5\"", "p99_ms is a number, without quotes"),
            ("[slo]\nerrors_max = 2", "errors_max = 2 is outside 0 to 1"),
            ("[merchants]\nhot = 0.5", "did you mean \"hot_share\"?"),
            (
                "[[flow]]\nname = \"x\"\nsteps = [\"captur\"]",
                "[flow \"x\"]: unknown step \"captur\"; did you mean \"capture\"?",
            ),
            (
                "[[flow]]\nname = \"x\"\nsteps = [\"refund\"]",
                "[flow \"x\"]: \"refund\" needs",
            ),
            ("[[flow]]\nname = \"x\"", "steps is missing"),
            (
                "[[card]]\nname = \"pm_card_visa\"\noutcome = \"decline\"",
                "did you mean \"declined\"?",
            ),
            (
                "[[rate.phase]]\nshape = \"spik\"",
                "[rate.phase number 2]: unknown shape \"spik\"; did you mean \"spike\"?",
            ),
            (
                "[[rate.phase]]\nshape = \"ramp\"\nfrom = 1\nto = 2\nseconds = 1\nfactor = 3",
                "factor has no meaning for this shape",
            ),
            (
                "[[rate.phase]]\nshape = \"sine\"\nrate = 1\namplitude = 2\nseconds = 1\nperiod_s = 1",
                "amplitude is more than rate",
            ),
            (
                "[[slo.period]]\nname = \"late\"\nfrom_s = 0.5\nto_s = 9",
                "[slo.period \"late\"]: to_s is behind",
            ),
            ("[slo]\nstop_early = 1", "[slo]: stop_early is true or false"),
            ("[rates]", "did you mean \"rate\"?"),
            ("name = ", "no TOML"),
        ];
        for (change, expected) in cases {
            // Keys of the top come before the first table, tables behind the last.
            let text = if change.starts_with('[') {
                format!("{SMALL}{change}")
            } else {
                format!("{change}\n{SMALL}")
            };
            let error = read(&text).unwrap_err();
            assert!(error.contains(expected), "{change}: {error}");
        }
        assert!(read("name = \"x\"").unwrap_err().contains("no [[rate.phase]]"));
    }

    #[test]
    fn every_shape_gives_the_rates_it_says() {
        let cases: [(&str, &[(f64, f64)]); 6] = [
            ("rate = 5\nseconds = 10", &[(0.0, 5.0), (9.0, 5.0), (10.0, 0.0)]),
            (
                "shape = \"ramp\"\nfrom = 0\nto = 10\nseconds = 10",
                &[(0.0, 0.0), (5.0, 5.0)],
            ),
            (
                "shape = \"step\"\nfrom = 10\nto = 30\nsteps = 3\nseconds = 9",
                &[(1.0, 10.0), (4.0, 20.0), (8.0, 30.0)],
            ),
            (
                "shape = \"spike\"\nrate = 2\nfactor = 50\nat_s = 3\nlength_s = 2\nseconds = 9",
                &[(2.9, 2.0), (3.1, 100.0), (5.1, 2.0)],
            ),
            (
                "shape = \"sine\"\nrate = 10\namplitude = 5\nperiod_s = 8\nseconds = 8",
                &[(0.0, 10.0), (2.0, 15.0), (6.0, 5.0)],
            ),
            (
                "shape = \"profile\"\nstep_s = 10\nrates = [1, 2.5, 3]",
                &[(5.0, 1.0), (15.0, 2.5), (25.0, 3.0)],
            ),
        ];
        for (phase, expected) in cases {
            let text = SMALL.replace("rate = 10\nseconds = 1", phase);
            let shape = read(&text).unwrap_or_else(|error| panic!("{phase}: {error}")).rate;
            for (at, rate) in expected {
                assert!((shape.rate_at(*at) - rate).abs() < 1e-9, "{phase}: at {at}");
            }
        }
    }
}
