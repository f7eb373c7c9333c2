//! `#[derive(Shown)]`.

use crate::attributes::{
    Errors, Window, doc, named_fields, options, plain_name, text, unknown_option, version, version_or,
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Field, LitInt, Result};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = named_fields(input, "Shown")?;
    let mut errors = Errors::default();
    let object = errors.keep(object(input)).flatten();
    let mut members: Vec<Member<'_>> = fields
        .into_iter()
        .filter_map(|field| errors.keep(Member::read(field)))
        .collect();
    for (at, member) in members.iter().enumerate() {
        if object.is_some() && member.name == "object" {
            errors.at(
                member.field,
                "the member `object` is already written by #[shown(object = …)]",
            );
        }
        let taken = |other: &Member<'_>| other.name == member.name && other.window.overlaps(member.window);
        if members[..at].iter().any(taken) {
            errors.at(
                member.field,
                format!(
                    "the name `{}` is taken by another field of the same versions",
                    member.name
                ),
            );
        }
    }
    errors.finish()?;
    // As the API prints objects: `id`, `object`, then by name. The sort is stable, so of two fields that share a name
    // in different versions the one declared first comes first.
    members.sort_by(|a, b| print_rank(&a.name).cmp(&print_rank(&b.name)));

    let mut shapes: Vec<TokenStream> = members.iter().map(Member::shape).collect();
    let mut values: Vec<TokenStream> = members.iter().map(Member::value).collect();
    if let Some(object) = &object {
        let at = members.partition_point(|member| print_rank(&member.name) < print_rank("object"));
        shapes.insert(at, object_shape(object));
        values.insert(at, quote!(::tollgate_resource::shown::Value::Str(#object)));
    }

    let ident = &input.ident;
    let name = ident.to_string();
    let name = name
        .strip_suffix("Shown")
        .filter(|rest| !rest.is_empty())
        .unwrap_or(&name);
    let doc = doc(&input.attrs);
    let object = match &object {
        Some(object) => quote!(::core::option::Option::Some(#object)),
        None => quote!(::core::option::Option::None),
    };
    let arms = values.iter().enumerate().map(|(at, value)| quote!(#at => #value,));
    let (generics, types, clause) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::tollgate_resource::shown::HasShape for #ident #types #clause {
            const SHAPE: &'static ::tollgate_resource::shown::Shape = &::tollgate_resource::shown::Shape {
                name: #name,
                doc: #doc,
                object: #object,
                fields: &[#(#shapes),*],
            };
        }
        #[automatically_derived]
        impl #generics ::tollgate_resource::shown::Shown for #ident #types #clause {
            fn shape(&self) -> &'static ::tollgate_resource::shown::Shape {
                <Self as ::tollgate_resource::shown::HasShape>::SHAPE
            }
            fn value(&self, index: usize) -> ::tollgate_resource::shown::Value<'_> {
                match index {
                    #(#arms)*
                    _ => ::tollgate_resource::shown::no_such_field(#name, index),
                }
            }
        }
        #[automatically_derived]
        impl #generics ::tollgate_resource::shown::ShownValue for #ident #types #clause {
            const KIND: ::tollgate_resource::shown::ValueKind =
                ::tollgate_resource::shown::ValueKind::Node(<Self as ::tollgate_resource::shown::HasShape>::SHAPE);
            fn shown(&self) -> ::tollgate_resource::shown::Value<'_> {
                ::tollgate_resource::shown::Value::Node(self)
            }
        }
    })
}

/// Where a name stands: `id`, `object`, then the others by their bytes.
fn print_rank(name: &str) -> (u8, &str) {
    match name {
        "id" => (0, name),
        "object" => (1, name),
        _ => (2, name),
    }
}

/// `#[shown(object = "…")]` of the struct.
fn object(input: &DeriveInput) -> Result<Option<String>> {
    let mut object = None;
    options(&input.attrs, "shown", |meta| {
        if !meta.path.is_ident("object") {
            return Err(unknown_option(&meta, "`object`"));
        }
        object = Some(text(&meta)?);
        Ok(())
    })?;
    Ok(object)
}

fn object_shape(object: &str) -> TokenStream {
    let doc = format!("What this is: always `{object}`.");
    quote! {
        ::tollgate_resource::shown::FieldShape {
            name: "object",
            lead: ::tollgate_resource::shown::lead("object"),
            doc: #doc,
            kind: ::tollgate_resource::shown::ValueKind::Object(#object),
            nullable: false,
            omit: false,
            expand: false,
            since: ::tollgate_resource::Version::ALWAYS,
            until: ::tollgate_resource::Version::NEVER,
            included_until: ::tollgate_resource::Version::ALWAYS,
            revision: 1,
        }
    }
}

/// One field and what its attributes say.
struct Member<'a> {
    field: &'a Field,
    name: String,
    omit: bool,
    expand: bool,
    window: Window,
    included_until: Option<u32>,
    revision: u16,
    /// The schema's name where the value contains itself further down.
    named: Option<String>,
}

impl<'a> Member<'a> {
    fn read(field: &'a Field) -> Result<Self> {
        let ident = field
            .ident
            .as_ref()
            .ok_or_else(|| Error::new_spanned(field, "a shown field has a name"))?;
        let mut member = Member {
            field,
            name: plain_name(ident),
            omit: false,
            expand: false,
            window: Window::default(),
            included_until: None,
            revision: 1,
            named: None,
        };
        options(&field.attrs, "shown", |meta| {
            match meta.path.get_ident().map(ToString::to_string).as_deref() {
                Some("name") => member.name = text(&meta)?,
                Some("omit") => member.omit = true,
                Some("expand") => member.expand = true,
                Some("since") => member.window.since = Some(version(&meta)?),
                Some("until") => member.window.until = Some(version(&meta)?),
                Some("included_until") => member.included_until = Some(version(&meta)?),
                Some("named") => member.named = Some(text(&meta)?),
                Some("revision") => {
                    let literal: LitInt = meta.value()?.parse()?;
                    member.revision = literal.base10_parse()?;
                    if member.revision == 0 {
                        return Err(Error::new_spanned(&literal, "revisions start at 1"));
                    }
                }
                _ => {
                    let known = "`name`, `omit`, `expand`, `since`, `until`, `included_until`, `revision`, `named`";
                    return Err(unknown_option(&meta, known));
                }
            }
            Ok(())
        })?;
        member.window.check(field)?;
        Ok(member)
    }

    fn shape(&self) -> TokenStream {
        let Member {
            name,
            omit,
            expand,
            revision,
            ..
        } = self;
        let ty = &self.field.ty;
        let doc = doc(&self.field.attrs);
        let kind = match &self.named {
            Some(named) => quote!(::tollgate_resource::shown::ValueKind::Named(#named)),
            None => quote!(<#ty as ::tollgate_resource::shown::ShownValue>::KIND),
        };
        // A member that is left out instead is never null.
        let nullable = if self.omit {
            quote!(false)
        } else {
            quote!(<#ty as ::tollgate_resource::shown::ShownValue>::NULLABLE)
        };
        let (since, until) = self.window.tokens();
        let included_until = version_or(self.included_until, "ALWAYS");
        quote! {
            ::tollgate_resource::shown::FieldShape {
                name: #name,
                lead: ::tollgate_resource::shown::lead(#name),
                doc: #doc,
                kind: #kind,
                nullable: #nullable,
                omit: #omit,
                expand: #expand,
                since: #since,
                until: #until,
                included_until: #included_until,
                revision: #revision,
            }
        }
    }

    fn value(&self) -> TokenStream {
        let ident = &self.field.ident;
        let value = quote!(::tollgate_resource::shown::ShownValue::shown(&self.#ident));
        if self.omit {
            quote!(::tollgate_resource::shown::or_absent(#value))
        } else {
            value
        }
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
    fn one_name_may_stand_twice_only_in_different_versions() {
        let told = refusals(parse_quote! { struct S { a: i64, #[shown(name = "a", since = 20230816)] b: i64 } });
        assert_eq!(told, ["the name `a` is taken by another field of the same versions"]);
        let apart: DeriveInput = parse_quote! {
            struct S { #[shown(until = 20230816)] a: i64, #[shown(name = "a", since = 20230816)] b: i64 }
        };
        assert!(derive(&apart).is_ok());
    }

    #[test]
    fn options_are_checked() {
        let told = refusals(parse_quote! {
            #[shown(object = "s")]
            struct S {
                object: i64,
                #[shown(since = 20231316)] a: i64,
                #[shown(since = 20230817, until = 20230816)] b: i64,
                #[shown(hidden)] c: i64,
                #[shown(revision = 0)] d: i64,
            }
        });
        assert_eq!(
            told,
            [
                "an API version is a date, yyyymmdd",
                "`since` must come before `until`",
                "unknown option; known are `name`, `omit`, `expand`, `since`, `until`, `included_until`, `revision`, `named`",
                "revisions start at 1",
                "the member `object` is already written by #[shown(object = …)]",
            ]
        );
    }
}
