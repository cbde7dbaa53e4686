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
use std::iter;
use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU32, Ordering};

use super::borrow::{Borrow, LentType, NotLent, Reason};
use super::core::Link;
use super::dispatch::Dispatch;
#[cfg(feature = "durable")]
use crate::durable::info::DeliveryInfo;
use crate::handler::error::BoxError;

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

    /// This, unless it is to be exclusive and is not.
    #[inline]
    fn lent_as(&self, exclusive: bool) -> Option<&Self> {
        if self.exclusive || !exclusive { Some(self) } else { None }
    }

    /// Whether it could be borrowed now.
    #[inline]
    fn is_free(&self, exclusive: bool) -> bool {
        match self.exclusive.then(|| self.borrowed.load(Ordering::Acquire)) {
            None | Some(0) => true,
            Some(borrowed) => !exclusive && borrowed < TAKEN - 1,
        }
    }

    /// Takes it, if it is free: by one atomic exchange, since threads can share the scope that lends it.
    #[inline]
    fn take(&self) -> bool {
        self.borrowed.compare_exchange(0, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn lent_type(&self) -> LentType {
        LentType { type_name: (self.type_name)(), exclusive: self.exclusive }
    }
}

/// What a scope lends, and who lends what it does not.
pub(crate) struct Values {
    last: Value,
    /// With the last one so many as most scopes lend.
    last_but_one: Option<Value>,
    earlier: Option<Box<Earlier>>,
    /// Borrowed by the scope.
    outer: Lender<'static>,
}

/// A value that was lent before two others, and those before it.
struct Earlier {
    value: Value,
    earlier: Option<Box<Earlier>>,
}

impl Values {
    /// # Safety
    ///
    /// What `outer` borrows outlives the result.
    #[inline]
    pub(super) unsafe fn within(outer: Lender<'_>, value: Value) -> Self {
        // SAFETY: guaranteed by the caller.
        let outer = unsafe { mem::transmute::<Lender<'_>, Lender<'static>>(outer) };
        Self { last: value, last_but_one: None, earlier: None, outer }
    }

    #[inline]
    pub(super) fn push(&mut self, value: Value) {
        let last = mem::replace(&mut self.last, value);
        if let Some(value) = self.last_but_one.replace(last) {
            self.push_earlier(value);
        }
    }

    #[cold]
    fn push_earlier(&mut self, value: Value) {
        let earlier = self.earlier.take();
        self.earlier = Some(Box::new(Earlier { value, earlier }));
    }

    /// The one of a type that was lent last.
    fn find(&self, type_id: &TypeId) -> Option<&Value> {
        self.iter().find(|value| value.type_id == *type_id)
    }

    /// The values, the one that was lent last first.
    fn iter(&self) -> impl Iterator<Item = &Value> {
        let earlier = iter::successors(self.earlier.as_deref(), |it| it.earlier.as_deref());
        iter::once(&self.last).chain(&self.last_but_one).chain(earlier.map(|it| &it.value))
    }

    fn lent_types(&self) -> impl Iterator<Item = LentType> {
        self.iter().map(Value::lent_type)
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

impl<'a> Lender<'a> {
    /// The innermost value of a type, and of those the one that was lent last; if there is one, and it is lent in the right way.
    #[inline]
    fn lend(self, type_id: &TypeId, exclusive: bool) -> Option<&'a Value> {
        match self {
            // Most often it is this one.
            Self::Scope(Values { last, .. }) if last.type_id == *type_id => last.lent_as(exclusive),
            _ => self.search(type_id, exclusive),
        }
    }

    #[inline(never)]
    fn search(mut self, type_id: &TypeId, exclusive: bool) -> Option<&'a Value> {
        // Only what is shared reaches a publish from within handlers that run at once.
        let mut through_concurrent = false;
        loop {
            match self {
                Self::Nobody => return None,
                Self::Scope(values) => match values.find(type_id) {
                    Some(value) if through_concurrent && value.exclusive => return None,
                    Some(value) => return value.lent_as(exclusive),
                    None => self = values.outer,
                },
                Self::Publish(outer) => {
                    through_concurrent |= outer.is_concurrent();
                    self = outer.lender();
                }
            }
        }
    }

    /// Whether a handler could have this now.
    #[inline]
    pub(super) fn can_lend(self, type_id: &TypeId, exclusive: bool) -> bool {
        self.lend(type_id, exclusive).is_some_and(|value| value.is_free(exclusive))
    }

    /// Whether a value of a type is lent, in either way.
    pub(super) fn lends(self, type_id: &TypeId) -> bool {
        self.lend(type_id, false).is_some()
    }

    /// Whether a handler could have it exclusively, now or later.
    pub(super) fn lends_exclusively(self, type_id: &TypeId) -> bool {
        self.lend(type_id, true).is_some()
    }

    /// Why a handler cannot have what was refused just now.
    #[cold]
    fn reason(self, type_id: &TypeId, exclusive: bool) -> Reason {
        let mut lent = Vec::new();
        let mut lender = self;
        loop {
            match lender {
                Self::Nobody => return Reason::Missing(lent),
                Self::Scope(values) => match values.find(type_id) {
                    Some(value) if exclusive && !value.exclusive => return Reason::OnlyShared,
                    Some(_) if self.lend(type_id, exclusive).is_none() => return Reason::NotInherited,
                    Some(_) => return Reason::Held,
                    None => {
                        lent.extend(values.lent_types());
                        lender = values.outer;
                    }
                },
                Self::Publish(outer) => lender = outer.lender(),
            }
        }
    }

    /// What a handler could not have, and why.
    #[cold]
    pub(super) fn refusal(self, borrow: &Borrow) -> NotLent {
        let reason = self.reason(&borrow.type_id(), borrow.exclusive);
        NotLent::new(borrow.parameter(), borrow.type_name(), borrow.exclusive, reason)
    }

    /// Which of these types the innermost value among them has; of several in one scope, the one that was lent last.
    #[cfg(feature = "durable")]
    pub(super) fn innermost(mut self, types: &[TypeId]) -> Option<usize> {
        loop {
            match self {
                Self::Nobody => return None,
                Self::Scope(values) => {
                    match values.iter().find_map(|value| types.iter().position(|it| *it == value.type_id)) {
                        Some(position) => return Some(position),
                        None => self = values.outer,
                    }
                }
                Self::Publish(outer) => self = outer.lender(),
            }
        }
    }

    /// The innermost `&mut T`, for the outbox.
    #[cfg(feature = "durable")]
    pub(super) fn borrow_exclusive<T: Send + 'static>(self) -> Result<Exclusive<'a, T>, BoxError> {
        let value = self.lend(&TypeId::of::<T>(), true);
        let refused = || BoxError::from(self.refusal(&Borrow::exclusive::<T>("connection")));
        let value = value.filter(|value| value.take()).ok_or_else(refused)?;
        // SAFETY: invariant 2.
        let pointer = unsafe { value.pointer.get() };
        Ok(Exclusive { pointer, borrowed: &value.borrowed, _borrow: PhantomData })
    }

    /// The delivery that a durable handler is called for.
    #[cfg(feature = "durable")]
    pub(super) fn delivery(self) -> Option<&'a DeliveryInfo> {
        let value = self.lend(&TypeId::of::<DeliveryInfo>(), false).filter(|value| !value.exclusive)?;
        // SAFETY: invariant 2.
        let info: NonNull<DeliveryInfo> = unsafe { value.pointer.get() };
        // SAFETY: invariant 1; lent as a shared reference.
        Some(unsafe { info.as_ref() })
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
    ) -> Result<Exclusive<'a, T>, BorrowError<'a>> {
        let Some(value) = self.take(TypeId::of::<T>()) else {
            return Err(self.refused(Borrow::exclusive::<T>(parameter)));
        };
        // SAFETY: invariant 2.
        let pointer = unsafe { value.pointer.get() };
        Ok(Exclusive { pointer, borrowed: &value.borrowed, _borrow: PhantomData })
    }

    /// `parameter: &T`
    ///
    /// # Errors
    ///
    /// When it is not lent, or another handler has it alone.
    #[inline]
    pub fn shared<T: ?Sized + Sync + 'static>(self, parameter: &'static str) -> Result<Shared<'a, T>, BorrowError<'a>> {
        let type_id = TypeId::of::<T>();
        if let Some(link) = self.handle(type_id) {
            // SAFETY: `T` is a handle, which is a transparent `Link`, so both pointers are thin and point to the same.
            let pointer = unsafe { AnyPointer::new(NonNull::from(link)).get() };
            return Ok(Shared { pointer, borrowed: None, _borrow: PhantomData });
        }
        let Some(value) = self.share(type_id) else {
            return Err(self.refused(Borrow::shared::<T>(parameter)));
        };
        // SAFETY: invariant 2.
        let pointer = unsafe { value.pointer.get() };
        Ok(Shared { pointer, borrowed: value.exclusive.then_some(&value.borrowed), _borrow: PhantomData })
    }

    /// `parameter: Option<&mut T>`
    #[inline]
    pub fn exclusive_if_free<T: ?Sized + Send + 'static>(self, parameter: &'static str) -> Option<Exclusive<'a, T>> {
        if self.is_needed(TypeId::of::<T>(), true) { None } else { self.exclusive(parameter).ok() }
    }

    /// `parameter: Option<&T>`
    #[inline]
    pub fn shared_if_free<T: ?Sized + Sync + 'static>(self, parameter: &'static str) -> Option<Shared<'a, T>> {
        if self.is_needed(TypeId::of::<T>(), false) { None } else { self.shared(parameter).ok() }
    }

    // The rest is not generic and not inlined, so that it is compiled once.

    /// Whether a handler that runs at the same time cannot do without what this one could have.
    fn is_needed(self, type_id: TypeId, exclusive: bool) -> bool {
        self.0.is_some_and(|dispatch| dispatch.is_needed(&type_id, exclusive))
    }

    /// The value for a `&mut T`, taken.
    fn take(self, type_id: TypeId) -> Option<&'a Value> {
        self.0?.lender().lend(&type_id, true).filter(|value| value.take())
    }

    /// The value for a `&T`, counted if it is lent exclusively.
    fn share(self, type_id: TypeId) -> Option<&'a Value> {
        let value = self.0?.lender().lend(&type_id, false)?;
        if value.exclusive {
            let one_more = |count: u32| (count < TAKEN - 1).then(|| count + 1);
            value.borrowed.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_more).ok()?;
        }
        Some(value)
    }

    /// The link of the handles that the running publish lends, for the type of one.
    fn handle(self, type_id: TypeId) -> Option<&'a Link> {
        let dispatch = self.0?;
        dispatch.lends_handle(type_id).then(|| Link::lent_by(dispatch))
    }

    #[cold]
    fn refused(self, borrow: Borrow) -> BorrowError<'a> {
        BorrowError { lender: self.0.map_or(Lender::Nobody, Dispatch::lender), borrow }
    }
}

/// What a handler that was started cannot borrow.
///
/// The reason is looked for when an error is made of it: a handler that takes an `Option` needs none.
#[doc(hidden)]
pub struct BorrowError<'a> {
    lender: Lender<'a>,
    borrow: Borrow,
}

#[diagnostic::do_not_recommend]
impl From<BorrowError<'_>> for BoxError {
    #[cold]
    fn from(BorrowError { lender, borrow }: BorrowError<'_>) -> Self {
        Box::new(lender.refusal(&borrow))
    }
}

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
