//! `link_modules!`

use std::path::PathBuf;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, Token};

use crate::errors::Errors;
use crate::manifest::{Condition, Dependency, Manifest, Manifests};

pub(crate) fn expand(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let linked = if input.is_empty() { listed_in_manifest(&mut errors) } else { listed_by_user(input, &mut errors) };
    let errors = errors.into_compile_errors();
    quote!(#linked #errors)
}

/// `orders, #[cfg(feature = "billing")] billing`
fn listed_by_user(input: TokenStream, errors: &mut Errors) -> TokenStream {
    struct Module(Vec<Attribute>, Ident);

    impl syn::parse::Parse for Module {
        fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
            Ok(Self(input.call(Attribute::parse_outer)?, input.parse()?))
        }
    }

    let parser = Punctuated::<Module, Token![,]>::parse_terminated;
    let modules = errors.ok(syn::parse::Parser::parse2(parser, input)).unwrap_or_default();
    let modules = modules.iter().map(|Module(attributes, name)| quote!(#(#attributes)* extern crate #name as _;));
    modules.collect()
}

fn listed_in_manifest(errors: &mut Errors) -> TokenStream {
    let mut manifests = Manifests::default();
    let path = std::env::var_os("CARGO_MANIFEST_PATH").map(PathBuf::from);
    let path = path.or_else(|| Some(PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?).join("Cargo.toml")));
    let Some(path) = path else {
        errors
            .push(here("there is no manifest without Cargo; list the crates, as in `link_modules!(orders, billing)`"));
        return TokenStream::new();
    };
    let manifest = match manifests.read(&path) {
        Ok(manifest) => manifest,
        Err(error) => {
            errors.push(here(error));
            return TokenStream::new();
        }
    };
    let mut linked = own_library(&manifest);
    for dependency in manifest.dependencies() {
        match link(&manifest, &dependency, &mut manifests) {
            Ok(module) => linked.extend(module),
            Err(error) => errors.push(here(format_args!("dependency `{}`: {error}", dependency.key))),
        }
    }
    let read = manifests.paths().filter_map(|path| path.to_str());
    quote! {
        #linked
        // Expanded again when one of these changes.
        const _: &[&[::core::primitive::u8]] = &[#(::core::include_bytes!(#read)),*];
    }
}

fn here(message: impl std::fmt::Display) -> syn::Error {
    syn::Error::new(Span::call_site(), message)
}

/// In a binary, an example or a test, the library of the same package.
fn own_library(manifest: &Manifest) -> TokenStream {
    let set = |variable: &str| std::env::var_os(variable).is_some();
    let own = manifest.library().and_then(|name| Some((ident(&name).ok()?, name)));
    let other_target = |name: &str| {
        set("CARGO_BIN_NAME")
            || set("CARGO_TARGET_TMPDIR")
            || std::env::var("CARGO_CRATE_NAME").is_ok_and(|compiled| compiled != name)
    };
    own.filter(|(_, name)| other_target(name)).map(|(own, _)| quote!(extern crate #own as _;)).unwrap_or_default()
}

/// What links a dependency, if it is a module.
fn link(manifest: &Manifest, dependency: &Dependency<'_>, manifests: &mut Manifests) -> Result<TokenStream, String> {
    let source = manifests.locate(manifest, dependency)?;
    let Some(module) = source.manifest.filter(|_| !source.is_mediator_core) else {
        return Ok(TokenStream::new());
    };
    let library = module.library();
    let Some(library) = library.filter(|_| manifests.uses_mediator_core(&module)) else {
        return Ok(TokenStream::new());
    };
    let name = ident(if source.renamed { dependency.key } else { &library })?;
    let conditions = manifest.conditions(dependency).into_iter().map(|condition| match condition {
        Condition::Test => Ok(quote!(#[cfg(test)])),
        Condition::AnyFeature(features) => Ok(quote!(#[cfg(any(#(feature = #features),*))])),
        Condition::Target(target) => target_condition(target),
    });
    let conditions = conditions.collect::<Result<Vec<_>, _>>()?;
    Ok(quote!(#(#conditions)* extern crate #name as _;))
}

/// `cfg(unix)` as it stands in the manifest.
fn target_condition(target: &str) -> Result<TokenStream, String> {
    let cfg = target.starts_with("cfg(").then(|| target.parse::<TokenStream>().ok()).flatten();
    let cfg = cfg.ok_or_else(|| {
        format!("whether the target is `{target}` is not known here; make it `[target.'cfg(…)'.dependencies]`")
    })?;
    Ok(quote!(#[#cfg]))
}

fn ident(crate_name: &str) -> Result<Ident, String> {
    let name = crate_name.replace('-', "_");
    syn::parse_str(&name).map_err(|_| format!("`{name}` is no name for a crate in Rust; rename the dependency"))
}
