//! The objects an account holds, at one version each.

use crate::balance::balance_transaction::BalanceTransaction;
use crate::customers::customer::Customer;
use crate::payments::charge::Charge;
use crate::payments::payment_intent::PaymentIntent;
use crate::payments::payment_method::PaymentMethod;
use crate::payments::refund::Refund;
use crate::balance::Balance;
use crate::events::Event;
use crate::secrets::Secrets;
use std::sync::Arc;
use tollgate_resource::{Id, Kind, Record, Shown};

/// One object at one version. Cheap to clone; immutable.
#[derive(Clone, Debug, PartialEq, Record)]
pub enum Object {
    /// A payment intent.
    #[record(1)]
    PaymentIntent(Arc<PaymentIntent>),
    /// A charge.
    #[record(2)]
    Charge(Arc<Charge>),
    /// A refund.
    #[record(3)]
    Refund(Arc<Refund>),
    /// A customer.
    #[record(4)]
    Customer(Arc<Customer>),
    /// A balance transaction.
    #[record(5)]
    BalanceTransaction(Arc<BalanceTransaction>),
    /// A payment method.
    #[record(6)]
    PaymentMethod(Arc<PaymentMethod>),
}

/// Anything an answer can show.
#[derive(Clone, Debug)]
pub enum Item {
    /// An object.
    Object(Object),
    /// An event with the object it is about.
    Event(Box<Event>),
    /// The balance of an account.
    Balance(Arc<Balance>),
}

/// What showing an object depends on besides the object.
#[derive(Clone, Copy, Debug)]
pub struct ShowContext<'a> {
    /// Keys for client secrets.
    pub secrets: &'a Secrets,
    /// The clock of the answer, milliseconds; decides pending or available.
    pub clock_ms: u64,
    /// Whether the account is in live mode.
    pub livemode: bool,
}

impl Object {
    /// Its kind.
    pub fn kind(&self) -> &'static Kind {
        unimplemented!("contract only")
    }
    /// Its id.
    pub fn id(&self) -> Id {
        unimplemented!("contract only")
    }
}

impl Item {
    /// Builds what is shown and passes it on (the shown struct borrows from the stored one).
    pub fn with_shown<R>(&self, context: &ShowContext<'_>, with: impl FnOnce(&dyn Shown) -> R) -> R {
        let _ = (context, with);
        unimplemented!("contract only")
    }
}
