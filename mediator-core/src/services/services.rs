//! The services that a mediator has to offer.

use std::any::{Any, TypeId, type_name};
use std::cell::RefCell;
use std::collections::hash_map::Entry;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use super::inject::{InjectError, Service, inject_catching};
use super::module_service::{ModuleServices, ProvidedType};
use crate::dispatch::{Instance, TypeIdMap};
use crate::errors::build_error::Provided;
use crate::handler::service_info::ServiceInfo;

/// A service of any type.
pub(crate) type AnyService = Arc<dyn Any + Send + Sync>;

/// The services on offer while a handler or a service is built.
pub struct Services<'a> {
    offer: &'a Offer,
    requests: RefCell<Vec<ServiceRequest>>,
}

/// One service that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct ServiceRequest {
    pub(crate) field: Option<&'static str>,
    pub(crate) service: &'static str,
    pub(crate) is_missing: bool,
    /// The service of a module that it was found in.
    pub(crate) provided_by: Option<ServiceInfo>,
}

/// Whether a service was found.
enum Found<T> {
    Yes(T),
    No,
    /// A module provides it, but could not make it, which was reported.
    Failed,
}

impl<'a> Services<'a> {
    pub(crate) fn new(offer: &'a Offer) -> Self {
        Self { offer, requests: RefCell::default() }
    }

    /// A clone of the service of type `T`.
    ///
    /// # Errors
    ///
    /// When there is no `T`. The failure is noted here as well, so that
    /// [`build`](crate::MediatorBuilder::build) reports it even if the error is dropped.
    pub fn get<T: Service>(&self) -> Result<T, InjectError> {
        self.find(None)
    }

    /// Like [`get`](Self::get), naming the field or parameter the service is for in errors.
    ///
    /// # Errors
    ///
    /// When there is no `T`.
    pub fn get_for<T: Service>(&self, field: &'static str) -> Result<T, InjectError> {
        self.find(Some(field))
    }

    /// A clone of the service of type `Option<T>`, or else of type `T`; `None` if there is neither.
    ///
    /// # Errors
    ///
    /// When a module provides it and cannot make it.
    pub fn get_optional_for<T: Service>(&self, field: &'static str) -> Result<Option<T>, InjectError> {
        if let Found::Yes(service) = self.request::<Option<T>>(Some(field), false) {
            return Ok(service);
        }
        match self.request::<T>(Some(field), false) {
            Found::Yes(service) => Ok(Some(service)),
            Found::No => Ok(None),
            Found::Failed => Err(InjectError::missing(type_name::<T>())),
        }
    }

    /// Like [`get`](Self::get), naming what the service is for if it has a name.
    pub(super) fn find<T: Service>(&self, field: Option<&'static str>) -> Result<T, InjectError> {
        match self.request::<T>(field, true) {
            Found::Yes(service) => Ok(service),
            Found::No | Found::Failed => Err(InjectError::missing(type_name::<T>())),
        }
    }

    fn request<T: Service>(&self, field: Option<&'static str>, required: bool) -> Found<T> {
        match self.request_any(TypeId::of::<T>(), type_name::<T>(), field, required) {
            Found::Yes(service) => service.downcast_ref::<T>().cloned().map_or(Found::Failed, Found::Yes),
            Found::No => Found::No,
            Found::Failed => Found::Failed,
        }
    }

    fn request_any(
        &self,
        wanted: TypeId,
        service: &'static str,
        field: Option<&'static str>,
        required: bool,
    ) -> Found<AnyService> {
        let (found, provided_by) = self.offer.get(wanted);
        let is_missing = required && matches!(found, Found::No);
        if is_missing || !matches!(found, Found::No) {
            self.requests.borrow_mut().push(ServiceRequest { field, service, is_missing, provided_by });
        }
        found
    }

    /// The service of a type, if the builder or a module provides one.
    ///
    /// # Errors
    ///
    /// When a module provides it and cannot make it.
    pub(crate) fn provided(&self, service: ProvidedType) -> Result<Option<AnyService>, InjectError> {
        match self.request_any((service.type_id)(), (service.type_name)(), None, false) {
            Found::Yes(service) => Ok(Some(service)),
            Found::No => Ok(None),
            Found::Failed => Err(InjectError::missing((service.type_name)())),
        }
    }

    /// The instance of `S` that the builder was given, in place of the one that its module would make.
    pub(super) fn given<S: Send + Sync + 'static>(&self) -> Option<Arc<S>> {
        let provided = self.offer.provided.get(&TypeId::of::<Arc<S>>());
        let provided = provided.and_then(|provided| provided.value.downcast_ref::<Arc<S>>().cloned());
        provided.or_else(|| self.offer.bound.get(&TypeId::of::<S>())?.clone().downcast().ok())
    }

    /// Builds something of what is offered; what it asked for is told even if it cannot be built.
    pub(crate) fn injected<T>(
        offer: &'a Offer,
        inject: impl FnOnce(&Self) -> Result<T, InjectError>,
    ) -> (Result<T, InjectError>, Vec<ServiceRequest>) {
        let services = Self::new(offer);
        let injected = inject_catching(|| inject(&services));
        (injected, services.into_requests())
    }

    fn into_requests(self) -> Vec<ServiceRequest> {
        self.requests.into_inner()
    }
}

impl fmt::Debug for Services<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.offer.provided.values().map(|service| service.type_name)).finish()
    }
}

/// What the builder was given, by exact type, and what modules provide.
#[derive(Default)]
pub(crate) struct Offer {
    provided: TypeIdMap<ProvidedService>,
    /// The handlers that the builder was given ready-made, by their own type; those of them that are services of modules are
    /// on offer.
    pub(crate) bound: TypeIdMap<AnyService>,
    pub(crate) modules: ModuleServices,
}

struct ProvidedService {
    value: AnyService,
    type_name: &'static str,
    location: &'static Location<'static>,
}

/// A service that is an `Arc` of a handler.
pub(crate) struct ProvidedInstance {
    pub(crate) instance: Instance,
    pub(crate) service: &'static str,
    pub(crate) location: &'static Location<'static>,
}

impl Offer {
    /// Adds a service; the place of the earlier one if there already is one of this type.
    pub(crate) fn insert<T: Service>(
        &mut self,
        value: T,
        location: &'static Location<'static>,
    ) -> Result<(), &'static Location<'static>> {
        match self.provided.entry(TypeId::of::<T>()) {
            Entry::Occupied(earlier) => Err(earlier.get().location),
            Entry::Vacant(vacant) => {
                vacant.insert(ProvidedService { value: Arc::new(value), type_name: type_name::<T>(), location });
                Ok(())
            }
        }
    }

    /// The handler that the builder was given as an `Arc<H>`.
    pub(crate) fn instance<H: Send + Sync + 'static>(&self) -> Option<ProvidedInstance> {
        let ProvidedService { value, type_name: service, location } = self.provided.get(&TypeId::of::<Arc<H>>())?;
        let instance = value.downcast_ref::<Arc<H>>()?.clone();
        Some(ProvidedInstance { instance, service, location })
    }

    /// Whether the builder was given one of this type.
    pub(crate) fn provides(&self, service: TypeId) -> bool {
        self.provided.contains_key(&service)
    }

    /// What the builder was given, in the order it stands in the code.
    pub(crate) fn provided(&self) -> Vec<Provided> {
        let services = self.provided.values();
        let mut provided: Vec<_> = services
            .map(|&ProvidedService { type_name: service, location, .. }| Provided { service, location })
            .collect();
        provided.sort_by_key(|Provided { service, location }| {
            (location.file(), location.line(), location.column(), *service)
        });
        provided
    }

    fn get(&self, wanted: TypeId) -> (Found<AnyService>, Option<ServiceInfo>) {
        if let Some(provided) = self.provided.get(&wanted) {
            return (Found::Yes(provided.value.clone()), None);
        }
        match self.modules.get(wanted, self) {
            Some((info, made)) => (made.map_or(Found::Failed, Found::Yes), Some(info)),
            None => (Found::No, None),
        }
    }
}
