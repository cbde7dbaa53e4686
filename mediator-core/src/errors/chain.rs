//! Walking through an error and its causes.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::publish_error::PublishError;

/// The first `E` among an error and its causes, also within a nested publish.
pub(super) fn find<'e, E: Error + Send + Sync + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = cast(error).or_else(|| cast::<PublishError>(error)?.downcast_ref()) {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The error itself, if it is an `E`.
fn cast<'e, E: Error + Send + Sync + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    #[cfg(feature = "anyhow")]
    if let Some(whole) = error.downcast_ref::<crate::handler::error::Whole>() {
        return whole.0.downcast_ref();
    }
    // Of the same error every time.
    if let Some(shared) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
        return shared.downcast_ref();
    }
    error.downcast_ref()
}

/// An error and its causes, in one line.
#[cfg(feature = "testing")]
pub(crate) fn text_of(error: &(dyn Error + 'static)) -> String {
    struct All<'a>(&'a (dyn Error + 'static));

    impl fmt::Display for All<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_all(f, self.0)
        }
    }

    All(error).to_string()
}

/// Writes an error and its causes on one line, each text once.
///
/// A nested publish tells its own causes. A cause that the text before it contains already, as those of many error types do,
/// is left out.
pub(super) fn write_all(f: &mut fmt::Formatter<'_>, error: &(dyn Error + 'static)) -> fmt::Result {
    let mut written = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(nested) = cast::<PublishError>(error) {
            let before = if written.is_empty() { "" } else { ": " };
            return write!(f, "{before}{nested:#}");
        }
        let text = error.to_string();
        if !written.contains(&text) {
            let before = if written.is_empty() { "" } else { ": " };
            write!(f, "{before}{text}")?;
            written = text;
        }
        next = error.source();
    }
    Ok(())
}
