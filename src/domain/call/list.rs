//! What can be asked of a list: which objects, from where on, how many.

use crate::events::{Event, EventType};
use crate::marks::Mark;
use crate::object::Object;
use crate::time::{MOMENT_MAX_MS, rfc3339};
use std::borrow::Cow;
use tollgate_resource::lookup::{at_path, text_of};
use tollgate_resource::operation::Refused;
use tollgate_resource::params::Range;
use tollgate_resource::{Id, Kind, Names, Shown};

/// A page of objects of one kind, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// What is listed.
    pub kind: &'static Kind,
    /// Further kinds that stand on the same list, in order of birth with the others.
    pub also: &'static [&'static Kind],
    /// Most objects of a page; 1 to 100.
    pub limit: usize,
    /// Where the page starts.
    pub cursor: Cursor,
    /// Only objects that belong to this one, e.g. charges of a payment intent. With several, an object must match all.
    pub parents: Vec<(&'static Kind, Id)>,
    /// Only objects created in this range, milliseconds since the Unix epoch.
    pub created_ms: Range,
    /// The object of the path that the list belongs to, with the name of its segment: when the account has no such
    /// object, that is a 404. Unlike `parents` it narrows nothing by itself.
    pub within: Option<(&'static Kind, Id, &'static str)>,
    /// Whether the list is refused when one of `parents` was deleted, as it is when there never was one.
    pub living: bool,
    /// Only objects that show these values. Objects are read one by one for that, see [`FILTERED_MAX`].
    pub filters: Vec<Filter>,
    /// Only objects that the index keeps under all of these ([`Mark`]): what a filter would find, without reading all.
    pub marks: Vec<u64>,
    /// Only objects that were born in a record with one of these tags; 0 for all.
    pub born_with: u64,
    /// Only events of one of these types; empty for all. A trailing `*` matches a prefix.
    pub types: Vec<Box<str>>,
    /// Only events about the object with this id.
    pub about: Option<Box<str>>,
    /// Only what webhooks have (`true`) or have not yet (`false`) taken.
    pub delivered: Option<bool>,
    /// Path of the list, for the answer's `url`; `{}` stands for the id of the first parent.
    pub url: &'static str,
}

/// A condition on what an object shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Dotted public name of the field.
    pub field: &'static str,
    /// The text it must show.
    pub value: Box<str>,
}

/// Where a page starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cursor {
    /// At the newest.
    Start,
    /// Just after this object, going to older ones.
    After(Id),
    /// Just before this object: the page of newer ones next to it.
    Before(Id),
    /// Both were given: refused, but only after each was looked for.
    Both {
        /// `starting_after`.
        after: Id,
        /// `ending_before`.
        before: Id,
    },
}

/// Most objects of a page.
pub const PAGE_LIMIT_MAX: i64 = 100;
/// Objects of a page where the request does not say.
pub const PAGE_LIMIT_DEFAULT: i64 = 10;
/// Most objects that a list with [`ListQuery::filters`] looks at for one page.
pub const FILTERED_MAX: usize = 100_000;
/// How long an event is shown, milliseconds: 30 days.
pub const EVENTS_SHOWN_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// A range of seconds in milliseconds, the whole of its last second included.
pub fn in_milliseconds(seconds: Range) -> Range {
    Range {
        min: seconds.min.saturating_mul(1_000),
        max: seconds.max.saturating_mul(1_000).saturating_add(999),
    }
}

impl ListQuery {
    /// Everything of `kind`, newest first.
    pub fn of(kind: &'static Kind, url: &'static str) -> ListQuery {
        ListQuery {
            kind,
            also: &[],
            limit: PAGE_LIMIT_DEFAULT as usize,
            cursor: Cursor::Start,
            parents: Vec::new(),
            created_ms: Range::ALL,
            within: None,
            living: false,
            filters: Vec::new(),
            marks: Vec::new(),
            born_with: 0,
            types: Vec::new(),
            about: None,
            delivered: None,
            url,
        }
    }

    /// The page a request asks for. A limit out of range is clamped; two cursors are refused by the list itself, once it
    /// has found both.
    pub fn page(mut self, limit: Option<i64>, after: Option<Id>, before: Option<Id>) -> Result<ListQuery, Refused> {
        self.limit = limit.unwrap_or(PAGE_LIMIT_DEFAULT).clamp(1, PAGE_LIMIT_MAX) as usize;
        self.cursor = match (after, before) {
            (None, None) => Cursor::Start,
            (Some(id), None) => Cursor::After(id),
            (None, Some(id)) => Cursor::Before(id),
            (Some(after), Some(before)) => Cursor::Both { after, before },
        };
        Ok(self)
    }

    /// Only objects created in `range` of seconds, if one is given.
    pub fn created(mut self, range: Option<Range>) -> ListQuery {
        self.created_ms = in_milliseconds(range.unwrap_or(Range::ALL));
        self
    }

    /// Only objects that belong to `parent`, if one is given.
    pub fn under(mut self, kind: &'static Kind, parent: Option<Id>) -> ListQuery {
        self.parents.extend(parent.map(|id| (kind, id)));
        self
    }

    /// Only objects that belong to `parent`, which must not be deleted.
    pub fn of_living(mut self, kind: &'static Kind, parent: Id) -> ListQuery {
        self.living = true;
        self.under(kind, Some(parent))
    }

    /// A list on which nothing stands.
    pub fn of_nothing(mut self) -> ListQuery {
        self.created_ms = Range { min: 1, max: 0 };
        self
    }

    /// Only objects in whose `field` (dotted public name) stands `value`, if one is given.
    pub fn filtered(mut self, field: &'static str, value: Option<impl Into<Box<str>>>) -> ListQuery {
        self.filters.extend(value.map(|value| Filter {
            field,
            value: value.into(),
        }));
        self
    }

    /// Only objects that show this email address, if one is given; found by the index.
    pub fn with_email(self, email: Option<Box<str>>) -> ListQuery {
        self.marked(email.as_deref().map(Mark::Email)).filtered("email", email)
    }

    /// Only objects that were born in a record with an event of one of these types; found by the index.
    pub fn born_with(mut self, types: &[EventType]) -> ListQuery {
        self.born_with = EventType::tags(types);
        self
    }

    /// Only objects that bear this mark, if one is given; found by the index. Marks may meet, so a filter goes with it.
    pub fn marked(mut self, mark: Option<Mark<'_>>) -> ListQuery {
        self.marks.extend(mark.map(Mark::number));
        self
    }

    /// The path of the list as the answer names it; in the second version of the API with all that was asked for but the page,
    /// which the answer adds.
    pub fn shown_url(&self) -> Cow<'static, str> {
        if self.url.starts_with("/v2/") {
            let mut url = format!("{}?limit={}", self.url, self.limit);
            // What does not stand in a query as it is names no type and no object that there is, and finds nothing.
            let plain = |text: &str| {
                text.bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._*".contains(&byte))
            };
            let types = self.types.iter().filter(|name| plain(name));
            types
                .enumerate()
                .for_each(|(at, name)| url.push_str(&format!("&types[{at}]=v1.{name}")));
            let moment = |ms: i64| u64::try_from(ms).ok().filter(|ms| *ms <= MOMENT_MAX_MS).map(rfc3339);
            for (name, ms) in [("gte", self.created_ms.min), ("lte", self.created_ms.max)] {
                moment(ms)
                    .into_iter()
                    .for_each(|moment| url.push_str(&format!("&created[{name}]={moment}")));
            }
            let about = self.about.iter().filter(|about| plain(about));
            about.for_each(|about| url.push_str(&format!("&object_id={about}")));
            return url.into();
        }
        match (self.url.split_once("{}"), self.parents.first()) {
            (Some((before, after)), Some((kind, id))) => format!("{before}{}{after}", id.text(kind)).into(),
            _ => self.url.into(),
        }
    }

    /// Whether an object that came onto the list once still belongs to the parents at this version.
    pub fn belongs(&self, object: &Object) -> bool {
        self.parents.iter().all(|(_, wanted)| {
            let mut found = false;
            object.parents(&mut |parent| found |= parent == *wanted);
            found
        })
    }

    /// A list below an object of the path: only its children, and a 404 that names `param` when there is no such object.
    pub fn of_path(mut self, kind: &'static Kind, id: Id, param: &'static str) -> ListQuery {
        self.within = Some((kind, id, param));
        self.under(kind, Some(id))
    }

    /// Whether an event of this type belongs on the list.
    pub fn admits(&self, event: EventType) -> bool {
        self.types.is_empty() || self.types.iter().any(|pattern| event.matches(pattern))
    }

    /// Whether an event belongs on the list.
    pub fn admits_event(&self, event: &Event) -> bool {
        let about = |wanted: &str| event.object.id().text(event.object.kind()) == wanted;
        self.admits(event.kind) && self.about.as_deref().is_none_or(about)
    }

    /// Whether what an object shows belongs on the list. What is left of a deleted one does not.
    pub fn admits_shown(&self, shown: &dyn Shown) -> bool {
        let is = |field: &str, wanted: &str| {
            let mut same = false;
            at_path(shown, field, &mut |value| {
                same = text_of(value).is_some_and(|text| text == wanted);
            });
            same
        };
        !is("deleted", "true") && self.filters.iter().all(|filter| is(filter.field, &filter.value))
    }

    /// Bits of which a record must have at least one to hold something of the list (see
    /// [`IndexEntries::tags`](crate::facts::IndexEntries::tags)); 0 when every record may.
    pub fn tags(&self) -> u64 {
        if self.born_with != 0 {
            return self.born_with;
        }
        if self.types.is_empty() && self.about.is_none() {
            return 0;
        }
        let mask = EventType::ALL
            .iter()
            .filter(|event| self.admits(**event))
            .fold(0, |mask, event| mask | event.tag());
        // No known type matches: a bit that no record carries, so that the list is empty and not everything.
        if mask == 0 { NO_EVENT_TAG } else { mask }
    }
}

/// A tag bit that no event type has; a test in `events` holds it.
pub const NO_EVENT_TAG: u64 = 1 << 63;
