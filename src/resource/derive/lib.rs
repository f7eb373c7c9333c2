//! Derives of the resource vocabulary; the traits in `tollgate_resource` say what each means.
//!
//! Derived code is thin: it lists fields and calls generic functions of `tollgate_resource`, so that a resource costs
//! little to compile and the rules stand in one readable place.

mod attributes;
mod names;
mod params;
mod record;
mod shown;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Derives `Record` and `record::Field` from fields or variants that carry `#[record(number)]`.
///
/// - A struct is its numbered fields. `#[record(3, skippable)]` lets readers that do not know the number pass over it.
/// - An enum without data is one varint; an enum with data is the variant's number and then the variant's content:
///   numbered fields, or for `Variant(T)` without a number on `T` that value alone.
/// - A struct with one unnumbered field, `struct Key(u64)`, is that value.
#[proc_macro_derive(Record, attributes(record))]
pub fn derive_record(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    record::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives `Shown`, `HasShape` and `ShownValue` for a struct of shown fields.
///
/// On the struct: `#[shown(object = "refund")]`. On a field: `name = "…"`, `expand`, `omit`, `since = yyyymmdd`,
/// `until = yyyymmdd`, `included_until = yyyymmdd`, `revision = n`, and `named = "Schema"` for a hash that contains
/// itself. Doc comments become descriptions.
#[proc_macro_derive(Shown, attributes(shown))]
pub fn derive_shown(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    shown::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives `Params`, `HasParams` and `ParamValue` for a struct of parameters, which must also be `Default`.
///
/// On a field: `required`, `name = "…"`, `min = n`, `max = n`, `max_len = n`, `max_items = n`, `since = yyyymmdd`,
/// `until = yyyymmdd`. `Option<T>`, `Update<T>` and `Vec<T>` are known by those names.
#[proc_macro_derive(Params, attributes(param))]
pub fn derive_params(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    params::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Derives `Names`, `ShownValue` and `ParamValue` for an enum without data. A variant's name is its snake_case spelling,
/// or `#[name = "…"]`.
#[proc_macro_derive(Names, attributes(name))]
pub fn derive_names(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    names::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
