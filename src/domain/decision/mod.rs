//! The way a command takes through the domain: `decide` reads a world and says what happens; it changes nothing.

mod case;

pub(crate) use case::Case;

use crate::account::Account;
use crate::acquirer::AttemptId;
use crate::balance::Balance;
use crate::call::{Command, Read};
use crate::customers::customer;
use crate::customers::customer_balance_transaction;
use crate::customers::ephemeral_key;
use crate::customers::source;
use crate::customers::tax_id;
use crate::facts::{Claim, Facts};
use crate::files::file;
use crate::files::file_link;
use crate::inputs::Inputs;
use crate::kinds;
use crate::object::{Item, Object};
use crate::payments::charge;
use crate::payments::confirmation_token;
use crate::payments::dispute;
use crate::payments::payment_domain;
use crate::payments::payment_intent;
use crate::payments::payment_method;
use crate::payments::payment_method_configuration;
use crate::payments::refund;
use crate::payments::setup_intent;
use crate::payments::token;
use crate::radar::review;
use crate::reject::Reject;
use crate::webhooks::event_destination;
use crate::webhooks::webhook_endpoint;
use std::sync::Arc;
use tollgate_resource::{Id, Kind};

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
    /// Whoever delivers events knows the answer, and does what was asked.
    Handed,
    /// Nobody asked (timer, network).
    Nobody,
}

/// The end of a request that waited for a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The attempt it waited for.
    pub attempt: AttemptId,
    /// The claim of its idempotency key, if it had one.
    pub claim: Option<Arc<Claim>>,
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
    claim: Option<&Arc<Claim>>,
    inputs: &Inputs<'_>,
) -> Result<Decision, Stop> {
    let case = Case { world, inputs, claim };
    match command {
        Command::CreatePaymentIntent(asked) => payment_intent::create(&case, asked),
        Command::ConfirmPaymentIntent(id, asked) => payment_intent::confirm(&case, *id, asked),
        Command::ConfirmInBrowser(id, asked) => payment_intent::confirm_in_browser(&case, *id, asked),
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
        Command::VerifySource(customer, id, asked) => source::verify(&case, *customer, *id, asked),
        Command::RemoveSource(customer, id) => source::remove(&case, *customer, *id),
        Command::CreateSource(asked) => source::create(&case, asked),
        Command::UpdateSource(id, asked) => source::update(&case, *id, asked),
        Command::CreateTaxId(customer, asked) => tax_id::create(&case, *customer, asked),
        Command::DeleteTaxId(customer, id) => tax_id::delete(&case, *customer, *id),
        Command::CompleteAction(done) => payment_intent::complete_action(&case, *done),
        Command::CreatePaymentMethod(asked) => payment_method::create(&case, asked),
        Command::DrawPaymentMethod(card) => payment_method::draw(&case, *card),
        Command::UpdatePaymentMethod(method, asked) => payment_method::update(&case, *method, asked),
        Command::AttachPaymentMethod(method, customer, saving) => {
            payment_method::attach(&case, *method, *customer, *saving)
        }
        Command::DetachPaymentMethod(method) => payment_method::detach(&case, *method),
        Command::CreatePaymentMethodConfiguration(asked) => payment_method_configuration::create(&case, asked),
        Command::UpdatePaymentMethodConfiguration(id, asked) => payment_method_configuration::update(&case, *id, asked),
        Command::CreatePaymentMethodDomain(asked) => payment_domain::create(&case, asked),
        Command::UpdatePaymentMethodDomain(id, asked) => payment_domain::update(&case, *id, asked),
        Command::CreateApplePayDomain(asked) => payment_domain::create_for_apple_pay(&case, asked),
        Command::DeleteApplePayDomain(id) => payment_domain::delete_for_apple_pay(&case, *id),
        Command::CreateToken(asked) => token::create(&case, asked),
        Command::CreateConfirmationToken(asked) => confirmation_token::create(&case, asked),
        Command::CreatePageConfirmationToken(asked) => confirmation_token::create_on_page(&case, asked),
        Command::UpdateDispute(id, asked) => dispute::update(&case, *id, asked),
        Command::CloseDispute(id) => dispute::close(&case, *id),
        Command::UpdateDisputeOfCharge(charge, asked) => {
            dispute::update(&case, dispute::of_charge(&case, *charge)?, asked)
        }
        Command::CloseDisputeOfCharge(charge) => dispute::close(&case, dispute::of_charge(&case, *charge)?),
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
        Command::CreateWebhookEndpoint(asked, vetted) => webhook_endpoint::create(&case, asked, vetted),
        Command::UpdateWebhookEndpoint(id, asked, vetted) => webhook_endpoint::update(&case, *id, asked, vetted),
        Command::DeleteWebhookEndpoint(id) => webhook_endpoint::delete(&case, *id),
        Command::RollWebhookSecret(id, asked) => webhook_endpoint::roll_secret(&case, *id, asked),
        Command::CreateEventDestination(asked, vetted) => event_destination::create(&case, asked, vetted),
        Command::UpdateEventDestination(id, asked, vetted) => event_destination::update(&case, *id, asked, vetted),
        Command::DeleteEventDestination(id) => event_destination::delete(&case, *id),
        Command::SwitchEventDestination(id, enabled) => event_destination::switch(&case, *id, *enabled),
        Command::ReportWebhookEndpoint(id, report) => webhook_endpoint::report(&case, *id, *report),
        Command::AskDeliveries => Ok(case.draft().decide(Reply::Handed)),
        Command::ResolveAttempt(attempt, answer) if attempt.object.is(&kinds::REFUND) => {
            refund::resolve(&case, *attempt, *answer)
        }
        Command::ResolveAttempt(attempt, answer) if attempt.object.is(&kinds::CHARGE) => {
            charge::resolve(&case, *attempt, *answer)
        }
        Command::ResolveAttempt(attempt, answer) if attempt.object.is(&kinds::SETUP_INTENT) => {
            setup_intent::resolve(&case, *attempt, *answer)
        }
        Command::ResolveAttempt(attempt, answer) => payment_intent::resolve(&case, *attempt, *answer),
        Command::TimerDue(object) if object.is(&kinds::CHARGE) => charge::timer_due(&case, *object),
        Command::TimerDue(object) if object.is(&kinds::REFUND) => refund::timer_due(&case, *object),
        Command::TimerDue(object) if object.is(&kinds::SETUP_INTENT) => setup_intent::timer_due(&case, *object),
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
        Read::Configurations(asked) => {
            payment_method_configuration::list(world.account, asked).map(|page| Item::Configurations(Arc::new(page)))
        }
        Read::LineItems { intent, paging } => match found(world, &kinds::PAYMENT_INTENT, intent, "intent")? {
            Object::PaymentIntent(found) => {
                payment_intent::line_items::page(found, paging).map(|page| Item::LineItems(Arc::new(page)))
            }
            other => unreachable!("{:?} was found as a payment intent", other.id()),
        },
        Read::Object(kind, id, param) if *kind == kinds::PAYMENT_METHOD_CONFIGURATION => {
            let found = world.account.configuration(id);
            let found = found.ok_or_else(|| Reject::no_such(kind, id, param))?;
            Ok(Item::Object(Object::PaymentMethodConfiguration(found)))
        }
        // In the account's state, where no secret is left to show.
        Read::Object(kind, id, param) if *kind == kinds::WEBHOOK_ENDPOINT => {
            let found = webhook_endpoint::retrieve(world.account, id, param)?;
            Ok(Item::Object(Object::WebhookEndpoint(found)))
        }
        Read::AnyWebhookEndpoint(kind, id, param) => {
            let found = world.account.endpoint(id).cloned();
            let found = found.ok_or_else(|| Reject::no_such(kind, id, param))?;
            Ok(Item::Object(Object::WebhookEndpoint(found)))
        }
        Read::EventDestination(id, included) => {
            let found = event_destination::retrieve(world.account, id, included)?;
            Ok(Item::Object(Object::WebhookEndpoint(found)))
        }
        Read::EventDestinations(asked) => {
            event_destination::list(world.account, asked).map(|page| Item::EventDestinations(Arc::new(page)))
        }
        Read::WebhookEndpoints(asked) => {
            webhook_endpoint::list(world.account, asked).map(|page| Item::WebhookEndpoints(Arc::new(page)))
        }
        Read::Balance => Ok(Item::Balance(Arc::new(Balance::of(world.account, now_ms)))),
        Read::DisputeOf(charge) => match found(world, &kinds::CHARGE, charge, "charge")? {
            Object::Charge(found) => {
                let id = found.dispute().ok_or_else(|| dispute::none_of(charge))?;
                self::read(world, Read::Object(&kinds::DISPUTE, id, "dispute"), now_ms)
            }
            other => unreachable!("{:?} was found as a charge", other.id()),
        },
        Read::PaymentMethodOf { customer, method } => payment_method_of(world, customer, method),
        Read::Object(kind, id, param) if *kind == kinds::ACCOUNT => {
            if id != world.account.profile.id {
                return Err(Reject::no_such(kind, id, param).into());
            }
            Ok(Item::Account(Arc::clone(&world.account.profile)))
        }
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
/// of its segment; a payment method that is not this customer's one that tells nothing of it.
fn payment_method_of(world: &World<'_>, customer: Id, method: Id) -> Result<Item, Stop> {
    let find = |kind, id, param| match world.objects.find(kind, id) {
        Lookup::Found(object) => Ok(object),
        Lookup::Absent => Err(Stop::from(Reject::no_such(kind, id, param))),
        Lookup::NotLoaded => Err(Stop::Load(kind, id)),
    };
    find(&kinds::CUSTOMER, customer, "customer")?;
    let object = find(kinds::of_method(method), method, "payment_method")?;
    match object {
        Object::PaymentMethod(found) | Object::Card(found) | Object::Source(found) if !object.is_deleted() => {
            if found.customer != Some(customer) {
                let reject = Reject::invalid(None, "Invalid request").with_param("customer");
                return Err(Reject { status: 404, ..reject }.into());
            }
            Ok(Item::Object(object.clone().into_payment_method()))
        }
        _ => Err(Reject::no_such(&kinds::PAYMENT_METHOD, method, "payment_method").into()),
    }
}

impl Stop {
    /// Embeds the intent in the refusal of a payment method that belongs to somebody else.
    pub(crate) fn about_owner_of_method(self, kind: &'static Kind, intent: Id) -> Stop {
        match self {
            Stop::Reject(reject) if reject.is_about_owner_of_method() => Stop::from(match kind {
                kind if *kind == kinds::SETUP_INTENT => reject.with_setup_intent(intent),
                _ => reject.with_payment_intent(intent),
            }),
            other => other,
        }
    }
}

impl From<Reject> for Stop {
    fn from(reject: Reject) -> Stop {
        Stop::Reject(Box::new(reject))
    }
}
