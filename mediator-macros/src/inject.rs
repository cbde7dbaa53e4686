//! `#[derive(Inject)]`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Expr, Field, Fields, FnArg, GenericArgument, Generics, ItemStruct, Member, Meta,
    Path, PathArguments, Signature, Token, Type, TypePath, WhereClause, parse_quote,
};

use crate::arguments::{Arguments, ungrouped};
use crate::doubts::Doubts;
use crate::errors::Errors;
use crate::item;
use crate::types::{
    argument_of, arguments_of, has_trait, is_shared, mentions, relocated, require_named, require_owned,
};

// #[derive(Inject)] #[inject(crate = path)] on a struct, and on its fields
//
// #[inject(default)] | #[inject(with = expression)]
pub(crate) fn expand(item: TokenStream) -> TokenStream {
    item::derive(item, on_type)
}

fn on_type(item: &DeriveInput, errors: &mut Errors) -> TokenStream {
    let mut options = Arguments::of_helper("inject", &item.attrs, &["crate"], errors);
    if !options.find_runtime(errors) {
        return TokenStream::new();
    }
    let fields: Vec<_> = match &item.data {
        Data::Struct(data) => data.fields.iter().enumerate().map(|field| Injected::parse(field, errors)).collect(),
        Data::Enum(_) | Data::Union(_) => {
            errors.at(&item.ident, "`#[derive(Inject)]` needs a struct; implement `Inject` by hand");
            Vec::new()
        }
    };
    let of_fields = match &item.data {
        Data::Struct(data) => data.fields.iter().flat_map(|field| &field.attrs).collect(),
        Data::Enum(_) | Data::Union(_) => Vec::new(),
    };
    let lints = item::lint_attributes(item.attrs.iter().chain(of_fields));
    // About which rustc complains by itself.
    let is_opaque = fields.iter().any(|field| mentions(&field.ty, "impl"));
    let body =
        if is_opaque { quote!(::core::unimplemented!()) } else { expand_body(&fields, &options.krate(), errors) };
    expand_impl(&item.ident, &item.generics, &lints, &fields, &body, &options.krate())
}

/// Requires of what a struct is injected with that it is owned and has one type.
pub(crate) fn require_fields(fields: &mut Fields, of: &str, errors: &mut Errors) {
    for field in fields {
        require_owned(&mut field.ty, &format!("{of} owns what it is injected with; use an `Arc`"), errors);
        require_named(&mut field.ty, errors);
    }
}

/// The same for a struct that is a handler or a service, whose fields are as they must be; takes for granted what is in doubt.
pub(crate) fn on_struct(
    item: &mut ItemStruct,
    doubts: &Doubts,
    options: &Arguments,
    errors: &mut Errors,
) -> TokenStream {
    let generics = doubts.take_for_granted(item.generics.clone(), &options.krate());
    let fields = item.fields.iter_mut().collect();
    let (derive, inject) = on_handler(&item.ident, &generics, &item.attrs, fields, options, errors);
    item.attrs.extend(derive);
    inject
}

/// The same for the struct of a handler, whose fields lose the attributes that only the derive knows: without it they
/// would be further errors where the runtime is not found. If it cannot do without, the attributes that derive.
pub(crate) fn on_handler(
    ident: &Ident,
    generics: &Generics,
    attributes: &[Attribute],
    mut declared: Vec<&mut Field>,
    options: &Arguments,
    errors: &mut Errors,
) -> (Vec<Attribute>, TokenStream) {
    if declared.iter().any(|field| is_conditional(field)) {
        // To a derive, rustc shows only what the conditions leave.
        return (options.derive_inject(), TokenStream::new());
    }
    let of_fields = declared.iter().flat_map(|field| &field.attrs);
    let lints = item::lint_attributes(attributes.iter().chain(of_fields));
    let mut own_errors = Errors::default();
    let parse = |(index, field): (usize, &&mut Field)| Injected::parse((index, field), &mut own_errors);
    let fields: Vec<_> = declared.iter().enumerate().map(parse).collect();
    declared.iter_mut().for_each(|field| _ = take_attributes(&mut field.attrs));
    let body = expand_body(&fields, &options.krate(), &own_errors);
    errors.extend(own_errors);
    (Vec::new(), expand_impl(ident, generics, &lints, &fields, &body, &options.krate()))
}

/// Whether it depends on a condition if the field is there, or how it is filled.
pub(crate) fn is_conditional(field: &Field) -> bool {
    field.attrs.iter().any(|attribute| attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr"))
}

/// Whether it is filled by an `#[inject(…)]`.
pub(crate) fn is_filled(field: &Field) -> bool {
    field.attrs.iter().any(|attribute| attribute.path().is_ident("inject"))
}

/// Takes `#[inject(…)]` and `#[cfg_attr(…, inject(…))]`.
pub(crate) fn take_attributes(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    let injects = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            list.tokens.clone().into_iter().any(|token| token.to_string() == "inject")
        }
        meta => meta.path().is_ident("inject"),
    };
    let (taken, others) = std::mem::take(attributes).into_iter().partition(injects);
    *attributes = others;
    taken
}

/// Takes them from all parameters, which nobody will read any more.
pub(crate) fn take_all_attributes(signature: &mut Signature) {
    signature.inputs.iter_mut().for_each(|input| match input {
        FnArg::Typed(parameter) => _ = take_attributes(&mut parameter.attrs),
        FnArg::Receiver(receiver) => _ = take_attributes(&mut receiver.attrs),
    });
}

/// The `T` of an `Option<T>`, by how the type is written.
///
/// An `Option` by another path may be a type of the user's own.
pub(crate) fn optional(ty: &Type) -> Option<&Type> {
    let Type::Path(TypePath { qself: None, path, .. }) = ungrouped(ty) else { return None };
    let standard = ["Option", "option::Option", "std::option::Option", "core::option::Option"];
    let PathArguments::AngleBracketed(arguments) = &path.segments.last()?.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(inner) if standard.contains(&&*item::names(path).join("::")) => Some(inner),
        _ => None,
    }
}

/// `Box<dyn Fn()>` and `Arc<dyn Fn()>`, about which rustc would say more than is needed.
pub(crate) fn reject_closure(service: &Type, errors: &mut Errors) {
    let boxed = argument_of(service, "Box").filter(|closure| is_closure(closure));
    let unshared = argument_of(service, "Arc").filter(|closure| is_closure(closure) && !is_shared(closure));
    if boxed.is_some() {
        let message = "a closure in a `Box` cannot be cloned for who is injected with it; share it, as in \
                       `Arc<dyn Fn() + Send + Sync>`";
        errors.at(service, message);
    } else if let Some(closure) = unshared {
        errors.at(closure, "threads share this closure; write `dyn Fn() + Send + Sync`");
    }
}

/// `dyn Fn()`, `dyn FnMut()` or `dyn FnOnce()`
fn is_closure(ty: &Type) -> bool {
    ["Fn", "FnMut", "FnOnce"].iter().any(|name| has_trait(ty, name))
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
        let (name, member) = match &field.ident {
            Some(ident) => (ident.unraw().to_string(), Member::Named(ident.clone())),
            None => (index.to_string(), Member::from(index)),
        };
        // Out of sight of the expressions of `with = …`; and not the field's own name, which need not be one for a local.
        let local = format_ident!("__field_{index}", span = Span::mixed_site());
        let injected = Self { name, member, local, ty: field.ty.clone(), source: Source::parse(&field.attrs, errors) };
        injected.service().into_iter().for_each(|service| reject_closure(service, errors));
        injected
    }

    /// Looks the service up, as one of the field's type, which rustc knows: a type that does not exist is reported once.
    ///
    /// All fields do so before the first missing one ends it, so that all are reported.
    fn expand_lookup(&self, krate: &Path) -> Option<TokenStream> {
        let Self { name, local, ty, .. } = self;
        let service = self.service()?;
        let method = if optional(ty).is_some() { quote!(get_optional_for) } else { quote!(get_for) };
        let lookup = relocated(&quote!(#krate::Services::#method), service);
        Some(quote_spanned!(Span::mixed_site()=> let #local = #lookup(__services, #name);))
    }

    /// The type that is looked up, if one is.
    fn service(&self) -> Option<&Type> {
        matches!(self.source, Source::Services).then(|| optional(&self.ty).unwrap_or(&self.ty))
    }

    fn expand_value(&self) -> TokenStream {
        let Self { member, local, ty, source, .. } = self;
        let at_type = Span::mixed_site().located_at(ty.span());
        let default = relocated(&quote!(::core::default::Default::default), ty);
        let value = match source {
            // Not `?`, which takes rustc longer.
            Source::Services => quote_spanned! {Span::mixed_site()=>
                match #local {
                    ::core::result::Result::Ok(__service) => __service,
                    ::core::result::Result::Err(__error) => return ::core::result::Result::Err(__error),
                }
            },
            Source::Default => quote_spanned!(at_type=> #default()),
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

fn expand_body(fields: &[Injected], krate: &Path, errors: &Errors) -> TokenStream {
    if !errors.is_empty() {
        return quote!(::core::unimplemented!());
    }
    let lookups = fields.iter().filter_map(|field| field.expand_lookup(krate));
    let values = fields.iter().map(Injected::expand_value);
    quote! {
        #(#lookups)*
        ::core::result::Result::Ok(Self { #(#values),* })
    }
}

fn expand_impl(
    ident: &Ident,
    generics: &Generics,
    lints: &[Attribute],
    fields: &[Injected],
    body: &TokenStream,
    krate: &Path,
) -> TokenStream {
    let (impl_generics, _, _) = generics.split_for_impl();
    let arguments = arguments_of(generics);
    let where_clause = where_clause(generics, fields, krate);
    // The parameter is out of sight of the expressions of `with = …` as well.
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        #(#lints)*
        impl #impl_generics #krate::Inject for #ident #arguments #where_clause {
            #[inline]
            fn inject(__services: &#krate::Services<'_>) -> ::core::result::Result<Self, #krate::InjectError> {
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
        let services = fields.iter().filter_map(Injected::service);
        services.for_each(|ty| predicates.push(parse_quote!(#ty: #krate::Service)));
    }
    generics.where_clause
}
