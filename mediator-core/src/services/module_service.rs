//! Services that modules provide: what `#[service]` registers, and how they are made.

use std::any::{TypeId, type_name};
use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, LazyLock};

use super::inject::{Inject, InjectError, Service};
use super::services::{AnyService, Offer, ServiceRequest, Services};
use crate::dispatch::TypeIdMap;
use crate::errors::build_error::BuildProblem;
use crate::handler::error::BoxError;
use crate::handler::service_info::ServiceInfo;

inventory::collect!(ServiceRegistration);

type Make = fn(&Services<'_>) -> Result<AnyService, InjectError>;

/// What the macros submit for a service of a module.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct ServiceRegistration {
    info: ServiceInfo,
    provides: ProvidedType,
    also: &'static [ServiceAlias],
    make: Make,
}

/// The type of a service, as a constant.
#[derive(Clone, Copy)]
pub(crate) struct ProvidedType {
    pub(super) type_id: fn() -> TypeId,
    pub(super) type_name: fn() -> &'static str,
}

impl ProvidedType {
    pub(crate) const fn of<T: 'static>() -> Self {
        Self { type_id: TypeId::of::<T>, type_name: type_name::<T> }
    }
}

/// Another type under which a service is provided, with how it is made of the first one.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct ServiceAlias {
    provides: ProvidedType,
    convert: fn(&AnyService) -> Option<AnyService>,
}

/// What the macros implement for a struct that is a service, so that what it lacks is said once, at the struct.
#[doc(hidden)]
pub trait ModuleService: Inject + Shareable {}

/// What threads can share, in one word, so that rustc says once that it is not.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "threads cannot share `{Self}`",
    label = "not `Send + Sync + 'static`",
    note = "all threads share a service and what it holds; use an `Arc`, a `Mutex` or an atomic"
)]
pub trait Shareable: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Shareable for T {}

/// A trait that all threads may use, as a `dyn` in an `Arc`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "threads cannot share `{Self}`",
    label = "not `Send + Sync`",
    note = "all threads share what is injected; require it of the trait, as in `trait Mailer: Send + Sync`, or write \
            `Arc<dyn Mailer + Send + Sync>`"
)]
pub trait SharedTrait: Send + Sync {}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Send + Sync> SharedTrait for T {}

/// What the macros implement for a service that is provided under another type as well.
#[doc(hidden)]
pub trait ProvidedAs<Alias>: Sized {
    /// The same instance under the other type.
    fn provided(this: Arc<Self>) -> Alias;
}

impl ServiceAlias {
    /// `Alias` for an `S` that is provided as `Arc<S>`.
    #[must_use]
    pub const fn new<S: ProvidedAs<Alias> + Send + Sync + 'static, Alias: Service>() -> Self {
        fn convert<S: ProvidedAs<Alias> + Send + Sync + 'static, Alias: Service>(
            service: &AnyService,
        ) -> Option<AnyService> {
            let service = service.downcast_ref::<Arc<S>>()?;
            Some(Arc::new(S::provided(Arc::clone(service))))
        }

        Self { provides: ProvidedType::of::<Alias>(), convert: convert::<S, Alias> }
    }
}

/// What the macros implement for a function that makes a service, on a type that holds the function's parameters.
#[doc(hidden)]
pub trait ServiceFn: Inject + Sized {
    /// What the function returns.
    type Provided;

    /// Calls the function.
    ///
    /// # Errors
    ///
    /// That of the function.
    fn make(self) -> Result<Self::Provided, InjectError>;
}

/// An error of a function that makes a service.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a service cannot fail with `{Self}`",
    label = "does not convert into `Box<dyn Error + Send + Sync>`",
    note = "implement `std::error::Error` for an error of your own; `anyhow::Error` and `String` convert as well"
)]
pub trait ServiceError: Into<BoxError> {}

impl<E: Into<BoxError>> ServiceError for E {}

/// The error of a function that makes a service.
#[doc(hidden)]
pub fn service_error<E: ServiceError>(error: E) -> InjectError {
    InjectError::new(error)
}

impl ServiceRegistration {
    /// A struct, provided as `Arc<S>`.
    #[must_use]
    #[track_caller]
    pub const fn of_struct<S: ModuleService>(name: &'static str, module_path: &'static str) -> Self {
        fn make<S: ModuleService>(services: &Services<'_>) -> Result<AnyService, InjectError> {
            let service = services.given::<S>().map_or_else(|| S::inject(services).map(Arc::new), Ok)?;
            Ok(Arc::new(service))
        }

        Self {
            info: ServiceInfo::at_caller(name, module_path),
            provides: ProvidedType::of::<Arc<S>>(),
            also: &[],
            make: make::<S>,
        }
    }

    /// A function, which provides what it returns.
    #[must_use]
    #[track_caller]
    pub const fn of_function<T: Service, F: ServiceFn<Provided = T>>(
        name: &'static str,
        module_path: &'static str,
    ) -> Self {
        fn make<T: Service, F: ServiceFn<Provided = T>>(services: &Services<'_>) -> Result<AnyService, InjectError> {
            Ok(Arc::new(F::inject(services)?.make()?))
        }

        Self {
            info: ServiceInfo::at_caller(name, module_path),
            provides: ProvidedType::of::<T>(),
            also: &[],
            make: make::<T, F>,
        }
    }

    /// The same under further types.
    #[must_use]
    pub const fn also(mut self, aliases: &'static [ServiceAlias]) -> Self {
        self.also = aliases;
        self
    }

    pub(crate) fn info(&self) -> ServiceInfo {
        self.info
    }

    fn types(&self) -> impl Iterator<Item = ProvidedType> {
        std::iter::once(self.provides).chain(self.also.iter().map(|alias| alias.provides))
    }
}

impl fmt::Debug for ServiceRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.info)
    }
}

/// The services of modules that may be used, made when somebody first needs them.
#[derive(Default)]
pub(crate) struct ModuleServices {
    registered: Vec<&'static ServiceRegistration>,
    /// The services of each type, in their order; of a type that two provide, the first one is used.
    by_type: TypeIdMap<Vec<usize>>,
    made: RefCell<Vec<Made>>,
    /// Those that are being made, each for the one before it.
    under_way: RefCell<Vec<usize>>,
    problems: RefCell<Vec<BuildProblem>>,
}

/// A service that was made: under which types, and what it asked for.
pub(crate) struct MadeService {
    pub(crate) info: ServiceInfo,
    pub(crate) types: Vec<&'static str>,
    pub(crate) requests: Arc<[ServiceRequest]>,
}

/// How far a service is.
#[derive(Clone)]
enum Made {
    Not,
    UnderWay,
    Yes(AnyService, Arc<[ServiceRequest]>),
    Failed,
}

impl ModuleServices {
    /// All that are linked, in an order that does not depend on the linker.
    pub(crate) fn discovered() -> &'static [&'static ServiceRegistration] {
        static SERVICES: LazyLock<Vec<&ServiceRegistration>> = LazyLock::new(|| {
            let mut services: Vec<_> = inventory::iter::<ServiceRegistration>().collect();
            services.sort_by_key(|service| {
                let location = service.info.location();
                (service.info.crate_name(), location.file(), location.line(), location.column(), service.info.name())
            });
            services
        });
        &SERVICES
    }

    pub(crate) fn new(registered: &[&'static ServiceRegistration]) -> Self {
        let made = registered.iter().map(|_| Made::Not).collect();
        let mut by_type: TypeIdMap<Vec<_>> = TypeIdMap::default();
        for (index, service) in registered.iter().enumerate() {
            service.types().for_each(|provided| by_type.entry((provided.type_id)()).or_default().push(index));
        }
        Self { registered: registered.to_vec(), by_type, made: RefCell::new(made), ..Self::default() }
    }

    /// Types that two modules provide, and the builder does not.
    pub(crate) fn duplicates(&self, is_provided: impl Fn(TypeId) -> bool) -> Vec<BuildProblem> {
        let mut problems = Vec::new();
        for (index, service) in self.registered.iter().enumerate() {
            for provided in service.types() {
                let by = &self.by_type[&(provided.type_id)()];
                if by.len() > 1 && by[0] == index && !is_provided((provided.type_id)()) {
                    problems.push(BuildProblem::DuplicateModuleService {
                        service: (provided.type_name)(),
                        modules: by.iter().map(|&service| self.registered[service].info).collect(),
                    });
                }
            }
        }
        problems
    }

    /// The service of a type: which one, and, if it could be made, the value.
    pub(super) fn get(&self, wanted: TypeId, offer: &Offer) -> Option<(ServiceInfo, Option<AnyService>)> {
        let index = *self.by_type.get(&wanted)?.first()?;
        let registration = self.registered[index];
        let state = self.made.borrow()[index].clone();
        let value = match state {
            Made::Yes(value, _) => Some(value),
            Made::Failed => None,
            Made::UnderWay => {
                self.report_circle(index);
                None
            }
            Made::Not => self.make(index, registration, offer),
        };
        Some((registration.info, value.and_then(|value| registration.convert(wanted, value))))
    }

    fn make(&self, index: usize, registration: &ServiceRegistration, offer: &Offer) -> Option<AnyService> {
        self.made.borrow_mut()[index] = Made::UnderWay;
        self.under_way.borrow_mut().push(index);
        let (made, requests) = Services::injected(offer, |services| (registration.make)(services));
        self.under_way.borrow_mut().pop();
        let mut problems = self.problems.borrow_mut();
        problems.extend(requests.iter().filter(|request| request.is_missing).map(|request| {
            BuildProblem::MissingServiceOfService {
                by: registration.info,
                field: request.field,
                service: request.service,
            }
        }));
        let made = match made {
            Ok(value) => Made::Yes(value, requests.into()),
            Err(error) => {
                let own = error.into_own();
                problems.extend(own.map(|error| BuildProblem::Service { service: registration.info, error }));
                Made::Failed
            }
        };
        self.made.borrow_mut()[index] = made.clone();
        match made {
            Made::Yes(value, _) => Some(value),
            _ => None,
        }
    }

    fn report_circle(&self, index: usize) {
        let under_way = self.under_way.borrow();
        let start = under_way.iter().position(|service| *service == index).unwrap_or(0);
        let circle = under_way[start..].iter().map(|service| self.registered[*service].info).collect();
        self.problems.borrow_mut().push(BuildProblem::ServiceCircle { services: circle });
    }

    pub(crate) fn take_problems(&self) -> Vec<BuildProblem> {
        self.problems.take()
    }

    /// Those that were made, with what they asked for.
    pub(crate) fn made(&self) -> Vec<MadeService> {
        let made = self.made.borrow();
        let services = self.registered.iter().zip(made.iter()).filter_map(|(service, made)| match made {
            Made::Yes(_, requests) => {
                let types = service.types().map(|provided| (provided.type_name)()).collect();
                Some(MadeService { info: service.info, types, requests: requests.clone() })
            }
            _ => None,
        });
        services.collect()
    }
}

impl ServiceRegistration {
    /// The service as one of the types that it is provided as.
    fn convert(&self, wanted: TypeId, service: AnyService) -> Option<AnyService> {
        match self.also.iter().find(|alias| (alias.provides.type_id)() == wanted) {
            Some(alias) => (alias.convert)(&service),
            None => Some(service),
        }
    }
}
