//! Walking through an error and its causes.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::publish_error::{PublishError, PublishErrorKind};
use super::send_error::SendError;

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

/// The error itself, if it is an `E` and no context of an `anyhow::Error` is around it, which has a text of its own.
fn bare<'e, E: Error + Send + Sync + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    #[cfg(feature = "anyhow")]
    if let Some(whole) = error.downcast_ref::<crate::handler::error::Whole>() {
        let outermost: &(dyn Error + 'static) = whole.0.as_ref();
        return outermost.downcast_ref();
    }
    cast(error)
}

/// An error and its causes, in one line.
#[cfg(feature = "testing")]
pub(crate) fn text_of(error: &(dyn Error + 'static)) -> String {
    struct All<'a>(&'a (dyn Error + 'static));

    impl fmt::Display for All<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_all(f, self.0, &mut Told::new())
        }
    }

    All(error).to_string()
}

/// The same for who knows how the handlers of a nested publish have ended: of that only that it failed.
#[cfg(feature = "testing")]
pub(crate) fn text_without_nested(error: &(dyn Error + 'static)) -> String {
    struct Own<'a>(&'a (dyn Error + 'static));

    impl fmt::Display for Own<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_to_nested(f, self.0, |f, nested, _| {
                if nested.failures().is_empty() || !nested.unpublished().is_empty() {
                    return nested.write_all(f, &mut Told::new());
                }
                write!(f, "publishing `{}` failed", nested.event_name())
            })
        }
    }

    Own(error).to_string()
}

/// The events of the publishes that are being told, the outermost first.
pub(super) type Told = Vec<&'static str>;

/// The innermost cause, if it is that publishes or sends are nested too deep.
fn too_deep<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let is_too_deep = |error: &(dyn Error + 'static)| match bare::<PublishError>(error) {
        Some(nested) => nested.kind() == PublishErrorKind::TooDeep,
        None => matches!(bare(error), Some(SendError::TooDeep(_))),
    };
    let mut next = Some(error);
    while let Some(error) = next.filter(|error| !is_too_deep(*error)) {
        next = error.source();
    }
    next
}

/// Writes an error and its causes on one line, each text once.
///
/// A nested publish tells its own causes. A cause that the text before it contains already, as those of many error types do,
/// is left out; of publishes that cause each other until they are nested too deep, so is all behind the first round.
pub(super) fn write_all(f: &mut fmt::Formatter<'_>, error: &(dyn Error + 'static), told: &mut Told) -> fmt::Result {
    write_to_nested(f, error, |f, nested, error| match too_deep(error) {
        Some(deepest) if told.contains(&nested.event_name()) => write!(f, "… {deepest}"),
        _ => nested.write_all(f, told),
    })
}

/// The same up to a nested publish, which `write_nested` tells; it is the error that is given with it.
fn write_to_nested(
    f: &mut fmt::Formatter<'_>,
    error: &(dyn Error + 'static),
    write_nested: impl FnOnce(&mut fmt::Formatter<'_>, &PublishError, &(dyn Error + 'static)) -> fmt::Result,
) -> fmt::Result {
    let mut written = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(nested) = bare::<PublishError>(error) {
            let before = if written.is_empty() { "" } else { ": " };
            f.write_str(before)?;
            return write_nested(f, nested, error);
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
