//! What the macros share in looking at the item they stand on.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, DeriveInput, FnArg, Item, Path};

use crate::errors::Errors;
use crate::inject;

/// Runs a derive.
pub(crate) fn derive(item: TokenStream, on_type: impl FnOnce(&DeriveInput, &mut Errors) -> TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let expanded = errors.ok(syn::parse2(item)).map(|item| on_type(&item, &mut errors));
    let errors = errors.into_compile_errors();
    quote!(#expanded #errors)
}

/// Parses an item; but the body of a function or an impl, which may be half-written, is taken out unread.
pub(crate) fn parse(item: TokenStream) -> syn::Result<(Item, Option<Group>)> {
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

/// Moves every `#[cfg(…)]` of the item in front of the macro; `None` if there is none.
///
/// There rustc evaluates it first, so that what the macro generates comes and goes with the item.
pub(crate) fn with_cfg_first(
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
pub(crate) fn without_runtime(item: TokenStream, errors: Errors) -> TokenStream {
    let (cfgs, _) = split_cfgs(&item).unwrap_or_default();
    let errors = errors.into_compile_errors_if(&cfgs);
    let item = match parse(item.clone()) {
        Ok((Item::Struct(mut item), _)) => {
            item.fields.iter_mut().for_each(|field| _ = inject::take_attributes(&mut field.attrs));
            item.into_token_stream()
        }
        Ok((Item::Fn(mut item), body)) => {
            item.sig.inputs.iter_mut().for_each(|input| match input {
                FnArg::Typed(parameter) => _ = inject::take_attributes(&mut parameter.attrs),
                FnArg::Receiver(_) => {}
            });
            put_back(body, &item)
        }
        _ => item,
    };
    quote!(#item #errors)
}

/// Takes away a second use of the same macro, which would only cause further errors.
pub(crate) fn reject_repeated(
    attribute_macro: &str,
    attributes: &mut Vec<Attribute>,
    errors: &mut Errors,
    instead: &str,
) {
    attributes.retain(|attribute| {
        let repeated = is_ours(attribute.path(), attribute_macro);
        if repeated {
            errors.at(attribute, format!("`#[{attribute_macro}]` is already there; {instead}"));
        }
        !repeated
    });
}

/// Whether a path names a macro of ours: alone, or by a way through the runtime, and not through another crate.
fn is_ours(path: &Path, attribute_macro: &str) -> bool {
    let mut segments = path.segments.iter().rev();
    let is_named_so = segments.next().is_some_and(|last| last.ident == attribute_macro);
    is_named_so && (path.segments.len() == 1 || segments.any(|segment| segment.ident == "mediator_core"))
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
