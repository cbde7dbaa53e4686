//! Shows events and answers whose types are `Debug`, and nothing of the others.

use std::fmt::Debug;
use std::marker::PhantomData;

/// How a value is shown, if it can be.
pub type Show<T> = for<'a> fn(&'a T) -> Option<&'a dyn Debug>;

/// `(&TypeToShow::<T>::new()).show()`, where [`ShowDebug`] and [`ShowNothing`] are imported.
#[allow(missing_debug_implementations)] // Nobody outside can name it.
pub struct TypeToShow<T>(PhantomData<T>);

impl<T> TypeToShow<T> {
    /// Of a type without a value.
    #[must_use]
    #[allow(clippy::new_without_default)] // Macros alone use it.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Of a type that is `Debug`.
pub trait ShowDebug<T> {
    /// How it is shown.
    fn show(&self) -> Show<T>;
}

impl<T: Debug> ShowDebug<T> for TypeToShow<T> {
    fn show(&self) -> Show<T> {
        |value| Some(value)
    }
}

/// Of any type; a reference more, so that it comes second.
pub trait ShowNothing<T> {
    /// How it is shown.
    fn show(&self) -> Show<T>;
}

impl<T> ShowNothing<T> for &TypeToShow<T> {
    fn show(&self) -> Show<T> {
        |_| None
    }
}
