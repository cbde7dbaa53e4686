//! `#[event_handler]`

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{
    FnArg, GenericArgument, Generics, Item, ItemFn, ItemImpl, ItemStruct, Pat, PatType, Path, PathArguments, Type,
};

use crate::arguments::{Arguments, display_name};
use crate::errors::Errors;
use crate::inject::{self, Injected};

const KEYS: &[&str] = &["order", "after", "before", "name", "crate"];

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = Arguments::parse(arguments, KEYS, true, &mut errors);
    let original = item.clone();
    let expanded = match errors.ok(syn::parse2(item)) {
        Some(Item::Struct(item)) => on_struct(item, &arguments, &mut errors),
        Some(Item::Impl(item)) => on_impl(&item, &arguments, &mut errors),
        Some(Item::Fn(item)) => on_fn(item, &arguments, &mut errors),
        Some(item) => {
            errors.at(&item, "`#[event_handler]` needs a struct, an `impl EventHandler<…>` block or a function");
            TokenStream::new()
        }
        None => TokenStream::new(),
    };
    if errors.is_empty() {
        return expanded;
    }
    let errors = errors.into_compile_errors();
    quote!(#original #errors)
}

fn on_struct(mut item: ItemStruct, arguments: &Arguments, errors: &mut Errors) -> TokenStream {
    let krate = arguments.krate();
    require_concrete(&item.generics, errors);
    if arguments.events.is_empty() {
        errors.at(&item.ident, "which event? write `#[event_handler(OrderPlaced)]`");
    }
    let fields = Injected::fields(&item.fields, errors);
    item.fields.iter_mut().for_each(|field| inject::strip(&mut field.attrs));
    let inject = inject::expand_impl(&item.ident, &fields, &krate);
    let ident = &item.ident;
    let registrations = arguments.events.iter().map(|event| registration(event, &quote!(#ident), ident, arguments));
    quote! {
        #item
        #inject
        #(#registrations)*
    }
}

fn on_impl(item: &ItemImpl, arguments: &Arguments, errors: &mut Errors) -> TokenStream {
    require_concrete(&item.generics, errors);
    if let Some(event) = arguments.events.first() {
        errors.at(event, "on an impl block the event is read from the trait; remove it here");
    }
    let event = item.trait_.as_ref().and_then(|(path, _)| event_of_trait(path));
    let (Some(event), Some(ident)) = (event, type_ident(&item.self_ty)) else {
        errors.at(&item.self_ty, "`#[event_handler]` needs `impl EventHandler<SomeEvent> for SomeType`");
        return TokenStream::new();
    };
    let handler = &item.self_ty;
    let registration = registration(event, &quote!(#handler), ident, arguments);
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

fn type_ident(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

fn on_fn(mut item: ItemFn, arguments: &Arguments, errors: &mut Errors) -> TokenStream {
    require_concrete(&item.sig.generics, errors);
    if let Some(event) = arguments.events.first() {
        errors.at(event, "on a function the event is read from the first parameter; remove it here");
    }
    let Some((event, parameters)) = parameters(&item, errors) else {
        return TokenStream::new();
    };
    for parameter in &mut item.sig.inputs {
        if let FnArg::Typed(parameter) = parameter {
            inject::strip(&mut parameter.attrs);
        }
    }
    let krate = arguments.krate();
    let (vis, ident) = (&item.vis, &item.sig.ident);
    let fields: Vec<_> = parameters.iter().map(|(ident, parameter)| (ident, &parameter.ty)).collect();
    let declarations = fields.iter().map(|(ident, ty)| quote!(#ident: #ty));
    let clones = fields.iter().map(|(ident, _)| quote!(::core::clone::Clone::clone(&self.#ident)));
    let mut call = quote!(#ident(event, #(#clones),*));
    if item.sig.asyncness.is_none() {
        call = quote!(async move { #call });
    }
    let injected: Vec<_> = parameters
        .iter()
        .map(|(ident, parameter)| Injected::new(ident, &parameter.ty, &parameter.attrs, errors))
        .collect();
    let inject = inject::expand_impl(ident, &injected, &krate);
    let registration = registration(&event, &quote!(#ident), ident, arguments);
    // A struct with braces leaves the name of the function to the function.
    quote! {
        #item

        #[doc(hidden)]
        #[allow(non_camel_case_types)]
        #vis struct #ident { #(#declarations),* }

        #inject

        #[automatically_derived]
        impl #krate::EventHandler<#event> for #ident {
            fn handle(&self, event: &#event) -> impl #krate::HandlerFuture {
                #call
            }
        }

        #registration
    }
}

/// The event's type, and the parameters behind it with a name for each.
fn parameters(item: &ItemFn, errors: &mut Errors) -> Option<(Type, Vec<(Ident, PatType)>)> {
    let mut inputs = item.sig.inputs.iter();
    let Some(FnArg::Typed(first)) = inputs.next() else {
        errors.at(
            &item.sig.paren_token.span.join(),
            "the first parameter must be the event, as in `event: &OrderPlaced`",
        );
        return None;
    };
    let Type::Reference(event) = &*first.ty else {
        errors.at(&first.ty, "the event is borrowed; write `&` before its type");
        return None;
    };
    let parameters = inputs.enumerate().filter_map(|(index, input)| match input {
        FnArg::Typed(parameter) => Some((parameter_ident(index, &parameter.pat), parameter.clone())),
        FnArg::Receiver(_) => None,
    });
    Some(((*event.elem).clone(), parameters.collect()))
}

fn parameter_ident(index: usize, pattern: &Pat) -> Ident {
    match pattern {
        Pat::Ident(pattern) => pattern.ident.clone(),
        _ => format_ident!("parameter_{index}"),
    }
}

fn require_concrete(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        errors.at(parameter, "a registered handler must be concrete; bind one with its types filled in by `.bind::<Event, Handler<Type>>()`");
    }
}

fn registration(event: &Type, handler: &TokenStream, ident: &Ident, arguments: &Arguments) -> TokenStream {
    let krate = arguments.krate();
    let name = display_name(arguments.name.as_ref(), ident);
    let order = arguments.order.map(|order| quote!(.order_by(#order)));
    let after = references(&quote!(after), &arguments.after, &krate);
    let before = references(&quote!(before), &arguments.before, &krate);
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
