//! Every form that `#[event]` and `#[derive(Notification)]` take.
#![deny(warnings)]

use std::marker::PhantomData;

use mediator_core::prelude::*;

mod facade {
    pub use mediator_core;
}

#[event]
#[derive(Clone, Debug, PartialEq)]
pub struct OrderPlaced {
    pub order_id: u64,
}

#[event]
struct NightFell;

#[event()]
struct Nothing {}

#[event(name = "orders.shipped", new = true, crate = ::mediator_core,)]
struct OrderShipped {
    carrier: &'static str,
}

#[event(new = false, crate = crate::facade::mediator_core)]
struct OrderCancelled {
    order_id: u64,
}

impl OrderCancelled {
    fn new(order: &OrderPlaced) -> Self {
        Self { event_id: EventId::new(), order_id: order.order_id }
    }
}

#[event]
struct Created<T: Clone, const N: usize = 1>
where
    T: Default,
{
    values: [T; N],
}

#[derive(Notification)]
enum StockChanged {
    Counted,
    Moved(u64),
}

#[derive(Notification)]
#[notification(name = "clock.tick", crate = ::mediator_core)]
struct Tick(u64);

#[derive(Notification)]
struct Wrapped<T>(T);

#[event]
struct Retried {
    earlier: Option<Box<Retried>>,
    again: Again<Retried>,
}

/// May be sent if what is asked for is an event.
struct Again<E>(PhantomData<*const E>);

unsafe impl<E: Event> Send for Again<E> {}
unsafe impl<E: Event> Sync for Again<E> {}

fn main() {
    let placed = OrderPlaced::new(7);
    assert_ne!(placed, OrderPlaced::new(placed.order_id));
    assert_eq!(OrderCancelled::new(&placed).order_id, 7);
    assert_eq!(OrderShipped::new("post").carrier, "post");
    assert_eq!(OrderShipped::event_name(), "orders.shipped");
    assert_eq!(Created::<u8, 2>::new([1, 2]).values, [1, 2]);
    assert_ne!(NightFell::new().event_id(), NightFell { event_id: EventId::default() }.event_id);
    assert_ne!(Nothing::new().event_id.as_uuid(), Uuid::nil());
    assert!(Retried::new(None, Again(PhantomData)).earlier.is_none());
    assert_eq!(Tick(1).0, 1);
    assert_eq!(Wrapped(1).0, 1);
    assert!(matches!([StockChanged::Counted, StockChanged::Moved(1)], [_, StockChanged::Moved(1)]));
}
