//! What is known of an event type.

use std::any::{TypeId, type_name};
use std::fmt;
use std::panic::Location;

use super::notification::Notification;

/// What is known of an event type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventInfo {
    name: &'static str,
    type_name: &'static str,
    type_id: TypeId,
    location: Option<&'static Location<'static>>,
}

impl EventInfo {
    pub(crate) fn of<E: Notification>() -> Self {
        Self {
            name: E::event_name(),
            type_name: type_name::<E>(),
            type_id: TypeId::of::<E>(),
            location: E::declared_at(),
        }
    }

    /// The event's name: the path of its type, or what `name = "…"` says.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The Rust path of the type.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// The crate that declares the type, by its import name (`_` for `-`).
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        crate_of(self.type_name)
    }

    /// Where the type is declared; `None` if `Notification` was implemented by hand.
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

/// `` `path::Event` (src/file.rs:12:1)``
impl fmt::Display for EventInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)?;
        self.location.map_or(Ok(()), |location| write!(f, " ({location})"))
    }
}

/// The crate that a path starts with.
pub(crate) fn crate_of(path: &'static str) -> &'static str {
    path.split(':').next().unwrap_or_default()
}
