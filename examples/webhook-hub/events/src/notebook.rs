//! Where the modules keep what they know.

use std::error::Error;
use std::pin::Pin;

use indexmap::{IndexMap, IndexSet};
use parking_lot::Mutex;

/// Keeps the modules' notes: in memory for a replay, in a database for a service.
///
/// A note is an item under a topic, with a count. Topics of different modules differ: `triage/open issues`.
pub trait Notebook: Send + Sync {
    /// Makes all changes or none, and none a second time for the same key: so a delivery that is repeated counts once.
    fn write<'a>(&'a self, key: &'a str, changes: Vec<Change>) -> NotebookFuture<'a, ()>;

    /// The notes whose topics begin so, in the order in which they were first made.
    fn read<'a>(&'a self, topics: &'a str) -> NotebookFuture<'a, Vec<Note>>;
}

/// What a [`Notebook`] answers with.
pub type NotebookFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, NotebookError>> + Send + 'a>>;

/// The notebook cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the modules' notes cannot be read or written")]
pub struct NotebookError(#[source] Box<dyn Error + Send + Sync>);

impl NotebookError {
    /// For this reason.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

/// One thing that a module knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub topic: String,
    /// Who or what it is.
    pub item: String,
    /// How often it was counted.
    pub count: i64,
}

/// How often all of them were counted.
#[must_use]
pub fn total(notes: &[Note]) -> usize {
    let total: i64 = notes.iter().map(|note| note.count).sum();
    usize::try_from(total).unwrap_or_default()
}

/// A change of the notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Counts the item once more.
    Count(String, String),
    /// Notes the item, if it is not noted yet.
    Put(String, String),
    /// Forgets the item.
    Take(String, String),
    /// Puts all items of the first topic under the second one.
    Move(String, String),
}

impl Change {
    /// Counts the item once more.
    pub fn count(topic: impl Into<String>, item: impl Into<String>) -> Self {
        Self::Count(topic.into(), item.into())
    }

    /// Notes the item, if it is not noted yet.
    pub fn put(topic: impl Into<String>, item: impl Into<String>) -> Self {
        Self::Put(topic.into(), item.into())
    }

    /// Forgets the item.
    pub fn take(topic: impl Into<String>, item: impl Into<String>) -> Self {
        Self::Take(topic.into(), item.into())
    }

    /// Puts all items of `from` under `to`.
    pub fn move_all(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self::Move(from.into(), to.into())
    }
}

/// Notes in memory.
#[derive(Debug, Default)]
pub struct MemoryNotebook(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    written: IndexSet<String>,
    notes: IndexMap<(String, String), i64>,
}

impl Notebook for MemoryNotebook {
    fn write<'a>(&'a self, key: &'a str, changes: Vec<Change>) -> NotebookFuture<'a, ()> {
        let mut pages = self.0.lock();
        if pages.written.insert(key.to_owned()) {
            changes.into_iter().for_each(|change| pages.change(change));
        }
        Box::pin(async { Ok(()) })
    }

    fn read<'a>(&'a self, topics: &'a str) -> NotebookFuture<'a, Vec<Note>> {
        let pages = self.0.lock();
        let notes = pages.notes.iter().filter(|((topic, _), _)| topic.starts_with(topics));
        let note = |((topic, item), count): (&(String, String), &i64)| Note {
            topic: topic.clone(),
            item: item.clone(),
            count: *count,
        };
        let notes = notes.map(note).collect();
        Box::pin(async { Ok(notes) })
    }
}

impl Pages {
    fn change(&mut self, change: Change) {
        match change {
            Change::Count(topic, item) => *self.notes.entry((topic, item)).or_default() += 1,
            Change::Put(topic, item) => {
                self.notes.entry((topic, item)).or_insert(1);
            }
            Change::Take(topic, item) => {
                self.notes.shift_remove(&(topic, item));
            }
            Change::Move(from, to) => {
                let (moved, stays) = self.notes.drain(..).partition(|((topic, _), _)| *topic == from);
                self.notes = stays;
                let moved: IndexMap<_, _> = moved;
                for ((_, item), count) in moved {
                    *self.notes.entry((to.clone(), item)).or_default() += count;
                }
            }
        }
    }
}
