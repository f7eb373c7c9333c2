//! `#[derive(Params)]`.

use crate::attributes::{Errors, Window, doc, named_fields, options, plain_name, text, unknown_option, version};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{DeriveInput, Error, Expr, Field, GenericArgument, PathArguments, Result, Type};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = named_fields(input, "Params")?;
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "parameters own their values: no lifetimes, no generics",
        ));
    }
    let mut errors = Errors::default();
    let params: Vec<Param<'_>> = fields
        .into_iter()
        .filter_map(|field| errors.keep(Param::read(field)))
        .collect();
    for (at, param) in params.iter().enumerate() {
        let taken = |other: &Param<'_>| other.name == param.name && other.window.overlaps(param.window);
        if params[..at].iter().any(taken) {
            errors.at(
                param.field,
                format!(
                    "the name `{}` is taken by another field of the same versions",
                    param.name
                ),
            );
        }
    }
    errors.finish()?;

    let ident = &input.ident;
    let name = ident.to_string();
    let doc = doc(&input.attrs);
    let shapes = params.iter().map(Param::shape);
    let arms = params.iter().enumerate().map(|(at, param)| {
        let at = u16::try_from(at).expect("a struct has fewer than 65,536 fields");
        let set = param.set();
        quote!(#at => #set,)
    });
    Ok(quote! {
        #[automatically_derived]
        impl ::tollgate_resource::params::HasParams for #ident {
            const SHAPE: &'static ::tollgate_resource::params::ParamsShape = &::tollgate_resource::params::ParamsShape {
                name: #name,
                doc: #doc,
                fields: &[#(#shapes),*],
            };
        }
        #[automatically_derived]
        impl ::tollgate_resource::params::Params for #ident {
            fn shape(&self) -> &'static ::tollgate_resource::params::ParamsShape {
                <Self as ::tollgate_resource::params::HasParams>::SHAPE
            }
            fn set(
                &mut self,
                path: &[::tollgate_resource::params::Step<'_>],
                text: &str,
            ) -> ::core::result::Result<(), ::tollgate_resource::params::Problem> {
                let (index, rest) = ::tollgate_resource::params::first_field(path)?;
                match index {
                    #(#arms)*
                    _ => ::tollgate_resource::params::no_such_param(#name, index),
                }
            }
        }
        #[automatically_derived]
        impl ::tollgate_resource::params::ParamValue for #ident {
            const KIND: ::tollgate_resource::params::ParamKind =
                ::tollgate_resource::params::ParamKind::Node(<Self as ::tollgate_resource::params::HasParams>::SHAPE);
            fn first(
                path: &[::tollgate_resource::params::Step<'_>],
                text: &str,
                _: &::tollgate_resource::params::Bounds,
            ) -> ::core::result::Result<Self, ::tollgate_resource::params::Problem> {
                let mut value = <Self as ::core::default::Default>::default();
                ::tollgate_resource::params::Params::set(&mut value, path, text)?;
                ::core::result::Result::Ok(value)
            }
            fn more(
                &mut self,
                path: &[::tollgate_resource::params::Step<'_>],
                text: &str,
                _: &::tollgate_resource::params::Bounds,
            ) -> ::core::result::Result<(), ::tollgate_resource::params::Problem> {
                ::tollgate_resource::params::Params::set(self, path, text)
            }
        }
    })
}

/// How a field holds its value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// The value itself, at its default until it is given.
    Plain,
    /// `Option<T>`.
    Optional,
    /// `Update<T>`.
    Updated,
}

/// One field and what its attributes say.
struct Param<'a> {
    field: &'a Field,
    name: String,
    required: bool,
    window: Window,
    /// `min`, `max`, `max_len`, `max_items`, as far as they are stated.
    bounds: Vec<(syn::Ident, Expr)>,
    holder: Holder,
    /// The type inside the holder.
    value: &'a Type,
}

impl<'a> Param<'a> {
    fn read(field: &'a Field) -> Result<Self> {
        let ident = field
            .ident
            .as_ref()
            .ok_or_else(|| Error::new_spanned(field, "a parameter has a name"))?;
        let (holder, value) = match (inside(&field.ty, "Option"), inside(&field.ty, "Update")) {
            (Some(value), _) => (Holder::Optional, value),
            (None, Some(value)) => (Holder::Updated, value),
            (None, None) => (Holder::Plain, &field.ty),
        };
        let mut param = Param {
            field,
            name: plain_name(ident),
            required: false,
            window: Window::default(),
            bounds: Vec::new(),
            holder,
            value,
        };
        options(&field.attrs, "param", |meta| {
            match meta.path.get_ident().map(ToString::to_string).as_deref() {
                Some("name") => param.name = text(&meta)?,
                Some("required") => param.required = true,
                Some("since") => param.window.since = Some(version(&meta)?),
                Some("until") => param.window.until = Some(version(&meta)?),
                Some("min" | "max" | "max_len" | "max_items") => {
                    let bound = meta.path.require_ident()?.clone();
                    if param.bounds.iter().any(|(stated, _)| *stated == bound) {
                        return Err(meta.error("stated twice"));
                    }
                    param.bounds.push((bound, meta.value()?.parse()?));
                }
                _ => {
                    let known = "`name`, `required`, `min`, `max`, `max_len`, `max_items`, `since`, `until`";
                    return Err(unknown_option(&meta, known));
                }
            }
            Ok(())
        })?;
        if param.required && param.holder == Holder::Updated {
            return Err(Error::new_spanned(
                field,
                "a required parameter cannot be unset: use a plain type",
            ));
        }
        param.window.check(field)?;
        Ok(param)
    }

    /// The field's `Bounds`, a constant expression.
    fn bounds(&self) -> TokenStream {
        let (names, values): (Vec<_>, Vec<_>) = self.bounds.iter().map(|(name, value)| (name, value)).unzip();
        quote! {
            ::tollgate_resource::params::Bounds { #(#names: #values,)* ..::tollgate_resource::params::Bounds::DEFAULT }
        }
    }

    fn shape(&self) -> TokenStream {
        let Param { name, required, .. } = self;
        let doc = doc(&self.field.attrs);
        let bounds = self.bounds();
        let kind = kind(self.value, &bounds);
        let update = self.holder == Holder::Updated;
        let (since, until) = self.window.tokens();
        let value = self.value;
        quote! {
            ::tollgate_resource::params::ParamField {
                name: #name,
                doc: #doc,
                kind: #kind,
                required: #required,
                clearable: #update || <#value as ::tollgate_resource::params::ParamValue>::KIND.takes_empty(),
                since: #since,
                until: #until,
            }
        }
    }

    fn set(&self) -> TokenStream {
        let ident = &self.field.ident;
        let bounds = self.bounds();
        let bounds = if self.bounds.is_empty() {
            quote!(&::tollgate_resource::params::Bounds::DEFAULT)
        } else {
            quote!(const { &#bounds })
        };
        match self.holder {
            Holder::Plain => {
                quote!(::tollgate_resource::params::ParamValue::more(&mut self.#ident, rest, text, #bounds))
            }
            Holder::Optional => {
                quote!(::tollgate_resource::params::put_option(&mut self.#ident, rest, text, #bounds))
            }
            Holder::Updated => {
                quote!(::tollgate_resource::params::put_update(&mut self.#ident, rest, text, #bounds))
            }
        }
    }
}

/// The kind of `ty` under `bounds`, a constant expression. The items of an array are bounded too.
fn kind(ty: &Type, bounds: &impl ToTokens) -> TokenStream {
    match inside(ty, "Vec") {
        Some(item) => {
            let of = kind(item, bounds);
            quote!(::tollgate_resource::params::ParamKind::List { of: &#of, max_items: #bounds.max_items })
        }
        None => quote!(<#ty as ::tollgate_resource::params::ParamValue>::KIND.bounded(&#bounds)),
    }
}

/// The `T` of `wrapper<T>`, whatever path leads to `wrapper`.
fn inside<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if arguments.args.len() == 1 => Some(inner),
        _ => None,
    }
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
    fn options_are_checked() {
        let told = refusals(parse_quote! {
            struct P {
                #[param(required)] name: Update<Box<str>>,
                #[param(least = 1)] amount: i64,
                #[param(min = 1, min = 2)] limit: i64,
                a: bool,
                #[param(name = "a")] b: bool,
            }
        });
        assert_eq!(
            told,
            [
                "a required parameter cannot be unset: use a plain type",
                "unknown option; known are `name`, `required`, `min`, `max`, `max_len`, `max_items`, `since`, `until`",
                "stated twice",
                "the name `a` is taken by another field of the same versions",
            ]
        );
    }

    #[test]
    fn wrappers_are_known_by_their_last_segment() {
        let ty: Type = parse_quote!(std::option::Option<Vec<Box<str>>>);
        let item = inside(inside(&ty, "Option").unwrap(), "Vec").unwrap();
        assert_eq!(item.to_token_stream().to_string(), "Box < str >");
        assert!(inside(item, "Vec").is_none());
    }
}
