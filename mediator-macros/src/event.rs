//! `#[event]`

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Field, Fields, Generics, Ident, Item, ItemStruct, Path, Type, Visibility, WhereClause, parse_quote,
    parse_quote_spanned,
};

use crate::arguments::{Arguments, Positional, ungrouped};
use crate::errors::Errors;
use crate::notification::Declared;
use crate::types::{arguments_of, require_named};
use crate::{durable, item, serde_derives, types};

// #[event] or #[event(option,*)], above
//
// struct Name<generics> { fields } | struct Name<generics>;
//
// option: name = "…" | new = bool | version = integer | alias = names | key = field | upcast = [function,*] | external | crate = path
const OPTIONS: &[&str] = &["name", "new", "version", "alias", "key", "upcast", "external", "crate"];

pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    item::expand_attribute("event", OPTIONS, Positional::Nothing, arguments, item, |item, body, mut options, errors| {
        match (item, body) {
            (Item::Struct(item), _) => {
                durable::check_event(&mut options, &item.fields, !item.generics.params.is_empty(), errors);
                on_struct(item, &options, errors)
            }
            (other, body) => on_other(&other, body, &options, errors),
        }
    })
}

fn on_struct(mut item: ItemStruct, options: &Arguments, errors: &mut Errors) -> TokenStream {
    if is_expanded(&item) {
        errors.push(syn::Error::new(Span::call_site(), "`#[event]` is already there; remove this one"));
        return item.into_token_stream();
    }
    item::reject_repeated("event", &options.krate(), &mut item.attrs, errors, "remove this one");
    item::reject_other_messages("event", &options.krate(), &mut item.attrs, errors);
    require_owned(&mut item, "events", errors);
    let parameters: Vec<_> = item.fields.iter().enumerate().map(Parameter::new).collect();
    let has_room = has_room_for_id(&item, errors);
    let rejected = if crate::SERDE { None } else { serde_derives::reject(&item.attrs) };
    let (skip, serde_error) = rejected.unzip();
    let lints = item::lint_attributes(item.attrs.iter().chain(item.fields.iter().flat_map(|field| &field.attrs)));
    if has_room {
        add_id(&mut item, &options.krate(), skip.as_ref());
    }
    let declared = Declared { ident: &item.ident, generics: &item.generics, lints: &lints, options };
    let new = options.new.as_ref().is_none_or(|new| new.value);
    let new = new.then(|| expand_new(&declared, &item.vis, &parameters, has_room));
    let id = has_room.then(|| quote!(self.event_id));
    let impls = expand_impls(&declared, id);
    quote! {
        #item
        #new
        #impls
        #serde_error
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
        Item::Enum(item) => expand_stub(&item.ident, &item.generics, options),
        Item::Union(item) => expand_stub(&item.ident, &item.generics, options),
        _ => TokenStream::new(),
    };
    let item = item::put_back(body, item);
    quote!(#item #stub)
}

fn expand_stub(ident: &Ident, generics: &Generics, options: &Arguments) -> TokenStream {
    expand_impls(&Declared { ident, generics, lints: &[], options }, None)
}

pub(crate) fn require_no_lifetime(generics: &Generics, nouns: &str, errors: &mut Errors) {
    for lifetime in generics.lifetimes() {
        let message = format!("{nouns} own their data; remove the lifetime, and use `String` for `&str`");
        errors.at(lifetime, message);
    }
}

/// Events and requests may be anybody's, anywhere, so they cannot borrow; and each field has one type.
pub(crate) fn require_owned(item: &mut ItemStruct, nouns: &str, errors: &mut Errors) {
    require_no_lifetime(&item.generics, nouns, errors);
    for field in &mut item.fields {
        require_named(&mut field.ty, errors);
        let message = format!("{nouns} own their data; use `String` for `&str`, or an `Arc`");
        types::require_owned(&mut field.ty, &message, errors);
    }
}

fn has_room_for_id(item: &ItemStruct, errors: &mut Errors) -> bool {
    if let Fields::Unnamed(fields) = &item.fields {
        errors.at(fields, "`#[event]` needs named fields; or use `#[derive(Notification)]`, which adds nothing");
        return false;
    }
    let taken = item.fields.iter().filter_map(|field| field.ident.as_ref()).find(|name| name.unraw() == "event_id");
    if let Some(name) = taken {
        errors.at(name, "`#[event]` adds `event_id` itself; rename the field, or use `#[derive(Notification)]`");
    }
    taken.is_none()
}

/// The documentation of the field that the macro adds.
const ID_DOC: &str = " This event's identity, a UUID of version 7.";

/// Whether the macro ran already, by a path that `reject_repeated` cannot know, such as that of a `use … as …`.
fn is_expanded(item: &ItemStruct) -> bool {
    let doc = quote!(#[doc = #ID_DOC]).to_string();
    let first = item.fields.iter().next();
    first.is_some_and(|field| field.attrs.iter().any(|attribute| attribute.to_token_stream().to_string() == doc))
}

fn add_id(item: &mut ItemStruct, krate: &Path, attribute: Option<&Attribute>) {
    if matches!(item.fields, Fields::Unit) {
        // At the semicolon, so that the struct remains what the user wrote.
        let place = item.semi_token.take();
        item.fields = Fields::Named(parse_quote_spanned!(place.span()=> {}));
    }
    let is_public = |field: &Field| matches!(field.vis, Visibility::Public(_));
    if !item.fields.is_empty() && !item.fields.iter().any(is_public) {
        // The user has not mixed them.
        item.attrs.push(parse_quote!(#[allow(clippy::partial_pub_fields)]));
    }
    let id = parse_quote! {
        #[doc = #ID_DOC]
        #attribute
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

fn expand_new(declared: &Declared<'_>, vis: &Visibility, parameters: &[Parameter], has_room: bool) -> TokenStream {
    let Declared { ident, generics, lints, options } = declared;
    let krate = options.krate();
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let arguments = arguments_of(generics);
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
        #(#lints)*
        impl #impl_generics #ident #arguments #where_clause {
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
fn expand_impls(declared: &Declared<'_>, id: Option<TokenStream>) -> TokenStream {
    let Declared { ident, generics, lints, options } = declared;
    let krate = options.krate();
    let notification_id = id.as_ref().map(|id| {
        quote! {
            fn notification_id(&self) -> ::core::option::Option<#krate::EventId> {
                ::core::option::Option::Some(#id)
            }
        }
    });
    let notification = declared.impl_notification(notification_id.as_ref());
    let durable = id.as_ref().and_then(|_| durable::expand_impl(declared));
    let external = id.as_ref().and_then(|_| durable::expand_external(declared));
    let registration = declared.registration("EventRegistration", external.as_ref());
    let id = id.unwrap_or_else(|| quote!(::core::unimplemented!()));
    let (impl_generics, _, _) = generics.split_for_impl();
    let arguments = arguments_of(generics);
    let where_clause = is_notification(generics, &krate);
    quote! {
        #notification

        #[automatically_derived]
        #(#lints)*
        impl #impl_generics #krate::Event for #ident #arguments #where_clause {
            fn event_id(&self) -> #krate::EventId {
                #id
            }
        }

        #durable

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
