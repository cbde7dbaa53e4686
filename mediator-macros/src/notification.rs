//! `#[derive(Notification)]`, and what `#[event]` and `#[request]` share with it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, DeriveInput, Generics, Ident, WhereClause, parse_quote};

use crate::arguments::{Arguments, display_name};
use crate::errors::Errors;
use crate::types::arguments_of;
use crate::{durable, item};

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
    let mut others = item.attrs.clone();
    item::reject_other_messages("Notification", &options.krate(), &mut others, errors);
    if others.len() < item.attrs.len() {
        return TokenStream::new();
    }
    let lints = item::lint_attributes(&item.attrs);
    let declared = Declared { ident: &item.ident, generics: &item.generics, lints: &lints, options: &options };
    let notification = declared.impl_notification(None);
    let registration = declared.registration("EventRegistration", None);
    quote! {
        #notification

        #registration
    }
}

/// A type that is to be a notification or a request.
pub(crate) struct Declared<'a> {
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
    /// What keeps the generated code as quiet as the type.
    pub(crate) lints: &'a [Attribute],
    pub(crate) options: &'a Arguments,
}

impl Declared<'_> {
    /// `impl Notification`
    pub(crate) fn impl_notification(&self, notification_id: Option<&TokenStream>) -> TokenStream {
        let Self { ident, lints, .. } = self;
        let krate = self.options.krate();
        let name = self.name();
        let (impl_generics, _, _) = self.generics.split_for_impl();
        let arguments = arguments_of(self.generics);
        let where_clause = self.where_clause();
        quote! {
            #[automatically_derived]
            #(#lints)*
            impl #impl_generics #krate::Notification for #ident #arguments #where_clause {
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

    /// The name of a generic type includes its arguments, which only the concrete type knows.
    pub(crate) fn name(&self) -> TokenStream {
        match &self.options.name {
            None if !self.generics.params.is_empty() => quote!(::core::any::type_name::<Self>()),
            name => display_name(name.as_ref(), self.ident),
        }
    }

    /// The user's where clause; for a generic type, also that threads can share it, as any message.
    pub(crate) fn where_clause(&self) -> Option<WhereClause> {
        let mut generics = self.generics.clone();
        if !generics.params.is_empty() {
            let shared = parse_quote!(Self: ::core::marker::Send + ::core::marker::Sync + 'static);
            generics.make_where_clause().predicates.push(shared);
        }
        generics.where_clause
    }

    /// The note that the event, or the request, exists.
    ///
    /// Of a generic one only the concrete types that are used exist; handlers name those. `more` is added to the expression.
    pub(crate) fn registration(&self, registration: &str, more: Option<&TokenStream>) -> Option<TokenStream> {
        if !self.generics.params.is_empty() {
            return None;
        }
        let Self { ident, lints, options, .. } = self;
        let krate = options.krate();
        let named = options.name.as_ref().map(|_| quote!(.named()));
        let aliases = durable::expand_aliases(options);
        let registration = Ident::new(registration, Span::call_site());
        let registration = quote! {
            #krate::__private::inventory::submit! {
                #krate::__private::#registration::new::<#ident>() #named #aliases #more
            }
        };
        Some(item::with_lints(lints, registration))
    }
}
