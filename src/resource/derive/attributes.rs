//! What attributes say: doc comments, names, versions; and errors gathered so that one build shows them all.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Ident, Lit, LitInt, LitStr, Meta, Result};

/// The named fields of a struct, or an error that says what `derive` wants.
pub(crate) fn named_fields<'a>(input: &'a DeriveInput, derive: &str) -> Result<Vec<&'a Field>> {
    match &input.data {
        Data::Struct(data) if matches!(data.fields, syn::Fields::Named(_)) => Ok(data.fields.iter().collect()),
        _ => Err(Error::new_spanned(
            &input.ident,
            format!("{derive} is derived for structs with named fields"),
        )),
    }
}

/// A field's identifier without `r#`.
pub(crate) fn plain_name(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// The doc comment: lines of a paragraph joined by spaces, paragraphs by an empty line.
pub(crate) fn doc(attributes: &[Attribute]) -> String {
    let mut out = String::new();
    let mut paragraph_ended = false;
    for attribute in attributes {
        let Meta::NameValue(pair) = &attribute.meta else {
            continue;
        };
        if !pair.path.is_ident("doc") {
            continue;
        }
        let Expr::Lit(ExprLit {
            lit: Lit::Str(text), ..
        }) = &pair.value
        else {
            continue;
        };
        for line in text.value().split('\n') {
            let line = line.trim();
            if line.is_empty() {
                paragraph_ended = !out.is_empty();
                continue;
            }
            if !out.is_empty() {
                out.push_str(if paragraph_ended { "\n\n" } else { " " });
            }
            paragraph_ended = false;
            out.push_str(line);
        }
    }
    out
}

/// Reads the options of every `#[word(…)]` among `attributes`.
pub(crate) fn options(
    attributes: &[Attribute],
    word: &str,
    mut option: impl FnMut(ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(word))
        .try_for_each(|attribute| attribute.parse_nested_meta(&mut option))
}

/// The error for an option nobody knows.
pub(crate) fn unknown_option(meta: &ParseNestedMeta<'_>, known: &str) -> Error {
    meta.error(format!("unknown option; known are {known}"))
}

/// `= "text"`.
pub(crate) fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    let literal: LitStr = meta.value()?.parse()?;
    if literal.value().is_empty() {
        Err(Error::new_spanned(&literal, "must not be empty"))
    } else {
        Ok(literal.value())
    }
}

/// `= 20230816`, a date.
pub(crate) fn version(meta: &ParseNestedMeta<'_>) -> Result<u32> {
    let literal: LitInt = meta.value()?.parse()?;
    let number: u32 = literal.base10_parse()?;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    if !(2000..=2999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(Error::new_spanned(&literal, "an API version is a date, yyyymmdd"));
    }
    Ok(number)
}

/// The versions that have a field: from `since` up to, not including, `until`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Window {
    pub(crate) since: Option<u32>,
    pub(crate) until: Option<u32>,
}

impl Window {
    /// Whether some version has both.
    pub(crate) fn overlaps(self, other: Window) -> bool {
        let starts = self.since.max(other.since).unwrap_or(0);
        let ends = self.until.unwrap_or(u32::MAX).min(other.until.unwrap_or(u32::MAX));
        starts < ends
    }

    /// Refuses a window that no version lies in.
    pub(crate) fn check(self, span: &impl ToTokens) -> Result<()> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if since >= until => {
                Err(Error::new_spanned(span, "`since` must come before `until`"))
            }
            _ => Ok(()),
        }
    }

    /// The two versions as expressions.
    pub(crate) fn tokens(self) -> (TokenStream, TokenStream) {
        (version_or(self.since, "ALWAYS"), version_or(self.until, "NEVER"))
    }
}

/// The version as an expression, or the constant of that name.
pub(crate) fn version_or(version: Option<u32>, otherwise: &str) -> TokenStream {
    match version {
        Some(number) => quote!(::tollgate_resource::Version(#number)),
        None => {
            let otherwise = Ident::new(otherwise, Span::call_site());
            quote!(::tollgate_resource::Version::#otherwise)
        }
    }
}

/// Errors of one derive, reported together.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    /// Adds an error that points at `at`.
    pub(crate) fn at(&mut self, at: impl ToTokens, message: impl std::fmt::Display) {
        self.push(Error::new_spanned(at, message));
    }

    /// Adds an error.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// The value, or the error.
    pub(crate) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Everything at once.
    pub(crate) fn finish(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
