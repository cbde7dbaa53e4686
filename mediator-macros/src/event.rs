//! `#[event]`

use proc_macro2::{Group, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Field, Fields, Generics, Ident, Item, ItemStruct, Path, Type, WhereClause, parse_quote};

use crate::arguments::{Arguments, Positional, display_name, ungrouped};
use crate::errors::Errors;
use crate::{item, notification};

// #[event] or #[event(option,*)], above
//
// struct Name<generics> { fields } | struct Name<generics>;
//
// option: name = "…" | new = bool | crate = path
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut options = Arguments::parse(arguments.clone(), &["name", "new", "crate"], Positional::Nothing, &mut errors);
    if !options.find_runtime(&mut errors) {
        return item::without_runtime(item, errors);
    }
    if let Some(conditional) = item::with_cfg_first(&options.krate(), "event", arguments, &item) {
        return conditional;
    }
    let expanded = match errors.ok(item::parse(item.clone())) {
        Some((Item::Struct(item), _)) => on_struct(item, &options, &mut errors),
        Some((other, body)) => on_other(&other, body, &options, &mut errors),
        None => item,
    };
    let errors = errors.into_compile_errors();
    quote!(#expanded #errors)
}

fn on_struct(mut item: ItemStruct, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated("event", &mut item.attrs, errors, "remove this one");
    require_owned(&mut item, errors);
    let parameters: Vec<_> = item.fields.iter().enumerate().map(Parameter::new).collect();
    let has_room = has_room_for_id(&item, errors);
    if has_room {
        add_id(&mut item, &options.krate());
    }
    let new = options.new.as_ref().is_none_or(|new| new.value);
    let new = new.then(|| expand_new(&item, &parameters, has_room, &options.krate()));
    let id = has_room.then(|| quote!(self.event_id));
    let impls = expand_impls(&item.ident, &item.generics, id, options);
    quote! {
        #item
        #new
        #impls
    }
}

/// Not a struct; but an enum or a union still gets the impls, so that no other error follows.
fn on_other(item: &Item, body: Option<Group>, options: &Arguments, errors: &mut Errors) -> TokenStream {
    let advice = match item {
        Item::Enum(_) | Item::Union(_) => "; or use `#[derive(Notification)]`, which adds nothing",
        _ => "",
    };
    let message = format!("`#[event]` needs a struct with named fields or none{advice}");
    errors.at(&item::name_of(item), message);
    let stub = match item {
        Item::Enum(item) => expand_impls(&item.ident, &item.generics, None, options),
        Item::Union(item) => expand_impls(&item.ident, &item.generics, None, options),
        _ => TokenStream::new(),
    };
    let item = item::put_back(body, item);
    quote!(#item #stub)
}

/// Events outlive the publish that carries them, so they cannot borrow.
fn require_owned(item: &mut ItemStruct, errors: &mut Errors) {
    for lifetime in item.generics.lifetimes() {
        errors.at(lifetime, "events own their data; remove the lifetime, and use `String` for `&str`");
    }
    for field in &mut item.fields {
        if let Type::Reference(reference) = &mut field.ty
            && reference.lifetime.is_none()
        {
            errors.at(reference, "events own their data; use `String` for `&str`, or an `Arc`");
            // Otherwise rustc would ask for a lifetime.
            reference.lifetime = Some(parse_quote!('static));
        }
    }
}

fn has_room_for_id(item: &ItemStruct, errors: &mut Errors) -> bool {
    if let Fields::Unnamed(fields) = &item.fields {
        errors.at(fields, "`#[event]` needs named fields; or use `#[derive(Notification)]`, which adds nothing");
        return false;
    }
    let taken = item.fields.iter().filter_map(|field| field.ident.as_ref()).find(|name| *name == "event_id");
    if let Some(name) = taken {
        errors.at(name, "`#[event]` adds `event_id` itself; rename the field, or use `#[derive(Notification)]`");
    }
    taken.is_none()
}

fn add_id(item: &mut ItemStruct, krate: &Path) {
    if matches!(item.fields, Fields::Unit) {
        item.fields = Fields::Named(parse_quote!({}));
        item.semi_token = None;
    }
    let id = parse_quote! {
        /// This event's identity, a UUID of version 7.
        pub event_id: #krate::EventId
    };
    if let Fields::Named(fields) = &mut item.fields {
        fields.named.insert(0, id);
    }
}

/// A declared field, as `new` takes it.
struct Parameter {
    cfgs: Vec<Attribute>,
    name: Ident,
    ty: Type,
}

impl Parameter {
    fn new((index, field): (usize, &Field)) -> Self {
        Self {
            cfgs: field.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect(),
            name: field.ident.clone().unwrap_or_else(|| format_ident!("field_{index}")),
            ty: ungrouped(&field.ty).clone(),
        }
    }
}

fn expand_new(item: &ItemStruct, parameters: &[Parameter], has_room: bool, krate: &Path) -> TokenStream {
    let (vis, ident) = (&item.vis, &item.ident);
    let (impl_generics, type_generics, where_clause) = item.generics.split_for_impl();
    let many = (parameters.len() > 7).then(|| quote!(#[allow(clippy::too_many_arguments)]));
    let declarations = parameters.iter().map(|Parameter { cfgs, name, ty }| quote!(#(#cfgs)* #name: #ty));
    let values = parameters.iter().map(|Parameter { cfgs, name, .. }| quote!(#(#cfgs)* #name));
    let body = if has_room {
        quote!(Self { event_id: #krate::EventId::new(), #(#values),* })
    } else {
        quote!(let _ = (#(#values),*); ::core::unimplemented!())
    };
    quote! {
        #[automatically_derived]
        impl #impl_generics #ident #type_generics #where_clause {
            #krate::__private::your_own_new_needs_event_new_equals_false! {
                /// Makes the event, with a fresh `event_id`.
                #[must_use]
                #many
                #vis fn new(#(#declarations),*) -> Self {
                    #body
                }
            }
        }
    }
}

/// The impls; without an `id`, only such as keep further errors away.
fn expand_impls(ident: &Ident, generics: &Generics, id: Option<TokenStream>, options: &Arguments) -> TokenStream {
    let krate = options.krate();
    let name = display_name(options.name.as_ref(), ident);
    let notification_id = id.as_ref().map(|id| {
        quote! {
            fn notification_id(&self) -> ::core::option::Option<#krate::EventId> {
                ::core::option::Option::Some(#id)
            }
        }
    });
    let notification = notification::expand_impl(ident, generics, &name, notification_id.as_ref(), &krate);
    let registration = notification::expand_registration(ident, generics, &krate);
    let id = id.unwrap_or_else(|| quote!(::core::unimplemented!()));
    let (impl_generics, type_generics, _) = generics.split_for_impl();
    let where_clause = is_notification(generics, &krate);
    quote! {
        #notification

        #[automatically_derived]
        impl #impl_generics #krate::Event for #ident #type_generics #where_clause {
            fn event_id(&self) -> #krate::EventId {
                #id
            }
        }

        #registration
    }
}

/// The user's where clause, and `Self: Notification`: what keeps a type from being one is said there, not here again.
fn is_notification(generics: &Generics, krate: &Path) -> WhereClause {
    let mut where_clause = generics.where_clause.clone().unwrap_or_else(|| parse_quote!(where));
    // Under a `for` rustc takes it for granted here, even if it is plainly false.
    where_clause.predicates.push(parse_quote!(for<'any> Self: #krate::Notification));
    where_clause
}
