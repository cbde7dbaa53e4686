//! `#[event]`

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, FieldsNamed, Ident, Item, ItemStruct, Path, Type, parse_quote};

use crate::arguments::{Arguments, display_name};
use crate::errors::Errors;
use crate::notification;

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = Arguments::parse(arguments, &["name", "new", "crate"], false, &mut errors);
    let original = item.clone();
    let event = errors.ok(syn::parse2(item)).and_then(|item| validate(item, &mut errors));
    match event {
        Some(event) if errors.is_empty() => expand_event(event, &arguments),
        _ => {
            let errors = errors.into_compile_errors();
            quote!(#original #errors)
        }
    }
}

/// A struct with named fields, to which the id can be added.
struct EventStruct {
    item: ItemStruct,
    fields: Vec<(Ident, Type)>,
}

fn validate(item: Item, errors: &mut Errors) -> Option<EventStruct> {
    let Item::Struct(mut item) = item else {
        errors.at(&item, "`#[event]` needs a struct with named fields or a unit struct");
        return None;
    };
    for lifetime in item.generics.lifetimes() {
        errors.at(lifetime, "events own their data; remove the lifetime");
    }
    if matches!(item.fields, Fields::Unit) {
        item.fields = Fields::Named(parse_quote!({}));
        item.semi_token = None;
    }
    let Fields::Named(fields) = &item.fields else {
        errors.at(&item.fields, "`#[event]` needs named fields; or use `#[derive(Notification)]`");
        return None;
    };
    let fields = declared(fields);
    if let Some((name, _)) = fields.iter().find(|(name, _)| name == "event_id") {
        errors.at(name, "`#[event]` adds `event_id` itself; rename the field or use `#[derive(Notification)]`");
    }
    Some(EventStruct { item, fields })
}

fn declared(fields: &FieldsNamed) -> Vec<(Ident, Type)> {
    let named = fields.named.iter();
    named.filter_map(|field| Some((field.ident.clone()?, field.ty.clone()))).collect()
}

fn expand_event(event: EventStruct, arguments: &Arguments) -> TokenStream {
    let EventStruct { mut item, fields } = event;
    let krate = arguments.krate();
    if let Fields::Named(named) = &mut item.fields {
        named.named.insert(
            0,
            parse_quote! {
                /// This event's identity, a UUID of version 7.
                pub event_id: #krate::Uuid
            },
        );
    }
    let new = arguments.new.as_ref().is_none_or(|new| new.value).then(|| expand_new(&item, &fields, &krate));
    let name = display_name(arguments.name.as_ref(), &item.ident);
    let id = quote! {
        fn notification_id(&self) -> ::core::option::Option<#krate::Uuid> {
            ::core::option::Option::Some(self.event_id)
        }
    };
    let notification = notification::expand_impl(&item.ident, &item.generics, &name, &id, &krate);
    let ident = &item.ident;
    let (impl_generics, type_generics, _) = item.generics.split_for_impl();
    let where_clause = notification::where_clause(&item.generics);
    quote! {
        #item
        #new
        #notification

        #[automatically_derived]
        impl #impl_generics #krate::Event for #ident #type_generics #where_clause {
            fn event_id(&self) -> #krate::Uuid {
                self.event_id
            }
        }
    }
}

fn expand_new(item: &ItemStruct, fields: &[(Ident, Type)], krate: &Path) -> TokenStream {
    let (vis, ident) = (&item.vis, &item.ident);
    let (impl_generics, type_generics, where_clause) = item.generics.split_for_impl();
    let parameters = fields.iter().map(|(name, ty)| quote!(#name: #ty));
    let names = fields.iter().map(|(name, _)| name);
    quote! {
        #[automatically_derived]
        impl #impl_generics #ident #type_generics #where_clause {
            /// Makes the event, with a fresh `event_id`.
            #[must_use]
            #[allow(clippy::too_many_arguments, clippy::new_without_default, dead_code)]
            #vis fn new(#(#parameters),*) -> Self {
                Self { event_id: #krate::__private::new_event_id(), #(#names),* }
            }
        }
    }
}
