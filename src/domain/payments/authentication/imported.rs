//! 3D Secure that a merchant had from another provider.

use super::rule::ThreeDSecureResult;
use tollgate_resource::{Names, Params, Record};

/// How 3D Secure went at another provider. The cryptogram is not kept: nothing here could check it.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct ImportedAuthentication {
    /// The version of 3D Secure.
    #[record(1)]
    pub version: ThreeDSecureVersion,
    /// The directory's number of it.
    #[record(2)]
    pub transaction_id: Box<str>,
    /// The network's number of how it went.
    #[record(3)]
    pub electronic_commerce_indicator: Option<CommerceIndicator>,
    /// The exemption that was claimed.
    #[record(4)]
    pub exemption_indicator: Option<ExemptionIndicator>,
    /// What the issuer answered.
    #[record(5)]
    pub answer: Option<TransactionStatus>,
}

/// Versions of 3D Secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum ThreeDSecureVersion {
    /// 1.0.2.
    #[record(1)]
    #[name = "1.0.2"]
    V102,
    /// 2.1.0.
    #[record(2)]
    #[name = "2.1.0"]
    V210,
    /// 2.2.0.
    #[record(3)]
    #[name = "2.2.0"]
    V220,
    /// 2.3.0.
    #[record(4)]
    #[name = "2.3.0"]
    V230,
    /// 2.3.1.
    #[record(5)]
    #[name = "2.3.1"]
    V231,
}

/// The networks' numbers of how 3D Secure went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum CommerceIndicator {
    /// Tried, of Mastercard.
    #[record(1)]
    #[name = "01"]
    MastercardTried,
    /// Proved, of Mastercard.
    #[record(2)]
    #[name = "02"]
    MastercardProved,
    /// Proved.
    #[record(3)]
    #[name = "05"]
    Proved,
    /// Tried.
    #[record(4)]
    #[name = "06"]
    Tried,
    /// Neither.
    #[record(5)]
    #[name = "07"]
    Neither,
}

/// Exemptions that can be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum ExemptionIndicator {
    /// The payment looks harmless.
    #[record(1)]
    LowRisk,
    /// None.
    #[record(2)]
    None,
}

/// What an issuer answers to 3D Secure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names, Record)]
pub enum TransactionStatus {
    /// The attempt is acknowledged.
    #[record(1)]
    #[name = "A"]
    Attempted,
    /// The holder is to be asked.
    #[record(2)]
    #[name = "C"]
    Challenge,
    /// Only told.
    #[record(3)]
    #[name = "I"]
    Informed,
    /// No.
    #[record(4)]
    #[name = "N"]
    No,
    /// Refused.
    #[record(5)]
    #[name = "R"]
    Rejected,
    /// Could not be found out.
    #[record(6)]
    #[name = "U"]
    Unknown,
    /// Yes.
    #[record(7)]
    #[name = "Y"]
    Yes,
}

/// How 3D Secure went at another provider, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct ImportedAuthenticationParams {
    /// What the issuer answered.
    pub ares_trans_status: Option<TransactionStatus>,
    /// The proof the issuer gave. It is believed, and not kept.
    #[param(required)]
    pub cryptogram: Box<str>,
    /// The network's number of how it went.
    pub electronic_commerce_indicator: Option<CommerceIndicator>,
    /// The exemption that was claimed.
    pub exemption_indicator: Option<ExemptionIndicator>,
    /// What only single networks want to know. No test network does.
    pub network_options: Option<NetworkOptionsParams>,
    /// What the provider asked of the issuer.
    #[param(max_len = 2)]
    pub requestor_challenge_indicator: Option<Box<str>>,
    /// The directory's number of it.
    #[param(required)]
    pub transaction_id: Box<str>,
    /// The version of 3D Secure.
    #[param(required)]
    pub version: Option<ThreeDSecureVersion>,
}

/// What only single networks want to know, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct NetworkOptionsParams {
    /// Of Cartes Bancaires.
    pub cartes_bancaires: Option<CartesBancairesParams>,
}

/// What Cartes Bancaires wants to know, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct CartesBancairesParams {
    /// How the cryptogram was made.
    #[param(required)]
    pub cb_avalgo: Option<CryptogramMethod>,
    /// The exemption that was claimed.
    #[param(max_len = 4)]
    pub cb_exemption: Option<Box<str>>,
    /// The score of the risk.
    pub cb_score: Option<i64>,
}

/// How Cartes Bancaires makes cryptograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum CryptogramMethod {
    /// 0.
    #[name = "0"]
    Zero,
    /// 1.
    #[name = "1"]
    One,
    /// 2.
    #[name = "2"]
    Two,
    /// 3.
    #[name = "3"]
    Three,
    /// 4.
    #[name = "4"]
    Four,
    /// A.
    #[name = "A"]
    A,
}

impl From<&ImportedAuthenticationParams> for ImportedAuthentication {
    fn from(asked: &ImportedAuthenticationParams) -> Self {
        ImportedAuthentication {
            version: asked.version.expect("the form makes sure of required parameters"),
            transaction_id: asked.transaction_id.clone(),
            electronic_commerce_indicator: asked.electronic_commerce_indicator,
            exemption_indicator: asked.exemption_indicator,
            answer: asked.ares_trans_status,
        }
    }
}

impl ImportedAuthentication {
    /// How it ended, as the merchant says.
    pub fn result(&self) -> ThreeDSecureResult {
        match (self.answer, self.electronic_commerce_indicator) {
            (Some(TransactionStatus::Attempted), _)
            | (None, Some(CommerceIndicator::Tried | CommerceIndicator::MastercardTried)) => {
                ThreeDSecureResult::AttemptAcknowledged
            }
            _ => ThreeDSecureResult::Authenticated,
        }
    }
}
