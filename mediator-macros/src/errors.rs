//! All errors of one use of a macro, reported together.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Attribute;

#[derive(Default)]
pub(crate) struct Errors {
    errors: Option<syn::Error>,
}

impl Errors {
    /// Notes an error at all of `tokens`.
    pub(crate) fn at(&mut self, tokens: &impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            None => self.errors = Some(error),
        }
    }

    /// The value, or `None` after noting the error.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Adds those of `others`.
    pub(crate) fn extend(&mut self, others: Self) {
        others.errors.into_iter().for_each(|error| self.push(error));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_none()
    }

    pub(crate) fn into_result(self) -> syn::Result<()> {
        self.errors.map_or(Ok(()), Err)
    }

    /// What makes rustc report the errors; empty if there are none.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.into_compile_errors_if(&[])
    }

    /// The same, each under all of `cfgs`.
    pub(crate) fn into_compile_errors_if(self, cfgs: &[Attribute]) -> TokenStream {
        let errors = self.errors.into_iter().flatten().map(syn::Error::into_compile_error);
        errors.map(|error| quote!(#(#cfgs)* #error)).collect()
    }
}
