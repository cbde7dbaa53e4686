//! How handlers get what they depend on.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::services::Services;
use crate::errors::panics::PanicPayload;
use crate::handler::error::BoxError;

/// Anything that can be provided and injected.
///
/// Implemented for every `Clone + Send + Sync + 'static` type; shared state comes in an `Arc`.
///
/// ```
/// # use std::sync::{Arc, Mutex};
/// # use mediator_core::Service;
/// fn can_be_injected<T: Service>() {}
///
/// can_be_injected::<Arc<Mutex<Vec<String>>>>();
/// can_be_injected::<u32>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be provided or injected",
    label = "not `Clone + Send + Sync + 'static`",
    note = "a service is cloned for each handler that asks for it; share it in an `Arc`",
    note = "or fill the field by `#[inject(default)]` or `#[inject(with = …)]`"
)]
pub trait Service: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Service for T {}

/// A handler that can be built from the mediator's services.
///
/// `#[event_handler(…)]` on a struct and `#[derive(Inject)]` implement it field by field. By
/// hand:
///
/// ```
/// use mediator_core::{Inject, InjectError, Services};
///
/// #[derive(Clone)]
/// struct SmtpUrl(String);
///
/// struct Mailer { host: String }
///
/// impl Inject for Mailer {
///     fn inject(services: &Services<'_>) -> Result<Self, InjectError> {
///         let SmtpUrl(url) = services.get()?;
///         let host = url.strip_prefix("smtp://").ok_or_else(|| InjectError::new("not an smtp url"))?;
///         Ok(Self { host: host.into() })
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be built from the mediator's services",
    label = "lacks `#[derive(Inject)]`",
    note = "derive or implement `Inject`; or give the builder a ready-made one, by `.bind_handler(…)` or `.behavior(…)`"
)]
pub trait Inject: Sized {
    /// Builds the handler; called once by [`build`](crate::MediatorBuilder::build) for each
    /// mediator, however many events the handler serves.
    ///
    /// # Errors
    ///
    /// When a service is missing, or for a reason of the handler's own.
    fn inject(services: &Services<'_>) -> Result<Self, InjectError>;

    /// Whether there is one instance for all handlers of this type in a mediator.
    #[doc(hidden)]
    const __IS_SHARED: bool = true;

    /// The same, with the names of a function's parameters, for errors.
    #[doc(hidden)]
    fn __inject_named(services: &Services<'_>, _parameters: &[&'static str]) -> Result<Self, InjectError> {
        Self::inject(services)
    }
}

/// Why a handler could not be built.
#[derive(Debug)]
pub struct InjectError(Cause);

#[derive(Debug)]
enum Cause {
    Missing(&'static str),
    Own(BoxError),
}

impl InjectError {
    /// A reason of the handler's own, such as a setting that makes no sense.
    pub fn new(reason: impl Into<BoxError>) -> Self {
        Self(Cause::Own(reason.into()))
    }

    pub(crate) fn missing(service: &'static str) -> Self {
        Self(Cause::Missing(service))
    }

    /// The handler's own reason; `None` when a service was missing.
    pub(crate) fn into_own(self) -> Option<BoxError> {
        match self.0 {
            Cause::Missing(_) => None,
            Cause::Own(reason) => Some(reason),
        }
    }
}

impl fmt::Display for InjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Missing(service) => write!(f, "no service of type `{service}` was provided"),
            Cause::Own(reason) => reason.fmt(f),
        }
    }
}

impl std::error::Error for InjectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0 {
            Cause::Missing(_) => None,
            Cause::Own(reason) => reason.source(),
        }
    }
}

/// Calls what builds a handler or a service; a panic is a reason of its own.
pub(crate) fn inject_catching<T>(inject: impl FnOnce() -> Result<T, InjectError>) -> Result<T, InjectError> {
    catch_unwind(AssertUnwindSafe(inject)).unwrap_or_else(|payload| {
        let payload = PanicPayload::new(payload);
        Err(InjectError::new(format!("it panicked: {}", payload.message())))
    })
}
