//! Handles that lend.

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr;

use super::core::Link;
use super::lent::{Lend, Values};

/// A handle of a mediator: [`Mediator`](crate::Mediator), [`Publisher`](crate::Publisher) or [`Sender`](crate::Sender).
///
/// # Safety
///
/// `repr(transparent)` over a [`Link`].
#[doc(hidden)]
pub unsafe trait Handle {
    #[allow(private_interfaces)]
    fn link(&self) -> &Link
    where
        Self: Sized,
    {
        // SAFETY: `self` is a transparent `Link`.
        unsafe { &*ptr::from_ref(self).cast::<Link>() }
    }
}

/// A handle that lends values: the handlers of what is published or sent through it can borrow them, and so can those of what
/// they publish or send in turn.
///
/// Made by [`Mediator::with`](crate::Mediator::with), [`Publisher::with`](crate::Publisher::with) or
/// [`Sender::with`](crate::Sender::with), and derefs to the handle it was made from. It can be kept in a variable and used for
/// several publishes; while it lives, nobody else can use what is lent exclusively. Of several values of one type, the one that
/// was lent last is borrowed.
///
/// What is made from a scope (`clone()`, `publisher()`, `sender()`) lends nothing.
///
/// ```
/// use mediator_core::prelude::*;
///
/// struct Journal(Vec<String>);
///
/// #[event]
/// struct OrderPlaced { order_id: String }
///
/// #[event_handler]
/// async fn write_down(event: &OrderPlaced, journal: &mut Journal) {
///     journal.0.push(format!("order {}", event.order_id));
/// }
///
/// # futures::executor::block_on(async {
/// let mediator = Mediator::builder().without_discovery().bind_fn(write_down).build()?;
/// let mut journal = Journal(Vec::new());
/// mediator.with(&mut journal).publish(OrderPlaced::new("o-1".into())).await?;
/// assert_eq!(journal.0, ["order o-1"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[must_use = "lends nothing until something is published or sent"]
pub struct Scope<'s, H> {
    /// Owns nothing.
    link: ManuallyDrop<Link>,
    values: Values,
    handle: PhantomData<H>,
    /// Invariant in `'s`: a scope must not be passed off as one for shorter borrows and lend those.
    borrows: PhantomData<fn(&'s ()) -> &'s ()>,
}

impl<'s, H: Handle> Scope<'s, H> {
    #[inline]
    pub(crate) fn new<L: Lend<'s>>(handle: &'s H, value: L) -> Self {
        let link = handle.link();
        // SAFETY: the scope borrows `handle`, and with it who lends to it, for `'s`.
        let values = unsafe { Values::within(link.lender(), value.into_value()) };
        // SAFETY: the scope borrows `handle` for `'s`.
        let link = ManuallyDrop::new(unsafe { link.scoped() });
        Self { link, values, handle: PhantomData, borrows: PhantomData }
    }

    /// Lends one more value.
    #[inline]
    pub fn with<L: Lend<'s>>(mut self, value: L) -> Self {
        self.values.push(value.into_value());
        self
    }
}

impl<H: Handle> Deref for Scope<'_, H> {
    type Target = H;

    #[inline]
    fn deref(&self) -> &H {
        let link = self.link.lending(&self.values);
        // SAFETY: an `H` is a transparent `Link`.
        unsafe { &*ptr::from_ref(link).cast::<H>() }
    }
}

impl<H> fmt::Debug for Scope<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}
