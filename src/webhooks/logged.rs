//! An attempt as the log of attempts keeps it: numbered fields, so that what is written today is read by later releases.

use crate::endpoint::EndpointKey;
use crate::ports::{Answer, Attempt, Cause, Outcome};
use bytes::Bytes;
use std::net::{IpAddr, Ipv6Addr};
use tollgate_resource::Record;
use tollgate_resource::record::RecordError;

/// Most bytes of a receiver's answer that are kept.
pub const EXCERPT_MAX: usize = 2 << 10;
/// Most bytes of the line that says why there was no answer.
const WHY_MAX: usize = 512;

impl Attempt {
    /// The attempt as bytes, at most some 3 kB. What of the receiver's answer is no text is replaced.
    pub fn to_log(&self) -> Vec<u8> {
        let Outcome {
            answer,
            took_ms,
            reused,
            peer,
            excerpt,
        } = &self.outcome;
        let logged = Logged {
            shard: self.shard,
            account: self.endpoint.account,
            endpoint_seq: self.endpoint.seq,
            event_seq: self.event_seq,
            event_id: self.event_id.as_ref().into(),
            number: self.number,
            cause: self.cause,
            began_ms: self.began_ms,
            took_ms: *took_ms,
            answer: kept(answer),
            reused: *reused,
            peer: peer.map(|peer| match peer {
                IpAddr::V4(peer) => peer.to_ipv6_mapped().to_bits(),
                IpAddr::V6(peer) => peer.to_bits(),
            }),
            excerpt: bounded(&String::from_utf8_lossy(excerpt), EXCERPT_MAX),
        };
        logged.to_bytes()
    }

    /// Reads what [`Attempt::to_log`] wrote.
    ///
    /// # Errors
    /// When the bytes are something else, or were written by a newer release.
    pub fn from_log(bytes: &[u8]) -> Result<Attempt, RecordError> {
        let logged = Logged::from_bytes(bytes)?;
        let peer = logged.peer.map(|bits| {
            let peer = Ipv6Addr::from_bits(bits);
            peer.to_ipv4_mapped().map_or(IpAddr::V6(peer), IpAddr::V4)
        });
        Ok(Attempt {
            shard: logged.shard,
            endpoint: EndpointKey {
                account: logged.account,
                seq: logged.endpoint_seq,
            },
            event_seq: logged.event_seq,
            event_id: (&*logged.event_id).into(),
            number: logged.number,
            cause: logged.cause,
            began_ms: logged.began_ms,
            outcome: Outcome {
                answer: logged.answer,
                took_ms: logged.took_ms,
                reused: logged.reused,
                peer,
                excerpt: Bytes::copy_from_slice(logged.excerpt.as_bytes()),
            },
        })
    }
}

impl EndpointKey {
    /// One number for the endpoint, under which its attempts are logged. Two endpoints of all there are may share one, so an
    /// attempt says whose it is, and who reads compares.
    pub fn subject(self) -> u64 {
        let mixed = (self.account ^ self.seq.rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ mixed >> 32 ^ self.seq).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ mixed >> 29
    }
}

/// The record of an attempt. Numbers are never reused.
#[derive(Record)]
struct Logged {
    #[record(1)]
    shard: u16,
    #[record(2)]
    account: u64,
    #[record(3)]
    endpoint_seq: u64,
    #[record(4)]
    event_seq: u64,
    #[record(5)]
    event_id: Box<str>,
    #[record(6)]
    number: u8,
    #[record(7)]
    cause: Cause,
    #[record(8)]
    began_ms: u64,
    #[record(9)]
    took_ms: u32,
    #[record(10)]
    answer: Answer,
    #[record(11)]
    reused: bool,
    /// As an IPv6 address; IPv4 mapped.
    #[record(12)]
    peer: Option<u128>,
    #[record(13)]
    excerpt: Box<str>,
}

/// The answer, with a line that says why no longer than is kept.
fn kept(answer: &Answer) -> Answer {
    match answer {
        Answer::Failed { failure, why } => Answer::Failed {
            failure: *failure,
            why: bounded(why, WHY_MAX),
        },
        Answer::Taken { .. } | Answer::Refused { .. } => answer.clone(),
    }
}

/// Text up to so many bytes, cut between characters.
fn bounded(text: &str, bytes_max: usize) -> Box<str> {
    text[..text.floor_char_boundary(bytes_max)].into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::Failure;

    fn attempt(answer: Answer, peer: Option<&str>) -> Attempt {
        Attempt {
            shard: 3,
            endpoint: EndpointKey {
                account: u64::MAX,
                seq: 12,
            },
            event_seq: 400,
            event_id: "evt_1".into(),
            number: 2,
            cause: Cause::Schedule,
            began_ms: 1_790_000_000_000,
            outcome: Outcome {
                reused: true,
                peer: peer.map(|peer| peer.parse().expect("an address")),
                excerpt: Bytes::from_static("sch\u{f6}n".as_bytes()),
                ..Outcome::of(answer, 1_234)
            },
        }
    }

    #[test]
    fn every_attempt_reads_back_as_it_was() {
        const FAILURES: [Failure; 8] = [
            Failure::Resolve,
            Failure::Blocked,
            Failure::Connect,
            Failure::Tls,
            Failure::Timeout,
            Failure::Closed,
            Failure::Malformed,
            Failure::Internal,
        ];
        let failed = FAILURES.map(|failure| Answer::Failed {
            failure,
            why: "nobody listens".into(),
        });
        let answers = [
            Answer::Taken { status: 204 },
            Answer::Refused {
                status: 503,
                retry_after_ms: Some(0),
            },
            Answer::Refused {
                status: 500,
                retry_after_ms: None,
            },
        ];
        for answer in answers.into_iter().chain(failed) {
            for peer in [None, Some("192.0.2.1"), Some("2001:db8::7")] {
                let before = attempt(answer.clone(), peer);
                let after = Attempt::from_log(&before.to_log()).expect("it reads back");
                assert_eq!(format!("{after:?}"), format!("{before:?}"));
            }
        }
        for cause in [
            Cause::Schedule,
            Cause::Probe,
            Cause::Resend,
            Cause::Recovery,
            Cause::Replay,
            Cause::Test,
        ] {
            let before = Attempt {
                cause,
                ..attempt(Answer::Taken { status: 200 }, None)
            };
            let after = Attempt::from_log(&before.to_log()).expect("it reads back");
            assert_eq!(after.cause, cause);
        }
    }

    #[test]
    fn what_is_kept_of_an_answer_is_bounded_and_text() {
        let mut before = attempt(
            Answer::Failed {
                failure: Failure::Tls,
                why: "\u{e9}".repeat(10_000).into(),
            },
            None,
        );
        before.outcome.excerpt = Bytes::from(vec![0xff; 100_000]);
        let bytes = before.to_log();
        assert!(bytes.len() < 3_000, "{} bytes", bytes.len());
        let after = Attempt::from_log(&bytes).expect("it reads back");
        assert!(after.outcome.excerpt.len() <= EXCERPT_MAX);
        assert!(std::str::from_utf8(&after.outcome.excerpt).is_ok());
    }

    #[test]
    fn an_attempt_that_the_first_release_wrote_is_read() {
        let refused = Answer::Refused {
            status: 503,
            retry_after_ms: Some(0),
        };
        let before = attempt(refused, Some("192.0.2.1"));
        let hex: String = before.to_log().iter().map(|byte| format!("{byte:02x}")).collect();
        // Never change it: it stands in logs.
        assert_eq!(
            hex,
            "080310ffffffffffffffffff01180c2090032a056576745f31300238014080d8c1a28c3448d20952060208f7031000580164010200c0ffff\
             000000000000000000006a06736368c3b66e"
        );
    }

    #[test]
    fn endpoints_are_logged_under_numbers_of_their_own() {
        let mut subjects: Vec<u64> = (0..100)
            .flat_map(|account| (0..100).map(move |seq| EndpointKey { account, seq }.subject()))
            .collect();
        subjects.sort_unstable();
        subjects.dedup();
        assert_eq!(subjects.len(), 10_000);
    }
}
