//! `#[event_handler]`

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, GenericArgument, GenericParam, Generics, Item, ItemFn, ItemImpl, ItemStruct, Meta, Pat, PatType,
    Path, PathArguments, ReturnType, Safety, Type, parse_quote,
};

use crate::arguments::{Arguments, display_name, ungrouped};
use crate::errors::Errors;
use crate::item;

const CONCRETE_FN: &str = "a handler function must be concrete; name the type, or use an `Arc<dyn …>`";
const KEYS: &[&str] = &["order", "after", "before", "name", "crate"];

// #[event_handler(Event,* option,*)], above
//
// struct Handler { fields }                                       one event or more
// impl EventHandler<Event> for Handler { … }                      no event
// async? fn handler(event: &Event, name: Type,*) -> Output { … }  no event
//
// option: order = integer | after = handlers | before = handlers | name = "…" | crate = path
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Arguments::parse(arguments.clone(), KEYS, true, &mut errors);
    if let Some(conditional) = item::with_cfg_first(&options.krate(), "event_handler", arguments, &item) {
        return conditional;
    }
    let expanded = match errors.ok(syn::parse2(item.clone())) {
        Some(Item::Struct(item)) => on_struct(item, &options, &mut errors),
        Some(Item::Impl(item)) => on_impl(item, &options, &mut errors),
        Some(Item::Fn(item)) => on_fn(item, &options, &mut errors),
        Some(other) => on_other(&other, &mut errors),
        None => item,
    };
    let errors = errors.into_compile_errors();
    quote!(#expanded #errors)
}

fn on_other(item: &Item, errors: &mut Errors) -> TokenStream {
    let message = "`#[event_handler]` needs a struct, an `impl EventHandler<OrderPlaced> for …` block or a function";
    errors.at(&item::name_of(item), message);
    item.to_token_stream()
}

fn on_struct(mut item: ItemStruct, options: &Arguments, errors: &mut Errors) -> TokenStream {
    let instead = "name all events in one, as in `#[event_handler(OrderPlaced, OrderShipped)]`";
    item::reject_repeated("event_handler", &mut item.attrs, errors, instead);
    require_concrete(&item.generics, errors);
    if options.events.is_empty() && errors.is_empty() {
        errors.at(&item.ident, "which events does it handle? name them, as in `#[event_handler(OrderPlaced)]`");
    }
    for field in &mut item.fields {
        require_owned(&mut field.ty, errors);
    }
    item.attrs.extend(options.derive_inject());
    let registrations = options.events.iter().map(|event| {
        // At the event, which is where it is missing if there is no `impl EventHandler` for it.
        let handler = relocated(&item.ident, event.span());
        registration(event, &handler, &item.ident, options)
    });
    let registrations = if errors.is_empty() { registrations.collect() } else { TokenStream::new() };
    quote! {
        #item

        #registrations
    }
}

fn on_impl(mut item: ItemImpl, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated("event_handler", &mut item.attrs, errors, "remove this one");
    require_concrete(&item.generics, errors);
    if let Some(event) = options.events.first() {
        errors.at(event, "on an impl block the event is read from the trait; remove it here");
    }
    let event = item.trait_.as_ref().and_then(|(path, _)| event_of_trait(path));
    let registration = match (event, handler_ident(&item.self_ty)) {
        (Some(event), Some(ident)) => registration(event, &item.self_ty, ident, options),
        _ => {
            errors.at(&item.self_ty, "`#[event_handler]` needs `impl EventHandler<SomeEvent> for SomeType`");
            TokenStream::new()
        }
    };
    let registration = errors.is_empty().then_some(registration);
    quote! {
        #item

        #registration
    }
}

/// The `E` of `EventHandler<E>`
fn event_of_trait(path: &Path) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(event) => Some(event),
        _ => None,
    })
}

fn handler_ident(ty: &Type) -> Option<&Ident> {
    match ungrouped(ty) {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

fn on_fn(mut item: ItemFn, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated("event_handler", &mut item.attrs, errors, "remove this one");
    require_concrete_fn(&item.sig.generics, errors);
    if let Some(event) = options.events.first() {
        errors.at(event, "on a function the event is read from the first parameter; remove it here");
    }
    if !matches!(item.sig.safety, Safety::Default) {
        errors.at(&item.sig.safety, "a handler is called by safe code; make the function safe");
    }
    let handler = event_of_fn(&item, errors).map(|event| {
        let fields = handler_fields(&mut item, errors);
        expand_fn_handler(&item, &event, &fields, options, errors.is_empty())
    });
    // What is injected comes by value, whatever the function does with it; clippy knows that of async ones.
    let by_value = item.sig.asyncness.is_none() && item.sig.inputs.len() > 1;
    let by_value = by_value.then(|| quote!(#[allow(clippy::needless_pass_by_value)]));
    quote! {
        #by_value
        #item

        #handler
    }
}

/// The `OrderPlaced` of `event: &OrderPlaced`
fn event_of_fn(item: &ItemFn, errors: &mut Errors) -> Option<Type> {
    let first = match item.sig.inputs.first() {
        Some(FnArg::Typed(first)) => first,
        Some(FnArg::Receiver(receiver)) => {
            let message = "a handler function has no `self`; put `#[event_handler]` on an `impl EventHandler<…>` block";
            errors.at(receiver, message);
            return None;
        }
        None => {
            let parentheses = item.sig.paren_token.span.join();
            let message = "the first parameter must be the event, as in `event: &OrderPlaced`";
            errors.push(syn::Error::new(parentheses, message));
            return None;
        }
    };
    let Type::Reference(reference) = ungrouped(&first.ty) else {
        errors.at(&first.ty, "a handler borrows its event; write `&` before the type");
        return Some((*first.ty).clone());
    };
    if let Type::ImplTrait(_) = &*reference.elem {
        errors.at(&reference.elem, CONCRETE_FN);
        return None;
    }
    if reference.mutability.is_some() {
        errors.at(&first.ty, "all handlers share the event; remove `mut`");
    }
    if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static") {
        errors.at(lifetime, "the event is borrowed for this call only; remove the lifetime");
    }
    Some((*reference.elem).clone())
}

/// A parameter behind the event, as a field of the handler.
struct HandlerField {
    /// What says how to fill the field.
    attributes: Vec<Attribute>,
    name: Ident,
    ty: Type,
}

fn handler_fields(item: &mut ItemFn, errors: &mut Errors) -> Vec<HandlerField> {
    let parameters = item.sig.inputs.iter_mut().skip(1).enumerate();
    parameters
        .filter_map(|(index, input)| match input {
            FnArg::Typed(parameter) => HandlerField::of(index, parameter, errors),
            FnArg::Receiver(_) => None,
        })
        .collect()
}

impl HandlerField {
    /// Takes from the parameter the attributes that rustc would not know there.
    fn of(index: usize, parameter: &mut PatType, errors: &mut Errors) -> Option<Self> {
        let (attributes, others) = std::mem::take(&mut parameter.attrs).into_iter().partition(injects);
        parameter.attrs = others;
        let mut ty = (*parameter.ty).clone();
        if let Some(cfg) = parameter.attrs.iter().find(|attribute| attribute.path().is_ident("cfg")) {
            errors.at(cfg, "a handler has the same parameters always; put the `cfg` on the function");
            return None;
        }
        if matches!(ty, Type::ImplTrait(_)) {
            errors.at(&ty, CONCRETE_FN);
            return None;
        }
        let name = match &*parameter.pat {
            Pat::Ident(pattern) => pattern.ident.clone(),
            _ => format_ident!("parameter_{index}"),
        };
        require_owned(&mut ty, errors).then_some(Self { attributes, name, ty })
    }
}

/// `#[inject(…)]` or `#[cfg_attr(…, inject(…))]`
fn injects(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            list.tokens.clone().into_iter().any(|token| token.to_string() == "inject")
        }
        meta => meta.path().is_ident("inject"),
    }
}

/// The type that stands for the function: a struct with braces, which leaves the name to it.
///
/// If the function is not `sound`, the type can still be named, but does nothing.
fn expand_fn_handler(
    item: &ItemFn,
    event: &Type,
    fields: &[HandlerField],
    options: &Arguments,
    sound: bool,
) -> TokenStream {
    let (vis, ident) = (&item.vis, &item.sig.ident);
    let krate = options.krate();
    let inject = options.derive_inject();
    let declarations = fields.iter().map(|HandlerField { attributes, name, ty }| quote!(#(#attributes)* #name: #ty));
    let future = if sound { expand_call(item, fields) } else { quote!(async {}) };
    let registration = sound.then(|| registration(event, ident, ident, options));
    // Where a trait that is missing shows.
    let event_handler = relocated(&quote!(#krate::EventHandler), event.span());
    let handler_future = match &item.sig.output {
        ReturnType::Default => quote!(impl #krate::HandlerFuture),
        ReturnType::Type(_, ty) => relocated(&quote!(impl #krate::HandlerFuture), ty.span()),
    };
    quote_spanned! {Span::mixed_site()=>
        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #(#inject)*
        #vis struct #ident { #(#declarations),* }

        #[automatically_derived]
        impl #event_handler<#event> for #ident {
            fn handle(&self, event: &#event) -> #handler_future {
                #future
            }
        }

        #registration
    }
}

fn expand_call(item: &ItemFn, fields: &[HandlerField]) -> TokenStream {
    let ident = &item.sig.ident;
    let arguments = fields.iter().map(|HandlerField { name, ty, .. }| {
        quote_spanned!(Span::mixed_site()=> <#ty as ::core::clone::Clone>::clone(&self.#name))
    });
    // Parameters of ours are out of sight of a function that is called `event`.
    let call = quote_spanned!(Span::mixed_site()=> #ident(event, #(#arguments),*));
    if item.sig.asyncness.is_some() { call } else { quote!(async move { #call }) }
}

fn require_concrete(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => {
                "a handler lives as long as its mediator; remove the lifetime, and hold what it borrows in an `Arc`"
            }
            _ => {
                "a registered handler must be concrete; \
                 bind this one by hand, as in `.bind::<OrderPlaced, Handler<Postgres>>()`"
            }
        };
        errors.at(parameter, message);
    }
}

fn require_concrete_fn(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => "the event is borrowed for this call only; remove the lifetime",
            _ => CONCRETE_FN,
        };
        errors.at(parameter, message);
    }
}

/// Handlers outlive every borrow but a `'static` one. Whether `ty` was owned.
fn require_owned(ty: &mut Type, errors: &mut Errors) -> bool {
    if let Type::Reference(reference) = ty
        && reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident == "_")
    {
        errors.at(reference, "a handler owns what it is injected with; use an `Arc`");
        // Otherwise rustc would ask for a lifetime.
        reference.lifetime = Some(parse_quote!('static));
        return false;
    }
    true
}

/// The same tokens, shown at another place: rustc underlines from the first to the last.
///
/// Names between those stay, so that a runtime that is not found shows at the attribute.
fn relocated(tokens: &impl ToTokens, place: Span) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.to_token_stream().into_iter().collect();
    let last = tokens.len().saturating_sub(1);
    for (index, token) in tokens.iter_mut().enumerate() {
        if [0, last].contains(&index) || matches!(token, TokenTree::Punct(_)) {
            token.set_span(token.span().located_at(place));
        }
    }
    tokens.into_iter().collect()
}

fn registration(event: &Type, handler: &impl ToTokens, ident: &Ident, options: &Arguments) -> TokenStream {
    let krate = options.krate();
    let name = display_name(options.name.as_ref(), ident);
    let order = options.order.map(|order| quote!(.order_by(#order)));
    let after = references(&quote!(after), &options.after, &krate);
    let before = references(&quote!(before), &options.before, &krate);
    quote! {
        #krate::__private::inventory::submit! {
            #krate::Registration::new::<#event, #handler>(#name, ::core::module_path!()) #order #after #before
        }
    }
}

/// `.after(…)` with the handlers that the user names, if any.
fn references(method: &TokenStream, handlers: &[Type], krate: &Path) -> Option<TokenStream> {
    let handlers = handlers.iter().map(|handler| quote!(#krate::__private::HandlerRef::to::<#handler>()));
    (handlers.len() > 0).then(|| quote!(.#method(const { &[#(#handlers),*] })))
}
