//! The assertions, and what they say.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::executor::block_on;
use mediator_core::Mediator;
use mediator_core::testing::{Recorder, assert_not_published, assert_published, assert_published_once};

use crate::world::*;

/// What the assertion that fails says.
fn message<R>(assertion: impl FnOnce() -> R) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(assertion)) else { panic!("the assertion holds") };
    *payload.downcast::<String>().unwrap()
}

fn two_orders() -> (Recorder, Mediator) {
    let recorder = Recorder::new();
    let mediator = shop(&recorder).build().unwrap();
    block_on(mediator.publish(placed("o-1", 12))).unwrap();
    block_on(mediator.publish(placed("o-2", 500))).unwrap_err();
    (recorder, mediator)
}

#[test]
fn assertions_that_hold_return_what_they_found() {
    let (recorder, _mediator) = two_orders();
    assert_published!(recorder, OrderPlaced);
    assert_published!(recorder, OrderPlaced { .. });
    assert_eq!(assert_published!(&recorder, OrderPlaced { order_id, .. } if order_id == "o-2").total, 500);
    assert_eq!(assert_published_once!(recorder, OrderPlaced { total: 0..100, .. }).order_id, "o-1");
    assert_published_once!(recorder, StockReserved { quantity: 12 | 13, .. });
    assert_not_published!(recorder, OrderPlaced { order_id, .. } if order_id == "o-3");
    assert_not_published!(recorder, Counted);
    assert_not_published!(recorder, Counted(_),);
}

#[test]
fn values_of_the_users_own_are_not_taken_for_bindings() {
    #![allow(non_upper_case_globals, non_camel_case_types, dead_code)]
    static search: u8 = 0;
    const show: u8 = 0;
    struct event;
    let (recorder, _mediator) = two_orders();
    assert_published!(recorder, OrderPlaced { order_id, .. } if order_id == "o-2");
    assert_not_published!(recorder, Counted);
}

#[test]
fn an_event_that_is_missing_is_told_with_what_was_published_instead() {
    let (recorder, _mediator) = two_orders();
    let message = message(|| assert_published!(recorder, OrderPlaced { order_id, .. } if order_id == "o-3"));
    insta::assert_snapshot!(message, @r#"
    `OrderPlaced { order_id, .. } if order_id == "o-3"` was not published, but 2 other `orders.placed`
      OrderPlaced {
          event_id: #1,
    >     order_id: "o-1",
          total: 12,
      }
      OrderPlaced {
          event_id: #3,
    >     order_id: "o-2",
          total: 500,
      }
    all that was published and sent:
    event orders.placed #1: ok
    ├─ stock: ok
    │  └─ event stock.reserved #2: ok
    │     └─ shelves: ok
    └─ invoices: ok
    event orders.placed #3: failed
    ├─ stock: failed: publishing `stock.reserved` failed
    │  └─ event stock.reserved #4: failed
    │     └─ shelves: panicked: out of boxes
    └─ invoices: not run
    "#);
}

#[test]
fn an_event_of_a_type_that_was_never_published_is_told() {
    let (recorder, _mediator) = two_orders();
    let message = message(|| assert_published_once!(recorder, Counted(7)));
    insta::assert_snapshot!(message, @r"
    `Counted(7)` was not published, nor any other `kit::world::Counted`
    all that was published and sent:
    event orders.placed #1: ok
    ├─ stock: ok
    │  └─ event stock.reserved #2: ok
    │     └─ shelves: ok
    └─ invoices: ok
    event orders.placed #3: failed
    ├─ stock: failed: publishing `stock.reserved` failed
    │  └─ event stock.reserved #4: failed
    │     └─ shelves: panicked: out of boxes
    └─ invoices: not run
    ");
}

#[test]
fn events_that_are_not_debug_are_counted() {
    let recorder = Recorder::new();
    let mediator = recorded(&recorder).build().unwrap();
    block_on(mediator.publish(Counted(1))).unwrap();
    block_on(mediator.publish(Counted(2))).unwrap();
    insta::assert_snapshot!(message(|| assert_published!(recorder, Counted(7))), @r"
    `Counted(7)` was not published, but 2 other `kit::world::Counted`
    all that was published and sent:
    event kit::world::Counted: ok
    event kit::world::Counted: ok
    ");
    let message = message(|| assert_published_once!(recorder, Counted(_)));
    assert!(message.starts_with("`Counted(_)` was published 2 times\nall that"), "{message}");
}

#[test]
fn an_event_that_should_not_be_there_is_shown() {
    let (recorder, _mediator) = two_orders();
    let message = message(|| assert_not_published!(recorder, StockReserved { quantity: 100.., .. }));
    insta::assert_snapshot!(message, @r"
    `StockReserved { quantity: 100.., .. }` was published
      StockReserved {
          event_id: #4,
    >     quantity: 500,
      }
    all that was published and sent:
    event orders.placed #1: ok
    ├─ stock: ok
    │  └─ event stock.reserved #2: ok
    │     └─ shelves: ok
    └─ invoices: ok
    event orders.placed #3: failed
    ├─ stock: failed: publishing `stock.reserved` failed
    │  └─ event stock.reserved #4: failed
    │     └─ shelves: panicked: out of boxes
    └─ invoices: not run
    ");
}

#[test]
fn an_event_that_is_there_twice_is_shown_twice() {
    let (recorder, _mediator) = two_orders();
    let message = message(|| assert_published_once!(recorder, OrderPlaced { .. }));
    assert!(message.starts_with("`OrderPlaced { .. }` was published 2 times"), "{message}");
    assert!(message.contains("\"o-1\"") && message.contains("\"o-2\""), "{message}");
}
