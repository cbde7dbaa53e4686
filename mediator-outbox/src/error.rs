//! What can go wrong in a store.

use std::error::Error;
use std::fmt;

/// What a store could not do, and what to do about it.
#[derive(Debug)]
pub struct StoreError {
    doing: &'static str,
    kind: StoreErrorKind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// What kind of error a [`StoreError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The database cannot be reached, or the connection broke.
    Unreachable,
    /// SQLite: another connection holds the write lock for longer than `busy_timeout`.
    Locked,
    /// SQLite: the transaction began as a reader, and others have written since.
    Snapshot,
    /// The disk is full.
    Full,
    /// The database cannot be written to.
    ReadOnly,
    /// The tables are of a newer version of this crate.
    NewerSchema,
    /// There is no room for more deliveries.
    NoRoom,
    /// Something else.
    Other,
}

impl StoreError {
    /// An error while `doing` something, as in `"claim deliveries"`.
    pub fn new(
        doing: &'static str,
        kind: StoreErrorKind,
        source: impl Into<Option<Box<dyn Error + Send + Sync>>>,
    ) -> Self {
        Self { doing, kind, source: source.into() }
    }

    /// What kind of error it is.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    fn advice(&self) -> Option<&'static str> {
        match self.kind {
            StoreErrorKind::Unreachable => Some("the database cannot be reached"),
            StoreErrorKind::Locked => Some(
                "another connection holds the write lock; if this publish is made within a transaction, lend it: \
                 `.with(&mut *tx)`",
            ),
            StoreErrorKind::Snapshot => Some(
                "the transaction began by reading, and the database was written to since; begin it with \
                 `outbox.begin()` or `BEGIN IMMEDIATE`",
            ),
            StoreErrorKind::Full => Some("the disk is full"),
            StoreErrorKind::ReadOnly => Some("the database is read-only"),
            StoreErrorKind::NewerSchema => {
                Some("the tables are of a newer version of mediator-outbox; update this program")
            }
            StoreErrorKind::NoRoom => Some("there is no room for more deliveries"),
            StoreErrorKind::Other => None,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the outbox could not {}", self.doing)?;
        self.advice().map_or(Ok(()), |advice| write!(f, ": {advice}"))
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// An error with its causes, as deliveries keep it.
///
/// ```
/// use mediator_outbox::{StoreError, StoreErrorKind, full_text};
///
/// let error = StoreError::new("count deliveries", StoreErrorKind::Other, Some("no such table".into()));
/// assert_eq!(full_text(&error), "the outbox could not count deliveries: no such table");
/// ```
#[must_use]
pub fn full_text(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
