//! `#[event_handlers]`

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, Generics, ImplItem, ImplItemFn, Item, ItemImpl, Meta, Receiver, ReceiverKind, Type};

use crate::arguments::{Arguments, Positional, ungrouped};
use crate::errors::Errors;
use crate::event_handler::METHOD_KEYS;
use crate::handler_fn::FnHandler;
use crate::item;
use crate::registration::plain_name;
use crate::signature::HandlerSignature;
use crate::types::last_ident;

// #[event_handlers(crate = path)] above
//
// impl Type { method* }
//
// method: #[event_handler(Event? option,*)]?
//         async? fn name(&self, event: &Event, parameter: &Type,*) -> Output { … }
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut options = Arguments::parse(arguments.clone(), &["crate"], Positional::Nothing, &mut errors);
    if !options.find_runtime(&mut errors) {
        return item::without_runtime(item, errors);
    }
    if let Some(conditional) = item::with_cfg_first(&options.krate(), "event_handlers", arguments, &item) {
        return conditional;
    }
    let expanded = match errors.ok(item::parse(item.clone())) {
        Some((Item::Impl(item), Some(body))) => on_impl(item, body, &options, &mut errors),
        Some((other, body)) => on_other(&other, body, &mut errors),
        None => item,
    };
    let errors = errors.into_compile_errors();
    quote!(#expanded #errors)
}

fn on_other(item: &Item, body: Option<Group>, errors: &mut Errors) -> TokenStream {
    let message = "`#[event_handlers]` needs an impl block, whose methods are handlers; \
                   on a function or a struct, write `#[event_handler]`";
    errors.at(&item::name_of(item), message);
    item::put_back(body, item)
}

fn on_impl(mut item: ItemImpl, body: Group, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated("event_handlers", &options.krate(), &mut item.attrs, errors, "remove this one");
    require_concrete(&item.generics, errors);
    if let Some((path, _)) = &item.trait_ {
        let message = "`#[event_handlers]` needs an impl of the type itself; \
                       on `impl EventHandler<…> for …`, write `#[event_handler]`";
        errors.at(path, message);
        return item::put_back(Some(body), &item);
    }
    let Some(mut members) = errors.ok(Members::parse(&body)) else {
        return item::put_back(Some(body), &item);
    };
    let attributes = item::lint_attributes(&item.attrs);
    let is_sound = errors.is_empty();
    let handlers: Vec<_> = members
        .items
        .iter_mut()
        .filter_map(|member| match member {
            ImplItem::Fn(method) => Some(on_method(method, &item.self_ty, &attributes, options, errors)),
            ImplItem::Macro(call) => {
                errors.at(
                    &call.mac.path,
                    "methods of a macro are not seen here; write them out, or in another impl block",
                );
                None
            }
            _ => None,
        })
        .collect();
    let item = item::put_back(Some(members.put_back(&body)), &item);
    let handlers = if is_sound { handlers } else { Vec::new() };
    quote! {
        #item

        #(#handlers)*
    }
}

fn require_concrete(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = "the type of registered methods must be concrete; name what it is, as in `impl Cache<Postgres>`";
        errors.at(parameter, message);
    }
}

fn on_method(
    method: &mut ImplItemFn,
    self_ty: &Type,
    attributes: &[Attribute],
    block: &Arguments,
    errors: &mut Errors,
) -> TokenStream {
    let mut own_errors = Errors::default();
    let options = take_options(&mut method.attrs, block, &mut own_errors);
    let is_called_on_self = require_receiver(method, &mut own_errors);
    let signature = is_called_on_self
        .then(|| HandlerSignature::parse(&mut method.sig, Some(self_ty), &options, &mut own_errors))
        .flatten();
    let expanded = signature.map(|signature| {
        let ident = &method.sig.ident;
        let name =
            format!("{}{}", last_ident(self_ty).map_or(String::new(), |ty| plain_name(ty) + "::"), plain_name(ident));
        let function = quote!(<#self_ty>::#ident);
        let cfgs = method.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned();
        let attributes: Vec<_> =
            cfgs.chain(attributes.iter().cloned()).chain(item::lint_attributes(&method.attrs)).collect();
        let handler =
            FnHandler { function: &function, self_ty: Some(self_ty), name, signature: &signature, options: &options };
        handler.expand(&attributes, &mut own_errors)
    });
    errors.extend(own_errors);
    expanded.unwrap_or_default()
}

/// What stands in the `#[event_handler(…)]` of a method, which goes.
fn take_options(attributes: &mut Vec<Attribute>, block: &Arguments, errors: &mut Errors) -> Arguments {
    // By whatever path: nobody else's macro of this name stands in such a block.
    let is_ours =
        |attribute: &Attribute| attribute.path().segments.last().is_some_and(|last| last.ident == "event_handler");
    let (ours, others) = std::mem::take(attributes).into_iter().partition::<Vec<_>, _>(is_ours);
    *attributes = others;
    for repeated in ours.iter().skip(1) {
        errors.at(repeated, "`#[event_handler]` is already there; remove this one");
    }
    let arguments = match ours.first().map(|first| &first.meta) {
        Some(Meta::List(list)) => list.tokens.clone(),
        Some(Meta::NameValue(meta)) => {
            errors.at(meta, "write the options in parentheses, as in `#[event_handler(order = -10)]`");
            TokenStream::new()
        }
        Some(Meta::Path(_)) | None => TokenStream::new(),
    };
    Arguments::parse(arguments, METHOD_KEYS, Positional::Events, errors).with_runtime_of(block)
}

/// All publishes share the handler, so it is called on a `&self`.
fn require_receiver(method: &ImplItemFn, errors: &mut Errors) -> bool {
    match method.sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) if is_shared(receiver) => return true,
        Some(FnArg::Receiver(receiver)) => {
            errors.at(receiver, "all publishes share the handler; write `&self`, and a `Mutex` for what changes");
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
