//! What a few operations need besides the engine: a look at an address, bytes that are kept, the answer of whoever delivers.

use super::asked::Asked;
use super::{Api, Exchange};
use crate::answer::Answer;
use crate::deliveries::DeliveryQuestion;
use crate::files::PendingBytes;
use crate::head::Head;
use crate::multipart::{self, Received};
use crate::refused::Refused;
use crate::webhook_urls;
use std::borrow::Cow;
use tollgate_actors::{Response, Shown};
use tollgate_domain::Reject;
use tollgate_domain::webhooks::deliveries::DeliveryAsked;
use tollgate_domain::webhooks::webhook_endpoint::Vetted;
use tollgate_resource::Id;
use tollgate_wire::{Match, errors};

impl Api {
    /// Looks at the address that webhooks are to be sent to, if the request names one. What is found is told with the command:
    /// a request whose key is known is answered as it was, whatever has become of the name.
    pub(super) async fn vetted<'k>(
        &self,
        matched: &Match<'_>,
        form: &[u8],
        asked: Asked<'k>,
    ) -> Result<Asked<'k>, Refused> {
        let services = &self.services;
        let parsed = services.edge.parse(matched, form, asked.version, &services.secrets);
        let call = parsed.map_err(Refused::from)?.call;
        let Some(url) = webhook_urls::named_url(&call) else {
            return Ok(asked);
        };
        let vetted = match services.webhook_urls.vet(url, asked.profile.livemode).await {
            Ok(()) => Vetted::Fit,
            Err(why) => Vetted::Unfit(why.into()),
        };
        Ok(Asked { vetted, ..asked })
    }

    /// An upload: its bytes are durable before the engine hears of them.
    pub(super) async fn upload(
        &self,
        http: &Head,
        matched: &Match<'_>,
        body: bytes::Bytes,
        param: &str,
        asked: Asked<'_>,
        exchange: &mut Exchange,
    ) -> Result<Answer, Refused> {
        let Received { form, file } = multipart::read(http, &body, param)?;
        // What is wrong is refused before anything is kept.
        let parsed = self
            .services
            .edge
            .parse(matched, &form, asked.version, &self.services.secrets);
        parsed.map_err(Refused::from)?;
        let pending = file.as_ref().map(|(_, digest)| PendingBytes {
            digest: *digest,
            account: asked.profile.key,
            request: exchange.echo.request,
            by: None,
        });
        if let (Some(pending), Some((bytes, _))) = (pending, file)
            && let Err(error) = self.services.files.keep(pending, bytes).await
        {
            tracing::error!(%error, "an upload could not be written");
            return Err(errors::unavailable().into());
        }
        drop(body);
        let waiting = match self.begin(http, matched, Cow::Borrowed(&form), asked, exchange) {
            Ok(waiting) => waiting,
            Err(refused) => {
                // It never left, so no record will name the bytes.
                if let Some(pending) = pending {
                    self.services.files.settle(pending, false).await;
                }
                return Err(refused);
            }
        };
        let response = waiting.await?;
        if let Some(pending) = pending {
            self.services.files.settle(pending, response.result.is_ok()).await;
        }
        Ok(self.rendering.measure(|| self.rendered(&response, exchange)))
    }

    /// What whoever delivers answers to a question: `found` is what the engine said of the object that it is about. A key is
    /// claimed first, in the account's journal like every other: what was asked under it before is then asked in the name of the
    /// request that did, which whoever delivers knows.
    pub(super) async fn delivered(
        &self,
        question: DeliveryQuestion,
        found: Box<Response>,
        exchange: &Exchange,
    ) -> Result<Box<Response>, Refused> {
        if found.result.is_err() {
            return Ok(found);
        }
        let DeliveryQuestion { profile, call, claims } = question;
        let Some(desk) = &self.services.deliveries else {
            let result = Err(Box::new(errors::unavailable()));
            return Ok(Box::new(Response { result, ..*found }));
        };
        let asked = call.asked.clone();
        let Some(claims) = claims else {
            let told = desk.port().ask(profile, call, None).await;
            return Ok(answered(&asked, told, None, *found));
        };
        let key = claims
            .claim
            .as_ref()
            .map(|(_, claim)| claim.key.clone())
            .unwrap_or_default();
        let waiting = self
            .client
            .begin(claims)
            .map_err(|refusal| self.refused_inside(refusal))?;
        let claimed = waiting.await?;
        if claimed.result.is_err() {
            return Ok(claimed);
        }
        let first = claimed.replayed.unwrap_or(exchange.echo.request);
        let told = desk.ask_once(profile, call, first, &key).await;
        Ok(answered(&asked, told, claimed.replayed, *found))
    }
}

/// The answer to a question, which of an event that is sent again is the event.
fn answered(
    asked: &DeliveryAsked,
    told: Result<Shown, Reject>,
    replayed: Option<Id>,
    found: Response,
) -> Box<Response> {
    match (asked, told) {
        (DeliveryAsked::Resend(_), Ok(_)) => Box::new(Response { replayed, ..found }),
        (_, result) => Box::new(Response {
            result: result.map_err(Box::new),
            attached: Vec::new(),
            replayed,
            ..found
        }),
    }
}
