//! The SQL by which an event is recorded, for drivers other than sqlx.
//!
//! A publish records through sqlx connections. A program that writes with another driver records through its own transaction by one
//! statement, which the outboxes of this crate use too. It records the event together with one delivery for each handler. It publishes
//! nothing: ordinary handlers and observers do not run for it.
//!
//! What to bind comes from the event, which is [`DurableEvent`](mediator_core::durable::DurableEvent) by `#[event(name = …)]`, and
//! from the mediator:
//!
//! ```
//! use mediator_core::durable::DurableEvent;
//! use mediator_core::prelude::*;
//!
//! /// The names of the durable handlers of an event.
//! fn handlers<E: DurableEvent>(mediator: &Mediator) -> Vec<&'static str> {
//!     let handlers = mediator.durable_handlers().iter();
//!     handlers.filter(|handler| handler.event_name() == E::NAME).map(|handler| handler.name()).collect()
//! }
//! # fn _f<E: DurableEvent>() { let _ = handlers::<E>; }
//! ```
//!
//! With no names in the list, the event is recorded without deliveries, and purged later.

/// The `INSERT` of the event alone.
macro_rules! postgres_event {
    () => {
        "INSERT INTO mediator_event (event_id, name, version, key, payload, headers, received)
        VALUES ($1::uuid, $2::text, $3::int, $4::text, $5::text::json, $6::text::json, $7::boolean)
        ON CONFLICT (event_id) DO NOTHING"
    };
}

/// Records an event in SQLite; a trigger on the table records the deliveries. No row is changed if the event was recorded before.
///
/// | parameter | type | what |
/// |---|---|---|
/// | `?1` | blob | the event's id: the 16 bytes of the UUID |
/// | `?2` | text | its name, `OrderPlaced::NAME` |
/// | `?3` | integer | its version, `OrderPlaced::VERSION` |
/// | `?4` | text or null | its key, `event.key()` |
/// | `?5` | text | the event as JSON, by serde |
/// | `?6` | text or null | headers, a JSON object of strings, such as `{"traceparent": "…"}` |
/// | `?7` | integer | 0; 1 for an event that was received from another service |
/// | `?8` | integer | when it is recorded, in microseconds since 1970 |
/// | `?9` | integer | when its deliveries are due, in microseconds since 1970: the same, or later |
/// | `?10` | text | the names of the durable handlers, a JSON array, none twice |
///
/// Workers find it within 20 milliseconds after the commit.
pub const SQLITE_RECORD: &str = "\
    INSERT INTO mediator_event (event_id, name, version, key, payload, headers, received, recorded_at, due_at, handlers)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (event_id) DO NOTHING";

/// Records an event and its deliveries in PostgreSQL. Adds one row for each delivery, and none if the event was recorded before.
///
/// | parameter | type | what |
/// |---|---|---|
/// | `$1` | `uuid` | the event's id |
/// | `$2` | `text` | its name, `OrderPlaced::NAME` |
/// | `$3` | `int` | its version, `OrderPlaced::VERSION` |
/// | `$4` | `text` or null | its key, `event.key()` |
/// | `$5` | `text` | the event as JSON, by serde |
/// | `$6` | `text` or null | headers, a JSON object of strings, such as `{"traceparent": "…"}` |
/// | `$7` | `boolean` | false; true for an event that was received from another service |
/// | `$8` | `text[]` | the names of the durable handlers, none twice |
/// | `$9` | `timestamptz` or null | when its deliveries are due; null if `$10` says so |
/// | `$10` | `float8` | in how many seconds they are due, by the database's clock: 0, or more |
///
/// A key that has a NUL must have `U+FFFF` in its place, since PostgreSQL's `text` holds no NUL.
///
/// Workers find it within a second after the commit, or at once after [`POSTGRES_ANNOUNCE`].
pub const POSTGRES_RECORD: &str = concat!(
    "WITH e AS (",
    postgres_event!(),
    " RETURNING id)
    INSERT INTO mediator_delivery (event, name, version, handler, key, due_at)
    SELECT e.id, $2, $3, h, $4, coalesce($9::timestamptz, statement_timestamp() + $10::float8 * interval '1 s')
    FROM e, unnest($8::text[]) h"
);

/// Records an event that has no delivery: the first seven parameters of [`POSTGRES_RECORD`].
#[cfg(feature = "postgres")]
pub(crate) const POSTGRES_RECORD_EVENT: &str = postgres_event!();

/// Wakes the workers of all processes that listen; to be run after the commit, on another connection or in a transaction of its
/// own: in the transaction that records, it would make all such commits wait for each other.
///
/// It needs the same `search_path` as the outbox.
pub const POSTGRES_ANNOUNCE: &str =
    "SELECT pg_notify('mediator_' || to_regnamespace(quote_ident(current_schema()))::oid, '')";
