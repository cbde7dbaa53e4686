//! How what is observed has ended.

use std::any::type_name;
use std::error::Error;

use crate::errors::panics::message_of;
use crate::errors::publish_error::PublishError;
use crate::errors::refused::NotAnswered;
use crate::request::request::Request;

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
    /// Of any type.
    Error(&'a (dyn Error + 'static)),
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
        Self::Failed(Failure::Error(error))
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

    /// `error.type`: by the conventions a word for each kind of error, `_OTHER` where there is none.
    pub(crate) fn error_type(&self) -> Option<&'static str> {
        match self {
            Self::Ok => None,
            Self::Failed(Failure::Told(told)) => Some(told.type_name),
            Self::Failed(Failure::Error(error)) if error.is::<PublishError>() => Some("mediator_core::PublishError"),
            Self::Failed(Failure::Error(_)) => Some("_OTHER"),
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
            Self::Error(error) => Some(*error),
            Self::Told(_) => None,
        }
    }

    /// What else is known of it.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Error(_) => None,
            Self::Told(told) => told.message.as_deref(),
        }
    }
}
