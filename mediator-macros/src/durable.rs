//! Durable handlers, and what events say about how they are recorded.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Fields, LitStr, Path, Type};

use crate::DURABLE;
use crate::arguments::Arguments;
use crate::errors::Errors;
use crate::notification::Declared;
use crate::registration::expand_message;
use crate::types::{is_any_event, relocated};

/// The error of an option that the runtime lacks the feature for.
fn lacks_feature(key: &dyn std::fmt::Display) -> String {
    format!(
        "`{key}` needs the feature `durable` of `mediator-core`; add `features = [\"durable\"]` to it in `Cargo.toml`"
    )
}

/// Notes what is wrong with `durable`, or with what belongs to it, among the options of a handler.
pub(crate) fn check_handler(options: &mut Arguments, errors: &mut Errors) {
    let Some(durable) = options.durable.clone() else {
        for key in ["alias", "dead"].iter().filter_map(|key| options.seen(key)) {
            errors.at(key, format!("`{key}` is for durable handlers; add `durable`, or remove it"));
        }
        return;
    };
    let before = errors.is_empty();
    if !DURABLE {
        errors.at(&durable, lacks_feature(&durable));
    } else if let Some(order) = ["order", "after", "before"].iter().find_map(|key| options.seen(key)) {
        let message = format!(
            "`{order}` says when a publish calls a handler, and a durable one is called by a worker; remove one of the two"
        );
        errors.at(&durable, message);
    } else if options.seen("name").is_none() {
        let message = "a durable handler needs a name, by which recorded deliveries find it again; \
                       add `name = \"billing.invoice\"`";
        errors.at(&durable, message);
    }
    reject_repeated_names(options, errors);
    options.types.iter().for_each(|event| reject_observer(event, options, errors));
    if before && !errors.is_empty() {
        options.durable = None;
    }
}

/// Notes aliases that are no other names.
fn reject_repeated_names(options: &Arguments, errors: &mut Errors) {
    let mut names: Vec<_> = options.name.iter().map(LitStr::value).collect();
    for alias in &options.aliases {
        if names.contains(&alias.value()) {
            errors.at(alias, "this is already a name of it; remove the alias, or write the one that it had before");
        }
        names.push(alias.value());
    }
}

/// Notes that an observer cannot be durable.
pub(crate) fn reject_observer(message: &Type, options: &Arguments, errors: &mut Errors) {
    if let Some(durable) = options.durable.as_ref().filter(|_| is_any_event(message)) {
        errors.at(durable, "an observer sees each publish and cannot be durable; handle the events by their types");
    }
}

/// `.durable(…)` of a registration.
pub(crate) fn expand_options(message: &Type, options: &Arguments, krate: &Path) -> Option<TokenStream> {
    let durable = options.durable.as_ref()?;
    // Where an event that cannot be recorded shows.
    let message = relocated(&expand_message(message, krate), durable);
    let aliases = expand_aliases(options);
    let retry = options.retry.as_ref().map(|retry| retry.expand_options());
    let skip = options.dead.then(|| quote!(.skip_dead()));
    Some(quote!(.durable(const { &#krate::__private::DurableOptions::new::<#message>() #aliases #retry #skip })))
}

/// `.aliases(…)`, of a handler or an event.
pub(crate) fn expand_aliases(options: &Arguments) -> Option<TokenStream> {
    let aliases = &options.aliases;
    (!aliases.is_empty()).then(|| quote!(.aliases(&[#(#aliases),*])))
}

/// Notes what is wrong with the options of an event that say how it is recorded.
pub(crate) fn check_event(options: &mut Arguments, fields: &Fields, is_generic: bool, errors: &mut Errors) {
    let keys: Vec<Ident> =
        ["version", "alias", "key", "upcast", "external"].iter().filter_map(|key| options.seen(key)).cloned().collect();
    for key in &keys {
        if !DURABLE {
            errors.at(key, lacks_feature(key));
        } else if options.seen("name").is_none() && key == "external" {
            let message =
                "an external event needs a name, by which other services know it; add `name = \"orders.placed\"`";
            errors.at(key, message);
        } else if options.seen("name").is_none() {
            errors
                .at(key, format!("`{key}` is for recorded events, which need a name; add `name = \"orders.placed\"`"));
        } else if is_generic {
            errors.at(key, format!("`{key}` is for recorded events, which cannot be generic; remove it"));
        }
    }
    if let Some(key) = options.key.take_if(|key| !has_field(fields, key)) {
        errors.at(&key, format!("there is no field `{key}`; name the field whose text deliveries are ordered by"));
    }
    reject_repeated_names(options, errors);
    let (version, upcasters) = (options.version.unwrap_or(1), options.upcast.len());
    let has_other_steps = upcasters > 0 && upcasters + 1 != version as usize;
    if let Some(upcast) = options.seen("upcast").filter(|_| has_other_steps) {
        let message = format!(
            "`upcast` names a function for each step from version 1, which are {} for version {version}, and here are {upcasters}",
            version - 1
        );
        errors.at(upcast, message);
    }
    // No other error is to follow from it.
    if !errors.is_empty() {
        options.external = None;
    }
}

/// `.external(…)` of the registration of an event.
pub(crate) fn expand_external(declared: &Declared<'_>) -> Option<TokenStream> {
    let external = declared.options.external.as_ref()?;
    let krate = declared.options.krate();
    // Where an event that cannot be recorded shows.
    let event = relocated(declared.ident, external);
    Some(quote!(.external(const { &#krate::__private::ExternalOptions::new::<#event>() })))
}

fn has_field(fields: &Fields, name: &Ident) -> bool {
    name == "event_id" || fields.iter().any(|field| field.ident.as_ref() == Some(name))
}

/// `impl DurableEvent`, of an event with a name.
pub(crate) fn expand_impl(declared: &Declared<'_>) -> Option<TokenStream> {
    let Declared { ident, generics, lints, options } = declared;
    let name = options.name.as_ref().filter(|_| DURABLE && generics.params.is_empty())?;
    let krate = options.krate();
    let version = options.version.map(|version| quote!(const VERSION: ::core::primitive::u32 = #version;));
    let aliases = (!options.aliases.is_empty()).then(|| {
        let aliases = &options.aliases;
        quote!(const ALIASES: &'static [&'static ::core::primitive::str] = &[#(#aliases),*];)
    });
    let key = options.key.as_ref().map(|field| expand_key(field, &krate));
    let upcast = (!options.upcast.is_empty()).then(|| expand_upcast(&options.upcast, &krate));
    Some(quote! {
        #[automatically_derived]
        #(#lints)*
        impl #krate::durable::DurableEvent for #ident {
            const NAME: &'static ::core::primitive::str = #name;
            #version
            #aliases
            #key
            #upcast
        }
    })
}

fn expand_key(field: &Ident, krate: &Path) -> TokenStream {
    let text = relocated(&quote!(#krate::__private::ToString::to_string), field);
    quote! {
        fn key(&self) -> ::core::option::Option<#krate::__private::String> {
            ::core::option::Option::Some(#text(&self.#field))
        }
    }
}

/// The first function makes version 2 of version 1, and so on.
fn expand_upcast(functions: &[Path], krate: &Path) -> TokenStream {
    let value = quote!(#krate::__private::serde_json::Value);
    let steps = functions.iter().zip(1u32..).map(|(function, version)| {
        let upcast = relocated(&quote!(#krate::__private::upcast), function);
        quote!(let __payload = if __version <= #version { #upcast(#function, __payload)? } else { __payload };)
    });
    quote! {
        fn upcast(
            __version: ::core::primitive::u32,
            __payload: #value,
        ) -> ::core::result::Result<#value, #krate::__private::BoxError> {
            #(#steps)*
            ::core::result::Result::Ok(__payload)
        }
    }
}
