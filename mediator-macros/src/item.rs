//! What the attribute macros share in looking at the item they stand on.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Item, Path};

use crate::errors::Errors;

/// Moves every `#[cfg(…)]` of the item in front of the macro; `None` if there is none.
///
/// There rustc evaluates it first, so that what the macro generates comes and goes with the item.
pub(crate) fn with_cfg_first(
    krate: &Path,
    attribute_macro: &str,
    arguments: &TokenStream,
    item: &TokenStream,
) -> Option<TokenStream> {
    let parser = |input: ParseStream<'_>| Ok((Attribute::parse_outer(input)?, input.parse::<TokenStream>()?));
    let (attributes, rest) = parser.parse2(item.clone()).ok()?;
    let (cfgs, others): (Vec<_>, Vec<_>) =
        attributes.into_iter().partition(|attribute| attribute.path().is_ident("cfg"));
    let attribute_macro = Ident::new(attribute_macro, proc_macro2::Span::call_site());
    (!cfgs.is_empty()).then(|| quote!(#(#cfgs)* #[#krate::#attribute_macro(#arguments)] #(#others)* #rest))
}

/// Takes away a second use of the same macro, which would only cause further errors.
pub(crate) fn reject_repeated(
    attribute_macro: &str,
    attributes: &mut Vec<Attribute>,
    errors: &mut Errors,
    instead: &str,
) {
    attributes.retain(|attribute| {
        let repeated = attribute.path().segments.last().is_some_and(|segment| segment.ident == attribute_macro);
        if repeated {
            errors.at(attribute, format!("`#[{attribute_macro}]` is already there; {instead}"));
        }
        !repeated
    });
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
