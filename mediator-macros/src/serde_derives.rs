//! Derives of serde on an event, which needs the runtime's feature `serde` for its id.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Path, Token, parse_quote};

use crate::item;

const MESSAGE: &str = "the `event_id` that `#[event]` adds is serialized by the feature `serde` of `mediator-core` only; \
                       add `features = [\"serde\"]` to it in `Cargo.toml`";

/// Without the feature, an error at the first of these derives, and the attribute of the id that lets them go on.
pub(crate) fn reject(attributes: &[Attribute]) -> Option<(Attribute, TokenStream)> {
    if is_converted(attributes) {
        return None;
    }
    let (condition, derive) = attributes.iter().find_map(|attribute| {
        let (condition, metas) = item::split_condition(attribute);
        Some((condition, metas.iter().find_map(derive_of_serde)?))
    })?;
    let error = syn::Error::new_spanned(derive, MESSAGE).into_compile_error();
    Some(match condition {
        Some(condition) => (parse_quote!(#[cfg_attr(#condition, serde(skip))]), quote!(#[cfg(#condition)] #error)),
        None => (parse_quote!(#[serde(skip)]), error),
    })
}

/// The `serde::Serialize` of `derive(Debug, serde::Serialize)`
fn derive_of_serde(meta: &Meta) -> Option<Path> {
    let Meta::List(list) = meta else { return None };
    if !list.path.is_ident("derive") {
        return None;
    }
    let derives = list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok()?;
    derives.into_iter().find(is_of_serde)
}

/// Other crates derive traits of these names as well, by paths of their own.
fn is_of_serde(derive: &Path) -> bool {
    let names = item::names(derive);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    match &*names {
        ["Serialize" | "Deserialize"] => true,
        [path @ .., "Serialize" | "Deserialize"] => path.contains(&"serde"),
        _ => false,
    }
}

/// Whether the event is serialized as something else, by `#[serde(from = "…", into = "…")]`.
fn is_converted(attributes: &[Attribute]) -> bool {
    let metas = attributes.iter().flat_map(|attribute| item::split_condition(attribute).1);
    let converts = |token: TokenTree| ["from", "try_from", "into"].iter().any(|key| token.to_string() == *key);
    metas.into_iter().any(|meta| match meta {
        Meta::List(list) if list.path.is_ident("serde") => list.tokens.into_iter().any(converts),
        _ => false,
    })
}
