//! What the macros submit, for the runtime to find at link time.

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Path, PathArguments, Type};

use crate::arguments::{Arguments, ungrouped};
use crate::kind::Kind;
use crate::retry;
use crate::types::{is_any_event, last_ident, relocated};
use crate::{durable, item};

/// A handler and what it handles, each shown where it is wrong if it is.
pub(crate) struct Registration<'a> {
    /// The event or the request.
    pub(crate) message: &'a Type,
    pub(crate) handler: TokenStream,
    /// The function or method; `None` for a type that implements the trait.
    pub(crate) function: Option<Function<'a>>,
    /// The path that users see, behind the module's.
    pub(crate) name: &'a str,
    pub(crate) options: &'a Arguments,
}

/// A handler that is a function or a method.
#[derive(Clone, Copy)]
pub(crate) struct Function<'a> {
    /// Its path.
    pub(crate) item: &'a TokenStream,
    /// How many methods come before it in its block, which have the same place if a macro of the user's writes them.
    pub(crate) position: usize,
    /// The name of a method; the macro itself stands on its block.
    pub(crate) method: Option<&'a Ident>,
    /// The names of its injected parameters, where the runtime does not know them from the handler's type.
    pub(crate) parameters: &'a [String],
    /// What it returns, if it answers requests.
    pub(crate) returned: Option<&'a TokenStream>,
}

impl Registration<'_> {
    pub(crate) fn expand(&self) -> TokenStream {
        let krate = self.options.krate();
        let constructor = self.expand_constructor(&krate);
        let item = self.function.map(|Function { item, .. }| quote!(#item,));
        let place = expand_place(self.name);
        let position = self.function.map(|function| function.position).filter(|position| *position > 0);
        let position = position.map(Literal::usize_unsuffixed).map(|position| quote!(.behind(#position)));
        let parameters = self.function.map(|function| function.parameters).filter(|parameters| !parameters.is_empty());
        let parameters = parameters.map(|parameters| quote!(.parameters(&[#(#parameters),*])));
        let options = expand_options(self.options);
        let around = retry::expand_around(self.message, self.function.is_some(), self.options, &krate);
        let durable = durable::expand_options(self.message, self.options, &krate);
        let registration = quote!(#krate::__private::HandlerRegistration);
        let arguments = quote!((#item #place));
        let (registration, arguments) = match (self.options.kind, self.function.and_then(|function| function.method)) {
            (Kind::Event, Some(method)) => (placed(registration, method), placed(arguments, method)),
            (Kind::Event, None) => (registration, arguments),
            // The call from its start to its end, which is where rustc shows what is no request.
            (Kind::Request, Some(_)) => (placed(registration, self.message), placed(arguments, self.message)),
            (Kind::Request, None) => (relocated(&registration, self.message), relocated(&arguments, self.message)),
        };
        quote! {
            #krate::__private::inventory::submit! {
                #registration::#constructor #arguments #position #parameters #options #around #durable
            }
        }
    }

    fn expand_constructor(&self, krate: &Path) -> TokenStream {
        let (message, handler) = (expand_message(self.message, krate), &self.handler);
        match (self.options.kind, self.function) {
            (Kind::Event, None) => quote!(new::<#message, #handler>),
            (Kind::Event, Some(_)) => quote!(function::<#message, #handler, _>),
            (Kind::Request, None) => quote!(request::<#message, #handler>),
            (Kind::Request, Some(Function { returned, .. })) => {
                quote!(request_function::<#message, #handler, #returned, _>)
            }
        }
    }
}

/// The start of a call, or its arguments, with the place of what the user wrote: not with that of the macro, which `relocated`
/// keeps, so that it is the place of the caller as well.
fn placed(tokens: TokenStream, written: &impl ToTokens) -> TokenStream {
    let written: Vec<_> = written.to_token_stream().into_iter().map(|token| token.span()).collect();
    let place = |mut token: TokenTree| {
        let span = if matches!(token, TokenTree::Group(_)) { written.last() } else { written.first() };
        if let Some(span) = span.filter(|_| !matches!(token, TokenTree::Ident(_))) {
            token.set_span(*span);
        }
        token
    };
    tokens.into_iter().map(place).collect()
}

/// A behavior and what it runs around.
pub(crate) struct BehaviorRegistration<'a> {
    /// The event or the request; `None` for all of them.
    pub(crate) message: Option<&'a Type>,
    pub(crate) behavior: TokenStream,
    /// The path that users see, behind the module's.
    pub(crate) name: &'a str,
    pub(crate) options: &'a Arguments,
}

impl BehaviorRegistration<'_> {
    pub(crate) fn expand(&self) -> TokenStream {
        let krate = self.options.krate();
        let message = self.message.map_or_else(|| quote!(#krate::AnyMessage), ToTokens::to_token_stream);
        let behavior = &self.behavior;
        let place = expand_place(self.name);
        let options = expand_options(self.options);
        quote! {
            #krate::__private::inventory::submit! {
                #krate::__private::BehaviorRegistration::new::<#message, #behavior>(#place) #options
            }
        }
    }
}

/// What is registered under this name, and by whom.
fn expand_place(name: &str) -> TokenStream {
    let name = default_name(name);
    let version = item::package_version();
    quote!(#name, ::core::module_path!(), #version)
}

/// The event or request; of an observer, spelled so that it means the same behind a `&`.
pub(crate) fn expand_message(message: &Type, krate: &Path) -> TokenStream {
    if is_any_event(message) { quote!((dyn #krate::DynNotification + 'static)) } else { message.to_token_stream() }
}

/// The path that users see of something in this module.
pub(crate) fn default_name(name: &str) -> TokenStream {
    let name = format!("::{name}");
    quote!(::core::concat!(::core::module_path!(), #name))
}

/// The name of an item, without the `r#`.
pub(crate) fn plain_name(ident: &Ident) -> String {
    ident.unraw().to_string()
}

fn expand_options(options: &Arguments) -> TokenStream {
    let krate = options.krate();
    let named = options.name.as_ref().map(|name| quote!(.named(#name)));
    let manual = options.manual.then(|| quote!(.manual()));
    let order = options.order.as_ref().map(|order| quote!(.order_by(#order)));
    let after = expand_references(&quote!(after), &options.after, &krate);
    let before = expand_references(&quote!(before), &options.before, &krate);
    let lends = options.lends.iter().map(|lent| lent.expand_constant(&krate));
    let lends = (!options.lends.is_empty()).then(|| quote!(.lends(const { &[#(#lends),*] })));
    quote!(#named #manual #order #after #before #lends)
}

/// `.after(…)` with the handlers that the user names, if any.
fn expand_references(method: &TokenStream, handlers: &[Type], krate: &Path) -> Option<TokenStream> {
    let handlers = handlers.iter().map(|handler| expand_reference(handler, krate));
    (handlers.len() > 0).then(|| quote!(.#method(const { &[#(#handlers),*] })))
}

/// A handler that is named by its type, or by its function or method.
fn expand_reference(handler: &Type, krate: &Path) -> TokenStream {
    if is_function(handler) {
        let function = as_expression(handler);
        quote!(#krate::__private::HandlerRef::to_function(#function))
    } else {
        quote!(#krate::__private::HandlerRef::to::<#handler>())
    }
}

/// Whether it is a function or a method, whose name starts in lower case.
pub(crate) fn is_function(handler: &Type) -> bool {
    last_ident(handler).is_some_and(|ident| !plain_name(ident).starts_with(char::is_uppercase))
}

/// `Cache::<u64>::closed` for `Cache<u64>::closed`
fn as_expression(path: &Type) -> TokenStream {
    let mut path = ungrouped(path).clone();
    if let Type::Path(path) = &mut path {
        for segment in &mut path.path.segments {
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                arguments.colon2_token.get_or_insert_default();
            }
        }
    }
    path.into_token_stream()
}
