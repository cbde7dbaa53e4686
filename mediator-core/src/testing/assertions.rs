//! The assertions about what was published.

use std::sync::Arc;

use super::recorder::Recorder;
use super::show::{Show, TypeToShow};
use super::tree::{self, Ids};
use crate::event::notification::Notification;
use crate::observe::records::Entry;

/// Asserts that an event was published that matches a pattern, and a guard if there is one; returns the first.
///
/// ```
/// use mediator_core::prelude::*;
/// use mediator_core::testing::{Recorder, assert_published};
///
/// #[event]
/// #[derive(Debug)]
/// struct OrderPlaced { order_id: String, total: u32 }
///
/// let recorder = Recorder::new();
/// let mediator = Mediator::builder().without_discovery().recorder(&recorder).build()?;
/// futures::executor::block_on(mediator.publish(OrderPlaced::new("o-1".into(), 12)))?;
///
/// assert_published!(recorder, OrderPlaced);
/// let placed = assert_published!(recorder, OrderPlaced { order_id, .. } if order_id == "o-1");
/// assert_eq!(placed.total, 12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The event's type is that of the pattern, which sees the event by reference; the name of the type alone means any event of it.
///
/// # Panics
///
/// If there is none. The message shows the events of this type that were published, if they are `Debug`, with a mark at the
/// fields that the pattern or the guard names; and everything that was published and sent, as a [tree](Recorder::tree).
#[macro_export]
#[doc(hidden)]
macro_rules! __assert_published {
    ($recorder:expr, $($event:tt)+) => {
        $crate::__search_published!($recorder, published, $($event)+)
    };
    ($recorder:expr $(,)?) => {
        $crate::__search_published!()
    };
}

/// Asserts that no event was published that matches a pattern, and a guard if there is one.
///
/// ```
/// use mediator_core::prelude::*;
/// use mediator_core::testing::{Recorder, assert_not_published};
///
/// #[event]
/// struct OrderRefused { reason: String }
///
/// let recorder = Recorder::new();
/// let mediator = Mediator::builder().without_discovery().recorder(&recorder).build()?;
/// futures::executor::block_on(mediator.publish(OrderRefused::new("sold out".into())))?;
/// assert_not_published!(recorder, OrderRefused { reason, .. } if reason == "fraud");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// If there is one, with a message like that of [`assert_published!`](crate::testing::assert_published).
#[macro_export]
#[doc(hidden)]
macro_rules! __assert_not_published {
    ($recorder:expr, $($event:tt)+) => {
        $crate::__search_published!($recorder, not_published, $($event)+)
    };
    ($recorder:expr $(,)?) => {
        $crate::__search_published!()
    };
}

/// Asserts that one event was published that matches a pattern, and a guard if there is one, and not more; returns it.
///
/// ```
/// use mediator_core::prelude::*;
/// use mediator_core::testing::{Recorder, assert_published_once};
///
/// #[event]
/// struct OrderPlaced { order_id: u64 }
///
/// let recorder = Recorder::new();
/// let mediator = Mediator::builder().without_discovery().recorder(&recorder).build()?;
/// futures::executor::block_on(mediator.publish(OrderPlaced::new(7)))?;
/// assert_published_once!(recorder, OrderPlaced { order_id: 7, .. });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Panics
///
/// If there is none, or more than one, with a message like that of [`assert_published!`](crate::testing::assert_published).
#[macro_export]
#[doc(hidden)]
macro_rules! __assert_published_once {
    ($recorder:expr, $($event:tt)+) => {
        $crate::__search_published!($recorder, published_once, $($event)+)
    };
    ($recorder:expr $(,)?) => {
        $crate::__search_published!()
    };
}

#[macro_export]
#[doc(hidden)]
macro_rules! __search_published {
    () => {
        ::core::compile_error!("of which event? name it behind the recorder: `OrderPlaced`, or `OrderPlaced { .. }`")
    };
    // The type alone.
    ($recorder:expr, $assert:ident, $event:ident $(,)?) => {
        $crate::__search_published!(@ $recorder, $assert, ::core::stringify!($event), |_: &$event| true)
    };
    ($recorder:expr, $assert:ident, $pattern:pat $(if $guard:expr)? $(,)?) => {
        $crate::__search_published!(
            @ $recorder,
            $assert,
            ::core::stringify!($pattern $(if $guard)?),
            |__event| match __event {
                $pattern $(if $guard)? => true,
                #[allow(unreachable_patterns)]
                _ => false,
            }
        )
    };
    (@ $recorder:expr, $assert:ident, $wanted:expr, $matches:expr) => {{
        let __search = $crate::testing::__private::search(&$recorder, $wanted, $matches);
        // By `Debug` if the event has it: that is found first.
        #[allow(unused_imports)]
        use $crate::testing::__private::{ShowDebug as _, ShowNothing as _};
        let __show = (&__search.event_type()).show();
        __search.$assert(__show)
    }};
}

/// What an assertion looks for, and what there is.
#[allow(missing_debug_implementations)] // Nobody outside can name it.
pub struct Search<E> {
    wanted: &'static str,
    event_name: &'static str,
    entries: Vec<Entry>,
    matching: Vec<Arc<E>>,
    others: Vec<Arc<E>>,
}

/// Looks for the events that match.
pub fn search<E: Notification>(recorder: &Recorder, wanted: &'static str, matches: impl Fn(&E) -> bool) -> Search<E> {
    let entries = recorder.entries();
    let (matching, others) = entries.iter().filter_map(Entry::event::<E>).partition(|event| matches(event));
    Search { wanted, event_name: E::event_name(), entries, matching, others }
}

impl<E> Search<E> {
    /// For [`show`](super::show).
    #[must_use]
    pub fn event_type(&self) -> TypeToShow<E> {
        TypeToShow::new()
    }

    /// The first.
    #[track_caller]
    pub fn published(mut self, show: Show<E>) -> Arc<E> {
        if self.matching.is_empty() {
            self.fail_missing(show);
        }
        self.matching.swap_remove(0)
    }

    /// The only one.
    #[track_caller]
    pub fn published_once(mut self, show: Show<E>) -> Arc<E> {
        match self.matching.len() {
            0 => self.fail_missing(show),
            1 => self.matching.swap_remove(0),
            count => self.fail(&format!("was published {count} times"), &self.matching, show),
        }
    }

    /// None.
    #[track_caller]
    pub fn not_published(self, show: Show<E>) {
        if !self.matching.is_empty() {
            self.fail("was published", &self.matching, show);
        }
    }

    #[track_caller]
    fn fail_missing(&self, show: Show<E>) -> ! {
        let name = self.event_name;
        let what = match self.others.len() {
            0 => format!("was not published, nor any other `{name}`"),
            count => format!("was not published, but {count} other `{name}`"),
        };
        self.fail(&what, &self.others, show)
    }

    #[track_caller]
    fn fail(&self, what: &str, events: &[Arc<E>], show: Show<E>) -> ! {
        const AT_MOST: usize = 10;

        let ids = Ids::of(&self.entries);
        let shown = events.iter().take(AT_MOST).filter_map(|event| Some(format!("{:#?}", show(event)?)));
        let mut shown: Vec<_> = shown.map(|text| mark(&ids.shorten(&text), self.wanted)).collect();
        if !shown.is_empty() && events.len() > AT_MOST {
            shown.push(format!("  and {} more", events.len() - AT_MOST));
        }
        let shown = shown.into_iter().map(|text| format!("\n{text}")).collect::<String>();
        let all = tree::of(&self.entries, 0);
        panic!("`{}` {what}{shown}\nall that was published and sent:\n{all}", self.wanted);
    }
}

/// An event with a mark at each field that is named in `wanted`.
fn mark(event: &str, wanted: &str) -> String {
    let is_part_of_name = |character: char| character.is_alphanumeric() || character == '_';
    let words: Vec<_> = wanted.split(|character| !is_part_of_name(character)).collect();
    let is_named = |line: &str| {
        let field = line.strip_prefix("    ").and_then(|line| line.split_once(':'));
        field.is_some_and(|(field, _)| words.contains(&field))
    };
    let marked = |line| format!("{} {line}", if is_named(line) { '>' } else { ' ' });
    event.lines().map(marked).collect::<Vec<_>>().join("\n")
}
