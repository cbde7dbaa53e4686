//! `#[event_handler]`

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, GenericParam, Generics, Item, ItemImpl, ItemStruct, Type, parse_quote};

use crate::arguments::{Arguments, Positional};
use crate::errors::Errors;
use crate::registration::{Registration, plain_name};
use crate::types::{first_argument, last_ident, reject_other_traits, relocated, without_self};
use crate::{handler_fn, inject, item};

const KEYS: &[&str] = &["order", "after", "before", "name", "manual", "crate"];

/// The options of a method; where the runtime is, is said once, for its block.
pub(crate) const METHOD_KEYS: &[&str] = KEYS.split_last().expect("there are keys").1;

// #[event_handler(Event,* option,*)], above
//
// struct Handler { fields }                                       one event or more
// impl EventHandler<Event> for Handler { … }                      no event
// async? fn handler(event: &Event, name: Type,*) -> Output { … }  the same event, or none
//
// An observer has `dyn DynNotification` in the place of the event.
//
// option: order = integer | after = handlers | before = handlers | name = "…" | manual | crate = path
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut options = Arguments::parse(arguments.clone(), KEYS, Positional::Events, &mut errors);
    if !options.find_runtime(&mut errors) {
        return item::without_runtime(item, errors);
    }
    if let Some(conditional) = item::with_cfg_first(&options.krate(), "event_handler", arguments, &item) {
        return conditional;
    }
    let expanded = match errors.ok(item::parse(item.clone())) {
        Some((Item::Struct(item), _)) => {
            let ident = &item.ident;
            let options = options.without_self(&parse_quote!(#ident));
            on_struct(item, &options, &mut errors)
        }
        Some((Item::Impl(item), body)) => {
            let options = options.without_self(&item.self_ty);
            on_impl(item, body, &options, &mut errors)
        }
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
    if options.types.is_empty() && errors.is_empty() {
        errors.at(&item.ident, "which events does it handle? name them, as in `#[event_handler(OrderPlaced)]`");
    }
    let attributes = item::lint_attributes(&item.attrs);
    let inject = if item::is_injected_by("service", &options.krate(), &item.attrs) {
        TokenStream::new()
    } else {
        require_concrete(&item.generics, errors);
        inject::on_struct(&mut item, options, errors)
    };
    let registrations = options.types.iter().map(|event| {
        // At the event, which is where it is missing if there is no `impl EventHandler` for it.
        let handler = relocated(&item.ident, event);
        Registration { event, handler, function: None, name: &plain_name(&item.ident), options }.expand()
    });
    let registrations = if errors.is_empty() { registrations.collect() } else { TokenStream::new() };
    let registrations = item::with_lints(&attributes, quote!(#inject #registrations));
    quote! {
        #item

        #registrations
    }
}

const NO_TRAIT: &str = "`#[event_handler]` needs `impl EventHandler<SomeEvent> for SomeType`; \
                        if the methods are handlers, write `#[event_handlers]`";

fn on_impl(mut item: ItemImpl, body: Option<Group>, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated("event_handler", &options.krate(), &mut item.attrs, errors, "remove this one");
    require_concrete(&item.generics, errors);
    if let Some(event) = options.types.first() {
        errors.at(event, "on an impl block the event is read from the trait; remove it here");
    }
    let event = item.trait_.as_ref().and_then(|(path, _)| first_argument(path)).cloned();
    let registration = match (&event, last_ident(&item.self_ty)) {
        (Some(event), Some(ident)) => {
            let event = without_self(event, &item.self_ty);
            let handler = item.self_ty.to_token_stream();
            Registration { event: &event, handler, function: None, name: &plain_name(ident), options }.expand()
        }
        _ => {
            errors.at(&item.self_ty, NO_TRAIT);
            TokenStream::new()
        }
    };
    event.iter().for_each(|event| reject_other_traits(event, errors));
    reject_async_trait(&mut item.attrs, ASYNC_TRAIT, errors);
    let body = without_async_trait(body, event.as_ref(), errors);
    let registration =
        errors.is_empty().then(|| item::with_lints(&item::lint_attributes(&item.attrs), registration.clone()));
    let item = item::put_back(body, &item);
    quote! {
        #item

        #registration
    }
}

const ASYNC_TRAIT: &str = "`handle` is an `async fn` of the trait itself; remove `#[async_trait]`";

/// Takes away an `#[async_trait]` that is still to come.
pub(crate) fn reject_async_trait(attributes: &mut Vec<Attribute>, message: &str, errors: &mut Errors) {
    attributes.retain(|attribute| {
        let is_ours = attribute.path().segments.last().is_none_or(|last| last.ident != "async_trait");
        if !is_ours {
            errors.at(attribute, message);
        }
        is_ours
    });
}

/// What an `#[async_trait]` above has made of `handle` does not fit the trait; instead of it, a `handle` that does.
fn without_async_trait(body: Option<Group>, event: Option<&Type>, errors: &mut Errors) -> Option<Group> {
    let lifetime = body.as_ref().and_then(|body| word_in(body.stream(), "async_trait"));
    let Some((lifetime, event)) = lifetime.zip(event) else { return body };
    errors.at(&lifetime, ASYNC_TRAIT);
    Some(Group::new(Delimiter::Brace, quote!(async fn handle(&self, _: &#event) {})))
}

fn word_in(tokens: TokenStream, word: &str) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == word => Some(ident),
        TokenTree::Group(group) => word_in(group.stream(), word),
        _ => None,
    })
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
