//! What can be a handler, and what it may return.
// Handlers take what is injected by value, whatever they do with it.
#![allow(clippy::needless_pass_by_value)]

use std::error::Error;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{Deliveries, HandlerFuture, HandlerInfo, MediatorBuilder};
use mediator_tests::{Log, names, pending};

#[event]
struct OrderPlaced {
    order_id: u32,
}

#[event]
struct OrderShipped {
    order_id: u32,
}

/// The handlers of one module of this file.
fn module(name: &str) -> MediatorBuilder {
    let path = format!("{}::{name}", module_path!());
    Mediator::builder().discover_where(move |registration| registration.module_path() == path)
}

/// What the handlers in a module log when an order is placed and then shipped.
fn place_and_ship(name: &str) -> Vec<String> {
    let log = Log::default();
    let mediator = module(name).provide(log.clone()).build().unwrap();
    block_on(mediator.publish(OrderPlaced::new(1))).unwrap();
    block_on(mediator.publish(OrderShipped::new(1))).unwrap();
    log.take()
}

mod one_instance {
    use super::*;

    #[event_handler(OrderPlaced, OrderShipped)]
    struct Audit {
        log: Log,
        #[inject(default)]
        seen: AtomicUsize,
    }

    impl Audit {
        fn note(&self, what: &str) {
            self.log.add(format!("{what} as number {}", self.seen.fetch_add(1, Ordering::Relaxed) + 1));
        }
    }

    impl EventHandler<OrderPlaced> for Audit {
        async fn handle(&self, event: &OrderPlaced) -> Result<(), io::Error> {
            self.note(&format!("{} placed", event.order_id));
            Ok(())
        }
    }

    impl EventHandler<OrderShipped> for Audit {
        async fn handle(&self, event: &OrderShipped) {
            self.note(&format!("{} shipped", event.order_id));
        }
    }
}

#[test]
fn one_instance_serves_all_events_of_a_handler() {
    assert_eq!(place_and_ship("one_instance"), ["1 placed as number 1", "1 shipped as number 2"]);
}

mod mixed_registration {
    use super::*;

    /// One event by the struct, another by an impl block.
    #[event_handler(OrderPlaced)]
    struct Both {
        log: Log,
        #[inject(default)]
        seen: AtomicUsize,
    }

    impl EventHandler<OrderPlaced> for Both {
        async fn handle(&self, _event: &OrderPlaced) {
            self.seen.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[event_handler]
    impl EventHandler<OrderShipped> for Both {
        async fn handle(&self, _event: &OrderShipped) {
            self.log.add(format!("{} seen before", self.seen.load(Ordering::Relaxed)));
        }
    }
}

#[test]
fn a_struct_and_an_impl_block_register_the_same_instance_for_different_events() {
    assert_eq!(place_and_ship("mixed_registration"), ["1 seen before"]);
}

mod functions {
    use super::*;

    #[event_handler]
    async fn asynchronous(event: &OrderPlaced, log: Log) {
        pending(1).await;
        log.add(format!("asynchronous {}", event.order_id));
    }

    #[event_handler]
    fn plain(event: &OrderPlaced, log: Log) -> Result<(), String> {
        log.add(format!("plain {}", event.order_id));
        Ok(())
    }

    #[event_handler]
    async fn of_a_pattern(OrderShipped { order_id, .. }: &OrderShipped, log: Log) {
        log.add(format!("pattern {order_id}"));
    }
}

#[test]
fn functions_are_handlers_async_or_not() {
    assert_eq!(place_and_ship("functions"), ["asynchronous 1", "plain 1", "pattern 1"]);
}

#[test]
fn a_function_stays_callable_and_its_name_stands_for_the_handler() {
    #[event_handler]
    async fn notify(event: &OrderPlaced, log: Log) -> Result<(), io::Error> {
        log.add(format!("notified of {}", event.order_id));
        Ok(())
    }

    let log = Log::default();
    block_on(notify(&OrderPlaced::new(1), log.clone())).unwrap();
    let builder = Mediator::builder().without_discovery().bind_fn(notify);
    block_on(builder.provide(log.clone()).build().unwrap().publish(OrderPlaced::new(2))).unwrap();
    assert_eq!(log.take(), ["notified of 1", "notified of 2"]);
}

mod outer {
    mod inner {
        use crate::handlers::*;

        #[derive(Notification)]
        struct Secret(u32);

        #[event_handler(OrderPlaced)]
        struct Hidden {
            publisher: Publisher,
        }

        impl EventHandler<OrderPlaced> for Hidden {
            async fn handle(&self, event: &OrderPlaced) -> Result<(), PublishError> {
                self.publisher.publish(Secret(event.order_id)).await
            }
        }

        #[event_handler]
        async fn keeps_it(event: &Secret, log: Log) {
            log.add(format!("secret of {}", event.0));
        }
    }
}

#[test]
fn handlers_and_events_may_be_private_in_private_modules() {
    assert_eq!(place_and_ship("outer::inner"), ["secret of 1"]);
}

mod outputs {
    use super::*;

    #[derive(Debug)]
    pub(super) struct OwnError(pub(super) u32);

    impl std::fmt::Display for OwnError {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "own {}", self.0)
        }
    }

    impl Error for OwnError {}

    #[event_handler]
    async fn unit(_event: &OrderPlaced) {}

    #[event_handler]
    async fn own_error(event: &OrderPlaced) -> Result<(), OwnError> {
        Err(OwnError(event.order_id))
    }

    #[event_handler]
    async fn io_error(_event: &OrderPlaced) -> io::Result<()> {
        Err(io::ErrorKind::TimedOut.into())
    }

    #[event_handler]
    async fn anyhow_error(_event: &OrderPlaced) -> anyhow::Result<()> {
        anyhow::bail!("anyhow")
    }

    #[event_handler]
    async fn text(_event: &OrderPlaced) -> Result<(), String> {
        Err("string".into())
    }

    #[event_handler]
    async fn static_text(_event: &OrderPlaced) -> Result<(), &'static str> {
        Err("str")
    }

    #[event_handler]
    async fn boxed(_event: &OrderPlaced) -> Result<(), Box<dyn Error + Send + Sync>> {
        Err(Box::new(OwnError(0)))
    }

    #[event_handler]
    async fn never(_event: &OrderPlaced) -> Result<(), std::convert::Infallible> {
        Ok(())
    }

    #[event_handler(OrderPlaced)]
    struct Borrowed(#[inject(with = "borrowed".into())] String);

    impl EventHandler<OrderPlaced> for Borrowed {
        async fn handle(&self, _event: &OrderPlaced) -> Result<(), &str> {
            Err(&self.0)
        }
    }

    #[event_handler(OrderPlaced)]
    struct ByHand;

    impl EventHandler<OrderPlaced> for ByHand {
        fn handle(&self, event: &OrderPlaced) -> impl HandlerFuture {
            futures::future::ready(Err::<(), _>(OwnError(event.order_id)))
        }
    }
}

#[test]
fn any_error_that_can_be_boxed_may_be_returned_and_reaches_the_caller() {
    let mediator = module("outputs").build().unwrap();
    let error = block_on(mediator.publish_with(&GroupEventPublisher, OrderPlaced::new(7))).unwrap_err();
    let failures: Vec<_> = error.failures().iter().map(|failure| failure.error().unwrap().to_string()).collect();
    assert_eq!(failures, ["own 7", "timed out", "anyhow", "string", "str", "own 0", "borrowed", "own 7"]);
    let own = error.failures().iter().filter_map(|failure| failure.downcast_ref::<outputs::OwnError>());
    assert_eq!(own.map(|error| error.0).collect::<Vec<_>>(), [7, 0, 7]);
    assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::TimedOut);
}

#[test]
fn handlers_are_named_by_their_path_or_by_the_name_they_declare() {
    #[event]
    struct Named;

    #[event_handler(Named, name = "email.confirmation")]
    struct RenamedSomeday;

    impl EventHandler<Named> for RenamedSomeday {
        async fn handle(&self, _event: &Named) {}
    }

    #[event_handler]
    fn function(_event: &Named) {}

    #[derive(Inject)]
    struct Generic<T: Default>(#[inject(default)] T);

    impl<T: Default + Send + Sync + 'static> EventHandler<Named> for Generic<T> {
        async fn handle(&self, _event: &Named) {
            let Self(_value) = self;
        }
    }

    /// Calls nobody, but notes who would have been called.
    #[derive(Default)]
    struct Look(Mutex<Vec<HandlerInfo>>);

    impl EventPublisher for Look {
        async fn publish(&self, deliveries: Deliveries<'_>) -> Result<(), PublishError> {
            self.0.lock().unwrap().extend(deliveries.iter().map(|delivery| *delivery.handler()));
            Ok(())
        }
    }

    let mediator = Mediator::builder()
        .discover_where(|registration| registration.event_name() == "behavior::handlers::Named")
        .bind::<Named, Generic<u8>>()
        .bind::<Named, Generic<u16>>()
        .build()
        .unwrap();
    let look = Look::default();
    block_on(mediator.publish_with(&look, Named::new())).unwrap();
    let handlers = look.0.into_inner().unwrap();
    let full_names: Vec<_> = handlers.iter().map(|handler| handler.name()).collect();
    assert_eq!(full_names[..2], ["email.confirmation", "behavior::handlers::function"]);
    assert_eq!(names(&handlers[2..]), ["Generic<u8>", "Generic<u16>"]);
    assert!(handlers.iter().all(|handler| handler.location().file().ends_with("handlers.rs")));
    assert!(handlers.iter().all(|handler| handler.module_path().starts_with("behavior::handlers")));
}

#[test]
fn an_error_with_context_of_anyhow_keeps_its_chain() {
    #[event_handler]
    async fn with_context(_event: &OrderPlaced) -> anyhow::Result<()> {
        Err(anyhow::Error::new(outputs::OwnError(7)).context("while placing"))
    }

    let mediator = Mediator::builder().without_discovery().bind_fn(with_context).build().unwrap();
    let error = block_on(mediator.publish(OrderPlaced::new(7))).unwrap_err();
    let own = error.source().unwrap();
    assert_eq!(own.to_string(), "while placing");
    assert_eq!(own.source().unwrap().downcast_ref::<outputs::OwnError>().unwrap().0, 7);
    assert_eq!(error.downcast_ref::<outputs::OwnError>().unwrap().0, 7);
}
