//! Searches: a bounded walk through an account's objects, newest first, beside the shards.
//!
//! Nothing is indexed by what a search asks for, except time and customer, which narrow the walk. Each object is read at
//! its newest durable version, so a search sees an acknowledged write at once. A page ends when it is full or when it has
//! looked at as many objects as it may, and then says where to go on: an account with millions of payments is searched
//! in many short reads, between which the lists of others are served.

use crate::listing::{Listing, bounds};
use crate::request::{Response, Shown};
use tollgate_domain::call::in_milliseconds;
use tollgate_domain::kinds;
use tollgate_domain::object::{Item, Object};
use tollgate_domain::search::{COUNTED_MAX, SEARCHED_EMPTY_MAX, SEARCHED_MAX, SearchQuery};
use tollgate_resource::Expand;
use tollgate_store::{From, PageQuery, StoreError};

/// Objects asked of the store at once.
const STEP: usize = 250;

impl Listing<'_> {
    /// The page that `search` asks for.
    pub(crate) fn search(&self, search: &SearchQuery) -> Result<Box<Response>, StoreError> {
        let mut found = Found::default();
        let parent = match search.customer() {
            None => None,
            Some(id) if self.exists(&kinds::CUSTOMER, id)? => Some(id.seq()),
            // Nobody's: nothing belongs to them.
            Some(_) => return self.page_of(search, found, Some(0)),
        };
        let mut looked = 0;
        let start = search.below.map_or(From::Newest, From::Below);
        self.each(search, parent, start, &mut |seq, object| {
            looked += 1;
            found.items.extend(object.filter(|object| self.matches(search, object)));
            found.looked_until = Some(seq);
            let spent = looked >= SEARCHED_MAX && !found.items.is_empty();
            let more = found.items.len() <= search.limit && !spent && looked < SEARCHED_EMPTY_MAX;
            found.ended_early = !more;
            more
        })?;
        let total = match self.request.expand.child("total_count") {
            None => None,
            Some(_) => Some(self.count(search, parent)?),
        };
        self.page_of(search, found, total)
    }

    /// How many of the newest objects match, whatever page is asked for.
    fn count(&self, search: &SearchQuery, parent: Option<u64>) -> Result<u64, StoreError> {
        let (mut matching, mut looked) = (0, 0);
        self.each(search, parent, From::Newest, &mut |_, object| {
            looked += 1;
            matching += u64::from(object.is_some_and(|object| self.matches(search, &object)));
            looked < COUNTED_MAX
        })?;
        Ok(matching)
    }

    /// Calls `visit` with each object that the query's times and customer leave, newest first, until it says no.
    fn each(
        &self,
        search: &SearchQuery,
        parent: Option<u64>,
        mut from: From,
        visit: &mut dyn FnMut(u64, Option<Object>) -> bool,
    ) -> Result<(), StoreError> {
        let kind = search.searched.kind;
        loop {
            let page = PageQuery {
                account: self.account(),
                kind: kind.number,
                from,
                limit: STEP - 1,
                parents: parent.as_slice(),
                born_ms: bounds(in_milliseconds(search.query.created())),
                tags: 0,
            };
            let seqs = self.reads.page(&page, &mut |_, _| true)?;
            for &seq in &seqs {
                let object = match self.item(kind, seq)? {
                    Some(Item::Object(object)) => Some(object),
                    _ => None,
                };
                if !visit(seq, object) {
                    return Ok(());
                }
            }
            match seqs.last() {
                Some(&seq) if seqs.len() == STEP => from = From::Below(seq),
                _ => return Ok(()),
            }
        }
    }

    fn matches(&self, search: &SearchQuery, object: &Object) -> bool {
        object.with_shown(&self.show_context(), |shown| search.query.matches(shown))
    }

    fn page_of(
        &self,
        search: &SearchQuery,
        mut found: Found,
        total_count: Option<u64>,
    ) -> Result<Box<Response>, StoreError> {
        let next = if found.items.len() > search.limit {
            found.items.truncate(search.limit);
            found.items.last().map(|last| last.id().seq())
        } else {
            found.looked_until.filter(|_| found.ended_early)
        };
        let expand = self.request.expand.child("data").unwrap_or(Expand::NONE);
        let items: Vec<Item> = found.items.into_iter().map(Item::Object).collect();
        let attached = self.attached(expand, &items)?;
        Ok(self.answer(
            Shown::Found {
                url: search.searched.url,
                items,
                next_page: next.map(|seq| search.token.write(seq)),
                total_count: total_count.filter(|_| self.request.expand.child("total_count").is_some()),
            },
            attached,
        ))
    }
}

/// What a walk has found so far.
#[derive(Default)]
struct Found {
    items: Vec<Object>,
    /// The last that was looked at.
    looked_until: Option<u64>,
    /// Whether there may be more.
    ended_early: bool,
}
