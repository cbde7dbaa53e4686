//! `#[event_handler]`

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    GenericArgument, GenericParam, Generics, Item, ItemImpl, ItemStruct, Path, PathArguments, Type, parse_quote,
};

use crate::arguments::{Arguments, display_name, ungrouped};
use crate::errors::Errors;
use crate::{handler_fn, inject, item};

const KEYS: &[&str] = &["order", "after", "before", "name", "crate"];

// #[event_handler(Event,* option,*)], above
//
// struct Handler { fields }                                       one event or more
// impl EventHandler<Event> for Handler { … }                      no event
// async? fn handler(event: &Event, name: Type,*) -> Output { … }  no event
//
// option: order = integer | after = handlers | before = handlers | name = "…" | crate = path
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut options = Arguments::parse(arguments.clone(), KEYS, true, &mut errors);
    if !options.find_runtime(&mut errors) {
        return item::without_runtime(item, errors);
    }
    if let Some(conditional) = item::with_cfg_first(&options.krate(), "event_handler", arguments, &item) {
        return conditional;
    }
    let expanded = match errors.ok(item::parse(item.clone())) {
        Some((Item::Struct(item), _)) => on_struct(item, &options, &mut errors),
        Some((Item::Impl(item), body)) => on_impl(item, body, &options, &mut errors),
        Some((Item::Fn(item), body)) => handler_fn::on_fn(item, body, &options, &mut errors),
        Some((other, body)) => on_other(&other, body, &mut errors),
        None => item,
    };
    let errors = errors.into_compile_errors();
    quote!(#expanded #errors)
}

fn on_other(item: &Item, body: Option<Group>, errors: &mut Errors) -> TokenStream {
    let message = "`#[event_handler]` needs a struct, an `impl EventHandler<OrderPlaced> for …` block or a function";
    errors.at(&item::name_of(item), message);
    item::put_back(body, item)
}

fn on_struct(mut item: ItemStruct, options: &Arguments, errors: &mut Errors) -> TokenStream {
    let instead = "name all events in one, as in `#[event_handler(OrderPlaced, OrderShipped)]`";
    item::reject_repeated("event_handler", &options.krate(), &mut item.attrs, errors, instead);
    require_concrete(&item.generics, errors);
    if options.events.is_empty() && errors.is_empty() {
        errors.at(&item.ident, "which events does it handle? name them, as in `#[event_handler(OrderPlaced)]`");
    }
    for field in &mut item.fields {
        require_owned(&mut field.ty, errors);
    }
    let fields = item.fields.iter_mut().collect();
    let (derive, inject) = inject::on_handler(&item.ident, &item.generics, &item.attrs, fields, options, errors);
    item.attrs.extend(derive);
    let registrations = options.events.iter().map(|event| {
        // At the event, which is where it is missing if there is no `impl EventHandler` for it.
        let handler = relocated(&item.ident, event);
        registration(event, &handler, &item.ident, options)
    });
    let registrations = if errors.is_empty() { registrations.collect() } else { TokenStream::new() };
    quote! {
        #item

        #inject

        #registrations
    }
}

fn on_impl(mut item: ItemImpl, body: Option<Group>, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated("event_handler", &options.krate(), &mut item.attrs, errors, "remove this one");
    require_concrete(&item.generics, errors);
    if let Some(event) = options.events.first() {
        errors.at(event, "on an impl block the event is read from the trait; remove it here");
    }
    let event = item.trait_.as_ref().and_then(|(path, _)| event_of_trait(path));
    let registration = match (event, last_ident(&item.self_ty)) {
        (Some(event), Some(ident)) => registration(event, &item.self_ty, ident, options),
        _ => {
            errors.at(&item.self_ty, "`#[event_handler]` needs `impl EventHandler<SomeEvent> for SomeType`");
            TokenStream::new()
        }
    };
    let registration = errors.is_empty().then_some(registration);
    let item = item::put_back(body, &item);
    quote! {
        #item

        #registration
    }
}

/// The `E` of `EventHandler<E>`
fn event_of_trait(path: &Path) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(event) => Some(event),
        _ => None,
    })
}

/// The `Handler` of `path::Handler<T>`
pub(crate) fn last_ident(ty: &Type) -> Option<&Ident> {
    match ungrouped(ty) {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

fn require_concrete(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => {
                "a handler lives as long as its mediator; remove the lifetime, and hold what it borrows in an `Arc`"
            }
            _ => {
                "a registered handler must be concrete; \
                 bind this one by hand, as in `.bind::<OrderPlaced, Handler<Postgres>>()`"
            }
        };
        errors.at(parameter, message);
    }
}

/// Handlers outlive every borrow but a `'static` one. Whether `ty` was owned.
pub(crate) fn require_owned(ty: &mut Type, errors: &mut Errors) -> bool {
    if let Type::Reference(reference) = ty
        && reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident == "_")
    {
        errors.at(reference, "a handler owns what it is injected with; use an `Arc`");
        // Otherwise rustc would ask for a lifetime.
        reference.lifetime = Some(parse_quote!('static));
        return false;
    }
    true
}

/// The same tokens, shown at the place of others: rustc underlines from the first to the last.
///
/// Names between those stay, so that a runtime that is not found shows at the attribute.
pub(crate) fn relocated(tokens: &impl ToTokens, place: &impl ToTokens) -> TokenStream {
    let place: Vec<Span> = place.to_token_stream().into_iter().map(|token| token.span()).collect();
    let mut tokens: Vec<TokenTree> = tokens.to_token_stream().into_iter().collect();
    let last = tokens.len().saturating_sub(1);
    for (index, token) in tokens.iter_mut().enumerate() {
        let place = if index == last && index > 0 { place.last() } else { place.first() };
        if let Some(place) = place
            && ([0, last].contains(&index) || matches!(token, TokenTree::Punct(_)))
        {
            token.set_span(token.span().located_at(*place));
        }
    }
    tokens.into_iter().collect()
}

pub(crate) fn registration(event: &Type, handler: &impl ToTokens, ident: &Ident, options: &Arguments) -> TokenStream {
    let krate = options.krate();
    let name = display_name(None, ident);
    let named = options.name.as_ref().map(|name| quote!(.named(#name)));
    let version = item::package_version().map(|version| quote!(.in_version(#version)));
    let order = options.order.map(|order| quote!(.order_by(#order)));
    let after = references(&quote!(after), &options.after, &krate);
    let before = references(&quote!(before), &options.before, &krate);
    quote! {
        #krate::__private::inventory::submit! {
            #krate::__private::HandlerRegistration::new::<#event, #handler>(#name, ::core::module_path!()) #named #version #order #after #before
        }
    }
}

/// `.after(…)` with the handlers that the user names, if any.
fn references(method: &TokenStream, handlers: &[Type], krate: &Path) -> Option<TokenStream> {
    let handlers = handlers.iter().map(|handler| quote!(#krate::__private::HandlerRef::to::<#handler>()));
    (handlers.len() > 0).then(|| quote!(.#method(const { &[#(#handlers),*] })))
}
