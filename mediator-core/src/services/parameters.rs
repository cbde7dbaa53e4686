//! The injected parameters of functions.

use super::inject::{Inject, InjectError, Service};
use super::services::Services;

/// The injected parameters of a function, in a tuple: one type for all functions with parameters of the same types, so that less is
/// compiled.
#[allow(missing_debug_implementations)] // Nobody outside can name it.
#[doc(hidden)]
pub struct Parameters<T>(pub T);

macro_rules! impl_inject {
    ($($Service:ident $index:tt),*) => {
        impl<$($Service: Service),*> Inject for Parameters<($($Service,)*)> {
            const __IS_SHARED: bool = false;

            fn inject(services: &Services<'_>) -> Result<Self, InjectError> {
                Self::__inject_named(services, &[])
            }

            // All are looked up before the first missing one ends it, so that all are reported.
            #[allow(unused_variables)]
            fn __inject_named(services: &Services<'_>, parameters: &[&'static str]) -> Result<Self, InjectError> {
                let found = ($(services.find::<$Service>(parameters.get($index).copied()),)*);
                Ok(Self(($(found.$index?,)*)))
            }
        }
    };
}

// So many as the macros rely on.
impl_inject!();
impl_inject!(A 0);
impl_inject!(A 0, B 1);
impl_inject!(A 0, B 1, C 2);
impl_inject!(A 0, B 1, C 2, D 3);
