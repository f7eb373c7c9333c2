//! What a resource shows: a positional view and its shape, read by the renderer, the diff, expansion and OpenAPI.

use crate::id::{Id, Kind};
use crate::metadata::Metadata;
use crate::names::Names;
use crate::version::Version;

/// A struct whose fields the API shows; derive it.
///
/// ```text
/// /// A refund of a charge.
/// #[derive(Shown)]
/// #[shown(object = "refund")]              // writes the constant member "object"; leave out for nested hashes
/// pub struct RefundShown<'a> {
///     /// Unique identifier.               // doc comments become OpenAPI descriptions
///     pub id: Ident,
///     /// Amount, in minor units.
///     pub amount: i64,
///     /// The charge that was refunded.
///     #[shown(expand)]                     // on Option<Ref> or Ref: may be expanded; on a hash: shown only then
///     pub charge: Option<Ref>,
///     #[shown(omit)]                       // None leaves the member out instead of showing null
///     pub description: Option<&'a str>,
///     #[shown(since = 20230816)]           // first version that shows it
///     #[shown(until = 20221115)]           // first version that no longer shows it
///     #[shown(included_until = 20221115)] // a SubList or a Ref: shown in place at older versions, only by expand since
///     #[shown(revision = 2)]               // Tollgate revision that added it; older outcomes render without
///     #[shown(name = "type")]              // public name where it is a Rust keyword
///     pub kind: RefundType,
///     #[shown(named = "Refund")]           // a hash that contains itself further down: its schema's name
///     pub cause: Option<Box<RefundShown<'a>>>,
/// }
/// ```
/// The derive sorts fields as the API prints them: `id`, `object`, then alphabetically.
pub trait Shown {
    /// The static description of the fields, in print order.
    fn shape(&self) -> &'static Shape;
    /// The value of field `index` of [`Shape::fields`].
    fn value(&self, index: usize) -> Value<'_>;
}

/// The static side of a [`Shown`] struct (an associated constant, so that OpenAPI needs no value).
pub trait HasShape {
    /// The description.
    const SHAPE: &'static Shape;
}

/// The fields of a shown struct.
#[derive(Debug)]
pub struct Shape {
    /// Rust name of the struct, without a `Shown` suffix; the schema's name in OpenAPI.
    pub name: &'static str,
    /// The struct's doc comment.
    pub doc: &'static str,
    /// The value of the `object` member, which is itself one of the fields.
    pub object: Option<&'static str>,
    /// The fields in print order.
    pub fields: &'static [FieldShape],
}

/// One shown field.
#[derive(Debug)]
pub struct FieldShape {
    /// Public name.
    pub name: &'static str,
    /// A line with a member of that name that is null: what [`lead`] makes of the name.
    pub lead: [u8; LEAD_BYTES],
    /// The field's doc comment.
    pub doc: &'static str,
    /// What values it takes.
    pub kind: ValueKind,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether it is left out when it has no value.
    pub omit: bool,
    /// Whether a request may expand it.
    pub expand: bool,
    /// First version that shows it.
    pub since: Version,
    /// First version that does not show it any more.
    pub until: Version,
    /// For a [`SubList`]: first version that shows it only when it is expanded; before, it was always included.
    pub included_until: Version,
    /// The shape revision of Tollgate that added it; 1 for the first release.
    pub revision: u16,
}

/// Spaces at the start of every [`FieldShape::lead`].
pub const LEAD_INDENT: usize = 16;

/// Bytes that are copied of a [`FieldShape::lead`].
pub const LEAD_COPIED: usize = 48;

/// Bytes of a [`FieldShape::lead`].
pub const LEAD_BYTES: usize = LEAD_INDENT + LEAD_COPIED;

/// [`LEAD_INDENT`] spaces, the name in quotes, a colon, a space and `null`, cut or filled with spaces to [`LEAD_BYTES`].
/// Writers copy [`LEAD_COPIED`] bytes out of it, since a copy of a fixed length costs least, and keep what they need: less
/// of the indentation, and `null` only where the member is.
pub const fn lead(name: &str) -> [u8; LEAD_BYTES] {
    let mut lead = [b' '; LEAD_BYTES];
    let mut end = put(&mut lead, LEAD_INDENT, b"\"");
    end = put(&mut lead, end, name.as_bytes());
    put(&mut lead, end, b"\": null");
    lead
}

/// Copies what fits, and says where more would go.
const fn put(into: &mut [u8; LEAD_BYTES], at: usize, text: &[u8]) -> usize {
    let mut copied = 0;
    while copied < text.len() && at + copied < LEAD_BYTES {
        into[at + copied] = text[copied];
        copied += 1;
    }
    at + copied
}

/// What values a field takes, for OpenAPI and the reference page.
#[derive(Debug, Clone, Copy)]
pub enum ValueKind {
    /// `true` or `false`.
    Bool,
    /// An integer.
    Int,
    /// Seconds since the Unix epoch.
    Timestamp,
    /// Text.
    Str,
    /// One of these words.
    Names(&'static [&'static str]),
    /// The constant text of the `object` member.
    Object(&'static str),
    /// An id, or the object itself when expanded.
    Ref,
    /// A nested hash.
    Node(&'static Shape),
    /// A nested hash that contains itself further down; named, to end the recursion.
    Named(&'static str),
    /// An array.
    List(&'static ValueKind),
    /// Pairs of text.
    Map,
    /// A list object of included objects.
    SubList,
    /// Any object, or some of its fields (`event.data`).
    Any,
}

/// One value of a shown struct.
pub enum Value<'a> {
    /// The member is left out.
    Absent,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Borrowed text.
    Str(&'a str),
    /// Text made for this answer, such as a client secret.
    Text(String),
    /// A reference: an id unless expanded.
    Ref(Ref),
    /// The object's own id.
    Ident(Ident),
    /// A nested hash.
    Node(&'a dyn Shown),
    /// An array.
    List(&'a dyn Items),
    /// Pairs of text.
    Map(&'a Metadata),
    /// A list object of included objects, expanded in place.
    SubList(SubList<'a>),
    /// The fields of `old` that differ in `new`, at their old values (an event's `previous_attributes`).
    Previous {
        /// The version before.
        old: &'a dyn Shown,
        /// The version after.
        new: &'a dyn Shown,
    },
}

/// The id of the object itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ident {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its id.
    pub id: Id,
}

/// A reference to another object of the same account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ref {
    /// The other object's kind.
    pub kind: &'static Kind,
    /// The other object's id.
    pub id: Id,
}

/// A list object inside an object, e.g. `charge.refunds`. Its members must be attached to the answer.
#[derive(Clone, Copy, Debug)]
pub struct SubList<'a> {
    /// Kind of the members.
    pub kind: &'static Kind,
    /// Further kinds that may stand among them.
    pub also: &'static [&'static Kind],
    /// The members, newest first.
    pub ids: &'a [Id],
    /// Whether there are more.
    pub has_more: bool,
    /// Every member there is, for versions that print `total_count`.
    pub total: u64,
    /// Path and query of the list endpoint: up to the id of `of` (`/v1/charges?payment_intent=`), or with `{}` in its
    /// place (`/v1/customers/{}/sources`).
    pub url: &'a str,
    /// The object that holds the list, whose id ends the URL; written out only where the list is shown.
    pub of: Option<Ident>,
}

impl SubList<'_> {
    /// Path and query of the list endpoint, whole.
    pub fn whole_url(&self) -> String {
        let (before, after) = self.url.split_once("{}").unwrap_or((self.url, ""));
        let mut url = before.to_owned();
        if let Some(of) = self.of {
            url.push_str(&of.id.text(of.kind));
        }
        url.push_str(after);
        url
    }

    /// The kind of the member with that id.
    pub fn kind_of(&self, id: Id) -> &'static Kind {
        let other = self.also.iter().copied().find(|kind| id.is(kind));
        other.unwrap_or(self.kind)
    }
}

/// Something that can be shown in an array.
pub trait Items {
    /// How many.
    fn len(&self) -> usize;
    /// The value at `index`.
    fn item(&self, index: usize) -> Value<'_>;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A type that can be a shown field.
pub trait ShownValue {
    /// What values it takes.
    const KIND: ValueKind;
    /// Whether it may be null.
    const NULLABLE: bool = false;
    /// The value.
    fn shown(&self) -> Value<'_>;
}

/// Seconds since the Unix epoch, shown as an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(pub i64);

impl ShownValue for Seconds {
    const KIND: ValueKind = ValueKind::Timestamp;
    fn shown(&self) -> Value<'_> {
        Value::Int(self.0)
    }
}
impl ShownValue for i64 {
    const KIND: ValueKind = ValueKind::Int;
    fn shown(&self) -> Value<'_> {
        Value::Int(*self)
    }
}
impl ShownValue for bool {
    const KIND: ValueKind = ValueKind::Bool;
    fn shown(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}
impl ShownValue for &str {
    const KIND: ValueKind = ValueKind::Str;
    fn shown(&self) -> Value<'_> {
        Value::Str(self)
    }
}
impl ShownValue for String {
    const KIND: ValueKind = ValueKind::Str;
    fn shown(&self) -> Value<'_> {
        Value::Str(self)
    }
}
impl ShownValue for Box<str> {
    const KIND: ValueKind = ValueKind::Str;
    fn shown(&self) -> Value<'_> {
        Value::Str(self)
    }
}
impl ShownValue for Ident {
    const KIND: ValueKind = ValueKind::Str;
    fn shown(&self) -> Value<'_> {
        Value::Ident(*self)
    }
}
impl ShownValue for Ref {
    const KIND: ValueKind = ValueKind::Ref;
    fn shown(&self) -> Value<'_> {
        Value::Ref(*self)
    }
}
impl ShownValue for SubList<'_> {
    const KIND: ValueKind = ValueKind::SubList;
    fn shown(&self) -> Value<'_> {
        Value::SubList(*self)
    }
}
impl ShownValue for Metadata {
    const KIND: ValueKind = ValueKind::Map;
    fn shown(&self) -> Value<'_> {
        Value::Map(self)
    }
}
impl<T: ShownValue> ShownValue for Option<T> {
    const KIND: ValueKind = T::KIND;
    const NULLABLE: bool = true;
    fn shown(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ShownValue::shown)
    }
}
impl<T: ShownValue> ShownValue for &T {
    const KIND: ValueKind = T::KIND;
    const NULLABLE: bool = T::NULLABLE;
    fn shown(&self) -> Value<'_> {
        (**self).shown()
    }
}
impl<T: ShownValue> ShownValue for Box<T> {
    const KIND: ValueKind = T::KIND;
    const NULLABLE: bool = T::NULLABLE;
    fn shown(&self) -> Value<'_> {
        (**self).shown()
    }
}
impl<T: ShownValue> ShownValue for Vec<T> {
    const KIND: ValueKind = ValueKind::List(&T::KIND);
    fn shown(&self) -> Value<'_> {
        Value::List(self)
    }
}
impl<T: ShownValue> Items for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }
    fn item(&self, index: usize) -> Value<'_> {
        self[index].shown()
    }
}

/// The kind of a field of [`Names`]; the derive of `Names` implements [`ShownValue`] with it.
pub const fn names_kind<T: Names>() -> ValueKind {
    ValueKind::Names(T::NAMES)
}

/// What a field marked `omit` shows: nothing where others show null; used by the derive.
pub fn or_absent(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Null => Value::Absent,
        other => other,
    }
}

/// Stops on an index that the shape does not have; used by the derive.
#[cold]
pub fn no_such_field(shape: &'static str, index: usize) -> ! {
    panic!("{shape} has no field {index}")
}
