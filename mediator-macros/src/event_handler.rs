//! `#[event_handler]` and `#[request_handler]`

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Attribute, GenericParam, Generics, Item, ItemImpl, ItemStruct, Type, parse_quote};

use crate::arguments::{Arguments, Positional};
use crate::doubts::Doubts;
use crate::errors::Errors;
use crate::kind::Kind;
use crate::registration::{Registration, plain_name};
use crate::types::{first_argument, last_ident, reject_other_traits, relocated, without_self};
use crate::{durable, handler_fn, inject, item};

// #[event_handler(Event,* option,*)], above
//
// struct Handler { fields }                                       one event or more
// impl EventHandler<Event> for Handler { … }                      no event
// async? fn handler(event: &Event, name: Type,*) -> Output { … }  the same event, or none
//
// An observer has `dyn DynNotification` in the place of the event.
//
// option: order = integer | after = handlers | before = handlers | name = "…" | manual | timeout = duration
//         | retry(retry option,*) | crate = path
//
// #[request_handler(Request,* option,*)] is the same with `RequestHandler<Request>`
//
// option: name = "…" | manual | timeout = duration | retry(retry option,*) | crate = path
pub(crate) fn expand(kind: Kind, arguments: &TokenStream, item: TokenStream) -> TokenStream {
    item::expand_attribute(
        kind.attribute(),
        kind.options(),
        Positional::Handled(kind),
        arguments,
        item,
        |item, body, options, errors| match (item, body) {
            (Item::Struct(item), _) => {
                let ident = &item.ident;
                let options = options.without_self(&parse_quote!(#ident));
                on_struct(item, &options, errors)
            }
            (Item::Impl(item), body) => {
                let options = options.without_self(&item.self_ty);
                on_impl(item, body, &options, errors)
            }
            (Item::Fn(item), body) => handler_fn::on_fn(item, body, &options, errors),
            (other, body) => on_other(&other, body, kind, errors),
        },
    )
}

fn on_other(item: &Item, body: Option<Group>, kind: Kind, errors: &mut Errors) -> TokenStream {
    let (attribute, trait_name, example) = (kind.attribute(), kind.trait_name(), kind.example());
    let message =
        format!("`#[{attribute}]` needs a struct, an `impl {trait_name}<{example}> for …` block or a function");
    errors.at(&item::name_of(item), message);
    item::put_back(body, item)
}

fn on_struct(mut item: ItemStruct, options: &Arguments, errors: &mut Errors) -> TokenStream {
    let kind = options.kind;
    let instead = match kind {
        Kind::Event => "name all events in one, as in `#[event_handler(OrderPlaced, OrderShipped)]`",
        Kind::Request => "name all requests in one, as in `#[request_handler(PlaceOrder, CancelOrder)]`",
    };
    item::reject_repeated(kind.attribute(), &options.krate(), &mut item.attrs, errors, instead);
    if options.types.is_empty() && errors.is_empty() {
        let (noun, attribute, example) = (kind.noun(), kind.attribute(), kind.example());
        let message = format!("which {noun}s does it handle? name them, as in `#[{attribute}({example})]`");
        errors.at(&item.ident, message);
    }
    let attributes = item::lint_attributes(&item.attrs);
    let inject = if item::is_injected_later(&options.krate(), &item.attrs) {
        TokenStream::new()
    } else {
        require_concrete(&item.generics, kind, errors);
        inject::require_fields(&mut item.fields, "a handler", errors);
        inject::on_struct(&mut item, &Doubts::none(), options, errors)
    };
    let registrations = options.types.iter().map(|event| {
        // At the event, which is where it is missing if there is no `impl EventHandler` for it.
        let handler = relocated(&item.ident, event);
        Registration { message: event, handler, function: None, name: &plain_name(&item.ident), options }.expand()
    });
    // What is not concrete is an error of the macro that makes it `Inject`.
    let is_registered = errors.is_empty() && item.generics.params.is_empty();
    let registrations = if is_registered { registrations.collect() } else { TokenStream::new() };
    let registrations = item::with_lints(&attributes, quote!(#inject #registrations));
    quote! {
        #item

        #registrations
    }
}

fn on_impl(mut item: ItemImpl, body: Option<Group>, options: &Arguments, errors: &mut Errors) -> TokenStream {
    let kind = options.kind;
    item::reject_repeated(kind.attribute(), &options.krate(), &mut item.attrs, errors, "remove this one");
    require_concrete(&item.generics, kind, errors);
    if let Some(event) = options.types.first() {
        let message = format!("on an impl block the {} is read from the trait; remove it here", kind.noun());
        errors.at(event, message);
    }
    reject_trait_of_others(&item, kind.trait_name(), errors);
    let event = item.trait_.as_ref().and_then(|(path, _)| first_argument(path)).cloned();
    let registration = match (&event, last_ident(&item.self_ty)) {
        (Some(event), Some(ident)) => {
            let event = without_self(event, &item.self_ty);
            let handler = item.self_ty.to_token_stream();
            Registration { message: &event, handler, function: None, name: &plain_name(ident), options }.expand()
        }
        _ => {
            errors.at(&item.self_ty, no_trait(kind));
            TokenStream::new()
        }
    };
    event.iter().for_each(|event| reject_other_traits(event, kind, errors));
    event.iter().for_each(|event| durable::reject_observer(event, options, errors));
    reject_async_trait(&mut item.attrs, ASYNC_TRAIT, errors);
    let stub = event.as_ref().map(|event| expand_stub(event, options));
    let body = without_async_trait(body, stub, errors);
    let registration =
        errors.is_empty().then(|| item::with_lints(&item::lint_attributes(&item.attrs), registration.clone()));
    let item = item::put_back(body, &item);
    quote! {
        #item

        #registration
    }
}

fn no_trait(kind: Kind) -> &'static str {
    match kind {
        Kind::Event => {
            "`#[event_handler]` needs `impl EventHandler<SomeEvent> for SomeType`; \
             if the methods are handlers, write `#[event_handlers]`"
        }
        Kind::Request => {
            "`#[request_handler]` needs `impl RequestHandler<SomeRequest> for SomeType`; \
             if the methods are handlers, write `#[request_handlers]`"
        }
    }
}

/// `#[event_handler] impl RequestHandler<…> for …`, where `own` is `EventHandler`
pub(crate) fn reject_trait_of_others(item: &ItemImpl, own: &str, errors: &mut Errors) {
    let others = [
        ("EventHandler", "a handler of events", "event_handler"),
        ("RequestHandler", "a handler of requests", "request_handler"),
        ("Behavior", "a behavior", "behavior"),
    ];
    for (_, what, attribute) in others.into_iter().filter(|(name, ..)| *name != own && implements(item, name)) {
        let place = item.trait_.as_ref().map(|(path, _)| path);
        errors.at(&place, format!("this is {what}; write `#[{attribute}]`"));
    }
}

fn implements(item: &ItemImpl, name: &str) -> bool {
    let last = item.trait_.as_ref().and_then(|(path, _)| path.segments.last());
    last.is_some_and(|last| last.ident == name)
}

pub(crate) const ASYNC_TRAIT: &str = "`handle` is an `async fn` of the trait itself; remove `#[async_trait]`";

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
pub(crate) fn without_async_trait(
    body: Option<Group>,
    stub: Option<TokenStream>,
    errors: &mut Errors,
) -> Option<Group> {
    let lifetime = body.as_ref().and_then(|body| word_in(body.stream(), "async_trait"));
    let Some((lifetime, stub)) = lifetime.zip(stub) else { return body };
    errors.at(&lifetime, ASYNC_TRAIT);
    Some(Group::new(Delimiter::Brace, stub))
}

/// A `handle` that compiles.
fn expand_stub(message: &Type, options: &Arguments) -> TokenStream {
    let krate = options.krate();
    let body = match options.kind {
        Kind::Event => quote!({}),
        Kind::Request => quote!(-> <#message as #krate::Request>::Output { ::core::unimplemented!() }),
    };
    quote!(async fn handle(&self, _: &#message) #body)
}

fn word_in(tokens: TokenStream, word: &str) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == word => Some(ident),
        TokenTree::Group(group) => word_in(group.stream(), word),
        _ => None,
    })
}

fn require_concrete(generics: &Generics, kind: Kind, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => {
                "a handler lives as long as its mediator; remove the lifetime, and hold what it borrows in an `Arc`"
            }
            _ => match kind {
                Kind::Event => {
                    "a registered handler must be concrete; \
                     bind this one by hand, as in `.bind::<OrderPlaced, Handler<Postgres>>()`"
                }
                Kind::Request => {
                    "a registered handler must be concrete; \
                     bind this one by hand, as in `.bind_request::<PlaceOrder, Handler<Postgres>>()`"
                }
            },
        };
        errors.at(parameter, message);
    }
}
