//! What a function or a method is called on.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Field, Generics, Path, Type};

use crate::arguments::{Arguments, ungrouped};
use crate::errors::Errors;
use crate::inject;
use crate::registration::plain_name;
use crate::types::relocated;

/// What the handler's instance is.
pub(crate) enum Receiver<'a> {
    /// The type whose method it is.
    Itself(&'a Type),
    /// The function's parameters, if there is nothing to each but its service: in a tuple, for which the runtime has all that
    /// it takes.
    Parameters(Vec<Field>),
    /// The function's parameters, in a struct of its own.
    Struct(Vec<Field>),
}

/// For so many parameters the runtime has tuples.
const MOST_PARAMETERS: usize = 4;

impl<'a> Receiver<'a> {
    /// Of a method of `self_ty`, or of a function with these injected parameters.
    pub(crate) fn of(self_ty: Option<&'a Type>, parameters: Vec<Field>) -> Self {
        let is_plain = |field: &Field| field.attrs.is_empty() && inject::optional(&field.ty).is_none();
        match self_ty {
            Some(self_ty) => Self::Itself(self_ty),
            None if parameters.len() <= MOST_PARAMETERS && parameters.iter().all(is_plain) => {
                Self::Parameters(parameters)
            }
            None => Self::Struct(parameters),
        }
    }

    /// The hidden type, which is the instance if there is no other.
    pub(crate) fn expand_declaration(
        &self,
        hidden: &Ident,
        services: &Generics,
        options: &Arguments,
        errors: &mut Errors,
    ) -> TokenStream {
        let mut fields = match self {
            Self::Itself(_) => return quote!(struct #hidden;),
            Self::Parameters(fields) => {
                fields.iter().for_each(|field| inject::reject_closure(&field.ty, errors));
                let aliases = fields.iter().enumerate().filter(|(_, field)| needs_alias(&field.ty));
                let aliases = aliases.map(|(index, field)| (alias(hidden, index), &field.ty));
                let aliases = aliases.map(|(alias, ty)| quote!(type #alias = #ty;));
                return quote! {
                    struct #hidden;
                    #(#aliases)*
                };
            }
            Self::Struct(fields) => fields.clone(),
        };
        let (derive, inject) = inject::on_handler(hidden, services, &[], fields.iter_mut().collect(), options, errors);
        quote! {
            #(#derive)*
            struct #hidden { #(#fields),* }

            #inject
        }
    }

    pub(crate) fn expand_type(&self, hidden: &Ident, krate: &Path) -> TokenStream {
        match self {
            Self::Itself(self_ty) => self_ty.to_token_stream(),
            Self::Parameters(fields) => {
                let ty = |(index, field): (usize, &Field)| match needs_alias(&field.ty) {
                    true => alias(hidden, index).into_token_stream(),
                    false => field.ty.to_token_stream(),
                };
                let types = fields.iter().enumerate().map(ty);
                let tuple = quote!(#krate::__private::Parameters<(#(#types,)*)>);
                // What cannot be injected shows among the parameters.
                let place: TokenStream = fields.iter().map(|field| field.ty.to_token_stream()).collect();
                relocated(&tuple, &place)
            }
            Self::Struct(_) => quote!(Self),
        }
    }

    /// The names of the parameters in a tuple.
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::Parameters(fields) => fields.iter().flat_map(|field| &field.ident).map(plain_name).collect(),
            Self::Itself(_) | Self::Struct(_) => Vec::new(),
        }
    }

    /// The path from the instance to a parameter, which comes after so many others.
    pub(crate) fn expand_member(&self, field: &Field, others: usize) -> TokenStream {
        match self {
            Self::Parameters(_) => {
                let (tuple, index) = (Literal::usize_unsuffixed(0), Literal::usize_unsuffixed(others));
                quote!(#tuple.#index)
            }
            Self::Itself(_) | Self::Struct(_) => field.ident.to_token_stream(),
        }
    }
}

/// Whether rustc says something else of a type in it that does not exist if it stands in an impl: it proposes to make it a
/// parameter of the function, or of the alias.
fn needs_alias(ty: &Type) -> bool {
    !matches!(ungrouped(ty), Type::Path(path) if path.path.segments.iter().all(|segment| segment.arguments.is_empty()))
}

/// A parameter's type, which has the place of the hidden type for the same reason as that has it.
fn alias(hidden: &Ident, index: usize) -> Ident {
    format_ident!("__MediatorParameter{index}", span = hidden.span())
}
