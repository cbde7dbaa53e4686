//! The errors that handlers return, boxed.

use std::error::Error;

/// An error of any type.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The error as a handler's failure keeps it.
#[cfg(not(feature = "anyhow"))]
#[inline]
pub(crate) fn boxed<E: Into<BoxError>>(error: E) -> BoxError {
    error.into()
}

/// The error as a handler's failure keeps it: an `anyhow::Error` whole, since its conversion to a box hides what is inside.
#[cfg(feature = "anyhow")]
pub(crate) fn boxed<E: Into<BoxError>>(error: E) -> BoxError {
    // An error need not be `'static`, which `Any` asks for.
    if typeid::of::<E>() != typeid::of::<anyhow::Error>() {
        return error.into();
    }
    let error = std::mem::ManuallyDrop::new(error);
    // SAFETY: `E` is an `anyhow::Error`, which has no lifetimes, and is moved out of `error`, which is not dropped.
    #[allow(unsafe_code)]
    let error = unsafe { std::mem::transmute_copy::<std::mem::ManuallyDrop<E>, anyhow::Error>(&error) };
    Box::new(Whole(error))
}

/// The error as the handler's author knows it: what an `anyhow::Error` was made from.
#[cfg(feature = "tokio")]
pub(crate) fn as_written(error: &BoxError) -> &(dyn Error + 'static) {
    #[cfg(feature = "anyhow")]
    if let Some(whole) = error.downcast_ref::<Whole>() {
        return whole.0.as_ref();
    }
    &**error
}

/// An `anyhow::Error` as an error.
#[cfg(feature = "anyhow")]
pub(crate) struct Whole(pub(crate) anyhow::Error);

#[cfg(feature = "anyhow")]
impl std::fmt::Debug for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "anyhow")]
impl std::fmt::Display for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "anyhow")]
impl Error for Whole {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
