//! What a merchant says of how a card payment came about. Test networks believe it.

use super::imported::{ImportedAuthentication, ImportedAuthenticationParams};
use super::rule::{AuthenticationAsk, AuthenticationNeed, AuthenticationRule, ThreeDSecureRequest};
use tollgate_resource::{Names, Params, Record, Update};

/// What a merchant says of how a card payment came about; nearly all say nothing.
#[derive(Clone, Debug, Default, PartialEq, Record)]
pub struct Claims {
    /// The holder proved who they are to another provider of 3D Secure.
    #[record(1)]
    pub imported: Option<ImportedAuthentication>,
    /// The order came by mail or telephone: nobody can be asked.
    #[record(2)]
    pub moto: bool,
    /// The holder agreed to payments like this one when the card was saved elsewhere.
    #[record(3)]
    pub agreed_before: bool,
    /// The merchant makes the payment with a card that was saved elsewhere; the holder is away.
    #[record(4)]
    pub merchant_initiated: bool,
    /// The account's rules of risk are not asked.
    #[record(5)]
    pub skips_rules: bool,
}

/// What was agreed with the holder of a card that was saved elsewhere, as a parameter.
#[derive(Params, Default, Clone, Debug)]
pub struct MitExemptionParams {
    /// That they agreed, where no number of the first payment is known.
    pub claim_without_transaction_id: Option<bool>,
    /// The directory's number of the first payment.
    pub ds_transaction_id: Option<Box<str>>,
    /// The network's number of the first payment.
    pub network_transaction_id: Option<Box<str>>,
}

/// What a payment with a saved card is, as a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Names)]
pub enum StoredCredential {
    /// The first one; others follow without the holder, now and then.
    SetupOffSessionUnscheduled,
    /// The first one; others follow without the holder, at intervals.
    SetupOffSessionRecurring,
    /// The first one; others follow with the holder.
    SetupOnSession,
    /// A later one with the holder.
    StoredOnSession,
    /// A later one without the holder, at intervals.
    StoredOffSessionRecurring,
    /// A later one without the holder, now and then.
    StoredOffSessionUnscheduled,
}

/// What of a card's settings says how a payment came about.
pub struct ClaimsAsked<'a> {
    /// How 3D Secure went elsewhere.
    pub three_d_secure: &'a Update<ImportedAuthenticationParams>,
    /// Whether the order came by mail or telephone.
    pub moto: Option<bool>,
    /// What was agreed when the card was saved elsewhere.
    pub mit_exemption: Option<&'a MitExemptionParams>,
    /// Whether the network's number of an earlier payment is given by itself.
    pub network_transaction: bool,
    /// What a payment with a saved card is.
    pub stored: Option<StoredCredential>,
}

impl ClaimsAsked<'_> {
    /// Merges what is asked into what is kept; nothing is kept where nothing is claimed.
    pub fn apply_to(&self, kept: &mut Option<Box<Claims>>) {
        let says_nothing = matches!(self.three_d_secure, Update::Keep)
            && self.moto.is_none()
            && self.mit_exemption.is_none()
            && !self.network_transaction
            && self.stored.is_none();
        if says_nothing {
            return;
        }
        let mut claims = kept.take().unwrap_or_default();
        match self.three_d_secure {
            Update::Keep => {}
            Update::Clear => claims.imported = None,
            Update::Set(imported) => claims.imported = Some(imported.into()),
        }
        claims.moto = self.moto.unwrap_or(claims.moto);
        if let Some(asked) = self.mit_exemption {
            claims.agreed_before =
                asked.network_transaction_id.is_some() || asked.claim_without_transaction_id == Some(true);
        }
        claims.agreed_before |= self.network_transaction;
        if let Some(stored) = self.stored {
            claims.merchant_initiated = matches!(
                stored,
                StoredCredential::StoredOffSessionRecurring | StoredCredential::StoredOffSessionUnscheduled
            );
        }
        *kept = Some(claims).filter(|claims| **claims != Claims::default());
    }
}

impl Claims {
    /// What a card wants where this is claimed.
    pub fn ask(&self, rule: AuthenticationRule, asked: AuthenticationAsk) -> AuthenticationNeed {
        if let Some(imported) = &self.imported {
            return AuthenticationNeed::Nothing(Some(imported.result()));
        }
        let away = self.moto || self.merchant_initiated;
        rule.ask(AuthenticationAsk {
            off_session: asked.off_session || away,
            request: if away {
                ThreeDSecureRequest::Automatic
            } else {
                asked.request
            },
            prepared: asked.prepared || self.moto || self.agreed_before,
        })
    }
}
