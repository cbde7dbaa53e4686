//! What is known of a service of a module.

use std::fmt;
use std::panic::Location;

use super::info::HandlerInfo;

/// What is known of a service that a module provides by `#[service]`.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use mediator_core::prelude::*;
///
/// #[service]
/// struct Log { #[inject(default)] lines: Mutex<Vec<String>> }
///
/// #[event]
/// struct OrderPlaced {}
///
/// #[event_handler]
/// fn write_down(_event: &OrderPlaced, log: Arc<Log>) {
///     log.lines.lock().unwrap().push("an order".into());
/// }
///
/// let mediator = Mediator::builder().build()?;
/// let services = mediator.topology().services();
/// let log = services.iter().find(|service| service.service().name().ends_with("::Log")).unwrap();
/// assert!(log.service().name().starts_with(log.service().crate_name()));
/// println!("{} is made by {}", log.types()[0], log.service());
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceInfo(HandlerInfo);

impl ServiceInfo {
    #[track_caller]
    pub(crate) const fn at_caller(name: &'static str, module_path: &'static str) -> Self {
        Self(HandlerInfo { name, module_path, location: Location::caller() })
    }

    /// The path of the struct or the function.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// The crate that provides it, by its import name (`_` for `-`).
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        self.0.crate_name()
    }

    /// The module that provides it, from the crate down.
    #[must_use]
    pub fn module_path(&self) -> &'static str {
        self.0.module_path()
    }

    /// Where it is declared.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.0.location()
    }

    /// As what `discover_where` chooses from, and errors speak of.
    pub(crate) fn as_handler(self) -> HandlerInfo {
        self.0
    }
}

/// `` `path::Log` (src/file.rs:12:1) ``
impl fmt::Display for ServiceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
