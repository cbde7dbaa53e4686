//! What a function or a method says about the handler that it is.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, Field, FieldModifiers, FnArg, GenericArgument, GenericParam, Ident, Pat, PatType, PathArguments,
    ReturnType, Safety, Signature, Type, TypeParamBound, TypeReference, Visibility, parse_quote,
};

use crate::arguments::{Arguments, ungrouped};
use crate::durable;
use crate::errors::Errors;
use crate::inject;
use crate::kind::Kind;
use crate::registration::plain_name;
use crate::types::{
    self, argument_of, as_borrow, has_trait, hides_borrow, is_shared, last_ident, mentions, reject_other_traits,
    without_self,
};

const CONCRETE: &str = "a handler function must be concrete; name the type, or use an `Arc<dyn …>`";

/// A function's signature, as far as a handler of it depends on that.
pub(crate) struct HandlerSignature {
    pub(crate) ident: Ident,
    pub(crate) is_async: bool,
    /// The event or the request.
    pub(crate) message: Type,
    /// The same as the attribute spells it, if that is different: only rustc knows whether it is the same.
    pub(crate) named: Option<Type>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: ReturnType,
}

/// A parameter behind the event or the request.
pub(crate) enum Parameter {
    Injected(Box<Field>),
    Borrowed(Borrowed),
}

/// A parameter that the publish or the send lends; or what a behavior lends, which has no name.
pub(crate) struct Borrowed {
    /// As it is named in messages.
    pub(crate) name: String,
    /// What it refers to.
    pub(crate) ty: Box<Type>,
    pub(crate) is_exclusive: bool,
    pub(crate) is_optional: bool,
}

// async? fn name((&self,)? message: &Message, parameter: Type,*) -> Output
//
// A parameter is borrowed if it is `&T`, `&mut T`, `Option<&T>` or `Option<&mut T>`, and injected otherwise.
impl HandlerSignature {
    /// Reads the signature of a function, or of a method of `self_ty`; `None` after an error that leaves no event or request.
    ///
    /// The parameters lose the attributes that only these macros know.
    pub(crate) fn parse(
        signature: &mut Signature,
        self_ty: Option<&Type>,
        options: &Arguments,
        errors: &mut Errors,
    ) -> Option<Self> {
        require_callable(signature, options.kind, errors);
        let before = usize::from(self_ty.is_some());
        let message = message_of(signature, before, options.kind, errors);
        let parameters = Parameter::parse_all(signature, before + 1, Some(options.kind), errors);
        let named = message.as_ref().and_then(|message| named(message, options, errors));
        let mut handler = Self {
            ident: signature.ident.clone(),
            is_async: signature.asyncness.is_some(),
            message: message?,
            named,
            parameters,
            output: signature.output.clone(),
        };
        durable::reject_observer(&handler.message, options, errors);
        if let Some(retry) = options.retry.as_ref().filter(|_| options.durable.is_none()) {
            retry.require_repeatable(&handler, options.kind, errors);
        }
        if let Some(self_ty) = self_ty {
            handler.leave_impl(self_ty, options.kind, errors);
        }
        Some(handler)
    }

    /// Makes of a method what it is outside of its impl block.
    fn leave_impl(&mut self, self_ty: &Type, kind: Kind, errors: &mut Errors) {
        let lender = lender(kind);
        for field in self.injected() {
            let message = format!(
                "a method borrows what the {lender} lends, and what is injected is a field of its type; \
                 make this a field, or borrow it"
            );
            errors.at(&field.ty, message);
        }
        self.message = without_self(&self.message, self_ty);
        if let ReturnType::Type(_, output) = &mut self.output {
            **output = without_self(output, self_ty);
        }
        for parameter in &mut self.parameters {
            if let Parameter::Borrowed(borrowed) = parameter {
                *borrowed.ty = without_self(&borrowed.ty, self_ty);
            }
        }
    }

    pub(crate) fn injected(&self) -> impl Iterator<Item = &Field> {
        self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Injected(field) => Some(&**field),
            Parameter::Borrowed(_) => None,
        })
    }

    pub(crate) fn borrowed(&self) -> impl Iterator<Item = &Borrowed> {
        self.parameters.iter().filter_map(|parameter| match parameter {
            Parameter::Borrowed(borrowed) => Some(borrowed),
            Parameter::Injected(_) => None,
        })
    }

    /// Quiets clippy, which asks of plain functions only why they take what they do as they have to.
    pub(crate) fn allow_parameters(&self) -> Option<Attribute> {
        let takes_values = self.injected().next().is_some() || self.borrowed().any(|borrowed| borrowed.is_optional);
        let by_value = takes_values.then(|| quote!(clippy::needless_pass_by_value,));
        (!self.is_async).then(|| parse_quote!(#[allow(#by_value clippy::trivially_copy_pass_by_ref)]))
    }

    /// `-> !`
    pub(crate) fn never_returns(&self) -> bool {
        matches!(&self.output, ReturnType::Type(_, ty) if matches!(ungrouped(ty), Type::Never(_)))
    }

    /// Where a mistake in what it returns shows.
    pub(crate) fn place_of_output(&self) -> TokenStream {
        match &self.output {
            ReturnType::Default => self.ident.to_token_stream(),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
        }
    }
}

fn require_callable(signature: &Signature, kind: Kind, errors: &mut Errors) {
    for parameter in &signature.generics.params {
        let message = match parameter {
            GenericParam::Lifetime(_) => "a handler borrows for one call only; remove the lifetime",
            _ => CONCRETE,
        };
        errors.at(parameter, message);
    }
    if !matches!(signature.safety, Safety::Default) {
        errors.at(&signature.safety, "a handler is called by safe code; make the function safe");
    }
    if let ReturnType::Type(_, ty) = &signature.output {
        reject_future(ty, errors);
        reject_unshared_error(ty, errors);
        if kind == Kind::Request && hides_borrow(ty.to_token_stream()) && errors.is_empty() {
            errors.at(ty, types::OWNED_ANSWER);
        }
        if kind == Kind::Request && mentions(ty, "impl") && errors.is_empty() {
            errors.at(ty, "a handler returns what its request says; name that type");
        }
        if let Some(error) = error_of(ty).filter(|error| kind == Kind::Event && mentions(error, "impl")) {
            errors.at(
                error,
                "the error of a handler outlives the event, which an `impl …` may borrow from; name its type",
            );
        }
    }
}

/// `fn handler(…) -> impl Future<…>`
fn reject_future(output: &Type, errors: &mut Errors) {
    let is_future = |bound: &TypeParamBound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last().is_some_and(|last| last.ident == "Future"),
        _ => false,
    };
    if let Type::ImplTrait(opaque) = ungrouped(output)
        && opaque.bounds.iter().any(is_future)
    {
        errors.at(output, "a handler does not return a future; write `async fn`, and what the future resolves to");
    }
}

/// `Result<(), Box<dyn Error>>`, about which rustc would say more than is needed.
pub(crate) fn reject_unshared_error(output: &Type, errors: &mut Errors) {
    let Some(error) = error_of(output).and_then(|error| argument_of(error, "Box")) else { return };
    if has_trait(error, "Error") && !is_shared(error) {
        errors.at(error, "threads share this error; write `dyn Error + Send + Sync`");
    }
}

/// For parameters that come by value, whatever the function does with them.
pub(crate) fn allow_by_value() -> Attribute {
    parse_quote!(#[allow(clippy::needless_pass_by_value)])
}

/// The `E` of `Result<T, E>`
pub(crate) fn error_of(output: &Type) -> Option<&Type> {
    let Type::Path(path) = ungrouped(output) else { return None };
    let result = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let PathArguments::AngleBracketed(arguments) = &result.arguments else { return None };
    match arguments.args.iter().nth(1)? {
        GenericArgument::Type(error) => Some(error),
        _ => None,
    }
}

/// What lends to the handlers.
pub(crate) fn lender(kind: Kind) -> &'static str {
    match kind {
        Kind::Event => "publish",
        Kind::Request => "send",
    }
}

/// The `OrderPlaced` of `event: &OrderPlaced`, behind so many other parameters
fn message_of(signature: &mut Signature, before: usize, kind: Kind, errors: &mut Errors) -> Option<Type> {
    let noun = kind.noun();
    let elsewhere = if before > 0 { "; move a method that is no handler to another impl block" } else { "" };
    let first = match signature.inputs.iter_mut().nth(before) {
        Some(FnArg::Typed(first)) => first,
        Some(FnArg::Receiver(receiver)) => {
            let block = kind.block_attribute();
            let message = format!("this is a method; put `#[{block}]` on its impl block");
            errors.at(receiver, message);
            return None;
        }
        None => {
            let parentheses = signature.paren_token.span.join();
            let message =
                format!("the first parameter must be the {noun}, as in `{noun}: &{}`{elsewhere}", kind.example());
            errors.push(syn::Error::new(parentheses, message));
            return None;
        }
    };
    for attribute in inject::take_attributes(&mut first.attrs) {
        let noun = kind.noun();
        let passed = format!("the first parameter is the {noun}, which is {}; remove the attribute", kind.is_passed());
        errors.at(&attribute, passed);
    }
    reject_cfg(first, "handler", errors);
    let reference = match ungrouped(&first.ty) {
        Type::Reference(reference) if !is_of_the_language(&reference.elem) => reference,
        _ => {
            let example = kind.example();
            let message = format!(
                "the first parameter of a handler is its {noun}, borrowed, as in `{noun}: &{example}`{elsewhere}"
            );
            errors.at(&first.ty, message);
            return None;
        }
    };
    reject_other_traits(&reference.elem, kind, errors);
    if mentions(&reference.elem, "impl") {
        errors.at(&reference.elem, CONCRETE);
    }
    if reference.mutability.is_some() {
        let message = match kind {
            Kind::Event => "all handlers share the event; remove `mut`",
            Kind::Request => "a handler only reads its request; remove `mut`",
        };
        errors.at(&first.ty, message);
    }
    if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static") {
        errors.at(lifetime, format!("the {noun} is borrowed for this call only; remove the lifetime"));
    }
    Some((*reference.elem).clone())
}

/// Whether it is nobody's event or request.
fn is_of_the_language(ty: &Type) -> bool {
    let primitives = [
        "bool", "char", "str", "String", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
        "isize", "f32", "f64",
    ];
    match ungrouped(ty) {
        Type::Slice(_) | Type::Array(_) | Type::Tuple(_) | Type::Ptr(_) => true,
        Type::Path(path) => path.path.get_ident().is_some_and(|name| primitives.iter().any(|it| name == it)),
        _ => false,
    }
}

/// The `OrderPlaced` of `#[event_handler(OrderPlaced)]`, if it is not clear that the first parameter says the same.
fn named(message: &Type, options: &Arguments, errors: &mut Errors) -> Option<Type> {
    let (named, others) = options.types.split_first()?;
    for other in others {
        let noun = options.kind.noun();
        errors.at(other, format!("a function handles the {noun} of its first parameter only; remove this one"));
    }
    let spelled = |ty: &Type| ungrouped(ty).to_token_stream().to_string();
    (spelled(named) != spelled(message)).then(|| named.clone())
}

impl Parameter {
    /// Reads the parameters behind the first ones, of a handler or, without a kind, of a service.
    pub(crate) fn parse_all(
        signature: &mut Signature,
        from: usize,
        kind: Option<Kind>,
        errors: &mut Errors,
    ) -> Vec<Self> {
        let taken: Vec<_> = signature.inputs.iter().filter_map(given_name).cloned().collect();
        let inputs = signature.inputs.iter_mut().skip(from).enumerate();
        let parameters = inputs.filter_map(|(index, input)| {
            let name = given_name(input).cloned().unwrap_or_else(|| free_name(index, &taken));
            match input {
                FnArg::Typed(parameter) => Self::parse(name, parameter, kind, errors),
                FnArg::Receiver(_) => None,
            }
        });
        parameters.collect()
    }

    fn parse(name: Ident, parameter: &mut PatType, kind: Option<Kind>, errors: &mut Errors) -> Option<Self> {
        let attributes = inject::take_attributes(&mut parameter.attrs);
        if reject_cfg(parameter, if kind.is_some() { "handler" } else { "service" }, errors) {
            return None;
        }
        let ty = &*parameter.ty;
        if mentions(ty, "impl") {
            errors.at(ty, "the type of a parameter must be concrete; name it, or use an `Arc<dyn …>`");
            return None;
        }
        if let Some(borrowed) = Borrowed::of_type(&name, ty) {
            let lender = kind.map_or("publish", lender);
            let message =
                format!("what is borrowed is lent by the {lender}; remove the attribute, or take the value itself");
            attributes.iter().for_each(|attribute| errors.at(attribute, &message));
            return Some(Self::Borrowed(borrowed));
        }
        if hides_borrow(ty.to_token_stream()) {
            let message = match kind {
                Some(_) => {
                    "what is injected is owned, and a borrow is written `&T`, `&mut T` or as an `Option` of them; \
                     write the reference itself, or `'static`"
                }
                None => "a service owns what it is made of; take it by value, in an `Arc`, or as `'static`",
            };
            errors.at(ty, message);
            return None;
        }
        Some(Self::Injected(Box::new(Field {
            attrs: attributes,
            vis: Visibility::Inherited,
            modifiers: FieldModifiers::default(),
            ident: Some(name),
            colon_token: None,
            ty: ty.clone(),
            default: None,
        })))
    }
}

/// Whether the parameter is there under a condition only.
fn reject_cfg(parameter: &PatType, of: &str, errors: &mut Errors) -> bool {
    let cfg = parameter.attrs.iter().find(|attribute| attribute.path().is_ident("cfg"));
    let message = format!("a {of} has the same parameters always; put the `cfg` on the function");
    cfg.inspect(|cfg| errors.at(cfg, message)).is_some()
}

fn given_name(input: &FnArg) -> Option<&Ident> {
    match input {
        FnArg::Typed(PatType { pat, .. }) => match &**pat {
            Pat::Ident(pattern) => Some(&pattern.ident),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

/// A name for a parameter that has a pattern instead.
fn free_name(index: usize, taken: &[Ident]) -> Ident {
    let mut name = format_ident!("parameter_{index}");
    while taken.contains(&name) {
        name = format_ident!("{name}_");
    }
    name
}

/// Whether a parameter of this type is lent.
pub(crate) fn is_borrow(ty: &Type) -> bool {
    as_borrow(ty).or(borrow_in_option(ty)).is_some()
}

/// The `&T` of `Option<&T>`
fn borrow_in_option(ty: &Type) -> Option<&TypeReference> {
    argument_of(ty, "Option").and_then(as_borrow)
}

impl Borrowed {
    fn of_type(name: &Ident, ty: &Type) -> Option<Self> {
        let of_option = borrow_in_option(ty);
        let reference = as_borrow(ty).or(of_option)?;
        Some(Self {
            name: plain_name(name),
            // Behind a `&`, parentheses are needed that would be too many in `shared::<T>`.
            ty: Box::new(ungrouped(&reference.elem).clone()),
            is_exclusive: reference.mutability.is_some(),
            is_optional: of_option.is_some(),
        })
    }

    /// What `lends(…)` names.
    pub(crate) fn of_lent(ty: &Type, errors: &mut Errors) -> Option<Self> {
        let Type::Reference(reference) = ungrouped(ty) else {
            let referent = borrow_in_option(ty).map_or(ty, |reference| &reference.elem);
            let name = last_ident(referent).map_or_else(|| "T".to_owned(), plain_name);
            errors.at(ty, format!("what is lent is a reference; write `&mut {name}` or `&{name}`"));
            return None;
        };
        if let Some(lifetime) = &reference.lifetime {
            errors.at(lifetime, "it is lent for one call only; remove the lifetime");
        }
        Some(Self {
            name: String::new(),
            ty: Box::new(ungrouped(&reference.elem).clone()),
            is_exclusive: reference.mutability.is_some(),
            is_optional: false,
        })
    }
}
