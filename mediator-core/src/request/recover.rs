//! Takes the error of a request out of a box, and tells what it says, for `#[request]`.

use std::any::Any;
use std::error::Error;
use std::marker::PhantomData;

use crate::handler::error::BoxError;

/// Takes an `E` out of a box: `Recover::<E>::new().recover(error)`, where [`RecoverOther`] is imported.
#[doc(hidden)]
#[derive(Debug)]
pub struct Recover<E>(PhantomData<E>);

impl<E> Recover<E> {
    #[must_use]
    #[allow(clippy::new_without_default)] // Macros alone use it.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E: Error + Send + Sync + 'static> Recover<E> {
    /// # Errors
    ///
    /// The box, if there is another error in it.
    pub fn recover(self, error: BoxError) -> Result<E, BoxError> {
        error.downcast().map(|error| *error)
    }

    #[must_use]
    pub fn text(self, error: &E) -> Option<String> {
        Some(format!("{error:#}"))
    }
}

/// For an `E` that is no `Error` itself, as `anyhow::Error`: rustc takes the method of [`Recover`] before that of a trait.
#[doc(hidden)]
pub trait RecoverOther<E> {
    /// # Errors
    ///
    /// The box, if there is another error in it.
    fn recover(self, error: BoxError) -> Result<E, BoxError>;

    fn text(self, error: &E) -> Option<String>;
}

impl<E: 'static> RecoverOther<E> for Recover<E> {
    fn recover(self, error: BoxError) -> Result<E, BoxError> {
        same::<BoxError, E>(error).or_else(other)
    }

    fn text(self, error: &E) -> Option<String> {
        let error = error as &dyn Any;
        #[cfg(feature = "anyhow")]
        if let Some(error) = error.downcast_ref::<anyhow::Error>() {
            return Some(format!("{error:#}"));
        }
        error.downcast_ref::<BoxError>().map(|error| format!("{error:#}"))
    }
}

/// The error of a request whose errors are boxes.
fn same<T: 'static, E: 'static>(value: T) -> Result<E, T> {
    let mut value = Some(value);
    match (&mut value as &mut dyn Any).downcast_mut::<Option<E>>().and_then(Option::take) {
        Some(error) => Ok(error),
        None => Err(value.expect("not taken")),
    }
}

#[cfg(feature = "anyhow")]
fn other<E: 'static>(error: BoxError) -> Result<E, BoxError> {
    use std::any::TypeId;

    use crate::handler::error::Whole;

    if TypeId::of::<E>() != TypeId::of::<anyhow::Error>() {
        return Err(error);
    }
    let whole = error.downcast::<Whole>()?;
    same::<anyhow::Error, E>(whole.0).map_err(|error| Box::new(Whole(error)) as BoxError)
}

#[cfg(not(feature = "anyhow"))]
fn other<E: 'static>(error: BoxError) -> Result<E, BoxError> {
    Err(error)
}
