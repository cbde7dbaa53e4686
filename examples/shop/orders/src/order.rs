//! The order: what may happen to it, and the events that tell of it.

use mediator_core::prelude::*;
use shop_events::{OrderCancelled, OrderPlaced};

/// An order, and its events that are not published yet.
#[derive(Debug)]
pub struct Order {
    id: i64,
    email: String,
    total_cents: i64,
    status: Status,
    events: PendingEvents,
}

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The customer waits for it.
    Placed,
    /// The customer no longer wants it.
    Cancelled,
}

impl Status {
    /// As the database has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Cancelled => "cancelled",
        }
    }

    /// From what the database has.
    pub(crate) fn from_db(status: &str) -> Option<Self> {
        [Self::Placed, Self::Cancelled].into_iter().find(|known| known.as_str() == status)
    }
}

/// Why an order refuses.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// It would have nothing in it.
    #[error("an order needs at least one item")]
    Empty,
    /// The tenant has no order of this number.
    #[error("there is no order {0}")]
    Unknown(i64),
    /// It was cancelled before.
    #[error("order {0} is cancelled already")]
    AlreadyCancelled(i64),
}

impl Order {
    /// Places an order for items of these prices.
    ///
    /// # Errors
    ///
    /// When there are no items.
    pub fn place(id: i64, email: &str, prices_in_cents: &[i64]) -> Result<Self, OrderError> {
        if prices_in_cents.is_empty() {
            return Err(OrderError::Empty);
        }
        let mut order = Self::restore(id, email.to_owned(), prices_in_cents.iter().sum(), Status::Placed);
        order.events.record(OrderPlaced::new(id, order.email.clone(), order.total_cents));
        Ok(order)
    }

    /// An order as it was saved; no event is recorded.
    pub(crate) fn restore(id: i64, email: String, total_cents: i64, status: Status) -> Self {
        Self { id, email, total_cents, status, events: PendingEvents::new() }
    }

    /// Cancels the order.
    ///
    /// # Errors
    ///
    /// When it is cancelled already.
    pub fn cancel(&mut self) -> Result<(), OrderError> {
        if self.status == Status::Cancelled {
            return Err(OrderError::AlreadyCancelled(self.id));
        }
        self.status = Status::Cancelled;
        self.events.record(OrderCancelled::new(self.id, self.email.clone(), self.total_cents));
        Ok(())
    }

    /// Takes out what happened since the last call, to be published.
    pub fn collect_events(&mut self) -> Vec<Box<dyn DynNotification>> {
        self.events.drain()
    }

    /// The order's number.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Where its customer gets mail.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.email
    }

    /// What it costs.
    #[must_use]
    pub fn total_cents(&self) -> i64 {
        self.total_cents
    }

    /// How far it has come.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placing_and_cancelling_record_one_event_each() {
        let mut order = Order::place(7, "ada@example.com", &[1_250, 700]).unwrap();
        order.cancel().unwrap();
        let events = order.collect_events();
        assert_eq!(events.len(), 2);
        assert_eq!(events[0].downcast_ref::<OrderPlaced>().unwrap().total_cents, 1_950);
        assert_eq!(events[1].downcast_ref::<OrderCancelled>().unwrap().order_id, 7);
    }

    #[test]
    fn what_is_refused_records_nothing() {
        let mut order = Order::place(7, "ada@example.com", &[1_250]).unwrap();
        order.cancel().unwrap();
        drop(order.collect_events());
        assert_eq!(order.cancel(), Err(OrderError::AlreadyCancelled(7)));
        assert!(order.collect_events().is_empty());
    }
}
