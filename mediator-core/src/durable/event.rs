//! Events that can be recorded.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::event::dynamic::DynNotification;
use crate::event::notification::Notification;
use crate::handler::error::BoxError;

/// An event with a stable name, by which recorded deliveries find their handlers again.
///
/// `#[event(name = "…")]` implements it, with what its options `version`, `upcast`, `alias` and `key` say.
pub trait DurableEvent: Notification {
    /// The name under which it is recorded.
    const NAME: &'static str;

    /// The version of its JSON, from 1.
    const VERSION: u32 = 1;

    /// Names under which it was recorded earlier.
    const ALIASES: &'static [&'static str] = &[];

    /// What deliveries are ordered by; `None` if they are not.
    fn key(&self) -> Option<String> {
        None
    }

    /// Brings JSON of an older `version` up to date.
    ///
    /// # Errors
    ///
    /// When that JSON is not what the upcaster expects.
    fn upcast(version: u32, payload: Value) -> Result<Value, BoxError> {
        let _ = version;
        Ok(payload)
    }
}

/// What a durable handler can handle.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "deliveries of `{Self}` cannot be recorded",
    label = "its event needs a stable name, and serde's derives",
    note = "write `#[event(name = \"orders.placed\")]` above the event, and `#[derive(Serialize, Deserialize)]`"
)]
pub trait Recordable: DurableEvent + Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<E: DurableEvent + Serialize + DeserializeOwned> Recordable for E {}

/// Calls one upcaster of the user's.
#[doc(hidden)]
pub fn upcast<E: Into<BoxError>>(
    function: impl FnOnce(Value) -> Result<Value, E>,
    payload: Value,
) -> Result<Value, BoxError> {
    function(payload).map_err(Into::into)
}

/// How events of one type are recorded and read back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Codec {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) encode: fn(&dyn DynNotification) -> Result<Encoded, BoxError>,
    pub(crate) decode: fn(u32, &str) -> Result<Decoded, BoxError>,
}

pub(crate) type Decoded = Box<dyn DynNotification>;

/// What is recorded of an event.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) key: Option<String>,
    pub(crate) payload: String,
}

impl Codec {
    pub(crate) const fn of<E: Recordable>() -> Self {
        Self {
            name: E::NAME,
            version: E::VERSION,
            aliases: E::ALIASES,
            encode: encode::<E>,
            decode: |version, payload| decode::<E>(version, payload).map(|event| Box::new(event) as _),
        }
    }
}

fn encode<E: Recordable>(event: &dyn DynNotification) -> Result<Encoded, BoxError> {
    let event = event.downcast_ref::<E>().ok_or("an event of another type")?;
    Ok(Encoded { key: event.key(), payload: serde_json::to_string(event)? })
}

fn decode<E: Recordable>(version: u32, payload: &str) -> Result<E, BoxError> {
    if version >= E::VERSION {
        return Ok(serde_json::from_str(payload)?);
    }
    let payload = E::upcast(version, serde_json::from_str(payload)?)?;
    Ok(serde_json::from_value(payload)?)
}
