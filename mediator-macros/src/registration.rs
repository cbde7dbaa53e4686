//! What the macros submit, for the runtime to find at link time.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Path, PathArguments, Type};

use crate::arguments::{Arguments, ungrouped};
use crate::item;
use crate::types::{is_any_event, last_ident};

/// A handler and what it handles, each shown where it is wrong if it is.
pub(crate) struct Registration<'a> {
    pub(crate) event: &'a Type,
    pub(crate) handler: TokenStream,
    /// The function or method; `None` for a type that implements `EventHandler`.
    pub(crate) function: Option<&'a TokenStream>,
    /// The path that users see, behind the module's.
    pub(crate) name: &'a str,
    pub(crate) options: &'a Arguments,
}

impl Registration<'_> {
    pub(crate) fn expand(&self) -> TokenStream {
        let krate = self.options.krate();
        let (event, handler) = (expand_event(self.event, &krate), &self.handler);
        let (constructor, item) = match self.function {
            Some(function) => (quote!(function::<#event, #handler, _>), Some(quote!(#function,))),
            None => (quote!(new::<#event, #handler>), None),
        };
        let name = default_name(self.name);
        let version = item::package_version();
        let options = expand_options(self.options);
        quote! {
            #krate::__private::inventory::submit! {
                #krate::__private::HandlerRegistration::#constructor(#item #name, ::core::module_path!(), #version) #options
            }
        }
    }
}

/// The event; of an observer, spelled so that it means the same behind a `&`.
pub(crate) fn expand_event(event: &Type, krate: &Path) -> TokenStream {
    if is_any_event(event) { quote!((dyn #krate::DynNotification + 'static)) } else { event.to_token_stream() }
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
    quote!(#named #manual #order #after #before)
}

/// `.after(…)` with the handlers that the user names, if any.
fn expand_references(method: &TokenStream, handlers: &[Type], krate: &Path) -> Option<TokenStream> {
    let handlers = handlers.iter().map(|handler| expand_reference(handler, krate));
    (handlers.len() > 0).then(|| quote!(.#method(const { &[#(#handlers),*] })))
}

/// A handler that is named by its type, or by its function or method, whose name starts in lower case.
fn expand_reference(handler: &Type, krate: &Path) -> TokenStream {
    let is_function = last_ident(handler).is_some_and(|ident| !plain_name(ident).starts_with(char::is_uppercase));
    if is_function {
        let function = as_expression(handler);
        quote!(#krate::__private::HandlerRef::to_function(#function))
    } else {
        quote!(#krate::__private::HandlerRef::to::<#handler>())
    }
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
