//! Pages of lists that stand in one place as a whole, and need no index.

use crate::call::{Cursor, PAGE_LIMIT_DEFAULT, PAGE_LIMIT_MAX};
use crate::decision::Stop;
use crate::reject::Reject;
use tollgate_resource::{Id, Kind};

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    limit: usize,
    cursor: Cursor,
}

/// What is said of two cursors in one request.
pub const BOTH_CURSORS: &str = "Received both starting_after and ending_before parameters. Please pass in only one.";

impl Paging {
    /// The page a request asks for; a limit out of range is clamped.
    pub fn of(limit: Option<i64>, after: Option<Id>, before: Option<Id>) -> Paging {
        Paging {
            limit: limit.unwrap_or(PAGE_LIMIT_DEFAULT).clamp(1, PAGE_LIMIT_MAX) as usize,
            cursor: match (after, before) {
                (None, None) => Cursor::Start,
                (Some(id), None) => Cursor::After(id),
                (None, Some(id)) => Cursor::Before(id),
                (Some(after), Some(before)) => Cursor::Both { after, before },
            },
        }
    }

    /// That page of `all`, which is in the order of the list, and whether there is more beyond it.
    ///
    /// # Errors
    /// A cursor that names nothing of the list, or two cursors.
    pub(crate) fn cut<T>(
        &self,
        mut all: Vec<T>,
        kind: &'static Kind,
        id: impl Fn(&T) -> Id,
    ) -> Result<(Vec<T>, bool), Stop> {
        let place = |wanted: Id, param: &str| {
            let at = all.iter().position(|item| id(item) == wanted);
            at.ok_or_else(|| Stop::from(Reject::no_such_param(kind, wanted, param)))
        };
        let (from, to) = match self.cursor {
            Cursor::Start => (0, all.len()),
            Cursor::After(id) => (place(id, "starting_after")? + 1, all.len()),
            Cursor::Before(id) => (0, place(id, "ending_before")?),
            Cursor::Both { after, before } => {
                place(after, "starting_after")?;
                place(before, "ending_before")?;
                return Err(Reject::invalid(None, BOTH_CURSORS).into());
            }
        };
        let has_more = to - from > self.limit;
        // A page before a cursor is the one next to it.
        let page = match self.cursor {
            Cursor::Before(_) => to.saturating_sub(self.limit)..to,
            _ => from..to.min(from + self.limit),
        };
        Ok((all.drain(page).collect(), has_more))
    }
}
