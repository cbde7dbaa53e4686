//! `#[derive(Notification)]`, and what `#[event]` shares with it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Generics, Ident, Path, WhereClause, parse_quote};

use crate::arguments::{Arguments, display_name};
use crate::errors::Errors;
use crate::item;

// #[derive(Notification)] #[notification(option,*)] on any type
//
// option: name = "…" | crate = path
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    item::derive(item, on_type)
}

fn on_type(item: &DeriveInput, errors: &mut Errors) -> TokenStream {
    let mut options = Arguments::of_helper("notification", &item.attrs, &["name", "crate"], errors);
    for lifetime in item.generics.lifetimes() {
        errors.at(lifetime, "notifications own their data; remove the lifetime, and use `String` for `&str`");
    }
    if !options.find_runtime(errors) {
        return TokenStream::new();
    }
    let name = display_name(options.name.as_ref(), &item.ident);
    let krate = options.krate();
    let notification = expand_impl(&item.ident, &item.generics, &name, None, &krate);
    let registration = expand_registration(&item.ident, &item.generics, &krate);
    quote! {
        #notification

        #registration
    }
}

/// `impl Notification`
pub(crate) fn expand_impl(
    ident: &Ident,
    generics: &Generics,
    name: &TokenStream,
    notification_id: Option<&TokenStream>,
    krate: &Path,
) -> TokenStream {
    let (impl_generics, type_generics, _) = generics.split_for_impl();
    let where_clause = where_clause(generics);
    quote! {
        #[automatically_derived]
        impl #impl_generics #krate::Notification for #ident #type_generics #where_clause {
            fn event_name() -> &'static ::core::primitive::str {
                #name
            }

            fn declared_at() -> ::core::option::Option<&'static ::core::panic::Location<'static>> {
                ::core::option::Option::Some(::core::panic::Location::caller())
            }

            #notification_id
        }
    }
}

/// The note that the event exists.
///
/// Of a generic event only the concrete types that are used exist; handlers name those.
pub(crate) fn expand_registration(ident: &Ident, generics: &Generics, krate: &Path) -> Option<TokenStream> {
    let registration = quote! {
        #krate::__private::inventory::submit! {
            #krate::__private::EventRegistration::new::<#ident>()
        }
    };
    generics.params.is_empty().then_some(registration)
}

/// The user's where clause; for a generic event, also that it can be published at all.
fn where_clause(generics: &Generics) -> Option<WhereClause> {
    let mut generics = generics.clone();
    if !generics.params.is_empty() {
        let published = parse_quote!(Self: ::core::marker::Send + ::core::marker::Sync + 'static);
        generics.make_where_clause().predicates.push(published);
    }
    generics.where_clause
}
