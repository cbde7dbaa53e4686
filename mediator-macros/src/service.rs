//! `#[service]`

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Field, FnArg, GenericParam, Generics, Item, ItemFn, ItemStruct, Path, ReturnType, Safety, Type};

use crate::arguments::{Arguments, Positional, ungrouped};
use crate::doubts::Doubts;
use crate::errors::Errors;
use crate::registration::{default_name, plain_name};
use crate::signature::{Parameter, allow_by_value, error_of, is_borrow, reject_unshared_error};
use crate::types::{argument_of, mentions, relocated};
use crate::{inject, item};

// #[service(dyn Trait,* crate = path)], above
//
// struct Service { fields }                      provides Arc<Service>, and Arc<dyn Trait> of each trait
// fn service(name: Type,*) -> Type               provides what it returns; no trait
// fn service(name: Type,*) -> Result<Type, E>
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    item::expand_attribute("service", &["crate"], Positional::Traits, arguments, item, |item, body, options, errors| {
        match (item, body) {
            (Item::Struct(item), _) => on_struct(item, &options, errors),
            (Item::Fn(item), body) => on_fn(item, body, &options, errors),
            (other, body) => on_other(&other, body, errors),
        }
    })
}

fn on_other(item: &Item, body: Option<Group>, errors: &mut Errors) -> TokenStream {
    errors.at(&item::name_of(item), "`#[service]` needs a struct, or a function that makes the service");
    item::put_back(body, item)
}

fn require_concrete(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => "a service lives as long as its mediator; remove the lifetime",
            _ => "a service is of one type; make it concrete, or provide each one by `.provide(…)`",
        };
        errors.at(parameter, message);
    }
}

fn on_struct(mut item: ItemStruct, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated(
        "service",
        &options.krate(),
        &mut item.attrs,
        errors,
        "name all traits in one, as in `#[service(dyn Mailer, dyn Clock)]`",
    );
    let attributes = item::lint_attributes(&item.attrs);
    let is_injected_later = item::is_injected_later(&options.krate(), &item.attrs);
    let (doubts, inject) = if is_injected_later {
        (Doubts::none(), TokenStream::new())
    } else {
        require_concrete(&item.generics, errors);
        inject::require_fields(&mut item.fields, "a service", errors);
        let doubts = Doubts::of_fields(&item.fields);
        let inject = inject::on_struct(&mut item, &doubts, options, errors);
        (doubts, inject)
    };
    // What is not concrete is an error of the macro that makes it `Inject`.
    let is_registered = errors.is_empty() && item.generics.params.is_empty();
    let registration = is_registered.then(|| register_struct(&item.ident, &doubts, options));
    let generated = item::with_lints(&attributes, quote!(#inject #registration));
    quote! {
        #item

        #generated
    }
}

fn register_struct(ident: &Ident, doubts: &Doubts, options: &Arguments) -> TokenStream {
    let krate = options.krate();
    let shown = doubts.shown(ident);
    let services = doubts.take_for_granted(Generics::default(), &krate).where_clause;
    let name = default_name(&plain_name(ident));
    let impls = options.types.iter().map(|ty| expand_provided_as(ident, ty, &krate));
    let aliases = options.types.iter().map(|ty| {
        let alias = arc_of(ty);
        quote!(#krate::__private::ServiceAlias::new::<#ident, #alias>())
    });
    let also = (!options.types.is_empty()).then(|| quote!(.also(const { &[#(#aliases),*] })));
    quote! {
        #[automatically_derived]
        impl #krate::__private::ModuleService for #ident #services {}

        #(#impls)*

        #krate::__private::inventory::submit! {
            #krate::__private::ServiceRegistration::of_struct::<#shown>(#name, ::core::module_path!()) #also
        }
    }
}

/// How the service becomes an `Arc<dyn Trait>`.
fn expand_provided_as(ident: &Ident, ty: &Type, krate: &Path) -> TokenStream {
    let alias = arc_of(ty);
    // Where it shows that the service does not implement the trait.
    let service = relocated(&quote_spanned!(Span::mixed_site()=> __service), ty);
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #krate::__private::ProvidedAs<#alias> for #ident {
            fn provided(__service: ::std::sync::Arc<Self>) -> #alias {
                #service
            }
        }
    }
}

fn arc_of(ty: &Type) -> TokenStream {
    relocated(&quote!(::std::sync::Arc<#ty>), ty)
}

/// The type that stands for the parameters, out of sight of the user's code; at the function's name, as that of a handler.
const HIDDEN: &str = "__MediatorService";

fn on_fn(mut item: ItemFn, body: Option<Group>, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated("service", &options.krate(), &mut item.attrs, errors, "remove this one");
    require_concrete(&item.sig.generics, errors);
    require_callable(&item, errors);
    if let Some(ty) = options.types.first() {
        errors.at(ty, "a function provides what it returns; return the `Arc` of this instead");
    }
    let provided = provided_by(&item, errors);
    let fields = injected(&mut item, errors);
    let generated = provided.map(|provided| expand_fn(&item, &provided, fields, options, errors));
    let generated = item::with_lints(&item::lint_attributes(&item.attrs), generated.unwrap_or_default());
    let by_value = (!item.sig.inputs.is_empty()).then(allow_by_value);
    let item = item::put_back(body, &item);
    quote! {
        #by_value
        #item

        #generated
    }
}

fn require_callable(item: &ItemFn, errors: &mut Errors) {
    if let Some(asyncness) = &item.sig.asyncness {
        errors.at(asyncness, "`build` does not wait for services; remove `async`, or provide it by `.provide(…)`");
    }
    if !matches!(item.sig.safety, Safety::Default) {
        errors.at(&item.sig.safety, "a service is made by safe code; make the function safe");
    }
}

/// What a function provides.
struct Provided {
    ty: Type,
    /// Of a function that returns a `Result`, the error or, if it is not spelled out, the `Result`.
    error: Option<Type>,
}

fn provided_by(item: &ItemFn, errors: &mut Errors) -> Option<Provided> {
    let ReturnType::Type(_, output) = &item.sig.output else {
        errors.at(&item.sig.ident, "a function provides what it returns; add the type, as in `-> Arc<Log>`");
        return None;
    };
    let fallible = argument_of(output, "Result");
    let provided = fallible.unwrap_or(output);
    if let Type::Reference(reference) = ungrouped(provided) {
        errors.at(reference, "a service is owned; return it by value, or in an `Arc`");
        return None;
    }
    if mentions(provided, "impl") {
        errors.at(provided, "a service is injected by its type; name it, or return an `Arc<dyn …>`");
        return None;
    }
    if is_nothing(provided) {
        errors.at(provided, "a function provides what it returns; return the service, as in `-> Arc<Log>`");
        return None;
    }
    reject_unshared_error(output, errors);
    let error = fallible.map(|_| error_of(output).unwrap_or(output).clone());
    Some(Provided { ty: provided.clone(), error })
}

/// `()` or `!`
fn is_nothing(provided: &Type) -> bool {
    match ungrouped(provided) {
        Type::Never(_) => true,
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        _ => false,
    }
}

/// The parameters, as fields of what holds them.
fn injected(item: &mut ItemFn, errors: &mut Errors) -> Vec<Field> {
    for input in &item.sig.inputs {
        match input {
            FnArg::Receiver(receiver) => {
                errors.at(receiver, "a service is made by a function; move it out of the impl");
            }
            FnArg::Typed(parameter) if is_borrow(&parameter.ty) => {
                let message = "a service is made before anything is published; take this by value, or in an `Arc`";
                errors.at(&parameter.ty, message);
            }
            FnArg::Typed(_) => {}
        }
    }
    let parameters = Parameter::parse_all(&mut item.sig, 0, None, errors).into_iter();
    let fields = parameters.filter_map(|parameter| match parameter {
        Parameter::Injected(field) => Some(*field),
        Parameter::Borrowed(_) => None,
    });
    fields.collect()
}

fn expand_fn(
    item: &ItemFn,
    provided: &Provided,
    mut fields: Vec<Field>,
    options: &Arguments,
    errors: &mut Errors,
) -> TokenStream {
    let krate = options.krate();
    let hidden = Ident::new(HIDDEN, item.sig.ident.span());
    let (derive, inject) =
        inject::on_handler(&hidden, &Generics::default(), &[], fields.iter_mut().collect(), options, errors);
    if !errors.is_empty() {
        return TokenStream::new();
    }
    let service_fn = expand_service_fn(item, provided, &fields, &hidden, &krate);
    let ty = &provided.ty;
    let name = default_name(&plain_name(&item.sig.ident));
    quote_spanned! {Span::mixed_site()=>
        const _: () = {
            #(#derive)*
            struct #hidden { #(#fields),* }

            #inject

            #service_fn

            #krate::__private::inventory::submit! {
                #krate::__private::ServiceRegistration::of_function::<#ty, #hidden>(#name, ::core::module_path!())
            }
        };
    }
}

/// What calls the function.
fn expand_service_fn(
    item: &ItemFn,
    provided: &Provided,
    fields: &[Field],
    hidden: &Ident,
    krate: &Path,
) -> TokenStream {
    let Provided { ty, error } = provided;
    let function = &item.sig.ident;
    let arguments = fields.iter().map(|Field { ident, .. }| quote_spanned!(Span::mixed_site()=> self.#ident));
    let call = quote_spanned!(Span::mixed_site()=> #function(#(#arguments),*));
    let body = match error {
        Some(error) => expand_fallible(&call, error, krate),
        None => quote!(::core::result::Result::Ok(#call)),
    };
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #krate::__private::ServiceFn for #hidden {
            type Provided = #ty;

            fn make(self) -> ::core::result::Result<#ty, #krate::InjectError> {
                #body
            }
        }
    }
}

/// An error that does not convert shows at `error_type`.
fn expand_fallible(call: &TokenStream, error_type: &Type, krate: &Path) -> TokenStream {
    let convert = relocated(&quote!(#krate::__private::service_error), error_type);
    let error = relocated(&quote_spanned!(Span::mixed_site()=> __error), error_type);
    quote_spanned! {Span::mixed_site()=>
        match #call {
            ::core::result::Result::Ok(__service) => ::core::result::Result::Ok(__service),
            ::core::result::Result::Err(__error) => ::core::result::Result::Err(#convert(#error)),
        }
    }
}
