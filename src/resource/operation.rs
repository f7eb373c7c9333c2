//! Operations: method, path, parameters and answer of one API call, as the resource's folder declares them.

use crate::id::{Id, Kind};
use crate::params::{HasParams, Params, ParamsShape, Problem};
use crate::shown::Shape;

/// HTTP methods the API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads; parameters in the query string.
    Get,
    /// Changes; parameters in a form-encoded body.
    Post,
    /// Removes; parameters in the query string.
    Delete,
}

impl Method {
    /// The method's name in a request line.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }
}

/// What an operation answers with.
#[derive(Debug, Clone, Copy)]
pub enum Answers {
    /// One object.
    One(&'static Shape),
    /// The bytes that one object stands for.
    Contents(&'static Shape),
    /// A list object of these.
    Many(&'static Shape),
    /// A page of a search among these.
    Found(&'static Shape),
}

impl Answers {
    /// The object, or what the list or the page holds.
    pub fn shape(self) -> &'static Shape {
        match self {
            Answers::One(shape) | Answers::Contents(shape) | Answers::Many(shape) | Answers::Found(shape) => shape,
        }
    }
}

/// One API call that yields a `C` (domain's `Call`).
#[derive(Debug)]
pub struct Endpoint<C: 'static> {
    /// Stable snake_case name, e.g. `capture_payment_intent`; the operation id in OpenAPI and the label in metrics.
    pub name: &'static str,
    /// One line for the reference page.
    pub doc: &'static str,
    /// The method.
    pub method: Method,
    /// The path; `{name}` is one non-empty segment, and `name` is the `param` of a 404, e.g.
    /// `/v1/payment_intents/{intent}/capture`.
    pub path: &'static str,
    /// The parameters, for documents and for compiling the form.
    pub params: &'static ParamsShape,
    /// What it answers.
    pub answers: Answers,
    /// Reads path and form into a call.
    pub parse: fn(&PathArgs<'_>, &mut dyn Form) -> Result<C, Refused>,
}

/// The variable segments of a matched path, in order.
#[derive(Debug, Clone, Copy)]
pub struct PathArgs<'a> {
    /// Name in the declaration and text in the request, percent-decoded.
    pub segments: &'a [(&'static str, &'a str)],
}

impl PathArgs<'_> {
    /// The id in segment `at`; refused as 404 `resource_missing` with the segment's name as `param`.
    pub fn id(&self, at: usize, kind: &'static Kind) -> Result<Id, Refused> {
        let (name, text) = self.segments[at];
        kind.parse(text).ok_or_else(|| Refused::Path {
            kind,
            param: name,
            text: text.into(),
        })
    }
}

/// A form being decoded; wire implements it.
pub trait Form {
    /// Fills `params` in declaration order; the first refusal ends it and is kept by the form with its bracket path.
    fn fill(&mut self, params: &mut dyn Params) -> Result<(), Refused>;
}

/// Decodes a form into a fresh `P`.
pub fn take<P: HasParams>(form: &mut dyn Form) -> Result<P, Refused> {
    let mut params = P::default();
    form.fill(&mut params)?;
    Ok(params)
}

/// Decodes a form into a `P` that stays where it is made: those of changes are large.
pub fn take_boxed<P: HasParams>(form: &mut dyn Form) -> Result<Box<P>, Refused> {
    let mut params = Box::<P>::default();
    form.fill(&mut *params)?;
    Ok(params)
}

/// Why a request did not become a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// A parameter is wrong.
    Param {
        /// Its bracket path, e.g. `shipping[address][line1]`.
        param: String,
        /// What is wrong with it.
        problem: Problem,
        /// The text that was given, cut at 500 characters.
        text: String,
    },
    /// Parameters that the operation does not take, in order of appearance.
    Unknown(Vec<String>),
    /// The path names an object that cannot exist.
    Path {
        /// The kind looked for.
        kind: &'static Kind,
        /// The segment's name.
        param: &'static str,
        /// The text in the path.
        text: String,
    },
    /// The form itself is malformed (bad percent escape, not UTF-8, NUL, nesting too deep, too many parameters).
    Malformed(String),
}
