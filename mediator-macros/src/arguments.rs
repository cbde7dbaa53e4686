//! What stands in the parentheses of an attribute.

use std::time::Duration;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, LitBool, LitInt, LitStr, Meta, Path, Token, Type, parse_quote, token};

use crate::errors::Errors;
use crate::kind::Kind;
use crate::registration::is_function;
use crate::retry::{self, Retry};
use crate::signature::Borrowed;
use crate::{durable, runtime, types};

/// Every argument that any of the macros takes.
#[derive(Default)]
pub(crate) struct Arguments {
    /// What the handlers that it is about handle.
    pub(crate) kind: Kind,
    /// What stands there without a key: events, as in `OrderPlaced, OrderCancelled`, traits, as in `dyn Mailer`, or an answer.
    pub(crate) types: Vec<Type>,
    /// `name = "orders.placed"`
    pub(crate) name: Option<LitStr>,
    /// `new = false`
    pub(crate) new: Option<LitBool>,
    /// `order = -10`, or an expression
    pub(crate) order: Option<TokenStream>,
    /// `after = ReserveStock`
    pub(crate) after: Vec<Type>,
    /// `before = [Audit, notifications::SendEmail]`
    pub(crate) before: Vec<Type>,
    /// `lends(&mut SqliteConnection, &Tenant)`
    pub(crate) lends: Vec<Borrowed>,
    /// `manual`
    pub(crate) manual: bool,
    /// `durable`
    pub(crate) durable: Option<Ident>,
    /// `external`
    pub(crate) external: Option<Ident>,
    /// Whether `durable` stands anywhere, whose `retry` needs no timer.
    says_durable: bool,
    /// `dead = skip`
    pub(crate) dead: bool,
    /// `alias = ["orders.created"]`
    pub(crate) aliases: Vec<LitStr>,
    /// `version = 2`
    pub(crate) version: Option<u32>,
    /// `key = order_id`
    pub(crate) key: Option<Ident>,
    /// `upcast = [from_1, from_2]`
    pub(crate) upcast: Vec<Path>,
    /// `timeout = "2s"`
    pub(crate) timeout: Option<Duration>,
    /// `retry(attempts = 3)`
    pub(crate) retry: Option<Retry>,
    /// `attempts = 3`, within `retry(…)`
    pub(crate) attempts: Option<u32>,
    /// `base = "50ms"`, there too
    pub(crate) base: Option<(Duration, LitStr)>,
    /// `cap = "1s"`, there too
    pub(crate) cap: Option<(Duration, LitStr)>,
    /// `error = OrderError`
    pub(crate) error: Option<Type>,
    /// `crate = path`
    krate: Option<Path>,
    /// Where the user would have to say so, as in `inject` of `#[inject(crate = path)]`.
    helper: Option<&'static str>,
    seen: Vec<Ident>,
}

/// What may stand among the options without a key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Positional {
    Nothing,
    /// Events, or requests.
    Handled(Kind),
    /// Events and requests.
    Messages,
    Traits,
    /// What a request is answered with.
    Answer,
}

impl Positional {
    /// As a message names it.
    fn expected(self, keys: &[&str]) -> String {
        match self {
            Self::Nothing => format!("expected an option; {}", listed(keys)),
            Self::Handled(Kind::Event) => "expected the path of an event, as in `#[event_handler(OrderPlaced)]`".into(),
            Self::Handled(Kind::Request) => {
                "expected the path of a request, as in `#[request_handler(PlaceOrder)]`".into()
            }
            Self::Messages => "expected the path of an event or a request, as in `#[behavior(PlaceOrder)]`; \
                               name none to run around every handler"
                .into(),
            Self::Traits => "expected a trait that the service is provided as, as in `#[service(dyn Mailer)]`".into(),
            Self::Answer => "expected the type of the answer, as in `#[request(OrderConfirmation)]`".into(),
        }
    }

    fn accepts(self, ty: &Type) -> bool {
        match self {
            Self::Nothing => false,
            Self::Handled(kind) => {
                matches!(ungrouped(ty), Type::Path(_) | Type::Macro(_))
                    || kind == Kind::Event && types::is_any_event(ty)
            }
            Self::Messages => matches!(ungrouped(ty), Type::Path(_) | Type::Macro(_)),
            Self::Traits => matches!(ungrouped(ty), Type::TraitObject(_)),
            Self::Answer => true,
        }
    }

    /// The same one twice.
    fn repeated(self) -> &'static str {
        match self {
            Self::Traits => "the service is already provided as this; remove it here",
            Self::Handled(Kind::Request) => "this request is already handled; remove it here",
            Self::Messages => "it already runs around the handlers of this; remove it here",
            _ => "this event is already handled; remove it here",
        }
    }
}

/// Options that are there or not.
const FLAGS: &[&str] = &["manual", "durable", "external"];

/// The options in their right form, for messages.
const EXAMPLES: &[(&str, &str)] = &[
    ("name", r#"name = "orders.placed""#),
    ("new", "new = false"),
    ("order", "order = -10"),
    ("after", "after = ReserveStock` or `after = [ReserveStock, Audit]"),
    ("before", "before = ReserveStock` or `before = [ReserveStock, Audit]"),
    ("alias", r#"alias = ["orders.created"]"#),
    ("dead", "dead = skip"),
    ("version", "version = 2"),
    ("key", "key = order_id"),
    ("upcast", "upcast = [from_1, from_2]"),
    ("lends", "lends(&mut SqliteConnection, &Tenant)"),
    ("timeout", r#"timeout = "2s""#),
    ("retry", r#"retry(attempts = 3, base = "50ms", cap = "1s")"#),
    ("attempts", "attempts = 3"),
    ("base", r#"base = "50ms""#),
    ("cap", r#"cap = "1s""#),
    ("error", "error = OrderError"),
    ("crate", "crate = ::facade::mediator_core` or `crate = crate::mediator_core"),
];

// (Type | option),*
//
// option: `name` = "…" | `new` = bool | `order` = integer or expression | (`after` | `before`) = handlers | `manual`
//         | `lends` (reference,*) | `timeout` = duration | `retry` (retry option,*) | `error` = Type | `crate` = absolute path
//
// handlers: Type | [Type,*]
// retry option: `attempts` = integer | (`base` | `cap`) = duration
impl Arguments {
    /// Parses what an attribute macro was given: options out of `keys`, and what may stand there without a key.
    ///
    /// After an error it goes on behind the next comma.
    pub(crate) fn parse(tokens: TokenStream, keys: &[&str], positional: Positional, errors: &mut Errors) -> Self {
        let mut arguments = Self::default();
        if let Positional::Handled(kind) = positional {
            arguments.kind = kind;
        }
        arguments.says_durable = says_durable(&tokens);
        arguments.add(tokens, keys, positional, errors);
        if positional == Positional::Handled(Kind::Event) {
            durable::check_handler(&mut arguments, errors);
        }
        arguments
    }

    /// Whether this option is given, and where.
    pub(crate) fn seen(&self, key: &str) -> Option<&Ident> {
        self.seen.iter().find(|seen| *seen == key)
    }

    /// The same, about handlers of this kind.
    pub(crate) fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Parses all `#[helper(option, …)]` of an item with a derive.
    pub(crate) fn of_helper(
        helper: &'static str,
        attributes: &[Attribute],
        keys: &[&str],
        errors: &mut Errors,
    ) -> Self {
        let mut arguments = Self { helper: Some(helper), ..Self::default() };
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(helper)) {
            match &attribute.meta {
                Meta::List(list) => arguments.add(list.tokens.clone(), keys, Positional::Nothing, errors),
                meta => errors.at(meta, format!("write the options in parentheses; {}", listed(keys))),
            }
        }
        arguments
    }

    fn add(&mut self, tokens: TokenStream, keys: &[&str], positional: Positional, errors: &mut Errors) {
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let parsed = self.parse_one(input, keys, positional);
                let rest = take_to_comma(input)?;
                match parsed {
                    Err(error) => errors.push(error),
                    Ok(()) if !rest.is_empty() => errors.at(&rest, "expected `,`"),
                    Ok(()) => {}
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
    }

    fn parse_one(&mut self, input: ParseStream<'_>, keys: &[&str], positional: Positional) -> syn::Result<()> {
        if is_option(input, keys) {
            return self.parse_option(input, keys, positional);
        }
        if let Some(message) = self.misplaced(input, keys, positional) {
            let start = input.span();
            take_to_comma(input)?;
            return Err(syn::Error::new(start, message));
        }
        self.parse_type(input, keys, positional)
    }

    /// What is wrong with something that has no key, if it is clear what it was meant to be.
    fn misplaced(&self, input: ParseStream<'_>, keys: &[&str], positional: Positional) -> Option<String> {
        let listed = self.seen.last().map(ToString::to_string);
        let listed = listed.filter(|key| ["after", "before", "alias", "upcast"].contains(&&**key));
        if input.peek(LitStr) {
            return match listed {
                Some(key) if key == "alias" => Some(brackets(&key)),
                _ if positional == Positional::Nothing && keys.contains(&"name") => {
                    Some(format!("write `{}`", example("name")))
                }
                _ => None,
            };
        }
        let key = listed.filter(|key| key != "alias" && positional != Positional::Answer)?;
        is_function(&input.fork().parse().ok()?).then(|| brackets(&key))
    }

    fn parse_type(&mut self, input: ParseStream<'_>, keys: &[&str], positional: Positional) -> syn::Result<()> {
        let start = input.span();
        if positional == Positional::Nothing {
            return Err(syn::Error::new(start, positional.expected(keys)));
        }
        let ty: Type = input.parse().map_err(|_| syn::Error::new(start, positional.expected(keys)))?;
        if !positional.accepts(&ty) {
            let is_event = positional == Positional::Handled(Kind::Event) && types::traits_of(&ty).next().is_some();
            let message = if is_event { types::ANY_EVENT.to_owned() } else { positional.expected(keys) };
            return Err(syn::Error::new_spanned(ty, message));
        }
        if positional == Positional::Answer && !self.types.is_empty() {
            return Err(syn::Error::new_spanned(
                ty,
                "a request has one answer; remove this one, or answer with a tuple",
            ));
        }
        let text = quote!(#ty).to_string();
        if self.types.iter().any(|earlier| quote!(#earlier).to_string() == text) {
            return Err(syn::Error::new_spanned(ty, positional.repeated()));
        }
        self.types.push(ty);
        Ok(())
    }

    fn parse_option(&mut self, input: ParseStream<'_>, keys: &[&str], positional: Positional) -> syn::Result<()> {
        let key = input.call(Ident::parse_any)?;
        let name = key.to_string();
        if !keys.contains(&name.as_str()) {
            let message = match &*name {
                _ if self.is_of_block(keys, positional) && is_of_handler(&name) => {
                    format!(
                        "the options of a handler stand on its method; on the block there is `crate`, and no `{name}`"
                    )
                }
                "crate" if keys.contains(&"manual") => {
                    "where the runtime is found is said once, on the block".to_owned()
                }
                _ => unknown(&name, keys),
            };
            return Err(syn::Error::new(key.span(), message));
        }
        if self.seen.contains(&key) {
            return Err(syn::Error::new(key.span(), format!("`{key}` is given twice; remove one of the two")));
        }
        self.seen.push(key.clone());
        if FLAGS.contains(&name.as_str()) {
            return self.parse_flag(&key, input);
        }
        if name == "lends" {
            return self.parse_lends(&key, input);
        }
        let needs_timer = name == "timeout" || name == "retry" && !self.says_durable;
        if needs_timer && let Err(error) = retry::require_timer(&key) {
            take_to_comma(input)?;
            return Err(error);
        }
        if name == "retry" {
            return self.parse_retry(key, input);
        }
        let equals: Option<Token![=]> = input.parse()?;
        if equals.is_none() || input.is_empty() || input.peek(Token![,]) {
            let message = format!("`{key}` needs a value; write `{}`", example(&name));
            return Err(syn::Error::new(key.span(), message));
        }
        self.parse_value(&name, input)
            .map_err(|error| syn::Error::new(error.span(), format!("{error}; write `{}`", example(&name))))
    }

    /// Whether the options are those of `#[event_handlers]` or `#[request_handlers]`.
    fn is_of_block(&self, keys: &[&str], positional: Positional) -> bool {
        self.helper.is_none() && keys == ["crate"] && positional == Positional::Nothing
    }

    /// `manual`, `durable` or `external`
    fn parse_flag(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        let message = if input.peek(Token![=]) {
            Some(format!("`{key}` takes no value; write `{key}` alone"))
        } else if input.peek(token::Paren) {
            Some(format!("`{key}` has no options of its own; write `{key}` alone, and the others behind it"))
        } else {
            None
        };
        if let Some(message) = message {
            take_to_comma(input)?;
            return Err(syn::Error::new(key.span(), message));
        }
        match &*key.to_string() {
            "durable" => self.durable = Some(key.clone()),
            "external" => self.external = Some(key.clone()),
            _ => self.manual = true,
        }
        Ok(())
    }

    /// `(&mut SqliteConnection, &Tenant)`
    fn parse_lends(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        let expected = |span| syn::Error::new(span, format!("expected references; write `{}`", example("lends")));
        if !input.peek(token::Paren) {
            take_to_comma(input)?;
            return Err(expected(key.span()));
        }
        let group: Group = input.parse()?;
        let types = Punctuated::<Type, Token![,]>::parse_terminated.parse2(group.stream());
        let types = types.ok().filter(|types| !types.is_empty()).ok_or_else(|| expected(group.span()))?;
        let mut errors = Errors::default();
        self.lends = types.iter().filter_map(|ty| Borrowed::of_lent(ty, &mut errors)).collect();
        errors.into_result()
    }

    /// `(attempts = 3, base = "50ms")`
    fn parse_retry(&mut self, key: Ident, input: ParseStream<'_>) -> syn::Result<()> {
        let options = if input.peek(token::Paren) { input.parse::<Group>()?.stream() } else { TokenStream::new() };
        if options.is_empty() {
            take_to_comma(input)?;
            let message = format!("`{key}` needs its options in parentheses; write `{}`", example("retry"));
            return Err(syn::Error::new(key.span(), message));
        }
        self.retry = Some(Retry::parse(key, options)?);
        Ok(())
    }

    fn parse_value(&mut self, key: &str, input: ParseStream<'_>) -> syn::Result<()> {
        match key {
            "name" => self.name = Some(parse_name(input)?),
            "new" => self.new = Some(input.parse()?),
            "order" => self.order = Some(parse_order(input)?),
            "after" => self.after = parse_handlers(input)?,
            "before" => self.before = parse_handlers(input)?,
            "alias" => self.aliases = parse_names(input)?,
            "dead" => self.dead = parse_skip(input)?,
            "version" => self.version = Some(parse_version(input)?),
            "key" => self.key = Some(parse_key(input)?),
            "upcast" => self.upcast = parse_functions(input)?,
            "timeout" => self.timeout = Some(retry::parse_limit(input)?),
            "attempts" => self.attempts = Some(retry::parse_attempts(input)?),
            "base" => self.base = Some(retry::parse_duration(input)?),
            "cap" => self.cap = Some(retry::parse_duration(input)?),
            "error" => {
                self.error = Some(input.parse().map_err(|error| syn::Error::new(error.span(), "expected a type"))?);
            }
            _ => self.krate = Some(parse_absolute(input)?),
        }
        Ok(())
    }

    /// Asks the manifest where the runtime is, if the user does not say it; whether it can be anywhere.
    pub(crate) fn find_runtime(&mut self, errors: &mut Errors) -> bool {
        if self.krate.is_some() {
            return true;
        }
        // In doubt, it is where it usually is, and rustc will say if it is not.
        let name = runtime::name().unwrap_or_else(|_| Some(runtime::USUAL_NAME.to_owned()));
        let message = match &name {
            Some(name) if name == runtime::USUAL_NAME => return true,
            Some(name) => format!("`mediator-core` is called `{name}` here; write `{}`", self.crate_option(name)),
            None => format!(
                "`mediator-core` is not among this crate's dependencies; \
                 add it, or name where it is found, as in `{}`",
                self.crate_option("facade::mediator_core"),
            ),
        };
        // Who tried to say it has another error already.
        if !self.seen.iter().any(|key| key == "crate") {
            errors.push(syn::Error::new(Span::call_site(), message));
        }
        self.krate = name.and_then(|name| syn::parse_str(&format!("::{name}")).ok());
        self.krate.is_some()
    }

    /// The same, with the runtime where those of the block around say.
    pub(crate) fn with_runtime_of(self, block: &Self) -> Self {
        Self { krate: block.krate.clone(), ..self }
    }

    /// The same outside of the impl block that they stand in, where `Self` has no meaning.
    pub(crate) fn without_self(mut self, self_ty: &Type) -> Self {
        for ty in self.types.iter_mut().chain(&mut self.after).chain(&mut self.before) {
            *ty = types::without_self(ty, self_ty);
        }
        for lent in &mut self.lends {
            *lent.ty = types::without_self(&lent.ty, self_ty);
        }
        self.order = self.order.map(|order| types::replace_self(order, self_ty));
        self
    }

    /// What tells this macro where the runtime is.
    fn crate_option(&self, path: &str) -> String {
        match self.helper {
            Some(helper) => format!("#[{helper}(crate = ::{path})]"),
            None => format!("crate = ::{path}"),
        }
    }

    /// The path of the runtime.
    pub(crate) fn krate(&self) -> Path {
        self.krate.clone().unwrap_or_else(|| parse_quote!(::mediator_core))
    }

    /// Derives `Inject`, from wherever the runtime is.
    pub(crate) fn derive_inject(&self) -> Vec<Attribute> {
        let krate = self.krate();
        let helper = self.krate.as_ref().map(|krate| quote!(#[inject(crate = #krate)]));
        parse_quote!(#[derive(#krate::Inject)] #helper)
    }
}

/// Whether `key = …` or `key(…)` follows, or a known key that lacks its value; `name::Type` is a path.
fn is_option(input: ParseStream<'_>, keys: &[&str]) -> bool {
    if input.peek(syn::Ident) && input.peek2(token::Paren) {
        return true;
    }
    let Ok(key) = input.fork().call(Ident::parse_any) else {
        return false;
    };
    let lacks_value = !input.peek2(Token![::]) && !input.peek2(Token![<]);
    let is_known = |key: &str| keys.contains(&key) || FLAGS.contains(&key);
    input.peek2(Token![=]) || lacks_value && is_known(&key.to_string())
}

fn says_durable(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| matches!(token, TokenTree::Ident(ident) if ident == "durable"))
}

/// The error of what stands behind the value of a key that takes a list.
fn brackets(key: &str) -> String {
    let (first, second) = if key == "alias" { ("\"first\"", "\"second\"") } else { ("first", "second") };
    format!("several stand in brackets, as in `{key} = [{first}, {second}]`")
}

/// Whether it is an option of a handler.
fn is_of_handler(key: &str) -> bool {
    [Kind::Event, Kind::Request].iter().any(|kind| kind.options().contains(&key))
}

/// The error of an option that this macro does not take.
fn unknown(name: &str, keys: &[&str]) -> String {
    match name {
        "durable" if keys.contains(&"upcast") => "an event is not durable, each of its handlers is or is not; \
                                                  write `#[event_handler(durable, name = \"billing.invoice\")]`"
            .into(),
        "durable" if ["error", "retry"].iter().any(|key| keys.contains(key)) => {
            "a request is answered at once, so its handler cannot be durable; publish an event instead".into()
        }
        _ => format!("unknown option `{name}`; {}", listed(keys)),
    }
}

/// The options that there are.
fn listed(keys: &[&str]) -> String {
    let verb = if keys.len() == 1 { "is" } else { "are" };
    let keys: Vec<_> = keys.iter().map(|key| format!("`{key}`")).collect();
    format!("there {verb} {}", keys.join(", "))
}

fn example(key: &str) -> &'static str {
    EXAMPLES.iter().find(|(name, _)| *name == key).map_or("", |(_, example)| example)
}

/// `10`, `-10`, `i32::MIN` or `FIRST`
fn parse_order(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let is_number = input.peek(LitInt) || input.peek(Token![-]) && input.peek2(LitInt);
    let expression: Expr = input.parse()?;
    match &expression {
        Expr::Lit(literal) if !is_number => Err(syn::Error::new_spanned(literal, "expected an integer or a constant")),
        _ if is_number => parse_integer(&expression),
        _ => Ok(quote!(#expression)),
    }
}

/// An integer that rustc would say more about; of what starts with one, rustc says the rest.
fn parse_integer(expression: &Expr) -> syn::Result<TokenStream> {
    let (sign, literal) = match expression {
        Expr::Unary(negative) => ("-", &*negative.expr),
        positive => ("", positive),
    };
    let Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) = literal else {
        return Ok(quote!(#expression));
    };
    let order: i32 = format!("{sign}{}", literal.base10_digits())
        .parse()
        .map_err(|_| syn::Error::new(literal.span(), "`order` must fit an `i32`"))?;
    Ok(quote!(#order))
}

/// `Type` or `[Type, Type]`
fn parse_handlers(input: ParseStream<'_>) -> syn::Result<Vec<Type>> {
    let expected = syn::Error::new(input.span(), "expected paths");
    if !input.peek(token::Bracket) {
        return Ok(vec![input.parse().map_err(|_| expected)?]);
    }
    let group: Group = input.parse()?;
    let handlers = Punctuated::<Type, Token![,]>::parse_terminated.parse2(group.stream());
    Ok(handlers.map_err(|_| expected)?.into_iter().collect())
}

/// `"name"`, by which people and recorded deliveries find something
fn parse_name(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let name: LitStr = input.parse()?;
    if name.value().trim().is_empty() { Err(syn::Error::new(name.span(), "this name says nothing")) } else { Ok(name) }
}

/// `"name"` or `["name", "name"]`
fn parse_names(input: ParseStream<'_>) -> syn::Result<Vec<LitStr>> {
    if !input.peek(token::Bracket) {
        return Ok(vec![parse_name(input)?]);
    }
    let group: Group = input.parse()?;
    let parser = |input: ParseStream<'_>| Punctuated::<LitStr, Token![,]>::parse_terminated_with(input, parse_name);
    Ok(parser.parse2(group.stream())?.into_iter().collect())
}

/// `order_id`, and not `order.id`
fn parse_key(input: ParseStream<'_>) -> syn::Result<Ident> {
    let field: Ident = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        Ok(field)
    } else {
        Err(syn::Error::new(field.span(), "the key is a field of the event itself"))
    }
}

/// `[function, function]`
fn parse_functions(input: ParseStream<'_>) -> syn::Result<Vec<Path>> {
    let group: Group = match input.peek(token::Bracket) {
        true => input.parse()?,
        false => return Err(input.error("expected functions in brackets")),
    };
    let functions = Punctuated::<Path, Token![,]>::parse_terminated.parse2(group.stream());
    Ok(functions.map_err(|_| syn::Error::new(group.span(), "expected functions"))?.into_iter().collect())
}

/// `skip`
fn parse_skip(input: ParseStream<'_>) -> syn::Result<bool> {
    let word: Ident = input.parse()?;
    if word == "skip" { Ok(true) } else { Err(syn::Error::new(word.span(), "expected `skip`")) }
}

/// `2`, but not `0`
fn parse_version(input: ParseStream<'_>) -> syn::Result<u32> {
    let literal: LitInt = input.parse()?;
    match literal.base10_parse() {
        Ok(0) => Err(syn::Error::new(literal.span(), "versions count from 1")),
        Ok(version) => Ok(version),
        Err(_) => Err(syn::Error::new(literal.span(), "`version` must fit a `u32`")),
    }
}

/// `::a::b` or `crate::a`; a relative path would mean something else in each module.
fn parse_absolute(input: ParseStream<'_>) -> syn::Result<Path> {
    let path = input.call(Path::parse_mod_style)?;
    let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let starts_at_crate = path.leading_colon.is_none() && ["crate", "$crate"].contains(&&*names[0]);
    let mut further = names.iter().skip(usize::from(starts_at_crate));
    let is_relative = further.any(|name| ["crate", "self", "super", "Self"].contains(&&**name));
    if (path.leading_colon.is_some() || starts_at_crate) && !is_relative {
        Ok(path)
    } else {
        Err(syn::Error::new_spanned(path, "the path must be absolute"))
    }
}

fn take_to_comma(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut taken = TokenStream::new();
    while !input.is_empty() && !input.peek(Token![,]) {
        taken.extend([input.parse::<TokenTree>()?]);
    }
    Ok(taken)
}

/// The type itself, where parentheses or a fragment such as `$event:ty` of a `macro_rules!` wrap it.
pub(crate) fn ungrouped(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            ty => return ty,
        };
    }
}

/// The name that users see: `name = "…"`, or the path of what `ident` names.
pub(crate) fn display_name(name: Option<&LitStr>, ident: &Ident) -> TokenStream {
    match name {
        Some(name) => quote!(#name),
        None => {
            let name = LitStr::new(&format!("::{}", ident.unraw()), Span::call_site());
            quote!(::core::concat!(::core::module_path!(), #name))
        }
    }
}
