//! The requests that the macro declares.

use crate::request::info::RequestInfo;
use crate::request::request::Request;

inventory::collect!(RequestRegistration);

/// A request type that the macro declared; known even if nobody handles it.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct RequestRegistration {
    request: fn() -> RequestInfo,
    has_given_name: bool,
}

impl RequestRegistration {
    #[must_use]
    pub const fn new<R: Request>() -> Self {
        Self { request: RequestInfo::of::<R>, has_given_name: false }
    }

    /// With the user's `name = …`, which the request answers with.
    #[must_use]
    pub const fn named(mut self) -> Self {
        self.has_given_name = true;
        self
    }

    /// The request, and whether its name is by `name = …`.
    pub(crate) fn declared(&self) -> (RequestInfo, bool) {
        ((self.request)(), self.has_given_name)
    }
}
