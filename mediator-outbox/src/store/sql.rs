//! What the stores in SQL databases share.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{State, Then};
use crate::error::{StoreError, StoreErrorKind};

/// The numbers of [`State`] in the tables.
pub(super) const READY: i16 = 0;
pub(super) const DEAD: i16 = 3;
pub(super) const DEAD_KEY_GOES_ON: i16 = 4;

/// A [`State`] by its number.
pub(super) fn state(number: i16) -> State {
    match number {
        READY => State::Ready,
        1 => State::Running,
        2 => State::Waiting,
        DEAD | DEAD_KEY_GOES_ON => State::Dead,
        _ => State::Done,
    }
}

/// The condition by which a delivery is in a state.
///
/// The numbers stand in the SQL: a partial index helps no condition on a parameter.
pub(super) fn is_in(state: State) -> &'static str {
    match state {
        State::Ready => "d.state = 0",
        State::Running => "d.state = 1",
        State::Waiting => "d.state = 2",
        State::Dead => IS_DEAD,
        State::Done => "d.state = 5",
    }
}

pub(super) const IS_DEAD: &str = "d.state IN (3, 4)";

/// A time in microseconds since 1970.
pub(super) fn micros(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => length(since),
        Err(before) => -length(before.duration()),
    }
}

/// A duration in microseconds.
pub(super) fn length(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// A time from microseconds since 1970.
pub(super) fn time(micros: i64) -> SystemTime {
    let since = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { UNIX_EPOCH - since } else { UNIX_EPOCH + since }
}

/// How long until a time; zero if it is over.
pub(super) fn until(micros: i64, now: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros.saturating_sub(now)).unwrap_or(0))
}

/// A number that the tables hold in a signed column.
pub(super) fn unsigned(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

/// What a failure makes of a delivery: its state, and in how many microseconds it is due, if it is.
pub(super) fn after_failure(then: Then) -> (i16, Option<i64>) {
    match then {
        Then::Retry(delay) => (READY, Some(length(delay))),
        Then::Dead => (DEAD, None),
        Then::DeadKeyGoesOn => (DEAD_KEY_GOES_ON, None),
    }
}

/// An error while `doing` something; `code` tells the kinds of errors of one database by their codes.
pub(super) fn error(doing: &'static str, error: sqlx::Error, code: fn(&str) -> StoreErrorKind) -> StoreError {
    use sqlx::Error;
    let kind = match &error {
        Error::Database(database) => database.code().map_or(StoreErrorKind::Other, |found| code(&found)),
        Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed => StoreErrorKind::Unreachable,
        _ => StoreErrorKind::Other,
    };
    StoreError::new(doing, kind, Some(error.into()))
}

/// The tables are of a newer version than this program knows.
pub(super) fn newer_schema(found: i64, known: usize) -> StoreError {
    let what = format!("the tables are of version {found}, this program knows versions up to {known}");
    StoreError::new("migrate its tables", StoreErrorKind::NewerSchema, Some(what.into()))
}

/// Runs a future to its end, even if nobody waits for it any more.
pub(super) async fn in_a_task<T: Send + 'static>(
    future: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
) -> Result<T, sqlx::Error> {
    // It is not aborted; a panic of sqlx's is as good as a crash of its own worker.
    tokio::spawn(future).await.unwrap_or(Err(sqlx::Error::WorkerCrashed))
}
