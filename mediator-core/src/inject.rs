//! How handlers get what they depend on.

use std::any::{Any, TypeId, type_name};
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::panic::Location;

use crate::build_error::Provided;
use crate::handler::BoxError;

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
    note = "derive or implement `Inject`; or bind a ready-made handler by `.bind_handler(…)`"
)]
pub trait Inject: Sized {
    /// Builds the handler; called once by [`build`](crate::MediatorBuilder::build) for each
    /// mediator, however many events the handler serves.
    ///
    /// # Errors
    ///
    /// When a service is missing, or for a reason of the handler's own.
    fn inject(services: &Services<'_>) -> Result<Self, InjectError>;
}

/// The services on offer while one handler is built.
pub struct Services<'a> {
    provided: &'a ServiceMap,
    requests: RefCell<Vec<Request>>,
}

/// One service that a handler asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) field: Option<&'static str>,
    pub(crate) service: &'static str,
    pub(crate) found: bool,
}

impl<'a> Services<'a> {
    pub(crate) fn new(provided: &'a ServiceMap) -> Self {
        Self { provided, requests: RefCell::default() }
    }

    /// A clone of the service of type `T`.
    ///
    /// # Errors
    ///
    /// When no `T` was provided. The failure is noted here as well, so that
    /// [`build`](crate::MediatorBuilder::build) reports it even if the error is dropped.
    pub fn get<T: Service>(&self) -> Result<T, InjectError> {
        self.request(None)
    }

    /// Like [`get`](Self::get), naming the field or parameter the service is for in errors.
    ///
    /// # Errors
    ///
    /// When no `T` was provided.
    pub fn get_for<T: Service>(&self, field: &'static str) -> Result<T, InjectError> {
        self.request(Some(field))
    }

    fn request<T: Service>(&self, field: Option<&'static str>) -> Result<T, InjectError> {
        let service = self.provided.get::<T>();
        self.requests.borrow_mut().push(Request { field, service: type_name::<T>(), found: service.is_some() });
        service.cloned().ok_or(InjectError(Cause::Missing(type_name::<T>())))
    }

    pub(crate) fn into_requests(self) -> Vec<Request> {
        self.requests.into_inner()
    }
}

impl fmt::Debug for Services<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.provided.services.values().map(|service| service.type_name)).finish()
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

/// What the builder was given, by exact type.
#[derive(Default)]
pub(crate) struct ServiceMap {
    services: HashMap<TypeId, ProvidedService>,
}

struct ProvidedService {
    value: Box<dyn Any + Send + Sync>,
    type_name: &'static str,
    location: &'static Location<'static>,
}

impl ServiceMap {
    /// Adds a service; the place of the earlier one if there already is one of this type.
    pub(crate) fn insert<T: Service>(
        &mut self,
        value: T,
        location: &'static Location<'static>,
    ) -> Result<(), &'static Location<'static>> {
        match self.services.entry(TypeId::of::<T>()) {
            Entry::Occupied(earlier) => Err(earlier.get().location),
            Entry::Vacant(vacant) => {
                vacant.insert(ProvidedService { value: Box::new(value), type_name: type_name::<T>(), location });
                Ok(())
            }
        }
    }

    /// What there is, in the order it stands in the code.
    pub(crate) fn provided(&self) -> Vec<Provided> {
        let services = self.services.values();
        let mut provided: Vec<_> = services
            .map(|&ProvidedService { type_name: service, location, .. }| Provided { service, location })
            .collect();
        provided.sort_by_key(|Provided { service, location }| {
            (location.file(), location.line(), location.column(), *service)
        });
        provided
    }

    fn get<T: Service>(&self) -> Option<&T> {
        self.services.get(&TypeId::of::<T>())?.value.downcast_ref()
    }
}
