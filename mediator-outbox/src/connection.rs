//! How an outbox borrows a connection from a publish.

use std::any::TypeId;
use std::ops::{Deref, DerefMut};

use mediator_core::durable::{BorrowedMut, LentToOutbox};

use crate::BoxError;

/// A connection that a publish lends.
pub(crate) type Borrowed<'a, C> = Box<dyn DerefMut<Target = C> + Send + 'a>;

/// A type that a publish can lend for a store to record through: its connection, or what derefs to it.
pub struct ConnectionType<C: 'static> {
    type_id: fn() -> TypeId,
    borrow: for<'a> fn(LentToOutbox<'a>) -> Result<Borrowed<'a, C>, BoxError>,
}

impl<C: Send + 'static> ConnectionType<C> {
    /// The connection itself.
    #[must_use]
    pub const fn connection() -> Self {
        Self { type_id: TypeId::of::<C>, borrow: |lent| Ok(Box::new(lent.exclusive::<C>()?)) }
    }

    /// A type that derefs to it, such as a transaction.
    #[must_use]
    pub const fn of<T: DerefMut<Target = C> + Send + 'static>() -> Self {
        Self { type_id: TypeId::of::<T>, borrow: |lent| Ok(Box::new(Through(lent.exclusive::<T>()?))) }
    }
}

/// What a lent value derefs to.
struct Through<'a, T: 'static>(BorrowedMut<'a, T>);

impl<T: DerefMut> Deref for Through<'_, T> {
    type Target = T::Target;

    fn deref(&self) -> &T::Target {
        &self.0
    }
}

impl<T: DerefMut> DerefMut for Through<'_, T> {
    fn deref_mut(&mut self) -> &mut T::Target {
        &mut self.0
    }
}

/// The innermost of these that is lent; `None` if none is.
///
/// # Errors
///
/// If it cannot be borrowed: a handler holds it, or it is not inherited because handlers run at once.
pub(crate) fn borrow<'a, C>(
    types: &[ConnectionType<C>],
    lent: LentToOutbox<'a>,
) -> Result<Option<Borrowed<'a, C>>, BoxError> {
    let ids: Vec<_> = types.iter().map(|it| (it.type_id)()).collect();
    let innermost = lent.innermost(&ids);
    innermost.map(|position| (types[position].borrow)(lent)).transpose()
}

impl<C> std::fmt::Debug for ConnectionType<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionType").finish_non_exhaustive()
    }
}
