//! `#[request]`

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Generics, Ident, Item, PathArguments, Type, WhereClause, parse_quote};

use crate::arguments::{Arguments, Positional, ungrouped};
use crate::errors::Errors;
use crate::event::require_owned;
use crate::item;
use crate::notification::Declared;
use crate::types::mentions;

// #[request] or #[request(Answer? option,*)], above a struct, an enum or a union
//
// option: error = Type | name = "…" | crate = path
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    item::expand_attribute(
        "request",
        &["error", "name", "crate"],
        Positional::Answer,
        arguments,
        item,
        |item, body, options, errors| on_item(item, body, &options, errors),
    )
}

fn on_item(mut item: Item, body: Option<Group>, options: &Arguments, errors: &mut Errors) -> TokenStream {
    if let Item::Struct(item) = &mut item {
        require_owned(item, "requests", errors);
    }
    options.types.iter().for_each(|answer| reject_result(answer, errors));
    let expanded = match &mut item {
        Item::Struct(item) => on_type(&mut item.attrs, &item.ident, &item.generics, options, errors),
        Item::Enum(item) => on_type(&mut item.attrs, &item.ident, &item.generics, options, errors),
        Item::Union(item) => on_type(&mut item.attrs, &item.ident, &item.generics, options, errors),
        other => {
            errors.at(&item::name_of(other), "`#[request]` needs a struct or an enum");
            TokenStream::new()
        }
    };
    let item = item::put_back(body, &item);
    quote! {
        #item

        #expanded
    }
}

/// `#[request(Result<OrderConfirmation, OrderError>)]`
fn reject_result(answer: &Type, errors: &mut Errors) {
    let Type::Path(path) = ungrouped(answer) else { return };
    let Some(last) = path.path.segments.last() else { return };
    if last.ident == "Result" && matches!(last.arguments, PathArguments::AngleBracketed(_)) {
        let message =
            "name what the `Ok` holds, and the error apart, as in `#[request(OrderConfirmation, error = OrderError)]`";
        errors.at(answer, message);
    }
}

fn on_type(
    attributes: &mut Vec<Attribute>,
    ident: &Ident,
    generics: &Generics,
    options: &Arguments,
    errors: &mut Errors,
) -> TokenStream {
    item::reject_repeated("request", &options.krate(), attributes, errors, "remove this one");
    let lints = item::lint_attributes(attributes.iter());
    let declared = Declared { ident, generics, lints: &lints, options };
    let request = expand_impl(&declared);
    let registration = declared.registration("RequestRegistration", None);
    quote! {
        #request

        #registration
    }
}

fn expand_impl(declared: &Declared<'_>) -> TokenStream {
    let Declared { ident, generics, lints, options } = declared;
    let krate = options.krate();
    let response = options.types.first().map_or_else(|| quote!(()), ToTokens::to_token_stream);
    let error = options.error.as_ref().map_or_else(|| quote!(#krate::SendError), ToTokens::to_token_stream);
    // Not `Self::Response`, which would be a further error where `Self` cannot be a request.
    let result = quote!(::core::result::Result<#response, #error>);
    let (output, answer) = match options.error {
        Some(_) => (result.clone(), quote!(output)),
        None => (response.clone(), quote!(::core::result::Result::Ok(output))),
    };
    let name = declared.name();
    let where_clause = where_clause(declared, &response, &error);
    let (impl_generics, type_generics, _) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        #(#lints)*
        impl #impl_generics #krate::Message for #ident #type_generics #where_clause {
            type Response = #response;
            type Error = #error;
            type Kind = #krate::__private::OfRequest;
        }

        #[automatically_derived]
        #(#lints)*
        impl #impl_generics #krate::Request for #ident #type_generics #where_clause {
            type Response = #response;
            type Error = #error;
            type Output = #output;

            fn into_result(output: #output) -> #result {
                #answer
            }

            fn error_from(
                error: #krate::__private::BoxError,
            ) -> ::core::result::Result<#error, #krate::__private::BoxError> {
                #[allow(unused_imports)]
                use #krate::__private::RecoverOther as _;
                #krate::__private::Recover::<#error>::new().recover(error)
            }

            fn error_text(error: &#error) -> ::core::option::Option<::std::string::String> {
                #[allow(unused_imports)]
                use #krate::__private::RecoverOther as _;
                #krate::__private::Recover::<#error>::new().text(error)
            }

            #krate::__private::response_text!(#response);

            fn request_name() -> &'static ::core::primitive::str {
                #name
            }

            fn declared_at() -> ::core::option::Option<&'static ::core::panic::Location<'static>> {
                ::core::option::Option::Some(::core::panic::Location::caller())
            }
        }
    }
}

/// The user's where clause; for a generic request, also that it can be sent and answered at all.
fn where_clause(declared: &Declared<'_>, response: &TokenStream, error: &TokenStream) -> Option<WhereClause> {
    let mut where_clause = declared.where_clause()?;
    let depends = |ty: &TokenStream| declared.generics.type_params().any(|it| mentions(ty, &it.ident.to_string()));
    if depends(response) {
        where_clause.predicates.push(parse_quote!(#response: ::core::marker::Send + 'static));
    }
    if depends(error) {
        let krate = declared.options.krate();
        where_clause.predicates.push(parse_quote!(#error: #krate::RequestError));
    }
    Some(where_clause)
}
