//! The identity of an event.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::uuid_v7;

/// The identity of an event: a UUID of version 7, which sorts by time of creation.
///
/// [`new`](Self::new) and [`Default`] both make a fresh one, so a struct literal, `Default` and
/// `#[serde(default)]` never give two events one id:
///
/// ```
/// use mediator_core::prelude::*;
///
/// #[event]
/// #[derive(Default)]
/// struct OrderPlaced { order_id: String, customer_id: String }
///
/// let one = OrderPlaced { event_id: EventId::new(), order_id: "o-1".into(), customer_id: "c-1".into() };
/// let other = OrderPlaced { order_id: "o-1".into(), ..Default::default() };
/// assert!(one.event_id < other.event_id);
/// ```
///
/// With the feature `serde` it serializes as the UUID. An id that is read back, from a message or a
/// database, comes by [`FromStr`] or from a [`Uuid`], of whatever version:
///
/// ```
/// use mediator_core::EventId;
///
/// let id: EventId = "0197a3c6-5b3e-7c4a-8f5e-1d2c3b4a5f60".parse()?;
/// assert_eq!(id.to_string(), "0197a3c6-5b3e-7c4a-8f5e-1d2c3b4a5f60");
/// assert_eq!(EventId::from(id.as_uuid()), id);
/// # Ok::<(), mediator_core::ParseEventIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct EventId(Uuid);

impl EventId {
    /// A fresh id, above those that this thread made before.
    ///
    /// # Panics
    ///
    /// If the operating system has no random bits to give.
    #[must_use]
    #[inline]
    pub fn new() -> Self {
        Self(uuid_v7::new())
    }

    /// The id as a UUID.
    #[must_use]
    #[inline]
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

/// A fresh id, as [`EventId::new`].
impl Default for EventId {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Uuid> for EventId {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl From<EventId> for Uuid {
    fn from(id: EventId) -> Self {
        id.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EventId {
    type Err = ParseEventIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(ParseEventIdError)
    }
}

/// A text that is not a UUID; the error of [`EventId`]'s [`FromStr`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseEventIdError(uuid::Error);

impl fmt::Display for ParseEventIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event id is a UUID")
    }
}

impl std::error::Error for ParseEventIdError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
