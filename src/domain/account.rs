//! An account in one mode: its profile, and the state that decisions read.

use crate::account_settings::AccountSettings;
use crate::books::{Books, LineRow};
use crate::call::EVENTS_SHOWN_MS;
use crate::country::Country;
use crate::facts::Facts;
use crate::kinds;
use crate::money::Currency;
use crate::object::Object;
use crate::payments::payment_domain::{DOMAINS_MAX, RegisteredDomain};
use crate::payments::payment_method_configuration::{CONFIGURATIONS_MAX, PaymentMethodConfiguration};
use crate::time::day_of;
use crate::webhooks::webhook_endpoint::{ENDPOINTS_MAX, WebhookEndpoint};
use siphasher::sip::SipHasher24;
use std::hash::Hasher;
use std::sync::Arc;
use tollgate_breaks::broken;
use tollgate_resource::{Id, Kind, Record, RecordError, Version};

/// An account in one mode, as shards and the journal address it: a hash of the account's id and the mode.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Record)]
pub struct AccountKey(pub u64);

impl AccountKey {
    /// What stands where nobody's objects are shown.
    pub const NOBODY: AccountKey = AccountKey(0);

    /// The key of account `id` in live or test mode.
    pub fn of(id: Id, livemode: bool) -> AccountKey {
        // Not keyed: the place of an account's data must follow from its id for ever, also after an export.
        let mut hasher = SipHasher24::new_with_keys(0x746f_6c6c_6761_7465, u64::from(livemode));
        hasher.write(&id.bits().to_le_bytes());
        let key = AccountKey(hasher.finish());
        // One id in 2^48 would have such a key; whoever opens the account draws another id.
        assert!(
            !key.is_reserved(),
            "an account's key lies where those of shards' notes do"
        );
        key
    }

    /// Whether no account has this key: the journal keeps something of its own under each of the last 65,536.
    pub fn is_reserved(self) -> bool {
        self.0 >> 16 == u64::MAX >> 16
    }

    /// The tag in the ids of the account's objects: the low 32 bits.
    pub fn tag(self) -> u32 {
        self.0 as u32
    }
}

/// What does not change with payments; kept in the directory.
#[derive(Clone, Debug, PartialEq, Record)]
pub struct Profile {
    /// Where the data of the account in this mode is.
    #[record(1)]
    pub key: AccountKey,
    /// The account, `acct_…`; the same in both modes.
    #[record(2)]
    pub id: Id,
    /// Whether this is live mode.
    #[record(3)]
    pub livemode: bool,
    /// The merchant's country; decides fees.
    #[record(4)]
    pub country: Country,
    /// Shown in the balance even when there is none of it.
    #[record(5)]
    pub default_currency: Currency,
    /// When it was created, milliseconds since the Unix epoch.
    #[record(6)]
    pub created_ms: u64,
    /// API version of requests that name none.
    #[record(7)]
    pub api_version: Version,
    /// What cardholders read on their statements; 5 to 22 characters.
    #[record(8)]
    pub statement_descriptor: Option<Box<str>>,
    /// How often it was changed. The profile with the higher number is the newer one.
    #[record(9)]
    pub revision: u32,
    /// What was decided about the account; `None` while nothing was changed. See [`Profile::settings`].
    #[record(10)]
    pub settings: Option<Box<AccountSettings>>,
    /// The API versions it had before, oldest first; `None` while it was never changed. See [`Profile::event_version`].
    #[record(11)]
    pub earlier_versions: Option<Box<Vec<EarlierVersion>>>,
}

/// An API version that an account had.
#[derive(Clone, Copy, Debug, PartialEq, Record)]
pub struct EarlierVersion {
    /// The version.
    #[record(1)]
    pub version: Version,
    /// When it was changed, milliseconds since the Unix epoch.
    #[record(2)]
    pub until_ms: u64,
}

/// Most versions that are remembered of an account; older ones are forgotten first, those of events that are not shown
/// any more before that.
const EARLIER_VERSIONS_MAX: usize = 64;

/// What an account is opened with, in both modes.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileTerms {
    /// The merchant's country.
    pub country: Country,
    /// Its default currency.
    pub default_currency: Currency,
    /// When it is created, milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// API version of requests that name none.
    pub api_version: Version,
    /// What cardholders read on their statements.
    pub statement_descriptor: Option<Box<str>>,
}

impl Profile {
    /// The profile of account `id` in one mode.
    pub fn new(id: Id, livemode: bool, terms: &ProfileTerms) -> Profile {
        assert!(id.is(&kinds::ACCOUNT), "an account's id is of kind account");
        Profile {
            key: AccountKey::of(id, livemode),
            id,
            livemode,
            country: terms.country,
            default_currency: terms.default_currency,
            created_ms: terms.created_ms,
            api_version: terms.api_version,
            statement_descriptor: terms.statement_descriptor.clone(),
            revision: 0,
            settings: None,
            earlier_versions: None,
        }
    }

    /// Has requests that name no version answered at `version` from `now_ms` on.
    pub fn set_api_version(&mut self, version: Version, now_ms: u64) {
        if version == self.api_version {
            return;
        }
        let earlier = self.earlier_versions.get_or_insert_default();
        earlier.retain(|earlier| now_ms.saturating_sub(earlier.until_ms) < EVENTS_SHOWN_MS);
        if earlier.len() == EARLIER_VERSIONS_MAX {
            earlier.remove(0);
        }
        earlier.push(EarlierVersion {
            version: self.api_version,
            until_ms: now_ms,
        });
        self.api_version = version;
    }

    /// The version in which an event that happened at `ms` is written, whoever reads it and whenever.
    pub fn event_version(&self, ms: u64) -> Version {
        let mut earlier = self.earlier_versions.as_deref().into_iter().flatten();
        let then = earlier.find(|earlier| ms < earlier.until_ms);
        then.map_or(self.api_version, |earlier| earlier.version)
    }

    /// What was decided about the account, or the defaults.
    pub fn settings(&self) -> &AccountSettings {
        static DEFAULT: AccountSettings = AccountSettings::DEFAULT;
        self.settings.as_deref().unwrap_or(&DEFAULT)
    }

    /// Whether `newer` can take this profile's place: the same account in the same mode, changed once more.
    pub fn may_become(&self, newer: &Profile) -> bool {
        (self.key, self.id, self.livemode, self.created_ms) == (newer.key, newer.id, newer.livemode, newer.created_ms)
            && self.revision.checked_add(1) == Some(newer.revision)
    }
}

/// The account's own state. Size is currencies × (ledger accounts + open days), never payments.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// What does not change with payments.
    pub profile: Arc<Profile>,
    /// Sequence number of the newest thing the account holds; 0 for none.
    pub seq: u64,
    /// Time of the newest record, milliseconds since the Unix epoch; 0 for none. Time never goes back behind it.
    pub last_now_ms: u64,
    /// The ledger's balances.
    pub books: Books,
    /// Configurations of payment methods that were made or changed, newest first.
    configurations: Vec<Arc<PaymentMethodConfiguration>>,
    /// Registered domains of both kinds, without those that were deleted, oldest first.
    domains: Vec<Arc<RegisteredDomain>>,
    /// Webhook endpoints, without those that were deleted, oldest first.
    endpoints: Vec<Arc<WebhookEndpoint>>,
}

impl Account {
    /// A new account that holds nothing.
    pub fn new(profile: Arc<Profile>) -> Account {
        Account {
            profile,
            seq: 0,
            last_now_ms: 0,
            books: Books::new(),
            configurations: Vec::new(),
            domains: Vec::new(),
            endpoints: Vec::new(),
        }
    }

    /// Changes the state by decided facts; the only thing that does.
    ///
    /// # Panics
    /// When the facts do not follow on the state (a gap in the sequence, time going back) or an entry breaks the books.
    /// The shard that holds the account stops; nothing of this was acknowledged.
    pub fn apply(&mut self, facts: &Facts) {
        assert_eq!(
            facts.seq_before, self.seq,
            "facts do not follow on the account's sequence"
        );
        assert!(facts.seq_after >= facts.seq_before, "the account's sequence goes back");
        assert!(facts.now_ms >= self.last_now_ms, "time goes back within the account");
        let today = day_of(facts.now_ms);
        self.books.advance(today);
        for entry in &facts.entries {
            self.books.apply(entry, today);
        }
        for object in &facts.objects {
            match object {
                Object::PaymentMethodConfiguration(configuration) => self.keep_configuration(configuration),
                Object::PaymentMethodDomain(domain) | Object::ApplePayDomain(domain) => self.keep_domain(domain),
                Object::WebhookEndpoint(endpoint) => self.keep_endpoint(endpoint),
                _ => {}
            }
        }
        self.seq = facts.seq_after;
        self.last_now_ms = facts.now_ms;
    }

    /// Takes a newer profile over; an older one changes nothing. What decisions read of it holds from here on, what was
    /// decided stays.
    pub fn refresh(&mut self, profile: &Arc<Profile>) {
        assert_eq!(self.profile.key, profile.key, "the profile of another account");
        if profile.revision > self.profile.revision {
            self.profile = Arc::clone(profile);
        }
    }

    /// A configuration of payment methods; the default one is always there.
    pub fn configuration(&self, id: Id) -> Option<Arc<PaymentMethodConfiguration>> {
        let known = self.configurations.iter().find(|known| known.id == id).map(Arc::clone);
        let default = || PaymentMethodConfiguration::default_of(self.tag());
        known.or_else(|| Some(default()).filter(|default| default.id == id).map(Arc::new))
    }

    /// All configurations of payment methods, newest first; the default one is the oldest.
    pub fn configurations(&self) -> Vec<Arc<PaymentMethodConfiguration>> {
        let mut all = self.configurations.clone();
        if self.changed_default().is_none() {
            all.push(Arc::new(PaymentMethodConfiguration::default_of(self.tag())));
        }
        all
    }

    /// The default configuration of payment methods, if it was ever changed.
    pub(crate) fn changed_default(&self) -> Option<&PaymentMethodConfiguration> {
        self.configurations
            .last()
            .map(|oldest| &**oldest)
            .filter(|oldest| oldest.is_default())
    }

    fn keep_configuration(&mut self, configuration: &Arc<PaymentMethodConfiguration>) {
        let known = &mut self.configurations;
        match known.binary_search_by(|known| configuration.id.seq().cmp(&known.id.seq())) {
            Ok(at) => known[at] = Arc::clone(configuration),
            Err(at) => known.insert(at, Arc::clone(configuration)),
        }
        assert!(
            known.len() <= CONFIGURATIONS_MAX,
            "decisions bound an account's configurations"
        );
    }

    /// The registered domain of that kind and name.
    pub fn domain(&self, kind: &Kind, name: &str) -> Option<&RegisteredDomain> {
        let mut domains = self.domains.iter();
        domains
            .find(|domain| domain.id.is(kind) && *domain.name == *name)
            .map(|domain| &**domain)
    }

    /// How many domains are registered, of both kinds together.
    pub fn domain_count(&self) -> usize {
        self.domains.len()
    }

    fn keep_domain(&mut self, domain: &Arc<RegisteredDomain>) {
        let known = &mut self.domains;
        known.retain(|known| known.id != domain.id);
        if !domain.deleted {
            let at = known.partition_point(|known| known.id < domain.id);
            known.insert(at, Arc::clone(domain));
        }
        assert!(known.len() <= DOMAINS_MAX, "decisions bound an account's domains");
    }

    /// The account's webhook endpoints, oldest first.
    pub fn endpoints(&self) -> &[Arc<WebhookEndpoint>] {
        &self.endpoints
    }

    /// The webhook endpoint with that id.
    pub fn endpoint(&self, id: Id) -> Option<&Arc<WebhookEndpoint>> {
        self.endpoints.iter().find(|known| known.id == id)
    }

    fn keep_endpoint(&mut self, endpoint: &Arc<WebhookEndpoint>) {
        let known = &mut self.endpoints;
        known.retain(|known| known.id != endpoint.id);
        if !endpoint.is_deleted() {
            let at = known.partition_point(|known| known.id < endpoint.id);
            known.insert(at, endpoint.kept());
        }
        assert!(
            known.len() <= ENDPOINTS_MAX,
            "decisions bound an account's webhook endpoints"
        );
    }

    /// The tag in the ids of this account's objects.
    pub fn tag(&self) -> u32 {
        self.profile.key.tag()
    }

    /// The state as bytes, from which [`Account::from_row`] continues as if every record had been applied.
    pub fn to_row(&self) -> Vec<u8> {
        let mut lines = self.books.to_rows();
        if broken!(IncompleteRow) {
            lines.pop();
        }
        let row = AccountRow {
            key: self.profile.key,
            seq: self.seq,
            last_now_ms: self.last_now_ms,
            lines,
            configurations: self.configurations.clone(),
            domains: self.domains.clone(),
            endpoints: self.endpoints.clone(),
        };
        row.to_bytes()
    }

    /// The state that [`Account::to_row`] wrote.
    ///
    /// # Errors
    /// When the bytes are no row, or the row of another account.
    pub fn from_row(profile: Arc<Profile>, bytes: &[u8]) -> Result<Account, RecordError> {
        let row = AccountRow::from_bytes(bytes)?;
        if row.key != profile.key {
            return Err(RecordError::MissingField {
                shape: "AccountRow of this account",
                number: 1,
            });
        }
        let books = Books::from_rows(&row.lines, day_of(row.last_now_ms))?;
        Ok(Account {
            profile,
            seq: row.seq,
            last_now_ms: row.last_now_ms,
            books,
            configurations: row.configurations,
            domains: row.domains,
            endpoints: row.endpoints,
        })
    }
}

#[derive(Record)]
pub(crate) struct AccountRow {
    #[record(1)]
    key: AccountKey,
    #[record(2)]
    seq: u64,
    #[record(3)]
    last_now_ms: u64,
    #[record(4)]
    lines: Vec<LineRow>,
    #[record(5)]
    configurations: Vec<Arc<PaymentMethodConfiguration>>,
    #[record(6)]
    domains: Vec<Arc<RegisteredDomain>>,
    #[record(7)]
    endpoints: Vec<Arc<WebhookEndpoint>>,
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
