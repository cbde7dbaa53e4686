//! What a publish lends to its handlers.
//!
//! Four invariants make it sound:
//! 1. A [`Value`] stands for a reference that its [`Scope`](super::Scope) borrows, and a publish through the scope borrows the
//!    scope. So a value lives as long as the publish, and nobody else uses an exclusive one meanwhile.
//! 2. A value is found by the `TypeId` of what it points to, so its pointer is read as the type it was written as.
//! 3. [`Lend`] asks for `T: Sync` to lend a `&T`, and for `T: Send` to lend a `&mut T`; [`Lent`] asks the same of those who
//!    borrow. So a value may be used on any thread.
//! 4. `borrowed` counts the guards of an exclusive value: any number of [`Shared`] ones, or one [`Exclusive`]. A guard that is
//!    forgotten counts forever.

use std::any::{TypeId, type_name};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use super::borrow::{Borrow, LentType, NotLent, Reason};
use super::core::Link;
use super::dispatch::Dispatch;

/// A reference that can be lent to handlers: `&T` of a `Sync` type, `&mut T` of a `Send` one, both `'static`.
///
/// What `with` takes; see [`Scope`](super::Scope).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be lent to handlers",
    label = "lend a `&T` where `T: Sync + 'static`, or a `&mut T` where `T: Send + 'static`",
    note = "a value that handlers are to own is provided when the mediator is built: `.provide(…)`"
)]
pub trait Lend<'s>: Lendable {}

#[diagnostic::do_not_recommend]
impl<'s, T: ?Sized + Sync + 'static> Lend<'s> for &'s T {}

#[diagnostic::do_not_recommend]
impl<'s, T: ?Sized + Send + 'static> Lend<'s> for &'s mut T {}

/// A reference; sealed, since only this module can make a [`Value`].
#[doc(hidden)]
pub trait Lendable {
    fn into_value(self) -> Value;
}

impl<T: ?Sized + 'static> Lendable for &T {
    #[inline]
    fn into_value(self) -> Value {
        Value::new::<T>(NonNull::from(self), false)
    }
}

impl<T: ?Sized + 'static> Lendable for &mut T {
    #[inline]
    fn into_value(self) -> Value {
        Value::new::<T>(NonNull::from(self), true)
    }
}

/// One lent reference.
#[doc(hidden)]
pub struct Value {
    type_id: TypeId,
    type_name: fn() -> &'static str,
    pointer: AnyPointer,
    exclusive: bool,
    /// Of a value that is lent exclusively: how many guards share it right now, [`TAKEN`] if one has it alone.
    borrowed: AtomicU32,
}

const TAKEN: u32 = u32::MAX;

// SAFETY: invariant 3.
unsafe impl Send for Value {}
// SAFETY: invariant 3.
unsafe impl Sync for Value {}

/// A pointer of any type, thin or wide.
#[derive(Clone, Copy)]
struct AnyPointer(MaybeUninit<[*const (); 2]>);

impl AnyPointer {
    #[inline]
    fn new<T: ?Sized>(pointer: NonNull<T>) -> Self {
        const { assert!(size_of::<NonNull<T>>() <= size_of::<Self>() && align_of::<NonNull<T>>() <= align_of::<Self>()) };
        let mut bytes = MaybeUninit::<[*const (); 2]>::uninit();
        // SAFETY: large and aligned enough, see above.
        unsafe { ptr::write(bytes.as_mut_ptr().cast::<NonNull<T>>(), pointer) };
        Self(bytes)
    }

    /// # Safety
    ///
    /// `T` is the type it was made with.
    #[inline]
    unsafe fn get<T: ?Sized>(&self) -> NonNull<T> {
        // SAFETY: written by `new` as this type.
        unsafe { ptr::read(self.0.as_ptr().cast()) }
    }
}

impl Value {
    #[inline]
    fn new<T: ?Sized + 'static>(pointer: NonNull<T>, exclusive: bool) -> Self {
        Self {
            type_id: TypeId::of::<T>(),
            type_name: type_name::<T>,
            pointer: AnyPointer::new(pointer),
            exclusive,
            borrowed: AtomicU32::new(0),
        }
    }

    fn lent_type(&self) -> LentType {
        LentType { type_name: (self.type_name)(), exclusive: self.exclusive }
    }
}

const IN_PLACE: usize = 2;

/// What a scope lends, and who lends what it does not.
pub(crate) struct Values {
    in_place: [Option<Value>; IN_PLACE],
    more: Vec<Value>,
    /// Borrowed by the scope.
    outer: Lender<'static>,
}

impl Values {
    /// # Safety
    ///
    /// What `outer` borrows outlives the result.
    #[inline]
    pub(super) unsafe fn within(outer: Lender<'_>) -> Self {
        // SAFETY: guaranteed by the caller.
        let outer = unsafe { std::mem::transmute::<Lender<'_>, Lender<'static>>(outer) };
        Self { in_place: [const { None }; IN_PLACE], more: Vec::new(), outer }
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) {
        match self.in_place.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(value),
            None => self.more.push(value),
        }
    }

    /// The last ones first.
    #[inline]
    fn own(&self) -> impl Iterator<Item = &Value> {
        self.more.iter().rev().chain(self.in_place.iter().rev().flatten())
    }
}

/// Where a publish finds what it lends.
#[derive(Clone, Copy)]
pub(crate) enum Lender<'a> {
    Nobody,
    Scope(&'a Values),
    /// The publish around this one.
    Publish(&'a Dispatch<'a>),
}

/// A value and how far it is from who borrows it.
struct Found<'a> {
    value: &'a Value,
    /// Only what is shared reaches a publish from within handlers that run at once.
    through_concurrent: bool,
}

impl<'a> Lender<'a> {
    /// The innermost value of a type, and of those the one that was lent last.
    #[inline]
    fn find(mut self, type_id: TypeId) -> Option<Found<'a>> {
        let mut through_concurrent = false;
        loop {
            match self {
                Self::Nobody => return None,
                Self::Scope(values) => {
                    if let Some(value) = values.own().find(|value| value.type_id == type_id) {
                        return Some(Found { value, through_concurrent });
                    }
                    self = values.outer;
                }
                Self::Publish(outer) => {
                    through_concurrent |= outer.is_concurrent();
                    self = outer.lender();
                }
            }
        }
    }

    fn all(mut self) -> Vec<LentType> {
        let mut all = Vec::new();
        loop {
            match self {
                Self::Nobody => return all,
                Self::Scope(values) => {
                    all.extend(values.own().map(Value::lent_type));
                    self = values.outer;
                }
                Self::Publish(outer) => self = outer.lender(),
            }
        }
    }

    /// The publish around, if there is one.
    pub(super) fn enclosing(mut self) -> Option<&'a Dispatch<'a>> {
        loop {
            match self {
                Self::Nobody => return None,
                Self::Scope(values) => self = values.outer,
                Self::Publish(outer) => return Some(outer),
            }
        }
    }

    /// The value for a borrow, if it is lent in the right way.
    #[inline]
    fn lend(self, type_id: TypeId, exclusive: bool) -> Result<&'a Value, Reason> {
        match self.find(type_id) {
            None => Err(Reason::Missing(self.all())),
            Some(found) if exclusive && !found.value.exclusive => Err(Reason::OnlyShared),
            Some(found) if found.through_concurrent && found.value.exclusive => Err(Reason::NotInherited),
            Some(found) => Ok(found.value),
        }
    }

    /// Whether a handler could have this now.
    pub(super) fn check(self, borrow: &Borrow) -> Result<(), NotLent> {
        let free = |value: &Value| {
            let borrowed = if value.exclusive { value.borrowed.load(Ordering::Acquire) } else { 0 };
            let is_held = if borrow.exclusive { borrowed != 0 } else { borrowed == TAKEN };
            if is_held { Err(Reason::Held) } else { Ok(()) }
        };
        let lent = self.lend(borrow.type_id(), borrow.exclusive).and_then(free);
        lent.map_err(|reason| NotLent::new(borrow.parameter(), borrow.type_name(), borrow.exclusive, reason))
    }
}

/// What one call of a handler can borrow.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Lent<'a>(Option<&'a Dispatch<'a>>);

impl<'a> Lent<'a> {
    /// For handlers that borrow nothing.
    pub(super) const NOTHING: Self = Self(None);

    #[inline]
    pub(super) fn by(dispatch: &'a Dispatch<'a>) -> Self {
        Self(Some(dispatch))
    }

    /// `parameter: &mut T`
    ///
    /// # Errors
    ///
    /// When it is not lent, or held by another handler.
    #[inline]
    pub fn exclusive<T: ?Sized + Send + 'static>(
        self,
        parameter: &'static str,
    ) -> Result<Exclusive<'a, T>, BorrowError> {
        let refused = |reason| BorrowError::new::<T>(parameter, true, reason);
        let value = self.lender().lend(TypeId::of::<T>(), true).map_err(refused)?;
        if value.borrowed.compare_exchange(0, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return Err(refused(Reason::Held));
        }
        // SAFETY: invariant 2.
        let pointer = unsafe { value.pointer.get::<T>() };
        Ok(Exclusive { pointer, borrowed: &value.borrowed, _borrow: PhantomData })
    }

    /// `parameter: &T`
    ///
    /// # Errors
    ///
    /// When it is not lent, or another handler has it alone.
    #[inline]
    pub fn shared<T: ?Sized + Sync + 'static>(self, parameter: &'static str) -> Result<Shared<'a, T>, BorrowError> {
        let refused = |reason| BorrowError::new::<T>(parameter, false, reason);
        let value = match self.lender().lend(TypeId::of::<T>(), false) {
            Ok(value) => value,
            Err(reason) => return self.handle().ok_or_else(|| refused(reason)),
        };
        let borrowed = value.exclusive.then_some(&value.borrowed);
        if let Some(borrowed) = borrowed {
            let one_more = |count: u32| (count < TAKEN - 1).then_some(count + 1);
            if borrowed.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more).is_err() {
                return Err(refused(Reason::Held));
            }
        }
        // SAFETY: invariant 2.
        let pointer = unsafe { value.pointer.get::<T>() };
        Ok(Shared { pointer, borrowed, _borrow: PhantomData })
    }

    #[inline]
    fn lender(self) -> Lender<'a> {
        self.0.map_or(Lender::Nobody, Dispatch::lender)
    }

    /// The handle of the running publish, if `T` is one.
    fn handle<T: ?Sized + 'static>(self) -> Option<Shared<'a, T>> {
        let dispatch = self.0.filter(|dispatch| dispatch.lends_handle(TypeId::of::<T>()))?;
        let pointer = AnyPointer::new(NonNull::from(Link::lent_by(dispatch)));
        // SAFETY: `T` is a handle, which is a transparent `Link`, so both pointers are thin and point to the same.
        let pointer = unsafe { pointer.get::<T>() };
        Some(Shared { pointer, borrowed: None, _borrow: PhantomData })
    }
}

/// Why a handler that was started cannot borrow; what its call fails with.
#[doc(hidden)]
#[derive(Debug)]
pub struct BorrowError(Box<NotLent>);

impl BorrowError {
    #[cold]
    fn new<T: ?Sized>(parameter: &'static str, exclusive: bool, reason: Reason) -> Self {
        Self(Box::new(NotLent::new(parameter, type_name::<T>(), exclusive, reason)))
    }

    /// What it says of a request's handler.
    pub(super) fn of_send(self) -> String {
        self.0.of_send().to_string()
    }
}

impl std::fmt::Display for BorrowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for BorrowError {}

/// An exclusive borrow. A pointer, since a reference in a future would claim to be the only one for as long as the future lives.
#[doc(hidden)]
pub struct Exclusive<'a, T: ?Sized> {
    pointer: NonNull<T>,
    borrowed: &'a AtomicU32,
    _borrow: PhantomData<&'a mut T>,
}

// SAFETY: as a `&mut T`.
unsafe impl<T: ?Sized + Send> Send for Exclusive<'_, T> {}
// SAFETY: as a `&mut T`.
unsafe impl<T: ?Sized + Sync> Sync for Exclusive<'_, T> {}

impl<T: ?Sized> Deref for Exclusive<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: invariants 1 and 4.
        unsafe { self.pointer.as_ref() }
    }
}

impl<T: ?Sized> DerefMut for Exclusive<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: invariants 1 and 4.
        unsafe { self.pointer.as_mut() }
    }
}

impl<T: ?Sized> Drop for Exclusive<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.borrowed.store(0, Ordering::Release);
    }
}

/// A shared borrow.
#[doc(hidden)]
pub struct Shared<'a, T: ?Sized> {
    pointer: NonNull<T>,
    /// Of a value that is lent exclusively.
    borrowed: Option<&'a AtomicU32>,
    _borrow: PhantomData<&'a T>,
}

// SAFETY: as a `&T`.
unsafe impl<T: ?Sized + Sync> Send for Shared<'_, T> {}
// SAFETY: as a `&T`.
unsafe impl<T: ?Sized + Sync> Sync for Shared<'_, T> {}

impl<T: ?Sized> Deref for Shared<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: invariants 1 and 4.
        unsafe { self.pointer.as_ref() }
    }
}

impl<T: ?Sized> Drop for Shared<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(borrowed) = self.borrowed {
            borrowed.fetch_sub(1, Ordering::Release);
        }
    }
}
