//! `#[derive(Inject)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Expr, Field, Generics, Member, Meta, Path, Token, Type, WhereClause, parse_quote,
};

use crate::arguments::Arguments;
use crate::errors::Errors;

// #[derive(Inject)] #[inject(crate = path)] on a struct, and on its fields
//
// #[inject(default)] | #[inject(with = expression)]
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let expanded = errors.ok(syn::parse2(item)).map(|item| on_type(&item, &mut errors));
    let errors = errors.into_compile_errors();
    quote!(#expanded #errors)
}

fn on_type(item: &DeriveInput, errors: &mut Errors) -> TokenStream {
    let options = Arguments::of_helper("inject", &item.attrs, &["crate"], errors);
    let fields: Vec<_> = match &item.data {
        Data::Struct(data) => data.fields.iter().enumerate().map(|field| Injected::parse(field, errors)).collect(),
        Data::Enum(_) | Data::Union(_) => {
            errors.at(&item.ident, "`#[derive(Inject)]` needs a struct; implement `Inject` by hand");
            Vec::new()
        }
    };
    let body = if errors.is_empty() { expand_body(&fields) } else { quote!(::core::unimplemented!()) };
    expand_impl(&item.ident, &item.generics, &fields, &body, &options.krate())
}

/// A field and what to fill it with.
struct Injected {
    /// As it is named in messages.
    name: String,
    /// `name` or `0` in a struct expression.
    member: Member,
    /// Holds what was looked up.
    local: Ident,
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
    fn parse((index, field): (usize, &Field), errors: &mut Errors) -> Self {
        let (name, member, mut local) = match &field.ident {
            Some(ident) => (ident.unraw().to_string(), Member::Named(ident.clone()), ident.clone()),
            None => (index.to_string(), Member::from(index), format_ident!("field_{index}")),
        };
        // Out of sight of the expressions of `with = …`.
        local.set_span(Span::mixed_site());
        Self { name, member, local, ty: field.ty.clone(), source: Source::parse(&field.attrs, errors) }
    }

    /// Looks the service up.
    ///
    /// All fields do so before the first missing one ends it, so that all are reported.
    fn expand_lookup(&self) -> Option<TokenStream> {
        let Self { name, local, ty, source, .. } = self;
        let at_type = Span::mixed_site().located_at(ty.span());
        let lookup = quote_spanned!(at_type=> let #local = services.get_for::<#ty>(#name););
        matches!(source, Source::Services).then_some(lookup)
    }

    fn expand_value(&self) -> TokenStream {
        let Self { member, local, ty, source, .. } = self;
        let at_type = Span::mixed_site().located_at(ty.span());
        let value = match source {
            Source::Services => quote!(#local?),
            Source::Default => quote_spanned!(at_type=> <#ty as ::core::default::Default>::default()),
            Source::With(expr) => quote!(#expr),
        };
        quote!(#member: #value)
    }
}

impl Source {
    fn parse(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut source = Self::Services;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("inject")) {
            if !matches!(attribute.meta, Meta::List(_)) {
                errors.at(attribute, "write `#[inject(default)]` or `#[inject(with = …)]`");
                continue;
            }
            let parsed = attribute.parse_nested_meta(|meta| {
                if !matches!(source, Self::Services) {
                    return Err(meta.error("the field is already filled; remove this"));
                }
                source = Self::parse_one(&meta)?;
                Ok(())
            });
            errors.ok(parsed);
        }
        source
    }

    fn parse_one(meta: &ParseNestedMeta<'_>) -> syn::Result<Self> {
        if meta.path.is_ident("default") {
            if meta.input.peek(Token![=]) {
                return Err(meta.error("`default` takes no value; write `with = …`"));
            }
            return Ok(Self::Default);
        }
        if meta.path.is_ident("with") {
            let expr = meta.value().and_then(|value| value.parse());
            return expr.map(Self::With).map_err(|_| meta.error("`with` takes an expression, as in `with = 3`"));
        }
        let key = meta.path.get_ident().map_or(String::new(), |key| format!(" `{key}`"));
        Err(meta.error(format!("unknown option{key}; there are `default` and `with = …`")))
    }
}

fn expand_body(fields: &[Injected]) -> TokenStream {
    let lookups = fields.iter().filter_map(Injected::expand_lookup);
    let values = fields.iter().map(Injected::expand_value);
    quote! {
        #(#lookups)*
        ::core::result::Result::Ok(Self { #(#values),* })
    }
}

fn expand_impl(
    ident: &Ident,
    generics: &Generics,
    fields: &[Injected],
    body: &TokenStream,
    krate: &Path,
) -> TokenStream {
    let (impl_generics, type_generics, _) = generics.split_for_impl();
    let where_clause = where_clause(generics, fields, krate);
    // The parameter is out of sight of the expressions of `with = …` as well.
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #impl_generics #krate::Inject for #ident #type_generics #where_clause {
            fn inject(services: &#krate::Services<'_>) -> ::core::result::Result<Self, #krate::InjectError> {
                #body
            }
        }
    }
}

/// The user's where clause; for a generic handler, also that its fields can be injected.
fn where_clause(generics: &Generics, fields: &[Injected], krate: &Path) -> Option<WhereClause> {
    let mut generics = generics.clone();
    if !generics.params.is_empty() {
        let predicates = &mut generics.make_where_clause().predicates;
        for Injected { ty, .. } in fields.iter().filter(|field| matches!(field.source, Source::Services)) {
            predicates.push(parse_quote!(#ty: #krate::Service));
        }
    }
    generics.where_clause
}
