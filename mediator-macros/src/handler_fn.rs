//! `#[event_handler]` on a function.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Field, FieldModifiers, FnArg, GenericParam, Generics, ItemFn, Pat, PatType, Path, PredicateType, ReturnType,
    Safety, Token, Type, TypeParamBound, Visibility, WherePredicate, parse_quote,
};

use crate::arguments::{Arguments, ungrouped};
use crate::errors::Errors;
use crate::event_handler::{fn_registration, last_ident, relocated, require_owned};
use crate::{inject, item};

const CONCRETE: &str = "a handler function must be concrete; name the type, or use an `Arc<dyn …>`";

pub(crate) fn on_fn(mut item: ItemFn, body: Option<Group>, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated("event_handler", &options.krate(), &mut item.attrs, errors, "remove this one");
    require_concrete(&item.sig.generics, errors);
    if let Some(event) = options.events.first() {
        errors.at(event, "on a function the event is read from the first parameter; remove it here");
    }
    if !matches!(item.sig.safety, Safety::Default) {
        errors.at(&item.sig.safety, "a handler is called by safe code; make the function safe");
    }
    reject_future(&item, errors);
    let handler = event_of_fn(&item, errors).map(|event| {
        let fields = handler_fields(&mut item, errors);
        expand_fn_handler(&item, &event, fields, options, errors)
    });
    // What is injected comes by value, whatever the function does with it; clippy knows that of async ones.
    let by_value = item.sig.asyncness.is_none() && item.sig.inputs.len() > 1;
    let by_value = by_value.then(|| quote!(#[allow(clippy::needless_pass_by_value)]));
    let item = item::put_back(body, &item);
    quote! {
        #by_value
        #item

        #handler
    }
}

fn require_concrete(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => "the event is borrowed for this call only; remove the lifetime",
            _ => CONCRETE,
        };
        errors.at(parameter, message);
    }
}

/// `fn handler(…) -> impl Future<…>`
fn reject_future(item: &ItemFn, errors: &mut Errors) {
    if let ReturnType::Type(_, ty) = &item.sig.output
        && let Type::ImplTrait(output) = ungrouped(ty)
        && output.bounds.iter().any(is_future)
    {
        errors.at(ty, "a handler does not return a future; write `async fn`, and what the future resolves to");
    }
}

fn is_future(bound: &TypeParamBound) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if bound.path.segments.last().is_some_and(|last| last.ident == "Future"))
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
        errors.at(&reference.elem, CONCRETE);
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

/// The parameters behind the event, as fields of the handler.
fn handler_fields(item: &mut ItemFn, errors: &mut Errors) -> Vec<Field> {
    let parameters = item.sig.inputs.iter_mut().skip(1).enumerate();
    parameters
        .filter_map(|(index, input)| match input {
            FnArg::Typed(parameter) => handler_field(index, parameter, errors),
            FnArg::Receiver(_) => None,
        })
        .collect()
}

/// Takes from the parameter the attributes that say how to fill the field.
fn handler_field(index: usize, parameter: &mut PatType, errors: &mut Errors) -> Option<Field> {
    let attributes = inject::take_attributes(&mut parameter.attrs);
    let mut ty = (*parameter.ty).clone();
    if let Some(cfg) = parameter.attrs.iter().find(|attribute| attribute.path().is_ident("cfg")) {
        errors.at(cfg, "a handler has the same parameters always; put the `cfg` on the function");
        return None;
    }
    if matches!(ty, Type::ImplTrait(_)) {
        errors.at(&ty, CONCRETE);
        return None;
    }
    let name = match &*parameter.pat {
        Pat::Ident(pattern) => pattern.ident.clone(),
        _ => format_ident!("parameter_{index}"),
    };
    require_owned(&mut ty, errors).then(|| Field {
        attrs: attributes,
        vis: Visibility::Inherited,
        modifiers: FieldModifiers::default(),
        ident: Some(name),
        colon_token: None,
        ty,
        default: None,
    })
}

/// The type that stands for the function, out of sight of the user's code.
const HIDDEN: &str = "__MediatorHandlerFn";

/// What the runtime needs to know of the function, in a scope of its own, so that the user's names stay the user's.
///
/// If the function is not sound, the calls do nothing, and nothing is registered.
fn expand_fn_handler(
    item: &ItemFn,
    event: &Type,
    mut fields: Vec<Field>,
    options: &Arguments,
    errors: &mut Errors,
) -> TokenStream {
    let sound = errors.is_empty();
    let krate = options.krate();
    let ident = &item.sig.ident;
    let hidden = Ident::new(HIDDEN, Span::mixed_site().located_at(ident.span()));
    let future = if sound { expand_call(item, &fields) } else { quote!(async {}) };
    let doubtful: Vec<Type> =
        fields.iter().filter(|field| !is_surely_service(&field.ty)).map(|field| field.ty.clone()).collect();
    let services = require_services(&doubtful, &krate);
    let (derive, inject) =
        inject::on_handler(&hidden, &services, &item.attrs, fields.iter_mut().collect(), options, errors);
    // Where a parameter that cannot be injected shows: at its type, unless it might be one of several.
    let handler = if let [ty] = &*doubtful { relocated(&hidden, ty) } else { quote!(#hidden) };
    let registration = sound.then(|| fn_registration(event, &handler, ident, options));
    let handler_future = quote!(impl #krate::HandlerFuture);
    let handler_future = match &item.sig.output {
        ReturnType::Default => relocated(&handler_future, ident),
        ReturnType::Type(_, ty) => relocated(&handler_future, ty),
    };
    let where_clause = &services.where_clause;
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            #(#derive)*
            struct #hidden { #(#fields),* }

            #inject

            #[automatically_derived]
            impl #krate::__private::FnHandler<#event> for #hidden #where_clause {
                type Receiver = Self;

                fn call<'a>(receiver: &'a Self, event: &'a #event, _: #krate::__private::Lent<'a>) -> #handler_future {
                    #future
                }
            }

            #registration
        };
    }
}

/// A where clause that takes for granted what the parameters must be, each at its place.
///
/// Under a `for` rustc takes it so even if it is plainly false, and finds that out once, at the registration, instead of in
/// each line that needs it. It takes time, though, so what is hardly ever wrong goes without.
fn require_services(types: &[Type], krate: &Path) -> Generics {
    let mut generics = Generics::default();
    for ty in types {
        let service = relocated(&quote!(#krate::Service), ty);
        generics.make_where_clause().predicates.push(WherePredicate::Type(PredicateType {
            attrs: Vec::new(),
            lifetimes: Some(parse_quote!(for<'any>)),
            bounded_ty: ty.clone(),
            colon_token: <Token![:]>::default(),
            bounds: parse_quote!(#service),
        }));
    }
    generics
}

fn is_surely_service(ty: &Type) -> bool {
    let name = last_ident(ty).map(ToString::to_string);
    name.is_some_and(|name| ["Arc", "Publisher"].contains(&name.as_str()))
}

fn expand_call(item: &ItemFn, fields: &[Field]) -> TokenStream {
    let ident = &item.sig.ident;
    let arguments = fields.iter().map(|Field { ident: name, ty, .. }| {
        quote_spanned!(Span::mixed_site()=> <#ty as ::core::clone::Clone>::clone(&receiver.#name))
    });
    // Parameters of ours are out of sight of a function that is called `event`.
    let call = quote_spanned!(Span::mixed_site()=> #ident(event, #(#arguments),*));
    if item.sig.asyncness.is_some() { call } else { quote!(async move { #call }) }
}
