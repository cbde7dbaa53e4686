//! How what is observed has ended.

use std::any::type_name;
use std::error::Error;

use crate::errors::panics::message_of;
use crate::errors::publish_error::PublishError;
use crate::errors::refused::NotAnswered;
use crate::handler::error::BoxError;
use crate::request::request::Request;

/// The `error.type` of what has no word of its own, by the conventions.
pub(crate) const OTHER: &str = "_OTHER";

/// How a publish, a send or a call of a handler has ended.
pub(crate) enum Ended<'a> {
    Ok,
    Failed(Failure<'a>),
    Panicked(&'a str),
    /// Dropped unfinished.
    Cancelled,
}

/// An error, as far as its type is known.
pub(crate) enum Failure<'a> {
    /// Of a type that is known by its name at most.
    Error { error: &'a (dyn Error + 'static), type_name: Option<&'static str> },
    /// Of a request's own type.
    Told(Told),
}

/// What an error says.
pub(crate) struct Told {
    type_name: &'static str,
    message: Option<String>,
}

impl Told {
    pub(crate) fn of<R: Request>(error: &R::Error) -> Self {
        Self { type_name: type_name::<R::Error>(), message: R::error_text(error) }
    }

    /// A request was not answered, although a behavior said that all was well.
    pub(crate) fn not_answered() -> Self {
        Self { type_name: "mediator_core::SendError", message: Some(NotAnswered.to_string()) }
    }
}

#[cfg(feature = "testing")]
impl Told {
    /// What the error says, or its type.
    pub(crate) fn text(&self) -> &str {
        self.message.as_deref().unwrap_or(self.type_name)
    }
}

impl<'a> Ended<'a> {
    pub(crate) fn with_error(error: &'a (dyn Error + 'static)) -> Self {
        Self::Failed(Failure::Error { error, type_name: None })
    }

    /// The same with an error of a type of this name.
    pub(crate) fn with_error_of(error: &'a (dyn Error + 'static), type_name: &'static str) -> Self {
        // A box may have an error of any type in it.
        let is_box = type_name == std::any::type_name::<BoxError>();
        Self::Failed(Failure::Error { error, type_name: (!is_box).then_some(type_name) })
    }

    pub(crate) fn with_panic(payload: &'a (dyn std::any::Any + Send)) -> Self {
        Self::Panicked(message_of(payload))
    }

    /// `mediator.outcome`
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed(_) => "failed",
            Self::Panicked(_) => "panicked",
            Self::Cancelled => "cancelled",
        }
    }

    /// `error.type`: by the conventions a word for each kind of error.
    pub(crate) fn error_type(&self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::Failed(Failure::Told(told)) => Some(told.type_name),
            Self::Failed(Failure::Error { error, .. }) if error.is::<PublishError>() => {
                Some("mediator_core::PublishError")
            }
            Self::Failed(Failure::Error { type_name, .. }) => Some(type_name.unwrap_or(OTHER)),
            Self::Panicked(_) => Some("panic"),
            Self::Cancelled => Some("cancelled"),
        }
    }

    /// Whether it is an error by the conventions; what was cancelled is none.
    pub(crate) fn is_error(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Panicked(_))
    }
}

impl<'a> Failure<'a> {
    /// The error with its causes, if it is one.
    pub(crate) fn error(&self) -> Option<&'a (dyn Error + 'static)> {
        match self {
            Self::Error { error, .. } => Some(*error),
            Self::Told(_) => None,
        }
    }

    /// What else is known of it.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Error { .. } => None,
            Self::Told(told) => told.message.as_deref(),
        }
    }
}
