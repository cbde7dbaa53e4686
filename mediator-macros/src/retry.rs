//! `timeout = "2s"` and `retry(attempts = 3, base = "50ms", cap = "1s")` of a handler.

use std::time::Duration;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::ParseStream;
use syn::{LitInt, LitStr, Path, Type};

use crate::TOKIO;
use crate::arguments::{Arguments, Positional};
use crate::errors::Errors;
use crate::kind::Kind;
use crate::signature::{HandlerSignature, lender};
use crate::types::relocated;

/// What stands in the parentheses of `retry`.
const OPTIONS: &[&str] = &["attempts", "base", "cap"];

/// `retry(…)`; what is left out is the runtime's to say.
pub(crate) struct Retry {
    /// The word itself.
    key: Ident,
    attempts: Option<u32>,
    base: Option<Duration>,
    cap: Option<Duration>,
}

impl Retry {
    /// The options in the parentheses behind `key`.
    pub(crate) fn parse(key: Ident, options: TokenStream) -> syn::Result<Self> {
        let mut errors = Errors::default();
        let Arguments { attempts, base, cap, .. } =
            Arguments::parse(options, OPTIONS, Positional::Nothing, &mut errors);
        if let (Some(base), Some((cap, literal))) = (base.as_ref().map(|(base, _)| base), &cap)
            && cap < base
        {
            errors.at(literal, "`cap` is the longest pause, and must not be shorter than `base`, the first one");
        }
        errors.into_result()?;
        Ok(Self { key, attempts, base: base.map(|(base, _)| base), cap: cap.map(|(cap, _)| cap) })
    }

    /// A second run would not undo what the first has written through a `&mut`.
    pub(crate) fn require_repeatable(&self, handler: &HandlerSignature, kind: Kind, errors: &mut Errors) {
        if let Some(borrowed) = handler.borrowed().find(|borrowed| borrowed.is_exclusive) {
            let (name, lender) = (&borrowed.name, lender(kind));
            let message = format!(
                "a second run would not undo what the first has written through `{name}`; remove `retry`, and \
                 retry from outside of what lends it: by a `Retry` around the behavior that does, or around the {lender}"
            );
            errors.at(&self.key, message);
        }
    }

    fn expand(&self, krate: &Path) -> TokenStream {
        let options = self.expand_options();
        quote!(#krate::Retry::new() #options)
    }

    /// What is given, for whatever retries.
    pub(crate) fn expand_options(&self) -> TokenStream {
        let attempts = self.attempts.map(|attempts| quote!(.attempts(#attempts)));
        let base = self.base.map(expand_duration).map(|base| quote!(.base(#base)));
        let cap = self.cap.map(expand_duration).map(|cap| quote!(.cap(#cap)));
        quote!(#attempts #base #cap)
    }
}

/// `.around(…)` with the behaviors that the options put around a handler of `message`, outermost first; each attempt has the
/// timeout.
pub(crate) fn expand_around(
    message: &Type,
    is_function: bool,
    options: &Arguments,
    krate: &Path,
) -> Option<TokenStream> {
    // That of a durable handler is its outbox's.
    let retry = options.retry.as_ref().filter(|_| options.durable.is_none()).map(|retry| retry.expand(krate));
    let timeout = options.timeout.map(|limit| {
        let limit = expand_duration(limit);
        quote!(#krate::Timeout::new(#limit))
    });
    let behavior = |behavior| match options.kind {
        Kind::Event => quote!(of_event(#behavior)),
        // The request stands where it does in the registration, so that rustc says once that it is none.
        Kind::Request if is_function => {
            let place = message.to_token_stream().into_iter().next();
            let request = relocated(&quote!(::core::marker::PhantomData::<#message>), &place);
            quote!(of_request(#behavior, #request))
        }
        Kind::Request => quote!(of_request::<#message, _>(#behavior, ::core::marker::PhantomData)),
    };
    let behaviors = retry.into_iter().chain(timeout).map(behavior);
    let behaviors: Vec<_> =
        behaviors.map(|behavior| quote!(|| #krate::__private::HandlerBehavior::#behavior)).collect();
    (!behaviors.is_empty()).then(|| quote!(.around(const { &[#(#behaviors),*] })))
}

fn expand_duration(duration: Duration) -> TokenStream {
    let milliseconds = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#milliseconds))
}

/// An error at the option if the runtime lacks what it needs.
pub(crate) fn require_timer(key: &Ident) -> syn::Result<()> {
    if TOKIO {
        return Ok(());
    }
    let message = format!(
        "`{key}` needs the feature `tokio` of `mediator-core`; add `features = [\"tokio\"]` to it in `Cargo.toml`"
    );
    Err(syn::Error::new(key.span(), message))
}

/// `3`, but not `0`
pub(crate) fn parse_attempts(input: ParseStream<'_>) -> syn::Result<u32> {
    let literal: LitInt = input.parse()?;
    match literal.base10_parse() {
        Ok(0) => Err(syn::Error::new(literal.span(), "the first run is an attempt, too")),
        Ok(attempts) => Ok(attempts),
        Err(_) => Err(syn::Error::new(literal.span(), "`attempts` must fit a `u32`")),
    }
}

/// `"50ms"`, with where it stands
pub(crate) fn parse_duration(input: ParseStream<'_>) -> syn::Result<(Duration, LitStr)> {
    let expected = || syn::Error::new(input.span(), "expected a duration in `ms`, `s`, `m` or `h`");
    let literal: LitStr = input.fork().parse().map_err(|_| expected())?;
    let text = literal.value();
    let (count, unit) = split(&text).ok_or_else(expected)?;
    let duration = count.parse::<u64>().ok().and_then(|count| count.checked_mul(unit)).map(Duration::from_millis);
    input.parse::<LitStr>()?;
    match duration {
        Some(duration) => Ok((duration, literal)),
        None => Err(syn::Error::new_spanned(literal, "this is longer than can be counted")),
    }
}

/// A limit that is not over at once.
pub(crate) fn parse_limit(input: ParseStream<'_>) -> syn::Result<Duration> {
    let (limit, literal) = parse_duration(input)?;
    if limit.is_zero() { Err(syn::Error::new_spanned(literal, "this leaves no time at all")) } else { Ok(limit) }
}

/// The digits of `50ms`, `2s`, `5m` or `1h`, and how many milliseconds the unit has.
fn split(text: &str) -> Option<(&str, u64)> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0)?;
    let (count, unit) = text.split_at(unit);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    Some((count, milliseconds))
}
