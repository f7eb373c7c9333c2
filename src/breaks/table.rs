//! What can be broken, where, and which promise that breaks.

/// A break: one line that is wrong on request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    /// A group is answered without having been synced.
    SkipSync,
    /// The error of a sync is ignored, and writing goes on.
    IgnoreFailedSync,
    /// A block is answered before the index shows it.
    AnswerBeforePublish,
    /// A block of an owner that was replaced is written.
    AcceptStaleEpoch,
    /// A claim does not raise the epoch, so the old owner still fits.
    ClaimKeepsEpoch,
    /// The records of a block are written in the opposite order.
    ReorderBlock,
    /// A torn tail is not cut off before writing goes on.
    KeepTornTail,
    /// The checksum of a payload is not compared.
    TrustPayload,
    /// Frames may be missing or doubled: the chain of hashes is not compared.
    TrustChain,
    /// What moves to disk is dropped from memory before it can be read there.
    ForgetFrozenLayer,
    /// An answer leaves before its block is durable.
    AcknowledgeBeforeCommit,
    /// A read shows what is not durable yet.
    ReadUndurable,
    /// An object leaves memory before its newest version can be read.
    EvictBeforeIndexed,
    /// An account leaves memory before its newest record is durable.
    PassivateUndurable,
    /// Keys and holds expire by the raw wall clock, however far it leaps.
    FollowRawClock,
    /// A record does not tell the index its key, so memory is all that knows it.
    ForgetKeyOnRestart,
    /// An attempt is recorded without the claim of its key.
    ForgetClaimOfAttempt,
    /// A request whose key is in flight is executed instead of waiting.
    ExecuteDuplicate,
    /// A key is repeated whatever is asked under it.
    IgnoreMismatch,
    /// A key never expires.
    ReplayExpired,
    /// The call of an attempt leaves twice.
    ResendAttempt,
    /// A record does not tell the index its timers.
    LoseTimer,
    /// A timer is forgotten before what it caused is durable.
    ForgetTimerEarly,
    /// Replay posts the entries of a record twice.
    ApplyTwiceOnReplay,
    /// An account's row lacks one of its balances.
    IncompleteRow,
    /// A capture lacks the posting of its fee.
    DropPosting,
    /// The last posting of an entry does not reach its balance.
    ForgetPosting,
    /// Fees are rounded up instead of half up.
    RoundFeeUp,
    /// What was given back does not count against what may still be.
    ForgetRefund,
    /// A refund that came back still counts as given back.
    KeepFailedRefund,
    /// More is captured than was authorised.
    CaptureTooMuch,
    /// More is captured of a charge made by itself than was authorised.
    CaptureChargeTooMuch,
    /// An intent is confirmed in any state.
    ConfirmAgain,
    /// An attempt the network does not know counts as refused and is not reversed.
    TrustNotFound,
    /// An approval counts although the attempt is being reversed.
    TakeLateApproval,
    /// A reversal that nobody acknowledged is not repeated.
    ReverseOnce,
    /// A refund that the network did not acknowledge is not sent again.
    ForgetAdvice,
    /// A debit that its bank refused is paid all the same.
    PayFailedDebit,
    /// A debit that is given up leaves its charge waiting for the bank.
    KeepWithdrawnDebit,
    /// Whatever is told of deposits shows whose account it is.
    BelieveDeposits,
    /// A record lacks its last event.
    SkipEvent,
    /// The events of a record are in the opposite order.
    ReorderEvents,
    /// A block is appended whatever the fence of its segment is.
    AppendUnfenced,
    /// A fence is raised only from the epoch before, so that a claim nobody finished blocks the shard.
    RaiseFromOneBelow,
    /// A claim does not notice that the owner went on to its next segment.
    ClaimAnySegment,
    /// A claim whose outcome is unknown counts as made.
    TrustLostClaim,
    /// A new owner reads the tail before it raises the fence.
    FenceAfterTail,
    /// A new owner finds an empty segment and does not look at the one before.
    ForgetFullSegment,
    /// A block is sent again under another identity.
    RetryAsAnother,
    /// An append whose outcome is unknown counts as refused.
    TakeUnknownForFailure,
    /// An append whose outcome is unknown counts as durable.
    TakeUnknownForSuccess,
    /// An owner that was replaced tries its append for ever.
    IgnoreHigherFence,
    /// A segment is published before it is open.
    PublishBeforeOpen,
    /// A segment is appended to that is not published.
    AppendUnpublished,
    /// What needs no block is answered without asking whose the shard is.
    AnswerWithoutBarrier,
    /// Lists, searches and events are read without asking whose the shard is.
    ListWithoutBarrier,
    /// A shard that was released keeps its memory, and goes on from it when it comes back.
    KeepReleasedMemory,
    /// An adopted shard serves without having been claimed.
    ServeUnclaimed,
    /// An owner that was replaced shows what it remembers.
    SkipBarrier,
    /// Several events about one object are on their way to an endpoint at once.
    CrowdObject,
    /// An event whose delivery failed is not tried again.
    DropRetry,
    /// Deliveries go on to an endpoint that was switched off.
    SendSwitchedOff,
    /// What endpoints have not taken does not count as pending.
    ForgetPending,
    /// Deliveries go on although what came of those before is not durable.
    SendUnnoted,
    /// Everything that is written down of an endpoint leaves out what waits.
    LeaveOutOfRow,
    /// That an account has an endpoint is not noted with the record that makes it.
    ForgetEndpoint,
    /// A change of an endpoint that a row did not know of is not noted again behind it.
    ForgetUnheard,
    /// A shard leaves before delivery has noted what it knows.
    LeaveUnnoted,
    /// Events about an older object are counted as if there had been none before.
    MiscountEvents,
}

/// What is known of a break.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Which.
    pub of: Break,
    /// What it is called in the environment.
    pub name: &'static str,
    /// The file that has it, from `src` or the root.
    pub place: &'static str,
    /// The invariants it breaks, as DESIGN section 9 numbers them.
    pub invariants: &'static [u8],
    /// What goes wrong.
    pub what: &'static str,
}

/// Every break, along the way of a payment from the disk up.
pub const ALL: &[Known] = &[
    Known {
        of: Break::SkipSync,
        name: "skip-sync",
        place: "src/store_embedded/committer.rs",
        invariants: &[1],
        what: "a group is answered without having been synced",
    },
    Known {
        of: Break::IgnoreFailedSync,
        name: "ignore-failed-sync",
        place: "src/store_embedded/committer.rs",
        invariants: &[1],
        what: "the error of a sync is ignored, and writing goes on",
    },
    Known {
        of: Break::AnswerBeforePublish,
        name: "answer-before-publish",
        place: "src/store_embedded/committer.rs",
        invariants: &[11],
        what: "a block is answered before the index shows it",
    },
    Known {
        of: Break::AcceptStaleEpoch,
        name: "accept-stale-epoch",
        place: "src/store_embedded/committer.rs",
        invariants: &[1, 2],
        what: "a block of an owner that was replaced is written",
    },
    Known {
        of: Break::ClaimKeepsEpoch,
        name: "claim-keeps-epoch",
        place: "src/store_embedded/committer.rs",
        invariants: &[1, 2],
        what: "a claim does not raise the epoch, so the old owner still fits",
    },
    Known {
        of: Break::ReorderBlock,
        name: "reorder-block",
        place: "src/store/envelope.rs",
        invariants: &[12],
        what: "the records of a block are written in the opposite order",
    },
    Known {
        of: Break::KeepTornTail,
        name: "keep-torn-tail",
        place: "src/store_embedded/lib.rs",
        invariants: &[1],
        what: "a torn tail is not cut off before writing goes on",
    },
    Known {
        of: Break::TrustPayload,
        name: "trust-payload",
        place: "src/store_embedded/frame.rs",
        invariants: &[1],
        what: "the checksum of a payload is not compared",
    },
    Known {
        of: Break::TrustChain,
        name: "trust-chain",
        place: "src/store_embedded/walk.rs",
        invariants: &[1],
        what: "frames may be missing or doubled: the chain of hashes is not compared",
    },
    Known {
        of: Break::ForgetFrozenLayer,
        name: "forget-frozen-layer",
        place: "src/store_index/writer.rs",
        invariants: &[11],
        what: "what moves to disk is dropped from memory before it can be read there",
    },
    Known {
        of: Break::AcknowledgeBeforeCommit,
        name: "acknowledge-before-commit",
        place: "actors/shard/gate.rs",
        invariants: &[1],
        what: "an answer leaves before its block is durable",
    },
    Known {
        of: Break::ReadUndurable,
        name: "read-undurable",
        place: "actors/shard/deciding.rs",
        invariants: &[1],
        what: "a read shows what is not durable yet",
    },
    Known {
        of: Break::EvictBeforeIndexed,
        name: "evict-before-indexed",
        place: "actors/shard/passivation.rs",
        invariants: &[11],
        what: "an object leaves memory before its newest version can be read",
    },
    Known {
        of: Break::PassivateUndurable,
        name: "passivate-undurable",
        place: "actors/shard/account_actor.rs",
        invariants: &[12],
        what: "an account leaves memory before its newest record is durable",
    },
    Known {
        of: Break::FollowRawClock,
        name: "follow-raw-clock",
        place: "actors/clock.rs",
        invariants: &[3],
        what: "keys and holds expire by the raw wall clock, however far it leaps",
    },
    Known {
        of: Break::ForgetKeyOnRestart,
        name: "forget-key-on-restart",
        place: "actors/shard/recording.rs",
        invariants: &[3],
        what: "a record does not tell the index its key, so memory is all that knows it",
    },
    Known {
        of: Break::ForgetClaimOfAttempt,
        name: "forget-claim-of-attempt",
        place: "actors/shard/deciding.rs",
        invariants: &[3],
        what: "an attempt is recorded without the claim of its key",
    },
    Known {
        of: Break::ExecuteDuplicate,
        name: "execute-duplicate",
        place: "actors/shard/keys.rs",
        invariants: &[3],
        what: "a request whose key is in flight is executed instead of waiting",
    },
    Known {
        of: Break::IgnoreMismatch,
        name: "ignore-mismatch",
        place: "actors/shard/key_actor.rs",
        invariants: &[3],
        what: "a key is repeated whatever is asked under it",
    },
    Known {
        of: Break::ReplayExpired,
        name: "replay-expired",
        place: "actors/shard/key_actor.rs",
        invariants: &[2],
        what: "a key never expires",
    },
    Known {
        of: Break::ResendAttempt,
        name: "resend-attempt",
        place: "actors/shard/recording.rs",
        invariants: &[3],
        what: "the call of an attempt leaves twice",
    },
    Known {
        of: Break::LoseTimer,
        name: "lose-timer",
        place: "actors/shard/recording.rs",
        invariants: &[4, 8],
        what: "a record does not tell the index its timers",
    },
    Known {
        of: Break::ForgetTimerEarly,
        name: "forget-timer-early",
        place: "actors/shard/timers.rs",
        invariants: &[4],
        what: "a timer is forgotten before what it caused is durable",
    },
    Known {
        of: Break::ApplyTwiceOnReplay,
        name: "apply-twice-on-replay",
        place: "actors/readers.rs",
        invariants: &[6, 12],
        what: "replay posts the entries of a record twice",
    },
    Known {
        of: Break::IncompleteRow,
        name: "incomplete-row",
        place: "src/domain/account.rs",
        invariants: &[6, 12],
        what: "an account's row lacks one of its balances",
    },
    Known {
        of: Break::DropPosting,
        name: "drop-posting",
        place: "src/domain/books/entry.rs",
        invariants: &[5],
        what: "a capture lacks the posting of its fee",
    },
    Known {
        of: Break::ForgetPosting,
        name: "forget-posting",
        place: "src/domain/books/mod.rs",
        invariants: &[6],
        what: "the last posting of an entry does not reach its balance",
    },
    Known {
        of: Break::RoundFeeUp,
        name: "round-fee-up",
        place: "src/domain/money.rs",
        invariants: &[7],
        what: "fees are rounded up instead of half up",
    },
    Known {
        of: Break::ForgetRefund,
        name: "forget-refund",
        place: "src/domain/payments/charge/mod.rs",
        invariants: &[7],
        what: "what was given back does not count against what may still be",
    },
    Known {
        of: Break::KeepFailedRefund,
        name: "keep-failed-refund",
        place: "src/domain/payments/charge/mod.rs",
        invariants: &[7],
        what: "a refund that came back still counts as given back",
    },
    Known {
        of: Break::CaptureTooMuch,
        name: "capture-too-much",
        place: "src/domain/payments/payment_intent/capture.rs",
        invariants: &[7, 9],
        what: "more is captured than was authorised",
    },
    Known {
        of: Break::CaptureChargeTooMuch,
        name: "capture-charge-too-much",
        place: "src/domain/payments/charge/capture.rs",
        invariants: &[7, 9],
        what: "more is captured of a charge made by itself than was authorised",
    },
    Known {
        of: Break::ConfirmAgain,
        name: "confirm-again",
        place: "src/domain/payments/payment_intent/confirm.rs",
        invariants: &[3, 9],
        what: "an intent is confirmed in any state",
    },
    Known {
        of: Break::TrustNotFound,
        name: "trust-not-found",
        place: "src/domain/payments/attempt.rs",
        invariants: &[4],
        what: "an attempt the network does not know counts as refused and is not reversed",
    },
    Known {
        of: Break::TakeLateApproval,
        name: "take-late-approval",
        place: "src/domain/payments/attempt.rs",
        invariants: &[4, 9],
        what: "an approval counts although the attempt is being reversed",
    },
    Known {
        of: Break::ReverseOnce,
        name: "reverse-once",
        place: "src/domain/payments/payment_intent/resolve.rs",
        invariants: &[4],
        what: "a reversal that nobody acknowledged is not repeated",
    },
    Known {
        of: Break::ForgetAdvice,
        name: "forget-advice",
        place: "src/domain/payments/refund/settle.rs",
        invariants: &[8],
        what: "a refund that the network did not acknowledge is not sent again",
    },
    Known {
        of: Break::PayFailedDebit,
        name: "pay-failed-debit",
        place: "src/domain/payments/payment_intent/debit.rs",
        invariants: &[2, 9],
        what: "a debit that its bank refused is paid all the same",
    },
    Known {
        of: Break::KeepWithdrawnDebit,
        name: "keep-withdrawn-debit",
        place: "src/domain/payments/payment_intent/decide.rs",
        invariants: &[4, 9],
        what: "a debit that is given up leaves its charge waiting for the bank",
    },
    Known {
        of: Break::BelieveDeposits,
        name: "believe-deposits",
        place: "src/domain/payments/bank_account/deposits.rs",
        invariants: &[9],
        what: "whatever is told of deposits shows whose account it is",
    },
    Known {
        of: Break::SkipEvent,
        name: "skip-event",
        place: "src/domain/draft.rs",
        invariants: &[10],
        what: "a record lacks its last event",
    },
    Known {
        of: Break::ReorderEvents,
        name: "reorder-events",
        place: "src/domain/draft.rs",
        invariants: &[10],
        what: "the events of a record are in the opposite order",
    },
    Known {
        of: Break::AppendUnfenced,
        name: "append-unfenced",
        place: "src/store_scylla/protocol/mod.rs",
        invariants: &[1, 2],
        what: "a block is appended whatever the fence of its segment is",
    },
    Known {
        of: Break::RaiseFromOneBelow,
        name: "raise-from-one-below",
        place: "src/store_scylla/protocol/mod.rs",
        invariants: &[4],
        what: "a fence is raised only from the epoch before, so that a claim nobody finished blocks the shard",
    },
    Known {
        of: Break::ClaimAnySegment,
        name: "claim-any-segment",
        place: "src/store_scylla/protocol/mod.rs",
        invariants: &[1, 2],
        what: "a claim does not notice that the owner went on to its next segment",
    },
    Known {
        of: Break::TrustLostClaim,
        name: "trust-lost-claim",
        place: "src/store_scylla/protocol/ownership.rs",
        invariants: &[1, 2],
        what: "a claim whose outcome is unknown counts as made",
    },
    Known {
        of: Break::FenceAfterTail,
        name: "fence-after-tail",
        place: "src/store_scylla/protocol/tail.rs",
        invariants: &[1, 2],
        what: "a new owner reads the tail before it raises the fence",
    },
    Known {
        of: Break::ForgetFullSegment,
        name: "forget-full-segment",
        place: "src/store_scylla/protocol/tail.rs",
        invariants: &[1],
        what: "a new owner finds an empty segment and does not look at the one before",
    },
    Known {
        of: Break::RetryAsAnother,
        name: "retry-as-another",
        place: "src/store_scylla/protocol/append.rs",
        invariants: &[1],
        what: "a block is sent again under another identity",
    },
    Known {
        of: Break::TakeUnknownForFailure,
        name: "take-unknown-for-failure",
        place: "src/store_scylla/protocol/append.rs",
        invariants: &[4],
        what: "an append whose outcome is unknown counts as refused",
    },
    Known {
        of: Break::TakeUnknownForSuccess,
        name: "take-unknown-for-success",
        place: "src/store_scylla/protocol/append.rs",
        invariants: &[1],
        what: "an append whose outcome is unknown counts as durable",
    },
    Known {
        of: Break::IgnoreHigherFence,
        name: "ignore-higher-fence",
        place: "src/store_scylla/protocol/append.rs",
        invariants: &[4],
        what: "an owner that was replaced tries its append for ever",
    },
    Known {
        of: Break::PublishBeforeOpen,
        name: "publish-before-open",
        place: "src/store_scylla/protocol/append.rs",
        invariants: &[1],
        what: "a segment is published before it is open",
    },
    Known {
        of: Break::AppendUnpublished,
        name: "append-unpublished",
        place: "src/store_scylla/protocol/append.rs",
        invariants: &[1, 2],
        what: "a segment is appended to that is not published",
    },
    Known {
        of: Break::AnswerWithoutBarrier,
        name: "answer-without-barrier",
        place: "actors/shard/gate.rs",
        invariants: &[11],
        what: "what needs no block is answered without asking whose the shard is",
    },
    Known {
        of: Break::ListWithoutBarrier,
        name: "list-without-barrier",
        place: "actors/engine.rs",
        invariants: &[11],
        what: "lists, searches and events are read without asking whose the shard is",
    },
    Known {
        of: Break::KeepReleasedMemory,
        name: "keep-released-memory",
        place: "actors/supervisor.rs",
        invariants: &[11],
        what: "a shard that was released keeps its memory, and goes on from it when it comes back",
    },
    Known {
        of: Break::ServeUnclaimed,
        name: "serve-unclaimed",
        place: "actors/claims.rs",
        invariants: &[11],
        what: "an adopted shard serves without having been claimed",
    },
    Known {
        of: Break::SkipBarrier,
        name: "skip-barrier",
        place: "src/store_scylla/protocol/ownership.rs",
        invariants: &[11],
        what: "an owner that was replaced shows what it remembers",
    },
    Known {
        of: Break::CrowdObject,
        name: "crowd-object",
        place: "src/webhooks/lane/choose.rs",
        invariants: &[14],
        what: "several events about one object are on their way to an endpoint at once",
    },
    Known {
        of: Break::DropRetry,
        name: "drop-retry",
        place: "src/webhooks/lane/outcome.rs",
        invariants: &[14],
        what: "an event whose delivery failed is not tried again",
    },
    Known {
        of: Break::SendSwitchedOff,
        name: "send-switched-off",
        place: "src/webhooks/lane/mod.rs",
        invariants: &[14],
        what: "deliveries go on to an endpoint that was switched off",
    },
    Known {
        of: Break::ForgetPending,
        name: "forget-pending",
        place: "src/webhooks/registry.rs",
        invariants: &[14],
        what: "what endpoints have not taken does not count as pending",
    },
    Known {
        of: Break::SendUnnoted,
        name: "send-unnoted",
        place: "src/webhooks/hall/noting.rs",
        invariants: &[14],
        what: "deliveries go on although what came of those before is not durable",
    },
    Known {
        of: Break::LeaveOutOfRow,
        name: "leave-out-of-row",
        place: "src/webhooks/hall/flush.rs",
        invariants: &[14],
        what: "what is written down of an endpoint as a whole leaves out what waits for another attempt",
    },
    Known {
        of: Break::ForgetEndpoint,
        name: "forget-endpoint",
        place: "actors/shard/recording.rs",
        invariants: &[14],
        what: "no note says that an account has an endpoint",
    },
    Known {
        of: Break::ForgetUnheard,
        name: "forget-unheard",
        place: "actors/shard/recording.rs",
        invariants: &[14],
        what: "a row of notes hides endpoints that delivery had not heard of",
    },
    Known {
        of: Break::LeaveUnnoted,
        name: "leave-unnoted",
        place: "actors/passage.rs",
        invariants: &[14],
        what: "a shard leaves before delivery has noted what it knows",
    },
    Known {
        of: Break::MiscountEvents,
        name: "miscount-events",
        place: "actors/shard/recording.rs",
        invariants: &[14],
        what: "the numbers of an object's events begin anew with each record",
    },
];
