//! What a request may send: parameters with their order, bounds and words, and where their values go.
//!
//! The form decoder (wire) unescapes a body once, turns each bracket path into [`Step`]s, sorts by declaration order
//! and hands every value to [`Params::set`]. So errors come out in declaration order, one at a time, and there is no
//! map of strings between the bytes and the typed command.

mod values;

pub use self::values::{Range, boolean, first_id, first_name};
use crate::id::Kind;
use crate::version::Version;

/// The parameters of one operation, or of a nested hash; derive it.
///
/// ```text
/// #[derive(Params, Default, Clone, Debug)]
/// pub struct CreateRefund {
///     /// The charge to refund.
///     pub charge: Option<ChargeId>,
///     #[param(required, min = 1)]        // bounds of integers, inclusive; required fields are plain types
///     pub amount: i64,
///     #[param(max_len = 500)]            // text, in characters; default 5000
///     pub description: Option<Box<str>>,
///     #[param(max_items = 10)]           // arrays; default 100
///     pub payment_method_types: Vec<Box<str>>,
///     pub name: Update<Box<str>>,        // an empty string unsets it
///     #[param(name = "type")]
///     pub kind: Option<Kind>,
///     pub metadata: MetadataUpdate,
///     pub card: Option<CardParams>,      // nested: another struct with derive(Params)
///     #[param(since = 20230816)]         // versions that accept it, as in `shown`
/// }
/// ```
/// Field order is the order of errors.
pub trait Params {
    /// The description of the fields, in declaration order.
    fn shape(&self) -> &'static ParamsShape;
    /// Stores `text` at `path`, whose first step is a field index of the shape.
    fn set(&mut self, path: &[Step<'_>], text: &str) -> Result<(), Problem>;
}

/// The static side of [`Params`].
pub trait HasParams: Params + Default {
    /// The description.
    const SHAPE: &'static ParamsShape;
}

/// The parameters of an operation that takes none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoParams;

impl Params for NoParams {
    fn shape(&self) -> &'static ParamsShape {
        Self::SHAPE
    }
    fn set(&mut self, _: &[Step<'_>], _: &str) -> Result<(), Problem> {
        Err(Problem::Object)
    }
}
impl HasParams for NoParams {
    const SHAPE: &'static ParamsShape = &ParamsShape {
        name: "NoParams",
        doc: "",
        fields: &[],
    };
}

/// One step of a bracket path, already matched against the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A field of a struct, by its index in the shape.
    Field(u16),
    /// An element of an array; numbered densely from 0 in order of appearance.
    Item(u32),
    /// A key of a map such as metadata.
    Key(&'a str),
}

/// The fields of a parameter struct.
#[derive(Debug)]
pub struct ParamsShape {
    /// Rust name of the struct.
    pub name: &'static str,
    /// The struct's doc comment.
    pub doc: &'static str,
    /// The fields in declaration order.
    pub fields: &'static [ParamField],
}

/// One parameter.
#[derive(Debug)]
pub struct ParamField {
    /// Public name.
    pub name: &'static str,
    /// The field's doc comment.
    pub doc: &'static str,
    /// What values it takes.
    pub kind: ParamKind,
    /// Whether the request must give it.
    pub required: bool,
    /// Whether an empty string unsets it (otherwise that is `parameter_invalid_empty`).
    pub clearable: bool,
    /// First version that accepts it.
    pub since: Version,
    /// First version that does not accept it any more.
    pub until: Version,
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy)]
pub enum ParamKind {
    /// A whole number within bounds, inclusive.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// `true` or `false`.
    Bool,
    /// Text of at most that many characters.
    Str {
        /// Most characters.
        max_len: usize,
    },
    /// One of these words.
    Names(&'static [&'static str]),
    /// An id of this kind.
    Id(&'static Kind),
    /// Text with a grammar of its own, e.g. a currency; the word names it in documents.
    Word(&'static str),
    /// Text that must not be repeated, logged or kept, such as a card number; the word names it in documents.
    Secret(&'static str),
    /// A file, as a part of a multipart form.
    File,
    /// Pairs of text.
    Metadata,
    /// A nested hash.
    Node(&'static ParamsShape),
    /// An integer, or a hash of gt, gte, lt, lte.
    Range,
    /// An array of at most that many items.
    List {
        /// What an item is.
        of: &'static ParamKind,
        /// Most items.
        max_items: usize,
    },
}

impl ParamKind {
    /// This kind under the bounds that a field states; a bound left at its default changes nothing.
    pub const fn bounded(self, bounds: &Bounds) -> ParamKind {
        match self {
            ParamKind::Int { min, max } => ParamKind::Int {
                min: if bounds.min == Bounds::DEFAULT.min {
                    min
                } else {
                    bounds.min
                },
                max: if bounds.max == Bounds::DEFAULT.max {
                    max
                } else {
                    bounds.max
                },
            },
            ParamKind::Str { max_len } => ParamKind::Str {
                max_len: if bounds.max_len == Bounds::DEFAULT.max_len {
                    max_len
                } else {
                    bounds.max_len
                },
            },
            ParamKind::List { of, max_items } => ParamKind::List {
                of,
                max_items: if bounds.max_items == Bounds::DEFAULT.max_items {
                    max_items
                } else {
                    bounds.max_items
                },
            },
            other => other,
        }
    }

    /// Whether an empty text is a value of its own: it empties metadata and arrays.
    pub const fn takes_empty(&self) -> bool {
        matches!(self, ParamKind::Metadata | ParamKind::List { .. })
    }
}

/// Why a value is refused. Wire words it and adds the parameter's bracket path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A required parameter is missing.
    Missing,
    /// An empty string where the parameter cannot be unset.
    Empty,
    /// Not a whole number.
    Integer,
    /// Below the smallest allowed number.
    TooSmall {
        /// The bound.
        min: i64,
    },
    /// Above the largest allowed number.
    TooLarge {
        /// The bound.
        max: i64,
    },
    /// Neither `true` nor `false`.
    Boolean,
    /// None of the words.
    Names(&'static [&'static str]),
    /// Too many characters.
    TooLong {
        /// The bound, in characters.
        max: usize,
    },
    /// Too many items.
    TooMany {
        /// The bound.
        max: usize,
    },
    /// Text where a hash is wanted.
    Object,
    /// Text where an array is wanted, or a hash where text is wanted.
    Array,
    /// A hash or array where a single value is wanted.
    Scalar,
    /// No object of this kind has that id.
    NoSuch {
        /// The kind that was looked for.
        kind: &'static Kind,
    },
    /// A refusal in these words.
    Said(Box<str>),
    /// A refusal with words of its own.
    Custom {
        /// The error code, if any.
        code: Option<&'static str>,
        /// The caller's message; `{}` stands for the given text.
        message: &'static str,
    },
}

/// A change of a clearable parameter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Update<T> {
    /// Not given.
    #[default]
    Keep,
    /// Given as an empty string.
    Clear,
    /// Given.
    Set(T),
}

impl<T> Update<T> {
    /// Applies the change to a stored value.
    pub fn apply_to(self, stored: &mut Option<T>) {
        match self {
            Update::Keep => {}
            Update::Clear => *stored = None,
            Update::Set(value) => *stored = Some(value),
        }
    }
    /// The given value.
    pub fn into_option(self) -> Option<T> {
        match self {
            Update::Set(value) => Some(value),
            Update::Keep | Update::Clear => None,
        }
    }
}

/// Bounds that a field's attributes state, for [`ParamValue::first`].
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Smallest integer.
    pub min: i64,
    /// Largest integer.
    pub max: i64,
    /// Most characters of text.
    pub max_len: usize,
    /// Most items of an array.
    pub max_items: usize,
}

impl Bounds {
    /// What holds where a field states nothing: any integer, 5,000 characters, 100 items.
    pub const DEFAULT: Bounds = Bounds {
        min: i64::MIN,
        max: i64::MAX,
        max_len: 5000,
        max_items: 100,
    };
}

/// A type that can be a parameter.
pub trait ParamValue: Sized {
    /// What values it takes where a field states no bounds; the derive applies stated ones with [`ParamKind::bounded`].
    const KIND: ParamKind;
    /// The value from the first text at `path` (relative to the value; empty for a scalar).
    fn first(path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<Self, Problem>;
    /// Adds another text; a scalar given twice takes the last.
    fn more(&mut self, path: &[Step<'_>], text: &str, bounds: &Bounds) -> Result<(), Problem> {
        *self = Self::first(path, text, bounds)?;
        Ok(())
    }
}

/// Refuses a path where a scalar is wanted.
pub fn scalar(path: &[Step<'_>]) -> Result<(), Problem> {
    if path.is_empty() { Ok(()) } else { Err(Problem::Scalar) }
}

/// The field index that a path starts with, and what follows; used by the derive.
pub fn first_field<'a, 'b>(path: &'a [Step<'b>]) -> Result<(u16, &'a [Step<'b>]), Problem> {
    match path {
        [Step::Field(index), rest @ ..] => Ok((*index, rest)),
        _ => Err(Problem::Object),
    }
}

/// Stops on an index that the shape does not have: the form decoder takes indexes from the shape alone. Used by the
/// derive.
#[cold]
pub fn no_such_param(shape: &'static str, index: u16) -> ! {
    panic!("{shape} has no parameter {index}")
}

/// Sets an optional field; used by the derive.
pub fn put_option<T: ParamValue>(
    field: &mut Option<T>,
    path: &[Step<'_>],
    text: &str,
    bounds: &Bounds,
) -> Result<(), Problem> {
    match field {
        Some(value) => value.more(path, text, bounds),
        None => {
            *field = Some(T::first(path, text, bounds)?);
            Ok(())
        }
    }
}

/// Sets a clearable field; used by the derive.
pub fn put_update<T: ParamValue>(
    field: &mut Update<T>,
    path: &[Step<'_>],
    text: &str,
    bounds: &Bounds,
) -> Result<(), Problem> {
    if path.is_empty() && text.is_empty() {
        *field = Update::Clear;
        return Ok(());
    }
    match field {
        Update::Set(value) => value.more(path, text, bounds),
        Update::Keep | Update::Clear => {
            *field = Update::Set(T::first(path, text, bounds)?);
            Ok(())
        }
    }
}

/// Adds to an array. An empty string alone empties it.
pub fn put_items<T: ParamValue>(
    field: &mut Vec<T>,
    path: &[Step<'_>],
    text: &str,
    bounds: &Bounds,
) -> Result<(), Problem> {
    match path {
        [] if text.is_empty() => {
            field.clear();
            Ok(())
        }
        [Step::Item(at), rest @ ..] => {
            let at = *at as usize;
            if at < field.len() {
                return field[at].more(rest, text, bounds);
            }
            if at >= bounds.max_items {
                return Err(Problem::TooMany { max: bounds.max_items });
            }
            field.push(T::first(rest, text, bounds)?);
            Ok(())
        }
        _ => Err(Problem::Array),
    }
}
