//! What is injected and might not be fit for that.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{Field, Fields, Generics, Path, PredicateType, Token, Type, WherePredicate, parse_quote};

use crate::inject;
use crate::types::{last_ident, relocated};

/// The types of parameters or fields that might not be what they must be, as far as that takes a look.
///
/// It takes time, so what is hardly ever wrong goes without.
pub(crate) struct Doubts(Vec<Doubt>);

struct Doubt {
    ty: Type,
    /// Whether it is filled without the mediator's services, so that it need not be one.
    is_filled: bool,
}

impl Doubts {
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Of a function, which is given a clone of each for each call.
    pub(crate) fn of_parameters(parameters: &[Field]) -> Self {
        Self(parameters.iter().map(|parameter| Doubt::new(parameter, false)).filter(Doubt::is_one).collect())
    }

    /// Of a struct; none where it depends on conditions which fields there are.
    pub(crate) fn of_fields(fields: &Fields) -> Self {
        if fields.iter().any(inject::is_conditional) {
            return Self::none();
        }
        let doubt = |field| Doubt::new(field, inject::is_filled(field));
        Self(fields.iter().map(doubt).filter(Doubt::is_one).collect())
    }

    /// With a where clause that takes for granted what they must be, each at its place.
    ///
    /// Under a `for` rustc takes it so even if it is plainly false, and finds that out once, at the registration, instead of in
    /// each line that needs it.
    pub(crate) fn take_for_granted(&self, mut generics: Generics, krate: &Path) -> Generics {
        for Doubt { ty, is_filled } in &self.0 {
            let bound = if *is_filled { quote!(#krate::__private::Shareable) } else { quote!(#krate::Service) };
            let bound = relocated(&bound, ty);
            generics.make_where_clause().predicates.push(WherePredicate::Type(PredicateType {
                attrs: Vec::new(),
                lifetimes: Some(parse_quote!(for<'any>)),
                bounded_ty: ty.clone(),
                colon_token: <Token![:]>::default(),
                bounds: parse_quote!(#bound),
            }));
        }
        generics
    }

    /// What is registered, where the one that is not what it must be shows: at its type, unless it might be one of several.
    pub(crate) fn shown(&self, registered: &Ident) -> TokenStream {
        match &*self.0 {
            [Doubt { ty, .. }] => relocated(registered, ty),
            _ => registered.to_token_stream(),
        }
    }
}

impl Doubt {
    fn new(field: &Field, is_filled: bool) -> Self {
        Self { ty: inject::optional(&field.ty).unwrap_or(&field.ty).clone(), is_filled }
    }

    fn is_one(&self) -> bool {
        let name = last_ident(&self.ty).map(ToString::to_string);
        !name.is_some_and(|name| ["Arc", "Publisher"].contains(&name.as_str()))
    }
}
