//! The receipt of a charge. It needs no key: its address is the secret.

use crate::answer::{Answer, Content};
use crate::refused::Refused;
use crate::services::Services;
use tollgate_actors::{Client, Request, Shown};
use tollgate_domain::payments::charge::ReceiptToken;
use tollgate_domain::{Call, Item, Object, Read, kinds};
use tollgate_resource::{Expand, Id};
use tollgate_wire::{receipt, versions};

/// Answers a visit of the receipt of `token`. `request` is the visit's own id.
pub(crate) async fn visit(
    services: &Services,
    client: &Client,
    token: ReceiptToken,
    request: Id,
) -> Result<Answer, Refused> {
    let Some(profile) = services.engine.profile(token.account) else {
        return Ok(nothing());
    };
    let mut expand = Expand::default();
    expand.add(&["refunds"]);
    let asked = Request {
        profile: profile.clone(),
        call: Call::Read(Read::Object(&kinds::CHARGE, token.charge, "charge")),
        request,
        version: versions::DEFAULT,
        expand,
        claim: None,
    };
    let seen = client.begin(asked)?.await?;
    let Ok(Shown::One(Item::Object(Object::Charge(charge)))) = &seen.result else {
        return Ok(nothing());
    };
    let refunds = seen.attached.iter().filter_map(|object| match object {
        Object::Refund(refund) => Some(&**refund),
        _ => None,
    });
    let page = receipt::receipt_page(&profile, charge, refunds);
    Ok(page.map_or_else(nothing, |page| Answer::new(200, Content::Notice, page)))
}

/// The answer where there is no receipt.
pub(crate) fn nothing() -> Answer {
    Answer::new(404, Content::Notice, receipt::no_receipt_page())
}
