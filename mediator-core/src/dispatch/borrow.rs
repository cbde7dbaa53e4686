//! What handlers borrow, and why they cannot.

use std::any::{TypeId, type_name};
use std::error::Error;
use std::fmt;

use crate::topology::BorrowUse;

/// A parameter of a handler that is borrowed from the publish.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Borrow {
    parameter: &'static str,
    type_id: fn() -> TypeId,
    type_name: fn() -> &'static str,
    pub(crate) exclusive: bool,
    /// `Option<&T>` or `Option<&mut T>`
    pub(crate) optional: bool,
}

impl Borrow {
    /// `parameter: &T`
    #[must_use]
    pub const fn shared<T: ?Sized + 'static>(parameter: &'static str) -> Self {
        Self { parameter, type_id: TypeId::of::<T>, type_name: type_name::<T>, exclusive: false, optional: false }
    }

    /// `parameter: &mut T`
    #[must_use]
    pub const fn exclusive<T: ?Sized + 'static>(parameter: &'static str) -> Self {
        Self { parameter, type_id: TypeId::of::<T>, type_name: type_name::<T>, exclusive: true, optional: false }
    }

    /// The same in an `Option`.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    pub(crate) fn parameter(&self) -> &'static str {
        self.parameter
    }

    pub(crate) fn type_id(&self) -> TypeId {
        (self.type_id)()
    }

    pub(crate) fn type_name(&self) -> &'static str {
        (self.type_name)()
    }

    /// Whether it is the borrow of a handle, which every publish lends; `handles` are their types.
    pub(crate) fn is_of(&self, handles: &[TypeId]) -> bool {
        !self.exclusive && handles.contains(&self.type_id())
    }

    /// The same for people to read.
    pub(crate) fn use_of(&self) -> BorrowUse {
        BorrowUse {
            parameter: self.parameter,
            type_name: self.type_name(),
            is_exclusive: self.exclusive,
            is_optional: self.optional,
        }
    }

    /// Whether this, lent by a behavior, is what `borrow` asks for.
    pub(crate) fn serves(&self, borrow: &Self) -> bool {
        (self.exclusive || !borrow.exclusive) && self.type_id() == borrow.type_id()
    }

    /// Whether two handlers that run at once cannot both have theirs.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        (self.exclusive || other.exclusive) && self.type_id() == other.type_id()
    }
}

/// Why a handler cannot borrow.
#[derive(Debug)]
pub(crate) struct NotLent {
    pub(super) parameter: &'static str,
    pub(super) type_name: &'static str,
    pub(super) exclusive: bool,
    pub(super) reason: Reason,
    /// Of a request's handler.
    is_of_send: bool,
}

impl NotLent {
    pub(super) fn new(parameter: &'static str, type_name: &'static str, exclusive: bool, reason: Reason) -> Self {
        Self { parameter, type_name, exclusive, reason, is_of_send: false }
    }

    pub(super) fn of_send(self) -> Self {
        Self { is_of_send: true, ..self }
    }
}

#[derive(Debug)]
pub(super) enum Reason {
    /// With what is lent instead.
    Missing(Vec<LentType>),
    OnlyShared,
    Held,
    /// Only what is shared reaches a publish from within handlers that run at once.
    NotInherited,
    /// Two handlers that run at once borrow it; with the other one.
    Conflict(String),
}

/// `&mut T`, as it is lent.
#[derive(Clone, Copy, Debug)]
pub(super) struct LentType {
    pub(super) type_name: &'static str,
    pub(super) exclusive: bool,
}

impl fmt::Display for LentType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`&{}{}`", if self.exclusive { "mut " } else { "" }, self.type_name)
    }
}

impl LentType {
    /// Whether a `wanted` is what this one probably derefs to.
    fn holds(&self, wanted: &str) -> bool {
        let Some((outer, arguments)) = self.type_name.split_once('<') else { return false };
        match outer.rsplit("::").next().unwrap_or(outer) {
            "Transaction" | "PoolConnection" if wanted.ends_with("Connection") => true,
            "Transaction" | "Arc" | "Rc" | "Box" | "Mutex" | "RwLock" => arguments.strip_suffix('>') == Some(wanted),
            guard => guard.ends_with("Guard") && arguments.ends_with(&format!("{wanted}>")),
        }
    }

    fn is_lock(&self) -> bool {
        ["::Mutex<", "::RwLock<"].iter().any(|lock| self.type_name.contains(lock))
    }
}

/// Whether it is what every publish and every send lends.
fn is_handle(type_name: &str) -> bool {
    let name = type_name.strip_prefix("mediator_core::").and_then(|path| path.rsplit("::").next());
    matches!(name, Some("Publisher" | "Sender" | "Mediator"))
}

impl fmt::Display for NotLent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameter, type_name, exclusive, reason, is_of_send } = self;
        let reference = if *exclusive { "&mut " } else { "&" };
        let (verb, handle) = if *is_of_send { ("send", "sender") } else { ("publish", "publisher") };
        write!(f, "it borrows `{parameter}: {reference}{type_name}`, ")?;
        match reason {
            Reason::Missing(_) if *exclusive && is_handle(type_name) => {
                write!(f, "which every {verb} lends as `&`; remove the `mut`")
            }
            Reason::Missing(lent) => {
                write!(f, "which this {verb} does not lend; ")?;
                let near = lent.iter().find(|lent| lent.holds(type_name));
                match near {
                    Some(lock) if lock.is_lock() => write!(
                        f,
                        "lent is {lock}: lock it and lend what the guard derefs to, `.with({reference}*guard)`"
                    )?,
                    Some(near) => write!(f, "lent is {near}: lend what it derefs to, `.with({reference}*…)`")?,
                    None => write!(f, "{verb} by `.with({reference}…).{verb}(…)`")?,
                }
                if lent.len() == usize::from(near.is_some()) {
                    return Ok(());
                }
                let lent: Vec<_> = lent.iter().map(ToString::to_string).collect();
                write!(f, "; lent: {}", lent.join(", "))
            }
            Reason::OnlyShared => f.write_str("which is lent as `&` only; lend it by `.with(&mut …)`"),
            Reason::Held => write!(
                f,
                "which another handler holds; a handler lends on what it holds: `{handle}.with(&mut *…).{verb}(…)`",
            ),
            Reason::NotInherited => write!(
                f,
                "which the publish around this {verb} lends exclusively, and its handlers run at once; \
                 lend it anew: `{handle}.with(&mut *…).{verb}(…)`",
            ),
            Reason::Conflict(other) => {
                write!(f, "and so does handler {other}; they run at once, so run the event's handlers in order")
            }
        }
    }
}

impl Error for NotLent {}
