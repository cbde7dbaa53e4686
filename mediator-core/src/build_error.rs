//! What is wrong with the wiring.

use std::fmt;
use std::panic::Location;

use crate::handler::BoxError;
use crate::order::OrderStep;
use crate::registry::{EventInfo, HandlerInfo};

/// Every problem that [`build`](crate::MediatorBuilder::build) found, each with its place.
///
/// `Debug` shows the same text as `Display`, since that is what `unwrap` and a `main` that returns
/// an error print.
///
/// ```
/// use std::sync::Arc;
/// use mediator_core::{BuildProblem, prelude::*};
///
/// # #[derive(Notification)] struct OrderPlaced;
/// #[derive(Inject)]
/// struct Audit { journal: Arc<Vec<String>> }
///
/// impl EventHandler<OrderPlaced> for Audit {
///     async fn handle(&self, _event: &OrderPlaced) {}
/// }
///
/// let error = Mediator::builder().without_discovery().bind::<OrderPlaced, Audit>().build().unwrap_err();
/// let [BuildProblem::MissingService { handler, field, service, .. }] = error.problems() else { panic!("{error}") };
/// assert!(handler.name().ends_with("::Audit"));
/// assert_eq!(*field, Some("journal"));
/// assert!(service.starts_with("alloc::sync::Arc<"));
/// ```
pub struct BuildError {
    problems: Vec<BuildProblem>,
    provided: Vec<Provided>,
}

/// A service that the builder was given.
pub(crate) struct Provided {
    pub(crate) service: &'static str,
    pub(crate) location: &'static Location<'static>,
}

impl BuildError {
    pub(crate) fn new(problems: Vec<BuildProblem>, provided: Vec<Provided>) -> Self {
        Self { problems, provided }
    }

    /// The problems, all of them.
    #[must_use]
    pub fn problems(&self) -> &[BuildProblem] {
        &self.problems
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => f.write_str("the mediator cannot be built, there is 1 problem:")?,
            count => write!(f, "the mediator cannot be built, there are {count} problems:")?,
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n- {problem}"))?;
        // What was provided as another type than it is asked for is the likeliest mistake.
        if self.problems.iter().any(|problem| matches!(problem, BuildProblem::MissingService { .. })) {
            for (index, Provided { service, location }) in self.provided.iter().enumerate() {
                let before = if index == 0 { "\nprovided are" } else { "," };
                write!(f, "{before} `{service}` ({location})")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problems.iter().find_map(|problem| match problem {
            BuildProblem::Handler { error, .. } => Some(&**error as _),
            _ => None,
        })
    }
}

/// One thing that is wrong with the wiring; see the example at [`BuildError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildProblem {
    /// A handler needs a service that was not provided.
    #[non_exhaustive]
    MissingService {
        /// The handler.
        handler: HandlerInfo,
        /// The field or parameter, unless an `impl Inject` did not name one.
        field: Option<&'static str>,
        /// The type of the service.
        service: &'static str,
    },
    /// A handler type is registered for one event twice.
    #[non_exhaustive]
    DuplicateHandler {
        /// The event.
        event_name: &'static str,
        /// The first registration.
        first: HandlerInfo,
        /// The second registration.
        second: HandlerInfo,
    },
    /// An event that must have a handler has none.
    #[non_exhaustive]
    NoHandler {
        /// The event.
        event: EventInfo,
        /// Where the builder was told so.
        required_at: &'static Location<'static>,
    },
    /// Two services of one type were provided.
    #[non_exhaustive]
    DuplicateService {
        /// The type of the service.
        service: &'static str,
        /// Where it was provided first.
        first: &'static Location<'static>,
        /// Where it was provided again.
        second: &'static Location<'static>,
    },
    /// Handlers of one event are to run after or before each other, in a circle.
    #[non_exhaustive]
    OrderCycle {
        /// The event.
        event_name: &'static str,
        /// Who asks for what, in the order of the calls that it would take.
        steps: Vec<OrderStep>,
    },
    /// A handler is to run after or before one that does not handle the event.
    #[non_exhaustive]
    UnknownHandler {
        /// The handler whose registration says so.
        handler: HandlerInfo,
        /// The event.
        event_name: &'static str,
        /// `after` or `before`.
        option: &'static str,
        /// The type that is named there.
        reference: &'static str,
        /// An event that this type does handle.
        handles: Option<&'static str>,
        /// The handler of the event with the most similar name.
        nearest: Option<HandlerInfo>,
    },
    /// A `Publisher` or a `Mediator` was provided, which the mediator does itself.
    #[non_exhaustive]
    ProvidedHandle {
        /// The type.
        service: &'static str,
        /// Where it was provided.
        location: &'static Location<'static>,
    },
    /// An `impl Inject` failed for a reason of its own.
    #[non_exhaustive]
    Handler {
        /// The handler.
        handler: HandlerInfo,
        /// Its reason.
        error: BoxError,
    },
}

impl fmt::Display for BuildProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingService { handler, field, service } => {
                write!(f, "handler {handler} needs `{service}`")?;
                if let Some(field) = field {
                    write!(f, " for `{field}`")?;
                }
                f.write_str(", which was not provided; add `.provide(…)` with a value of exactly this type")
            }
            Self::DuplicateHandler { event_name, first, second } => write!(
                f,
                "handler {second} is already registered for `{event_name}` at {}; remove one of the two",
                first.location()
            ),
            Self::NoHandler { event, required_at } => write!(
                f,
                "event {event} has no handler, but {required_at} requires one; register a handler, or link the crate \
                 that does, by `link_modules!()` or `use the_crate as _;`"
            ),
            Self::DuplicateService { service, first, second } => write!(
                f,
                "a service of type `{service}` is provided at {second} and already at {first}; provide it once, \
                 or wrap one of them in a type of its own"
            ),
            Self::OrderCycle { event_name, steps } => {
                write!(f, "the order of the handlers of `{event_name}` is a cycle; take one of these back:")?;
                steps.iter().try_for_each(|step| write!(f, "\n    {step}"))
            }
            Self::UnknownHandler { handler, event_name, option, reference, handles, nearest } => {
                write!(f, "handler {handler} has `{option} = {reference}`, which does not handle `{event_name}`")?;
                if let Some(handles) = handles {
                    write!(f, " but `{handles}`")?;
                }
                match nearest {
                    Some(nearest) => write!(f, "; did you mean {nearest}?"),
                    None => f.write_str("; no other handler does, take it out"),
                }
            }
            Self::ProvidedHandle { service, location } => {
                write!(f, "a `{service}` is provided at {location}, but the mediator provides its own; remove it")
            }
            Self::Handler { handler, error } => write!(f, "handler {handler} cannot be built: {error}"),
        }
    }
}
