//! Which check catches which break. Checks are tests of the suites, by the file their binary starts with and their name.

use std::collections::BTreeSet;
use std::fmt;
use tollgate_breaks::Break;

/// The packages whose suites hold the checks; and the root, whose feature turns breaks on.
pub(crate) const PACKAGES: [&str; 7] = [
    "tollgate",
    "tollgate-store-embedded",
    "tollgate-store-scylla",
    "tollgate-actors",
    "tollgate-domain",
    "tollgate-simulation",
    "tollgate-webhooks",
];

/// A test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Check {
    /// The file that its binary starts with, from the root.
    pub(crate) suite: &'static str,
    /// Its name in there.
    pub(crate) test: &'static str,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suite = self.suite.trim_end_matches("/main.rs").trim_end_matches(".rs");
        write!(f, "{suite} {}", self.test)
    }
}

/// A break and a check that catches it.
pub(crate) struct Row {
    pub(crate) of: Break,
    pub(crate) check: Check,
}

/// Every check once, in order.
pub(crate) fn checks() -> BTreeSet<Check> {
    MATRIX.iter().map(|row| row.check).collect()
}

const fn row(of: Break, suite: &'static str, test: &'static str) -> Row {
    let check = Check { suite, test };
    Row { of, check }
}

const STORE: &str = "src/store_embedded/tests/suite/main.rs";
const CLUSTER: &str = "src/store_scylla/lib.rs";
const ACTORS: &str = "actors/tests/suite/main.rs";
const DOMAIN: &str = "src/domain/tests/suite/main.rs";
const SIMULATION: &str = "tests/simulation/tests/runs.rs";
const HISTORIES: &str = "tests/simulation/tests/endpoints.rs";
const DELIVERIES: &str = "src/webhooks/tests/simulation/main.rs";

const POWER_CUT: &str = "crash::a_power_cut_loses_nothing_that_was_answered";
const PROMISES: &str = "conformance::embedded_keeps_every_promise_of_a_store";
const WORLDS: &str = "nothing_is_found_in_a_fixed_set_of_worlds";

const DELIVERED: &str = "storm::whatever_happens_every_event_comes_or_is_a_dead_letter_that_can_be_replayed";
const AFTER_A_KILL: &str =
    "storm::what_comes_again_after_a_kill_was_out_or_taken_within_fifty_milliseconds_however_slow_the_store_is";
const SCHEDULES: &str = "simulation::whatever_happens_the_journal_is_one_chain_and_its_owners_are_told_the_truth";

/// Rows in the order of the table of breaks; a break that two rooms answer for has a row for each.
pub(crate) const MATRIX: &[Row] = &[
    row(Break::SkipSync, STORE, POWER_CUT),
    row(
        Break::IgnoreFailedSync,
        STORE,
        "fatal::an_error_of_the_disk_is_final_and_nothing_is_acknowledged",
    ),
    row(Break::AnswerBeforePublish, STORE, PROMISES),
    row(Break::AcceptStaleEpoch, STORE, PROMISES),
    row(Break::ClaimKeepsEpoch, STORE, PROMISES),
    row(Break::ReorderBlock, STORE, PROMISES),
    row(Break::ReorderBlock, SIMULATION, WORLDS),
    row(Break::KeepTornTail, STORE, POWER_CUT),
    row(
        Break::TrustPayload,
        STORE,
        "damage::a_write_that_got_only_so_far_is_cut_off",
    ),
    row(
        Break::TrustChain,
        STORE,
        "damage::lost_doubled_and_foreign_parts_are_refused",
    ),
    row(
        Break::ForgetFrozenLayer,
        STORE,
        "index_faults::an_index_that_cannot_be_written_stays_in_memory_and_tells",
    ),
    row(Break::AcknowledgeBeforeCommit, SIMULATION, WORLDS),
    row(
        Break::AcknowledgeBeforeCommit,
        ACTORS,
        "shard::a_payment_is_answered_when_its_block_is_durable",
    ),
    row(Break::ReadUndurable, SIMULATION, WORLDS),
    row(
        Break::ReadUndurable,
        ACTORS,
        "shard::what_depends_on_the_block_in_flight_waits_for_it",
    ),
    row(
        Break::EvictBeforeIndexed,
        SIMULATION,
        "an_object_stays_in_memory_while_its_block_is_with_the_store",
    ),
    row(Break::PassivateUndurable, SIMULATION, WORLDS),
    row(
        Break::FollowRawClock,
        SIMULATION,
        "a_leap_of_the_clock_makes_no_key_new",
    ),
    row(Break::FollowRawClock, SIMULATION, "a_leap_of_the_clock_ends_no_hold"),
    row(Break::ForgetKeyOnRestart, SIMULATION, WORLDS),
    row(
        Break::ForgetKeyOnRestart,
        ACTORS,
        "shard::everything_is_there_after_a_kill",
    ),
    row(Break::ForgetClaimOfAttempt, SIMULATION, WORLDS),
    row(
        Break::ForgetClaimOfAttempt,
        ACTORS,
        "network::a_retry_after_a_restart_waits_for_the_attempt_made_before",
    ),
    row(Break::ExecuteDuplicate, SIMULATION, WORLDS),
    row(Break::IgnoreMismatch, SIMULATION, WORLDS),
    row(Break::IgnoreMismatch, ACTORS, "keys::a_key_fits_one_request_only"),
    row(Break::ReplayExpired, ACTORS, "keys::a_key_is_new_again_after_its_time"),
    row(Break::ResendAttempt, SIMULATION, WORLDS),
    row(Break::LoseTimer, SIMULATION, WORLDS),
    row(
        Break::LoseTimer,
        ACTORS,
        "network::silence_is_resolved_by_reversal_and_the_call_is_never_made_again",
    ),
    row(
        Break::ForgetTimerEarly,
        ACTORS,
        "storm::storms_lose_nothing_and_double_nothing",
    ),
    row(Break::ApplyTwiceOnReplay, SIMULATION, WORLDS),
    row(
        Break::ApplyTwiceOnReplay,
        ACTORS,
        "shard::loading_starts_at_the_newest_row_and_gives_the_same_state",
    ),
    row(Break::IncompleteRow, SIMULATION, WORLDS),
    row(Break::DropPosting, SIMULATION, WORLDS),
    row(
        Break::DropPosting,
        DOMAIN,
        "intents::a_payment_moves_money_in_one_record",
    ),
    row(Break::ForgetPosting, SIMULATION, WORLDS),
    row(Break::RoundFeeUp, SIMULATION, WORLDS),
    row(Break::ForgetRefund, SIMULATION, WORLDS),
    row(
        Break::ForgetRefund,
        DOMAIN,
        "refunds::partial_refunds_go_on_until_nothing_is_left",
    ),
    row(Break::KeepFailedRefund, SIMULATION, WORLDS),
    row(
        Break::KeepFailedRefund,
        DOMAIN,
        "refund_fates::a_refund_that_comes_back_can_be_made_again",
    ),
    row(
        Break::CaptureTooMuch,
        SIMULATION,
        "a_capture_of_more_than_is_held_is_refused",
    ),
    row(
        Break::CaptureTooMuch,
        DOMAIN,
        "holds::a_partial_capture_releases_the_rest",
    ),
    row(
        Break::CaptureChargeTooMuch,
        DOMAIN,
        "charges::a_hold_is_captured_in_part_or_released_or_expires",
    ),
    row(Break::ConfirmAgain, SIMULATION, WORLDS),
    row(Break::TrustNotFound, SIMULATION, WORLDS),
    row(
        Break::TakeLateApproval,
        DOMAIN,
        "remote::an_unknown_attempt_is_reversed_until_acknowledged",
    ),
    row(Break::ReverseOnce, SIMULATION, WORLDS),
    row(
        Break::ReverseOnce,
        DOMAIN,
        "remote::an_unknown_attempt_is_reversed_until_acknowledged",
    ),
    row(Break::ForgetAdvice, SIMULATION, WORLDS),
    row(Break::PayFailedDebit, SIMULATION, WORLDS),
    row(Break::KeepWithdrawnDebit, SIMULATION, WORLDS),
    row(Break::BelieveDeposits, SIMULATION, WORLDS),
    row(Break::SkipEvent, SIMULATION, WORLDS),
    row(Break::ReorderEvents, SIMULATION, WORLDS),
    row(Break::AppendUnfenced, CLUSTER, SCHEDULES),
    row(Break::RaiseFromOneBelow, CLUSTER, SCHEDULES),
    row(Break::ClaimAnySegment, CLUSTER, SCHEDULES),
    row(Break::TrustLostClaim, CLUSTER, SCHEDULES),
    row(Break::FenceAfterTail, CLUSTER, SCHEDULES),
    row(Break::ForgetFullSegment, CLUSTER, SCHEDULES),
    row(Break::RetryAsAnother, CLUSTER, SCHEDULES),
    row(Break::TakeUnknownForFailure, CLUSTER, SCHEDULES),
    row(Break::TakeUnknownForSuccess, CLUSTER, SCHEDULES),
    row(Break::IgnoreHigherFence, CLUSTER, SCHEDULES),
    row(Break::PublishBeforeOpen, CLUSTER, SCHEDULES),
    row(Break::AppendUnpublished, CLUSTER, SCHEDULES),
    row(
        Break::AnswerWithoutBarrier,
        ACTORS,
        "barrier::every_answer_without_a_block_waits_until_the_shard_is_known_to_be_here",
    ),
    row(
        Break::AnswerWithoutBarrier,
        ACTORS,
        "adoption::an_owner_that_was_overtaken_serves_nothing_from_before",
    ),
    row(
        Break::ListWithoutBarrier,
        ACTORS,
        "adoption::lists_searches_and_events_wait_until_the_shard_is_known_to_be_here",
    ),
    row(
        Break::ListWithoutBarrier,
        ACTORS,
        "adoption::an_owner_that_was_overtaken_serves_nothing_from_before",
    ),
    row(
        Break::KeepReleasedMemory,
        ACTORS,
        "adoption::a_shard_goes_to_another_process_and_comes_back",
    ),
    row(
        Break::ServeUnclaimed,
        ACTORS,
        "adoption::a_shard_goes_to_another_process_and_comes_back",
    ),
    row(Break::SkipBarrier, CLUSTER, SCHEDULES),
    row(
        Break::ForgetEndpoint,
        ACTORS,
        "outbox::endpoints::only_accounts_with_endpoints_are_told_of_and_each_change_of_one_has_a_number",
    ),
    row(
        Break::ForgetEndpoint,
        HISTORIES,
        "an_endpoint_that_was_just_made_is_known_after_a_kill",
    ),
    row(
        Break::ForgetUnheard,
        ACTORS,
        "outbox::endpoints::changes_that_a_row_did_not_know_of_are_noted_again_behind_it",
    ),
    row(
        Break::LeaveUnnoted,
        ACTORS,
        "outbox::noting::what_is_noted_while_a_shard_leaves_goes_with_it",
    ),
    row(
        Break::MiscountEvents,
        ACTORS,
        "outbox::events::events_come_oldest_first_and_count_without_a_gap_for_each_object",
    ),
    row(Break::MiscountEvents, SIMULATION, WORLDS),
    row(Break::CrowdObject, DELIVERIES, DELIVERED),
    row(Break::CrowdObject, SIMULATION, WORLDS),
    row(Break::DropRetry, DELIVERIES, DELIVERED),
    row(Break::DropRetry, SIMULATION, WORLDS),
    row(Break::SendSwitchedOff, SIMULATION, WORLDS),
    row(Break::ForgetPending, SIMULATION, WORLDS),
    row(Break::SendUnnoted, DELIVERIES, AFTER_A_KILL),
    row(Break::LeaveOutOfRow, DELIVERIES, DELIVERED),
    row(Break::LeaveOutOfRow, SIMULATION, WORLDS),
];
