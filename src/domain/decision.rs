//! The way a command takes through the domain: `decide` reads a world and says what happens; it changes nothing.

use crate::account::Account;
use crate::acquirer::AttemptId;
use crate::balance::Balance;
use crate::call::{Command, Read};
use crate::customers::customer::{self, Customer};
use crate::customers::customer_balance_transaction;
use crate::customers::ephemeral_key::{self, EphemeralKey};
use crate::customers::source;
use crate::customers::tax_id;
use crate::draft::Draft;
use crate::facts::{Claim, Facts};
use crate::files::file::{self, File};
use crate::files::file_link::{self, FileLink};
use crate::inputs::Inputs;
use crate::kinds;
use crate::object::{Item, Object};
use crate::payments::charge::{self, Charge};
use crate::payments::confirmation_token::{self, ConfirmationToken};
use crate::payments::dispute::{self, Dispute};
use crate::payments::mandate::Mandate;
use crate::payments::payment_intent::{self, PaymentIntent};
use crate::payments::payment_method::{self, PaymentMethod};
use crate::payments::refund::{self, Refund};
use crate::payments::setup_attempt::SetupAttempt;
use crate::payments::setup_intent::{self, SetupIntent};
use crate::payments::token::{self, Token};
use crate::radar::early_fraud_warning::EarlyFraudWarning;
use crate::radar::review::{self, Review};
use crate::reject::Reject;
use std::sync::Arc;
use tollgate_resource::{Id, Kind, Version};

/// What a decision may look at.
pub struct World<'a> {
    /// The account's own state: books, settings, sequence.
    pub account: &'a Account,
    /// Its objects, as far as they are in memory.
    pub objects: &'a dyn Objects,
}

/// Objects by id.
pub trait Objects {
    /// Looks an object up. Absence is certain (`Absent`) only after the store was asked.
    fn find(&self, kind: &'static Kind, id: Id) -> Lookup<'_>;
}

/// What is known about an id.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'a> {
    /// Here it is, at its newest version (durable or not).
    Found(&'a Object),
    /// There is none.
    Absent,
    /// It may be in the store: load it and decide again.
    NotLoaded,
}

/// A decision that could not be made, or refuses.
#[derive(Debug, Clone, PartialEq)]
pub enum Stop {
    /// Load this object, then decide again.
    Load(&'static Kind, Id),
    /// This object waits for its network: park the command and decide again when it changes (bounded; then 429
    /// `lock_timeout`).
    Busy(Id),
    /// Refused; nothing changes (a decline is no `Stop`: it changes things).
    Reject(Box<Reject>),
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What changes. Empty facts (no object, entry, event) need no block unless an outcome is to be remembered.
    pub facts: Facts,
    /// What the asker hears.
    pub reply: Reply,
    /// A request, other than the asker, that this decides: the one whose attempt was resolved.
    pub settles: Option<Settled>,
}

/// What the asker of a command hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// 200 with this object, which is among the facts' objects or in the world.
    Object(&'static Kind, Id),
    /// An error, although things changed (a decline).
    Reject(Box<Reject>),
    /// Nothing yet: a later decision with `settles.attempt` equal to this answers.
    Await(AttemptId),
    /// Nobody asked (timer, network).
    Nobody,
}

/// The end of a request that waited for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The attempt it waited for.
    pub attempt: AttemptId,
    /// The claim of its idempotency key, if it had one.
    pub claim: Option<Claim>,
    /// What it hears.
    pub reply: Reply,
}

/// Decides a command. `claim` is the idempotency claim of the request, for attempts to carry.
///
/// # Errors
/// [`Stop`]: something must be loaded or waited for first, or the command is refused.
pub fn decide(
    world: &World<'_>,
    command: &Command,
    claim: Option<&Claim>,
    inputs: &Inputs<'_>,
) -> Result<Decision, Stop> {
    let case = Case { world, inputs, claim };
    match command {
        Command::CreatePaymentIntent(asked) => payment_intent::create(&case, asked),
        Command::ConfirmPaymentIntent(id, asked) => payment_intent::confirm(&case, *id, asked),
        Command::UpdatePaymentIntent(id, asked) => payment_intent::update(&case, *id, asked),
        Command::IncrementAuthorization(id, asked) => payment_intent::increment(&case, *id, asked),
        Command::ApplyCustomerBalance(id, asked) => payment_intent::apply_customer_balance(&case, *id, asked),
        Command::VerifyPaymentMicrodeposits(id, asked) => payment_intent::verify_microdeposits(&case, *id, asked),
        Command::CapturePaymentIntent(id, asked) => payment_intent::capture(&case, *id, asked),
        Command::CancelPaymentIntent(id, asked) => payment_intent::cancel(&case, *id, asked),
        Command::CreateCharge(asked) => charge::create(&case, asked),
        Command::UpdateCharge(id, asked) => charge::update(&case, *id, asked),
        Command::CaptureCharge(id, asked) => charge::capture(&case, *id, asked),
        Command::CreateRefund(asked) => refund::create(&case, asked),
        Command::UpdateRefund(charge, id, asked) => refund::update(&case, *charge, *id, asked),
        Command::CancelRefund(id) => refund::cancel(&case, *id),
        Command::CreateChargeRefund(charge, asked) => refund::create_for_charge(&case, *charge, asked, &kinds::REFUND),
        Command::RefundCharge(charge, asked) => refund::create_for_charge(&case, *charge, asked, &kinds::CHARGE),
        Command::CreateCustomer(asked) => customer::create(&case, asked),
        Command::UpdateCustomer(id, asked) => customer::update(&case, *id, asked),
        Command::DeleteCustomer(id) => customer::delete(&case, *id),
        Command::CompleteAction(done) if done.object.is(&kinds::SETUP_INTENT) => setup_intent::complete(&case, *done),
        Command::CreateCustomerBalanceTransaction(customer, asked) => {
            customer_balance_transaction::create(&case, *customer, asked)
        }
        Command::UpdateCustomerBalanceTransaction(customer, id, asked) => {
            customer_balance_transaction::update(&case, *customer, *id, asked)
        }
        Command::SaveSource(customer, asked) => source::save(&case, *customer, asked),
        Command::ChangeSource(customer, id, asked) => source::change(&case, *customer, *id, asked),
        Command::RemoveSource(customer, id) => source::remove(&case, *customer, *id),
        Command::CreateSource(asked) => source::create(&case, asked),
        Command::UpdateSource(id, asked) => source::update(&case, *id, asked),
        Command::CreateTaxId(customer, asked) => tax_id::create(&case, *customer, asked),
        Command::DeleteTaxId(customer, id) => tax_id::delete(&case, *customer, *id),
        Command::CompleteAction(done) => payment_intent::complete_action(&case, *done),
        Command::CreatePaymentMethod(asked) => payment_method::create(&case, asked),
        Command::DrawPaymentMethod(card) => payment_method::draw(&case, card),
        Command::UpdatePaymentMethod(method, asked) => payment_method::update(&case, *method, asked),
        Command::AttachPaymentMethod(method, customer) => payment_method::attach(&case, *method, *customer),
        Command::DetachPaymentMethod(method) => payment_method::detach(&case, *method),
        Command::CreateToken(asked) => token::create(&case, asked),
        Command::CreateConfirmationToken(asked) => confirmation_token::create(&case, asked),
        Command::UpdateDispute(id, asked) => dispute::update(&case, *id, asked),
        Command::CloseDispute(id) => dispute::close(&case, *id),
        Command::CreateSetupIntent(asked) => setup_intent::create(&case, asked),
        Command::UpdateSetupIntent(id, asked) => setup_intent::update(&case, *id, asked),
        Command::ConfirmSetupIntent(id, asked) => setup_intent::confirm(&case, *id, asked),
        Command::CancelSetupIntent(id, asked) => setup_intent::cancel(&case, *id, asked),
        Command::VerifySetupIntent(id, asked) => setup_intent::verify_microdeposits(&case, *id, asked),
        Command::CreateEphemeralKey(customer) => ephemeral_key::create(&case, *customer),
        Command::DeleteEphemeralKey(key) => ephemeral_key::delete(&case, *key),
        Command::ApproveReview(id) => review::approve(&case, *id),
        Command::CreateFile(asked) => file::create(&case, asked),
        Command::CreateFileLink(asked) => file_link::create(&case, asked),
        Command::UpdateFileLink(id, asked) => file_link::update(&case, *id, asked),
        Command::ResolveAttempt(attempt, answer) if attempt.object.is(&kinds::REFUND) => {
            refund::resolve(&case, *attempt, *answer)
        }
        Command::ResolveAttempt(attempt, answer) => payment_intent::resolve(&case, *attempt, *answer),
        Command::TimerDue(object) if object.is(&kinds::CHARGE) => charge::timer_due(&case, *object),
        Command::TimerDue(object) if object.is(&kinds::REFUND) => refund::timer_due(&case, *object),
        Command::TimerDue(object) if object.is(&kinds::DISPUTE) => dispute::timer_due(&case, *object),
        Command::TimerDue(object) if object.is(&kinds::TAX_ID) => tax_id::timer_due(&case, *object),
        Command::TimerDue(object) => payment_intent::timer_due(&case, *object),
    }
}

/// Answers a read of one object or value.
///
/// An event is no object of the world: it stands in the record it was born in, where the reader finds it with
/// [`Facts::event`]. Asked for one, this answers [`Stop::Load`].
///
/// # Errors
/// [`Stop`]: the object must be loaded first, or there is none (404 `resource_missing`).
pub fn read(world: &World<'_>, read: Read, now_ms: u64) -> Result<Item, Stop> {
    match read {
        Read::Account => Ok(Item::Account(Arc::clone(&world.account.profile))),
        Read::Balance => Ok(Item::Balance(Arc::new(Balance::of(world.account, now_ms)))),
        Read::PaymentMethodOf { customer, method } => payment_method_of(world, customer, method),
        Read::Object(kind, id, _) if *kind == kinds::EVENT => Err(Stop::Load(kind, id)),
        // A card or source in newer words.
        Read::Object(kind, id, param) if *kind == kinds::PAYMENT_METHOD && !id.is(kind) => {
            let object = found(world, kinds::of_method(id), id, param)?;
            if object.is_deleted() {
                return Err(Reject::no_such(kinds::of_method(id), id, param).into());
            }
            Ok(Item::Object(object.clone().into_payment_method()))
        }
        Read::Object(kind, id, param) => {
            let object = found(world, kind, id, param)?;
            // Of a deleted customer the stub stays; other objects are gone.
            if object.is_deleted() && *kind != kinds::CUSTOMER {
                return Err(Reject::no_such(kind, id, param).into());
            }
            Ok(Item::Object(object.clone()))
        }
        Read::Child {
            parent,
            kind,
            id,
            param,
        } => child(world, parent, kind, id, param),
        Read::Below {
            parent: (of, parent, parent_param),
            kind,
            id,
            param,
        } => {
            if found(world, of, parent, parent_param)?.is_deleted() {
                return Err(Reject::no_such(of, parent, parent_param).into());
            }
            child(world, parent, kind, id, param)
        }
    }
}

/// An object that has to do with `parent`.
fn child(world: &World<'_>, parent: Id, kind: &'static Kind, id: Id, param: &str) -> Result<Item, Stop> {
    let object = found(world, kind, id, param)?;
    let mut belongs = false;
    object.parents(&mut |of| belongs |= of == parent);
    if object.is_deleted() || !belongs {
        return Err(Reject::no_such(kind, id, param).into());
    }
    Ok(Item::Object(object.clone()))
}

fn found<'a>(world: &World<'a>, kind: &'static Kind, id: Id, param: &str) -> Result<&'a Object, Stop> {
    match world.objects.find(kind, id) {
        Lookup::Found(object) => Ok(object),
        Lookup::Absent => Err(Reject::no_such(kind, id, param).into()),
        Lookup::NotLoaded => Err(Stop::Load(kind, id)),
    }
}

/// A payment method below its customer. A customer, or payment method of one, that does not exist is a 404 with the name
/// of its segment.
fn payment_method_of(world: &World<'_>, customer: Id, method: Id) -> Result<Item, Stop> {
    let find = |kind, id, param| match world.objects.find(kind, id) {
        Lookup::Found(object) => Ok(object),
        Lookup::Absent => Err(Stop::from(Reject::no_such(kind, id, param))),
        Lookup::NotLoaded => Err(Stop::Load(kind, id)),
    };
    find(&kinds::CUSTOMER, customer, "customer")?;
    let object = find(kinds::of_method(method), method, "payment_method")?;
    match object {
        Object::PaymentMethod(found) | Object::Card(found) | Object::Source(found)
            if found.customer == Some(customer) && !object.is_deleted() =>
        {
            Ok(Item::Object(object.clone().into_payment_method()))
        }
        _ => Err(Reject::no_such(&kinds::PAYMENT_METHOD, method, "payment_method").into()),
    }
}

/// One command with all it may look at.
pub(crate) struct Case<'a> {
    /// Account and objects.
    pub(crate) world: &'a World<'a>,
    /// Time, entropy, who asks.
    pub(crate) inputs: &'a Inputs<'a>,
    /// The idempotency claim of the request.
    pub(crate) claim: Option<&'a Claim>,
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

impl From<Reject> for Stop {
    fn from(reject: Reject) -> Stop {
        Stop::Reject(Box::new(reject))
    }
}
