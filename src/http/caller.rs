//! Who asks: the key of a request, what it opens, and whether it may call the operation.

use crate::api::{Api, Exchange};
use crate::authorization::{Authorization, Token};
use crate::ephemeral::Customers;
use crate::head::{Head, Known};
use crate::refused::Refused;
use std::sync::Arc;
use tollgate_actors::{AuthRefusal, Authenticated};
use tollgate_domain::access::{Browser, Level, Permission, Permissions, Resource, access_of, needs_version};
use tollgate_domain::customers::ephemeral_key::SECRET_START;
use tollgate_domain::directory::ApiKeyKind;
use tollgate_domain::{Call, Profile, Secrets, accounts, kinds};
use tollgate_resource::{Endpoint, Expand, Id, Version};
use tollgate_wire::browser::{BrowserForm, Sender};
use tollgate_wire::{Match, browser, errors};

/// The account a platform speaks for, in its older and its newer spelling.
const SPOKEN_FOR: [Known; 2] = [Known::StripeAccount, Known::StripeContext];

/// Who asks, and with what kind of key.
pub(crate) struct Caller {
    /// The account, in the key's mode.
    pub(crate) profile: Arc<Profile>,
    /// Whether a page in a payer's browser asks, or something like it: it sees less, and its form holds more.
    pub(crate) by_browser: bool,
    /// What the rest of the request is held against, where the key opens less than everything.
    pub(crate) bound: Option<Bound>,
}

/// What a key that opens less than everything may, besides calling the operation. It cannot be printed.
pub(crate) enum Bound {
    /// A restricted key: what an answer may show in place.
    Restricted(Box<Restricted>),
    /// A customer's own key: what the parameters may say.
    Customers(Box<Customers>),
}

/// A restricted key. It cannot be printed.
pub(crate) struct Restricted {
    permissions: Permissions,
    key: Box<str>,
    account: Id,
}

impl Restricted {
    /// Whether the key may read what these fields show.
    pub(crate) fn may_expand(&self, expand: &Expand) -> Result<(), Refused> {
        for path in expand.paths() {
            for resource in path.split('.').filter_map(Resource::of_field) {
                let needed = Permission {
                    resource,
                    level: Level::Read,
                };
                if !self.permissions.allow(needed) {
                    let account = self.account.text(&kinds::ACCOUNT);
                    return Err(errors::permission_missing(&self.key, &account, &needed.public_name()).into());
                }
            }
        }
        Ok(())
    }
}

impl Caller {
    /// The version that its requests are answered at, where they name none: an app's key was made at the version of the app.
    pub(crate) fn version(&self) -> Version {
        let of_key = match &self.bound {
            Some(Bound::Customers(customers)) => customers.version,
            Some(Bound::Restricted(_)) | None => None,
        };
        of_key.unwrap_or(self.profile.api_version)
    }
}

impl Api {
    /// Authenticates a request and says whether its key may call the operation. `body` is what was read of it so far.
    pub(crate) async fn caller(
        &self,
        http: &Head,
        matched: &Match<'_>,
        body: Option<&[u8]>,
        exchange: &mut Exchange,
    ) -> Result<Caller, Refused> {
        let endpoint = matched.endpoint();
        let in_form;
        let token = match Authorization::read(http.get(Known::Authorization)) {
            Authorization::Missing => match key_in_form(http, endpoint, body) {
                Some(key) => {
                    in_form = key;
                    Token::of(&in_form)
                }
                None => return Err(errors::no_api_key().into()),
            },
            Authorization::Malformed => return Err(errors::invalid_api_key("").into()),
            Authorization::Key(token) => token,
        };
        if token.secret().starts_with(SECRET_START) {
            // Rare: in a box, so that other requests' futures have no room for it.
            let (profile, customers) = Box::pin(self.ephemeral(token.secret(), matched, exchange)).await?;
            speaks_for_itself(http, profile.id, &token)?;
            return Ok(Caller {
                profile,
                by_browser: false,
                bound: Some(Bound::Customers(Box::new(customers))),
            });
        }
        let authenticated = self.lookup(&token, exchange.now_ms).await?;
        exchange.authenticated = true;
        if authenticated.kind != ApiKeyKind::Secret {
            may_call(&authenticated, &token, endpoint)?;
        }
        let own = authenticated.profile.id;
        speaks_for_itself(http, own, &token)?;
        if endpoint.path == accounts::BY_ID {
            own_account(own, &token, matched.segment(0).unwrap_or_default())?;
        }
        if needs_version(endpoint) && http.get(Known::StripeVersion).is_none() {
            return Err(errors::version_missing().into());
        }
        let bound = (authenticated.kind == ApiKeyKind::Restricted).then(|| {
            Bound::Restricted(Box::new(Restricted {
                permissions: authenticated.permissions,
                key: token.secret().into(),
                account: own,
            }))
        });
        Ok(Caller {
            bound,
            by_browser: authenticated.kind == ApiKeyKind::Publishable,
            profile: Arc::clone(&authenticated.profile),
        })
    }

    async fn lookup(&self, token: &Token<'_>, now_ms: u64) -> Result<Arc<Authenticated>, Refused> {
        let directory = &self.services.directory;
        let found = match directory.authenticate(token.secret(), now_ms) {
            // Once in a sandbox's life: in a box, so that other requests' futures have no room for it.
            Err(AuthRefusal::SandboxNotOpen) => {
                let opened = Box::pin(directory.open_sandbox(token.secret())).await;
                // It may be a key that another node made, and that has expired; and this is a use of it.
                opened.and_then(|_| directory.authenticate(token.secret(), now_ms))
            }
            // Another node may have made it a moment ago.
            Err(AuthRefusal::Unknown) if self.services.nodes.is_some() => {
                Box::pin(directory.authenticate_anew(token.secret(), now_ms)).await
            }
            found => found,
        };
        found.map_err(|refusal| {
            let reject = match refusal {
                AuthRefusal::Unknown | AuthRefusal::SandboxNotOpen => errors::invalid_api_key(token.secret()),
                AuthRefusal::Revoked | AuthRefusal::Expired => errors::expired_api_key(token.secret()),
                AuthRefusal::Unavailable => errors::unavailable(),
            };
            reject.into()
        })
    }
}

/// The form of a browser's request as the operation takes it, if the client secret in it is right where one is needed.
pub(crate) fn browser_form(
    form: &[u8],
    matched: &Match<'_>,
    secrets: &Secrets,
    http: &Head,
) -> Result<BrowserForm, Refused> {
    let endpoint = matched.endpoint();
    let declared = endpoint.params.fields.iter().any(|field| field.name == "client_secret");
    let sender = Sender {
        user_agent: http.text(Known::UserAgent),
    };
    let read = browser::browser_form(form, declared, sender)?;
    let Browser::WithClientSecret(kind) = access_of(endpoint).browser else {
        return Ok(read);
    };
    let Some(given) = read.client_secret.as_deref().filter(|secret| !secret.is_empty()) else {
        return Err(errors::client_secret_missing().into());
    };
    let text = matched.segment(0).unwrap_or_default();
    // The secret follows from the id, so a wrong one is told apart before anything is looked up. What is no id at all
    // goes on to its 404.
    match kind.parse(text) {
        Some(id) if !same(&secrets.client_secret(kind, id), given) => Err(errors::client_secret_wrong(kind).into()),
        _ => Ok(read),
    }
}

/// The key a page's library sends in the form, where a page may call the operation.
fn key_in_form(http: &Head, endpoint: &Endpoint<Call>, body: Option<&[u8]>) -> Option<String> {
    if access_of(endpoint).browser == Browser::Refused {
        return None;
    }
    let query = http.query().as_bytes();
    let key = body.and_then(browser::key_of).or_else(|| browser::key_of(query))?;
    // A secret key in a form would stand in logs of pages and proxies: it is not taken from there.
    key.starts_with("pk_").then_some(key)
}

/// Refuses a request for another account than the key's own.
fn speaks_for_itself(http: &Head, own: Id, token: &Token<'_>) -> Result<(), Refused> {
    for name in SPOKEN_FOR {
        if let Some(account) = http.get(name) {
            own_account(own, token, &String::from_utf8_lossy(account))?;
        }
    }
    Ok(())
}

/// Refuses any account but the key's own: it would be a connected one, which there are none of.
fn own_account(own: Id, token: &Token<'_>, account: &str) -> Result<(), Refused> {
    if account == own.text(&kinds::ACCOUNT) {
        return Ok(());
    }
    Err(errors::no_access_to_account(token.secret(), account).into())
}

fn may_call(authenticated: &Authenticated, token: &Token<'_>, endpoint: &Endpoint<Call>) -> Result<(), Refused> {
    let access = access_of(endpoint);
    match authenticated.kind {
        ApiKeyKind::Secret => Ok(()),
        ApiKeyKind::Publishable if access.browser == Browser::Refused => Err(errors::publishable_key().into()),
        ApiKeyKind::Publishable => Ok(()),
        ApiKeyKind::Restricted if authenticated.permissions.allow(access.permission) => Ok(()),
        ApiKeyKind::Restricted => {
            let account = authenticated.profile.id.text(&kinds::ACCOUNT);
            let needed = access.permission.public_name();
            Err(errors::permission_missing(token.secret(), &account, &needed).into())
        }
    }
}

/// Whether two texts are the same, in a time that says nothing about where they differ.
fn same(right: &str, given: &str) -> bool {
    right.len() == given.len()
        && right
            .bytes()
            .zip(given.bytes())
            .fold(0, |differs, (right, given)| differs | (right ^ given))
            == 0
}
