//! One command and what it may look at: its account, and objects by kind.

use super::{Decision, Lookup, Reply, Stop, World};
use crate::customers::customer::Customer;
use crate::customers::ephemeral_key::EphemeralKey;
use crate::draft::Draft;
use crate::facts::Claim;
use crate::files::file::File;
use crate::files::file_link::FileLink;
use crate::inputs::Inputs;
use crate::kinds;
use crate::object::Object;
use crate::payments::charge::Charge;
use crate::payments::confirmation_token::ConfirmationToken;
use crate::payments::dispute::Dispute;
use crate::payments::mandate::Mandate;
use crate::payments::payment_domain::RegisteredDomain;
use crate::payments::payment_intent::PaymentIntent;
use crate::payments::payment_method::PaymentMethod;
use crate::payments::refund::Refund;
use crate::payments::setup_attempt::SetupAttempt;
use crate::payments::setup_intent::SetupIntent;
use crate::payments::token::Token;
use crate::radar::early_fraud_warning::EarlyFraudWarning;
use crate::radar::review::Review;
use crate::reject::Reject;
use std::sync::Arc;
use tollgate_resource::{Id, Kind, Version};

/// One command with all it may look at.
pub(crate) struct Case<'a> {
    /// Account and objects.
    pub(crate) world: &'a World<'a>,
    /// Time, entropy, who asks.
    pub(crate) inputs: &'a Inputs<'a>,
    /// The idempotency claim of the request.
    pub(crate) claim: Option<&'a Arc<Claim>>,
}

impl<'a> Case<'a> {
    /// Facts to be gathered.
    pub(crate) fn draft(&self) -> Draft {
        let account = self.world.account;
        Draft::new(
            self.inputs.now_ms,
            account.seq,
            account.tag(),
            self.inputs.request.map(|request| request.id),
        )
    }

    /// The version of the API the request is answered at; the newest if nobody asks.
    pub(crate) fn version(&self) -> Version {
        self.inputs.request.map_or(Version::NEWEST, |request| request.version)
    }

    /// The decision that nothing happens, for answers and timers that come too late.
    pub(crate) fn nothing(&self) -> Decision {
        self.draft().decide(Reply::Nobody)
    }

    /// The object, if there is one.
    pub(crate) fn find(&self, kind: &'static Kind, id: Id) -> Result<Option<&'a Object>, Stop> {
        match self.world.objects.find(kind, id) {
            Lookup::Found(object) => Ok(Some(object)),
            Lookup::Absent => Ok(None),
            Lookup::NotLoaded => Err(Stop::Load(kind, id)),
        }
    }

    /// A payment intent, if there is one with that id.
    pub(crate) fn payment_intent(&self, id: Id) -> Result<Option<&'a PaymentIntent>, Stop> {
        Ok(self.find(&kinds::PAYMENT_INTENT, id)?.map(|object| match object {
            Object::PaymentIntent(intent) => &**intent,
            other => unreachable!("{:?} was found as a payment intent", other.id()),
        }))
    }

    /// A charge, if there is one with that id.
    pub(crate) fn charge(&self, id: Id) -> Result<Option<&'a Charge>, Stop> {
        Ok(self.find(&kinds::CHARGE, id)?.map(|object| match object {
            Object::Charge(charge) => &**charge,
            other => unreachable!("{:?} was found as a charge", other.id()),
        }))
    }

    /// A refund, if there is one with that id.
    pub(crate) fn refund(&self, id: Id) -> Result<Option<&'a Refund>, Stop> {
        Ok(self.find(&kinds::REFUND, id)?.map(|object| match object {
            Object::Refund(refund) => &**refund,
            other => unreachable!("{:?} was found as a refund", other.id()),
        }))
    }

    /// A dispute, if there is one with that id.
    pub(crate) fn dispute(&self, id: Id) -> Result<Option<&'a Dispute>, Stop> {
        Ok(self.find(&kinds::DISPUTE, id)?.map(|object| match object {
            Object::Dispute(dispute) => &**dispute,
            other => unreachable!("{:?} was found as a dispute", other.id()),
        }))
    }

    /// An ephemeral key, if there is one with that id.
    pub(crate) fn ephemeral_key(&self, id: Id) -> Result<Option<&'a EphemeralKey>, Stop> {
        Ok(self.find(&kinds::EPHEMERAL_KEY, id)?.map(|object| match object {
            Object::EphemeralKey(key) => &**key,
            other => unreachable!("{:?} was found as an ephemeral key", other.id()),
        }))
    }

    /// A file, if there is one with that id.
    pub(crate) fn file(&self, id: Id) -> Result<Option<&'a File>, Stop> {
        Ok(self.find(&kinds::FILE, id)?.map(|object| match object {
            Object::File(file) => &**file,
            other => unreachable!("{:?} was found as a file", other.id()),
        }))
    }

    /// A file link, if there is one with that id.
    pub(crate) fn file_link(&self, id: Id) -> Result<Option<&'a FileLink>, Stop> {
        Ok(self.find(&kinds::FILE_LINK, id)?.map(|object| match object {
            Object::FileLink(link) => &**link,
            other => unreachable!("{:?} was found as a file link", other.id()),
        }))
    }

    /// A registered domain of a kind, if there is one with that id.
    pub(crate) fn domain(&self, kind: &'static Kind, id: Id) -> Result<Option<&'a RegisteredDomain>, Stop> {
        Ok(self.find(kind, id)?.map(|object| match object {
            Object::PaymentMethodDomain(domain) | Object::ApplePayDomain(domain) => &**domain,
            other => unreachable!("{:?} was found as a domain", other.id()),
        }))
    }

    /// A review, if there is one with that id.
    pub(crate) fn review(&self, id: Id) -> Result<Option<&'a Review>, Stop> {
        Ok(self.find(&kinds::REVIEW, id)?.map(|object| match object {
            Object::Review(review) => &**review,
            other => unreachable!("{:?} was found as a review", other.id()),
        }))
    }

    /// An early fraud warning, if there is one with that id.
    pub(crate) fn early_fraud_warning(&self, id: Id) -> Result<Option<&'a EarlyFraudWarning>, Stop> {
        let found = self.find(&kinds::EARLY_FRAUD_WARNING, id)?;
        Ok(found.map(|object| match object {
            Object::EarlyFraudWarning(warning) => &**warning,
            other => unreachable!("{:?} was found as an early fraud warning", other.id()),
        }))
    }

    /// What is paid with, if there is such a payment method, card or source.
    pub(crate) fn payment_method(&self, id: Id) -> Result<Option<&'a PaymentMethod>, Stop> {
        let found = self.find(kinds::of_method(id), id)?.map(|object| match object {
            Object::PaymentMethod(method) | Object::Source(method) | Object::Card(method) => (object, &**method),
            other => unreachable!("{:?} was found as a payment method", other.id()),
        });
        Ok(found
            .filter(|(object, _)| !object.is_deleted())
            .map(|(_, method)| method))
    }

    /// What a payment or setup under way uses: a card that was deleted meanwhile is still there for it.
    pub(crate) fn method_in_use(&self, id: Id) -> Result<Option<&'a PaymentMethod>, Stop> {
        Ok(self.find(kinds::of_method(id), id)?.map(|object| match object {
            Object::PaymentMethod(method) | Object::Source(method) | Object::Card(method) => &**method,
            other => unreachable!("{:?} was found as a payment method", other.id()),
        }))
    }

    /// A token, if there is one with that id.
    pub(crate) fn token(&self, id: Id) -> Result<Option<&'a Token>, Stop> {
        Ok(self.find(&kinds::TOKEN, id)?.map(|object| match object {
            Object::Token(token) => &**token,
            other => unreachable!("{:?} was found as a token", other.id()),
        }))
    }

    /// A confirmation token, if there is one with that id.
    pub(crate) fn confirmation_token(&self, id: Id) -> Result<Option<&'a ConfirmationToken>, Stop> {
        let found = self.find(&kinds::CONFIRMATION_TOKEN, id)?;
        Ok(found.map(|object| match object {
            Object::ConfirmationToken(token) => &**token,
            other => unreachable!("{:?} was found as a confirmation token", other.id()),
        }))
    }

    /// A setup intent, if there is one with that id.
    pub(crate) fn setup_intent(&self, id: Id) -> Result<Option<&'a SetupIntent>, Stop> {
        Ok(self.find(&kinds::SETUP_INTENT, id)?.map(|object| match object {
            Object::SetupIntent(intent) => &**intent,
            other => unreachable!("{:?} was found as a setup intent", other.id()),
        }))
    }

    /// A setup attempt, if there is one with that id.
    pub(crate) fn setup_attempt(&self, id: Id) -> Result<Option<&'a SetupAttempt>, Stop> {
        Ok(self.find(&kinds::SETUP_ATTEMPT, id)?.map(|object| match object {
            Object::SetupAttempt(attempt) => &**attempt,
            other => unreachable!("{:?} was found as a setup attempt", other.id()),
        }))
    }

    /// A mandate, if there is one with that id.
    pub(crate) fn mandate(&self, id: Id) -> Result<Option<&'a Mandate>, Stop> {
        Ok(self.find(&kinds::MANDATE, id)?.map(|object| match object {
            Object::Mandate(mandate) => &**mandate,
            other => unreachable!("{:?} was found as a mandate", other.id()),
        }))
    }

    /// The customer a path names.
    pub(crate) fn customer_of_path(&self, id: Id) -> Result<&'a Customer, Stop> {
        self.customer(id)?
            .ok_or_else(|| Reject::no_such(&kinds::CUSTOMER, id, "id").into())
    }

    /// The customer above something in a path.
    pub(crate) fn customer_of(&self, id: Id) -> Result<&'a Customer, Stop> {
        self.customer(id)?
            .ok_or_else(|| Reject::no_such(&kinds::CUSTOMER, id, "customer").into())
    }

    /// Makes sure that the customer a parameter names exists.
    pub(crate) fn check_customer(&self, id: Id) -> Result<(), Stop> {
        match self.customer(id)? {
            Some(_) => Ok(()),
            None => Err(Reject::no_such_param(&kinds::CUSTOMER, id, "customer").into()),
        }
    }

    /// A customer that was not deleted, if there is one with that id.
    pub(crate) fn customer(&self, id: Id) -> Result<Option<&'a Customer>, Stop> {
        let found = self.find(&kinds::CUSTOMER, id)?.map(|object| match object {
            Object::Customer(customer) => &**customer,
            other => unreachable!("{:?} was found as a customer", other.id()),
        });
        Ok(found.filter(|customer| !customer.deleted))
    }
}
