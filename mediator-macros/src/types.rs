//! What the macros read off a type that the user wrote, and how they show it again.

use std::iter;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    ConstParam, GenericArgument, GenericParam, Generics, Path, PathArguments, Type, TypeParamBound, TypeReference,
    parse_quote,
};

use crate::arguments::ungrouped;
use crate::errors::Errors;
use crate::kind::Kind;

/// The `Handler` of `path::Handler<T>`
pub(crate) fn last_ident(ty: &Type) -> Option<&Ident> {
    match ungrouped(ty) {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

/// The `T` of `Name<T>`, whatever the path to `Name`.
pub(crate) fn argument_of<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    match ungrouped(ty) {
        Type::Path(path) if last_ident(ty)? == name => first_argument(&path.path),
        _ => None,
    }
}

/// The `E` of `EventHandler<E>`
pub(crate) fn first_argument(path: &Path) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(event) => Some(event),
        _ => None,
    })
}

/// What a generic type is given in an impl of its own: its parameters, constants in braces, as a type may have the same name.
pub(crate) fn arguments_of(generics: &Generics) -> Option<TokenStream> {
    let arguments = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(parameter) => parameter.lifetime.to_token_stream(),
        GenericParam::Type(parameter) => parameter.ident.to_token_stream(),
        GenericParam::Const(ConstParam { ident, .. }) => quote!({ #ident }),
    });
    (arguments.len() > 0).then(|| quote!(<#(#arguments),*>))
}

/// Whether it is `dyn DynNotification`, the event of an observer.
pub(crate) fn is_any_event(ty: &Type) -> bool {
    has_trait(ty, "DynNotification")
}

/// The traits of `dyn Trait + Trait`; none of another type.
pub(crate) fn traits_of(ty: &Type) -> impl Iterator<Item = &Path> {
    let bounds = match ungrouped(ty) {
        Type::TraitObject(object) => Some(&object.bounds),
        _ => None,
    };
    bounds.into_iter().flatten().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => Some(&bound.path),
        _ => None,
    })
}

/// Whether it is `dyn Trait` with this trait among them, whatever the path to it.
pub(crate) fn has_trait(ty: &Type, name: &str) -> bool {
    traits_of(ty).any(|path| path.segments.last().is_some_and(|last| last.ident == name))
}

/// `dyn Trait + Send + Sync`
pub(crate) fn is_shared(ty: &Type) -> bool {
    has_trait(ty, "Send") && has_trait(ty, "Sync")
}

/// As an event there is one trait only, and as a request none.
pub(crate) fn reject_other_traits(message: &Type, kind: Kind, errors: &mut Errors) {
    let is_trait = traits_of(message).next().is_some();
    match kind {
        Kind::Event if is_trait && !is_any_event(message) => errors.at(message, ANY_EVENT),
        Kind::Request if is_trait => errors.at(message, NO_TRAIT),
        _ => {}
    }
}

pub(crate) const OWNED_ANSWER: &str = "an answer is owned by who asked; use `String` for `&str`, or `&'static`";

const NO_TRAIT: &str = "a handler answers requests of one type; write that type";

pub(crate) const ANY_EVENT: &str = "an observer handles a `dyn DynNotification`; write that, or the type of one event";

/// The reference, unless it is `'static`. A lifetime of another name is an error, about which somebody else complains.
pub(crate) fn as_borrow(ty: &Type) -> Option<&TypeReference> {
    match ungrouped(ty) {
        Type::Reference(reference) if !is_static(reference) => Some(reference),
        _ => None,
    }
}

fn is_static(reference: &TypeReference) -> bool {
    reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static")
}

/// Handlers outlive every borrow except a `'static` one.
pub(crate) fn require_owned(ty: &mut Type, message: &str, errors: &mut Errors) {
    // What a macro is given is not a type yet.
    if matches!(ungrouped(ty), Type::Macro(_)) || !hides_borrow(ty.to_token_stream()) {
        return;
    }
    errors.at(ty, message);
    // Otherwise rustc would ask for a lifetime, and find that a `&mut` is no service.
    *ty = syn::parse2(outliving(ty.to_token_stream())).unwrap_or_else(|_| ty.clone());
    if let Type::Reference(reference) = ty {
        reference.mutability = None;
    }
}

/// Whether a lifetime is left out, which only a parameter of a function may do: `Vec<&str>`, `Cow<'_, str>`.
///
/// In `dyn Fn(&str)` it may be left out anywhere.
pub(crate) fn hides_borrow(ty: TokenStream) -> bool {
    for (token, lacks_lifetime) in borrows(ty) {
        match token {
            TokenTree::Ident(ident) if ident == "fn" || ident.to_string().contains("Fn") => return false,
            TokenTree::Group(group) if hides_borrow(group.stream()) => return true,
            _ if lacks_lifetime => return true,
            _ => {}
        }
    }
    false
}

/// The type with `'static` wherever a lifetime is left out.
fn outliving(ty: TokenStream) -> TokenStream {
    let with_lifetime = |(token, lacks_lifetime)| match token {
        TokenTree::Punct(punct) if lacks_lifetime => quote!(#punct 'static),
        TokenTree::Ident(ident) if lacks_lifetime => Ident::new("static", ident.span()).into_token_stream(),
        TokenTree::Group(group) => Group::new(group.delimiter(), outliving(group.stream())).into_token_stream(),
        token => token.into_token_stream(),
    };
    borrows(ty).map(with_lifetime).collect()
}

/// The tokens, each with whether it is a `&` without a lifetime, or the `_` of one.
fn borrows(ty: TokenStream) -> impl Iterator<Item = (TokenTree, bool)> {
    let mut tokens = ty.into_iter().peekable();
    iter::from_fn(move || {
        let token = tokens.next()?;
        let lacks_lifetime = match &token {
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                !matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'')
            }
            TokenTree::Ident(ident) => ident == "_",
            _ => false,
        };
        Some((token, lacks_lifetime))
    })
}

/// A field has one type, however it is injected.
pub(crate) fn require_named(ty: &mut Type, errors: &mut Errors) {
    if !mentions(ty, "impl") {
        return;
    }
    errors.at(ty, "the type of a field must be concrete; name it, or use an `Arc<dyn …>`");
    // What rustc has nothing to add to.
    *ty = syn::parse2(replace(ty.to_token_stream(), "impl", &quote!(dyn))).unwrap_or_else(|_| ty.clone());
    if matches!(ungrouped(ty), Type::TraitObject(_)) {
        *ty = parse_quote!(::std::sync::Arc<#ty + ::core::marker::Send + ::core::marker::Sync>);
    }
}

fn replace(tokens: TokenStream, word: &str, by: &TokenStream) -> TokenStream {
    let replace_in = |token| match token {
        TokenTree::Ident(ident) if ident == word => by.clone(),
        TokenTree::Group(group) => {
            TokenTree::from(Group::new(group.delimiter(), replace(group.stream(), word, by))).into()
        }
        token => token.into(),
    };
    tokens.into_iter().map(replace_in).collect::<Vec<TokenStream>>().into_iter().collect()
}

/// Whether a word is somewhere in the tokens, a lifetime without its tick.
pub(crate) fn mentions(tokens: &impl ToTokens, word: &str) -> bool {
    tokens.to_token_stream().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => mentions(&group.stream(), word),
        _ => false,
    })
}

/// The type where `Self` has another meaning, or none: with the type that it stands for.
pub(crate) fn without_self(ty: &Type, self_ty: &Type) -> Type {
    if !mentions(ty, "Self") {
        return ty.clone();
    }
    syn::parse2(replace_self(ty.to_token_stream(), self_ty)).unwrap_or_else(|_| ty.clone())
}

/// The same of any tokens.
pub(crate) fn replace_self(tokens: TokenStream, self_ty: &Type) -> TokenStream {
    let mut replaced = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => match tokens.peek() {
                // `Self::Item`, in which a type needs brackets.
                Some(TokenTree::Punct(next)) if next.as_char() == ':' => replaced.extend(quote!(<#self_ty>)),
                _ => self_ty.to_tokens(&mut replaced),
            },
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace_self(group.stream(), self_ty));
                inner.set_span(group.span());
                replaced.extend([TokenTree::from(inner)]);
            }
            token => replaced.extend([token]),
        }
    }
    replaced
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
