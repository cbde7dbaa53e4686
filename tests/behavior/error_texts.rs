//! What errors print: each text once, however deep publishes are nested.

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use mediator_core::prelude::*;
use mediator_core::{HandlerFailure, PublishErrorKind};
use mediator_tests::On;

#[derive(Notification)]
struct Saved;

/// Published by the handler of the next number, down to 0, whose handler fails.
#[derive(Notification)]
struct Level(usize);

#[derive(Debug)]
struct SaveError(io::Error);

impl std::fmt::Display for SaveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("saving the order")
    }
}

impl Error for SaveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

fn save_error() -> SaveError {
    SaveError(io::Error::other("disk full"))
}

fn nested(levels: usize) -> PublishError {
    let later: Arc<Mutex<Option<Publisher>>> = Arc::default();
    let publisher = later.clone();
    let mediator = Mediator::builder()
        .without_discovery()
        .bind_handler::<Level, _>(On(move |event: &Level| {
            let (publisher, level) = (publisher.lock().unwrap().clone().unwrap(), event.0);
            async move {
                match level {
                    0 => Err(Box::<dyn Error + Send + Sync>::from(save_error())),
                    _ => Ok(Box::pin(publisher.publish(Level(level - 1))).await?),
                }
            }
        }))
        .build()
        .unwrap();
    *later.lock().unwrap() = Some(mediator.publisher().downgrade());
    block_on(mediator.publish(Level(levels))).unwrap_err()
}

fn sources(error: &dyn Error) -> Vec<String> {
    let mut texts = Vec::new();
    let mut next = error.source();
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn the_plain_text_is_one_line_without_the_text_of_the_source() {
    let text = nested(0).to_string();
    assert!(text.starts_with("publishing `behavior::error_texts::Level` failed: handler `"), "{text}");
    assert!(text.contains("error_texts.rs:") && !text.contains('\n') && !text.contains("saving"), "{text}");
}

#[test]
fn walking_the_sources_meets_each_text_once() {
    let error = nested(1);
    let mut texts = sources(&error);
    texts.insert(0, error.to_string());
    assert_eq!(texts.len(), 4);
    assert_eq!(texts[2..], ["saving the order", "disk full"]);
    for text in &texts[2..] {
        assert_eq!(texts.iter().filter(|other| other.contains(text.as_str())).count(), 1, "{texts:?}");
    }
}

#[test]
fn the_alternate_text_and_debug_tell_everything_once() {
    let error = nested(2);
    for text in [format!("{error:#}"), format!("{error:?}")] {
        assert_eq!((count(&text, "saving the order"), count(&text, "disk full")), (1, 1), "{text}");
        assert_eq!(count(&text, "publishing "), 3, "{text}");
        assert!(text.ends_with(": saving the order: disk full"), "{text}");
    }
}

#[test]
fn the_texts_grow_with_the_depth_and_no_faster() {
    let length = |levels: usize| format!("{:?}", nested(levels)).len();
    let step = length(3) - length(2);
    assert_eq!(length(40) - length(30), 10 * step);
}

#[test]
fn a_reporter_that_prints_the_sources_prints_each_text_once() {
    let reported = format!("{:#}", anyhow::Error::from(nested(2)));
    assert_eq!((count(&reported, "saving the order"), count(&reported, "disk full")), (1, 1), "{reported}");
}

#[test]
fn a_cause_that_an_error_repeats_in_its_own_text_is_told_once() {
    #[derive(Debug)]
    struct Repeats(io::Error);

    impl std::fmt::Display for Repeats {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "cannot save: {}", self.0)
        }
    }

    impl Error for Repeats {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    let error = failed(|| Err::<(), _>(Repeats(io::Error::other("disk full"))));
    assert_eq!(count(&format!("{error:#}"), "disk full"), 1, "{error:#}");
}

/// The error of a publish whose one handler does this.
fn failed<T, E>(handle: impl Fn() -> Result<T, E> + Send + Sync + 'static) -> PublishError
where
    Result<T, E>: mediator_core::HandlerOutput + Send,
    T: 'static,
    E: 'static,
{
    let handler = On(move |_: &Saved| std::future::ready(handle()));
    let mediator = Mediator::builder().without_discovery().bind_handler::<Saved, _>(handler).build().unwrap();
    block_on(mediator.publish(Saved)).unwrap_err()
}

#[test]
fn several_failures_are_all_told() {
    let fails = |text: &'static str| On(move |_: &Saved| async move { Err::<(), _>(text) });
    let mediator = Mediator::builder()
        .without_discovery()
        .event_publisher(BestEffortEventPublisher)
        .bind_handler_named::<Saved, _>("first", fails("out of paper"))
        .bind_handler_named::<Saved, _>("second", fails("out of ink"))
        .build()
        .unwrap();
    let error = block_on(mediator.publish(Saved)).unwrap_err();
    let (plain, all) = (error.to_string(), format!("{error:#}"));
    // The first text is that of the source.
    assert_eq!((count(&plain, "out of paper"), count(&plain, "out of ink")), (0, 1), "{plain}");
    assert_eq!((count(&all, "out of paper"), count(&all, "out of ink")), (1, 1), "{all}");
    assert!(plain.contains("2 handlers failed: handler `first` ("), "{plain}");
}

#[test]
fn texts_of_several_lines_are_told_on_one() {
    let asserts = |left: u8| On(move |_: &Saved| async move { assert_eq!(left, 3, "sum") });
    let fails = On(|_: &Saved| async { Err::<(), _>("out of paper\n  or of ink\n") });
    let mediator = Mediator::builder()
        .without_discovery()
        .event_publisher(BestEffortEventPublisher)
        .bind_handler_named::<Saved, _>("asserts", asserts(2))
        .bind_handler_named::<Saved, _>("fails", On(|_: &Saved| async { Err::<(), _>("jam") }))
        .bind_handler_named::<Saved, _>("fails again", fails)
        .build()
        .unwrap();
    let text = block_on(mediator.publish(Saved)).unwrap_err().to_string();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("panicked: assertion `left == right` failed: sum, left: 2, right: 3; "), "{text}");
    assert!(text.ends_with(": out of paper, or of ink"), "{text}");
}

#[test]
fn a_failure_of_one_handler_is_an_error_of_its_own() {
    let failures = failed(|| Err::<(), _>(save_error())).into_failures();
    let [failure]: [HandlerFailure; 1] = failures.try_into().unwrap();
    assert!(failure.to_string().ends_with(") failed"), "{failure}");
    assert_eq!(sources(&failure), ["saving the order", "disk full"]);
    assert!(format!("{failure:#}").ends_with(": saving the order: disk full"));
}

#[test]
fn an_error_says_what_kind_it_is() {
    assert_eq!(nested(1).kind(), PublishErrorKind::Handlers);
    let publisher = Mediator::builder().without_discovery().build().unwrap().publisher().downgrade();
    assert_eq!(block_on(publisher.publish(Saved)).unwrap_err().kind(), PublishErrorKind::MediatorDropped);
}

#[test]
fn an_error_is_found_at_any_depth() {
    assert_eq!(nested(3).downcast_ref::<io::Error>().unwrap().to_string(), "disk full");
    assert!(nested(3).downcast_ref::<SaveError>().is_some());
    assert!(nested(3).downcast_ref::<std::fmt::Error>().is_none());
}

#[test]
fn a_plain_anyhow_error_is_looked_into() {
    let error = failed(|| Err::<(), _>(anyhow::Error::from(save_error())));
    assert!(error.downcast_ref::<SaveError>().is_some());
    assert_eq!(error.downcast_ref::<io::Error>().unwrap().to_string(), "disk full");
    assert!(format!("{error:#}").ends_with(": saving the order: disk full"), "{error:#}");
}

#[test]
fn the_contexts_of_an_anyhow_error_are_kept_and_found() {
    #[derive(Debug)]
    struct Step(u8);

    impl std::fmt::Display for Step {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "step {}", self.0)
        }
    }

    impl Error for Step {}

    let error = failed(|| Err::<(), _>(anyhow::Error::from(save_error()).context(Step(3))));
    assert_eq!(error.downcast_ref::<Step>().unwrap().0, 3);
    assert!(error.downcast_ref::<SaveError>().is_some());
    assert!(format!("{error:#}").ends_with(": step 3: saving the order: disk full"), "{error:#}");
}

#[test]
fn an_anyhow_error_around_a_nested_publish_is_looked_into() {
    let publish = |context: bool| {
        let error = anyhow::Error::from(nested(1));
        failed_with(if context { error.context("while saving") } else { error })
    };
    for context in [false, true] {
        let error = publish(context);
        assert!(error.downcast_ref::<SaveError>().is_some(), "{error:#}");
        assert_eq!(count(&format!("{error:#}"), "disk full"), 1, "{error:#}");
        assert_eq!(count(&format!("{error:#}"), ": while saving: publishing `"), usize::from(context), "{error:#}");
    }
}

fn failed_with(error: anyhow::Error) -> PublishError {
    let error = Mutex::new(Some(error));
    failed(move || Err::<(), _>(error.lock().unwrap().take().unwrap()))
}
