//! Pages of lists, and events: read from durable records, beside the shards.

use crate::request::{Request, Response, Shown};
use crate::shard::answering::{Missing, Showing, Sought, respond};
use tollgate_domain::call::Cursor;
use tollgate_domain::object::Item;
use tollgate_domain::{Facts, ListQuery, Reject, SHAPE_REVISION, Secrets, kinds};
use tollgate_resource::{Expand, Id, Kind, Record};
use tollgate_store::{AccountRef, Fetched, From, PageQuery, Reads, StoreError};

/// Reads of one account.
pub(crate) struct Listing<'a> {
    pub(crate) reads: &'a dyn Reads,
    pub(crate) request: &'a Request,
    pub(crate) secrets: &'a Secrets,
    pub(crate) now_ms: u64,
}

impl Listing<'_> {
    /// The page that `query` asks for.
    pub(crate) fn page(&self, query: &ListQuery) -> Result<Box<Response>, StoreError> {
        if let Some(reject) = self.foreign(query)? {
            return Ok(self.refused(reject));
        }
        let from = match query.cursor {
            Cursor::Start => From::Newest,
            Cursor::After(id) => From::Below(id.seq()),
            Cursor::Before(id) => From::Above(id.seq()),
        };
        let parents: Vec<u64> = query.parents.iter().map(|(_, id)| id.seq()).collect();
        let page = PageQuery {
            account: self.account(),
            kind: query.kind.number,
            from,
            limit: query.limit,
            parents: &parents,
            born_ms: born_between(query),
            tags: query.tags(),
        };
        // Tag bits are coarse: look at the event itself. What cannot be read is not refused here, so that the page's own
        // read of it fails and says so.
        let mut accept = |seq: u64, fetched: &Fetched| match decode(fetched) {
            Ok(facts) => facts.event(seq).is_none_or(|event| query.admits(event.kind)),
            Err(_) => true,
        };
        let mut seqs = self.reads.page(&page, &mut accept)?;
        let has_more = seqs.len() > query.limit;
        if has_more {
            // The extra one stands at the far end, seen from the cursor.
            match from {
                From::Above(_) => drop(seqs.remove(0)),
                From::Newest | From::Below(_) => drop(seqs.pop()),
            }
        }
        let mut items = Vec::with_capacity(seqs.len());
        for seq in seqs {
            items.extend(self.item(query.kind, seq)?);
        }
        let expand = self.request.expand.child("data").unwrap_or(Expand::NONE);
        let mut attached = Vec::new();
        let mut failure = None;
        for item in &items {
            self.attach(expand, item, &mut attached, &mut failure);
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok(self.answer(
                Shown::Page {
                    url: query.url,
                    items,
                    has_more,
                },
                attached,
            )),
        }
    }

    /// One event; it has one version only, in the record it was born in.
    pub(crate) fn event(&self, id: Id, param: &str) -> Result<Box<Response>, StoreError> {
        let item = if self.exists(&kinds::EVENT, id)? {
            self.item(&kinds::EVENT, id.seq())?
        } else {
            None
        };
        let Some(item) = item else {
            return Ok(self.refused(Reject::no_such(&kinds::EVENT, id, param)));
        };
        let mut attached = Vec::new();
        let mut failure = None;
        self.attach(&self.request.expand, &item, &mut attached, &mut failure);
        match failure {
            Some(failure) => Err(failure),
            None => Ok(self.answer(Shown::One(item), attached)),
        }
    }

    fn account(&self) -> AccountRef {
        AccountRef(self.request.profile.key.0)
    }

    /// The newest version of an object, or the event.
    fn item(&self, kind: &'static Kind, seq: u64) -> Result<Option<Item>, StoreError> {
        if *kind == kinds::EVENT {
            let Some(fetched) = self.reads.birth(self.account(), seq)? else {
                return Ok(None);
            };
            return Ok(decode(&fetched)?.event(seq).map(|event| Item::Event(Box::new(event))));
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
    fn exists(&self, kind: &'static Kind, id: Id) -> Result<bool, StoreError> {
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

    /// A refusal if a cursor or filter names nothing of the account.
    fn foreign(&self, query: &ListQuery) -> Result<Option<Reject>, StoreError> {
        for &(kind, id) in &query.parents {
            if !self.exists(kind, id)? {
                return Ok(Some(Reject::no_such_param(kind, id, kind.object)));
            }
        }
        let (id, param) = match query.cursor {
            Cursor::Start => return Ok(None),
            Cursor::After(id) => (id, "starting_after"),
            Cursor::Before(id) => (id, "ending_before"),
        };
        let known = self.exists(query.kind, id)?;
        Ok((!known).then(|| Reject::no_such_param(query.kind, id, param)))
    }

    fn attach(
        &self,
        expand: &Expand,
        item: &Item,
        attached: &mut Vec<tollgate_domain::Object>,
        failure: &mut Option<StoreError>,
    ) {
        let mut find = |kind: &'static Kind, id: Id| match self.item(kind, id.seq()) {
            Ok(Some(Item::Object(object))) if object.id() == id => Sought::Found(object),
            Ok(_) => Sought::Absent,
            Err(error) => {
                *failure = Some(error);
                Sought::Absent
            }
        };
        if let Err(Missing(kind, id)) = self.showing(expand).attach(item, &mut find, attached) {
            unreachable!(
                "a reader loads what it needs at once, but {} {id:?} was left",
                kind.object
            );
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

    fn answer(&self, shown: Shown, attached: Vec<tollgate_domain::Object>) -> Box<Response> {
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

/// The range of `created` in milliseconds; empty ranges stay empty.
fn born_between(query: &ListQuery) -> (u64, u64) {
    let from = u64::try_from(query.created.min).unwrap_or(0).saturating_mul(1_000);
    match u64::try_from(query.created.max) {
        Ok(max) => (from, max.saturating_mul(1_000).saturating_add(999)),
        Err(_) => (u64::MAX, 0),
    }
}
