//! What is known of a request type.

use std::any::{TypeId, type_name};
use std::fmt;
use std::panic::Location;

use super::request::Request;
use crate::event::info::crate_of;

/// What is known of a request type.
///
/// ```standalone_crate
/// use mediator_core::prelude::*;
///
/// #[request(usize)]
/// struct CountOrders;
///
/// #[request_handler]
/// fn count_orders(_request: &CountOrders) -> usize { 0 }
///
/// let mediator = Mediator::new()?;
/// let request = mediator.topology().requests()[0].request();
/// assert!(request.name().ends_with("::CountOrders"));
/// assert_eq!(request.response(), "usize");
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestInfo {
    name: &'static str,
    type_name: &'static str,
    type_id: TypeId,
    response: &'static str,
    location: Option<&'static Location<'static>>,
}

impl RequestInfo {
    pub(crate) fn of<R: Request>() -> Self {
        Self {
            name: R::request_name(),
            type_name: type_name::<R>(),
            type_id: TypeId::of::<R>(),
            response: type_name::<R::Response>(),
            location: R::declared_at(),
        }
    }

    /// The request's name: the path of its type, or what `name = "…"` says.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The Rust path of the type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The Rust path of what it is answered with when all is well.
    #[must_use]
    pub fn response(&self) -> &'static str {
        self.response
    }

    /// The crate that declares the type, by its import name (`_` for `-`).
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        crate_of(self.type_name)
    }

    /// Where the type is declared; `None` if `Request` was implemented by hand.
    #[must_use]
    pub fn location(&self) -> Option<&'static Location<'static>> {
        self.location
    }

    pub(crate) fn type_id(&self) -> TypeId {
        self.type_id
    }

    pub(crate) fn sort_key(&self) -> impl Ord + use<> {
        let place = self.location.map(|location| (location.file(), location.line(), location.column()));
        (self.crate_name(), place, self.type_name)
    }
}

/// `` `path::Request` (src/file.rs:12:1)``
impl fmt::Display for RequestInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)?;
        self.location.map_or(Ok(()), |location| write!(f, " ({location})"))
    }
}
