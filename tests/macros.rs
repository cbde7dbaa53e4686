// The macros as plain functions: a procedural macro crate cannot be linked, but its modules can be included.
// To be included at the root of a crate, where they expect to be.

#[path = "../mediator-macros/src/arguments.rs"]
mod arguments;
#[path = "../mediator-macros/src/behavior.rs"]
mod behavior;
#[path = "../mediator-macros/src/doubts.rs"]
mod doubts;
#[path = "../mediator-macros/src/durable.rs"]
mod durable;
#[path = "../mediator-macros/src/errors.rs"]
mod errors;
#[path = "../mediator-macros/src/event.rs"]
mod event;
#[path = "../mediator-macros/src/event_handler.rs"]
mod event_handler;
#[path = "../mediator-macros/src/event_handlers.rs"]
mod event_handlers;
#[path = "../mediator-macros/src/handler_fn.rs"]
mod handler_fn;
#[path = "../mediator-macros/src/inject.rs"]
mod inject;
#[path = "../mediator-macros/src/item.rs"]
mod item;
#[path = "../mediator-macros/src/kind.rs"]
mod kind;
#[path = "../mediator-macros/src/link_modules.rs"]
mod link_modules;
#[path = "../mediator-macros/src/lock.rs"]
mod lock;
#[path = "../mediator-macros/src/manifest.rs"]
mod manifest;
#[path = "../mediator-macros/src/notification.rs"]
mod notification;
#[path = "../mediator-macros/src/receiver.rs"]
mod receiver;
#[path = "../mediator-macros/src/registration.rs"]
mod registration;
#[path = "../mediator-macros/src/request.rs"]
mod request;
#[path = "../mediator-macros/src/retry.rs"]
mod retry;
#[path = "../mediator-macros/src/runtime.rs"]
mod runtime;
#[path = "../mediator-macros/src/serde_derives.rs"]
mod serde_derives;
#[path = "../mediator-macros/src/service.rs"]
mod service;
#[path = "../mediator-macros/src/signature.rs"]
mod signature;
#[path = "../mediator-macros/src/types.rs"]
mod types;

use std::fs;
use std::path::{Path, PathBuf};

use kind::Kind;
use proc_macro2::{TokenStream, TokenTree};

/// Whether the runtime's ids serialize.
const SERDE: bool = true;

/// Whether the runtime has behaviors that need a timer.
const TOKIO: bool = true;

/// Whether the runtime has durable handlers.
const DURABLE: bool = true;

/// The first attribute of an item, as `(event, name = "…", the rest)` of `#[event(name = "…")] struct …`.
fn split_first_attribute(item: TokenStream) -> Option<(String, TokenStream, TokenStream)> {
    let mut tokens = item.into_iter();
    let (TokenTree::Punct(_), TokenTree::Group(attribute)) = (tokens.next()?, tokens.next()?) else {
        return None;
    };
    let mut attribute = attribute.stream().into_iter();
    let name = attribute.next()?.to_string();
    let arguments = match attribute.next() {
        Some(TokenTree::Group(arguments)) => arguments.stream(),
        _ => TokenStream::new(),
    };
    Some((name, arguments, tokens.collect()))
}

/// What each macro makes of an item, whose first attribute only provides the arguments.
fn expand_by_every_macro(tokens: TokenStream) -> [TokenStream; 11] {
    let (_, arguments, item) =
        split_first_attribute(tokens.clone()).unwrap_or_else(|| (String::new(), TokenStream::new(), tokens));
    let expansions = [
        event::expand(&arguments, item.clone()),
        event_handler::expand(Kind::Event, &arguments, item.clone()),
        event_handlers::expand(Kind::Event, &arguments, item.clone()),
        request::expand(&arguments, item.clone()),
        event_handler::expand(Kind::Request, &arguments, item.clone()),
        event_handlers::expand(Kind::Request, &arguments, item.clone()),
        behavior::expand(&arguments, item.clone()),
        service::expand(&arguments, item.clone()),
        inject::expand(item.clone()),
        notification::expand(item.clone()),
        link_modules::expand(item.clone()),
    ];
    if syn::parse2(item.clone()).is_ok_and(|item| is_item(&item)) {
        for expansion in &expansions {
            let items = syn::parse2::<syn::File>(expansion.clone());
            assert!(items.is_ok(), "expands to something that is no item:\n{item}\n=>\n{expansion}");
        }
    }
    expansions
}

/// Whether rustc would show it to a macro; syn also reads fields and type parameters that are called `_`.
fn is_item(item: &syn::Item) -> bool {
    let (generics, fields) = match item {
        syn::Item::Struct(item) => (&item.generics, Some(&item.fields)),
        syn::Item::Enum(item) => (&item.generics, None),
        syn::Item::Union(item) => (&item.generics, None),
        _ => return true,
    };
    let mut names = fields.into_iter().flatten().filter_map(|field| field.ident.as_ref());
    names.all(|name| name != "_") && generics.type_params().all(|parameter| parameter.ident != "_")
}

/// The files of `expansion/` with what users write, without the expansions.
fn sources() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("expansion");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_source = |path: &PathBuf| {
        let path = path.to_string_lossy();
        path.ends_with(".rs") && !path.ends_with(".expanded.rs")
    };
    files.filter(is_source).collect()
}
