//! A search as it is asked: the query, and where its page starts.

use super::fields::Searched;
use super::grammar::Query;
use crate::kinds;
use tollgate_resource::Id;

/// A page of a search, newest objects first.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchQuery {
    /// What is searched.
    pub searched: &'static Searched,
    /// What is looked for.
    pub query: Query,
    /// Most objects of the page; 1 to 100.
    pub limit: usize,
    /// Only objects older than this sequence number: what an earlier page has not shown.
    pub below: Option<u64>,
    /// What the tokens of this search's pages are signed with.
    pub token: PageToken,
}

/// Makes and reads the cursors of one search. A cursor says where its search goes on; it is refused by another search,
/// because there it would silently pass over objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageToken {
    check: u32,
}

/// Characters of a cursor.
const TOKEN_LEN: usize = 24;

impl PageToken {
    /// The cursors of a search for `query` among `searched`.
    pub fn of(searched: &Searched, query: &str) -> PageToken {
        // FNV-1a: a cursor is no secret, it only has to be told from others.
        let bytes = searched.plural.bytes().chain([0]).chain(query.bytes());
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        PageToken {
            check: (hash ^ (hash >> 32)) as u32,
        }
    }

    /// The cursor that goes on below the sequence number `seq`.
    pub fn write(self, seq: u64) -> String {
        format!("{seq:016x}{:08x}", self.check ^ seq as u32)
    }

    /// The sequence number of a cursor of this search.
    pub fn read(self, text: &str) -> Option<u64> {
        let digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != TOKEN_LEN || !digits {
            return None;
        }
        let seq = u64::from_str_radix(&text[..16], 16).ok()?;
        let check = u32::from_str_radix(&text[16..], 16).ok()?;
        (check == self.check ^ seq as u32).then_some(seq)
    }
}

impl SearchQuery {
    /// The customer whose objects alone are found. Lists by customer are indexed, so that nothing else is looked at.
    pub fn customer(&self) -> Option<Id> {
        // Text in another letter case is no id, but may still be equal to one: then everything is looked at.
        kinds::CUSTOMER.parse(self.query.customer()?)
    }
}
