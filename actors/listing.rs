//! Pages of lists, and events: read from durable records, beside the shards.

use crate::outbox::Outbox;
use crate::request::{Request, Response, Shown};
use crate::shard::answering::{Missing, Showing, Sought, respond};
use tollgate_domain::call::{Cursor, EVENTS_SHOWN_MS, FILTERED_MAX};
use tollgate_domain::object::Item;
use tollgate_domain::paging::BOTH_CURSORS;
use tollgate_domain::search::COUNTED_MAX;
use tollgate_domain::{Facts, ListQuery, Object, Reject, SHAPE_REVISION, Secrets, ShowContext, kinds};
use tollgate_resource::params::Range;
use tollgate_resource::{Expand, Id, Kind, Record};
use tollgate_store::reads::PAGE_SCAN_MAX;
use tollgate_store::{AccountRef, Fetched, From, PageQuery, Reads, StoreError};

/// Objects a filtered list asks of the store at once.
const FILTERED_STEP: usize = 100;

/// Reads of one account.
pub(crate) struct Listing<'a> {
    pub(crate) reads: &'a dyn Reads,
    pub(crate) request: &'a Request,
    pub(crate) secrets: &'a Secrets,
    pub(crate) outbox: &'a dyn Outbox,
    pub(crate) now_ms: u64,
}

impl Listing<'_> {
    /// The page that `query` asks for.
    pub(crate) fn page(&self, query: &ListQuery) -> Result<Box<Response>, StoreError> {
        if let Some(reject) = self.foreign(query)? {
            return Ok(self.refused(reject));
        }
        let Walked { items, has_more } = match self.walk(query)? {
            Ok(walked) => walked,
            Err(reject) => return Ok(self.refused(reject)),
        };
        let expand = self.request.expand.child("data").unwrap_or(Expand::NONE);
        let attached = self.attached(expand, &items)?;
        let total_count = match self.request.expand.child("total_count") {
            None => None,
            Some(_) => Some(self.total(query)?),
        };
        Ok(self.answer(
            Shown::Page {
                url: query.shown_url(),
                items,
                has_more,
                total_count,
            },
            attached,
        ))
    }

    /// How long the whole list is, whatever page is asked for; [`COUNTED_MAX`] where it is longer.
    fn total(&self, query: &ListQuery) -> Result<u64, StoreError> {
        let whole = ListQuery {
            cursor: Cursor::Start,
            limit: COUNTED_MAX,
            ..query.clone()
        };
        Ok(self.walk(&whole)?.map_or(0, |walked| walked.items.len() as u64))
    }

    /// Everything that is shown in place in these.
    pub(crate) fn attached(&self, expand: &Expand, items: &[Item]) -> Result<Vec<Object>, StoreError> {
        let mut attached = Vec::new();
        let mut failure = None;
        for item in items {
            self.attach(expand, item, &mut attached, &mut failure);
        }
        failure.map_or(Ok(attached), Err)
    }

    /// The objects of the page, newest first. Refuses a filter that found nothing among all it may look at: a page
    /// without an object could not say where to go on.
    fn walk(&self, query: &ListQuery) -> Result<Result<Walked, Reject>, StoreError> {
        let (mut from, upward) = match query.cursor {
            Cursor::Start => (From::Newest, false),
            Cursor::After(id) => (From::Below(id.seq()), false),
            Cursor::Before(id) => (From::Above(id.seq()), true),
            Cursor::Both { .. } => unreachable!("two cursors were refused"),
        };
        let wanted = query.limit + 1;
        let mut items: Vec<Item> = Vec::with_capacity(wanted);
        let mut looked = 0;
        let sorted_out = query.delivered.is_some() && self.outbox.watches(self.request.profile.key);
        // Where nobody is to be told, every event counts as taken.
        let mut ended = query.delivered == Some(false) && !sorted_out;
        while !ended && items.len() < wanted && looked < FILTERED_MAX {
            let want = if query.filters.is_empty() && !sorted_out {
                wanted - items.len()
            } else {
                FILTERED_STEP
            };
            let (seqs, seen) = self.candidates(query, from, want)?;
            looked += seqs.len().max(seen.count);
            ended = seqs.len() < want && seen.count < PAGE_SCAN_MAX;
            let last = if seqs.len() == want {
                seqs.last().copied()
            } else {
                seen.last
            };
            for seq in seqs {
                if items.len() == wanted {
                    break;
                }
                let item = self.item_of(query, seq)?;
                items.extend(item.filter(|item| self.admits(query, item)));
            }
            match last {
                Some(seq) if upward => from = From::Above(seq),
                Some(seq) => from = From::Below(seq),
                None => ended = true,
            }
        }
        if items.is_empty() && !ended {
            let last = match from {
                From::Newest => None,
                From::Below(seq) | From::Above(seq) => self.item_of(query, seq)?,
            };
            return Ok(Err(too_broad(query, last.as_ref())));
        }
        let has_more = items.len() == wanted || !ended;
        // The extra one stands at the far end, seen from the cursor.
        items.truncate(query.limit);
        if upward {
            items.reverse();
        }
        Ok(Ok(Walked { items, has_more }))
    }

    /// At most `want` objects from there on, nearest first, and how many records were looked at for that.
    fn candidates(&self, query: &ListQuery, from: From, want: usize) -> Result<(Vec<u64>, Seen), StoreError> {
        let parents = query.parents.iter().map(|(_, id)| id.seq());
        let parents: Vec<u64> = parents.chain(query.marks.iter().copied()).collect();
        let mut page = PageQuery {
            account: self.account(),
            kind: query.kind.number,
            from,
            limit: want - 1,
            parents: &parents,
            born_ms: self.born_between(query),
            tags: query.tags(),
        };
        let mut seen = Seen::default();
        // Tag bits are coarse: look at the event itself. What cannot be read is not refused here, so that the page's own
        // read of it fails and says so.
        let mut accept = |seq: u64, fetched: &Fetched| {
            seen.count += 1;
            seen.last = Some(seq);
            match decode(fetched) {
                Ok(facts) => facts.event(seq).is_none_or(|event| query.admits_event(&event)),
                Err(_) => true,
            }
        };
        let mut seqs = self.reads.page(&page, &mut accept)?;
        for kind in query.also {
            page.kind = kind.number;
            seqs.extend(self.reads.page(&page, &mut accept)?);
        }
        if !query.also.is_empty() {
            seqs.sort_unstable_by(|one, other| other.cmp(one));
        }
        if matches!(from, From::Above(_)) {
            seqs.reverse();
        }
        // Each kind gave as many of its own.
        seqs.truncate(want);
        Ok((seqs, seen))
    }

    /// Whether an object belongs on the list as it is now: a deleted one does not.
    fn admits(&self, query: &ListQuery, item: &Item) -> bool {
        let object = match item {
            Item::Object(object) => object,
            Item::Event(event) => {
                return query
                    .delivered
                    .is_none_or(|taken| taken == (event.pending_webhooks == 0));
            }
            _ => return true,
        };
        query.belongs(object) && object.with_shown(&self.show_context(), |shown| query.admits_shown(shown))
    }

    /// The thing of the list with that sequence number.
    fn item_of(&self, query: &ListQuery, seq: u64) -> Result<Option<Item>, StoreError> {
        for kind in std::iter::once(query.kind).chain(query.also.iter().copied()) {
            if let Some(item) = self.item(kind, seq)? {
                return Ok(Some(match item {
                    // A list of payment methods shows cards and sources as such.
                    Item::Object(object) if *query.kind == kinds::PAYMENT_METHOD && !object.is_deleted() => {
                        Item::Object(object.into_payment_method())
                    }
                    item => item,
                }));
            }
        }
        Ok(None)
    }

    /// One event; it has one version only, in the record it was born in.
    pub(crate) fn event(&self, id: Id, param: &str) -> Result<Box<Response>, StoreError> {
        let item = if id.unix_ms() >= self.events_since_ms() && self.exists(&kinds::EVENT, id)? {
            self.item(&kinds::EVENT, id.seq())?
        } else {
            None
        };
        let Some(item) = item else {
            return Ok(self.refused(Reject::no_such(&kinds::EVENT, id, param)));
        };
        let attached = self.attached(&self.request.expand, std::slice::from_ref(&item))?;
        Ok(self.answer(Shown::One(item), attached))
    }

    pub(crate) fn account(&self) -> AccountRef {
        AccountRef(self.request.profile.key.0)
    }

    /// The newest version of an object, or the event.
    pub(crate) fn item(&self, kind: &'static Kind, seq: u64) -> Result<Option<Item>, StoreError> {
        if *kind == kinds::EVENT {
            let Some(fetched) = self.reads.birth(self.account(), seq)? else {
                return Ok(None);
            };
            return Ok(decode(&fetched)?.event(seq).map(|mut event| {
                event.pending_webhooks = self.outbox.pending(self.request.profile.key, seq, event.kind);
                Item::Event(Box::new(event))
            }));
        }
        let Some(fetched) = self.reads.newest(self.account(), seq)? else {
            return Ok(None);
        };
        let facts = decode(&fetched)?;
        let object = facts
            .objects
            .into_iter()
            .find(|object| object.id().seq() == seq && object.kind() == kind);
        Ok(object.map(Item::Object))
    }

    /// Whether the account has the thing that a cursor or filter names.
    pub(crate) fn exists(&self, kind: &'static Kind, id: Id) -> Result<bool, StoreError> {
        if id.account_tag() != self.request.profile.key.tag() || !id.is(kind) {
            return Ok(false);
        }
        let Some(fetched) = self.reads.birth(self.account(), id.seq())? else {
            return Ok(false);
        };
        let facts = decode(&fetched)?;
        Ok(match *kind == kinds::EVENT {
            true => facts.event(id.seq()).is_some_and(|event| event.id == id),
            false => facts.object(kind, id).is_some(),
        })
    }

    /// Whether nothing but a stub is left of an object.
    fn is_deleted(&self, kind: &'static Kind, id: Id) -> Result<bool, StoreError> {
        let item = self.item(kind, id.seq())?;
        Ok(matches!(item, Some(Item::Object(object)) if object.is_deleted()))
    }

    /// A refusal if a cursor or filter names nothing of the account.
    fn foreign(&self, query: &ListQuery) -> Result<Option<Reject>, StoreError> {
        if let Some((kind, id, param)) = query.within
            && !self.exists(kind, id)?
        {
            return Ok(Some(Reject::no_such(kind, id, param)));
        }
        for &(kind, id) in &query.parents {
            if !self.exists(kind, id)? || (query.living && self.is_deleted(kind, id)?) {
                return Ok(Some(Reject::no_such_param(kind, id, kind.object)));
            }
        }
        let cursors = match query.cursor {
            Cursor::Start => [None, None],
            Cursor::After(id) => [Some((id, "starting_after")), None],
            Cursor::Before(id) => [Some((id, "ending_before")), None],
            Cursor::Both { after, before } => [Some((after, "starting_after")), Some((before, "ending_before"))],
        };
        for (id, param) in cursors.into_iter().flatten() {
            let mut known = self.exists(query.kind, id)?;
            for kind in query.also {
                known = known || self.exists(kind, id)?;
            }
            if !known {
                return Ok(Some(Reject::no_such_param(query.kind, id, param)));
            }
        }
        Ok(matches!(query.cursor, Cursor::Both { .. }).then(|| Reject::invalid(None, BOTH_CURSORS)))
    }

    fn attach(&self, expand: &Expand, item: &Item, attached: &mut Vec<Object>, failure: &mut Option<StoreError>) {
        let mut find = |kind: &'static Kind, id: Id| match self.item(kind, id.seq()) {
            Ok(Some(Item::Object(object))) if object.id() == id => Sought::Found(object),
            Ok(_) => Sought::Absent,
            Err(error) => {
                *failure = Some(error);
                Sought::Absent
            }
        };
        let mut showing = self.showing(expand);
        if let Item::Event(event) = item {
            showing.version = self.request.profile.event_version(event.id.unix_ms());
        }
        if let Err(Missing(kind, id)) = showing.attach(item, &mut find, attached) {
            unreachable!(
                "a reader loads what it needs at once, but {} {id:?} was left",
                kind.object
            );
        }
    }

    pub(crate) fn show_context(&self) -> ShowContext<'_> {
        ShowContext {
            secrets: self.secrets,
            clock_ms: self.now_ms,
            livemode: self.request.profile.livemode,
            // Neither the version's name nor an address of a page is looked at by filters; the first release made fewest.
            account: self.request.profile.key,
            revision: 1,
            version_name: "",
            public_url: "",
        }
    }

    /// Events older than this are not shown any more.
    fn events_since_ms(&self) -> u64 {
        self.now_ms.saturating_sub(EVENTS_SHOWN_MS)
    }

    /// When what is listed was born, milliseconds.
    fn born_between(&self, query: &ListQuery) -> (u64, u64) {
        let (from, to) = bounds(query.created_ms);
        match *query.kind == kinds::EVENT {
            true => (from.max(self.events_since_ms()), to),
            false => (from, to),
        }
    }

    fn showing<'a>(&'a self, expand: &'a Expand) -> Showing<'a> {
        Showing {
            version: self.request.version,
            expand,
            secrets: self.secrets,
            clock_ms: self.now_ms,
            livemode: self.request.profile.livemode,
        }
    }

    fn refused(&self, reject: Reject) -> Box<Response> {
        let told = crate::shard::answering::Told {
            result: Err(Box::new(reject)),
            attached: Vec::new(),
        };
        respond(self.request, told, self.now_ms, SHAPE_REVISION)
    }

    pub(crate) fn answer(&self, shown: Shown, attached: Vec<Object>) -> Box<Response> {
        Box::new(Response {
            result: Ok(shown),
            attached,
            version: self.request.version,
            revision: SHAPE_REVISION,
            expand: self.request.expand.clone(),
            clock_ms: self.now_ms,
            replayed: None,
            began: true,
        })
    }
}

/// The facts of a record.
pub(crate) fn decode(fetched: &Fetched) -> Result<Facts, StoreError> {
    Facts::from_bytes(&fetched.body).map_err(|error| StoreError::Body {
        place: format!(
            "account {:016x}, record at sequence {}",
            fetched.head.account, fetched.head.first_seq
        ),
        what: error.to_string(),
    })
}

/// What a walk through a list found.
struct Walked {
    /// Newest first.
    items: Vec<Item>,
    has_more: bool,
}

/// How far the store looked for events of some types.
#[derive(Default)]
struct Seen {
    count: usize,
    last: Option<u64>,
}

/// A filter that would have to look at more objects than it may. `last` is the last one it looked at: from there the same
/// list goes on.
fn too_broad(query: &ListQuery, last: Option<&Item>) -> Reject {
    let mut fields: Vec<&str> = query.filters.iter().map(|filter| filter.field).collect();
    fields.extend(query.delivered.map(|_| "delivery_success"));
    let by = if fields.is_empty() {
        "type".to_owned()
    } else {
        fields.join(", ")
    };
    let cursor = match query.cursor {
        Cursor::Before(_) | Cursor::Both { .. } => "ending_before",
        Cursor::Start | Cursor::After(_) => "starting_after",
    };
    let on = match last {
        Some(Item::Object(object)) => format!("={}", object.id().text(object.kind())),
        Some(Item::Event(event)) => format!("={}", event.id.text(&kinds::EVENT)),
        Some(
            Item::Balance(_)
            | Item::Account(_)
            | Item::Configurations(_)
            | Item::LineItems(_)
            | Item::WebhookEndpoints(_)
            | Item::Delivered(_)
            | Item::Handed
            | Item::EventDestinations(_)
            | Item::ThinEvent(_),
        )
        | None => String::new(),
    };
    Reject::invalid(
        None,
        format!(
            "None of the {FILTERED_MAX} objects that this list may look at for one page matches the filter ({by}). Narrow \
             it with `created`, or go on with `{cursor}{on}`."
        ),
    )
}

/// A range of moments; an empty one stays empty.
pub(crate) fn bounds(range: Range) -> (u64, u64) {
    let from = u64::try_from(range.min).unwrap_or(0);
    u64::try_from(range.max).map_or((u64::MAX, 0), |to| (from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate_domain::payments::payment_method::{PaymentMethod, TestCard};

    #[test]
    fn a_list_that_may_look_no_further_says_where_to_go_on() {
        let id = Id::new(&kinds::PAYMENT_METHOD, 1_794_830_400_000, 7, 3);
        let card = TestCard::by_name("visa").expect("a name of the table");
        let last = Item::Object(Object::of_method(PaymentMethod::of_test_card(id, card, id.unix_ms())));
        let text = id.text(&kinds::PAYMENT_METHOD);
        let mut query = ListQuery::of(&kinds::PAYMENT_METHOD, "/v1/payment_methods");
        for (at, says) in [
            (Cursor::Start, format!("`starting_after={text}`")),
            (Cursor::Before(id), format!("`ending_before={text}`")),
        ] {
            query.cursor = at;
            let message = too_broad(&query, Some(&last)).message.to_string();
            assert!(message.contains(&says), "{message}");
        }
        assert!(too_broad(&query, None).message.contains("`ending_before`"));
    }
}
