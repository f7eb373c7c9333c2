//! Why a request got no answer, in words for whoever reads the attempt: the merchant.

use super::answer::Wrong;
use super::vet::Refusal;
use rustls::{AlertDescription, CertificateError, Error as TlsError, OtherError, PeerIncompatible};
use std::fmt;
use std::io;
use thiserror::Error;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Failure {
    /// The URL, or where it leads, is not allowed.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// Its name has no address.
    #[error("the host name could not be resolved: {0}")]
    Resolve(String),
    /// No connection.
    #[error("no connection could be made: {0}")]
    Connect(String),
    /// No encrypted connection, or not to whom the URL names.
    #[error("TLS failed: {0}")]
    Tls(String),
    /// The time for it was over.
    #[error("the time was over {0}")]
    Timeout(Stage),
    /// The connection ended before the answer was complete.
    #[error("the connection was closed: {0}")]
    Closed(String),
    /// What came back is no answer.
    #[error("the answer is not valid: {0}")]
    Protocol(String),
    /// As many connections as an endpoint, or the process, may have are in use: nothing was sent.
    #[error("too many connections are in use")]
    Busy,
}

/// How far a request had come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Its name was being resolved.
    Resolve,
    /// A connection was being made.
    Connect,
    /// The TLS handshake was under way.
    Tls,
    /// It was being sent, or its answer's head had not come.
    Head,
    /// The answer's body had begun.
    Body,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resolve => "while the host name was being resolved",
            Self::Connect => "while a connection was being made",
            Self::Tls => "during the TLS handshake",
            Self::Head => "before an answer came",
            Self::Body => "before the answer's body was complete",
        })
    }
}

impl Failure {
    /// Of a connection that could not be made.
    pub(super) fn of_connect(error: &io::Error) -> Self {
        Self::Connect(io_in_words(error))
    }

    /// Of a TLS handshake.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        Self::Tls(match tls_error(error) {
            Some(error) => tls_in_words(error),
            None if error.kind() == io::ErrorKind::UnexpectedEof => "the receiver closed the connection".to_owned(),
            None => io_in_words(error),
        })
    }

    /// Of a request on a connection that stands.
    pub(super) fn of_exchange(error: &io::Error) -> Self {
        match tls_error(error) {
            Some(error) => Self::Tls(tls_in_words(error)),
            None => Self::Closed(io_in_words(error)),
        }
    }

    /// Of an answer that is not read any further.
    pub(super) fn of_answer(wrong: Wrong) -> Self {
        Self::Protocol(match wrong {
            Wrong::NotHttp => "it is not HTTP/1".to_owned(),
            Wrong::HeadTooLarge => "its head is too large".to_owned(),
        })
    }
}

fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>())
}

fn io_in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "connection reset by the receiver".to_owned()
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "the address cannot be reached".to_owned()
        }
        io::ErrorKind::TimedOut => "the address did not answer".to_owned(),
        io::ErrorKind::UnexpectedEof => "the answer was not complete".to_owned(),
        kind => kind.to_string(),
    }
}

fn tls_in_words(error: &TlsError) -> String {
    match error {
        TlsError::InvalidCertificate(why) => certificate_in_words(why),
        TlsError::AlertReceived(alert) => match alert {
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
                "the receiver shares no cipher with us (alert handshake_failure); it must offer TLS 1.3, or TLS 1.2 with \
                 ECDHE and AES-GCM or ChaCha20"
                    .to_owned()
            }
            AlertDescription::ProtocolVersion => "the receiver offers neither TLS 1.2 nor 1.3 (alert protocol_version)".to_owned(),
            AlertDescription::CertificateRequired => "the receiver asks for a client certificate".to_owned(),
            AlertDescription::UnrecognisedName => "the receiver does not know this host name (alert unrecognized_name)".to_owned(),
            alert => format!("the receiver sent the alert {alert:?}"),
        },
        TlsError::InvalidMessage(_) => "the receiver does not speak TLS at this port".to_owned(),
        TlsError::PeerIncompatible(why) => match why {
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
                "the receiver offers neither TLS 1.2 nor 1.3".to_owned()
            }
            why => format!("the receiver's TLS does not go with ours: {why:?}"),
        },
        TlsError::NoCertificatesPresented => "the receiver showed no certificate".to_owned(),
        other => other.to_string(),
    }
}

/// Whether the library refuses a server's certificate because it is one of an authority. It has no kind of its own for that,
/// only the words of the room that it asks.
fn is_of_an_authority(why: &(dyn std::error::Error + 'static)) -> bool {
    why.to_string() == "CaUsedAsEndEntity"
}

fn certificate_in_words(why: &CertificateError) -> String {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the receiver's certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the receiver's certificate is not valid yet".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "the receiver's certificate is not from a known authority, or the chain it sends is not complete".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the receiver's certificate is for another name".to_owned()
        }
        CertificateError::Revoked => "the receiver's certificate has been revoked".to_owned(),
        CertificateError::Other(OtherError(why)) if is_of_an_authority(&**why) => {
            "the receiver shows the certificate of an authority in place of one for a server: one that is signed by itself, as a \
             rule"
                .to_owned()
        }
        other => format!("the receiver's certificate is not valid: {other}"),
    }
}
