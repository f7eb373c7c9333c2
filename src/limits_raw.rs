//! The rate limits as they are written in the settings, and what each of them may be.

use super::raw::{number, refused};
use crate::config_layers::ConfigError;
use serde::Deserialize;
use std::collections::BTreeMap;
use tollgate_domain::account::AccountKey;
use tollgate_domain::kinds::ACCOUNT;
use tollgate_http::{Allowance, CLASSES, Class, ClassLimit, Rate, Rates};
use tollgate_resource::Names;

/// Section `limits`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    node_requests_per_s: i64,
    node_burst: i64,
    tier: String,
    account_requests_per_s: i64,
    account_burst: i64,
    tiers: Vec<String>,
    accounts: Vec<String>,
    classes: Vec<String>,
    surge_max: i64,
}

/// Highest rate limit and burst.
const RATE_MAX: i64 = 10_000_000;
/// Most tokens a request may cost.
const COST_MAX: i64 = 1_000;
/// Highest surge.
const SURGE_MAX: i64 = 100;
/// The tier that is none.
const UNLIMITED: &str = "unlimited";

impl RawLimits {
    pub(super) fn checked(self) -> Result<Rates, ConfigError> {
        let per_second = |name, value| number(name, value, 1, RATE_MAX);
        let unlimited = Allowance {
            rate: Rate {
                per_second: per_second("limits.account_requests_per_s", self.account_requests_per_s)?,
                burst: per_second("limits.account_burst", self.account_burst)?,
            },
            tier: None,
        };
        let mut tiers = BTreeMap::from([(UNLIMITED, unlimited)]);
        for text in &self.tiers {
            let wrong = || {
                refused(
                    "limits.tiers",
                    text,
                    "must be NAME=TOKENS_PER_S/BURST, for example starter=100/200",
                )
            };
            let (name, limits) = text.split_once('=').ok_or_else(wrong)?;
            let name = name.trim();
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase()) {
                return Err(wrong());
            }
            let tier = Allowance {
                rate: rate(limits).ok_or_else(wrong)?,
                tier: Some(name.into()),
            };
            if tiers.insert(name, tier).is_some() {
                return Err(refused(
                    "limits.tiers",
                    text,
                    "the tier stands there twice, or is unlimited",
                ));
            }
        }
        let known = || tiers.keys().copied().collect::<Vec<_>>().join(", ");
        let common = tiers.get(self.tier.as_str()).cloned();
        let common =
            common.ok_or_else(|| refused("limits.tier", &self.tier, &format!("must be one of: {}", known())))?;
        let mut rates = Rates {
            node: match number("limits.node_requests_per_s", self.node_requests_per_s, 0, RATE_MAX)? {
                0 => None,
                per_second => Some(Rate {
                    per_second,
                    burst: per_second_burst(self.node_burst)?,
                }),
            },
            common,
            own: Default::default(),
            classes: classes(&self.classes)?,
            surge_max: number("limits.surge_max", self.surge_max, 1, SURGE_MAX)?,
        };
        for text in &self.accounts {
            let why = format!(
                "must be ACCOUNT=TIER with a tier of {}, or ACCOUNT=TOKENS_PER_S/BURST, for example acct_1Pq2=500/1000",
                known()
            );
            let wrong = || refused("limits.accounts", text, &why);
            let (account, allowance) = text.split_once('=').ok_or_else(wrong)?;
            let id = ACCOUNT.parse(account.trim()).ok_or_else(wrong)?;
            let allowance = match tiers.get(allowance.trim()) {
                Some(tier) => tier.clone(),
                None => Allowance {
                    rate: rate(allowance).ok_or_else(wrong)?,
                    tier: Some("own".into()),
                },
            };
            for livemode in [false, true] {
                let key = AccountKey::of(id, livemode).0;
                if rates.own.insert(key, allowance.clone()).is_some() {
                    return Err(refused("limits.accounts", text, "the account stands there twice"));
                }
            }
        }
        Ok(rates)
    }
}

fn per_second_burst(burst: i64) -> Result<u32, ConfigError> {
    number("limits.node_burst", burst, 1, RATE_MAX)
}

/// Reads `TOKENS_PER_S/BURST`.
fn rate(text: &str) -> Option<Rate> {
    let part = |text: &str| {
        let value: i64 = text.trim().parse().ok()?;
        (1..=RATE_MAX)
            .contains(&value)
            .then(|| u32::try_from(value).ok())
            .flatten()
    };
    let (per_second, burst) = text.split_once('/')?;
    Some(Rate {
        per_second: part(per_second)?,
        burst: part(burst)?,
    })
}

/// Reads the table of classes; one that is not named costs one token.
fn classes(texts: &[String]) -> Result<[ClassLimit; CLASSES], ConfigError> {
    let mut limits = [ClassLimit::PLAIN; CLASSES];
    let mut named = Vec::with_capacity(texts.len());
    for text in texts {
        let why = format!(
            "must be CLASS=TOKENS or CLASS=TOKENS:TOKENS_PER_S/BURST with a class of {} and at most {COST_MAX} tokens",
            Class::NAMES.join(", ")
        );
        let wrong = || refused("limits.classes", text, &why);
        let (name, rest) = text.split_once('=').ok_or_else(wrong)?;
        let class = Class::from_name(name.trim()).ok_or_else(wrong)?;
        let (cost, own) = match rest.split_once(':') {
            Some((cost, own)) => (cost, Some(rate(own).ok_or_else(wrong)?)),
            None => (rest, None),
        };
        let cost: i64 = cost.trim().parse().map_err(|_| wrong())?;
        if !(1..=COST_MAX).contains(&cost) || named.contains(&class) {
            return Err(wrong());
        }
        named.push(class);
        limits[class as usize] = ClassLimit {
            cost: u32::try_from(cost).map_err(|_| wrong())?,
            rate: own,
        };
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::config_layers::layered;
    use tollgate_resource::Id;

    fn read(flags: &[(&'static str, String)]) -> Result<Rates, ConfigError> {
        Config::of(layered(None, std::iter::empty(), flags).expect("known settings")).map(|config| config.limits)
    }

    #[test]
    fn by_default_no_account_meets_a_limit_and_tiers_stand_ready() {
        let rates = read(&[]).expect("the defaults are good");
        assert_eq!(rates.node, None);
        assert_eq!((rates.common.rate.burst, &rates.common.tier), (1_000_000, &None));
        for class in [Class::Read, Class::List, Class::Write] {
            assert_eq!(rates.classes[class as usize], ClassLimit::PLAIN, "{}", class.name());
        }
        let rates = read(&[("limits.tier", "starter".into())]).expect("a tier");
        assert_eq!(
            (rates.common.rate.per_second, rates.common.tier.as_deref()),
            (100, Some("starter"))
        );
    }

    #[test]
    fn an_account_of_its_own_rate_or_tier_has_it_in_both_modes() {
        let account = |seq| Id::new(&ACCOUNT, 1_794_787_200_000, seq, 7);
        let text = |seq: u64| account(seq).text(&ACCOUNT);
        let list = format!("{}=5/9,{}=enterprise", text(5), text(6));
        let rates = read(&[("limits.accounts", list)]).expect("good");
        assert_eq!((rates.own.len(), rates.common.rate.burst), (4, 1_000_000));
        let own = |seq| &rates.own[&AccountKey::of(account(seq), true).0];
        assert_eq!((own(5).rate.per_second, own(5).rate.burst), (5, 9));
        assert_eq!(
            (own(6).rate.per_second, own(6).tier.as_deref()),
            (10_000, Some("enterprise"))
        );
    }

    #[test]
    fn wrong_limits_are_refused_by_name() {
        for (name, text) in [
            ("limits.tier", "gold"),
            ("limits.tiers", "Gold=1/2"),
            ("limits.tiers", "unlimited=1/2"),
            ("limits.tiers", "a=1/2,a=1/2"),
            ("limits.tiers", "a=0/2"),
            ("limits.classes", "read=0"),
            ("limits.classes", "read=1,read=2"),
            ("limits.classes", "walk=1"),
            ("limits.classes", "read=1:5"),
            ("limits.accounts", "acct_x=starter"),
            ("limits.surge_max", "0"),
            ("limits.node_requests_per_s", "-1"),
        ] {
            let why = read(&[(name, text.to_owned())]).expect_err(text).to_string();
            assert!(why.contains(name), "{text}: {why}");
        }
    }
}
