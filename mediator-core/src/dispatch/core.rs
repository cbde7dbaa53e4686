//! What the handles of a mediator share.

use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use super::dispatch::Dispatch;
use super::lent::{Lender, Values};
use super::observed::Watch;
#[cfg(feature = "durable")]
use super::recording::DeliveryRecorder;
use super::table::Table;
#[cfg(feature = "durable")]
use crate::durable::{external::External, handler::DurableHandler, outbox::Outbox};
use crate::errors::publish_error::PublishError;
use crate::topology::LazyTopology;

/// How the handlers of an event are run.
#[derive(Clone)]
pub(crate) enum Strategy {
    /// One after another; the first failure stops.
    InOrder,
    /// All at once; whether a failure stops the others.
    AtOnce {
        stop_on_failure: bool,
    },
    Custom(Arc<dyn ErasedStrategy>),
}

impl Strategy {
    /// Whether handlers run at once, so that they cannot share what is lent exclusively.
    pub(crate) fn is_concurrent(&self) -> bool {
        match self {
            Self::InOrder => false,
            Self::AtOnce { .. } => true,
            Self::Custom(strategy) => strategy.is_concurrent(),
        }
    }

    /// Whether it records durable deliveries, and so needs no handler.
    pub(super) fn records(&self) -> bool {
        #[cfg(feature = "durable")]
        return self.recorder().is_some();
        #[cfg(not(feature = "durable"))]
        false
    }

    /// Who records the durable deliveries, if there are any.
    #[cfg(feature = "durable")]
    pub(crate) fn recorder(&self) -> Option<&DeliveryRecorder> {
        match self {
            Self::Custom(strategy) => strategy.recorder(),
            Self::InOrder | Self::AtOnce { .. } => None,
        }
    }
}

/// A strategy whose type the mediator forgets.
pub(crate) trait ErasedStrategy: Send + Sync {
    fn is_concurrent(&self) -> bool;

    fn run<'a>(&'a self, dispatch: &'a Dispatch<'a>) -> BoxedRun<'a>;

    /// Who records the durable deliveries before.
    #[cfg(feature = "durable")]
    fn recorder(&self) -> Option<&DeliveryRecorder> {
        None
    }
}

pub(crate) type BoxedRun<'a> = Pin<Box<dyn Future<Output = Result<(), PublishError>> + Send + 'a>>;

/// The handlers of a mediator.
pub(crate) struct Core {
    pub(crate) table: Table,
    /// The handlers of requests, a list of one for each.
    pub(crate) requests: Table,
    #[cfg(feature = "durable")]
    pub(crate) durable: Durable,
    pub(crate) weak: Arc<WeakCore>,
    pub(crate) watch: Watch,
}

/// The durable handlers, and who records their deliveries.
#[cfg(feature = "durable")]
#[derive(Default)]
pub(crate) struct Durable {
    pub(crate) handlers: Box<[DurableHandler]>,
    pub(crate) outbox: Option<Arc<dyn Outbox>>,
    pub(crate) external: Option<External>,
}

/// What weak handles hold.
pub(crate) struct WeakCore {
    pub(crate) core: Weak<Core>,
    /// Set when `build` is done.
    pub(crate) topology: OnceLock<LazyTopology>,
}

/// How a handle leads to its mediator.
pub(crate) struct Link {
    /// The mediator's handlers, if what `kind` says keeps them.
    core: Option<NonNull<Core>>,
    kind: Kind,
}

enum Kind {
    Strong(Arc<Core>),
    /// Does not keep the handlers, which may own it.
    Weak(Arc<WeakCore>),
    /// Of the handle in a dispatch, of a publish or a send. Set by [`Link::lent_by`] for as long as it is borrowed.
    Publish(AtomicPtr<Dispatch<'static>>),
    Scope(ScopeLink),
}

/// How a scope leads to its mediator.
struct ScopeLink {
    /// Of the handle that the scope was made from, which it borrows; itself of no scope.
    base: NonNull<Link>,
    /// Those of the scope. Set by [`Link::lending`] for as long as the link is borrowed, since the scope may move before.
    values: AtomicPtr<Values>,
}

// SAFETY: the pointers stand for shared references to a `Core`, a `Dispatch`, a `Link` and `Values`, which are `Sync`.
unsafe impl Send for Link {}
// SAFETY: the pointers stand for shared references to a `Core`, a `Dispatch`, a `Link` and `Values`, which are `Sync`.
unsafe impl Sync for Link {}

impl Link {
    pub(crate) fn strong(core: Arc<Core>) -> Self {
        Self { core: Some(NonNull::from(&*core)), kind: Kind::Strong(core) }
    }

    pub(crate) fn weak(weak: Arc<WeakCore>) -> Self {
        Self { core: None, kind: Kind::Weak(weak) }
    }

    /// Of the handle in a dispatch, which is set when it is lent.
    ///
    /// # Safety
    ///
    /// `core` outlives the result.
    #[inline]
    pub(super) const unsafe fn of_publish(core: &Core) -> Self {
        Self { core: Some(NonNull::from_ref(core)), kind: Kind::Publish(AtomicPtr::new(ptr::null_mut())) }
    }

    /// Of a scope that is made from the handle with this link.
    ///
    /// # Safety
    ///
    /// `self` outlives the result.
    #[inline]
    pub(super) unsafe fn scoped(&self) -> Self {
        let scope = ScopeLink { base: NonNull::from(self.base()), values: AtomicPtr::new(ptr::null_mut()) };
        Self { core: self.core, kind: Kind::Scope(scope) }
    }

    /// The link that leads to the mediator: of a scope, the one of the handle that it was made from.
    #[inline]
    pub(super) fn base(&self) -> &Self {
        match &self.kind {
            // SAFETY: the scope borrows its base.
            Kind::Scope(scope) => unsafe { scope.base.as_ref() },
            _ => self,
        }
    }

    /// The link of the handle in `dispatch`, ready to be used.
    #[inline]
    pub(super) fn lent_by<'a>(dispatch: &'a Dispatch<'_>) -> &'a Self {
        let link = &*dispatch.link;
        if let Kind::Publish(running) = &link.kind {
            // What is stored is used only while the link is borrowed, and so is the dispatch.
            running.store(ptr::from_ref(dispatch).cast_mut().cast(), Ordering::Relaxed);
        }
        link
    }

    /// The link of a scope with these values, ready to be used.
    #[inline]
    pub(super) fn lending<'a>(&'a self, values: &'a Values) -> &'a Self {
        if let Kind::Scope(scope) = &self.kind {
            scope.values.store(ptr::from_ref(values).cast_mut(), Ordering::Relaxed);
        }
        self
    }

    /// Who lends to a publish through this handle.
    #[inline]
    pub(crate) fn lender(&self) -> Lender<'_> {
        match &self.kind {
            Kind::Strong(_) | Kind::Weak(_) => Lender::Nobody,
            Kind::Publish(_) => self.running().map_or(Lender::Nobody, Lender::Publish),
            // SAFETY: set by `lending` for as long as `self` is borrowed.
            Kind::Scope(scope) => match unsafe { scope.values.load(Ordering::Relaxed).as_ref() } {
                Some(values) => Lender::Scope(values),
                None => Lender::Nobody,
            },
        }
    }

    /// The publish that lends this handle, or the one that the scope was made from.
    #[inline]
    pub(crate) fn running(&self) -> Option<&Dispatch<'_>> {
        match &self.base().kind {
            // SAFETY: set by `lent_by` for as long as `self` is borrowed.
            Kind::Publish(running) => unsafe { running.load(Ordering::Relaxed).as_ref() },
            _ => None,
        }
    }

    /// The mediator's handlers, if this handle needs nothing else to keep them.
    #[inline]
    pub(crate) fn core(&self) -> Option<&Core> {
        // SAFETY: kept by what `kind` says: an `Arc`, the publish or send with the dispatch, or the base of the scope.
        self.core.map(|core| unsafe { core.as_ref() })
    }

    /// The mediator's handlers, kept for as long as the result lives; `None` if they are gone.
    pub(crate) fn reach(&self) -> Option<Reached<'_>> {
        match self.core() {
            Some(core) => Some(Reached::Borrowed(core)),
            None => self.upgrade().map(Reached::Kept),
        }
    }

    /// The mediator's handlers, kept; `None` if they are gone.
    pub(crate) fn upgrade(&self) -> Option<Arc<Core>> {
        match &self.base().kind {
            Kind::Strong(core) => Some(core.clone()),
            _ => self.weak_core().core.upgrade(),
        }
    }

    /// What a weak handle holds.
    pub(crate) fn weak_core(&self) -> &Arc<WeakCore> {
        match &self.base().kind {
            Kind::Weak(weak) => weak,
            _ => &self.core().expect("kept by the handle, or by the publish that lends it").weak,
        }
    }

    /// Whether a handle made from this one does not keep the mediator.
    pub(crate) fn is_weak(&self) -> bool {
        !matches!(self.base().kind, Kind::Strong(_))
    }
}

/// The handlers of a mediator, of which the handle that led there keeps them, or this does.
pub(crate) enum Reached<'a> {
    Borrowed(&'a Core),
    Kept(Arc<Core>),
}

impl Deref for Reached<'_> {
    type Target = Core;

    fn deref(&self) -> &Core {
        match self {
            Self::Borrowed(core) => core,
            Self::Kept(core) => core,
        }
    }
}

/// A link that borrows nothing and lends nothing; of a publish or of a weak handle, a weak one.
impl Clone for Link {
    fn clone(&self) -> Self {
        match &self.base().kind {
            Kind::Strong(core) => Self::strong(core.clone()),
            _ => Self::weak(self.weak_core().clone()),
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_weak() { "Weak" } else { "Strong" })
    }
}
