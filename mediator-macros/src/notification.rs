//! `#[derive(Notification)]`, and what `#[event]` shares with it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Generics, Ident, Meta, Path, WhereClause};

use crate::arguments::{Arguments, display_name};
use crate::errors::Errors;

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(item) = errors.ok(syn::parse2::<DeriveInput>(item)) else {
        return errors.into_compile_errors();
    };
    let tokens = item.attrs.iter().filter(|attribute| attribute.path().is_ident("notification"));
    let tokens = tokens.filter_map(|attribute| match &attribute.meta {
        Meta::List(list) => Some(list.tokens.clone()),
        _ => None,
    });
    let arguments = Arguments::parse(quote!(#(#tokens),*), &["name", "crate"], false, &mut errors);
    for lifetime in item.generics.lifetimes() {
        errors.at(lifetime, "notifications own their data; remove the lifetime");
    }
    if !errors.is_empty() {
        return errors.into_compile_errors();
    }
    let name = display_name(arguments.name.as_ref(), &item.ident);
    expand_impl(&item.ident, &item.generics, &name, &TokenStream::new(), &arguments.krate())
}

/// `impl Notification`, and the note that the event exists.
pub(crate) fn expand_impl(
    ident: &Ident,
    generics: &Generics,
    name: &TokenStream,
    id: &TokenStream,
    krate: &Path,
) -> TokenStream {
    let (impl_generics, type_generics, _) = generics.split_for_impl();
    let where_clause = where_clause(generics);
    // Of a generic event only the concrete types that are used exist; handlers name those.
    let registration = generics.params.is_empty().then(|| {
        quote! {
            #krate::__private::inventory::submit! {
                #krate::__private::EventRegistration::new::<#ident>()
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #krate::Notification for #ident #type_generics #where_clause {
            fn event_name() -> &'static ::core::primitive::str {
                #name
            }

            fn declared_at() -> ::core::option::Option<&'static ::core::panic::Location<'static>> {
                ::core::option::Option::Some(::core::panic::Location::caller())
            }

            #id
        }

        #registration
    }
}

/// The user's where clause; for a generic event, also that it can be published at all.
pub(crate) fn where_clause(generics: &Generics) -> Option<WhereClause> {
    let mut where_clause = generics.where_clause.clone();
    if !generics.params.is_empty() {
        let published = syn::parse_quote! {
            Self: ::core::marker::Send + ::core::marker::Sync + 'static
        };
        generics.clone().make_where_clause().clone_into(where_clause.get_or_insert_with(|| syn::parse_quote!(where)));
        where_clause.as_mut()?.predicates.push(published);
    }
    where_clause
}
