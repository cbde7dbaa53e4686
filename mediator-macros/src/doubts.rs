//! What is injected and might not be fit for that.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Field, Fields, Generics, Path, PredicateType, Token, Type, TypeParamBound, TypeTraitObject, WherePredicate,
    parse_quote,
};

use crate::arguments::ungrouped;
use crate::inject;
use crate::types::{argument_of, is_shared, last_ident, mentions, relocated};

/// The types of parameters or fields that might not be what they must be, as far as that takes a look.
///
/// It takes time, so what is hardly ever wrong goes without.
pub(crate) struct Doubts(Vec<Doubt>);

struct Doubt {
    /// As it is written.
    ty: Type,
    /// What has to be taken for granted.
    bounded: Type,
    bound: Bound,
}

enum Bound {
    /// It is injected.
    Service,
    /// It is filled without the mediator's services, so it need not be one.
    Shareable,
    /// It is a trait, of which something is injected in an `Arc`.
    SharedTrait,
}

impl Doubts {
    pub(crate) fn none() -> Self {
        Self(Vec::new())
    }

    /// Of a function, which is given a clone of each for each call.
    pub(crate) fn of_parameters(parameters: &[Field]) -> Self {
        Self(parameters.iter().filter_map(|parameter| Doubt::of(parameter, Bound::Service)).collect())
    }

    /// Of a struct; none where it depends on conditions which fields there are.
    pub(crate) fn of_fields(fields: &Fields) -> Self {
        if fields.iter().any(inject::is_conditional) {
            return Self::none();
        }
        let bound = |field| if inject::is_filled(field) { Bound::Shareable } else { Bound::Service };
        Self(fields.iter().filter_map(|field| Doubt::of(field, bound(field))).collect())
    }

    /// With a where clause that takes for granted what they must be, each at its place.
    ///
    /// Under a `for` rustc takes it so even if it is plainly false, and finds that out once, at the registration, instead of in
    /// each line that needs it.
    pub(crate) fn take_for_granted(&self, mut generics: Generics, krate: &Path) -> Generics {
        for Doubt { ty, bounded, bound } in &self.0 {
            let bound = match bound {
                Bound::Service => quote!(#krate::Service),
                Bound::Shareable => quote!(#krate::__private::Shareable),
                Bound::SharedTrait => quote!(#krate::__private::SharedTrait),
            };
            let bound = relocated(&bound, ty);
            generics.make_where_clause().predicates.push(WherePredicate::Type(PredicateType {
                attrs: Vec::new(),
                lifetimes: Some(parse_quote!(for<'any>)),
                bounded_ty: bounded.clone(),
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
    /// What might be wrong with a parameter or field; `None` if nothing ever is.
    fn of(field: &Field, bound: Bound) -> Option<Self> {
        let ty = inject::optional(&field.ty).unwrap_or(&field.ty).clone();
        let Some(shared) = argument_of(&ty, "Arc") else {
            let is_handle = last_ident(&ty).is_some_and(|name| name == "Publisher");
            return (!is_handle).then(|| Self { bounded: ty.clone(), ty, bound });
        };
        if let Type::TraitObject(object) = ungrouped(shared) {
            let bounded = Type::TraitObject(of_any_lifetime(object.clone()));
            return (!is_shared(shared)).then(|| Self { ty, bounded, bound: Bound::SharedTrait });
        }
        let never_shared = ["Rc", "Cell", "RefCell", "OnceCell"];
        never_shared.iter().any(|name| mentions(shared, name)).then(|| Self { bounded: ty.clone(), ty, bound })
    }
}

/// The trait whatever its objects borrow: in a function that awaits, rustc does not know that it is nothing.
fn of_any_lifetime(mut object: TypeTraitObject) -> TypeTraitObject {
    if !object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Lifetime(_))) {
        object.bounds.push(parse_quote!('any));
    }
    object
}
