//! `#[request]`

use proc_macro2::{Group, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Generics, Ident, Item, PathArguments, Type, WhereClause, parse_quote};

use crate::arguments::{Arguments, Positional, ungrouped};
use crate::errors::Errors;
use crate::event::{require_no_lifetime, require_owned};
use crate::notification::Declared;
use crate::types::{arguments_of, hides_borrow, mentions, relocated};
use crate::{item, types};

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
    match &mut item {
        Item::Struct(item) => require_owned(item, "requests", errors),
        Item::Enum(item) => require_no_lifetime(&item.generics, "requests", errors),
        _ => {}
    }
    options.types.iter().for_each(|answer| reject_result(answer, errors));
    let is_owned = options.types.iter().chain(&options.error).all(|ty| require_owned_answer(ty, errors));
    let expanded = match &mut item {
        // rustc would say it again of each line that names the type.
        Item::Struct(_) | Item::Enum(_) | Item::Union(_) if !is_owned => TokenStream::new(),
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

/// An answer outlives the request and its handler, and is of one type.
fn require_owned_answer(answer: &Type, errors: &mut Errors) -> bool {
    let message = match ungrouped(answer) {
        _ if hides_borrow(answer.to_token_stream()) => types::OWNED_ANSWER,
        Type::TraitObject(_) => "an answer has a size; answer with a `Box<dyn … + Send>`, or an `Arc`",
        _ if mentions(answer, "impl") => "an answer is of one type; name it, or answer with a `Box<dyn … + Send>`",
        _ => return true,
    };
    errors.at(answer, message);
    false
}

fn on_type(
    attributes: &mut Vec<Attribute>,
    ident: &Ident,
    generics: &Generics,
    options: &Arguments,
    errors: &mut Errors,
) -> TokenStream {
    item::reject_repeated("request", &options.krate(), attributes, errors, "remove this one");
    item::reject_other_messages("request", &options.krate(), attributes, errors);
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
        Some(_) => (result.clone(), quote!(__output)),
        None => (response.clone(), quote!(::core::result::Result::Ok(__output))),
    };
    // Where a type shows that is more private than the request.
    let answer_given = options.types.first();
    let place_of = |ty: Option<&Type>| ty.map_or_else(|| ident.to_token_stream(), ToTokens::to_token_stream);
    let response_type = associated("Response", &response, &place_of(answer_given));
    let error_type = associated("Error", &error, &place_of(options.error.as_ref()));
    let output_type = associated("Output", &output, &place_of(answer_given.or(options.error.as_ref())));
    let name = declared.name();
    let where_clause = where_clause(declared, &response, &error);
    let (impl_generics, _, _) = generics.split_for_impl();
    let arguments = arguments_of(generics);
    quote! {
        #[automatically_derived]
        #(#lints)*
        impl #impl_generics #krate::Message for #ident #arguments #where_clause {
            #response_type
            #error_type
            type Kind = #krate::__private::OfRequest;
        }

        #[automatically_derived]
        #(#lints)*
        impl #impl_generics #krate::Request for #ident #arguments #where_clause {
            #response_type
            #error_type
            #output_type

            fn into_result(__output: #output) -> #result {
                #answer
            }

            fn error_from(
                __error: #krate::__private::BoxError,
            ) -> ::core::result::Result<#error, #krate::__private::BoxError> {
                #[allow(unused_imports)]
                use #krate::__private::RecoverOther as _;
                #krate::__private::Recover::<#error>::new().recover(__error)
            }

            fn error_text(__error: &#error) -> ::core::option::Option<::std::string::String> {
                #[allow(unused_imports)]
                use #krate::__private::RecoverOther as _;
                #krate::__private::Recover::<#error>::new().text(__error)
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

/// `type Response = OrderConfirmation;`, all of which shows at `place`.
fn associated(name: &str, ty: &TokenStream, place: &TokenStream) -> TokenStream {
    let name = Ident::new(name, Span::call_site());
    let (keyword, name, end) = (quote!(type), quote!(#name), quote!(;));
    let [keyword, name, end] = [keyword, name, end].map(|token| relocated(&token, place));
    quote!(#keyword #name = #ty #end)
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
