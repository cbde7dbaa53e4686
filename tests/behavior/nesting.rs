//! How deep publishes may be nested.

use std::sync::{Arc, Mutex};

use futures::executor::block_on;
#[cfg(debug_assertions)]
use mediator_core::PublishErrorKind;
use mediator_core::prelude::*;
use mediator_tests::{On, pending};

#[derive(Notification)]
struct Changed(usize);

#[derive(Notification)]
struct Synced(usize);

/// Each handler publishes the other event, `left` times in all, before or after it was pending.
fn mediator(waits: bool) -> (Mediator, Arc<Mutex<Option<Publisher>>>) {
    let later: Arc<Mutex<Option<Publisher>>> = Arc::default();
    let (sync, touch) = (later.clone(), later.clone());
    let publisher = |later: &Mutex<Option<Publisher>>| later.lock().unwrap().clone().unwrap();
    let mediator = Mediator::builder()
        .without_discovery()
        .bind_handler::<Changed, _>(On(move |event: &Changed| {
            let (publisher, left) = (publisher(&sync), event.0);
            async move {
                pending(usize::from(waits)).await;
                if left == 0 { Ok(()) } else { Box::pin(publisher.publish(Synced(left - 1))).await }
            }
        }))
        .bind_handler::<Synced, _>(On(move |event: &Synced| {
            let (publisher, left) = (publisher(&touch), event.0);
            async move { if left == 0 { Ok(()) } else { Box::pin(publisher.publish(Changed(left - 1))).await } }
        }))
        .build()
        .unwrap();
    *later.lock().unwrap() = Some(mediator.publisher().downgrade());
    (mediator, later)
}

#[test]
fn a_hundred_publishes_may_be_nested() {
    for waits in [false, true] {
        let (mediator, _later) = mediator(waits);
        block_on(mediator.publish(Changed(100))).unwrap();
    }
}

#[cfg(debug_assertions)]
#[cfg_attr(miri, ignore = "as deep as another test, and then a long text")]
#[test]
fn handlers_that_publish_each_other_without_end_are_told_which_events_do() {
    for waits in [false, true] {
        let (mediator, _later) = mediator(waits);
        let error = block_on(mediator.publish(Changed(usize::MAX))).unwrap_err();
        let mut innermost = &error;
        while let Some(nested) = innermost.failures().first().and_then(|failure| failure.error()?.downcast_ref()) {
            innermost = nested;
        }
        assert_eq!(innermost.kind(), PublishErrorKind::TooDeep);
        let cycle = "`behavior::nesting::Changed` → `behavior::nesting::Synced` → `behavior::nesting::Changed`";
        assert!(innermost.to_string().contains(cycle), "{innermost}");
        assert_eq!(innermost.unpublished().len(), 1);
        // Each event of the cycle with its handler, once; then the innermost publish.
        for text in [format!("{error:#}"), format!("{error:?}")] {
            assert_eq!(text.matches("publishing `").count(), 3, "{text}");
            assert_eq!(text.matches("handler `").count(), 2, "{text}");
            assert!(text.contains(cycle), "{text}");
        }
        // The way back is left as it was.
        block_on(mediator.publish(Changed(100))).unwrap();
    }
}
