//! Requests of a customer's own app, made with an ephemeral key: what it opens is looked up with every request, so that a key
//! that was deleted opens nothing.

use crate::api::Api;
use crate::refused::Refused;
use std::sync::Arc;
use tollgate_actors::{Request, Shown};
use tollgate_domain::access::{BY_CUSTOMERS, OfCustomer, access_of, of_customer};
use tollgate_domain::customers::ephemeral_key::Bearer;
use tollgate_domain::object::{Item, Object};
use tollgate_domain::{Call, Profile, Read, Reject, kinds};
use tollgate_resource::{Expand, Id, Kind};
use tollgate_wire::{Match, browser, errors, versions};

impl Api {
    /// The account of the ephemeral key `token`, if the request is about its customer. `forms` are the request's body and
    /// query, as far as they were read.
    pub(crate) async fn ephemeral(
        &self,
        token: &str,
        matched: &Match<'_>,
        forms: [Option<&[u8]>; 2],
        request: Id,
        now_ms: u64,
    ) -> Result<Arc<Profile>, Refused> {
        let unknown = || Refused::from(errors::invalid_api_key(token));
        let bearer = Bearer::read(token, &self.services.secrets).ok_or_else(unknown)?;
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
        let customer = key.customer;
        let may_not = || {
            let account = profile.id.text(&kinds::ACCOUNT);
            let needed = access_of(matched.endpoint()).permission.public_name();
            Refused::from(errors::permission_missing(token, &account, &needed))
        };
        match of_customer(matched.endpoint()) {
            OfCustomer::Refused => return Err(may_not()),
            what @ (OfCustomer::InPath | OfCustomer::Itself) => {
                let more = |form: &&[u8]| browser::other_than(form, BY_CUSTOMERS).is_some();
                if what == OfCustomer::Itself && forms.iter().flatten().any(more) {
                    return Err(may_not());
                }
                if let Some(other) = named(&kinds::CUSTOMER, matched.segment(0)).filter(|named| *named != customer) {
                    return Err(Reject::no_such(&kinds::CUSTOMER, other, "id").into());
                }
            }
            OfCustomer::AsParameter => {
                let given = forms
                    .into_iter()
                    .flatten()
                    .find_map(|form| browser::value_of(form, "customer"));
                match given {
                    None => return Err(errors::customer_missing().into()),
                    Some(text) => {
                        if let Some(other) = named(&kinds::CUSTOMER, Some(&text)).filter(|named| *named != customer) {
                            return Err(Reject::no_such_param(&kinds::CUSTOMER, other, "customer").into());
                        }
                    }
                }
            }
            OfCustomer::OfPaymentMethod => {
                // The name of a test card is nobody's yet.
                let method = named(&kinds::PAYMENT_METHOD, matched.segment(0)).ok_or_else(may_not)?;
                let found = self.look_up(&profile, &kinds::PAYMENT_METHOD, method, request).await?;
                let own = matches!(found, Some(Object::PaymentMethod(found)) if found.customer == Some(customer));
                if !own {
                    return Err(Reject::no_such(&kinds::PAYMENT_METHOD, method, "payment_method").into());
                }
            }
        }
        Ok(profile)
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
            Err(reject) if reject.status != 404 => Err(reject.into()),
            _ => Ok(None),
        }
    }
}

/// The id in a text. What is none goes on, and is refused where it is read.
fn named(kind: &'static Kind, text: Option<&str>) -> Option<Id> {
    kind.parse(text?)
}
