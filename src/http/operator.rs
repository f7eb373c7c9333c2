//! What an operator does with accounts and keys, as JSON: the same for the operator API and for the command line on a
//! data directory.

use crate::account_text::{self, DESCRIPTOR_CHARS, descriptor};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tollgate_actors::DirectoryHandle;
use tollgate_actors::clock::unix_ms;
use tollgate_actors::directory::{self, DirectoryError, NewTerms, WhichKey};
use tollgate_domain::Profile;
use tollgate_domain::access::{Permission, Resource};
use tollgate_domain::country::Country;
use tollgate_domain::directory::{ApiKey, ApiKeyKind, DirectoryProblem};
use tollgate_domain::kinds::ACCOUNT;
use tollgate_domain::money::Currency;
use tollgate_resource::{Id, Names};
use tollgate_wire::versions;

/// Longest time a rolled key works on, in seconds: 30 days.
const OVERLAP_S_MAX: u64 = 30 * 24 * 60 * 60;

/// What a new account is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAccount {
    /// Country, two letters.
    pub country: String,
    /// Default currency, three letters.
    pub currency: String,
    /// What cardholders read on their statements.
    pub statement_descriptor: Option<String>,
}

/// What a new key is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// A publishable instead of a secret key.
    pub publishable: bool,
    /// A restricted key with these permissions, such as `charges:read`, instead of a secret one.
    pub allow: Option<Vec<String>>,
    /// For live instead of test mode.
    pub live: bool,
}

/// What is to change of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatedAccount {
    /// Names and new values, in order.
    pub set: Vec<(String, String)>,
    /// The mode that is meant; both without.
    pub live: Option<bool>,
}

/// Why an operator's wish was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// It cannot be understood.
    #[error("{0}")]
    Invalid(String),
    /// What it is about does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The asker may not.
    #[error("{0}")]
    Forbidden(String),
    /// The directory is not serving.
    #[error("{0}")]
    Unavailable(String),
}

impl OperatorError {
    /// The HTTP status that says so.
    pub(crate) fn status(&self) -> u16 {
        match self {
            OperatorError::Invalid(_) => 400,
            OperatorError::Forbidden(_) => 403,
            OperatorError::NotFound(_) => 404,
            OperatorError::Unavailable(_) => 503,
        }
    }
}

impl From<DirectoryError> for OperatorError {
    fn from(error: DirectoryError) -> OperatorError {
        match error {
            DirectoryError::Problem(DirectoryProblem::NoSuchAccount | DirectoryProblem::NoSuchKey) => {
                OperatorError::NotFound(error.to_string())
            }
            DirectoryError::Problem(_) | DirectoryError::Ambiguous => OperatorError::Invalid(error.to_string()),
            DirectoryError::Unavailable => OperatorError::Unavailable(error.to_string()),
        }
    }
}

/// The operator's hand on the directory.
pub struct Operator {
    directory: DirectoryHandle,
}

impl Operator {
    /// Works on this directory.
    pub fn new(directory: DirectoryHandle) -> Operator {
        Operator { directory }
    }

    /// Every account in each of its modes: `{"accounts": […]}`.
    pub async fn accounts(&self) -> Result<Value, OperatorError> {
        let accounts: Vec<Value> = self
            .directory
            .list()
            .await?
            .iter()
            .map(|listing| {
                let profile = &listing.profile;
                json!({
                    "account": profile.id.text(&ACCOUNT),
                    "livemode": profile.livemode,
                    "country": profile.country.code(),
                    "default_currency": profile.default_currency.code(),
                    "api_version": versions::name(profile.api_version),
                    "statement_descriptor": profile.statement_descriptor.as_deref(),
                    "created": profile.created_ms / 1000,
                })
            })
            .collect();
        Ok(json!({ "accounts": accounts }))
    }

    /// Creates an account: `{"account": "acct_…", "keys": [{"secret": "sk_test_…", …}, …]}`. Keys are never shown again.
    pub async fn create_account(&self, wanted: NewAccount) -> Result<Value, OperatorError> {
        let created = self.directory.create_account(terms(wanted)?).await?;
        let keys: Vec<Value> = created.keys.iter().map(new_key).collect();
        Ok(json!({ "account": created.id.text(&ACCOUNT), "keys": keys }))
    }

    /// Keys without their texts, of one account or all: `{"keys": […]}`.
    pub async fn keys(&self, account: Option<&str>) -> Result<Value, OperatorError> {
        let wanted = account.map(account_id).transpose()?;
        let listings = self.directory.list().await?;
        let mut keys = Vec::new();
        let mut found = wanted.is_none();
        for listing in &listings {
            let profile = &listing.profile;
            if wanted.is_some_and(|wanted| wanted != profile.id) {
                continue;
            }
            found = true;
            let account = profile.id.text(&ACCOUNT);
            keys.extend(
                listing
                    .keys
                    .iter()
                    .map(|key| known_key(key, &account, profile.livemode)),
            );
        }
        if !found {
            return Err(OperatorError::NotFound(format!(
                "there is no account {}",
                account.unwrap_or_default()
            )));
        }
        Ok(json!({ "keys": keys }))
    }

    /// Makes a key: `{"secret": "sk_test_…", …}`. It is never shown again.
    pub async fn create_key(&self, account: &str, wanted: NewKey) -> Result<Value, OperatorError> {
        let (kind, permissions) = match (wanted.publishable, &wanted.allow) {
            (false, None) => (ApiKeyKind::Secret, Vec::new()),
            (true, None) => (ApiKeyKind::Publishable, Vec::new()),
            (false, Some(allow)) => (ApiKeyKind::Restricted, permissions(allow)?),
            (true, Some(_)) => {
                return Err(OperatorError::Invalid(
                    "a key is publishable or restricted, not both".into(),
                ));
            }
        };
        let account = account_id(account)?;
        let created = self
            .directory
            .create_key(account, wanted.live, kind, permissions)
            .await?;
        Ok(new_key(&created))
    }

    /// Makes a key in place of another one, which works for `overlap_s` seconds still: `{"secret": "sk_test_…", …}`.
    pub async fn roll_key(&self, key: &str, overlap_s: u64) -> Result<Value, OperatorError> {
        if overlap_s > OVERLAP_S_MAX {
            return Err(OperatorError::Invalid(format!(
                "a rolled key works for at most {OVERLAP_S_MAX} seconds still"
            )));
        }
        let overlap = Duration::from_secs(overlap_s);
        Ok(new_key(&self.directory.roll_key(which_key(key)?, overlap).await?))
    }

    /// An account's settings in each of its modes: `{"accounts": [{"settings": {…}, …}, …]}`.
    pub fn account(&self, account: &str) -> Result<Value, OperatorError> {
        let profiles = self.profiles(account)?;
        let shown: Vec<Value> = profiles.iter().map(|profile| account_text::shown(profile)).collect();
        Ok(json!({ "accounts": shown }))
    }

    /// Changes settings of an account; answers as [`Operator::account`]. All are changed or none.
    pub async fn update_account(&self, account: &str, wanted: UpdatedAccount) -> Result<Value, OperatorError> {
        let profiles = self.profiles(account)?;
        let meant = profiles
            .iter()
            .filter(|profile| wanted.live.is_none_or(|live| live == profile.livemode));
        let changed: Result<Vec<Profile>, String> = meant
            .map(|profile| account_text::changed_by(profile, &wanted.set, unix_ms()))
            .collect();
        self.directory
            .change_account(changed.map_err(OperatorError::Invalid)?)
            .await?;
        self.account(account)
    }

    fn profiles(&self, account: &str) -> Result<Vec<Arc<Profile>>, OperatorError> {
        let profiles = self.directory.profiles_of(account_id(account)?);
        if profiles.is_empty() {
            return Err(OperatorError::NotFound(format!("there is no account {account}")));
        }
        Ok(profiles)
    }

    /// Revokes a key by its text, or by its name in [`Operator::keys`]: `{"revoked": true}`.
    pub async fn revoke_key(&self, key: &str) -> Result<Value, OperatorError> {
        self.directory.revoke_key(which_key(key)?).await?;
        Ok(json!({ "revoked": true }))
    }
}

fn terms(wanted: NewAccount) -> Result<NewTerms, OperatorError> {
    let invalid = |what: String| OperatorError::Invalid(what);
    let country = Country::from_code(&wanted.country)
        .ok_or_else(|| invalid(format!("{} is no country; use two letters such as US", wanted.country)))?;
    let currency = Currency::from_code(&wanted.currency).ok_or_else(|| {
        invalid(format!(
            "{} is no currency; use three letters such as usd",
            wanted.currency
        ))
    })?;
    if let Some(text) = &wanted.statement_descriptor
        && descriptor(text, DESCRIPTOR_CHARS).flatten().is_none()
    {
        return Err(invalid(format!(
            "a statement descriptor has 5 to 22 characters, a letter among them and none of < > \\ ' \" *; not '{text}'"
        )));
    }
    Ok(NewTerms {
        country,
        default_currency: currency,
        api_version: versions::DEFAULT,
        statement_descriptor: wanted.statement_descriptor.map(Into::into),
    })
}

fn account_id(text: &str) -> Result<Id, OperatorError> {
    let wrong = || OperatorError::NotFound(format!("there is no account {text}; accounts look like acct_…"));
    ACCOUNT.parse(text).ok_or_else(wrong)
}

fn new_key(key: &directory::NewKey) -> Value {
    json!({
        "secret": key.text,
        "kind": key.kind.name(),
        "livemode": key.livemode,
        "permissions": texts(&key.permissions),
    })
}

fn known_key(key: &ApiKey, account: &str, livemode: bool) -> Value {
    json!({
        "key": format!("{account}/{}/{}", mode_name(livemode), key.last4),
        "account": account,
        "kind": key.kind.name(),
        "livemode": livemode,
        "last4": key.last4,
        "created": key.created_ms / 1000,
        "revoked": key.revoked_ms.map(|at_ms| at_ms / 1000),
        "expires": key.expires_ms.map(|at_ms| at_ms / 1000),
        "last_used": (key.used_ms > 0).then_some(key.used_ms / 1000),
        "permissions": texts(&key.permissions),
    })
}

fn texts(permissions: &[Permission]) -> Vec<String> {
    permissions.iter().map(Permission::to_string).collect()
}

fn permissions(allow: &[String]) -> Result<Vec<Permission>, OperatorError> {
    let mut permissions: Vec<Permission> = Vec::with_capacity(allow.len());
    for text in allow {
        let permission = Permission::from_text(text.trim()).ok_or_else(|| {
            OperatorError::Invalid(format!(
                "there is no permission {text}; write RESOURCE:read or RESOURCE:write, with one of {}",
                Resource::NAMES.join(", ")
            ))
        })?;
        // The stronger of two for one resource counts.
        match permissions
            .iter_mut()
            .find(|known| known.resource == permission.resource)
        {
            Some(known) => known.level = known.level.max(permission.level),
            None => permissions.push(permission),
        }
    }
    Ok(permissions)
}

fn which_key(key: &str) -> Result<WhichKey, OperatorError> {
    key_name(key).unwrap_or_else(|| Ok(WhichKey::Text(key.to_owned())))
}

fn mode_name(livemode: bool) -> &'static str {
    if livemode { "live" } else { "test" }
}

/// Reads `acct_…/test/1a2b`; `None` for what is not written like that.
fn key_name(text: &str) -> Option<Result<WhichKey, OperatorError>> {
    let mut parts = text.split('/');
    let (account, mode, last4) = (parts.next()?, parts.next()?, parts.next()?);
    let livemode = match mode {
        "live" => true,
        "test" => false,
        _ => return None,
    };
    if parts.next().is_some() {
        return None;
    }
    Some(account_id(account).map(|account| WhichKey::Last4 {
        account,
        livemode,
        last4: last4.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys_read_back_and_texts_of_keys_are_no_names() {
        let account = Id::new(&ACCOUNT, 1_800_000_000_000, 7, 9).text(&ACCOUNT);
        let read = |text: &str| key_name(text).map(|which| which.map(|which| format!("{which:?}")));
        assert!(
            read(&format!("{account}/live/1a2b"))
                .is_some_and(|which| which.is_ok_and(|which| which.contains("true, 1a2b")))
        );
        assert!(read("acct_nobody/test/1a2b").is_some_and(|which| which.is_err()));
        assert_eq!(read("sk_test_abc"), None);
        assert_eq!(read("a/b"), None);
        assert_eq!(read(&format!("{account}/x/1a2b")), None);
    }

    #[test]
    fn wrong_terms_are_refused_with_what_to_do() {
        let wanted = |country: &str, currency: &str, descriptor: Option<&str>| NewAccount {
            country: country.into(),
            currency: currency.into(),
            statement_descriptor: descriptor.map(Into::into),
        };
        assert!(terms(wanted("us", "USD", Some("TOLLGATE"))).is_ok());
        for (wrong, says) in [
            (wanted("ZZZ", "usd", None), "two letters"),
            (wanted("US", "dollars", None), "three letters"),
            (wanted("US", "usd", Some("abc")), "5 to 22"),
        ] {
            assert!(terms(wrong).expect_err(says).to_string().contains(says));
        }
    }
}
