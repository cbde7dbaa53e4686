//! `#[derive(Inject)]`, and how `#[event_handler]` fills fields and parameters.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Expr, Field, Fields, Ident, Index, Meta, Path, Token, Type};

use crate::arguments::Arguments;
use crate::errors::Errors;

pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(item) = errors.ok(syn::parse2::<DeriveInput>(item)) else {
        return errors.into_compile_errors();
    };
    let tokens = item.attrs.iter().filter(|attribute| attribute.path().is_ident("inject"));
    let tokens = tokens.filter_map(|attribute| match &attribute.meta {
        Meta::List(list) => Some(list.tokens.clone()),
        _ => None,
    });
    let arguments = Arguments::parse(quote!(#(#tokens),*), &["crate"], false, &mut errors);
    let Data::Struct(data) = &item.data else {
        errors.at(&item.ident, "`#[derive(Inject)]` needs a struct");
        return errors.into_compile_errors();
    };
    let fields = Injected::fields(&data.fields, &mut errors);
    if !errors.is_empty() {
        return errors.into_compile_errors();
    }
    expand_impl(&item.ident, &fields, &arguments.krate())
}

/// A field or parameter and what to fill it with.
pub(crate) struct Injected {
    /// As it is named in messages.
    name: String,
    /// `name:` or `0:` in a struct expression.
    member: TokenStream,
    ty: Type,
    source: Source,
}

enum Source {
    /// The mediator's services.
    Services,
    /// `#[inject(default)]`
    Default,
    /// `#[inject(with = expr)]`
    With(Box<Expr>),
}

impl Injected {
    pub(crate) fn fields(fields: &Fields, errors: &mut Errors) -> Vec<Self> {
        fields.iter().enumerate().map(|(index, field)| Self::field(index, field, errors)).collect()
    }

    fn field(index: usize, field: &Field, errors: &mut Errors) -> Self {
        match &field.ident {
            Some(ident) => Self::new(ident, &field.ty, &field.attrs, errors),
            None => {
                let member = Index::from(index);
                Self {
                    name: index.to_string(),
                    member: quote!(#member),
                    ty: field.ty.clone(),
                    source: Source::parse(&field.attrs, errors),
                }
            }
        }
    }

    pub(crate) fn new(ident: &Ident, ty: &Type, attributes: &[Attribute], errors: &mut Errors) -> Self {
        Self {
            name: ident.unraw().to_string(),
            member: quote!(#ident),
            ty: ty.clone(),
            source: Source::parse(attributes, errors),
        }
    }

    fn expand(&self, krate: &Path) -> TokenStream {
        let (name, ty) = (&self.name, &self.ty);
        match &self.source {
            Source::Services => quote_spanned!(ty.span()=> services.get_for::<#ty>(#name)),
            Source::Default => quote_spanned! {ty.span()=>
                ::core::result::Result::Ok::<#ty, #krate::InjectError>(<#ty as ::core::default::Default>::default())
            },
            Source::With(expr) => quote!(::core::result::Result::Ok::<#ty, #krate::InjectError>(#expr)),
        }
    }
}

impl Source {
    /// `#[inject(default)]` or `#[inject(with = expr)]`
    fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut source = Self::Services;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("inject")) {
            let parsed = attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("default") {
                    source = Self::Default;
                } else if meta.path.is_ident("with") {
                    meta.input.parse::<Token![=]>()?;
                    source = Self::With(meta.input.parse()?);
                } else {
                    return Err(meta.error("unknown option; there are `default` and `with = …`"));
                }
                Ok(())
            });
            errors.ok(parsed);
        }
        source
    }
}

/// Takes `#[inject(…)]` away, which only means something to this crate.
pub(crate) fn strip(attributes: &mut Vec<Attribute>) {
    attributes.retain(|attribute| !attribute.path().is_ident("inject"));
}

pub(crate) fn expand_impl(ident: &Ident, fields: &[Injected], krate: &Path) -> TokenStream {
    let locals: Vec<_> = (0..fields.len()).map(|index| quote::format_ident!("field_{index}")).collect();
    let values = fields.iter().map(|field| field.expand(krate));
    let members = fields.iter().map(|field| &field.member);
    // All fields are looked up before the first missing one ends it, so that all are reported.
    quote! {
        #[automatically_derived]
        impl #krate::Inject for #ident {
            fn inject(services: &#krate::Services<'_>) -> ::core::result::Result<Self, #krate::InjectError> {
                #(let #locals = #values;)*
                ::core::result::Result::Ok(Self { #(#members: #locals?),* })
            }
        }
    }
}
