//! The settings of an account as text: what `tollgate account show` prints and `account update --set key=value` takes.

use serde_json::{Value, json};
use tollgate_domain::Profile;
use tollgate_domain::account_settings::{
    AccountSettings, Business, DisputeFee, PayoutInterval, PayoutSchedule, RawCards, Weekday,
};
use tollgate_domain::country::Country;
use tollgate_domain::kinds::ACCOUNT;
use tollgate_domain::money::Currency;
use tollgate_resource::Names;
use tollgate_wire::versions;

/// Shortest and longest statement descriptor, in characters.
pub(crate) const DESCRIPTOR_CHARS: std::ops::RangeInclusive<usize> = 5..=22;
/// Shortest and longest prefix of one.
const PREFIX_CHARS: std::ops::RangeInclusive<usize> = 2..=10;

/// One setting.
struct Setting {
    name: &'static str,
    /// What it may be, for whoever wrote something else.
    takes: &'static str,
    show: fn(&Profile) -> Value,
    /// `None` when the text cannot be taken.
    set: fn(&mut Profile, &str) -> Option<()>,
}

/// One of the account's rules against fraud, on or off.
macro_rules! radar_rule {
    ($rule:ident) => {
        Setting {
            name: concat!("radar.", stringify!($rule)),
            takes: "true or false",
            show: |profile| profile.settings().radar.$rule.into(),
            set: |profile, text| {
                changed(profile).radar.$rule = text.parse().ok()?;
                Some(())
            },
        }
    };
}

/// What a text of the business may be: a sentence, and the check.
type Words = (&'static str, fn(&str) -> bool);

const NAME: Words = ("1 to 100 characters without < and >, or nothing", |text| {
    text.chars().all(|char| !char.is_control() && !"<>".contains(char))
});
const URL: Words = ("an address that begins with https:// or http://, or nothing", |text| {
    text.starts_with("https://") || text.starts_with("http://")
});
const EMAIL: Words = ("an address with an @, or nothing", |text| {
    text.split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
});
const PHONE: Words = ("a number such as +15005550006, or nothing", |text| {
    text.chars().all(|char| char.is_ascii_digit() || "+-() ".contains(char))
});
const ZONE: Words = ("a name such as Europe/Berlin or Etc/UTC, or nothing", |text| {
    text.chars()
        .all(|char| char.is_ascii_alphanumeric() || "/_+-".contains(char))
});
const MCC: Words = ("four digits, or nothing", |text| {
    text.len() == 4 && text.chars().all(|char| char.is_ascii_digit())
});
/// Longest text of the business, in characters.
const BUSINESS_CHARS_MAX: usize = 100;

/// Something the business says of itself.
macro_rules! business_text {
    ($name:literal, $field:ident, $words:ident) => {
        Setting {
            name: $name,
            takes: $words.0,
            show: |profile| profile.settings().business().$field.as_deref().into(),
            set: |profile, text| {
                let said = (!text.is_empty()).then_some(text);
                let fine = |text: &str| text.chars().count() <= BUSINESS_CHARS_MAX && $words.1(text);
                if !said.is_none_or(fine) {
                    return None;
                }
                let settings = changed(profile);
                settings.business.get_or_insert_default().$field = said.map(Into::into);
                settings.business.take_if(|business| **business == Business::SILENT);
                Some(())
            },
        }
    };
}

/// Every setting, in the order it is shown.
const SETTINGS: &[Setting] = &[
    Setting {
        name: "country",
        takes: "two letters, such as US",
        show: |profile| profile.country.code().into(),
        set: |profile, text| Country::from_code(text).map(|country| profile.country = country),
    },
    Setting {
        name: "default_currency",
        takes: "three letters, such as usd; the currency of settlement",
        show: |profile| profile.default_currency.code().into(),
        set: |profile, text| Currency::from_code(text).map(|currency| profile.default_currency = currency),
    },
    Setting {
        name: "api_version",
        takes: "a version, such as 2026-10-28.endive",
        show: |profile| versions::name(profile.api_version).into(),
        set: |profile, text| versions::parse(text).map(|version| profile.api_version = version),
    },
    Setting {
        name: "statement_descriptor",
        takes: "5 to 22 characters with a letter among them and none of < > \\ ' \" *, or nothing",
        show: |profile| profile.statement_descriptor.as_deref().into(),
        set: |profile, text| descriptor(text, DESCRIPTOR_CHARS).map(|text| profile.statement_descriptor = text),
    },
    Setting {
        name: "statement_descriptor_prefix",
        takes: "2 to 10 characters with a letter among them and none of < > \\ ' \" *, or nothing",
        show: |profile| profile.settings().statement_descriptor_prefix.as_deref().into(),
        set: |profile, text| {
            let prefix = descriptor(text, PREFIX_CHARS)?;
            changed(profile).statement_descriptor_prefix = prefix;
            Some(())
        },
    },
    Setting {
        name: "raw_cards",
        takes: "allowed or refused",
        show: |profile| profile.settings().raw_cards.name().into(),
        set: |profile, text| RawCards::from_name(text).map(|policy| changed(profile).raw_cards = policy),
    },
    business_text!("business.name", name, NAME),
    business_text!("business.url", url, URL),
    business_text!("business.email", email, EMAIL),
    business_text!("business.support_email", support_email, EMAIL),
    business_text!("business.support_phone", support_phone, PHONE),
    business_text!("business.support_url", support_url, URL),
    business_text!("business.timezone", timezone, ZONE),
    business_text!("business.mcc", mcc, MCC),
    radar_rule!(block_highest_risk),
    radar_rule!(review_elevated_risk),
    radar_rule!(block_cvc_fail),
    radar_rule!(block_zip_fail),
    Setting {
        name: "payouts.interval",
        takes: "manual, daily, weekly:DAY (monday to sunday) or monthly:DAY (1 to 31)",
        show: |profile| interval_text(profile.settings().payouts.interval).into(),
        set: |profile, text| interval(text).map(|interval| changed(profile).payouts.interval = interval),
    },
    Setting {
        name: "payouts.delay_days",
        takes: "days, 0 to 30",
        show: |profile| profile.settings().payouts.delay_days.into(),
        set: |profile, text| {
            let days: u8 = text.parse().ok()?;
            (days <= PayoutSchedule::DELAY_DAYS_MAX).then(|| changed(profile).payouts.delay_days = days)
        },
    },
    Setting {
        name: "dispute_fee",
        takes: "kept or returned: what becomes of it when a dispute is won",
        show: |profile| profile.settings().dispute_fee.name().into(),
        set: |profile, text| DisputeFee::from_name(text).map(|fee| changed(profile).dispute_fee = fee),
    },
    Setting {
        name: "retired_parameters",
        takes: "taken or refused: what becomes of parameters that the version of a request has retired",
        show: |profile| match profile.settings().refuses_retired {
            true => "refused".into(),
            false => "taken".into(),
        },
        set: |profile, text| {
            let refuses = match text {
                "refused" => true,
                "taken" => false,
                _ => return None,
            };
            changed(profile).refuses_retired = refuses;
            Some(())
        },
    },
];

/// An account in one mode with its settings.
pub(crate) fn shown(profile: &Profile) -> Value {
    let settings: serde_json::Map<String, Value> = SETTINGS
        .iter()
        .map(|setting| (setting.name.to_owned(), (setting.show)(profile)))
        .collect();
    json!({
        "account": profile.id.text(&ACCOUNT),
        "livemode": profile.livemode,
        "created": profile.created_ms / 1000,
        "settings": settings,
    })
}

/// The profile with some settings changed, as the next one of its account.
///
/// # Errors
/// A sentence for whoever asked: which setting there is not, or what it takes.
pub(crate) fn changed_by(profile: &Profile, sets: &[(String, String)], now_ms: u64) -> Result<Profile, String> {
    let mut next = profile.clone();
    for (name, text) in sets {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            return Err(format!("there is no setting {name}; there are {}", known.join(", ")));
        };
        (setting.set)(&mut next, text.trim())
            .ok_or_else(|| format!("{name} cannot be '{text}'; it takes {}", setting.takes))?;
    }
    let api_version = std::mem::replace(&mut next.api_version, profile.api_version);
    next.set_api_version(api_version, now_ms);
    next.revision += 1;
    Ok(next)
}

/// The settings of a profile, to be changed.
fn changed(profile: &mut Profile) -> &mut AccountSettings {
    profile.settings.get_or_insert_default()
}

/// The text of a statement descriptor; `Some(None)` for none.
pub(crate) fn descriptor(text: &str, chars: std::ops::RangeInclusive<usize>) -> Option<Option<Box<str>>> {
    if text.is_empty() {
        return Some(None);
    }
    let fine = chars.contains(&text.chars().count())
        && text.chars().any(|char| char.is_ascii_alphabetic())
        && text
            .chars()
            .all(|char| !char.is_control() && !"<>\\'\"*".contains(char));
    fine.then(|| Some(text.into()))
}

fn interval(text: &str) -> Option<PayoutInterval> {
    Some(match text.split_once(':') {
        None if text == "manual" => PayoutInterval::Manual,
        None if text == "daily" => PayoutInterval::Daily,
        Some(("weekly", day)) => PayoutInterval::Weekly(Weekday::from_name(day)?),
        Some(("monthly", day)) => {
            let day = day.parse().ok().filter(|day| (1..=31).contains(day))?;
            PayoutInterval::Monthly(day)
        }
        _ => return None,
    })
}

fn interval_text(interval: PayoutInterval) -> String {
    match interval {
        PayoutInterval::Manual | PayoutInterval::Daily => interval.name().to_owned(),
        PayoutInterval::Weekly(day) => format!("weekly:{}", day.name()),
        PayoutInterval::Monthly(day) => format!("monthly:{day}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::account::ProfileTerms;
    use tollgate_resource::{Id, Version};

    fn profile() -> Profile {
        let terms = ProfileTerms {
            country: Country::US,
            default_currency: Currency::USD,
            created_ms: 1_794_830_400_000,
            api_version: Version::NEWEST,
            statement_descriptor: None,
        };
        Profile::new(Id::new(&ACCOUNT, 1_794_830_400_000, 1, 5), false, &terms)
    }

    fn set(profile: &Profile, name: &str, text: &str) -> Result<Profile, String> {
        changed_by(profile, &[(name.to_owned(), text.to_owned())], 1_000)
    }

    #[test]
    fn every_setting_takes_what_it_shows_and_says_what_it_takes() {
        let profile = profile();
        for setting in SETTINGS {
            let shown = (setting.show)(&profile);
            let text = shown.as_str().map_or_else(
                || {
                    if shown.is_null() {
                        String::new()
                    } else {
                        shown.to_string()
                    }
                },
                str::to_owned,
            );
            let next = set(&profile, setting.name, &text).unwrap_or_else(|why| panic!("{why}"));
            assert_eq!((setting.show)(&next), shown, "{}", setting.name);
            assert!(profile.may_become(&next), "{}", setting.name);
            let why = set(&profile, setting.name, "<no>").expect_err(setting.name);
            assert!(why.contains(setting.takes), "{why}");
        }
        assert!(
            set(&profile, "colour", "red")
                .expect_err("unknown")
                .contains("radar.block_cvc_fail")
        );
    }

    #[test]
    fn settings_change_and_the_rest_stays() {
        let changed = profile();
        let changed = set(&changed, "payouts.interval", "weekly:friday").expect("a day");
        let changed = set(&changed, "radar.block_zip_fail", "true").expect("a rule");
        let changed = set(&changed, "statement_descriptor_prefix", "TOLL").expect("a prefix");
        let shown = shown(&changed);
        let settings = &shown["settings"];
        assert_eq!(settings["payouts.interval"], "weekly:friday");
        assert_eq!(settings["radar.block_zip_fail"], true);
        assert_eq!(settings["radar.block_cvc_fail"], true);
        assert_eq!(settings["statement_descriptor_prefix"], "TOLL");
        let named = set(&changed, "business.name", "Rocket Rides").expect("a name");
        assert_eq!(named.settings().business().name.as_deref(), Some("Rocket Rides"));
        let silent = set(&named, "business.name", "").expect("nothing");
        assert_eq!(silent.settings().business, None);
        for (name, wrong) in [
            ("payouts.interval", "monthly:32"),
            ("payouts.interval", "hourly"),
            ("payouts.delay_days", "31"),
            ("statement_descriptor", "1234567"),
            ("statement_descriptor", "TOLL*GATE"),
            ("country", "USA"),
            ("business.mcc", "57345"),
            ("business.url", "rides.example"),
            ("business.email", "rides.example"),
        ] {
            assert!(set(&changed, name, wrong).is_err(), "{name}={wrong}");
        }
    }
}
