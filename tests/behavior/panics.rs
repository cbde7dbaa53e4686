//! What becomes of panics, and of publishes across `catch_unwind`.

use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_tests::On;

#[derive(Notification)]
struct Placed;

#[derive(Debug, PartialEq)]
struct Code(u32);

fn panics_with(panic: fn()) -> PublishError {
    let handler = On(move |_: &Placed| async move { panic() });
    let mediator = Mediator::builder().without_discovery().bind_handler::<Placed, _>(handler).build().unwrap();
    block_on(mediator.publish(Placed)).unwrap_err()
}

#[test]
fn a_payload_of_any_type_can_be_looked_at() {
    let error = panics_with(|| panic_any(Code(7)));
    let payload = error.failures()[0].panic_payload().unwrap();
    assert_eq!(payload.downcast_ref::<Code>(), Some(&Code(7)));
    assert_eq!(payload.downcast_ref::<String>(), None);
    assert_eq!(payload.message(), "Box<dyn Any>");
}

#[test]
fn a_payload_can_be_taken_to_go_on_panicking() {
    let failure = panics_with(|| panic_any(Code(7))).into_failures().remove(0);
    assert_eq!(failure.into_panic().unwrap().downcast::<Code>().unwrap(), Box::new(Code(7)));
}

#[test]
fn messages_are_those_that_the_panic_hook_prints() {
    for panic in [|| panic!("out of boxes"), || panic!("out of {}", "boxes")] as [fn(); 2] {
        let error = panics_with(panic);
        assert_eq!(error.failures()[0].panic_message(), Some("out of boxes"));
        assert!(error.to_string().ends_with(" panicked: out of boxes"), "{error}");
    }
}

#[test]
fn an_error_has_no_panic() {
    let handler = On(|_: &Placed| async { Err::<(), _>("no") });
    let mediator = Mediator::builder().without_discovery().bind_handler::<Placed, _>(handler).build().unwrap();
    let failure = block_on(mediator.publish(Placed)).unwrap_err().into_failures().remove(0);
    assert!(failure.panic_payload().is_none() && failure.into_panic().is_none());
}

#[test]
fn handles_and_publishes_can_be_used_across_an_unwinding() {
    let mediator = Mediator::builder().without_discovery().build().unwrap();
    let publisher = mediator.publisher();
    assert!(
        catch_unwind(|| block_on(mediator.publish(Placed)).is_ok() && block_on(publisher.publish(Placed)).is_ok())
            .unwrap()
    );
    let publish = mediator.publish(Placed);
    assert!(catch_unwind(move || block_on(publish).is_ok()).unwrap());
}

/// Panics when it is dropped.
#[derive(Notification)]
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped without a commit");
        }
    }
}

#[test]
fn a_handlers_error_is_not_lost_to_a_panic_of_the_events_destructor() {
    let handler = On(|_: &Fragile| async { Err::<(), _>("disk full") });
    let mediator = Mediator::builder().without_discovery().bind_handler::<Fragile, _>(handler).build().unwrap();
    let error = block_on(mediator.publish(Fragile)).unwrap_err();
    assert!(format!("{error:#}").ends_with(": disk full"));
}

#[test]
fn a_panic_of_the_events_destructor_alone_reaches_the_publisher() {
    let mediator = Mediator::builder().without_discovery().build().unwrap();
    let publish = catch_unwind(AssertUnwindSafe(|| block_on(mediator.publish(Fragile))));
    assert_eq!(publish.unwrap_err().downcast_ref::<&str>(), Some(&"dropped without a commit"));
}
