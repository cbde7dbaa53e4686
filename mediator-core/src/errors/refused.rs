//! What behaviors do instead of running a handler.

use std::error::Error;
use std::fmt;

use crate::handler::error::BoxError;
use crate::handler::info::HandlerInfo;

/// A behavior did not let a handler run.
#[derive(Debug)]
pub(crate) struct Refused {
    behavior: HandlerInfo,
    reason: BoxError,
}

impl Refused {
    pub(crate) fn new(behavior: HandlerInfo, reason: BoxError) -> Self {
        Self { behavior, reason }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "behavior {} refused", self.behavior)
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.reason)
    }
}

/// A behavior around every message returned `Ok` for a request that has no answer.
#[derive(Debug)]
pub(crate) struct NotAnswered;

impl fmt::Display for NotAnswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a behavior returned `Ok` although the handler has not answered; return what `call.run().await` does, \
             or `call.refuse(…)`",
        )
    }
}

impl Error for NotAnswered {}
