//! What the macros share in looking at the item they stand on.

use std::collections::HashSet;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, DeriveInput, Item, Meta, Path, Token, parse_quote};

use crate::arguments::{Arguments, Positional};
use crate::errors::Errors;
use crate::{inject, runtime};

/// Runs a derive.
pub(crate) fn derive(item: TokenStream, on_type: impl FnOnce(&DeriveInput, &mut Errors) -> TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let expanded = errors.ok(syn::parse2(item)).map(|item| on_type(&item, &mut errors));
    let errors = errors.into_compile_errors();
    quote!(#expanded #errors)
}

/// Parses an item; but the body of a function or an impl, which may be half-written, is taken out unread.
fn parse(item: TokenStream) -> syn::Result<(Item, Option<Group>)> {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let mut body = None;
    if holds_code(&tokens)
        && let Some(TokenTree::Group(last)) = tokens.last_mut()
        && last.delimiter() == Delimiter::Brace
    {
        let mut emptied = Group::new(Delimiter::Brace, TokenStream::new());
        emptied.set_span(last.span());
        body = Some(std::mem::replace(last, emptied));
    }
    Ok((syn::parse2(tokens.into_iter().collect())?, body))
}

/// Whether it is a function or an impl, by the first keyword that says what it is.
fn holds_code(item: &[TokenTree]) -> bool {
    let keyword = item.iter().find_map(|token| match token {
        TokenTree::Ident(word) if word == "fn" || word == "impl" => Some(true),
        TokenTree::Ident(word) if word == "struct" || word == "enum" || word == "union" => Some(false),
        _ => None,
    });
    keyword.unwrap_or(false)
}

/// The item with its body.
pub(crate) fn put_back(body: Option<Group>, item: &impl ToTokens) -> TokenStream {
    let mut tokens: Vec<TokenTree> = item.to_token_stream().into_iter().collect();
    if let (Some(body), Some(last)) = (body, tokens.last_mut()) {
        *last = body.into();
    }
    tokens.into_iter().collect()
}

/// Expands one of our attributes, whose arguments are options with these keys and what is `positional`: to what `on_item` makes
/// of the item, and the errors.
pub(crate) fn expand_attribute(
    name: &str,
    keys: &[&str],
    positional: Positional,
    arguments: &TokenStream,
    item: TokenStream,
    on_item: impl FnOnce(Item, Option<Group>, Arguments, &mut Errors) -> TokenStream,
) -> TokenStream {
    let mut errors = Errors::default();
    let mut options = Arguments::parse(arguments.clone(), keys, positional, &mut errors);
    if !options.find_runtime(&mut errors) {
        return without_runtime(item, errors);
    }
    if let Some(conditional) = with_cfg_first(&options.krate(), name, arguments, &item) {
        return conditional;
    }
    let expanded = match errors.ok(parse(item.clone())) {
        Some((item, body)) => on_item(item, body, options, &mut errors),
        None => item,
    };
    let errors = errors.into_compile_errors();
    quote!(#expanded #errors)
}

/// Moves every `#[cfg(…)]` of the item in front of the macro; `None` if there is none.
///
/// There rustc evaluates it first, so that what the macro generates comes and goes with the item.
fn with_cfg_first(
    krate: &Path,
    attribute_macro: &str,
    arguments: &TokenStream,
    item: &TokenStream,
) -> Option<TokenStream> {
    let (cfgs, rest) = split_cfgs(item)?;
    let attribute_macro = Ident::new(attribute_macro, Span::call_site());
    (!cfgs.is_empty()).then(|| quote!(#(#cfgs)* #[#krate::#attribute_macro(#arguments)] #rest))
}

fn split_cfgs(item: &TokenStream) -> Option<(Vec<Attribute>, TokenStream)> {
    let parser = |input: ParseStream<'_>| Ok((Attribute::parse_outer(input)?, input.parse::<TokenStream>()?));
    let (attributes, rest) = parser.parse2(item.clone()).ok()?;
    let (cfgs, others): (Vec<_>, Vec<_>) =
        attributes.into_iter().partition(|attribute| attribute.path().is_ident("cfg"));
    Some((cfgs, quote!(#(#others)* #rest)))
}

/// Nothing but the item and the errors, where the runtime is missing that all else would name.
fn without_runtime(item: TokenStream, errors: Errors) -> TokenStream {
    let (cfgs, _) = split_cfgs(&item).unwrap_or_default();
    let errors = errors.into_compile_errors_if(&cfgs);
    let item = match parse(item.clone()) {
        Ok((Item::Struct(mut item), _)) => {
            item.fields.iter_mut().for_each(|field| _ = inject::take_attributes(&mut field.attrs));
            item.into_token_stream()
        }
        Ok((Item::Fn(mut item), body)) => {
            inject::take_all_attributes(&mut item.sig);
            put_back(body, &item)
        }
        _ => item,
    };
    quote!(#item #errors)
}

/// The lints that are allowed or expected on an item and its parts, as one `#[allow(…)]` for what is generated from it.
///
/// An `#[expect(…)]` stays with the user's own code, which fulfills it or not; generated code only keeps quiet.
/// What is deprecated has to be used by it.
pub(crate) fn lint_attributes<'a>(attributes: impl IntoIterator<Item = &'a Attribute>) -> Vec<Attribute> {
    let mut always = Vec::new();
    let mut conditional = Vec::new();
    for attribute in attributes {
        let (condition, metas) = split_condition(attribute);
        let lints: Vec<_> = metas.iter().flat_map(allowed).collect();
        match condition {
            Some(condition) if !lints.is_empty() => {
                conditional.push(parse_quote!(#[cfg_attr(#condition, allow(#(#lints),*))]));
            }
            _ => always.extend(lints),
        }
    }
    let mut seen = HashSet::new();
    always.retain(|lint| seen.insert(lint.to_token_stream().to_string()));
    let always = (!always.is_empty()).then(|| parse_quote!(#[allow(#(#always),*)]));
    always.into_iter().chain(conditional).collect()
}

/// What an attribute amounts to, and the condition if it is a `#[cfg_attr(condition, …)]`.
pub(crate) fn split_condition(attribute: &Attribute) -> (Option<Meta>, Vec<Meta>) {
    if let Meta::List(list) = &attribute.meta
        && list.path.is_ident("cfg_attr")
        && let Ok(parts) = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
    {
        let mut parts = parts.into_iter();
        return (parts.next(), parts.collect());
    }
    (None, vec![attribute.meta.clone()])
}

/// The lints that an attribute keeps quiet.
fn allowed(attribute: &Meta) -> Vec<Path> {
    match attribute {
        meta if meta.path().is_ident("deprecated") => vec![meta.path().clone()],
        Meta::List(list) if list.path.is_ident("allow") || list.path.is_ident("expect") => {
            let parsed = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let entries = parsed.into_iter().flatten();
            // The other entry is `reason = "…"`.
            entries.filter_map(|entry| if let Meta::Path(lint) = entry { Some(lint) } else { None }).collect()
        }
        _ => Vec::new(),
    }
}

/// Items under lint attributes, macro calls too: on the call itself rustc ignores them.
pub(crate) fn with_lints(lints: &[Attribute], items: TokenStream) -> TokenStream {
    if lints.is_empty() {
        return items;
    }
    quote! {
        #(#lints)*
        const _: () = {
            #items
        };
    }
}

/// The version of the package that is being compiled; empty unless Cargo compiles it.
pub(crate) fn package_version() -> String {
    std::env::var("CARGO_PKG_VERSION").unwrap_or_default()
}

/// Takes away a second use of the same macro, which would only cause further errors.
pub(crate) fn reject_repeated(
    attribute_macro: &str,
    krate: &Path,
    attributes: &mut Vec<Attribute>,
    errors: &mut Errors,
    instead: &str,
) {
    attributes.retain(|attribute| {
        let repeated = is_ours(attribute.path(), attribute_macro, krate);
        if repeated {
            errors.at(attribute, format!("`#[{attribute_macro}]` is already there; {instead}"));
        }
        !repeated
    });
}

/// The macros that make a type a message, of which it takes one.
const MESSAGES: &[&str] = &["event", "request", "Notification"];

/// Takes the others of them away, of which rustc would only say that their implementations conflict.
pub(crate) fn reject_other_messages(own: &str, krate: &Path, attributes: &mut Vec<Attribute>, errors: &mut Errors) {
    let mut rejects = |path: &Path| {
        let other = MESSAGES.iter().find(|other| **other != own && is_ours(path, other, krate));
        if let Some(other) = other {
            let message = if own == "request" || *other == "request" {
                "a type is an event or a request; remove one of the two, or make two types"
            } else {
                "`#[event]` implements `Notification` itself; remove one of the two"
            };
            errors.at(path, message);
        }
        other.is_some()
    };
    attributes.retain(|attribute| !rejects(attribute.path()));
    attributes.iter_mut().for_each(|attribute| take_derives(attribute, &mut rejects));
}

/// Takes some of the traits out of a `#[derive(…)]`.
fn take_derives(attribute: &mut Attribute, mut is_taken: impl FnMut(&Path) -> bool) {
    if let Meta::List(list) = &mut attribute.meta
        && list.path.is_ident("derive")
        && let Ok(derives) = list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
    {
        let others = derives.iter().filter(|derive| !is_taken(derive));
        list.tokens = quote!(#(#others),*);
    }
}

/// The macros that make a struct `Inject`.
const INJECTING: &[&str] = &["event_handler", "request_handler", "behavior", "service"];

/// Whether another macro is still to come, which makes the struct `Inject` and says what keeps it from that.
pub(crate) fn is_injected_later(krate: &Path, attributes: &[Attribute]) -> bool {
    let injects = |attribute: &Attribute| INJECTING.iter().any(|name| is_ours(attribute.path(), name, krate));
    attributes.iter().any(injects)
}

/// Whether a path names a macro of this crate: alone, or by way of the runtime. Other crates have an `#[event]` as well.
fn is_ours(path: &Path, attribute_macro: &str, krate: &Path) -> bool {
    let mut segments = names(path);
    if segments.pop().is_none_or(|last| last != attribute_macro) {
        return false;
    }
    segments.is_empty() || segments.iter().any(|name| name == runtime::USUAL_NAME) || segments == names(krate)
}

/// The names in a path, without their arguments.
pub(crate) fn names(path: &Path) -> Vec<String> {
    path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

/// The tokens that stand for the whole item in a message.
pub(crate) fn name_of(item: &Item) -> TokenStream {
    match item {
        Item::Enum(item) => item.ident.to_token_stream(),
        Item::Fn(item) => item.sig.ident.to_token_stream(),
        Item::Impl(item) => item.self_ty.to_token_stream(),
        Item::Mod(item) => item.ident.to_token_stream(),
        Item::Struct(item) => item.ident.to_token_stream(),
        Item::Trait(item) => item.ident.to_token_stream(),
        Item::Type(item) => item.ident.to_token_stream(),
        Item::Union(item) => item.ident.to_token_stream(),
        // The whole attribute is underlined instead.
        _ => TokenStream::new(),
    }
}
