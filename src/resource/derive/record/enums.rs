//! Enums in records.

use super::{Numbered, decode_fields, delimited_field, field_impl, number, numbered, record_impl};
use crate::attributes::Errors;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DataEnum, DeriveInput, Error, Fields, Result, Variant};

/// Variants without values: a number.
pub(super) fn unit_enum(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    if data.variants.is_empty() {
        return Err(Error::new_spanned(&input.ident, "an enum in a record has variants"));
    }
    let mut errors = Errors::default();
    let numbers = variant_numbers(data, &mut errors);
    errors.finish()?;

    let shape = input.ident.to_string();
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let names: Vec<_> = variants.iter().map(|ident| ident.to_string()).collect();
    let record = record_impl(
        input,
        &quote!(&[#((#numbers, #names)),*]),
        &quote!(::tollgate_resource::record::Field::put(self, out);),
        &quote!(::tollgate_resource::record::take_value(input, #shape)),
    );
    let field = field_impl(
        input,
        &quote!(::tollgate_resource::record::Wire::Varint),
        &quote!(false),
        &quote!(::core::option::Option::None),
        &quote! {
            ::tollgate_resource::record::put_variant(out, match self { #(Self::#variants => #numbers,)* })
        },
        &quote! {
            match ::tollgate_resource::record::take_variant(input)? {
                #(#numbers => ::core::result::Result::Ok(Self::#variants),)*
                number => ::core::result::Result::Err(
                    ::tollgate_resource::record::RecordError::UnknownVariant { shape: #shape, number },
                ),
            }
        },
    );
    Ok(quote!(#record #field))
}

/// Variants with values: a number and what follows it.
pub(super) fn data_enum(input: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let numbers = variant_numbers(data, &mut errors);
    let contents: Vec<_> = data
        .variants
        .iter()
        .map(|variant| content(variant, &mut errors))
        .collect();
    errors.finish()?;

    let shape = input.ident.to_string();
    let (mut names, mut encodes, mut decodes) = (Vec::new(), Vec::new(), Vec::new());
    for ((variant, number), content) in data.variants.iter().zip(&numbers).zip(&contents) {
        let ident = &variant.ident;
        let name = listing(variant, content);
        names.push(quote!((#number, #name)));
        let inner = format!("{shape}::{ident}");
        match content {
            Content::Value => {
                encodes.push(quote! {
                    Self::#ident(value) => {
                        ::tollgate_resource::record::put_variant(out, #number);
                        ::tollgate_resource::record::put_value(value, out);
                    }
                });
                decodes.push(quote! {
                    #number => ::core::result::Result::Ok(
                        Self::#ident(::tollgate_resource::record::take_value(input, #inner)?)
                    ),
                });
            }
            Content::Fields(fields) => {
                let members: Vec<_> = fields.iter().map(|field| &field.member).collect();
                let slots: Vec<_> = (0..fields.len()).map(|at| format_ident!("slot_{at}")).collect();
                let puts = fields.iter().zip(&slots).map(|(field, slot)| field.put(&quote!(#slot)));
                encodes.push(quote! {
                    Self::#ident { #(#members: #slots),* } => {
                        ::tollgate_resource::record::put_variant(out, #number);
                        #(#puts)*
                    }
                });
                let decode = decode_fields(fields, &inner, &quote!(Self::#ident));
                decodes.push(quote!(#number => { #decode }));
            }
        }
    }
    let record = record_impl(
        input,
        &quote!(&[#(#names),*]),
        &quote!(match self { #(#encodes)* }),
        &quote! {
            match ::tollgate_resource::record::take_variant(&mut input)? {
                #(#decodes)*
                number => ::core::result::Result::Err(
                    ::tollgate_resource::record::RecordError::UnknownVariant { shape: #shape, number },
                ),
            }
        },
    );
    let field = delimited_field(input, &quote!(false), &quote!(::core::option::Option::None));
    Ok(quote!(#record #field))
}

/// What follows a variant's number.
enum Content<'a> {
    /// One value alone.
    Value,
    /// Numbered fields, perhaps none.
    Fields(Vec<Numbered<'a>>),
}

fn content<'a>(variant: &'a Variant, errors: &mut Errors) -> Content<'a> {
    match &variant.fields {
        Fields::Unnamed(fields)
            if fields.unnamed.len() == 1 && matches!(number(&fields.unnamed[0].attrs), Ok(None)) =>
        {
            Content::Value
        }
        fields => Content::Fields(numbered(fields, errors)),
    }
}

/// A variant in the list of names, with the numbers of its fields: `Capture { 1 of, 2 money }`.
fn listing(variant: &Variant, content: &Content<'_>) -> String {
    match content {
        Content::Value => format!("{}(value)", variant.ident),
        Content::Fields(fields) if fields.is_empty() => variant.ident.to_string(),
        Content::Fields(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|field| format!("{} {}", field.number, field.name()))
                .collect();
            format!("{} {{ {} }}", variant.ident, fields.join(", "))
        }
    }
}

/// The numbers of the variants, in declaration order.
fn variant_numbers(data: &DataEnum, errors: &mut Errors) -> Vec<u32> {
    let mut out: Vec<u32> = Vec::new();
    for variant in &data.variants {
        match number(&variant.attrs) {
            Ok(Some((_, true))) => errors.at(variant, "a variant cannot be skippable"),
            Ok(Some((number, false))) => {
                if let Some(at) = out.iter().position(|taken| *taken == number) {
                    let taken = &data.variants[at].ident;
                    errors.at(
                        variant,
                        format!("number {number} is taken by `{taken}`; numbers are never reused"),
                    );
                }
                out.push(number);
            }
            Ok(None) => errors.at(variant, "this variant needs a number: #[record(n)]"),
            Err(error) => errors.push(error),
        }
    }
    out
}
