//! What can go wrong between a service and its server.

use std::fmt;

use crate::BoxError;

/// Why a service cannot publish to, or consume from, a NATS server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NatsError {
    /// The server cannot be reached, or does not let this program in.
    #[error("cannot connect to NATS at {url}")]
    #[non_exhaustive]
    Connect {
        /// Where it was looked for.
        url: String,
        /// Why.
        source: BoxError,
    },
    /// The name of a service, a stream or a subject that NATS has no room for.
    #[error("`{name}` cannot be the name of a {of}; use letters, digits, `-` and `_`{}", if *.of == "prefix" { " between the dots" } else { "" })]
    #[non_exhaustive]
    Name {
        /// Of what: `service`, `stream` or `prefix`.
        of: &'static str,
        /// The name.
        name: String,
    },
    /// JetStream did not do something.
    #[error("JetStream could not {doing}")]
    #[non_exhaustive]
    JetStream {
        /// What it was asked to do, as in ``create the stream `MEDIATOR` ``.
        doing: String,
        /// Its answer.
        source: BoxError,
    },
    /// There is a stream or a consumer of the name, but it is not as this program needs it. It was left as it is.
    #[error(
        "the {of} `{name}` is not as this program needs it: {}; change it there, or use another name",
        listed(differences)
    )]
    #[non_exhaustive]
    Mismatch {
        /// `stream` or `consumer`.
        of: &'static str,
        /// Its name.
        name: String,
        /// What differs.
        differences: Vec<Mismatch>,
    },
    /// Events that are consumed have ordinary handlers, which would not run for what other services publish.
    #[error(
        "handlers that are not durable would not run for events of other services: {}; make them `durable`, narrow what is \
         consumed by `.only::<…>()`, or accept it by `.ignore_ordinary_handlers()`",
        .handlers.join(", ")
    )]
    #[non_exhaustive]
    OrdinaryHandlers {
        /// The handlers, each with its event.
        handlers: Vec<String>,
    },
}

impl NatsError {
    pub(crate) fn jet_stream(doing: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::JetStream { doing: doing.into(), source: source.into() }
    }
}

/// One setting of a stream or a consumer that this program cannot work with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// The setting.
    pub setting: &'static str,
    /// How it is on the server.
    pub is: String,
    /// How this program needs it.
    pub needed: String,
}

/// `retention is WorkQueue, but must be Limits`
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, but must be {}", self.setting, self.is, self.needed)
    }
}

fn listed(differences: &[Mismatch]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
