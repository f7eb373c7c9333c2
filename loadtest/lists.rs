//! Lists of the API, read from their newest object down to a known one: only the members that are compared are kept.

use crate::money::Reader;
use anyhow::bail;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Objects asked for per page; the most the API gives.
const PAGE_LEN: usize = 100;
/// Most pages walked in one list: far more than a run can make, so that a list without an end is noticed.
const PAGES_MAX: usize = 1_000_000;

/// Something that is listed.
pub(crate) trait Listed: DeserializeOwned {
    /// Its id.
    fn id(&self) -> &str;
}

/// A balance transaction.
#[derive(Debug, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    /// The charge or refund that moved the money.
    pub(crate) source: Option<String>,
    pub(crate) amount: i64,
    pub(crate) fee: i64,
    pub(crate) net: i64,
    pub(crate) currency: String,
}

/// A payment intent.
#[derive(Debug, Deserialize)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) status: String,
    pub(crate) latest_charge: Option<String>,
}

/// A refund.
#[derive(Debug, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) status: String,
}

/// An event about a payment or a refund.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) data: EventData,
}

/// What an event is about.
#[derive(Debug, Deserialize)]
pub(crate) struct EventData {
    pub(crate) object: EventObject,
}

/// The object of an event, as it was then.
#[derive(Debug, Deserialize)]
pub(crate) struct EventObject {
    pub(crate) id: String,
    pub(crate) amount: i64,
    #[serde(default)]
    pub(crate) latest_charge: Option<String>,
}

impl Listed for Transaction {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for Intent {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for Refund {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for Event {
    fn id(&self) -> &str {
        &self.id
    }
}

#[derive(Deserialize)]
struct Page<Object> {
    data: Vec<Object>,
    has_more: bool,
}

/// Gives each object of `/v1/LIST` that is newer than `until` to `each`, the newest first.
pub(crate) async fn walk<Object: Listed>(
    reader: &mut Reader,
    list: &str,
    until: Option<&str>,
    mut each: impl FnMut(Object),
) -> anyhow::Result<()> {
    let mut after = String::new();
    let join = if list.contains('?') { '&' } else { '?' };
    for _ in 0..PAGES_MAX {
        let page: Page<Object> = reader
            .must_get_as(&format!("{list}{join}limit={PAGE_LEN}{after}"))
            .await?;
        if page.has_more && page.data.is_empty() {
            bail!("/v1/{list} has more, but gives an empty page");
        }
        for object in page.data {
            if Some(object.id()) == until {
                return Ok(());
            }
            after.clear();
            after.push_str("&starting_after=");
            after.push_str(object.id());
            each(object);
        }
        if !page.has_more {
            return Ok(());
        }
    }
    bail!("/v1/{list} does not end after {PAGES_MAX} pages")
}
