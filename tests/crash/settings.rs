//! Settings under which servers are crashed.

/// Where clients are told that a server is: with one address for all its lives, what a key remembers of a receipt stays the
/// same.
const ADDRESS: (&str, &str) = ("TOLLGATE_API__PUBLIC_URL", "http://pay.example");

/// A network that loses, delays and declines, and small files, so that kills meet every kind of work.
pub(crate) const HARSH: &[(&str, &str)] = &[
    ADDRESS,
    ("TOLLGATE_STORE__SEGMENT_MB", "1"),
    ("TOLLGATE_ACQUIRER__ATTEMPT_DEADLINE_MS", "400"),
    ("TOLLGATE_ACQUIRER__LATENCY_MS", "3"),
    ("TOLLGATE_ACQUIRER__JITTER_MS", "10"),
    ("TOLLGATE_ACQUIRER__DECLINED_PPM", "20000"),
    ("TOLLGATE_ACQUIRER__LOST_REQUEST_PPM", "5000"),
    ("TOLLGATE_ACQUIRER__LOST_ANSWER_PPM", "5000"),
    ("TOLLGATE_ACQUIRER__LATE_PPM", "5000"),
];

/// The same without faults.
pub(crate) const CALM: &[(&str, &str)] = &[
    ADDRESS,
    ("TOLLGATE_STORE__SEGMENT_MB", "1"),
    ("TOLLGATE_ACQUIRER__ATTEMPT_DEADLINE_MS", "400"),
    ("TOLLGATE_ACQUIRER__LATENCY_MS", "3"),
    ("TOLLGATE_ACQUIRER__JITTER_MS", "10"),
];

/// Almost nothing stays in memory, so that most is found again through the index.
pub(crate) const FORGETFUL: &[(&str, &str)] = &[
    ("TOLLGATE_ACTORS__OBJECTS_PER_SHARD", "64"),
    ("TOLLGATE_ACTORS__KEYS_PER_SHARD", "8"),
    ("TOLLGATE_ACTORS__ACCOUNTS_PER_SHARD", "1"),
];
