//! What is known of a handler.

use std::any::type_name;
use std::fmt;
use std::panic::Location;

use crate::event::info::crate_of;

/// What is known of a handler while events are published.
///
/// ```
/// use mediator_core::prelude::*;
///
/// # #[derive(Notification)] struct OrderPlaced;
/// #[event_handler]
/// fn ship(_event: &OrderPlaced) {}
///
/// let mediator = Mediator::builder().without_discovery().bind_fn(ship).build()?;
/// let handler = mediator.topology().events().iter().flat_map(|event| event.handlers()).next().unwrap().handler();
/// assert!(handler.name().ends_with("::ship"));
/// assert!(handler.name().starts_with(handler.module_path()));
/// assert!(handler.module_path().starts_with(handler.crate_name()));
/// println!("{handler}, line {}", handler.location().line());
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerInfo {
    pub(crate) name: &'static str,
    pub(crate) module_path: &'static str,
    pub(crate) location: &'static Location<'static>,
}

impl HandlerInfo {
    /// Of what is named by its type, at the caller's place.
    #[track_caller]
    pub(crate) fn of_type<T>() -> Self {
        let name = type_name::<T>();
        let module_path = name.rsplit_once("::").map_or("", |(module, _)| module);
        Self { name, module_path, location: Location::caller() }
    }

    /// The name without the crate, which may be compiled under several names.
    pub(crate) fn name_within_crate(&self) -> &'static str {
        self.name.split_once("::").map_or(self.name, |(_, name)| name)
    }

    /// The handler's name: the path of its type or function, or what `name = "…"` says.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The crate that registers the handler, by its import name (`_` for `-`).
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        crate_of(self.module_path)
    }

    /// The module that registers the handler, from the crate down.
    #[must_use]
    pub fn module_path(&self) -> &'static str {
        self.module_path
    }

    /// Where the handler is registered.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }
}

/// `path::Handler (src/file.rs:12:1)`
impl fmt::Display for HandlerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.name, self.location)
    }
}
