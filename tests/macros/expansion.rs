//! What the macros write; see `expansion/README.md` on changing it.

use std::{env, fs};

use proc_macro2::TokenStream;
use quote::ToTokens;

use crate::kind::Kind;
use crate::{
    behavior, event, event_handler, event_handlers, inject, link_modules, notification, request, service, sources,
    split_first_attribute,
};

/// Expands every macro of ours in a file, also those that the expansion brings in.
fn expand_file(source: &str) -> String {
    let file: syn::File = syn::parse_str(source).unwrap();
    let items = file.items.into_iter().flat_map(|item| expand_item(item.into_token_stream())).collect();
    // The version of this package, which the macros write into each registration.
    let version = format!("{:?}", env!("CARGO_PKG_VERSION"));
    prettyplease::unparse(&syn::File { items, ..file }).replace(&version, "\"1.2.3\"")
}

fn expand_item(item: TokenStream) -> Vec<syn::Item> {
    let Some(expanded) = expand_next(item.clone()) else {
        let mut items = syn::parse2::<syn::File>(item).unwrap().items;
        items.iter_mut().for_each(pass_new_on);
        return items;
    };
    let file: syn::File = syn::parse2(expanded).unwrap();
    file.items.into_iter().flat_map(|item| expand_item(item.into_token_stream())).collect()
}

/// Does what the macro around `new` does.
fn pass_new_on(item: &mut syn::Item) {
    let syn::Item::Impl(item) = item else { return };
    for item in &mut item.items {
        if let syn::ImplItem::Macro(call) = item
            && call.mac.path.segments.last().is_some_and(|name| name.ident.to_string().ends_with("new_equals_false"))
        {
            *item = syn::parse2(call.mac.tokens.clone()).unwrap();
        }
    }
}

/// Expands an item's first attribute, if it is a macro of ours.
fn expand_first_attribute(item: TokenStream) -> Option<TokenStream> {
    let (name, arguments, rest) = split_first_attribute(item)?;
    match name.as_str() {
        "event" => Some(event::expand(&arguments, rest)),
        "event_handler" => Some(event_handler::expand(Kind::Event, &arguments, rest)),
        "event_handlers" => Some(event_handlers::expand(Kind::Event, &arguments, rest)),
        "request" => Some(request::expand(&arguments, rest)),
        "request_handler" => Some(event_handler::expand(Kind::Request, &arguments, rest)),
        "request_handlers" => Some(event_handlers::expand(Kind::Request, &arguments, rest)),
        "behavior" => Some(behavior::expand(&arguments, rest)),
        "service" => Some(service::expand(&arguments, rest)),
        "derive" => {
            let derive = arguments.into_iter().last()?.to_string();
            let expand = match derive.as_str() {
                "Inject" => inject::expand,
                "Notification" => notification::expand,
                _ => return None,
            };
            Some([rest.clone(), expand(rest)].into_iter().collect())
        }
        _ => None,
    }
}

/// Expands `link_modules!`, or the first attribute that is a macro of ours; the others stay with the item.
fn expand_next(item: TokenStream) -> Option<TokenStream> {
    if let Ok(syn::Item::Macro(item)) = syn::parse2(item.clone())
        && item.mac.path.segments.last().is_some_and(|name| name.ident == "link_modules")
    {
        return Some(link_modules::expand(item.mac.tokens));
    }
    let tokens: Vec<_> = item.into_iter().collect();
    let attributes = tokens.chunks(2).take_while(|pair| pair[0].to_string() == "#").count();
    (0..attributes).find_map(|attribute| {
        let mut tokens = tokens.clone();
        tokens[..2 * attribute + 2].rotate_right(2);
        expand_first_attribute(tokens.into_iter().collect())
    })
}

#[test]
fn expansions_are_as_simple_as_they_were() {
    let mut changed = Vec::new();
    for source in sources() {
        let expansion = source.with_extension("expanded.rs");
        let expanded = expand_file(&fs::read_to_string(&source).unwrap());
        if env::var("EXPANSION").is_ok_and(|it| it == "overwrite") {
            fs::write(&expansion, &expanded).unwrap();
        }
        if fs::read_to_string(&expansion).unwrap_or_default() != expanded {
            changed.push(format!("{}:\n{expanded}", expansion.display()));
        }
    }
    assert!(changed.is_empty(), "see expansion/README.md; these changed:\n{}", changed.join("\n"));
}
