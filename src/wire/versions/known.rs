//! The versions there are.

use tollgate_resource::Version;

/// Every version that is understood, oldest first. From 2024-09-30 on, the name belongs to it.
pub const KNOWN: &[(Version, &str)] = &[
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

/// The version with that name, as `Stripe-Version` holds it. `None` is
/// [`unknown_version`](crate::errors::unknown_version).
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
