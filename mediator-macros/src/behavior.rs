//! `#[behavior]`

use proc_macro2::{Group, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Item, ItemImpl, ItemStruct, Path, parse_quote};

use crate::arguments::{Arguments, Positional};
use crate::doubts::Doubts;
use crate::errors::Errors;
use crate::event_handler::{ASYNC_TRAIT, reject_async_trait, reject_trait_of_others, without_async_trait};
use crate::registration::{BehaviorRegistration, is_function, plain_name};
use crate::types::{first_argument, last_ident, relocated, without_self};
use crate::{inject, item};

const OPTIONS: &[&str] = &["order", "after", "before", "lends", "crate"];

// #[behavior(Message,* option,*)], above
//
// struct Type { fields }                         the messages whose handlers it runs around; none for all
// impl Behavior<Message> for Type { … }          no message; without `<Message>` for all
//
// option: order = integer | after = behaviors | before = behaviors | lends(reference,*) | crate = path
pub(crate) fn expand(arguments: &TokenStream, item: TokenStream) -> TokenStream {
    item::expand_attribute("behavior", OPTIONS, Positional::Messages, arguments, item, |item, body, options, errors| {
        reject_functions(&options, errors);
        match (item, body) {
            (Item::Struct(item), _) => {
                let ident = &item.ident;
                let options = options.without_self(&parse_quote!(#ident));
                on_struct(item, &options, errors)
            }
            (Item::Impl(item), body) => {
                let options = options.without_self(&item.self_ty);
                on_impl(item, body, &options, errors)
            }
            (other, body) => on_other(&other, body, errors),
        }
    })
}

fn on_other(item: &Item, body: Option<Group>, errors: &mut Errors) -> TokenStream {
    errors.at(&item::name_of(item), "`#[behavior]` needs a struct or an `impl Behavior for …` block");
    item::put_back(body, item)
}

/// `after = update_stats`
fn reject_functions(options: &Arguments, errors: &mut Errors) {
    for function in options.after.iter().chain(&options.before).filter(|behavior| is_function(behavior)) {
        let message = "a behavior runs before or after another behavior, and in lower case this names a function; \
                       name that one's type, one in lower case by an alias, as in `type Timing = timing;`";
        errors.at(function, message);
    }
}

fn on_struct(mut item: ItemStruct, options: &Arguments, errors: &mut Errors) -> TokenStream {
    let instead = "name all messages in one, as in `#[behavior(PlaceOrder, CancelOrder)]`";
    item::reject_repeated("behavior", &options.krate(), &mut item.attrs, errors, instead);
    let attributes = item::lint_attributes(&item.attrs);
    let inject = if item::is_injected_later(&options.krate(), &item.attrs) {
        TokenStream::new()
    } else {
        require_concrete(&item.generics, errors);
        inject::require_fields(&mut item.fields, "a behavior", errors);
        inject::on_struct(&mut item, &Doubts::none(), options, errors)
    };
    // What is not concrete is an error of the macro that makes it `Inject`.
    let is_registered = errors.is_empty() && item.generics.params.is_empty();
    let registrations = is_registered.then(|| register_struct(&item, options));
    let registrations = item::with_lints(&attributes, quote!(#inject #registrations));
    quote! {
        #item

        #registrations
    }
}

fn register_struct(item: &ItemStruct, options: &Arguments) -> TokenStream {
    let name = plain_name(&item.ident);
    let register = |message, behavior| BehaviorRegistration { message, behavior, name: &name, options }.expand();
    if options.types.is_empty() {
        return register(None, item.ident.to_token_stream());
    }
    // At the message, which is where it is missing if there is no `impl Behavior` for it.
    options.types.iter().map(|message| register(Some(message), relocated(&item.ident, message))).collect()
}

fn on_impl(mut item: ItemImpl, body: Option<Group>, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated("behavior", &options.krate(), &mut item.attrs, errors, "remove this one");
    require_concrete(&item.generics, errors);
    for message in &options.types {
        errors.at(message, "on an impl block the message is read from the trait; remove it here");
    }
    reject_trait_of_others(&item, "Behavior", errors);
    reject_async_trait(&mut item.attrs, ASYNC_TRAIT, errors);
    let body = without_async_trait(body, Some(expand_stub(&item, &options.krate())), errors);
    let registration = register_impl(&item, options, errors);
    let registration = errors.is_empty().then(|| item::with_lints(&item::lint_attributes(&item.attrs), registration));
    let item = item::put_back(body, &item);
    quote! {
        #item

        #registration
    }
}

fn register_impl(item: &ItemImpl, options: &Arguments, errors: &mut Errors) -> TokenStream {
    let Some(((trait_, _), ident)) = item.trait_.as_ref().zip(last_ident(&item.self_ty)) else {
        let message = "`#[behavior]` needs `impl Behavior for SomeType`, or `impl Behavior<SomeMessage> for SomeType`";
        errors.at(&item.self_ty, message);
        return TokenStream::new();
    };
    let message = first_argument(trait_).map(|message| without_self(message, &item.self_ty));
    let behavior = item.self_ty.to_token_stream();
    BehaviorRegistration { message: message.as_ref(), behavior, name: &plain_name(ident), options }.expand()
}

/// A `handle` that compiles.
fn expand_stub(item: &ItemImpl, krate: &Path) -> TokenStream {
    let message = item.trait_.as_ref().and_then(|(path, _)| first_argument(path));
    let message = message.map_or_else(|| quote!(#krate::AnyMessage), ToTokens::to_token_stream);
    quote! {
        async fn handle(&self, _: #krate::Call<'_, #message>) -> #krate::Outcome<#message> {
            ::core::unimplemented!()
        }
    }
}

fn require_concrete(generics: &Generics, errors: &mut Errors) {
    for parameter in &generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => {
                "a behavior lives as long as its mediator; remove the lifetime, and hold what it borrows in an `Arc`"
            }
            _ => {
                "a registered behavior must be concrete; \
                 add this one by hand, as in `.behavior(Timing::<Postgres>::new())`"
            }
        };
        errors.at(parameter, message);
    }
}
