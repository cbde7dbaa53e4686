//! In place of `on.rs` where both features are off: types without a value or without a size, so that nothing is left of them.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::task::Poll;

use super::super::core::{Core, Link};
use super::super::publish::{EventVtable, Publishable};
use super::super::send::Asked;
use super::super::table::{Entry, HandlerList};
use crate::errors::publish_error::PublishError;
use crate::event::dynamic::DynNotification;

type Published = Poll<Result<(), PublishError>>;

pub(crate) struct Watch;

impl Watch {
    pub(crate) fn new() -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) const fn is_on(&self) -> bool {
        false
    }
}

pub(in super::super) struct Twin;

impl Twin {
    pub(in super::super) const NONE: Self = Self;

    pub(in super::super) fn of(_entries: &[Entry], _list: impl FnOnce(Vec<Entry>) -> HandlerList) -> Self {
        Self
    }
}

#[derive(Clone)]
pub(crate) enum Seen {}

/// In place of an `Option<Seen>`, where there must be no padding.
pub(in super::super) type Filler = [usize; 1];

impl Seen {
    pub(crate) fn of_publish(_core: &Core, _link: &Link, _event: &dyn DynNotification) -> Option<Self> {
        None
    }

    #[cfg(feature = "durable")]
    pub(crate) fn of_delivery(_core: &Core, _link: &Link, _event: &dyn DynNotification) -> Option<Self> {
        None
    }

    pub(in super::super) fn of_send(_core: &Core, _link: &Link, _asked: &Asked) -> Option<Self> {
        None
    }

    #[inline(always)]
    pub(in super::super) fn list<'a>(_seen: &Option<Self>, list: &'a HandlerList) -> &'a HandlerList {
        list
    }

    #[inline(always)]
    pub(in super::super) fn within<R>(_seen: &Option<Self>, run: impl FnOnce() -> R) -> R {
        run()
    }

    pub(in super::super) fn poll_publish(_seen: &Option<Self>, poll: &mut dyn FnMut() -> Published) -> Published {
        poll()
    }

    /// A publish by a strategy of its own.
    #[inline(always)]
    pub(crate) fn around<F: Future<Output = Result<(), PublishError>>>(_seen: &Option<Self>, publish: F) -> F {
        publish
    }

    #[inline(always)]
    pub(in super::super) fn keep_event(_seen: &Option<Self>, _vtable: &EventVtable) {}

    /// # Safety
    ///
    /// None.
    #[inline(always)]
    pub(in super::super) unsafe fn take(_seen: &Option<Self>, _message: NonNull<()>) -> bool {
        false
    }

    #[inline(always)]
    pub(crate) fn keeping<E: Publishable>(_seen: &Option<Self>, event: E) -> Keeping<E> {
        Keeping(event)
    }

    pub(in super::super) fn cancel(&self) {
        match *self {}
    }
}

pub(crate) struct Keeping<E>(E);

impl<E: Publishable> Keeping<E> {
    #[inline(always)]
    pub(crate) fn event(&self) -> &dyn DynNotification {
        self.0.event()
    }

    #[inline(always)]
    pub(crate) fn into_box(self) -> Box<dyn DynNotification> {
        self.0.into_box()
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Reports<'a>(PhantomData<&'a ()>);

impl<'a> Reports<'a> {
    pub(in super::super) const NONE: Self = Self(PhantomData);

    #[inline(always)]
    pub(in super::super) fn to(_seen: &'a Option<Seen>) -> Self {
        Self::NONE
    }
}
