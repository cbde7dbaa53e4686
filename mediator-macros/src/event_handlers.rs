//! `#[event_handlers]` and `#[request_handlers]`

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, FnArg, Generics, ImplItem, ImplItemFn, Item, ItemImpl, Meta, Path, Receiver, ReceiverKind, Type,
    parse_quote,
};

use crate::arguments::{Arguments, Positional, ungrouped};
use crate::errors::Errors;
use crate::event_handler::reject_async_trait;
use crate::handler_fn::FnHandler;
use crate::kind::Kind;
use crate::registration::plain_name;
use crate::signature::HandlerSignature;
use crate::types::last_ident;
use crate::{inject, item};

// #[event_handlers(crate = path)] above
//
// impl Type { method* }
//
// method: #[event_handler(Event? option,*)]?
//         async? fn name(&self, event: &Event, parameter: &Type,*) -> Output { … }
//
// #[request_handlers(crate = path)] is the same with `#[request_handler(…)]`
pub(crate) fn expand(kind: Kind, arguments: &TokenStream, item: TokenStream) -> TokenStream {
    item::expand_attribute(
        kind.block_attribute(),
        &["crate"],
        Positional::Nothing,
        arguments,
        item,
        |item, body, options, errors| {
            let options = options.of_kind(kind);
            match (item, body) {
                (Item::Impl(item), Some(body)) => on_impl(item, body, &options, errors),
                (other, body) => on_other(&other, body, kind, errors),
            }
        },
    )
}

fn on_other(item: &Item, body: Option<Group>, kind: Kind, errors: &mut Errors) -> TokenStream {
    let message = format!(
        "`#[{}]` needs an impl block, whose methods are handlers; on a function or a struct, write `#[{}]`",
        kind.block_attribute(),
        kind.attribute()
    );
    errors.at(&item::name_of(item), message);
    item::put_back(body, item)
}

fn on_impl(mut item: ItemImpl, body: Group, options: &Arguments, errors: &mut Errors) -> TokenStream {
    let kind = options.kind;
    item::reject_repeated(kind.block_attribute(), &options.krate(), &mut item.attrs, errors, "remove this one");
    require_concrete(&item.generics, errors);
    reject_async_trait(&mut item.attrs, "methods may be `async fn` without it; remove `#[async_trait]`", errors);
    let Some(mut members) = errors.ok(Members::parse(&body)) else {
        return item::put_back(Some(body), &item);
    };
    let handlers = match &item.trait_ {
        Some((path, _)) => {
            let message = format!(
                "`#[{}]` needs an impl of the type itself; on `impl {}<…> for …`, write `#[{}]`",
                kind.block_attribute(),
                kind.trait_name(),
                kind.attribute()
            );
            errors.at(path, message);
            members.take_attributes(kind);
            TokenStream::new()
        }
        None => expand_handlers(&item, &mut members, options, errors),
    };
    let item = item::put_back(Some(members.put_back(&body)), &item);
    quote! {
        #item

        #handlers
    }
}

fn require_concrete(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = "the type of registered methods must be concrete; name what it is, as in `impl Cache<Postgres>`";
        errors.at(parameter, message);
    }
}

fn expand_handlers(item: &ItemImpl, members: &mut Members, options: &Arguments, errors: &mut Errors) -> TokenStream {
    for call in members.macro_calls() {
        errors.at(call, "the methods of a macro are not seen here; write them out, or call it in another impl block");
    }
    let block = Block {
        self_ty: &item.self_ty,
        lints: item::lint_attributes(&item.attrs),
        options,
        is_sound: errors.is_empty(),
    };
    members.methods().enumerate().map(|(position, method)| block.expand_method(position, method)).collect()
}

/// The block, as far as its handlers depend on it.
struct Block<'a> {
    self_ty: &'a Type,
    lints: Vec<Attribute>,
    options: &'a Arguments,
    is_sound: bool,
}

impl Block<'_> {
    /// The handler, or what is wrong with it; under the conditions of the method.
    fn expand_method(&self, position: usize, method: &mut ImplItemFn) -> TokenStream {
        let mut errors = Errors::default();
        let options = take_options(&mut method.attrs, self.self_ty, self.options, &mut errors);
        let is_here = reject_misplaced(&mut method.attrs, options.kind, &mut errors);
        let is_called_on_self = is_here && require_receiver(method, options.kind, &mut errors);
        let signature = is_called_on_self
            .then(|| HandlerSignature::parse(&mut method.sig, Some(self.self_ty), &options, &mut errors))
            .flatten();
        inject::take_all_attributes(&mut method.sig);
        let cfgs: Vec<_> = method.attrs.iter().filter(|it| it.path().is_ident("cfg")).cloned().collect();
        let handler = signature.map(|signature| {
            let own_lints = item::lint_attributes(&method.attrs);
            let attributes: Vec<_> = cfgs.iter().chain(&self.lints).chain(&own_lints).cloned().collect();
            method.attrs.splice(..0, signature.allow_parameters().into_iter().chain([allow_unused()]));
            self.expand_handler(position, &signature, &options, &attributes, &mut errors)
        });
        let handler = if self.is_sound { handler } else { None };
        let errors = errors.into_compile_errors_if(&cfgs);
        quote!(#handler #errors)
    }

    fn expand_handler(
        &self,
        position: usize,
        signature: &HandlerSignature,
        options: &Arguments,
        attributes: &[Attribute],
        errors: &mut Errors,
    ) -> TokenStream {
        let Self { self_ty, .. } = self;
        let ident = &signature.ident;
        let function = quote!(<#self_ty>::#ident);
        let names = last_ident(self_ty).into_iter().chain([ident]).map(plain_name);
        let name = names.collect::<Vec<_>>().join("::");
        FnHandler { function: &function, self_ty: Some(self_ty), name, position, signature, options }
            .expand(attributes, errors)
    }
}

/// Quiets clippy, which asks why a method that needs neither takes `self`, or is `async`.
fn allow_unused() -> Attribute {
    parse_quote!(#[allow(clippy::unused_async, clippy::unused_self)])
}

/// What stands in the `#[event_handler(…)]`, or `#[request_handler(…)]`, of a method, which goes.
fn take_options(attributes: &mut Vec<Attribute>, self_ty: &Type, block: &Arguments, errors: &mut Errors) -> Arguments {
    let kind = block.kind;
    let (ours, others) =
        std::mem::take(attributes).into_iter().partition::<Vec<_>, _>(|attribute| is_ours(attribute, kind));
    *attributes = others;
    for repeated in ours.iter().skip(1) {
        errors.at(repeated, format!("`#[{}]` is already there; remove this one", kind.attribute()));
    }
    let arguments = match ours.first().map(|first| &first.meta) {
        Some(Meta::List(list)) => list.tokens.clone(),
        Some(Meta::NameValue(meta)) => {
            let option = if kind == Kind::Event { "order = -10" } else { "manual" };
            errors.at(meta, format!("write the options in parentheses, as in `#[{}({option})]`", kind.attribute()));
            TokenStream::new()
        }
        Some(Meta::Path(_)) | None => TokenStream::new(),
    };
    let (_, keys) = kind.options().split_last().expect("there are options");
    let options = Arguments::parse(arguments, keys, Positional::Handled(kind), errors);
    options.with_runtime_of(block).without_self(self_ty)
}

/// Takes what makes the method a handler of the other kind, or its options under a condition; whether it belongs into the block.
fn reject_misplaced(attributes: &mut Vec<Attribute>, kind: Kind, errors: &mut Errors) -> bool {
    let before = attributes.len();
    attributes.retain(|attribute| {
        let message = if is_ours(attribute, kind.other()) {
            let (block, other) = (kind.block_attribute(), kind.other().block_attribute());
            format!(
                "in a block with `#[{block}]` all methods handle {}s; move this one to a block with `#[{other}]`",
                kind.noun()
            )
        } else if holds_ours(attribute, kind) {
            let name = kind.attribute();
            format!("a method has the same options always; write `#[{name}(…)]` without a condition, or two methods")
        } else {
            return true;
        };
        errors.at(attribute, message);
        false
    });
    attributes.len() == before
}

/// By whatever path: nobody else's macro of this name stands in such a block.
fn is_ours(attribute: &Attribute, kind: Kind) -> bool {
    is_named(attribute.path(), kind)
}

/// `#[cfg_attr(condition, event_handler(…))]`
fn holds_ours(attribute: &Attribute, kind: Kind) -> bool {
    let (condition, metas) = item::split_condition(attribute);
    condition.is_some() && metas.iter().any(|meta| is_named(meta.path(), kind))
}

fn is_named(path: &Path, kind: Kind) -> bool {
    path.segments.last().is_some_and(|last| last.ident == kind.attribute())
}

/// All calls share the handler, so it is called on a `&self`.
fn require_receiver(method: &ImplItemFn, kind: Kind, errors: &mut Errors) -> bool {
    match method.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) if is_shared(receiver) => return true,
        Some(FnArg::Receiver(receiver)) => {
            let message = match kind {
                Kind::Event => "all publishes share the handler; write `&self`, and a `Mutex` for what changes",
                Kind::Request => "all sends share the handler; write `&self`, and a `Mutex` for what changes",
            };
            errors.at(receiver, message);
        }
        _ => {
            let message = "each function of the block is a handler, and is called on `&self`; \
                           add it, or move the function to another impl block";
            errors.at(&method.sig.ident, message);
        }
    }
    false
}

/// `&self`, or `self: &Self`
fn is_shared(receiver: &Receiver) -> bool {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, mutability) => mutability.is_none(),
        ReceiverKind::Typed(_, ty) => is_reference_to_self(ty),
        _ => false,
    }
}

fn is_reference_to_self(ty: &Type) -> bool {
    match ungrouped(ty) {
        Type::Reference(reference) => {
            reference.mutability.is_none() && last_ident(&reference.elem).is_some_and(|name| name == "Self")
        }
        _ => false,
    }
}

/// The members of an impl block, without the bodies of its functions, which may be half-written.
struct Members {
    items: Vec<ImplItem>,
    bodies: Vec<Group>,
}

impl Members {
    fn parse(block: &Group) -> syn::Result<Self> {
        let (emptied, bodies) = take_bodies(block.stream());
        let parser = |input: ParseStream<'_>| {
            let mut items = Vec::new();
            while !input.is_empty() {
                items.push(input.parse()?);
            }
            Ok(items)
        };
        Ok(Self { items: parser.parse2(emptied)?, bodies })
    }

    fn methods(&mut self) -> impl Iterator<Item = &mut ImplItemFn> {
        self.items.iter_mut().filter_map(|member| match member {
            ImplItem::Fn(method) => Some(method),
            _ => None,
        })
    }

    fn macro_calls(&self) -> impl Iterator<Item = &Path> {
        self.items.iter().filter_map(|member| match member {
            ImplItem::Macro(call) => Some(&call.mac.path),
            _ => None,
        })
    }

    /// Takes what would be further errors in a block without handlers.
    fn take_attributes(&mut self, kind: Kind) {
        self.methods().for_each(|method| method.attrs.retain(|attribute| !is_ours(attribute, kind)));
    }

    /// The block with the bodies where they were.
    fn put_back(self, block: &Group) -> Group {
        let mut bodies = self.bodies.into_iter();
        let members = self.items.iter().map(|item| match item {
            ImplItem::Fn(method) => item::put_back(bodies.next(), method),
            other => other.to_token_stream(),
        });
        let mut block_again = Group::new(Delimiter::Brace, members.collect());
        block_again.set_span(block.span());
        block_again
    }
}

/// Empties the bodies of the functions in an impl block.
fn take_bodies(block: TokenStream) -> (TokenStream, Vec<Group>) {
    let mut bodies = Vec::new();
    let mut tokens: Vec<TokenTree> = block.into_iter().collect();
    let mut is_in_fn = false;
    for index in 0..tokens.len() {
        let is_body = is_in_fn && is_body(&tokens, index);
        match &mut tokens[index] {
            TokenTree::Ident(word) if *word == "fn" => is_in_fn = true,
            TokenTree::Group(group) if is_body => {
                let mut emptied = Group::new(Delimiter::Brace, TokenStream::new());
                emptied.set_span(group.span());
                bodies.push(std::mem::replace(group, emptied));
                is_in_fn = false;
            }
            _ => {}
        }
    }
    (tokens.into_iter().collect(), bodies)
}

/// Whether braces are the body of a function, and not an argument of a type in its signature, as in `Grid<{ 3 }>`.
fn is_body(tokens: &[TokenTree], index: usize) -> bool {
    let is_argument = |before: &TokenTree| matches!(before, TokenTree::Punct(punct) if "<,".contains(punct.as_char()));
    let in_braces = matches!(&tokens[index], TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    in_braces && !index.checked_sub(1).is_some_and(|before| is_argument(&tokens[before]))
}
