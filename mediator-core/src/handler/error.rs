//! The errors that handlers return, boxed.

use std::error::Error;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The error as a handler's failure keeps it.
#[cfg(not(feature = "anyhow"))]
#[inline]
pub(crate) fn boxed<E: Into<BoxError>>(error: E) -> BoxError {
    error.into()
}

/// The error as a handler's failure keeps it: an `anyhow::Error` whole, since its conversion to a box hides what is inside.
#[cfg(feature = "anyhow")]
pub(crate) fn boxed<E: Into<BoxError> + 'static>(error: E) -> BoxError {
    let mut error = Some(error);
    let any: &mut dyn std::any::Any = &mut error;
    match any.downcast_mut::<Option<anyhow::Error>>().and_then(Option::take) {
        Some(error) => Box::new(Whole(error)),
        None => error.map_or_else(|| "an error that was taken".into(), Into::into),
    }
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
