//! Requests of a customer's own app, made with an ephemeral key: what it opens is looked up with every request, so that a key
//! that was deleted opens nothing.

use crate::api::{Api, Exchange};
use crate::refused::Refused;
use std::sync::Arc;
use tollgate_actors::{Request, Shown};
use tollgate_domain::access::{BY_CUSTOMERS, OfCustomer, access_of, of_customer};
use tollgate_domain::customers::ephemeral_key::Bearer;
use tollgate_domain::object::{Item, Object};
use tollgate_domain::{AccountKey, Call, Profile, Read, Reject, kinds};
use tollgate_resource::{Expand, Id, Kind, Version};
use tollgate_wire::forms::Filling;
use tollgate_wire::{Match, errors, versions};

/// What a request with an ephemeral key is held against, once it is read.
pub(crate) struct Customers {
    /// The version the key was made at, where that is known.
    pub(crate) version: Option<Version>,
    customer: Id,
    what: OfCustomer,
    /// What is heard where the form says more than a customer may.
    may_not: Reject,
}

impl Customers {
    /// Whether a request says no more than the customer may: in the parameters as the operation takes them, so that what
    /// a client sends twice, in the query besides the body, or in brackets is what it is for the operation.
    pub(crate) fn may_say(&self, said: &Filling<'_>) -> Result<(), Box<Reject>> {
        match self.what {
            OfCustomer::Refused | OfCustomer::InPath | OfCustomer::OfPaymentMethod => Ok(()),
            OfCustomer::Itself => match said.names().find(|name| !BY_CUSTOMERS.contains(name)) {
                None => Ok(()),
                Some(_) => Err(Box::new(self.may_not.clone())),
            },
            OfCustomer::AsParameter => {
                let Some(text) = said.text("customer") else {
                    return Err(Box::new(errors::customer_missing()));
                };
                match kinds::CUSTOMER.parse(text) {
                    Some(named) if named == self.customer => Ok(()),
                    Some(other) => Err(Box::new(Reject::no_such_param(&kinds::CUSTOMER, other, "customer"))),
                    // What is no id was refused by the operation before.
                    None => Err(Box::new(self.may_not.clone())),
                }
            }
        }
    }
}

impl Api {
    /// The account of the ephemeral key `token`, if the path is its customer's, and what it may say.
    pub(crate) async fn ephemeral(
        &self,
        token: &str,
        matched: &Match<'_>,
        exchange: &mut Exchange,
    ) -> Result<(Arc<Profile>, Customers), Refused> {
        let (request, now_ms) = (exchange.echo.request, exchange.now_ms);
        let unknown = || Refused::from(errors::invalid_api_key(token));
        let bearer = Bearer::read(token, &self.services.secrets).ok_or_else(unknown)?;
        self.belongs_here(AccountKey::of(bearer.account, bearer.livemode))
            .await?;
        let profiles = self.services.directory.profiles_of(bearer.account);
        let profile = profiles.into_iter().find(|profile| profile.livemode == bearer.livemode);
        let profile = profile.ok_or_else(unknown)?;
        let found = self
            .look_up(&profile, &kinds::EPHEMERAL_KEY, bearer.key, request)
            .await?;
        let Some(Object::EphemeralKey(key)) = found else {
            return Err(unknown());
        };
        if !key.is_open(now_ms) {
            return Err(errors::expired_api_key(token).into());
        }
        exchange.authenticated = true;
        let customer = key.customer;
        let account = profile.id.text(&kinds::ACCOUNT);
        let needed = access_of(matched.endpoint()).permission.public_name();
        let may_not = errors::permission_missing(token, &account, &needed);
        let what = of_customer(matched.endpoint());
        match what {
            OfCustomer::Refused => return Err(may_not.into()),
            OfCustomer::InPath | OfCustomer::Itself => {
                if let Some(other) = named(&kinds::CUSTOMER, matched.segment(0)).filter(|named| *named != customer) {
                    return Err(Reject::no_such(&kinds::CUSTOMER, other, "id").into());
                }
            }
            OfCustomer::AsParameter => {}
            OfCustomer::OfPaymentMethod => {
                // The name of a test card is nobody's yet.
                let Some(method) = named(&kinds::PAYMENT_METHOD, matched.segment(0)) else {
                    return Err(may_not.into());
                };
                let found = self.look_up(&profile, &kinds::PAYMENT_METHOD, method, request).await?;
                let own = matches!(found, Some(Object::PaymentMethod(found)) if found.customer == Some(customer));
                if !own {
                    return Err(Reject::no_such(&kinds::PAYMENT_METHOD, method, "payment_method").into());
                }
            }
        }
        Ok((
            profile,
            Customers {
                version: key.version,
                customer,
                what,
                may_not,
            },
        ))
    }

    /// An object of an account; `None` when there is none.
    async fn look_up(
        &self,
        profile: &Arc<Profile>,
        kind: &'static Kind,
        id: Id,
        request: Id,
    ) -> Result<Option<Object>, Refused> {
        let asked = Request {
            profile: Arc::clone(profile),
            call: Call::Read(Read::Object(kind, id, "id")),
            request,
            version: versions::DEFAULT,
            expand: Expand::default(),
            claim: None,
        };
        match self.client.begin(asked)?.await?.result {
            Ok(Shown::One(Item::Object(object))) => Ok(Some(object)),
            Err(reject) if reject.status != 404 => Err((*reject).into()),
            _ => Ok(None),
        }
    }
}

/// The id in a text. What is none goes on, and is refused where it is read.
fn named(kind: &'static Kind, text: Option<&str>) -> Option<Id> {
    kind.parse(text?)
}
