//! `#[derive(Record)]`.

mod enums;

use self::enums::{data_enum, unit_enum};
use crate::attributes::{Errors, plain_name};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Error, Fields, LitInt, Member, Result, Token, Type};

/// The largest field or variant number: keys of up to this one take at most three bytes.
const NUMBER_MAX: u32 = 65_535;

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 && number(&fields.unnamed[0].attrs)?.is_none() => {
                Ok(transparent(input, &fields.unnamed[0].ty))
            }
            Fields::Unnamed(fields) => Err(Error::new_spanned(
                fields,
                "a tuple struct in a record has one, unnumbered field",
            )),
            fields => structure(input, fields),
        },
        Data::Enum(data)
            if data
                .variants
                .iter()
                .all(|variant| matches!(variant.fields, Fields::Unit)) =>
        {
            unit_enum(input, data)
        }
        Data::Enum(data) => data_enum(input, data),
        Data::Union(_) => Err(Error::new_spanned(
            &input.ident,
            "Record is derived for structs and enums",
        )),
    }
}

/// One numbered field.
struct Numbered<'a> {
    number: u32,
    skippable: bool,
    member: Member,
    ty: &'a Type,
}

impl Numbered<'_> {
    fn name(&self) -> String {
        match &self.member {
            Member::Named(ident) => plain_name(ident),
            Member::Unnamed(index) => index.index.to_string(),
        }
    }
    /// What writes the field's value, which `value` borrows.
    fn put(&self, value: &TokenStream) -> TokenStream {
        let number = self.number;
        if self.skippable {
            quote!(::tollgate_resource::record::put_skippable(#value, #number, out);)
        } else {
            quote!(::tollgate_resource::record::put_field(#value, #number, out);)
        }
    }
}

/// `#[record(number)]` or `#[record(number, skippable)]`.
fn number(attributes: &[Attribute]) -> Result<Option<(u32, bool)>> {
    let mut found = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("record"))
    {
        let parsed = attribute.parse_args_with(|input: syn::parse::ParseStream<'_>| {
            let literal: LitInt = input.parse()?;
            let number: u32 = literal.base10_parse()?;
            if number == 0 || number > NUMBER_MAX {
                return Err(Error::new_spanned(
                    &literal,
                    format!("numbers go from 1 to {NUMBER_MAX}"),
                ));
            }
            if input.is_empty() {
                return Ok((number, false));
            }
            input.parse::<Token![,]>()?;
            let word: syn::Ident = input.parse()?;
            if word != "skippable" {
                return Err(Error::new_spanned(&word, "the only option is `skippable`"));
            }
            Ok((number, true))
        })?;
        if found.replace(parsed).is_some() {
            return Err(Error::new_spanned(attribute, "numbered twice"));
        }
    }
    Ok(found)
}

/// The numbered fields in order of their numbers.
fn numbered<'a>(fields: &'a Fields, errors: &mut Errors) -> Vec<Numbered<'a>> {
    let mut out: Vec<Numbered<'a>> = Vec::new();
    for (member, field) in fields.members().zip(fields) {
        let number = match number(&field.attrs) {
            Ok(Some(number)) => number,
            Ok(None) => {
                errors.at(field, "this field needs a number: #[record(n)]");
                continue;
            }
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        if let Some(taken) = out.iter().find(|other| other.number == number.0) {
            errors.at(
                field,
                format!(
                    "number {} is taken by `{}`; numbers are never reused",
                    number.0,
                    taken.name()
                ),
            );
        }
        out.push(Numbered {
            number: number.0,
            skippable: number.1,
            member,
            ty: &field.ty,
        });
    }
    out.sort_by_key(|field| field.number);
    out
}

fn structure(input: &DeriveInput, fields: &Fields) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let numbered = numbered(fields, &mut errors);
    errors.finish()?;

    let shape = input.ident.to_string();
    let names = numbered.iter().map(|field| {
        let (number, name) = (field.number, field.name());
        quote!((#number, #name))
    });
    let puts = numbered.iter().map(|field| {
        let member = &field.member;
        field.put(&quote!(&self.#member))
    });
    let members = numbered.iter().map(|field| &field.member);
    let decode = decode_fields(&numbered, &shape, &quote!(Self));
    let record = record_impl(input, &quote!(&[#(#names),*]), &quote!(#(#puts)*), &decode);
    let field = delimited_field(
        input,
        &quote!(true #(&& ::tollgate_resource::record::Field::is_absent(&self.#members))*),
        // A struct of fields that all have an absent value has one itself: what an empty record decodes to.
        &quote!(
            <Self as ::tollgate_resource::record::Record>::decode(::tollgate_resource::record::Input::new(&[])).ok()
        ),
    );
    Ok(quote!(#record #field))
}

/// The end of a decode function: reads `input` up to its end into `constructor`'s fields.
fn decode_fields(fields: &[Numbered<'_>], shape: &str, constructor: &TokenStream) -> TokenStream {
    if fields.is_empty() {
        return quote! {
            ::tollgate_resource::record::no_fields(input, #shape)?;
            ::core::result::Result::Ok(#constructor {})
        };
    }
    let types: Vec<_> = fields.iter().map(|field| field.ty).collect();
    let places: Vec<_> = (0..fields.len()).map(syn::Index::from).collect();
    let numbers: Vec<_> = fields.iter().map(|field| field.number).collect();
    let members = fields.iter().map(|field| &field.member);
    // The slots stand in one tuple that is filled through a reference: an error then has one thing to drop, not one per
    // field at each place, which halves what a record costs to compile.
    quote! {
        let mut slots = (#(::core::option::Option::None::<#types>,)*);
        let mut fill = |slots: &mut (#(::core::option::Option<#types>,)*)| -> ::core::result::Result<
            (),
            ::tollgate_resource::record::RecordError,
        > {
            while !input.is_empty() {
                let (number, wire) = input.take_key()?;
                match number {
                    #(#numbers => {
                        ::tollgate_resource::record::take_field(&mut slots.#places, &mut input, #shape, number, wire)?
                    })*
                    _ => ::tollgate_resource::record::skip_unknown(&mut input, #shape, number, wire)?,
                }
            }
            #(::tollgate_resource::record::complete(&mut slots.#places, #shape, #numbers)?;)*
            ::core::result::Result::Ok(())
        };
        fill(&mut slots)?;
        ::core::result::Result::Ok(#constructor {
            #(#members: ::tollgate_resource::record::taken(slots.#places),)*
        })
    }
}

fn record_impl(input: &DeriveInput, fields: &TokenStream, encode: &TokenStream, decode: &TokenStream) -> TokenStream {
    let ident = &input.ident;
    let name = ident.to_string();
    let (generics, types, clause) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #[allow(unused_mut, unused_variables)]
        impl #generics ::tollgate_resource::record::Record for #ident #types #clause {
            const NAME: &'static str = #name;
            const FIELDS: &'static [(u32, &'static str)] = #fields;
            fn encode(&self, out: &mut ::std::vec::Vec<u8>) {
                #encode
            }
            fn decode(
                mut input: ::tollgate_resource::record::Input<'_>,
            ) -> ::core::result::Result<Self, ::tollgate_resource::record::RecordError> {
                #decode
            }
        }
    }
}

/// `Field` for a record that stands in a field with its length in front.
fn delimited_field(input: &DeriveInput, is_absent: &TokenStream, absent: &TokenStream) -> TokenStream {
    field_impl(
        input,
        &quote!(::tollgate_resource::record::Wire::Bytes),
        is_absent,
        absent,
        &quote!(::tollgate_resource::record::put_record(self, out)),
        &quote!(::tollgate_resource::record::take_record(input)),
    )
}

fn field_impl(
    input: &DeriveInput,
    wire: &TokenStream,
    is_absent: &TokenStream,
    absent: &TokenStream,
    put: &TokenStream,
    take: &TokenStream,
) -> TokenStream {
    let ident = &input.ident;
    let (generics, types, clause) = input.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics ::tollgate_resource::record::Field for #ident #types #clause {
            const WIRE: ::tollgate_resource::record::Wire = #wire;
            fn is_absent(&self) -> bool {
                #is_absent
            }
            fn absent() -> ::core::option::Option<Self> {
                #absent
            }
            fn put(&self, out: &mut ::std::vec::Vec<u8>) {
                #put
            }
            fn take(
                input: &mut ::tollgate_resource::record::Input<'_>,
            ) -> ::core::result::Result<Self, ::tollgate_resource::record::RecordError> {
                #take
            }
        }
    }
}

/// `struct Key(u64)`: the value itself.
fn transparent(input: &DeriveInput, ty: &Type) -> TokenStream {
    let shape = input.ident.to_string();
    let record = record_impl(
        input,
        &quote!(&[]),
        &quote!(::tollgate_resource::record::put_value(&self.0, out);),
        &quote!(::core::result::Result::Ok(Self(::tollgate_resource::record::take_value(input, #shape)?))),
    );
    let field = field_impl(
        input,
        &quote!(<#ty as ::tollgate_resource::record::Field>::WIRE),
        &quote!(::tollgate_resource::record::Field::is_absent(&self.0)),
        &quote!(<#ty as ::tollgate_resource::record::Field>::absent().map(Self)),
        &quote!(::tollgate_resource::record::Field::put(&self.0, out)),
        &quote!(<#ty as ::tollgate_resource::record::Field>::take(input).map(Self)),
    );
    quote!(#record #field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    fn refusals(input: DeriveInput) -> Vec<String> {
        derive(&input)
            .unwrap_err()
            .into_iter()
            .map(|error| error.to_string())
            .collect()
    }

    #[test]
    fn duplicate_and_missing_numbers_are_all_reported() {
        let told = refusals(parse_quote! {
            struct S { #[record(1)] a: u8, #[record(1)] b: u8, c: u8, #[record(0)] d: u8, #[record(2, fast)] e: u8 }
        });
        assert_eq!(
            told,
            [
                "number 1 is taken by `a`; numbers are never reused",
                "this field needs a number: #[record(n)]",
                "numbers go from 1 to 65535",
                "the only option is `skippable`",
            ]
        );
    }

    #[test]
    fn variants_need_numbers_of_their_own() {
        let told = refusals(parse_quote! { enum E { #[record(1)] A, #[record(1)] B, C } });
        assert_eq!(
            told,
            [
                "number 1 is taken by `A`; numbers are never reused",
                "this variant needs a number: #[record(n)]"
            ]
        );
        let told = refusals(parse_quote! { enum E { #[record(1)] A { x: u8 }, #[record(2)] B(u8, u8) } });
        assert_eq!(told, ["this field needs a number: #[record(n)]"; 3]);
    }

    #[test]
    fn a_tuple_struct_has_one_unnumbered_field() {
        assert!(derive(&parse_quote! { struct Key(u64); }).is_ok());
        assert_eq!(
            refusals(parse_quote! { struct Pair(u64, u64); }),
            ["a tuple struct in a record has one, unnumbered field"]
        );
    }
}
