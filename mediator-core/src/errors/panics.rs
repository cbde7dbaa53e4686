//! Panics of handlers, and of what belongs to them.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a handler panicked with.
///
/// Of a panic with a message, which `panic!` makes, the payload is a `&'static str` or a `String`; `std::panic::panic_any`
/// panics with a value of any type.
pub struct PanicPayload(Box<dyn Any + Send>);

// SAFETY: a shared `PanicPayload` gives out a reference to the value only where that is `Sync` (`downcast_ref`).
#[allow(unsafe_code)]
unsafe impl Sync for PanicPayload {}

impl PanicPayload {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Self {
        Self(payload)
    }

    /// The value, if it is a `T`.
    ///
    /// `T: Sync`, since threads share errors; [`HandlerFailure::into_panic`](crate::HandlerFailure::into_panic) gives others.
    #[must_use]
    pub fn downcast_ref<T: Any + Sync>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }

    /// The message, as the default panic hook prints it.
    #[must_use]
    pub fn message(&self) -> &str {
        message_of(&*self.0)
    }

    pub(crate) fn into_inner(self) -> Box<dyn Any + Send> {
        let mut this = std::mem::ManuallyDrop::new(self);
        std::mem::replace(&mut this.0, Box::new(()))
    }
}

/// The message of a panic, as the default panic hook prints it.
pub(crate) fn message_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("Box<dyn Any>")
}

/// A text of somebody else's as a part of a line: that of a failed `assert_eq!` has three.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        f.write_str(lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| write!(f, ", {line}"))
    }
}

impl fmt::Debug for PanicPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PanicPayload").field(&self.message()).finish()
    }
}

impl Drop for PanicPayload {
    fn drop(&mut self) {
        // Its destructor may panic, and an error may be dropped anywhere, even while another panic unwinds.
        discard_panic(std::mem::replace(&mut self.0, Box::new(())));
    }
}

/// Drops values of the user's at a point from which their panics cannot be reported; the panic hook has seen them.
pub(crate) fn discarding_panics(drop: impl FnOnce()) {
    catch_unwind(AssertUnwindSafe(drop)).unwrap_or_else(discard_panic);
}

/// Drops the payload of a panic, which may panic in turn, and that panic's payload again.
pub(crate) fn discard_panic(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}
