//! Keys of accounts, and what an account keeps.

use super::*;
use crate::books::properties::{Run, steps};
use crate::time::DAY_MS;
use proptest::prelude::*;

const NOW_MS: u64 = 1_794_830_400_000;

fn profile(livemode: bool) -> Arc<Profile> {
    let terms = ProfileTerms {
        country: Country::US,
        default_currency: Currency::USD,
        created_ms: NOW_MS,
        api_version: Version::NEWEST,
        statement_descriptor: Some("TOLLGATE".into()),
    };
    Arc::new(Profile::new(Id::new(&kinds::ACCOUNT, NOW_MS, 1, 5), livemode, &terms))
}

/// Facts that follow on `account`, `later_ms` after its newest.
fn facts_after(account: &Account, later_ms: u64) -> Facts {
    Facts {
        now_ms: account.last_now_ms + later_ms,
        seq_before: account.seq,
        seq_after: account.seq + 3,
        ..Facts::default()
    }
}

#[test]
fn events_keep_the_version_of_their_day() {
    let mut profile = (*profile(false)).clone();
    let versions = [Version(20200827), Version(20221115), Version::NEWEST];
    profile.api_version = versions[0];
    profile.set_api_version(versions[0], NOW_MS);
    assert_eq!(profile.earlier_versions, None, "nothing changed");
    profile.set_api_version(versions[1], NOW_MS + 100);
    profile.set_api_version(versions[2], NOW_MS + 200);
    let at = |after: u64| profile.event_version(NOW_MS + after);
    assert_eq!([at(0), at(99)], [versions[0]; 2]);
    assert_eq!([at(100), at(199)], [versions[1]; 2]);
    assert_eq!([at(200), at(10_000)], [versions[2]; 2]);
    assert_eq!(Profile::from_bytes(&profile.to_bytes()).expect("a record"), profile);
    let later = NOW_MS + 200 + EVENTS_SHOWN_MS;
    profile.set_api_version(versions[0], later);
    let known = profile.earlier_versions.as_deref().map_or(0, |earlier| earlier.len());
    assert_eq!(known, 1, "events of the first two are not shown any more");
}

#[test]
fn the_modes_of_an_account_are_apart() {
    let (test, live) = (profile(false), profile(true));
    assert_eq!(test.id, live.id);
    assert_ne!(test.key, live.key);
    assert_ne!(test.key.tag(), live.key.tag());
    assert_eq!(test.key, profile(false).key, "the key follows from id and mode");
}

#[test]
fn the_key_of_an_account_never_changes() {
    // Where data is found: another value here would lose every account of an older release.
    let id = Id::from_bits(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    let keys = (AccountKey::of(id, false).0, AccountKey::of(id, true).0);
    assert_eq!(keys, (10_112_951_537_055_446_815, 1_632_466_672_438_453_823));
}

#[test]
fn a_profile_reads_back_from_a_record() {
    let profile = profile(true);
    assert_eq!(Profile::from_bytes(&profile.to_bytes()).as_ref(), Ok(&*profile));
}

#[test]
#[should_panic(expected = "do not follow")]
fn a_gap_in_the_sequence_stops_the_account() {
    let mut account = Account::new(profile(false));
    let mut facts = facts_after(&account, NOW_MS);
    facts.seq_before += 1;
    account.apply(&facts);
}

#[test]
#[should_panic(expected = "time goes back")]
fn time_that_goes_back_stops_the_account() {
    let mut account = Account::new(profile(false));
    account.apply(&facts_after(&account, NOW_MS));
    let mut facts = facts_after(&account, 0);
    facts.now_ms -= 1;
    account.apply(&facts);
}

#[test]
fn the_row_of_another_account_or_a_damaged_one_is_refused() {
    let mut account = Account::new(profile(false));
    account.apply(&facts_after(&account, NOW_MS));
    let row = account.to_row();
    assert_eq!(Account::from_row(profile(false), &row), Ok(account));
    assert!(Account::from_row(profile(true), &row).is_err());
    assert!(Account::from_row(profile(false), &row[..row.len() - 1]).is_err());
}

proptest! {
    #[test]
    fn replay_from_any_row_equals_replay_from_the_start(steps in steps(), cut in any::<usize>()) {
        let run = Run::of(&steps);
        let cut = cut % (run.entries.len() + 1);
        let mut whole = Account::new(profile(false));
        let mut from_row = whole.clone();
        for (at, (day, entry)) in run.entries.iter().enumerate() {
            if at == cut {
                from_row = Account::from_row(profile(false), &whole.to_row()).expect("a row is readable");
            }
            let midday = *day as u64 * DAY_MS + DAY_MS / 2;
            let mut facts = facts_after(&whole, midday.saturating_sub(whole.last_now_ms));
            facts.entries.push(entry.clone());
            whole.apply(&facts);
            from_row.apply(&facts);
            // A record without entries moves only time and sequence.
            let quiet = facts_after(&whole, 1);
            whole.apply(&quiet);
            from_row.apply(&quiet);
        }
        prop_assert_eq!(whole.to_row(), from_row.to_row());
        prop_assert_eq!(whole, from_row);
    }
}
