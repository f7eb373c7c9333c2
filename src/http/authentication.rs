//! The page on which the holder of a test card proves who they are. It needs no key: its address is the secret.

use crate::answer::{Answer, Content};
use crate::refused::Refused;
use crate::services::Services;
use std::sync::Arc;
use tollgate_actors::{Client, Request, Response, Shown};
use tollgate_domain::payments::authentication::{ActionToken, CompletedAction};
use tollgate_domain::{AccountKey, Call, Command, Item, Object, Read};
use tollgate_resource::{Expand, Id};
use tollgate_wire::{authentication, versions};

/// What a visitor of the page wants.
pub(crate) enum Visit {
    /// To see it.
    Look,
    /// To press one of its buttons.
    Press(Vec<u8>),
}

/// Answers a visit of the page of `token`. `request` is the visit's own id.
pub(crate) async fn visit(
    services: &Services,
    client: &Client,
    token: ActionToken,
    visit: Visit,
    request: Id,
) -> Result<Answer, Refused> {
    // Test cards are known in test mode only.
    let Some(profile) = services.engine.profile(AccountKey::of(token.account, false)) else {
        return Ok(over());
    };
    let ask = |call| Request {
        profile: Arc::clone(&profile),
        call,
        request,
        version: versions::DEFAULT,
        expand: Expand::default(),
        claim: None,
    };
    let read = Call::Read(Read::Object(token.kind, token.object, "intent"));
    let seen = client.begin(ask(read))?.await?;
    let action = shown(&seen)
        .and_then(Object::action)
        .filter(|action| action.nonce == token.nonce);
    let Some(action) = action else { return Ok(over()) };
    let authenticated = match visit {
        Visit::Look => {
            let page = authentication::authentication_page(&token, &services.secrets, action.redirects);
            return Ok(Answer::new(200, Content::Form, page));
        }
        Visit::Press(form) if form == authentication::COMPLETE.as_bytes() => true,
        Visit::Press(form) if form == authentication::FAIL.as_bytes() => false,
        Visit::Press(_) => {
            let page = authentication::authentication_page(&token, &services.secrets, action.redirects);
            return Ok(Answer::new(400, Content::Form, page));
        }
    };
    let done = CompletedAction {
        object: token.object,
        nonce: token.nonce,
        authenticated,
    };
    let response = client.begin(ask(Call::Write(Command::CompleteAction(done))))?.await?;
    let succeeded = match &response.result {
        Ok(_) => shown(&response).is_some_and(|object| !object.last_try_failed()),
        // The bank refused; the intent says so.
        Err(reject) if reject.status == 402 => false,
        // Somebody else was quicker.
        Err(reject) if reject.status == 400 => return Ok(over()),
        Err(reject) => return Err((**reject).clone().into()),
    };
    Ok(match &action.return_url {
        Some(url) => {
            let address = authentication::return_address(url, token.kind, token.object, &services.secrets, succeeded);
            Answer {
                location: Some(address),
                ..Answer::new(303, Content::Form, authentication::authenticated_page(succeeded))
            }
        }
        None => Answer::new(200, Content::Form, authentication::authenticated_page(succeeded)),
    })
}

fn shown(response: &Response) -> Option<&Object> {
    match &response.result {
        Ok(Shown::One(Item::Object(object))) => Some(object),
        _ => None,
    }
}

fn over() -> Answer {
    Answer::new(410, Content::Form, authentication::authentication_over_page())
}
