//! What stands in the parentheses of an attribute.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{LitBool, LitInt, LitStr, Path, Token, Type, bracketed, token};

use crate::errors::Errors;

/// Every argument that any of the macros takes.
#[derive(Default)]
pub(crate) struct Arguments {
    /// `OrderPlaced, OrderCancelled`
    pub(crate) events: Vec<Type>,
    /// `name = "orders.placed"`
    pub(crate) name: Option<LitStr>,
    /// `new = false`
    pub(crate) new: Option<LitBool>,
    /// `order = -10`
    pub(crate) order: Option<i32>,
    /// `after = ReserveStock`
    pub(crate) after: Vec<Type>,
    /// `before = [Audit, notifications::SendEmail]`
    pub(crate) before: Vec<Type>,
    /// `crate = path`
    krate: Option<Path>,
    seen: Vec<Ident>,
}

impl Arguments {
    /// Parses `Type, Type, key = value, …`, of which `keys` and, if `events`, types are accepted.
    ///
    /// After an error it goes on behind the next comma.
    pub(crate) fn parse(tokens: TokenStream, keys: &[&str], events: bool, errors: &mut Errors) -> Self {
        let mut arguments = Self::default();
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = arguments.parse_one(input, keys, events) {
                    errors.push(error);
                    skip_to_comma(input)?;
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        arguments
    }

    fn parse_one(&mut self, input: ParseStream<'_>, keys: &[&str], events: bool) -> syn::Result<()> {
        let key = input.peek(Ident::peek_any) && input.peek2(Token![=]);
        if !key && events {
            self.events.push(input.parse()?);
            return Ok(());
        }
        let key = input.call(Ident::parse_any)?;
        if !keys.contains(&key.to_string().as_str()) {
            return Err(unknown_key(&key, keys));
        }
        if self.seen.contains(&key) {
            return Err(syn::Error::new(key.span(), format!("`{key}` is given twice; remove one of the two")));
        }
        self.seen.push(key.clone());
        input.parse::<Token![=]>()?;
        match key.to_string().as_str() {
            "name" => self.name = Some(input.parse()?),
            "new" => self.new = Some(input.parse()?),
            "order" => self.order = Some(parse_order(input)?),
            "after" => self.after = parse_handlers(input)?,
            "before" => self.before = parse_handlers(input)?,
            _ => self.krate = Some(input.call(Path::parse_mod_style)?),
        }
        Ok(())
    }

    /// The path of the runtime.
    pub(crate) fn krate(&self) -> Path {
        self.krate.clone().unwrap_or_else(|| syn::parse_quote!(::mediator_core))
    }
}

fn unknown_key(key: &Ident, keys: &[&str]) -> syn::Error {
    let known: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
    syn::Error::new(key.span(), format!("unknown option `{key}`; there are {}", known.join(", ")))
}

/// `10` or `-10`
fn parse_order(input: ParseStream<'_>) -> syn::Result<i32> {
    let minus = input.parse::<Option<Token![-]>>()?;
    let literal: LitInt = input.parse()?;
    let sign = if minus.is_some() { "-" } else { "" };
    format!("{sign}{}", literal.base10_digits())
        .parse()
        .map_err(|_| syn::Error::new(literal.span(), "`order` must fit an `i32`"))
}

/// `Type` or `[Type, Type]`
fn parse_handlers(input: ParseStream<'_>) -> syn::Result<Vec<Type>> {
    if !input.peek(token::Bracket) {
        return Ok(vec![input.parse()?]);
    }
    let handlers;
    bracketed!(handlers in input);
    Ok(handlers.parse_terminated(Type::parse, Token![,])?.into_iter().collect())
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// The name that users see: `name = "…"`, or the path of what `ident` names.
pub(crate) fn display_name(name: Option<&LitStr>, ident: &Ident) -> TokenStream {
    match name {
        Some(name) => quote::quote!(#name),
        None => {
            let name = LitStr::new(&format!("::{}", ident.unraw()), Span::call_site());
            quote::quote!(::core::concat!(::core::module_path!(), #name))
        }
    }
}
