//! `#[event_handler]` and `#[request_handler]` on a function, and what they share with the methods of `#[event_handlers]` and
//! `#[request_handlers]`.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Attribute, Field, Generics, ItemFn, Path, ReturnType, Type};

use crate::arguments::Arguments;
use crate::doubts::Doubts;
use crate::errors::Errors;
use crate::item;
use crate::kind::Kind;
use crate::receiver::Receiver;
use crate::registration::{Function, Registration, expand_message, plain_name};
use crate::signature::{Borrowed, HandlerSignature, Parameter};
use crate::types::relocated;

pub(crate) fn on_fn(mut item: ItemFn, body: Option<Group>, options: &Arguments, errors: &mut Errors) -> TokenStream {
    item::reject_repeated(options.kind.attribute(), &options.krate(), &mut item.attrs, errors, "remove this one");
    let signature = HandlerSignature::parse(&mut item.sig, None, options, errors);
    let handler = signature.as_ref().map(|signature| {
        let function = item.sig.ident.to_token_stream();
        let name = plain_name(&item.sig.ident);
        let handler = FnHandler { function: &function, self_ty: None, name, position: 0, signature, options };
        handler.expand(&item::lint_attributes(&item.attrs), errors)
    });
    let allowed = signature.as_ref().and_then(HandlerSignature::allow_parameters);
    let item = item::put_back(body, &item);
    quote! {
        #allowed
        #item

        #handler
    }
}

/// The type that stands for the function, out of sight of the user's code.
///
/// It has the place of the function's name, so that rustc says the same of a parameter's type that does not exist as it does of
/// the function, and says it once.
const HIDDEN: &str = "__MediatorHandlerFn";

/// A handler that is a function or a method.
pub(crate) struct FnHandler<'a> {
    /// `update_stats` or `<Triage>::closed`
    pub(crate) function: &'a TokenStream,
    /// The type of a method.
    pub(crate) self_ty: Option<&'a Type>,
    /// The path that users see, behind the module's.
    pub(crate) name: String,
    /// How many methods come before it in its block.
    pub(crate) position: usize,
    pub(crate) signature: &'a HandlerSignature,
    pub(crate) options: &'a Arguments,
}

impl FnHandler<'_> {
    /// What the runtime needs, in a scope of its own, so that the user's names stay the user's; nothing after an error.
    pub(crate) fn expand(&self, attributes: &[Attribute], errors: &mut Errors) -> TokenStream {
        let krate = self.options.krate();
        let hidden = Ident::new(HIDDEN, self.signature.ident.span());
        let fields: Vec<Field> = self.signature.injected().cloned().collect();
        let doubts = Doubts::of_parameters(&fields);
        let services = doubts.take_for_granted(Generics::default(), &krate);
        let receiver = Receiver::of(self.self_ty, fields);
        let declaration = receiver.expand_declaration(&hidden, &services, self.options, errors);
        if !errors.is_empty() {
            return TokenStream::new();
        }
        let handler = self.expand_impl(&hidden, &receiver, &services);
        let registration = self.expand_registration(doubts.shown(&hidden), &receiver.names());
        let check = self.expand_check(&krate);
        quote_spanned! {Span::mixed_site()=>
            #(#attributes)*
            const _: () = {
                #declaration

                #handler

                #registration

                #check
            };
        }
    }

    fn expand_impl(&self, hidden: &Ident, receiver: &Receiver<'_>, services: &Generics) -> TokenStream {
        let krate = self.options.krate();
        let message = expand_message(&self.signature.message, &krate);
        let (ty, call) = (receiver.expand_type(hidden, &krate), self.expand_call(receiver));
        let borrows = self.expand_borrows(&krate);
        let lent = if borrows.is_some() { quote_spanned!(Span::mixed_site()=> __lent) } else { quote!(_) };
        let (trait_name, future, body) = match self.options.kind {
            Kind::Event => (quote!(FnHandler), self.expand_event_future(&krate), self.expand_body(&call, &krate)),
            Kind::Request => {
                (quote!(FnRequestHandler), self.expand_request_future(&krate), self.expand_request_body(&call))
            }
        };
        let returned = self.expand_returned(&message, &krate);
        let returned = (self.options.kind == Kind::Request).then(|| quote!(type Returned = #returned;));
        let parameter = self.parameter();
        let where_clause = &services.where_clause;
        quote_spanned! {Span::mixed_site()=>
            #[automatically_derived]
            impl #krate::__private::#trait_name<#message> for #hidden #where_clause {
                type Receiver = #ty;

                #returned

                #borrows

                fn call<'a>(
                    __receiver: &'a Self::Receiver,
                    #parameter: &'a #message,
                    #lent: #krate::__private::Lent<'a>,
                ) -> #future {
                    #body
                }
            }
        }
    }

    fn expand_event_future(&self, krate: &Path) -> TokenStream {
        relocated(&quote!(impl #krate::HandlerFuture), &self.signature.place_of_output())
    }

    fn expand_request_future(&self, krate: &Path) -> TokenStream {
        let future = quote!(impl ::core::future::Future<Output = Self::Returned> + ::core::marker::Send);
        let future = relocated(&future, &self.signature.place_of_output());
        quote_spanned!(Span::mixed_site()=> ::core::result::Result<#future, #krate::__private::BorrowError<'a>>)
    }

    /// What the function returns, as it is spelled.
    fn expand_returned(&self, request: &TokenStream, krate: &Path) -> TokenStream {
        match &self.signature.output {
            ReturnType::Type(_, _) if self.signature.never_returns() => quote!(<#request as #krate::Request>::Output),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
            ReturnType::Default => quote_spanned!(self.signature.ident.span()=> ()),
        }
    }

    fn expand_borrows(&self, krate: &Path) -> Option<TokenStream> {
        let borrows: Vec<_> = self.signature.borrowed().map(|borrowed| borrowed.expand_constant(krate)).collect();
        (!borrows.is_empty()).then(|| {
            quote! {
                const BORROWS: &'static [#krate::__private::Borrow] = &[#(#borrows),*];
            }
        })
    }

    /// The future of one call of a request's handler, or why it cannot borrow. The future keeps what is borrowed.
    fn expand_request_body(&self, call: &TokenStream) -> TokenStream {
        let guards: Vec<_> = self.signature.borrowed().enumerate().map(|(i, it)| it.expand_guard(i)).collect();
        let awaited = self.signature.is_async.then(|| quote!(.await));
        let future = match (self.signature.never_returns(), self.signature.is_async && guards.is_empty()) {
            (false, true) => call.clone(),
            (false, false) => quote!(async move { #call #awaited }),
            (true, _) => quote_spanned! {Span::mixed_site()=>
                #[allow(unreachable_code, clippy::diverging_sub_expression)]
                async move {
                    let __answer: Self::Returned = #call #awaited;
                    __answer
                }
            },
        };
        quote! {
            #(#guards)*
            ::core::result::Result::Ok(#future)
        }
    }

    /// The future of one call; what it borrows stays borrowed until the function's own future is gone.
    fn expand_body(&self, call: &TokenStream, krate: &Path) -> TokenStream {
        let awaited = self.signature.is_async.then(|| quote!(.await));
        let never = self.signature.never_returns();
        let ty = never.then(|| quote!(: ()));
        let guards: Vec<_> = self.signature.borrowed().enumerate().map(|(i, it)| it.expand_guard(i)).collect();
        if guards.is_empty() && !never {
            return if self.signature.is_async { call.clone() } else { quote!(async move { #call }) };
        }
        let output = relocated(&quote_spanned!(Span::mixed_site()=> __output), &self.signature.place_of_output());
        let result =
            if guards.is_empty() { quote!(#output) } else { quote!(#krate::HandlerOutput::into_result(#output)) };
        let unreachable = never.then(|| quote!(#[allow(unreachable_code, clippy::diverging_sub_expression)]));
        quote_spanned! {Span::mixed_site()=>
            #unreachable
            async move {
                #(#guards)*
                let __output #ty = #call #awaited;
                #result
            }
        }
    }

    fn expand_call(&self, receiver: &Receiver<'_>) -> TokenStream {
        let function = self.function;
        let (mut injected, mut borrowed) = (0, 0);
        let arguments = self.signature.parameters.iter().map(|parameter| match parameter {
            Parameter::Injected(field) => {
                injected += 1;
                let member = receiver.expand_member(field, injected - 1);
                quote_spanned!(Span::mixed_site()=> ::core::clone::Clone::clone(&__receiver.#member))
            }
            Parameter::Borrowed(parameter) => {
                borrowed += 1;
                parameter.expand_argument(borrowed - 1)
            }
        });
        let arguments: Vec<_> = arguments.collect();
        let receiver = self.self_ty.map(|_| quote_spanned!(Span::mixed_site()=> __receiver,));
        let parameter = self.parameter();
        quote_spanned!(Span::mixed_site()=> #function(#receiver #parameter, #(#arguments),*))
    }

    /// The event or the request.
    fn parameter(&self) -> Ident {
        Ident::new(&format!("__{}", self.options.kind.noun()), Span::mixed_site())
    }

    fn expand_registration(&self, handler: TokenStream, parameters: &[String]) -> TokenStream {
        let Self { function, name, signature, options, .. } = self;
        let krate = options.krate();
        let message = expand_message(&signature.message, &krate);
        let returned = (options.kind == Kind::Request).then(|| self.expand_returned(&message, &krate));
        let method = self.self_ty.map(|_| &signature.ident);
        let (position, returned) = (self.position, returned.as_ref());
        let function = Function { item: function, position, method, parameters, returned };
        Registration { message: &signature.message, handler, function: Some(function), name, options }.expand()
    }

    /// Has rustc compare what the attribute names with what the function takes.
    fn expand_check(&self, krate: &Path) -> Option<TokenStream> {
        let named = self.signature.named.as_ref()?;
        let named = expand_message(named, krate);
        let taken = expand_message(&self.signature.message, krate);
        let same = relocated(&quote!(#krate::__private::same_message), &named);
        Some(quote!(const _: () = #same::<#named, #taken>();))
    }
}

impl Borrowed {
    /// What the runtime knows of it before any handler starts.
    pub(crate) fn expand_constant(&self, krate: &Path) -> TokenStream {
        let Self { name, ty, .. } = self;
        let method = self.method();
        let optional = self.is_optional.then(|| quote!(.optional()));
        quote!(#krate::__private::Borrow::#method::<#ty>(#name) #optional)
    }

    fn method(&self) -> Ident {
        format_ident!("{}", if self.is_exclusive { "exclusive" } else { "shared" })
    }

    /// Borrows it.
    fn expand_guard(&self, index: usize) -> TokenStream {
        let Self { name, ty, .. } = self;
        let method = self.method();
        let guard = guard(index);
        let mutable = self.is_exclusive.then(|| quote!(mut));
        if self.is_optional {
            let method = format_ident!("{method}_if_free");
            return quote_spanned!(Span::mixed_site()=> let #mutable #guard = __lent.#method::<#ty>(#name););
        }
        quote_spanned!(Span::mixed_site()=> let #mutable #guard = __lent.#method::<#ty>(#name)?;)
    }

    /// Passes on what is borrowed.
    fn expand_argument(&self, index: usize) -> TokenStream {
        let guard = guard(index);
        match (self.is_optional, self.is_exclusive) {
            (false, false) => quote!(&*#guard),
            (false, true) => quote!(&mut *#guard),
            (true, false) => quote!(#guard.as_deref()),
            // Not `as_deref_mut`, which a `&mut dyn Trait` in an `Option` would not outgrow: it must coerce.
            (true, true) => quote_spanned! {Span::mixed_site()=>
                match &mut #guard {
                    ::core::option::Option::Some(__lent) => ::core::option::Option::Some(&mut **__lent),
                    ::core::option::Option::None => ::core::option::Option::None,
                }
            },
        }
    }
}

fn guard(index: usize) -> Ident {
    Ident::new(&format!("__borrowed_{index}"), Span::mixed_site())
}
