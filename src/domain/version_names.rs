//! The names of the API's versions. What they change is the edge's business.

use tollgate_resource::Version;

/// Every version that is understood, oldest first. From 2024-09-30 on, the name belongs to it.
pub const KNOWN: &[(Version, &str)] = &[
    (Version(20130813), "2013-08-13"),
    (Version(20131029), "2013-10-29"),
    (Version(20131203), "2013-12-03"),
    (Version(20140131), "2014-01-31"),
    (Version(20140313), "2014-03-13"),
    (Version(20140328), "2014-03-28"),
    (Version(20140519), "2014-05-19"),
    (Version(20140613), "2014-06-13"),
    (Version(20140617), "2014-06-17"),
    (Version(20140722), "2014-07-22"),
    (Version(20140726), "2014-07-26"),
    (Version(20140804), "2014-08-04"),
    (Version(20140820), "2014-08-20"),
    (Version(20140908), "2014-09-08"),
    (Version(20141007), "2014-10-07"),
    (Version(20141105), "2014-11-05"),
    (Version(20141120), "2014-11-20"),
    (Version(20141208), "2014-12-08"),
    (Version(20141217), "2014-12-17"),
    (Version(20141222), "2014-12-22"),
    (Version(20150111), "2015-01-11"),
    (Version(20150126), "2015-01-26"),
    (Version(20150210), "2015-02-10"),
    (Version(20150216), "2015-02-16"),
    (Version(20150218), "2015-02-18"),
    (Version(20150324), "2015-03-24"),
    (Version(20150407), "2015-04-07"),
    (Version(20150615), "2015-06-15"),
    (Version(20150707), "2015-07-07"),
    (Version(20150713), "2015-07-13"),
    (Version(20150728), "2015-07-28"),
    (Version(20150807), "2015-08-07"),
    (Version(20150819), "2015-08-19"),
    (Version(20150903), "2015-09-03"),
    (Version(20150908), "2015-09-08"),
    (Version(20150923), "2015-09-23"),
    (Version(20151001), "2015-10-01"),
    (Version(20151012), "2015-10-12"),
    (Version(20151016), "2015-10-16"),
    (Version(20160203), "2016-02-03"),
    (Version(20160219), "2016-02-19"),
    (Version(20160222), "2016-02-22"),
    (Version(20160223), "2016-02-23"),
    (Version(20160229), "2016-02-29"),
    (Version(20160307), "2016-03-07"),
    (Version(20160615), "2016-06-15"),
    (Version(20160706), "2016-07-06"),
    (Version(20161019), "2016-10-19"),
    (Version(20170127), "2017-01-27"),
    (Version(20170214), "2017-02-14"),
    (Version(20170406), "2017-04-06"),
    (Version(20170525), "2017-05-25"),
    (Version(20170605), "2017-06-05"),
    (Version(20170815), "2017-08-15"),
    (Version(20171214), "2017-12-14"),
    (Version(20180123), "2018-01-23"),
    (Version(20180205), "2018-02-05"),
    (Version(20180206), "2018-02-06"),
    (Version(20180228), "2018-02-28"),
    (Version(20180521), "2018-05-21"),
    (Version(20180727), "2018-07-27"),
    (Version(20180823), "2018-08-23"),
    (Version(20180906), "2018-09-06"),
    (Version(20180924), "2018-09-24"),
    (Version(20181031), "2018-10-31"),
    (Version(20181108), "2018-11-08"),
    (Version(20190211), "2019-02-11"),
    (Version(20190219), "2019-02-19"),
    (Version(20190314), "2019-03-14"),
    (Version(20190516), "2019-05-16"),
    (Version(20190814), "2019-08-14"),
    (Version(20190909), "2019-09-09"),
    (Version(20191008), "2019-10-08"),
    (Version(20191017), "2019-10-17"),
    (Version(20191105), "2019-11-05"),
    (Version(20191203), "2019-12-03"),
    (Version(20200302), "2020-03-02"),
    (Version(20200827), "2020-08-27"),
    (Version(20220801), "2022-08-01"),
    (Version(20221115), "2022-11-15"),
    (Version(20230816), "2023-08-16"),
    (Version(20231016), "2023-10-16"),
    (Version(20240410), "2024-04-10"),
    (Version(20240620), "2024-06-20"),
    (Version(20240930), "2024-09-30.acacia"),
    (Version(20241028), "2024-10-28.acacia"),
    (Version(20241120), "2024-11-20.acacia"),
    (Version(20241218), "2024-12-18.acacia"),
    (Version(20250127), "2025-01-27.acacia"),
    (Version(20250224), "2025-02-24.acacia"),
    (Version(20250331), "2025-03-31.basil"),
    (Version(20250430), "2025-04-30.basil"),
    (Version(20250528), "2025-05-28.basil"),
    (Version(20250630), "2025-06-30.basil"),
    (Version(20250730), "2025-07-30.basil"),
    (Version(20250827), "2025-08-27.basil"),
    (Version(20250930), "2025-09-30.clover"),
    (Version(20251029), "2025-10-29.clover"),
    (Version(20251117), "2025-11-17.clover"),
    (Version(20251215), "2025-12-15.clover"),
    (Version(20260128), "2026-01-28.clover"),
    (Version(20260225), "2026-02-25.clover"),
    (Version(20260325), "2026-03-25.dahlia"),
    (Version(20260422), "2026-04-22.dahlia"),
    (Version(20260527), "2026-05-27.dahlia"),
    (Version(20260624), "2026-06-24.dahlia"),
    (Version(20260729), "2026-07-29.dahlia"),
    (Version(20260826), "2026-08-26.dahlia"),
    (Version(20260930), "2026-09-30.endive"),
    (Version(20261028), "2026-10-28.endive"),
];

/// The oldest version that is understood.
pub const OLDEST: Version = KNOWN[0].0;
/// The version of a new account.
pub const DEFAULT: Version = Version::NEWEST;
/// The names alone, oldest first: what a parameter that takes a version may be.
pub const NAMES: &[&str] = &{
    let mut names = [""; KNOWN.len()];
    let mut at = 0;
    while at < KNOWN.len() {
        names[at] = KNOWN[at].1;
        at += 1;
    }
    names
};

/// The version that `Stripe-Version` asks for. Besides the names it may be that of a public preview
/// (`2026-10-28.preview`), which is answered as the version of its day, and a name may be followed by betas
/// (`2020-08-27; orders_beta=v4`), of which none changes anything here. `None` for any other text.
pub fn asked(text: &str) -> Option<Version> {
    if let Some(version) = parse(text) {
        return Some(version);
    }
    let mut parts = text.split(';');
    let name = parts.next()?.trim_end();
    if !parts.all(|beta| is_beta(beta.trim())) {
        return None;
    }
    parse(name).or_else(|| of_preview(name))
}

/// The named version of the day of a preview.
fn of_preview(name: &str) -> Option<Version> {
    let day = name.strip_suffix(".preview")?;
    let named = |known: &str| known.split_once('.').is_some_and(|(known, _)| known == day);
    let found = KNOWN.iter().rev().find(|(_, known)| named(known));
    found.map(|(version, _)| *version)
}

/// Whether this names a beta and its version.
fn is_beta(text: &str) -> bool {
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    text.split_once("=v")
        .is_some_and(|(name, version)| word(name) && word(version))
}

/// The version with that name. `None` when there is none.
pub fn parse(text: &str) -> Option<Version> {
    KNOWN
        .iter()
        .rev()
        .find(|(_, name)| *name == text)
        .map(|(version, _)| *version)
}

/// The public name of a version, e.g. `2026-10-28.endive`. A version that is not known (from data of another release)
/// is called by the newest name that is not after it.
pub fn name(version: Version) -> &'static str {
    KNOWN
        .iter()
        .rev()
        .find(|(known, _)| *known <= version)
        .map_or(KNOWN[0].1, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_the_date_and_stand_in_order() {
        for (version, name) in KNOWN {
            let date: String = name.chars().take(10).filter(char::is_ascii_digit).collect();
            assert_eq!(date, version.0.to_string());
            assert_eq!(parse(name), Some(*version));
            assert_eq!(super::name(*version), *name);
            assert_eq!(
                name.len() > 10,
                *version >= Version(20240930),
                "{name}: names came with acacia"
            );
        }
        assert!(KNOWN.is_sorted());
        assert_eq!(KNOWN.last().map(|(version, _)| *version), Some(DEFAULT));
    }

    #[test]
    fn previews_and_betas_are_asked_for_by_the_version_they_stand_beside() {
        let asked_as = [
            ("2026-10-28.endive", Some(20261028)),
            ("2026-10-28.preview", Some(20261028)),
            ("2025-03-31.preview", Some(20250331)),
            ("2020-08-27;orders_beta=v4", Some(20200827)),
            (
                "2020-08-27; orders_beta=v4; server_side_confirmation_beta=v1",
                Some(20200827),
            ),
            ("2025-09-30.preview; money_beta=v2", Some(20250930)),
            ("2014-01-31", Some(20140131)),
            ("2020-08-27.preview", None),
            ("2026-10-27.preview", None),
            (".preview", None),
            ("2020-08-27;", None),
            ("2020-08-27; orders_beta", None),
            ("2020-08-28; orders_beta=v4", None),
            ("2020-08-27 orders_beta=v4", None),
        ];
        for (text, version) in asked_as {
            assert_eq!(asked(text), version.map(Version), "{text}");
        }
        for (version, name) in KNOWN {
            assert_eq!(asked(name), Some(*version));
        }
    }

    #[test]
    fn the_versions_that_official_sdks_send_are_known() {
        // Python from 5 on, Node from 7 on (whose types name one), Go and the others in between: each major release and
        // some of the minor ones. Older ones send none, or what their user wrote.
        let sent = [
            "2019-02-11",
            "2019-02-19",
            "2019-03-14",
            "2019-05-16",
            "2019-08-14",
            "2019-09-09",
            "2019-10-08",
            "2019-10-17",
            "2019-11-05",
            "2019-12-03",
            "2020-03-02",
            "2020-08-27",
            "2022-08-01",
            "2022-11-15",
            "2023-08-16",
            "2023-10-16",
            "2024-04-10",
            "2024-06-20",
            "2024-09-30.acacia",
            "2025-02-24.acacia",
            "2025-03-31.basil",
            "2025-09-30.clover",
            "2025-10-29.clover",
            "2026-03-25.dahlia",
            "2026-05-27.dahlia",
            "2026-06-24.dahlia",
            "2026-07-29.dahlia",
            "2026-08-26.dahlia",
            "2026-09-30.endive",
            "2026-10-28.endive",
        ];
        for name in sent {
            assert!(asked(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in [
            "",
            "2020",
            "2020-08-26",
            "2026-10-28",
            "2026-10-28.dahlia",
            "2026-10-28.endive ",
            "v1",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
