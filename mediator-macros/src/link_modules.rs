//! `link_modules!`

use std::fmt::Display;
use std::path::PathBuf;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser};
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
    let module = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let name = input.parse::<Ident>().map_err(|error| {
            syn::Error::new(error.span(), "expected the name of a crate, as in `link_modules!(orders, billing)`")
        })?;
        Ok(quote!(#(#attributes)* extern crate #name as _;))
    };
    let modules = |input: ParseStream<'_>| input.parse_terminated(module, Token![,]);
    errors.ok(modules.parse2(input)).into_iter().flatten().collect()
}

fn listed_in_manifest(errors: &mut Errors) -> TokenStream {
    let read = std::env::var_os("CARGO_MANIFEST_DIR")
        .ok_or_else(|| "there is no manifest without Cargo; list the modules, as in `link_modules!(orders)`".to_owned())
        .and_then(|directory| {
            let mut manifests = Manifests::of(PathBuf::from(directory).join("Cargo.toml"));
            manifests.package().map(|package| (manifests, package))
        });
    let Some((mut manifests, manifest)) = errors.ok(read.map_err(here)) else {
        return TokenStream::new();
    };
    let mut linked = own_library(&manifest);
    for dependency in manifest.dependencies() {
        match link(&manifest, &dependency, &mut manifests) {
            Ok(module) => linked.extend(module),
            Err(error) => errors.push(here(format_args!("dependency `{}`: {error}", dependency.key))),
        }
    }
    let mark = mark(&manifest, &mut manifests);
    let read = manifests.paths().filter_map(|path| path.to_str());
    quote! {
        #linked
        #mark
        // Expanded again when one of these changes.
        const _: &[&[::core::primitive::u8]] = &[#(::core::include_bytes!(#read)),*];
    }
}

/// What tells `assert_modules_linked` that the macro stands in this package, if the runtime can be named here.
fn mark(manifest: &Manifest, manifests: &mut Manifests) -> Option<TokenStream> {
    let package = manifest.name()?;
    let runtime = manifests.unconditional_name_of_mediator_core(manifest)?;
    let runtime: Ident = syn::parse_str(&runtime).ok()?;
    Some(quote! {
        ::#runtime::__private::inventory::submit! {
            ::#runtime::__private::LinkedModules::of(#package)
        }
    })
}

fn here(message: impl Display) -> syn::Error {
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
fn link(
    manifest: &Manifest,
    dependency: &Dependency<'_>,
    manifests: &mut Manifests,
) -> Result<Option<TokenStream>, String> {
    let source = manifests.locate(manifest, dependency)?;
    let is_mediator_core = source.is_mediator_core();
    let module = source.manifest.filter(|module| !is_mediator_core && manifests.uses_mediator_core(module));
    let Some(library) = module.and_then(|module| module.library()) else {
        return Ok(None);
    };
    let name = ident(if source.renamed { dependency.key } else { &library })?;
    let conditions = manifest.conditions(dependency).into_iter().map(|condition| match condition {
        Condition::Test => Ok(quote!(#[cfg(test)])),
        Condition::AnyFeature(features) => Ok(quote!(#[cfg(any(#(feature = #features),*))])),
        Condition::Target(target) => target_condition(target),
    });
    let conditions = conditions.collect::<Result<Vec<_>, _>>()?;
    Ok(Some(quote!(#(#conditions)* extern crate #name as _;)))
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
