//! `#[derive(Names)]`.

use crate::attributes::Errors;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Expr, ExprLit, Fields, Lit, Meta, Result, Variant};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            "Names is derived for enums without data",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "Names is derived for enums without generics",
        ));
    }
    let mut errors = Errors::default();
    let mut names: Vec<String> = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            errors.at(variant, "a variant with a public name carries no data");
        }
        if let Some(name) = errors.keep(public_name(variant)) {
            if names.contains(&name) {
                errors.at(&variant.ident, format!("the name `{name}` is taken by another variant"));
            }
            names.push(name);
        }
    }
    errors.finish()?;

    let ident = &input.ident;
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let name_body = if variants.is_empty() {
        quote!(match self {})
    } else {
        quote!(match self { #(Self::#variants => #names,)* })
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::tollgate_resource::names::Names for #ident {
            const ALL: &'static [Self] = &[#(Self::#variants),*];
            const NAMES: &'static [&'static str] = &[#(#names),*];
            fn name(self) -> &'static str {
                #name_body
            }
        }
        #[automatically_derived]
        impl ::tollgate_resource::shown::ShownValue for #ident {
            const KIND: ::tollgate_resource::shown::ValueKind = ::tollgate_resource::shown::names_kind::<Self>();
            fn shown(&self) -> ::tollgate_resource::shown::Value<'_> {
                ::tollgate_resource::shown::Value::Str(::tollgate_resource::names::Names::name(*self))
            }
        }
        #[automatically_derived]
        impl ::tollgate_resource::params::ParamValue for #ident {
            const KIND: ::tollgate_resource::params::ParamKind =
                ::tollgate_resource::params::ParamKind::Names(<Self as ::tollgate_resource::names::Names>::NAMES);
            fn first(
                path: &[::tollgate_resource::params::Step<'_>],
                text: &str,
                _: &::tollgate_resource::params::Bounds,
            ) -> ::core::result::Result<Self, ::tollgate_resource::params::Problem> {
                ::tollgate_resource::params::first_name(path, text)
            }
        }
    })
}

fn public_name(variant: &Variant) -> Result<String> {
    let Some(attribute) = variant.attrs.iter().find(|attribute| attribute.path().is_ident("name")) else {
        return Ok(snake_case(&variant.ident.to_string()));
    };
    match &attribute.meta {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) if !text.value().is_empty() => Ok(text.value()),
            other => Err(Error::new_spanned(other, "a name is a non-empty string")),
        },
        other => Err(Error::new_spanned(other, "write #[name = \"…\"]")),
    }
}

/// `RequiresCapture` as `requires_capture`; digits stay with the word before them.
fn snake_case(camel: &str) -> String {
    let mut out = String::with_capacity(camel.len() + 4);
    for (at, letter) in camel.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse_quote;

    #[test]
    fn variants_are_spelled_in_snake_case() {
        assert_eq!(snake_case("RequiresPaymentMethod"), "requires_payment_method");
        assert_eq!(snake_case("Visa"), "visa");
        assert_eq!(snake_case("Card3ds"), "card3ds");
    }

    #[test]
    fn a_name_given_twice_is_refused() {
        let error = derive(&parse_quote! { enum E { Card, #[name = "card"] Other } }).unwrap_err();
        assert_eq!(error.to_string(), "the name `card` is taken by another variant");
    }

    #[test]
    fn a_variant_with_data_is_refused() {
        let error = derive(&parse_quote! { enum E { Card(u8) } }).unwrap_err();
        assert_eq!(error.to_string(), "a variant with a public name carries no data");
    }
}
