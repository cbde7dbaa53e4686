//! How many deliveries to claim, and for which handlers.

use std::time::Duration;

use mediator_core::Mediator;
use mediator_core::durable::{DurableHandler, External};

use super::bus::ANY_VERSION;
use super::{Settings, Work};
use crate::outbox::names;
use crate::store::{Claimed, Wanted};

/// The most that are claimed at once.
pub(super) const MOST: usize = 256;

/// What a worker claims: for each name of a handler and of its event, a share of the batch that grows while it is used up.
pub(super) struct Quotas {
    subscriptions: Vec<Subscription>,
    /// How many deliveries to hold at a time.
    batch: usize,
    /// The least of that: as many as run at a time.
    least: usize,
}

/// The deliveries of one event to one handler, by the names under which they were recorded.
struct Subscription {
    handler: &'static str,
    event: &'static str,
    version: u32,
    /// Among the durable handlers of the mediator; the bus is one.
    index: usize,
    share: usize,
}

fn of_handlers(handlers: &[DurableHandler]) -> Vec<Subscription> {
    let subscriptions = handlers.iter().enumerate().flat_map(|(index, handler)| {
        let version = handler.version();
        names(handler).map(move |(name, event)| Subscription { handler: name, event, version, index, share: 1 })
    });
    subscriptions.collect()
}

fn of_bus(bus: &External) -> Vec<Subscription> {
    let (handler, version) = (bus.name(), ANY_VERSION);
    bus.event_names().map(|event| Subscription { handler, event, version, index: 0, share: 1 }).collect()
}

impl Quotas {
    pub(super) fn new(mediator: &Mediator, settings: Settings) -> Self {
        let subscriptions = match settings.work {
            Work::Handlers => of_handlers(mediator.durable_handlers()),
            Work::Bus => mediator.external().map_or_else(Vec::new, of_bus),
        };
        let least = settings.concurrency.min(MOST);
        Self { subscriptions, batch: least, least }
    }

    /// What to claim while so many deliveries are held; nothing if those are enough.
    pub(super) fn wanted(&self, held: usize) -> Vec<Wanted<'static>> {
        // What is left of the batch is not worth a statement.
        let free = self.batch.saturating_sub(held);
        if free == 0 || 2 * held > self.batch && held >= self.least {
            return Vec::new();
        }
        self.limited(free)
    }

    /// The same, so many at most of each.
    pub(super) fn limited(&self, free: usize) -> Vec<Wanted<'static>> {
        let total: usize = self.subscriptions.iter().map(|it| it.share).sum();
        let wanted = self.subscriptions.iter().map(|it| Wanted {
            handler: it.handler,
            event: it.event,
            version: it.version,
            limit: u32::try_from((free * it.share).div_ceil(total)).unwrap_or(u32::MAX),
        });
        wanted.collect()
    }

    /// Shifts the shares to those who used theirs up; whether there are any, so that more may be due.
    pub(super) fn learn(&mut self, wanted: &[Wanted<'_>], claimed: &[Claimed]) -> bool {
        let mut is_any_full = false;
        for (subscription, wanted) in self.subscriptions.iter_mut().zip(wanted) {
            let count =
                claimed.iter().filter(|it| it.handler == wanted.handler && it.event_name == wanted.event).count();
            let is_full = count >= wanted.limit as usize;
            is_any_full |= is_full;
            subscription.share = match count {
                0 => 1,
                _ if is_full => (subscription.share * 2).min(MOST),
                _ => subscription.share,
            };
        }
        is_any_full
    }

    /// Holds more at a time when a batch is soon done, and fewer when others could have taken a part of it.
    pub(super) fn took(&mut self, time: Duration) {
        if time < Duration::from_millis(100) {
            self.batch = (self.batch * 2).min(MOST);
        } else if time > Duration::from_secs(1) {
            self.batch = (self.batch / 2).max(self.least);
        }
    }

    /// The handler of a claimed delivery, by its index.
    pub(super) fn handler(&self, claimed: &Claimed) -> Option<usize> {
        let found =
            self.subscriptions.iter().find(|it| it.handler == claimed.handler && it.event == claimed.event_name);
        found.map(|it| it.index)
    }
}
